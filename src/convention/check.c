/*-------------------------------------------------------------------------
 *
 * check.c
 *		Judge what is there: dbkit.check() and dbkit.check_schema().
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/facts/read.h"
#include "convention/agreement.h"
#include "convention/check.h"
#include "convention/exemption.h"
#include "convention/levels.h"
#include "convention/registry.h"
#include "convention/rules/rules.h"

/* What the facts and findings of most objects take, so that it is allocated once */
#define OBJECT_SIZE		(64 * 1024)

typedef struct Candidate
{
	Oid			classid;
	Oid			objid;
	HeapTuple	class_row;		/* of a table: what pg_class said of it, */
	uint64		changes;		/* with dbkit_relation_changes() then */
} Candidate;

/* Is told of an object that may be judged: its row, and the schema it is in. */
typedef void (*ObjectCallback) (Oid classid, Oid objid, HeapTuple row, Oid namespace,
								const char *name, void *arg);

/* Tell of the object that a catalog row describes, if it may be judged. */
static void
visit_object(Oid classid, HeapTuple tuple, ObjectCallback callback, void *arg)
{
	bool		wanted;
	Oid			objid;
	Oid			namespace;
	const char *name;

	if (classid == RelationRelationId)
	{
		Form_pg_class class = (Form_pg_class) GETSTRUCT(tuple);

		wanted = (class->relkind == RELKIND_RELATION ||
				  class->relkind == RELKIND_PARTITIONED_TABLE ||
				  class->relkind == RELKIND_VIEW ||
				  class->relkind == RELKIND_MATVIEW ||
				  class->relkind == RELKIND_FOREIGN_TABLE) &&
			class->relpersistence != RELPERSISTENCE_TEMP;
		objid = class->oid;
		namespace = class->relnamespace;
		name = NameStr(class->relname);
	}
	else if (classid == TypeRelationId)
	{
		Form_pg_type type = (Form_pg_type) GETSTRUCT(tuple);

		wanted = type->typtype == TYPTYPE_ENUM;
		objid = type->oid;
		namespace = type->typnamespace;
		name = NameStr(type->typname);
	}
	else
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);

		wanted = true;
		objid = proc->oid;
		namespace = proc->pronamespace;
		name = NameStr(proc->proname);
	}

	/* Not those that initdb made */
	if (wanted && objid >= FirstNormalObjectId)
		callback(classid, objid, tuple, namespace, name, arg);
}

/* Tell of all objects that may be judged. */
static void
visit_objects(ObjectCallback callback, void *arg)
{
	static const Oid catalogs[] = {RelationRelationId, TypeRelationId, ProcedureRelationId};

	for (size_t i = 0; i < lengthof(catalogs); i++)
	{
		Relation	catalog = table_open(catalogs[i], AccessShareLock);
		SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
		HeapTuple	tuple;

		while (HeapTupleIsValid(tuple = systable_getnext(scan)))
			visit_object(catalogs[i], tuple, callback, arg);
		systable_endscan(scan);
		table_close(catalog, AccessShareLock);
	}
}

typedef struct Candidates
{
	Oid			namespace;		/* InvalidOid for all */
	int			kinds;			/* that there are rules for */
	uint64		changes;
	List	   *list;			/* Candidate * */
} Candidates;

/* Is a relation of a kind that there may be rules for? */
static bool
is_of_kinds(Form_pg_class form, int kinds)
{
	if (form->relispartition || form->relkind == RELKIND_FOREIGN_TABLE)
		return (kinds & KIND_PARTITION) != 0;
	return form->relkind != RELKIND_MATVIEW || (kinds & KIND_MATERIALIZED_VIEW) != 0;
}

static void
collect_candidate(Oid classid, Oid objid, HeapTuple row, Oid namespace,
				  const char *name pg_attribute_unused(), void *arg)
{
	Candidates *candidates = arg;
	Candidate  *candidate;

	if ((OidIsValid(candidates->namespace) && candidates->namespace != namespace) ||
		(classid == RelationRelationId && !is_of_kinds((Form_pg_class) GETSTRUCT(row), candidates->kinds)))
		return;
	if (classid == ProcedureRelationId && !(candidates->kinds & KIND_FUNCTION) && !((Form_pg_proc) GETSTRUCT(row))->prosecdef)
		return;
	candidate = palloc0(sizeof(Candidate));
	candidate->classid = classid;
	candidate->objid = objid;
	if (classid == RelationRelationId &&
		((Form_pg_class) GETSTRUCT(row))->relkind != RELKIND_VIEW)
		candidate->class_row = heap_copytuple(row);
	candidate->changes = candidates->changes;
	candidates->list = lappend(candidates->list, candidate);
}

