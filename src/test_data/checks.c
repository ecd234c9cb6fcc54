/*-------------------------------------------------------------------------
 *
 * checks.c
 *		Find out what the CHECKs of a table ask of a new row.
 *
 * A CHECK is met unless it is false, so all that depends on a null is.  The conditions are
 * goals on an agenda: an AND becomes several, for an OR each of its arms is tried with all
 * that is still to be met.  What a column is asked for is kept in its limits.  What is not
 * understood is taken for true; the INSERT is the judge.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "access/transam.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "common.h"
#include "convention/facts/expression.h"
#include "convention/own_objects.h"
#include "id.h"
#include "test_data/shape.h"

/* So many steps are tried before a table's CHECKs are taken one by one */
#define MAX_STEPS		20000

/* Something to be met */
typedef struct Goal
{
	Node	   *expr;
	bool		truth;			/* or is it to be false? */
	bool		gentle;			/* without a value where there would be null */
	bool		chosen;			/* another one would do instead */
	Check	   *check;
} Goal;

/* The goals that are left; of several agendas the ends are the same */
typedef struct Agenda
{
	Goal		goal;
	const struct Agenda *rest;
} Agenda;

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

static bool solve(Solver *solver, const Agenda *agenda);

/* Take a call apart, of a function or of an operator's function. */
static Oid
called(Node *expr, List **args)
{
	if (expr != NULL && IsA(expr, FuncExpr))
	{
		*args = ((FuncExpr *) expr)->args;
		return ((FuncExpr *) expr)->funcid;
	}
	return InvalidOid;
}

/* Strip what hardly changes a value: casts, collations, domains. */
static Node *
strip_casts(Node *expr)
{
	for (;;)
	{
		if (expr == NULL)
			return NULL;
		if (IsA(expr, RelabelType))
			expr = (Node *) ((RelabelType *) expr)->arg;
		else if (IsA(expr, CoerceToDomain))
			expr = (Node *) ((CoerceToDomain *) expr)->arg;
		else if (IsA(expr, CollateExpr))
			expr = (Node *) ((CollateExpr *) expr)->arg;
		else if (IsA(expr, CoerceViaIO))
			expr = (Node *) ((CoerceViaIO *) expr)->arg;
		else if (IsA(expr, ArrayCoerceExpr))
			expr = (Node *) ((ArrayCoerceExpr *) expr)->arg;
		else if (IsA(expr, FuncExpr) && ((FuncExpr *) expr)->funcformat != COERCE_EXPLICIT_CALL &&
				 ((FuncExpr *) expr)->funcid != F_INT4_BOOL && ((FuncExpr *) expr)->args != NIL)
			expr = linitial(((FuncExpr *) expr)->args);
		else
			return expr;
	}
}

/* Write the value of a constant as its type does; only PostgreSQL's own functions are asked. */
static char *
write_datum(Oid type, Datum value)
{
	Oid			function;
	bool		varlena;

	getTypeOutputInfo(type, &function, &varlena);
	return function < FirstNormalObjectId ? OidOutputFunctionCall(function, value) : NULL;
}

/* Return the value of a constant as text; NULL for null and for what is none. */
char *
dbkit_constant_text(Node *expr)
{
	const Const *constant;

	expr = strip_casts(expr);
	if (expr == NULL || !IsA(expr, Const))
		return NULL;
	constant = (const Const *) expr;
	return constant->constisnull ? NULL : write_datum(constant->consttype, constant->constvalue);
}

/* Is the expression the current time? */
static bool
is_clock(Node *expr)
{
	return expr != NULL && (dbkit_is_clock(expr) || IsA(expr, SQLValueFunction));
}

/* Return the text of a constant, or of the current time, that a column is compared with. */
static char *
compared_text(Node *expr)
{
	return is_clock(strip_casts(expr)) ? pstrdup("now") : dbkit_constant_text(expr);
}

/* Read a time as microseconds since 2000. */
static double
number_of_time(Oid type, const char *text)
{
	Datum		value;

	if (strcmp(text, "now") == 0)
		return (double) GetCurrentTimestamp();
	if (type == DATEOID)
	{
		value = DirectFunctionCall1(date_in, CStringGetDatum(text));
		return (double) DatumGetDateADT(value) * (double) USECS_PER_DAY;
	}
	value = DirectFunctionCall3(type == TIMESTAMPOID ? timestamp_in : timestamptz_in, CStringGetDatum(text),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return (double) DatumGetTimestamp(value);
}

/* Say what number a text of that type stands for in Limits; false where it stands for none. */
bool
dbkit_constant_number(Oid type, const char *text, double *number)
{
	char	   *end;

	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case FLOAT4OID:
		case FLOAT8OID:
			*number = strtod(text, &end);
			return end != text &&*end == '\0';

		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*number = number_of_time(type, text);
			return true;
		default:
			return false;
	}
}

