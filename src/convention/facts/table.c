/*-------------------------------------------------------------------------
 *
 * table.c
 *		Read the description of a table: constraints, indexes, policies;
 *		columns.c and triggers.c read those.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/facts/columns.h"
#include "convention/facts/expression.h"
#include "convention/facts/table.h"
#include "convention/facts/tree.h"
#include "convention/facts/triggers.h"

/* Read one index; that of the primary key makes the key known as well. */
static IndexFacts *
read_index(RowReader *reader, HeapTuple tuple, List **key)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	IndexFacts *index = palloc0(sizeof(IndexFacts));
	oidvector  *classes;
	oidvector  *collations;
	int2vector *options;
	bool		isnull;

	classes = (oidvector *) DatumGetPointer(dbkit_row_value(reader, ROWS_INDEX,
															Anum_pg_index_indclass, &isnull));
	collations = (oidvector *) DatumGetPointer(dbkit_row_value(reader, ROWS_INDEX,
															   Anum_pg_index_indcollation, &isnull));
	options = (int2vector *) DatumGetPointer(dbkit_row_value(reader, ROWS_INDEX,
															 Anum_pg_index_indoption, &isnull));
	index->oid = form->indexrelid;
	index->access_method = dbkit_operator_class_method(reader->catalogs, classes->values[0]);
	index->unique = form->indisunique;
	index->immediate = form->indimmediate;
	index->nulls_not_distinct = form->indnullsnotdistinct;
	index->valid = form->indisvalid;
	index->usable = form->indisvalid &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	if (form->indisvalid && !index->usable)
		index->not_null = dbkit_not_null_columns(dbkit_stored_text(dbkit_row_value(reader, ROWS_INDEX,
																				   Anum_pg_index_indpred, &isnull)));
	index->constraint = form->indisprimary || form->indisreplident || form->indisclustered;
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		index->columns = lappend_int(index->columns, form->indkey.values[i]);
		index->operator_classes = lappend_oid(index->operator_classes, classes->values[i]);
		index->collations = lappend_oid(index->collations, collations->values[i]);
		index->options = lappend_int(index->options, options->values[i]);
	}
	for (int i = form->indnkeyatts; i < form->indnatts; i++)
		index->included = lappend_int(index->included, form->indkey.values[i]);
	if (form->indisprimary)
		*key = index->columns;
	return index;
}

static int
compare_indexes(const ListCell *a, const ListCell *b)
{
	Oid			left = ((const IndexFacts *) lfirst(a))->oid;
	Oid			right = ((const IndexFacts *) lfirst(b))->oid;

	return (left > right) - (left < right);
}

static void
read_indexes(Facts *facts, RowReader *reader)
{
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_INDEX, facts->objid)) != NULL)
	{
		/* Not one that DROP INDEX CONCURRENTLY is at */
		if (((Form_pg_index) GETSTRUCT(row))->indislive)
			facts->read.indexes = lappend(facts->read.indexes, read_index(reader, row, &facts->read.key));
	}
	list_sort(facts->read.indexes, compare_indexes);
}

/* Note that an index backs a constraint. */
static void
mark_index(Facts *facts, Oid indexid)
{
	ListCell   *lc;

	foreach(lc, facts->read.indexes)
	{
		IndexFacts *index = lfirst(lc);

		index->constraint |= index->oid == indexid;
	}
}

/* Return the column numbers that a constraint's row has in an array. */
static List *
read_column_numbers(RowReader *reader, HeapTuple tuple, AttrNumber array)
{
	List	   *result = NIL;
	bool		isnull;
	Datum		value = heap_getattr(tuple, array,
									 RelationGetDescr(reader->streams[ROWS_CONSTRAINT].catalog),
									 &isnull);
	ArrayType  *columns = isnull ? NULL : DatumGetArrayTypeP(value);

	for (int i = 0; columns != NULL && i < ARR_DIMS(columns)[0]; i++)
		result = lappend_int(result, ((AttrNumber *) ARR_DATA_PTR(columns))[i]);
	return result;
}

/*
 * Return the columns that a constraint is about.  They come first of what has no
 * fixed place in the row, so that nothing before has to be gone through.
 */
static List *
constrained_columns(RowReader *reader, HeapTuple tuple)
{
	return read_column_numbers(reader, tuple, Anum_pg_constraint_conkey);
}

/* Are the columns among those that were read? */
static bool
has_columns(const Facts *facts, const List *columns)
{
	ListCell   *lc;

	foreach(lc, columns)
	{
		if (dbkit_facts_column_at(facts, lfirst_int(lc)) == NULL)
			return false;
	}
	return true;
}

