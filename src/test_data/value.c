/*-------------------------------------------------------------------------
 *
 * value.c
 *		Make up a value for a column, as text.
 *
 * A number makes values differ; where they need not, it is the same for plain things such
 * as counts and times.  The table at the end says how a type is served.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "common.h"
#include "id.h"
#include "test_data/shape.h"

#define MICROSECONDS_PER_DAY	((double) USECS_PER_DAY)

/* Is the value refused by <> or the like? */
static bool
is_refused(const Limits *limits, const char *text)
{
	ListCell   *lc;

	foreach(lc, limits->refused)
	{
		if (strcmp(lfirst(lc), text) == 0)
			return true;
	}
	return false;
}

/* Spell a number with digits and letters: 8 of them. */
static char *
spell(uint64 number)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char	   *result = palloc(9);

	for (int i = 7; i >= 0; i--)
	{
		result[i] = digits[number % 36];
		number /= 36;
	}
	result[8] = '\0';
	return result;
}

/* What a text is by its column's name: how it is written, with what makes it differ in it */
static const struct
{
	const char *ending;
	const char *format;
}			named_texts[] = {
	{"email", "%s@example.com"},
	{"url", "https://example.com/%s"},
	{"uri", "https://example.com/%s"},
	{"phone", "+1555%s"},
	{"ip", "192.0.2.1"},
};

/* Return the column's name as the beginning of a text: small letters, digits and underscores. */
static char *
plain_name(const char *name)
{
	char	   *result = palloc(strlen(name) + 1);
	char	   *end = result;

	for (; *name != '\0'; name++)
	{
		if (isalnum((unsigned char) *name) && (unsigned char) *name < 128)
			*end++ = pg_ascii_tolower((unsigned char) *name);
		else if (*name == '_' && end > result)
			*end++ = '_';
	}
	*end = '\0';
	return result;
}

/* Return the text that the name of the column suggests, or NULL. */
static char *
text_by_name(const char *name, uint64 number)
{
	char	   *plain = plain_name(name);

	for (size_t i = 0; i < lengthof(named_texts); i++)
	{
		if (dbkit_ends_with(plain, named_texts[i].ending) && strstr(named_texts[i].format, "%s") == NULL)
			return pstrdup(named_texts[i].format);
		if (dbkit_ends_with(plain, named_texts[i].ending))
		{
			const char *at = strstr(named_texts[i].format, "%s");

			return psprintf("%.*s%s%s", (int) (at - named_texts[i].format), named_texts[i].format, spell(number), at + 2);
		}
	}
	return NULL;
}

/* Cut a text to the length that it may have, at its beginning, and fill it up to the one that it has to have. */
static char *
fit(char *text, const Limits *limits)
{
	StringInfoData result;

	if (strlen(text) > limits->max_length)
		text += (int) (strlen(text) - limits->max_length);

	initStringInfo(&result);
	appendStringInfoString(&result, text);
	while (result.len < limits->min_length && result.len < LONGEST_TEXT)
		appendStringInfoChar(&result, 'x');
	return result.data;
}

static char *
some_id(const char *prefix)
{
	return TextDatumGetCString(DirectFunctionCall1(dbkit_generate_id, CStringGetTextDatum(prefix)));
}

/* Return a text for the patterns that it has to match, or NULL. */
static char *
text_by_pattern(const Limits *limits, uint64 number)
{
	char	   *result = NULL;

	if (limits->id_prefix != NULL)
		return some_id(limits->id_prefix);
	if (limits->regex != NULL)
		result = dbkit_text_matching(limits->regex, limits, number);
	if (result == NULL && limits->like != NULL)
		result = dbkit_text_like(limits->like, limits, number);
	return result;
}

static char *
some_text(const Slot *slot, uint64 number)
{
	Limits		limits = slot->limits;
	char	   *result;

	if (slot->base_typmod >= (int32) VARHDRSZ)
		limits.max_length = Min(limits.max_length, slot->base_typmod - VARHDRSZ);
	if (slot->base_type == NAMEOID)
		limits.max_length = Min(limits.max_length, NAMEDATALEN - 1);
	result = text_by_pattern(&limits, number);
	if (result == NULL)
		result = text_by_name(slot->name, number);
	if (result == NULL || strlen(result) > limits.max_length || strlen(result) < limits.min_length)
		result = fit(psprintf("%s_%s", plain_name(slot->name), spell(number)), &limits);
	return limits.upper ? str_toupper(result, strlen(result), C_COLLATION_OID) : result;
}

