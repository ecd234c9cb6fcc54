/*-------------------------------------------------------------------------
 *
 * name_settings.h
 *		Settings that name tables or functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_NAME_SETTINGS_H
#define DBKIT_NAME_SETTINGS_H

#include "convention/facts/catalogs.h"

extern bool dbkit_is_user_table(const Catalogs * catalogs, Oid relid);
extern bool dbkit_is_organization_table(const Catalogs * catalogs, Oid relid);
extern bool dbkit_is_updated_at_function(const Catalogs * catalogs, Oid function);
extern void dbkit_name_settings_init(void);

#endif							/* DBKIT_NAME_SETTINGS_H */
