/*-------------------------------------------------------------------------
 *
 * taken.c
 *		Unique keys that have few values, and which of these are taken.
 *
 * Where CHECKs, types and the keys of parents leave a key few values, a row gets some that no
 * row has yet.  Where there are none, the table can take no further row, and that is the error.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "common.h"
#include "sql.h"
#include "test_data/find.h"
#include "test_data/insert.h"
#include "test_data/taken.h"

/* A key of more values than these is not looked at */
#define MAX_VALUES		1000

/* Tables that lead to the values of a key by their foreign keys; there are no more of them */
#define MAX_TABLES		3

static List *values_of(const Shape *shape, AttrNumber attnum, int depth, bool *chosen);

/* Return the reference of one column by which its values are those of a parent's key, or NULL. */
static const Reference *
single_reference(const Shape *shape, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);

		if (reference->count == 1 && reference->columns[0] == attnum && reference->parent != shape->relid)
			return reference;
	}
	return NULL;
}

/* Return the values that a parent's key can have, or NIL where they are not few. */
static List *
values_of_parent(const Reference *reference, int depth, bool *chosen)
{
	Shape	   *parent;

	if (reference == NULL || depth >= MAX_TABLES)
		return NIL;
	parent = dbkit_read_shape(reference->parent);
	dbkit_meet_checks(parent);
	return values_of(parent, reference->keys[0], depth + 1, chosen);
}

/* Return the values that a column can have, as texts, or NIL where they are not few; says whether a CHECK leaves a choice. */
static List *
values_of(const Shape *shape, AttrNumber attnum, int depth, bool *chosen)
{
	const Slot *slot = dbkit_slot(shape, attnum);
	List	   *result = NIL;
	ListCell   *lc;

	if (slot->computed || (slot->filling != FILL_VALUE && slot->filling != FILL_DEFAULT))
		return NIL;
	if (!slot->limits.listed)
		return slot->base_type == BOOLOID ? list_make2("true", "false") :
			values_of_parent(single_reference(shape, attnum), depth, chosen);
	*chosen |= slot->limits.chosen;
	foreach(lc, dbkit_allowed_values(slot))
	{
		char	   *text = lfirst(lc);

		if (slot->base_type == BOOLOID)
			text = text[0] == 't' ? "true" : "false";

		result = lappend(result, text);
	}
	return result;
}

/* A unique key with the values of its columns: one of each makes a value of the key */
typedef struct Domain
{
	const UniqueKey *unique;
	int			count;			/* of columns */
	AttrNumber *columns;
	List	  **values;			/* char *, for each column */
	int			size;			/* how many values the key has */
	bool		chosen;			/* it would have others if a CHECK was met in
								 * another way */
} Domain;

/* Find out what values a key can have; false where they are not few. */
static bool
read_domain(const Shape *shape, const UniqueKey *unique, Domain *domain)
{
	int			member = -1;
	int			place = 0;

	domain->unique = unique;
	domain->count = bms_num_members(unique->columns);
	domain->columns = palloc(sizeof(AttrNumber) * domain->count);
	domain->values = palloc(sizeof(List *) * domain->count);
	domain->size = 1;
	domain->chosen = false;
	while ((member = bms_next_member(unique->columns, member)) >= 0)
	{
		domain->columns[place] = member;
		domain->values[place] = values_of(shape, member, 0, &domain->chosen);
		if (domain->values[place] == NIL || list_length(domain->values[place]) > MAX_VALUES / domain->size)
			return false;
		domain->size *= list_length(domain->values[place]);
		place++;
	}
	return true;
}

/* Return the value of a column in the n-th value of the key. */
static char *
nth_value(const Domain *domain, int n, int place)
{
	for (int i = 0; i < place; i++)
		n /= list_length(domain->values[i]);
	return list_nth(domain->values[place], n % list_length(domain->values[place]));
}

/* Has one of the rows that were selected the n-th value of the key? */
static bool
is_taken(const Domain *domain, int n, uint64 found)
{
	for (uint64 row = 0; row < found; row++)
	{
		bool		same = true;

		for (int place = 0; place < domain->count && same; place++)
		{
			char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, place + 1);

			same = text != NULL && strcmp(text, nth_value(domain, n, place)) == 0;
		}
		if (same)
			return true;
	}
	return false;
}

/* Return the numbers of the values that no row has. */
static List *
free_values(const Shape *shape, const Domain *domain)
{
	List	   *result = NIL;
	uint64		found = dbkit_look_up(shape, dbkit_columns_as_text(shape, domain->unique->columns, psprintf("%s.", dbkit_row_alias(shape))),
									  NIL, NULL, 2 * MAX_VALUES);

	for (int n = 0; n < domain->size; n++)
	{
		if (!is_taken(domain, n, found))
			result = lappend_int(result, n);
	}
	SPI_freetuptable(SPI_tuptable);
	return result;
}

static void
report_full(const Shape *shape, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("table %s can take no further row", shape->name),
			 errdetail_internal("%s", detail),
			 errhint("Use a row that is there.")));
}

/* Have the columns of a key get values that no row has. */
static void
keep_to_free(Shape *shape, const Domain *domain, const List *free)
{
	for (int place = 0; place < domain->count; place++)
	{
		Slot	   *slot = dbkit_slot(shape, domain->columns[place]);
		ListCell   *lc;

		slot->filling = FILL_VALUE;
		slot->limits.listed = true;
		slot->limits.allowed = NIL;
		foreach(lc, free)
			slot->limits.allowed = lappend(slot->limits.allowed, nth_value(domain, lfirst_int(lc), place));
	}
}

/* See to one key. */
static void
avoid_taken_of(Shape *shape, const UniqueKey *unique, uint64 rows)
{
	Domain		domain;
	List	   *free;

	if (!unique->total || !read_domain(shape, unique, &domain))
		return;
	free = free_values(shape, &domain);
	if (free == NIL && !domain.chosen)
		report_full(shape, psprintf("The unique key \"%s\" allows only so many rows as there are: %d.",
									unique->name, domain.size));
	if (free == NIL || list_length(free) == domain.size || (domain.count > 1 && rows > 1))
		return;
	keep_to_free(shape, &domain, domain.count > 1 ? list_make1_int(linitial_int(free)) : free);
}

/*
 * Have rows keep clear of the values that are taken, where a unique key has few.  Where all
 * are taken: unique_violation, as the INSERT would say.
 */
void
dbkit_avoid_taken(Shape *shape, uint64 rows)
{
	ListCell   *lc;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (unique->single && dbkit_look_up(shape, "1", NIL, NULL, 1) > 0)
			report_full(shape, psprintf("The unique index \"%s\" has the same value for every row, and there is one.",
										unique->name));
		avoid_taken_of(shape, unique, rows);
	}
}