/*
 * Read a foreign key.  A table that is not locked may get one on a column that it had
 * not when the columns were read.
 */
static void
read_foreign_key(Facts *facts, RowReader *reader, HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	ForeignKeyFacts *key = palloc0(sizeof(ForeignKeyFacts));

	key->oid = form->oid;
	key->columns = constrained_columns(reader, tuple);
	key->name = pstrdup(NameStr(form->conname));
	key->referenced = form->confrelid;
	key->referenced_columns = read_column_numbers(reader, tuple, Anum_pg_constraint_confkey);
	key->match_type = form->confmatchtype;
	key->update_action = form->confupdtype;
	key->delete_action = form->confdeltype;
	key->deferrable = form->condeferrable;
	key->deferred = form->condeferred;
	key->period = dbkit_has_period(form);
	if (has_columns(facts, key->columns))
		facts->read.foreign_keys = lappend(facts->read.foreign_keys, key);
}

/* Read a CHECK, if it may say something about ids. */
static void
read_check(Facts *facts, RowReader *reader, HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	const ColumnFacts *id = facts->visible & FACT_CHECKS ? dbkit_facts_column(facts, "id") : NULL;
	CheckFacts *check;

	if (id == NULL || !list_member_int(constrained_columns(reader, tuple), id->attnum))
		return;
	check = palloc(sizeof(CheckFacts));
	check->name = pstrdup(NameStr(form->conname));
	check->inherited = form->coninhcount > 0;
	check->expression = dbkit_row_expression(reader, ROWS_CONSTRAINT, Anum_pg_constraint_conbin);
	if (check->expression != NULL)
		facts->read.checks = lappend(facts->read.checks, check);
}

/* Note a constraint that is not valid yet. */
static void
read_unvalidated(Facts *facts, RowReader *reader, HeapTuple tuple)
{
	AttrNumber	attnum = dbkit_not_null_column(tuple);
	ConstraintFacts *constraint = palloc(sizeof(ConstraintFacts));
	ListCell   *lc;

	constraint->name = pstrdup(NameStr(((Form_pg_constraint) GETSTRUCT(tuple))->conname));
	constraint->columns = constrained_columns(reader, tuple);
	facts->read.unvalidated = lappend(facts->read.unvalidated, constraint);
	foreach(lc, facts->read.columns)
	{
		if (((ColumnFacts *) lfirst(lc))->attnum == attnum)
			((ColumnFacts *) lfirst(lc))->not_null = false;
	}
}

/*
 * Is it a row of a key to a partitioned table for one of that table's partitions?
 * What a partition has from its root stays with it when it is detached.
 */
static bool
is_for_partition(const Facts *facts, Form_pg_constraint form)
{
	HeapTuple	parent;

	if (!OidIsValid(form->conparentid) || !facts->partition)
		return OidIsValid(form->conparentid);
	parent = dbkit_catalog_row(facts->catalogs, CATALOG_CONSTRAINT, form->conparentid);
	return parent != NULL && ((Form_pg_constraint) GETSTRUCT(parent))->conrelid == facts->objid;
}

/* Read the constraints, and which of them are not valid yet. */
static void
read_constraints(Facts *facts, RowReader *reader)
{
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_CONSTRAINT, facts->objid)) != NULL)
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(row);

		if (is_for_partition(facts, form) || !dbkit_constraint_enforced(form))
			continue;
		if (!form->convalidated)
			read_unvalidated(facts, reader, row);
		switch (form->contype)
		{
			case CONSTRAINT_CHECK:
				read_check(facts, reader, row);
				break;
			case CONSTRAINT_FOREIGN:
				read_foreign_key(facts, reader, row);
				break;
			case CONSTRAINT_PRIMARY:
			case CONSTRAINT_UNIQUE:
			case CONSTRAINT_EXCLUSION:
				mark_index(facts, form->conindid);
				break;
		}
	}
}

/* Has a column a comment, or, where that is NULL, the table? */
bool
dbkit_has_comment(const Facts *facts, const ColumnFacts *column)
{
	dbkit_require_facts(facts, FACT_COMMENTS);
	return dbkit_catalog_comment(facts->catalogs, facts->objid, column != NULL ? column->attnum : 0);
}

/* Return the roles that a policy is for. */
static List *
read_roles(RowReader *reader)
{
	bool		isnull;
	ArrayType  *roles = DatumGetArrayTypeP(dbkit_row_value(reader, ROWS_POLICY,
														   Anum_pg_policy_polroles, &isnull));
	List	   *result = NIL;

	for (int i = 0; i < ARR_DIMS(roles)[0]; i++)
		result = lappend_oid(result, ((Oid *) ARR_DATA_PTR(roles))[i]);
	return result;
}

