/*-------------------------------------------------------------------------
 *
 * expression.c
 *		What a default, a CHECK or a policy says, read from its expression tree.
 *
 * To make a tree of what the catalogs store is most of the work.  Where many
 * expressions can be told by a few characters of it, they are: outfuncs.c writes
 * the kind of a node first, and of a function call its OID next.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/fmgroids.h"

#include "common.h"
#include "context/mirror.h"
#include "convention/facts/expression.h"
#include "convention/facts/tree.h"
#include "convention/own_objects.h"

/*
 * Strip what leaves a value as it is: binary-compatible casts, domains, and the
 * rounding of timestamptz(3).  Not what cuts a text.
 */
Node *
dbkit_strip_lossless_casts(Node *expr)
{
	while (expr != NULL)
	{
		if (IsA(expr, RelabelType))
			expr = (Node *) ((RelabelType *) expr)->arg;
		else if (IsA(expr, CoerceToDomain))
			expr = (Node *) ((CoerceToDomain *) expr)->arg;
		else if (IsA(expr, CollateExpr))
			expr = (Node *) ((CollateExpr *) expr)->arg;
		else if (IsA(expr, FuncExpr) &&
				 ((FuncExpr *) expr)->funcid == F_TIMESTAMPTZ_TIMESTAMPTZ_INT4)
			expr = linitial(((FuncExpr *) expr)->args);
		else
			break;
	}
	return expr;
}

/* Take a call apart, of a function or of an operator's function. */
bool
dbkit_is_call(Node *expr, Oid *function, List **args)
{
	if (expr != NULL && IsA(expr, FuncExpr))
	{
		*function = ((FuncExpr *) expr)->funcid;
		*args = ((FuncExpr *) expr)->args;
		return true;
	}
	if (expr != NULL && IsA(expr, OpExpr))
	{
		set_opfuncid((OpExpr *) expr);
		*function = ((OpExpr *) expr)->opfuncid;
		*args = ((OpExpr *) expr)->args;
		return true;
	}
	return false;
}

/* Return the pattern that means with backslashes what this one does with that ESCAPE, or NULL. */
static char *
escaped_pattern(char *pattern, char *escape)
{
	/* like_escape() in like.c refuses more than one character */
	if (pg_mbstrlen(escape) > 1)
		return NULL;
	return TextDatumGetCString(DirectFunctionCall2(like_escape,
												   CStringGetTextDatum(pattern),
												   CStringGetTextDatum(escape)));
}

/*
 * Return the value of a constant text expression, or NULL.
 *
 * Nothing is executed: constant folding would inline SQL functions of
 * PostgreSQL's own, such as anyelement || text, whose bodies call whatever cast
 * or output function an argument's type has.  Besides constants only what people
 * write in ids' defaults and CHECKs is known: text || text, and LIKE's ESCAPE.
 */
char *
dbkit_known_text(Node *expr)
{
	Oid			function;
	List	   *args;
	char	   *left;
	char	   *right;

	expr = dbkit_strip_lossless_casts(expr);
	if (expr != NULL && IsA(expr, Const))
	{
		const Const *constant = (const Const *) expr;

		if (constant->constisnull ||
			(constant->consttype != TEXTOID && constant->consttype != VARCHAROID))
			return NULL;
		return TextDatumGetCString(constant->constvalue);
	}
	if (!dbkit_is_call(expr, &function, &args) ||
		(function != F_TEXTCAT && function != F_LIKE_ESCAPE_TEXT_TEXT))
		return NULL;
	left = dbkit_known_text(linitial(args));
	right = dbkit_known_text(lsecond(args));
	if (left == NULL || right == NULL)
		return NULL;
	return function == F_TEXTCAT ? psprintf("%s%s", left, right) : escaped_pattern(left, right);
}

/* Return the prefix that a DEFAULT generate_id('...') names, or NULL. */
char *
dbkit_generated_prefix(Node *expr)
{
	FuncExpr   *call = (FuncExpr *) dbkit_strip_lossless_casts(expr);

	if (call == NULL || !IsA(call, FuncExpr) ||
		!dbkit_is_function(call->funcid, "generate_id"))
		return NULL;
	return dbkit_known_text(linitial(call->args));
}

