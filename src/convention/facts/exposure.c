/*-------------------------------------------------------------------------
 *
 * exposure.c
 *		Who may use an object besides its owner, and past whose row level security.
 *
 * Row level security belongs to a table.  It does not descend to partitions and
 * children that are used by their own names, and a view or materialized view reads
 * its tables with the rights of its owner.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_auth_members.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_rewrite.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/exposure.h"

/* No more of what a view reads is looked at, nor what it reads through more views */
#define MAX_SOURCES		1000
#define MAX_DEPTH		32

/* Add a table that has row level security to what is known; "owner" is the object's. */
static void
add_protected(Protected *result, const Catalogs *catalogs, Form_pg_class form, Oid owner)
{
	const char *name = dbkit_catalog_identity(catalogs, form->oid);

	if (name == NULL)
		return;
	if (result->table == NULL || strcmp(name, result->table) < 0)
		result->table = name;
	result->tables = lappend(result->tables, unconstify(char *, name));
	result->forced |= form->relforcerowsecurity;
	result->binds_owner |= form->relforcerowsecurity || form->relowner != owner;
}

/* Return what to call the tables, of which there is one: table "a", or tables "a", "b". */
char *
dbkit_name_protected(const Protected *protected)
{
	List	   *names = list_copy(protected->tables);
	const char *previous = NULL;
	StringInfoData text;
	ListCell   *lc;

	list_sort(names, dbkit_compare_strings);
	initStringInfo(&text);
	foreach(lc, names)
	{
		if (previous == NULL || strcmp(previous, lfirst(lc)) != 0)
			appendStringInfo(&text, "%s\"%s\"", previous != NULL ? ", " : "", (const char *) lfirst(lc));
		previous = lfirst(lc);
	}
	return psprintf("%s %s", strcmp(linitial(names), llast(names)) == 0 ? "table" : "tables", text.data);
}

/*
 * Find the nearest ancestors that have row level security, past those that were left open: what
 * partition.c protects a new partition or child as.
 */
Protected
dbkit_protected_parents(const Facts *facts)
{
	Protected	result = {NULL};
	List	   *ancestors = list_copy(dbkit_facts_parents(facts));

	for (int i = 0; i < list_length(ancestors); i++)
	{
		HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_RELATION, list_nth_oid(ancestors, i));

		if (row == NULL)
			continue;
		if (((Form_pg_class) GETSTRUCT(row))->relrowsecurity)
			add_protected(&result, facts->catalogs, (Form_pg_class) GETSTRUCT(row), facts->owner);
		else
			ancestors = list_concat_unique_oid(ancestors, dbkit_catalog_parents(facts->catalogs, list_nth_oid(ancestors, i)));
	}
	return result;
}

/* Does row level security bind a role? */
static bool
is_bound(const Catalogs *catalogs, Oid role)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_ROLE, role);

	return row != NULL && !((Form_pg_authid) GETSTRUCT(row))->rolsuper &&
		!((Form_pg_authid) GETSTRUCT(row))->rolbypassrls;
}

