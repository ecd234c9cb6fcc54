/*-------------------------------------------------------------------------
 *
 * log.c
 *		The log of changes: write entries, many at a time.
 *
 * Entries go straight into the month's partition, as COPY's rows do
 * (commands/copyfrom.c): whoever changes a row has no right on the log, and no
 * trigger, policy or rule of somebody else stands between the change and its
 * entry.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "common.h"
#include "audit/log.h"
#include "context/context.h"
#include "id.h"
#include "relation_name.h"

/* How many entries, and how many bytes of them, wait for one another: as for COPY */
#define MAX_WAITING			1000
#define MAX_WAITING_BYTES	65535

struct AuditWriter
{
	Relation	log;
	Relation	month;			/* the partition that takes the entries */
	EState	   *estate;
	ResultRelInfo *target;
	BulkInsertState bulk;		/* once there are many */
	CommandId	command;
	MemoryContext batch;		/* of the entries that wait */
	TupleTableSlot *slots[MAX_WAITING];
	int			made;			/* slots */
	int			waiting;		/* entries */
	Size		bytes;
	Datum		values[AUDIT_COLUMNS];	/* the same for all entries of a
										 * statement, but for a few */
	bool		isnull[AUDIT_COLUMNS];
};

static const char *const operation_names[] = {
	[AUDIT_INSERT] = "INSERT",
	[AUDIT_UPDATE] = "UPDATE",
	[AUDIT_DELETE] = "DELETE",
	[AUDIT_TRUNCATE] = "TRUNCATE",
	[AUDIT_BEGIN] = "AUDIT",
	[AUDIT_END] = "UNAUDIT",
	[AUDIT_ERASE] = "ERASE",
	[AUDIT_TRIM] = "TRIM",
};

const char *
dbkit_audit_operation_name(AuditOperation operation)
{
	return operation_names[operation];
}

/*
 * Return the OID of a table of the extension dbkit_audit, or InvalidOid without it.  Where that
 * is not, anybody may have a table of this name, with indexes that run his code.
 */
Oid
dbkit_find_audit_table(const char *name)
{
	Oid			extension = get_extension_oid("dbkit_audit", true);
	Oid			schema = OidIsValid(extension) ? get_namespace_oid("dbkit", true) : InvalidOid;
	Oid			result = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;

	return OidIsValid(result) && getExtensionOfObject(RelationRelationId, result) == extension ? result : InvalidOid;
}

/* Return the OID of the log, for functions of the extension, of which there is no need to ask. */
Oid
dbkit_audit_log(void)
{
	Oid			schema = get_namespace_oid("dbkit", true);
	Oid			result = OidIsValid(schema) ? get_relname_relid("audit_log", schema) : InvalidOid;

	if (!OidIsValid(result))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the log of changes, dbkit.audit_log, does not exist"),
				 errhint("CREATE EXTENSION dbkit_audit makes it.")));
	return result;
}

/*
 * Open the log, and make sure that it is the one that this library writes.
 */
static Relation
open_log(void)
{
	Relation	log = table_open(dbkit_audit_log(), RowExclusiveLock);

	if (log->rd_rel->relkind != RELKIND_PARTITIONED_TABLE || RelationGetDescr(log)->natts != AUDIT_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dbkit.audit_log is not the table that this version of dbkit writes"),
				 errhint("ALTER EXTENSION dbkit_audit UPDATE may help.")));
	return log;
}

/*
 * Find the partition for a time: as get_partition_for_tuple() in
 * executor/execPartition.c does.  The default partition takes what has none.
 */
static Oid
find_month(Relation log, TimestampTz at)
{
	PartitionKey key = RelationGetPartitionKey(log);
	PartitionDesc partitions = RelationGetPartitionDesc(log, true);
	PartitionBoundInfo bounds = partitions->boundinfo;
	Datum		value = TimestampTzGetDatum(at);
	bool		isequal;
	int			index = -1;

	if (partitions->nparts > 0)
	{
		index = bounds->indexes[partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds,
															  1, &value, &isequal) + 1];
		if (index < 0)
			index = bounds->default_index;
	}
	if (index < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dbkit.audit_log has no partition for this month, and no default partition"),
				 errhint("CALL dbkit.audit_seal() makes the months to come.")));
	return partitions->oids[index];
}

