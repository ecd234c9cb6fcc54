/*-------------------------------------------------------------------------
 *
 * row.c
 *		Rows of an audited table, as the log has them: which one it is, what it
 *		holds, and what has changed in it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "access/toast_internals.h"
#include "catalog/pg_constraint.h"
#include "executor/executor.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "audit/audited.h"
#include "audit/row.h"
#include "json/to_typed.h"

/* What is looked up in the catalogs for a table, until one of them changes */
typedef struct KnownTable
{
	Oid			relid;
	Oid			root;			/* that it was audited with */
	int			keys;
	AttrNumber	key[INDEX_MAX_KEYS];
} KnownTable;

static HTAB *known_tables = NULL;

/* Counts what has made them out of date */
static uint64 changes = 0;

/* Forget all, as the change of one table concerns those above and below it. */
static void
forget_tables(Datum arg pg_attribute_unused(), Oid relid pg_attribute_unused())
{
	HASH_SEQ_STATUS status;
	KnownTable *known;

	changes++;
	hash_seq_init(&status, known_tables);
	while ((known = hash_seq_search(&status)) != NULL)
		(void) hash_search(known_tables, &known->relid, HASH_REMOVE, NULL);
}

static void
make_known_tables(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid),.entrysize = sizeof(KnownTable)};

	known_tables = hash_create("dbkit audited tables", 64, &control, HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget_tables, (Datum) 0);
}

/*
 * Find the columns of the root's primary key in a table that is the root or below
 * it, where the columns may stand in another order.
 */
static void
find_key(KnownTable *result, Relation table)
{
	Oid			constraint;
	Bitmapset  *key = get_primary_key_attnos(result->root, true, &constraint);
	int			member = -1;

	while ((member = bms_next_member(key, member)) >= 0)
	{
		char	   *name = get_attname(result->root, member + FirstLowInvalidHeapAttributeNumber, false);
		AttrNumber	column = get_attnum(RelationGetRelid(table), name);

		if (column == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("table \"%s\" has no column \"%s\", which is in the primary key of the audited table \"%s\"",
							RelationGetRelationName(table), name, get_rel_name(result->root))));
		result->key[result->keys++] = column;
	}
	if (result->keys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key, so the log of changes could not say which row was changed", get_rel_name(result->root)),
				 errhint("Add a primary key, or call dbkit.unaudit()."),
				 errtable(table)));
}

/* Look a table up, unless it is known. */
static KnownTable
know_table(Relation table)
{
	Oid			relid = RelationGetRelid(table);
	KnownTable	result = {.relid = relid};
	KnownTable *known;
	uint64		before = changes;

	if (known_tables == NULL)
		make_known_tables();
	known = hash_search(known_tables, &relid, HASH_FIND, NULL);
	if (known != NULL)
		return *known;
	result.root = dbkit_audited_root(relid);
	find_key(&result, table);
	if (changes == before)
	{
		known = hash_search(known_tables, &relid, HASH_ENTER, NULL);
		*known = result;
	}
	return result;
}

/* Ensure that no column of the key is masked, as the log tells rows by it.  A key may be another than it was. */
static void
check_key_is_shown(const AuditedTable *audited, Relation table)
{
	for (int i = 0; i < audited->keys; i++)
	{
		if (audited->masked[audited->key[i] - 1])
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("column \"%s\" of table \"%s\" is masked, and is in its primary key, by which the log of changes tells rows",
							NameStr(TupleDescAttr(audited->columns, audited->key[i] - 1)->attname), RelationGetRelationName(table)),
					 errhint("Use another primary key, or call dbkit.audit() without masking the column."),
					 errtable(table)));
	}
}

/* Describe a table whose rows are to be written. */
AuditedTable *
dbkit_audited_table(Relation table)
{
	AuditedTable *result = palloc0(sizeof(AuditedTable));
	int			count = RelationGetDescr(table)->natts;
	KnownTable	known = know_table(table);

	result->columns = RelationGetDescr(table);
	result->context = CurrentMemoryContext;
	result->types = palloc0(count * sizeof(TypedType *));
	result->hidden = palloc0(count * sizeof(bool));
	result->masked = palloc0(count * sizeof(bool));
	for (int i = 0; i < count; i++)
	{
		Form_pg_attribute column = TupleDescAttr(result->columns, i);

		result->hidden[i] = column->attisdropped || dbkit_is_virtual(column);
	}
	dbkit_find_masked(table, result->masked);
	result->root = known.root;
	result->keys = known.keys;
	memcpy(result->key, known.key, sizeof(known.key));
	check_key_is_shown(result, table);
	return result;
}

