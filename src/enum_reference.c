/*-------------------------------------------------------------------------
 *
 * enum_reference.c
 *		The columns that reference an enum table: who may change them, how to
 *		keep writers away, and how to make them follow a value.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "common.h"
#include "enum_table.h"

/* Give the qualified and quoted name of a relation. */
char *
dbkit_relation_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)),
									  get_rel_name(relid));
}

/* Require that the user's policies do not hide rows that we must see. */
void
dbkit_check_row_security(Oid relid)
{
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("row level security may hide rows of table %s from you",
						dbkit_relation_name(relid)),
				 errdetail("All rows that use the enum must be seen."),
				 errhint("Do it as a role with BYPASSRLS, or as the table's owner where security is not forced.")));
}

/* Require rights on a schema and a table, or on one of its columns. */
void
dbkit_check_rights(Oid relid, AttrNumber attnum, AclMode mode)
{
	Oid			user = GetUserId();
	Oid			schema = get_rel_namespace(relid);

	if (dbkit_schema_aclcheck(schema, user, ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, get_namespace_name(schema));
	for (AclMode right = 1; right <= mode; right <<= 1)
	{
		if (!(mode & right) ||
			pg_class_aclcheck(relid, user, right) == ACLCHECK_OK ||
			(attnum != InvalidAttrNumber &&
			 pg_attribute_aclcheck(relid, attnum, user, right) == ACLCHECK_OK))
			continue;
		if (attnum == InvalidAttrNumber)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for column %s of table %s",
						quote_identifier(get_attname(relid, attnum, false)),
						dbkit_relation_name(relid)),
				 errdetail("The column references the enum, and you lack %s on it.",
						   right == ACL_UPDATE ? "UPDATE" : "SELECT")));
	}
}

/* Give the column that a foreign key ties to the values, or none. */
static AttrNumber
referencing_column(HeapTuple constraint, AttrNumber value)
{
	int			n;
	AttrNumber	conkey[INDEX_MAX_KEYS];
	AttrNumber	confkey[INDEX_MAX_KEYS];

	DeconstructFkConstraintRow(constraint, &n, conkey, confkey,
							   NULL, NULL, NULL, NULL, NULL);
	for (int i = 0; i < n; i++)
	{
		if (confkey[i] == value)
			return conkey[i];
	}
	return InvalidAttrNumber;
}

static int
compare_references(const ListCell *a, const ListCell *b)
{
	const Reference *x = lfirst(a);
	const Reference *y = lfirst(b);

	if (x->relid != y->relid)
		return x->relid < y->relid ? -1 : 1;
	return x->attnum - y->attnum;
}

static Reference *
find_reference(List *references, Oid relid, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);

		if (ref->relid == relid && ref->attnum == attnum)
			return ref;
	}
	return NULL;
}

/* Add a foreign key to the list; several on one column are one reference. */
static List *
add_reference(List *references, HeapTuple tuple, AttrNumber value)
{
	Form_pg_constraint con = (Form_pg_constraint) GETSTRUCT(tuple);
	AttrNumber	attnum;
	Reference  *ref;

	/* A partition's key is part of the one on its root. */
	if (con->contype != CONSTRAINT_FOREIGN || OidIsValid(con->conparentid))
		return references;
	attnum = referencing_column(tuple, value);
	if (attnum == InvalidAttrNumber)
		return references;

	ref = find_reference(references, con->conrelid, attnum);
	if (ref == NULL)
	{
		ref = palloc0(sizeof(Reference));
		ref->relid = con->conrelid;
		ref->attnum = attnum;
		ref->partitioned = get_rel_relkind(ref->relid) == RELKIND_PARTITIONED_TABLE;
		references = lappend(references, ref);
	}
	ref->acts_on_delete |= con->confdeltype == FKCONSTR_ACTION_CASCADE ||
		con->confdeltype == FKCONSTR_ACTION_SETNULL ||
		con->confdeltype == FKCONSTR_ACTION_SETDEFAULT;
	return references;
}