static char *
some_single_char(const Slot *slot pg_attribute_unused(), uint64 number)
{
	return psprintf("%c", (int) ('a' + number % 26));
}

/* Numbers of a type: how far apart, and from where to where */
typedef struct Range
{
	double		step;
	double		low;
	double		high;
} Range;

static Range
range_of(double step, double low, double high)
{
	Range		range = {step, low, high};

	return range;
}

/* Narrow a range down to what is allowed. */
static void
narrow(Range *range, const Limits *limits)
{
	if (!isinf(limits->low))
	{
		double		low = ceil(limits->low / range->step) * range->step;

		if (limits->low_open && low <= limits->low)
			low += range->step;
		range->low = Max(range->low, low);
	}
	if (!isinf(limits->high))
	{
		double		high = floor(limits->high / range->step) * range->step;

		if (limits->high_open && high >= limits->high)
			high -= range->step;
		range->high = Min(range->high, high);
	}
}

/* Choose the n-th number of a range, near one. */
static double
choose(const Range *range, uint64 n, int rank)
{
	double		start = range->low > 1 ? range->low : Min(1, range->high);
	double		span = floor((range->high - start) / range->step) + 1;
	double		all = floor((range->high - range->low) / range->step) + 1;

	if (n < span)
		return Min(start + range->step * ((double) n + rank), range->high);
	return range->low + range->step * fmod((double) n, Max(all, 1));
}

static char *
some_number(const Slot *slot, uint64 number, Range range, int scale)
{
	char	   *result = NULL;
	uint64		most;

	narrow(&range, &slot->limits);
	most = range.high >= 1 ? (uint64) Min(range.high, 9e15) : PG_UINT64_MAX;
	for (uint64 skip = 0; skip <= (uint64) list_length(slot->limits.refused); skip++)
	{
		double		value = choose(&range, (slot->distinct ? number % most : 0) + skip, slot->limits.rank);

		result = psprintf("%.*f", scale, value);
		if (!is_refused(&slot->limits, result))
			break;
	}
	return result;
}

static char *
some_int2(const Slot *slot, uint64 number)
{
	return some_number(slot, number, range_of(1, PG_INT16_MIN, PG_INT16_MAX), 0);
}

static char *
some_int4(const Slot *slot, uint64 number)
{
	return some_number(slot, number, range_of(1, PG_INT32_MIN, PG_INT32_MAX), 0);
}

static char *
some_int8(const Slot *slot, uint64 number)
{
	return some_number(slot, number, range_of(1, -9e15, 9e15), 0);
}

/* A number with decimals: they are used where no whole number is allowed. */
static char *
some_decimal(const Slot *slot, uint64 number)
{
	int			scale = 3;
	double		high = 9e12;
	Range		whole;

	if (slot->base_type == NUMERICOID && slot->base_typmod >= (int32) VARHDRSZ)
	{
		int32		typmod = slot->base_typmod - VARHDRSZ;

		scale = ((typmod & 0x7ff) ^ 1024) - 1024;
		high = pow(10, ((typmod >> 16) & 0xffff) - scale) - pow(10, -scale);
	}
	whole = range_of(1, -floor(high), floor(high));
	narrow(&whole, &slot->limits);
	if (scale <= 0 || (whole.low <= whole.high && whole.high >= 1))
		return some_number(slot, number, range_of(scale < 0 ? pow(10, -scale) : 1, -high, high), 0);
	return some_number(slot, number, range_of(pow(10, -scale), -high, high), scale);
}

/* Return a time: now, or where times have to differ, seconds of it. */
static double
choose_time(const Slot *slot, uint64 number, double step)
{
	Range		range = {step, -6e16, 6e17};
	double		now = (double) GetCurrentTransactionStartTimestamp();

	narrow(&range, &slot->limits);
	now += slot->limits.rank * MICROSECONDS_PER_DAY;
	if (slot->distinct)
		now -= step * (double) (number % (uint64) (3e15 / step));
	now = floor(now / step) * step;
	if (now >= range.low && now <= range.high)
		return now;
	if (!isinf(slot->limits.low))
		return Min(range.low + (slot->distinct ? step * (double) (number % 1000000) : 0), range.high);
	return range.high;
}

