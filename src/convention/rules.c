/*-------------------------------------------------------------------------
 *
 * rules.c
 *		The schema conventions: a table of rules, each from facts to findings.
 *
 * To add a rule, add one function and one row to dbkit_rules.  Its setting
 * dbkit.rule.<id>, its row in the view dbkit.rules and its part in
 * dbkit.check() follow from the row.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "dbkit.h"
#include "expression.h"
#include "registry.h"
#include "rules.h"
#include "types.h"

typedef enum IdStyle
{
	ID_PREFIXED,
	ID_UUID
} IdStyle;

static int	id_style = ID_PREFIXED;

static const struct config_enum_entry id_style_options[] = {
	{"prefixed", ID_PREFIXED, false},
	{"uuid", ID_UUID, false},
	{NULL, 0, false}
};

static const struct config_enum_entry level_options[] = {
	{"off", LEVEL_OFF, false},
	{"warning", LEVEL_WARNING, false},
	{"error", LEVEL_ERROR, false},
	{NULL, 0, false}
};

/* What the columns of an id are to be, for messages and for fixes. */
#define ID_TYPE		"text COLLATE \"C\""
#define CLOCK_COLUMN	"timestamptz NOT NULL DEFAULT now()"

/* ---- findings ---- */

static Finding *add_finding(Judgement *judgement, const char *column,
							const char *format,...) pg_attribute_printf(3, 4);

/* Add a finding about a column, or about the whole object for NULL. */
static Finding *
add_finding(Judgement *judgement, const char *column, const char *format,...)
{
	Finding    *finding = palloc0(sizeof(Finding));
	StringInfoData problem;

	initStringInfo(&problem);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&problem, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&problem, needed);
	}

	finding->rule = judgement->rule;
	finding->facts = judgement->facts;
	finding->column = column;
	finding->problem = problem.data;
	judgement->findings = lappend(judgement->findings, finding);
	return finding;
}

/* Add an action of the ALTER TABLE that mends the finding. */
static void
add_alter(Finding *finding, char *action)
{
	finding->alter = lappend(finding->alter, action);
}

/* Would an ALTER TABLE of this table be allowed to add or retype columns? */
static bool
columns_alterable(const Facts *facts)
{
	return !facts->typed;
}

/* Add ADD COLUMN as the fix. */
static void
add_column(Finding *finding, const char *column, const char *definition)
{
	if (columns_alterable(finding->facts))
		add_alter(finding, psprintf("ADD COLUMN %s %s", quote_identifier(column),
									definition));
}

/* Add ALTER COLUMN ... TYPE as the fix, where PostgreSQL can convert. */
static void
add_retype(Finding *finding, const ColumnFacts *column, Oid target,
		   const char *definition)
{
	Oid			source = column->type;
	const char *name = quote_identifier(column->name);

	if (column->inherited || !columns_alterable(finding->facts))
		return;
	if (can_coerce_type(1, &source, &target, COERCION_ASSIGNMENT))
	{
		const char *zone = column->base_type == TIMESTAMPOID &&
			target == TIMESTAMPTZOID ?
			psprintf(" USING %s AT TIME ZONE 'UTC'", name) : "";

		add_alter(finding, psprintf("ALTER COLUMN %s TYPE %s%s", name, definition, zone));
	}
}

/* Say what a column's type is, with the offending type inside it. */
static char *
describe_type(const ColumnFacts *column, Oid inside)
{
	if (column->type == inside)
		return format_type_be(column->type);
	return psprintf("%s, which contains %s", format_type_be(column->type),
					format_type_be(inside));
}

/* ---- ids ---- */

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t		length = strlen(name);
	size_t		suffix_length = strlen(suffix);

	return length >= suffix_length &&
		strcmp(name + length - suffix_length, suffix) == 0;
}

/* Is it a column that holds an id: id itself, *_id or *_extid? */
static bool
holds_id(const ColumnFacts *column)
{
	return strcmp(column->name, "id") == 0 ||
		has_suffix(column->name, "_id") || has_suffix(column->name, "_extid");
}

static bool
is_c_text(const ColumnFacts *column)
{
	return column->base_type == TEXTOID && column->collation == C_COLLATION_OID;
}

/* Return the names of the key's columns, quoted, separated by commas. */
static char *
key_columns(const Facts *facts)
{
	StringInfoData names;
	ListCell   *attnum;
	ListCell   *lc;

	initStringInfo(&names);
	foreach(attnum, facts->key)
	{
		foreach(lc, facts->columns)
		{
			ColumnFacts *column = lfirst(lc);

			if (column->attnum == lfirst_int(attnum))
				appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
								 quote_identifier(column->name));
		}
	}
	return names.data;
}

