/*-------------------------------------------------------------------------
 *
 * openness.c
 *		For which rows the condition of a policy is true.
 *
 * A condition is read three times: with whatever tenant, while the settings that say
 * which one are null, and while they are empty, as a setting is after the transaction that
 * set it.  Each time it is asked which of true, false and null may come of it.  If that is
 * true alone, every row passes.  Nothing is executed but PostgreSQL's own comparisons of
 * two constants.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "rewrite/rewriteManip.h"
#include "utils/fmgroids.h"

#include "common.h"
#include "convention/facts/expression.h"
#include "convention/facts/openness.h"
#include "convention/facts/tree.h"

/* No more steps than this are made: somebody may nest conditions so that each is read again and again */
#define MAX_STEPS		2000

/* What may come of a condition, or of another value: a set of these */
#define COMES_TRUE		(1 << 0)
#define COMES_FALSE		(1 << 1)
#define COMES_NULL		(1 << 2)
#define COMES_VALUE		(COMES_TRUE | COMES_FALSE)	/* of no condition: not
													 * null */
#define COMES_ANYTHING	(COMES_VALUE | COMES_NULL)

/* What the settings are that say which tenant it is */
typedef enum TenantState
{
	CONTEXT_SET,
	CONTEXT_NULL,
	CONTEXT_EMPTY
} TenantState;

typedef struct Reading
{
	TenantState context;
	int			steps;
} Reading;

static int	outcomes(Node *expr, Reading *reading);

/* Does an expression name a column? */
static bool
has_column(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_column, context, 0);
	return expression_tree_walker(node, has_column, context);
}

/*
 * Does an expression read who the session works for: a setting, or a function that is not
 * PostgreSQL's and is not given anything of the row?
 */
static bool
reads_context(Node *node, void *context)
{
	const FuncExpr *call = (const FuncExpr *) node;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, reads_context, context, 0);
	if (IsA(node, FuncExpr) &&
		(call->funcid >= FirstNormalObjectId || call->funcid == F_CURRENT_SETTING_TEXT ||
		 call->funcid == F_CURRENT_SETTING_TEXT_BOOL) &&
		!has_column((Node *) call->args, NULL))
		return true;
	return expression_tree_walker(node, reads_context, context);
}

/* Tell what comes of something that is not understood: without a context, null of what is made of that. */
static int
outcomes_of_unknown(Node *expr, const Reading *reading)
{
	return reading->context == CONTEXT_NULL && reads_context(expr, NULL) ? COMES_NULL : COMES_ANYTHING;
}

static int
outcome_of_bool(bool value)
{
	return value ? COMES_TRUE : COMES_FALSE;
}

static int
outcomes_of_constant(const Const *constant)
{
	if (constant->constisnull)
		return COMES_NULL;
	return constant->consttype == BOOLOID ? outcome_of_bool(DatumGetBool(constant->constvalue)) : COMES_VALUE;
}

/* Tell what comes of two conditions by AND, or by OR: "decisive" is what decides alone, "other" the opposite. */
static int
combine(int left, int right, int decisive, int other)
{
	int			result = (left | right) & decisive;

	if ((left & other) && (right & other))
		result |= other;
	if (((left & COMES_NULL) && (right & (other | COMES_NULL))) ||
		((right & COMES_NULL) && (left & (other | COMES_NULL))))
		result |= COMES_NULL;
	return left == decisive || right == decisive ? decisive : result;
}

static int
negate(int set)
{
	return (set & COMES_NULL) | (set & COMES_TRUE ? COMES_FALSE : 0) | (set & COMES_FALSE ? COMES_TRUE : 0);
}

/* Tell what comes of AND, OR or NOT. */
static int
outcomes_of_bool(const BoolExpr *expr, Reading *reading)
{
	int			decisive = expr->boolop == AND_EXPR ? COMES_FALSE : COMES_TRUE;
	int			result = negate(decisive);
	ListCell   *lc;

	if (expr->boolop == NOT_EXPR)
		return negate(outcomes(linitial(expr->args), reading));
	foreach(lc, expr->args)
		result = combine(result, outcomes(lfirst(lc), reading), decisive, negate(decisive));
	return result;
}

