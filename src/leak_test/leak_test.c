/*-------------------------------------------------------------------------
 *
 * leak_test.c
 *		dbkit.leak_test: does a role reach rows of another organization?
 *
 * Rows of two organizations are made in every table.  What the role sees in the context of the
 * one is compared before and after the other has rows: a table, a view or a function that
 * isolates them shows the same.  Then the role tries to change, delete, insert, move and
 * reference rows of the other.  All of it is in a subtransaction that is rolled back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "common.h"
#include "attempt.h"
#include "context/context.h"
#include "convention/agreement.h"
#include "leak_test/fill.h"
#include "leak_test/leak_test.h"
#include "leak_test/strangers.h"
#include "relation_name.h"
#include "sql.h"

/* When the role looks */
enum
{
	ALONE,						/* the other organization has no rows */
	STILL_ALONE,				/* what differs from the first time, differs
								 * by itself */
	WITH_OTHERS
};

/* What is tried on each relation besides reading it, and what is claimed where it fails */
static const struct
{
	const char *claim;
	const char *shared_claim;	/* for a table that is everybody's; NULL: not
								 * tried */
	LeakVerdict (*attempt) (const LeakTest *test, const Subject *subject, char **detail);
}			trials[] =

{
	{"lets no condition see rows of the other organization", NULL, dbkit_try_conditions},
	{"changes no row of the other organization", "changes no row that is everybody's", dbkit_try_change},
	{"deletes no row of the other organization", "deletes no row that is everybody's", dbkit_try_delete},
	{"cannot be emptied", "cannot be emptied", dbkit_try_truncate},
	{"takes no new row for the other organization", NULL, dbkit_try_insert},
	{"gives no row to the other organization", NULL, dbkit_try_move},
	{"references no row of the other organization", NULL, dbkit_try_reference},
	{"has no unique key that tells what the other organization has", NULL, dbkit_try_unique_keys},
	{"has no ids that can be guessed", NULL, dbkit_try_guess},
};

#define READING_CLAIM	"shows nothing of the other organization"
#define CALLING_CLAIM	"shows and changes nothing of the other organization"
#define TRYING_CLAIM	"can be tested"
#define SHARED_CLAIM	"holds no rows of organizations"
#define NO_WAY_CLAIM	"offers no way to rows of the other organization"

/* Add a line to the report, in the memory that lasts. */
static void
			add_line(LeakTest *test, const char *format,...) pg_attribute_printf(2, 3);

static void
add_line(LeakTest *test, const char *format,...)
{
	MemoryContext caller = MemoryContextSwitchTo(test->memory);
	StringInfoData line;

	initStringInfo(&line);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&line, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&line, needed);
	}
	test->lines = lappend(test->lines, line.data);
	MemoryContextSwitchTo(caller);
}

/* Add a comment, each of its lines for itself. */
static void
add_comment(LeakTest *test, const char *comment)
{
	while (*comment != '\0')
	{
		int			length = strcspn(comment, "\n");

		add_line(test, "# %.*s", length, comment);
		comment += length + (comment[length] == '\n');
	}
}

/* Write a name so that neither a line's end nor TAP's own "#" is in it. */
static char *
tap_name(const char *name)
{
	StringInfoData result;

	initStringInfo(&result);
	for (; *name != '\0'; name++)
	{
		if (*name == '\n' || *name == '\r')
			appendStringInfoString(&result, *name == '\n' ? "\\n" : "\\r");
		else if (*name == '#' || *name == '\\')
			appendStringInfo(&result, "\\%c", *name);
		else
			appendStringInfoChar(&result, *name);
	}
	return result.data;
}

