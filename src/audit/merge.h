/*-------------------------------------------------------------------------
 *
 * merge.h
 *		See rows that a MERGE moves between partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_MERGE_H
#define DBKIT_AUDIT_MERGE_H

extern void dbkit_audit_merge_init(void);

#endif							/* DBKIT_AUDIT_MERGE_H */