/* Return the column that an expression is, or NULL. */
static Slot *
column_of(Solver *solver, const Check *check, Node *expr)
{
	expr = strip_casts(expr);
	if (expr == NULL)
		return NULL;
	if (IsA(expr, CoerceToDomainValue) && check->value_of != 0)
		return dbkit_slot(solver->shape, check->value_of);
	if (IsA(expr, Var) && ((Var *) expr)->varattno > 0)
		return dbkit_slot(solver->shape, ((Var *) expr)->varattno);
	return NULL;
}

static bool
is_null(const Slot *slot)
{
	return slot->filling == FILL_NOTHING || slot->filling == FILL_NULL;
}

/* Have a column be null, or not; false where that cannot be. */
static bool
set_null(Slot *slot, bool null, bool gentle)
{
	if (slot->filling == FILL_GIVEN)
		return (slot->constant != NULL && slot->constant->type == jbvNull) == null;
	if (null && slot->filling == FILL_VALUE)
		return false;
	if (null && slot->filling == FILL_DEFAULT && (slot->not_null || slot->computed || gentle))
		return false;
	if (null)
		slot->filling = FILL_NULL;
	else if (slot->filling == FILL_NULL || (slot->filling == FILL_NOTHING && gentle))
		return false;
	else if (slot->filling == FILL_NOTHING)
		slot->filling = FILL_VALUE;
	return true;
}

static bool
contains_text(const List *texts, const char *text)
{
	ListCell   *lc;

	foreach(lc, texts)
	{
		if (strcmp(lfirst(lc), text) == 0)
			return true;
	}
	return false;
}

/* Keep what is in both lists. */
static List *
intersect_texts(const List *first, const List *second)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, first)
	{
		if (contains_text(second, lfirst(lc)))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* May a value be, as far as the limits can tell of a text? */
static bool
accepts(const Slot *slot, const char *text)
{
	const Limits *limits = &slot->limits;
	double		number;

	if (contains_text(limits->refused, text) || (limits->listed && !contains_text(limits->allowed, text)))
		return false;
	if (!dbkit_constant_number(slot->base_type, text, &number))
		return true;
	return !(number < limits->low || number > limits->high || (limits->low_open && number == limits->low) ||
			 (limits->high_open && number == limits->high));
}

/* Is there a value within the limits? */
static bool
can_be_met(const Limits *limits)
{
	ListCell   *lc;

	if (limits->low > limits->high || limits->min_length > limits->max_length ||
		(limits->low == limits->high && (limits->low_open || limits->high_open)))
		return false;
	if (!limits->listed)
		return true;
	foreach(lc, limits->allowed)
	{
		if (!contains_text(limits->refused, lfirst(lc)))
			return true;
	}
	return false;
}

/* Return the text of a value that is given, or NULL. */
static char *
given_text(const Slot *slot)
{
	const JsonbValue *given = slot->constant;

	if (given == NULL)
		return NULL;
	switch (given->type)
	{
		case jbvString:
			return pnstrdup(given->val.string.val, given->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(given->val.numeric)));
		case jbvBool:
			return pstrdup(given->val.boolean ? "t" : "f");
		default:
			return NULL;
	}
}

/* Does a column keep to its limits?  A default that does not gives way to another value. */
static bool
keeps_limits(Slot *slot, bool gentle)
{
	if (is_null(slot))
		return true;
	if (slot->filling == FILL_GIVEN)
		return given_text(slot) == NULL || accepts(slot, given_text(slot));
	if (slot->filling == FILL_DEFAULT && slot->constant_default != NULL && !accepts(slot, slot->constant_default))
	{
		if (gentle || slot->computed)
			return false;
		slot->filling = FILL_VALUE;
	}
	if (slot->filling == FILL_DEFAULT)
		return true;
	return can_be_met(&slot->limits);
}

/* Limit a number: of a column, or of the length of one. */
static bool
limit_number(const char *operator, double number, double *low, double *high, bool *low_open, bool *high_open)
{
	bool		open = operator[1] == '\0';

	if (operator[0] == '>' && (number > *low || (number == *low && open)))
	{
		*low = number;
		*low_open = open;
	}
	else if (operator[0] == '<' && (number < *high || (number == *high && open)))
	{
		*high = number;
		*high_open = open;
	}
	return true;
}

/* The other way round, and the opposite, of the comparisons that are understood */
static const struct
{
	const char *operator;
	const char *reversed;
	const char *opposite;
}			comparisons[] = {
	{"=", "=", "<>"},
	{"<>", "<>", "="},
	{"<", ">", ">="},
	{"<=", ">=", ">"},
	{">", "<", "<="},
	{">=", "<=", "<"},
	{"~", NULL, "!~"},
	{"~*", NULL, "!~*"},
	{"!~", NULL, "~"},
	{"!~*", NULL, "~*"},
	{"~~", NULL, "!~~"},
	{"~~*", NULL, "!~~*"},
	{"!~~", NULL, "~~"},
	{"!~~*", NULL, "~~*"},
	{"^@", NULL, NULL},
};

static const char *
opposite(const char *operator)
{
	for (size_t i = 0; i < lengthof(comparisons); i++)
	{
		if (strcmp(comparisons[i].operator, operator) == 0)
			return comparisons[i].opposite;
	}
	return NULL;
}

