/*-------------------------------------------------------------------------
 *
 * commands.c
 *		Which objects the commands of a statement changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/deparse_utility.h"
#include "utils/aclchk_internal.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "context/partition.h"
#include "convention/agreed_names.h"
#include "convention/changed.h"
#include "convention/command_change.h"
#include "convention/commands.h"
#include "convention/judge.h"
#include "convention/listed_names.h"
#include "convention/rules/rules.h"

/* What belongs to a table: where its catalog says to which, and which facts it is */
static const struct
{
	Oid			classid;
	Oid			catalog;
	Oid			index;
	AttrNumber	key;
	AttrNumber	owner;
	FactSet		facts;
}			belongings[] = {

	{ConstraintRelationId, ConstraintRelationId, ConstraintOidIndexId,
		Anum_pg_constraint_oid, Anum_pg_constraint_conrelid,
	FACT_KEY | FACT_CHECKS | FACT_FOREIGN_KEYS | FACT_UNVALIDATED | FACT_INDEXES | FACT_COLUMNS},
	{TriggerRelationId, TriggerRelationId, TriggerOidIndexId,
	Anum_pg_trigger_oid, Anum_pg_trigger_tgrelid, FACT_TRIGGERS},
	{PolicyRelationId, PolicyRelationId, PolicyOidIndexId,
	Anum_pg_policy_oid, Anum_pg_policy_polrelid, FACT_POLICIES},
	{RewriteRelationId, RewriteRelationId, RewriteOidIndexId,
	Anum_pg_rewrite_oid, Anum_pg_rewrite_ev_class, FACT_OBJECT},
	{AttrDefaultRelationId, AttrDefaultRelationId, AttrDefaultOidIndexId,
	Anum_pg_attrdef_oid, Anum_pg_attrdef_adrelid, FACT_COLUMNS},
	{RelationRelationId, IndexRelationId, IndexRelidIndexId,
	Anum_pg_index_indexrelid, Anum_pg_index_indrelid, FACT_INDEXES | FACT_KEY},
};

/* Is what is being noted now done CONCURRENTLY? */
static Concurrency noting_concurrently = CONCURRENTLY_NOT;

/* Return what of a change is about these facts. */
static Change
limit(Change change, FactSet facts)
{
	change.added &= facts;
	change.changed &= facts;
	return change;
}

/* Note an object; return whether more is known of it now. */
static bool
note(Oid classid, Oid objid, Change change)
{
	ChangedObject object = {
		.classid = classid,
		.objid = objid,
		.change = change,
		.concurrently = noting_concurrently
	};

	return dbkit_note_change(&object);
}

/* An object to note, of those that changed with another */
typedef struct Work
{
	Oid			classid;
	Oid			objid;
	Change		change;
} Work;

static List *
add_work(List *work, Oid classid, Oid objid, Change change)
{
	Work	   *more = palloc(sizeof(Work));

	more->classid = classid;
	more->objid = objid;
	more->change = change;
	return lappend(work, more);
}

/* List what depends on an object, or on a column of it: ObjectAddress *. */
static List *
list_dependents(Oid classid, Oid objid)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(classid));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(objid));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend dependency = (Form_pg_depend) GETSTRUCT(tuple);
		ObjectAddress *dependent = palloc(sizeof(ObjectAddress));

		ObjectAddressSubSet(*dependent, dependency->classid, dependency->objid, dependency->objsubid);
		result = lappend(result, dependent);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return result;
}

/* Add what is of a type: arrays, domains, ranges and multiranges; columns; typed tables. */
static List *
add_users_of_type(List *work, Oid type)
{
	List	   *dependents = list_dependents(TypeRelationId, type);
	ListCell   *lc;

	foreach(lc, dependents)
	{
		const ObjectAddress *dependent = lfirst(lc);

		if (dependent->classId == TypeRelationId || dependent->classId == RelationRelationId)
			work = add_work(work, dependent->classId, dependent->objectId, CHANGED(FACT_COLUMNS));
	}
	list_free_deep(dependents);
	return work;
}

