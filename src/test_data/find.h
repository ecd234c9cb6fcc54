/*-------------------------------------------------------------------------
 *
 * find.h
 *		Find rows that are there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_FIND_H
#define DBKIT_FIND_H

#include "test_data/keys.h"

extern char *dbkit_columns_as_text(const Shape *shape, const Bitmapset *columns, const char *alias);
extern uint64 dbkit_look_up(const Shape *parent, const char *selected, const List *given, const Bitmapset *keys, uint64 limit);
extern bool dbkit_use_any(Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows);
extern bool dbkit_use_existing(Shape *shape, const Reference *reference, const Shape *parent, const List *given, uint64 rows);
extern List *dbkit_referencing_tables(Oid relid);

#endif							/* DBKIT_FIND_H */
