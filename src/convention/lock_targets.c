/*-------------------------------------------------------------------------
 *
 * lock_targets.c
 *		Which tables a statement is about to lock against others.
 *
 * They are read from the statement as it was parsed, before it waits for any of them:
 * nothing is locked, and a name may stand for another table, or none, a moment later.
 * What CASCADE adds is not known so early.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/tablecmds.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/lock_targets.h"
#include "lock/own_locks.h"
#include "statement_option.h"

/* Add a relation, or of an index its table, if it is there and the mode blocks others. */
static void
add(List **targets, RangeVar *name, LOCKMODE mode)
{
	Oid			relid;
	char		relkind;
	LockTarget *target;

	if (name == NULL || mode < WEAKEST_BLOCKING_LOCK)
		return;
	relid = RangeVarGetRelid(name, NoLock, true);
	relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';
	if (relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX)
		relid = IndexGetRelation(relid, true);
	if (!OidIsValid(relid))
		return;
	target = palloc(sizeof(LockTarget));
	target->relid = relid;
	target->mode = mode;
	*targets = lappend(*targets, target);
}

/* Add the tables of a list of RangeVar. */
static void
add_all(List **targets, const List *names, LOCKMODE mode)
{
	ListCell   *lc;

	foreach(lc, names)
		add(targets, lfirst(lc), mode);
}

/* Add the tables that foreign keys among some constraints reference. */
static void
add_referenced(List **targets, const List *constraints)
{
	ListCell   *lc;

	foreach(lc, constraints)
	{
		const Constraint *constraint = lfirst(lc);

		if (IsA(constraint, Constraint) && constraint->contype == CONSTR_FOREIGN)
			add(targets, constraint->pktable, ShareRowExclusiveLock);
	}
}

/* Add those that a column or constraint of a table references, or a partition. */
static void
add_of_definition(List **targets, Node *definition)
{
	if (definition == NULL)
		return;
	if (IsA(definition, ColumnDef))
		add_referenced(targets, ((ColumnDef *) definition)->constraints);
	else if (IsA(definition, Constraint))
		add_referenced(targets, list_make1(definition));
	else if (IsA(definition, PartitionCmd) && !((PartitionCmd *) definition)->concurrent)
		add(targets, ((PartitionCmd *) definition)->name, AccessExclusiveLock);
}

static void
add_of_alter(List **targets, const AlterTableStmt *stmt)
{
	ListCell   *lc;

	add(targets, stmt->relation, AlterTableGetLockLevel(stmt->cmds));
	foreach(lc, stmt->cmds)
		add_of_definition(targets, lfirst_node(AlterTableCmd, lc)->def);
}

static void
add_of_create(List **targets, const CreateStmt *stmt)
{
	ListCell   *lc;

	if (stmt->partbound != NULL)
		add_all(targets, stmt->inhRelations, AccessExclusiveLock);
	foreach(lc, stmt->tableElts)
		add_of_definition(targets, lfirst(lc));
}

/* Add the tables that are dropped, or that something of them is. */
static void
add_of_drop(List **targets, const DropStmt *stmt)
{
	ListCell   *lc;
	bool		of_table = stmt->removeType == OBJECT_TRIGGER || stmt->removeType == OBJECT_POLICY ||
	stmt->removeType == OBJECT_RULE;

	if (!of_table && (stmt->concurrent || (stmt->removeType != OBJECT_TABLE &&
										   stmt->removeType != OBJECT_MATVIEW && stmt->removeType != OBJECT_INDEX)))
		return;
	foreach(lc, stmt->objects)
	{
		List	   *name = list_copy(lfirst_node(List, lc));

		if (of_table)
			name = list_truncate(name, list_length(name) - 1);
		add(targets, makeRangeVarFromNameList(name), AccessExclusiveLock);
	}
}

static void
add_of_rename(List **targets, const RenameStmt *stmt)
{
	/*
	 * ShareUpdateExclusiveLock is enough for an index (RenameRelation in
	 * tablecmds.c)
	 */
	if (stmt->renameType != OBJECT_INDEX)
		add(targets, stmt->relation, AccessExclusiveLock);
}

static void
add_of_vacuum(List **targets, const VacuumStmt *stmt)
{
	ListCell   *lc;

	if (!stmt->is_vacuumcmd || !dbkit_has_option(stmt->options, "full") || dbkit_has_option(stmt->options, "skip_locked"))
		return;
	foreach(lc, stmt->rels)
		add(targets, lfirst_node(VacuumRelation, lc)->relation, AccessExclusiveLock);
}

static void
add_of_lock(List **targets, const LockStmt *stmt)
{
	/* NOWAIT does not wait */
	if (!stmt->nowait)
		add_all(targets, stmt->relations, stmt->mode);
}

/* List the tables that a statement is about to lock so that others wait, as LockTarget. */
List *
dbkit_lock_targets(Node *statement)
{
	List	   *targets = NIL;

	switch (nodeTag(statement))
	{
		case T_AlterTableStmt:
			add_of_alter(&targets, (const AlterTableStmt *) statement);
			break;
		case T_CreateStmt:
			add_of_create(&targets, (const CreateStmt *) statement);
			break;
		case T_DropStmt:
			add_of_drop(&targets, (const DropStmt *) statement);
			break;
		case T_RenameStmt:
			add_of_rename(&targets, (const RenameStmt *) statement);
			break;
		case T_VacuumStmt:
			add_of_vacuum(&targets, (const VacuumStmt *) statement);
			break;
		case T_LockStmt:
			add_of_lock(&targets, (const LockStmt *) statement);
			break;
		case T_TruncateStmt:
			add_all(&targets, ((const TruncateStmt *) statement)->relations, AccessExclusiveLock);
			break;
		case T_IndexStmt:
			if (!((const IndexStmt *) statement)->concurrent)
				add(&targets, ((const IndexStmt *) statement)->relation, ShareLock);
			break;
		case T_ReindexStmt:
			if (!dbkit_has_option(((const ReindexStmt *) statement)->params, "concurrently"))
				add(&targets, ((const ReindexStmt *) statement)->relation, ShareLock);
			break;
		case T_RefreshMatViewStmt:
			add(&targets, ((const RefreshMatViewStmt *) statement)->relation,
				((const RefreshMatViewStmt *) statement)->concurrent ? NoLock : AccessExclusiveLock);
			break;
		case T_CreateTrigStmt:
			add(&targets, ((const CreateTrigStmt *) statement)->relation, ShareRowExclusiveLock);
			break;
		case T_CreatePolicyStmt:
			add(&targets, ((const CreatePolicyStmt *) statement)->table, AccessExclusiveLock);
			break;
		case T_AlterPolicyStmt:
			add(&targets, ((const AlterPolicyStmt *) statement)->table, AccessExclusiveLock);
			break;
		case T_RuleStmt:
			add(&targets, ((const RuleStmt *) statement)->relation, AccessExclusiveLock);
			break;
		case T_ClusterStmt:
			add(&targets, ((const ClusterStmt *) statement)->relation, AccessExclusiveLock);
			break;
		case T_AlterObjectSchemaStmt:
			add(&targets, ((const AlterObjectSchemaStmt *) statement)->relation, AccessExclusiveLock);
			break;
		default:
			break;
	}
	return targets;
}
