/*-------------------------------------------------------------------------
 *
 * forward.c
 *		Take the tenant context along to the other servers of a cluster.
 *
 * The cluster sends SET LOCAL to the servers that have a part in the transaction,
 * also to those that it asks later, and before any savepoint.  So the server where
 * the context is entered sets a setting.  The others never give it to guc.c: the
 * statement is taken out of their hands.  There is no other way to set it, so that
 * no function that a query calls can choose a context.
 *
 * In plain mode the value is the user and the organization.  In signed mode it also
 * says which role entered, when, and in which of its transactions, and is signed with
 * the key, as is the session that the other servers work for.  Who sees such a value
 * could use it on a connection of his own for some time, so none can be seen: it
 * stands behind as many blanks as pg_stat_activity shows of a statement, and the setting by
 * which the cluster shows its client what it sends stays off.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "tcop/utility.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/timestamp.h"

#include "cluster.h"
#include "common.h"
#include "context/context.h"
#include "context/enter.h"
#include "context/forward.h"
#include "context/netstring.h"
#include "context/signature.h"
#include "context/spent.h"

#define FORWARD_SETTING		"dbkit.cluster_context"

/* How long a signed value is good for */
#define SECONDS_OF_VALIDITY	60

/* What a value consists of.  In plain mode it ends before the role. */
enum
{
	PART_USER,
	PART_ORGANIZATION,
	PART_ROLE,
	PART_TIME,
	PART_NONCE,
	PART_SIGNATURE,
	PARTS
};
#define PLAIN_PARTS		PART_ROLE

static char *cluster_context = NULL;

/* Is this server sending its context at this moment? */
static bool forwarding = false;

/* The setting by which the cluster shows the client what is sent to other servers */
static struct config_bool *log_setting = NULL;
static GucBoolCheckHook next_check_log_setting = NULL;

/* The nonce of the signed context that another server sent, 0 for none */
static uint64 received_nonce = 0;

/* Tell whether a SET is the one that sends the context */
bool
dbkit_is_forwarding(void)
{
	return forwarding;
}

/* Compute the signature that is due to a value */
static void
sign_parts(char *const parts[], dbkit_signature_text signature)
{
	char	   *session = psprintf(INT64_FORMAT, dbkit_cluster_session());
	const char *values[] = {
		FORWARD_SETTING,
		get_database_name(MyDatabaseId),
		parts[PART_ROLE],
		parts[PART_USER],
		parts[PART_ORGANIZATION],
		session,
		parts[PART_TIME],
		parts[PART_NONCE]
	};

	dbkit_sign_values(values, lengthof(values), signature);
}

/* Ensure that the client is not shown what is sent from now on, see check_log_setting() */
static void
check_log(void)
{
	if (log_setting != NULL && *log_setting->variable)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" would show the client the tenant context that is sent to other servers", log_setting->gen.name),
				 errhint("It has to be off on all servers.")));
}

/* Write the statement that sends a context */
static char *
write_statement(char *const parts[], int count)
{
	int			hidden = count > PLAIN_PARTS ? pgstat_track_activity_query_size : 1;
	StringInfoData value;

	initStringInfo(&value);
	for (int i = 0; i < count; i++)
		dbkit_append_netstring(&value, parts[i]);
	return psprintf("SET LOCAL " FORWARD_SETTING " =%*s%s", hidden, " ", quote_literal_cstr(value.data));
}

/*
 * Have the cluster send the statement.  It passes no SPI, so that neither the parser nor
 * pg_stat_statements has to do with a text that comes once only.
 */
static void
send_statement(const char *text)
{
	VariableSetStmt *set = makeNode(VariableSetStmt);
	PlannedStmt *planned = makeNode(PlannedStmt);
	A_Const    *empty = makeNode(A_Const);
	int			level = NewGUCNestLevel();

	/* What this server itself sets is nothing */
	empty->val.sval.type = T_String;
	empty->val.sval.sval = "";
	set->kind = VAR_SET_VALUE;
	set->name = FORWARD_SETTING;
	set->args = list_make1(empty);
	set->is_local = true;
	planned->commandType = CMD_UTILITY;
	planned->utilityStmt = (Node *) set;
	planned->stmt_location = -1;

	dbkit_cluster_send_settings();
	forwarding = true;
	PG_TRY();
	{
		ProcessUtility(planned, text, false, PROCESS_UTILITY_QUERY, NULL, NULL, None_Receiver, NULL);
	}
	PG_FINALLY();
	{
		forwarding = false;
	}
	PG_END_TRY();
	AtEOXact_GUC(true, level);
}

