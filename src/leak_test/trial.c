/*-------------------------------------------------------------------------
 *
 * trial.c
 *		What the ways to reach another organization's rows have in common.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "common.h"
#include "leak_test/trial.h"

Assignment *
dbkit_assign(const Column *column, const char *value)
{
	Assignment *result = palloc(sizeof(Assignment));

	result->column = column;
	result->value = value;
	return result;
}

const char *
dbkit_literal(const char *value)
{
	return value == NULL ? "NULL" : quote_literal_cstr(value);
}

Row *
dbkit_row_of(const Subject *subject, Side side)
{
	return subject->table == NULL ? NULL : subject->table->rows[side];
}

/* The rows of the other organization, and of a table that is everybody's its own. */
static List *
watched_rows(const LeakTest *test, const Subject *subject)
{
	List	   *rows = list_copy(test->others_rows);

	if (subject->table != NULL && !subject->table->of_tenants && dbkit_row_of(subject, OTHERS) != NULL)
		rows = lappend(rows, dbkit_row_of(subject, OTHERS));
	return rows;
}

/* Try a statement as the role, in the context of the one organization. */
Probe *
dbkit_try_statement(const LeakTest *test, const Subject *subject, const char *sql, List *removed,
					const char *count)
{
	Probe	   *probe = palloc0(sizeof(Probe));

	probe->sql = sql;
	probe->role = test->role;
	probe->search_path = test->search_path;
	probe->tenant = &test->tenants[MINE];
	probe->watched = watched_rows(test, subject);
	probe->removed = removed;
	probe->count = count;
	probe->counting_role = count != NULL ? subject->table->owner : InvalidOid;
	dbkit_probe(probe);
	return probe;
}

bool
dbkit_failed_with(const Probe *probe, int sqlerrcode)
{
	return probe->error != NULL && probe->error->sqlerrcode == sqlerrcode;
}

/* Did a key stand in the way that is checked after the policies? */
bool
dbkit_met_a_duplicate(const Probe *probe)
{
	return dbkit_failed_with(probe, ERRCODE_UNIQUE_VIOLATION) ||
		dbkit_failed_with(probe, ERRCODE_EXCLUSION_VIOLATION);
}

/* Did the values stand in the way, which says nothing about whose row it is? */
bool
dbkit_met_bad_values(const Probe *probe)
{
	int			category;

	if (probe->error == NULL)
		return false;
	category = ERRCODE_TO_CATEGORY(probe->error->sqlerrcode);
	return category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION || category == ERRCODE_DATA_EXCEPTION;
}

LeakVerdict
dbkit_undecided(const Probe *probe, char **detail)
{
	*detail = psprintf("Trying it failed: %s", probe->error->message);
	return UNDECIDED;
}

/* Write an INSERT of a row with some other values; columns that the role may not give are left out. */
char *
dbkit_write_insert(const Subject *subject, const Row *row, const List *changes)
{
	StringInfoData columns;
	StringInfoData values;
	ListCell   *cell;

	initStringInfo(&columns);
	initStringInfo(&values);
	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);
		const char *separator = columns.len > 0 ? ", " : "";
		const ListCell *change;
		const char *value;
		bool		found = false;

		if (!column->insertable || column->base == NULL)
			continue;
		value = dbkit_made_value(row, column->base, &found);
		foreach(change, changes)
		{
			if (((Assignment *) lfirst(change))->column == column)
				value = ((Assignment *) lfirst(change))->value;
		}
		if (!found)
			continue;
		appendStringInfo(&columns, "%s%s", separator, column->quoted);
		appendStringInfo(&values, "%s%s", separator, dbkit_literal(value));
	}
	return columns.len == 0 ? NULL :
		psprintf("INSERT INTO %s (%s) VALUES (%s)", subject->name, columns.data, values.data);
}

/* Write an UPDATE of all rows that there are. */
char *
dbkit_write_update(const Subject *subject, const List *changes)
{
	StringInfoData sql;
	const ListCell *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s SET ", subject->name);
	foreach(cell, changes)
	{
		const Assignment *change = lfirst(cell);

		appendStringInfo(&sql, "%s%s = %s", cell == list_head(changes) ? "" : ", ",
						 change->column->quoted, dbkit_literal(change->value));
	}
	return sql.data;
}

/* May the role give all these columns a value? */
bool
dbkit_may_assign(const List *changes, bool by_insert)
{
	const ListCell *cell;

	foreach(cell, changes)
	{
		const Column *column = ((Assignment *) lfirst(cell))->column;

		if (by_insert ? !column->insertable : !column->updatable)
			return false;
	}
	return changes != NIL;
}

/* Does the test know rows of both organizations, that differ? */
bool
dbkit_has_both_rows(const Subject *subject)
{
	return subject->table != NULL && subject->table->of_tenants &&
		dbkit_row_of(subject, MINE) != NULL && dbkit_row_of(subject, OTHERS) != NULL;
}
