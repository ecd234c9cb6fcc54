/*-------------------------------------------------------------------------
 *
 * protection.h
 *		What protects a table, as statements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PROTECTION_H
#define DBKIT_PROTECTION_H

#include "context/tenant_columns.h"
#include "nodes/pg_list.h"

/* A kind of protection: who reads rows, and who writes them */
typedef struct Access Access;

/* What dbkit.protect() is to do */
typedef struct Protection
{
	const Access *access;
	const char *role_name;
	Oid			role;			/* ACL_ID_PUBLIC for public */
	const char *stem;			/* what the names of its policies begin with:
								 * the role's name, unless that is public for
								 * want of the role */
	const char *columns[TENANT_KINDS];	/* NULL for none */
	const char *visible;		/* the condition for rows that are shown */
	const char *writable;		/* and for those that are written */
	const char *admin_name;		/* of the role that sees all, or NULL */
	Oid			admin;
} Protection;

extern const Access *dbkit_find_access(const char *name);
extern bool dbkit_is_tenant_access(const Access *access);
extern bool dbkit_is_read_access(const Access *access);
extern void dbkit_plan_protection(Oid relid, Protection *protection);
extern void dbkit_set_roles(Protection *protection);
extern char *dbkit_admin_policy(const Protection *protection);
extern bool dbkit_is_isolation_policy(const Protection *protection, const char *name);
extern List *dbkit_drop_policy(List *statements, Oid relid, const char *name);
extern List *dbkit_drop_isolation(List *statements, Oid relid, const Protection *protection);
extern List *dbkit_revoke_all(List *statements, Oid relid, Oid role, const char *role_name);
extern List *dbkit_write_protection(Oid relid, const List *members, const Protection *protection);
extern bool dbkit_is_protectable(char relkind);

#endif							/* DBKIT_PROTECTION_H */
