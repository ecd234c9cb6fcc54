/*-------------------------------------------------------------------------
 *
 * members.c
 *		The tables below one, which a fix of it would change as well.
 *
 * Only what is there now is fixed, so the present is asked.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "miscadmin.h"
#include "nodes/nodes.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/facts/dependents.h"
#include "convention/facts/rows.h"
#include "convention/facts/tree.h"
#include "convention/members.h"

/* Is a test true of a table below this one? */
static bool
has_member(const Facts *facts, bool (*test) (RowReader *reader, Oid member, const void *arg), const void *arg)
{
	bool		result = false;
	ListCell   *lc;

	foreach(lc, dbkit_with_children(facts))
	{
		RowReader	reader;

		CHECK_FOR_INTERRUPTS();
		if (result || lfirst_oid(lc) == facts->objid)
			continue;
		dbkit_open_reader(&reader, facts->catalogs, false);
		result = test(&reader, lfirst_oid(lc), arg);
		dbkit_close_reader(&reader);
	}
	return result;
}

static bool
is_foreign(RowReader *reader pg_attribute_unused(), Oid member, const void *arg pg_attribute_unused())
{
	return get_rel_relkind(member) == RELKIND_FOREIGN_TABLE;
}

/* Is one of them a foreign table?  The server of its rows does not hear of a new column, nor of a new name. */
bool
dbkit_has_foreign_member(const Facts *facts)
{
	return has_member(facts, is_foreign, NULL);
}

/* Are two expressions the same, wherever they stood in a statement?  Of one that is not read, that is unknown. */
static bool
are_equal(const char *a, const char *b)
{
	Node	   *tree = a != NULL ? dbkit_stored_tree(a) : NULL;

	return tree != NULL && b != NULL && equal(tree, dbkit_stored_tree(b));
}

/* Has the column of that name a default, and not the same one? */
static bool
has_other_default(RowReader *reader, Oid member, const void *arg)
{
	const ColumnFacts *column = arg;
	AttrNumber	attnum = get_attnum(member, column->name);
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_DEFAULT, member)) != NULL)
	{
		if (((Form_pg_attrdef) GETSTRUCT(row))->adnum == attnum)
			return !are_equal(column->expression, dbkit_row_expression(reader, ROWS_DEFAULT, Anum_pg_attrdef_adbin));
	}
	return false;
}

/* Has one of them a default of its own for the column?  SET DEFAULT would take it away. */
bool
dbkit_member_has_other_default(const Facts *facts, const ColumnFacts *column)
{
	return has_member(facts, has_other_default, column);
}

static bool
has_own_trigger(RowReader *reader, Oid member, const void *name)
{
	HeapTuple	row;

	while ((row = dbkit_next_row(reader, ROWS_TRIGGER, member)) != NULL)
	{
		Form_pg_trigger form = (Form_pg_trigger) GETSTRUCT(row);

		if (!OidIsValid(form->tgparentid) && strcmp(NameStr(form->tgname), name) == 0)
			return true;
	}
	return false;
}

/*
 * Has a partition a trigger of its own of that name?  One on the table, which all partitions get, could
 * not have it, or would replace it.
 */
bool
dbkit_partition_has_trigger(const Facts *facts, const char *name)
{
	return facts->partitioned && has_member(facts, has_own_trigger, name);
}
