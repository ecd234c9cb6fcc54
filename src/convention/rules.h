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
	PHASE_STATEMENT,			/* judged when a statement ends */
	PHASE_COMMIT				/* judged before the transaction commits */
} RulePhase;

typedef enum RuleLevel
{
	LEVEL_OFF,
	LEVEL_WARNING,
	LEVEL_ERROR,
	LEVEL_FIX					/* as an error, but mended at commit */
} RuleLevel;

/* What a column that holds an id is to be, where ids are prefixed */
#define ID_TYPE		"text COLLATE \"C\""

/* Which rules judge */
typedef enum JudgeScope
{
	SCOPE_STATEMENT,			/* what a statement is rejected for */
	SCOPE_COMMIT,				/* what a commit is rejected or mended for */
	SCOPE_CHECK,				/* all that are not off */
	SCOPE_ALL					/* all, and no exemption counts */
} JudgeScope;

typedef struct Rule
{
	const char *id;
	RulePhase	phase;
	int			kinds;			/* ObjectKind bits it applies to */
	FactSet		needs;			/* all that "judge" reads */
	FactSet		mended_by;		/* of these: what a new one of can only mend */
	bool		fixable;
	const char *description;
	void		(*judge) (Judgement *judgement);
	int			level;			/* RuleLevel: the default, then dbkit.rule.<id> */
} Rule;

extern Rule dbkit_rules[];
extern const int dbkit_n_rules;

extern void dbkit_rules_init(void);
extern FactSet dbkit_facts_to_read(JudgeScope scope, Change change);
extern void dbkit_judge(Judgement *judgement, Facts *facts, JudgeScope scope, Change change);
extern const Rule *dbkit_find_rule(const char *id);
extern const char *dbkit_level_name(int level);
extern const char *dbkit_phase_name(RulePhase phase);

/* rules_id.c */
extern void dbkit_rules_id_init(void);
extern const char *dbkit_id_type(const char *column);
extern const char *dbkit_reference_type(void);
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

extern void dbkit_judge_column_comment(Judgement *judgement);

/* rules_object.c */
extern void dbkit_judge_enum_type(Judgement *judgement);
extern void dbkit_judge_enum_table(Judgement *judgement);
extern void dbkit_judge_updated_at_trigger(Judgement *judgement);

/* rules_reference.c */
extern void dbkit_judge_fk_index(Judgement *judgement);
extern void dbkit_judge_fk_on_delete(Judgement *judgement);
extern void dbkit_judge_extid(Judgement *judgement);
extern void dbkit_judge_organization_scope(Judgement *judgement);
extern void dbkit_judge_fk_validated(Judgement *judgement);
extern void dbkit_judge_duplicate_index(Judgement *judgement);

/* rules_security.c */
extern void dbkit_judge_rls_enabled(Judgement *judgement);
extern void dbkit_judge_rls_policy(Judgement *judgement);
extern void dbkit_judge_rls_forced(Judgement *judgement);
extern void dbkit_judge_policy_with_check(Judgement *judgement);
extern void dbkit_judge_forgeable_policy(Judgement *judgement);
extern void dbkit_judge_view_security_invoker(Judgement *judgement);
extern void dbkit_judge_security_definer_path(Judgement *judgement);

#endif							/* DBKIT_RULES_H */
