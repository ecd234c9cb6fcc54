/*-------------------------------------------------------------------------
 *
 * enter.c
 *		dbkit.enter: who may bind a transaction to a tenant, and when.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

#include "cluster.h"
#include "common.h"
#include "context/context.h"
#include "context/enter.h"
#include "context/forward.h"
#include "context/signature.h"

/* Refuse to enter where a query may ask for it that another server of the cluster sent */
static void
check_caller(void)
{
	if (dbkit_is_cluster_connection())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a tenant context cannot be entered on a connection that another server of the cluster opened"),
				 errdetail("What a tenant's query calls on such a connection could choose another tenant."),
				 errhint("Call dbkit.enter in a statement of its own.")));
}

/* Refuse to enter where the context would not hold until the transaction ends */
void
dbkit_check_may_enter(void)
{
	if (dbkit_context_is_entered())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a tenant context is already entered"),
				 errdetail("It holds until the transaction ends.")));
	if (GetCurrentTransactionNestLevel() > 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a tenant context cannot be entered in a subtransaction"),
				 errhint("Call dbkit.enter before any savepoint, and outside of PL/pgSQL blocks with EXCEPTION.")));
	if (dbkit_held_cursor_depth > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a tenant context cannot be entered in the query of a cursor WITH HOLD"),
				 errdetail("The cursor would show the context's rows after the transaction.")));
}

void
dbkit_check_context_values(const char *user_id, const char *organization_id)
{
	if (user_id == NULL && organization_id == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a tenant context needs a user or an organization"),
				 errdetail("Both are NULL.")));
	if ((user_id && user_id[0] == '\0') ||
		(organization_id && organization_id[0] == '\0'))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the %s of a tenant context cannot be an empty string",
						user_id && user_id[0] == '\0' ? "user" : "organization"),
				 errhint("Pass NULL where there is none.")));
}

/*
 * Settings by which the text of a request means something else.  In signed mode
 * the request must find them as the session began with them.
 */
static struct
{
	const char *name;
	struct config_generic *setting;
}			language_settings[] =

{
	{"search_path", NULL},
	{"standard_conforming_strings", NULL},
};

/*
 * Tell whether a setting differs from its default in this session, apart from
 * the SET clauses of the functions that are running.
 */
static bool
is_changed(struct config_generic *setting)
{
	const config_var_value *saved = NULL;

	for (GucStack *stack = setting->stack; stack && stack->state == GUC_SAVE; stack = stack->prev)
		saved = &stack->prior;

	if (setting->vartype == PGC_BOOL)
	{
		struct config_bool *boolean = (struct config_bool *) setting;

		return (saved ? saved->val.boolval : *boolean->variable) != boolean->reset_val;
	}
	else
	{
		struct config_string *string = (struct config_string *) setting;

		Assert(setting->vartype == PGC_STRING);
		return strcmp(saved ? saved->val.stringval : *string->variable, string->reset_val) != 0;
	}
}

/* Refuse to enter where an earlier request may have changed what this one means */
static void
check_session(void)
{
	for (int i = 0; i < (int) lengthof(language_settings); i++)
	{
		const char *name = language_settings[i].name;

		if (language_settings[i].setting == NULL)
			language_settings[i].setting = dbkit_find_option(name);
		if (is_changed(language_settings[i].setting))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("parameter \"%s\" has changed since the session began", name),
					 errdetail("An earlier request on this connection may have left it to this one."),
					 errhint("Use RESET or DISCARD ALL between requests, and set it with ALTER ROLE, in the connection's options, or after dbkit.enter.")));
	}
}

static void
restore_setting(const char *name)
{
	(void) set_config_option(name, NULL, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * Have the text of a request mean what it did when the session began, until the transaction ends.
 * This is for a connection that another server opened, and keeps for later requests: no client can
 * reset what an earlier one left there.  So nothing is refused; nor is the encoding looked at by
 * dbkit.enter, since drivers set it.
 */
void
dbkit_restore_session(void)
{
	for (int i = 0; i < (int) lengthof(language_settings); i++)
		restore_setting(language_settings[i].name);
	restore_setting("client_encoding");
}

static char *
cstring_argument(FunctionCallInfo fcinfo, int n)
{
	if (n >= PG_NARGS() || PG_ARGISNULL(n))
		return NULL;
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/*
 * dbkit.enter(user_id text, organization_id text [, signature text])
 *
 * Bind the transaction to a user and an organization, one of which may be
 * NULL.  Raises object_not_in_prerequisite_state on a second call and in a
 * subtransaction, insufficient_privilege without the signature it needs.
 */
PG_FUNCTION_INFO_V1(dbkit_enter);
Datum
dbkit_enter(PG_FUNCTION_ARGS)
{
	char	   *user_id = cstring_argument(fcinfo, 0);
	char	   *organization_id = cstring_argument(fcinfo, 1);
	char	   *signature = cstring_argument(fcinfo, 2);
	dbkit_nonce_text nonce;

	/* First of all, so that no failure leaves a nonce to be used again */
	dbkit_take_nonce(nonce);

	check_caller();
	dbkit_check_may_enter();
	dbkit_check_context_values(user_id, organization_id);
	dbkit_check_signature(user_id, organization_id, signature, nonce);
	if (dbkit_context_is_signed())
		check_session();
	dbkit_forward_context(user_id, organization_id);
	dbkit_context_enter(user_id, organization_id);

	PG_RETURN_VOID();
}
