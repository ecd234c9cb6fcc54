/*-------------------------------------------------------------------------
 *
 * dbkit.h
 *		What the modules of dbkit share with each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_H
#define DBKIT_H

#include "fmgr.h"

#include "compat.h"

/*
 * Flag of all settings of dbkit.  A query that runs in parallel may be the first
 * to load the library; without the flag PostgreSQL would then drop what the
 * administrator has set, the key file included (set_config_option in guc.c).
 */
#define DBKIT_SETTING	GUC_ALLOW_IN_PARALLEL

/* context.c */
extern void dbkit_context_check_settings(void);
extern void dbkit_context_init(void);
extern bool dbkit_context_guards(const char *setting);

/* id.c, also called from C */
#define DBKIT_PREFIX_MAX_LEN	63	/* of an id (TypeID v0.3) */

extern Datum id_prefix(PG_FUNCTION_ARGS);
extern bool dbkit_is_prefixed_id(text *value);

/* lock_name.c */
extern void dbkit_lock_init(void);

#endif							/* DBKIT_H */
