/*-------------------------------------------------------------------------
 *
 * exempt.c
 *		Make exemptions, take them back, and find those that are of no use:
 *		dbkit.exempt(), unexempt(), exemption and stale_exemptions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/agree.h"
#include "convention/agreement.h"
#include "convention/agreement_json.h"
#include "convention/check.h"
#include "convention/exempt.h"
#include "convention/exemption.h"
#include "convention/rules/rules.h"

/* Return a text argument that must not be null. */
static char *
required_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void
check_rule(const char *rule)
{
	dbkit_refresh_agreement();
	if (strcmp(rule, "*") == 0 || dbkit_find_rule(rule) != NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized rule: \"%s\"", rule),
			 errhint("The view dbkit.rules lists them; \"*\" stands for all.")));
}

static void
check_reason(const char *reason)
{
	if (strspn(reason, " \t\r\n") == strlen(reason))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("reason must not be empty")));
}

static void
check_object(const char *object)
{
	if (dbkit_is_malformed_pattern(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_ESCAPE_SEQUENCE),
				 errmsg("object must not end with a single backslash")));
	if (!dbkit_any_object_is_like(object))
		ereport(NOTICE,
				(errmsg("no table, view, type or function is named \"%s\"", object),
				 errhint("The name is schema.name; with %% in it, it is a LIKE pattern.")));
}

/* Return a time as JSON has it, or NULL for never. */
static char *
end_text(TimestampTz end)
{
	char		buffer[MAXDATELEN + 1];

	if (TIMESTAMP_NOT_FINITE(end))
		return NULL;
	return pstrdup(JsonEncodeDateTime(buffer, TimestampTzGetDatum(end), TIMESTAMPTZOID, NULL));
}

/* Return the time when an exemption ends, likewise. */
static char *
end_argument(FunctionCallInfo fcinfo, int n)
{
	if (PG_ARGISNULL(n))
		return NULL;
	if (PG_GETARG_TIMESTAMPTZ(n) <= GetCurrentTransactionStartTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_at must be in the future")));
	return end_text(PG_GETARG_TIMESTAMPTZ(n));
}

/* Is it the exemption of that object, or for NULL of any, from that rule? */
static bool
is_exemption_of(const JsonbValue *value, const char *object, const char *rule)
{
	Jsonb	   *json;
	JsonbValue	member;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return false;
	json = JsonbValueToJsonb(unconstify(JsonbValue *, value));
	return dbkit_json_value(json, "object", &member) && member.type == jbvString &&
		(object == NULL || strcmp(dbkit_json_string(&member), object) == 0) &&
		dbkit_json_value(json, "rule", &member) && member.type == jbvString &&
		strcmp(dbkit_json_string(&member), rule) == 0;
}

static void
push_pair(JsonbParseState **state, const char *key, const char *value)
{
	if (value == NULL)
		return;
	dbkit_push_string(state, WJB_KEY, key);
	dbkit_push_string(state, WJB_VALUE, value);
}

/* Add the exemptions of an agreement but those of an object, or of any, from a rule; return whether there was one. */
static bool
push_others(JsonbParseState **state, Jsonb *agreement, const char *object, const char *rule)
{
	JsonbValue	exemptions;
	JsonbValue	value;
	JsonbIterator *it;
	bool		found = false;

	if (!dbkit_json_value(agreement, "exemptions", &exemptions) ||
		exemptions.type != jbvBinary || !JsonContainerIsArray(exemptions.val.binary.data))
		return false;
	it = JsonbIteratorInit(exemptions.val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &value, true))
	{
		if (token != WJB_ELEM)
			continue;
		if (is_exemption_of(&value, object, rule))
			found = true;
		else
			(void) pushJsonbValue(state, WJB_ELEM, &value);
	}
	return found;
}

/* Add an exemption; "end" may be NULL. */
static void
push_exemption(JsonbParseState **state, const char *object, const char *rule, const char *reason, const char *end)
{
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "object", object);
	push_pair(state, "rule", rule);
	push_pair(state, "reason", reason);
	push_pair(state, "expires_at", end);
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Begin a patch that replaces the exemptions. */
static void
begin_exemptions(JsonbParseState **state)
{
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(state, WJB_KEY, "exemptions");
	(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
}

/* End it, and return the agreement with it. */
static Jsonb *
end_exemptions(JsonbParseState **state, Jsonb *agreement)
{
	(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
	return dbkit_merge_json(agreement, JsonbValueToJsonb(pushJsonbValue(state, WJB_END_OBJECT, NULL)));
}

/* Return an agreement in which an exemption is of an object of another name. */
Jsonb *
dbkit_move_exemption(Jsonb *agreement, const Exemption *exemption, const char *object)
{
	JsonbParseState *state = NULL;

	begin_exemptions(&state);
	(void) push_others(&state, agreement, exemption->object, exemption->rule);
	push_exemption(&state, object, exemption->rule, exemption->reason,
				   exemption->expires ? end_text(exemption->expires_at) : NULL);
	return end_exemptions(&state, agreement);
}

/* Return an agreement without exemptions from a rule. */
Jsonb *
dbkit_remove_exemptions(Jsonb *agreement, const char *rule)
{
	JsonbParseState *state = NULL;

	begin_exemptions(&state);
	return push_others(&state, agreement, NULL, rule) ? end_exemptions(&state, agreement) : agreement;
}

PG_FUNCTION_INFO_V1(dbkit_exempt);

/*
 * dbkit.exempt(object text, rule text, reason text, expires_at timestamptz)
 *
 * Exempts the object of that name, schema.name, or all that are LIKE it if it contains %,
 * from a rule, or from all for '*', until expires_at or for good.  Replaces the exemption
 * with the same object and rule.
 *
 * Errors: null_value_not_allowed; insufficient_privilege; invalid_parameter_value for an
 * unknown rule, an empty reason and a time that is past; invalid_escape_sequence.
 */
Datum
dbkit_exempt(PG_FUNCTION_ARGS)
{
	char	   *object = required_argument(fcinfo, 0, "object");
	char	   *rule = required_argument(fcinfo, 1, "rule");
	char	   *reason = required_argument(fcinfo, 2, "reason");
	char	   *end = end_argument(fcinfo, 3);
	Jsonb	   *agreement;
	JsonbParseState *state = NULL;

	check_rule(rule);
	check_reason(reason);
	check_object(object);
	agreement = dbkit_begin_agreement_change();
	begin_exemptions(&state);
	(void) push_others(&state, agreement, object, rule);
	push_exemption(&state, object, rule, reason, end);
	dbkit_end_agreement_change(end_exemptions(&state, agreement));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_unexempt);

/*
 * dbkit.unexempt(object text, rule text) returns boolean
 *
 * Takes back the exemption of exactly that object and rule; false where there is none.
 * Errors: null_value_not_allowed, insufficient_privilege, invalid_parameter_value;
 * feature_not_supported for one that is built in.
 */
Datum
dbkit_unexempt(PG_FUNCTION_ARGS)
{
	char	   *object = required_argument(fcinfo, 0, "object");
	char	   *rule = required_argument(fcinfo, 1, "rule");
	Jsonb	   *agreement;
	JsonbParseState *state = NULL;
	bool		found;

	check_rule(rule);
	agreement = dbkit_begin_agreement_change();
	begin_exemptions(&state);
	found = push_others(&state, agreement, object, rule);
	if (found)
		dbkit_end_agreement_change(end_exemptions(&state, agreement));
	else if (dbkit_is_builtin_exemption(object, rule))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the exemption of \"%s\" is built in", object)));
	PG_RETURN_BOOL(found);
}

