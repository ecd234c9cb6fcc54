/*-------------------------------------------------------------------------
 *
 * strangers.c
 *		Would an operation of a superuser run what is not a superuser's?
 *
 * Rows are made, and materialized views refreshed, with the rights of the owner.  Triggers, defaults,
 * CHECKs, generated columns, indexes and the query of a view may call functions, which whoever owns
 * them can replace at any time.  What a table or view may call, its dependencies tell.  Only the body
 * of a function is not looked into: what a superuser's function does is a superuser's doing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "common.h"
#include "leak_test/strangers.h"

/* Return the owner of a function, relation or domain, or InvalidOid for what else there is, or is gone. */
static Oid
owner_of(const ObjectAddress *object)
{
	int			cache = object->classId == ProcedureRelationId ? PROCOID :
	object->classId == RelationRelationId ? RELOID : TYPEOID;
	HeapTuple	row = cache != TYPEOID || object->classId == TypeRelationId ?
	SearchSysCache1(cache, ObjectIdGetDatum(object->objectId)) : NULL;
	Oid			result = InvalidOid;

	if (!HeapTupleIsValid(row))
		return InvalidOid;
	if (cache == PROCOID)
		result = ((Form_pg_proc) GETSTRUCT(row))->proowner;
	else if (cache == RELOID)
		result = ((Form_pg_class) GETSTRUCT(row))->relowner;
	else if (((Form_pg_type) GETSTRUCT(row))->typtype == TYPTYPE_DOMAIN)
		result = ((Form_pg_type) GETSTRUCT(row))->typowner;
	ReleaseSysCache(row);
	return result;
}

/* Is what an object depends on something that may run with it?  A table that is read or referenced does not. */
static bool
runs_along(Oid classid, Oid objid)
{
	return objid >= FirstNormalObjectId &&
		(classid != RelationRelationId || get_rel_relkind(objid) == RELKIND_VIEW || get_rel_relkind(objid) == RELKIND_MATVIEW);
}

/* Is an object a part of another one that runs with it?  Policies do not bind superusers. */
static bool
is_running_part(const FormData_pg_depend *form)
{
	return (form->deptype == DEPENDENCY_AUTO || form->deptype == DEPENDENCY_INTERNAL) &&
		form->classid != PolicyRelationId;
}

/* Add an object to a list, unless it is there. */
static List *
add_object(List *objects, Oid classid, Oid objid)
{
	ObjectAddress *object;
	ListCell   *cell;

	foreach(cell, objects)
	{
		object = lfirst(cell);
		if (object->classId == classid && object->objectId == objid)
			return objects;
	}
	object = palloc(sizeof(ObjectAddress));
	ObjectAddressSet(*object, classid, objid);
	return lappend(objects, object);
}

/* Add what an object depends on, or what is a part of it. */
static List *
add_neighbours(List *objects, const ObjectAddress *object, bool parts)
{
	Relation	catalog = table_open(DependRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&keys[0], parts ? Anum_pg_depend_refclassid : Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object->classId));
	ScanKeyInit(&keys[1], parts ? Anum_pg_depend_refobjid : Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(object->objectId));
	scan = systable_beginscan(catalog, parts ? DependReferenceIndexId : DependDependerIndexId, true, NULL, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);

		CHECK_FOR_INTERRUPTS();
		if (parts ? is_running_part(form) : runs_along(form->refclassid, form->refobjid))
			objects = add_object(objects, parts ? form->classid : form->refclassid, parts ? form->objid : form->refobjid);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return objects;
}

/* Tell why nothing is done to a table or materialized view as its owner, if there is a reason; else NULL. */
const char *
dbkit_lent_rights(Oid relid, Oid owner)
{
	List	   *objects = add_object(NIL, RelationRelationId, relid);

	if (!superuser_arg(owner))
		return NULL;
	for (int i = 0; i < list_length(objects); i++)
	{
		const ObjectAddress *object = list_nth(objects, i);
		Oid			other = owner_of(object);

		if (OidIsValid(other) && !superuser_arg(other))
			return "its owner is a superuser, with whose rights triggers, partitions or functions of others would run";
		objects = add_neighbours(objects, object, false);
		objects = add_neighbours(objects, object, true);
	}
	return NULL;
}
