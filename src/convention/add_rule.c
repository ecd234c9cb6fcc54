/*-------------------------------------------------------------------------
 *
 * add_rule.c
 *		Add rules of the team's own to the agreement, and take them out:
 *		dbkit.add_rule(), dbkit.drop_rule().
 *
 * Their functions run with a superuser's rights, so only superusers add them, with dbkit.agree()
 * as well.  Who else may change the agreement may drop them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"

#include "common.h"
#include "convention/add_rule.h"
#include "convention/agree.h"
#include "convention/agreement_json.h"
#include "convention/baseline.h"
#include "convention/exempt.h"
#include "convention/rules/rules.h"
#include "convention/team_judge.h"
#include "convention/team_rules.h"

/* Fail unless the caller may have a function run as its owner, a superuser. */
static void
check_superuser(void)
{
	if (superuser())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to add or change a rule"),
			 errdetail("Only superusers may do so: its function runs as its owner, who is one.")));
}

/* Do two definitions say the same? */
static bool
is_same(const TeamRuleDefinition *a, const TeamRuleDefinition *b)
{
	return a->kinds == b->kinds && a->phase == b->phase && strcmp(a->function, b->function) == 0 &&
		strcmp(a->description, b->description) == 0;
}

/*
 * Check the rules that the next agreement has and the present one has not, or has otherwise;
 * return what is wrong with their functions, as sentences.  Errors: insufficient_privilege.
 */
List *
dbkit_check_new_team_rules(const Agreement *present, const Agreement *next)
{
	List	   *problems = NIL;
	ListCell   *lc;

	foreach(lc, next->team_rules)
	{
		const TeamRuleDefinition *definition = lfirst(lc);
		const TeamRuleDefinition *before = dbkit_find_definition(present->team_rules, definition->id);
		TeamFunction function;

		if (before != NULL && is_same(before, definition))
			continue;
		check_superuser();
		function = dbkit_team_function(dbkit_find_team_function(definition->function));
		if (function.trouble != NULL)
			problems = lappend(problems, psprintf("Rule \"%s\" of \"own_rules\": function %s cannot judge: %s.",
												  definition->id, definition->function, function.trouble));
	}
	return problems;
}

/* Fail if an argument is null. */
static void
check_arguments(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"id", "judge", "kinds", "description", "phase"};

	for (int i = 0; i < PG_NARGS(); i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", names[i])));
	}
}

/* Fail unless a rule may have that id. */
static void
check_id(const char *id)
{
	const char *problem = dbkit_team_rule_problem(id);

	if (problem == NULL && dbkit_find_rule(id) == NULL)
		return;
	if (dbkit_find_rule(id) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid id of a rule: \"%s\"", id),
				 errhint("An id begins with a letter from a to z and has only such letters, digits and underscores, 63 at most.")));
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("rule \"%s\" already exists", id),
			 problem == NULL ? errhint("SELECT dbkit.drop_rule('%s') drops it.", id) :
			 errdetail("It is built in.")));
}

/* Return how the agreement names a function that may judge, which stays as it is until then. */
static char *
function_name(Oid oid)
{
	TeamFunction function;

	LockDatabaseObject(ProcedureRelationId, oid, 0, AccessShareLock);
	function = dbkit_team_function(oid);
	if (function.trouble != NULL)
		ereport(ERROR,
				(errcode(function.sqlerrcode),
				 errmsg("function %s cannot judge", format_procedure_qualified(oid)),
				 errdetail_internal("What is wrong: %s.", function.trouble)));
	return psprintf("%s(oid)", quote_qualified_identifier(get_namespace_name(get_func_namespace(oid)),
														  get_func_name(oid)));
}

/* Add the kinds of objects to the JSON that is being built. */
static void
push_kinds(JsonbParseState **state, ArrayType *kinds)
{
	Datum	   *values;
	bool	   *nulls;
	int			count;

	deconstruct_array(kinds, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kinds must not be empty"),
				 errhint("The kinds are %s.", dbkit_list_kinds(KIND_ANY))));
	dbkit_push_string(state, WJB_KEY, "kinds");
	(void) pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		char	   *kind = nulls[i] ? NULL : TextDatumGetCString(values[i]);

		if (kind == NULL || dbkit_find_kind(kind) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unrecognized kind: %s", kind != NULL ? psprintf("\"%s\"", kind) : "null"),
					 errhint("The kinds are %s.", dbkit_list_kinds(KIND_ANY))));
		dbkit_push_string(state, WJB_ELEM, kind);
	}
	(void) pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_pair(JsonbParseState **state, const char *key, const char *value)
{
	dbkit_push_string(state, WJB_KEY, key);
	dbkit_push_string(state, WJB_VALUE, value);
}

/* Fail unless it is the name of a phase. */
static void
check_phase(const char *name)
{
	RulePhase	phase;

	if (!dbkit_find_phase(name, &phase))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized phase: \"%s\"", name),
				 errhint("The phases are statement and commit.")));
}

static void
check_description(const char *description)
{
	if (dbkit_is_blank(description))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("description must not be empty")));
}

