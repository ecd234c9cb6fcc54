/*-------------------------------------------------------------------------
 *
 * from_catalog.c
 *		Draft a table as the catalog has it.
 *
 * PostgreSQL's own functions write the expressions.  They run nobody's code; the caller
 * has pinned the search_path, so that they qualify every name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/reloptions.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_compression.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/dependency.h"
#include "catalog/pg_am.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_sequence.h"
#include "catalog/pg_type.h"
#include "commands/comment.h"
#include "commands/defrem.h"
#include "commands/sequence.h"
#include "commands/tablespace.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/draft/draft.h"
#include "convention/facts/tree.h"
#include "convention/facts/columns.h"
#include "convention/own_objects.h"
#include "relation_name.h"

/* Return the column of that name, or NULL. */
DraftColumn *
dbkit_draft_column(const Draft *draft, const char *name)
{
	ListCell   *lc;

	foreach(lc, draft->columns)
	{
		DraftColumn *column = lfirst(lc);

		if (strcmp(column->catalog_name != NULL ? column->catalog_name : column->name, name) == 0)
			return column;
	}
	return NULL;
}

/* Return the column of that number, or NULL. */
DraftColumn *
dbkit_draft_column_at(const Draft *draft, AttrNumber attnum)
{
	ListCell   *lc;

	foreach(lc, draft->columns)
	{
		if (((DraftColumn *) lfirst(lc))->attnum == attnum)
			return lfirst(lc);
	}
	return NULL;
}

static int
compare_columns(const ListCell *a, const ListCell *b)
{
	return ((const DraftColumn *) lfirst(a))->attnum - ((const DraftColumn *) lfirst(b))->attnum;
}

/* Return the columns that the catalog has, in its order. */
List *
dbkit_draft_catalog_columns(const Draft *draft)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, draft->columns)
	{
		if (((DraftColumn *) lfirst(lc))->attnum != 0)
			result = lappend(result, lfirst(lc));
	}
	list_sort(result, compare_columns);
	return result;
}

/* Write an expression as the catalog has it. */
static char *
write_expression(Relation rel, const char *expression)
{
	return TextDatumGetCString(DirectFunctionCall3(pg_get_expr_ext, CStringGetTextDatum(expression),
												   ObjectIdGetDatum(RelationGetRelid(rel)), BoolGetDatum(true)));
}

/* Append an option of a sequence that is not what it would be anyway. */
static void
append_option(StringInfo text, const char *option, int64 value, int64 otherwise)
{
	if (value != otherwise)
		appendStringInfo(text, "%s%s " INT64_FORMAT, text->len > 0 ? " " : "", option, value);
}

/* Return the largest number of an integer type. */
static int64
largest_of(Oid type)
{
	return type == INT2OID ? PG_INT16_MAX : type == INT4OID ? PG_INT32_MAX : PG_INT64_MAX;
}

/* Write the options of the sequence behind an identity column, in parentheses, or "". */
static char *
write_sequence_options(Oid sequence)
{
	HeapTuple	tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
	Form_pg_sequence form;
	StringInfoData text;
	bool		ascending;
	int64		smallest;
	int64		largest;

	if (!HeapTupleIsValid(tuple))
		return "";
	form = (Form_pg_sequence) GETSTRUCT(tuple);
	ascending = form->seqincrement > 0;
	smallest = ascending ? 1 : -largest_of(form->seqtypid) - 1;
	largest = ascending ? largest_of(form->seqtypid) : -1;
	initStringInfo(&text);
	append_option(&text, "START WITH", form->seqstart, ascending ? form->seqmin : form->seqmax);
	append_option(&text, "INCREMENT BY", form->seqincrement, 1);
	append_option(&text, "MINVALUE", form->seqmin, smallest);
	append_option(&text, "MAXVALUE", form->seqmax, largest);
	append_option(&text, "CACHE", form->seqcache, 1);
	if (form->seqcycle)
		appendStringInfoString(&text, text.len > 0 ? " CYCLE" : "CYCLE");
	ReleaseSysCache(tuple);
	return text.len > 0 ? psprintf(" (%s)", text.data) : "";
}

/* Drop the cast after a literal, which has its column's type without it. */
static char *
drop_cast(char *literal, Oid type)
{
	char	   *cast = psprintf("'::%s", format_type_be(type));

	return dbkit_ends_with(literal, cast) ? pnstrdup(literal, strlen(literal) - strlen(cast) + 1) : literal;
}

