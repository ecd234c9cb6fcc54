/*-------------------------------------------------------------------------
 *
 * from_findings.c
 *		Revise the draft of a table by what is wrong with it.
 *
 * What ALTER TABLE can do to a table that exists is one thing; a table that is yet to be
 * made can be changed in any way that keeps what its author meant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "cluster.h"
#include "common.h"
#include "context/tenant_columns.h"
#include "convention/agreement.h"
#include "convention/draft/draft.h"
#include "convention/facts/catalogs.h"
#include "convention/listed_names.h"
#include "convention/meant_table.h"
#include "convention/rules/id_style.h"
#include "relation_name.h"

/* Note why there is no such table, unless a reason is known. */
void
dbkit_draft_note_obstacle(Draft *draft, char *reason)
{
	if (draft->obstacle == NULL)
		draft->obstacle = reason;
}

/* Note what the table is to do without, and why. */
void
dbkit_draft_leave_out(Draft *draft, const char *what, const char *why)
{
	draft->left_out = lappend(draft->left_out, psprintf("%s, %s", what, why));
}

/* Add a statement that comes after the table, once. */
void
dbkit_draft_add_after(Draft *draft, const char *statement)
{
	if (!dbkit_list_has_string(draft->additions, statement))
		draft->additions = lappend(draft->additions, unconstify(char *, statement));
}

/* Return the column that an action is about, or NULL; what a parent says stays as it is. */
DraftColumn *
dbkit_draft_own_column(Draft *draft, const char *name)
{
	DraftColumn *column = dbkit_draft_column(draft, name);

	if (column != NULL && column->inherited)
		dbkit_draft_note_obstacle(draft, psprintf("column \"%s\" is inherited, and has to be changed in the parent", name));
	return column;
}

static void
add_column(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_column(draft, action->name);

	if (column == NULL)
	{
		column = palloc0(sizeof(DraftColumn));
		column->name = action->name;
		/* What is to be the key comes first */
		draft->columns = OidIsValid(action->type) ? lcons(column, draft->columns) :
			lappend(draft->columns, column);
	}
	column->type = action->text;
	column->base_type = action->type;
	column->revised = true;
}

static void
set_not_null(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_column(draft, action->name);

	if (column == NULL)
		return;
	column->not_null = true;
	column->revised = true;
}

/* Give a column another value.  Of several findings the last one says which. */
static void
set_value(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_column(draft, action->name);

	if (column == NULL)
		return;
	if (column->generated)
		column = dbkit_draft_own_column(draft, action->name);
	column->value = action->text;
	column->value_type = InvalidOid;
	column->expression = NULL;
	column->generated = column->identity = column->serial = false;
	column->revised = true;
}

static DraftConstraint *
add_constraint_of(Draft *draft, char type, DraftColumn *column, const char *definition)
{
	DraftConstraint *constraint = palloc0(sizeof(DraftConstraint));

	constraint->chosen = true;
	constraint->type = type;
	constraint->columns = column != NULL ? list_make1(column) : NIL;
	constraint->definition = definition;
	draft->constraints = lappend(draft->constraints, constraint);
	return constraint;
}

/* Return the names of columns, with commas between them. */
char *
dbkit_draft_list_columns(const List *columns)
{
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	foreach(lc, columns)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "", quote_identifier(((DraftColumn *) lfirst(lc))->name));
	return text.data;
}

/* Have what was the primary key be UNIQUE, unless it says no more than the new one does. */
static void
demote_key(DraftConstraint *key, DraftColumn *column)
{
	ListCell   *lc;

	if (list_member_ptr(key->columns, column))
	{
		key->dropped = true;
		return;
	}
	key->type = CONSTRAINT_UNIQUE;
	key->definition = psprintf("UNIQUE%s", key->definition + strlen("PRIMARY KEY"));
	if (key->chosen)
		key->name = NULL;
	foreach(lc, key->columns)
		((DraftColumn *) lfirst(lc))->not_null = true;
}

