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
#include "catalog/pg_attrdef.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "dbkit.h"
#include "expression.h"
#include "facts.h"
#include "own.h"
#include "registry.h"

/* The columns of dbkit.id_prefix, and its indexes */
#define Anum_prefix		1
#define Anum_relation	2
#define Anum_contested	3
#define Natts_registry	3

#define PREFIX_INDEX	"id_prefix_pkey"
#define RELATION_INDEX	"id_prefix_relation_key"

/* Return a copy of the registry's row with that key, or NULL. */
static HeapTuple
find_row(Relation registry, const char *index, AttrNumber attnum,
		 RegProcedure equals, Datum value)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, attnum, BTEqualStrategyNumber, equals, value);
	scan = systable_beginscan(registry, dbkit_own_relation(index), true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

static HeapTuple
find_prefix(Relation registry, const char *prefix)
{
	return find_row(registry, PREFIX_INDEX, Anum_prefix, F_TEXTEQ,
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
row_holder(Relation registry, HeapTuple row)
{
	Oid			holder = DatumGetObjectId(row_value(registry, row, Anum_relation));

	return get_rel_relkind(holder) != '\0' ? holder : InvalidOid;
}

/*
 * Return the table that a prefix belongs to, or InvalidOid.
 */
Oid
dbkit_registry_holder(const char *prefix)
{
	Relation	registry = table_open(dbkit_own_relation("id_prefix"), AccessShareLock);
	HeapTuple	row = find_prefix(registry, prefix);
	Oid			holder = HeapTupleIsValid(row) ? row_holder(registry, row) : InvalidOid;

	table_close(registry, AccessShareLock);
	return holder;
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

/* Find another table whose ids have the prefix, or InvalidOid. */
static Oid
find_other_table(const char *prefix, Oid except)
{
	Relation	defaults = table_open(AttrDefaultRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(defaults, InvalidOid, false, NULL, 0, NULL);
	Oid			found = InvalidOid;
	HeapTuple	tuple;

	while (!OidIsValid(found) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			relid = ((Form_pg_attrdef) GETSTRUCT(tuple))->adrelid;
		bool		isnull;
		Datum		adbin = heap_getattr(tuple, Anum_pg_attrdef_adbin,
										 RelationGetDescr(defaults), &isnull);
		char	   *generated;
		Facts	   *facts;

		if (isnull || relid == except)
			continue;
		generated = dbkit_generated_prefix(stringToNode(TextDatumGetCString(adbin)));
		if (generated == NULL || strcmp(generated, prefix) != 0)
			continue;
		facts = dbkit_facts(RelationRelationId, relid, FACTS_STATEMENT);
		if (facts != NULL && facts->prefix != NULL && strcmp(facts->prefix, prefix) == 0)
			found = relid;
	}
	systable_endscan(scan);
	table_close(defaults, AccessShareLock);
	return found;
}

/* Delete a row, where there is one. */
static void
delete_row(Relation registry, HeapTuple row)
{
	if (!HeapTupleIsValid(row))
		return;
	CatalogTupleDelete(registry, &row->t_self);
	CommandCounterIncrement();
}

/* Give up the table's row, in favour of another table where there is one. */
static void
release_row(Relation registry, HeapTuple row, const char *prefix, Oid relid)
{
	Oid			other = InvalidOid;

	if (DatumGetBool(row_value(registry, row, Anum_contested)))
		other = find_other_table(prefix, relid);
	if (OidIsValid(other))
		write_row(registry, row, prefix, other, true);
	else
		delete_row(registry, row);
}

/* Claim a prefix, or mark it contested when another table has it. */
static void
claim_prefix(Relation registry, const char *prefix, Oid relid)
{
	HeapTuple	row;

	lock_prefix(registry, prefix);
	row = find_prefix(registry, prefix);
	if (!HeapTupleIsValid(row) || !OidIsValid(row_holder(registry, row)))
		write_row(registry, row, prefix, relid, false);
	else if (!DatumGetBool(row_value(registry, row, Anum_contested)))
		write_row(registry, row, prefix, row_holder(registry, row), true);
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
	Relation	registry = table_open(dbkit_own_relation("id_prefix"), RowExclusiveLock);
	HeapTuple	row = find_row(registry, RELATION_INDEX, Anum_relation, F_OIDEQ,
							   ObjectIdGetDatum(relid));

	if (HeapTupleIsValid(row))
	{
		char	   *old = TextDatumGetCString(row_value(registry, row, Anum_prefix));

		if (prefix != NULL && strcmp(old, prefix) == 0)
			prefix = NULL;		/* has it already */
		else
		{
			lock_prefix(registry, old);
			row = find_prefix(registry, old);
			if (HeapTupleIsValid(row))
				release_row(registry, row, old, relid);
		}
	}
	if (prefix != NULL)
		claim_prefix(registry, prefix, relid);
	table_close(registry, RowExclusiveLock);
}

PG_FUNCTION_INFO_V1(make_room);

/*
 * dbkit.make_room(prefix text, relation regclass) returns boolean
 *
 * Deletes the rows of that prefix and that table, for one that is being
 * inserted with SQL, as only a restore does: it says which of several tables
 * had the prefix first, while the event triggers saw them in the order of the
 * dump.  Is called by a CHECK constraint, which is judged before the row gets
 * into the unique indexes, and which pg_restore --disable-triggers leaves.
 * Needs DELETE on dbkit.id_prefix; errors: insufficient_privilege.
 */
Datum
make_room(PG_FUNCTION_ARGS)
{
	char	   *prefix = TextDatumGetCString(PG_GETARG_DATUM(0));
	Oid			relid = PG_GETARG_OID(1);
	Relation	registry = table_open(dbkit_own_relation("id_prefix"), RowExclusiveLock);
	AclResult	acl = pg_class_aclcheck(RelationGetRelid(registry), GetUserId(), ACL_DELETE);

	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_TABLE, RelationGetRelationName(registry));
	lock_prefix(registry, prefix);
	delete_row(registry, find_prefix(registry, prefix));
	delete_row(registry, find_row(registry, RELATION_INDEX, Anum_relation, F_OIDEQ,
								  ObjectIdGetDatum(relid)));
	table_close(registry, RowExclusiveLock);
	PG_RETURN_BOOL(true);
}

PG_FUNCTION_INFO_V1(register_prefix);

/*
 * dbkit.register_prefix(relation regclass) returns void
 *
 * Brings the registry up to date with a table that was created or changed
 * while the event triggers did not fire.  Errors: undefined_table;
 * read_only_sql_transaction.
 */
Datum
register_prefix(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Facts	   *facts;

	PreventCommandIfReadOnly("dbkit.register_prefix()");
	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	facts = dbkit_facts(RelationRelationId, relid, FACTS_STATEMENT);
	dbkit_registry_update(relid, facts != NULL ? facts->prefix : NULL);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(table_of);

/*
 * table_of(id text) returns regclass
 *
 * The table whose ids have the prefix of this one; NULL where there is none.
 * Errors: invalid_text_representation for a malformed id.
 */
Datum
table_of(PG_FUNCTION_ARGS)
{
	Datum		prefix = DirectFunctionCall1(id_prefix, PG_GETARG_DATUM(0));
	Oid			holder = dbkit_registry_holder(TextDatumGetCString(prefix));

	if (!OidIsValid(holder))
		PG_RETURN_NULL();
	PG_RETURN_OID(holder);
}
