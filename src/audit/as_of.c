/*-------------------------------------------------------------------------
 *
 * as_of.c
 *		dbkit.as_of(): a row as it was at some time.
 *
 * The row is taken as it is, and what the log has since that time is undone,
 * newest first.  So the log need not go back to the row's beginning, and a column that was
 * added later has in old rows what ADD COLUMN gave it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#include "common.h"
#include "as_owner.h"
#include "audit/audited.h"
#include "audit/log.h"
#include "audit/row.h"
#include "json/from_typed.h"
#include "json/sentinel.h"

/* What is known of the row, at the time that the undoing has come to */
typedef enum Knowledge
{
	ROW_ABSENT,
	ROW_PRESENT,
	ROW_UNKNOWN
} Knowledge;

typedef struct PastRow
{
	Relation	relation;
	AuditedTable *table;
	Knowledge	knowledge;
	JsonbValue *values;			/* by column */
	char	   *gap;			/* the operation that makes it unknown */
} PastRow;

/* An entry of the log */
typedef struct Entry
{
	char	   *operation;
	Jsonb	   *old_values;		/* NULL where there are none */
	Jsonb	   *new_values;
	char	   *transaction;
	bool		undone;
} Entry;

static const JsonbValue json_null = {.type = jbvNull};

/* Run a query under the snapshot of the statement, so that the table and the log are of one moment. */
static int
read_rows(const char *sql, int nargs, Oid *types, Datum *values)
{
	int			result = SPI_execute_with_args(sql, nargs, types, values, NULL, true, 0);

	if (result != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args returned %s for: %s", SPI_result_code_string(result), sql);
	return (int) SPI_processed;
}

/* Ensure that the caller sees all of a table and of the log: what he did not see would be taken for what was not there. */
static void
check_sees_all(Oid relid)
{
	AclResult	result = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);

	if (result != ACLCHECK_OK)
		aclcheck_error(result, get_relkind_objtype(get_rel_relkind(relid)), get_rel_name(relid));
	if (check_enable_rls(relid, InvalidOid, true) == RLS_ENABLED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("dbkit.as_of() needs a role that sees all rows of \"%s\"", get_rel_name(relid)),
				 errdetail("Row level security would leave out some of the changes."),
				 errhint("dbkit.audit_history() shows the entries that a role sees.")));
}

/* Give the columns the values that an object has for them. */
static void
take_values(PastRow *row, Jsonb *values)
{
	for (int i = 0; values != NULL && i < row->table->columns->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(row->table->columns, i)->attname);
		JsonbValue	value;

		if (row->table->hidden[i] ||
			getKeyJsonValueFromContainer(&values->root, name, strlen(name), &value) == NULL)
			continue;
		row->values[i] = value;
	}
}

static void
clear_values(PastRow *row)
{
	for (int i = 0; i < row->table->columns->natts; i++)
		row->values[i] = json_null;
}

/* Put the elements of a row's id into an array of JSON values, one for each column of the key. */
static JsonbValue *
read_row_id(const AuditedTable *table, TypedType *first, text *row_id)
{
	JsonbValue *result = palloc(table->keys * sizeof(JsonbValue));
	Jsonb	   *json;

	if (table->keys == 1 && (first->kind == TYPED_TEXT || first->kind == TYPED_NUMBER))
	{
		result[0].type = jbvString;
		result[0].val.string.val = VARDATA_ANY(row_id);
		result[0].val.string.len = VARSIZE_ANY_EXHDR(row_id);
		return result;
	}
	json = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(row_id))));
	if (!JB_ROOT_IS_ARRAY(json) || JB_ROOT_IS_SCALAR(json) || JB_ROOT_COUNT(json) != (uint32) table->keys)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the id of a row whose key has %d columns has to be a JSON array with a value for each", table->keys)));
	for (int i = 0; i < table->keys; i++)
		result[i] = *getIthJsonbValueFromContainer(&json->root, i);
	return result;
}

/* Put a row that a query gave, which knows nothing of dropped columns, into a slot of the table. */
static void
store_row(TupleTableSlot *slot, HeapTuple tuple, TupleDesc columns)
{
	int			given = 0;

	ExecClearTuple(slot);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_isnull[i] = true;
		if (!TupleDescAttr(slot->tts_tupleDescriptor, i)->attisdropped)
			slot->tts_values[i] = heap_getattr(tuple, ++given, columns, &slot->tts_isnull[i]);
	}
	ExecStoreVirtualTuple(slot);
}

