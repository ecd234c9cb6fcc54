/*-------------------------------------------------------------------------
 *
 * guard.h
 *		Rules about a change itself, which only the server can judge.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_GUARD_H
#define DBKIT_GUARD_H

#include "nodes/nodes.h"
#include "nodes/pg_list.h"

extern List *dbkit_guard_index(Node *parsetree);
extern List *dbkit_guard_rewrite(void);
extern void dbkit_guard_init(void);

#endif							/* DBKIT_GUARD_H */
