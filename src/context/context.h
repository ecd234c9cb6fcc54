/*-------------------------------------------------------------------------
 *
 * context.h
 *		Tenant context: binds a transaction to one user and organization.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CONTEXT_H
#define DBKIT_CONTEXT_H

#include "context/mirror.h"

extern int	dbkit_query_depth;
extern int	dbkit_held_cursor_depth;

extern bool dbkit_context_is_entered(void);
extern const char *dbkit_entered_user(void);
extern const char *dbkit_entered_organization(void);
extern void dbkit_context_use(void);
extern void dbkit_context_check_role(void);
extern void dbkit_context_enter(const char *user_id, const char *organization_id);
extern void dbkit_context_enter_forwarded(const char *user_id, const char *organization_id);
extern bool dbkit_context_was_forwarded(void);
extern void dbkit_context_push(const char *user_id, const char *organization_id);
extern void dbkit_context_init(dbkit_reservation reservation);

#endif							/* DBKIT_CONTEXT_H */