/* Make a column the primary key, on a partitioned table together with the partition key. */
static void
set_key(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_column(draft, action->name);
	List	   *columns = list_make1(column);
	ListCell   *lc;

	if (column == NULL)
		return;
	foreach(lc, draft->partition_key)
	{
		if (lfirst_int(lc) != 0)
			columns = list_append_unique_ptr(columns, dbkit_draft_column_at(draft, lfirst_int(lc)));
		else
			dbkit_draft_note_obstacle(draft, "a table that is partitioned by an expression, or with an operator class or collation of its own, cannot have a primary key");
	}
	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (constraint->type == CONSTRAINT_PRIMARY)
			demote_key(constraint, column);
		else if (constraint->type == CONSTRAINT_UNIQUE && constraint->chosen &&
				 strcmp(constraint->definition, psprintf("UNIQUE (%s)", dbkit_draft_list_columns(columns))) == 0)
			constraint->dropped = true;
	}
	add_constraint_of(draft, CONSTRAINT_PRIMARY, NULL,
					  psprintf("PRIMARY KEY (%s)", dbkit_draft_list_columns(columns)))->columns = columns;
}

/* Is there an index that begins with the column? */
static bool
is_indexed(const Draft *draft, const DraftColumn *column)
{
	ListCell   *lc;

	foreach(lc, draft->statements)
	{
		if (column->attnum != 0 && ((DraftStatement *) lfirst(lc))->leading == column->attnum)
			return true;
	}
	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (!constraint->dropped && (constraint->type == CONSTRAINT_PRIMARY || constraint->type == CONSTRAINT_UNIQUE) &&
			linitial(constraint->columns) == column)
			return true;
	}
	return false;
}

/* Have a column reference a table, with the index that the key then needs.  It takes the place of one that was added before. */
static DraftConstraint *
add_foreign_key(Draft *draft, DraftColumn *column, const char *table, const char *key, const char *action)
{
	DraftConstraint *result;
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (!OidIsValid(constraint->oid) && constraint->type == CONSTRAINT_FOREIGN &&
			list_member_ptr(constraint->columns, column))
			constraint->dropped = true;
	}
	result = add_constraint_of(draft, CONSTRAINT_FOREIGN, column,
							   psprintf("FOREIGN KEY (%s) REFERENCES %s (%s)%s", quote_identifier(column->name), table, key, action));
	if (!is_indexed(draft, column))
		dbkit_draft_add_after(draft, dbkit_draft_write_index(draft, quote_identifier(column->name)));
	return result;
}

/* By their order in the enum */
static int
compare_enum_rows(const ListCell *a, const ListCell *b)
{
	float4		left = ((const FormData_pg_enum *) lfirst(a))->enumsortorder;
	float4		right = ((const FormData_pg_enum *) lfirst(b))->enumsortorder;

	return (left > right) - (left < right);
}

/* Write the values of a native enum, in their order. */
static char *
write_enum_values(Oid type)
{
	CatCList   *list = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(type));
	List	   *rows = NIL;
	StringInfoData text;
	ListCell   *lc;

	initStringInfo(&text);
	for (int i = 0; i < list->n_members; i++)
		rows = lappend(rows, GETSTRUCT(&list->members[i]->tuple));
	list_sort(rows, compare_enum_rows);
	foreach(lc, rows)
		appendStringInfo(&text, "%s%s", text.len > 0 ? ", " : "",
						 quote_literal_cstr(NameStr(((Form_pg_enum) lfirst(lc))->enumlabel)));
	ReleaseSysCacheList(list);
	return text.data;
}

/* Return the name of the enum table for a native enum, and have it made if there is none. */
static char *
provide_enum_table(Draft *draft, Oid type)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form = HeapTupleIsValid(tuple) ? (Form_pg_type) GETSTRUCT(tuple) : NULL;
	char	   *name = form != NULL ? psprintf("%s_enum", NameStr(form->typname)) : NULL;
	Oid			schema = form != NULL ? form->typnamespace : InvalidOid;
	const char *schema_name = get_namespace_name(schema);
	char	   *statement;
	Oid			relid;

	if (form != NULL)
		ReleaseSysCache(tuple);
	if (schema_name == NULL || strlen(name) >= NAMEDATALEN)
		return NULL;
	statement = psprintf("SELECT dbkit.create_enum(%s, ARRAY[%s]);",
						 quote_literal_cstr(quote_qualified_identifier(schema_name, name)), write_enum_values(type));
	relid = get_relname_relid(name, schema);
	if (OidIsValid(relid) && !dbkit_is_only_key(relid, "value"))
		return NULL;
	if (!OidIsValid(relid) && !dbkit_list_has_string(draft->prerequisites, statement))
		draft->prerequisites = lappend(draft->prerequisites, statement);
	return quote_qualified_identifier(schema_name, name);
}

