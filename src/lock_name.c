/*-------------------------------------------------------------------------
 *
 * lock_name.c
 *		Which name belongs to the key of a lock, for the view dbkit.locks.
 *
 * The lock manager knows a lock by its key alone.  This table remembers the
 * names behind the keys: in shared memory where dbkit is preloaded, in a
 * named dynamic segment on PostgreSQL 17 and later where it is not, and
 * otherwise for each backend on its own.  It is a convenience for whoever
 * looks: no lock depends on it, and a name that is not in it reads as NULL.
 *
 * The size is fixed.  When the table is full, the names that no backend holds
 * or awaits any more make room, the least recently used first.  What is in use
 * is read from the lock manager, so a backend that dies has nothing to undo.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "dbkit.h"
#include "lock.h"

#ifdef DBKIT_HAVE_DSM_REGISTRY
#include "storage/dsm_registry.h"
#endif

/* A key is a database's own, as in the lock manager. */
typedef struct NameKey
{
	int64		key;
	Oid			database;
	uint32		slot;			/* in LockNames.slots; no part of the key */
} NameKey;

typedef struct NameSlot
{
	pg_atomic_uint64 used;		/* when the name was last asked for */
	int			len;
	char		name[LOCK_NAME_MAX];	/* UTF-8 */
} NameSlot;

typedef struct LockNames
{
	LWLock		lock;
	int			tranche;
	int			capacity;
	int			count;
	TimestampTz next_sweep;		/* do not look for room before this */
	/* Sorted up to "count"; the rest lists the free slots. */
	NameKey		keys[FLEXIBLE_ARRAY_MEMBER];
	/* NameSlot slots[capacity] follows */
} LockNames;

/* A name that may be dropped */
typedef struct NameAge
{
	uint64		used;
	int			index;
} NameAge;

static int	max_lock_names = 1000;
static LockNames *lock_names = NULL;
static bool names_are_shared = false;

static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/* Give the offset of the slots in the table. */
static Size
slots_offset(void)
{
	return MAXALIGN(add_size(offsetof(LockNames, keys),
							 mul_size(max_lock_names, sizeof(NameKey))));
}

/* Give the size of the table. */
static Size
names_size(void)
{
	return add_size(slots_offset(), mul_size(max_lock_names, sizeof(NameSlot)));
}

static NameSlot *
name_slot(const NameKey *entry)
{
	return (NameSlot *) ((char *) lock_names + slots_offset()) + entry->slot;
}

/* Make an empty table; every slot is free. */
static void
init_names(void *table)
{
	LockNames  *names = table;

	memset(names, 0, offsetof(LockNames, keys));
	names->capacity = max_lock_names;
	for (int i = 0; i < names->capacity; i++)
		names->keys[i].slot = i;
}

/* Likewise, for a table that backends share. */
static void
init_shared_names(void *table)
{
	LockNames  *names = table;

	init_names(names);
	names->tranche = LWLockNewTrancheId();
	LWLockInitialize(&names->lock, names->tranche);
}

static void
use_shared_names(void *table)
{
	lock_names = table;
	names_are_shared = true;
	LWLockRegisterTranche(lock_names->tranche, "dbkit_lock_names");
}

static void
request_shared_names(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(names_size());
}

static void
startup_shared_names(void)
{
	void	   *table;
	bool		found;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	table = ShmemInitStruct("dbkit lock names", names_size(), &found);
	if (!found)
		init_shared_names(table);
	LWLockRelease(AddinShmemInitLock);
	use_shared_names(table);
}

/* Set up the table where dbkit is not preloaded. */
static void
attach_names(void)
{
#ifdef DBKIT_HAVE_DSM_REGISTRY
	bool		found;

	use_shared_names(GetNamedDSMSegment("dbkit_lock_names", names_size(),
										init_shared_names, &found));
#else
	void	   *table = MemoryContextAllocHuge(TopMemoryContext, names_size());

	init_names(table);
	lock_names = table;
#endif
}

static void
acquire_names(LWLockMode mode)
{
	if (names_are_shared)
		LWLockAcquire(&lock_names->lock, mode);
}

static void
release_names(void)
{
	if (names_are_shared)
		LWLockRelease(&lock_names->lock);
}

static int
compare_keys(const void *a, const void *b)
{
	const NameKey *x = a;
	const NameKey *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->database != y->database)
		return x->database < y->database ? -1 : 1;
	return 0;
}

static int
compare_ages(const void *a, const void *b)
{
	const NameAge *x = a;
	const NameAge *y = b;

	if (x->used != y->used)
		return x->used < y->used ? -1 : 1;
	return 0;
}

static NameKey *
find_key(const NameKey *key)
{
	return bsearch(key, lock_names->keys, lock_names->count, sizeof(NameKey),
				   compare_keys);
}

/* Note that a name is in use; at most one store per statement. */
static void
touch_name(NameSlot *slot)
{
	uint64		now = (uint64) GetCurrentStatementStartTimestamp();

	if (pg_atomic_read_u64(&slot->used) != now)
		pg_atomic_write_u64(&slot->used, now);
}

