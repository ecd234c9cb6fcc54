/*-------------------------------------------------------------------------
 *
 * enforce.c
 *		Reject what breaks the conventions, when a statement ends and when the
 *		transaction commits.
 *
 * At the end of each DDL statement the event triggers note what it changed,
 * bring the prefix registry up to date, and judge that by the rules of phase
 * "statement".  Just before the transaction commits or is prepared, all that
 * it changed is judged by the rules of phase "commit", on the state as it then
 * is, and what is at level "fix" is fixed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "convention/facts/read.h"
#include "convention/agreed_names.h"
#include "convention/agreement.h"
#include "convention/changed.h"
#include "convention/commands.h"
#include "convention/enforce.h"
#include "convention/fix.h"
#include "convention/judge.h"
#include "convention/levels.h"
#include "convention/registry.h"
#include "convention/report.h"
#include "convention/rules/size_limits.h"

/* Renaming a schema changes all there is in it: the lock table is not as large */
#define MAX_LOCKED		1000

/* A fix may call for another: an index for a key makes another one redundant */
#define MAX_FIX_ROUNDS	2

/* Do fixes run, until the transaction ends? */
static bool fixing = false;

/* Is enforcement disabled? */
static bool
is_disabled(void)
{
	return dbkit_is_restoring() || dbkit_nothing_is_enforced();
}

/* Tell whoever meets an internal error how to go on without us. */
static void
error_context(void *arg)
{
	errcontext("dbkit's event trigger %s, which ALTER EVENT TRIGGER %s DISABLE switches off",
			   (const char *) arg, (const char *) arg);
}

/* Check that we are called for an event, and return its data. */
static EventTriggerData *
check_called_for(FunctionCallInfo fcinfo, const char *event)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) ||
		strcmp(((EventTriggerData *) fcinfo->context)->event, event) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.%s\" was not called by an event trigger for %s",
						event, event)));
	return (EventTriggerData *) fcinfo->context;
}

/*
 * Is the statement done in several transactions?  Then an error at its end
 * would leave it half done.
 */
static bool
is_concurrent(Node *parsetree)
{
	ListCell   *lc;

	switch (nodeTag(parsetree))
	{
		case T_IndexStmt:
			return ((IndexStmt *) parsetree)->concurrent;
		case T_DropStmt:
			return ((DropStmt *) parsetree)->concurrent;
		case T_ReindexStmt:
			foreach(lc, ((ReindexStmt *) parsetree)->params)
			{
				if (strcmp(lfirst_node(DefElem, lc)->defname, "concurrently") == 0)
					return true;
			}
			return false;
		case T_AlterTableStmt:
			foreach(lc, ((AlterTableStmt *) parsetree)->cmds)
			{
				AlterTableCmd *command = lfirst_node(AlterTableCmd, lc);

				if (command->subtype == AT_DetachPartition &&
					((PartitionCmd *) command->def)->concurrent)
					return true;
			}
			return false;
		default:
			return false;
	}
}

/* Does the transaction hold a lock on the relation that keeps it as it is? */
static bool
is_locked(Oid relid)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	for (LOCKMODE mode = AccessShareLock; mode <= AccessExclusiveLock; mode++)
	{
		if (dbkit_lock_held_by_me(&tag, mode))
			return true;
	}
	return false;
}

/* Can the prefix of the table's ids be another one now? */
static bool
changes_prefix(const ChangedObject *object)
{
	return object->classid == RelationRelationId &&
		((object->change.added | object->change.changed) & FACT_PREFIX) != 0;
}

/*
 * Keep a relation as it is until the transaction ends: rules look things up that
 * the facts name.  After CREATE INDEX CONCURRENTLY nothing is locked any more.  Nobody
 * is waited for: a stranger's table may have a column of this one's row type.
 */
static void
lock_object(const ChangedObject *object)
{
	if (object->classid == RelationRelationId && !is_locked(object->objid))
		(void) ConditionalLockRelationOid(object->objid, AccessShareLock);
}

/* What is judged of one object: the facts, NULL where there is nothing to judge, and the change */
typedef struct Case
{
	const ChangedObject *object;
	Facts	   *facts;
} Case;

/*
 * Read the facts about objects that the rules of a scope, and the prefix registry
 * when a statement ends, ask for.  What can break no rule is not even looked at.
 */
static List *
read_cases(const List *objects, JudgeScope scope, bool registry)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, objects)
	{
		const ChangedObject *object = lfirst(lc);
		FactSet		wanted = is_disabled() ? 0 : dbkit_facts_to_read(scope, object->change);
		Case	   *one;

		if (registry)
			dbkit_touch_baseline(object->classid, object->objid);
		if (registry && changes_prefix(object))
			wanted |= FACT_PREFIX;
		if (wanted == 0)
			continue;
		if (list_length(objects) <= MAX_LOCKED)
			lock_object(object);
		one = palloc(sizeof(Case));
		one->object = object;
		one->facts = dbkit_facts(object->classid, object->objid, wanted);
		if (one->facts != NULL)
		{
			one->facts->detached = object->detached;
			one->facts->index = object->index;
		}
		result = lappend(result, one);
	}
	return result;
}

/* Bring the prefix registry up to date with what changed. */
static void
update_registry(const List *cases)
{
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Case *one = lfirst(lc);
		char		relkind = changes_prefix(one->object) ? get_rel_relkind(one->object->objid) : '\0';

		if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
			dbkit_registry_update(one->object->objid,
								  one->facts != NULL ? dbkit_facts_prefix(one->facts) : NULL);
	}
}