static char *
write_time(Oid type, Datum time)
{
	char		buffer[MAXDATELEN + 1];

	return pstrdup(JsonEncodeDateTime(buffer, time, type, NULL));
}

static char *
some_timestamp(const Slot *slot, uint64 number)
{
	return write_time(slot->base_type, TimestampTzGetDatum((TimestampTz) choose_time(slot, number, (double) USECS_PER_SEC)));
}

static char *
some_date(const Slot *slot, uint64 number)
{
	return write_time(DATEOID, DateADTGetDatum((DateADT) (choose_time(slot, number, MICROSECONDS_PER_DAY) / MICROSECONDS_PER_DAY)));
}

static char *
some_time(const Slot *slot, uint64 number)
{
	uint64		seconds = slot->distinct ? number % SECS_PER_DAY : (uint64) (12 * SECS_PER_HOUR + slot->limits.rank);

	return psprintf("%02d:%02d:%02d", (int) (seconds / SECS_PER_HOUR), (int) (seconds / 60 % 60), (int) (seconds % 60));
}

static char *
some_interval(const Slot *slot, uint64 number)
{
	return psprintf(UINT64_FORMAT " seconds", slot->distinct ? number % 1000000000 : 3600 + (uint64) slot->limits.rank);
}

static char *
some_uuid(const Slot *slot pg_attribute_unused(), uint64 number pg_attribute_unused())
{
	return DatumGetCString(DirectFunctionCall1(uuid_out, gen_random_uuid(NULL)));
}

static const struct
{
	const char *type;
	const char *format;
}			json_values[] = {
	{"object", "{}"},
	{"array", "[]"},
	{"string", "\"text\""},
	{"number", "1"},
	{"boolean", "false"},
};

static char *
some_json(const Slot *slot, uint64 number)
{
	for (size_t i = 0; i < lengthof(json_values) && slot->limits.json_type != NULL; i++)
	{
		if (strcmp(json_values[i].type, slot->limits.json_type) == 0)
			return pstrdup(json_values[i].format);
	}
	return slot->distinct ? psprintf("{\"n\": " UINT64_FORMAT "}", number) : pstrdup("{}");
}

static char *
some_bytes(const Slot *slot, uint64 number)
{
	double		length = Min(Max(slot->limits.min_length, 8), slot->limits.max_length);
	StringInfoData result;

	initStringInfo(&result);
	appendStringInfoString(&result, "\\x");
	for (int i = 0; i < length; i++)
		appendStringInfo(&result, "%02x", (int) ((number >> (8 * (i % 8))) & 0xff));
	return result.data;
}

static char *
some_address(const Slot *slot pg_attribute_unused(), uint64 number)
{
	return psprintf("10.%d.%d.%d", (int) (number >> 16 & 0xff), (int) (number >> 8 & 0xff), (int) (number & 0xff));
}

static char *
some_mac_address(const Slot *slot, uint64 number)
{
	return psprintf("02:00:%02x:%02x:%02x:%02x%s", (int) (number >> 24 & 0xff), (int) (number >> 16 & 0xff),
					(int) (number >> 8 & 0xff), (int) (number & 0xff), slot->base_type == MACADDR8OID ? ":00:00" : "");
}

static char *
some_bits(const Slot *slot, uint64 number)
{
	int			length = slot->base_typmod > 0 ? slot->base_typmod : 1;
	char	   *result = palloc(length + 1);

	memset(result, '0', length);
	result[length] = '\0';
	for (int i = length - 1; i >= 0 && slot->distinct; i--, number >>= 1)
		result[i] = number & 1 ? '1' : '0';
	return result;
}

static char *
some_boolean(const Slot *slot, uint64 number)
{
	return pstrdup(slot->distinct && number % 2 == 1 ? "true" : "false");
}

static char *
some_point(const Slot *slot pg_attribute_unused(), uint64 number)
{
	return psprintf("(" UINT64_FORMAT ",0)", number % 1000000);
}

static char *
some_lsn(const Slot *slot pg_attribute_unused(), uint64 number)
{
	return psprintf("0/%X", (unsigned int) number);
}

