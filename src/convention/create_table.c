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
#include "executor/spi.h"
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/plancache.h"
#include "utils/resowner.h"
#include "utils/varlena.h"

#include "common.h"
#include "as_owner.h"
#include "convention/agreement.h"
#include "convention/cases.h"
#include "convention/create_table.h"
#include "convention/draft/draft.h"
#include "convention/own_objects.h"
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
	bool		judged;			/* what is written names all with its schema */
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

/* Read what is asked for from the arguments name, columns, prefix and access. */
static Request
read_request(FunctionCallInfo fcinfo)
{
	Request		request = {.columns = text_argument(fcinfo, 1),.prefixed = !PG_ARGISNULL(2)};
	RangeVar   *name;
	char	   *access = text_argument(fcinfo, 3);
	char	   *id;

	if (PG_ARGISNULL(0) || request.columns == NULL || access == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the name, the columns and the access cannot be NULL")));
	if (strcmp(access, "tenant") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized access: \"%s\"", access),
				 errhint("Use tenant.")));
	dbkit_refresh_agreement();
	name = makeRangeVarFromNameList(textToQualifiedNameList(PG_GETARG_TEXT_PP(0)));
	request.schema = dbkit_schema_name(RangeVarGetCreationNamespace(name));
	request.name = name->relname;
	id = request.prefixed ? write_id(text_argument(fcinfo, 2)) : "";
	request.statement = psprintf("CREATE TABLE %s (%s%s%s\n)", quote_qualified_identifier(request.schema, request.name), id,
								 *id != '\0' && request.columns[strspn(request.columns, " \t\r\n")] != '\0' ? ", " : "",
								 request.columns);
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

/* Write the table that was made, as it should be. */
static char *
write_table(Request *request, Oid relid)
{
	ChangedObject object = {.classid = RelationRelationId,.objid = relid,.change = CHANGE_ALL};
	List	   *cases = dbkit_read_cases(list_make1(&object), SCOPE_DRAFT, true, false);
	List	   *findings = dbkit_judge_cases(cases, SCOPE_DRAFT);
	const Facts *facts = ((const Case *) linitial(cases))->facts;
	StringInfoData sql;
	Draft	   *draft;
	AsOwner		saved;

	if (facts == NULL)
		return psprintf("%s;", request->statement); /* never judged */
	request->judged = true;
	if (request->prefixed)
		check_prefix(findings);
	initStringInfo(&sql);
	dbkit_begin_as_owner(GetUserId(), 0, &saved);
	draft = dbkit_draft_of_catalog(facts);
	dbkit_revise_draft(draft, findings);
	if (draft->obstacle != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_CONVENTION),
				 errmsg("table \"%s\" cannot be as the agreement wants it", request->name),
				 errdetail("%s.", draft->obstacle)));
	dbkit_write_draft(&sql, draft, NULL);
	dbkit_end_as_owner(&saved);
	return pnstrdup(sql.data, sql.len - 1);
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

/* Write the table that is asked for. */
static char *
write_request(Request *request)
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
		result = write_table(request, try_table(request));
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

	PG_RETURN_TEXT_P(cstring_to_text(write_request(&request)));
}

PG_FUNCTION_INFO_V1(dbkit_create_table);

/*
 * dbkit.create_table(name text, columns text, prefix text, access text) returns regclass
 *
 * Makes a table of these columns as the agreement wants it: what the rules demand is added, and
 * what they refuse is written as they would have it.  Without a prefix a free one is taken.
 * Errors: KD001 where there is no such table, invalid_parameter_value, syntax_error.
 */
Datum
dbkit_create_table(PG_FUNCTION_ARGS)
{
	Request		request = read_request(fcinfo);
	char	   *sql = write_request(&request);

	AsOwner		saved;

	/*
	 * Names of our own may not mean what somebody has put into the
	 * search_path
	 */
	if (request.judged)
		dbkit_begin_as_owner(GetUserId(), 0, &saved);
	SPI_connect();
	(void) dbkit_run_sql(DBKIT_ANY_RESULT, sql, 0, NULL, NULL, NULL);
	SPI_finish();
	if (request.judged)
		dbkit_end_as_owner(&saved);
	PG_RETURN_OID(made_table(&request));
}
