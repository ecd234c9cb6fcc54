/*-------------------------------------------------------------------------
 *
 * listed_names.h
 *		Tables and functions that the agreement lists by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LISTED_NAMES_H
#define DBKIT_LISTED_NAMES_H

#include "convention/facts/catalogs.h"

extern bool dbkit_is_user_table(const Catalogs *catalogs, Oid relid);
extern bool dbkit_is_organization_table(const Catalogs *catalogs, Oid relid);
extern bool dbkit_is_updated_at_function(const Catalogs *catalogs, Oid function);

#endif							/* DBKIT_LISTED_NAMES_H */
