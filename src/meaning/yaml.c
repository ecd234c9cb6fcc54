/*-------------------------------------------------------------------------
 *
 * yaml.c
 *		Write strings as YAML.
 *
 * YAML 1.2, in a form that parsers of YAML 1.1, which are many, read the same.  A string is written as it
 * is where nothing in it can be mistaken, over several lines where it has several, and else in
 * double quotes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "common.h"
#include "meaning/yaml.h"

/* Words that one of the two versions takes for something else than a string, in any case */
static const char *const other_words[] = {"false", "n", "no", "null", "off", "on", "true", "y", "yes"};

/*
 * Characters that YAML does not allow as they are (5.1 of the specification), that one of the versions
 * takes for the end of a line, those that look like a blank or nothing, and those that change the direction of the rest.
 */
static const struct
{
	pg_wchar	first;
	pg_wchar	last;
}			escaped_characters[] = {
	{0x0000, 0x001F},
	{0x007F, 0x00A0},
	{0x200E, 0x200F},
	{0x2028, 0x202E},
	{0x2066, 0x2069},
	{0xFEFF, 0xFEFF},
	{0xFFFE, 0xFFFF},
};

/* Return the length of a character, and what it is. */
static int
read_character(const char *utf8, pg_wchar *character)
{
	*character = utf8_to_unicode((const unsigned char *) utf8);
	return pg_utf_mblen((const unsigned char *) utf8);
}

static bool
is_escaped(pg_wchar character)
{
	for (size_t i = 0; i < lengthof(escaped_characters); i++)
	{
		if (character >= escaped_characters[i].first && character <= escaped_characters[i].last)
			return true;
	}
	return false;
}

/* Are all characters, but for those that are allowed, written as they are? */
static bool
is_printable(const char *utf8, char allowed)
{
	while (*utf8 != '\0')
	{
		pg_wchar	character;

		utf8 += read_character(utf8, &character);
		if (is_escaped(character) && character != (unsigned char) allowed)
			return false;
	}
	return true;
}

static bool
is_other_word(const char *string)
{
	for (size_t i = 0; i < lengthof(other_words); i++)
	{
		if (pg_strcasecmp(string, other_words[i]) == 0)
			return true;
	}
	return false;
}

/* Can it stand without quotes?  What begins with a letter is no number, date or sign of YAML. */
static bool
is_plain(const char *utf8)
{
	size_t		length = strlen(utf8);
	bool		letter = isalpha((unsigned char) utf8[0]) || IS_HIGHBIT_SET(utf8[0]);

	return letter && utf8[length - 1] != ' ' && utf8[length - 1] != ':' &&
		strstr(utf8, ": ") == NULL && strstr(utf8, " #") == NULL &&
		!is_other_word(utf8) && is_printable(utf8, '\0');
}

/* Can it be a block of lines?  None may end in a blank, which nobody would see, and the first not begin with one. */
static bool
is_block(const char *utf8)
{
	size_t		length = strlen(utf8);

	return strchr(utf8, '\n') != NULL && utf8[0] != ' ' && utf8[0] != '\n' &&
		utf8[length - 1] != ' ' && utf8[length - 1] != '\n' &&
		strstr(utf8, " \n") == NULL && is_printable(utf8, '\n');
}

static void
append_block(StringInfo out, const char *utf8, int indent)
{
	appendStringInfoString(out, "|-");
	while (utf8 != NULL)
	{
		const char *end = strchr(utf8, '\n');
		int			length = end != NULL ? (int) (end - utf8) : (int) strlen(utf8);

		appendStringInfoChar(out, '\n');
		if (length > 0)
			appendStringInfo(out, "%*s", indent, "");
		appendBinaryStringInfo(out, utf8, length);
		utf8 = end != NULL ? end + 1 : NULL;
	}
}

/* The escapes are those of JSON, too. */
static void
append_quoted(StringInfo out, const char *utf8)
{
	pg_wchar	character;
	int			length;

	appendStringInfoChar(out, '"');
	for (; *utf8 != '\0'; utf8 += length)
	{
		length = read_character(utf8, &character);
		if (character == '\n')
			appendStringInfoString(out, "\\n");
		else if (character == '\t')
			appendStringInfoString(out, "\\t");
		else if (is_escaped(character))
			appendStringInfo(out, "\\u%04X", (unsigned int) character);
		else
		{
			if (*utf8 == '"' || *utf8 == '\\')
				appendStringInfoChar(out, '\\');
			appendBinaryStringInfo(out, utf8, length);
		}
	}
	appendStringInfoChar(out, '"');
}

/* Append what was written as UTF-8 in the encoding of the database. */
static void
append_converted(StringInfo out, const StringInfo utf8)
{
	appendStringInfoString(out, pg_any_to_server(utf8->data, utf8->len, PG_UTF8));
}

/* Append a string, as a block only if there is an indentation for it. */
static void
append_string(StringInfo out, const char *string, int indent)
{
	const char *utf8 = pg_server_to_any(string, strlen(string), PG_UTF8);
	StringInfoData written;

	initStringInfo(&written);
	if (is_plain(utf8))
		appendStringInfoString(&written, utf8);
	else if (indent > 0 && is_block(utf8))
		append_block(&written, utf8, indent);
	else
		append_quoted(&written, utf8);
	append_converted(out, &written);
	pfree(written.data);
}

/* Append the key of a mapping. */
void
dbkit_append_yaml_key(StringInfo out, const char *string)
{
	append_string(out, string, 0);
	appendStringInfoChar(out, ':');
}

/* Append a string as the value of a key; its further lines are indented by that much. */
void
dbkit_append_yaml_value(StringInfo out, const char *string, int indent)
{
	appendStringInfoChar(out, ' ');
	append_string(out, string, indent);
}
