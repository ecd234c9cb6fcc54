/*-------------------------------------------------------------------------
 *
 * partition.h
 *		Protect a partition or child as its parent is, when it is made or attached,
 *		and when the parent's row level security changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PARTITION_H
#define DBKIT_PARTITION_H

#include "tcop/deparse_utility.h"

extern void dbkit_protect_new_members(Oid relid, const CollectedCommand *command);
extern void dbkit_prepare_policies(const Node *statement);
extern void dbkit_pass_on_policies(const Node *statement);

#endif							/* DBKIT_PARTITION_H */
