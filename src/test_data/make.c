/*-------------------------------------------------------------------------
 *
 * make.c
 *		dbkit.make() and dbkit.make_many(): rows for tests.
 *
 * All that is inserted, parents too, is by plain INSERTs of the caller.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "common.h"
#include "convention/agreement.h"
#include "relation_name.h"
#include "test_data/build.h"
#include "test_data/insert.h"
#include "test_data/make.h"

/* So many rows are inserted at once */
#define BATCH_SIZE		10000

/* What becomes of the rows: each is a composite value */
typedef void (*Receiver) (Datum row, void *arg);

/* Return what is given of a row: the overrides. */
static List *
read_overrides(Oid relid, Jsonb *overrides)
{
	Shape	   *shape = dbkit_read_shape(relid);
	List	   *result = NIL;
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;

	if (overrides == NULL)
		return NIL;
	if (!JB_ROOT_IS_OBJECT(overrides))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("overrides must be a JSON object"),
				 errhint("Its keys are names of columns: '{\"title\": \"x\"}'.")));
	it = JsonbIteratorInit(&overrides->root);
	for (JsonbIteratorToken token = JsonbIteratorNext(&it, &key, true);
		 token != WJB_DONE; token = JsonbIteratorNext(&it, &key, true))
	{
		Given	   *given;
		Slot	   *slot;
		char	   *name;

		if (token != WJB_KEY)
			continue;
		(void) JsonbIteratorNext(&it, &value, true);
		name = pnstrdup(key.val.string.val, key.val.string.len);
		slot = dbkit_find_slot(shape, name);
		if (slot == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of table %s does not exist", name, shape->name),
					 errhint("The keys of the overrides are names of columns.")));
		given = palloc0(sizeof(Given));
		given->attnum = slot->attnum;
		given->constant = memcpy(palloc(sizeof(JsonbValue)), &value, sizeof(JsonbValue));
		result = lappend(result, given);
	}
	return result;
}

/* Make rows in batches, and hand them on. */
static void
make_rows(Oid relid, uint64 count, Jsonb *overrides, Receiver receive, void *arg)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext batch;
	Making		making = {.context = outer};
	List	   *given = read_overrides(relid, overrides);

	batch = AllocSetContextCreate(outer, "dbkit test data", ALLOCSET_DEFAULT_SIZES);
	for (uint64 done = 0; done < count; done += BATCH_SIZE)
	{
		MemoryContextSwitchTo(batch);
		dbkit_build_rows(&making, relid, Min(BATCH_SIZE, count - done), given, NULL, NULL);
		for (uint64 row = 0; row < SPI_processed; row++)
		{
			bool		isnull;

			receive(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1, &isnull), arg);
		}
		SPI_freetuptable(SPI_tuptable);
		dbkit_finish_making(&making);
		MemoryContextSwitchTo(outer);
		MemoryContextReset(batch);
	}
}

/* Where a single row goes */
typedef struct SingleRow
{
	MemoryContext context;
	Datum		row;
} SingleRow;

static void
keep_row(Datum row, void *arg)
{
	SingleRow  *kept = arg;
	MemoryContext old = MemoryContextSwitchTo(kept->context);

	kept->row = datumCopy(row, false, -1);
	MemoryContextSwitchTo(old);
}

/*
 * Make one row of a table as the current user, with its parents, and return it as a
 * composite value of the table's row type.  The overrides are an object of values by
 * names of columns, or NULL.
 *
 * Errors: wrong_object_type for what is no table, undefined_column, those of the INSERTs.
 */
Datum
dbkit_make_row(Oid relid, Jsonb *overrides)
{
	SingleRow	kept = {CurrentMemoryContext, (Datum) 0};

	dbkit_refresh_agreement();
	SPI_connect();
	make_rows(relid, 1, overrides, keep_row, &kept);
	SPI_finish();
	return kept.row;
}

/*
 * Make one row of a table as the current user, with its parents, and tell where it is.  The
 * rest is as for dbkit_make_row().
 */
void
dbkit_place_row(Oid relid, Jsonb *overrides, Oid *table, ItemPointer tid)
{
	Making		making = {0};
	bool		isnull;

	dbkit_refresh_agreement();
	SPI_connect();
	making.context = CurrentMemoryContext;
	dbkit_build_rows(&making, relid, 1, read_overrides(relid, overrides), NULL, "tableoid, ctid");
	*table = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	*tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	dbkit_finish_making(&making);
	SPI_finish();
}

/* Return the table whose row type the first argument has. */
static Oid
sample_table(FunctionCallInfo fcinfo)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the sample must be a row of a table, or NULL as one"),
				 errhint("For a row of the table documents write dbkit.make(NULL::documents).")));
	return relid;
}

/* dbkit.make(sample, overrides): a new row of the sample's table */
PG_FUNCTION_INFO_V1(dbkit_make);
Datum
dbkit_make(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(dbkit_make_row(sample_table(fcinfo), PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1)));
}

/* Put a row into the result of a set-returning function. */
static void
store_row(Datum row, void *arg)
{
	ReturnSetInfo *result = arg;
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(header),.t_data = header};

	ItemPointerSetInvalid(&tuple.t_self);
	tuplestore_puttuple(result->setResult, &tuple);
}

/* dbkit.make_many(sample, count, overrides): so many new rows */
PG_FUNCTION_INFO_V1(dbkit_make_many);
Datum
dbkit_make_many(PG_FUNCTION_ARGS)
{
	Oid			relid = sample_table(fcinfo);
	Jsonb	   *overrides = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);

	if (PG_ARGISNULL(1) || PG_GETARG_INT64(1) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of rows must be 0 or more")));
	InitMaterializedSRF(fcinfo, 0);
	dbkit_refresh_agreement();
	SPI_connect();
	make_rows(relid, (uint64) PG_GETARG_INT64(1), overrides, store_row, fcinfo->resultinfo);
	SPI_finish();
	PG_RETURN_NULL();
}
