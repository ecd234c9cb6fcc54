/*-------------------------------------------------------------------------
 *
 * protect.c
 *		dbkit.protect: row level security policies that rest on the context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "rewrite/rowsecurity.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/protect.h"
#include "convention/agreement.h"
#include "convention/listed_names.h"
#include "relation_name.h"
#include "sql.h"

/* The two halves of a context, and how a table refers to them */
static const struct
{
	size_t		columns;		/* what tables call it: a list of the
								 * agreement */
	const char *function;
	bool		(*is_its_table) (const Catalogs *catalogs, Oid relid);	/* whose "id" it is */
}			kinds[] =

{
	{offsetof(Agreement, organization_columns), "dbkit.organization_id()", dbkit_is_organization_table},
	{offsetof(Agreement, user_columns), "dbkit.user_id()", dbkit_is_user_table},
};

enum
{
	ORGANIZATION,
	USER
};

/*
 * The types whose values are equal only if they are of one tenant.  Others cut
 * (name, "char"), pad (char(n)), fold (citext) or round what they are given, or
 * are somebody's own and compare as he likes.
 */
static const struct
{
	Oid			type;
	bool		is_text;		/* compares with text as it is */
}			column_types[] =

{
	{TEXTOID, true},
	{VARCHAROID, true},
	{UUIDOID, false},
	{INT8OID, false},
	{INT4OID, false},
	{INT2OID, false},
	{NUMERICOID, false},
};

/* What dbkit.protect is to do */
typedef struct Protection
{
	const char *role_name;
	Oid			role;			/* ACL_ID_PUBLIC for public */
	const char *policy;
	const char *visible;		/* the condition of USING */
	const char *writable;		/* and of WITH CHECK */
} Protection;

/* Is the argument the name of a column? */
static bool
is_named(const char *column)
{
	return column != NULL && column[0] != '\0';
}

/* Find the column of one kind; NULL if the relation has none. */
static const char *
find_column(Oid relid, int kind)
{
	const List *names = *(List *const *) ((const char *) dbkit_agreement() + kinds[kind].columns);
	ListCell   *lc;

	if (kinds[kind].is_its_table(&dbkit_now, relid))
		return "id";
	foreach(lc, names)
	{
		if (get_attnum(relid, lfirst(lc)) > 0)
			return pstrdup(lfirst(lc));
	}
	return NULL;
}

/*
 * Decide on the columns.  Those that are named are used and no other; if none
 * is, the first that is found: the rows of an organization are those of all its
 * users.  A column whose name is empty is not looked for.
 */
static void
choose_columns(Oid relid, const char *columns[])
{
	bool		chosen = is_named(columns[ORGANIZATION]) || is_named(columns[USER]);

	for (int kind = 0; kind < (int) lengthof(kinds); kind++)
	{
		if (is_named(columns[kind]))
			continue;
		columns[kind] = columns[kind] == NULL && !chosen ? find_column(relid, kind) : NULL;
		chosen |= columns[kind] != NULL;
	}
	if (!chosen)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column to isolate tenants by", get_rel_name(relid)),
				 errhint("Name the column in user_column or organization_column.")));
}

/* Can values of the type isolate tenants?  Tells whether they compare with text as they are. */
static bool
isolates(Oid type, bool *is_text)
{
	Oid			base = getBaseType(type);

	for (size_t i = 0; i < lengthof(column_types); i++)
	{
		*is_text = column_types[i].is_text;
		if (column_types[i].type == base)
			return true;
	}
	return false;
}

/* Make sure that a type can isolate tenants. */
static void
check_type(Oid type, const char *table, const char *column)
{
	bool		is_text;

	if (!isolates(type, &is_text))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" cannot isolate tenants", column, table),
				 errdetail("Its type %s may take ids of different tenants for equal.", format_type_be(type)),
				 errhint("Use text, varchar, uuid, smallint, integer, bigint or numeric.")));
}

/* Make sure that a collation takes no two different ids for one. */
static void
check_collation(Oid collation, const char *table, const char *column)
{
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
		ereport(ERROR,
				(errcode(ERRCODE_COLLATION_MISMATCH),
				 errmsg("column \"%s\" of table \"%s\" cannot isolate tenants", column, table),
				 errdetail("Its nondeterministic collation may take ids of different tenants for equal."),
				 errhint("Use COLLATE \"C\".")));
}

/*
 * Write "column = function()", with all names qualified or as people write it.  The
 * functions give text, which compares as it is with string types; for another type the
 * cast is done once per query.
 */
static char *
write_comparison(int kind, const char *column, Oid type, bool qualified)
{
	const char *equals = qualified ? "OPERATOR(pg_catalog.=)" : "=";
	bool		is_text;

	if (!isolates(type, &is_text))
		return NULL;
	if (is_text)
		return psprintf("%s %s %s", quote_identifier(column), equals, kinds[kind].function);
	type = getBaseType(type);
	return psprintf("%s %s (SELECT %s::%s)", quote_identifier(column), equals, kinds[kind].function,
					qualified ? format_type_be_qualified(type) : format_type_be(type));
}

