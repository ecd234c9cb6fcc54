/*-------------------------------------------------------------------------
 *
 * id.c
 *		Prefixed, time-ordered text ids: TypeID (specification v0.3) over
 *		UUIDv7 (RFC 9562, section 5.7).
 *
 * An id is a prefix, an underscore and 26 characters that spell the 128 bits
 * of a UUID.  The alphabet is in ASCII order and the first 60 bits are the
 * time, so the byte order of ids with one prefix is their time order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <time.h>

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "common.h"
#include "id.h"

#define SUFFIX_LEN		26
#define EXCERPT_BYTES	64		/* how much of a bad value an error shows */

/*
 * Version 7 layout: 48 bits of milliseconds, the version, 12 bits of the
 * millisecond's fraction, the variant, and a tail of 62 bits.
 */
#define FRACTION_BITS	12
#define FRACTION_MASK	((UINT64CONST(1) << FRACTION_BITS) - 1)
#define VERSION_7		(UINT64CONST(7) << FRACTION_BITS)
#define VERSION_MASK	(UINT64CONST(15) << FRACTION_BITS)
#define VARIANT_RFC		(UINT64CONST(2) << 62)
#define VARIANT_MASK	(UINT64CONST(3) << 62)
#define TAIL_MASK		(~VARIANT_MASK)

/* A backend's next id within one tick lies 1 to 2^40 further on. */
#define INCREMENT_MASK	((UINT64CONST(1) << 40) - 1)

#define NSECS_PER_MSEC	1000000
#define USECS_PER_MSEC	1000
#define MSECS_PER_SEC	1000

/* What 48 bits of milliseconds since 1970 can hold, as a timestamptz */
#define UNIX_EPOCH \
	((UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY)
#define END_OF_TIME \
	(UNIX_EPOCH + (INT64CONST(1) << 48) * USECS_PER_MSEC)

#define RANDOM_WORDS	512

typedef struct UuidBits
{
	uint64		high;
	uint64		low;
} UuidBits;

typedef struct ParsedId
{
	const char *prefix;			/* points into the parsed value */
	int			prefix_len;
	UuidBits	uuid;
} ParsedId;

/* Random bits in store; those of another process do not count. */
static struct
{
	int			pid;
	int			used;
	uint64		words[RANDOM_WORDS];
}			store;

/* The last id of this backend: milliseconds and fraction, and the tail */
static uint64 last_tick;
static uint64 last_tail;

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static const int8 lookup[128] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, 10, 11, 12, 13, 14, 15, 16, 17, -1, 18, 19, -1, 20, 21, -1,
	22, 23, 24, 25, 26, -1, 27, 28, 29, 30, 31, -1, -1, -1, -1, -1,
};

/* Refuse a value, showing its beginning. */
static void
refuse(int sqlstate, const char *what, text *value, const char *problem)
{
	const char *data = VARDATA_ANY(value);
	int			len = VARSIZE_ANY_EXHDR(value);
	int			shown = pg_mbcliplen(data, len, EXCERPT_BYTES);

	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("invalid %s: \"%.*s%s\"", what, shown, data,
					shown < len ? "..." : ""),
			 errdetail("%s", problem)));
}

/* Say what is wrong with a prefix, or NULL (TypeID v0.3, "Prefix"). */
static const char *
prefix_problem(const char *prefix, int len)
{
	int			i;

	if (len > DBKIT_PREFIX_MAX_LEN)
		return "A prefix must have at most 63 characters.";
	for (i = 0; i < len; i++)
	{
		if ((prefix[i] < 'a' || prefix[i] > 'z') && prefix[i] != '_')
			return "A prefix must consist of the letters a to z and underscores.";
	}
	if (len > 0 && (prefix[0] == '_' || prefix[len - 1] == '_'))
		return "A prefix must not begin or end with an underscore.";
	return NULL;
}