/* Return the role that the application has for its customers, or InvalidOid where there is none. */
static Oid
find_customer_role(void)
{
	const char *name = dbkit_agreement()->customer_role;

	return name != NULL ? get_role_oid(name, true) : InvalidOid;
}

/* Add that role, if there is one. */
static void
collect_customer_role(Candidates *candidates)
{
	Oid			role = find_customer_role();
	Candidate  *candidate;

	if (!OidIsValid(role))
		return;
	candidate = palloc0(sizeof(Candidate));
	candidate->classid = AuthIdRelationId;
	candidate->objid = role;
	candidates->list = lappend(candidates->list, candidate);
}

/* Collect the objects of a schema, or of all for InvalidOid, that a rule of that scope may be about. */
static List *
collect_candidates(Oid namespace, JudgeScope scope)
{
	Candidates	candidates = {.namespace = namespace,.changes = dbkit_relation_changes()};

	dbkit_refresh_agreement();
	candidates.kinds = dbkit_judged_kinds(scope);
	visit_objects(collect_candidate, &candidates);
	if (scope != SCOPE_FIX && !OidIsValid(namespace) && (candidates.kinds & KIND_ROLE) != 0)
		collect_customer_role(&candidates);
	return candidates.list;
}

/* In the order of the oids, by which the catalogs are read. */
static int
compare_oids(const ListCell *a, const ListCell *b)
{
	const Candidate *left = lfirst(a);
	const Candidate *right = lfirst(b);

	if (left->classid != right->classid)
		return left->classid < right->classid ? -1 : 1;
	return (left->objid > right->objid) - (left->objid < right->objid);
}

/* Keep a candidate as it is while it is judged: what is looked up must not go meanwhile. */
static void
lock_candidate(const Candidate *candidate, RowReader *reader)
{
	if (candidate->classid == AuthIdRelationId)
		LockSharedObject(candidate->classid, candidate->objid, 0, AccessShareLock);
	else if (candidate->classid != RelationRelationId)
		LockDatabaseObject(candidate->classid, candidate->objid, 0, AccessShareLock);
	else if (!ConditionalLockRelationOid(candidate->objid, AccessShareLock))
	{
		dbkit_pause_reader(reader);
		LockRelationOid(candidate->objid, AccessShareLock);
	}
}

static void
unlock_candidate(const Candidate *candidate)
{
	if (candidate->classid == AuthIdRelationId)
		UnlockSharedObject(candidate->classid, candidate->objid, 0, AccessShareLock);
	else if (candidate->classid != RelationRelationId)
		UnlockDatabaseObject(candidate->classid, candidate->objid, 0, AccessShareLock);
	else
		UnlockRelationOid(candidate->objid, AccessShareLock);
}

/* What is done with each object: its facts are handed on, its findings, or both */
typedef struct Visitor
{
	JudgeScope	scope;
	FactsCallback facts;
	FindingCallback finding;
	void	   *arg;
} Visitor;

/* Hand on the facts of one candidate, and judge it and hand on its findings. */
static void
check_candidate(const Candidate *candidate, RowReader *reader, Judgement *judgement,
				const Visitor *visitor)
{
	Facts	   *facts;
	ListCell   *lc;

	lock_candidate(candidate, reader);
	dbkit_refresh_reader(reader);
	reader->class_row = candidate->changes == dbkit_relation_changes() ? candidate->class_row : NULL;
	facts = dbkit_read_facts(reader, candidate->classid, candidate->objid,
							 dbkit_facts_to_read(visitor->scope, CHANGE_ALL));
	if (facts != NULL && visitor->facts != NULL)
		visitor->facts(judgement, facts, visitor->arg);
	if (facts != NULL && visitor->finding != NULL)
	{
		dbkit_judge(judgement, facts, visitor->scope, CHANGE_ALL);
		foreach(lc, judgement->findings)
			visitor->finding(lfirst(lc), visitor->arg);
	}
	unlock_candidate(candidate);
}

