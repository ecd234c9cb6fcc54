/*-------------------------------------------------------------------------
 *
 * check.c
 *		Judge what is there: dbkit.check() and dbkit.check_schema(), and list
 *		the rules: dbkit.rules.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "dbkit.h"
#include "rules.h"

typedef struct Candidate
{
	Oid			classid;
	Oid			objid;
	NameData	schema;
	NameData	name;
} Candidate;

static int
compare_candidates(const ListCell *a, const ListCell *b)
{
	const Candidate *left = lfirst(a);
	const Candidate *right = lfirst(b);
	int			order = strcmp(NameStr(left->schema), NameStr(right->schema));

	return order != 0 ? order : strcmp(NameStr(left->name), NameStr(right->name));
}

static List *
add_candidate(List *candidates, Oid classid, Oid objid, Oid namespace, const char *name)
{
	Candidate  *candidate = palloc(sizeof(Candidate));
	char	   *schema = get_namespace_name(namespace);

	if (schema == NULL)
		return candidates;		/* dropped meanwhile */
	candidate->classid = classid;
	candidate->objid = objid;
	namestrcpy(&candidate->schema, schema);
	namestrcpy(&candidate->name, name);
	return lappend(candidates, candidate);
}

/* Collect the relations of a schema, or of all for InvalidOid. */
static List *
collect_relations(List *candidates, Oid namespace)
{
	Relation	classes = table_open(RelationRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(classes, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

		if ((class->relkind == RELKIND_RELATION ||
			 class->relkind == RELKIND_PARTITIONED_TABLE ||
			 class->relkind == RELKIND_VIEW) &&
			class->relpersistence != RELPERSISTENCE_TEMP &&
			(!OidIsValid(namespace) || class->relnamespace == namespace))
			candidates = add_candidate(candidates, RelationRelationId, class->oid,
									   class->relnamespace, NameStr(class->relname));
	}
	systable_endscan(scan);
	table_close(classes, AccessShareLock);
	return candidates;
}

/* Collect the enum types of a schema, or of all for InvalidOid. */
static List *
collect_types(List *candidates, Oid namespace)
{
	Relation	types = table_open(TypeRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(types, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_type type = (Form_pg_type) GETSTRUCT(tuple);

		if (type->typtype == TYPTYPE_ENUM &&
			(!OidIsValid(namespace) || type->typnamespace == namespace))
			candidates = add_candidate(candidates, TypeRelationId, type->oid,
									   type->typnamespace, NameStr(type->typname));
	}
	systable_endscan(scan);
	table_close(types, AccessShareLock);
	return candidates;
}

static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value != NULL ? CStringGetTextDatum(value) : (Datum) 0;
}

/* Return one finding as a row. */
static void
put_finding(ReturnSetInfo *rsinfo, Finding *finding)
{
	const char *columns[] = {
		finding->rule->id,
		dbkit_level_name(finding->rule->level),
		dbkit_kind_name(finding->facts->kind),
		dbkit_facts_identity(finding->facts),
		finding->column,
		finding->problem,
		dbkit_fix(list_make1(finding)),
	};
	Datum		values[lengthof(columns)];
	bool		nulls[lengthof(columns)];

	for (size_t i = 0; i < lengthof(columns); i++)
		values[i] = text_or_null(columns[i], &nulls[i]);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * Judge the candidates one after the other and return their findings.  What is
 * allocated for one of them goes before the next; only the suggested prefixes
 * are kept, so that no two fixes use the same.
 */
static void
check_candidates(ReturnSetInfo *rsinfo, List *candidates)
{
	MemoryContext per_object = AllocSetContextCreate(CurrentMemoryContext,
													 "dbkit check",
													 ALLOCSET_DEFAULT_SIZES);
	List	   *suggested = NIL;
	ListCell   *lc;

	foreach(lc, candidates)
	{
		Candidate  *candidate = lfirst(lc);
		MemoryContext caller = MemoryContextSwitchTo(per_object);
		Judgement	judgement = {.suggested = list_copy(suggested)};
		Facts	   *facts = dbkit_facts(candidate->classid, candidate->objid);
		ListCell   *cell;

		CHECK_FOR_INTERRUPTS();
		if (facts != NULL)
			dbkit_judge(&judgement, facts);
		foreach(cell, judgement.findings)
			put_finding(rsinfo, lfirst(cell));

		MemoryContextSwitchTo(caller);
		for (int i = list_length(suggested); i < list_length(judgement.suggested); i++)
			suggested = lappend(suggested, pstrdup(list_nth(judgement.suggested, i)));
		MemoryContextReset(per_object);
	}
	MemoryContextDelete(per_object);
}

/* Judge everything in a schema, or in the database for InvalidOid. */
static void
check_everything(FunctionCallInfo fcinfo, Oid namespace)
{
	List	   *candidates = collect_types(collect_relations(NIL, namespace), namespace);

	list_sort(candidates, compare_candidates);
	InitMaterializedSRF(fcinfo, 0);
	check_candidates((ReturnSetInfo *) fcinfo->resultinfo, candidates);
}

PG_FUNCTION_INFO_V1(check_database);

/*
 * dbkit.check() returns setof record
 *
 * One row per finding at level warning or above in the database.
 */
Datum
check_database(PG_FUNCTION_ARGS)
{
	check_everything(fcinfo, InvalidOid);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(check_schema);

/*
 * dbkit.check_schema(schema regnamespace) returns setof record
 *
 * The same for one schema.  Errors: undefined_schema.
 */
Datum
check_schema(PG_FUNCTION_ARGS)
{
	Oid			namespace = PG_GETARG_OID(0);

	if (get_namespace_name(namespace) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", namespace)));
	check_everything(fcinfo, namespace);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(check_relation);

/*
 * dbkit.check(relation regclass) returns setof record
 *
 * The same for one relation; no rows where it is of a kind that is never
 * judged.  Errors: undefined_table.
 */
Datum
check_relation(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Candidate	candidate = {.classid = RelationRelationId,.objid = relid};

	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	InitMaterializedSRF(fcinfo, 0);
	check_candidates((ReturnSetInfo *) fcinfo->resultinfo, list_make1(&candidate));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(rules);

/*
 * dbkit.rules() returns setof record
 *
 * The rules with their levels in this session.
 */
Datum
rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		const Rule *rule = &dbkit_rules[i];
		Datum		values[] = {
			CStringGetTextDatum(rule->id),
			CStringGetTextDatum(dbkit_phase_name(rule->phase)),
			CStringGetTextDatum(dbkit_level_name(rule->level)),
			CStringGetTextDatum(rule->description),
			BoolGetDatum(rule->fixable),
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}
