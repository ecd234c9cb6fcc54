/*-------------------------------------------------------------------------
 *
 * guard.c
 *		Refuse what would leave, outrank or outlive the tenant context.
 *
 * Statements are refused by a table of them.  What can be reached without a
 * statement of its own is refused where it takes effect: a changed role when
 * the next query starts, a temporary object when it has been created, and what
 * an earlier request left on the connection when a signed context is entered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/objectaddress.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "cluster.h"
#include "common.h"
#include "context/context.h"
#include "context/forward.h"
#include "context/guard.h"
#include "context/mirror.h"
#include "context/signature.h"

static ProcessUtility_hook_type next_ProcessUtility = NULL;
static planner_hook_type next_planner = NULL;
static ExecutorStart_hook_type next_ExecutorStart = NULL;
static ExecutorRun_hook_type next_ExecutorRun = NULL;
static object_access_hook_type next_object_access = NULL;

/* Tell whether a SET or RESET is about the role; RESET ALL has no name */
static bool
sets_role(Node *node)
{
	VariableSetStmt *set = (VariableSetStmt *) node;

	return set->name != NULL &&
		(pg_strcasecmp(set->name, "role") == 0 ||
		 pg_strcasecmp(set->name, "session_authorization") == 0);
}

static bool
sets_on_other_servers(Node *node)
{
	return dbkit_settings_are_sent(((VariableSetStmt *) node)->name) && !dbkit_is_forwarding();
}

static bool
any_option_sets_role(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "set") == 0 && sets_role(option->arg))
			return true;
	}
	return false;
}

static bool
creates_function_with_role(Node *node)
{
	return any_option_sets_role(((CreateFunctionStmt *) node)->options);
}

static bool
alters_function_with_role(Node *node)
{
	return any_option_sets_role(((AlterFunctionStmt *) node)->actions);
}

static bool
declares_holdable(Node *node)
{
	return (((DeclareCursorStmt *) node)->options & CURSOR_OPT_HOLD) != 0;
}

static bool
prepares_transaction(Node *node)
{
	return ((TransactionStmt *) node)->kind == TRANS_STMT_PREPARE && !dbkit_context_was_forwarded();
}

static bool
renames_role(Node *node)
{
	return ((RenameStmt *) node)->renameType == OBJECT_ROLE;
}

/*
 * Tell whether the current role manages no roles; it can still change its own
 * password and settings, which an application's role has no business to.
 */
static bool
manages_no_roles(Node *node pg_attribute_unused())
{
	return !has_createrole_privilege(GetUserId());
}

static bool
in_context(void)
{
	return dbkit_context_is_entered();
}

static bool
in_signed_context(void)
{
	return dbkit_context_is_entered() && dbkit_context_is_signed();
}

static bool
in_signed_mode(void)
{
	return dbkit_context_is_signed() && !superuser();
}

#define ROLE_REASON		"Policies depend on the role."
#define SETTING_REASON	"The setting outlives the transaction."
#define EXPLAIN_REASON	"The planner's estimates come from the rows of all tenants."
#define LATER_REASON	"It concerns the requests that come later on this connection."

/* What is refused, and when; no condition means always */
static const struct
{
	NodeTag		tag;
	bool		(*when) (void);
	bool		(*condition) (Node *node);
	const char *what;
	const char *reason;
}			refusals[] =

