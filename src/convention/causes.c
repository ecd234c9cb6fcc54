/*-------------------------------------------------------------------------
 *
 * causes.c
 *		One cause, one finding.
 *
 * What one rule demands may be part of what another demands: an "id" that has to
 * be a uuid is not also an integer that has to be a bigint.  Only the first is
 * said.  That comes after all rules have judged, so that each of them can be read,
 * and switched off, by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/causes.h"

/* Is row level security disabled?  Its row in pg_class is read whatever is asked for. */
static bool
lacks_row_security(const Facts *facts)
{
	return !facts->read.rls_enabled;
}

/* Is there no column that an updated_at trigger could set? */
static bool
lacks_updated_at(const Facts *facts)
{
	return dbkit_facts_listed_column(facts, dbkit_agreement()->updated_at_columns) == NULL;
}

/* What is implied, and by what */
static const struct
{
	const char *rule;			/* says it: for the same column or policy, or */
	bool		(*lacks) (const Facts *facts);	/* where that is true, for all */
	const char *implied;
}			causes[] = {
	{"primary_key", NULL, "bigint"},
	{"primary_key", NULL, "timestamptz"},
	{"primary_key", NULL, "enum_type"},
	{"text_id", NULL, "bigint"},
	{"text_id", NULL, "timestamptz"},
	{"text_id", NULL, "enum_type"},
	{"created_at", NULL, "timestamptz"},
	{"updated_at", NULL, "timestamptz"},
	{"updated_at", lacks_updated_at, "updated_at_trigger"},
	{"rls_enabled", lacks_row_security, "rls_policy"},
	{"rls_enabled", lacks_row_security, "rls_forced"},
	{"rls_enabled", lacks_row_security, "policy_with_check"},
	{"rls_enabled", lacks_row_security, "open_policy"},
	{"rls_enabled", lacks_row_security, "forgeable_policy"},
	{"open_policy", NULL, "policy_with_check"},
	{"view_security_invoker", NULL, "rls_view"},
};

static bool
same_string(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Are they about the same column or policy, or both about a view as a whole? */
static bool
is_about_same(const Finding *a, const Finding *b)
{
	return same_string(a->column, b->column) || same_string(a->part, b->part) || a->facts->kind == KIND_VIEW;
}

/* Is it a finding of that rule about the same, at that level or above? */
static bool
says_it(const Finding *finding, const char *rule, const Finding *implied)
{
	return strcmp(finding->rule->id, rule) == 0 && finding->level >= implied->level && is_about_same(finding, implied);
}

/* Does one of the findings, from the given one on, say it already? */
static bool
is_said(const List *findings, int from, const char *rule, const Finding *implied)
{
	for (int i = from; i < list_length(findings); i++)
	{
		if (says_it(list_nth(findings, i), rule, implied))
			return true;
	}
	return false;
}

/* Need a finding not be said, because of the others? */
static bool
is_implied(const List *findings, int from, const Finding *finding)
{
	for (size_t i = 0; i < lengthof(causes); i++)
	{
		if (strcmp(causes[i].implied, finding->rule->id) != 0)
			continue;
		if (causes[i].lacks != NULL ? causes[i].lacks(finding->facts) :
			is_said(findings, from, causes[i].rule, finding))
			return true;
	}
	return false;
}

/* Is there a finding of that rule among those from the given one on? */
static bool
has_finding_of(const List *findings, int from, const char *rule)
{
	for (int i = from; i < list_length(findings); i++)
	{
		if (strcmp(((const Finding *) list_nth(findings, i))->rule->id, rule) == 0)
			return true;
	}
	return false;
}

/* Is a finding about something that the table lacks, and that nobody demands? */
static bool
is_pointless(const List *findings, int from, const Finding *finding)
{
	for (size_t i = 0; i < lengthof(causes); i++)
	{
		if (strcmp(causes[i].implied, finding->rule->id) == 0 && causes[i].lacks != NULL &&
			causes[i].lacks(finding->facts) && !has_finding_of(findings, from, causes[i].rule))
			return true;
	}
	return false;
}

/* Take out of a list those findings that matter only where something else is, which will not be. */
List *
dbkit_drop_pointless(List *findings, int from)
{
	List	   *result = list_truncate(list_copy(findings), from);

	for (int i = from; i < list_length(findings); i++)
	{
		if (!is_pointless(findings, from, list_nth(findings, i)))
			result = lappend(result, list_nth(findings, i));
	}
	return result;
}

/*
 * Take out of a list the findings that others imply.  Those before "from" stay; the others
 * are all on one object.
 */
List *
dbkit_merge_causes(List *findings, int from)
{
	List	   *result;

	if (list_length(findings) == from)
		return findings;
	result = list_truncate(list_copy(findings), from);
	for (int i = from; i < list_length(findings); i++)
	{
		if (!is_implied(findings, from, list_nth(findings, i)))
			result = lappend(result, list_nth(findings, i));
	}
	return result;
}
