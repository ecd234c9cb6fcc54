/*-------------------------------------------------------------------------
 *
 * partition.h
 *		Protect a partition or child as its parent is, when it is made or attached.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PARTITION_H
#define DBKIT_PARTITION_H

#include "tcop/deparse_utility.h"

extern void dbkit_protect_new_members(Oid relid, const CollectedCommand *command);

#endif							/* DBKIT_PARTITION_H */
