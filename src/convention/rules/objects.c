/*-------------------------------------------------------------------------
 *
 * objects.c
 *		Rules about whole objects: enum tables, the trigger, the comment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/expression.h"
#include "convention/facts/table.h"
#include "convention/facts/triggers.h"
#include "convention/members.h"
#include "convention/own_objects.h"
#include "convention/rules/files.h"
#include "convention/listed_names.h"

static void
judge_enum_table(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *value = dbkit_facts_column(facts, "value");
	Wrong		wrong = {.faults = 0};
	Finding    *finding;

	if (value == NULL)
	{
		finding = dbkit_add_finding(judgement, NULL,
									"there is no column \"value\"; use value text PRIMARY KEY");
		dbkit_set_missing(finding, "value", FAULT_KEY);
		dbkit_add_action(finding, ACTION_ADD_COLUMN, "value", "text", NULL)->type = TEXTOID;
		(void) dbkit_add_action(finding, ACTION_SET_KEY, "value", NULL, NULL);
		return;
	}
	dbkit_check_type(&wrong, value, TEXTOID);
	dbkit_check_key(&wrong, facts, value);
	if (wrong.faults == 0)
		return;
	finding = dbkit_add_finding(judgement, "value",
								"column \"value\" %s; use value text PRIMARY KEY", wrong.text.data);
	dbkit_set_faults(finding, wrong.faults, wrong.hidden);
	if (wrong.faults & FAULT_TYPE)
		dbkit_add_action(finding, ACTION_SET_TYPE, "value", "text", NULL)->type = TEXTOID;
	if (wrong.faults & FAULT_KEY)
		(void) dbkit_add_action(finding, ACTION_SET_KEY, "value", NULL, NULL);
}

/* The column that is to be set */
typedef struct UpdatedAt
{
	const Facts *facts;
	const char *column;
} UpdatedAt;

/* Does the trigger run updated_at() for the column of that name, or a function of the team's own? */
static bool
runs_updated_at(const TriggerFacts *trigger, const UpdatedAt *sought)
{
	if (dbkit_is_function(trigger->function, "updated_at"))
		return strcmp(trigger->argument != NULL ? trigger->argument : "updated_at", sought->column) == 0;
	return dbkit_is_updated_at_function(sought->facts->catalogs, trigger->function);
}

/* Is it a trigger that may change whatever row is changed? */
static bool
sees_all_updates(const TriggerFacts *trigger)
{
	return !trigger->some_columns && dbkit_lets_changes_pass(trigger->condition) &&
		TRIGGER_FOR_ROW(trigger->type) && TRIGGER_FOR_BEFORE(trigger->type) &&
		TRIGGER_FOR_UPDATE(trigger->type);
}

/* Is it a BEFORE UPDATE row trigger that sets the column whenever a row changes? */
static bool
sets_updated_at(const TriggerFacts *trigger, const void *sought)
{
	return sees_all_updates(trigger) && runs_updated_at(trigger, sought);
}

/* Is it such a trigger, and enabled? */
static bool
keeps_updated_at(const TriggerFacts *trigger, const void *sought)
{
	return trigger->enabled && sets_updated_at(trigger, sought);
}

/* Is it one that seems to set the column, with a function of which the agreement says nothing? */
static bool
seems_to_set(const TriggerFacts *trigger, const void *arg)
{
	const UpdatedAt *sought = arg;

	return trigger->enabled && sees_all_updates(trigger) &&
		!dbkit_is_function(trigger->function, "updated_at") &&
		dbkit_seems_to_set(sought->facts, trigger, sought->column);
}

static bool
is_named(const TriggerFacts *trigger, const void *name)
{
	return strcmp(trigger->name, name) == 0;
}

/* Report that the trigger is disabled. */
static void
report_disabled(Judgement *judgement, const TriggerFacts *trigger)
{
	char	   *action = psprintf("ENABLE TRIGGER %s", quote_identifier(trigger->name));

	dbkit_add_alter(dbkit_add_finding(judgement, NULL,
									  "trigger \"%s\" is disabled; use ALTER TABLE %s %s",
									  trigger->name, dbkit_facts_identity(judgement->facts), action),
					RISK_BREAKS, action);
}

/*
 * Report that a trigger of the team's own seems to do it, and how to say so.  That is no fix:
 * it is the team's to agree, not that of who changes the table.
 */
static void
report_unnamed(Judgement *judgement, const TriggerFacts *trigger, const char *column)
{
	dbkit_add_finding(judgement, NULL,
					  "trigger \"%s\" may set column \"%s\", but the agreement does not name its function; use SELECT dbkit.agree(%s)",
					  trigger->name, column,
					  quote_literal_cstr(dbkit_updated_at_functions_with(trigger->function)));
}

