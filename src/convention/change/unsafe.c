/*-------------------------------------------------------------------------
 *
 * unsafe.c
 *		What can be wrong with a change of a table in use, and the steps of a
 *		safe one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/change/change.h"
#include "convention/exemption.h"
#include "convention/facts/read.h"
#include "convention/levels.h"
#include "convention/rules/files.h"
#include "convention/rules/size_limits.h"
#include "relation_name.h"

/*
 * The sentences of the findings: WHAT a table of SIZE, more than LIMIT; ADVICE.  Of breaking_change WHAT; ADVICE.
 * Where PostgreSQL has no way round, the HINT says why.
 */
static const struct
{
	ChangeRule	rule;
	const char *what;
	const char *advice;
	const char *no_steps;
}			unsafe_changes[] = {

	[UNSAFE_NOT_NULL] = {BLOCKING_VALIDATION, "SET NOT NULL blocks everybody while it reads",
	"use a CHECK that is validated before it"},
	[UNSAFE_CHECK] = {BLOCKING_VALIDATION, "the new constraint blocks everybody while it reads",
	"use NOT VALID, and VALIDATE CONSTRAINT in another transaction"},
	[UNSAFE_FOREIGN_KEY] = {BLOCKING_VALIDATION, "the new foreign key blocks writes while it reads",
	"use NOT VALID, and VALIDATE CONSTRAINT in another transaction"},
	[UNSAFE_VALIDATION] = {BLOCKING_VALIDATION, "a lock that this transaction has blocks others while VALIDATE CONSTRAINT reads",
	"use a transaction of its own for it"},
	[UNSAFE_INDEX] = {BLOCKING_INDEX, "the index blocks writes to",
	"use CREATE INDEX CONCURRENTLY"},
	[UNSAFE_INDEX_OF_PARTITIONS] = {BLOCKING_INDEX, "the index blocks writes to",
	"use CREATE INDEX ON ONLY, and CREATE INDEX CONCURRENTLY and ATTACH PARTITION for each partition"},
	[UNSAFE_UNIQUE] = {BLOCKING_INDEX, "UNIQUE blocks everybody while it builds an index of",
	"use CREATE UNIQUE INDEX CONCURRENTLY, and ADD CONSTRAINT ... USING INDEX"},
	[UNSAFE_PRIMARY_KEY] = {BLOCKING_INDEX, "PRIMARY KEY blocks everybody while it builds an index of",
	"use CREATE UNIQUE INDEX CONCURRENTLY, and ADD CONSTRAINT ... USING INDEX"},
	[UNSAFE_EXCLUSION] = {BLOCKING_INDEX, "the constraint blocks everybody while it builds an index of",
		"PostgreSQL has no way to build that index CONCURRENTLY, so do it while nobody works",
	"PostgreSQL builds the index of an exclusion constraint only while it locks everybody out"},
	[UNSAFE_REINDEX] = {BLOCKING_INDEX, "REINDEX blocks writes to",
	"use REINDEX ... CONCURRENTLY"},
	[UNSAFE_INDEX_MOVE] = {BLOCKING_INDEX, "SET TABLESPACE blocks everybody while it copies an index of",
	"use REINDEX (TABLESPACE ...) INDEX CONCURRENTLY"},
	[UNSAFE_DROP_INDEX] = {BLOCKING_INDEX, "DROP INDEX blocks everybody while it waits for those who use",
	"use DROP INDEX CONCURRENTLY"},
	[UNSAFE_DETACH] = {BLOCKING_INDEX, "DETACH PARTITION blocks everybody while it waits for those who use",
	"use DETACH PARTITION ... CONCURRENTLY"},
	[UNSAFE_COLUMN] = {TABLE_REWRITE, "it rewrites",
		"use a new column that is filled in batches",
	"PostgreSQL can do this only by writing the table anew"},
	[UNSAFE_STORAGE] = {TABLE_REWRITE, "it rewrites",
		"use a new table that is filled in batches, or do it while nobody works",
	"PostgreSQL can do this only by writing the table anew"},
	[UNSAFE_MOVE] = {TABLE_REWRITE, "SET TABLESPACE blocks everybody while it copies",
		"use pg_repack, or do it while nobody works",
	"PostgreSQL copies the table, and nobody can use it meanwhile"},
	[UNSAFE_VACUUM_FULL] = {TABLE_REWRITE, "VACUUM FULL rewrites",
	"use VACUUM, which keeps the space for new rows, or pg_repack, which gives it back"},
	[UNSAFE_CLUSTER] = {TABLE_REWRITE, "CLUSTER rewrites",
		"use pg_repack, or do it while nobody works",
	"CLUSTER writes the table anew, and nobody can use it meanwhile"},
	[UNSAFE_REFRESH] = {TABLE_REWRITE, "REFRESH blocks everybody while it rewrites",
	"use REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on columns"},
	[BREAKING_RENAME] = {BREAKING_CHANGE, "a running application that uses the old name fails",
	"use a new name beside the old one until no application uses that"},
	[BREAKING_DROP] = {BREAKING_CHANGE, "a running application that uses it fails",
	"drop it when no application uses it any more"},
	[BREAKING_TYPE] = {BREAKING_CHANGE, "a running application that expects the old type may fail",
	"use a new column beside the old one until no application uses that"},
};