/* Return the time that AT TIME ZONE is asked for, or NULL where the expression is another one. */
static const char *
find_instant(Relation rel, Node *node)
{
	const FuncExpr *function = (const FuncExpr *) node;

	/* Below what cuts it to the precision of the column */
	if (IsA(node, FuncExpr) && function->funcformat == COERCE_IMPLICIT_CAST)
		function = (const FuncExpr *) linitial(function->args);
	if (!IsA(function, FuncExpr) || function->funcid != F_TIMEZONE_TEXT_TIMESTAMPTZ)
		return NULL;
	return write_expression(rel, nodeToString(lsecond(function->args)));
}

/* Read the default of a column, or what it is generated from. */
static void
read_expression(Relation rel, Draft *draft, const ColumnFacts *facts, DraftColumn *column)
{
	const char *prefix = draft->facts->read.default_prefix;
	Node	   *node = dbkit_stored_tree(facts->expression);
	char		kind = TupleDescAttr(RelationGetDescr(rel), facts->attnum - 1)->attgenerated;
	char	   *text;

	if (node == NULL)
	{
		dbkit_draft_note_obstacle(draft, psprintf("the expression of column \"%s\" is too long or too deep to be written", facts->name));
		return;
	}
	text = write_expression(rel, facts->expression);
	if (facts->generated)
	{
		column->generated = true;
		column->value = psprintf("GENERATED ALWAYS AS (%s)%s", text,
								 kind == ATTRIBUTE_GENERATED_STORED ? " STORED" : "");
		column->expression = node;
		return;
	}
	if (strcmp(facts->name, "id") == 0 && prefix != NULL)
		text = psprintf("%s('%s')", dbkit_function_name("generate_id"), prefix);

	column->value = psprintf("DEFAULT %s", IsA(node, Const) ? drop_cast(text, ((Const *) node)->consttype) : text);
	column->value_type = exprType(node);
	column->instant = find_instant(rel, node);
}

/* Read how a column gets its value. */
static void
read_value(Relation rel, Draft *draft, const ColumnFacts *facts, DraftColumn *column)
{
	char		identity = TupleDescAttr(RelationGetDescr(rel), facts->attnum - 1)->attidentity;

	column->serial = OidIsValid(dbkit_column_sequence(draft->facts, facts));
	if (identity != '\0')
	{
		column->identity = true;
		column->value = psprintf("GENERATED %s AS IDENTITY%s",
								 identity == ATTRIBUTE_IDENTITY_ALWAYS ? "ALWAYS" : "BY DEFAULT",
								 write_sequence_options(dbkit_identity_sequence(rel, facts->attnum)));
	}
	else if (facts->expression != NULL && !column->serial)
		read_expression(rel, draft, facts, column);
}

/* Add how a column is stored, where that is not as its type is. */
static void
read_settings(Form_pg_attribute attribute, DraftColumn *column)
{
	static const struct
	{
		char		storage;
		const char *name;
	}			storages[] = {
		{TYPSTORAGE_PLAIN, "PLAIN"},
		{TYPSTORAGE_EXTERNAL, "EXTERNAL"},
		{TYPSTORAGE_EXTENDED, "EXTENDED"},
		{TYPSTORAGE_MAIN, "MAIN"},
	};

	for (size_t i = 0; i < lengthof(storages); i++)
	{
		if (storages[i].storage == attribute->attstorage &&
			attribute->attstorage != get_typstorage(attribute->atttypid))
			column->settings = lappend(column->settings, psprintf("SET STORAGE %s", storages[i].name));
	}
	if (CompressionMethodIsValid(attribute->attcompression))
		column->settings = lappend(column->settings,
								   psprintf("SET COMPRESSION %s", GetCompressionMethodName(attribute->attcompression)));
}

/* Write a column's type, with its collation where that is not the type's. */
static char *
write_type(Form_pg_attribute attribute)
{
	char	   *type = format_type_with_typemod(attribute->atttypid, attribute->atttypmod);

	if (attribute->atttypid == TIMESTAMPTZOID && attribute->atttypmod == -1)
		type = "timestamptz";
	if (!OidIsValid(attribute->attcollation) ||
		attribute->attcollation == get_typcollation(attribute->atttypid))
		return type;
	return psprintf("%s COLLATE %s", type, generate_collation_name(attribute->attcollation));
}

