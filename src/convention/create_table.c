/*-------------------------------------------------------------------------
 *
 * create_table.c
 *		Make a table as the agreement wants it.
 *
 * A trial shows what PostgreSQL makes of the columns: the table is made as it is described, in a
 * subtransaction that is rolled back.  What the rules find there is put right in the text, as
 * it is for a CREATE TABLE that is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/varlena.h"

#include "common.h"
#include "as_owner.h"
#include "attempt.h"
#include "context/protect.h"
#include "context/tenant_keys.h"
#include "convention/agreement.h"
#include "convention/cases.h"
#include "convention/create_table.h"
#include "convention/draft/draft.h"
#include "convention/own_objects.h"
#include "convention/registry.h"
#include "convention/report.h"
#include "convention/rules/id_style.h"
#include "convention/rules/rules.h"
#include "relation_name.h"
#include "sql.h"

/* What is asked for */
typedef struct Request
{
	const char *schema;
	const char *name;
	char	   *columns;
	char	   *statement;		/* CREATE TABLE with the columns as they are
								 * described */
	bool		prefixed;		/* the prefix is given */
	const Access *access;
	bool		protected;		/* dbkit.protect() gives it its policies ... */
	const char *tenant_columns[TENANT_KINDS];	/* ... by these columns */
	bool		judged;			/* what is written names all with its schema */
	Draft	   *draft;			/* of it, if it is judged */
} Request;

/* How many tables are being made so: event triggers can nest them */
static int	trying = 0;

/* Is a table made only to see what it looks like? */
bool
dbkit_is_trying(void)
{
	return trying > 0;
}

/* Return the column "id" with that prefix; what else belongs to it the rules say. */
static char *
write_id(const char *prefix)
{
	if (!dbkit_ids_are_prefixed())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ids have no prefix in this database"),
				 errdetail("The agreement has another id_style.")));
	return psprintf("id %s DEFAULT %s(%s) CHECK (id LIKE %s)", dbkit_id_type()->definition,
					dbkit_function_name("generate_id"), quote_literal_cstr(prefix),
					quote_literal_cstr(psprintf("%s_%%", prefix)));
}

static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

/* Say where a table is to be, and how it is made as it is described. */
static void
begin_request(Request *request, List *name, const char *id)
{
	RangeVar   *relation = makeRangeVarFromNameList(name);

	request->schema = dbkit_schema_name(RangeVarGetCreationNamespace(relation));
	request->name = relation->relname;
	request->statement = psprintf("CREATE TABLE %s (%s%s%s\n)", quote_qualified_identifier(request->schema, request->name), id,
								  *id != '\0' && request->columns[strspn(request->columns, " \t\r\n")] != '\0' ? ", " : "",
								  request->columns);
}

/* Read what is asked for from the arguments name, columns, prefix and access. */
static Request
read_request(FunctionCallInfo fcinfo)
{
	Request		request = {.columns = text_argument(fcinfo, 1),.prefixed = !PG_ARGISNULL(2)};
	char	   *access = text_argument(fcinfo, 3);

	if (PG_ARGISNULL(0) || request.columns == NULL || access == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name, the columns and the access cannot be NULL")));
	request.access = dbkit_find_access(access);
	dbkit_refresh_agreement();
	request.protected = !dbkit_is_tenant_access(request.access);
	begin_request(&request, textToQualifiedNameList(PG_GETARG_TEXT_PP(0)), request.prefixed ? write_id(text_argument(fcinfo, 2)) : "");
	return request;
}

/* A prefix that was asked for is not replaced. */
static void
check_prefix(const List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);

		if (strcmp(finding->rule->id, "id_prefix") == 0)
			ereport(ERROR,
					(errcode(ERRCODE_CONVENTION),
					 errmsg_internal("%s", finding->problem)));
	}
}

/* Is a finding about row level security that a table has not? */
static bool
asks_for_row_security(const Finding *finding)
{
	ListCell   *lc;

	foreach(lc, finding->actions)
	{
		const Action *action = lfirst(lc);

		if (action->kind == ACTION_ROW_SECURITY || action->kind == ACTION_CREATE_POLICY)
			return true;
	}
	return false;
}

/* Choose the columns as dbkit.protect() would, which does not know what they are named now. */
static void
choose_tenant_columns(Request *request, const Draft *draft)
{
	bool		chosen = dbkit_is_read_access(request->access);

	for (int kind = 0; kind < TENANT_KINDS && !chosen; kind++)
	{
		request->tenant_columns[kind] = dbkit_draft_tenant_column(draft, kind);
		chosen = request->tenant_columns[kind] != NULL && dbkit_is_tenant_access(request->access);
	}
}

