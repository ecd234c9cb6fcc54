/*-------------------------------------------------------------------------
 *
 * table.c
 *		Read the description of a table: columns, constraints, indexes,
 *		triggers, policies.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/facts/dependents.h"
#include "convention/facts/expression.h"
#include "convention/facts/table.h"
#include "convention/facts/tree.h"
#include "convention/facts/type_walk.h"

/* Return the CHECK expressions of one domain: Node *, NULL for one that is not read. */
List *
dbkit_domain_checks(const Catalogs *catalogs, Oid domain)
{
	List	   *result = NIL;
	ScanKeyData key;
	HeapTuple	tuple;
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan;

	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(domain));
	scan = systable_beginscan(constraints, ConstraintTypidIndexId, true,
							  catalogs->snapshot, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		conbin = heap_getattr(tuple, Anum_pg_constraint_conbin,
										  RelationGetDescr(constraints), &isnull);

		if (!isnull && ((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_CHECK)
			result = lappend(result, dbkit_stored_tree(dbkit_stored_text(conbin)));
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	return result;
}

/*
 * Take over what one domain of a column says: its NOT NULL and CHECKs.  Only the
 * topmost one can give the column a default (see get_typdefault()).
 */
static void
read_domain(const Catalogs *catalogs, ColumnFacts *column, HeapTuple tuple)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	bool		isnull;
	Datum		value = dbkit_catalog_value(CATALOG_TYPE, tuple, Anum_pg_type_typdefaultbin, &isnull);

	column->not_null |= form->typnotnull;
	column->refuses_null |= form->typnotnull;
	/* Only ids are recognised by them */
	if (strcmp(column->name, "id") == 0)
		column->domain_checks = list_concat(column->domain_checks, dbkit_domain_checks(catalogs, form->oid));
	if (!isnull && form->oid == column->type)
		column->domain_default = dbkit_stored_text(value);
}

/* Take over what the domains of a column say. */
static void
read_domains_of(const Catalogs *catalogs, ColumnFacts *column)
{
	HeapTuple	tuple;
	bool		computed = column->identity || column->generated;

	while ((tuple = dbkit_catalog_row(catalogs, CATALOG_TYPE, column->base_type)) != NULL &&
		   ((Form_pg_type) GETSTRUCT(tuple))->typtype == TYPTYPE_DOMAIN)
	{
		if (!computed)
			read_domain(catalogs, column, tuple);
		column->base_type = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
	}
}

static void
read_domains(Facts *facts)
{
	ListCell   *lc;

	foreach(lc, facts->read.columns)
	{
		ColumnFacts *column = lfirst(lc);

		/* The bootstrap catalogs have none */
		if (column->type >= FirstUnpinnedObjectId)
			read_domains_of(facts->catalogs, column);
	}
}

static ColumnFacts *
read_column(Form_pg_attribute att)
{
	ColumnFacts *column = palloc0(sizeof(ColumnFacts));

	column->attnum = att->attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->type = att->atttypid;
	column->typmod = att->atttypmod;
	column->base_type = att->atttypid;
	column->collation = att->attcollation;
	column->not_null = att->attnotnull;
	column->refuses_null = att->attnotnull;
	column->generated = att->attgenerated != '\0';
	column->inherited = att->attinhcount > 0;
	column->identity = att->attidentity != '\0';

	return column;
}

static void
read_columns(Facts *facts, RowReader *reader)
{
	HeapTuple	row;
	ListCell   *lc;
	int			defaults = 0;

	while ((row = dbkit_next_row(reader, ROWS_COLUMN, facts->objid)) != NULL)
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(row);

		if (att->attisdropped)
			continue;
		facts->read.columns = lappend(facts->read.columns, read_column(att));
		defaults += att->atthasdef ? 1 : 0;
	}
	if (defaults == 0)
		return;

	/* Both come in the order of the columns' numbers */
	lc = list_head(facts->read.columns);
	while ((row = dbkit_next_row(reader, ROWS_DEFAULT, facts->objid)) != NULL)
	{
		AttrNumber	attnum = ((Form_pg_attrdef) GETSTRUCT(row))->adnum;

		while (lc != NULL && ((ColumnFacts *) lfirst(lc))->attnum < attnum)
			lc = lnext(facts->read.columns, lc);
		if (lc != NULL && ((ColumnFacts *) lfirst(lc))->attnum == attnum)
			((ColumnFacts *) lfirst(lc))->expression =
				dbkit_row_expression(reader, ROWS_DEFAULT, Anum_pg_attrdef_adbin);
	}
}

