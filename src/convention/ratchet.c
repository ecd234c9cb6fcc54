/*-------------------------------------------------------------------------
 *
 * ratchet.c
 *		Findings that were there before the transaction.
 *
 * Only what a transaction makes worse is held against it.  Where an object has findings,
 * the same rules judge it as it was before the transaction, by the agreement as it
 * is now, and what they found then is not new.  A finding is known again by its rule,
 * the columns it is about and what a foreign key references: constraints, indexes,
 * triggers and policies may be others by now.
 *
 * An object that was not there before inherits from one of its name that the
 * transaction dropped, as tools do that alter views.  A table made LIKE a
 * partitioned one is about to be a partition: it is held against that table.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"

#include "common.h"
#include "convention/facts/read.h"
#include "convention/ratchet.h"

/* What ATTACH PARTITION fixes, or LIKE need not copy to what will be a partition */
#define PARTITION_FAULTS	(FAULT_KEY | FAULT_DEFAULT | FAULT_CHECK | FAULT_UNREGISTERED)

/* What an object is compared with */
typedef struct Comparison
{
	const Facts *facts;			/* of what it was, or NULL */
	bool		same;			/* the same object, not one of its name */
	List	   *findings;		/* Finding *, not yet found again */
	List	   *unknown;		/* const Rule *, which could not judge it */
} Comparison;

/*
 * Return the object that had the name of this one before, and that the transaction
 * has dropped; or InvalidOid.
 */
static Oid
find_predecessor(const Catalogs *before, const Facts *facts)
{
	CatalogKind kind = dbkit_catalog_of(facts->classid);
	Oid			namespace = dbkit_catalog_search(before, CATALOG_SCHEMA, facts->schema, NULL, InvalidOid);
	HeapTuple	row = dbkit_catalog_row(&dbkit_now, kind, facts->objid);
	const oidvector *arguments = NULL;
	Oid			result;

	if (!OidIsValid(namespace) || row == NULL)
		return InvalidOid;
	if (kind == CATALOG_FUNCTION)
		arguments = &((Form_pg_proc) GETSTRUCT(row))->proargtypes;
	result = dbkit_catalog_search(before, kind, facts->name, arguments, namespace);
	return dbkit_catalog_row(&dbkit_now, kind, result) == NULL ? result : InvalidOid;
}

/* Read what an object was before the transaction, as far as these facts go. */
static void
read_before(const Catalogs *before, const Facts *facts, FactSet wanted, Comparison *comparison)
{
	Oid			objid = facts->objid;
	Facts	   *result;

	comparison->same = dbkit_catalog_row(before, dbkit_catalog_of(facts->classid), objid) != NULL;
	if (!comparison->same)
		objid = find_predecessor(before, facts);
	result = OidIsValid(objid) ? dbkit_facts(before, facts->classid, objid, wanted) : NULL;

	/*
	 * Where one index matters, what others were wrong with is not told of
	 * either state
	 */
	if (result != NULL && comparison->same)
		result->index = facts->index;

	/* It was a table, or a partition, which is read as a table */
	if (result != NULL && facts->kind == KIND_PARTITION)
		result->kind = KIND_PARTITION;
	comparison->facts = result;
}

/* Return the rules of the findings, and the facts that they need. */
static List *
rules_of(const List *findings, int from, FactSet *wanted)
{
	List	   *result = NIL;

	*wanted = 0;
	for (int i = from; i < list_length(findings); i++)
	{
		const Finding *finding = list_nth(findings, i);

		result = list_append_unique_ptr(result, unconstify(Rule *, finding->rule));
		*wanted |= dbkit_facts_of_rule(finding->rule);
	}
	return result;
}

/* Return the name of a column, or NULL. */
static const char *
column_name(const Facts *facts, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, facts->read.columns)
	{
		if (((const ColumnFacts *) lfirst(lc))->attnum == attnum)
			return ((const ColumnFacts *) lfirst(lc))->name;
	}
	return NULL;
}

/* Are the findings about the same columns, of another table by their names? */
static bool
same_columns(const Finding *old, const Finding *new, bool by_number)
{
	const ListCell *lc1;
	const ListCell *lc2;
	List	   *missing = NIL;

	if (by_number)
		return equal(old->attnums, new->attnums);
	if (list_length(old->attnums) != list_length(new->attnums))
		return false;
	foreach(lc1, old->attnums)
	{
		const char *name = column_name(old->facts, lfirst_int(lc1));

		if (lfirst_int(lc1) != 0 && name == NULL)
			return false;
		missing = lappend(missing, name != NULL ? unconstify(char *, name) : "");
	}
	foreach(lc2, new->attnums)
	{
		const char *name = column_name(new->facts, lfirst_int(lc2));

		if (lfirst_int(lc2) != 0 && (name == NULL || !dbkit_list_has_string(missing, name)))
			return false;
	}
	return true;
}

