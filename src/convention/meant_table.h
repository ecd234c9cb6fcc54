/*-------------------------------------------------------------------------
 *
 * meant_table.h
 *		The table whose ids a column seems to hold.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_MEANT_TABLE_H
#define DBKIT_MEANT_TABLE_H

#include "nodes/pg_list.h"

extern bool dbkit_is_only_key(Oid relid, const char *column);
extern Oid	dbkit_find_table(const char *schema, const List *names);
extern bool dbkit_can_reference(Oid relid, Oid type, Oid role);
extern bool dbkit_is_trusted(Oid relid, Oid role);
extern bool dbkit_lasts_as_long(Oid relid, Oid other);
extern Oid	dbkit_meant_table(const char *schema, const char *column, Oid type, Oid role);
extern const char *dbkit_meant_key_action(Oid relid, bool not_null);

#endif							/* DBKIT_MEANT_TABLE_H */
