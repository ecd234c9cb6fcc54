/*-------------------------------------------------------------------------
 *
 * updated_at.c
 *		The trigger that keeps a column at the time of the last change.
 *
 * Checks in the order of contrib/spi/moddatetime.c: trigger, row, before,
 * update, arguments, column, type.  What depends on the table is resolved for
 * the first row and kept in the trigger's FmgrInfo.  The executor has one such
 * array for each ResultRelInfo (InitResultRelInfo() in executor/execMain.c),
 * so it serves one relation, inside one statement, under a lock that keeps the
 * column's number and type as they are; and ExecCallTriggerFunc() fills it in
 * the context the array lives in, before it enters the one of the row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "common.h"

#define DEFAULT_COLUMN "updated_at"

/* What is the same for all rows that a statement updates in one table */
typedef struct UpdatedAt
{
	Oid			trigger;
	int			attnum;
	TimestampTz value;
} UpdatedAt;

/* What a trigger event has to be, in the order it is checked */
static const struct
{
	TriggerEvent mask;
	TriggerEvent wanted;
	const char *demand;
}			protocol[] =

{
	{TRIGGER_EVENT_ROW, TRIGGER_EVENT_ROW, "fired for each row"},
	{TRIGGER_EVENT_TIMINGMASK, TRIGGER_EVENT_BEFORE, "fired before the event"},
	{TRIGGER_EVENT_OPMASK, TRIGGER_EVENT_UPDATE, "fired for UPDATE"},
};

/* Refuse a trigger that is not BEFORE UPDATE FOR EACH ROW */
static void
check_protocol(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"updated_at\" was not called by trigger manager")));

	for (size_t i = 0; i < lengthof(protocol); i++)
	{
		if ((trigdata->tg_event & protocol[i].mask) != protocol[i].wanted)
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("trigger \"%s\" on relation \"%s\" must be %s",
							trigdata->tg_trigger->tgname,
							RelationGetRelationName(trigdata->tg_relation),
							protocol[i].demand),
					 errhint("Create it as BEFORE UPDATE FOR EACH ROW.")));
	}
}

/* Find the column to set */
static int
find_column(Trigger *trigger, Relation rel)
{
	const char *name = DEFAULT_COLUMN;
	int			attnum;

	if (trigger->tgnargs > 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" on relation \"%s\" has too many arguments",
						trigger->tgname, RelationGetRelationName(rel)),
				 errhint("The only argument is the name of the column to set, by default \"%s\".",
						 DEFAULT_COLUMN)));
	if (trigger->tgnargs == 1)
		name = trigger->tgargs[0];

	attnum = SPI_fnumber(RelationGetDescr(rel), name);
	if (attnum <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist",
						name, RelationGetRelationName(rel)),
				 errdetail("Trigger \"%s\" is to set this column.", trigger->tgname),
				 errhint("Add the column, or name another as the trigger's argument."),
				 errtable(rel)));
	return attnum;
}

/* Refuse a column that cannot take the value; give its type modifier */
static int32
check_column(Trigger *trigger, Relation rel, int attnum)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	int32		typmod = att->atttypmod;

	if (getBaseTypeAndTypmod(att->atttypid, &typmod) != TIMESTAMPTZOID)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("column \"%s\" of relation \"%s\" must be timestamp with time zone",
						NameStr(att->attname), RelationGetRelationName(rel)),
				 errdetail("Trigger \"%s\" is to set this column, and its type is %s.",
						   trigger->tgname, format_type_be(att->atttypid)),
				 errtablecol(rel, attnum)));

	/* its expression, computed after this trigger, would win */
	if (att->attgenerated)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("column \"%s\" of relation \"%s\" must not be a generated column",
						NameStr(att->attname), RelationGetRelationName(rel)),
				 errdetail("Trigger \"%s\" is to set this column.", trigger->tgname),
				 errtablecol(rel, attnum)));
	return typmod;
}

/* Compute the value as the column holds it */
static TimestampTz
column_value(Oid type, int32 typmod)
{
	TimestampTz value = GetCurrentTransactionStartTimestamp();

	value = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_scale, TimestampTzGetDatum(value),
													Int32GetDatum(typmod)));
	if (type != TIMESTAMPTZOID)
		domain_check(TimestampTzGetDatum(value), false, type, NULL, NULL);
	return value;
}

/*
 * Resolve what is the same for all rows, or recall it.  The key only guards
 * against a caller, not the executor, that uses one FmgrInfo for two triggers.
 */
