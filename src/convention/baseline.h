/*-------------------------------------------------------------------------
 *
 * baseline.h
 *		Findings that were there when the agreement was made.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_BASELINE_H
#define DBKIT_BASELINE_H

#include "convention/agreement.h"
#include "convention/findings.h"

/* One name that the baseline has */
typedef struct BaselineEntry
{
	char	   *object;			/* as dbkit_object_name() gives it */
	char	   *rule;
	char	   *name;
} BaselineEntry;

extern bool dbkit_is_in_baseline(const Finding *finding);
extern bool dbkit_baseline_has(const char *object);
extern List *dbkit_baseline_of(const char *object);
extern BaselineEntry *dbkit_baseline_entry(const Finding *finding);
extern List *dbkit_subtract_entries(List *entries, List *others);
extern List *dbkit_read_baseline(Jsonb *agreement);
extern Jsonb *dbkit_replace_baseline(Jsonb *agreement, List *entries);
extern List *dbkit_find_baseline_problems(const Agreement *agreement);

#endif							/* DBKIT_BASELINE_H */
