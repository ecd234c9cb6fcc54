/*-------------------------------------------------------------------------
 *
 * security.c
 *		Rules about who may see what: row level security, views, functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "common.h"
#include "context/mirror.h"
#include "convention/facts/expression.h"
#include "convention/reserved.h"
#include "convention/rules/files.h"
#include "preload.h"

/* Judge that row level security is enabled. */
static void
judge_rls_enabled(Judgement *judgement)
{
	if (!dbkit_facts_rls_enabled(judgement->facts))
		dbkit_add_alter(dbkit_add_finding(judgement, NULL,
										  "row level security is not enabled; use ALTER TABLE %s ENABLE ROW LEVEL SECURITY",
										  dbkit_facts_identity(judgement->facts)),
						"ENABLE ROW LEVEL SECURITY");
}

/* Judge that somebody may see rows. */
static void
judge_rls_policy(Judgement *judgement)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_policies(judgement->facts))
	{
		if (((PolicyFacts *) lfirst(lc))->permissive)
			return;
	}
	(void) dbkit_add_action(dbkit_add_finding(judgement, NULL,
											  "there is no permissive policy; use CREATE POLICY ... ON %s",
											  dbkit_facts_identity(judgement->facts)),
							ACTION_CREATE_POLICY, NULL, NULL, NULL);
}

/* Judge that row level security binds the table's owner as well. */
static void
judge_rls_forced(Judgement *judgement)
{
	if (!dbkit_facts_rls_forced(judgement->facts))
		dbkit_add_alter(dbkit_add_finding(judgement, NULL,
										  "row level security does not bind the owner; use ALTER TABLE %s FORCE ROW LEVEL SECURITY",
										  dbkit_facts_identity(judgement->facts)),
						"FORCE ROW LEVEL SECURITY");
}

/* Return what a policy checks new rows with; without WITH CHECK that is USING. */
static const char *
insert_check(const PolicyFacts *policy)
{
	return policy->with_check != NULL ? policy->with_check : policy->using;
}

static bool
is_for_insert(const PolicyFacts *policy)
{
	return policy->command == '*' || policy->command == 'a';
}

static bool
is_for_all_roles(const PolicyFacts *policy)
{
	return linitial_oid(policy->roles) == ACL_ID_PUBLIC;
}

/*
 * Judge that policies under which rows are inserted check them.  A restrictive
 * policy with a condition does so for the permissive ones (see CREATE POLICY).
 */
static void
judge_policy_with_check(Judgement *judgement)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_policies(judgement->facts))
	{
		const PolicyFacts *policy = lfirst(lc);

		if (!policy->permissive && is_for_all_roles(policy) && is_for_insert(policy) &&
			!dbkit_lets_all_pass(insert_check(policy)))
			return;
	}
	foreach(lc, dbkit_facts_policies(judgement->facts))
	{
		const PolicyFacts *policy = lfirst(lc);

		if (policy->permissive && is_for_insert(policy) && dbkit_lets_all_pass(insert_check(policy)))
			dbkit_add_finding(judgement, NULL,
							  "policy \"%s\" lets any row be inserted; use WITH CHECK with a condition",
							  policy->name)->part = policy->name;
	}
}

/*
 * Tell why a setting that a policy reads is not safe, and what to do about it.
 * Of the tenant context's own settings dbkit can take care, if it may and is
 * there in time.
 */
static const char *
forgeable_reason(const char *setting)
{
	if (!dbkit_is_mirror(setting))
		return "which any session can set; use dbkit.user_id() or dbkit.organization_id()";
	if (!dbkit_settings_are_reserved())
		return "which the application can set outside of a context; use dbkit.user_id() or dbkit.organization_id(), or set reserve_settings in the agreement";
	return "which any session can set before dbkit is loaded; use dbkit.user_id() or dbkit.organization_id(), or add dbkit to session_preload_libraries";
}