PG_FUNCTION_INFO_V1(dbkit_add_rule);

/*
 * dbkit.add_rule(id text, judge regprocedure, kinds text[], description text, phase text)
 *
 * Has a function of the team judge objects of some kinds, like dbkit's rules do.
 *
 * Errors: insufficient_privilege; null_value_not_allowed; duplicate_object;
 * invalid_parameter_value for an id, kind, phase or description that cannot be;
 * undefined_function, wrong_object_type and invalid_function_definition for the function.
 */
Datum
dbkit_add_rule(PG_FUNCTION_ARGS)
{
	JsonbParseState *state = NULL;
	Jsonb	   *agreement;
	char	   *id;
	char	   *description;
	char	   *phase;

	check_superuser();
	check_arguments(fcinfo);
	id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	description = text_to_cstring(PG_GETARG_TEXT_PP(3));
	phase = text_to_cstring(PG_GETARG_TEXT_PP(4));
	agreement = dbkit_begin_agreement_change();
	check_id(id);
	check_phase(phase);
	check_description(description);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, "own_rules");
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(&state, WJB_KEY, id);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_pair(&state, "judge", function_name(PG_GETARG_OID(1)));
	push_kinds(&state, PG_GETARG_ARRAYTYPE_P(2));
	push_pair(&state, "phase", phase);
	push_pair(&state, "description", description);
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	(void) pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	dbkit_end_agreement_change(dbkit_merge_json(agreement,
												JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL))));
	PG_RETURN_VOID();
}

/* Has an object that member, and that one the key? */
static bool
has_key(Jsonb *object, const char *member, const char *key)
{
	Jsonb	   *members = dbkit_json_object(object, member);
	JsonbValue	value;

	return members != NULL && dbkit_json_value(members, key, &value);
}

/* Add to a patch that a key is to be removed from a member, where it is there. */
static void
push_removal(JsonbParseState **state, Jsonb *object, const char *member, const char *key)
{
	JsonbValue	nothing = {.type = jbvNull};

	if (!has_key(object, member, key))
		return;
	dbkit_push_string(state, WJB_KEY, member);
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	dbkit_push_string(state, WJB_KEY, key);
	(void) pushJsonbValue(state, WJB_VALUE, &nothing);
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Add to a patch that the levels of a rule in schemas are to be removed. */
static void
push_schemas(JsonbParseState **state, Jsonb *agreement, const char *id)
{
	Jsonb	   *schemas = dbkit_json_object(agreement, "schemas");
	JsonbIterator *it;
	JsonbValue	value;

	if (schemas == NULL)
		return;
	dbkit_push_string(state, WJB_KEY, "schemas");
	(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	it = JsonbIteratorInit(&schemas->root);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &value, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &value, true))
	{
		Jsonb	   *schema = token == WJB_KEY ? dbkit_json_object(schemas, dbkit_json_string(&value)) : NULL;

		if (schema == NULL || !has_key(schema, "rules", id))
			continue;
		(void) pushJsonbValue(state, WJB_KEY, &value);
		(void) pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
		push_removal(state, schema, "rules", id);
		(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
	}
	(void) pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Return an agreement without a rule and its levels. */
static Jsonb *
remove_rule(Jsonb *agreement, const char *id)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_removal(&state, agreement, "own_rules", id);
	push_removal(&state, agreement, "rules", id);
	push_schemas(&state, agreement, id);
	return dbkit_merge_json(agreement, JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Return an agreement whose baseline has nothing of a rule. */
static Jsonb *
remove_from_baseline(Jsonb *agreement, const char *id)
{
	List	   *entries = dbkit_read_baseline(agreement);
	int			before = list_length(entries);
	ListCell   *lc;

	foreach(lc, entries)
	{
		if (strcmp(((const BaselineEntry *) lfirst(lc))->rule, id) == 0)
			entries = foreach_delete_current(entries, lc);
	}
	return list_length(entries) < before ? dbkit_replace_baseline(agreement, entries) : agreement;
}

PG_FUNCTION_INFO_V1(dbkit_drop_rule);

/*
 * dbkit.drop_rule(id text) returns boolean
 *
 * Takes a rule of the team out of the agreement, and with it its levels, its exemptions and what
 * the baseline has of it; false where there is none.  Its function stays.
 * Errors: insufficient_privilege; feature_not_supported for a rule of dbkit.
 */
Datum
dbkit_drop_rule(PG_FUNCTION_ARGS)
{
	char	   *id = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Jsonb	   *agreement = dbkit_begin_agreement_change();
	const Rule *rule = dbkit_find_rule(id);

	if (rule != NULL && !rule->of_team)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("rule \"%s\" is built in", id),
				 errhint("SELECT dbkit.agree('{\"rules\": {\"%s\": \"off\"}}') switches it off.", id)));
	if (!has_key(agreement, "own_rules", id))
		PG_RETURN_BOOL(false);
	agreement = remove_from_baseline(remove_rule(agreement, id), id);
	dbkit_end_agreement_change(dbkit_remove_exemptions(agreement, id));
	PG_RETURN_BOOL(true);
}