/*
 * Open the partition for a time.  Whoever attaches a month locks the default
 * partition, so another one may be right once that lock is granted.
 */
static Relation
open_month(Relation log, TimestampTz at)
{
	Oid			month = find_month(log, at);
	Relation	result = table_open(month, RowExclusiveLock);
	Oid			found;

	while ((found = find_month(log, at)) != month)
	{
		table_close(result, RowExclusiveLock);
		month = found;
		result = table_open(month, RowExclusiveLock);
	}
	if (result->rd_rel->relkind != RELKIND_RELATION || RelationGetDescr(result)->natts != AUDIT_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("partition \"%s\" of dbkit.audit_log is not as the log is", RelationGetRelationName(result))));
	return result;
}

static void
set_value(AuditWriter *writer, AuditColumn column, Datum value)
{
	writer->values[column] = value;
	writer->isnull[column] = false;
}

static void
set_text(AuditWriter *writer, AuditColumn column, const char *value)
{
	if (value != NULL && value[0] != '\0')
		set_value(writer, column, CStringGetTextDatum(value));
}

/* Note where the statement comes from; a connection through a socket has no address. */
static void
set_client(AuditWriter *writer)
{
	LOCAL_FCINFO(fcinfo, 0);
	Datum		address;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	address = inet_client_addr(fcinfo);
	if (!fcinfo->isnull)
		set_value(writer, AUDIT_CLIENT_ADDRESS, address);
}

/*
 * Set what all entries of a statement have in common.  The time is the clock's and
 * not the transaction's: a row's changes are then in order, whichever of two transactions
 * that wait for each other began first.
 */
static void
set_common_values(AuditWriter *writer, Oid relation, TimestampTz at)
{
	memset(writer->isnull, true, sizeof(writer->isnull));
	set_value(writer, AUDIT_AT, TimestampTzGetDatum(at));
	set_value(writer, AUDIT_TRANSACTION, FullTransactionIdGetDatum(GetTopFullTransactionId()));
	set_value(writer, AUDIT_SYSTEM_IDENTIFIER, Int64GetDatum((int64) GetSystemIdentifier()));
	set_value(writer, AUDIT_PID, Int32GetDatum(MyProcPid));
	if (OidIsValid(relation))
	{
		set_value(writer, AUDIT_RELATION, ObjectIdGetDatum(relation));
		set_text(writer, AUDIT_RELATION_IDENTITY, dbkit_relation_name(relation));
	}
	set_text(writer, AUDIT_USER_ID, dbkit_entered_user());
	set_text(writer, AUDIT_ORGANIZATION_ID, dbkit_entered_organization());
	set_text(writer, AUDIT_ROLE, GetUserNameFromId(GetUserId(), true));
	set_text(writer, AUDIT_SESSION_ROLE, GetUserNameFromId(GetSessionUserId(), true));
	set_text(writer, AUDIT_APPLICATION_NAME, application_name);
	set_client(writer);
}

/* Begin to write entries about a relation, or about the log itself where there is none. */
AuditWriter *
dbkit_begin_audit(Oid relation)
{
	AuditWriter *writer = palloc0(sizeof(AuditWriter));
	TimestampTz at = GetCurrentTimestamp();

	writer->log = open_log();
	writer->month = open_month(writer->log, at);
	writer->estate = CreateExecutorState();
	writer->target = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->target, writer->month, 0, NULL, 0);
	ExecOpenIndices(writer->target, false);
	writer->command = GetCurrentCommandId(true);
	writer->batch = AllocSetContextCreate(CurrentMemoryContext, "dbkit audit entries", ALLOCSET_DEFAULT_SIZES);
	set_common_values(writer, relation, at);
	return writer;
}

/* Return the context for the values of the next entry, which is emptied when that is written. */
MemoryContext
dbkit_audit_context(AuditWriter *writer)
{
	return writer->batch;
}

