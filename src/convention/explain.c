/*-------------------------------------------------------------------------
 *
 * explain.c
 *		Why a rule exists: dbkit.explain_rule(), and the column of dbkit.rules.
 *
 * What it says is the rule's page in docs/rules, which the Makefile turns into
 * rule_pages.inc.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/explain.h"

static const struct
{
	const char *rule;
	const char *text;
}			pages[] = {
#include "convention/rule_pages.inc"
};

/* Return a rule's page, or NULL for an unknown rule. */
static const char *
find_page(const char *rule)
{
	for (size_t i = 0; i < lengthof(pages); i++)
	{
		if (strcmp(pages[i].rule, rule) == 0)
			return pages[i].text;
	}
	return NULL;
}

/* Return the first paragraph of a rule's page, in one line; NULL where it has no page. */
char *
dbkit_explain_why(const char *rule)
{
	const char *page = find_page(rule);
	const char *title_end = page != NULL ? strstr(page, "\n\n") : NULL;
	const char *why_end = title_end != NULL ? strstr(title_end + 2, "\n\n") : NULL;
	char	   *why;

	if (why_end == NULL)
		return NULL;
	why = pnstrdup(title_end + 2, why_end - (title_end + 2));
	for (char *p = why; *p != '\0'; p++)
	{
		if (*p == '\n')
			*p = ' ';
	}
	return why;
}

PG_FUNCTION_INFO_V1(dbkit_explain_rule);

/*
 * dbkit.explain_rule(rule text) returns text
 *
 * Why the rule exists, what it refuses and accepts, how to fix that, what it costs on a large
 * table, and how to be exempt, as Markdown.  Errors: invalid_parameter_value for an unknown rule.
 */
Datum
dbkit_explain_rule(PG_FUNCTION_ARGS)
{
	char	   *rule = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *page = find_page(rule);

	if (page == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized rule: \"%s\"", rule),
				 errhint("The view dbkit.rules lists them.")));
	PG_RETURN_TEXT_P(cstring_to_text(page));
}
