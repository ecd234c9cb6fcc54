/*-------------------------------------------------------------------------
 *
 * registry.c
 *		The prefix registry: which table an id prefix belongs to.
 *
 * The registry is the table dbkit.id_prefix, one row a prefix.  It is read and
 * written here as PostgreSQL does with its catalogs, without SQL, so any role
 * may create a table and the isolation level does not matter.  A transaction
 * that claims or gives up a prefix holds a lock on it until it ends; another
 * that claims the same prefix waits for that, and then sees who has it.
 *
 * A second table can only have a prefix where the rule id_prefix let it pass.
 * The row is then marked "contested": when the first table gives the prefix
 * up, the others are looked for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "postmaster/bgworker.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "convention/facts/read.h"
#include "convention/facts/facts.h"
#include "convention/own_objects.h"
#include "convention/registry.h"
#include "id.h"

/* The columns of dbkit.id_prefix, and its indexes */
#define Anum_prefix		1
#define Anum_relation	2
#define Anum_contested	3
#define Natts_registry	3

#define PREFIX_INDEX	"id_prefix_pkey"
#define RELATION_INDEX	"id_prefix_relation_key"

/* Open the registry, having made sure that it is what the install script made. */
static Relation
open_registry(LOCKMODE lockmode)
{
	Relation	registry = table_open(dbkit_own_relation("id_prefix"), lockmode);
	TupleDesc	desc = RelationGetDescr(registry);

	if (desc->natts != Natts_registry ||
		TupleDescAttr(desc, Anum_prefix - 1)->atttypid != TEXTOID ||
		!IsBinaryCoercible(TupleDescAttr(desc, Anum_relation - 1)->atttypid, OIDOID) ||
		TupleDescAttr(desc, Anum_contested - 1)->atttypid != BOOLOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("table \"dbkit.id_prefix\" of the prefix registry has been altered"),
				 DBKIT_REPAIR_HINT));
	return registry;
}

/*
 * Return the snapshot to read the registry with.  Catalogs are exempt from
 * predicate locks, this table is not (see PredicateLockingNeededForRelation());
 * but a snapshot that is not MVCC takes none.  Otherwise serializable
 * transactions that create unrelated tables could not both commit.
 */
static Snapshot
lookup_snapshot(void)
{
	return IsolationIsSerializable() ? SnapshotSelf : NULL;
}

/* Return a copy of the registry's row with that key, as it is for NULL as the snapshot, or NULL. */
static HeapTuple
find_row(Relation registry, Snapshot snapshot, const char *index, AttrNumber attnum,
		 RegProcedure equals, Datum value)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, attnum, BTEqualStrategyNumber, equals, value);
	scan = systable_beginscan(registry, dbkit_own_relation(index), true,
							  snapshot != NULL ? snapshot : lookup_snapshot(), 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

static HeapTuple
find_prefix(Relation registry, Snapshot snapshot, const char *prefix)
{
	return find_row(registry, snapshot, PREFIX_INDEX, Anum_prefix, F_TEXTEQ,
					CStringGetTextDatum(prefix));
}

static Datum
row_value(Relation registry, HeapTuple row, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(row, attnum, RelationGetDescr(registry), &isnull);

	if (isnull)
		elog(ERROR, "null in the prefix registry");
	return value;
}

/* Return the row's table, or InvalidOid when that is gone without a trace. */
static Oid
row_holder(Relation registry, const Catalogs *catalogs, HeapTuple row)
{
	Oid			holder = DatumGetObjectId(row_value(registry, row, Anum_relation));

	return dbkit_catalog_row(catalogs, CATALOG_RELATION, holder) != NULL ? holder : InvalidOid;
}

/*
 * Return the table that a prefix belongs or belonged to, or InvalidOid.
 */
Oid
dbkit_registry_holder(const Catalogs *catalogs, const char *prefix)
{
	Relation	registry = open_registry(AccessShareLock);
	HeapTuple	row = find_prefix(registry, catalogs->snapshot, prefix);
	Oid			holder = HeapTupleIsValid(row) ? row_holder(registry, catalogs, row) : InvalidOid;

	table_close(registry, AccessShareLock);
	return holder;
}

/* A row of a copy of the registry */
typedef struct Registered
{
	Oid			relid;
	char		prefix[DBKIT_PREFIX_MAX_LEN + 1];
} Registered;

/* A copy of the registry, in the order of the tables' oids */
struct RegistryCopy
{
	Registered *rows;
	int			count;
	int			next;			/* where the last look-up ended */
};

static int
compare_registered(const void *a, const void *b)
{
	Oid			left = ((const Registered *) a)->relid;
	Oid			right = ((const Registered *) b)->relid;

	return (left > right) - (left < right);
}

/* Return a copy of the registry as it is now, for dbkit_registry_has(). */
RegistryCopy *
dbkit_registry_copy(void)
{
	RegistryCopy *copy = palloc0(sizeof(RegistryCopy));
	int			room = 256;
	Relation	registry = open_registry(AccessShareLock);
	SysScanDesc scan = systable_beginscan(registry, InvalidOid, false, lookup_snapshot(), 0, NULL);
	HeapTuple	row;

	copy->rows = palloc(room * sizeof(Registered));
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Registered *next;

		if (copy->count == room)
			copy->rows = repalloc_huge(copy->rows, (Size) (room *= 2) * sizeof(Registered));
		next = &copy->rows[copy->count++];
		next->relid = DatumGetObjectId(row_value(registry, row, Anum_relation));
		text_to_cstring_buffer(DatumGetTextPP(row_value(registry, row, Anum_prefix)),
							   next->prefix, sizeof(next->prefix));
	}
	systable_endscan(scan);
	table_close(registry, AccessShareLock);
	qsort(copy->rows, copy->count, sizeof(Registered), compare_registered);
	return copy;
}

