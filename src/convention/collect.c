/*-------------------------------------------------------------------------
 *
 * collect.c
 *		Check objects and keep all that is found, for who has to see the whole of it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "common.h"
#include "convention/check.h"
#include "convention/collect.h"

/* What is kept, in a memory context that outlives the check of each object */
typedef struct Collection
{
	MemoryContext context;
	List	   *objects;		/* CheckedObject * */
} Collection;

static char *
copy_or_null(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

static void
keep_object(Judgement *judgement pg_attribute_unused(), Facts *facts, void *arg)
{
	Collection *collection = arg;
	MemoryContext caller = MemoryContextSwitchTo(collection->context);
	CheckedObject *object = palloc0(sizeof(CheckedObject));
	Facts	   *kept = palloc0(sizeof(Facts));

	kept->classid = facts->classid;
	kept->objid = facts->objid;
	kept->kind = facts->kind;
	kept->owner = facts->owner;
	kept->schema = pstrdup(facts->schema);
	kept->name = pstrdup(facts->name);
	kept->signature = copy_or_null(facts->signature);
	object->facts = kept;
	collection->objects = lappend(collection->objects, object);
	MemoryContextSwitchTo(caller);
}

static Action *
copy_action(const Action *action)
{
	Action	   *result = palloc(sizeof(Action));

	*result = *action;
	result->name = copy_or_null(action->name);
	result->text = copy_or_null(action->text);
	result->sql = copy_or_null(action->sql);
	result->sql_in_utc = copy_or_null(action->sql_in_utc);
	result->failing = copy_or_null(action->failing);
	return result;
}

/* Return a copy of a finding, as far as it is told to somebody. */
static Finding *
copy_finding(const Finding *finding, const Facts *facts)
{
	Finding    *result = palloc0(sizeof(Finding));
	ListCell   *lc;

	result->rule = finding->rule;
	result->level = finding->level;
	result->facts = facts;
	result->column = copy_or_null(finding->column);
	result->problem = pstrdup(finding->problem);
	foreach(lc, finding->actions)
	{
		if (((const Action *) lfirst(lc))->sql != NULL)
			result->actions = lappend(result->actions, copy_action(lfirst(lc)));
	}
	return result;
}

/* Keep a finding, which is about the object that was kept last. */
static void
keep_finding(const Finding *finding, void *arg)
{
	Collection *collection = arg;
	MemoryContext caller = MemoryContextSwitchTo(collection->context);
	CheckedObject *object = llast(collection->objects);

	object->findings = lappend(object->findings, copy_finding(finding, object->facts));
	MemoryContextSwitchTo(caller);
}

/* By name, and of one name by oid. */
static int
compare_objects(const ListCell *a, const ListCell *b)
{
	const Facts *left = ((const CheckedObject *) lfirst(a))->facts;
	const Facts *right = ((const CheckedObject *) lfirst(b))->facts;
	int			order = strcmp(left->schema, right->schema);

	if (order == 0)
		order = strcmp(left->name, right->name);
	return order != 0 ? order : (left->objid > right->objid) - (left->objid < right->objid);
}

/*
 * Check the objects of a schema, or of the database for InvalidOid, in that scope, and return
 * them in the order of their names, as CheckedObject *.
 */
List *
dbkit_collect_checked(Oid namespace, JudgeScope scope)
{
	Collection	collection = {.context = CurrentMemoryContext};

	dbkit_check_objects(namespace, scope, keep_object, keep_finding, &collection);
	list_sort(collection.objects, compare_objects);
	return collection.objects;
}

/* Count the tables among objects, and what was found at each level. */
CheckedCounts
dbkit_count_checked(const List *objects)
{
	CheckedCounts counts = {0};
	ListCell   *lc;

	foreach(lc, objects)
	{
		const CheckedObject *object = lfirst(lc);
		ListCell   *finding;

		if (object->facts->kind & (KIND_TABLE | KIND_ENUM_TABLE))
			counts.tables++;
		foreach(finding, object->findings)
		{
			if (((const Finding *) lfirst(finding))->level == LEVEL_WARNING)
				counts.warnings++;
			else
				counts.errors++;
		}
	}
	return counts;
}
