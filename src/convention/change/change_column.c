/*-------------------------------------------------------------------------
 *
 * change_column.c
 *		The steps that give a table in use a column with a value for each row,
 *		or a column another type, without a rewrite.
 *
 * The rows are filled in batches, by the blocks they are in: that needs no key, and each
 * batch is a short transaction.  A row that moves meanwhile, or is new, has its value
 * from a trigger.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "common.h"
#include "convention/change/change.h"
#include "convention/facts/catalogs.h"
#include "relation_name.h"
#include "sql.h"

/* The blocks that a batch fills: some hundred rows, which nobody else can change meanwhile */
#define BLOCKS_OF_BATCH "20"

/* Is it DEFERRABLE or the like, which belongs to the constraint before it? */
static bool
is_attribute(const Constraint *constraint)
{
	return constraint->contype >= CONSTR_ATTR_DEFERRABLE;
}

/* Return the end of the part of a column's definition that begins with a token: the next one, or the column's end. */
static int
end_of_constraint(const StatementText *text, const ColumnDef *column, int first)
{
	int			end = dbkit_end_of_part(text, first);
	int			collate = column->collClause != NULL ? dbkit_token_at(text, column->collClause->location) : -1;
	ListCell   *lc;

	foreach(lc, column->constraints)
	{
		int			other = is_attribute(lfirst(lc)) ? -1 : dbkit_token_at(text, lfirst_node(Constraint, lc)->location);

		if (other > first)
			end = Min(end, other);
	}
	return collate > first ? Min(end, collate) : end;
}

/* Does one of the constraints begin with that token? */
static bool
begins_one(const StatementText *text, const List *constraints, int token)
{
	ListCell   *lc;

	foreach(lc, constraints)
	{
		if (dbkit_token_at(text, lfirst_node(Constraint, lc)->location) == token)
			return true;
	}
	return false;
}

/* Return the definition of a column without some of its constraints. */
char *
dbkit_column_without(const StatementText *text, const ColumnDef *column, const List *others)
{
	int			first = dbkit_token_at(text, column->location);
	int			end = first < 0 ? -1 : dbkit_end_of_part(text, first);
	StringInfoData result;

	initStringInfo(&result);
	while (first >= 0 && first < end)
	{
		int			next = end_of_constraint(text, column, first);

		if (!begins_one(text, others, first))
			appendStringInfo(&result, "%s%s", result.len > 0 ? " " : "", dbkit_tokens_as_text(text, first, next));
		first = next;
	}
	return result.data;
}

/* Return a constraint of a column as it is written, without its name. */
char *
dbkit_column_part(const StatementText *text, const ColumnDef *column, const Constraint *part)
{
	int			first = dbkit_token_at(text, part->location);
	int			end = first < 0 ? -1 : end_of_constraint(text, column, first);

	/* CONSTRAINT name ... */
	return dbkit_tokens_as_text(text, part->conname != NULL ? dbkit_end_of_token(text, first + 1) : first, end);
}

/* Write how many blocks the largest part of the table has when the rows are filled. */
static char *
write_size(const LiveChange *change)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, find_all_inheritors(change->relid, NoLock, NULL))
	{
		const char *name = get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION ? dbkit_find_relation_name(lfirst_oid(lc)) : NULL;

		if (name != NULL)
			appendStringInfo(&text, "%spg_catalog.pg_relation_size(%s)", text.len > 0 ? ", " : "", quote_literal_cstr(name));
	}
	return psprintf("greatest(%s)", text.data);
}

/* Add the step that changes all rows, some blocks at a time. */
static void
add_batches(LiveChange *change, Finding *finding, const char *set, const char *where)
{
	char	   *size = write_size(change);

	dbkit_add_step(finding,
				   "DO {quotes} BEGIN\n"
				   "  FOR block IN 0 .. {size} / pg_catalog.current_setting('block_size')::bigint BY " BLOCKS_OF_BATCH " LOOP\n"
				   "    UPDATE {table} SET {set} WHERE ctid >= pg_catalog.format('(%s,0)', block)::pg_catalog.tid"
				   " AND ctid < pg_catalog.format('(%s,0)', block + " BLOCKS_OF_BATCH ")::pg_catalog.tid{where};\n"
				   "    COMMIT;\n"
				   "  END LOOP;\n"
				   "END {quotes};",
				   "quotes", dbkit_dollar_quotes("fill", psprintf("%s %s %s %s", size, change->table, set, where)),
				   "size", size, "table", change->table, "set", set, "where", where, NULL);
}