/* Is the column the primary key, or on a partitioned table a part of it? */
static bool
is_key(const Facts *facts, const ColumnFacts *column)
{
	return list_member_int(facts->key, column->attnum) &&
		(facts->partitioned || list_length(facts->key) == 1);
}

/* Begin a further clause of what is wrong. */
static void
add_clause(StringInfo wrong)
{
	if (wrong->len > 0)
		appendStringInfoString(wrong, ", ");
}

/* Say what is wrong with the primary key, which is to be on that column. */
static void
check_key(StringInfo wrong, const Facts *facts, const ColumnFacts *column)
{
	if (facts->key == NIL)
	{
		add_clause(wrong);
		appendStringInfoString(wrong, "there is no primary key");
	}
	else if (!is_key(facts, column))
	{
		add_clause(wrong);
		appendStringInfo(wrong, "the primary key is (%s)", key_columns(facts));
	}
}

/* Say that a column is of another type. */
static void
check_type(StringInfo wrong, const ColumnFacts *column, Oid type)
{
	if (column->base_type != type)
	{
		add_clause(wrong);
		appendStringInfo(wrong, "column \"%s\" is %s", column->name,
						 format_type_be(column->type));
	}
}

static void
judge_primary_key(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	const char *wanted = id_style == ID_UUID ?
		"uuid PRIMARY KEY DEFAULT gen_random_uuid()" : ID_TYPE " PRIMARY KEY";
	StringInfoData wrong;

	initStringInfo(&wrong);
	if (id == NULL)
		appendStringInfoString(&wrong, "there is no column \"id\"");
	else
	{
		check_key(&wrong, facts, id);
		check_type(&wrong, id, id_style == ID_UUID ? UUIDOID : TEXTOID);
		if (id->base_type == UUIDOID && id_style == ID_UUID &&
			!dbkit_generates_uuid(id->default_expr))
		{
			add_clause(&wrong);
			appendStringInfoString(&wrong, "column \"id\" has no default that generates a uuid");
		}
		if (id->base_type == TEXTOID && id_style == ID_PREFIXED &&
			id->collation != C_COLLATION_OID)
		{
			add_clause(&wrong);
			appendStringInfo(&wrong, "column \"id\" has collation \"%s\"",
							 get_collation_name(id->collation));
		}
	}
	if (wrong.len > 0)
		add_finding(judgement, id ? "id" : NULL, "%s; use id %s", wrong.data, wanted);
}

static bool
is_convention_prefix(const char *prefix)
{
	size_t		length = strlen(prefix);

	return (length == 2 || length == 3) &&
		strspn(prefix, "abcdefghijklmnopqrstuvwxyz") == length;
}

static bool
list_has_string(const List *list, const char *string)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		if (strcmp(lfirst(lc), string) == 0)
			return true;
	}
	return false;
}

/*
 * Suggest a prefix that no table has: three letters of the table's name in
 * order, beginning with the first.  NULL when all of them are taken.
 */
static char *
suggest_prefix(Judgement *judgement)
{
	char		letters[NAMEDATALEN + 3];
	int			length = 0;

	for (const char *c = judgement->facts->name; *c; c++)
	{
		char		lower = (*c >= 'A' && *c <= 'Z') ? *c - 'A' + 'a' : *c;

		if (lower >= 'a' && lower <= 'z')
			letters[length++] = lower;
	}
	while (length < 3)
		letters[length++] = 'x';

	for (int second = 1; second < length - 1; second++)
	{
		for (int third = second + 1; third < length; third++)
		{
			char	   *prefix = psprintf("%c%c%c", letters[0], letters[second],
										  letters[third]);

			if (!OidIsValid(dbkit_registry_holder(prefix)) &&
				!list_has_string(judgement->suggested, prefix))
				return prefix;
		}
	}
	return NULL;
}

/*
 * Return the prefix that a fix of the default or the CHECK is to use: what the
 * other of the two says, or a suggestion.
 */
static char *
prefix_for_fix(Judgement *judgement)
{
	ListCell   *lc;

	if (judgement->facts->prefix != NULL)
		return judgement->facts->prefix;
	foreach(lc, judgement->findings)
	{
		Finding    *finding = lfirst(lc);

		/* The default's finding has suggested one; the CHECK agrees with it */
		if (finding->facts == judgement->facts &&
			strcmp(finding->rule->id, "id_default") == 0)
			return judgement->suggested ? llast(judgement->suggested) : NULL;
	}
	return suggest_prefix(judgement);
}

