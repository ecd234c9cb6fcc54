/*-------------------------------------------------------------------------
 *
 * table.c
 *		Helpers for enum tables: a table whose primary key is "value text", and
 *		which other tables reference.
 *
 * The order of the values is that of the rows in the table (ctid), so a table
 * made by hand has one as well; a value that takes the place of another gets
 * its position by writing the rows again (see put_in_order).
 *
 * Renaming and dropping a value must not lose a concurrent writer's row, nor
 * make the writer fail for no reason.  All locks are held until the end of
 * the transaction and taken in this order:
 *
 * 1. the enum table, SHARE UPDATE EXCLUSIVE: there is one helper at a time, and
 *	  foreign keys neither come nor go, but writers go on;
 * 2. the referencing tables by oid, EXCLUSIVE (ACCESS EXCLUSIVE where a default
 *	  has to change): writers finish first, and new ones wait;
 * 3. what the actions of their foreign keys change, ROW EXCLUSIVE, as these
 *	  take it anyway: no trigger comes that they would fire;
 * 4. the row of the value.
 *
 * A writer locks the table it writes to before the enum table, as its foreign
 * key is checked later; so do we.  The schema of a table is locked before it
 * (see dbkit_lock_schema).  What concerns the referencing tables is in reference.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "common.h"
#include "enum/reference.h"
#include "enum/table.h"
#include "relation_name.h"
#include "sql.h"

/* With more values, it is not worth while to write all rows again. */
#define MAX_ORDERED_VALUES 1000

typedef struct EnumTable
{
	Target		target;
	AttrNumber	value;			/* column number of "value" */
} EnumTable;

/* Get a text argument that must not be null. */
static Datum
text_argument(FunctionCallInfo fcinfo, int n, const char *what)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
	return PointerGetDatum(PG_GETARG_TEXT_PP(n));
}

/* Find the column of a primary key that consists of "value text" alone. */
static AttrNumber
find_value_column(Relation rel)
{
	Oid			constraint;
	Bitmapset  *key;
	int			member;
	AttrNumber	attnum;
	Form_pg_attribute att;

	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return InvalidAttrNumber;
	key = get_primary_key_attnos(RelationGetRelid(rel), false, &constraint);
	if (!bms_get_singleton_member(key, &member))
		return InvalidAttrNumber;

	attnum = member + FirstLowInvalidHeapAttributeNumber;
	att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	if (strcmp(NameStr(att->attname), "value") != 0 || att->atttypid != TEXTOID)
		return InvalidAttrNumber;
	return attnum;
}

/*
 * Open the enum table that is the first argument: check its shape and the
 * user's rights on it, and lock it.
 */
static void
open_enum(EnumTable *table, FunctionCallInfo fcinfo, AclMode mode, LOCKMODE lockmode)
{
	Oid			relid;
	Relation	rel;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("enum must not be null")));
	memset(table, 0, sizeof(EnumTable));
	relid = PG_GETARG_OID(0);
	dbkit_check_rights(relid, InvalidAttrNumber, mode);

	dbkit_lock_table(relid, lockmode);
	table->target.relid = relid;
	table->target.name = dbkit_relation_name(relid);
	rel = relation_open(relid, NoLock);
	table->value = find_value_column(rel);
	relation_close(rel, NoLock);
	if (table->value == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("%s is not an enum table", table->target.name),
				 errhint("An enum table has the column \"value\" of type text as its primary key.")));
	dbkit_check_row_security(relid);
	table->target.guarded = lockmode == AccessShareLock ? dbkit_is_strangers(relid) :
		dbkit_reaches_strangers(list_make1_oid(relid), NoLock);
}

/* Lock the row of a value, and require that it is there. */
static void
lock_value(const EnumTable *table, Datum value)
{
	if (dbkit_run_on(&table->target, SPI_OK_SELECT,
					 psprintf("SELECT 1 FROM ONLY %s WHERE value OPERATOR(pg_catalog.=) $1 FOR UPDATE",
							  table->target.name), value, 0) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value \"%s\" is not in enum table %s",
						TextDatumGetCString(value), table->target.name)));
}