/* Have a column of a native enum reference an enum table, with the index that the key then needs. */
static void
set_enum(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_own_column(draft, action->name);
	Action		retype = {.kind = ACTION_SET_TYPE,.name = action->name,.text = "text",.type = TEXTOID};
	Oid			type = column != NULL ? column->base_type : InvalidOid;
	char	   *table;

	if (column == NULL || column->retyped)
		return;
	table = provide_enum_table(draft, type);
	if (table == NULL)
	{
		dbkit_draft_note_obstacle(draft, psprintf("there can be no enum table of the name that is meant for column \"%s\"", action->name));
		return;
	}
	dbkit_draft_set_type(draft, &retype);
	(void) add_foreign_key(draft, column, table, "value", "");
}

static DraftConstraint *
find_constraint(const Draft *draft, const char *name)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (constraint->name != NULL && strcmp(constraint->name, name) == 0)
			return constraint;
	}
	return NULL;
}

static void
drop_constraint(Draft *draft, const Action *action)
{
	DraftConstraint *constraint = find_constraint(draft, action->name);

	if (constraint != NULL)
		constraint->dropped = true;
	else
		dbkit_draft_note_obstacle(draft, psprintf("constraint \"%s\" is inherited, and has to be changed in the parent", action->name));
}

/*
 * Add a constraint: in place of the one of that name which was dropped before, or the CHECK
 * of the column of that name.  Of several such CHECKs the last one holds.
 */
static void
add_constraint(Draft *draft, const Action *action)
{
	DraftConstraint *constraint = find_constraint(draft, action->name);
	DraftColumn *column = dbkit_draft_column(draft, action->name);
	ListCell   *lc;

	if (constraint != NULL && constraint->dropped)
	{
		constraint->definition = action->text;
		constraint->dropped = false;
		return;
	}
	foreach(lc, draft->constraints)
	{
		constraint = lfirst(lc);
		if (constraint->name == NULL && constraint->type == CONSTRAINT_CHECK &&
			list_member_ptr(constraint->columns, column))
			constraint->dropped = true;
	}
	add_constraint_of(draft, CONSTRAINT_CHECK, column, action->text);
}

/* Is a column named by something that was written as a whole? */
static bool
is_mentioned(const Draft *draft, const DraftColumn *column)
{
	int			member = column->attnum - FirstLowInvalidHeapAttributeNumber;
	ListCell   *lc;

	if (!draft->renamable || bms_is_member(member, draft->mentioned))
		return true;
	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (constraint->type != DBKIT_CONSTRAINT_NOTNULL && list_member_ptr(constraint->columns, column))
			return true;
	}
	foreach(lc, draft->columns)
	{
		Bitmapset  *inputs = NULL;

		pull_varattnos(((DraftColumn *) lfirst(lc))->expression, 1, &inputs);
		if (bms_is_member(member, inputs))
			return true;
	}
	return false;
}

/* Give a column another name where it stands, which is also in its NOT NULL. */
static void
rename_in_place(Draft *draft, DraftColumn *column, const char *name)
{
	size_t		length = strlen("NOT NULL ") + strlen(quote_identifier(column->name));
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (constraint->type == DBKIT_CONSTRAINT_NOTNULL && list_member_ptr(constraint->columns, column))
			constraint->definition = psprintf("NOT NULL %s%s", quote_identifier(name), constraint->definition + length);
	}
	column->name = name;
}

/* Give a column another name, if it is named nowhere else. */
static void
set_name(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_own_column(draft, action->name);
	bool		taken = false;
	ListCell   *lc;

	if (column == NULL)
		return;
	foreach(lc, draft->columns)
		taken |= strcmp(((DraftColumn *) lfirst(lc))->name, action->text) == 0;
	if (taken || is_mentioned(draft, column))
		dbkit_draft_note_obstacle(draft, taken ? psprintf("two columns would be named \"%s\"", action->text) :
								  psprintf("column \"%s\" is named in another place, too, where it has to be changed by hand", action->name));
	else
		rename_in_place(draft, column, action->text);
}

/*
 * Rename a column that holds ids and references nothing: where it stands if that is the only
 * place, and by a statement if not.  If there is a table that it seems to mean, it references that.
 */
