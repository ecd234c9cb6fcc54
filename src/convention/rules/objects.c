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
#include "convention/facts/table.h"
#include "convention/facts/expression.h"
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
		return;
	}
	dbkit_check_type(&wrong, value, TEXTOID);
	dbkit_check_key(&wrong, facts, value);
	if (wrong.faults == 0)
		return;
	finding = dbkit_add_finding(judgement, "value",
								"column \"value\" %s; use value text PRIMARY KEY", wrong.text.data);
	dbkit_set_faults(finding, wrong.faults, wrong.hidden);
}

/* Does the trigger run updated_at() for the column of that name, or a function of the team's own? */
static bool
runs_updated_at(const TriggerFacts *trigger, const Catalogs *catalogs)
{
	if (dbkit_is_function(trigger->function, "updated_at"))
		return trigger->argument == NULL || strcmp(trigger->argument, "updated_at") == 0;
	return dbkit_is_updated_at_function(catalogs, trigger->function);
}

/* Is it a BEFORE UPDATE row trigger that sets updated_at whenever a row changes? */
static bool
sets_updated_at(const TriggerFacts *trigger, const void *catalogs)
{
	return !trigger->some_columns && dbkit_lets_changes_pass(trigger->condition) &&
		TRIGGER_FOR_ROW(trigger->type) && TRIGGER_FOR_BEFORE(trigger->type) &&
		TRIGGER_FOR_UPDATE(trigger->type) && runs_updated_at(trigger, catalogs);
}

/* Is it such a trigger, and enabled? */
static bool
keeps_updated_at(const TriggerFacts *trigger, const void *catalogs)
{
	return trigger->enabled && sets_updated_at(trigger, catalogs);
}

static bool
is_named(const TriggerFacts *trigger, const void *name)
{
	return strcmp(trigger->name, name) == 0;
}

/* Judge that a trigger keeps updated_at up to date. */
static void
judge_updated_at_trigger(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const TriggerFacts *trigger;
	char	   *action;
	char	   *statement;

	if (dbkit_find_trigger(facts, keeps_updated_at, facts->catalogs) != NULL)
		return;
	trigger = dbkit_find_trigger(facts, sets_updated_at, facts->catalogs);
	if (trigger != NULL)
	{
		action = psprintf("ENABLE TRIGGER %s", quote_identifier(trigger->name));
		dbkit_add_alter(dbkit_add_finding(judgement, NULL,
										  "trigger \"%s\" is disabled; use ALTER TABLE %s %s",
										  trigger->name, dbkit_facts_identity(facts), action),
						action);
		return;
	}
	statement = psprintf("CREATE%s TRIGGER updated_at BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s();",
						 dbkit_find_trigger(facts, is_named, "updated_at") != NULL ? " OR REPLACE" : "",
						 dbkit_facts_identity(facts), dbkit_function_name("updated_at"));
	dbkit_add_finding(judgement, NULL,
					  "no BEFORE UPDATE row trigger runs updated_at(); use %.*s",
					  (int) strlen(statement) - 1, statement)->statement = statement;
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
		.needs = FACT_TRIGGERS,
		.fixed_by = FACT_TRIGGERS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "an enabled BEFORE UPDATE row trigger runs updated_at()",
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
