/*-------------------------------------------------------------------------
 *
 * cases.c
 *		Judge the objects that changed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "storage/lmgr.h"

#include "common.h"
#include "convention/agreed_names.h"
#include "convention/cases.h"
#include "convention/facts/read.h"
#include "convention/ratchet.h"
#include "lock/own_locks.h"

/* Renaming a schema changes all there is in it: the lock table is not as large */
#define MAX_LOCKED		1000

/* Can the prefix of the table's ids be another one now? */
bool
dbkit_changes_prefix(const ChangedObject *object)
{
	return object->classid == RelationRelationId &&
		((object->change.added | object->change.changed) & FACT_PREFIX) != 0;
}

/*
 * Keep a relation as it is until the transaction ends: rules look things up that
 * the facts name.  After CREATE INDEX CONCURRENTLY nothing is locked any more.  Nobody
 * is waited for: a stranger's table may have a column of this one's row type.
 */
static void
lock_object(const ChangedObject *object)
{
	if (object->classid == RelationRelationId && !dbkit_holds_lock(object->objid, AccessShareLock))
		(void) ConditionalLockRelationOid(object->objid, AccessShareLock);
}

/*
 * Read the facts about objects that the rules of a scope, and the prefix registry
 * when a statement ends, ask for.  What can break no rule is not even looked at.
 */
List *
dbkit_read_cases(const List *objects, JudgeScope scope, bool enforced, bool registry)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, objects)
	{
		const ChangedObject *object = lfirst(lc);

		/* What is to be a partition is not judged by itself */
		bool		judged = enforced && !(scope == SCOPE_COMMIT && OidIsValid(object->model));
		FactSet		wanted = judged ? dbkit_facts_to_read(scope, object->change) : 0;
		Case	   *one;

		if (registry)
			dbkit_touch_baseline(object->classid, object->objid);
		if (registry && dbkit_changes_prefix(object))
			wanted |= FACT_PREFIX;
		if (wanted == 0)
			continue;
		if (list_length(objects) <= MAX_LOCKED)
			lock_object(object);
		one = palloc(sizeof(Case));
		one->object = object;
		one->facts = dbkit_facts(&dbkit_now, object->classid, object->objid, wanted);
		if (one->facts != NULL)
			one->facts->index = object->index;
		result = lappend(result, one);
	}
	return result;
}

/* Return what breaks the rules of a scope and did not before the transaction. */
List *
dbkit_judge_cases(const List *cases, JudgeScope scope)
{
	Judgement	judgement = {NIL};
	Ratchet		ratchet = {{NULL}, InvalidOid};
	ListCell   *lc;

	foreach(lc, cases)
	{
		const Case *one = lfirst(lc);

		if (one->facts == NULL)
			continue;
		ratchet.model = one->object->model;
		judgement.ratchet = one->object->concurrently == CONCURRENTLY_INDEXED ? NULL : &ratchet;
		dbkit_judge(&judgement, one->facts, scope, one->object->change);
	}
	dbkit_close_ratchet(&ratchet);
	return judgement.findings;
}

/* Drop what there would be no more than a warning of. */
List *
dbkit_drop_warnings(List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (((Finding *) lfirst(lc))->level == LEVEL_WARNING)
			findings = foreach_delete_current(findings, lc);
	}
	return findings;
}
