/*-------------------------------------------------------------------------
 *
 * inherited_policies.c
 *		The row level security that a table has from those above it.
 *
 * The policies are copied as trees, as PostgreSQL copies the triggers of a
 * partitioned table.  Their text would not do: in a subquery pg_get_expr()
 * writes the parent's name before its columns.  And CREATE POLICY would fire
 * event triggers again, and take rights that the current role may not have.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/objectaccess.h"
#include "catalog/partition.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/inherited_policies.h"

/* List the parents of a relation, in their order. */
static List *
find_parents(Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		result = lappend_oid(result, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Is one of the relation's parents in a list? */
static bool
has_parent_in(const List *members, Oid relid)
{
	ListCell   *cell;

	foreach(cell, find_parents(relid))
	{
		if (list_member_oid(members, lfirst_oid(cell)))
			return true;
	}
	return false;
}

/*
 * Lock a table with its partitions and children, and list them, each after all of its parents.  Of find_all_inheritors()
 * each comes after one of them.
 */
List *
dbkit_lock_members(Oid relid, LOCKMODE mode)
{
	List	   *parents;
	List	   *members = find_all_inheritors(relid, mode, &parents);
	List	   *result = NIL;
	int			most = 0;
	ListCell   *cell;

	foreach(cell, parents)
		most = Max(most, lfirst_int(cell));
	if (most < 2)
		return members;
	while (members != NIL)
	{
		CHECK_FOR_INTERRUPTS();
		foreach(cell, members)
		{
			if (has_parent_in(members, lfirst_oid(cell)))
				continue;
			result = lappend_oid(result, lfirst_oid(cell));
			members = foreach_delete_current(members, cell);
		}
	}
	return result;
}

/* Does the relation have row level security?  It is locked first, so that the answer lasts. */
bool
dbkit_has_row_security(Oid relid)
{
	HeapTuple	tuple;
	bool		result;

	LockRelationOid(relid, AccessShareLock);
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * List the nearest ancestors that have row level security, past those that were left open.  Many paths
 * may lead to one of them, so each is visited once.
 */
List *
dbkit_find_protected_ancestors(Oid relid)
{
	List	   *ancestors = find_parents(relid);
	List	   *result = NIL;

	for (int i = 0; i < list_length(ancestors); i++)
	{
		Oid			ancestor = list_nth_oid(ancestors, i);

		CHECK_FOR_INTERRUPTS();
		if (dbkit_has_row_security(ancestor))
			result = lappend_oid(result, ancestor);
		else
			ancestors = list_concat_unique_oid(ancestors, find_parents(ancestor));
	}
	return result;
}

/* Give the expression of a parent's policy the columns of the child. */
static Expr *
map_columns(Expr *expr, Relation child, Relation parent)
{
	if (expr == NULL)
		return NULL;
	return linitial(map_partition_varattnos(list_make1(copyObject(expr)), 1, child, parent));
}

/*
 * Return the policies of a table as the server reads them, which it does only where row level security is
 * enabled.  For another table it reads them here into a copy of the table's entry, as it forgets
 * what it finds in the entry itself.
 */
static List *
read_policies(Relation table)
{
	RelationData copy = *table;

	if (table->rd_rsdesc != NULL)
		return table->rd_rsdesc->policies;
	RelationBuildRowSecurity(&copy);
	MemoryContextSetParent(copy.rd_rsdesc->rscxt, CurrentMemoryContext);
	return copy.rd_rsdesc->policies;
}

/*
 * List the policies of a parent as its child is to have them, in the order of their names.  A parent
 * without row level security has none to give; a table's own may take a name all the same.
 */
List *
dbkit_read_policies(Relation parent, Relation child)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, parent == child || parent->rd_rel->relrowsecurity ? read_policies(parent) : NIL)
	{
		RowSecurityPolicy *policy = lfirst(cell);
		RowSecurityPolicy *copy = palloc0(sizeof(RowSecurityPolicy));

		copy->policy_name = pstrdup(policy->policy_name);
		copy->polcmd = policy->polcmd;
		copy->roles = DatumGetArrayTypePCopy(PointerGetDatum(policy->roles));
		copy->permissive = policy->permissive;
		copy->qual = map_columns(policy->qual, child, parent);
		copy->with_check_qual = map_columns(policy->with_check_qual, child, parent);
		result = lcons(copy, result);	/* the server has them in reverse */
	}
	return result;
}

/* Give the roles of a policy in one order, whatever order they were named in. */
static List *
sorted_roles(const RowSecurityPolicy *policy)
{
	const Oid  *roles = (const Oid *) ARR_DATA_PTR(policy->roles);
	List	   *result = NIL;

	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
		result = lappend_oid(result, roles[i]);
	list_sort(result, list_oid_cmp);
	return result;
}

/* Do two policies of one table do the same? */
bool
dbkit_is_same_policy(const RowSecurityPolicy *a, const RowSecurityPolicy *b)
{
	return a->polcmd == b->polcmd && a->permissive == b->permissive &&
		equal(sorted_roles(a), sorted_roles(b)) &&
		equal(a->qual, b->qual) && equal(a->with_check_qual, b->with_check_qual);
}

/* Find the policy that does the same, or NULL. */
static RowSecurityPolicy *
find_same_policy(const List *policies, const RowSecurityPolicy *policy)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		if (dbkit_is_same_policy(lfirst(cell), policy))
			return lfirst(cell);
	}
	return NULL;
}

