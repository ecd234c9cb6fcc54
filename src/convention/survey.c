/*-------------------------------------------------------------------------
 *
 * survey.c
 *		Count what the tables of the database have in common.
 *
 * Keys are judged by the rule primary_key itself, under an agreement of each style.  Columns
 * are known by what their names say once underscores and capitals are gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "convention/check.h"
#include "convention/exemption.h"
#include "convention/facts/columns.h"
#include "convention/facts/triggers.h"
#include "convention/own_objects.h"
#include "convention/rules/rules.h"
#include "convention/survey.h"

static const char *const created_names[] = {
	"createdat", "created", "createdon", "createddate", "datecreated", "createdtime", "createtime",
	"creationdate", "creationtime", "insertedat", NULL
};

static const char *const updated_names[] = {
	"updatedat", "updated", "updatedon", "updateddate", "dateupdated", "updatedtime", "updatetime",
	"modifiedat", "modified", "modifiedon", "modifieddate", "datemodified", "changedat",
	"lastmodified", "lastmodifiedat", "lastupdated", "lastupdatedat", NULL
};

static const char *const id_suffixes[] = {"_id", "Id", "ID", NULL};

static const char *const extid_suffixes[] = {"_extid", "Extid", "ExtId", NULL};

/* Count one more table that has something. */
static void
count_table(Survey *survey, TallyKind kind, Oid oid, const char *name)
{
	TallyKey	key;
	Tally	   *tally;
	bool		found;

	memset(&key, 0, sizeof(key));
	key.kind = kind;
	key.oid = oid;
	strlcpy(NameStr(key.name), name, NAMEDATALEN);
	tally = hash_search(survey->tallies, &key, HASH_ENTER, &found);
	tally->tables = found ? tally->tables + 1 : 1;
}

/* Does the name consist of one of these words, however it is written? */
static bool
is_one_of(const char *name, const char *const words[])
{
	char		plain[NAMEDATALEN];
	int			length = 0;

	for (; *name != '\0'; name++)
	{
		if (*name != '_')
			plain[length++] = pg_ascii_tolower((unsigned char) *name);
	}
	plain[length] = '\0';
	for (; *words != NULL; words++)
	{
		if (strcmp(plain, *words) == 0)
			return true;
	}
	return false;
}

/* Count the first column that says a time by its name; returns it, or NULL. */
static const ColumnFacts *
count_clock_column(Survey *survey, const Facts *facts, TallyKind kind, const char *const words[])
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		if ((column->base_type != TIMESTAMPTZOID && column->base_type != TIMESTAMPOID) ||
			!is_one_of(column->name, words))
			continue;
		count_table(survey, kind, InvalidOid, column->name);
		return column;
	}
	return NULL;
}

/* Count the suffix of a column's name, if it is one of these. */
static void
count_suffix(Survey *survey, TallyKind kind, const char *name, const char *const suffixes[])
{
	for (; *suffixes != NULL; suffixes++)
	{
		if (!dbkit_ends_with(name, *suffixes))
			continue;
		count_table(survey, kind, InvalidOid, *suffixes);
		return;
	}
}

/* Count what the names of columns that hold ids end with. */
static void
count_suffixes(Survey *survey, const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		count_suffix(survey, TALLY_EXTID_SUFFIX, column->name, extid_suffixes);
		if (dbkit_is_reference(facts, column))
			count_suffix(survey, TALLY_ID_SUFFIX, column->name, id_suffixes);
	}
}

/* Count the tables that are referenced, and by which column. */
static void
count_references(Survey *survey, const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);
		const ColumnFacts *column = dbkit_facts_column_at(facts, linitial_int(key->columns));

		if (list_length(key->columns) != 1 || key->referenced == facts->objid || column == NULL)
			continue;
		count_table(survey, TALLY_REFERENCE, key->referenced, column->name);
		if (column->not_null)
			count_table(survey, TALLY_SCOPE, key->referenced, column->name);
	}
}

/* What is looked for: functions that set a column */
typedef struct Setters
{
	const Facts *facts;
	const ColumnFacts *column;
	List	   *functions;		/* their OIDs */
} Setters;

/* Collect the function of a trigger that seems to set the column before a row is updated, dbkit's own apart. */
static bool
collect_function(const TriggerFacts *trigger, const void *arg)
{
	Setters    *setters = unconstify(void *, arg);

	if (trigger->enabled && !trigger->some_columns && TRIGGER_FOR_ROW(trigger->type) &&
		TRIGGER_FOR_BEFORE(trigger->type) && TRIGGER_FOR_UPDATE(trigger->type) &&
		!dbkit_is_function(trigger->function, "updated_at") &&
		dbkit_seems_to_set(setters->facts, trigger, setters->column->name))
		setters->functions = list_append_unique_oid(setters->functions, trigger->function);
	return false;
}

