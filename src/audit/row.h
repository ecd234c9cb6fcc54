/*-------------------------------------------------------------------------
 *
 * row.h
 *		Rows of an audited table, as the log has them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AUDIT_ROW_H
#define DBKIT_AUDIT_ROW_H

#include "executor/tuptable.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "json/typed_type.h"

typedef struct AuditedTable
{
	TupleDesc	columns;
	MemoryContext context;		/* where this is kept */
	TypedType **types;			/* NULL until they are first used */
	bool	   *hidden;			/* dropped, or computed when they are read */
	bool	   *masked;
	int			keys;			/* columns of the primary key ... */
	AttrNumber	key[INDEX_MAX_KEYS];	/* ... and which they are */
	Oid			root;			/* the table that this one was audited with */
} AuditedTable;

extern AuditedTable *dbkit_audited_table(Relation table);
extern TypedType *dbkit_audited_type(AuditedTable *table, int column);
extern text *dbkit_audited_row_id(AuditedTable *table, TupleTableSlot *row);
extern bool dbkit_is_audited_row(AuditedTable *table, TupleTableSlot *one, TupleTableSlot *other);
extern Jsonb *dbkit_audited_values(AuditedTable *table, TupleTableSlot *row);
extern bool dbkit_audited_difference(AuditedTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row,
									 Jsonb **old_values, Jsonb **new_values);

#endif							/* DBKIT_AUDIT_ROW_H */
