/*-------------------------------------------------------------------------
 *
 * subjects.c
 *		What a role may touch: relations and their columns, and functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/regproc.h"

#include "common.h"
#include "convention/agreement.h"
#include "leak_test/subjects.h"
#include "relation_name.h"

static bool
may_use_schema(Oid schema, Oid role)
{
	return dbkit_schema_aclcheck(schema, role, ACL_USAGE) == ACLCHECK_OK;
}

static bool
may(Oid relid, AttrNumber attnum, Oid role, AclMode privilege)
{
	return pg_class_aclcheck(relid, role, privilege) == ACLCHECK_OK ||
		pg_attribute_aclcheck(relid, attnum, role, privilege) == ACLCHECK_OK;
}

/* Does the default of a column take its values from a sequence? */
static bool
default_uses_sequence(Oid relid, AttrNumber attnum)
{
	Oid			attrdef = GetAttrDefaultOid(relid, attnum);
	Relation	catalog;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	if (!OidIsValid(attrdef))
		return false;
	catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(AttrDefaultRelationId));
	ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(attrdef));
	scan = systable_beginscan(catalog, DependDependerIndexId, true, NULL, 2, keys);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(tuple);

		found = form->refclassid == RelationRelationId &&
			get_rel_relkind(form->refobjid) == RELKIND_SEQUENCE;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return found;
}

/* Read a default as it is stored; nothing of it is evaluated. */
static Node *
stored_default(TupleDesc desc, AttrNumber attnum)
{
	for (int i = 0; desc->constr != NULL && i < desc->constr->num_defval; i++)
	{
		if (desc->constr->defval[i].adnum == attnum)
			return stringToNode(desc->constr->defval[i].adbin);
	}
	return NULL;
}

/* Read how a column of a table gets its value where none is given. */
static void
read_default(Relation relation, Form_pg_attribute attribute, Column *column)
{
	Node	   *expression;

	column->has_default = attribute->atthasdef || attribute->attidentity != '\0';
	column->sequential = attribute->attidentity != '\0' ||
		(attribute->atthasdef && default_uses_sequence(relation->rd_id, attribute->attnum));
	if (!attribute->atthasdef || column->sequential)
		return;
	expression = stored_default(RelationGetDescr(relation), attribute->attnum);
	column->random_default = expression != NULL && contain_volatile_functions(expression);
}

/* May a statement give the column a value at all? */
static bool
is_assignable(Form_pg_attribute attribute)
{
	return attribute->attgenerated == '\0' && attribute->attidentity != 'a';
}

static Column *
read_column(Relation relation, Form_pg_attribute attribute, Oid role)
{
	Column	   *column = palloc0(sizeof(Column));
	Oid			relid = RelationGetRelid(relation);

	column->name = pstrdup(NameStr(attribute->attname));
	column->quoted = quote_identifier(column->name);
	column->type = getBaseType(attribute->atttypid);
	column->readable = may(relid, attribute->attnum, role, ACL_SELECT);
	column->insertable = is_assignable(attribute) && may(relid, attribute->attnum, role, ACL_INSERT);
	column->updatable = is_assignable(attribute) && may(relid, attribute->attnum, role, ACL_UPDATE);
	read_default(relation, attribute, column);
	return column;
}

/* Name for each column of a view that of the relation below. */
static void
name_base_columns(const Query *query, Oid below, const List *columns)
{
	const ListCell *cell;

	foreach(cell, columns)
	{
		const TargetEntry *target = list_nth_node(TargetEntry, query->targetList, foreach_current_index(cell));

		if (IsA(target->expr, Var) && ((Var *) target->expr)->varattno > 0)
			((Column *) lfirst(cell))->base = get_attname(below, ((Var *) target->expr)->varattno, true);
	}
}

/* Go on from the names of a view's columns to those of the table below that view. */
static void
follow_columns(const List *columns, const List *below)
{
	const ListCell *cell;

	foreach(cell, columns)
	{
		Column	   *column = lfirst(cell);
		const char *name = column->base;
		const ListCell *inner;

		column->base = NULL;
		foreach(inner, below)
		{
			if (name != NULL && strcmp(((Column *) lfirst(inner))->name, name) == 0)
				column->base = ((Column *) lfirst(inner))->base;
		}
	}
}