/* Steps that must not wait long for a lock stand between these */
static const char begin_locks[] = "SET lock_timeout = '100ms';";
static const char end_locks[] = "RESET lock_timeout;";

/* Return the root of a partition, which is what is judged; else the table. */
static Oid
root_of(Oid relid)
{
	List	   *ancestors = get_rel_relispartition(relid) ? get_partition_ancestors(relid) : NIL;

	/* None where DETACH ... CONCURRENTLY is under way, or was broken off */
	return ancestors != NIL ? llast_oid(ancestors) : relid;
}

static char *
pretty_size(uint64 bytes)
{
	return TextDatumGetCString(DirectFunctionCall1(pg_size_pretty, Int64GetDatum((int64) bytes)));
}

/* May the caller change or maintain it?  Who may not is to be told so, and not how large the table is. */
static bool
may_change(Oid relid)
{
	return dbkit_owns_table(relid, GetUserId()) || dbkit_owns_database(GetUserId()) ||
		(ACL_MAINTAIN != 0 && pg_class_aclcheck(relid, GetUserId(), ACL_MAINTAIN) == ACLCHECK_OK);
}

/* Say which table is met, if there is such a one; false where there is not. */
bool
dbkit_meet_table(LiveChange *change, Oid relid, bool inherits)
{
	if (!OidIsValid(relid) || !may_change(relid))
		return false;
	change->table = dbkit_find_relation_name(relid);
	if (change->table == NULL)
		return false;
	change->relid = relid;
	change->inherits = inherits;
	change->size = dbkit_table_size(relid, inherits);
	return true;
}

/* Say what is wrong with the change. */
static void
add_finding(Judgement *judgement, UnsafeChange unsafe, uint64 size, const char *column)
{
	const char *what = unsafe_changes[unsafe].what;
	const char *advice = unsafe_changes[unsafe].advice;

	if (unsafe_changes[unsafe].rule == BREAKING_CHANGE)
		dbkit_add_finding(judgement, column, "%s; %s", what, advice);
	else
		dbkit_add_finding(judgement, column, "%s a %s of %s, more than %s; %s", what,
						  dbkit_kind_name(judgement->facts->kind == KIND_MATERIALIZED_VIEW ? KIND_MATERIALIZED_VIEW : KIND_TABLE),
						  pretty_size(size), pretty_size(dbkit_large_table_size()), advice);
}

/*
 * Find a change wrong.  NULL where the rule, the size or an exemption lets it pass.  An application
 * depends on the names in a small table as well, so breaking_change asks only whether there is one.
 */
Finding *
dbkit_find_unsafe(LiveChange *change, UnsafeChange unsafe, uint64 size, const char *column)
{
	const Rule *rule = &dbkit_size_limit_rules[unsafe_changes[unsafe].rule];
	Judgement	judgement = {.rule = rule};
	List	   *kept;

	if (size <= (unsafe_changes[unsafe].rule == BREAKING_CHANGE ? 0 : dbkit_large_table_size()))
		return NULL;
	judgement.facts = dbkit_facts(&dbkit_now, RelationRelationId, root_of(change->relid), 0);
	if (judgement.facts == NULL || (judgement.facts->kind & rule->kinds) == 0)
		return NULL;
	judgement.level = dbkit_rule_level(rule, judgement.facts->schema, LEVEL_TO_ENFORCE);
	if (judgement.level == LEVEL_OFF)
		return NULL;
	add_finding(&judgement, unsafe, size, column);
	kept = dbkit_drop_exempt(judgement.findings, 0);
	change->findings = list_concat(change->findings, kept);
	change->no_steps = unsafe_changes[unsafe].no_steps;
	return kept != NIL ? linitial(kept) : NULL;
}

