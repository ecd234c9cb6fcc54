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

#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/like.h"

/* The last statement that had such a clause, and the root of what is named there */
static const Node *noted = NULL;
static Oid	model = InvalidOid;

/* Return a partitioned table, or the root of a partition; else InvalidOid. */
static Oid
root_of(Oid relid)
{
	List	   *ancestors = get_rel_relispartition(relid) ? get_partition_ancestors(relid) : NIL;

	/* which no permanent table can become a partition of */
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP)
		return InvalidOid;
	/* None where DETACH ... CONCURRENTLY is under way, or was broken off */
	if (ancestors != NIL)
		return llast_oid(ancestors);
	return get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? relid : InvalidOid;
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