/* Add the steps that make a column NOT NULL. */
static void
add_not_null(LiveChange *change, Finding *finding, const char *column)
{
	char	   *check = dbkit_add_proof(change, finding, column);

	dbkit_add_step(finding, "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;",
				   "table", change->table, "column", quote_identifier(column), NULL);
	dbkit_add_step(finding, "ALTER TABLE {table} DROP CONSTRAINT {check};",
				   "table", change->table, "check", quote_identifier(check), NULL);
}

static Constraint *
find_constraint(const ColumnDef *column, ConstrType type)
{
	ListCell   *lc;

	foreach(lc, column->constraints)
	{
		if (lfirst_node(Constraint, lc)->contype == type)
			return lfirst(lc);
	}
	return NULL;
}

/* A column that a trigger fills while batches fill what is there */
typedef struct FilledColumn
{
	const char *table;			/* all of them quoted */
	const char *column;
	const char *value;
	const char *trigger;		/* the last one to run */
	const char *function;
} FilledColumn;

/* Say how a column is filled; false where the table is gone. */
static bool
init_filled(FilledColumn *filled, const LiveChange *change, const char *column, const char *value)
{
	const char *table = get_rel_name(change->relid);
	const char *schema = get_namespace_name(get_rel_namespace(change->relid));

	if (table == NULL || schema == NULL)
		return false;
	*filled = (FilledColumn)
	{
		change->table, quote_identifier(column), value, quote_identifier(makeObjectName("zz", column, NULL)),
			quote_qualified_identifier(schema, makeObjectName(table, column, NULL))
	};
	return true;
}

#define FILLED(filled) \
	"table", (filled)->table, "column", (filled)->column, "value", (filled)->value, \
	"trigger", (filled)->trigger, "function", (filled)->function

/*
 * Add the steps of a trigger that gives a column its value.  Without it a row that somebody changes
 * meanwhile could move to where the batches have been, and stay without one.
 */
static void
add_trigger(Finding *finding, const FilledColumn *filled, const char *events)
{
	dbkit_add_step(finding, "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS {quotes} BEGIN NEW.{column} := {value}; RETURN NEW; END {quotes};",
				   FILLED(filled), "quotes", dbkit_dollar_quotes("new", psprintf("%s %s", filled->column, filled->value)), NULL);
	dbkit_add_step(finding, "CREATE TRIGGER {trigger} BEFORE {events} EXECUTE FUNCTION {function}();",
				   FILLED(filled), "events", events, NULL);
}

/* A new column of an ALTER TABLE that rewrites the table, without the parts that have it do so */
typedef struct NewColumn
{
	LiveChange *change;
	Finding    *finding;
	const StatementText *text;
	const ColumnDef *column;
	Constraint *cause;			/* DEFAULT, GENERATED, or NULL for a serial */
	const char *type;			/* as it is written, or what a serial has */
	const char *definition;
	bool		not_null;
} NewColumn;

/* Return the type that a serial has, or NULL for what is none (transformColumnDefinition()). */
static const char *
type_of_serial(const TypeName *type)
{
	static const char *const serials[][2] = {
		{"smallserial", "smallint"}, {"serial2", "smallint"}, {"serial", "integer"},
		{"serial4", "integer"}, {"bigserial", "bigint"}, {"serial8", "bigint"},
	};

	for (size_t i = 0; list_length(type->names) == 1 && !type->pct_type && i < lengthof(serials); i++)
	{
		if (strcmp(strVal(linitial(type->names)), serials[i][0]) == 0)
			return serials[i][1];
	}
	return NULL;
}

