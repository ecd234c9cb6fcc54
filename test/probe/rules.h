/*-------------------------------------------------------------------------
 *
 * rules.h
 *		Rules for tools/probe, which find every object wrong and tell what
 *		they read of it.
 *
 * There is one for each set of facts in each phase.  The problem is what has been
 * read, so that a change to it shows.
 *
 *-------------------------------------------------------------------------
 */

#include "convention/facts/exposure.h"
#include "convention/facts/table.h"
#include "convention/facts/triggers.h"

static StringInfoData probe_text;

/* Collect a trigger; none is wanted, so that all are seen. */
static bool
probe_trigger(const TriggerFacts *trigger, const void *arg pg_attribute_unused())
{
	appendStringInfo(&probe_text, " %s:%u:%d:%d:%s:%s", trigger->name, trigger->function, trigger->type,
					 trigger->enabled, trigger->condition ? "when" : "",
					 trigger->argument ? trigger->argument : "");
	return false;
}

static void
probe_columns(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		appendStringInfo(&probe_text, " %s:%u:%d:%u:%d:%d:%d:%zu:%d", column->name, column->type,
						 column->typmod, column->collation, column->not_null, column->generated, column->identity,
						 column->expression ? strlen(column->expression) : 0,
						 list_length(column->domain_checks));
	}
}

static void
probe_policies(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_policies(facts))
	{
		const PolicyFacts *policy = lfirst(lc);

		appendStringInfo(&probe_text, " %s:%c:%d:%zu:%zu", policy->name, policy->command, policy->permissive,
						 policy->using ? strlen(policy->using) : 0,
						 policy->with_check ? strlen(policy->with_check) : 0);
	}
}

static void
probe_foreign_keys(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);

		appendStringInfo(&probe_text, " %u:%c:%c", key->referenced, key->delete_action, key->update_action);
	}
}

static void
probe_indexes(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_indexes(facts))
	{
		const IndexFacts *index = lfirst(lc);

		appendStringInfo(&probe_text, " %s:%d:%d:%d:%d", dbkit_facts_column_names(facts, index->columns),
						 index->unique, index->valid, index->usable, index->constraint);
	}
}

static void
probe_comments(const Facts *facts)
{
	ListCell   *lc;

	appendStringInfo(&probe_text, "%d", dbkit_has_comment(facts, NULL));
	foreach(lc, dbkit_facts_columns(facts))
		appendStringInfo(&probe_text, " %d", dbkit_has_comment(facts, lfirst(lc)));
}

static void
probe_grants(const Facts *facts)
{
	static const AclMode privileges[] = {ACL_SELECT, ACL_INSERT, ACL_UPDATE, ACL_DELETE};

	for (size_t i = 0; i < lengthof(privileges); i++)
	{
		const char *user = dbkit_other_user(facts, privileges[i], true);

		appendStringInfo(&probe_text, " %s", user ? user : "nobody");
	}
}

/* Append the names or attribute numbers of a list. */
static void
probe_list(const List *list, bool names)
{
	ListCell   *lc;

	foreach(lc, list)
		appendStringInfo(&probe_text, " %s", names ? (char *) lfirst(lc) : psprintf("%d", lfirst_int(lc)));
}

static void
probe_unvalidated(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_unvalidated(facts))
		appendStringInfo(&probe_text, " %s", ((ConstraintFacts *) lfirst(lc))->name);
}

