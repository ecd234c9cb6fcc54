/*-------------------------------------------------------------------------
 *
 * from_type.c
 *		Turn a native enum type and all columns of it into an enum table.
 *
 * The catalogs give the list of statements that do it, which then run one
 * after the other, with the rights of the user; where strangers own tables,
 * with those of each table's owner (see owner.c).  Defaults go before the type
 * NOT NULL, comments, privileges and indexes.  What it cannot carry over is
 * refused with a list of names, before anything changes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
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
#include "enum/owner.h"
#include "enum/table.h"
#include "relation_name.h"
#include "sql.h"

/* The columns that change: those of ordinary and partitioned tables */
#define COLUMNS \
	"SELECT a.attrelid, a.attnum, a.attname, a.attinhcount, c.relispartition, c.relowner," \
	" pg_catalog.format('%I.%I', n.nspname, c.relname) AS relname," \
	" d.oid AS defoid," \
	" pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS defexpr" \
	" FROM pg_catalog.pg_attribute a" \
	" JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) a.attrelid" \
	" JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace" \
	" LEFT JOIN pg_catalog.pg_attrdef d" \
	"  ON d.adrelid OPERATOR(pg_catalog.=) a.attrelid" \
	"  AND d.adnum OPERATOR(pg_catalog.=) a.attnum" \
	"  AND a.attgenerated OPERATOR(pg_catalog.=) ''" \
	" WHERE a.atttypid OPERATOR(pg_catalog.=) t.oid" \
	" AND NOT a.attisdropped" \
	" AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[])" \
	" AND c.relpersistence OPERATOR(pg_catalog.<>) 't'"

/*
 * The values, and how they look in the expression of a default (with
 * standard_conforming_strings, as simple_quote_literal() in ruleutils.c does)
 */
#define DEFAULTS \
	"SELECT e.enumlabel::pg_catalog.text AS label," \
	" pg_catalog.format($$'%s'::$$, pg_catalog.replace(e.enumlabel, $$'$$, $$''$$))" \
	"  OPERATOR(pg_catalog.||) pg_catalog.format_type(t.oid, NULL) AS expr" \
	" FROM pg_catalog.pg_enum e" \
	" WHERE e.enumtypid OPERATOR(pg_catalog.=) t.oid" \
	" UNION ALL SELECT NULL, 'NULL::'" \
	"  OPERATOR(pg_catalog.||) pg_catalog.format_type(t.oid, NULL)"

/* $1 is the type's oid as text, $2 the enum table's qualified name. */
#define TYPE \
	"(SELECT oid, typarray, typname, typnamespace, typowner FROM pg_catalog.pg_type" \
	" WHERE oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid) AS t"

/*
 * What depends on the type, its array type or one of the columns, apart from
 * what is carried over: columns, constant defaults, indexes and constraints
 * without an expression of the type.
 */
static const char *const obstacles_query =
"WITH cols AS (SELECT col.* FROM " TYPE ", LATERAL (" COLUMNS ") AS col),"
" kept AS ("
"  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS classid,"
"   attrelid AS objid, attnum::pg_catalog.int4 AS objsubid FROM cols"
"  UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass, cols.defoid, 0"
"  FROM " TYPE ", cols, LATERAL (" DEFAULTS ") AS def WHERE def.expr OPERATOR(pg_catalog.=) cols.defexpr"
"  UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.typarray, 0 FROM " TYPE "),"
" obstacles AS ("
"  SELECT d.classid, d.objid, d.objsubid FROM " TYPE ", pg_catalog.pg_depend d"
"  WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass"
"  AND d.refobjid OPERATOR(pg_catalog.=) ANY (ARRAY[t.oid, t.typarray])"
"  UNION SELECT d.classid, d.objid, d.objsubid FROM cols"
"  JOIN pg_catalog.pg_depend d ON d.refobjid OPERATOR(pg_catalog.=) cols.attrelid"
"   AND d.refobjsubid OPERATOR(pg_catalog.=) cols.attnum"
"  LEFT JOIN pg_catalog.pg_constraint c ON c.oid OPERATOR(pg_catalog.=) d.objid"
"   AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_constraint'::pg_catalog.regclass"
"  WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"
"  AND (d.classid OPERATOR(pg_catalog.=) ANY ('{pg_catalog.pg_rewrite,pg_catalog.pg_trigger,pg_catalog.pg_policy,"
"pg_catalog.pg_proc,pg_catalog.pg_publication_rel}'::pg_catalog.regclass[]::pg_catalog.oid[])"
"   OR (d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_attrdef'::pg_catalog.regclass"
"    AND d.objid OPERATOR(pg_catalog.<>) COALESCE(cols.defoid, 0))"
"   OR c.contype OPERATOR(pg_catalog.=) 'f'))"
" SELECT pg_catalog.pg_describe_object(o.classid, o.objid, o.objsubid) FROM obstacles o"
" WHERE NOT EXISTS (SELECT FROM kept k WHERE k.classid OPERATOR(pg_catalog.=) o.classid"
"  AND k.objid OPERATOR(pg_catalog.=) o.objid AND k.objsubid OPERATOR(pg_catalog.=) o.objsubid) ORDER BY 1";

