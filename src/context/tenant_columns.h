/*-------------------------------------------------------------------------
 *
 * tenant_columns.h
 *		The columns by which a table tells tenants apart.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TENANT_COLUMNS_H
#define DBKIT_TENANT_COLUMNS_H

#include "nodes/pg_list.h"

/* The two halves of a context */
typedef enum TenantKind
{
	TENANT_ORGANIZATION,
	TENANT_USER
} TenantKind;

#define TENANT_KINDS	2

extern bool dbkit_is_named_column(const char *column);
extern void dbkit_choose_tenant_column(Oid relid, const char *columns[]);
extern void dbkit_choose_member_columns(Oid relid, const char *columns[]);
extern char *dbkit_compare_tenant_column(Oid relid, TenantKind kind, const char *column);
extern char *dbkit_tenant_default(Oid relid, TenantKind kind, const char *column);
extern List *dbkit_tenant_defaults(Oid relid);
extern char *dbkit_tenant_condition(TenantKind kind, const char *column, Oid type);
extern bool dbkit_is_own_id(Oid relid, TenantKind kind, const char *column);

#endif							/* DBKIT_TENANT_COLUMNS_H */
