/*-------------------------------------------------------------------------
 *
 * trials.c
 *		The ways to reach another organization's rows other than reading them.
 *
 * Statements name no column that they need not: PostgreSQL applies the policies for SELECT
 * only where a statement reads one, so that "DELETE FROM t" may reach rows that
 * "DELETE FROM t WHERE id = ..." does not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/agreement.h"
#include "id.h"
#include "leak_test/leak_test.h"

/* A column and the value that it is to have; NULL for null */
typedef struct Assignment
{
	const Column *column;
	const char *value;
} Assignment;

static Assignment *
assign(const Column *column, const char *value)
{
	Assignment *result = palloc(sizeof(Assignment));

	result->column = column;
	result->value = value;
	return result;
}

static const char *
literal(const char *value)
{
	return value == NULL ? "NULL" : quote_literal_cstr(value);
}

static Row *
row_of(const Subject *subject, Side side)
{
	return subject->table == NULL ? NULL : subject->table->rows[side];
}

/* The rows of the other organization, and of a table that is everybody's its own. */
static List *
watched_rows(const LeakTest *test, const Subject *subject)
{
	List	   *rows = list_copy(test->others_rows);

	if (subject->table != NULL && !subject->table->of_tenants && row_of(subject, OTHERS) != NULL)
		rows = lappend(rows, row_of(subject, OTHERS));
	return rows;
}

/* Try a statement as the role, in the context of the one organization. */
static Probe *
try_statement(const LeakTest *test, const Subject *subject, const char *sql, List *removed,
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

/*
 * The same of a statement that gives back something for each row, so that the rows are looked
 * at before triggers run; rules and some views cannot.
 */
static Probe *
try_returning(const LeakTest *test, const Subject *subject, const char *sql, List *removed,
			  const char *count)
{
	Probe	   *probe = try_statement(test, subject, psprintf("%s RETURNING 1", sql), removed, count);

	if (probe->error != NULL && probe->error->sqlerrcode == ERRCODE_FEATURE_NOT_SUPPORTED)
		return try_statement(test, subject, sql, removed, count);
	return probe;
}

static bool
failed_with(const Probe *probe, int sqlerrcode)
{
	return probe->error != NULL && probe->error->sqlerrcode == sqlerrcode;
}

/* Did a key stand in the way that is checked after the policies? */
static bool
met_a_duplicate(const Probe *probe)
{
	return failed_with(probe, ERRCODE_UNIQUE_VIOLATION) ||
		failed_with(probe, ERRCODE_EXCLUSION_VIOLATION);
}

/* Did the values stand in the way, which says nothing about whose row it is? */
static bool
met_bad_values(const Probe *probe)
{
	int			category;

	if (probe->error == NULL)
		return false;
	category = ERRCODE_TO_CATEGORY(probe->error->sqlerrcode);
	return category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION || category == ERRCODE_DATA_EXCEPTION;
}

static LeakVerdict
undecided(const Probe *probe, char **detail)
{
	*detail = psprintf("Trying it failed: %s", probe->error->message);
	return UNDECIDED;
}

static const Column *
find_base_column(const Subject *subject, const char *base)
{
	ListCell   *cell;

	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);

		if (column->base != NULL && strcmp(column->base, base) == 0)
			return column;
	}
	return NULL;
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
	const Row  *row = row_of(subject, OTHERS);
	bool		found = false;
	const char *value = row != NULL && column->base != NULL ?
	dbkit_made_value(row, column->base, &found) : NULL;

	return found ? literal(value) : column->quoted;
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

