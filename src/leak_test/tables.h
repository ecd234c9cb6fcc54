/*-------------------------------------------------------------------------
 *
 * tables.h
 *		The tables of a database: whose rows they hold, and what they reference.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_TABLES_H
#define DBKIT_LEAK_TABLES_H

#include "access/htup.h"
#include "nodes/bitmapset.h"
#include "nodes/pg_list.h"

#include "leak_test/probe.h"

/* The two organizations: one looks, the other must not be seen */
typedef enum Side
{
	MINE,
	OTHERS,
	SIDES
} Side;

typedef struct Table Table;

/* A foreign key; columns by name, as partitions have them in another order */
typedef struct Reference
{
	const char *name;
	Table	   *target;
	int			ncolumns;
	const char **columns;
	const char **target_columns;
} Reference;

struct Table
{
	Oid			relid;
	char		relkind;
	Oid			owner;
	const char *name;			/* qualified and quoted */
	bool		is_partition;
	bool		is_organizations;	/* the table that the agreement names */
	bool		is_users;
	const char *tenant_column;	/* that says whose a row is, or NULL */
	List	   *references;		/* Reference * */
	bool		of_tenants;		/* are the rows anybody's, by column or
								 * reference? */
	bool		visited;		/* while an order is sought */
	bool		wanted;			/* is a row to be made in it? */
	Row		   *rows[SIDES];	/* what was made in it */
	const char *problem;		/* why nothing could be, or NULL */
};

extern List *dbkit_list_relations(const char *kinds);
extern List *dbkit_read_tables(const List *relations);
extern Table *dbkit_find_leak_table(const List *tables, Oid relid);
extern Bitmapset *dbkit_index_columns(HeapTuple index);
extern bool dbkit_is_organization_column(const char *column);
extern bool dbkit_is_user_column(const char *column);

#endif							/* DBKIT_LEAK_TABLES_H */