static const char *
reversed(const char *operator)
{
	for (size_t i = 0; i < lengthof(comparisons); i++)
	{
		if (strcmp(comparisons[i].operator, operator) == 0)
			return comparisons[i].reversed;
	}
	return NULL;
}

static bool
is_order(const char *operator)
{
	return operator[0] == '<' || operator[0] == '>';
}

/* Allow a list of values only. */
static void
limit_to(Limits *limits, List *texts, const Goal *goal)
{
	limits->chosen |= goal->chosen;
	limits->allowed = limits->listed ? intersect_texts(limits->allowed, texts) : texts;
	limits->listed = true;
}

static void
refuse(Limits *limits, const char *text, const Goal *goal)
{
	limits->chosen |= goal->chosen;
	limits->refused = lappend(list_copy(limits->refused), unconstify(char *, text));
}

/* Return a pattern that has the text at its beginning. */
static char *
pattern_of_start(const char *text)
{
	char	   *result = palloc(2 * strlen(text) + 2);
	char	   *end = result;

	for (; *text !='\0'; text ++)
	{
		if (*text == '%' || *text == '_' || *text == '\\')
			*end++ = '\\';
		*end++ = *text;
	}
	strcpy(end, "%");
	return result;
}

/* Have a text match a pattern or regular expression; false where that is not understood. */
static bool
limit_text(Limits *limits, const char *operator, const char *text)
{
	if (operator[0] == '!')
		return false;
	if (strcmp(operator, "^@") == 0)
		limits->like = pattern_of_start(text);
	else if (operator[1] == '~')
		limits->like = text;

	else
		limits->regex = text;

	return operator[0] != '~' || operator[1] == '~' || dbkit_text_matching(text, limits, 0) != NULL;
}

/* Have a column compare so with a constant. */
static bool
limit_value(Solver *solver, const Subject *subject, const char *operator, char *text, const Goal *goal)
{
	Slot	   *slot = subject->slot;
	Limits	   *limits = &slot->limits;
	double		number;

	limits->upper |= subject->upper;
	if (solver->shape->variant->eager && slot->filling == FILL_NOTHING)
		slot->filling = FILL_VALUE;
	if (strcmp(operator, "=") == 0)
		limit_to(limits, list_make1(text), goal);
	else if (strcmp(operator, "<>") == 0)
		refuse(limits, text, goal);
	else if (!is_order(operator))
		goal->check->read &= limit_text(limits, operator, text);
	else if (dbkit_constant_number(slot->base_type, text, &number))
		(void) limit_number(operator, number, &limits->low, &limits->high, &limits->low_open, &limits->high_open);
	else
		goal->check->read = false;
	return keeps_limits(slot, goal->gentle);
}

/* Have the length of a column compare so with a number. */
static bool
limit_length(const Subject *subject, const char *operator, const char *text, const Goal *goal)
{
	Limits	   *limits = &subject->slot->limits;
	double		number = strtod(text, NULL);
	bool		open = operator[1] == '\0';

	if (strcmp(operator, "=") == 0)
	{
		limits->min_length = Max(limits->min_length, number);
		limits->max_length = Min(limits->max_length, number);
	}
	else if (operator[0] == '>')
		limits->min_length = Max(limits->min_length, open ? floor(number) + 1 : number);
	else if (operator[0] == '<' && operator[1] != '>')
		limits->max_length = Min(limits->max_length, open ? ceil(number) - 1 : number);
	else if (number == 0)
		limits->min_length = Max(limits->min_length, 1);
	return keeps_limits(subject->slot, goal->gentle);
}

/* Have so many of the columns not be null, if it compares so with the number. */
static bool
set_count(const Subject *subject, const char *operator, int number, const Goal *goal)
{
	int			count = subject->more;
	bool		want_less = strcmp(operator, "<=") == 0 || strcmp(operator, "<") == 0 || strcmp(operator, "=") == 0;
	bool		want_more = operator[0] == '>' || strcmp(operator, "=") == 0;
	int			target = number + (strcmp(operator, ">") == 0 ? 1 : strcmp(operator, "<") == 0 ? -1 : 0);
	ListCell   *lc;

	foreach(lc, subject->counted)
		count += is_null(lfirst(lc)) ? 0 : 1;
	if (strcmp(operator, "<>") == 0)
	{
		want_more = count == number;
		target = number + 1;
	}
	foreach(lc, subject->counted)
	{
		if (want_more && count < target && is_null(lfirst(lc)) && set_null(lfirst(lc), false, goal->gentle))
			count++;
		else if (want_less && count > target && !is_null(lfirst(lc)) && set_null(lfirst(lc), true, goal->gentle))
			count--;
	}
	return (!want_more || count >= target) && (!want_less || count <= target);
}

/* Have the type of a JSON value be that. */
static bool
limit_json_type(const Subject *subject, const char *operator, const char *text, const Goal *goal)
{
	if (strcmp(operator, "=") == 0)
		subject->slot->limits.json_type = text;

	else
		goal->check->read = false;
	return true;
}

