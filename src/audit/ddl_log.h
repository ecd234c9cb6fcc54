/*-------------------------------------------------------------------------
 *
 * ddl_log.h
 *		The log of DDL commands.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_DDL_LOG_H
#define DBKIT_AUDIT_DDL_LOG_H

extern void dbkit_ddl_log_init(void);

#endif							/* DBKIT_AUDIT_DDL_LOG_H */
