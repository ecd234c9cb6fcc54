/*-------------------------------------------------------------------------
 *
 * protection.c
 *		What protects a table, as statements.
 *
 * dbkit.protect() runs them, dbkit.protect_sql() shows them, and dbkit.create_table() does either: so
 * all three make the same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "commands/sequence.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/protection.h"
#include "context/tenant_keys.h"
#include "convention/agreement.h"
#include "relation_name.h"

/* What a policy asks of a row */
typedef enum Condition
{
	NOTHING,					/* has no such clause */
	VISIBLE,
	WRITABLE
} Condition;

/* A policy: what its name ends with, the command, USING and WITH CHECK */
typedef struct PolicyKind
{
	const char *suffix;
	const char *command;
	Condition	using;
	Condition	check;
} PolicyKind;

/* All that any access grants */
#define ALL_PRIVILEGES "SELECT, INSERT, UPDATE, DELETE"

struct Access
{
	const char *name;
	const char *privileges;		/* that the role needs */
	bool		inserts;		/* or writes in another way */
	PolicyKind	policies[4];
};

static const Access accesses[] =
{
	{"tenant", ALL_PRIVILEGES, true,
	{{"isolation", "ALL", VISIBLE, WRITABLE}}},
	{"member", ALL_PRIVILEGES, true,
		{{"isolation", "SELECT", VISIBLE, NOTHING},
		{"isolation_insert", "INSERT", NOTHING, WRITABLE},
		{"isolation_update", "UPDATE", WRITABLE, WRITABLE},
	{"isolation_delete", "DELETE", WRITABLE, NOTHING}}},
	{"read", "SELECT", false,
	{{"isolation", "SELECT", VISIBLE, NOTHING}}},
};

enum
{
	ACCESS_TENANT,
	ACCESS_MEMBER,
	ACCESS_READ
};

/* What all policies of a role are named, whatever its access */
static const char *const suffixes[] = {"isolation", "isolation_insert", "isolation_update", "isolation_delete"};

/* Find a kind of protection.  Errors: invalid_parameter_value where there is none of that name. */
const Access *
dbkit_find_access(const char *name)
{
	for (size_t i = 0; i < lengthof(accesses); i++)
	{
		if (strcmp(accesses[i].name, name) == 0)
			return &accesses[i];
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized access: \"%s\"", name),
			 errhint("Use tenant, member or read.")));
}

bool
dbkit_is_tenant_access(const Access *access)
{
	return access == &accesses[ACCESS_TENANT];
}

bool
dbkit_is_read_access(const Access *access)
{
	return access == &accesses[ACCESS_READ];
}

bool
dbkit_is_protectable(char relkind)
{
	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
}

/* Name a policy as PostgreSQL names what it makes, which cuts long names. */
static char *
policy_name(const char *stem, const char *suffix)
{
	return makeObjectName(stem, NULL, suffix);
}

/* Name the policy that shows all rows. */
char *
dbkit_admin_policy(const Protection *protection)
{
	return policy_name(protection->admin_name, "all_rows");
}

/* Is it the name of one of the policies by which a role is protected? */
bool
dbkit_is_isolation_policy(const Protection *protection, const char *name)
{
	for (size_t i = 0; i < lengthof(suffixes); i++)
	{
		if (strcmp(name, policy_name(protection->stem, suffixes[i])) == 0)
			return true;
	}
	return false;
}

/* Conditions ---------------------------------------------------------------- */

/*
 * Write the conditions of access "tenant".  With both columns a user sees the rows of the
 * organization and its own, but gives no row to another organization.
 */
static void
plan_tenant(Oid relid, Protection *protection)
{
	const char *organization;
	const char *user;

	dbkit_choose_tenant_column(relid, protection->columns);
	organization = protection->columns[TENANT_ORGANIZATION] == NULL ? NULL :
		dbkit_compare_tenant_column(relid, TENANT_ORGANIZATION, protection->columns[TENANT_ORGANIZATION]);
	user = protection->columns[TENANT_USER] == NULL ? NULL :
		dbkit_compare_tenant_column(relid, TENANT_USER, protection->columns[TENANT_USER]);
	if (organization == NULL || user == NULL)
	{
		protection->visible = user == NULL ? organization : user;
		protection->writable = protection->visible;
		return;
	}
	protection->visible = psprintf("%s OR %s", organization, user);
	protection->writable = psprintf("%s OR (%s IS NULL AND %s)", organization,
									quote_identifier(protection->columns[TENANT_ORGANIZATION]), user);
}

/* Write the conditions of access "member". */
static void
plan_member(Oid relid, Protection *protection)
{
	dbkit_choose_member_columns(relid, protection->columns);
	protection->visible = dbkit_compare_tenant_column(relid, TENANT_ORGANIZATION, protection->columns[TENANT_ORGANIZATION]);
	protection->writable = psprintf("%s AND %s", protection->visible,
									dbkit_compare_tenant_column(relid, TENANT_USER, protection->columns[TENANT_USER]));
}

