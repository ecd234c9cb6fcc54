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
	dbkit_tenant_rules,
	dbkit_index_rules,
	dbkit_security_rules,
	dbkit_size_limit_rules,
	dbkit_lock_rules,
#ifdef DBKIT_PROBE_RULES
	probe_rules,
#endif
};

Rule	   *dbkit_all_rules[MAX_RULES];
int			dbkit_n_builtin_rules = 0;
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
			if (dbkit_n_builtin_rules == MAX_BUILTIN_RULES)
				elog(ERROR, "there are more than %d rules", MAX_BUILTIN_RULES);
			rule->number = dbkit_n_builtin_rules;
			dbkit_all_rules[dbkit_n_builtin_rules++] = rule;
		}
	}
}

/* Collect the rules, those of phase "statement" first; team_rules.c adds those of the team. */
void
dbkit_rules_init(void)
{
	collect_rules(PHASE_STATEMENT);
	collect_rules(PHASE_COMMIT);
	collect_rules(PHASE_CHANGE);
	dbkit_n_rules = dbkit_n_builtin_rules;
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

static const char *const phase_names[] = {
	[PHASE_STATEMENT] = "statement",
	[PHASE_COMMIT] = "commit",
	[PHASE_CHANGE] = "change"
};

/* Return the name of a phase. */
const char *
dbkit_phase_name(RulePhase phase)
{
	return phase_names[phase];
}

/* Find the phase of that name; false where there is none that a rule of the team can have. */
bool
dbkit_find_phase(const char *name, RulePhase *phase)
{
	for (int i = 0; i <= PHASE_COMMIT; i++)
	{
		*phase = i;
		if (strcmp(phase_names[i], name) == 0)
			return true;
	}
	return false;
}
