/*-------------------------------------------------------------------------
 *
 * change_index.c
 *		Judge CREATE INDEX and new keys of a table in use.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "commands/defrem.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/change/change.h"
#include "convention/facts/expression.h"
#include "convention/rules/size_limits.h"
#include "relation_name.h"

/* An index that is to be built, with those of the partitions */
typedef struct NewIndex
{
	LiveChange *change;
	Finding    *finding;
	const char *unique;			/* "UNIQUE " or "" */
	const char *definition;		/* all that comes after the table's name */
	const char *constraint;		/* "PRIMARY KEY", "UNIQUE", or NULL */
	List	   *columns;		/* char *, for the names of indexes */
	const char *label;			/* likewise */
	const char *deferrable;		/* what a constraint has besides */
	const char *tail;			/* of a constraint's definition */
} NewIndex;

/* An index of a partition, or of the table itself */
typedef struct IndexName
{
	Oid			relid;
	const char *table;			/* qualified and quoted, both */
	const char *index;
	const char *name;			/* quoted, of the index alone */
} IndexName;

/* Join names with underscores, as PostgreSQL does for the name of an index. */
static char *
join_names(const List *names)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, names)
		appendStringInfo(&text, "%s%s", text.len > 0 ? "_" : "", (const char *) lfirst(lc));
	return text.data;
}

/* Join names with commas. */
static char *
list_names(const List *names)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, names)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", quote_identifier(strVal(lfirst(lc))));
	return text.data;
}

/* Say how the index of a table is to be called; false where the table is gone. */
static bool
name_index(const NewIndex *new, Oid relid, const char *given, IndexName *index)
{
	const char *table = get_rel_name(relid);
	Oid			namespace = get_rel_namespace(relid);
	const char *schema = get_namespace_name(namespace);
	const char *name;

	if (table == NULL || schema == NULL)
		return false;
	name = given != NULL ? given :
		ChooseRelationName(table, new->columns != NIL ? join_names(new->columns) : NULL, new->label, namespace, new->constraint != NULL);
	*index = (IndexName)
	{
		relid, quote_qualified_identifier(schema, table), quote_qualified_identifier(schema, name), quote_identifier(name)
	};
	return true;
}

/* Build the indexes of the partitions that have rows of their own, one after the other. */
static void
build_leaves(const NewIndex *new)
{
	ListCell   *lc;

	foreach(lc, find_all_inheritors(new->change->relid, NoLock, NULL))
	{
		IndexName	index;

		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION && name_index(new, lfirst_oid(lc), NULL, &index))
			dbkit_add_step(new->finding, "CREATE {unique}INDEX CONCURRENTLY {name} ON {table} {definition};",
						   "unique", new->unique, "name", index.name, "table", index.table, "definition", new->definition, NULL);
	}
}

/* Give a partition the constraint, by the index that it has. */
static void
add_constraint_using(const NewIndex *new, const IndexName *index)
{
	dbkit_add_step(new->finding, "ALTER TABLE {table} ADD CONSTRAINT {name} {constraint} USING INDEX {name}{deferrable};",
				   "table", index->table, "name", index->name, "constraint", new->constraint, "deferrable", new->deferrable, NULL);
}

/* Give a partitioned table the constraint or the index, without those of its partitions. */
static void
add_to_parent(const NewIndex *new, const IndexName *parent)
{
	dbkit_add_step(new->finding, new->constraint != NULL ?
				   "ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {constraint} {tail};" :
				   "CREATE {unique}INDEX {name} ON ONLY {table} {definition};",
				   "unique", new->unique, "name", parent->name, "table", parent->table, "definition", new->definition,
				   "constraint", new->constraint, "tail", new->tail, NULL);
}

/*
 * Make the index of a partitioned table from those of its partitions.  They come first, since
 * the columns of a primary key have to be NOT NULL in all of them.
 */
static void
attach_below(const NewIndex *new, const IndexName *parent)
{
	List	   *children = find_inheritance_children(parent->relid, NoLock);
	IndexName	index;
	ListCell   *lc;

	foreach(lc, children)
	{
		if (!name_index(new, lfirst_oid(lc), NULL, &index))
			continue;
		if (get_rel_relkind(lfirst_oid(lc)) == RELKIND_PARTITIONED_TABLE)
			attach_below(new, &index);
		else if (new->constraint != NULL)
			add_constraint_using(new, &index);
	}
	add_to_parent(new, parent);
	foreach(lc, children)
	{
		if (name_index(new, lfirst_oid(lc), NULL, &index))
			dbkit_add_step(new->finding, "ALTER INDEX {parent} ATTACH PARTITION {index};",
						   "parent", parent->index, "index", index.index, NULL);
	}
}

