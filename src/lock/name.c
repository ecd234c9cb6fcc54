/*-------------------------------------------------------------------------
 *
 * name.c
 *		Keys of locks from their names, and names from their keys.
 *
 * The lock manager knows a lock by its key alone.  This table remembers the
 * names behind the keys for the view dbkit.locks, and saves hashing a name that
 * it has.  It is in shared memory where dbkit is preloaded, in a named dynamic
 * segment on PostgreSQL 17 and later where it is not, and otherwise each
 * backend's own.  No lock depends on it: a name that is not in it is hashed
 * again, and shown as NULL.
 *
 * The size is fixed.  When the table is full, the names that no backend holds
 * or awaits any more make room, the least recently used first.  What is in use
 * is read from the lock manager, so a backend that dies has nothing to undo.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "port/pg_bswap.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "common.h"
#include "lock/name.h"

#ifdef DBKIT_HAVE_DSM_REGISTRY
#include "storage/dsm_registry.h"
#endif

/* A key is a database's own, as in the lock manager. */
typedef struct NameSlot
{
	int64		key;
	Oid			database;
	int			len;
	char		name[LOCK_NAME_MAX];	/* UTF-8 */
} NameSlot;

typedef struct NameEntry
{
	uint64		hash;			/* of name and database, just to find it */
	pg_atomic_uint64 used;		/* when the name was last asked for */
	uint32		slot;
} NameEntry;

typedef struct LockNames
{
	LWLock		lock;
	int			tranche;
	int			capacity;
	int			count;
	TimestampTz next_sweep;		/* do not look for room before this */
	/* Sorted by hash up to "count"; the rest lists the free slots. */
	NameEntry	entries[FLEXIBLE_ARRAY_MEMBER];
	/* NameSlot slots[capacity] follows */
} LockNames;

/* A lock that some backend holds or awaits */
typedef struct UsedKey
{
	int64		key;
	Oid			database;
} UsedKey;

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
	return MAXALIGN(add_size(offsetof(LockNames, entries),
							 mul_size(max_lock_names, sizeof(NameEntry))));
}

/* Give the size of the table. */
static Size
names_size(void)
{
	return add_size(slots_offset(), mul_size(max_lock_names, sizeof(NameSlot)));
}

static NameSlot *
slot_of(const NameEntry *entry)
{
	return (NameSlot *) ((char *) lock_names + slots_offset()) + entry->slot;
}

/* Make an empty table; every slot is free. */
static void
init_names(void *table)
{
	LockNames  *names = table;

	memset(names, 0, offsetof(LockNames, entries));
	names->capacity = max_lock_names;
	for (int i = 0; i < names->capacity; i++)
		names->entries[i].slot = i;
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
compare_used_keys(const void *a, const void *b)
{
	const UsedKey *x = a;
	const UsedKey *y = b;

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

/* Give the first eight bytes, big-endian, of the SHA-256 of a name. */
int64
dbkit_hash_lock_name(const char *utf8, int len)
{
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	uint64		key;

	if (pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) utf8, len) < 0 ||
		pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(ctx));
	pg_cryptohash_free(ctx);

	memcpy(&key, digest, sizeof(key));
	return (int64) pg_ntoh64(key);
}

