/*-------------------------------------------------------------------------
 *
 * keep.h
 *		Keep the log of changes from being dropped while there is something in it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_KEEP_H
#define DBKIT_AUDIT_KEEP_H

extern void dbkit_audit_keep_init(void);

#endif							/* DBKIT_AUDIT_KEEP_H */