/* Add the columns whose being null, or not, a sum counts; false where it counts something else. */
static bool
add_counted(Solver *solver, const Check *check, Node *expr, Subject *subject)
{
	List	   *args;
	Slot	   *slot;
	Node	   *test;
	char	   *text;

	expr = strip_casts(expr);
	if (expr != NULL && IsA(expr, OpExpr) && list_length(((OpExpr *) expr)->args) == 2)
	{
		char	   *name = get_opname(((OpExpr *) expr)->opno);

		return name != NULL && strcmp(name, "+") == 0 &&
			add_counted(solver, check, linitial(((OpExpr *) expr)->args), subject) &&
			add_counted(solver, check, lsecond(((OpExpr *) expr)->args), subject);
	}
	if (expr != NULL && IsA(expr, Const))
	{
		text = dbkit_constant_text(expr);
		subject->more += text !=NULL ? atoi(text) : 0;

		return true;
	}
	if (called(expr, &args) == F_INT4_BOOL)
		test = strip_casts(linitial(args));
	else if (expr != NULL && IsA(expr, CaseExpr) && list_length(((CaseExpr *) expr)->args) == 1 && ((CaseExpr *) expr)->arg == NULL)
		test = (Node *) ((CaseWhen *) linitial(((CaseExpr *) expr)->args))->expr;
	else
		return false;
	if (test == NULL || !IsA(test, NullTest) || ((NullTest *) test)->nulltesttype != IS_NOT_NULL)
		return false;
	slot = column_of(solver, check, (Node *) ((NullTest *) test)->arg);
	if (slot == NULL)
		return false;
	subject->counted = lappend(subject->counted, slot);
	return true;
}

/* Take the arguments of num_nonnulls() apart. */
static bool
read_nonnulls(Solver *solver, const Check *check, List *args, Subject *subject)
{
	ListCell   *lc;

	if (list_length(args) == 1 && IsA(linitial(args), ArrayExpr))
		args = ((ArrayExpr *) linitial(args))->elements;
	foreach(lc, args)
	{
		Slot	   *slot = column_of(solver, check, lfirst(lc));

		if (slot == NULL)
			return false;
		subject->counted = lappend(subject->counted, slot);
	}
	subject->kind = SUBJECT_COUNT;
	return true;
}

/* Functions that a column may stand in */
static const struct
{
	Oid			function;
	SubjectKind kind;
	bool		upper;
}			subject_functions[] = {
	{F_LENGTH_TEXT, SUBJECT_LENGTH, false},
	{F_CHAR_LENGTH_TEXT, SUBJECT_LENGTH, false},
	{F_CHARACTER_LENGTH_TEXT, SUBJECT_LENGTH, false},
	{F_OCTET_LENGTH_TEXT, SUBJECT_LENGTH, false},
	{F_OCTET_LENGTH_BYTEA, SUBJECT_LENGTH, false},
	{F_LENGTH_BYTEA, SUBJECT_LENGTH, false},
	{F_LENGTH_BPCHAR, SUBJECT_LENGTH, false},
	{F_CHAR_LENGTH_BPCHAR, SUBJECT_LENGTH, false},
	{F_CARDINALITY, SUBJECT_LENGTH, false},
	{F_ARRAY_LENGTH, SUBJECT_LENGTH, false},
	{F_JSONB_TYPEOF, SUBJECT_JSON_TYPE, false},
	{F_JSON_TYPEOF, SUBJECT_JSON_TYPE, false},
	{F_LOWER_TEXT, SUBJECT_VALUE, false},
	{F_UPPER_TEXT, SUBJECT_VALUE, true},
	{F_BTRIM_TEXT, SUBJECT_VALUE, false},
	{F_LTRIM_TEXT, SUBJECT_VALUE, false},
	{F_RTRIM_TEXT, SUBJECT_VALUE, false},
};

/* Understand a side of a comparison that is no constant. */
static Subject
read_subject(Solver *solver, const Check *check, Node *expr)
{
	const Subject nothing = {SUBJECT_NONE, NULL, false, NIL, 0};
	Subject		subject = nothing;
	List	   *args = NIL;
	Oid			function;

	expr = strip_casts(expr);
	function = called(expr, &args);
	subject.slot = column_of(solver, check, expr);
	if (subject.slot != NULL)
		subject.kind = SUBJECT_VALUE;
	else if (function == F_NUM_NONNULLS)
		(void) read_nonnulls(solver, check, args, &subject);
	else if (add_counted(solver, check, expr, &subject) && subject.counted != NIL)
		subject.kind = SUBJECT_COUNT;
	for (size_t i = 0; i < lengthof(subject_functions) && subject.kind == SUBJECT_NONE && args != NIL; i++)
	{
		if (subject_functions[i].function != function)
			continue;
		subject = read_subject(solver, check, linitial(args));
		if (subject.kind != SUBJECT_VALUE)
			return nothing;
		subject.kind = subject_functions[i].kind;
		subject.upper |= subject_functions[i].upper;
	}
	return subject;
}

