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
#include "convention/report.h"
#include "convention/rules/id_style.h"
#include "convention/rules/rules.h"
#include "convention/table_request.h"
#include "relation_name.h"
#include "sql.h"

/* How deep are trials nested?  An event trigger can begin another one */
static int	trying = 0;

/* Is a table made only to see what it looks like? */
bool
dbkit_is_trying(void)
{
	return trying > 0;
}

/* Try something that makes tables; nothing stays but what it writes. */
void
dbkit_try_tables(void (*action) (void *arg), void *arg)
{
	const int	outer = trying;
	ErrorData  *volatile error = NULL;

	trying++;
	PG_TRY();
	{
		error = dbkit_attempt(action, arg, ATTEMPT_UNDONE);
	}
	PG_FINALLY();
	{
		trying = outer;
	}
	PG_END_TRY();
	if (error != NULL)
		ReThrowError(error);
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

/* Say how the table is made as it is described, with a column "id" of ours or "". */
static void
write_statement(Request *request, const char *id)
{
	request->statement = psprintf("CREATE TABLE %s (%s%s%s\n)", quote_qualified_identifier(request->schema, request->name), id,
								  *id != '\0' && !dbkit_is_blank(request->columns) ? ", " : "", request->columns);
}

/* Say where a table is to be, and how it is made as it is described. */
void
dbkit_begin_request(Request *request, List *name)
{
	RangeVar   *relation = makeRangeVarFromNameList(name);

	request->schema = dbkit_schema_name(RangeVarGetCreationNamespace(relation));
	request->name = relation->relname;
	write_statement(request, request->id != NULL ? request->id : "");
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
	if (request.prefixed)
		request.id = write_id(text_argument(fcinfo, 2));
	dbkit_begin_request(&request, textToQualifiedNameList(PG_GETARG_TEXT_PP(0)));
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
void
dbkit_check_draft(const Request *request)
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

	dbkit_check_draft(request);
	initStringInfo(&sql);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	dbkit_write_draft(&sql, request->draft, NULL);
	dbkit_end_as_owner(&saved);
	return pnstrdup(sql.data, sql.len - 1);
}

/* Read the table that was made as it should be, or NULL if it is never judged.  Runs as the caller. */
Draft *
dbkit_draft_table(Request *request, Oid relid)
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
	if (dbkit_draft_table(request, relid) == NULL)
		return psprintf("%s;", request->statement);
	return write_draft(request);
}

/* Return the table that was made. */
Oid
dbkit_made_table(const Request *request)
{
	return RangeVarGetRelid(makeRangeVar(pstrdup(request->schema), pstrdup(request->name), -1), NoLock, false);
}

/* Prepare the statement; what describes the columns may be no other one. */
static SPIPlanPtr
prepare_table(const Request *request, const CreateStmt **create)
{
	SPIPlanPtr	plan = SPI_prepare(request->statement, 0, NULL);
	List	   *statements = plan != NULL ? SPI_plan_get_plan_sources(plan) : NIL;
	const CachedPlanSource *source = list_length(statements) == 1 ? linitial(statements) : NULL;

	if (source == NULL || source->commandTag != CMDTAG_CREATE_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("the columns are not those of one table"),
				 errdetail("They are: %s", request->columns)));
	*create = castNode(CreateStmt, source->raw_parse_tree->stmt);
	return plan;
}

/* List what a table is described with that has to do with keys: its constraints, and LIKE. */
static List *
list_constraints(const CreateStmt *create)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, create->tableElts)
	{
		if (IsA(lfirst(lc), ColumnDef))
			result = list_concat(result, lfirst_node(ColumnDef, lc)->constraints);
		else
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/*
 * Does a table reference itself, and wait for the rules to give it the key?  PostgreSQL asks for that
 * key at once.
 */
static bool
waits_for_key(const CreateStmt *create)
{
	bool		result = false;
	ListCell   *lc;

	foreach(lc, list_constraints(create))
	{
		const Constraint *constraint = lfirst(lc);

		/* LIKE may bring a key along */
		if (!IsA(constraint, Constraint) || constraint->contype == CONSTR_PRIMARY)
			return false;
		result |= constraint->contype == CONSTR_FOREIGN && strcmp(constraint->pktable->relname, create->relation->relname) == 0 &&
			(constraint->pktable->schemaname == NULL || strcmp(constraint->pktable->schemaname, create->relation->schemaname) == 0);
	}
	return result;
}

/* Is a column described that has that name? */
static bool
has_column(const CreateStmt *create, const char *name)
{
	ListCell   *lc;

	foreach(lc, create->tableElts)
	{
		if (IsA(lfirst(lc), ColumnDef) && strcmp(lfirst_node(ColumnDef, lc)->colname, name) == 0)
			return true;
	}
	return false;
}

/* Make the table as it is described. */
Oid
dbkit_try_table(Request *request)
{
	MemoryContext caller = CurrentMemoryContext;
	const CreateStmt *create;
	SPIPlanPtr	plan;

	SPI_connect();
	plan = prepare_table(request, &create);
	if (waits_for_key(create) && (request->id != NULL || !has_column(create, "id")))
	{
		/* The statement is read again after SPI_finish() */
		MemoryContext spi = MemoryContextSwitchTo(caller);

		write_statement(request, psprintf("%s PRIMARY KEY", request->id != NULL ? request->id : psprintf("id %s", dbkit_id_type()->definition)));
		MemoryContextSwitchTo(spi);
		plan = prepare_table(request, &create);
	}
	if (SPI_execute_plan(plan, NULL, NULL, false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "CREATE TABLE did something else");
	SPI_finish();
	CommandCounterIncrement();
	return dbkit_made_table(request);
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
	return dbkit_made_table(request);
}

/* Say how the table is to be protected: for the role of the agreement or, until that is there, for all. */
Protection
dbkit_request_protection(const Request *request)
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
	if (!request->judged)
		return tried;
	SPI_connect();
	dbkit_run_utility(psprintf("DROP TABLE %s", dbkit_relation_name(tried)));
	SPI_finish();
	return make_table(request, sql);
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
	Protection	protection = dbkit_request_protection(request);
	Oid			relid = remake_table(request, tried, sql);

	return psprintf("%s\n%s", sql, dbkit_protection_sql(relid, &protection));
}

/* A table that is written */
typedef struct Writing
{
	Request    *request;
	bool		with_protection;
	char	   *sql;
} Writing;

static void
try_request(void *arg)
{
	Writing    *writing = arg;
	Request    *request = writing->request;
	Oid			tried = dbkit_try_table(request);

	writing->sql = write_table(request, tried);
	writing->sql = write_tenant_keys(request, &tried, writing->sql);
	if (request->protected && writing->with_protection)
		writing->sql = write_protection(request, tried, writing->sql);
}

/* Write the table that is asked for, with what protects it or without. */
static char *
write_request(Request *request, bool with_protection)
{
	Writing		writing = {request, with_protection, NULL};

	dbkit_try_tables(try_request, &writing);
	return writing.sql;
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
	Protection	protection = dbkit_request_protection(&request);

	if (request.protected)
		dbkit_protect_table(relid, &protection);
	else
		dbkit_replace_tenant_keys(relid);
	PG_RETURN_OID(relid);
}
