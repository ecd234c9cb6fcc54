/*-------------------------------------------------------------------------
 *
 * keys.c
 *		The values of keys: of rows that are being built, and of their parents.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "common.h"
#include "sql.h"
#include "test_data/insert.h"
#include "test_data/keys.h"
#include "test_data/solver.h"

/* Is a column's value known, to all rows or to each? */
bool
dbkit_is_known(const Slot *slot)
{
	return slot->constant != NULL || slot->values != NULL;
}

/* Have columns be known that have to equal one that is. */
void
dbkit_share_values(Shape *shape)
{
	for (int i = 0; i < shape->count; i++)
	{
		Slot	   *slot = &shape->slots[i];
		Slot	   *other = slot->same_as != 0 ? dbkit_slot(shape, slot->same_as) : slot;
		Slot	   *known = dbkit_is_known(slot) ? slot : other;
		Slot	   *unknown = known == slot ? other : slot;

		if (!dbkit_is_known(known) || dbkit_is_known(unknown) || unknown->filling != FILL_VALUE)
			continue;
		unknown->filling = FILL_GIVEN;
		unknown->constant = known->constant;
		unknown->values = known->values;
	}
}

/* Return what is known of the parent's column because of the child's, or NULL. */
Given *
dbkit_given_to_parent(const Slot *slot, AttrNumber key)
{
	Given	   *given = palloc0(sizeof(Given));

	given->attnum = key;
	if (dbkit_is_known(slot))
	{
		given->constant = slot->constant;
		given->values = slot->values;
		return given;
	}
	if (slot->filling == FILL_DEFAULT && slot->constant_default != NULL)
		given->constant = dbkit_json_text(slot->constant_default);
	else if (slot->limits.listed && get_typtype(slot->base_type) != TYPTYPE_ENUM && slot->limits.allowed != NIL)
		given->constant = dbkit_json_text(linitial(slot->limits.allowed));
	return given->constant != NULL ? given : NULL;
}

/* Return what is known of the parent that a reference needs. */
List *
dbkit_given_to_parents(const Shape *shape, const Reference *reference)
{
	List	   *result = NIL;

	for (int i = 0; i < reference->count; i++)
	{
		Given	   *given = dbkit_given_to_parent(dbkit_slot(shape, reference->columns[i]), reference->keys[i]);

		if (given != NULL)
			result = lappend(result, given);
	}
	return result;
}

/* Take the keys out of what a query returned, whose columns are those of the set. */
Keys
dbkit_take_keys(const Reference *reference, const Bitmapset *columns, uint64 rows)
{
	Keys		keys = {rows, palloc(sizeof(char **) * reference->count)};

	for (int i = 0; i < reference->count; i++)
	{
		int			place = bms_member_index(unconstify(Bitmapset *, columns), reference->keys[i]) + 1;

		keys.texts[i] = palloc(sizeof(char *) * rows);
		for (uint64 row = 0; row < rows; row++)
			keys.texts[i][row] = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, place);
	}
	return keys;
}

/* Use keys: one for all rows, or for each row the next one, beginning again after the last. */
void
dbkit_use_keys(Shape *shape, const Reference *reference, const Keys *keys, uint64 rows)
{
	for (int i = 0; i < reference->count; i++)
	{
		Slot	   *slot = dbkit_slot(shape, reference->columns[i]);

		if (dbkit_is_known(slot))
			continue;
		slot->filling = FILL_GIVEN;
		if (!reference->distinct)
		{
			slot->constant = dbkit_json_text(keys->texts[i][0]);
			continue;
		}
		slot->values = palloc(sizeof(char *) * rows);
		for (uint64 row = 0; row < rows; row++)
			slot->values[row] = keys->texts[i][row % keys->rows];
	}
}

Bitmapset *
dbkit_key_columns(const Reference *reference)
{
	Bitmapset  *result = NULL;

	for (int i = 0; i < reference->count; i++)
		result = bms_add_member(result, reference->keys[i]);
	return result;
}

/* Take the values of a column's default, before the rows are inserted. */
static void
take_defaults(const Shape *shape, Slot *slot, uint64 rows)
{
	Node	   *tree = stringToNode(slot->stored_default);
	char	   *text = psprintf("(%s)", deparse_expression(tree, deparse_context_for(shape->bare_name, shape->relid), false, false));

	(void) dbkit_run_sql(SPI_OK_SELECT,
						 psprintf("SELECT %s::pg_catalog.text FROM pg_catalog.generate_series(1, " UINT64_FORMAT ")", text, rows),
						 0, NULL, NULL, NULL);
	slot->values = palloc(sizeof(char *) * rows);
	for (uint64 row = 0; row < rows; row++)
		slot->values[row] = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);
	SPI_freetuptable(SPI_tuptable);
}

/* Decide on a key's value before its rows are inserted. */
void
dbkit_settle(const Shape *shape, Slot *slot, uint64 rows)
{
	if (dbkit_is_known(slot))
		return;
	if (slot->filling == FILL_DEFAULT && slot->stored_default != NULL)
		take_defaults(shape, slot, rows);
	else
	{
		uint64		first = dbkit_take_numbers(rows);

		slot->distinct = true;
		slot->values = palloc(sizeof(char *) * rows);
		for (uint64 row = 0; row < rows; row++)
			slot->values[row] = dbkit_make_value(slot, first + row);
	}
	slot->filling = FILL_GIVEN;
}

/* Return the values of a column that is settled, as text. */
char	  **
dbkit_settled_texts(const Slot *slot, uint64 rows)
{
	char	  **result;

	if (slot->values != NULL)
		return slot->values;
	result = palloc(sizeof(char *) * rows);
	for (uint64 row = 0; row < rows; row++)
		result[row] = dbkit_given_text(slot);
	return result;
}
