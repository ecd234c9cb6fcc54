/*-------------------------------------------------------------------------
 *
 * add_rule.h
 *		Add rules of the team's own to the agreement.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ADD_RULE_H
#define DBKIT_ADD_RULE_H

#include "convention/agreement.h"

extern List *dbkit_check_new_team_rules(const Agreement *present, const Agreement *next);

#endif							/* DBKIT_ADD_RULE_H */
