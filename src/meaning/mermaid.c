/*-------------------------------------------------------------------------
 *
 * mermaid.c
 *		Describe tables as an entity-relationship diagram of Mermaid.
 *
 * The grammar takes few characters as they are: names of tables stand in quotes, with the codes of HTML for all
 * else; columns cannot, so what does not fit is replaced, and the name stands beside them as a comment.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"

#include "common.h"
#include "meaning/description.h"
#include "meaning/documented.h"

/* A blank at the beginning would be taken away, and a name of blanks alone breaks the drawing */
#define NO_BREAK_SPACE	160

/* What means something where a column's name is expected, in any case */
static const char *const attribute_keys[] = {"fk", "pk", "uk"};

static bool
is_plain(const char *c, const char *text)
{
	/* Two underscores, or one at an end, make what is between them bold */
	if (*c == '_')
		return c > text && isalnum((unsigned char) c[-1]) && isalnum((unsigned char) c[1]);
	return isalnum((unsigned char) *c) || IS_HIGHBIT_SET(*c) || *c == '.' || *c == ',' || *c == ' ';
}

/* Append a string of Mermaid: characters by their number where they could mean something. */
static void
append_quoted(StringInfo out, const char *text)
{
	appendStringInfoChar(out, '"');
	for (const char *c = text; *c != '\0'; c++)
	{
		unsigned char byte = *c;

		if (byte < ' ' || byte == '\x7f')
			byte = ' ';
		if (byte == ' ' && c == text)
			appendStringInfo(out, "#%d;", NO_BREAK_SPACE);
		else if (is_plain(c, text) || byte == ' ')
			appendStringInfoChar(out, byte);
		else
			appendStringInfo(out, "#%d;", byte);
	}
	appendStringInfoChar(out, '"');
}

/* Return a word that Mermaid takes as the type or the name of a column, in which it takes these signs, too. */
static char *
make_word(const char *text, const char *signs)
{
	StringInfoData word;

	initStringInfo(&word);
	if (*text >= '0' && *text <= '9')
		appendStringInfoChar(&word, '_');
	for (; *text != '\0'; text++)
		appendStringInfoChar(&word, isalnum((unsigned char) *text) || IS_HIGHBIT_SET(*text) || strchr(signs, *text) != NULL ? *text : '_');
	for (size_t i = 0; i < lengthof(attribute_keys); i++)
	{
		if (pg_strcasecmp(word.data, attribute_keys[i]) == 0)
			appendStringInfoChar(&word, '_');
	}
	return word.data;
}

static bool
is_part_of(const Description *relation, char type, const ColumnText *column)
{
	ListCell   *lc;

	foreach(lc, relation->keys)
	{
		const KeyText *key = lfirst(lc);
		ListCell   *name;

		foreach(name, key->type == type ? key->columns : NIL)
		{
			if (strcmp(lfirst(name), column->name) == 0)
				return true;
		}
	}
	return false;
}

static void
append_column(StringInfo out, const Description *relation, const ColumnText *column)
{
	bool		primary = is_part_of(relation, KEY_PRIMARY, column);
	bool		foreign = is_part_of(relation, KEY_FOREIGN, column);
	const char *word = make_word(column->name, "");

	appendStringInfo(out, "    %s %s%s%s", make_word(column->type, "(),[]."), word,
					 primary ? " PK" : "", foreign ? primary ? ", FK" : " FK" : "");
	if (strcmp(word, column->name) != 0)
	{
		appendStringInfoChar(out, ' ');
		append_quoted(out, column->name);
	}
	appendStringInfoChar(out, '\n');
}

static bool
is_not_null(const Description *relation, const char *name)
{
	ListCell   *lc;

	foreach(lc, relation->columns)
	{
		const ColumnText *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column->not_null;
	}
	return false;
}

/* Does every row reference one? */
static bool
is_mandatory(const Description *relation, const KeyText *reference)
{
	ListCell   *lc;

	foreach(lc, reference->columns)
	{
		if (!is_not_null(relation, lfirst(lc)))
			return false;
	}
	return true;
}

/* Append a foreign key: how many rows there are at either end, and the columns. */
static void
append_reference(StringInfo out, const Description *relation, const KeyText *key)
{
	bool		unique = dbkit_find_key(relation, KEY_PRIMARY, key->columns) != NULL ||
	dbkit_find_key(relation, KEY_UNIQUE, key->columns) != NULL;
	StringInfoData columns;
	ListCell   *lc;

	initStringInfo(&columns);
	foreach(lc, key->columns)
		appendStringInfo(&columns, "%s%s", foreach_current_index(lc) > 0 ? ", " : "", (char *) lfirst(lc));
	appendStringInfoString(out, "  ");
	append_quoted(out, relation->name);
	appendStringInfo(out, " %s--%s ", unique ? "|o" : "}o", is_mandatory(relation, key) ? "||" : "o|");
	append_quoted(out, key->referenced != NULL ? key->referenced : "");
	appendStringInfoString(out, " : ");
	append_quoted(out, columns.data);
	appendStringInfoChar(out, '\n');
}

static void
append_relation(StringInfo out, const Description *relation)
{
	ListCell   *lc;

	appendStringInfoString(out, "  ");
	append_quoted(out, relation->name);
	appendStringInfoString(out, " {\n");
	foreach(lc, relation->columns)
		append_column(out, relation, lfirst(lc));
	appendStringInfoString(out, "  }\n");
	foreach(lc, relation->keys)
	{
		if (((KeyText *) lfirst(lc))->type == KEY_FOREIGN)
			append_reference(out, relation, lfirst(lc));
	}
}

/* Write an erDiagram.  Views are left out: nothing leads to them or from them. */
void
dbkit_write_mermaid(StringInfo out, const Descriptions *descriptions)
{
	ListCell   *lc;

	appendStringInfoString(out, "erDiagram\n");
	foreach(lc, descriptions->relations)
	{
		const Description *relation = lfirst(lc);

		if (relation->relkind != RELKIND_VIEW && relation->relkind != RELKIND_MATVIEW)
			append_relation(out, relation);
	}
}
