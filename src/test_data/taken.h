/*-------------------------------------------------------------------------
 *
 * taken.h
 *		Unique keys that have few values, and which of these are taken.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TAKEN_H
#define DBKIT_TAKEN_H

#include "test_data/build.h"

extern void dbkit_avoid_taken(Shape *shape, uint64 rows);

#endif							/* DBKIT_TAKEN_H */
