/*-------------------------------------------------------------------------
 *
 * trigger.c
 *		The triggers that write the log of changes.
 *
 * Statement triggers with transition tables see all rows that a statement
 * changed, as they were stored.  Logical replication fires none of them, so there
 * is a row trigger beside them, which fires only there (ENABLE REPLICA).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "audit/audited.h"
#include "audit/log.h"
#include "audit/row.h"
#include "json/typed_type.h"

/* What one call of a trigger works with */
typedef struct Change
{
	TriggerData *trigger;
	AuditedTable *table;
	AuditWriter *writer;
} Change;

/* Refuse a call that is not one of the triggers of dbkit.audit(). */
static TriggerData *
check_protocol(FunctionCallInfo fcinfo, bool for_row)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		(TRIGGER_FIRED_FOR_ROW(trigger->tg_event) != 0) != for_row)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("this function writes the log of changes, in the triggers that dbkit.audit() makes")));
	return trigger;
}

/* Write a row that is new or gone. */
static void
write_row(Change *change, AuditOperation operation, TupleTableSlot *row)
{
	MemoryContext old = MemoryContextSwitchTo(dbkit_audit_context(change->writer));
	text	   *row_id = dbkit_audited_row_id(change->table, row);
	Jsonb	   *values = dbkit_audited_values(change->table, row);

	MemoryContextSwitchTo(old);
	dbkit_write_audit(change->writer, operation, row_id,
					  operation == AUDIT_DELETE ? values : NULL,
					  operation == AUDIT_INSERT ? values : NULL);
}

/* Write a row that was changed.  One that has another key is another row. */
static void
write_changed_row(Change *change, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	MemoryContext old;
	Jsonb	   *old_values;
	Jsonb	   *new_values;

	if (!dbkit_is_audited_row(change->table, old_row, new_row))
	{
		write_row(change, AUDIT_DELETE, old_row);
		write_row(change, AUDIT_INSERT, new_row);
		return;
	}
	old = MemoryContextSwitchTo(dbkit_audit_context(change->writer));
	if (dbkit_audited_difference(change->table, old_row, new_row, &old_values, &new_values))
	{
		text	   *row_id = dbkit_audited_row_id(change->table, new_row);

		MemoryContextSwitchTo(old);
		dbkit_write_audit(change->writer, AUDIT_UPDATE, row_id, old_values, new_values);
	}
	MemoryContextSwitchTo(old);
}

/* A transition table that is read from its start, whoever else reads it */
typedef struct RowsRead
{
	Tuplestorestate *store;
	int			pointer;
	TupleTableSlot *slot;
} RowsRead;

