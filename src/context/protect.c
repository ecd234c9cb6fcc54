/*-------------------------------------------------------------------------
 *
 * protect.c
 *		dbkit.protect: row level security policies that rest on the context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "as_owner.h"
#include "context/inherited_policies.h"
#include "context/leftovers.h"
#include "context/protect.h"
#include "context/tenant_keys.h"
#include "convention/agreement.h"
#include "relation_name.h"
#include "sql.h"

/* Make sure that the caller may protect a relation, and return its name; NULL if there is none. */
static char *
check_protectable(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class form;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_class) GETSTRUCT(tuple);
	name = pstrdup(NameStr(form->relname));
	if (!dbkit_is_protectable(form->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name)));
	if (!has_privs_of_role(GetUserId(), form->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(form->relkind), name);
	ReleaseSysCache(tuple);
	return name;
}

/* Take a lock on a table, and check again what may have changed meanwhile. */
static void
lock_table(Oid relid, LOCKMODE mode)
{
	const char *name = check_protectable(relid);

	if (name == NULL)
		dbkit_report_dropped(relid);
	LockRelationOid(relid, mode);
	if (check_protectable(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", name)));
}

/*
 * Lock a table with its partitions and children as ALTER TABLE will, so that none is added unseen,
 * and return them all, each after its parents.  Errors: undefined_table, wrong_object_type,
 * insufficient_privilege.
 */
List *
dbkit_lock_tables(Oid relid)
{
	lock_table(relid, AccessExclusiveLock);
	return dbkit_lock_members(relid, AccessExclusiveLock);
}

/* Run statements that name all with its schema, or have no name that is not PostgreSQL's, as a role. */
void
dbkit_run_protection(const List *statements, Oid role)
{
	AsOwner		saved;
	ListCell   *lc;

	dbkit_begin_as_owner(role, 0, &saved);
	SPI_connect();
	foreach(lc, statements)
		dbkit_run_utility(lfirst(lc));
	SPI_finish();
	dbkit_end_as_owner(&saved);
}

/* Say what is left to do, about each owner once. */
static void
report_leftovers(Oid relid, const List *members, const Protection *protection)
{
	List	   *owners = NIL;
	ListCell   *lc;

	foreach(lc, members)
	{
		if (dbkit_is_protectable(get_rel_relkind(lfirst_oid(lc))))
			owners = dbkit_warn_of_leftovers(lfirst_oid(lc), protection, owners);
		else
			dbkit_warn_of_foreign_table(lfirst_oid(lc));
	}
	dbkit_note_schema(relid, protection);
	dbkit_note_admin(protection);
}

/* Protect a table with its partitions and children. */
void
dbkit_protect_table(Oid relid, Protection *protection)
{
	List	   *members = dbkit_lock_tables(relid);

	dbkit_plan_protection(relid, protection);
	dbkit_run_protection(dbkit_write_protection(relid, members, protection), GetUserId());
	dbkit_replace_tenant_keys(relid);
	report_leftovers(relid, members, protection);
}

/* Write the statements that would, one to a line. */
char *
dbkit_protection_sql(Oid relid, Protection *protection)
{
	StringInfoData sql;
	AsOwner		saved;
	List	   *statements;
	ListCell   *lc;

	lock_table(relid, AccessShareLock);
	initStringInfo(&sql);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	dbkit_plan_protection(relid, protection);
	statements = dbkit_write_protection(relid, dbkit_lock_members(relid, AccessShareLock), protection);
	statements = list_concat(statements, dbkit_write_tenant_keys(relid, protection->columns[TENANT_ORGANIZATION]));
	foreach(lc, statements)
		appendStringInfo(&sql, "%s%s;", sql.len > 0 ? "\n" : "", (char *) lfirst(lc));
	dbkit_end_as_owner(&saved);
	return sql.data;
}

/*
 * Read what is to be done from the arguments relation, user_column, organization_column, role and access.  There
 * is no access where the extension is still of an earlier version.
 */
static Oid
read_request(FunctionCallInfo fcinfo, Protection *protection)
{
	bool		has_access = PG_NARGS() > 4;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3) || (has_access && PG_ARGISNULL(4)))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the relation, the role and the access cannot be NULL")));
	protection->access = dbkit_find_access(has_access ? text_to_cstring(PG_GETARG_TEXT_PP(4)) : "tenant");
	protection->columns[TENANT_USER] = PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1));
	protection->columns[TENANT_ORGANIZATION] = PG_ARGISNULL(2) ? NULL : NameStr(*PG_GETARG_NAME(2));
	protection->role_name = NameStr(*PG_GETARG_NAME(3));
	protection->stem = protection->role_name;
	dbkit_refresh_agreement();
	return PG_GETARG_OID(0);
}

PG_FUNCTION_INFO_V1(dbkit_protect);

/*
 * dbkit.protect(relation regclass, user_column name, organization_column name, role name, access text) returns void
 *
 * Enables and forces row level security on a table, its partitions and children, creates the policies
 * "<role>_isolation..." on each, grants what they are of use with, and has new rows belong to who has entered.
 * Errors: null_value_not_allowed, undefined_object, undefined_table, wrong_object_type, insufficient_privilege,
 * undefined_column, datatype_mismatch, collation_mismatch, invalid_parameter_value.
 */
Datum
dbkit_protect(PG_FUNCTION_ARGS)
{
	Protection	protection = {0};
	Oid			relid = read_request(fcinfo, &protection);

	dbkit_protect_table(relid, &protection);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_protect_sql);

/*
 * dbkit.protect_sql(relation regclass, user_column name, organization_column name, role name, access text) returns text
 *
 * Writes the statements that dbkit.protect() would run.  Errors: the same.
 */
Datum
dbkit_protect_sql(PG_FUNCTION_ARGS)
{
	Protection	protection = {0};
	Oid			relid = read_request(fcinfo, &protection);

	PG_RETURN_TEXT_P(cstring_to_text(dbkit_protection_sql(relid, &protection)));
}