/* List the roles that may act as a role, by inheritance or SET ROLE. */
static List *
read_members(const Catalogs *catalogs, Oid role)
{
	Relation	members = table_open(AuthMemRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_auth_members_roleid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
	scan = systable_beginscan(members, AuthMemRoleMemIndexId, true, catalogs->snapshot, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		if (dbkit_may_act(row))
			result = list_append_unique_oid(result, ((Form_pg_auth_members) GETSTRUCT(row))->member);
	}
	systable_endscan(scan);
	table_close(members, AccessShareLock);
	return result;
}

/* May a role that row level security binds act as that one, other than the owner? */
static bool
has_bound_member(const Catalogs *catalogs, Oid role, Oid owner)
{
	List	   *roles = read_members(catalogs, role);

	for (int i = 0; i < list_length(roles); i++)
	{
		Oid			member = list_nth_oid(roles, i);

		CHECK_FOR_INTERRUPTS();
		if (member == owner)
			continue;
		if (is_bound(catalogs, member))
			return true;
		roles = list_concat_unique_oid(roles, read_members(catalogs, member));
	}
	return false;
}

/* Is what is granted to a role granted to one that row level security binds, other than the owner? */
static bool
is_other_user(const Catalogs *catalogs, Oid grantee, Oid owner)
{
	return grantee != owner &&
		(grantee == ACL_ID_PUBLIC || is_bound(catalogs, grantee) || has_bound_member(catalogs, grantee, owner));
}

/* Return what to call the members of a role, or NULL where it is gone. */
static const char *
members_name(const Catalogs *catalogs, Oid role)
{
	const char *name = dbkit_catalog_name(catalogs, CATALOG_ROLE, role, NULL);

	return name != NULL ? psprintf("members of role \"%s\"", name) : NULL;
}

/* Return what to call a role that may do something, or NULL where it is gone. */
static const char *
user_name(const Catalogs *catalogs, Oid role)
{
	const char *name = role != ACL_ID_PUBLIC ? dbkit_catalog_name(catalogs, CATALOG_ROLE, role, NULL) : NULL;

	if (role == ACL_ID_PUBLIC)
		return "everybody";
	return name != NULL ? psprintf("role \"%s\"", name) : NULL;
}

/* Return the first other user to whom one of these privileges is granted, or NULL. */
static const char *
find_grantee(const Facts *facts, const Acl *acl, AclMode privileges)
{
	for (int i = 0; i < ACL_NUM(acl); i++)
	{
		const AclItem *item = &ACL_DAT(acl)[i];
		const char *name = (ACLITEM_GET_PRIVS(*item) & privileges) != 0 &&
		is_other_user(facts->catalogs, item->ai_grantee, facts->owner) ?
		user_name(facts->catalogs, item->ai_grantee) : NULL;

		if (name != NULL)
			return name;
	}
	return NULL;
}

/* The same of what is granted on the object as a whole. */
static const char *
find_object_grantee(const Facts *facts, AclMode privileges)
{
	HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_RELATION, facts->objid);
	bool		isnull = true;
	Datum		acl = row != NULL ? dbkit_catalog_value(CATALOG_RELATION, row, Anum_pg_class_relacl, &isnull) : (Datum) 0;

	return isnull ? NULL : find_grantee(facts, DatumGetAclP(acl), privileges);
}

/* The same of what is granted on a column of it. */
static const char *
find_column_grantee(const Facts *facts, AclMode privileges)
{
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	const char *result = NULL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_attribute_attrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(facts->objid));
	scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true, facts->catalogs->snapshot, 1, &key);
	while (result == NULL && HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		acl = heap_getattr(row, Anum_pg_attribute_attacl, RelationGetDescr(attributes), &isnull);

		/* Before PostgreSQL 17 a column that is dropped keeps its grants */
		if (!isnull && !((Form_pg_attribute) GETSTRUCT(row))->attisdropped)
			result = find_grantee(facts, DatumGetAclP(acl), privileges);
	}
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	return result;
}

/* Roles whose members have these privileges on everything */
static const struct
{
	Oid			role;
	AclMode		privileges;
}			predefined[] = {
	{ROLE_PG_READ_ALL_DATA, ACL_SELECT},
	{ROLE_PG_WRITE_ALL_DATA, ACL_INSERT | ACL_UPDATE | ACL_DELETE},
};

/* Return those who have one of these privileges on everything, or NULL. */
static const char *
find_predefined(const Facts *facts, AclMode privileges)
{
	for (size_t i = 0; i < lengthof(predefined); i++)
	{
		if ((predefined[i].privileges & privileges) != 0 &&
			has_bound_member(facts->catalogs, predefined[i].role, facts->owner))
			return members_name(facts->catalogs, predefined[i].role);
	}
	return NULL;
}

/*
 * Return who has one of these privileges on an object besides its owner and those whom row
 * level security does not bind; NULL for nobody.  Who may act as the owner counts if row level
 * security would bind the owner.
 */
const char *
dbkit_other_user(const Facts *facts, AclMode privileges, bool binds_owner)
{
	const char *result;

	dbkit_require_facts(facts, FACT_GRANTS);
	result = find_object_grantee(facts, privileges);
	if (result == NULL)
		result = find_column_grantee(facts, privileges);
	if (result == NULL)
		result = find_predefined(facts, privileges);
	if (result == NULL && binds_owner && has_bound_member(facts->catalogs, facts->owner, facts->owner))
		result = members_name(facts->catalogs, facts->owner);
	return result;
}

