/*-------------------------------------------------------------------------
 *
 * rules.h
 *		The schema conventions: all rules, in the order in which they judge.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RULES_H
#define DBKIT_RULES_H

#include "convention/findings.h"

/* Room for what there is, and for some more; and for those of a team */
#define MAX_BUILTIN_RULES	100
#define MAX_TEAM_RULES		100
#define MAX_RULES			(MAX_BUILTIN_RULES + MAX_TEAM_RULES)

extern Rule *dbkit_all_rules[MAX_RULES];
extern int	dbkit_n_builtin_rules;	/* the first of them */
extern int	dbkit_n_rules;		/* all */

extern const Rule *dbkit_find_rule(const char *id);
extern const char *dbkit_phase_name(RulePhase phase);
extern bool dbkit_find_phase(const char *name, RulePhase *phase);
extern bool dbkit_is_safe_path(const char *search_path);
extern void dbkit_rules_init(void);

#endif							/* DBKIT_RULES_H */
