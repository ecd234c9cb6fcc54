/*-------------------------------------------------------------------------
 *
 * ids.c
 *		Rules about ids: the key, its default and CHECK, the prefix, references.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "common.h"
#include "convention/facts/expression.h"
#include "convention/facts/type_walk.h"
#include "convention/agreement.h"
#include "convention/facts/columns.h"
#include "convention/members.h"
#include "convention/own_objects.h"
#include "convention/registry.h"
#include "convention/rules/files.h"
#include "convention/rules/id_style.h"
#include "id.h"

/* Would generate_id() take it?  A LIKE pattern of anything else can mean more. */
static bool
is_possible_prefix(const char *prefix)
{
	return prefix[0] != '\0' && dbkit_is_prefix(prefix);
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

/* Write the default that gives ids of a prefix. */
static char *
write_default(const char *prefix)
{
	return psprintf("DEFAULT %s(%s)", dbkit_function_name("generate_id"), quote_literal_cstr(prefix));
}

/* Write the CHECK that pins a prefix. */
static char *
write_check(const char *prefix)
{
	return psprintf("CHECK (id LIKE %s)", quote_literal_cstr(psprintf("%s_%%", prefix)));
}

/* Is it a sequence of another type than bigint, which ends before the column does? */
static bool
is_small_sequence(const Catalogs *catalogs, Oid sequence)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_SEQUENCE, sequence);

	return row != NULL && ((Form_pg_sequence) GETSTRUCT(row))->seqtypid != INT8OID;
}

/* Add that ids are not generated as those of their type are; prefixed ones have a rule of their own. */
static void
check_generated(Wrong *wrong, const Facts *facts, const ColumnFacts *id)
{
	Oid			sequence = InvalidOid;

	if (id->base_type != dbkit_id_type()->type || dbkit_ids_are_prefixed() || id->identity)
		return;
	if (id->base_type == UUIDOID)
	{
		if (!dbkit_generates_uuid(facts->catalogs, dbkit_column_default(id)))
			dbkit_add_wrong(wrong, FAULT_DEFAULT, "has no default that generates a uuid");
	}
	else if (!dbkit_is_nextval(dbkit_column_default(id), &sequence))
		dbkit_add_wrong(wrong, FAULT_DEFAULT, "is not an identity column and has no sequence");
	else if (is_small_sequence(facts->catalogs, sequence))
		dbkit_add_wrong(wrong, FAULT_FORM, "has a sequence that is not a bigint one");
}

/* Are several columns the key, which the team takes if they hold the id? */
static bool
is_composite(const Facts *facts)
{
	return dbkit_agreement()->composite_keys && list_length(dbkit_facts_key(facts)) > 1;
}

/* Return the columns of the key that belong to no foreign key. */
static List *
find_own_columns(const Facts *facts)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, dbkit_facts_key(facts))
	{
		const ColumnFacts *column = dbkit_facts_column_at(facts, lfirst_int(lc));

		if (column == NULL || !dbkit_is_reference(facts, column))
			result = lappend_int(result, lfirst_int(lc));
	}
	return result;
}

static bool
is_smaller_integer(const ColumnFacts *column)
{
	return column->base_type == INT4OID || column->base_type == INT2OID;
}

/* Add how a new table has the column "id" right in which those faults are. */
static void
add_id(Finding *finding, FaultSet faults)
{
	const IdType *type = dbkit_id_type();
	const ColumnFacts *id = dbkit_facts_column(finding->facts, "id");

	if (faults & FAULT_MISSING)
		dbkit_add_action(finding, ACTION_ADD_COLUMN, "id", type->definition, NULL)->type = type->type;
	else if ((faults & FAULT_TYPE) && type->type == INT8OID && is_smaller_integer(id))
		dbkit_add_id_retype(finding, id);
	else if (faults & (FAULT_TYPE | FAULT_COLLATION))
		dbkit_add_action(finding, ACTION_SET_TYPE, "id", type->definition, NULL)->type = type->type;
	if (faults & (FAULT_MISSING | FAULT_KEY))
		(void) dbkit_add_action(finding, ACTION_SET_KEY, "id", NULL, NULL);
	if ((faults & ~FAULT_KEY) != 0 && type->value != NULL)
		dbkit_add_value(finding, "id", type->value, false);
}

