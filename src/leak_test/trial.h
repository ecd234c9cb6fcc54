/*-------------------------------------------------------------------------
 *
 * trial.h
 *		What the ways to reach another organization's rows have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_TRIAL_H
#define DBKIT_LEAK_TRIAL_H

#include "leak_test/leak_test.h"

/* A column and the value that it is to have; NULL for null */
typedef struct Assignment
{
	const Column *column;
	const char *value;
} Assignment;

extern Assignment *dbkit_assign(const Column *column, const char *value);
extern const char *dbkit_literal(const char *value);
extern Row *dbkit_row_of(const Subject *subject, Side side);
extern Probe *dbkit_try_statement(const LeakTest *test, const Subject *subject, const char *sql, List *removed, const char *count);
extern bool dbkit_failed_with(const Probe *probe, int sqlerrcode);
extern bool dbkit_met_a_duplicate(const Probe *probe);
extern bool dbkit_met_bad_values(const Probe *probe);
extern LeakVerdict dbkit_undecided(const Probe *probe, char **detail);
extern char *dbkit_write_insert(const Subject *subject, const Row *row, const List *changes);
extern char *dbkit_write_update(const Subject *subject, const List *changes);
extern bool dbkit_may_assign(const List *changes, bool by_insert);
extern bool dbkit_has_both_rows(const Subject *subject);

#endif							/* DBKIT_LEAK_TRIAL_H */
