/*-------------------------------------------------------------------------
 *
 * levels.c
 *		How seriously each rule is taken.
 *
 * The level of a rule comes from its row, and is changed, one after the other, by the
 * preset, the agreement, the agreement on a schema, and the setting dbkit.rule_levels.
 * dbkit.required_rules is what it cannot fall below.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "convention/levels.h"
#include "convention/presets.h"
#include "convention/rules/rules.h"
#include "pairs.h"

typedef enum EnforceMode
{
	ENFORCE_OFF,
	ENFORCE_WARNING,
	ENFORCE_ON
} EnforceMode;

static const struct config_enum_entry enforce_options[] = {
	{"off", ENFORCE_OFF, false},
	{"warning", ENFORCE_WARNING, false},
	{"on", ENFORCE_ON, false},
	{"false", ENFORCE_OFF, true},
	{"no", ENFORCE_OFF, true},
	{"0", ENFORCE_OFF, true},
	{"true", ENFORCE_ON, true},
	{"yes", ENFORCE_ON, true},
	{"1", ENFORCE_ON, true},
	{NULL, 0, false}
};

static const char *const level_names[] = {
	[LEVEL_OFF] = "off",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
	[LEVEL_FIX] = "fix"
};

/* The level of each rule */
typedef struct Levels
{
	int8		of[MAX_RULES];
} Levels;

#define UNSET	(-1)

/* What to make of the id of no rule: the team may have one, or may be about to */
typedef enum UnknownRule
{
	UNKNOWN_IS_WRONG,
	UNKNOWN_IS_SKIPPED
} UnknownRule;

/* The levels in a schema of which the agreement speaks */
typedef struct SchemaLevels
{
	char	   *schema;
	Levels		levels;
} SchemaLevels;

static int	enforce = ENFORCE_ON;
static char *rule_levels;
static char *required_rules;

/* The levels that hold, and of which agreement they are, 0 for none */
static struct
{
	uint64		agreement;
	MemoryContext context;
	Levels		levels;
	List	   *schemas;		/* SchemaLevels * */
	Levels		set;			/* by the settings: UNSET where they say
								 * nothing */
	Levels		required;
}			current;

const char *
dbkit_level_name(RuleLevel level)
{
	return level_names[level];
}

/* Can a rule have that level? */
static bool
can_have(const Rule *rule, RuleLevel level)
{
	return level <= LEVEL_WARNING || (!rule->only_warns && (level != LEVEL_FIX || rule->fixable));
}

/* Tell which levels a rule can have, or all of them for NULL. */
static const char *
name_levels(const Rule *rule)
{
	if (rule == NULL || can_have(rule, LEVEL_FIX))
		return "off, warning, error or fix";
	return can_have(rule, LEVEL_ERROR) ? "off, warning or error" : "off or warning";
}

/* Find the level of that name; false where there is none, or the rule cannot have it. */
static bool
find_level(const char *name, const Rule *rule, RuleLevel *level)
{
	for (size_t i = 0; i < lengthof(level_names); i++)
	{
		*level = i;
		if (strcmp(level_names[i], name) == 0)
			return rule == NULL || can_have(rule, i);
	}
	return false;
}

/* Set the level of a rule, or of all that can have it for NULL. */
static void
set_level(Levels *levels, const Rule *rule, RuleLevel level)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		if (dbkit_all_rules[i] == rule ||
			(rule == NULL && can_have(dbkit_all_rules[i], level)))
			levels->of[i] = level;
	}
}

/*
 * Set a level as the agreement or a setting says it; return what is wrong, or NULL.
 */
static char *
set_named_level(Levels *levels, const char *id, const char *name, UnknownRule unknown)
{
	const Rule *rule = dbkit_find_rule(id);
	RuleLevel	level;
	bool		known = rule != NULL || strcmp(id, "*") == 0;

	if (!known && unknown == UNKNOWN_IS_WRONG)
		return psprintf("There is no rule \"%s\".", id);
	if (!find_level(name, rule, &level))
		return psprintf("The level of \"%s\" has to be %s, not \"%s\".", id, name_levels(rule), name);
	if (known)
		set_level(levels, rule, level);
	return NULL;
}

