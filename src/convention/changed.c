/*-------------------------------------------------------------------------
 *
 * changed.c
 *		The objects that the transaction created or changed.
 *
 * What happened to an object is kept in parts, one for each level of nested
 * subtransactions, so that what is rolled back is forgotten.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "common.h"
#include "convention/changed.h"

/* What the subtransactions of one level did to an object */
typedef struct Part
{
	int			nest_level;
	bool		pending;		/* by the statement that is ending */
	ChangedObject what;
} Part;

typedef struct Entry
{
	/* the key */
	Oid			classid;
	Oid			objid;

	uint64		order;			/* of the first change */
	List	   *parts;			/* Part *, at most two of a level */
	bool		listed;			/* in "pending" */
} Entry;

/* All entries of the transaction, in TopTransactionContext; NULL for none */
static HTAB *entries = NULL;

/* Those with pending parts, in the same context */
static List *pending = NIL;

/* The deepest level that may have a part */
static int	deepest = 0;

/* Counts them, also those that are forgotten again */
static uint64 count = 0;

/* Counts how often something was noted or forgotten */
static uint64 changes = 0;

/* Is something said about indexes? */
static bool
concerns_indexes(Change change)
{
	return ((change.added | change.changed) & FACT_INDEXES) != 0;
}

/* Add to what happened to an object; return whether that is more than before. */
static bool
merge(ChangedObject *object, const ChangedObject *more)
{
	Change		before = object->change;

	if (!concerns_indexes(before))
		object->index = more->index;
	else if (concerns_indexes(more->change) && object->index != more->index)
		object->index = InvalidOid;
	object->change.added |= more->change.added;
	object->change.changed |= more->change.changed;
	if (OidIsValid(more->model))
		object->model = more->model;
	object->concurrently = Max(object->concurrently, more->concurrently);
	object->later |= more->later;
	return object->change.added != before.added || object->change.changed != before.changed;
}

