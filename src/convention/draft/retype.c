/*-------------------------------------------------------------------------
 *
 * retype.c
 *		Give a column of a draft another type, and leave out what was written for
 *		the one it had.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/draft/draft.h"
#include "convention/facts/expression.h"

/* Do values of one type take part in the expressions and keys of the other? */
bool
dbkit_is_similar_type(Oid type, Oid other)
{
	char		category;
	char		other_category;
	bool		preferred;

	get_type_category_preferred(type, &category, &preferred);
	get_type_category_preferred(other, &other_category, &preferred);
	return category == other_category && category != TYPCATEGORY_USER;
}

/* Keep a column's value with another type, if that can be. */
static void
convert_value(Draft *draft, DraftColumn *column, Oid type)
{
	bool		integer = type == INT8OID || type == INT4OID || type == INT2OID;

	if (type == TIMESTAMPTZOID && column->instant != NULL)
		column->value = psprintf("DEFAULT %s", column->instant);

	if (((column->identity || column->serial) && !integer) ||
		(OidIsValid(column->value_type) &&
		 !can_coerce_type(1, &column->value_type, &type, COERCION_ASSIGNMENT)))
	{
		/* An id gets a value of its own */
		if (strcmp(column->name, "id") != 0)
			dbkit_draft_leave_out(draft, column->serial ? psprintf("the sequence of column \"%s\"", column->name) :
								  psprintf("%s of column \"%s\"", column->value, column->name), "written for another type");
		column->value = NULL;
		column->identity = false;
		column->serial = false;
	}
}

/* Can expressions stay as they are when a column has another type?  Some of them have to be immutable. */
static bool
survives(const List *expressions, const DraftColumn *changed, Oid type, bool immutable)
{
	char		category = TypeCategory(type);
	bool		operators = category == TYPCATEGORY_NUMERIC || (category == TYPCATEGORY_DATETIME && !immutable);

	if (category == TYPCATEGORY_STRING && dbkit_is_similar_type(changed->base_type, type))
		return true;
	return !dbkit_uses_type(expressions, changed->attnum, operators && dbkit_is_similar_type(changed->base_type, type));
}

/* Leave out the constraints that were written for another type of the column. */
static void
drop_constraints_of(Draft *draft, DraftColumn *changed, Oid type)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (constraint->dropped ||
			survives(constraint->expressions, changed, type, constraint->type == CONSTRAINT_EXCLUSION))
			continue;
		constraint->dropped = true;
		dbkit_draft_leave_out(draft, constraint->definition, "written for another type");
	}
}

/* The same for what has to be immutable: columns that are generated from it, and expressions of indexes. */
static void
drop_computations(Draft *draft, const DraftColumn *changed, Oid type)
{
	ListCell   *lc;

	foreach(lc, draft->columns)
	{
		DraftColumn *column = lfirst(lc);

		if (survives(list_make1(column->expression), changed, type, true))
			continue;
		dbkit_draft_leave_out(draft, psprintf("%s of column \"%s\"", column->value, column->name), "written for another type");
		column->value = NULL;
		column->expression = NULL;
	}
	foreach(lc, draft->statements)
	{
		const DraftStatement *statement = lfirst(lc);

		if (survives(statement->expressions, changed, type, true) &&
			!list_member_int(statement->own_classes, changed->attnum))
			continue;
		dbkit_draft_leave_out(draft, statement->sql, "written for another type");
		draft->statements = foreach_delete_current(draft->statements, lc);
	}
}

/* Return the type that a column is to have, with the precision that it has. */
static const char *
keep_precision(const DraftColumn *column, const Action *action)
{
	static const char *const plain = "timestamptz";
	static const char *const precise = "timestamp(";

	if (strncmp(action->text, plain, strlen(plain)) != 0 || strncmp(column->type, precise, strlen(precise)) != 0)
		return action->text;
	return psprintf("%s(%c)%s", plain, column->type[strlen(precise)], action->text + strlen(plain));
}

/* Give a column another type.  Of several findings the first one says which. */
void
dbkit_draft_set_type(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_own_column(draft, action->name);

	if (column == NULL || column->retyped)
		return;
	convert_value(draft, column, action->type);
	if (action->type == TEXTARRAYOID && strchr(column->type, '(') != NULL)
		dbkit_draft_leave_out(draft, psprintf("the length of the elements of column \"%s\"", column->name), "which no CHECK can limit");
	if (column->attnum != 0)
	{
		drop_constraints_of(draft, column, action->type);
		drop_computations(draft, column, action->type);
	}
	column->type = keep_precision(column, action);
	column->base_type = action->type;
	column->settings = NIL;
	column->retyped = true;
}
