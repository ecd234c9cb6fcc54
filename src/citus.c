/*-------------------------------------------------------------------------
 *
 * citus.c
 *		Know what Citus does with the tables of a database.
 *
 * Citus cuts a table into shards, which are tables of their own on some server, and
 * gives each server an empty table of the same definition, the shell.  People write
 * statements about the table on the coordinator.  That is where dbkit judges them;
 * what Citus makes of them elsewhere is a copy.
 *
 * All is read from Citus' catalogs, by the names of their columns.  Of its functions those
 * are called that tell the size of a table, and what a tenant context needs to be sent.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "attempt.h"
#include "cluster.h"
#include "common.h"

bool		dbkit_cluster_is_loaded = false;

/* A table in Citus' catalogs, and the column and unique index by which a row is found */
typedef struct CitusCatalog
{
	const char *table;
	const char *index;
	const char *key;
} CitusCatalog;

static const CitusCatalog shards = {"pg_dist_shard", "pg_dist_shard_shardid_index", "shardid"};
static const CitusCatalog tables = {"pg_dist_partition", "pg_dist_partition_logical_relid_index", "logicalrelid"};

/* Is Citus at work in this database? */
bool
dbkit_cluster_is_at_work(void)
{
	return dbkit_cluster_is_loaded && OidIsValid(get_relname_relid(tables.table, PG_CATALOG_NAMESPACE));
}

/* Open a table of Citus, or return NULL where it is gone, as while the extension is dropped. */
static Relation
open_catalog(const char *name)
{
	Oid			relid = get_relname_relid(name, PG_CATALOG_NAMESPACE);

	return OidIsValid(relid) ? try_table_open(relid, AccessShareLock) : NULL;
}

/* Return a column of a row, or 0 where there is no such column, or it is NULL. */
static Datum
column_value(Relation catalog, HeapTuple row, const char *column)
{
	AttrNumber	attnum = get_attnum(RelationGetRelid(catalog), column);
	bool		isnull = true;
	Datum		value = 0;

	if (attnum != InvalidAttrNumber)
		value = heap_getattr(row, attnum, RelationGetDescr(catalog), &isnull);
	return isnull ? (Datum) 0 : value;
}

/*
 * Return a column of the row with that key, or 0 where there is none.  Citus makes the
 * shards of a table and writes its catalogs over different connections, and commits them
 * together: so rows count that are not committed yet.
 */
static Datum
look_up(const CitusCatalog *citus_catalog, RegProcedure equals, Datum value, const char *column)
{
	Relation	catalog = open_catalog(citus_catalog->table);
	Oid			index = get_relname_relid(citus_catalog->index, PG_CATALOG_NAMESPACE);
	SnapshotData dirty;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	AttrNumber	attnum;
	Datum		result = 0;

	if (catalog == NULL)
		return 0;
	attnum = get_attnum(RelationGetRelid(catalog), citus_catalog->key);
	if (attnum != InvalidAttrNumber && OidIsValid(index))
	{
		InitDirtySnapshot(dirty);
		ScanKeyInit(&key, attnum, BTEqualStrategyNumber, equals, value);
		scan = systable_beginscan(catalog, index, true, &dirty, 1, &key);
		if (HeapTupleIsValid(row = systable_getnext(scan)))
			result = column_value(catalog, heap_copytuple(row), column);
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);
	return result;
}

/* Is it a table that Citus manages? */
static bool
is_managed(Oid relid)
{
	return look_up(&tables, F_OIDEQ, ObjectIdGetDatum(relid), "logicalrelid") != 0;
}

/*
 * Return the column whose value tells on which server a row of the table is, or 0 where the
 * table is not distributed by one.  Citus keeps it as the text of a Var.
 */
AttrNumber
dbkit_distribution_column(Oid relid)
{
	static const char field[] = ":varattno ";
	Datum		key = dbkit_cluster_is_at_work() ? look_up(&tables, F_OIDEQ, ObjectIdGetDatum(relid), "partkey") : 0;
	const char *attnum = key != 0 ? strstr(TextDatumGetCString(key), field) : NULL;

	return attnum != NULL ? (AttrNumber) atoi(attnum + strlen(field)) : InvalidAttrNumber;
}

