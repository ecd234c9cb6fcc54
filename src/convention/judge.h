/*-------------------------------------------------------------------------
 *
 * judge.h
 *		Have the rules judge an object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_JUDGE_H
#define DBKIT_JUDGE_H

#include "convention/findings.h"

/* Which rules judge */
typedef enum JudgeScope
{
	SCOPE_STATEMENT,			/* what a statement is rejected for */
	SCOPE_COMMIT,				/* what a commit is rejected or fixed for */
	SCOPE_REFUSED,				/* what a statement that is rejected is told:
								 * both, but for what would be fixed */
	SCOPE_DRAFT,				/* what a table that is made anew has to heed:
								 * also what others imply */
	SCOPE_CHECK,				/* all that are not off */
	SCOPE_FIX,					/* the same, and what others imply */
	SCOPE_ALL					/* all, and no exemption counts */
} JudgeScope;

extern int	dbkit_judged_kinds(JudgeScope scope);
extern FactSet dbkit_facts_of_rule(const Rule *rule);
extern FactSet dbkit_facts_to_read(JudgeScope scope, Change change);
extern bool dbkit_is_checked(const Facts *facts, const Rule *rule);
extern void dbkit_judge(Judgement *judgement, Facts *facts, JudgeScope scope, Change change);

#endif							/* DBKIT_JUDGE_H */
