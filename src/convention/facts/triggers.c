/*-------------------------------------------------------------------------
 *
 * triggers.c
 *		The triggers of a table, and what their functions seem to do.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/facts/triggers.h"

/* Return the first argument that a trigger hands to its function, or NULL. */
static char *
first_argument(RowReader *reader, int16 count)
{
	bool		isnull;
	Datum		arguments;

	if (count == 0)
		return NULL;
	/* Each ends in a zero byte */
	arguments = dbkit_row_value(reader, ROWS_TRIGGER, Anum_pg_trigger_tgargs, &isnull);
	return isnull ? NULL : pstrdup(VARDATA_ANY(DatumGetByteaPP(arguments)));
}

/* Read the triggers; those that a partition had from its root go when it is detached. */
List *
dbkit_read_triggers(RowReader *reader, const Facts *facts)
{
	List	   *result = NIL;
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_TRIGGER, facts->objid)) != NULL)
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);
		TriggerFacts *trigger;

		if (form->tgisinternal || (facts->partition && OidIsValid(form->tgparentid)))
			continue;
		trigger = palloc(sizeof(TriggerFacts));
		trigger->name = pstrdup(NameStr(form->tgname));
		trigger->function = form->tgfoid;
		trigger->type = form->tgtype;
		trigger->some_columns = form->tgattr.dim1 > 0;
		trigger->condition = dbkit_row_expression(reader, ROWS_TRIGGER, Anum_pg_trigger_tgqual);
		trigger->argument = first_argument(reader, form->tgnargs);
		trigger->enabled = form->tgenabled == TRIGGER_FIRES_ON_ORIGIN ||
			form->tgenabled == TRIGGER_FIRES_ALWAYS;
		result = lappend(result, trigger);
	}
	return result;
}

/* Return the first trigger of a list that is wanted, or NULL. */
static const TriggerFacts *
find_trigger(const List *triggers, bool (*wanted) (const TriggerFacts *trigger, const void *arg),
			 const void *arg)
{
	ListCell   *lc;

	foreach(lc, triggers)
	{
		if (wanted(lfirst(lc), arg))
			return lfirst(lc);
	}
	return NULL;
}

/* Read all triggers of a table, apart from the reader of many. */
static List *
read_all_triggers(const Facts *facts)
{
	RowReader	reader;
	List	   *result;

	dbkit_open_reader(&reader, facts->catalogs, false);
	result = dbkit_read_triggers(&reader, facts);
	dbkit_close_reader(&reader);
	return result;
}

/*
 * Return a trigger that is wanted, or NULL.
 *
 * A reader of many tables passes over triggers with names such as those of foreign
 * keys have.  They are looked at only when no other is the wanted one.
 */
const TriggerFacts *
dbkit_find_trigger(const Facts *facts,
				   bool (*wanted) (const TriggerFacts *trigger, const void *arg), const void *arg)
{
	const TriggerFacts *result;
	FactsRead  *read = (FactsRead *) &facts->read;

	dbkit_require_facts(facts, FACT_TRIGGERS);
	result = find_trigger(read->triggers, wanted, arg);
	if (result != NULL || read->triggers_complete)
		return result;
	read->triggers = read_all_triggers(facts);
	read->triggers_complete = true;
	return find_trigger(read->triggers, wanted, arg);
}

/* Does a text go on with := or =, as an assignment in PL/pgSQL? */
static bool
is_assignment(const char *text)
{
	text += strspn(text, " \t\r\n");
	return text[0] == '=' || (text[0] == ':' && text[1] == '=');
}

/* Does a PL/pgSQL body assign to NEW.column?  Comments and strings are not told apart. */
static bool
body_assigns(const char *body, const char *column)
{
	const char *name = quote_identifier(column);
	size_t		length = strlen(name);

	for (const char *c = body; *c != '\0'; c++)
	{
		if (pg_strncasecmp(c, "new.", 4) == 0 && pg_strncasecmp(c + 4, name, length) == 0 &&
			is_assignment(c + 4 + length))
			return true;
	}
	return false;
}

/* Does a function's source look as if it sets that column of a trigger's row? */
static bool
assigns_column(const Facts *facts, Oid function, const char *column)
{
	HeapTuple	row = dbkit_catalog_row(facts->catalogs, CATALOG_FUNCTION, function);
	bool		isnull = true;
	Datum		body = row != NULL ? dbkit_catalog_value(CATALOG_FUNCTION, row, Anum_pg_proc_prosrc, &isnull) : (Datum) 0;

	return !isnull && body_assigns(TextDatumGetCString(body), column);
}

/*
 * Does a trigger seem to set that column: is its name the argument, as for moddatetime, or does the
 * function's source assign to it?  A guess, good for a message or a suggestion and no more: the
 * source is not understood, let alone run.
 */
bool
dbkit_seems_to_set(const Facts *facts, const TriggerFacts *trigger, const char *column)
{
	return (trigger->argument != NULL && strcmp(trigger->argument, column) == 0) ||
		assigns_column(facts, trigger->function, column);
}
