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
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
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

/* Return the attribute numbers of the primary key. */
static List *
read_key(Relation rel)
{
	List	   *result = NIL;
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(lc));
		index = (Form_pg_index) GETSTRUCT(tuple);
		for (int i = 0; index->indisprimary && i < index->indnkeyatts; i++)
			result = lappend_int(result, index->indkey.values[i]);
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return result;
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
	facts->key = read_key(rel);
	read_sequences(facts);
	if (facts->kind == KIND_TABLE)
		read_prefix(facts);
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
		facts = palloc0(sizeof(Facts));
		facts->classid = RelationRelationId;
		facts->objid = relid;
		facts->schema = get_namespace_name(RelationGetNamespace(rel));
		facts->name = pstrdup(RelationGetRelationName(rel));
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
		facts = palloc0(sizeof(Facts));
		facts->classid = TypeRelationId;
		facts->objid = type;
		facts->kind = KIND_ENUM_TYPE;
		facts->schema = get_namespace_name(form->typnamespace);
		facts->name = pstrdup(NameStr(form->typname));
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
			return read_relation(objid);
		case TypeRelationId:
			return read_type(objid);
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

/* Return the object's quoted, schema-qualified name. */
const char *
dbkit_facts_identity(const Facts *facts)
{
	return quote_qualified_identifier(facts->schema, facts->name);
}

/* Return what to call an object of that kind. */
const char *
dbkit_kind_name(ObjectKind kind)
{
	switch (kind)
	{
		case KIND_VIEW:
			return "view";
		case KIND_ENUM_TYPE:
			return "type";
		default:
			return "table";
	}
}
