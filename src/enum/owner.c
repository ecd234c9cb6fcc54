/*-------------------------------------------------------------------------
 *
 * owner.c
 *		Statements of the enum helpers on tables that belong to others.
 *
 * A statement on a table runs what its owner attached to it: checks,
 * triggers, rules, index expressions (already in planning), casts.  A stranger
 * is an owner who is neither the caller nor a superuser.  If an operation can
 * reach a table of a stranger, it is guarded: a statement on such a table runs
 * as its owner, in a security-restricted operation, and sees all rows where row
 * level security is forced, as the actions of foreign keys do.  Whether the
 * caller may do it is checked before, as for an unguarded one.
 *
 * Deferred triggers would fire when the operation is over, with the rights of
 * whoever commits; PostgreSQL refuses to queue them there.  So the deferred
 * constraints of the table are immediate during the statement.
 *
 * The action of a foreign key runs as the owner of the table that it changes,
 * but the AFTER triggers of that table wait for the outer statement and, before
 * PostgreSQL 18 (commit 01463e1cc), run as its user (ri_PerformCheck).  If that
 * gives them rights that their owner lacks, the statement is refused.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "common.h"
#include "as_owner.h"
#include "enum/owner.h"
#include "relation_name.h"
#include "sql.h"

/* What an error message says of a statement */
typedef struct Statement
{
	const char *table;
	const char *user;
	bool		may_see;		/* may the caller see all columns? */
} Statement;

/* The events that the actions of foreign keys come from and lead to */
#define ANY_CHANGE	(TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE)

/* Give the owner of a relation, or nothing if it is gone. */
static Oid
find_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner = InvalidOid;

	if (HeapTupleIsValid(tuple))
	{
		owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
		ReleaseSysCache(tuple);
	}
	return owner;
}

/*
 * May code of a role, if there is one, not run as this user?  Being a member
 * is not enough: nobody inherits being a superuser or bypassing row security.
 */
static bool
is_stranger(Oid role, Oid user)
{
	return OidIsValid(role) && role != user && !superuser_arg(role);
}

/* List the partitioned tables above a partition: it has their triggers and partition keys. */
static List *
list_ancestors(Oid relid)
{
	return get_rel_relispartition(relid) ? get_partition_ancestors(relid) : NIL;
}

/* Does a relation, or a partitioned table above it, belong to a stranger? */
bool
dbkit_is_strangers(Oid relid)
{
	ListCell   *cell;

	foreach(cell, lappend_oid(list_ancestors(relid), relid))
	{
		if (is_stranger(find_owner(lfirst_oid(cell)), GetUserId()))
			return true;
	}
	return false;
}

/* Does this trigger change the tables that reference its own? */
static bool
is_foreign_key_action(const Trigger *trigger)
{
	switch (trigger->tgfoid)
	{
		case F_RI_FKEY_CASCADE_DEL:
		case F_RI_FKEY_CASCADE_UPD:
		case F_RI_FKEY_SETNULL_DEL:
		case F_RI_FKEY_SETNULL_UPD:
		case F_RI_FKEY_SETDEFAULT_DEL:
		case F_RI_FKEY_SETDEFAULT_UPD:
			return true;
		default:
			return false;
	}
}

/*
 * Copy the triggers of a relation, or give NULL: the relcache may free its own whenever a
 * catalog is opened, as the lock on the relation does not keep triggers from being made.
 */
static TriggerDesc *
copy_triggers(Relation rel)
{
	return rel != NULL ? CopyTriggerDesc(rel->trigdesc) : NULL;
}

/*
 * Add the tables that the actions of foreign keys change on these events, locked in this mode:
 * RowExclusiveLock, which they take anyway, keeps triggers, foreign keys and owners as they are.
 */
static List *
add_followers(List *relids, Oid relid, int16 events, LOCKMODE lockmode)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	TriggerDesc *triggers = copy_triggers(rel);

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (!(trigger->tgtype & events) || !is_foreign_key_action(trigger))
			continue;
		if (lockmode != NoLock)
			LockRelationOid(trigger->tgconstrrelid, lockmode);
		relids = list_concat_unique_oid(relids, find_all_inheritors(trigger->tgconstrrelid, lockmode, NULL));
	}
	if (rel)
		relation_close(rel, AccessShareLock);
	return relids;
}

/*
 * Can a change of these tables run code of a stranger?  Where they are locked, the answer lasts if
 * those that the actions of foreign keys change are locked, too, in this mode.
 */
