/*-------------------------------------------------------------------------
 *
 * rules.h
 *		The schema conventions: a table of rules, each from facts to findings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RULES_H
#define DBKIT_RULES_H

#include "findings.h"

typedef enum RulePhase
{
	PHASE_STATEMENT				/* judged when a statement ends */
} RulePhase;

typedef enum RuleLevel
{
	LEVEL_OFF,
	LEVEL_WARNING,
	LEVEL_ERROR
} RuleLevel;

typedef struct Rule
{
	const char *id;
	RulePhase	phase;
	int			kinds;			/* ObjectKind bits it applies to */
	bool		fixable;
	const char *description;
	void		(*judge) (Judgement *judgement);
	int			level;			/* RuleLevel: the default, then dbkit.rule.<id> */
} Rule;

extern Rule dbkit_rules[];
extern const int dbkit_n_rules;

extern void dbkit_rules_init(void);
extern void dbkit_judge(Judgement *judgement, const Facts *facts);
extern const char *dbkit_level_name(int level);
extern const char *dbkit_phase_name(RulePhase phase);

/* rules_id.c */
extern void dbkit_rules_id_init(void);
extern const char *dbkit_id_type(const char *column);
extern void dbkit_judge_primary_key(Judgement *judgement);
extern void dbkit_judge_id_default(Judgement *judgement);
extern void dbkit_judge_id_check(Judgement *judgement);
extern void dbkit_judge_id_prefix(Judgement *judgement);
extern void dbkit_judge_text_id(Judgement *judgement);

/* rules_column.c */
extern void dbkit_judge_created_at(Judgement *judgement);
extern void dbkit_judge_updated_at(Judgement *judgement);
extern void dbkit_judge_storytime(Judgement *judgement);
extern void dbkit_judge_timestamptz(Judgement *judgement);
extern void dbkit_judge_bigint(Judgement *judgement);
extern void dbkit_judge_enum_columns(Judgement *judgement);

/* rules_object.c */
extern void dbkit_judge_enum_type(Judgement *judgement);
extern void dbkit_judge_enum_table(Judgement *judgement);
extern void dbkit_judge_view_security_invoker(Judgement *judgement);

#endif							/* DBKIT_RULES_H */
