/*-------------------------------------------------------------------------
 *
 * partition_bound.c
 *		The bound of a partition, as it is stored.
 *
 * The relcache has it too, but with the expressions of the key folded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/facts/tree.h"
#include "partition_bound.h"

/* Return the bound of a partition, or NULL where there is none. */
PartitionBoundSpec *
dbkit_partition_bound(Oid partition)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(partition));
	Node	   *result = NULL;
	Datum		stored;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	stored = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relpartbound, &isnull);
	if (!isnull)
		result = dbkit_stored_tree(dbkit_stored_text(stored));
	ReleaseSysCache(tuple);
	return castNode(PartitionBoundSpec, result);
}