/* Set the columns one after the other until it is clear whether the other's row is changed. */
static LeakVerdict
change_columns(const LeakTest *test, const Subject *subject, bool plain, char **detail)
{
	LeakVerdict verdict = NOT_TRIED;
	ListCell   *cell;

	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);
		Probe	   *probe;

		if (!column->updatable || (subject->table != NULL && is_plain(subject, column) != plain))
			continue;
		probe = try_column(test, subject, column, NIL);
		if (!probe->touched && met_bad_values(probe) && row_of(subject, MINE) != row_of(subject, OTHERS))
			probe = try_column(test, subject, column, list_make1(row_of(subject, MINE)));
		if (probe->touched)
		{
			*detail = psprintf("UPDATE of column %s reaches rows that are not its own.", column->quoted);
			return LEAKS;
		}
		if (!met_bad_values(probe))
			return ISOLATED;
		verdict = undecided(probe, detail);
	}
	return verdict;
}

/* Try to change the other organization's rows. */
LeakVerdict
dbkit_try_change(const LeakTest *test, const Subject *subject, char **detail)
{
	LeakVerdict verdict = change_columns(test, subject, true, detail);

	return verdict == NOT_TRIED || verdict == UNDECIDED ?
		Max(verdict, change_columns(test, subject, false, detail)) : verdict;
}

/* Try to delete them. */
LeakVerdict
dbkit_try_delete(const LeakTest *test, const Subject *subject, char **detail)
{
	Probe	   *probe;

	if (!subject->deletable)
		return NOT_TRIED;
	probe = try_returning(test, subject, psprintf("DELETE FROM %s", subject->name), NIL, NULL);
	if (!probe->touched)
		return ISOLATED;
	*detail = pstrdup("DELETE reaches rows that are not its own.");
	return LEAKS;
}

/* Write the query that counts the other organization's rows, where a column tells them. */
static char *
count_others(const Table *table)
{
	bool		found;

	if (table->tenant_column == NULL)
		return NULL;
	return psprintf("SELECT pg_catalog.count(*) FROM %s AS s WHERE s.%s OPERATOR(pg_catalog.=) %s",
					table->name, quote_identifier(table->tenant_column),
					literal(dbkit_made_value(table->rows[OTHERS], table->tenant_column, &found)));
}

/* Write an INSERT of a row with some other values; columns that the role may not give are left out. */
static char *
write_insert(const Subject *subject, const Row *row, const List *changes)
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
		appendStringInfo(&values, "%s%s", separator, literal(value));
	}
	return columns.len == 0 ? NULL :
		psprintf("INSERT INTO %s (%s) VALUES (%s)", subject->name, columns.data, values.data);
}

/* Write an UPDATE of all rows that there are. */
static char *
write_update(const Subject *subject, const List *changes)
{
	StringInfoData sql;
	const ListCell *cell;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s SET ", subject->name);
	foreach(cell, changes)
	{
		const Assignment *change = lfirst(cell);

		appendStringInfo(&sql, "%s%s = %s", cell == list_head(changes) ? "" : ", ",
						 change->column->quoted, literal(change->value));
	}
	return sql.data;
}

/* May the role give all these columns a value? */
static bool
may_assign(const List *changes, bool by_insert)
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

/* The columns that make a row the other organization's: those of the tenant, or of a parent. */
static List *
columns_of_others(const Subject *subject)
{
	const Table *table = subject->table;
	const Row  *row = row_of(subject, OTHERS);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);
		bool		found;

		if (column->base != NULL && table->tenant_column != NULL && strcmp(column->base, table->tenant_column) == 0)
			result = lappend(result, assign(column, dbkit_made_value(row, column->base, &found)));
	}
	return result;
}

/* Does the test know rows of both organizations, that differ? */
static bool
has_both_rows(const Subject *subject)
{
	return subject->table != NULL && subject->table->of_tenants &&
		row_of(subject, MINE) != NULL && row_of(subject, OTHERS) != NULL;
}

/*
 * Try to insert the row that the other organization has, as if it were not there.  Keys are
 * checked after the policies.
 */
