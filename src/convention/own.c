/*-------------------------------------------------------------------------
 *
 * own.c
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
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "dbkit.h"
#include "own.h"

/* Is function dbkit's own function of that name? */
bool
dbkit_is_function(Oid function, const char *name)
{
	char	   *function_name = get_func_name(function);

	if (function_name == NULL || strcmp(function_name, name) != 0)
		return false;
	return getExtensionOfObject(ProcedureRelationId, function) ==
		get_extension_oid("dbkit", true);
}

/* Return the quoted, schema-qualified name of one of dbkit's own functions. */
char *
dbkit_function_name(const char *name)
{
	CatCList   *candidates = SearchSysCacheList1(PROCNAMEARGSNSP,
												 CStringGetDatum(name));
	char	   *result = NULL;

	for (int i = 0; i < candidates->n_members && result == NULL; i++)
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(&candidates->members[i]->tuple);

		if (dbkit_is_function(proc->oid, name))
			result = quote_qualified_identifier(get_namespace_name(proc->pronamespace),
												name);
	}
	ReleaseSysCacheList(candidates);

	if (result == NULL)
		elog(ERROR, "dbkit has no function %s", name);
	return result;
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