static UpdatedAt *
resolve(FmgrInfo *flinfo, Trigger *trigger, Relation rel)
{
	UpdatedAt  *resolved = flinfo->fn_extra;
	UpdatedAt	fresh;
	int32		typmod;

	if (resolved && resolved->trigger == trigger->tgoid)
		return resolved;

	fresh.trigger = trigger->tgoid;
	fresh.attnum = find_column(trigger, rel);
	typmod = check_column(trigger, rel, fresh.attnum);
	fresh.value = column_value(TupleDescAttr(RelationGetDescr(rel), fresh.attnum - 1)->atttypid,
							   typmod);

	if (!resolved)
		flinfo->fn_extra = resolved = MemoryContextAlloc(flinfo->fn_mcxt, sizeof(UpdatedAt));
	*resolved = fresh;
	return resolved;
}

/*
 * Find where a tuple stores an attribute; NULL if it is null or not stored.
 *
 * Walks the tuple as nocachegetattr() in access/common/heaptuple.c does.
 */
static char *
stored_attribute(HeapTuple tuple, TupleDesc tupdesc, int attnum)
{
	HeapTupleHeader header = tuple->t_data;
	char	   *data = (char *) header + header->t_hoff;
	bits8	   *nulls = HeapTupleHasNulls(tuple) ? header->t_bits : NULL;
	uint32		offset = 0;

	/* without a descriptor, what the tuple is too short for counts as null */
	if (heap_attisnull(tuple, attnum, NULL))
		return NULL;

	for (int i = 0;; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		if (nulls && att_isnull(i, nulls))
			continue;
		offset = att_align_pointer(offset, att->attalign, att->attlen, data + offset);
		if (i == attnum - 1)
			return data + offset;
		offset = att_addlength_pointer(offset, att->attlen, data + offset);
	}
}

/*
 * Is the tuple the one in a slot's own memory?  Not so is a copy that was made of a
 * slot of another kind, for logical replication, nor what another trigger returned.
 */
static bool
is_slots_own(HeapTuple tuple, TupleTableSlot *slot)
{
	return (TTS_IS_BUFFERTUPLE(slot) || TTS_IS_HEAPTUPLE(slot)) && TTS_SHOULDFREE(slot) &&
		((HeapTupleTableSlot *) slot)->tuple == tuple;
}

/*
 * Set one timestamp of the new row.
 *
 * Mostly the tuple is the slot's own (ExecBRUpdateTriggers() in commands/trigger.c
 * materializes it), and goes on to be stored when the trigger returns it: eight
 * bytes are changed there, and what the slot has deformed already.  Otherwise a
 * copy is returned, which the slot takes over.
 */
static HeapTuple
set_timestamp(HeapTuple tuple, TupleTableSlot *slot, TupleDesc tupdesc, int attnum,
			  TimestampTz value)
{
	char	   *stored = stored_attribute(tuple, tupdesc, attnum);
	HeapTuple	copy;

	if (!stored)
	{
		Datum		datum = TimestampTzGetDatum(value);
		bool		isnull = false;

		return heap_modify_tuple_by_cols(tuple, tupdesc, 1, &attnum, &datum, &isnull);
	}

	if (memcmp(stored, &value, sizeof(value)) == 0)
		return tuple;

	if (is_slots_own(tuple, slot))
	{
		/*
		 * not TimestampTzGetDatum(), which allocates where Datum has four
		 * bytes
		 */
		memcpy(stored, &value, sizeof(value));
		if (slot->tts_nvalid >= attnum)
			slot->tts_values[attnum - 1] = fetchatt(TupleDescAttr(tupdesc, attnum - 1), stored);
		return tuple;
	}

	copy = heap_copytuple(tuple);
	memcpy((char *) copy->t_data + (stored - (char *) tuple->t_data), &value, sizeof(value));
	return copy;
}

/*
 * Set a row's updated_at, or the column named by the trigger's only argument,
 * to the time the transaction started, whatever the UPDATE says.
 *
 * To be fired BEFORE UPDATE FOR EACH ROW on a table that has the column as
 * timestamptz, with any precision, or a domain over it.  Raises
 * trigger_protocol_violated for any other use and for a column that is generated
 * or of another type, undefined_column if there is none, and what the domain's
 * constraints raise.
 */
PG_FUNCTION_INFO_V1(dbkit_updated_at);
Datum
dbkit_updated_at(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	UpdatedAt  *resolved;

	check_protocol(fcinfo);
	resolved = resolve(fcinfo->flinfo, trigdata->tg_trigger, trigdata->tg_relation);
	PG_RETURN_POINTER(set_timestamp(trigdata->tg_newtuple, trigdata->tg_newslot,
									RelationGetDescr(trigdata->tg_relation),
									resolved->attnum, resolved->value));
}