static DraftColumn *
read_column(Relation rel, Draft *draft, const ColumnFacts *facts)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), facts->attnum - 1);
	DraftColumn *column = palloc0(sizeof(DraftColumn));

	column->attnum = facts->attnum;
	column->name = facts->name;
	column->catalog_name = facts->name;
	column->type = write_type(attribute);
	column->base_type = facts->base_type;
	column->catalog_type = facts->base_type;
	column->not_null = attribute->attnotnull;
	column->inherited = !attribute->attislocal;
	read_value(rel, draft, facts, column);
	read_settings(attribute, column);
	return column;
}

/* Return the attribute numbers in a field of pg_constraint. */
static List *
read_attnums(Relation catalog, HeapTuple tuple, AttrNumber field)
{
	bool		isnull;
	Datum		datum = heap_getattr(tuple, field, RelationGetDescr(catalog), &isnull);
	ArrayType  *array = isnull ? NULL : DatumGetArrayTypeP(datum);
	List	   *result = NIL;

	for (int i = 0; array != NULL && i < ARR_DIMS(array)[0]; i++)
		result = lappend_int(result, ((int16 *) ARR_DATA_PTR(array))[i]);
	return result;
}

/* Return the name that PostgreSQL would choose for a constraint, or NULL where it chooses none. */
char *
dbkit_chosen_name(const Facts *table, const DraftConstraint *constraint)
{
	static const struct
	{
		char		type;
		const char *label;
	}			labels[] = {
		{CONSTRAINT_PRIMARY, "pkey"},
		{CONSTRAINT_UNIQUE, "key"},
		{CONSTRAINT_CHECK, "check"},
		{CONSTRAINT_FOREIGN, "fkey"},
		{CONSTRAINT_EXCLUSION, "excl"},
		{DBKIT_CONSTRAINT_NOTNULL, "not_null"},
	};
	StringInfoData columns;
	bool		named = constraint->type != CONSTRAINT_PRIMARY &&
	(constraint->type != CONSTRAINT_CHECK || list_length(constraint->columns) == 1);
	ListCell   *lc;

	initStringInfo(&columns);
	foreach(lc, constraint->columns)
		appendStringInfo(&columns, "%s%s", columns.len > 0 ? "_" : "",
						 lfirst(lc) != NULL ? ((DraftColumn *) lfirst(lc))->name : "expr");
	for (size_t i = 0; i < lengthof(labels); i++)
	{
		if (labels[i].type == constraint->type)
			return makeObjectName(table->name, named && columns.len > 0 ? columns.data : NULL, labels[i].label);
	}
	return NULL;
}

/* Would PostgreSQL choose the name of a constraint itself, were there none? */
static bool
is_chosen_name(const Facts *table, const DraftConstraint *constraint)
{
	const char *name = dbkit_chosen_name(table, constraint);

	/* LIKE copies what was chosen for the other table */
	if (constraint->type == DBKIT_CONSTRAINT_NOTNULL)
		return dbkit_ends_with(constraint->name, "_not_null");
	return name != NULL && strcmp(name, constraint->name) == 0;
}

/*
 * Write the definition of a constraint.  Only the command that adds it has the storage options
 * of its index.
 */
static char *
write_constraint(const Facts *table, Form_pg_constraint form)
{
	const char *before = psprintf("ALTER TABLE %s ADD CONSTRAINT %s ", dbkit_facts_identity(table),
								  quote_identifier(NameStr(form->conname)));

	if (!OidIsValid(form->conindid) || form->contype == CONSTRAINT_FOREIGN)
		return TextDatumGetCString(DirectFunctionCall2(pg_get_constraintdef_ext, ObjectIdGetDatum(form->oid),
													   BoolGetDatum(true)));
	return pg_get_constraintdef_command(form->oid) + strlen(before);
}

/* Is it the CHECK that pins the prefix, in the way that fixes write it? */
static bool
is_prefix_check(const Facts *table, Form_pg_constraint form)
{
	const char *prefix = table->read.default_prefix;

	return prefix != NULL && form->contype == CONSTRAINT_CHECK &&
		strcmp(write_constraint(table, form), psprintf("CHECK (id ~~ '%s_%%'::text)", prefix)) == 0;
}

