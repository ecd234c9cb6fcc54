/*-------------------------------------------------------------------------
 *
 * ends.c
 *		Both ends of a foreign key change their type together, or not at all.
 *
 * Which types the rules want of the one and of the other is known only when all tables
 * have been judged.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/read.h"
#include "convention/fixes/fixes.h"

typedef struct Column
{
	Oid			relid;
	int32		attnum;
} Column;

/* A column that is to be of another type, or, without an action, cannot be */
typedef struct Retype
{
	Column		column;			/* the key */
	Fixed	   *table;
	Finding    *finding;
	Action	   *action;
	List	   *others;			/* Retype *, what other rules want of it */
} Retype;

/* One column of a foreign key, and the one that it references */
typedef struct Ends
{
	Column		referencing;
	Column		referenced;
} Ends;

/* Return what is to be done to a column, or NULL. */
static Retype *
find_retype(HTAB *retypes, const Column *column)
{
	Retype	   *retype = hash_search(retypes, column, HASH_FIND, NULL);

	return retype != NULL && retype->action != NULL ? retype : NULL;
}

/*
 * Note which columns of a table are to be of another type.  Where several rules want one, the first is
 * taken if nothing speaks against it.
 */
static void
add_retypes(HTAB *retypes, Fixed *table)
{
	ListCell   *lc;

	foreach(lc, table->findings)
	{
		Finding    *finding = lfirst(lc);
		ListCell   *cell;

		foreach(cell, finding->actions)
		{
			Action	   *action = lfirst(cell);
			Column		column = {table->facts->objid, 0};
			Retype	   *retype;
			bool		found;

			if (action->kind != ACTION_SET_TYPE || action->sql == NULL)
				continue;
			column.attnum = get_attnum(column.relid, action->name);
			retype = hash_search(retypes, &column, HASH_ENTER, &found);
			if (found)
			{
				List	  **others = &retype->others;

				retype = palloc(sizeof(Retype));
				*others = lappend(*others, retype);
			}
			*retype = (Retype)
			{
				column, table, finding, action, NIL
			};
		}
	}
}

/* Add the columns of a foreign key, unless it is a part of another one. */
static List *
add_ends(List *ends, HeapTuple tuple)
{
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	referenced[INDEX_MAX_KEYS];
	int			count;

	if (form->contype != CONSTRAINT_FOREIGN || OidIsValid(form->conparentid))
		return ends;
	DeconstructFkConstraintRow(tuple, &count, columns, referenced, NULL, NULL, NULL, NULL, NULL);
	for (int i = 0; i < count; i++)
	{
		Ends	   *pair = palloc(sizeof(Ends));

		pair->referencing = (Column)
		{
			form->conrelid, columns[i]
		};
		pair->referenced = (Column)
		{
			form->confrelid, referenced[i]
		};
		ends = lappend(ends, pair);
	}
	return ends;
}

static int
compare_columns(const Column *a, const Column *b)
{
	if (a->relid != b->relid)
		return a->relid < b->relid ? -1 : 1;
	return a->attnum - b->attnum;
}

/* Compare where foreign keys stand, for list_sort(). */
static int
compare_ends(const ListCell *a, const ListCell *b)
{
	const Ends *one = lfirst(a);
	const Ends *other = lfirst(b);
	int			order = compare_columns(&one->referencing, &other->referencing);

	return order != 0 ? order : compare_columns(&one->referenced, &other->referenced);
}

