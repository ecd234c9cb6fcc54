/*-------------------------------------------------------------------------
 *
 * audit.c
 *		dbkit.audit() and dbkit.unaudit(): which tables the log of changes is about.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "as_owner.h"
#include "audit/audited.h"
#include "audit/log.h"
#include "audit/months.h"
#include "relation_name.h"
#include "sql.h"

/* Ensure that a relation may be audited by the caller. */
static void
check_relation(Oid relid, char relkind, char persistence)
{
	const char *name = get_rel_name(relid);

	if (name == NULL)
		dbkit_report_dropped(relid);
	if (!dbkit_owns_table(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(relkind), name);
	if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE) || persistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation \"%s\" cannot be audited", name),
				 errdetail("Only tables can, and no temporary ones.")));
	if (IsCatalogRelationOid(relid) || get_rel_namespace(relid) == get_rel_namespace(dbkit_audit_log()))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("relation \"%s\" cannot be audited", name),
				 errdetail("It belongs to PostgreSQL or to dbkit.")));
	if (OidIsValid(dbkit_audited_parent(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is audited with the table that it is a partition or child of", name),
				 errhint("Name that table: %s.", dbkit_relation_name(dbkit_audited_root(relid)))));
}

/* Ensure that the rows of a table can be told apart, by columns that the log may show. */
static void
check_key(Oid relid, const List *masked)
{
	Oid			constraint;
	Bitmapset  *key = get_primary_key_attnos(relid, true, &constraint);
	ListCell   *cell;

	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" cannot be audited without a primary key", get_rel_name(relid)),
				 errdetail("The log of changes could not say which row was changed."),
				 errhint("Add a primary key first.")));
	foreach(cell, masked)
	{
		const char *name = strVal(lfirst(cell));
		AttrNumber	column = get_attnum(relid, name);

		if (column <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" of relation \"%s\" does not exist", name, get_rel_name(relid))));
		if (bms_is_member(column - FirstLowInvalidHeapAttributeNumber, key))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" cannot be masked, because it is in the primary key", name),
					 errdetail("The log of changes tells rows by their key.")));
	}
}

/* Ensure that triggers can see the rows of all tables below a table. */
static void
check_members(const List *members)
{
	ListCell   *cell;

	foreach(cell, members)
	{
		if (get_rel_relkind(lfirst_oid(cell)) == RELKIND_FOREIGN_TABLE)
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("table \"%s\" cannot be audited, because \"%s\" is a foreign table",
							get_rel_name(linitial_oid(members)), get_rel_name(lfirst_oid(cell))),
					 errdetail("PostgreSQL does not give the rows of foreign tables to triggers of the tables above them.")));
	}
}

