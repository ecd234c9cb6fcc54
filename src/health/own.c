/*-------------------------------------------------------------------------
 *
 * own.c
 *		Is dbkit at work in this database?
 *
 * dbkit.status() says all that holds, and dbkit.check() reads every table.  Here is
 * what can be told at once, however many tables there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/acl.h"

#include "common.h"
#include "context/confine.h"
#include "convention/agree.h"
#include "convention/exemption.h"
#include "convention/levels.h"
#include "convention/registry.h"
#include "convention/status.h"
#include "health/health.h"

static void
measure_event_triggers(Measurement *result)
{
	for (int i = 0; i < DBKIT_EVENT_TRIGGERS; i++)
	{
		const char *trouble = dbkit_event_trigger_trouble(dbkit_event_triggers[i]);

		if (trouble == NULL)
			continue;
		result->number++;
		result->detail = psprintf("Event trigger %s is %s.", dbkit_event_triggers[i], trouble);
	}
}

/* 0, 1 and 2 as the levels of a problem */
static void
measure_enforcement(Measurement *result)
{
	result->value = dbkit_enforce_mode();
	result->number = strcmp(result->value, "on") == 0 ? 0 : strcmp(result->value, "warning") == 0 ? 1 : 2;
}

/* Likewise */
static void
measure_agreement(Measurement *result)
{
	const Agreement *agreement = dbkit_agreement();
	List	   *problems = list_concat(dbkit_find_agreement_problems(agreement), agreement->problems);

	if (agreement->untrusted != NULL)
	{
		result->number = 2;
		result->value = "not used";
		result->detail = psprintf("What is wrong with the function that holds it: %s.", agreement->untrusted);
	}
	else if (problems != NIL)
	{
		result->number = 1;
		result->value = "not understood";
		result->detail = linitial(problems);
	}
	else
		result->value = agreement->own != NULL ? "used" : "none";
}

static void
measure_exemptions(Measurement *result)
{
	ListCell   *lc;

	foreach(lc, dbkit_all_exemptions())
	{
		const Exemption *exemption = lfirst(lc);

		if (exemption->builtin || !dbkit_exemption_is_expired(exemption))
			continue;
		result->number++;
		result->detail = psprintf("That of \"%s\" from %s has expired.", exemption->object, exemption->rule);
	}
}

static void
measure_registry(Measurement *result)
{
	result->number = dbkit_count_contested();
	if (result->number < 0)
	{
		result->number = 0;
		result->value = "locked";
	}
}

static void
measure_customer_role(Measurement *result)
{
	const char *name = dbkit_agreement()->customer_role;
	Oid			role = name != NULL ? get_role_oid(name, true) : InvalidOid;
	List	   *statements = OidIsValid(role) ? dbkit_confining_statements_at_once(role, name) : NIL;

	result->number = list_length(statements);
	if (statements != NIL)
		result->detail = psprintf("Role \"%s\" can get out of its tenant: %s", name, (char *) linitial(statements));
	else if (!OidIsValid(role))
		result->value = "no such role";
}

const HealthCheck dbkit_own_checks[] = {
	{
		.name = "event_triggers",
		.limits = "1/1",
		.measure = measure_event_triggers,
		.advice = "DDL is not judged; ALTER EVENT TRIGGER ... ENABLE brings it back."
	},
	{
		.name = "enforcement",
		.limits = "1/2",
		.measure = measure_enforcement,
		.advice = "DDL that breaks the conventions is not rejected; dbkit.enforce should be on."
	},
	{
		.name = "agreement",
		.limits = "1/2",
		.measure = measure_agreement,
		.advice = "SELECT * FROM dbkit.status() says all of it."
	},
	{
		.name = "expired_exemptions",
		.limits = "1/off",
		.measure = measure_exemptions,
		.advice = "The view dbkit.stale_exemptions lists them, and those that cover nothing any more."
	},
	{
		.name = "registry",
		.limits = "1/off",
		.measure = measure_registry,
		.advice = "More than one table makes ids with the same prefix; SELECT prefix FROM dbkit.id_prefix WHERE contested says which."
	},
	{
		.name = "customer_role",
		.limits = "1/off",
		.measure = measure_customer_role,
		.advice = "SELECT dbkit.confine_sql(...) writes all that confines it."
	},
	{
		.name = "ledger",
		.limits = "1/1",

		/*
		 * Of its triggers, those that do not fire as the install script has
		 * it
		 */
		.sql = "SELECT 2::pg_catalog.float8 OPERATOR(pg_catalog.-) pg_catalog.count(*)::pg_catalog.float8, NULL"
		" FROM pg_catalog.pg_trigger t"
		" JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) t.tgrelid"
		" JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
		" WHERE n.nspname OPERATOR(pg_catalog.=) 'dbkit'::pg_catalog.name"
		" AND c.relname OPERATOR(pg_catalog.=) 'schema_version'::pg_catalog.name"
		" AND (t.tgname OPERATOR(pg_catalog.=) 'keep_ledger'::pg_catalog.name"
		" AND t.tgenabled OPERATOR(pg_catalog.=) 'A'::pg_catalog.\"char\""
		" OR t.tgname OPERATOR(pg_catalog.=) 'ignore_replicated'::pg_catalog.name"
		" AND t.tgenabled OPERATOR(pg_catalog.=) 'R'::pg_catalog.\"char\")",
		.advice = "Triggers of dbkit.schema_version are disabled, so anybody with privileges on it can write it by hand; a superuser enables them with ALTER TABLE dbkit.schema_version ENABLE ALWAYS TRIGGER keep_ledger, ENABLE REPLICA TRIGGER ignore_replicated."
	},
	{
		.name = "audit_seal",
		.unit = UNIT_SECONDS,
		.limits = "2d/off",
		.measure = dbkit_measure_audit_seal,
		.advice = "There are entries in the log of changes that no seal covers, so nobody can prove what they were; CALL dbkit.audit_seal() every hour or day."
	},
	{
		.name = "audit_months",
		.limits = "1/2",
		.measure = dbkit_measure_audit_months,
		.advice = "The log of changes has no partitions for the months to come; SELECT dbkit.audit_months() or CALL dbkit.audit_seal() makes them."
	},
};
const int	dbkit_n_own_checks = lengthof(dbkit_own_checks);