/* Send a context to the servers that have or will have a part in the transaction */
void
dbkit_forward_context(const char *user_id, const char *organization_id)
{
	char	   *parts[PARTS] = {unconstify(char *, user_id), unconstify(char *, organization_id)};
	dbkit_nonce_text nonce;
	dbkit_signature_text signature;

	if (!dbkit_cluster_is_at_work())
		return;
	if (dbkit_context_is_signed())
	{
		check_log();
		dbkit_make_nonce(nonce);
		parts[PART_ROLE] = GetUserNameFromId(GetOuterUserId(), false);
		parts[PART_TIME] = psprintf(INT64_FORMAT, GetCurrentTimestamp());
		parts[PART_NONCE] = nonce;
		sign_parts(parts, signature);
		parts[PART_SIGNATURE] = signature;
	}
	if (!IsTransactionBlock() || !dbkit_cluster_queries_open_transactions())
		dbkit_cluster_open_transaction();
	send_statement(write_statement(parts, dbkit_context_is_signed() ? PARTS : PLAIN_PARTS));
}

/* Return the text that a statement gives the setting, or NULL where it is something else */
static A_Const *
sent_value(Node *statement)
{
	VariableSetStmt *set = (VariableSetStmt *) statement;
	A_Const    *value;

	if (set->kind != VAR_SET_VALUE || !set->is_local || pg_strcasecmp(set->name, FORWARD_SETTING) != 0 ||
		list_length(set->args) != 1 || !IsA(linitial(set->args), A_Const))
		return NULL;
	value = linitial_node(A_Const, set->args);
	return !value->isnull && nodeTag(&value->val) == T_String ? value : NULL;
}

/*
 * Is it a statement by which another server sends its context?  Only one that came as a
 * statement of its own may be asked about.
 */
bool
dbkit_is_forwarded_context(Node *statement)
{
	return IsA(statement, VariableSetStmt) && dbkit_is_cluster_connection() && sent_value(statement) != NULL;
}

static void
refuse_value(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("the tenant context that another server of the cluster sent is not valid"),
			 errdetail("%s", reason)));
}

/* Read what another server sent, or what pretends to be that */
static int
read_parts(const char *value, char *parts[])
{
	char	   *cursor = pstrdup(value);
	int			count = 0;

	while (cursor != NULL && *cursor != '\0' && count < PARTS)
		parts[count++] = dbkit_read_netstring(&cursor);
	if (cursor == NULL || *cursor != '\0' || (count != PLAIN_PARTS && count != PARTS))
		refuse_value("It cannot be read.");
	for (int i = PLAIN_PARTS; i < count; i++)
	{
		if (parts[i] == NULL)
			refuse_value("It cannot be read.");
	}
	return count;
}

/* Return a nonce as a number */
static uint64
nonce_number(const char *nonce)
{
	return strtou64(pnstrdup(nonce, 16), NULL, 16);
}

/* Ensure that it was signed in this database, with this server's key, for the session that the connection is for */
static void
check_signature(char *const parts[])
{
	dbkit_signature_text expected;
	TimestampTz time;

	sign_parts(parts, expected);
	if (!dbkit_same_signature(parts[PART_SIGNATURE], expected))
		refuse_value("It must be signed with this server's key, for this database and the session that the connection serves.");

	/* The signature says that all else is of the other server's making */
	time = strtoll(parts[PART_TIME], NULL, 10);
	if (TimestampDifferenceExceeds(time, GetCurrentTimestamp(), SECONDS_OF_VALIDITY * 1000) ||
		TimestampDifferenceExceeds(GetCurrentTimestamp(), time, SECONDS_OF_VALIDITY * 1000))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the tenant context that another server of the cluster sent is more than %d seconds old", SECONDS_OF_VALIDITY),
				 errhint("Use shorter transactions, and let NTP set the clocks of the servers.")));
	if (strcmp(parts[PART_ROLE], GetUserNameFromId(GetOuterUserId(), false)) != 0 && !superuser_arg(GetSessionUserId()))
		refuse_value("It was entered by another role.");
	if (dbkit_is_spent(nonce_number(parts[PART_NONCE]), time))
		refuse_value("It was sent for a transaction that is over, or before this server was started.");
}