bool
dbkit_reaches_strangers(const List *relids, LOCKMODE lockmode)
{
	List	   *reached = list_copy(relids);
	ListCell   *cell;

	foreach(cell, reached)
	{
		Oid			relid = lfirst_oid(cell);

		if (dbkit_is_strangers(relid))
			return true;
		reached = list_concat_unique_oid(reached, find_all_inheritors(relid, NoLock, NULL));
		reached = add_followers(reached, relid, ANY_CHANGE, lockmode);
	}
	return false;
}

/* Does a statement with this result change rows? */
static bool
is_change(int expected)
{
	return expected == SPI_OK_INSERT || expected == SPI_OK_UPDATE ||
		expected == SPI_OK_DELETE;
}

/* List the tables that a statement concerns by itself. */
static List *
list_tables(const Target *target)
{
	return target->children ? find_all_inheritors(target->relid, NoLock, NULL) :
		list_make1_oid(target->relid);
}

/* List these tables and those that the actions of foreign keys change. */
static List *
list_changed(const Target *target, int expected)
{
	List	   *relids = list_tables(target);
	int			own = list_length(relids);
	int16		events = expected == SPI_OK_UPDATE ? TRIGGER_TYPE_UPDATE :
	expected == SPI_OK_DELETE ? TRIGGER_TYPE_DELETE : 0;
	ListCell   *cell;

	foreach(cell, relids)
		relids = add_followers(relids, lfirst_oid(cell),
							   foreach_current_index(cell) < own ? events : ANY_CHANGE,
							   RowExclusiveLock);
	return relids;
}

static bool
is_exclusion(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	bool		result = HeapTupleIsValid(tuple) &&
	((Form_pg_constraint) GETSTRUCT(tuple))->contype == CONSTRAINT_EXCLUSION;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* May this trigger run a user's code, and after the row has changed? */
static bool
is_late(const Trigger *trigger)
{
	if (trigger->tgenabled == TRIGGER_DISABLED)
		return false;
	if (!trigger->tgisinternal)
		return TRIGGER_FOR_AFTER(trigger->tgtype);
	/* A unique constraint has no expressions, an exclusion constraint may. */
	return trigger->tgfoid == F_UNIQUE_KEY_RECHECK &&
		is_exclusion(trigger->tgconstraint);
}

/* Refuse to fire the AFTER triggers of a table as another role. */
static void
refuse_late_triggers(Oid relid, Oid user)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	TriggerDesc *triggers = copy_triggers(rel);

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (is_late(trigger))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("the action of a foreign key would fire triggers of table %s",
							dbkit_relation_name(relid)),
					 errdetail("\"%s\" would run as role \"%s\", who does not own the table.",
							   trigger->tgisinternal ? get_constraint_name(trigger->tgconstraint) :
							   trigger->tgname, GetUserNameFromId(user, false)),
					 errhint("Take the ON DELETE or ON UPDATE action from the foreign key, or give the tables the same owner.")));
	}
	if (rel)
		relation_close(rel, AccessShareLock);
}

/*
 * Say whether a foreign key compares one of its columns by the cast function
 * of a user's type: the key is checked with the rights of the owner of the
 * table that it references.
 */
static bool
casts_by_function(HeapTuple constraint)
{
	int			n;
	AttrNumber	conkey[INDEX_MAX_KEYS];
	AttrNumber	confkey[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
	Oid			relid = ((Form_pg_constraint) GETSTRUCT(constraint))->conrelid;

	DeconstructFkConstraintRow(constraint, &n, conkey, confkey,
							   operators, NULL, NULL, NULL, NULL);
	for (int i = 0; i < n; i++)
	{
		Oid			type = getBaseType(get_atttype(relid, conkey[i]));
		Oid			left;
		Oid			right;

		op_input_types(operators[i], &left, &right);
		if (type >= FirstNormalObjectId && !IsBinaryCoercible(type, right))
			return true;
	}
	return false;
}

/* Refuse to check a foreign key that runs its owner's code as another role. */
static void
refuse_cast_functions(Oid relid, const Trigger *trigger)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(trigger->tgconstraint));
	Oid			user = find_owner(trigger->tgconstrrelid);

	if (!HeapTupleIsValid(tuple))
		return;
	if (OidIsValid(user) && is_stranger(find_owner(relid), user) && casts_by_function(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("foreign key \"%s\" of table %s uses a cast function",
						NameStr(((Form_pg_constraint) GETSTRUCT(tuple))->conname),
						dbkit_relation_name(relid)),
				 errdetail("It would run as role \"%s\", who does not own the table.",
						   GetUserNameFromId(user, false)),
				 errhint("Change the column to the type of the column that it references.")));
	ReleaseSysCache(tuple);
}