/* Has the type a domain's constraints?  Then PostgreSQL rewrites even without a default. */
static bool
is_constrained_domain(const TypeName *type)
{
	Oid			oid = LookupTypeNameOid(NULL, type, true);

	return OidIsValid(oid) && get_typtype(oid) == TYPTYPE_DOMAIN && DomainHasConstraints(oid);
}

/* Read the definition of the new column; false where its text is not known. */
static bool
init_column(NewColumn *new)
{
	const StatementText *text = new->text;
	const ColumnDef *column = new->column;
	const char *serial = type_of_serial(column->typeName);
	Constraint *not_null = find_constraint(column, CONSTR_NOTNULL);
	int			first = dbkit_token_at(text, column->location);
	int			type = dbkit_token_at(text, column->typeName->location);
	List	   *without = NIL;
	int			end;

	if (first < 0 || type < 0)
		return false;
	if (new->cause != NULL)
		without = lappend(without, new->cause);
	if (not_null != NULL)
		without = lappend(without, not_null);
	end = end_of_constraint(text, column, first);
	new->type = serial != NULL ? serial : dbkit_tokens_as_text(text, type, end);
	/* The name and the type come first, and then what is left of the rest */
	new->definition = psprintf("%s %s%s", quote_identifier(column->colname), new->type,
							   dbkit_column_without(text, column, without) + strlen(dbkit_tokens_as_text(text, first, end)));
	new->not_null = not_null != NULL || serial != NULL || (new->cause != NULL && new->cause->contype == CONSTR_IDENTITY);
	return true;
}

/* Return what comes after some words of the part that has the column rewrite the table. */
static char *
cause_from(const NewColumn *new, int words)
{
	int			first = dbkit_token_at(new->text, new->cause->location);

	/* CONSTRAINT name ... */
	return dbkit_tokens_as_text(new->text, first + (new->cause->conname != NULL ? 2 : 0) + words,
								end_of_constraint(new->text, new->column, first));
}

/* Add the steps that fill a new column by its default, up to where it is NOT NULL. */
static void
fill_by_default(const NewColumn *new, const FilledColumn *filled)
{
	dbkit_begin_locks(new->finding);
	dbkit_add_step(new->finding, "ALTER TABLE {table} ADD COLUMN {definition}, ALTER COLUMN {column} SET DEFAULT {value};",
				   FILLED(filled), "definition", new->definition, NULL);
	add_trigger(new->finding, filled, psprintf("UPDATE ON %s FOR EACH ROW WHEN (NEW.%s IS NULL)", filled->table, filled->column));
	dbkit_end_locks(new->finding);
	add_batches(new->change, new->finding, psprintf("%s = DEFAULT", filled->column), psprintf(" AND %s IS NULL", filled->column));
	dbkit_begin_locks(new->finding);
	if (new->not_null)
		add_not_null(new->change, new->finding, new->column->colname);
}

/* Add the steps that drop what has filled a column. */
static void
drop_trigger(const NewColumn *new, const FilledColumn *filled)
{
	dbkit_add_step(new->finding, "DROP TRIGGER {trigger} ON {table};", FILLED(filled), NULL);
	dbkit_end_locks(new->finding);
	dbkit_add_step(new->finding, "DROP FUNCTION {function}();", FILLED(filled), NULL);
}

static bool
add_default(const NewColumn *new)
{
	FilledColumn filled;

	if (!init_filled(&filled, new->change, new->column->colname, cause_from(new, 1)))
		return false;
	fill_by_default(new, &filled);
	drop_trigger(new, &filled);
	return true;
}

/*
 * Return the name that a serial gives its sequence: the last one that is taken, as the statement
 * that is about to rewrite the table has made it.
 */
static char *
name_of_serial(const char *table, const char *column, Oid namespace)
{
	char	   *next = makeObjectName(table, column, "seq");
	char	   *result = next;

	for (int pass = 1; OidIsValid(get_relname_relid(next, namespace)); pass++)
	{
		result = next;
		next = makeObjectName(table, column, psprintf("seq%d", pass));
	}
	return result;
}

