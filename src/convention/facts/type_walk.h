/*-------------------------------------------------------------------------
 *
 * type_walk.h
 *		Look inside types, and know what to use in place of one.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_TYPE_WALK_H
#define DBKIT_TYPE_WALK_H

#include "convention/facts/catalogs.h"

/* Is a type one that is looked for? */
typedef bool (*TypeTest) (Form_pg_type type);

extern Oid	dbkit_base_type(const Catalogs *catalogs, Oid type);
extern Oid	dbkit_find_type(const Catalogs *catalogs, Oid type, TypeTest wanted);
extern Oid	dbkit_replacement_type(Oid type);
extern char *dbkit_type_name(Oid type);
extern const char *dbkit_short_type_name(Oid type);

#endif							/* DBKIT_TYPE_WALK_H */