/* Return what breaks the rules of a scope. */
static List *
judge_all(const List *cases, JudgeScope scope)
{
	Judgement	judgement = {NIL};
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Case *one = lfirst(lc);

		if (one->facts != NULL)
			dbkit_judge(&judgement, one->facts, scope, one->object->change);
	}
	return judgement.findings;
}

/* Drop what there would be no more than a warning of. */
static List *
drop_warnings(List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (((Finding *) lfirst(lc))->level == LEVEL_WARNING)
			findings = foreach_delete_current(findings, lc);
	}
	return findings;
}

PG_FUNCTION_INFO_V1(dbkit_ddl_command_start);

/*
 * dbkit.ddl_command_start() returns event_trigger
 *
 * Rejects a CREATE INDEX that blocks writes to a table larger than
 * dbkit.large_table_size, by the rule blocking_index, before it does so.
 */
Datum
dbkit_ddl_command_start(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = check_called_for(fcinfo, "ddl_command_start");

	if (!is_disabled())
	{
		dbkit_refresh_agreement();
		dbkit_report(dbkit_judge_index_build(event->parsetree), ERROR, NULL);
	}
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(dbkit_ddl_command_end);

/*
 * dbkit.ddl_command_end() returns event_trigger
 *
 * Keeps the prefix registry up to date and rejects what breaks the rules of
 * phase "statement" with SQLSTATE KD001.
 */
Datum
dbkit_ddl_command_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = check_called_for(fcinfo, "ddl_command_end");
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = error_context,
		.arg = "dbkit_ddl_command_end"
	};
	MemoryContext context;
	MemoryContext caller;
	bool		concurrent = is_concurrent(event->parsetree);
	bool		bare = !ActiveSnapshotSet();	/* after DETACH ...
												 * CONCURRENTLY */
	List	   *cases;
	List	   *findings = NIL;

	if (!concurrent && dbkit_statement_is_covered(event->parsetree))
		PG_RETURN_NULL();

	context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	error_context_stack = &callback;
	if (bare)
		PushActiveSnapshot(GetTransactionSnapshot());
	dbkit_refresh_agreement();
	dbkit_note_commands(concurrent);
	cases = read_cases(dbkit_changed_by_statement(!is_disabled()), SCOPE_STATEMENT, true);
	update_registry(cases);
	if (!is_disabled())
		findings = judge_all(cases, SCOPE_STATEMENT);
	if (fixing)
		findings = drop_warnings(findings); /* the statement itself gave them */
	if (bare)
		PopActiveSnapshot();
	error_context_stack = callback.previous;

	dbkit_report(findings, concurrent ? WARNING : ERROR, NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(dbkit_sql_drop);

/*
 * dbkit.sql_drop() returns event_trigger
 *
 * Frees the prefixes of dropped tables, and notes the tables that something
 * was dropped from; ddl_command_end comes after it and judges those.
 */
Datum
dbkit_sql_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = check_called_for(fcinfo, "sql_drop");
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = error_context,
		.arg = "dbkit_sql_drop"
	};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	ListCell   *lc;

	error_context_stack = &callback;
	dbkit_refresh_agreement();
	foreach(lc, dbkit_note_dropped(is_concurrent(event->parsetree)))
		dbkit_registry_update(lfirst_oid(lc), NULL);
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(dbkit_table_rewrite);

/*
 * dbkit.table_rewrite() returns event_trigger
 *
 * Rejects an ALTER that rewrites a table larger than dbkit.large_table_size,
 * by the rule table_rewrite, before it does so.
 */
Datum
dbkit_table_rewrite(PG_FUNCTION_ARGS)
{
	check_called_for(fcinfo, "table_rewrite");
	if (!is_disabled())
	{
		dbkit_refresh_agreement();
		dbkit_report(dbkit_judge_rewrite(), ERROR, NULL);
	}
	PG_RETURN_NULL();
}

/* Return what the transaction changed that breaks the rules of phase "commit". */
static List *
judge_changed(const List *objects)
{
	return judge_all(read_cases(objects, SCOPE_COMMIT, false), SCOPE_COMMIT);
}

/* Judge what the transaction changed, and fix what is at level "fix". */
static void
judge_transaction(void)
{
	List	   *objects = dbkit_changed_by_transaction();
	List	   *findings;
	ListCell   *lc;
	bool		concurrent = false;

	foreach(lc, objects)
		concurrent |= ((ChangedObject *) lfirst(lc))->concurrently;

	findings = judge_changed(objects);
	fixing = true;
	for (int round = 0; !concurrent && round < MAX_FIX_ROUNDS && dbkit_run_fixes(findings); round++)
		findings = judge_changed(dbkit_changed_by_transaction());

	dbkit_report(findings, concurrent ? WARNING : ERROR,
				 IsTransactionBlock() ? NULL :
				 "Create the table, its trigger, index and policy in one transaction.");
}

/* Judge before it is too late to raise an error. */
static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	MemoryContext context;
	MemoryContext caller;

	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
	{
		fixing = false;
		return;
	}
	if (!dbkit_transaction_changed() || is_disabled())
		return;
	if (!OidIsValid(get_extension_oid("dbkit", true)))
		return;					/* dropped by this transaction */

	context = AllocSetContextCreate(TopTransactionContext, "dbkit enforcement",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetTransactionSnapshot());
	dbkit_refresh_agreement();
	judge_transaction();
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Watch transactions end. */
void
dbkit_enforce_init(void)
{
	RegisterXactCallback(at_transaction_event, NULL);
}
