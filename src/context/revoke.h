/*-------------------------------------------------------------------------
 *
 * revoke.h
 *		Take privileges from a role that would let it out of its tenant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef DBKIT_REVOKE_H
#define DBKIT_REVOKE_H

#include "nodes/pg_list.h"
#include "utils/acl.h"

/* Another role, which keeps what it has through PUBLIC today */
typedef struct OtherRole
{
	Oid			oid;
	const char *name;			/* quoted */
} OtherRole;

/* The role, and the statements that confine it */
typedef struct Confinement
{
	Oid			role;
	const char *name;			/* quoted */
	List	   *others;			/* OtherRole *, by name */
	List	   *unbound_owners; /* of tables whose row level security is not
								 * forced */
	List	   *withheld;		/* functions that are not for PUBLIC unless
								 * somebody grants them */
	List	   *grants;			/* char * */
	List	   *revokes;
} Confinement;

/* Something that has privileges which let a role out */
typedef struct Object
{
	const char *keyword;		/* as GRANT calls its kind */
	const char *identity;
	const char *column;			/* quoted, or NULL for the whole of it */
	Oid			owner;
	AclMode		privileges;
	bool		door;			/* what the role itself was granted was meant
								 * for it */
	const Acl  *acl;
} Object;

extern char *dbkit_write_privileges(AclMode privileges, const char *column);
extern AclMode dbkit_public_privileges(const Object *object);
extern void dbkit_confine_object(Confinement *confinement, const Object *object);

#endif							/* DBKIT_REVOKE_H */
