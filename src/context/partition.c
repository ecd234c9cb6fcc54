/*-------------------------------------------------------------------------
 *
 * partition.c
 *		Protect a partition or child as its parent is, when it is made or attached,
 *		and when the parent's row level security changes.
 *
 * Row level security does not descend: a partition or child that is queried by
 * its own name goes by its own policies, and a new one has none.
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
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/partition.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "rewrite/rowsecurity.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/leftovers.h"
#include "context/partition.h"

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

/* Does the relation have row level security?  It is locked first, so that the answer lasts. */
static bool
is_protected(Oid relid)
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

/* List the nearest ancestors that have row level security, past those that were left open. */
static List *
find_protected_ancestors(Oid relid)
{
	List	   *result = NIL;
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, find_parents(relid))
	{
		Oid			parent = lfirst_oid(cell);

		if (is_protected(parent))
			result = list_append_unique_oid(result, parent);
		else
			result = list_concat_unique_oid(result, find_protected_ancestors(parent));
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

/* List the policies of a parent as its child is to have them, in the order of their names. */
static List *
read_policies(Relation parent, Relation child)
{
	List	   *result = NIL;
	ListCell   *cell;

	/* Without row level security the server reads none */
	foreach(cell, parent->rd_rsdesc != NULL ? parent->rd_rsdesc->policies : NIL)
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
static bool
is_same_policy(const RowSecurityPolicy *a, const RowSecurityPolicy *b)
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
		if (is_same_policy(lfirst(cell), policy))
			return lfirst(cell);
	}
	return NULL;
}

/* Find the policy of that name, or NULL. */
static RowSecurityPolicy *
find_policy(const List *policies, const char *name)
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

	for (int i = 2; find_policy(others, policy->policy_name) != NULL; i++)
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

/* List the policies that a table is to have from its ancestors; "force" is whether they force it. */
static List *
inherit_policies(Relation child, const List *ancestors, bool *force)
{
	List	   *result = NIL;
	ListCell   *cell;

	*force = false;
	foreach(cell, ancestors)
	{
		Relation	parent = table_open(lfirst_oid(cell), NoLock);
		List	   *policies = read_policies(parent, child);

		result = foreach_current_index(cell) == 0 ? policies : combine_policies(result, policies);
		*force |= parent->rd_rel->relforcerowsecurity;
		table_close(parent, NoLock);
	}
	return result;
}

/* Set the flags of a table, as ATExecSetRowSecurity() does. */
static void
set_row_security(Relation table, bool enabled, bool forced)
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
static void
drop_policy(Relation table, const RowSecurityPolicy *policy)
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

/* What becomes of the policies that a table has besides its parent's */
typedef enum OwnPolicies
{
	OWN_KEPT,					/* unless one of the parent's takes the name */
	OWN_RESTRICTIVE_KEPT		/* of these only the restrictive ones */
} OwnPolicies;

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

	foreach(cell, read_policies(table, table))
	{
		RowSecurityPolicy *policy = lfirst(cell);
		RowSecurityPolicy *other = find_policy(*inherited, policy->policy_name);

		if (other != NULL && is_same_policy(policy, other))
			*inherited = list_delete_ptr(*inherited, other);
		else if (other != NULL || (policy->permissive && own == OWN_RESTRICTIVE_KEPT))
			result = lappend(result, policy);
	}
	return result;
}

/* Give a table the policies that it inherits. */
static void
replace_policies(Relation table, List *inherited, OwnPolicies own)
{
	List	   *unwanted = find_unwanted(table, &inherited, own);
	ListCell   *cell;

	foreach(cell, unwanted)
		drop_policy(table, lfirst(cell));
	CommandCounterIncrement();
	foreach(cell, inherited)
		store_policy(table, lfirst(cell));
	CommandCounterIncrement();
	warn_of_dropped(table, unwanted);
}

