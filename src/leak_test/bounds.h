/*-------------------------------------------------------------------------
 *
 * bounds.h
 *		What a row has to have to be in one partition.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LEAK_BOUNDS_H
#define DBKIT_LEAK_BOUNDS_H

#include "nodes/pg_list.h"

/* A value that a column has to have */
typedef struct BoundValue
{
	const char *column;
	const char *value;			/* as text; NULL for null */
} BoundValue;

/* What to choose for a default partition, to which all belongs that no other takes */
typedef enum DefaultChoice
{
	GREATEST_VALUE,
	LEAST_VALUE,
	ANY_VALUE
} DefaultChoice;

typedef struct Bounds
{
	bool		is_default;
	List	   *values;			/* BoundValue * */
	List	   *hashed;			/* char *, columns whose hash decides */
	int			modulus;		/* of how many is this one? 1 without hashed
								 * columns */
} Bounds;

extern void dbkit_read_bounds(Oid partition, DefaultChoice choice, Bounds *bounds);

#endif							/* DBKIT_LEAK_BOUNDS_H */
