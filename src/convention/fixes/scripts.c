/*-------------------------------------------------------------------------
 *
 * scripts.c
 *		Write the scripts that fix findings.
 *
 * A table is changed by one ALTER TABLE, so that it is rewritten once.  Of a large one, what
 * others would wait for is done in steps that let them go on.  What depends on other tables
 * comes after all of them, and what changes a name that other scripts use, last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/facts/facts.h"
#include "convention/facts/read.h"
#include "convention/fixes/fixes.h"
#include "convention/rules/foreign_keys.h"
#include "convention/rules/size_limits.h"
#include "relation_name.h"
#include "sql.h"

typedef enum Step
{
	STEP_CHANGE,				/* all that can be done in one transaction */
	STEP_ONLINE,				/* what takes long on a large table */
	STEP_REFERENCE,				/* new foreign keys */
	STEP_RENAME,
	N_STEPS
} Step;

/* A script that is being written */
typedef struct Script
{
	List	   *reasons;		/* Finding * */
	List	   *statements;		/* char *, each with its semicolon */
	bool		in_utc;			/* TimeZone has to be UTC */
} Script;

typedef struct Writer
{
	List	   *scripts[N_STEPS];	/* char *, those that are written */
	List	   *keys;			/* char *, unique indexes that are written */
	const Fixed *object;		/* what is being fixed */
	const Finding *finding;
	const Action *action;
	StringInfoData alter;		/* what its ALTER TABLE does so far */
	List	   *names;			/* char *, of constraints that are added */
	Script		change;			/* the one of the first step */
} Writer;

/* Append a line of a comment.  Nothing in it may end the comment: names are what their owners like. */
static void
append_comment(StringInfo text, char *line)
{
	for (char *c = line; *c; c++)
	{
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	}
	appendStringInfo(text, "-- %s\n", line);
}

/* Return the statements of a script as a text. */
static char *
join_statements(const Script *script)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	if (script->in_utc)
		appendStringInfoString(&text, "SET LOCAL timezone = 'UTC';");
	foreach(lc, script->statements)
		dbkit_append_line(&text, lfirst(lc));
	return text.data;
}

/*
 * Add a script that is complete.  As another role than the caller, or with another time zone,
 * it goes through dbkit.run_as(), which leaves neither behind.
 */
static void
add_script(Writer *writer, Step step, const Script *script, Oid role)
{
	char	   *statements = join_statements(script);
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, script->reasons)
	{
		const Finding *finding = lfirst(lc);

		append_comment(&text, psprintf("%s: %s: %s: %s", dbkit_worst_risk(finding),
									   dbkit_facts_identity(finding->facts), finding->rule->id, finding->problem));
	}
	if (role != GetUserId() || script->in_utc)
	{
		const char *quotes = dbkit_dollar_quotes("fix", statements);

		appendStringInfo(&text, "SELECT dbkit.run_as(%s, %s\n%s\n%s);", quote_literal_cstr(GetUserNameFromId(role, false)),
						 quotes, statements, quotes);
	}
	else
		appendStringInfoString(&text, statements);
	writer->scripts[step] = lappend(writer->scripts[step], text.data);
}

/* Add a script of statements (char *) for the finding, as the owner. */
static void
add_statements(Writer *writer, Step step, List *statements)
{
	Script		script = {list_make1(unconstify(Finding *, writer->finding)), statements, false};

	add_script(writer, step, &script, writer->object->facts->owner);
}

/* Add a statement that cannot run in a transaction.  What code PostgreSQL runs in it, it runs as the owner. */
static void
add_alone(Writer *writer, Step step, char *statement)
{
	Script		script = {list_make1(unconstify(Finding *, writer->finding)), list_make1(statement), false};

	add_script(writer, step, &script, GetUserId());
}

/* Write an ALTER TABLE. */
static char *
write_alter(const Fixed *table, const char *actions)
{
	return psprintf("ALTER TABLE %s %s;", dbkit_facts_identity(table->facts), actions);
}

