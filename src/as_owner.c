/*-------------------------------------------------------------------------
 *
 * as_owner.c
 *		Run code of an object's owner with the owner's rights.
 *
 * As in ri_triggers.c and index.c: code that is reached from a table runs as
 * the table's owner, and cannot get back to the caller's rights, neither by
 * SET ROLE nor by something that runs after the operation.  Names without a
 * schema are looked up where only superusers write, so that the caller cannot
 * put functions of his own in the owner's way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "as_owner.h"
#include "cluster.h"

/*
 * Begin a security-restricted operation of this role.  An error on the way
 * leaves the clean-up to the (sub)transaction's end.
 */
void
dbkit_begin_as_owner(Oid owner, int extra_flags, AsOwner *saved)
{
	saved->nest_level = NewGUCNestLevel();
	GetUserIdAndSecContext(&saved->caller, &saved->security_context);
	SetUserIdAndSecContext(owner, saved->security_context | extra_flags |
						   SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_RESTRICTED_OPERATION);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (dbkit_cluster_is_loaded)
		dbkit_work_in_sequence();
}

/* Go back to what the caller was. */
void
dbkit_end_as_owner(const AsOwner *saved)
{
	AtEOXact_GUC(false, saved->nest_level);
	SetUserIdAndSecContext(saved->caller, saved->security_context);
}