/* Return the expressions of an index, its condition among them. */
static List *
read_index_expressions(Oid index)
{
	static const AttrNumber fields[] = {Anum_pg_index_indexprs, Anum_pg_index_indpred};
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	List	   *result = NIL;

	for (size_t i = 0; HeapTupleIsValid(tuple) && i < lengthof(fields); i++)
	{
		bool		isnull;
		Datum		datum = SysCacheGetAttr(INDEXRELID, tuple, fields[i], &isnull);

		if (!isnull)
		{
			Node	   *tree = stringToNode(TextDatumGetCString(datum));

			result = IsA(tree, List) ? list_concat(result, (List *) tree) : lappend(result, tree);
		}
	}
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* Return the expressions of a constraint. */
static List *
read_constraint_expressions(Relation catalog, HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	bool		isnull;
	Datum		datum = heap_getattr(tuple, Anum_pg_constraint_conbin, RelationGetDescr(catalog), &isnull);

	if (!isnull)
		return list_make1(stringToNode(TextDatumGetCString(datum)));
	return form->contype == CONSTRAINT_EXCLUSION ? read_index_expressions(form->conindid) : NIL;
}

static DraftConstraint *
read_constraint(const Draft *draft, Relation catalog, HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	DraftConstraint *constraint = palloc0(sizeof(DraftConstraint));
	ListCell   *lc;

	constraint->oid = form->oid;
	constraint->name = pstrdup(NameStr(form->conname));
	constraint->type = form->contype;
	foreach(lc, read_attnums(catalog, tuple, Anum_pg_constraint_conkey))
		constraint->columns = lappend(constraint->columns, dbkit_draft_column_at(draft, lfirst_int(lc)));
	constraint->referenced = form->confrelid;
	constraint->referenced_attnums = read_attnums(catalog, tuple, Anum_pg_constraint_confkey);
	constraint->definition = is_prefix_check(draft->facts, form) ?
		psprintf("CHECK (id LIKE '%s_%%')", draft->facts->read.default_prefix) : write_constraint(draft->facts, form);
	constraint->comment = GetComment(form->oid, ConstraintRelationId, 0);
	constraint->expressions = read_constraint_expressions(catalog, tuple);
	constraint->chosen = is_chosen_name(draft->facts, constraint);
	return constraint;
}

/* Is it a constraint that CREATE TABLE says?  NOT NULL is the column's, if its name is. */
static bool
is_written(Form_pg_constraint form)
{
	return form->conislocal && form->contype != CONSTRAINT_TRIGGER;
}

static int
compare_constraints(const ListCell *a, const ListCell *b)
{
	const DraftConstraint *left = lfirst(a);
	const DraftConstraint *right = lfirst(b);
	int			order = (left->type != CONSTRAINT_PRIMARY) - (right->type != CONSTRAINT_PRIMARY);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static void
read_constraints(Draft *draft)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(draft->facts->objid));
	scan = systable_beginscan(catalog, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		DraftConstraint *constraint;

		if (!is_written((Form_pg_constraint) GETSTRUCT(tuple)))
			continue;
		constraint = read_constraint(draft, catalog, tuple);
		if (constraint->type == DBKIT_CONSTRAINT_NOTNULL && constraint->chosen)
			continue;
		draft->constraints = lappend(draft->constraints, constraint);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	list_sort(draft->constraints, compare_constraints);
}

/* Write INHERITS, or "". */
static char *
write_parents(Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	StringInfoData text;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	initStringInfo(&text);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;
		const char *name = dbkit_find_relation_name(parent);

		if (name != NULL)
			appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : " INHERITS (", name);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	if (text.len > 0)
		appendStringInfoChar(&text, ')');
	return text.data;
}

/* Append options as in WITH, those of a relation or of its TOAST table, but for the one named. */
static void
append_options(StringInfo text, Oid relid, const char *namespace, const char *except)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		isnull = true;
	Datum		datum = (Datum) 0;
	ListCell   *lc;

	if (!HeapTupleIsValid(tuple))
		return;
	datum = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_reloptions, &isnull);
	foreach(lc, isnull ? NIL : untransformRelOptions(datum))
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		if (except != NULL && strcmp(option->defname, except) == 0)
			continue;
		appendStringInfo(text, "%s%s%s = %s", text->len > 0 ? ", " : "", namespace,
						 quote_identifier(option->defname), quote_literal_cstr(defGetString(option)));
	}
	ReleaseSysCache(tuple);
}