static void
delete_value(const EnumTable *table, Datum value)
{
	(void) dbkit_run_on(&table->target, SPI_OK_DELETE,
						psprintf("DELETE FROM ONLY %s WHERE value OPERATOR(pg_catalog.=) $1",
								 table->target.name), value, 0);
}

/* List the values as they lie in the table. */
static void
list_values(const EnumTable *table, Datum **values, int *count)
{
	dbkit_run_on(&table->target, SPI_OK_SELECT,
				 psprintf("SELECT value FROM ONLY %s ORDER BY ctid", table->target.name), 0, 0);
	*count = (int) SPI_processed;
	*values = palloc(Max(*count, 1) * sizeof(Datum));
	for (int i = 0; i < *count; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i],
										  SPI_tuptable->tupdesc, 1, &isnull);

		(*values)[i] = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
	}
	SPI_freetuptable(SPI_tuptable);
}

/* Is a relation an enum table by its name, all rows of which the caller may read? */
static bool
may_be_shown(Oid relid)
{
	char	   *name = get_rel_name(relid);

	return name != NULL && dbkit_ends_with(name, "_enum") &&
		dbkit_schema_aclcheck(get_rel_namespace(relid), GetUserId(), ACL_USAGE) == ACLCHECK_OK &&
		pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

/* Return the first values of a column as they lie in the table, and whether there are more. */
static List *
scan_values(Relation rel, AttrNumber attnum, int limit, bool *more)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan = table_beginscan_strat(rel, GetActiveSnapshot(), 0, NULL, true, false);
	List	   *values = NIL;

	while (!*more && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		value = slot_getattr(slot, attnum, &isnull);

		*more = list_length(values) == limit;
		if (!*more)
			values = lappend(values, TextDatumGetCString(value));
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return values;
}

/*
 * Return the first values of an enum table as char *, and whether there are more; none if it is no enum
 * table, or not for the caller to read.  No SQL is run on the table, so its owner's rights do not matter.
 */
List *
dbkit_enum_values_to_show(Oid relid, int limit, bool *more)
{
	Relation	rel = may_be_shown(relid) ? try_relation_open(relid, AccessShareLock) : NULL;
	List	   *values = NIL;
	AttrNumber	attnum;

	*more = false;
	if (rel == NULL)
		return NIL;
	attnum = find_value_column(rel);
	if (attnum != InvalidAttrNumber)
		values = scan_values(rel, attnum, limit, more);
	relation_close(rel, AccessShareLock);
	return values;
}

static bool
same_text(Datum a, Datum b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static bool
in_order(const EnumTable *table, const Datum *wanted, int count)
{
	Datum	   *values;
	int			n;

	list_values(table, &values, &n);
	if (n != count)
		return false;
	for (int i = 0; i < n; i++)
	{
		if (!same_text(values[i], wanted[i]))
			return false;
	}
	return true;
}

/*
 * Write the rows again in the wanted order, if they are not in it.  On a page,
 * each new row version takes the first free line pointer (PageAddItemExtended),
 * so those written one after the other lie one after the other.  A table of
 * several pages may need a second try, and may stay as it is.
 */
static void
put_in_order(const EnumTable *table, const Datum *wanted, int count)
{
	const char *update = psprintf("UPDATE ONLY %s SET value = value "
								  "WHERE value OPERATOR(pg_catalog.=) $1",
								  table->target.name);

	if (count > MAX_ORDERED_VALUES)
		return;
	for (int try = 0; try < 2 && !in_order(table, wanted, count); try++)
	{
		for (int i = 0; i < count; i++)
			dbkit_run_on(&table->target, SPI_OK_UPDATE, update, wanted[i], 0);
	}
}

/* Insert a copy of a value's row, with what stands beside it. */
static void
copy_value(const EnumTable *table, Datum old, Datum new)
{
	Relation	rel = try_table_open(table->target.relid, NoLock);
	TupleDesc	desc;
	StringInfoData columns;

	if (rel == NULL)
		dbkit_report_dropped(table->target.relid);
	desc = RelationGetDescr(rel);
	initStringInfo(&columns);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && !att->attgenerated && att->attnum != table->value)
			appendStringInfo(&columns, ", %s", quote_identifier(NameStr(att->attname)));
	}
	table_close(rel, NoLock);

	dbkit_run_on(&table->target, SPI_OK_INSERT,
				 psprintf("INSERT INTO %s (value%s) OVERRIDING SYSTEM VALUE "
						  "SELECT $2%s FROM ONLY %s WHERE value OPERATOR(pg_catalog.=) $1",
						  table->target.name, columns.data, columns.data, table->target.name),
				 old, new);
}

