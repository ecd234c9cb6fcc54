/*-------------------------------------------------------------------------
 *
 * name.h
 *		Keys of locks from their names, and names from their keys.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LOCK_NAME_H
#define DBKIT_LOCK_NAME_H

#include "storage/lock.h"

/* The longest name of a lock, in bytes of UTF-8 */
#define LOCK_NAME_MAX 1024

/* Say whether this is an advisory lock on a bigint key (see lockfuncs.c). */
static inline bool
dbkit_is_key_lock(const LOCKTAG *tag)
{
	return tag->locktag_type == LOCKTAG_ADVISORY && tag->locktag_field4 == 1;
}

/* Put the key of an advisory lock together again. */
static inline int64
dbkit_lock_tag_key(const LOCKTAG *tag)
{
	return (int64) (((uint64) tag->locktag_field2 << 32) | tag->locktag_field3);
}

typedef struct LockName
{
	int64		key;
	char	   *name;
} LockName;

extern int64 dbkit_hash_lock_name(const char *utf8, int len);
extern int64 dbkit_remember_lock_name(const char *utf8, int len);
extern LockName *dbkit_list_lock_names(int *count);
extern int	dbkit_compare_lock_names(const void *a, const void *b);
extern void dbkit_lock_names_init(void);

#endif							/* DBKIT_LOCK_NAME_H */
