/*-------------------------------------------------------------------------
 *
 * partition.c
 *		Protect a partition or child as its parent is, when it is made or attached,
 *		and when the parent's row level security changes.
 *
 * Row level security does not descend: a partition or child that is queried by
 * its own name goes by its own policies, and a new one has none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "cluster.h"
#include "common.h"
#include "context/inherited_policies.h"
#include "context/leftovers.h"
#include "context/partition.h"

/*
 * Does somebody else see to the row level security?  A restore has its own statements for it, and
 * so has a cluster for the copies of a table.  A client that only pretends to be one is refused
 * at COMMIT, by the rule partition_rls.
 */
static bool
is_done_elsewhere(void)
{
	return dbkit_is_restoring() || dbkit_is_cluster_connection();
}

/* Return the owner of a relation. */
static Oid
owner_of(Oid relid)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(row))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(row))->relowner;
	ReleaseSysCache(row);
	return owner;
}

/*
 * List those of the nearest protected tables above a table whose policies must not come to it: a policy may
 * call functions, which run as whoever uses the table, so none is carried there that somebody else has written.
 * The root is the table that the statement is about, which has checked who the current role is, and may have
 * given it away since.
 */
static List *
list_strangers(Oid relid, const List *ancestors, Oid root)
{
	Oid			owner = owner_of(relid);
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, ancestors)
	{
		Oid			author = owner_of(lfirst_oid(cell));

		if (lfirst_oid(cell) != root && !has_privs_of_role(author, owner) && !has_privs_of_role(GetUserId(), author))
			result = lappend_oid(result, lfirst_oid(cell));
	}
	return result;
}

/*
 * May the current role change the row level security of a table to that of the tables above it?  Nobody gives
 * a policy to a table that he could not give it to himself, nor one that only strangers have.
 */
static bool
may_pass_on(Oid relid, Oid root)
{
	const List *ancestors = dbkit_find_protected_ancestors(relid);

	return has_privs_of_role(GetUserId(), owner_of(relid)) &&
		(ancestors == NIL || list_length(list_strangers(relid, ancestors, root)) < list_length(ancestors));
}

/* Say which tables (char *) below one are as they were. */
static void
warn_of_others(Oid relid, const List *others)
{
	StringInfoData names;
	ListCell   *cell;

	if (others == NIL)
		return;
	initStringInfo(&names);
	foreach(cell, others)
		appendStringInfo(&names, "%s\"%s\"", names.len > 0 ? ", " : "", (const char *) lfirst(cell));
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("the row level security of table \"%s\" was not passed on to tables of other owners", get_rel_name(relid)),
			 errdetail("Unchanged: %s.", names.data),
			 errhint("Have a role that has the rights of their owners make the same change there.")));
}

/*
 * Protect a relation that somebody has put below another one, and then all below it, as what is
 * above.  He had the right to do that with the relation itself, which tells nothing about those below.
 */
static void
protect_with_descendants(Oid relid, OwnPolicies own)
{
	const List *ancestors = dbkit_find_protected_ancestors(relid);
	List	   *others = NIL;
	ListCell   *cell;

	if (ancestors == NIL)
		return;
	foreach(cell, dbkit_lock_members(relid, AccessExclusiveLock))
	{
		Oid			member = lfirst_oid(cell);

		if (get_rel_relkind(member) == RELKIND_FOREIGN_TABLE)
			dbkit_warn_of_foreign_table(member);
		else if (member == relid || may_pass_on(member, relid))
		{
			const List *above = dbkit_find_protected_ancestors(member);

			dbkit_inherit_row_security(member, above, member == relid ? NIL : list_strangers(member, above, relid), own);
		}
		else
			others = lappend(others, get_rel_name(member));
	}
	warn_of_others(linitial_oid(ancestors), others);
}

/*
 * List the partitions that the running transaction has put under a parent, the newest one
 * first.  Before PostgreSQL 16 an ATTACH PARTITION does not tell which it was, and its name
 * may mean another one by now: the partition key may have called a function.
 */
static List *
find_new_partitions(Oid parent)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *result = NIL;
	CommandId	newest = FirstCommandId;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhparent, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(parent));
	scan = systable_beginscan(catalog, InheritsParentIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			partition = ((Form_pg_inherits) GETSTRUCT(tuple))->inhrelid;

		if (!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(tuple->t_data)))
			continue;
		if (HeapTupleHeaderGetCmin(tuple->t_data) >= newest)
		{
			newest = HeapTupleHeaderGetCmin(tuple->t_data);
			result = lcons_oid(partition, result);
		}
		else
			result = lappend_oid(result, partition);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Protect the partition that an ATTACH PARTITION is about.  Where it may be one of several, the
 * others have been protected before, unless an event trigger that fires earlier has attached
 * the newest one: they keep what they have been given since.
 */
