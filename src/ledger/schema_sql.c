/*-------------------------------------------------------------------------
 *
 * schema_sql.c
 *		Write the SQL of a schema that is described as JSON: dbkit.schema_sql().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "common.h"
#include "convention/create_table.h"
#include "ledger/definition.h"

PG_FUNCTION_INFO_V1(dbkit_schema_sql);

/*
 * dbkit.schema_sql(definition jsonb) returns text
 *
 * Writes the tables of a definition, then their foreign keys, then their indexes and what the agreement
 * asks of them besides, and at last the migrations.  Errors: invalid_parameter_value, syntax_error, KD001.
 */
Datum
dbkit_schema_sql(PG_FUNCTION_ARGS)
{
	Definition	definition = dbkit_read_definition(PG_GETARG_JSONB_P(0));
	StringInfoData sql;
	ListCell   *lc;

	initStringInfo(&sql);
	appendStringInfoString(&sql, dbkit_tables_sql(definition.tables));
	foreach(lc, definition.migrations)
		appendStringInfo(&sql, "%s\n", (const char *) lfirst(lc));
	PG_RETURN_TEXT_P(cstring_to_text(sql.data));
}
