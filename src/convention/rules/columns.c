/*-------------------------------------------------------------------------
 *
 * columns.c
 *		Rules about columns: those that every table has, and what types may be used.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/agreement.h"
#include "convention/facts/columns.h"
#include "convention/facts/expression.h"
#include "convention/facts/table.h"
#include "convention/facts/type_walk.h"
#include "convention/members.h"
#include "convention/rules/files.h"
#include "convention/rules/id_style.h"
#include "relation_name.h"

/* What created_at and updated_at are to be */
#define CLOCK_COLUMN	"timestamptz NOT NULL DEFAULT now()"

/* Report that a column which has to be there is not, behind which nothing is said of those faults. */
static void
report_missing_column(Judgement *judgement, const char *name, const char *definition, FaultSet hidden)
{
	Finding    *finding = dbkit_add_finding(judgement, pstrdup(name), "there is no column \"%s\"; use %s %s",
											name, quote_identifier(name), definition);

	dbkit_set_missing(finding, finding->column, hidden);
	dbkit_add_column(finding, finding->column, definition);
}

/* Judge that a column is TIMESTAMPTZ NOT NULL with a clock default. */
static void
judge_clock_column(Judgement *judgement, const ColumnFacts *column)
{
	Wrong		wrong = {.faults = 0};
	Finding    *finding;
	Node	   *value;
	bool		clock;
	bool		alterable = !column->generated; /* which has no default */
	bool		other_default;

	clock = !column->generated && dbkit_is_now(column->expression);
	value = clock ? NULL : dbkit_column_default(column);
	clock |= dbkit_is_clock(value);
	dbkit_check_type(&wrong, column, TIMESTAMPTZOID);
	if (!column->not_null)
		dbkit_add_wrong(&wrong, FAULT_NULL, "may be null");
	if (column->generated)
	{
		dbkit_add_wrong(&wrong, FAULT_GENERATED, "is a generated column");
		wrong.hidden |= FAULT_DEFAULT;
	}
	else if (!clock && (value == NULL || column->base_type == TIMESTAMPTZOID))
		dbkit_add_wrong(&wrong, FAULT_DEFAULT, "has no default that is the current time");
	if (wrong.faults == 0)
		return;

	finding = dbkit_add_finding(judgement, column->name, "column \"%s\" %s; use %s", column->name,
								wrong.text.data, CLOCK_COLUMN);
	dbkit_set_faults(finding, wrong.faults, wrong.hidden);
	other_default = dbkit_member_has_other_default(judgement->facts, column);
	if (column->base_type != TIMESTAMPTZOID &&
		dbkit_add_clock_retype(finding, column, !clock && !other_default) == NULL)
		alterable = false;
	if (!column->not_null)
		dbkit_add_not_null(finding, column->name, alterable);
	if (!clock)
	{
		Action	   *action = dbkit_add_value(finding, column->name, "DEFAULT now()", alterable && !other_default);

		/* Where no row could be without it, nobody can have left it out */
		if (column->not_null && value == NULL)
			action->risk = RISK_SAFE;
	}
}

/* Judge that one of the columns is there, and is as it has to be. */
static void
judge_clock_columns(Judgement *judgement, const List *names)
{
	const ColumnFacts *column = dbkit_facts_listed_column(judgement->facts, names);

	if (column != NULL)
		judge_clock_column(judgement, column);
	else if (names != NIL)
		report_missing_column(judgement, linitial(names), CLOCK_COLUMN, FAULT_NULL | FAULT_DEFAULT);
}

static void
judge_created_at(Judgement *judgement)
{
	judge_clock_columns(judgement, dbkit_agreement()->created_at_columns);
}

static void
judge_updated_at(Judgement *judgement)
{
	judge_clock_columns(judgement, dbkit_agreement()->updated_at_columns);
}

static void
judge_storytime(Judgement *judgement)
{
	const ColumnFacts *column = dbkit_facts_column(judgement->facts, "storytime");
	Finding    *finding;

	if (column == NULL)
		report_missing_column(judgement, "storytime", "jsonb", 0);
	else if (column->base_type != JSONBOID)
	{
		finding = dbkit_add_finding(judgement, "storytime",
									"column \"storytime\" is %s; use jsonb",
									dbkit_type_name(column->type));
		(void) dbkit_add_retype(finding, column, JSONBOID, "jsonb");
	}
}

static bool
is_small_integer(Form_pg_type type, int32 typmod pg_attribute_unused())
{
	return type->oid == INT2OID || type->oid == INT4OID;
}

static bool
is_local_timestamp(Form_pg_type type, int32 typmod pg_attribute_unused())
{
	return type->oid == TIMESTAMPOID;
}

static bool
is_enum(Form_pg_type type, int32 typmod pg_attribute_unused())
{
	return type->typtype == TYPTYPE_ENUM;
}

