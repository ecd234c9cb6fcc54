/*-------------------------------------------------------------------------
 *
 * enum_table.h
 *		What enum_table.c and enum_from_type.c share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_ENUM_TABLE_H
#define DBKIT_ENUM_TABLE_H

extern uint64 dbkit_run(int expected, const char *statement, Datum first, Datum second);
extern void dbkit_run_utility(const char *statement);
extern char *dbkit_enum_table_name(const char *base);
extern Oid	dbkit_make_enum_table(const char *schema, const char *base,
								  const Datum *values, int count);

#endif							/* DBKIT_ENUM_TABLE_H */