/* Is the expression the column attnum, or for attnum 0 a domain's VALUE? */
static bool
is_subject(Node *expr, AttrNumber attnum)
{
	expr = dbkit_strip_lossless_casts(expr);
	if (attnum == InvalidAttrNumber)
		return IsA(expr, CoerceToDomainValue);
	return IsA(expr, Var) && ((Var *) expr)->varattno == attnum;
}

/* Return "ext" for the string ext_, else NULL. */
static char *
prefix_of_start(char *start)
{
	size_t		length = strlen(start);

	if (length < 2 || start[length - 1] != '_')
		return NULL;
	start[length - 1] = '\0';
	return start;
}

/* Return "ext" for the LIKE pattern ext_% or ext\_%, else NULL. */
static char *
prefix_of_pattern(char *pattern)
{
	char	   *end = pattern;
	const char *rest;

	/* Without the backslashes it takes no more room */
	for (rest = pattern; *rest && *rest != '%'; rest++)
	{
		if (*rest == '\\' && *++rest == '\0')
			return NULL;
		*end++ = *rest;
	}
	if (strcmp(rest, "%") != 0)
		return NULL;
	*end = '\0';
	return prefix_of_start(pattern);
}

/*
 * Return the prefix to which a CHECK expression pins an id, or NULL: one of
 * id LIKE 'ext_%', starts_with(id, 'ext_'), id ^@ 'ext_' and
 * dbkit.is_id(id, 'ext'), alone or ANDed with other conditions.
 *
 * The id is the column attnum, or the VALUE of a domain where attnum is 0.
 */
char *
dbkit_pinned_prefix(Node *expr, AttrNumber attnum)
{
	Oid			function;
	List	   *args;
	char	   *text;

	if (is_andclause(expr))
	{
		ListCell   *lc;

		foreach(lc, ((BoolExpr *) expr)->args)
		{
			char	   *prefix = dbkit_pinned_prefix(lfirst(lc), attnum);

			if (prefix != NULL)
				return prefix;
		}
		return NULL;
	}

	if (!dbkit_is_call(expr, &function, &args))
		return NULL;
	if (list_length(args) != 2 || !is_subject(linitial(args), attnum))
		return NULL;
	text = dbkit_known_text(lsecond(args));

	if (text == NULL)
		return NULL;

	switch (function)
	{
		case F_TEXTLIKE:
		case F_LIKE_TEXT_TEXT:
			return prefix_of_pattern(text);
		case F_STARTS_WITH:
			return prefix_of_start(text);
		default:
			return dbkit_is_function(function, "is_id") ? text : NULL;
	}
}

/* Is a stored expression now() itself, as almost every default of a timestamptz? */
bool
dbkit_is_now(const char *stored)
{
	static const char now[] = "{FUNCEXPR :funcid " CppAsString2(F_NOW) " ";

	return stored != NULL && strncmp(stored, now, strlen(now)) == 0;
}

/* Is the expression the current time as a timestamptz? */
bool
dbkit_is_clock(Node *expr)
{
	expr = dbkit_strip_lossless_casts(expr);
	if (expr == NULL)
		return false;
	if (IsA(expr, SQLValueFunction))
		return exprType(expr) == TIMESTAMPTZOID;
	if (!IsA(expr, FuncExpr))
		return false;
	switch (((FuncExpr *) expr)->funcid)
	{
		case F_NOW:
		case F_TRANSACTION_TIMESTAMP:
		case F_STATEMENT_TIMESTAMP:
		case F_CLOCK_TIMESTAMP:
			return true;
		default:
			return false;
	}
}

/* Does the tree call a volatile function? */
static bool
calls_volatile(Node *node, void *context)
{
	Oid			function;
	List	   *args;

	if (node == NULL)
		return false;
	if (dbkit_is_call(node, &function, &args) && dbkit_is_volatile(context, function))
		return true;
	return expression_tree_walker(node, calls_volatile, context);
}

/* Does the expression make a new UUID at each call? */
bool
dbkit_generates_uuid(const Catalogs *catalogs, Node *expr)
{
	expr = dbkit_strip_lossless_casts(expr);
	return expr != NULL && exprType(expr) == UUIDOID && calls_volatile(expr, unconstify(Catalogs *, catalogs));
}

