/*-------------------------------------------------------------------------
 *
 * seal.c
 *		What seals of the log of changes, and what empties it, do in C.
 *
 * The seals themselves are SQL, in the install script, so that whoever doubts one
 * can follow how it came about.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "common.h"
#include "audit/log.h"
#include "audit/months.h"

/*
 * Ensure that the caller may do this to the log, and that each of its statements sees
 * what was committed while the one before it waited for a lock.
 */
static void
check_caller(void)
{
	if (!superuser())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to seal, empty or erase the log of changes"),
				 errdetail("Only superusers may.")));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("the log of changes has to be sealed, emptied and erased under READ COMMITTED"),
				 errdetail("Under another isolation level, entries that are committed meanwhile are not seen."),
				 errhint("Begin the transaction with BEGIN ISOLATION LEVEL READ COMMITTED.")));
}

PG_FUNCTION_INFO_V1(dbkit_audit_months);

/* dbkit.audit_months() returns void: make the partitions of the months to come. */
Datum
dbkit_audit_months(PG_FUNCTION_ARGS)
{
	check_caller();
	SPI_connect();
	dbkit_make_audit_months();
	SPI_finish();
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_audit_note);

/* dbkit.audit_note(operation text, row_id text, details jsonb) returns void: write what was done to the log into it. */
Datum
dbkit_audit_note(PG_FUNCTION_ARGS)
{
	char	   *name;

	check_caller();
	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("what is noted must not be null")));
	name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	for (AuditOperation operation = AUDIT_ERASE; operation <= AUDIT_TRIM; operation++)
	{
		if (strcmp(name, dbkit_audit_operation_name(operation)) != 0)
			continue;
		dbkit_write_audit_mark(InvalidOid, operation, PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), PG_GETARG_JSONB_P(2));
		PG_RETURN_VOID();
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("dbkit.audit_note() does not write \"%s\"", name),
			 errdetail("It is called by dbkit.audit_erase() and dbkit.audit_trim().")));
	PG_RETURN_VOID();
}
