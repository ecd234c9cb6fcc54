/*-------------------------------------------------------------------------
 *
 * indexes.c
 *		Rules about indexes, and about constraints that are not valid yet.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/dependency.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/rules/files.h"

/* Does the first list begin with the second one, which is not longer? */
static bool
begins_with(const List *list, const List *prefix)
{
	for (int i = 0; i < list_length(prefix); i++)
	{
		if (list_nth_oid(list, i) != list_nth_oid(prefix, i))
			return false;
	}
	return true;
}

/* Does the other index give the order of this one, read forwards or backwards? */
static bool
has_order_of(const IndexFacts *other, const IndexFacts *index)
{
	int			difference = linitial_int(index->options) ^ linitial_int(other->options);

	if (difference != 0 && difference != (INDOPTION_DESC | INDOPTION_NULLS_FIRST))
		return false;
	for (int i = 1; i < list_length(index->options); i++)
	{
		if ((list_nth_int(index->options, i) ^ list_nth_int(other->options, i)) != difference)
			return false;
	}
	return true;
}

/* Does the other index hold the columns that this one includes? */
static bool
has_included_of(const IndexFacts *other, const IndexFacts *index)
{
	ListCell   *lc;

	foreach(lc, index->included)
	{
		if (!list_member_int(other->columns, lfirst_int(lc)) &&
			!list_member_int(other->included, lfirst_int(lc)))
			return false;
	}
	return true;
}

/* Does the other index keep unique what this one does? */
static bool
has_uniqueness_of(const IndexFacts *other, const IndexFacts *index)
{
	return !index->unique ||
		(list_length(other->columns) == list_length(index->columns) &&
		 other->unique && other->immediate >= index->immediate &&
		 other->nulls_not_distinct == index->nulls_not_distinct);
}

/* Is there nothing that only the index can do, and not the other one? */
static bool
is_redundant(const IndexFacts *index, const IndexFacts *other)
{
	bool		same = list_length(index->columns) == list_length(other->columns);

	if (other->oid == index->oid || !other->usable ||
		other->access_method != index->access_method ||
		(!same && index->access_method != BTREE_AM_OID))
		return false;
	for (int i = 0; i < list_length(index->columns); i++)
	{
		if (i >= list_length(other->columns) || list_nth_int(index->columns, i) == 0 ||
			list_nth_int(index->columns, i) != list_nth_int(other->columns, i))
			return false;
	}
	if (!begins_with(other->operator_classes, index->operator_classes) ||
		!begins_with(other->collations, index->collations) ||
		!has_order_of(other, index) || !has_included_of(other, index) ||
		!has_uniqueness_of(other, index))
		return false;

	/* Of two that can do the same, the later one is redundant */
	same &= has_included_of(index, other) && has_uniqueness_of(index, other);
	return !same || other->constraint || other->oid < index->oid;
}

/* Does a foreign key need the index?  It depends on the one that was there when it was made. */
static bool
is_referenced(const Facts *facts, const IndexFacts *index)
{
	ListCell   *lc;

	foreach(lc, index->unique ? dbkit_catalog_dependents(facts->catalogs, RelationRelationId, index->oid, 0, false) : NIL)
	{
		if (((const ObjectAddress *) lfirst(lc))->classId == ConstraintRelationId)
			return true;
	}
	return false;
}

/* Return an index that makes this one redundant, or NULL. */
static const IndexFacts *
find_better_index(const Facts *facts, const IndexFacts *index)
{
	ListCell   *lc;

	if (index->constraint || !index->usable)
		return NULL;
	foreach(lc, dbkit_facts_indexes(facts))
	{
		const IndexFacts *other = lfirst(lc);

		/* Where one index matters, it is one of the two */
		if (is_redundant(index, other) &&
			(!OidIsValid(facts->index) ||
			 facts->index == index->oid || facts->index == other->oid))
			return other;
	}
	return NULL;
}