/* List the names in the second argument, each once, as nodes. */
static List *
read_names(FunctionCallInfo fcinfo)
{
	Datum	   *values;
	bool	   *isnull;
	int			count;
	List	   *result = NIL;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &values, &isnull, &count);
	for (int i = 0; i < count; i++)
	{
		if (isnull[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the name of a masked column must not be null")));
		result = list_append_unique(result, makeString(pstrdup(NameStr(*DatumGetName(values[i])))));
	}
	return result;
}

/* Look at the relation that a function was called for, and lock it with all that is below. */
static List *
lock_members(Oid relid)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	char		relkind;
	char		persistence;

	if (!HeapTupleIsValid(row))
		dbkit_report_dropped(relid);
	relkind = ((Form_pg_class) GETSTRUCT(row))->relkind;
	persistence = ((Form_pg_class) GETSTRUCT(row))->relpersistence;
	ReleaseSysCache(row);
	check_relation(relid, relkind, persistence);
	LockRelationOid(relid, ShareRowExclusiveLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		dbkit_report_dropped(relid);
	return find_all_inheritors(relid, ShareRowExclusiveLock, NULL);
}

static Oid
owner_of(Oid relid)
{
	HeapTuple	row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			result;

	if (!HeapTupleIsValid(row))
		dbkit_report_dropped(relid);
	result = ((Form_pg_class) GETSTRUCT(row))->relowner;
	ReleaseSysCache(row);
	return result;
}

/* Give a table its triggers anew, or take them away, as its owner. */
static void
set_triggers(Oid relid, bool audited, const List *masked)
{
	AsOwner		saved;

	dbkit_begin_as_owner(owner_of(relid), 0, &saved);
	dbkit_drop_audit_triggers(relid);
	if (audited)
		dbkit_add_audit_triggers(relid, masked);
	dbkit_end_as_owner(&saved);
}

PG_FUNCTION_INFO_V1(dbkit_audit);

/*
 * dbkit.audit(relation regclass, masked name[]) returns void
 *
 * Has all changes of the rows of a table, and of its partitions and children, written to
 * the log, from now on.  Of masked columns it says only that they changed.  Called again it sets
 * which they are.  Errors: insufficient_privilege for all but the owner, wrong_object_type,
 * object_not_in_prerequisite_state without a primary key, undefined_column,
 * invalid_parameter_value for a masked key.
 */
Datum
dbkit_audit(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *masked = read_names(fcinfo);
	List	   *members = lock_members(relid);
	bool		was_audited = dbkit_is_audited(relid);
	ListCell   *cell;

	check_key(relid, masked);
	check_members(members);
	SPI_connect();
	dbkit_make_audit_months();
	foreach(cell, members)
		set_triggers(lfirst_oid(cell), true, masked);
	SPI_finish();
	if (!was_audited)
		dbkit_write_audit_mark(relid, AUDIT_BEGIN, NULL, NULL);
	PG_RETURN_VOID();
}

PG_FUNCTION_INFO_V1(dbkit_unaudit);

/*
 * dbkit.unaudit(relation regclass) returns boolean
 *
 * Ends that, and returns whether there was anything to end.  What is in the log stays.
 */
Datum
dbkit_unaudit(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *members = lock_members(relid);
	ListCell   *cell;

	if (!dbkit_is_audited(relid))
		PG_RETURN_BOOL(false);
	SPI_connect();
	foreach(cell, members)
		set_triggers(lfirst_oid(cell), false, NIL);
	SPI_finish();
	dbkit_write_audit_mark(relid, AUDIT_END, NULL, NULL);
	PG_RETURN_BOOL(true);
}

/*
 * Have a table audited as those above it are: with all that they mask, and what it masks itself.
 */
static void
follow_parents(Oid relid)
{
	List	   *parents = dbkit_audited_parents(relid);
	bool		audited = dbkit_is_audited(relid);
	List	   *own = audited ? dbkit_masked_names(relid) : NIL;
	List	   *masked = own;
	ListCell   *cell;

	if (parents == NIL)
		return;
	foreach(cell, parents)
		masked = list_union(masked, dbkit_masked_names(lfirst_oid(cell)));
	if (!audited || list_length(masked) > list_length(own))
		set_triggers(relid, true, masked);
}

/* List the tables that a command has made or altered. */
static List *
altered_tables(void)
{
	List	   *result = NIL;

	dbkit_run_sql(SPI_OK_SELECT,
				  "SELECT DISTINCT c.objid FROM pg_catalog.pg_event_trigger_ddl_commands() AS c"
				  " WHERE c.classid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid AND c.object_type OPERATOR(pg_catalog.=) 'table'::pg_catalog.text",
				  0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		relid = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			result = lappend_oid(result, DatumGetObjectId(relid));
	}
	return result;
}

PG_FUNCTION_INFO_V1(dbkit_audit_follow);

/*
 * dbkit.audit_follow() returns event_trigger
 *
 * Has new partitions and children of an audited table audited, too, and those that were audited already mask
 * what it masks.  A restore brings their triggers itself.
 */
Datum
dbkit_audit_follow(PG_FUNCTION_ARGS)
{
	ListCell   *table;
	ListCell   *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.audit_follow\" was not called by the event trigger manager")));
	if (dbkit_is_restoring())
		PG_RETURN_NULL();
	SPI_connect();
	foreach(table, altered_tables())
	{
		foreach(cell, find_all_inheritors(lfirst_oid(table), AccessShareLock, NULL))
			follow_parents(lfirst_oid(cell));
	}
	SPI_finish();
	PG_RETURN_NULL();
}
