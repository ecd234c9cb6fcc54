/*-------------------------------------------------------------------------
 *
 * judge.c
 *		Have the rules judge an object.
 *
 * A rule judges when something has changed that its row says it reads.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "convention/exemption.h"
#include "convention/judge.h"
#include "convention/ratchet.h"
#include "convention/rules/rules.h"

/* Does the rule judge in that scope? */
static bool
is_in_scope(const Rule *rule, JudgeScope scope)
{
	if (rule->judge == NULL || (rule->level == LEVEL_OFF && scope != SCOPE_ALL))
		return false;
	if (scope == SCOPE_STATEMENT)
		return rule->phase == PHASE_STATEMENT && rule->level != LEVEL_FIX;
	if (scope == SCOPE_COMMIT)
		return rule->phase == PHASE_COMMIT || rule->level == LEVEL_FIX;
	return true;
}

/* Can the change break the rule? */
static bool
can_break(Change change, const Rule *rule)
{
	return (change.changed & rule->needs) != 0 ||
		(change.added & rule->needs & ~rule->fixed_by) != 0;
}

/*
 * Return the facts that have to be read of an object to judge a change to it in that
 * scope; none where it can break no rule.
 */
FactSet
dbkit_facts_to_read(JudgeScope scope, Change change)
{
	FactSet		result = 0;

	for (int i = 0; i < dbkit_n_rules; i++)
	{
		if (is_in_scope(dbkit_all_rules[i], scope) && can_break(change, dbkit_all_rules[i]))
			result |= dbkit_all_rules[i]->needs;
	}
	return result;
}

/*
 * Add to the judgement's findings what breaks the rules of that scope which the
 * change concerns, is not exempt, and with a ratchet was not there before.
 */
void
dbkit_judge(Judgement *judgement, Facts *facts, JudgeScope scope, Change change)
{
	int			before = list_length(judgement->findings);
	FactSet		read = facts->visible;

	judgement->facts = facts;
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		if (!(rule->kinds & facts->kind) || (judgement->only != NIL && !list_member_ptr(judgement->only, rule)) || !is_in_scope(rule, scope) || !can_break(change, rule))
			continue;
		judgement->rule = rule;
		facts->visible = read & rule->needs;
		rule->judge(judgement);
	}
	facts->visible = read;
	if (scope != SCOPE_ALL)
		judgement->findings = dbkit_drop_exempt(judgement->findings, before);
	if (judgement->ratchet != NULL)
		judgement->findings = dbkit_drop_known(judgement->ratchet, judgement->findings, before, scope);
	dbkit_drop_repeated_fixes(judgement->findings, before);
}
