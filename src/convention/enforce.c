/*-------------------------------------------------------------------------
 *
 * enforce.c
 *		Reject what breaks the conventions when a statement ends.
 *
 * At the end of each DDL statement the event triggers note what it changed,
 * bring the prefix registry up to date, and judge that by the rules of phase
 * "statement".  commit.c judges by those of phase "commit".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "cluster.h"
#include "common.h"
#include "context/partition.h"
#include "convention/agreement.h"
#include "convention/cases.h"
#include "convention/change/change.h"
#include "convention/changed.h"
#include "convention/commands.h"
#include "convention/commit.h"
#include "convention/create_table.h"
#include "convention/draft/draft.h"
#include "convention/enforce.h"
#include "convention/facts/read.h"
#include "convention/held_locks.h"
#include "convention/instead.h"
#include "convention/levels.h"
#include "convention/like.h"
#include "convention/registry.h"
#include "convention/report.h"
#include "statement_option.h"

/* Is enforcement disabled? */
bool
dbkit_enforcement_is_disabled(void)
{
	return dbkit_is_restoring() || dbkit_nothing_is_enforced() || dbkit_is_trying() || dbkit_serves_cluster();
}

/*
 * Is what the statement does to be looked at when the transaction commits?  While a cluster's
 * software turns one statement into many, a table may have another's name, and lack what comes
 * with the next of them; and another server of the cluster says only then what it was about.
 */
static bool
is_left_to_commit(void)
{
	return dbkit_cluster_is_loaded && dbkit_cluster_is_at_work() &&
		(dbkit_function_runs_statement() || dbkit_is_cluster_connection());
}

/* Was this a restore when the statement began that runs an extension's script? */
static bool restored_with_extension = false;

/*
 * Are changes of tables in use not judged?  They are in an extension's script, for which PostgreSQL
 * turns check_function_bodies off: others wait for what it changes as well.
 */
bool
dbkit_changes_are_disabled(void)
{
	return (creating_extension ? restored_with_extension : dbkit_is_restoring()) ||
		dbkit_nothing_is_enforced() || dbkit_is_trying() || is_left_to_commit();
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
static Concurrency
concurrency(Node *parsetree)
{
	bool		indexed = false;
	ListCell   *lc;

	switch (nodeTag(parsetree))
	{
		case T_IndexStmt:
			indexed = ((IndexStmt *) parsetree)->concurrent;
			break;
		case T_DropStmt:
			indexed = ((DropStmt *) parsetree)->concurrent;
			break;
		case T_ReindexStmt:
			indexed = dbkit_has_option(((ReindexStmt *) parsetree)->params, "concurrently");
			break;
		case T_AlterTableStmt:
			foreach(lc, ((AlterTableStmt *) parsetree)->cmds)
			{
				AlterTableCmd *command = lfirst_node(AlterTableCmd, lc);

				if (command->subtype == AT_DetachPartition &&
					((PartitionCmd *) command->def)->concurrent)
					return CONCURRENTLY_DETACHED;
			}
			break;
		default:
			break;
	}
	return indexed ? CONCURRENTLY_INDEXED : CONCURRENTLY_NOT;
}

/* Bring the prefix registry up to date with a relation, of which these are the facts or NULL. */
static void
update_registry_of(Oid relid, const Facts *facts)
{
	char		relkind = get_rel_relkind(relid);

	if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
		dbkit_registry_update(relid, facts != NULL && facts->kind == KIND_TABLE ? dbkit_facts_prefix(facts) : NULL);
}

/* Bring the prefix registry up to date with what changed. */
static void
update_registry(const List *cases)
{
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Case *one = lfirst(lc);

		if (dbkit_changes_prefix(one->object))
			update_registry_of(one->object->objid, one->facts);
	}
}

/*
 * The same when the transaction commits, of what was left to that: in the order of the changes,
 * so that a table which became a shard gives its prefix to the one that has its name now.
 */
void
dbkit_update_registry_later(const List *objects)
{
	ListCell   *lc;

	foreach(lc, objects)
	{
		const ChangedObject *object = lfirst(lc);

		if (object->later && object->classid == RelationRelationId)
			update_registry_of(object->objid, dbkit_facts(&dbkit_now, RelationRelationId, object->objid, FACT_PREFIX));
	}
}

