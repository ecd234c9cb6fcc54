/*-------------------------------------------------------------------------
 *
 * partition.c
 *		Have a row fall into a partition that exists.
 *
 * The bounds are read from the catalogs, where their values are constants; the relcache
 * would fold the expressions of the key.  Partitions by hash take any row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "common.h"
#include "partition_bound.h"
#include "test_data/constant.h"
#include "test_data/shape.h"

/* Return the columns of a table's partition key, 0 for an expression; NIL for a table that has none. */
static List *
key_columns(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(relid));
	List	   *result = NIL;
	Form_pg_partitioned_table form;

	if (!HeapTupleIsValid(tuple))
		return NIL;
	form = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	for (int i = 0; i < form->partnatts; i++)
		result = lappend_int(result, form->partattrs.values[i]);
	ReleaseSysCache(tuple);
	return result;
}

/* Return the column of the row that is made for a column of one of the tables above or below it, or NULL. */
static Slot *
slot_for(const Shape *shape, Oid relid, AttrNumber attnum)
{
	char	   *name = attnum > 0 ? get_attname(relid, attnum, true) : NULL;

	return name != NULL ? dbkit_find_slot(shape, name) : NULL;
}

/* Take over the values of a partition by list. */
static void
limit_to_list(Slot *slot, const PartitionBoundSpec *bound)
{
	List	   *texts = NIL;
	ListCell   *lc;

	foreach(lc, bound->listdatums)
	{
		char	   *text = dbkit_constant_text(lfirst(lc));

		if (text != NULL)
			texts = lappend(texts, text);
	}
	if (texts == NIL)
		return;
	slot->limits.listed = slot->limits.chosen = true;
	slot->limits.allowed = texts;
}

/* Take over one end of a range; a value of a type that has no number is the lower one itself. */
static void
limit_to_end(Slot *slot, const PartitionRangeDatum *end, bool upper)
{
	char	   *text = end->kind == PARTITION_RANGE_DATUM_VALUE ? dbkit_constant_text(end->value) : NULL;
	double		number;

	if (text == NULL)
		return;
	if (!dbkit_constant_number(slot->base_type, text, &number))
	{
		slot->limits.listed |= !upper;
		slot->limits.chosen = true;
		if (!upper)
			slot->limits.allowed = list_make1(text);
	}
	else if (upper)
	{
		slot->limits.high = number;
		slot->limits.high_open = true;
	}
	else
		slot->limits.low = number;
}

/* Return what a default, or else what would be made up, is as a number, for the choice of a partition. */
static double
usual_number(const Slot *slot)
{
	double		number;

	if (slot->constant_default != NULL && dbkit_constant_number(slot->base_type, slot->constant_default, &number))
		return number;
	return slot->base_type == TIMESTAMPTZOID || slot->base_type == TIMESTAMPOID || slot->base_type == DATEOID ?
		(double) GetCurrentTimestamp() : 1;
}

/* Would the usual value of a column fall into a partition? */
static bool
is_usual(const Slot *slot, const PartitionBoundSpec *bound)
{
	Slot		limited = *slot;
	double		number = usual_number(slot);

	if (bound->strategy != PARTITION_STRATEGY_RANGE)
		return false;
	limit_to_end(&limited, linitial(bound->lowerdatums), false);
	limit_to_end(&limited, linitial(bound->upperdatums), true);
	return number >= limited.limits.low && number < limited.limits.high;
}

/* Have the columns of the key fall into a partition.  Only the first column of a range has room. */
static void
limit_to_bound(const Shape *shape, Oid parent, const PartitionBoundSpec *bound)
{
	List	   *columns = key_columns(parent);

	for (int i = 0; i < list_length(columns); i++)
	{
		Slot	   *slot = slot_for(shape, parent, list_nth_int(columns, i));

		if (slot == NULL || slot->filling == FILL_GIVEN)
			continue;
		if (slot->filling == FILL_NOTHING || !is_usual(slot, bound))
			slot->filling = slot->computed ? FILL_DEFAULT : FILL_VALUE;
		if (bound->strategy == PARTITION_STRATEGY_LIST)
			limit_to_list(slot, bound);
		else if (bound->strategy == PARTITION_STRATEGY_RANGE)
		{
			limit_to_end(slot, list_nth(bound->lowerdatums, i), false);
			if (i == 0)
				limit_to_end(slot, list_nth(bound->upperdatums, i), true);
		}
	}
}

/* Choose the partition of a table for the row: the one for the usual values, such as today's, or any. */
static Oid
choose_partition(const Shape *shape, Oid relid)
{
	List	   *columns = key_columns(relid);
	Slot	   *slot = columns != NIL ? slot_for(shape, relid, linitial_int(columns)) : NULL;
	Oid			result = InvalidOid;
	ListCell   *lc;

	foreach(lc, columns != NIL ? find_inheritance_children(relid, AccessShareLock) : NIL)
	{
		const PartitionBoundSpec *bound = dbkit_partition_bound(lfirst_oid(lc));

		if (bound == NULL || bound->strategy == PARTITION_STRATEGY_HASH)
			continue;
		if (!bound->is_default)
			result = lfirst_oid(lc);
		if (!bound->is_default && slot != NULL && is_usual(slot, bound))
			break;
	}
	return result;
}

/* Have the row fall into a partition of the table, and of that one, if they are partitioned. */
static void
limit_below(const Shape *shape, Oid relid)
{
	for (;;)
	{
		Oid			partition = choose_partition(shape, relid);
		PartitionBoundSpec *bound = OidIsValid(partition) ? dbkit_partition_bound(partition) : NULL;

		if (bound == NULL)
			return;
		limit_to_bound(shape, relid, bound);
		relid = partition;
	}
}

/* Have the row be one of the table itself, where it is a partition. */
static void
limit_above(const Shape *shape, Oid relid)
{
	while (get_rel_relispartition(relid))
	{
		PartitionBoundSpec *bound = dbkit_partition_bound(relid);
		Oid			parent = get_partition_parent(relid, true);

		if (bound != NULL && !bound->is_default)
			limit_to_bound(shape, parent, bound);
		relid = parent;
	}
}

/*
 * Have the columns that a table is partitioned by get values for which there is a partition.
 * Where there is none at all: check_violation, as the INSERT would say.
 */
void
dbkit_limit_to_partition(Shape *shape)
{
	if (get_rel_relkind(shape->relid) == RELKIND_PARTITIONED_TABLE &&
		find_inheritance_children(shape->relid, AccessShareLock) == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("table %s can take no row", shape->name),
				 errdetail("It is partitioned, and has no partition."),
				 errhint("Create a partition first.")));
	limit_above(shape, shape->relid);
	limit_below(shape, shape->relid);
}
