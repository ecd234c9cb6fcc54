/*-------------------------------------------------------------------------
 *
 * triggers.h
 *		The triggers of a table, and what their functions seem to do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TRIGGERS_H
#define DBKIT_TRIGGERS_H

#include "convention/facts/facts.h"
#include "convention/facts/rows.h"

extern List *dbkit_read_triggers(RowReader *reader, const Facts *facts);
extern const TriggerFacts *dbkit_find_trigger(const Facts *facts,
											  bool (*wanted) (const TriggerFacts *trigger, const void *arg),
											  const void *arg);
extern bool dbkit_seems_to_set(const Facts *facts, const TriggerFacts *trigger, const char *column);

#endif							/* DBKIT_TRIGGERS_H */
