/*-------------------------------------------------------------------------
 *
 * facts_table.c
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
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "dbkit.h"
#include "expression.h"
#include "facts.h"

/* Return the CHECK expressions of one domain. */
static List *
read_domain_checks(Oid domain)
{
	List	   *result = NIL;
	ScanKeyData key;
	HeapTuple	tuple;
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan;

	ScanKeyInit(&key, Anum_pg_constraint_contypid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(domain));
	scan = systable_beginscan(constraints, ConstraintTypidIndexId, true,
							  NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		conbin = heap_getattr(tuple, Anum_pg_constraint_conbin,
										  RelationGetDescr(constraints), &isnull);

		if (!isnull && ((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_CHECK)
			result = lappend(result, stringToNode(TextDatumGetCString(conbin)));
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	return result;
}

/* Take over what the domains of a column say. */
static void
read_domains(ColumnFacts *column)
{
	Oid			type = column->type;

	if (column->default_expr == NULL)
		column->default_expr = get_typdefault(column->type);
	while (get_typtype(type) == TYPTYPE_DOMAIN)
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		Form_pg_type form;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for type %u", type);
		form = (Form_pg_type) GETSTRUCT(tuple);
		column->not_null |= form->typnotnull;
		column->refuses_null |= form->typnotnull;
		column->domain_checks = list_concat(column->domain_checks,
											read_domain_checks(type));
		type = form->typbasetype;
		ReleaseSysCache(tuple);
	}
	column->base_type = type;
}

/* Return a column's own default; a generated column has none. */
static Node *
read_default(TupleDesc desc, Form_pg_attribute att)
{
	if (!att->atthasdef || att->attgenerated != '\0')
		return NULL;
	for (int i = 0; i < desc->constr->num_defval; i++)
	{
		if (desc->constr->defval[i].adnum == att->attnum)
			return stringToNode(desc->constr->defval[i].adbin);
	}
	return NULL;
}

/* Return the columns that generated columns are computed from. */
static Bitmapset *
generation_inputs(TupleDesc desc)
{
	Bitmapset  *inputs = NULL;

	if (desc->constr == NULL)
		return NULL;
	for (int i = 0; i < desc->constr->num_defval; i++)
	{
		AttrDefault *expr = &desc->constr->defval[i];

		if (TupleDescAttr(desc, expr->adnum - 1)->attgenerated != '\0')
			pull_varattnos(stringToNode(expr->adbin), 1, &inputs);
	}
	return inputs;
}

/* Does PostgreSQL refuse to change the type of the column? */
static bool
has_fixed_type(Relation rel, Form_pg_attribute att, const Bitmapset *inputs)
{
	Bitmapset  *column = bms_make_singleton(att->attnum - FirstLowInvalidHeapAttributeNumber);

	return att->attinhcount > 0 || bms_overlap(column, inputs) ||
		has_partition_attrs(rel, column, NULL);
}

static ColumnFacts *
read_column(TupleDesc desc, Form_pg_attribute att)
{
	ColumnFacts *column = palloc0(sizeof(ColumnFacts));

	column->attnum = att->attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->type = att->atttypid;
	column->base_type = att->atttypid;
	column->collation = att->attcollation;
	column->not_null = att->attnotnull && dbkit_not_null_valid(desc, att->attnum - 1);
	column->refuses_null = att->attnotnull;
	column->generated = att->attgenerated != '\0';
	column->inherited = att->attinhcount > 0;
	column->identity = att->attidentity != '\0';
	column->default_expr = read_default(desc, att);
	if (get_typtype(att->atttypid) == TYPTYPE_DOMAIN)
	{
		if (column->identity || column->generated)
			column->base_type = getBaseType(att->atttypid);
		else
			read_domains(column);
	}
	return column;
}

static List *
read_columns(Relation rel)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Bitmapset  *inputs = generation_inputs(desc);
	List	   *result = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		ColumnFacts *column;

		if (att->attisdropped)
			continue;
		column = read_column(desc, att);
		column->type_fixed = has_fixed_type(rel, att, inputs);
		result = lappend(result, column);
	}
	return result;
}

