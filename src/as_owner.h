/*-------------------------------------------------------------------------
 *
 * as_owner.h
 *		Run code of an object's owner with the owner's rights.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_AS_OWNER_H
#define DBKIT_AS_OWNER_H

typedef struct AsOwner
{
	Oid			caller;
	int			security_context;
	int			nest_level;		/* of settings */
} AsOwner;

extern void dbkit_begin_as_owner(Oid owner, int extra_flags, AsOwner *saved);
extern void dbkit_end_as_owner(const AsOwner *saved);

#endif							/* DBKIT_AS_OWNER_H */
