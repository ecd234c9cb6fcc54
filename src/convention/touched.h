/*-------------------------------------------------------------------------
 *
 * touched.h
 *		The objects that the transaction created or changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TOUCHED_H
#define DBKIT_TOUCHED_H

#include "nodes/pg_list.h"

typedef struct Touched
{
	/* the key */
	Oid			classid;
	Oid			objid;

	/* The nesting levels of the subtransactions that made it so; 0 for none */
	int			nest_level;		/* touched it first */
	int			pending;		/* by the statement that is ending */
	int			enforced;		/* to be judged at commit as well */

	uint64		order;			/* of the first touch */
	bool		detached;		/* by the statement, which made a table of a partition */
	bool		concurrently;	/* what was done cannot be undone */
} Touched;

extern void dbkit_touch_commands(bool concurrently);
extern void dbkit_touch_dropped(bool concurrently);
extern List *dbkit_touched_by_statement(bool enforced);
extern List *dbkit_touched_by_transaction(void);
extern bool dbkit_transaction_touched(void);
extern bool dbkit_is_index_of_touched(const Touched *object);
extern void dbkit_touched_init(void);

#endif							/* DBKIT_TOUCHED_H */
