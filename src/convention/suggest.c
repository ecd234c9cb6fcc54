/*-------------------------------------------------------------------------
 *
 * suggest.c
 *		The agreement that the tables already follow: dbkit.suggest().
 *
 * First it is counted what the tables have in common: keys, names, the tenants.  An agreement
 * with these takes the place of the present one while all objects are judged.  Nearly all
 * tables keep a rule that the team means, so that it is an error to break it; many keep one
 * that it is on the way to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/agreement_json.h"
#include "convention/check.h"
#include "convention/concerns.h"
#include "convention/levels.h"
#include "convention/listed_names.h"
#include "convention/presets.h"
#include "convention/rules/rules.h"
#include "convention/survey.h"

/* A rule that is off unless agreed on needs more tables than these to be meant */
#define MIN_CASES	3

/* Another style of ids makes a preset another one; a list of names or a level does not */
#define STYLE_DISTANCE	10

/* A key of the agreement, and how many tables speak for its value */
typedef struct Entry
{
	const char *key;
	const char *value;
	char	   *json;
	int			tables;
	int			conforming;
} Entry;

typedef struct Suggestion
{
	const Survey *survey;
	Agreement	candidate;
	List	   *entries;		/* Entry * */
	int			cases[MAX_BUILTIN_RULES];	/* objects that a rule is about, */
	int			kept[MAX_BUILTIN_RULES];	/* and those that keep it */
	Agreement	preset;			/* the nearest one */
	Jsonb	   *levels;			/* of its rules */
} Suggestion;

/* Add a key of the agreement. */
static void
add_entry(Suggestion *suggestion, const char *key, const char *value, char *json, int tables, int conforming)
{
	Entry	   *entry = palloc(sizeof(Entry));

	entry->key = key;
	entry->value = value;
	entry->json = json;
	entry->tables = tables;
	entry->conforming = conforming;
	suggestion->entries = lappend(suggestion->entries, entry);
}

/* Add a key whose value is a string. */
static void
add_string(Suggestion *suggestion, const char *key, const char *value, int tables, int conforming)
{
	StringInfoData json;

	initStringInfo(&json);
	escape_json(&json, value);
	add_entry(suggestion, key, value, json.data, tables, conforming);
}

/* Add a key whose value is a list of names, unless it is empty. */
static void
add_names(Suggestion *suggestion, const char *key, const List *names, int tables, int conforming)
{
	StringInfoData json;
	ListCell   *lc;

	if (names == NIL)
		return;
	initStringInfo(&json);
	foreach(lc, names)
	{
		appendStringInfoString(&json, json.len == 0 ? "[" : ", ");
		escape_json(&json, lfirst(lc));
	}
	appendStringInfoChar(&json, ']');
	add_entry(suggestion, key, json.data, json.data, tables, conforming);
}

/* Sum up how many tables have what was counted. */
static int
sum_tallies(const List *tallies)
{
	int			result = 0;
	ListCell   *lc;

	foreach(lc, tallies)
		result += ((Tally *) lfirst(lc))->tables;
	return result;
}

/* Return the names among what was counted, without those that few tables have. */
static List *
frequent_names(const List *tallies)
{
	int			sum = sum_tallies(tallies);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, tallies)
	{
		Tally	   *tally = lfirst(lc);

		if (tally->tables * 10 >= sum)
			result = lappend(result, NameStr(tally->key.name));
	}
	return result;
}

/* Suggest what keys look like. */
static void
suggest_keys(Suggestion *suggestion)
{
	static const char *const styles[] = {
		[ID_PREFIXED] = "prefixed",[ID_UUID] = "uuid",[ID_BIGINT] = "bigint",[ID_ANY] = "any"
	};
	const Survey *survey = suggestion->survey;
	int			best = ID_ANY;

	for (int style = 0; style < ID_ANY; style++)
	{
		if (survey->styles[style] * 2 > survey->keys)
			best = style;
	}
	add_string(suggestion, "id_style", styles[best], best == ID_ANY ? survey->tables : survey->keys,
			   best == ID_ANY ? survey->primary_keys : survey->styles[best]);
	if (survey->composite_taken > 0)
		add_entry(suggestion, "composite_keys", "true", "true", survey->composite, survey->composite_taken);
}

