/*-------------------------------------------------------------------------
 *
 * enter.h
 *		Who may bind a transaction to a tenant, and when.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENTER_H
#define DBKIT_ENTER_H

extern void dbkit_check_may_enter(void);
extern void dbkit_restore_session(void);
extern void dbkit_check_context_values(const char *user_id, const char *organization_id);

#endif							/* DBKIT_ENTER_H */