/* Find where a hash is, or belongs. */
static int
find_position(uint64 hash)
{
	int			low = 0;
	int			high = lock_names->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (lock_names->entries[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
has_hash(int pos, uint64 hash)
{
	return pos < lock_names->count && lock_names->entries[pos].hash == hash;
}

/* Note that a name is in use; at most one store per statement. */
static void
touch_name(NameEntry *entry)
{
	uint64		now = (uint64) GetCurrentStatementStartTimestamp();

	if (pg_atomic_read_u64(&entry->used) != now)
		pg_atomic_write_u64(&entry->used, now);
}

/* Look a name up, and get its key; say whether to make room for it. */
static bool
recall_name(uint64 hash, const char *utf8, int len, int64 *key, bool *sweep)
{
	bool		known = false;
	int			pos;

	acquire_names(LW_SHARED);
	pos = find_position(hash);
	if (has_hash(pos, hash))
	{
		NameSlot   *slot = slot_of(&lock_names->entries[pos]);

		known = slot->database == MyDatabaseId && slot->len == len &&
			memcmp(slot->name, utf8, len) == 0;
		if (known)
		{
			*key = slot->key;
			touch_name(&lock_names->entries[pos]);
		}
	}
	*sweep = lock_names->count == lock_names->capacity &&
		lock_names->next_sweep <= GetCurrentStatementStartTimestamp();
	release_names();
	return known;
}

/* List the keys that some backend holds or awaits, sorted. */
static UsedKey *
list_used_keys(int *count)
{
	LockData   *data = GetLockStatusData();
	UsedKey    *keys = palloc(Max(data->nelements, 1) * sizeof(UsedKey));
	int			n = 0;

	for (int i = 0; i < data->nelements; i++)
	{
		const LOCKTAG *tag = &data->locks[i].locktag;

		if (!dbkit_is_key_lock(tag))
			continue;
		keys[n].key = dbkit_lock_tag_key(tag);
		keys[n++].database = tag->locktag_field1;
	}
	qsort(keys, n, sizeof(UsedKey), compare_used_keys);
	pfree(data->locks);
	pfree(data);
	*count = n;
	return keys;
}

/* List the entries whose key is not among "used", the oldest first. */
static int
list_unused_names(const UsedKey *used, int nused, NameAge *unused)
{
	int			n = 0;

	for (int i = 0; i < lock_names->count; i++)
	{
		NameEntry  *entry = &lock_names->entries[i];
		NameSlot   *slot = slot_of(entry);
		UsedKey		wanted = {slot->key, slot->database};

		if (bsearch(&wanted, used, nused, sizeof(UsedKey), compare_used_keys))
			continue;
		unused[n].used = pg_atomic_read_u64(&entry->used);
		unused[n++].index = i;
	}
	qsort(unused, n, sizeof(NameAge), compare_ages);
	return n;
}

/* Keep the entries that are not marked; the slots of the others become free. */
static void
drop_marked(const bool *drop, NameEntry *freed)
{
	int			kept = 0;
	int			nfreed = 0;

	for (int i = 0; i < lock_names->count; i++)
	{
		if (drop[i])
			freed[nfreed++] = lock_names->entries[i];
		else
			lock_names->entries[kept++] = lock_names->entries[i];
	}
	memcpy(&lock_names->entries[kept], freed, nfreed * sizeof(NameEntry));
	lock_names->count = kept;
}

/*
 * Drop the older half of the names that nobody uses, so that a stream of new
 * names pays for looking at the lock manager's state only now and then.  When
 * all are in use, rest for a second.  Memory is allocated before the table is
 * locked.
 */
static void
sweep_names(void)
{
	TimestampTz now = GetCurrentTimestamp();
	int			capacity = lock_names->capacity;
	NameAge    *unused = palloc(capacity * sizeof(NameAge));
	NameEntry  *freed = palloc(capacity * sizeof(NameEntry));
	bool	   *drop = palloc0(capacity * sizeof(bool));
	int			nunused;
	int			nused;
	UsedKey    *used = list_used_keys(&nused);

	acquire_names(LW_EXCLUSIVE);
	nunused = list_unused_names(used, nused, unused);
	for (int i = 0; i < (nunused + 1) / 2; i++)
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

/* Put a new name into a free slot, keeping the entries sorted. */
static void
insert_name(int pos, uint64 hash, int64 key, const char *utf8, int len)
{
	NameEntry  *entry = &lock_names->entries[pos];
	uint32		free_slot = lock_names->entries[lock_names->count].slot;
	NameSlot   *slot;

	memmove(entry + 1, entry, (lock_names->count - pos) * sizeof(NameEntry));
	lock_names->count++;
	entry->hash = hash;
	entry->slot = free_slot;
	pg_atomic_init_u64(&entry->used, (uint64) GetCurrentStatementStartTimestamp());

	slot = slot_of(entry);
	slot->key = key;
	slot->database = MyDatabaseId;
	slot->len = len;
	memcpy(slot->name, utf8, len);
}

/* Give the key of a name, and remember the name, if there is room. */
int64
dbkit_remember_lock_name(const char *utf8, int len)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) utf8, len,
										   MyDatabaseId);
	int64		key;
	bool		sweep;
	int			pos;

	if (lock_names == NULL)
		attach_names();
	if (recall_name(hash, utf8, len, &key, &sweep))
		return key;
	if (sweep)
		sweep_names();

	key = dbkit_hash_lock_name(utf8, len);
	acquire_names(LW_EXCLUSIVE);
	pos = find_position(hash);
	if (lock_names->count < lock_names->capacity && !has_hash(pos, hash))
		insert_name(pos, hash, key, utf8, len);
	release_names();
	return key;
}

int
dbkit_compare_lock_names(const void *a, const void *b)
{
	int64		x = ((const LockName *) a)->key;
	int64		y = ((const LockName *) b)->key;

	return x < y ? -1 : x > y;
}

/*
 * List the names known in this database, in its encoding and sorted by key.
 * They are copied before any is converted, which may raise an error.
 */
LockName *
dbkit_list_lock_names(int *count)
{
	LockName   *list;
	int			n = 0;

	if (lock_names == NULL)
		attach_names();

	list = palloc(lock_names->capacity * sizeof(LockName));
	acquire_names(LW_SHARED);
	for (int i = 0; i < lock_names->count; i++)
	{
		NameSlot   *slot = slot_of(&lock_names->entries[i]);

		if (slot->database != MyDatabaseId)
			continue;
		list[n].key = slot->key;
		list[n++].name = pnstrdup(slot->name, slot->len);
	}
	release_names();

	for (int i = 0; i < n; i++)
		list[i].name = pg_any_to_server(list[i].name, strlen(list[i].name), PG_UTF8);
	qsort(list, n, sizeof(LockName), dbkit_compare_lock_names);
	*count = n;
	return list;
}

/* Declare the size of the table and ask for its memory. */
void
dbkit_lock_names_init(void)
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
