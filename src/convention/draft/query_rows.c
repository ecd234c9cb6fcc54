/*-------------------------------------------------------------------------
 *
 * query_rows.c
 *		Write the INSERT of the rows that CREATE TABLE AS selects.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"

#include "common.h"
#include "convention/draft/draft.h"
#include "convention/rules/id_style.h"

/* The last CREATE TABLE AS that began, and its query before the rewriter changed that */
static const Node *noted = NULL;
static Query *noted_query = NULL;
static MemoryContext noted_context = NULL;

/* Note the query of a CREATE TABLE AS that begins. */
void
dbkit_note_query(const Node *statement)
{
	MemoryContext caller;

	if (!IsA(statement, CreateTableAsStmt))
		return;
	if (noted_context == NULL)
		noted_context = AllocSetContextCreate(TopMemoryContext, "dbkit query", ALLOCSET_DEFAULT_SIZES);
	noted = NULL;
	MemoryContextReset(noted_context);
	caller = MemoryContextSwitchTo(noted_context);
	noted_query = copyObject(castNode(Query, ((const CreateTableAsStmt *) statement)->query));
	MemoryContextSwitchTo(caller);
	noted = statement;
}

/* Has a query parameters, which only its function knows? */
static bool
has_parameter(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXTERN;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_parameter, context, 0);
	return expression_tree_walker(node, has_parameter, context);
}

/* Are the ids of a query of no use, so that the rows get new ones? */
static bool
gets_new_ids(const DraftColumn *column)
{
	bool		other_kind = column->retyped &&
	TypeCategory(column->base_type) != TypeCategory(column->catalog_type);

	return strcmp(column->catalog_name, "id") == 0 &&
		(other_kind || ((column->revised || column->retyped) && dbkit_ids_are_prefixed()));
}

/* Return what a query gives, as a value for the column; NULL where that cannot be converted. */
static char *
convert(const DraftColumn *column)
{
	const char *name = quote_identifier(column->catalog_name);
	Oid			source = column->catalog_type;
	Oid			target = column->base_type;

	if (!column->retyped || can_coerce_type(1, &source, &target, COERCION_ASSIGNMENT))
		return pstrdup(name);
	if (can_coerce_type(1, &source, &target, COERCION_EXPLICIT))
		return psprintf("%s::%s", name, format_type_be_qualified(target));
	if (TypeCategory(source) == TYPCATEGORY_RANGE)
		return psprintf("%s::text::%s", name, format_type_be_qualified(target));
	return NULL;
}

/* What an INSERT consists of */
typedef struct Insert
{
	StringInfoData given;		/* the columns of the query */
	StringInfoData inserted;	/* those of the table that get a value */
	StringInfoData selected;	/* and the values */
	bool		new_ids;
	bool		converted;
	bool		overriding;		/* the ids are put in place of generated ones */
} Insert;

/* Add a column of the query.  Returns false where it cannot be converted. */
static bool
add_column(Insert *insert, const DraftColumn *column)
{
	char	   *value = convert(column);
	bool		new_id = gets_new_ids(column);

	appendStringInfo(&insert->given, "%s%s", insert->given.len > 0 ? ", " : "", quote_identifier(column->catalog_name));
	insert->new_ids |= new_id;
	if (new_id)
		return true;
	if (value == NULL)
		return false;
	insert->converted |= strcmp(value, quote_identifier(column->catalog_name)) != 0;
	insert->overriding |= strcmp(column->catalog_name, "id") == 0 && column->value != NULL &&
		strstr(column->value, "AS IDENTITY") != NULL;
	appendStringInfo(&insert->inserted, "%s%s", insert->inserted.len > 0 ? ", " : "", quote_identifier(column->name));
	appendStringInfo(&insert->selected, "%s%s", insert->selected.len > 0 ? ", " : "", value);
	return true;
}

/* Write the INSERT, and where it brings ids, what has new ones come after them. */
static char *
write_insert(const Draft *draft, const Insert *insert, const char *query)
{
	const char *table = dbkit_facts_identity(draft->facts);
	const char *columns = insert->inserted.len > 0 ? psprintf(" (%s)", insert->inserted.data) : "";
	StringInfoData sql;

	initStringInfo(&sql);
	if (insert->new_ids)
		appendStringInfoString(&sql, "-- The ids are new: those of the query do not have the form of ids.\n");
	appendStringInfo(&sql, "INSERT INTO %s%s%s ", table, columns, insert->overriding ? " OVERRIDING SYSTEM VALUE" : "");
	if (insert->new_ids || insert->converted)
		appendStringInfo(&sql, "SELECT %s FROM (%s) AS query (%s);", insert->selected.data, query, insert->given.data);
	else
		appendStringInfo(&sql, "%s;", query);
	if (insert->overriding)
		appendStringInfo(&sql, "\nSELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) FROM %s;",
						 quote_literal_cstr(table), table);
	return sql.data;
}

/* Write the INSERT of what a query gives into the columns that it gave the table. */
static char *
insert_rows(Draft *draft, Query *query)
{
	char	   *text;
	Insert		insert = {.new_ids = false};
	ListCell   *lc;

	initStringInfo(&insert.given);
	initStringInfo(&insert.inserted);
	initStringInfo(&insert.selected);
	foreach(lc, dbkit_draft_catalog_columns(draft))
	{
		const DraftColumn *column = lfirst(lc);

		if (add_column(&insert, column))
			continue;
		draft->obstacle = psprintf("column \"%s\" of the query cannot be converted to %s", column->catalog_name,
								   format_type_be(column->base_type));
		return NULL;
	}
	if (query->hasModifyingCTE)
	{
		draft->obstacle = "the query changes rows in its WITH clause, which INSERT cannot do; create the table first";
		return NULL;
	}
	text = pg_get_querydef(query, false);

	return write_insert(draft, &insert, text + strspn(text, " "));
}

/*
 * Write the INSERT that CREATE TABLE AS does.  NULL where the statement does none, and where
 * there is no such INSERT, which is then an obstacle.
 */
char *
dbkit_write_rows(const Node *statement, Draft *draft)
{
	const CreateTableAsStmt *create = (const CreateTableAsStmt *) statement;

	if (statement == NULL || !IsA(statement, CreateTableAsStmt) || create->into->skipData)
		return NULL;
	if (noted != statement)
		draft->obstacle = "the query runs another CREATE TABLE AS; create the table first, and INSERT with the query";
	else if (noted_query->commandType == CMD_UTILITY)
		draft->obstacle = "INSERT cannot take the rows of EXECUTE; create the table first, and INSERT with the query itself";
	else if (has_parameter((Node *) noted_query, NULL))
		draft->obstacle = "the query has parameters of the function that it is in; create the table first, and INSERT there";
	else
		return insert_rows(draft, copyObject(noted_query));
	return NULL;
}
