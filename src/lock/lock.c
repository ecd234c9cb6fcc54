/*-------------------------------------------------------------------------
 *
 * lock.c
 *		Named locks: advisory locks on a key made from a name.
 *
 * The lock is the one that pg_advisory_lock(bigint) takes (LOCKTAG_ADVISORY,
 * see lockfuncs.c), so both exclude each other, and waiting, deadlock
 * detection and release are PostgreSQL's own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "cluster.h"
#include "common.h"
#include "context/context.h"
#include "lock/lock.h"
#include "lock/name.h"
#include "lock/own_locks.h"

#define NO_TIMEOUT (-1)

typedef struct NamedLock
{
	const char *name;			/* as given, for messages */
	LOCKTAG		tag;
	LOCKMODE	mode;
	bool		session;		/* else until the end of the transaction */
} NamedLock;

/* Check a name and convert it to UTF-8. */
static char *
name_to_utf8(const char *name)
{
	char	   *utf8;

	if (*name == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a lock must not be empty")));
	utf8 = pg_server_to_any(name, strlen(name), PG_UTF8);
	if (strlen(utf8) > LOCK_NAME_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the name of a lock must not be longer than %d bytes",
						LOCK_NAME_MAX),
				 errdetail("It has %zu bytes in UTF-8.", strlen(utf8))));
	return utf8;
}

/* Get the name of a lock, the first argument of every function here. */
static char *
name_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name of a lock must not be null")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

/*
 * Describe the wanted lock, and have its name remembered.  A lock is one of this server, and the
 * servers of a cluster do not see each other's: so there is one server for all of them.
 */
static void
init_lock(NamedLock *lock, const char *name, LOCKMODE mode, bool session)
{
	char	   *utf8;
	uint64		key;

	if (dbkit_is_sent_to())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("named locks of a cluster are those of its coordinator"),
				 errdetail("No other server would see a lock that is taken on this one."),
				 errhint("Connect to the coordinator to take it.")));
	lock->name = name;
	lock->mode = mode;
	lock->session = session;
	utf8 = name_to_utf8(lock->name);
	key = (uint64) dbkit_remember_lock_name(utf8, strlen(utf8));
	SET_LOCKTAG_ADVISORY(lock->tag, MyDatabaseId,
						 (uint32) (key >> 32), (uint32) key, 1);
}

/*
 * Convert a timeout to milliseconds, rounded up, with months of 30 days.  The
 * upper limit is that of lock_timeout.
 */
static int
timeout_argument(FunctionCallInfo fcinfo)
{
	Interval   *timeout;
	int64		ms;
	int64		us;

	if (PG_ARGISNULL(1))
		return NO_TIMEOUT;
	timeout = PG_GETARG_INTERVAL_P(1);

	us = timeout->time % 1000;
	ms = timeout->time / 1000 + (us > 0) - (us < 0) +
		timeout->day * (int64) 1000 * SECS_PER_DAY +
		timeout->month * (int64) 1000 * SECS_PER_DAY * DAYS_PER_MONTH;
	if (ms < 0 || ms > INT_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timeout of a lock is out of range"),
				 errdetail("It must be between 0 and %d milliseconds.", INT_MAX)));
	return (int) ms;
}

/* Say whether a backend holds one of the modes that a request conflicts with. */
static bool
holds_conflicting(const LockInstanceData *instance, LOCKMODE mode)
{
	for (LOCKMODE held = NoLock + 1; held <= MaxLockMode; held++)
	{
		if ((instance->holdMask & LOCKBIT_ON(held)) &&
			DoLockModesConflict(held, mode))
			return true;
	}
	return false;
}

static bool
awaits_conflicting(const LockInstanceData *instance, LOCKMODE mode)
{
	return instance->waitLockMode != NoLock &&
		DoLockModesConflict(instance->waitLockMode, mode);
}

/*
 * List the other backends that hold a conflicting lock, or that wait for one,
 * as 'backend 4711 ("worker")'.
 */
