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

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/facts/expression.h"
#include "convention/own_objects.h"
#include "id.h"
#include "test_data/constant.h"
#include "test_data/solver.h"

/* So many steps are tried before a table's CHECKs are taken one by one */
#define MAX_STEPS		20000

/* The goals that are left; of several agendas the ends are the same */
typedef struct Agenda
{
	Goal		goal;
	const struct Agenda *rest;
} Agenda;

static bool solve(Solver *solver, const Agenda *agenda);

/* Have a subject compare so with a constant. */
static bool
meet_constant(Solver *solver, const Subject *subject, const char *operator, char *text, const Goal *goal)
{
	switch (subject->kind)
	{
		case SUBJECT_VALUE:
			return dbkit_limit_value(solver, subject, operator, text, goal);
		case SUBJECT_START:
			return dbkit_limit_start(solver, subject, operator, text, goal);
		case SUBJECT_LENGTH:
			return dbkit_limit_length(subject, operator, text, goal);
		case SUBJECT_JSON_TYPE:
			return dbkit_limit_json_type(subject, operator, text, goal);
		case SUBJECT_COUNT:
			return dbkit_set_count(subject, operator, atoi(text), goal);
		default:
			goal->check->read = false;
			return true;
	}
}

/* Have a column compare so with one whose value is known; false where it is not. */
static bool
meet_known(Solver *solver, const Slot *known, const char *operator, const Subject *other, const Goal *goal, bool *met)
{
	char	   *text = known->filling == FILL_GIVEN ? dbkit_given_text(known) :
	known->filling == FILL_DEFAULT ? known->constant_default : NULL;

	if (text == NULL || other->slot->filling == FILL_GIVEN || operator == NULL)
		return false;
	*met = dbkit_limit_value(solver, other, operator, text, goal);
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
	if (dbkit_is_null(first) || dbkit_is_null(second))
		return true;
	if (meet_known(solver, right->slot, operator, left, goal, &met) ||
		meet_known(solver, left->slot, dbkit_reversed(operator), right, goal, &met))
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
	else if (dbkit_is_order(operator))
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
	char	   *text = dbkit_compared_text(right);

	if (text == NULL && dbkit_compared_text(left) != NULL && dbkit_reversed(operator) != NULL)
		return meet_comparison(solver, dbkit_reversed(operator), right, left, goal);
	first = dbkit_read_subject(solver, goal->check, left);
	if (text != NULL)
		return meet_constant(solver, &first, operator, text, goal);
	second = dbkit_read_subject(solver, goal->check, right);
	if (first.kind == SUBJECT_VALUE && second.kind == SUBJECT_VALUE)
		return meet_columns(solver, &first, &second, operator, goal);
	goal->check->read = false;
	return true;
}

/* Is the expression one that is true or false because of other expressions? */
static bool
is_condition(Node *expr)
{
	expr = dbkit_strip_casts(expr);
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
solve_case(Solver *solver, const CaseExpr *expr, const Goal *goal, const Agenda *rest)
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
		const CaseWhen *when = list_nth(expr->args, i);

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
		operator = dbkit_opposite(operator);
	if (operator == NULL || right == NULL || (!dbkit_is_order(operator) && dbkit_opposite(operator) == NULL && strcmp(operator, "^@") != 0))
	{
		goal->check->read = false;
		return solve(solver, rest);
	}
	if ((is_condition(left) || is_condition(right)) && exprType(left) == BOOLOID &&
		(strcmp(operator, "=") == 0 || strcmp(operator, "<>") == 0))
		return solve_equivalence(solver, left, right, strcmp(operator, "=") == 0, goal, rest);
	return meet_comparison(solver, operator, left, right, goal) && solve(solver, rest);
}

/* Meet IN, NOT IN and the like. */
static bool
meet_list(Solver *solver, const ScalarArrayOpExpr *expr, const Goal *goal)
{
	const char *operator = get_opname(expr->opno);
	Subject		subject = dbkit_read_subject(solver, goal->check, linitial(expr->args));
	List	   *texts = dbkit_list_texts(lsecond(expr->args));
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
		dbkit_limit_to(&subject.slot->limits, texts, goal);
		return dbkit_keeps_limits(subject.slot, goal->gentle);
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
meet_null_test(Solver *solver, const NullTest *test, const Goal *goal)
{
	Slot	   *slot = dbkit_column_of(solver, goal->check, (Node *) test->arg);

	if (slot == NULL || test->argisrow)
	{
		goal->check->read = false;
		return true;
	}
	return dbkit_set_null(slot, (test->nulltesttype == IS_NULL) == goal->truth, goal->gentle) &&
		dbkit_keeps_limits(slot, goal->gentle);
}

/* Meet a call: of starts_with(), dbkit.is_id() and what else says true or false. */
static bool
meet_call(Solver *solver, Node *expr, const Goal *goal)
{
	List	   *args = NIL;
	Oid			function = dbkit_called(expr, &args);
	Slot	   *slot = args != NIL ? dbkit_column_of(solver, goal->check, linitial(args)) : NULL;
	char	   *text = list_length(args) > 1 ? dbkit_constant_text(lsecond(args)) : NULL;

	if (slot != NULL && goal->truth && dbkit_is_function(function, "is_id"))
		slot->limits.id_prefix = text != NULL ? text : "";

	else if (slot != NULL && goal->truth && function == F_STARTS_WITH && text != NULL)
		slot->limits.like = dbkit_pattern_of_start(text);
	else if (slot != NULL && goal->truth && (function == F_TEXTLIKE || function == F_LIKE_TEXT_TEXT) && text != NULL)
		slot->limits.like = text;

	else
		goal->check->read = false;
	return true;
}

/* Meet what is true or false by a column: the column itself, or a test of it. */
static bool
meet_boolean(Solver *solver, Node *expr, const Goal *goal)
{
	Slot	   *slot = dbkit_column_of(solver, goal->check, expr);

	if (slot == NULL)
	{
		goal->check->read = false;
		return true;
	}
	dbkit_limit_to(&slot->limits, list_make1(goal->truth ? "t" : "f"), goal);
	return dbkit_keeps_limits(slot, goal->gentle);
}

/* Solve IS TRUE and its kin, for a condition that is not null. */
static bool
solve_test(Solver *solver, const BooleanTest *test, const Goal *goal, const Agenda *rest)
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
	expr = dbkit_strip_casts(goal->expr);
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
