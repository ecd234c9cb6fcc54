/*-------------------------------------------------------------------------
 *
 * build.c
 *		Build rows: decide on every value, and insert them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "executor/spi.h"
#include "utils/builtins.h"

#include "common.h"
#include "attempt.h"
#include "sql.h"
#include "test_data/bases.h"
#include "test_data/build.h"
#include "test_data/demands.h"
#include "test_data/insert.h"
#include "test_data/keys.h"
#include "test_data/taken.h"

/* So much is left at first of what 8 digits of base 36 hold: it is not the same in two sessions */
#define FIRST_NUMBERS	UINT64CONST(1400000000000)
#define LEAST_NUMBER	UINT64CONST(78364164096)

/* So far above a row bases are made by their subtypes: its parents, and theirs */
#define SPECIFIC_DEPTH	2

/* So much is tried in a call before the first error is what there is to say */
#define MAX_ATTEMPTS	1000

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

		if (slot->attnum == 0 || slot->filling != FILL_VALUE || slot->constant != NULL || slot->values != NULL)
			continue;
		fill_slot(slot, rows, first);
		dbkit_share_values(shape);
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
	{.turn = 0},
	{.trusting = true},
	{.eager = true},
	{.turn = 1,.eager = true},
	{.turn = 1,.eager = true,.trusting = true},
	{.turn = 2,.eager = true},
	{.turn = 2,.eager = true,.trusting = true},
	{.generous = true},
	{.generous = true,.trusting = true},
	{.linked = true},
	{.linked = true,.trusting = true},
	{.specific = 1},
	{.specific = 2},
	{.specific = 3},
};

/* Have columns get a value that could be null: those that are wanted, or all. */
static void
fill_wanted(Shape *shape, const Variant *variant)
{
	for (int i = 0; i < shape->count; i++)
	{
		Slot	   *slot = &shape->slots[i];

		if (slot->attnum != 0 && slot->filling == FILL_NOTHING &&
			(variant->generous || bms_is_member(slot->attnum, variant->wanted)))
			slot->filling = FILL_VALUE;
	}
}

/* Have foreign keys get a value that could be null, but those that lead back. */
static void
fill_links(const Making *making, Shape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);

		if (reference->parent == shape->relid || dbkit_being_built(making, reference->parent) != NULL)
			continue;
		for (int i = 0; i < reference->count; i++)
		{
			Slot	   *slot = dbkit_slot(shape, reference->columns[i]);

			if (slot->filling == FILL_NOTHING)
				slot->filling = FILL_VALUE;
		}
	}
}

/* Read what a row has to look like in a variant. */
static Shape *
read_variant(const Making *making, Oid relid, const List *given, const Variant *variant)
{
	Shape	   *shape = dbkit_read_shape(relid);

	shape->variant = variant;
	fill_wanted(shape, variant);
	if (variant->linked || (making->linked > 0 && list_length(making->chain) == making->linked))
		fill_links(making, shape);
	give(shape, given, making->chain == NIL);
	dbkit_limit_to_partition(shape);
	dbkit_meet_checks(shape);
	if (shape->has_triggers)
		dbkit_find_bases(shape);
	return shape;
}

/* Decide on the values of rows, and make their parents. */
Shape *
dbkit_prepare_rows(Making *making, Oid relid, uint64 rows, const List *given, const Variant *variant)
{
	Shape	   *shape = read_variant(making, relid, given, variant);

	dbkit_avoid_taken(shape, rows);
	dbkit_choose_distinct(shape);
	making->chain = lappend(making->chain, shape);
	dbkit_fill_references(making, shape, rows);
	fill_slots(shape, rows);
	fill_nulls(shape);
	if (shape->deferred_triggers != NIL)
		dbkit_settle_keys(shape, rows);
	making->chain = list_delete_last(making->chain);
	return shape;
}

/* Would a variant be another row than the first one? */
static bool
is_another(const Shape *shape, const Variant *variant)
{
	return variant->turn < shape->choices &&
		(!variant->eager || shape->choices > 1) &&
		(!variant->generous || shape->has_triggers || shape->has_unread) &&
		(!variant->trusting || shape->is_subtype) &&
		(!variant->linked || (shape->has_triggers && shape->references != NIL)) &&
		(variant->specific == 0 || (shape->has_triggers && shape->references != NIL));
}

/* Is there another row than the first one? */
static bool
has_variants(const Shape *shape)
{
	return shape->choices > 1 || shape->has_triggers || shape->has_unread;
}

/* Rows that may be refused */
typedef struct Trial
{
	Making	   *making;
	Oid			relid;
	uint64		rows;
	const List *given;
	Variant		variant;
	const char *returning;
	Shape	   *shape;			/* NULL before it is prepared */
	SPITupleTable *returned;
	uint64		count;
} Trial;

/* Prepare rows and insert them, unless a parent's trigger has done so; an attempt. */
static void
try_rows(void *arg)
{
	Trial	   *trial = arg;

	trial->shape = NULL;
	if (trial->variant.linked)
		trial->making->linked = list_length(trial->making->chain) + 1;
	if (trial->variant.specific > 0)
	{
		trial->making->specific = trial->variant.specific;
		trial->making->specific_depth = list_length(trial->making->chain) + SPECIFIC_DEPTH;
	}
	trial->shape = dbkit_prepare_rows(trial->making, trial->relid, trial->rows, trial->given, &trial->variant);
	if (trial->rows != 1 || !dbkit_find_made(trial->shape, trial->returning))
		dbkit_insert_rows(trial->shape, trial->rows, trial->returning);
	trial->returned = SPI_tuptable;
	trial->count = SPI_processed;
	dbkit_remember_demand(trial->making, trial->shape, trial->rows);
}

