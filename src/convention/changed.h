/*-------------------------------------------------------------------------
 *
 * changed.h
 *		The objects that the transaction created or changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CHANGED_H
#define DBKIT_CHANGED_H

#include "convention/facts/facts.h"

/* How a command is done that commits on its way: an error at its end cannot undo it */
typedef enum Concurrency
{
	CONCURRENTLY_NOT,
	CONCURRENTLY_DETACHED,		/* its last transaction does all that is
								 * judged */
	CONCURRENTLY_INDEXED		/* it has committed what is judged */
}			Concurrency;

typedef struct ChangedObject
{
	Oid			classid;
	Oid			objid;
	Change		change;
	Oid			index;			/* the only index that changed, or InvalidOid */
	Oid			model;			/* the partitioned table that the transaction
								 * made it LIKE, or InvalidOid */
	Concurrency concurrently;	/* was it done so? */
	bool		later;			/* what is done when a statement ends waits
								 * for the COMMIT: the cluster is at it */
} ChangedObject;

extern bool dbkit_note_change(const ChangedObject *object);
extern List *dbkit_changed_by_statement(bool enforced, bool later);
extern List *dbkit_changed_by_transaction(void);
extern bool dbkit_is_changed_whole(Oid classid, Oid objid);
extern bool dbkit_transaction_changed(void);
extern void dbkit_note_covered_change(void);
extern uint64 dbkit_count_changes(void);
extern void dbkit_changed_init(void);

#endif							/* DBKIT_CHANGED_H */
