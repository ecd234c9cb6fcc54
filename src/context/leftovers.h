/*-------------------------------------------------------------------------
 *
 * leftovers.h
 *		What protecting a table leaves for people to do.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEFTOVERS_H
#define DBKIT_LEFTOVERS_H

#include "context/protection.h"

extern List *dbkit_warn_of_leftovers(Oid relid, const Protection *protection, List *owners);
extern void dbkit_warn_of_foreign_table(Oid relid);
extern void dbkit_note_schema(Oid relid, const Protection *protection);
extern void dbkit_note_admin(const Protection *protection);

#endif							/* DBKIT_LEFTOVERS_H */
