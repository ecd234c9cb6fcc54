/*-------------------------------------------------------------------------
 *
 * from_typed.c
 *		dbkit.from_typed_json(): the value that typed JSON was made of.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common.h"
#include "json/from_typed.h"
#include "json/sentinel.h"
#include "json/typed_type.h"

static Datum read_value(TypedType *type, JsonbValue *json, int32 typmod, Datum sample, bool *isnull);

pg_noreturn static void refuse(const TypedType *type, const char *expected);

/* Refuse JSON from which a value of the type cannot be made. */
static void
refuse(const TypedType *type, const char *expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("the JSON is no value of type %s", format_type_be(type->type)),
			 errdetail("It has to be %s.", expected)));
}

/* Return the text of a scalar. */
static char *
scalar_text(const TypedType *type, const JsonbValue *json)
{
	switch (json->type)
	{
		case jbvString:
			return pnstrdup(json->val.string.val, json->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));
		case jbvBool:
			return pstrdup(json->val.boolean ? "true" : "false");
		default:
			refuse(type, "a string, a number or a boolean");
	}
}

/* Have the type's input function read a scalar. */
static Datum
read_text(TypedType *type, const JsonbValue *json, int32 typmod)
{
	if (!OidIsValid(type->input.fn_oid))
	{
		Oid			function;

		getTypeInputInfo(type->type, &function, &type->input_parameter);
		fmgr_info_cxt(function, &type->input, type->context);
	}
	return InputFunctionCall(&type->input, scalar_text(type, json), type->input_parameter, typmod);
}

/* Read a time from its object, or as to_jsonb() writes it. */
static Datum
read_time(TypedType *type, const JsonbValue *json, int32 typmod)
{
	Sentinel	wanted = type->kind == TYPED_DATE ? SENTINEL_DATE : SENTINEL_TIMESTAMP;
	JsonbValue	string;
	Sentinel	sentinel = dbkit_read_sentinel(json, &string);

	if (sentinel == SENTINEL_NONE)
		return read_text(type, json, typmod);
	if (sentinel != wanted)
		refuse(type, type->kind == TYPED_DATE ? "a date" : "a timestamp");
	if (sentinel == SENTINEL_DATE)
		return DateADTGetDatum(dbkit_read_date(&string));
	return DirectFunctionCall2(timestamptz_scale, TimestampTzGetDatum(dbkit_read_timestamp(&string)), Int32GetDatum(typmod));
}

/* Write JSON of the user without what it was wrapped in. */
static JsonbValue *
unwrap(JsonbParseState **state, JsonbIteratorToken place, JsonbValue *json)
{
	JsonbValue	value;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue *result = NULL;

	check_stack_depth();
	if (dbkit_read_sentinel(json, &value) == SENTINEL_OBJECT)
		return pushJsonbValue(state, place, &value);
	if (json->type != jbvBinary)
		return pushJsonbValue(state, place, json);
	it = JsonbIteratorInit(json->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_VALUE || token == WJB_ELEM)
			result = unwrap(state, token, &value);
		else
			result = pushJsonbValue(state, token, token == WJB_KEY ? &value : NULL);
	}
	return result;
}

/* Read a value of type json or jsonb. */
static Datum
read_document(const TypedType *type, JsonbValue *json)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;
	Jsonb	   *document;

	if (dbkit_read_sentinel(json, &value) == SENTINEL_OBJECT)
		json = &value;
	else if (json->type == jbvBinary)
		json = unwrap(&state, WJB_ELEM, json);
	document = JsonbValueToJsonb(json);
	if (type->type == JSONBOID)
		return JsonbPGetDatum(document);
	return CStringGetTextDatum(JsonbToCString(NULL, &document->root, VARSIZE(document)));
}

/* Return the type as it was declared: the domain, if it is one. */
static Oid
declared_type(const TypedType *type)
{
	return OidIsValid(type->domain) ? type->domain : type->type;
}

/* An array that is being read */
typedef struct Elements
{
	TypedType  *type;			/* of the array */
	int32		typmod;
	int			dimensions;
	int			sizes[MAXDIM];
	ArrayBuildState *state;
} Elements;

