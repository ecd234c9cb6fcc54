/*-------------------------------------------------------------------------
 *
 * months.h
 *		The partitions of the log of changes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_MONTHS_H
#define DBKIT_AUDIT_MONTHS_H

extern void dbkit_make_audit_months(void);

#endif							/* DBKIT_AUDIT_MONTHS_H */
