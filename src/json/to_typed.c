/*-------------------------------------------------------------------------
 *
 * to_typed.c
 *		dbkit.to_typed_json(): any value as JSON from which it can be made again.
 *
 * It is what to_jsonb() makes, apart from what would be lost or mistaken there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "common.h"
#include "json/iso8601.h"
#include "json/sentinel.h"
#include "json/to_typed.h"
#include "json/typed_type.h"

static void write_value(TypedWriter *writer, TypedType *type, Datum value, bool isnull);

static void
push(TypedWriter *writer, JsonbIteratorToken token)
{
	writer->result = pushJsonbValue(&writer->state, token, NULL);
}

static void
push_key(TypedWriter *writer, const char *key)
{
	JsonbValue	json = {.type = jbvString,.val.string = {strlen(key), unconstify(char *, key)}};

	writer->result = pushJsonbValue(&writer->state, WJB_KEY, &json);
}

/* Write a value where it belongs: under a key, as an element, or as a document that is nothing else. */
static void
push_value(TypedWriter *writer, JsonbValue *json)
{
	if (writer->state == NULL && json->type != jbvBinary)
	{
		JsonbValue	array = {.type = jbvArray,.val.array = {.rawScalar = true,.nElems = 1}};

		pushJsonbValue(&writer->state, WJB_BEGIN_ARRAY, &array);
		pushJsonbValue(&writer->state, WJB_ELEM, json);
		push(writer, WJB_END_ARRAY);
	}
	else
		writer->result = pushJsonbValue(&writer->state,
										writer->state == NULL || writer->state->contVal.type == jbvArray ? WJB_ELEM : WJB_VALUE, json);
}

static void
push_string(TypedWriter *writer, const char *string)
{
	JsonbValue	json = {.type = jbvString,.val.string = {strlen(string), unconstify(char *, string)}};

	push_value(writer, &json);
}

/* Write an object that stands for something. */
static void
push_sentinel(TypedWriter *writer, Sentinel sentinel, JsonbValue *value)
{
	push(writer, WJB_BEGIN_OBJECT);
	push_key(writer, SENTINEL_KEY);
	push_string(writer, dbkit_sentinel_name(sentinel));
	push_key(writer, VALUE_KEY);
	push_value(writer, value);
	push(writer, WJB_END_OBJECT);
}

/* Write a time; the text is NULL where there is none. */
static void
write_time(TypedWriter *writer, TypedType *type, Datum value, Sentinel sentinel, const char *string)
{
	JsonbValue	json = {.type = jbvString};

	if (string == NULL && writer->any_time)
	{
		push_string(writer, dbkit_output_text(type, value));
		return;
	}
	if (string == NULL)
	{
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(type->type, &output, &varlena);
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("typed JSON cannot express the %s %s", dbkit_sentinel_name(sentinel), OidOutputFunctionCall(output, value)),
				 writer->column != NULL ? errdetail("It is the value of column \"%s\".", writer->column) : 0,
				 errhint("Typed JSON has the years 1 to 9999, as Python and JavaScript do.  Use NULL for what has no end.")));
	}
	json.val.string.val = pstrdup(string);
	json.val.string.len = strlen(string);
	push_sentinel(writer, sentinel, &json);
}

/*
 * Write a number.  NaN and the infinities are strings, as in to_jsonb(), and so is
 * the negative zero, which has no other form.
 */
static void
write_number(TypedWriter *writer, TypedType *type, Datum value)
{
	const char *string = OutputFunctionCall(&type->output, value);
	JsonbValue	json = {.type = jbvNumeric};

	if (strpbrk(string, "NnIi") != NULL || strcmp(string, "-0") == 0)
		push_string(writer, string);
	else
	{
		json.val.numeric = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(string),
															   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
		push_value(writer, &json);
	}
}

/* Could an object in the JSON have the key of ours?  The bytes of all keys are in it. */
static bool
may_mention_sentinel(const JsonbValue *json)
{
	return memmem(json->val.binary.data, json->val.binary.len, SENTINEL_KEY, strlen(SENTINEL_KEY)) != NULL;
}