/* Suggest names of columns that were counted. */
static void
suggest_columns(Suggestion *suggestion, const char *key, TallyKind kind, int tables)
{
	List	   *tallies = dbkit_tallies(suggestion->survey, kind);

	add_names(suggestion, key, frequent_names(tallies), tables != 0 ? tables : sum_tallies(tallies),
			  sum_tallies(tallies));
}

/* Suggest the functions that most tables with such a column run when a row changes. */
static void
suggest_functions(Suggestion *suggestion)
{
	const Survey *survey = suggestion->survey;
	List	   *names = NIL;
	int			most = 0;
	ListCell   *lc;

	foreach(lc, dbkit_tallies(survey, TALLY_FUNCTION))
	{
		const Tally *tally = lfirst(lc);
		char	   *name = get_func_name(tally->key.oid);
		char	   *schema = name != NULL ? get_namespace_name(get_func_namespace(tally->key.oid)) : NULL;

		if (tally->tables * 2 <= survey->updated || schema == NULL)
			continue;
		names = lappend(names, dbkit_listed_name(schema, name));
		most = Max(most, tally->tables);
	}
	add_names(suggestion, "updated_at_functions", names, survey->updated, most);
}

/* Suggest what the names of columns that hold ids end with. */
static void
suggest_suffixes(Suggestion *suggestion)
{
	List	   *own = frequent_names(dbkit_tallies(suggestion->survey, TALLY_ID_SUFFIX));
	List	   *foreign = dbkit_tallies(suggestion->survey, TALLY_EXTID_SUFFIX);

	suggest_columns(suggestion, "id_suffixes", TALLY_ID_SUFFIX, 0);
	if (foreign != NIL)
		suggest_columns(suggestion, "extid_suffixes", TALLY_EXTID_SUFFIX, 0);
	else if (own != NIL && *(char *) linitial(own) != '_')
		add_names(suggestion, "extid_suffixes", list_make1("Extid"), 0, 0);
}

/* Does a name end with one of these words, or their plural, however it is written? */
static bool
names_one_of(const char *name, const char *const words[])
{
	char	   *plain = pstrdup(name);
	int			length = 0;

	for (; *name != '\0'; name++)
	{
		if (*name != '_')
			plain[length++] = pg_ascii_tolower((unsigned char) *name);
	}
	plain[length] = '\0';
	for (; *words != NULL; words++)
	{
		if (dbkit_ends_with(plain, *words) || dbkit_ends_with(plain, psprintf("%ss", *words)) ||
			(dbkit_ends_with(*words, "y") &&
			 dbkit_ends_with(plain, psprintf("%.*sies", (int) strlen(*words) - 1, *words))))
			return true;
	}
	return false;
}

/* Return a table's name as the agreement has it, or NULL. */
static char *
table_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *schema = name != NULL ? get_namespace_name(get_rel_namespace(relid)) : NULL;

	if (schema == NULL)
		return NULL;
	return dbkit_listed_name(strcmp(schema, "public") == 0 ? NULL : schema, name);
}

/* Return the names of the columns that reference a table, without those that few tables have. */
static List *
find_columns(const Survey *survey, TallyKind kind, Oid relid)
{
	List	   *tallies = dbkit_tallies(survey, kind);
	ListCell   *lc;

	foreach(lc, tallies)
	{
		if (((Tally *) lfirst(lc))->key.oid != relid)
			tallies = foreach_delete_current(tallies, lc);
	}
	return frequent_names(tallies);
}