/* List the keys that some backend holds or awaits, sorted. */
static NameKey *
keys_in_use(int *count)
{
	LockData   *data = GetLockStatusData();
	NameKey    *keys = palloc(Max(data->nelements, 1) * sizeof(NameKey));
	int			n = 0;

	for (int i = 0; i < data->nelements; i++)
	{
		const LOCKTAG *tag = &data->locks[i].locktag;

		if (!is_key_lock(tag))
			continue;
		keys[n].key = lock_tag_key(tag);
		keys[n].database = tag->locktag_field1;
		n++;
	}
	qsort(keys, n, sizeof(NameKey), compare_keys);
	pfree(data->locks);
	pfree(data);
	*count = n;
	return keys;
}

/* Keep the entries that are not marked; the slots of the others become free. */
static void
drop_marked(const bool *drop, NameKey *freed)
{
	int			kept = 0;
	int			nfreed = 0;

	for (int i = 0; i < lock_names->count; i++)
	{
		if (drop[i])
			freed[nfreed++] = lock_names->keys[i];
		else
			lock_names->keys[kept++] = lock_names->keys[i];
	}
	memcpy(&lock_names->keys[kept], freed, nfreed * sizeof(NameKey));
	lock_names->count = kept;
}

/*
 * Drop the oldest eighth of the names that nobody uses, so that a stream of
 * new names pays for reading the lock manager's state only now and then.  When
 * all are in use, rest for a second.  All memory is allocated before the table
 * changes.
 */
static void
sweep_names(void)
{
	TimestampTz now = GetCurrentTimestamp();
	int			capacity = lock_names->capacity;
	NameAge    *unused = palloc(capacity * sizeof(NameAge));
	NameKey    *freed = palloc(capacity * sizeof(NameKey));
	bool	   *drop = palloc0(capacity * sizeof(bool));
	int			nused;
	NameKey    *used = keys_in_use(&nused);
	int			nunused = 0;

	acquire_names(LW_EXCLUSIVE);
	for (int i = 0; i < lock_names->count; i++)
	{
		NameKey    *entry = &lock_names->keys[i];

		if (bsearch(entry, used, nused, sizeof(NameKey), compare_keys))
			continue;
		unused[nunused].used = pg_atomic_read_u64(&name_slot(entry)->used);
		unused[nunused++].index = i;
	}
	qsort(unused, nunused, sizeof(NameAge), compare_ages);
	for (int i = 0; i < Min(nunused, capacity / 8 + 1); i++)
		drop[unused[i].index] = true;
	drop_marked(drop, freed);
	if (nunused == 0)
		lock_names->next_sweep = TimestampTzPlusMilliseconds(now, 1000);
	release_names();

	pfree(unused);
	pfree(freed);
	pfree(drop);
	pfree(used);
}

/* Put a new name into a free slot, keeping the keys sorted. */
static void
insert_name(const NameKey *key, const char *utf8, int len)
{
	int			pos = lock_names->count;
	NameKey		entry = *key;
	NameSlot   *slot;

	entry.slot = lock_names->keys[pos].slot;
	while (pos > 0 && compare_keys(&lock_names->keys[pos - 1], key) > 0)
		pos--;
	memmove(&lock_names->keys[pos + 1], &lock_names->keys[pos],
			(lock_names->count - pos) * sizeof(NameKey));
	lock_names->keys[pos] = entry;
	lock_names->count++;

	slot = name_slot(&entry);
	memcpy(slot->name, utf8, len);
	slot->len = len;
	pg_atomic_init_u64(&slot->used, (uint64) GetCurrentStatementStartTimestamp());
}

/* Refresh a name that the table has; say whether it has it, or is full. */
static bool
refresh_name(const NameKey *key, bool *full)
{
	NameKey    *entry;

	acquire_names(LW_SHARED);
	entry = find_key(key);
	if (entry)
		touch_name(name_slot(entry));
	*full = lock_names->count == lock_names->capacity &&
		lock_names->next_sweep <= GetCurrentStatementStartTimestamp();
	release_names();
	return entry != NULL;
}

/* Remember the name of a lock that is about to be taken, if there is room. */
void
dbkit_remember_lock_name(int64 key, const char *utf8, int len)
{
	NameKey		entry = {key, MyDatabaseId, 0};
	bool		full;

	if (lock_names == NULL)
		attach_names();
	if (refresh_name(&entry, &full))
		return;
	if (full)
		sweep_names();

	acquire_names(LW_EXCLUSIVE);
	if (lock_names->count < lock_names->capacity && !find_key(&entry))
		insert_name(&entry, utf8, len);
	release_names();
}

/* Give the name that belongs to a key in this database, or NULL. */
char *
dbkit_lock_name(int64 key)
{
	NameKey		wanted = {key, MyDatabaseId, 0};
	char	   *copy = palloc(LOCK_NAME_MAX + 1);
	NameKey    *entry;
	int			len = 0;

	if (lock_names == NULL)
		attach_names();

	acquire_names(LW_SHARED);
	entry = find_key(&wanted);
	if (entry)
	{
		len = name_slot(entry)->len;
		memcpy(copy, name_slot(entry)->name, len);
	}
	release_names();

	copy[len] = '\0';
	return len > 0 ? pg_any_to_server(copy, len, PG_UTF8) : NULL;
}

/* Declare the size of the table and ask for its memory. */
void
dbkit_lock_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;

	DefineCustomIntVariable("dbkit.max_lock_names",
							"How many names of locks backends share.",
							"Each takes about 1 kB. Raise it when dbkit.locks shows locks "
							"of dbkit without a name.",
							&max_lock_names, 1000, 10, 65536, PGC_POSTMASTER, 0,
							NULL, NULL, NULL);
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_shared_names;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shared_names;
}
