/*-------------------------------------------------------------------------
 *
 * lock.h
 *		Named locks of our own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LOCK_H
#define DBKIT_LOCK_H

extern void dbkit_wait_for_named_lock(const char *name);

#endif							/* DBKIT_LOCK_H */
