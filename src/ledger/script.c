/*-------------------------------------------------------------------------
 *
 * script.c
 *		The text of a version: several statements in one transaction.
 *
 * PostgreSQL's own parser finds where a statement ends, in whatever comments and quotes.
 * What cannot run in the transaction of the caller is refused before anything runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "parser/scanner.h"

#include "common.h"
#include "ledger/script.h"
#include "statement_option.h"

/* What all keywords are to our scanner, beyond all tokens that it has itself */
#define KEYWORD_TOKEN	PG_UINT16_MAX

/* What cannot be part of a version */
typedef struct Obstacle
{
	bool		(*is_present) (const Node *statement);
	int			sqlstate;
	const char *problem;
	const char *hint;
} Obstacle;

/* Where an error is: in the text that is parsed, or in the statement that runs */
typedef struct Place
{
	const Script *script;
	int			location;		/* of the statement, or -1 */
} Place;

/* Return the number of the line at that byte. */
static int
line_at(const char *text, int location)
{
	int			line = 1;

	for (int i = 0; i < location; i++)
		line += text[i] == '\n';

	return line;
}

/*
 * Say where in the script an error is.  The position of a syntax error is one in the script, not in
 * the query that the client has sent (as in _SPI_error_callback).
 */
static void
add_place(void *arg)
{
	const Place *place = arg;
	int			position = geterrposition();

	if (place->location >= 0)
		errcontext("line %d of %s", line_at(place->script->text, place->location), place->script->what);
	else if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(place->script->text);
		errcontext("%s", place->script->what);
	}
}

/* Refuse a statement of the script, before anything has run. */
static void
refuse(const Script *script, int location, int sqlstate, const char *problem, const char *hint)
{
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s has %s", script->what, problem),
			 errdetail("The statement is in line %d.", line_at(script->text, location)),
			 errhint("%s", hint)));
}

/* Begin to read the tokens of a text. */
static core_yyscan_t
begin_scanner(const char *text, core_yy_extra_type *extra)
{
	uint16	   *tokens = palloc(ScanKeywords.num_keywords * sizeof(uint16));
	core_yyscan_t scanner;

	for (int i = 0; i < ScanKeywords.num_keywords; i++)
		tokens[i] = KEYWORD_TOKEN;
	scanner = scanner_init(text, extra, &ScanKeywords, tokens);
	extra->escape_string_warning = false;	/* the parser warns */
	return scanner;
}

/* Return where the first COPY from or to the client begins, or -1. */
static int
find_client_copy(core_yyscan_t scanner)
{
	const char *before = "";	/* the keyword before, or "" */
	int			start = -1;		/* of the statement */
	bool		is_copy = false;
	int			depth = 0;
	core_YYSTYPE value;
	YYLTYPE		location;
	int			token;

	while ((token = core_yylex(&value, &location, scanner)) != 0)
	{
		const char *keyword = token == KEYWORD_TOKEN ? value.keyword : "";

		if (start < 0)
		{
			start = location;
			is_copy = strcmp(keyword, "copy") == 0;
		}
		if (is_copy && depth == 0 &&
			((strcmp(before, "from") == 0 && strcmp(keyword, "stdin") == 0) ||
			 (strcmp(before, "to") == 0 && strcmp(keyword, "stdout") == 0)))
			return start;
		depth += (token == '(') - (token == ')');
		if (token == ';')
			start = -1;
		before = keyword;
	}
	return -1;
}

/*
 * Refuse COPY from and to the client.  The rows that follow it in a file are not SQL, so the parser would
 * fail there, and name another fault.
 */
static void
check_client_copy(const Script *script)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = begin_scanner(script->text, &extra);
	int			location = find_client_copy(scanner);

	scanner_finish(scanner);
	if (location >= 0)
		refuse(script, location, ERRCODE_FEATURE_NOT_SUPPORTED, "a COPY from or to the client",
			   "Write the rows as INSERT ... VALUES, or let the client COPY them in the same transaction after dbkit.apply().");
}

static bool
is_transaction_control(const Node *statement)
{
	return IsA(statement, TransactionStmt);
}

static bool
is_concurrent_create(const Node *statement)
{
	return IsA(statement, IndexStmt) && ((const IndexStmt *) statement)->concurrent;
}

static bool
is_concurrent_drop(const Node *statement)
{
	return IsA(statement, DropStmt) && ((const DropStmt *) statement)->concurrent;
}

