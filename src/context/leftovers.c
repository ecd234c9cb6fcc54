/*-------------------------------------------------------------------------
 *
 * leftovers.c
 *		What protecting a table leaves for people to do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/leftovers.h"
#include "convention/agreement.h"
#include "relation_name.h"

/* Can a policy admit rows to a role, or, if that is public, to anybody? */
static bool
admits(const RowSecurityPolicy *policy, Oid role)
{
	const Oid  *roles = (const Oid *) ARR_DATA_PTR(policy->roles);

	if (!policy->permissive)
		return false;
	if (role == ACL_ID_PUBLIC)
		return true;
	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
	{
		if (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(role, roles[i]))
			return true;
	}
	return false;
}

/*
 * Is a policy one of those that dbkit.protect() has made?  The one that shows all to an administrator counts
 * as another's to whoever has that role as well.
 */
static bool
is_own_policy(const Protection *protection, const char *name, Oid role)
{
	return dbkit_is_isolation_policy(protection, name) ||
		(role == ACL_ID_PUBLIC && protection->admin_name != NULL && strcmp(name, dbkit_admin_policy(protection)) == 0);
}

/* List the names of the policies of a table, other than ours, that can admit rows to a role. */
static char *
list_other_policies(Relation table, const Protection *protection, Oid role)
{
	char	   *result = NULL;
	ListCell   *cell;

	/* The server has them in the reverse order of their names */
	foreach(cell, table->rd_rsdesc->policies)
	{
		const RowSecurityPolicy *policy = lfirst(cell);

		if (is_own_policy(protection, policy->policy_name, role) || !admits(policy, role))
			continue;
		result = result == NULL ? psprintf("\"%s\"", policy->policy_name)
			: psprintf("\"%s\", %s", policy->policy_name, result);
	}
	return result;
}

/* Permissive policies are combined with OR, so ours hides nothing that another one shows. */
static void
warn_of_other_policies(Relation table, const Protection *protection)
{
	const char *names = list_other_policies(table, protection, protection->role);

	if (names != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_WARNING),
				 errmsg("other policies of table \"%s\" stay in force", RelationGetRelationName(table)),
				 errdetail("Rows that they admit stay visible to \"%s\": %s.",
						   protection->role_name, names),
				 errhint("Drop them, or create them again AS RESTRICTIVE, unless that is what you want.")));
}

/* Can the role log in, and does row level security bind it? */
static bool
is_bound_login(Oid role)
{
	HeapTuple	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	Form_pg_authid form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_authid) GETSTRUCT(tuple);
	result = form->rolcanlogin && !form->rolsuper && !form->rolbypassrls;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * Forced row level security takes the rows from the owner as well.  A migration
 * that runs as the owner would then change nothing, and not say so.
 */
static void
warn_of_owner(Relation table, const Protection *protection)
{
	Oid			owner = table->rd_rel->relowner;
	const char *detail = "From now on its queries find no rows there, without an error.";

	if (owner == protection->role || !is_bound_login(owner) ||
		list_other_policies(table, protection, owner) != NULL)
		return;
	if (protection->role == ACL_ID_PUBLIC || has_privs_of_role(owner, protection->role))
		detail = "From now on its queries find no rows there without a context, and without an error.";
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("row level security now binds role \"%s\", which owns table \"%s\" and can log in",
					GetUserNameFromId(owner, false), RelationGetRelationName(table)),
			 errdetail_internal("%s", detail),
			 errhint("Run migrations as a role with BYPASSRLS, let a role that cannot log in own the table, or create a policy for the owner.")));
}

/*
 * Say what protecting a table leaves to do, about its owner only if that is not in "owners".
 * Returns the owners of whom it was said.
 */
List *
dbkit_warn_of_leftovers(Oid relid, const Protection *protection, List *owners)
{
	Relation	table = relation_open(relid, NoLock);

	/* A lock on a table does not keep its schema from being renamed */
	if (table->rd_rsdesc == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s\" was renamed by another session", RelationGetRelationName(table))));
	warn_of_other_policies(table, protection);
	if (!list_member_oid(owners, table->rd_rel->relowner))
	{
		warn_of_owner(table, protection);
		owners = lappend_oid(owners, table->rd_rel->relowner);
	}
	relation_close(table, NoLock);
	return owners;
}

/*
 * A foreign table has no policies, and the executor checks new rows against
 * those of the partitioned table only where it writes them itself (ExecInsert()
 * and ExecUpdateAct() in nodeModifyTable.c).
 */
void
dbkit_warn_of_foreign_table(Oid relid)
{
	ereport(WARNING,
			(errcode(ERRCODE_WARNING),
			 errmsg("row level security does not guard foreign table \"%s\"", get_rel_name(relid)),
			 errdetail("It has no policies, and rows written into it through another table are not checked."),
			 errhint("Grant no more than SELECT, and that only on the table that it belongs to.")));
}

/* Without USAGE on the schema no privilege on its tables is of use; it is not the table's owner to grant it. */
void
dbkit_note_schema(Oid relid, const Protection *protection)
{
	Oid			schema = get_rel_namespace(relid);
	const char *name = quote_identifier(dbkit_schema_name(schema));

	if (protection->role != ACL_ID_PUBLIC && dbkit_schema_aclcheck(schema, protection->role, ACL_USAGE) != ACLCHECK_OK)
		ereport(NOTICE,
				(errmsg("role \"%s\" may not use schema %s yet", protection->role_name, name),
				 errhint("To let it, run: GRANT USAGE ON SCHEMA %s TO %s;", name, quote_identifier(protection->role_name))));
}

/* Say that nobody sees all, where the agreement names somebody. */
void
dbkit_note_admin(const Protection *protection)
{
	const char *admin = dbkit_agreement()->admin_role;

	if (admin != NULL && !OidIsValid(protection->admin))
		ereport(NOTICE,
				(errmsg("role \"%s\", the admin_role of the agreement, does not exist", admin),
				 errhint("Create it and call dbkit.protect() again, for a policy by which it sees all rows.")));
}
