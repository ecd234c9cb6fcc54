/*-------------------------------------------------------------------------
 *
 * reference.c
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
#include "catalog/pg_type.h"
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
#include "enum/reference.h"
#include "relation_name.h"

/* Give the quoted name of a column. */
static char *
column_name(Oid relid, AttrNumber attnum)
{
	char	   *name = get_attname(relid, attnum, true);

	if (name == NULL)
		dbkit_report_dropped(relid);
	return pstrdup(quote_identifier(name));
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
	char	   *schema_name = get_namespace_name(schema);
	char	   *name = get_rel_name(relid);

	if (schema_name == NULL || name == NULL)
		dbkit_report_dropped(relid);
	if (dbkit_schema_aclcheck(schema, user, ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, schema_name);
	for (AclMode right = 1; right <= mode; right <<= 1)
	{
		if (!(mode & right) ||
			pg_class_aclcheck(relid, user, right) == ACLCHECK_OK ||
			(attnum != InvalidAttrNumber &&
			 pg_attribute_aclcheck(relid, attnum, user, right) == ACLCHECK_OK))
			continue;
		if (attnum == InvalidAttrNumber)
			aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, name);
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for column %s of table %s",
						column_name(relid, attnum), dbkit_relation_name(relid)),
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

	if (x->target.relid != y->target.relid)
		return x->target.relid < y->target.relid ? -1 : 1;
	return x->attnum - y->attnum;
}

static Reference *
find_reference(List *references, Oid relid, AttrNumber attnum)
{
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);

		if (ref->target.relid == relid && ref->attnum == attnum)
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
		ref->target.relid = con->conrelid;
		ref->target.children = get_rel_relkind(con->conrelid) == RELKIND_PARTITIONED_TABLE;
		ref->attnum = attnum;
		references = lappend(references, ref);
	}
	ref->acts_on_delete |= con->confdeltype == FKCONSTR_ACTION_CASCADE ||
		con->confdeltype == FKCONSTR_ACTION_SETNULL ||
		con->confdeltype == FKCONSTR_ACTION_SETDEFAULT;
	return references;
}

/* List the columns that reference the values, by the oid of their tables. */
static List *
collect_references(Oid enum_table, AttrNumber value)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	List	   *references = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	/* No index on confrelid, as in heap_truncate_find_FKs(). */
	ScanKeyInit(&key, Anum_pg_constraint_confrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(enum_table));
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		references = add_reference(references, tuple, value);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);

	list_sort(references, compare_references);
	return references;
}

/*
 * Look up the names of a reference: after dbkit_lock_table(), they stay.  Where an enum
 * table references itself, the row of the value is no use of it.
 */
static void
name_reference(Reference *ref, Oid enum_table)
{
	ref->target.name = dbkit_relation_name(ref->target.relid);
	ref->attname = column_name(ref->target.relid, ref->attnum);
	ref->condition = psprintf("%s OPERATOR(pg_catalog.=) $1%s", ref->attname,
							  ref->target.relid == enum_table ?
							  " AND value OPERATOR(pg_catalog.<>) $1" : "");
}

/* Guard all statements if one of them can reach a stranger's table. */
static void
guard_references(Target *enum_table, List *references, LOCKMODE lockmode)
{
	List	   *relids = list_make1_oid(enum_table->relid);
	ListCell   *cell;

	foreach(cell, references)
		relids = lappend_oid(relids, ((Reference *) lfirst(cell))->target.relid);
	enum_table->guarded = dbkit_reaches_strangers(relids, lockmode);
	foreach(cell, references)
		((Reference *) lfirst(cell))->target.guarded = enum_table->guarded;
}

/*
 * List the references that the user may read in full.  Their tables are locked in this
 * mode; without one, the caller locks them later.
 */
List *
dbkit_list_references(Target *enum_table, AttrNumber value, LOCKMODE lockmode)
{
	List	   *references = collect_references(enum_table->relid, value);
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);

		dbkit_check_rights(ref->target.relid, ref->attnum, ACL_SELECT);
		dbkit_check_row_security(ref->target.relid);
		if (lockmode != NoLock)
			dbkit_lock_table(ref->target.relid, lockmode);
		name_reference(ref, enum_table->relid);
	}
	guard_references(enum_table, references, NoLock);
	return references;
}

/*
 * Look through the casts that a constant default may be wrapped in.  It is not
 * evaluated, which would run the functions of whoever wrote it.
 */
static Node *
strip_all_casts(Node *node)
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

/* Give the text of a constant; a user's type would make it by its own functions. */
static char *
constant_text(const Node *node)
{
	const Const *constant = (const Const *) node;

	if (node == NULL || !IsA(node, Const) || constant->constisnull)
		return NULL;
	if (constant->consttype == NAMEOID)
		return pstrdup(NameStr(*DatumGetName(constant->constvalue)));
	return constant->consttype == TEXTOID || constant->consttype == VARCHAROID ||
		constant->consttype == BPCHAROID ? TextDatumGetCString(constant->constvalue) : NULL;
}

/* Say whether the default of a column is this very value. */
static bool
default_is(Oid relid, AttrNumber attnum, Datum value)
{
	Relation	rel = try_table_open(relid, AccessShareLock);
	char	   *constant;

	if (rel == NULL)
		dbkit_report_dropped(relid);
	constant = constant_text(strip_all_casts(build_column_default(rel, attnum)));
	table_close(rel, AccessShareLock);
	return constant && strcmp(constant, TextDatumGetCString(value)) == 0;
}