static bool
is_partitioned(const LiveChange *change)
{
	return get_rel_relkind(change->relid) == RELKIND_PARTITIONED_TABLE;
}

/* Return a word of a CREATE INDEX for the name of one: of a column, or "expr". */
static List *
index_columns(const IndexStmt *stmt)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, list_concat_copy(stmt->indexParams, stmt->indexIncludingParams))
	{
		const IndexElem *element = lfirst_node(IndexElem, lc);

		result = lappend(result, element->name != NULL ? element->name : pstrdup("expr"));
	}
	return result;
}

/* Return what comes after the table's name in a CREATE INDEX. */
static const char *
index_definition(const LiveChange *change)
{
	const IndexStmt *stmt = (const IndexStmt *) change->statement;
	StatementText text;
	int			first;

	if (!dbkit_read_statement_text(change->running, change->statement, &text) ||
		(first = dbkit_token_at(&text, stmt->relation->location)) < 0)
		return "(...)";
	first = dbkit_end_of_name(&text, first);
	if (first < text.n_tokens && text.tokens[first].code == '*')
		first++;
	return dbkit_tokens_as_text(&text, first, text.n_tokens);
}

/* Is there the index already that CREATE INDEX IF NOT EXISTS would make? */
static bool
index_exists(const IndexStmt *stmt, Oid relid)
{
	return stmt->if_not_exists && stmt->idxname != NULL &&
		OidIsValid(get_relname_relid(stmt->idxname, get_rel_namespace(relid)));
}

/* Judge a CREATE INDEX that would keep everybody from writing. */
void
dbkit_judge_create_index(LiveChange *change)
{
	const IndexStmt *stmt = (const IndexStmt *) change->statement;
	NewIndex	new = {.change = change,.unique = stmt->unique ? "UNIQUE " : "",.label = "idx"};
	IndexName	root;

	if (stmt->concurrent || !dbkit_meet_table(change, RangeVarGetRelid(stmt->relation, NoLock, true), stmt->relation->inh) ||
		index_exists(stmt, change->relid))
		return;
	new.finding = dbkit_find_unsafe(change, is_partitioned(change) ? UNSAFE_INDEX_OF_PARTITIONS : UNSAFE_INDEX, change->size, NULL);
	if (new.finding == NULL)
		return;
	new.definition = index_definition(change);
	new.columns = index_columns(stmt);
	if (!is_partitioned(change))
		dbkit_add_step(new.finding, "CREATE {unique}INDEX CONCURRENTLY {name}ON {table} {definition};",
					   "unique", new.unique, "table", change->table, "definition", new.definition, "name", stmt->idxname != NULL ? psprintf("%s ", quote_identifier(stmt->idxname)) : "", NULL);
	else if (name_index(&new, change->relid, stmt->idxname, &root))
	{
		build_leaves(&new);
		dbkit_begin_locks(new.finding);
		attach_below(&new, &root);
		dbkit_end_locks(new.finding);
	}
}

/* Does the statement drop the constraint?  Then it proves nothing: that comes first. */
static bool
is_dropped(const LiveChange *change, const char *constraint)
{
	ListCell   *lc;

	foreach(lc, ((const AlterTableStmt *) change->statement)->cmds)
	{
		const AlterTableCmd *command = lfirst_node(AlterTableCmd, lc);

		if (command->subtype == AT_DropConstraint && strcmp(command->name, constraint) == 0)
			return true;
	}
	return false;
}

/* Return the size of what does not prove that a column is not null: of a table, its partitions and children. */
uint64
dbkit_unproven_size(const LiveChange *change, const char *column)
{
	uint64		size = 0;
	ListCell   *lc;

	foreach(lc, change->inherits ? find_all_inheritors(change->relid, NoLock, NULL) : list_make1_oid(change->relid))
	{
		Relation	rel = try_relation_open(lfirst_oid(lc), AccessShareLock);
		AttrNumber	attnum;
		bool		proven;

		if (rel == NULL)
			continue;
		attnum = get_attnum(RelationGetRelid(rel), column);
		proven = attnum <= 0 || dbkit_column_is_set(RelationGetDescr(rel), attnum);
		for (int i = 0; !proven && rel->rd_att->constr != NULL && i < rel->rd_att->constr->num_check; i++)
		{
			const ConstrCheck *check = &rel->rd_att->constr->check[i];

			proven = check->ccvalid && !is_dropped(change, check->ccname) && dbkit_proves_not_null(check->ccbin, attnum);
		}
		relation_close(rel, AccessShareLock);
		if (!proven)
			size += dbkit_table_size(lfirst_oid(lc), false);
	}
	return size;
}

