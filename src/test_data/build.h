/*-------------------------------------------------------------------------
 *
 * build.h
 *		Build rows: decide on every value, and see to the parents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_BUILD_H
#define DBKIT_BUILD_H

#include "test_data/shape.h"

/* A value that is known before a row is made */
typedef struct Given
{
	AttrNumber	attnum;
	JsonbValue *constant;		/* of all rows, or NULL */
	char	  **values;			/* of each row */
} Given;

/* One call of dbkit.make() or dbkit.make_many(), with all that it makes */
typedef struct Making
{
	MemoryContext context;		/* where all this is */
	List	   *parents;		/* Parent *, rows that were made as parents */
	List	   *chain;			/* Shape *, what is being built, innermost
								 * last */
	List	   *deferred;		/* char *, constraints that were immediate */
} Making;

extern uint64 dbkit_take_numbers(uint64 count);
extern Shape *dbkit_prepare_rows(Making *making, Oid relid, uint64 rows, const List *given, const Variant *variant);
extern void dbkit_build_rows(Making *making, Oid relid, uint64 rows, List *given, const char *returning);
extern void dbkit_finish_making(Making *making);
extern void dbkit_fill_references(Making *making, Shape *shape, uint64 rows);
extern bool dbkit_find_made(const Shape *shape, const char *returning);
extern void dbkit_choose_distinct(Shape *shape);
extern bool dbkit_is_needed(const Shape *shape, const Reference *reference);

#endif							/* DBKIT_BUILD_H */