/* List the tables, a partitioned one's partitions included, with that default. */
static List *
tables_with_default(const Reference *ref, Datum value)
{
	const char *attname = get_attname(ref->target.relid, ref->attnum, true);
	List	   *tables = ref->target.children ?
	find_all_inheritors(ref->target.relid, AccessShareLock, NULL) :
	list_make1_oid(ref->target.relid);
	List	   *found = NIL;
	ListCell   *cell;

	if (attname == NULL)
		dbkit_report_dropped(ref->target.relid);
	foreach(cell, tables)
	{
		Oid			relid = lfirst_oid(cell);

		AttrNumber	attnum = get_attnum(relid, attname);

		if (attnum != InvalidAttrNumber && default_is(relid, attnum, value))
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

		dbkit_check_rights(ref->target.relid, ref->attnum, ACL_UPDATE);
		check_default_rights(ref, old);
	}
}

/* Keep writers away from the referencing tables, as table.c says. */
void
dbkit_lock_references(Target *enum_table, List *references, Datum old)
{
	ListCell   *cell;

	foreach(cell, references)
	{
		Reference  *ref = lfirst(cell);
		LOCKMODE	mode = tables_with_default(ref, old) ?
		AccessExclusiveLock : ExclusiveLock;

		dbkit_lock_table(ref->target.relid, mode);
		if (ref->target.children)
			(void) find_all_inheritors(ref->target.relid, mode, NULL);
		name_reference(ref, enum_table->relid);
	}

	/*
	 * While we waited for a lock, a stranger may have put a foreign key on
	 * one of them
	 */
	guard_references(enum_table, references, RowExclusiveLock);
}

/* Do an ordinary foreign key and UPDATE concern a table itself alone? */
static const char *
only(const Reference *ref)
{
	return ref->target.children ? "" : "ONLY ";
}

/* Let the defaults of a column follow the value. */
static void
replace_defaults(const Reference *ref, Datum old, Datum new)
{
	char	   *literal = quote_literal_cstr(TextDatumGetCString(new));
	ListCell   *cell;

	foreach(cell, tables_with_default(ref, old))
	{
		Target		target = {.relid = lfirst_oid(cell),.guarded = ref->target.guarded};

		dbkit_lock_table(target.relid, AccessShareLock);
		target.name = dbkit_relation_name(target.relid);
		dbkit_run_on(&target, SPI_OK_UTILITY,
					 psprintf("ALTER TABLE ONLY %s ALTER COLUMN %s SET DEFAULT %s",
							  target.name, ref->attname, literal), 0, 0);
	}
}

/*
 * Require that an UPDATE left nothing behind: a trigger may have skipped a row,
 * which the foreign key's action would now delete or empty.
 */
static void
check_replaced(const Reference *ref, Datum old)
{
	if (dbkit_run_on(&ref->target, SPI_OK_SELECT,
					 psprintf("SELECT 1 FROM %s%s WHERE %s LIMIT 1",
							  only(ref), ref->target.name, ref->condition), old, 0) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("rows of table %s still have the value \"%s\"",
						ref->target.name, TextDatumGetCString(old)),
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

		rows += dbkit_run_on(&ref->target, SPI_OK_UPDATE,
							 psprintf("UPDATE %s%s SET %s = $2 WHERE %s", only(ref),
									  ref->target.name, ref->attname, ref->condition),
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

		dbkit_run_on(&ref->target, SPI_OK_SELECT,
					 psprintf("SELECT pg_catalog.count(*) FROM %s%s WHERE %s",
							  only(ref), ref->target.name, ref->condition), value, 0);
		rows = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
		if (strcmp(rows, "0") != 0)
			appendStringInfo(&uses, "%sColumn %s of table %s has it in %s %s.",
							 uses.len > 0 ? "\n" : "", ref->attname, ref->target.name,
							 rows, strcmp(rows, "1") == 0 ? "row" : "rows");
		if (tables_with_default(ref, value))
			appendStringInfo(&uses, "%sColumn %s of table %s has it as its default.",
							 uses.len > 0 ? "\n" : "", ref->attname, ref->target.name);
	}
	return uses.data;
}

void
dbkit_refuse_if_used(const Target *enum_table, List *references, Datum value)
{
	char	   *uses = describe_uses(references, value);

	if (*uses)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("value \"%s\" of enum table %s is still in use",
						TextDatumGetCString(value), enum_table->name),
				 errdetail("%s", uses),
				 errhint("Name another value as replace_with.")));
}

/* Add the uses of the values in one column, whose table is locked, to enum_usage(). */
void
dbkit_put_uses(ReturnSetInfo *rsinfo, const Reference *ref)
{
	NameData	attname;

	namestrcpy(&attname, get_attname(ref->target.relid, ref->attnum, false));
	dbkit_run_on(&ref->target, SPI_OK_SELECT,
				 psprintf("SELECT %s::pg_catalog.text, pg_catalog.count(*) FROM %s%s "
						  "WHERE %s IS NOT NULL GROUP BY 1 ORDER BY 1",
						  ref->attname, only(ref), ref->target.name, ref->attname), 0, 0);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		Datum		values[4];
		bool		nulls[4] = {false};

		values[0] = ObjectIdGetDatum(ref->target.relid);
		values[1] = NameGetDatum(&attname);
		values[2] = SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &nulls[2]);
		values[3] = SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &nulls[3]);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	SPI_freetuptable(SPI_tuptable);
}
