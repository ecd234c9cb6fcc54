/*-------------------------------------------------------------------------
 *
 * change.h
 *		Judge what a statement does to a table in use, before it does it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CHANGE_H
#define DBKIT_CHANGE_H

#include "nodes/parsenodes.h"

#include "convention/change/statement_text.h"
#include "convention/findings.h"

/* A statement that is being judged, and the table that it meets */
typedef struct LiveChange
{
	const RunningStatement *running;
	Node	   *statement;
	List	   *findings;		/* Finding *, so far */
	List	   *names;			/* char *, of constraints in the steps */
	Oid			relid;
	bool		inherits;		/* partitions and children are changed, too */
	const char *table;			/* its name, qualified and quoted */
	uint64		size;
	const char *no_steps;		/* why there are none, or NULL */
} LiveChange;

/* What can be wrong with a change; see the table in unsafe.c */
typedef enum UnsafeChange
{
	UNSAFE_NOT_NULL,
	UNSAFE_CHECK,
	UNSAFE_FOREIGN_KEY,
	UNSAFE_VALIDATION,
	UNSAFE_INDEX,
	UNSAFE_INDEX_OF_PARTITIONS,
	UNSAFE_UNIQUE,
	UNSAFE_PRIMARY_KEY,
	UNSAFE_EXCLUSION,
	UNSAFE_REINDEX,
	UNSAFE_INDEX_MOVE,
	UNSAFE_DROP_INDEX,
	UNSAFE_DETACH,
	UNSAFE_COLUMN,
	UNSAFE_STORAGE,
	UNSAFE_MOVE,
	UNSAFE_VACUUM_FULL,
	UNSAFE_CLUSTER,
	UNSAFE_REFRESH,
	BREAKING_RENAME,
	BREAKING_DROP,
	BREAKING_TYPE
} UnsafeChange;

/* unsafe.c */
extern bool dbkit_meet_table(LiveChange *change, Oid relid, bool inherits);
extern Finding *dbkit_find_unsafe(LiveChange *change, UnsafeChange unsafe, uint64 size, const char *column);
extern void dbkit_add_step(Finding *finding, const char *step,...);
extern void dbkit_begin_locks(Finding *finding);
extern void dbkit_end_locks(Finding *finding);
extern void dbkit_prepend_step(Finding *finding, const char *sql);
extern void dbkit_complete_steps(LiveChange *change, const char *rest);

/* change_alter.c, change_index.c, change_column.c, breaking.c */
extern void dbkit_judge_alter(LiveChange *change);
extern void dbkit_judge_alter_rewrite(LiveChange *change, int reason);
extern void dbkit_judge_create_index(LiveChange *change);
extern void dbkit_judge_key(LiveChange *change, const Constraint *key, List *columns);
extern uint64 dbkit_unproven_size(const LiveChange *change, const char *column);
extern char *dbkit_choose_constraint_name(LiveChange *change, const char *column, const char *label);
extern char *dbkit_add_proof(LiveChange *change, Finding *finding, const char *column);
extern bool dbkit_add_retype_steps(LiveChange *change, Finding *finding, const StatementText *text,
								   int first, const AlterTableCmd *action);
extern bool dbkit_add_column_steps(LiveChange *change, Finding *finding, const StatementText *text,
								   const ColumnDef *column);
extern char *dbkit_column_without(const StatementText *text, const ColumnDef *column, const List *others);
extern char *dbkit_column_part(const StatementText *text, const ColumnDef *column, const Constraint *part);
extern void dbkit_judge_breaking(LiveChange *change);

/* change.c */
extern bool dbkit_function_runs_statement(void);
extern bool dbkit_was_locked_before(Oid relid);
extern void dbkit_judge_change(Node *statement);
extern void dbkit_judge_rewrite(Node *statement);
extern void dbkit_change_init(void);

#endif							/* DBKIT_CHANGE_H */