/* Return a column's default as stored, or where it has none its domain's, or NULL. */
static const char *
stored_default(const ColumnFacts *column)
{
	if (column->generated)
		return NULL;
	return column->expression != NULL ? column->expression : column->domain_default;
}

/* Has the column or its domain a default?  A generated column has none. */
bool
dbkit_column_has_default(const ColumnFacts *column)
{
	return stored_default(column) != NULL;
}

/* Return the expression of that default, or NULL where there is none that can be read. */
Node *
dbkit_column_default(const ColumnFacts *column)
{
	const char *stored = stored_default(column);

	return stored != NULL ? dbkit_stored_tree(stored) : NULL;
}

/* Return the columns that generated columns are computed from, found when first asked for. */
static const Bitmapset *
generation_inputs(const Facts *facts)
{
	FactsRead  *read = (FactsRead *) &facts->read;
	ListCell   *lc;

	if (read->generation_inputs_known)
		return read->generation_inputs;
	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *other = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (other->generated && other->expression != NULL)
		{
			Node	   *tree = dbkit_stored_tree(other->expression);

			pull_varattnos(tree, 1, &read->generation_inputs);
		}
	}
	read->generation_inputs_known = true;
	return read->generation_inputs;
}

/* Add the columns that a partition key consists of, or that its expressions read. */
static Bitmapset *
add_partition_key(Bitmapset *columns, HeapTuple tuple)
{
	Form_pg_partitioned_table form = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	bool		isnull;
	Datum		expressions;

	for (int i = 0; i < form->partnatts; i++)
		columns = bms_add_member(columns, form->partattrs.values[i] - FirstLowInvalidHeapAttributeNumber);
	expressions = dbkit_catalog_value(CATALOG_PARTITIONED, tuple, Anum_pg_partitioned_table_partexprs, &isnull);
	if (!isnull)
		pull_varattnos(dbkit_stored_tree(dbkit_stored_text(expressions)), 1, &columns);
	return columns;
}

/*
 * Is the column part of how the table is partitioned?  The catalog is asked: the
 * relcache folds the key's expressions, which would run functions of its owner.
 */
static bool
is_partition_key(const Facts *facts, const Bitmapset *column)
{
	HeapTuple	tuple = facts->partitioned ?
	dbkit_catalog_row(facts->catalogs, CATALOG_PARTITIONED, facts->objid) : NULL;
	Bitmapset  *columns = NULL;

	if (tuple == NULL)
		return false;
	columns = add_partition_key(columns, tuple);
	return bms_overlap(column, columns);
}

/* Does PostgreSQL refuse to change the type of the column to that one? */
bool
dbkit_column_type_is_fixed(const Facts *facts, const ColumnFacts *column, Oid target)
{
	Bitmapset  *columns = bms_make_singleton(column->attnum - FirstLowInvalidHeapAttributeNumber);

	return column->inherited || bms_overlap(columns, generation_inputs(facts)) ||
		is_partition_key(facts, columns) || dbkit_keeps_type(facts, column, target);
}

