/*-------------------------------------------------------------------------
 *
 * foreign_keys.c
 *		Rules about references between tables: foreign keys and their indexes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/columns.h"
#include "convention/facts/dependents.h"
#include "convention/facts/type_walk.h"
#include "convention/rules/files.h"
#include "convention/rules/foreign_keys.h"
#include "convention/rules/id_style.h"
#include "convention/listed_names.h"
#include "convention/meant_table.h"
#include "convention/members.h"
#include "relation_name.h"

/*
 * Does the index have all rows that refer to something?  It may leave out those in
 * which a column of the key is null.
 */
static bool
has_referring_rows(const IndexFacts *index, const ForeignKeyFacts *key)
{
	return index->usable ||
		(index->not_null != NIL && list_difference_int(index->not_null, key->columns) == NIL);
}

/*
 * Can the index find the rows with given values of the key's columns?  It can
 * when they are its leading columns, in any order.
 */
static bool
index_covers(const Facts *facts, const IndexFacts *index, const ForeignKeyFacts *key)
{
	if (!has_referring_rows(index, key) || list_length(index->columns) < list_length(key->columns) ||
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

bool
dbkit_is_covered(const Facts *facts, const ForeignKeyFacts *key)
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

/* Add a finding about a foreign key. */
Finding *
dbkit_add_key_finding(Judgement *judgement, const ForeignKeyFacts *key, const char *problem)
{
	Finding    *finding = dbkit_add_finding(judgement, only_column(judgement->facts, key->columns),
											"%s", problem);

	dbkit_set_columns(finding, key->columns);
	finding->referenced = key->referenced;
	finding->part = key->name;
	return finding;
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
		if (!dbkit_is_covered(facts, lfirst(lc)))
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

		Finding    *finding;

		CHECK_FOR_INTERRUPTS();
		finding = dbkit_add_key_finding(judgement, key,
										psprintf("foreign key \"%s\" (%s) has no index; use %s", key->name,
												 dbkit_facts_column_names(facts, key->columns), wanted));
		dbkit_add_action(finding, ACTION_CREATE_INDEX, NULL, NULL, psprintf("%s;", wanted))->risk = RISK_LOCKS;
	}
}

/* Return the clause for a foreign key's action, or "" for the default one. */
const char *
dbkit_action_clause(const char *event, char action)
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

/* Return the definition of a foreign key with another ON DELETE action, or NULL. */
static char *
redefine_key(const Facts *facts, const ForeignKeyFacts *key, char delete_action)
{
	const char *table = dbkit_find_relation_name(key->referenced);
	const char *columns = table != NULL ? dbkit_referenced_column_names(key->oid, key->referenced) : NULL;

	if (columns == NULL)
		return NULL;
	return psprintf("FOREIGN KEY (%s) REFERENCES %s (%s)%s%s%s%s%s",
					dbkit_facts_column_names(facts, key->columns),
					table, columns,
					key->match_type == FKCONSTR_MATCH_FULL ? " MATCH FULL" : "",
					dbkit_action_clause("UPDATE", key->update_action),
					dbkit_action_clause("DELETE", delete_action),
					key->deferrable ? " DEFERRABLE" : "",
					key->deferred ? " INITIALLY DEFERRED" : "");
}

static bool
is_not_null(const ColumnFacts *column)
{
	return column->refuses_null;
}

static bool
is_generated(const ColumnFacts *column)
{
	return column->generated;
}

/* Is a test true of one of the key's columns? */
static bool
has_column(const Facts *facts, const ForeignKeyFacts *key, bool (*test) (const ColumnFacts *column))
{
	ListCell   *lc;

	foreach(lc, key->columns)
	{
		if (test(dbkit_facts_column_at(facts, lfirst_int(lc))))
			return true;
	}
	return false;
}

/* Can all columns of the key become null?  A generated one cannot, whatever it is now. */
static bool
is_nullable(const Facts *facts, const ForeignKeyFacts *key)
{
	return !has_column(facts, key, is_not_null) && !has_column(facts, key, is_generated);
}

/* Is it a key to users or organizations whose rows neither go with them nor let go? */
static bool
keeps_rows(const Facts *facts, const ForeignKeyFacts *key)
{
	return key->delete_action != FKCONSTR_ACTION_CASCADE &&
		key->delete_action != FKCONSTR_ACTION_SETNULL &&
		(dbkit_is_user_table(facts->catalogs, key->referenced) ||
		 dbkit_is_organization_table(facts->catalogs, key->referenced));
}

/* Is the key NOT VALID?  Then the one in its place is, too: the rows may break it. */
bool
dbkit_is_unvalidated(const Facts *facts, const ForeignKeyFacts *key)
{
	HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_CONSTRAINT, key->oid);

	return row != NULL && !((Form_pg_constraint) GETSTRUCT(row))->convalidated;
}

/*
 * Add another definition of the key.  RESTRICT says in so many words that rows are to stay: it becomes no
 * CASCADE.  Nor does a key of generated columns, of which nobody said that rows go.  Who adds a key
 * evaluates expressions of the other table's indexes.
 */