/*
 * Judge the candidates one after the other and hand on their findings.  What
 * is allocated for one of them goes before the next; only the suggested
 * prefixes are kept, so that no two fixes use the same.
 */
static void
check_candidates(List *candidates, const Visitor *visitor)
{
	MemoryContext per_object = GenerationContextCreate(CurrentMemoryContext, "dbkit check",
													   OBJECT_SIZE, OBJECT_SIZE,
													   ALLOCSET_DEFAULT_MAXSIZE);
	bool		many = list_length(candidates) > 1;
	RegistryCopy *prefixes = many ? dbkit_registry_copy() : NULL;
	List	   *suggested = NIL;
	int			judged = 0;
	RowReader	reader;
	ListCell   *lc;

	dbkit_refresh_agreement();
	list_sort(candidates, compare_oids);
	dbkit_open_reader(&reader, &dbkit_now, many);
	foreach(lc, candidates)
	{
		Judgement	judgement = {.prefixes = prefixes};
		MemoryContext caller = MemoryContextSwitchTo(per_object);

		CHECK_FOR_INTERRUPTS();
		judgement.suggested = list_copy(suggested);
		check_candidate(lfirst(lc), &reader, &judgement, visitor);

		MemoryContextSwitchTo(caller);
		for (int i = list_length(suggested); i < list_length(judgement.suggested); i++)
			suggested = lappend(suggested, pstrdup(list_nth(judgement.suggested, i)));
		MemoryContextReset(per_object);

		/* Extensions have no progress view of their own to report to */
		if (++judged % 1000 == 0)
			ereport(DEBUG1,
					(errmsg_internal("dbkit judged %d of %d objects",
									 judged, list_length(candidates))));
	}
	dbkit_close_reader(&reader);
	MemoryContextDelete(per_object);
}

/*
 * Hand on what the rules of a scope ask of every object of a schema, or of the database for
 * InvalidOid, and judge it and hand on its findings; either callback may be NULL.
 */
void
dbkit_check_objects(Oid namespace, JudgeScope scope, FactsCallback facts, FindingCallback finding,
					void *arg)
{
	Visitor		visitor = {.scope = scope,.facts = facts,.finding = finding,.arg = arg};

	check_candidates(collect_candidates(namespace, scope), &visitor);
}

/* Judge one object and hand its findings to a callback. */
void
dbkit_check_object(Oid classid, Oid objid, JudgeScope scope, FindingCallback callback, void *arg)
{
	Candidate	candidate = {.classid = classid,.objid = objid};
	Visitor		visitor = {.scope = scope,.finding = callback,.arg = arg};

	check_candidates(list_make1(&candidate), &visitor);
}

typedef struct NamePattern
{
	const char *object;
	bool		matched;
} NamePattern;

/* Note whether a name is that, or LIKE it. */
static void
match(NamePattern *pattern, const char *name)
{
	pattern->matched |= dbkit_is_pattern(pattern->object) ? dbkit_is_like(name, pattern->object) :
		strcmp(name, pattern->object) == 0;
}

static void
match_name(Oid classid pg_attribute_unused(), Oid objid pg_attribute_unused(),
		   HeapTuple row pg_attribute_unused(), Oid namespace, const char *name, void *arg)
{
	NamePattern *pattern = arg;
	char	   *schema = pattern->matched ? NULL : get_namespace_name(namespace);

	if (schema != NULL)			/* else dropped meanwhile */
		match(pattern, dbkit_object_name(schema, name));
}

/* Is there an object whose schema.name, or role whose name, is that, or LIKE it if it is a pattern? */
bool
dbkit_any_object_is_like(const char *object)
{
	NamePattern sought = {object, false};

	visit_objects(match_name, &sought);
	dbkit_refresh_agreement();
	if (OidIsValid(find_customer_role()))
		match(&sought, dbkit_object_name("", dbkit_agreement()->customer_role));
	return sought.matched;
}

static Datum
text_or_null(const char *value, bool *isnull)
{
	*isnull = value == NULL;
	return value != NULL ? CStringGetTextDatum(value) : (Datum) 0;
}

const char *const dbkit_check_columns[N_CHECK_COLUMNS] = {
	"rule", "level", "object_type", "object_identity", "column_name", "problem", "fix", "risk"
};

