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
#include "attempt.h"
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

/* What is tried, one after the other, where a table refuses a row */
static const Variant variants[] = {
	{0, false, false, false},
	{0, false, false, true},
	{0, true, false, false},
	{1, true, false, false},
	{1, true, false, true},
	{2, true, false, false},
	{2, true, false, true},
	{0, false, true, false},
};

/* Have no column be null. */
static void
fill_all(Shape *shape)
{
	for (int i = 0; i < shape->count; i++)
	{
		if (shape->slots[i].attnum != 0 && shape->slots[i].filling == FILL_NOTHING)
			shape->slots[i].filling = FILL_VALUE;
	}
}

/* Decide on the values of rows, and make their parents. */
Shape *
dbkit_prepare_rows(Making *making, Oid relid, uint64 rows, const List *given, const Variant *variant)
{
	Shape	   *shape = dbkit_read_shape(relid);

	shape->variant = variant;
	if (variant->generous)
		fill_all(shape);
	give(shape, given, making->chain == NIL);
	dbkit_limit_to_partition(shape);
	dbkit_meet_checks(shape);
	dbkit_choose_distinct(shape);
	making->chain = lappend(making->chain, shape);
	dbkit_fill_references(making, shape, rows);
	fill_slots(shape, rows);
	fill_nulls(shape);
	making->chain = list_delete_last(making->chain);
	return shape;
}

/* Would a variant be another row than the first one? */
static bool
is_another(const Shape *shape, const Variant *variant)
{
	return variant->turn < shape->choices &&
		(!variant->eager || shape->choices > 1) &&
		(!variant->generous || shape->has_triggers) &&
		(!variant->trusting || (shape->has_triggers && shape->shares_key));
}

/* Is there another row than the first one? */
static bool
has_variants(const Shape *shape)
{
	return shape->choices > 1 || shape->has_triggers;
}

/* Rows that may be refused */
typedef struct Trial
{
	Making	   *making;
	Oid			relid;
	uint64		rows;
	const List *given;
	const Variant *variant;
	const char *returning;
	Shape	   *shape;			/* NULL before it is prepared */
	SPITupleTable *returned;
	uint64		count;
} Trial;

/* Insert the rows, unless a parent's trigger has done so. */
static void
insert_rows(const Trial *trial)
{
	if (trial->rows != 1 || !dbkit_find_made(trial->shape, trial->returning))
		dbkit_insert_rows(trial->shape, trial->rows, trial->returning);
}

/* Prepare rows if they are not, and insert them; an attempt. */
static void
try_rows(void *arg)
{
	Trial	   *trial = arg;

	if (trial->shape == NULL)
		trial->shape = dbkit_prepare_rows(trial->making, trial->relid, trial->rows, trial->given, trial->variant);
	insert_rows(trial);
	trial->returned = SPI_tuptable;
	trial->count = SPI_processed;
}

/* Try to insert rows, and leave in SPI_tuptable what is to be returned; returns the error, or NULL. */
static ErrorData *
attempt_rows(Trial *trial)
{
	int			depth = list_length(trial->making->chain);
	int			made = list_length(trial->making->parents);
	ErrorData  *error = dbkit_attempt(try_rows, trial, ATTEMPT_KEPT);

	if (error == NULL)
	{
		SPI_tuptable = trial->returned;
		SPI_processed = trial->count;
		return NULL;
	}
	trial->making->chain = list_truncate(trial->making->chain, depth);
	trial->making->parents = list_truncate(trial->making->parents, made);
	return error;
}

/*
 * Make rows of a table, with their parents, of which some columns may be given, and leave in
 * SPI_tuptable what is to be returned of them.
 *
 * Triggers know more than CHECKs say.  Where the table refuses rows that it could have in
 * another way, that is tried: of another kind, or with a parent that its triggers insert.  The
 * error is the first one.
 */
void
dbkit_build_rows(Making *making, Oid relid, uint64 rows, List *given, const char *returning)
{
	Trial		trial = {making, relid, rows, given, &variants[0], returning, NULL, NULL, 0};
	Shape	   *first;
	ErrorData  *error;

	check_stack_depth();
	first = trial.shape = dbkit_prepare_rows(making, relid, rows, given, trial.variant);
	if (!has_variants(first))
	{
		insert_rows(&trial);
		return;
	}
	error = attempt_rows(&trial);
	for (size_t i = 1; error != NULL && i < lengthof(variants); i++)
	{
		if (!is_another(first, &variants[i]))
			continue;
		trial.variant = &variants[i];
		trial.shape = NULL;
		if (attempt_rows(&trial) == NULL)
			return;
	}
	if (error != NULL)
		ReThrowError(error);
}
