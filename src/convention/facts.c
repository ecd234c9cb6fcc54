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

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "dbkit.h"
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
		(namespace < FirstNormalObjectId && namespace != PG_PUBLIC_NAMESPACE) ||
		isAnyTempNamespace(namespace) ||
		OidIsValid(getExtensionOfObject(classid, objid));
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
read_relation(Oid relid, FactsExtent extent)
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
			dbkit_read_table(facts, rel, extent);
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
read_index_of_table(Oid indexid, FactsExtent extent)
{
	Oid			table = IndexGetRelation(indexid, true);
	Facts	   *facts;

	if (!OidIsValid(table) || extent == FACTS_STATEMENT)
		return NULL;			/* no statement rule is about indexes */
	facts = read_relation(table, extent);
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
dbkit_facts(Oid classid, Oid objid, FactsExtent extent)
{
	switch (classid)
	{
		case RelationRelationId:
			return is_index(objid) ? read_index_of_table(objid, extent) :
				read_relation(objid, extent);
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
