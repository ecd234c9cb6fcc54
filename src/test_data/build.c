/*-------------------------------------------------------------------------
 *
 * build.c
 *		Build rows: decide on every value, and insert them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "common.h"
#include "sql.h"
#include "test_data/build.h"
#include "test_data/insert.h"

/* So much is left at first of what 8 digits of base 36 hold: it is not the same in two sessions */
#define FIRST_NUMBERS	UINT64CONST(1400000000000)
#define LEAST_NUMBER	UINT64CONST(78364164096)

/* Return the first of so many numbers that this session has not used. */
uint64
dbkit_take_numbers(uint64 count)
{
	static uint64 next = 0;
	uint64		result;

	if (next == 0)
	{
		if (!pg_strong_random(&next, sizeof(next)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values")));
		next = LEAST_NUMBER + next % FIRST_NUMBERS;
	}
	result = next;
	next += count;
	return result;
}

/* Take over what is known of the rows. */
static void
give(Shape *shape, const List *given, bool overridden)
{
	ListCell   *lc;

	foreach(lc, given)
	{
		const Given *known = lfirst(lc);
		Slot	   *slot = dbkit_slot(shape, known->attnum);

		slot->filling = FILL_GIVEN;
		slot->constant = known->constant;
		slot->values = known->values;
		slot->overridden = overridden;
	}
}

/* Make up a value for each row. */
static void
fill_slot(Slot *slot, uint64 rows, uint64 first)
{
	slot->values = palloc(sizeof(char *) * rows);
	for (uint64 row = 0; row < rows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		slot->values[row] = dbkit_make_value(slot, first + row);
	}
}

/* Make up what is still unknown. */
static void
fill_slots(Shape *shape, uint64 rows)
{
	uint64		first = dbkit_take_numbers(rows);

	for (int i = 0; i < shape->count; i++)
	{
		Slot	   *slot = &shape->slots[i];

		if (slot->attnum != 0 && slot->filling == FILL_VALUE && slot->constant == NULL && slot->values == NULL)
			fill_slot(slot, rows, first);
	}
}

/* Have those columns be null that have to, though they have a default. */
static void
fill_nulls(Shape *shape)
{
	static JsonbValue null = {.type = jbvNull};

	for (int i = 0; i < shape->count; i++)
	{
		Slot	   *slot = &shape->slots[i];

		if (slot->attnum != 0 && slot->filling == FILL_NULL && slot->stored_default != NULL)
			slot->constant = &null;
	}
}

/*
 * Make rows of a table, with their parents, of which some columns may be given, and leave in
 * SPI_tuptable what is to be returned of them.
 */
void
dbkit_build_rows(Making *making, Oid relid, uint64 rows, List *given, const char *returning)
{
	Shape	   *shape = dbkit_read_shape(relid);

	check_stack_depth();
	give(shape, given, making->chain == NIL);
	dbkit_meet_checks(shape);
	dbkit_choose_distinct(shape);
	making->chain = lappend(making->chain, shape);
	dbkit_fill_references(making, shape, rows);
	fill_slots(shape, rows);
	fill_nulls(shape);
	making->chain = list_delete_last(making->chain);
	dbkit_insert_rows(shape, rows, returning);
}
