/*-------------------------------------------------------------------------
 *
 * fix.c
 *		Fix what is at level "fix".
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "as_owner.h"
#include "convention/fix.h"
#include "convention/report.h"
#include "convention/rules/rules.h"
#include "sql.h"

/* Run SQL as the owner of an object. */
static void
run_as_owner(const char *sql, Oid owner)
{
	AsOwner		saved;

	dbkit_begin_as_owner(owner, 0, &saved);
	SPI_connect();
	(void) dbkit_run_sql(DBKIT_ANY_RESULT, sql, 0, NULL, NULL, NULL);
	SPI_finish();
	dbkit_end_as_owner(&saved);
	CommandCounterIncrement();
}

/* Say of an error in a fix which one it was. */
static void
fix_error_context(void *arg)
{
	const Finding *finding = arg;

	errcontext("fix for the schema convention \"%s\" of \"%s.%s\" (%s)",
			   finding->rule->id, finding->facts->schema, finding->facts->name,
			   finding->problem);
}

/* Run the fix of one finding, and say so. */
static void
run_fix(Finding *finding, const char *sql)
{
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = fix_error_context,
		.arg = finding
	};

	error_context_stack = &callback;
	run_as_owner(sql, finding->facts->owner);
	error_context_stack = callback.previous;

	ereport(NOTICE,
			(errmsg("fixed the schema convention \"%s\" of %s \"%s.%s\"",
					finding->rule->id, dbkit_kind_name(finding->facts->kind),
					finding->facts->schema, finding->facts->name),
			 errdetail_internal("%s", sql)));
}

/* Is the error about something else than the fix, so that trying again may help? */
static bool
is_passing(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
			return true;
		default:
			return sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
	}
}

/*
 * Run the fix of one finding.  When it fails, raise an error with SQLSTATE
 * KD001 that gives both reasons, and all else that is wrong; the transaction
 * cannot go on anyway.
 */
static void
try_fix(Finding *finding, const char *sql, const List *unfixed)
{
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		run_fix(finding, sql);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (is_passing(error->sqlerrcode))
			PG_RE_THROW();
		FlushErrorState();
		finding->problem = psprintf("%s; its fix failed: %s", finding->problem,
									error->message);
		dbkit_report(unfixed, ERROR, NULL);
	}
	PG_END_TRY();
}

/*
 * Run the fixes of the findings whose rule is at level "fix"; return whether
 * there was one.  The objects that a fix creates belong to the table's owner.
 */
bool
dbkit_run_fixes(const List *findings)
{
	List	   *unfixed = list_copy(findings);
	ListCell   *lc;

	foreach(lc, findings)
	{
		Finding    *finding = lfirst(lc);
		char	   *sql;

		if (finding->level != LEVEL_FIX)
			continue;
		sql = dbkit_fix(list_make1(finding));
		if (sql == NULL)
			continue;
		PushActiveSnapshot(GetTransactionSnapshot());
		try_fix(finding, sql, unfixed);
		PopActiveSnapshot();
		unfixed = list_delete_ptr(unfixed, finding);
	}
	return list_length(unfixed) < list_length(findings);
}