static bool
is_concurrent_reindex(const Node *statement)
{
	return IsA(statement, ReindexStmt) && dbkit_has_option(((const ReindexStmt *) statement)->params, "concurrently");
}

static bool
is_concurrent_detach(const Node *statement)
{
	const AlterTableCmd *command;

	if (!IsA(statement, AlterTableStmt))
		return false;
	command = linitial(((const AlterTableStmt *) statement)->cmds);
	return command->subtype == AT_DetachPartition && ((const PartitionCmd *) command->def)->concurrent;
}

static const Obstacle obstacles[] = {
	{is_transaction_control, ERRCODE_INVALID_TRANSACTION_TERMINATION, "a statement that begins or ends a transaction or savepoint",
	"Leave it out: a version runs in the transaction of whoever calls dbkit.apply()."},
	{is_concurrent_create, ERRCODE_ACTIVE_SQL_TRANSACTION, "a CREATE INDEX CONCURRENTLY, which cannot run in a transaction",
	"Run it by itself before dbkit.apply(), and have the version say CREATE INDEX IF NOT EXISTS with the same name, which then finds the index."},
	{is_concurrent_drop, ERRCODE_ACTIVE_SQL_TRANSACTION, "a DROP INDEX CONCURRENTLY, which cannot run in a transaction",
	"Run it by itself before dbkit.apply(), and have the version say DROP INDEX IF EXISTS, which then finds none."},
	{is_concurrent_reindex, ERRCODE_ACTIVE_SQL_TRANSACTION, "a REINDEX CONCURRENTLY, which cannot run in a transaction",
	"Run it by itself: it changes no schema, so no version needs it."},
	{is_concurrent_detach, ERRCODE_ACTIVE_SQL_TRANSACTION, "a DETACH PARTITION CONCURRENTLY, which cannot run in a transaction",
	"Run it by itself before dbkit.apply(), and have the version say what is to become of the table."},
};

/* Return where a statement begins, after the comments that the parser counts to it before 18. */
static int
statement_location(const Script *script, const RawStmt *statement)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = begin_scanner(script->text + statement->stmt_location, &extra);
	core_YYSTYPE value;
	YYLTYPE		location;

	(void) core_yylex(&value, &location, scanner);
	scanner_finish(scanner);
	return statement->stmt_location + location;
}

static void
check_statement(const Script *script, const RawStmt *statement)
{
	for (size_t i = 0; i < lengthof(obstacles); i++)
	{
		if (obstacles[i].is_present(statement->stmt))
			refuse(script, statement_location(script, statement), obstacles[i].sqlstate, obstacles[i].problem, obstacles[i].hint);
	}
}

/* Parse a script, and refuse what cannot be part of a version. */
Script
dbkit_parse_script(const char *text, const char *what)
{
	Script		script = {.text = text,.what = what};
	Place		place = {&script, -1};
	ErrorContextCallback callback = {.callback = add_place,.arg = &place,.previous = error_context_stack};
	ListCell   *lc;

	error_context_stack = &callback;
	check_client_copy(&script);
	script.statements = raw_parser(text, RAW_PARSE_DEFAULT);
	error_context_stack = callback.previous;
	foreach(lc, script.statements)
		check_statement(&script, lfirst(lc));
	return script;
}

/* Run one statement, in which the settings that the ones before it have made hold. */
static void
run_statement(const Script *script, const RawStmt *statement)
{
	const char *end = statement->stmt_len > 0 ?
	script->text + statement->stmt_location + statement->stmt_len : strchr(script->text, '\0');
	const char *start = script->text + statement_location(script, statement);
	int			result = SPI_execute(pnstrdup(start, end - start), false, 0);

	if (result < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s has a statement that cannot be part of it", script->what)));
	SPI_freetuptable(SPI_tuptable);
}

/* Run the statements of a script, as the caller.  SPI is connected. */
void
dbkit_run_script(const Script *script)
{
	Place		place = {.script = script};
	ErrorContextCallback callback = {.callback = add_place,.arg = &place,.previous = error_context_stack};
	ListCell   *lc;

	error_context_stack = &callback;
	foreach(lc, script->statements)
	{
		const RawStmt *statement = lfirst(lc);

		place.location = statement_location(script, statement);
		run_statement(script, statement);
	}
	error_context_stack = callback.previous;
}
