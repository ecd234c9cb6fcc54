/*-------------------------------------------------------------------------
 *
 * rules.h
 *		The schema conventions: a table of rules, each from facts to findings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RULES_H
#define DBKIT_RULES_H

#include "facts.h"

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

typedef struct Judgement Judgement;

typedef struct Rule
{
	const char *id;
	RulePhase	phase;
	int			default_level;	/* RuleLevel */
	int			kinds;			/* ObjectKind bits it applies to */
	bool		fixable;
	const char *description;
	void		(*judge) (Judgement *judgement);
	int			level;			/* RuleLevel, the setting dbkit.rule.<id> */
} Rule;

/* One thing that is wrong with one object. */
typedef struct Finding
{
	const Rule *rule;
	const Facts *facts;
	const char *column;			/* NULL where it is about the whole object */
	char	   *problem;		/* what is wrong and what to write instead */
	List	   *alter;			/* char *, actions of an ALTER TABLE that mend it */
	char	   *statement;		/* further SQL that mends it, or NULL */
} Finding;

/* The state of judging: reused for one object after the other. */
struct Judgement
{
	List	   *findings;		/* Finding *, of all objects so far */
	List	   *suggested;		/* char *, prefixes that fixes so far make use of */
	const Facts *facts;			/* the object being judged */
	const Rule *rule;			/* the rule being applied */
};

extern Rule dbkit_rules[];
extern const int dbkit_n_rules;

extern void dbkit_rules_init(void);
extern void dbkit_judge(Judgement *judgement, const Facts *facts);
extern const char *dbkit_level_name(int level);
extern const char *dbkit_phase_name(RulePhase phase);

#endif							/* DBKIT_RULES_H */
