/*-------------------------------------------------------------------------
 *
 * security.c
 *		Rules about who may see what: row level security, views, functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "common.h"
#include "context/confine.h"
#include "context/mirror.h"
#include "convention/agreement.h"
#include "convention/facts/exposure.h"
#include "convention/facts/expression.h"
#include "convention/facts/openness.h"
#include "convention/facts/read.h"
#include "convention/reserved.h"
#include "convention/rules/files.h"
#include "convention/rules/rules.h"
#include "preload.h"

/* Judge that row level security is enabled. */
static void
judge_rls_enabled(Judgement *judgement)
{
	if (!dbkit_facts_rls_enabled(judgement->facts))
		(void) dbkit_add_action(dbkit_add_finding(judgement, NULL,
												  "row level security is not enabled; use ALTER TABLE %s ENABLE ROW LEVEL SECURITY",
												  dbkit_facts_identity(judgement->facts)),
								ACTION_ROW_SECURITY, NULL, NULL, "ENABLE ROW LEVEL SECURITY");
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
		(void) dbkit_add_action(dbkit_add_finding(judgement, NULL,
												  "row level security does not bind the owner; use ALTER TABLE %s FORCE ROW LEVEL SECURITY",
												  dbkit_facts_identity(judgement->facts)),
								ACTION_ROW_SECURITY, NULL, NULL, "FORCE ROW LEVEL SECURITY");
}

/* Return what a policy checks new rows with; without WITH CHECK that is USING.  NULL for neither: it admits none. */
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

/* Is a policy only for the role of the agreement that sees all rows? */
static bool
is_for_admins(const Facts *facts, const PolicyFacts *policy)
{
	const char *admins = dbkit_agreement()->admin_role;
	const char *name = admins != NULL && list_length(policy->roles) == 1 ?
	dbkit_catalog_name(facts->catalogs, CATALOG_ROLE, linitial_oid(policy->roles), NULL) : NULL;

	return name != NULL && strcmp(name, admins) == 0;
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

		if (policy->permissive && is_for_insert(policy) && insert_check(policy) != NULL && dbkit_lets_all_pass(insert_check(policy)) &&
			!is_for_admins(judgement->facts, policy))
			dbkit_add_finding(judgement, NULL,
							  "policy \"%s\" lets any row be inserted; use WITH CHECK with a condition",
							  policy->name)->part = policy->name;
	}
}

/* Return what a policy asks of rows that are there, or of rows as they are written; NULL where it is not asked. */
static const char *
policy_condition(const PolicyFacts *policy, bool written)
{
	if (written)
		return policy->command == 'r' || policy->command == 'd' ? NULL : insert_check(policy);
	return policy->command == 'a' ? NULL : policy->using;
}

/* Does a restrictive policy bind all whom the policy lets pass, whatever they do under it? */
static bool
is_bound_by(const PolicyFacts *policy, const PolicyFacts *restrictive, bool written)
{
	const char *condition = policy_condition(restrictive, written);

	return !restrictive->permissive && condition != NULL && dbkit_openness(condition) == OPEN_TO_SOME &&
		(restrictive->command == '*' || restrictive->command == policy->command) &&
		(is_for_all_roles(restrictive) || list_difference_oid(policy->roles, restrictive->roles) == NIL);
}

/* Tell how open a policy leaves its table for rows that are there, or for rows as they are written. */
static Openness
policy_openness(const Facts *facts, const PolicyFacts *policy, bool written)
{
	const char *condition = policy_condition(policy, written);
	Openness	result = condition != NULL ? dbkit_openness(condition) : OPEN_TO_SOME;
	ListCell   *lc;

	if (result == OPEN_TO_SOME)
		return OPEN_TO_SOME;
	foreach(lc, dbkit_facts_policies(facts))
	{
		if (is_bound_by(policy, lfirst(lc), written))
			return OPEN_TO_SOME;
	}
	return result;
}

/* Say what a policy does with the rows of all tenants. */
static const char *
open_effect(const PolicyFacts *policy, bool written)
{
	if (written)
		return "lets rows of any tenant be written";
	switch (policy->command)
	{
		case 'w':
			return "lets the rows of all tenants be changed";
		case 'd':
			return "lets the rows of all tenants be deleted";
		default:
			return "shows the rows of all tenants";
	}
}

/* Tell how open a policy leaves its table, and whether that is for rows as they are written only. */
static Openness
worst_openness(const Facts *facts, const PolicyFacts *policy, bool *written)
{
	*written = policy_openness(facts, policy, false) == OPEN_TO_SOME;
	return policy_openness(facts, policy, *written);
}