static char *
list_backends(const NamedLock *lock, const LockData *data,
			  bool (*conflicts) (const LockInstanceData *, LOCKMODE))
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < data->nelements; i++)
	{
		LockInstanceData *instance = &data->locks[i];

		if (memcmp(&instance->locktag, &lock->tag, sizeof(LOCKTAG)) != 0 ||
			instance->pid == MyProcPid || !conflicts(instance, lock->mode))
			continue;
		if (list.len > 0)
			appendStringInfoString(&list, ", ");
		if (instance->pid == 0)
			appendStringInfoString(&list, "a prepared transaction");
		else
			dbkit_append_backend(&list, instance->pid);
	}
	return list.data;
}

/* Report that a lock could not be had in time, and who has it. */
static void
report_not_available(const NamedLock *lock, int timeout)
{
	LockData   *data = GetLockStatusData();
	char	   *holders;
	char	   *queue;

	/* The local copy of backend status may date from an earlier statement. */
	pgstat_clear_backend_activity_snapshot();
	holders = list_backends(lock, data, holds_conflicting);
	queue = list_backends(lock, data, awaits_conflicting);

	ereport(ERROR,
			(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
			 *holders ? errmsg("could not take lock \"%s\", held by %s",
							   lock->name, holders) :
			 *queue ? errmsg("could not take lock \"%s\", awaited by %s",
							 lock->name, queue) :
			 errmsg("could not take lock \"%s\" in time", lock->name),
			 timeout > 0 ? errdetail("The timeout was %d ms.", timeout) : 0));
}

static bool
try_lock(const NamedLock *lock)
{
	return LockAcquire(&lock->tag, lock->mode, lock->session, true) !=
		LOCKACQUIRE_NOT_AVAIL;
}

/*
 * Wait for a lock.  An error may find that the lock was granted at the last
 * moment (see LockErrorCleanup); the end of the transaction would release it,
 * but not if it is a session's.  As LockAcquire waits only for what this
 * backend does not hold, what it holds then is that.
 */
static void
wait_for_lock(const NamedLock *lock)
{
	MemoryContext oldcontext = CurrentMemoryContext;

	PG_TRY();
	{
		(void) LockAcquire(&lock->tag, lock->mode, lock->session, false);

		/*
		 * A timeout that came as the lock was granted is still pending
		 * (ProcSleep keeps it), and would fail the next statement
		 */
		CHECK_FOR_INTERRUPTS();
	}
	PG_CATCH();
	{
		LockErrorCleanup();
		if (lock->session && dbkit_lock_held_by_me(&lock->tag, lock->mode))
			LockRelease(&lock->tag, lock->mode, true);
		if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
			PG_RE_THROW();
		MemoryContextSwitchTo(oldcontext);
		FlushErrorState();
		report_not_available(lock, LockTimeout);
	}
	PG_END_TRY();
}

/* Wait for a lock with lock_timeout set to "timeout" for this one wait. */
static void
wait_for_lock_with_timeout(const NamedLock *lock, int timeout)
{
	int			nestlevel = NewGUCNestLevel();
	char		value[12];

	snprintf(value, sizeof(value), "%d", timeout);
	(void) set_config_option("lock_timeout", value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	wait_for_lock(lock);
	AtEOXact_GUC(true, nestlevel);
}

static void
acquire_lock(const NamedLock *lock, int timeout)
{
	if (timeout == NO_TIMEOUT)
		wait_for_lock(lock);
	else if (timeout > 0)
		wait_for_lock_with_timeout(lock, timeout);
	else if (!try_lock(lock))
		report_not_available(lock, 0);
}

/* Wait for a lock of that name, and hold it until the end of the transaction. */
void
dbkit_wait_for_named_lock(const char *name)
{
	NamedLock	lock;

	init_lock(&lock, name, ExclusiveLock, false);
	wait_for_lock(&lock);
}

/*
 * Let go of all snapshots, so that whoever waits for old snapshots to end, as
 * CREATE INDEX CONCURRENTLY does (WaitForOlderSnapshots in indexcmds.c), does
 * not wait for us.  COMMIT in a procedure does the same, but ends the
 * transaction as well.  The portal's snapshot is made again when it is needed
 * (EnsurePortalSnapshotExists).
 */
static void
release_snapshots(FunctionCallInfo fcinfo)
{
	if (!fcinfo->context || !IsA(fcinfo->context, CallContext) ||
		((CallContext *) fcinfo->context)->atomic || IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("cannot wait for a session lock inside a transaction block"),
				 errdetail("A transaction holds a snapshot, and others may wait for it."),
				 errhint("CALL it outside a transaction block, or use dbkit.lock() or dbkit.try_session_lock().")));

	ForgetPortalSnapshots();
	InvalidateCatalogSnapshot();
	if (TransactionIdIsValid(MyProc->xmin))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("cannot wait for a session lock while a snapshot is in use"),
				 errhint("CALL it at isolation level READ COMMITTED, and not while a cursor is open.")));
}

