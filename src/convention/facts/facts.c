/*-------------------------------------------------------------------------
 *
 * facts.c
 *		What is known about one relation, type, function or role.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/facts/facts.h"

/* Report that somebody asks for facts that have not been read for him. */
void
dbkit_refuse_facts(const Facts *facts, FactSet wanted)
{
	elog(ERROR, "facts %x of \"%s.%s\" are not among those that the row of the rule names, %x",
		 wanted, facts->schema, facts->name, facts->visible);
}

/* Return the column of that name, or NULL. */
const ColumnFacts *
dbkit_facts_column(const Facts *facts, const char *name)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		ColumnFacts *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/* Return the column with the first of these names that there is, or NULL. */
const ColumnFacts *
dbkit_facts_listed_column(const Facts *facts, const List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		const ColumnFacts *column = dbkit_facts_column(facts, lfirst(lc));

		if (column != NULL)
			return column;
	}
	return NULL;
}

/* Return the column with that number, or NULL. */
const ColumnFacts *
dbkit_facts_column_at(const Facts *facts, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		ColumnFacts *column = lfirst(lc);

		if (column->attnum == attnum)
			return column;
	}
	return NULL;
}

/* Return the names of columns, quoted, separated by commas. */
char *
dbkit_facts_column_names(const Facts *facts, const List *attnums)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, attnums)
	{
		const ColumnFacts *column = dbkit_facts_column_at(facts, lfirst_int(lc));

		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 column != NULL ? quote_identifier(column->name) : "?");
	}
	return names.data;
}

/* Return the object's quoted, schema-qualified name; a function's with arguments. */
const char *
dbkit_facts_identity(const Facts *facts)
{
	if (facts->signature != NULL)
		return facts->signature;
	if (facts->kind == KIND_ROLE)
		return quote_identifier(facts->name);
	return quote_qualified_identifier(facts->schema, facts->name);
}

/* What objects are called in messages, and what their kind is in a rule of the team */
static const struct
{
	int			kinds;			/* ObjectKind bits */
	const char *object;
	const char *name;
}			kinds[] = {
	{KIND_TABLE, "table", "table"},
	{KIND_ENUM_TABLE, "table", "enum table"},
	{KIND_VIEW, "view", "view"},
	{KIND_ENUM_TYPE, "type", "enum type"},
	{KIND_DEFINER | KIND_FUNCTION, "function", "function"},
	{KIND_PARTITION, "partition", "partition"},
	{KIND_MATERIALIZED_VIEW, "materialized view", "materialized view"},
	{KIND_ROLE, "role", NULL},
};

/* Return what to call an object of that kind. */
const char *
dbkit_kind_name(ObjectKind kind)
{
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].kinds & kind)
			return kinds[i].object;
	}
	return NULL;				/* keep compiler quiet */
}

/* Return the kinds of that name, or 0. */
int
dbkit_find_kind(const char *name)
{
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].name != NULL && strcmp(kinds[i].name, name) == 0)
			return kinds[i].kinds;
	}
	return 0;
}

/* Return the names of these kinds. */
char *
dbkit_list_kinds(int some)
{
	StringInfoData names;

	initStringInfo(&names);
	for (size_t i = 0; i < lengthof(kinds); i++)
	{
		if (kinds[i].kinds & some)
			appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", kinds[i].name);
	}
	return names.data;
}