/* Find the policy of that name, or NULL. */
RowSecurityPolicy *
dbkit_find_policy(const List *policies, const char *name)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		if (strcmp(((RowSecurityPolicy *) lfirst(cell))->policy_name, name) == 0)
			return lfirst(cell);
	}
	return NULL;
}

/* Give a policy a name that none of the others has. */
static void
choose_name(RowSecurityPolicy *policy, const List *others)
{
	const char *name = policy->policy_name;

	for (int i = 2; dbkit_find_policy(others, policy->policy_name) != NULL; i++)
		policy->policy_name = makeObjectName(name, NULL, psprintf("%d", i));
}

/*
 * Combine the policies of two parents so that a child shows no row that one of
 * them hides: the permissive ones that both have, and all restrictive ones.
 */
static List *
combine_policies(List *policies, const List *others)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		const RowSecurityPolicy *policy = lfirst(cell);

		if (policy->permissive && find_same_policy(others, policy) == NULL)
			policies = foreach_delete_current(policies, cell);
	}
	foreach(cell, others)
	{
		RowSecurityPolicy *other = lfirst(cell);

		if (other->permissive || find_same_policy(policies, other) != NULL)
			continue;
		choose_name(other, policies);
		policies = lappend(policies, other);
	}
	return policies;
}

/* Of a stranger's policies, a restrictive one counts only where the table has it already. */
static List *
without_new_restrictive(List *policies, const List *own)
{
	ListCell   *cell;

	foreach(cell, policies)
	{
		const RowSecurityPolicy *policy = lfirst(cell);

		if (!policy->permissive && find_same_policy(own, policy) == NULL)
			policies = foreach_delete_current(policies, cell);
	}
	return policies;
}

/*
 * List the policies that a table is to have from its ancestors; "force" is whether they force it.  Some of them, but
 * not all, may be strangers' tables, of which it gets no policy: what they do not show stays hidden all the same.
 */
List *
dbkit_inherit_policies(Relation child, const List *ancestors, const List *strangers, bool *force)
{
	List	   *result = NIL;
	ListCell   *cell;

	*force = false;
	foreach(cell, ancestors)
	{
		Relation	parent = table_open(lfirst_oid(cell), NoLock);
		List	   *policies = dbkit_read_policies(parent, child);

		if (list_member_oid(strangers, lfirst_oid(cell)))
			policies = without_new_restrictive(policies, dbkit_read_policies(child, child));
		result = foreach_current_index(cell) == 0 ? policies : combine_policies(result, policies);
		*force |= parent->rd_rel->relforcerowsecurity;
		table_close(parent, NoLock);
	}
	return result;
}

/* Set the flags of a table, as ATExecSetRowSecurity() does. */
void
dbkit_set_row_security(Relation table, bool enabled, bool forced)
{
	Oid			relid = RelationGetRelid(table);
	Relation	catalog = table_open(RelationRelationId, RowExclusiveLock);
	HeapTuple	tuple = SearchSysCacheCopy1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	form = (Form_pg_class) GETSTRUCT(tuple);
	if (form->relrowsecurity != enabled || form->relforcerowsecurity != forced)
	{
		form->relrowsecurity = enabled;
		form->relforcerowsecurity = forced;
		CatalogTupleUpdate(catalog, &tuple->t_self, tuple);
		InvokeObjectPostAlterHook(RelationRelationId, relid, 0);
		CommandCounterIncrement();
	}
	heap_freetuple(tuple);
	table_close(catalog, RowExclusiveLock);
}

/* Remove a policy as DROP POLICY does. */
void
dbkit_remove_policy(Relation table, const RowSecurityPolicy *policy)
{
	ObjectAddress address;

	ObjectAddressSet(address, PolicyRelationId,
					 get_relation_policy_oid(RelationGetRelid(table), policy->policy_name, false));
	performDeletion(&address, DROP_RESTRICT, PERFORM_DELETION_INTERNAL);
}

/* Record what a policy needs, as CreatePolicy() does. */
static void
record_dependencies(Oid policyid, Oid relid, const RowSecurityPolicy *policy)
{
	ObjectAddress self;
	ObjectAddress table;
	ListCell   *cell;

	ObjectAddressSet(self, PolicyRelationId, policyid);
	ObjectAddressSet(table, RelationRelationId, relid);
	recordDependencyOn(&self, &table, DEPENDENCY_AUTO);
	recordDependencyOnSingleRelExpr(&self, (Node *) policy->qual, relid,
									DEPENDENCY_NORMAL, DEPENDENCY_NORMAL, false);
	recordDependencyOnSingleRelExpr(&self, (Node *) policy->with_check_qual, relid,
									DEPENDENCY_NORMAL, DEPENDENCY_NORMAL, false);
	foreach(cell, sorted_roles(policy))
	{
		ObjectAddress role;

		ObjectAddressSet(role, AuthIdRelationId, lfirst_oid(cell));
		if (role.objectId != ACL_ID_PUBLIC)
			recordSharedDependencyOn(&self, &role, SHARED_DEPENDENCY_POLICY);
	}
}

