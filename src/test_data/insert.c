/*-------------------------------------------------------------------------
 *
 * insert.c
 *		Insert the rows that have been made up.
 *
 * One INSERT ... SELECT, as the caller; the values come as JSON, whose strings the types
 * of the columns read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "common.h"
#include "convention/agreement_json.h"
#include "convention/facts/type_walk.h"
#include "sql.h"
#include "test_data/insert.h"

/* Is the column one that the INSERT names? */
static bool
is_inserted(const Slot *slot)
{
	return slot->attnum != 0 && (slot->constant != NULL || slot->values != NULL);
}

/* Return a text as JSON; null for NULL. */
JsonbValue *
dbkit_json_text(const char *text)
{
	JsonbValue *result = palloc0(sizeof(JsonbValue));

	if (text == NULL)
		return result;			/* all zeros are jbvNull */
	result->type = jbvString;
	result->val.string.val = unconstify(char *, text);
	result->val.string.len = strlen(text);
	return result;
}

/* Return the value that a text of JSON stands for. */
static JsonbValue *
parse_json(const char *text)
{
	Jsonb	   *json = dbkit_make_json(text);
	JsonbValue *result = palloc0(sizeof(JsonbValue));

	if (!JB_ROOT_IS_SCALAR(json) || !JsonbExtractScalar(&json->root, result))
		JsonbToJsonbValue(json, result);
	return result;
}

/* Return the value of a column in a row. */
static JsonbValue *
value_in_row(const Slot *slot, uint64 row)
{
	if (slot->constant != NULL)
		return slot->constant;
	if (slot->values[row] != NULL && (slot->base_type == JSONBOID || slot->base_type == JSONOID))
		return parse_json(slot->values[row]);
	return dbkit_json_text(slot->values[row]);
}

static void
push_row(JsonbParseState **state, const Shape *shape, uint64 row)
{
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < shape->count; i++)
	{
		const Slot *slot = &shape->slots[i];

		if (!is_inserted(slot))
			continue;
		(void) pushJsonbValue(state, WJB_KEY, dbkit_json_text(slot->name));
		(void) pushJsonbValue(state, WJB_VALUE, value_in_row(slot, row));
	}
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Return the rows as an array of objects. */
static Jsonb *
write_rows(const Shape *shape, uint64 rows)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint64 row = 0; row < rows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		push_row(&state, shape, row);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

/* Return a name for the table that none of its columns has, so that it means the row. */
char *
dbkit_row_alias(const Shape *shape)
{
	char	   *alias = pstrdup("made");

	while (dbkit_find_slot(shape, alias) != NULL)
		alias = psprintf("%s_", alias);
	return alias;
}

/* Write INSERT ... SELECT ... FROM jsonb_to_recordset($1) AS r(...) RETURNING ... */
static char *
write_insert(const Shape *shape, const char *returning)
{
	StringInfoData columns;
	StringInfoData values;
	StringInfoData types;
	bool		identity = false;
	const char *alias = dbkit_row_alias(shape);

	if (returning == NULL)
		returning = alias;
	initStringInfo(&columns);
	initStringInfo(&values);
	initStringInfo(&types);
	for (int i = 0; i < shape->count; i++)
	{
		const Slot *slot = &shape->slots[i];
		const char *comma = columns.len > 0 ? ", " : "";

		if (!is_inserted(slot))
			continue;
		identity |= slot->identity;
		appendStringInfo(&columns, "%s%s", comma, quote_identifier(slot->name));
		appendStringInfo(&values, "%sr.%s", comma, quote_identifier(slot->name));
		appendStringInfo(&types, "%s%s %s", comma, quote_identifier(slot->name),
						 dbkit_declared_type_name(slot->type, slot->typmod));
	}
	if (columns.len == 0)
		return psprintf("INSERT INTO %s AS %s SELECT FROM pg_catalog.jsonb_array_elements($1) RETURNING %s",
						shape->name, alias, returning);
	return psprintf("INSERT INTO %s AS %s (%s)%s SELECT %s FROM pg_catalog.jsonb_to_recordset($1) AS r(%s) RETURNING %s",
					shape->name, alias, columns.data, identity ? " OVERRIDING SYSTEM VALUE" : "", values.data, types.data, returning);
}

/* Return the columns that a CHECK, unique or foreign key is about, as keys of an object: "a": ..., "b": ... */
static char *
columns_of_constraint(const Shape *shape, const char *constraint)
{
	StringInfoData result;
	Bitmapset  *columns = NULL;
	ListCell   *lc;
	int			member = -1;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (strcmp(unique->name, constraint) == 0)
			columns = bms_copy(unique->columns);
	}
	foreach(lc, shape->checks)
	{
		const Check *check = lfirst(lc);

		if (strcmp(check->name, constraint) == 0)
			columns = dbkit_columns_of_check(check);
	}
	initStringInfo(&result);
	while ((member = bms_next_member(columns, member)) >= 0)
	{
		if (result.len > 0)
			appendStringInfoString(&result, ", ");
		escape_json(&result, dbkit_slot(shape, member)->name);
		appendStringInfoString(&result, ": ...");
	}
	return result.data;
}

/* Say what to give in the overrides, where the error names a constraint or column. */
static char *
advise(const Shape *shape, const ErrorData *error)
{
	char	   *columns = NULL;

	if (error->constraint_name != NULL)
		columns = columns_of_constraint(shape, error->constraint_name);
	else if (error->column_name != NULL)
		columns = psprintf("\"%s\": ...", error->column_name);
	if (columns == NULL || columns[0] == '\0')
		return NULL;
	return psprintf("Give values that the table accepts in the overrides: dbkit.make(NULL::%s, '{%s}').", shape->name, columns);
}

/* Raise an error again, which says also in which table and what to do. */
static void
raise_with_advice(const Shape *shape, ErrorData *error)
{
	char	   *advice = error->hint == NULL && ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION ?
	advise(shape, error) : NULL;

	if (advice != NULL)
		error->hint = advice;
	ReThrowError(error);
}

static void
say_table(void *arg)
{
	errcontext("making a row of table %s", (const char *) arg);
}

static void
run_insert(const Shape *shape, uint64 rows, const char *returning)
{
	Oid			type = JSONBOID;
	Datum		value = JsonbPGetDatum(write_rows(shape, rows));

	(void) dbkit_run_sql(SPI_OK_INSERT_RETURNING, write_insert(shape, returning), 1, &type, &value, NULL);
	if (SPI_processed != rows)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
				 errmsg("a trigger or rule of table %s kept a row from being inserted", shape->name),
				 errhint("Insert the row as the application does.")));
}

/*
 * Insert the rows, and leave in SPI_tuptable what is to be returned of them, or for NULL
 * the rows themselves.  Errors are those of
 * the INSERT, with advice where a constraint is not met; triggered_action_exception where
 * not every row comes back.
 */
void
dbkit_insert_rows(const Shape *shape, uint64 rows, const char *returning)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorContextCallback callback = {error_context_stack, say_table, shape->name};

	error_context_stack = &callback;
	PG_TRY();
	{
		run_insert(shape, rows, returning);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		raise_with_advice(shape, error);
	}
	PG_END_TRY();
	error_context_stack = callback.previous;
}
