/*-------------------------------------------------------------------------
 *
 * to_sql.c
 *		Write the draft of a table as SQL.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/draft/draft.h"
#include "convention/facts/catalogs.h"

/* Return the type of a column, as a serial one if it has a sequence of its own. */
static const char *
type_of(const DraftColumn *column)
{
	if (!column->serial)
		return column->type;
	return column->base_type == INT8OID ? "bigserial" : column->base_type == INT2OID ? "smallserial" : "serial";
}

/* Return what a constraint on one column is called when it stands by the column, or NULL. */
static const char *
find_short_form(const DraftConstraint *constraint)
{
	static const struct
	{
		char		type;
		const char *beginning;	/* before the column's name */
		const char *short_form;
	}			forms[] = {
		{CONSTRAINT_PRIMARY, "PRIMARY KEY (", "PRIMARY KEY"},
		{CONSTRAINT_UNIQUE, "UNIQUE (", "UNIQUE"},
		{CONSTRAINT_FOREIGN, "FOREIGN KEY (", ""},
		{DBKIT_CONSTRAINT_NOTNULL, "NOT NULL ", "NOT NULL"},
	};
	const DraftColumn *column = linitial(constraint->columns);

	for (size_t i = 0; i < lengthof(forms); i++)
	{
		bool		in_parentheses = dbkit_ends_with(forms[i].beginning, "(");
		const char *long_form = psprintf("%s%s%s", forms[i].beginning, quote_identifier(column->name),
										 in_parentheses ? ")" : "");
		const char *rest = constraint->definition + strlen(long_form);

		if (forms[i].type != constraint->type)
			continue;
		if (strncmp(constraint->definition, long_form, strlen(long_form)) != 0 || strncmp(rest, " INCLUDE", 8) == 0)
			return NULL;
		return psprintf("%s%s", forms[i].short_form, rest + (*forms[i].short_form == '\0' && *rest == ' '));
	}
	/* By a column nothing can be left NOT VALID */
	return constraint->type == CONSTRAINT_CHECK && !dbkit_ends_with(constraint->definition, " NOT VALID") ?
		constraint->definition : NULL;
}

/* Return the constraint as it stands by that column, or NULL where it does not. */
static const char *
short_form(const DraftConstraint *constraint, const DraftColumn *column)
{
	if (constraint->dropped || column->inherited ||
		list_length(constraint->columns) != 1 || linitial(constraint->columns) != column)
		return NULL;
	return find_short_form(constraint);
}

static bool
stands_alone(const DraftConstraint *constraint)
{
	return list_length(constraint->columns) != 1 || linitial(constraint->columns) == NULL ||
		((DraftColumn *) linitial(constraint->columns))->inherited || find_short_form(constraint) == NULL;
}

/* Write a constraint with its name, unless PostgreSQL chooses that. */
static char *
write_constraint(const DraftConstraint *constraint, const char *definition)
{
	return psprintf("%s%s%s%s", constraint->chosen ? "" : "CONSTRAINT ",
					constraint->chosen ? "" : quote_identifier(constraint->name), constraint->chosen ? "" : " ",
					definition);
}

/* Append the constraints that stand by a column: the primary key, or the others. */
static void
append_constraints_of(StringInfo sql, const Draft *draft, const DraftColumn *column, bool key)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);
		const char *definition = (constraint->type == CONSTRAINT_PRIMARY) == key ?
		short_form(constraint, column) : NULL;

		if (definition != NULL)
			appendStringInfo(sql, " %s", write_constraint(constraint, definition));
	}
}

/* Does another clause say that the column is NOT NULL? */
static bool
implies_not_null(const Draft *draft, const DraftColumn *column)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (!constraint->dropped && list_member_ptr(constraint->columns, column) &&
			(constraint->type == CONSTRAINT_PRIMARY || constraint->type == DBKIT_CONSTRAINT_NOTNULL))
			return true;
	}
	return column->serial || column->identity;
}

/* Return a column as CREATE TABLE and ADD COLUMN say it, with its constraints. */
static char *
write_column(const Draft *draft, const DraftColumn *column)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "%s %s", quote_identifier(column->name), type_of(column));
	append_constraints_of(&sql, draft, column, true);
	if (column->not_null && !implies_not_null(draft, column))
		appendStringInfoString(&sql, " NOT NULL");
	if (column->value != NULL)
		appendStringInfo(&sql, " %s", column->value);
	append_constraints_of(&sql, draft, column, false);
	return sql.data;
}

/* Append one of the lines between the parentheses of CREATE TABLE. */
static void
append_element(StringInfo sql, int *elements, const char *text)
{
	appendStringInfo(sql, "%s\n  %s", (*elements)++ > 0 ? "," : "", text);
}

static void
append_create_table(StringInfo sql, const Draft *draft)
{
	int			elements = 0;
	ListCell   *lc;

	appendStringInfo(sql, "CREATE %sTABLE %s (", draft->persistence, dbkit_facts_identity(draft->facts));
	foreach(lc, draft->columns)
	{
		const DraftColumn *column = lfirst(lc);

		if (!column->inherited || column->revised)
			append_element(sql, &elements, write_column(draft, column));
	}
	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (!constraint->dropped && stands_alone(constraint))
			append_element(sql, &elements, write_constraint(constraint, constraint->definition));
	}
	appendStringInfo(sql, "%s)%s;\n", elements > 0 ? "\n" : "", draft->clauses);
}

