/*-------------------------------------------------------------------------
 *
 * name_settings.h
 *		Settings that name tables or functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_NAME_SETTINGS_H
#define DBKIT_NAME_SETTINGS_H

extern bool dbkit_is_user_table(Oid relid);
extern bool dbkit_is_organization_table(Oid relid);
extern bool dbkit_is_updated_at_function(Oid function);
extern void dbkit_name_settings_init(void);

#endif							/* DBKIT_NAME_SETTINGS_H */