/* Add what gives the ids of a new table a prefix: the default, and the CHECK in place of others. */
static void
add_prefix(Finding *finding, const char *prefix)
{
	ListCell   *lc;

	if (prefix == NULL)
		return;
	dbkit_add_value(finding, "id", write_default(prefix), false);
	if (finding->column != NULL)
	{
		foreach(lc, dbkit_facts_check_names(finding->facts))
		{
			if (lfirst(lc) != NULL)
				dbkit_add_drop_constraint(finding, lfirst(lc), false);
		}
	}
	(void) dbkit_add_action(finding, ACTION_ADD_CONSTRAINT, "id", write_check(prefix), NULL);
}

/* Judge the id: that it is the key, of the right type, and generated. */
static void
judge_id(Judgement *judgement, const ColumnFacts *id)
{
	const Facts *facts = judgement->facts;
	Wrong		wrong = {.faults = 0};
	Finding    *finding;

	dbkit_check_type(&wrong, id, dbkit_id_type()->type);
	if (wrong.faults == 0 && !dbkit_has_type(id, dbkit_id_type()))
		dbkit_add_wrong(&wrong, FAULT_COLLATION, "has collation \"%s\"", dbkit_collation_name(id->collation));
	if (!is_composite(facts) || !list_member_int(dbkit_facts_key(facts), id->attnum))
		dbkit_check_key(&wrong, facts, id);
	check_generated(&wrong, facts, id);
	if (wrong.faults == 0)
		return;
	if (wrong.faults & FAULT_TYPE)
		wrong.hidden |= FAULT_FORM;
	finding = dbkit_add_finding(judgement, "id", "column \"id\" %s; use id %s",
								wrong.text.data, dbkit_id_type()->key);
	dbkit_set_faults(finding, wrong.faults, wrong.hidden);
	add_id(finding, wrong.faults);
}

/* Add the column "id" to a new table, unless its ids need a prefix and there is none left. */
static void
add_missing_id(Finding *finding, const char *prefix)
{
	if (dbkit_ids_are_prefixed() && prefix == NULL)
		return;
	add_id(finding, FAULT_MISSING);
	add_prefix(finding, prefix);
}

/* Say that there is no id, and what it should be. */
static void
report_missing_id(Judgement *judgement)
{
	char	   *prefix = dbkit_ids_are_prefixed() ? take_prefix(judgement) : NULL;
	Finding    *finding = dbkit_add_finding(judgement, NULL, "there is no column \"id\"; use id %s%s%s%s%s",
											dbkit_id_type()->key,
											prefix == NULL ? "" : " ", prefix == NULL ? "" : write_default(prefix),
											prefix == NULL ? "" : " ", prefix == NULL ? "" : write_check(prefix));

	dbkit_set_missing(finding, "id", FAULT_KEY | FAULT_DEFAULT);
	add_missing_id(finding, prefix);
}

/*
 * Judge the key of a table that joins others: the foreign keys are its columns.  They may
 * come in later statements, as ORMs write them.
 */
static void
judge_join_key(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	List	   *own = find_own_columns(facts);
	Finding    *finding;

	if (own == NIL)
		return;
	finding = dbkit_add_finding(judgement, NULL,
								"the primary key (%s) has no column \"id\", and not all of its columns are foreign keys; use id %s, or REFERENCES for (%s)",
								dbkit_facts_column_names(facts, dbkit_facts_key(facts)), dbkit_id_type()->key,
								dbkit_facts_column_names(facts, own));
	dbkit_set_columns(finding, own);
	dbkit_set_faults(finding, FAULT_WIDE_KEY, 0);
	finding->waits = true;
	add_missing_id(finding, dbkit_ids_are_prefixed() ? suggest_prefix(judgement) : NULL);
}

/* Say that there is no key.  CREATE TABLE AS cannot make one, and dumps and ORMs add it in a later statement. */
static void
report_missing_key(Judgement *judgement)
{
	Finding    *finding = dbkit_add_finding(judgement, NULL, "there is no primary key; use PRIMARY KEY");

	dbkit_set_faults(finding, FAULT_NO_KEY, 0);
	finding->waits = true;
	if (dbkit_facts_column(judgement->facts, "id") == NULL)
		dbkit_add_action(finding, ACTION_ADD_COLUMN, "id", "bigint GENERATED ALWAYS AS IDENTITY", NULL)->type = INT8OID;
	(void) dbkit_add_action(finding, ACTION_SET_KEY, "id", NULL, NULL);
}

