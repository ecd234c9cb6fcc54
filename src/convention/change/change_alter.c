/*-------------------------------------------------------------------------
 *
 * change_alter.c
 *		Judge ALTER TABLE, action by action.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "commands/event_trigger.h"
#include "commands/tablecmds.h"
#include "nodes/nodeFuncs.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/change/change.h"
#include "convention/rules/size_limits.h"
#include "relation_name.h"

/* An action of an ALTER TABLE that is being judged */
typedef struct AlterAction
{
	LiveChange *change;
	const AlterTableCmd *command;
	const StatementText *text;	/* NULL where it is not known */
	int			first;			/* its tokens */
	int			end;
} AlterAction;

static const AlterTableStmt *
statement_of(const LiveChange *change)
{
	return (const AlterTableStmt *) change->statement;
}

/* Return the text of an action from a token on, or "..." where it is not known. */
static char *
text_from(const AlterAction *action, int first)
{
	return action->text != NULL && first >= 0 ? dbkit_tokens_as_text(action->text, first, action->end) : pstrdup("...");
}

static void
judge_not_null(AlterAction *action)
{
	const char *column = action->command->name;
	Finding    *finding = dbkit_find_unsafe(action->change, UNSAFE_NOT_NULL, dbkit_unproven_size(action->change, column), column);
	char	   *check;

	if (finding == NULL)
		return;
	dbkit_begin_locks(finding);
	check = dbkit_add_proof(action->change, finding, column);
	dbkit_add_step(finding, "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;",
				   "table", action->change->table, "column", quote_identifier(column), NULL);
	dbkit_add_step(finding, "ALTER TABLE {table} DROP CONSTRAINT {check};",
				   "table", action->change->table, "check", quote_identifier(check), NULL);
	dbkit_end_locks(finding);
}

/* Choose a name for a constraint, as PostgreSQL does, which none has, nor another step. */
char *
dbkit_choose_constraint_name(LiveChange *change, const char *column, const char *label)
{
	const char *table = get_rel_name(change->relid);
	char	   *name;

	/*
	 * Nothing keeps the table from being dropped meanwhile; then nobody will
	 * read the name
	 */
	name = ChooseConstraintName(table != NULL ? table : "", column, label, get_rel_namespace(change->relid), change->names);
	change->names = lappend(change->names, name);
	return name;
}

/* Collect the names of the columns (String *) in an expression that is not analyzed yet. */
static bool
collect_columns(Node *node, void *context)
{
	List	  **names = context;

	if (node == NULL)
		return false;
	if (IsA(node, ColumnRef) && IsA(llast(((ColumnRef *) node)->fields), String))
		*names = list_append_unique(*names, llast(((ColumnRef *) node)->fields));
	return raw_expression_tree_walker(node, collect_columns, context);
}

/* Join the names of columns (String *) with underscores; NULL for none. */
static char *
join_columns(const List *columns)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, columns)
		appendStringInfo(&text, "%s%s", text.len > 0 ? "_" : "", strVal(lfirst(lc)));
	return text.len > 0 ? text.data : NULL;
}

/* Return the name that a constraint has, or the one that PostgreSQL would give it. */
static const char *
constraint_name(LiveChange *change, const Constraint *constraint, const char *column)
{
	List	   *columns = NIL;

	if (constraint->conname != NULL)
		return constraint->conname;
	switch (constraint->contype)
	{
		case CONSTR_CHECK:
			(void) collect_columns(constraint->raw_expr, &columns);
			return dbkit_choose_constraint_name(change, list_length(columns) == 1 ? strVal(linitial(columns)) : NULL, "check");
		case CONSTR_FOREIGN:
			return dbkit_choose_constraint_name(change, column != NULL ? column : join_columns(constraint->fk_attrs), "fkey");
		default:
			return dbkit_choose_constraint_name(change, column, "not_null");
	}
}

/* Add the steps that add a constraint and validate it later. */
static void
add_in_two_steps(Finding *finding, const char *table, const char *name, const char *definition)
{
	dbkit_add_step(finding, "ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID;",
				   "table", table, "name", quote_identifier(name), "definition", definition, NULL);
	dbkit_add_step(finding, "ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
				   "table", table, "name", quote_identifier(name), NULL);
}

