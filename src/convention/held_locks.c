/*-------------------------------------------------------------------------
 *
 * held_locks.c
 *		Since when the transaction holds the locks that others wait for.
 *
 * A lock counts from when it is first seen.  What the transaction holds is looked at
 * when a statement that may lock tables ends, and while it runs, when it makes, changes
 * or drops an object: that is after it got its locks, and before it builds an index,
 * reads all rows or rewrites the table.  A transaction without such a statement is
 * never looked at.
 *
 * What was got by a subtransaction that is rolled back is released, and forgotten.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/enforce.h"
#include "convention/held_locks.h"
#include "convention/lock_targets.h"
#include "convention/report.h"
#include "convention/rules/locks.h"
#include "lock/own_locks.h"

/* How much of a statement is kept, in bytes */
#define MAX_SHOWN	120

/*
 * How many locks may be visited each time that there is a reason to.  Where there are
 * more they are looked at less often: a migration that makes thousands of tables would
 * get slow.
 */
#define LOCKS_PER_VISIT	500

#define N_BLOCKING_MODES	(MaxLockMode - WEAKEST_BLOCKING_LOCK + 1)

/* When a lock was got, by which level of subtransactions and which statement */
typedef struct Got
{
	TimestampTz since;			/* 0: it is not held */
	int			nest_level;
	const char *statement;
} Got;

typedef struct LockedRelation
{
	Oid			relid;			/* the key */
	Got			got[N_BLOCKING_MODES];
} LockedRelation;

/* All of the transaction, in TopTransactionContext; NULL for none */
static HTAB *locked = NULL;

/* The deepest level that may have got one */
static int	deepest = 0;

/* Locks that may be visited before it is too much */
static int	credit = LOCKS_PER_VISIT;

/* How many there were last time */
static int	visited = 0;

/* The statement that runs and may lock tables */
typedef struct Running
{
	bool		active;
	const char *source;			/* the text that has it, or NULL */
	int			location;
	int			length;			/* 0: to the end */
	char	   *shown;			/* as it is shown, in TopTransactionContext,
								 * or NULL until that is asked for */
	TimestampTz since;			/* when it began, where nothing tells earlier
								 * than its end what it locked; or 0 */
} Running;

static Running running = {
	false
};

static ProcessUtility_hook_type next_ProcessUtility = NULL;
static object_access_hook_type next_object_access = NULL;

/* Is what this session does judged?  Event triggers do not fire for a replica either. */
static bool
is_judged(void)
{
	return !dbkit_changes_are_disabled() && SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA;
}

/* Has the database the extension?  The library may be loaded for all of them. */
static bool
is_installed(void)
{
	return OidIsValid(get_extension_oid("dbkit", true));
}

/* Return a statement in one line, cut where it is long, for as long as the transaction lasts. */
static char *
show_statement(const char *source, int length)
{
	char		shown[MAX_SHOWN + 1];
	int			used = 0;

	while (length > 0 && (isspace((unsigned char) source[length - 1]) || source[length - 1] == ';'))
		length--;
	for (int i = 0; i < length && used < MAX_SHOWN; i++)
	{
		bool		blank = isspace((unsigned char) source[i]);

		if (!blank || (used > 0 && shown[used - 1] != ' '))
			shown[used++] = blank ? ' ' : source[i];
	}
	shown[used] = '\0';
	if (used < MAX_SHOWN)
		return MemoryContextStrdup(TopTransactionContext, shown);
	strcpy(shown + pg_mbcliplen(shown, used, MAX_SHOWN - strlen("...")), "...");
	return MemoryContextStrdup(TopTransactionContext, shown);
}

/* Return the statement that runs, as it is shown. */
static const char *
shown_statement(void)
{
	const char *start = running.source;

	if (running.shown == NULL && start != NULL)
	{
		start += Max(running.location, 0);
		running.shown = show_statement(start, running.length > 0 ? running.length : (int) strlen(start));
	}
	return running.shown;
}