/* Return the relation that a rewrite rule belongs to, or InvalidOid. */
static Oid
relation_of_rule(Oid rule)
{
	Relation	rules = table_open(RewriteRelationId, AccessShareLock);
	Oid			result = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_rewrite_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(rule));
	scan = systable_beginscan(rules, RewriteOidIndexId, true, NULL, 1, &key);
	if (HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = ((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class;
	systable_endscan(scan);
	table_close(rules, AccessShareLock);
	return result;
}

/* Add the views that read a relation. */
static List *
add_views(List *work, Oid relid)
{
	List	   *dependents = list_dependents(RelationRelationId, relid);
	ListCell   *lc;

	foreach(lc, dependents)
	{
		const ObjectAddress *dependent = lfirst(lc);
		Oid			view = dependent->classId == RewriteRelationId ? relation_of_rule(dependent->objectId) : relid;

		if (view != relid)
			work = add_work(work, RelationRelationId, view, CHANGED(FACT_SOURCES));
	}
	list_free_deep(dependents);
	return work;
}

/* Is there a rule in force that reads this? */
static bool
is_asked_for(FactSet facts)
{
	return dbkit_facts_to_read(SCOPE_STATEMENT, CHANGED(facts)) != 0 ||
		dbkit_facts_to_read(SCOPE_COMMIT, CHANGED(facts)) != 0;
}

/*
 * Tell what changes for the partitions and children of a relation with its row level security, which
 * partition.c passes on.  What ATTACH PARTITION attached has been given its own, and before 16 is
 * known by this only.
 */
static FactSet
inherited_change(Change change)
{
	FactSet		touched = change.added | change.changed;

	if (touched & FACT_ROW_SECURITY)
		return FACT_PARENTS | FACT_ROW_SECURITY | FACT_POLICIES;
	return touched & (FACT_PARENTS | FACT_POLICIES);
}

/*
 * Add what goes by the row level security of a relation: its partitions and children, and the
 * views that read it.  A view that changes shows something else to those that read it.
 */
static List *
add_users_of_row_security(List *work, Oid relid, bool has_children, Change change)
{
	FactSet		inherited = inherited_change(change);
	ListCell   *lc;

	if (has_children && inherited != 0 && is_asked_for(inherited | FACT_SOURCES))
	{
		foreach(lc, find_inheritance_children(relid, NoLock))
			work = add_work(work, RelationRelationId, lfirst_oid(lc), CHANGED(inherited));
	}
	if ((change.changed & (FACT_ROW_SECURITY | FACT_PARENTS | FACT_SOURCES)) != 0 && is_asked_for(FACT_SOURCES))
		work = add_views(work, relid);
	return work;
}

/* Is the relation one that a rule may be about?  A type's tables are not locked, and may be gone. */
static bool
is_judged(Oid relid, bool *has_children)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	*has_children = form->relhassubclass;
	result = form->relpersistence != RELPERSISTENCE_TEMP &&
		(form->relkind == RELKIND_RELATION || form->relkind == RELKIND_PARTITIONED_TABLE ||
		 form->relkind == RELKIND_VIEW || form->relkind == RELKIND_MATVIEW ||
		 form->relkind == RELKIND_FOREIGN_TABLE || form->relkind == RELKIND_COMPOSITE_TYPE);
	ReleaseSysCache(tuple);
	return result;
}

/* Note a relation, and add what changes with it: what is of its type, and its children. */
static List *
note_one_relation(List *work, Oid relid, Change change)
{
	bool		has_children;
	ListCell   *lc;

	if (dbkit_is_nothing(change) || !is_judged(relid, &has_children) ||
		!note(RelationRelationId, relid, change))
		return work;
	if (change.changed & FACT_COLUMNS)
		work = add_work(work, TypeRelationId, get_rel_type_id(relid), change);
	work = add_users_of_row_security(work, relid, has_children, change);
	if (has_children && change.changed & (FACT_COLUMNS | FACT_CHECKS) &&
		get_rel_relkind(relid) == RELKIND_RELATION)
	{
		foreach(lc, find_inheritance_children(relid, NoLock))
			work = add_work(work, RelationRelationId, lfirst_oid(lc), change);
	}
	return work;
}

/* Note a type, and add what is of it if that is another one now. */
static List *
note_one_type(List *work, Oid type, Change change)
{
	if (!OidIsValid(type) || !note(TypeRelationId, type, change) || !(change.changed & FACT_COLUMNS))
		return work;
	return add_users_of_type(work, type);
}

/*
 * Note a relation or type and all that changes with it.  They may be many, and one
 * of the other in a long chain, so there is a list of what is to be done.
 */
static void
note_with_users(Oid classid, Oid objid, Change change)
{
	List	   *work = add_work(NIL, classid, objid, change);

	for (int i = 0; i < list_length(work); i++)
	{
		const Work *next = list_nth(work, i);

		CHECK_FOR_INTERRUPTS();
		if (next->classid == TypeRelationId)
			work = note_one_type(work, next->objid, next->change);
		else
			work = note_one_relation(work, next->objid, next->change);
	}
	list_free_deep(work);
}

static void
note_relation(Oid relid, Change change)
{
	note_with_users(RelationRelationId, relid, change);
}

/*
 * Is it a trigger that a foreign key made?  Those on the referenced table go
 * with the key, and that table is none the worse for it.
 */
static bool
is_internal_trigger(Oid classid, HeapTuple tuple)
{
	return classid == TriggerRelationId &&
		((Form_pg_trigger) GETSTRUCT(tuple))->tgisinternal;
}

/*
 * Note the table that something belongs or belonged to; what happened to it is
 * "change", as far as that is about such a thing.  A row that the running transaction has
 * deleted is still there for SnapshotAny.
 */
static void
note_owner(Oid classid, Oid objid, Change change)
{
	for (size_t i = 0; i < lengthof(belongings); i++)
	{
		Relation	catalog;
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		if (belongings[i].classid != classid || dbkit_is_nothing(limit(change, belongings[i].facts)))
			continue;
		catalog = table_open(belongings[i].catalog, AccessShareLock);
		ScanKeyInit(&key, belongings[i].key, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(objid));
		scan = systable_beginscan(catalog, belongings[i].index, true, SnapshotAny, 1, &key);
		tuple = systable_getnext(scan);
		if (HeapTupleIsValid(tuple) && !is_internal_trigger(classid, tuple))
		{
			bool		isnull;

			note_relation(DatumGetObjectId(heap_getattr(tuple, belongings[i].owner,
														RelationGetDescr(catalog), &isnull)),
						  limit(change, belongings[i].facts));
		}
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
}

/* Note the partition that a DETACH PARTITION makes a table. */
static void
note_detached(const AlterTableCmd *command)
{
	/* Before 16 the server does not tell its address */
	ChangedObject object = {
		.classid = RelationRelationId,
		.objid = RangeVarGetRelid(castNode(PartitionCmd, command->def)->name, NoLock, true),
		.change = CHANGE_ALL,
		.concurrently = noting_concurrently
	};
	bool		has_children;

	if (is_judged(object.objid, &has_children))
		(void) dbkit_note_change(&object);
}

/* Note an object of any kind, or what it belongs to. */
static void
note_object(Oid classid, Oid objid, Change change)
{
	if (classid == TypeRelationId || classid == RelationRelationId)
		note_with_users(classid, objid, change);
	else if (classid == ProcedureRelationId)
		(void) note(classid, objid, change);
	else
		note_owner(classid, objid, change);
}

/*
 * Note the tables that have a constraint, trigger, policy or default which depends on
 * an object: on a function, or as a foreign key on the table that it references.
 */
static void
note_users(Oid classid, Oid objid, Change change)
{
	List	   *dependents = list_dependents(classid, objid);
	ListCell   *lc;

	foreach(lc, dependents)
	{
		const ObjectAddress *dependent = lfirst(lc);

		if (dependent->classId != RelationRelationId)
			note_owner(dependent->classId, dependent->objectId, change);
	}
	list_free_deep(dependents);
}

/*
 * Note what an object's new name changes: exemptions go by names, and the settings
 * that say which tables hold users and organizations, and which functions set updated_at.
 */
static void
note_renamed(Oid classid, Oid objid)
{
	note_object(classid, objid, CHANGE_ALL);
	if (classid == ProcedureRelationId)
		note_users(classid, objid, CHANGE_ALL);
	else if (classid == RelationRelationId &&
			 (dbkit_is_user_table(&dbkit_now, objid) || dbkit_is_organization_table(&dbkit_now, objid)))
		note_users(classid, objid, CHANGED(FACT_FOREIGN_KEYS));
}

/* Note all that is in a schema with a new name, which is part of their names. */
static void
note_schema(Oid namespace)
{
	static const struct
	{
		Oid			catalog;
		AttrNumber	oid;
		AttrNumber	namespace;
	}			catalogs[] = {
		{RelationRelationId, Anum_pg_class_oid, Anum_pg_class_relnamespace},
		{TypeRelationId, Anum_pg_type_oid, Anum_pg_type_typnamespace},
		{ProcedureRelationId, Anum_pg_proc_oid, Anum_pg_proc_pronamespace},
	};

	for (size_t i = 0; i < lengthof(catalogs); i++)
	{
		Relation	catalog = table_open(catalogs[i].catalog, AccessShareLock);
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;
		bool		isnull;

		ScanKeyInit(&key, catalogs[i].namespace, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(namespace));
		scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
			note_renamed(catalogs[i].catalog,
						 DatumGetObjectId(heap_getattr(tuple, catalogs[i].oid,
													   RelationGetDescr(catalog), &isnull)));
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
}

/*
 * Note the table of an index that a command is about, where it made the index or
 * attached it to another.  What else can be done to an index is left alone, because the
 * command has not locked the table: to lock a table after its index is asking
 * for a deadlock.
 */
static void
note_index(Oid indexid, const CollectedCommand *command)
{
	ChangedObject object = {
		.classid = RelationRelationId,
		.objid = IndexGetRelation(indexid, true),
		.change = ADDED(FACT_INDEXES),
		.index = indexid,
		.concurrently = noting_concurrently
	};
	bool		has_children;

	if (IsA(command->parsetree, AlterTableStmt))
	{
		if (linitial_node(AlterTableCmd, ((const AlterTableStmt *) command->parsetree)->cmds)->subtype != AT_AttachPartition)
			return;
	}
	else if (!IsA(command->parsetree, IndexStmt))
		return;
	if (is_judged(object.objid, &has_children))
		(void) dbkit_note_change(&object);
}

/* Note what the actions of an ALTER TABLE did to other tables. */
static void
note_actions(const CollectedCommand *command)
{
	ListCell   *lc;

	foreach(lc, command->d.alterTable.subcmds)
	{
		const CollectedATSubcmd *subcommand = lfirst(lc);
		const AlterTableCmd *action = castNode(AlterTableCmd, subcommand->parsetree);

		/* The partition of ATTACH PARTITION, or a child with its column */
		if (action->subtype == AT_DetachPartition ||
			action->subtype == AT_DetachPartitionFinalize)
			note_detached(action);
		else if (subcommand->address.classId == RelationRelationId)
			note_relation(subcommand->address.objectId, dbkit_command_change(command));

		/*
		 * A foreign key of another table, made again as what it references is
		 * of another type
		 */
		else if (subcommand->address.classId == ConstraintRelationId)
			note_owner(ConstraintRelationId, subcommand->address.objectId, CHANGED(FACT_FOREIGN_KEYS));
	}
}

/* Note what one command of the statement changed. */
static void
note_command(Oid classid, Oid objid, const CollectedCommand *command)
{
	Change		change = dbkit_command_change(command);
	char		relkind = classid == RelationRelationId ? get_rel_relkind(objid) : '\0';

	if (dbkit_is_nothing(change))
		return;
	if (relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX)
	{
		note_index(objid, command);
		return;
	}
	if (!dbkit_renames_object(command->parsetree))
		note_object(classid, objid, change);
	else if (classid == NamespaceRelationId)
		note_schema(objid);
	else
		note_renamed(classid, objid);
	if (dbkit_changes_defaults(command->parsetree))
		note_users(classid, objid, CHANGED(FACT_COLUMNS));

	/* What an extension has is not judged, and what it no longer has is */
	if (IsA(command->parsetree, AlterExtensionContentsStmt))
		note_object(command->d.simple.secondaryObject.classId,
					command->d.simple.secondaryObject.objectId, CHANGE_ALL);
	if (command->type == SCT_AlterTable)
		note_actions(command);
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

/* Note the relations on which a GRANT or REVOKE has changed what is granted. */
static void
note_grant(const CollectedCommand *command)
{
	const InternalGrant *grant;
	ListCell   *lc;

	if (command->type != SCT_Grant || command->in_extension)
		return;
	grant = command->d.grant.istmt;
	if (grant->objtype != OBJECT_TABLE)
		return;
	foreach(lc, grant->objects)
		note_relation(lfirst_oid(lc), CHANGED(FACT_GRANTS));
}

/* Note a table that was made LIKE a partitioned one. */
static void
note_model(Oid classid, Oid objid, const CollectedCommand *command, Oid model)
{
	ChangedObject object = {
		.classid = classid,
		.objid = objid,
		.change = CHANGE_ALL,
		.model = model
	};

	if (OidIsValid(model) && IsA(command->parsetree, CreateStmt) && classid == RelationRelationId)
		(void) dbkit_note_change(&object);
}

/*
 * Note what the commands of the statement that is ending changed.  If it makes a table
 * LIKE a partitioned one, that is the model.
 */
void
dbkit_note_commands(Concurrency concurrently, Oid model)
{
	Tuplestorestate *rows;
	TupleTableSlot *slot = call_event_function(F_PG_EVENT_TRIGGER_DDL_COMMANDS, &rows);

	noting_concurrently = concurrently;
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		const CollectedCommand *command;

		slot_getallattrs(slot);

		/* The last column is the server's description of the command */
		command = (const CollectedCommand *) DatumGetPointer(slot->tts_values[8]);
		if (slot->tts_isnull[0])
		{
			note_grant(command);	/* or it is ALTER DEFAULT PRIVILEGES */
			continue;
		}
		if (command->in_extension)
			continue;
		dbkit_follow_rename(command);
		note_model(DatumGetObjectId(slot->tts_values[0]),
				   DatumGetObjectId(slot->tts_values[1]), command, model);
		note_command(DatumGetObjectId(slot->tts_values[0]),
					 DatumGetObjectId(slot->tts_values[1]), command);
		dbkit_protect_new_members(DatumGetObjectId(slot->tts_values[1]), command);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
}

/* Tell the baseline of an object that was dropped.  A function has its name among the parts of its address only. */
static void
touch_dropped(const TupleTableSlot *slot)
{
	Datum	   *parts;
	int			count;

	if (slot->tts_isnull[7])
		return;
	if (!slot->tts_isnull[8])
	{
		dbkit_touch_baseline_of(TextDatumGetCString(slot->tts_values[7]), TextDatumGetCString(slot->tts_values[8]));
		return;
	}
	if (DatumGetObjectId(slot->tts_values[0]) != ProcedureRelationId || slot->tts_isnull[10])
		return;
	deconstruct_array(DatumGetArrayTypeP(slot->tts_values[10]), TEXTOID, -1, false, TYPALIGN_INT, &parts, NULL, &count);
	if (count == 2)
		dbkit_touch_baseline_of(TextDatumGetCString(parts[0]), TextDatumGetCString(parts[1]));
}

/*
 * Note what the statement that is ending changed by dropping something; return
 * the relations that it dropped.
 */
List *
dbkit_note_dropped(Concurrency concurrently)
{
	Tuplestorestate *rows;
	TupleTableSlot *slot = call_event_function(F_PG_EVENT_TRIGGER_DROPPED_OBJECTS, &rows);
	List	   *relations = NIL;

	noting_concurrently = concurrently;
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		Oid			classid;
		Oid			objid;

		slot_getallattrs(slot);
		if (DatumGetBool(slot->tts_values[5]))
			continue;			/* temporary */
		classid = DatumGetObjectId(slot->tts_values[0]);
		objid = DatumGetObjectId(slot->tts_values[1]);
		if (classid == RelationRelationId && DatumGetInt32(slot->tts_values[2]) != 0)
		{
			note_relation(objid, CHANGE_ALL);	/* a column */
			continue;
		}
		note_owner(classid, objid, CHANGE_ALL);
		touch_dropped(slot);
		if (classid == RelationRelationId)
			relations = lappend_oid(relations, objid);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
	return relations;
}

/*
 * Return the table that a statement is about, if that is one which often follows CREATE
 * TABLE and runs nobody's code, so that its name means the same when it ends; else NULL.
 */
static const RangeVar *
table_of_statement(const Node *statement)
{
	ListCell   *lc;

	if (IsA(statement, CreateTrigStmt) && ((const CreateTrigStmt *) statement)->whenClause == NULL)
		return ((const CreateTrigStmt *) statement)->relation;
	if (!IsA(statement, AlterTableStmt))
		return NULL;
	foreach(lc, ((const AlterTableStmt *) statement)->cmds)
	{
		FactSet		changed = dbkit_changed_by_action(lfirst_node(AlterTableCmd, lc)->subtype);

		if (changed != FACT_ROW_SECURITY && changed != FACT_TRIGGERS)
			return NULL;
	}
	return ((const AlterTableStmt *) statement)->relation;
}

/*
 * Is a statement one that adds nothing to what is known: it breaks none of the
 * rules that judge when it ends, and its table is judged whole at commit anyway?  Then
 * PostgreSQL need not list its commands, which takes as long as a small statement.
 */
bool
dbkit_statement_is_covered(const Node *statement)
{
	const RangeVar *table = table_of_statement(statement);

	return table != NULL &&
		dbkit_facts_to_read(SCOPE_STATEMENT, CHANGED(FACT_ROW_SECURITY | FACT_TRIGGERS)) == 0 &&
		dbkit_is_changed_whole(RelationRelationId, RangeVarGetRelid(table, NoLock, true));
}
