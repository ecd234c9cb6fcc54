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

#include "cluster.h"
#include "common.h"
#include "convention/causes.h"
#include "convention/exemption.h"
#include "convention/judge.h"
#include "convention/levels.h"
#include "convention/ratchet.h"
#include "convention/rules/id_style.h"
#include "convention/rules/rules.h"

/* Tell whose level counts in that scope. */
static LevelUse
level_use(JudgeScope scope)
{
	return scope == SCOPE_CHECK || scope == SCOPE_FIX || scope == SCOPE_ALL || scope == SCOPE_DRAFT ? LEVEL_TO_CHECK : LEVEL_TO_ENFORCE;
}

/* Does the rule judge in that scope, if it has one of those levels? */
static bool
is_in_scope(const Rule *rule, JudgeScope scope, int levels)
{
	int			not_off = levels & ~LEVEL_BIT(LEVEL_OFF);

	if (rule->judge == NULL)
		return false;
	if (scope == SCOPE_STATEMENT)
		return rule->phase == PHASE_STATEMENT && (not_off & ~LEVEL_BIT(LEVEL_FIX)) != 0;
	if (scope == SCOPE_COMMIT)
		return ((rule->phase == PHASE_COMMIT || (rule->may_wait && dbkit_keys_may_come_later())) && not_off != 0) ||
			(levels & LEVEL_BIT(LEVEL_FIX)) != 0;
	if (scope == SCOPE_REFUSED)
		return (not_off & ~LEVEL_BIT(LEVEL_FIX)) != 0;
	return not_off != 0 || scope == SCOPE_ALL;
}

/* Does dbkit.check() judge the object by the rule? */
bool
dbkit_is_checked(const Facts *facts, const Rule *rule)
{
	RuleLevel	level = dbkit_rule_level(rule, facts->schema, LEVEL_TO_CHECK);

	return (rule->kinds & facts->kind) != 0 && is_in_scope(rule, SCOPE_CHECK, LEVEL_BIT(level));
}

/* Can the change break the rule? */
static bool
can_break(Change change, const Rule *rule)
{
	return (change.changed & rule->needs) != 0 ||
		(change.added & rule->needs & ~rule->fixed_by) != 0;
}

/* Return the facts that are read for a rule: one of the team asks the catalogs itself. */
FactSet
dbkit_facts_of_rule(const Rule *rule)
{
	return rule->of_team ? FACT_OBJECT | FACT_COLUMNS : rule->needs;
}

/*
 * Return the facts that have to be read of an object to judge a change to it in that
 * scope; none where it can break no rule.
 */
FactSet
dbkit_facts_to_read(JudgeScope scope, Change change)
{
	FactSet		result = 0;

	if (scope == SCOPE_DRAFT)
		return FACT_ALL;
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		if (can_break(change, rule) &&
			is_in_scope(rule, scope, dbkit_rule_levels(rule, level_use(scope))))
			result |= dbkit_facts_of_rule(rule);
	}
	return result;
}

/* Return the kinds of objects that rules of that scope are about. */
int
dbkit_judged_kinds(JudgeScope scope)
{
	int			result = 0;

	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		if ((result & rule->kinds) != rule->kinds &&
			is_in_scope(rule, scope, dbkit_rule_levels(rule, level_use(scope))))
			result |= rule->kinds;
	}
	return result;
}

/* Is a finding of a rule for that scope, or for the end of the transaction, or not? */
static bool
is_for_scope(const Finding *finding, JudgeScope scope)
{
	if (scope == SCOPE_STATEMENT)
		return !finding->waits;
	if (scope == SCOPE_DRAFT)
		return finding->level >= LEVEL_ERROR || finding->rule->phase == PHASE_STATEMENT;
	if (scope == SCOPE_REFUSED)
		return finding->level >= LEVEL_ERROR || (finding->rule->phase == PHASE_STATEMENT && !finding->waits);
	return scope != SCOPE_COMMIT || finding->rule->phase == PHASE_COMMIT ||
		finding->level == LEVEL_FIX || finding->waits || finding->other_end;
}

/* Drop the findings, from the given one on, that are for another scope. */
static void
drop_other_scopes(Judgement *judgement, int from, JudgeScope scope)
{
	for (int i = list_length(judgement->findings) - 1; i >= from; i--)
	{
		if (!is_for_scope(list_nth(judgement->findings, i), scope))
			judgement->findings = list_delete_nth_cell(judgement->findings, i);
	}
}

/* Keep of the findings, from the given one on, those that are in the other list as well. */
static List *
keep_members(const List *findings, int from, const List *others)
{
	List	   *result = list_truncate(list_copy(findings), from);

	for (int i = from; i < list_length(findings); i++)
	{
		if (list_member_ptr(others, list_nth(findings, i)))
			result = lappend(result, list_nth(findings, i));
	}
	return result;
}

/* Drop the findings about one end of a key, as the other one may change in the next statement. */
static List *
drop_waiting(const List *findings, int from)
{
	List	   *result = list_truncate(list_copy(findings), from);

	for (int i = from; i < list_length(findings); i++)
	{
		if (!((const Finding *) list_nth(findings, i))->other_end)
			result = lappend(result, list_nth(findings, i));
	}
	return result;
}

/*
 * Drop what is exempt, in the baseline, implied by others, or with a ratchet was there
 * before.  What is compared with before are all findings: a worse one may hide others.
 * What is new on an object that was there is in the baseline by its name only, which it
 * has taken from another in this transaction, and that excuses nothing.  What is exempt, or
 * was there before, implies nothing: that it is not said is no reason not to say what else
 * is wrong.
 */
static List *
drop_excused(const Judgement *judgement, int from, JudgeScope scope)
{
	List	   *findings = dbkit_drop_exempt(judgement->findings, from);
	List	   *merged;
	List	   *result;
	bool		existed = false;

	if (judgement->only != NIL)
		return findings;
	if (judgement->ratchet != NULL)
		findings = dbkit_drop_known(judgement->ratchet, findings, from, scope, &existed);
	if (existed && scope == SCOPE_STATEMENT)
		findings = drop_waiting(findings, from);
	/* Before what is in the baseline has its level changed */
	merged = scope == SCOPE_DRAFT || scope == SCOPE_FIX ? dbkit_drop_pointless(findings, from) : dbkit_merge_causes(findings, from);
	result = existed ? findings : dbkit_drop_baseline(findings, from);
	return keep_members(result, from, merged);
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

	if (dbkit_is_managed_elsewhere(facts->classid, facts->objid))
		return;
	judgement->facts = facts;
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		RuleLevel	level = dbkit_rule_level(rule, facts->schema, level_use(scope));

		if (!(rule->kinds & facts->kind) || !is_in_scope(rule, scope, LEVEL_BIT(level)) ||
			!can_break(change, rule) ||
			(judgement->only != NIL && !list_member_ptr(judgement->only, rule)))
			continue;
		judgement->rule = rule;
		judgement->level = level;
		facts->visible = read & rule->needs;
		rule->judge(judgement);
	}
	facts->visible = read;
	if (judgement->only == NIL)
		drop_other_scopes(judgement, before, scope);
	if (scope != SCOPE_ALL)
		judgement->findings = drop_excused(judgement, before, scope);
	if (scope != SCOPE_DRAFT)
		dbkit_drop_repeated_fixes(judgement->findings, before);
}
