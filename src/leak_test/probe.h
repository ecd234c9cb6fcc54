/*-------------------------------------------------------------------------
 *
 * probe.h
 *		Try a statement as another role and another tenant, and take it back.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PROBE_H
#define DBKIT_PROBE_H

#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "utils/elog.h"

/* What a transaction is bound to; NULL for none */
typedef struct Tenant
{
	const char *organization;
	const char *user;
} Tenant;

/* A row that was made for the test */
typedef struct Row
{
	Oid			relid;			/* of the partition, if there are any */
	ItemPointerData tid;
	int			ncolumns;
	const char **columns;
	const char **values;		/* as text; NULL for null */
} Row;

/*
 * What a query showed, so that two times can be compared without keeping the rows: for each
 * column the sum of the hashes of its values.
 */
typedef struct Observation
{
	uint64		rows;
	int			ncolumns;
	const char **columns;
	uint64	   *sums;
} Observation;

typedef struct Probe
{
	const char *sql;
	Oid			role;
	const char *search_path;
	const Tenant *tenant;		/* NULL for none */
	const List *watched;		/* Row *: is one of them changed or deleted? */
	const List *removed;		/* Row *: these are gone meanwhile */

	/*
	 * Rows to count before and after: a query that gives a number, and who
	 * runs it
	 */
	const char *count;
	Oid			counting_role;

	/* The result */
	const ErrorData *error;		/* NULL for none */
	uint64		processed;		/* rows */
	bool		touched;
	int64		added;			/* what counting says, after minus before */
	Observation seen;
} Probe;

extern void dbkit_probe(Probe *probe);
extern void dbkit_begin_as_role(Oid role, int extra_flags, const char *search_path);
extern bool dbkit_fetch_row(Row *row, bool with_values);
extern const char *dbkit_made_value(const Row *row, const char *column, bool *found);

#endif							/* DBKIT_PROBE_H */
