/*-------------------------------------------------------------------------
 *
 * context.c
 *		Tenant context: binds a transaction to one user and organization.
 *
 * The truth is the C variable "context", which only dbkit.enter sets and only
 * the end of the transaction clears.  Two settings mirror it for policies that
 * read current_setting(), see mirror.c.  A third, hidden one exists because
 * settings are what PostgreSQL copies to parallel workers.
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
#include "context/mirror.h"
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

/* The subtransaction that a pushed context ends with */
static SubTransactionId pushed_in = InvalidSubTransactionId;

/* Has anything run since the context was entered? */
static bool used = false;

/* Did another server of the cluster send it? */
static bool forwarded = false;

static char *transport = NULL;
static char *empty_transport = NULL;

/* Tell whether a context is entered */
bool
dbkit_context_is_entered(void)
{
	return context != NULL;
}

/* Tell whether another server of the cluster sent the context that is entered */
bool
dbkit_context_was_forwarded(void)
{
	return forwarded;
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
	dbkit_take_mirrors();
}

/* Let the hidden setting have a value only in a worker, from its leader */
static bool
check_transport(char **newval, void **extra pg_attribute_unused(),
				GucSource source pg_attribute_unused())
{
	return (*newval)[0] == '\0' || InitializingParallelWorker;
}

/* Set the context, which is kept where memory lasts as long as the context does */
static void
set_context(const char *user_id, const char *organization_id, MemoryContext lasting)
{
	MemoryContext previous = MemoryContextSwitchTo(lasting);
	TenantContext *entered = make_context(user_id, organization_id, GetOuterUserId(),
										  GetSessionUserId());

	entered->transport = write_transport(entered);
	MemoryContextSwitchTo(previous);
	dbkit_take_mirrors();

	/* From here on nothing can fail */
	context = entered;
	used = false;
	empty_transport = transport;
	transport = entered->transport;
}

/* Bind the transaction to a user and an organization, once it is known that it may be */
void
dbkit_context_enter(const char *user_id, const char *organization_id)
{
	set_context(user_id, organization_id, TopTransactionContext);
}

/* Likewise for another server of the cluster, which also decides how the transaction ends */
void
dbkit_context_enter_forwarded(const char *user_id, const char *organization_id)
{
	set_context(user_id, organization_id, TopTransactionContext);
	used = true;
	forwarded = true;
}

/*
 * Bind the current subtransaction to a user and an organization.  Its end takes that back,
 * however it ends.  For dbkit's own tests of isolation alone: SQL must not reach it, because
 * what one subtransaction is bound to, the next could leave.
 */
void
dbkit_context_push(const char *user_id, const char *organization_id)
{
	Assert(context == NULL && GetCurrentTransactionNestLevel() > 1);
	pushed_in = GetCurrentSubTransactionId();
	set_context(user_id, organization_id, CurTransactionContext);
	used = true;
}

/* Forget the context, whose memory ends with the transaction */
static void
forget_context(void)
{
	pushed_in = InvalidSubTransactionId;
	if (context == NULL)
		return;
	context = NULL;
	forwarded = false;
	transport = empty_transport;
}

/* Note that something runs for which the context was entered */
void
dbkit_context_use(void)
{
	used = true;
}

/* Say so where the context bound nothing, as outside of a transaction block */
static void
warn_if_unused(void)
{
	if (!used)
		ereport(WARNING,
				(errmsg("the tenant context ends with its transaction, in which nothing ran after dbkit.enter"),
				 errhint("Call dbkit.enter after BEGIN, in the transaction whose statements it is for.")));
}

static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	if (IsParallelWorker())
		return;

	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
	{
		forget_context();
		dbkit_return_mirrors();
	}
	else if (context == NULL)
		return;
	else if (event == XACT_EVENT_PRE_COMMIT || (event == XACT_EVENT_PRE_PREPARE && forwarded))
	{
		dbkit_context_check_role();
		warn_if_unused();
	}
	else if (event == XACT_EVENT_PRE_PREPARE)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a transaction with a tenant context cannot be prepared")));
}

static void
at_subtransaction_event(SubXactEvent event, SubTransactionId subid,
						SubTransactionId parent pg_attribute_unused(),
						void *arg pg_attribute_unused())
{
	if (subid != pushed_in ||
		(event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	forget_context();
	dbkit_return_mirrors();
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
	used = true;
	if (value == NULL)
		PG_RETURN_NULL();
	if (dbkit_query_depth > 0)
		PG_RETURN_TEXT_P(value);
	PG_RETURN_DATUM(datumCopy(PointerGetDatum(value), false, -1));
}

/* The user of the entered context, or NULL */
const char *
dbkit_entered_user(void)
{
	return context ? context->user_id : NULL;
}

/* The organization of the entered context, or NULL */
const char *
dbkit_entered_organization(void)
{
	return context ? context->organization_id : NULL;
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
	used = true;
	if (context == NULL)
		return "";
	return context->user_id ? context->user_id : missing_half(context->organization_id_text);
}

static const char *
show_organization(void)
{
	used = true;
	if (context == NULL)
		return "";
	return context->organization_id ? context->organization_id : missing_half(context->user_id_text);
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
dbkit_context_init(dbkit_reservation reservation)
{
	dbkit_mirror_init(show_user, show_organization, reservation);
	define_transport();

	RegisterXactCallback(at_transaction_event, NULL);
	RegisterSubXactCallback(at_subtransaction_event, NULL);
}