{
	{T_VariableSetStmt, in_context, sets_role, "changing the role", ROLE_REASON},
	{T_VariableSetStmt, in_context, sets_on_other_servers, "SET on other servers of the cluster", "The text of the statement runs there, too, where the context does not hold."},
	{T_CreateFunctionStmt, in_context, creates_function_with_role, "a function with SET role", ROLE_REASON},
	{T_AlterFunctionStmt, in_context, alters_function_with_role, "a function with SET role", ROLE_REASON},
	{T_AlterRoleSetStmt, in_context, NULL, "ALTER ROLE ... SET", SETTING_REASON},
	{T_AlterDatabaseSetStmt, in_context, NULL, "ALTER DATABASE ... SET", SETTING_REASON},
	{T_AlterRoleStmt, in_context, NULL, "ALTER ROLE", ROLE_REASON},
	{T_RenameStmt, in_context, renames_role, "ALTER ROLE", ROLE_REASON},
	{T_CreateRoleStmt, in_context, NULL, "CREATE ROLE", ROLE_REASON},
	{T_DropRoleStmt, in_context, NULL, "DROP ROLE", ROLE_REASON},
	{T_GrantRoleStmt, in_context, NULL, "GRANT or REVOKE of a role", ROLE_REASON},
	{T_DeclareCursorStmt, in_context, declares_holdable, "a cursor WITH HOLD", "It would show its rows after the transaction."},
	{T_ListenStmt, in_context, NULL, "LISTEN", "It would go on after the transaction."},
	{T_PrepareStmt, in_context, NULL, "PREPARE", "The statement outlives the transaction."},
	{T_DeallocateStmt, in_signed_context, NULL, "DEALLOCATE", LATER_REASON},
	{T_DiscardStmt, in_context, NULL, "DISCARD", "It concerns the whole session."},
	{T_LoadStmt, in_context, NULL, "LOAD", "The library outlives the transaction."},
	{T_TruncateStmt, in_context, NULL, "TRUNCATE", "It does not obey row level security."},
	{T_ExplainStmt, in_context, NULL, "EXPLAIN", EXPLAIN_REASON},
	{T_TransactionStmt, in_context, prepares_transaction, "PREPARE TRANSACTION", "The context ends with the transaction."},

	{T_VariableSetStmt, in_signed_mode, sets_on_other_servers, "SET on other servers of the cluster", "What else stands in the text of the statement runs there, too, and could be a context that was entered before."},

	/* A named statement of the application's driver could be replaced */
	{T_PrepareStmt, in_signed_mode, NULL, "PREPARE", LATER_REASON},
	{T_AlterRoleSetStmt, in_signed_mode, manages_no_roles, "ALTER ROLE ... SET", LATER_REASON},
	{T_AlterRoleStmt, in_signed_mode, manages_no_roles, "ALTER ROLE", LATER_REASON},
};

/* Refuse something, and say whether it is the context that refuses it */
static void
refuse(const char *what, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 dbkit_context_is_entered() ?
			 errmsg("%s is not allowed while a tenant context is entered", what) :
			 errmsg("%s is not allowed where tenant contexts are signed", what),
			 errdetail("%s", reason)));
}

/* Refuse something that a tenant's query could call on another server */
static void
refuse_between_servers(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s is not allowed on a connection that another server of the cluster opened", what),
			 errdetail("A tenant's query could lead out of its context by it.")));
}

/*
 * Refuse what begins, ends or prepares a transaction from within a query, which a function in C
 * can do, as some of a cluster do with a statement that they are given.  On a connection between
 * servers the query may be a tenant's also where no context is entered: in a transaction block
 * that is not the other server's, it could take over a transaction.
 */
static void
check_transaction_control(void)
{
	static const char what[] = "transaction control from within a query";

	if (dbkit_context_is_entered())
		refuse(what, "The context would end, and the query go on.");
	if (dbkit_is_cluster_connection())
		refuse_between_servers(what);
}

static void
check_statement(Node *node)
{
	for (int i = 0; i < (int) lengthof(refusals); i++)
	{
		if (nodeTag(node) == refusals[i].tag && refusals[i].when() &&
			(refusals[i].condition == NULL || refusals[i].condition(node)))
			refuse(refusals[i].what, refusals[i].reason);
	}

	/* Leave the way out open; a commit checks the role by itself */
	if (dbkit_context_is_entered() && !IsA(node, TransactionStmt))
		dbkit_context_check_role();
}

static void
guard_ProcessUtility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
					 ProcessUtilityContext context, ParamListInfo params,
					 QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	const bool	entered = dbkit_context_is_entered();

	dbkit_follow_reservation(entered);
	if (context == PROCESS_UTILITY_TOPLEVEL && dbkit_is_forwarded_context(pstmt->utilityStmt))
	{
		dbkit_receive_context(pstmt->utilityStmt);
		return;
	}
	if (context != PROCESS_UTILITY_TOPLEVEL && IsA(pstmt->utilityStmt, TransactionStmt))
		check_transaction_control();
	if (entered || dbkit_context_is_signed())
		check_statement(pstmt->utilityStmt);
	if (entered && !IsA(pstmt->utilityStmt, TransactionStmt))
		dbkit_context_use();
	(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
		(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
}

static void
guard_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	const bool	entered = dbkit_context_is_entered();

	dbkit_follow_reservation(entered);
	if (entered)
	{
		dbkit_context_check_role();
		dbkit_context_use();
	}
	(next_ExecutorStart ? next_ExecutorStart : standard_ExecutorStart) (queryDesc, eflags);
}

/*
 * Refuse to plan where debug_print_plan would send the client what EXPLAIN shows,
 * and to enter meanwhile, as a function that is called for a constant may.
 */