/* Types, and who makes their values */
static const struct
{
	Oid			type;
	char	   *(*make) (const Slot *slot, uint64 number);
	const char *text;			/* if it is always the same */
}			makers[] = {
	{TEXTOID, some_text, NULL},
	{VARCHAROID, some_text, NULL},
	{BPCHAROID, some_text, NULL},
	{NAMEOID, some_text, NULL},
	{CHAROID, some_single_char, NULL},
	{BOOLOID, some_boolean, NULL},
	{INT2OID, some_int2, NULL},
	{INT4OID, some_int4, NULL},
	{INT8OID, some_int8, NULL},
	{OIDOID, some_int4, NULL},
	{XIDOID, some_int4, NULL},
	{XID8OID, some_int4, NULL},
	{NUMERICOID, some_decimal, NULL},
	{FLOAT4OID, some_decimal, NULL},
	{FLOAT8OID, some_decimal, NULL},
	{MONEYOID, some_int4, NULL},
	{TIMESTAMPTZOID, some_timestamp, NULL},
	{TIMESTAMPOID, some_timestamp, NULL},
	{DATEOID, some_date, NULL},
	{TIMEOID, some_time, NULL},
	{TIMETZOID, some_time, NULL},
	{INTERVALOID, some_interval, NULL},
	{UUIDOID, some_uuid, NULL},
	{JSONOID, some_json, NULL},
	{JSONBOID, some_json, NULL},
	{BYTEAOID, some_bytes, NULL},
	{INETOID, some_address, NULL},
	{CIDROID, some_address, NULL},
	{MACADDROID, some_mac_address, NULL},
	{MACADDR8OID, some_mac_address, NULL},
	{BITOID, some_bits, NULL},
	{VARBITOID, some_bits, NULL},
	{POINTOID, some_point, NULL},
	{PG_LSNOID, some_lsn, NULL},
	{LINEOID, NULL, "{1,-1,0}"},
	{LSEGOID, NULL, "[(0,0),(1,1)]"},
	{BOXOID, NULL, "(1,1),(0,0)"},
	{PATHOID, NULL, "[(0,0),(1,1)]"},
	{POLYGONOID, NULL, "((0,0),(1,0),(1,1))"},
	{CIRCLEOID, NULL, "<(0,0),1>"},
	{TSVECTOROID, NULL, "text"},
	{TSQUERYOID, NULL, "text"},
	{XMLOID, NULL, "<text/>"},
	{JSONPATHOID, NULL, "$"},
	{REGCLASSOID, NULL, "pg_catalog.pg_class"},
	{REGTYPEOID, NULL, "pg_catalog.text"},
};

/* Types of extensions, which have no number of their own */
static const struct
{
	const char *name;
	char	   *(*make) (const Slot *slot, uint64 number);
	const char *text;
}			named_makers[] = {
	{"citext", some_text, NULL},
	{"ltree", some_text, NULL},
	{"hstore", NULL, ""},
	{"semver", NULL, "1.0.0"},
};

/* Return a copy of a column's description for what its type consists of. */
static Slot
part_of(const Slot *slot, Oid type, int32 typmod)
{
	Slot		part = *slot;

	memset(&part.limits, 0, sizeof(Limits));
	part.limits.low = -get_float8_infinity();
	part.limits.high = part.limits.max_length = get_float8_infinity();
	part.type = type;
	part.typmod = part.base_typmod = typmod;
	part.base_type = getBaseTypeAndTypmod(type, &part.base_typmod);
	part.limits.listed = get_typtype(part.base_type) == TYPTYPE_ENUM;
	if (part.limits.listed)
		part.limits.allowed = dbkit_enum_labels(part.base_type);
	return part;
}

/* An array, with as few elements as it may have. */
static char *
some_array(const Slot *slot, uint64 number, Oid element)
{
	Slot		part = part_of(slot, element, slot->base_typmod);
	StringInfoData result;
	double		count = slot->distinct ? Max(slot->limits.min_length, 1) : slot->limits.min_length;

	initStringInfo(&result);
	appendStringInfoChar(&result, '{');
	for (int i = 0; i < count; i++)
	{
		const char *value = dbkit_make_value(&part, number + i);

		appendStringInfoString(&result, i > 0 ? ",\"" : "\"");
		for (; *value != '\0'; value++)
		{
			if (*value == '"' || *value == '\\')
				appendStringInfoChar(&result, '\\');
			appendStringInfoChar(&result, *value);
		}
		appendStringInfoChar(&result, '"');
	}
	appendStringInfoChar(&result, '}');
	return result.data;
}

