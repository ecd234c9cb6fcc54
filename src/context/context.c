/*-------------------------------------------------------------------------
 *
 * context.c
 *		Tenant context: binds a transaction to one user and organization.
 *
 * The truth is the C variable "context", which only dbkit.enter sets and only
 * the end of the transaction clears.  Two settings mirror it for policies that
 * read current_setting(); nothing can be stored in them.  A third, hidden one
 * exists because settings are what PostgreSQL copies to parallel workers.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "common.h"
#include "context/context.h"
#include "context/netstring.h"
#include "id.h"

#define TRANSPORT_SETTING	"dbkit.context"
#define NIL_UUID			"00000000-0000-0000-0000-000000000000"

typedef struct TenantContext
{
	char	   *user_id;		/* NULL when there is none */
	char	   *organization_id;
	text	   *user_id_text;
	text	   *organization_id_text;
	Oid			role;			/* current role outside security definer */
	Oid			session_role;
	char	   *transport;		/* all of it as netstrings */
} TenantContext;

/* How many queries are running inside each other; none can commit */
int			dbkit_query_depth = 0;

/* How many of these are of a cursor WITH HOLD, whose rows outlive the transaction */
int			dbkit_held_cursor_depth = 0;

static TenantContext *context = NULL;

static char *user_setting = NULL;
static char *organization_setting = NULL;
static char *user_mirror = NULL;
static char *organization_mirror = NULL;
static char *transport = NULL;
static char *empty_transport = NULL;

/* Tell whether a context is entered */
bool
dbkit_context_is_entered(void)
{
	return context != NULL;
}

/*
 * Refuse to go on under another role than the one that entered the context.
 *
 * A role is a setting, and can be set in more ways than by a statement (see
 * set_config, functions with SET), so compare what PostgreSQL itself will
 * go by: GetOuterUserId() is the role without security definer functions.
 */
void
dbkit_context_check_role(void)
{
	if (context->role == GetOuterUserId() &&
		context->session_role == GetSessionUserId())
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the role has changed since the tenant context was entered"),
			 errhint("Set the role before dbkit.enter.")));
}

/* Build a context, its values copied into the current memory context */
static TenantContext *
make_context(const char *user_id, const char *organization_id, Oid role, Oid session_role)
{
	TenantContext *made = palloc0(sizeof(TenantContext));

	if (user_id)
	{
		made->user_id = pstrdup(user_id);
		made->user_id_text = cstring_to_text(user_id);
	}
	if (organization_id)
	{
		made->organization_id = pstrdup(organization_id);
		made->organization_id_text = cstring_to_text(organization_id);
	}
	made->role = role;
	made->session_role = session_role;
	return made;
}

/* Write a context down for parallel workers */
static char *
write_transport(TenantContext *made)
{
	StringInfoData buf;
	char		digits[11];

	initStringInfo(&buf);
	dbkit_append_netstring(&buf, made->user_id);
	dbkit_append_netstring(&buf, made->organization_id);
	digits[pg_ultoa_n(made->role, digits)] = '\0';
	dbkit_append_netstring(&buf, digits);
	digits[pg_ultoa_n(made->session_role, digits)] = '\0';
	dbkit_append_netstring(&buf, digits);
	return buf.data;
}

/* Take over the leader's context while a parallel worker starts */
static void
assign_transport(const char *newval, void *extra pg_attribute_unused())
{
	MemoryContext previous;
	char	   *cursor;
	char	   *user_id;
	char	   *organization_id;
	Oid			role;
	Oid			session_role;

	if (!InitializingParallelWorker || newval == NULL || newval[0] == '\0')
		return;

	cursor = pstrdup(newval);
	user_id = dbkit_read_netstring(&cursor);
	organization_id = dbkit_read_netstring(&cursor);
	role = atooid(dbkit_read_netstring(&cursor));
	session_role = atooid(dbkit_read_netstring(&cursor));

	/* It stays, since a worker lives for one transaction of its leader */
	previous = MemoryContextSwitchTo(TopMemoryContext);
	context = make_context(user_id, organization_id, role, session_role);
	MemoryContextSwitchTo(previous);
}

/* Let the hidden setting have a value only in a worker, from its leader */
static bool
check_transport(char **newval, void **extra pg_attribute_unused(),
				GucSource source pg_attribute_unused())
{
	return (*newval)[0] == '\0' || InitializingParallelWorker;
}

/* Bind the transaction to a user and an organization, once it is known that it may be */
void
dbkit_context_enter(const char *user_id, const char *organization_id)
{
	MemoryContext previous = MemoryContextSwitchTo(TopTransactionContext);
	TenantContext *entered = make_context(user_id, organization_id, GetOuterUserId(),
										  GetSessionUserId());

	entered->transport = write_transport(entered);
	MemoryContextSwitchTo(previous);

	/* From here on nothing can fail */
	context = entered;
	empty_transport = transport;
	transport = entered->transport;
}

/* Forget the context, whose memory ends with the transaction */
static void
forget_context(void)
{
	context = NULL;
	transport = empty_transport;
}

static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	if (context == NULL || IsParallelWorker())
		return;

	if (event == XACT_EVENT_PRE_COMMIT)
		dbkit_context_check_role();
	else if (event == XACT_EVENT_PRE_PREPARE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a transaction with a tenant context cannot be prepared")));
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT)
		forget_context();
}

/*
 * Return a value of the context.
 *
 * In a query it is handed out as it is.  Elsewhere it may be the argument of a
 * procedure that commits and so ends the context, which takes a copy.
 */