static void
protect_partition(Oid parent, const CollectedATSubcmd *action)
{
	List	   *partitions = OidIsValid(action->address.objectId) ?
	list_make1_oid(action->address.objectId) : find_new_partitions(parent);
	ListCell   *cell;

	foreach(cell, partitions)
		protect_with_descendants(lfirst_oid(cell), cell == list_head(partitions) ? OWN_RESTRICTIVE_KEPT : OWN_KEPT);
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
				protect_with_descendants(relid, OWN_RESTRICTIVE_KEPT);
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

	if (is_done_elsewhere())
		return;
	if (command->type == SCT_AlterTable)
		protect_attached(command);
	else if ((IsA(parsetree, CreateStmt) || IsA(parsetree, CreateForeignTableStmt)) &&
			 ((const CreateStmt *) parsetree)->inhRelations != NIL)
		protect_with_descendants(relid, OWN_RESTRICTIVE_KEPT);
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

	foreach(cell, dbkit_read_policies(table, table))
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
	List	   *ancestors = dbkit_find_protected_ancestors(RelationGetRelid(table));
	const List *strangers = list_strangers(RelationGetRelid(table), ancestors, descent->root);
	bool		enabled = table->rd_rel->relrowsecurity;
	bool		forced = table->rd_rel->relforcerowsecurity;

	switch (descent->flag)
	{
		case AT_EnableRowSecurity:
			dbkit_inherit_row_security(RelationGetRelid(table), ancestors, strangers, OWN_KEPT);
			break;
		case AT_DisableRowSecurity:
			if (ancestors != NIL)
				dbkit_replace_policies(table, dbkit_inherit_policies(table, ancestors, strangers, &forced), OWN_KEPT);
			else if (!has_own_policy(table, descent->root))
				dbkit_set_row_security(table, false, forced);
			break;
		case AT_ForceRowSecurity:
			dbkit_set_row_security(table, enabled, true);
			break;
		default:
			dbkit_set_row_security(table, enabled, is_forced(ancestors));
	}
}

/* Pass on the policies, as they are after the statement. */
static void
pass_policies(const Descent *descent, Relation table)
{
	List	   *ancestors = dbkit_find_protected_ancestors(RelationGetRelid(table));
	const List *strangers = list_strangers(RelationGetRelid(table), ancestors, descent->root);
	bool		force;

	if (ancestors != NIL)
		dbkit_replace_policies(table, dbkit_inherit_policies(table, ancestors, strangers, &force), OWN_KEPT);
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
	const RowSecurityPolicy *policy = dbkit_find_policy(dbkit_read_policies(root, table), descent->policy);
	ListCell   *cell;

	foreach(cell, policy != NULL ? dbkit_read_policies(table, table) : NIL)
	{
		const RowSecurityPolicy *copy = lfirst(cell);

		if (dbkit_is_same_policy(copy, policy) && is_name_of_copy(copy->policy_name, descent->policy))
		{
			dbkit_remove_policy(table, copy);
			CommandCounterIncrement();
			break;
		}
	}
	table_close(root, NoLock);
}

/* Do something with each table below the root, parents first, or note that it must not be done. */
static void
descend(Descent *descent, void (*action) (const Descent *descent, Relation table))
{
	ListCell   *cell;

	foreach(cell, dbkit_lock_members(descent->root, AccessExclusiveLock))
	{
		Relation	table = table_open(lfirst_oid(cell), NoLock);

		CHECK_FOR_INTERRUPTS();
		if (table->rd_rel->relkind != RELKIND_FOREIGN_TABLE && lfirst_oid(cell) != descent->root)
		{
			if (may_pass_on(lfirst_oid(cell), descent->root))
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
	Oid			owner = OidIsValid(relid) ? owner_of(relid) : InvalidOid;

	if (OidIsValid(owner) && !has_privs_of_role(GetUserId(), owner))
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

	if (table == NULL || descent.policy == NULL || is_done_elsewhere())
		return;
	descent.root = lock_root(table);
	if (OidIsValid(descent.root) && has_subclass(descent.root))
		descend(&descent, drop_copy);
}

/*
 * Return the table that an ALTER TABLE has just changed.  The statement has checked who may, and may
 * have given the table away since; it still holds the lock, which tells the table from another one
 * that has got the name meanwhile.
 */
static Oid
find_altered(const RangeVar *name)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, true);
	Relation	table = OidIsValid(relid) ? RelationIdGetRelation(relid) : NULL;
	bool		locked = table != NULL && CheckRelationLockedByMe(table, AccessExclusiveLock, true);

	if (table != NULL)
		RelationClose(table);
	return locked ? relid : InvalidOid;
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
		descent.root = statement->relation->inh ? find_altered(statement->relation) : InvalidOid;
		if (!OidIsValid(descent.root) || !has_subclass(descent.root))
			return;
		descend(&descent, pass_flag);
		warn_of_others(descent.root, descent.others);
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

	if (is_done_elsewhere())
		return;
	if (IsA(statement, AlterTableStmt))
		pass_flags((const AlterTableStmt *) statement);
	if (table != NULL)
		descent.root = lock_root(table);
	if (!OidIsValid(descent.root) || !has_subclass(descent.root) || !dbkit_has_row_security(descent.root))
		return;
	descend(&descent, pass_policies);
	warn_of_others(descent.root, descent.others);
}
