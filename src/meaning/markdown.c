/*-------------------------------------------------------------------------
 *
 * markdown.c
 *		Describe tables for people and language models, as Markdown (CommonMark).
 *
 * Names and SQL are code, comments are text.  Both stay on their line, whatever is in them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"

#include "common.h"
#include "meaning/description.h"
#include "meaning/documented.h"

/* What begins something in Markdown or HTML wherever it stands in a text */
#define MARKUP	"\\`*_[]<>&~$|"

static const struct
{
	char		relkind;
	const char *word;
}			relation_words[] = {
	{RELKIND_RELATION, "Table"},
	{RELKIND_PARTITIONED_TABLE, "Partitioned table"},
	{RELKIND_VIEW, "View"},
	{RELKIND_MATVIEW, "Materialized view"},
	{RELKIND_FOREIGN_TABLE, "Foreign table"},
};

/* Keys that have a line of their own */
static const struct
{
	char		type;
	const char *word;
}			key_words[] = {
	{KEY_PRIMARY, "primary key"},
	{KEY_UNIQUE, "unique"},
	{KEY_INDEX, "unique"},
	{KEY_FOREIGN, "foreign key"},
	{KEY_CHECK, "check"},
	{KEY_EXCLUSION, "exclusion"},
};

/* Return a text with each run of blanks, line breaks and control characters as one blank. */
static char *
one_line(const char *text)
{
	StringInfoData line;

	initStringInfo(&line);
	for (; *text != '\0'; text++)
	{
		bool		blank = (unsigned char) *text <= ' ' || *text == '\x7f';

		if (!blank)
			appendStringInfoChar(&line, *text);
		else if (line.len > 0 && line.data[line.len - 1] != ' ')
			appendStringInfoChar(&line, ' ');
	}
	if (line.len > 0 && line.data[line.len - 1] == ' ')
		line.data[--line.len] = '\0';
	return line.data;
}

/* Return the length of the longest run of backticks. */
static int
longest_run(const char *text)
{
	int			longest = 0;

	while (*text != '\0')
	{
		int			run = strspn(text, "`");

		longest = Max(longest, run);
		text += Max(run, 1);
	}
	return longest;
}

/* Append names or SQL: between more backticks than there are in them, away from those at the ends. */
static void
append_code(StringInfo out, const char *code)
{
	const char *line = one_line(code);
	int			run = longest_run(line);
	bool		apart = line[0] == '\0' || line[0] == '`' || line[strlen(line) - 1] == '`';

	for (int i = 0; i <= run; i++)
		appendStringInfoChar(out, '`');
	appendStringInfo(out, apart ? " %s " : "%s", line);
	for (int i = 0; i <= run; i++)
		appendStringInfoChar(out, '`');
}

static bool
is_word_character(char c)
{
	return isalnum((unsigned char) c) || IS_HIGHBIT_SET(c);
}

/* Append a text that is not the beginning of its line. */
static void
append_text(StringInfo out, const char *text)
{
	const char *line = one_line(text);

	for (const char *c = line; *c != '\0'; c++)
	{
		/* Within a word, the underscore is nothing but one */
		bool		within_word = *c == '_' && c > line && is_word_character(c[-1]) && is_word_character(c[1]);

		if (strchr(MARKUP, *c) != NULL && !within_word)
			appendStringInfoChar(out, '\\');
		appendStringInfoChar(out, *c);
	}
}

/* Append a comment, if there is something in it. */
static void
append_comment(StringInfo out, const char *comment)
{
	if (comment == NULL || one_line(comment)[0] == '\0')
		return;
	appendStringInfoString(out, ": ");
	append_text(out, comment);
}

static void
append_names(StringInfo out, const List *names)
{
	ListCell   *lc;

	foreach(lc, names)
		appendStringInfo(out, "%s%s", foreach_current_index(lc) > 0 ? ", " : "", dbkit_documented_identifier(lfirst(lc)));
}

/* Append a column as CREATE TABLE would have it. */
static void
append_column_sql(StringInfo out, const Description *relation, const ColumnText *column)
{
	List	   *name = list_make1(column->name);
	bool		primary = dbkit_find_key(relation, KEY_PRIMARY, name) != NULL;
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s %s", dbkit_documented_identifier(column->name), column->type);
	if (primary)
		appendStringInfoString(&sql, " primary key");
	else if (column->not_null)
		appendStringInfoString(&sql, " not null");
	if (dbkit_find_key(relation, KEY_UNIQUE, name) != NULL)
		appendStringInfoString(&sql, " unique");
	if (column->identity)
		appendStringInfoString(&sql, " identity");
	if (column->generation != NULL)
		appendStringInfo(&sql, " generated as (%s)", column->generation);
	if (column->default_expression != NULL)
		appendStringInfo(&sql, " default %s", column->default_expression);
	append_code(out, sql.data);
}

/* Append what a foreign key references: the table, the column, and what happens when that row goes. */
static void
append_reference(StringInfo out, const KeyText *key)
{
	StringInfoData target;

	initStringInfo(&target);
	appendStringInfo(&target, "%s(", key->referenced != NULL ? key->referenced : "");
	append_names(&target, key->referenced_columns);
	appendStringInfoChar(&target, ')');
	appendStringInfoString(out, " -> ");
	append_code(out, target.data);
	if (key->on_delete != NULL)
		appendStringInfo(out, " on delete %s", key->on_delete);
}

static void
append_column(StringInfo out, const Description *relation, const ColumnText *column)
{
	const KeyText *reference = dbkit_find_key(relation, KEY_FOREIGN, list_make1(column->name));

	appendStringInfoString(out, "- ");
	append_column_sql(out, relation, column);
	if (reference != NULL)
		append_reference(out, reference);
	append_comment(out, column->comment);
	appendStringInfoChar(out, '\n');
}

