/*-------------------------------------------------------------------------
 *
 * fixes.c
 *		Write scripts that fix what dbkit.check() finds: dbkit.fixes().
 *
 * A finding's own fix is for that finding alone.  Here all of them are known: what one
 * table needs is done at once, and what tables need together is done together or not at
 * all (ends.c); what cannot work because of the rows is left out (rows.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/collect.h"
#include "convention/fixes/fixes.h"
#include "convention/rules/size_limits.h"
#include "relation_name.h"

/* Return the risk of that name.  Errors: invalid_parameter_value. */
static FixRisk
find_risk(const char *name)
{
	for (FixRisk risk = RISK_SAFE; name != NULL && risk <= RISK_BREAKS; risk++)
	{
		if (strcmp(dbkit_risk_name(risk), name) == 0)
			return risk;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 name == NULL ? errmsg("the risk is null") : errmsg("there is no risk \"%s\"", name),
			 errhint("Use safe, locks or breaks.")));
}

/* Is there SQL that fixes the finding, or a part of it, at no more than that risk? */
static bool
is_wanted(const Finding *finding, FixRisk risk)
{
	bool		any = false;
	ListCell   *lc;

	foreach(lc, finding->actions)
	{
		const Action *action = lfirst(lc);

		if (action->sql != NULL && action->risk > risk)
			return false;
		any |= action->sql != NULL;
	}
	return any;
}

/* Return an object to be fixed. */
Fixed *
dbkit_make_fixed(const Facts *facts, List *findings)
{
	Fixed	   *result = palloc0(sizeof(Fixed));
	bool		table = (facts->kind & (KIND_TABLE | KIND_ENUM_TABLE)) != 0;

	result->facts = facts;
	result->findings = findings;
	result->large = table && dbkit_is_large(facts->objid);
	result->partitioned = table && get_rel_relkind(facts->objid) == RELKIND_PARTITIONED_TABLE;
	return result;
}

/* Return what is to be fixed of an object, or NULL. */
static Fixed *
find_fixed(const CheckedObject *object, FixRisk risk)
{
	List	   *findings = NIL;
	ListCell   *lc;

	foreach(lc, object->findings)
	{
		if (is_wanted(lfirst(lc), risk))
			findings = lappend(findings, lfirst(lc));
	}
	return findings != NIL ? dbkit_make_fixed(object->facts, findings) : NULL;
}

/* Say which objects are left out because they are somebody else's. */
static void
report_left_out(int count)
{
	if (count > 0)
		ereport(NOTICE,
				(errmsg_plural("%d object with fixes belongs to a role that you do not have, and is left out",
							   "%d objects with fixes belong to roles that you do not have, and are left out",
							   count, count),
				 errhint("dbkit.fixes(risk, relation) writes those of a table whoever it belongs to.")));
}

/*
 * Return what is to be fixed, up to a risk: Fixed *.  Without a relation only objects of
 * roles that the caller has.
 */
static List *
find_all_fixed(FixRisk risk, Oid relation)
{
	List	   *result = NIL;
	int			left_out = 0;
	ListCell   *lc;

	foreach(lc, dbkit_collect_checked(InvalidOid, SCOPE_FIX))
	{
		Fixed	   *fixed = find_fixed(lfirst(lc), risk);

		CHECK_FOR_INTERRUPTS();
		if (fixed == NULL)
			continue;
		if (OidIsValid(relation) || has_privs_of_role(GetUserId(), fixed->facts->owner))
			result = lappend(result, fixed);
		else
			left_out++;
	}
	report_left_out(left_out);
	return result;
}

/* Return the script that changes a relation, or NULL. */
static const Fixed *
find_script(const List *objects, Oid relation)
{
	ListCell   *lc;

	foreach(lc, objects)
	{
		const Fixed *object = lfirst(lc);

		if (object->facts->objid == relation)
			return dbkit_script_of(object);
	}
	return NULL;
}

/* Return those of the objects that change in the same script as a relation. */
static List *
keep_together_with(List *objects, Oid relation)
{
	const Fixed *script = find_script(objects, relation);
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, objects)
	{
		if (dbkit_script_of(lfirst(lc)) == script)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

PG_FUNCTION_INFO_V1(dbkit_fixes);

/*
 * dbkit.fixes(risk text DEFAULT 'safe', relation regclass DEFAULT NULL) returns setof text
 *
 * Scripts that fix what dbkit.check() finds, up to that risk, in the order in which they are
 * to be run; of all objects of roles that the caller has, or what concerns one relation,
 * whoever owns it.  Errors: invalid_parameter_value, undefined_table.
 */
Datum
dbkit_fixes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FixRisk		risk = find_risk(PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Oid			relation = PG_ARGISNULL(1) ? InvalidOid : PG_GETARG_OID(1);
	List	   *objects;
	ListCell   *lc;

	if (!PG_ARGISNULL(1))
		(void) dbkit_relation_name(relation);
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	objects = find_all_fixed(risk, relation);
	dbkit_settle_ends(&objects);
	if (OidIsValid(relation))
		objects = keep_together_with(objects, relation);
	dbkit_drop_impossible(objects);
	foreach(lc, dbkit_write_scripts(objects))
	{
		Datum		value = CStringGetTextDatum(lfirst(lc));
		bool		isnull = false;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, &value, &isnull);
	}
	PG_RETURN_VOID();
}