/* Find the table below a view through which PostgreSQL writes, and which columns are which. */
static Table *
find_base(Relation view, const List *columns, const List *tables)
{
	Query	   *query = get_view_query(view);
	RangeTblEntry *entry;
	Relation	below;
	Table	   *table;
	List	   *inner = NIL;

	check_stack_depth();
	if (view_query_is_auto_updatable(query, false) != NULL)
		return NULL;
	entry = rt_fetch(linitial_node(RangeTblRef, query->jointree->fromlist)->rtindex, query->rtable);
	name_base_columns(query, entry->relid, columns);
	if (entry->relkind != RELKIND_VIEW)
		return dbkit_find_leak_table(tables, entry->relid);
	below = relation_open(entry->relid, AccessShareLock);
	for (int i = 0; i < RelationGetNumberOfAttributes(below); i++)
	{
		Column	   *column = palloc0(sizeof(Column));

		column->name = pstrdup(NameStr(TupleDescAttr(RelationGetDescr(below), i)->attname));
		inner = lappend(inner, column);
	}
	table = find_base(below, inner, tables);
	relation_close(below, NoLock);
	follow_columns(columns, inner);
	return table;
}

static void
find_rows(Relation relation, Subject *subject, const List *tables)
{
	ListCell   *cell;

	if (subject->relkind == RELKIND_VIEW)
	{
		subject->table = find_base(relation, subject->columns, tables);
		return;
	}
	subject->table = dbkit_find_leak_table(tables, subject->oid);
	foreach(cell, subject->columns)
	{
		Column	   *column = lfirst(cell);

		column->base = column->name;
	}
}

/* Write the query that shows all that the role may see of a relation. */
static char *
write_query(const Subject *subject)
{
	StringInfoData sql;
	const char *separator = " ";
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT");
	foreach(cell, subject->columns)
	{
		const Column *column = lfirst(cell);

		if (!column->readable)
			continue;
		appendStringInfo(&sql, "%ss.%s", separator, column->quoted);
		separator = ", ";
	}
	appendStringInfo(&sql, " FROM %s AS s", subject->name);
	return sql.data;
}

static bool
any_column(const Subject *subject, size_t flag)
{
	ListCell   *cell;

	foreach(cell, subject->columns)
	{
		if (*(bool *) ((char *) lfirst(cell) + flag))
			return true;
	}
	return false;
}

/* May the role do anything with it? */
static bool
is_touchable(const Subject *subject)
{
	return subject->readable || subject->deletable || subject->truncatable ||
		any_column(subject, offsetof(Column, insertable)) ||
		any_column(subject, offsetof(Column, updatable));
}

static Subject *
read_relation(Oid relid, Oid role, const List *tables)
{
	Relation	relation = try_relation_open(relid, AccessShareLock);
	Subject    *subject;
	TupleDesc	desc;
	bool		usable;

	if (relation == NULL)
		return NULL;
	subject = palloc0(sizeof(Subject));
	subject->oid = relid;
	subject->relkind = relation->rd_rel->relkind;
	subject->owner = relation->rd_rel->relowner;
	subject->name = dbkit_relation_name(relid);
	desc = RelationGetDescr(relation);
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			subject->columns = lappend(subject->columns, read_column(relation, TupleDescAttr(desc, i), role));
	}
	subject->readable = any_column(subject, offsetof(Column, readable));
	subject->deletable = pg_class_aclcheck(relid, role, ACL_DELETE) == ACLCHECK_OK;
	subject->truncatable = (subject->relkind == RELKIND_RELATION || subject->relkind == RELKIND_PARTITIONED_TABLE) &&
		pg_class_aclcheck(relid, role, ACL_TRUNCATE) == ACLCHECK_OK;
	find_rows(relation, subject, tables);
	subject->query = write_query(subject);
	usable = may_use_schema(RelationGetNamespace(relation), role);
	relation_close(relation, NoLock);
	return usable && is_touchable(subject) ? subject : NULL;
}