/*
 * Add the steps of a foreign key.  Before PostgreSQL 18 that of a partitioned table cannot be NOT VALID;
 * it takes over what its partitions have.
 */
static void
add_foreign_key(LiveChange *change, Finding *finding, const char *name, const char *definition)
{
	ListCell   *lc;

	if (get_rel_relkind(change->relid) != RELKIND_PARTITIONED_TABLE)
	{
		add_in_two_steps(finding, change->table, name, definition);
		return;
	}
	foreach(lc, find_all_inheritors(change->relid, NoLock, NULL))
	{
		const char *leaf = get_rel_relkind(lfirst_oid(lc)) == RELKIND_RELATION ? dbkit_find_relation_name(lfirst_oid(lc)) : NULL;

		if (leaf != NULL)
			add_in_two_steps(finding, leaf, name, definition);
	}
	dbkit_add_step(finding, "ALTER TABLE {table} ADD CONSTRAINT {name} {definition};",
				   "table", change->table, "name", quote_identifier(name), "definition", definition, NULL);
}

/* Is it a foreign key of these columns (String *) to that table, to which all rows are known to keep? */
static bool
is_same_key(Relation rel, const ForeignKeyCacheInfo *key, const List *columns, Oid referenced)
{
	HeapTuple	tuple;
	bool		result;
	ListCell   *lc;

	if (key->confrelid != referenced || key->nkeys != list_length(columns))
		return false;
	foreach(lc, columns)
	{
		if (get_attnum(RelationGetRelid(rel), strVal(lfirst(lc))) != key->conkey[foreach_current_index(lc)])
			return false;
	}
	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->conoid));
	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_constraint) GETSTRUCT(tuple))->convalidated;
	ReleaseSysCache(tuple);
	return result;
}

/* Return the size of what a new foreign key reads: of partitions that have it already, nothing. */
static uint64
unreferenced_size(const LiveChange *change, const Constraint *constraint)
{
	Oid			referenced = RangeVarGetRelid(constraint->pktable, NoLock, true);
	uint64		size = 0;
	ListCell   *lc;

	foreach(lc, change->inherits ? find_all_inheritors(change->relid, NoLock, NULL) : list_make1_oid(change->relid))
	{
		Relation	rel = try_relation_open(lfirst_oid(lc), AccessShareLock);
		bool		kept = false;
		ListCell   *cell;

		if (rel == NULL)
			continue;
		foreach(cell, rel->rd_rel->relispartition ? RelationGetFKeyList(rel) : NIL)
			kept |= is_same_key(rel, lfirst(cell), constraint->fk_attrs, referenced);
		relation_close(rel, AccessShareLock);
		size += kept ? 0 : dbkit_table_size(lfirst_oid(lc), false);
	}
	return size;
}

/* Find a constraint wrong that is validated at once. */
static void
judge_validated(LiveChange *change, const Constraint *constraint, const char *column, const char *definition)
{
	bool		foreign = constraint->contype == CONSTR_FOREIGN;
	uint64		size = foreign ? unreferenced_size(change, constraint) : change->size;
	Finding    *finding = dbkit_find_unsafe(change, foreign ? UNSAFE_FOREIGN_KEY : UNSAFE_CHECK, size, column);
	const char *name;

	if (finding == NULL)
		return;
	name = constraint_name(change, constraint, column);
	dbkit_begin_locks(finding);
	if (foreign)
		add_foreign_key(change, finding, name, definition);
	else
		add_in_two_steps(finding, change->table, name, definition);
	dbkit_end_locks(finding);
}

