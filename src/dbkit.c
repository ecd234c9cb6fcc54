/*-------------------------------------------------------------------------
 *
 * dbkit.c
 *		Module entry: a table of contents of what has to be set up when the
 *		library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "dbkit.h"
#include "convention/enforce.h"
#include "convention/rules.h"

DBKIT_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	dbkit_context_init();		/* first, because it may refuse to load */
	dbkit_rules_init();
	dbkit_enforce_init();
	dbkit_lock_init();

	MarkGUCPrefixReserved("dbkit");
}
