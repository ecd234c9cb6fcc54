/*-------------------------------------------------------------------------
 *
 * agree.c
 *		Change the agreement, and show it: dbkit.agree() and dbkit.agreement().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_database.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/add_rule.h"
#include "convention/agree.h"
#include "convention/agreement.h"
#include "convention/agreement_json.h"
#include "convention/baseline.h"
#include "convention/exemption.h"
#include "convention/levels.h"
#include "convention/presets.h"
#include "sql.h"

/* Fail unless the caller may agree for the team. */
static void
check_rights(Oid extension_owner)
{
	if (has_privs_of_role(GetUserId(), extension_owner) || dbkit_owns_database(GetUserId()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to change the agreement"),
			 errdetail("Only superusers and the owners of the extension dbkit and of the database may do so.")));
}

/* Fail if somebody else's function has the place of the agreement's. */
static void
check_trust(const Agreement *agreement)
{
	if (agreement->untrusted == NULL)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("function %s() does not hold an agreement that can be used", DBKIT_AGREEMENT_FUNCTION),
			 errdetail_internal("What is wrong: %s.", agreement->untrusted),
			 errhint("Drop it, or give it to the owner of the database.")));
}

/* Keep others from changing the agreement until the transaction ends, and read it as they left it. */
void
dbkit_lock_agreement(void)
{
	LockDatabaseObject(ExtensionRelationId, get_extension_oid("dbkit", false), 0, ShareUpdateExclusiveLock);
	dbkit_refresh_agreement();
}

/*
 * Prepare to change the agreement: check that the caller may, and keep others from doing so
 * until the transaction ends.  Returns it as it is, without defaults.
 *
 * Errors: undefined_object where there is no extension; insufficient_privilege;
 * object_not_in_prerequisite_state for a function that is not to be trusted.
 */
Jsonb *
dbkit_begin_agreement_change(void)
{
	Oid			owner;
	Oid			namespace;
	Jsonb	   *own;

	PreventCommandIfReadOnly("dbkit.agree()");
	PreventCommandDuringRecovery("dbkit.agree()");
	if (!dbkit_find_extension(&owner, &namespace))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"dbkit\" does not exist")));
	check_rights(owner);
	dbkit_lock_agreement();
	check_trust(dbkit_agreement());
	own = dbkit_agreement()->own;
	return own != NULL ? DatumGetJsonbPCopy(JsonbPGetDatum(own)) :
		dbkit_make_json("{}");
}

/* Return what is wrong with the parts of an agreement, as sentences. */
List *
dbkit_find_agreement_problems(const Agreement *agreement)
{
	List	   *problems = dbkit_find_level_problems(agreement);

	problems = list_concat(problems, dbkit_find_exemption_problems(agreement));
	return list_concat(problems, dbkit_find_baseline_problems(agreement));
}

/* Fail if something is wrong in an agreement. */
static void
check_agreement(Jsonb *json)
{
	Agreement	agreement;
	List	   *problems;
	StringInfoData detail;
	ListCell   *lc;

	dbkit_read_agreement(&agreement, json);
	problems = list_concat(agreement.problems, dbkit_check_new_team_rules(dbkit_agreement(), &agreement));
	/* What it says of rules may be about those that it has itself */
	dbkit_suppose_agreement(&agreement);
	problems = list_concat(problems, dbkit_find_agreement_problems(&agreement));
	dbkit_suppose_agreement(NULL);
	if (problems == NIL)
		return;
	initStringInfo(&detail);
	foreach(lc, problems)
		appendStringInfo(&detail, "%s%s", detail.len > 0 ? "\n" : "", (char *) lfirst(lc));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("this cannot be agreed on"),
			 errdetail_internal("%s", detail.data),
			 errhint("dbkit.agreement() shows all keys; the view dbkit.rules lists the rules.")));
}

/* Return the body of the function that holds an agreement. */
static char *
function_body(Jsonb *agreement)
{
	char	   *json = TextDatumGetCString(DirectFunctionCall1(jsonb_pretty, JsonbPGetDatum(agreement)));

	return psprintf("SELECT %s::pg_catalog.jsonb", quote_literal_cstr(json));
}

/*
 * Give the function of the agreement to the role that the caller has agreed for: what
 * belongs to a mere member of it is not trusted.
 */
static void
give_to_owner(const char *function, Oid extension_owner)
{
	/*
	 * Who owns the extension could create in its schema; the database's owner
	 * may not.
	 */
	Oid			owner = has_privs_of_role(GetUserId(), extension_owner) ? extension_owner : dbkit_database_owner();

	SPI_connect();
	dbkit_run_utility(psprintf("ALTER FUNCTION %s() OWNER TO %s", function,
							   quote_identifier(GetUserNameFromId(owner, false))));
	SPI_finish();
	CommandCounterIncrement();
	dbkit_refresh_agreement();
}