/* Read one dimension and those below it. */
static void
read_dimension(Elements *elements, const JsonbValue *json, int dimension)
{
	JsonbIterator *it = JsonbIteratorInit(json->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	part;
	int			size = JsonContainerSize(json->val.binary.data);

	if (dimension >= elements->dimensions)
	{
		if (elements->state != NULL || dimension >= MAXDIM)
			refuse(elements->type, "an array, or arrays of one depth in it");
		elements->dimensions = dimension + 1;
		elements->sizes[dimension] = size;
	}
	else if (elements->sizes[dimension] != size)
		refuse(elements->type, "an array, in which arrays side by side have as many elements");
	while ((token = JsonbIteratorNext(&it, &part, true)) != WJB_DONE)
	{
		bool		isnull;
		Datum		value;

		if (token != WJB_ELEM)
			continue;
		if (dbkit_is_array(&part))
		{
			read_dimension(elements, &part, dimension + 1);
			continue;
		}
		if (dimension + 1 < elements->dimensions)
			refuse(elements->type, "an array, or arrays of one depth in it");
		value = read_value(elements->type->element, &part, elements->typmod, (Datum) 0, &isnull);
		elements->state = accumArrayResult(elements->state, value, isnull, declared_type(elements->type->element), CurrentMemoryContext);
	}
}

/* Read the subscripts at which an array begins. */
static void
read_lower_bounds(const Elements *elements, const JsonbValue *json, int *bounds)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	list;
	JsonbValue	bound;
	int			count = 0;

	if (getKeyJsonValueFromContainer(json->val.binary.data, LOWER_BOUNDS_KEY, strlen(LOWER_BOUNDS_KEY), &list) == NULL ||
		!dbkit_is_array(&list))
		refuse(elements->type, "an array with its " LOWER_BOUNDS_KEY);
	it = JsonbIteratorInit(list.val.binary.data);
	while ((token = JsonbIteratorNext(&it, &bound, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		if (bound.type != jbvNumeric || count == elements->dimensions)
			refuse(elements->type, "an array with a number for each of its dimensions in " LOWER_BOUNDS_KEY);
		bounds[count++] = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(bound.val.numeric)));
	}
	if (count != elements->dimensions)
		refuse(elements->type, "an array with a number for each of its dimensions in " LOWER_BOUNDS_KEY);
}

static Datum
read_array(TypedType *type, JsonbValue *json, int32 typmod)
{
	Elements	elements = {.type = type,.typmod = typmod};
	JsonbValue	value;
	bool		has_bounds = dbkit_read_sentinel(json, &value) == SENTINEL_ARRAY;
	const JsonbValue *array = has_bounds ? &value : json;
	int			bounds[MAXDIM];

	if (!dbkit_is_array(array))
		refuse(type, "an array");
	if (JsonContainerSize(array->val.binary.data) > 0)
		read_dimension(&elements, array, 0);
	for (int i = 0; i < MAXDIM; i++)
		bounds[i] = 1;
	if (has_bounds)
		read_lower_bounds(&elements, json, bounds);
	if (elements.state == NULL)
		return PointerGetDatum(construct_empty_array(declared_type(type->element)));
	return makeMdArrayResult(elements.state, elements.dimensions, elements.sizes, bounds, CurrentMemoryContext, true);
}

/* Take a column that the JSON does not have from the sample. */
static Datum
sample_column(const TypedType *type, Datum sample, int column, bool *isnull)
{
	HeapTupleHeader row = (HeapTupleHeader) DatumGetPointer(sample);
	HeapTupleData tuple;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	return heap_getattr(&tuple, column + 1, type->columns, isnull);
}

