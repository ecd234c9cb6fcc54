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

typedef struct ChangedObject
{
	Oid			classid;
	Oid			objid;
	Change		change;
	Oid			index;			/* the only index that changed, or InvalidOid */
	Oid			model;			/* the partitioned table that the transaction
								 * made it LIKE, or InvalidOid */
	bool		detached;		/* it was a partition */
	bool		concurrently;	/* what was done cannot be undone */
} ChangedObject;

extern bool dbkit_note_change(const ChangedObject *object);
extern List *dbkit_changed_by_statement(bool enforced);
extern List *dbkit_changed_by_transaction(void);
extern bool dbkit_is_changed_whole(Oid classid, Oid objid);
extern bool dbkit_transaction_changed(void);
extern void dbkit_note_covered_change(void);
extern uint64 dbkit_count_changes(void);
extern void dbkit_changed_init(void);

#endif							/* DBKIT_CHANGED_H */
