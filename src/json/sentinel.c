/*-------------------------------------------------------------------------
 *
 * sentinel.c
 *		The objects that stand for what JSON has no form for, and the functions
 *		that read them for indexes and CHECKs.
 *
 * These work on user's JSON, and so must not trust it: an object with the key
 * may be anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "common.h"
#include "json/iso8601.h"
#include "json/sentinel.h"

static const char *const sentinel_names[] = {
	[SENTINEL_TIMESTAMP] = "timestamp",
	[SENTINEL_DATE] = "date",
	[SENTINEL_OBJECT] = "object",
	[SENTINEL_ARRAY] = "array",
};

/* Return what the key of such an object holds. */
const char *
dbkit_sentinel_name(Sentinel sentinel)
{
	return sentinel_names[sentinel];
}

bool
dbkit_is_object(const JsonbValue *json)
{
	return json->type == jbvBinary && JsonContainerIsObject(json->val.binary.data);
}

bool
dbkit_is_array(const JsonbValue *json)
{
	return json->type == jbvBinary && JsonContainerIsArray(json->val.binary.data);
}

/* Is this the string? */
static bool
is_string(const JsonbValue *json, const char *string)
{
	return json->type == jbvString && json->val.string.len == (int) strlen(string) &&
		memcmp(json->val.string.val, string, json->val.string.len) == 0;
}

/* Find what an object has under a key. */
static bool
find_key(const JsonbValue *json, const char *key, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(json->val.binary.data, key, strlen(key), value) != NULL;
}

bool
dbkit_has_key(const JsonbValue *json, const char *key)
{
	JsonbValue	value;

	return dbkit_is_object(json) && find_key(json, key, &value);
}

/* Find what an object stands for, and the value in it; false for what only has the key, or another word under it. */
static bool
find_sentinel(const JsonbValue *json, Sentinel *sentinel, JsonbValue *value)
{
	JsonbValue	name;

	*sentinel = SENTINEL_NONE;
	if (!dbkit_is_object(json) || !find_key(json, SENTINEL_KEY, &name))
		return true;
	for (*sentinel = SENTINEL_TIMESTAMP; *sentinel <= SENTINEL_ARRAY; (*sentinel)++)
	{
		if (is_string(&name, sentinel_names[*sentinel]))
			return find_key(json, VALUE_KEY, value);
	}
	return false;
}

/* Tell what a value stands for, and give the value in it. */
Sentinel
dbkit_read_sentinel(const JsonbValue *json, JsonbValue *value)
{
	Sentinel	result;

	if (find_sentinel(json, &result, value))
		return result;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a JSON object with the key \"%s\" is not typed JSON", SENTINEL_KEY),
			 errdetail("Its value has to be \"timestamp\", \"date\", \"object\" or \"array\", and there has to be a key \"%s\".", VALUE_KEY),
			 errhint("dbkit.to_typed_json() wraps objects that have this key for other reasons.")));
}

/* Read a whole document as a value. */
void
dbkit_read_root(Jsonb *json, JsonbValue *value)
{
	if (!JB_ROOT_IS_SCALAR(json) || !JsonbExtractScalar(&json->root, value))
		JsonbToJsonbValue(json, value);
}

/* Is this a string of that form? */
static bool
is_text(const JsonbValue *json, bool (*has_form) (const char *string, int length))
{
	return json->type == jbvString && has_form(json->val.string.val, json->val.string.len);
}

/* Refuse what is no string of that form. */
static void
check_text(const JsonbValue *string, bool (*has_form) (const char *string, int length), const char *type, const char *example)
{
	if (is_text(string, has_form))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
			 string->type == jbvString ?
			 errmsg("invalid %s in JSON: \"%.*s\"", type, string->val.string.len, string->val.string.val) :
			 errmsg("a %s in JSON has to be a string", type),
			 errhint("It is written like \"%s\".", example)));
}