static PlannedStmt *
guard_planner(Query *parse, const char *query_string, int cursorOptions, ParamListInfo params)
{
	const bool	entered = dbkit_context_is_entered();
	PlannedStmt *plan;

	if (entered && Debug_print_plan)
		refuse("debug_print_plan", EXPLAIN_REASON);
	plan = (next_planner ? next_planner : standard_planner) (parse, query_string, cursorOptions, params);
	if (!entered && dbkit_context_is_entered())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a tenant context cannot be entered while a query is planned"),
				 errhint("Call dbkit.enter in a statement of its own, and not in a function that is IMMUTABLE or STABLE.")));
	return plan;
}

/*
 * Count queries, and refuse to run a holdable cursor that was declared before
 * the context was entered: its rows would be read, at the latest for the
 * commit, with it.
 */
static void
guard_ExecutorRun(EXECUTOR_RUN_PARAMETERS)
{
	const int	held = ActivePortal && (ActivePortal->cursorOptions & CURSOR_OPT_HOLD) ? 1 : 0;

	if (held && dbkit_context_is_entered())
		refuse("a cursor WITH HOLD", "It would show its rows after the transaction.");

	/*
	 * An error may be caught far above, which no callback could tell the
	 * depth of
	 */
	dbkit_query_depth++;
	dbkit_held_cursor_depth += held;
	PG_TRY();
	{
		(next_ExecutorRun ? next_ExecutorRun : standard_ExecutorRun) (EXECUTOR_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		dbkit_query_depth--;
		dbkit_held_cursor_depth -= held;
	}
	PG_END_TRY();
}

/*
 * Is there a context that a temporary object would outlive?  On a connection between servers it
 * would be there for those of later requests, as no client can drop it.
 */
static bool
outlives_request(void)
{
	return dbkit_context_is_entered() || (dbkit_is_cluster_connection() && in_signed_mode());
}

/* Tell whether an object that was just created is in the temporary schema */
static bool
is_temporary(Oid class_id, Oid object_id)
{
	AttrNumber	attnum;
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		temporary = false;

	if (!is_objectclass_supported(class_id))
		return false;
	attnum = get_object_attnum_namespace(class_id);
	if (attnum == InvalidAttrNumber)
		return false;

	/* The row is of this very command, which no other snapshot shows yet */
	catalog = table_open(class_id, AccessShareLock);
	ScanKeyInit(&key, get_object_attnum_oid(class_id),
				BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object_id));
	scan = systable_beginscan(catalog, get_object_oid_index(class_id), true,
							  SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		schema = heap_getattr(tuple, attnum, RelationGetDescr(catalog), &isnull);

		temporary = !isnull && isTempNamespace(DatumGetObjectId(schema));
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return temporary;
}

/*
 * Refuse a function that leads to other connections, where the context does not hold.  One that a
 * query calls on another server does not know whether there is a context where the query came from.
 */
static void
check_function_of_cluster(Oid function)
{
	if ((dbkit_context_is_entered() || in_signed_mode()) && dbkit_runs_elsewhere(function))
		refuse(get_func_name(function), "It runs on another connection, where the context does not hold.");
	if (dbkit_context_is_entered() && dbkit_shows_plans(function))
		refuse(get_func_name(function), EXPLAIN_REASON);
	if (dbkit_takes_over_transaction(function) &&
		(dbkit_is_cluster_connection() ? !IsTransactionBlock() : dbkit_context_is_entered() || in_signed_mode()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("%s is for the servers of the cluster", get_func_name(function)),
				 errdetail("A tenant's query could read by it what another tenant's transaction keeps for later queries.")));
	if (dbkit_is_cluster_connection() && !dbkit_serves_cluster() && dbkit_runs_elsewhere(function))
		refuse_between_servers(get_func_name(function));
}

static void
guard_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	/* A function that is called by the protocol passes no other hook */
	if (access == OAT_FUNCTION_EXECUTE)
		dbkit_follow_reservation(dbkit_context_is_entered());
	if (access == OAT_FUNCTION_EXECUTE && dbkit_context_is_entered())
		dbkit_context_check_role();
	if (access == OAT_POST_CREATE && sub_id == 0 && outlives_request() && is_temporary(class_id, object_id))
		refuse("a temporary object", "It would hide another of its name after the transaction.");
	if (access == OAT_FUNCTION_EXECUTE && dbkit_cluster_is_loaded)
		check_function_of_cluster(object_id);
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
}

void
dbkit_guard_init(void)
{
	next_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = guard_ProcessUtility;
	next_planner = planner_hook;
	planner_hook = guard_planner;
	next_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = guard_ExecutorStart;
	next_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = guard_ExecutorRun;
	next_object_access = object_access_hook;
	object_access_hook = guard_object_access;
}
