/*-------------------------------------------------------------------------
 *
 * make.h
 *		Make rows of tables, for tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_MAKE_H
#define DBKIT_MAKE_H

#include "utils/jsonb.h"

extern Datum dbkit_make_row(Oid relid, Jsonb *overrides);

#endif							/* DBKIT_MAKE_H */
