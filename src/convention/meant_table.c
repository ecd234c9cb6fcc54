/*-------------------------------------------------------------------------
 *
 * meant_table.c
 *		The table whose ids a column seems to hold, by its name: user_id, users.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/findings.h"
#include "convention/listed_names.h"
#include "convention/meant_table.h"
#include "convention/rules/id_style.h"

/* Is the column of that name the whole primary key of a table? */
bool
dbkit_is_only_key(Oid relid, const char *column)
{
	AttrNumber	attnum = get_attnum(relid, column);
	Oid			constraint;
	Bitmapset  *key = attnum > 0 ? get_primary_key_attnos(relid, false, &constraint) : NULL;

	return key != NULL && bms_equal(key, bms_make_singleton(attnum - FirstLowInvalidHeapAttributeNumber));
}

/* Find the first of the tables (ListedName *) that is there, in this schema or in public; InvalidOid if none is. */
Oid
dbkit_find_table(const char *schema, const List *names)
{
	const char *schemas[] = {schema, "public"};
	ListCell   *lc;

	foreach(lc, names)
	{
		const ListedName *listed = lfirst(lc);

		for (size_t i = 0; i < lengthof(schemas); i++)
		{
			Oid			namespace = get_namespace_oid(listed->schema != NULL ? listed->schema : schemas[i], true);
			Oid			relid = OidIsValid(namespace) ? get_relname_relid(listed->name, namespace) : InvalidOid;

			if (OidIsValid(relid))
				return relid;
		}
	}
	return InvalidOid;
}

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/* Can a column of that type reference the id of a table: is it the key, of such a type, and may the role? */
bool
dbkit_can_reference(Oid relid, Oid type, Oid role)
{
	Oid			key = dbkit_is_only_key(relid, "id") ?
	getBaseType(get_atttype(relid, get_attnum(relid, "id"))) : InvalidOid;

	return OidIsValid(key) && (key == type || (is_integer(key) && is_integer(type))) &&
		pg_class_aclcheck(relid, role, ACL_REFERENCES) == ACLCHECK_OK;
}

/* Add the names of tables whose rows are of that kind: the plural, and the singular. */
static List *
add_table_names(List *names, const char *stem)
{
	size_t		length = strlen(stem);
	char	   *variants[] = {
		psprintf("%ss", stem),
		psprintf("%ses", stem),
		length > 1 && stem[length - 1] == 'y' ? psprintf("%.*sies", (int) length - 1, stem) : NULL,
		pstrdup(stem)
	};

	for (size_t i = 0; i < lengthof(variants); i++)
	{
		ListedName *name = palloc0(sizeof(ListedName));

		name->name = variants[i];
		if (name->name != NULL)
			names = lappend(names, name);
	}
	return names;
}

/* Return the names that the table may have whose ids a column holds. */
static List *
guess_table_names(const char *column)
{
	const Agreement *agreement = dbkit_agreement();
	const char *suffix = dbkit_id_suffix(column);
	char	   *stem = pnstrdup(column, strlen(column) - (suffix != NULL ? strlen(suffix) : 0));
	List	   *names;

	if (dbkit_list_has_string(agreement->organization_columns, column))
		return agreement->organization_tables;
	if (dbkit_list_has_string(agreement->user_columns, column))
		return agreement->user_tables;
	names = add_table_names(NIL, stem);

	/* As some ORMs name a table after the class: userId, "User" */
	stem[0] = pg_ascii_toupper((unsigned char) stem[0]);
	return add_table_names(names, stem);
}

/*
 * Is a table in the hands of somebody who has the role's rights anyway?  Its owner could have rows go that
 * reference it, and expressions of its indexes are evaluated by who reads it or adds the key.
 */
bool
dbkit_is_trusted(Oid relid, Oid role)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = HeapTupleIsValid(tuple) ? ((Form_pg_class) GETSTRUCT(tuple))->relowner : InvalidOid;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return OidIsValid(owner) && has_privs_of_role(owner, role);
}

/* Return the relpersistence of a table, or 0 where it is gone. */
static char
persistence_of(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	char		result = HeapTupleIsValid(tuple) ? ((Form_pg_class) GETSTRUCT(tuple))->relpersistence : '\0';

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* Do the rows of a table outlive a crash if those of the other one do?  Else PostgreSQL lets that reference no such table. */
bool
dbkit_lasts_as_long(Oid relid, Oid other)
{
	return persistence_of(relid) == RELPERSISTENCE_PERMANENT || persistence_of(relid) == persistence_of(other);
}

/*
 * Return the table that a column of that name and type seems to reference, if the role may have it do so;
 * InvalidOid where there is none.  Anybody may have made a table of that name.
 */
Oid
dbkit_meant_table(const char *schema, const char *column, Oid type, Oid role)
{
	Oid			relid = dbkit_find_table(schema, guess_table_names(column));

	return OidIsValid(relid) && dbkit_is_trusted(relid, role) && dbkit_can_reference(relid, type, role) ? relid : InvalidOid;
}

/* Return what the deletion of a row in that table does to those that reference it, as fk_on_delete wants it. */
const char *
dbkit_meant_key_action(Oid relid, bool not_null)
{
	if (!dbkit_is_organization_table(&dbkit_now, relid) && !dbkit_is_user_table(&dbkit_now, relid))
		return "";
	return not_null ? " ON DELETE CASCADE" : " ON DELETE SET NULL";
}
