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
	PHASE_COMMIT,				/* judged before the transaction commits */
	PHASE_CHANGE				/* judged before the statement does its work;
								 * no state of an object can break it */
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
	bool		only_warns;		/* it is too late to refuse what it finds */
	bool		may_wait;		/* in phase "statement": some findings are for
								 * COMMIT */
	RuleLevel	level;			/* unless the agreement says otherwise */
	const char *description;
	void		(*judge) (struct Judgement *judgement); /* NULL: judged at the
														 * change only */
	int			number;			/* among all rules */
	bool		of_team;		/* not dbkit's; see team_rules.h */
} Rule;

/*
 * What can be wrong with one thing under one rule.  A table that is half fixed has
 * some of what was wrong before, or what a worse fault hid.
 */
typedef uint32 FaultSet;

#define FAULT_ANY			(1 << 0)	/* the rule knows no others */
#define FAULT_MISSING		(1 << 1)	/* there is no such column */
#define FAULT_TYPE			(1 << 2)
#define FAULT_COLLATION		(1 << 3)
#define FAULT_NULL			(1 << 4)
#define FAULT_DEFAULT		(1 << 5)
#define FAULT_GENERATED		(1 << 6)
#define FAULT_NO_KEY		(1 << 7)	/* no primary key */
#define FAULT_OTHER_KEY		(1 << 8)	/* one of other columns */
#define FAULT_WIDE_KEY		(1 << 9)	/* one of more columns */
#define FAULT_CHECK			(1 << 10)
#define FAULT_FORM			(1 << 11)
#define FAULT_UNREGISTERED	(1 << 12)
#define FAULT_TAKEN			(1 << 13)	/* it belongs to another */

#define FAULT_KEY			(FAULT_NO_KEY | FAULT_OTHER_KEY | FAULT_WIDE_KEY)

/* What a fix does.  The last ones are statements, the others actions of an ALTER TABLE. */
typedef enum ActionKind
{
	ACTION_ADD_COLUMN,
	ACTION_SET_TYPE,
	ACTION_SET_NOT_NULL,
	ACTION_SET_VALUE,			/* its default, or how else it gets a value */
	ACTION_SET_KEY,				/* make it the primary key */
	ACTION_SET_NAME,			/* in a table that is made */
	ACTION_SET_ENUM,			/* have it reference an enum table */
	ACTION_SET_ORGANIZATION,	/* have it reference the organization table */
	ACTION_ADD_CONSTRAINT,
	ACTION_DROP_CONSTRAINT,
	ACTION_ROW_SECURITY,
	ACTION_VALIDATE,			/* see whether all rows keep a constraint */
	ACTION_ALTER,				/* another one */
	ACTION_REFERENCE,			/* have it reference the table that its name
								 * means */
	ACTION_RENAME_COLUMN,
	ACTION_ALTER_SEQUENCE,
	ACTION_CREATE_INDEX,
	ACTION_DROP_INDEX,
	ACTION_ALONE,				/* a statement that no transaction block may
								 * have */
	ACTION_CREATE_POLICY,
	ACTION_REFERENCED_KEY,		/* give another table a unique index that a
								 * key is to reference */
	ACTION_REPLACE_KEY,			/* have another foreign key in its place */
	ACTION_STATEMENT			/* another one */
} ActionKind;

/* What a fix does to those who use the database meanwhile; the worst is last */
typedef enum FixRisk
{
	RISK_SAFE,					/* the catalogs change, and no application can
								 * notice */
	RISK_LOCKS,					/* a table is read or rewritten while others
								 * wait */
	RISK_BREAKS					/* a running application may notice */
} FixRisk;

typedef struct Action
{
	ActionKind	kind;
	const char *name;			/* of the column or constraint, or NULL */
	const char *text;			/* its definition, type, default or new name,
								 * or NULL */
	Oid			type;			/* of ACTION_SET_TYPE, and of a key that is
								 * added; or InvalidOid */
	const char *sql;			/* NULL where only a table that is made can
								 * have it so */
	const char *sql_in_utc;		/* the same, without a rewrite, where TimeZone
								 * is UTC; or NULL */
	FixRisk		risk;
	Oid			referenced;		/* of ACTION_REFERENCE and
								 * ACTION_REFERENCED_KEY: the table */
	const char *failing;		/* of ACTION_REPLACE_KEY: what is true of rows
								 * r that break the new key */
	bool		both_ends;		/* only together with the other ends of the
								 * column's keys; see fixes.c */
} Action;