/* Return an object's entry, a new one if need be. */
static Entry *
get_entry(Oid classid, Oid objid)
{
	Oid			key[2] = {classid, objid};
	Entry	   *entry;
	bool		found;

	if (entries == NULL)
	{
		HASHCTL		ctl = {
			.keysize = 2 * sizeof(Oid),
			.entrysize = sizeof(Entry),
			.hcxt = TopTransactionContext
		};

		entries = hash_create("dbkit changed objects", 64, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(entries, key, HASH_ENTER, &found);
	if (!found)
	{
		entry->order = ++count;
		entry->parts = NIL;
		entry->listed = false;
	}
	return entry;
}

/* Return a part of an entry, or NULL. */
static Part *
find_part(const Entry *entry, int nest_level, bool is_pending)
{
	ListCell   *lc;

	foreach(lc, entry->parts)
	{
		Part	   *part = lfirst(lc);

		if (part->nest_level == nest_level && part->pending == is_pending)
			return part;
	}
	return NULL;
}

/* Add to a part of an entry; return whether that is more than before. */
static bool
add_part(Entry *entry, int nest_level, bool is_pending, const ChangedObject *what)
{
	Part	   *part = find_part(entry, nest_level, is_pending);
	MemoryContext caller;

	if (part != NULL)
		return merge(&part->what, what);
	caller = MemoryContextSwitchTo(TopTransactionContext);
	part = palloc(sizeof(Part));
	part->nest_level = nest_level;
	deepest = Max(deepest, nest_level);
	part->pending = is_pending;
	part->what = *what;
	entry->parts = lappend(entry->parts, part);
	if (is_pending && !entry->listed)
		pending = lappend(pending, entry);
	entry->listed |= is_pending;
	MemoryContextSwitchTo(caller);
	return true;
}

/*
 * Note what the statement that is ending did to an object; return whether it was
 * not known to have done as much.
 */
bool
dbkit_note_change(const ChangedObject *object)
{
	changes++;
	return add_part(get_entry(object->classid, object->objid),
					GetCurrentTransactionNestLevel(), true, object);
}

static int
compare_order(const ListCell *a, const ListCell *b)
{
	const Entry *left = lfirst(a);
	const Entry *right = lfirst(b);

	return left->order < right->order ? -1 : left->order > right->order ? 1 : 0;
}

/* Forget a part of an entry. */
static void
drop_part(Entry *entry, Part *part)
{
	entry->parts = list_delete_ptr(entry->parts, part);
	pfree(part);
}

/* Has an entry a part that is pending? */
static bool
is_waiting(const Entry *entry)
{
	ListCell   *lc;

	foreach(lc, entry->parts)
	{
		if (((const Part *) lfirst(lc))->pending)
			return true;
	}
	return false;
}

/* Take the entries off the list that have no pending part any more. */
static void
unlist(void)
{
	ListCell   *lc;

	foreach(lc, pending)
	{
		Entry	   *entry = lfirst(lc);

		entry->listed = is_waiting(entry);
		if (!entry->listed)
			pending = foreach_delete_current(pending, lc);
	}
}

/* Forget an entry of which no part is left. */
static void
drop_if_empty(Entry *entry)
{
	Oid			key[2] = {entry->classid, entry->objid};

	if (entry->parts == NIL)
		(void) hash_search(entries, key, HASH_REMOVE, NULL);
}

/*
 * Take from an entry what the statement that is ending did at this level, NULL for
 * nothing; keep it for the commit if "enforced", and that there was something if "later".
 * No deeper level is left by now.
 */
static ChangedObject *
take_pending(Entry *entry, int level, bool enforced, bool later)
{
	Part	   *part = find_part(entry, level, true);
	ChangedObject *result;
	ChangedObject kept;
	ListCell   *lc;

	if (part == NULL)
		return NULL;
	result = palloc(sizeof(ChangedObject));
	*result = part->what;
	drop_part(entry, part);
	kept = *result;
	kept.later = later;
	if (!enforced)
		kept.change = (Change)
	{
		0, 0
	};
	if (enforced || later)
		(void) add_part(entry, level, false, &kept);
	/* How it was made may be known of an earlier statement */
	foreach(lc, entry->parts)
	{
		if (!OidIsValid(result->model))
			result->model = ((const Part *) lfirst(lc))->what.model;
	}
	return result;
}

/*
 * Return what the statement that is ending changed, once, as a list of ChangedObject
 * in the order of their first change.  If they are to be judged at commit as well,
 * "enforced" is set; if all is left to the commit, "later".
 *
 * A statement may end within another one, in somebody's event trigger: what
 * that one changed is left to it if an error here could be caught in between.
 */
List *
dbkit_changed_by_statement(bool enforced, bool later)
{
	int			level = GetCurrentTransactionNestLevel();
	List	   *waiting = list_copy(pending);
	List	   *result = NIL;
	ListCell   *lc;

	list_sort(waiting, compare_order);
	foreach(lc, waiting)
	{
		Entry	   *entry = lfirst(lc);
		ChangedObject *object = take_pending(entry, level, enforced, later);

		if (object != NULL)
			result = lappend(result, object);
	}
	unlist();
	foreach(lc, waiting)
		drop_if_empty(lfirst(lc));
	list_free(waiting);
	return result;
}

/* Return all that was done to an object and is not pending, by whatever level; NULL for nothing. */
static ChangedObject *
merge_parts(const Entry *entry)
{
	ChangedObject *result = NULL;
	ListCell   *lc;

	foreach(lc, entry->parts)
	{
		const Part *part = lfirst(lc);

		if (part->pending)
			continue;
		if (result != NULL)
		{
			(void) merge(result, &part->what);
			continue;
		}
		result = palloc(sizeof(ChangedObject));
		*result = part->what;
	}
	return result;
}

/*
 * Return what the transaction changed that is to be judged at commit, likewise.  A
 * COMMIT commits the subtransactions that are open.
 */
List *
dbkit_changed_by_transaction(void)
{
	List	   *sorted = NIL;
	List	   *result = NIL;
	HASH_SEQ_STATUS status;
	Entry	   *entry;
	ListCell   *lc;

	hash_seq_init(&status, entries);
	while ((entry = hash_seq_search(&status)) != NULL)
		sorted = lappend(sorted, entry);
	list_sort(sorted, compare_order);
	foreach(lc, sorted)
	{
		ChangedObject *object = merge_parts(lfirst(lc));

		if (object != NULL)
			result = lappend(result, object);
	}
	return result;
}

/* Is everything about an object to be judged at commit? */
bool
dbkit_is_changed_whole(Oid classid, Oid objid)
{
	Oid			key[2] = {classid, objid};
	const Entry *entry = entries != NULL ? hash_search(entries, key, HASH_FIND, NULL) : NULL;
	ListCell   *lc;

	if (entry == NULL)
		return false;
	foreach(lc, entry->parts)
	{
		const Part *part = lfirst(lc);

		if (!part->pending && part->what.change.changed == FACT_ALL &&
			part->what.concurrently == CONCURRENTLY_NOT)
			return true;
	}
	return false;
}

/* Has the transaction changed anything? */
bool
dbkit_transaction_changed(void)
{
	return entries != NULL;
}

/* Note that an object changed again of which everything is to be judged anyway. */
void
dbkit_note_covered_change(void)
{
	changes++;
}

/* Return how often it was noted that something changed, or that being forgotten. */
uint64
dbkit_count_changes(void)
{
	return changes;
}

/* Forget everything at the end of the transaction. */
static void
at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
	{
		/* TopTransactionContext goes with it */
		entries = NULL;
		pending = NIL;
		deepest = 0;
	}
}

/* Forget what a subtransaction of that level did, or make it its parent's. */
static void
end_level(Entry *entry, int level, bool committed)
{
	for (int i = list_length(entry->parts) - 1; i >= 0; i--)
	{
		Part	   *part = list_nth(entry->parts, i);

		if (part->nest_level < level)
			continue;
		if (committed)
			(void) add_part(entry, level - 1, part->pending, &part->what);
		drop_part(entry, part);
	}
}

static void
at_subtransaction_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
					  SubTransactionId parent pg_attribute_unused(),
					  void *arg pg_attribute_unused())
{
	int			level = GetCurrentTransactionNestLevel();
	HASH_SEQ_STATUS status;
	Entry	   *entry;

	if (deepest < level ||
		(event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB))
		return;
	changes += event == SUBXACT_EVENT_ABORT_SUB ? 1 : 0;
	hash_seq_init(&status, entries);
	while ((entry = hash_seq_search(&status)) != NULL)
		end_level(entry, level, event == SUBXACT_EVENT_COMMIT_SUB);
	unlist();
	hash_seq_init(&status, entries);
	while ((entry = hash_seq_search(&status)) != NULL)
		drop_if_empty(entry);
	deepest = level - 1;
}

/* Watch transactions end. */
void
dbkit_changed_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
}
