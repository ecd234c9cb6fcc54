/*-------------------------------------------------------------------------
 *
 * enforce.c
 *		Reject what breaks the conventions, when a statement ends and when the
 *		transaction commits.
 *
 * At the end of each DDL statement the event triggers note what it touched,
 * bring the prefix registry up to date, and judge that by the rules of phase
 * "statement".  Just before the transaction commits or is prepared, all that
 * it touched is judged by the rules of phase "commit", on the state as it then
 * is, and what is at level "fix" is mended.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "dbkit.h"
#include "enforce.h"
#include "fix.h"
#include "guard.h"
#include "registry.h"
#include "report.h"
#include "rules.h"
#include "touched.h"

/* Renaming a schema changes all there is in it: the lock table is not as large */
#define MAX_LOCKED		1000

/* A fix may call for another: an index for a key makes another one redundant */
#define MAX_FIX_ROUNDS	2

static bool enforce = true;

/* Do fixes run, until the transaction ends? */
static bool fixing = false;

/*
 * Is this a restore?  pg_dump and pg_restore create tables before their keys,
 * indexes and policies, and both turn check_function_bodies off in every session.
 */
bool
dbkit_is_restoring(void)
{
	return !check_function_bodies || IsBinaryUpgrade;
}

/* Is enforcement disabled? */
static bool
stands_aside(void)
{
	return !enforce || dbkit_is_restoring();
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

/*
 * Keep a relation as it is until the transaction ends: rules look things up that
 * the facts name.  After CREATE INDEX CONCURRENTLY nothing is locked any more.
 * An index stands for its table, which only the end of the transaction judges.
 */
static void
lock_object(const Touched *object, FactsExtent extent)
{
	Oid			relid = object->objid;
	Oid			table;

	if (object->classid != RelationRelationId)
		return;
	table = dbkit_is_index(relid) ? IndexGetRelation(relid, true) : InvalidOid;
	if (OidIsValid(table))
	{
		if (extent == FACTS_STATEMENT)
			return;
		relid = table;
	}
	if (!is_locked(relid))
		LockRelationOid(relid, AccessShareLock);
}

/* Read the facts about what was touched and is ever judged. */
static List *
read_facts(const List *touched, FactsExtent extent)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, touched)
	{
		const Touched *object = lfirst(lc);
		Facts	   *facts;

		if (dbkit_is_index_of_touched(object))
			continue;			/* is judged with its table */
		if (list_length(touched) <= MAX_LOCKED)
			lock_object(object, extent);
		facts = dbkit_facts(object->classid, object->objid, extent);
		if (facts == NULL)
			continue;
		facts->detached = object->detached;
		result = lappend(result, facts);
	}
	return result;
}

/* Bring the prefix registry up to date with what was touched. */
static void
update_registry(const List *touched, const List *facts)
{
	const ListCell *next = list_head(facts);
	ListCell   *lc;

	foreach(lc, touched)
	{
		const Touched *object = lfirst(lc);
		const Facts *own = NULL;
		char		relkind;

		/* The facts are in the same order, but there are none on some objects */
		if (next != NULL && ((Facts *) lfirst(next))->classid == object->classid &&
			((Facts *) lfirst(next))->objid == object->objid)
		{
			own = lfirst(next);
			next = lnext(facts, next);
		}
		if (object->classid != RelationRelationId)
			continue;
		relkind = get_rel_relkind(object->objid);
		if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
			dbkit_registry_update(object->objid, own != NULL ? own->prefix : NULL);
	}
}

/* Return what breaks the rules of a scope. */
static List *
judge_all(const List *facts, JudgeScope scope)
{
	Judgement	judgement = {NIL};
	ListCell   *lc;

	foreach(lc, facts)
		dbkit_judge(&judgement, lfirst(lc), scope);
	return judgement.findings;
}

/* Drop what there would be no more than a warning of. */
static List *
drop_warnings(List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (((Finding *) lfirst(lc))->rule->level == LEVEL_WARNING)
			findings = foreach_delete_current(findings, lc);
	}
	return findings;
}

PG_FUNCTION_INFO_V1(ddl_command_start);