/* Have a subject compare so with a constant. */
static bool
meet_constant(Solver *solver, const Subject *subject, const char *operator, char *text, const Goal *goal)
{
	switch (subject->kind)
	{
		case SUBJECT_VALUE:
			return limit_value(solver, subject, operator, text, goal);
		case SUBJECT_LENGTH:
			return limit_length(subject, operator, text, goal);
		case SUBJECT_JSON_TYPE:
			return limit_json_type(subject, operator, text, goal);
		case SUBJECT_COUNT:
			return set_count(subject, operator, atoi(text), goal);
		default:
			goal->check->read = false;
			return true;
	}
}

/* Have a column compare so with one whose value is known; false where it is not. */
static bool
meet_known(Solver *solver, const Slot *known, const char *operator, const Subject *other, const Goal *goal, bool *met)
{
	char	   *text = known->filling == FILL_GIVEN ? given_text(known) :
	known->filling == FILL_DEFAULT ? known->constant_default : NULL;

	if (text == NULL || other->slot->filling == FILL_GIVEN || operator == NULL)
		return false;
	*met = limit_value(solver, other, operator, text, goal);
	return true;
}

/* Have two columns compare so: by their ranks, which numbers and times follow. */
static bool
meet_columns(Solver *solver, const Subject *left, const Subject *right, const char *operator, const Goal *goal)
{
	Slot	   *first = operator[0] == '>' ? right->slot : left->slot;
	Slot	   *second = operator[0] == '>' ? left->slot : right->slot;
	bool		met;

	if (first == second)
	{
		first->limits.upper |= left->upper || right->upper;
		return true;
	}
	if (is_null(first) || is_null(second))
		return true;
	if (meet_known(solver, right->slot, operator, left, goal, &met) ||
		meet_known(solver, left->slot, reversed(operator), right, goal, &met))
		return met;
	if (strcmp(operator, "<>") == 0 || strcmp(operator, "<") == 0 || strcmp(operator, ">") == 0)
	{
		if (second->filling == FILL_DEFAULT && first->filling == FILL_DEFAULT && !second->computed)
			second->filling = FILL_VALUE;
		if (second->filling == FILL_DEFAULT && first->filling == FILL_VALUE)
			first->limits.rank = Min(first->limits.rank, second->limits.rank - 1);
		else if (second->limits.rank <= first->limits.rank)
			second->limits.rank = first->limits.rank + 1;
	}
	else if (is_order(operator))
		second->limits.rank = Max(second->limits.rank, first->limits.rank);
	else if (first->filling == FILL_VALUE && second->filling == FILL_VALUE && strcmp(operator, "=") == 0)
		first->same_as = second->attnum;
	else
		goal->check->read = false;
	return true;
}

/* Meet a comparison, the operator of which is already the opposite one where it is to be false. */
static bool
meet_comparison(Solver *solver, const char *operator, Node *left, Node *right, const Goal *goal)
{
	Subject		first;
	Subject		second;
	char	   *text = compared_text(right);

	if (text == NULL && compared_text(left) != NULL && reversed(operator) != NULL)
		return meet_comparison(solver, reversed(operator), right, left, goal);
	first = read_subject(solver, goal->check, left);
	if (text !=NULL)
		return meet_constant(solver, &first, operator, text, goal);
	second = read_subject(solver, goal->check, right);
	if (first.kind == SUBJECT_VALUE && second.kind == SUBJECT_VALUE)
		return meet_columns(solver, &first, &second, operator, goal);
	goal->check->read = false;
	return true;
}

/* Is the expression one that is true or false because of other expressions? */
static bool
is_condition(Node *expr)
{
	expr = strip_casts(expr);
	return expr != NULL && exprType(expr) == BOOLOID &&
		(IsA(expr, NullTest) || IsA(expr, BoolExpr) || IsA(expr, OpExpr) || IsA(expr, ScalarArrayOpExpr) ||
		 IsA(expr, BooleanTest));
}

/* Solve the rest of the agenda with one goal more. */
static bool
solve_with(Solver *solver, Node *expr, bool truth, const Goal *goal, const Agenda *rest)
{
	Agenda		agenda = {{expr, truth, goal->gentle, goal->chosen, goal->check}, rest};

	return solve(solver, &agenda);
}

static void
restore(Solver *solver, const Slot *saved)
{
	memcpy(solver->shape->slots, saved, sizeof(Slot) * solver->shape->count);
}

static Slot *
save(Solver *solver)
{
	Size		size = sizeof(Slot) * solver->shape->count;

	return memcpy(palloc(size), solver->shape->slots, size);
}

/* An arm of something of which one has to be met: two conditions, the second of which may be NULL */
typedef struct Arm
{
	Node	   *first;
	bool		first_truth;
	Node	   *second;
	bool		second_truth;
} Arm;

static void
put_arm(Arm *arm, Node *first, bool first_truth, Node *second)
{
	arm->first = first;
	arm->first_truth = first_truth;
	arm->second = second;
}