/* Leave out the index of the foreign key to the organization where the key of the rule tenant_key serves as well. */
static void
drop_served_index(const Request *request, Draft *draft)
{
	const char *tenant = dbkit_draft_tenant_column(draft, TENANT_ORGANIZATION);

	if (tenant != NULL && strcmp(tenant, "id") != 0 && draft->partition_key == NIL &&
		dbkit_wants_tenant_key(request->schema) && !dbkit_is_read_access(request->access))
		dbkit_draft_drop_index(draft, quote_identifier(tenant));
}

/*
 * Revise the draft.  Row level security is left to dbkit.protect(), where the rules want it and there is
 * a column to tell tenants apart by, or where the access says who sees the rows.  Whether keys keep to
 * one tenant is seen once all columns are as they should be.
 */
static void
revise_draft(Request *request, Draft *draft, const List *findings)
{
	List	   *about_security = NIL;
	List	   *others = NIL;
	ListCell   *lc;

	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);

		if (asks_for_row_security(finding))
			about_security = lappend(about_security, lfirst(lc));
		else if (strcmp(finding->rule->id, "tenant_key") != 0)
			others = lappend(others, lfirst(lc));
	}
	dbkit_revise_draft(draft, others);
	request->protected |= about_security != NIL && dbkit_draft_isolates(draft);
	if (!request->protected)
	{
		dbkit_revise_draft(draft, about_security);
		return;
	}
	choose_tenant_columns(request, draft);
	drop_served_index(request, draft);
}

/* Refuse a draft of a table that cannot be as it should be. */
static void
check_draft(const Request *request)
{
	if (request->draft->obstacle != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONVENTION),
				 errmsg("table \"%s\" cannot be as the agreement wants it", request->name),
				 errdetail("%s.", request->draft->obstacle)));
}

/* Write the draft; the table may have been found to have to be otherwise. */
static char *
write_draft(const Request *request)
{
	StringInfoData sql;
	AsOwner		saved;

	check_draft(request);
	initStringInfo(&sql);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	dbkit_write_draft(&sql, request->draft, NULL);
	dbkit_end_as_owner(&saved);
	return pnstrdup(sql.data, sql.len - 1);
}

/* Read the table that was made as it should be, or NULL if it is never judged.  Runs as the caller. */
static Draft *
draft_table(Request *request, Oid relid)
{
	ChangedObject object = {.classid = RelationRelationId,.objid = relid,.change = CHANGE_ALL};
	List	   *cases = dbkit_read_cases(list_make1(&object), SCOPE_DRAFT, true, false);
	List	   *findings = dbkit_judge_cases(cases, SCOPE_DRAFT);
	const Facts *facts = ((const Case *) linitial(cases))->facts;
	AsOwner		saved;

	if (facts == NULL)
		return NULL;
	request->judged = true;
	if (request->prefixed)
		check_prefix(findings);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	request->draft = dbkit_draft_of_catalog(facts);
	revise_draft(request, request->draft, findings);
	dbkit_end_as_owner(&saved);
	return request->draft;
}

/* Write the table that was made, as it should be. */
static char *
write_table(Request *request, Oid relid)
{
	if (draft_table(request, relid) == NULL)
		return psprintf("%s;", request->statement);
	return write_draft(request);
}

/* Return the table that was made. */
static Oid
made_table(const Request *request)
{
	return RangeVarGetRelid(makeRangeVar(pstrdup(request->schema), pstrdup(request->name), -1), NoLock, false);
}

/* Make the table as it is described; what describes the columns may be no other statement. */
static Oid
try_table(const Request *request)
{
	SPIPlanPtr	plan;
	List	   *statements;

	SPI_connect();
	plan = SPI_prepare(request->statement, 0, NULL);
	statements = plan != NULL ? SPI_plan_get_plan_sources(plan) : NIL;
	if (list_length(statements) != 1 ||
		((CachedPlanSource *) linitial(statements))->commandTag != CMDTAG_CREATE_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the columns are not those of one table"),
				 errdetail("They are: %s", request->columns)));
	trying++;
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "CREATE TABLE did something else");
	SPI_finish();
	trying--;
	CommandCounterIncrement();
	return made_table(request);
}

/* Run what makes the table. */
static Oid
make_table(const Request *request, const char *sql)
{
	AsOwner		saved;

	/*
	 * Names of our own may not mean what somebody has put into the
	 * search_path
	 */
	if (request->judged)
		dbkit_begin_as_owner(GetUserId(), 0, &saved);
	SPI_connect();
	(void) dbkit_run_sql(DBKIT_ANY_RESULT, sql, 0, NULL, NULL, NULL);
	SPI_finish();
	if (request->judged)
		dbkit_end_as_owner(&saved);
	CommandCounterIncrement();
	return made_table(request);
}

