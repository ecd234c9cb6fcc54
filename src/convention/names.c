/*-------------------------------------------------------------------------
 *
 * names.c
 *		Settings that name tables or functions.
 *
 * A name is an identifier or schema.identifier, quoted as in SQL; without a
 * schema it means that name in any schema.  Commas separate several.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

#include "dbkit.h"
#include "names.h"

static char *user_table = NULL;
static char *organization_table = NULL;
static char *updated_at_functions = NULL;

/*
 * Cut the first name off a list of names, which is changed, and return its
 * parts in *parts.  Returns false for a malformed one.
 */
static bool
next_name(char **names, List **parts)
{
	char	   *name = *names;
	char	   *end = name;
	bool		quoted = false;

	for (; *end != '\0' && (quoted || *end != ','); end++)
	{
		if (*end == '"')
			quoted = !quoted;
	}
	*names = *end == ',' ? end + 1 : NULL;
	*end = '\0';
	return SplitIdentifierString(name, '.', parts) &&
		(list_length(*parts) == 1 || list_length(*parts) == 2);
}

/* Is the list empty, or only white space? */
static bool
is_blank(const char *names)
{
	return strspn(names, " \t\n\r\f") == strlen(names);
}

/* Is schema.name in the list? */
static bool
is_listed(const char *list, const char *schema, const char *name)
{
	char	   *names = pstrdup(list);
	List	   *parts;

	if (name == NULL || schema == NULL || is_blank(names))
		return false;
	while (names != NULL)
	{
		if (!next_name(&names, &parts))
			return false;		/* cannot be: it passed check_names() */
		if (strcmp(llast(parts), name) == 0 &&
			(list_length(parts) == 1 || strcmp(linitial(parts), schema) == 0))
			return true;
	}
	return false;
}

/* Is it a table that dbkit.user_table names? */
bool
dbkit_is_user_table(Oid relid)
{
	return is_listed(user_table, get_namespace_name(get_rel_namespace(relid)),
					 get_rel_name(relid));
}

/* Is it a table that dbkit.organization_table names? */
bool
dbkit_is_organization_table(Oid relid)
{
	return is_listed(organization_table, get_namespace_name(get_rel_namespace(relid)),
					 get_rel_name(relid));
}

/* Is it a function that dbkit.updated_at_functions names? */
bool
dbkit_is_updated_at_function(Oid function)
{
	return is_listed(updated_at_functions, get_namespace_name(get_func_namespace(function)),
					 get_func_name(function));
}

static bool
check_names(char **newval, void **extra pg_attribute_unused(),
			GucSource source pg_attribute_unused())
{
	char	   *names = pstrdup(*newval);
	List	   *parts;

	while (names != NULL && !is_blank(*newval))
	{
		if (!next_name(&names, &parts))
		{
			GUC_check_errdetail("It is not a list of names like users or \"user\".users.");
			return false;
		}
	}
	return true;
}

/* Define the settings of this module. */
void
dbkit_names_init(void)
{
	/* Rules about references to users and organizations look for these. */
	DefineCustomStringVariable("dbkit.user_table",
							   "Name of the table of users.",
							   "Without a schema it means that name in any schema.",
							   &user_table,
							   "users",
							   PGC_SUSET,
							   0,
							   check_names, NULL, NULL);

	DefineCustomStringVariable("dbkit.organization_table",
							   "Name of the table of organizations, the tenants.",
							   "Without a schema it means that name in any schema.",
							   &organization_table,
							   "organizations",
							   PGC_SUSET,
							   0,
							   check_names, NULL, NULL);

	/* For teams that have such a trigger function already. */
	DefineCustomStringVariable("dbkit.updated_at_functions",
							   "Names of further trigger functions that set updated_at.",
							   "Separated by commas; without a schema a name means that one in any schema.",
							   &updated_at_functions,
							   "",
							   PGC_SUSET,
							   0,
							   check_names, NULL, NULL);
}
