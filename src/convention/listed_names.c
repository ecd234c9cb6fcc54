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

#include "common.h"
#include "convention/agreement.h"
#include "convention/listed_names.h"

/* Is an object in the list? */
static bool
is_listed(const List *names, const Catalogs *catalogs, CatalogKind kind, Oid object)
{
	Oid			namespace;
	const char *name = names != NIL ? dbkit_catalog_name(catalogs, kind, object, &namespace) : NULL;
	ListCell   *lc;

	foreach(lc, names)
	{
		const ListedName *listed = lfirst(lc);
		const char *schema;

		if (name == NULL || strcmp(listed->name, name) != 0)
			continue;
		schema = listed->schema != NULL ? dbkit_catalog_schema(catalogs, namespace) : NULL;
		if (listed->schema == NULL || (schema != NULL && strcmp(listed->schema, schema) == 0))
			return true;
	}
	return false;
}

/* Is it a table of users? */
bool
dbkit_is_user_table(const Catalogs *catalogs, Oid relid)
{
	return is_listed(dbkit_agreement()->user_tables, catalogs, CATALOG_RELATION, relid);
}

/* Is it a table of organizations, the tenants? */
bool
dbkit_is_organization_table(const Catalogs *catalogs, Oid relid)
{
	return is_listed(dbkit_agreement()->organization_tables, catalogs, CATALOG_RELATION, relid);
}

/* Is it one of the functions that set updated_at? */
bool
dbkit_is_updated_at_function(const Catalogs *catalogs, Oid function)
{
	return is_listed(dbkit_agreement()->updated_at_functions, catalogs, CATALOG_FUNCTION, function);
}
