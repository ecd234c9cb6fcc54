/*-------------------------------------------------------------------------
 *
 * dependents.c
 *		What else a change of a table's columns would concern.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/hsearch.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/dependents.h"

/* Return the worse of what is known and of how the types that are parts of an object are used. */
static RowTypeUse
add_use_of_types(const Catalogs *catalogs, Oid classid, Oid objid, RowTypeUse known)
{
	ListCell   *lc;

	foreach(lc, dbkit_catalog_dependents(catalogs, classid, objid, 0, true))
	{
		const ObjectAddress *type = lfirst(lc);
		ListCell   *cell;

		if (type->classId != TypeRelationId)
			continue;
		foreach(cell, dbkit_catalog_dependents(catalogs, TypeRelationId, type->objectId, 0, false))
		{
			const ObjectAddress *user = lfirst(cell);

			known = Max(known, user->classId == RelationRelationId && user->objectSubId != 0 ?
						ROW_TYPE_IN_COLUMN : ROW_TYPE_IN_FUNCTION);
		}

		/* Of a row type that is the type of its arrays */
		known = add_use_of_types(catalogs, TypeRelationId, type->objectId, known);
	}
	return known;
}

/* Append what the hash table has not seen yet. */
static List *
append_new(List *list, const List *oids, HTAB *seen)
{
	ListCell   *lc;

	foreach(lc, oids)
	{
		bool		found;

		hash_search(seen, &lfirst_oid(lc), HASH_ENTER, &found);
		if (!found)
			list = lappend_oid(list, lfirst_oid(lc));
	}
	return list;
}

/* List a table and all below it, of which there may be thousands. */
static List *
find_members(const Catalogs *catalogs, Oid relid)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid),.entrysize = sizeof(Oid),.hcxt = CurrentMemoryContext};
	List	   *result = list_make1_oid(relid);
	List	   *children = dbkit_catalog_children(catalogs, relid);
	HTAB	   *seen;

	if (children == NIL)
		return result;
	seen = hash_create("dbkit children", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	result = append_new(result, children, seen);
	for (int i = 1; i < list_length(result); i++)
	{
		CHECK_FOR_INTERRUPTS();
		result = append_new(result, dbkit_catalog_children(catalogs, list_nth_oid(result, i)), seen);
	}
	hash_destroy(seen);
	return result;
}

/* List a table and all its children: what is done to its columns is done to theirs.  Many findings ask. */
static const List *
with_children(const Facts *facts)
{
	FactsRead  *read = (FactsRead *) &facts->read;

	if (read->members == NIL)
		read->members = find_members(facts->catalogs, facts->objid);
	return read->members;
}

/*
 * Tell where the type of the table's rows, or an array of them, is used.  The system caches,
 * which would keep it for every table that is checked, are not asked for the type.
 */
RowTypeUse
dbkit_row_type_use(const Facts *facts)
{
	FactsRead  *read = (FactsRead *) &facts->read;
	RowTypeUse	result = ROW_TYPE_UNUSED;
	ListCell   *lc;

	if (read->row_type_use_known)
		return read->row_type_use;
	foreach(lc, with_children(facts))
		result = add_use_of_types(facts->catalogs, RelationRelationId, lfirst_oid(lc), result);
	read->row_type_use = result;
	read->row_type_use_known = true;
	return result;
}

/*
 * Is the table published?  Its subscribers stop at a row with a column that they have not.  The
 * system caches are asked only if anything is.
 */
bool
dbkit_is_published(const Facts *facts)
{
	HeapTuple	row = dbkit_catalog_has_rows(facts->catalogs, PublicationRelationId) ?
	dbkit_catalog_row(facts->catalogs, CATALOG_RELATION, facts->objid) : NULL;

	return row != NULL && (GetAllTablesPublications() != NIL || GetRelationPublications(facts->objid) != NIL ||
						   GetSchemaPublications(((Form_pg_class) GETSTRUCT(row))->relnamespace) != NIL);
}

/* Has a child of the table, or one of its children, a column of that name? */
bool
dbkit_child_has_column(const Facts *facts, const char *column)
{
	ListCell   *lc;

	foreach(lc, with_children(facts))
	{
		if (lfirst_oid(lc) != facts->objid &&
			dbkit_catalog_attnum(facts->catalogs, lfirst_oid(lc), column) != InvalidAttrNumber)
			return true;
	}
	return false;
}

