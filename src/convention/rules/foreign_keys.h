/*-------------------------------------------------------------------------
 *
 * foreign_keys.h
 *		What rules about foreign keys have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RULES_FOREIGN_KEYS_H
#define DBKIT_RULES_FOREIGN_KEYS_H

#include "convention/findings.h"

extern const char *dbkit_action_clause(const char *event, char action);
extern bool dbkit_is_covered(const Facts *facts, const ForeignKeyFacts *key);
extern bool dbkit_is_unvalidated(const Facts *facts, const ForeignKeyFacts *key);
extern Finding *dbkit_add_key_finding(Judgement *judgement, const ForeignKeyFacts *key, const char *problem);

#endif							/* DBKIT_RULES_FOREIGN_KEYS_H */
