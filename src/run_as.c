/*-------------------------------------------------------------------------
 *
 * run_as.c
 *		Run a script as another role: dbkit.run_as().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "common.h"
#include "as_owner.h"
#include "context/context.h"

/* Ensure that the caller may SET ROLE, now and to that role. */
static void
require_set_role(Oid role, const char *name)
{
	if (InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("dbkit.run_as() cannot be called within a security-restricted operation")));
	if (dbkit_context_is_entered())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("dbkit.run_as() is not allowed while a tenant context is entered")));
	if (!dbkit_member_can_set_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to run a script as role \"%s\"", name)));
}

PG_FUNCTION_INFO_V1(dbkit_run_as);

/*
 * dbkit.run_as(role name, script text) returns void
 *
 * Runs the statements of a script as a role that the caller can SET ROLE to: with its rights
 * alone, in a security-restricted operation, names being looked up in pg_catalog.  Settings
 * that the script changes are as before afterwards.  Errors: undefined_object,
 * insufficient_privilege, feature_not_supported.
 */
Datum
dbkit_run_as(PG_FUNCTION_ARGS)
{
	const char *name = NameStr(*PG_GETARG_NAME(0));
	const char *script = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Oid			role = get_role_oid(name, false);
	AsOwner		saved;

	require_set_role(role, name);
	dbkit_begin_as_owner(role, 0, &saved);
	SPI_connect();
	if (SPI_execute(script, false, 0) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the script of dbkit.run_as() has a statement that cannot be part of one"),
				 errdetail("Transaction control and COPY with the client are not possible there.")));
	SPI_finish();
	dbkit_end_as_owner(&saved);
	PG_RETURN_VOID();
}
