/*-------------------------------------------------------------------------
 *
 * levels.h
 *		How seriously each rule is taken.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEVELS_H
#define DBKIT_LEVELS_H

#include "convention/agreement.h"
#include "convention/findings.h"

/* Whose level: that of what is there, or that of what is being changed now */
typedef enum LevelUse
{
	LEVEL_TO_CHECK,				/* whatever dbkit.enforce says */
	LEVEL_TO_ENFORCE,
	LEVEL_REQUIRED				/* what the server's configuration demands */
} LevelUse;

#define LEVEL_BIT(level)	(1 << (level))

extern bool dbkit_nothing_is_enforced(void);
extern const char *dbkit_enforce_mode(void);
extern RuleLevel dbkit_rule_level(const Rule *rule, const char *schema, LevelUse use);
extern int	dbkit_rule_levels(const Rule *rule, LevelUse use);
extern const char *dbkit_rule_level_source(const Rule *rule);
extern const char *dbkit_level_name(RuleLevel level);
extern Jsonb *dbkit_agreed_levels(const Agreement *agreement);
extern List *dbkit_find_level_problems(const Agreement *agreement);
extern List *dbkit_find_setting_problems(const char *setting);
extern void dbkit_levels_init(void);

#endif							/* DBKIT_LEVELS_H */