/* Is it an index with an expression or a condition? */
static bool
is_expression_index(const Catalogs *catalogs, const ObjectAddress *object)
{
	HeapTuple	row = object->classId == RelationRelationId ?
	dbkit_catalog_row(catalogs, CATALOG_INDEX, object->objectId) : NULL;

	return row != NULL && (!heap_attisnull(row, Anum_pg_index_indexprs, NULL) ||
						   !heap_attisnull(row, Anum_pg_index_indpred, NULL));
}

/* Is an operator class that was named one that a type does not have?  The default one becomes that of the type. */
static bool
is_other_class(const Catalogs *catalogs, Oid operator_class, Oid type)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_OPERATOR_CLASS, operator_class);

	return row != NULL && !((Form_pg_opclass) GETSTRUCT(row))->opcdefault &&
		((Form_pg_opclass) GETSTRUCT(row))->opcintype != type;
}

/* Is it an index that has a column with such an operator class? */
static bool
has_other_class(const Catalogs *catalogs, const ObjectAddress *object, AttrNumber attnum, Oid type)
{
	HeapTuple	row = object->classId == RelationRelationId ?
	dbkit_catalog_row(catalogs, CATALOG_INDEX, object->objectId) : NULL;
	Form_pg_index form = row != NULL ? (Form_pg_index) GETSTRUCT(row) : NULL;
	bool		isnull;
	oidvector  *classes = row != NULL ?
	(oidvector *) DatumGetPointer(dbkit_catalog_value(CATALOG_INDEX, row, Anum_pg_index_indclass, &isnull)) : NULL;

	for (int i = 0; row != NULL && i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] == attnum && is_other_class(catalogs, classes->values[i], type))
			return true;
	}
	return false;
}

static bool
is_check(const Catalogs *catalogs, const ObjectAddress *object)
{
	HeapTuple	row = object->classId == ConstraintRelationId ?
	dbkit_catalog_row(catalogs, CATALOG_CONSTRAINT, object->objectId) : NULL;

	return row != NULL && ((Form_pg_constraint) GETSTRUCT(row))->contype == CONSTRAINT_CHECK;
}

/* Does an expression of values of the one type mean the same of values of the other? */
static bool
is_kin(Oid type, Oid target)
{
	return type == target || ((type == INT2OID || type == INT4OID) && target == INT8OID) ||
		(type == VARCHAROID && target == TEXTOID);
}

/*
 * Does PostgreSQL refuse to change the type of a column because of one that depends on it
 * (ATExecAlterColumnType)?  Expressions are parsed anew, with operators of the new type, if
 * there are such; and what is immutable for a timestamp without time zone, as an index
 * needs it, often is not for one with.
 */
static bool
is_obstacle(const Catalogs *catalogs, const ObjectAddress *user, Oid type, Oid target)
{
	static const Oid classes[] = {
		ProcedureRelationId, RewriteRelationId, TriggerRelationId, PolicyRelationId,
		PublicationRelRelationId
	};

	for (size_t i = 0; i < lengthof(classes); i++)
	{
		if (user->classId == classes[i])
			return true;
	}
	return !is_kin(type, target) &&
		(is_expression_index(catalogs, user) ||
		 (is_check(catalogs, user) && !(type == TIMESTAMPOID && target == TIMESTAMPTZOID)));
}

/* Does something that depends on a column of a table keep it from being of another type? */
static bool
has_obstacle(const Catalogs *catalogs, Oid relid, AttrNumber attnum, Oid type, Oid target)
{
	ListCell   *lc;

	foreach(lc, dbkit_catalog_dependents(catalogs, RelationRelationId, relid, attnum, false))
	{
		if (is_obstacle(catalogs, lfirst(lc), type, target) ||
			has_other_class(catalogs, lfirst(lc), attnum, target))
			return true;
	}
	return false;
}

/* The same of the column in the table or in one of its children. */
bool
dbkit_keeps_type(const Facts *facts, const ColumnFacts *column, Oid target)
{
	ListCell   *lc;

	foreach(lc, with_children(facts))
	{
		AttrNumber	attnum = dbkit_catalog_attnum(facts->catalogs, lfirst_oid(lc), column->name);

		CHECK_FOR_INTERRUPTS();
		if (has_obstacle(facts->catalogs, lfirst_oid(lc), attnum, column->base_type, target))
			return true;
	}
	return dbkit_row_type_use(facts) == ROW_TYPE_IN_COLUMN;
}
