/*-------------------------------------------------------------------------
 *
 * team_judge.h
 *		Have a function of the team judge an object.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TEAM_JUDGE_H
#define DBKIT_TEAM_JUDGE_H

#include "convention/findings.h"

/* A function that is to judge */
typedef struct TeamFunction
{
	Oid			owner;
	const char *trouble;		/* why it may not, or NULL */
	int			sqlerrcode;		/* that this is */
} TeamFunction;

extern Oid	dbkit_find_team_function(const char *name);
extern TeamFunction dbkit_team_function(Oid oid);
extern void dbkit_judge_by_team(Judgement *judgement);
extern bool dbkit_team_rule_failed(const Rule *rule);

#endif							/* DBKIT_TEAM_JUDGE_H */
