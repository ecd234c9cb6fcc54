/*-------------------------------------------------------------------------
 *
 * find.c
 *		Find rows that are there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/facts/type_walk.h"
#include "convention/listed_names.h"
#include "sql.h"
#include "test_data/find.h"
#include "test_data/insert.h"

/* Return the columns of a list of names, each as text */
char *
dbkit_columns_as_text(const Shape *shape, const Bitmapset *columns, const char *alias)
{
	StringInfoData result;
	int			member = -1;

	initStringInfo(&result);
	while ((member = bms_next_member(columns, member)) >= 0)
		appendStringInfo(&result, "%s%s%s::pg_catalog.text", result.len > 0 ? ", " : "", alias,
						 quote_identifier(dbkit_slot(shape, member)->name));
	return result.data;
}

/*
 * Look for rows of a table with what is given, whose keys are not null, and leave in SPI_tuptable
 * what is selected of them; returns how many.
 */
uint64
dbkit_look_up(const Shape *parent, const char *selected, const List *given, const Bitmapset *keys, uint64 limit)
{
	StringInfoData conditions;
	JsonbParseState *state = NULL;
	Oid			type = JSONBOID;
	Datum		value;
	ListCell   *lc;
	const char *alias = dbkit_row_alias(parent);
	int			member = -1;

	initStringInfo(&conditions);
	while ((member = bms_next_member(keys, member)) >= 0)
	{
		if (!dbkit_slot(parent, member)->not_null)
			appendStringInfo(&conditions, "%s %s.%s IS NOT NULL", conditions.len > 0 ? " AND" : " WHERE", alias,
							 quote_identifier(dbkit_slot(parent, member)->name));
	}
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, given)
	{
		const Given *known = lfirst(lc);
		const Slot *slot = dbkit_slot(parent, known->attnum);
		const char *name = quote_identifier(slot->name);

		appendStringInfo(&conditions, "%s %s.%s OPERATOR(pg_catalog.=) (SELECT w.%s FROM pg_catalog.jsonb_to_record($1) AS w(%s %s))",
						 conditions.len > 0 ? " AND" : " WHERE", alias, name, name, name, dbkit_declared_type_name(slot->type, slot->typmod));
		(void) pushJsonbValue(&state, WJB_KEY, dbkit_json_text(slot->name));
		(void) pushJsonbValue(&state, WJB_VALUE, known->constant != NULL ? known->constant : dbkit_json_text(known->values[0]));
	}
	value = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	return dbkit_run_sql(SPI_OK_SELECT,
						 psprintf("SELECT %s FROM %s AS %s%s LIMIT " UINT64_FORMAT,
								  selected, parent->name, alias, conditions.data, limit),
						 1, &type, &value, NULL);
}

/* Is the table one of few fixed rows, whose keys are listed or which is named as an enum table? */
static bool
is_lookup_table(const Shape *parent, const Reference *reference)
{
	if (dbkit_ends_with(parent->bare_name, "_enum"))
		return true;
	for (int i = 0; i < reference->count; i++)
	{
		const Slot *slot = dbkit_slot(parent, reference->keys[i]);

		if (!slot->limits.listed || get_typtype(slot->base_type) == TYPTYPE_ENUM)
			return false;
	}
	return true;
}

/* Use rows that are there, with what is given; false where there are none. */
bool
dbkit_use_any(Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows)
{
	char	   *selected = dbkit_columns_as_text(parent, dbkit_key_columns(reference), psprintf("%s.", dbkit_row_alias(parent)));
	uint64		found = dbkit_look_up(parent, selected, given, dbkit_key_columns(reference), reference->distinct ? rows : 1);

	if (found > 0)
	{
		Keys		keys = dbkit_take_keys(reference, dbkit_key_columns(reference), found);

		dbkit_use_keys(shape, reference, &keys, rows);
	}
	SPI_freetuptable(SPI_tuptable);
	return found > 0;
}

/* Does what is given tell one row of the table from all others? */
static bool
identifies(const Shape *parent, const List *given)
{
	Bitmapset  *columns = NULL;
	ListCell   *lc;

	foreach(lc, given)
		columns = bms_add_member(columns, ((Given *) lfirst(lc))->attnum);
	foreach(lc, parent->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (unique->total && bms_is_subset(unique->columns, columns))
			return true;
	}
	return false;
}

/* Use rows that are there, if the key is known or the parent is a table of few fixed rows. */
bool
dbkit_use_existing(Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows)
{
	if (list_length(given) < reference->count && !identifies(parent, given) && !is_lookup_table(parent, reference))
		return false;
	return dbkit_use_any(shape, reference, parent, given, rows);
}

/* Is the row one of which the caller has given something? */
static bool
has_overrides(const Shape *shape)
{
	for (int i = 0; i < shape->count; i++)
	{
		if (shape->slots[i].overridden)
			return true;
	}
	return false;
}

/*
 * Has a trigger of a parent, which was just made for this row alone, inserted the row?  Then
 * leave in SPI_tuptable what is to be returned of it.
 */
bool
dbkit_find_made(const Shape *shape, const char *returning)
{
	ListCell   *lc;

	foreach(lc, has_overrides(shape) ? NIL : shape->references)
	{
		const Reference *reference = lfirst(lc);
		List	   *given = NIL;

		if (!reference->distinct || !reference->made)
			continue;
		for (int i = 0; i < reference->count; i++)
			given = lappend(given, dbkit_given_to_parent(dbkit_slot(shape, reference->columns[i]), reference->columns[i]));
		if (dbkit_look_up(shape, returning != NULL ? returning : dbkit_row_alias(shape), given, NULL, 1) > 0)
			return true;
	}
	return false;
}

/* Return the tables that reference a table: Oid. */
List *
dbkit_referencing_tables(Oid relid)
{
	Oid			type = OIDOID;
	Datum		value = ObjectIdGetDatum(relid);
	List	   *result = NIL;
	uint64		count = dbkit_run_sql(SPI_OK_SELECT,
									  "SELECT DISTINCT conrelid FROM pg_catalog.pg_constraint "
									  "WHERE confrelid OPERATOR(pg_catalog.=) $1 AND conrelid OPERATOR(pg_catalog.<>) $1 "
									  "AND contype OPERATOR(pg_catalog.=) 'f'::pg_catalog.\"char\" "
									  "AND conparentid OPERATOR(pg_catalog.=) 0::pg_catalog.oid ORDER BY conrelid",
									  1, &type, &value, NULL);

	for (uint64 row = 0; row < count; row++)
	{
		bool		isnull;

		result = lappend_oid(result, DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull)));
	}
	SPI_freetuptable(SPI_tuptable);
	return result;
}
