/*-------------------------------------------------------------------------
 *
 * catalogs.c
 *		Look things up in the catalogs, as they are or as they were before the
 *		transaction.
 *
 * A snapshot of the catalogs whose command is the transaction's first shows nothing
 * of what the transaction did, savepoints included.  The system caches and the
 * relcache only know the present, so nobody else among those who read facts or
 * judge uses them.  What is updated in place, such as relhassubclass, is as it is
 * now under any snapshot.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_description.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_partitioned_table.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_range.h"
#include "catalog/pg_sequence.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "common.h"
#include "convention/facts/catalogs.h"
#include "convention/facts/tree.h"

/* The catalogs as they are */
const Catalogs dbkit_now = {NULL, NULL, NULL};

/* Where the rows are, and what finds them */
static const struct
{
	Oid			catalog;
	Oid			index;
	AttrNumber	key;
	int			cache;
}			sources[] = {
	[CATALOG_RELATION] = {RelationRelationId, ClassOidIndexId, Anum_pg_class_oid, RELOID},
	[CATALOG_TYPE] = {TypeRelationId, TypeOidIndexId, Anum_pg_type_oid, TYPEOID},
	[CATALOG_FUNCTION] = {ProcedureRelationId, ProcedureOidIndexId, Anum_pg_proc_oid, PROCOID},
	[CATALOG_SCHEMA] = {NamespaceRelationId, NamespaceOidIndexId, Anum_pg_namespace_oid, NAMESPACEOID},
	[CATALOG_OPERATOR_CLASS] = {OperatorClassRelationId, OpclassOidIndexId, Anum_pg_opclass_oid, CLAOID},
	[CATALOG_RANGE] = {RangeRelationId, RangeTypidIndexId, Anum_pg_range_rngtypid, RANGETYPE},
	[CATALOG_MULTIRANGE] = {RangeRelationId, RangeMultirangeTypidIndexId, Anum_pg_range_rngmultitypid, RANGEMULTIRANGE},
	[CATALOG_PARTITIONED] = {PartitionedRelationId, PartitionedRelidIndexId, Anum_pg_partitioned_table_partrelid, PARTRELID},
	[CATALOG_CONSTRAINT] = {ConstraintRelationId, ConstraintOidIndexId, Anum_pg_constraint_oid, CONSTROID},
	[CATALOG_SEQUENCE] = {SequenceRelationId, SequenceRelidIndexId, Anum_pg_sequence_seqrelid, SEQRELID},
	[CATALOG_INDEX] = {IndexRelationId, IndexRelidIndexId, Anum_pg_index_indexrelid, INDEXRELID},
	[CATALOG_ROLE] = {AuthIdRelationId, AuthIdOidIndexId, Anum_pg_authid_oid, AUTHOID},
};

/* A row that was looked up */
typedef struct Remembered
{
	/* the key */
	Oid			kind;
	Oid			oid;

	HeapTuple	row;			/* NULL where there is none */
}			Remembered;

/*
 * Open the catalogs as they were before the transaction, until they are closed; what
 * is remembered of them lives in the current memory context.
 */