/* Write it for a column that is there, and can isolate tenants. */
static char *
compare_column(Oid relid, int kind, const char *column)
{
	const char *table = get_rel_name(relid);
	AttrNumber	attnum = get_attnum(relid, column);
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", column, table)));
	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	check_collation(collation, table, column);
	check_type(type, table, column);
	return write_comparison(kind, column, type, true);
}

/*
 * Write the condition by which a column of that name and type tells organizations apart, or
 * users, as people write it; NULL where its values cannot.
 */
char *
dbkit_tenant_condition(bool users, const char *column, Oid type)
{
	/*
	 * For these somebody can plant an operator that fits better than
	 * PostgreSQL's
	 */
	bool		qualified = type == VARCHAROID || type != getBaseType(type);

	return write_comparison(users ? USER : ORGANIZATION, column, type, qualified);
}

/*
 * Write the conditions.  With both columns a user sees the rows of the organization
 * and its own, but gives no row to another organization.
 */
static void
write_conditions(Oid relid, const char *columns[], Protection *protection)
{
	char	   *comparisons[lengthof(kinds)] = {NULL};

	for (int kind = 0; kind < (int) lengthof(kinds); kind++)
	{
		if (columns[kind] != NULL)
			comparisons[kind] = compare_column(relid, kind, columns[kind]);
	}
	if (comparisons[ORGANIZATION] == NULL || comparisons[USER] == NULL)
	{
		protection->visible = comparisons[comparisons[USER] == NULL ? ORGANIZATION : USER];
		protection->writable = protection->visible;
		return;
	}
	protection->visible = psprintf("%s OR %s", comparisons[ORGANIZATION], comparisons[USER]);
	protection->writable = psprintf("%s OR (%s IS NULL AND %s)", comparisons[ORGANIZATION],
									quote_identifier(columns[ORGANIZATION]), comparisons[USER]);
}

static bool
is_plain_or_partitioned(char relkind)
{
	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
}

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
	if (!is_plain_or_partitioned(form->relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name)));
	if (!has_privs_of_role(GetUserId(), form->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(form->relkind), name);
	ReleaseSysCache(tuple);
	return name;
}

/*
 * Take the lock that ALTER TABLE will take, so that no partition or child is
 * added unseen, and check again what may have changed meanwhile.
 */
static void
lock_table(Oid relid)
{
	const char *name = check_protectable(relid);

	if (name == NULL)
		dbkit_report_dropped(relid);
	LockRelationOid(relid, AccessExclusiveLock);
	if (check_protectable(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s\" does not exist", name)));
}

/* Give one table its policy, in place of an earlier one of that name. */
static void
protect_table(Oid relid, const Protection *protection)
{
	const char *name = dbkit_relation_name(relid);
	const char *policy = quote_identifier(protection->policy);

	dbkit_run_utility(psprintf("ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", name));
	if (OidIsValid(get_relation_policy_oid(relid, protection->policy, true)))
		dbkit_run_utility(psprintf("DROP POLICY %s ON %s", policy, name));
	dbkit_run_utility(psprintf("CREATE POLICY %s ON %s FOR ALL TO %s USING (%s) WITH CHECK (%s)",
							   policy, name, quote_identifier(protection->role_name),
							   protection->visible, protection->writable));
}

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

		if (strcmp(policy->policy_name, protection->policy) == 0 || !admits(policy, role))
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

/* Say what protecting a table leaves to do, once for each of the owners. */
static List *
warn_of_leftovers(Oid relid, const Protection *protection, List *owners)
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

/*
 * Row security does not descend: a partition or child that is queried by its
 * own name goes by its own policies, so each gets the same.
 */
static void
protect_with_descendants(Oid relid, const Protection *protection)
{
	List	   *owners = NIL;
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, AccessExclusiveLock, NULL))
	{
		Oid			member = lfirst_oid(cell);

		if (is_plain_or_partitioned(get_rel_relkind(member)))
		{
			protect_table(member, protection);
			owners = warn_of_leftovers(member, protection, owners);
		}
		else
			dbkit_warn_of_foreign_table(member);
	}
}

/*
 * dbkit.protect(relation regclass, user_column name, organization_column name, role name)
 *
 * Enable and force row level security on a table, its partitions and children,
 * and create the policy "<role>_isolation" on each.
 */
PG_FUNCTION_INFO_V1(dbkit_protect);
Datum
dbkit_protect(PG_FUNCTION_ARGS)
{
	const char *columns[lengthof(kinds)];
	Protection	protection;
	Oid			relid;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the relation and the role cannot be NULL")));
	relid = PG_GETARG_OID(0);
	columns[USER] = PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1));
	columns[ORGANIZATION] = PG_ARGISNULL(2) ? NULL : NameStr(*PG_GETARG_NAME(2));
	lock_table(relid);
	dbkit_refresh_agreement();
	choose_columns(relid, columns);
	write_conditions(relid, columns, &protection);
	protection.role_name = NameStr(*PG_GETARG_NAME(3));
	protection.role = strcmp(protection.role_name, "public") == 0 ? ACL_ID_PUBLIC
		: get_role_oid(protection.role_name, false);
	protection.policy = makeObjectName(protection.role_name, NULL, "isolation");

	SPI_connect();
	protect_with_descendants(relid, &protection);
	SPI_finish();
	PG_RETURN_VOID();
}
