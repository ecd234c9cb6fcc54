/*-------------------------------------------------------------------------
 *
 * rows.c
 *		Read the rows that the catalogs have about relations.
 *
 * Each catalog is read in the order of an index that begins with the relation.
 * Where many relations are read, one after the other in the order of their
 * oids, that is one scan of each catalog, and all of them go on side by side.
 * Nothing is opened but the catalogs, and no cache fills up with what is looked
 * at once: the relcache alone takes 10 kB a table, and never gives it back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/itup.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_trigger.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "convention/facts/rows.h"
#include "convention/facts/tree.h"

/* After so many entries about others, find a relation from the index's root */
#define MAX_SKIPPED		100

/* The catalogs, and indexes that begin with the relation */
static const struct
{
	Oid			catalog;
	Oid			index;
}			sources[] = {
	[ROWS_CLASS] = {RelationRelationId, ClassOidIndexId},
	[ROWS_COLUMN] = {AttributeRelationId, AttributeRelidNumIndexId},
	[ROWS_DEFAULT] = {AttrDefaultRelationId, AttrDefaultIndexId},
	[ROWS_CONSTRAINT] = {ConstraintRelationId, ConstraintRelidTypidNameIndexId},
	[ROWS_INDEX] = {IndexRelationId, IndexIndrelidIndexId},
	[ROWS_TRIGGER] = {TriggerRelationId, TriggerRelidNameIndexId},
	[ROWS_POLICY] = {PolicyRelationId, PolicyPolrelidPolnameIndexId},
	[ROWS_PARENT] = {InheritsRelationId, InheritsRelidSeqnoIndexId},
};

/* Counts what was heard of relations that changed */
static uint64 changes = 0;

static void
count_change(Datum arg pg_attribute_unused(), Oid relid pg_attribute_unused())
{
	changes++;
}

/* Return how often it was heard of a relation that changed. */
uint64
dbkit_relation_changes(void)
{
	return changes;
}

