/*-------------------------------------------------------------------------
 *
 * mirror.h
 *		The two settings that show the tenant context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_MIRROR_H
#define DBKIT_MIRROR_H

#include "utils/guc.h"

/* Tells whether the agreement keeps the two settings from the application */
typedef bool (*dbkit_reservation) (void);

extern bool dbkit_is_mirror(const char *setting);
extern void dbkit_follow_reservation(bool entered);
extern void dbkit_take_mirrors(void);
extern void dbkit_return_mirrors(void);
extern void dbkit_mirror_init(GucShowHook show_user, GucShowHook show_organization,
							  dbkit_reservation reservation);

#endif							/* DBKIT_MIRROR_H */