/* One thing that is wrong with one object. */
typedef struct Finding
{
	const Rule *rule;
	RuleLevel	level;			/* of the rule for this object */
	const Facts *facts;
	const char *column;			/* NULL where it is about the whole object */
	const char *part;			/* name of the constraint, index, policy or
								 * trigger that it is about, or NULL */

	/*
	 * What it is known by before and after a change, besides the rule and the
	 * object
	 */
	List	   *attnums;		/* the columns that it is about, sorted */
	const char *subject;		/* the name of a column that is missing, or
								 * what else it is about, or NULL */
	Oid			referenced;		/* the table that a foreign key references, or
								 * InvalidOid */
	FaultSet	faults;			/* what is wrong, */
	FaultSet	hidden;			/* and what can be wrong behind that unsaid */

	char	   *problem;		/* what is wrong and what to write instead */
	List	   *actions;		/* Action *, what fixes it */
	bool		waits;			/* for COMMIT: what is missing, such as a key,
								 * often comes in a later statement */
	bool		other_end;		/* likewise, but in a table that was there
								 * before: both ends of a key may be changing */
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
	const List *only;			/* const Rule *, those that judge; NIL: all */
	struct Ratchet *ratchet;	/* NULL where nothing is held against before */
	List	   *failed;			/* const Rule *, of the team that could not
								 * judge */
} Judgement;

/* For rules: make a finding and its fix */
extern Finding *dbkit_add_finding(Judgement *judgement, const char *column,
								  const char *format,...) pg_attribute_printf(3, 4);
extern Action *dbkit_add_action(Finding *finding, ActionKind kind, const char *name,
								const char *text, const char *sql);
extern void dbkit_add_alter(Finding *finding, FixRisk risk, const char *sql);
extern void dbkit_add_statement(Finding *finding, FixRisk risk, const char *sql);
extern bool dbkit_can_add_column(const Facts *facts, const char *column, FixRisk *risk);
extern void dbkit_add_column(Finding *finding, const char *column, const char *definition);
extern Action *dbkit_add_retype(Finding *finding, const ColumnFacts *column, Oid target,
								const char *definition);
extern Action *dbkit_add_clock_retype(Finding *finding, const ColumnFacts *column, bool new_default);
extern void dbkit_add_not_null(Finding *finding, const char *column, bool alterable);
extern Action *dbkit_add_value(Finding *finding, const char *column, const char *value, bool alterable);
extern void dbkit_add_id_retype(Finding *finding, const ColumnFacts *id);
extern void dbkit_add_drop_constraint(Finding *finding, const char *constraint, bool alterable);

/* For rules: say what a finding is about, so that it is known again */
extern void dbkit_set_faults(Finding *finding, FaultSet faults, FaultSet hidden);
extern void dbkit_set_missing(Finding *finding, const char *column, FaultSet hidden);
extern void dbkit_set_columns(Finding *finding, const List *attnums);
extern void dbkit_hide_faults(Judgement *judgement, const char *missing_column, FaultSet hidden);

/* What is wrong with one column, collected by a rule */
typedef struct Wrong
{
	StringInfoData text;		/* "is integer, may be null" */
	FaultSet	faults;
	FaultSet	hidden;
} Wrong;

extern void dbkit_add_wrong(Wrong *wrong, FaultSet fault, const char *format,...) pg_attribute_printf(3, 4);
extern void dbkit_check_key(Wrong *wrong, const Facts *facts, const ColumnFacts *column);
extern void dbkit_check_type(Wrong *wrong, const ColumnFacts *column, Oid type);

/* For outcomes */
extern bool dbkit_same_object(const Finding *a, const Finding *b);
extern bool dbkit_list_has_string(const List *list, const char *string);
extern void dbkit_drop_repeated_fixes(List *findings, int from);
extern void dbkit_append_line(StringInfo text, const char *line);
extern char *dbkit_rename_sql(const Facts *facts, const char *column, const char *name);
extern bool dbkit_is_statement(const Action *action);
extern char *dbkit_fix(const List *findings);
extern const char *dbkit_worst_risk(const Finding *finding);
extern const char *dbkit_risk_name(FixRisk risk);

#endif							/* DBKIT_FINDINGS_H */
