/*-------------------------------------------------------------------------
 *
 * audited.c
 *		Which tables are audited, and which of their columns are masked.
 *
 * The triggers are the only place where that stands: so it goes along with a table
 * into a dump, and is gone with it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "common.h"
#include "audit/audited.h"
#include "relation_name.h"
#include "sql.h"

#define FIRST_TRIGGER	"dbkit_audit_update"
#define MASKED_PREFIX	"dbkit_audit_masked_"

/* What CREATE TRIGGER says of each; the row trigger only has tables that hold rows */
static const struct
{
	const char *name;
	const char *definition;
	const char *enable;
	bool		rows_only;
}			triggers[] =

{
	{"dbkit_audit_insert", "AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_statement()", NULL, false},
	{FIRST_TRIGGER, "AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_statement()", NULL, false},
	{"dbkit_audit_delete", "AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_statement()", NULL, false},
	{"dbkit_audit_truncate", "AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_statement()", "ALWAYS", false},
	{"dbkit_audit_replica", "AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION dbkit.audit_row()", "REPLICA", true},
};

/* Has a table the triggers? */
bool
dbkit_is_audited(Oid relid)
{
	return OidIsValid(get_trigger_oid(relid, FIRST_TRIGGER, true));
}

/* List the audited tables right above a partition or child. */
List *
dbkit_audited_parents(Oid relid)
{
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Oid			parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;

		if (dbkit_is_audited(parent))
			result = lappend_oid(result, parent);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Return the first of them, or InvalidOid. */
Oid
dbkit_audited_parent(Oid relid)
{
	List	   *parents = dbkit_audited_parents(relid);

	return parents != NIL ? linitial_oid(parents) : InvalidOid;
}

/* Return the topmost audited table above a table, or the table itself: the name that its rows have in the log. */
Oid
dbkit_audited_root(Oid relid)
{
	for (Oid parent = relid; OidIsValid(parent); parent = dbkit_audited_parent(parent))
		relid = parent;
	return relid;
}

/* Is this one of the triggers that name masked columns? */
static bool
names_masked(const Trigger *trigger)
{
	return strncmp(trigger->tgname, MASKED_PREFIX, strlen(MASKED_PREFIX)) == 0;
}

/* Set those columns, counted from 0, that are masked. */
void
dbkit_find_masked(Relation table, bool *masked)
{
	const TriggerDesc *all = table->trigdesc;

	for (int i = 0; all != NULL && i < all->numtriggers; i++)
	{
		const Trigger *trigger = &all->triggers[i];

		for (int j = 0; names_masked(trigger) && j < trigger->tgnattr; j++)
		{
			if (trigger->tgattr[j] > 0)
				masked[trigger->tgattr[j] - 1] = true;
		}
	}
}

/* List the names of the columns of a table that are masked, as nodes. */
List *
dbkit_masked_names(Oid relid)
{
	Relation	table = table_open(relid, AccessShareLock);
	bool	   *masked = palloc0(Max(RelationGetDescr(table)->natts, 1) * sizeof(bool));
	List	   *result = NIL;

	dbkit_find_masked(table, masked);
	for (int i = 0; i < RelationGetDescr(table)->natts; i++)
	{
		if (masked[i])
			result = lappend(result, makeString(pstrdup(NameStr(TupleDescAttr(RelationGetDescr(table), i)->attname))));
	}
	table_close(table, NoLock);
	return result;
}

/*
 * Give a table the triggers.  The caller is connected to SPI, as the table's owner.  Each ALTER fires
 * the event trigger that has the tables below follow, so all triggers are there before the first.
 */
void
dbkit_add_audit_triggers(Oid relid, const List *masked)
{
	const char *name = dbkit_relation_name(relid);
	char		relkind = get_rel_relkind(relid);
	ListCell   *cell;

	foreach(cell, masked)
		dbkit_run_utility(psprintf("CREATE TRIGGER " MASKED_PREFIX "%d BEFORE UPDATE OF %s ON %s FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_masked()",
								   foreach_current_index(cell) + 1, quote_identifier(strVal(lfirst(cell))), name));
	for (int i = 0; i < (int) lengthof(triggers); i++)
	{
		if (!triggers[i].rows_only || relkind == RELKIND_RELATION)
			dbkit_run_utility(psprintf(psprintf("CREATE TRIGGER %s %s", triggers[i].name, triggers[i].definition), name));
	}
	foreach(cell, masked)
		dbkit_run_utility(psprintf("ALTER TABLE ONLY %s DISABLE TRIGGER " MASKED_PREFIX "%d", name, foreach_current_index(cell) + 1));
	for (int i = 0; i < (int) lengthof(triggers); i++)
	{
		if (triggers[i].enable != NULL && (!triggers[i].rows_only || relkind == RELKIND_RELATION))
			dbkit_run_utility(psprintf("ALTER TABLE ONLY %s ENABLE %s TRIGGER %s", name, triggers[i].enable, triggers[i].name));
	}
}

/* List the names of the triggers that a table has. */
static List *
trigger_names(Oid relid)
{
	Relation	table = table_open(relid, AccessShareLock);
	const TriggerDesc *all = table->trigdesc;
	List	   *result = NIL;

	for (int i = 0; all != NULL && i < all->numtriggers; i++)
	{
		bool		ours = names_masked(&all->triggers[i]);

		for (int j = 0; j < (int) lengthof(triggers); j++)
			ours = ours || strcmp(all->triggers[i].tgname, triggers[j].name) == 0;
		if (ours)
			result = lappend(result, pstrdup(all->triggers[i].tgname));
	}
	table_close(table, NoLock);
	return result;
}

/* Take the triggers away, in the same way. */
void
dbkit_drop_audit_triggers(Oid relid)
{
	const char *name = dbkit_relation_name(relid);
	List	   *names = trigger_names(relid);
	ListCell   *cell;

	foreach(cell, names)
		dbkit_run_utility(psprintf("DROP TRIGGER %s ON %s", quote_identifier(lfirst(cell)), name));
}