/* Return the columns of all foreign keys of the database, in the order of tables and columns. */
static List *
find_ends(void)
{
	Relation	constraints = table_open(ConstraintRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(constraints, InvalidOid, false, NULL, 0, NULL);
	List	   *ends = NIL;
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		ends = add_ends(ends, tuple);
	systable_endscan(scan);
	table_close(constraints, AccessShareLock);
	/* Rows of a catalog come in any order, scripts in one. */
	list_sort(ends, compare_ends);
	return ends;
}

/* Return the type that a column is to have, or has; InvalidOid where it is gone. */
static Oid
type_of(const Retype *retype, const Column *column)
{
	return retype != NULL ? retype->action->type : getBaseType(get_atttype(column->relid, column->attnum));
}

/* Take back what was to be done to a column, and with it to its sequence or a CHECK. */
static void
take_back(Retype *retype)
{
	ListCell   *lc;

	if (retype == NULL)
		return;
	foreach(lc, retype->finding->actions)
	{
		Action	   *action = lfirst(lc);

		if ((action->kind == ACTION_ALTER_SEQUENCE || action->kind == ACTION_ADD_CONSTRAINT) &&
			strcmp(action->name, retype->action->name) == 0)
			action->sql = NULL;
	}
	retype->action->sql = NULL;
	retype->action = NULL;
}

/*
 * Have a column take that type, where another rule wants it, in place of the one that the first rule
 * wants.  Return whether it does.
 */
static bool
take_other(Retype *retype, Oid type)
{
	ListCell   *lc;

	foreach(lc, retype != NULL ? retype->others : NIL)
	{
		Retype	   *other = lfirst(lc);

		if (other->action->type == type)
		{
			other->others = foreach_delete_current(retype->others, lc);
			take_back(retype);
			*retype = *other;
			return true;
		}
	}
	return false;
}

/* Take back what else rules want of columns. */
static void
take_back_others(HTAB *retypes)
{
	HASH_SEQ_STATUS status;
	Retype	   *retype;

	hash_seq_init(&status, retypes);
	while ((retype = hash_seq_search(&status)) != NULL)
	{
		ListCell   *lc;

		foreach(lc, retype->others)
			take_back(lfirst(lc));
	}
}

/* Return the table that stands for all tables of a script. */
const Fixed *
dbkit_script_of(const Fixed *fixed)
{
	while (fixed->together != NULL)
		fixed = fixed->together;
	return fixed;
}

/* Have two tables change in one script. */
static void
join_scripts(Fixed *one, Fixed *other)
{
	Fixed	   *script = unconstify(Fixed *, dbkit_script_of(one));
	Fixed	   *joined = unconstify(Fixed *, dbkit_script_of(other));

	if (script != joined)
		joined->together = script;
}

/* Return what is to be fixed of a table, which may be nothing so far. */
static Fixed *
find_table(List **objects, const Facts *facts)
{
	ListCell   *lc;
	Fixed	   *table;

	foreach(lc, *objects)
	{
		table = lfirst(lc);
		if (table->facts->classid == facts->classid && table->facts->objid == facts->objid)
			return table;
	}
	table = dbkit_make_fixed(facts, NIL);
	*objects = lappend(*objects, table);
	return table;
}

/*
 * Have a column follow the one that it references to another type; nothing was wrong with it
 * before.  Return NULL where it cannot, or where that was taken back already.
 */
static Retype *
follow(HTAB *retypes, List **objects, const Column *column, const Retype *referenced)
{
	Facts	   *facts = dbkit_facts(&dbkit_now, RelationRelationId, column->relid, FACT_COLUMNS | FACT_FOREIGN_KEYS);
	const ColumnFacts *known = facts != NULL ? dbkit_facts_column_at(facts, column->attnum) : NULL;
	Judgement	judgement = {.facts = facts,.rule = referenced->finding->rule,.level = referenced->finding->level};
	Finding    *finding;
	Retype	   *result;

	if (known == NULL || facts->owner != referenced->table->facts->owner ||
		hash_search(retypes, column, HASH_FIND, NULL) != NULL)
		return NULL;
	finding = dbkit_add_finding(&judgement, known->name, "column \"%s\" references column \"%s\" of table \"%s.%s\"",
								known->name, referenced->action->name,
								referenced->table->facts->schema, referenced->table->facts->name);
	if (dbkit_add_retype(finding, known, referenced->action->type, referenced->action->text) == NULL)
		return NULL;
	result = hash_search(retypes, column, HASH_ENTER, NULL);
	result->table = find_table(objects, facts);
	result->table->findings = lappend(result->table->findings, finding);
	result->finding = finding;
	result->action = linitial(finding->actions);
	result->others = NIL;
	return result;
}

/* Will both ends of a key be of one type, and are they changed with the rights of one role? */
static bool
agree(const Ends *ends, const Retype *referencing, const Retype *referenced)
{
	return type_of(referencing, &ends->referencing) == type_of(referenced, &ends->referenced) &&
		(referencing == NULL || referenced == NULL ||
		 referencing->table->facts->owner == referenced->table->facts->owner);
}

/*
 * Have the two ends of a key agree, where one of them is to change: by the type that another rule
 * wants, by changing the referencing one as well, or else none.  Return whether that was needed.
 */
static bool
settle(HTAB *retypes, List **objects, const Ends *ends)
{
	Retype	   *referencing = find_retype(retypes, &ends->referencing);
	Retype	   *referenced = find_retype(retypes, &ends->referenced);

	if ((referencing == NULL && referenced == NULL) || agree(ends, referencing, referenced))
		return false;
	if (take_other(referencing, type_of(referenced, &ends->referenced)) ||
		take_other(referenced, type_of(referencing, &ends->referencing)))
		return true;
	if (referencing == NULL && follow(retypes, objects, &ends->referencing, referenced) != NULL)
		return true;
	take_back(referencing);
	take_back(referenced);
	return true;
}

/* Have the tables at both ends change in one script, where both change. */
static void
join_ends(HTAB *retypes, const Ends *ends)
{
	Retype	   *referencing = find_retype(retypes, &ends->referencing);
	Retype	   *referenced = find_retype(retypes, &ends->referenced);

	if (referencing == NULL || referenced == NULL)
		return;
	join_scripts(referenced->table, referencing->table);
	referencing->table->referenced = list_append_unique_ptr(referencing->table->referenced, referenced->table);
}

/* Leave out new foreign keys whose ends would not be of one type. */
static void
drop_unequal_references(HTAB *retypes, const Fixed *table)
{
	ListCell   *lc;

	foreach(lc, table->findings)
	{
		ListCell   *cell;

		foreach(cell, ((Finding *) lfirst(lc))->actions)
		{
			Action	   *action = lfirst(cell);
			Ends		ends;

			if (action->kind != ACTION_REFERENCE)
				continue;
			ends.referencing = (Column)
			{
				table->facts->objid, get_attnum(table->facts->objid, action->name)
			};
			ends.referenced = (Column)
			{
				action->referenced, get_attnum(action->referenced, "id")
			};
			if (type_of(find_retype(retypes, &ends.referencing), &ends.referencing) !=
				type_of(find_retype(retypes, &ends.referenced), &ends.referenced))
				action->sql = NULL;
		}
	}
}

/*
 * Have columns that foreign keys connect change together, and take back what cannot.  Tables
 * in which nothing else is wrong are added to the objects.
 */
void
dbkit_settle_ends(List **objects)
{
	HASHCTL		ctl = {
		.keysize = sizeof(Column),
		.entrysize = sizeof(Retype),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *retypes = hash_create("dbkit fixes", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	List	   *ends = find_ends();
	bool		settled = true;
	ListCell   *lc;

	foreach(lc, *objects)
		add_retypes(retypes, lfirst(lc));

	/* What is taken back at one end of a key may be the other end of the next */
	while (settled)
	{
		settled = false;
		foreach(lc, ends)
		{
			CHECK_FOR_INTERRUPTS();
			settled |= settle(retypes, objects, lfirst(lc));
		}
	}
	take_back_others(retypes);
	foreach(lc, ends)
		join_ends(retypes, lfirst(lc));
	foreach(lc, *objects)
		drop_unequal_references(retypes, lfirst(lc));
	hash_destroy(retypes);
}