static void
fix_key_action(Finding *finding, const ForeignKeyFacts *key, char action)
{
	char	   *definition = key->period ? NULL : redefine_key(finding->facts, key, action);
	bool		alterable = (key->delete_action != FKCONSTR_ACTION_RESTRICT || action != FKCONSTR_ACTION_CASCADE) &&
	!has_column(finding->facts, key, is_generated) && dbkit_is_trusted(key->referenced, finding->facts->owner);

	if (definition == NULL)
		return;
	dbkit_add_drop_constraint(finding, key->name, alterable);
	(void) dbkit_add_action(finding, ACTION_ADD_CONSTRAINT, key->name, definition, !alterable ? NULL :
							psprintf("ADD CONSTRAINT %s %s%s", quote_identifier(key->name), definition,
									 dbkit_is_unvalidated(finding->facts, key) ? " NOT VALID" : ""));
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
		const char *name = keeps_rows(facts, key) ?
		dbkit_catalog_identity(facts->catalogs, key->referenced) : NULL;
		Finding    *finding;

		if (name == NULL)
			continue;
		action = is_nullable(facts, key) ? FKCONSTR_ACTION_SETNULL : FKCONSTR_ACTION_CASCADE;
		finding = dbkit_add_key_finding(judgement, key,
										psprintf("foreign key \"%s\" to \"%s\" is neither ON DELETE CASCADE nor ON DELETE SET NULL; use%s",
												 key->name, name,
												 key->period ? " a key without PERIOD, which has no such action" :
												 dbkit_action_clause("DELETE", action)));
		fix_key_action(finding, key, action);
	}
}

/*
 * Add a foreign key to the table that the column seems to mean, or else a new name, if that is free and no
 * server has to know it.  To a table that the column means but cannot reference there is neither.
 */
static void
fix_extid(Finding *finding, const Facts *facts, const ColumnFacts *column, const char *extid)
{
	Oid			relid = facts->catalogs->snapshot != NULL ? InvalidOid :
	dbkit_meant_table(facts->schema, column->name, column->base_type, facts->owner);
	const char *referenced = OidIsValid(relid) ? dbkit_find_relation_name(relid) : NULL;
	bool		renamable = strlen(extid) < NAMEDATALEN && dbkit_facts_column(facts, extid) == NULL &&
	!column->inherited && !facts->typed && !dbkit_child_has_column(facts, extid) &&
	!dbkit_child_has_other_parent(facts, column->name) && !dbkit_has_foreign_member(facts);

	if (referenced != NULL && (column->generated || !dbkit_lasts_as_long(relid, facts->objid)))
		return;
	if (renamable)
		(void) dbkit_add_action(finding, ACTION_RENAME_COLUMN, column->name, extid,
								referenced != NULL ? NULL : dbkit_rename_sql(facts, column->name, extid));
	if (referenced != NULL)
	{
		char	   *definition = psprintf("FOREIGN KEY (%s) REFERENCES %s (id)%s", quote_identifier(column->name),
										  referenced, dbkit_meant_key_action(relid, column->refuses_null));

		/* No foreign table has a key, which all partitions would get */
		dbkit_add_action(finding, ACTION_REFERENCE, column->name, definition,
						 facts->partitioned && dbkit_has_foreign_member(facts) ? NULL :
						 psprintf("ADD %s", definition))->referenced = relid;
	}
}

/* Have one end of a foreign key be as the other one. */
static void
report_other_type(Judgement *judgement, const ForeignKeyFacts *key, const ColumnFacts *column, const ColumnFacts *other)
{
	const Facts *facts = judgement->facts;
	const bool	same_type = column->base_type == other->base_type;
	IdType		wanted;
	const bool	is_right = dbkit_find_id_type(facts, column, &wanted) && dbkit_has_type(column, &wanted);
	const bool	other_is_wrong = is_right || dbkit_replacement_type(other->base_type) == column->base_type;
	const char *table = dbkit_catalog_identity(facts->catalogs, key->referenced);
	const char *definition = is_right ? psprintf("%s for both", wanted.definition) : dbkit_write_key_type(facts, column, other);
	Finding    *finding;

	if (table == NULL || definition == NULL)
		return;
	if (same_type)
		finding = dbkit_add_finding(judgement, column->name,
									"column \"%s\" has collation \"%s\", but what it references in \"%s\" has \"%s\"; use %s",
									column->name, dbkit_collation_name(column->collation), table,
									dbkit_collation_name(other->collation), definition);
	else
		finding = dbkit_add_finding(judgement, column->name,
									"column \"%s\" is %s, but what it references in \"%s\" is %s; use %s",
									column->name, dbkit_type_name(column->type), table, dbkit_type_name(other->type),
									other_is_wrong && !is_right ? psprintf("%s for both", dbkit_type_name(column->type)) : definition);
	finding->referenced = key->referenced;
	dbkit_set_faults(finding, same_type ? FAULT_COLLATION : FAULT_TYPE, FAULT_COLLATION);
	if (!other_is_wrong)
		(void) dbkit_add_retype(finding, column, other->base_type, definition);
}

/* Judge that both ends of a foreign key are of one type and collation. */
static void
judge_fk_type(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);

		for (int i = 0; i < list_length(key->columns); i++)
		{
			const ColumnFacts *column = dbkit_facts_column_at(facts, list_nth_int(key->columns, i));
			ColumnFacts other;

			if (dbkit_find_referenced(facts, key, i, &other) &&
				(column->base_type != other.base_type || column->collation != other.collation))
				report_other_type(judgement, key, column, &other);
		}
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
		fix_extid(finding, facts, column, extid);
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
		.description = "every foreign key is covered by a valid index whose leading columns are the key's, in any order; partial only by WHERE column IS NOT NULL",
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
		.id = "fk_type",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_FOREIGN_KEYS | FACT_COLUMNS,
		.fixable = true,
		.level = LEVEL_WARNING,
		.description = "both ends of a foreign key are of one type and collation",
		.judge = judge_fk_type
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
	{NULL}
};
