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

#include "cluster.h"
#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/columns.h"
#include "convention/facts/dependents.h"
#include "convention/findings.h"
#include "convention/members.h"
#include "convention/rules/rules.h"
#include "convention/facts/type_walk.h"
#include "relation_name.h"

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

/*
 * Add what fixes a finding, or a part of it.  What SQL there is for a table that exists
 * may be NULL: then only the text of a new table can have it so.
 */
Action *
dbkit_add_action(Finding *finding, ActionKind kind, const char *name, const char *text, const char *sql)
{
	Action	   *action = palloc0(sizeof(Action));

	action->kind = kind;
	action->name = name;
	action->text = text;

	action->sql = sql;
	action->risk = RISK_BREAKS;
	finding->actions = lappend(finding->actions, action);
	return action;
}

/* Add an action of the ALTER TABLE that fixes the finding. */
void
dbkit_add_alter(Finding *finding, FixRisk risk, const char *sql)
{
	dbkit_add_action(finding, ACTION_ALTER, NULL, NULL, sql)->risk = risk;
}

/* Add a statement that fixes the finding. */
void
dbkit_add_statement(Finding *finding, FixRisk risk, const char *sql)
{
	dbkit_add_action(finding, ACTION_STATEMENT, NULL, NULL, sql)->risk = risk;
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

/*
 * Can a column of that name be added to the table, and at what risk?  PostgreSQL refuses it
 * where another table has a column of the row type, and where a child has one of that name
 * and another type; a function that returns such rows by naming their columns fails afterwards.
 * So does all that is written through a foreign table below, where the other server has no such column.
 */
bool
dbkit_can_add_column(const Facts *facts, const char *column, FixRisk *risk)
{
	RowTypeUse	use = dbkit_row_type_use(facts);

	*risk = use == ROW_TYPE_UNUSED && !dbkit_is_published(facts) ? RISK_SAFE : RISK_BREAKS;
	return !facts->typed && use != ROW_TYPE_IN_COLUMN && !dbkit_child_has_column(facts, column) &&
		!dbkit_has_foreign_member(facts);
}

/* Add ADD COLUMN as the fix; what was there before needs none. */
void
dbkit_add_column(Finding *finding, const char *column, const char *definition)
{
	FixRisk		risk;
	bool		addable;

	if (finding->facts->typed || finding->facts->catalogs->snapshot != NULL)
		return;
	addable = dbkit_can_add_column(finding->facts, column, &risk);
	dbkit_add_action(finding, ACTION_ADD_COLUMN, column, definition, !addable ? NULL :
					 psprintf("ADD COLUMN %s%s %s",
							  inherits(finding->facts) ? "IF NOT EXISTS " : "",
							  quote_identifier(column), definition))->risk = risk;
}

/* Are there integers of a type that the other one does not have?  They may be in the table. */
static bool
is_narrower(Oid type, Oid target)
{
	return (type == INT8OID && (target == INT4OID || target == INT2OID)) ||
		(type == INT4OID && target == INT2OID);
}

/*
 * Return how to convert a column to another type, as a clause of ALTER COLUMN ... TYPE, or
 * NULL where PostgreSQL cannot.  A timestamp without time zone and a date are taken as
 * UTC, so that the result does not depend on the session that runs the fix; for arrays of
 * them no expression does that.  A domain's NOT NULL and CHECKs would be gone.
 */
static const char *
find_conversion(const Facts *facts, const ColumnFacts *column, Oid target, const char *definition, bool new_default)
{
	Oid			source = column->type;
	const char *name = quote_identifier(column->name);
	const char *using = "";

	if (facts->typed || column->inherited || column->type != column->base_type ||
		dbkit_keeps_type(facts, column, target, new_default))
		return NULL;
	if (column->identity && target != INT8OID)
		return NULL;
	if (target == TIMESTAMPTZARRAYOID || is_narrower(column->base_type, target))
		return NULL;
	if (target == TIMESTAMPTZOID && column->base_type == TIMESTAMPOID)
		using = psprintf(" USING %s AT TIME ZONE 'UTC'", name);
	else if (target == TIMESTAMPTZOID && column->base_type == DATEOID)
		using = psprintf(" USING %s::timestamp AT TIME ZONE 'UTC'", name);
	else if ((target == INT8RANGEOID || target == INT8MULTIRANGEOID) &&
			 !dbkit_column_has_default(column))
		using = psprintf(" USING %s::text::%s", name, definition);
	else if (!can_coerce_type(1, &source, &target, COERCION_ASSIGNMENT))
		return NULL;
	return *using && column->generated ? NULL : using;
}

/* Does the column reference one that is of another type, so that both have to change? */
static bool
references_other_type(const Facts *facts, const ColumnFacts *column, Oid target)
{
	ColumnFacts referenced;

	return (facts->visible & FACT_FOREIGN_KEYS) != 0 &&
		dbkit_find_reference(facts, column, &referenced) && referenced.base_type != target;
}

/* Add that the sequence of a serial column is to go as far as the column. */
static void
add_sequence(Finding *finding, const ColumnFacts *column, bool both_ends)
{
	const char *sequence = dbkit_find_relation_name(dbkit_column_sequence(finding->facts, column));

	if (sequence != NULL)
		dbkit_add_action(finding, ACTION_ALTER_SEQUENCE, column->name, NULL,
						 psprintf("ALTER SEQUENCE %s AS bigint;", sequence))->both_ends = both_ends;
}

/* Add ALTER COLUMN ... TYPE as the fix, of a column that may be about to get a new default as well. */
static Action *
add_retype(Finding *finding, const ColumnFacts *column, Oid target, const char *definition, bool new_default)
{
	const char *conversion;
	const char *alter;
	Action	   *action;

	if (finding->facts->catalogs->snapshot != NULL)
		return NULL;
	conversion = find_conversion(finding->facts, column, target, definition, new_default);
	alter = psprintf("ALTER COLUMN %s TYPE %s", quote_identifier(column->name), definition);
	action = dbkit_add_action(finding, ACTION_SET_TYPE, column->name, definition,
							  conversion == NULL ? NULL : psprintf("%s%s", alter, conversion));
	action->type = target;
	action->both_ends = references_other_type(finding->facts, column, target);
	if (conversion == NULL)
		return NULL;
	if (target == TIMESTAMPTZOID && column->base_type == TIMESTAMPOID)
		action->sql_in_utc = alter;
	if (target == INT8OID)
		add_sequence(finding, column, action->both_ends);
	return action;
}

/*
 * Add ALTER COLUMN ... TYPE as the fix, and return it, or NULL where PostgreSQL cannot
 * convert the column.  What was there before needs none.
 */
Action *
dbkit_add_retype(Finding *finding, const ColumnFacts *column, Oid target, const char *definition)
{
	return add_retype(finding, column, target, definition, false);
}

/* The same for a column that is to be timestamptz, and that may be about to get a new default as well. */
Action *
dbkit_add_clock_retype(Finding *finding, const ColumnFacts *column, bool new_default)
{
	return add_retype(finding, column, TIMESTAMPTZOID, "timestamptz", new_default);
}

/*
 * Add that the id, a smaller integer, is to be bigint.  That is no fix by itself: what
 * references it has to go with it.
 */
void
dbkit_add_id_retype(Finding *finding, const ColumnFacts *id)
{
	Action	   *action = dbkit_add_retype(finding, id, INT8OID, "bigint");
	ListCell   *lc;

	if (action == NULL)
		return;
	foreach(lc, finding->actions)
	{
		action = lfirst(lc);
		if (action->kind == ACTION_SET_TYPE || action->kind == ACTION_ALTER_SEQUENCE)
			action->both_ends = true;
	}
}

/* Add that a column is to be NOT NULL, which one that exists may not be able to become. */
void
dbkit_add_not_null(Finding *finding, const char *column, bool alterable)
{
	(void) dbkit_add_action(finding, ACTION_SET_NOT_NULL, column, NULL,
							alterable ? psprintf("ALTER COLUMN %s SET NOT NULL", quote_identifier(column)) : NULL);
}

/* Add the clause by which a column gets its value, which one that exists may not be able to have. */
Action *
dbkit_add_value(Finding *finding, const char *column, const char *value, bool alterable)
{
	return dbkit_add_action(finding, ACTION_SET_VALUE, column, value,
							alterable ? psprintf("ALTER COLUMN %s SET %s", quote_identifier(column), value) : NULL);
}

/* Add that a constraint is to go, from a table that exists only where that is a part of a fix. */
void
dbkit_add_drop_constraint(Finding *finding, const char *constraint, bool alterable)
{
	(void) dbkit_add_action(finding, ACTION_DROP_CONSTRAINT, constraint, NULL,
							alterable ? psprintf("DROP CONSTRAINT %s", quote_identifier(constraint)) : NULL);
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
 * Is it the key of a table in a cluster?  It has to contain the column by which the rows are
 * distributed; of a table that is not distributed yet, that may be the column of its tenant.
 */
static bool
is_key_in_cluster(const Facts *facts)
{
	const List *key = dbkit_facts_key(facts);
	AttrNumber	distribution;
	const ColumnFacts *column;

	if (!dbkit_cluster_is_at_work() || list_length(key) != 2)
		return false;
	distribution = dbkit_distribution_column(facts->objid);
	if (distribution == InvalidAttrNumber)
	{
		column = dbkit_facts_listed_column(facts, dbkit_agreement()->organization_columns);
		distribution = column != NULL ? column->attnum : InvalidAttrNumber;
	}
	return list_member_int(key, distribution);
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
	else if (!facts->partitioned && list_length(dbkit_facts_key(facts)) > 1 && !is_key_in_cluster(facts))
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

/* Return the statement that gives a column another name. */
char *
dbkit_rename_sql(const Facts *facts, const char *column, const char *name)
{
	return psprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;", dbkit_facts_identity(facts),
					quote_identifier(column), quote_identifier(name));
}

/* Is it a statement of its own, and not a part of an ALTER TABLE? */
bool
dbkit_is_statement(const Action *action)
{
	return action->kind >= ACTION_RENAME_COLUMN;
}

/* Is it SQL that can be run by itself? */
static bool
is_runnable(const Action *action)
{
	return action->sql != NULL && !action->both_ends;
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
		ListCell   *cell;

		if (!dbkit_same_object(finding, object))
			continue;
		foreach(cell, finding->actions)
		{
			const Action *action = lfirst(cell);

			if (is_runnable(action) && !dbkit_is_statement(action))
				appendStringInfo(&actions, "%s%s", actions.len > 0 ? ", " : "", action->sql);
		}
	}
	if (actions.len > 0)
		dbkit_append_line(sql, psprintf("ALTER TABLE %s %s;",
										dbkit_facts_identity(object->facts), actions.data));
}

/* Append the statements that fix a finding. */
static void
append_statements(StringInfo sql, const Finding *finding)
{
	ListCell   *lc;

	foreach(lc, finding->actions)
	{
		const Action *action = lfirst(lc);

		if (is_runnable(action) && dbkit_is_statement(action))
			dbkit_append_line(sql, action->sql);
	}
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
		ListCell   *lc;

		foreach(lc, finding->actions)
		{
			const Action *action = lfirst(lc);

			if (action->sql == NULL)
				continue;
			if (dbkit_list_has_string(seen, action->sql))
				finding->actions = foreach_delete_current(finding->actions, lc);
			else
				seen = lappend(seen, unconstify(char *, action->sql));
		}
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
		append_statements(&sql, finding);
		last = finding;
	}
	return sql.len > 0 ? sql.data : NULL;
}

/* Return the name of a risk. */
const char *
dbkit_risk_name(FixRisk risk)
{
	static const char *const names[] = {
		[RISK_SAFE] = "safe",
		[RISK_LOCKS] = "locks",
		[RISK_BREAKS] = "breaks"
	};

	return names[risk];
}

/* Return the name of the worst that an action for the finding does, which may be one for both ends of a key. */
const char *
dbkit_worst_risk(const Finding *finding)
{
	FixRisk		worst = RISK_SAFE;
	ListCell   *lc;

	foreach(lc, finding->actions)
	{
		const Action *action = lfirst(lc);

		if (action->sql != NULL)
			worst = Max(worst, action->risk);
	}
	return dbkit_risk_name(worst);
}
