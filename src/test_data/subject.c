/*-------------------------------------------------------------------------
 *
 * subject.c
 *		Understand the sides of a comparison in a CHECK.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/primnodes.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "test_data/constant.h"
#include "test_data/solver.h"

/* Take a call apart, of a function or of an operator's function. */
Oid
dbkit_called(Node *expr, List **args)
{
	if (expr != NULL && IsA(expr, FuncExpr))
	{
		*args = ((FuncExpr *) expr)->args;
		return ((FuncExpr *) expr)->funcid;
	}
	return InvalidOid;
}

/* Return the column that an expression is, or NULL. */
Slot *
dbkit_column_of(Solver *solver, const Check *check, Node *expr)
{
	expr = dbkit_strip_casts(expr);
	if (IsA(expr, CoerceToDomainValue) && check->value_of != 0)
		return dbkit_slot(solver->shape, check->value_of);
	if (IsA(expr, Var) && ((Var *) expr)->varattno > 0)
		return dbkit_slot(solver->shape, ((Var *) expr)->varattno);
	return NULL;
}

/* Add the columns whose being null, or not, a sum counts; false where it counts something else. */
static bool
add_counted(Solver *solver, const Check *check, Node *expr, Subject *subject)
{
	List	   *args;
	Slot	   *slot;
	Node	   *test;
	char	   *text;

	expr = dbkit_strip_casts(expr);
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
		subject->more += text != NULL ? atoi(text) : 0;

		return true;
	}
	if (dbkit_called(expr, &args) == F_INT4_BOOL)
		test = dbkit_strip_casts(linitial(args));
	else if (expr != NULL && IsA(expr, CaseExpr) && list_length(((CaseExpr *) expr)->args) == 1 && ((CaseExpr *) expr)->arg == NULL)
		test = (Node *) ((CaseWhen *) linitial(((CaseExpr *) expr)->args))->expr;
	else
		return false;
	if (test == NULL || !IsA(test, NullTest) || ((NullTest *) test)->nulltesttype != IS_NOT_NULL)
		return false;
	slot = dbkit_column_of(solver, check, (Node *) ((NullTest *) test)->arg);
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
		Slot	   *slot = dbkit_column_of(solver, check, lfirst(lc));

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
	{F_LEFT, SUBJECT_START, false},
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
Subject
dbkit_read_subject(Solver *solver, const Check *check, Node *expr)
{
	const Subject nothing = {SUBJECT_NONE, NULL, false, NIL, 0};
	Subject		subject = nothing;
	List	   *args = NIL;
	Oid			function;

	expr = dbkit_strip_casts(expr);
	function = dbkit_called(expr, &args);
	subject.slot = dbkit_column_of(solver, check, expr);
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
		subject = dbkit_read_subject(solver, check, linitial(args));
		if (subject.kind != SUBJECT_VALUE)
			return nothing;
		subject.kind = subject_functions[i].kind;
		subject.upper |= subject_functions[i].upper;
	}
	return subject;
}