/* Add the step that makes a sequence which all who write to the table can use, and return its name. */
static char *
add_sequence(const NewColumn *new, const char *options)
{
	Oid			namespace = get_rel_namespace(new->change->relid);
	const char *table = get_rel_name(new->change->relid);
	const char *schema = get_namespace_name(namespace);
	char	   *name;

	if (table == NULL || schema == NULL)
		return NULL;
	name = quote_qualified_identifier(schema, new->cause == NULL ? name_of_serial(table, new->column->colname, namespace) :
									  ChooseRelationName(table, new->column->colname, "fill", namespace, false));
	dbkit_add_step(new->finding, "CREATE SEQUENCE {name} AS {type}{options};", "name", name, "type", new->type, "options", options, NULL);
	dbkit_add_step(new->finding, "GRANT USAGE ON SEQUENCE {name} TO PUBLIC;", "name", name, NULL);
	return name;
}

/* Write the default that gives the next value of a sequence. */
static char *
write_nextval(const char *sequence)
{
	return psprintf("pg_catalog.nextval(%s)", quote_literal_cstr(sequence));
}

/* Give the sequence the owner of the table, as that of a serial has to have. */
static void
add_owner(const NewColumn *new, const char *sequence)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(new->change->relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (owner != GetUserId())
		dbkit_add_step(new->finding, "ALTER SEQUENCE {name} OWNER TO {owner};",
					   "name", sequence, "owner", quote_identifier(GetUserNameFromId(owner, false)), NULL);
}

/* Add the steps of a serial, which is a default and a sequence that the column owns. */
static bool
add_serial(const NewColumn *new)
{
	char	   *sequence = add_sequence(new, "");
	FilledColumn filled;

	if (sequence == NULL || !init_filled(&filled, new->change, new->column->colname, write_nextval(sequence)))
		return false;
	fill_by_default(new, &filled);
	drop_trigger(new, &filled);
	dbkit_add_step(new->finding, "REVOKE USAGE ON SEQUENCE {name} FROM PUBLIC;", "name", sequence, NULL);
	add_owner(new, sequence);
	dbkit_add_step(new->finding, "ALTER SEQUENCE {name} OWNED BY {table}.{column};", FILLED(&filled), "name", sequence, NULL);
	return true;
}

/* Add the steps of an identity, whose sequence goes on where the one has ended that filled the column. */
static bool
add_identity(const NewColumn *new)
{
	char	   *options = cause_from(new, new->cause->generated_when == ATTRIBUTE_IDENTITY_ALWAYS ? 4 : 5);
	char	   *sequence;
	FilledColumn filled;
	ListCell   *lc;

	foreach(lc, new->cause->options)
	{
		/* SEQUENCE NAME is for pg_dump */
		if (strcmp(lfirst_node(DefElem, lc)->defname, "sequence_name") == 0)
			return false;
	}
	/* In brackets */
	options = *options == '\0' ? options : psprintf(" %s", pnstrdup(options + 1, strlen(options) - 2));
	sequence = add_sequence(new, options);
	if (sequence == NULL || !init_filled(&filled, new->change, new->column->colname, write_nextval(sequence)))
		return false;
	fill_by_default(new, &filled);
	dbkit_add_step(new->finding, "BEGIN;\nALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT, ALTER COLUMN {column} ADD {identity};\n"
				   "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence({quoted table}, {name}), {value});\nCOMMIT;",
				   FILLED(&filled), "identity", cause_from(new, 0), "quoted table", quote_literal_cstr(filled.table),
				   "name", quote_literal_cstr(new->column->colname), NULL);
	drop_trigger(new, &filled);
	dbkit_add_step(new->finding, "DROP SEQUENCE {name};", "name", sequence, NULL);
	return true;
}

/* Return what the new column's value is: that of the old one, or what an expression says of the row. */
static char *
write_value(const LiveChange *change, const char *column, const char *expression)
{
	if (*expression == '\0')
		return psprintf("NEW.%s", quote_identifier(column));
	return psprintf("(SELECT %s FROM (SELECT NEW.*) AS %s)", expression, quote_identifier(get_rel_name(change->relid)));
}

/*
 * Add the steps of a column that a trigger keeps up to date, in place of a generated
 * one: PostgreSQL cannot make a column that is there a generated one.
 */
