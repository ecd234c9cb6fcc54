/*-------------------------------------------------------------------------
 *
 * limits.c
 *		Keep what the CHECKs of a table ask of its columns.
 *
 * Each function returns false where that cannot be met together with what was asked before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "common.h"
#include "test_data/constant.h"
#include "test_data/solver.h"

bool
dbkit_is_null(const Slot *slot)
{
	if (slot->filling == FILL_GIVEN)
		return slot->constant != NULL && slot->constant->type == jbvNull;
	return slot->filling == FILL_NOTHING || slot->filling == FILL_NULL;
}

/* Have a column be null, or not; false where that cannot be. */
bool
dbkit_set_null(Slot *slot, bool null, bool gentle)
{
	if (slot->filling == FILL_GIVEN)
		return dbkit_is_null(slot) == null;
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
char *
dbkit_given_text(const Slot *slot)
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
bool
dbkit_keeps_limits(Slot *slot, bool gentle)
{
	if (dbkit_is_null(slot))
		return true;
	if (slot->filling == FILL_GIVEN)
		return dbkit_given_text(slot) == NULL || accepts(slot, dbkit_given_text(slot));
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

const char *
dbkit_opposite(const char *operator)
{
	for (size_t i = 0; i < lengthof(comparisons); i++)
	{
		if (strcmp(comparisons[i].operator, operator) == 0)
			return comparisons[i].opposite;
	}
	return NULL;
}

const char *
dbkit_reversed(const char *operator)
{
	for (size_t i = 0; i < lengthof(comparisons); i++)
	{
		if (strcmp(comparisons[i].operator, operator) == 0)
			return comparisons[i].reversed;
	}
	return NULL;
}

bool
dbkit_is_order(const char *operator)
{
	return operator[0] == '<' || operator[0] == '>';
}

/* Allow a list of values only. */
void
dbkit_limit_to(Limits *limits, List *texts, const Goal *goal)
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
char *
dbkit_pattern_of_start(const char *text)
{
	char	   *result = palloc(2 * strlen(text) + 2);
	char	   *end = result;

	for (; *text != '\0'; text++)
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
		limits->like = dbkit_pattern_of_start(text);
	else if (operator[1] == '~')
		limits->like = text;

	else
		limits->regex = text;

	return operator[0] != '~' || operator[1] == '~' || dbkit_text_matching(text, limits, 0) != NULL;
}

/* Have a column compare so with a constant. */
bool
dbkit_limit_value(Solver *solver, const Subject *subject, const char *operator, char *text, const Goal *goal)
{
	Slot	   *slot = subject->slot;
	Limits	   *limits = &slot->limits;
	double		number;

	limits->upper |= subject->upper;
	if (solver->shape->variant->eager && slot->filling == FILL_NOTHING)
		slot->filling = FILL_VALUE;
	if (strcmp(operator, "=") == 0)
		dbkit_limit_to(limits, list_make1(text), goal);
	else if (strcmp(operator, "<>") == 0)
		refuse(limits, text, goal);
	else if (!dbkit_is_order(operator))
		goal->check->read &= limit_text(limits, operator, text);
	else if (dbkit_constant_number(slot->base_type, text, &number))
		(void) limit_number(operator, number, &limits->low, &limits->high, &limits->low_open, &limits->high_open);
	else
		goal->check->read = false;
	return dbkit_keeps_limits(slot, goal->gentle);
}

/* Have a column begin with a text. */
bool
dbkit_limit_start(Solver *solver, const Subject *subject, const char *operator, const char *text, const Goal *goal)
{
	if (strcmp(operator, "=") != 0)
		goal->check->read = false;
	else
		return dbkit_limit_value(solver, subject, "^@", unconstify(char *, text), goal);
	return true;
}

/* Have the length of a column compare so with a number. */
bool
dbkit_limit_length(const Subject *subject, const char *operator, const char *text, const Goal *goal)
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
	return dbkit_keeps_limits(subject->slot, goal->gentle);
}

/* Have so many of the columns not be null, if it compares so with the number. */
bool
dbkit_set_count(const Subject *subject, const char *operator, int number, const Goal *goal)
{
	int			count = subject->more;
	bool		want_less = strcmp(operator, "<=") == 0 || strcmp(operator, "<") == 0 || strcmp(operator, "=") == 0;
	bool		want_more = operator[0] == '>' || strcmp(operator, "=") == 0;
	int			target = number + (strcmp(operator, ">") == 0 ? 1 : strcmp(operator, "<") == 0 ? -1 : 0);
	ListCell   *lc;

	foreach(lc, subject->counted)
		count += dbkit_is_null(lfirst(lc)) ? 0 : 1;
	if (strcmp(operator, "<>") == 0)
	{
		want_more = count == number;
		target = number + 1;
	}
	foreach(lc, subject->counted)
	{
		if (want_more && count < target && dbkit_is_null(lfirst(lc)) && dbkit_set_null(lfirst(lc), false, goal->gentle))
			count++;
		else if (want_less && count > target && !dbkit_is_null(lfirst(lc)) && dbkit_set_null(lfirst(lc), true, goal->gentle))
			count--;
	}
	return (!want_more || count >= target) && (!want_less || count <= target);
}

/* Have the type of a JSON value be that. */
bool
dbkit_limit_json_type(const Subject *subject, const char *operator, const char *text, const Goal *goal)
{
	if (strcmp(operator, "=") == 0)
		subject->slot->limits.json_type = text;

	else
		goal->check->read = false;
	return true;
}