/* Note in which modes a relation is locked. */
static void
note_lock(Oid relid, LOCKMASK held)
{
	bool		found;
	LockedRelation *relation = hash_search(locked, &relid, HASH_ENTER, &found);
	int			level = GetCurrentTransactionNestLevel();

	if (!found)
		memset(relation->got, 0, sizeof(relation->got));
	for (int i = 0; i < N_BLOCKING_MODES; i++)
	{
		Got		   *got = &relation->got[i];

		if ((held & LOCKBIT_ON(WEAKEST_BLOCKING_LOCK + i)) == 0 || got->since != 0)
			continue;
		got->since = running.since != 0 ? Max(running.since, GetCurrentTransactionStartTimestamp()) :
			GetCurrentTimestamp();
		got->nest_level = level;
		got->statement = shown_statement();
		deepest = Max(deepest, level);
	}
}

/* Look at what the transaction holds. */
void
dbkit_note_held_locks(void)
{
	if (!IsTransactionState() || !is_judged())
		return;
	credit = Min(credit + LOCKS_PER_VISIT, Max(visited, LOCKS_PER_VISIT));
	if (credit < visited)
		return;
	credit -= visited;
	if (locked == NULL)
	{
		HASHCTL		ctl = {
			.keysize = sizeof(Oid),
			.entrysize = sizeof(LockedRelation),
			.hcxt = TopTransactionContext
		};

		locked = hash_create("dbkit locked relations", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	visited = dbkit_visit_own_locks(note_lock);
}

/*
 * Judge whether a statement waits for its locks without an end.  The snapshot is not the
 * transaction's: LOCK TABLE comes before that one is taken.
 */
static void
judge_wait(Node *statement)
{
	List	   *targets;
	MemoryContext context;
	MemoryContext caller;

	if (LockTimeout != 0 || !is_judged())
		return;
	context = AllocSetContextCreate(CurrentMemoryContext, "dbkit enforcement", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	targets = dbkit_lock_targets(statement);
	if (targets != NIL && is_installed())
	{
		PushActiveSnapshot(GetCatalogSnapshot(InvalidOid));
		dbkit_refresh_agreement();
		dbkit_report_wait(targets);
		PopActiveSnapshot();
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* May the statement itself lock a table? */
static bool
may_lock_tables(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_LockStmt:
		case T_TruncateStmt:
		case T_VacuumStmt:
		case T_ReindexStmt:
			return true;
		case T_TransactionStmt:
		case T_VariableSetStmt:
		case T_PrepareStmt:
		case T_ExecuteStmt:
		case T_ExplainStmt:
			return false;
		default:
			return GetCommandLogLevel(statement) == LOGSTMT_DDL;
	}
}

/* Begin a statement. */
static void
begin_statement(const Node *statement, const char *source, int location, int length)
{
	const Running begun = {
		.active = true,
		.source = source,
		.location = location,
		.length = length,
		/* It accesses its objects in none of the ways that have a hook */
		.since = IsA(statement, ReindexStmt) ? GetCurrentTimestamp() : 0
	};

	running = begun;
}

/*
 * Begin the statement that had the library loaded, by an event trigger: our hook does
 * not see it.  Its text may be gone when the transaction goes on.
 */
void
dbkit_begin_late(Node *statement)
{
	if (running.active)
		return;
	begin_statement(statement, debug_query_string, 0, 0);
	(void) shown_statement();
	running.source = NULL;
	judge_wait(statement);
}

/* End it, if it was begun so. */
void
dbkit_end_late(void)
{
	dbkit_note_held_locks();
	if (running.source == NULL)
		running.active = false;
}

static void
locks_ProcessUtility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
					 ProcessUtilityContext context, ParamListInfo params,
					 QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	ProcessUtility_hook_type next = next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility;
	const Running outer = running;
	Running		own;

	if (!may_lock_tables(pstmt->utilityStmt))
	{
		next(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
		return;
	}
	begin_statement(pstmt->utilityStmt, queryString, pstmt->stmt_location, pstmt->stmt_len);
	own = running;

	/*
	 * The actions of an ALTER, and the foreign keys of a CREATE, were judged
	 * with it
	 */
	if (context != PROCESS_UTILITY_SUBCOMMAND || !IsA(pstmt->utilityStmt, AlterTableStmt))
		judge_wait(pstmt->utilityStmt);
	next(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
	/* An error that was caught may have ended it */
	running = own;
	dbkit_note_held_locks();
	running = outer;
}

static void
locks_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (running.active && access != OAT_FUNCTION_EXECUTE && access != OAT_NAMESPACE_SEARCH)
		dbkit_note_held_locks();
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
}

/* List the locks that are held for longer than a statement may wait. */
static List *
list_held(int max)
{
	const TimestampTz now = GetCurrentTimestamp();
	List	   *result = NIL;
	HASH_SEQ_STATUS status;
	const LockedRelation *relation;

	hash_seq_init(&status, locked);
	while ((relation = hash_seq_search(&status)) != NULL)
	{
		for (int i = 0; i < N_BLOCKING_MODES; i++)
		{
			const Got  *got = &relation->got[i];
			HeldLock   *held;

			if (got->since == 0 || !TimestampDifferenceExceeds(got->since, now, max))
				continue;
			held = palloc(sizeof(HeldLock));
			held->relid = relation->relid;
			held->mode = WEAKEST_BLOCKING_LOCK + i;
			held->milliseconds = TimestampDifferenceMilliseconds(got->since, now);
			held->statement = got->statement;
			result = lappend(result, held);
		}
	}
	return result;
}

/* Warn of the locks that were held for long, as the transaction ends. */
static void
report_held(bool preparing)
{
	MemoryContext context = AllocSetContextCreate(TopTransactionContext, "dbkit enforcement",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	List	   *held = list_held(dbkit_max_lock_time);

	if (held != NIL && is_installed())
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		dbkit_refresh_agreement();
		dbkit_report_held_locks(held, preparing);
		PopActiveSnapshot();
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/*
 * Forget the statement that an error has ended: its text is no longer there.  One around it, in which
 * the error is caught, knows of itself.
 */
static void
forget_running(void)
{
	running = (Running)
	{
		false
	};
}

static void
at_transaction_event(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		/* One of several transactions of a REINDEX */
		if (running.since != 0)
			dbkit_note_held_locks();
		if (locked != NULL && is_judged())
			report_held(event == XACT_EVENT_PRE_PREPARE);
		return;
	}

	/*
	 * TopTransactionContext goes with it; VACUUM goes on in another
	 * transaction
	 */
	locked = NULL;
	deepest = 0;
	visited = 0;
	running.shown = NULL;
	if (event == XACT_EVENT_ABORT)
		forget_running();
	else if (running.source == NULL)
		running.active = false;
}

/* Forget what a subtransaction of that level got, or make it its parent's. */
static void
end_level(int level, bool committed)
{
	HASH_SEQ_STATUS status;
	LockedRelation *relation;

	hash_seq_init(&status, locked);
	while ((relation = hash_seq_search(&status)) != NULL)
	{
		for (int i = 0; i < N_BLOCKING_MODES; i++)
		{
			Got		   *got = &relation->got[i];

			if (got->since == 0 || got->nest_level < level)
				continue;
			got->nest_level = level - 1;
			if (!committed)
				got->since = 0;
		}
	}
	deepest = level - 1;
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					  SubTransactionId parent pg_attribute_unused(),
					  void *arg pg_attribute_unused())
{
	int			level = GetCurrentTransactionNestLevel();

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_running();
	if (locked != NULL && deepest >= level)
		end_level(level, event == SUBXACT_EVENT_COMMIT_SUB);
}

/* Watch statements and transactions. */
void
dbkit_held_locks_init(void)
{
	next_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = locks_ProcessUtility;
	next_object_access = object_access_hook;
	object_access_hook = locks_object_access;
	RegisterXactCallback(at_transaction_event, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