/* The tables that change */
static const char *const tables_query =
"SELECT DISTINCT col.attrelid FROM " TYPE ", LATERAL (" COLUMNS ") AS col ORDER BY col.attrelid";

/*
 * The statements, in the order in which they are to run, each with its pass and
 * the table that it changes.  Each table changes in one, so that none leaves a
 * table that breaks a convention.  ALTER TABLE drops defaults before it changes
 * types, and sets them afterwards, also those of the tables that inherit, which
 * then get their own back.  A cast that somebody made from the type to text is
 * not used.  The enum table gets its owner last, so that nobody can attach code
 * to it before all foreign keys are checked.
 */
static const char *const statements_query =
"WITH cols AS (SELECT col.*, def.label FROM " TYPE ", LATERAL (" COLUMNS ") AS col"
"  LEFT JOIN LATERAL (" DEFAULTS ") AS def ON def.expr OPERATOR(pg_catalog.=) col.defexpr)"
" SELECT statement, pass, relid, relname FROM ("
"  SELECT 0 AS pass, 0::pg_catalog.oid AS relid, 0 AS attnum, $2 AS relname,"
"   pg_catalog.format('GRANT SELECT, REFERENCES ON TABLE %s TO %I', $2, r.rolname) AS statement"
"  FROM pg_catalog.pg_roles r"
"  WHERE r.oid OPERATOR(pg_catalog.=) ANY (SELECT relowner FROM cols)"
"  AND r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER AND NOT r.rolsuper"
"  UNION ALL SELECT 1, attrelid, 0, relname,"
"   pg_catalog.format('ALTER TABLE %s ', relname) OPERATOR(pg_catalog.||) pg_catalog.string_agg("
"    pg_catalog.format('ALTER COLUMN %1$I DROP DEFAULT,"
" ALTER COLUMN %1$I TYPE pg_catalog.text USING pg_catalog.textin(pg_catalog.enum_out(%1$I)),"
" ADD FOREIGN KEY (%1$I) REFERENCES %2$s (value)', attname, $2)"
"    OPERATOR(pg_catalog.||) CASE WHEN label IS NULL THEN ''"
"     ELSE pg_catalog.format(', ALTER COLUMN %I SET DEFAULT %L', attname, label) END, ', ' ORDER BY cols.attnum)"
"  FROM cols WHERE attinhcount OPERATOR(pg_catalog.=) 0 GROUP BY attrelid, relname"
"  UNION ALL SELECT 2, attrelid, cols.attnum, relname,"
"   pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I ', relname, attname)"
"    OPERATOR(pg_catalog.||) CASE WHEN label IS NULL THEN 'DROP DEFAULT'"
"     ELSE pg_catalog.format('SET DEFAULT %L', label) END"
"    OPERATOR(pg_catalog.||) CASE WHEN relispartition THEN ''"
"     ELSE pg_catalog.format(', ADD FOREIGN KEY (%I) REFERENCES %s (value)', attname, $2) END"
"  FROM cols WHERE attinhcount OPERATOR(pg_catalog.>) 0"
"  UNION ALL SELECT 3, attrelid, attnum, relname,"
"   pg_catalog.format('CREATE INDEX ON %s (%I)', relname, attname)"
"  FROM cols WHERE NOT relispartition AND NOT EXISTS ("
"   SELECT FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) cols.attrelid"
"   AND i.indkey[0] OPERATOR(pg_catalog.=) cols.attnum AND i.indisvalid AND i.indpred IS NULL)"
"  UNION ALL SELECT 4, 0, 0, $2,"
"   pg_catalog.format('DROP TYPE %I.%I', n.nspname, t.typname)"
"  FROM " TYPE " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace"
"  UNION ALL SELECT 5, 0, 0, $2,"
"   pg_catalog.format('COMMENT ON TABLE %s IS %L', $2, pg_catalog.obj_description(t.oid, 'pg_type'))"
"  FROM " TYPE " WHERE pg_catalog.obj_description(t.oid, 'pg_type') IS NOT NULL"
"  UNION ALL SELECT 6, 0, 0, $2,"
"   pg_catalog.format('ALTER TABLE %s OWNER TO %I', $2, r.rolname)"
"  FROM " TYPE " JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) t.typowner"
"  WHERE r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER"
" ) AS s ORDER BY pass, relid, attnum, statement";

