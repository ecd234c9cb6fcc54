/*-------------------------------------------------------------------------
 *
 * own_objects.c
 *		Know dbkit's own functions and tables.
 *
 * Functions are known by OID, never by the text of an expression: a function
 * is dbkit's when it is a member of the extension, whatever schema that lives
 * in and whatever search_path a table was created under.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/own_objects.h"

/* The functions that rules look for, found when first asked for */
static struct
{
	const char *name;
	bool		known;
	Oid			oid;
}			functions[] = {
	{"generate_id", false, InvalidOid},
	{"is_id", false, InvalidOid},
	{"organization_id", false, InvalidOid},
	{"updated_at", false, InvalidOid},
	{"user_id", false, InvalidOid},
};

/* Counts how often functions have changed */
static uint64 changes = 0;

/* Find dbkit's function of that name, or InvalidOid. */
static Oid
find_function(const char *name)
{
	Oid			extension = get_extension_oid("dbkit", true);
	CatCList   *candidates = SearchSysCacheList1(PROCNAMEARGSNSP,
												 CStringGetDatum(name));
	Oid			result = InvalidOid;

	for (int i = 0; i < candidates->n_members && !OidIsValid(result); i++)
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(&candidates->members[i]->tuple);

		if (OidIsValid(extension) &&
			getExtensionOfObject(ProcedureRelationId, proc->oid) == extension)
			result = proc->oid;
	}
	ReleaseSysCacheList(candidates);
	return result;
}

/* Return dbkit's function of that name, one of "functions". */
static Oid
own_function(const char *name)
{
	for (size_t i = 0; i < lengthof(functions); i++)
	{
		if (strcmp(functions[i].name, name) != 0)
			continue;
		if (!functions[i].known)
		{
			uint64		before = changes;

			functions[i].oid = find_function(name);
			functions[i].known = changes == before;
		}
		return functions[i].oid;
	}
	return InvalidOid;
}

/* Look for the functions again once one has been created, dropped or changed. */
static void
forget_functions(Datum arg pg_attribute_unused(), int cacheid pg_attribute_unused(),
				 uint32 hashvalue pg_attribute_unused())
{
	changes++;
	for (size_t i = 0; i < lengthof(functions); i++)
		functions[i].known = false;
}

/* Is function dbkit's own function of that name? */
bool
dbkit_is_function(Oid function, const char *name)
{
	return OidIsValid(function) && function == own_function(name);
}

/* Return the quoted, schema-qualified name of one of dbkit's own functions. */
const char *
dbkit_function_name(const char *name)
{
	Oid			function = own_function(name);
	char	   *schema = OidIsValid(function) ? get_namespace_name(get_func_namespace(function)) : NULL;

	/*
	 * The extension is dropped in another session, or its owner renamed the
	 * function
	 */
	if (schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function \"%s\" of the extension dbkit does not exist", name),
				 DBKIT_REPAIR_HINT));
	return quote_qualified_identifier(schema, name);
}

/* Return the OID of a relation in the schema dbkit. */
Oid
dbkit_own_relation(const char *name)
{
	Oid			namespace = get_namespace_oid("dbkit", true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"dbkit.%s\" of the extension dbkit does not exist", name),
				 DBKIT_REPAIR_HINT));
	return relid;
}

/* Watch functions change. */
void
dbkit_own_objects_init(void)
{
	CacheRegisterSyscacheCallback(PROCOID, forget_functions, (Datum) 0);
}
