/*-------------------------------------------------------------------------
 *
 * shape.c
 *		Read from the catalogs what a new row of a table has to look like.
 *
 * Expressions are read, never executed: neither the relcache's partition keys nor its
 * index expressions are asked for, which are folded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <float.h>

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "context/context.h"
#include "convention/facts/columns.h"
#include "convention/facts/tree.h"
#include "convention/own_objects.h"
#include "relation_name.h"
#include "test_data/constant.h"
#include "test_data/shape.h"

/* Has the table rows of its own, or partitions that have? */
static void
check_kind(Relation table)
{
	if (table->rd_rel->relkind != RELKIND_RELATION && table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(table)),
				 errhint("Rows can be made of tables and partitioned tables.")));
}

/* Return the labels of an enum type, in their order: char *. */
List *
dbkit_enum_labels(Oid type)
{
	CatCList   *labels = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(type));
	List	   *result = NIL;
	float4		last = -FLT_MAX;

	for (;;)
	{
		Form_pg_enum next = NULL;

		for (int i = 0; i < labels->n_members; i++)
		{
			Form_pg_enum label = (Form_pg_enum) GETSTRUCT(&labels->members[i]->tuple);

			if (label->enumsortorder > last && (next == NULL || label->enumsortorder < next->enumsortorder))
				next = label;
		}
		if (next == NULL)
			break;
		result = lappend(result, pstrdup(NameStr(next->enumlabel)));
		last = next->enumsortorder;
	}
	ReleaseSysCacheList(labels);
	return result;
}

/* Take over what one domain of a column says, and go on to the type below. */
static void
read_domain(Shape *shape, Slot *slot, HeapTuple tuple)
{
	Form_pg_type form = (Form_pg_type) GETSTRUCT(tuple);
	bool		isnull;
	Datum		value = SysCacheGetAttr(TYPEOID, tuple, Anum_pg_type_typdefaultbin, &isnull);
	ListCell   *lc;

	slot->not_null |= form->typnotnull;
	if (!isnull && form->oid == slot->type && slot->stored_default == NULL)
		slot->stored_default = dbkit_stored_text(value);
	foreach(lc, dbkit_domain_checks(&dbkit_now, form->oid))
	{
		Check	   *check = palloc0(sizeof(Check));

		check->name = pstrdup(NameStr(form->typname));
		check->tree = lfirst(lc);
		check->value_of = slot->attnum;
		shape->checks = lappend(shape->checks, check);
	}
	if (form->typtypmod >= 0)
		slot->base_typmod = form->typtypmod;
	slot->base_type = form->typbasetype;
}

static void
read_type(Shape *shape, Slot *slot)
{
	for (;;)
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(slot->base_type));
		char		typtype;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for type %u", slot->base_type);
		typtype = ((Form_pg_type) GETSTRUCT(tuple))->typtype;
		if (typtype == TYPTYPE_DOMAIN)
			read_domain(shape, slot, tuple);
		ReleaseSysCache(tuple);
		if (typtype == TYPTYPE_ENUM)
		{
			slot->limits.listed = true;
			slot->limits.allowed = dbkit_enum_labels(slot->base_type);
		}
		if (typtype != TYPTYPE_DOMAIN)
			break;
	}
}

/* Is the session's user or organization, or the setting, one that is not there? */
static bool
is_missing_context(const FuncExpr *call)
{
	char	   *name;
	const char *value;

	if (dbkit_is_function(call->funcid, "organization_id") || dbkit_is_function(call->funcid, "user_id"))
		return !dbkit_context_is_entered();
	if (call->funcid != F_CURRENT_SETTING_TEXT && call->funcid != F_CURRENT_SETTING_TEXT_BOOL)
		return false;
	name = dbkit_constant_text(linitial(call->args));
	value = name != NULL ? GetConfigOption(name, true, false) : NULL;
	return value == NULL || value[0] == '\0';
}

/* Does a default read a context that is not there? */
static bool
lacks_context(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr) && is_missing_context((const FuncExpr *) node))
		return true;
	return expression_tree_walker(node, lacks_context, context);
}

