/*-------------------------------------------------------------------------
 *
 * status.c
 *		What holds in this database, and where it comes from: dbkit.status(), dbkit.rules.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_event_trigger.h"
#include "catalog/pg_extension.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/agree.h"
#include "convention/agreement.h"
#include "convention/exempt.h"
#include "convention/explain.h"
#include "convention/levels.h"
#include "convention/presets.h"
#include "convention/rules/rules.h"
#include "convention/status.h"
#include "convention/team_judge.h"
#include "convention/team_rules.h"
#include "preload.h"

PG_FUNCTION_INFO_V1(dbkit_rules);

/*
 * dbkit.rules() returns setof record
 *
 * The rules with their levels in this session, schemas apart.
 */
Datum
dbkit_rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	dbkit_refresh_agreement();
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];
		const char *why = dbkit_explain_why(rule);
		Datum		values[] = {
			CStringGetTextDatum(rule->id),
			CStringGetTextDatum(dbkit_phase_name(rule->phase)),
			CStringGetTextDatum(dbkit_level_name(dbkit_rule_level(rule, "", LEVEL_TO_CHECK))),
			CStringGetTextDatum(rule->description),
			BoolGetDatum(rule->fixable),
			why != NULL ? CStringGetTextDatum(why) : (Datum) 0,
		};
		bool		nulls[lengthof(values)] = {[lengthof(values) - 1] = why == NULL};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}

/* Add a row; source and hint may be NULL. */
static void
put_row(ReturnSetInfo *result, const char *name, const char *value, const char *source, const char *hint)
{
	Datum		values[] = {
		CStringGetTextDatum(name),
		CStringGetTextDatum(value),
		source != NULL ? CStringGetTextDatum(source) : (Datum) 0,
		hint != NULL ? CStringGetTextDatum(hint) : (Datum) 0,
	};
	bool		nulls[lengthof(values)] = {false, false, source == NULL, hint == NULL};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Return the version of the extension in this database, or NULL. */
static char *
sql_version(void)
{
	Relation	extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("dbkit"));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, Anum_pg_extension_extversion,
										 RelationGetDescr(extensions), &isnull);

		version = isnull ? NULL : TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
	return version;
}

static void
put_versions(ReturnSetInfo *result)
{
	char	   *version = sql_version();

	put_row(result, "library version", DBKIT_VERSION, NULL, NULL);
	if (version != NULL)
		put_row(result, "SQL version", version, NULL,
				strcmp(version, DBKIT_VERSION) == 0 ? NULL :
				"The library is of another version, which works; ALTER EXTENSION dbkit UPDATE brings the database to it.");
}

static void
put_preloading(ReturnSetInfo *result)
{
	static const char *const settings[] = {
		"shared_preload_libraries", "session_preload_libraries", "local_preload_libraries"
	};

	for (size_t i = 0; i < lengthof(settings); i++)
	{
		if (dbkit_is_among(GetConfigOption(settings[i], true, false)))
		{
			put_row(result, "preloaded", "yes", settings[i], NULL);
			return;
		}
	}
	put_row(result, "preloaded", "no", NULL,
			"A session is not guarded before it first uses dbkit, nor are its first VACUUM FULL, CLUSTER, LOCK TABLE, TRUNCATE and REINDEX judged (table_rewrite, blocking_index, lock_timeout, lock_held); add dbkit to session_preload_libraries.");
}

const char *const dbkit_event_triggers[DBKIT_EVENT_TRIGGERS] = {
	"dbkit_ddl_command_start", "dbkit_ddl_command_end", "dbkit_sql_drop", "dbkit_table_rewrite"
};

/* Return what is wrong with an event trigger of dbkit, or NULL. */
const char *
dbkit_event_trigger_trouble(const char *name)
{
	HeapTuple	tuple = SearchSysCache1(EVENTTRIGGERNAME, CStringGetDatum(name));
	const char *trouble = NULL;

	if (!HeapTupleIsValid(tuple))
		return "missing";
	if (((Form_pg_event_trigger) GETSTRUCT(tuple))->evtenabled == TRIGGER_DISABLED)
		trouble = "disabled";
	ReleaseSysCache(tuple);
	return trouble;
}