static void
judge_id_default(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;

	if (id_style == ID_UUID || id == NULL || facts->default_prefix != NULL)
		return;

	prefix = prefix_for_fix(judgement);
	wanted = psprintf("DEFAULT %s(%s)", dbkit_function_name("generate_id"),
					  quote_literal_cstr(prefix ? prefix : "..."));
	if (id->default_expr == NULL)
		finding = add_finding(judgement, "id", "column \"id\" has no default; use %s",
							  wanted);
	else
		finding = add_finding(judgement, "id",
							  "the default of column \"id\" is not dbkit's generate_id() with a constant prefix; use %s",
							  wanted);
	if (prefix == NULL)
		return;
	if (!list_has_string(judgement->suggested, prefix))
		judgement->suggested = lappend(judgement->suggested, prefix);
	if (id->base_type == TEXTOID)
		add_alter(finding, psprintf("ALTER COLUMN id SET %s", wanted));
}

static void
judge_id_check(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *id = dbkit_facts_column(facts, "id");
	char	   *prefix;
	char	   *wanted;
	Finding    *finding;

	if (id_style == ID_UUID || id == NULL)
		return;
	if (facts->check_prefixes != NIL &&
		(facts->default_prefix == NULL ||
		 list_has_string(facts->check_prefixes, facts->default_prefix)))
		return;

	prefix = prefix_for_fix(judgement);
	wanted = psprintf("CHECK (id LIKE %s)",
					  quote_literal_cstr(psprintf("%s_%%", prefix ? prefix : "...")));
	if (facts->check_prefixes == NIL)
		finding = add_finding(judgement, "id",
							  "no CHECK pins the prefix of column \"id\"; use %s", wanted);
	else
		finding = add_finding(judgement, "id",
							  "the CHECK on column \"id\" pins the prefix \"%s\", its default makes \"%s\"; use %s",
							  (char *) linitial(facts->check_prefixes),
							  facts->default_prefix, wanted);
	if (prefix == NULL || id->base_type != TEXTOID)
		return;
	if (facts->check_prefixes != NIL)
	{
		char	   *name = linitial(facts->check_names);

		if (name == NULL)
			return;				/* the domain's to change */
		add_alter(finding, psprintf("DROP CONSTRAINT %s", quote_identifier(name)));
	}
	add_alter(finding, psprintf("ADD %s", wanted));
}

static void
judge_id_prefix(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	Oid			holder;

	if (id_style == ID_UUID || facts->prefix == NULL)
		return;
	if (!is_convention_prefix(facts->prefix))
		add_finding(judgement, "id", "prefix \"%s\" is not 2 or 3 lower-case letters; use one that is",
					facts->prefix);

	holder = dbkit_registry_holder(facts->prefix);
	if (OidIsValid(holder) && holder != facts->objid)
	{
		char	   *suggestion = suggest_prefix(judgement);

		add_finding(judgement, "id", "prefix \"%s\" belongs to table \"%s.%s\"; use another%s",
					facts->prefix,
					get_namespace_name(get_rel_namespace(holder)),
					get_rel_name(holder),
					suggestion ? psprintf(", such as \"%s\"", suggestion) : "");
	}
}

static void
judge_text_id(Judgement *judgement)
{
	ListCell   *lc;

	foreach(lc, judgement->facts->columns)
	{
		ColumnFacts *column = lfirst(lc);
		Finding    *finding;

		if (!holds_id(column) || strcmp(column->name, "id") == 0 || is_c_text(column))
			continue;
		if (id_style == ID_UUID &&
			(column->base_type == UUIDOID || column->base_type == TEXTOID))
			continue;

		if (id_style == ID_UUID)
			finding = add_finding(judgement, column->name,
								  "column \"%s\" is %s; use uuid or text",
								  column->name, format_type_be(column->type));
		else if (column->base_type == TEXTOID)
			finding = add_finding(judgement, column->name,
								  "column \"%s\" has collation \"%s\"; use " ID_TYPE,
								  column->name, get_collation_name(column->collation));
		else
			finding = add_finding(judgement, column->name,
								  "column \"%s\" is %s; use " ID_TYPE,
								  column->name, format_type_be(column->type));
		add_retype(finding, column, TEXTOID, ID_TYPE);
	}
}

/* ---- columns that every table has ---- */

