/*-------------------------------------------------------------------------
 *
 * writes.c
 *		Try to change, delete, insert and move rows of another organization.
 *
 * Statements name no column that they need not: PostgreSQL applies the policies for SELECT
 * only where a statement reads one, so that "DELETE FROM t" may reach rows that
 * "DELETE FROM t WHERE id = ..." does not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common.h"
#include "leak_test/trial.h"

/*
 * The same of a statement that gives back something for each row, so that the rows are looked
 * at before triggers run; rules and some views cannot.
 */
static Probe *
try_returning(const LeakTest *test, const Subject *subject, const char *sql, List *removed,
			  const char *count)
{
	Probe	   *probe = dbkit_try_statement(test, subject, psprintf("%s RETURNING 1", sql), removed, count);

	if (probe->error != NULL && probe->error->sqlerrcode == ERRCODE_FEATURE_NOT_SUPPORTED)
		return dbkit_try_statement(test, subject, sql, removed, count);
	return probe;
}

/* Does anything else depend on the value of a column: keys, or whose row it is? */
static bool
is_plain(const Subject *subject, const Column *column)
{
	ListCell   *cell;

	if (column->base == NULL || strcmp(column->base, "id") == 0)
		return false;
	if (subject->table->tenant_column != NULL && strcmp(column->base, subject->table->tenant_column) == 0)
		return false;
	foreach(cell, subject->table->references)
	{
		const Reference *reference = lfirst(cell);

		for (int i = 0; i < reference->ncolumns; i++)
		{
			if (strcmp(reference->columns[i], column->base) == 0)
				return false;
		}
	}
	return true;
}

/* Write what to set a column to: what the other organization's row has there, or itself. */
static const char *
value_to_set(const Subject *subject, const Column *column)
{
	const Row  *row = dbkit_row_of(subject, OTHERS);
	bool		found = false;
	const char *value = row != NULL && column->base != NULL ?
	dbkit_made_value(row, column->base, &found) : NULL;

	return found ? dbkit_literal(value) : column->quoted;
}

/* Try to change a column of all rows that there are. */
static Probe *
try_column(const LeakTest *test, const Subject *subject, const Column *column, List *removed)
{
	return try_returning(test, subject,
						 psprintf("UPDATE %s SET %s = %s", subject->name, column->quoted,
								  value_to_set(subject, column)),
						 removed, NULL);
}

/* Set the columns one after the other until it is clear whether the other's row is changed; tells whether it is. */
static bool
change_columns(const LeakTest *test, const Subject *subject, bool plain, LeakVerdict *verdict, char **detail)
{
	ListCell   *cell;

	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);
		Probe	   *probe;

		if (!column->updatable || (subject->table != NULL && is_plain(subject, column) != plain))
			continue;
		probe = try_column(test, subject, column, NIL);
		if (!probe->touched && probe->error != NULL && dbkit_row_of(subject, MINE) != dbkit_row_of(subject, OTHERS))
			probe = try_column(test, subject, column, list_make1(dbkit_row_of(subject, MINE)));
		if (probe->touched)
			*detail = psprintf("UPDATE of column %s reaches rows that are not its own.", column->quoted);
		if (probe->touched || probe->error == NULL)
		{
			*verdict = probe->touched ? LEAKS : ISOLATED;
			return true;
		}

		/*
		 * Another column may not be kept as it is by a trigger, or take the
		 * value
		 */
		if (dbkit_met_bad_values(probe))
			*verdict = dbkit_undecided(probe, detail);
		else if (*verdict == NOT_TRIED)
			*verdict = ISOLATED;
	}
	return false;
}

/*
 * Try to take the other organization's rows: what says whose they are is set as in an own row.  A policy
 * that asks for that WITH CHECK alone refuses all other changes.
 */
static bool
takes_rows(const LeakTest *test, const Subject *subject, char **detail)
{
	Row		   *mine = dbkit_row_of(subject, MINE);
	List	   *changes = NIL;
	ListCell   *cell;

	if (!dbkit_has_both_rows(subject))
		return false;
	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);
		bool		found = false;
		const char *value = column->base != NULL ? dbkit_made_value(mine, column->base, &found) : NULL;

		if (column->updatable && found && strcmp(column->base, "id") != 0 &&
			(!is_plain(subject, column) || dbkit_is_user_column(column->base)))
			changes = lappend(changes, dbkit_assign(column, value));
	}
	if (changes == NIL || !try_returning(test, subject, dbkit_write_update(subject, changes), list_make1(mine), NULL)->touched)
		return false;
	*detail = psprintf("UPDATE may take rows of the other organization by setting column %s.",
					   ((Assignment *) linitial(changes))->column->quoted);
	return true;
}