LeakVerdict
dbkit_try_insert(const LeakTest *test, const Subject *subject, char **detail)
{
	Row		   *row = row_of(subject, OTHERS);
	const char *count;
	Probe	   *probe;

	if (row == NULL || !subject->table->of_tenants || !may_assign(columns_of_others(subject), true))
		return NOT_TRIED;
	count = count_others(subject->table);
	probe = try_statement(test, subject, write_insert(subject, row, NIL), list_make1(row), count);
	if ((probe->error == NULL && probe->added > 0) || met_a_duplicate(probe))
	{
		*detail = pstrdup("INSERT accepts a row of the other organization's.");
		return LEAKS;
	}
	return met_bad_values(probe) ? undecided(probe, detail) : ISOLATED;
}

/* Was a row let past the policies, whatever a key said after them? */
static bool
passed_policies(const Probe *probe)
{
	return (probe->error == NULL && probe->added > 0) || met_a_duplicate(probe) ||
		failed_with(probe, ERRCODE_FOREIGN_KEY_VIOLATION);
}

/* Try to give its own row to the other organization. */
LeakVerdict
dbkit_try_move(const LeakTest *test, const Subject *subject, char **detail)
{
	List	   *changes;
	Probe	   *probe;

	if (!has_both_rows(subject))
		return NOT_TRIED;
	changes = columns_of_others(subject);
	if (!may_assign(changes, false))
		return NOT_TRIED;
	probe = try_statement(test, subject, write_update(subject, changes), NIL,
						  count_others(subject->table));
	if (!passed_policies(probe))
		return ISOLATED;
	*detail = psprintf("UPDATE may set column %s to the other organization's.",
					   ((Assignment *) linitial(changes))->column->quoted);
	return LEAKS;
}

/*
 * The columns with which a row would reference the other organization's row; none for a key to
 * users, who may be members of several organizations.
 */
static List *
changes_to_reference(const Subject *subject, const Reference *reference)
{
	const Row  *target = reference->target->rows[OTHERS];
	List	   *result = NIL;
	bool		found;

	if (target == NULL || !reference->target->of_tenants || reference->target->is_users)
		return NIL;
	for (int i = 0; i < reference->ncolumns; i++)
	{
		const Column *column = find_base_column(subject, reference->columns[i]);

		if (dbkit_is_organization_column(reference->columns[i]))
			continue;
		if (column == NULL)
			return NIL;
		result = lappend(result, assign(column, dbkit_made_value(target, reference->target_columns[i], &found)));
	}
	return result;
}

/* Run a statement, and once more without the rows that a unique key has it collide with. */
static Probe *
try_past_duplicates(const LeakTest *test, const Subject *subject, const char *sql, const List *rows)
{
	Probe	   *probe = try_statement(test, subject, sql, NIL, NULL);

	return met_a_duplicate(probe) ? try_statement(test, subject, sql, list_copy(rows), NULL) : probe;
}

/* Judge one try to reference the other's row. */
static LeakVerdict
judge_reference(const Probe *probe, const Reference *reference, char **detail)
{
	if (probe->error == NULL && probe->processed > 0)
	{
		*detail = psprintf("Foreign key %s accepts a row of the other organization's; it needs the organization's column in the key (rule tenant_key).",
						   quote_identifier(reference->name));
		return LEAKS;
	}
	if (met_bad_values(probe) && !failed_with(probe, ERRCODE_FOREIGN_KEY_VIOLATION))
		return undecided(probe, detail);
	return ISOLATED;
}

