/*-------------------------------------------------------------------------
 *
 * table.h
 *		Read the description of a table, and look up what little else is known of it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TABLE_H
#define DBKIT_TABLE_H

#include "convention/facts/facts.h"
#include "convention/facts/rows.h"

extern void dbkit_read_table(Facts *facts, RowReader *reader, FactSet wanted);
extern void dbkit_read_partition(Facts *facts, RowReader *reader, FactSet wanted);
extern List *dbkit_domain_checks(const Catalogs *catalogs, Oid domain);
extern bool dbkit_column_has_default(const ColumnFacts *column);
extern Node *dbkit_column_default(const ColumnFacts *column);
extern bool dbkit_column_type_is_fixed(const Facts *facts, const ColumnFacts *column, Oid target);
extern const TriggerFacts *dbkit_find_trigger(const Facts *facts,
											  bool (*wanted) (const TriggerFacts *trigger, const void *arg),
											  const void *arg);
extern bool dbkit_seems_to_set(const Facts *facts, const TriggerFacts *trigger, const char *column);
extern bool dbkit_has_comment(const Facts *facts, const ColumnFacts *column);
extern Oid	dbkit_column_sequence(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_is_reference(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_find_referenced(const Facts *facts, const ForeignKeyFacts *key, int place, ColumnFacts *referenced);
extern bool dbkit_find_reference(const Facts *facts, const ColumnFacts *column, ColumnFacts *referenced);

#endif							/* DBKIT_TABLE_H */