/* List the columns that reference the values, by the oid of their tables. */
static List *
collect_references(const EnumTable *table)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	List	   *references = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	/* No index on confrelid, as in heap_truncate_find_FKs(). */
	ScanKeyInit(&key, Anum_pg_constraint_confrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(table->relid));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		references = add_reference(references, tuple, table->value);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	list_sort(references, compare_references);
	return references;
}

/*
 * Look up the names of a reference: after locking, they stay.  Where an enum
 * table references itself, the row of the value is no use of it.
 */
static void
name_reference(Reference *ref, const EnumTable *table)
{
	ref->relname = dbkit_relation_name(ref->relid);
	ref->attname = pstrdup(quote_identifier(get_attname(ref->relid, ref->attnum, false)));
	ref->condition = psprintf("%s OPERATOR(pg_catalog.=) $1%s", ref->attname,
							  ref->relid == table->relid ?
							  " AND value OPERATOR(pg_catalog.<>) $1" : "");
}

/* List the references that the user may read in full. */
List *
dbkit_list_references(const EnumTable *table)
{
	List	   *references = collect_references(table);
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);

		dbkit_check_rights(ref->relid, ref->attnum, ACL_SELECT);
		dbkit_check_row_security(ref->relid);
		name_reference(ref, table);
	}
	return references;
}

/*
 * Look through the casts that a constant default may be wrapped in.  It is not
 * evaluated, which would run the functions of whoever wrote it.
 */
static Node *
strip_casts(Node *node)
{
	while (node)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, CoerceToDomain))
			node = (Node *) ((CoerceToDomain *) node)->arg;
		else if (IsA(node, FuncExpr) &&
				 ((FuncExpr *) node)->funcformat != COERCE_EXPLICIT_CALL &&
				 ((FuncExpr *) node)->args != NIL)
			node = linitial(((FuncExpr *) node)->args);
		else
			break;
	}
	return node;
}

/* Say whether the default of a column is this very value. */
static bool
default_is(Oid relid, AttrNumber attnum, Datum value)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Node	   *expr = strip_casts(build_column_default(rel, attnum));
	bool		result = false;

	table_close(rel, AccessShareLock);
	if (expr && IsA(expr, Const) && !((Const *) expr)->constisnull)
	{
		Const	   *constant = (Const *) expr;
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(constant->consttype, &output, &is_varlena);
		result = strcmp(OidOutputFunctionCall(output, constant->constvalue),
						TextDatumGetCString(value)) == 0;
	}
	return result;
}

/* List the tables, a partitioned one's partitions included, with that default. */
static List *
tables_with_default(const Reference *ref, Datum value)
{
	const char *attname = get_attname(ref->relid, ref->attnum, false);
	List	   *tables = ref->partitioned ?
		find_all_inheritors(ref->relid, AccessShareLock, NULL) :
		list_make1_oid(ref->relid);
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, tables)
	{
		Oid			relid = lfirst_oid(cell);

		if (default_is(relid, get_attnum(relid, attname), value))
			found = lappend_oid(found, relid);
	}
	return found;
}

/* Only a table's owner may change a default. */
static void
check_default_rights(const Reference *ref, Datum value)
{
	ListCell   *cell;

	foreach(cell, tables_with_default(ref, value))
	{
		if (!dbkit_owns_table(lfirst_oid(cell), GetUserId()))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("must be owner of table %s", dbkit_relation_name(lfirst_oid(cell))),
					 errdetail("The value is the default of column %s, which has to change.",
							   ref->attname)));
	}
}

/*
 * Check that the user may rewrite the references to a value, before anything
 * is locked or changed.
 */
void
dbkit_check_writable(List *references, Datum old)
{
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);

		dbkit_check_rights(ref->relid, ref->attnum, ACL_UPDATE);
		check_default_rights(ref, old);
	}
}

/* Keep writers away from the referencing tables, as the file's head says. */
void
dbkit_lock_references(const EnumTable *table, List *references, Datum old)
{
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);
		LOCKMODE	mode = tables_with_default(ref, old) ?
			AccessExclusiveLock : ExclusiveLock;

		LockRelationOid(ref->relid, mode);
		if (ref->partitioned)
			(void) find_all_inheritors(ref->relid, mode, NULL);
		name_reference(ref, table);
	}
}

