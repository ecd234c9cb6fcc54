/*-------------------------------------------------------------------------
 *
 * concerns.c
 *		Which objects a rule is about.
 *
 * A table without a foreign key keeps every rule about foreign keys.  It is no evidence that
 * somebody means the rule, and so dbkit.suggest() counts only the objects that could break it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/concerns.h"
#include "convention/facts/exposure.h"
#include "convention/facts/type_walk.h"
#include "convention/listed_names.h"
#include "convention/rules/id_style.h"

/* Is this what a rule is about? */
typedef bool (*ConcernTest) (const Facts *facts);

static bool
has_prefixed_id(const Facts *facts)
{
	return dbkit_ids_are_prefixed() && dbkit_facts_column(facts, "id") != NULL;
}

/* Has the table columns of one of these types? */
static bool
has_types(const Facts *facts, const Oid *types)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		for (const Oid *type = types; OidIsValid(*type); type++)
		{
			if (((ColumnFacts *) lfirst(lc))->base_type == *type)
				return true;
		}
	}
	return false;
}

static bool
has_times(const Facts *facts)
{
	static const Oid types[] = {TIMESTAMPTZOID, TIMESTAMPOID, InvalidOid};

	return has_types(facts, types);
}

static bool
has_integers(const Facts *facts)
{
	static const Oid types[] = {INT8OID, INT4OID, INT2OID, InvalidOid};

	return has_types(facts, types);
}

static bool
has_texts(const Facts *facts)
{
	static const Oid types[] = {TEXTOID, VARCHAROID, BPCHAROID, InvalidOid};

	return has_types(facts, types);
}

static bool
has_json(const Facts *facts)
{
	static const Oid types[] = {JSONBOID, JSONOID, InvalidOid};

	return has_types(facts, types);
}

static bool
has_amounts(const Facts *facts)
{
	static const Oid types[] = {NUMERICOID, MONEYOID, InvalidOid};

	return has_types(facts, types);
}

/* Has the table a column that holds the id of another row? */
static bool
has_id_columns(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);
		IdType		wanted;

		if (strcmp(column->name, "id") != 0 && dbkit_id_suffix(column->name) != NULL &&
			dbkit_find_id_type(facts, column, &wanted))
			return true;
	}
	return false;
}

/* Has the table a column *_id that is not its key? */
static bool
has_references(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		if (dbkit_id_suffix(column->name) != NULL &&
			!list_member_int(dbkit_facts_key(facts), column->attnum))
			return true;
	}
	return false;
}

/* Is it a native enum, or a table with a column of one? */
static bool
has_enums(const Facts *facts)
{
	ListCell   *lc;

	if (facts->kind == KIND_ENUM_TYPE)
		return true;
	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		if (column->base_type >= FirstUnpinnedObjectId && type_is_enum(column->base_type))
			return true;
	}
	return false;
}

static bool
has_updated_at(const Facts *facts)
{
	return dbkit_facts_listed_column(facts, dbkit_agreement()->updated_at_columns) != NULL;
}

static bool
has_foreign_keys(const Facts *facts)
{
	return dbkit_facts_foreign_keys(facts) != NIL;
}

/* Does the table reference users or organizations? */
static bool
has_owner(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		Oid			referenced = ((ForeignKeyFacts *) lfirst(lc))->referenced;

		if (dbkit_is_user_table(&dbkit_now, referenced) || dbkit_is_organization_table(&dbkit_now, referenced))
			return true;
	}
	return false;
}

/* A constraint is NOT VALID, or an index invalid, for a while only: that there is none now is no habit. */
static bool
is_passing(const Facts *facts pg_attribute_unused())
{
	return false;
}

/* The organizations themselves belong to none. */
static bool
is_scoped(const Facts *facts)
{
	return !dbkit_is_organization_table(&dbkit_now, facts->objid);
}

static bool
has_several_indexes(const Facts *facts)
{
	return list_length(dbkit_facts_indexes(facts)) > 1;
}

static bool
has_row_security(const Facts *facts)
{
	return dbkit_facts_rls_enabled(facts);
}

static bool
has_policies(const Facts *facts)
{
	return dbkit_facts_rls_enabled(facts) && dbkit_facts_policies(facts) != NIL;
}

/* Is it a function whose names mean something else for another caller? */
static bool
has_late_names(const Facts *facts)
{
	return facts->late_names && !dbkit_keeps_agreement(facts->schema, facts->name);
}

static bool
has_tenant_policies(const Facts *facts)
{
	return has_policies(facts) &&
		dbkit_facts_listed_column(facts, dbkit_agreement()->organization_columns) != NULL;
}

/* Has the table a tenant, and a foreign key to something else than the organizations? */
static bool
has_tenant_key(const Facts *facts)
{
	ListCell   *lc;

	if (dbkit_facts_listed_column(facts, dbkit_agreement()->organization_columns) == NULL)
		return false;
	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		if (!dbkit_is_organization_table(&dbkit_now, ((ForeignKeyFacts *) lfirst(lc))->referenced))
			return true;
	}
	return false;
}

static bool
has_protected_parent(const Facts *facts)
{
	return dbkit_protected_parents(facts).table != NULL;
}

static bool
shows_protected(const Facts *facts)
{
	return dbkit_protected_sources(facts).table != NULL;
}

/* The rules that have nothing to say about some objects, and those of one house's taste */
static const struct
{
	const char *rule;
	ConcernTest test;			/* NULL: all */
	bool		taste;			/* off unless somebody keeps it */
}			concerns[] = {
	{"id_default", has_prefixed_id, false},
	{"id_check", has_prefixed_id, false},
	{"id_prefix", has_prefixed_id, false},
	{"storytime", NULL, true},
	{"timestamptz", has_times, false},
	{"bigint", has_integers, false},
	{"text_id", has_id_columns, false},
	{"enum_type", has_enums, true},
	{"text_type", has_texts, false},
	{"jsonb_type", has_json, false},
	{"money_type", has_amounts, false},
	{"enum_table", NULL, true},
	{"updated_at_trigger", has_updated_at, false},
	{"fk_index", has_foreign_keys, false},
	{"fk_on_delete", has_owner, false},
	{"fk_type", has_foreign_keys, false},
	{"constraint_validated", is_passing, false},
	{"organization_scope", is_scoped, false},
	{"extid", has_references, true},
	{"rls_policy", has_row_security, false},
	{"rls_forced", has_row_security, false},
	{"policy_with_check", has_policies, false},
	{"forgeable_policy", has_policies, false},
	{"open_policy", has_tenant_policies, false},
	{"tenant_key", has_tenant_key, false},
	{"partition_rls", has_protected_parent, false},
	{"rls_view", shows_protected, false},
	{"duplicate_index", has_several_indexes, false},
	{"function_search_path", has_late_names, false},
	{"invalid_index", is_passing, false},
	{"customer_role_confined", is_passing, false},
};

/* Has the rule something to say about an object of one of its kinds? */
bool
dbkit_rule_concerns(const Rule *rule, const Facts *facts)
{
	for (size_t i = 0; i < lengthof(concerns); i++)
	{
		if (strcmp(concerns[i].rule, rule->id) == 0)
			return concerns[i].test == NULL || concerns[i].test(facts);
	}
	return true;
}

/* Is the rule one of those that few other houses have? */
bool
dbkit_rule_is_taste(const Rule *rule)
{
	for (size_t i = 0; i < lengthof(concerns); i++)
	{
		if (strcmp(concerns[i].rule, rule->id) == 0)
			return concerns[i].taste;
	}
	return false;
}
