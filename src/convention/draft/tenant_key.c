/*-------------------------------------------------------------------------
 *
 * tenant_key.c
 *		Give the foreign keys of a draft the tenant's column.
 *
 * An ALTER TABLE would do as well, as it does for a table that exists, but a new one
 * can have the key from the start, and no index that it does not need.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_constraint.h"
#include "utils/builtins.h"

#include "common.h"
#include "convention/draft/draft.h"
#include "relation_name.h"

/* Write the index for a foreign key of these columns, as the rules do. */
char *
dbkit_draft_write_index(const Draft *draft, const char *columns)
{
	return psprintf("CREATE INDEX ON %s (%s);", dbkit_facts_identity(draft->facts), columns);
}

/* Is a table the one that the draft is of, which may have been made anew? */
static bool
is_own_table(const Draft *draft, Oid relid)
{
	const char *name = dbkit_find_relation_name(relid);

	return name != NULL && strcmp(name, dbkit_facts_identity(draft->facts)) == 0;
}

/* Have another table get a key that the draft is to reference. */
void
dbkit_draft_add_referenced_key(Draft *draft, const Action *action)
{
	if (is_own_table(draft, action->referenced))
		dbkit_draft_add_after(draft, action->sql);
	else if (!dbkit_list_has_string(draft->prerequisites, action->sql))
		draft->prerequisites = lappend(draft->prerequisites, unconstify(char *, action->sql));
}

/* Find the foreign key that has that name, or will. */
static DraftConstraint *
find_foreign_key(const Draft *draft, const char *name)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *key = lfirst(lc);

		if (key->type == CONSTRAINT_FOREIGN && !key->dropped &&
			strcmp(key->name != NULL ? key->name : dbkit_chosen_name(draft->facts, key), name) == 0)
			return key;
	}
	return NULL;
}

/* Leave out the index that was added for columns, as another one serves. */
void
dbkit_draft_drop_index(Draft *draft, const char *columns)
{
	const char *sql = dbkit_draft_write_index(draft, columns);
	ListCell   *lc;

	foreach(lc, draft->additions)
	{
		if (strcmp(lfirst(lc), sql) == 0)
			draft->additions = foreach_delete_current(draft->additions, lc);
	}
}

/* Is another foreign key of the same columns? */
static bool
has_other_key(const Draft *draft, const DraftConstraint *key)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		const DraftConstraint *other = lfirst(lc);

		if (other != key && other->type == CONSTRAINT_FOREIGN && !other->dropped &&
			strcmp(dbkit_draft_list_columns(other->columns), dbkit_draft_list_columns(key->columns)) == 0)
			return true;
	}
	return false;
}

/* Leave out the indexes that the one for a key with the tenant's column makes needless. */
static void
drop_served_indexes(Draft *draft, const DraftConstraint *key, DraftColumn *tenant)
{
	const char *index = dbkit_draft_write_index(draft, dbkit_draft_list_columns(lcons(tenant, list_copy(key->columns))));

	if (dbkit_list_has_string(draft->additions, index))
		dbkit_draft_drop_index(draft, quote_identifier(tenant->name));
	if (!has_other_key(draft, key))
		dbkit_draft_drop_index(draft, dbkit_draft_list_columns(key->columns));
}

/*
 * Put a key with the tenant's column in the place of one without.  A table that references itself is
 * altered: the unique key comes only after it.
 */
void
dbkit_draft_replace_key(Draft *draft, const Action *action)
{
	DraftConstraint *key = find_foreign_key(draft, action->name);
	DraftColumn *tenant = unconstify(DraftColumn *, dbkit_draft_find_tenant_column(draft, TENANT_ORGANIZATION));

	if (key != NULL && tenant != NULL)
		drop_served_indexes(draft, key, tenant);
	if (key == NULL || tenant == NULL || key->referenced == draft->facts->objid)
		dbkit_draft_add_after(draft, action->sql);
	else
	{
		key->definition = action->text;
		key->columns = lappend(list_copy(key->columns), tenant);
	}
}