/* Ensure that it is signed where there is a key, and only there */
static void
check_mode(int count, int location)
{
	if (count == PARTS && !dbkit_context_is_signed())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tenant context that another server of the cluster sent cannot be checked without a key"),
				 errhint("Set dbkit.context_key_file to the same key on all servers.")));
	if (count == PLAIN_PARTS && dbkit_context_is_signed())
		refuse_value("It is not signed.");
	if (count == PARTS && location < pgstat_track_activity_query_size)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("pg_stat_activity could show the tenant context that another server of the cluster sent"),
				 errhint("Set track_activity_query_size to the same on all servers.")));
}

/* Enter the context that another server sent */
void
dbkit_receive_context(Node *statement)
{
	A_Const    *value = sent_value(statement);
	char	   *parts[PARTS] = {NULL};
	int			count = read_parts(strVal(&value->val), parts);

	dbkit_check_may_enter();
	dbkit_check_context_values(parts[PART_USER], parts[PART_ORGANIZATION]);
	if (!IsTransactionBlock())
		refuse_value("It must be sent in a transaction.");
	check_mode(count, value->location);
	if (count == PARTS)
	{
		check_signature(parts);
		check_log();
		dbkit_restore_session();
	}

	/* This server may ask others in turn */
	send_statement(write_statement(parts, count));
	dbkit_context_enter_forwarded(parts[PART_USER], parts[PART_ORGANIZATION]);
	if (count == PARTS)
		received_nonce = nonce_number(parts[PART_NONCE]);
}

/* Let a context that another server sent not come again once its transaction is over here */
static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	if (received_nonce == 0 || (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE))
		return;
	dbkit_spend(received_nonce);
	received_nonce = 0;
}

/* Let the setting be set by nothing but the statement that sends it, and to nothing */
static bool
check_cluster_context(char **newval, void **extra pg_attribute_unused(),
					  GucSource source pg_attribute_unused())
{
	if ((*newval)[0] == '\0')
		return true;

	GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
	GUC_check_errmsg("the tenant context cannot be changed with a setting");
	GUC_check_errdetail("With \"%s\" a server of the cluster sends it to the others.", FORWARD_SETTING);
	GUC_check_errhint("Call dbkit.enter(user_id, organization_id) inside the transaction.");
	return false;
}

/*
 * Refuse to show a client what is sent, where contexts are signed.  A query sends the context to
 * each server that it is the first to ask, when no hook sees the setting any more; so the setting
 * itself refuses.  Where an administrator has turned it on, check_log() does.
 */
static bool
check_log_setting(bool *newval, void **extra, GucSource source)
{
	if (*newval && source >= PGC_S_CLIENT && !InitializingParallelWorker && dbkit_context_is_signed() && !superuser())
	{
		GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
		GUC_check_errmsg("\"%s\" is not allowed where tenant contexts are signed", log_setting->gen.name);
		GUC_check_errdetail("It would show the context that is sent to other servers.");
		return false;
	}
	return next_check_log_setting == NULL || next_check_log_setting(newval, extra, source);
}

static void
guard_log_setting(void)
{
	struct config_generic *setting = dbkit_find_option(dbkit_cluster_log_setting());

	if (setting == NULL || setting->vartype != PGC_BOOL)
		return;
	log_setting = (struct config_bool *) setting;
	next_check_log_setting = log_setting->check_hook;
	log_setting->check_hook = check_log_setting;
}

void
dbkit_forward_init(void)
{
	if (!dbkit_cluster_is_loaded)
		return;
	DefineCustomStringVariable(FORWARD_SETTING,
							   "Takes the tenant context along to the other servers of a cluster.",
							   NULL,
							   &cluster_context,
							   "",
							   PGC_USERSET,
							   GUC_DISALLOW_IN_FILE | GUC_NO_SHOW_ALL | GUC_NO_RESET_ALL | GUC_NOT_IN_SAMPLE |
							   DBKIT_SETTING,
							   check_cluster_context, NULL, NULL);
	guard_log_setting();
	RegisterXactCallback(at_transaction_event, NULL);
	dbkit_spent_init();
}
