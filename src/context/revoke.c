/*-------------------------------------------------------------------------
 *
 * revoke.c
 *		Take privileges from a role that would let it out of its tenant.
 *
 * What PUBLIC has, the role has: so PUBLIC loses it, and those who have it only
 * through PUBLIC are first granted it themselves.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common.h"
#include "context/revoke.h"

/* The words of GRANT for privileges */
static const struct
{
	AclMode		privilege;
	const char *name;
}			privilege_names[] = {
	{ACL_CREATE, "CREATE"},
	{ACL_CREATE_TEMP, "TEMPORARY"},
	{ACL_TRUNCATE, "TRUNCATE"},
	{ACL_REFERENCES, "REFERENCES"},
	{ACL_TRIGGER, "TRIGGER"},
	{ACL_MAINTAIN, "MAINTAIN"},
	{ACL_EXECUTE, "EXECUTE"},
	{ACL_USAGE, "USAGE"},
	{ACL_SET, "SET"},
	{ACL_ALTER_SYSTEM, "ALTER SYSTEM"},
};

/* Write privileges as GRANT and REVOKE have them. */
char *
dbkit_write_privileges(AclMode privileges, const char *column)
{
	StringInfoData text;

	initStringInfo(&text);
	for (size_t i = 0; i < lengthof(privilege_names); i++)
	{
		if ((privileges & privilege_names[i].privilege) == 0)
			continue;
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", privilege_names[i].name);
		if (column != NULL)
			appendStringInfo(&text, " (%s)", column);
	}
	return text.data;
}

/* Copy an access list without what PUBLIC has. */
static Acl *
without_public(const Acl *acl)
{
	Acl		   *result = aclcopy(acl);
	int			kept = 0;

	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		if (ACL_DAT(acl)[i].ai_grantee != ACL_ID_PUBLIC)
			ACL_DAT(result)[kept++] = ACL_DAT(acl)[i];
	}
	ARR_DIMS(result)[0] = kept;
	SET_VARSIZE(result, ACL_N_SIZE(kept));
	return result;
}

/* Return which of the privileges on an object PUBLIC has. */
AclMode
dbkit_public_privileges(const Object *object)
{
	AclMode		result = 0;

	for (int i = 0; i < ACL_NUM(object->acl); i++)
	{
		if (ACL_DAT(object->acl)[i].ai_grantee == ACL_ID_PUBLIC)
			result |= ACLITEM_GET_PRIVS(ACL_DAT(object->acl)[i]) & object->privileges;
	}
	return result;
}

/* List the roles that have exactly these of the privileges through PUBLIC alone, or return NULL. */
static char *
list_losers(const Confinement *confinement, const Object *object, AclMode through_public, AclMode lost)
{
	Acl		   *others = without_public(object->acl);
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, confinement->others)
	{
		const OtherRole *other = lfirst(lc);

		if ((through_public & ~aclmask(others, other->oid, object->owner, through_public, ACLMASK_ALL)) == lost)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", other->name);
	}
	pfree(others);
	return names.len > 0 ? names.data : NULL;
}

/* Grant what PUBLIC is to lose to those who have it only through PUBLIC. */
static void
keep_for_others(Confinement *confinement, const Object *object)
{
	AclMode		through_public = dbkit_public_privileges(object);

	/* All subsets: there are few privileges of a kind */
	for (AclMode lost = through_public; lost != 0; lost = (lost - 1) & through_public)
	{
		const char *names = list_losers(confinement, object, through_public, lost);

		if (names != NULL)
			confinement->grants = lappend(confinement->grants,
										  psprintf("GRANT %s ON %s %s TO %s;", dbkit_write_privileges(lost, object->column),
												   object->keyword, object->identity, names));
	}
}

/* Has the role granted on some of what was granted to it? */
static bool
has_granted_on(const Confinement *confinement, const Object *object, AclMode privileges)
{
	for (int i = 0; i < ACL_NUM(object->acl); i++)
	{
		if (ACL_DAT(object->acl)[i].ai_grantor == confinement->role &&
			(ACLITEM_GET_PRIVS(ACL_DAT(object->acl)[i]) & privileges) != 0)
			return true;
	}
	return false;
}

/* Write the REVOKE of what one role granted.  Only that role, or what it may do as the owner, takes it back. */
static char *
write_revoke(const Confinement *confinement, const Object *object, const AclItem *item, AclMode privileges)
{
	bool		of_role = item->ai_grantee == confinement->role;
	char	   *statement = psprintf("REVOKE %s ON %s %s FROM %s%s;", dbkit_write_privileges(privileges, object->column),
									 object->keyword, object->identity,
									 of_role ? confinement->name : "PUBLIC",
									 of_role && has_granted_on(confinement, object, privileges) ? " CASCADE" : "");

	if (item->ai_grantor == object->owner)
		return statement;
	return psprintf("SELECT dbkit.run_as(%s, %s);",
					quote_literal_cstr(GetUserNameFromId(item->ai_grantor, false)), quote_literal_cstr(statement));
}

/* Take from PUBLIC and from the role what lets the role out. */
void
dbkit_confine_object(Confinement *confinement, const Object *object)
{
	/* What it owns is another matter: an owner grants himself what he likes */
	if (object->owner == confinement->role)
		return;
	keep_for_others(confinement, object);
	for (int i = 0; i < ACL_NUM(object->acl); i++)
	{
		const AclItem *item = &ACL_DAT(object->acl)[i];
		AclMode		privileges = ACLITEM_GET_PRIVS(*item) & object->privileges;

		if (privileges != 0 &&
			(item->ai_grantee == ACL_ID_PUBLIC || (item->ai_grantee == confinement->role && !object->door)))
			confinement->revokes = lappend(confinement->revokes,
										   write_revoke(confinement, object, item, privileges));
	}
}
