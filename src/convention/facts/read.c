/*-------------------------------------------------------------------------
 *
 * read.c
 *		Read the description of one relation, type, function or role.
 *
 * Everything comes from the rows of the catalogs: no SQL runs, so neither
 * search_path nor anybody's privileges matter.  The result lives in the
 * current memory context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "access/transam.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "cluster.h"
#include "common.h"
#include "convention/facts/read.h"
#include "convention/facts/table.h"

/* Is it a schema of temporary objects, of whatever session? */
static bool
is_temporary(const Catalogs *catalogs, Oid namespace)
{
	static const char prefix[] = "pg_temp_";
	const char *name = dbkit_catalog_schema(catalogs, namespace);

	return name != NULL && strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Is the object initdb's, in a system schema, temporary, or an extension's? */
static bool
is_foreign_to_us(RowReader *reader, Oid classid, Oid objid, Oid namespace)
{
	return objid < FirstNormalObjectId ||
		(namespace != PG_PUBLIC_NAMESPACE &&
		 (namespace < FirstNormalObjectId || is_temporary(reader->catalogs, namespace))) ||
		dbkit_is_extension_member(reader, classid, objid);
}

/* Make the facts about an object, or NULL where its schema is gone. */
static Facts *
new_facts(const Catalogs *catalogs, Oid classid, Oid objid, Oid namespace, const char *name)
{
	char	   *schema = dbkit_catalog_schema(catalogs, namespace);
	Facts	   *facts;

	/* It is being dropped; or it was created while its schema was, and stayed */
	if (schema == NULL)
		return NULL;
	facts = palloc0(sizeof(Facts));
	facts->catalogs = catalogs;
	facts->classid = classid;
	facts->objid = objid;
	facts->schema = schema;
	facts->name = pstrdup(name);
	return facts;
}

/* Has a view the option security_invoker? */
static bool
has_security_invoker(RowReader *reader, HeapTuple row)
{
	Relation	catalog = reader->streams[ROWS_CLASS].catalog;
	ViewOptions *options = (ViewOptions *) extractRelOptions(row, RelationGetDescr(catalog), NULL);

	return options != NULL && options->security_invoker;
}

/* Read what is wanted about a view or materialized view. */
static void
read_view(Facts *facts, RowReader *reader, HeapTuple row, FactSet wanted)
{
	bool		stored = ((Form_pg_class) GETSTRUCT(row))->relkind == RELKIND_MATVIEW;

	facts->visible = (wanted & FACTS_OF_VIEW) | FACT_OBJECT;
	facts->kind = stored ? KIND_MATERIALIZED_VIEW : KIND_VIEW;
	facts->security_invoker = !stored && has_security_invoker(reader, row);
}

/* Is it of a kind that is judged?  A foreign table is, where it is a partition or child. */
static bool
is_judged(RowReader *reader, Form_pg_class form)
{
	return form->relkind == RELKIND_RELATION || form->relkind == RELKIND_PARTITIONED_TABLE ||
		form->relkind == RELKIND_VIEW || form->relkind == RELKIND_MATVIEW ||
		(form->relkind == RELKIND_FOREIGN_TABLE && dbkit_catalog_parents(reader->catalogs, form->oid) != NIL);
}

static Facts *
read_relation(RowReader *reader, Oid relid, FactSet wanted)
{
	HeapTuple	row = reader->class_row != NULL ? reader->class_row :
	dbkit_next_row(reader, ROWS_CLASS, relid);
	Form_pg_class form;
	Facts	   *facts;

	if (row == NULL)
		return NULL;
	form = (Form_pg_class) GETSTRUCT(row);
	if (!is_judged(reader, form) ||
		is_foreign_to_us(reader, RelationRelationId, relid, form->relnamespace) ||
		dbkit_is_copy(relid, NameStr(form->relname)))
		return NULL;

	facts = new_facts(reader->catalogs, RelationRelationId, relid, form->relnamespace, NameStr(form->relname));
	if (facts == NULL)
		return NULL;
	facts->owner = form->relowner;
	facts->partition = form->relispartition;
	facts->partitioned = form->relkind == RELKIND_PARTITIONED_TABLE;
	facts->foreign_table = form->relkind == RELKIND_FOREIGN_TABLE;
	facts->typed = OidIsValid(form->reloftype);
	facts->read.rls_enabled = form->relrowsecurity;
	facts->read.rls_forced = form->relforcerowsecurity;
	if (form->relkind == RELKIND_VIEW || form->relkind == RELKIND_MATVIEW)
		read_view(facts, reader, row, wanted);
	else if (facts->foreign_table || (form->relispartition && reader->catalogs->snapshot == NULL))
		dbkit_read_partition(facts, reader, wanted);
	else
		dbkit_read_table(facts, reader, wanted);
	return facts;
}

static Facts *
read_type(RowReader *reader, Oid type)
{
	Facts	   *facts = NULL;
	Form_pg_type form = dbkit_catalog_type(reader->catalogs, type);

	if (form != NULL && form->typtype == TYPTYPE_ENUM &&
		!is_foreign_to_us(reader, TypeRelationId, type, form->typnamespace))
		facts = new_facts(reader->catalogs, TypeRelationId, type, form->typnamespace, NameStr(form->typname));
	if (facts != NULL)
	{
		facts->kind = KIND_ENUM_TYPE;
		facts->owner = form->typowner;
	}
	return facts;
}

/* Return the search_path of a function's SET clause, or NULL. */
char *
dbkit_read_search_path(HeapTuple tuple)
{
	bool		isnull;
	Datum		config = dbkit_catalog_value(CATALOG_FUNCTION, tuple, Anum_pg_proc_proconfig, &isnull);
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

/* Is the body of a function text in which names are looked up when it runs?  An aggregate has no body. */
static bool
has_late_names(HeapTuple tuple)
{
	Oid			language = ((Form_pg_proc) GETSTRUCT(tuple))->prolang;

	return language != INTERNALlanguageId && language != ClanguageId &&
		heap_attisnull(tuple, Anum_pg_proc_prosqlbody, NULL);
}

/*
 * Return a function's qualified name with its argument types, as
 * format_procedure_qualified(), which raises an error where one is gone.
 */
static char *
signature(const Facts *facts, const oidvector *types)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s(", quote_qualified_identifier(facts->schema, facts->name));
	for (int i = 0; i < types->dim1; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? "," : "",
						 format_type_extended(types->values[i], -1,
											  FORMAT_TYPE_FORCE_QUALIFY | FORMAT_TYPE_ALLOW_INVALID));
	appendStringInfoChar(&text, ')');
	return text.data;
}

static Facts *
read_function(RowReader *reader, Oid function)
{
	Facts	   *facts = NULL;
	HeapTuple	tuple = dbkit_catalog_row(reader->catalogs, CATALOG_FUNCTION, function);
	Form_pg_proc form;

	if (tuple == NULL)
		return NULL;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (!is_foreign_to_us(reader, ProcedureRelationId, function, form->pronamespace))
		facts = new_facts(reader->catalogs, ProcedureRelationId, function, form->pronamespace,
						  NameStr(form->proname));
	if (facts != NULL)
	{
		facts->kind = form->prosecdef ? KIND_DEFINER : KIND_FUNCTION;
		facts->owner = form->proowner;
		facts->signature = signature(facts, &form->proargtypes);
		facts->search_path = dbkit_read_search_path(tuple);
		facts->procedure = form->prokind == PROKIND_PROCEDURE;
		facts->late_names = has_late_names(tuple);
	}
	return facts;
}

static Facts *
read_role(RowReader *reader, Oid role)
{
	HeapTuple	row = dbkit_catalog_row(reader->catalogs, CATALOG_ROLE, role);
	Facts	   *facts;

	if (row == NULL)
		return NULL;
	facts = palloc0(sizeof(Facts));
	facts->catalogs = reader->catalogs;
	facts->classid = AuthIdRelationId;
	facts->objid = role;
	facts->kind = KIND_ROLE;
	facts->schema = pstrdup("");
	facts->name = pstrdup(NameStr(((Form_pg_authid) GETSTRUCT(row))->rolname));
	return facts;
}

/*
 * Return the facts about an object, or NULL where it is never judged or does
 * not exist (any more).  A reader of many gives them in the order of the oids.
 * What was a partition before the transaction is read as a table.
 */
Facts *
dbkit_read_facts(RowReader *reader, Oid classid, Oid objid, FactSet wanted)
{
	switch (classid)
	{
		case RelationRelationId:
			return read_relation(reader, objid, wanted);
		case TypeRelationId:
			return read_type(reader, objid);
		case ProcedureRelationId:
			return read_function(reader, objid);
		case AuthIdRelationId:
			return read_role(reader, objid);
		default:
			return NULL;
	}
}

/* The same for one object, as it is or as it was before the transaction. */
Facts *
dbkit_facts(const Catalogs *catalogs, Oid classid, Oid objid, FactSet wanted)
{
	RowReader	reader;
	Facts	   *facts;

	dbkit_open_reader(&reader, catalogs, false);
	facts = dbkit_read_facts(&reader, classid, objid, wanted);
	dbkit_close_reader(&reader);
	return facts;
}
