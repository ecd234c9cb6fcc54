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

#endif							/* DBKIT_PROTECT_H */