/* Return the set of all objects that belong to extensions. */
static HTAB *
read_members(const Catalogs *catalogs)
{
	HASHCTL		ctl = {
		.keysize = 2 * sizeof(Oid),
		.entrysize = 2 * sizeof(Oid),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *members = hash_create("dbkit extension members", 256, &ctl,
									  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(ExtensionRelationId));
	scan = systable_beginscan(depend, DependReferenceIndexId, true,
							  catalogs->snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend dependency = (Form_pg_depend) GETSTRUCT(tuple);
		Oid			member[2] = {dependency->classid, dependency->objid};

		if (dependency->deptype == DEPENDENCY_EXTENSION)
			(void) hash_search(members, member, HASH_ENTER, NULL);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return members;
}

/*
 * Prepare to read the rows of one relation, or of many in the order of their
 * oids, as they are or as they were before the transaction.  What the reader allocates lives in the current memory context.
 */
void
dbkit_open_reader(RowReader *reader, const Catalogs *catalogs, bool many)
{
	memset(reader, 0, sizeof(RowReader));
	reader->context = CurrentMemoryContext;
	reader->catalogs = catalogs;
	reader->many = many;
	reader->changes = changes;
	if (many)
		reader->members = read_members(catalogs);
}

/* Open a catalog and its index, to be read as they are now or were before. */
static void
open_stream(RowStream *stream, RowKind kind, Snapshot snapshot)
{
	stream->catalog = table_open(sources[kind].catalog, AccessShareLock);
	stream->index = index_open(sources[kind].index, AccessShareLock);
	stream->slot = table_slot_create(stream->catalog, NULL);
	if (snapshot == NULL)
		snapshot = GetCatalogSnapshot(sources[kind].catalog);
	stream->snapshot = RegisterSnapshot(snapshot);
	stream->scan = dbkit_index_beginscan(stream->catalog, stream->index, stream->snapshot,
										 kind == ROWS_COLUMN ? 2 : 1);
	stream->scan->xs_want_itup = true;
}

/* Go to the first row of a relation. */
static void
find_relation(RowReader *reader, RowStream *stream, Oid relid)
{
	ScanKeyData key[2];

	ScanKeyInit(&key[0], 1, reader->many ? BTGreaterEqualStrategyNumber : BTEqualStrategyNumber,
				reader->many ? F_OIDGE : F_OIDEQ, ObjectIdGetDatum(relid));
	/* Not the system columns */
	ScanKeyInit(&key[1], 2, BTGreaterStrategyNumber, F_INT2GT, Int16GetDatum(0));
	index_rescan(stream->scan, key, stream->scan->numberOfKeys, NULL, 0);
	stream->ahead = false;
	stream->ended = false;
}

/* Look at the next entry of the index. */
static void
look_ahead(RowStream *stream)
{
	bool		isnull;

	stream->ahead = true;
	if (index_getnext_tid(stream->scan, ForwardScanDirection) == NULL)
		stream->ended = true;
	else
		stream->relid = DatumGetObjectId(index_getattr(stream->scan->xs_itup, 1,
													   RelationGetDescr(stream->index), &isnull));
}

/*
 * Is the entry of the index that of a trigger with a name such as PostgreSQL gives
 * to those of foreign keys?
 */
static bool
names_internal_trigger(const RowStream *stream)
{
	static const char internal[] = "RI_ConstraintTrigger_";
	bool		isnull;

	/* In an index a name is a cstring */
	return strncmp(DatumGetCString(index_getattr(stream->scan->xs_itup, 2,
												 RelationGetDescr(stream->index), &isnull)),
				   internal, strlen(internal)) == 0;
}

/* As dbkit_next_row(). */
static HeapTuple
next_row(RowReader *reader, RowKind kind, Oid relid)
{
	RowStream  *stream = &reader->streams[kind];
	int			skipped = 0;

	if (stream->scan == NULL)
	{
		open_stream(stream, kind, reader->catalogs->snapshot);
		find_relation(reader, stream, relid);
	}
	for (;;)
	{
		if (!stream->ahead)
			look_ahead(stream);
		if (stream->ended || stream->relid > relid)
			return NULL;
		stream->ahead = false;
		if (stream->relid < relid)
		{
			if (++skipped == MAX_SKIPPED)
				find_relation(reader, stream, relid);
		}
		else if (kind == ROWS_TRIGGER && reader->many && names_internal_trigger(stream))
			continue;
		else if (index_fetch_heap(stream->scan, stream->slot))
			return ExecFetchSlotHeapTuple(stream->slot, false, NULL);
	}
}

/*
 * Return the next row about a relation, or NULL.  It is there until the next
 * call for rows of the same kind.  Where many relations are read, rows of
 * earlier ones are passed over; so are triggers with names such as those of foreign
 * keys have, which may be most of a table's.
 */
HeapTuple
dbkit_next_row(RowReader *reader, RowKind kind, Oid relid)
{
	MemoryContext caller = MemoryContextSwitchTo(reader->context);
	HeapTuple	row = next_row(reader, kind, relid);

	MemoryContextSwitchTo(caller);
	return row;
}

/* Return a value of the last row of a kind. */
Datum
dbkit_row_value(RowReader *reader, RowKind kind, AttrNumber attnum, bool *isnull)
{
	return slot_getattr(reader->streams[kind].slot, attnum, isnull);
}

/* Return the expression that a column of the row holds, as dbkit_stored_text(), or NULL. */
char *
dbkit_row_expression(RowReader *reader, RowKind kind, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = dbkit_row_value(reader, kind, attnum, &isnull);

	return isnull ? NULL : dbkit_stored_text(value);
}

/* Does the object belong to an extension? */
bool
dbkit_is_extension_member(RowReader *reader, Oid classid, Oid objid)
{
	Oid			member[2] = {classid, objid};

	if (reader->members != NULL)
		return hash_search(reader->members, member, HASH_FIND, NULL) != NULL;
	return dbkit_catalog_member(reader->catalogs, classid, objid);
}

/*
 * Let go of the catalogs, which are opened again for the rows that come next.
 * To be called before something is waited for: the locks on the catalogs could
 * make a deadlock of it, and VACUUM would wait for the pages that are looked at.
 */
void
dbkit_pause_reader(RowReader *reader)
{
	for (int i = 0; i < N_ROW_KINDS; i++)
	{
		RowStream  *stream = &reader->streams[i];

		if (stream->scan == NULL)
			continue;
		ExecDropSingleTupleTableSlot(stream->slot);
		index_endscan(stream->scan);
		UnregisterSnapshot(stream->snapshot);
		index_close(stream->index, AccessShareLock);
		table_close(stream->catalog, AccessShareLock);
		stream->scan = NULL;
	}
}

/*
 * Let the rows that come next be as the catalogs are now.  To be called with
 * the relation locked, so that what was done to it has been heard of.
 */
void
dbkit_refresh_reader(RowReader *reader)
{
	if (reader->changes == changes)
		return;
	dbkit_pause_reader(reader);
	reader->changes = changes;
}

/* Give back what the reader holds. */
void
dbkit_close_reader(RowReader *reader)
{
	dbkit_pause_reader(reader);
	if (reader->members != NULL)
		hash_destroy(reader->members);
}

/* Listen for relations that change. */
void
dbkit_rows_init(void)
{
	CacheRegisterRelcacheCallback(count_change, (Datum) 0);
}