/* Read the row as it is now, past its row level security.  Domains have CHECKs, so it is done as the table's owner. */
static void
read_present_row(PastRow *row, text *row_id)
{
	AuditedTable *table = row->table;
	StringInfoData sql;
	JsonbValue *key = read_row_id(table, dbkit_audited_type(table, table->key[0] - 1), row_id);
	Oid		   *types = palloc(table->keys * sizeof(Oid));
	Datum	   *values = palloc(table->keys * sizeof(Datum));
	AsOwner		saved;

	dbkit_begin_as_owner(row->relation->rd_rel->relowner, SECURITY_NOFORCE_RLS, &saved);
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT t.* FROM %s AS t WHERE ",
					 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(row->relation)), RelationGetRelationName(row->relation)));
	for (int i = 0; i < table->keys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(table->columns, table->key[i] - 1);
		TypedType  *type = dbkit_audited_type(table, table->key[i] - 1);
		bool		isnull;

		appendStringInfo(&sql, "%st.%s OPERATOR(pg_catalog.=) $%d", i > 0 ? " AND " : "", quote_identifier(NameStr(column->attname)), i + 1);
		types[i] = type->type;
		values[i] = dbkit_read_typed(type, &key[i], column->atttypmod, &isnull);
		if (isnull)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the id of a row has no null in it")));
	}
	row->knowledge = ROW_ABSENT;
	if (read_rows(sql.data, table->keys, types, values) > 0)
	{
		TupleTableSlot *slot = MakeSingleTupleTableSlot(table->columns, &TTSOpsVirtual);

		store_row(slot, SPI_tuptable->vals[0], SPI_tuptable->tupdesc);
		take_values(row, dbkit_audited_values(table, slot));
		ExecDropSingleTupleTableSlot(slot);
		row->knowledge = ROW_PRESENT;
	}
	dbkit_end_as_owner(&saved);
}

static Jsonb *
json_column(HeapTuple tuple, TupleDesc columns, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, columns, column, &isnull);

	return isnull ? NULL : DatumGetJsonbP(value);
}

/* Read what the log has about the row since a time, newest first. */
static Entry *
read_entries(Oid relid, text *row_id, TimestampTz since, int *count)
{
	Oid			types[] = {REGCLASSOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {ObjectIdGetDatum(relid), PointerGetDatum(row_id), TimestampTzGetDatum(since)};
	Entry	   *result;
	TupleDesc	columns;

	*count = read_rows("SELECT operation, old_values, new_values, transaction FROM dbkit.audit_log"
					   " WHERE relation OPERATOR(pg_catalog.=) $1 AND (row_id OPERATOR(pg_catalog.=) $2 OR row_id IS NULL)"
					   " AND at OPERATOR(pg_catalog.>) $3 ORDER BY at DESC, id DESC",
					   lengthof(types), types, values);
	columns = SPI_tuptable->tupdesc;
	result = palloc0(Max(*count, 1) * sizeof(Entry));
	for (int i = 0; i < *count; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];

		result[i].operation = SPI_getvalue(tuple, columns, 1);
		result[i].old_values = json_column(tuple, columns, 2);
		result[i].new_values = json_column(tuple, columns, 3);
		result[i].transaction = SPI_getvalue(tuple, columns, 4);
	}
	return result;
}

/* Ensure that the log goes back to a time. */
static void
check_not_trimmed(TimestampTz at)
{
	Oid			types[] = {TIMESTAMPTZOID};
	Datum		values[] = {TimestampTzGetDatum(at)};

	if (read_rows("SELECT FROM dbkit.audit_log WHERE relation IS NULL AND operation OPERATOR(pg_catalog.=) 'TRIM'"
				  " AND (new_values OPERATOR(pg_catalog.->>) 'before')::pg_catalog.timestamptz OPERATOR(pg_catalog.>) $1",
				  lengthof(types), types, values) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("the log of changes does not go back to that time"),
				 errdetail("dbkit.audit_trim() has removed what it had.")));
}

static bool
is_operation(const Entry *entry, AuditOperation operation)
{
	return strcmp(entry->operation, dbkit_audit_operation_name(operation)) == 0;
}

static bool
is_same_json(JsonbValue *one, JsonbValue *other)
{
	Jsonb	   *json = JsonbValueToJsonb(one);
	Jsonb	   *json2 = JsonbValueToJsonb(other);

	return VARSIZE(json) == VARSIZE(json2) && memcmp(json, json2, VARSIZE(json)) == 0;
}

/* Is the row as an entry says it was made? */
static bool
led_here(const PastRow *row, const Entry *entry)
{
	if (is_operation(entry, AUDIT_DELETE))
		return row->knowledge != ROW_PRESENT;
	if (row->knowledge != ROW_PRESENT)
		return is_operation(entry, AUDIT_TRUNCATE);
	for (int i = 0; entry->new_values != NULL && i < row->table->columns->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(row->table->columns, i)->attname);
		JsonbValue	value;

		if (!row->table->hidden[i] && !row->table->masked[i] &&
			getKeyJsonValueFromContainer(&entry->new_values->root, name, strlen(name), &value) != NULL &&
			!is_same_json(&value, &row->values[i]))
			return false;
	}
	return true;
}

/*
 * Choose the entry to undo next.  A trigger that changes the row once more is done with before
 * the statement that fired it writes its entries.  So of those of one transaction the newest is
 * undone that the row is the outcome of.
 */
