/*-------------------------------------------------------------------------
 *
 * bases.h
 *		Rows of base tables, which triggers of their subtypes insert.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_BASES_H
#define DBKIT_BASES_H

#include "test_data/build.h"

extern void dbkit_find_bases(Shape *shape);
extern bool dbkit_is_foreseen(const Shape *shape, const Reference *reference);
extern void dbkit_foresee_bases(Making *making, Shape *shape, uint64 rows);
extern bool dbkit_make_specific(Making *making, Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows);

#endif							/* DBKIT_BASES_H */
