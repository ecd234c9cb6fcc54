/*-------------------------------------------------------------------------
 *
 * change.c
 *		Judge a change of a table in use before it is made.
 *
 * Nobody wants to hear after an hour that a rewrite of an hour was wrong.  So a
 * statement is judged by its parse tree before PostgreSQL begins with it: at
 * ddl_command_start, which also loads the library in a session that has not used it,
 * or, of commands for which no event trigger fires, by a hook, where the library
 * is loaded already.  Whether an ALTER TABLE rewrites the table PostgreSQL itself says,
 * by the event table_rewrite, after it has got its lock and before it reads a row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/catalog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "commands/defrem.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "commands/vacuum.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "cluster.h"
#include "common.h"
#include "convention/agreement.h"
#include "convention/change/change.h"
#include "convention/enforce.h"
#include "convention/report.h"
#include "convention/rules/size_limits.h"
#include "lock/own_locks.h"
#include "relation_name.h"
#include "statement_option.h"

static ProcessUtility_hook_type next_ProcessUtility = NULL;

/* The judged statements that run, the innermost first */
static const RunningStatement *running = NULL;

static Oid
find_relation(const RangeVar *name)
{
	return RangeVarGetRelid(name, NoLock, true);
}

/* Does an index order its table for CLUSTER? */
static bool
is_clustered(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		result = false;
	ListCell   *lc;

	if (rel == NULL)
		return false;
	foreach(lc, RelationGetIndexList(rel))
		result |= get_index_isclustered(lfirst_oid(lc));
	relation_close(rel, AccessShareLock);
	return result;
}

/* List the tables of a schema, or of all; they are what a command without a name is about. */
static List *
list_tables(Oid schema)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(catalog, 0, NULL);
	List	   *result = NIL;
	HeapTuple	tuple;

	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_class form = (Form_pg_class) GETSTRUCT(tuple);

		if ((form->relkind == RELKIND_RELATION || form->relkind == RELKIND_MATVIEW) &&
			(schema == form->relnamespace || !OidIsValid(schema)) &&
			form->relpersistence != RELPERSISTENCE_TEMP && !IsCatalogNamespace(form->relnamespace) &&
			form->relnamespace != PG_TOAST_NAMESPACE)
			result = lappend_oid(result, form->oid);
	}
	table_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Judge a VACUUM FULL of a table. */
static void
judge_vacuum_of(LiveChange *change, Oid relid)
{
	Finding    *finding;

	if (!dbkit_meet_table(change, relid, true) ||
		(finding = dbkit_find_unsafe(change, UNSAFE_VACUUM_FULL, change->size, NULL)) == NULL)
		return;
	dbkit_add_step(finding, "VACUUM {table};", "table", change->table, NULL);
}

static void
judge_vacuum(LiveChange *change)
{
	const VacuumStmt *vacuum = (const VacuumStmt *) change->statement;
	ListCell   *lc;

	/* To look at the size would wait for the lock that is to be skipped */
	if (!vacuum->is_vacuumcmd || !dbkit_has_option(vacuum->options, "full") || dbkit_has_option(vacuum->options, "skip_locked"))
		return;
	foreach(lc, vacuum->rels)
	{
		const VacuumRelation *named = lfirst_node(VacuumRelation, lc);

		judge_vacuum_of(change, named->relation != NULL ? find_relation(named->relation) : named->oid);
	}
	foreach(lc, vacuum->rels == NIL ? list_tables(InvalidOid) : NIL)
		judge_vacuum_of(change, lfirst_oid(lc));
}

/* Judge a CLUSTER of a table. */
static void
judge_cluster_of(LiveChange *change, Oid relid)
{
	if (dbkit_meet_table(change, relid, true))
		dbkit_find_unsafe(change, UNSAFE_CLUSTER, change->size, NULL);
}

