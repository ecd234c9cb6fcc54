/*-------------------------------------------------------------------------
 *
 * preload.h
 *		Whether every session loads dbkit before it does anything else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_PRELOAD_H
#define DBKIT_PRELOAD_H

extern bool dbkit_is_among(const char *libraries);
extern bool dbkit_is_preloaded(void);

#endif							/* DBKIT_PRELOAD_H */
