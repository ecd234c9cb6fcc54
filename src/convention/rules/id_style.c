/*-------------------------------------------------------------------------
 *
 * id_style.c
 *		What ids and the columns that hold them look like.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/rules/id_style.h"

static int	id_style = ID_PREFIXED;

static const struct config_enum_entry id_style_options[] = {
	{"prefixed", ID_PREFIXED, false},
	{"uuid", ID_UUID, false},
	{NULL, 0, false}
};

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
	return id_style == ID_UUID;
}

/* Return the type that a column of that name is to have, or NULL for any. */
const char *
dbkit_id_type(const char *column)
{
	if (!dbkit_is_id_name(column))
		return NULL;
	return id_style == ID_UUID && strcmp(column, "id") == 0 ? "uuid" : DBKIT_ID_TYPE;
}

/* Return the type of a column that references an id. */
const char *
dbkit_reference_type(void)
{
	return id_style == ID_UUID ? "uuid" : DBKIT_ID_TYPE;
}

/* Define the settings of this module. */
void
dbkit_id_style_init(void)
{
	/* For teams that have UUID keys and want everything else. */
	DefineCustomEnumVariable("dbkit.id_style",
							 "Whether ids are prefixed text or UUIDs.",
							 NULL,
							 &id_style,
							 ID_PREFIXED,
							 id_style_options,
							 PGC_SUSET,
							 DBKIT_SETTING,
							 NULL, NULL, NULL);
}