/* Judge a column that has to be TIMESTAMPTZ NOT NULL with a clock default. */
static void
judge_clock_column(Judgement *judgement, const char *name)
{
	const ColumnFacts *column = dbkit_facts_column(judgement->facts, name);
	StringInfoData wrong;
	Finding    *finding;
	bool		clock;

	if (column == NULL)
	{
		finding = add_finding(judgement, name, "there is no column \"%s\"; use %s %s",
							  name, name, CLOCK_COLUMN);
		add_column(finding, name, CLOCK_COLUMN);
		return;
	}

	clock = dbkit_is_clock(column->default_expr);
	initStringInfo(&wrong);
	check_type(&wrong, column, TIMESTAMPTZOID);
	if (!column->not_null)
	{
		add_clause(&wrong);
		appendStringInfo(&wrong, "column \"%s\" may be null", name);
	}
	if (!clock && (column->default_expr == NULL || column->base_type == TIMESTAMPTZOID))
	{
		add_clause(&wrong);
		appendStringInfo(&wrong, "column \"%s\" has no default that is the current time", name);
	}
	if (wrong.len == 0)
		return;

	finding = add_finding(judgement, name, "%s; use %s", wrong.data, CLOCK_COLUMN);
	if (column->base_type != TIMESTAMPTZOID)
	{
		add_retype(finding, column, TIMESTAMPTZOID, "timestamptz");
		if (finding->alter == NIL)
			return;				/* cannot be converted */
	}
	if (!column->not_null)
		add_alter(finding, psprintf("ALTER COLUMN %s SET NOT NULL", name));
	if (!clock)
		add_alter(finding, psprintf("ALTER COLUMN %s SET DEFAULT now()", name));
}

static void
judge_created_at(Judgement *judgement)
{
	judge_clock_column(judgement, "created_at");
}

static void
judge_updated_at(Judgement *judgement)
{
	judge_clock_column(judgement, "updated_at");
}

static void
judge_storytime(Judgement *judgement)
{
	const ColumnFacts *column = dbkit_facts_column(judgement->facts, "storytime");
	Finding    *finding;

	if (column == NULL)
	{
		finding = add_finding(judgement, "storytime",
							  "there is no column \"storytime\"; use storytime jsonb");
		add_column(finding, "storytime", "jsonb");
	}
	else if (column->base_type != JSONBOID)
	{
		finding = add_finding(judgement, "storytime",
							  "column \"storytime\" is %s; use jsonb",
							  format_type_be(column->type));
		add_retype(finding, column, JSONBOID, "jsonb");
	}
}

