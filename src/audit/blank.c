/*-------------------------------------------------------------------------
 *
 * blank.c
 *		The text of a statement without what may be secret in it.
 *
 * A list of statements that have passwords would be wrong sooner or later: a password
 * may stand in the options of a server, in the conninfo of a subscription, in a default,
 * in the body of a function, in a comment.  So of every statement the log shows its
 * tokens, and of none a string: strings are blanked, and what is between tokens, comments
 * that is, is left out.  PostgreSQL's scanner tells what is a string.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"

#include "common.h"
#include "audit/blank.h"

/* What stands for a string, and for another value */
#define BLANK_STRING	"'...'"
#define BLANK_VALUE		"..."

static bool
is_character(const StatementText *text, int i, char character)
{
	return i < text->n_tokens && text->tokens[i].code == character;
}

static bool
is_punctuation(const StatementText *text, int i)
{
	return is_character(text, i, ',') || is_character(text, i, '-') || is_character(text, i, '+');
}

/*
 * Is it a string: '...', E'...', U&'...', B'...', X'...' or $$...$$?  A name that is quoted is
 * none, whatever it contains.  $1 is a parameter.
 */
static bool
is_string(const StatementText *text, const Token *token)
{
	const char *start = text->text + token->start;

	if (start[0] == '$')
		return !isdigit((unsigned char) start[1]);
	return start[0] != '"' && pg_strncasecmp(start, "U&\"", 3) != 0 &&
		memchr(start, '\'', dbkit_token_length(token)) != NULL;
}

/* Return the end of a list of values: words or numbers, which may have a sign. */
static int
end_of_values(const StatementText *text, int i)
{
	for (;;)
	{
		i += is_character(text, i, '-') || is_character(text, i, '+');
		i = dbkit_end_of_token(text, i);
		if (!is_character(text, i, ','))
			return i;
		i++;
	}
}

/* Return the end of what is between brackets, the first of which is at i. */
static int
end_of_brackets(const StatementText *text, int i)
{
	int			depth = 0;

	for (; i < text->n_tokens; i++)
	{
		depth += is_character(text, i, '(') - is_character(text, i, ')');
		if (depth == 0)
			break;
	}
	return i;
}

/*
 * Has a name a dot, so that PostgreSQL takes any value for a setting of that name?  The dot may
 * be within quotes, and in disguise within U&"...".
 */
static bool
has_dot(const StatementText *text, int name, int end)
{
	const char *start = text->text + text->tokens[name].start;

	return pg_strncasecmp(start, "U&\"", 3) == 0 ||
		memchr(start, '.', text->tokens[end - 1].end - text->tokens[name].start) != NULL;
}

/* Is it a word that may stand for a string, and not just for yes or no? */
static bool
is_telling_word(const StatementText *text, int i)
{
	static const char *const switches[] = {"true", "false", "on", "off", "none"};
	const char *start;

	if (i >= text->n_tokens || is_string(text, &text->tokens[i]))
		return false;
	for (size_t j = 0; j < lengthof(switches); j++)
	{
		if (dbkit_is_word(text, i, switches[j]))
			return false;
	}
	start = text->text + text->tokens[i].start;
	return *start == '"' || *start == '_' || isalpha((unsigned char) *start) || IS_HIGHBIT_SET(*start);
}

/* Do options begin with that bracket, as in WITH (fillfactor = 70)? */
static bool
begins_options(const StatementText *text, int i)
{
	return is_character(text, i, '(') && i > 0 &&
		(dbkit_is_word(text, i - 1, "with") || dbkit_is_word(text, i - 1, "set") || dbkit_is_word(text, i - 1, "reset"));
}

static void
hide(bool *hidden, int first, int end)
{
	for (int i = first; i < end; i++)
		hidden[i] = true;
}

/* Hide the words that are values of options, which begin with the bracket at i. */
static void
hide_options(const StatementText *text, int i, bool *hidden)
{
	do
	{
		int			end = dbkit_end_of_part(text, i + 1);
		int			value = i + 1 < end ? dbkit_end_of_name(text, i + 1) + 1 : end;

		if (is_character(text, value - 1, '=') && is_telling_word(text, value))
			hide(hidden, value, end);
		i = end;
	} while (is_character(text, i, ','));
}

/*
 * Find the words that stand for strings: the value of a setting that only an extension or an application
 * knows, the arguments of a trigger, and the values of options.  In a definition, such as that of a type
 * or of a text search dictionary, what is in brackets are options.
 */
static bool *
find_hidden(const StatementText *text, bool is_definition)
{
	bool	   *hidden = palloc0(sizeof(bool) * (text->n_tokens + 1));

	for (int i = 0; i < text->n_tokens; i++)
	{
		int			name = i + 1 + dbkit_is_word(text, i, "execute");
		int			end = name < text->n_tokens ? dbkit_end_of_name(text, name) : text->n_tokens;

		if (begins_options(text, i) || (is_definition && is_character(text, i, '(')))
			hide_options(text, i, hidden);
		else if (dbkit_is_word(text, i, "execute") && is_character(text, end, '('))
			hide(hidden, end + 1, end_of_brackets(text, end));
		else if (dbkit_is_word(text, i, "set") && (dbkit_is_word(text, end, "to") || is_character(text, end, '=')) && has_dot(text, name, end))
			hide(hidden, end + 1, end_of_values(text, end + 1));
	}
	return hidden;
}

/* Write the tokens of a text, with a space where something was between them. */
static char *
write_tokens(const StatementText *text, const bool *hidden)
{
	StringInfoData result;
	bool		is_blank = false;

	initStringInfo(&result);
	for (int i = 0; i < text->n_tokens; i++)
	{
		const Token *token = &text->tokens[i];
		bool		was_blank = is_blank;

		is_blank = hidden[i] && !is_string(text, token) && !is_punctuation(text, i) && !dbkit_is_word(text, i, "uescape");
		if (is_blank && was_blank)
			continue;			/* one value of several tokens */
		if (i > 0 && token->start > token[-1].end)
			appendStringInfoChar(&result, ' ');
		if (is_string(text, token))
			appendStringInfoString(&result, BLANK_STRING);
		else if (is_blank)
			appendStringInfoString(&result, BLANK_VALUE);
		else
			appendBinaryStringInfo(&result, text->text + token->start, dbkit_token_length(token));
	}
	return result.data;
}

/*
 * Return what may be shown of a statement, or NULL where its text is not known.  Where there is
 * a backslash, what is a string depends on standard_conforming_strings, which may have changed
 * since the parser read the text: then nothing is shown.
 */
char *
dbkit_blank_statement(const RunningStatement *running, const Node *statement)
{
	StatementText text;

	if (!dbkit_cut_statement_text(running, statement, &text) || strchr(text.text, '\\') != NULL)
		return NULL;
	dbkit_split_statement_text(&text);
	return write_tokens(&text, find_hidden(&text, IsA(statement, DefineStmt) || IsA(statement, AlterTSDictionaryStmt)));
}
