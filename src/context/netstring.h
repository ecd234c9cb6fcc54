/*-------------------------------------------------------------------------
 *
 * netstring.h
 *		Write and read values as netstrings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_NETSTRING_H
#define DBKIT_NETSTRING_H

#include "lib/stringinfo.h"

extern void dbkit_append_netstring(StringInfo buf, const char *value);
extern char *dbkit_read_netstring(char **cursor);

#endif							/* DBKIT_NETSTRING_H */
