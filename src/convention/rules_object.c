/*-------------------------------------------------------------------------
 *
 * rules_object.c
 *		Rules about whole objects: enum types, enum tables, the trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "dbkit.h"
#include "expression.h"
#include "names.h"
#include "own.h"
#include "rules.h"

void
dbkit_judge_enum_type(Judgement *judgement)
{
	const Facts *facts = judgement->facts;

	if (facts->kind == KIND_ENUM_TYPE)
		dbkit_add_finding(judgement, NULL,
					"it is a native enum; use CREATE TABLE %s (value text PRIMARY KEY)",
					quote_qualified_identifier(facts->schema,
											   psprintf("%s_enum", facts->name)));
	else
		dbkit_judge_enum_columns(judgement);
}

void
dbkit_judge_enum_table(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *value = dbkit_facts_column(facts, "value");
	StringInfoData wrong = {0};

	if (value == NULL)
	{
		dbkit_add_finding(judgement, NULL,
						  "there is no column \"value\"; use value text PRIMARY KEY");
		return;
	}
	dbkit_check_type(&wrong, value, TEXTOID);
	dbkit_check_key(&wrong, facts, value);
	if (wrong.len > 0)
		dbkit_add_finding(judgement, "value",
						  "column \"value\" %s; use value text PRIMARY KEY", wrong.data);
}

/* Does the trigger run updated_at() for the column of that name, or a function of the team's own? */
static bool
runs_updated_at(const TriggerFacts *trigger)
{
	if (dbkit_is_function(trigger->function, "updated_at"))
		return trigger->argument == NULL || strcmp(trigger->argument, "updated_at") == 0;
	return dbkit_is_updated_at_function(trigger->function);
}

/* Is it a BEFORE UPDATE row trigger that sets updated_at whenever a row changes? */
static bool
sets_updated_at(const TriggerFacts *trigger)
{
	return !trigger->some_columns && dbkit_lets_changes_pass(trigger->condition) &&
		TRIGGER_FOR_ROW(trigger->type) && TRIGGER_FOR_BEFORE(trigger->type) &&
		TRIGGER_FOR_UPDATE(trigger->type) && runs_updated_at(trigger);
}

/* Return a trigger that sets updated_at, an enabled one if there is, or NULL. */
static const TriggerFacts *
find_trigger(const List *triggers)
{
	const TriggerFacts *result = NULL;
	ListCell   *lc;

	foreach(lc, triggers)
	{
		const TriggerFacts *trigger = lfirst(lc);

		if (sets_updated_at(trigger) && (result == NULL || !result->enabled))
			result = trigger;
	}
	return result;
}

static bool
has_trigger_named(const List *triggers, const char *name)
{
	ListCell   *lc;

	foreach(lc, triggers)
	{
		if (strcmp(((const TriggerFacts *) lfirst(lc))->name, name) == 0)
			return true;
	}
	return false;
}

/* Judge that a trigger keeps updated_at up to date. */
void
dbkit_judge_updated_at_trigger(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const TriggerFacts *trigger = find_trigger(facts->triggers);
	char	   *action;
	char	   *statement;

	if (trigger == NULL || !trigger->enabled)
		trigger = find_trigger(dbkit_all_triggers(facts->objid));
	if (trigger != NULL && trigger->enabled)
		return;
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
						 has_trigger_named(facts->triggers, "updated_at") ? " OR REPLACE" : "",
						 dbkit_facts_identity(facts), dbkit_function_name("updated_at"));
	dbkit_add_finding(judgement, NULL,
					  "no BEFORE UPDATE row trigger runs updated_at(); use %.*s",
					  (int) strlen(statement) - 1, statement)->statement = statement;
}