/* Does a function return something that a query can show? */
static bool
returns_value(Oid type)
{
	return get_typtype(type) != TYPTYPE_PSEUDO || type == VOIDOID || type == RECORDOID;
}

/* Is it a function or procedure of the team's that the role may call? */
static bool
may_call(const FormData_pg_proc *form, Oid role)
{
	return form->oid >= FirstNormalObjectId &&
		(form->prokind == PROKIND_PROCEDURE || (form->prokind == PROKIND_FUNCTION && returns_value(form->prorettype))) &&
		!isTempNamespace(form->pronamespace) &&
		!dbkit_keeps_agreement(get_namespace_name(form->pronamespace), NameStr(form->proname)) &&
		!OidIsValid(getExtensionOfObject(ProcedureRelationId, form->oid)) &&
		may_use_schema(form->pronamespace, role) &&
		dbkit_function_aclcheck(form->oid, role, ACL_EXECUTE) == ACLCHECK_OK;
}

/* Does it return rows whose columns only the query could name? */
static bool
has_unknown_columns(HeapTuple tuple)
{
	return ((Form_pg_proc) GETSTRUCT(tuple))->prorettype == RECORDOID &&
		heap_attisnull(tuple, Anum_pg_proc_proallargtypes, NULL);
}

static Subject *
read_function(HeapTuple tuple)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);
	Subject    *subject = palloc0(sizeof(Subject));

	subject->oid = form->oid;
	subject->owner = form->proowner;
	subject->readable = true;
	subject->name = psprintf("%s()", quote_qualified_identifier(dbkit_schema_name(form->pronamespace),
																NameStr(form->proname)));
	if (form->prokind == PROKIND_PROCEDURE)
		subject->query = psprintf("CALL %s", subject->name);
	else
		subject->query = psprintf(has_unknown_columns(tuple) ? "SELECT %s AS result" : "SELECT * FROM %s AS result",
								  subject->name);
	return subject;
}

/* Do something with each function that the role may call. */
static void
each_function(Oid role, void (*action) (HeapTuple tuple, List **list), List **list)
{
	Relation	catalog = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (may_call((Form_pg_proc) GETSTRUCT(tuple), role))
			action(tuple, list);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* Can it be called without arguments? */
static bool
needs_no_arguments(const FormData_pg_proc *form)
{
	return form->pronargs == form->pronargdefaults;
}

static void
add_callable(HeapTuple tuple, List **list)
{
	if (needs_no_arguments((Form_pg_proc) GETSTRUCT(tuple)))
		*list = lappend(*list, read_function(tuple));
}

/* Those that act with rights of others are worth a word. */
static void
add_uncalled(HeapTuple tuple, List **list)
{
	Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

	if (!needs_no_arguments(form) && form->prosecdef)
		*list = lappend(*list, format_procedure_qualified(form->oid));
}

static int
compare_subjects(const ListCell *a, const ListCell *b)
{
	const Subject *first = lfirst(a);
	const Subject *second = lfirst(b);

	if ((first->relkind == '\0') != (second->relkind == '\0'))
		return first->relkind == '\0' ? 1 : -1;
	return strcmp(first->name, second->name);
}

/* List what the role may touch: relations by name, then functions. */
List *
dbkit_list_subjects(Oid role, const List *tables)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, dbkit_list_relations("rpvmf"))
	{
		Subject    *subject = read_relation(lfirst_oid(cell), role, tables);

		if (subject != NULL)
			result = lappend(result, subject);
	}
	each_function(role, add_callable, &result);
	list_sort(result, compare_subjects);
	return result;
}

/* List the SECURITY DEFINER functions that the role may call, but only with arguments. */
List *
dbkit_list_uncalled_functions(Oid role)
{
	List	   *result = NIL;

	each_function(role, add_uncalled, &result);
	list_sort(result, dbkit_compare_strings);
	return result;
}