/* Suggest that a table is that of the tenants, or users, and what columns reference it. */
static void
suggest_owner(Suggestion *suggestion, const char *tables_key, const char *columns_key, TallyKind kind,
			  const Tally *tally)
{
	int			others = suggestion->survey->tables - 1;
	char	   *name = table_name(tally->key.oid);

	if (name == NULL)
		return;
	add_names(suggestion, tables_key, list_make1(name), others, tally->tables);
	add_names(suggestion, columns_key, find_columns(suggestion->survey, kind, tally->key.oid),
			  others, tally->tables);
}

static const char *const user_words[] = {"user", NULL};

static const char *const tenant_words[] = {
	"tenant", "organization", "organisation", "workspace", "company", "account", "team", NULL
};

/*
 * Is it the table that others belong to?  Most reference it by a column of one name that is NOT
 * NULL, or if its name says so, some do.
 */
static bool
is_tenant(const Survey *survey, const Tally *tally, const char *name)
{
	int			others = survey->tables - 1;

	if (tally->tables < 2 || names_one_of(name, user_words))
		return false;
	return tally->tables * (names_one_of(name, tenant_words) ? 5 : 2) > others;
}

/* Suggest the table of the tenants. */
static void
suggest_tenants(Suggestion *suggestion)
{
	const Tally *best = NULL;
	bool		named_so = false;
	ListCell   *lc;

	foreach(lc, dbkit_tallies(suggestion->survey, TALLY_SCOPE))
	{
		const Tally *tally = lfirst(lc);
		char	   *name = get_rel_name(tally->key.oid);

		if (name == NULL || !is_tenant(suggestion->survey, tally, name))
			continue;
		/* Of two, the one that is named so */
		if (best == NULL || (names_one_of(name, tenant_words) && !named_so))
		{
			best = tally;
			named_so = names_one_of(name, tenant_words);
		}
	}
	if (best != NULL)
		suggest_owner(suggestion, "organization_tables", "organization_columns", TALLY_SCOPE, best);
}

/* Suggest the table of the users. */
static void
suggest_users(Suggestion *suggestion)
{
	ListCell   *lc;

	foreach(lc, dbkit_tallies(suggestion->survey, TALLY_REFERENCE))
	{
		const Tally *tally = lfirst(lc);
		char	   *name = get_rel_name(tally->key.oid);

		if (name == NULL || !names_one_of(name, user_words))
			continue;
		suggest_owner(suggestion, "user_tables", "user_columns", TALLY_REFERENCE, tally);
		return;
	}
}

/* Add a pair to an object that is being written. */
static void
append_pair(StringInfo json, const char *key, const char *value)
{
	appendStringInfoString(json, json->len > 0 && json->data[json->len - 1] != '{' ? ", " : "");
	escape_json(json, key);
	appendStringInfo(json, ": %s", value);
}

/* Return the entries as an agreement. */
static Jsonb *
make_candidate(const List *entries)
{
	StringInfoData json;
	ListCell   *lc;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	foreach(lc, entries)
		append_pair(&json, ((Entry *) lfirst(lc))->key, ((Entry *) lfirst(lc))->json);
	appendStringInfoChar(&json, '}');
	return dbkit_make_json(json.data);
}

/* Has the rule findings among these? */
static bool
is_broken(const Rule *rule, const List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (((Finding *) lfirst(lc))->rule == rule)
			return true;
	}
	return false;
}

/* Note which rules an object keeps. */
static void
judge_object(Judgement *judgement, Facts *facts, void *arg)
{
	Suggestion *suggestion = arg;

	if (dbkit_is_left_out(suggestion->survey, facts))
		return;
	dbkit_judge(judgement, facts, SCOPE_ALL, CHANGE_ALL);
	for (int i = 0; i < dbkit_n_builtin_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		if (rule->judge == NULL || !(rule->kinds & facts->kind) || !dbkit_rule_concerns(rule, facts))
			continue;
		suggestion->cases[i]++;
		suggestion->kept[i] += !is_broken(rule, judgement->findings);
	}
}

