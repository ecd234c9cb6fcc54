/*-------------------------------------------------------------------------
 *
 * own_locks.c
 *		The locks on tables that this backend holds, and who waits for them.
 *
 * PostgreSQL has no hook for locks, and what a backend knows of its own is private to
 * lock.c.  But modes that block readers or writers never take the fast path
 * (EligibleForRelationFastPath in lock.c), so they are all in the lock table, where
 * the backend's own entries are chained, one chain for each partition.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/backend_status.h"

#include "common.h"
#include "lock/own_locks.h"

/* Return the next of this backend's entries in a partition, NULL after the last. */
static PROCLOCK *
next_lock(int partition, PROCLOCK *last)
{
	return dbkit_queue_next(&MyProc->myProcLocks[partition],
							last != NULL ? &last->procLink : dbkit_queue_start(&MyProc->myProcLocks[partition]),
							offsetof(PROCLOCK, procLink));
}

/* Return the next who waits for a lock, NULL after the last. */
static PGPROC *
next_waiting(LOCK *lock, PGPROC *last)
{
	return dbkit_queue_next(dbkit_wait_queue(lock),
							last != NULL ? &last->links : dbkit_queue_start(dbkit_wait_queue(lock)),
							offsetof(PGPROC, links));
}

/* Is it a lock on a relation of this database that initdb did not make? */
static bool
is_on_user_relation(const LOCKTAG *tag)
{
	return tag->locktag_type == LOCKTAG_RELATION && tag->locktag_field1 == MyDatabaseId &&
		tag->locktag_field2 >= FirstNormalObjectId;
}

/*
 * Visit the relations that this backend has locked so that others cannot write to them; return
 * how many locks there are altogether.
 */
int
dbkit_visit_own_locks(OwnLockVisitor visit)
{
	const LOCKMASK blocking = ~(LOCKBIT_ON(WEAKEST_BLOCKING_LOCK) - 1);
	int			count = 0;

	for (int i = 0; i < NUM_LOCK_PARTITIONS; i++)
	{
		/* What others could add meanwhile blocks nobody (see LockReleaseAll) */
		if (next_lock(i, NULL) == NULL)
			continue;
		LWLockAcquire(LockHashPartitionLockByIndex(i), LW_SHARED);
		for (PROCLOCK *lock = next_lock(i, NULL); lock != NULL; lock = next_lock(i, lock))
		{
			const LOCKTAG *tag = &lock->tag.myLock->tag;

			count++;
			if ((lock->holdMask & blocking) != 0 && is_on_user_relation(tag))
				visit(tag->locktag_field2, lock->holdMask);
		}
		LWLockRelease(LockHashPartitionLockByIndex(i));
	}
	return count;
}

/* Does the transaction hold a lock of that mode, or a stronger one, on the relation? */
bool
dbkit_holds_lock(Oid relid, LOCKMODE weakest)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	for (LOCKMODE mode = weakest; mode <= MaxLockMode; mode++)
	{
		if (dbkit_lock_held_by_me(&tag, mode))
			return true;
	}
	return false;
}

/* Can a backend not go on because of the modes in which a lock is held? */
static bool
is_blocked(const PGPROC *waiting, LOCKMASK held)
{
	for (LOCKMODE mode = NoLock + 1; mode <= MaxLockMode; mode++)
	{
		if ((held & LOCKBIT_ON(mode)) && DoLockModesConflict(mode, waiting->waitLockMode))
			return true;
	}
	return false;
}

/* List the process ids of those who wait for this backend to release a relation. */
List *
dbkit_waiting_for(Oid relid)
{
	LOCKTAG		tag;
	uint32		hash;
	List	   *result = NIL;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, relid);
	hash = LockTagHashCode(&tag);
	LWLockAcquire(LockHashPartitionLock(hash), LW_SHARED);
	for (PROCLOCK *lock = next_lock(LockHashPartition(hash), NULL); lock != NULL;
		 lock = next_lock(LockHashPartition(hash), lock))
	{
		if (memcmp(&lock->tag.myLock->tag, &tag, sizeof(LOCKTAG)) != 0)
			continue;
		for (PGPROC *waiting = next_waiting(lock->tag.myLock, NULL); waiting != NULL;
			 waiting = next_waiting(lock->tag.myLock, waiting))
		{
			if (is_blocked(waiting, lock->holdMask))
				result = lappend_int(result, waiting->pid);
		}
	}
	LWLockRelease(LockHashPartitionLock(hash));
	return result;
}

/* Give the application_name of a backend, or NULL. */
static const char *
application_of(int pid)
{
	for (int i = 1; i <= pgstat_fetch_stat_numbackends(); i++)
	{
		PgBackendStatus *status;

		status = &pgstat_get_local_beentry_by_index(i)->backendStatus;
		if (status->st_procpid == pid)
			return status->st_appname;
	}
	return NULL;
}

/* Append who a backend is, as 'backend 4711 ("worker")'. */
void
dbkit_append_backend(StringInfo text, int pid)
{
	const char *application = application_of(pid);

	appendStringInfo(text, "backend %d", pid);
	if (application && *application)
		appendStringInfo(text, " (\"%s\")", application);
}
