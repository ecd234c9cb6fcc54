/*-------------------------------------------------------------------------
 *
 * enforce.c
 *		Reject DDL that breaks the conventions: the event triggers.
 *
 * At the end of each DDL statement the objects that it created or changed are
 * collected, the prefix registry is brought up to date with them, and the
 * rules of phase "statement" judge them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/deparse_utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "dbkit.h"
#include "enforce.h"
#include "registry.h"
#include "report.h"
#include "rules.h"

static bool enforce = true;

/* What a statement created or changed, each object once */
typedef struct Touched
{
	List	   *relations;		/* OIDs */
	List	   *types;			/* OIDs */
} Touched;

static void touch_relation(Touched *touched, Oid relid);

/* Note a type, and the tables whose columns contain it. */
static void
touch_type(Touched *touched, Oid type)
{
	Relation	depend;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	check_stack_depth();
	if (!OidIsValid(type) || list_member_oid(touched->types, type))
		return;
	touched->types = lappend_oid(touched->types, type);

	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(TypeRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(type));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend dependency = (Form_pg_depend) GETSTRUCT(tuple);

		/* An array, domain, range or multirange of it; or a column */
		if (dependency->classid == TypeRelationId)
			touch_type(touched, dependency->objid);
		else if (dependency->classid == RelationRelationId && dependency->objsubid > 0)
			touch_relation(touched, dependency->objid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/* Note a relation, and what changes with it. */
static void
touch_relation(Touched *touched, Oid relid)
{
	if (list_member_oid(touched->relations, relid))
		return;

	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_COMPOSITE_TYPE:
			touched->relations = lappend_oid(touched->relations, relid);
			touch_type(touched, get_rel_type_id(relid));
			break;
		default:
			return;
	}

	/* ALTER TABLE changes the children with their parent */
	if (get_rel_relkind(relid) == RELKIND_RELATION && has_subclass(relid))
	{
		List	   *children = find_inheritance_children(relid, NoLock);
		ListCell   *lc;

		foreach(lc, children)
			touch_relation(touched, lfirst_oid(lc));
	}
}

/* Note what one command of the statement touched. */
static void
touch_command(Touched *touched, Oid classid, Oid objid, const CollectedCommand *command)
{
	ListCell   *lc;

	/* These change nothing that a rule looks at */
	if (IsA(command->parsetree, CommentStmt) || IsA(command->parsetree, SecLabelStmt))
		return;

	if (classid == TypeRelationId)
		touch_type(touched, objid);
	else if (classid == RelationRelationId)
		touch_relation(touched, objid);

	if (command->type != SCT_AlterTable)
		return;
	foreach(lc, command->d.alterTable.subcmds)
	{
		const CollectedATSubcmd *subcommand = lfirst(lc);

		/* ATTACH and DETACH PARTITION name the partition here */
		if (subcommand->address.classId == RelationRelationId)
			touch_relation(touched, subcommand->address.objectId);
	}
}

/*
 * Call one of PostgreSQL's set-returning event trigger functions and return a
 * slot to read its rows from; the rows live in the current memory context.
 */
static TupleTableSlot *
call_event_function(Oid function, Tuplestorestate **rows)
{
	LOCAL_FCINFO(fcinfo, 0);
	FmgrInfo	flinfo;
	ReturnSetInfo rsinfo = {.type = T_ReturnSetInfo};

	fmgr_info(function, &flinfo);
	rsinfo.econtext = CreateStandaloneExprContext();
	rsinfo.allowedModes = SFRM_Materialize;
	InitFunctionCallInfoData(*fcinfo, &flinfo, 0, InvalidOid, NULL, (Node *) &rsinfo);
	(void) FunctionCallInvoke(fcinfo);
	*rows = rsinfo.setResult;
	return MakeSingleTupleTableSlot(rsinfo.setDesc, &TTSOpsMinimalTuple);
}

/* Return what the statement created or changed. */
static Touched
touched_by_statement(void)
{
	Touched		touched = {NIL, NIL};
	Tuplestorestate *rows;
	TupleTableSlot *slot = call_event_function(F_PG_EVENT_TRIGGER_DDL_COMMANDS, &rows);

	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		const CollectedCommand *command;

		slot_getallattrs(slot);
		if (slot->tts_isnull[0])
			continue;			/* GRANT and ALTER DEFAULT PRIVILEGES */

		/* The last column is the server's description of the command */
		command = (const CollectedCommand *) DatumGetPointer(slot->tts_values[8]);
		if (!command->in_extension)
			touch_command(&touched,
						  DatumGetObjectId(slot->tts_values[0]),
						  DatumGetObjectId(slot->tts_values[1]), command);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
	return touched;
}

/* Read the facts about all that was touched and is ever judged. */
static List *
read_facts(const Touched *touched)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, touched->relations)
	{
		Facts	   *facts = dbkit_facts(RelationRelationId, lfirst_oid(lc));

		if (facts == NULL || facts->kind != KIND_VIEW)
			dbkit_registry_update(lfirst_oid(lc), facts != NULL ? facts->prefix : NULL);
		if (facts != NULL)
			result = lappend(result, facts);
	}
	foreach(lc, touched->types)
	{
		Facts	   *facts = dbkit_facts(TypeRelationId, lfirst_oid(lc));

		if (facts != NULL)
			result = lappend(result, facts);
	}
	return result;
}

