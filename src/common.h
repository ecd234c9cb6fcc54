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
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/guc.h"

#include "compat.h"

/*
 * Flag of all settings of dbkit.  A query that runs in parallel may be the first
 * to load the library; without the flag PostgreSQL would then drop what the
 * administrator has set, the key file included (set_config_option in guc.c).
 */
#define DBKIT_SETTING	GUC_ALLOW_IN_PARALLEL

/* Does a name end with that suffix? */
static inline bool
dbkit_ends_with(const char *name, const char *suffix)
{
	size_t		length = strlen(name);
	size_t		suffix_length = strlen(suffix);

	return length >= suffix_length &&
		memcmp(name + length - suffix_length, suffix, suffix_length) == 0;
}

/* What counts as a space in a setting */
#define DBKIT_BLANKS	" \t\n\r"

/* Is there nothing in a text but spaces? */
static inline bool
dbkit_is_blank(const char *text)
{
	return text[strspn(text, DBKIT_BLANKS)] == '\0';
}

/* Compare the strings in two cells of a list, for list_sort() */
static inline int
dbkit_compare_strings(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * Is this a restore?  pg_dump and pg_restore create tables before their keys,
 * indexes and policies, and both turn check_function_bodies off in every session.
 */
static inline bool
dbkit_is_restoring(void)
{
	return !check_function_bodies || IsBinaryUpgrade;
}

#endif							/* DBKIT_COMMON_H */