/* Have all objects judged as if the candidate were agreed on. */
static void
judge_objects(Suggestion *suggestion)
{
	dbkit_read_agreement(&suggestion->candidate, make_candidate(suggestion->entries));
	dbkit_suppose_agreement(&suggestion->candidate);
	dbkit_check_objects(InvalidOid, SCOPE_ALL, judge_object, NULL, suggestion);
	dbkit_suppose_agreement(NULL);
}

/* Return the level of a rule in levels as dbkit_agreed_levels() gives them. */
static const char *
level_in(Jsonb *levels, const Rule *rule)
{
	JsonbValue	value;

	(void) dbkit_json_value(dbkit_json_object(levels, "rules"), rule->id, &value);
	return dbkit_json_string(&value);
}

/* Return the level that the tables suggest; there is a case. */
static RuleLevel
find_level(const Suggestion *suggestion, const Rule *rule)
{
	int			cases = suggestion->cases[rule->number];
	int			kept = suggestion->kept[rule->number];

	if (kept * 10 >= cases * 9)
	{
		if (rule->level != LEVEL_OFF)
			return rule->level;
		return cases >= MIN_CASES ? LEVEL_ERROR : LEVEL_OFF;
	}
	return rule->level != LEVEL_OFF && kept * 2 >= cases ? LEVEL_WARNING : LEVEL_OFF;
}

/* Return the level to suggest: without a case that of the preset, but for what is taste. */
static const char *
suggested_level(const Suggestion *suggestion, const Rule *rule)
{
	if (suggestion->cases[rule->number] > 0)
		return dbkit_level_name(find_level(suggestion, rule));
	if (dbkit_rule_is_taste(rule) && strcmp(suggestion->preset.preset, DBKIT_DEFAULT_PRESET) != 0)
		return dbkit_level_name(LEVEL_OFF);
	return level_in(suggestion->levels, rule);
}

/* Has an agreement that value of a key? */
static bool
has_value(const Agreement *agreement, const Entry *entry)
{
	JsonbValue	value;

	return dbkit_agreed_value(agreement, entry->key, &value) &&
		compareJsonbContainers(&JsonbValueToJsonb(&value)->root, &dbkit_make_json(entry->json)->root) == 0;
}

/* Count what an agreement differs in from what the tables suggest. */
static int
measure_distance(const Suggestion *suggestion, const Agreement *agreement, Jsonb *levels)
{
	int			result = 0;
	ListCell   *lc;

	foreach(lc, suggestion->entries)
	{
		if (!has_value(agreement, lfirst(lc)))
			result += strcmp(((Entry *) lfirst(lc))->key, "id_style") == 0 ? STYLE_DISTANCE : 1;
	}
	for (int i = 0; i < dbkit_n_builtin_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		if (suggestion->cases[i] > 0 &&
			strcmp(level_in(levels, rule), dbkit_level_name(find_level(suggestion, rule))) != 0)
			result++;
	}
	return result;
}

/* Take a preset as the one to start from. */
static void
take_preset(Suggestion *suggestion, const char *name)
{
	dbkit_read_agreement(&suggestion->preset, dbkit_make_json(psprintf("{\"preset\": \"%s\"}", name)));
	suggestion->levels = dbkit_agreed_levels(&suggestion->preset);
}

/* Find the preset that differs least; without tables the present one. */
static void
find_preset(Suggestion *suggestion)
{
	const char *present = dbkit_agreement()->preset;
	const char *nearest = strcmp(present, DBKIT_NO_PRESET) == 0 ? DBKIT_DEFAULT_PRESET : present;
	int			least = -1;

	for (int i = 0; suggestion->survey->tables > 0 && dbkit_preset_name(i) != NULL; i++)
	{
		int			distance;

		if (strcmp(dbkit_preset_name(i), DBKIT_NO_PRESET) == 0)
			continue;
		take_preset(suggestion, dbkit_preset_name(i));
		distance = measure_distance(suggestion, &suggestion->preset, suggestion->levels);
		if (least >= 0 && distance >= least)
			continue;
		least = distance;
		nearest = dbkit_preset_name(i);
	}
	take_preset(suggestion, nearest);
}

