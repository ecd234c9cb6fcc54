/*-------------------------------------------------------------------------
 *
 * exempt.h
 *		Find exemptions that are of no use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXEMPT_H
#define DBKIT_EXEMPT_H

extern int	dbkit_count_stale_exemptions(void);

#endif							/* DBKIT_EXEMPT_H */