/* Is it text with a length, or one that ignores blanks at the end? */
static bool
is_limited_text(Form_pg_type type, int32 typmod)
{
	return type->oid == BPCHAROID || (type->oid == VARCHAROID && typmod >= 0);
}

static bool
is_json(Form_pg_type type, int32 typmod pg_attribute_unused())
{
	return type->oid == JSONOID;
}

static bool
is_money(Form_pg_type type, int32 typmod pg_attribute_unused())
{
	return type->oid == MONEYOID;
}

/* Say what a column's type is, and unless its name tells, what is inside it. */
static char *
describe_type(const ColumnFacts *column, Oid inside, int32 typmod)
{
	char	   *name = dbkit_declared_type_name(column->type, column->typmod);

	if (column->type == inside || OidIsValid(dbkit_replacement_type(column->type)))
		return name;
	return psprintf("%s, which contains %s", name, dbkit_declared_type_name(inside, typmod));
}

/*
 * Have a text take a type without a length, which stays as a CHECK: that can be another one without
 * a change of the type.  So does the collation.  No CHECK can limit the elements of an array, so that is
 * left to a person.
 */
static void
lift_limit(Finding *finding, const ColumnFacts *column, Oid target, const char *name)
{
	const ColumnFacts wanted = {.base_type = target,.collation = column->collation};
	const char *written = dbkit_write_key_type(finding->facts, column, &wanted);
	const char *definition = written != NULL ? written : name;
	bool		limited = column->typmod >= VARHDRSZ;
	const Action *retype = NULL;
	char	   *check;

	if (limited && column->type != VARCHAROID && column->type != BPCHAROID)
		dbkit_add_action(finding, ACTION_SET_TYPE, column->name, definition, NULL)->type = target;
	else
		retype = dbkit_add_retype(finding, column, target, definition);
	if (!limited || (column->type != VARCHAROID && column->type != BPCHAROID))
		return;
	check = psprintf("CHECK (length(%s) <= %d)", quote_identifier(column->name), column->typmod - VARHDRSZ);
	dbkit_add_action(finding, ACTION_ADD_CONSTRAINT, column->name, check,
					 retype != NULL ? psprintf("ADD %s", check) : NULL)->both_ends = retype != NULL && retype->both_ends;
}

/*
 * Judge the columns whose type is or contains one that is not wanted, and
 * advise the type that dbkit_replacement_type() knows.
 */
static void
judge_column_types(Judgement *judgement, TypeTest unwanted,
				   const char *otherwise)
{
	Oid			type = InvalidOid;
	int32		typmod = -1;
	int32		inside_typmod = -1;
	Oid			inside = InvalidOid;
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(judgement->facts))
	{
		ColumnFacts *column = lfirst(lc);
		Oid			target;
		const char *advice = otherwise;
		IdType		wanted;
		bool		holds_id;
		Finding    *finding;

		/* In wide tables one column is like the next */
		if (column->type != type || column->typmod != typmod)
		{
			inside_typmod = column->typmod;
			inside = dbkit_find_type(judgement->facts->catalogs, column->type, &inside_typmod, unwanted);
		}
		type = column->type;
		typmod = column->typmod;
		if (!OidIsValid(inside))
			continue;
		target = dbkit_replacement_type(column->type);
		if (OidIsValid(target))
			advice = dbkit_short_type_name(target);
		holds_id = dbkit_find_id_type(judgement->facts, column, &wanted);
		if (holds_id)
		{
			/* As text_id and primary_key want it, so that one ALTER serves */
			if (dbkit_has_type(column, &wanted))
				continue;
			target = wanted.type;
			advice = wanted.definition;
		}

		finding = dbkit_add_finding(judgement, column->name, "column \"%s\" is %s; use %s",
									column->name, describe_type(column, inside, inside_typmod), advice);
		finding->waits = dbkit_waits_for_key(judgement->facts, column);
		finding->other_end = dbkit_waits_for_other_end(judgement->facts, column);
		if (strcmp(column->name, "id") == 0)
		{
			if (target == INT8OID)
				dbkit_add_id_retype(finding, column);
			else if (OidIsValid(target))
				dbkit_add_action(finding, ACTION_SET_TYPE, column->name, advice, NULL)->type = target;
			continue;
		}
		if (inside == column->type && unwanted == is_enum && !OidIsValid(target))
			(void) dbkit_add_action(finding, ACTION_SET_ENUM, column->name, NULL, NULL);
		/* Ids have a length of their own */
		if (OidIsValid(target) && unwanted == is_limited_text && !holds_id)
			lift_limit(finding, column, target, advice);
		else if (OidIsValid(target))
			(void) dbkit_add_retype(finding, column, target, advice);
	}
}

static void
judge_timestamptz(Judgement *judgement)
{
	judge_column_types(judgement, is_local_timestamp, "timestamptz");
}

static void
judge_bigint(Judgement *judgement)
{
	judge_column_types(judgement, is_small_integer, "bigint");
}

