-- dbkit, the edition without C: what tables, policies, migrations and applications call,
-- in SQL and PL/pgSQL under the same names, for servers that load no library of one's own.
--
-- Run it as the role that owns the database, in one transaction: psql -1 -f dbkit.sql.
-- generate_id() and updated_at() come into the first schema of search_path, all else into
-- the schema dbkit.  Run again, it replaces what is there by this version.
--
-- No function looks anything up by the search_path of its caller: it has one of its own,
-- or a body that was parsed here, or names each schema.

-- The schema of somebody else could change under us, and the C library does more.
DO LANGUAGE plpgsql $$
DECLARE
	existing pg_catalog.record;
BEGIN
	SELECT pg_catalog.pg_get_userbyid(nspowner) AS owner, pg_catalog.pg_has_role(nspowner, 'USAGE') AS is_ours,
		EXISTS (SELECT FROM pg_catalog.pg_proc p
			JOIN pg_catalog.pg_language l ON l.oid OPERATOR(pg_catalog.=) p.prolang
			JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
				AND d.objid OPERATOR(pg_catalog.=) p.oid AND d.deptype OPERATOR(pg_catalog.=) 'e'
			WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid AND l.lanname OPERATOR(pg_catalog.=) 'c') AS is_extension
	INTO existing
	FROM pg_catalog.pg_namespace n WHERE nspname OPERATOR(pg_catalog.=) 'dbkit';
	IF existing.is_extension THEN
		RAISE EXCEPTION USING ERRCODE = '42710', MESSAGE = 'the extension dbkit is installed in this database',
			HINT = 'It does all that this script would do, and more.';
	ELSIF NOT existing.is_ours THEN
		RAISE EXCEPTION USING ERRCODE = '42P06', MESSAGE = 'schema "dbkit" already exists',
			DETAIL = pg_catalog.format('It belongs to role "%s".', existing.owner),
			HINT = 'Rename or drop it, then run this script again.';
	END IF;
END $$;

-- in the schema of the tables ---------------------------------------------------

-- PostgreSQL 18 has UUIDv7 of its own, in order within a session.  Before it a setting remembers
-- the last id's time.  A rollback takes that back with the ids that it was for, and no parallel
-- worker may write it.
DO LANGUAGE plpgsql $do$
BEGIN
	EXECUTE pg_catalog.format($function$
		CREATE OR REPLACE FUNCTION generate_id(prefix pg_catalog.text) RETURNS pg_catalog.text
			LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE AS %L
		$function$, pg_catalog.concat($$
DECLARE$$, CASE WHEN pg_catalog.to_regprocedure('pg_catalog.uuidv7()') IS NULL THEN $$
	tick pg_catalog.int8 := dbkit.next_tick();
	told pg_catalog.text := pg_catalog.set_config('dbkit_portable.last_tick', tick::pg_catalog.text, false);
	high pg_catalog.int8 := dbkit.uuid_high(tick);
	low pg_catalog.int8 := dbkit.uuid_low();$$ ELSE $$
	uuid pg_catalog.bytea := pg_catalog.uuid_send(pg_catalog.uuidv7());
	high pg_catalog.int8 := dbkit.eight_bytes(uuid, 1);
	low pg_catalog.int8 := dbkit.eight_bytes(uuid, 9);$$ END, $$
BEGIN
	IF prefix OPERATOR(pg_catalog.=) '' THEN
		RETURN dbkit.uuid_suffix(high, low);
	ELSIF dbkit.is_prefix(prefix) THEN
		RETURN pg_catalog.concat(prefix, '_', dbkit.uuid_suffix(high, low));
	END IF;
	RETURN dbkit.refuse_prefix(prefix);
END $$));
END $do$;
COMMENT ON FUNCTION generate_id(pg_catalog.text) IS
'a new id: the prefix, an underscore and 26 characters that spell a UUIDv7 (TypeID v0.3); greater than all earlier ids of this session that were not rolled back. prefix: 0 to 63 characters of [a-z_], no underscore at either end, else invalid_parameter_value';

-- The column of that name is set without a look at the catalog, which would cost more than
-- the rest; what is not like a column of ours is looked at, to be refused or set by its name.
CREATE OR REPLACE FUNCTION updated_at() RETURNS pg_catalog.trigger
	LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$
BEGIN
	IF TG_NARGS OPERATOR(pg_catalog.<>) 0 OR TG_OP OPERATOR(pg_catalog.<>) 'UPDATE'
		OR TG_WHEN OPERATOR(pg_catalog.<>) 'BEFORE' OR TG_LEVEL OPERATOR(pg_catalog.<>) 'ROW' THEN
		RETURN pg_catalog.jsonb_populate_record(NEW, dbkit.updated_at_value(TG_RELID, TG_NAME, TG_WHEN, TG_OP, TG_LEVEL, TG_ARGV));
	ELSIF pg_catalog.pg_typeof(NEW.updated_at) OPERATOR(pg_catalog.<>) 'pg_catalog.timestamptz'::pg_catalog.regtype THEN
		RETURN pg_catalog.jsonb_populate_record(NEW, dbkit.updated_at_value(TG_RELID, TG_NAME, TG_WHEN, TG_OP, TG_LEVEL));
	END IF;
	NEW.updated_at := pg_catalog.now();
	RETURN NEW;
END $$;
COMMENT ON FUNCTION updated_at() IS
'BEFORE UPDATE FOR EACH ROW trigger: sets updated_at, or the timestamptz column named by its only argument, to the transaction''s timestamp (now()). Raises trigger_protocol_violated for any other use and for a column of another type, undefined_column if there is none.';

CREATE SCHEMA IF NOT EXISTS dbkit;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks; the edition without C';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- From here on names are PostgreSQL's own; the end of the script sets it back.
DO LANGUAGE plpgsql $$
BEGIN
	PERFORM pg_catalog.set_config('dbkit_portable.search_path', pg_catalog.current_setting('search_path'), false);
	EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION dbkit.installed_schema() RETURNS pg_catalog.regnamespace
		LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %L::pg_catalog.regnamespace',
		pg_catalog.quote_ident(pg_catalog.current_schema()));
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
END $$;
COMMENT ON FUNCTION dbkit.installed_schema() IS 'the schema of generate_id() and updated_at()';

-- ids ---------------------------------------------------------------------------

-- A tick is 1/4096 of a millisecond since 1970; no two ids of a session have the same.
CREATE OR REPLACE FUNCTION dbkit.next_tick() RETURNS bigint
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	RETURN greatest(floor(date_part('epoch', clock_timestamp()) * 4096000)::bigint,
		nullif(current_setting('dbkit_portable.last_tick', true), '')::bigint + 1);
COMMENT ON FUNCTION dbkit.next_tick() IS
'the time of the next id, in 1/4096 of a millisecond since 1970; later than that of the last one, whatever the clock does';

