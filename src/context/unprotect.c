/*-------------------------------------------------------------------------
 *
 * unprotect.c
 *		dbkit.unprotect: take back what dbkit.protect made for a role.
 *
 * Nothing is opened on the way.  Without policies, row level security hides all rows; without
 * row level security, whoever has a privilege sees all of them.  So it is disabled only where
 * nobody but the owner could notice.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "as_owner.h"
#include "context/protect.h"
#include "convention/agreement.h"
#include "relation_name.h"
#include "sql.h"

/* The policies of a table, but for the one that shows all to an administrator */
static const char other_policies[] =
"SELECT FROM pg_catalog.pg_policy "
"WHERE polrelid OPERATOR(pg_catalog.=) $1 AND polname OPERATOR(pg_catalog.<>) $2";

/*
 * Has anybody but its owner a privilege on a table or its columns, or on all tables; is there a view that reads it,
 * or a function that lets others act as its owner, whom forced row level security binds?
 */
static const char roads[] =
"SELECT FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a "
"WHERE c.oid OPERATOR(pg_catalog.=) $1 AND a.grantee OPERATOR(pg_catalog.<>) c.relowner "
"UNION ALL SELECT FROM pg_catalog.pg_class c "
"JOIN pg_catalog.pg_attribute t ON t.attrelid OPERATOR(pg_catalog.=) c.oid, pg_catalog.aclexplode(t.attacl) a "
"WHERE c.oid OPERATOR(pg_catalog.=) $1 AND a.grantee OPERATOR(pg_catalog.<>) c.relowner "
"UNION ALL SELECT FROM pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) $2 "
"AND refobjid OPERATOR(pg_catalog.=) $1 AND classid OPERATOR(pg_catalog.=) $3 "
"UNION ALL SELECT FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles m ON m.oid OPERATOR(pg_catalog.=) a.member "
"WHERE a.roleid OPERATOR(pg_catalog.=) ANY ($4) AND NOT m.rolsuper AND NOT m.rolbypassrls "
"UNION ALL SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles o ON o.oid OPERATOR(pg_catalog.=) c.relowner "
"JOIN pg_catalog.pg_proc p ON p.proowner OPERATOR(pg_catalog.=) c.relowner "
"WHERE c.oid OPERATOR(pg_catalog.=) $1 AND c.relforcerowsecurity AND p.prosecdef AND NOT o.rolsuper AND NOT o.rolbypassrls";

static void
run_all(const List *statements)
{
	ListCell   *lc;

	foreach(lc, statements)
		dbkit_run_utility(lfirst(lc));
}

/* Is there a policy besides that of the administrator? */
static bool
has_other_policies(Oid relid, const char *admin_policy)
{
	Oid			types[] = {OIDOID, NAMEOID};
	Datum		values[] = {ObjectIdGetDatum(relid), DirectFunctionCall1(namein, CStringGetDatum(admin_policy != NULL ? admin_policy : ""))};

	return dbkit_run_sql(SPI_OK_SELECT, other_policies, 2, types, values, NULL) > 0;
}

/* Could somebody read the table if it had no row level security? */
static bool
is_in_reach(Oid relid)
{
	Datum		of_all[] = {ObjectIdGetDatum(ROLE_PG_READ_ALL_DATA), ObjectIdGetDatum(ROLE_PG_WRITE_ALL_DATA)};
	Oid			types[] = {OIDOID, OIDOID, OIDOID, OIDARRAYOID};
	Datum		values[] = {ObjectIdGetDatum(relid), ObjectIdGetDatum(RelationRelationId), ObjectIdGetDatum(RewriteRelationId),
		PointerGetDatum(construct_array(of_all, lengthof(of_all), OIDOID, sizeof(Oid), true, TYPALIGN_INT))
	};

	return dbkit_run_sql(SPI_OK_SELECT, roads, 4, types, values, NULL) > 0;
}

/* Take back the defaults that say who has entered. */
static List *
drop_defaults(List *statements, Oid relid)
{
	ListCell   *lc;

	foreach(lc, dbkit_tenant_defaults(relid))
		statements = lappend(statements, psprintf("ALTER TABLE ONLY %s ALTER COLUMN %s DROP DEFAULT",
												  dbkit_relation_name(relid), quote_identifier(lfirst(lc))));
	return statements;
}

