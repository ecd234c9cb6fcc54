/*-------------------------------------------------------------------------
 *
 * enforce.h
 *		Reject DDL that breaks the conventions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENFORCE_H
#define DBKIT_ENFORCE_H

#include "nodes/pg_list.h"

extern bool dbkit_enforcement_is_disabled(void);
extern bool dbkit_changes_are_disabled(void);
extern void dbkit_update_registry_later(const List *objects);

#endif							/* DBKIT_ENFORCE_H */
