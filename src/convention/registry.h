/*-------------------------------------------------------------------------
 *
 * registry.h
 *		The prefix registry: which table an id prefix belongs to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_REGISTRY_H
#define DBKIT_REGISTRY_H

#include "convention/facts/catalogs.h"

typedef struct RegistryCopy RegistryCopy;

extern Oid	dbkit_registry_holder(const Catalogs *catalogs, const char *prefix);
extern int	dbkit_count_contested(void);
extern RegistryCopy *dbkit_registry_copy(void);
extern bool dbkit_registry_has(RegistryCopy *copy, const char *prefix, Oid relid);
extern void dbkit_registry_update(Oid relid, const char *prefix);

#endif							/* DBKIT_REGISTRY_H */
