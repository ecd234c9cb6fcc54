/*-------------------------------------------------------------------------
 *
 * baseline.c
 *		Findings that were there when the agreement was made: dbkit.baseline() and
 *		unbaseline().
 *
 * The baseline is part of the agreement: {"schema.table": {"rule": ["name"]}}, where the
 * name is that of the column, constraint, index, policy or trigger that is wrong, and ""
 * where the table as a whole is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/agree.h"
#include "convention/agreement.h"
#include "convention/agreement_json.h"
#include "convention/baseline.h"
#include "convention/check.h"
#include "convention/exemption.h"
#include "relation_name.h"

/* Return the name by which the baseline knows a finding among those of its rule and object. */
static const char *
name_of(const Finding *finding)
{
	if (finding->part != NULL)
		return finding->part;
	if (finding->column != NULL)
		return finding->column;
	if (finding->facts->signature == NULL)
		return "";
	/* Of a function the arguments: its name is the object's */
	return finding->facts->signature +
		strlen(quote_qualified_identifier(finding->facts->schema, finding->facts->name));
}

/* Return what the baseline has of a finding that is in it. */
BaselineEntry *
dbkit_baseline_entry(const Finding *finding)
{
	BaselineEntry *entry = palloc(sizeof(BaselineEntry));

	entry->object = dbkit_object_name(finding->facts->schema, finding->facts->name);
	entry->rule = pstrdup(finding->rule->id);
	entry->name = pstrdup(name_of(finding));
	return entry;
}

/* Return the object or array that a key of an object holds, or NULL. */
static JsonbContainer *
find_container(JsonbContainer *object, const char *key, bool array)
{
	JsonbValue	value;

	if (object == NULL || getKeyJsonValueFromContainer(object, key, strlen(key), &value) == NULL ||
		value.type != jbvBinary ||
		(array ? !JsonContainerIsArray(value.val.binary.data) : !JsonContainerIsObject(value.val.binary.data)))
		return NULL;
	return value.val.binary.data;
}

/* Return what the agreement's baseline has of an object, or NULL. */
static JsonbContainer *
find_object(const char *object)
{
	const Agreement *agreement = dbkit_agreement();

	if (agreement->own == NULL)
		return NULL;
	return find_container(find_container(&agreement->own->root, "baseline", false), object, false);
}

/* Has the baseline anything of that object? */
bool
dbkit_baseline_has(const char *object)
{
	return find_object(object) != NULL;
}

/* Is the finding in the baseline? */
bool
dbkit_is_in_baseline(const Finding *finding)
{
	JsonbContainer *names = find_container(find_object(dbkit_object_name(finding->facts->schema,
																		 finding->facts->name)),
										   finding->rule->id, true);
	JsonbValue	name = {.type = jbvString};

	if (names == NULL)
		return false;
	name.val.string.val = unconstify(char *, name_of(finding));
	name.val.string.len = strlen(name.val.string.val);
	return findJsonbValueFromContainer(names, JB_FARRAY, &name) != NULL;
}

/* Add the names that the baseline has of a rule and an object; false for what cannot be read. */
static bool
read_names(List **entries, const char *object, const char *rule, const JsonbValue *names)
{
	JsonbIterator *it;
	JsonbValue	name;
	bool		strings = true;

	if (names->type != jbvBinary || !JsonContainerIsArray(names->val.binary.data))
		return false;
	it = JsonbIteratorInit(names->val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &name, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &name, true))
	{
		BaselineEntry *entry;

		if (token != WJB_ELEM)
			continue;
		strings &= name.type == jbvString;
		if (name.type != jbvString)
			continue;
		entry = palloc(sizeof(BaselineEntry));
		entry->object = pstrdup(object);
		entry->rule = pstrdup(rule);
		entry->name = dbkit_json_string(&name);
		*entries = lappend(*entries, entry);
	}
	return strings;
}

