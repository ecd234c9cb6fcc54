/*-------------------------------------------------------------------------
 *
 * explain.c
 *		Why a rule exists: dbkit.explain_rule(), and the column of dbkit.rules.
 *
 * What it says is the rule's page in docs/rules, which the Makefile turns into
 * rule_pages.inc; that of a rule of the team is written here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "commands/comment.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/explain.h"
#include "convention/rules/rules.h"
#include "convention/team_judge.h"
#include "convention/team_rules.h"

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

/* Return what the team says of a rule: the comment on its function, or the description. */
static char *
explain_team_rule(const TeamRuleDefinition *definition)
{
	char	   *comment = GetComment(dbkit_find_team_function(definition->function), ProcedureRelationId, 0);

	return comment != NULL ? comment : definition->description;
}

/*
 * Return why there is the rule: of dbkit's the first paragraph of its page, in one line; NULL
 * where it has no page.
 */
char *
dbkit_explain_why(const Rule *rule)
{
	const char *page = find_page(rule->id);
	const char *title_end = page != NULL ? strstr(page, "\n\n") : NULL;
	const char *why_end = title_end != NULL ? strstr(title_end + 2, "\n\n") : NULL;
	char	   *why;

	if (rule->of_team)
		return explain_team_rule(dbkit_team_rule(rule)->definition);
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

/* Return the page of a rule of the team, in the form of the others. */
static char *
write_page(const Rule *rule)
{
	const TeamRuleDefinition *definition = dbkit_team_rule(rule)->definition;
	TeamFunction function = dbkit_team_function(dbkit_find_team_function(definition->function));
	StringInfoData page;

	initStringInfo(&page);
	appendStringInfo(&page, "# %s: %s\n\n%s\n\n", rule->id, rule->description, explain_team_rule(definition));
	appendStringInfo(&page, "A rule of the team's own. `%s` judges objects of these kinds, %s: %s.\n",
					 definition->function, rule->phase == PHASE_COMMIT ? "before COMMIT" : "when a statement ends",
					 dbkit_list_kinds(rule->kinds));
	if (function.trouble != NULL)
		appendStringInfo(&page, "It does not judge now: %s.\n", function.trouble);
	appendStringInfo(&page, "\n## How to be exempt\n\n```sql\nSELECT dbkit.exempt('public.the_table', '%s', 'why it may');\n```\n\n"
					 "For the whole database: `SELECT dbkit.agree('{\"rules\": {\"%s\": \"off\"}}')`; `SELECT dbkit.drop_rule('%s')` drops the rule.\n",
					 rule->id, rule->id, rule->id);
	return page.data;
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
	char	   *id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *page = find_page(id);
	const Rule *rule;

	if (page != NULL)
		PG_RETURN_TEXT_P(cstring_to_text(page));
	dbkit_refresh_agreement();
	rule = dbkit_find_rule(id);
	if (rule == NULL || !rule->of_team)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized rule: \"%s\"", id),
				 errhint("The view dbkit.rules lists them.")));
	PG_RETURN_TEXT_P(cstring_to_text(write_page(rule)));
}