/* Take the policies of the role from one table.  Tells whether any policy is left but the administrator's. */
static bool
drop_policies(Oid relid, const Protection *protection)
{
	const char *admin_policy = protection->admin_name != NULL ? dbkit_admin_policy(protection) : NULL;

	run_all(dbkit_drop_isolation(NIL, relid, protection));
	if (has_other_policies(relid, admin_policy))
		return true;
	if (admin_policy != NULL)
		run_all(dbkit_drop_policy(NIL, relid, admin_policy));
	return false;
}

/* Disable row level security of a table without policies, if that opens it to nobody.  Tells whether it did. */
static bool
open_if_out_of_reach(Oid relid)
{
	if (is_in_reach(relid))
		return false;
	dbkit_run_utility(psprintf("ALTER TABLE ONLY %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY",
							   dbkit_relation_name(relid)));
	return true;
}

/* Say that a table is closed now, and how to open it. */
static void
note_closed(Oid relid)
{
	ereport(NOTICE,
			(errmsg("row level security of table \"%s\" stays enabled", get_rel_name(relid)),
			 errdetail("No policy is left, so it shows no rows. Without row level security, other roles that have privileges on it, or on a view of it, or that its owner's functions act for, would see all of them."),
			 errhint("To let them, run: ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;", dbkit_relation_name(relid))));
}

/* Take back what is the table's own: privileges and, with the last policy, defaults. */
static void
unprotect_root(Oid relid, const Protection *protection, bool last)
{
	List	   *statements = NIL;

	if (last)
	{
		if (protection->admin_name != NULL)
			statements = dbkit_revoke_all(statements, relid, protection->admin, protection->admin_name);
		statements = drop_defaults(statements, relid);
	}
	run_all(statements);
}

/* Take back from a table, its partitions and children what dbkit.protect() made for a role. */
static void
unprotect_tables(Oid relid, const List *members, const Protection *protection)
{
	ListCell   *lc;

	run_all(dbkit_revoke_all(NIL, relid, protection->role, protection->role_name));
	foreach(lc, members)
	{
		Oid			member = lfirst_oid(lc);
		bool		last = dbkit_is_protectable(get_rel_relkind(member)) && !drop_policies(member, protection);

		if (member == relid)
			unprotect_root(relid, protection, last);
		if (last && !open_if_out_of_reach(member) && member == relid)
			note_closed(relid);
	}
}

/* Is there a policy to take back?  Without one, row level security is somebody else's. */
static bool
is_protected_for(Oid relid, const Protection *protection)
{
	if (dbkit_drop_isolation(NIL, relid, protection) != NIL)
		return true;
	ereport(NOTICE,
			(errmsg("table \"%s\" is not protected for role \"%s\", skipping", get_rel_name(relid), protection->role_name)));
	return false;
}

PG_FUNCTION_INFO_V1(dbkit_unprotect);

/*
 * dbkit.unprotect(relation regclass, role name) returns void
 *
 * Takes back what dbkit.protect() made for a role.  Errors: null_value_not_allowed, undefined_object,
 * undefined_table, wrong_object_type, insufficient_privilege.
 */
Datum
dbkit_unprotect(PG_FUNCTION_ARGS)
{
	Protection	protection = {0};
	Oid			relid;
	List	   *members;
	AsOwner		saved;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the relation and the role cannot be NULL")));
	relid = PG_GETARG_OID(0);
	members = dbkit_lock_tables(relid);
	protection.role_name = NameStr(*PG_GETARG_NAME(1));
	protection.stem = protection.role_name;
	dbkit_refresh_agreement();
	dbkit_set_roles(&protection);
	if (!is_protected_for(relid, &protection))
		PG_RETURN_VOID();

	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	SPI_connect();
	unprotect_tables(relid, members, &protection);
	SPI_finish();
	dbkit_end_as_owner(&saved);
	PG_RETURN_VOID();
}