static void
rename_column(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_column(draft, action->name);
	Oid			relid = column == NULL ? InvalidOid :
	dbkit_meant_table(draft->facts->schema, column->name, column->base_type, GetUserId());

	if (column == NULL)
		return;
	if (OidIsValid(relid))
		add_foreign_key(draft, column, dbkit_relation_name(relid), "id",
						dbkit_meant_key_action(relid, column->not_null))->referenced = relid;
	else if (is_mentioned(draft, column))
	{
		dbkit_draft_add_after(draft, dbkit_rename_sql(draft->facts, action->name, action->text));
		column->later_name = action->text;
	}
	else
		rename_in_place(draft, column, action->text);
}

/* Find the first of the columns that the draft has, or NULL. */
static const DraftColumn *
find_listed(const Draft *draft, const List *names)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		const DraftColumn *column = dbkit_draft_column(draft, lfirst(lc));

		if (column != NULL)
			return column;
	}
	return NULL;
}

/* Find the column of a draft by which a half of the context is told, or NULL. */
const DraftColumn *
dbkit_draft_find_tenant_column(const Draft *draft, TenantKind kind)
{
	Oid			relid = draft->facts->objid;

	if (kind == TENANT_ORGANIZATION)
		return dbkit_is_organization_table(&dbkit_now, relid) ? dbkit_draft_column(draft, "id") :
			find_listed(draft, dbkit_agreement()->organization_columns);
	return dbkit_is_user_table(&dbkit_now, relid) ? dbkit_draft_column(draft, "id") :
		find_listed(draft, dbkit_agreement()->user_columns);
}

/* Return the name that a column of a draft has in the end. */
static const char *
final_name(const DraftColumn *column)
{
	return column->later_name != NULL ? column->later_name : column->name;
}

/* Return the name of the column by which dbkit.protect() is to go for a half of the context, or NULL. */
const char *
dbkit_draft_tenant_column(const Draft *draft, TenantKind kind)
{
	const DraftColumn *column = dbkit_draft_find_tenant_column(draft, kind);

	return column != NULL ? final_name(column) : NULL;
}

/* Write the condition by which dbkit.protect() would tell tenants apart; NULL where nothing does. */
static char *
write_condition(const Draft *draft)
{
	const DraftColumn *organization = dbkit_draft_find_tenant_column(draft, TENANT_ORGANIZATION);
	TenantKind	kind = organization != NULL ? TENANT_ORGANIZATION : TENANT_USER;
	const DraftColumn *column = organization != NULL ? organization : dbkit_draft_find_tenant_column(draft, TENANT_USER);

	if (column == NULL || !OidIsValid(column->base_type))
		return NULL;
	return dbkit_tenant_condition(kind, final_name(column),
								  column->attnum != 0 && !column->retyped ? get_atttype(draft->facts->objid, column->attnum) : column->base_type);
}

/* Can dbkit.protect() tell the tenants of the table apart? */
bool
dbkit_draft_isolates(const Draft *draft)
{
	return write_condition(draft) != NULL;
}

/*
 * Return the policy that a table is to have: that of dbkit.protect(), or where nothing says whose
 * rows they are, one that shows none.
 */
char *
dbkit_policy_text(const Draft *draft)
{
	const char *role = dbkit_agreement()->customer_role;
	const char *to = role != NULL && OidIsValid(get_role_oid(role, true)) ?
	psprintf(" TO %s", quote_identifier(role)) : "";
	const char *policy = quote_identifier(role != NULL ? makeObjectName(role, NULL, "isolation") : "isolation");
	const char *table = dbkit_facts_identity(draft->facts);
	char	   *condition = write_condition(draft);

	if (condition == NULL)
		return psprintf("-- Nobody sees a row until you decide who may: write the condition in place of false.\n"
						"CREATE POLICY %s ON %s%s USING (false);", policy, table, to);
	return psprintf("CREATE POLICY %s ON %s%s USING (%s) WITH CHECK (%s);", policy, table, to, condition, condition);
}

static void
create_policy(Draft *draft, const Action *action pg_attribute_unused())
{
	dbkit_draft_add_after(draft, dbkit_policy_text(draft));
}