/* Describe the type of a column, which is counted from 0. */
TypedType *
dbkit_audited_type(AuditedTable *table, int column)
{
	if (table->types[column] == NULL)
		table->types[column] = dbkit_typed_type(TupleDescAttr(table->columns, column)->atttypid, table->context);
	return table->types[column];
}

/*
 * Return what tells a row from all others: its key's text, or where that is of several columns
 * or no string or number, typed JSON of an array of them.
 */
text *
dbkit_audited_row_id(AuditedTable *table, TupleTableSlot *row)
{
	TypedWriter writer = {.any_time = true};
	Jsonb	   *json;

	slot_getsomeattrs(row, table->columns->natts);
	if (table->keys == 1)
	{
		int			column = table->key[0] - 1;
		TypedType  *type = dbkit_audited_type(table, column);

		if (!row->tts_isnull[column] && (type->kind == TYPED_TEXT || type->kind == TYPED_NUMBER))
			return cstring_to_text(dbkit_output_text(type, row->tts_values[column]));
	}
	dbkit_begin_typed(&writer, WJB_BEGIN_ARRAY);
	for (int i = 0; i < table->keys; i++)
	{
		int			column = table->key[i] - 1;

		dbkit_write_typed(&writer, NULL, dbkit_audited_type(table, column), row->tts_values[column], row->tts_isnull[column]);
	}
	json = dbkit_end_typed(&writer, WJB_END_ARRAY);
	return cstring_to_text(JsonbToCString(NULL, &json->root, VARSIZE(json)));
}

/*
 * Is a value the same in both rows, byte by byte?  A value that is stored out of line and was
 * not changed has the same pointer, and is then not fetched.
 */
static bool
is_unchanged(AuditedTable *table, int column, TupleTableSlot *one, TupleTableSlot *other)
{
	Form_pg_attribute attribute = TupleDescAttr(table->columns, column);
	Datum		value = one->tts_values[column];
	Datum		value2 = other->tts_values[column];

	if (one->tts_isnull[column] || other->tts_isnull[column])
		return one->tts_isnull[column] && other->tts_isnull[column];
	if (attribute->attlen == -1 && VARATT_IS_EXTERNAL_ONDISK(value) && VARATT_IS_EXTERNAL_ONDISK(value2) &&
		memcmp(DatumGetPointer(value), DatumGetPointer(value2), VARSIZE_EXTERNAL(value)) == 0)
		return true;
	return datum_image_eq(value, value2, attribute->attbyval, attribute->attlen);
}

/* Have two rows the same key? */
bool
dbkit_is_audited_row(AuditedTable *table, TupleTableSlot *one, TupleTableSlot *other)
{
	slot_getallattrs(one);
	slot_getallattrs(other);
	for (int i = 0; i < table->keys; i++)
	{
		if (!is_unchanged(table, table->key[i] - 1, one, other))
			return false;
	}
	return true;
}

static void
write_column(AuditedTable *table, TypedWriter *writer, int column, TupleTableSlot *row)
{
	const char *name = NameStr(TupleDescAttr(table->columns, column)->attname);

	writer->column = name;
	if (table->masked[column])
		dbkit_write_masked(writer, name);
	else
		dbkit_write_typed(writer, name, dbkit_audited_type(table, column), row->tts_values[column], row->tts_isnull[column]);
}

/* Return a whole row, without what is NULL. */
Jsonb *
dbkit_audited_values(AuditedTable *table, TupleTableSlot *row)
{
	TypedWriter writer = {.any_time = true};

	slot_getallattrs(row);
	dbkit_begin_typed(&writer, WJB_BEGIN_OBJECT);
	for (int i = 0; i < table->columns->natts; i++)
	{
		if (!table->hidden[i] && !row->tts_isnull[i])
			write_column(table, &writer, i, row);
	}
	return dbkit_end_typed(&writer, WJB_END_OBJECT);
}

/* Return what has changed in a row, before and after; false where nothing has. */
bool
dbkit_audited_difference(AuditedTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row,
						 Jsonb **old_values, Jsonb **new_values)
{
	TypedWriter before = {.any_time = true};
	TypedWriter after = {.any_time = true};
	bool		any = false;

	slot_getallattrs(old_row);
	slot_getallattrs(new_row);
	for (int i = 0; i < table->columns->natts; i++)
	{
		if (table->hidden[i] || is_unchanged(table, i, old_row, new_row))
			continue;
		if (!any)
		{
			dbkit_begin_typed(&before, WJB_BEGIN_OBJECT);
			dbkit_begin_typed(&after, WJB_BEGIN_OBJECT);
			any = true;
		}
		write_column(table, &before, i, old_row);
		write_column(table, &after, i, new_row);
	}
	if (!any)
		return false;
	*old_values = dbkit_end_typed(&before, WJB_END_OBJECT);
	*new_values = dbkit_end_typed(&after, WJB_END_OBJECT);
	return true;
}
