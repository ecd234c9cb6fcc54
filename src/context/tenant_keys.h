/*-------------------------------------------------------------------------
 *
 * tenant_keys.h
 *		Have foreign keys keep to one tenant while a table is new.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TENANT_KEYS_H
#define DBKIT_TENANT_KEYS_H

#include "nodes/pg_list.h"

extern bool dbkit_wants_tenant_key(const char *schema);
extern char *dbkit_unique_key_sql(Oid relid, const char *column);
extern List *dbkit_find_cheap_keys(Oid relid);
extern List *dbkit_write_tenant_keys(Oid relid, const char *column);
extern void dbkit_replace_tenant_keys(Oid relid);

#endif							/* DBKIT_TENANT_KEYS_H */
