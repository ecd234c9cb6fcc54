/*-------------------------------------------------------------------------
 *
 * sql.h
 *		Run SQL of our own, and write some.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SQL_H
#define DBKIT_SQL_H

/* Instead of the expected SPI_OK_* code */
#define DBKIT_ANY_RESULT	0

extern uint64 dbkit_run_sql(int expected, const char *sql, int nargs, Oid *types,
							Datum *values, const char *nulls);
extern uint64 dbkit_run_with_texts(int expected, const char *sql, Datum first, Datum second);
extern void dbkit_run_utility(const char *sql);
extern char *dbkit_dollar_quotes(const char *tag, const char *quoted);

#endif							/* DBKIT_SQL_H */
