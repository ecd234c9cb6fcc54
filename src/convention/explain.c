/*-------------------------------------------------------------------------
 *
 * explain.c
 *		Why a rule exists: dbkit.explain_rule().
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

static const struct
{
	const char *rule;
	const char *text;
}			pages[] = {
#include "convention/rule_pages.inc"
};

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

	for (size_t i = 0; i < lengthof(pages); i++)
	{
		if (strcmp(pages[i].rule, rule) == 0)
			PG_RETURN_TEXT_P(cstring_to_text(pages[i].text));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized rule: \"%s\"", rule),
			 errhint("The view dbkit.rules lists them.")));
}