/* Add what the baseline has of an object; false for what cannot be read. */
static bool
read_object(List **entries, const char *object, const JsonbValue *rules)
{
	JsonbIterator *it;
	JsonbValue	rule;
	JsonbValue	names;
	bool		understood = true;

	if (rules->type != jbvBinary || !JsonContainerIsObject(rules->val.binary.data))
		return false;
	it = JsonbIteratorInit(rules->val.binary.data);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &rule, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &rule, true))
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &names, true);
		understood &= read_names(entries, object, dbkit_json_string(&rule), &names);
	}
	return understood;
}

/* Return what the baseline has of an object. */
List *
dbkit_baseline_of(const char *object)
{
	List	   *entries = NIL;
	JsonbValue	rules = {.type = jbvBinary};

	rules.val.binary.data = find_object(object);
	if (rules.val.binary.data != NULL)
		(void) read_object(&entries, object, &rules);
	return entries;
}

/* Read the baseline of an agreement; false if something in it cannot be read. */
static bool
read_baseline(List **entries, Jsonb *agreement)
{
	Jsonb	   *baseline = dbkit_json_object(agreement, "baseline");
	JsonbIterator *it;
	JsonbValue	object;
	JsonbValue	rules;
	bool		understood = true;

	if (baseline == NULL)
		return true;
	it = JsonbIteratorInit(&baseline->root);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &object, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &object, true))
	{
		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &rules, true);
		understood &= read_object(entries, dbkit_json_string(&object), &rules);
	}
	return understood;
}

/* Return what is in the baseline of an agreement, as BaselineEntry. */
List *
dbkit_read_baseline(Jsonb *agreement)
{
	List	   *entries = NIL;

	(void) read_baseline(&entries, agreement);
	return entries;
}

/* Return what is wrong with the baseline of an agreement, as sentences. */
List *
dbkit_find_baseline_problems(const Agreement *agreement)
{
	List	   *entries = NIL;

	if (agreement->own == NULL || read_baseline(&entries, agreement->own))
		return NIL;
	return list_make1("The baseline has to be {\"schema.table\": {\"rule\": [\"name\"]}}.");
}

/* By object, rule and name. */
static int
compare_entries(const ListCell *a, const ListCell *b)
{
	const BaselineEntry *left = lfirst(a);
	const BaselineEntry *right = lfirst(b);
	int			order = strcmp(left->object, right->object);

	if (order == 0)
		order = strcmp(left->rule, right->rule);
	return order != 0 ? order : strcmp(left->name, right->name);
}