/* Give a table, which is locked, the row level security of its ancestors. */
static void
protect_table(Oid relid, const List *ancestors, OwnPolicies own)
{
	Relation	table = table_open(relid, NoLock);
	bool		force;
	List	   *inherited = inherit_policies(table, ancestors, &force);

	set_row_security(table, true, force || table->rd_rel->relforcerowsecurity);
	replace_policies(table, inherited, own);
	table_close(table, NoLock);
}

/* Protect a relation, and then all below it, as what is above. */
static void
protect_with_descendants(Oid relid)
{
	ListCell   *cell;

	if (find_protected_ancestors(relid) == NIL)
		return;
	foreach(cell, find_all_inheritors(relid, AccessExclusiveLock, NULL))
	{
		Oid			member = lfirst_oid(cell);

		if (get_rel_relkind(member) == RELKIND_FOREIGN_TABLE)
			dbkit_warn_of_foreign_table(member);
		else
			protect_table(member, find_protected_ancestors(member), OWN_RESTRICTIVE_KEPT);
	}
}

/*
 * List the partitions that the running transaction has put under a parent.  Before
 * PostgreSQL 16 an ATTACH PARTITION does not tell which it was, and its name may mean
 * another one by now: the partition key may have called a function.
 */
static List *
find_new_partitions(Oid parent)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(parent));
	scan = systable_beginscan(catalog, InheritsParentIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
			result = lappend_oid(result, ((Form_pg_inherits) GETSTRUCT(tuple))->inhrelid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Protect the partition that an ATTACH PARTITION is about. */
static void
protect_partition(Oid parent, const CollectedATSubcmd *action)
{
	List	   *partitions = OidIsValid(action->address.objectId) ?
	list_make1_oid(action->address.objectId) : find_new_partitions(parent);
	ListCell   *cell;

	foreach(cell, partitions)
		protect_with_descendants(lfirst_oid(cell));
}

/* Protect what the actions of an ALTER TABLE put under a parent. */
static void
protect_attached(const CollectedCommand *command)
{
	Oid			relid = command->d.alterTable.objectId;
	ListCell   *cell;

	foreach(cell, command->d.alterTable.subcmds)
	{
		const CollectedATSubcmd *action = lfirst(cell);

		switch (castNode(AlterTableCmd, action->parsetree)->subtype)
		{
			case AT_AttachPartition:
				protect_partition(relid, action);
				break;
			case AT_AddInherit:
				protect_with_descendants(relid);
				break;
			default:
				break;
		}
	}
}

/*
 * Protect the relation that a command has put under a parent, if it has.  This
 * is not a rule, and so does not depend on dbkit.enforce.  A restore brings the
 * policies itself.
 */
void
dbkit_protect_new_members(Oid relid, const CollectedCommand *command)
{
	const Node *parsetree = command->parsetree;

	if (dbkit_is_restoring())
		return;
	if (command->type == SCT_AlterTable)
		protect_attached(command);
	else if ((IsA(parsetree, CreateStmt) || IsA(parsetree, CreateForeignTableStmt)) &&
			 ((const CreateStmt *) parsetree)->inhRelations != NIL)
		protect_with_descendants(relid);
}

/* What a statement does with the row level security of a table, and so of those below it */
typedef struct Descent
{
	Oid			root;
	const char *policy;			/* one that is about to be changed or dropped */
	AlterTableType flag;		/* of one that has no policy */
	List	   *others;			/* char *, tables of other owners */
} Descent;

/* Has the table a policy that the root has none of the name of? */
static bool
has_own_policy(Relation table, Oid root)
{
	ListCell   *cell;

	foreach(cell, read_policies(table, table))
	{
		if (!OidIsValid(get_relation_policy_oid(root, ((const RowSecurityPolicy *) lfirst(cell))->policy_name, true)))
			return true;
	}
	return false;
}

/* Does one of these tables force its row level security? */
static bool
is_forced(const List *ancestors)
{
	ListCell   *cell;

	foreach(cell, ancestors)
	{
		Relation	parent = table_open(lfirst_oid(cell), NoLock);
		bool		forced = parent->rd_rel->relforcerowsecurity;

		table_close(parent, NoLock);
		if (forced)
			return true;
	}
	return false;
}

/* Pass on a flag.  What another parent protects, or policies of its own, stays protected. */
static void
pass_flag(const Descent *descent, Relation table)
{
	List	   *ancestors = find_protected_ancestors(RelationGetRelid(table));
	bool		enabled = table->rd_rel->relrowsecurity;
	bool		forced = table->rd_rel->relforcerowsecurity;

	switch (descent->flag)
	{
		case AT_EnableRowSecurity:
			protect_table(RelationGetRelid(table), ancestors, OWN_KEPT);
			break;
		case AT_DisableRowSecurity:
			if (ancestors != NIL)
				replace_policies(table, inherit_policies(table, ancestors, &forced), OWN_KEPT);
			else if (!has_own_policy(table, descent->root))
				set_row_security(table, false, forced);
			break;
		case AT_ForceRowSecurity:
			set_row_security(table, enabled, true);
			break;
		default:
			set_row_security(table, enabled, is_forced(ancestors));
	}
}

/* Pass on the policies, as they are after the statement. */
static void
pass_policies(const Descent *descent pg_attribute_unused(), Relation table)
{
	List	   *ancestors = find_protected_ancestors(RelationGetRelid(table));
	bool		force;

	if (ancestors != NIL)
		replace_policies(table, inherit_policies(table, ancestors, &force), OWN_KEPT);
}

/* Is the name that of a policy, or what choose_name() makes of it? */
static bool
is_name_of_copy(const char *name, const char *policy)
{
	const char *number = strrchr(name, '_');

	return strcmp(name, policy) == 0 ||
		(number != NULL && strcmp(name, makeObjectName(policy, NULL, number + 1)) == 0);
}

/* Drop the copy of a policy that the statement is going to change or drop. */
static void
drop_copy(const Descent *descent, Relation table)
{
	Relation	root = table_open(descent->root, NoLock);
	const RowSecurityPolicy *policy = find_policy(read_policies(root, table), descent->policy);
	ListCell   *cell;

	foreach(cell, policy != NULL ? read_policies(table, table) : NIL)
	{
		const RowSecurityPolicy *copy = lfirst(cell);

		if (is_same_policy(copy, policy) && is_name_of_copy(copy->policy_name, descent->policy))
		{
			drop_policy(table, copy);
			CommandCounterIncrement();
			break;
		}
	}
	table_close(root, NoLock);
}

/* Say which tables below are as they were. */
static void
warn_of_others(const Descent *descent)
{
	StringInfoData names;
	ListCell   *cell;

	if (descent->others == NIL)
		return;
	initStringInfo(&names);
	foreach(cell, descent->others)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", (const char *) lfirst(cell));
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("the row level security of table \"%s\" was not passed on to tables of other owners", get_rel_name(descent->root)),
			 errdetail("Unchanged: %s.", names.data),
			 errhint("Have a role that has the rights of their owners make the same change there.")));
}

