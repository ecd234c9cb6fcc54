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
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "rewrite/rewriteHandler.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "common.h"
#include "as_owner.h"
#include "convention/cases.h"
#include "convention/draft/draft.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/read.h"
#include "convention/instead.h"

/* What is to be written */
typedef struct Instead
{
	const Node *statement;		/* that is refused, or NULL at COMMIT */
	bool		whole;			/* what is new is written as a whole */
	Catalogs	before;
	StringInfoData sql;
	bool		needed;			/* it is something else than the fix of the
								 * findings */
	const char *obstacle;		/* why there is none, or NULL */
} Instead;

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

/* Did the transaction make the relation? */
static bool
is_new(const Facts *facts)
{
	Relation	rel = facts->classid == RelationRelationId ?
	try_relation_open(facts->objid, AccessShareLock) : NULL;
	bool		result = rel != NULL && rel->rd_createSubid != InvalidSubTransactionId;

	if (rel != NULL)
		relation_close(rel, AccessShareLock);
	return result;
}

/* Has nothing come to a new table since that is not written with it: rows, policies, triggers? */
static bool
is_bare(const Facts *facts)
{
	Relation	rel = relation_open(facts->objid, AccessShareLock);
	bool		result = facts->read.policies == NIL && !facts->read.rls_enabled && !has_trigger(rel) &&
	(rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE || RelationGetNumberOfBlocks(rel) == 0);

	relation_close(rel, AccessShareLock);
	return result;
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
		if (IsA(lfirst(lc), CreateStmt) || IsA(lfirst(lc), IndexStmt) || IsA(lfirst(lc), ViewStmt))
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

/* Append what makes a table as it should be. */
static void
append_table(Instead *instead, const Facts *facts, const List *findings)
{
	Draft	   *draft = dbkit_draft_of_catalog(facts);
	char	   *rows;

	dbkit_revise_draft(draft, findings);
	rows = dbkit_write_rows(instead->statement, draft);
	if (draft->obstacle == NULL)
	{
		dbkit_write_draft(&instead->sql, draft, rows);
		if (facts->owner != GetUserId())
			appendStringInfo(&instead->sql, "ALTER TABLE %s OWNER TO %s;\n", dbkit_facts_identity(facts),
							 quote_identifier(GetUserNameFromId(facts->owner, false)));
	}
	else if (instead->obstacle == NULL)
		instead->obstacle = draft->obstacle;
}

/* Append a view that is made as it should be. */
static void
append_view(Instead *instead, const Facts *facts)
{
	Relation	rel = relation_open(facts->objid, AccessShareLock);
	char	   *query = pg_get_querydef(copyObject(get_view_query(rel)), false);

	appendStringInfo(&instead->sql, "CREATE OR REPLACE VIEW %s WITH (%ssecurity_invoker = true) AS %s;\n",
					 dbkit_facts_identity(facts), dbkit_other_view_options(facts->objid), query + strspn(query, " "));
	relation_close(rel, AccessShareLock);
}

/* Say what of ALTER TABLE is not written. */
static void
append_other_commands(StringInfo sql, const Node *statement)
{
	ListCell   *lc;

	if (statement == NULL || !IsA(statement, AlterTableStmt))
		return;
	foreach(lc, ((const AlterTableStmt *) statement)->cmds)
	{
		AlterTableType kind = lfirst_node(AlterTableCmd, lc)->subtype;

		if (kind == AT_AddColumn || kind == AT_AddConstraint)
			continue;
		appendStringInfoString(sql, "-- left out: what else the ALTER TABLE does\n");
		break;
	}
}

/* Was there before what the action adds, so that it is there again once the statement is rolled back? */
static bool
was_there(const Facts *before, const Facts *now, const Action *action)
{
	if (before == NULL)
		return false;
	if (action->kind == ACTION_ADD_COLUMN)
		return dbkit_facts_column(before, action->name) != NULL;
	return action->kind == ACTION_ADD_CONSTRAINT && strcmp(action->name, "id") == 0 &&
		dbkit_facts_check_prefixes(before) != NIL && dbkit_facts_check_prefixes(now) == NIL;
}

/* Append what fixes an object that is there, also what other findings imply. */
static void
append_fix(Instead *instead, const Facts *facts, List *findings)
{
	const Facts *before = findings != NIL && (facts->kind & KIND_TABLE) ?
	dbkit_facts(&instead->before, facts->classid, facts->objid, FACT_PREFIX) : NULL;
	const Draft *draft = NULL;
	const char *fix;
	ListCell   *lc;

	foreach(lc, findings)
	{
		ListCell   *cell;

		foreach(cell, ((Finding *) lfirst(lc))->actions)
		{
			Action	   *action = lfirst(cell);

			if (action->sql != NULL && was_there(before, facts, action))
			{
				instead->needed = true;
				action->sql = NULL;
			}
			if (action->kind != ACTION_CREATE_POLICY)
				continue;
			if (draft == NULL)
				draft = dbkit_draft_of_catalog(facts);
			action->sql = dbkit_policy_text(draft);
		}
	}
	dbkit_drop_repeated_fixes(findings, 0);
	fix = dbkit_fix(findings);
	if (fix != NULL)
		appendStringInfo(&instead->sql, "%s\n", fix);
}

/*
 * Append what changes a table that was there before: with the columns and constraints that are
 * new, which are gone with the statement that added them.
 */
static void
append_alteration(Instead *instead, const Facts *facts, List *findings)
{
	Draft	   *draft = dbkit_draft_of_catalog(facts);
	List	   *additions = dbkit_draft_additions(draft, &instead->before, findings);

	if (additions != NIL)
	{
		dbkit_revise_draft(draft, additions);
		instead->needed = true;
		instead->obstacle = draft->obstacle;
		if (draft->obstacle == NULL)
			dbkit_write_additions(&instead->sql, draft, &instead->before);
		append_other_commands(&instead->sql, instead->statement);
	}
	append_fix(instead, facts, list_difference_ptr(findings, additions));
}

/* Append what one of the objects should be. */
static void
append_object(Instead *instead, const Facts *facts, List *findings)
{
	bool		table = (facts->kind & (KIND_TABLE | KIND_ENUM_TABLE)) != 0;

	if (facts->kind == KIND_VIEW && instead->statement != NULL &&
		(IsA(instead->statement, CreateSchemaStmt) || (IsA(instead->statement, ViewStmt) && findings != NIL)))
	{
		instead->needed = true;
		append_view(instead, facts);
	}
	else if (table && is_new(facts) && instead->whole)
	{
		instead->needed = true;
		append_table(instead, facts, findings);
	}
	else if (table && findings != NIL && !is_new(facts))
		append_alteration(instead, facts, findings);
	else
		append_fix(instead, facts, findings);
}

/* Append what all of them should be. */
static void
append_objects(Instead *instead, const List *cases, const List *findings)
{
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Facts *facts = ((const Case *) lfirst(lc))->facts;

		if (facts != NULL)
			append_object(instead, facts, findings_about(findings, facts));
	}
	append_other_elements(&instead->sql, instead->statement);
}