/* Say what is wrong with the characters that spell the UUID, or NULL. */
static const char *
decode_suffix(const char *suffix, UuidBits *uuid)
{
	int			i;

	uuid->high = uuid->low = 0;
	for (i = 0; i < SUFFIX_LEN; i++)
	{
		unsigned char c = suffix[i];
		int			value = IS_HIGHBIT_SET(c) ? -1 : lookup[c];

		if (value < 0)
			return "The last 26 characters must be digits or lower-case letters other than i, l, o and u.";
		uuid->high = uuid->high << 5 | uuid->low >> 59;
		uuid->low = uuid->low << 5 | value;
	}
	if (suffix[0] > '7')
		return "The first of the last 26 characters must be 0 to 7, or they exceed 128 bits.";
	return NULL;
}

/* Can ids have this prefix? */
bool
dbkit_is_prefix(const char *prefix)
{
	return prefix_problem(prefix, strlen(prefix)) == NULL;
}

/*
 * Take an id apart; say what is wrong with it, or NULL.  The prefix is what
 * stands before the last underscore (TypeID v0.3, "Specification").
 */
static const char *
parse_id(text *id, ParsedId *parsed)
{
	const char *data = VARDATA_ANY(id);
	int			len = VARSIZE_ANY_EXHDR(id);
	int			start = len;
	const char *problem;

	while (start > 0 && data[start - 1] != '_')
		start--;
	if (len - start != SUFFIX_LEN)
		return "An id must be a prefix, an underscore and 26 characters, or 26 characters alone.";
	if (start == 1)
		return "An id without a prefix must not have an underscore.";

	parsed->prefix = data;
	parsed->prefix_len = Max(start - 1, 0);
	problem = prefix_problem(data, parsed->prefix_len);
	return problem ? problem : decode_suffix(data + start, &parsed->uuid);
}

/* Take an id apart, or raise invalid_text_representation. */
static ParsedId
parse_valid_id(text *id)
{
	ParsedId	parsed;
	const char *problem = parse_id(id, &parsed);

	if (problem)
		refuse(ERRCODE_INVALID_TEXT_REPRESENTATION, "id", id, problem);
	return parsed;
}

/* Spell 128 bits, five to a character after the first three. */
static void
encode_suffix(char *suffix, UuidBits uuid)
{
	int			i;

	suffix[0] = alphabet[uuid.high >> 61];
	for (i = 1; i <= 12; i++)
		suffix[i] = alphabet[(uuid.high >> (61 - 5 * i)) & 31];
	suffix[13] = alphabet[(uuid.high & 1) << 4 | uuid.low >> 60];
	for (i = 14; i < SUFFIX_LEN; i++)
		suffix[i] = alphabet[(uuid.low >> (125 - 5 * i)) & 31];
}

/* Put an id together, or raise invalid_parameter_value for the prefix. */
static text *
make_id(text *prefix, UuidBits uuid)
{
	const char *data = VARDATA_ANY(prefix);
	int			len = VARSIZE_ANY_EXHDR(prefix);
	int			start = len > 0 ? len + 1 : 0;
	const char *problem = prefix_problem(data, len);
	text	   *id;

	if (problem)
		refuse(ERRCODE_INVALID_PARAMETER_VALUE, "id prefix", prefix, problem);

	id = palloc(VARHDRSZ + start + SUFFIX_LEN);
	SET_VARSIZE(id, VARHDRSZ + start + SUFFIX_LEN);
	memcpy(VARDATA(id), data, len);
	if (len > 0)
		VARDATA(id)[len] = '_';
	encode_suffix(VARDATA(id) + start, uuid);
	return id;
}

/* Lay out a version 7 UUID. */
static UuidBits
make_uuid(uint64 msecs, uint64 fraction, uint64 tail)
{
	UuidBits	uuid;

	uuid.high = msecs << 16 | VERSION_7 | fraction;
	uuid.low = VARIANT_RFC | (tail & TAIL_MASK);
	return uuid;
}

