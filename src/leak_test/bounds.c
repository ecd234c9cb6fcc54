/*-------------------------------------------------------------------------
 *
 * bounds.c
 *		What a row has to have to be in one partition.
 *
 * Bounds are read as they are stored.  Of a list the first value will do, of a range its lower
 * end, which belongs to it; what a hash makes of a value can only be tried.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "leak_test/bounds.h"
#include "partition_bound.h"

/* The ends of types: below all that a table may have, and above it */
static const struct
{
	Oid			type;
	const char *least;
	const char *greatest;
}			ends[] =

{
	{INT2OID, "-32768", "32767"},
	{INT4OID, "-2147483648", "2147483647"},
	{INT8OID, "-9223372036854775808", "9223372036854775807"},
	{NUMERICOID, "-Infinity", "Infinity"},
	{DATEOID, "-infinity", "infinity"},
	{TIMESTAMPOID, "-infinity", "infinity"},
	{TIMESTAMPTZOID, "-infinity", "infinity"},
	{UUIDOID, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
	{TEXTOID, "", NULL},
	{VARCHAROID, "", NULL},
};

static const char *
end_of_type(Oid type, bool greatest)
{
	for (size_t i = 0; i < lengthof(ends); i++)
	{
		if (ends[i].type == getBaseType(type))
			return greatest ? ends[i].greatest : ends[i].least;
	}
	return NULL;
}

static void
add_value(Bounds *bounds, const char *column, const char *value)
{
	BoundValue *added = palloc(sizeof(BoundValue));

	added->column = column;
	added->value = value;
	bounds->values = lappend(bounds->values, added);
}

static void
add_constant(Bounds *bounds, const char *column, const Const *constant)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(constant->consttype, &output, &is_varlena);
	add_value(bounds, column, constant->constisnull ? NULL :
			  OidOutputFunctionCall(output, constant->constvalue));
}

/* Choose what is in a range: its lower end, or what is less than any upper end. */
static void
add_range(Bounds *bounds, const char *column, const PartitionRangeDatum *lower, Oid type)
{
	const char *least = end_of_type(type, false);

	if (lower->kind == PARTITION_RANGE_DATUM_VALUE)
		add_constant(bounds, column, castNode(Const, lower->value));
	else if (lower->kind == PARTITION_RANGE_DATUM_MINVALUE && least != NULL)
		add_value(bounds, column, least);
}

/* Choose what no other partition is likely to take. */
static void
add_default(Bounds *bounds, DefaultChoice choice, const char *column, Oid type)
{
	const char *end = end_of_type(type, choice == GREATEST_VALUE);

	bounds->is_default = true;
	if (choice != ANY_VALUE && end != NULL)
		add_value(bounds, column, end);
}

/* Read what one column of the partition key has to be. */
static void
add_column(Bounds *bounds, const PartitionBoundSpec *spec, DefaultChoice choice, int position,
		   const char *column, Oid type)
{
	if (spec->strategy == PARTITION_STRATEGY_HASH)
	{
		bounds->hashed = lappend(bounds->hashed, unconstify(char *, column));
		if (position == 0)
			bounds->modulus *= spec->modulus;
	}
	else if (spec->is_default)
		add_default(bounds, choice, column, type);
	else if (spec->strategy == PARTITION_STRATEGY_LIST)
		add_constant(bounds, column, linitial_node(Const, spec->listdatums));
	else
		add_range(bounds, column, list_nth_node(PartitionRangeDatum, spec->lowerdatums, position), type);
}

/* Read the bounds that a partition has in its parent; columns of the key that are expressions are passed by. */
static void
read_level(Oid partition, Oid parent, DefaultChoice choice, Bounds *bounds)
{
	PartitionBoundSpec *spec = dbkit_partition_bound(partition);
	HeapTuple	tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(parent));

	if (spec != NULL && HeapTupleIsValid(tuple))
	{
		Form_pg_partitioned_table form = (Form_pg_partitioned_table) GETSTRUCT(tuple);

		for (int i = 0; i < form->partnatts; i++)
		{
			AttrNumber	attnum = form->partattrs.values[i];

			if (attnum != 0)
				add_column(bounds, spec, choice, i, get_attname(parent, attnum, false), get_atttype(parent, attnum));
		}
	}
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
}

/* Read what rows of a partition have to have, for this level and those above it. */
void
dbkit_read_bounds(Oid partition, DefaultChoice choice, Bounds *bounds)
{
	bounds->is_default = false;
	bounds->values = NIL;
	bounds->hashed = NIL;
	bounds->modulus = 1;
	while (get_rel_relispartition(partition))
	{
		Oid			parent = get_partition_parent(partition, true);

		if (!OidIsValid(parent))
			break;
		read_level(partition, parent, choice, bounds);
		partition = parent;
	}
}
