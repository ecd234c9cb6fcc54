/*-------------------------------------------------------------------------
 *
 * build.h
 *		Build rows: decide on every value, and see to the parents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_BUILD_H
#define DBKIT_BUILD_H

#include "utils/elog.h"

#include "test_data/shape.h"

/* A value that is known before a row is made */
typedef struct Given
{
	AttrNumber	attnum;
	JsonbValue *constant;		/* of all rows, or NULL */
	char	  **values;			/* of each row */
} Given;

/* A variant of which a table accepted a row */
typedef struct Way
{
	Oid			relid;
	Variant		variant;
} Way;

/* One call of dbkit.make() or dbkit.make_many(), with all that it makes */
typedef struct Making
{
	MemoryContext context;		/* where all this is */
	List	   *parents;		/* Parent *, rows that were made as parents */
	List	   *chain;			/* Shape *, what is being built, innermost
								 * last */
	List	   *ways;			/* Way *, what worked for tables that refuse
								 * rows */
	List	   *demands;		/* Demand *, rows of which a deferred trigger
								 * may ask more */
	List	   *deferred;		/* char *, constraints that were immediate */
	int			attempts;		/* so often was something tried */
	int			linked;			/* rows at this depth of the chain get a value
								 * for every foreign key; 0 for none */
	int			specific;		/* bases are made by their n-th subtype; 0 for
								 * not */
	int			specific_depth; /* for rows up to this depth of the chain */
} Making;

extern uint64 dbkit_take_numbers(uint64 count);
extern Shape *dbkit_prepare_rows(Making *making, Oid relid, uint64 rows, const List *given, const Variant *variant);
extern ErrorData *dbkit_attempt_making(Making *making, void (*action) (void *arg), void *arg);
extern void dbkit_build_rows(Making *making, Oid relid, uint64 rows, List *given, Bitmapset *wanted, const char *returning);
extern void dbkit_finish_making(Making *making);
extern void dbkit_fill_references(Making *making, Shape *shape, uint64 rows);
extern Shape *dbkit_being_built(const Making *making, Oid relid);
extern bool dbkit_find_made(const Shape *shape, const char *returning);
extern void dbkit_choose_distinct(Shape *shape);
extern bool dbkit_is_needed(const Shape *shape, const Reference *reference);

#endif							/* DBKIT_BUILD_H */
