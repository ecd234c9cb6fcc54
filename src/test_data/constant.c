/*-------------------------------------------------------------------------
 *
 * constant.c
 *		The values of constants that CHECKs, defaults and bounds compare with.
 *
 * They are read, never computed: of an expression only its casts are stripped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "common.h"
#include "convention/facts/expression.h"
#include "test_data/constant.h"

/* Is the expression a cast by a function?  To count what is true is not. */
static bool
is_cast(Node *expr)
{
	const FuncExpr *call = (const FuncExpr *) expr;

	return IsA(expr, FuncExpr) && call->funcid != F_INT4_BOOL &&
		(call->funcformat == COERCE_EXPLICIT_CAST || call->funcformat == COERCE_IMPLICIT_CAST);
}

/* Strip what hardly changes a value: also casts to another type. */
Node *
dbkit_strip_casts(Node *expr)
{
	for (;;)
	{
		expr = dbkit_strip_lossless_casts(expr);
		if (expr == NULL)
			return NULL;
		if (IsA(expr, CoerceViaIO))
			expr = (Node *) ((CoerceViaIO *) expr)->arg;
		else if (IsA(expr, ArrayCoerceExpr))
			expr = (Node *) ((ArrayCoerceExpr *) expr)->arg;
		else if (is_cast(expr))
			expr = linitial(((FuncExpr *) expr)->args);
		else
			return expr;
	}
}

/* Is a function PostgreSQL's own code?  So are those of citext, under other names. */
static bool
is_internal(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		result = HeapTupleIsValid(tuple) && ((Form_pg_proc) GETSTRUCT(tuple))->prolang == INTERNALlanguageId;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* Write the value of a constant as its type does, where no strangers' code is asked. */
static char *
write_datum(Oid type, Datum value)
{
	Oid			function;
	bool		varlena;

	getTypeOutputInfo(type, &function, &varlena);
	return is_internal(function) ? OidOutputFunctionCall(function, value) : NULL;
}

/* Return the value of a constant as text; NULL for null and for what is none. */
char *
dbkit_constant_text(Node *expr)
{
	const Const *constant;

	expr = dbkit_strip_casts(expr);
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
char *
dbkit_compared_text(Node *expr)
{
	return is_clock(dbkit_strip_casts(expr)) ? pstrdup("now") : dbkit_constant_text(expr);
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
			return end != text && *end == '\0';

		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			*number = number_of_time(type, text);
			return true;
		default:
			return false;
	}
}

/* Return the texts of a list's constants; NIL where one of them is not known. */
List *
dbkit_list_texts(Node *expr)
{
	List	   *result = NIL;
	ListCell   *lc;

	expr = dbkit_strip_casts(expr);
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
