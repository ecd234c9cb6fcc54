/*-------------------------------------------------------------------------
 *
 * foreign_keys.c
 *		Rules about references between tables: foreign keys and their indexes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/table.h"
#include "convention/rules/files.h"
#include "convention/rules/id_style.h"
#include "convention/listed_names.h"
#include "relation_name.h"

/*
 * Can the index find the rows with given values of the key's columns?  It can
 * when they are its leading columns, in any order.
 */
static bool
index_covers(const Facts *facts, const IndexFacts *index, const ForeignKeyFacts *key)
{
	if (!index->usable || list_length(index->columns) < list_length(key->columns) ||
		!(index->access_method == BTREE_AM_OID || index->access_method == HASH_AM_OID ||
		  (key->period && index->access_method == GIST_AM_OID)))
		return false;
	for (int i = 0; i < list_length(key->columns); i++)
	{
		AttrNumber	attnum = list_nth_int(index->columns, i);
		const ColumnFacts *column = dbkit_facts_column_at(facts, attnum);

		if (!list_member_int(key->columns, attnum) || column == NULL ||
			column->collation != list_nth_oid(index->collations, i))
			return false;
	}
	return true;
}

static bool
is_covered(const Facts *facts, const ForeignKeyFacts *key)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_indexes(facts))
	{
		if (index_covers(facts, lfirst(lc), key))
			return true;
	}
	return false;
}

/* Return the column's name where there is one only, for the finding. */
static const char *
only_column(const Facts *facts, const List *columns)
{
	return list_length(columns) == 1 ?
		dbkit_facts_column_at(facts, linitial_int(columns))->name : NULL;
}

/* Are the columns the leading ones of the list, which is not shorter, in any order? */
static bool
is_leading(const List *list, const List *columns)
{
	for (int i = 0; i < list_length(columns); i++)
	{
		if (!list_member_int(columns, list_nth_int(list, i)))
			return false;
	}
	return true;
}

/*
 * Return the columns of the index to make for a foreign key: those of the widest
 * of the keys without an index that such an index serves as well.
 */
static const List *
columns_to_index(const List *uncovered, const ForeignKeyFacts *key)
{
	const List *result = NIL;
	ListCell   *lc;

	foreach(lc, uncovered)
	{
		const ForeignKeyFacts *other = lfirst(lc);

		if (list_length(other->columns) > list_length(result) &&
			list_length(other->columns) >= list_length(key->columns) &&
			is_leading(other->columns, key->columns))
			result = other->columns;
	}
	return result;
}

/* Return the foreign keys that have no index. */
static List *
find_uncovered(const Facts *facts)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_covered(facts, lfirst(lc)))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* Judge that every foreign key has an index. */
static void
judge_fk_index(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	List	   *uncovered = find_uncovered(facts);
	ListCell   *lc;

	foreach(lc, uncovered)
	{
		const ForeignKeyFacts *key = lfirst(lc);
		char	   *wanted = psprintf("CREATE INDEX ON %s (%s)", dbkit_facts_identity(facts),
									  dbkit_facts_column_names(facts, columns_to_index(uncovered, key)));

		CHECK_FOR_INTERRUPTS();
		dbkit_add_finding(judgement, only_column(facts, key->columns),
						  "foreign key \"%s\" (%s) has no index; use %s", key->name,
						  dbkit_facts_column_names(facts, key->columns), wanted)->statement = psprintf("%s;", wanted);
	}
}

/* Return the clause for a foreign key's action, or "" for the default one. */
static const char *
action_clause(const char *event, char action)
{
	static const struct
	{
		char		action;
		const char *name;
	}			actions[] = {
		{FKCONSTR_ACTION_RESTRICT, "RESTRICT"},
		{FKCONSTR_ACTION_CASCADE, "CASCADE"},
		{FKCONSTR_ACTION_SETNULL, "SET NULL"},
		{FKCONSTR_ACTION_SETDEFAULT, "SET DEFAULT"},
	};

	for (size_t i = 0; i < lengthof(actions); i++)
	{
		if (actions[i].action == action)
			return psprintf(" ON %s %s", event, actions[i].name);
	}
	return "";
}

