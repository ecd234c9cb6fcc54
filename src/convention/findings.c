/*-------------------------------------------------------------------------
 *
 * findings.c
 *		Make findings, and the SQL that fixes them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/table.h"
#include "convention/findings.h"
#include "convention/rules/rules.h"
#include "convention/facts/type_walk.h"

/* As appendStringInfo(), but with a va_list. */
static void append_va(StringInfo text, const char *format, va_list args) pg_attribute_printf(2, 0);

static void
append_va(StringInfo text, const char *format, va_list args)
{
	int			needed;

	do
	{
		va_list		copy;

		va_copy(copy, args);
		needed = appendStringInfoVA(text, format, copy);
		va_end(copy);
		if (needed > 0)
			enlargeStringInfo(text, needed);
	} while (needed > 0);
}

/* Return the number of the column of that name as a list; NIL where there is none. */
static List *
find_attnums(const Facts *facts, const char *name)
{
	ListCell   *lc;

	if (name == NULL)
		return NIL;
	/* Mostly it is the column's own: a wide table may have a finding on each */
	foreach(lc, facts->read.columns)
	{
		const ColumnFacts *column = lfirst(lc);

		if (column->name == name)
			return list_make1_int(column->attnum);
	}
	foreach(lc, facts->read.columns)
	{
		const ColumnFacts *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return list_make1_int(column->attnum);
	}
	return NIL;
}

/* Add a finding about a column, or about the whole object for NULL. */
Finding *
dbkit_add_finding(Judgement *judgement, const char *column, const char *format,...)
{
	Finding    *finding = palloc0(sizeof(Finding));
	StringInfoData problem;
	va_list		args;

	initStringInfo(&problem);
	va_start(args, format);
	append_va(&problem, format, args);
	va_end(args);

	finding->rule = judgement->rule;
	finding->level = judgement->level;
	finding->facts = judgement->facts;
	finding->column = column;
	finding->problem = problem.data;
	finding->attnums = find_attnums(judgement->facts, column);
	finding->faults = FAULT_ANY;
	judgement->findings = lappend(judgement->findings, finding);
	return finding;
}

/* Say what is wrong, and what can be wrong behind that unsaid. */
void
dbkit_set_faults(Finding *finding, FaultSet faults, FaultSet hidden)
{
	finding->faults = faults;
	finding->hidden = hidden;
}

/* Say that a column of that name is missing, behind which the rule says nothing of those faults. */
void
dbkit_set_missing(Finding *finding, const char *column, FaultSet hidden)
{
	finding->subject = column;
	dbkit_set_faults(finding, FAULT_MISSING, hidden);
}

/* Say which columns the finding is about. */
void
dbkit_set_columns(Finding *finding, const List *attnums)
{
	finding->attnums = list_copy(attnums);
	list_sort(finding->attnums, list_int_cmp);
}

/*
 * Of the state before, note that a rule did not look for some faults because there was no
 * such column: what it finds once there is one is not new.
 */
void
dbkit_hide_faults(Judgement *judgement, const char *missing_column, FaultSet hidden)
{
	if (judgement->facts->catalogs->snapshot != NULL)
		dbkit_set_missing(dbkit_add_finding(judgement, NULL, "there is no column"),
						  missing_column, hidden);
}

/* Add an action of the ALTER TABLE that fixes the finding. */
void
dbkit_add_alter(Finding *finding, char *action)
{
	finding->alter = lappend(finding->alter, action);
}

/* Is an ALTER TABLE that adds or retypes columns allowed?  What was there before needs no fix. */
static bool
columns_alterable(const Facts *facts)
{
	return !facts->typed && facts->catalogs->snapshot == NULL;
}

/* Does the table inherit?  Then the fix of its parent may come first. */
static bool
inherits(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		if (((ColumnFacts *) lfirst(lc))->inherited)
			return true;
	}
	return false;
}

/* Add ADD COLUMN as the fix. */
void
dbkit_add_column(Finding *finding, const char *column, const char *definition)
{
	if (columns_alterable(finding->facts))
		dbkit_add_alter(finding, psprintf("ADD COLUMN %s%s %s",
										  inherits(finding->facts) ? "IF NOT EXISTS " : "",
										  quote_identifier(column), definition));
}

/*
 * Add ALTER COLUMN ... TYPE as the fix, where PostgreSQL can convert.  A
 * timestamp without time zone and a date are taken as UTC, so that the result
 * does not depend on the session that runs the fix; for arrays of them no
 * expression does that.
 */
void
dbkit_add_retype(Finding *finding, const ColumnFacts *column, Oid target,
				 const char *definition)
{
	Oid			source = column->type;
	const char *name = quote_identifier(column->name);
	const char *using = "";

	if (!columns_alterable(finding->facts) || dbkit_column_type_is_fixed(finding->facts, column))
		return;
	if (column->identity && target != INT8OID)
		return;
	if (target == TIMESTAMPTZARRAYOID)
		return;
	if (target == TIMESTAMPTZOID && column->base_type == TIMESTAMPOID)
		using = psprintf(" USING %s AT TIME ZONE 'UTC'", name);
	else if (target == TIMESTAMPTZOID && column->base_type == DATEOID)
		using = psprintf(" USING %s::timestamp AT TIME ZONE 'UTC'", name);
	else if ((target == INT8RANGEOID || target == INT8MULTIRANGEOID) &&
			 !dbkit_column_has_default(column))
		using = psprintf(" USING %s::text::%s", name, definition);
	else if (!can_coerce_type(1, &source, &target, COERCION_ASSIGNMENT))
		return;
	if (*using && column->generated)
		return;
	dbkit_add_alter(finding, psprintf("ALTER COLUMN %s TYPE %s%s", name, definition, using));
}

