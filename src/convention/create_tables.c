/*-------------------------------------------------------------------------
 *
 * create_tables.c
 *		Write several tables that are described together, as the agreement wants them.
 *
 * Each of them is tried as one alone is (create_table.c), but all of them in one trial, since they
 * reference each other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "common.h"
#include "as_owner.h"
#include "convention/agreement.h"
#include "convention/create_table.h"
#include "convention/draft/draft.h"
#include "convention/registry.h"
#include "convention/table_request.h"
#include "sql.h"

/* Several tables that are described together, and their statements in the order in which they run */
typedef struct Several
{
	const List *descriptions;	/* TableDescription * */
	List	   *requests;		/* Request *, one for each */
	StringInfoData tables;
	StringInfoData keys;
	StringInfoData rest;
} Several;

/* Add the foreign keys and indexes that a table is described with. */
static void
try_additions(const Request *request, const TableDescription *description)
{
	const char *table = quote_qualified_identifier(request->schema, request->name);
	ListCell   *lc;

	SPI_connect();
	foreach(lc, description->foreign_keys)
		dbkit_run_utility(psprintf("ALTER TABLE %s ADD %s", table, (char *) lfirst(lc)));
	foreach(lc, description->indexes)
	{
		const IndexDescription *index = lfirst(lc);

		dbkit_run_utility(psprintf("CREATE %sINDEX %s ON %s (%s)", index->is_unique ? "UNIQUE " : "", index->name, table, index->columns));
	}
	SPI_finish();
	CommandCounterIncrement();
}

/* Have other tables of the description not choose the prefix that this one is to have. */
static void
claim_prefix(const Draft *draft, Oid relid)
{
	static const char beginning[] = "generate_id('";
	const DraftColumn *id = dbkit_draft_column(draft, "id");
	const char *written = id == NULL ? NULL : strstr(id->value != NULL ? id->value : id->type, beginning);

	if (written != NULL)
	{
		written += strlen(beginning);
		dbkit_registry_update(relid, pnstrdup(written, strcspn(written, "'")));
		CommandCounterIncrement();
	}
}

/* Write one of several tables as it should be: its keys and all else apart. */
static void
write_parts(Several *several, Request *request)
{
	Oid			relid = dbkit_made_table(request);
	Draft	   *draft = dbkit_draft_table(request, relid);
	Draft		bare;
	ListCell   *lc;
	AsOwner		saved;

	if (draft == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" is one that is never judged", request->name)));
	dbkit_check_draft(request);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	dbkit_write_foreign_keys(&several->keys, draft);
	bare = *draft;
	bare.statements = NIL;
	bare.additions = NIL;
	dbkit_write_draft(&several->tables, &bare, NULL);
	foreach(lc, draft->statements)
		appendStringInfo(&several->rest, "%s\n", ((DraftStatement *) lfirst(lc))->sql);
	foreach(lc, draft->additions)
		appendStringInfo(&several->rest, "%s\n", (char *) lfirst(lc));
	dbkit_end_as_owner(&saved);
	claim_prefix(draft, relid);
}

/* Make the tables as they are described, and write them as they should be. */
static void
try_tables(void *arg)
{
	Several    *several = arg;
	ListCell   *lc;
	ListCell   *described;

	foreach(lc, several->descriptions)
	{
		const TableDescription *description = lfirst(lc);
		Request    *request = palloc0(sizeof(Request));

		request->columns = description->columns;
		request->access = dbkit_find_access("tenant");
		dbkit_begin_request(request, textToQualifiedNameList(cstring_to_text(description->name)));
		(void) dbkit_try_table(request);
		several->requests = lappend(several->requests, request);
	}
	forboth(lc, several->requests, described, several->descriptions)
		try_additions(lfirst(lc), lfirst(described));
	foreach(lc, several->requests)
		write_parts(several, lfirst(lc));
}

/* Return all that is written so far. */
static char *
all_statements(const Several *several)
{
	return psprintf("%s%s%s", several->tables.data, several->keys.data, several->rest.data);
}

/* Make the tables as they should be, and write what protects them. */
static void
try_statements(void *arg)
{
	Several    *several = arg;
	const char *sql = all_statements(several);
	ListCell   *lc;
	AsOwner		saved;

	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	SPI_connect();
	(void) dbkit_run_sql(DBKIT_ANY_RESULT, sql, 0, NULL, NULL, NULL);
	SPI_finish();
	dbkit_end_as_owner(&saved);
	CommandCounterIncrement();
	foreach(lc, several->requests)
	{
		const Request *request = lfirst(lc);
		Protection	protection = dbkit_request_protection(request);

		if (request->protected)
			appendStringInfo(&several->rest, "%s\n", dbkit_protection_sql(dbkit_made_table(request), &protection));
	}
}

/*
 * Write tables that are described together, as the agreement wants them: first the tables, then their foreign
 * keys, which may go round in a circle, then indexes, triggers and policies.  What is returned was tried.
 */
char *
dbkit_tables_sql(const List *descriptions)
{
	Several		several = {.descriptions = descriptions};

	initStringInfo(&several.tables);
	initStringInfo(&several.keys);
	initStringInfo(&several.rest);
	dbkit_refresh_agreement();
	if (descriptions != NIL)
	{
		dbkit_try_tables(try_tables, &several);
		dbkit_try_tables(try_statements, &several);
	}
	return all_statements(&several);
}
