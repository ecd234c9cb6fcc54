/*-------------------------------------------------------------------------
 *
 * tree.h
 *		Make the trees of stored expressions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TREE_H
#define DBKIT_TREE_H

#include "nodes/nodes.h"

extern char *dbkit_stored_text(Datum stored);
extern Node *dbkit_stored_tree(const char *stored);

#endif							/* DBKIT_TREE_H */
