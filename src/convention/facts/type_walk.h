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

/* Is a type, with what modifies it, one that is looked for? */
typedef bool (*TypeTest) (Form_pg_type type, int32 typmod);

extern Oid	dbkit_base_type(const Catalogs *catalogs, Oid type);
extern Oid	dbkit_find_type(const Catalogs *catalogs, Oid type, int32 *typmod, TypeTest wanted);
extern Oid	dbkit_replacement_type(Oid type);
extern char *dbkit_type_name(Oid type);
extern char *dbkit_declared_type_name(Oid type, int32 typmod);
extern const char *dbkit_short_type_name(Oid type);

#endif							/* DBKIT_TYPE_WALK_H */