/* Judge that texts have no length that a column's type says. */
static void
judge_text_type(Judgement *judgement)
{
	judge_column_types(judgement, is_limited_text, "text");
}

static void
judge_jsonb_type(Judgement *judgement)
{
	judge_column_types(judgement, is_json, "jsonb");
}

static void
judge_money_type(Judgement *judgement)
{
	judge_column_types(judgement, is_money, "numeric");
}

/* Judge the columns of native enum types. */
static void
judge_enum_columns(Judgement *judgement)
{
	judge_column_types(judgement, is_enum, "text with a foreign key to an enum table");
}

/* Judge that there is no native enum. */
static void
judge_enum_type(Judgement *judgement)
{
	const Facts *facts = judgement->facts;

	if (facts->kind == KIND_ENUM_TYPE)
		dbkit_add_finding(judgement, NULL,
						  "it is a native enum; use CREATE TABLE %s (value text PRIMARY KEY)",
						  quote_qualified_identifier(facts->schema,
													 psprintf("%s_enum", facts->name)));
	else
		judge_enum_columns(judgement);
}

/* Judge that every column has a comment. */
static void
judge_column_comment(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		const ColumnFacts *column = lfirst(lc);

		if (!dbkit_has_comment(facts, column))
			dbkit_add_finding(judgement, column->name,
							  "column \"%s\" has no comment; use COMMENT ON COLUMN %s.%s IS '...'",
							  column->name, dbkit_facts_identity(facts),
							  quote_identifier(column->name));
	}
}

/* Judge that columns which hold ids have their type. */
static void
judge_text_id(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	ListCell   *lc;

	foreach(lc, dbkit_facts_columns(facts))
	{
		ColumnFacts *column = lfirst(lc);
		IdType		wanted;
		Finding    *finding;

		if (strcmp(column->name, "id") == 0 || !dbkit_is_id_name(column->name) ||
			!dbkit_find_id_type(facts, column, &wanted) || dbkit_has_type(column, &wanted))
			continue;
		if (column->base_type == wanted.type)
			finding = dbkit_add_finding(judgement, column->name,
										"column \"%s\" has collation \"%s\"; use %s",
										column->name, dbkit_collation_name(column->collation), wanted.definition);
		else
			finding = dbkit_add_finding(judgement, column->name, "column \"%s\" is %s; use %s",
										column->name, dbkit_type_name(column->type), wanted.definition);
		dbkit_set_faults(finding, column->base_type == wanted.type ? FAULT_COLLATION : FAULT_TYPE,
						 FAULT_COLLATION);
		finding->waits = dbkit_waits_for_key(facts, column);
		finding->other_end = dbkit_waits_for_other_end(facts, column);
		(void) dbkit_add_retype(finding, column, wanted.type, wanted.definition);
	}
}

Rule		dbkit_column_rules[] = {
	{
		.id = "created_at",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "a column created_at TIMESTAMPTZ NOT NULL DEFAULT now()",
		.judge = judge_created_at
	},
	{
		.id = "updated_at",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "a column updated_at TIMESTAMPTZ NOT NULL DEFAULT now()",
		.judge = judge_updated_at
	},
	{
		.id = "storytime",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "a column storytime JSONB",
		.judge = judge_storytime
	},
	{
		.id = "timestamptz",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "no timestamp without time zone, also inside arrays, domains, ranges and composites",
		.judge = judge_timestamptz
	},
	{
		.id = "bigint",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "no smallint or integer, also inside arrays, domains, ranges and composites, serial types included",
		.judge = judge_bigint
	},
	{
		.id = "text_id",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.fixable = true,
		.level = LEVEL_ERROR,
		.description = "columns named *_id have the type of the key that they reference, or else that of ids",
		.judge = judge_text_id
	},
	{
		.id = "enum_type",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE | KIND_ENUM_TYPE,
		.needs = FACT_OBJECT | FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.level = LEVEL_ERROR,
		.description = "no native enum: neither CREATE TYPE ... AS ENUM nor a column of one",
		.judge = judge_enum_type
	},
	{
		.id = "text_type",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "no char(n) or varchar(n), also inside arrays, domains, ranges and composites",
		.judge = judge_text_type
	},
	{
		.id = "jsonb_type",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "no json, also inside arrays, domains and composites",
		.judge = judge_jsonb_type
	},
	{
		.id = "money_type",
		.phase = PHASE_STATEMENT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_FOREIGN_KEYS,
		.may_wait = true,
		.fixable = true,
		.level = LEVEL_OFF,
		.description = "no money, also inside arrays, domains, ranges and composites",
		.judge = judge_money_type
	},
	{
		.id = "column_comment",
		.phase = PHASE_COMMIT,
		.kinds = KIND_TABLE,
		.needs = FACT_COLUMNS | FACT_COMMENTS,
		.fixed_by = FACT_COMMENTS,
		.level = LEVEL_OFF,
		.description = "every column has a comment",
		.judge = judge_column_comment
	},
	{NULL}
};