/* Fill the store of random bits, or raise what gen_random_uuid() raises. */
static void
fill_store(void)
{
	Assert(MyProcPid != PostmasterPid);

	store.pid = 0;
	if (!pg_strong_random(store.words, sizeof(store.words)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	store.pid = MyProcPid;
	store.used = 0;
}

/* Take 64 random bits and leave no copy of them. */
uint64
dbkit_random_bits(void)
{
	uint64		word;

	if (store.pid != MyProcPid || store.used == RANDOM_WORDS)
		fill_store();
	word = store.words[store.used];
	store.words[store.used++] = 0;
	return word;
}

/* Read the wall clock: milliseconds since 1970 and 12 bits of fraction. */
static uint64
current_tick(void)
{
	struct timespec now;
	uint64		msecs;
	uint64		fraction;

	clock_gettime(CLOCK_REALTIME, &now);
	msecs = (uint64) now.tv_sec * MSECS_PER_SEC + now.tv_nsec / NSECS_PER_MSEC;
	fraction = now.tv_nsec % NSECS_PER_MSEC;
	fraction = (fraction << FRACTION_BITS) / NSECS_PER_MSEC;
	return msecs << FRACTION_BITS | fraction;
}

/*
 * Make a UUID greater than all this backend made before.
 *
 * While the clock has not passed the last tick, the tail counts on from its
 * random start in random steps (RFC 9562, section 6.2, method 2), so neither a
 * burst nor a clock that steps back runs the embedded time ahead: it moves by
 * a tick, 244 ns, only when the tail is used up.
 */
static UuidBits
next_uuid(void)
{
	uint64		tick = current_tick();
	uint64		bits = dbkit_random_bits();
	uint64		next_tail = last_tail + 1 + (bits & INCREMENT_MASK);

	if (tick <= last_tick && next_tail <= TAIL_MASK)
		last_tail = next_tail;
	else
	{
		last_tick = Max(tick, last_tick + 1);
		last_tail = bits & TAIL_MASK;
	}
	return make_uuid(last_tick >> FRACTION_BITS, last_tick & FRACTION_MASK,
					 last_tail);
}

/* Give microseconds since 1970, or raise datetime_field_overflow. */
static uint64
usecs_since_1970(TimestampTz at)
{
	if (at < UNIX_EPOCH || at >= END_OF_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("timestamp out of range for an id: \"%s\"",
						timestamptz_to_str(at)),
				 errdetail("An id holds times from 1970-01-01 00:00:00 UTC to 10889-08-02 05:31:50.655 UTC.")));
	return at - UNIX_EPOCH;
}

/*
 * generate_id(prefix text): a new id, greater than all earlier ones of this
 * backend and different from those of all others.
 *
 * The prefix is 0 to 63 characters of [a-z_], without an underscore at either
 * end, else invalid_parameter_value; an empty prefix takes no underscore.
 */
PG_FUNCTION_INFO_V1(dbkit_generate_id);
Datum
dbkit_generate_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(make_id(PG_GETARG_TEXT_PP(0), next_uuid()));
}

/*
 * dbkit.generate_id_at(prefix text, at timestamptz): an id as if made at that
 * time, microseconds included; ids of one microsecond are in random order.
 */
PG_FUNCTION_INFO_V1(dbkit_generate_id_at);
Datum
dbkit_generate_id_at(PG_FUNCTION_ARGS)
{
	uint64		usecs = usecs_since_1970(PG_GETARG_TIMESTAMPTZ(1));
	uint64		fraction = (usecs % USECS_PER_MSEC << FRACTION_BITS) / USECS_PER_MSEC;

	PG_RETURN_TEXT_P(make_id(PG_GETARG_TEXT_PP(0),
							 make_uuid(usecs / USECS_PER_MSEC, fraction,
									   dbkit_random_bits())));
}

/*
 * dbkit.id_lower_bound(prefix text, at timestamptz): the smallest id of the
 * millisecond of that time.
 */
PG_FUNCTION_INFO_V1(dbkit_id_lower_bound);
Datum
dbkit_id_lower_bound(PG_FUNCTION_ARGS)
{
	uint64		usecs = usecs_since_1970(PG_GETARG_TIMESTAMPTZ(1));

	PG_RETURN_TEXT_P(make_id(PG_GETARG_TEXT_PP(0),
							 make_uuid(usecs / USECS_PER_MSEC, 0, 0)));
}

/*
 * dbkit.id_upper_bound(prefix text, at timestamptz): the largest id of the
 * millisecond of that time.
 */
