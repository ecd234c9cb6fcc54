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
#include "catalog/pg_index.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication_rel.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/dependents.h"

/* Return the worse of what is known and of how a type is used itself. */
static RowTypeUse
add_use_of_type(const Catalogs *catalogs, Oid type, RowTypeUse known)
{
	ListCell   *lc;

	foreach(lc, dbkit_catalog_dependents(catalogs, TypeRelationId, type, 0))
	{
		const ObjectAddress *user = lfirst(lc);

		if (user->classId == RelationRelationId && user->objectSubId != 0)
			return ROW_TYPE_IN_COLUMN;
		if (user->classId != TypeRelationId)
			known = ROW_TYPE_IN_FUNCTION;
	}
	return known;
}

/* Tell where the type of the table's rows, or an array of them, is used. */
RowTypeUse
dbkit_row_type_use(const Facts *facts)
{
	HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_RELATION, facts->objid);
	Form_pg_type type = row == NULL ? NULL :
		dbkit_catalog_type(facts->catalogs, ((Form_pg_class) GETSTRUCT(row))->reltype);

	if (type == NULL)
		return ROW_TYPE_UNUSED;
	return add_use_of_type(facts->catalogs, type->typarray,
						   add_use_of_type(facts->catalogs, type->oid, ROW_TYPE_UNUSED));
}

/* Does the relation have an expression, of an index, that reads the column? */
static bool
is_expression_index(const Catalogs *catalogs, Oid relid)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_INDEX, relid);

	return row != NULL && (!heap_attisnull(row, Anum_pg_index_indexprs, NULL) ||
						   !heap_attisnull(row, Anum_pg_index_indpred, NULL));
}

/*
 * Does PostgreSQL refuse to change the type of a column because of one that depends on it
 * (ATExecAlterColumnType)?  An index on an expression is built anew; what is immutable for a
 * timestamp without time zone often is not for one with.
 */
static bool
is_obstacle(const Catalogs *catalogs, const ObjectAddress *user, Oid target)
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
	return user->classId == RelationRelationId && target == TIMESTAMPTZOID &&
		is_expression_index(catalogs, user->objectId);
}

/* Does something that depends on the column keep it from being of another type? */
bool
dbkit_keeps_type(const Facts *facts, const ColumnFacts *column, Oid target)
{
	ListCell   *lc;

	foreach(lc, dbkit_catalog_dependents(facts->catalogs, RelationRelationId, facts->objid, column->attnum))
	{
		if (is_obstacle(facts->catalogs, lfirst(lc), target))
			return true;
	}
	return dbkit_row_type_use(facts) == ROW_TYPE_IN_COLUMN;
}