/* Take the levels over that an object of the agreement has; add what is wrong to the problems. */
static List *
apply_rules(Levels *levels, Jsonb *rules, bool all, List *problems)
{
	JsonbIterator *it = JsonbIteratorInit(&rules->root);
	JsonbValue	key;
	JsonbValue	value;

	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &key, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &key, true))
	{
		char	   *id;
		char	   *problem;

		if (token != WJB_KEY)
			continue;
		id = dbkit_json_string(&key);
		(void) JsonbIteratorNext(&it, &value, true);
		if ((strcmp(id, "*") == 0) != all)
			continue;
		problem = value.type == jbvString ? set_named_level(levels, id, dbkit_json_string(&value), UNKNOWN_IS_WRONG) :
			psprintf("The level of \"%s\" has to be a string.", id);
		if (problem != NULL)
			problems = lappend(problems, problem);
	}
	return problems;
}

/* Take over what "rules" of an object says, NULL for nothing: first of all rules, then of each. */
static List *
apply_levels(Levels *levels, Jsonb *object, List *problems)
{
	Jsonb	   *rules = dbkit_json_object(object, "rules");

	if (rules == NULL)
		return problems;
	problems = apply_rules(levels, rules, true, problems);
	return apply_rules(levels, rules, false, problems);
}

/* Note what a schema's part of the agreement has besides its rules. */
static List *
find_schema_problems(const char *schema, const JsonbValue *value, List *problems)
{
	Jsonb	   *object;

	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return lappend(problems, psprintf("The key \"%s\" of \"schemas\" has to be an object.", schema));
	object = JsonbValueToJsonb(unconstify(JsonbValue *, value));
	if (JB_ROOT_COUNT(object) != 1 || dbkit_json_object(object, "rules") == NULL)
		return lappend(problems, psprintf("The key \"%s\" of \"schemas\" has to be {\"rules\": {...}}.", schema));
	return problems;
}

/* Make the levels of the schemas that the agreement speaks of. */
static List *
apply_schemas(List **result, const Levels *base, Jsonb *own, List *problems)
{
	Jsonb	   *schemas = dbkit_json_object(own, "schemas");
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (schemas == NULL)
		return problems;
	it = JsonbIteratorInit(&schemas->root);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &key, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &key, true))
	{
		SchemaLevels *schema;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		schema = palloc(sizeof(SchemaLevels));
		schema->schema = dbkit_json_string(&key);
		schema->levels = *base;
		problems = find_schema_problems(schema->schema, &value, problems);
		if (value.type == jbvBinary)
			problems = apply_levels(&schema->levels, JsonbValueToJsonb(&value), problems);
		*result = lappend(*result, schema);
	}
	return problems;
}

/* Compute the levels of an agreement; return what is wrong in it. */
static List *
compute_levels(const Agreement *agreement, Levels *levels, List **schemas)
{
	List	   *problems = NIL;

	for (int i = 0; i < dbkit_n_builtin_rules; i++)
		levels->of[i] = dbkit_all_rules[i]->level;
	problems = apply_levels(levels, agreement->of_preset, problems);
	/* A preset knows nothing of the team's, whatever it says of all rules */
	for (int i = dbkit_n_builtin_rules; i < dbkit_n_rules; i++)
		levels->of[i] = dbkit_all_rules[i]->level;
	if (agreement->own == NULL)
		return problems;
	problems = apply_levels(levels, agreement->own, problems);
	return apply_schemas(schemas, levels, agreement->own, problems);
}

/* Return what is wrong with the levels of an agreement, as sentences. */
List *
dbkit_find_level_problems(const Agreement *agreement)
{
	Levels		levels;
	List	   *schemas = NIL;

	return compute_levels(agreement, &levels, &schemas);
}