/* Do an ordinary foreign key and UPDATE concern a table itself alone? */
static const char *
only(const Reference *ref)
{
	return ref->partitioned ? "" : "ONLY ";
}

/* Let the defaults of a column follow the value. */
static void
replace_defaults(const Reference *ref, Datum old, Datum new)
{
	char	   *literal = quote_literal_cstr(TextDatumGetCString(new));
	ListCell   *cell;

	foreach(cell, tables_with_default(ref, old))
		dbkit_run_utility(psprintf("ALTER TABLE ONLY %s ALTER COLUMN %s SET DEFAULT %s",
								   dbkit_relation_name(lfirst_oid(cell)), ref->attname, literal));
}

/*
 * Require that an UPDATE left nothing behind: a trigger may have skipped a row,
 * which the foreign key's action would now delete or empty.
 */
static void
check_replaced(const Reference *ref, Datum old)
{
	if (dbkit_run(SPI_OK_SELECT,
				  psprintf("SELECT 1 FROM %s%s WHERE %s LIMIT 1",
						   only(ref), ref->relname, ref->condition), old, 0) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows of table %s still have the value \"%s\"",
						ref->relname, TextDatumGetCString(old)),
				 errdetail("A trigger or rule kept them from changing.")));
}

/* Let all references follow the value; returns the number of rows. */
uint64
dbkit_replace_references(List *references, Datum old, Datum new)
{
	uint64		rows = 0;
	ListCell   *cell;

	/* First, as an UPDATE may leave events that ALTER TABLE refuses. */
	foreach(cell, references)
		replace_defaults(lfirst(cell), old, new);

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);

		rows += dbkit_run(SPI_OK_UPDATE,
						  psprintf("UPDATE %s%s SET %s = $2 WHERE %s",
								   only(ref), ref->relname, ref->attname, ref->condition),
						  old, new);
		if (ref->acts_on_delete)
			check_replaced(ref, old);
	}
	return rows;
}

/* List where a value is used, a line each, in error messages. */
static char *
describe_uses(List *references, Datum value)
{
	StringInfoData uses;
	ListCell   *cell;

	initStringInfo(&uses);
	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);
		char	   *rows;

		dbkit_run(SPI_OK_SELECT,
				  psprintf("SELECT pg_catalog.count(*) FROM %s%s WHERE %s",
						   only(ref), ref->relname, ref->condition), value, 0);
		rows = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		if (strcmp(rows, "0") != 0)
			appendStringInfo(&uses, "%sColumn %s of table %s has it in %s %s.",
							 uses.len > 0 ? "\n" : "", ref->attname, ref->relname,
							 rows, strcmp(rows, "1") == 0 ? "row" : "rows");
		if (tables_with_default(ref, value))
			appendStringInfo(&uses, "%sColumn %s of table %s has it as its default.",
							 uses.len > 0 ? "\n" : "", ref->attname, ref->relname);
	}
	return uses.data;
}

void
dbkit_refuse_if_used(const EnumTable *table, List *references, Datum value)
{
	char	   *uses = describe_uses(references, value);

	if (*uses)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("value \"%s\" of enum table %s is still in use",
						TextDatumGetCString(value), table->name),
				 errdetail("%s", uses),
				 errhint("Name another value as replace_with.")));
}

/* Add the uses of the values in one column to enum_usage(). */
void
dbkit_put_uses(ReturnSetInfo *rsinfo, const Reference *ref)
{
	NameData	attname;

	namestrcpy(&attname, get_attname(ref->relid, ref->attnum, false));
	dbkit_run(SPI_OK_SELECT,
			  psprintf("SELECT %s::pg_catalog.text, pg_catalog.count(*) FROM %s%s "
					   "WHERE %s IS NOT NULL GROUP BY 1 ORDER BY 1",
					   ref->attname, only(ref), ref->relname, ref->attname), 0, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = ObjectIdGetDatum(ref->relid);
		values[1] = NameGetDatum(&attname);
		values[2] = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &nulls[2]);
		values[3] = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &nulls[3]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_freetuptable(SPI_tuptable);
}
