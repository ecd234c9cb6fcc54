/*-------------------------------------------------------------------------
 *
 * concerns.h
 *		Which objects a rule is about.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CONCERNS_H
#define DBKIT_CONCERNS_H

#include "convention/findings.h"

extern bool dbkit_rule_concerns(const Rule *rule, const Facts *facts);
extern bool dbkit_rule_is_taste(const Rule *rule);

#endif							/* DBKIT_CONCERNS_H */