CREATE OR REPLACE FUNCTION dbkit.uuid_high(tick bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (tick >> 12 << 16) | 28672 | (tick & 4095);
COMMENT ON FUNCTION dbkit.uuid_high(bigint) IS
'the first half of a UUIDv7: milliseconds, version, fraction of the millisecond (RFC 9562, section 5.7)';

-- 64 bits of a hash of the 122 that gen_random_uuid() gives: one call, where to take them
-- out of its text would need five.
CREATE OR REPLACE FUNCTION dbkit.uuid_low() RETURNS bigint
	LANGUAGE sql VOLATILE PARALLEL SAFE
	RETURN uuid_hash_extended(gen_random_uuid(), 0) & 4611686018427387903 | '-9223372036854775808'::bigint;
COMMENT ON FUNCTION dbkit.uuid_low() IS
'a new second half of a UUID: the variant, and 62 random bits';

-- Put each 5 of the last 40 bits into a byte of its own.  Shifts, & and | have one precedence,
-- from left to right.
CREATE OR REPLACE FUNCTION dbkit.spread(bits bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (bits >> 35 & 31 << 56) | (bits >> 30 & 31 << 48) | (bits >> 25 & 31 << 40) | (bits >> 20 & 31 << 32)
		| (bits >> 15 & 31 << 24) | (bits >> 10 & 31 << 16) | (bits >> 5 & 31 << 8) | (bits & 31);
COMMENT ON FUNCTION dbkit.spread(bigint) IS
'the last 40 bits, five to a byte';

CREATE OR REPLACE FUNCTION dbkit.gather(bytes bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (bytes >> 56 & 31 << 35) | (bytes >> 48 & 31 << 30) | (bytes >> 40 & 31 << 25) | (bytes >> 32 & 31 << 20)
		| (bytes >> 24 & 31 << 15) | (bytes >> 16 & 31 << 10) | (bytes >> 8 & 31 << 5) | (bytes & 31);
COMMENT ON FUNCTION dbkit.gather(bigint) IS
'the 40 bits that dbkit.spread() has spread';

-- 0123456789abcdefghjkmnpqrstvwxyz in eight bytes at a time: what is more than 9 is a letter,
-- and i, l, o and u are left out.  A byte up to 31 that is more than n, plus 31 - n, has the
-- bit 32.  translate() would take four times as long.
CREATE OR REPLACE FUNCTION dbkit.spell(bytes bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN bytes + 3472328296227680304									-- 48, the digit 0
		+ (bytes + 1591483802437686806 >> 5 & 72340172838076673) * 39	-- 9 and its neighbour a
		+ (bytes + 1012762419733073422 >> 5 & 72340172838076673)		-- i
		+ (bytes + 868082074056920076 >> 5 & 72340172838076673)			-- l
		+ (bytes + 723401728380766730 >> 5 & 72340172838076673)			-- o
		+ (bytes + 361700864190383365 >> 5 & 72340172838076673);		-- u
COMMENT ON FUNCTION dbkit.spell(bigint) IS
'the characters of Crockford''s base32 for eight bytes of five bits';

-- Each step is a variable, because PostgreSQL puts the body of an SQL function in place of
-- its call only where it does not use a costly argument twice.
CREATE OR REPLACE FUNCTION dbkit.uuid_suffix(high bigint, low bigint) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	middle pg_catalog.int8 := dbkit.middle_bits(high, low);
	a pg_catalog.int8 := dbkit.spread(high OPERATOR(pg_catalog.>>) 56 OPERATOR(pg_catalog.&) 255);
	b pg_catalog.int8 := dbkit.spread(high OPERATOR(pg_catalog.>>) 16);
	c pg_catalog.int8 := dbkit.spread(middle);
	d pg_catalog.int8 := dbkit.spread(low);
BEGIN
	RETURN dbkit.spelled(a, b, c, d);
END $$;
COMMENT ON FUNCTION dbkit.uuid_suffix(bigint, bigint) IS
'the 26 characters of Crockford''s base32 that spell a UUID, given in two halves';

CREATE OR REPLACE FUNCTION dbkit.middle_bits(high bigint, low bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (high << 24) | (low >> 40 & 16777215);
COMMENT ON FUNCTION dbkit.middle_bits(bigint, bigint) IS
'40 bits, of which the first 16 end the first half of a UUID';

CREATE OR REPLACE FUNCTION dbkit.spelled(a bigint, b bigint, c bigint, d bigint) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN encode(int2send((dbkit.spell(a) & 65535)::smallint)
		|| int8send(dbkit.spell(b)) || int8send(dbkit.spell(c)) || int8send(dbkit.spell(d)), 'escape');
COMMENT ON FUNCTION dbkit.spelled(bigint, bigint, bigint, bigint) IS
'the last 2 characters of the first, and 8 of each other argument';

-- No text holds the byte 0, so 32 is added, which dbkit.gather() leaves out again.
CREATE OR REPLACE FUNCTION dbkit.spread_bytes(suffix text) RETURNS bytea
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN decode(translate(suffix, '0123456789abcdefghjkmnpqrstvwxyz',
		' !"#$%&''()*+,-./0123456789:;<=>?'), 'escape');
COMMENT ON FUNCTION dbkit.spread_bytes(text) IS 'the values of 26 characters of Crockford''s base32, one to a byte, plus 32';

CREATE OR REPLACE FUNCTION dbkit.eight_bytes(bytes bytea, start integer) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN ('x' || encode(substr(bytes, start, 8), 'hex'))::bit(64)::bigint;
COMMENT ON FUNCTION dbkit.eight_bytes(bytea, integer) IS 'eight bytes as a number, the first being the highest';

CREATE OR REPLACE FUNCTION dbkit.uuid_of_bits(a bigint, b bigint, c bigint, d bigint) RETURNS uuid
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (lpad(to_hex((a << 56) | (b << 16) | (c >> 24)), 16, '0') || lpad(to_hex((c << 40) | d), 16, '0'))::uuid;
COMMENT ON FUNCTION dbkit.uuid_of_bits(bigint, bigint, bigint, bigint) IS
'the UUID of the last 8 bits of the first, and 40 bits of each other argument';

CREATE OR REPLACE FUNCTION dbkit.suffix_uuid(suffix text) RETURNS uuid
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	bytes pg_catalog.bytea := dbkit.spread_bytes(suffix);
	a pg_catalog.int8 := dbkit.gather(dbkit.eight_bytes(bytes, 1)) OPERATOR(pg_catalog.>>) 30;
	b pg_catalog.int8 := dbkit.eight_bytes(bytes, 3);
	c pg_catalog.int8 := dbkit.eight_bytes(bytes, 11);
	d pg_catalog.int8 := dbkit.eight_bytes(bytes, 19);
BEGIN
	b := dbkit.gather(b);
	c := dbkit.gather(c);
	d := dbkit.gather(d);
	RETURN dbkit.uuid_of_bits(a, b, c, d);
END $$;
COMMENT ON FUNCTION dbkit.suffix_uuid(text) IS
'the UUID that 26 characters spell; they have to be well-formed';

CREATE OR REPLACE FUNCTION dbkit.is_prefix(prefix text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN prefix COLLATE "C" ~ '^([a-z]([a-z_]*[a-z])?)?$' AND octet_length(prefix) <= 63;
COMMENT ON FUNCTION dbkit.is_prefix(text) IS
'whether ids can have this prefix (TypeID v0.3, "Prefix")';

CREATE OR REPLACE FUNCTION dbkit.is_id(id text, prefix text DEFAULT NULL) RETURNS boolean
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN id COLLATE "C" ~ '^([a-z]([a-z_]{0,61}[a-z])?_)?[0-7][0-9a-hjkmnp-tv-z]{25}$'
		AND (prefix IS NULL OR left(id, -26) COLLATE "C" = CASE prefix WHEN '' THEN '' ELSE prefix || '_' END);
COMMENT ON FUNCTION dbkit.is_id(text, text) IS
'whether the value is a well-formed id, of that prefix unless it is NULL; NULL for NULL; raises nothing, so it can stand in a CHECK';

CREATE OR REPLACE FUNCTION dbkit.prefix_problem(prefix text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN octet_length(prefix) > 63 THEN 'A prefix must have at most 63 characters.'
		WHEN prefix COLLATE "C" ~ '[^a-z_]' THEN 'A prefix must consist of the letters a to z and underscores.'
		WHEN prefix COLLATE "C" ~ '^_|_$' THEN 'A prefix must not begin or end with an underscore.' END;
COMMENT ON FUNCTION dbkit.prefix_problem(text) IS 'what is wrong with a prefix, or NULL';

-- The prefix is what stands before the last underscore (TypeID v0.3, "Specification").
CREATE OR REPLACE FUNCTION dbkit.id_problem(id text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (SELECT CASE WHEN octet_length(suffix) <> 26 THEN 'An id must be a prefix, an underscore and 26 characters, or 26 characters alone.'
			WHEN id = '_' || suffix THEN 'An id without a prefix must not have an underscore.'
			ELSE coalesce(dbkit.prefix_problem(left(left(id, length(id) - length(suffix)), -1)),
				CASE WHEN suffix COLLATE "C" ~ '[^0-9a-hjkmnp-tv-z]' THEN 'The last 26 characters must be digits or lower-case letters other than i, l, o and u.'
					WHEN suffix COLLATE "C" ~ '^[^0-7]' THEN 'The first of the last 26 characters must be 0 to 7, or they exceed 128 bits.' END) END
		FROM substring(id COLLATE "C" FROM '[^_]*$') AS suffix);
COMMENT ON FUNCTION dbkit.id_problem(text) IS 'what is wrong with an id, or NULL';

-- Of a long value, the first 64 bytes are shown, in whole characters.
CREATE OR REPLACE FUNCTION dbkit.excerpt(value text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN octet_length(value) <= 64 THEN value
		ELSE (SELECT max(left(value, n)) FROM generate_series(0, 64) AS n WHERE octet_length(left(value, n)) <= 64) || '...' END;
COMMENT ON FUNCTION dbkit.excerpt(text) IS 'the beginning of a value, for an error message';

CREATE OR REPLACE FUNCTION dbkit.refuse_prefix(prefix text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
		MESSAGE = format('invalid id prefix: "%s"', dbkit.excerpt(prefix)), DETAIL = dbkit.prefix_problem(prefix);
END $$;
COMMENT ON FUNCTION dbkit.refuse_prefix(text) IS 'raises invalid_parameter_value for a bad prefix';

CREATE OR REPLACE FUNCTION dbkit.refuse_id(id text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_text_representation',
		MESSAGE = format('invalid id: "%s"', dbkit.excerpt(id)), DETAIL = dbkit.id_problem(id);
END $$;
COMMENT ON FUNCTION dbkit.refuse_id(text) IS 'raises invalid_text_representation for what is not an id';

CREATE OR REPLACE FUNCTION dbkit.id_prefix(id text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	IF dbkit.is_id(id) THEN
		RETURN dbkit.written_prefix(id);
	END IF;
	RETURN dbkit.refuse_id(id);
END $$;
COMMENT ON FUNCTION dbkit.id_prefix(text) IS
'the prefix of an id, without its underscore; invalid_text_representation for what is not an id';

CREATE OR REPLACE FUNCTION dbkit.written_prefix(id text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN left(left(id, -26), -1);
COMMENT ON FUNCTION dbkit.written_prefix(text) IS 'the prefix of an id that is well-formed';

CREATE OR REPLACE FUNCTION dbkit.id_uuid(id text) RETURNS uuid
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	IF dbkit.is_id(id) THEN
		RETURN dbkit.suffix_uuid(pg_catalog.right(id, 26));
	END IF;
	RETURN dbkit.refuse_id(id);
END $$;
COMMENT ON FUNCTION dbkit.id_uuid(text) IS
'the UUID that an id spells; invalid_text_representation for what is not an id';

CREATE OR REPLACE FUNCTION dbkit.make_id(prefix text, high bigint, low bigint) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	IF prefix OPERATOR(pg_catalog.=) '' THEN
		RETURN dbkit.uuid_suffix(high, low);
	ELSIF dbkit.is_prefix(prefix) THEN
		RETURN pg_catalog.concat(prefix, '_', dbkit.uuid_suffix(high, low));
	END IF;
	RETURN dbkit.refuse_prefix(prefix);
END $$;
COMMENT ON FUNCTION dbkit.make_id(text, bigint, bigint) IS
'the id that spells a UUID, given in two halves; invalid_parameter_value for a bad prefix';

CREATE OR REPLACE FUNCTION dbkit.id_from_uuid(prefix text, uuid uuid) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN dbkit.make_id(prefix, dbkit.eight_bytes(uuid_send(uuid), 1), dbkit.eight_bytes(uuid_send(uuid), 9));
COMMENT ON FUNCTION dbkit.id_from_uuid(text, uuid) IS
'the id that spells a UUID of any version. prefix: as for generate_id';

CREATE OR REPLACE FUNCTION dbkit.id_timestamp(id text) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (SELECT CASE WHEN substr(hex, 13, 1) = '7' AND substr(hex, 17, 1) IN ('8', '9', 'a', 'b')
			-- in hours first: an interval is multiplied in double precision
			THEN timestamptz '1970-01-01 00:00:00+00' + msecs / 3600000 * interval '1 hour' + msecs % 3600000 * interval '1 millisecond' END
		FROM encode(uuid_send(dbkit.id_uuid(id)), 'hex') AS hex, LATERAL (SELECT ('x' || lpad(left(hex, 12), 16, '0'))::bit(64)::bigint) AS time (msecs));
COMMENT ON FUNCTION dbkit.id_timestamp(text) IS
'when an id was made, to the millisecond; NULL if its UUID is not of version 7; invalid_text_representation for what is not an id';

CREATE OR REPLACE FUNCTION dbkit.usecs_since_1970(at timestamptz) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET datestyle = ISO AS $$
BEGIN
	IF at >= timestamptz '1970-01-01 00:00:00+00' AND at < timestamptz '10889-08-02 05:31:50.656+00' THEN
		RETURN extract(epoch FROM at - timestamptz '1970-01-01 00:00:00+00') * 1000000;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'datetime_field_overflow',
		MESSAGE = format('timestamp out of range for an id: "%s"', at),
		DETAIL = 'An id holds times from 1970-01-01 00:00:00 UTC to 10889-08-02 05:31:50.655 UTC.';
END $$;
COMMENT ON FUNCTION dbkit.usecs_since_1970(timestamptz) IS
'microseconds since 1970, or datetime_field_overflow for a time that an id cannot hold';

CREATE OR REPLACE FUNCTION dbkit.generate_id_at(prefix text, at timestamptz) RETURNS text
	LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
	RETURN (SELECT dbkit.make_id(prefix, dbkit.uuid_high((usecs / 1000 << 12) | ((usecs % 1000 << 12) / 1000)), dbkit.uuid_low())
		FROM dbkit.usecs_since_1970(at) AS usecs);
COMMENT ON FUNCTION dbkit.generate_id_at(text, timestamptz) IS
'an id as if made at that time (to the microsecond), for backfills. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE OR REPLACE FUNCTION dbkit.id_lower_bound(prefix text, at timestamptz) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN dbkit.make_id(prefix, dbkit.uuid_high(dbkit.usecs_since_1970(at) / 1000 << 12), '-9223372036854775808'::bigint);
COMMENT ON FUNCTION dbkit.id_lower_bound(text, timestamptz) IS
'the smallest id of the millisecond of that time: id >= dbkit.id_lower_bound(...) can use an index. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE OR REPLACE FUNCTION dbkit.id_upper_bound(prefix text, at timestamptz) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN dbkit.make_id(prefix, dbkit.uuid_high(dbkit.usecs_since_1970(at) / 1000 << 12 | 4095), '-4611686018427387905'::bigint);
COMMENT ON FUNCTION dbkit.id_upper_bound(text, timestamptz) IS
'the largest id of the millisecond of that time: id <= dbkit.id_upper_bound(...) can use an index. prefix: as for generate_id; at: from 1970 to the year 10889, else datetime_field_overflow';

CREATE OR REPLACE FUNCTION dbkit.base_type(type oid) RETURNS regtype
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN (WITH RECURSIVE domains AS (
			SELECT t.oid, t.typbasetype FROM pg_type t WHERE t.oid = type
			UNION ALL SELECT t.oid, t.typbasetype FROM domains d JOIN pg_type t ON t.oid = d.typbasetype)
		SELECT oid::regtype FROM domains WHERE typbasetype = 0);
COMMENT ON FUNCTION dbkit.base_type(oid) IS 'the type that a domain is over, through all of them; of another type, itself';

-- updated_at() ------------------------------------------------------------------

CREATE OR REPLACE FUNCTION dbkit.updated_at_value(relation regclass, trigger name, timing text, event text, level text,
	arguments text[] DEFAULT NULL) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	table_name name := (SELECT relname FROM pg_class WHERE oid = relation);
	wanted text := coalesce(arguments[0], 'updated_at');	-- TG_ARGV begins with 0
	demand text := CASE WHEN level <> 'ROW' THEN 'fired for each row' WHEN timing <> 'BEFORE' THEN 'fired before the event'
		WHEN event <> 'UPDATE' THEN 'fired for UPDATE' END;
	col pg_attribute;
BEGIN
	IF demand IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'trigger_protocol_violated',
			MESSAGE = format('trigger "%s" on relation "%s" must be %s', trigger, table_name, demand),
			HINT = 'Create it as BEFORE UPDATE FOR EACH ROW.';
	ELSIF cardinality(arguments) > 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'trigger_protocol_violated',
			MESSAGE = format('trigger "%s" on relation "%s" has too many arguments', trigger, table_name),
			HINT = 'The only argument is the name of the column to set, by default "updated_at".';
	END IF;
	SELECT * INTO col FROM pg_attribute WHERE attrelid = relation AND attname = wanted AND attnum > 0 AND NOT attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column', TABLE = table_name,
			MESSAGE = format('column "%s" of relation "%s" does not exist', wanted, table_name),
			DETAIL = format('Trigger "%s" is to set this column.', trigger),
			HINT = 'Add the column, or name another as the trigger''s argument.';
	END IF;
	IF dbkit.base_type(col.atttypid) <> 'timestamptz'::regtype THEN
		RAISE EXCEPTION USING ERRCODE = 'trigger_protocol_violated', TABLE = table_name, COLUMN = col.attname,
			MESSAGE = format('column "%s" of relation "%s" must be timestamp with time zone', col.attname, table_name),
			DETAIL = format('Trigger "%s" is to set this column, and its type is %s.', trigger, format_type(col.atttypid, NULL));
	ELSIF col.attgenerated <> '' THEN	-- its expression, computed after this trigger, would win
		RAISE EXCEPTION USING ERRCODE = 'trigger_protocol_violated', TABLE = table_name, COLUMN = col.attname,
			MESSAGE = format('column "%s" of relation "%s" must not be a generated column', col.attname, table_name),
			DETAIL = format('Trigger "%s" is to set this column.', trigger);
	END IF;
	RETURN jsonb_build_object(col.attname, now());
END $$;
COMMENT ON FUNCTION dbkit.updated_at_value(regclass, name, text, text, text, text[]) IS
'what updated_at() sets, for all but the usual column; raises what is wrong with the trigger or its column';

-- tenant context ----------------------------------------------------------------

-- Settings of the transaction hold it, and whoever may run SQL may change them.
CREATE OR REPLACE FUNCTION dbkit.user_id() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN nullif(current_setting('dbkit_portable.user_id', true), '');
COMMENT ON FUNCTION dbkit.user_id() IS
'the user that dbkit.enter bound the transaction to, or NULL';

CREATE OR REPLACE FUNCTION dbkit.organization_id() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN nullif(current_setting('dbkit_portable.organization_id', true), '');
COMMENT ON FUNCTION dbkit.organization_id() IS
'the organization that dbkit.enter bound the transaction to, or NULL';

-- What a policy that casts app.user_id can take, and no id equals: the nil UUID, or beside
-- a prefixed id or a number, which are not cast to uuid, an empty string.
CREATE OR REPLACE FUNCTION dbkit.missing_half(other text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN other COLLATE "C" ~ '^[0-9]+$' OR dbkit.is_id(other) AND dbkit.written_prefix(other) <> '' THEN ''
		ELSE '00000000-0000-0000-0000-000000000000' END;
COMMENT ON FUNCTION dbkit.missing_half(text) IS
'what app.user_id or app.organization_id shows where only the other one was entered';

CREATE OR REPLACE FUNCTION dbkit.enter(user_id text, organization_id text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF dbkit.user_id() IS NOT NULL OR dbkit.organization_id() IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'a tenant context is already entered', DETAIL = 'It holds until the transaction ends.';
	ELSIF enter.user_id IS NULL AND enter.organization_id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'a tenant context needs a user or an organization', DETAIL = 'Both are NULL.';
	ELSIF enter.user_id = '' OR enter.organization_id = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the %s of a tenant context cannot be an empty string', CASE WHEN enter.user_id = '' THEN 'user' ELSE 'organization' END),
			HINT = 'Pass NULL where there is none.';
	END IF;
	IF current_setting('dbkit_portable.unsealed', true) IS DISTINCT FROM 'said' THEN
		PERFORM set_config('dbkit_portable.unsealed', 'said', false);
		RAISE NOTICE USING MESSAGE = 'the tenant context is not sealed: this edition of dbkit keeps it in settings, which any SQL of the session can change',
			HINT = 'Let no SQL that you did not write reach this role.';
	END IF;
	PERFORM set_config('dbkit_portable.user_id', enter.user_id, true), set_config('dbkit_portable.organization_id', enter.organization_id, true),
		set_config('app.user_id', coalesce(enter.user_id, dbkit.missing_half(enter.organization_id)), true),
		set_config('app.organization_id', coalesce(enter.organization_id, dbkit.missing_half(enter.user_id)), true);
END $$;
COMMENT ON FUNCTION dbkit.enter(text, text) IS
'bind the transaction to a user and an organization, either of which may be NULL; once per transaction (object_not_in_prerequisite_state). Without the C library settings hold them, which any SQL can change: says so once per session';

CREATE OR REPLACE FUNCTION dbkit.enter(user_id text, organization_id text, signature text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the signature cannot be checked without a key',
		HINT = 'This edition of dbkit has no signed mode: no SQL can keep a key from other SQL.';
END $$;
COMMENT ON FUNCTION dbkit.enter(text, text, text) IS
'fails with object_not_in_prerequisite_state: signatures need the C library';

CREATE OR REPLACE FUNCTION dbkit.nonce() RETURNS text
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	RETURN encode(uuid_send(gen_random_uuid()), 'hex');
COMMENT ON FUNCTION dbkit.nonce() IS
'32 hexadecimal digits; signatures need the C library';

-- named locks -------------------------------------------------------------------

CREATE OR REPLACE FUNCTION dbkit.lock_key(name text) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	utf8 bytea := convert_to(name, 'UTF8');
BEGIN
	IF name IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the name of a lock must not be null';
	ELSIF name = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the name of a lock must not be empty';
	ELSIF length(utf8) > 1024 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the name of a lock must not be longer than 1024 bytes',
			DETAIL = format('It has %s bytes in UTF-8.', length(utf8));
	END IF;
	RETURN ('x' || encode(substr(sha256(utf8), 1, 8), 'hex'))::bit(64)::bigint;
END $$;
COMMENT ON FUNCTION dbkit.lock_key(text) IS
'The key of a named lock: the first 8 bytes, big-endian, of the SHA-256 of the name in UTF-8. pg_advisory_lock(dbkit.lock_key(name)) takes the same lock. Names have 1 to 1024 bytes of UTF-8.';

CREATE OR REPLACE FUNCTION dbkit.lock_timeout_ms(timeout interval) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF timeout < interval '0' OR extract(epoch FROM timeout) * 1000 > 2147483647 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'timeout of a lock is out of range',
			DETAIL = 'It must be between 0 and 2147483647 milliseconds.';
	END IF;
	RETURN ceil(extract(epoch FROM timeout) * 1000);
END $$;
COMMENT ON FUNCTION dbkit.lock_timeout_ms(interval) IS
'a timeout in milliseconds, rounded up; invalid_parameter_value below 0 and above 2147483647';

CREATE OR REPLACE FUNCTION dbkit.try_key(key bigint, shared boolean, session boolean) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN CASE WHEN session THEN CASE WHEN shared THEN pg_try_advisory_lock_shared(key) ELSE pg_try_advisory_lock(key) END
		ELSE CASE WHEN shared THEN pg_try_advisory_xact_lock_shared(key) ELSE pg_try_advisory_xact_lock(key) END END;
COMMENT ON FUNCTION dbkit.try_key(bigint, boolean, boolean) IS
'take an advisory lock if it is free';

CREATE OR REPLACE FUNCTION dbkit.refuse_lock(name text, key bigint, shared boolean, timeout_ms bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	others record;
BEGIN
	SELECT string_agg(backend, ', ') FILTER (WHERE granted) AS holders, string_agg(backend, ', ') FILTER (WHERE NOT granted) AS queue
	INTO others
	FROM (SELECT l.granted, CASE WHEN l.pid IS NULL THEN 'a prepared transaction'
			ELSE concat('backend ', l.pid, ' ("' || nullif(a.application_name, '') || '")') END AS backend
		FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (l.classid::bigint << 32) | l.objid::bigint = key AND l.pid IS DISTINCT FROM pg_backend_pid()
			AND (NOT shared OR l.mode = 'ExclusiveLock')) AS conflicting;
	RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
		MESSAGE = format('could not take lock "%s"', name) || coalesce(', held by ' || others.holders, ', awaited by ' || others.queue, ' in time'),
		DETAIL = coalesce(format('The timeout was %s ms.', nullif(timeout_ms, 0)), '');
END $$;
COMMENT ON FUNCTION dbkit.refuse_lock(text, bigint, boolean, bigint) IS
'raises lock_not_available with the backends that hold or await a lock';

-- lock_timeout is set for the one wait; an error undoes it as well.
CREATE OR REPLACE FUNCTION dbkit.take_lock(name text, timeout interval, shared boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key bigint := dbkit.lock_key(name);
	timeout_ms bigint := dbkit.lock_timeout_ms(timeout);
	before text := current_setting('lock_timeout');
BEGIN
	IF timeout_ms = 0 THEN
		IF NOT dbkit.try_key(key, shared, false) THEN
			PERFORM dbkit.refuse_lock(name, key, shared, 0);
		END IF;
		RETURN;
	END IF;
	BEGIN
		PERFORM set_config('lock_timeout', coalesce(timeout_ms::text, before), true);
		IF shared THEN
			PERFORM pg_advisory_xact_lock_shared(key);
		ELSE
			PERFORM pg_advisory_xact_lock(key);
		END IF;
	EXCEPTION WHEN lock_not_available THEN
		PERFORM dbkit.refuse_lock(name, key, shared, coalesce(timeout_ms, (extract(epoch FROM before::interval) * 1000)::bigint));
	END;
	PERFORM set_config('lock_timeout', before, true);
END $$;
COMMENT ON FUNCTION dbkit.take_lock(text, interval, boolean) IS
'the work of dbkit.lock and dbkit.lock_shared';

CREATE OR REPLACE FUNCTION dbkit.lock(name text, timeout interval DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN dbkit.take_lock(name, timeout, false);
COMMENT ON FUNCTION dbkit.lock(text, interval) IS
'Waits for a named lock and holds it until the end of the transaction. After timeout (instead of lock_timeout; 0: at once) the error lock_not_available names the holder.';

CREATE OR REPLACE FUNCTION dbkit.lock_shared(name text, timeout interval DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN dbkit.take_lock(name, timeout, true);
COMMENT ON FUNCTION dbkit.lock_shared(text, interval) IS
'Like dbkit.lock, but several may hold the lock shared at a time, and none exclusively meanwhile.';

CREATE OR REPLACE FUNCTION dbkit.try_lock(name text) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN dbkit.try_key(dbkit.lock_key(name), false, false);
COMMENT ON FUNCTION dbkit.try_lock(text) IS
'Takes a named lock until the end of the transaction if it is free; false, without waiting, if it is not.';

CREATE OR REPLACE FUNCTION dbkit.try_lock_shared(name text) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN dbkit.try_key(dbkit.lock_key(name), true, false);
COMMENT ON FUNCTION dbkit.try_lock_shared(text) IS
'Like dbkit.try_lock, but shared with others who take it shared.';

-- COMMIT lets go of the snapshot, which is also why the procedure can have no SET clause
-- (ExecuteCallStmt() in commands/functioncmds.c), and why it asks again and again.
CREATE OR REPLACE PROCEDURE dbkit.await_session_lock(name text, timeout interval, shared boolean)
	LANGUAGE plpgsql AS $$
DECLARE
	key pg_catalog.int8 := dbkit.lock_key(name);
	timeout_ms pg_catalog.int8 := dbkit.session_lock_timeout_ms(timeout);
	give_up pg_catalog.timestamptz := dbkit.session_lock_end(timeout_ms);
BEGIN
	COMMIT;
	WHILE NOT dbkit.try_key(key, shared, true) LOOP
		COMMIT;
		IF dbkit.is_past(give_up) THEN
			PERFORM dbkit.refuse_lock(name, key, shared, timeout_ms);
		END IF;
		PERFORM pg_catalog.pg_sleep(0.05);
		COMMIT;
	END LOOP;
END $$;
COMMENT ON PROCEDURE dbkit.await_session_lock(text, interval, boolean) IS
'the work of dbkit.session_lock and dbkit.session_lock_shared';

CREATE OR REPLACE FUNCTION dbkit.session_lock_timeout_ms(timeout interval) RETURNS bigint
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN coalesce(dbkit.lock_timeout_ms(timeout),
		nullif((extract(epoch FROM current_setting('lock_timeout')::interval) * 1000)::bigint, 0));
COMMENT ON FUNCTION dbkit.session_lock_timeout_ms(interval) IS
'how many milliseconds to wait for a session lock: the timeout or lock_timeout, NULL for any time';

CREATE OR REPLACE FUNCTION dbkit.session_lock_end(timeout_ms bigint) RETURNS timestamptz
	LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
	RETURN clock_timestamp() + timeout_ms * interval '1 millisecond';
COMMENT ON FUNCTION dbkit.session_lock_end(bigint) IS 'when a wait of so many milliseconds ends';

CREATE OR REPLACE FUNCTION dbkit.is_past(at timestamptz) RETURNS boolean
	LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
	RETURN clock_timestamp() >= at;
COMMENT ON FUNCTION dbkit.is_past(timestamptz) IS 'whether a time is past; NULL for NULL';

CREATE OR REPLACE PROCEDURE dbkit.session_lock(name text, timeout interval DEFAULT NULL)
	LANGUAGE plpgsql AS $$
BEGIN
	CALL dbkit.await_session_lock(name, timeout, false);
END $$;
COMMENT ON PROCEDURE dbkit.session_lock(text, interval) IS
'Waits for a named lock without holding a snapshot, and holds it until dbkit.session_unlock or the end of the session. Not inside a transaction block (invalid_transaction_termination), and not behind a transaction pooler. The timeout is that of dbkit.lock. It commits, and asks for the lock 20 times a second: PostgreSQL sees no deadlock in that.';

CREATE OR REPLACE PROCEDURE dbkit.session_lock_shared(name text, timeout interval DEFAULT NULL)
	LANGUAGE plpgsql AS $$
BEGIN
	CALL dbkit.await_session_lock(name, timeout, true);
END $$;
COMMENT ON PROCEDURE dbkit.session_lock_shared(text, interval) IS
'Like dbkit.session_lock, but several may hold the lock shared at a time, and none exclusively meanwhile.';

CREATE OR REPLACE FUNCTION dbkit.try_session_lock(name text) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN dbkit.try_key(dbkit.lock_key(name), false, true);
COMMENT ON FUNCTION dbkit.try_session_lock(text) IS
'Takes a named lock until dbkit.session_unlock or the end of the session if it is free; false, without waiting, if it is not.';

CREATE OR REPLACE FUNCTION dbkit.try_session_lock_shared(name text) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN dbkit.try_key(dbkit.lock_key(name), true, true);
COMMENT ON FUNCTION dbkit.try_session_lock_shared(text) IS
'Like dbkit.try_session_lock, but shared with others who take it shared.';

CREATE OR REPLACE FUNCTION dbkit.session_unlock(name text) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN pg_advisory_unlock(dbkit.lock_key(name));
COMMENT ON FUNCTION dbkit.session_unlock(text) IS
'Undoes one dbkit.session_lock or try_session_lock; a lock taken twice must be unlocked twice. False, with a warning, if this session does not hold it.';

CREATE OR REPLACE FUNCTION dbkit.session_unlock_shared(name text) RETURNS boolean
	LANGUAGE sql VOLATILE PARALLEL RESTRICTED
	RETURN pg_advisory_unlock_shared(dbkit.lock_key(name));
COMMENT ON FUNCTION dbkit.session_unlock_shared(text) IS
'Undoes one dbkit.session_lock_shared or try_session_lock_shared, like dbkit.session_unlock.';

CREATE OR REPLACE FUNCTION dbkit.lock_status(
	OUT name text, OUT key bigint, OUT mode text, OUT granted boolean, OUT pid integer, OUT waiting_since timestamptz)
	RETURNS SETOF record
	LANGUAGE sql VOLATILE STRICT PARALLEL RESTRICTED
	BEGIN ATOMIC
		SELECT NULL::text, (l.classid::bigint << 32) | l.objid::bigint, l.mode, l.granted, l.pid, l.waitstart
		FROM pg_locks l
		WHERE l.locktype = 'advisory' AND l.objsubid = 1
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database());
	END;
COMMENT ON FUNCTION dbkit.lock_status() IS
'What the lock manager knows for the view dbkit.locks: advisory locks on a bigint key in this database.';

CREATE OR REPLACE VIEW dbkit.locks WITH (security_invoker = true) AS
SELECT l.name, l.key, l.mode, l.granted, l.pid, a.application_name, l.waiting_since,
	CASE WHEN l.granted THEN '{}'::int4[] ELSE pg_blocking_pids(l.pid) END AS blocked_by
FROM dbkit.lock_status() l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid;
COMMENT ON VIEW dbkit.locks IS
'The advisory locks on a bigint key in this database, one row per holder and waiter: name (NULL: without the C library nobody remembers it), key, mode, granted, pid (NULL: a prepared transaction), application_name, waiting_since, blocked_by (pids).';
GRANT SELECT ON dbkit.locks TO PUBLIC;

-- enum tables -------------------------------------------------------------------
--
-- All of it runs as the caller, with the caller's rights.  What writes to tables has no
-- search_path of its own, because their triggers expect that of the caller.  The order of the values is
-- that of the rows in the table (ctid).  Locks are held until the end of the transaction
-- and taken in this order, so that no concurrent writer's row is lost and none fails:
-- the enum table, SHARE UPDATE EXCLUSIVE (one helper at a time); the referencing tables by
-- oid, EXCLUSIVE, or ACCESS EXCLUSIVE where a default has to change; the row of the value.

CREATE OR REPLACE FUNCTION dbkit.relation_name(relation regclass) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result text;
BEGIN
	SELECT format('%I.%I', n.nspname, c.relname) INTO result FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('relation with OID %s does not exist', relation::oid);
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION dbkit.relation_name(regclass) IS 'the quoted name of a relation with its schema; undefined_table if it is gone';

CREATE OR REPLACE FUNCTION dbkit.enum_table(enum regclass, lock boolean) RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := dbkit.relation_name(enum);
BEGIN
	IF enum IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'enum must not be null';
	ELSIF NOT has_table_privilege(enum, 'SELECT') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('permission denied for table %s', (SELECT relname FROM pg_class WHERE oid = enum));
	ELSIF lock AND has_table_privilege(enum, 'UPDATE, DELETE, TRUNCATE') THEN	-- LOCK asks for one of these
		EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', name);
	END IF;
	PERFORM FROM pg_class c
		JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
		JOIN pg_attribute a ON a.attrelid = c.oid AND k.conkey = ARRAY[a.attnum]
		WHERE c.oid = enum AND c.relkind = 'r' AND a.attname = 'value' AND a.atttypid = 'text'::regtype;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('%s is not an enum table', name),
			HINT = 'An enum table has the column "value" of type text as its primary key.';
	END IF;
	PERFORM dbkit.refuse_row_security(enum);
	RETURN name;
END $$;
COMMENT ON FUNCTION dbkit.enum_table(regclass, boolean) IS 'the quoted name of an enum table, of which it makes sure';

CREATE OR REPLACE FUNCTION dbkit.refuse_row_security(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF row_security_active(relation) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('row level security may hide rows of table %s from you', dbkit.relation_name(relation)),
			DETAIL = 'All rows that use the enum must be seen.',
			HINT = 'Do it as a role with BYPASSRLS, or as the table''s owner where security is not forced.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.refuse_row_security(regclass) IS 'raises insufficient_privilege if policies may hide rows from the caller';

-- A partition's key is part of the one on its root.  A row that references itself is no use of its value.
CREATE OR REPLACE FUNCTION dbkit.enum_references(enum regclass,
	OUT relation regclass, OUT name text, OUT attname name, OUT col text, OUT alone text, OUT condition text, OUT deletes boolean)
	RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	FOR relation, attname, alone, deletes IN
		SELECT k.conrelid, a.attname, CASE c.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, bool_or(k.confdeltype IN ('c', 'n', 'd'))
		FROM pg_constraint k
		CROSS JOIN unnest(k.conkey, k.confkey) AS pair (conkey, confkey)
		JOIN pg_attribute v ON v.attrelid = k.confrelid AND v.attnum = pair.confkey AND v.attname = 'value'
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.conkey
		JOIN pg_class c ON c.oid = k.conrelid
		WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = enum
		GROUP BY k.conrelid, a.attnum, a.attname, c.relkind ORDER BY k.conrelid, a.attnum
	LOOP
		name := dbkit.relation_name(relation);
		col := quote_ident(attname);
		condition := format('%s OPERATOR(pg_catalog.=) $1', col) ||
			CASE WHEN relation = enum THEN ' AND value OPERATOR(pg_catalog.<>) $1' ELSE '' END;
		PERFORM dbkit.require_right(relation, attname, 'SELECT');
		PERFORM dbkit.refuse_row_security(relation);
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.enum_references(regclass) IS 'the columns that reference an enum table, which the caller has to be able to read';

CREATE OR REPLACE FUNCTION dbkit.require_right(relation regclass, attname name, privilege text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT has_column_privilege(relation, attname, privilege) THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
			MESSAGE = format('permission denied for column %I of table %s', attname, dbkit.relation_name(relation)),
			DETAIL = format('The column references the enum, and you lack %s on it.', privilege);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.require_right(regclass, name, text) IS 'raises insufficient_privilege if the caller lacks a privilege on a column';

-- The constant is read from the text of the default, which is not evaluated.
CREATE OR REPLACE FUNCTION dbkit.tables_with_default(relation regclass, attname name, value text) RETURNS SETOF regclass
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		WITH RECURSIVE tree AS (
			SELECT c.oid, c.relkind FROM pg_class c WHERE c.oid = relation
			UNION SELECT i.inhrelid, c.relkind FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid AND t.relkind = 'p'
				JOIN pg_class c ON c.oid = i.inhrelid)
		SELECT t.oid::regclass
		FROM tree t
		JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = $2 AND a.attgenerated = ''
		JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
		CROSS JOIN pg_get_expr(d.adbin, d.adrelid) AS expression
		WHERE expression ~ '^\(*''([^'']|'''')*''(::[^'']*)?$'
			AND starts_with(ltrim(expression, '('), concat('''', replace(value, '''', ''''''), ''''))
			AND ltrim(expression, '(') !~ concat('^.{', length(concat('''', replace(value, '''', ''''''), '''')), '}''')
		ORDER BY t.oid;
	END;
COMMENT ON FUNCTION dbkit.tables_with_default(regclass, name, text) IS
'the tables, of a table and its partitions, where the default of the column is this value';

CREATE OR REPLACE FUNCTION dbkit.enum_argument(value text, what text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF value IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = format('%s must not be null', what);
	END IF;
	RETURN value;
END $$;
COMMENT ON FUNCTION dbkit.enum_argument(text, text) IS 'an argument that must not be null';

CREATE OR REPLACE FUNCTION dbkit.enum_table_name(base text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := CASE WHEN base LIKE '_%\_enum' THEN base ELSE base || '_enum' END;
BEGIN
	IF octet_length(name) > 63 THEN
		RAISE EXCEPTION USING ERRCODE = 'name_too_long', MESSAGE = format('the name of enum table "%s" is longer than 63 bytes', name);
	END IF;
	RETURN name;
END $$;
COMMENT ON FUNCTION dbkit.enum_table_name(text) IS 'a name with the ending "_enum"; name_too_long';

CREATE OR REPLACE FUNCTION dbkit.make_enum(schema text, name text, enum_values text[]) RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	value text;
BEGIN
	EXECUTE format('CREATE TABLE %I.%I (value pg_catalog.text PRIMARY KEY)', schema, name);
	FOREACH value IN ARRAY enum_values LOOP
		EXECUTE format('INSERT INTO %I.%I (value) VALUES ($1)', schema, name) USING value;
	END LOOP;
	RETURN format('%I.%I', schema, name);
END $$;
COMMENT ON FUNCTION dbkit.make_enum(text, text, text[]) IS 'makes an enum table with these values';

CREATE OR REPLACE FUNCTION dbkit.create_enum_in(schema text, name text, enum_values text[]) RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parts text[] := parse_ident(dbkit.enum_argument(name, 'name'));
BEGIN
	IF enum_values IS NULL OR array_position(enum_values, NULL) IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = CASE WHEN enum_values IS NULL THEN 'enum_values must not be null' ELSE 'a value of an enum must not be null' END;
	ELSIF cardinality(parts) > 3 OR cardinality(parts) = 3 AND parts[1] <> current_database() THEN
		RAISE EXCEPTION USING ERRCODE = 'syntax_error', MESSAGE = format('improper qualified name (too many dotted names): %s', array_to_string(parts, '.'));
	END IF;
	RETURN dbkit.make_enum(CASE cardinality(parts) WHEN 1 THEN schema ELSE parts[cardinality(parts) - 1] END,
		dbkit.enum_table_name(parts[cardinality(parts)]), enum_values);
END $$;
COMMENT ON FUNCTION dbkit.create_enum_in(text, text, text[]) IS 'the work of dbkit.create_enum, in a schema unless the name has one';

CREATE OR REPLACE FUNCTION dbkit.create_enum(name text, enum_values text[]) RETURNS regclass
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	RETURN dbkit.create_enum_in(current_schema(), name, enum_values);
COMMENT ON FUNCTION dbkit.create_enum(text, text[]) IS
'Makes the enum table <name>_enum (value TEXT PRIMARY KEY) with these values, in this order. The name is read like an identifier in SQL, and may be schema-qualified; a name that ends in _enum is taken as it is.';

CREATE OR REPLACE FUNCTION dbkit.enum_values(enum regclass) RETURNS SETOF text
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT value FROM ONLY %s ORDER BY ctid', dbkit.enum_table(enum, false));
END $$;
COMMENT ON FUNCTION dbkit.enum_values(regclass) IS
'The values of an enum table in the order in which they were added.';

-- On a page each new row version takes the first free place, so those that are written one
-- after the other lie one after the other.  With several pages it may need a second try.
CREATE OR REPLACE FUNCTION dbkit.put_in_order(name text, wanted text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	current text[];
	value text;
BEGIN
	IF pg_catalog.cardinality(wanted) OPERATOR(pg_catalog.>) 1000 THEN
		RETURN;	-- it is not worth while to write all rows again
	END IF;
	FOR try IN 1..2 LOOP
		EXECUTE pg_catalog.format('SELECT pg_catalog.array_agg(value ORDER BY ctid) FROM ONLY %s', name) INTO current;
		EXIT WHEN current OPERATOR(pg_catalog.=) wanted;
		FOREACH value IN ARRAY wanted LOOP
			EXECUTE pg_catalog.format('UPDATE ONLY %s SET value = value WHERE value OPERATOR(pg_catalog.=) $1', name) USING value;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.put_in_order(text, text[]) IS 'writes the rows of an enum table again, if they do not lie in this order';

CREATE OR REPLACE FUNCTION dbkit.add_enum_value(enum regclass, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	name text := dbkit.enum_table(enum, dbkit.enum_argument(value, 'value') IS NOT NULL);
	wanted text[] := pg_catalog.array_append(ARRAY(SELECT dbkit.enum_values(enum)), value);
BEGIN
	EXECUTE pg_catalog.format('INSERT INTO %s (value) VALUES ($1)', name) USING value;
	IF pg_catalog.has_table_privilege(enum, 'UPDATE') THEN
		PERFORM dbkit.put_in_order(name, wanted);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.add_enum_value(regclass, text) IS
'Adds a value to an enum table, behind the others; unique_violation if it is there.';

CREATE OR REPLACE FUNCTION dbkit.require_value(name text, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_there boolean;
BEGIN
	EXECUTE format('SELECT true FROM ONLY %s WHERE value OPERATOR(pg_catalog.=) $1 FOR UPDATE', name) INTO is_there USING value;
	IF is_there IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('value "%s" is not in enum table %s', value, name);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.require_value(text, text) IS 'locks the row of a value; invalid_parameter_value if there is none';

-- Check all rights before anything is locked or changed, then keep writers away.
CREATE OR REPLACE FUNCTION dbkit.lock_references(enum regclass, value text, writable boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ref record;
	owned regclass;
BEGIN
	FOR ref IN SELECT * FROM dbkit.enum_references(enum) WHERE writable LOOP
		PERFORM dbkit.require_right(ref.relation, ref.attname, 'UPDATE');
		FOR owned IN SELECT dbkit.tables_with_default(ref.relation, ref.attname, value) LOOP
			IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = owned), 'USAGE') THEN
				RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', dbkit.relation_name(owned)),
					DETAIL = format('The value is the default of column %s, which has to change.', ref.col);
			END IF;
		END LOOP;
	END LOOP;
	FOR ref IN SELECT * FROM dbkit.enum_references(enum) LOOP
		IF has_table_privilege(ref.relation, 'UPDATE, DELETE, TRUNCATE') THEN
			EXECUTE format('LOCK TABLE %s%s IN %s MODE', ref.alone, ref.name, CASE WHEN EXISTS
				(SELECT dbkit.tables_with_default(ref.relation, ref.attname, value)) THEN 'ACCESS EXCLUSIVE' ELSE 'EXCLUSIVE' END);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.lock_references(regclass, text, boolean) IS
'checks the rights on the columns that reference an enum table, and locks their tables';

CREATE OR REPLACE FUNCTION dbkit.replace_references(enum regclass, old text, new text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	ref record;
	relation regclass;
	changed bigint;
	total bigint := 0;
	left_behind boolean;
BEGIN
	-- First, as an UPDATE may leave events that ALTER TABLE refuses
	FOR ref IN SELECT * FROM dbkit.enum_references(enum) LOOP
		FOR relation IN SELECT dbkit.tables_with_default(ref.relation, ref.attname, old) LOOP
			EXECUTE pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %s SET DEFAULT %L', dbkit.relation_name(relation), ref.col, new);
		END LOOP;
	END LOOP;
	FOR ref IN SELECT * FROM dbkit.enum_references(enum) LOOP
		EXECUTE pg_catalog.format('UPDATE %s%s SET %s = $2 WHERE %s', ref.alone, ref.name, ref.col, ref.condition) USING old, new;
		GET DIAGNOSTICS changed = ROW_COUNT;
		total := total OPERATOR(pg_catalog.+) changed;
		EXECUTE pg_catalog.format('SELECT true FROM %s%s WHERE %s LIMIT 1', ref.alone, ref.name, ref.condition) INTO left_behind USING old;
		IF ref.deletes AND left_behind THEN	-- which the foreign key's action would now delete or empty
			RAISE EXCEPTION USING ERRCODE = 'triggered_data_change_violation',
				MESSAGE = pg_catalog.format('rows of table %s still have the value "%s"', ref.name, old),
				DETAIL = 'A trigger or rule kept them from changing.';
		END IF;
	END LOOP;
	RETURN total;
END $$;
COMMENT ON FUNCTION dbkit.replace_references(regclass, text, text) IS
'lets the rows and defaults that use a value follow it, and gives the number of rows';

CREATE OR REPLACE FUNCTION dbkit.other_columns(enum regclass) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN (SELECT coalesce(string_agg(format(', %I', attname), '' ORDER BY attnum), '') FROM pg_attribute
		WHERE attrelid = enum AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> 'value');
COMMENT ON FUNCTION dbkit.other_columns(regclass) IS 'the columns of an enum table beside the value, each after a comma';

CREATE OR REPLACE FUNCTION dbkit.rename_enum_value(enum regclass, old text, new text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	name text := dbkit.enum_table(enum, dbkit.enum_argument(old, 'old') IS NOT NULL AND dbkit.enum_argument(new, 'new') IS NOT NULL);
	wanted text[];
	changed bigint;
BEGIN
	PERFORM dbkit.lock_references(enum, old, true);
	PERFORM dbkit.require_value(name, old);
	wanted := pg_catalog.array_replace(ARRAY(SELECT dbkit.enum_values(enum)), old, new);
	EXECUTE pg_catalog.format('INSERT INTO %1$s (value%2$s) OVERRIDING SYSTEM VALUE SELECT $2%2$s FROM ONLY %1$s WHERE value OPERATOR(pg_catalog.=) $1', name, dbkit.other_columns(enum))
		USING old, new;
	changed := dbkit.replace_references(enum, old, new);
	EXECUTE pg_catalog.format('DELETE FROM ONLY %s WHERE value OPERATOR(pg_catalog.=) $1', name) USING old;
	PERFORM dbkit.put_in_order(name, wanted);
	RETURN changed;
END $$;
COMMENT ON FUNCTION dbkit.rename_enum_value(regclass, text, text) IS
'Renames a value of an enum table, with all rows that reference it and all defaults, and gives the number of these rows. It keeps its place. Writers to the referencing tables wait until the end of the transaction. Without the rights to change every referencing column it is an error before anything changes.';

CREATE OR REPLACE FUNCTION dbkit.refuse_if_used(enum regclass, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ref record;
	uses bigint;
	lines text[] := '{}';
BEGIN
	FOR ref IN SELECT * FROM dbkit.enum_references(enum) LOOP
		EXECUTE format('SELECT count(*) FROM %s%s WHERE %s', ref.alone, ref.name, ref.condition) INTO uses USING value;
		IF uses > 0 THEN
			lines := lines || format('Column %s of table %s has it in %s %s.', ref.col, ref.name, uses, CASE uses WHEN 1 THEN 'row' ELSE 'rows' END);
		END IF;
		IF EXISTS (SELECT dbkit.tables_with_default(ref.relation, ref.attname, value)) THEN
			lines := lines || format('Column %s of table %s has it as its default.', ref.col, ref.name);
		END IF;
	END LOOP;
	IF lines <> '{}' THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
			MESSAGE = format('value "%s" of enum table %s is still in use', value, dbkit.relation_name(enum)),
			DETAIL = array_to_string(lines, E'\n'), HINT = 'Name another value as replace_with.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.refuse_if_used(regclass, text) IS 'raises dependent_objects_still_exist with where a value is used';

CREATE OR REPLACE FUNCTION dbkit.drop_enum_value(enum regclass, value text, replace_with text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	name text;
	changed bigint := 0;
BEGIN
	IF dbkit.enum_argument(value, 'value') OPERATOR(pg_catalog.=) replace_with THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = pg_catalog.format('value "%s" cannot replace itself', value);
	END IF;
	name := dbkit.enum_table(enum, true);
	PERFORM dbkit.lock_references(enum, value, replace_with IS NOT NULL);
	PERFORM dbkit.require_value(name, value);
	IF replace_with IS NULL THEN
		PERFORM dbkit.refuse_if_used(enum, value);
	ELSE
		PERFORM dbkit.require_value(name, replace_with);
		changed := dbkit.replace_references(enum, value, replace_with);
	END IF;
	EXECUTE pg_catalog.format('DELETE FROM ONLY %s WHERE value OPERATOR(pg_catalog.=) $1', name) USING value;
	RETURN changed;
END $$;
COMMENT ON FUNCTION dbkit.drop_enum_value(regclass, text, text) IS
'Drops a value of an enum table. Rows and defaults that use it get the value replace_with; without one, a value in use is an error (dependent_objects_still_exist) that says where. Gives the number of rows changed.';

CREATE OR REPLACE FUNCTION dbkit.enum_usage(enum regclass,
	OUT relation regclass, OUT column_name name, OUT value text, OUT uses bigint) RETURNS SETOF record
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ref record;
BEGIN
	PERFORM dbkit.enum_table(enum, false);
	FOR ref IN SELECT * FROM dbkit.enum_references(enum) LOOP
		RETURN QUERY EXECUTE format('SELECT $1, $2, %1$s::pg_catalog.text, count(*) FROM %2$s%3$s WHERE %1$s IS NOT NULL GROUP BY 3 ORDER BY 3',
			ref.col, ref.alone, ref.name) USING ref.relation, ref.attname;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.enum_usage(regclass) IS
'How many rows of each referencing column have each value; a value that no row has is not listed. Reads all these tables.';

-- The columns of a native enum in ordinary and partitioned tables
CREATE OR REPLACE FUNCTION dbkit.columns_of_enum(type regtype,
	OUT relation regclass, OUT name text, OUT attnum smallint, OUT col text, OUT inherited boolean, OUT partition boolean, OUT default_oid oid, OUT label text)
	RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT a.attrelid, dbkit.relation_name(a.attrelid), a.attnum, quote_ident(a.attname), a.attinhcount > 0, c.relispartition, d.oid,
			(SELECT literal FROM (SELECT concat('''', replace(enumlabel, '''', ''''''), '''') FROM pg_enum WHERE enumtypid = type
				UNION ALL SELECT 'NULL') AS e (literal)
			WHERE pg_get_expr(d.adbin, d.adrelid) = concat(literal, '::', format_type(type, NULL)))
		FROM pg_attribute a
		JOIN pg_class c ON c.oid = a.attrelid
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
		WHERE a.atttypid = type AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't';
	END;
COMMENT ON FUNCTION dbkit.columns_of_enum(regtype) IS
'the columns of a native enum; label is the constant that is the default, as a literal, NULL if that is another expression or none';

-- What depends on the type, its array type or one of the columns, apart from what is carried
-- over: columns, constant defaults, indexes and constraints without an expression of the type
CREATE OR REPLACE FUNCTION dbkit.refuse_dependents_of_enum(type regtype) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	dependents text := (
		WITH cols AS (SELECT * FROM dbkit.columns_of_enum(type)),
		kept AS (
			SELECT 'pg_class'::regclass::oid AS classid, relation::oid AS objid, attnum::int AS objsubid FROM cols
			UNION ALL SELECT 'pg_attrdef'::regclass, default_oid, 0 FROM cols WHERE label IS NOT NULL
			UNION ALL SELECT 'pg_type'::regclass, typarray, 0 FROM pg_type WHERE oid = type),
		dependents AS (
			SELECT classid, objid, objsubid FROM pg_depend
			WHERE refclassid = 'pg_type'::regclass AND refobjid IN (SELECT unnest(ARRAY[oid, typarray]) FROM pg_type WHERE oid = type)
			UNION SELECT d.classid, d.objid, d.objsubid
			FROM cols
			JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = cols.relation AND d.refobjsubid = cols.attnum
			LEFT JOIN pg_constraint k ON k.oid = d.objid AND d.classid = 'pg_constraint'::regclass
			WHERE d.classid IN ('pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_proc'::regclass, 'pg_publication_rel'::regclass)
				OR d.classid = 'pg_attrdef'::regclass AND d.objid IS DISTINCT FROM cols.default_oid
				OR k.contype = 'f')
		SELECT string_agg(description, E'\n' ORDER BY description COLLATE "C")
		FROM dependents CROSS JOIN pg_describe_object(classid, objid, objsubid) AS description
		WHERE (classid, objid, objsubid) NOT IN (SELECT classid, objid, objsubid FROM kept));
BEGIN
	IF dependents IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist', DETAIL = dependents,
			MESSAGE = format('cannot turn type %s into an enum table, because other objects depend on it', type),
			HINT = 'Drop these objects first, and create them again for text afterwards.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.refuse_dependents_of_enum(regtype) IS
'raises dependent_objects_still_exist with what dbkit.enum_from_type cannot carry over';

-- Each table changes in one statement.  ALTER TABLE drops defaults before it changes types and
-- sets them afterwards, also those of the tables that inherit, which then get their own back.
-- A cast that somebody made from the type to text is not used.
CREATE OR REPLACE FUNCTION dbkit.enum_from_type_sql(type regtype, enum text) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	BEGIN ATOMIC
		WITH cols AS (SELECT * FROM dbkit.columns_of_enum(type))
		SELECT statement
		FROM (
			SELECT 1 AS pass, relation::oid AS relid, 0::smallint AS attnum, format('ALTER TABLE %s ', name) || string_agg(
				format('ALTER COLUMN %1$s DROP DEFAULT, ALTER COLUMN %1$s TYPE pg_catalog.text USING pg_catalog.textin(pg_catalog.enum_out(%1$s)), ADD FOREIGN KEY (%1$s) REFERENCES %2$s (value)',
					col, enum) || coalesce(format(', ALTER COLUMN %s SET DEFAULT ', col) || label, ''), ', ' ORDER BY attnum) AS statement
			FROM cols WHERE NOT inherited GROUP BY relation, name
			UNION ALL SELECT 2, relation, attnum, format('ALTER TABLE ONLY %s ALTER COLUMN %s ', name, col) || coalesce('SET DEFAULT ' || label, 'DROP DEFAULT')
				|| CASE WHEN partition THEN '' ELSE format(', ADD FOREIGN KEY (%s) REFERENCES %s (value)', col, enum) END
			FROM cols WHERE inherited
			UNION ALL SELECT 3, relation, attnum, format('CREATE INDEX ON %s (%s)', name, col)
			FROM cols WHERE NOT partition AND NOT EXISTS (SELECT FROM pg_index i
				WHERE i.indrelid = cols.relation AND i.indkey[0] = cols.attnum AND i.indisvalid AND i.indpred IS NULL)
			UNION ALL SELECT 4, 0, 0::smallint, format('DROP TYPE %I.%I', n.nspname, t.typname)
			FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = type
			UNION ALL SELECT 5, 0, 0::smallint, format('COMMENT ON TABLE %s IS %L', enum, comment)
			FROM obj_description(type, 'pg_type') AS comment WHERE comment IS NOT NULL) AS statements
		ORDER BY pass, relid, attnum, statement;
	END;
COMMENT ON FUNCTION dbkit.enum_from_type_sql(regtype, text) IS
'the statements that turn the columns of a native enum into references to an enum table, and drop the type';

CREATE OR REPLACE FUNCTION dbkit.enum_from_type(type regtype) RETURNS regclass
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known record;
	enum regclass;
	statement text;
	statements text[];
BEGIN
	SELECT t.typname, t.typtype, t.typowner, n.nspname INTO known FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = type;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('type with OID %s does not exist', type::oid);
	ELSIF known.typtype <> 'e' THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('type %s is not an enum', type);
	ELSIF NOT pg_has_role(known.typowner, 'USAGE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of type %s', type);
	END IF;
	PERFORM dbkit.refuse_dependents_of_enum(type);
	statements := ARRAY(SELECT DISTINCT format('LOCK TABLE ONLY %s', name) FROM dbkit.columns_of_enum(type) ORDER BY 1);
	FOREACH statement IN ARRAY statements LOOP
		EXECUTE statement;
	END LOOP;
	enum := dbkit.make_enum(known.nspname, dbkit.enum_table_name(known.typname),
		ARRAY(SELECT enumlabel FROM pg_enum WHERE enumtypid = type ORDER BY enumsortorder));
	statements := ARRAY(SELECT dbkit.enum_from_type_sql(type, dbkit.relation_name(enum)));
	FOREACH statement IN ARRAY statements LOOP
		EXECUTE statement;
	END LOOP;
	RETURN enum;
END $$;
COMMENT ON FUNCTION dbkit.enum_from_type(regtype) IS
'Turns a native enum into the enum table <type>_enum in the schema of the type, and its columns into text with a foreign key and an index; drops the type. Views, functions, arrays, domains and expressions that depend on the type are refused (dependent_objects_still_exist) with their names.';

DO LANGUAGE plpgsql $$
BEGIN
	PERFORM set_config('search_path', current_setting('dbkit_portable.search_path'), false);
END $$;