/* Return the names of the columns that a foreign key refers to, quoted; NULL where one is gone. */
static char *
referenced_column_names(const ForeignKeyFacts *key)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->oid));
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	referenced[INDEX_MAX_KEYS];
	StringInfoData names;
	int			count;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	DeconstructFkConstraintRow(tuple, &count, columns, referenced, NULL, NULL, NULL, NULL, NULL);
	ReleaseSysCache(tuple);
	initStringInfo(&names);
	for (int i = 0; i < count; i++)
	{
		char	   *name = get_attname(key->referenced, referenced[i], true);

		if (name == NULL)
			return NULL;
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", quote_identifier(name));
	}
	return names.data;
}

/* Return the definition of a foreign key with another ON DELETE action, or NULL. */
static char *
redefine_key(const Facts *facts, const ForeignKeyFacts *key, char delete_action)
{
	const char *table = dbkit_find_relation_name(key->referenced);
	const char *columns = table != NULL ? referenced_column_names(key) : NULL;

	if (columns == NULL)
		return NULL;
	return psprintf("ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)%s%s%s%s%s",
					quote_identifier(key->name),
					dbkit_facts_column_names(facts, key->columns),
					table, columns,
					key->match_type == FKCONSTR_MATCH_FULL ? " MATCH FULL" : "",
					action_clause("UPDATE", key->update_action),
					action_clause("DELETE", delete_action),
					key->deferrable ? " DEFERRABLE" : "",
					key->deferred ? " INITIALLY DEFERRED" : "");
}

/* May all columns of the key be null? */
static bool
is_nullable(const Facts *facts, const ForeignKeyFacts *key)
{
	ListCell   *lc;

	foreach(lc, key->columns)
	{
		if (dbkit_facts_column_at(facts, lfirst_int(lc))->refuses_null)
			return false;
	}
	return true;
}

/* Is it a key to users or organizations whose rows neither go with them nor let go? */
static bool
keeps_rows(const ForeignKeyFacts *key)
{
	return key->delete_action != FKCONSTR_ACTION_CASCADE &&
		key->delete_action != FKCONSTR_ACTION_SETNULL &&
		(dbkit_is_user_table(key->referenced) || dbkit_is_organization_table(key->referenced));
}

/* Judge that rows go with their user or organization, or let go of it. */
static void
judge_fk_on_delete(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);
		char		action;
		char	   *definition;
		const char *name = keeps_rows(key) ? dbkit_find_unquoted_name(key->referenced) : NULL;
		Finding    *finding;

		if (name == NULL)
			continue;
		action = is_nullable(facts, key) ? FKCONSTR_ACTION_SETNULL : FKCONSTR_ACTION_CASCADE;
		finding = dbkit_add_finding(judgement, only_column(facts, key->columns),
									"foreign key \"%s\" to \"%s\" is neither ON DELETE CASCADE nor ON DELETE SET NULL; use%s",
									key->name, name,
									key->period ? " a key without PERIOD, which has no such action" :
									action_clause("DELETE", action));
		definition = key->period ? NULL : redefine_key(facts, key, action);
		if (definition == NULL)
			continue;
		dbkit_add_alter(finding, psprintf("DROP CONSTRAINT %s", quote_identifier(key->name)));
		dbkit_add_alter(finding, definition);
	}
}

