/*-------------------------------------------------------------------------
 *
 * tenants.c
 *		Rules that keep references within one tenant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/columns.h"
#include "convention/rules/files.h"
#include "convention/rules/foreign_keys.h"
#include "convention/rules/id_style.h"
#include "convention/listed_names.h"

/* Return the column that references the organization table, or NULL. */
static const ColumnFacts *
find_organization_reference(const Facts *facts)
{
	const ColumnFacts *result = NULL;
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);

		if (!dbkit_is_organization_table(facts->catalogs, key->referenced))
			continue;
		result = dbkit_facts_column_at(facts, linitial_int(key->columns));
		if (result->not_null)
			break;
	}
	return result;
}

/* Report that no column references the organization table. */
static Finding *
report_missing_organization(Judgement *judgement)
{
	const List *names = dbkit_agreement()->organization_columns;
	const ColumnFacts *column = dbkit_facts_listed_column(judgement->facts, names);
	const char *name = column != NULL ? column->name : names != NIL ? linitial(names) : NULL;
	const char *type = dbkit_id_type()->definition;
	const char *wanted = psprintf("%s %s%sNOT NULL with a foreign key to the organization table",
								  name != NULL ? quote_identifier(name) : "a column",
								  type != NULL ? type : "", type != NULL ? " " : "");
	Finding    *finding;

	if (column == NULL)
		finding = dbkit_add_finding(judgement, NULL,
									"no column references the organization table; use %s", wanted);
	else
		finding = dbkit_add_finding(judgement, column->name,
									"column \"%s\" does not reference the organization table; use %s",
									column->name, wanted);
	if (name != NULL)
		(void) dbkit_add_action(finding, ACTION_SET_ORGANIZATION, name, type, NULL);
	return finding;
}

/* Judge that each row belongs to an organization, whatever the column's name. */
static void
judge_organization_scope(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *column = find_organization_reference(facts);
	Finding    *finding;

	if (dbkit_is_organization_table(facts->catalogs, facts->objid) || (column != NULL && column->not_null))
		return;
	if (column != NULL)
	{
		finding = dbkit_add_finding(judgement, column->name, "column \"%s\" may be null; use NOT NULL",
									column->name);
		dbkit_add_not_null(finding, column->name, false);
	}
	else
		finding = report_missing_organization(judgement);

	/*
	 * There is one about the table at most, and it may go from one column to
	 * another
	 */
	finding->attnums = NIL;
	dbkit_set_faults(finding, column != NULL ? FAULT_NULL : FAULT_ANY, FAULT_NULL);
}

/* Return the number of the column of a table that says which tenant a row is of, or 0. */
static AttrNumber
find_tenant_column(const Catalogs *catalogs, Oid relid)
{
	ListCell   *lc;

	/* The organizations themselves belong to none */
	if (dbkit_is_organization_table(catalogs, relid))
		return InvalidAttrNumber;
	foreach(lc, dbkit_agreement()->organization_columns)
	{
		AttrNumber	attnum = dbkit_catalog_attnum(catalogs, relid, lfirst(lc));

		if (attnum != InvalidAttrNumber)
			return attnum;
	}
	return InvalidAttrNumber;
}

/* Does the key pair two columns, one of each table? */
static bool
pairs_columns(const ForeignKeyFacts *key, AttrNumber column, AttrNumber referenced)
{
	ListCell   *lc1;
	ListCell   *lc2;

	forboth(lc1, key->columns, lc2, key->referenced_columns)
	{
		if (lfirst_int(lc1) == column && lfirst_int(lc2) == referenced)
			return true;
	}
	return false;
}

/* Return the names of columns, quoted, the tenant's first; NULL where one is gone. */
static char *
names_with_tenant(const Catalogs *catalogs, Oid relid, AttrNumber tenant, const List *columns)
{
	List	   *all = list_concat_unique_int(list_make1_int(tenant), columns);
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, all)
	{
		const char *name = dbkit_catalog_column_name(catalogs, relid, lfirst_int(lc));

		if (name == NULL)
			return NULL;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", quote_identifier(name));
	}
	return names.data;
}

