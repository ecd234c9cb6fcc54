/*-------------------------------------------------------------------------
 *
 * agreement.c
 *		What the team has agreed on: how its schema is to look.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/agreement.h"
#include "miscadmin.h"

/* Does the agreement leave the settings of the tenant context to the application? */
static bool
leaves_settings(void)
{
	CatCList   *functions = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum("dbkit_agreement"));
	bool		leaves = false;

	for (int i = 0; i < functions->n_members && !leaves; i++)
	{
		HeapTuple	tuple = &functions->members[i]->tuple;
		bool		isnull;
		Datum		source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);

		leaves = !isnull && superuser_arg(((Form_pg_proc) GETSTRUCT(tuple))->proowner) &&
			strstr(TextDatumGetCString(source), "\"reserve_settings\": false") != NULL;
	}
	ReleaseSysCacheList(functions);
	return leaves;
}

/* Return the agreement of the database; it is there until the next command. */
const Agreement *
dbkit_agreement(void)
{
	static Agreement agreement =
	{
		.preset = "house",
		.id_style = ID_PREFIXED,
		.customer_role = "customer",
		.reserve_settings = true
	};

	agreement.reserve_settings = !leaves_settings();
	return &agreement;
}