/* Write the conditions of access "read". */
static void
plan_read(Oid relid pg_attribute_unused(), Protection *protection)
{
	if (dbkit_is_named_column(protection->columns[TENANT_ORGANIZATION]) || dbkit_is_named_column(protection->columns[TENANT_USER]))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("access \"read\" goes by no column"),
				 errdetail("It shows every row to everybody."),
				 errhint("Leave out user_column and organization_column, or use access \"tenant\".")));
	protection->columns[TENANT_ORGANIZATION] = NULL;
	protection->columns[TENANT_USER] = NULL;
	protection->visible = "true";
}

static void (*const plans[]) (Oid relid, Protection *protection) =
{
	[ACCESS_TENANT] = plan_tenant,
		[ACCESS_MEMBER] = plan_member,
		[ACCESS_READ] = plan_read
};

/*
 * Set the roles: the one that is isolated, and the one of the agreement that sees all, which is
 * none where there is none, or where it is the same.  Errors: undefined_object.
 */
void
dbkit_set_roles(Protection *protection)
{
	protection->role = strcmp(protection->role_name, "public") == 0 ? ACL_ID_PUBLIC
		: get_role_oid(protection->role_name, false);
	protection->admin_name = dbkit_agreement()->admin_role;
	protection->admin = protection->admin_name == NULL ? InvalidOid : get_role_oid(protection->admin_name, true);
	if (!OidIsValid(protection->admin) || protection->admin == protection->role)
		protection->admin_name = NULL;
}

/*
 * Decide on columns, conditions and roles.  Errors: undefined_column, datatype_mismatch,
 * collation_mismatch, invalid_parameter_value, undefined_object.
 */
void
dbkit_plan_protection(Oid relid, Protection *protection)
{
	plans[protection->access - accesses] (relid, protection);
	dbkit_set_roles(protection);
}

/* Statements ---------------------------------------------------------------- */

/* Drop a policy, if it is there. */
List *
dbkit_drop_policy(List *statements, Oid relid, const char *name)
{
	if (OidIsValid(get_relation_policy_oid(relid, name, true)))
		statements = lappend(statements, psprintf("DROP POLICY %s ON %s", quote_identifier(name), dbkit_relation_name(relid)));
	return statements;
}

/* Drop the policies of a role, whatever its access was. */
List *
dbkit_drop_isolation(List *statements, Oid relid, const Protection *protection)
{
	for (size_t i = 0; i < lengthof(suffixes); i++)
		statements = dbkit_drop_policy(statements, relid, policy_name(protection->stem, suffixes[i]));
	return statements;
}

/* Write a clause of a policy, or nothing. */
static char *
write_clause(const char *clause, Condition condition, const Protection *protection)
{
	return condition == NOTHING ? pstrdup("") :
		psprintf(" %s (%s)", clause, condition == VISIBLE ? protection->visible : protection->writable);
}

/* Make a policy of a role. */
static List *
create_policy(List *statements, Oid relid, const PolicyKind *policy, const Protection *protection)
{
	const char *name = policy_name(protection->stem, policy->suffix);

	return lappend(statements,
				   psprintf("CREATE POLICY %s ON %s FOR %s TO %s%s%s", quote_identifier(name),
							dbkit_relation_name(relid), policy->command, quote_identifier(protection->role_name),
							write_clause("USING", policy->using, protection),
							write_clause("WITH CHECK", policy->check, protection)));
}

/* Give one table its policies, in place of earlier ones of their names. */
static List *
protect_member(List *statements, Oid relid, const Protection *protection)
{
	const Access *access = protection->access;
	const char *name = dbkit_relation_name(relid);

	statements = lappend(statements, psprintf("ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", name));
	statements = dbkit_drop_isolation(statements, relid, protection);
	for (size_t i = 0; i < lengthof(access->policies) && access->policies[i].suffix != NULL; i++)
		statements = create_policy(statements, relid, &access->policies[i], protection);
	if (protection->admin_name == NULL)
		return statements;
	statements = dbkit_drop_policy(statements, relid, dbkit_admin_policy(protection));
	return lappend(statements,
				   psprintf("CREATE POLICY %s ON %s FOR ALL TO %s USING (true) WITH CHECK (true)",
							quote_identifier(dbkit_admin_policy(protection)), name, quote_identifier(protection->admin_name)));
}

/*
 * Do privileges have to be granted to a role?  The owner has them all, and what PUBLIC is granted,
 * all roles of all applications have.
 */
static bool
takes_grants(Oid relid, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = role != ACL_ID_PUBLIC && role != ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return result;
}

