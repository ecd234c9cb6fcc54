/*-------------------------------------------------------------------------
 *
 * demands.c
 *		Rows of other tables that deferred triggers ask for.
 *
 * A constraint trigger that waits for the end of the transaction may ask that a row has
 * others that reference it: an order its lines.  Whether it does is found out by firing it in a
 * subtransaction that is undone.  Then a row of each table that references this one is tried.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"

#include "common.h"
#include "attempt.h"
#include "sql.h"
#include "test_data/demands.h"
#include "test_data/find.h"

/* Rows that were made, of a table with deferred triggers */
typedef struct Demand
{
	const Shape *shape;
	uint64		rows;
} Demand;

/* Settle the keys of rows, so that others can reference them. */
void
dbkit_settle_keys(Shape *shape, uint64 rows)
{
	ListCell   *lc;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);
		int			member = -1;

		while ((member = bms_next_member(unique->columns, member)) >= 0)
		{
			Slot	   *slot = dbkit_slot(shape, member);

			if (slot->filling == FILL_VALUE || (slot->filling == FILL_DEFAULT && (slot->stored_default != NULL || slot->identity)))
				dbkit_settle(shape, slot, rows);
		}
	}
}

/* Remember rows of which a trigger may ask more. */
void
dbkit_remember_demand(Making *making, const Shape *shape, uint64 rows)
{
	Demand	   *demand;

	if (shape->deferred_triggers == NIL)
		return;
	demand = palloc(sizeof(Demand));
	demand->shape = shape;
	demand->rows = rows;
	making->demands = lappend(making->demands, demand);
}

/* Have the deferred triggers of a table fire, or wait again. */
static void
set_triggers(const Demand *demand, const char *mode)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, demand->shape->deferred_triggers)
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", (char *) lfirst(lc));
	dbkit_run_utility(psprintf("SET CONSTRAINTS %s %s", names.data, mode));
}

/* Fire the deferred triggers of a table; an attempt. */
static void
fire(void *arg)
{
	set_triggers(arg, "IMMEDIATE");
}

static bool
is_met(Demand *demand)
{
	return dbkit_attempt(fire, demand, ATTEMPT_UNDONE) == NULL;
}

/* Return what rows of another table have that reference these, or NIL. */
static List *
given_to_child(const Demand *demand, Oid child)
{
	const Shape *shape = dbkit_read_shape(child);
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);
		List	   *result = NIL;

		if (reference->parent != demand->shape->relid)
			continue;
		for (int i = 0; i < reference->count; i++)
		{
			const Slot *key = dbkit_slot(demand->shape, reference->keys[i]);

			if (dbkit_is_known(key))
				result = lappend(result, dbkit_given_to_parent(key, reference->columns[i]));
		}
		if (list_length(result) == reference->count)
			return result;
	}
	return NIL;
}

/* A table whose rows may be what is asked for */
typedef struct Answer
{
	Making	   *making;
	Demand	   *demand;
	Oid			child;
	List	   *given;
} Answer;

/* Make rows that reference those, and see what the trigger says; an attempt. */
static void
try_answer(void *arg)
{
	const Answer *answer = arg;

	dbkit_build_rows(answer->making, answer->child, answer->demand->rows, answer->given, NULL, NULL);
	SPI_freetuptable(SPI_tuptable);
	set_triggers(answer->demand, "IMMEDIATE");
	set_triggers(answer->demand, "DEFERRED");
}

/* Make the rows that a trigger asks for, if that can be found out. */
static void
meet_demand(Making *making, Demand *demand)
{
	ListCell   *lc;

	if (is_met(demand))
		return;
	foreach(lc, dbkit_referencing_tables(demand->shape->relid))
	{
		Answer		answer = {making, demand, lfirst_oid(lc), given_to_child(demand, lfirst_oid(lc))};

		if (answer.given != NIL && dbkit_attempt_making(making, try_answer, &answer) == NULL)
			return;
	}
}

/* See to all that deferred triggers ask for.  What cannot be met they say themselves, when they fire. */
void
dbkit_meet_demands(Making *making)
{
	while (making->demands != NIL)
	{
		Demand	   *demand = linitial(making->demands);

		making->demands = list_delete_first(making->demands);
		meet_demand(making, demand);
	}
}