static void
judge_cluster(LiveChange *change)
{
	const ClusterStmt *cluster = (const ClusterStmt *) change->statement;
	ListCell   *lc;

	if (cluster->relation != NULL)
	{
		judge_cluster_of(change, find_relation(cluster->relation));
		return;
	}
	foreach(lc, list_tables(InvalidOid))
	{
		if (is_clustered(lfirst_oid(lc)))
			judge_cluster_of(change, lfirst_oid(lc));
	}
}

/* Return the table of an index, or InvalidOid where it is gone. */
static Oid
table_of_index(Oid index)
{
	return OidIsValid(index) ? IndexGetRelation(index, true) : InvalidOid;
}

/* Return the option TABLESPACE of REINDEX as it is written, or nothing. */
static const char *
reindex_options(const ReindexStmt *reindex)
{
	ListCell   *lc;

	foreach(lc, reindex->params)
	{
		if (strcmp(lfirst_node(DefElem, lc)->defname, "tablespace") == 0)
			return psprintf("(TABLESPACE %s) ", quote_identifier(defGetString(lfirst(lc))));
	}
	return "";
}

/* Judge a REINDEX of a table, or of one index of it. */
static void
judge_reindex_of(LiveChange *change, Oid relid, Oid index)
{
	const char *name;
	Finding    *finding;

	if (!dbkit_meet_table(change, relid, true) ||
		(name = OidIsValid(index) ? dbkit_find_relation_name(index) : change->table) == NULL ||
		(finding = dbkit_find_unsafe(change, UNSAFE_REINDEX, change->size, NULL)) == NULL)
		return;
	dbkit_add_step(finding, "REINDEX {options}{what} CONCURRENTLY {name};",
				   "options", reindex_options((const ReindexStmt *) change->statement), "what", OidIsValid(index) ? "INDEX" : "TABLE", "name", name, NULL);
}

static void
judge_reindex(LiveChange *change)
{
	const ReindexStmt *reindex = (const ReindexStmt *) change->statement;
	List	   *tables = NIL;
	Oid			index;
	ListCell   *lc;

	if (dbkit_has_option(reindex->params, "concurrently"))
		return;
	switch (reindex->kind)
	{
		case REINDEX_OBJECT_INDEX:
			index = find_relation(reindex->relation);
			judge_reindex_of(change, table_of_index(index), index);
			break;
		case REINDEX_OBJECT_TABLE:
			tables = list_make1_oid(find_relation(reindex->relation));
			break;
		case REINDEX_OBJECT_SCHEMA:
			index = get_namespace_oid(reindex->name, true);
			tables = OidIsValid(index) ? list_tables(index) : NIL;
			break;
		case REINDEX_OBJECT_DATABASE:
			tables = list_tables(InvalidOid);
			break;
		case REINDEX_OBJECT_SYSTEM:
			break;				/* the catalogs are not ours to judge */
	}
	foreach(lc, tables)
		judge_reindex_of(change, lfirst_oid(lc), InvalidOid);
}

/* Has a materialized view what REFRESH ... CONCURRENTLY needs (is_usable_unique_index() in matview.c)? */
static bool
can_refresh_concurrently(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		result = false;
	ListCell   *lc;

	if (rel == NULL)
		return false;
	foreach(lc, RelationGetIndexList(rel))
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index form;

		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_index) GETSTRUCT(tuple);
		result |= form->indisunique && form->indimmediate && form->indisvalid &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL) && heap_attisnull(tuple, Anum_pg_index_indexprs, NULL);
		ReleaseSysCache(tuple);
	}
	relation_close(rel, AccessShareLock);
	return result;
}

static void
judge_refresh(LiveChange *change)
{
	const RefreshMatViewStmt *refresh = (const RefreshMatViewStmt *) change->statement;
	Finding    *finding;

	if (refresh->concurrent || refresh->skipData || !dbkit_meet_table(change, find_relation(refresh->relation), false) ||
		(finding = dbkit_find_unsafe(change, UNSAFE_REFRESH, change->size, NULL)) == NULL)
		return;
	if (!can_refresh_concurrently(change->relid))
		dbkit_add_step(finding, "-- In place of the dots: columns by which each row differs from all others\n"
					   "CREATE UNIQUE INDEX CONCURRENTLY ON {table} (...);", "table", change->table, NULL);
	dbkit_add_step(finding, "REFRESH MATERIALIZED VIEW CONCURRENTLY {table};", "table", change->table, NULL);
}

