/*-------------------------------------------------------------------------
 *
 * facts.c
 *		Read the description of one relation or type.
 *
 * Everything comes from the relcache and the syscache: no SQL runs, so neither
 * search_path nor anybody's privileges matter.  The result lives in the
 * current memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/index.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "dbkit.h"
#include "expression.h"
#include "facts.h"

/* Does a name end with that suffix? */
bool
dbkit_ends_with(const char *name, const char *suffix)
{
	size_t		length = strlen(name);
	size_t		suffix_length = strlen(suffix);

	return length >= suffix_length &&
		strcmp(name + length - suffix_length, suffix) == 0;
}

/* Is the object initdb's, in a system schema, temporary, or an extension's? */
static bool
is_foreign_to_us(Oid classid, Oid objid, Oid namespace)
{
	return objid < FirstNormalObjectId ||
		IsCatalogNamespace(namespace) ||
		IsToastNamespace(namespace) ||
		isAnyTempNamespace(namespace) ||
		OidIsValid(getExtensionOfObject(classid, objid));
}

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

static ColumnFacts *
read_column(TupleDesc desc, Form_pg_attribute att)
{
	ColumnFacts *column = palloc0(sizeof(ColumnFacts));

	column->attnum = att->attnum;
	column->name = pstrdup(NameStr(att->attname));
	column->type = att->atttypid;
	column->base_type = att->atttypid;
	column->collation = att->attcollation;
	column->not_null = att->attnotnull;
	column->inherited = att->attinhcount > 0;
	column->default_expr = read_default(desc, att);
	if (get_typtype(att->atttypid) == TYPTYPE_DOMAIN)
	{
		if (att->attidentity != '\0' || att->attgenerated != '\0')
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
	List	   *result = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			result = lappend(result, read_column(desc, TupleDescAttr(desc, i)));
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
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", indexid);
	form = (Form_pg_index) GETSTRUCT(tuple);
	classes = (oidvector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple,
															Anum_pg_index_indclass, &isnull));
	collations = (oidvector *) DatumGetPointer(SysCacheGetAttr(INDEXRELID, tuple,
															   Anum_pg_index_indcollation, &isnull));
	index->oid = indexid;
	index->access_method = access_method(indexid);
	index->unique = form->indisunique;
	index->usable = form->indisvalid &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	index->constraint = form->indisprimary || OidIsValid(get_index_constraint(indexid));
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		index->columns = lappend_int(index->columns, form->indkey.values[i]);
		index->operator_classes = lappend_oid(index->operator_classes, classes->values[i]);
		index->collations = lappend_oid(index->collations, collations->values[i]);
	}
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
		if (form->contype == CONSTRAINT_FOREIGN && !OidIsValid(form->conparentid))
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
		policy->using = read_expression(policies, tuple, Anum_pg_policy_polqual);
		policy->with_check = read_expression(policies, tuple, Anum_pg_policy_polwithcheck);
		facts->policies = lappend(facts->policies, policy);
	}
	systable_endscan(scan);
	table_close(policies, AccessShareLock);
}

static void
add_check_prefix(Facts *facts, char *prefix, char *name)
{
	if (prefix == NULL)
		return;
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

		add_check_prefix(facts, dbkit_pinned_prefix(check->expr, id->attnum),
						 check->name);
	}
	foreach(lc, id->domain_checks)
		add_check_prefix(facts, dbkit_pinned_prefix(lfirst(lc), InvalidAttrNumber),
						 NULL);

	if (facts->default_prefix != NULL)
		facts->prefix = facts->default_prefix;
	else if (facts->check_prefixes != NIL)
		facts->prefix = linitial(facts->check_prefixes);
}

static void
read_table(Facts *facts, Relation rel)
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
	read_constraints(facts);
	read_triggers(facts, rel);
	read_policies(facts);
	if (facts->kind == KIND_TABLE)
		read_prefix(facts);
}

static Facts *
new_facts(Oid classid, Oid objid, Oid namespace, const char *name)
{
	Facts	   *facts = palloc0(sizeof(Facts));

	facts->classid = classid;
	facts->objid = objid;
	facts->schema = get_namespace_name(namespace);
	facts->name = pstrdup(name);
	return facts;
}

static Facts *
read_relation(Oid relid)
{
	Facts	   *facts = NULL;
	Relation	rel = try_relation_open(relid, AccessShareLock);

	if (rel == NULL)
		return NULL;
	if ((rel->rd_rel->relkind == RELKIND_RELATION ||
		 rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ||
		 rel->rd_rel->relkind == RELKIND_VIEW) &&
		!rel->rd_rel->relispartition &&
		!is_foreign_to_us(RelationRelationId, relid, RelationGetNamespace(rel)))
	{
		facts = new_facts(RelationRelationId, relid, RelationGetNamespace(rel),
						  RelationGetRelationName(rel));
		facts->owner = rel->rd_rel->relowner;
		facts->created = rel->rd_createSubid != InvalidSubTransactionId;
		if (rel->rd_rel->relkind == RELKIND_VIEW)
		{
			facts->kind = KIND_VIEW;
			facts->security_invoker = RelationHasSecurityInvoker(rel);
		}
		else
			read_table(facts, rel);
	}
	relation_close(rel, AccessShareLock);
	return facts;
}