static void
append_lines(StringInfo sql, const List *lines)
{
	ListCell   *lc;

	foreach(lc, lines)
		appendStringInfo(sql, "%s\n", (char *) lfirst(lc));
}

/* Append what is left out as comments; a name may have several lines. */
static void
append_left_out(StringInfo sql, const List *left_out)
{
	ListCell   *lc;

	foreach(lc, left_out)
	{
		appendStringInfoString(sql, "-- left out: ");
		for (const char *c = lfirst(lc); *c != '\0'; c++)
		{
			appendStringInfoChar(sql, *c);
			if (*c == '\n' || *c == '\r')
				appendStringInfoString(sql, "-- ");
		}
		appendStringInfoChar(sql, '\n');
	}
}

/* Append how a column is stored. */
static void
append_settings(StringInfo sql, const Draft *draft, const DraftColumn *column)
{
	ListCell   *lc;

	foreach(lc, column->settings)
		appendStringInfo(sql, "ALTER TABLE %s ALTER COLUMN %s %s;\n", dbkit_facts_identity(draft->facts),
						 quote_identifier(column->name), (char *) lfirst(lc));
}

/*
 * Append the statements that make a table as its draft says.  The rows are an INSERT, or
 * NULL; they come before row level security, which could keep them out.
 */
void
dbkit_write_draft(StringInfo sql, const Draft *draft, const char *rows)
{
	ListCell   *lc;

	append_lines(sql, draft->prerequisites);
	append_create_table(sql, draft);
	append_left_out(sql, draft->left_out);
	foreach(lc, draft->columns)
		append_settings(sql, draft, lfirst(lc));
	if (rows != NULL)
		appendStringInfo(sql, "%s\n", rows);
	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (constraint->comment != NULL && constraint->name != NULL && !constraint->dropped)
			appendStringInfo(sql, "COMMENT ON CONSTRAINT %s ON %s IS %s;\n", quote_identifier(constraint->name),
							 dbkit_facts_identity(draft->facts), quote_literal_cstr(constraint->comment));
	}
	foreach(lc, draft->statements)
		appendStringInfo(sql, "%s\n", ((DraftStatement *) lfirst(lc))->sql);
	append_lines(sql, draft->additions);
}

/*
 * Append the statements that add the foreign keys of a table, and take them out of the draft: the tables that
 * they reference may come later.
 */
void
dbkit_write_foreign_keys(StringInfo sql, const Draft *draft)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (constraint->type != CONSTRAINT_FOREIGN || constraint->dropped)
			continue;
		appendStringInfo(sql, "ALTER TABLE %s ADD %s;\n", dbkit_facts_identity(draft->facts),
						 write_constraint(constraint, constraint->definition));
		constraint->dropped = true;
	}
}

/* Was the column there before? */
static bool
is_old_column(const Draft *draft, const Catalogs *before, const DraftColumn *column)
{
	Oid			type;
	Oid			collation;

	return column->attnum != 0 &&
		dbkit_catalog_column(before, draft->facts->objid, column->attnum, &type, &collation);
}

/* Is it to be added by itself: a new constraint that does not stand by a new column? */
static bool
is_added_alone(const Draft *draft, const Catalogs *before, const DraftConstraint *constraint)
{
	if (constraint->dropped ||
		(OidIsValid(constraint->oid) && dbkit_catalog_row(before, CATALOG_CONSTRAINT, constraint->oid) != NULL))
		return false;
	return stands_alone(constraint) || is_old_column(draft, before, linitial(constraint->columns));
}

/*
 * Append the ALTER TABLE that adds what the catalog has now and did not have before, as the draft
 * says, and the statements that come with it.
 */
void
dbkit_write_additions(StringInfo sql, const Draft *draft, const Catalogs *before)
{
	StringInfoData actions;
	ListCell   *lc;

	initStringInfo(&actions);
	foreach(lc, draft->columns)
	{
		if (!is_old_column(draft, before, lfirst(lc)))
			appendStringInfo(&actions, "%sADD COLUMN %s", actions.len > 0 ? ", " : "", write_column(draft, lfirst(lc)));
	}
	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (is_added_alone(draft, before, constraint))
			appendStringInfo(&actions, "%sADD %s", actions.len > 0 ? ", " : "",
							 write_constraint(constraint, constraint->definition));
	}
	append_lines(sql, draft->prerequisites);
	appendStringInfo(sql, "ALTER TABLE %s %s;\n", dbkit_facts_identity(draft->facts), actions.data);
	append_left_out(sql, draft->left_out);
	foreach(lc, draft->columns)
	{
		if (!is_old_column(draft, before, lfirst(lc)))
			append_settings(sql, draft, lfirst(lc));
	}
	append_lines(sql, draft->additions);
}
