/*-------------------------------------------------------------------------
 *
 * settings.h
 *		Check what a session chose of dbkit's settings before the library was loaded.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_SETTINGS_H
#define DBKIT_SETTINGS_H

extern void dbkit_check_settings(void);

#endif							/* DBKIT_SETTINGS_H */