/* Has a partition the policy from what it is a partition of, where it is reported? */
static bool
is_passed_on(const Facts *facts, const PolicyFacts *policy)
{
	ListCell   *lc;

	foreach(lc, facts->kind == KIND_PARTITION ? dbkit_facts_parents(facts) : NIL)
	{
		const Facts *parent = dbkit_facts(facts->catalogs, RelationRelationId, lfirst_oid(lc), FACT_POLICIES | FACT_ROW_SECURITY);
		ListCell   *other;

		foreach(other, parent != NULL && dbkit_facts_rls_enabled(parent) ? dbkit_facts_policies(parent) : NIL)
		{
			const PolicyFacts *same = lfirst(other);
			bool		written;

			if (same->permissive && strcmp(same->name, policy->name) == 0 &&
				worst_openness(parent, same, &written) != OPEN_TO_SOME)
				return true;
		}
	}
	return false;
}

/* Return the name of the column that tells whose a row is, or NULL. */
static const char *
tenant_column(const Facts *facts)
{
	ListCell   *lc;

	foreach(lc, dbkit_agreement()->organization_columns)
	{
		if (dbkit_catalog_attnum(facts->catalogs, facts->objid, lfirst(lc)) > 0)
			return lfirst(lc);
	}
	return NULL;
}

/* Judge that the policies of a table whose rows have tenants ask which one. */
static void
judge_open_policy(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const char *column = dbkit_facts_policies(facts) != NIL ? tenant_column(facts) : NULL;
	ListCell   *lc;

	if (column == NULL)
		return;
	foreach(lc, dbkit_facts_policies(facts))
	{
		const PolicyFacts *policy = lfirst(lc);
		bool		written;
		Openness	openness = policy->permissive ? worst_openness(facts, policy, &written) : OPEN_TO_SOME;
		Finding    *finding;

		if (openness == OPEN_TO_SOME || is_for_admins(facts, policy) || is_passed_on(facts, policy))
			continue;
		finding = dbkit_add_finding(judgement, NULL, "policy \"%s\" %s%s; use a condition on %s%s",
									policy->name, open_effect(policy, written),
									openness == OPEN_TO_ALL ? "" : " while none is set",
									quote_identifier(column),
									openness == OPEN_TO_ALL ? "" : " that is not true then");
		finding->part = policy->name;
		dbkit_set_faults(finding, openness == OPEN_TO_ALL ? FAULT_ANY : FAULT_NULL, FAULT_NULL);
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
	dbkit_add_statement(finding, RISK_BREAKS,
						psprintf("ALTER VIEW %s SET (security_invoker = true);",
								 dbkit_facts_identity(judgement->facts)));
}

/* Return what a partition or child lacks of the row level security of its parents, as ALTER TABLE says it; empty for nothing. */
static const char *
missing_row_security(const Facts *facts, bool forced)
{
	if (dbkit_facts_rls_enabled(facts))
		return forced && !dbkit_facts_rls_forced(facts) ? "FORCE ROW LEVEL SECURITY" : "";
	return forced && !dbkit_facts_rls_forced(facts) ? "ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY" :
		"ENABLE ROW LEVEL SECURITY";
}

/* Judge that who may use a partition or child by its own name meets the row level security of its parent. */
static void
judge_partition_rls(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	Protected	parents = dbkit_protected_parents(facts);
	const char *action = missing_row_security(facts, parents.forced);
	bool		enabled = dbkit_facts_rls_enabled(facts);
	const char *user;
	Finding    *finding;

	if (parents.table == NULL || action[0] == '\0')
		return;
	user = dbkit_other_user(facts, ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE, parents.forced);
	if (user == NULL)
		return;
	if (facts->foreign_table)
	{
		(void) dbkit_add_finding(judgement, NULL,
								 "%s may use it past the row level security of table \"%s\", which a foreign table cannot have; use REVOKE",
								 user, parents.table);
		return;
	}
	if (enabled)
		finding = dbkit_add_finding(judgement, NULL,
									"its owner may use it past the row level security of table \"%s\", which is forced; use ALTER TABLE %s %s",
									parents.table, dbkit_facts_identity(facts), action);
	else
		finding = dbkit_add_finding(judgement, NULL,
									"%s may use it past the row level security of table \"%s\"; use ALTER TABLE %s %s",
									user, parents.table, dbkit_facts_identity(facts), action);
	dbkit_set_faults(finding, enabled ? FAULT_FORM : FAULT_ANY, FAULT_FORM);
	dbkit_add_alter(finding, RISK_BREAKS, action);
}

/* Judge that who may read a view sees no more rows than its tables would show. */
static void
judge_rls_view(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	Protected	sources;
	const char *user;

	if (facts->security_invoker)
		return;
	sources = dbkit_protected_sources(facts);
	user = sources.table != NULL ? dbkit_other_user(facts, ACL_SELECT, sources.binds_owner) : NULL;
	if (user == NULL)
		return;
	(void) dbkit_add_finding(judgement, NULL, facts->kind == KIND_VIEW ?
							 "%s may read it past the row level security of %s; use WITH (security_invoker = true)" :
							 "%s may read it past the row level security of %s; use REVOKE SELECT, or a view WITH (security_invoker = true) in its place",
							 user, dbkit_name_protected(&sources));
}

/* Return the beginning of the first statement that takes something away: those that grant are for others. */
static const char *
first_taking(const List *statements, int *count)
{
	const char *result = NULL;
	ListCell   *lc;

	*count = 0;
	foreach(lc, statements)
	{
		if (strncmp(lfirst(lc), "GRANT ", strlen("GRANT ")) == 0)
			continue;
		if ((*count)++ == 0)
			result = lfirst(lc);
	}
	return result != NULL ? pnstrdup(result, strcspn(result, ";")) : NULL;
}

/* Judge that the role of the application's customers has nothing that leads past policies. */
static void
judge_customer_role_confined(Judgement *judgement)
{
	List	   *statements = dbkit_confining_statements(judgement->facts->objid);
	int			count;
	const char *first = first_taking(statements, &count);
	Finding    *finding;
	ListCell   *lc;

	if (statements == NIL)
		return;
	finding = dbkit_add_finding(judgement, NULL, "it can get out of its tenant; use SELECT dbkit.confine_sql(%s) \\gexec: %s%s",
								quote_literal_cstr(judgement->facts->name), first,
								count > 1 ? psprintf(", and %d more", count - 1) : "");
	foreach(lc, statements)
		dbkit_add_statement(finding, RISK_BREAKS, lfirst(lc));
}

/*
 * Is a search_path safe for a function that runs as its owner?  The caller must not
 * be able to put objects before those the function means, as in the temporary
 * schema, which is searched first unless it is named ("Writing SECURITY DEFINER
 * Functions Safely" in CREATE FUNCTION).
 */
bool
dbkit_is_safe_path(const char *search_path)
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

	if (facts->search_path != NULL && dbkit_is_safe_path(facts->search_path))
		return;
	finding = dbkit_add_finding(judgement, NULL,
								facts->search_path == NULL ?
								"it is SECURITY DEFINER without a search_path of its own; use %s" :
								"it is SECURITY DEFINER with a search_path that its caller can put objects into; use %s",
								wanted);
	dbkit_add_statement(finding, RISK_BREAKS,
						psprintf("ALTER ROUTINE %s %s;", dbkit_facts_identity(facts), wanted));
}