/* Add the line of one test, and why it failed. */
static void
add_verdict(LeakTest *test, const Subject *subject, const char *claim, LeakVerdict verdict, const char *detail)
{
	if (verdict == NOT_TRIED)
		return;
	add_line(test, "%s %d - %s %s%s", verdict == ISOLATED ? "ok" : "not ok", ++test->count,
			 tap_name(subject->name), claim,
			 verdict == LEAKS_AS_AGREED ? " # TODO the agreement's id_style is bigint" : "");
	if (verdict != ISOLATED && detail != NULL)
		add_comment(test, detail);
}

/* Look at all that the role may read or call. */
static void
observe(LeakTest *test, int when)
{
	ListCell   *cell;

	foreach(cell, test->subjects)
	{
		Subject    *subject = lfirst(cell);
		Probe	   *probe = palloc0(sizeof(Probe));

		if (!subject->readable || subject->problem != NULL)
			continue;
		probe->sql = subject->query;
		probe->role = test->role;
		probe->search_path = test->search_path;
		probe->tenant = &test->tenants[MINE];
		probe->watched = when == WITH_OTHERS ? test->others_rows : NIL;
		dbkit_probe(probe);
		subject->observed[when] = probe;
	}
}

/* Judge what failed at the first look. */
static LeakVerdict
judge_failure(const Subject *subject, char **detail)
{
	const ErrorData *alone = subject->observed[ALONE]->error;
	const ErrorData *last = subject->observed[WITH_OTHERS]->error;
	const ErrorData *again = subject->observed[STILL_ALONE]->error;

	if (again != NULL && strcmp(alone->message, again->message) == 0 &&
		(last == NULL || strcmp(alone->message, last->message) != 0))
	{
		*detail = psprintf("It fails otherwise once the other organization has rows: %s",
						   last == NULL ? "it does not" : last->message);
		return LEAKS;
	}
	*detail = psprintf("It fails: %s", alone->message);
	return subject->relkind == '\0' || alone->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE ?
		ISOLATED : UNDECIDED;
}

/* Name a column that was not the same twice, so that it could not be compared; NULL for none. */
static char *
find_unstable(const Observation *alone, const Observation *again)
{
	for (int i = 0; i < alone->ncolumns; i++)
	{
		if (alone->sums[i] != again->sums[i])
			return psprintf("Column %s is another one each time, so it was not compared.",
							quote_identifier(alone->columns[i]));
	}
	return NULL;
}

/* Compare what was seen with what was seen twice without the other organization. */
static LeakVerdict
compare_observations(const Observation *alone, const Observation *again, const Observation *last,
					 char **detail)
{
	if (alone->rows != again->rows)
	{
		*detail = psprintf("It shows another number of rows each time, so that nothing can be compared: first " UINT64_FORMAT ", then " UINT64_FORMAT ".",
						   alone->rows, again->rows);
		return UNDECIDED;
	}
	if (alone->rows != last->rows)
	{
		*detail = psprintf("Once the other organization has rows, it shows " UINT64_FORMAT " rows instead of " UINT64_FORMAT ".",
						   last->rows, alone->rows);
		return LEAKS;
	}
	for (int i = 0; i < alone->ncolumns; i++)
	{
		if (alone->sums[i] != again->sums[i] || alone->sums[i] == last->sums[i])
			continue;
		*detail = psprintf("Once the other organization has rows, column %s shows something else.",
						   quote_identifier(alone->columns[i]));
		return LEAKS;
	}
	*detail = find_unstable(alone, again);
	return ISOLATED;
}

/* Was there nothing to see, not even of the own organization? */
static bool
shows_no_row(const Subject *subject)
{
	return subject->observed[ALONE]->error == NULL && subject->observed[ALONE]->seen.rows == 0;
}