void
dbkit_open_before(Catalogs *catalogs)
{
	HASHCTL		ctl = {
		.keysize = 2 * sizeof(Oid),
		.entrysize = sizeof(Remembered),
		.hcxt = CurrentMemoryContext
	};

	/* It is copied: the transaction's own must not change */
	catalogs->snapshot = RegisterSnapshot(GetCatalogSnapshot(InvalidOid));
	catalogs->snapshot->curcid = FirstCommandId;
	catalogs->context = CurrentMemoryContext;
	catalogs->memo = hash_create("dbkit catalogs", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
dbkit_close_before(Catalogs *catalogs)
{
	UnregisterSnapshot(catalogs->snapshot);
	catalogs->snapshot = NULL;
}

/* Return a copy of the first row that a scan finds, or NULL. */
static HeapTuple
read_row(const Catalogs *catalogs, CatalogKind kind, Oid oid)
{
	Relation	catalog = table_open(sources[kind].catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key, sources[kind].key, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(oid));
	scan = systable_beginscan(catalog, sources[kind].index, true, catalogs->snapshot, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return row;
}

/* Return the row of an object, or NULL where there is none.  It is not to be changed. */
HeapTuple
dbkit_catalog_row(const Catalogs *catalogs, CatalogKind kind, Oid oid)
{
	Oid			key[2] = {kind, oid};
	Remembered *remembered;
	MemoryContext caller;
	bool		found;

	if (catalogs->snapshot == NULL)
		return SearchSysCacheCopy1(sources[kind].cache, ObjectIdGetDatum(oid));
	remembered = hash_search(catalogs->memo, key, HASH_ENTER, &found);
	if (!found)
	{
		remembered->row = NULL;
		caller = MemoryContextSwitchTo(catalogs->context);
		remembered->row = read_row(catalogs, kind, oid);
		MemoryContextSwitchTo(caller);
	}
	return remembered->row;
}

/* Return a value of such a row. */
Datum
dbkit_catalog_value(CatalogKind kind, HeapTuple row, AttrNumber attnum, bool *isnull)
{
	return SysCacheGetAttr(sources[kind].cache, row, attnum, isnull);
}

/* How objects are found by their names */
static const struct
{
	Oid			index;
	AttrNumber	name;
	AttrNumber	arguments;		/* of a function, which the index has second */
	AttrNumber	namespace;
}			searches[] = {
	[CATALOG_RELATION] = {ClassNameNspIndexId, Anum_pg_class_relname, 0, Anum_pg_class_relnamespace},
	[CATALOG_TYPE] = {TypeNameNspIndexId, Anum_pg_type_typname, 0, Anum_pg_type_typnamespace},
	[CATALOG_FUNCTION] = {ProcedureNameArgsNspIndexId, Anum_pg_proc_proname, Anum_pg_proc_proargtypes, Anum_pg_proc_pronamespace},
	[CATALOG_SCHEMA] = {NamespaceNameIndexId, Anum_pg_namespace_nspname, 0, 0},
};

/*
 * Return the object of that name in that schema, a function with those arguments,
 * or InvalidOid.
 */
Oid
dbkit_catalog_search(const Catalogs *catalogs, CatalogKind kind, const char *name,
					 const oidvector *arguments, Oid namespace)
{
	Relation	catalog = table_open(sources[kind].catalog, AccessShareLock);
	ScanKeyData key[3];
	int			keys = 0;
	SysScanDesc scan;
	HeapTuple	row;
	Oid			result = InvalidOid;
	bool		isnull;

	ScanKeyInit(&key[keys++], searches[kind].name, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(name));
	if (searches[kind].arguments != 0)
		ScanKeyInit(&key[keys++], searches[kind].arguments, BTEqualStrategyNumber,
					F_OIDVECTOREQ, PointerGetDatum(arguments));
	if (searches[kind].namespace != 0)
		ScanKeyInit(&key[keys++], searches[kind].namespace, BTEqualStrategyNumber,
					F_OIDEQ, ObjectIdGetDatum(namespace));
	scan = systable_beginscan(catalog, searches[kind].index, true, catalogs->snapshot, keys, key);
	if (HeapTupleIsValid(row = systable_getnext(scan)))
		result = DatumGetObjectId(heap_getattr(row, sources[kind].key,
											   RelationGetDescr(catalog), &isnull));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result;
}

/* Does an object belong to an extension? */
bool
dbkit_catalog_member(const Catalogs *catalogs, Oid classid, Oid objid)
{
	Relation	depend;
	bool		member = false;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	row;

	if (catalogs->snapshot == NULL)
		return OidIsValid(getExtensionOfObject(classid, objid));
	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(classid));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(objid));
	scan = systable_beginscan(depend, DependDependerIndexId, true, catalogs->snapshot, 2, key);
	while (!member && HeapTupleIsValid(row = systable_getnext(scan)))
		member = ((Form_pg_depend) GETSTRUCT(row))->deptype == DEPENDENCY_EXTENSION;
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return member;
}

/* Return what depends on an object or a column of it, as a part of it or otherwise: ObjectAddress *. */
List *
dbkit_catalog_dependents(const Catalogs *catalogs, Oid classid, Oid objid, int32 objsubid, bool parts)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData key[3];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key[0], Anum_pg_depend_refclassid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(classid));
	ScanKeyInit(&key[1], Anum_pg_depend_refobjid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(objid));
	ScanKeyInit(&key[2], Anum_pg_depend_refobjsubid, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(objsubid));
	scan = systable_beginscan(depend, DependReferenceIndexId, true, catalogs->snapshot, 3, key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend form = (Form_pg_depend) GETSTRUCT(row);
		ObjectAddress *dependent = palloc(sizeof(ObjectAddress));

		ObjectAddressSubSet(*dependent, form->classid, form->objid, form->objsubid);
		if ((form->deptype == DEPENDENCY_INTERNAL) == parts)
			result = lappend(result, dependent);
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return result;
}