/* Check the foreign keys of a table that is to be changed. */
static void
check_foreign_keys(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	TriggerDesc *triggers = copy_triggers(rel);

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		if (triggers->triggers[i].tgfoid == F_RI_FKEY_CHECK_UPD)
			refuse_cast_functions(relid, &triggers->triggers[i]);
	}
	if (rel)
		relation_close(rel, AccessShareLock);
}

/* Choose who runs a statement on a table. */
static Oid
choose_user(const Target *target)
{
	Oid			owner = find_owner(target->relid);

	return is_stranger(owner, GetUserId()) ? owner : GetUserId();
}

/* Refuse to run what the owner of a table attached to it by a statement on another one. */
static void
refuse_attached(Oid relid, const char *table, Oid user)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table %s does not belong to the owner of table %s",
					dbkit_relation_name(relid), table),
			 errdetail("What its owner attached to it would run as role \"%s\".",
					   GetUserNameFromId(user, false)),
			 errhint("Give both tables the same owner.")));
}

/* Check the owners of what is above a table that a statement reaches by itself. */
static void
check_ancestors(Oid relid, const List *reached, Oid user)
{
	ListCell   *cell;

	foreach(cell, list_ancestors(relid))
	{
		Oid			ancestor = lfirst_oid(cell);

		if (!list_member_oid(reached, ancestor) && is_stranger(find_owner(ancestor), user))
			refuse_attached(ancestor, dbkit_relation_name(relid), user);
	}
}

/*
 * Require that no table's code gets rights by a statement that its owner lacks.  The
 * action of a foreign key runs as the owner of the table that it changes.
 */
static void
check_owners(const Target *target, Oid user, int expected)
{
	List	   *tables = list_tables(target);
	List	   *changed = list_changed(target, expected);
	ListCell   *cell;

	foreach(cell, changed)
	{
		Oid			relid = lfirst_oid(cell);
		Oid			owner = find_owner(relid);
		bool		is_own = list_member_oid(tables, relid);

		if (is_change(expected))
			check_foreign_keys(relid);
		check_ancestors(relid, changed, is_own ? user : owner);
		if (!is_stranger(owner, user))
			continue;
		if (is_own)
			refuse_attached(relid, target->name, user);
		refuse_late_triggers(relid, user);
	}
}

/*
 * Keep a schema from being renamed until the end of the transaction.  Our statements name
 * their tables, so its owner could put another schema in its place, with a table of his.
 * Schemas are locked before the tables in them, as DROP SCHEMA does it.
 *
 * This works where ALTER SCHEMA ... RENAME locks the schema, as in PostgreSQL 15.20 but
 * not in 18.6; there, dbkit_check_name() leaves it no more than a moment.  Without a
 * schema, as its table is gone, the lock is on nothing.
 */
void
dbkit_lock_schema(Oid schema)
{
	LockDatabaseObject(NamespaceRelationId, schema, 0, AccessShareLock);
}

/* Lock a table, so that its qualified name stays. */
void
dbkit_lock_table(Oid relid, LOCKMODE lockmode)
{
	dbkit_lock_schema(get_rel_namespace(relid));
	LockRelationOid(relid, lockmode);
	/* The table may have come into another schema before it was locked. */
	dbkit_lock_schema(get_rel_namespace(relid));
}

/*
 * Require that the name in a statement still stands for the table: code that
 * ran before may have put another one in its place.
 */
void
dbkit_check_name(const Target *target)
{
	List	   *name = textToQualifiedNameList(cstring_to_text(target->name));

	if (RangeVarGetRelid(makeRangeVarFromNameList(name), NoLock, true) != target->relid)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table %s has been dropped or renamed", target->name)));
}

/* Require that no trigger waits for the end of the transaction. */
static void
refuse_pending(Oid relid, const char *constraint)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		if (AfterTriggerPendingOnRel(lfirst_oid(cell)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_IN_USE),
					 errmsg("table %s has pending trigger events",
							dbkit_relation_name(lfirst_oid(cell))),
					 errdetail("The deferred constraint %s has to be immediate for a moment.",
							   constraint),
					 errhint("Run SET CONSTRAINTS ALL IMMEDIATE first.")));
	}
}

