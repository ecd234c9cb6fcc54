/*-------------------------------------------------------------------------
 *
 * dependents.c
 *		What else a change of a table's columns would concern.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/dependency.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/hsearch.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/dependents.h"
#include "convention/facts/expression.h"
#include "convention/facts/tree.h"

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
const List *
dbkit_with_children(const Facts *facts)
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
	foreach(lc, dbkit_with_children(facts))
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

	foreach(lc, dbkit_with_children(facts))
	{
		if (lfirst_oid(lc) != facts->objid &&
			dbkit_catalog_attnum(facts->catalogs, lfirst_oid(lc), column) != InvalidAttrNumber)
			return true;
	}
	return false;
}

/*
 * Has a child of the table, or one of its children, the column from a parent that is none of these, too?
 * PostgreSQL renames it and changes its type only together with that of all parents.
 */
bool
dbkit_child_has_other_parent(const Facts *facts, const char *column)
{
	const List *members = facts->partitioned ? NIL : dbkit_with_children(facts);
	ListCell   *lc;

	for_each_from(lc, members, 1)
	{
		List	   *parents = list_difference_oid(dbkit_catalog_parents(facts->catalogs, lfirst_oid(lc)), members);
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		foreach(cell, parents)
		{
			if (dbkit_catalog_attnum(facts->catalogs, lfirst_oid(cell), column) != InvalidAttrNumber)
				return true;
		}
	}
	return false;
}

/* A column of one table that is to be of another type */
typedef struct Retyped
{
	const Catalogs *catalogs;
	Oid			relid;
	AttrNumber	attnum;
	Oid			type;
	Oid			target;
} Retyped;

/*
 * Is the column part of how the table is partitioned?  The catalog is asked: the relcache folds the key's
 * expressions, which would run functions of its owner.
 */
static bool
is_partition_key(const Retyped *column)
{
	HeapTuple	row = dbkit_catalog_row(column->catalogs, CATALOG_PARTITIONED, column->relid);
	Form_pg_partitioned_table form = row != NULL ? (Form_pg_partitioned_table) GETSTRUCT(row) : NULL;
	Bitmapset  *columns = NULL;
	bool		isnull;
	Datum		expressions;

	if (row == NULL)
		return false;
	for (int i = 0; i < form->partnatts; i++)
		columns = bms_add_member(columns, form->partattrs.values[i] - FirstLowInvalidHeapAttributeNumber);
	expressions = dbkit_catalog_value(CATALOG_PARTITIONED, row, Anum_pg_partitioned_table_partexprs, &isnull);
	if (!isnull)
		pull_varattnos(dbkit_stored_tree(dbkit_stored_text(expressions)), 1, &columns);
	return bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, columns);
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

/*
 * Read the expressions of an index or a CHECK into a list; NIL for any other object.  One that cannot be
 * read is NULL.
 */
static List *
read_expressions(const Catalogs *catalogs, const ObjectAddress *object)
{
	static const struct
	{
		Oid			classid;
		CatalogKind kind;
		AttrNumber	attnum;
	}			fields[] = {
		{RelationRelationId, CATALOG_INDEX, Anum_pg_index_indexprs},
		{RelationRelationId, CATALOG_INDEX, Anum_pg_index_indpred},
		{ConstraintRelationId, CATALOG_CONSTRAINT, Anum_pg_constraint_conbin},
	};
	List	   *result = NIL;

	for (size_t i = 0; i < lengthof(fields); i++)
	{
		HeapTuple	row = fields[i].classid == object->classId ?
		dbkit_catalog_row(catalogs, fields[i].kind, object->objectId) : NULL;
		bool		isnull = true;
		Datum		stored = row != NULL ? dbkit_catalog_value(fields[i].kind, row, fields[i].attnum, &isnull) : 0;
		Node	   *tree = isnull ? NULL : dbkit_stored_tree(dbkit_stored_text(stored));

		if (!isnull)
			result = tree != NULL && IsA(tree, List) ? list_concat(result, (List *) tree) : lappend(result, tree);
	}
	return result;
}

/*
 * Does an index or a CHECK have an expression that has no meaning for the new type, or another one?  Expressions
 * are parsed anew.  Then there are operators for values of both types, where these are alike, but a function of
 * exactly the old type may have no like.  What is immutable for a timestamp without time zone, as an index
 * needs it, often is not for one with.
 */
static bool
has_other_meaning(const Retyped *column, const ObjectAddress *user)
{
	const bool	integers = (column->type == INT2OID || column->type == INT4OID) && column->target == INT8OID;
	const bool	times = column->type == TIMESTAMPOID && column->target == TIMESTAMPTZOID;
	List	   *expressions;

	if (column->type == column->target || (column->type == VARCHAROID && column->target == TEXTOID))
		return false;
	expressions = read_expressions(column->catalogs, user);
	if (!integers && !(times && user->classId == ConstraintRelationId))
		return expressions != NIL;
	return list_member_ptr(expressions, NULL) || dbkit_uses_type(expressions, column->attnum, true);
}

/*
 * Does PostgreSQL refuse to change the type of a column because of one that depends on it
 * (ATExecAlterColumnType)?
 */
static bool
is_obstacle(const Retyped *column, const ObjectAddress *user)
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
	return has_other_meaning(column, user) ||
		has_other_class(column->catalogs, user, column->attnum, column->target);
}

/* Is a default, which follows the column to the type with time zone, the time of whoever inserts then, and not a point in time? */
static bool
is_local_time(const char *stored)
{
	Node	   *value = dbkit_stored_tree(stored);

	return value == NULL || exprType(strip_implicit_coercions(value)) != TIMESTAMPTZOID;
}

/* Does something that depends on a column of a table, or how that gets its value, keep it from being of another type? */
static bool
has_obstacle(const Retyped *column, bool new_default)
{
	Oid			own_default;
	const char *value = dbkit_catalog_default(column->catalogs, column->relid, column->attnum, &own_default);
	ListCell   *lc;

	foreach(lc, dbkit_catalog_dependents(column->catalogs, RelationRelationId, column->relid, column->attnum, false))
	{
		const ObjectAddress *user = lfirst(lc);

		/* An expression of another column is what that is generated from */
		if (user->classId == AttrDefaultRelationId ? user->objectId != own_default : is_obstacle(column, user))
			return true;
	}
	return column->target == TIMESTAMPTZOID && value != NULL && !new_default && is_local_time(value);
}

/*
 * Does PostgreSQL refuse to change the type of the column to that one, in the table or in one of its children,
 * or would something mean something else then?  Its default may be about to be replaced, in all of them.
 */
bool
dbkit_keeps_type(const Facts *facts, const ColumnFacts *column, Oid target, bool new_default)
{
	ListCell   *lc;

	if (dbkit_child_has_other_parent(facts, column->name))
		return true;
	foreach(lc, dbkit_with_children(facts))
	{
		Oid			relid = lfirst_oid(lc);
		const Retyped retyped = {facts->catalogs, relid, dbkit_catalog_attnum(facts->catalogs, relid, column->name), column->base_type, target};

		CHECK_FOR_INTERRUPTS();
		if ((facts->partitioned && is_partition_key(&retyped)) || has_obstacle(&retyped, new_default))
			return true;
	}
	return dbkit_row_type_use(facts) == ROW_TYPE_IN_COLUMN;
}
