/*-------------------------------------------------------------------------
 *
 * constant.h
 *		The values of constants that CHECKs, defaults and bounds compare with.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_CONSTANT_H
#define DBKIT_CONSTANT_H

#include "nodes/nodes.h"
#include "nodes/pg_list.h"

extern Node *dbkit_strip_casts(Node *expr);
extern char *dbkit_compared_text(Node *expr);
extern List *dbkit_list_texts(Node *expr);
extern char *dbkit_constant_text(Node *expr);
extern bool dbkit_constant_number(Oid type, const char *text, double *number);

#endif							/* DBKIT_CONSTANT_H */
