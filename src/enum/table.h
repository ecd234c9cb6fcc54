/*-------------------------------------------------------------------------
 *
 * table.h
 *		Helpers for enum tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENUM_TABLE_H
#define DBKIT_ENUM_TABLE_H

#include "nodes/pg_list.h"

extern List *dbkit_enum_values_to_show(Oid relid, int limit, bool *more);
extern char *dbkit_enum_table_name(const char *base);
extern Oid	dbkit_make_enum_table(const char *schema, const char *base,
								  const Datum *values, int count);

#endif							/* DBKIT_ENUM_TABLE_H */
