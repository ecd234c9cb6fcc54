/*-------------------------------------------------------------------------
 *
 * audit.c
 *		Is the log of changes sealed, and has it partitions for the months to come?
 *
 * The log may have a row for each row that was ever changed, and nothing says which
 * of them are sealed but to read them.  Rows are added at its end, though, and so are
 * seals: what matters is in the first and the last row of each table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common.h"
#include "audit/log.h"
#include "audit/months.h"
#include "health/health.h"

/* Fewer of them are worth a warning */
#define MONTHS_NEEDED	2

/*
 * Read the column "at" of the first or the last row of a table that is locked.  What is not
 * committed yet counts as well: behind what a long transaction writes, no row would be found soon.
 */
static bool
read_edge(Relation rel, ScanDirection direction, TimestampTz *at)
{
	AttrNumber	column = get_attnum(RelationGetRelid(rel), "at");
	SnapshotData dirty;
	TableScanDesc scan;
	TupleTableSlot *slot;
	bool		found;

	if (column == InvalidAttrNumber || get_atttype(RelationGetRelid(rel), column) != TIMESTAMPTZOID)
		return false;
	InitDirtySnapshot(dirty);
	/* From the edge on: a synchronized scan would begin where another one is */
	scan = table_beginscan_strat(rel, &dirty, 0, NULL, true, false);
	slot = table_slot_create(rel, NULL);
	found = table_scan_getnextslot(scan, direction, slot);
	if (found)
	{
		bool		isnull;

		*at = DatumGetTimestampTz(slot_getattr(slot, column, &isnull));
		found = !isnull;
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	return found;
}

/* Read the times in the first and the last row of a table; false where it has none, or somebody has locked it. */
static bool
read_edges(Oid relid, TimestampTz *first, TimestampTz *last)
{
	Relation	rel;
	bool		found = false;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return false;
	rel = try_relation_open(relid, NoLock);
	if (rel != NULL)
	{
		found = rel->rd_rel->relkind == RELKIND_RELATION &&
			read_edge(rel, ForwardScanDirection, first) && read_edge(rel, BackwardScanDirection, last);
		relation_close(rel, NoLock);
	}
	UnlockRelationOid(relid, AccessShareLock);
	return found;
}

/* Measure for how long no seal was made, if there are entries since. */
void
dbkit_measure_audit_seal(Measurement *result)
{
	Oid			log = dbkit_find_audit_table("audit_log");
	Oid			seals = dbkit_find_audit_table("audit_seals");
	TimestampTz oldest = DT_NOEND;
	TimestampTz newest = DT_NOBEGIN;
	TimestampTz since;
	TimestampTz first;
	TimestampTz last;
	ListCell   *cell;

	if (!OidIsValid(log) || !OidIsValid(seals))
		return;
	foreach(cell, find_inheritance_children(log, NoLock))
	{
		if (!read_edges(lfirst_oid(cell), &first, &last))
			continue;
		oldest = Min(oldest, first);
		newest = Max(newest, last);
	}
	since = read_edges(seals, &first, &last) ? last : oldest;
	if (newest >= since)
		result->number = Max(0, (double) (GetCurrentTimestamp() - since) / USECS_PER_SEC);
}

/* Measure how many of the next months have no partition; there is none but the default one before a table is audited. */
void
dbkit_measure_audit_months(Measurement *result)
{
	Oid			log = dbkit_find_audit_table("audit_log");

	if (OidIsValid(log) && list_length(find_inheritance_children(log, NoLock)) > 1)
		result->number = MONTHS_NEEDED - dbkit_count_audit_months(log, MONTHS_NEEDED);
}
