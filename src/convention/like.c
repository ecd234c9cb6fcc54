/*-------------------------------------------------------------------------
 *
 * like.c
 *		Know which table is made LIKE a partitioned one.
 *
 * Such a table is about to be a partition.  When the statement ends, the LIKE clause
 * is gone from its tree (transformCreateStmt()), so it is noted before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "nodes/parsenodes.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/like.h"

/* The last statement that had such a clause, and the root of what is named there */
static const Node *noted = NULL;
static Oid	model = InvalidOid;

/* Return a partitioned table, or the root of a partition; else InvalidOid. */
static Oid
root_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	List	   *ancestors;
	Oid			result = InvalidOid;

	/* No such table: the statement itself will say so */
	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	ancestors = ((Form_pg_class) GETSTRUCT(tuple))->relispartition ? get_partition_ancestors(relid) : NIL;
	/* None where DETACH ... CONCURRENTLY is under way, or was broken off */
	if (ancestors != NIL)
		result = llast_oid(ancestors);
	else if (((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_PARTITIONED_TABLE)
		result = relid;
	/* No permanent table can become a partition of a temporary one */
	if (((Form_pg_class) GETSTRUCT(tuple))->relpersistence == RELPERSISTENCE_TEMP)
		result = InvalidOid;
	ReleaseSysCache(tuple);
	return result;
}

/* Note which partitioned table a CREATE TABLE names that begins, in a LIKE clause, if any. */
void
dbkit_note_model(const Node *statement)
{
	ListCell   *lc;

	if (!IsA(statement, CreateStmt))
		return;
	if (noted == statement)
		noted = NULL;			/* one that failed had been there */
	foreach(lc, ((const CreateStmt *) statement)->tableElts)
	{
		Oid			root;

		if (!IsA(lfirst(lc), TableLikeClause))
			continue;
		root = root_of(RangeVarGetRelid(lfirst_node(TableLikeClause, lc)->relation, NoLock, true));
		if (!OidIsValid(root))
			continue;
		noted = statement;
		model = root;
	}
}

/* Return that table at the end of the statement, or InvalidOid. */
Oid
dbkit_model_of(const Node *statement)
{
	if (noted == NULL || noted != statement)
		return InvalidOid;
	noted = NULL;
	return model;
}
