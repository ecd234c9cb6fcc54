/*-------------------------------------------------------------------------
 *
 * commit.c
 *		Judge what a transaction changed before it commits.
 *
 * All that the transaction changed is judged by the rules of phase "commit", on the
 * state as it then is, and what is at level "fix" is fixed.  At an explicit COMMIT
 * or PREPARE TRANSACTION that is done while the transaction block still runs: deferred
 * triggers come after what a fix does, and statement_timeout counts.  What is
 * to be refused is raised a moment later, when the transaction commits, so that it
 * ends with the error, as it does where a deferred constraint is violated.
 *
 * Where there is no such statement (autocommit, a procedure that commits), or a
 * deferred trigger has changed more since, the transaction is judged when it
 * commits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "cluster.h"
#include "common.h"
#include "convention/agreement.h"
#include "convention/cases.h"
#include "convention/commit.h"
#include "convention/enforce.h"
#include "convention/fix.h"
#include "convention/instead.h"
#include "convention/report.h"

/* A fix may call for another: an index for a key makes another one redundant */
#define MAX_FIX_ROUNDS	2

/* What a transaction is found guilty of */
typedef struct Verdict
{
	bool		reached;
	uint64		changes;		/* dbkit_count_changes() then */
	bool		concurrent;		/* not all can be undone */
	List	   *findings;		/* Finding *, in TopTransactionContext */
}			Verdict;

static Verdict verdict =
{
	false
};

/* Do fixes run, until the transaction ends? */
static bool fixing = false;

static ProcessUtility_hook_type next_ProcessUtility = NULL;

/* Do fixes run? */
bool
dbkit_is_fixing(void)
{
	return fixing;
}

/* Return what was left to the commit when the statement ended. */
static List *
list_later(const List *objects)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, objects)
	{
		if (((const ChangedObject *) lfirst(lc))->later)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/*
 * Return what the transaction changed that breaks the rules of phase "commit", and of those of
 * phase "statement" where that was left to the commit.
 */
static List *
judge_changed(const List *objects)
{
	List	   *later = list_later(objects);
	List	   *findings = NIL;

	dbkit_update_registry_later(later);
	if (later != NIL)
		findings = dbkit_judge_cases(dbkit_read_cases(later, SCOPE_STATEMENT, true, true), SCOPE_STATEMENT);
	return list_concat(findings, dbkit_judge_cases(dbkit_read_cases(objects, SCOPE_COMMIT, true, false), SCOPE_COMMIT));
}

/* Judge what the transaction changed, and fix what is at level "fix". */
static void
judge_transaction(bool committing)
{
	List	   *objects = dbkit_changed_by_transaction();
	bool		failed = false;
	ListCell   *lc;

	verdict.concurrent = false;
	foreach(lc, objects)
		verdict.concurrent |= ((ChangedObject *) lfirst(lc))->concurrently != CONCURRENTLY_NOT;

	verdict.findings = judge_changed(objects);
	fixing = true;
	for (int round = 0; !verdict.concurrent && round < MAX_FIX_ROUNDS; round++)
	{
		if (!dbkit_run_fixes(&verdict.findings, &failed) || failed)
			break;
		/* Somebody's event trigger may have written rows */
		if (committing)
			AfterTriggerFireDeferred();
		verdict.findings = judge_changed(dbkit_changed_by_transaction());
	}
	verdict.changes = dbkit_count_changes();
	verdict.reached = true;
}

/* Has the transaction changed anything that concerns us? */
static bool
has_changed(void)
{
	return dbkit_transaction_changed() &&
		OidIsValid(get_extension_oid("dbkit", true));	/* not dropped by this
														 * transaction */
}

/* Is there anything to judge? */
static bool
is_judged(void)
{
	return dbkit_transaction_changed() && !dbkit_enforcement_is_disabled() && has_changed();
}

/* Bring the registry up to date where nothing is judged, as on a connection that a cluster opened. */
static void
update_registry(void)
{
	if (!has_changed())
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	dbkit_refresh_agreement();
	dbkit_update_registry_later(dbkit_changed_by_transaction());
	PopActiveSnapshot();
}

/* Judge the transaction; what is found lives as long as it. */
static void
reach_verdict(bool committing)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "dbkit enforcement",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);

	PushActiveSnapshot(GetTransactionSnapshot());
	dbkit_refresh_agreement();
	judge_transaction(committing);
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
}

