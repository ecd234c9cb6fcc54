/*-------------------------------------------------------------------------
 *
 * noop.c
 *		A trigger that does nothing: what any BEFORE UPDATE trigger costs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

/* Hand the new row on as it is */
PG_FUNCTION_INFO_V1(noop_trigger);
Datum
noop_trigger(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(((TriggerData *) fcinfo->context)->tg_newtuple);
}
