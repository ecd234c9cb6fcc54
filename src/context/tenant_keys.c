/*-------------------------------------------------------------------------
 *
 * tenant_keys.c
 *		Have foreign keys keep to one tenant while a table is new.
 *
 * While the rule tenant_key is not off, dbkit.protect() and dbkit.create_table() give a table
 * the unique key that such foreign keys reference, and put keys with the tenant's column in the
 * place of those without.  How, the rule's own fix says.  On a table with rows that would have
 * others wait, so there it is left to dbkit.fixes(), which writes steps that do not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "commands/defrem.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/protect.h"
#include "context/tenant_keys.h"
#include "convention/agreement.h"
#include "convention/cases.h"
#include "convention/exemption.h"
#include "convention/levels.h"
#include "convention/meant_table.h"
#include "convention/rules/rules.h"
#include "relation_name.h"

/* Does the rule want such keys for the tables of a schema? */
bool
dbkit_wants_tenant_key(const char *schema)
{
	return dbkit_rule_level(dbkit_find_rule("tenant_key"), schema, LEVEL_TO_CHECK) != LEVEL_OFF;
}

/* Has a table, with its partitions and children, never had a row? */
static bool
is_new(Oid relid)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, AccessShareLock, NULL))
	{
		Relation	table = try_relation_open(lfirst_oid(lc), AccessShareLock);
		bool		full;

		if (table == NULL)
			continue;
		full = table->rd_rel->relkind == RELKIND_FOREIGN_TABLE ||
			(table->rd_rel->relkind == RELKIND_RELATION && RelationGetNumberOfBlocks(table) > 0);
		relation_close(table, NoLock);
		if (full)
			return false;
	}
	return true;
}

/* The key that foreign keys reference ----------------------------------------- */

/* Is an index unique over two columns, in any order, for all rows? */
static bool
is_unique_over(Oid index, AttrNumber first, AttrNumber second)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	result = form->indisunique && form->indisvalid && form->indimmediate && form->indnkeyatts == 2 &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL) &&
		((form->indkey.values[0] == first && form->indkey.values[1] == second) ||
		 (form->indkey.values[0] == second && form->indkey.values[1] == first));
	ReleaseSysCache(tuple);
	return result;
}

/* Is there such an index? */
static bool
has_unique_over(Oid relid, AttrNumber first, AttrNumber second)
{
	Relation	table = relation_open(relid, NoLock);
	bool		result = false;
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(table))
		result |= is_unique_over(lfirst_oid(lc), first, second);
	relation_close(table, NoLock);
	return result;
}

/* Can a column be in a unique key? */
static bool
takes_key(Oid relid, AttrNumber attnum)
{
	char		generated = get_attgenerated(relid, attnum);

	return (generated == '\0' || generated == ATTRIBUTE_GENERATED_STORED) &&
		OidIsValid(GetDefaultOpClass(get_atttype(relid, attnum), BTREE_AM_OID));
}

/*
 * Write the unique key over a tenant's column and "id" that foreign keys with the tenant's
 * column reference; NULL where the rule is off, the key is there, the columns take none, or the table, which is
 * locked, has rows.  A partitioned table can have it only together with its partition key.
 */
char *
dbkit_unique_key_sql(Oid relid, const char *column)
{
	AttrNumber	tenant = column != NULL ? get_attnum(relid, column) : InvalidAttrNumber;
	AttrNumber	id = get_attnum(relid, "id");

	if (tenant <= 0 || id <= 0 || tenant == id || get_rel_relkind(relid) != RELKIND_RELATION ||
		!dbkit_wants_tenant_key(dbkit_schema_name(get_rel_namespace(relid))) ||
		!takes_key(relid, tenant) || !takes_key(relid, id) || !is_new(relid) || has_unique_over(relid, tenant, id))
		return NULL;
	return psprintf("ALTER TABLE ONLY %s ADD UNIQUE (%s, id)", dbkit_relation_name(relid), quote_identifier(column));
}

/* The foreign keys -------------------------------------------------------------- */