/*
 * dbkit.ddl_command_start() returns event_trigger
 *
 * Rejects a CREATE INDEX that blocks writes to a table larger than
 * dbkit.max_blocking_index_size, by the rule blocking_index, before it does so.
 */
Datum
ddl_command_start(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = check_called_for(fcinfo, "ddl_command_start");

	if (!stands_aside())
		dbkit_report(dbkit_guard_index(event->parsetree), ERROR, NULL);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(ddl_command_end);

/*
 * dbkit.ddl_command_end() returns event_trigger
 *
 * Keeps the prefix registry up to date and rejects what breaks the rules of
 * phase "statement" with SQLSTATE KD001.
 */
Datum
ddl_command_end(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = check_called_for(fcinfo, "ddl_command_end");
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = error_context,
		.arg = "dbkit_ddl_command_end"
	};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	bool		concurrent = is_concurrent(event->parsetree);
	bool		bare = !ActiveSnapshotSet();	/* after DETACH ... CONCURRENTLY */
	List	   *touched;
	List	   *facts;
	List	   *findings = NIL;

	error_context_stack = &callback;
	if (bare)
		PushActiveSnapshot(GetTransactionSnapshot());
	dbkit_touch_commands(concurrent);
	touched = dbkit_touched_by_statement(!stands_aside());
	facts = read_facts(touched, FACTS_STATEMENT);
	update_registry(touched, facts);
	if (!stands_aside())
		findings = judge_all(facts, SCOPE_STATEMENT);
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

PG_FUNCTION_INFO_V1(sql_drop);

/*
 * dbkit.sql_drop() returns event_trigger
 *
 * Frees the prefixes of dropped tables, and notes the tables that something
 * was dropped from; ddl_command_end comes after it and judges those.
 */
Datum
sql_drop(PG_FUNCTION_ARGS)
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

	error_context_stack = &callback;
	dbkit_touch_dropped(is_concurrent(event->parsetree));
	error_context_stack = callback.previous;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(table_rewrite);

/*
 * dbkit.table_rewrite() returns event_trigger
 *
 * Rejects an ALTER that rewrites a table larger than dbkit.max_rewrite_size,
 * by the rule table_rewrite, before it does so.
 */
Datum
table_rewrite(PG_FUNCTION_ARGS)
{
	check_called_for(fcinfo, "table_rewrite");
	if (!stands_aside())
		dbkit_report(dbkit_guard_rewrite(), ERROR, NULL);
	PG_RETURN_NULL();
}

/* Judge what the transaction touched, and mend what is at level "fix". */
static void
judge_transaction(void)
{
	List	   *touched = dbkit_touched_by_transaction();
	List	   *findings;
	ListCell   *lc;
	bool		concurrent = false;

	foreach(lc, touched)
		concurrent |= ((Touched *) lfirst(lc))->concurrently;

	findings = judge_all(read_facts(touched, FACTS_ALL), SCOPE_COMMIT);
	fixing = true;
	for (int round = 0; !concurrent && round < MAX_FIX_ROUNDS && dbkit_run_fixes(findings); round++)
		findings = judge_all(read_facts(dbkit_touched_by_transaction(), FACTS_ALL), SCOPE_COMMIT);

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
	if (!dbkit_transaction_touched() || stands_aside())
		return;
	if (!OidIsValid(get_extension_oid("dbkit", true)))
		return;					/* dropped by this transaction */

	context = AllocSetContextCreate(TopTransactionContext, "dbkit enforcement",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetTransactionSnapshot());
	judge_transaction();
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Define the settings of this module and watch transactions end. */
void
dbkit_enforce_init(void)
{
	/* For a migration that cannot wait, or a database that is not ready yet. */
	DefineCustomBoolVariable("dbkit.enforce",
							 "Rejects DDL that breaks the schema conventions.",
							 "Ids, triggers, locks and dbkit.check() work regardless.",
							 &enforce,
							 true,
							 PGC_SUSET,
							 DBKIT_SETTING,
							 NULL, NULL, NULL);

	dbkit_rows_init();
	dbkit_touched_init();
	dbkit_guard_init();
	RegisterXactCallback(at_transaction_event, NULL);
}