/* Judge that a column *_id is a foreign key, or is named *_extid. */
static void
judge_extid(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);
		const char *suffix = dbkit_id_suffix(column->name);
		char	   *extid;
		Finding    *finding;

		if (suffix == NULL || list_member_int(dbkit_facts_key(facts), column->attnum) ||
			dbkit_is_reference(facts, column))
			continue;
		extid = dbkit_extid_name(column->name, suffix);
		finding = dbkit_add_finding(judgement, column->name,
									"column \"%s\" is not a foreign key; add REFERENCES, or rename it to \"%s\" if the id comes from another system",
									column->name, extid);
		if (strlen(extid) < NAMEDATALEN && dbkit_facts_column(facts, extid) == NULL &&
			!column->inherited)
			finding->statement = psprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;",
										  dbkit_facts_identity(facts),
										  quote_identifier(column->name),
										  quote_identifier(extid));
	}
}

/* Return the column that references the organization table, or NULL. */
static const ColumnFacts *
find_organization_reference(const Facts *facts)
{
	const ColumnFacts *result = NULL;
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);

		if (!dbkit_is_organization_table(key->referenced))
			continue;
		result = dbkit_facts_column_at(facts, linitial_int(key->columns));
		if (result->not_null)
			break;
	}
	return result;
}

/* Report that no column references the organization table. */
static void
report_missing_organization(Judgement *judgement)
{
	const List *names = dbkit_agreement()->organization_columns;
	const ColumnFacts *column = dbkit_facts_listed_column(judgement->facts, names);
	const char *name = column != NULL ? column->name : names != NIL ? linitial(names) : NULL;
	const char *type = dbkit_id_type()->definition;
	const char *wanted = psprintf("%s %s%sNOT NULL with a foreign key to the organization table",
								  name != NULL ? quote_identifier(name) : "a column",
								  type != NULL ? type : "", type != NULL ? " " : "");

	if (column == NULL)
		dbkit_add_finding(judgement, NULL,
						  "no column references the organization table; use %s", wanted);
	else
		dbkit_add_finding(judgement, column->name,
						  "column \"%s\" does not reference the organization table; use %s",
						  column->name, wanted);
}

/* Judge that each row belongs to an organization, whatever the column's name. */
static void
judge_organization_scope(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *column = find_organization_reference(facts);

	if (dbkit_is_organization_table(facts->objid) || (column != NULL && column->not_null))
		return;
	if (column != NULL)
		dbkit_add_finding(judgement, column->name, "column \"%s\" may be null; use NOT NULL",
						  column->name);
	else
		report_missing_organization(judgement);
}

/* Judge that no constraint is left NOT VALID. */
static void
judge_fk_validated(Judgement *judgement)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_unvalidated(judgement->facts))
	{
		char	   *name = lfirst(lc);
		char	   *action = psprintf("VALIDATE CONSTRAINT %s", quote_identifier(name));

		dbkit_add_alter(dbkit_add_finding(judgement, NULL,
										  "constraint \"%s\" is not validated; use %s",
										  name, action),
						action);
	}
}

Rule		dbkit_foreign_key_rules[] = {
	{
		.id = "fk_index",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_FOREIGN_KEYS | FACT_INDEXES | FACT_COLUMNS,
		.fixed_by = FACT_INDEXES,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "every foreign key is covered by a valid, non-partial index whose leading columns are the key's, in any order",
		.judge = judge_fk_index
	},
	{
		.id = "fk_on_delete",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_FOREIGN_KEYS | FACT_COLUMNS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "foreign keys to the user and organization tables are ON DELETE CASCADE or SET NULL",
		.judge = judge_fk_on_delete
	},
	{
		.id = "extid",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS | FACT_KEY,
		.fixed_by = FACT_FOREIGN_KEYS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "a column *_id is a foreign key or the primary key; an id from elsewhere is named *_extid",
		.judge = judge_extid
	},
	{
		.id = "organization_scope",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_FOREIGN_KEYS | FACT_COLUMNS,
		.fixed_by = FACT_FOREIGN_KEYS,
		.level = LEVEL_OFF,
		.description = "a column, such as organization_id, NOT NULL that references the organization table",
		.judge = judge_organization_scope
	},
	{
		.id = "fk_validated",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_UNVALIDATED,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "no constraint is left NOT VALID",
		.judge = judge_fk_validated
	},
	{NULL}
};
