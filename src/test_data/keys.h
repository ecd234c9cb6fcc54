/*-------------------------------------------------------------------------
 *
 * keys.h
 *		The values of keys: of rows that are being built, and of their parents.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_KEYS_H
#define DBKIT_KEYS_H

#include "test_data/build.h"

/* Keys of parents: for each column of the reference a text for each row */
typedef struct Keys
{
	uint64		rows;
	char	 ***texts;
} Keys;

extern bool dbkit_is_known(const Slot *slot);
extern void dbkit_share_values(Shape *shape);
extern Given *dbkit_given_to_parent(const Slot *slot, AttrNumber key);
extern List *dbkit_given_to_parents(const Shape *shape, const Reference *reference);
extern Bitmapset *dbkit_key_columns(const Reference *reference);
extern Keys dbkit_take_keys(const Reference *reference, const Bitmapset *columns, uint64 rows);
extern void dbkit_use_keys(Shape *shape, const Reference *reference, const Keys *keys, uint64 rows);
extern void dbkit_settle(const Shape *shape, Slot *slot, uint64 rows);
extern char **dbkit_settled_texts(const Slot *slot, uint64 rows);

#endif							/* DBKIT_KEYS_H */
