/*-------------------------------------------------------------------------
 *
 * rules.c
 *		The schema conventions: a table of rules.
 *
 * To add a rule, add one function to one of the rules_*.c and one row here.  Its
 * setting dbkit.rule.<id>, its row in the view dbkit.rules and its part in
 * dbkit.check() follow from the row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"

#include "dbkit.h"
#include "rules.h"

static const struct config_enum_entry level_options[] = {
	{"off", LEVEL_OFF, false},
	{"warning", LEVEL_WARNING, false},
	{"error", LEVEL_ERROR, false},
	{NULL, 0, false}
};

Rule		dbkit_rules[] = {
	{
		"primary_key", PHASE_STATEMENT, KIND_TABLE, false,
		"primary key on exactly id, TEXT COLLATE \"C\" (on a partitioned table: one that includes id)",
		dbkit_judge_primary_key, LEVEL_ERROR
	},
	{
		"id_default", PHASE_STATEMENT, KIND_TABLE, true,
		"id has DEFAULT generate_id('...') with a constant prefix",
		dbkit_judge_id_default, LEVEL_ERROR
	},
	{
		"id_check", PHASE_STATEMENT, KIND_TABLE, true,
		"a CHECK pins the prefix of id, the same as the default's",
		dbkit_judge_id_check, LEVEL_ERROR
	},
	{
		"id_prefix", PHASE_STATEMENT, KIND_TABLE, false,
		"the prefix is 2 or 3 lower-case letters, and no other table in the database has it",
		dbkit_judge_id_prefix, LEVEL_ERROR
	},
	{
		"created_at", PHASE_STATEMENT, KIND_TABLE, true,
		"a column created_at TIMESTAMPTZ NOT NULL DEFAULT now()",
		dbkit_judge_created_at, LEVEL_ERROR
	},
	{
		"updated_at", PHASE_STATEMENT, KIND_TABLE, true,
		"a column updated_at TIMESTAMPTZ NOT NULL DEFAULT now()",
		dbkit_judge_updated_at, LEVEL_ERROR
	},
	{
		"storytime", PHASE_STATEMENT, KIND_TABLE, true,
		"a column storytime JSONB",
		dbkit_judge_storytime, LEVEL_ERROR
	},
	{
		"timestamptz", PHASE_STATEMENT, KIND_TABLE, true,
		"no timestamp without time zone, also inside arrays, domains, ranges and composites",
		dbkit_judge_timestamptz, LEVEL_ERROR
	},
	{
		"bigint", PHASE_STATEMENT, KIND_TABLE, true,
		"no smallint or integer, also inside arrays, domains, ranges and composites, serial types included",
		dbkit_judge_bigint, LEVEL_ERROR
	},
	{
		"text_id", PHASE_STATEMENT, KIND_TABLE, true,
		"columns named *_id and *_extid are TEXT COLLATE \"C\"",
		dbkit_judge_text_id, LEVEL_ERROR
	},
	{
		"enum_type", PHASE_STATEMENT, KIND_TABLE | KIND_ENUM_TYPE, false,
		"no native enum: neither CREATE TYPE ... AS ENUM nor a column of one",
		dbkit_judge_enum_type, LEVEL_ERROR
	},
	{
		"enum_table", PHASE_STATEMENT, KIND_ENUM_TABLE, false,
		"a table *_enum is value TEXT PRIMARY KEY, and other columns only beside it",
		dbkit_judge_enum_table, LEVEL_ERROR
	},
	{
		"view_security_invoker", PHASE_STATEMENT, KIND_VIEW, true,
		"views have security_invoker = true",
		dbkit_judge_view_security_invoker, LEVEL_ERROR
	},
};

const int	dbkit_n_rules = lengthof(dbkit_rules);

/* Define the settings of this module. */
void
dbkit_rules_init(void)
{
	MemoryContext caller;

	dbkit_rules_id_init();

	/* The GUC machinery keeps pointers to the descriptions */
	caller = MemoryContextSwitchTo(TopMemoryContext);
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		Rule	   *rule = &dbkit_rules[i];

		/*
		 * Each rule has a setting of its own, so that an administrator can turn
		 * one off for a database, a role or the statement of a migration.
		 */
		DefineCustomEnumVariable(psprintf("dbkit.rule.%s", rule->id),
								 psprintf("Level of the schema convention: %s.",
										  rule->description),
								 NULL,
								 &rule->level,
								 rule->level,
								 level_options,
								 PGC_SUSET,
								 0,
								 NULL, NULL, NULL);
	}
	MemoryContextSwitchTo(caller);
}

/* Add what breaks the rules in force to the judgement's findings. */
void
dbkit_judge(Judgement *judgement, const Facts *facts)
{
	judgement->facts = facts;
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		judgement->rule = &dbkit_rules[i];
		if (judgement->rule->level != LEVEL_OFF &&
			(judgement->rule->kinds & facts->kind))
			judgement->rule->judge(judgement);
	}
}

/* Return the name of a level as the settings spell it. */
const char *
dbkit_level_name(int level)
{
	return level_options[level].name;
}

/* Return the name of a phase. */
const char *
dbkit_phase_name(RulePhase phase)
{
	static const char *const names[] = {[PHASE_STATEMENT] = "statement"};

	return names[phase];
}