/* Write the options of a view, but for security_invoker, with a comma after them. */
char *
dbkit_other_view_options(Oid view)
{
	StringInfoData text;

	initStringInfo(&text);
	append_options(&text, view, "", "security_invoker");
	if (text.len > 0)
		appendStringInfoString(&text, ", ");
	return text.data;
}

/* Write WITH, or "". */
static char *
write_storage_options(Relation rel)
{
	StringInfoData text;

	initStringInfo(&text);
	append_options(&text, RelationGetRelid(rel), "", NULL);
	if (OidIsValid(rel->rd_rel->reltoastrelid))
		append_options(&text, rel->rd_rel->reltoastrelid, "toast.", NULL);
	return text.len > 0 ? psprintf(" WITH (%s)", text.data) : "";
}

/* Write all that follows the columns of a table. */
static char *
write_clauses(Relation rel)
{
	StringInfoData clauses;
	const char *tablespace = OidIsValid(rel->rd_rel->reltablespace) ?
	get_tablespace_name(rel->rd_rel->reltablespace) : NULL;

	initStringInfo(&clauses);
	appendStringInfoString(&clauses, write_parents(RelationGetRelid(rel)));
	if (rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
		appendStringInfo(&clauses, " PARTITION BY %s",
						 TextDatumGetCString(DirectFunctionCall1(pg_get_partkeydef,
																 ObjectIdGetDatum(RelationGetRelid(rel)))));
	if (OidIsValid(rel->rd_rel->relam) && rel->rd_rel->relam != get_table_am_oid(default_table_access_method, true))
		appendStringInfo(&clauses, " USING %s", quote_identifier(get_am_name(rel->rd_rel->relam)));
	appendStringInfoString(&clauses, write_storage_options(rel));
	if (tablespace != NULL)
		appendStringInfo(&clauses, " TABLESPACE %s", quote_identifier(tablespace));
	return clauses.data;
}

/* Does one of the columns of the partition key compare as its type does, so that a key can have it? */
static bool
compares_as_usual(Relation rel, Form_pg_partitioned_table form, HeapTuple tuple, int i)
{
	const oidvector *classes = (const oidvector *) DatumGetPointer(SysCacheGetAttrNotNull(PARTRELID, tuple, Anum_pg_partitioned_table_partclass));
	const oidvector *collations = (const oidvector *) DatumGetPointer(SysCacheGetAttrNotNull(PARTRELID, tuple, Anum_pg_partitioned_table_partcollation));
	AttrNumber	attnum = form->partattrs.values[i];
	Form_pg_attribute attribute;
	Oid			access_method = form->partstrat == PARTITION_STRATEGY_HASH ? HASH_AM_OID : BTREE_AM_OID;

	if (attnum <= 0)
		return false;
	attribute = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	return collations->values[i] == attribute->attcollation &&
		classes->values[i] == GetDefaultOpClass(attribute->atttypid, access_method);
}

/* Read the columns of the partition key.  The relcache would evaluate its expressions. */
static void
read_partition_key(Relation rel, Draft *draft)
{
	HeapTuple	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(draft->facts->objid));
	Form_pg_partitioned_table form;
	bool		isnull;
	Datum		expressions;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_partitioned_table) GETSTRUCT(tuple);
	for (int i = 0; i < form->partnatts; i++)
	{
		draft->partition_key = lappend_int(draft->partition_key,
										   compares_as_usual(rel, form, tuple, i) ? form->partattrs.values[i] : 0);
		draft->mentioned = bms_add_member(draft->mentioned,
										  form->partattrs.values[i] - FirstLowInvalidHeapAttributeNumber);
	}
	expressions = SysCacheGetAttr(PARTRELID, tuple, Anum_pg_partitioned_table_partexprs, &isnull);
	if (!isnull)
		pull_varattnos(stringToNode(TextDatumGetCString(expressions)), 1, &draft->mentioned);
	ReleaseSysCache(tuple);
}

/* Add a statement that comes after the table. */
static DraftStatement *
add_statement(Draft *draft, char *sql)
{
	DraftStatement *statement = palloc0(sizeof(DraftStatement));

	statement->sql = sql;
	draft->statements = lappend(draft->statements, statement);
	return statement;
}

