/*-------------------------------------------------------------------------
 *
 * relation_name.c
 *		Names of relations, which may just have been dropped.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "relation_name.h"

/* Look up the names of a relation and its schema; false if one of them is gone. */
static bool
find_names(Oid relid, char **schema, char **name)
{
	*name = get_rel_name(relid);
	*schema = *name != NULL ? get_namespace_name(get_rel_namespace(relid)) : NULL;
	return *schema != NULL;
}

/* Give the qualified and quoted name of a relation, or NULL if it is gone. */
char *
dbkit_find_relation_name(Oid relid)
{
	char	   *schema;
	char	   *name;

	return find_names(relid, &schema, &name) ? quote_qualified_identifier(schema, name) : NULL;
}

/* Give the qualified and quoted name of a relation that has to be there. */
char *
dbkit_relation_name(Oid relid)
{
	char	   *name = dbkit_find_relation_name(relid);

	if (name == NULL)
		dbkit_report_dropped(relid);
	return name;
}

/* Give the name of a schema that has to be there. */
char *
dbkit_schema_name(Oid schema)
{
	char	   *name = get_namespace_name(schema);

	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", schema)));
	return name;
}

/* Say that a relation is gone. */
void
dbkit_report_dropped(Oid relid)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("relation with OID %u does not exist", relid)));
}
