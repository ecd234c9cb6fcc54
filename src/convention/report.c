/*-------------------------------------------------------------------------
 *
 * report.c
 *		Turn findings into an error or a warning.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"

#include "common.h"
#include "convention/findings.h"
#include "convention/levels.h"
#include "convention/report.h"
#include "convention/rules/rules.h"

/* In one line, of those that are broken */
#define MAX_NAMED_RULES	3

/* Return how to name an object in a message: table "public.widgets". */
static char *
object_name(const Facts *facts)
{
	if (facts->kind == KIND_ROLE)
		return psprintf("%s \"%s\"", dbkit_kind_name(facts->kind), facts->name);
	return psprintf("%s \"%s.%s\"", dbkit_kind_name(facts->kind), facts->schema, facts->name);
}

static int
count_objects(const List *findings)
{
	const Finding *last = NULL;
	int			objects = 0;
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (last == NULL || !dbkit_same_object(last, lfirst(lc)))
			objects++;
		last = lfirst(lc);
	}
	return objects;
}

/* Return how many of the findings are the rule's. */
static int
count_of_rule(const List *findings, const Rule *rule)
{
	int			count = 0;
	ListCell   *lc;

	foreach(lc, findings)
		count += ((const Finding *) lfirst(lc))->rule == rule;
	return count;
}

/*
 * Name the rules that are broken, the first few of them: "bigint (2 times), fk_index and 7 more".
 * Many clients show nothing else than this line.
 */
static char *
name_rules(const List *findings)
{
	StringInfoData text;
	List	   *named = NIL;
	int			rest = list_length(findings);
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, findings)
	{
		const Rule *rule = ((const Finding *) lfirst(lc))->rule;
		int			count;

		if (list_member_ptr(named, rule))
			continue;
		count = count_of_rule(findings, rule);
		appendStringInfo(&text, "%s%s", named != NIL ? ", " : "", rule->id);
		if (count > 1)
			appendStringInfo(&text, " (%d times)", count);
		named = lappend(named, unconstify(Rule *, rule));
		rest -= count;
		if (list_length(named) == MAX_NAMED_RULES)
			break;
	}
	if (rest > 0)
		appendStringInfo(&text, " and %d more", rest);
	return text.data;
}

static char *
message(const List *findings)
{
	const Finding *first = linitial(findings);
	int			objects = count_objects(findings);

	if (objects > 1)
		return psprintf("%d objects break %d schema conventions: %s", objects,
						list_length(findings), name_rules(findings));
	if (list_length(findings) > 1)
		return psprintf("%s breaks %d schema conventions: %s", object_name(first->facts),
						list_length(findings), name_rules(findings));
	return psprintf("%s breaks the schema convention \"%s\": %s",
					object_name(first->facts), first->rule->id, first->problem);
}

/* Return a line per finding, with the object's name where there are several. */
static char *
detail(const List *findings)
{
	StringInfoData text;
	bool		several = count_objects(findings) > 1;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, findings)
	{
		Finding    *finding = lfirst(lc);

		dbkit_append_line(&text, psprintf("%s%s%s: %s.",
										  several ? object_name(finding->facts) : "",
										  several ? ": " : "",
										  finding->rule->id, finding->problem));
	}
	return text.data;
}

/* Return the column that all findings are about, or NULL. */
static const char *
single_column(const List *findings)
{
	const char *column = ((Finding *) linitial(findings))->column;
	ListCell   *lc;

	foreach(lc, findings)
	{
		Finding    *finding = lfirst(lc);

		if (column == NULL || finding->column == NULL ||
			strcmp(column, finding->column) != 0)
			return NULL;
	}
	return column;
}

/* Return the error field that holds the name of such an object, or 0. */
static int
name_field(ObjectKind kind)
{
	switch (kind)
	{
		case KIND_DEFINER:
		case KIND_FUNCTION:
		case KIND_ROLE:
			return 0;
		case KIND_ENUM_TYPE:
			return PG_DIAG_DATATYPE_NAME;
		default:
			return PG_DIAG_TABLE_NAME;
	}
}

static int
set_field(int field, const char *value)
{
	return field != 0 && value != NULL ? err_generic_string(field, value) : 0;
}

/* May the caller switch enforcement off, and would that let the findings pass? */
static bool
may_pass(const List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);

		if (dbkit_rule_level(finding->rule, finding->facts->schema, LEVEL_REQUIRED) != LEVEL_OFF)
			return false;
	}
	return superuser() || pg_parameter_aclcheck("dbkit.enforce", GetUserId(), ACL_SET) == ACLCHECK_OK;
}

/* Add to an error or a warning where the reasons are, and the way past. */
static int
set_context(const char *rule, bool may_pass)
{
	return errcontext("dbkit: SELECT dbkit.explain_rule('%s') says why and how to be exempt%s", rule,
					  may_pass ? "; SET LOCAL dbkit.enforce = off lets it pass" : "");
}

/* Send the findings of one level as one error or one warning; the hint is what fixes them, unless there is another. */
static void
send(int elevel, const List *findings, const char *hint, bool refusing)
{
	const Finding *first;
	bool		single;
	bool		passing;

	if (findings == NIL)
		return;
	first = linitial(findings);
	single = count_objects(findings) == 1;
	if (hint == NULL)
		hint = dbkit_fix(findings);
	passing = refusing && elevel >= ERROR && may_pass(findings);

	ereport(elevel,
			(errcode(ERRCODE_CONVENTION),
			 errmsg_internal("%s", message(findings)),
			 errdetail_internal("%s", detail(findings)),
			 hint != NULL ? errhint("%s", hint) : 0,
			 set_field(PG_DIAG_SCHEMA_NAME, single ? first->facts->schema : NULL),
			 set_field(name_field(first->facts->kind), single ? first->facts->name : NULL),
			 set_field(PG_DIAG_COLUMN_NAME, single ? single_column(findings) : NULL),
			 set_field(PG_DIAG_CONSTRAINT_NAME, first->rule->id),
			 set_context(first->rule->id, passing)));
}

/*
 * Report findings: those at level warning as one WARNING, then the others as
 * one error with SQLSTATE KD001, or as another WARNING when elevel is that.
 *
 * The hint is that of the error: what to write instead.  NULL for what fixes the findings.
 */
void
dbkit_report(const List *findings, int elevel, const char *hint)
{
	List	   *warnings = NIL;
	List	   *errors = NIL;
	ListCell   *lc;

	foreach(lc, findings)
	{
		Finding    *finding = lfirst(lc);

		if (finding->level == LEVEL_WARNING)
			warnings = lappend(warnings, finding);
		else
			errors = lappend(errors, finding);
	}
	send(WARNING, warnings, NULL, true);
	send(elevel, errors, hint, true);
}

/* Raise an error with findings that refuse nothing. */
void
dbkit_report_present(const List *findings)
{
	send(ERROR, findings, NULL, false);
}
