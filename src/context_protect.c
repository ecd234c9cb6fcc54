/*-------------------------------------------------------------------------
 *
 * context_protect.c
 *		dbkit.protect: row level security policies that rest on the context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/policy.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "context.h"
#include "convention/names.h"
#include "dbkit.h"

/* The two halves of a context, and how a table refers to them */
static const struct
{
	const char *column;			/* what tables call it */
	const char *function;
	bool		(*is_its_table) (Oid relid);	/* whose "id" it is */
}			kinds[] =
{
	{"organization_id", "dbkit.organization_id()", dbkit_is_organization_table},
	{"user_id", "dbkit.user_id()", dbkit_is_user_table},
};

enum
{
	ORGANIZATION,
	USER
};

/* Decide on the column of one kind; NULL if the relation has none */
static const char *
choose_column(Oid relid, int kind, const char *given)
{
	const char *column = kinds[kind].column;

	if (given)
		return given[0] == '\0' ? NULL : given;
	if (kinds[kind].is_its_table(relid))
		return "id";
	return get_attnum(relid, column) > 0 ? column : NULL;
}

/*
 * Append "column = function()".  The functions give text, which compares as it
 * is with all string types; for another type the cast is done once per query.
 */
static void
append_comparison(StringInfo condition, Oid relid, int kind, const char *column)
{
	AttrNumber	attnum = get_attnum(relid, column);
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						column, get_rel_name(relid))));
	get_atttypetypmodcoll(relid, attnum, &type, &typmod, &collation);
	type = getBaseType(type);

	if (condition->len > 0)
		appendStringInfoString(condition, " AND ");
	appendStringInfo(condition, "%s OPERATOR(pg_catalog.=) ", quote_identifier(column));
	if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
		appendStringInfoString(condition, kinds[kind].function);
	else
		appendStringInfo(condition, "(SELECT %s::%s)", kinds[kind].function,
						 format_type_be_qualified(type));
}

static bool
is_plain_or_partitioned(char relkind)
{
	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
}

static void
check_protectable(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	if (relkind == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	if (!is_plain_or_partitioned(relkind))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", get_rel_name(relid))));
	if (!dbkit_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind), get_rel_name(relid));
}

/*
 * Take the lock that ALTER TABLE will take, so that no partition or child is
 * added unseen, and check again what may have changed meanwhile.
 */
static void
lock_table(Oid relid)
{
	LockRelationOid(relid, AccessExclusiveLock);
	check_protectable(relid);
}

/* Run one statement with the caller's rights */
static void
run(const char *statement)
{
	int			result = SPI_execute(statement, false, 0);

	if (result != SPI_OK_UTILITY)
		elog(ERROR, "could not run \"%s\": %s", statement, SPI_result_code_string(result));
}

/* Give one table its policy, in place of an earlier one of that name */
static void
protect_table(Oid relid, const char *policy, const char *role, const char *condition)
{
	const char *table = quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
												   get_rel_name(relid));

	run(psprintf("ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", table));
	if (OidIsValid(get_relation_policy_oid(relid, policy, true)))
		run(psprintf("DROP POLICY %s ON %s", quote_identifier(policy), table));
	run(psprintf("CREATE POLICY %s ON %s FOR ALL TO %s USING (%s) WITH CHECK (%s)",
				 quote_identifier(policy), table, quote_identifier(role), condition, condition));
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
protect_with_descendants(Oid relid, const char *role, const char *condition)
{
	const char *policy = makeObjectName(role, NULL, "isolation");
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, AccessExclusiveLock, NULL))
	{
		Oid			member = lfirst_oid(cell);

		if (is_plain_or_partitioned(get_rel_relkind(member)))
			protect_table(member, policy, role, condition);
		else
			dbkit_warn_of_foreign_table(member);
	}
}

/*
 * dbkit.protect(relation regclass, user_column name, organization_column name, role name)
 *
 * Enable and force row level security on a table, its partitions and children,
 * and create the policy "<role>_isolation" on each.  A column that is NULL is
 * looked for, one that is empty is left out.  Raises undefined_column when
 * there is none to go by.
 */
PG_FUNCTION_INFO_V1(dbkit_protect);
Datum
dbkit_protect(PG_FUNCTION_ARGS)
{
	const char *given[lengthof(kinds)];
	StringInfoData condition;
	Oid			relid;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the relation and the role cannot be NULL")));
	relid = PG_GETARG_OID(0);
	given[USER] = PG_ARGISNULL(1) ? NULL : NameStr(*PG_GETARG_NAME(1));
	given[ORGANIZATION] = PG_ARGISNULL(2) ? NULL : NameStr(*PG_GETARG_NAME(2));
	check_protectable(relid);
	lock_table(relid);

	initStringInfo(&condition);
	for (int kind = 0; kind < (int) lengthof(kinds); kind++)
	{
		const char *column = choose_column(relid, kind, given[kind]);

		if (column)
			append_comparison(&condition, relid, kind, column);
	}
	if (condition.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column to isolate tenants by", get_rel_name(relid)),
				 errhint("Name the column in user_column or organization_column.")));

	SPI_connect();
	protect_with_descendants(relid, NameStr(*PG_GETARG_NAME(3)), condition.data);
	SPI_finish();
	PG_RETURN_VOID();
}