/* Judge the key that takes over an index: the columns of a primary key must be known to have no nulls. */
static void
judge_key_using_index(AlterAction *action, const Constraint *key)
{
	LiveChange *change = action->change;
	Oid			index = get_relname_relid(key->indexname, get_rel_namespace(change->relid));
	Relation	rel = OidIsValid(index) && get_rel_relkind(index) == RELKIND_INDEX ? try_relation_open(index, AccessShareLock) : NULL;
	Finding    *finding = NULL;
	List	   *checks = NIL;
	ListCell   *lc;

	if (rel == NULL)
		return;
	for (int i = 0; key->contype == CONSTR_PRIMARY && i < IndexRelationGetNumberOfKeyAttributes(rel); i++)
	{
		const char *column = get_attname(change->relid, rel->rd_index->indkey.values[i], true);
		uint64		size = column != NULL ? dbkit_unproven_size(change, column) : 0;

		if (size == 0 || (finding == NULL && (finding = dbkit_find_unsafe(change, UNSAFE_NOT_NULL, size, column)) == NULL))
			continue;
		if (checks == NIL)
			dbkit_begin_locks(finding);
		checks = lappend(checks, dbkit_add_proof(change, finding, column));
	}
	relation_close(rel, AccessShareLock);
	if (finding == NULL)
		return;
	dbkit_add_step(finding, "ALTER TABLE {table} {action};",
				   "table", change->table, "action", text_from(action, action->first), NULL);
	foreach(lc, checks)
		dbkit_add_step(finding, "ALTER TABLE {table} DROP CONSTRAINT {check};",
					   "table", change->table, "check", quote_identifier(lfirst(lc)), NULL);
	dbkit_end_locks(finding);
}

/* Return the definition of the constraint that an action adds, without its name. */
static char *
definition_of(const AlterAction *action, const Constraint *constraint)
{
	/* ADD [CONSTRAINT name] ... */
	return text_from(action, action->first + (constraint->conname != NULL ? 3 : 1));
}

static void
judge_add_constraint(AlterAction *action)
{
	LiveChange *change = action->change;
	const Constraint *constraint = (const Constraint *) action->command->def;

	switch (constraint->contype)
	{
		case CONSTR_CHECK:
		case CONSTR_FOREIGN:
			if (!constraint->skip_validation && !dbkit_is_unenforced(constraint))
				judge_validated(change, constraint, NULL, definition_of(action, constraint));
			break;
#if PG_VERSION_NUM >= 180000
		case CONSTR_NOTNULL:
			if (!constraint->skip_validation && dbkit_unproven_size(change, strVal(linitial(constraint->keys))) > 0)
				judge_validated(change, constraint, strVal(linitial(constraint->keys)), definition_of(action, constraint));
			break;
#endif
		case CONSTR_PRIMARY:
		case CONSTR_UNIQUE:
		case CONSTR_EXCLUSION:
			if (constraint->indexname != NULL)
				judge_key_using_index(action, constraint);
			else
				dbkit_judge_key(change, constraint, constraint->keys);
			break;
		default:
			break;
	}
}

/* Is there the column already that ADD COLUMN IF NOT EXISTS would add? */
static bool
column_exists(const AlterAction *action)
{
	return action->command->missing_ok &&
		get_attnum(action->change->relid, ((const ColumnDef *) action->command->def)->colname) != InvalidAttrNumber;
}

/* Return the constraint at a place of a column's list, with the attributes that come after it. */
static Constraint *
with_attributes(const ColumnDef *column, int place)
{
	Constraint *result = copyObject(list_nth_node(Constraint, column->constraints, place));

	for (int i = place + 1; i < list_length(column->constraints); i++)
	{
		ConstrType	type = list_nth_node(Constraint, column->constraints, i)->contype;

		if (type < CONSTR_ATTR_DEFERRABLE)
			break;
		result->initdeferred |= type == CONSTR_ATTR_DEFERRED;
		result->deferrable |= type == CONSTR_ATTR_DEFERRABLE || type == CONSTR_ATTR_DEFERRED;
	}
	return result;
}

/* Judge a constraint of a new column.  Without a default no row refers to anything (transformAlterTableStmt()). */
static void
judge_column_constraint(AlterAction *action, const ColumnDef *column, const Constraint *constraint, bool has_default)
{
	LiveChange *change = action->change;
	const char *definition = action->text == NULL ? "..." : dbkit_column_part(action->text, column, constraint);

	switch (constraint->contype)
	{
		case CONSTR_FOREIGN:
			if (!has_default)
				break;
			definition = psprintf("FOREIGN KEY (%s) %s", quote_identifier(column->colname), definition);
			/* FALLTHROUGH */
		case CONSTR_CHECK:
			if (!dbkit_is_unenforced(constraint))
				judge_validated(change, constraint, column->colname, definition);
			break;
		case CONSTR_PRIMARY:
		case CONSTR_UNIQUE:
			dbkit_judge_key(change, constraint, list_make1(makeString(column->colname)));
			break;
		default:
			break;
	}
}

