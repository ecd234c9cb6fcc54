/*-------------------------------------------------------------------------
 *
 * columns.c
 *		The columns of a table: types, defaults, domains, and what they reference.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/facts/columns.h"
#include "convention/facts/tree.h"
#include "convention/facts/type_walk.h"

/* Return the CHECK expressions of one domain: Node *, NULL for one that is not read. */
List *
dbkit_domain_checks(const Catalogs *catalogs, Oid domain)
{
	List	   *result = NIL;
	ScanKeyData key;
	HeapTuple	tuple;
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan;

	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(domain));
	scan = systable_beginscan(constraints, ConstraintTypidIndexId, true,
							  catalogs->snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		conbin = heap_getattr(tuple, Anum_pg_constraint_conbin,
										  RelationGetDescr(constraints), &isnull);

		if (!isnull && ((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_CHECK)
			result = lappend(result, dbkit_stored_tree(dbkit_stored_text(conbin)));
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	return result;
}

/*
 * Take over what one domain of a column says: its NOT NULL and CHECKs.  Only the
 * topmost one can give the column a default (see get_typdefault()).
 */
static void
read_domain(const Catalogs *catalogs, ColumnFacts *column, HeapTuple tuple)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	bool		isnull;
	Datum		value = dbkit_catalog_value(CATALOG_TYPE, tuple, Anum_pg_type_typdefaultbin, &isnull);

	column->not_null |= form->typnotnull;
	column->refuses_null |= form->typnotnull;
	/* Only ids are recognised by them */
	if (strcmp(column->name, "id") == 0)
		column->domain_checks = list_concat(column->domain_checks, dbkit_domain_checks(catalogs, form->oid));
	if (!isnull && form->oid == column->type)
		column->domain_default = dbkit_stored_text(value);
}

/* Take over what the domains of a column say. */
static void
read_domains_of(const Catalogs *catalogs, ColumnFacts *column)
{
	HeapTuple	tuple;
	bool		computed = column->identity || column->generated;

	while ((tuple = dbkit_catalog_row(catalogs, CATALOG_TYPE, column->base_type)) != NULL &&
		   ((Form_pg_type) GETSTRUCT(tuple))->typtype == TYPTYPE_DOMAIN)
	{
		if (!computed)
			read_domain(catalogs, column, tuple);
		column->base_type = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
	}
}

/* Take over what the domains of all columns say. */
void
dbkit_read_domains(Facts *facts)
{
	ListCell   *lc;

	foreach(lc, facts->read.columns)
	{
		ColumnFacts *column = lfirst(lc);

		/* The bootstrap catalogs have none */
		if (column->type >= FirstUnpinnedObjectId)
			read_domains_of(facts->catalogs, column);
	}
}

static ColumnFacts *
read_column(Form_pg_attribute att)
{
	ColumnFacts *column = palloc0(sizeof(ColumnFacts));

	column->attnum = att->attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->type = att->atttypid;
	column->typmod = att->atttypmod;
	column->base_type = att->atttypid;
	column->collation = att->attcollation;
	column->not_null = att->attnotnull;
	column->refuses_null = att->attnotnull;
	column->generated = att->attgenerated != '\0';
	column->inherited = att->attinhcount > 0;
	column->identity = att->attidentity != '\0';

	return column;
}

/* Read the columns and their defaults. */
void
dbkit_read_columns(Facts *facts, RowReader *reader)
{
	HeapTuple	row;
	ListCell   *lc;
	int			defaults = 0;

	while ((row = dbkit_next_row(reader, ROWS_COLUMN, facts->objid)) != NULL)
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(row);

		if (att->attisdropped)
			continue;
		facts->read.columns = lappend(facts->read.columns, read_column(att));
		defaults += att->atthasdef ? 1 : 0;
	}
	if (defaults == 0)
		return;

	/* Both come in the order of the columns' numbers */
	lc = list_head(facts->read.columns);
	while ((row = dbkit_next_row(reader, ROWS_DEFAULT, facts->objid)) != NULL)
	{
		AttrNumber	attnum = ((Form_pg_attrdef) GETSTRUCT(row))->adnum;

		while (lc != NULL && ((ColumnFacts *) lfirst(lc))->attnum < attnum)
			lc = lnext(facts->read.columns, lc);
		if (lc != NULL && ((ColumnFacts *) lfirst(lc))->attnum == attnum)
			((ColumnFacts *) lfirst(lc))->expression =
				dbkit_row_expression(reader, ROWS_DEFAULT, Anum_pg_attrdef_adbin);
	}
}

/* Return a column's default as stored, or where it has none its domain's, or NULL. */
static const char *
stored_default(const ColumnFacts *column)
{
	if (column->generated)
		return NULL;
	return column->expression != NULL ? column->expression : column->domain_default;
}

/* Has the column or its domain a default?  A generated column has none. */
bool
dbkit_column_has_default(const ColumnFacts *column)
{
	return stored_default(column) != NULL;
}

/* Return the expression of that default, or NULL where there is none that can be read. */
Node *
dbkit_column_default(const ColumnFacts *column)
{
	const char *stored = stored_default(column);

	return stored != NULL ? dbkit_stored_tree(stored) : NULL;
}

/* Return the sequence of a serial column, or InvalidOid. */
Oid
dbkit_column_sequence(const Facts *facts, const ColumnFacts *column)
{
	List	   *owned = column->expression != NULL ? getOwnedSequences(facts->objid) : NIL;
	ListCell   *lc;

	foreach(lc, owned)
	{
		Oid			table;
		int32		attnum;

		if (sequenceIsOwned(lfirst_oid(lc), DEPENDENCY_AUTO, &table, &attnum) &&
			attnum == column->attnum)
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

/* Return the foreign key that a column belongs to, and its place in it, or NULL. */
static const ForeignKeyFacts *
find_foreign_key(const Facts *facts, const ColumnFacts *column, int *place)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);

		for (*place = 0; *place < list_length(key->columns); (*place)++)
		{
			if (list_nth_int(key->columns, *place) == column->attnum)
				return key;
		}
	}
	return NULL;
}

/* Is the column part of a foreign key? */
bool
dbkit_is_reference(const Facts *facts, const ColumnFacts *column)
{
	int			place;

	return find_foreign_key(facts, column, &place) != NULL;
}

/*
 * Read the type and collation of the column that the one at that place of a foreign key references;
 * false where it is gone.
 */
bool
dbkit_find_referenced(const Facts *facts, const ForeignKeyFacts *key, int place, ColumnFacts *referenced)
{
	memset(referenced, 0, sizeof(ColumnFacts));
	if (place >= list_length(key->referenced_columns) ||
		!dbkit_catalog_column(facts->catalogs, key->referenced, list_nth_int(key->referenced_columns, place),
							  &referenced->type, &referenced->collation))
		return false;
	referenced->base_type = dbkit_base_type(facts->catalogs, referenced->type);
	return true;
}

/* The same for a column, by its first foreign key; false where it has none. */
bool
dbkit_find_reference(const Facts *facts, const ColumnFacts *column, ColumnFacts *referenced)
{
	int			place;
	const ForeignKeyFacts *key = find_foreign_key(facts, column, &place);

	return key != NULL && dbkit_find_referenced(facts, key, place, referenced);
}