/* Read a row from an object.  Keys that are no columns are passed over, as in jsonb_populate_record(). */
static Datum
read_composite(TypedType *type, JsonbValue *json, Datum sample)
{
	HeapTupleHeader row = (HeapTupleHeader) DatumGetPointer(sample);
	JsonbValue	nothing = {.type = jbvNull};
	JsonbValue	value;
	Datum	   *values;
	bool	   *isnull;
	int			count;

	if (dbkit_read_sentinel(json, &value) == SENTINEL_OBJECT)
		json = &value;
	if (!dbkit_is_object(json))
		refuse(type, "an object");
	if (row == NULL && type->type == RECORDOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("a row of type record has no columns to read from JSON"),
				 errhint("Give a sample of the type that the row has: NULL::my_table.")));
	dbkit_load_columns(type, row != NULL ? HeapTupleHeaderGetTypeId(row) : type->type,
					   row != NULL ? HeapTupleHeaderGetTypMod(row) : -1);
	count = type->columns->natts;
	values = palloc0(count * sizeof(Datum));
	isnull = palloc(count * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		Form_pg_attribute column = TupleDescAttr(type->columns, i);
		const char *name = NameStr(column->attname);
		JsonbValue	part;

		isnull[i] = true;
		if (type->column_types[i] == NULL)
			continue;
		if (getKeyJsonValueFromContainer(json->val.binary.data, name, strlen(name), &part) != NULL)
			values[i] = read_value(type->column_types[i], &part, column->atttypmod, (Datum) 0, &isnull[i]);
		else if (row != NULL)
			values[i] = sample_column(type, sample, i, &isnull[i]);
		else
			values[i] = read_value(type->column_types[i], &nothing, column->atttypmod, (Datum) 0, &isnull[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(type->columns, values, isnull));
}

/* Read a value of the type below all domains. */
static Datum
read_base(TypedType *type, JsonbValue *json, int32 typmod, Datum sample)
{
	switch (type->kind)
	{
		case TYPED_TIMESTAMP:
		case TYPED_DATE:
			return read_time(type, json, typmod);
		case TYPED_JSON:
			return read_document(type, json);
		case TYPED_ARRAY:
			return read_array(type, json, typmod);
		case TYPED_COMPOSITE:
			return read_composite(type, json, sample);
		default:
			return read_text(type, json, typmod);
	}
}

/* Read a value of any type, which may be a domain. */
static Datum
read_value(TypedType *type, JsonbValue *json, int32 typmod, Datum sample, bool *isnull)
{
	Datum		result = (Datum) 0;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	*isnull = json->type == jbvNull;
	if (!*isnull)
		result = read_base(type, json, typmod >= 0 ? typmod : type->typmod, sample);
	if (OidIsValid(type->domain))
		domain_check(result, *isnull, type->domain, &type->domain_check, type->context);
	return result;
}

/* Read the value of one column. */
Datum
dbkit_read_typed(TypedType *type, JsonbValue *json, int32 typmod, bool *isnull)
{
	return read_value(type, json, typmod, (Datum) 0, isnull);
}

PG_FUNCTION_INFO_V1(dbkit_from_typed_json);

/*
 * dbkit.from_typed_json(sample anyelement, json jsonb) → anyelement
 *
 * Read what dbkit.to_typed_json() wrote.  The sample gives the type, and as in
 * jsonb_populate_record() the columns that the JSON does not have; NULL::my_table is the
 * usual one.  Also reads what to_jsonb() writes.  Errors: datatype_mismatch where the JSON
 * has another form than the type, those of the types' input functions and of domains.
 */
Datum
dbkit_from_typed_json(PG_FUNCTION_ARGS)
{
	TypedType  *type = dbkit_typed_argument(fcinfo, 0);
	Datum		sample = PG_ARGISNULL(0) || type->kind != TYPED_COMPOSITE ? (Datum) 0 :
	PointerGetDatum(PG_GETARG_HEAPTUPLEHEADER(0));
	JsonbValue	root = {.type = jbvNull};
	Datum		result;
	bool		isnull;
	int			level;

	if (!PG_ARGISNULL(1))
		dbkit_read_root(PG_GETARG_JSONB_P(1), &root);
	level = dbkit_use_fixed_settings();
	result = read_value(type, &root, -1, sample, &isnull);
	if (level > 0)
		AtEOXact_GUC(true, level);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(result);
}
