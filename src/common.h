/*-------------------------------------------------------------------------
 *
 * common.h
 *		What every file of dbkit includes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_COMMON_H
#define DBKIT_COMMON_H

#include "fmgr.h"

#include "compat.h"

/* Does a name end with that suffix? */
static inline bool
dbkit_ends_with(const char *name, const char *suffix)
{
	size_t		length = strlen(name);
	size_t		suffix_length = strlen(suffix);

	return length >= suffix_length &&
		memcmp(name + length - suffix_length, suffix, suffix_length) == 0;
}

#endif							/* DBKIT_COMMON_H */
