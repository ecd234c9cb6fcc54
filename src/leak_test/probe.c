/*-------------------------------------------------------------------------
 *
 * probe.c
 *		Try a statement as another role and another tenant, and take it back.
 *
 * Each is in a subtransaction of its own, with the rights of the role alone.  Whether a row
 * has been changed is seen in the table itself, below privileges and row level security, and
 * before the triggers run that come after the statement: a foreign key that then keeps the row
 * proves that it was within reach.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "tcop/dest.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "as_owner.h"
#include "attempt.h"
#include "context/context.h"
#include "leak_test/probe.h"

/* Of a null, so that it differs from no value at all */
#define HASH_OF_NULL	UINT64CONST(0x9e3779b97f4a7c15)

/* Takes what a statement returns */
typedef struct Observer
{
	DestReceiver pub;
	Probe	   *probe;
	MemoryContext result;		/* where the observation is */
	MemoryContext scratch;		/* reset for each row */
	FmgrInfo   *output;
} Observer;

/*
 * Act as a role until the end of the subtransaction, with names looked up in this path.
 */
void
dbkit_begin_as_role(Oid role, int extra_flags, const char *search_path)
{
	AsOwner		saved;

	dbkit_begin_as_owner(role, extra_flags, &saved);
	(void) set_config_option("search_path", search_path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/* Find the value that a row has in a column, NULL for null or none. */
const char *
dbkit_made_value(const Row *row, const char *column, bool *found)
{
	for (int i = 0; i < row->ncolumns; i++)
	{
		if (strcmp(row->columns[i], column) == 0)
		{
			*found = true;
			return row->values[i];
		}
	}
	*found = false;
	return NULL;
}

/* Write down the values of a row, its type's output functions being PostgreSQL's own. */
static void
read_values(Row *row, TupleTableSlot *slot)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;

	row->columns = palloc(sizeof(char *) * desc->natts);
	row->values = palloc(sizeof(char *) * desc->natts);
	row->ncolumns = 0;
	slot_getallattrs(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Oid			output;
		bool		is_varlena;

		if (attribute->attisdropped)
			continue;
		getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
		row->columns[row->ncolumns] = pstrdup(NameStr(attribute->attname));
		row->values[row->ncolumns++] = slot->tts_isnull[i] ? NULL :
			OidOutputFunctionCall(output, slot->tts_values[i]);
	}
}

/* Is the row still as it was made, to whatever this transaction has just done?  Of a foreign table's nobody knows. */
bool
dbkit_fetch_row(Row *row, bool with_values)
{
	Relation	table = table_open(row->relid, AccessShareLock);
	TupleTableSlot *slot;
	bool		found;

	if (table->rd_tableam == NULL)
	{
		table_close(table, NoLock);
		return false;
	}
	slot = table_slot_create(table, NULL);
	found = table_tuple_fetch_row_version(table, &row->tid, SnapshotSelf, slot);

	if (found && with_values)
		read_values(row, slot);
	ExecDropSingleTupleTableSlot(slot);
	table_close(table, NoLock);
	return found;
}

/* Is one of the rows changed or deleted that should be none of the role's business? */
static bool
is_one_touched(const Probe *probe)
{
	const ListCell *cell;

	foreach(cell, probe->watched)
	{
		Row		   *row = lfirst(cell);

		if (!list_member_ptr(probe->removed, row) && !dbkit_fetch_row(row, false))
			return true;
	}
	return false;
}

/* Delete rows as if they had never been: no trigger, no foreign key notices. */
static void
remove_rows(const List *rows)
{
	const ListCell *cell;

	foreach(cell, rows)
	{
		Row		   *row = lfirst(cell);
		Relation	table = table_open(row->relid, RowExclusiveLock);

		simple_table_tuple_delete(table, &row->tid, GetActiveSnapshot());
		table_close(table, NoLock);
	}
	CommandCounterIncrement();
}

static void
start_observing(DestReceiver *self, int operation pg_attribute_unused(), TupleDesc desc)
{
	Observer   *observer = (Observer *) self;
	Observation *seen = &observer->probe->seen;
	MemoryContext caller = MemoryContextSwitchTo(observer->result);

	memset(seen, 0, sizeof(Observation));
	seen->ncolumns = desc->natts;
	seen->sums = palloc0(sizeof(uint64) * desc->natts);
	seen->columns = palloc(sizeof(char *) * desc->natts);
	observer->output = palloc(sizeof(FmgrInfo) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Oid			output;
		bool		is_varlena;

		seen->columns[i] = pstrdup(NameStr(TupleDescAttr(desc, i)->attname));
		getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &output, &is_varlena);
		fmgr_info_cxt(output, &observer->output[i], observer->result);
	}
	MemoryContextSwitchTo(caller);
}