/*
 * Write the agreement, which holds at once in this session.
 *
 * Errors: invalid_parameter_value for an unknown key, or a value that the key cannot have.
 */
void
dbkit_end_agreement_change(Jsonb *agreement)
{
	Oid			owner;
	Oid			namespace;
	char	   *function;

	check_agreement(agreement);
	(void) dbkit_find_extension(&owner, &namespace);
	function = quote_qualified_identifier(get_namespace_name(namespace), DBKIT_AGREEMENT_FUNCTION);
	SPI_connect();
	dbkit_run_utility(psprintf("CREATE OR REPLACE FUNCTION %s() RETURNS pg_catalog.jsonb"
							   " LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %s",
							   function, quote_literal_cstr(function_body(agreement))));
	dbkit_run_utility(psprintf("COMMENT ON FUNCTION %s() IS"
							   " 'What the team has agreed on with dbkit.agree(); dbkit reads this text and never runs it'",
							   function));
	SPI_finish();
	CommandCounterIncrement();
	dbkit_refresh_agreement();
	if (dbkit_agreement()->untrusted != NULL)
		give_to_owner(function, owner);
}

/*
 * Write the agreement where the caller need not have the right to: for names that change, and
 * for what is no longer in the baseline.  Nothing is done where there is no agreement.
 */
void
dbkit_rewrite_agreement(Jsonb *agreement)
{
	Relation	functions;
	HeapTuple	tuple;
	Datum		values[Natts_pg_proc] = {0};
	bool		nulls[Natts_pg_proc] = {false};
	bool		replace[Natts_pg_proc] = {false};

	if (agreement == NULL || dbkit_agreement()->own == NULL)
		return;
	functions = table_open(ProcedureRelationId, RowExclusiveLock);
	tuple = SearchSysCacheCopy1(PROCOID, ObjectIdGetDatum(dbkit_agreement()->function));
	if (HeapTupleIsValid(tuple))
	{
		values[Anum_pg_proc_prosrc - 1] = CStringGetTextDatum(function_body(agreement));
		replace[Anum_pg_proc_prosrc - 1] = true;
		tuple = heap_modify_tuple(tuple, RelationGetDescr(functions), values, nulls, replace);
		CatalogTupleUpdate(functions, &tuple->t_self, tuple);
	}
	table_close(functions, RowExclusiveLock);
	CommandCounterIncrement();
	dbkit_refresh_agreement();
}

/* Is nothing agreed on, because the database had tables when the extension came? */
static bool
is_not_adopted(Jsonb *own)
{
	JsonbValue	value;

	return JB_ROOT_COUNT(own) == 1 && dbkit_json_value(own, "preset", &value) &&
		value.type == jbvString && strcmp(dbkit_json_string(&value), DBKIT_NO_PRESET) == 0;
}

PG_FUNCTION_INFO_V1(dbkit_agree);

/*
 * dbkit.agree(changes jsonb) returns jsonb
 *
 * Merges changes into the agreement, null removes, and returns what was before.
 * Errors: as above; invalid_parameter_value for what is not an object.
 */
Datum
dbkit_agree(PG_FUNCTION_ARGS)
{
	Jsonb	   *changes = PG_GETARG_JSONB_P(0);
	Jsonb	   *before;
	Jsonb	   *base;

	if (!JB_ROOT_IS_OBJECT(changes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("changes must be a JSON object")));
	before = dbkit_begin_agreement_change();
	base = is_not_adopted(before) && JB_ROOT_COUNT(changes) > 0 ? NULL : before;
	dbkit_end_agreement_change(dbkit_merge_json(base, changes));
	PG_RETURN_JSONB_P(before);
}

PG_FUNCTION_INFO_V1(dbkit_agreement_sql);

/*
 * dbkit.agreement() returns jsonb
 *
 * The agreement with its defaults, and the level of each rule.
 */
Datum
dbkit_agreement_sql(PG_FUNCTION_ARGS)
{
	const Agreement *agreement;
	Jsonb	   *whole;

	dbkit_refresh_agreement();
	agreement = dbkit_agreement();
	whole = agreement->own == NULL ? agreement->defaults : dbkit_merge_json(agreement->defaults, agreement->own);
	PG_RETURN_JSONB_P(dbkit_merge_json(whole, dbkit_agreed_levels(agreement)));
}
