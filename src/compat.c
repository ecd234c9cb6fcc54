/*-------------------------------------------------------------------------
 *
 * compat.c
 *		What older PostgreSQL versions do not export.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/guc_tables.h"

#include "compat.h"

#if PG_VERSION_NUM < 160000
/* Find a setting by its name, as find_option does where it is exported */
struct config_generic *
dbkit_find_option_among(const char *name, struct config_generic **settings, int count)
{
	for (int i = 0; i < count; i++)
		if (pg_strcasecmp(settings[i]->name, name) == 0)
			return settings[i];
	return NULL;
}
#endif