/* Have a column reference the organization table, one that is there or a new one. */
static void
set_organization(Draft *draft, const Action *action)
{
	DraftColumn *column = dbkit_draft_column(draft, action->name);
	Oid			relid = dbkit_find_table(draft->facts->schema, dbkit_agreement()->organization_tables);
	AttrNumber	attnum = OidIsValid(relid) ? get_attnum(relid, "id") : 0;

	if (attnum <= 0 || (column != NULL && !dbkit_can_reference(relid, column->base_type, GetUserId())))
	{
		dbkit_draft_note_obstacle(draft, psprintf("there is no organization table that column \"%s\" could reference", action->name));
		return;
	}
	if (column == NULL)
	{
		column = palloc0(sizeof(DraftColumn));
		column->name = action->name;
		column->type = action->text != NULL ? action->text : format_type_be(get_atttype(relid, attnum));
		column->base_type = getBaseType(get_atttype(relid, attnum));
		draft->columns = lappend(draft->columns, column);
	}
	column->not_null = true;
	column->revised = true;
	(void) add_foreign_key(draft, column, dbkit_relation_name(relid), "id", " ON DELETE CASCADE");
}

static void
alter_table(Draft *draft, const Action *action)
{
	dbkit_draft_add_after(draft, psprintf("ALTER TABLE %s %s;", dbkit_facts_identity(draft->facts), action->sql));
}

static void
add_statement(Draft *draft, const Action *action)
{
	dbkit_draft_add_after(draft, action->sql != NULL ? action->sql : action->text);
}

/* How a draft is revised by each action; a serial column of another type has its sequence with it */
static void (*const revisions[]) (Draft *draft, const Action *action) =
{
	[ACTION_ADD_COLUMN] = add_column,
		[ACTION_SET_TYPE] = dbkit_draft_set_type,
		[ACTION_SET_NOT_NULL] = set_not_null,
		[ACTION_SET_VALUE] = set_value,
		[ACTION_SET_KEY] = set_key,
		[ACTION_SET_NAME] = set_name,
		[ACTION_SET_ENUM] = set_enum,
		[ACTION_SET_ORGANIZATION] = set_organization,
		[ACTION_ADD_CONSTRAINT] = add_constraint,
		[ACTION_DROP_CONSTRAINT] = drop_constraint,
		[ACTION_ROW_SECURITY] = alter_table,
		[ACTION_VALIDATE] = alter_table,
		[ACTION_ALTER] = alter_table,
		[ACTION_REFERENCE] = NULL,	/* with the renaming */
		[ACTION_RENAME_COLUMN] = rename_column,
		[ACTION_ALTER_SEQUENCE] = NULL,
		[ACTION_CREATE_INDEX] = add_statement,
		[ACTION_ALONE] = NULL,	/* about what a new table has not */
		[ACTION_DROP_INDEX] = add_statement,
		[ACTION_CREATE_POLICY] = create_policy,
		[ACTION_REFERENCED_KEY] = dbkit_draft_add_referenced_key,
		[ACTION_REPLACE_KEY] = dbkit_draft_replace_key,
		[ACTION_STATEMENT] = add_statement
};

/* Return the type of the other end of a foreign key; InvalidOid where that is gone. */
static Oid
referenced_type(const Draft *draft, const DraftConstraint *key, AttrNumber attnum)
{
	const DraftColumn *own;

	if (key->referenced != draft->facts->objid)
		return getBaseType(get_atttype(key->referenced, attnum));
	own = dbkit_draft_column_at(draft, attnum);
	return own != NULL ? own->base_type : InvalidOid;
}

/* Make sure that both ends of a foreign key go together, where one of them is of another type now. */
static void
check_foreign_key(Draft *draft, const DraftConstraint *key)
{
	for (int i = 0; i < list_length(key->referenced_attnums); i++)
	{
		const DraftColumn *column = list_nth(key->columns, i);
		Oid			type = referenced_type(draft, key, list_nth_int(key->referenced_attnums, i));

		if (column->retyped && OidIsValid(type) && !dbkit_is_similar_type(column->base_type, type))
			dbkit_draft_note_obstacle(draft, psprintf("column \"%s\" has to be %s, but references \"%s\", whose key is %s and has to be changed first",
													  column->name, format_type_be(column->base_type),
													  dbkit_relation_name(key->referenced), format_type_be(type)));
	}
}

