/*-------------------------------------------------------------------------
 *
 * names.c
 *		Rules about the names of tables and columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/keywords.h"
#include "lib/stringinfo.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/rules/files.h"

/* What a server is built for that nobody has built otherwise */
#define MAX_LENGTH		63

/* Is it a word that SQL uses itself?  Those that are not reserved are names like any other. */
static bool
is_keyword(const char *name)
{
	int			number = ScanKeywordLookup(name, &ScanKeywords);

	return number >= 0 && ScanKeywordCategories[number] != UNRESERVED_KEYWORD;
}

/* Does a name consist of lower-case letters, digits and underscores, and fit? */
static bool
is_plain(const char *name)
{
	size_t		length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return name[length] == '\0' && length <= MAX_LENGTH && (name[0] < '0' || name[0] > '9');
}

/* Is it a name that needs no quotes, as quote_identifier() sees it, whatever quote_all_identifiers says? */
static bool
is_snake_case(const char *name)
{
	return is_plain(name) && !is_keyword(name);
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Does a word begin at a capital: after another one that ended, or before small letters? */
static bool
begins_word(const char *name, const char *c)
{
	return is_upper(*c) && c > name &&
		(is_lower_or_digit(c[-1]) || (is_upper(c[-1]) && is_lower_or_digit(c[1])));
}

/* Return the name that is meant, as orderDate means order_date, or NULL where there is none. */
static char *
snake_case_of(const char *name)
{
	StringInfoData result;

	initStringInfo(&result);
	for (const char *c = name; *c != '\0'; c++)
	{
		bool		letter = is_upper(*c) || is_lower_or_digit(*c);

		if (IS_HIGHBIT_SET(*c))
			return NULL;
		if ((begins_word(name, c) || !letter) && (result.len == 0 || result.data[result.len - 1] != '_'))
			appendStringInfoChar(&result, '_');
		if (letter)
			appendStringInfoChar(&result, pg_ascii_tolower((unsigned char) *c));
	}
	/* What ends in something else does not end in an underscore, either */
	while (result.len > 0 && result.data[result.len - 1] == '_' && !dbkit_ends_with(name, "_"))
		result.data[--result.len] = '\0';
	return result.len > 0 && is_snake_case(result.data) ? result.data : NULL;
}

/* Say what is wrong with a name. */
static const char *
find_flaw(const char *name)
{
	return is_keyword(name) ? "is a keyword of SQL" :
		strlen(name) > MAX_LENGTH ? "is longer than 63 bytes" : "has to be written in quotes";
}

/* Is there a table, or something else with such a name, beside this one? */
static bool
is_taken(const Facts *facts, const char *name)
{
	Oid			schema = dbkit_catalog_search(facts->catalogs, CATALOG_SCHEMA, facts->schema, NULL, InvalidOid);

	return OidIsValid(dbkit_catalog_search(facts->catalogs, CATALOG_RELATION, name, NULL, schema));
}

/* Judge the name of a column.  A new table can have another one; that of an old one is in use. */
static void
judge_column_name(Judgement *judgement, const ColumnFacts *column)
{
	char	   *name = snake_case_of(column->name);
	Finding    *finding;

	if (name != NULL && dbkit_facts_column(judgement->facts, name) != NULL)
		name = NULL;
	finding = dbkit_add_finding(judgement, column->name, "column \"%s\" %s; use %s", column->name,
								find_flaw(column->name), name != NULL ? name : "another name");
	if (name != NULL)
		(void) dbkit_add_action(finding, ACTION_SET_NAME, column->name, name, NULL);
}

/* Judge that the names of a table and its columns need no quotes. */
static void
judge_snake_case(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	char	   *name = is_snake_case(facts->name) ? NULL : snake_case_of(facts->name);
	ListCell   *lc;

	if (!is_snake_case(facts->name))
		dbkit_add_finding(judgement, NULL, "its name %s; use %s", find_flaw(facts->name),
						  name != NULL && !is_taken(facts, name) ? name : "another name");
	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		if (!is_snake_case(column->name))
			judge_column_name(judgement, column);
	}
}

Rule		dbkit_name_rules[] = {
	{
		.id = "snake_case",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_OBJECT | FACT_COLUMNS,
		.level = LEVEL_OFF,
		.description = "names of tables and columns need no quotes and are at most 63 bytes",
		.judge = judge_snake_case
	},
	{NULL}
};
