/*-------------------------------------------------------------------------
 *
 * listed_names.h
 *		Tables and functions that the agreement lists by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LISTED_NAMES_H
#define DBKIT_LISTED_NAMES_H

#include "convention/agreement.h"
#include "convention/facts/catalogs.h"

extern bool dbkit_is_user_table(const Catalogs *catalogs, Oid relid);
extern bool dbkit_is_organization_table(const Catalogs *catalogs, Oid relid);
extern bool dbkit_is_updated_at_function(const Catalogs *catalogs, Oid function);
extern const ListedName *dbkit_own_updated_at_function(void);
extern char *dbkit_updated_at_functions_with(Oid function);
extern char *dbkit_listed_name(const char *schema, const char *name);

#endif							/* DBKIT_LISTED_NAMES_H */