/* Is it said with its column?  The second foreign key of a column has to have a line. */
static bool
is_said_of_column(const Description *relation, const KeyText *key)
{
	return key->definition == NULL && list_length(key->columns) == 1 &&
		dbkit_find_key(relation, key->type, key->columns) == key;
}

/* Return the definition without the word that the line begins with, and without the parentheses of a CHECK. */
static char *
plain_definition(const KeyText *key)
{
	const char *check = "CHECK (";
	const char *end;

	if (strncmp(key->definition, check, strlen(check)) != 0)
		return key->definition;
	end = strrchr(key->definition, ')');
	return psprintf("%.*s%s", (int) (end - key->definition - strlen(check)), key->definition + strlen(check), end + 1);
}

static void
append_key(StringInfo out, const KeyText *key)
{
	StringInfoData sql;

	for (size_t i = 0; i < lengthof(key_words); i++)
	{
		if (key_words[i].type == key->type)
			appendStringInfo(out, "* %s: ", key_words[i].word);
	}
	initStringInfo(&sql);
	if (key->definition != NULL)
		appendStringInfoString(&sql, plain_definition(key));
	else
		append_names(&sql, key->columns);
	append_code(out, sql.data);
	if (key->type == KEY_FOREIGN)
		append_reference(out, key);
	appendStringInfoChar(out, '\n');
}

static void
append_policy(StringInfo out, const PolicyText *policy)
{
	appendStringInfo(out, "* %spolicy ", policy->permissive ? "" : "restrictive ");
	append_code(out, policy->name);
	appendStringInfo(out, " for %s to ", policy->command);
	append_code(out, policy->roles != NULL ? policy->roles : "");
	if (policy->using != NULL)
	{
		appendStringInfoString(out, " using ");
		append_code(out, policy->using);
	}
	if (policy->with_check != NULL)
	{
		appendStringInfoString(out, " with check ");
		append_code(out, policy->with_check);
	}
	appendStringInfoChar(out, '\n');
}

/* Append the line of values of an enum. */
static void
append_values(StringInfo out, const List *values, bool more)
{
	ListCell   *lc;

	foreach(lc, values)
	{
		if (foreach_current_index(lc) > 0)
			appendStringInfoString(out, ", ");
		append_code(out, lfirst(lc));
	}
	if (more)
		appendStringInfoString(out, " and more");
}

/* Append what a relation is as a whole, and what its comment says. */
static void
append_summary(StringInfo out, const Description *relation)
{
	for (size_t i = 0; i < lengthof(relation_words); i++)
	{
		if (relation_words[i].relkind == relation->relkind)
			appendStringInfoString(out, relation_words[i].word);
	}
	if (relation->partition_key != NULL)
	{
		appendStringInfoString(out, " by ");
		append_code(out, relation->partition_key);
		appendStringInfo(out, ", %s partition%s", relation->partitions, strcmp(relation->partitions, "1") == 0 ? "" : "s");
	}
	if (relation->prefix != NULL)
	{
		appendStringInfoString(out, ", ids ");
		append_code(out, psprintf("%s_...", relation->prefix));
	}
	append_comment(out, relation->comment);
	appendStringInfoChar(out, '\n');
}

/* Append what concerns several columns or rows: a second list, which Markdown takes as such by its asterisks. */
static void
append_second_list(StringInfo out, const Description *relation)
{
	StringInfoData list;
	ListCell   *lc;

	initStringInfo(&list);
	foreach(lc, relation->keys)
	{
		if (!is_said_of_column(relation, lfirst(lc)))
			append_key(&list, lfirst(lc));
	}
	if (relation->values != NIL)
	{
		appendStringInfoString(&list, "* values: ");
		append_values(&list, relation->values, relation->more_values);
		appendStringInfoChar(&list, '\n');
	}
	if (relation->row_security)
		appendStringInfo(&list, "* row level security%s\n", relation->forced ? ", also for the owner" : "");
	foreach(lc, relation->policies)
		append_policy(&list, lfirst(lc));
	if (list.len > 0)
		appendStringInfo(out, "\n%s", list.data);
}

static void
append_relation(StringInfo out, const Description *relation)
{
	ListCell   *lc;

	appendStringInfoString(out, "\n## ");
	append_code(out, relation->name);
	appendStringInfoChar(out, '\n');
	append_summary(out, relation);
	if (relation->columns != NIL)
		appendStringInfoChar(out, '\n');
	foreach(lc, relation->columns)
		append_column(out, relation, lfirst(lc));
	append_second_list(out, relation);
}

static void
append_types(StringInfo out, const List *types)
{
	ListCell   *lc;

	if (types != NIL)
		appendStringInfoString(out, "\n## Enum types\n\n");
	foreach(lc, types)
	{
		const EnumType *type = lfirst(lc);

		appendStringInfoString(out, "- ");
		append_code(out, type->name);
		appendStringInfoString(out, ": ");
		append_values(out, type->values, false);
		append_comment(out, type->comment);
		appendStringInfoChar(out, '\n');
	}
}

/* Write Markdown: a section for each relation, and one for all enum types. */
void
dbkit_write_markdown(StringInfo out, const Descriptions *descriptions)
{
	ListCell   *lc;

	appendStringInfoString(out, "# Tables\n");
	if (descriptions->relations == NIL)
		appendStringInfoString(out, "\nThere are none.\n");
	foreach(lc, descriptions->relations)
		append_relation(out, lfirst(lc));
	append_types(out, descriptions->types);
}
