/*-------------------------------------------------------------------------
 *
 * enum_table.h
 *		What enum_table.c, enum_reference.c and enum_from_type.c share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENUM_TABLE_H
#define DBKIT_ENUM_TABLE_H

#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "storage/lock.h"
#include "utils/acl.h"

typedef struct EnumTable
{
	Oid			relid;
	AttrNumber	value;			/* column number of "value" */
	char	   *name;			/* qualified and quoted */
} EnumTable;

/* A column that a foreign key ties to the values */
typedef struct Reference
{
	Oid			relid;
	AttrNumber	attnum;
	bool		partitioned;
	bool		acts_on_delete; /* ON DELETE CASCADE, SET NULL or SET DEFAULT */
	char	   *relname;		/* qualified and quoted */
	char	   *attname;		/* quoted */
	const char *condition;		/* finds the rows that use value $1 */
} Reference;

/* enum_table.c */
extern uint64 dbkit_run(int expected, const char *statement, Datum first, Datum second);
extern void dbkit_run_utility(const char *statement);
extern char *dbkit_enum_table_name(const char *base);
extern Oid	dbkit_make_enum_table(const char *schema, const char *base,
								  const Datum *values, int count);

/* enum_reference.c */
extern char *dbkit_relation_name(Oid relid);
extern void dbkit_check_row_security(Oid relid);
extern void dbkit_check_rights(Oid relid, AttrNumber attnum, AclMode mode);
extern List *dbkit_list_references(const EnumTable *table);
extern void dbkit_check_writable(List *references, Datum old);
extern void dbkit_lock_references(const EnumTable *table, List *references, Datum old);
extern uint64 dbkit_replace_references(List *references, Datum old, Datum new);
extern void dbkit_refuse_if_used(const EnumTable *table, List *references, Datum value);
extern void dbkit_put_uses(ReturnSetInfo *rsinfo, const Reference *ref);

#endif							/* DBKIT_ENUM_TABLE_H */