/* Find the object wrong, whatever it is; it is wrong in a new way if something else is read. */
static void
probe(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	FactSet		needs = judgement->rule->needs;
	Protected	parents = needs == FACT_PARENTS ? dbkit_protected_parents(facts) : (Protected) {NULL};
	Protected	sources = needs == FACT_SOURCES ? dbkit_protected_sources(facts) : (Protected) {NULL};

	initStringInfo(&probe_text);
	if (needs == FACT_OBJECT)
		appendStringInfo(&probe_text, "%s.%s %d %s %d", facts->schema, facts->name, facts->security_invoker,
						 facts->search_path ? facts->search_path : "", facts->late_names);
	if (needs == FACT_COLUMNS)
		probe_columns(facts);
	if (needs == FACT_KEY)
		probe_list(dbkit_facts_key(facts), false);
	if (needs == FACT_PREFIX)
		probe_list(dbkit_facts_check_prefixes(facts), true);
	if (needs == FACT_FOREIGN_KEYS)
		probe_foreign_keys(facts);
	if (needs == FACT_UNVALIDATED)
		probe_unvalidated(facts);
	if (needs == (FACT_INDEXES | FACT_COLUMNS))
		probe_indexes(facts);
	if (needs == FACT_TRIGGERS)
		(void) dbkit_find_trigger(facts, probe_trigger, NULL);
	if (needs == FACT_POLICIES)
		probe_policies(facts);
	if (needs == FACT_ROW_SECURITY)
		appendStringInfo(&probe_text, "%d %d", dbkit_facts_rls_enabled(facts), dbkit_facts_rls_forced(facts));
	if (needs == (FACT_COMMENTS | FACT_COLUMNS))
		probe_comments(facts);
	if (needs == FACT_PARENTS)
		appendStringInfo(&probe_text, "%s %d", parents.table ? parents.table : "nothing", parents.forced);
	if (needs == FACT_GRANTS)
		probe_grants(facts);
	if (needs == FACT_SOURCES)
		appendStringInfo(&probe_text, "%s %d", sources.table ? sources.table : "nothing", sources.binds_owner);
	dbkit_add_finding(judgement, NULL, "%s", probe_text.data)->subject = probe_text.data;
}

/* Asks for what its row does not name */
static void
probe_unnamed(Judgement *judgement)
{
	if (strcmp(judgement->facts->name, "unnamed") == 0)
		(void) dbkit_facts_policies(judgement->facts);
}

#define PROBE_TABLE		(KIND_TABLE | KIND_ENUM_TABLE)
#define PROBE_PARTITION	(PROBE_TABLE | KIND_PARTITION)
#define PROBE_VIEW		(KIND_VIEW | KIND_MATERIALIZED_VIEW)
#define PROBE_ANY		(PROBE_PARTITION | PROBE_VIEW | KIND_ENUM_TYPE | KIND_FUNCTION | KIND_DEFINER)

#define PROBE(name, applies_to, reads) \
	{.id = "probe_statement_" name, .phase = PHASE_STATEMENT, .kinds = applies_to, .needs = reads, \
	.level = LEVEL_WARNING, .description = "", .judge = probe}, \
	{.id = "probe_commit_" name, .phase = PHASE_COMMIT, .kinds = applies_to, .needs = reads, \
	.level = LEVEL_WARNING, .description = "", .judge = probe}

static Rule probe_rules[] = {
	PROBE("object", PROBE_ANY, FACT_OBJECT),
	PROBE("columns", PROBE_TABLE, FACT_COLUMNS),
	PROBE("key", PROBE_TABLE, FACT_KEY),
	PROBE("prefix", PROBE_TABLE, FACT_PREFIX),
	PROBE("foreign_keys", PROBE_TABLE, FACT_FOREIGN_KEYS),
	PROBE("unvalidated", PROBE_TABLE, FACT_UNVALIDATED),
	PROBE("indexes", PROBE_TABLE, FACT_INDEXES | FACT_COLUMNS),
	PROBE("triggers", PROBE_TABLE, FACT_TRIGGERS),
	PROBE("policies", PROBE_TABLE, FACT_POLICIES),
	PROBE("row_security", PROBE_PARTITION, FACT_ROW_SECURITY),
	PROBE("parents", PROBE_PARTITION, FACT_PARENTS),
	PROBE("grants", PROBE_PARTITION | PROBE_VIEW, FACT_GRANTS),
	PROBE("sources", PROBE_VIEW, FACT_SOURCES),
	PROBE("comments", PROBE_TABLE, FACT_COMMENTS | FACT_COLUMNS),
	{.id = "probe_unnamed",.phase = PHASE_STATEMENT,.kinds = PROBE_TABLE,.needs = FACT_KEY,
	.level = LEVEL_ERROR,.description = "",.judge = probe_unnamed},
	{NULL}
};
