/*-------------------------------------------------------------------------
 *
 * held_locks.h
 *		Since when the transaction holds the locks that others wait for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_HELD_LOCKS_H
#define DBKIT_HELD_LOCKS_H

#include "datatype/timestamp.h"
#include "nodes/nodes.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

/* A lock on a relation that blocks writers, or readers as well */
typedef struct HeldLock
{
	Oid			relid;
	LOCKMODE	mode;
	long		milliseconds;	/* that it has been held for */
	const char *statement;		/* that took it, cut */
} HeldLock;

extern void dbkit_begin_late(Node *statement);
extern void dbkit_end_late(void);
extern void dbkit_note_held_locks(void);
extern void dbkit_held_locks_init(void);

#endif							/* DBKIT_HELD_LOCKS_H */
