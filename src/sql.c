/*-------------------------------------------------------------------------
 *
 * sql.c
 *		Run SQL of our own, and write some.
 *
 * To run it, the caller is connected to SPI.  A statement that does not give the expected
 * result is an internal error, unless somebody's rule made it another.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "common.h"
#include "sql.h"

/* Run SQL with parameters, and give the number of rows that it returned or changed. */
uint64
dbkit_run_sql(int expected, const char *sql, int nargs, Oid *types, Datum *values,
			  const char *nulls)
{
	int			result = SPI_execute_with_args(sql, nargs, types, values, nulls, false, 0);

	if (result < 0 || (expected != DBKIT_ANY_RESULT && result != expected))
	{
		if (result == SPI_OK_REWRITTEN)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("a rule turns a change into another"),
					 errdetail("The change is: %s", sql)));
		elog(ERROR, "SPI_execute_with_args returned %s for: %s",
			 SPI_result_code_string(result), sql);
	}
	return SPI_processed;
}

/* Run a statement with up to two text parameters. */
uint64
dbkit_run_with_texts(int expected, const char *sql, Datum first, Datum second)
{
	Oid			types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {first, second};

	return dbkit_run_sql(expected, sql, (first != 0) + (second != 0), types, values, NULL);
}

/* Run a utility statement. */
void
dbkit_run_utility(const char *sql)
{
	(void) dbkit_run_sql(SPI_OK_UTILITY, sql, 0, NULL, NULL, NULL);
}

/* Return dollar quotes for a text, which it does not contain: names in it are what their owners like. */
char *
dbkit_dollar_quotes(const char *tag, const char *quoted)
{
	char	   *result = psprintf("$%s$", tag);

	for (int i = 1; strstr(quoted, result) != NULL; i++)
		result = psprintf("$%s%d$", tag, i);
	return result;
}
