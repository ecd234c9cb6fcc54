/*-------------------------------------------------------------------------
 *
 * name_settings.c
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
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "common.h"
#include "name_settings.h"

/* A name, as a setting has it */
typedef struct ListedName
{
	bool		qualified;
	NameData	schema;
	NameData	name;
} ListedName;

/* A setting, and what was read of it */
typedef struct NameSetting
{
	char	   *text;
	char	   *read;			/* the text that the names are of, or NULL */
	int			length;
	ListedName *names;
} NameSetting;

static NameSetting user_table;
static NameSetting organization_table;
static NameSetting updated_at_functions;

/*
 * Cut the first name off a list of names, which is changed, and read it.
 * Returns false for a malformed one.
 */
static bool
next_name(char **names, ListedName *name)
{
	char	   *start = *names;
	char	   *end = start;
	bool		quoted = false;
	List	   *parts;

	for (; *end != '\0' && (quoted || *end != ','); end++)
	{
		if (*end == '"')
			quoted = !quoted;
		else if (!quoted && (*end == '(' || *end == ')'))
			return false;		/* a function is named without arguments */
	}
	*names = *end == ',' ? end + 1 : NULL;
	*end = '\0';
	if (!SplitIdentifierString(start, '.', &parts) ||
		!(list_length(parts) == 1 || list_length(parts) == 2))
		return false;
	name->qualified = list_length(parts) == 2;
	namestrcpy(&name->schema, linitial(parts));
	namestrcpy(&name->name, llast(parts));
	return true;
}

/* Is the list empty, or only white space? */
static bool
is_blank(const char *names)
{
	return strspn(names, " \t\n\r\f") == strlen(names);
}

/* Return how many names there can be at most. */
static int
count_names(const char *names)
{
	int			result = 1;

	while ((names = strchr(names, ',')) != NULL)
	{
		result++;
		names++;
	}
	return result;
}

/*
 * Read the names of a setting, if it is another text than before.  That is not done
 * when it is set: the server reads its configuration before there is a database,
 * whose encoding says what is a letter and where a long name is cut.
 */
static void
read_names(NameSetting *setting)
{
	char	   *rest;
	char	   *read;
	ListedName *names;
	int			length = 0;

	if (setting->read != NULL && strcmp(setting->read, setting->text) == 0)
		return;
	rest = is_blank(setting->text) ? NULL : pstrdup(setting->text);
	names = MemoryContextAlloc(TopMemoryContext, count_names(setting->text) * sizeof(ListedName));
	while (rest != NULL && next_name(&rest, &names[length]))
		length++;
	read = MemoryContextStrdup(TopMemoryContext, setting->text);

	if (setting->read != NULL)
	{
		pfree(setting->read);
		pfree(setting->names);
	}
	setting->read = read;
	setting->length = length;
	setting->names = names;
}

/* Does the setting name the object? */
static bool
is_listed(NameSetting *setting, const Catalogs * catalogs, CatalogKind kind, Oid object)
{
	const char *name;
	Oid			namespace;

	read_names(setting);
	name = setting->length > 0 ? dbkit_catalog_name(catalogs, kind, object, &namespace) : NULL;
	for (int i = 0; i < setting->length && name != NULL; i++)
	{
		const ListedName *listed = &setting->names[i];
		const char *schema;

		if (strcmp(NameStr(listed->name), name) != 0)
			continue;
		schema = listed->qualified ? dbkit_catalog_schema(catalogs, namespace) : NULL;
		if (!listed->qualified ||
			(schema != NULL && strcmp(NameStr(listed->schema), schema) == 0))
			return true;
	}
	return false;
}

/* Is it a table that dbkit.user_table names? */
bool
dbkit_is_user_table(const Catalogs * catalogs, Oid relid)
{
	return is_listed(&user_table, catalogs, CATALOG_RELATION, relid);
}

/* Is it a table that dbkit.organization_table names? */
bool
dbkit_is_organization_table(const Catalogs * catalogs, Oid relid)
{
	return is_listed(&organization_table, catalogs, CATALOG_RELATION, relid);
}

/* Is it a function that dbkit.updated_at_functions names? */
bool
dbkit_is_updated_at_function(const Catalogs * catalogs, Oid function)
{
	return is_listed(&updated_at_functions, catalogs, CATALOG_FUNCTION, function);
}

static bool
check_names(char **newval, void **extra pg_attribute_unused(),
			GucSource source pg_attribute_unused())
{
	char	   *names = is_blank(*newval) ? NULL : pstrdup(*newval);
	ListedName	name;

	while (names != NULL)
	{
		if (!next_name(&names, &name))
		{
			GUC_check_errdetail("It is not a list of names like users or \"user\".users.");
			return false;
		}
	}
	return true;
}

/* Define the settings of this module. */
void
dbkit_name_settings_init(void)
{
	/* Rules about references to users and organizations look for these. */
	DefineCustomStringVariable("dbkit.user_table",
							   "Name of the table of users.",
							   "Without a schema it means that name in any schema.",
							   &user_table.text,
							   "users",
							   PGC_SUSET,
							   DBKIT_SETTING,
							   check_names, NULL, NULL);

	DefineCustomStringVariable("dbkit.organization_table",
							   "Name of the table of organizations, the tenants.",
							   "Without a schema it means that name in any schema.",
							   &organization_table.text,
							   "organizations",
							   PGC_SUSET,
							   DBKIT_SETTING,
							   check_names, NULL, NULL);

	/* For teams that have such a trigger function already. */
	DefineCustomStringVariable("dbkit.updated_at_functions",
							   "Names of further trigger functions that set updated_at.",
							   "Separated by commas; without a schema a name means that one in any schema.",
							   &updated_at_functions.text,
							   "",
							   PGC_SUSET,
							   DBKIT_SETTING,
							   check_names, NULL, NULL);
}
