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

/* Return a name as the agreement has it, quoted as in SQL; without a schema for any. */
char *
dbkit_listed_name(const char *schema, const char *name)
{
	return schema != NULL ? quote_qualified_identifier(schema, name) : pstrdup(quote_identifier(name));
}

/*
 * Return one of the functions that set updated_at, or NULL: the first that is named with its
 * schema, so that it is known which one is meant, or else the first.
 */
const ListedName *
dbkit_own_updated_at_function(void)
{
	const List *functions = dbkit_agreement()->updated_at_functions;
	ListCell   *lc;

	foreach(lc, functions)
	{
		if (((ListedName *) lfirst(lc))->schema != NULL)
			return lfirst(lc);
	}
	return functions != NIL ? linitial(functions) : NULL;
}

/* Return the change of the agreement that adds a function to those which set updated_at. */
char *
dbkit_updated_at_functions_with(Oid function)
{
	const char *schema = get_namespace_name(get_func_namespace(function));
	const char *name = get_func_name(function);
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
