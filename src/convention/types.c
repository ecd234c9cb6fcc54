/*-------------------------------------------------------------------------
 *
 * types.c
 *		Look inside types, and know what to use in place of one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "dbkit.h"
#include "types.h"

static Oid	find_in_composite(Oid type, bool (*wanted) (Oid type));

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

/*
 * Return the first type that is wanted among the type itself and those inside
 * it (of a domain, array, range, multirange or composite), or InvalidOid.
 */
Oid
dbkit_find_type(Oid type, bool (*wanted) (Oid type))
{
	if (is_plain(type))
		return InvalidOid;
	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	if (wanted(type))
		return type;
	switch (get_typtype(type))
	{
		case TYPTYPE_DOMAIN:
			return dbkit_find_type(getBaseType(type), wanted);
		case TYPTYPE_RANGE:
			return dbkit_find_type(get_range_subtype(type), wanted);
		case TYPTYPE_MULTIRANGE:
			return dbkit_find_type(get_multirange_range(type), wanted);
		case TYPTYPE_COMPOSITE:
			return find_in_composite(type, wanted);
		default:
			{
				Oid			element = get_element_type(type);

				return OidIsValid(element) ? dbkit_find_type(element, wanted) : InvalidOid;
			}
	}
}

static Oid
find_in_composite(Oid type, bool (*wanted) (Oid type))
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	Oid			found = InvalidOid;

	for (int i = 0; i < desc->natts && !OidIsValid(found); i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			found = dbkit_find_type(TupleDescAttr(desc, i)->atttypid, wanted);
	}
	ReleaseTupleDesc(desc);
	return found;
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
	};
	Oid			element = get_element_type(type);

	if (OidIsValid(element))
	{
		Oid			replacement = dbkit_replacement_type(element);

		return OidIsValid(replacement) ? get_array_type(replacement) : InvalidOid;
	}
	for (size_t i = 0; i < lengthof(replacements); i++)
	{
		if (replacements[i].type == type)
			return replacements[i].replacement;
	}
	return InvalidOid;
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
			return format_type_be(type);
	}
}