/* Judge the drop of an index; that of a partitioned table cannot be dropped CONCURRENTLY. */
static void
judge_drop_index(LiveChange *change)
{
	const DropStmt *drop = (const DropStmt *) change->statement;
	ListCell   *lc;

	if (drop->concurrent || drop->behavior == DROP_CASCADE)
		return;
	foreach(lc, drop->objects)
	{
		Oid			index = find_relation(makeRangeVarFromNameList(lfirst(lc)));
		const char *name = OidIsValid(index) && get_rel_relkind(index) == RELKIND_INDEX ? dbkit_find_relation_name(index) : NULL;
		Finding    *finding;

		if (name != NULL && dbkit_meet_table(change, table_of_index(index), true) &&
			(finding = dbkit_find_unsafe(change, UNSAFE_DROP_INDEX, change->size, NULL)) != NULL)
			dbkit_add_step(finding, "DROP INDEX CONCURRENTLY {index};", "index", name, NULL);
	}
}

static void
judge_drop(LiveChange *change)
{
	if (((const DropStmt *) change->statement)->removeType == OBJECT_INDEX)
		judge_drop_index(change);
	else
		dbkit_judge_breaking(change);
}

/* What is judged before its work, and which of it by the hook: event triggers fire for REINDEX from 17 on, for the others never */
typedef struct JudgedStatement
{
	NodeTag		tag;
	bool		hooked;
	void		(*judge) (LiveChange *change);
} JudgedStatement;

static const JudgedStatement statements[] = {
	{T_AlterTableStmt, false, dbkit_judge_alter},
	{T_IndexStmt, false, dbkit_judge_create_index},
	{T_DropStmt, false, judge_drop},
	{T_RenameStmt, false, dbkit_judge_breaking},
	{T_AlterObjectSchemaStmt, false, dbkit_judge_breaking},
	{T_RefreshMatViewStmt, false, judge_refresh},
	{T_ReindexStmt, true, judge_reindex},
	{T_VacuumStmt, true, judge_vacuum},
	{T_ClusterStmt, true, judge_cluster},
};

/* Return how a statement is judged, or NULL if it is not. */
static const JudgedStatement *
find_judged(const Node *statement)
{
	const NodeTag tag = nodeTag(statement);

	/* Each transaction has two of these */
	if (tag == T_TransactionStmt)
		return NULL;
	for (size_t i = 0; i < lengthof(statements); i++)
	{
		if (statements[i].tag == tag)
			return &statements[i];
	}
	return NULL;
}

/* Judge a statement, and refuse it or warn of it. */
static void
judge(const JudgedStatement *judged, Node *statement)
{
	LiveChange	change = {.running = running,.statement = statement};

	judged->judge(&change);
	if (!IsA(statement, AlterTableStmt))
		dbkit_complete_steps(&change, NULL);
	dbkit_report(change.findings, ERROR, NULL);
}

/* Does a function run the statement that is running, rather than the client? */
bool
dbkit_function_runs_statement(void)
{
	return running != NULL && !running->top_level;
}

/* Judge a statement for which event triggers fire, when it begins. */
void
dbkit_judge_change(Node *statement)
{
	const JudgedStatement *judged = find_judged(statement);

	if (judged != NULL && !judged->hooked)
		judge(judged, statement);
}

/* Return the table that an ALTER names which rewrites that one, or one above it. */
static Oid
named_table(const Node *statement, Oid relid, bool *inherits)
{
	const AlterTableStmt *alter = (const AlterTableStmt *) statement;
	Oid			named = IsA(statement, AlterTableStmt) ? find_relation(alter->relation) : InvalidOid;

	*inherits = OidIsValid(named) && alter->relation->inh && list_member_oid(find_all_inheritors(named, NoLock, NULL), relid);
	return *inherits ? named : relid;
}

