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

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

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

/* Return a name as the agreement has it, quoted as in SQL; without a schema for any. */
char *
dbkit_listed_name(const char *schema, const char *name)
{
	return schema != NULL ? quote_qualified_identifier(schema, name) : pstrdup(quote_identifier(name));
}

/* Is there a trigger function of that name? */
static bool
is_there(const ListedName *function)
{
	Oid			namespace = dbkit_catalog_search(&dbkit_now, CATALOG_SCHEMA, function->schema, NULL, InvalidOid);
	const oidvector *no_arguments = buildoidvector(NULL, 0);

	return OidIsValid(namespace) &&
		OidIsValid(dbkit_catalog_search(&dbkit_now, CATALOG_FUNCTION, function->name, no_arguments, namespace));
}

/*
 * Return one of the functions that set updated_at, or NULL: the first that is named with its
 * schema, so that it is known which one is meant, or else the first of any schema.
 */
const ListedName *
dbkit_own_updated_at_function(void)
{
	const List *functions = dbkit_agreement()->updated_at_functions;
	ListCell   *lc;

	foreach(lc, functions)
	{
		const ListedName *listed = lfirst(lc);

		if (listed->schema != NULL && is_there(listed))
			return listed;
	}
	foreach(lc, functions)
	{
		if (((ListedName *) lfirst(lc))->schema == NULL)
			return lfirst(lc);
	}
	return NULL;
}

/* Return the change of the agreement that adds a function to those which set updated_at. */
char *
dbkit_updated_at_functions_with(Oid function)
{
	Oid			namespace;
	const char *name = dbkit_catalog_name(&dbkit_now, CATALOG_FUNCTION, function, &namespace);
	const char *schema = name != NULL ? dbkit_catalog_schema(&dbkit_now, namespace) : NULL;
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	appendStringInfoString(&text, "{\"updated_at_functions\": [");
	foreach(lc, dbkit_agreement()->updated_at_functions)
	{
		const ListedName *listed = lfirst(lc);

		escape_json(&text, dbkit_listed_name(listed->schema, listed->name));
		appendStringInfoString(&text, ", ");
	}
	escape_json(&text, dbkit_listed_name(schema, name != NULL ? name : "..."));
	appendStringInfoString(&text, "]}");
	return text.data;
}