static bool
add_generated(const NewColumn *new)
{
	/* (expression) STORED */
	char	   *expression = cause_from(new, 3);
	FilledColumn filled;

	*(strrchr(expression, ')') + 1) = '\0';
	if (get_rel_name(new->change->relid) == NULL ||
		!init_filled(&filled, new->change, new->column->colname, write_value(new->change, new->column->colname, expression)))
		return false;
	dbkit_add_statement(new->finding, RISK_SAFE,
						"-- Only a rewrite makes a stored generated column. In its place, a column that a trigger keeps up to date:");
	dbkit_begin_locks(new->finding);
	dbkit_add_step(new->finding, "ALTER TABLE {table} ADD COLUMN {definition};", FILLED(&filled), "definition", new->definition, NULL);
	add_trigger(new->finding, &filled, psprintf("INSERT OR UPDATE ON %s FOR EACH ROW", filled.table));
	dbkit_end_locks(new->finding);
	add_batches(new->change, new->finding, psprintf("%s = NULL", filled.column), "");
	if (!new->not_null)
		return true;
	dbkit_begin_locks(new->finding);
	add_not_null(new->change, new->finding, new->column->colname);
	dbkit_end_locks(new->finding);
	return true;
}

/* What has a new column rewrite the table */
static const struct
{
	ConstrType	type;
	bool		(*add_steps) (const NewColumn *new);
}			causes[] = {
	{CONSTR_GENERATED, add_generated},
	{CONSTR_IDENTITY, add_identity},
	{CONSTR_DEFAULT, add_default},
};

/* Add the steps of a new column that has a value of its own for each row; false where there are none. */
bool
dbkit_add_column_steps(LiveChange *change, Finding *finding, const StatementText *text, const ColumnDef *column)
{
	NewColumn	new = {.change = change,.finding = finding,.text = text,.column = column};

	if (is_constrained_domain(column->typeName))
		return false;
	for (size_t i = 0; i < lengthof(causes); i++)
	{
		new.cause = find_constraint(column, causes[i].type);
		if (new.cause != NULL)
			return !dbkit_makes_virtual(new.cause) && init_column(&new) && causes[i].add_steps(&new);
	}
	return type_of_serial(column->typeName) != NULL && init_column(&new) && add_serial(&new);
}

/* What a column has that another one in its place has to have */
typedef struct OldColumn
{
	bool		not_null;
	char	   *value;			/* its default, or NULL */
	List	   *dependents;		/* char *, what else depends on it */
} OldColumn;

/* Note something that depends on the column. */
static void
note_dependent(OldColumn *old, const ObjectAddress *object)
{
	HeapTuple	constraint = object->classId == ConstraintRelationId ?
	dbkit_catalog_row(&dbkit_now, CATALOG_CONSTRAINT, object->objectId) : NULL;
	char	   *description;

	if (object->classId == AttrDefaultRelationId ||
		(constraint != NULL && ((Form_pg_constraint) GETSTRUCT(constraint))->contype == DBKIT_CONSTRAINT_NOTNULL))
		return;
	description = getObjectDescription(object, true);
	if (description != NULL && !dbkit_list_has_string(old->dependents, description))
		old->dependents = lappend(old->dependents, description);
}

static void
read_old_column(const LiveChange *change, AttrNumber attnum, OldColumn *old)
{
	Relation	rel = try_relation_open(change->relid, AccessShareLock);
	ListCell   *lc;

	*old = (OldColumn)
	{
		false, NULL, NIL
	};
	if (rel == NULL)
		return;
	old->not_null = TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attnotnull;
	for (int i = 0; rel->rd_att->constr != NULL && i < rel->rd_att->constr->num_defval; i++)
	{
		const AttrDefault *value = &rel->rd_att->constr->defval[i];

		if (value->adnum == attnum)
			old->value = TextDatumGetCString(DirectFunctionCall2(pg_get_expr, CStringGetTextDatum(value->adbin),
																 ObjectIdGetDatum(change->relid)));
	}
	relation_close(rel, AccessShareLock);
	foreach(lc, dbkit_catalog_dependents(&dbkit_now, RelationRelationId, change->relid, attnum, false))
		note_dependent(old, lfirst(lc));

	/* In an order that VACUUM of pg_depend does not change */
	list_sort(old->dependents, dbkit_compare_strings);
}

