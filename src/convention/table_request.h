/*-------------------------------------------------------------------------
 *
 * table_request.h
 *		A table that is made as the agreement wants it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TABLE_REQUEST_H
#define DBKIT_TABLE_REQUEST_H

#include "context/protect.h"
#include "convention/draft/draft.h"

/* What is asked for */
typedef struct Request
{
	const char *schema;
	const char *name;
	char	   *columns;
	char	   *statement;		/* CREATE TABLE with the columns as they are
								 * described */
	bool		prefixed;		/* the prefix is given */
	char	   *id;				/* the column "id" with it, or NULL */
	const Access *access;
	bool		protected;		/* dbkit.protect() gives it its policies ... */
	const char *tenant_columns[TENANT_KINDS];	/* ... by these columns */
	bool		judged;			/* what is written names all with its schema */
	Draft	   *draft;			/* of it, if it is judged */
} Request;

extern void dbkit_try_tables(void (*action) (void *arg), void *arg);
extern void dbkit_begin_request(Request *request, List *name);
extern Oid	dbkit_try_table(Request *request);
extern Oid	dbkit_made_table(const Request *request);
extern Draft *dbkit_draft_table(Request *request, Oid relid);
extern void dbkit_check_draft(const Request *request);
extern Protection dbkit_request_protection(const Request *request);

#endif							/* DBKIT_TABLE_REQUEST_H */
