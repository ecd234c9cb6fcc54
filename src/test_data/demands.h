/*-------------------------------------------------------------------------
 *
 * demands.h
 *		Rows of other tables that deferred triggers ask for.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_DEMANDS_H
#define DBKIT_DEMANDS_H

#include "test_data/build.h"

extern void dbkit_settle_keys(Shape *shape, uint64 rows);
extern void dbkit_remember_demand(Making *making, const Shape *shape, uint64 rows);
extern void dbkit_meet_demands(Making *making);

#endif							/* DBKIT_DEMANDS_H */
