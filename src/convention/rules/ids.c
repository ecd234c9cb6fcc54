/*-------------------------------------------------------------------------
 *
 * ids.c
 *		Rules about ids: the key, its default and CHECK, the prefix, references.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "common.h"
#include "convention/facts/table.h"
#include "convention/facts/expression.h"
#include "convention/facts/type_walk.h"
#include "convention/own_objects.h"
#include "convention/registry.h"
#include "convention/rules/files.h"
#include "convention/rules/id_style.h"
#include "id.h"

/* Would generate_id() take it?  A LIKE pattern of anything else can mean more. */
static bool
is_possible_prefix(const char *prefix)
{
	size_t		length = strlen(prefix);

	return length > 0 && strspn(prefix, "abcdefghijklmnopqrstuvwxyz_") == length;
}

static bool
is_convention_prefix(const char *prefix)
{
	size_t		length = strlen(prefix);

	return (length == 2 || length == 3) &&
		strspn(prefix, "abcdefghijklmnopqrstuvwxyz") == length;
}

/*
 * Find a prefix that no table has: three letters of the table's name in order,
 * beginning with the first.  NULL when all of them are taken.
 */
static char *
find_free_prefix(Judgement *judgement)
{
	char		letters[NAMEDATALEN + 3];
	int			length = 0;

	/* What was there before is not fixed */
	if (judgement->facts->catalogs->snapshot != NULL)
		return NULL;
	for (const char *c = judgement->facts->name; *c; c++)
	{
		char		lower = (*c >= 'A' && *c <= 'Z') ? *c - 'A' + 'a' : *c;

		if (lower >= 'a' && lower <= 'z')
			letters[length++] = lower;
	}
	while (length < 3)
		letters[length++] = 'x';

	for (int second = 1; second < length - 1; second++)
	{
		for (int third = second + 1; third < length; third++)
		{
			char	   *prefix = psprintf("%c%c%c", letters[0], letters[second],
										  letters[third]);

			if (!OidIsValid(dbkit_registry_holder(&dbkit_now, prefix)) &&
				!dbkit_list_has_string(judgement->suggested, prefix))
				return prefix;
		}
	}
	return NULL;
}

/* Suggest a prefix, the same one in all findings about the table. */
static char *
suggest_prefix(Judgement *judgement)
{
	if (judgement->suggestion_for != judgement->facts)
	{
		judgement->suggestion = find_free_prefix(judgement);
		judgement->suggestion_for = judgement->facts;
	}
	return judgement->suggestion;
}

/* The same for a fix: no other table's is to use it. */
static char *
take_prefix(Judgement *judgement)
{
	char	   *prefix = suggest_prefix(judgement);

	if (prefix != NULL && !dbkit_list_has_string(judgement->suggested, prefix))
		judgement->suggested = lappend(judgement->suggested, prefix);
	return prefix;
}

/* Judge that id is there and is the primary key, of the right type. */
static void
judge_primary_key(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	const char *wanted = dbkit_ids_are_uuids() ?
	"uuid PRIMARY KEY DEFAULT gen_random_uuid()" : DBKIT_ID_TYPE " PRIMARY KEY";
	Wrong		wrong = {.faults = 0};
	Finding    *finding;

	if (id == NULL)
	{
		char	   *prefix = !dbkit_ids_are_uuids() ? take_prefix(judgement) : NULL;

		finding = dbkit_add_finding(judgement, NULL, "there is no column \"id\"; use id %s%s", wanted,
									prefix == NULL ? "" :
									psprintf(" DEFAULT %s('%s') CHECK (id LIKE '%s_%%')",
											 dbkit_function_name("generate_id"), prefix, prefix));
		dbkit_set_missing(finding, "id", FAULT_KEY | FAULT_DEFAULT);
		return;
	}

	dbkit_check_type(&wrong, id, dbkit_ids_are_uuids() ? UUIDOID : TEXTOID);
	if (!dbkit_ids_are_uuids() && id->base_type == TEXTOID &&
		id->collation != C_COLLATION_OID)
		dbkit_add_wrong(&wrong, FAULT_COLLATION, "has collation \"%s\"",
						dbkit_collation_name(id->collation));
	dbkit_check_key(&wrong, facts, id);
	if (dbkit_ids_are_uuids() && id->base_type == UUIDOID &&
		!dbkit_generates_uuid(facts->catalogs, dbkit_column_default(id)))
		dbkit_add_wrong(&wrong, FAULT_DEFAULT, "has no default that generates a uuid");
	if (wrong.faults == 0)
		return;
	finding = dbkit_add_finding(judgement, "id", "column \"id\" %s; use id %s", wrong.text.data, wanted);
	dbkit_set_faults(finding, wrong.faults, wrong.hidden);
}

/*
 * Return the prefix that a fix of the default or the CHECK is to use: what the
 * other of the two says, or a suggestion.
 */
static char *
prefix_for_fix(Judgement *judgement)
{
	char	   *prefix = dbkit_facts_prefix(judgement->facts);

	return prefix != NULL ? prefix : take_prefix(judgement);
}