/* Is there anything in a catalog, mostly a small one? */
bool
dbkit_catalog_has_rows(const Catalogs *catalogs, Oid catalog)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	SysScanDesc scan = systable_beginscan(rel, InvalidOid, false, catalogs->snapshot, 0, NULL);
	bool		result = HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

/* Has a column a comment, or, for number 0, the relation? */
bool
dbkit_catalog_comment(const Catalogs *catalogs, Oid relid, AttrNumber attnum)
{
	Relation	descriptions = table_open(DescriptionRelationId, AccessShareLock);
	bool		found;
	ScanKeyData key[3];
	SysScanDesc scan;

	ScanKeyInit(&key[0], Anum_pg_description_objoid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&key[1], Anum_pg_description_classoid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(RelationRelationId));
	ScanKeyInit(&key[2], Anum_pg_description_objsubid, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(attnum));
	scan = systable_beginscan(descriptions, DescriptionObjIndexId, true, catalogs->snapshot, 3, key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	table_close(descriptions, AccessShareLock);
	return found;
}

/* Return what a column of oids has in all rows of a catalog in which another one is this relation, as the index has them. */
static List *
collect_oids(const Catalogs *catalogs, Oid catalog, Oid index, AttrNumber key, Oid relid, AttrNumber wanted)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	List	   *result = NIL;
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	row;
	bool		isnull;

	ScanKeyInit(&scankey, key, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, index, true, catalogs->snapshot, 1, &scankey);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
		result = lappend_oid(result, DatumGetObjectId(heap_getattr(row, wanted, RelationGetDescr(rel), &isnull)));
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return result;
}

static List *
sorted(List *oids)
{
	list_sort(oids, list_oid_cmp);
	return oids;
}

/* Return the children of a table, its partitions among them; or the indexes that are attached to an index. */
List *
dbkit_catalog_children(const Catalogs *catalogs, Oid relid)
{
	return sorted(collect_oids(catalogs, InheritsRelationId, InheritsParentIndexId, Anum_pg_inherits_inhparent,
							   relid, Anum_pg_inherits_inhrelid));
}

/* Return the indexes of a table. */
List *
dbkit_catalog_indexes(const Catalogs *catalogs, Oid relid)
{
	return sorted(collect_oids(catalogs, IndexRelationId, IndexIndrelidIndexId, Anum_pg_index_indrelid,
							   relid, Anum_pg_index_indexrelid));
}

/* List what a table is a partition or child of, as OIDs, in the order in which it says so. */
List *
dbkit_catalog_parents(const Catalogs *catalogs, Oid relid)
{
	return collect_oids(catalogs, InheritsRelationId, InheritsRelidSeqnoIndexId, Anum_pg_inherits_inhrelid,
						relid, Anum_pg_inherits_inhparent);
}

/* Return what pg_attribute says of a column, or NULL. */
static Form_pg_attribute
read_column(const Catalogs *catalogs, Oid relid, AttrNumber attnum)
{
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&key[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber,
				F_INT2EQ, Int16GetDatum(attnum));
	scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true, catalogs->snapshot, 2, key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		row = heap_copytuple(row);
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	return HeapTupleIsValid(row) ? (Form_pg_attribute) GETSTRUCT(row) : NULL;
}

/* Tell the type and collation of a column; false where it is gone. */
bool
dbkit_catalog_column(const Catalogs *catalogs, Oid relid, AttrNumber attnum, Oid *type, Oid *collation)
{
	Form_pg_attribute form = read_column(catalogs, relid, attnum);

	if (form == NULL)
		return false;
	*type = form->atttypid;
	*collation = form->attcollation;
	return true;
}

