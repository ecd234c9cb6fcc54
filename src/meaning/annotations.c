/*-------------------------------------------------------------------------
 *
 * annotations.c
 *		The comments on tables and columns as data: dbkit.annotations() and dbkit.annotations_yaml().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common.h"
#include "as_owner.h"
#include "catalog_text.h"
#include "convention/agreement_json.h"
#include "convention/check.h"
#include "meaning/annotations.h"
#include "meaning/documented.h"
#include "meaning/yaml.h"
#include "sql.h"

typedef struct Comment
{
	char	   *relation;
	const char *column;			/* ON_RELATION for the relation itself */
	char	   *text;
} Comment;

/* A relation's columns by their names: their order differs between databases that have the same */
static const char comments_sql[] =
"SELECT n.nspname, c.relname, a.attname, d.description "
"FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) d.objoid "
"JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
"LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) d.objsubid "
"AND d.objsubid OPERATOR(pg_catalog.<>) 0 "
"WHERE d.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass "
"AND (d.objsubid OPERATOR(pg_catalog.=) 0 OR a.attname IS NOT NULL) AND " IS_DOCUMENTED_RELATION
" ORDER BY " BY_SCHEMA ", c.relname, a.attname NULLS FIRST";

/* Return the comments of a schema, or of all for a NULL argument, as Comment *, those of a relation one after the other. */
static List *
read_comments(FunctionCallInfo fcinfo)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {OIDOID};
	Datum		schema = PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0);
	AsOwner		saved;
	List	   *comments = NIL;

	if (!PG_ARGISNULL(0))
		dbkit_require_schema(DatumGetObjectId(schema));
	dbkit_begin_catalog_text("pg_catalog, pg_temp", &saved);
	SPI_connect();
	(void) dbkit_run_sql(SPI_OK_SELECT, comments_sql, 1, types, &schema, PG_ARGISNULL(0) ? "n" : NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	row = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext spi = MemoryContextSwitchTo(caller);
		Comment    *comment = palloc(sizeof(Comment));

		comment->relation = dbkit_documented_name(SPI_getvalue(row, desc, 1), SPI_getvalue(row, desc, 2));
		comment->column = SPI_getvalue(row, desc, 3);
		if (comment->column == NULL)
			comment->column = ON_RELATION;
		comment->text = SPI_getvalue(row, desc, 4);
		comments = lappend(comments, comment);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	dbkit_end_as_owner(&saved);
	return comments;
}

PG_FUNCTION_INFO_V1(dbkit_annotations);

/*
 * dbkit.annotations(schema regnamespace) returns jsonb
 *
 * What dbkit.annotate() would set the same comments from.  Errors: invalid_schema_name.
 */
Datum
dbkit_annotations(PG_FUNCTION_ARGS)
{
	JsonbParseState *state = NULL;
	const char *relation = NULL;
	ListCell   *lc;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, read_comments(fcinfo))
	{
		const Comment *comment = lfirst(lc);

		if (relation == NULL || strcmp(relation, comment->relation) != 0)
		{
			if (relation != NULL)
				(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
			dbkit_push_string(&state, WJB_KEY, comment->relation);
			(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		}
		relation = comment->relation;
		dbkit_push_string(&state, WJB_KEY, comment->column);
		dbkit_push_string(&state, WJB_VALUE, comment->text);
	}
	if (relation != NULL)
		(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

PG_FUNCTION_INFO_V1(dbkit_annotations_yaml);

/*
 * dbkit.annotations_yaml(schema regnamespace) returns text
 *
 * The same as YAML, and the same text wherever the comments are the same.  Errors: invalid_schema_name.
 */
Datum
dbkit_annotations_yaml(PG_FUNCTION_ARGS)
{
	const char *relation = "";
	StringInfoData yaml;
	ListCell   *lc;

	initStringInfo(&yaml);
	foreach(lc, read_comments(fcinfo))
	{
		const Comment *comment = lfirst(lc);

		if (yaml.len > 0)
			appendStringInfoChar(&yaml, '\n');
		if (strcmp(relation, comment->relation) != 0)
		{
			dbkit_append_yaml_key(&yaml, comment->relation);
			appendStringInfoChar(&yaml, '\n');
		}
		relation = comment->relation;
		appendStringInfoString(&yaml, "  ");
		dbkit_append_yaml_key(&yaml, comment->column);
		dbkit_append_yaml_value(&yaml, comment->text, 4);
	}
	PG_RETURN_TEXT_P(cstring_to_text(yaml.len > 0 ? yaml.data : "{}"));
}
