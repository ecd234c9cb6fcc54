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

#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "context/context.h"
#include "convention/agreement.h"
#include "convention/listed_names.h"
#include "sql.h"
#include "test_data/bases.h"
#include "test_data/demands.h"
#include "test_data/find.h"
#include "test_data/insert.h"

/* A row that was made as a parent */
typedef struct Parent
{
	Oid			relid;
	int			count;			/* of its columns */
	char	  **texts;			/* by attnum - 1; NULL for what is not known */
} Parent;

/* Return all columns of a table that foreign keys to it may have. */
static Bitmapset *
referenceable_columns(const Shape *shape, const Reference *reference)
{
	Bitmapset  *result = dbkit_key_columns(reference);
	ListCell   *lc;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (!unique->expressions)
			result = bms_add_members(result, unique->columns);
	}
	return result;
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

	dbkit_build_rows(parents->making, parents->reference->parent, parents->count, parents->given, dbkit_key_columns(parents->reference),
					 parents->returning);
	parents->returned = SPI_tuptable;
}

/* Make parents: one, or one for each row; where that cannot be done, others that are there will do. */
static void
make_parents(Making *making, Shape *shape, Reference *reference, const Shape *parent, List *given, uint64 rows)
{
	Bitmapset  *columns = referenceable_columns(parent, reference);
	uint64		count = reference->distinct ? rows : 1;
	Parents		parents = {making, reference, count, given, dbkit_columns_as_text(parent, columns, ""), NULL};
	ErrorData  *error = dbkit_attempt_making(making, build_parents, &parents);
	Keys		keys;

	if (error != NULL)
	{
		if (!dbkit_use_any(shape, reference, parent, given, rows))
			ReThrowError(error);
		return;
	}
	reference->made = true;
	SPI_tuptable = parents.returned;
	keys = dbkit_take_keys(reference, columns, count);
	if (count == 1)
		remember(making, parent, columns);
	SPI_freetuptable(SPI_tuptable);
	dbkit_use_keys(shape, reference, &keys, rows);
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
		dbkit_use_keys(shape, reference, &keys, rows);
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

		if (dbkit_is_known(slot) || !dbkit_is_needed(shape, reference))
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
Shape *
dbkit_being_built(const Making *making, Oid relid)
{
	ListCell   *lc;

	foreach(lc, making->chain)
	{
		if (((Shape *) lfirst(lc))->relid == relid)
			return lfirst(lc);
	}
	return NULL;
}

/* Have each row reference itself. */
static void
reference_itself(Shape *shape, const Reference *reference, uint64 rows)
{
	for (int i = 0; i < reference->count; i++)
	{
		Slot	   *key = dbkit_slot(shape, reference->keys[i]);
		Slot	   *slot = dbkit_slot(shape, reference->columns[i]);

		if (dbkit_is_known(slot))
			continue;
		dbkit_settle(shape, key, rows);
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
		const Slot *slot = dbkit_slot(shape, reference->columns[i]);

		if (dbkit_is_known(slot) && !dbkit_is_known(key))
			key->constant = dbkit_json_text(dbkit_settled_texts(slot, 1)[0]);
		dbkit_settle(parent, key, 1);
		keys.texts[i] = dbkit_settled_texts(key, 1);
	}
	dbkit_use_keys(shape, reference, &keys, 1);
}

/* See to one reference. */
static void
fill_reference(Making *making, Shape *shape, Reference *reference, List **used, uint64 rows)
{
	List	   *given = dbkit_given_to_parents(shape, reference);
	Shape	   *parent;
	int			made;

	if (reference->parent == shape->relid)
	{
		if (list_length(given) < reference->count || !dbkit_use_any(shape, reference, shape, given, rows))
			reference_itself(shape, reference, rows);
		return;
	}
	parent = dbkit_being_built(making, reference->parent);
	if (parent != NULL)
	{
		reference_later(making, shape, reference, parent);
		return;
	}
	if (use_made(making, shape, reference, given, used, rows))
		return;
	parent = dbkit_read_shape(reference->parent);
	dbkit_meet_checks(parent);
	if (dbkit_use_existing(shape, reference, parent, given, rows) ||
		dbkit_make_specific(making, shape, reference, parent, given, rows))
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

		if (dbkit_is_needed(shape, reference) && !is_overridden(shape, reference) &&
			!dbkit_is_foreseen(shape, reference))
		{
			dbkit_share_values(shape);
			fill_reference(making, shape, reference, &used, rows);
		}
	}
	dbkit_share_values(shape);
	dbkit_foresee_bases(making, shape, rows);
	dbkit_share_values(shape);
}

/* Have the constraints as they were before. */
void
dbkit_finish_making(Making *making)
{
	ListCell   *lc;

	foreach(lc, making->deferred)
		dbkit_run_utility(psprintf("SET CONSTRAINTS %s IMMEDIATE", (char *) lfirst(lc)));
	making->deferred = NIL;
	dbkit_meet_demands(making);
	making->attempts = 0;
}