/* Judge a new column by its constraints; the column comes before those that are added later. */
static void
judge_add_column(AlterAction *action)
{
	const ColumnDef *column = (const ColumnDef *) action->command->def;
	List	  **findings = &action->change->findings;
	int			before = list_length(*findings);
	bool		has_default = column->raw_default != NULL;
	List	   *later = NIL;
	ListCell   *lc;

	if (column_exists(action))
		return;
	foreach(lc, column->constraints)
		has_default |= lfirst_node(Constraint, lc)->contype == CONSTR_DEFAULT;
	foreach(lc, column->constraints)
	{
		int			found = list_length(*findings);

		judge_column_constraint(action, column, with_attributes(column, foreach_current_index(lc)), has_default);
		if (list_length(*findings) > found)
			later = lappend(later, lfirst(lc));
	}
	if (later != NIL)
		dbkit_prepend_step(list_nth(*findings, before),
						   psprintf("ALTER TABLE %s ADD COLUMN %s;", action->change->table, action->text == NULL ? "..." :
									dbkit_column_without(action->text, column, later)));
}

/* Has the table a constraint of that name that is not validated yet? */
static bool
is_unvalidated(Oid relid, const char *name)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(get_relation_constraint_oid(relid, name, true)));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = !((Form_pg_constraint) GETSTRUCT(tuple))->convalidated;
	ReleaseSysCache(tuple);
	return result;
}

/* Does this transaction, or will the statement, block writers of the table? */
static bool
is_blocked(const LiveChange *change)
{
	Relation	rel = try_relation_open(change->relid, AccessShareLock);
	bool		result;

	if (rel == NULL)
		return false;
	result = CheckRelationLockedByMe(rel, ShareLock, true) || AlterTableGetLockLevel(statement_of(change)->cmds) >= ShareLock;
	relation_close(rel, AccessShareLock);
	return result;
}

static void
judge_validate(AlterAction *action)
{
	LiveChange *change = action->change;
	Finding    *finding;

	if (!is_unvalidated(change->relid, action->command->name) || !is_blocked(change) ||
		(finding = dbkit_find_unsafe(change, UNSAFE_VALIDATION, change->size, NULL)) == NULL)
		return;
	dbkit_add_step(finding, "ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
				   "table", change->table, "name", quote_identifier(action->command->name), NULL);
}

/* Judge a DETACH PARTITION, which where there is a default partition cannot be CONCURRENTLY. */
static void
judge_detach(AlterAction *action)
{
	const PartitionCmd *detach = (const PartitionCmd *) action->command->def;
	Oid			partition = detach->concurrent ? InvalidOid : RangeVarGetRelid(detach->name, NoLock, true);
	const char *name = OidIsValid(partition) ? dbkit_find_relation_name(partition) : NULL;
	Finding    *finding;

	if (name == NULL || OidIsValid(get_default_partition_oid(action->change->relid)) ||
		(finding = dbkit_find_unsafe(action->change, UNSAFE_DETACH, action->change->size, NULL)) == NULL)
		return;
	dbkit_add_step(finding, "ALTER TABLE {table} DETACH PARTITION {name} CONCURRENTLY;",
				   "table", action->change->table, "name", name, NULL);
}

/* Judge a move to another tablespace; that of a partitioned table is for new partitions. */
static void
judge_tablespace(AlterAction *action)
{
	if (get_rel_relkind(action->change->relid) != RELKIND_PARTITIONED_TABLE)
		dbkit_find_unsafe(action->change, UNSAFE_MOVE, dbkit_table_size(action->change->relid, false), NULL);
}

