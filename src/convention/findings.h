/*-------------------------------------------------------------------------
 *
 * findings.h
 *		What a rule finds wrong with an object, and the SQL that fixes it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FINDINGS_H
#define DBKIT_FINDINGS_H

#include "lib/stringinfo.h"

#include "convention/facts/facts.h"

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
	LEVEL_FIX					/* as an error, but fixed at commit */
} RuleLevel;

struct Judgement;

/* What is demanded of objects of some kinds; see the rows of rules/ */
typedef struct Rule
{
	const char *id;
	RulePhase	phase;
	int			kinds;			/* ObjectKind bits it applies to */
	FactSet		needs;			/* all that "judge" reads */
	FactSet		fixed_by;		/* of these: what a new one of can only help */
	bool		fixable;
	bool		may_wait;		/* in phase "statement": some findings are for
								 * COMMIT */
	RuleLevel	level;			/* unless the agreement says otherwise */
	const char *description;
	void		(*judge) (struct Judgement *judgement); /* NULL: judged at the
														 * change only */
	int			number;			/* among all rules */
} Rule;

/* One thing that is wrong with one object. */
typedef struct Finding
{
	const Rule *rule;
	RuleLevel	level;			/* of the rule for this object */
	const Facts *facts;
	const char *column;			/* NULL where it is about the whole object */
	const char *part;			/* name of the constraint, index, policy or
								 * trigger that it is about, or NULL */
	char	   *problem;		/* what is wrong and what to write instead */
	List	   *alter;			/* char *, actions of an ALTER TABLE that fix
								 * it */
	char	   *statement;		/* further SQL that fixes it, or NULL */
	bool		waits;			/* for COMMIT: what is missing, such as a
								 * foreign key, often comes in a later
								 * statement */
} Finding;

/* The state of judging: one object after the other, rule by rule. */
typedef struct Judgement
{
	List	   *findings;		/* Finding *, of all objects so far */
	List	   *suggested;		/* char *, prefixes that fixes so far make use
								 * of */
	char	   *suggestion;		/* a free prefix, or NULL, for these facts: */
	const Facts *suggestion_for;
	const Facts *facts;			/* the object being judged */
	const Rule *rule;			/* the rule being applied */
	RuleLevel	level;			/* of it for these facts */
	struct RegistryCopy *prefixes;	/* of all tables, or NULL to look them up */
} Judgement;

/* For rules: make a finding and its fix */
extern Finding *dbkit_add_finding(Judgement *judgement, const char *column,
								  const char *format,...) pg_attribute_printf(3, 4);
extern void dbkit_add_alter(Finding *finding, char *action);
extern void dbkit_add_column(Finding *finding, const char *column, const char *definition);
extern void dbkit_add_retype(Finding *finding, const ColumnFacts *column, Oid target,
							 const char *definition);

/* For rules: collect what is wrong with one column */
extern void dbkit_add_wrong(StringInfo wrong, const char *format,...) pg_attribute_printf(2, 3);
extern void dbkit_check_key(StringInfo wrong, const Facts *facts, const ColumnFacts *column);
extern void dbkit_check_type(StringInfo wrong, const ColumnFacts *column, Oid type);

/* For outcomes */
extern bool dbkit_same_object(const Finding *a, const Finding *b);
extern bool dbkit_list_has_string(const List *list, const char *string);
extern void dbkit_drop_repeated_fixes(List *findings, int from);
extern void dbkit_append_line(StringInfo text, const char *line);
extern char *dbkit_fix(const List *findings);

#endif							/* DBKIT_FINDINGS_H */
