/*-------------------------------------------------------------------------
 *
 * size_limits.c
 *		Rules about a change itself, which only the server can judge because
 *		it knows how large the table is.  change/ judges by them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "cluster.h"
#include "common.h"
#include "compat.h"
#include "convention/change/change.h"
#include "convention/rules/size_limits.h"
#include "convention/rules/files.h"

/* In kilobytes */
static int	large_table_size = 100 * 1024;

/* A table, and the size of its rows that are elsewhere */
typedef struct SizeElsewhere
{
	Oid			relid;
	uint64		bytes;
} SizeElsewhere;

/*
 * Return the size in bytes of a table's rows that are elsewhere, on the servers of a cluster: what
 * was said first in the transaction, as nobody may ask once that has locked the table.
 */
uint64
dbkit_size_elsewhere(Oid relid)
{
	static struct
	{
		LocalTransactionId transaction;
		List	   *sizes;
	}			said;
	MemoryContext caller;
	SizeElsewhere *size;
	ListCell   *lc;

	if (!dbkit_cluster_is_loaded)
		return 0;
	if (said.transaction != dbkit_local_transaction())
	{
		said.transaction = dbkit_local_transaction();
		said.sizes = NIL;
	}
	foreach(lc, said.sizes)
	{
		if (((SizeElsewhere *) lfirst(lc))->relid == relid)
			return ((SizeElsewhere *) lfirst(lc))->bytes;
	}
	if (dbkit_was_locked_before(relid) || !ConditionalLockRelationOid(relid, AccessShareLock))
		return 0;
	caller = MemoryContextSwitchTo(TopTransactionContext);
	size = palloc(sizeof(SizeElsewhere));
	size->relid = relid;
	size->bytes = dbkit_size_of_copies(relid);
	said.sizes = lappend(said.sizes, size);
	MemoryContextSwitchTo(caller);
	UnlockRelationOid(relid, AccessShareLock);
	return size->bytes;
}

/*
 * Return the size of a table in bytes; 0 where this transaction created it, so
 * that nobody else can wait for it.
 */
uint64
dbkit_table_size(Oid relid, bool with_partitions)
{
	List	   *relations = with_partitions ? find_all_inheritors(relid, NoLock, NULL) :
	list_make1_oid(relid);
	uint64		size = 0;
	ListCell   *lc;

	foreach(lc, relations)
	{
		Relation	rel = try_relation_open(lfirst_oid(lc), AccessShareLock);

		if (rel == NULL)
			continue;
		if (RELKIND_HAS_STORAGE(rel->rd_rel->relkind) &&
			rel->rd_createSubid == InvalidSubTransactionId)
			size += (uint64) RelationGetNumberOfBlocks(rel) * BLCKSZ + dbkit_size_elsewhere(RelationGetRelid(rel));
		relation_close(rel, AccessShareLock);
	}
	return size;
}

/* Return the size in bytes above which a table is large. */
uint64
dbkit_large_table_size(void)
{
	return (uint64) large_table_size * 1024;
}

/* Is it a table of which others should not have to wait for a change? */
bool
dbkit_is_large(Oid relid)
{
	return dbkit_table_size(relid, true) > dbkit_large_table_size();
}

/* Define the settings of this module. */
void
dbkit_size_limits_init(void)
{
	/* How long a lock is bearable depends on the hardware and the business. */
	DefineCustomIntVariable("dbkit.large_table_size",
							"Size of a table above which changes that others have to wait for are judged.",
							NULL,
							&large_table_size,
							100 * 1024, 0, MAX_KILOBYTES,
							PGC_SUSET,
							GUC_UNIT_KB | DBKIT_SETTING,
							NULL, NULL, NULL);
}

Rule		dbkit_size_limit_rules[] = {
	[TABLE_REWRITE] = {
		.id = "table_rewrite",
		.phase = PHASE_CHANGE,
		.kinds = KIND_TABLE | KIND_ENUM_TABLE | KIND_MATERIALIZED_VIEW,
		.level = LEVEL_WARNING,
		.description = "nothing rewrites a table larger than dbkit.large_table_size while others wait"
	},
	[BLOCKING_INDEX] = {
		.id = "blocking_index",
		.phase = PHASE_CHANGE,
		.kinds = KIND_TABLE | KIND_ENUM_TABLE | KIND_MATERIALIZED_VIEW,
		.level = LEVEL_WARNING,
		.description = "indexes of a table larger than dbkit.large_table_size are built and dropped CONCURRENTLY"
	},
	[BLOCKING_VALIDATION] = {
		.id = "blocking_validation",
		.phase = PHASE_CHANGE,
		.kinds = KIND_TABLE | KIND_ENUM_TABLE,
		.level = LEVEL_WARNING,
		.description = "constraints of a table larger than dbkit.large_table_size are added NOT VALID and validated later"
	},
	[BREAKING_CHANGE] = {
		.id = "breaking_change",
		.phase = PHASE_CHANGE,
		.kinds = KIND_TABLE | KIND_ENUM_TABLE | KIND_VIEW | KIND_MATERIALIZED_VIEW,
		.level = LEVEL_OFF,
		.description = "nothing that a running application may use is renamed, dropped or given another type"
	},
	{NULL}
};