/* Return the sequence of a serial column, or InvalidOid. */
Oid
dbkit_column_sequence(const Facts *facts, const ColumnFacts *column)
{
	List	   *owned = column->expression != NULL ? getOwnedSequences(facts->objid) : NIL;
	ListCell   *lc;

	foreach(lc, owned)
	{
		Oid			table;
		int32		attnum;

		if (sequenceIsOwned(lfirst_oid(lc), DEPENDENCY_AUTO, &table, &attnum) &&
			attnum == column->attnum)
			return lfirst_oid(lc);
	}
	return InvalidOid;
}

/* Return the foreign key that a column belongs to, and its place in it, or NULL. */
static const ForeignKeyFacts *
find_foreign_key(const Facts *facts, const ColumnFacts *column, int *place)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_foreign_keys(facts))
	{
		const ForeignKeyFacts *key = lfirst(lc);

		for (*place = 0; *place < list_length(key->columns); (*place)++)
		{
			if (list_nth_int(key->columns, *place) == column->attnum)
				return key;
		}
	}
	return NULL;
}

/* Is the column part of a foreign key? */
bool
dbkit_is_reference(const Facts *facts, const ColumnFacts *column)
{
	int			place;

	return find_foreign_key(facts, column, &place) != NULL;
}

/*
 * Read the type and collation of the column that the one at that place of a foreign key references;
 * false where it is gone.
 */
bool
dbkit_find_referenced(const Facts *facts, const ForeignKeyFacts *key, int place, ColumnFacts *referenced)
{
	memset(referenced, 0, sizeof(ColumnFacts));
	if (place >= list_length(key->referenced_columns) ||
		!dbkit_catalog_column(facts->catalogs, key->referenced, list_nth_int(key->referenced_columns, place),
							  &referenced->type, &referenced->collation))
		return false;
	referenced->base_type = dbkit_base_type(facts->catalogs, referenced->type);
	return true;
}

/* The same for a column, by its first foreign key; false where it has none. */
bool
dbkit_find_reference(const Facts *facts, const ColumnFacts *column, ColumnFacts *referenced)
{
	int			place;
	const ForeignKeyFacts *key = find_foreign_key(facts, column, &place);

	return key != NULL && dbkit_find_referenced(facts, key, place, referenced);
}

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
	index->constraint = form->indisprimary || form->indisreplident;
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

/* Return the first argument that a trigger hands to its function, or NULL. */
static char *
first_argument(RowReader *reader, int16 count)
{
	bool		isnull;
	Datum		arguments;

	if (count == 0)
		return NULL;
	/* Each ends in a zero byte */
	arguments = dbkit_row_value(reader, ROWS_TRIGGER, Anum_pg_trigger_tgargs, &isnull);
	return isnull ? NULL : pstrdup(VARDATA_ANY(DatumGetByteaPP(arguments)));
}

/* Read the triggers; those that a partition had from its root go when it is detached. */
static List *
read_triggers(RowReader *reader, const Facts *facts)
{
	List	   *result = NIL;
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_TRIGGER, facts->objid)) != NULL)
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);
		TriggerFacts *trigger;

		if (form->tgisinternal || (facts->partition && OidIsValid(form->tgparentid)))
			continue;
		trigger = palloc(sizeof(TriggerFacts));
		trigger->name = pstrdup(NameStr(form->tgname));
		trigger->function = form->tgfoid;
		trigger->type = form->tgtype;
		trigger->some_columns = form->tgattr.dim1 > 0;
		trigger->condition = dbkit_row_expression(reader, ROWS_TRIGGER, Anum_pg_trigger_tgqual);
		trigger->argument = first_argument(reader, form->tgnargs);
		trigger->enabled = form->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
			form->tgenabled == TRIGGER_FIRES_ALWAYS;
		result = lappend(result, trigger);
	}
	return result;
}

/* Return the first trigger of a list that is wanted, or NULL. */
static const TriggerFacts *
find_trigger(const List *triggers, bool (*wanted) (const TriggerFacts *trigger, const void *arg),
			 const void *arg)
{
	ListCell   *lc;

	foreach(lc, triggers)
	{
		if (wanted(lfirst(lc), arg))
			return lfirst(lc);
	}
	return NULL;
}

