/*-------------------------------------------------------------------------
 *
 * references.c
 *		Find or make the rows that foreign keys need.
 *
 * One parent serves all rows of a call, also as a grandparent: a row's document and its
 * author then belong to one organization.  A row that has two foreign keys to one table
 * gets two parents, and so does each row of a unique key that only parents can tell apart.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "common.h"
#include "attempt.h"
#include "context/context.h"
#include "convention/agreement.h"
#include "convention/facts/type_walk.h"
#include "convention/listed_names.h"
#include "sql.h"
#include "test_data/build.h"
#include "test_data/insert.h"

/* A row that was made as a parent */
typedef struct Parent
{
	Oid			relid;
	int			count;			/* of its columns */
	char	  **texts;			/* by attnum - 1; NULL for what is not known */
} Parent;

/* Keys of parents: for each column of the reference a text for each row */
typedef struct Keys
{
	uint64		rows;
	char	 ***texts;
} Keys;

/* Is a column's value known, to all rows or to each? */
static bool
is_known(const Slot *slot)
{
	return slot->constant != NULL || slot->values != NULL;
}

/* Return what is known of the parent's column because of the child's, or NULL. */
static Given *
given_to_parent(const Slot *slot, AttrNumber key)
{
	Given	   *given = palloc0(sizeof(Given));

	given->attnum = key;
	if (is_known(slot))
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
static List *
given_to_parents(const Shape *shape, const Reference *reference)
{
	List	   *result = NIL;

	for (int i = 0; i < reference->count; i++)
	{
		Given	   *given = given_to_parent(dbkit_slot(shape, reference->columns[i]), reference->keys[i]);

		if (given != NULL)
			result = lappend(result, given);
	}
	return result;
}

/* Return the columns of a list of names, each as text */
static char *
columns_as_text(const Shape *shape, const Bitmapset *columns, const char *alias)
{
	StringInfoData result;
	int			member = -1;

	initStringInfo(&result);
	while ((member = bms_next_member(columns, member)) >= 0)
		appendStringInfo(&result, "%s%s%s::pg_catalog.text", result.len > 0 ? ", " : "", alias,
						 quote_identifier(dbkit_slot(shape, member)->name));
	return result.data;
}

/* Take the keys out of what a query returned, whose columns are those of the set. */
static Keys
take_keys(const Reference *reference, const Bitmapset *columns, uint64 rows)
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
static void
use_keys(Shape *shape, const Reference *reference, const Keys *keys, uint64 rows)
{
	for (int i = 0; i < reference->count; i++)
	{
		Slot	   *slot = dbkit_slot(shape, reference->columns[i]);

		if (is_known(slot))
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

static Bitmapset *
key_columns(const Reference *reference)
{
	Bitmapset  *result = NULL;

	for (int i = 0; i < reference->count; i++)
		result = bms_add_member(result, reference->keys[i]);
	return result;
}

/* Return all columns of a table that foreign keys to it may have. */
static Bitmapset *
referenceable_columns(const Shape *shape, const Reference *reference)
{
	Bitmapset  *result = key_columns(reference);
	ListCell   *lc;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (!unique->expressions)
			result = bms_add_members(result, unique->columns);
	}
	return result;
}

/* Look for rows of a table with what is given, and leave in SPI_tuptable what is selected of them; returns how many. */
static uint64
look_up(const Shape *parent, const char *selected, const List *given, uint64 limit)
{
	StringInfoData conditions;
	JsonbParseState *state = NULL;
	Oid			type = JSONBOID;
	Datum		value;
	ListCell   *lc;
	const char *alias = dbkit_row_alias(parent);

	initStringInfo(&conditions);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	foreach(lc, given)
	{
		const Given *known = lfirst(lc);
		const Slot *slot = dbkit_slot(parent, known->attnum);
		const char *name = quote_identifier(slot->name);

		appendStringInfo(&conditions, "%s %s.%s OPERATOR(pg_catalog.=) (SELECT w.%s FROM pg_catalog.jsonb_to_record($1) AS w(%s %s))",
						 conditions.len > 0 ? " AND" : "", alias, name, name, name, dbkit_declared_type_name(slot->type, slot->typmod));
		(void) pushJsonbValue(&state, WJB_KEY, dbkit_json_text(slot->name));
		(void) pushJsonbValue(&state, WJB_VALUE, known->constant != NULL ? known->constant : dbkit_json_text(known->values[0]));
	}
	value = JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
	if (given == NIL)
		return dbkit_run_sql(SPI_OK_SELECT,
							 psprintf("SELECT %s FROM %s AS %s LIMIT " UINT64_FORMAT, selected, parent->name, alias, limit),
							 0, NULL, NULL, NULL);
	return dbkit_run_sql(SPI_OK_SELECT,
						 psprintf("SELECT %s FROM %s AS %s WHERE%s LIMIT " UINT64_FORMAT,
								  selected, parent->name, alias,
								  conditions.data, limit),
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
static bool
use_any(Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows)
{
	char	   *selected = columns_as_text(parent, key_columns(reference), psprintf("%s.", dbkit_row_alias(parent)));
	uint64		found = look_up(parent, selected, given, reference->distinct ? rows : 1);

	if (found > 0)
	{
		Keys		keys = take_keys(reference, key_columns(reference), found);

		use_keys(shape, reference, &keys, rows);
	}
	SPI_freetuptable(SPI_tuptable);
	return found > 0;
}

/* Use rows that are there, if all of the key is known or the parent is a table of few fixed rows. */
static bool
use_existing(Shape *shape, const Reference *reference, Shape *parent, const List *given, uint64 rows)
{
	if (list_length(given) < reference->count && !is_lookup_table(parent, reference))
		return false;
	return use_any(shape, reference, parent, given, rows);
}

/* Keep a row that was made as a parent, for further children. */
static void
remember(Making *making, const Shape *parent, const Bitmapset *columns)
{
	MemoryContext old = MemoryContextSwitchTo(making->context);
	Parent	   *made = palloc0(sizeof(Parent));
	int			member = -1;
	int			place = 0;

	made->relid = parent->relid;
	made->count = parent->count;
	made->texts = palloc0(sizeof(char *) * parent->count);
	while ((member = bms_next_member(columns, member)) >= 0)
		made->texts[member - 1] = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, ++place);
	making->parents = lappend(making->parents, made);
	MemoryContextSwitchTo(old);
}

/* Parents that are to be made, which may fail */
typedef struct Parents
{
	Making	   *making;
	const Reference *reference;
	uint64		count;
	List	   *given;
	char	   *returning;
	SPITupleTable *returned;
} Parents;

/* Make parents; an attempt. */
static void
build_parents(void *arg)
{
	Parents    *parents = arg;

	dbkit_build_rows(parents->making, parents->reference->parent, parents->count, parents->given, parents->returning);
	parents->returned = SPI_tuptable;
}

/* Make parents: one, or one for each row; where that cannot be done, others that are there will do. */
static void
make_parents(Making *making, Shape *shape, Reference *reference, const Shape *parent, List *given, uint64 rows)
{
	Bitmapset  *columns = referenceable_columns(parent, reference);
	uint64		count = reference->distinct ? rows : 1;
	Parents		parents = {making, reference, count, given, columns_as_text(parent, columns, ""), NULL};
	int			made = list_length(making->parents);
	int			depth = list_length(making->chain);
	ErrorData  *error = dbkit_attempt(build_parents, &parents, ATTEMPT_KEPT);
	Keys		keys;

	if (error != NULL)
	{
		making->parents = list_truncate(making->parents, made);
		making->chain = list_truncate(making->chain, depth);
		if (!use_any(shape, reference, parent, given, rows))
			ReThrowError(error);
		return;
	}
	reference->made = true;
	SPI_tuptable = parents.returned;
	keys = take_keys(reference, columns, count);
	if (!reference->distinct)
		remember(making, parent, columns);
	SPI_freetuptable(SPI_tuptable);
	use_keys(shape, reference, &keys, rows);
}

/* Has a parent what is given? */
static bool
fits(const Parent *made, const Reference *reference, const List *given)
{
	ListCell   *lc;

	for (int i = 0; i < reference->count; i++)
	{
		if (reference->keys[i] > made->count || made->texts[reference->keys[i] - 1] == NULL)
			return false;
	}
	foreach(lc, given)
	{
		const Given *known = lfirst(lc);
		const JsonbValue *value = known->constant;

		if (value == NULL || value->type != jbvString ||
			strlen(made->texts[known->attnum - 1]) != (size_t) value->val.string.len ||
			memcmp(made->texts[known->attnum - 1], value->val.string.val, value->val.string.len) != 0)
			return false;
	}
	return true;
}

/* Use a parent that was made before in this call; not one that is in the list. */
static bool
use_made(const Making *making, Shape *shape, const Reference *reference, const List *given, List **used, uint64 rows)
{
	ListCell   *lc;

	if (reference->distinct)
		return false;
	foreach(lc, making->parents)
	{
		Parent	   *made = lfirst(lc);
		Keys		keys = {1, palloc(sizeof(char **) * reference->count)};

		if (made->relid != reference->parent || list_member_ptr(*used, made) || !fits(made, reference, given))
			continue;
		for (int i = 0; i < reference->count; i++)
			keys.texts[i] = &made->texts[reference->keys[i] - 1];
		use_keys(shape, reference, &keys, rows);
		*used = lappend(*used, made);
		return true;
	}
	return false;
}

/* Return the entered value of the context for a reference to users or organizations, or NULL. */
static JsonbValue *
entered_key(const Slot *slot, const Reference *reference)
{
	const Agreement *agreement = dbkit_agreement();
	ListCell   *lc;

	if (!dbkit_context_is_entered() || reference->count != 1)
		return NULL;
	if (dbkit_is_organization_table(&dbkit_now, reference->parent))
		return dbkit_entered_organization() != NULL ? dbkit_json_text(dbkit_entered_organization()) : NULL;
	foreach(lc, agreement->user_columns)
	{
		if (strcmp(lfirst(lc), slot->name) == 0 && dbkit_is_user_table(&dbkit_now, reference->parent))
			return dbkit_entered_user() != NULL ? dbkit_json_text(dbkit_entered_user()) : NULL;
	}
	return NULL;
}

/* Use the entered organization and user. */
static void
use_context(Shape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);
		Slot	   *slot = dbkit_slot(shape, reference->columns[0]);
		JsonbValue *value;

		if (is_known(slot) || !dbkit_is_needed(shape, reference))
			continue;
		value = entered_key(slot, reference);
		if (value == NULL)
			continue;
		slot->filling = FILL_GIVEN;
		slot->constant = value;
		slot->overridden = true;
	}
}

/* Return what is being built of that table, or NULL. */
static Shape *
being_built(const Making *making, Oid relid)
{
	ListCell   *lc;

	foreach(lc, making->chain)
	{
		if (((Shape *) lfirst(lc))->relid == relid)
			return lfirst(lc);
	}
	return NULL;
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
static void
settle(const Shape *shape, Slot *slot, uint64 rows)
{
	if (is_known(slot))
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

/* Have each row reference itself. */
static void
reference_itself(Shape *shape, const Reference *reference, uint64 rows)
{
	for (int i = 0; i < reference->count; i++)
	{
		Slot	   *key = dbkit_slot(shape, reference->keys[i]);
		Slot	   *slot = dbkit_slot(shape, reference->columns[i]);

		if (is_known(slot))
			continue;
		settle(shape, key, rows);
		slot->filling = FILL_GIVEN;
		slot->constant = key->constant;
		slot->values = key->values;
	}
}

/* Have a constraint wait until all is inserted. */
static void
defer(Making *making, const Reference *reference)
{
	MemoryContext old;
	char	   *schema = get_namespace_name(reference->schema);

	if (reference->deferred || schema == NULL)
		return;
	old = MemoryContextSwitchTo(making->context);
	making->deferred = lappend(making->deferred, quote_qualified_identifier(schema, reference->name));
	MemoryContextSwitchTo(old);
	dbkit_run_utility(psprintf("SET CONSTRAINTS %s DEFERRED", (char *) llast(making->deferred)));
}

/* Return the values of a column that is settled, as text. */
static char **
settled_texts(const Slot *slot, uint64 rows)
{
	char	  **result;

	if (slot->values != NULL)
		return slot->values;
	result = palloc(sizeof(char *) * rows);
	for (uint64 row = 0; row < rows; row++)
		result[row] = slot->constant->type == jbvString ?
			pnstrdup(slot->constant->val.string.val, slot->constant->val.string.len) : NULL;
	return result;
}

/* Use the keys that parents would have, which a trigger is to insert. */
static void
foresee_parents(Making *making, Shape *shape, const Reference *reference, const List *given, uint64 rows)
{
	static const Variant usual;
	Shape	   *parent = dbkit_prepare_rows(making, reference->parent, rows, given, &usual);
	Keys		keys = {rows, palloc(sizeof(char **) * reference->count)};

	for (int i = 0; i < reference->count; i++)
	{
		Slot	   *key = dbkit_slot(parent, reference->keys[i]);

		settle(parent, key, rows);
		keys.texts[i] = settled_texts(key, rows);
		dbkit_slot(shape, reference->columns[i])->foreseen = true;
	}
	use_keys(shape, reference, &keys, rows);
}

/* Reference a row that is inserted later, since it needs this one. */
static void
reference_later(Making *making, Shape *shape, const Reference *reference, Shape *parent)
{
	Keys		keys = {1, palloc(sizeof(char **) * reference->count)};

	if (!reference->deferrable)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("tables %s and %s each need a row of the other first", shape->name, parent->name),
				 errdetail("The foreign key \"%s\" is not deferrable.", reference->name),
				 errhint("Give its columns in the overrides, or make the foreign key DEFERRABLE.")));
	defer(making, reference);
	for (int i = 0; i < reference->count; i++)
	{
		Slot	   *key = dbkit_slot(parent, reference->keys[i]);

		settle(parent, key, 1);
		keys.texts[i] = settled_texts(key, 1);
	}
	use_keys(shape, reference, &keys, 1);
}

/* Is the parent one that a trigger inserts, by another reference? */
static bool
is_foreseen(const Shape *shape, const Reference *reference)
{
	for (int i = 0; i < reference->count; i++)
	{
		if (dbkit_slot(shape, reference->columns[i])->foreseen)
			return true;
	}
	return false;
}

/* See to one reference. */
static void
fill_reference(Making *making, Shape *shape, Reference *reference, List **used, uint64 rows)
{
	List	   *given = given_to_parents(shape, reference);
	Shape	   *parent;
	int			made;

	if (reference->parent == shape->relid)
	{
		if (list_length(given) < reference->count || !use_any(shape, reference, shape, given, rows))
			reference_itself(shape, reference, rows);
		return;
	}
	parent = being_built(making, reference->parent);
	if (parent != NULL)
	{
		reference_later(making, shape, reference, parent);
		return;
	}
	if (use_made(making, shape, reference, given, used, rows))
		return;
	if (shape->variant->trusting && (reference->distinct || is_foreseen(shape, reference)))
	{
		foresee_parents(making, shape, reference, given, rows);
		return;
	}
	parent = dbkit_read_shape(reference->parent);
	dbkit_meet_checks(parent);
	if (use_existing(shape, reference, parent, given, rows))
		return;
	made = list_length(making->parents);
	make_parents(making, shape, reference, parent, given, rows);
	if (list_length(making->parents) > made)
		*used = lappend(*used, llast(making->parents));
}

/* Are all columns of the reference what the caller gave? */
static bool
is_overridden(const Shape *shape, const Reference *reference)
{
	for (int i = 0; i < reference->count; i++)
	{
		if (!dbkit_slot(shape, reference->columns[i])->overridden)
			return false;
	}
	return true;
}

/* Have the organization that the caller gave be that of the parents as well. */
static void
remember_tenant(Making *making, const Shape *shape)
{
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);
		const Slot *slot = dbkit_slot(shape, reference->columns[0]);
		MemoryContext old;
		Parent	   *given;

		if (reference->count != 1 || !slot->overridden || slot->constant == NULL || slot->constant->type != jbvString ||
			!dbkit_is_organization_table(&dbkit_now, reference->parent))
			continue;
		old = MemoryContextSwitchTo(making->context);
		given = palloc0(sizeof(Parent));
		given->relid = reference->parent;
		given->count = reference->keys[0];
		given->texts = palloc0(sizeof(char *) * given->count);
		given->texts[given->count - 1] = pnstrdup(slot->constant->val.string.val, slot->constant->val.string.len);
		making->parents = lappend(making->parents, given);
		MemoryContextSwitchTo(old);
	}
}

/* Find or make the rows that the foreign keys of a table need. */
void
dbkit_fill_references(Making *making, Shape *shape, uint64 rows)
{
	List	   *used = NIL;
	ListCell   *lc;

	use_context(shape);
	if (list_length(making->chain) == 1 && making->parents == NIL)
		remember_tenant(making, shape);
	foreach(lc, shape->references)
	{
		Reference  *reference = lfirst(lc);

		if (dbkit_is_needed(shape, reference) && !is_overridden(shape, reference))
			fill_reference(making, shape, reference, &used, rows);
	}
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
			given = lappend(given, given_to_parent(dbkit_slot(shape, reference->columns[i]), reference->columns[i]));
		if (look_up(shape, returning != NULL ? returning : dbkit_row_alias(shape), given, 1) > 0)
			return true;
	}
	return false;
}

/* Have the constraints as they were before. */
void
dbkit_finish_making(Making *making)
{
	ListCell   *lc;

	foreach(lc, making->deferred)
		dbkit_run_utility(psprintf("SET CONSTRAINTS %s IMMEDIATE", (char *) lfirst(lc)));
	making->deferred = NIL;
}
