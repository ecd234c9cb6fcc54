/*-------------------------------------------------------------------------
 *
 * rules.c
 *		The schema conventions: all rules, in the order in which they judge.
 *
 * A rule is one function from facts to findings and one row, which stand together
 * in a file of this folder.  Its setting dbkit.rule.<id>, its row in the view
 * dbkit.rules, its part in dbkit.check() and its enforcement follow from the row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/rules/files.h"
#include "convention/rules/rules.h"

#define MAX_RULES	100

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

/* For tools/probe: a header that defines further rows */
#ifdef DBKIT_PROBE_RULES
#include DBKIT_PROBE_RULES
#endif

static Rule *const tables[] = {
	dbkit_id_rules,
	dbkit_column_rules,
	dbkit_object_rules,
	dbkit_foreign_key_rules,
	dbkit_index_rules,
	dbkit_security_rules,
	dbkit_size_limit_rules,
#ifdef DBKIT_PROBE_RULES
	probe_rules,
#endif
};

Rule	   *dbkit_all_rules[MAX_RULES];
int			dbkit_n_rules = 0;

/* Collect the rules of one phase. */
static void
collect_rules(RulePhase phase)
{
	for (size_t i = 0; i < lengthof(tables); i++)
	{
		for (Rule *rule = tables[i]; rule->id != NULL; rule++)
		{
			if (rule->phase != phase)
				continue;
			if (dbkit_n_rules == MAX_RULES)
				elog(ERROR, "there are more than %d rules", MAX_RULES);
			dbkit_all_rules[dbkit_n_rules++] = rule;
		}
	}
}

/* Define the settings of this module. */
void
dbkit_rules_init(void)
{
	MemoryContext caller;

	collect_rules(PHASE_STATEMENT);
	collect_rules(PHASE_COMMIT);

	/* The GUC machinery keeps pointers to the descriptions */
	caller = MemoryContextSwitchTo(TopMemoryContext);
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		Rule	   *rule = dbkit_all_rules[i];
		char	   *name = psprintf("dbkit.rule.%s", rule->id);

		/*
		 * Each rule has a setting of its own, so that an administrator can
		 * turn one off for a database, a role or the statement of a
		 * migration.  With two dots in its name, postgresql.conf cannot have
		 * it (guc-file.l), and after ALTER SYSTEM the server would not start.
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

/* Return the rule with that id, or NULL. */
const Rule *
dbkit_find_rule(const char *id)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		if (strcmp(dbkit_all_rules[i]->id, id) == 0)
			return dbkit_all_rules[i];
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

PG_FUNCTION_INFO_V1(dbkit_rules);

/*
 * dbkit.rules() returns setof record
 *
 * The rules with their levels in this session.
 */
Datum
dbkit_rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];
		Datum		values[] = {
			CStringGetTextDatum(rule->id),
			CStringGetTextDatum(dbkit_phase_name(rule->phase)),
			CStringGetTextDatum(dbkit_level_name(rule->level)),
			CStringGetTextDatum(rule->description),
			BoolGetDatum(rule->fixable),
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}
