/*-------------------------------------------------------------------------
 *
 * views.c
 *		Try to see through a view what it leaves out.
 *
 * The planner may evaluate a condition of the query before those of a view that is no
 * security_barrier, as rules-privileges.html of PostgreSQL's documentation says.  A function that
 * names its argument in an error then tells it.  So does a cast to regclass, which costs less
 * than a comparison of the tenant, and which nobody has to make.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/exposure.h"
#include "convention/facts/read.h"
#include "leak_test/trial.h"

/* Write a condition that picks the row of the other organization, where it is known, as others would raise the error first. */
static char *
pick_others(const Subject *subject, const Column *column)
{
	bool		found;
	const char *value = dbkit_row_of(subject, OTHERS) != NULL && column->base != NULL ?
	dbkit_made_value(dbkit_row_of(subject, OTHERS), column->base, &found) : NULL;

	return value == NULL ? pstrdup("") :
		psprintf("s.%s OPERATOR(pg_catalog.=) %s AND ", column->quoted, dbkit_literal(value));
}

/* Does a condition on this column meet a row of the other organization?  Own rows would only be in the way. */
static bool
condition_meets_others(const LeakTest *test, const Subject *subject, const Column *column)
{
	const char *sql = psprintf("SELECT 1 FROM %s AS s WHERE %ss.%s::pg_catalog.regclass IS NULL",
							   subject->name, pick_others(subject, column), column->quoted);
	const Probe *probe = dbkit_try_statement(test, subject, sql, test->my_rows, NULL);
	const Probe *without;

	if (probe->error == NULL)
		return false;
	without = dbkit_try_statement(test, subject, sql, list_concat_copy(test->my_rows, test->others_rows), NULL);
	return without->error == NULL || strcmp(without->error->message, probe->error->message) != 0;
}

/* Try to have conditions of a query see rows that a view leaves out. */
LeakVerdict
dbkit_try_conditions(const LeakTest *test, const Subject *subject, char **detail)
{
	LeakVerdict verdict = NOT_TRIED;
	ListCell   *cell;

	if (subject->relkind != RELKIND_VIEW || subject->leaks)
		return NOT_TRIED;
	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);

		if (!column->readable || (column->type != TEXTOID && column->type != VARCHAROID))
			continue;
		verdict = ISOLATED;
		if (!condition_meets_others(test, subject, column))
			continue;
		*detail = psprintf("A condition of a query on column %s is evaluated for rows that the view leaves out, and can tell them by an error; use security_invoker, or at least security_barrier.",
						   column->quoted);
		return LEAKS;
	}
	return verdict;
}

/*
 * Return what to say of a view that shows no row, neither of the own organization nor of others,
 * though it could: it reads tables past their row level security.  NULL for none.
 */
char *
dbkit_unproven_view(const Subject *subject)
{
	Facts	   *facts = subject->relkind == RELKIND_VIEW || subject->relkind == RELKIND_MATVIEW ?
	dbkit_facts(&dbkit_now, RelationRelationId, subject->oid, FACT_SOURCES) : NULL;
	Protected	sources;

	if (facts == NULL || facts->security_invoker)
		return NULL;
	sources = dbkit_protected_sources(facts);
	return sources.table == NULL ? NULL :
		psprintf("It shows no row of anybody, though it reads %s past row level security: no row that was made meets its conditions.",
				 dbkit_name_protected(&sources));
}