/* Tell what comes of a test that is true for some outcomes, and false for all others. */
static int
outcomes_of_membership(int set, int members)
{
	return (set & members ? COMES_TRUE : 0) | (set & ~members ? COMES_FALSE : 0);
}

/* Tell what comes of IS TRUE and its kin. */
static int
outcomes_of_test(const BooleanTest *test, Reading *reading)
{
	static const int members[] = {
		[IS_TRUE] = COMES_TRUE,
		[IS_NOT_TRUE] = COMES_FALSE | COMES_NULL,
		[IS_FALSE] = COMES_FALSE,
		[IS_NOT_FALSE] = COMES_TRUE | COMES_NULL,
		[IS_UNKNOWN] = COMES_NULL,
		[IS_NOT_UNKNOWN] = COMES_VALUE
	};

	return outcomes_of_membership(outcomes((Node *) test->arg, reading), members[test->booltesttype]);
}

static int
outcomes_of_null_test(const NullTest *test, Reading *reading)
{
	return outcomes_of_membership(outcomes((Node *) test->arg, reading),
								  test->nulltesttype == IS_NULL ? COMES_NULL : COMES_VALUE);
}

/* Tell what comes of COALESCE: of each argument as long as all before it may be null. */
static int
outcomes_of_coalesce(const CoalesceExpr *expr, Reading *reading)
{
	int			result = COMES_NULL;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		if (result & COMES_NULL)
			result = (result & ~COMES_NULL) | outcomes(lfirst(lc), reading);
	}
	return result;
}

/* Tell what comes of the condition of a WHEN; of CASE x WHEN y that is whether x is y. */
static int
outcomes_of_when(const CaseExpr *expr, const CaseWhen *when, Reading *reading)
{
	if (expr->arg != NULL)
		return outcomes((Node *) expr->arg, reading) == COMES_NULL ? COMES_NULL : COMES_ANYTHING;
	return outcomes((Node *) when->expr, reading);
}

/* Tell what comes of CASE: of each arm that may be taken, as long as none before it has to be. */
static int
outcomes_of_case(const CaseExpr *expr, Reading *reading)
{
	int			result = 0;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		const CaseWhen *when = lfirst_node(CaseWhen, lc);
		int			taken = outcomes_of_when(expr, when, reading);

		if (taken & COMES_TRUE)
			result |= outcomes((Node *) when->result, reading);
		if (taken == COMES_TRUE)
			return result;
	}
	return result | outcomes((Node *) expr->defresult, reading);
}

/* Return the value of (SELECT value), which has neither FROM nor WHERE, as it is outside of that; or NULL. */
static Node *
selected_value(Node *expr)
{
	const SubLink *link = (const SubLink *) expr;
	const Query *query = expr != NULL && IsA(expr, SubLink) && link->subLinkType == EXPR_SUBLINK ?
	(const Query *) link->subselect : NULL;
	Expr	   *selected;

	if (query == NULL || query->rtable != NIL || query->jointree->quals != NULL || query->havingQual != NULL ||
		query->hasAggs || query->hasTargetSRFs || query->limitCount != NULL || query->limitOffset != NULL)
		return NULL;
	selected = copyObject(linitial_node(TargetEntry, query->targetList)->expr);
	IncrementVarSublevelsUp((Node *) selected, -1, 1);
	return (Node *) selected;
}

/* Tell what comes of EXISTS: there is no row where WHERE cannot be true. */
static int
outcomes_of_exists(const Query *query, Reading *reading)
{
	int			where = query->jointree->quals == NULL ? COMES_TRUE : outcomes(query->jointree->quals, reading);

	if (query->hasAggs || query->havingQual != NULL || query->limitCount != NULL || query->limitOffset != NULL ||
		query->setOperations != NULL)
		return COMES_VALUE;
	if ((where & COMES_TRUE) == 0)
		return COMES_FALSE;
	return where == COMES_TRUE && query->rtable == NIL && !query->hasTargetSRFs ? COMES_TRUE : COMES_VALUE;
}

