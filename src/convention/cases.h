/*-------------------------------------------------------------------------
 *
 * cases.h
 *		Judge the objects that changed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CASES_H
#define DBKIT_CASES_H

#include "convention/changed.h"
#include "convention/judge.h"

/* What is judged of one object: the facts, NULL where there is nothing to judge, and the change */
typedef struct Case
{
	const ChangedObject *object;
	Facts	   *facts;
} Case;

extern bool dbkit_changes_prefix(const ChangedObject *object);
extern List *dbkit_read_cases(const List *objects, JudgeScope scope, bool enforced, bool registry);
extern List *dbkit_judge_cases(const List *cases, JudgeScope scope);
extern List *dbkit_drop_warnings(List *findings);

#endif							/* DBKIT_CASES_H */