/* Find the keys of a table that the rule has a fix for, and nobody a reason to keep: Finding *. */
static List *
find_fixable(Oid relid)
{
	ChangedObject object = {.classid = RelationRelationId,.objid = relid,.change = CHANGE_ALL};
	Judgement	judgement = {.only = list_make1(unconstify(Rule *, dbkit_find_rule("tenant_key")))};
	Oid			schema = get_rel_namespace(relid);
	List	   *result;
	ListCell   *lc;

	if (!OidIsValid(schema) || !dbkit_wants_tenant_key(dbkit_schema_name(schema)))
		return NIL;
	foreach(lc, dbkit_read_cases(list_make1(&object), SCOPE_CHECK, true, false))
	{
		Facts	   *facts = ((const Case *) lfirst(lc))->facts;

		if (facts != NULL)
			dbkit_judge(&judgement, facts, SCOPE_CHECK, CHANGE_ALL);
	}
	result = dbkit_drop_baseline(judgement.findings, 0);
	foreach(lc, result)
	{
		if (((const Finding *) lfirst(lc))->actions == NIL)
			result = foreach_delete_current(result, lc);
	}
	return result;
}

/* List the tables with rows to which the fixes of these findings would give an index. */
static List *
find_full(const List *findings)
{
	List	   *result = NIL;
	ListCell   *lc;
	ListCell   *cell;

	foreach(lc, findings)
	{
		foreach(cell, ((const Finding *) lfirst(lc))->actions)
		{
			const Action *action = lfirst(cell);

			if (action->kind == ACTION_REFERENCED_KEY && !is_new(action->referenced))
				result = list_append_unique_oid(result, action->referenced);
		}
	}
	return result;
}

/*
 * May the owner of a table, as whom that is done, have it reference the other one?  Expressions of
 * the other one's indexes are evaluated then.
 */
static bool
may_reference(const Facts *facts, Oid referenced)
{
	return dbkit_is_trusted(referenced, facts->owner) &&
		pg_class_aclcheck(referenced, facts->owner, ACL_REFERENCES) == ACLCHECK_OK &&
		dbkit_schema_aclcheck(get_rel_namespace(facts->objid), facts->owner, ACL_CREATE) == ACLCHECK_OK;
}

/* Find the keys of a table that can be replaced at once, as nobody has to wait for it: Finding *. */
List *
dbkit_find_cheap_keys(Oid relid)
{
	List	   *findings = find_fixable(relid);
	List	   *full;
	ListCell   *lc;

	if (findings == NIL || !is_new(relid))
		return NIL;
	full = find_full(findings);
	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);

		if (list_member_oid(full, finding->referenced) || !may_reference(finding->facts, finding->referenced))
			findings = foreach_delete_current(findings, lc);
	}
	return findings;
}

/* Write the statements that replace keys; the unique key of their table may be there by then. */
static List *
write_replacements(const List *findings, bool has_unique_key)
{
	List	   *result = NIL;
	ListCell   *lc;
	ListCell   *cell;

	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);

		foreach(cell, finding->actions)
		{
			const Action *action = lfirst(cell);
			bool		own = action->kind == ACTION_REFERENCED_KEY && action->referenced == finding->facts->objid;

			if (!own || !has_unique_key)
				result = lappend(result, pnstrdup(action->sql, strlen(action->sql) - 1));	/* without ";" */
		}
	}
	return result;
}

/* Write what dbkit_replace_tenant_keys() would run after dbkit_unique_key_sql() of the column, NULL for none. */
List *
dbkit_write_tenant_keys(Oid relid, const char *column)
{
	return write_replacements(dbkit_find_cheap_keys(relid),
							  column != NULL && dbkit_list_has_string(dbkit_agreement()->organization_columns, column));
}

/*
 * Replace the keys of a table, which is locked, as its owner, and say so if some are left.
 */
void
dbkit_replace_tenant_keys(Oid relid)
{
	List	   *findings;

	CommandCounterIncrement();
	findings = dbkit_find_cheap_keys(relid);
	if (findings != NIL)
		dbkit_run_protection(write_replacements(findings, false), ((const Finding *) linitial(findings))->facts->owner);
	CommandCounterIncrement();
	if (find_fixable(relid) != NIL)
		ereport(NOTICE,
				(errmsg("foreign keys of table \"%s\" can reference rows of other tenants", get_rel_name(relid)),
				 errhint("SELECT dbkit.fixes('breaks', %s) writes what puts keys in their place that include the tenant.",
						 quote_literal_cstr(dbkit_relation_name(relid)))));
}