/*
 * Does a copy of the registry say that the prefix belongs to the table?  Tables
 * are to be asked for in the order of their oids.
 */
bool
dbkit_registry_has(RegistryCopy *copy, const char *prefix, Oid relid)
{
	while (copy->next < copy->count && copy->rows[copy->next].relid < relid)
		copy->next++;
	return copy->next < copy->count && copy->rows[copy->next].relid == relid &&
		strcmp(copy->rows[copy->next].prefix, prefix) == 0;
}

/* Count the prefixes that more than one table has had; -1 if somebody has locked the registry. */
int
dbkit_count_contested(void)
{
	Oid			relid = dbkit_own_relation("id_prefix");
	int			result = 0;
	Relation	registry;
	SysScanDesc scan;
	HeapTuple	row;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return -1;
	registry = open_registry(NoLock);
	scan = systable_beginscan(registry, InvalidOid, false, lookup_snapshot(), 0, NULL);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		result += DatumGetBool(row_value(registry, row, Anum_contested));
	systable_endscan(scan);
	table_close(registry, AccessShareLock);
	return result;
}

/* Wait for whoever else claims or gives up the prefix, until our own end. */
static void
lock_prefix(Relation registry, const char *prefix)
{
	LockDatabaseObject(RelationGetRelid(registry),
					   DatumGetUInt32(hash_any((const unsigned char *) prefix,
											   strlen(prefix))),
					   0, ExclusiveLock);
}

/* Write a row in place of another one, or a new one. */
static void
write_row(Relation registry, HeapTuple old, const char *prefix, Oid relid, bool contested)
{
	Datum		values[Natts_registry];
	bool		nulls[Natts_registry] = {false};
	HeapTuple	tuple;

	values[Anum_prefix - 1] = CStringGetTextDatum(prefix);
	values[Anum_relation - 1] = ObjectIdGetDatum(relid);
	values[Anum_contested - 1] = BoolGetDatum(contested);
	tuple = heap_form_tuple(RelationGetDescr(registry), values, nulls);
	if (old != NULL)
		CatalogTupleUpdate(registry, &old->t_self, tuple);
	else
		CatalogTupleInsert(registry, tuple);
	CommandCounterIncrement();
}

/* Are they facts about a table whose ids have the prefix? */
static bool
has_prefix(const Facts *facts, const char *prefix)
{
	const char *own = facts != NULL && facts->kind == KIND_TABLE ? dbkit_facts_prefix(facts) : NULL;

	return own != NULL && strcmp(own, prefix) == 0;
}

/* Find the oldest other table whose ids have the prefix, or InvalidOid. */
static Oid
find_other_table(const char *prefix, Oid except)
{
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	MemoryContext per_table = AllocSetContextCreate(CurrentMemoryContext, "dbkit prefix",
													ALLOCSET_DEFAULT_SIZES);
	Oid			found = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_attribute_attname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("id"));
	scan = systable_beginscan(attributes, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			relid = ((Form_pg_attribute) GETSTRUCT(tuple))->attrelid;
		MemoryContext caller;
		Facts	   *facts;

		if (relid == except || (OidIsValid(found) && relid > found))
			continue;
		caller = MemoryContextSwitchTo(per_table);
		facts = dbkit_facts(&dbkit_now, RelationRelationId, relid, FACT_PREFIX);
		if (has_prefix(facts, prefix))
			found = relid;
		MemoryContextSwitchTo(caller);
		MemoryContextReset(per_table);
	}
	systable_endscan(scan);
	MemoryContextDelete(per_table);
	table_close(attributes, AccessShareLock);
	return found;
}

static HeapTuple
find_relation(Relation registry, Oid relid)
{
	return find_row(registry, NULL, RELATION_INDEX, Anum_relation, F_OIDEQ,
					ObjectIdGetDatum(relid));
}