static bool
solve_arm(Solver *solver, const Arm *arm, bool gentle, const Goal *goal, const Agenda *rest)
{
	Agenda		second = {{arm->second, arm->second_truth, gentle, true, goal->check}, rest};
	Agenda		first = {{arm->first, arm->first_truth, gentle, true, goal->check}, arm->second != NULL ? &second : rest};

	return solve(solver, &first);
}

/* Try one arm after the other with all that is left, at first without giving null columns values. */
static bool
solve_arms(Solver *solver, const Arm *arms, int count, const Goal *goal, const Agenda *rest)
{
	Slot	   *saved = save(solver);

	int			turn = goal->check->value_of == 0 ? solver->shape->variant->turn : 0;

	if (goal->check->value_of == 0)
		solver->shape->choices = Max(solver->shape->choices, count);
	for (int gentle = 1; gentle >= (goal->gentle ? 1 : 0); gentle--)
	{
		for (int i = 0; i < count; i++)
		{
			if (solve_arm(solver, &arms[(i + turn) % count], gentle == 1, goal, rest))
				return true;
			restore(solver, saved);
		}
	}
	return false;
}

/* Write an entry of the agenda: another goal that is like one. */
static void
put_goal(Agenda *entry, Node *expr, bool truth, const Goal *like, const Agenda *rest)
{
	entry->goal = *like;
	entry->goal.expr = expr;
	entry->goal.truth = truth;
	entry->rest = rest;
}

/* Solve AND, OR and NOT. */
static bool
solve_bool(Solver *solver, const BoolExpr *expr, const Goal *goal, const Agenda *rest)
{
	int			count = list_length(expr->args);
	Arm		   *arms = palloc0(sizeof(Arm) * count);
	Agenda	   *agenda;

	if (expr->boolop == NOT_EXPR)
		return solve_with(solver, linitial(expr->args), !goal->truth, goal, rest);
	if ((expr->boolop == AND_EXPR) != goal->truth)
	{
		for (int i = 0; i < count; i++)
			put_arm(&arms[i], list_nth(expr->args, i), goal->truth, NULL);
		return solve_arms(solver, arms, count, goal, rest);
	}
	agenda = palloc(sizeof(Agenda) * count);
	for (int i = 0; i < count; i++)
		put_goal(&agenda[i], list_nth(expr->args, i), goal->truth, goal, i + 1 < count ? &agenda[i + 1] : rest);
	return solve(solver, agenda);
}

/* Solve CASE WHEN a THEN b ELSE c END: a and b, or not a and c. */
static bool
solve_case(Solver *solver, const CaseExpr * expr, const Goal *goal, const Agenda *rest)
{
	int			count = list_length(expr->args);
	Arm		   *arms = palloc0(sizeof(Arm) * (count + 1));
	Node	   *last = count > 0 ? (Node *) ((CaseWhen *) llast(expr->args))->expr : NULL;

	if (expr->arg != NULL || last == NULL)
	{
		goal->check->read = false;
		return solve(solver, rest);
	}
	for (int i = 0; i < count; i++)
	{
		const		CaseWhen *when = list_nth(expr->args, i);

		put_arm(&arms[i], (Node *) when->expr, true, (Node *) when->result);
		arms[i].second_truth = goal->truth;
	}
	put_arm(&arms[count], last, false, (Node *) expr->defresult);
	arms[count].second_truth = goal->truth;
	return solve_arms(solver, arms, count + 1, goal, rest);
}

/* Solve a comparison of two conditions: both are true or both false, or one of them is true. */
static bool
solve_equivalence(Solver *solver, Node *left, Node *right, bool same, const Goal *goal, const Agenda *rest)
{
	Arm			arms[] = {{left, false, right, !same}, {left, true, right, same}};

	return solve_arms(solver, arms, 2, goal, rest);
}

static bool
solve_operator(Solver *solver, const OpExpr *expr, const Goal *goal, const Agenda *rest)
{
	const char *operator = get_opname(expr->opno);
	Node	   *left = linitial(expr->args);
	Node	   *right = list_length(expr->args) == 2 ? lsecond(expr->args) : NULL;

	if (operator != NULL && !goal->truth)
		operator = opposite(operator);
	if (operator == NULL || right == NULL || (!is_order(operator) && opposite(operator) == NULL && strcmp(operator, "^@") != 0))
	{
		goal->check->read = false;
		return solve(solver, rest);
	}
	if ((is_condition(left) || is_condition(right)) && exprType(left) == BOOLOID &&
		(strcmp(operator, "=") == 0 || strcmp(operator, "<>") == 0))
		return solve_equivalence(solver, left, right, strcmp(operator, "=") == 0, goal, rest);
	return meet_comparison(solver, operator, left, right, goal) && solve(solver, rest);
}

