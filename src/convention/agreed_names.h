/*-------------------------------------------------------------------------
 *
 * agreed_names.h
 *		Keep the names in the agreement right.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AGREED_NAMES_H
#define DBKIT_AGREED_NAMES_H

#include "tcop/deparse_utility.h"

extern void dbkit_follow_rename(const CollectedCommand *command);
extern void dbkit_touch_baseline(Oid classid, Oid objid);
extern void dbkit_touch_baseline_of(const char *schema, const char *name);
extern void dbkit_agreed_names_init(void);

#endif							/* DBKIT_AGREED_NAMES_H */