/* Attach the sequences of serial columns to their columns. */
static void
read_sequences(Facts *facts)
{
	ListCell   *lc;

	foreach(lc, facts->columns)
	{
		ColumnFacts *column = lfirst(lc);

		if ((column->base_type == INT2OID || column->base_type == INT4OID) &&
			column->default_expr != NULL)
		{
			List	   *owned = getOwnedSequences(facts->objid);
			ListCell   *sequence;

			foreach(sequence, owned)
			{
				Oid			table;
				int32		attnum;

				if (sequenceIsOwned(lfirst_oid(sequence), DEPENDENCY_AUTO,
									&table, &attnum) &&
					attnum == column->attnum)
					column->sequence = lfirst_oid(sequence);
			}
		}
	}
}

static List *
read_checks(Relation rel)
{
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	List	   *result = NIL;

	for (int i = 0; constr != NULL && i < constr->num_check; i++)
	{
		CheckFacts *check;

		if (!dbkit_check_enforced(&constr->check[i]))
			continue;
		check = palloc(sizeof(CheckFacts));
		check->name = pstrdup(constr->check[i].ccname);
		check->expr = stringToNode(constr->check[i].ccbin);
		result = lappend(result, check);
	}
	return result;
}

/* Return an index's access method. */
static Oid
access_method(Oid indexid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(indexid));
	Oid			result;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", indexid);
	result = ((Form_pg_class) GETSTRUCT(tuple))->relam;
	ReleaseSysCache(tuple);
	return result;
}

/* Read one index; those of the primary key make the key known as well. */
static IndexFacts *
read_index(Oid indexid, List **key)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	Form_pg_index form;
	IndexFacts *index = palloc0(sizeof(IndexFacts));
	oidvector  *classes;
	oidvector  *collations;
	int2vector *options;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", indexid);
	form = (Form_pg_index) GETSTRUCT(tuple);
	classes = (oidvector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple,
															Anum_pg_index_indclass, &isnull));
	collations = (oidvector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple,
															   Anum_pg_index_indcollation, &isnull));
	options = (int2vector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple,
															 Anum_pg_index_indoption, &isnull));
	index->oid = indexid;
	index->access_method = access_method(indexid);
	index->unique = form->indisunique;
	index->immediate = form->indimmediate;
	index->nulls_not_distinct = form->indnullsnotdistinct;
	index->usable = form->indisvalid &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	index->constraint = form->indisprimary || form->indisreplident ||
		OidIsValid(get_index_constraint(indexid));
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
	ReleaseSysCache(tuple);
	return index;
}

static void
read_indexes(Facts *facts, Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
		facts->indexes = lappend(facts->indexes, read_index(lfirst_oid(lc), &facts->key));
	list_free(indexes);
}

static ForeignKeyFacts *
read_foreign_key(HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	ForeignKeyFacts *key = palloc0(sizeof(ForeignKeyFacts));
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	referenced[INDEX_MAX_KEYS];
	int			count;

	DeconstructFkConstraintRow(tuple, &count, columns, referenced,
							   NULL, NULL, NULL, NULL, NULL);
	for (int i = 0; i < count; i++)
	{
		key->columns = lappend_int(key->columns, columns[i]);
		key->referenced_columns = lappend_int(key->referenced_columns, referenced[i]);
	}
	key->name = pstrdup(NameStr(form->conname));
	key->referenced = form->confrelid;
	key->match_type = form->confmatchtype;
	key->update_action = form->confupdtype;
	key->delete_action = form->confdeltype;
	key->deferrable = form->condeferrable;
	key->deferred = form->condeferred;
	key->period = dbkit_has_period(form);
	return key;
}

/* Read the foreign keys, and which constraints are not valid yet. */
static void
read_constraints(Facts *facts)
{
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(facts->objid));
	scan = systable_beginscan(constraints, ConstraintRelidTypidNameIndexId, true,
							  NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

		/* A key to a partitioned table has a row for each partition as well */
		if (OidIsValid(form->conparentid) || !dbkit_constraint_enforced(form))
			continue;
		if (form->contype == CONSTRAINT_FOREIGN)
			facts->foreign_keys = lappend(facts->foreign_keys, read_foreign_key(tuple));
		if (!form->convalidated)
			facts->unvalidated = lappend(facts->unvalidated, pstrdup(NameStr(form->conname)));
	}
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
}

