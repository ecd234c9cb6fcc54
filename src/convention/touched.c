/*-------------------------------------------------------------------------
 *
 * touched.c
 *		The objects that the transaction created or changed.
 *
 * What a subtransaction touched first is forgotten when that is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/deparse_utility.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "context.h"
#include "dbkit.h"
#include "facts.h"
#include "names.h"
#include "registry.h"
#include "touched.h"

/* All Touched of the transaction, in TopTransactionContext; NULL for none */
static HTAB *touched = NULL;

/* Those of the statement that is ending, in the same context */
static List *pending = NIL;

/* Counts them, also those that are forgotten again */
static uint64 touches = 0;

/* Is what is being noted now done CONCURRENTLY? */
static bool touching_concurrently = false;

static void touch_relation(Oid relid);

/* Note an object; return whether the statement had not touched it yet. */
static bool
touch(Oid classid, Oid objid)
{
	Oid			key[2] = {classid, objid};
	Touched    *entry;
	bool		found;

	if (touched == NULL)
	{
		HASHCTL		ctl = {
			.keysize = 2 * sizeof(Oid),
			.entrysize = sizeof(Touched),
			.hcxt = TopTransactionContext
		};

		touched = hash_create("dbkit touched objects", 64, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(touched, key, HASH_ENTER, &found);
	if (!found)
	{
		entry->nest_level = GetCurrentTransactionNestLevel();
		entry->order = ++touches;
		entry->pending = 0;
		entry->enforced = 0;
		entry->concurrently = false;
	}
	found = entry->pending != 0;
	if (!found)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);

		pending = lappend(pending, entry);
		MemoryContextSwitchTo(caller);
		entry->pending = GetCurrentTransactionNestLevel();
	}
	entry->detached = false;
	entry->concurrently |= touching_concurrently;
	return !found;
}

