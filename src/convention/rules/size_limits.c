/*-------------------------------------------------------------------------
 *
 * size_limits.c
 *		Rules about a change itself, which only the server can judge because
 *		it knows how large the table is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/facts/read.h"
#include "convention/exemption.h"
#include "convention/levels.h"
#include "convention/rules/size_limits.h"
#include "convention/rules/files.h"

/* The rows of dbkit_size_limit_rules */
enum
{
	TABLE_REWRITE,
	BLOCKING_INDEX
};

/* In kilobytes */
static int	large_table_size = 100 * 1024;

/*
 * Return the size of a table in bytes; 0 where this transaction created it, so
 * that nobody else can wait for it.
 */
static uint64
table_size(Oid relid, bool with_partitions)
{
	List	   *relations = with_partitions ? find_all_inheritors(relid, NoLock, NULL) :
	list_make1_oid(relid);
	uint64		size = 0;
	ListCell   *lc;

	foreach(lc, relations)
	{
		Relation	rel = try_relation_open(lfirst_oid(lc), AccessShareLock);

		if (rel == NULL)
			continue;
		if (RELKIND_HAS_STORAGE(rel->rd_rel->relkind) &&
			rel->rd_createSubid == InvalidSubTransactionId)
			size += (uint64) RelationGetNumberOfBlocks(rel) * BLCKSZ;
		relation_close(rel, AccessShareLock);
	}
	return size;
}

/* Return the size in bytes above which a table is large. */
uint64
dbkit_large_table_size(void)
{
	return (uint64) large_table_size * 1024;
}

/* Is it a table of which others should not have to wait for a change? */
bool
dbkit_is_large(Oid relid)
{
	return table_size(relid, true) > dbkit_large_table_size();
}

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

/* Find a change wrong whose table is large. */
static List *
judge_size(const Rule *rule, Oid relid, uint64 size, const char *change, const char *advice)
{
	Judgement	judgement = {.rule = rule};

	if (size <= (uint64) large_table_size * 1024)
		return NIL;
	judgement.facts = dbkit_facts(&dbkit_now, RelationRelationId, root_of(relid), 0);
	if (judgement.facts == NULL || !(judgement.facts->kind & (KIND_TABLE | KIND_ENUM_TABLE)))
		return NIL;
	judgement.level = dbkit_rule_level(rule, judgement.facts->schema, LEVEL_TO_ENFORCE);
	if (judgement.level == LEVEL_OFF)
		return NIL;
	dbkit_add_finding(&judgement, NULL, "%s a table of %s, more than %s; use %s",
					  change, pretty_size(size), pretty_size((uint64) large_table_size * 1024), advice);
	return dbkit_drop_exempt(judgement.findings, 0);
}

/* Is there the index already that CREATE INDEX IF NOT EXISTS would make? */
static bool
index_exists(const IndexStmt *stmt, Oid relid)
{
	return stmt->if_not_exists && stmt->idxname != NULL &&
		OidIsValid(get_relname_relid(stmt->idxname, get_rel_namespace(relid)));
}

/*
 * Judge a CREATE INDEX that would keep everybody from writing to a large table,
 * before it does.
 */
List *
dbkit_judge_index_build(Node *parsetree)
{
	IndexStmt  *stmt = (IndexStmt *) parsetree;
	Oid			relid;

	if (!IsA(parsetree, IndexStmt) || stmt->concurrent)
		return NIL;
	relid = RangeVarGetRelid(stmt->relation, NoLock, true);

	/* Who may not create it is to be told so, and not how large the table is */
	if (!OidIsValid(relid) || !dbkit_owns_table(relid, GetUserId()) || index_exists(stmt, relid))
		return NIL;
	return judge_size(&dbkit_size_limit_rules[BLOCKING_INDEX], relid, table_size(relid, stmt->relation->inh),
					  "the index blocks writes to",
					  get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ?
					  "CREATE INDEX ON ONLY, and CREATE INDEX CONCURRENTLY and ATTACH PARTITION for each partition" :
					  "CREATE INDEX CONCURRENTLY");
}

/* Judge an ALTER that rewrites a large table, under table_rewrite. */
List *
dbkit_judge_rewrite(void)
{
	Oid			relid = DatumGetObjectId(OidFunctionCall0(F_PG_EVENT_TRIGGER_TABLE_REWRITE_OID));

	return judge_size(&dbkit_size_limit_rules[TABLE_REWRITE], relid, table_size(relid, false),
					  "it rewrites", "a new column that is filled in batches");
}

/* Define the settings of this module. */
void
dbkit_size_limits_init(void)
{
	/* How long a lock is bearable depends on the hardware and the business. */
	DefineCustomIntVariable("dbkit.large_table_size",
							"Size of a table above which changes that others have to wait for are judged.",
							NULL,
							&large_table_size,
							100 * 1024, 0, MAX_KILOBYTES,
							PGC_SUSET,
							GUC_UNIT_KB | DBKIT_SETTING,
							NULL, NULL, NULL);
}

Rule		dbkit_size_limit_rules[] = {
	{
		.id = "table_rewrite",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.level = LEVEL_WARNING,
		.description = "no ALTER rewrites a table larger than dbkit.large_table_size; judged at the change only"
	},
	{
		.id = "blocking_index",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.level = LEVEL_WARNING,
		.description = "no plain CREATE INDEX on a table larger than dbkit.large_table_size; judged at the change only"
	},
	{NULL}
};
