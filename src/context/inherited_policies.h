/*-------------------------------------------------------------------------
 *
 * inherited_policies.h
 *		The row level security that a table has from those above it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_INHERITED_POLICIES_H
#define DBKIT_INHERITED_POLICIES_H

#include "rewrite/rowsecurity.h"
#include "storage/lockdefs.h"
#include "utils/rel.h"

/* What becomes of the policies that a table has besides its parent's */
typedef enum OwnPolicies
{
	OWN_KEPT,					/* unless one of the parent's takes the name */
	OWN_RESTRICTIVE_KEPT		/* of these only the restrictive ones */
} OwnPolicies;

extern List *dbkit_lock_members(Oid relid, LOCKMODE mode);
extern bool dbkit_has_row_security(Oid relid);
extern List *dbkit_find_protected_ancestors(Oid relid);
extern List *dbkit_read_policies(Relation parent, Relation child);
extern bool dbkit_is_same_policy(const RowSecurityPolicy *a, const RowSecurityPolicy *b);
extern RowSecurityPolicy *dbkit_find_policy(const List *policies, const char *name);
extern List *dbkit_inherit_policies(Relation child, const List *ancestors, const List *strangers, bool *force);
extern void dbkit_set_row_security(Relation table, bool enabled, bool forced);
extern void dbkit_remove_policy(Relation table, const RowSecurityPolicy *policy);
extern void dbkit_replace_policies(Relation table, List *inherited, OwnPolicies own);
extern void dbkit_inherit_row_security(Oid relid, const List *ancestors, const List *strangers, OwnPolicies own);

#endif							/* DBKIT_INHERITED_POLICIES_H */