/* Learn from the tables. */
static Suggestion *
make_suggestion(void)
{
	Suggestion *suggestion = palloc0(sizeof(Suggestion));
	const Survey *survey;

	dbkit_refresh_agreement();
	suggestion->survey = survey = dbkit_survey();
	if (survey->tables > 0)
	{
		suggest_keys(suggestion);
		suggest_columns(suggestion, "created_at_columns", TALLY_CREATED, survey->tables);
		suggest_columns(suggestion, "updated_at_columns", TALLY_UPDATED, survey->tables);
		suggest_functions(suggestion);
		suggest_suffixes(suggestion);
		suggest_tenants(suggestion);
		suggest_users(suggestion);
		judge_objects(suggestion);
	}
	find_preset(suggestion);
	return suggestion;
}

/* Does the present agreement say something of a key, or of a rule? */
static bool
is_spoken_of(Jsonb *object, const char *key)
{
	JsonbValue	value;

	return object != NULL && (dbkit_json_value(object, key, &value) || dbkit_json_value(object, "*", &value));
}

/* Write the rules that differ from the preset, or of which the present agreement speaks. */
static char *
write_rules(const Suggestion *suggestion)
{
	Jsonb	   *own = dbkit_json_object(dbkit_agreement()->own, "rules");
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < dbkit_n_builtin_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];
		const char *level = suggested_level(suggestion, rule);

		if (strcmp(level, level_in(suggestion->levels, rule)) != 0 || is_spoken_of(own, rule->id))
			append_pair(&json, rule->id, psprintf("\"%s\"", level));
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

PG_FUNCTION_INFO_V1(dbkit_suggest);

/*
 * dbkit.suggest() returns jsonb
 *
 * The agreement that the tables already follow: what to change in the present one.
 */
Datum
dbkit_suggest(PG_FUNCTION_ARGS)
{
	const Suggestion *suggestion = make_suggestion();
	const Agreement *present = dbkit_agreement();
	StringInfoData json;
	ListCell   *lc;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_pair(&json, "preset", psprintf("\"%s\"", suggestion->preset.preset));
	foreach(lc, suggestion->entries)
	{
		const Entry *entry = lfirst(lc);

		if (!has_value(&suggestion->preset, entry) || is_spoken_of(present->own, entry->key))
			append_pair(&json, entry->key, entry->json);
	}
	/* Nothing is taken from an application that nobody has asked */
	if (suggestion->preset.reserve_settings && !present->reserve_settings)
		append_pair(&json, "reserve_settings", "false");
	append_pair(&json, "rules", write_rules(suggestion));
	appendStringInfoChar(&json, '}');
	PG_RETURN_JSONB_P(dbkit_make_json(json.data));
}

/* Add a row of dbkit.suggestion(); negative numbers are NULL. */
static void
put_row(ReturnSetInfo *result, const char *key, const char *value, int tables, int conforming)
{
	Datum		values[] = {
		CStringGetTextDatum(key), CStringGetTextDatum(value), Int64GetDatum(tables), Int64GetDatum(conforming)
	};
	bool		nulls[] = {false, false, tables < 0, conforming < 0};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(dbkit_suggestion);

/*
 * dbkit.suggestion() returns setof record
 *
 * What dbkit.suggest() rests on: how many tables each value is about, and how many have it.
 */
Datum
dbkit_suggestion(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const Suggestion *suggestion;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	suggestion = make_suggestion();
	put_row(result, "preset", suggestion->preset.preset, -1, -1);
	foreach(lc, suggestion->entries)
	{
		const Entry *entry = lfirst(lc);

		put_row(result, entry->key, entry->value, entry->tables, entry->conforming);
	}
	for (int i = 0; i < dbkit_n_builtin_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		if (rule->judge != NULL)
			put_row(result, psprintf("rules.%s", rule->id), suggested_level(suggestion, rule),
					suggestion->cases[i], suggestion->kept[i]);
	}
	return (Datum) 0;
}