/* Return the levels of all rules, schemas apart, as a patch to the agreement. */
Jsonb *
dbkit_agreed_levels(const Agreement *agreement)
{
	JsonbParseState *state = NULL;
	JsonbValue	nothing = {.type = jbvNull};
	Levels		levels;
	List	   *schemas = NIL;

	(void) compute_levels(agreement, &levels, &schemas);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, "rules");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, "*");
	(void) pushJsonbValue(&state, WJB_VALUE, &nothing);
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		dbkit_push_string(&state, WJB_KEY, dbkit_all_rules[i]->id);
		dbkit_push_string(&state, WJB_VALUE, dbkit_level_name(levels.of[i]));
	}
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Read a list of "id=level"; return what is wrong, as sentences. */
static List *
read_pairs(Levels *levels, const char *text, UnknownRule unknown)
{
	char	   *rest = dbkit_is_blank(text) ? NULL : pstrdup(text);
	char	   *id;
	char	   *level;
	List	   *problems = NIL;

	memset(levels, UNSET, sizeof(Levels));
	while (dbkit_next_pair(&rest, &id, &level))
	{
		char	   *problem = level == NULL ? psprintf("\"%s\" is not of the form rule=level.", id) :
		set_named_level(levels, id, level, unknown);

		if (problem != NULL)
			problems = lappend(problems, problem);
	}
	return problems;
}

/* Let the levels be those of the agreement as it is now, and of the settings. */
static void
refresh_levels(void)
{
	const Agreement *agreement = dbkit_agreement();
	MemoryContext caller;

	if (current.agreement == agreement->number)
		return;
	if (current.context == NULL)
		current.context = AllocSetContextCreate(TopMemoryContext, "dbkit levels", ALLOCSET_SMALL_SIZES);
	current.agreement = 0;
	MemoryContextReset(current.context);
	caller = MemoryContextSwitchTo(current.context);
	current.schemas = NIL;
	(void) compute_levels(agreement, &current.levels, &current.schemas);
	(void) read_pairs(&current.set, rule_levels, UNKNOWN_IS_SKIPPED);
	(void) read_pairs(&current.required, required_rules, UNKNOWN_IS_SKIPPED);
	MemoryContextSwitchTo(caller);
	current.agreement = agreement->number;
}

/* Return the level that the server's configuration demands of a rule at least. */
static RuleLevel
required_level(const Rule *rule)
{
	return current.required.of[rule->number] == UNSET ? LEVEL_OFF : current.required.of[rule->number];
}

/* Change the agreed level of a rule as the settings say. */
static RuleLevel
apply_settings(const Rule *rule, RuleLevel level, LevelUse use)
{
	if (current.set.of[rule->number] != UNSET)
		level = current.set.of[rule->number];
	if (use == LEVEL_TO_ENFORCE && enforce != ENFORCE_ON)
		level = enforce == ENFORCE_OFF ? LEVEL_OFF : Min(level, LEVEL_WARNING);
	return use == LEVEL_REQUIRED ? required_level(rule) : Max(level, required_level(rule));
}

/* Return the level of a rule for the objects of a schema. */
RuleLevel
dbkit_rule_level(const Rule *rule, const char *schema, LevelUse use)
{
	ListCell   *lc;

	refresh_levels();
	foreach(lc, current.schemas)
	{
		const SchemaLevels *special = lfirst(lc);

		if (strcmp(special->schema, schema) == 0)
			return apply_settings(rule, special->levels.of[rule->number], use);
	}
	return apply_settings(rule, current.levels.of[rule->number], use);
}

/* Return the levels that a rule has in one schema or another, as LEVEL_BITs. */
int
dbkit_rule_levels(const Rule *rule, LevelUse use)
{
	int			result;
	ListCell   *lc;

	refresh_levels();
	result = LEVEL_BIT(apply_settings(rule, current.levels.of[rule->number], use));
	foreach(lc, current.schemas)
		result |= LEVEL_BIT(apply_settings(rule, ((SchemaLevels *) lfirst(lc))->levels.of[rule->number], use));
	return result;
}

/* Does an object of the agreement say something of the rule? */
static bool
speaks_of(Jsonb *object, const Rule *rule)
{
	Jsonb	   *rules = dbkit_json_object(object, "rules");
	JsonbValue	value;

	return rules != NULL &&
		(dbkit_json_value(rules, rule->id, &value) || dbkit_json_value(rules, "*", &value));
}

