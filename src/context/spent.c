/*-------------------------------------------------------------------------
 *
 * spent.c
 *		Remember which sent contexts are over on this server.
 *
 * A signed context that another server of the cluster sends is good for one transaction
 * of that server, whose parts here end together.  So once one of them has ended, the
 * context must not come again.  All backends have to know; a table in shared memory
 * has place for the contexts of about a minute.  Where more come, it forgets the oldest,
 * and refuses all that were sent before one that it has forgotten.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "cluster.h"
#include "common.h"
#include "context/spent.h"

/*
 * What is forgotten from one bucket counts for all.  So they are large enough to be filled
 * about equally.
 */
#define BUCKETS		512
#define BUCKET_SIZE	128

#define TRANCHE		"dbkit_spent_contexts"

/* A context, by its nonce, and when it ended */
typedef struct SpentContext
{
	uint64		nonce;
	TimestampTz ended;			/* 0 for none */
} SpentContext;

typedef struct SpentContexts
{
	LWLock	   *lock;
	TimestampTz known_from;		/* nothing is known about those sent before */
	SpentContext buckets[BUCKETS][BUCKET_SIZE];
} SpentContexts;

static SpentContexts *spent_contexts = NULL;
static shmem_request_hook_type prev_shmem_request_hook = NULL;
static shmem_startup_hook_type prev_shmem_startup_hook = NULL;

/* May a context that was sent at that time be over already?  Where dbkit is not preloaded, that is not known. */
bool
dbkit_is_spent(uint64 nonce, TimestampTz sent)
{
	const SpentContext *bucket;
	bool		spent;

	if (spent_contexts == NULL)
		return true;
	bucket = spent_contexts->buckets[nonce % BUCKETS];
	LWLockAcquire(spent_contexts->lock, LW_SHARED);
	spent = sent < spent_contexts->known_from;
	for (int i = 0; i < BUCKET_SIZE; i++)
		spent = spent || (bucket[i].ended != 0 && bucket[i].nonce == nonce);
	LWLockRelease(spent_contexts->lock);
	return spent;
}

/* Note that a context is over, once for all connections that had it; cannot fail */
void
dbkit_spend(uint64 nonce)
{
	SpentContext *bucket = spent_contexts->buckets[nonce % BUCKETS];
	SpentContext *oldest = bucket;
	TimestampTz now = GetCurrentTimestamp();

	LWLockAcquire(spent_contexts->lock, LW_EXCLUSIVE);
	for (int i = 0; i < BUCKET_SIZE; i++)
	{
		if (bucket[i].ended != 0 && bucket[i].nonce == nonce)
		{
			LWLockRelease(spent_contexts->lock);
			return;
		}
		if (bucket[i].ended < oldest->ended)
			oldest = &bucket[i];
	}
	spent_contexts->known_from = Max(spent_contexts->known_from, oldest->ended);
	oldest->nonce = nonce;
	oldest->ended = now;
	LWLockRelease(spent_contexts->lock);
}

static void
request_memory(void)
{
	if (prev_shmem_request_hook)
		prev_shmem_request_hook();
	RequestAddinShmemSpace(sizeof(SpentContexts));
	RequestNamedLWLockTranche(TRANCHE, 1);
}

static void
start_up(void)
{
	bool		found;

	if (prev_shmem_startup_hook)
		prev_shmem_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	spent_contexts = ShmemInitStruct("dbkit spent contexts", sizeof(SpentContexts), &found);
	if (!found)
	{
		memset(spent_contexts, 0, sizeof(SpentContexts));
		spent_contexts->lock = &GetNamedLWLockTranche(TRANCHE)->lock;
		spent_contexts->known_from = GetCurrentTimestamp();
	}
	LWLockRelease(AddinShmemInitLock);
}

void
dbkit_spent_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
		return;
	prev_shmem_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	prev_shmem_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_up;
}