/* Judge that the table has a primary key as the team's are. */
static void
judge_primary_key(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");

	if (!OidIsValid(dbkit_id_type()->type))
	{
		if (dbkit_facts_key(facts) == NIL)
			report_missing_key(judgement);
	}
	else if (is_composite(facts) && (id == NULL || !list_member_int(dbkit_facts_key(facts), id->attnum)))
		judge_join_key(judgement);
	else if (id == NULL)
		report_missing_id(judgement);
	else
		judge_id(judgement, id);
}

/*
 * Return the prefix that a fix of the default or the CHECK is to use: what the
 * other of the two says, or a suggestion.  It may be one that generate_id() refuses.
 */
static char *
prefix_for_fix(Judgement *judgement)
{
	char	   *prefix = dbkit_facts_prefix(judgement->facts);

	return prefix != NULL ? prefix : take_prefix(judgement);
}

/* Can the ids of a table that exists get a prefix?  All members would have it, and one may have its own. */
static bool
takes_prefix(const Facts *facts, const ColumnFacts *id)
{
	return id->base_type == TEXTOID && !dbkit_member_has_other_default(facts, id);
}

static void
judge_id_default(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	bool		possible;
	char	   *wanted;
	Finding    *finding;

	if (!dbkit_ids_are_prefixed() || dbkit_facts_default_prefix(facts) != NULL)
		return;
	if (id == NULL)
	{
		dbkit_hide_faults(judgement, "id", FAULT_DEFAULT);
		return;
	}

	prefix = prefix_for_fix(judgement);
	possible = prefix != NULL && is_possible_prefix(prefix);
	wanted = write_default(possible ? prefix : "...");
	if (!dbkit_column_has_default(id))
		finding = dbkit_add_finding(judgement, "id", "column \"id\" %s; use %s",
									id->generated ? "is a generated column" : "has no default",
									wanted);
	else
		finding = dbkit_add_finding(judgement, "id",
									"the default of column \"id\" is not dbkit's generate_id() with a constant prefix; use %s",
									wanted);
	dbkit_set_faults(finding, FAULT_DEFAULT, 0);
	if (!possible)
		add_prefix(finding, suggest_prefix(judgement));
	else
		dbkit_add_value(finding, "id", wanted, !id->generated && takes_prefix(facts, id))->risk =
			dbkit_column_has_default(id) ? RISK_BREAKS : RISK_SAFE;
}

static void
judge_id_check(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;
	bool		alterable;
	ListCell   *lc;

	if (!dbkit_ids_are_prefixed())
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
	wanted = write_check(prefix ? prefix : "...");
	if (dbkit_facts_check_prefixes(facts) == NIL)
		finding = dbkit_add_finding(judgement, "id",
									"no CHECK pins the prefix of column \"id\"; use %s", wanted);
	else
		finding = dbkit_add_finding(judgement, "id",
									"the CHECK on column \"id\" pins the prefix \"%s\", its default makes \"%s\"; use %s",
									(char *) linitial(dbkit_facts_check_prefixes(facts)),
									dbkit_facts_default_prefix(facts), wanted);
	dbkit_set_faults(finding, FAULT_CHECK, 0);
	if (prefix == NULL || !is_possible_prefix(prefix) ||
		list_member_ptr(dbkit_facts_check_names(facts), NULL))
		return;
	alterable = takes_prefix(facts, id);
	foreach(lc, dbkit_facts_check_names(facts))
		dbkit_add_drop_constraint(finding, lfirst(lc), alterable);
	(void) dbkit_add_action(finding, ACTION_ADD_CONSTRAINT, "id", wanted,
							alterable ? psprintf("ADD %s", wanted) : NULL);
}

static void
judge_id_prefix(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	Oid			holder;

	if (!dbkit_ids_are_prefixed() || dbkit_facts_prefix(facts) == NULL)
		return;
	if (!is_convention_prefix(dbkit_facts_prefix(facts)))
	{
		Finding    *finding = dbkit_add_finding(judgement, "id", "prefix \"%s\" is not 2 or 3 lower-case letters; use one that is",
												dbkit_facts_prefix(facts));

		dbkit_set_faults(finding, FAULT_FORM, 0);
		add_prefix(finding, suggest_prefix(judgement));
	}
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
		dbkit_add_statement(finding, RISK_SAFE,
							psprintf("SELECT dbkit.register_prefix(%s);",
									 quote_literal_cstr(dbkit_facts_identity(facts))));
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
		add_prefix(finding, suggestion);
	}
}

Rule		dbkit_id_rules[] = {
	{
		.id = "primary_key",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_KEY | FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.level = LEVEL_ERROR,
		.description = "primary key on exactly id, of the type that ids have (on a partitioned table: one that includes id)",
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
