/*-------------------------------------------------------------------------
 *
 * lock_targets.h
 *		Which tables a statement is about to lock against others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LOCK_TARGETS_H
#define DBKIT_LOCK_TARGETS_H

#include "nodes/pg_list.h"
#include "nodes/nodes.h"
#include "storage/lockdefs.h"

typedef struct LockTarget
{
	Oid			relid;
	LOCKMODE	mode;
} LockTarget;

extern List *dbkit_lock_targets(Node *statement);

#endif							/* DBKIT_LOCK_TARGETS_H */
