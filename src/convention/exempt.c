/*-------------------------------------------------------------------------
 *
 * exempt.c
 *		Make exemptions, take them back, and find those that are of no use:
 *		dbkit.exempt(), unexempt(), baseline() and stale_exemptions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/check.h"
#include "convention/exemption.h"
#include "convention/rules/rules.h"
#include "sql.h"

/* Return an argument that must not be null. */
static Datum
required_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_DATUM(n);
}

static void
check_rule(const char *rule)
{
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

/* LIKE itself complains only when it gets as far as the end. */
static void
check_pattern(const char *pattern)
{
	for (; *pattern != '\0'; pattern++)
	{
		if (*pattern == '\\' && *++pattern == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_ESCAPE_SEQUENCE),
					 errmsg("object must not end with a single backslash")));
	}
}

/* Run a statement on dbkit.exemption as the caller, and return its row count. */
static uint64
change_exemptions(int expected, const char *sql, int nargs, Datum *values, const char *nulls)
{
	Oid			types[] = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	uint64		processed;

	SPI_connect();
	processed = dbkit_run_sql(expected, sql, nargs, types, values, nulls);
	SPI_finish();
	return processed;
}

PG_FUNCTION_INFO_V1(dbkit_exempt);

/*
 * dbkit.exempt(object text, rule text, reason text, expires_at timestamptz)
 *
 * Exempts objects whose schema.name is LIKE object from a rule, or from all
 * for '*', until expires_at or for good.  Replaces the exemption with the same
 * object and rule.
 *
 * Errors: null_value_not_allowed; invalid_parameter_value for an unknown rule,
 * an empty reason and a time that is past; invalid_escape_sequence.
 */
Datum
dbkit_exempt(PG_FUNCTION_ARGS)
{
	Datum		values[4];
	char	   *pattern;

	values[0] = required_argument(fcinfo, 0, "object");
	values[1] = required_argument(fcinfo, 1, "rule");
	values[2] = required_argument(fcinfo, 2, "reason");
	values[3] = PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3);

	pattern = TextDatumGetCString(values[0]);
	check_pattern(pattern);
	check_rule(TextDatumGetCString(values[1]));
	check_reason(TextDatumGetCString(values[2]));
	if (!PG_ARGISNULL(3) &&
		DatumGetTimestampTz(values[3]) <= GetCurrentTransactionStartTimestamp())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expires_at must be in the future")));

	if (!dbkit_any_object_is_like(pattern))
		ereport(NOTICE,
				(errmsg("no table, view, type or function is like \"%s\"", pattern),
				 errhint("The pattern is matched against schema.name.")));

	if (change_exemptions(SPI_OK_INSERT,
						  "INSERT INTO dbkit.exemption AS e (object, rule, reason, expires_at)"
						  " VALUES ($1, $2, $3, $4)"
						  " ON CONFLICT (object, rule) DO UPDATE"
						  " SET reason = EXCLUDED.reason, expires_at = EXCLUDED.expires_at,"
						  " created_at = pg_catalog.now()"
						  " WHERE NOT e.builtin",
						  4, values, PG_ARGISNULL(3) ? "   n" : "    ") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("the exemption of \"%s\" is built in", pattern)));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_unexempt);

/*
 * dbkit.unexempt(object text, rule text) returns boolean
 *
 * Takes back the exemption with exactly that pattern and rule; false where
 * there is none.  Errors: null_value_not_allowed, invalid_parameter_value.
 */
Datum
dbkit_unexempt(PG_FUNCTION_ARGS)
{
	Datum		values[2];

	values[0] = required_argument(fcinfo, 0, "object");
	values[1] = required_argument(fcinfo, 1, "rule");
	check_rule(TextDatumGetCString(values[1]));
	PG_RETURN_BOOL(change_exemptions(SPI_OK_DELETE,
									 "DELETE FROM dbkit.exemption"
									 " WHERE object OPERATOR(pg_catalog.=) $1"
									 " AND rule OPERATOR(pg_catalog.=) $2",
									 2, values, NULL) > 0);
}

/* Exempt the object of a finding from its rule; count those that are new. */
static void
exempt_finding(const Finding *finding, void *arg)
{
	struct
	{
		Datum		reason;
		int64		count;
	}		   *baseline = arg;
	Datum		values[3];

	values[0] = CStringGetTextDatum(dbkit_exact_pattern(dbkit_exempt_name(finding->facts)));
	values[1] = CStringGetTextDatum(finding->rule->id);
	values[2] = baseline->reason;
	baseline->count += change_exemptions(SPI_OK_INSERT,
										 "INSERT INTO dbkit.exemption AS e (object, rule, reason)"
										 " VALUES ($1, $2, $3)"
										 " ON CONFLICT (object, rule) DO UPDATE"
										 " SET reason = EXCLUDED.reason, expires_at = NULL,"
										 " created_at = pg_catalog.now()"
										 " WHERE e.expires_at OPERATOR(pg_catalog.<=) pg_catalog.now()",
										 3, values, NULL);
}

PG_FUNCTION_INFO_V1(dbkit_baseline);

/*
 * dbkit.baseline(reason text) returns bigint
 *
 * Exempts everything that dbkit.check() reports now; returns how many
 * exemptions that made or renewed.  Errors: null_value_not_allowed,
 * invalid_parameter_value for an empty reason.
 */
Datum
dbkit_baseline(PG_FUNCTION_ARGS)
{
	struct
	{
		Datum		reason;
		int64		count;
	}			result = {required_argument(fcinfo, 0, "reason"), 0};

	check_reason(TextDatumGetCString(result.reason));
	dbkit_check_objects(SCOPE_CHECK, exempt_finding, &result);
	PG_RETURN_INT64(result.count);
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
	HTAB	   *in_use = create_key_set();
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	dbkit_check_objects(SCOPE_ALL, mark_covering, in_use);
	foreach(lc, dbkit_all_exemptions())
	{
		const Exemption *exemption = lfirst(lc);
		bool		used = hash_search(in_use, exemption_key(exemption), HASH_FIND, NULL) != NULL;
		Datum		values[] = {
			CStringGetTextDatum(exemption->object),
			CStringGetTextDatum(exemption->rule),
			exemption->reason,
			TimestampTzGetDatum(exemption->expires_at),
			CStringGetTextDatum(dbkit_exemption_is_expired(exemption) ? "it has expired" :
								"it covers nothing")
		};
		bool		nulls[lengthof(values)] = {false};

		nulls[3] = !exemption->expires;
		if (!exemption->builtin && (dbkit_exemption_is_expired(exemption) || !used))
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}