static void
delete_row(Relation registry, HeapTuple row)
{
	CatalogTupleDelete(registry, &row->t_self);
	CommandCounterIncrement();
}

/* Delete the row of the prefix that a table had before something changed unseen. */
static void
delete_outdated_row(Relation registry, Oid relid)
{
	HeapTuple	row = find_relation(registry, relid);

	if (!HeapTupleIsValid(row))
		return;
	lock_prefix(registry, TextDatumGetCString(row_value(registry, row, Anum_prefix)));
	row = find_relation(registry, relid);
	if (HeapTupleIsValid(row))
		delete_row(registry, row);
}

/* Give up the table's row, in favour of another table where there is one. */
static void
release_row(Relation registry, HeapTuple row, const char *prefix, Oid relid)
{
	Oid			other = InvalidOid;

	if (DatumGetBool(row_value(registry, row, Anum_contested)))
		other = find_other_table(prefix, relid);
	if (OidIsValid(other))
	{
		delete_outdated_row(registry, other);
		write_row(registry, row, prefix, other, true);
	}
	else
		delete_row(registry, row);
}

/* Claim a prefix, or mark it contested when another table has it. */
static void
claim_prefix(Relation registry, const char *prefix, Oid relid)
{
	HeapTuple	row;

	lock_prefix(registry, prefix);
	row = find_prefix(registry, NULL, prefix);
	if (!HeapTupleIsValid(row) || !OidIsValid(row_holder(registry, &dbkit_now, row)))
		write_row(registry, row, prefix, relid, false);
	else if (!DatumGetBool(row_value(registry, row, Anum_contested)))
		write_row(registry, row, prefix, row_holder(registry, &dbkit_now, row), true);
}

/*
 * Note that the ids of a table have that prefix now, or none for NULL (it was
 * dropped, became a partition, has another default).
 *
 * Waits while another transaction that claimed or gave up the prefix is not
 * finished.
 */
void
dbkit_registry_update(Oid relid, const char *prefix)
{
	Relation	registry = open_registry(RowExclusiveLock);
	HeapTuple	row = find_relation(registry, relid);

	/* No id begins with a longer one, and the index could not hold it */
	if (prefix != NULL && strlen(prefix) > DBKIT_PREFIX_MAX_LEN)
		prefix = NULL;
	if (HeapTupleIsValid(row))
	{
		char	   *old = TextDatumGetCString(row_value(registry, row, Anum_prefix));

		if (prefix != NULL && strcmp(old, prefix) == 0)
			prefix = NULL;		/* has it already */
		else
		{
			lock_prefix(registry, old);
			row = find_prefix(registry, NULL, old);
			if (HeapTupleIsValid(row))
				release_row(registry, row, old, relid);
		}
	}
	if (prefix != NULL)
		claim_prefix(registry, prefix, relid);
	table_close(registry, RowExclusiveLock);
}

PG_FUNCTION_INFO_V1(dbkit_register_prefix);

/*
 * dbkit.register_prefix(relation regclass) returns void
 *
 * Brings the registry up to date with a table that was created or changed
 * while the event triggers did not fire.  One that is dropped meanwhile, and what is
 * no table, has no prefix.  Errors: read_only_sql_transaction.
 */
Datum
dbkit_register_prefix(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Facts	   *facts;
	bool		is_table;

	PreventCommandIfReadOnly("dbkit.register_prefix()");
	facts = dbkit_facts(&dbkit_now, RelationRelationId, relid, FACT_PREFIX);
	is_table = facts != NULL && facts->kind == KIND_TABLE;
	dbkit_registry_update(relid, is_table ? dbkit_facts_prefix(facts) : NULL);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_table_of);

/*
 * table_of(id text) returns regclass
 *
 * The table whose ids have the prefix of this one; NULL where there is none.
 * Errors: invalid_text_representation for a malformed id.
 */
Datum
dbkit_table_of(PG_FUNCTION_ARGS)
{
	Datum		prefix = DirectFunctionCall1(dbkit_id_prefix, PG_GETARG_DATUM(0));
	Oid			holder = dbkit_registry_holder(&dbkit_now, TextDatumGetCString(prefix));

	if (!OidIsValid(holder))
		PG_RETURN_NULL();
	PG_RETURN_OID(holder);
}

PG_FUNCTION_INFO_V1(dbkit_ignore_replicated);

/*
 * ignore_replicated() returns trigger
 *
 * Drops the row of a BEFORE trigger that a replication worker applies.  What is
 * written here bypasses triggers; what a publisher of all its tables sends is
 * about tables of its own.  That the trigger is one for replicas does not
 * suffice: pg_restore --disable-triggers leaves it enabled for all.
 */
Datum
dbkit_ignore_replicated(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.ignore_replicated\" was not called by a trigger")));
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA && MyBgworkerEntry != NULL)
		return PointerGetDatum(NULL);
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
						   trigger->tg_newtuple : trigger->tg_trigtuple);
}
