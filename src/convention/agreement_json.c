/*-------------------------------------------------------------------------
 *
 * agreement_json.c
 *		Read and build the JSON of the agreement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common.h"
#include "convention/agreement_json.h"

/* Return the value of an object's key; false where there is none. */
bool
dbkit_json_value(Jsonb *object, const char *key, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(&object->root, key, strlen(key), value) != NULL;
}

/* Return the object that an object's key holds, or NULL. */
Jsonb *
dbkit_json_object(Jsonb *object, const char *key)
{
	JsonbValue	value;

	if (object == NULL || !dbkit_json_value(object, key, &value) ||
		value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
		return NULL;
	return JsonbValueToJsonb(&value);
}

/* Return a copy of a string value. */
char *
dbkit_json_string(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Add a string to the JSON that is being built. */
void
dbkit_push_string(JsonbParseState **state, JsonbIteratorToken token, const char *string)
{
	JsonbValue	value = {.type = jbvString};

	value.val.string.val = unconstify(char *, string);
	value.val.string.len = strlen(string);
	(void) pushJsonbValue(state, token, &value);
}

/* Return JSON as jsonb. */
Jsonb *
dbkit_make_json(const char *text)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
}

/* Add the pairs of a patch to an object that is being built, without those that are null. */
static void
push_patch(JsonbParseState **state, Jsonb *target, Jsonb *patch)
{
	JsonbIterator *it = JsonbIteratorInit(&patch->root);
	JsonbValue	key;
	JsonbValue	value;

	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &key, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &key, true))
	{
		Jsonb	   *merged;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		if (value.type == jbvNull)
			continue;
		if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
		{
			merged = dbkit_merge_json(dbkit_json_object(target, dbkit_json_string(&key)),
									  JsonbValueToJsonb(&value));
			JsonbToJsonbValue(merged, &value);
		}
		(void) pushJsonbValue(state, WJB_KEY, &key);
		(void) pushJsonbValue(state, WJB_VALUE, &value);
	}
}

/* Add the pairs of an object of which the patch says nothing. */
static void
push_rest(JsonbParseState **state, Jsonb *target, Jsonb *patch)
{
	JsonbIterator *it = JsonbIteratorInit(&target->root);
	JsonbValue	key;
	JsonbValue	value;
	JsonbValue	changed;

	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &key, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &key, true))
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		if (getKeyJsonValueFromContainer(&patch->root, key.val.string.val, key.val.string.len, &changed) != NULL)
			continue;
		(void) pushJsonbValue(state, WJB_KEY, &key);
		(void) pushJsonbValue(state, WJB_VALUE, &value);
	}
}

/*
 * Merge a patch into an object, NULL for an empty one, and return the result: objects are
 * merged, all else is replaced, and null removes (RFC 7396, JSON Merge Patch).
 */
Jsonb *
dbkit_merge_json(Jsonb *target, Jsonb *patch)
{
	JsonbParseState *state = NULL;

	check_stack_depth();
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (target != NULL)
		push_rest(&state, target, patch);
	push_patch(&state, target, patch);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}
