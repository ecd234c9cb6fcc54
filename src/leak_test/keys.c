/*-------------------------------------------------------------------------
 *
 * keys.c
 *		Try to reach rows of another organization by foreign keys, unique keys and sequences.
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
#include "leak_test/trial.h"

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
		result = lappend(result, dbkit_assign(column, dbkit_made_value(target, reference->target_columns[i], &found)));
	}
	return result;
}

/* Run a statement, and once more without the rows that a unique key has it collide with. */
static Probe *
try_past_duplicates(const LeakTest *test, const Subject *subject, const char *sql, const List *rows)
{
	Probe	   *probe = dbkit_try_statement(test, subject, sql, NIL, NULL);

	return dbkit_met_a_duplicate(probe) ? dbkit_try_statement(test, subject, sql, list_copy(rows), NULL) : probe;
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
	if (dbkit_met_bad_values(probe) && !dbkit_failed_with(probe, ERRCODE_FOREIGN_KEY_VIOLATION))
		return dbkit_undecided(probe, detail);
	return ISOLATED;
}

/* Try to reference the other's row by one foreign key: in a new row, or else in that which is there. */
static LeakVerdict
try_reference(const LeakTest *test, const Subject *subject, const Reference *reference, char **detail)
{
	List	   *changes = changes_to_reference(subject, reference);
	Row		   *mine = dbkit_row_of(subject, MINE);
	Row		   *others = dbkit_row_of(subject, OTHERS);
	bool		own_table = reference->target == subject->table;
	LeakVerdict inserted = NOT_TRIED;
	LeakVerdict updated = NOT_TRIED;

	if (dbkit_may_assign(changes, true))
		inserted = judge_reference(try_past_duplicates(test, subject, dbkit_write_insert(subject, mine, changes),
													   own_table ? list_make1(mine) : list_make2(mine, others)),
								   reference, detail);
	if (inserted == LEAKS || !dbkit_may_assign(changes, false))
		return inserted;
	updated = judge_reference(try_past_duplicates(test, subject, dbkit_write_update(subject, changes),
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

	if (!dbkit_has_both_rows(subject))
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
		value = dbkit_made_value(dbkit_row_of(subject, OTHERS), column->base, &found);
		if (keeps_quiet(subject->table, column, attribute->atttypid, value))
			return NIL;
		result = lappend(result, dbkit_assign(column, value));
	}
	return result;
}

/* List for each unique or exclusion key that may tell what the other organization has the values to try. */
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

		if ((index->rd_index->indisunique || index->rd_index->indisexclusion) && index->rd_index->indisvalid)
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
	List	   *both = lappend(list_copy(rows), dbkit_row_of(subject, OTHERS));

	return dbkit_met_a_duplicate(dbkit_try_statement(test, subject, sql, rows, NULL)) &&
		!dbkit_met_a_duplicate(dbkit_try_statement(test, subject, sql, both, NULL));
}

/* Try whether a unique key tells what the other organization has. */
static bool
key_tells(const LeakTest *test, const Subject *subject, const List *changes)
{
	Row		   *mine = dbkit_row_of(subject, MINE);

	return (dbkit_may_assign(changes, true) &&
			collides(test, subject, dbkit_write_insert(subject, mine, changes), mine)) ||
		(dbkit_may_assign(changes, false) &&
		 collides(test, subject, dbkit_write_update(subject, changes), NULL));
}

/* Try to find out by one unique key what the other organization has. */
static LeakVerdict
try_unique_key(const LeakTest *test, const Subject *subject, const List *changes, char **detail)
{
	const char *column = ((const Assignment *) linitial(changes))->column->quoted;

	if (!dbkit_may_assign(changes, true) && !dbkit_may_assign(changes, false))
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

	if (!dbkit_has_both_rows(subject) || subject->relkind == RELKIND_VIEW)
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