static int
outcomes_of_sublink(SubLink *link, Reading *reading)
{
	Node	   *selected = selected_value((Node *) link);

	if (link->subLinkType == EXISTS_SUBLINK)
		return outcomes_of_exists((const Query *) link->subselect, reading);
	return selected != NULL ? outcomes(selected, reading) : outcomes_of_unknown((Node *) link, reading);
}

/* Return the argument that COALESCE gives: what comes after those that are null; NULL where that is not clear. */
static Node *
taken_argument(const CoalesceExpr *expr, Reading *reading)
{
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		int			set = outcomes(lfirst(lc), reading);

		if (set != COMES_NULL)
			return foreach_current_index(lc) > 0 || (set & COMES_NULL) == 0 ? lfirst(lc) : NULL;
	}
	return NULL;
}

/* Return what the arm of CASE gives that is taken; NULL where that is not clear. */
static Node *
taken_arm(const CaseExpr *expr, Reading *reading)
{
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		int			taken = outcomes_of_when(expr, lfirst(lc), reading);

		if (taken & COMES_TRUE)
			return taken == COMES_TRUE ? (Node *) lfirst_node(CaseWhen, lc)->result : NULL;
	}
	return (Node *) expr->defresult;
}

/* Reduce a value to the part of it that it comes from, such as the column in coalesce(current_setting(...), column). */
static Node *
reduce(Node *expr, Reading *reading)
{
	Node	   *part = expr;

	while (part != NULL)
	{
		expr = dbkit_strip_lossless_casts(part);
		part = selected_value(expr);
		if (IsA(expr, CoalesceExpr))
			part = taken_argument((const CoalesceExpr *) expr, reading);
		else if (IsA(expr, CaseExpr))
			part = taken_arm((const CaseExpr *) expr, reading);
	}
	return expr;
}

/* Is one value empty because there is no context, and the other the empty string? */
static bool
is_empty_context(Node *value, Node *empty, const Reading *reading)
{
	const char *string = reading->context == CONTEXT_EMPTY ? dbkit_known_text(empty) : NULL;

	return string != NULL && string[0] == '\0' && !has_column(value, NULL) && reads_context(value, NULL);
}

static bool
is_same(Node *left, Node *right, const Reading *reading)
{
	return equal(left, right) || is_empty_context(left, right, reading) || is_empty_context(right, left, reading);
}

/* Comparisons of PostgreSQL's own, which may be tried on two constants */
static const struct
{
	Oid			function;
	bool		equality;
}			comparisons[] = {
	{F_TEXTEQ, true}, {F_TEXTNE, false}, {F_BOOLEQ, true}, {F_BOOLNE, false}, {F_UUID_EQ, true}, {F_UUID_NE, false},
	{F_INT4EQ, true}, {F_INT4NE, false}, {F_INT4LT, false}, {F_INT4LE, false}, {F_INT4GT, false}, {F_INT4GE, false},
	{F_INT8EQ, true}, {F_INT8NE, false}, {F_INT8LT, false}, {F_INT8LE, false}, {F_INT8GT, false}, {F_INT8GE, false},
	{F_NUMERIC_EQ, true}, {F_NUMERIC_NE, false}, {F_NUMERIC_LT, false}, {F_NUMERIC_LE, false}, {F_NUMERIC_GT, false},
	{F_NUMERIC_GE, false},
};