static void
judge_drop_column(AlterAction *action)
{
	dbkit_find_unsafe(action->change, BREAKING_DROP, action->change->size, action->command->name);
}

static void
judge_new_type(AlterAction *action)
{
	dbkit_find_unsafe(action->change, BREAKING_TYPE, action->change->size, action->command->name);
}

static bool
retype(AlterAction *action, Finding *finding)
{
	return dbkit_add_retype_steps(action->change, finding, action->text, action->first, action->command);
}

static bool
fill(AlterAction *action, Finding *finding)
{
	return dbkit_add_column_steps(action->change, finding, action->text, (const ColumnDef *) action->command->def);
}

/* What is judged before an ALTER TABLE begins */
static const struct
{
	AlterTableType type;
	void		(*judge) (AlterAction *action);
}			judged[] = {
	{AT_AddColumn, judge_add_column},
	{AT_AddConstraint, judge_add_constraint},
	{AT_AlterColumnType, judge_new_type},
	{AT_DetachPartition, judge_detach},
	{AT_DropColumn, judge_drop_column},
	{AT_SetNotNull, judge_not_null},
	{AT_SetTableSpace, judge_tablespace},
	{AT_ValidateConstraint, judge_validate},
};

/* What can rewrite a table, for which reasons, and what to do instead */
static const struct
{
	AlterTableType type;
	int			reasons;
	UnsafeChange unsafe;
	bool		(*add_steps) (AlterAction *action, Finding *finding);	/* false: there are none */
}			rewrites[] = {
	{AT_AddColumn, AT_REWRITE_DEFAULT_VAL, UNSAFE_COLUMN, fill},
	{AT_AlterColumnType, AT_REWRITE_COLUMN_REWRITE, UNSAFE_COLUMN, retype},
#if PG_VERSION_NUM >= 170000
	{AT_SetExpression, AT_REWRITE_DEFAULT_VAL, UNSAFE_COLUMN, NULL},
#endif
	{AT_SetLogged, AT_REWRITE_ALTER_PERSISTENCE, UNSAFE_STORAGE, NULL},
	{AT_SetUnLogged, AT_REWRITE_ALTER_PERSISTENCE, UNSAFE_STORAGE, NULL},
	{AT_SetAccessMethod, AT_REWRITE_ACCESS_METHOD, UNSAFE_STORAGE, NULL},
};

static void
judge_action(AlterAction *action)
{
	for (size_t i = 0; i < lengthof(judged); i++)
	{
		if (judged[i].type == action->command->subtype)
			judged[i].judge(action);
	}
}

/* Return where the first action of the statement begins, or -1. */
static int
first_action(const StatementText *text, const AlterTableStmt *stmt)
{
	int			name = dbkit_token_at(text, stmt->relation->location);
	int			end;

	if (name < 0)
		return -1;
	end = dbkit_end_of_name(text, name);
	return end < text->n_tokens && text->tokens[end].code == '*' ? end + 1 : end;
}

/* List the actions, each with its part of the text where that is known. */
static List *
list_actions(LiveChange *change)
{
	const AlterTableStmt *stmt = statement_of(change);
	StatementText *text = palloc(sizeof(StatementText));
	int			first = dbkit_read_statement_text(change->running, change->statement, text) ? first_action(text, stmt) : -1;
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, stmt->cmds)
	{
		AlterAction *action = palloc0(sizeof(AlterAction));

		action->change = change;
		action->command = lfirst_node(AlterTableCmd, lc);
		if (first >= 0)
		{
			action->text = text;

			action->first = first;
			action->end = dbkit_end_of_part(text, first);
			first = action->end + 1;
		}
		result = lappend(result, action);
	}
	return result;
}

/* Return an ALTER TABLE of the actions that nobody has to wait for, or NULL for none. */
static char *
write_rest(const LiveChange *change, const List *harmless)
{
	StringInfoData rest;
	ListCell   *lc;

	if (harmless == NIL)
		return NULL;
	initStringInfo(&rest);
	foreach(lc, harmless)
		appendStringInfo(&rest, "%s%s", rest.len > 0 ? ", " : "", text_from(lfirst(lc), ((AlterAction *) lfirst(lc))->first));
	return psprintf("ALTER TABLE %s %s;", change->table, rest.data);
}

