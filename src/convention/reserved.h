/*-------------------------------------------------------------------------
 *
 * reserved.h
 *		Whether the agreement reserves the settings of the tenant context.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_RESERVED_H
#define DBKIT_RESERVED_H

extern bool dbkit_settings_are_reserved(void);
extern void dbkit_reserved_init(void);

#endif							/* DBKIT_RESERVED_H */
