/*-------------------------------------------------------------------------
 *
 * tenant_columns.c
 *		The columns by which a table tells tenants apart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "cluster.h"
#include "common.h"
#include "context/tenant_columns.h"
#include "convention/agreement.h"
#include "convention/listed_names.h"
#include "convention/own_objects.h"

/* How a table refers to each half of a context */
static const struct
{
	size_t		columns;		/* what tables call it: a list of the
								 * agreement */
	const char *name;
	const char *function;
	bool		(*is_its_table) (const Catalogs *catalogs, Oid relid);	/* whose "id" it is */
}			kinds[TENANT_KINDS] =

{
	[TENANT_ORGANIZATION] = {offsetof(Agreement, organization_columns), "organization",
	"dbkit.organization_id()", dbkit_is_organization_table},
	[TENANT_USER] = {offsetof(Agreement, user_columns), "user",
	"dbkit.user_id()", dbkit_is_user_table},
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

/* Is the argument the name of a column? */
bool
dbkit_is_named_column(const char *column)
{
	return column != NULL && column[0] != '\0';
}

/* Is the column the table's own id, rather than a reference? */
bool
dbkit_is_own_id(Oid relid, TenantKind kind, const char *column)
{
	return strcmp(column, "id") == 0 && kinds[kind].is_its_table(&dbkit_now, relid);
}

/* Find the column of one kind; NULL if the relation has none. */
static const char *
find_column(Oid relid, TenantKind kind)
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
 * Decide on the column of access "tenant".  Those that are named are used and no other; if none
 * is, the first that is found: the rows of an organization are those of all its
 * users.  A column whose name is empty is not looked for.
 */
void
dbkit_choose_tenant_column(Oid relid, const char *columns[])
{
	bool		chosen = dbkit_is_named_column(columns[TENANT_ORGANIZATION]) || dbkit_is_named_column(columns[TENANT_USER]);

	for (int kind = 0; kind < TENANT_KINDS; kind++)
	{
		if (dbkit_is_named_column(columns[kind]))
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

/* Decide on the columns of access "member", which needs both. */
void
dbkit_choose_member_columns(Oid relid, const char *columns[])
{
	for (int kind = 0; kind < TENANT_KINDS; kind++)
	{
		if (columns[kind] == NULL)
			columns[kind] = find_column(relid, kind);
		if (!dbkit_is_named_column(columns[kind]))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("table \"%s\" has no %s column", get_rel_name(relid), kinds[kind].name),
					 errdetail("With access \"member\" the organization reads a row, and its user writes it."),
					 errhint("Name the column in %s_column, or use access \"tenant\".", kinds[kind].name)));
	}
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
 * Write a function of the context as a value of a type.  The functions give text, which compares as
 * it is with string types.
 */
static char *
write_value(TenantKind kind, Oid type)
{
	bool		is_text;

	(void) isolates(type, &is_text);
	return is_text ? pstrdup(kinds[kind].function) :
		psprintf("%s::%s", kinds[kind].function, format_type_be(getBaseType(type)));
}

/*
 * Write the condition by which a column of that name and type tells tenants apart, as people
 * write it; NULL where its values cannot.  The cast to another type than text is done once per query,
 * except in a cluster, whose tables' policies have no subquery.
 */
char *
dbkit_tenant_condition(TenantKind kind, const char *column, Oid type)
{
	/*
	 * For these somebody can plant an operator that fits better than
	 * PostgreSQL's
	 */
	bool		qualified = type == VARCHAROID || type != getBaseType(type);
	bool		is_text;

	if (!isolates(type, &is_text))
		return NULL;
	return psprintf(is_text || dbkit_cluster_is_at_work() ? "%s %s %s" : "%s %s (SELECT %s)", quote_identifier(column),
					qualified ? "OPERATOR(pg_catalog.=)" : "=", write_value(kind, type));
}

/* Write it for a column that is there, and can isolate tenants. */
char *
dbkit_compare_tenant_column(Oid relid, TenantKind kind, const char *column)
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
	return dbkit_tenant_condition(kind, column, type);
}

/*
 * Write the default by which a column belongs to who has entered; NULL where it has one, of its own or
 * of its type, or is the table's own id; or where the table is distributed by it, as it cannot be altered then.
 */
char *
dbkit_tenant_default(Oid relid, TenantKind kind, const char *column)
{
	Relation	table = relation_open(relid, NoLock);
	AttrNumber	attnum = get_attnum(relid, column);
	const FormData_pg_attribute *attribute = TupleDescAttr(RelationGetDescr(table), attnum - 1);
	char	   *result = NULL;

	if (!attribute->atthasdef && attribute->attidentity == '\0' && attnum != dbkit_distribution_column(relid) && get_typdefault(attribute->atttypid) == NULL &&
		!dbkit_is_own_id(relid, kind, column))
		result = write_value(kind, attribute->atttypid);
	relation_close(table, NoLock);
	return result;
}

/* Is an expression a cast that calls a function?  What SQL has words for, such as trim() or SYSTEM_USER, is a call. */
static bool
is_cast(const Node *expr)
{
	const FuncExpr *call = (const FuncExpr *) expr;

	return IsA(expr, FuncExpr) && call->args != NIL &&
		(call->funcformat == COERCE_EXPLICIT_CAST || call->funcformat == COERCE_IMPLICIT_CAST);
}

/* Is an expression a function of the context, as it is or cast? */
static bool
is_context_value(const Node *expr)
{
	for (;;)
	{
		if (expr == NULL)
			return false;
		if (IsA(expr, RelabelType))
			expr = (const Node *) ((const RelabelType *) expr)->arg;
		else if (IsA(expr, CoerceViaIO))
			expr = (const Node *) ((const CoerceViaIO *) expr)->arg;
		else if (IsA(expr, CoerceToDomain))
			expr = (const Node *) ((const CoerceToDomain *) expr)->arg;
		else if (is_cast(expr))
			expr = linitial(((const FuncExpr *) expr)->args);
		else
			break;
	}
	return IsA(expr, FuncExpr) &&
		(dbkit_is_function(((const FuncExpr *) expr)->funcid, "organization_id") ||
		 dbkit_is_function(((const FuncExpr *) expr)->funcid, "user_id"));
}

/* List the columns of a table whose default is a function of the context, and can be altered. */
List *
dbkit_tenant_defaults(Oid relid)
{
	Relation	table = relation_open(relid, NoLock);
	TupleDesc	columns = RelationGetDescr(table);
	AttrNumber	distribution = dbkit_distribution_column(relid);
	List	   *result = NIL;

	for (int i = 0; i < columns->natts; i++)
	{
		const FormData_pg_attribute *attribute = TupleDescAttr(columns, i);

		if (attribute->atthasdef && attribute->attgenerated == '\0' && attribute->attnum != distribution && is_context_value(build_column_default(table, i + 1)))
			result = lappend(result, pstrdup(NameStr(attribute->attname)));
	}
	relation_close(table, NoLock);
	return result;
}