static void
read_policies(Facts *facts, RowReader *reader)
{
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_POLICY, facts->objid)) != NULL)
	{
		Form_pg_policy form = (Form_pg_policy) GETSTRUCT(row);
		PolicyFacts *policy = palloc(sizeof(PolicyFacts));

		policy->name = pstrdup(NameStr(form->polname));
		policy->command = form->polcmd;
		policy->permissive = form->polpermissive;
		policy->roles = read_roles(reader);
		policy->using = dbkit_row_expression(reader, ROWS_POLICY, Anum_pg_policy_polqual);
		policy->with_check = dbkit_row_expression(reader, ROWS_POLICY, Anum_pg_policy_polwithcheck);
		facts->read.policies = lappend(facts->read.policies, policy);
	}
}

/* Can a CHECK that contradicts the default be dropped, and nothing else with it? */
static bool
is_droppable(const CheckFacts *check, Node *expr)
{
	return !check->inherited && !is_andclause(expr);
}

static void
add_check_prefix(Facts *facts, char *prefix, char *name)
{
	facts->read.check_prefixes = lappend(facts->read.check_prefixes, prefix);
	facts->read.check_names = lappend(facts->read.check_names, name);
}

/* Find the prefix of the table's ids in the default and the CHECKs of "id". */
static void
read_prefix(Facts *facts)
{
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	ListCell   *lc;

	if (id == NULL)
		return;
	facts->read.default_prefix = dbkit_generated_prefix(dbkit_column_default(id));
	foreach(lc, facts->read.checks)
	{
		CheckFacts *check = lfirst(lc);
		Node	   *expr = dbkit_stored_tree(check->expression);
		char	   *prefix = dbkit_pinned_prefix(expr, id->attnum);

		if (prefix == NULL)
			continue;
		if (facts->read.default_prefix != NULL &&
			strcmp(prefix, facts->read.default_prefix) != 0 && !is_droppable(check, expr))
			add_check_prefix(facts, prefix, NULL);
		else
			add_check_prefix(facts, prefix, check->name);
	}
	foreach(lc, id->domain_checks)
	{
		char	   *prefix = dbkit_pinned_prefix(lfirst(lc), InvalidAttrNumber);

		if (prefix != NULL)
			add_check_prefix(facts, prefix, NULL);
	}

	if (facts->read.default_prefix != NULL)
		facts->read.prefix = facts->read.default_prefix;
	else if (facts->read.check_prefixes != NIL)
		facts->read.prefix = linitial(facts->read.check_prefixes);
}

static void
read_parents(Facts *facts, RowReader *reader)
{
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_PARENT, facts->objid)) != NULL)
		facts->read.parents = lappend_oid(facts->read.parents, ((Form_pg_inherits) GETSTRUCT(row))->inhparent);
}

/* Read what is wanted about a partition. */
void
dbkit_read_partition(Facts *facts, RowReader *reader, FactSet wanted)
{
	facts->visible = (wanted & FACTS_OF_PARTITION) | FACT_OBJECT;
	facts->kind = KIND_PARTITION;
	if (wanted & FACT_POLICIES)
		read_policies(facts, reader);
	if (wanted & FACT_PARENTS)
		read_parents(facts, reader);
}

/* Read what is wanted about a table. */
void
dbkit_read_table(Facts *facts, RowReader *reader, FactSet wanted)
{
	if (wanted & (FACT_CHECKS | FACT_INDEXES | FACT_FOREIGN_KEYS))
		wanted |= FACT_COLUMNS; /* of which they are */
	facts->visible = wanted | FACT_OBJECT;
	facts->kind = dbkit_ends_with(facts->name, "_enum") ? KIND_ENUM_TABLE : KIND_TABLE;
	if (wanted & FACT_COLUMNS)
		dbkit_read_columns(facts, reader);
	if (wanted & (FACT_KEY | FACT_INDEXES))
		read_indexes(facts, reader);
	if (wanted & (FACT_COLUMNS | FACT_CHECKS | FACT_FOREIGN_KEYS | FACT_UNVALIDATED | FACT_INDEXES))
		read_constraints(facts, reader);
	if (wanted & FACT_COLUMNS)
		dbkit_read_domains(facts);
	if (wanted & FACT_TRIGGERS)
	{
		facts->read.triggers = dbkit_read_triggers(reader, facts);
		facts->read.triggers_complete = !reader->many;
	}
	if (wanted & FACT_POLICIES)
		read_policies(facts, reader);
	if (wanted & FACT_PARENTS)
		read_parents(facts, reader);
	if ((wanted & FACT_PREFIX) == FACT_PREFIX && facts->kind == KIND_TABLE)
		read_prefix(facts);
}
