/*-------------------------------------------------------------------------
 *
 * partition_bound.h
 *		The bound of a partition, as it is stored.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PARTITION_BOUND_H
#define DBKIT_PARTITION_BOUND_H

#include "nodes/parsenodes.h"

extern PartitionBoundSpec *dbkit_partition_bound(Oid partition);

#endif							/* DBKIT_PARTITION_BOUND_H */
