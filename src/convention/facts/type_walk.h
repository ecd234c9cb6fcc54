/*-------------------------------------------------------------------------
 *
 * type_walk.h
 *		Look inside types, and know what to use in place of one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TYPE_WALK_H
#define DBKIT_TYPE_WALK_H

extern Oid	dbkit_base_type(Oid type);
extern Oid	dbkit_find_type(Oid type, bool (*wanted) (Oid type));
extern Oid	dbkit_replacement_type(Oid type);
extern char *dbkit_type_name(Oid type);
extern const char *dbkit_short_type_name(Oid type);

#endif							/* DBKIT_TYPE_WALK_H */