/* Judge that a function does not look names up along whatever path its caller has. */
static void
judge_function_search_path(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const char *wanted = psprintf("SET search_path = pg_catalog, %s, pg_temp",
								  quote_identifier(facts->schema));
	Finding    *finding;

	if (facts->search_path != NULL || !facts->late_names || dbkit_keeps_agreement(facts->schema, facts->name))
		return;
	finding = dbkit_add_finding(judgement, NULL, "it looks names up along the search_path of its caller; use %s", wanted);

	/*
	 * With a SET clause it could not COMMIT, and whether it does nobody can
	 * see
	 */
	if (facts->procedure)
		return;
	dbkit_add_statement(finding, RISK_BREAKS,
						psprintf("ALTER ROUTINE %s %s;", dbkit_facts_identity(facts), wanted));
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
		.id = "open_policy",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE | KIND_PARTITION,
		.needs = FACT_POLICIES | FACT_ROW_SECURITY | FACT_COLUMNS | FACT_PARENTS,
		.level = LEVEL_WARNING,
		.description = "no policy of a table with a tenant column is true for every row, always or while no tenant is set",
		.judge = judge_open_policy
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
		.id = "partition_rls",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE | KIND_ENUM_TABLE | KIND_PARTITION,
		.needs = FACT_PARENTS | FACT_ROW_SECURITY | FACT_GRANTS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "a partition or child that another role than its owner may use has the row level security of its parent",
		.judge = judge_partition_rls
	},
	{
		.id = "rls_view",
		.phase = PHASE_COMMIT,
		.kinds = KIND_VIEW | KIND_MATERIALIZED_VIEW,
		.needs = FACT_OBJECT | FACT_SOURCES | FACT_GRANTS,
		.level = LEVEL_WARNING,
		.description = "no materialized view, and no view without security_invoker, that another role than its owner may read shows a table with row level security",
		.judge = judge_rls_view
	},
	{
		.id = "customer_role_confined",
		.phase = PHASE_COMMIT,
		.kinds = KIND_ROLE,
		.needs = FACT_OBJECT,
		.fixable = true,
		.level = LEVEL_WARNING,
		.description = "the agreement's customer_role has no rights that lead past row level security; dbkit.check() alone finds it",
		.judge = judge_customer_role_confined
	},
	{
		.id = "security_definer_path",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_DEFINER,
		.needs = FACT_OBJECT,
		.fixable = true,
		.level = LEVEL_WARNING,
		.description = "a SECURITY DEFINER function sets a search_path that its caller cannot put objects into",
		.judge = judge_security_definer_path
	},
	{
		.id = "function_search_path",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_FUNCTION | KIND_DEFINER,
		.needs = FACT_OBJECT,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "a function or procedure whose body is text sets a search_path",
		.judge = judge_function_search_path
	},
	{NULL}
};