/* Add an ALTER TABLE of its own. */
static void
add_alter(Writer *writer, Step step, const char *actions)
{
	add_statements(writer, step, list_make1(write_alter(writer->object, actions)));
}

/* Add to what is done in the first step: to the ALTER TABLE, */
static void
append_alter(Writer *writer, const char *sql)
{
	appendStringInfo(&writer->alter, "%s%s", writer->alter.len > 0 ? ", " : "", sql);
	writer->change.reasons = list_append_unique_ptr(writer->change.reasons, unconstify(Finding *, writer->finding));
}

/* or after it. */
static void
append_statement(Writer *writer, const char *sql)
{
	writer->change.statements = lappend(writer->change.statements, unconstify(char *, sql));
	writer->change.reasons = list_append_unique_ptr(writer->change.reasons, unconstify(Finding *, writer->finding));
}

/* Return a name that no constraint has, nor will have. */
static const char *
choose_name(Writer *writer, const char *label)
{
	Oid			relid = writer->object->facts->objid;
	char	   *name = ChooseConstraintName(writer->object->facts->name, writer->action->name, label,
											get_rel_namespace(relid), writer->names);

	writer->names = lappend(writer->names, name);
	return quote_identifier(name);
}

/* Add a constraint that new rows have to keep, and later see whether all do. */
static void
add_in_two_steps(Writer *writer, const char *name, const char *definition)
{
	append_alter(writer, psprintf("ADD CONSTRAINT %s %s NOT VALID", name, definition));
	add_alter(writer, STEP_ONLINE, psprintf("VALIDATE CONSTRAINT %s", name));
}

static bool
is_foreign_key(const Action *action)
{
	return strncmp(action->text, "FOREIGN KEY", strlen("FOREIGN KEY")) == 0;
}

/* Add a constraint; before PostgreSQL 18 the foreign key of a partitioned table cannot be NOT VALID. */
static bool
write_constraint(Writer *writer)
{
	const Action *action = writer->action;

	if ((is_foreign_key(action) && writer->object->partitioned) || dbkit_ends_with(action->sql, " NOT VALID"))
		return false;
	add_in_two_steps(writer, is_foreign_key(action) ? quote_identifier(action->name) : choose_name(writer, "check"),
					 action->text);
	return true;
}

/* Is the table rewritten anyway, and so read? */
static bool
is_rewritten(const Fixed *object)
{
	ListCell   *lc;

	foreach(lc, object->findings)
	{
		ListCell   *cell;

		foreach(cell, ((Finding *) lfirst(lc))->actions)
		{
			const Action *action = lfirst(cell);

			if (action->kind == ACTION_SET_TYPE && action->sql != NULL && action->sql_in_utc == NULL)
				return true;
		}
	}
	return false;
}

/*
 * Make a column NOT NULL, with a CHECK that proves it first, so that SET NOT NULL reads no row.  One ALTER
 * TABLE would drop it before it is needed.
 */
static bool
write_not_null(Writer *writer)
{
	const char *name;

	if (is_rewritten(writer->object))
		return false;
	name = choose_name(writer, "not_null");
	add_in_two_steps(writer, name, psprintf("CHECK (%s IS NOT NULL)", quote_identifier(writer->action->name)));
	add_statements(writer, STEP_ONLINE, list_make2(write_alter(writer->object, writer->action->sql),
												   write_alter(writer->object, psprintf("DROP CONSTRAINT %s", name))));
	return true;
}

/* Write CREATE INDEX, CREATE UNIQUE INDEX or DROP INDEX so that nobody waits for it. */
static char *
write_concurrently(const char *sql)
{
	int			words = strstr(sql, "INDEX ") - sql + strlen("INDEX ");

	return psprintf("%.*sCONCURRENTLY %s", words, sql, sql + words);
}

/* Create or drop an index, which cannot be done concurrently on a partitioned table. */
static bool
write_index(Writer *writer)
{
	if (writer->object->partitioned)
		return false;
	add_alone(writer, STEP_ONLINE, write_concurrently(writer->action->sql));
	return true;
}