/* Understand the default of a column; one that would be null is none. */
static void
read_default(Slot *slot)
{
	Node	   *tree = slot->stored_default != NULL ? dbkit_stored_tree(slot->stored_default) : NULL;

	if (tree == NULL)
		return;
	if ((IsA(tree, Const) && ((Const *) tree)->constisnull) || lacks_context(tree, NULL))
	{
		slot->stored_default = NULL;
		return;
	}
	slot->constant_default = dbkit_constant_text(tree);
	slot->volatile_default = contain_volatile_functions(tree);
}

/* Say where the value of a column comes from, before anything else is known. */
static Filling
usual_filling(const Slot *slot)
{
	if (slot->computed || slot->stored_default != NULL)
		return FILL_DEFAULT;
	return slot->not_null ? FILL_VALUE : FILL_NOTHING;
}

static void
read_column(Shape *shape, Slot *slot, Form_pg_attribute att)
{
	slot->attnum = att->attnum;
	slot->name = pstrdup(NameStr(att->attname));
	slot->type = slot->base_type = att->atttypid;
	slot->typmod = slot->base_typmod = att->atttypmod;
	slot->not_null = att->attnotnull;
	slot->identity = att->attidentity != '\0';
	slot->computed = att->attgenerated != '\0' || slot->identity;
	slot->volatile_default = slot->identity;
	slot->limits.low = -get_float8_infinity();
	slot->limits.high = slot->limits.max_length = get_float8_infinity();
	read_type(shape, slot);
	if (!slot->computed)
		read_default(slot);
	slot->filling = usual_filling(slot);
}

static void
read_columns(Shape *shape, Relation table)
{
	TupleDesc	desc = RelationGetDescr(table);
	const TupleConstr *constraints = desc->constr;

	shape->count = desc->natts;
	shape->slots = palloc0(sizeof(Slot) * Max(desc->natts, 1));
	for (int i = 0; constraints != NULL && i < constraints->num_defval; i++)
		dbkit_slot(shape, constraints->defval[i].adnum)->stored_default = pstrdup(constraints->defval[i].adbin);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped)
			read_column(shape, &shape->slots[i], att);
	}
}

static void
read_checks(Shape *shape, Relation table)
{
	const TupleConstr *constraints = RelationGetDescr(table)->constr;

	for (int i = 0; constraints != NULL && i < constraints->num_check; i++)
	{
		Check	   *check = palloc0(sizeof(Check));

		check->name = pstrdup(constraints->check[i].ccname);
		check->tree = dbkit_stored_tree(constraints->check[i].ccbin);
		shape->checks = lappend(shape->checks, check);
	}
}

/* Return a stored expression of an index, or NULL. */
static Node *
index_tree(HeapTuple tuple, AttrNumber attribute)
{
	bool		isnull;
	Datum		value = SysCacheGetAttr(INDEXRELID, tuple, attribute, &isnull);

	return isnull ? NULL : dbkit_stored_tree(dbkit_stored_text(value));
}

/* Return the columns of an index's key, and those that its expressions name. */
static Bitmapset *
index_columns(Form_pg_index form, Node *expressions)
{
	Bitmapset  *columns = NULL;
	Bitmapset  *named = NULL;
	int			member = -1;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] > 0)
			columns = bms_add_member(columns, form->indkey.values[i]);
	}
	pull_varattnos(expressions, 1, &named);
	while ((member = bms_next_member(named, member)) >= 0)
	{
		if (member + FirstLowInvalidHeapAttributeNumber > 0)
			columns = bms_add_member(columns, member + FirstLowInvalidHeapAttributeNumber);
	}
	return columns;
}

/* Is the only expression of an index whether a column is null that never is? */
static bool
is_same_for_all(const Shape *shape, Form_pg_index form, Node *expressions)
{
	List	   *list = (List *) expressions;
	Node	   *tested;

	if (expressions == NULL || form->indnkeyatts != 1 || !IsA(linitial(list), NullTest))
		return false;
	tested = (Node *) ((NullTest *) linitial(list))->arg;
	return IsA(tested, Var) && ((Var *) tested)->varattno > 0 && dbkit_slot(shape, ((Var *) tested)->varattno)->not_null;
}

