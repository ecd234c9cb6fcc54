/*-------------------------------------------------------------------------
 *
 * statement_text.c
 *		The text of the statement that is judged, in tokens.
 *
 * What to write instead repeats parts of a statement: the condition of a CHECK, the
 * columns of an index.  Before a statement is executed these are known only as a parse
 * tree without types, for which PostgreSQL has no function that writes it.  So they are
 * cut out of the text, at the locations that the parse tree has.  The scanner knows
 * where comments, strings and quoted names end; nothing is looked up and nothing runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "parser/scanner.h"
#include "tcop/pquery.h"
#include "utils/portal.h"

#include "common.h"
#include "convention/change/statement_text.h"

/* Longer statements are not repeated */
#define MAX_STATEMENT_LENGTH	(64 * 1024)

/* Is it that statement?  PostgreSQL copies a tree that it has to keep (standard_ProcessUtility()). */
static bool
is_plan_of(const PlannedStmt *planned, const Node *statement)
{
	return planned->utilityStmt == statement || equal(planned->utilityStmt, statement);
}

/*
 * Find the statement among those that run: as the hook saw it, or, where the library was loaded
 * by this very statement, among those that the client has sent.
 */
static const PlannedStmt *
find_planned(const RunningStatement *running, const Node *statement, const char **source)
{
	ListCell   *lc;

	for (; running != NULL; running = running->outer)
	{
		*source = running->source;
		if (is_plan_of(running->planned, statement))
			return running->planned;
	}
	if (ActivePortal == NULL)
		return NULL;
	*source = ActivePortal->sourceText;
	foreach(lc, ActivePortal->stmts)
	{
		if (is_plan_of(lfirst_node(PlannedStmt, lc), statement))
			return lfirst(lc);
	}
	return NULL;
}

/* Split a text into tokens. */
void
dbkit_split_statement_text(StatementText *text)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner = scanner_init(text->text, &extra, &ScanKeywords, ScanKeywordTokens);
	core_YYSTYPE value;
	YYLTYPE		start;
	int			code;

	extra.escape_string_warning = false;	/* the parser gave it */

	/*
	 * The setting may have been another one when the parser read the text,
	 * and where it is off, the scanner refuses U&'...'
	 */
	if (strchr(text->text, '\\') == NULL)
		extra.standard_conforming_strings = true;
	text->tokens = palloc(sizeof(Token) * (strlen(text->text) + 1));
	text->n_tokens = 0;

	while ((code = core_yylex(&value, &start, scanner)) != 0)
	{
		/*
		 * The scanner has put a zero byte behind the token that it has just
		 * read
		 */
		int			end = start + strlen(extra.scanbuf + start);

		text->tokens[text->n_tokens++] = (Token)
		{
			start, end, code
		};
	}
	scanner_finish(scanner);
}

/* Cut the text of a statement out of what was sent, without tokens; false where it is not known. */
bool
dbkit_cut_statement_text(const RunningStatement *running, const Node *statement, StatementText *text)
{
	const char *source = NULL;
	const PlannedStmt *planned = find_planned(running, statement, &source);
	size_t		length;

	if (planned == NULL || source == NULL || planned->stmt_location < 0 ||
		(size_t) planned->stmt_location > strlen(source))
		return false;
	source += planned->stmt_location;
	length = planned->stmt_len > 0 ? strnlen(source, planned->stmt_len) : strlen(source);
	if (length > MAX_STATEMENT_LENGTH)
		return false;
	text->text = pnstrdup(source, length);
	text->offset = planned->stmt_location;
	text->tokens = NULL;
	text->n_tokens = 0;
	return true;
}

/* Read the text of a statement; false where it is not known. */
bool
dbkit_read_statement_text(const RunningStatement *running, const Node *statement, StatementText *text)
{
	if (!dbkit_cut_statement_text(running, statement, text))
		return false;
	dbkit_split_statement_text(text);
	return true;
}

/* Return the number of the token at a location of the parse tree, or -1. */
int
dbkit_token_at(const StatementText *text, int location)
{
	for (int i = 0; location >= 0 && i < text->n_tokens; i++)
	{
		if (text->tokens[i].start + text->offset == location)
			return i;
	}
	return -1;
}

/* Return the end of the part that begins with a token: a comma or bracket outside of it, or the end of the statement. */
int
dbkit_end_of_part(const StatementText *text, int first)
{
	int			depth = 0;
	int			i;

	for (i = first; i < text->n_tokens; i++)
	{
		int			code = text->tokens[i].code;

		if (depth == 0 && (code == ',' || code == ')' || code == ';'))
			break;
		depth += code == '(' || code == '[';
		depth -= code == ')' || code == ']';
	}
	return i;
}

int
dbkit_token_length(const Token *token)
{
	return token->end - token->start;
}

/* Is it that keyword? */
bool
dbkit_is_word(const StatementText *text, int i, const char *word)
{
	return i < text->n_tokens && dbkit_token_length(&text->tokens[i]) == (int) strlen(word) &&
		pg_strncasecmp(text->text + text->tokens[i].start, word, strlen(word)) == 0;
}

/* Return the end of a token, and of the UESCAPE '!' that may follow U&"..." and U&'...'. */
int
dbkit_end_of_token(const StatementText *text, int i)
{
	return Min(dbkit_is_word(text, i + 1, "uescape") ? i + 3 : i + 1, text->n_tokens);
}

/* Return the end of a name, which may have several parts with dots between them. */
int
dbkit_end_of_name(const StatementText *text, int i)
{
	i = dbkit_end_of_token(text, i);
	while (i < text->n_tokens && text->tokens[i].code == '.')
		i = dbkit_end_of_token(text, i + 1);
	return i;
}

/* Return the text of some tokens. */
char *
dbkit_tokens_as_text(const StatementText *text, int first, int end)
{
	int			start;

	if (first < 0 || first >= end)
		return pstrdup("");
	start = text->tokens[first].start;

	return pnstrdup(text->text + start, text->tokens[end - 1].end - start);
}
