/*-------------------------------------------------------------------------
 *
 * listed_names.h
 *		Tables and functions that the agreement lists by name.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_LISTED_NAMES_H
#define DBKIT_LISTED_NAMES_H

extern bool dbkit_is_user_table(Oid relid);
extern bool dbkit_is_organization_table(Oid relid);
extern bool dbkit_is_updated_at_function(Oid function);

#endif							/* DBKIT_LISTED_NAMES_H */