/* Judge what the role saw. */
static LeakVerdict
judge_observations(const Subject *subject, char **detail)
{
	const Probe *last = subject->observed[WITH_OTHERS];

	if (last->touched)
	{
		*detail = pstrdup("It changes or deletes rows of the other organization's.");
		return LEAKS;
	}
	if (subject->observed[ALONE]->error != NULL)
		return judge_failure(subject, detail);
	if (last->error != NULL)
	{
		*detail = psprintf("Once the other organization has rows, it fails: %s", last->error->message);
		return LEAKS;
	}
	if (subject->observed[STILL_ALONE]->error != NULL)
	{
		*detail = psprintf("It fails now and then: %s", subject->observed[STILL_ALONE]->error->message);
		return UNDECIDED;
	}
	if (last->seen.rows == 0 && shows_no_row(subject) && (*detail = dbkit_unproven_view(subject)) != NULL)
		return UNDECIDED;
	return compare_observations(&subject->observed[ALONE]->seen, &subject->observed[STILL_ALONE]->seen,
								&last->seen, detail);
}

/* Are the rows of the subject everybody's? */
static bool
is_shared(const Subject *subject)
{
	return subject->table != NULL && !subject->table->of_tenants && subject->relkind != RELKIND_VIEW;
}

/* Say what an "ok" does not mean. */
static void
comment_on_reading(LeakTest *test, const Subject *subject, const char *detail)
{
	if (detail != NULL)
		add_line(test, "# %s: %s", subject->name, detail);
	else if (subject->relkind != '\0' && shows_no_row(subject))
		add_line(test, "# %s: It shows no row of the own organization either.", subject->name);
}

static void
report_reading(LeakTest *test, Subject *subject)
{
	char	   *detail = NULL;
	LeakVerdict verdict;

	if (is_shared(subject))
	{
		add_verdict(test, subject, SHARED_CLAIM, ISOLATED, NULL);
		add_line(test, "# Neither a column nor a foreign key says whose its rows are, so they are taken for everybody's.");
		return;
	}
	if (subject->observed[WITH_OTHERS] == NULL)
		return;
	verdict = judge_observations(subject, &detail);
	subject->leaks = verdict == LEAKS;
	add_verdict(test, subject, subject->relkind == '\0' ? CALLING_CLAIM : READING_CLAIM, verdict, detail);
	if (verdict == ISOLATED)
		comment_on_reading(test, subject, detail);
}

static void
report_subject(LeakTest *test, Subject *subject)
{
	const int	before = test->count;

	if (subject->problem != NULL)
	{
		add_verdict(test, subject, TRYING_CLAIM, UNDECIDED, subject->problem);
		return;
	}
	report_reading(test, subject);
	for (int i = 0; subject->relkind != '\0' && i < (int) lengthof(trials); i++)
	{
		const char *claim = is_shared(subject) ? trials[i].shared_claim : trials[i].claim;
		char	   *detail = NULL;
		LeakVerdict verdict = claim == NULL ? NOT_TRIED : trials[i].attempt(test, subject, &detail);

		add_verdict(test, subject, claim, verdict, detail);
	}
	if (test->count == before)
		add_verdict(test, subject, NO_WAY_CLAIM, ISOLATED, NULL);
}

/* Report on everything, forgetting in between what each subject needed. */
static void
report_subjects(LeakTest *test)
{
	MemoryContext scratch = AllocSetContextCreate(test->memory, "dbkit leak test, one subject",
												  ALLOCSET_DEFAULT_SIZES);
	ListCell   *cell;

	foreach(cell, test->subjects)
	{
		MemoryContextSwitchTo(scratch);
		report_subject(test, lfirst(cell));
		MemoryContextReset(scratch);
	}
	MemoryContextSwitchTo(test->memory);
}

static Subject *
find_subject(const LeakTest *test, Oid oid)
{
	ListCell   *cell;

	foreach(cell, test->subjects)
	{
		if (((Subject *) lfirst(cell))->oid == oid && ((Subject *) lfirst(cell))->relkind != '\0')
			return lfirst(cell);
	}
	return NULL;
}