/*
 * Judge an ALTER that is about to rewrite a table.  Of one with partitions or children it speaks
 * once, before the first of them is rewritten; that one comes first in the next statement, too.
 */
void
dbkit_judge_rewrite(Node *statement)
{
	static struct
	{
		LocalTransactionId transaction;
		const Node *statement;
		Oid			named;
		Oid			first;
	}			last;
	LiveChange	change = {.running = running,.statement = statement};
	Oid			relid = DatumGetObjectId(OidFunctionCall0(F_PG_EVENT_TRIGGER_TABLE_REWRITE_OID));
	int			reason = DatumGetInt32(OidFunctionCall0(F_PG_EVENT_TRIGGER_TABLE_REWRITE_REASON));
	bool		inherits;
	Oid			named = named_table(statement, relid, &inherits);

	if (last.transaction == dbkit_local_transaction() && last.statement == statement && last.named == named && last.first != relid)
		return;
	if (!dbkit_meet_table(&change, named, inherits))
		return;
	dbkit_judge_alter_rewrite(&change, reason);
	dbkit_report(change.findings, ERROR, NULL);
	last.transaction = dbkit_local_transaction();
	last.statement = statement;
	last.named = named;
	last.first = relid;
}

/* Judge a statement for which no event trigger fires; where none of ours would, it is not judged either. */
static void
judge_without_event(const JudgedStatement *judged, Node *statement)
{
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA || !IsTransactionState() ||
		!OidIsValid(get_extension_oid("dbkit", true)))
		return;
	dbkit_refresh_agreement();
	if (!dbkit_changes_are_disabled())
		judge(judged, statement);
}

/* Relations that this backend has locked so that nobody else can read them */
static List *locked_relations = NIL;

static void
add_locked_relation(Oid relid, LOCKMASK held)
{
	if (held & LOCKBIT_ON(AccessExclusiveLock))
		locked_relations = lappend_oid(locked_relations, relid);
}

/* Return the relations that nobody else can read now. */
static List *
list_locked_relations(void)
{
	locked_relations = NIL;
	dbkit_visit_own_locks(add_locked_relation);
	return locked_relations;
}

/*
 * Did an earlier statement of the transaction lock the relation so that nobody else can read it?
 * A cluster's software takes the locks of a statement before that begins for us.
 */
bool
dbkit_was_locked_before(Oid relid)
{
	return running != NULL && running->top_level && running->judged ?
		list_member_oid(running->locked, relid) : dbkit_holds_lock(relid, AccessExclusiveLock);
}

/* Run a statement, and keep its text meanwhile. */
static void
run_judged(bool judged, PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	RunningStatement statement = {
		.outer = running,
		.planned = pstmt,
		.source = queryString,
		.top_level = context == PROCESS_UTILITY_TOPLEVEL,
		.judged = judged,
		.locked = judged && dbkit_cluster_is_loaded ? list_locked_relations() : NIL
	};

	running = &statement;
	PG_TRY();
	{
		(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
			(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
	}
	PG_FINALLY();
	{
		running = statement.outer;
	}
	PG_END_TRY();
}

/* Judge what no event trigger fires for, and keep the text of what is judged. */
static void
change_ProcessUtility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
					  ProcessUtilityContext context, ParamListInfo params,
					  QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	const JudgedStatement *judged = find_judged(pstmt->utilityStmt);

	/* In a cluster, note of every statement whether a function runs it */
	if (judged == NULL && !dbkit_cluster_is_loaded)
	{
		(next_ProcessUtility ? next_ProcessUtility : standard_ProcessUtility)
			(pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
		return;
	}
	if (judged != NULL && judged->hooked)
		judge_without_event(judged, pstmt->utilityStmt);
	run_judged(judged != NULL, pstmt, queryString, readOnlyTree, context, params, queryEnv, dest, qc);
}

/* Watch statements begin. */
void
dbkit_change_init(void)
{
	next_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = change_ProcessUtility;
}
