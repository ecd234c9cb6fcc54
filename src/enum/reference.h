/*-------------------------------------------------------------------------
 *
 * reference.h
 *		The columns that reference an enum table.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENUM_REFERENCE_H
#define DBKIT_ENUM_REFERENCE_H

#include "access/attnum.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"

#include "enum/owner.h"

/* A column that a foreign key ties to the values */
typedef struct Reference
{
	Target		target;			/* with children: partitioned */
	AttrNumber	attnum;
	bool		acts_on_delete; /* ON DELETE CASCADE, SET NULL or SET DEFAULT */
	char	   *attname;		/* quoted */
	const char *condition;		/* finds the rows that use value $1 */
} Reference;

extern void dbkit_check_row_security(Oid relid);
extern void dbkit_check_rights(Oid relid, AttrNumber attnum, AclMode mode);
extern List *dbkit_list_references(Target *enum_table, AttrNumber value, LOCKMODE lockmode);
extern void dbkit_check_writable(List *references, Datum old);
extern void dbkit_lock_references(Target *enum_table, List *references, Datum old);
extern uint64 dbkit_replace_references(List *references, Datum old, Datum new);
extern void dbkit_refuse_if_used(const Target *enum_table, List *references, Datum value);
extern void dbkit_put_uses(ReturnSetInfo *rsinfo, const Reference *ref);

#endif							/* DBKIT_ENUM_REFERENCE_H */