/* Does the expression take a number from a sequence?  Says from which one, InvalidOid where it names none. */
bool
dbkit_is_nextval(Node *expr, Oid *sequence)
{
	Oid			function;
	List	   *args;
	const Const *constant;

	expr = dbkit_strip_lossless_casts(expr);
	if (!dbkit_is_call(expr, &function, &args) || function != F_NEXTVAL)
		return false;
	constant = linitial(args);
	*sequence = IsA(constant, Const) && !constant->constisnull ?
		DatumGetObjectId(constant->constvalue) : InvalidOid;
	return true;
}

/* What to look for in a policy, and what was found */
typedef struct SettingSearch
{
	bool		mirrors_guarded;
	char	   *setting;
} SettingSearch;

/* Find a call of current_setting() for a setting that sessions can set. */
static bool
find_forgeable(Node *node, void *context)
{
	SettingSearch *search = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, find_forgeable, context, 0);
	if (IsA(node, FuncExpr) &&
		(((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT ||
		 ((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT_BOOL))
	{
		char	   *name = dbkit_known_text(linitial(((FuncExpr *) node)->args));

		if (name == NULL || !(search->mirrors_guarded && dbkit_is_mirror(name)))
		{
			search->setting = name != NULL ? name : pstrdup("...");
			return true;
		}
	}
	return expression_tree_walker(node, find_forgeable, context);
}

/*
 * Return the name of a setting that a stored expression reads with
 * current_setting() and that sessions can set, or NULL.  The settings of the tenant
 * context count as such unless they are guarded.
 */
char *
dbkit_forgeable_setting(const char *stored, bool mirrors_guarded)
{
	SettingSearch search = {mirrors_guarded, NULL};

	if (stored == NULL ||
		(strstr(stored, ":funcid " CppAsString2(F_CURRENT_SETTING_TEXT) " ") == NULL &&
		 strstr(stored, ":funcid " CppAsString2(F_CURRENT_SETTING_TEXT_BOOL) " ") == NULL))
		return NULL;
	(void) find_forgeable(dbkit_stored_tree(stored), &search);
	return search.setting;
}

/* Is a stored condition, or none, one that every row passes? */
bool
dbkit_lets_all_pass(const char *stored)
{
	static const char constant[] = "{CONST ";
	const Const *value;

	if (stored == NULL)
		return true;
	if (strncmp(stored, constant, strlen(constant)) != 0)
		return false;
	value = (const Const *) dbkit_stored_tree(stored);
	return value != NULL && value->consttype == BOOLOID && !value->constisnull &&
		DatumGetBool(value->constvalue);
}

/* Collect the columns of IS NOT NULL tests under AND and OR; false if there is anything else. */
static bool
collect_not_null(Node *expr, List **columns)
{
	if (is_andclause(expr) || is_orclause(expr))
	{
		ListCell   *lc;

		foreach(lc, ((BoolExpr *) expr)->args)
		{
			if (!collect_not_null(lfirst(lc), columns))
				return false;
		}
		return true;
	}
	if (expr == NULL || !IsA(expr, NullTest) || ((NullTest *) expr)->nulltesttype != IS_NOT_NULL ||
		((NullTest *) expr)->argisrow || !IsA(((NullTest *) expr)->arg, Var))
		return false;
	*columns = list_append_unique_int(*columns, ((Var *) ((NullTest *) expr)->arg)->varattno);
	return true;
}

/*
 * Return columns of which a stored condition says only that they are not null, so
 * that every row passes in which none of them is; NIL for any other condition.
 */
List *
dbkit_not_null_columns(const char *stored)
{
	List	   *columns = NIL;

	return collect_not_null(dbkit_stored_tree(stored), &columns) ? columns : NIL;
}

/* Is it true only where the column is not null: IS NOT NULL, alone or ANDed with other conditions? */
static bool
proves_not_null(Node *expr, AttrNumber attnum)
{
	const NullTest *test = (const NullTest *) expr;
	ListCell   *lc;

	if (is_andclause(expr))
	{
		foreach(lc, ((BoolExpr *) expr)->args)
		{
			if (proves_not_null(lfirst(lc), attnum))
				return true;
		}
		return false;
	}
	return expr != NULL && IsA(expr, NullTest) && test->nulltesttype == IS_NOT_NULL && !test->argisrow &&
		IsA(test->arg, Var) && ((const Var *) test->arg)->varattno == attnum;
}

/* Does a stored CHECK, which also lets pass what is null, prove that a column is not? */
bool
dbkit_proves_not_null(const char *stored, AttrNumber attnum)
{
	return proves_not_null(dbkit_stored_tree(stored), attnum);
}

/* What is looked for in an expression: a column, other than where its type does not matter */
typedef struct Use
{
	AttrNumber	attnum;
	bool		operators;		/* in PostgreSQL's operators it does not */
} Use;

static bool uses_type(Node *node, void *context);

/* Return the operands of one of PostgreSQL's operators, or NIL for anything else. */
static List *
operands_of(Node *node)
{
	if (node != NULL && (IsA(node, OpExpr) || IsA(node, DistinctExpr)) && ((OpExpr *) node)->opno < FirstNormalObjectId)
		return ((OpExpr *) node)->args;
	if (node != NULL && IsA(node, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) node)->opno < FirstNormalObjectId)
		return ((ScalarArrayOpExpr *) node)->args;
	return NIL;
}

/* Strip what coerces an expression without a word. */
static Node *
strip_silent_casts(Node *node)
{
	while (node != NULL && (IsA(node, RelabelType) ||
							(IsA(node, FuncExpr) && ((const FuncExpr *) node)->funcformat == COERCE_IMPLICIT_CAST)))
		node = IsA(node, RelabelType) ? (Node *) ((RelabelType *) node)->arg : linitial(((FuncExpr *) node)->args);
	return node;
}

/* Is it the column itself? */
static bool
is_column(const Node *node, AttrNumber attnum)
{
	return node != NULL && IsA(node, Var) && ((const Var *) node)->varattno == attnum;
}

/* Do operands use the column in another way than as one of them, or of operators among them? */
static bool
operands_use_type(const List *operands, Use *use)
{
	ListCell   *lc;

	check_stack_depth();
	foreach(lc, operands)
	{
		Node	   *operand = strip_silent_casts(lfirst(lc));
		List	   *inner = operands_of(operand);

		if (inner != NIL ? operands_use_type(inner, use) :
			!is_column(operand, use->attnum) && uses_type(operand, use))
			return true;
	}
	return false;
}

/*
 * Does an expression use the column in a way for which its type matters?  The type of what an operator returns
 * follows from that of its operands, unless it compares them.
 */
static bool
uses_type(Node *node, void *context)
{
	Use		   *use = context;

	if (node == NULL)
		return false;
	if (IsA(node, NullTest) && is_column(strip_silent_casts((Node *) ((NullTest *) node)->arg), use->attnum))
		return false;
	if (use->operators && operands_of(node) != NIL && exprType(node) == BOOLOID)
		return operands_use_type(operands_of(node), use);
	return is_column(node, use->attnum) || expression_tree_walker(node, uses_type, context);
}

/*
 * Does one of the expressions use the column in a way for which its type matters, whose result may be of
 * another type then?  In operators it does not, if so said.
 */
bool
dbkit_uses_type(const List *expressions, AttrNumber attnum, bool operators)
{
	Use			use = {attnum, operators};
	ListCell   *lc;

	foreach(lc, expressions)
	{
		List	   *operands = operators ? operands_of(lfirst(lc)) : NIL;

		if (operands != NIL ? operands_use_type(operands, &use) : uses_type(lfirst(lc), &use))
			return true;
	}
	return false;
}

/* Is the expression a whole row of a trigger's, OLD.* or NEW.*? */
static bool
is_row(Node *expr, int varno)
{
	return IsA(expr, Var) && ((Var *) expr)->varno == varno && ((Var *) expr)->varattno == 0;
}

/*
 * Is the condition of an UPDATE trigger, or none, one that every row passes which
 * changes?  Besides constants that is OLD.* IS DISTINCT FROM NEW.*.
 */
bool
dbkit_lets_changes_pass(const char *stored)
{
	const DistinctExpr *distinct;
	Node	   *first;
	Node	   *second;

	if (dbkit_lets_all_pass(stored))
		return true;
	distinct = (const DistinctExpr *) dbkit_stored_tree(stored);
	if (distinct == NULL || !IsA(distinct, DistinctExpr))
		return false;
	first = linitial(distinct->args);
	second = lsecond(distinct->args);
	return (is_row(first, PRS2_OLD_VARNO) && is_row(second, PRS2_NEW_VARNO)) ||
		(is_row(first, PRS2_NEW_VARNO) && is_row(second, PRS2_OLD_VARNO));
}