/* Return the number of this server's group: 0 for the coordinator, whose row cannot be told from none. */
static int
local_group(void)
{
	Relation	catalog = open_catalog("pg_dist_local_group");
	SysScanDesc scan;
	HeapTuple	row;
	int			result = 0;

	if (catalog == NULL)
		return 0;
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	if (HeapTupleIsValid(row = systable_getnext(scan)))
		result = DatumGetInt32(column_value(catalog, row, "groupid"));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Does the name say that another server's Citus opened a connection?  citus_run_command is the user's own DDL. */
static bool
is_citus_name(const char *name)
{
	static const char *const prefixes[] = {"citus_internal gpid=", "citus_rebalancer gpid="};

	for (size_t i = 0; name != NULL && i < lengthof(prefixes); i++)
	{
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

/*
 * May another server of the cluster have opened this connection?  The value that SET does not
 * change came with the connection.  A client can choose it, so it is no proof.
 */
bool
dbkit_is_cluster_connection(void)
{
	return dbkit_cluster_is_loaded && is_citus_name(GetConfigOptionResetString("application_name"));
}

/* Did the cluster open this connection?  A superuser may say so. */
bool
dbkit_serves_cluster(void)
{
	return dbkit_is_cluster_connection() && superuser_arg(GetSessionUserId());
}

/* Does the server get its tables from the coordinator of a cluster? */
bool
dbkit_is_sent_to(void)
{
	return dbkit_cluster_is_at_work() && local_group() != 0;
}

/* Return the name of a table, which may be one that is not committed yet, or NULL; and its schema. */
static char *
find_name(Oid relid, Oid *namespace)
{
	Relation	catalog = table_open(RelationRelationId, AccessShareLock);
	char	   *result = NULL;
	SnapshotData dirty;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, Anum_pg_class_oid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, ClassOidIndexId, true, &dirty, 1, &key);
	if (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		result = pstrdup(NameStr(((Form_pg_class) GETSTRUCT(row))->relname));
		*namespace = ((Form_pg_class) GETSTRUCT(row))->relnamespace;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/*
 * Is it what Citus calls a shard of the table?  Where both names do not fit, Citus cuts that of
 * the table, and puts a hash of 8 digits after it.
 */
static bool
is_shard_name(const char *name, size_t stem, const char *table)
{
	size_t		length = strlen(table);

	if (length + strlen(name + stem) < NAMEDATALEN)
		return stem == length && memcmp(name, table, length) == 0;
	return stem > 9 && memcmp(name, table, stem - 9) == 0;
}

/* Return where the number of a shard begins in a name, with the "_" before it, or 0. */
static size_t
find_number(const char *name)
{
	size_t		end = strlen(name);
	size_t		start = end;

	while (start > 0 && isdigit((unsigned char) name[start - 1]))
		start--;
	return start > 1 && start < end && end - start < 19 && name[start - 1] == '_' ? start - 1 : 0;
}

/* Is it in the list of those that Citus will drop, such as a shard that was split? */
static bool
is_to_be_dropped(Oid relid)
{
	Relation	catalog = open_catalog("pg_dist_cleanup");
	char	   *schema = get_namespace_name(get_rel_namespace(relid));
	char	   *name = get_rel_name(relid);
	const char *identity;
	SysScanDesc scan;
	HeapTuple	row;
	bool		found = false;

	if (catalog == NULL)
		return false;
	identity = schema != NULL && name != NULL ? quote_qualified_identifier(schema, name) : "";
	scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	while (!found && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Datum		dropped = column_value(catalog, row, "object_name");

		found = dropped != 0 && strcmp(TextDatumGetCString(dropped), identity) == 0;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * Is it what is left of a shard, on a server that the coordinator sends shards to?  The table may
 * have been renamed since, or be gone, and only the coordinator knows of what is to be dropped.  So
 * there is nothing but the number to go by, which Citus counts from here on.
 */
static bool
is_numbered_as_shard(int64 number)
{
	return number >= 102008 && dbkit_is_sent_to();
}

/*
 * Is this a copy, here a shard, of a table that somebody else judges?  The name of a shard ends
 * in its number, and Citus has to know that number for that table.  What is left of a shard that
 * was moved or split only the coordinator knows of.
 */
bool
dbkit_is_copy(Oid relid, const char *name)
{
	size_t		stem = dbkit_cluster_is_loaded ? find_number(name) : 0;
	Oid			namespace = InvalidOid;
	int64		number;
	Oid			table;
	char	   *table_name;

	if (stem == 0 || !dbkit_cluster_is_at_work())
		return false;
	if (dbkit_serves_cluster())
		return true;
	number = strtoll(name + stem + 1, NULL, 10);
	table = DatumGetObjectId(look_up(&shards, F_INT8EQ, Int64GetDatum(number), "logicalrelid"));
	table_name = OidIsValid(table) ? find_name(table, &namespace) : NULL;
	if (table_name != NULL && namespace == get_rel_namespace(relid) && is_shard_name(name, stem, table_name))
		return true;
	return is_to_be_dropped(relid) || is_numbered_as_shard(number);
}

/* Does Citus keep the object on this server because the coordinator has it? */
static bool
is_sent_here(Oid classid, Oid objid)
{
	static const char *const columns[] = {"classid", "objid"};
	Relation	catalog = open_catalog("pg_dist_object");
	Oid			index = get_relname_relid("pg_dist_object_pkey", PG_CATALOG_NAMESPACE);
	ScanKeyData keys[lengthof(columns)];
	SysScanDesc scan;
	bool		found = false;

	if (catalog == NULL)
		return false;
	for (size_t i = 0; i < lengthof(columns); i++)
		ScanKeyInit(&keys[i], get_attnum(RelationGetRelid(catalog), columns[i]), BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(i == 0 ? classid : objid));
	if (OidIsValid(index) && keys[0].sk_attno > 0 && keys[1].sk_attno > 0)
	{
		scan = systable_beginscan(catalog, index, true, NULL, lengthof(keys), keys);
		found = HeapTupleIsValid(systable_getnext(scan));
		systable_endscan(scan);
	}
	table_close(catalog, AccessShareLock);
	return found;
}

/*
 * Is the object judged on another server?  The coordinator judges what it sends to the others:
 * tables, and the functions, types and views that they use.
 */
bool
dbkit_is_managed_elsewhere(Oid classid, Oid objid)
{
	if (!dbkit_is_sent_to())
		return false;
	return (classid == RelationRelationId && is_managed(objid)) || is_sent_here(classid, objid);
}

/* A table, and the size of its shards on all servers */
typedef struct ShardSizes
{
	Oid			relid;
	uint64		bytes;
} ShardSizes;

/* Have Citus ask the servers that have shards of a table how large those are. */
static void
ask_shard_sizes(void *arg)
{
	static const Oid types[] = {REGCLASSOID};
	ShardSizes *table = arg;
	Oid			function = LookupFuncName(list_make2(makeString("pg_catalog"), makeString("citus_relation_size")),
										  lengthof(types), types, true);

	if (OidIsValid(function))
		table->bytes = DatumGetInt64(OidFunctionCall1(function, ObjectIdGetDatum(table->relid)));
}

/*
 * Return the size in bytes of what other tables have of this one's rows.  A server that does not
 * answer has nothing.  Shards are locked to read their size, so nobody may ask of a table that the
 * transaction has locked: it would wait for itself, on another connection.
 */
uint64
dbkit_size_of_copies(Oid relid)
{
	ShardSizes	table = {relid, 0};

	if (dbkit_cluster_is_at_work() && !dbkit_is_sent_to() && is_managed(relid))
		(void) dbkit_attempt(ask_shard_sizes, &table, ATTEMPT_KEPT);
	return table.bytes;
}

/*
 * Have other servers do one thing after the other, on one connection each, until the settings of
 * now are restored: what is written to one table is otherwise not seen where another one refers
 * to it.
 */
void
dbkit_work_in_sequence(void)
{
	(void) set_config_option("citus.multi_shard_modify_mode", "sequential", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Is it one of those functions of Citus?  They are in pg_catalog, where nobody else's are. */
static bool
is_function_among(Oid function, const char *const names[], size_t count)
{
	const char *name;

	if (!dbkit_cluster_is_loaded || get_func_namespace(function) != PG_CATALOG_NAMESPACE)
		return false;
	name = get_func_name(function);
	for (size_t i = 0; name != NULL && i < count; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Does the function run its caller's SQL on another connection, where the context of this one
 * does not hold?  Citus grants most of them to PUBLIC.
 */
bool
dbkit_runs_elsewhere(Oid function)
{
	static const char *const names[] = {
		"citus_run_local_command", "master_run_on_worker", "run_command_on_all_nodes",
		"run_command_on_colocated_placements", "run_command_on_coordinator", "run_command_on_placements",
		"run_command_on_shards", "run_command_on_workers", "worker_copy_table_to_node", "worker_split_copy"
	};

	return is_function_among(function, names, lengthof(names));
}

/* Does the function show how its caller's SQL is planned, as EXPLAIN does? */
bool
dbkit_shows_plans(Oid function)
{
	static const char *const names[] = {"worker_last_saved_explain_analyze", "worker_save_query_explain_analyze"};

	return is_function_among(function, names, lengthof(names));
}

/*
 * May a statement that changes this setting, NULL for all, be sent to other servers?  Citus sends
 * the whole text that the statement stands in, with what else is in it, and runs that there.
 */
bool
dbkit_settings_are_sent(const char *setting)
{
	static const char switch_name[] = "citus.propagate_set_commands";
	const char *value;

	if (!dbkit_cluster_is_loaded)
		return false;
	value = GetConfigOption(switch_name, true, false);
	return (setting != NULL && pg_strcasecmp(setting, switch_name) == 0) ||
		(value != NULL && strcmp(value, "none") != 0);
}

/* Return the name of the setting by which clients are shown what is sent to other servers */
const char *
dbkit_cluster_log_setting(void)
{
	return "citus.log_remote_commands";
}

/* Have SET LOCAL sent to other servers until the settings of now are restored */
void
dbkit_cluster_send_settings(void)
{
	(void) set_config_option("citus.propagate_set_commands", "local", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Do queries in a transaction block open transactions on the other servers that they are sent to? */
bool
dbkit_cluster_queries_open_transactions(void)
{
	const char *value = GetConfigOption("citus.select_opens_transaction_block", true, false);

	return value != NULL && strcmp(value, "on") == 0;
}

/*
 * Have all that is sent to other servers from now on be part of one transaction, also outside
 * of a transaction block, where a query is otherwise sent by itself.  A result that is kept for
 * later queries has that effect; this one is empty.
 */
void
dbkit_cluster_open_transaction(void)
{
	const Oid	types[] = {TEXTOID, TEXTOID};
	List	   *name = list_make2(makeString("pg_catalog"), makeString("create_intermediate_result"));

	(void) OidFunctionCall2(LookupFuncName(name, lengthof(types), types, false),
							CStringGetTextDatum("dbkit_context"), CStringGetTextDatum("SELECT 1 LIMIT 0"));
}

/*
 * Does the function make a session part of another one's transaction, with what that keeps
 * for later queries?  Other servers call it when they open a transaction.
 */
bool
dbkit_takes_over_transaction(Oid function)
{
	static const char *const names[] = {"assign_distributed_transaction_id"};

	return is_function_among(function, names, lengthof(names));
}

/*
 * Return the number by which the cluster knows the session that this one works for, which is
 * this one itself where no other server opened the connection.
 */
int64
dbkit_cluster_session(void)
{
	static const char field[] = "gpid=";
	List	   *name = list_make2(makeString("pg_catalog"), makeString("citus_backend_gpid"));

	if (dbkit_is_cluster_connection())
		return strtoll(strstr(GetConfigOptionResetString("application_name"), field) + strlen(field), NULL, 10);
	return DatumGetInt64(OidFunctionCall0(LookupFuncName(name, 0, NULL, false)));
}

/* Look whether Citus is loaded, which has to come before dbkit in shared_preload_libraries. */
void
dbkit_cluster_init(void)
{
	dbkit_cluster_is_loaded = GetConfigOption("citus.version", true, false) != NULL;
}
