/*-------------------------------------------------------------------------
 *
 * query_rows.c
 *		Write the INSERT of the rows that CREATE TABLE AS selects.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
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
	return strcmp(column->catalog_name, "id") == 0 &&
		(column->retyped || column->identity || (column->revised && dbkit_ids_are_prefixed()));
}

/* Write the INSERT of what a query gives into the columns that it gave the table. */
static char *
write_insert(const Draft *draft, Query *query)
{
	char	   *text = pg_get_querydef(query, false);
	List	   *attributes = dbkit_draft_catalog_columns(draft);
	StringInfoData all;
	StringInfoData inserted;
	StringInfoData selected;
	bool		new_ids = false;
	ListCell   *lc;

	initStringInfo(&all);
	initStringInfo(&inserted);
	initStringInfo(&selected);
	foreach(lc, attributes)
	{
		const DraftColumn *column = lfirst(lc);
		const char *name = quote_identifier(column->catalog_name);

		appendStringInfo(&all, "%s%s", all.len > 0 ? ", " : "", name);
		if (gets_new_ids(column))
		{
			new_ids = true;
			continue;
		}
		appendStringInfo(&inserted, "%s%s", inserted.len > 0 ? ", " : "", quote_identifier(column->name));
		appendStringInfo(&selected, "%s%s", selected.len > 0 ? ", " : "", name);
	}
	text	  +=strspn(text, " ");

	if (!new_ids)
		return psprintf("INSERT INTO %s (%s) %s;", dbkit_facts_identity(draft->facts), inserted.data, text);
	return psprintf("-- The ids are new: those of the query do not have the form of ids.\n"
					"INSERT INTO %s (%s) SELECT %s FROM (%s) AS query (%s);",
					dbkit_facts_identity(draft->facts), inserted.data, selected.data, text, all.data);
}

/*
 * Write the INSERT that CREATE TABLE AS does.  NULL where the statement does none, and where
 * there is no such INSERT, which is then an obstacle.
 */
char *
dbkit_write_rows(const Node *statement, Draft *draft)
{
	const		CreateTableAsStmt *create = (const CreateTableAsStmt *) statement;

	if (statement == NULL || !IsA(statement, CreateTableAsStmt) || create->into->skipData)
		return NULL;
	if (noted != statement)
		draft->obstacle = "the query runs another CREATE TABLE AS; create the table first, and INSERT with the query";
	else if (noted_query->commandType == CMD_UTILITY)
		draft->obstacle = "INSERT cannot take the rows of EXECUTE; create the table first, and INSERT with the query itself";
	else if (has_parameter((Node *) noted_query, NULL))
		draft->obstacle = "the query has parameters of the function that it is in; create the table first, and INSERT there";
	else
		return write_insert(draft, copyObject(noted_query));
	return NULL;
}