/* Return the rule that makes a relation a view, or InvalidOid. */
static Oid
find_select_rule(const Catalogs *catalogs, Oid view)
{
	Relation	rules = table_open(RewriteRelationId, AccessShareLock);
	Oid			result = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, Anum_pg_rewrite_ev_class, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(view));
	scan = systable_beginscan(rules, RewriteRelRulenameIndexId, true, catalogs->snapshot, 1, &key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		if (((Form_pg_rewrite) GETSTRUCT(row))->ev_type == '0' + CMD_SELECT)
			result = ((Form_pg_rewrite) GETSTRUCT(row))->oid;
	}
	systable_endscan(scan);
	table_close(rules, AccessShareLock);
	return result;
}

/* List what a view reads. */
static List *
read_sources(const Catalogs *catalogs, Oid view)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(find_select_rule(catalogs, view)));
	scan = systable_beginscan(depend, DependDependerIndexId, true, catalogs->snapshot, 2, key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend dependency = (Form_pg_depend) GETSTRUCT(row);

		if (dependency->refclassid == RelationRelationId && dependency->refobjid != view)
			result = list_append_unique_oid(result, dependency->refobjid);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return result;
}

/* Has a view the option security_invoker? */
static bool
is_security_invoker(HeapTuple row)
{
	bool		isnull;
	Datum		options = dbkit_catalog_value(CATALOG_RELATION, row, Anum_pg_class_reloptions, &isnull);
	const ViewOptions *parsed = isnull ? NULL : (const ViewOptions *) view_reloptions(options, false);

	return parsed != NULL && parsed->security_invoker;
}

/* One thing that a view reads */
typedef struct Source
{
	/* the key of a hash table */
	Oid			relid;
	uint32		stored;			/* or rather did, when it was refreshed */

	int			depth;			/* through so many views */
} Source;

/* Add to a list what a view reads and is not in it yet. */
static List *
add_sources(List *list, HTAB *known, const List *relids, bool stored, int depth)
{
	ListCell   *lc;

	foreach(lc, relids)
	{
		Source		source = {lfirst_oid(lc), stored, depth};
		bool		found;
		Source	   *entry = hash_search(known, &source, HASH_ENTER, &found);

		if (found)
			continue;
		entry->depth = depth;
		list = lappend(list, entry);
	}
	return list;
}

/*
 * Is what a view reads a view that it is read through?  A view with security_invoker asks for the
 * reader's rights, whatever it is read through.  But what is stored was read by the owner.
 */
static bool
is_read_through(HeapTuple row, bool stored)
{
	char		relkind = ((Form_pg_class) GETSTRUCT(row))->relkind;

	return relkind == RELKIND_MATVIEW || (relkind == RELKIND_VIEW && (stored || !is_security_invoker(row)));
}

/*
 * Find the tables with row level security that a view, or a materialized view, reads as its
 * owner.  A partition or child without it has that of the nearest ancestors that have.
 * Anybody can make a long chain of views, so there is an end to that.
 */
Protected
dbkit_protected_sources(const Facts *facts)
{
	HASHCTL		ctl = {.keysize = offsetof(Source, depth),.entrysize = sizeof(Source),.hcxt = CurrentMemoryContext};
	HTAB	   *known = hash_create("dbkit sources", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Protected	result = {NULL};
	List	   *sources;

	dbkit_require_facts(facts, FACT_SOURCES);
	sources = add_sources(NIL, known, read_sources(facts->catalogs, facts->objid), facts->kind == KIND_MATERIALIZED_VIEW, 1);
	for (int i = 0; i < Min(list_length(sources), MAX_SOURCES); i++)
	{
		const Source *source = list_nth(sources, i);
		HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_RELATION, source->relid);
		Form_pg_class form = row != NULL ? (Form_pg_class) GETSTRUCT(row) : NULL;

		CHECK_FOR_INTERRUPTS();
		if (row == NULL || source->depth > MAX_DEPTH)
			continue;
		if (is_read_through(row, source->stored))
			sources = add_sources(sources, known, read_sources(facts->catalogs, source->relid),
								  source->stored || form->relkind == RELKIND_MATVIEW, source->depth + 1);
		else if (form->relrowsecurity)
			add_protected(&result, facts->catalogs, form, facts->owner);
		else
			sources = add_sources(sources, known, dbkit_catalog_parents(facts->catalogs, source->relid),
								  source->stored, source->depth);
	}
	hash_destroy(known);
	return result;
}