/* Try to reference the other's row by one foreign key: in a new row, or else in that which is there. */
static LeakVerdict
try_reference(const LeakTest *test, const Subject *subject, const Reference *reference, char **detail)
{
	List	   *changes = changes_to_reference(subject, reference);
	Row		   *mine = row_of(subject, MINE);
	Row		   *others = row_of(subject, OTHERS);
	bool		own_table = reference->target == subject->table;
	LeakVerdict inserted = NOT_TRIED;
	LeakVerdict updated = NOT_TRIED;

	if (may_assign(changes, true))
		inserted = judge_reference(try_past_duplicates(test, subject, write_insert(subject, mine, changes),
													   own_table ? list_make1(mine) : list_make2(mine, others)),
								   reference, detail);
	if (inserted == LEAKS || !may_assign(changes, false))
		return inserted;
	updated = judge_reference(try_past_duplicates(test, subject, write_update(subject, changes),
												  own_table ? NIL : list_make1(others)),
							  reference, detail);
	if (inserted == ISOLATED || updated == ISOLATED)
		*detail = updated == LEAKS ? *detail : NULL;
	return updated == UNDECIDED && inserted != NOT_TRIED ? inserted : updated;
}

/* Add to what was found what came of one more try; a leak is worse than what is not decided. */
static void
add_result(LeakVerdict *worst, char **details, LeakVerdict verdict, char *detail)
{
	*worst = *worst == LEAKS || verdict == LEAKS ? LEAKS : Max(*worst, verdict);
	if (detail != NULL)
		*details = *details == NULL ? detail : psprintf("%s\n%s", *details, detail);
}

/* Try to reference the other organization's rows. */
LeakVerdict
dbkit_try_reference(const LeakTest *test, const Subject *subject, char **detail)
{
	LeakVerdict worst = NOT_TRIED;
	ListCell   *cell;

	if (!has_both_rows(subject))
		return NOT_TRIED;
	foreach(cell, subject->table->references)
	{
		char	   *found = NULL;
		LeakVerdict verdict = try_reference(test, subject, lfirst(cell), &found);

		add_result(&worst, detail, verdict, found);
	}
	return worst;
}

/* Is a value one that nobody comes upon by trying? */
static bool
is_unguessable(const Column *column, Oid type, const char *value)
{
	return column->random_default || type == UUIDOID ||
		(value != NULL && dbkit_is_prefixed_id(cstring_to_text(value)));
}

/* Is a column part of a foreign key to rows of tenants? */
static bool
leads_to_tenants(const Table *table, const char *column)
{
	ListCell   *cell;

	foreach(cell, table->references)
	{
		const Reference *reference = lfirst(cell);

		for (int i = 0; reference->target->of_tenants && i < reference->ncolumns; i++)
		{
			if (strcmp(reference->columns[i], column) == 0)
				return true;
		}
	}
	return false;
}

/* Does the column keep a key from telling anything, as it is or because nobody can guess its values? */
static bool
keeps_quiet(const Table *table, const Column *column, Oid type, const char *value)
{
	return (table->tenant_column != NULL && strcmp(column->base, table->tenant_column) == 0) ||
		leads_to_tenants(table, column->base) || column->sequential ||
		is_unguessable(column, type, value);
}

/*
 * The columns of a unique key with the other organization's values, or NIL where a key is no
 * way to find out what it has: a column keeps organizations apart, cannot be guessed, or is
 * numbered by a sequence, which is a finding of its own.
 */
static List *
changes_to_collide(const Subject *subject, Relation table, Relation index)
{
	Bitmapset  *columns = dbkit_index_columns(index->rd_indextuple);
	List	   *result = NIL;
	int			member = -1;

	while ((member = bms_next_member(columns, member)) >= 0)
	{
		AttrNumber	attnum = member + FirstLowInvalidHeapAttributeNumber;
		Form_pg_attribute attribute;
		const Column *column;
		const char *value;
		bool		found;

		if (attnum <= 0)
			continue;			/* stands for an expression */
		attribute = TupleDescAttr(RelationGetDescr(table), attnum - 1);
		column = find_base_column(subject, NameStr(attribute->attname));
		if (column == NULL)
			return NIL;
		value = dbkit_made_value(row_of(subject, OTHERS), column->base, &found);
		if (keeps_quiet(subject->table, column, attribute->atttypid, value))
			return NIL;
		result = lappend(result, assign(column, value));
	}
	return result;
}

