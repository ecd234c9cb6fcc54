/*-------------------------------------------------------------------------
 *
 * rows.c
 *		Leave out what the rows that are there would have fail.
 *
 * A table is read as its owner, in a restricted operation, and only for who has the rights
 * of the owner.  Of a large one only some rows are: its constraints are added NOT VALID, and
 * whether all rows keep them is seen by a VALIDATE that makes nobody wait.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_inherits.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "common.h"
#include "as_owner.h"
#include "attempt.h"
#include "convention/fixes/fixes.h"
#include "convention/meant_table.h"
#include "relation_name.h"

/* A query for rows that a constraint would not allow, and who runs it */
typedef struct Search
{
	const char *query;
	Oid			role;
	bool		found;
} Search;

/* Run the query; an attempt.  Row level security would hide rows that a constraint does not overlook. */
static void
search(void *arg)
{
	Search	   *sought = arg;
	AsOwner		saved;

	dbkit_begin_as_owner(sought->role, SECURITY_NOFORCE_RLS, &saved);
	SPI_connect();
	(void) SPI_execute(sought->query, true, 1);
	sought->found = SPI_processed > 0;
	SPI_finish();
	dbkit_end_as_owner(&saved);
}

/*
 * Has the query no row?  An error, such as that the owner may not read another table, leaves
 * that unknown, which is as bad.  So it is for who could not ask.
 */
static bool
finds_nothing(const char *query, Oid role)
{
	Search		sought = {query, role, true};

	return has_privs_of_role(GetUserId(), role) &&
		dbkit_attempt(search, &sought, ATTEMPT_UNDONE) == NULL && !sought.found;
}

/* Write a query for the rows of a table in which a column is null. */
static char *
query_nulls(const char *table, const Action *action)
{
	return psprintf("SELECT FROM %s AS r WHERE r.%s IS NULL", table, quote_identifier(action->name));
}

/* Write a query for the rows of a table whose ids have another prefix; the CHECK is id LIKE '...'. */
static char *
query_other_prefixes(const char *table, const Action *action)
{
	return psprintf("SELECT FROM %s AS r WHERE NOT (%s)", table, action->text + strlen("CHECK "));
}

/*
 * The same for the default, generate_id('...'): rows whose ids have a prefix and others that
 * have none would be half a convention.
 */
static char *
query_other_ids(const char *table, const Action *action)
{
	const char *prefix = strrchr(action->text, '(') + strlen("('");

	return psprintf("SELECT FROM %s AS r WHERE NOT pg_catalog.starts_with(r.id, '%.*s_')", table,
					(int) (strlen(prefix) - strlen("')")), prefix);
}

/* Write a query for the rows of a table that reference nothing. */
static char *
query_orphans(const char *table, const Action *action)
{
	const char *referenced = dbkit_find_relation_name(action->referenced);
	const char *column = quote_identifier(action->name);

	return referenced == NULL ? NULL :
		psprintf("SELECT FROM %s AS r WHERE r.%s IS NOT NULL AND NOT EXISTS (SELECT FROM %s AS k WHERE k.id OPERATOR(pg_catalog.=) r.%s)",
				 table, column, referenced, column);
}

/* Write a query for the rows of a table that reference a row of another tenant. */
static char *
query_mixed(const char *table, const Action *action)
{
	return psprintf("SELECT FROM %s AS r WHERE %s", table, action->failing);
}

/* What rows may be in the way of, and how they are found */
static const struct
{
	ActionKind	kind;
	const char *name;			/* of the action, or NULL for any */
	char	   *(*query) (const char *table, const Action *action);
}			tests[] = {
	{ACTION_SET_NOT_NULL, NULL, query_nulls},
	{ACTION_SET_VALUE, "id", query_other_ids},
	{ACTION_ADD_CONSTRAINT, "id", query_other_prefixes},
	{ACTION_REFERENCE, NULL, query_orphans},
	{ACTION_REPLACE_KEY, NULL, query_mixed},
};

/* Write what to read of a table. */
static char *
write_source(const Fixed *object)
{
	return psprintf(object->large ? "(SELECT * FROM %s LIMIT 1000)" : "%s", dbkit_facts_identity(object->facts));
}

/*
 * Are a table and all its children in the hands of who has the role's rights anyway?  Who reads the rows
 * evaluates expressions of their indexes.
 */
static bool
is_readable(Oid relid, Oid role)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(relid, NoLock, NULL))
	{
		if (!dbkit_is_trusted(lfirst_oid(lc), role))
			return false;
	}
	return true;
}

/* May the action fail because of the rows? */
static bool
may_fail(const Fixed *object, const Action *action)
{
	for (size_t i = 0; i < lengthof(tests); i++)
	{
		char	   *query;

		if (tests[i].kind != action->kind ||
			(tests[i].name != NULL && strcmp(tests[i].name, action->name) != 0))
			continue;
		query = tests[i].query(write_source(object), action);
		return query == NULL || !is_readable(object->facts->objid, object->facts->owner) ||
			(OidIsValid(action->referenced) && !is_readable(action->referenced, object->facts->owner)) ||
			!finds_nothing(query, object->facts->owner);
	}
	return false;
}

/* Leave out those actions of a finding that would fail, with a constraint what makes room for it, and with a key all. */
static void
drop_impossible(const Fixed *object, const Finding *finding)
{
	bool		constraint = true;
	bool		key = true;
	ListCell   *lc;

	foreach(lc, finding->actions)
	{
		Action	   *action = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (action->sql == NULL || !may_fail(object, action))
			continue;
		action->sql = NULL;
		constraint &= action->kind != ACTION_ADD_CONSTRAINT;
		key &= action->kind != ACTION_REPLACE_KEY;
	}
	foreach(lc, finding->actions)
	{
		Action	   *action = lfirst(lc);

		if (!key || (!constraint && action->kind == ACTION_DROP_CONSTRAINT))
			action->sql = NULL;
	}
}

/* Leave out the actions that would fail because of the rows. */
void
dbkit_drop_impossible(List *objects)
{
	ListCell   *lc;

	foreach(lc, objects)
	{
		const Fixed *object = lfirst(lc);
		ListCell   *finding;

		foreach(finding, object->findings)
			drop_impossible(object, lfirst(finding));
	}
}
