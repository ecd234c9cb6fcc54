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

#include "cluster.h"
#include "common.h"
#include "audit/ddl_log.h"
#include "audit/keep.h"
#include "audit/merge.h"
#include "context/context.h"
#include "context/forward.h"
#include "context/guard.h"
#include "context/signature.h"
#include "convention/agreed_names.h"
#include "convention/agreement.h"
#include "convention/change/change.h"
#include "convention/changed.h"
#include "convention/commit.h"
#include "convention/facts/rows.h"
#include "convention/held_locks.h"
#include "convention/levels.h"
#include "convention/own_objects.h"
#include "convention/reserved.h"
#include "convention/rules/locks.h"
#include "convention/rules/rules.h"
#include "convention/rules/size_limits.h"
#include "health/health.h"
#include "lock/name.h"
#include "settings.h"

DBKIT_MODULE_MAGIC;

void		_PG_init(void);

/*
 * Make sure that the library is set up once only.
 *
 * After an error in _PG_init PostgreSQL calls it again when the library is next
 * needed, but the settings cannot be defined twice, and the hooks would call
 * themselves.
 */
static void
begin_once(void)
{
	static bool begun = false;

	if (begun)
		ereport(FATAL,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dbkit could not be loaded completely in this session"),
				 errhint("Connect again.")));
	begun = true;
}

void
_PG_init(void)
{
	dbkit_check_settings();		/* first, because it may refuse to load */
	begin_once();

	dbkit_cluster_init();
	dbkit_signature_init();
	dbkit_context_init(dbkit_settings_are_reserved);
	dbkit_forward_init();
	dbkit_guard_init();
	dbkit_rules_init();
	dbkit_agreement_init();
	dbkit_levels_init();
	dbkit_agreed_names_init();
	dbkit_size_limits_init();
	dbkit_lock_rules_init();
	dbkit_own_objects_init();
	dbkit_reserved_init();
	dbkit_rows_init();
	dbkit_changed_init();
	dbkit_held_locks_init();	/* callbacks run the last one first */
	dbkit_commit_init();
	dbkit_change_init();
	dbkit_lock_names_init();
	dbkit_thresholds_init();
	dbkit_audit_keep_init();
	dbkit_audit_merge_init();
	dbkit_ddl_log_init();

	MarkGUCPrefixReserved("dbkit");
}