/* Return the number of the column of that name, or 0. */
AttrNumber
dbkit_catalog_attnum(const Catalogs *catalogs, Oid relid, const char *name)
{
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	AttrNumber	result = InvalidAttrNumber;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyInit(&key[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&key[1], Anum_pg_attribute_attname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(name));
	scan = systable_beginscan(attributes, AttributeRelidNameIndexId, true, catalogs->snapshot, 2, key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row) && ((Form_pg_attribute) GETSTRUCT(row))->attnum > 0)
		result = ((Form_pg_attribute) GETSTRUCT(row))->attnum;
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	return result;
}

/* Return the name of a column, or NULL. */
char *
dbkit_catalog_column_name(const Catalogs *catalogs, Oid relid, AttrNumber attnum)
{
	Form_pg_attribute form = read_column(catalogs, relid, attnum);

	return form != NULL ? NameStr(form->attname) : NULL;
}

/* Return the default of a column, or what it is generated from, as stored, and its OID; NULL and InvalidOid where there is none. */
char *
dbkit_catalog_default(const Catalogs *catalogs, Oid relid, AttrNumber attnum, Oid *oid)
{
	Relation	defaults = table_open(AttrDefaultRelationId, AccessShareLock);
	char	   *result = NULL;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	row;
	bool		isnull;

	*oid = InvalidOid;
	ScanKeyInit(&key[0], Anum_pg_attrdef_adrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&key[1], Anum_pg_attrdef_adnum, BTEqualStrategyNumber,
				F_INT2EQ, Int16GetDatum(attnum));
	scan = systable_beginscan(defaults, AttrDefaultIndexId, true, catalogs->snapshot, 2, key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
	{
		*oid = ((Form_pg_attrdef) GETSTRUCT(row))->oid;
		result = dbkit_stored_text(heap_getattr(row, Anum_pg_attrdef_adbin, RelationGetDescr(defaults), &isnull));
	}
	systable_endscan(scan);
	table_close(defaults, AccessShareLock);
	return result;
}

/* Return what pg_type says of a type, or NULL. */
Form_pg_type
dbkit_catalog_type(const Catalogs *catalogs, Oid type)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_TYPE, type);

	return row != NULL ? (Form_pg_type) GETSTRUCT(row) : NULL;
}

/* Return the type of an array's elements, or InvalidOid. */
Oid
dbkit_element_type(const Catalogs *catalogs, Oid type)
{
	Form_pg_type form = dbkit_catalog_type(catalogs, type);

	return form != NULL && IsTrueArrayType(form) ? form->typelem : InvalidOid;
}

/* Return what a range is of, or InvalidOid. */
Oid
dbkit_range_subtype(const Catalogs *catalogs, Oid type)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_RANGE, type);

	return row != NULL ? ((Form_pg_range) GETSTRUCT(row))->rngsubtype : InvalidOid;
}

/* Return the range that a multirange is of, or InvalidOid. */
Oid
dbkit_multirange_range(const Catalogs *catalogs, Oid type)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_MULTIRANGE, type);

	return row != NULL ? ((Form_pg_range) GETSTRUCT(row))->rngtypid : InvalidOid;
}

/* Return the access method of an operator class, or InvalidOid. */
Oid
dbkit_operator_class_method(const Catalogs *catalogs, Oid operator_class)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_OPERATOR_CLASS, operator_class);

	return row != NULL ? ((Form_pg_opclass) GETSTRUCT(row))->opcmethod : InvalidOid;
}

/* Is a function volatile? */
bool
dbkit_is_volatile(const Catalogs *catalogs, Oid function)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, CATALOG_FUNCTION, function);

	return row != NULL && ((Form_pg_proc) GETSTRUCT(row))->provolatile == PROVOLATILE_VOLATILE;
}

/* Tell which catalog a relation, type or function is in. */
CatalogKind
dbkit_catalog_of(Oid classid)
{
	return classid == RelationRelationId ? CATALOG_RELATION :
		classid == TypeRelationId ? CATALOG_TYPE : CATALOG_FUNCTION;
}

