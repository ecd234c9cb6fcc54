/*-------------------------------------------------------------------------
 *
 * exempt.h
 *		Find exemptions that are of no use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXEMPT_H
#define DBKIT_EXEMPT_H

#include "convention/exemption.h"

extern Jsonb *dbkit_move_exemption(Jsonb *agreement, const Exemption *exemption, const char *object);
extern int	dbkit_count_stale_exemptions(void);
extern Jsonb *dbkit_remove_exemptions(Jsonb *agreement, const char *rule);

#endif							/* DBKIT_EXEMPT_H */