/* Write JSON of the user, with what could be taken for ours wrapped. */
static void
write_json(TypedWriter *writer, JsonbValue *json)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	part;

	check_stack_depth();
	if (json->type != jbvBinary || !may_mention_sentinel(json))
		push_value(writer, json);
	else if (dbkit_has_key(json, SENTINEL_KEY))
		push_sentinel(writer, SENTINEL_OBJECT, json);
	else
	{
		it = JsonbIteratorInit(json->val.binary.data);
		while ((token = JsonbIteratorNext(&it, &part, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				writer->result = pushJsonbValue(&writer->state, WJB_KEY, &part);
			else if (token == WJB_VALUE || token == WJB_ELEM)
				write_json(writer, &part);
			else
				push(writer, token);
		}
	}
}

/*
 * Write a value of type json or jsonb.  Its null is not NULL, and an array in an array
 * of SQL is not a dimension of it.
 */
static void
write_document(TypedWriter *writer, TypedType *type, Datum value)
{
	bool		in_array = writer->state != NULL && writer->state->contVal.type == jbvArray;
	JsonbValue	root;

	if (type->type == JSONOID)
		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(OutputFunctionCall(&type->output, value)));
	dbkit_read_root(DatumGetJsonbP(value), &root);
	if (root.type == jbvNull || (in_array && dbkit_is_array(&root)))
		push_sentinel(writer, SENTINEL_OBJECT, &root);
	else
		write_json(writer, &root);
}

/* Write one dimension of an array and those below it; "at" is the next element. */
static void
write_dimension(TypedWriter *writer, TypedType *element, const int *sizes, int dimensions,
				const Datum *values, const bool *isnull, int *at)
{
	push(writer, WJB_BEGIN_ARRAY);
	for (int i = 0; i < sizes[0]; i++)
	{
		if (dimensions > 1)
			write_dimension(writer, element, sizes + 1, dimensions - 1, values, isnull, at);
		else
		{
			write_value(writer, element, values[*at], isnull[*at]);
			(*at)++;
		}
	}
	push(writer, WJB_END_ARRAY);
}

/* Do the subscripts begin at 1? */
static bool
has_usual_bounds(const ArrayType *array)
{
	for (int i = 0; i < ARR_NDIM(array); i++)
	{
		if (ARR_LBOUND(array)[i] != 1)
			return false;
	}
	return true;
}

/* Write an array: arrays in arrays, one for each dimension. */
static void
write_array_elements(TypedWriter *writer, TypedType *type, ArrayType *array)
{
	static const int empty = 0;
	Datum	   *values;
	bool	   *isnull;
	int			count;
	int			at = 0;

	deconstruct_array(array, ARR_ELEMTYPE(array), type->length, type->by_value, type->alignment,
					  &values, &isnull, &count);
	write_dimension(writer, type->element, ARR_NDIM(array) > 0 ? ARR_DIMS(array) : &empty,
					ARR_NDIM(array), values, isnull, &at);
}

static void
write_array(TypedWriter *writer, TypedType *type, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);

	/* As an element, by a domain, it could be taken for a dimension */
	bool		in_array = writer->state != NULL && writer->state->contVal.type == jbvArray;

	if (has_usual_bounds(array) && !in_array)
	{
		write_array_elements(writer, type, array);
		return;
	}
	push(writer, WJB_BEGIN_OBJECT);
	push_key(writer, SENTINEL_KEY);
	push_string(writer, dbkit_sentinel_name(SENTINEL_ARRAY));
	push_key(writer, VALUE_KEY);
	write_array_elements(writer, type, array);
	push_key(writer, LOWER_BOUNDS_KEY);
	push(writer, WJB_BEGIN_ARRAY);
	for (int i = 0; i < ARR_NDIM(array); i++)
	{
		JsonbValue	bound = {.type = jbvNumeric,.val.numeric = int64_to_numeric(ARR_LBOUND(array)[i])};

		push_value(writer, &bound);
	}
	push(writer, WJB_END_ARRAY);
	push(writer, WJB_END_OBJECT);
}

/* Write the columns of a row as an object.  Another row may have other columns, so names are copied. */
static void
write_columns(TypedWriter *writer, TypedType *type, HeapTupleHeader row)
{
	const char *outer = writer->column;
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row),.t_data = row};

	push(writer, WJB_BEGIN_OBJECT);
	for (int i = 0; i < type->columns->natts; i++)
	{
		Datum		value;
		bool		isnull;

		if (type->column_types[i] == NULL)
			continue;
		writer->column = pstrdup(NameStr(TupleDescAttr(type->columns, i)->attname));
		push_key(writer, writer->column);
		value = heap_getattr(&tuple, i + 1, type->columns, &isnull);
		write_value(writer, type->column_types[i], value, isnull);
	}
	push(writer, WJB_END_OBJECT);
	writer->column = outer;
}