/* Tell where the level of a rule comes from, schemas apart. */
const char *
dbkit_rule_level_source(const Rule *rule)
{
	const Agreement *agreement = dbkit_agreement();

	refresh_levels();
	if (required_level(rule) != LEVEL_OFF &&
		required_level(rule) == dbkit_rule_level(rule, "", LEVEL_TO_CHECK))
		return "dbkit.required_rules";
	if (current.set.of[rule->number] != UNSET)
		return "dbkit.rule_levels";
	if (speaks_of(agreement->own, rule))
		return "agreement";
	if (!rule->of_team && speaks_of(agreement->of_preset, rule))
		return "preset";
	return "default";
}

/* Is nothing that is changed now judged? */
bool
dbkit_nothing_is_enforced(void)
{
	return enforce == ENFORCE_OFF && dbkit_is_blank(required_rules);
}

/* Return how dbkit.enforce is set. */
const char *
dbkit_enforce_mode(void)
{
	return enforce_options[enforce].name;
}

/* Return what is wrong with a list of levels, as sentences. */
static List *
find_problems(const char *text)
{
	Levels		levels;

	return read_pairs(&levels, text, UNKNOWN_IS_WRONG);
}

/* The same for a setting, which was checked where the rules of the team were not known. */
List *
dbkit_find_setting_problems(const char *setting)
{
	return find_problems(GetConfigOption(setting, false, false));
}

/* Return what is wrong with a list of levels by the latest agreement, which need not be the one that holds. */
static List *
find_latest_problems(const char *text)
{
	const Agreement *before = dbkit_supposed_agreement();
	List	   *problems = find_problems(text);
	Agreement	latest;

	if (problems == NIL)
		return NIL;
	dbkit_read_agreement(&latest, dbkit_latest_agreement());
	dbkit_suppose_agreement(&latest);
	problems = find_problems(text);
	dbkit_suppose_agreement(before);
	return problems;
}

/*
 * Can it be said which rules the team has?  A configuration file is read before there is a
 * database, and what is set for a database or role before dbkit is asked for anything.
 */
static bool
knows_team_rules(GucSource source)
{
	return source >= PGC_S_INTERACTIVE && IsTransactionState() && !IsParallelWorker();
}

/* Check a setting that is a list of levels. */
static bool
check_levels(char **newval, void **extra pg_attribute_unused(), GucSource source)
{
	Levels		levels;
	List	   *problems = read_pairs(&levels, *newval, UNKNOWN_IS_SKIPPED);

	if (problems == NIL && knows_team_rules(source))
	{
		problems = find_latest_problems(*newval);
		/* What is set for a role may be about the rules of another database */
		if (problems != NIL && source == PGC_S_TEST)
		{
			ereport(NOTICE,
					(errmsg_internal("%s", (char *) linitial(problems))));
			return true;
		}
	}
	if (problems != NIL)
		GUC_check_errdetail("%s", (char *) linitial(problems));
	return problems == NIL;
}

/* Read the settings again when the levels are asked for. */
static void
assign_levels(const char *newval pg_attribute_unused(), void *extra pg_attribute_unused())
{
	current.agreement = 0;
}

/* Define the settings of this module. */
void
dbkit_levels_init(void)
{
	/* For a migration that cannot wait, or a database that is not ready yet. */
	DefineCustomEnumVariable("dbkit.enforce",
							 "Whether DDL that breaks the schema conventions is rejected, or only warned of.",
							 "Ids, triggers, locks and dbkit.check() work regardless.",
							 &enforce,
							 ENFORCE_ON,
							 enforce_options,
							 PGC_SUSET,
							 DBKIT_SETTING,
							 NULL, NULL, NULL);

	/* So a migration, a role or a server says that it knows what it does. */
	DefineCustomStringVariable("dbkit.rule_levels",
							   "Levels of rules that differ from the agreement, such as storytime=off, bigint=warning.",
							   NULL,
							   &rule_levels,
							   "",
							   PGC_SUSET,
							   DBKIT_SETTING,
							   check_levels, assign_levels, NULL);

	/* For who runs the server, and has to rely on a rule in all databases. */
	DefineCustomStringVariable("dbkit.required_rules",
							   "Levels that rules have at least, such as rls_enabled=error, whatever a database or session says.",
							   NULL,
							   &required_rules,
							   "",
							   PGC_SIGHUP,
							   DBKIT_SETTING,
							   check_levels, assign_levels, NULL);
}
