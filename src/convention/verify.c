/*-------------------------------------------------------------------------
 *
 * verify.c
 *		Fail unless all that is there keeps the conventions: dbkit.verify().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/check.h"
#include "convention/report.h"

/* What is found, in a memory context that outlives the check of each object */
typedef struct Verification
{
	MemoryContext context;
	List	   *objects;		/* List *, the findings of each that has some
								 * at level error */
	int			tables;
	int			warnings;
}			Verification;

static void
count_table(Judgement *judgement pg_attribute_unused(), Facts *facts, void *arg)
{
	if (facts->kind & (KIND_TABLE | KIND_ENUM_TABLE))
		((Verification *) arg)->tables++;
}

/* Return a copy of a finding, with as much of its object as a report tells. */
static Finding *
copy_finding(const Finding *finding)
{
	Finding    *result = palloc(sizeof(Finding));
	Facts	   *facts = palloc0(sizeof(Facts));
	ListCell   *lc;

	facts->classid = finding->facts->classid;
	facts->objid = finding->facts->objid;
	facts->kind = finding->facts->kind;
	facts->schema = pstrdup(finding->facts->schema);
	facts->name = pstrdup(finding->facts->name);
	facts->signature = finding->facts->signature != NULL ? pstrdup(finding->facts->signature) : NULL;

	*result = *finding;
	result->facts = facts;
	result->column = finding->column != NULL ? pstrdup(finding->column) : NULL;
	result->problem = pstrdup(finding->problem);
	result->actions = NIL;
	foreach(lc, finding->actions)
	{
		const Action *action = lfirst(lc);

		if (action->sql != NULL)
			(void) dbkit_add_action(result, action->kind, NULL, NULL, pstrdup(action->sql));
	}
	return result;
}

/* Keep what is an error. */
static void
keep_finding(const Finding *finding, void *arg)
{
	Verification *verification = arg;
	MemoryContext caller;
	List	   *of_last;

	if (finding->level == LEVEL_WARNING)
	{
		verification->warnings++;
		return;
	}
	caller = MemoryContextSwitchTo(verification->context);
	of_last = verification->objects != NIL ? llast(verification->objects) : NIL;
	if (of_last == NIL || !dbkit_same_object(linitial(of_last), finding))
		verification->objects = lappend(verification->objects, list_make1(copy_finding(finding)));
	else
		llast(verification->objects) = lappend(of_last, copy_finding(finding));
	MemoryContextSwitchTo(caller);
}

/* By name, and of one name by oid. */
static int
compare_objects(const ListCell *a, const ListCell *b)
{
	const Facts *left = ((const Finding *) linitial(lfirst(a)))->facts;
	const Facts *right = ((const Finding *) linitial(lfirst(b)))->facts;
	int			order = strcmp(left->schema, right->schema);

	if (order == 0)
		order = strcmp(left->name, right->name);
	return order != 0 ? order : (left->objid > right->objid) - (left->objid < right->objid);
}

PG_FUNCTION_INFO_V1(dbkit_verify);

/*
 * dbkit.verify() returns text
 *
 * Fails with all that dbkit.check() reports at level error; else says how many tables there
 * are, and how many warnings.  Errors: KD001.
 */
Datum
dbkit_verify(PG_FUNCTION_ARGS)
{
	Verification verification = {.context = CurrentMemoryContext};
	List	   *findings = NIL;
	ListCell   *lc;

	dbkit_check_objects(SCOPE_CHECK, count_table, keep_finding, &verification);
	list_sort(verification.objects, compare_objects);
	foreach(lc, verification.objects)
		findings = list_concat(findings, lfirst(lc));
	dbkit_report_present(findings);
	PG_RETURN_TEXT_P(cstring_to_text(verification.warnings == 0 ?
									 psprintf("0 findings, %d tables", verification.tables) :
									 psprintf("0 findings, %d tables, %d warnings", verification.tables,
											  verification.warnings)));
}
