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

/* The rules that say of which type a column is to be: one of a lower rank says it for the others */
static const struct
{
	const char *rule;
	int			rank;
}			type_rules[] = {
	{"primary_key", 1},
	{"text_id", 1},
	{"created_at", 1},
	{"updated_at", 1},
	{"storytime", 1},
	{"timestamptz", 2},
	{"bigint", 2},
	{"enum_type", 2},
	{"text_type", 2},
	{"jsonb_type", 2},
	{"money_type", 2},
	{"fk_type", 3},
};

/* What else is implied, and by what */
static const struct
{
	const char *rule;			/* says it: of the same column or policy, of
								 * the object as a whole, or */
	bool		(*lacks) (const Facts *facts);	/* where that is true, for all */
	const char *implied;
}			causes[] = {
	{"updated_at", lacks_updated_at, "updated_at_trigger"},
	{"rls_enabled", lacks_row_security, "rls_policy"},
	{"rls_enabled", lacks_row_security, "rls_forced"},
	{"rls_enabled", lacks_row_security, "policy_with_check"},
	{"rls_enabled", lacks_row_security, "open_policy"},
	{"rls_enabled", lacks_row_security, "forgeable_policy"},
	{"security_definer_path", NULL, "function_search_path"},
	{"open_policy", NULL, "policy_with_check"},
	{"view_security_invoker", NULL, "rls_view"},
};

/* Return the rank of a rule among those about types, or 0. */
static int
type_rank(const Rule *rule)
{
	for (size_t i = 0; i < lengthof(type_rules); i++)
	{
		if (strcmp(type_rules[i].rule, rule->id) == 0)
			return type_rules[i].rank;
	}
	return 0;
}

static bool
same_string(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Does a finding say of which type the column is to be, in place of the other one? */
static bool
says_type(const Finding *finding, const Finding *implied)
{
	int			rank = type_rank(finding->rule);

	return rank != 0 && rank < type_rank(implied->rule) && same_string(finding->column, implied->column);
}

/* Are they about the same column or policy, or both about a view or function as a whole? */
static bool
is_about_same(const Finding *a, const Finding *b)
{
	return same_string(a->column, b->column) || same_string(a->part, b->part) ||
		(a->facts->kind & (KIND_TABLE | KIND_ENUM_TABLE)) == 0;
}

/* Does one of the findings, from the given one on, say it already, at that level or above? */
static bool
is_said(const List *findings, int from, const char *rule, const Finding *implied)
{
	for (int i = from; i < list_length(findings); i++)
	{
		const Finding *finding = list_nth(findings, i);

		if (finding->level >= implied->level &&
			(rule != NULL ? strcmp(finding->rule->id, rule) == 0 && is_about_same(finding, implied) :
			 says_type(finding, implied)))
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
	return is_said(findings, from, NULL, finding);
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