/* Return the texts of a list's constants; NIL where one of them is not known. */
static List *
list_texts(Node *expr)
{
	List	   *result = NIL;
	ListCell   *lc;

	expr = strip_casts(expr);
	if (expr != NULL && IsA(expr, ArrayExpr))
	{
		foreach(lc, ((ArrayExpr *) expr)->elements)
		{
			char	   *text = dbkit_constant_text(lfirst(lc));

			if (text == NULL)
				return NIL;
			result = lappend(result, text);
		}
	}
	else if (expr != NULL && IsA(expr, Const) && !((Const *) expr)->constisnull &&
			 OidIsValid(get_element_type(((Const *) expr)->consttype)))
	{
		Oid			type = get_element_type(((Const *) expr)->consttype);
		int16		length;
		bool		by_value;
		char		alignment;
		Datum	   *values;
		bool	   *nulls;
		int			count;

		get_typlenbyvalalign(type, &length, &by_value, &alignment);
		deconstruct_array(DatumGetArrayTypeP(((Const *) expr)->constvalue), type, length, by_value, alignment,
						  &values, &nulls, &count);
		for (int i = 0; i < count; i++)
		{
			char	   *text = nulls[i] ? NULL : write_datum(type, values[i]);

			if (text == NULL)
				return NIL;
			result = lappend(result, text);
		}
	}
	return result;
}

/* Meet IN, NOT IN and the like. */
static bool
meet_list(Solver *solver, const ScalarArrayOpExpr * expr, const Goal *goal)
{
	const char *operator = get_opname(expr->opno);
	Subject		subject = read_subject(solver, goal->check, linitial(expr->args));
	List	   *texts = list_texts(lsecond(expr->args));
	bool		in = operator != NULL && strcmp(operator, "=") == 0 && expr->useOr;
	bool		not_in = operator != NULL && strcmp(operator, "<>") == 0 && !expr->useOr;
	ListCell   *lc;

	if (texts == NIL || !(in || not_in) || subject.kind == SUBJECT_NONE)
	{
		goal->check->read = false;
		return true;
	}
	if (in == goal->truth && subject.kind == SUBJECT_VALUE)
	{
		subject.slot->limits.upper |= subject.upper;
		limit_to(&subject.slot->limits, texts, goal);
		return keeps_limits(subject.slot, goal->gentle);
	}
	if (in == goal->truth)
		return meet_constant(solver, &subject, "=", linitial(texts), goal);
	foreach(lc, texts)
	{
		if (!meet_constant(solver, &subject, "<>", lfirst(lc), goal))
			return false;
	}
	return true;
}

/* Meet IS NULL or IS NOT NULL. */
static bool
meet_null_test(Solver *solver, const NullTest * test, const Goal *goal)
{
	Slot	   *slot = column_of(solver, goal->check, (Node *) test->arg);

	if (slot == NULL || test->argisrow)
	{
		goal->check->read = false;
		return true;
	}
	return set_null(slot, (test->nulltesttype == IS_NULL) == goal->truth, goal->gentle) &&
		keeps_limits(slot, goal->gentle);
}

/* Meet a call: of starts_with(), dbkit.is_id() and what else says true or false. */
static bool
meet_call(Solver *solver, Node *expr, const Goal *goal)
{
	List	   *args = NIL;
	Oid			function = called(expr, &args);
	Slot	   *slot = args != NIL ? column_of(solver, goal->check, linitial(args)) : NULL;
	char	   *text = list_length(args) > 1 ? dbkit_constant_text(lsecond(args)) : NULL;

	if (slot != NULL && goal->truth && dbkit_is_function(function, "is_id"))
		slot->limits.id_prefix = text !=NULL ? text : "";

	else if (slot != NULL && goal->truth && function == F_STARTS_WITH && text !=NULL)
		slot->limits.like = pattern_of_start(text);
	else if (slot != NULL && goal->truth && (function == F_TEXTLIKE || function == F_LIKE_TEXT_TEXT) && text !=NULL)
		slot->limits.like = text;

	else
		goal->check->read = false;
	return true;
}

/* Meet what is true or false by a column: the column itself, or a test of it. */
static bool
meet_boolean(Solver *solver, Node *expr, const Goal *goal)
{
	Slot	   *slot = column_of(solver, goal->check, expr);

	if (slot == NULL)
	{
		goal->check->read = false;
		return true;
	}
	limit_to(&slot->limits, list_make1(goal->truth ? "t" : "f"), goal);
	return keeps_limits(slot, goal->gentle);
}

/* Solve IS TRUE and its kin, for a condition that is not null. */
static bool
solve_test(Solver *solver, const BooleanTest * test, const Goal *goal, const Agenda *rest)
{
	switch (test->booltesttype)
	{
		case IS_TRUE:
		case IS_NOT_FALSE:
			return solve_with(solver, (Node *) test->arg, goal->truth, goal, rest);
		case IS_FALSE:
		case IS_NOT_TRUE:
			return solve_with(solver, (Node *) test->arg, !goal->truth, goal, rest);
		default:
			goal->check->read = false;
			return solve(solver, rest);
	}
}

/* Is a constant condition met?  Null is not false. */
static bool
is_met(const Const *constant, bool truth)
{
	return constant->constisnull || constant->consttype != BOOLOID || DatumGetBool(constant->constvalue) == truth;
}

