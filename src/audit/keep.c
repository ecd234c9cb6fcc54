/*-------------------------------------------------------------------------
 *
 * keep.c
 *		Keep the log of changes from being dropped while there is something in it.
 *
 * A partition with entries is not dropped, whatever would take it along: DROP
 * EXTENSION, DROP SCHEMA, DROP OWNED.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/objectaccess.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "common.h"
#include "audit/keep.h"
#include "audit/log.h"

static object_access_hook_type next_object_access = NULL;

/* Is a relation a partition of the log, with rows of its own, or the log of DDL commands? */
static bool
is_part_of_log(Oid relid)
{
	if (get_rel_relkind(relid) != RELKIND_RELATION)
		return false;
	return get_rel_relispartition(relid) ? get_partition_parent(relid, true) == dbkit_find_audit_table("audit_log") :
		relid == dbkit_find_audit_table("ddl_log");
}

static bool
has_rows(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = table_beginscan(rel, snapshot, 0, NULL);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	bool		result = table_scan_getnextslot(scan, ForwardScanDirection, slot);

	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	return result;
}

static void
keep_log(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void *arg)
{
	if (next_object_access)
		next_object_access(access, class_id, object_id, sub_id, arg);
	if (access == OAT_DROP && class_id == RelationRelationId && sub_id == 0 && is_part_of_log(object_id) && has_rows(object_id))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("the log of changes is not dropped while there are entries in it"),
				 errdetail("Table \"%s\" has some.", get_rel_name(object_id)),
				 errhint("dbkit.audit_trim() removes months that are sealed, and TRUNCATE dbkit.audit_log, dbkit.ddl_log everything.")));
}

PG_FUNCTION_INFO_V1(dbkit_audit_keep);

/*
 * dbkit.audit_keep() returns event_trigger
 *
 * Does nothing.  Its event trigger has the library loaded before something is dropped.
 */
Datum
dbkit_audit_keep(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"dbkit.audit_keep\" was not called by the event trigger manager")));
	PG_RETURN_NULL();
}

void
dbkit_audit_keep_init(void)
{
	next_object_access = object_access_hook;
	object_access_hook = keep_log;
}