/* Make rows in all tables, of partitions in those that the role may touch by their own names. */
static void
want_rows(LeakTest *test)
{
	ListCell   *cell;

	foreach(cell, test->tables)
	{
		Table	   *table = lfirst(cell);

		table->wanted = !table->is_partition || find_subject(test, table->relid) != NULL;
	}
}

/* A materialized view, and who refreshes it */
typedef struct Refresh
{
	const char *sql;
	Oid			owner;
} Refresh;

/* Refresh a materialized view as its owner; an attempt. */
static void
refresh(void *arg)
{
	Refresh    *view = arg;

	dbkit_begin_as_role(view->owner, 0, dbkit_trusted_path(view->owner));
	SPI_connect();
	(void) SPI_execute(view->sql, false, 0);
	SPI_finish();
}

/* Refresh one materialized view, unless it is gone; returns why that failed, or NULL. */
static const char *
attempt_refresh(Oid relid)
{
	Relation	relation = try_relation_open(relid, AccessShareLock);
	Refresh		view;
	const char *problem;
	ErrorData  *error;

	if (relation == NULL)
		return NULL;
	view.sql = psprintf("REFRESH MATERIALIZED VIEW %s", dbkit_relation_name(relid));
	view.owner = relation->rd_rel->relowner;
	relation_close(relation, NoLock);
	problem = dbkit_lent_rights(relid, view.owner);
	if (problem != NULL)
		return problem;
	error = dbkit_attempt(refresh, &view, ATTEMPT_KEPT);
	return error != NULL ? error->message : NULL;
}

/* Refresh the materialized views, in the order in which they may build on each other. */
static void
refresh_views(LeakTest *test)
{
	ListCell   *cell;

	foreach(cell, dbkit_list_relations("m"))
	{
		const char *problem = attempt_refresh(lfirst_oid(cell));
		Subject    *subject = find_subject(test, lfirst_oid(cell));

		if (problem != NULL && subject != NULL)
			subject->problem = psprintf("It cannot be refreshed: %s", problem);
	}
}

/* Note what cannot be tried, and remember the rows that nobody else is to reach. */
static void
take_stock(LeakTest *test)
{
	ListCell   *cell;

	foreach(cell, test->tables)
	{
		Table	   *table = lfirst(cell);
		Subject    *subject = find_subject(test, table->relid);

		if (table->problem != NULL && subject != NULL)
			subject->problem = psprintf("It cannot be filled: %s", table->problem);
		else if (table->problem != NULL)
			add_line(test, "# %s: It cannot be filled, so that views and functions that show it show nothing: %s",
					 table->name, table->problem);
		if (table->of_tenants && table->rows[MINE] != NULL)
			test->my_rows = lappend(test->my_rows, table->rows[MINE]);
		if (table->of_tenants && table->rows[OTHERS] != NULL)
			test->others_rows = lappend(test->others_rows, table->rows[OTHERS]);
	}
	foreach(cell, test->subjects)
	{
		Subject    *subject = lfirst(cell);

		if (subject->relkind == RELKIND_FOREIGN_TABLE)
			subject->problem = "It is a foreign table, which has no policies and cannot be filled.";
	}
}

/* Say what the test has not seen, and what stays. */
static void
report_limits(LeakTest *test)
{
	ListCell   *cell;

	foreach(cell, dbkit_list_uncalled_functions(test->role))
		add_line(test, "# %s: It is SECURITY DEFINER and takes arguments, so it was not called.",
				 (const char *) lfirst(cell));
	add_line(test, "# All changes are rolled back, but not what sequences have counted and what functions did outside of the database.");
	add_line(test, "1..%d", test->count);
}

/*
 * Have the role's queries obey row level security, no schema convention stand in the way,
 * values be written as they can be read again, and nothing be deferred, which PostgreSQL
 * refuses in security-restricted operations.
 */
