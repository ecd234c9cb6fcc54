/*-------------------------------------------------------------------------
 *
 * owner.h
 *		Statements of the enum helpers on tables that belong to others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENUM_OWNER_H
#define DBKIT_ENUM_OWNER_H

#include "nodes/pg_list.h"

/* A table that statements are run on */
typedef struct Target
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	bool		guarded;		/* a stranger's code may run */
	bool		children;		/* the statement concerns its children, too */
} Target;

extern bool dbkit_is_strangers(Oid relid);
extern bool dbkit_reaches_strangers(const List *relids, LOCKMODE lockmode);
extern void dbkit_lock_schema(Oid schema);
extern void dbkit_lock_table(Oid relid, LOCKMODE lockmode);
extern void dbkit_check_name(const Target *target);
extern uint64 dbkit_run_on(const Target *target, int expected, const char *sql,
						   Datum first, Datum second);

#endif							/* DBKIT_ENUM_OWNER_H */