/* Append what stands in the place of a {name}: the one after it in the list of names and values. */
static void
append_value(StringInfo sql, const char *name, size_t length, va_list blanks)
{
	const char *blank;

	while ((blank = va_arg(blanks, const char *)) != NULL)
	{
		const char *value = va_arg(blanks, const char *);

		if (strlen(blank) == length && strncmp(blank, name, length) == 0)
		{
			appendStringInfoString(sql, value);
			return;
		}
	}
	elog(ERROR, "a step has a blank \"%.*s\" that nobody fills in", (int) length, name);
}

/*
 * Add a step to what is to be done instead.  Each {name} in it is a blank for the text that comes
 * after that name in the arguments, which NULL ends.
 */
void
dbkit_add_step(Finding *finding, const char *step,...)
{
	StringInfoData sql;

	initStringInfo(&sql);
	while (*step != '\0')
	{
		size_t		length = strcspn(step, *step == '{' ? "}" : "{");
		va_list		blanks;

		if (*step != '{')
		{
			appendBinaryStringInfo(&sql, step, length);
			step += length;
			continue;
		}
		va_start(blanks, step);
		append_value(&sql, step + 1, length - 1, blanks);
		va_end(blanks);
		step += length + 1;
	}
	dbkit_add_statement(finding, RISK_SAFE, sql.data);
}

/* Begin steps that do not wait long for a lock: who comes after them would wait as long. */
void
dbkit_begin_locks(Finding *finding)
{
	dbkit_add_statement(finding, RISK_SAFE, begin_locks);
}

/* End them. */
void
dbkit_end_locks(Finding *finding)
{
	dbkit_add_statement(finding, RISK_SAFE, end_locks);
}

/* Put the last steps of a finding before all others. */
static void
move_to_front(Finding *finding, int count)
{
	int			rest = list_length(finding->actions) - count;
	List	   *moved = list_copy_tail(finding->actions, rest);

	finding->actions = list_concat(moved, list_truncate(finding->actions, rest));
}

/* Add a first step, which takes a lock. */
void
dbkit_prepend_step(Finding *finding, const char *sql)
{
	dbkit_begin_locks(finding);
	dbkit_add_statement(finding, RISK_SAFE, sql);
	dbkit_end_locks(finding);
	move_to_front(finding, 3);
}

/* Drop the end of steps that do not wait long where others begin. */
static void
join_locks(Finding *finding)
{
	for (int i = list_length(finding->actions) - 2; i >= 0; i--)
	{
		const Action *action = list_nth(finding->actions, i);
		const Action *next = list_nth(finding->actions, i + 1);

		if (strcmp(action->sql, end_locks) != 0 || strcmp(next->sql, begin_locks) != 0)
			continue;
		finding->actions = list_delete_nth_cell(finding->actions, i + 1);
		finding->actions = list_delete_nth_cell(finding->actions, i);
	}
}

/*
 * Complete what is to be done instead of a statement: what else it does comes first, or is NULL; and
 * several steps are several transactions.
 */
void
dbkit_complete_steps(LiveChange *change, const char *rest)
{
	int			steps = 0;
	Finding    *first;
	ListCell   *lc;

	foreach(lc, change->findings)
		steps += list_length(((Finding *) lfirst(lc))->actions);
	if (change->findings == NIL)
		return;
	first = linitial(change->findings);
	if (steps == 0)
	{
		if (change->no_steps != NULL)
			dbkit_add_statement(first, RISK_SAFE, psprintf("-- %s: do it when nobody works, after SET dbkit.rule_levels = '%s=off'.",
														   change->no_steps, first->rule->id));
		return;
	}
	if (rest != NULL)
		dbkit_prepend_step(first, rest);
	foreach(lc, change->findings)
		join_locks(lfirst(lc));
	if (steps > 1 || rest != NULL)
	{
		dbkit_add_statement(first, RISK_SAFE, "-- Each statement in a transaction of its own, and once more if it cannot get its lock:");
		move_to_front(first, 1);
	}
}