/* Say how the table is to be protected: for the role of the agreement or, until that is there, for all. */
static Protection
request_protection(const Request *request)
{
	const char *customers = dbkit_agreement()->customer_role;
	bool		exists = customers != NULL && OidIsValid(get_role_oid(customers, true));

	return (Protection)
	{
		.access = request->access,
			.role_name = exists ? customers : "public",
			.stem = customers != NULL ? customers : "public",
			.columns =
		{
			request->tenant_columns[TENANT_ORGANIZATION], request->tenant_columns[TENANT_USER]
		}
	};
}

/* Make the table as it is written, in place of the tried one, which may have other columns. */
static Oid
remake_table(const Request *request, Oid tried, const char *sql)
{
	Oid			result;

	if (!request->judged)
		return tried;
	trying++;
	SPI_connect();
	dbkit_run_utility(psprintf("DROP TABLE %s", dbkit_relation_name(tried)));
	SPI_finish();
	result = make_table(request, sql);
	trying--;
	return result;
}

/* Write the table with the tenant's column in its foreign keys, if the rule tenant_key wants that. */
static char *
write_tenant_keys(const Request *request, Oid *tried, char *sql)
{
	List	   *findings;

	if (!request->judged || !dbkit_wants_tenant_key(request->schema))
		return sql;
	*tried = remake_table(request, *tried, sql);
	findings = dbkit_find_cheap_keys(*tried);
	if (findings == NIL)
		return sql;
	dbkit_revise_draft(request->draft, findings);
	return write_draft(request);
}

/* Write what protects the table. */
static char *
write_protection(const Request *request, Oid tried, char *sql)
{
	Protection	protection = request_protection(request);
	Oid			relid = remake_table(request, tried, sql);

	return psprintf("%s\n%s", sql, dbkit_protection_sql(relid, &protection));
}

/* Write the table that is asked for, with what protects it or without. */
static char *
write_request(Request *request, bool with_protection)
{
	int			outer = trying;
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	char	   *volatile result = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		Oid			tried = try_table(request);

		result = write_table(request, tried);
		result = write_tenant_keys(request, &tried, result);
		if (request->protected && with_protection)
			result = write_protection(request, tried, result);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	trying = outer;
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL)
		ReThrowError(error);
	return result;
}

PG_FUNCTION_INFO_V1(dbkit_create_table_sql);

/*
 * dbkit.create_table_sql(name text, columns text, prefix text, access text) returns text
 *
 * Writes what dbkit.create_table() does, as statements for one transaction.
 */
Datum
dbkit_create_table_sql(PG_FUNCTION_ARGS)
{
	Request		request = read_request(fcinfo);

	PG_RETURN_TEXT_P(cstring_to_text(write_request(&request, true)));
}

PG_FUNCTION_INFO_V1(dbkit_create_table);

/*
 * dbkit.create_table(name text, columns text, prefix text, access text) returns regclass
 *
 * Makes a table of these columns as the agreement wants it: what the rules demand is added, and
 * what they refuse is written as they would have it.  Without a prefix a free one is taken.
 * Errors: KD001 where there is no such table, invalid_parameter_value, syntax_error, undefined_column where
 * the access needs a column that is missing.
 */
Datum
dbkit_create_table(PG_FUNCTION_ARGS)
{
	Request		request = read_request(fcinfo);
	Oid			relid = make_table(&request, write_request(&request, false));
	Protection	protection = request_protection(&request);

	if (request.protected)
		dbkit_protect_table(relid, &protection);
	else
		dbkit_replace_tenant_keys(relid);
	PG_RETURN_OID(relid);
}

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
	Oid			relid = made_table(request);
	Draft	   *draft = draft_table(request, relid);
	Draft		bare;
	ListCell   *lc;
	AsOwner		saved;

	if (draft == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("table \"%s\" is one that is never judged", request->name)));
	check_draft(request);
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
		begin_request(request, textToQualifiedNameList(cstring_to_text(description->name)), "");
		(void) try_table(request);
		several->requests = lappend(several->requests, request);
	}
	trying++;
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

	trying++;
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	SPI_connect();
	(void) dbkit_run_sql(DBKIT_ANY_RESULT, sql, 0, NULL, NULL, NULL);
	SPI_finish();
	dbkit_end_as_owner(&saved);
	CommandCounterIncrement();
	foreach(lc, several->requests)
	{
		const Request *request = lfirst(lc);
		Protection	protection = request_protection(request);

		if (request->protected)
			appendStringInfo(&several->rest, "%s\n", dbkit_protection_sql(made_table(request), &protection));
	}
}

/* Try something with several tables, of which nothing stays but what is written. */
static void
try_with(Several *several, void (*action) (void *arg))
{
	int			outer = trying;
	ErrorData  *error = dbkit_attempt(action, several, ATTEMPT_UNDONE);

	trying = outer;
	if (error != NULL)
		ReThrowError(error);
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
		try_with(&several, try_tables);
		try_with(&several, try_statements);
	}
	return all_statements(&several);
}