/* Have the columns that reference the table's own key follow it, when that is of another type now. */
static void
follow_own_keys(Draft *draft)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		const DraftConstraint *key = lfirst(lc);

		if (key->type != CONSTRAINT_FOREIGN || key->dropped || key->referenced != draft->facts->objid)
			continue;
		for (int i = 0; i < list_length(key->referenced_attnums); i++)
		{
			const DraftColumn *referenced = dbkit_draft_column_at(draft, list_nth_int(key->referenced_attnums, i));
			DraftColumn *column = list_nth(key->columns, i);
			Action		follow = {.kind = ACTION_SET_TYPE,.name = column->catalog_name};

			if (referenced == NULL || !referenced->retyped || column->base_type == referenced->base_type)
				continue;
			follow.text = referenced->type;
			follow.type = referenced->base_type;
			column->retyped = false;
			dbkit_draft_set_type(draft, &follow);
		}
	}
}

/* Give names to added constraints where PostgreSQL would choose one that another has. */
static void
avoid_taken_names(Draft *draft)
{
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);
		char	   *name = constraint->name == NULL && !constraint->dropped ?
		dbkit_chosen_name(draft->facts, constraint) : NULL;
		const DraftConstraint *other = name != NULL ? find_constraint(draft, name) : NULL;

		if (other == NULL || other->dropped)
			continue;
		constraint->name = makeObjectName(name, NULL, "1");
		constraint->chosen = false;
	}
}

/* In a cluster, have a key that the findings ask for begin with the tenant's column, by which tables are distributed. */
static void
widen_key(Draft *draft)
{
	DraftColumn *tenant = unconstify(DraftColumn *, dbkit_draft_find_tenant_column(draft, TENANT_ORGANIZATION));
	ListCell   *lc;

	foreach(lc, draft->constraints)
	{
		DraftConstraint *constraint = lfirst(lc);

		if (tenant == NULL || constraint->type != CONSTRAINT_PRIMARY || constraint->dropped || OidIsValid(constraint->oid) ||
			list_member_ptr(constraint->columns, tenant))
			continue;
		constraint->columns = lcons(tenant, constraint->columns);
		constraint->definition = psprintf("PRIMARY KEY (%s)", dbkit_draft_list_columns(constraint->columns));
		dbkit_draft_drop_index(draft, quote_identifier(tenant->name));
	}
}

/*
 * Revise a draft by the findings about its table.  A finding that nothing can be done about
 * without asking is an obstacle.
 */
void
dbkit_revise_draft(Draft *draft, const List *findings)
{
	ListCell   *lc;

	foreach(lc, findings)
	{
		const Finding *finding = lfirst(lc);
		ListCell   *cell;

		if (finding->actions == NIL && finding->level != LEVEL_WARNING)
			dbkit_draft_note_obstacle(draft, finding->problem);
		foreach(cell, finding->actions)
		{
			const Action *action = lfirst(cell);

			if (revisions[action->kind] != NULL)
				revisions[action->kind] (draft, action);
		}
	}
	if (dbkit_cluster_is_at_work())
		widen_key(draft);
	follow_own_keys(draft);
	foreach(lc, draft->constraints)
	{
		const DraftConstraint *constraint = lfirst(lc);

		if (constraint->type == CONSTRAINT_FOREIGN && !constraint->dropped)
			check_foreign_key(draft, constraint);
	}
	avoid_taken_names(draft);
}

/* Is a constraint of the catalog new? */
static bool
is_new_constraint(const DraftConstraint *constraint, const Catalogs *before)
{
	return dbkit_catalog_row(before, CATALOG_CONSTRAINT, constraint->oid) == NULL;
}

/* Is a finding about a column or a constraint that was not there before? */
static bool
is_about_new(const Draft *draft, const Catalogs *before, const Finding *finding)
{
	const DraftConstraint *constraint = finding->part != NULL ? find_constraint(draft, finding->part) : NULL;
	ListCell   *lc;

	foreach(lc, finding->attnums)
	{
		Oid			type;
		Oid			collation;

		if (!dbkit_catalog_column(before, draft->facts->objid, lfirst_int(lc), &type, &collation))
			return true;
	}
	return constraint != NULL && is_new_constraint(constraint, before);
}

/* Return the findings about what was not there before, which is to be added in another way. */
List *
dbkit_draft_additions(const Draft *draft, const Catalogs *before, const List *findings)
{
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, findings)
	{
		if (is_about_new(draft, before, lfirst(lc)))
			result = lappend(result, lfirst(lc));
	}
	return result;
}
