/*-------------------------------------------------------------------------
 *
 * statement_option.h
 *		Options of statements, such as VACUUM (FULL).
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_STATEMENT_OPTION_H
#define DBKIT_STATEMENT_OPTION_H

#include "nodes/pg_list.h"

extern bool dbkit_has_option(const List *options, const char *name);

#endif							/* DBKIT_STATEMENT_OPTION_H */