static void
judge_id_default(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;

	if (dbkit_ids_are_uuids() || dbkit_facts_default_prefix(facts) != NULL)
		return;
	if (id == NULL)
	{
		dbkit_hide_faults(judgement, "id", FAULT_DEFAULT);
		return;
	}

	prefix = prefix_for_fix(judgement);
	wanted = psprintf("DEFAULT %s(%s)", dbkit_function_name("generate_id"),
					  quote_literal_cstr(prefix ? prefix : "..."));
	if (!dbkit_column_has_default(id))
		finding = dbkit_add_finding(judgement, "id", "column \"id\" %s; use %s",
									id->generated ? "is a generated column" : "has no default",
									wanted);
	else
		finding = dbkit_add_finding(judgement, "id",
									"the default of column \"id\" is not dbkit's generate_id() with a constant prefix; use %s",
									wanted);
	dbkit_set_faults(finding, FAULT_DEFAULT, 0);
	if (prefix == NULL)
		return;
	if (id->base_type == TEXTOID && !id->generated)
		dbkit_add_alter(finding, psprintf("ALTER COLUMN id SET %s", wanted));
}

static void
judge_id_check(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;
	ListCell   *lc;

	if (dbkit_ids_are_uuids())
		return;
	if (id == NULL)
	{
		dbkit_hide_faults(judgement, "id", FAULT_CHECK);
		return;
	}
	if (dbkit_facts_check_prefixes(facts) != NIL &&
		(dbkit_facts_default_prefix(facts) == NULL ||
		 dbkit_list_has_string(dbkit_facts_check_prefixes(facts), dbkit_facts_default_prefix(facts))))
		return;

	prefix = prefix_for_fix(judgement);
	wanted = psprintf("CHECK (id LIKE %s)",
					  quote_literal_cstr(psprintf("%s_%%", prefix ? prefix : "...")));
	if (dbkit_facts_check_prefixes(facts) == NIL)
		finding = dbkit_add_finding(judgement, "id",
									"no CHECK pins the prefix of column \"id\"; use %s", wanted);
	else
		finding = dbkit_add_finding(judgement, "id",
									"the CHECK on column \"id\" pins the prefix \"%s\", its default makes \"%s\"; use %s",
									(char *) linitial(dbkit_facts_check_prefixes(facts)),
									dbkit_facts_default_prefix(facts), wanted);
	dbkit_set_faults(finding, FAULT_CHECK, 0);
	if (prefix == NULL || !is_possible_prefix(prefix) || id->base_type != TEXTOID)
		return;
	if (list_member_ptr(dbkit_facts_check_names(facts), NULL))
		return;
	foreach(lc, dbkit_facts_check_names(facts))
		dbkit_add_alter(finding, psprintf("DROP CONSTRAINT %s", quote_identifier(lfirst(lc))));
	dbkit_add_alter(finding, psprintf("ADD %s", wanted));
}

static void
judge_id_prefix(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	Oid			holder;

	if (dbkit_ids_are_uuids() || dbkit_facts_prefix(facts) == NULL)
		return;
	if (!is_convention_prefix(dbkit_facts_prefix(facts)))
		dbkit_set_faults(dbkit_add_finding(judgement, "id", "prefix \"%s\" is not 2 or 3 lower-case letters; use one that is",
										   dbkit_facts_prefix(facts)),
						 FAULT_FORM, 0);
	if (strlen(dbkit_facts_prefix(facts)) > DBKIT_PREFIX_MAX_LEN)
		return;					/* the registry has none */
	if (judgement->prefixes != NULL &&
		dbkit_registry_has(judgement->prefixes, dbkit_facts_prefix(facts), facts->objid))
		return;

	holder = dbkit_registry_holder(facts->catalogs, dbkit_facts_prefix(facts));
	if (!OidIsValid(holder))
	{
		Finding    *finding = dbkit_add_finding(judgement, "id",
												"prefix \"%s\" is not in the registry, so that another table could have it; use dbkit.register_prefix()",
												dbkit_facts_prefix(facts));

		dbkit_set_faults(finding, FAULT_UNREGISTERED, 0);
		finding->statement = psprintf("SELECT dbkit.register_prefix(%s);",
									  quote_literal_cstr(dbkit_facts_identity(facts)));
	}
	else if (holder != facts->objid)
	{
		char	   *suggestion = suggest_prefix(judgement);
		char	   *name = dbkit_catalog_identity(facts->catalogs, holder);
		Finding    *finding;

		finding = dbkit_add_finding(judgement, "id", "prefix \"%s\" belongs to table \"%s\"; use another%s",
									dbkit_facts_prefix(facts), name != NULL ? name : "(dropped meanwhile)",
									suggestion ? psprintf(", such as \"%s\"", suggestion) : "");
		dbkit_set_faults(finding, FAULT_TAKEN, 0);
		finding->referenced = holder;
	}
}

Rule		dbkit_id_rules[] = {
	{
		.id = "primary_key",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_KEY | FACT_COLUMNS,
		.level = LEVEL_ERROR,
		.description = "primary key on exactly id, TEXT COLLATE \"C\" (on a partitioned table: one that includes id)",
		.judge = judge_primary_key
	},
	{
		.id = "id_default",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_PREFIX,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "id has DEFAULT generate_id('...') with a constant prefix",
		.judge = judge_id_default
	},
	{
		.id = "id_check",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_PREFIX,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "a CHECK pins the prefix of id, the same as the default's",
		.judge = judge_id_check
	},
	{
		.id = "id_prefix",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_PREFIX,
		.level = LEVEL_ERROR,
		.description = "the prefix is 2 or 3 lower-case letters, and no other table in the database has it",
		.judge = judge_id_prefix
	},
	{NULL}
};