/* The passes of statements_query that change a table as its owner */
#define PASS_ALTER_TREE	1		/* with the tables that inherit */
#define PASS_ALTER_ONE	2

typedef struct Step
{
	char	   *statement;
	int			pass;
	Target		target;
} Step;

static const char *const values_query =
"SELECT enumlabel::pg_catalog.text FROM pg_catalog.pg_enum"
" WHERE enumtypid OPERATOR(pg_catalog.=) $1::pg_catalog.oid ORDER BY enumsortorder";

/*
 * Run a query and copy its first column, of type text.  A NULL is left out: it is what
 * PostgreSQL says of an object that is dropped meanwhile.
 */
static Datum *
fetch_texts(const char *query, Datum first, Datum second, int *count)
{
	int			rows = (int) dbkit_run_with_texts(SPI_OK_SELECT, query, first, second);
	Datum	   *texts = palloc(Max(rows, 1) * sizeof(Datum));

	*count = 0;
	for (int i = 0; i < rows; i++)
	{
		char	   *value = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

		if (value != NULL)
			texts[(*count)++] = CStringGetTextDatum(value);
	}
	SPI_freetuptable(SPI_tuptable);
	return texts;
}

/* Refuse what cannot be carried over, and list it. */
static void
refuse_obstacles(Oid type, Datum type_oid)
{
	StringInfoData list;
	int			count;
	Datum	   *names = fetch_texts(obstacles_query, type_oid, 0, &count);

	if (count == 0)
		return;
	initStringInfo(&list);
	for (int i = 0; i < count; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? "\n" : "", TextDatumGetCString(names[i]));
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot turn type %s into an enum table, because other objects depend on it",
					format_type_be_qualified(type)),
			 errdetail("%s", list.data),
			 errhint("Drop these objects first, and create them again for text afterwards.")));
}

/* Require a native enum that the user may drop. */
static Form_pg_type
check_enum_type(Oid type, HeapTuple *tuple)
{
	Form_pg_type form;

	*tuple = SearchSysCacheCopy1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(*tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", type)));
	form = (Form_pg_type) GETSTRUCT(*tuple);
	if (form->typtype != TYPTYPE_ENUM)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("type %s is not an enum", format_type_be_qualified(type))));
	if (!dbkit_owns_type(type, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of type %s", format_type_be_qualified(type))));
	return form;
}

/* Require the ownership of the tables that change, lock and list them. */
static List *
lock_tables(Datum type_oid)
{
	List	   *relids = NIL;
	uint64		count = dbkit_run_with_texts(SPI_OK_SELECT, tables_query, type_oid, 0);
	ListCell   *cell;

	for (uint64 i = 0; i < count; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i],
														   SPI_tuptable->tupdesc, 1, &isnull));

		char	   *name = get_rel_name(relid);

		if (name == NULL)
			dbkit_report_dropped(relid);
		if (!dbkit_owns_table(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, name);
		relids = lappend_oid(relids, relid);
	}
	SPI_freetuptable(SPI_tuptable);
	foreach(cell, relids)
		dbkit_lock_table(lfirst_oid(cell), AccessExclusiveLock);
	return relids;
}