PG_FUNCTION_INFO_V1(dbkit_ddl_command_start);

/*
 * dbkit.ddl_command_start() returns event_trigger
 *
 * Rejects a change that others would have to wait for on a table larger than
 * dbkit.large_table_size, by the rules of phase "change", before it is made, notes what a
 * CREATE TABLE is made from: a partitioned table by LIKE, a query by AS, and takes a policy
 * that is changed or dropped away from partitions and children.
 */
Datum
dbkit_ddl_command_start(PG_FUNCTION_ARGS)
{
	EventTriggerData *event = check_called_for(fcinfo, "ddl_command_start");

	dbkit_begin_late(event->parsetree);
	dbkit_prepare_policies(event->parsetree);
	dbkit_note_model(event->parsetree);
	dbkit_refresh_agreement();
	if (!creating_extension)
		restored_with_extension = dbkit_is_restoring();
	if (!dbkit_enforcement_is_disabled())
		dbkit_note_query(event->parsetree);
	if (!dbkit_changes_are_disabled())
		dbkit_judge_change(event->parsetree);
	PG_RETURN_NULL();
}

/*
 * Return what the statement is refused or warned for.  Where it made a table and is refused,
 * that includes what COMMIT would demand, and what to write instead has it all, so that nobody
 * writes the table twice.
 */
static List *
judge_statement(const Node *statement, const List *changed, const List *cases, Oid model, char **instead)
{
	List	   *findings = dbkit_judge_cases(cases, SCOPE_STATEMENT);

	if (dbkit_drop_warnings(list_copy(findings)) == NIL)
		return findings;
	if (dbkit_makes_tables(statement) && !OidIsValid(model))
		findings = dbkit_judge_cases(dbkit_read_cases(changed, SCOPE_REFUSED, true, false), SCOPE_REFUSED);
	*instead = dbkit_write_instead(statement, changed, OidIsValid(model) ? SCOPE_STATEMENT : SCOPE_DRAFT);
	return findings;
}

PG_FUNCTION_INFO_V1(dbkit_ddl_command_end);

/*
 * dbkit.ddl_command_end() returns event_trigger
 *
 * Passes on what changed in the row level security of a table to those below it, keeps the
 * prefix registry up to date and rejects what breaks the rules of phase "statement" with
 * SQLSTATE KD001.
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
	Concurrency concurrent = concurrency(event->parsetree);
	bool		bare = !ActiveSnapshotSet();	/* after DETACH ...
												 * CONCURRENTLY */
	bool		later = is_left_to_commit();
	Oid			model;
	List	   *changed;
	List	   *cases;
	List	   *findings = NIL;
	char	   *instead = NULL;

	dbkit_end_late();
	dbkit_pass_on_policies(event->parsetree);
	if (concurrent == CONCURRENTLY_NOT && dbkit_statement_is_covered(event->parsetree))
	{
		dbkit_note_covered_change();
		PG_RETURN_NULL();
	}

	context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	error_context_stack = &callback;
	if (bare)
		PushActiveSnapshot(GetTransactionSnapshot());
	dbkit_refresh_agreement();
	model = dbkit_model_of(event->parsetree);
	dbkit_note_commands(concurrent, model);
	changed = dbkit_changed_by_statement(!dbkit_enforcement_is_disabled(), later);
	cases = later ? NIL : dbkit_read_cases(changed, SCOPE_STATEMENT, !dbkit_enforcement_is_disabled(), true);
	update_registry(cases);
	if (!later && !dbkit_enforcement_is_disabled())
		findings = judge_statement(event->parsetree, changed, cases, model, &instead);
	if (dbkit_is_fixing())
		findings = dbkit_drop_warnings(findings);	/* the statement itself
													 * gave them */
	if (bare)
		PopActiveSnapshot();
	error_context_stack = callback.previous;

	dbkit_report(findings, concurrent == CONCURRENTLY_NOT ? ERROR : WARNING, instead);
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
	foreach(lc, dbkit_note_dropped(concurrency(event->parsetree)))
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
	EventTriggerData *event = check_called_for(fcinfo, "table_rewrite");

	dbkit_note_held_locks();
	dbkit_refresh_agreement();
	if (!dbkit_changes_are_disabled())
		dbkit_judge_rewrite(event->parsetree);
	PG_RETURN_NULL();
}
