/*-------------------------------------------------------------------------
 *
 * distinct.c
 *		Choose which columns differ from row to row, so that unique keys do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"

#include "common.h"
#include "test_data/build.h"

/* How well a column differs: the best one of a key is chosen */
enum
{
	CANNOT_DIFFER,
	HARDLY_DIFFERS,				/* has a default, and few values */
	DIFFERS_A_LITTLE,			/* has few values */
	DIFFERS_WITH_PARENT,		/* each row needs a parent of its own */
	DIFFERS_FROM_DEFAULT,		/* instead of its default */
	DIFFERS_IN_TIME,
	DIFFERS
};

/* Is a reference one that rows need a parent for?  Not one by a default that is new each time: a trigger inserts it. */
bool
dbkit_is_needed(const Shape *shape, const Reference *reference)
{
	for (int i = 0; i < reference->count; i++)
	{
		const Slot *slot = dbkit_slot(shape, reference->columns[i]);

		if (slot->filling == FILL_NOTHING || slot->filling == FILL_NULL ||
			(slot->filling == FILL_DEFAULT && slot->volatile_default) ||
			(slot->constant != NULL && slot->constant->type == jbvNull))
			return false;
	}
	return true;
}

/* Return a reference that rows need and that the column is part of, or NULL. */
static Reference *
reference_of(const Shape *shape, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		Reference  *reference = lfirst(lc);

		for (int i = 0; i < reference->count; i++)
		{
			if (reference->columns[i] == attnum && dbkit_is_needed(shape, reference))
				return reference;
		}
	}
	return NULL;
}

/* Has the column few values? */
static bool
has_few_values(const Slot *slot)
{
	const Limits *limits = &slot->limits;

	return limits->listed || slot->base_type == BOOLOID || slot->base_type == INT2OID ||
		limits->high - limits->low < 100000 || limits->max_length < 4;
}

static int
how_different(const Shape *shape, const Slot *slot)
{
	bool		has_default = slot->filling == FILL_DEFAULT;

	if (slot->filling != FILL_VALUE && (!has_default || slot->computed))
		return CANNOT_DIFFER;
	if (reference_of(shape, slot->attnum) != NULL)
		return has_default ? HARDLY_DIFFERS : DIFFERS_WITH_PARENT;
	if (has_few_values(slot))
		return has_default ? HARDLY_DIFFERS : DIFFERS_A_LITTLE;
	if (has_default)
		return DIFFERS_FROM_DEFAULT;
	return slot->base_type == DATEOID || slot->base_type == TIMESTAMPTZOID || slot->base_type == TIMESTAMPOID ?
		DIFFERS_IN_TIME : DIFFERS;
}

/* Does the column make rows distinct without our doing, or has it been chosen already? */
static bool
is_distinct(const Shape *shape, const UniqueKey *unique, const Slot *slot)
{
	const Reference *reference;

	if (slot->distinct || slot->values != NULL || (slot->filling == FILL_DEFAULT && slot->volatile_default))
		return true;
	if ((slot->filling == FILL_NOTHING || slot->filling == FILL_NULL) && !unique->nulls_count && !unique->expressions)
		return true;
	reference = reference_of(shape, slot->attnum);
	return reference != NULL && reference->distinct;
}

/* Have the rows differ in a unique key. */
static void
make_distinct(Shape *shape, const UniqueKey *unique)
{
	Slot	   *best = NULL;
	int			best_difference = CANNOT_DIFFER;
	int			member = -1;
	Reference  *reference;

	while ((member = bms_next_member(unique->columns, member)) >= 0)
	{
		Slot	   *slot = dbkit_slot(shape, member);
		int			difference = how_different(shape, slot);

		if (is_distinct(shape, unique, slot))
			return;
		if (difference > best_difference)
		{
			best = slot;
			best_difference = difference;
		}
	}
	if (best == NULL)
		return;
	best->filling = FILL_VALUE;
	reference = reference_of(shape, best->attnum);
	if (reference != NULL)
		reference->distinct = true;
	else
		best->distinct = true;
}

/* Choose for each unique key a column that differs. */
void
dbkit_choose_distinct(Shape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->uniques)
		make_distinct(shape, lfirst(lc));
}
