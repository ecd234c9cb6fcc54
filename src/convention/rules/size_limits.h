/*-------------------------------------------------------------------------
 *
 * size_limits.h
 *		Rules about a change itself, which only the server can judge.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SIZE_LIMITS_H
#define DBKIT_SIZE_LIMITS_H

/* The rows of dbkit_size_limit_rules */
typedef enum ChangeRule
{
	TABLE_REWRITE,
	BLOCKING_INDEX,
	BLOCKING_VALIDATION,
	BREAKING_CHANGE
} ChangeRule;

extern uint64 dbkit_size_elsewhere(Oid relid);
extern uint64 dbkit_table_size(Oid relid, bool with_partitions);
extern uint64 dbkit_large_table_size(void);
extern bool dbkit_is_large(Oid relid);
extern void dbkit_size_limits_init(void);

#endif							/* DBKIT_SIZE_LIMITS_H */