/* Give a name the ending "_enum", if it lacks it. */
char *
dbkit_enum_table_name(const char *base)
{
	const char *ending = "_enum";
	size_t		len = strlen(base);
	char	   *name;

	if (len > strlen(ending) && strcmp(base + len - strlen(ending), ending) == 0)
		name = pstrdup(base);
	else
		name = psprintf("%s%s", base, ending);
	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("the name of enum table \"%s\" is longer than %d bytes",
						name, NAMEDATALEN - 1)));
	return name;
}

/* Find the schema and the name of the table that create_enum() is to make. */
static char *
parse_enum_name(text *name, char **schema)
{
	char	   *base;

	DeconstructQualifiedName(textToQualifiedNameList(name), schema, &base);
	if (*schema == NULL)
		*schema = dbkit_schema_name(RangeVarGetCreationNamespace(makeRangeVar(NULL, base, -1)));
	return dbkit_enum_table_name(base);
}

/* Make an enum table with these values. */
Oid
dbkit_make_enum_table(const char *schema, const char *base, const Datum *values, int count)
{
	const char *name = quote_qualified_identifier(schema, base);
	const char *insert;

	dbkit_run_utility(psprintf("CREATE TABLE %s (value pg_catalog.text PRIMARY KEY)", name));
	insert = psprintf("INSERT INTO %s (value) VALUES ($1)", name);
	for (int i = 0; i < count; i++)
		dbkit_run_with_texts(SPI_OK_INSERT, insert, values[i], 0);
	return RangeVarGetRelid(makeRangeVar(pstrdup(schema), pstrdup(base), -1),
							NoLock, false);
}

/* Open the enum table, and list the columns that reference it. */
static List *
open_for_change(EnumTable *table, FunctionCallInfo fcinfo, AclMode mode)
{
	open_enum(table, fcinfo, mode, ShareUpdateExclusiveLock);
	return dbkit_list_references(&table->target, table->value, NoLock);
}

/*
 * create_enum(name text, enum_values text[]) returns regclass
 *
 * Make an enum table; the values must be distinct and not null.
 */
PG_FUNCTION_INFO_V1(dbkit_create_enum);
Datum
dbkit_create_enum(PG_FUNCTION_ARGS)
{
	text	   *name = DatumGetTextPP(text_argument(fcinfo, 0, "name"));
	char	   *schema;
	char	   *base = parse_enum_name(name, &schema);
	Datum	   *values;
	bool	   *nulls;
	int			count;
	Oid			relid;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("enum_values must not be null")));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a value of an enum must not be null")));
	}

	SPI_connect();
	relid = dbkit_make_enum_table(schema, base, values, count);
	SPI_finish();
	PG_RETURN_OID(relid);
}

/*
 * enum_values(enum regclass) returns setof text
 *
 * The values in the order in which they were added.
 */
PG_FUNCTION_INFO_V1(dbkit_enum_values);
Datum
dbkit_enum_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EnumTable	table;
	Datum	   *values;
	int			count;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	open_enum(&table, fcinfo, ACL_SELECT, AccessShareLock);
	SPI_connect();
	list_values(&table, &values, &count);
	for (int i = 0; i < count; i++)
	{
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &values[i], &isnull);
	}
	SPI_finish();
	return (Datum) 0;
}

/*
 * add_enum_value(enum regclass, value text) returns void
 *
 * Add a value behind the others.  Who may only INSERT may add one, but not
 * write the other rows again in the rare case that it lands before them.
 */