/* Does the error concern the session, so that it has to be seen? */
static bool
is_of_session(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES;
}

/*
 * Write what all of them should be.  An error on the way must not take the place of the refusal,
 * which comes next and ends the (sub)transaction: then there is no such text.
 */
static void
write_objects(Instead *instead, const List *cases, const List *findings)
{
	MemoryContext context = CurrentMemoryContext;
	AsOwner		saved;

	dbkit_open_before(&instead->before);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	PG_TRY();
	{
		append_objects(instead, cases, findings);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		if (is_of_session(geterrcode()))
			PG_RE_THROW();
		FlushErrorState();
		resetStringInfo(&instead->sql);
		instead->needed = false;
		instead->obstacle = NULL;
	}
	PG_END_TRY();
	dbkit_end_as_owner(&saved);
	dbkit_close_before(&instead->before);
}

/* Does the statement make tables? */
bool
dbkit_makes_tables(const Node *statement)
{
	return IsA(statement, CreateStmt) || IsA(statement, CreateTableAsStmt) || IsA(statement, CreateSchemaStmt);
}

/* Return the SQL that was written; several statements are one transaction. */
static char *
frame(const Instead *instead)
{
	const char *end = strstr(instead->sql.data, ";\n");

	if (end != NULL && end[2] != '\0')
		return psprintf("BEGIN;\n%sCOMMIT;", instead->sql.data);
	return pnstrdup(instead->sql.data, instead->sql.len - 1);
}

/*
 * Return what to write instead of a statement that is refused: a sentence where there can be
 * no such SQL, or NULL where it is no other than what fixes the findings.
 */
char *
dbkit_write_instead(const Node *statement, const List *changed, JudgeScope scope)
{
	Instead		instead = {.statement = statement,.whole = dbkit_makes_tables(statement)};
	List	   *cases = dbkit_read_cases(changed, SCOPE_DRAFT, true, false);

	initStringInfo(&instead.sql);
	append_schema(&instead.sql, statement);
	write_objects(&instead, cases, dbkit_judge_cases(cases, scope));
	if (instead.obstacle != NULL)
		return psprintf("There is no SQL to offer: %s.", instead.obstacle);
	if (!instead.needed)
		return NULL;
	return instead.sql.len > 0 ? frame(&instead) : "Nothing has to be fixed: the statement was rolled back.";
}

/* Can all new tables be written as a whole? */
static bool
are_bare(const List *cases)
{
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Facts *facts = ((const Case *) lfirst(lc))->facts;

		if (facts != NULL && (facts->kind & (KIND_TABLE | KIND_ENUM_TABLE)) && is_new(facts) && !is_bare(facts))
			return false;
	}
	return true;
}

/*
 * Return what to write instead of a transaction that is refused: the tables that it made as
 * they should be, or in a transaction block what is to come before COMMIT.
 */
char *
dbkit_write_before_commit(const List *changed)
{
	List	   *cases = dbkit_read_cases(changed, SCOPE_DRAFT, true, false);
	Instead		instead = {.whole = !IsTransactionBlock() && are_bare(cases)};

	initStringInfo(&instead.sql);
	write_objects(&instead, cases, dbkit_judge_cases(cases, SCOPE_DRAFT));
	if (instead.obstacle != NULL)
		return psprintf("There is no SQL to offer: %s.", instead.obstacle);
	if (instead.sql.len == 0)
		return NULL;
	if (instead.needed && instead.whole)
		return frame(&instead);
	return psprintf("%s-- The transaction was rolled back. Run this in it, before COMMIT.", instead.sql.data);
}