/* Is there an index that will do for a foreign key of the column? */
static bool
is_indexed(Oid relid, const char *column)
{
	const Facts *facts = dbkit_facts(&dbkit_now, RelationRelationId, relid, FACT_COLUMNS | FACT_INDEXES);
	const ForeignKeyFacts key = {.columns = list_make1_int(get_attnum(relid, column))};

	return facts == NULL || dbkit_is_covered(facts, &key);
}

/* Have a column reference the table that it seems to mean, with the index that the key then needs. */
static bool
write_reference(Writer *writer)
{
	const Fixed *object = writer->object;
	const Action *action = writer->action;
	char	   *index = is_indexed(object->facts->objid, action->name) ? NULL :
	psprintf("CREATE INDEX ON %s (%s);", dbkit_facts_identity(object->facts), quote_identifier(action->name));
	const char *name;

	if (!object->large || object->partitioned)
	{
		List	   *statements = index != NULL ? list_make1(index) : NIL;

		add_statements(writer, STEP_REFERENCE, lappend(statements, write_alter(object, action->sql)));
		return true;
	}
	name = choose_name(writer, "fkey");
	if (index != NULL)
		add_alone(writer, STEP_REFERENCE, write_concurrently(index));
	add_alter(writer, STEP_REFERENCE, psprintf("ADD CONSTRAINT %s %s NOT VALID", name, action->text));
	add_alter(writer, STEP_REFERENCE, psprintf("VALIDATE CONSTRAINT %s", name));
	return true;
}

/* Give another table the unique index that a key is to reference, once for all keys to it. */
static bool
write_referenced_key(Writer *writer)
{
	const Action *action = writer->action;

	if (dbkit_list_has_string(writer->keys, action->sql))
		return true;
	writer->keys = lappend(writer->keys, pstrdup(action->sql));
	if (dbkit_is_large(action->referenced))
		add_alone(writer, STEP_REFERENCE, write_concurrently(action->sql));
	else
		add_statements(writer, STEP_REFERENCE, list_make1(pstrdup(action->sql)));
	return true;
}

/* Put a foreign key in the place of another, which holds until all rows are known to keep the new one. */
static bool
write_replaced_key(Writer *writer)
{
	const Fixed *object = writer->object;
	const Action *action = writer->action;
	const char *name = quote_identifier(action->name);
	const char *meanwhile;

	if (!object->large || object->partitioned || dbkit_ends_with(action->sql, " NOT VALID;"))
	{
		add_statements(writer, STEP_REFERENCE, list_make1(pstrdup(action->sql)));
		return true;
	}
	meanwhile = quote_identifier(ChooseConstraintName(action->name, NULL, "new", get_rel_namespace(object->facts->objid), NIL));
	add_alter(writer, STEP_REFERENCE, psprintf("ADD CONSTRAINT %s %s NOT VALID", meanwhile, action->text));
	add_alter(writer, STEP_REFERENCE, psprintf("VALIDATE CONSTRAINT %s", meanwhile));
	add_statements(writer, STEP_REFERENCE,
				   list_make2(write_alter(object, psprintf("DROP CONSTRAINT %s", name)),
							  write_alter(object, psprintf("RENAME CONSTRAINT %s TO %s", meanwhile, name))));
	return true;
}

/*
 * Have row level security protect a table together with its partitions: who may use one of
 * them would get past it, which partition_rls refuses.  A foreign table can have none.
 */
static bool
write_row_security(Writer *writer)
{
	const Facts *facts = writer->object->facts;
	ListCell   *lc;

	append_alter(writer, writer->action->sql);
	foreach(lc, writer->object->partitioned ? find_all_inheritors(facts->objid, NoLock, NULL) : NIL)
	{
		Oid			partition = lfirst_oid(lc);
		const char *name = partition != facts->objid && get_rel_relkind(partition) != RELKIND_FOREIGN_TABLE &&
		dbkit_owns_table(partition, facts->owner) ?
		dbkit_find_relation_name(partition) : NULL;

		if (name != NULL)
			append_statement(writer, psprintf("ALTER TABLE %s %s;", name, writer->action->sql));
	}
	return true;
}

