/*-------------------------------------------------------------------------
 *
 * statement_option.c
 *		Options of statements, such as VACUUM (FULL).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/defrem.h"
#include "nodes/parsenodes.h"

#include "statement_option.h"

/* Is an option (DefElem) of a statement there, and not switched off?  Of several the last one counts, as for PostgreSQL. */
bool
dbkit_has_option(const List *options, const char *name)
{
	bool		result = false;
	ListCell   *lc;

	foreach(lc, options)
	{
		if (strcmp(lfirst_node(DefElem, lc)->defname, name) == 0)
			result = defGetBoolean(lfirst(lc));
	}
	return result;
}
