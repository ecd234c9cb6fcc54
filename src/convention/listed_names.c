/*-------------------------------------------------------------------------
 *
 * listed_names.c
 *		Tables and functions that the agreement lists by name.
 *
 * A name without a schema means that name in any schema.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/lsyscache.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/listed_names.h"

/* Is an object in the list?  The functions tell its name and schema. */
static bool
is_listed(const List *names, Oid object, char *(*name_of) (Oid), Oid (*schema_of) (Oid))
{
	const char *name = names != NIL ? name_of(object) : NULL;
	ListCell   *lc;

	foreach(lc, names)
	{
		const ListedName *listed = lfirst(lc);
		const char *schema;

		if (name == NULL || strcmp(listed->name, name) != 0)
			continue;
		schema = listed->schema != NULL ? get_namespace_name(schema_of(object)) : NULL;
		if (listed->schema == NULL || (schema != NULL && strcmp(listed->schema, schema) == 0))
			return true;
	}
	return false;
}

/* Is it a table of users? */
bool
dbkit_is_user_table(Oid relid)
{
	return is_listed(dbkit_agreement()->user_tables, relid, get_rel_name, get_rel_namespace);
}

/* Is it a table of organizations, the tenants? */
bool
dbkit_is_organization_table(Oid relid)
{
	return is_listed(dbkit_agreement()->organization_tables, relid, get_rel_name, get_rel_namespace);
}

/* Is it one of the functions that set updated_at? */
bool
dbkit_is_updated_at_function(Oid function)
{
	return is_listed(dbkit_agreement()->updated_at_functions, function, get_func_name, get_func_namespace);
}
