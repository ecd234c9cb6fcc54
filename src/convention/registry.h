/*-------------------------------------------------------------------------
 *
 * registry.h
 *		The prefix registry: which table an id prefix belongs to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_REGISTRY_H
#define DBKIT_REGISTRY_H

extern Oid	dbkit_registry_holder(const char *prefix);
extern void dbkit_registry_update(Oid relid, const char *prefix);

#endif							/* DBKIT_REGISTRY_H */
