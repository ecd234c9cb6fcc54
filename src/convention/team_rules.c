/*-------------------------------------------------------------------------
 *
 * team_rules.c
 *		The rules that a team has added to dbkit's.
 *
 * The agreement has them under "own_rules"; those of the agreement that holds follow
 * dbkit's own in the list of all rules.  team_judge.c runs their functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "convention/rules/rules.h"
#include "convention/team_judge.h"
#include "convention/team_rules.h"

/* All that this session has met, TeamRule *, in TopMemoryContext */
static List *met = NIL;

/* Return what is wrong with the id of a rule, or NULL. */
const char *
dbkit_team_rule_problem(const char *id)
{
	if (id[0] < 'a' || id[0] > 'z' || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(id) ||
		strlen(id) >= NAMEDATALEN)
		return "an id begins with a letter from a to z and has only such letters, digits and underscores, 63 at most";
	for (int i = 0; i < dbkit_n_builtin_rules; i++)
	{
		if (strcmp(dbkit_all_rules[i]->id, id) == 0)
			return "dbkit itself has a rule of this id";
	}
	return NULL;
}

/* Return a string that an object holds, or NULL. */
static char *
string_of(Jsonb *object, const char *key)
{
	JsonbValue	value;

	if (!dbkit_json_value(object, key, &value) || value.type != jbvString)
		return NULL;
	return dbkit_json_string(&value);
}

/* Read the kinds of objects that a rule is about; return what is wrong, or NULL. */
static const char *
read_kinds(int *kinds, Jsonb *object)
{
	JsonbValue	value;
	JsonbIterator *it;

	if (!dbkit_json_value(object, "kinds", &value) || value.type != jbvBinary ||
		!JsonContainerIsArray(value.val.binary.data) || JsonContainerSize(value.val.binary.data) == 0)
		return "its kinds have to be a list that is not empty";
	it = JsonbIteratorInit(value.val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &value, true))
	{
		int			kind;

		if (token != WJB_ELEM)
			continue;
		kind = value.type == jbvString ? dbkit_find_kind(dbkit_json_string(&value)) : 0;
		if (kind == 0)
			return psprintf("its kinds have to be among %s", dbkit_list_kinds(KIND_ANY));
		*kinds |= kind;
	}
	return NULL;
}

/* Read what the agreement says of a rule; return what is wrong, or NULL. */
static const char *
read_definition(TeamRuleDefinition *definition, Jsonb *object)
{
	char	   *phase = string_of(object, "phase");
	const char *problem = dbkit_team_rule_problem(definition->id);

	definition->function = string_of(object, "judge");
	definition->description = string_of(object, "description");
	if (problem != NULL)
		return problem;
	if (definition->function == NULL || definition->description == NULL || phase == NULL || JB_ROOT_COUNT(object) != 4)
		return "it has the keys \"judge\", \"kinds\", \"phase\" and \"description\"";
	if (!dbkit_find_phase(phase, &definition->phase))
		return "its phase has to be statement or commit";
	if (dbkit_is_blank(definition->description))
		return "its description must not be empty";
	return read_kinds(&definition->kinds, object);
}

/* Return the definitions of an agreement's rules; add what is wrong with others to the problems. */
List *
dbkit_read_team_rules(const Agreement *agreement, List **problems)
{
	Jsonb	   *rules = dbkit_json_object(agreement->own, "own_rules");
	JsonbIterator *it;
	JsonbValue	value;
	List	   *result = NIL;

	if (rules == NULL)
		return NIL;
	it = JsonbIteratorInit(&rules->root);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &value, true))
	{
		TeamRuleDefinition *definition;
		const char *problem = "it has to be an object";

		if (token != WJB_KEY)
			continue;
		definition = palloc0(sizeof(TeamRuleDefinition));
		definition->id = dbkit_json_string(&value);
		(void) JsonbIteratorNext(&it, &value, true);
		if (value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data))
			problem = read_definition(definition, JsonbValueToJsonb(&value));
		if (problem == NULL && list_length(result) == MAX_TEAM_RULES)
			problem = psprintf("there are more than %d", MAX_TEAM_RULES);
		if (problem == NULL)
			result = lappend(result, definition);
		else
			*problems = lappend(*problems, psprintf("Rule \"%s\" of \"own_rules\": %s.", definition->id, problem));
	}
	return result;
}

/* Return the definition of that id, or NULL. */
const TeamRuleDefinition *
dbkit_find_definition(const List *definitions, const char *id)
{
	ListCell   *lc;

	foreach(lc, definitions)
	{
		if (strcmp(((const TeamRuleDefinition *) lfirst(lc))->id, id) == 0)
			return lfirst(lc);
	}
	return NULL;
}

/* Return the rule of that id, a new one where the session has not met it. */
static TeamRule *
meet(const char *id)
{
	MemoryContext caller;
	TeamRule   *rule;
	ListCell   *lc;

	foreach(lc, met)
	{
		rule = lfirst(lc);
		if (strcmp(rule->rule.id, id) == 0)
			return rule;
	}
	caller = MemoryContextSwitchTo(TopMemoryContext);
	rule = palloc0(sizeof(TeamRule));
	rule->rule.id = pstrdup(id);
	rule->rule.needs = FACT_ALL;
	rule->rule.of_team = true;
	rule->rule.fixable = true;
	rule->rule.level = LEVEL_ERROR;
	rule->rule.judge = dbkit_judge_by_team;
	met = lappend(met, rule);
	MemoryContextSwitchTo(caller);
	return rule;
}

/*
 * Let these be the rules that follow dbkit's own.  To go back to some that were in force before
 * takes no memory, so it can be done when a transaction is aborted.
 */
void
dbkit_use_team_rules(const List *definitions)
{
	ListCell   *lc;

	dbkit_n_rules = dbkit_n_builtin_rules;
	foreach(lc, definitions)
	{
		const TeamRuleDefinition *definition = lfirst(lc);
		TeamRule   *rule = meet(definition->id);

		rule->definition = definition;
		rule->rule.kinds = definition->kinds;
		rule->rule.phase = definition->phase;
		rule->rule.description = definition->description;
		rule->rule.number = dbkit_n_rules;
		dbkit_all_rules[dbkit_n_rules++] = &rule->rule;
	}
}

/* Return what there is to know of a rule besides, or NULL for one of dbkit's. */
const TeamRule *
dbkit_team_rule(const Rule *rule)
{
	return rule->of_team ? (const TeamRule *) rule : NULL;
}
