/*-------------------------------------------------------------------------
 *
 * log.h
 *		The log of changes: write entries, many at a time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_LOG_H
#define DBKIT_AUDIT_LOG_H

#include "utils/jsonb.h"
#include "utils/rel.h"

/* The columns of dbkit.audit_log, in their order */
typedef enum AuditColumn
{
	AUDIT_AT,
	AUDIT_TRANSACTION,
	AUDIT_SYSTEM_IDENTIFIER,
	AUDIT_SALT,
	AUDIT_RELATION,
	AUDIT_PID,
	AUDIT_ID,
	AUDIT_RELATION_IDENTITY,
	AUDIT_ROW_ID,
	AUDIT_OPERATION,
	AUDIT_OLD_VALUES,
	AUDIT_NEW_VALUES,
	AUDIT_USER_ID,
	AUDIT_ORGANIZATION_ID,
	AUDIT_ROLE,
	AUDIT_SESSION_ROLE,
	AUDIT_CLIENT_ADDRESS,
	AUDIT_APPLICATION_NAME,
	AUDIT_COLUMNS				/* how many they are */
} AuditColumn;

typedef enum AuditOperation
{
	AUDIT_INSERT,
	AUDIT_UPDATE,
	AUDIT_DELETE,
	AUDIT_TRUNCATE,				/* from here on marks without a row */
	AUDIT_BEGIN,
	AUDIT_END,
	AUDIT_ERASE,
	AUDIT_TRIM
} AuditOperation;

typedef struct AuditWriter AuditWriter;

extern Oid	dbkit_find_audit_table(const char *name);
extern Oid	dbkit_audit_log(void);
extern const char *dbkit_audit_operation_name(AuditOperation operation);
extern AuditWriter *dbkit_begin_audit(Oid relation);
extern MemoryContext dbkit_audit_context(AuditWriter *writer);
extern void dbkit_write_audit(AuditWriter *writer, AuditOperation operation, text *row_id, Jsonb *old_values, Jsonb *new_values);
extern void dbkit_end_audit(AuditWriter *writer);
extern void dbkit_write_audit_mark(Oid relation, AuditOperation operation, text *row_id, Jsonb *details);

#endif							/* DBKIT_AUDIT_LOG_H */