/* Run an input function on a text whose meaning depends on no setting. */
static Datum
read_text(const char *text, PGFunction input)
{
	return DirectFunctionCall3(input, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/*
 * Read a time.  PostgreSQL looks up letters among the abbreviations of time zones, from 18
 * on first among those of the session's, so it gets a text without T and Z.
 */
TimestampTz
dbkit_read_timestamp(const JsonbValue *string)
{
	char		text[ISO8601_SIZE];
	int			length;

	check_text(string, dbkit_is_timestamp_text, "timestamp", "2024-01-10T12:00:00+00:00");
	length = string->val.string.len;
	memcpy(text, string->val.string.val, length);
	text[length] = '\0';
	text[strlen("2024-01-10")] = ' ';
	if (text[length - 1] == 'Z')
		strcpy(text + length - 1, "+00:00");
	return DatumGetTimestampTz(read_text(text, timestamptz_in));
}

DateADT
dbkit_read_date(const JsonbValue *string)
{
	check_text(string, dbkit_is_date_text, "date", "2024-01-10");
	return DatumGetDateADT(read_text(pnstrdup(string->val.string.val, string->val.string.len), date_in));
}

/* Read what one of the functions below is asked for: the text as such, or in its object. */
static bool
read_time_argument(Jsonb *json, Sentinel wanted, JsonbValue *string)
{
	JsonbValue	root;
	Sentinel	sentinel;

	dbkit_read_root(json, &root);
	sentinel = dbkit_read_sentinel(&root, string);
	if (sentinel == SENTINEL_NONE)
		*string = root;
	else if (sentinel != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the JSON is a %s, not a %s", sentinel_names[sentinel], sentinel_names[wanted])));
	return string->type != jbvNull;
}

PG_FUNCTION_INFO_V1(dbkit_json_timestamp);

/*
 * dbkit.json_timestamp(jsonb) → timestamptz
 *
 * Read {"__sentinel": "timestamp", "value": "2024-01-10T12:00:00+00:00"}, or the text
 * alone; NULL for JSON null.  The text must have an offset and up to six digits of a
 * fraction, so that the result depends on no setting, and the function can be IMMUTABLE.
 * Errors: invalid_datetime_format, datatype_mismatch for another kind of object,
 * datetime_field_overflow for what is no day or hour.
 */
Datum
dbkit_json_timestamp(PG_FUNCTION_ARGS)
{
	JsonbValue	string;

	if (!read_time_argument(PG_GETARG_JSONB_P(0), SENTINEL_TIMESTAMP, &string))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(dbkit_read_timestamp(&string));
}

PG_FUNCTION_INFO_V1(dbkit_json_date);

/*
 * dbkit.json_date(jsonb) → date
 *
 * Read {"__sentinel": "date", "value": "2024-01-10"}, or the text alone; as above.
 */
Datum
dbkit_json_date(PG_FUNCTION_ARGS)
{
	JsonbValue	string;

	if (!read_time_argument(PG_GETARG_JSONB_P(0), SENTINEL_DATE, &string))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(dbkit_read_date(&string));
}

/* Is this a value that dbkit.to_typed_json() could have written? */
static bool
is_typed_json(const JsonbValue *json)
{
	Sentinel	sentinel;
	JsonbValue	value;
	JsonbIterator *it;
	bool		result = true;

	check_stack_depth();
	if (json->type != jbvBinary)
		return true;
	if (!find_sentinel(json, &sentinel, &value))
		return false;
	switch (sentinel)
	{
		case SENTINEL_TIMESTAMP:
			return is_text(&value, dbkit_is_timestamp_text);
		case SENTINEL_DATE:
			return is_text(&value, dbkit_is_date_text);
		case SENTINEL_OBJECT:
			return true;
		case SENTINEL_ARRAY:
			return dbkit_is_array(&value) && dbkit_has_key(json, LOWER_BOUNDS_KEY) && is_typed_json(&value);
		case SENTINEL_NONE:
			break;
	}
	it = JsonbIteratorInit(json->val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
		 token != WJB_DONE && result; token = JsonbIteratorNext(&it, &value, true))
	{
		if (token == WJB_VALUE || token == WJB_ELEM)
			result = is_typed_json(&value);
	}
	return result;
}

PG_FUNCTION_INFO_V1(dbkit_is_typed_json);

/*
 * dbkit.is_typed_json(jsonb) → boolean
 *
 * Tell whether each object with the key "__sentinel" is one that typed JSON has, with
 * a time that can be read.  Raises nothing, so that it can stand in a CHECK.
 */
Datum
dbkit_is_typed_json(PG_FUNCTION_ARGS)
{
	JsonbValue	root;

	dbkit_read_root(PG_GETARG_JSONB_P(0), &root);
	PG_RETURN_BOOL(is_typed_json(&root));
}
