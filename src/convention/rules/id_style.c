/*-------------------------------------------------------------------------
 *
 * id_style.c
 *		What ids and the columns that hold them look like.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/columns.h"
#include "convention/facts/type_walk.h"
#include "convention/rules/id_style.h"

static const IdType types[] = {
	[ID_PREFIXED] = {TEXTOID, C_COLLATION_OID, DBKIT_ID_TYPE, DBKIT_ID_TYPE " PRIMARY KEY", NULL},
	[ID_UUID] = {UUIDOID, InvalidOid, "uuid", "uuid PRIMARY KEY DEFAULT gen_random_uuid()", "DEFAULT gen_random_uuid()"},
	[ID_BIGINT] = {INT8OID, InvalidOid, "bigint", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "GENERATED ALWAYS AS IDENTITY"},
	[ID_ANY] = {InvalidOid, InvalidOid, NULL, NULL, NULL},
};

/* Return the type of ids. */
const IdType *
dbkit_id_type(void)
{
	return &types[dbkit_agreement()->id_style];
}

/* Are ids text with a prefix? */
bool
dbkit_ids_are_prefixed(void)
{
	return dbkit_agreement()->id_style == ID_PREFIXED;
}

/* Return the first of the suffixes that the name ends with, or NULL. */
static const char *
find_suffix(const List *suffixes, const char *name)
{
	ListCell   *lc;

	foreach(lc, suffixes)
	{
		if (dbkit_ends_with(name, lfirst(lc)))
			return lfirst(lc);
	}
	return NULL;
}

/* Is it the name of an id from another system? */
static bool
is_extid(const char *name)
{
	return find_suffix(dbkit_agreement()->extid_suffixes, name) != NULL;
}

/* Return the suffix by which a name says that the column holds an id of ours, or NULL. */
const char *
dbkit_id_suffix(const char *name)
{
	return is_extid(name) ? NULL : find_suffix(dbkit_agreement()->id_suffixes, name);
}

/* Does a name say that the column holds an id, of ours or of another system? */
bool
dbkit_is_id_name(const char *name)
{
	return dbkit_id_suffix(name) != NULL || is_extid(name);
}

/* Does a suffix begin a new word as the other one does: _id and _extid, Id and Extid? */
static bool
is_same_style(const char *suffix, const char *other)
{
	return (suffix[0] == '_') == (other[0] == '_');
}

/* Return the suffix of ids from other systems that is written as the suffix of ours. */
static const char *
find_extid_suffix(const char *suffix)
{
	ListCell   *lc;

	foreach(lc, dbkit_agreement()->extid_suffixes)
	{
		if (is_same_style(suffix, lfirst(lc)))
			return lfirst(lc);
	}
	return suffix[0] == '_' ? "_extid" : "Extid";
}

/* Return the name of a column with that suffix if its ids come from another system. */
char *
dbkit_extid_name(const char *name, const char *suffix)
{
	return psprintf("%.*s%s", (int) (strlen(name) - strlen(suffix)), name, find_extid_suffix(suffix));
}

/*
 * Return how to write the type of a column that references a key, with the collation where that
 * is not the type's or is what is wrong; NULL where it is gone.
 */
const char *
dbkit_write_key_type(const Facts *facts, const ColumnFacts *column, const ColumnFacts *key)
{
	Form_pg_type type = dbkit_catalog_type(facts->catalogs, key->base_type);
	const char *name = dbkit_short_type_name(key->base_type);
	const char *collation;

	if (type != NULL && key->collation == type->typcollation && column->base_type != key->base_type)
		return name;
	collation = OidIsValid(key->collation) ? dbkit_collation_sql(key->collation) : NULL;
	if (collation == NULL)
		return OidIsValid(key->collation) ? NULL : name;
	return psprintf("%s COLLATE %s", name, collation);
}

/* Tell the type of the column that a column references; false where it references none. */
static bool
find_key_type(const Facts *facts, const ColumnFacts *column, IdType *wanted)
{
	ColumnFacts key;

	if (!dbkit_find_reference(facts, column, &key))
		return false;
	wanted->type = key.base_type;
	wanted->collation = key.collation;
	wanted->definition = dbkit_write_key_type(facts, column, &key);
	return wanted->definition != NULL;
}

/*
 * Tell the type that a column is to have because it holds an id: that of the key that it
 * references, or that of ids.  False where it may have any.
 */
bool
dbkit_find_id_type(const Facts *facts, const ColumnFacts *column, IdType *wanted)
{
	bool		own = strcmp(column->name, "id") == 0 || dbkit_id_suffix(column->name) != NULL;

	*wanted = *dbkit_id_type();
	if (dbkit_ids_are_prefixed())
		return own || is_extid(column->name);
	if (find_key_type(facts, column, wanted))
		return true;
	return own && OidIsValid(wanted->type);
}

/* May a foreign key of a later statement settle what is wrong now?  Prefixed ids are text whatever they reference. */
bool
dbkit_keys_may_come_later(void)
{
	return !dbkit_ids_are_prefixed() || dbkit_agreement()->composite_keys;
}

/* May a foreign key, which often comes in a later statement, change what type is wanted? */
bool
dbkit_waits_for_key(const Facts *facts, const ColumnFacts *column)
{
	return !dbkit_ids_are_prefixed() && dbkit_id_suffix(column->name) != NULL &&
		!dbkit_is_reference(facts, column);
}

/* May a change of what it references change that? */
bool
dbkit_waits_for_other_end(const Facts *facts, const ColumnFacts *column)
{
	return !dbkit_ids_are_prefixed() && dbkit_is_reference(facts, column);
}

/* Has the column that type? */
bool
dbkit_has_type(const ColumnFacts *column, const IdType *type)
{
	return column->base_type == type->type &&
		(!OidIsValid(type->collation) || column->collation == type->collation);
}