PG_FUNCTION_INFO_V1(dbkit_id_upper_bound);
Datum
dbkit_id_upper_bound(PG_FUNCTION_ARGS)
{
	uint64		usecs = usecs_since_1970(PG_GETARG_TIMESTAMPTZ(1));

	PG_RETURN_TEXT_P(make_id(PG_GETARG_TEXT_PP(0),
							 make_uuid(usecs / USECS_PER_MSEC,
									   FRACTION_MASK, TAIL_MASK)));
}

/*
 * dbkit.is_id(id text, prefix text): whether the value is a well-formed id, of
 * that prefix unless it is NULL.  Raises nothing; NULL for a NULL id.
 */
PG_FUNCTION_INFO_V1(dbkit_is_id);
Datum
dbkit_is_id(PG_FUNCTION_ARGS)
{
	ParsedId	parsed;
	text	   *prefix;
	int			len;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (parse_id(PG_GETARG_TEXT_PP(0), &parsed) != NULL)
		PG_RETURN_BOOL(false);
	if (PG_ARGISNULL(1))
		PG_RETURN_BOOL(true);

	prefix = PG_GETARG_TEXT_PP(1);
	len = VARSIZE_ANY_EXHDR(prefix);
	PG_RETURN_BOOL(len == parsed.prefix_len &&
				   memcmp(VARDATA_ANY(prefix), parsed.prefix, len) == 0);
}

/* Tell whether the value is a well-formed id that has a prefix */
bool
dbkit_is_prefixed_id(text *value)
{
	ParsedId	parsed;

	return parse_id(value, &parsed) == NULL && parsed.prefix_len > 0;
}

/*
 * dbkit.id_prefix(id text): the prefix, without its underscore.
 * Raises invalid_text_representation for what is not an id.
 */
PG_FUNCTION_INFO_V1(dbkit_id_prefix);
Datum
dbkit_id_prefix(PG_FUNCTION_ARGS)
{
	ParsedId	parsed = parse_valid_id(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text_with_len(parsed.prefix, parsed.prefix_len));
}

/*
 * dbkit.id_uuid(id text): the UUID, of any version.
 * Raises invalid_text_representation for what is not an id.
 */
PG_FUNCTION_INFO_V1(dbkit_id_uuid);
Datum
dbkit_id_uuid(PG_FUNCTION_ARGS)
{
	UuidBits	bits = parse_valid_id(PG_GETARG_TEXT_PP(0)).uuid;
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));

	bits.high = pg_hton64(bits.high);
	bits.low = pg_hton64(bits.low);
	memcpy(uuid->data, &bits, UUID_LEN);
	PG_RETURN_UUID_P(uuid);
}

/*
 * dbkit.id_from_uuid(prefix text, uuid uuid): the id of a UUID of any version.
 * Raises invalid_parameter_value for a bad prefix.
 */
PG_FUNCTION_INFO_V1(dbkit_id_from_uuid);
Datum
dbkit_id_from_uuid(PG_FUNCTION_ARGS)
{
	UuidBits	bits;

	memcpy(&bits, PG_GETARG_UUID_P(1)->data, UUID_LEN);
	bits.high = pg_ntoh64(bits.high);
	bits.low = pg_ntoh64(bits.low);
	PG_RETURN_TEXT_P(make_id(PG_GETARG_TEXT_PP(0), bits));
}

/*
 * dbkit.id_timestamp(id text): the time in the id, to the millisecond; NULL if
 * its UUID is not of version 7, as PostgreSQL 18's uuid_extract_timestamp().
 * Raises invalid_text_representation for what is not an id.
 */
PG_FUNCTION_INFO_V1(dbkit_id_timestamp);
Datum
dbkit_id_timestamp(PG_FUNCTION_ARGS)
{
	UuidBits	bits = parse_valid_id(PG_GETARG_TEXT_PP(0)).uuid;

	if ((bits.high & VERSION_MASK) != VERSION_7 ||
		(bits.low & VARIANT_MASK) != VARIANT_RFC)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ((TimestampTz) (bits.high >> 16) * USECS_PER_MSEC + UNIX_EPOCH);
}