/*
 * Add what is wrong with a column to the list, empty at first: "is integer, may
 * be null".
 */
void
dbkit_add_wrong(Wrong *wrong, FaultSet fault, const char *format,...)
{
	va_list		args;

	if (wrong->text.data == NULL)
		initStringInfo(&wrong->text);
	else
		appendStringInfoString(&wrong->text, ", ");
	va_start(args, format);
	append_va(&wrong->text, format, args);
	va_end(args);
	wrong->faults |= fault;
}

/*
 * Add that the column is not the primary key, as it has to be.  The key of a
 * partitioned table has the partition key as well.
 */
void
dbkit_check_key(Wrong *wrong, const Facts *facts, const ColumnFacts *column)
{
	if (dbkit_facts_key(facts) == NIL)
		dbkit_add_wrong(wrong, FAULT_NO_KEY, "is not the primary key");
	else if (!list_member_int(dbkit_facts_key(facts), column->attnum))
		dbkit_add_wrong(wrong, FAULT_OTHER_KEY, "is not the primary key, which is (%s)", dbkit_facts_column_names(facts, dbkit_facts_key(facts)));
	else if (!facts->partitioned && list_length(dbkit_facts_key(facts)) > 1)
		dbkit_add_wrong(wrong, FAULT_WIDE_KEY, "is not the whole primary key, which is (%s)",
						dbkit_facts_column_names(facts, dbkit_facts_key(facts)));
	if (wrong->faults & FAULT_NO_KEY)
		wrong->hidden |= FAULT_OTHER_KEY;
	if (wrong->faults & (FAULT_NO_KEY | FAULT_OTHER_KEY))
		wrong->hidden |= FAULT_WIDE_KEY;
}

/* Add that the column is of another type than it has to be. */
void
dbkit_check_type(Wrong *wrong, const ColumnFacts *column, Oid type)
{
	if (column->base_type == type)
		return;
	dbkit_add_wrong(wrong, FAULT_TYPE, "is %s", dbkit_type_name(column->type));
	/* Only of that type something is said of these */
	wrong->hidden |= FAULT_COLLATION | FAULT_DEFAULT;
}

/* Add a line to a text. */
void
dbkit_append_line(StringInfo text, const char *line)
{
	if (text->len > 0)
		appendStringInfoChar(text, '\n');
	appendStringInfoString(text, line);
}

bool
dbkit_same_object(const Finding *a, const Finding *b)
{
	return a->facts->classid == b->facts->classid && a->facts->objid == b->facts->objid;
}

/* Append one ALTER TABLE with all actions that the findings of one object ask for. */
static void
append_alter(StringInfo sql, const List *findings, const Finding *object)
{
	StringInfoData actions;
	ListCell   *lc;

	initStringInfo(&actions);
	foreach(lc, findings)
	{
		Finding    *finding = lfirst(lc);
		ListCell   *action;

		if (!dbkit_same_object(finding, object))
			continue;
		foreach(action, finding->alter)
			appendStringInfo(&actions, "%s%s", actions.len > 0 ? ", " : "",
							 (char *) lfirst(action));
	}
	if (actions.len > 0)
		dbkit_append_line(sql, psprintf("ALTER TABLE %s %s;",
										dbkit_facts_identity(object->facts), actions.data));
}

/* Is the string in the list? */
bool
dbkit_list_has_string(const List *list, const char *string)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		if (strcmp(lfirst(lc), string) == 0)
			return true;
	}
	return false;
}

/*
 * Leave what several findings of an object ask for to the first of them; those
 * before "from" are of other objects.  All fixes are there to be run, and ALTER
 * COLUMN created_at TYPE timestamptz USING created_at AT TIME ZONE 'UTC', run
 * twice, moves the times.
 */
void
dbkit_drop_repeated_fixes(List *findings, int from)
{
	List	   *seen = NIL;

	for (int i = from; i < list_length(findings); i++)
	{
		Finding    *finding = list_nth(findings, i);
		List	   *kept = NIL;
		ListCell   *action;

		foreach(action, finding->alter)
		{
			if (!dbkit_list_has_string(seen, lfirst(action)))
				kept = lappend(kept, lfirst(action));
		}
		finding->alter = kept;
		seen = list_concat(seen, kept);
		if (finding->statement != NULL && dbkit_list_has_string(seen, finding->statement))
			finding->statement = NULL;
		if (finding->statement != NULL)
			seen = lappend(seen, finding->statement);
	}
}

/*
 * Return the SQL that fixes the findings, ready to run, or NULL where there is
 * none: for each object one ALTER TABLE, then what else is to be done.
 */
char *
dbkit_fix(const List *findings)
{
	StringInfoData sql;
	const Finding *last = NULL;
	ListCell   *lc;

	initStringInfo(&sql);
	foreach(lc, findings)
	{
		Finding    *finding = lfirst(lc);

		/* The findings of one object stand together */
		if (last == NULL || !dbkit_same_object(last, finding))
			append_alter(&sql, findings, finding);
		if (finding->statement != NULL)
			dbkit_append_line(&sql, finding->statement);
		last = finding;
	}
	return sql.len > 0 ? sql.data : NULL;
}