/* See whether the rows keep a constraint: alone it lets others read and write, and fails by itself. */
static bool
write_validation(Writer *writer)
{
	add_alter(writer, STEP_ONLINE, writer->action->sql);
	return true;
}

static bool
write_alone(Writer *writer)
{
	add_alone(writer, STEP_ONLINE, pstrdup(writer->action->sql));
	return true;
}

static bool
write_rename(Writer *writer)
{
	add_statements(writer, STEP_RENAME, list_make1(pstrdup(writer->action->sql)));
	return true;
}

/* What is not just a part of the first step, on large tables or on all */
static const struct
{
	ActionKind	kind;
	bool		large_only;
	bool		(*write) (Writer *writer);	/* false: it is such a part after
											 * all */
}			others[] = {
	{ACTION_CREATE_INDEX, true, write_index},
	{ACTION_DROP_INDEX, true, write_index},
	{ACTION_ADD_CONSTRAINT, true, write_constraint},
	{ACTION_SET_NOT_NULL, true, write_not_null},
	{ACTION_REFERENCE, false, write_reference},
	{ACTION_RENAME_COLUMN, false, write_rename},
	{ACTION_VALIDATE, false, write_validation},
	{ACTION_ALONE, false, write_alone},
	{ACTION_REFERENCED_KEY, false, write_referenced_key},
	{ACTION_REPLACE_KEY, false, write_replaced_key},
	{ACTION_ROW_SECURITY, false, write_row_security},
};

static bool
write_otherwise(Writer *writer)
{
	for (size_t i = 0; i < lengthof(others); i++)
	{
		if (others[i].kind == writer->action->kind && (writer->object->large || !others[i].large_only))
			return others[i].write(writer);
	}
	return false;
}

/* Write one action. */
static void
write_action(Writer *writer)
{
	const Action *action = writer->action;

	if (action->sql == NULL || write_otherwise(writer))
		return;
	if (dbkit_is_statement(action))
		append_statement(writer, action->sql);
	else
		append_alter(writer, action->sql_in_utc != NULL ? action->sql_in_utc : action->sql);
	writer->change.in_utc |= action->sql_in_utc != NULL;
}

/* Write those actions for an object that are statements, or those that are not. */
static void
write_actions(Writer *writer, bool statements)
{
	ListCell   *lc;

	foreach(lc, writer->object->findings)
	{
		ListCell   *cell;

		writer->finding = lfirst(lc);
		foreach(cell, writer->finding->actions)
		{
			writer->action = lfirst(cell);
			if (dbkit_is_statement(writer->action) == statements)
				write_action(writer);
		}
	}
}

/*
 * Write what is done to one object, after what is done to those that it references: what its
 * keys are to be is judged by what they reference then.
 */
static void
write_object(Writer *writer, Fixed *object)
{
	ListCell   *lc;

	if (object->written)
		return;
	object->written = true;
	foreach(lc, object->referenced)
		write_object(writer, lfirst(lc));
	writer->object = object;
	initStringInfo(&writer->alter);
	write_actions(writer, false);
	if (writer->alter.len > 0)
		writer->change.statements = lappend(writer->change.statements, write_alter(object, writer->alter.data));
	write_actions(writer, true);
}

/* Write the scripts for all objects that change together. */
static void
write_together(Writer *writer, const Fixed *script, const List *objects)
{
	ListCell   *lc;

	writer->change = (Script)
	{
		NIL, NIL, false
	};
	foreach(lc, objects)
	{
		if (dbkit_script_of(lfirst(lc)) == script)
			write_object(writer, lfirst(lc));
	}
	if (writer->change.statements != NIL)
		add_script(writer, STEP_CHANGE, &writer->change, script->facts->owner);
}

/* Return the scripts for the objects in the order in which they are to be run. */
List *
dbkit_write_scripts(const List *objects)
{
	Writer		writer = {.object = NULL};
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, objects)
	{
		const Fixed *object = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (object->together == NULL)
			write_together(&writer, object, objects);
	}
	for (int step = 0; step < N_STEPS; step++)
		result = list_concat(result, writer.scripts[step]);
	return result;
}
