/*-------------------------------------------------------------------------
 *
 * fill.h
 *		Make a row in every table, for one organization after the other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_FILL_H
#define DBKIT_LEAK_FILL_H

#include "leak_test/tables.h"

extern void dbkit_fill_tables(const List *tables, Side side, Tenant *tenant);
extern char *dbkit_trusted_path(Oid owner);

#endif							/* DBKIT_LEAK_FILL_H */
