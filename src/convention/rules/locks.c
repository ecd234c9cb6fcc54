/*-------------------------------------------------------------------------
 *
 * locks.c
 *		Rules about the locks that a change to a large table takes.
 *
 * How large a table is and which it belongs to is looked up as it was before the
 * transaction: what that has dropped, emptied or rewritten, others still wait for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/smgr.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/hsearch.h"

#include "common.h"
#include "convention/exemption.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/read.h"
#include "convention/held_locks.h"
#include "convention/levels.h"
#include "convention/lock_targets.h"
#include "convention/report.h"
#include "convention/rules/files.h"
#include "convention/rules/locks.h"
#include "convention/rules/size_limits.h"
#include "lock/own_locks.h"

/* The rows of dbkit_lock_rules */
enum
{
	LOCK_TIMEOUT,
	LOCK_HELD
};

#define JUDGED_KINDS	(KIND_TABLE | KIND_ENUM_TABLE | KIND_MATERIALIZED_VIEW)

/* Of those who wait, in one line */
#define MAX_NAMED_BACKENDS	3

/* In milliseconds */
int			dbkit_max_lock_time = 1000;

/* As SQL names them */
static const char *const mode_names[] = {
	[ShareLock] = "SHARE",
	[ShareRowExclusiveLock] = "SHARE ROW EXCLUSIVE",
	[ExclusiveLock] = "EXCLUSIVE",
	[AccessExclusiveLock] = "ACCESS EXCLUSIVE"
};

/* Return the root of a partition, or the relation itself; InvalidOid where there was none. */
static Oid
find_root(const Catalogs *before, Oid relid)
{
	HeapTuple	row = dbkit_catalog_row(before, CATALOG_RELATION, relid);
	List	   *parents;

	if (row == NULL)
		return InvalidOid;
	if (!((Form_pg_class) GETSTRUCT(row))->relispartition)
		return relid;
	/* None where DETACH ... CONCURRENTLY is under way, or was broken off */
	parents = dbkit_catalog_parents(before, relid);
	return parents != NIL ? find_root(before, linitial_oid(parents)) : relid;
}

/* Return the size of the file that a relation had, in bytes, and of what it has elsewhere. */
static uint64
file_size(const Catalogs *before, Oid relid)
{
	HeapTuple	row = dbkit_catalog_row(before, CATALOG_RELATION, relid);
	Form_pg_class form;
	SMgrRelation file;

	if (row == NULL)
		return 0;
	form = (Form_pg_class) GETSTRUCT(row);
	if (!RELKIND_HAS_STORAGE(form->relkind) || form->relfilenode == InvalidOid)
		return 0;
	file = dbkit_open_file(OidIsValid(form->reltablespace) ? form->reltablespace : MyDatabaseTableSpace,
						   form->relfilenode);
	return (smgrexists(file, MAIN_FORKNUM) ? (uint64) smgrnblocks(file, MAIN_FORKNUM) * BLCKSZ : 0) +
		dbkit_size_elsewhere(relid);
}

/* Was a table, with all its partitions and children, larger than dbkit.large_table_size? */
static bool
was_large(const Catalogs *before, Oid relid)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid),.entrysize = sizeof(Oid),.hcxt = CurrentMemoryContext};
	HTAB	   *seen = hash_create("dbkit children", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	List	   *relations = list_make1_oid(relid);
	uint64		size = 0;
	ListCell   *lc;

	foreach(lc, relations)
	{
		bool		found;

		/* A child of several parents counts once */
		hash_search(seen, &lfirst_oid(lc), HASH_ENTER, &found);
		if (found)
			continue;
		size += file_size(before, lfirst_oid(lc));
		relations = list_concat(relations, dbkit_catalog_children(before, lfirst_oid(lc)));
	}
	hash_destroy(seen);
	return size > dbkit_large_table_size();
}

/* Begin to judge a table by a rule; false where there is nothing to judge. */
static bool
begin_judgement(Judgement *judgement, const Rule *rule, const Catalogs *before, Oid root)
{
	memset(judgement, 0, sizeof(*judgement));
	judgement->rule = rule;
	judgement->facts = dbkit_facts(&dbkit_now, RelationRelationId, root, 0);
	if (judgement->facts == NULL)
		judgement->facts = dbkit_facts(before, RelationRelationId, root, 0);
	if (judgement->facts == NULL || !(judgement->facts->kind & rule->kinds))
		return false;
	judgement->level = dbkit_rule_level(rule, judgement->facts->schema, LEVEL_TO_ENFORCE);
	return judgement->level != LEVEL_OFF && was_large(before, root);
}

/* Return who cannot go on while somebody has a lock of that mode. */
static const char *
kept_out(LOCKMODE mode)
{
	return mode == AccessExclusiveLock ? "readers and writers" : "writers";
}

/* Judge a lock that is waited for with no end, on a table or one of its partitions. */
static List *
judge_wait(const Catalogs *before, Oid root, const LockTarget *target)
{
	Judgement	judgement;
	Finding    *finding;
	const char *sql = IsTransactionBlock() ? "SET LOCAL lock_timeout = '2s'" : "SET lock_timeout = '2s'";

	/* Who may not change it is to be told so, and not how large the table is */
	if (!begin_judgement(&judgement, &dbkit_lock_rules[LOCK_TIMEOUT], before, root) ||
		!has_privs_of_role(GetUserId(), judgement.facts->owner))
		return NIL;
	finding = dbkit_add_finding(&judgement, NULL, "lock_timeout is not set: while the statement waits for its %s lock, %s queue behind it; use %s",
								mode_names[target->mode], kept_out(target->mode), sql);
	dbkit_add_statement(finding, RISK_SAFE, psprintf("%s;", sql));
	return dbkit_drop_exempt(judgement.findings, 0);
}