/* Return the columns of an index whose operator class is not the default one of their types. */
static List *
find_own_classes(Relation rel, HeapTuple tuple, Oid access_method)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	const oidvector *classes = (const oidvector *) DatumGetPointer(SysCacheGetAttrNotNull(INDEXRELID, tuple, Anum_pg_index_indclass));
	List	   *result = NIL;

	for (int i = 0; i < form->indnkeyatts; i++)
	{
		AttrNumber	attnum = form->indkey.values[i];

		if (attnum > 0 &&
			classes->values[i] != GetDefaultOpClass(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid, access_method))
			result = lappend_int(result, attnum);
	}
	return result;
}

/* Read an index that no constraint has. */
static void
read_index(Relation rel, Draft *draft, Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(relid));
	Relation	opened = HeapTupleIsValid(tuple) ? relation_open(relid, AccessShareLock) : NULL;
	DraftStatement *index;
	Form_pg_index form;
	char	   *comment;

	if (opened == NULL)
		return;
	form = (Form_pg_index) GETSTRUCT(tuple);
	index = add_statement(draft, psprintf("%s;", pg_get_indexdef_string(relid)));
	comment = GetComment(relid, RelationRelationId, 0);
	if (comment != NULL)
		index->sql = psprintf("%s\nCOMMENT ON INDEX %s IS %s;", index->sql, dbkit_relation_name(relid), quote_literal_cstr(comment));
	index->leading = form->indkey.values[0];
	index->expressions = read_index_expressions(relid);
	index->own_classes = find_own_classes(rel, tuple, opened->rd_rel->relam);
	relation_close(opened, AccessShareLock);
	pull_varattnos((Node *) index->expressions, 1, &draft->mentioned);
	for (int i = 0; i < form->indnatts; i++)
		draft->mentioned = bms_add_member(draft->mentioned,
										  form->indkey.values[i] - FirstLowInvalidHeapAttributeNumber);
	ReleaseSysCache(tuple);
}

/* Read the indexes that no constraint has, and the extended statistics. */
static void
read_indexes(Relation rel, Draft *draft)
{
	ListCell   *lc;

	foreach(lc, RelationGetIndexList(rel))
	{
		if (!OidIsValid(get_index_constraint(lfirst_oid(lc))))
			read_index(rel, draft, lfirst_oid(lc));
	}
	foreach(lc, RelationGetStatExtList(rel))
	{
		(void) add_statement(draft, psprintf("%s;", pg_get_statisticsobjdef_string(lfirst_oid(lc))));
		draft->renamable = false;
	}
}

/* Read the comments that LIKE INCLUDING COMMENTS copies to columns. */
static void
read_comments(Draft *draft)
{
	ListCell   *lc;

	foreach(lc, draft->columns)
	{
		const DraftColumn *column = lfirst(lc);
		char	   *comment = GetComment(draft->facts->objid, RelationRelationId, column->attnum);

		if (comment == NULL)
			continue;
		(void) add_statement(draft, psprintf("COMMENT ON COLUMN %s.%s IS %s;", dbkit_facts_identity(draft->facts),
											 quote_identifier(column->name), quote_literal_cstr(comment)));
		draft->mentioned = bms_add_member(draft->mentioned, column->attnum - FirstLowInvalidHeapAttributeNumber);
	}
}

/* Draft a table as it is.  The facts have its columns; the search_path is pinned. */
Draft *
dbkit_draft_of_catalog(const Facts *facts)
{
	Draft	   *draft = palloc0(sizeof(Draft));
	Relation	rel = relation_open(facts->objid, AccessShareLock);
	ListCell   *lc;

	draft->facts = facts;
	draft->renamable = true;
	foreach(lc, facts->read.columns)
		draft->columns = lappend(draft->columns, read_column(rel, draft, lfirst(lc)));
	read_constraints(draft);
	draft->persistence = rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED ? "UNLOGGED " : "";
	draft->clauses = write_clauses(rel);
	read_partition_key(rel, draft);
	read_indexes(rel, draft);
	read_comments(draft);
	if (facts->typed)
		draft->obstacle = psprintf("a typed table has the columns of type %s, which has to be changed instead",
								   format_type_be_qualified(rel->rd_rel->reloftype));
	relation_close(rel, AccessShareLock);
	return draft;
}