/* Judge that policies do not rest on what any session can set. */
static void
judge_forgeable_policy(Judgement *judgement)
{
	const bool	guarded = dbkit_settings_are_reserved() && dbkit_is_preloaded();
	ListCell   *lc;

	foreach(lc, dbkit_facts_policies(judgement->facts))
	{
		const PolicyFacts *policy = lfirst(lc);
		char	   *setting = dbkit_forgeable_setting(policy->using, guarded);

		if (setting == NULL)
			setting = dbkit_forgeable_setting(policy->with_check, guarded);
		if (setting != NULL)
			dbkit_add_finding(judgement, NULL,
							  "policy \"%s\" reads the setting \"%s\", %s",
							  policy->name, setting, forgeable_reason(setting))->part = policy->name;
	}
}

/* Judge that a view reads its tables with the rights of who queries it. */
static void
judge_view_security_invoker(Judgement *judgement)
{
	Finding    *finding;

	if (judgement->facts->security_invoker)
		return;
	finding = dbkit_add_finding(judgement, NULL,
								"it reads its tables with the rights of its owner; use WITH (security_invoker = true)");
	dbkit_add_statement(finding, psprintf("ALTER VIEW %s SET (security_invoker = true);",
										  dbkit_facts_identity(judgement->facts)));
}

/*
 * Is a search_path safe for a SECURITY DEFINER function?  The caller must not
 * be able to put objects before those the function means, as in the temporary
 * schema, which is searched first unless it is named ("Writing SECURITY DEFINER
 * Functions Safely" in CREATE FUNCTION).
 */
static bool
is_safe_path(const char *search_path)
{
	List	   *schemas;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(search_path), ',', &schemas))
		return false;
	foreach(lc, schemas)
	{
		if (strcmp(lfirst(lc), "$user") == 0)
			return false;
	}

	/* With an empty path every name in the body is qualified */
	return schemas == NIL ||
		(list_length(schemas) == 1 && strcmp(linitial(schemas), "") == 0) ||
		strcmp(llast(schemas), "pg_temp") == 0;
}

/* Judge that a SECURITY DEFINER function has a safe search_path. */
static void
judge_security_definer_path(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const char *wanted = psprintf("SET search_path = pg_catalog, %s, pg_temp",
								  quote_identifier(facts->schema));
	Finding    *finding;

	if (facts->search_path != NULL && is_safe_path(facts->search_path))
		return;
	finding = dbkit_add_finding(judgement, NULL,
								facts->search_path == NULL ?
								"it is SECURITY DEFINER without a search_path of its own; use %s" :
								"it is SECURITY DEFINER with a search_path that its caller can put objects into; use %s",
								wanted);
	dbkit_add_statement(finding, psprintf("ALTER ROUTINE %s %s;", dbkit_facts_identity(facts), wanted));
}

Rule		dbkit_security_rules[] = {
	{
		.id = "view_security_invoker",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_VIEW,
		.needs = FACT_OBJECT,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "views have security_invoker = true",
		.judge = judge_view_security_invoker
	},
	{
		.id = "rls_enabled",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_ROW_SECURITY,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "row level security is enabled",
		.judge = judge_rls_enabled
	},
	{
		.id = "rls_policy",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_POLICIES | FACT_ROW_SECURITY,
		.fixed_by = FACT_POLICIES,
		.level = LEVEL_ERROR,
		.description = "at least one permissive policy exists",
		.judge = judge_rls_policy
	},
	{
		.id = "rls_forced",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_ROW_SECURITY,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "row level security binds the table's owner as well",
		.judge = judge_rls_forced
	},
	{
		.id = "policy_with_check",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_POLICIES | FACT_ROW_SECURITY,
		.level = LEVEL_WARNING,
		.description = "no permissive policy lets any row be inserted",
		.judge = judge_policy_with_check
	},
	{
		.id = "forgeable_policy",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_POLICIES | FACT_ROW_SECURITY,
		.level = LEVEL_WARNING,
		.description = "no policy reads a setting that any session can set",
		.judge = judge_forgeable_policy
	},
	{
		.id = "security_definer_path",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_FUNCTION,
		.needs = FACT_OBJECT,
		.fixable = true,
		.level = LEVEL_WARNING,
		.description = "a SECURITY DEFINER function sets a search_path that its caller cannot put objects into",
		.judge = judge_security_definer_path
	},
	{NULL}
};