/* Do the work of all functions that wait. */
static Datum
lock_function(FunctionCallInfo fcinfo, LOCKMODE mode, bool session)
{
	NamedLock	lock;
	int			timeout;

	init_lock(&lock, name_argument(fcinfo), mode, session);
	timeout = timeout_argument(fcinfo);
	if (session)
		release_snapshots(fcinfo);
	acquire_lock(&lock, timeout);
	PG_RETURN_VOID();
}

/* Do the work of all functions that do not wait. */
static Datum
try_lock_function(FunctionCallInfo fcinfo, LOCKMODE mode, bool session)
{
	NamedLock	lock;

	init_lock(&lock, name_argument(fcinfo), mode, session);
	PG_RETURN_BOOL(try_lock(&lock));
}

static Datum
unlock_function(FunctionCallInfo fcinfo, LOCKMODE mode)
{
	NamedLock	lock;

	init_lock(&lock, name_argument(fcinfo), mode, true);
	PG_RETURN_BOOL(LockRelease(&lock.tag, lock.mode, true));
}

/*
 * lock_key(name text) returns bigint
 *
 * The key of the advisory lock behind a name.
 */
PG_FUNCTION_INFO_V1(dbkit_lock_key);
Datum
dbkit_lock_key(PG_FUNCTION_ARGS)
{
	char	   *utf8 = name_to_utf8(name_argument(fcinfo));

	PG_RETURN_INT64(dbkit_hash_lock_name(utf8, strlen(utf8)));
}

/*
 * lock(name text, timeout interval) returns void
 *
 * Wait for a lock and hold it until the end of the transaction.  Without a
 * timeout, lock_timeout counts.
 */
PG_FUNCTION_INFO_V1(dbkit_lock);
Datum
dbkit_lock(PG_FUNCTION_ARGS)
{
	return lock_function(fcinfo, ExclusiveLock, false);
}

PG_FUNCTION_INFO_V1(dbkit_lock_shared);
Datum
dbkit_lock_shared(PG_FUNCTION_ARGS)
{
	return lock_function(fcinfo, ShareLock, false);
}

/*
 * try_lock(name text) returns boolean
 *
 * Take a lock if it is free, without waiting.
 */
PG_FUNCTION_INFO_V1(dbkit_try_lock);
Datum
dbkit_try_lock(PG_FUNCTION_ARGS)
{
	return try_lock_function(fcinfo, ExclusiveLock, false);
}

PG_FUNCTION_INFO_V1(dbkit_try_lock_shared);
Datum
dbkit_try_lock_shared(PG_FUNCTION_ARGS)
{
	return try_lock_function(fcinfo, ShareLock, false);
}

/*
 * CALL session_lock(name text, timeout interval)
 *
 * Wait for a lock without holding a snapshot, and hold it until it is unlocked
 * or the session ends.
 */
PG_FUNCTION_INFO_V1(dbkit_session_lock);
Datum
dbkit_session_lock(PG_FUNCTION_ARGS)
{
	return lock_function(fcinfo, ExclusiveLock, true);
}

PG_FUNCTION_INFO_V1(dbkit_session_lock_shared);
Datum
dbkit_session_lock_shared(PG_FUNCTION_ARGS)
{
	return lock_function(fcinfo, ShareLock, true);
}

/*
 * try_session_lock(name text) returns boolean
 */
PG_FUNCTION_INFO_V1(dbkit_try_session_lock);
Datum
dbkit_try_session_lock(PG_FUNCTION_ARGS)
{
	return try_lock_function(fcinfo, ExclusiveLock, true);
}