static void
read_unique(Shape *shape, Oid index)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	UniqueKey  *unique;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_index) GETSTRUCT(tuple);
	if (form->indisunique || form->indisexclusion)
	{
		Node	   *expressions = index_tree(tuple, Anum_pg_index_indexprs);
		bool		everywhere = form->indisunique && index_tree(tuple, Anum_pg_index_indpred) == NULL;

		unique = palloc0(sizeof(UniqueKey));
		unique->name = get_rel_name(index);
		unique->columns = index_columns(form, expressions);
		unique->expressions = expressions != NULL;
		unique->nulls_count = form->indnullsnotdistinct;
		unique->total = everywhere && expressions == NULL;
		unique->single = everywhere && is_same_for_all(shape, form, expressions);
		shape->uniques = lappend(shape->uniques, unique);
	}
	ReleaseSysCache(tuple);
}

static AttrNumber *
copy_attnums(const AttrNumber *attnums, int count)
{
	return memcpy(palloc(sizeof(AttrNumber) * count), attnums, sizeof(AttrNumber) * count);
}

static void
read_reference(Shape *shape, const ForeignKeyCacheInfo *key)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->conoid));
	Form_pg_constraint form;
	Reference  *reference = palloc0(sizeof(Reference));

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	reference->name = pstrdup(NameStr(form->conname));
	reference->schema = form->connamespace;
	reference->count = key->nkeys;
	reference->columns = copy_attnums(key->conkey, key->nkeys);
	reference->keys = copy_attnums(key->confkey, key->nkeys);
	reference->parent = key->confrelid;
	reference->full = form->confmatchtype == FKCONSTR_MATCH_FULL;
	reference->deferrable = form->condeferrable;
	reference->deferred = form->condeferred;
	if (dbkit_constraint_enforced(form))
		shape->references = lappend(shape->references, reference);
	ReleaseSysCache(tuple);
}

static int
compare_references(const ListCell *a, const ListCell *b)
{
	const Reference *first = lfirst(a);
	const Reference *second = lfirst(b);

	if (first->count != second->count)
		return second->count - first->count;
	return first->columns[0] - second->columns[0];
}

/* Find the triggers of INSERT, other than those of foreign keys. */
static void
read_triggers(Shape *shape, Relation table)
{
	const char *schema = get_namespace_name(RelationGetNamespace(table));
	const TriggerDesc *triggers = table->trigdesc;	/* until the next look-up */

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgisinternal || !TRIGGER_FOR_INSERT(trigger->tgtype))
			continue;
		shape->has_triggers = true;
		if (trigger->tginitdeferred && schema != NULL)
			shape->deferred_triggers = lappend(shape->deferred_triggers, quote_qualified_identifier(schema, trigger->tgname));
	}
}

/* Read a table; it is there until the transaction ends. */
Shape *
dbkit_read_shape(Oid relid)
{
	Relation	table = table_open(relid, AccessShareLock);
	Shape	   *shape = palloc0(sizeof(Shape));
	ListCell   *lc;
	static const Variant usual;

	check_kind(table);
	shape->variant = &usual;
	shape->choices = 1;
	shape->relid = relid;
	shape->name = dbkit_relation_name(relid);
	shape->bare_name = pstrdup(RelationGetRelationName(table));
	read_triggers(shape, table);
	read_columns(shape, table);
	read_checks(shape, table);
	foreach(lc, RelationGetIndexList(table))
		read_unique(shape, lfirst_oid(lc));
	/* A copy, since each look-up may have the original be read anew */
	foreach(lc, copyObject(RelationGetFKeyList(table)))
		read_reference(shape, lfirst(lc));
	list_sort(shape->references, compare_references);
	table_close(table, NoLock);
	return shape;
}

/* Find a column by its name; NULL where there is none. */
Slot *
dbkit_find_slot(const Shape *shape, const char *name)
{
	for (int i = 0; i < shape->count; i++)
	{
		if (shape->slots[i].attnum != 0 && strcmp(shape->slots[i].name, name) == 0)
			return &shape->slots[i];
	}
	return NULL;
}
