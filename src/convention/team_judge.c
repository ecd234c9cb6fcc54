/*-------------------------------------------------------------------------
 *
 * team_judge.c
 *		Have a function of the team judge an object.
 *
 * The function is a superuser's, which is looked at each time, and runs with its owner's rights,
 * whoever's statement is judged: read-only, with a search_path where only superusers write,
 * in a subtransaction that is always rolled back, so nothing it does stays.  It sees the catalogs as they
 * are, or as they were before the transaction; what it asks of the system caches, such as
 * format_type() and casts to regclass, is the present state.
 *
 * A function that fails refuses nothing, and a warning says so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/proclang.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "common.h"
#include "as_owner.h"
#include "attempt.h"
#include "catalog_text.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/read.h"
#include "convention/rules/rules.h"
#include "convention/team_judge.h"
#include "convention/team_rules.h"

/* What a function returns of each finding */
typedef struct Answer
{
	char	   *column;			/* NULL: it is about the whole object */
	char	   *problem;
	char	   *fix;			/* NULL for none */
} Answer;

#define N_ANSWER_COLUMNS	3

/* What is asked of a function, and what it answers */
typedef struct Inquiry
{
	TeamRule   *rule;
	const Facts *facts;
	MemoryContext context;		/* of the answers */
	List	   *answers;		/* Answer * */
} Inquiry;

/* Split schema.name(oid) as SQL has it; false for anything else. */
static bool
split_name(const char *text, char **schema, char **name)
{
	static const char arguments[] = "(oid)";
	List	   *parts;

	if (!dbkit_ends_with(text, arguments) ||
		!SplitIdentifierString(pnstrdup(text, strlen(text) - strlen(arguments)), '.', &parts) ||
		list_length(parts) != 2)
		return false;
	*schema = linitial(parts);
	*name = lsecond(parts);
	return true;
}

/* Return the function that is meant by schema.name(oid), or InvalidOid. */
Oid
dbkit_find_team_function(const char *text)
{
	Oid			argument = OIDOID;
	oidvector  *arguments = buildoidvector(&argument, 1);
	char	   *schema;
	char	   *name;
	Oid			namespace;

	if (!split_name(text, &schema, &name))
		return InvalidOid;
	namespace = get_namespace_oid(schema, true);
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(arguments), ObjectIdGetDatum(namespace));
}

/* Has the function one argument that goes in, an oid, and three texts that come out as rows? */
static bool
has_signature(HeapTuple row)
{
	static const Oid types[] = {OIDOID, TEXTOID, TEXTOID, TEXTOID};
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	Oid		   *actual;
	char	  **names;
	char	   *modes;

	if (!form->proretset || form->pronargs != 1 || form->proargtypes.values[0] != OIDOID ||
		get_func_arg_info(row, &actual, &names, &modes) != 1 + N_ANSWER_COLUMNS || modes == NULL)
		return false;
	for (int i = 0; i <= N_ANSWER_COLUMNS; i++)
	{
		if (actual[i] != types[i] || (i > 0 && modes[i] != PROARGMODE_TABLE && modes[i] != PROARGMODE_OUT))
			return false;
	}
	return true;
}

/* Return why a function may not judge, or NULL. */
static const char *
find_trouble(HeapTuple row, TeamFunction *function)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(row);
	const char *search_path = dbkit_read_search_path(row);

	function->owner = form->proowner;
	function->sqlerrcode = ERRCODE_WRONG_OBJECT_TYPE;
	if (form->prokind != PROKIND_FUNCTION)
		return "it is not a plain function";
	function->sqlerrcode = ERRCODE_INVALID_FUNCTION_DEFINITION;
	if (form->prolang != SQLlanguageId && form->prolang != get_language_oid("plpgsql", true))
		return "its language is neither sql nor plpgsql";
	if (form->provolatile == PROVOLATILE_VOLATILE)
		return "it is VOLATILE, and has to be STABLE";
	if (!has_signature(row))
		return "it is not of the form function(object oid) RETURNS TABLE (column_name text, problem text, fix text)";
	/* What is read of a stranger's table runs what stands in its indexes */
	if (search_path != NULL && !dbkit_is_safe_path(search_path))
		return "its search_path does not end with pg_temp, so that anybody can put a temporary table in its way";
	function->sqlerrcode = ERRCODE_INSUFFICIENT_PRIVILEGE;
	return superuser_arg(form->proowner) ? NULL : "its owner is not a superuser";
}

