/*-------------------------------------------------------------------------
 *
 * settings.c
 *		Check what a session chose of dbkit's settings before the library was loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/guc_tables.h"

#include "common.h"
#include "settings.h"

/*
 * Fail if a setting that only the server's configuration may make came from
 * the connection's startup options, a role or a database.
 *
 * Before the library is loaded PostgreSQL accepts it from there, and when the
 * setting is defined it would drop that value with a warning, and with it the
 * one from postgresql.conf that it had replaced.
 */
static void
refuse_session_setting(const char *name)
{
	struct config_generic *record = dbkit_find_option(name);

	if (record && record->reset_source > PGC_S_ARGV)
		ereport(ERROR,
				(errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM),
				 errmsg("parameter \"%s\" can only be set in the server's configuration", name),
				 errhint("Remove it from the connection's options and from ALTER ROLE and ALTER DATABASE.")));
}

/*
 * Fail if the connection's startup options have a setting that their role may
 * not set.
 *
 * They come before ALTER ROLE and ALTER DATABASE (InitPostgres), and a client's
 * value outranks theirs, so that PostgreSQL keeps it only.  It would drop that
 * value, too, when the setting is defined (define_custom_variable in guc.c), and
 * the compiled-in default would win.  What SET has changed since is dropped as
 * well, but then the value before it comes back.
 */
static void
check_startup_option(struct config_generic *record)
{
	if (record->reset_source != PGC_S_CLIENT || record->reset_scontext != PGC_BACKEND ||
		pg_parameter_aclcheck(record->name, record->reset_srole, ACL_SET) == ACLCHECK_OK)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to set parameter \"%s\"", record->name),
			 errhint("Remove it from the connection's options.")));
}

/* Fail, before anything is set up, if the session chose what it may not */
void
dbkit_check_settings(void)
{
	static const char *const of_server[] = {
		"dbkit.user_setting", "dbkit.organization_setting", "dbkit.context_key_file",
		"dbkit.required_rules"
	};
	int			count;
	struct config_generic **settings = dbkit_settings(&count);

	for (int i = 0; i < (int) lengthof(of_server); i++)
		refuse_session_setting(of_server[i]);

	/* All others of dbkit are for superusers, so a list of them is not needed */
	for (int i = 0; i < count; i++)
	{
		if (pg_strncasecmp(settings[i]->name, "dbkit.", strlen("dbkit.")) == 0)
			check_startup_option(settings[i]);
	}
}
