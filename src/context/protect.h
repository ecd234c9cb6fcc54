/*-------------------------------------------------------------------------
 *
 * protect.h
 *		dbkit.protect: row level security policies that rest on the context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PROTECT_H
#define DBKIT_PROTECT_H

extern void dbkit_warn_of_foreign_table(Oid relid);

extern const char *dbkit_tenant_column(Oid relid);
extern char *dbkit_tenant_condition(Oid relid, const char *column, const char *name, Oid type);

#endif							/* DBKIT_PROTECT_H */