/* List the sequences that an INSERT takes defaults from, by serial columns; those of identity columns ask for no privilege. */
static List *
serial_sequences(Oid relid)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, getOwnedSequences(relid))
	{
		Oid			table;
		int32		column;

		if (sequenceIsOwned(lfirst_oid(lc), DEPENDENCY_AUTO, &table, &column))
			result = lappend_oid(result, lfirst_oid(lc));
	}
	return result;
}

/* Grant a role what it needs of a table. */
static List *
grant(List *statements, Oid relid, Oid role, const char *role_name, const char *privileges, bool inserts)
{
	ListCell   *lc;

	if (!takes_grants(relid, role))
		return statements;
	statements = lappend(statements, psprintf("GRANT %s ON %s TO %s", privileges, dbkit_relation_name(relid), quote_identifier(role_name)));
	foreach(lc, inserts ? serial_sequences(relid) : NIL)
		statements = lappend(statements, psprintf("GRANT USAGE ON SEQUENCE %s TO %s", dbkit_relation_name(lfirst_oid(lc)),
												  quote_identifier(role_name)));
	return statements;
}

/* Take privileges on a table or sequence from a role, if it has one of them. */
static List *
take_back(List *statements, Oid relid, AclMode mode, const char *privileges, const Protection *protection)
{
	if (pg_class_aclmask(relid, protection->role, mode, ACLMASK_ANY) == 0)
		return statements;
	return lappend(statements, psprintf("REVOKE %s %s FROM %s", privileges, dbkit_relation_name(relid),
										quote_identifier(protection->role_name)));
}

/* Take from a role that only reads what it could not use, so that a write is refused rather than without effect. */
static List *
revoke_excess(List *statements, Oid relid, const Protection *protection)
{
	ListCell   *lc;

	if (protection->access->inserts || !takes_grants(relid, protection->role))
		return statements;
	statements = take_back(statements, relid, ACL_INSERT | ACL_UPDATE | ACL_DELETE, "INSERT, UPDATE, DELETE ON", protection);
	foreach(lc, serial_sequences(relid))
		statements = take_back(statements, lfirst_oid(lc), ACL_USAGE, "USAGE ON SEQUENCE", protection);
	return statements;
}

/*
 * Have the columns that rows are told apart by say who has entered.  Where a table goes by either
 * of two, a row without an organization is the user's alone, and stays that.
 */
static List *
set_defaults(List *statements, Oid relid, const Protection *protection)
{
	bool		both = protection->columns[TENANT_ORGANIZATION] != NULL && protection->columns[TENANT_USER] != NULL;

	if (both && dbkit_is_tenant_access(protection->access))
		return statements;
	for (int kind = 0; kind < TENANT_KINDS; kind++)
	{
		const char *column = protection->columns[kind];
		const char *value = column != NULL ? dbkit_tenant_default(relid, kind, column) : NULL;

		if (value != NULL)
			statements = lappend(statements, psprintf("ALTER TABLE ONLY %s ALTER COLUMN %s SET DEFAULT %s",
													  dbkit_relation_name(relid), quote_identifier(column), value));
	}
	return statements;
}

/* Take from a role all that any access grants. */
List *
dbkit_revoke_all(List *statements, Oid relid, Oid role, const char *role_name)
{
	ListCell   *lc;

	if (!takes_grants(relid, role))
		return statements;
	statements = lappend(statements, psprintf("REVOKE %s ON %s FROM %s", ALL_PRIVILEGES, dbkit_relation_name(relid), quote_identifier(role_name)));
	foreach(lc, serial_sequences(relid))
		statements = lappend(statements, psprintf("REVOKE USAGE ON SEQUENCE %s FROM %s", dbkit_relation_name(lfirst_oid(lc)),
												  quote_identifier(role_name)));
	return statements;
}

/*
 * Write the statements that protect a table, which is locked, with its partitions and children, each after
 * its parents.  Row security does not descend: one that is queried by its own name goes by its own policies, so
 * each gets the same, and before its parents, or CREATE POLICY there would pass it on.  Privileges and defaults are the
 * table's alone, which the others are reached by.
 */
List *
dbkit_write_protection(Oid relid, const List *members, const Protection *protection)
{
	List	   *statements = NIL;
	const char *key = dbkit_unique_key_sql(relid, protection->columns[TENANT_ORGANIZATION]);

	for (int i = list_length(members) - 1; i >= 0; i--)
	{
		Oid			member = list_nth_oid(members, i);

		if (dbkit_is_protectable(get_rel_relkind(member)))
			statements = protect_member(statements, member, protection);
	}
	statements = set_defaults(statements, relid, protection);
	if (key != NULL)
		statements = lappend(statements, pstrdup(key));
	statements = revoke_excess(statements, relid, protection);
	statements = grant(statements, relid, protection->role, protection->role_name, protection->access->privileges, protection->access->inserts);
	if (protection->admin_name != NULL)
		statements = grant(statements, relid, protection->admin, protection->admin_name, ALL_PRIVILEGES, true);
	return statements;
}