/* Judge the actions of ALTER TABLE. */
static void
judge_actions(LiveChange *change)
{
	List	   *harmless = NIL;
	ListCell   *lc;

	foreach(lc, list_actions(change))
	{
		int			before = list_length(change->findings);

		judge_action(lfirst(lc));
		if (list_length(change->findings) == before)
			harmless = lappend(harmless, lfirst(lc));
	}
	dbkit_complete_steps(change, write_rest(change, harmless));
}

/* Judge the move of an index to another tablespace. */
static void
judge_index_move(LiveChange *change, Oid index)
{
	const AlterTableStmt *stmt = statement_of(change);
	const AlterTableCmd *command = linitial_node(AlterTableCmd, stmt->cmds);
	const char *name = get_rel_relkind(index) == RELKIND_INDEX ? dbkit_find_relation_name(index) : NULL;
	Finding    *finding;

	if (command->subtype != AT_SetTableSpace || name == NULL || !dbkit_meet_table(change, IndexGetRelation(index, true), false) ||
		(finding = dbkit_find_unsafe(change, UNSAFE_INDEX_MOVE, change->size, NULL)) == NULL)
		return;
	dbkit_add_step(finding, "REINDEX (TABLESPACE {tablespace}) INDEX CONCURRENTLY {name};",
				   "tablespace", quote_identifier(command->name), "name", name, NULL);
}

/* Is one of the actions judged? */
static bool
has_judged(const List *commands)
{
	ListCell   *lc;

	foreach(lc, commands)
	{
		for (size_t i = 0; i < lengthof(judged); i++)
		{
			if (judged[i].type == lfirst_node(AlterTableCmd, lc)->subtype)
				return true;
		}
	}
	return false;
}

/* Judge an ALTER TABLE before it begins. */
void
dbkit_judge_alter(LiveChange *change)
{
	const AlterTableStmt *stmt = statement_of(change);
	Oid			relid = has_judged(stmt->cmds) ? RangeVarGetRelid(stmt->relation, NoLock, true) : InvalidOid;

	switch (OidIsValid(relid) ? get_rel_relkind(relid) : '\0')
	{
		case RELKIND_INDEX:
			judge_index_move(change, relid);
			break;
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_MATVIEW:
			if (dbkit_meet_table(change, relid, stmt->relation->inh))
				judge_actions(change);
			break;
		default:
			break;
	}
}

/* Add the steps of one action of an ALTER that rewrites; false where it does not, or there are none. */
static bool
add_rewrite(AlterAction *action, int reason, Finding **finding)
{
	for (size_t i = 0; i < lengthof(rewrites); i++)
	{
		if (rewrites[i].type != action->command->subtype || (rewrites[i].reasons & reason) == 0)
			continue;
		if (*finding == NULL)
			*finding = dbkit_find_unsafe(action->change, rewrites[i].unsafe, action->change->size, NULL);
		/* There may be steps, but they need the text */
		if (rewrites[i].add_steps != NULL && action->text == NULL)
			action->change->no_steps = NULL;
		return *finding != NULL && rewrites[i].add_steps != NULL && action->text != NULL && rewrites[i].add_steps(action, *finding);
	}
	return false;
}

/* Judge an ALTER that is about to rewrite the table, for that reason. */
void
dbkit_judge_alter_rewrite(LiveChange *change, int reason)
{
	Finding    *finding = NULL;
	List	   *harmless = NIL;
	ListCell   *lc;

	if (!IsA(change->statement, AlterTableStmt) || statement_of(change)->objtype == OBJECT_TYPE)
	{
		/*
		 * ALTER TYPE ... CASCADE, which changes the tables of that type, as
		 * nothing else can
		 */
		dbkit_find_unsafe(change, UNSAFE_COLUMN, change->size, NULL);
		return;
	}
	foreach(lc, list_actions(change))
	{
		if (!add_rewrite(lfirst(lc), reason, &finding))
			harmless = lappend(harmless, lfirst(lc));
	}
	dbkit_complete_steps(change, write_rest(change, harmless));
}