static void
put_event_triggers(ReturnSetInfo *result)
{
	bool		all = true;

	for (size_t i = 0; i < DBKIT_EVENT_TRIGGERS; i++)
	{
		const char *trouble = dbkit_event_trigger_trouble(dbkit_event_triggers[i]);

		if (trouble == NULL)
			continue;
		all = false;
		put_row(result, psprintf("event trigger %s", dbkit_event_triggers[i]), trouble, NULL,
				"What it judges is not judged; ALTER EVENT TRIGGER ... ENABLE brings it back.");
	}
	if (all)
		put_row(result, "event triggers", "enabled", NULL, NULL);
}

/* Return the name of the function that holds the agreement, or that it would have. */
static char *
function_name(void)
{
	Oid			owner;
	Oid			namespace;
	char	   *schema = dbkit_find_extension(&owner, &namespace) ? get_namespace_name(namespace) : NULL;

	return psprintf("%s()", schema == NULL ? DBKIT_AGREEMENT_FUNCTION :
					quote_qualified_identifier(schema, DBKIT_AGREEMENT_FUNCTION));
}

/* Show the agreement's preset, and why an agreement is not used, or not wholly. */
static void
put_agreement(ReturnSetInfo *result)
{
	const Agreement *agreement = dbkit_agreement();
	char	   *function = function_name();
	ListCell   *lc;

	if (agreement->untrusted != NULL)
		put_row(result, "agreement", "not used", function,
				psprintf("What is wrong with the function: %s.", agreement->untrusted));
	else
		put_row(result, "agreement", agreement->own != NULL ? "used" : "none",
				agreement->own != NULL ? function : NULL, NULL);
	foreach(lc, agreement->problems)
		put_row(result, "agreement", "not understood", function, lfirst(lc));
	foreach(lc, dbkit_find_agreement_problems(agreement))
		put_row(result, "agreement", "not understood", function, lfirst(lc));
	put_row(result, "preset", agreement->preset, agreement->own != NULL ? "agreement" : "default",
			strcmp(agreement->preset, DBKIT_NO_PRESET) != 0 ? NULL :
			"Nothing is judged before SELECT dbkit.agree(...); dbkit.suggest() says to what.");
}

/* Show what a setting says of rules that are not there. */
static void
put_setting_problems(ReturnSetInfo *result, const char *setting)
{
	ListCell   *lc;

	foreach(lc, dbkit_find_setting_problems(setting))
		put_row(result, setting, "not understood", setting, lfirst(lc));
}

/* Return why a rule cannot judge, or NULL. */
static const char *
rule_trouble(const Rule *rule)
{
	const TeamRule *of_team = dbkit_team_rule(rule);
	const char *function = of_team != NULL ? of_team->definition->function : NULL;
	const char *trouble = of_team == NULL ? NULL : dbkit_team_function(dbkit_find_team_function(function)).trouble;

	return trouble == NULL ? NULL :
		psprintf("It refuses nothing, because of its function %s: %s.", function, trouble);
}

static void
put_levels(ReturnSetInfo *result)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = dbkit_all_rules[i];

		put_row(result, psprintf("rule %s", rule->id),
				dbkit_level_name(dbkit_rule_level(rule, "", LEVEL_TO_CHECK)),
				dbkit_rule_level_source(rule), rule_trouble(rule));
	}
}

PG_FUNCTION_INFO_V1(dbkit_status);

/*
 * dbkit.status() returns setof record
 *
 * What holds in this database and session, where it comes from, and what to do about it.
 */
Datum
dbkit_status(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			stale;

	InitMaterializedSRF(fcinfo, 0);
	dbkit_refresh_agreement();
	stale = dbkit_count_stale_exemptions();
	put_versions(result);
	put_row(result, "enforce", dbkit_enforce_mode(), "dbkit.enforce",
			strcmp(dbkit_enforce_mode(), "on") == 0 ? NULL : "DDL that breaks the conventions is not rejected.");
	put_preloading(result);
	put_event_triggers(result);
	put_agreement(result);
	put_row(result, "stale exemptions", psprintf("%d", stale), NULL,
			stale == 0 ? NULL : "The view dbkit.stale_exemptions lists them.");
	put_setting_problems(result, "dbkit.rule_levels");
	put_setting_problems(result, "dbkit.required_rules");
	put_levels(result);
	return (Datum) 0;
}