/* List for each unique key that may tell what the other organization has the values to try. */
static List *
list_keys_to_try(const Subject *subject)
{
	Relation	table = table_open(subject->table->relid, AccessShareLock);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, RelationGetIndexList(table))
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		List	   *changes = NIL;

		if (index->rd_index->indisunique && index->rd_index->indisvalid)
			changes = changes_to_collide(subject, table, index);
		if (changes != NIL)
			result = lappend(result, changes);
		index_close(index, NoLock);
	}
	table_close(table, NoLock);
	return result;
}

/* Is there a value in all the columns?  Nulls collide with nothing. */
static bool
has_values(const List *changes)
{
	const ListCell *cell;

	foreach(cell, changes)
	{
		if (((const Assignment *) lfirst(cell))->value == NULL)
			return false;
	}
	return true;
}

/* Does a statement collide with the row of the other organization, and with nothing else? */
static bool
collides(const LeakTest *test, const Subject *subject, const char *sql, Row *removed)
{
	List	   *rows = removed == NULL ? NIL : list_make1(removed);
	List	   *both = lappend(list_copy(rows), row_of(subject, OTHERS));

	return met_a_duplicate(try_statement(test, subject, sql, rows, NULL)) &&
		!met_a_duplicate(try_statement(test, subject, sql, both, NULL));
}

/* Try whether a unique key tells what the other organization has. */
static bool
key_tells(const LeakTest *test, const Subject *subject, const List *changes)
{
	Row		   *mine = row_of(subject, MINE);

	return (may_assign(changes, true) &&
			collides(test, subject, write_insert(subject, mine, changes), mine)) ||
		(may_assign(changes, false) &&
		 collides(test, subject, write_update(subject, changes), NULL));
}

/* Try to find out by one unique key what the other organization has. */
static LeakVerdict
try_unique_key(const LeakTest *test, const Subject *subject, const List *changes, char **detail)
{
	const char *column = ((const Assignment *) linitial(changes))->column->quoted;

	if (!may_assign(changes, true) && !may_assign(changes, false))
		return NOT_TRIED;
	if (!has_values(changes))
	{
		*detail = psprintf("The unique key on %s was not tried, because no row could be made with a value there.", column);
		return UNDECIDED;
	}
	if (!key_tells(test, subject, changes))
		return ISOLATED;
	*detail = psprintf("A unique key on %s refuses what the other organization has, and so tells that it is there; begin the key with the organization's column.",
					   column);
	return LEAKS;
}

/* Try to find out by unique keys what the other organization has. */
LeakVerdict
dbkit_try_unique_keys(const LeakTest *test, const Subject *subject, char **detail)
{
	LeakVerdict worst = NOT_TRIED;
	ListCell   *cell;

	if (!has_both_rows(subject) || subject->relkind == RELKIND_VIEW)
		return NOT_TRIED;
	foreach(cell, list_keys_to_try(subject))
	{
		char	   *found = NULL;
		LeakVerdict verdict = try_unique_key(test, subject, lfirst(cell), &found);

		add_result(&worst, detail, verdict, found);
	}
	return worst;
}

/* Are there ids that lead to those of other organizations? */
LeakVerdict
dbkit_try_guess(const LeakTest *test pg_attribute_unused(), const Subject *subject, char **detail)
{
	ListCell   *cell;

	if (subject->table == NULL || !subject->table->of_tenants || subject->relkind == RELKIND_VIEW)
		return NOT_TRIED;
	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);

		if (!column->sequential || !(column->readable || column->insertable))
			continue;
		*detail = psprintf("Column %s counts the rows of all organizations in one sequence: its values tell how many there are, and what the next ones will be.",
						   column->quoted);
		return dbkit_agreement()->id_style == ID_BIGINT ? LEAKS_AS_AGREED : LEAKS;
	}
	return NOT_TRIED;
}