/* Return the call with which a trigger keeps the column up to date: of the team's function or dbkit's. */
static const char *
trigger_call(const ListedName *own, const char *column)
{
	if (own != NULL)
		return psprintf("%s()", dbkit_listed_name(own->schema, own->name));
	return psprintf("%s(%s)", dbkit_function_name("updated_at"),
					strcmp(column, "updated_at") == 0 ? "" : quote_literal_cstr(column));
}

static bool
sees_updated_rows(const TriggerFacts *trigger, const void *arg pg_attribute_unused())
{
	return TRIGGER_FOR_ROW(trigger->type) && TRIGGER_FOR_UPDATE(trigger->type);
}

/*
 * Add the trigger as the fix.  Of a column that is there an application may have kept care itself; one
 * that is missing has to be added first, and then only another trigger can notice that it changes.
 */
static void
add_trigger(Finding *finding, const char *column, const char *statement)
{
	const Facts *facts = finding->facts;
	FixRisk		risk = RISK_BREAKS;

	if (facts->catalogs->snapshot != NULL)
		return;
	if (dbkit_facts_column(facts, column) == NULL)
	{
		if (!dbkit_can_add_column(facts, column, &risk))
			return;
		if (dbkit_find_trigger(facts, sees_updated_rows, NULL) != NULL)
			risk = RISK_BREAKS;
	}
	dbkit_add_statement(finding, risk, statement);
}

/*
 * Write which trigger is to be made: updated_at, in place of another one of the table, or with a number
 * where a partition has an updated_at for itself.
 */
static const char *
write_new_trigger(const Facts *facts)
{
	const char *name = "updated_at";
	int			number = 0;

	if (!dbkit_partition_has_trigger(facts, name))
		return dbkit_find_trigger(facts, is_named, name) != NULL ? "OR REPLACE TRIGGER updated_at" : "TRIGGER updated_at";
	do
		name = psprintf("updated_at_%d", ++number);
	while (dbkit_find_trigger(facts, is_named, name) != NULL || dbkit_partition_has_trigger(facts, name));
	return psprintf("TRIGGER %s", name);
}

/*
 * Report that there is no trigger.  It is no fix to run a function of whose name only is known:
 * anybody may have one of that name.
 */
static void
report_missing_trigger(Judgement *judgement, const char *column)
{
	const Facts *facts = judgement->facts;
	const ListedName *own = dbkit_own_updated_at_function();
	char	   *statement = psprintf("CREATE %s BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s;",
									 write_new_trigger(facts), dbkit_facts_identity(facts), trigger_call(own, column));
	Finding    *finding;

	finding = dbkit_add_finding(judgement, NULL,
								"no BEFORE UPDATE row trigger runs %s(); use %.*s",
								own != NULL ? dbkit_listed_name(own->schema, own->name) : "updated_at",
								(int) strlen(statement) - 1, statement);
	if (own == NULL || own->schema != NULL)
		add_trigger(finding, column, statement);
}

/* Judge that a trigger keeps updated_at up to date. */
static void
judge_updated_at_trigger(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const List *names = dbkit_agreement()->updated_at_columns;
	const ColumnFacts *column = dbkit_facts_listed_column(facts, names);
	const char *name = column != NULL ? column->name : names != NIL ? linitial(names) : NULL;
	UpdatedAt	sought = {facts, name};
	const TriggerFacts *trigger;

	if (name == NULL || dbkit_find_trigger(facts, keeps_updated_at, &sought) != NULL)
		return;
	if ((trigger = dbkit_find_trigger(facts, sets_updated_at, &sought)) != NULL)
		report_disabled(judgement, trigger);
	else if ((trigger = dbkit_find_trigger(facts, seems_to_set, &sought)) != NULL)
		report_unnamed(judgement, trigger, name);
	else
		report_missing_trigger(judgement, name);
}

/* Judge that a table has a comment. */
static void
judge_table_comment(Judgement *judgement)
{
	const Facts *facts = judgement->facts;


	if (!dbkit_has_comment(facts, NULL))
		dbkit_add_finding(judgement, NULL, "there is no comment; use COMMENT ON TABLE %s IS '...'",
						  dbkit_facts_identity(facts));
}

Rule		dbkit_object_rules[] = {
	{
		.id = "enum_table",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_ENUM_TABLE,
		.needs = FACT_KEY | FACT_COLUMNS,
		.level = LEVEL_ERROR,
		.description = "a table *_enum is value TEXT PRIMARY KEY, and other columns only beside it",
		.judge = judge_enum_table
	},
	{
		.id = "updated_at_trigger",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_TRIGGERS | FACT_COLUMNS,
		.fixed_by = FACT_TRIGGERS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "an enabled BEFORE UPDATE row trigger runs updated_at(), or a function that the agreement names",
		.judge = judge_updated_at_trigger
	},
	{
		.id = "table_comment",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_COMMENTS,
		.fixed_by = FACT_COMMENTS,
		.level = LEVEL_OFF,
		.description = "every table has a comment",
		.judge = judge_table_comment
	},
	{NULL}
};