/* Return those entries that are not among others; both lists are put in order. */
List *
dbkit_subtract_entries(List *entries, List *others)
{
	List	   *result = NIL;
	int			next = 0;
	ListCell   *lc;

	list_sort(entries, compare_entries);
	list_sort(others, compare_entries);
	foreach(lc, entries)
	{
		int			order = 1;

		while (next < list_length(others) && (order = compare_entries(lc, list_nth_cell(others, next))) > 0)
			next++;
		if (order != 0)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* Add an entry to the JSON that is being built, after the one before it, NULL for none. */
static void
push_entry(JsonbParseState **state, const BaselineEntry *last, const BaselineEntry *entry)
{
	bool		same_object = last != NULL && entry != NULL && strcmp(last->object, entry->object) == 0;
	bool		same_rule = same_object && strcmp(last->rule, entry->rule) == 0;

	if (last != NULL && !same_rule)
		(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
	if (last != NULL && !same_object)
		(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
	if (entry == NULL)
		return;
	if (!same_object)
	{
		dbkit_push_string(state, WJB_KEY, entry->object);
		(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	}
	if (!same_rule)
	{
		dbkit_push_string(state, WJB_KEY, entry->rule);
		(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	}
	dbkit_push_string(state, WJB_ELEM, entry->name);
}

/* Return an agreement with another baseline; the entries are put in order. */
Jsonb *
dbkit_replace_baseline(Jsonb *agreement, List *entries)
{
	JsonbParseState *state = NULL;
	JsonbValue	nothing = {.type = jbvNull};
	const ListCell *last = NULL;
	Jsonb	   *without;
	ListCell   *lc;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, "baseline");
	(void) pushJsonbValue(&state, WJB_VALUE, &nothing);
	without = dbkit_merge_json(agreement, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	if (entries == NIL)
		return without;

	list_sort(entries, compare_entries);
	state = NULL;
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, "baseline");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, entries)
	{
		if (last != NULL && compare_entries(last, lc) == 0)
			continue;
		push_entry(&state, last != NULL ? lfirst(last) : NULL, lfirst(lc));
		last = lc;
	}
	push_entry(&state, lfirst(last), NULL);
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return dbkit_merge_json(without, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* The entries of a baseline, in a memory context that outlives the check of each object */
typedef struct BaselineMaker
{
	MemoryContext context;
	List	   *entries;
} BaselineMaker;

/* Add a finding to a baseline. */
static void
add_entry(const Finding *finding, void *arg)
{
	BaselineMaker *maker = arg;
	MemoryContext caller = MemoryContextSwitchTo(maker->context);

	maker->entries = lappend(maker->entries, dbkit_baseline_entry(finding));
	MemoryContextSwitchTo(caller);
}

/* Return the name by which the agreement knows a relation. */
static char *
relation_object_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *schema = name != NULL ? get_namespace_name(get_rel_namespace(relid)) : NULL;

	if (schema == NULL)
		dbkit_report_dropped(relid);
	return dbkit_object_name(schema, name);
}

PG_FUNCTION_INFO_V1(dbkit_baseline);

/*
 * dbkit.baseline(relation regclass) returns bigint
 *
 * Takes everything that dbkit.check() reports now, of one relation or of all for NULL, out of
 * what it reports from now on; returns how many findings these are.
 * Errors: insufficient_privilege, undefined_table.
 */
Datum
dbkit_baseline(PG_FUNCTION_ARGS)
{
	Jsonb	   *agreement = dbkit_begin_agreement_change();
	BaselineMaker maker = {.context = CurrentMemoryContext};
	int			found;

	if (PG_ARGISNULL(0))
		dbkit_check_objects(InvalidOid, SCOPE_CHECK, NULL, add_entry, &maker);
	else
	{
		(void) relation_object_name(PG_GETARG_OID(0));
		dbkit_check_object(RelationRelationId, PG_GETARG_OID(0), SCOPE_CHECK, add_entry, &maker);
	}
	found = list_length(maker.entries);
	if (found > 0)
		dbkit_end_agreement_change(dbkit_replace_baseline(agreement,
														  list_concat(maker.entries, dbkit_read_baseline(agreement))));
	PG_RETURN_INT64(found);
}

PG_FUNCTION_INFO_V1(dbkit_unbaseline);

/*
 * dbkit.unbaseline(relation regclass) returns bigint
 *
 * Lets dbkit.check() report again what the baseline has of a relation, or of all for NULL; returns how
 * many entries that were.  Errors: insufficient_privilege, undefined_table.
 */
Datum
dbkit_unbaseline(PG_FUNCTION_ARGS)
{
	Jsonb	   *agreement = dbkit_begin_agreement_change();
	char	   *object = PG_ARGISNULL(0) ? NULL : relation_object_name(PG_GETARG_OID(0));
	List	   *entries = dbkit_read_baseline(agreement);
	int			before = list_length(entries);
	ListCell   *lc;

	foreach(lc, entries)
	{
		if (object == NULL || strcmp(((BaselineEntry *) lfirst(lc))->object, object) == 0)
			entries = foreach_delete_current(entries, lc);
	}
	if (list_length(entries) < before)
		dbkit_end_agreement_change(dbkit_replace_baseline(agreement, entries));
	PG_RETURN_INT64(before - list_length(entries));
}
