/*-------------------------------------------------------------------------
 *
 * names.h
 *		Settings that name tables or functions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_NAMES_H
#define DBKIT_NAMES_H

extern bool dbkit_is_user_table(Oid relid);
extern bool dbkit_is_organization_table(Oid relid);
extern bool dbkit_is_updated_at_function(Oid function);
extern void dbkit_names_init(void);

#endif							/* DBKIT_NAMES_H */
