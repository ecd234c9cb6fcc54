/*-------------------------------------------------------------------------
 *
 * breaking.c
 *		Judge renames and drops of what a running application may use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/change/change.h"

/* Was the relation there before this transaction? */
static bool
was_there(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		result;

	if (rel == NULL)
		return false;
	result = rel->rd_createSubid == InvalidSubTransactionId;
	relation_close(rel, AccessShareLock);
	return result;
}

/*
 * Judge what happens to a name.  A view has no size; a partition is no name that applications use.
 */
static void
judge_name(LiveChange *change, UnsafeChange unsafe, const RangeVar *name, const char *column)
{
	Oid			relid = name != NULL ? RangeVarGetRelid(name, NoLock, true) : InvalidOid;

	if (!dbkit_meet_table(change, relid, true) || get_rel_relispartition(relid) || !was_there(relid))
		return;
	if (get_rel_relkind(relid) == RELKIND_VIEW)
		change->size = 1;
	dbkit_find_unsafe(change, unsafe, change->size, column);
}

/* Is it a kind of object that has rows? */
static bool
has_rows(ObjectType type)
{
	return type == OBJECT_TABLE || type == OBJECT_VIEW || type == OBJECT_MATVIEW;
}

static void
judge_rename(LiveChange *change)
{
	const RenameStmt *rename = (const RenameStmt *) change->statement;

	if (has_rows(rename->renameType))
		judge_name(change, BREAKING_RENAME, rename->relation, NULL);
	else if (rename->renameType == OBJECT_COLUMN && has_rows(rename->relationType))
		judge_name(change, BREAKING_RENAME, rename->relation, rename->subname);
}

static void
judge_drop(LiveChange *change)
{
	const DropStmt *drop = (const DropStmt *) change->statement;
	ListCell   *lc;

	foreach(lc, has_rows(drop->removeType) ? drop->objects : NIL)
		judge_name(change, BREAKING_DROP, makeRangeVarFromNameList(lfirst(lc)), NULL);
}

/* Judge RENAME, SET SCHEMA or DROP. */
void
dbkit_judge_breaking(LiveChange *change)
{
	const AlterObjectSchemaStmt *move = (const AlterObjectSchemaStmt *) change->statement;

	if (IsA(change->statement, RenameStmt))
		judge_rename(change);
	else if (IsA(change->statement, DropStmt))
		judge_drop(change);
	else if (has_rows(move->objectType))
		judge_name(change, BREAKING_RENAME, move->relation, NULL);
}
