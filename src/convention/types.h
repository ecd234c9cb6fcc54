/*-------------------------------------------------------------------------
 *
 * types.h
 *		Look inside types, and know what to use in place of one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TYPES_H
#define DBKIT_TYPES_H

extern Oid	dbkit_find_type(Oid type, bool (*wanted) (Oid type));
extern Oid	dbkit_replacement_type(Oid type);
extern char *dbkit_type_name(Oid type);
extern const char *dbkit_short_type_name(Oid type);

#endif							/* DBKIT_TYPES_H */
