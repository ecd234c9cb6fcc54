/*-------------------------------------------------------------------------
 *
 * solver.h
 *		What the CHECKs of a table ask, while they are met one after the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SOLVER_H
#define DBKIT_SOLVER_H

#include "nodes/nodes.h"

#include "test_data/shape.h"

/* Something to be met */
typedef struct Goal
{
	Node	   *expr;
	bool		truth;			/* or is it to be false? */
	bool		gentle;			/* without a value where there would be null */
	bool		chosen;			/* another one would do instead */
	Check	   *check;
} Goal;

typedef struct Solver
{
	Shape	   *shape;
	int			steps;
} Solver;

/* What a side of a comparison is */
typedef enum SubjectKind
{
	SUBJECT_NONE,
	SUBJECT_VALUE,				/* a column */
	SUBJECT_START,				/* its beginning */
	SUBJECT_LENGTH,				/* its length */
	SUBJECT_JSON_TYPE,			/* its type in JSON */
	SUBJECT_COUNT				/* how many of some columns are not null */
} SubjectKind;

typedef struct Subject
{
	SubjectKind kind;
	Slot	   *slot;
	bool		upper;			/* of the column in capital letters */
	List	   *counted;		/* Slot * */
	int			more;			/* what is added to their number */
} Subject;

extern bool dbkit_is_null(const Slot *slot);
extern bool dbkit_set_null(Slot *slot, bool null, bool gentle);
extern char *dbkit_given_text(const Slot *slot);
extern bool dbkit_keeps_limits(Slot *slot, bool gentle);
extern const char *dbkit_opposite(const char *operator);
extern const char *dbkit_reversed(const char *operator);
extern bool dbkit_is_order(const char *operator);
extern void dbkit_limit_to(Limits *limits, List *texts, const Goal *goal);
extern char *dbkit_pattern_of_start(const char *text);
extern bool dbkit_limit_value(Solver *solver, const Subject *subject, const char *operator, char *text, const Goal *goal);
extern bool dbkit_limit_start(Solver *solver, const Subject *subject, const char *operator, const char *text, const Goal *goal);
extern bool dbkit_limit_length(const Subject *subject, const char *operator, const char *text, const Goal *goal);
extern bool dbkit_set_count(const Subject *subject, const char *operator, int number, const Goal *goal);
extern bool dbkit_limit_json_type(const Subject *subject, const char *operator, const char *text, const Goal *goal);
extern Oid	dbkit_called(Node *expr, List **args);
extern Slot *dbkit_column_of(Solver *solver, const Check *check, Node *expr);
extern Subject dbkit_read_subject(Solver *solver, const Check *check, Node *expr);

#endif							/* DBKIT_SOLVER_H */