/* Try to change the other organization's rows. */
LeakVerdict
dbkit_try_change(const LeakTest *test, const Subject *subject, char **detail)
{
	LeakVerdict verdict = NOT_TRIED;

	if (change_columns(test, subject, true, &verdict, detail) || change_columns(test, subject, false, &verdict, detail))
		return verdict;
	return takes_rows(test, subject, detail) ? LEAKS : verdict;
}

/* Try to delete them. */
LeakVerdict
dbkit_try_delete(const LeakTest *test, const Subject *subject, char **detail)
{
	const char *sql = psprintf("DELETE FROM %s", subject->name);
	Probe	   *probe;

	if (!subject->deletable)
		return NOT_TRIED;
	probe = try_returning(test, subject, sql, NIL, NULL);
	/* A trigger may keep the own row, and not the other one */
	if (!probe->touched && probe->error != NULL && dbkit_row_of(subject, MINE) != dbkit_row_of(subject, OTHERS))
		probe = try_returning(test, subject, sql, list_make1(dbkit_row_of(subject, MINE)), NULL);
	if (!probe->touched)
		return ISOLATED;
	*detail = pstrdup("DELETE reaches rows that are not its own.");
	return LEAKS;
}

/* May the role empty the table?  No policy is asked for that.  It is not tried: there would be no rows left to look at. */
LeakVerdict
dbkit_try_truncate(const LeakTest *test pg_attribute_unused(), const Subject *subject, char **detail)
{
	if (!subject->truncatable)
		return NOT_TRIED;
	*detail = pstrdup("The role has the privilege TRUNCATE, which goes past row level security; use REVOKE.");
	return LEAKS;
}

/* Write the query that counts the other organization's rows, which a column tells. */
static char *
count_others(const Table *table)
{
	bool		found;

	return psprintf("SELECT pg_catalog.count(*) FROM %s AS s WHERE s.%s OPERATOR(pg_catalog.=) %s",
					table->name, quote_identifier(table->tenant_column),
					dbkit_literal(dbkit_made_value(table->rows[OTHERS], table->tenant_column, &found)));
}

/* The columns that make a row the other organization's: those of the tenant, or of a parent. */
static List *
columns_of_others(const Subject *subject)
{
	const Table *table = subject->table;
	const Row  *row = dbkit_row_of(subject, OTHERS);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);
		bool		found;

		if (column->base != NULL && table->tenant_column != NULL && strcmp(column->base, table->tenant_column) == 0)
			result = lappend(result, dbkit_assign(column, dbkit_made_value(row, column->base, &found)));
	}
	return result;
}

/*
 * Try to insert the row that the other organization has, as if it were not there.  Keys are
 * checked after the policies.
 */
LeakVerdict
dbkit_try_insert(const LeakTest *test, const Subject *subject, char **detail)
{
	Row		   *row = dbkit_row_of(subject, OTHERS);
	const char *count;
	Probe	   *probe;

	if (row == NULL || !subject->table->of_tenants || !dbkit_may_assign(columns_of_others(subject), true))
		return NOT_TRIED;
	count = count_others(subject->table);
	probe = dbkit_try_statement(test, subject, dbkit_write_insert(subject, row, NIL), list_make1(row), count);
	if ((probe->error == NULL && probe->added > 0) || dbkit_met_a_duplicate(probe))
	{
		*detail = pstrdup("INSERT accepts a row of the other organization's.");
		return LEAKS;
	}
	return dbkit_met_bad_values(probe) ? dbkit_undecided(probe, detail) : ISOLATED;
}

/* Was a row let past the policies, whatever a key said after them? */
static bool
passed_policies(const Probe *probe)
{
	return (probe->error == NULL && probe->added > 0) || dbkit_met_a_duplicate(probe) ||
		dbkit_failed_with(probe, ERRCODE_FOREIGN_KEY_VIOLATION);
}

/* Try to give its own row to the other organization. */
LeakVerdict
dbkit_try_move(const LeakTest *test, const Subject *subject, char **detail)
{
	List	   *changes;
	Probe	   *probe;

	if (!dbkit_has_both_rows(subject))
		return NOT_TRIED;
	changes = columns_of_others(subject);
	if (!dbkit_may_assign(changes, false))
		return NOT_TRIED;
	probe = dbkit_try_statement(test, subject, dbkit_write_update(subject, changes), NIL,
								count_others(subject->table));
	if (!passed_policies(probe))
		return ISOLATED;
	*detail = psprintf("UPDATE may set column %s to the other organization's.",
					   ((Assignment *) linitial(changes))->column->quoted);
	return LEAKS;
}