/* Return the key to use instead of one that does not pair the tenant's columns, or NULL. */
static char *
write_tenant_key(const Facts *facts, const ForeignKeyFacts *key, AttrNumber column, AttrNumber tenant)
{
	const char *table = dbkit_catalog_quoted_name(facts->catalogs, key->referenced);
	const char *columns = names_with_tenant(facts->catalogs, facts->objid, column, key->columns);
	const char *referenced = names_with_tenant(facts->catalogs, key->referenced, tenant, key->referenced_columns);

	if (table == NULL || columns == NULL || referenced == NULL)
		return NULL;

	/*
	 * If it has one of the two beside something else, what is meant is not
	 * known
	 */
	if (list_member_int(key->columns, column) != list_member_int(key->referenced_columns, tenant))
		return psprintf("a key to %s that pairs the columns of the tenants", table);
	return psprintf("FOREIGN KEY (%s) REFERENCES %s (%s), with UNIQUE (%s) there",
					columns, table, referenced, referenced);
}

/* Is a unique index about these columns of a table, in any order, and all its rows? */
static bool
is_key_of(const Catalogs *catalogs, Oid index, const List *columns)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_INDEX, index);
	Form_pg_index form = row != NULL ? (Form_pg_index) GETSTRUCT(row) : NULL;

	if (form == NULL || !form->indisunique || !form->indisvalid || !form->indimmediate ||
		form->indnkeyatts != list_length(columns) ||
		!heap_attisnull(row, Anum_pg_index_indpred, NULL) || !heap_attisnull(row, Anum_pg_index_indexprs, NULL))
		return false;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (!list_member_int(columns, form->indkey.values[i]))
			return false;
	}
	return true;
}

/* Can a key reference these columns of a table? */
static bool
has_key_of(const Catalogs *catalogs, Oid relid, const List *columns)
{
	ListCell   *lc;

	foreach(lc, dbkit_catalog_indexes(catalogs, relid))
	{
		if (is_key_of(catalogs, lfirst_oid(lc), columns))
			return true;
	}
	return false;
}

/* May the owner of the facts' table give the other one an index? */
static bool
is_index_possible(const Facts *facts, Oid relid)
{
	HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_RELATION, relid);

	return row != NULL && ((Form_pg_class) GETSTRUCT(row))->relowner == facts->owner &&
		((Form_pg_class) GETSTRUCT(row))->relkind == RELKIND_RELATION;
}

/* Have two columns one type and collation? */
static bool
is_same_type(const Facts *facts, const ColumnFacts *column, Oid relid, AttrNumber attnum)
{
	Oid			type;
	Oid			collation;

	return dbkit_catalog_column(facts->catalogs, relid, attnum, &type, &collation) &&
		type == column->type && collation == column->collation;
}

/* Return the clauses of a key after its columns, of which only those that it had before are set to something. */
static char *
write_key_clauses(const Facts *facts, const ForeignKeyFacts *key)
{
	bool		sets = key->delete_action == FKCONSTR_ACTION_SETNULL || key->delete_action == FKCONSTR_ACTION_SETDEFAULT;

	return psprintf("%s%s%s%s%s", dbkit_action_clause("UPDATE", key->update_action), dbkit_action_clause("DELETE", key->delete_action),
					sets ? psprintf(" (%s)", dbkit_facts_column_names(facts, key->columns)) : "",
					key->deferrable ? " DEFERRABLE" : "", key->deferred ? " INITIALLY DEFERRED" : "");
}

/* Write what is true of rows r that reference no row of their tenant; operators are PostgreSQL's own. */
static char *
write_mixed(const Facts *facts, const ForeignKeyFacts *key, const List *columns, const List *referenced)
{
	StringInfoData text;
	StringInfoData pairs;
	ListCell   *lc1;
	ListCell   *lc2;

	initStringInfo(&text);
	initStringInfo(&pairs);
	forboth(lc1, columns, lc2, referenced)
	{
		const char *column = quote_identifier(dbkit_facts_column_at(facts, lfirst_int(lc1))->name);
		const char *other = dbkit_catalog_column_name(facts->catalogs, key->referenced, lfirst_int(lc2));

		appendStringInfo(&text, "r.%s IS NOT NULL AND ", column);
		appendStringInfo(&pairs, "%sk.%s OPERATOR(pg_catalog.=) r.%s", pairs.len > 0 ? " AND " : "", quote_identifier(other), column);
	}
	appendStringInfo(&text, "NOT EXISTS (SELECT FROM %s AS k WHERE %s)",
					 dbkit_catalog_quoted_name(facts->catalogs, key->referenced), pairs.data);
	return text.data;
}

/*
 * Add what puts a key with the tenant's columns in the place of one without: the unique index that it references, one for
 * itself, and the key.  There is none where PostgreSQL cannot have that key, and where the other table is somebody else's.
 */