static uint64
hash_value(FmgrInfo *output, Datum value)
{
	const char *text = OutputFunctionCall(output, value);

	return hash_bytes_extended((const unsigned char *) text, strlen(text), 0);
}

static bool
observe_row(TupleTableSlot *slot, DestReceiver *self)
{
	Observer   *observer = (Observer *) self;
	Observation *seen = &observer->probe->seen;
	MemoryContext caller = MemoryContextSwitchTo(observer->scratch);

	slot_getallattrs(slot);
	seen->rows++;
	for (int i = 0; i < seen->ncolumns; i++)
		seen->sums[i] += slot->tts_isnull[i] ? HASH_OF_NULL
			: hash_value(&observer->output[i], slot->tts_values[i]);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(observer->scratch);
	return true;
}

/* The rows have been changed, and no trigger has run yet that comes after the statement. */
static void
end_observing(DestReceiver *self)
{
	Probe	   *probe = ((Observer *) self)->probe;

	probe->touched = is_one_touched(probe);
}

static void
destroy_observer(DestReceiver *self pg_attribute_unused())
{
}

static Observer
make_observer(Probe *probe)
{
	Observer	observer = {
		.pub = {observe_row, start_observing, end_observing, destroy_observer, DestNone},
		.probe = probe,
		.result = CurrentMemoryContext,
		.scratch = AllocSetContextCreate(CurrentMemoryContext, "dbkit leak test, one row",
										 ALLOCSET_DEFAULT_SIZES)
	};

	return observer;
}

/* Count rows, as somebody who sees all of them. */
static int64
count_rows(const Probe *probe)
{
	AsOwner		saved;
	int64		result = 0;
	bool		isnull;

	if (probe->count == NULL)
		return 0;
	dbkit_begin_as_owner(probe->counting_role, SECURITY_NOFORCE_RLS, &saved);
	if (SPI_execute(probe->count, false, 1) == SPI_OK_SELECT && SPI_processed == 1)
		result = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	dbkit_end_as_owner(&saved);
	return result;
}

/* Run the statement, an attempt; what it returns is observed, and nothing is kept. */
static void
run_probe(void *arg)
{
	Probe	   *probe = arg;
	Observer	observer = make_observer(probe);
	SPIExecuteOptions options = {.dest = &observer.pub};
	int64		before;

	if (probe->tenant != NULL)
		dbkit_context_push(probe->tenant->user, probe->tenant->organization);
	remove_rows(probe->removed);
	SPI_connect();
	before = count_rows(probe);
	dbkit_begin_as_role(probe->role, 0, probe->search_path);
	if (SPI_execute_extended(probe->sql, &options) < 0)
		elog(ERROR, "a statement of dbkit.leak_test() failed: %s", probe->sql);
	probe->processed = SPI_processed;
	probe->touched |= is_one_touched(probe);
	probe->added = count_rows(probe) - before;
	SPI_finish();
}

/* Try a statement. */
void
dbkit_probe(Probe *probe)
{
	probe->touched = false;
	probe->processed = 0;
	probe->added = 0;
	memset(&probe->seen, 0, sizeof(Observation));
	probe->error = dbkit_attempt(run_probe, probe, ATTEMPT_UNDONE);
}
