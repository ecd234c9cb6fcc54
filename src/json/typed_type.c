/*-------------------------------------------------------------------------
 *
 * typed_type.c
 *		What a type looks like as typed JSON.  It is found out once for each call
 *		in a statement, not once for each row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#include "common.h"
#include "json/typed_type.h"

/* The types that are no strings */
static const struct
{
	Oid			type;
	TypedKind	kind;
}			known_types[] =

{
	{BOOLOID, TYPED_BOOLEAN},
	{INT2OID, TYPED_NUMBER},
	{INT4OID, TYPED_NUMBER},
	{INT8OID, TYPED_NUMBER},
	{FLOAT4OID, TYPED_NUMBER},
	{FLOAT8OID, TYPED_NUMBER},
	{NUMERICOID, TYPED_NUMBER},
	{TIMESTAMPTZOID, TYPED_TIMESTAMP},
	{DATEOID, TYPED_DATE},
	{JSONOID, TYPED_JSON},
	{JSONBOID, TYPED_JSON},
};

/*
 * Tell the kind of a type that is no domain.  int2vector and oidvector, which have
 * subscripts from 0, are strings.
 */
static TypedKind
kind_of(Oid type)
{
	for (int i = 0; i < (int) lengthof(known_types); i++)
	{
		if (known_types[i].type == type)
			return known_types[i].kind;
	}
	if (type_is_rowtype(type))
		return TYPED_COMPOSITE;
	if (OidIsValid(get_element_type(type)) && type != INT2VECTOROID && type != OIDVECTOROID)
		return TYPED_ARRAY;
	return TYPED_TEXT;
}

/* Does the type show names of objects, which the search path shortens? */
static bool
names_object(Oid type)
{
	switch (type)
	{
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCLASSOID:
		case REGTYPEOID:
		case REGCOLLATIONOID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
			return true;
		default:
			return false;
	}
}

/* Describe a type.  The description is kept in the context. */
TypedType *
dbkit_typed_type(Oid type, MemoryContext context)
{
	TypedType  *result = MemoryContextAllocZero(context, sizeof(TypedType));
	Oid			function;
	bool		varlena;

	check_stack_depth();
	result->typmod = -1;
	result->type = getBaseTypeAndTypmod(type, &result->typmod);
	result->domain = result->type != type ? type : InvalidOid;
	result->kind = kind_of(result->type);
	result->context = context;
	if (result->kind == TYPED_ARRAY)
	{
		Oid			element = get_element_type(result->type);

		get_typlenbyvalalign(element, &result->length, &result->by_value, &result->alignment);
		result->element = dbkit_typed_type(element, context);
	}
	else if (result->kind != TYPED_COMPOSITE)
	{
		result->names_object = names_object(result->type);
		getTypeOutputInfo(result->type, &function, &varlena);
		fmgr_info_cxt(function, &result->output, context);
	}
	return result;
}

/*
 * Bring the columns of a composite type up to date: of the type itself, or for
 * "record" of the row's.
 */
void
dbkit_load_columns(TypedType *type, Oid row_type, int32 row_typmod)
{
	uint64		version = assign_record_type_identifier(row_type, row_typmod);
	TupleDesc	columns;
	MemoryContext old;

	if (type->columns != NULL && type->version == version)
		return;
	if (type->columns_context != NULL)
		MemoryContextDelete(type->columns_context);
	type->columns = NULL;
	type->columns_context = AllocSetContextCreate(type->context, "dbkit typed JSON columns", ALLOCSET_SMALL_SIZES);
	columns = lookup_rowtype_tupdesc(row_type, row_typmod);
	old = MemoryContextSwitchTo(type->columns_context);
	/* With what columns have in rows that are older than they */
	type->columns = CreateTupleDescCopyConstr(columns);
	type->column_types = palloc0(columns->natts * sizeof(TypedType *));
	MemoryContextSwitchTo(old);
	ReleaseTupleDesc(columns);
	for (int i = 0; i < type->columns->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(type->columns, i);

		if (!column->attisdropped)
			type->column_types[i] = dbkit_typed_type(column->atttypid, type->columns_context);
	}
	type->version = version;
}

/* Describe the type of an argument, which the same call site always has. */
TypedType *
dbkit_typed_argument(FunctionCallInfo fcinfo, int argument)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, argument);

	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_DATATYPE),
				 errmsg("could not determine the type of the argument")));
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = dbkit_typed_type(type, fcinfo->flinfo->fn_mcxt);
	return fcinfo->flinfo->fn_extra;
}

/*
 * Set what output functions go by to what input functions can read in each session, as
 * pg_dump and postgres_fdw do.  Returns a level for AtEOXact_GUC(), or 0.
 */
int
dbkit_use_fixed_settings(void)
{
	const struct
	{
		bool		differs;
		const char *name;
		const char *value;
	}			settings[] =
	{
		{DateStyle != USE_ISO_DATES, "datestyle", "ISO"},
		{IntervalStyle != INTSTYLE_POSTGRES, "intervalstyle", "postgres"},
		{extra_float_digits < 1, "extra_float_digits", "1"},
	};
	int			level = 0;

	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		if (!settings[i].differs)
			continue;
		if (level == 0)
			level = NewGUCNestLevel();
		(void) set_config_option(settings[i].name, settings[i].value, PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	return level;
}

/* Return what a type's output function makes of a value, with names of objects qualified. */
char *
dbkit_output_text(TypedType *type, Datum value)
{
	char	   *result;
	int			level;

	if (!type->names_object)
		return OutputFunctionCall(&type->output, value);
	level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	result = OutputFunctionCall(&type->output, value);
	AtEOXact_GUC(true, level);
	return result;
}