PG_FUNCTION_INFO_V1(dbkit_try_session_lock_shared);
Datum
dbkit_try_session_lock_shared(PG_FUNCTION_ARGS)
{
	return try_lock_function(fcinfo, ShareLock, true);
}

/*
 * session_unlock(name text) returns boolean
 *
 * Undo one session_lock or try_session_lock; false, with a warning, if there
 * is none.
 */
PG_FUNCTION_INFO_V1(dbkit_session_unlock);
Datum
dbkit_session_unlock(PG_FUNCTION_ARGS)
{
	return unlock_function(fcinfo, ExclusiveLock);
}

PG_FUNCTION_INFO_V1(dbkit_session_unlock_shared);
Datum
dbkit_session_unlock_shared(PG_FUNCTION_ARGS)
{
	return unlock_function(fcinfo, ShareLock);
}

/*
 * Say whether the user may see the names of a backend's locks.  They come from
 * its statements, so the rule is that of pg_stat_activity.query
 * (HAS_PGSTAT_PERMISSIONS in pgstatfuncs.c).  Tenants share a role, so within a
 * tenant context only the backend's own are shown.
 */
static bool
may_see_names(int pid)
{
	PGPROC	   *proc;

	if (pid == MyProcPid)
		return true;
	if (dbkit_context_is_entered())
		return false;
	proc = pid == 0 ? NULL : BackendPidGetProc(pid);
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS) ||
		(proc && has_privs_of_role(GetUserId(), proc->roleId));
}

/* Find the name of a lock, if it is known and not hidden. */
static const char *
visible_name(const LockInstanceData *instance, const LockName *names, int nnames)
{
	LockName	wanted = {dbkit_lock_tag_key(&instance->locktag), NULL};
	const LockName *found;

	found = bsearch(&wanted, names, nnames, sizeof(LockName),
					dbkit_compare_lock_names);
	return found && may_see_names(instance->pid) ? found->name : NULL;
}

/* Add a row to lock_status(). */
static void
put_lock(ReturnSetInfo *rsinfo, const LockInstanceData *instance,
		 const char *name, LOCKMODE mode, bool granted)
{
	Datum		values[6] = {0};
	bool		nulls[6] = {false};

	nulls[0] = name == NULL;
	if (name)
		values[0] = CStringGetTextDatum(name);
	values[1] = Int64GetDatum(dbkit_lock_tag_key(&instance->locktag));
	values[2] = CStringGetTextDatum(GetLockmodeName(USER_LOCKMETHOD, mode));
	values[3] = BoolGetDatum(granted);
	values[4] = Int32GetDatum(instance->pid);
	nulls[4] = instance->pid == 0;
	values[5] = TimestampTzGetDatum(instance->waitStart);
	nulls[5] = granted || instance->waitStart == 0;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * lock_status() returns table (name text, key bigint, mode text,
 * granted boolean, pid integer, waiting_since timestamptz)
 *
 * The advisory locks on a bigint key in this database, as pg_locks shows them,
 * and their names.
 */
PG_FUNCTION_INFO_V1(dbkit_lock_status);
Datum
dbkit_lock_status(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			nnames;
	LockName   *names = dbkit_list_lock_names(&nnames);
	LockData   *data;

	InitMaterializedSRF(fcinfo, 0);
	data = GetLockStatusData();
	for (int i = 0; i < data->nelements; i++)
	{
		const LockInstanceData *instance = &data->locks[i];
		const char *name;

		if (!dbkit_is_key_lock(&instance->locktag) ||
			instance->locktag.locktag_field1 != MyDatabaseId)
			continue;
		name = visible_name(instance, names, nnames);
		for (LOCKMODE mode = NoLock + 1; mode <= MaxLockMode; mode++)
		{
			if (instance->holdMask & LOCKBIT_ON(mode))
				put_lock(rsinfo, instance, name, mode, true);
		}
		if (instance->waitLockMode != NoLock)
			put_lock(rsinfo, instance, name, instance->waitLockMode, false);
	}
	return (Datum) 0;
}