/* Look at a function as it is now, which may be none. */
TeamFunction
dbkit_team_function(Oid oid)
{
	TeamFunction result = {.sqlerrcode = ERRCODE_UNDEFINED_FUNCTION,.trouble = "it does not exist"};
	HeapTuple	row = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));

	if (!HeapTupleIsValid(row))
		return result;
	result.trouble = find_trouble(row, &result);
	ReleaseSysCache(row);
	return result;
}

/* Keep the function as it is while it runs, and return its owner.  Errors where it may not judge. */
static Oid
check_function(const char *name)
{
	Oid			oid = dbkit_find_team_function(name);
	TeamFunction function;

	if (OidIsValid(oid))
		LockDatabaseObject(ProcedureRelationId, oid, 0, AccessShareLock);
	/* Who has waited for the lock may find another one of that name */
	function = dbkit_team_function(dbkit_find_team_function(name) == oid ? oid : InvalidOid);
	if (function.trouble != NULL)
		ereport(ERROR,
				(errcode(function.sqlerrcode),
				 errmsg_internal("%s", function.trouble)));
	return function.owner;
}

/* Plan the query that calls the function, unless that has been done. */
static void
prepare_query(TeamRule *rule)
{
	char	   *schema;
	char	   *name;
	char	   *query;
	Oid			type = OIDOID;

	if (!split_name(rule->definition->function, &schema, &name))
		elog(ERROR, "malformed name of a function: %s", rule->definition->function);
	query = psprintf("SELECT * FROM %s($1)", quote_qualified_identifier(schema, name));
	if (rule->plan != NULL && strcmp(rule->query, query) == 0)
		return;
	if (rule->plan != NULL)
		(void) SPI_freeplan(rule->plan);
	rule->plan = NULL;
	if (rule->query != NULL)
		pfree(rule->query);
	rule->query = NULL;
	rule->query = MemoryContextStrdup(TopMemoryContext, query);
	rule->plan = SPI_prepare_cursor(query, 1, &type, CURSOR_OPT_GENERIC_PLAN);
	if (rule->plan == NULL || SPI_keepplan(rule->plan) != 0)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
}

/* Return a value of a row that SPI has, or NULL, where it lasts. */
static char *
copy_value(const Inquiry *inquiry, uint64 row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value != NULL && !dbkit_is_blank(value) ? MemoryContextStrdup(inquiry->context, value) : NULL;
}

/* Take the function's answers over from SPI. */
static void
copy_answers(Inquiry *inquiry)
{
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Answer	   *answer = MemoryContextAlloc(inquiry->context, sizeof(Answer));
		MemoryContext caller;

		answer->column = copy_value(inquiry, i, 1);
		answer->problem = copy_value(inquiry, i, 2);
		answer->fix = copy_value(inquiry, i, 3);
		if (answer->problem == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("it returned a row without a problem")));
		caller = MemoryContextSwitchTo(inquiry->context);
		inquiry->answers = lappend(inquiry->answers, answer);
		MemoryContextSwitchTo(caller);
	}
}

/*
 * Let PL/pgSQL be as strict as it is by default: what a session has it refuse besides, such as a SELECT
 * INTO of several rows, would make the function fail, and a rule that fails refuses nothing.
 */
