/*-------------------------------------------------------------------------
 *
 * make.h
 *		Make rows of tables, for tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_MAKE_H
#define DBKIT_MAKE_H

#include "storage/itemptr.h"
#include "utils/jsonb.h"

extern Datum dbkit_make_row(Oid relid, Jsonb *overrides);
extern void dbkit_place_row(Oid relid, Jsonb *overrides, Oid *table, ItemPointer tid);

#endif							/* DBKIT_MAKE_H */