static void
fix_tenant_key(Finding *finding, const ForeignKeyFacts *key, const ColumnFacts *column, AttrNumber tenant)
{
	const Facts *facts = finding->facts;
	ForeignKeyFacts wanted = *key;
	const char *table = dbkit_catalog_quoted_name(facts->catalogs, key->referenced);
	const char *columns;
	const char *definition;
	Action	   *action;

	wanted.columns = lcons_int(column->attnum, list_copy(key->columns));
	wanted.referenced_columns = lcons_int(tenant, list_copy(key->referenced_columns));
	columns = names_with_tenant(facts->catalogs, key->referenced, tenant, key->referenced_columns);
	if (key->period || list_member_int(key->columns, column->attnum) || list_member_int(key->referenced_columns, tenant) ||
		(key->match_type == FKCONSTR_MATCH_FULL && list_length(key->columns) > 1) ||
		key->update_action == FKCONSTR_ACTION_SETNULL || key->update_action == FKCONSTR_ACTION_SETDEFAULT ||
		!is_same_type(facts, column, key->referenced, tenant))
		return;
	if (!has_key_of(facts->catalogs, key->referenced, wanted.referenced_columns))
	{
		const char *name = dbkit_catalog_name(facts->catalogs, CATALOG_RELATION, key->referenced, NULL);

		if (!is_index_possible(facts, key->referenced))
			return;
		name = makeObjectName(name, psprintf("%s_%s", dbkit_catalog_column_name(facts->catalogs, key->referenced, tenant),
											 dbkit_catalog_column_name(facts->catalogs, key->referenced, linitial_int(key->referenced_columns))), "key");
		action = dbkit_add_action(finding, ACTION_REFERENCED_KEY, NULL, NULL,
								  psprintf("CREATE UNIQUE INDEX IF NOT EXISTS %s ON %s (%s);", quote_identifier(name), table, columns));
		action->risk = RISK_LOCKS;
		action->referenced = key->referenced;
	}
	if (!dbkit_is_covered(facts, &wanted))
		dbkit_add_action(finding, ACTION_CREATE_INDEX, NULL, NULL,
						 psprintf("CREATE INDEX ON %s (%s);", dbkit_facts_identity(facts),
								  dbkit_facts_column_names(facts, wanted.columns)))->risk = RISK_LOCKS;
	definition = psprintf("FOREIGN KEY (%s) REFERENCES %s (%s)%s", dbkit_facts_column_names(facts, wanted.columns), table, columns,
						  write_key_clauses(facts, key));
	action = dbkit_add_action(finding, ACTION_REPLACE_KEY, key->name, definition,
							  psprintf("ALTER TABLE %s DROP CONSTRAINT %s, ADD CONSTRAINT %s %s%s;", dbkit_facts_identity(facts),
									   quote_identifier(key->name), quote_identifier(key->name), definition, dbkit_is_unvalidated(facts, key) ? " NOT VALID" : ""));
	action->risk = RISK_BREAKS;
	action->failing = write_mixed(facts, key, wanted.columns, wanted.referenced_columns);
}

/* Judge that a key between two tables whose rows have tenants keeps to one of them. */
static void
judge_tenant_key(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *column = dbkit_facts_listed_column(facts, dbkit_agreement()->organization_columns);
	ListCell   *lc;

	if (column == NULL || dbkit_is_organization_table(facts->catalogs, facts->objid))
		return;
	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);
		AttrNumber	tenant = find_tenant_column(facts->catalogs, key->referenced);
		const char *wanted = tenant != InvalidAttrNumber && !pairs_columns(key, column->attnum, tenant) ?
		write_tenant_key(facts, key, column->attnum, tenant) : NULL;

		if (wanted == NULL)
			continue;
		fix_tenant_key(dbkit_add_key_finding(judgement, key,
											 psprintf("foreign key \"%s\" (%s) can reference a row of another tenant; use %s",
													  key->name, dbkit_facts_column_names(facts, key->columns), wanted)),
					   key, column, tenant);
	}
}

Rule		dbkit_tenant_rules[] = {
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
		.id = "tenant_key",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_FOREIGN_KEYS | FACT_COLUMNS | FACT_INDEXES,
		.fixed_by = FACT_INDEXES,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "a foreign key between two tables that have the tenant column includes it on both sides",
		.judge = judge_tenant_key
	},
	{NULL}
};
