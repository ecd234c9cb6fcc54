/*-------------------------------------------------------------------------
 *
 * documented.c
 *		How relations are named in annotations and descriptions.
 *
 * Such a text is kept in a repository, and must not change with the session's search_path nor with
 * the keywords of the server's version, as what quote_identifier() makes of a name does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "common.h"
#include "meaning/documented.h"

/* Quote a name where SQL would read another one without it. */
char *
dbkit_documented_identifier(const char *name)
{
	StringInfoData quoted;

	if (name[0] != '$' && (name[0] < '0' || name[0] > '9') && name[0] != '\0' &&
		name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_$")] == '\0')
		return pstrdup(name);
	initStringInfo(&quoted);
	appendStringInfoChar(&quoted, '"');
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			appendStringInfoChar(&quoted, '"');
		appendStringInfoChar(&quoted, *name);
	}
	appendStringInfoChar(&quoted, '"');
	return quoted.data;
}

/* Name a relation or type: with its schema, unless that is "public". */
char *
dbkit_documented_name(const char *schema, const char *name)
{
	if (strcmp(schema, UNQUALIFIED_SCHEMA) == 0)
		return dbkit_documented_identifier(name);
	return psprintf("%s.%s", dbkit_documented_identifier(schema), dbkit_documented_identifier(name));
}