static void
prepare(void)
{
	const struct
	{
		const char *name;
		const char *value;
	}			settings[] =
	{
		{"row_security", "on"}, {"dbkit.enforce", "off"},
		{"datestyle", "ISO"}, {"intervalstyle", "postgres"}, {"extra_float_digits", "1"},
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		(void) set_config_option(settings[i].name, settings[i].value, PGC_SUSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
	SPI_connect();
	dbkit_run_utility("SET CONSTRAINTS ALL IMMEDIATE");
	SPI_finish();
}

/* Test everything; an attempt that is undone. */
static void
run_test(void *arg)
{
	LeakTest   *test = arg;

	prepare();
	test->tables = dbkit_read_tables(dbkit_list_relations("rp"));
	test->subjects = dbkit_list_subjects(test->role, test->tables);
	want_rows(test);
	dbkit_fill_tables(test->tables, MINE, &test->tenants[MINE]);
	refresh_views(test);
	observe(test, ALONE);
	observe(test, STILL_ALONE);
	dbkit_fill_tables(test->tables, OTHERS, &test->tenants[OTHERS]);
	refresh_views(test);
	take_stock(test);
	observe(test, WITH_OTHERS);
	report_subjects(test);
	report_limits(test);
}

/* Find the role to test; without a name that which the agreement names. */
static Oid
choose_role(const char *name)
{
	Oid			role;

	if (name == NULL)
		name = dbkit_agreement()->customer_role;
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("there is no role to test"),
				 errdetail("The agreement has no \"customer_role\"."),
				 errhint("Name the role that your application's queries run as: SELECT dbkit.leak_test('app').")));
	role = get_role_oid(name, false);
	if (superuser_arg(role))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("role \"%s\" is a superuser, whom row level security does not bind", name),
				 errhint("Name the role that your application's queries run as.")));
	return role;
}

/* Refuse what the test cannot work with. */
static void
check_may_test(void)
{
	if (!superuser() || InSecurityRestrictedOperation())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("only superusers can run dbkit.leak_test()"),
				 errdetail("It acts as other roles and in a tenant context that nobody has entered.")));
	if (dbkit_context_is_entered())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("dbkit.leak_test() cannot run while a tenant context is entered"),
				 errhint("Run it in a transaction of its own.")));
	PreventCommandIfReadOnly("dbkit.leak_test()");
	PreventCommandIfParallelMode("dbkit.leak_test()");
	PreventCommandDuringRecovery("dbkit.leak_test()");
}

static void
return_lines(FunctionCallInfo fcinfo, const List *lines)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	const ListCell *cell;

	foreach(cell, lines)
	{
		Datum		line = CStringGetTextDatum(lfirst(cell));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &line, &isnull);
	}
}

/*
 * dbkit.leak_test(role name) returns setof text
 *
 * Tests whether the role reaches rows of another organization than its own, and returns TAP.
 * All that it does is rolled back.  Errors: insufficient_privilege, undefined_object,
 * null_value_not_allowed, invalid_parameter_value, object_not_in_prerequisite_state,
 * read_only_sql_transaction.
 */
PG_FUNCTION_INFO_V1(dbkit_leak_test);
Datum
dbkit_leak_test(PG_FUNCTION_ARGS)
{
	LeakTest	test = {0};
	MemoryContext caller = CurrentMemoryContext;
	ErrorData  *error;

	check_may_test();
	dbkit_refresh_agreement();
	test.role = choose_role(PG_ARGISNULL(0) ? NULL : NameStr(*PG_GETARG_NAME(0)));
	test.search_path = namespace_search_path;
	test.memory = AllocSetContextCreate(caller, "dbkit leak test", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(test.memory);
	test.search_path = pstrdup(namespace_search_path);
	error = dbkit_attempt(run_test, &test, ATTEMPT_UNDONE);
	if (error != NULL)
		ReThrowError(error);
	MemoryContextSwitchTo(caller);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	return_lines(fcinfo, test.lines);
	MemoryContextDelete(test.memory);
	return (Datum) 0;
}