/*
 * Does enforcement rest?  pg_dump and pg_restore create tables before their
 * keys and indexes, and both turn check_function_bodies off in every session.
 */
static bool
stands_aside(void)
{
	return !enforce || !check_function_bodies || IsBinaryUpgrade;
}

/* Tell whoever meets an internal error how to go on without us. */
static void
error_context(void *arg)
{
	errcontext("dbkit's event trigger %s, which ALTER EVENT TRIGGER %s DISABLE switches off",
			   (const char *) arg, (const char *) arg);
}

static void
check_called_for(FunctionCallInfo fcinfo, const char *event)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo) ||
		strcmp(((EventTriggerData *) fcinfo->context)->event, event) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.%s\" was not called by an event trigger for %s",
						event, event)));
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
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = error_context,
		.arg = "dbkit_ddl_command_end"
	};
	Judgement	judgement = {NIL};
	MemoryContext context;
	MemoryContext caller;
	Touched		touched;
	List	   *facts;
	ListCell   *lc;

	check_called_for(fcinfo, "ddl_command_end");
	context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	error_context_stack = &callback;

	touched = touched_by_statement();
	facts = read_facts(&touched);
	if (!stands_aside())
	{
		foreach(lc, facts)
			dbkit_judge(&judgement, lfirst(lc));
	}

	error_context_stack = callback.previous;
	dbkit_report(judgement.findings);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_NULL();
}

PG_FUNCTION_INFO_V1(sql_drop);

/*
 * dbkit.sql_drop() returns event_trigger
 *
 * Frees the prefixes of dropped tables.
 */
Datum
sql_drop(PG_FUNCTION_ARGS)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = error_context,
		.arg = "dbkit_sql_drop"
	};
	MemoryContext context;
	MemoryContext caller;
	Tuplestorestate *rows;
	TupleTableSlot *slot;

	check_called_for(fcinfo, "sql_drop");
	context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	error_context_stack = &callback;

	slot = call_event_function(F_PG_EVENT_TRIGGER_DROPPED_OBJECTS, &rows);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		slot_getallattrs(slot);
		if (DatumGetObjectId(slot->tts_values[0]) == RelationRelationId &&
			DatumGetInt32(slot->tts_values[2]) == 0)
			dbkit_registry_update(DatumGetObjectId(slot->tts_values[1]), NULL);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);

	error_context_stack = callback.previous;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_NULL();
}

/* Define the settings of this module. */
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
							 0,
							 NULL, NULL, NULL);
}