/* Is it the same table, or one that was made in its place? */
static bool
same_table(const Finding *old, const Finding *new)
{
	const char *before;
	const char *now;

	if (old->referenced == new->referenced)
		return true;
	if (!OidIsValid(old->referenced) || !OidIsValid(new->referenced) ||
		dbkit_catalog_row(&dbkit_now, CATALOG_RELATION, old->referenced) != NULL)
		return false;
	before = dbkit_catalog_identity(old->facts->catalogs, old->referenced);
	now = dbkit_catalog_identity(&dbkit_now, new->referenced);
	return before != NULL && now != NULL && strcmp(before, now) == 0;
}

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Is a finding about what another one was about before? */
static bool
is_about_same(const Finding *old, const Finding *new, bool by_number)
{
	if (old->rule != new->rule || !same_table(old, new))
		return false;
	if (old->faults & FAULT_MISSING)
		return same_string(old->subject, new->subject != NULL ? new->subject : new->column);
	return same_string(old->subject, new->subject) && same_columns(old, new, by_number);
}

/*
 * Was a finding there before, in the same words or in others?  Then the old one is used
 * up: of two that are alike now, where there was one, one is new.  What nobody could tell of
 * before counts as known.
 */
static bool
is_known(Comparison *comparison, const Finding *finding, bool same_words)
{
	ListCell   *lc;

	if (list_member_ptr(comparison->unknown, finding->rule))
		return true;
	foreach(lc, comparison->findings)
	{
		const Finding *old = lfirst(lc);

		if (!is_about_same(old, finding, comparison->same) ||
			(finding->faults & ~(old->faults | old->hidden)) != 0 ||
			(same_words && strcmp(old->problem, finding->problem) != 0))
			continue;
		comparison->findings = foreach_delete_current(comparison->findings, lc);
		return true;
	}
	return false;
}

/* Does a finding not count against what is to be a partition of that table? */
static bool
is_for_partition(const Finding *finding, Oid root)
{
	return (finding->faults & ~PARTITION_FAULTS) == 0 ||
		(finding->faults == FAULT_TAKEN && finding->referenced == root);
}

/* Find out what an object was, and what was wrong with it. */
static void
compare(Ratchet *ratchet, const List *findings, int from, JudgeScope scope, Comparison *comparison)
{
	const Facts *facts = ((const Finding *) llast(findings))->facts;
	FactSet		wanted;
	Judgement	judgement = {.only = rules_of(findings, from, &wanted)};

	if (OidIsValid(ratchet->model))
	{
		/*
		 * A partition is judged through its root alone: exemptions are the
		 * root's
		 */
		comparison->facts = dbkit_facts(&dbkit_now, RelationRelationId, ratchet->model, wanted);
		scope = SCOPE_ALL;
	}
	else
	{
		if (ratchet->before.snapshot == NULL)
			dbkit_open_before(&ratchet->before);
		read_before(&ratchet->before, facts, wanted, comparison);
	}
	if (comparison->facts == NULL)
		return;
	dbkit_judge(&judgement, unconstify(Facts *, comparison->facts), scope, CHANGE_ALL);
	comparison->findings = judgement.findings;
	comparison->unknown = judgement.failed;
}

/* Take out of a list what does not count against a partition, or all where its root is not judged. */
static List *
drop_of_partition(const List *findings, int from, Oid root, bool judged)
{
	List	   *result = list_truncate(list_copy(findings), from);

	for (int i = from; i < list_length(findings) && judged; i++)
	{
		if (!is_for_partition(list_nth(findings, i), root))
			result = lappend(result, list_nth(findings, i));
	}
	return result;
}

/* Take out of a list what was there before, in the same words or in others. */
static List *
drop_old(const List *findings, int from, Comparison *comparison, bool same_words)
{
	List	   *result = list_truncate(list_copy(findings), from);

	for (int i = from; i < list_length(findings); i++)
	{
		if (!is_known(comparison, list_nth(findings, i), same_words))
			result = lappend(result, list_nth(findings, i));
	}
	return result;
}

/*
 * Take out of a list the findings that were there before the transaction.  Those
 * before "from" stay; the others are all on one object.  Tells whether there was anything
 * to compare it with.
 */
List *
dbkit_drop_known(Ratchet *ratchet, List *findings, int from, JudgeScope scope, bool *existed)
{
	Comparison	comparison = {.facts = NULL};

	if (list_length(findings) == from)
		return findings;
	compare(ratchet, findings, from, scope, &comparison);
	*existed = comparison.facts != NULL;
	if (OidIsValid(ratchet->model))
		findings = drop_of_partition(findings, from, ratchet->model, comparison.facts != NULL);
	findings = drop_old(findings, from, &comparison, true);
	return drop_old(findings, from, &comparison, false);
}

/* Give back what the ratchet holds. */
void
dbkit_close_ratchet(Ratchet *ratchet)
{
	if (ratchet->before.snapshot != NULL)
		dbkit_close_before(&ratchet->before);
}
