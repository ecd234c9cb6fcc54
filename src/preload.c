/*-------------------------------------------------------------------------
 *
 * preload.c
 *		Whether every session loads dbkit before it does anything else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"
#include "utils/varlena.h"

#include "common.h"
#include "preload.h"

/* Is it the file name of dbkit's library, with or without directory and suffix? */
static bool
is_own_library(const char *path)
{
	const char *name = last_dir_separator(path);

	name = name != NULL ? name + 1 : path;
	return strcmp(name, "dbkit") == 0 || strcmp(name, "dbkit" DLSUFFIX) == 0;
}

/* Does a list of libraries to preload have dbkit?  It is read as load_libraries() does. */
bool
dbkit_is_among(const char *libraries)
{
	List	   *paths;
	ListCell   *lc;

	if (libraries == NULL || !SplitDirectoriesString(pstrdup(libraries), ',', &paths))
		return false;
	foreach(lc, paths)
	{
		if (is_own_library(lfirst(lc)))
			return true;
	}
	return false;
}

/*
 * Do all sessions of this database load dbkit when they begin?  What this role or
 * connection alone has in session_preload_libraries does not count.
 */
bool
dbkit_is_preloaded(void)
{
	const struct config_generic *of_session = dbkit_find_option("session_preload_libraries");

	return dbkit_is_among(shared_preload_libraries_string) ||
		(of_session->reset_source <= PGC_S_DATABASE &&
		 dbkit_is_among(((const struct config_string *) of_session)->reset_val));
}
