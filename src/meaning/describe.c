/*-------------------------------------------------------------------------
 *
 * describe.c
 *		What the tables are and mean, as one text: dbkit.describe().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "common.h"
#include "catalog_text.h"
#include "convention/check.h"
#include "meaning/description.h"

static const struct
{
	const char *name;
	void		(*write) (StringInfo out, const Descriptions *descriptions);
}			formats[] = {
	{"markdown", dbkit_write_markdown},
	{"mermaid", dbkit_write_mermaid},
};

static int
find_format(const char *name)
{
	for (size_t i = 0; i < lengthof(formats); i++)
	{
		if (strcmp(name, formats[i].name) == 0)
			return i;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no format \"%s\"", name),
			 errhint("The formats are markdown and mermaid.")));
}

PG_FUNCTION_INFO_V1(dbkit_describe);

/*
 * dbkit.describe(format text, schema regnamespace) returns text
 *
 * Names of functions and types are written without their schema if that is "public", whatever the
 * session's search_path is.  Errors: invalid_parameter_value, invalid_schema_name, null_value_not_allowed.
 */
Datum
dbkit_describe(PG_FUNCTION_ARGS)
{
	Oid			schema = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
	MemoryContext caller = CurrentMemoryContext;
	StringInfoData out;
	AsOwner		saved;
	int			format;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("format must not be null")));
	format = find_format(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (!PG_ARGISNULL(1))
		dbkit_require_schema(schema);
	initStringInfo(&out);
	dbkit_begin_catalog_text("pg_catalog, public, pg_temp", &saved);
	SPI_connect();
	formats[format].write(&out, dbkit_read_descriptions(PG_ARGISNULL(1) ? NULL : &schema));
	SPI_finish();
	dbkit_end_as_owner(&saved);
	MemoryContextSwitchTo(caller);
	PG_RETURN_TEXT_P(cstring_to_text(out.data));
}