/* Meet the goals of the agenda, one after the other. */
static bool
solve(Solver *solver, const Agenda *agenda)
{
	const Goal *goal;
	Node	   *expr;

	if (agenda == NULL)
		return true;
	check_stack_depth();
	if (++solver->steps > MAX_STEPS)
		return false;
	goal = &agenda->goal;
	expr = strip_casts(goal->expr);
	if (expr == NULL)
		return solve(solver, agenda->rest);
	switch (nodeTag(expr))
	{
		case T_BoolExpr:
			return solve_bool(solver, (const BoolExpr *) expr, goal, agenda->rest);
		case T_CaseExpr:
			return solve_case(solver, (const CaseExpr *) expr, goal, agenda->rest);
		case T_BooleanTest:
			return solve_test(solver, (const BooleanTest *) expr, goal, agenda->rest);
		case T_OpExpr:
			return solve_operator(solver, (const OpExpr *) expr, goal, agenda->rest);
		case T_Const:
			return is_met((const Const *) expr, goal->truth) && solve(solver, agenda->rest);
		case T_ScalarArrayOpExpr:
			return meet_list(solver, (const ScalarArrayOpExpr *) expr, goal) && solve(solver, agenda->rest);
		case T_NullTest:
			return meet_null_test(solver, (const NullTest *) expr, goal) && solve(solver, agenda->rest);
		case T_FuncExpr:
			return meet_call(solver, expr, goal) && solve(solver, agenda->rest);
		default:
			return meet_boolean(solver, expr, goal) && solve(solver, agenda->rest);
	}
}

/* Meet one CHECK alone; it changes nothing where it cannot be met. */
static void
meet_alone(Solver *solver, Check *check)
{
	Agenda		agenda = {{check->tree, true, false, false, check}, NULL};
	Slot	   *saved = save(solver);

	solver->steps = 0;
	check->met = check->tree != NULL && solve(solver, &agenda);
	if (!check->met)
		restore(solver, saved);
}

/* Understand the ids that generate_id() makes: then its CHECK is no mere pattern. */
static void
find_id_prefixes(Shape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->checks)
	{
		const Check *check = lfirst(lc);

		for (int i = 0; i < shape->count && check->tree != NULL; i++)
		{
			Slot	   *slot = &shape->slots[i];
			char	   *prefix;

			if (slot->attnum == 0 || (check->value_of != 0 && check->value_of != slot->attnum))
				continue;
			prefix = dbkit_pinned_prefix(check->tree, check->value_of != 0 ? InvalidAttrNumber : slot->attnum);
			if (prefix != NULL && dbkit_is_prefix(prefix))
				slot->limits.id_prefix = prefix;
		}
	}
}

/* Have another one of several allowed values come first in another variant. */
static void
rotate_lists(Shape *shape)
{
	for (int i = 0; i < shape->count; i++)
	{
		Limits	   *limits = &shape->slots[i].limits;
		int			count = limits->listed ? list_length(limits->allowed) : 0;
		List	   *rotated = NIL;

		if (count < 2 || shape->slots[i].filling != FILL_VALUE)
			continue;
		for (int n = 0; n < count; n++)
			rotated = lappend(rotated, list_nth(limits->allowed, (n + shape->variant->turn) % count));
		limits->allowed = rotated;
		shape->choices = Max(shape->choices, count);
	}
}

/*
 * Find out what the CHECKs ask of the columns, and keep it in the slots.  Where they cannot
 * be met together, those that can alone are.
 */
void
dbkit_meet_checks(Shape *shape)
{
	int			count = list_length(shape->checks);
	Agenda	   *agenda = palloc0(sizeof(Agenda) * (count + 1));
	Solver		solver = {shape, 0};
	Slot	   *saved = save(&solver);
	ListCell   *lc;

	for (int i = 0; i < count; i++)
	{
		Check	   *check = list_nth(shape->checks, i);
		const Goal	goal = {check->tree, true, false, false, check};

		check->read = check->tree != NULL;
		check->met = true;
		put_goal(&agenda[i], check->tree, true, &goal, i + 1 < count ? &agenda[i + 1] : NULL);
	}
	if (count > 0 && !solve(&solver, agenda))
	{
		restore(&solver, saved);
		foreach(lc, shape->checks)
			meet_alone(&solver, lfirst(lc));
	}
	foreach(lc, shape->checks)
		shape->has_unread |= !((Check *) lfirst(lc))->read || !((Check *) lfirst(lc))->met;
	find_id_prefixes(shape);
	rotate_lists(shape);
}

/* Return the columns of which a CHECK speaks. */
Bitmapset *
dbkit_columns_of_check(const Check *check)
{
	Bitmapset  *named = NULL;
	Bitmapset  *columns = NULL;
	int			member = -1;

	if (check->value_of != 0)
		return bms_make_singleton(check->value_of);
	pull_varattnos(check->tree, 1, &named);
	while ((member = bms_next_member(named, member)) >= 0)
	{
		if (member + FirstLowInvalidHeapAttributeNumber > 0)
			columns = bms_add_member(columns, member + FirstLowInvalidHeapAttributeNumber);
	}
	return columns;
}
