/*-------------------------------------------------------------------------
 *
 * type_walk.c
 *		Look inside types, and know what to use in place of one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "common.h"
#include "convention/facts/type_walk.h"

static Oid	find_type(const Catalogs *catalogs, Oid type, int32 *typmod, TypeTest wanted, List **seen);

/* Is it one of the types that most columns have, which contain no others and no rule minds? */
static bool
is_plain(Oid type)
{
	static const Oid plain[] = {
		TEXTOID, TIMESTAMPTZOID, JSONBOID, INT8OID, BOOLOID, NUMERICOID, UUIDOID, DATEOID
	};

	for (size_t i = 0; i < lengthof(plain); i++)
	{
		if (plain[i] == type)
			return true;
	}
	return false;
}

/* Return the type below all domains. */
Oid
dbkit_base_type(const Catalogs *catalogs, Oid type)
{
	Form_pg_type form;

	while ((form = dbkit_catalog_type(catalogs, type)) != NULL && form->typtype == TYPTYPE_DOMAIN)
		type = form->typbasetype;
	return type;
}

/* Look for a wanted type among the columns of a composite one. */
static Oid
find_in_composite(const Catalogs *catalogs, Oid relid, int32 *typmod, TypeTest wanted, List **seen)
{
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	Oid			found = InvalidOid;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true, catalogs->snapshot, 1, &key);
	while (!OidIsValid(found) && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);

		if (att->attnum <= 0 || att->attisdropped)
			continue;
		*typmod = att->atttypmod;
		found = find_type(catalogs, att->atttypid, typmod, wanted, seen);
	}
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	return found;
}

/* As dbkit_find_type(), but not inside the types that have been seen. */
static Oid
find_type(const Catalogs *catalogs, Oid type, int32 *typmod, TypeTest wanted, List **seen)
{
	Oid			inside = InvalidOid;
	Form_pg_type form;

	if (!OidIsValid(type) || is_plain(type))
		return InvalidOid;
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	form = dbkit_catalog_type(catalogs, type);
	if (form == NULL)
		return InvalidOid;
	if (wanted(form, *typmod))
		return type;
	switch (form->typtype)
	{
		case TYPTYPE_DOMAIN:
			inside = form->typbasetype;
			*typmod = form->typtypmod;
			break;
		case TYPTYPE_RANGE:
			inside = dbkit_range_subtype(catalogs, type);
			break;
		case TYPTYPE_MULTIRANGE:
			inside = dbkit_multirange_range(catalogs, type);
			break;
		case TYPTYPE_COMPOSITE:
			if (list_member_oid(*seen, type))
				return InvalidOid;
			*seen = lappend_oid(*seen, type);
			return find_in_composite(catalogs, form->typrelid, typmod, wanted, seen);
		default:
			inside = dbkit_element_type(catalogs, type);
	}
	return find_type(catalogs, inside, typmod, wanted, seen);
}

/*
 * Return the first type that is wanted among the type itself and those inside
 * it (of a domain, array, range, multirange or composite), or InvalidOid.  The modifier
 * is that of the type, and then that of the one that was found.
 *
 * A composite is looked into once, however often it is found: the number of ways to
 * the same type grows with each type between.  A type that is dropped meanwhile
 * has nothing inside.
 */
Oid
dbkit_find_type(const Catalogs *catalogs, Oid type, int32 *typmod, TypeTest wanted)
{
	List	   *seen = NIL;

	return find_type(catalogs, type, typmod, wanted, &seen);
}

/*
 * Return the type to use in place of one that the conventions do not want, or
 * InvalidOid where there is no such builtin type.
 */
Oid
dbkit_replacement_type(Oid type)
{
	static const struct
	{
		Oid			type;
		Oid			replacement;
	}			replacements[] = {
		{INT2OID, INT8OID},
		{INT4OID, INT8OID},
		{INT4RANGEOID, INT8RANGEOID},
		{INT4MULTIRANGEOID, INT8MULTIRANGEOID},
		{TIMESTAMPOID, TIMESTAMPTZOID},
		{TSRANGEOID, TSTZRANGEOID},
		{TSMULTIRANGEOID, TSTZMULTIRANGEOID},
		{VARCHAROID, TEXTOID},
		{BPCHAROID, TEXTOID},
		{JSONOID, JSONBOID},
		{MONEYOID, NUMERICOID},
	};
	Oid			element;
	Oid			replacement;

	for (size_t i = 0; i < lengthof(replacements); i++)
	{
		if (replacements[i].type == type)
			return replacements[i].replacement;
	}
	element = dbkit_element_type(&dbkit_now, type);
	replacement = OidIsValid(element) ? dbkit_replacement_type(element) : InvalidOid;
	return OidIsValid(replacement) ? dbkit_catalog_type(&dbkit_now, replacement)->typarray : InvalidOid;
}

/* Return a type's name; "???" where it has been dropped meanwhile. */
char *
dbkit_type_name(Oid type)
{
	return format_type_extended(type, -1, FORMAT_TYPE_ALLOW_INVALID);
}

/* Return a type's name as a column is declared with it: with its length or precision. */
char *
dbkit_declared_type_name(Oid type, int32 typmod)
{
	return format_type_extended(type, typmod, FORMAT_TYPE_ALLOW_INVALID | FORMAT_TYPE_TYPEMOD_GIVEN);
}

/* Return a type's name as people write it: timestamptz, not the standard's. */
const char *
dbkit_short_type_name(Oid type)
{
	switch (type)
	{
		case TIMESTAMPTZOID:
			return "timestamptz";
		case TIMESTAMPTZARRAYOID:
			return "timestamptz[]";
		default:
			return dbkit_type_name(type);
	}
}