/* Add a row: what the exemption says, and one more value. */
static void
put_exemption(ReturnSetInfo *result, const Exemption *exemption, Datum last)
{
	Datum		values[] = {
		CStringGetTextDatum(exemption->object),
		CStringGetTextDatum(exemption->rule),
		CStringGetTextDatum(exemption->reason),
		TimestampTzGetDatum(exemption->expires_at),
		last
	};
	bool		nulls[lengthof(values)] = {false};

	nulls[3] = !exemption->expires;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(dbkit_exemptions);

/*
 * dbkit.exemption() returns setof record
 *
 * The exemptions of the agreement and those that are built in.
 */
Datum
dbkit_exemptions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	dbkit_refresh_agreement();
	foreach(lc, dbkit_all_exemptions())
		put_exemption(rsinfo, lfirst(lc), BoolGetDatum(((const Exemption *) lfirst(lc))->builtin));
	PG_RETURN_VOID();
}

/* What is unique in an exemption, as a hash key */
static char *
exemption_key(const Exemption *exemption)
{
	return psprintf("%s\n%s", exemption->rule, exemption->object);
}

static HTAB *
create_key_set(void)
{
	HASHCTL		ctl = {
		.keysize = 1024,
		.entrysize = 1024,
		.hcxt = CurrentMemoryContext
	};

	return hash_create("dbkit exemptions in use", 256, &ctl,
					   HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
}

/* Note the exemptions that cover a finding. */
static void
mark_covering(const Finding *finding, void *arg)
{
	List	   *exemptions = dbkit_exemptions_on(finding->facts);
	ListCell   *lc;

	foreach(lc, exemptions)
	{
		if (dbkit_exemption_covers(lfirst(lc), finding->rule))
			(void) hash_search((HTAB *) arg, exemption_key(lfirst(lc)), HASH_ENTER, NULL);
	}
}

/* Return the exemptions of the agreement, without those that come with dbkit. */
static List *
agreed_exemptions(void)
{
	List	   *exemptions = dbkit_all_exemptions();
	ListCell   *lc;

	foreach(lc, exemptions)
	{
		if (((Exemption *) lfirst(lc))->builtin)
			exemptions = foreach_delete_current(exemptions, lc);
	}
	return exemptions;
}

/* Return the exemptions of the agreement that have expired or cover nothing any more. */
static List *
find_stale_exemptions(void)
{
	HTAB	   *in_use = create_key_set();
	List	   *exemptions;
	ListCell   *lc;

	if (agreed_exemptions() == NIL)
		return NIL;
	dbkit_check_objects(InvalidOid, SCOPE_ALL, NULL, mark_covering, in_use);

	/*
	 * Only now: where another session changes the agreement meanwhile, it is
	 * read again, and what was read before is freed
	 */
	exemptions = agreed_exemptions();
	foreach(lc, exemptions)
	{
		if (!dbkit_exemption_is_expired(lfirst(lc)) &&
			hash_search(in_use, exemption_key(lfirst(lc)), HASH_FIND, NULL) != NULL)
			exemptions = foreach_delete_current(exemptions, lc);
	}
	return exemptions;
}

/* Return how many there are. */
int
dbkit_count_stale_exemptions(void)
{
	return list_length(find_stale_exemptions());
}

PG_FUNCTION_INFO_V1(dbkit_stale_exemptions);

/*
 * dbkit.stale_exemptions() returns setof record
 *
 * The exemptions that have expired or cover nothing any more, except those
 * that are built in.
 */
Datum
dbkit_stale_exemptions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	dbkit_refresh_agreement();
	foreach(lc, find_stale_exemptions())
		put_exemption(rsinfo, lfirst(lc),
					  CStringGetTextDatum(dbkit_exemption_is_expired(lfirst(lc)) ? "it has expired" : "it covers nothing"));
	PG_RETURN_VOID();
}
