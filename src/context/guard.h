/*-------------------------------------------------------------------------
 *
 * guard.h
 *		Refuse what would leave, outrank or outlive the tenant context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_GUARD_H
#define DBKIT_GUARD_H

extern void dbkit_guard_init(void);

#endif							/* DBKIT_GUARD_H */