/*
 * Add the steps that prove by a CHECK that a column is not null, so that SET NOT NULL reads no row.
 * Returns the name of the CHECK.
 */
char *
dbkit_add_proof(LiveChange *change, Finding *finding, const char *column)
{
	char	   *name = dbkit_choose_constraint_name(change, column, "check");

	dbkit_add_step(finding, "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;",
				   "table", change->table, "name", quote_identifier(name), "column", quote_identifier(column), NULL);
	dbkit_add_step(finding, "ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
				   "table", change->table, "name", quote_identifier(name), NULL);
	return name;
}

/* Write the columns of a key, and what else its index has: as a constraint, or as CREATE INDEX has it. */
static char *
write_key(const Constraint *key, List *columns, bool constraint)
{
	const char *nulls = key->nulls_not_distinct ? "NULLS NOT DISTINCT" : "";
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	appendStringInfo(&text, "%s%s(%s)", constraint ? nulls : "", constraint && *nulls ? " " : "", list_names(columns));
	if (key->including != NIL)
		appendStringInfo(&text, " INCLUDE (%s)", list_names(key->including));
	if (!constraint && *nulls)
		appendStringInfo(&text, " %s", nulls);
	foreach(lc, key->options)
	{
		DefElem    *option = lfirst_node(DefElem, lc);

		appendStringInfo(&text, "%s%s = %s", lc == list_head(key->options) ? " WITH (" : ", ",
						 quote_identifier(option->defname), option->arg != NULL ? defGetString(option) : "true");
	}
	if (key->options != NIL)
		appendStringInfoChar(&text, ')');
	if (key->indexspace != NULL)
		appendStringInfo(&text, "%s TABLESPACE %s", constraint ? " USING INDEX" : "", quote_identifier(key->indexspace));
	return text.data;
}

/* The steps of a key: its indexes, the proofs that a primary key needs, the constraint. */
static void
add_key_steps(NewIndex *new, const Constraint *key, List *columns, const IndexName *root)
{
	List	   *proofs = NIL;
	ListCell   *lc;

	if (is_partitioned(new->change))
		build_leaves(new);
	else
		dbkit_add_step(new->finding, "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {definition};",
					   "name", root->name, "table", root->table, "definition", new->definition, NULL);
	dbkit_begin_locks(new->finding);
	foreach(lc, key->contype == CONSTR_PRIMARY ? columns : NIL)
	{
		if (dbkit_unproven_size(new->change, strVal(lfirst(lc))) > 0)
			proofs = lappend(proofs, dbkit_add_proof(new->change, new->finding, strVal(lfirst(lc))));
	}
	if (is_partitioned(new->change))
		attach_below(new, root);
	else
		add_constraint_using(new, root);
	foreach(lc, proofs)
		dbkit_add_step(new->finding, "ALTER TABLE {table} DROP CONSTRAINT {name};",
					   "table", root->table, "name", quote_identifier(lfirst(lc)), NULL);
	dbkit_end_locks(new->finding);
}

/*
 * Judge a new PRIMARY KEY or UNIQUE of some columns (String *) that builds its index.
 */
void
dbkit_judge_key(LiveChange *change, const Constraint *key, List *columns)
{
	bool		primary = key->contype == CONSTR_PRIMARY;
	NewIndex	new = {.change = change,.unique = "UNIQUE ",.constraint = primary ? "PRIMARY KEY" : "UNIQUE",
	.label = primary ? "pkey" : "key"};
	IndexName	root;
	ListCell   *lc;

	if (key->contype == CONSTR_EXCLUSION || dbkit_is_temporal_key(key))
	{
		dbkit_find_unsafe(change, UNSAFE_EXCLUSION, change->size, NULL);
		return;
	}
	foreach(lc, primary ? NIL : list_concat_copy(columns, key->including))
		new.columns = lappend(new.columns, strVal(lfirst(lc)));
	new.finding = dbkit_find_unsafe(change, primary ? UNSAFE_PRIMARY_KEY : UNSAFE_UNIQUE, change->size, NULL);
	if (new.finding == NULL || !name_index(&new, change->relid, key->conname, &root))
		return;
	new.definition = write_key(key, columns, false);
	new.deferrable = key->initdeferred ? " DEFERRABLE INITIALLY DEFERRED" : key->deferrable ? " DEFERRABLE" : "";
	new.tail = psprintf("%s%s", write_key(key, columns, true), new.deferrable);
	add_key_steps(&new, key, columns, &root);
}
