/*-------------------------------------------------------------------------
 *
 * own_locks.h
 *		The locks on tables that this backend holds, and who waits for them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_OWN_LOCKS_H
#define DBKIT_OWN_LOCKS_H

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "storage/lock.h"

/* The weakest mode that keeps others from writing; AccessExclusiveLock keeps them from reading, too */
#define WEAKEST_BLOCKING_LOCK	ShareLock

/* Is given a relation and the modes, LOCKBIT_ON(mode), in which it is locked */
typedef void (*OwnLockVisitor) (Oid relid, LOCKMASK held);

extern int	dbkit_visit_own_locks(OwnLockVisitor visit);
extern bool dbkit_holds_lock(Oid relid, LOCKMODE weakest);
extern List *dbkit_waiting_for(Oid relid);
extern void dbkit_append_backend(StringInfo text, int pid);

#endif							/* DBKIT_OWN_LOCKS_H */
