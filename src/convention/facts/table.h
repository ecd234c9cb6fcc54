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
extern bool dbkit_has_comment(const Facts *facts, const ColumnFacts *column);

#endif							/* DBKIT_TABLE_H */
