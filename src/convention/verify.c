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
	List	   *objects = dbkit_collect_checked(InvalidOid);
	CheckedCounts counts = dbkit_count_checked(objects);
	List	   *errors = NIL;
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
	PG_RETURN_TEXT_P(cstring_to_text(counts.warnings == 0 ?
									 psprintf("0 findings, %d tables", counts.tables) :
									 psprintf("0 findings, %d tables, %d warnings", counts.tables,
											  counts.warnings)));
}