/*
 * Do something with each table below the root, parents first.  A policy may call functions,
 * which run as whoever uses the table: so nobody gives one to a table that he could not
 * give it to himself.
 */
static void
descend(Descent *descent, void (*action) (const Descent *descent, Relation table))
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(descent->root, AccessExclusiveLock, NULL))
	{
		Relation	table = table_open(lfirst_oid(cell), NoLock);

		CHECK_FOR_INTERRUPTS();
		if (table->rd_rel->relkind != RELKIND_FOREIGN_TABLE && lfirst_oid(cell) != descent->root)
		{
			if (has_privs_of_role(GetUserId(), table->rd_rel->relowner))
				action(descent, table);
			else
				descent->others = lappend(descent->others, pstrdup(RelationGetRelationName(table)));
		}
		table_close(table, NoLock);
	}
}

/* Let only those lock a table whom the statement will let change its policies (RangeVarCallbackForPolicy()). */
static void
check_owner(const RangeVar *name, Oid relid, Oid previous pg_attribute_unused(), void *arg pg_attribute_unused())
{
	HeapTuple	row = OidIsValid(relid) ? SearchSysCache1(RELOID, ObjectIdGetDatum(relid)) : NULL;
	Oid			owner;

	if (!HeapTupleIsValid(row))
		return;
	owner = ((Form_pg_class) GETSTRUCT(row))->relowner;
	ReleaseSysCache(row);
	if (!has_privs_of_role(GetUserId(), owner))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(get_rel_relkind(relid)), name->relname);
}

