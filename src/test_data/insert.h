/*-------------------------------------------------------------------------
 *
 * insert.h
 *		Insert the rows that have been made up.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_INSERT_H
#define DBKIT_INSERT_H

#include "test_data/shape.h"

extern JsonbValue *dbkit_json_text(const char *text);
extern char *dbkit_row_alias(const Shape *shape);
extern void dbkit_insert_rows(const Shape *shape, uint64 rows, const char *returning);

#endif							/* DBKIT_INSERT_H */