PG_FUNCTION_INFO_V1(dbkit_add_enum_value);
Datum
dbkit_add_enum_value(PG_FUNCTION_ARGS)
{
	EnumTable	table;
	Datum		value = text_argument(fcinfo, 1, "value");
	Datum	   *wanted;
	int			count;

	open_enum(&table, fcinfo, ACL_SELECT | ACL_INSERT, ShareUpdateExclusiveLock);
	SPI_connect();
	list_values(&table, &wanted, &count);
	dbkit_run_on(&table.target, SPI_OK_INSERT,
				 psprintf("INSERT INTO %s (value) VALUES ($1)", table.target.name), value, 0);
	if (pg_class_aclcheck(table.target.relid, GetUserId(), ACL_UPDATE) == ACLCHECK_OK)
	{
		wanted = repalloc(wanted, (count + 1) * sizeof(Datum));
		wanted[count] = value;
		put_in_order(&table, wanted, count + 1);
	}
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * rename_enum_value(enum regclass, old text, new text) returns bigint
 *
 * Rename a value and let all rows and defaults that use it follow; returns the
 * number of referencing rows.  It keeps its place in the order.
 */
PG_FUNCTION_INFO_V1(dbkit_rename_enum_value);
Datum
dbkit_rename_enum_value(PG_FUNCTION_ARGS)
{
	EnumTable	table;
	Datum		old = text_argument(fcinfo, 1, "old");
	Datum		new = text_argument(fcinfo, 2, "new");
	List	   *references;
	Datum	   *wanted;
	int			count;
	uint64		rows;

	references = open_for_change(&table, fcinfo,
								 ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE);
	dbkit_check_writable(references, old);
	dbkit_lock_references(&table.target, references, old);

	SPI_connect();
	lock_value(&table, old);
	list_values(&table, &wanted, &count);
	copy_value(&table, old, new);
	rows = dbkit_replace_references(references, old, new);
	delete_value(&table, old);
	for (int i = 0; i < count; i++)
	{
		if (same_text(wanted[i], old))
			wanted[i] = new;
	}
	put_in_order(&table, wanted, count);
	SPI_finish();
	PG_RETURN_INT64(rows);
}

/*
 * drop_enum_value(enum regclass, value text, replace_with text) returns bigint
 *
 * Drop a value, after giving the rows and defaults that use it another one;
 * without replace_with, it must not be in use.  Returns the number of rows.
 */
PG_FUNCTION_INFO_V1(dbkit_drop_enum_value);
Datum
dbkit_drop_enum_value(PG_FUNCTION_ARGS)
{
	EnumTable	table;
	Datum		value = text_argument(fcinfo, 1, "value");
	Datum		replacement = PG_ARGISNULL(2) ? 0 : text_argument(fcinfo, 2, "");
	List	   *references;
	uint64		rows = 0;

	if (replacement && same_text(value, replacement))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value \"%s\" cannot replace itself",
						TextDatumGetCString(value))));
	/* Locking a row needs the right to update the table. */
	references = open_for_change(&table, fcinfo,
								 ACL_SELECT | ACL_UPDATE | ACL_DELETE);
	if (replacement)
		dbkit_check_writable(references, value);
	dbkit_lock_references(&table.target, references, value);

	SPI_connect();
	lock_value(&table, value);
	if (replacement)
	{
		lock_value(&table, replacement);
		rows = dbkit_replace_references(references, value, replacement);
	}
	else
		dbkit_refuse_if_used(&table.target, references, value);
	delete_value(&table, value);
	SPI_finish();
	PG_RETURN_INT64(rows);
}

/*
 * enum_usage(enum regclass) returns table (relation regclass, column_name name,
 * value text, uses bigint)
 *
 * How many rows of each referencing column have each value that they use.
 */
PG_FUNCTION_INFO_V1(dbkit_enum_usage);
Datum
dbkit_enum_usage(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EnumTable	table;
	List	   *references;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	open_enum(&table, fcinfo, ACL_SELECT, AccessShareLock);
	references = dbkit_list_references(&table.target, table.value, AccessShareLock);
	SPI_connect();
	foreach(cell, references)
		dbkit_put_uses(rsinfo, lfirst(cell));
	SPI_finish();
	return (Datum) 0;
}