static RowsRead
begin_rows(const Change *change, Tuplestorestate *store)
{
	RowsRead	result = {.store = store};

	result.pointer = tuplestore_alloc_read_pointer(store, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(store, result.pointer);
	tuplestore_rescan(store);
	result.slot = MakeSingleTupleTableSlot(RelationGetDescr(change->trigger->tg_relation), &TTSOpsMinimalTuple);
	return result;
}

static bool
next_row(RowsRead *rows)
{
	CHECK_FOR_INTERRUPTS();
	tuplestore_select_read_pointer(rows->store, rows->pointer);
	return tuplestore_gettupleslot(rows->store, true, false, rows->slot);
}

static void
write_rows(Change *change, AuditOperation operation, Tuplestorestate *store)
{
	RowsRead	rows = begin_rows(change, store);

	while (next_row(&rows))
		write_row(change, operation, rows.slot);
	ExecDropSingleTupleTableSlot(rows.slot);
}

/*
 * Write the rows of an UPDATE.  Both tables have them in one order; a row that lost its
 * new version, because a trigger of the partition that it moved to would not have it,
 * makes them differ in length: then they are written as deleted and inserted ones.
 */
static void
write_changed_rows(Change *change)
{
	Tuplestorestate *old_store = change->trigger->tg_oldtable;
	Tuplestorestate *new_store = change->trigger->tg_newtable;
	RowsRead	old_rows;
	RowsRead	new_rows;

	if (tuplestore_tuple_count(old_store) != tuplestore_tuple_count(new_store))
	{
		write_rows(change, AUDIT_DELETE, old_store);
		write_rows(change, AUDIT_INSERT, new_store);
		return;
	}
	old_rows = begin_rows(change, old_store);
	new_rows = begin_rows(change, new_store);
	while (next_row(&old_rows) && next_row(&new_rows))
		write_changed_row(change, old_rows.slot, new_rows.slot);
	ExecDropSingleTupleTableSlot(old_rows.slot);
	ExecDropSingleTupleTableSlot(new_rows.slot);
}

/* Has a statement changed no row?  Then there is nothing to look up either. */
static bool
is_idle(const TriggerData *trigger)
{
	return (trigger->tg_oldtable == NULL || tuplestore_tuple_count(trigger->tg_oldtable) == 0) &&
		(trigger->tg_newtable == NULL || tuplestore_tuple_count(trigger->tg_newtable) == 0);
}

static void
write_statement(Change *change)
{
	TriggerEvent event = change->trigger->tg_event;

	if (TRIGGER_FIRED_BY_INSERT(event))
		write_rows(change, AUDIT_INSERT, change->trigger->tg_newtable);
	else if (TRIGGER_FIRED_BY_DELETE(event))
		write_rows(change, AUDIT_DELETE, change->trigger->tg_oldtable);
	else
		write_changed_rows(change);
}

static void
write_one(Change *change)
{
	TriggerEvent event = change->trigger->tg_event;

	if (TRIGGER_FIRED_BY_INSERT(event))
		write_row(change, AUDIT_INSERT, change->trigger->tg_trigslot);
	else if (TRIGGER_FIRED_BY_DELETE(event))
		write_row(change, AUDIT_DELETE, change->trigger->tg_trigslot);
	else
		write_changed_row(change, change->trigger->tg_trigslot, change->trigger->tg_newslot);
}

/* Write what a trigger was fired for. */
static void
write_change(TriggerData *trigger, void (*write) (Change *change))
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "dbkit audit", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Change		change = {.trigger = trigger};
	int			level = dbkit_use_fixed_settings();

	change.table = dbkit_audited_table(trigger->tg_relation);
	change.writer = dbkit_begin_audit(change.table->root);
	write(&change);
	dbkit_end_audit(change.writer);
	if (level > 0)
		AtEOXact_GUC(true, level);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

PG_FUNCTION_INFO_V1(dbkit_audit_statement);

/*
 * dbkit.audit_statement() returns trigger
 *
 * Writes what a statement has changed to dbkit.audit_log.  To be fired AFTER INSERT,
 * UPDATE, DELETE or TRUNCATE, with the transition tables that there are.
 */
Datum
dbkit_audit_statement(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = check_protocol(fcinfo, false);

	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		dbkit_write_audit_mark(dbkit_audited_root(RelationGetRelid(trigger->tg_relation)), AUDIT_TRUNCATE, NULL, NULL);
	else if ((trigger->tg_oldtable == NULL && !TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) ||
			 (trigger->tg_newtable == NULL && !TRIGGER_FIRED_BY_DELETE(trigger->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" has no transition tables", trigger->tg_trigger->tgname),
				 errhint("dbkit.audit() makes the triggers.")));
	else if (!is_idle(trigger))
		write_change(trigger, write_statement);
	PG_RETURN_POINTER(NULL);
}

PG_FUNCTION_INFO_V1(dbkit_audit_row);

/*
 * dbkit.audit_row() returns trigger
 *
 * Writes what logical replication has changed in one row.
 */
Datum
dbkit_audit_row(PG_FUNCTION_ARGS)
{
	write_change(check_protocol(fcinfo, true), write_one);
	PG_RETURN_POINTER(NULL);
}

PG_FUNCTION_INFO_V1(dbkit_audit_masked);

/*
 * dbkit.audit_masked() returns trigger
 *
 * Does nothing.  Its triggers are disabled, and each names a column that the log is not to
 * show (UPDATE OF column): so the name follows the column into renames and dumps.
 */
Datum
dbkit_audit_masked(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(NULL);
}
