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
#include "exemption.h"
#include "names.h"
#include "own.h"
#include "rules.h"

static const struct config_enum_entry level_options[] = {
	{"off", LEVEL_OFF, false},
	{"warning", LEVEL_WARNING, false},
	{"error", LEVEL_ERROR, false},
	{"fix", LEVEL_FIX, false},
	{NULL, 0, false}
};

/* The same for rules without a fix */
static const struct config_enum_entry unfixable_level_options[] = {
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
	{
		"updated_at_trigger", PHASE_COMMIT, KIND_TABLE, true,
		"an enabled BEFORE UPDATE row trigger runs updated_at()",
		dbkit_judge_updated_at_trigger, LEVEL_ERROR
	},
	{
		"fk_index", PHASE_COMMIT, KIND_TABLE, true,
		"every foreign key is covered by a valid, non-partial index whose leading columns are the key's, in any order",
		dbkit_judge_fk_index, LEVEL_ERROR
	},
	{
		"fk_on_delete", PHASE_COMMIT, KIND_TABLE, true,
		"foreign keys to the user and organization tables are ON DELETE CASCADE or SET NULL",
		dbkit_judge_fk_on_delete, LEVEL_ERROR
	},
	{
		"extid", PHASE_COMMIT, KIND_TABLE, true,
		"a column *_id is a foreign key or the primary key; an id from elsewhere is named *_extid",
		dbkit_judge_extid, LEVEL_ERROR
	},
	{
		"rls_enabled", PHASE_COMMIT, KIND_TABLE, true,
		"row level security is enabled",
		dbkit_judge_rls_enabled, LEVEL_ERROR
	},
	{
		"rls_policy", PHASE_COMMIT, KIND_TABLE, false,
		"at least one permissive policy exists",
		dbkit_judge_rls_policy, LEVEL_ERROR
	},
	{
		"organization_scope", PHASE_COMMIT, KIND_TABLE, false,
		"a column, such as organization_id, NOT NULL that references the organization table",
		dbkit_judge_organization_scope, LEVEL_OFF
	},
	{
		"rls_forced", PHASE_COMMIT, KIND_TABLE, true,
		"row level security binds the table's owner as well",
		dbkit_judge_rls_forced, LEVEL_OFF
	},
	{
		"policy_with_check", PHASE_COMMIT, KIND_TABLE, false,
		"no permissive policy lets any row be inserted",
		dbkit_judge_policy_with_check, LEVEL_WARNING
	},
	{
		"forgeable_policy", PHASE_COMMIT, KIND_TABLE, false,
		"no policy reads a setting that any session can set",
		dbkit_judge_forgeable_policy, LEVEL_WARNING
	},
	{
		"fk_validated", PHASE_COMMIT, KIND_TABLE, true,
		"no constraint is left NOT VALID",
		dbkit_judge_fk_validated, LEVEL_OFF
	},
	{
		"column_comment", PHASE_COMMIT, KIND_TABLE, false,
		"every column has a comment",
		dbkit_judge_column_comment, LEVEL_OFF
	},
	{
		"duplicate_index", PHASE_COMMIT, KIND_TABLE | KIND_INDEX, true,
		"no index is the same as, or a prefix of, another",
		dbkit_judge_duplicate_index, LEVEL_WARNING
	},
	{
		"security_definer_path", PHASE_STATEMENT, KIND_FUNCTION, true,
		"a SECURITY DEFINER function sets a search_path that its caller cannot put objects into",
		dbkit_judge_security_definer_path, LEVEL_WARNING
	},
	{
		"table_rewrite", PHASE_STATEMENT, KIND_TABLE, false,
		"no ALTER rewrites a table larger than dbkit.max_rewrite_size; judged at the change only",
		NULL, LEVEL_WARNING
	},
	{
		"blocking_index", PHASE_STATEMENT, KIND_TABLE, false,
		"no plain CREATE INDEX on a table larger than dbkit.max_blocking_index_size; judged at the change only",
		NULL, LEVEL_WARNING
	},
};

const int	dbkit_n_rules = lengthof(dbkit_rules);

/* Define the settings of this module. */
void
dbkit_rules_init(void)
{
	MemoryContext caller;

	dbkit_rules_id_init();
	dbkit_names_init();
	dbkit_own_init();

	/* The GUC machinery keeps pointers to the descriptions */
	caller = MemoryContextSwitchTo(TopMemoryContext);
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		Rule	   *rule = &dbkit_rules[i];
		char	   *name = psprintf("dbkit.rule.%s", rule->id);

		/*
		 * Each rule has a setting of its own, so that an administrator can turn
		 * one off for a database, a role or the statement of a migration.  With
		 * two dots in its name, postgresql.conf cannot have it (guc-file.l), and
		 * after ALTER SYSTEM the server would not start.
		 */
		DefineCustomEnumVariable(name,
								 psprintf("Level of the schema convention: %s.",
										  rule->description),
								 NULL,
								 &rule->level,
								 rule->level,
								 rule->fixable ? level_options : unfixable_level_options,
								 PGC_SUSET,
								 GUC_DISALLOW_IN_FILE | DBKIT_SETTING,
								 NULL, NULL, NULL);
		pfree(name);
	}
	MemoryContextSwitchTo(caller);
}

/* Does the rule judge an object of that kind in that scope? */
static bool
applies(const Rule *rule, ObjectKind kind, JudgeScope scope)
{
	if (rule->judge == NULL || !(rule->kinds & kind) ||
		(rule->level == LEVEL_OFF && scope != SCOPE_ALL))
		return false;
	if (scope == SCOPE_STATEMENT)
		return rule->phase == PHASE_STATEMENT && rule->level != LEVEL_FIX;
	if (scope == SCOPE_COMMIT)
		return rule->phase == PHASE_COMMIT || rule->level == LEVEL_FIX;
	return true;
}

/*
 * Add to the judgement's findings what breaks the rules of that scope and is
 * not exempt.
 */
void
dbkit_judge(Judgement *judgement, const Facts *facts, JudgeScope scope)
{
	int			before = list_length(judgement->findings);

	judgement->facts = facts;
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		judgement->rule = &dbkit_rules[i];
		if (applies(judgement->rule, facts->kind, scope))
			judgement->rule->judge(judgement);
	}
	if (scope != SCOPE_ALL)
		judgement->findings = dbkit_drop_exempt(judgement->findings, before);
	dbkit_drop_repeated_fixes(judgement->findings, before);
}

/* Return the rule with that id, or NULL. */
const Rule *
dbkit_find_rule(const char *id)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		if (strcmp(dbkit_rules[i].id, id) == 0)
			return &dbkit_rules[i];
	}
	return NULL;
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
	static const char *const names[] = {
		[PHASE_STATEMENT] = "statement",
		[PHASE_COMMIT] = "commit"
	};

	return names[phase];
}