static void
forget_strictness(void)
{
	static const char setting[] = "plpgsql.extra_errors";

	if (GetConfigOption(setting, true, false) != NULL)
		(void) set_config_option(setting, "none", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* Ask the function about the object.  The end of the attempt takes back what is changed for that. */
static void
ask(void *arg)
{
	Inquiry    *inquiry = arg;
	Snapshot	before = inquiry->facts->catalogs->snapshot;
	Datum		object = ObjectIdGetDatum(inquiry->facts->objid);
	AsOwner		caller;
	int			result;

	dbkit_begin_as_owner(check_function(inquiry->rule->definition->function), 0, &caller);
	dbkit_forget_text_settings();
	forget_strictness();
	XactReadOnly = true;
	/* The transaction's own may be older than what others have changed */
	PushActiveSnapshot(before != NULL ? before : GetCatalogSnapshot(InvalidOid));
	SPI_connect();
	prepare_query(inquiry->rule);
	result = SPI_execute_plan(inquiry->rule->plan, &object, NULL, true, 0);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_plan returned %s", SPI_result_code_string(result));
	copy_answers(inquiry);
	SPI_finish();
	PopActiveSnapshot();
}

/* Say that a rule could not judge, once in a transaction. */
static void
warn(TeamRule *rule, const Facts *facts, const ErrorData *error)
{
	ErrorContextCallback *stack = error_context_stack;

	if (rule->failed_in == dbkit_local_transaction())
		return;
	rule->failed_in = dbkit_local_transaction();
	error_context_stack = NULL;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("the schema convention \"%s\" could not be judged for %s \"%s.%s\"", rule->rule.id,
					dbkit_kind_name(facts->kind), facts->schema, facts->name),
			 errdetail("Its function %s failed: %s", rule->definition->function, error->message),
			 errhint("It refuses nothing where its function fails.")));
	error_context_stack = stack;
}

/* Has a rule of the team failed to judge something in this transaction? */
bool
dbkit_team_rule_failed(const Rule *rule)
{
	const TeamRule *of_team = dbkit_team_rule(rule);

	return of_team != NULL && of_team->failed_in == dbkit_local_transaction();
}

/* Return the fix as a statement that others can follow, also where it ends with a comment. */
static char *
statement(char *fix)
{
	size_t		length = strlen(fix);

	while (length > 0 && strchr(" \t\r\n;", fix[length - 1]) != NULL)
		length--;
	return psprintf("%.*s%s;", (int) length, fix, strstr(fix, "--") != NULL ? "\n" : "");
}

/*
 * Add what a function found.  A finding about a column is known by it, any other one by what it
 * says, so that of two about the whole object each counts.
 */
static void
add_answer(Judgement *judgement, const Answer *answer)
{
	Finding    *finding = dbkit_add_finding(judgement, answer->column, "%s", answer->problem);

	if (answer->column == NULL)
		finding->part = finding->subject = answer->problem;
	else if (finding->attnums == NIL)
		finding->subject = answer->column;
	/* What was there before needs no fix */
	if (answer->fix != NULL && judgement->facts->catalogs->snapshot == NULL)
		dbkit_add_statement(finding, RISK_BREAKS, statement(answer->fix));
}

/* Have the function of a rule judge an object: what all rules of the team do. */
void
dbkit_judge_by_team(Judgement *judgement)
{
	Inquiry		inquiry = {
		.rule = (TeamRule *) unconstify(Rule *, judgement->rule),
		.facts = judgement->facts,
		.context = CurrentMemoryContext
	};
	ErrorData  *error = dbkit_attempt(ask, &inquiry, ATTEMPT_UNDONE);
	ListCell   *lc;

	if (error != NULL)
	{
		warn(inquiry.rule, judgement->facts, error);
		judgement->failed = lappend(judgement->failed, inquiry.rule);
		return;
	}
	foreach(lc, inquiry.answers)
		add_answer(judgement, lfirst(lc));
}
