/*-------------------------------------------------------------------------
 *
 * size_limits.h
 *		Rules about a change itself, which only the server can judge.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SIZE_LIMITS_H
#define DBKIT_SIZE_LIMITS_H

#include "nodes/nodes.h"
#include "nodes/pg_list.h"

extern List *dbkit_judge_index_build(Node *parsetree);
extern List *dbkit_judge_rewrite(void);
extern uint64 dbkit_large_table_size(void);
extern bool dbkit_is_large(Oid relid);
extern void dbkit_size_limits_init(void);

#endif							/* DBKIT_SIZE_LIMITS_H */