/* ---- types of columns ---- */

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
	return type_is_enum(type);
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

	foreach(lc, judgement->facts->columns)
	{
		ColumnFacts *column = lfirst(lc);
		Oid			inside = dbkit_find_type(column->type, unwanted);
		Oid			target = dbkit_replacement_type(column->type);
		const char *advice = otherwise;
		Finding    *finding;

		if (!OidIsValid(inside))
			continue;
		if (OidIsValid(target))
			advice = dbkit_short_type_name(target);
		if (holds_id(column) && id_style == ID_PREFIXED)
		{
			/* text_id and primary_key want the same, so that one ALTER serves */
			target = TEXTOID;
			advice = ID_TYPE;
		}

		finding = add_finding(judgement, column->name, "column \"%s\" is %s; use %s",
							  column->name, describe_type(column, inside), advice);
		if (!OidIsValid(target) || strcmp(column->name, "id") == 0)
			continue;
		add_retype(finding, column, target, advice);
		if (finding->alter != NIL && OidIsValid(column->sequence) && target == INT8OID)
			finding->statement = psprintf("ALTER SEQUENCE %s AS bigint;",
										  quote_qualified_identifier(get_namespace_name(get_rel_namespace(column->sequence)),
																	 get_rel_name(column->sequence)));
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

/* ---- enums ---- */

static void
judge_enum_type(Judgement *judgement)
{
	const Facts *facts = judgement->facts;

	if (facts->kind == KIND_ENUM_TYPE)
		add_finding(judgement, NULL,
					"it is a native enum; use CREATE TABLE %s (value text PRIMARY KEY)",
					quote_qualified_identifier(facts->schema,
											   psprintf("%s_enum", facts->name)));
	else
		judge_column_types(judgement, is_enum,
						   "text with a foreign key to an enum table");
}

static void
judge_enum_table(Judgement *judgement)
{
	const Facts *facts = judgement->facts;
	const ColumnFacts *value = dbkit_facts_column(facts, "value");
	StringInfoData wrong;

	initStringInfo(&wrong);
	if (value == NULL)
		appendStringInfoString(&wrong, "there is no column \"value\"");
	else
	{
		check_key(&wrong, facts, value);
		check_type(&wrong, value, TEXTOID);
	}
	if (wrong.len > 0)
		add_finding(judgement, value ? "value" : NULL,
					"%s; use value text PRIMARY KEY", wrong.data);
}

/* ---- views ---- */

static void
judge_view_security_invoker(Judgement *judgement)
{
	Finding    *finding;

	if (judgement->facts->security_invoker)
		return;
	finding = add_finding(judgement, NULL,
						  "it reads its tables with the rights of its owner; use WITH (security_invoker = true)");
	finding->statement = psprintf("ALTER VIEW %s SET (security_invoker = true);",
								  dbkit_facts_identity(judgement->facts));
}

/* ---- the table of rules ---- */

Rule		dbkit_rules[] = {
	{
		"primary_key", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, false,
		"primary key on exactly id, TEXT COLLATE \"C\" (on a partitioned table: one that includes id)",
		judge_primary_key
	},
	{
		"id_default", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"id has DEFAULT generate_id('...') with a constant prefix",
		judge_id_default
	},
	{
		"id_check", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"a CHECK pins the prefix of id, the same as the default's",
		judge_id_check
	},
	{
		"id_prefix", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, false,
		"the prefix is 2 or 3 lower-case letters, and no other table in the database has it",
		judge_id_prefix
	},
	{
		"created_at", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"a column created_at TIMESTAMPTZ NOT NULL DEFAULT now()",
		judge_created_at
	},
	{
		"updated_at", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"a column updated_at TIMESTAMPTZ NOT NULL DEFAULT now()",
		judge_updated_at
	},
	{
		"storytime", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"a column storytime JSONB",
		judge_storytime
	},
	{
		"timestamptz", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"no timestamp without time zone, also inside arrays, domains, ranges and composites",
		judge_timestamptz
	},
	{
		"bigint", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"no smallint or integer, also inside arrays, domains, ranges and composites, serial types included",
		judge_bigint
	},
	{
		"text_id", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE, true,
		"columns named *_id and *_extid are TEXT COLLATE \"C\"",
		judge_text_id
	},
	{
		"enum_type", PHASE_STATEMENT, LEVEL_ERROR, KIND_TABLE | KIND_ENUM_TYPE, false,
		"no native enum: neither CREATE TYPE ... AS ENUM nor a column of one",
		judge_enum_type
	},
	{
		"enum_table", PHASE_STATEMENT, LEVEL_ERROR, KIND_ENUM_TABLE, false,
		"a table *_enum is value TEXT PRIMARY KEY, and other columns only beside it",
		judge_enum_table
	},
	{
		"view_security_invoker", PHASE_STATEMENT, LEVEL_ERROR, KIND_VIEW, true,
		"views have security_invoker = true",
		judge_view_security_invoker
	},
};

const int	dbkit_n_rules = lengthof(dbkit_rules);

/* Define the settings of this module. */
void
dbkit_rules_init(void)
{
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		Rule	   *rule = &dbkit_rules[i];

		/*
		 * Each rule has a setting of its own, so that an administrator can turn
		 * one off for a database, a role or the statement of a migration.
		 */
		DefineCustomEnumVariable(psprintf("dbkit.rule.%s", rule->id),
								 psprintf("Level of the schema convention: %s.",
										  rule->description),
								 NULL,
								 &rule->level,
								 rule->default_level,
								 level_options,
								 PGC_SUSET,
								 0,
								 NULL, NULL, NULL);
	}

	/* For teams that have UUID keys and want everything else. */
	DefineCustomEnumVariable("dbkit.id_style",
							 "Whether ids are prefixed text or UUIDs.",
							 NULL,
							 &id_style,
							 ID_PREFIXED,
							 id_style_options,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
}

/* Add what breaks the rules in force to the judgement's findings. */
void
dbkit_judge(Judgement *judgement, const Facts *facts)
{
	judgement->facts = facts;
	for (int i = 0; i < dbkit_n_rules; i++)
	{
		judgement->rule = &dbkit_rules[i];
		if (judgement->rule->level != LEVEL_OFF &&
			(judgement->rule->kinds & facts->kind))
			judgement->rule->judge(judgement);
	}
}

/* Return the name of a level as the settings spell it. */
const char *
dbkit_level_name(int level)
{
	return level_options[level].name;
}

/* Return the name of a phase. */
const char *
dbkit_phase_name(RulePhase phase)
{
	Assert(phase == PHASE_STATEMENT);
	return "statement";
}
