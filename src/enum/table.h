/*-------------------------------------------------------------------------
 *
 * table.h
 *		What the files of the enum helpers share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENUM_TABLE_H
#define DBKIT_ENUM_TABLE_H

#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "storage/lock.h"
#include "utils/acl.h"

#include "compat.h"

/* A table that statements are run on */
typedef struct Target
{
	Oid			relid;
	char	   *name;			/* qualified and quoted */
	bool		guarded;		/* a stranger's code may run; see owner.c */
	bool		children;		/* the statement concerns its children, too */
} Target;

typedef struct EnumTable
{
	Target		target;
	AttrNumber	value;			/* column number of "value" */
} EnumTable;

/* A column that a foreign key ties to the values */
typedef struct Reference
{
	Target		target;			/* with children: partitioned */
	AttrNumber	attnum;
	bool		acts_on_delete; /* ON DELETE CASCADE, SET NULL or SET DEFAULT */
	char	   *attname;		/* quoted */
	const char *condition;		/* finds the rows that use value $1 */
} Reference;

/* table.c */
extern uint64 dbkit_run(int expected, const char *statement, Datum first, Datum second);
extern void dbkit_run_utility(const char *statement);
extern char *dbkit_schema_name(Oid schema);
extern char *dbkit_enum_table_name(const char *base);
extern Oid	dbkit_make_enum_table(const char *schema, const char *base,
								  const Datum *values, int count);

/* owner.c */
extern bool dbkit_is_strangers(Oid relid);
extern bool dbkit_reaches_strangers(const List *relids);
extern void dbkit_check_name(const Target *target);
extern uint64 dbkit_run_on(const Target *target, int expected, const char *sql,
						   Datum first, Datum second);

/* reference.c */
pg_noreturn extern void dbkit_report_dropped(Oid relid);
extern char *dbkit_relation_name(Oid relid);
extern void dbkit_check_row_security(Oid relid);
extern void dbkit_check_rights(Oid relid, AttrNumber attnum, AclMode mode);
extern List *dbkit_list_references(EnumTable *table);
extern void dbkit_check_writable(List *references, Datum old);
extern void dbkit_lock_references(const EnumTable *table, List *references, Datum old);
extern uint64 dbkit_replace_references(List *references, Datum old, Datum new);
extern void dbkit_refuse_if_used(const EnumTable *table, List *references, Datum value);
extern void dbkit_put_uses(ReturnSetInfo *rsinfo, const Reference *ref);

#endif							/* DBKIT_ENUM_TABLE_H */
