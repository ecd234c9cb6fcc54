/*-------------------------------------------------------------------------
 *
 * health.c
 *		Is this server, and this database, as it should be: dbkit.health.
 *
 * Each check gives one number, which is held against two limits (thresholds.c).
 * What the checks are stands in two tables: of the server (server.c), and of
 * dbkit (own.c).
 *
 * Monitoring has to answer while everything else is stuck.  So nothing here waits
 * for a lock that another session can hold for long: of users' objects only the
 * rows in the catalogs are read, and what is locked is tried, and left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/agreement.h"
#include "health/health.h"

static const struct
{
	const HealthCheck *checks;
	const int  *count;
}			tables[] = {
	{dbkit_server_checks, &dbkit_n_server_checks},
	{dbkit_own_checks, &dbkit_n_own_checks},
};

/* Return the check of that name, or NULL. */
const HealthCheck *
dbkit_find_health_check(const char *name)
{
	for (size_t i = 0; i < lengthof(tables); i++)
	{
		for (int j = 0; j < *tables[i].count; j++)
		{
			if (strcmp(tables[i].checks[j].name, name) == 0)
				return &tables[i].checks[j];
		}
	}
	return NULL;
}

/* Ask PostgreSQL; no row or NULL is nothing to say, and so is less than nothing, as by clocks that differ. */
static void
measure_by_sql(const char *sql, Measurement *result)
{
	HeapTuple	row;
	TupleDesc	desc;
	bool		isnull;
	double		number;

	if (SPI_execute(sql, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "no result of: %s", sql);
	if (SPI_processed == 0)
		return;
	row = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	number = DatumGetFloat8(SPI_getbinval(row, desc, 1, &isnull));
	if (isnull || number < 0)
		return;
	result->number = number;
	result->detail = SPI_getvalue(row, desc, 2);
	if (desc->natts > 2)
		result->value = SPI_getvalue(row, desc, 3);
}

/* Say what was found and what to do about it, and what could not be seen; NULL for nothing. */
static char *
write_hint(const HealthCheck *check, const Measurement *found, bool is_well)
{
	StringInfoData hint;

	initStringInfo(&hint);
	if (!is_well)
		appendStringInfo(&hint, "%s%s%s", found->detail != NULL ? found->detail : "", found->detail != NULL ? " " : "", check->advice);
	if (found->incomplete)
		appendStringInfo(&hint, "%sYou do not see all of it; members of pg_monitor do.", hint.len > 0 ? " " : "");
	return hint.len > 0 ? hint.data : NULL;
}

static void
put_check(ReturnSetInfo *result, const HealthCheck *check, bool sees_all)
{
	Measurement found = {.incomplete = check->of_sessions && !sees_all};
	HealthLimits limits = dbkit_health_limits(check);
	const char *status;
	char	   *hint;
	Datum		values[6];
	bool		nulls[lengthof(values)] = {false};

	if (check->sql != NULL)
		measure_by_sql(check->sql, &found);
	else
		check->measure(&found);
	status = found.number >= limits.critical ? "critical" : found.number >= limits.warning ? "warning" : "ok";
	hint = write_hint(check, &found, found.number < limits.critical && found.number < limits.warning);

	values[0] = CStringGetTextDatum(check->name);
	values[1] = CStringGetTextDatum(status);
	values[2] = CStringGetTextDatum(found.value != NULL ? found.value : dbkit_write_quantity(check->unit, found.number));
	values[3] = CStringGetTextDatum(limits.text);
	nulls[4] = hint == NULL;
	values[4] = hint != NULL ? CStringGetTextDatum(hint) : (Datum) 0;
	values[5] = Float8GetDatum(found.number);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(dbkit_health);

/*
 * dbkit.health() returns setof record
 *
 * Each check with its status, as far as the caller may see what it is about.
 */
Datum
dbkit_health(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		sees_all = has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);

	InitMaterializedSRF(fcinfo, 0);
	dbkit_refresh_agreement();
	SPI_connect();
	for (size_t i = 0; i < lengthof(tables); i++)
	{
		for (int j = 0; j < *tables[i].count; j++)
			put_check(result, &tables[i].checks[j], sees_all);
	}
	SPI_finish();
	return (Datum) 0;
}