/* Has one of the columns the name of our key? */
static bool
has_sentinel_column(const TypedType *type)
{
	for (int i = 0; i < type->columns->natts; i++)
	{
		if (type->column_types[i] != NULL && namestrcmp(&TupleDescAttr(type->columns, i)->attname, SENTINEL_KEY) == 0)
			return true;
	}
	return false;
}

static void
write_composite(TypedWriter *writer, TypedType *type, Datum value)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(value);

	dbkit_load_columns(type, HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	if (!has_sentinel_column(type))
	{
		write_columns(writer, type, row);
		return;
	}
	push(writer, WJB_BEGIN_OBJECT);
	push_key(writer, SENTINEL_KEY);
	push_string(writer, dbkit_sentinel_name(SENTINEL_OBJECT));
	push_key(writer, VALUE_KEY);
	write_columns(writer, type, row);
	push(writer, WJB_END_OBJECT);
}

/* Write a value of any type. */
static void
write_value(TypedWriter *writer, TypedType *type, Datum value, bool isnull)
{
	JsonbValue	json = {.type = jbvNull};
	char		buffer[ISO8601_SIZE];

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (isnull)
	{
		push_value(writer, &json);
		return;
	}
	switch (type->kind)
	{
		case TYPED_TEXT:
			push_string(writer, dbkit_output_text(type, value));
			break;
		case TYPED_BOOLEAN:
			json.type = jbvBool;
			json.val.boolean = DatumGetBool(value);
			push_value(writer, &json);
			break;
		case TYPED_NUMBER:
			write_number(writer, type, value);
			break;
		case TYPED_TIMESTAMP:
			write_time(writer, type, value, SENTINEL_TIMESTAMP, dbkit_write_timestamp(DatumGetTimestampTz(value), buffer));
			break;
		case TYPED_DATE:
			write_time(writer, type, value, SENTINEL_DATE, dbkit_write_date(DatumGetDateADT(value), buffer));
			break;
		case TYPED_JSON:
			write_document(writer, type, value);
			break;
		case TYPED_ARRAY:
			write_array(writer, type, value);
			break;
		case TYPED_COMPOSITE:
			write_composite(writer, type, value);
			break;
	}
}

/* Begin an object or array, whose values follow one by one. */
void
dbkit_begin_typed(TypedWriter *writer, JsonbIteratorToken token)
{
	writer->state = NULL;
	push(writer, token);
}

/* Write the next element of an array, or the value of a key. */
void
dbkit_write_typed(TypedWriter *writer, const char *key, TypedType *type, Datum value, bool isnull)
{
	if (key != NULL)
		push_key(writer, key);
	write_value(writer, type, value, isnull);
}

/* Write a key whose value is not to be known. */
void
dbkit_write_masked(TypedWriter *writer, const char *key)
{
	push_key(writer, key);
	push(writer, WJB_BEGIN_OBJECT);
	push_key(writer, SENTINEL_KEY);
	push_string(writer, MASKED_NAME);
	push(writer, WJB_END_OBJECT);
}

/* End what was begun. */
Jsonb *
dbkit_end_typed(TypedWriter *writer, JsonbIteratorToken token)
{
	push(writer, token);
	return JsonbValueToJsonb(writer->result);
}

PG_FUNCTION_INFO_V1(dbkit_to_typed_json);

/*
 * dbkit.to_typed_json(anyelement) → jsonb
 *
 * Write a value as JSON that dbkit.from_typed_json() reads back without a loss: as
 * to_jsonb() does, but a timestamptz and a date become objects that say so, and objects
 * that could be taken for such ones are wrapped.  Types with a cast to json are strings.
 * Errors: datetime_field_overflow for infinity and years before 1 or after 9999,
 * indeterminate_datatype for a bare NULL or string.
 */
Datum
dbkit_to_typed_json(PG_FUNCTION_ARGS)
{
	TypedWriter writer = {NULL};
	TypedType  *type = dbkit_typed_argument(fcinfo, 0);
	int			level = dbkit_use_fixed_settings();

	write_value(&writer, type, PG_GETARG_DATUM(0), false);
	if (level > 0)
		AtEOXact_GUC(true, level);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(writer.result));
}
