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

#include "common.h"
#include "audit/blank.h"

/* What stands for a string, and for another value */
#define BLANK_STRING	"'...'"
#define BLANK_VALUE		"..."

static int
token_length(const Token *token)
{
	return token->end - token->start;
}

/* Is it that keyword? */
static bool
is_word(const StatementText *text, int i, const char *word)
{
	return i < text->n_tokens && token_length(&text->tokens[i]) == (int) strlen(word) &&
		pg_strncasecmp(text->text + text->tokens[i].start, word, strlen(word)) == 0;
}

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
		memchr(start, '\'', token_length(token)) != NULL;
}

/* Return the end of a list of values: words or numbers, which may have a sign. */
static int
end_of_values(const StatementText *text, int i)
{
	for (;;)
	{
		i += is_character(text, i, '-') || is_character(text, i, '+');
		i++;
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
 * Find what begins with a token and has words that stand for strings: the value of a setting
 * that only an extension or an application knows, and the arguments of a trigger.
 */
static void
find_words(const StatementText *text, int i, int *first, int *end)
{
	int			name = i + 1 + is_word(text, i, "execute");
	int			next;

	if (name >= text->n_tokens)
		return;
	next = dbkit_end_of_name(text, name);
	if (is_word(text, i, "set") && next > name + 1 && (is_word(text, next, "to") || is_character(text, next, '=')))
	{
		*first = next + 1;
		*end = end_of_values(text, *first);
	}
	else if (is_word(text, i, "execute") && is_character(text, next, '('))
	{
		*first = next + 1;
		*end = end_of_brackets(text, next);
	}
}

/* Write the tokens of a text, with a space where something was between them. */
static char *
write_tokens(const StatementText *text)
{
	StringInfoData result;
	int			first = 0;
	int			end = 0;

	initStringInfo(&result);
	for (int i = 0; i < text->n_tokens; i++)
	{
		const Token *token = &text->tokens[i];

		if (i > 0 && token->start > token[-1].end)
			appendStringInfoChar(&result, ' ');
		if (i >= end)
			find_words(text, i, &first, &end);
		if (is_string(text, token))
			appendStringInfoString(&result, BLANK_STRING);
		else if (i >= first && i < end && !is_punctuation(text, i))
			appendStringInfoString(&result, BLANK_VALUE);
		else
			appendBinaryStringInfo(&result, text->text + token->start, token_length(token));
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
	return write_tokens(&text);
}
