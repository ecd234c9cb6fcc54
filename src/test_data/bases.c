/*-------------------------------------------------------------------------
 *
 * bases.c
 *		Rows of base tables, which triggers of their subtypes insert.
 *
 * A table whose own key references the key of another one is a subtype of that.  Often a
 * BEFORE trigger inserts the row of the base, and a row that is there already would be in its
 * way.  So the keys are settled that this row will have, and no row is made of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"

#include "common.h"
#include "test_data/bases.h"
#include "test_data/find.h"
#include "test_data/insert.h"

/* Return what the columns are called in the parent; NULL if the reference lacks one of them. */
static Bitmapset *
translate(const Reference *reference, const Bitmapset *columns)
{
	Bitmapset  *result = NULL;
	int			found = 0;

	for (int i = 0; i < reference->count; i++)
	{
		if (!bms_is_member(reference->columns[i], columns))
			continue;
		result = bms_add_member(result, reference->keys[i]);
		found++;
	}
	return found == bms_num_members(columns) ? result : NULL;
}

/* Is one of the unique keys among the columns? */
static bool
has_key_within(const Shape *shape, const Bitmapset *columns)
{
	ListCell   *lc;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (unique->total && bms_is_subset(unique->columns, columns))
			return true;
	}
	return false;
}

/* Is the key by which rows are told apart also the one of the parent? */
static bool
leads_to_base(const Shape *shape, const Reference *reference)
{
	const Shape *parent = dbkit_read_shape(reference->parent);
	ListCell   *lc;

	foreach(lc, shape->uniques)
	{
		const UniqueKey *unique = lfirst(lc);

		if (unique->total && has_key_within(parent, translate(reference, unique->columns)))
			return true;
	}
	return false;
}

/* Find out which references lead to the base of a subtype; all that lead to its table do. */
void
dbkit_find_bases(Shape *shape)
{
	List	   *bases = NIL;
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);

		if (reference->parent != shape->relid && leads_to_base(shape, reference))
			bases = list_append_unique_oid(bases, reference->parent);
	}
	foreach(lc, shape->references)
	{
		Reference  *reference = lfirst(lc);

		reference->base = list_member_oid(bases, reference->parent);
	}
	shape->is_subtype = bases != NIL;
}

/* Does a column of the reference get another default each time? */
static bool
is_by_default(const Shape *shape, const Reference *reference)
{
	for (int i = 0; i < reference->count; i++)
	{
		const Slot *slot = dbkit_slot(shape, reference->columns[i]);

		if (slot->filling == FILL_DEFAULT && slot->volatile_default)
			return true;
	}
	return false;
}

/* Will a trigger insert the row that is referenced?  It has to if the key is a new one by default. */
bool
dbkit_is_foreseen(const Shape *shape, const Reference *reference)
{
	return shape->has_triggers && reference->base &&
		(is_by_default(shape, reference) || (shape->variant->trusting && dbkit_is_needed(shape, reference)));
}

/* Return the column of another table that a trigger is likely to copy: it has the same name and type; or NULL. */
static Slot *
namesake(const Shape *shape, const Slot *slot)
{
	Slot	   *found = slot->attnum != 0 ? dbkit_find_slot(shape, slot->name) : NULL;

	return found != NULL && found->base_type == slot->base_type ? found : NULL;
}

/* Is there something about the column yet? */
static bool
is_given(const List *given, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, given)
	{
		if (((Given *) lfirst(lc))->attnum == attnum)
			return true;
	}
	return false;
}

/* Return what is known of the row of a base, by all references to it and by names. */
static List *
given_to_base(const Shape *shape, const Shape *parent)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);

		if (reference->parent == parent->relid)
			result = list_concat(result, dbkit_given_to_parents(shape, reference));
	}
	for (int i = 0; i < shape->count; i++)
	{
		const Slot *copied = namesake(parent, &shape->slots[i]);

		if (copied != NULL && dbkit_is_known(&shape->slots[i]) && !is_given(result, copied->attnum))
			result = lappend(result, dbkit_given_to_parent(&shape->slots[i], copied->attnum));
	}
	return result;
}

/* Is the column part of a foreign key? */
static bool
is_link(const Shape *shape, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);

		for (int i = 0; i < reference->count; i++)
		{
			if (reference->columns[i] == attnum)
				return true;
		}
	}
	return false;
}

/* Have the columns that a trigger copies be what foreign keys of the base need. */
static void
copy_from_base(Shape *shape, const Shape *parent)
{
	for (int i = 0; i < shape->count; i++)
	{
		Slot	   *slot = &shape->slots[i];
		const Slot *copied = namesake(parent, slot);

		if (copied == NULL || !is_link(parent, copied->attnum) || !dbkit_is_known(copied) || dbkit_is_known(slot) || slot->filling != FILL_VALUE)
			continue;
		slot->filling = FILL_GIVEN;
		slot->constant = copied->constant;
		slot->values = copied->values;
	}
}

/* Is something asked of the texts of a column? */
static bool
has_pattern(const Limits *limits)
{
	return limits->like != NULL || limits->regex != NULL || limits->id_prefix != NULL;
}

/* Settle what the subtype asks more of than the base does. */
static void
settle_patterns(Shape *shape, const Shape *parent, uint64 rows)
{
	for (int i = 0; i < shape->count; i++)
	{
		Slot	   *slot = &shape->slots[i];
		const Slot *copied = namesake(parent, slot);

		if (copied == NULL || slot->filling != FILL_VALUE || !has_pattern(&slot->limits) ||
			has_pattern(&copied->limits) || is_link(parent, copied->attnum))
			continue;
		dbkit_settle(shape, slot, rows);
	}
}

