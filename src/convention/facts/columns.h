/*-------------------------------------------------------------------------
 *
 * columns.h
 *		The columns of a table: types, defaults, domains, and what they reference.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COLUMNS_H
#define DBKIT_COLUMNS_H

#include "convention/facts/facts.h"
#include "convention/facts/rows.h"

extern void dbkit_read_columns(Facts *facts, RowReader *reader);
extern void dbkit_read_domains(Facts *facts);
extern List *dbkit_domain_checks(const Catalogs *catalogs, Oid domain);
extern bool dbkit_column_has_default(const ColumnFacts *column);
extern Node *dbkit_column_default(const ColumnFacts *column);
extern Oid	dbkit_column_sequence(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_is_reference(const Facts *facts, const ColumnFacts *column);
extern bool dbkit_find_referenced(const Facts *facts, const ForeignKeyFacts *key, int place, ColumnFacts *referenced);
extern bool dbkit_find_reference(const Facts *facts, const ColumnFacts *column, ColumnFacts *referenced);

#endif							/* DBKIT_COLUMNS_H */