static inline Datum
return_value(FunctionCallInfo fcinfo, text *value)
{
	if (value == NULL)
		PG_RETURN_NULL();
	if (dbkit_query_depth > 0)
		PG_RETURN_TEXT_P(value);
	PG_RETURN_DATUM(datumCopy(PointerGetDatum(value), false, -1));
}

/* dbkit.user_id(): the user of the entered context, or NULL */
PG_FUNCTION_INFO_V1(dbkit_user_id);
Datum
dbkit_user_id(PG_FUNCTION_ARGS)
{
	return return_value(fcinfo, context ? context->user_id_text : NULL);
}

/* dbkit.organization_id(): the organization of the entered context, or NULL */
PG_FUNCTION_INFO_V1(dbkit_organization_id);
Datum
dbkit_organization_id(PG_FUNCTION_ARGS)
{
	return return_value(fcinfo, context ? context->organization_id_text : NULL);
}

/*
 * Choose what shows that a half of the context is missing: a value that equals
 * no id and can be cast as ids of the other half's kind are.
 */
static const char *
missing_half(text *given)
{
	const char *data = VARDATA_ANY(given);
	int			len = VARSIZE_ANY_EXHDR(given);
	int			ndigits = 0;

	while (ndigits < len && isdigit((unsigned char) data[ndigits]))
		ndigits++;
	return ndigits == len || dbkit_is_prefixed_id(given) ? "" : NIL_UUID;
}

static const char *
show_user(void)
{
	if (context == NULL)
		return "";
	return context->user_id ? context->user_id : missing_half(context->organization_id_text);
}

static const char *
show_organization(void)
{
	if (context == NULL)
		return "";
	return context->organization_id ? context->organization_id : missing_half(context->user_id_text);
}

/* Tell whether a setting shows the context, so that nobody can forge it */
bool
dbkit_context_guards(const char *setting)
{
	return pg_strcasecmp(setting, user_setting) == 0 ||
		pg_strcasecmp(setting, organization_setting) == 0;
}

/* Accept nothing but the empty string, which has no effect */
static bool
check_mirror(char **newval, void **extra pg_attribute_unused(),
			 GucSource source pg_attribute_unused())
{
	if ((*newval)[0] == '\0')
		return true;

	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("the tenant context cannot be changed with a setting");
	GUC_check_errdetail("The settings \"%s\" and \"%s\" show what dbkit.enter was given.",
						user_setting, organization_setting);
	GUC_check_errhint("Call dbkit.enter(user_id, organization_id) inside the transaction.");
	return false;
}

/* Ensure a name of two or more identifiers with dots between, or nothing */
static bool
check_mirror_name(char **newval, void **extra pg_attribute_unused(),
				  GucSource source pg_attribute_unused())
{
	int			parts = 1;
	bool		at_start = true;

	if ((*newval)[0] == '\0')
		return true;
	for (const char *c = *newval; *c; c++)
	{
		bool		letter = isalpha((unsigned char) *c) || *c == '_' || IS_HIGHBIT_SET(*c);

		if (*c == '.' && !at_start)
			parts++;
		else if (!letter && (at_start || !(isdigit((unsigned char) *c) || *c == '$')))
			return false;
		at_start = (*c == '.');
	}
	return parts > 1 && !at_start;
}

static void
define_mirror(const char *name, char **variable, GucShowHook show_hook)
{
	if (name[0] == '\0')
		return;
	DefineCustomStringVariable(name,
							   "Shows the tenant context that dbkit.enter was given.",
							   NULL,
							   variable,
							   "",
							   PGC_USERSET,
							   GUC_DISALLOW_IN_FILE | GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE | DBKIT_SETTING,
							   check_mirror, NULL, show_hook);
}

/*
 * Define the hidden setting that carries the context to parallel workers.
 *
 * Going through guc.c for its value would make dbkit.enter slower than the two
 * set_config() calls it replaces, so only the pointer is changed, which is what
 * SerializeGUCState reads.  That is safe as long as guc.c never has a reason to
 * free or stack the value: PGC_SIGHUP refuses SET, set_config, SET clauses and
 * RESET, RESET ALL passes by, and check_transport refuses the rest.  A source
 * other than the default is what makes guc.c send it at all.
 */
static void
define_transport(void)
{
	DefineCustomStringVariable(TRANSPORT_SETTING,
							   "Carries the tenant context to parallel workers.",
							   NULL,
							   &transport,
							   "",
							   PGC_SIGHUP,
							   GUC_DISALLOW_IN_FILE | GUC_NO_SHOW_ALL | GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE |
							   DBKIT_SETTING,
							   check_transport, assign_transport, NULL);
	SetConfigOption(TRANSPORT_SETTING, "", PGC_SIGHUP, PGC_S_OVERRIDE);
}

void
dbkit_context_init(void)
{
	GucContext	when = process_shared_preload_libraries_in_progress ?
	PGC_POSTMASTER : PGC_SIGHUP;

	DefineCustomStringVariable("dbkit.user_setting",
							   "Name of the setting that shows the tenant context's user.",
							   "Empty for none.",
							   &user_setting,
							   "app.user_id",
							   when, DBKIT_SETTING,
							   check_mirror_name, NULL, NULL);
	DefineCustomStringVariable("dbkit.organization_setting",
							   "Name of the setting that shows the tenant context's organization.",
							   "Empty for none.",
							   &organization_setting,
							   "app.organization_id",
							   when, DBKIT_SETTING,
							   check_mirror_name, NULL, NULL);
	define_transport();
	define_mirror(user_setting, &user_mirror, show_user);
	define_mirror(organization_setting, &organization_mirror, show_organization);

	RegisterXactCallback(at_transaction_event, NULL);
}