/*
 * Require that setting a deferred constraint fires nothing.  Its name stands
 * for all constraints of that name in the schema.
 */
static void
check_namesakes(Form_pg_constraint form, const char *name)
{
	Relation	catalog = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_constraint_conname, BTEqualStrategyNumber,
				F_NAMEEQ, NameGetDatum(&form->conname));
	ScanKeyInit(&keys[1], Anum_pg_constraint_connamespace, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(form->connamespace));
	scan = systable_beginscan(catalog, ConstraintNameNspIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint con = (Form_pg_constraint) GETSTRUCT(tuple);

		if (!con->condeferrable)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("deferred constraint %s cannot be made immediate", name),
					 errdetail("Another constraint of this name in the schema is not deferrable."),
					 errhint("Rename one of them.")));
		refuse_pending(con->conrelid, name);
		if (OidIsValid(con->confrelid))
			refuse_pending(con->confrelid, name);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
}

/* Add the name of a constraint to those that SET CONSTRAINTS is to set. */
static void
append_constraint(StringInfo names, Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	char	   *schema;
	char	   *name;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	schema = get_namespace_name(form->connamespace);
	if (schema)
	{
		name = quote_qualified_identifier(schema, NameStr(form->conname));
		check_namesakes(form, name);
		appendStringInfo(names, "%s%s", names->len > 0 ? ", " : "", name);
	}
	ReleaseSysCache(tuple);
}

/* Add the deferred constraints that a change of a table may queue. */
static List *
add_deferred(List *constraints, Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	TriggerDesc *triggers = copy_triggers(rel);

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		if (trigger->tginitdeferred && OidIsValid(trigger->tgconstraint))
			constraints = list_append_unique_oid(constraints, trigger->tgconstraint);
	}
	if (rel)
		relation_close(rel, AccessShareLock);
	return constraints;
}

/* Name the deferred constraints of the tables that a statement changes. */
static char *
name_deferred(const Target *target, int expected)
{
	List	   *constraints = NIL;
	StringInfoData names;
	ListCell   *cell;

	foreach(cell, list_changed(target, expected))
		constraints = add_deferred(constraints, lfirst_oid(cell));
	initStringInfo(&names);
	foreach(cell, constraints)
		append_constraint(&names, lfirst_oid(cell));
	return names.data;
}

static void
set_constraints(const char *names, const char *mode)
{
	if (*names)
		dbkit_run_utility(psprintf("SET CONSTRAINTS %s %s", names, mode));
}

/*
 * Say as whom a statement ran.  The owner's errors would show the rows to a
 * caller who may not see them.
 */
static void
add_statement_context(void *arg)
{
	const Statement *statement = arg;

	if (!statement->may_see &&
		ERRCODE_TO_CATEGORY(geterrcode()) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
		errdetail("The row is not shown without SELECT on table %s.", statement->table);
	errcontext("statement on table %s, run as role \"%s\"",
			   statement->table, statement->user);
}

/* Run a statement as a role, in a security-restricted operation. */
static uint64
run_as(Oid user, const Target *target, int expected, const char *sql,
	   Datum first, Datum second)
{
	Statement	statement = {
		.table = target->name,
		.user = GetUserNameFromId(user, false),
		.may_see = pg_class_aclcheck(target->relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK
	};
	ErrorContextCallback callback = {
		.previous = error_context_stack,
		.callback = add_statement_context,
		.arg = &statement
	};
	AsOwner		saved;
	uint64		rows;

	error_context_stack = &callback;
	dbkit_begin_as_owner(user, SECURITY_NOFORCE_RLS, &saved);
	rows = dbkit_run_with_texts(expected, sql, first, second);
	dbkit_end_as_owner(&saved);
	error_context_stack = callback.previous;
	return rows;
}

/* Run a statement on a table that is locked through SPI, with up to two text parameters. */
uint64
dbkit_run_on(const Target *target, int expected, const char *sql,
			 Datum first, Datum second)
{
	const char *deferred = "";
	Oid			user;
	uint64		rows;

	dbkit_check_name(target);
	if (!target->guarded)
		return dbkit_run_with_texts(expected, sql, first, second);

	user = choose_user(target);
	check_owners(target, user, expected);
	if (is_change(expected))
		deferred = name_deferred(target, expected);
	set_constraints(deferred, "IMMEDIATE");
	rows = run_as(user, target, expected, sql, first, second);
	set_constraints(deferred, "DEFERRED");
	return rows;
}