static Facts *
read_type(Oid type)
{
	Facts	   *facts = NULL;
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_type) GETSTRUCT(tuple);
	if (form->typtype == TYPTYPE_ENUM &&
		!is_foreign_to_us(TypeRelationId, type, form->typnamespace))
	{
		facts = new_facts(TypeRelationId, type, form->typnamespace, NameStr(form->typname));
		facts->kind = KIND_ENUM_TYPE;
		facts->owner = form->typowner;
	}
	ReleaseSysCache(tuple);
	return facts;
}

static bool
is_index(Oid relid)
{
	char		relkind = get_rel_relkind(relid);

	return relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX;
}

/* Read an index: its table, with the index marked. */
static Facts *
read_index_of_table(Oid indexid)
{
	Oid			table = IndexGetRelation(indexid, true);
	Facts	   *facts = OidIsValid(table) ? read_relation(table) : NULL;

	if (facts == NULL || facts->kind != KIND_TABLE)
		return NULL;
	facts->kind = KIND_INDEX;
	facts->index = indexid;
	return facts;
}

/* Return the search_path of a function's SET clause, or NULL. */
static char *
read_search_path(HeapTuple tuple)
{
	bool		isnull;
	Datum		config = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proconfig, &isnull);
	Datum	   *settings;
	int			count;
	static const char prefix[] = "search_path=";

	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(config), TEXTOID, -1, false, TYPALIGN_INT,
					  &settings, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		char	   *setting = TextDatumGetCString(settings[i]);

		if (strncmp(setting, prefix, strlen(prefix)) == 0)
			return setting + strlen(prefix);
	}
	return NULL;
}

static Facts *
read_function(Oid function)
{
	Facts	   *facts = NULL;
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prosecdef &&
		!is_foreign_to_us(ProcedureRelationId, function, form->pronamespace))
	{
		facts = new_facts(ProcedureRelationId, function, form->pronamespace,
						  NameStr(form->proname));
		facts->kind = KIND_FUNCTION;
		facts->owner = form->proowner;
		facts->signature = format_procedure_qualified(function);
		facts->search_path = read_search_path(tuple);
	}
	ReleaseSysCache(tuple);
	return facts;
}

/*
 * Return the facts about an object, or NULL where it is never judged or does
 * not exist (any more).
 */
Facts *
dbkit_facts(Oid classid, Oid objid)
{
	switch (classid)
	{
		case RelationRelationId:
			return is_index(objid) ? read_index_of_table(objid) : read_relation(objid);
		case TypeRelationId:
			return read_type(objid);
		case ProcedureRelationId:
			return read_function(objid);
		default:
			return NULL;
	}
}

/* Return the column of that name, or NULL. */
const ColumnFacts *
dbkit_facts_column(const Facts *facts, const char *name)
{
	ListCell   *lc;

	foreach(lc, facts->columns)
	{
		ColumnFacts *column = lfirst(lc);

		if (strcmp(column->name, name) == 0)
			return column;
	}
	return NULL;
}

/* Return the column with that number, or NULL. */
const ColumnFacts *
dbkit_facts_column_at(const Facts *facts, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, facts->columns)
	{
		ColumnFacts *column = lfirst(lc);

		if (column->attnum == attnum)
			return column;
	}
	return NULL;
}

/* Return the names of columns, quoted, separated by commas. */
char *
dbkit_facts_column_names(const Facts *facts, const List *attnums)
{
	StringInfoData names;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(lc, attnums)
	{
		const ColumnFacts *column = dbkit_facts_column_at(facts, lfirst_int(lc));

		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 column != NULL ? quote_identifier(column->name) : "?");
	}
	return names.data;
}

/* Return the object's quoted, schema-qualified name; a function's with arguments. */
const char *
dbkit_facts_identity(const Facts *facts)
{
	if (facts->signature != NULL)
		return facts->signature;
	return quote_qualified_identifier(facts->schema, facts->name);
}

/* Return what to call an object of that kind. */
const char *
dbkit_kind_name(ObjectKind kind)
{
	switch (kind)
	{
		case KIND_TABLE:
		case KIND_ENUM_TABLE:
		case KIND_INDEX:
			return "table";
		case KIND_VIEW:
			return "view";
		case KIND_ENUM_TYPE:
			return "type";
		case KIND_FUNCTION:
			return "function";
	}
	return NULL;				/* keep compiler quiet */
}
