/*-------------------------------------------------------------------------
 *
 * team_rules.h
 *		The rules that a team has added to dbkit's.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TEAM_RULES_H
#define DBKIT_TEAM_RULES_H

#include "executor/spi.h"

#include "convention/agreement.h"
#include "convention/findings.h"

/* What the agreement says of one of them */
typedef struct TeamRuleDefinition
{
	char	   *id;
	char	   *function;		/* that judges: team.plural_name(oid) */
	int			kinds;			/* ObjectKind bits */
	RulePhase	phase;
	char	   *description;
} TeamRuleDefinition;

/*
 * One of them as long as the session lasts: findings point at it, also once the agreement
 * is another one
 */
typedef struct TeamRule
{
	Rule		rule;			/* first: what every rule has */
	const TeamRuleDefinition *definition;	/* while it is in force */
	char	   *query;			/* that calls the function, */
	SPIPlanPtr	plan;			/* and its plan, or NULL */
	LocalTransactionId failed_in;	/* the last transaction in which it could
									 * not judge */
} TeamRule;

extern List *dbkit_read_team_rules(const Agreement *agreement, List **problems);
extern const TeamRuleDefinition *dbkit_find_definition(const List *definitions, const char *id);
extern void dbkit_use_team_rules(const List *definitions);
extern const TeamRule *dbkit_team_rule(const Rule *rule);
extern const char *dbkit_team_rule_problem(const char *id);

#endif							/* DBKIT_TEAM_RULES_H */
