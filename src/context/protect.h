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

extern char *dbkit_tenant_condition(bool users, const char *column, Oid type);

#endif							/* DBKIT_PROTECT_H */
