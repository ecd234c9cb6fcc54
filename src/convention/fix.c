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
#include "attempt.h"
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

/* A fix that is being tried */
typedef struct Trial
{
	Finding    *finding;
	const char *sql;
} Trial;

/* Run a fix; an attempt. */
static void
run_trial(void *arg)
{
	const Trial *trial = arg;

	PushActiveSnapshot(GetTransactionSnapshot());
	run_fix(trial->finding, trial->sql);
	PopActiveSnapshot();
}

/*
 * Run the fix of one finding, in a subtransaction; return whether it worked.  When it
 * does not, the finding gives both reasons.
 */
static bool
try_fix(Finding *finding, const char *sql)
{
	Trial		trial = {finding, sql};
	ErrorData  *error = dbkit_attempt(run_trial, &trial, ATTEMPT_KEPT);

	if (error != NULL)
		finding->problem = psprintf("%s; its fix failed: %s", finding->problem, error->message);
	return error == NULL;
}

/*
 * Run the fixes of the findings whose rule is at level "fix", and take those out of
 * the list; return whether there was one.  The objects that a fix creates belong to
 * the table's owner.  After one that failed none is run, and all else that is wrong
 * is left in the list: the transaction cannot go on anyway.
 */
bool
dbkit_run_fixes(List **findings, bool *failed)
{
	List	   *unfixed = list_copy(*findings);
	bool		any = false;
	ListCell   *lc;

	foreach(lc, *findings)
	{
		Finding    *finding = lfirst(lc);
		char	   *sql;

		if (finding->level != LEVEL_FIX)
			continue;
		sql = dbkit_fix(list_make1(finding));
		if (sql == NULL)
			continue;
		any = true;
		*failed = !try_fix(finding, sql);
		if (*failed)
			break;
		unfixed = list_delete_ptr(unfixed, finding);
	}
	*findings = unfixed;
	return any;
}