/* Count the functions that seem to set the column when a row changes. */
static void
count_functions(Survey *survey, const Facts *facts, const ColumnFacts *column)
{
	Setters		setters = {facts, column, NIL};
	ListCell   *lc;

	(void) dbkit_find_trigger(facts, collect_function, &setters);
	foreach(lc, setters.functions)
		count_table(survey, TALLY_FUNCTION, lfirst_oid(lc), "");
}

/* Does the key keep the rule primary_key under that agreement? */
static bool
keeps_rule(const Agreement *agreement, Facts *facts)
{
	const Rule *rule = dbkit_find_rule("primary_key");
	Judgement	judgement = {.facts = facts,.rule = rule};

	dbkit_suppose_agreement(agreement);
	rule->judge(&judgement);
	dbkit_suppose_agreement(NULL);
	return judgement.findings == NIL;
}

/* Count the styles that the key is of. */
static void
count_styles(Survey *survey, Facts *facts)
{
	survey->keys++;
	for (int style = 0; style < ID_ANY; style++)
		survey->styles[style] += keeps_rule(&survey->candidates[style], facts);
}

/* Count what kind of key the table has. */
static void
count_key(Survey *survey, Facts *facts)
{
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	int			columns = list_length(dbkit_facts_key(facts));
	bool		holds_id = id != NULL && list_member_int(dbkit_facts_key(facts), id->attnum);

	survey->primary_keys += columns > 0;
	if (columns > 1 && !facts->partitioned)
	{
		survey->composite++;
		survey->composite_taken += holds_id || keeps_rule(&survey->candidates[ID_UUID], facts);
	}
	if (holds_id)
		count_styles(survey, facts);
	else if (columns == 1)
		survey->keys++;
}

/* Is it a ledger, or something else of which nothing is demanded? */
static bool
is_exempt(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_exemptions_on(facts))
	{
		const Exemption *exemption = lfirst(lc);

		if (strcmp(exemption->rule, "*") == 0 && !dbkit_exemption_is_expired(exemption))
			return true;
	}
	return false;
}

/* Count what an object has. */
static void
count_object(Judgement *judgement pg_attribute_unused(), Facts *facts, void *arg)
{
	Survey	   *survey = arg;
	const ColumnFacts *updated;

	if (is_exempt(facts))
	{
		MemoryContext caller = MemoryContextSwitchTo(survey->context);

		survey->left_out = lappend_oid(survey->left_out, facts->objid);
		MemoryContextSwitchTo(caller);
		return;
	}
	if (facts->kind != KIND_TABLE)
		return;
	survey->tables++;
	count_key(survey, facts);
	count_suffixes(survey, facts);
	count_references(survey, facts);
	if (count_clock_column(survey, facts, TALLY_CREATED, created_names) != NULL)
		survey->created++;
	if ((updated = count_clock_column(survey, facts, TALLY_UPDATED, updated_names)) == NULL)
		return;
	survey->updated++;
	count_functions(survey, facts, updated);
}

/* Count what all tables have, in the current memory context. */
Survey *
dbkit_survey(void)
{
	static const char *const styles[] = {
		[ID_PREFIXED] = "prefixed",[ID_UUID] = "uuid",[ID_BIGINT] = "bigint"
	};
	Survey	   *survey = palloc0(sizeof(Survey));
	HASHCTL		ctl = {
		.keysize = sizeof(TallyKey),
		.entrysize = sizeof(Tally),
		.hcxt = CurrentMemoryContext
	};

	survey->context = CurrentMemoryContext;
	survey->tallies = hash_create("dbkit survey", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int style = 0; style < ID_ANY; style++)
		dbkit_read_agreement(&survey->candidates[style],
							 dbkit_make_json(psprintf("{\"id_style\": \"%s\", \"composite_keys\": true}",
													  styles[style])));
	dbkit_check_objects(InvalidOid, SCOPE_ALL, count_object, NULL, survey);
	return survey;
}

/* Is it an object that was not counted, because nothing is demanded of it? */
bool
dbkit_is_left_out(const Survey *survey, const Facts *facts)
{
	return list_member_oid(survey->left_out, facts->objid);
}

/* What most tables have comes first; of several, the name decides. */
static int
compare_tallies(const ListCell *a, const ListCell *b)
{
	const Tally *left = lfirst(a);
	const Tally *right = lfirst(b);

	if (left->tables != right->tables)
		return right->tables - left->tables;
	if (left->key.oid != right->key.oid)
		return left->key.oid < right->key.oid ? -1 : 1;
	return strcmp(NameStr(left->key.name), NameStr(right->key.name));
}

/* Return what was counted of a kind, Tally *, what most tables have first. */
List *
dbkit_tallies(const Survey *survey, TallyKind kind)
{
	List	   *result = NIL;
	HASH_SEQ_STATUS status;
	Tally	   *tally;

	hash_seq_init(&status, survey->tallies);
	while ((tally = hash_seq_search(&status)) != NULL)
	{
		if (tally->key.kind == kind)
			result = lappend(result, tally);
	}
	list_sort(result, compare_tallies);
	return result;
}