/* Settle the keys that the row of a base will have. */
static void
foresee_base(Making *making, Shape *shape, Oid base, uint64 rows)
{
	static const Variant trusting = {.trusting = true};
	Shape	   *parent = dbkit_read_shape(base);
	ListCell   *lc;

	dbkit_meet_checks(parent);
	settle_patterns(shape, parent, rows);
	parent = dbkit_prepare_rows(making, base, rows, given_to_base(shape, parent), &trusting);

	foreach(lc, shape->references)
	{
		Reference  *reference = lfirst(lc);
		Keys		keys = {rows, palloc(sizeof(char **) * reference->count)};

		if (reference->parent != base)
			continue;
		for (int i = 0; i < reference->count; i++)
		{
			Slot	   *key = dbkit_slot(parent, reference->keys[i]);

			dbkit_settle(parent, key, rows);
			keys.texts[i] = dbkit_settled_texts(key, rows);
		}
		reference->distinct = true;
		dbkit_use_keys(shape, reference, &keys, rows);
	}
	copy_from_base(shape, parent);
}

/* Settle the keys of the bases.  All other parents come before: what they have, the base will have too. */
void
dbkit_foresee_bases(Making *making, Shape *shape, uint64 rows)
{
	List	   *done = NIL;
	ListCell   *lc;

	foreach(lc, shape->references)
	{
		const Reference *reference = lfirst(lc);

		if (!dbkit_is_foreseen(shape, reference) || list_member_oid(done, reference->parent))
			continue;
		done = lappend_oid(done, reference->parent);
		foresee_base(making, shape, reference->parent, rows);
	}
}

/* A subtype of a table, with the reference that makes it one */
typedef struct Subtype
{
	const Shape *shape;
	const Reference *reference;
} Subtype;

/* Return the subtypes of a table whose triggers may insert its rows: Subtype *. */
static List *
subtypes_of(Oid relid)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, dbkit_referencing_tables(relid))
	{
		const Shape *shape = dbkit_read_shape(lfirst_oid(lc));
		ListCell   *lc2;

		foreach(lc2, shape->has_triggers ? shape->references : NIL)
		{
			const Reference *reference = lfirst(lc2);
			Subtype    *subtype;

			if (reference->parent != relid || !leads_to_base(shape, reference))
				continue;
			subtype = palloc(sizeof(Subtype));
			subtype->shape = shape;
			subtype->reference = reference;
			result = lappend(result, subtype);
			break;
		}
	}
	return result;
}

/* Return what is given of a base, for its subtype. */
static List *
given_to_subtype(const Subtype *subtype, const Shape *base, const List *given)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, given)
	{
		Given	   *known = memcpy(palloc(sizeof(Given)), lfirst(lc), sizeof(Given));
		const Slot *copied = namesake(subtype->shape, dbkit_slot(base, known->attnum));

		if (copied == NULL)
			continue;
		known->attnum = copied->attnum;
		result = lappend(result, known);
	}
	return result;
}

/* Return what is known of the base of a row that was just made, whose key is what was returned. */
static List *
given_by_subtype(const Subtype *subtype, const Bitmapset *columns)
{
	const Reference *reference = subtype->reference;
	List	   *result = NIL;

	for (int i = 0; i < reference->count; i++)
	{
		Given	   *given = palloc0(sizeof(Given));
		int			place = bms_member_index(unconstify(Bitmapset *, columns), reference->columns[i]) + 1;

		given->attnum = reference->keys[i];
		given->constant = dbkit_json_text(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, place));
		result = lappend(result, given);
	}
	return result;
}

/* A row of a subtype that is to be made, which may fail */
typedef struct Specific
{
	Making	   *making;
	const Subtype *subtype;
	Bitmapset  *columns;		/* of its reference to the base */
	List	   *given;
	List	   *known;			/* of the base, when it is there */
}			Specific;

/* Make a row of a subtype; an attempt. */
static void
build_specific(void *arg)
{
	Specific   *specific = arg;
	const Shape *shape = specific->subtype->shape;

	dbkit_build_rows(specific->making, shape->relid, 1, specific->given, NULL, dbkit_columns_as_text(shape, specific->columns, ""));
	specific->known = given_by_subtype(specific->subtype, specific->columns);
	SPI_freetuptable(SPI_tuptable);
}

/* Return the subtype by which a base is made, or NULL. */
static const Subtype *
choose_subtype(const Making *making, Oid base)
{
	List	   *subtypes = subtypes_of(base);
	const Subtype *result = subtypes != NIL ? list_nth(subtypes, (making->specific - 1) % list_length(subtypes)) : NULL;

	return result != NULL && dbkit_being_built(making, result->shape->relid) == NULL ? result : NULL;
}

/*
 * Make a parent by a row of one of its subtypes, where bases are to be made so.  False where
 * the parent is no base, or that of this row, or each row is to have its own.
 */
bool
dbkit_make_specific(Making *making, Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows)
{
	Specific	specific = {making, NULL, NULL, NIL, NIL};

	if (making->specific > 0 && list_length(making->chain) <= making->specific_depth && !reference->base && (rows == 1 || !reference->distinct))
		specific.subtype = choose_subtype(making, parent->relid);
	if (specific.subtype == NULL)
		return false;
	for (int i = 0; i < specific.subtype->reference->count; i++)
		specific.columns = bms_add_member(specific.columns, specific.subtype->reference->columns[i]);
	specific.given = given_to_subtype(specific.subtype, parent, given);
	return dbkit_attempt_making(making, build_specific, &specific) == NULL &&
		dbkit_use_any(shape, reference, parent, specific.known, rows);
}