/* Tell what comes of a comparison of two values, whether they are equal if "equality". */
static int
outcomes_of_comparison(Oid function, bool equality, Node *left, Node *right, Reading *reading)
{
	int			first = outcomes(left, reading);
	int			second = outcomes(right, reading);

	if (first == COMES_NULL || second == COMES_NULL)
		return COMES_NULL;
	if (IsA(left, Const) && IsA(right, Const))
		return outcome_of_bool(DatumGetBool(OidFunctionCall2Coll(function, C_COLLATION_OID, ((const Const *) left)->constvalue,
																 ((const Const *) right)->constvalue)));
	if (!equality)
		return COMES_ANYTHING;
	if (is_same(left, right, reading))
		return COMES_TRUE;
	if (function == F_BOOLEQ && second == COMES_TRUE)
		return first;
	if (function == F_BOOLEQ && first == COMES_TRUE)
		return second;
	return COMES_ANYTHING;
}

/* Tell what comes of a call, where it is such a comparison. */
static int
outcomes_of_call(Node *expr, Reading *reading)
{
	Oid			function;
	List	   *args;

	for (size_t i = 0; dbkit_is_call(expr, &function, &args) && i < lengthof(comparisons); i++)
	{
		if (comparisons[i].function == function)
			return outcomes_of_comparison(function, comparisons[i].equality, reduce(linitial(args), reading),
										  reduce(lsecond(args), reading), reading);
	}
	return outcomes_of_unknown(expr, reading);
}

/* Tell what comes of IS DISTINCT FROM. */
static int
outcomes_of_distinct(const DistinctExpr *expr, Reading *reading)
{
	Node	   *left = reduce(linitial(expr->args), reading);
	Node	   *right = reduce(lsecond(expr->args), reading);
	int			first = outcomes(left, reading);
	int			second = outcomes(right, reading);

	if (is_same(left, right, reading))
		return COMES_FALSE;
	if ((first & second) == 0)
		return COMES_TRUE;
	return first == second && (first == COMES_NULL || first == COMES_TRUE || first == COMES_FALSE) ? COMES_FALSE : COMES_VALUE;
}

/* Tell what comes of NULLIF. */
static int
outcomes_of_nullif(const NullIfExpr *expr, Reading *reading)
{
	Node	   *value = reduce(linitial(expr->args), reading);
	int			result = outcomes(value, reading);

	return is_same(value, reduce(lsecond(expr->args), reading), reading) ? COMES_NULL : result | COMES_NULL;
}

/* Tell what may come of an expression, as far as that can be read off the forms that people write. */
static int
outcomes(Node *expr, Reading *reading)
{
	expr = dbkit_strip_lossless_casts(expr);
	if (expr == NULL || ++reading->steps > MAX_STEPS)
		return COMES_ANYTHING;
	switch (nodeTag(expr))
	{
		case T_Const:
			return outcomes_of_constant((const Const *) expr);
		case T_BoolExpr:
			return outcomes_of_bool((const BoolExpr *) expr, reading);
		case T_BooleanTest:
			return outcomes_of_test((const BooleanTest *) expr, reading);
		case T_NullTest:
			return outcomes_of_null_test((const NullTest *) expr, reading);
		case T_CoalesceExpr:
			return outcomes_of_coalesce((const CoalesceExpr *) expr, reading);
		case T_CaseExpr:
			return outcomes_of_case((const CaseExpr *) expr, reading);
		case T_SubLink:
			return outcomes_of_sublink((SubLink *) expr, reading);
		case T_DistinctExpr:
			return outcomes_of_distinct((const DistinctExpr *) expr, reading);
		case T_NullIfExpr:
			return outcomes_of_nullif((const NullIfExpr *) expr, reading);
		default:
			return outcomes_of_call(expr, reading);
	}
}

/* Tell for which rows a stored condition is true. */
Openness
dbkit_openness(const char *stored)
{
	Node	   *tree = dbkit_stored_tree(stored);

	for (TenantState context = CONTEXT_SET; context <= CONTEXT_EMPTY; context++)
	{
		Reading		reading = {context, 0};

		if (outcomes(tree, &reading) == COMES_TRUE)
			return context == CONTEXT_SET ? OPEN_TO_ALL : OPEN_WITHOUT_CONTEXT;
	}
	return OPEN_TO_SOME;
}
