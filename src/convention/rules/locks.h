/*-------------------------------------------------------------------------
 *
 * locks.h
 *		Rules about the locks that a change to a large table takes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LOCK_RULES_H
#define DBKIT_LOCK_RULES_H

#include "nodes/pg_list.h"

extern int	dbkit_max_lock_time;

extern void dbkit_report_wait(const List *targets);
extern void dbkit_report_held_locks(const List *held, bool preparing);
extern void dbkit_lock_rules_init(void);

#endif							/* DBKIT_LOCK_RULES_H */