static Entry *
next_entry(const PastRow *row, Entry *entries, int count)
{
	Entry	   *newest = NULL;

	for (int i = 0; i < count; i++)
	{
		if (entries[i].undone)
			continue;
		if (newest == NULL)
			newest = &entries[i];
		if (strcmp(entries[i].transaction, newest->transaction) != 0)
			break;
		if (led_here(row, &entries[i]))
			return &entries[i];
	}
	return newest;
}

static void
undo(PastRow *row, Entry *entry)
{
	entry->undone = true;
	if (is_operation(entry, AUDIT_INSERT))
		row->knowledge = ROW_ABSENT;
	else if (entry->old_values == NULL)
	{
		/* TRUNCATE, the beginning or end of the log, or what was erased */
		row->knowledge = ROW_UNKNOWN;
		row->gap = entry->operation;
	}
	else if (is_operation(entry, AUDIT_DELETE))
	{
		clear_values(row);
		take_values(row, entry->old_values);
		row->knowledge = ROW_PRESENT;
	}
	else
		take_values(row, entry->old_values);
}

/* Is it a value that the log does not have, because it is masked? */
static bool
is_masked(const JsonbValue *json)
{
	JsonbValue	name;

	return dbkit_is_object(json) &&
		getKeyJsonValueFromContainer(json->val.binary.data, SENTINEL_KEY, strlen(SENTINEL_KEY), &name) != NULL &&
		name.type == jbvString && name.val.string.len == (int) strlen(MASKED_NAME) &&
		memcmp(name.val.string.val, MASKED_NAME, name.val.string.len) == 0;
}

/* Make the row, as the table's owner, too. */
static HeapTuple
form_row(const PastRow *row)
{
	int			count = row->table->columns->natts;
	Datum	   *values = palloc0(count * sizeof(Datum));
	bool	   *isnull = palloc(count * sizeof(bool));
	AsOwner		saved;

	dbkit_begin_as_owner(row->relation->rd_rel->relowner, 0, &saved);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	nothing = json_null;

		isnull[i] = true;
		if (!row->table->hidden[i])
			values[i] = dbkit_read_typed(dbkit_audited_type(row->table, i), is_masked(&row->values[i]) ? &nothing : &row->values[i],
										 TupleDescAttr(row->table->columns, i)->atttypmod, &isnull[i]);
	}
	dbkit_end_as_owner(&saved);
	return heap_form_tuple(row->table->columns, values, isnull);
}

/* Return the audited table whose row type an argument has. */
static Oid
table_of_argument(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(getBaseType(type)) : InvalidOid;

	if (!OidIsValid(relid) || getBaseType(type) != type)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the sample of dbkit.as_of() has to be of the row type of a table"),
				 errhint("Write NULL::my_table.")));
	if (!dbkit_is_audited(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s\" is not audited", get_rel_name(relid)),
				 errhint("dbkit.audit() begins to write what changes in a table.")));
	return relid;
}

PG_FUNCTION_INFO_V1(dbkit_as_of);

/*
 * dbkit.as_of(sample anyelement, row_id text, at timestamptz) returns anyelement
 *
 * Return a row of an audited table as it was at a time, or NULL where there was
 * none; what is masked is NULL.  The sample is NULL::my_table.  Errors: no_data_found where the
 * log cannot tell, insufficient_privilege for roles that do not see all of the table and
 * the log, wrong_object_type, object_not_in_prerequisite_state for a table that is not audited.
 */
Datum
dbkit_as_of(PG_FUNCTION_ARGS)
{
	PastRow		row = {NULL};
	Oid			relid;
	Entry	   *entries;
	int			count;
	int			level;
	MemoryContext caller = CurrentMemoryContext;
	HeapTuple	result = NULL;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	relid = table_of_argument(fcinfo);
	check_sees_all(relid);
	check_sees_all(dbkit_audit_log());
	SPI_connect();
	level = dbkit_use_fixed_settings();
	row.relation = table_open(relid, AccessShareLock);
	row.table = dbkit_audited_table(row.relation);
	memset(row.table->masked, 0, row.table->columns->natts * sizeof(bool));
	row.values = palloc(row.table->columns->natts * sizeof(JsonbValue));
	clear_values(&row);
	read_present_row(&row, PG_GETARG_TEXT_PP(1));
	check_not_trimmed(PG_GETARG_TIMESTAMPTZ(2));
	entries = read_entries(row.table->root, PG_GETARG_TEXT_PP(1), PG_GETARG_TIMESTAMPTZ(2), &count);
	for (Entry *entry = next_entry(&row, entries, count); entry != NULL; entry = next_entry(&row, entries, count))
		undo(&row, entry);
	if (row.knowledge == ROW_UNKNOWN)
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("it is not known what the row was at that time"),
				 errdetail("Since then the log has %s without values, and nothing between the two that tells.", row.gap)));
	if (row.knowledge == ROW_PRESENT)
	{
		result = form_row(&row);
		MemoryContextSwitchTo(caller);
		result = heap_copytuple(result);
	}
	table_close(row.relation, NoLock);
	if (level > 0)
		AtEOXact_GUC(true, level);
	SPI_finish();
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(HeapTupleGetDatum(result));
}