/* Return the name of an index, or NULL where it has been dropped meanwhile. */
static char *
index_name(const Facts *facts, const IndexFacts *index)
{
	return dbkit_catalog_name(facts->catalogs, CATALOG_RELATION, index->oid, NULL);
}

/* Judge that no index is the same as, or a prefix of, another. */
static void
judge_duplicate_index(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_indexes(facts))
	{
		const IndexFacts *index = lfirst(lc);
		const IndexFacts *better = find_better_index(facts, index);
		const IndexFacts *other = better != NULL && !is_referenced(facts, index) ? better : NULL;
		char	   *name = other != NULL ? index_name(facts, index) : NULL;
		char	   *other_name = name != NULL ? index_name(facts, other) : NULL;

		Finding    *finding;

		/* DROP INDEX CONCURRENTLY leaves us no lock to hold on to */
		if (other_name == NULL)
			continue;
		finding = dbkit_add_finding(judgement, NULL,
									"index \"%s\" on (%s) is served by index \"%s\" on (%s); use DROP INDEX",
									name, dbkit_facts_column_names(facts, index->columns),
									other_name, dbkit_facts_column_names(facts, other->columns));
		dbkit_set_columns(finding, index->columns);
		finding->part = name;
		dbkit_add_action(finding, ACTION_DROP_INDEX, NULL, NULL,
						 psprintf("DROP INDEX %s;", quote_qualified_identifier(facts->schema, name)))->risk = RISK_SAFE;
	}
}

/* Has a failed REINDEX CONCURRENTLY left the index?  It chooses such names, with a number if they are taken. */
static bool
is_leftover(const char *name)
{
	size_t		length = strlen(name);
	char	   *stem;

	while (length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9')
		length--;
	stem = pnstrdup(name, length);
	return dbkit_ends_with(stem, "_ccnew") || dbkit_ends_with(stem, "_ccold");
}

/* Return the partitions of a table of which no valid index is attached to its index. */
static List *
find_unindexed(const Catalogs *catalogs, Oid table, Oid index)
{
	List	   *indexed = NIL;
	ListCell   *lc;

	foreach(lc, dbkit_catalog_children(catalogs, index))
	{
		HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_INDEX, lfirst_oid(lc));

		if (row != NULL && ((Form_pg_index) GETSTRUCT(row))->indisvalid)
			indexed = lappend_oid(indexed, ((Form_pg_index) GETSTRUCT(row))->indrelid);
	}
	return list_difference_oid(dbkit_catalog_children(catalogs, table), indexed);
}

/* Say what an index of a partitioned table needs to be valid. */
static const char *
advise_partitioned(const Catalogs *catalogs, Oid table, Oid index, const char *name)
{
	List	   *unindexed = find_unindexed(catalogs, table, index);
	const char *partition = unindexed != NIL ? dbkit_catalog_identity(catalogs, linitial_oid(unindexed)) : NULL;
	const char *more = list_length(unindexed) > 1 ? psprintf(" and %d more", list_length(unindexed) - 1) : "";

	if (partition == NULL)
		return "; drop it, and make it again";
	return psprintf(", as no valid index of partition \"%s\"%s is attached to it; use ALTER INDEX %s ATTACH PARTITION",
					partition, more, name);
}