/* Return the table of a name, locked as for its policies to change, if it is one that may have tables below it. */
static Oid
lock_root(const RangeVar *name)
{
	Oid			relid = RangeVarGetRelidExtended(name, AccessExclusiveLock, RVR_MISSING_OK, check_owner, NULL);
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE ? relid : InvalidOid;
}

/* Return the table whose policies a statement is about, or NULL, and the name of one that it changes or drops. */
static const RangeVar *
table_of_policy(const Node *statement, const char **changed)
{
	List	   *name;

	*changed = NULL;
	switch (nodeTag(statement))
	{
		case T_CreatePolicyStmt:
			return ((const CreatePolicyStmt *) statement)->table;
		case T_AlterPolicyStmt:
			*changed = ((const AlterPolicyStmt *) statement)->policy_name;
			return ((const AlterPolicyStmt *) statement)->table;
		case T_RenameStmt:
			*changed = ((const RenameStmt *) statement)->subname;
			return ((const RenameStmt *) statement)->renameType == OBJECT_POLICY ? ((const RenameStmt *) statement)->relation : NULL;
		case T_DropStmt:
			if (((const DropStmt *) statement)->removeType != OBJECT_POLICY)
				return NULL;
			name = list_copy(linitial(((const DropStmt *) statement)->objects));
			*changed = strVal(llast(name));
			return makeRangeVarFromNameList(list_truncate(name, list_length(name) - 1));
		default:
			return NULL;
	}
}

/* Before a statement changes or drops a policy: drop its copies, as long as they can be told from others. */
void
dbkit_prepare_policies(const Node *statement)
{
	Descent		descent = {InvalidOid};
	const RangeVar *table = table_of_policy(statement, &descent.policy);

	if (table == NULL || descent.policy == NULL || dbkit_is_restoring())
		return;
	descent.root = lock_root(table);
	if (OidIsValid(descent.root) && has_subclass(descent.root))
		descend(&descent, drop_copy);
}

/* After an ALTER TABLE: pass on the flags that it set, unless it is about ONLY the one table. */
static void
pass_flags(const AlterTableStmt *statement)
{
	ListCell   *cell;

	foreach(cell, statement->cmds)
	{
		Descent		descent = {InvalidOid,.flag = lfirst_node(AlterTableCmd, cell)->subtype};

		if (descent.flag != AT_EnableRowSecurity && descent.flag != AT_DisableRowSecurity &&
			descent.flag != AT_ForceRowSecurity && descent.flag != AT_NoForceRowSecurity)
			continue;
		descent.root = statement->relation->inh ? lock_root(statement->relation) : InvalidOid;
		if (!OidIsValid(descent.root) || !has_subclass(descent.root))
			return;
		descend(&descent, pass_flag);
		warn_of_others(&descent);
	}
}

/*
 * After a statement about the row level security of a table: pass it on to the tables below.
 * A table without row level security has none to pass on.
 */
void
dbkit_pass_on_policies(const Node *statement)
{
	Descent		descent = {InvalidOid};
	const RangeVar *table = table_of_policy(statement, &descent.policy);

	if (dbkit_is_restoring())
		return;
	if (IsA(statement, AlterTableStmt))
		pass_flags((const AlterTableStmt *) statement);
	if (table != NULL)
		descent.root = lock_root(table);
	if (!OidIsValid(descent.root) || !has_subclass(descent.root) || !is_protected(descent.root))
		return;
	descend(&descent, pass_policies);
	warn_of_others(&descent);
}
