/*-------------------------------------------------------------------------
 *
 * like.h
 *		Know which table is made LIKE a partitioned one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LIKE_H
#define DBKIT_LIKE_H

#include "nodes/nodes.h"

extern void dbkit_note_model(const Node *statement);
extern Oid	dbkit_model_of(const Node *statement);

#endif							/* DBKIT_LIKE_H */
