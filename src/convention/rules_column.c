/*-------------------------------------------------------------------------
 *
 * rules_column.c
 *		Rules about columns: those that every table has, and what types may be used.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "dbkit.h"
#include "expression.h"
#include "rules.h"
#include "types.h"

/* What created_at and updated_at are to be */
#define CLOCK_COLUMN	"timestamptz NOT NULL DEFAULT now()"

/* Judge a column that has to be TIMESTAMPTZ NOT NULL with a clock default. */
static void
judge_clock_column(Judgement *judgement, const char *name)
{
	const ColumnFacts *column = dbkit_facts_column(judgement->facts, name);
	StringInfoData wrong = {0};
	Finding    *finding;
	Node	   *value;
	bool		clock;

	if (column == NULL)
	{
		finding = dbkit_add_finding(judgement, name, "there is no column \"%s\"; use %s %s",
							  name, name, CLOCK_COLUMN);
		dbkit_add_column(finding, name, CLOCK_COLUMN);
		return;
	}

	clock = !column->generated && dbkit_is_now(column->expression);
	value = clock ? NULL : dbkit_column_default(column);
	clock |= dbkit_is_clock(value);
	dbkit_check_type(&wrong, column, TIMESTAMPTZOID);
	if (!column->not_null)
		dbkit_add_wrong(&wrong, "may be null");
	if (column->generated)
		dbkit_add_wrong(&wrong, "is a generated column");
	else if (!clock && (value == NULL || column->base_type == TIMESTAMPTZOID))
		dbkit_add_wrong(&wrong, "has no default that is the current time");
	if (wrong.len == 0)
		return;

	finding = dbkit_add_finding(judgement, name, "column \"%s\" %s; use %s", name,
								wrong.data, CLOCK_COLUMN);
	if (column->generated)
		return;					/* cannot have a default */
	if (column->base_type != TIMESTAMPTZOID)
	{
		dbkit_add_retype(finding, column, TIMESTAMPTZOID, "timestamptz");
		if (finding->alter == NIL)
			return;				/* cannot be converted */
	}
	if (!column->not_null)
		dbkit_add_alter(finding, psprintf("ALTER COLUMN %s SET NOT NULL", name));
	if (!clock)
		dbkit_add_alter(finding, psprintf("ALTER COLUMN %s SET DEFAULT now()", name));
}

void
dbkit_judge_created_at(Judgement *judgement)
{
	judge_clock_column(judgement, "created_at");
}

void
dbkit_judge_updated_at(Judgement *judgement)
{
	judge_clock_column(judgement, "updated_at");
}

void
dbkit_judge_storytime(Judgement *judgement)
{
	const ColumnFacts *column = dbkit_facts_column(judgement->facts, "storytime");
	Finding    *finding;

	if (column == NULL)
	{
		finding = dbkit_add_finding(judgement, "storytime",
							  "there is no column \"storytime\"; use storytime jsonb");
		dbkit_add_column(finding, "storytime", "jsonb");
	}
	else if (column->base_type != JSONBOID)
	{
		finding = dbkit_add_finding(judgement, "storytime",
							  "column \"storytime\" is %s; use jsonb",
							  dbkit_type_name(column->type));
		dbkit_add_retype(finding, column, JSONBOID, "jsonb");
	}
}

static bool
is_small_integer(Oid type)
{
	return type == INT2OID || type == INT4OID;
}

static bool
is_local_timestamp(Oid type)
{
	return type == TIMESTAMPOID;
}

static bool
is_enum(Oid type)
{
	return type >= FirstUnpinnedObjectId && type_is_enum(type);
}

/* Say what a column's type is, and unless its name tells, what is inside it. */
static char *
describe_type(const ColumnFacts *column, Oid inside)
{
	if (column->type == inside || OidIsValid(dbkit_replacement_type(column->type)))
		return dbkit_type_name(column->type);
	return psprintf("%s, which contains %s", dbkit_type_name(column->type),
					dbkit_type_name(inside));
}

/*
 * Judge the columns whose type is or contains one that is not wanted, and
 * advise the type that dbkit_replacement_type() knows.
 */
static void
judge_column_types(Judgement *judgement, bool (*unwanted) (Oid type),
				   const char *otherwise)
{
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(judgement->facts))
	{
		ColumnFacts *column = lfirst(lc);
		Oid			inside = dbkit_find_type(column->type, unwanted);
		Oid			target;
		const char *sequence;
		const char *advice = otherwise;
		Finding    *finding;

		if (!OidIsValid(inside))
			continue;
		target = dbkit_replacement_type(column->type);
		if (OidIsValid(target))
			advice = dbkit_short_type_name(target);
		if (dbkit_id_type(column->name) != NULL)
		{
			/* As text_id and primary_key want it, so that one ALTER serves */
			target = TEXTOID;
			advice = dbkit_id_type(column->name);
		}

		finding = dbkit_add_finding(judgement, column->name, "column \"%s\" is %s; use %s",
							  column->name, describe_type(column, inside), advice);
		if (!OidIsValid(target) || strcmp(column->name, "id") == 0)
			continue;
		dbkit_add_retype(finding, column, target, advice);
		if (finding->alter == NIL || target != INT8OID)
			continue;
		sequence = dbkit_identity_of(dbkit_column_sequence(judgement->facts, column));
		if (sequence != NULL)
			finding->statement = psprintf("ALTER SEQUENCE %s AS bigint;", sequence);
	}
}

void
dbkit_judge_timestamptz(Judgement *judgement)
{
	judge_column_types(judgement, is_local_timestamp, "timestamptz");
}

void
dbkit_judge_bigint(Judgement *judgement)
{
	judge_column_types(judgement, is_small_integer, "bigint");
}

/* Judge the columns of native enum types. */
void
dbkit_judge_enum_columns(Judgement *judgement)
{
	judge_column_types(judgement, is_enum, "text with a foreign key to an enum table");
}

/* Judge that every column has a comment. */
void
dbkit_judge_column_comment(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		if (!dbkit_has_column_comment(facts, column))
			dbkit_add_finding(judgement, column->name,
							  "column \"%s\" has no comment; use COMMENT ON COLUMN %s.%s IS '...'",
							  column->name, dbkit_facts_identity(facts),
							  quote_identifier(column->name));
	}
}