static void
read_triggers(Facts *facts, Relation rel)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &rel->trigdesc->triggers[i];
		TriggerFacts *result;

		if (trigger->tgisinternal)
			continue;
		result = palloc(sizeof(TriggerFacts));
		result->name = pstrdup(trigger->tgname);
		result->function = trigger->tgfoid;
		result->type = trigger->tgtype;
		result->some_columns = trigger->tgnattr > 0;
		result->enabled = trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
			trigger->tgenabled == TRIGGER_FIRES_ALWAYS;
		facts->triggers = lappend(facts->triggers, result);
	}
}

/* Is a policy one for all roles? */
static bool
is_for_all_roles(Relation catalog, HeapTuple tuple)
{
	bool		isnull;
	ArrayType  *roles = DatumGetArrayTypePCopy(heap_getattr(tuple, Anum_pg_policy_polroles,
															RelationGetDescr(catalog), &isnull));

	return ARR_DIMS(roles)[0] == 1 && ((Oid *) ARR_DATA_PTR(roles))[0] == ACL_ID_PUBLIC;
}

/* Return an expression of a catalog row, or NULL. */
static Node *
read_expression(Relation catalog, HeapTuple tuple, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, RelationGetDescr(catalog), &isnull);

	return isnull ? NULL : stringToNode(TextDatumGetCString(value));
}

static void
read_policies(Facts *facts)
{
	Relation	policies = table_open(PolicyRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_policy_polrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(facts->objid));
	scan = systable_beginscan(policies, PolicyPolrelidPolnameIndexId, true,
							  NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_policy form = (Form_pg_policy) GETSTRUCT(tuple);
		PolicyFacts *policy = palloc(sizeof(PolicyFacts));

		policy->name = pstrdup(NameStr(form->polname));
		policy->command = form->polcmd;
		policy->permissive = form->polpermissive;
		policy->for_all_roles = is_for_all_roles(policies, tuple);
		policy->using = read_expression(policies, tuple, Anum_pg_policy_polqual);
		policy->with_check = read_expression(policies, tuple, Anum_pg_policy_polwithcheck);
		facts->policies = lappend(facts->policies, policy);
	}
	systable_endscan(scan);
	table_close(policies, AccessShareLock);
}

/* Can a CHECK that contradicts the default be dropped, and nothing else with it? */
static bool
is_droppable(const Facts *facts, const CheckFacts *check)
{
	Oid			constraint = get_relation_constraint_oid(facts->objid, check->name, false);
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	bool		inherited;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	inherited = ((Form_pg_constraint) GETSTRUCT(tuple))->coninhcount > 0;
	ReleaseSysCache(tuple);
	return !inherited && !is_andclause(check->expr);
}

static void
add_check_prefix(Facts *facts, char *prefix, char *name)
{
	facts->check_prefixes = lappend(facts->check_prefixes, prefix);
	facts->check_names = lappend(facts->check_names, name);
}

/* Find the prefix of the table's ids in the default and the CHECKs of "id". */
static void
read_prefix(Facts *facts)
{
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	ListCell   *lc;

	if (id == NULL)
		return;
	facts->default_prefix = dbkit_generated_prefix(id->default_expr);
	foreach(lc, facts->checks)
	{
		CheckFacts *check = lfirst(lc);
		char	   *prefix = dbkit_pinned_prefix(check->expr, id->attnum);

		if (prefix == NULL)
			continue;
		if (facts->default_prefix != NULL &&
			strcmp(prefix, facts->default_prefix) != 0 && !is_droppable(facts, check))
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

	if (facts->default_prefix != NULL)
		facts->prefix = facts->default_prefix;
	else if (facts->check_prefixes != NIL)
		facts->prefix = linitial(facts->check_prefixes);
}

/* Read what there is about a table. */
void
dbkit_read_table(Facts *facts, Relation rel, FactsExtent extent)
{
	facts->kind = dbkit_ends_with(facts->name, "_enum") ? KIND_ENUM_TABLE : KIND_TABLE;
	facts->partitioned = rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	facts->typed = OidIsValid(rel->rd_rel->reloftype);
	facts->columns = read_columns(rel);
	facts->checks = read_checks(rel);
	facts->rls_enabled = rel->rd_rel->relrowsecurity;
	facts->rls_forced = rel->rd_rel->relforcerowsecurity;
	read_indexes(facts, rel);
	read_sequences(facts);
	if (extent == FACTS_ALL)
	{
		read_constraints(facts);
		read_triggers(facts, rel);
		read_policies(facts);
	}
	if (facts->kind == KIND_TABLE)
		read_prefix(facts);
}