/* Refuse or warn of a statement that is about to wait for locks, of a list of LockTarget, with no end. */
void
dbkit_report_wait(const List *targets)
{
	Catalogs	before;
	List	   *findings = NIL;
	List	   *roots = NIL;
	ListCell   *lc;

	dbkit_open_before(&before);
	foreach(lc, targets)
	{
		const LockTarget *target = lfirst(lc);
		Oid			root = find_root(&before, target->relid);

		if (list_member_oid(roots, root) || dbkit_holds_lock(target->relid, target->mode))
			continue;
		findings = list_concat(findings, judge_wait(&before, root, target));
		roots = lappend_oid(roots, root);
	}
	dbkit_drop_repeated_fixes(findings, 0);
	dbkit_report(findings, ERROR, NULL);
	dbkit_close_before(&before);
}

/* Return who waits for a relation, as a part of a sentence, or an empty string. */
static char *
name_waiting(Oid relid)
{
	List	   *waiting = dbkit_waiting_for(relid);
	const int	others = list_length(waiting) - MAX_NAMED_BACKENDS;
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, list_truncate(waiting, MAX_NAMED_BACKENDS))
	{
		appendStringInfoString(&text, text.len > 0 ? ", " : "; waiting now: ");
		dbkit_append_backend(&text, lfirst_int(lc));
	}
	if (others > 0)
		appendStringInfo(&text, " and %d more", others);
	return text.data;
}

/* Judge a lock that is held, on a table or one of its partitions. */
static List *
judge_held(const Catalogs *before, Oid root, const HeldLock *held, bool preparing)
{
	Judgement	judgement;

	if (!begin_judgement(&judgement, &dbkit_lock_rules[LOCK_HELD], before, root))
		return NIL;
	dbkit_add_finding(&judgement, NULL, "%s%s kept %s out for %ld ms, from \"%s\" to %s%s; do nothing slow while such a lock is held",
					  mode_names[held->mode],
					  held->relid == root ? "" : psprintf(" on partition \"%s\"", dbkit_catalog_identity(before, held->relid)),
					  kept_out(held->mode),
					  held->milliseconds, held->statement != NULL ? held->statement : "",
					  preparing ? "PREPARE TRANSACTION, and will until COMMIT PREPARED" : "COMMIT",
					  name_waiting(held->relid));
	return dbkit_drop_exempt(judgement.findings, 0);
}

/* A table, and the worst lock on it or one of its partitions */
typedef struct HeldTable
{
	Oid			root;
	const HeldLock *worst;
} HeldTable;

/* Is a lock worse than that: does it block more, more of the table, or has it done so for longer? */
static bool
is_worse(const HeldLock *lock, const HeldTable *table)
{
	if (lock->mode != table->worst->mode)
		return lock->mode > table->worst->mode;
	if ((lock->relid == table->root) != (table->worst->relid == table->root))
		return lock->relid == table->root;
	return lock->milliseconds > table->worst->milliseconds;
}

/* Group locks that are still held by table. */
static List *
group_by_table(const Catalogs *before, const List *held)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, held)
	{
		const HeldLock *lock = lfirst(lc);
		Oid			root = dbkit_holds_lock(lock->relid, lock->mode) ? find_root(before, lock->relid) : InvalidOid;
		HeldTable  *table = NULL;
		ListCell   *cell;

		if (!OidIsValid(root))
			continue;
		foreach(cell, result)
		{
			if (((HeldTable *) lfirst(cell))->root == root)
				table = lfirst(cell);
		}
		if (table == NULL)
		{
			table = palloc(sizeof(HeldTable));
			table->root = root;
			table->worst = lock;
			result = lappend(result, table);
		}
		if (is_worse(lock, table))
			table->worst = lock;
	}
	return result;
}

/* Warn of the locks that are held as the transaction ends. */
void
dbkit_report_held_locks(const List *held, bool preparing)
{
	Catalogs	before;
	List	   *findings = NIL;
	ListCell   *lc;

	/* The local copy of who there is may date from an earlier statement */
	pgstat_clear_backend_activity_snapshot();
	dbkit_open_before(&before);
	foreach(lc, group_by_table(&before, held))
	{
		const HeldTable *table = lfirst(lc);

		findings = list_concat(findings, judge_held(&before, table->root, table->worst, preparing));
	}
	dbkit_report(findings, WARNING, NULL);
	dbkit_close_before(&before);
}

/* Define the settings of this module. */
void
dbkit_lock_rules_init(void)
{
	/* How long others can wait depends on the application. */
	DefineCustomIntVariable("dbkit.max_lock_time",
							"Time after which a lock on a large table that others wait for is reported at COMMIT.",
							NULL,
							&dbkit_max_lock_time,
							1000, 0, INT_MAX,
							PGC_SUSET,
							GUC_UNIT_MS | DBKIT_SETTING,
							NULL, NULL, NULL);
}

Rule		dbkit_lock_rules[] = {
	{
		.id = "lock_timeout",
		.phase = PHASE_CHANGE,
		.kinds = JUDGED_KINDS,
		.level = LEVEL_WARNING,
		.description = "lock_timeout is set where a statement locks a table larger than dbkit.large_table_size against readers or writers; commands without event triggers are judged only where dbkit is preloaded"
	},
	{
		.id = "lock_held",
		.phase = PHASE_CHANGE,
		.kinds = JUDGED_KINDS,
		.only_warns = true,
		.level = LEVEL_WARNING,
		.description = "no lock that blocks readers or writers of a table larger than dbkit.large_table_size is held longer than dbkit.max_lock_time until COMMIT; commands without event triggers are judged only where dbkit is preloaded"
	},
	{NULL}
};