/* Return the name of a schema, or NULL. */
char *
dbkit_catalog_schema(const Catalogs *catalogs, Oid namespace)
{
	return dbkit_catalog_name(catalogs, CATALOG_SCHEMA, namespace, NULL);
}

/* Return the name of an object, and its schema unless that is not asked for; or NULL. */
char *
dbkit_catalog_name(const Catalogs *catalogs, CatalogKind kind, Oid oid, Oid *namespace)
{
	HeapTuple	row = dbkit_catalog_row(catalogs, kind, oid);
	Oid			unused;

	if (row == NULL)
		return NULL;
	if (namespace == NULL)
		namespace = &unused;
	switch (kind)
	{
		case CATALOG_RELATION:
			*namespace = ((Form_pg_class) GETSTRUCT(row))->relnamespace;
			return NameStr(((Form_pg_class) GETSTRUCT(row))->relname);
		case CATALOG_TYPE:
			*namespace = ((Form_pg_type) GETSTRUCT(row))->typnamespace;
			return NameStr(((Form_pg_type) GETSTRUCT(row))->typname);
		case CATALOG_FUNCTION:
			*namespace = ((Form_pg_proc) GETSTRUCT(row))->pronamespace;
			return NameStr(((Form_pg_proc) GETSTRUCT(row))->proname);
		case CATALOG_SCHEMA:
			return NameStr(((Form_pg_namespace) GETSTRUCT(row))->nspname);
		case CATALOG_ROLE:
			return NameStr(((Form_pg_authid) GETSTRUCT(row))->rolname);
		default:
			return NULL;
	}
}

/* Return the qualified name of a relation as SQL has it, or NULL. */
char *
dbkit_catalog_quoted_name(const Catalogs *catalogs, Oid relid)
{
	Oid			namespace;
	char	   *name = dbkit_catalog_name(catalogs, CATALOG_RELATION, relid, &namespace);
	char	   *schema = name != NULL ? dbkit_catalog_schema(catalogs, namespace) : NULL;

	return schema != NULL ? quote_qualified_identifier(schema, name) : NULL;
}

/* Return the qualified name of a relation as messages have it, without quotes, or NULL. */
char *
dbkit_catalog_identity(const Catalogs *catalogs, Oid relid)
{
	Oid			namespace;
	char	   *name = dbkit_catalog_name(catalogs, CATALOG_RELATION, relid, &namespace);
	char	   *schema = name != NULL ? dbkit_catalog_schema(catalogs, namespace) : NULL;

	return schema != NULL ? psprintf("%s.%s", schema, name) : NULL;
}

/* Return the name of a collation, or NULL where it has been dropped meanwhile. */
const char *
dbkit_collation_name(Oid collation)
{
	return get_collation_name(collation);
}

/* Return the name of a collation as SQL has it, with its schema if that is not PostgreSQL's own; NULL likewise. */
char *
dbkit_collation_sql(Oid collation)
{
	HeapTuple	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
	Form_pg_collation form = HeapTupleIsValid(tuple) ? (Form_pg_collation) GETSTRUCT(tuple) : NULL;
	char	   *schema = form != NULL ? get_namespace_name(form->collnamespace) : NULL;
	char	   *result = schema == NULL ? NULL :
	quote_qualified_identifier(form->collnamespace != PG_CATALOG_NAMESPACE ? schema : NULL, NameStr(form->collname));

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return result;
}

/* Return the names of the columns that a foreign key refers to, quoted; NULL where one is gone. */
char *
dbkit_referenced_column_names(Oid constraint, Oid referenced)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	AttrNumber	columns[INDEX_MAX_KEYS];
	AttrNumber	numbers[INDEX_MAX_KEYS];
	StringInfoData names;
	int			count;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	DeconstructFkConstraintRow(tuple, &count, columns, numbers, NULL, NULL, NULL, NULL, NULL);
	ReleaseSysCache(tuple);
	initStringInfo(&names);
	for (int i = 0; i < count; i++)
	{
		char	   *name = get_attname(referenced, numbers[i], true);

		if (name == NULL)
			return NULL;
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", quote_identifier(name));
	}
	return names.data;
}
