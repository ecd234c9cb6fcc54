/*-------------------------------------------------------------------------
 *
 * id_style.c
 *		What ids and the columns that hold them look like.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/rules/id_style.h"

/* Is it a column that holds an id: id itself, *_id or *_extid? */
bool
dbkit_is_id_name(const char *name)
{
	return strcmp(name, "id") == 0 ||
		dbkit_ends_with(name, "_id") || dbkit_ends_with(name, "_extid");
}

/* Are ids UUIDs, rather than prefixed text? */
bool
dbkit_ids_are_uuids(void)
{
	return dbkit_agreement()->id_style == ID_UUID;
}

/* Return the type that a column of that name is to have, or NULL for any. */
const char *
dbkit_id_type(const char *column)
{
	if (!dbkit_is_id_name(column))
		return NULL;
	return dbkit_ids_are_uuids() && strcmp(column, "id") == 0 ? "uuid" : DBKIT_ID_TYPE;
}

/* Return the type of a column that references an id. */
const char *
dbkit_reference_type(void)
{
	return dbkit_ids_are_uuids() ? "uuid" : DBKIT_ID_TYPE;
}