/* Do something that may fail; then nothing is left of it.  Returns the error, or NULL. */
ErrorData *
dbkit_attempt_making(Making *making, void (*action) (void *arg), void *arg)
{
	int			depth = list_length(making->chain);
	int			made = list_length(making->parents);
	int			demands = list_length(making->demands);
	int			linked = making->linked;
	int			specific = making->specific;
	int			specific_depth = making->specific_depth;
	ErrorData  *error;

	making->attempts++;
	error = dbkit_attempt(action, arg, ATTEMPT_KEPT);
	making->linked = linked;
	making->specific = specific;
	making->specific_depth = specific_depth;
	if (error != NULL)
	{
		making->chain = list_truncate(making->chain, depth);
		making->parents = list_truncate(making->parents, made);
		making->demands = list_truncate(making->demands, demands);
	}
	return error;
}

static bool
is_word_char(char c)
{
	return isalnum((unsigned char) c) || c == '_' || IS_HIGHBIT_SET(c);
}

/* Does a text have a name in it, as a word? */
static bool
names(const char *text, const char *name)
{
	size_t		length = strlen(name);

	for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name))
	{
		if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[length]))
			return true;
	}
	return false;
}

/* Return the columns that are null and that an error names. */
static Bitmapset *
named_columns(const Shape *shape, const ErrorData *error)
{
	Bitmapset  *result = NULL;

	for (int i = 0; i < shape->count; i++)
	{
		const Slot *slot = &shape->slots[i];

		if (slot->attnum != 0 && slot->filling == FILL_NOTHING && names(error->message, slot->name))
			result = bms_add_member(result, slot->attnum);
	}
	return result;
}

/* Try a variant, and what an error asks for by the names of columns.  Returns the first error, or NULL. */
static ErrorData *
try_variant(Trial *trial, const Variant *variant)
{
	ErrorData  *first = NULL;

	Bitmapset  *wanted = trial->variant.wanted;

	trial->variant = *variant;
	trial->variant.wanted = bms_union(wanted, variant->wanted);
	do
	{
		ErrorData  *error = dbkit_attempt_making(trial->making, try_rows, trial);
		Bitmapset  *named;

		if (error == NULL)
		{
			SPI_tuptable = trial->returned;
			SPI_processed = trial->count;
			return NULL;
		}
		if (first == NULL)
			first = error;
		named = trial->shape != NULL ? named_columns(trial->shape, error) : NULL;
		if (named == NULL)
			break;
		trial->variant.wanted = bms_union(trial->variant.wanted, named);
	} while (trial->making->attempts < MAX_ATTEMPTS);
	return first;
}

/* Return what worked for a table before in this call, or NULL. */
static const Variant *
known_way(const Making *making, Oid relid)
{
	ListCell   *lc;

	foreach(lc, making->ways)
	{
		const Way  *way = lfirst(lc);

		if (way->relid == relid)
			return &way->variant;
	}
	return NULL;
}

/* Remember what worked, so that a parent that is made again needs no trials. */
static void
remember_way(const Trial *trial)
{
	MemoryContext old = MemoryContextSwitchTo(trial->making->context);
	Way		   *way = palloc(sizeof(Way));

	way->relid = trial->relid;
	way->variant = trial->variant;
	way->variant.wanted = bms_copy(trial->variant.wanted);
	trial->making->ways = lcons(way, trial->making->ways);
	MemoryContextSwitchTo(old);
}

/* Try the other variants that would be another row; returns whether one worked. */
static bool
try_others(Trial *trial, const Shape *first)
{
	for (size_t i = 1; i < lengthof(variants) && trial->making->attempts < MAX_ATTEMPTS; i++)
	{
		if (is_another(first, &variants[i]) && try_variant(trial, &variants[i]) == NULL)
			return true;
	}
	return false;
}

/*
 * Make rows of a table, with their parents, of which some columns may be given, and leave in
 * SPI_tuptable what is to be returned of them.
 *
 * Triggers know more than CHECKs say.  Where the table refuses rows that it could have in
 * another way, that is tried: of another kind, with a base that its triggers insert, or with
 * values for the columns that the error names.  The error is the first one.  Columns that are
 * wanted get a value, though they could be null.
 */
void
dbkit_build_rows(Making *making, Oid relid, uint64 rows, List *given, Bitmapset *wanted, const char *returning)
{
	Trial		trial = {making, relid, rows, given, variants[0], returning, NULL, NULL, 0};
	const Variant *way = known_way(making, relid);
	const Shape *first;
	ErrorData  *error;

	check_stack_depth();
	trial.variant.wanted = wanted;
	first = read_variant(making, relid, given, &trial.variant);
	if (!has_variants(first))
	{
		try_rows(&trial);
		return;
	}
	if (way != NULL && try_variant(&trial, way) == NULL)
		return;
	error = try_variant(&trial, &variants[0]);
	if (error != NULL && !try_others(&trial, first))
		ReThrowError(error);
	remember_way(&trial);
}
