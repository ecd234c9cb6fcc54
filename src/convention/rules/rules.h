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

/* Room for what there is, and for some more */
#define MAX_RULES	100

extern Rule *dbkit_all_rules[MAX_RULES];
extern int	dbkit_n_rules;

extern const Rule *dbkit_find_rule(const char *id);
extern const char *dbkit_phase_name(RulePhase phase);
extern void dbkit_rules_init(void);

#endif							/* DBKIT_RULES_H */