/* Set a value of a tuple to come to an expression, or to NULL. */
static void
set_expression(Datum *value, bool *isnull, const Expr *expr)
{
	*isnull = expr == NULL;
	if (expr != NULL)
		*value = CStringGetTextDatum(nodeToString(expr));
}

/* Store a policy as CreatePolicy() does. */
static void
store_policy(Relation table, const RowSecurityPolicy *policy)
{
	Relation	catalog = table_open(PolicyRelationId, RowExclusiveLock);
	Oid			oid = GetNewOidWithIndex(catalog, PolicyOidIndexId, Anum_pg_policy_oid);
	Datum		values[Natts_pg_policy] = {0};
	bool		isnull[Natts_pg_policy] = {false};
	NameData	name;

	namestrcpy(&name, policy->policy_name);
	values[Anum_pg_policy_oid - 1] = ObjectIdGetDatum(oid);
	values[Anum_pg_policy_polname - 1] = NameGetDatum(&name);
	values[Anum_pg_policy_polrelid - 1] = ObjectIdGetDatum(RelationGetRelid(table));
	values[Anum_pg_policy_polcmd - 1] = CharGetDatum(policy->polcmd);
	values[Anum_pg_policy_polpermissive - 1] = BoolGetDatum(policy->permissive);
	values[Anum_pg_policy_polroles - 1] = PointerGetDatum(policy->roles);
	set_expression(&values[Anum_pg_policy_polqual - 1],
				   &isnull[Anum_pg_policy_polqual - 1], policy->qual);
	set_expression(&values[Anum_pg_policy_polwithcheck - 1],
				   &isnull[Anum_pg_policy_polwithcheck - 1], policy->with_check_qual);
	CatalogTupleInsert(catalog, heap_form_tuple(RelationGetDescr(catalog), values, isnull));
	table_close(catalog, RowExclusiveLock);

	record_dependencies(oid, RelationGetRelid(table), policy);
	InvokeObjectPostCreateHook(PolicyRelationId, oid, 0);
	CacheInvalidateRelcache(table);
}

/* Say which policies of a table are no more. */
static void
warn_of_dropped(Relation table, const List *dropped)
{
	StringInfoData names;
	ListCell   *cell;

	if (dropped == NIL)
		return;
	initStringInfo(&names);
	foreach(cell, dropped)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "",
						 ((RowSecurityPolicy *) lfirst(cell))->policy_name);
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("policies of table \"%s\" were replaced by those of its parent",
					RelationGetRelationName(table)),
			 errdetail("Dropped: %s.", names.data),
			 errhint("If a role is to see more in this table than its parent shows, create such a policy now.")));
}

/*
 * List the policies of a table that have to go: those that take the name of an
 * inherited one, and, of a table that is new below its parent, those that could show
 * rows that the parent hides.  What is the same is taken off the list of inherited ones.
 */
static List *
find_unwanted(Relation table, List **inherited, OwnPolicies own)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, dbkit_read_policies(table, table))
	{
		RowSecurityPolicy *policy = lfirst(cell);
		RowSecurityPolicy *other = dbkit_find_policy(*inherited, policy->policy_name);

		if (other != NULL && dbkit_is_same_policy(policy, other))
			*inherited = list_delete_ptr(*inherited, other);
		else if (other != NULL || (policy->permissive && own == OWN_RESTRICTIVE_KEPT))
			result = lappend(result, policy);
	}
	return result;
}

/* Give a table the policies that it inherits. */
void
dbkit_replace_policies(Relation table, List *inherited, OwnPolicies own)
{
	List	   *unwanted = find_unwanted(table, &inherited, own);
	ListCell   *cell;

	foreach(cell, unwanted)
		dbkit_remove_policy(table, lfirst(cell));
	CommandCounterIncrement();
	foreach(cell, inherited)
		store_policy(table, lfirst(cell));
	CommandCounterIncrement();
	warn_of_dropped(table, unwanted);
}

/* Give a table, which is locked, the row level security of its ancestors. */
void
dbkit_inherit_row_security(Oid relid, const List *ancestors, const List *strangers, OwnPolicies own)
{
	Relation	table = table_open(relid, NoLock);
	bool		force;
	List	   *inherited = dbkit_inherit_policies(table, ancestors, strangers, &force);

	dbkit_set_row_security(table, true, force || table->rd_rel->relforcerowsecurity);
	dbkit_replace_policies(table, inherited, own);
	table_close(table, NoLock);
}
