/*-------------------------------------------------------------------------
 *
 * context_guard.c
 *		Refuse what would leave, outrank or outlive the tenant context.
 *
 * Statements are refused by a table of them.  What can be reached without a
 * statement of its own is refused where it takes effect: a changed role when
 * the next query starts, a temporary object when it has been created.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/objectaddress.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "tcop/pquery.h"
#include "tcop/utility.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "context.h"
#include "common.h"

/* How many queries are running inside each other; none can commit */
int			dbkit_query_depth = 0;

static ProcessUtility_hook_type next_ProcessUtility = NULL;
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
	return ((TransactionStmt *) node)->kind == TRANS_STMT_PREPARE;
}

/* What is refused while a context is entered; no condition means always */
static const struct
{
	NodeTag		tag;
	bool		(*condition) (Node *node);
	const char *what;
	const char *reason;
}			refusals[] =
{
	{T_VariableSetStmt, sets_role, "changing the role", "Policies depend on the role."},
	{T_CreateFunctionStmt, creates_function_with_role, "a function with SET role", "Policies depend on the role."},
	{T_AlterFunctionStmt, alters_function_with_role, "a function with SET role", "Policies depend on the role."},
	{T_AlterRoleSetStmt, NULL, "ALTER ROLE ... SET", "The setting outlives the transaction."},
	{T_AlterDatabaseSetStmt, NULL, "ALTER DATABASE ... SET", "The setting outlives the transaction."},
	{T_DeclareCursorStmt, declares_holdable, "a cursor WITH HOLD", "It would show its rows after the transaction."},
	{T_ListenStmt, NULL, "LISTEN", "It would go on after the transaction."},
	{T_PrepareStmt, NULL, "PREPARE", "The statement outlives the transaction."},
	{T_DiscardStmt, NULL, "DISCARD", "It concerns the whole session."},
	{T_LoadStmt, NULL, "LOAD", "The library outlives the transaction."},
	{T_TruncateStmt, NULL, "TRUNCATE", "It does not obey row level security."},
	{T_TransactionStmt, prepares_transaction, "PREPARE TRANSACTION", "The context ends with the transaction."},
};

static void
refuse(const char *what, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s is not allowed while a tenant context is entered", what),
			 errdetail("%s", reason)));
}

static void
check_statement(Node *node)
{
	for (int i = 0; i < (int) lengthof(refusals); i++)
	{
		if (nodeTag(node) == refusals[i].tag &&
			(refusals[i].condition == NULL || refusals[i].condition(node)))
			refuse(refusals[i].what, refusals[i].reason);
	}

	/* Leave the way out open; a commit checks the role by itself */
	if (!IsA(node, TransactionStmt))
		dbkit_context_check_role();
}

static void
guard_ProcessUtility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
					 ProcessUtilityContext context, ParamListInfo params,
					 QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	if (dbkit_context_is_entered())
		check_statement(pstmt->utilityStmt);
	(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
		(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
}

static void
guard_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	if (dbkit_context_is_entered())
		dbkit_context_check_role();
	(next_ExecutorStart ? next_ExecutorStart : standard_ExecutorStart) (queryDesc, eflags);
}

/*
 * Count queries, and refuse to run a holdable cursor that was declared before
 * the context was entered: its rows would be read, at the latest for the
 * commit, with it.
 */
static void
guard_ExecutorRun(EXECUTOR_RUN_PARAMETERS)
{
	if (dbkit_context_is_entered() && ActivePortal &&
		(ActivePortal->cursorOptions & CURSOR_OPT_HOLD))
		refuse("a cursor WITH HOLD", "It would show its rows after the transaction.");

	/* An error may be caught far above, which no callback could tell the depth of */
	dbkit_query_depth++;
	PG_TRY();
	{
		(next_ExecutorRun ? next_ExecutorRun : standard_ExecutorRun) (EXECUTOR_RUN_ARGUMENTS);
	}
	PG_FINALLY();
	{
		dbkit_query_depth--;
	}
	PG_END_TRY();
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

static void
guard_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (dbkit_context_is_entered())
	{
		if (access == OAT_POST_CREATE && sub_id == 0 && is_temporary(class_id, object_id))
			refuse("a temporary object", "It would hide another of its name after the transaction.");
		if (access == OAT_FUNCTION_EXECUTE)
			dbkit_context_check_role();
	}
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
}

void
dbkit_context_guard_init(void)
{
	next_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = guard_ProcessUtility;
	next_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = guard_ExecutorStart;
	next_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = guard_ExecutorRun;
	next_object_access = object_access_hook;
	object_access_hook = guard_object_access;
}
