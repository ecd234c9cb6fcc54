/*-------------------------------------------------------------------------
 *
 * tree.h
 *		Make the trees of stored expressions and bounds.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TREE_H
#define DBKIT_TREE_H

#include "nodes/parsenodes.h"

extern char *dbkit_stored_text(Datum stored);
extern Node *dbkit_stored_tree(const char *stored);
extern PartitionBoundSpec * dbkit_stored_bound(Oid partition);

#endif							/* DBKIT_TREE_H */
