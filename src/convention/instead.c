/*-------------------------------------------------------------------------
 *
 * instead.c
 *		Write what to write instead of a statement that is refused.
 *
 * ALTER TABLE cannot fix a table that is gone with the statement that made it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "nodes/nodeFuncs.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "common.h"
#include "as_owner.h"
#include "convention/cases.h"
#include "convention/draft/draft.h"
#include "convention/instead.h"
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

/* Has the table a trigger that somebody made? */
static bool
has_trigger(Relation rel)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (!rel->trigdesc->triggers[i].tgisinternal)
			return true;
	}
	return false;
}

/*
 * Did the transaction make the table?  Without its statement, at COMMIT, also nothing may have
 * come to it that is not written: rows, policies, triggers.
 */
static bool
is_new(const Facts *facts, bool alone)
{
	Relation	rel = facts->classid == RelationRelationId ?
		try_relation_open(facts->objid, AccessShareLock) : NULL;
	bool		result;

	if (rel == NULL)
		return false;
	result = (rel->rd_rel->relkind == RELKIND_RELATION || rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
		rel->rd_createSubid != InvalidSubTransactionId;
	if (alone && result)
		result = facts->read.policies == NIL && !facts->read.rls_enabled && !has_trigger(rel) &&
			(rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE || RelationGetNumberOfBlocks(rel) == 0);
	relation_close(rel, AccessShareLock);
	return result;
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
	text += strspn(text, " ");
	if (!new_ids)
		return psprintf("INSERT INTO %s (%s) %s;", dbkit_facts_identity(draft->facts), inserted.data, text);
	return psprintf("-- The ids are new: those of the query do not have the form of ids.\n"
					"INSERT INTO %s (%s) SELECT %s FROM (%s) AS query (%s);",
					dbkit_facts_identity(draft->facts), inserted.data, selected.data, text, all.data);
}

/* Write the INSERT that CREATE TABLE AS does, or NULL where it does none. */
static char *
write_rows(const Node *statement, Draft *draft)
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
		return write_insert(draft, copyObject(noted_query));
	return NULL;
}

/* Append CREATE SCHEMA, which goes with its tables. */
static void
append_schema(StringInfo sql, const Node *statement)
{
	const CreateSchemaStmt *create = (const CreateSchemaStmt *) statement;
	char	   *role;

	if (statement == NULL || !IsA(statement, CreateSchemaStmt))
		return;
	role = create->authrole != NULL ? get_rolespec_name(create->authrole) : NULL;
	appendStringInfo(sql, "CREATE SCHEMA %s", quote_identifier(create->schemaname != NULL ? create->schemaname : role));
	if (role != NULL)
		appendStringInfo(sql, " AUTHORIZATION %s", quote_identifier(role));
	appendStringInfoString(sql, ";\n");
}

/* Say what of CREATE SCHEMA is not written. */
static void
append_other_elements(StringInfo sql, const Node *statement)
{
	ListCell   *lc;

	if (statement == NULL || !IsA(statement, CreateSchemaStmt))
		return;
	foreach(lc, ((const CreateSchemaStmt *) statement)->schemaElts)
	{
		if (IsA(lfirst(lc), CreateStmt) || IsA(lfirst(lc), IndexStmt))
			continue;
		appendStringInfoString(sql, "-- left out: what else CREATE SCHEMA makes; write it here\n");
		break;
	}
}

/* Return the findings about an object. */
static List *
findings_about(const List *findings, const Facts *facts)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (((Finding *) lfirst(lc))->facts == facts)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/* Append what makes a table as it should be.  Returns why there is none, or NULL. */
static const char *
append_table(StringInfo sql, const Node *statement, const Facts *facts, const List *findings)
{
	Draft	   *draft = dbkit_draft_of_catalog(facts);
	char	   *rows;

	dbkit_revise_draft(draft, findings);
	rows = write_rows(statement, draft);
	if (draft->obstacle == NULL)
		dbkit_write_draft(sql, draft, rows);
	return draft->obstacle;
}

/* Append all tables that are new.  Returns why there is no text of one of them, or NULL. */
static const char *
append_tables(StringInfo sql, const Node *statement, const List *cases, const List *findings)
{
	const char *obstacle = NULL;
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Facts *facts = ((const Case *) lfirst(lc))->facts;

		if (facts != NULL && obstacle == NULL && is_new(facts, statement == NULL))
			obstacle = append_table(sql, statement, facts, findings_about(findings, facts));
	}
	return obstacle;
}

/*
 * Return the SQL of the tables that are new among the changed objects, as they should be: in
 * place of the statement, or where that is NULL, of all that the transaction did.  Where there
 * is no such SQL it is a sentence that says why, or NULL if nothing is new.
 */
char *
dbkit_write_instead(const Node *statement, const List *changed, JudgeScope scope)
{
	List	   *cases = dbkit_read_cases(changed, SCOPE_DRAFT, true, false);
	List	   *findings = dbkit_judge_cases(cases, scope);
	StringInfoData sql;
	StringInfoData schema;
	const char *obstacle;
	AsOwner		saved;

	initStringInfo(&sql);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	obstacle = append_tables(&sql, statement, cases, findings);
	dbkit_end_as_owner(&saved);
	if (obstacle != NULL)
		return psprintf("There is no SQL for the whole table: %s.", obstacle);
	if (sql.len == 0)
		return NULL;
	initStringInfo(&schema);
	append_schema(&schema, statement);
	append_other_elements(&sql, statement);
	return psprintf("BEGIN;\n%s%sCOMMIT;", schema.data, sql.data);
}
