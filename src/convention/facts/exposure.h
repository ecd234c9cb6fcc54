/*-------------------------------------------------------------------------
 *
 * exposure.h
 *		Who may use an object besides its owner, and past whose row level security.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_EXPOSURE_H
#define DBKIT_EXPOSURE_H

#include "utils/acl.h"

#include "convention/facts/facts.h"

/* What has row level security, of all that an object belongs to or shows */
typedef struct Protected
{
	const char *table;			/* the first one's name, NULL for none */
	List	   *tables;			/* char *, the names of all, unsorted */
	bool		forced;			/* does it bind the owner of one of them? */
	bool		binds_owner;	/* or the owner of the object? */
} Protected;

extern char *dbkit_name_protected(const Protected *protected);
extern Protected dbkit_protected_parents(const Facts *facts);
extern Protected dbkit_protected_sources(const Facts *facts);
extern const char *dbkit_other_user(const Facts *facts, AclMode privileges, bool binds_owner);

#endif							/* DBKIT_EXPOSURE_H */