/* Store the entries that wait. */
static void
store_waiting(AuditWriter *writer)
{
	if (writer->waiting == 0)
		return;
	table_multi_insert(writer->month, writer->slots, writer->waiting, writer->command, 0, writer->bulk);
	for (int i = 0; i < writer->waiting; i++)
	{
		if (writer->target->ri_NumIndices > 0)
			list_free(dbkit_insert_index_tuples(writer->target, writer->slots[i], writer->estate));
		ExecClearTuple(writer->slots[i]);
	}
	ResetPerTupleExprContext(writer->estate);
	MemoryContextReset(writer->batch);
	writer->waiting = 0;
	writer->bytes = 0;
}

/* Return a slot for the next entry. */
static TupleTableSlot *
next_slot(AuditWriter *writer)
{
	if (writer->waiting == writer->made)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(writer));

		writer->slots[writer->made++] = table_slot_create(writer->month, NULL);
		MemoryContextSwitchTo(old);
	}
	return writer->slots[writer->waiting];
}

/* Write an entry.  What is NULL is not there. */
void
dbkit_write_audit(AuditWriter *writer, AuditOperation operation, text *row_id, Jsonb *old_values, Jsonb *new_values)
{
	static const char prefix[] = {'a', 'u', 'd'};
	TupleTableSlot *slot = next_slot(writer);
	MemoryContext old = MemoryContextSwitchTo(writer->batch);

	memcpy(slot->tts_values, writer->values, sizeof(writer->values));
	memcpy(slot->tts_isnull, writer->isnull, sizeof(writer->isnull));
	slot->tts_values[AUDIT_ID] = DirectFunctionCall1(dbkit_generate_id, PointerGetDatum(cstring_to_text_with_len(prefix, sizeof(prefix))));
	slot->tts_isnull[AUDIT_ID] = false;
	slot->tts_values[AUDIT_SALT] = Int64GetDatum((int64) dbkit_random_bits());
	slot->tts_isnull[AUDIT_SALT] = false;
	slot->tts_values[AUDIT_OPERATION] = CStringGetTextDatum(operation_names[operation]);
	slot->tts_isnull[AUDIT_OPERATION] = false;
	slot->tts_values[AUDIT_ROW_ID] = PointerGetDatum(row_id);
	slot->tts_isnull[AUDIT_ROW_ID] = row_id == NULL;
	slot->tts_values[AUDIT_OLD_VALUES] = PointerGetDatum(old_values);
	slot->tts_isnull[AUDIT_OLD_VALUES] = old_values == NULL;
	slot->tts_values[AUDIT_NEW_VALUES] = PointerGetDatum(new_values);
	slot->tts_isnull[AUDIT_NEW_VALUES] = new_values == NULL;
	ExecStoreVirtualTuple(slot);
	MemoryContextSwitchTo(old);

	writer->waiting++;
	writer->bytes += (old_values != NULL ? VARSIZE(old_values) : 0) + (new_values != NULL ? VARSIZE(new_values) : 0);
	if (writer->waiting == MAX_WAITING || writer->bytes > MAX_WAITING_BYTES)
	{
		if (writer->bulk == NULL)
			writer->bulk = GetBulkInsertState();
		store_waiting(writer);
	}
}

/* Write what waits.  The locks are kept until the transaction ends, as for any INSERT. */
void
dbkit_end_audit(AuditWriter *writer)
{
	store_waiting(writer);
	for (int i = 0; i < writer->made; i++)
		ExecDropSingleTupleTableSlot(writer->slots[i]);
	table_finish_bulk_insert(writer->month, 0);
	if (writer->bulk != NULL)
		FreeBulkInsertState(writer->bulk);
	ExecCloseIndices(writer->target);
	FreeExecutorState(writer->estate);
	table_close(writer->month, NoLock);
	table_close(writer->log, NoLock);
	MemoryContextDelete(writer->batch);
	pfree(writer);
}

/* Write one entry that is about no row. */
void
dbkit_write_audit_mark(Oid relation, AuditOperation operation, text *row_id, Jsonb *details)
{
	AuditWriter *writer = dbkit_begin_audit(relation);

	dbkit_write_audit(writer, operation, row_id, NULL, details);
	dbkit_end_audit(writer);
}