/* Report an invalid index of the table, or of one of its partitions; returns the finding, or NULL where it is gone. */
static Finding *
report_invalid(Judgement *judgement, Oid table, Oid index)
{
	const Catalogs *catalogs = judgement->facts->catalogs;
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_RELATION, index);
	Form_pg_class form = row != NULL ? (Form_pg_class) GETSTRUCT(row) : NULL;
	char	   *schema = form != NULL ? dbkit_catalog_schema(catalogs, form->relnamespace) : NULL;
	char	   *owner = dbkit_catalog_identity(catalogs, table);
	const char *partition;
	const char *name;
	const char *fix;
	Finding    *finding;

	if (schema == NULL || owner == NULL)
		return NULL;
	name = quote_qualified_identifier(schema, NameStr(form->relname));
	partition = table != judgement->facts->objid ? psprintf(" of partition \"%s\"", owner) : "";
	fix = form->relkind == RELKIND_PARTITIONED_INDEX ? NULL :
		psprintf("%s INDEX CONCURRENTLY %s", is_leftover(NameStr(form->relname)) ? "DROP" : "REINDEX", name);
	finding = dbkit_add_finding(judgement, NULL, "index \"%s\"%s is invalid%s%s", NameStr(form->relname), partition,
								fix != NULL ? "; use " : advise_partitioned(catalogs, table, index, name),
								fix != NULL ? fix : "");
	finding->part = NameStr(form->relname);
	if (table != judgement->facts->objid)
		finding->subject = owner;
	if (fix != NULL)
		dbkit_add_action(finding, ACTION_ALONE, NULL, NULL, psprintf("%s;", fix))->risk = RISK_LOCKS;
	return finding;
}

/* Judge the indexes of all partitions, which nothing else judges: a failed CREATE INDEX CONCURRENTLY may have left one. */
static void
judge_partitions(Judgement *judgement)
{
	const Catalogs *catalogs = judgement->facts->catalogs;
	List	   *partitions = dbkit_catalog_children(catalogs, judgement->facts->objid);

	for (int i = 0; i < list_length(partitions); i++)
	{
		Oid			partition = list_nth_oid(partitions, i);
		ListCell   *lc;

		CHECK_FOR_INTERRUPTS();
		foreach(lc, dbkit_catalog_indexes(catalogs, partition))
		{
			HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_INDEX, lfirst_oid(lc));
			Form_pg_index form = row != NULL ? (Form_pg_index) GETSTRUCT(row) : NULL;

			if (form != NULL && form->indislive && !form->indisvalid)
				(void) report_invalid(judgement, partition, form->indexrelid);
		}
		partitions = list_concat(partitions, dbkit_catalog_children(catalogs, partition));
	}
}

/* Judge that no index is invalid: that is written, and not used. */
static void
judge_invalid_index(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_indexes(facts))
	{
		const IndexFacts *index = lfirst(lc);
		Finding    *finding;

		if (index->valid || (OidIsValid(facts->index) && facts->index != index->oid))
			continue;
		finding = report_invalid(judgement, facts->objid, index->oid);
		if (finding != NULL)
			dbkit_set_columns(finding, index->columns);
	}
	if (facts->partitioned && !OidIsValid(facts->index))
		judge_partitions(judgement);
}

/* Judge that no constraint is left NOT VALID. */
static void
judge_constraint_validated(Judgement *judgement)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_unvalidated(judgement->facts))
	{
		const ConstraintFacts *constraint = lfirst(lc);
		char	   *action = psprintf("VALIDATE CONSTRAINT %s", quote_identifier(constraint->name));
		Finding    *finding = dbkit_add_finding(judgement, NULL,
												"constraint \"%s\" is not validated; use %s",
												constraint->name, action);

		dbkit_set_columns(finding, constraint->columns);
		finding->part = constraint->name;
		dbkit_add_action(finding, ACTION_VALIDATE, NULL, NULL, action)->risk = RISK_LOCKS;
	}
}

Rule		dbkit_index_rules[] = {
	{
		.id = "constraint_validated",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_UNVALIDATED,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "no constraint is left NOT VALID",
		.judge = judge_constraint_validated
	},
	{
		.id = "duplicate_index",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_INDEXES | FACT_COLUMNS,
		.fixable = true,
		.level = LEVEL_WARNING,
		.description = "no index is the same as, or a prefix of, another",
		.judge = judge_duplicate_index
	},
	{
		.id = "invalid_index",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_INDEXES,
		.fixable = true,
		.level = LEVEL_WARNING,
		.description = "no index is left invalid",
		.judge = judge_invalid_index
	},
	{NULL}
};
