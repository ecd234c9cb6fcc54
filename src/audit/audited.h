/*-------------------------------------------------------------------------
 *
 * audited.h
 *		Which tables are audited, and which of their columns are masked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDITED_H
#define DBKIT_AUDITED_H

#include "utils/rel.h"

extern bool dbkit_is_audited(Oid relid);
extern List *dbkit_audited_parents(Oid relid);
extern Oid	dbkit_audited_parent(Oid relid);
extern Oid	dbkit_audited_root(Oid relid);
extern void dbkit_find_masked(Relation table, bool *masked);
extern void dbkit_add_audit_triggers(Oid relid, const List *masked);
extern void dbkit_drop_audit_triggers(Oid relid);
extern List *dbkit_masked_names(Oid relid);

#endif							/* DBKIT_AUDITED_H */
