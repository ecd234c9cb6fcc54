/*-------------------------------------------------------------------------
 *
 * protect.h
 *		dbkit.protect: row level security policies that rest on the context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PROTECT_H
#define DBKIT_PROTECT_H

#include "context/protection.h"

extern List *dbkit_lock_tables(Oid relid);
extern void dbkit_run_protection(const List *statements, Oid role);
extern void dbkit_protect_table(Oid relid, Protection *protection);
extern char *dbkit_protection_sql(Oid relid, Protection *protection);

#endif							/* DBKIT_PROTECT_H */