/* Append what the new column does not get by itself, in lines of a comment. */
static void
add_dependents(Finding *finding, const OldColumn *old)
{
	ListCell   *lc;

	if (old->dependents == NIL)
		return;
	dbkit_add_statement(finding, RISK_SAFE, "-- Before the next step, make these for the new column, too: they go with the old one.");
	foreach(lc, old->dependents)
	{
		char	   *line = pstrdup(lfirst(lc));

		for (char *c = line; *c; c++)
		{
			if (*c == '\n' || *c == '\r')
				*c = ' ';
		}
		dbkit_add_statement(finding, RISK_SAFE, psprintf("--   %s", line));
	}
}

/* Return where the type begins in ALTER [COLUMN] name [SET DATA] TYPE ..., or -1. */
static int
find_type(const StatementText *text, int first, int end)
{
	for (int i = first; i < end - 1; i++)
	{
		/* A column may have that name: TYPE follows upon a name */
		if (dbkit_is_word(text, i, "type") && i >= first + 2 && !dbkit_is_word(text, i - 1, "column"))
			return i + 1;
	}
	return -1;
}

/* Return where USING is in it, or its end. */
static int
find_using(const StatementText *text, int first, int end)
{
	int			depth = 0;

	for (int i = first; i < end; i++)
	{
		depth += text->tokens[i].code == '(';
		depth -= text->tokens[i].code == ')';

		if (depth == 0 && dbkit_is_word(text, i, "using"))
			return i;
	}
	return end;
}

/*
 * Add the steps that give a column another type: a new column, which a trigger keeps
 * up to date, and which takes the place of the old one when all rows have it.
 */
bool
dbkit_add_retype_steps(LiveChange *change, Finding *finding, const StatementText *text,
					   int first, const AlterTableCmd *action)
{
	int			end = dbkit_end_of_part(text, first);
	int			type = find_type(text, first, end);
	int			using = type < 0 ? end : find_using(text, type, end);
	AttrNumber	attnum = get_attnum(change->relid, action->name);
	char	   *new = makeObjectName(action->name, "new", NULL);
	FilledColumn filled;
	const char *old_name = quote_identifier(action->name);
	OldColumn	old;

	if (type < 0 || attnum == InvalidAttrNumber || get_rel_name(change->relid) == NULL ||
		!init_filled(&filled, change, new, write_value(change, action->name, dbkit_tokens_as_text(text, using + 1, end))))
		return false;
	read_old_column(change, attnum, &old);
	dbkit_begin_locks(finding);
	dbkit_add_step(finding, "ALTER TABLE {table} ADD COLUMN {column} {type};",
				   FILLED(&filled), "type", dbkit_tokens_as_text(text, type, using), NULL);
	add_trigger(finding, &filled, psprintf("INSERT OR UPDATE ON %s FOR EACH ROW", filled.table));
	dbkit_end_locks(finding);
	add_batches(change, finding, psprintf("%s = %s", old_name, old_name), "");
	dbkit_begin_locks(finding);
	if (old.not_null)
		add_not_null(change, finding, new);
	add_dependents(finding, &old);
	dbkit_add_step(finding, "BEGIN;\nDROP TRIGGER {trigger} ON {table};\nALTER TABLE {table} DROP COLUMN {old};\n"
				   "ALTER TABLE {table} RENAME COLUMN {column} TO {old};", FILLED(&filled), "old", old_name, NULL);
	if (old.value != NULL)
		dbkit_add_step(finding, "ALTER TABLE {table} ALTER COLUMN {old} SET DEFAULT {default};",
					   FILLED(&filled), "old", old_name, "default", old.value, NULL);
	dbkit_add_step(finding, "COMMIT;", NULL);
	dbkit_end_locks(finding);
	dbkit_add_step(finding, "DROP FUNCTION {function}();", FILLED(&filled), NULL);
	return true;
}
