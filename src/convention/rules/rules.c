/*-------------------------------------------------------------------------
 *
 * rules.c
 *		The schema conventions: all rules, in the order in which they judge.
 *
 * A rule is one function from facts to findings and one row, which stand together
 * in a file of this folder.  Its row in the view dbkit.rules, its part in dbkit.check()
 * and its enforcement follow from the row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "convention/rules/files.h"
#include "convention/rules/rules.h"

/* For tools/probe: a header that defines further rows */
#ifdef DBKIT_PROBE_RULES
#include DBKIT_PROBE_RULES
#endif

static Rule *const tables[] = {
	dbkit_id_rules,
	dbkit_column_rules,
	dbkit_name_rules,
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
			rule->number = dbkit_n_rules;
			dbkit_all_rules[dbkit_n_rules++] = rule;
		}
	}
}

/* Collect the rules, those of phase "statement" first. */
void
dbkit_rules_init(void)
{
	collect_rules(PHASE_STATEMENT);
	collect_rules(PHASE_COMMIT);
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
