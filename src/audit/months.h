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
extern int	dbkit_count_audit_months(Oid log, int most);

#endif							/* DBKIT_AUDIT_MONTHS_H */
