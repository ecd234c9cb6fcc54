/*-------------------------------------------------------------------------
 *
 * create_table.h
 *		Make a table as the agreement wants it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CREATE_TABLE_H
#define DBKIT_CREATE_TABLE_H

#include "nodes/pg_list.h"

typedef struct IndexDescription
{
	bool		is_unique;
	const char *name;			/* quoted, or "" */
	const char *columns;		/* quoted, with commas between them */
} IndexDescription;

/* One of several tables that are described together */
typedef struct TableDescription
{
	const char *name;			/* as in SQL, with its schema or without */
	char	   *columns;		/* what stands between the parentheses */
	List	   *foreign_keys;	/* char *, what ALTER TABLE adds */
	List	   *indexes;		/* IndexDescription * */
} TableDescription;

extern bool dbkit_is_trying(void);
extern char *dbkit_tables_sql(const List *descriptions);

#endif							/* DBKIT_CREATE_TABLE_H */