/* Note a type, and the tables whose columns contain it. */
static void
touch_type(Oid type)
{
	Relation	depend;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	check_stack_depth();
	if (!OidIsValid(type) || !touch(TypeRelationId, type))
		return;

	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(TypeRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(type));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, NULL, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend dependency = (Form_pg_depend) GETSTRUCT(tuple);

		/* An array, domain, range or multirange of it; a column; or a typed table */
		if (dependency->classid == TypeRelationId)
			touch_type(dependency->objid);
		else if (dependency->classid == RelationRelationId)
			touch_relation(dependency->objid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/* Is the relation temporary?  A type's tables are not locked: one that is gone is not. */
static bool
is_temporary(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relpersistence == RELPERSISTENCE_TEMP;
	ReleaseSysCache(tuple);
	return result;
}

/* Note a relation, and what changes with it. */
static void
touch_relation(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	switch (relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_COMPOSITE_TYPE:
			if (is_temporary(relid) || !touch(RelationRelationId, relid))
				return;
			touch_type(get_rel_type_id(relid));
			break;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			(void) touch(RelationRelationId, relid);
			return;
		default:
			return;
	}

	/* ALTER TABLE changes the children with their parent */
	if (relkind == RELKIND_RELATION)
	{
		List	   *children = find_inheritance_children(relid, NoLock);
		ListCell   *lc;

		foreach(lc, children)
			touch_relation(lfirst_oid(lc));
	}
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
 * Note the table that a constraint, trigger, policy, default or index belongs
 * or belonged to.  A row that the running transaction has deleted is still
 * there for SnapshotAny.
 */
static void
touch_owner(Oid classid, Oid objid)
{
	static const struct
	{
		Oid			classid;
		Oid			catalog;
		Oid			index;
		AttrNumber	key;
		AttrNumber	owner;
	}			parts[] = {
		{ConstraintRelationId, ConstraintRelationId, ConstraintOidIndexId,
		Anum_pg_constraint_oid, Anum_pg_constraint_conrelid},
		{TriggerRelationId, TriggerRelationId, TriggerOidIndexId,
		Anum_pg_trigger_oid, Anum_pg_trigger_tgrelid},
		{PolicyRelationId, PolicyRelationId, PolicyOidIndexId,
		Anum_pg_policy_oid, Anum_pg_policy_polrelid},
		{AttrDefaultRelationId, AttrDefaultRelationId, AttrDefaultOidIndexId,
		Anum_pg_attrdef_oid, Anum_pg_attrdef_adrelid},
		{RelationRelationId, IndexRelationId, IndexRelidIndexId,
		Anum_pg_index_indexrelid, Anum_pg_index_indrelid},
	};

	for (size_t i = 0; i < lengthof(parts); i++)
	{
		Relation	catalog;
		ScanKeyData key;
		SysScanDesc scan;
		HeapTuple	tuple;

		if (parts[i].classid != classid)
			continue;
		catalog = table_open(parts[i].catalog, AccessShareLock);
		ScanKeyInit(&key, parts[i].key, BTEqualStrategyNumber, F_OIDEQ,
					ObjectIdGetDatum(objid));
		scan = systable_beginscan(catalog, parts[i].index, true, SnapshotAny, 1, &key);
		tuple = systable_getnext(scan);
		if (HeapTupleIsValid(tuple) && !is_internal_trigger(classid, tuple))
		{
			bool		isnull;

			touch_relation(DatumGetObjectId(heap_getattr(tuple, parts[i].owner,
														 RelationGetDescr(catalog),
														 &isnull)));
		}
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
}

/* Note the partition that a DETACH PARTITION makes a table. */
static void
touch_detached(const AlterTableCmd *command)
{
	/* Before 16 the server does not tell its address */
	Oid			key[2] = {RelationRelationId, InvalidOid};
	Touched    *entry;

	key[1] = RangeVarGetRelid(castNode(PartitionCmd, command->def)->name, NoLock, true);
	touch_relation(key[1]);
	if (touched == NULL)
		return;					/* it is temporary, and so is all else */
	entry = hash_search(touched, key, HASH_FIND, NULL);
	if (entry != NULL)
		entry->detached = true;
}

/*
 * Does the command leave to an index, which it is about, what rules ask?  Then its
 * table, which it has not locked, is left alone: to lock a table after its index
 * is asking for a deadlock.
 */
static bool
is_harmless_to_index(const Node *command)
{
	if (IsA(command, AlterTableStmt))
		return linitial_node(AlterTableCmd, ((const AlterTableStmt *) command)->cmds)->subtype != AT_AttachPartition;
	return IsA(command, RenameStmt);
}

/* Can the command only mend what the rules find, never break it? */
static bool
is_harmless(const Node *command)
{
	switch (nodeTag(command))
	{
		case T_CommentStmt:
			return ((const CommentStmt *) command)->comment != NULL;
		case T_SecLabelStmt:
		case T_ReindexStmt:
			return true;
		case T_CreateTrigStmt:
			return !((const CreateTrigStmt *) command)->replace;
		default:
			return false;
	}
}

/* Note an object of any kind, or what it belongs to. */
static void
touch_object(Oid classid, Oid objid)
{
	if (classid == TypeRelationId)
		touch_type(objid);
	else if (classid == RelationRelationId)
		touch_relation(objid);
	else if (classid == ProcedureRelationId)
		(void) touch(classid, objid);
	else
		touch_owner(classid, objid);
}

/*
 * Note the tables that have a constraint, trigger, policy or default which depends on
 * an object: on a function, or as a foreign key on the table that it references.
 */
static void
touch_users(Oid classid, Oid objid)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
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

		if (dependency->classid != RelationRelationId)
			touch_owner(dependency->classid, dependency->objid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
}

/*
 * Note what an object's new name changes: exemptions go by names, and the settings
 * that say which tables hold users and organizations, and which functions set updated_at.
 */
static void
touch_renamed(Oid classid, Oid objid)
{
	touch_object(classid, objid);
	if (classid == ProcedureRelationId ||
		(classid == RelationRelationId &&
		 (dbkit_is_user_table(objid) || dbkit_is_organization_table(objid))))
		touch_users(classid, objid);
}

/* Note all that is in a schema with a new name, which is part of their names. */
static void
touch_schema(Oid namespace)
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
		{
			Oid			objid = DatumGetObjectId(heap_getattr(tuple, catalogs[i].oid,
															  RelationGetDescr(catalog), &isnull));

			/* An index is judged with its table */
			if (catalogs[i].catalog != RelationRelationId || !dbkit_is_index(objid))
				touch_renamed(catalogs[i].catalog, objid);
		}
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
}

/* Does the command give the object another name, or another schema? */
static bool
renames_object(const Node *command)
{
	if (IsA(command, RenameStmt))
		return ((const RenameStmt *) command)->renameType != OBJECT_COLUMN;
	return IsA(command, AlterObjectSchemaStmt);
}

/* Note what one command of the statement touched. */
static void
touch_command(Oid classid, Oid objid, const CollectedCommand *command)
{
	ListCell   *lc;

	if (is_harmless(command->parsetree) ||
		(classid == RelationRelationId && dbkit_is_index(objid) && is_harmless_to_index(command->parsetree)))
		return;
	if (!renames_object(command->parsetree))
		touch_object(classid, objid);
	else if (classid == NamespaceRelationId)
		touch_schema(objid);
	else
		touch_renamed(classid, objid);

	/* What an extension has is not judged, and what it no longer has is */
	if (IsA(command->parsetree, AlterExtensionContentsStmt))
		touch_object(command->d.simple.secondaryObject.classId,
					 command->d.simple.secondaryObject.objectId);
	if (command->type != SCT_AlterTable)
		return;
	foreach(lc, command->d.alterTable.subcmds)
	{
		const CollectedATSubcmd *subcommand = lfirst(lc);
		const AlterTableCmd *action = castNode(AlterTableCmd, subcommand->parsetree);

		/* The partition of ATTACH PARTITION, or a child with its column */
		if (action->subtype == AT_DetachPartition ||
			action->subtype == AT_DetachPartitionFinalize)
			touch_detached(action);
		else if (subcommand->address.classId == RelationRelationId)
			touch_relation(subcommand->address.objectId);
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

/* Note what the commands of the statement that is ending touched. */
void
dbkit_touch_commands(bool concurrently)
{
	Tuplestorestate *rows;
	TupleTableSlot *slot = call_event_function(F_PG_EVENT_TRIGGER_DDL_COMMANDS, &rows);

	touching_concurrently = concurrently;
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		const CollectedCommand *command;

		slot_getallattrs(slot);
		if (slot->tts_isnull[0])
			continue;			/* GRANT and ALTER DEFAULT PRIVILEGES */

		/* The last column is the server's description of the command */
		command = (const CollectedCommand *) DatumGetPointer(slot->tts_values[8]);
		if (command->in_extension)
			continue;
		touch_command(DatumGetObjectId(slot->tts_values[0]),
					  DatumGetObjectId(slot->tts_values[1]), command);
		dbkit_protect_new_members(DatumGetObjectId(slot->tts_values[1]), command);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
}

/*
 * Note what the statement that is ending touched by dropping something, and
 * free the prefixes of dropped tables.
 */
void
dbkit_touch_dropped(bool concurrently)
{
	Tuplestorestate *rows;
	TupleTableSlot *slot = call_event_function(F_PG_EVENT_TRIGGER_DROPPED_OBJECTS, &rows);

	touching_concurrently = concurrently;
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
			touch_relation(objid);	/* a column */
			continue;
		}
		touch_owner(classid, objid);
		if (classid == RelationRelationId)
			dbkit_registry_update(objid, NULL);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(rows);
}

static int
compare_order(const ListCell *a, const ListCell *b)
{
	const Touched *left = lfirst(a);
	const Touched *right = lfirst(b);

	return left->order < right->order ? -1 : left->order > right->order ? 1 : 0;
}

/*
 * Return the Touched of the statement that is ending, once, in the order of
 * their first touch.  If they are to be judged at commit as well, "enforced"
 * is set.
 *
 * A statement may end within another one, in somebody's event trigger: what
 * that one touched is left to it if an error here could be caught in between.
 */
List *
dbkit_touched_by_statement(bool enforced)
{
	int			level = GetCurrentTransactionNestLevel();
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, pending)
	{
		Touched    *entry = lfirst(lc);

		if (entry->pending < level)
			continue;
		result = lappend(result, entry);
		pending = foreach_delete_current(pending, lc);
		entry->pending = 0;
		if (enforced && entry->enforced == 0)
			entry->enforced = level;
	}
	list_sort(result, compare_order);
	return result;
}

/*
 * Return the Touched of the transaction, which has touched something, that are
 * to be judged at commit.
 */
List *
dbkit_touched_by_transaction(void)
{
	List	   *result = NIL;
	HASH_SEQ_STATUS status;
	Touched    *entry;

	hash_seq_init(&status, touched);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		if (entry->enforced != 0)
			result = lappend(result, entry);
	}
	list_sort(result, compare_order);
	return result;
}

/* Has the transaction touched anything? */
bool
dbkit_transaction_touched(void)
{
	return touched != NULL;
}

/* Is it an index whose table is to be judged at commit as well? */
bool
dbkit_is_index_of_touched(const Touched *object)
{
	Oid			key[2] = {RelationRelationId, InvalidOid};
	Touched    *table;

	if (object->classid != RelationRelationId || !dbkit_is_index(object->objid))
		return false;
	key[1] = IndexGetRelation(object->objid, true);
	table = hash_search(touched, key, HASH_FIND, NULL);
	return table != NULL && table->enforced != 0;
}

/* Forget everything at the end of the transaction. */
static void
at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
	{
		/* TopTransactionContext goes with it */
		touched = NULL;
		pending = NIL;
	}
}

/* Give the level that something done at "done" is of when subtransaction "level" ends. */
static int
level_after(SubXactEvent event, int done, int level)
{
	if (done < level)
		return done;
	return event == SUBXACT_EVENT_COMMIT_SUB ? level - 1 : 0;
}

/* Forget what a subtransaction touched, or make it its parent's. */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					  SubTransactionId parent pg_attribute_unused(),
					  void *arg pg_attribute_unused())
{
	int			level = GetCurrentTransactionNestLevel();
	HASH_SEQ_STATUS status;
	Touched    *entry;
	ListCell   *lc;

	if (touched == NULL ||
		(event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	foreach(lc, pending)
	{
		entry = lfirst(lc);
		entry->pending = level_after(event, entry->pending, level);
		if (entry->pending == 0)
			pending = foreach_delete_current(pending, lc);
	}
	hash_seq_init(&status, touched);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		entry->enforced = level_after(event, entry->enforced, level);
		entry->nest_level = level_after(event, entry->nest_level, level);
		if (entry->nest_level == 0)
			(void) hash_search(touched, entry, HASH_REMOVE, NULL);
	}
}

/* Watch transactions end. */
void
dbkit_touched_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