/* Drop the warnings that have been sent already. */
static List *
drop_sent(List *findings, const List *sent)
{
	List	   *result = dbkit_drop_warnings(list_copy(findings));
	ListCell   *lc1;
	ListCell   *lc2;

	foreach(lc1, list_difference_ptr(findings, result))
	{
		const Finding *finding = lfirst(lc1);
		bool		known = false;

		foreach(lc2, sent)
			known |= ((const Finding *) lfirst(lc2))->rule == finding->rule &&
			dbkit_same_object(lfirst(lc2), finding) &&
			strcmp(((const Finding *) lfirst(lc2))->problem, finding->problem) == 0;
		if (!known)
			result = lappend(result, unconstify(Finding *, finding));
	}
	return result;
}

/* Judge, and send the warnings. */
static void
judge_block(void)
{
	MemoryContext caller;

	reach_verdict(false);
	caller = MemoryContextSwitchTo(TopTransactionContext);
	if (verdict.concurrent)
		dbkit_report(verdict.findings, WARNING, NULL);
	else
		dbkit_report(list_difference_ptr(verdict.findings, dbkit_drop_warnings(list_copy(verdict.findings))),
					 WARNING, NULL);
	MemoryContextSwitchTo(caller);
}

/*
 * Judge before the transaction block ends.  An error on the way, such as a lock timeout
 * or a cancelled fix, ends it as well: one at COMMIT does.
 */
static void
judge_at_commit(void)
{
	PG_TRY();
	{
		judge_block();
	}
	PG_CATCH();
	{
		UserAbortTransactionBlock(false);
		PG_RE_THROW();
	}
	PG_END_TRY();
}

/* Refuse the transaction for what was found. */
static void
refuse(List *findings)
{
	char	   *instead = NULL;

	if (!verdict.concurrent && dbkit_drop_warnings(list_copy(findings)) != NIL)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		instead = dbkit_write_before_commit(dbkit_changed_by_transaction());
		PopActiveSnapshot();
	}
	dbkit_report(findings, verdict.concurrent ? WARNING : ERROR, instead);
}

/* Judge before it is too late to raise an error, unless nothing has changed since that was done. */
static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	MemoryContext caller;
	List	   *sent = verdict.reached ? verdict.findings : NIL;

	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
	{
		/* TopTransactionContext goes with it */
		fixing = false;
		verdict.reached = false;
		return;
	}
	if (!is_judged())
	{
		if (dbkit_cluster_is_loaded)
			update_registry();
		return;
	}
	caller = MemoryContextSwitchTo(TopTransactionContext);
	if (verdict.reached && verdict.changes == dbkit_count_changes())
	{
		if (!verdict.concurrent)
			refuse(dbkit_drop_warnings(list_copy(verdict.findings)));
	}
	else
	{
		reach_verdict(true);
		refuse(drop_sent(verdict.findings, sent));
	}
	MemoryContextSwitchTo(caller);
}

/* Is it a statement that ends a transaction block, unless that has failed, and keeps what it did? */
static bool
is_commit(const Node *statement, ProcessUtilityContext context)
{
	const TransactionStmt *transaction = (const TransactionStmt *) statement;

	return IsA(statement, TransactionStmt) && context == PROCESS_UTILITY_TOPLEVEL &&
		(transaction->kind == TRANS_STMT_COMMIT || transaction->kind == TRANS_STMT_PREPARE) &&
		IsTransactionBlock() && !IsAbortedTransactionBlockState();
}

static void
commit_ProcessUtility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
					  ProcessUtilityContext context, ParamListInfo params,
					  QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	if (is_commit(pstmt->utilityStmt, context) && is_judged())
		judge_at_commit();
	(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
		(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
}

/* Watch transactions end. */
void
dbkit_commit_init(void)
{
	next_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = commit_ProcessUtility;
	RegisterXactCallback(at_transaction_event, NULL);
}
