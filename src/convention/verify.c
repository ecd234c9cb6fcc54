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
#include "convention/collect.h"
#include "convention/report.h"

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
	List	   *objects = dbkit_collect_checked(InvalidOid, SCOPE_CHECK);
	CheckedCounts counts = dbkit_count_checked(objects);
	List	   *errors = NIL;
	char	   *said;
	ListCell   *lc;

	foreach(lc, objects)
	{
		ListCell   *finding;

		foreach(finding, ((const CheckedObject *) lfirst(lc))->findings)
		{
			if (((const Finding *) lfirst(finding))->level != LEVEL_WARNING)
				errors = lappend(errors, lfirst(finding));
		}
	}
	dbkit_report_present(errors);
	said = psprintf("%d table%s", counts.tables, counts.tables == 1 ? "" : "s");
	if (counts.warnings > 0)
		said = psprintf("%s, %d warning%s", said, counts.warnings, counts.warnings == 1 ? "" : "s");
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("0 findings, %s", said)));
}