/* Read all triggers of a table, apart from the reader of many. */
static List *
read_all_triggers(const Facts *facts)
{
	RowReader	reader;
	List	   *result;

	dbkit_open_reader(&reader, facts->catalogs, false);
	result = read_triggers(&reader, facts);
	dbkit_close_reader(&reader);
	return result;
}

/*
 * Return a trigger that is wanted, or NULL.
 *
 * A reader of many tables passes over triggers with names such as those of foreign
 * keys have.  They are looked at only when no other is the wanted one.
 */
const TriggerFacts *
dbkit_find_trigger(const Facts *facts,
				   bool (*wanted) (const TriggerFacts *trigger, const void *arg), const void *arg)
{
	const TriggerFacts *result;
	FactsRead  *read = (FactsRead *) &facts->read;

	dbkit_require_facts(facts, FACT_TRIGGERS);
	result = find_trigger(read->triggers, wanted, arg);
	if (result != NULL || read->triggers_complete)
		return result;
	read->triggers = read_all_triggers(facts);
	read->triggers_complete = true;
	return find_trigger(read->triggers, wanted, arg);
}

/* Does a text go on with := or =, as an assignment in PL/pgSQL? */
static bool
is_assignment(const char *text)
{
	text	  +=strspn(text, " \t\r\n");
	return text[0] == '=' || (text[0] == ':' && text[1] == '=');
}

/* Does a PL/pgSQL body assign to NEW.column?  Comments and strings are not told apart. */
static bool
body_assigns(const char *body, const char *column)
{
	const char *name = quote_identifier(column);
	size_t		length = strlen(name);

	for (const char *c = body; *c != '\0'; c++)
	{
		if (pg_strncasecmp(c, "new.", 4) == 0 && pg_strncasecmp(c + 4, name, length) == 0 &&
			is_assignment(c + 4 + length))
			return true;
	}
	return false;
}

/* Does a function's source look as if it sets that column of a trigger's row? */
static bool
assigns_column(const Facts *facts, Oid function, const char *column)
{
	HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_FUNCTION, function);
	bool		isnull = true;
	Datum		body = row != NULL ? dbkit_catalog_value(CATALOG_FUNCTION, row, Anum_pg_proc_prosrc, &isnull) : (Datum) 0;

	return !isnull && body_assigns(TextDatumGetCString(body), column);
}

/*
 * Does a trigger seem to set that column: is its name the argument, as for moddatetime, or does the
 * function's source assign to it?  A guess, good for a message or a suggestion and no more: the
 * source is not understood, let alone run.
 */
bool
dbkit_seems_to_set(const Facts *facts, const TriggerFacts *trigger, const char *column)
{
	return (trigger->argument != NULL && strcmp(trigger->argument, column) == 0) ||
		assigns_column(facts, trigger->function, column);
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
		read_columns(facts, reader);
	if (wanted & (FACT_KEY | FACT_INDEXES))
		read_indexes(facts, reader);
	if (wanted & (FACT_COLUMNS | FACT_CHECKS | FACT_FOREIGN_KEYS | FACT_UNVALIDATED | FACT_INDEXES))
		read_constraints(facts, reader);
	if (wanted & FACT_COLUMNS)
		read_domains(facts);
	if (wanted & FACT_TRIGGERS)
	{
		facts->read.triggers = read_triggers(reader, facts);
		facts->read.triggers_complete = !reader->many;
	}
	if (wanted & FACT_POLICIES)
		read_policies(facts, reader);
	if (wanted & FACT_PARENTS)
		read_parents(facts, reader);
	if ((wanted & FACT_PREFIX) == FACT_PREFIX && facts->kind == KIND_TABLE)
		read_prefix(facts);
}