/* A range from one value to the next, which overlaps with that of no other number. */
static char *
some_range(const Slot *slot, uint64 number, Oid subtype)
{
	Slot		from = part_of(slot, subtype, -1);
	Slot		until;

	from.distinct = slot->distinct;
	if (TypeCategory(subtype) != TYPCATEGORY_NUMERIC && TypeCategory(subtype) != TYPCATEGORY_DATETIME)
	{
		char	   *only = dbkit_make_value(&from, number);

		return psprintf("[\"%s\",\"%s\"]", only, only);
	}
	until = from;
	until.limits.rank = from.distinct ? 0 : 1;
	if (from.distinct && (subtype == DATEOID || subtype == TIMESTAMPTZOID || subtype == TIMESTAMPOID))
		return psprintf("[\"%s\",\"%s\")", dbkit_make_value(&from, number + 1), dbkit_make_value(&until, number));
	return psprintf("[\"%s\",\"%s\")", dbkit_make_value(&from, number),
					dbkit_make_value(&until, from.distinct ? number + 1 : number));
}

/* A row of nulls. */
static char *
some_composite(Oid type)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
	StringInfoData result;
	bool		first = true;

	initStringInfo(&result);
	appendStringInfoChar(&result, '(');
	for (int i = 0; i < desc->natts; i++)
	{
		if (TupleDescAttr(desc, i)->attisdropped)
			continue;
		if (!first)
			appendStringInfoChar(&result, ',');
		first = false;
	}
	appendStringInfoChar(&result, ')');
	ReleaseTupleDesc(desc);
	return result.data;
}

/* Return a zero vector of as many dimensions as the type (pgvector's) has. */
static char *
some_vector(const Slot *slot)
{
	StringInfoData result;

	initStringInfo(&result);
	for (int i = 0; i < Max(slot->base_typmod, 1); i++)
		appendStringInfoString(&result, i > 0 ? ",1" : "[1");
	appendStringInfoChar(&result, ']');
	return result.data;
}

/* Make a value of a type that is somebody's own. */
static char *
some_of_named_type(const Slot *slot, uint64 number)
{
	const char *name = format_type_be(slot->base_type);
	const char *bare = strrchr(name, '.') != NULL ? strrchr(name, '.') + 1 : name;

	for (size_t i = 0; i < lengthof(named_makers); i++)
	{
		if (strcmp(named_makers[i].name, bare) == 0)
			return named_makers[i].make != NULL ? named_makers[i].make(slot, number) : pstrdup(named_makers[i].text);
	}
	if (strcmp(bare, "vector") == 0 || strcmp(bare, "halfvec") == 0)
		return some_vector(slot);
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("no value of type %s is known for column \"%s\"", name, slot->name),
			 errhint("Give one in the overrides: dbkit.make(NULL::..., '{\"%s\": ...}').", slot->name)));
}

static char *
some_of_type(const Slot *slot, uint64 number)
{
	Oid			type = slot->base_type;
	Oid			element = get_element_type(type);

	for (size_t i = 0; i < lengthof(makers); i++)
	{
		if (makers[i].type == type)
			return makers[i].make != NULL ? makers[i].make(slot, number) : pstrdup(makers[i].text);
	}
	if (OidIsValid(element))
		return some_array(slot, number, element);
	switch (get_typtype(type))
	{
		case TYPTYPE_RANGE:
			return some_range(slot, number, get_range_subtype(type));
		case TYPTYPE_MULTIRANGE:
			return pstrdup("{}");
		case TYPTYPE_COMPOSITE:
			return some_composite(type);
		default:
			return some_of_named_type(slot, number);
	}
}

/* Return the values of a list that are not refused. */
List *
dbkit_allowed_values(const Slot *slot)
{
	const Limits *limits = &slot->limits;
	List	   *result = NIL;
	ListCell   *lc;

	foreach(lc, limits->allowed)
	{
		if (!is_refused(limits, lfirst(lc)))
			result = lappend(result, lfirst(lc));
	}
	return result;
}

/*
 * Make up a value for a column, as the text that its type reads.  The number is another one
 * for each row and each call.  A type of which no value is known: feature_not_supported.
 */
char *
dbkit_make_value(const Slot *slot, uint64 number)
{
	List	   *listed = slot->limits.listed ? dbkit_allowed_values(slot) : NIL;

	if (listed != NIL)
		return list_nth(listed, slot->distinct ? (int) (number % list_length(listed)) : 0);
	return some_of_type(slot, number);
}
