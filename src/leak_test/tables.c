/*-------------------------------------------------------------------------
 *
 * tables.c
 *		The tables of a database: whose rows they hold, and what they reference.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/listed_names.h"
#include "leak_test/tables.h"
#include "relation_name.h"

/* Is the relation part of what is tested: neither PostgreSQL's nor an extension's nor temporary? */
static bool
is_tested(const FormData_pg_class *form)
{
	return form->oid >= FirstNormalObjectId && form->relpersistence != RELPERSISTENCE_TEMP &&
		!OidIsValid(getExtensionOfObject(RelationRelationId, form->oid));
}

/* List the oids of the relations of these kinds, in the order in which they were made. */
List *
dbkit_list_relations(const char *kinds)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;
	List	   *result = NIL;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if (strchr(kinds, form->relkind) != NULL && is_tested(form))
			result = lappend_oid(result, form->oid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	list_sort(result, list_oid_cmp);
	return result;
}

static bool
is_in(const List *names, const char *name)
{
	const ListCell *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

/* Does a column of this name say whose organization a row is? */
bool
dbkit_is_organization_column(const char *column)
{
	return is_in(dbkit_agreement()->organization_columns, column);
}

bool
dbkit_is_user_column(const char *column)
{
	return is_in(dbkit_agreement()->user_columns, column);
}

/* Find the first column that the test says yes to. */
static const char *
find_column(Relation relation, bool (*test) (const char *column))
{
	TupleDesc	desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (!attribute->attisdropped && test(NameStr(attribute->attname)))
			return pstrdup(NameStr(attribute->attname));
	}
	return NULL;
}

/*
 * Find the column that says whose a row is.  Where there is one for organizations, the one for
 * users says which member wrote the row, and not to whom it belongs.
 */
static const char *
find_tenant_column(Relation relation, const Table *table)
{
	const char *column = table->is_organizations ? "id" :
	find_column(relation, dbkit_is_organization_column);

	if (column == NULL && table->is_users)
		column = "id";
	return column != NULL ? column : find_column(relation, dbkit_is_user_column);
}

/* Partitions are of the kind that their root is of, whatever their names are. */
static Oid
root_of(Oid relid)
{
	while (get_rel_relispartition(relid))
	{
		Oid			parent = get_partition_parent(relid, true);

		if (!OidIsValid(parent))
			break;
		relid = parent;
	}
	return relid;
}

static Table *
read_table(Oid relid)
{
	Relation	relation = try_relation_open(relid, AccessShareLock);
	Table	   *table;

	if (relation == NULL)
		return NULL;
	table = palloc0(sizeof(Table));
	table->relid = relid;
	table->relkind = relation->rd_rel->relkind;
	table->owner = relation->rd_rel->relowner;
	table->name = dbkit_relation_name(relid);
	table->is_partition = relation->rd_rel->relispartition;
	table->is_organizations = dbkit_is_organization_table(&dbkit_now, root_of(relid));
	table->is_users = dbkit_is_user_table(&dbkit_now, root_of(relid));
	table->tenant_column = find_tenant_column(relation, table);
	relation_close(relation, NoLock);
	return table;
}

static const char **
column_names(Oid relid, const AttrNumber *attnums, int count)
{
	const char **result = palloc(sizeof(char *) * count);

	for (int i = 0; i < count; i++)
		result[i] = get_attname(relid, attnums[i], false);
	return result;
}

/* Read the foreign keys; where a partitioned table is referenced, the catalogs have more than one. */
static void
read_references(Table *table, const List *tables)
{
	Relation	relation = relation_open(table->relid, AccessShareLock);
	ListCell   *cell;

	/* A copy, since each look-up may have the original be read anew */
	foreach(cell, copyObject(RelationGetFKeyList(relation)))
	{
		ForeignKeyCacheInfo *key = lfirst(cell);
		Table	   *target = dbkit_find_leak_table(tables, key->confrelid);
		Reference  *reference;

		if (target == NULL || target->is_partition)
			continue;
		reference = palloc(sizeof(Reference));
		reference->name = get_constraint_name(key->conoid);
		reference->target = target;
		reference->ncolumns = key->nkeys;
		reference->columns = column_names(table->relid, key->conkey, key->nkeys);
		reference->target_columns = column_names(key->confrelid, key->confkey, key->nkeys);
		table->references = lappend(table->references, reference);
	}
	relation_close(relation, NoLock);
}

Table *
dbkit_find_leak_table(const List *tables, Oid relid)
{
	const ListCell *cell;

	foreach(cell, tables)
	{
		if (((Table *) lfirst(cell))->relid == relid)
			return lfirst(cell);
	}
	return NULL;
}

/* Put a table behind those that it references; where they reference each other, one has to begin. */
static List *
append_in_order(List *ordered, Table *table)
{
	ListCell   *cell;

	check_stack_depth();
	if (table->visited)
		return ordered;
	table->visited = true;
	foreach(cell, table->references)
		ordered = append_in_order(ordered, ((Reference *) lfirst(cell))->target);
	return lappend(ordered, table);
}

/* The rows are a tenant's if a column says so, or if they belong to a row that is a tenant's. */
static bool
belongs_to_tenants(const Table *table)
{
	ListCell   *cell;

	if (table->tenant_column != NULL)
		return true;
	foreach(cell, table->references)
	{
		if (((Reference *) lfirst(cell))->target->of_tenants)
			return true;
	}
	return false;
}

/* Read the tables among the relations; each comes after those that it references. */
List *
dbkit_read_tables(const List *relations)
{
	List	   *tables = NIL;
	List	   *ordered = NIL;
	const ListCell *cell;

	foreach(cell, relations)
	{
		Table	   *table = read_table(lfirst_oid(cell));

		if (table != NULL)
			tables = lappend(tables, table);
	}
	foreach(cell, tables)
		read_references(lfirst(cell), tables);
	foreach(cell, tables)
		ordered = append_in_order(ordered, lfirst(cell));
	foreach(cell, ordered)
	{
		Table	   *table = lfirst(cell);

		table->of_tenants = belongs_to_tenants(table);
	}
	return ordered;
}

/* Read the expressions or the condition of an index as they are stored; the relcache would evaluate them. */
static Node *
stored_node(HeapTuple index, AttrNumber attnum)
{
	bool		isnull;
	Datum		stored = SysCacheGetAttr(INDEXRELID, index, attnum, &isnull);

	return isnull ? NULL : stringToNode(TextDatumGetCString(stored));
}

/* Tell the columns that an index depends on, as pull_varattnos() does, from its row in the catalog. */
Bitmapset *
dbkit_index_columns(HeapTuple index)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(index);
	Bitmapset  *columns = NULL;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] != 0)
			columns = bms_add_member(columns, form->indkey.values[i] - FirstLowInvalidHeapAttributeNumber);
	}
	pull_varattnos(stored_node(index, Anum_pg_index_indexprs), 1, &columns);
	pull_varattnos(stored_node(index, Anum_pg_index_indpred), 1, &columns);
	return columns;
}
