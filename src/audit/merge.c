/*-------------------------------------------------------------------------
 *
 * merge.c
 *		See rows that a MERGE moves between partitions.
 *
 * Such a row goes into the transition tables of DELETE and INSERT (ExecDelete() and
 * ExecInsert() in executor/nodeModifyTable.c, where only an UPDATE counts as one).
 * Without such an action in the MERGE nobody would fire the triggers that read these.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

#include "common.h"
#include "audit/audited.h"
#include "audit/merge.h"

static ExecutorStart_hook_type next_ExecutorStart = NULL;

/* Have a MERGE into an audited table with partitions fire the triggers of all its rows. */
static void
fire_all(ModifyTableState *state)
{
	Relation	target = state->rootResultRelInfo->ri_RelationDesc;

	if (state->operation == CMD_MERGE && (state->mt_merge_subcommands & MERGE_UPDATE) != 0 &&
		target->rd_rel->relkind == RELKIND_PARTITIONED_TABLE && dbkit_is_audited(RelationGetRelid(target)))
		state->mt_merge_subcommands |= MERGE_INSERT | MERGE_DELETE;
}

static void
merge_ExecutorStart(QueryDesc *queryDesc, int eflags)
{
	ListCell   *cell;

	(next_ExecutorStart ? next_ExecutorStart : standard_ExecutorStart) (queryDesc, eflags);
	if (queryDesc->operation == CMD_MERGE && queryDesc->planstate != NULL && IsA(queryDesc->planstate, ModifyTableState))
		fire_all((ModifyTableState *) queryDesc->planstate);
	foreach(cell, queryDesc->estate != NULL ? queryDesc->estate->es_auxmodifytables : NIL)
	{
		if (IsA(lfirst(cell), ModifyTableState))
			fire_all(lfirst(cell));
	}
}

void
dbkit_audit_merge_init(void)
{
	next_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = merge_ExecutorStart;
}