/* Fetch the statements that are to run. */
static Step *
fetch_steps(Datum type_oid, Datum name, bool guarded, int *count)
{
	Step	   *steps;

	*count = (int) dbkit_run_with_texts(SPI_OK_SELECT, statements_query, type_oid, name);
	steps = palloc0(Max(*count, 1) * sizeof(Step));
	for (int i = 0; i < *count; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		bool		isnull;

		steps[i].statement = SPI_getvalue(row, desc, 1);
		steps[i].pass = DatumGetInt32(SPI_getbinval(row, desc, 2, &isnull));
		steps[i].target.relid = DatumGetObjectId(SPI_getbinval(row, desc, 3, &isnull));
		steps[i].target.name = SPI_getvalue(row, desc, 4);
		steps[i].target.guarded = guarded;
		steps[i].target.children = steps[i].pass == PASS_ALTER_TREE;
	}
	SPI_freetuptable(SPI_tuptable);
	return steps;
}

/*
 * Run a statement.  What is not done as the owner of a table runs no code of
 * tables but in CREATE INDEX, which switches to the owner by itself.  The names in
 * it are from the transaction's snapshot, which may be older than our locks.
 */
static void
run_step(const Step *step, const Target *enum_table)
{
	AsOwner		saved;

	dbkit_check_name(enum_table);
	if (OidIsValid(step->target.relid))
		dbkit_check_name(&step->target);
	if (!step->target.guarded)
	{
		dbkit_run_utility(step->statement);
		return;
	}
	if (step->pass == PASS_ALTER_TREE || step->pass == PASS_ALTER_ONE)
		dbkit_run_on(&step->target, SPI_OK_UTILITY, step->statement, 0, 0);
	else
	{
		dbkit_begin_as_owner(GetUserId(), 0, &saved);
		dbkit_run_utility(step->statement);
		dbkit_end_as_owner(&saved);
	}
}

/*
 * enum_from_type(type regtype) returns regclass
 *
 * Turn a native enum into the enum table <type>_enum in its schema, and its
 * columns into text with a foreign key and an index; drop the type.
 */
PG_FUNCTION_INFO_V1(dbkit_enum_from_type);
Datum
dbkit_enum_from_type(PG_FUNCTION_ARGS)
{
	Oid			type = PG_GETARG_OID(0);
	HeapTuple	tuple;
	Form_pg_type form;
	Datum		type_oid = CStringGetTextDatum(psprintf("%u", type));
	char	   *schema;
	char	   *base;
	Target		table = {0};
	Datum	   *values;
	Step	   *steps;
	int			count;

	/* Who may drop it may lock it; then it is there, and stays */
	(void) check_enum_type(type, &tuple);
	LockDatabaseObject(TypeRelationId, type, 0, AccessExclusiveLock);
	form = check_enum_type(type, &tuple);
	dbkit_lock_schema(form->typnamespace);
	schema = dbkit_schema_name(form->typnamespace);
	base = dbkit_enum_table_name(NameStr(form->typname));
	table.name = quote_qualified_identifier(schema, base);

	SPI_connect();
	refuse_obstacles(type, type_oid);
	table.guarded = dbkit_reaches_strangers(lock_tables(type_oid), NoLock);
	values = fetch_texts(values_query, type_oid, 0, &count);
	table.relid = dbkit_make_enum_table(schema, base, values, count);
	steps = fetch_steps(type_oid, CStringGetTextDatum(table.name), table.guarded, &count);
	for (int i = 0; i < count; i++)
		run_step(&steps[i], &table);
	SPI_finish();
	PG_RETURN_OID(table.relid);
}