/* Set what dbkit.check() tells of a finding, NULL where there is nothing to tell. */
void
dbkit_check_values(const Finding *finding, const char *values[N_CHECK_COLUMNS])
{
	values[0] = finding->rule->id;
	values[1] = dbkit_level_name(finding->level);
	values[2] = dbkit_kind_name(finding->facts->kind);
	values[3] = dbkit_facts_identity(finding->facts);
	values[4] = finding->column;
	values[5] = finding->problem;
	values[6] = dbkit_fix(list_make1(unconstify(Finding *, finding)));
	values[7] = values[6] != NULL ? dbkit_worst_risk(finding) : NULL;
}

/* A finding as a row of a set-returning function, and where it stands */
typedef struct FindingRow
{
	char	   *schema;
	char	   *name;
	int			number;
	HeapTuple	tuple;
} FindingRow;

typedef struct FindingRows
{
	MemoryContext context;
	TupleDesc	desc;
	List	   *rows;			/* FindingRow * */
} FindingRows;

/* By name, of one name by oid, and the findings of one object as they came. */
static int
compare_rows(const ListCell *a, const ListCell *b)
{
	const FindingRow *left = lfirst(a);
	const FindingRow *right = lfirst(b);
	int			order = strcmp(left->schema, right->schema);

	if (order == 0)
		order = strcmp(left->name, right->name);
	return order != 0 ? order : left->number - right->number;
}

/* Keep one finding as a row. */
static void
keep_finding(const Finding *finding, void *arg)
{
	FindingRows *result = arg;
	const char *columns[N_CHECK_COLUMNS];
	Datum		values[N_CHECK_COLUMNS];
	bool		nulls[N_CHECK_COLUMNS];
	FindingRow *row;
	MemoryContext caller;

	dbkit_check_values(finding, columns);
	for (size_t i = 0; i < lengthof(columns); i++)
		values[i] = text_or_null(columns[i], &nulls[i]);

	caller = MemoryContextSwitchTo(result->context);
	row = palloc(sizeof(FindingRow));
	row->schema = pstrdup(finding->facts->schema);
	row->name = pstrdup(finding->facts->name);
	row->number = list_length(result->rows);
	row->tuple = heap_form_tuple(result->desc, values, nulls);
	result->rows = lappend(result->rows, row);
	MemoryContextSwitchTo(caller);
}

/* Judge candidates and return their findings as rows, by the objects' names. */
static void
return_findings(FunctionCallInfo fcinfo, List *candidates)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	FindingRows result = {.context = CurrentMemoryContext};
	Visitor		visitor = {.scope = SCOPE_CHECK,.finding = keep_finding,.arg = &result};
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	result.desc = rsinfo->setDesc;
	check_candidates(candidates, &visitor);
	list_sort(result.rows, compare_rows);
	foreach(lc, result.rows)
		tuplestore_puttuple(rsinfo->setResult, ((FindingRow *) lfirst(lc))->tuple);
}

PG_FUNCTION_INFO_V1(dbkit_check);

/*
 * dbkit.check() returns setof record
 *
 * One row per finding at level warning or above in the database.
 */
Datum
dbkit_check(PG_FUNCTION_ARGS)
{
	return_findings(fcinfo, collect_candidates(InvalidOid, SCOPE_CHECK));
	PG_RETURN_VOID();
}

/* Ensure that there is such a schema.  Errors: invalid_schema_name. */
void
dbkit_require_schema(Oid namespace)
{
	if (get_namespace_name(namespace) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema with OID %u does not exist", namespace)));
}

PG_FUNCTION_INFO_V1(dbkit_check_schema);

/*
 * dbkit.check_schema(schema regnamespace) returns setof record
 *
 * The same for one schema.  Errors: invalid_schema_name.
 */
Datum
dbkit_check_schema(PG_FUNCTION_ARGS)
{
	Oid			namespace = PG_GETARG_OID(0);

	dbkit_require_schema(namespace);
	return_findings(fcinfo, collect_candidates(namespace, SCOPE_CHECK));
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_check_relation);

/*
 * dbkit.check(relation regclass) returns setof record
 *
 * The same for one relation; no rows where it is of a kind that is never
 * judged.  Errors: undefined_table.
 */
Datum
dbkit_check_relation(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	Candidate	candidate = {.classid = RelationRelationId,.objid = relid};

	if (get_rel_name(relid) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return_findings(fcinfo, list_make1(&candidate));
	PG_RETURN_VOID();
}
