-- dbkit, the edition without C: what tables, policies, migrations and applications call,
-- in SQL and PL/pgSQL under the same names, for servers that load no library of one's own.
--
-- Run it as the role that owns the database, in one transaction: psql -1 -f dbkit.sql.
-- generate_id() and updated_at() come into the first schema of search_path, all else into
-- the schema dbkit.  Run again, it replaces what is there by this version.
--
-- No function looks anything up by the search_path of its caller: it has one of its own,
-- or a body that was parsed here, or names each schema.  Nor does one read its own text, or
-- what PostgreSQL says of expressions, by the caller's standard_conforming_strings and
-- quote_all_identifiers: where they count, it sets them.

-- The end of the script sets it back.
DO LANGUAGE plpgsql $$
BEGIN
	PERFORM pg_catalog.set_config('dbkit_portable.conforming_strings', pg_catalog.current_setting('standard_conforming_strings'), true),
		pg_catalog.set_config('standard_conforming_strings', 'on', true);
END $$;

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
	tick pg_catalog.int8 := pg_catalog.set_config('dbkit_portable.last_tick', dbkit.next_tick()::pg_catalog.text, false);
	high pg_catalog.int8 := dbkit.uuid_high(tick);
	low pg_catalog.int8 := dbkit.uuid_low();$$ ELSE $$
	uuid pg_catalog.bytea := pg_catalog.uuid_send(pg_catalog.uuidv7());
	high pg_catalog.int8 := pg_catalog.int8(pg_catalog.substr(uuid, 1, 8));
	low pg_catalog.int8 := pg_catalog.int8(pg_catalog.substr(uuid, 9));$$ END, $$
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

DO LANGUAGE plpgsql $$
BEGIN
	IF pg_catalog.to_regnamespace('dbkit') IS NULL THEN
		CREATE SCHEMA dbkit;
	END IF;
END $$;
COMMENT ON SCHEMA dbkit IS 'dbkit: schema conventions, ids, tenant context, enum tables, named locks; the edition without C';
GRANT USAGE ON SCHEMA dbkit TO PUBLIC;

-- From here on names are PostgreSQL's own; the end of the script sets it back.
DO LANGUAGE plpgsql $$
BEGIN
	PERFORM pg_catalog.set_config('dbkit_portable.search_path', pg_catalog.current_setting('search_path'), true);
	EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION dbkit.installed_schema() RETURNS pg_catalog.regnamespace
		LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %L::pg_catalog.regnamespace',
		pg_catalog.quote_ident(pg_catalog.current_schema()));
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
END $$;
DO LANGUAGE plpgsql $$
BEGIN
	IF pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.<>) 'pg_catalog, pg_temp' THEN
		RAISE EXCEPTION USING ERRCODE = 'no_active_sql_transaction', MESSAGE = 'this script has to run in one transaction',
			HINT = 'Use psql -1, or BEGIN before it and COMMIT after it.';
	END IF;
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

-- Ten bits are two digits, at twice their value in a text of all pairs.  PostgreSQL puts the
-- bodies of these functions in place of their calls, so that an id takes one expression.
DO LANGUAGE plpgsql $$
BEGIN
	EXECUTE format('CREATE OR REPLACE FUNCTION dbkit.two_digits(bits bigint) RETURNS bytea
		LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
		RETURN substring(%L::bytea, (bits & 1023)::integer * 2 + 1, 2)',
		(SELECT string_agg(a.digit || b.digit, '' ORDER BY a.value, b.value)
		FROM string_to_table('0123456789abcdefghjkmnpqrstvwxyz', NULL) WITH ORDINALITY AS a (digit, value),
			string_to_table('0123456789abcdefghjkmnpqrstvwxyz', NULL) WITH ORDINALITY AS b (digit, value)));
END $$;
COMMENT ON FUNCTION dbkit.two_digits(bigint) IS
'the last ten bits in Crockford''s base32';

CREATE OR REPLACE FUNCTION dbkit.uuid_suffix(high bigint, low bigint) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN encode(dbkit.two_digits(high >> 56 & 255) || dbkit.two_digits(high >> 46) || dbkit.two_digits(high >> 36)
		|| dbkit.two_digits(high >> 26) || dbkit.two_digits(high >> 16) || dbkit.two_digits(high >> 6)
		|| dbkit.two_digits((high << 4) | (low >> 60 & 15))
		|| dbkit.two_digits(low >> 50) || dbkit.two_digits(low >> 40) || dbkit.two_digits(low >> 30)
		|| dbkit.two_digits(low >> 20) || dbkit.two_digits(low >> 10) || dbkit.two_digits(low), 'escape');
COMMENT ON FUNCTION dbkit.uuid_suffix(bigint, bigint) IS
'the 26 characters of Crockford''s base32 that spell a UUID, given in two halves';

CREATE OR REPLACE FUNCTION dbkit.gather(bytes bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (bytes >> 56 & 31 << 35) | (bytes >> 48 & 31 << 30) | (bytes >> 40 & 31 << 25) | (bytes >> 32 & 31 << 20)
		| (bytes >> 24 & 31 << 15) | (bytes >> 16 & 31 << 10) | (bytes >> 8 & 31 << 5) | (bytes & 31);
COMMENT ON FUNCTION dbkit.gather(bigint) IS
'the last five bits of eight bytes';

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

-- Not STRICT: then PostgreSQL would not put its body in place of the call, because of the AND.
CREATE OR REPLACE FUNCTION dbkit.is_prefix(prefix text) RETURNS boolean
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
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

-- Who may what is read from the access lists; aclexplode() calls TEMPORARY, SET and their like as GRANT does.
CREATE OR REPLACE FUNCTION dbkit.confine_sql(role name) RETURNS SETOF text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	confined pg_roles%ROWTYPE;
	named text := quote_ident(confine_sql.role);
	on_tables constant text[] := '{TRUNCATE,REFERENCES,TRIGGER,MAINTAIN}';
BEGIN
	IF confine_sql.role IS NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = 'the role cannot be NULL';
	END IF;
	SELECT * INTO confined FROM pg_roles r WHERE r.rolname = confine_sql.role;
	IF NOT FOUND THEN
		RAISE undefined_object USING MESSAGE = format('role "%s" does not exist', confine_sql.role);
	END IF;
	RETURN QUERY
	WITH others AS MATERIALIZED (
		SELECT oid, quote_ident(rolname) AS name FROM pg_roles WHERE oid <> confined.oid AND NOT rolsuper AND oid >= 16384),
	unbound AS MATERIALIZED (
		SELECT r.oid FROM pg_roles r
		WHERE r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT FROM (SELECT DISTINCT relowner FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity) AS o WHERE pg_has_role(r.oid, o.relowner, 'USAGE'))),
	-- functions that PostgreSQL or an extension came with and did not leave to PUBLIC
	withheld AS MATERIALIZED (
		SELECT i.objoid FROM pg_init_privs i
		WHERE i.classoid = 'pg_proc'::regclass AND NOT EXISTS (SELECT FROM aclexplode(i.initprivs) e WHERE e.grantee = 0)),
	ways (place, keyword, identity, col, owner, privileges, acl, door) AS MATERIALIZED (
		SELECT 1, 'DATABASE', quote_ident(datname), '', datdba, '{CREATE,TEMPORARY}'::text[], coalesce(datacl, acldefault('d', datdba)), false FROM pg_database WHERE datname = current_database()
		UNION ALL
		SELECT 2, 'SCHEMA', quote_ident(nspname), '', nspowner, '{CREATE}', coalesce(nspacl, acldefault('n', nspowner)), false FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
		UNION ALL
		SELECT 3, 'TABLE', format('%I.%I', n.nspname, c.relname), '', c.relowner, on_tables, c.relacl, false
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
		UNION ALL
		SELECT 9, 'TABLE', format('%I.%I', n.nspname, c.relname), format(' (%I)', a.attname), c.relowner, '{REFERENCES}', a.attacl, false
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
		UNION ALL
		SELECT 4, 'ROUTINE', (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity, '', p.proowner, '{EXECUTE}', coalesce(p.proacl, acldefault('f', p.proowner)),
			-- one that somebody made for those whom he grants it to
			NOT x.for_no_tenant AND EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE starts_with(setting, 'search_path='))
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
		LATERAL (SELECT n.nspname = 'pg_catalog' AND p.proname IN ('lo_creat', 'lo_create', 'lo_export', 'lo_from_bytea', 'lo_get', 'lo_import', 'lo_open', 'lo_put', 'lo_unlink')
			OR p.oid IN (SELECT w.objoid FROM withheld w)
			OR EXISTS (SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
				AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND x.extname IN ('dblink', 'pg_background', 'pg_cron'))) AS x (for_no_tenant)
		WHERE x.for_no_tenant OR p.prosecdef AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND p.proowner IN (SELECT u.oid FROM unbound u)
		UNION ALL
		SELECT 5, 'LANGUAGE', quote_ident(lanname), '', lanowner, '{USAGE}', coalesce(lanacl, acldefault('l', lanowner)), false FROM pg_language WHERE lanispl AND lanpltrusted AND lanname <> 'plpgsql'
		UNION ALL
		SELECT 6, 'FOREIGN DATA WRAPPER', quote_ident(fdwname), '', fdwowner, '{USAGE}', fdwacl, false FROM pg_foreign_data_wrapper
		UNION ALL
		SELECT 7, 'FOREIGN SERVER', quote_ident(srvname), '', srvowner, '{USAGE}', srvacl, false FROM pg_foreign_server
		UNION ALL
		SELECT 8, 'PARAMETER', quote_ident(parname), '', 10, '{SET,"ALTER SYSTEM"}', paracl, false FROM pg_parameter_acl),
	entries AS MATERIALIZED (
		SELECT w.place, w.keyword, w.identity, w.col, w.owner, w.door, e.grantor, e.grantee, e.privilege_type AS privilege, array_position(w.privileges, e.privilege_type) AS rank
		FROM ways w, aclexplode(w.acl) e WHERE e.privilege_type = ANY (w.privileges) AND w.owner <> confined.oid),
	-- what the others have through PUBLIC alone
	losses AS MATERIALIZED (
		SELECT p.place, p.keyword, p.identity, p.col, o.name, string_agg(p.privilege || p.col, ', ' ORDER BY p.rank) AS privileges
		FROM (SELECT DISTINCT place, keyword, identity, col, privilege, rank FROM entries WHERE grantee = 0) AS p CROSS JOIN others o
		WHERE NOT EXISTS (SELECT FROM entries e WHERE (e.place, e.identity, e.col, e.privilege) = (p.place, p.identity, p.col, p.privilege)
			AND e.grantee <> 0 AND pg_has_role(o.oid, e.grantee, 'USAGE'))
		GROUP BY 1, 2, 3, 4, 5),
	revoked AS MATERIALIZED (
		SELECT e.place, e.owner, e.grantor, format('REVOKE %s ON %s %s FROM %s%s;', string_agg(e.privilege || e.col, ', ' ORDER BY e.rank), e.keyword, e.identity,
			CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE named END,
			CASE WHEN e.grantee <> 0 AND EXISTS (SELECT FROM entries g WHERE (g.place, g.identity, g.col) = (e.place, e.identity, e.col) AND g.grantor = confined.oid
				AND g.privilege = ANY (array_agg(e.privilege))) THEN ' CASCADE' ELSE '' END) AS statement
		FROM entries e WHERE e.grantee = 0 OR e.grantee = confined.oid AND NOT e.door GROUP BY e.place, e.keyword, e.identity, e.col, e.owner, e.grantor, e.grantee)
	SELECT s.statement
	FROM (
		SELECT 1, 0, format('ALTER ROLE %s%s;', named, a.attributes)
		FROM (SELECT concat(CASE WHEN confined.rolsuper THEN ' NOSUPERUSER' END, CASE WHEN confined.rolbypassrls THEN ' NOBYPASSRLS' END,
			CASE WHEN confined.rolcreaterole THEN ' NOCREATEROLE' END, CASE WHEN confined.rolreplication THEN ' NOREPLICATION' END)) AS a (attributes) WHERE a.attributes <> ''
		UNION ALL
		SELECT 2, 0, concat('REVOKE ', quote_ident(r.rolname), ' FROM ', named, ' GRANTED BY ' || quote_ident(g.rolname), CASE WHEN m.admin_option THEN ' CASCADE' END, ';')
		FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid LEFT JOIN pg_roles g ON g.oid = m.grantor AND g.oid <> 10 WHERE m.member = confined.oid
		UNION ALL
		SELECT 3, l.place, format('GRANT %s ON %s %s TO %s;', l.privileges, l.keyword, l.identity, string_agg(l.name, ', ' ORDER BY l.name COLLATE "C"))
		FROM losses l GROUP BY l.place, l.keyword, l.identity, l.privileges
		UNION ALL
		SELECT 4, r.place, CASE r.grantor WHEN r.owner THEN r.statement ELSE format('SELECT dbkit.run_as(%L, %L);', pg_get_userbyid(r.grantor), r.statement) END FROM revoked r
		UNION ALL
		SELECT 5, 0, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE %s ON %s FROM %s;', pg_get_userbyid(d.defaclrole), ' IN SCHEMA ' || quote_ident(n.nspname),
			string_agg(e.privilege_type, ', ' ORDER BY array_position(k.privileges, e.privilege_type)), k.keyword, CASE e.grantee WHEN 0 THEN 'PUBLIC' ELSE named END)
		FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
		JOIN (VALUES ('r', 'TABLES', on_tables), ('n', 'SCHEMAS', '{CREATE}')) AS k (type, keyword, privileges) ON k.type = d.defaclobjtype,
		aclexplode(d.defaclacl) e
		WHERE e.grantee IN (0, confined.oid) AND d.defaclrole <> confined.oid AND e.privilege_type = ANY (k.privileges)
		GROUP BY d.oid, d.defaclrole, n.nspname, k.keyword, e.grantee
		UNION ALL
		SELECT 6, 0, format('-- %s owns %s %s: give it to another role with ALTER ... OWNER TO, after a look at the code in it, such as triggers, rules and defaults',
			translate(named, E'\n\r', '  '), i.type, translate(i.identity, E'\n\r', '  '))
		FROM pg_shdepend d, pg_identify_object(d.classid, d.objid, d.objsubid) i
		WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = confined.oid AND d.deptype = 'o' AND d.classid <> 'pg_largeobject'::regclass
			AND (d.dbid <> 0 AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
				OR d.classid = 'pg_database'::regclass AND d.objid = (SELECT oid FROM pg_database WHERE datname = current_database()))
		) AS s (part, place, statement)
	ORDER BY s.part, s.place, s.statement COLLATE "C";
END $$;
COMMENT ON FUNCTION dbkit.confine_sql(name) IS
'The statements that take from a role, and from PUBLIC, what would let it out of its tenant, for \gexec after a look: attributes such as BYPASSRLS, membership in other roles, privileges to create objects, to TRUNCATE, REFERENCE, MAINTAIN and put triggers on tables, functions that reach past row level security, and such privileges on what will be made. Before that, those who have it only through PUBLIC are granted it. No rows for a role that is confined; what it owns is named in a comment. Errors: null_value_not_allowed, undefined_object';

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
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
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
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	RETURN dbkit.take_lock(name, timeout, false);
COMMENT ON FUNCTION dbkit.lock(text, interval) IS
'Waits for a named lock and holds it until the end of the transaction. After timeout (instead of lock_timeout; 0: at once) the error lock_not_available names the holder.';

CREATE OR REPLACE FUNCTION dbkit.lock_shared(name text, timeout interval DEFAULT NULL) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
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
	SET standard_conforming_strings = on
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
	name text := CASE WHEN right(base, 5) = '_enum' AND base <> '_enum' THEN base ELSE base || '_enum' END;
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
	IF enum_values IS NULL OR EXISTS (SELECT FROM unnest(enum_values) AS value WHERE value IS NULL) THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = CASE WHEN enum_values IS NULL THEN 'enum_values must not be null' ELSE 'a value of an enum must not be null' END;
	ELSIF cardinality(parts) > 3 OR cardinality(parts) = 3 AND parts[1] <> current_database() THEN
		RAISE EXCEPTION USING ERRCODE = 'syntax_error', MESSAGE = format('improper qualified name (too many dotted names): %s', array_to_string(parts, '.'));
	ELSIF cardinality(parts) = 1 AND schema IS NULL THEN
		RAISE invalid_schema_name USING MESSAGE = 'no schema has been selected to create in';
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
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
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

-- the ledger ----------------------------------------------------------------------

DO LANGUAGE plpgsql $$
BEGIN
	IF to_regclass('dbkit.schema_version') IS NULL THEN
		CREATE TABLE dbkit.schema_version (
			version bigint PRIMARY KEY,
			applied_at timestamptz NOT NULL,
			name text,
			checksum text NOT NULL,
			applied_by text NOT NULL,
			duration interval NOT NULL,
			undo text
		);
	END IF;
	-- Under pg_tle it is a member of an extension, and no dump would have its rows.
	BEGIN
		PERFORM pg_extension_config_dump('dbkit.schema_version', '');
	EXCEPTION WHEN feature_not_supported THEN
		NULL;
	END;
END $$;
GRANT SELECT ON dbkit.schema_version TO PUBLIC;
COMMENT ON TABLE dbkit.schema_version IS
'The versions of the schema that dbkit.apply() has run, one row for each; part of every dump that has data';

CREATE OR REPLACE FUNCTION dbkit.version_checksum(statements text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN encode(sha256(convert_to(rtrim(replace(statements, E'\r\n', E'\n'), E' \t\r\n') || E'\n', 'UTF8')), 'hex');
COMMENT ON FUNCTION dbkit.version_checksum(text) IS
'the SHA-256 of the statements, with lines that end as on Unix and one newline at the end, as sha256sum gives it';

-- A transaction that sees the database as it was could not see what another has applied meanwhile.
CREATE OR REPLACE FUNCTION dbkit.begin_version(version bigint, function text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
BEGIN
	IF version OPERATOR(pg_catalog.<) 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = pg_catalog.format('version %s cannot be', version),
			DETAIL = 'The first version is 1.';
	ELSIF pg_catalog.current_setting('transaction_isolation') OPERATOR(pg_catalog.<>) 'read committed' THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = pg_catalog.format('%s needs the isolation level READ COMMITTED', function);
	END IF;
	PERFORM dbkit.lock('dbkit.schema_version');
END $$;
COMMENT ON FUNCTION dbkit.begin_version(bigint, text) IS 'refuses what is no version, and has other runners wait';

-- The statements are looked up by the search_path of the caller.
CREATE OR REPLACE FUNCTION dbkit.apply(version bigint, statements text, name text DEFAULT NULL, undo text DEFAULT NULL) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	sum pg_catalog.text := dbkit.version_checksum(statements);
	author pg_catalog.text := CURRENT_USER;
	same pg_catalog.text;
	newest pg_catalog.int8;
	begun pg_catalog.timestamptz;
BEGIN
	IF version IS NULL OR statements IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the version and its statements cannot be NULL';
	END IF;
	PERFORM dbkit.begin_version(version, 'dbkit.apply()');
	SELECT v.checksum INTO same FROM dbkit.schema_version v WHERE v.version OPERATOR(pg_catalog.=) apply.version;
	IF same OPERATOR(pg_catalog.<>) sum THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = pg_catalog.format('version %s was applied with other statements', version),
			DETAIL = pg_catalog.format('Their checksum is %s, that of these is %s.', same, sum),
			HINT = 'A version that is applied does not change. Write another version.';
	ELSIF same IS NOT NULL THEN
		RETURN false;
	END IF;
	SELECT COALESCE(pg_catalog.max(v.version), 0) INTO newest FROM dbkit.schema_version v;
	IF version OPERATOR(pg_catalog.<>) (newest OPERATOR(pg_catalog.+) 1) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = CASE WHEN version OPERATOR(pg_catalog.<=) newest THEN pg_catalog.format('version %s cannot be applied after version %s', version, newest)
				ELSE pg_catalog.format('version %s cannot be applied before version %s', version, newest OPERATOR(pg_catalog.+) 1) END,
			DETAIL = CASE WHEN newest OPERATOR(pg_catalog.=) 0 THEN 'No version is applied yet.' ELSE pg_catalog.format('The newest version is %s.', newest) END,
			HINT = 'Versions are applied one after the other, without a gap.';
	END IF;
	begun := pg_catalog.clock_timestamp();
	EXECUTE statements;
	INSERT INTO dbkit.schema_version (version, applied_at, name, checksum, applied_by, duration, undo)
	VALUES (apply.version, pg_catalog.now(), apply.name, sum, author, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) begun, apply.undo);
	RETURN true;
END $$;
COMMENT ON FUNCTION dbkit.apply(bigint, text, text, text) IS
'Runs the statements of the next version of the schema in this transaction, as the caller, and notes it in dbkit.schema_version with the statements that undo it; false, and nothing happens, if it was applied with these statements before. For roles that may write that table.';

CREATE OR REPLACE FUNCTION dbkit.revert(version bigint) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE AS $$
DECLARE
	reverted dbkit.schema_version;
	newest pg_catalog.int8;
BEGIN
	PERFORM dbkit.begin_version(version, 'dbkit.revert()');
	SELECT v.* INTO reverted FROM dbkit.schema_version v WHERE v.version OPERATOR(pg_catalog.=) revert.version;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	SELECT pg_catalog.max(v.version) INTO newest FROM dbkit.schema_version v;
	IF newest OPERATOR(pg_catalog.<>) version THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = pg_catalog.format('version %s cannot be reverted before version %s', version, newest), HINT = 'Versions are reverted from the newest on.';
	ELSIF reverted.undo IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = pg_catalog.format('version %s has no undo', version),
			HINT = 'Write another version that changes back what it did.';
	-- its RESET ROLE would go back to the session's
	ELSIF reverted.applied_by OPERATOR(pg_catalog.<>) CURRENT_USER::pg_catalog.text OR reverted.applied_by OPERATOR(pg_catalog.<>) SESSION_USER::pg_catalog.text THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = pg_catalog.format('version %s was applied by role "%s"', version, reverted.applied_by),
			DETAIL = 'Its undo would run with the rights of this session.', HINT = 'Log in as that role and revert it.';
	END IF;
	EXECUTE reverted.undo;
	DELETE FROM dbkit.schema_version v WHERE v.version OPERATOR(pg_catalog.=) revert.version;
	RETURN true;
END $$;
COMMENT ON FUNCTION dbkit.revert(bigint) IS
'Runs what undoes the newest version of the schema, as the role that applied it, and takes it out of dbkit.schema_version; false, and nothing happens, if that version is not applied.';

-- conventions -------------------------------------------------------------------

-- Nothing is refused here: there are no event triggers.  What is agreed on, exempt or in the
-- baseline is kept as the C edition keeps it, so that a dump of either loads into the other,
-- and dbkit.check() looks at all there is.  It reads the text of expressions and runs none.

CREATE OR REPLACE FUNCTION dbkit.all_rules(
	OUT number integer, OUT id text, OUT phase text, OUT level text, OUT fixable boolean, OUT description text, OUT why text)
RETURNS SETOF record
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
VALUES
	(1, 'primary_key', 'statement', 'error', false, 'primary key on exactly id, of the type that ids have (on a partitioned table: one that includes id)',
		'Code that finds a row by its key is written once if every table has the same key: one column, `id`, of one type. Otherwise the audit log, the admin pages and the API each keep a list of exceptions.'),
	(2, 'id_default', 'statement', 'error', true, 'id has DEFAULT generate_id(''...'') with a constant prefix',
		'If the database makes the ids, no client can forget to, and all clients make the same kind. The prefix says what an id is of, wherever it turns up: `ord_01h2xcejqtf2nbrexx3vqjhp41` cannot be taken for a user.'),
	(3, 'id_check', 'statement', 'error', true, 'a CHECK pins the prefix of id, the same as the default''s',
		'A default helps only where nobody gives an id. With a CHECK on the prefix, an order''s id in the place of a customer''s is an error at once, and not a join that gives no rows.'),
	(4, 'id_prefix', 'statement', 'error', false, 'the prefix is 2 or 3 lower-case letters, and no other table in the database has it',
		'The prefix of an id tells which table it is of, in a log, in a URL or in a support ticket. If two tables share it, it tells nothing any more.'),
	(5, 'created_at', 'statement', 'error', true, 'a column created_at TIMESTAMPTZ NOT NULL DEFAULT now()',
		'"When did this begin?" is the first question about a row that looks wrong, and the answer cannot be found later if nobody kept it.'),
	(6, 'updated_at', 'statement', 'error', true, 'a column updated_at TIMESTAMPTZ NOT NULL DEFAULT now()',
		'Caches, exports and search indexes all ask what has changed since yesterday. With a column that is in every table and always right, they ask it in one way.'),
	(7, 'storytime', 'statement', 'error', true, 'a column storytime JSONB',
		'`storytime` is one JSON column for notes about a row: which import made it, what support changed by hand and why. Every table has it, so that nobody has to add a column at three in the morning, and everybody knows where to look.'),
	(8, 'timestamptz', 'statement', 'error', true, 'no timestamp without time zone, also inside arrays, domains, ranges and composites',
		'`timestamp without time zone` is what a clock on some wall shows; it does not say which wall. Two servers with different settings write different values for the same moment, and in autumn one hour comes twice.'),
	(9, 'bigint', 'statement', 'error', true, 'no smallint or integer, also inside arrays, domains, ranges and composites, serial types included',
		'An `integer` ends at 2,147,483,647, and a sequence that gets there ends all inserts. The way out is to rewrite the table, on the day on which it is largest.'),
	(10, 'text_id', 'statement', 'error', true, 'columns named *_id have the type of the key that they reference, or else that of ids',
		'A column that holds an id needs the type and collation of that id. Otherwise joins cast every row and use no index, and a comparison may find other rows to be equal.'),
	(11, 'enum_type', 'statement', 'error', false, 'no native enum: neither CREATE TYPE ... AS ENUM nor a column of one',
		'A value can be added to a native enum, but it cannot be taken away: that needs a new type and a change of all its columns. In an enum table a value is a row, which can be added, renamed and dropped while the application runs.'),
	(12, 'text_type', 'statement', 'off', true, 'no char(n) or varchar(n), also inside arrays, domains, ranges and composites',
		'The length in `varchar(20)` is a guess that somebody makes on the first day, and the first name that is longer breaks the application. A type is hard to change, as views and functions depend on it; `char(n)` also pads what you store with blanks.'),
	(13, 'jsonb_type', 'statement', 'off', true, 'no json, also inside arrays, domains and composites',
		'A `json` column keeps the text as it came, and parses it again for each query. It has no equality, so `DISTINCT`, `GROUP BY` and `UNION` fail on it, and no index finds what is in it.'),
	(14, 'money_type', 'statement', 'off', true, 'no money, also inside arrays, domains, ranges and composites',
		'What a `money` value means depends on the setting `lc_monetary`: the same row is shown as dollars in one session and as yen, a hundred times as much, in another. It knows one currency at a time, and no fractions of a cent.'),
	(15, 'snake_case', 'statement', 'off', false, 'names of tables and columns need no quotes and are at most 63 bytes',
		'A name like `"orderDate"` has to be written in quotes in every query, by everybody, for good; without them PostgreSQL looks for `orderdate`. The same goes for a keyword, which is an error in one place and something else in another.'),
	(16, 'enum_table', 'statement', 'error', false, 'a table *_enum is value TEXT PRIMARY KEY, and other columns only beside it',
		'If all enum tables have one shape, then code that lists values and `dbkit.add_enum_value()` work for all of them. The value is its own key, so that a row that uses it can be read without a join.'),
	(17, 'view_security_invoker', 'statement', 'error', true, 'views have security_invoker = true',
		'A view reads its tables with its owner''s rights, unless it is told otherwise. So whoever may read the view sees the rows of everybody, however strict the policies of the tables are.'),
	(18, 'security_definer_path', 'statement', 'warning', true, 'a SECURITY DEFINER function sets a search_path that its caller cannot put objects into',
		'A SECURITY DEFINER function runs with its owner''s rights but looks names up along its caller''s `search_path`. So the caller can put a table or an operator of their own in front, which the function then uses with the owner''s rights.'),
	(19, 'function_search_path', 'statement', 'off', true, 'a function or procedure whose body is text sets a search_path',
		'A function whose body is text looks its names up when it runs, along the `search_path` of whoever calls it. It works in the application and fails in a trigger, an index, a restore or a logical replica, or finds another table of the same name.'),
	(20, 'column_comment', 'commit', 'off', false, 'every column has a comment',
		'A column''s name says what it holds to those who were there when it was made. A comment says it to the others: the unit, what NULL means, who writes it.'),
	(21, 'updated_at_trigger', 'commit', 'error', true, 'an enabled BEFORE UPDATE row trigger runs updated_at(), or a function that the agreement names',
		'A column `updated_at` that some clients forget to set is worse than none: caches and exports that go by it miss just these rows, and nobody notices. A trigger does not forget.'),
	(22, 'table_comment', 'commit', 'off', false, 'every table has a comment',
		'A sentence about what a row of the table is saves the next reader an hour with the code.'),
	(23, 'fk_index', 'commit', 'error', true, 'every foreign key is covered by a valid index whose leading columns are the key''s, in any order; partial only by WHERE column IS NOT NULL',
		'To delete a row, PostgreSQL looks for rows that reference it, and without an index it reads the whole referencing table for each of them. That is not seen with the hundred rows of a test, and takes minutes with a million.'),
	(24, 'fk_on_delete', 'commit', 'error', true, 'foreign keys to the user and organization tables are ON DELETE CASCADE or SET NULL',
		'When a customer leaves, their rows have to go, often by law, and a key without ON DELETE stops that at the first table. What is to happen is known when the table is made: CASCADE, or SET NULL.'),
	(25, 'fk_type', 'commit', 'warning', true, 'both ends of a foreign key are of one type and collation',
		'If the two ends of a foreign key differ in type or collation, each comparison between them converts one side: the join may use no index, and a key that fits into the one end does not fit into the other.'),
	(26, 'extid', 'commit', 'error', true, 'a column *_id is a foreign key or the primary key; an id from elsewhere is named *_extid',
		'A column `order_id` without a foreign key sooner or later holds ids of orders that are gone. An id that comes from another system cannot have a key, and then the name has to say so: `order_extid`.'),
	(27, 'organization_scope', 'commit', 'off', false, 'a column, such as organization_id, NOT NULL that references the organization table',
		'If every row says which organization it belongs to, a policy needs no join, and the data of one customer can be exported, deleted or moved table by table. The column is hard to add once there are rows.'),
	(28, 'tenant_key', 'commit', 'off', true, 'a foreign key between two tables that have the tenant column includes it on both sides',
		'Row level security does not hide rows from foreign keys. If a key between two tables of tenants does not include the tenant, a row can reference a row of another tenant, and an insert that succeeds tells that the other row exists.'),
	(29, 'constraint_validated', 'commit', 'off', true, 'no constraint is left NOT VALID',
		'A constraint that is NOT VALID holds for new rows only. If nobody comes back to validate it, everybody reads a promise that old rows do not keep, and the planner does not believe it.'),
	(30, 'duplicate_index', 'commit', 'warning', true, 'no index is the same as, or a prefix of, another',
		'Each index is written with each row, so one that another covers costs writes, memory and backups and makes no query faster.'),
	(31, 'invalid_index', 'commit', 'warning', true, 'no index is left invalid',
		'An index that is left INVALID is written with each row, and no query uses it. A failed `CREATE INDEX CONCURRENTLY` leaves one behind, and the next attempt with `IF NOT EXISTS` takes it for the index that was meant.'),
	(32, 'rls_enabled', 'commit', 'error', true, 'row level security is enabled',
		'A query that forgets `WHERE organization_id = $1` is written sooner or later. With row level security it shows a stranger nothing, and without it everybody''s rows.'),
	(33, 'rls_policy', 'commit', 'error', false, 'at least one permissive policy exists',
		'Row level security without a policy shows no rows to anybody but the owner, and the first one who notices switches it off. A policy says who sees what.'),
	(34, 'rls_forced', 'commit', 'off', true, 'row level security binds the table''s owner as well',
		'The owner of a table is not bound by its policies. If the application logs in as the owner, row level security does nothing at all, and every test passes; FORCE binds the owner too.'),
	(35, 'policy_with_check', 'commit', 'warning', false, 'no permissive policy lets any row be inserted',
		'A policy that lets any row be written lets one tenant write rows that carry another tenant''s id. That tenant then takes them for its own.'),
	(36, 'open_policy', 'commit', 'warning', false, 'no policy of a table with a tenant column is true for every row, always or while no tenant is set',
		'A policy that is true for every row shows the data of all tenants, and it takes one `OR true` that was left behind. Worse is a condition that lets everybody pass only while no tenant is set: no test sees that.'),
	(37, 'forgeable_policy', 'commit', 'warning', false, 'no policy reads a setting that any session can set',
		'A policy that reads `current_setting(''app.user_id'')` believes what the session has SET, so one injected `SET app.user_id = ...` shows the rows of another user.'),
	(38, 'partition_rls', 'commit', 'error', true, 'a partition or child that another role than its owner may use has the row level security of its parent',
		'Row level security does not descend to partitions and children. A query of the root goes by its policies, but a query of the partition by its own name goes by those of the partition, and without any it shows the rows of all tenants.'),
	(39, 'rls_view', 'commit', 'warning', false, 'no materialized view, and no view without security_invoker, that another role than its owner may read shows a table with row level security',
		'A materialized view holds what its owner saw when it was refreshed, and a view without `security_invoker` shows what its owner sees. So whoever may read one sees rows that the policies of the tables would hide.'),
	(40, 'customer_role_confined', 'commit', 'warning', true, 'the agreement''s customer_role has no rights that lead past row level security; dbkit.check() alone finds it',
		'Policies bind a role no more closely than its other rights: with BYPASSRLS, TRUNCATE, membership in another role or a trigger on somebody''s table it gets past them. Much of that PUBLIC may do by default, and REVOKE from the role alone takes none of it away.'),
	(41, 'table_rewrite', 'change', 'warning', false, 'nothing rewrites a table larger than dbkit.large_table_size while others wait',
		'Some changes write the whole table anew, and everybody waits until that is done, readers too. With a hundred rows nobody notices; with a hundred million the shop is shut.'),
	(42, 'blocking_index', 'change', 'warning', false, 'indexes of a table larger than dbkit.large_table_size are built and dropped CONCURRENTLY',
		'A plain CREATE INDEX keeps all writers waiting until the index is done, which takes minutes on a large table. `CREATE INDEX CONCURRENTLY` lets them go on.'),
	(43, 'blocking_validation', 'change', 'warning', false, 'constraints of a table larger than dbkit.large_table_size are added NOT VALID and validated later',
		'A new constraint has PostgreSQL read the whole table, and others wait until it has. Added NOT VALID and validated in a second transaction, it reads as much, and nobody waits.'),
	(44, 'breaking_change', 'change', 'off', false, 'nothing that a running application may use is renamed, dropped or given another type',
		'While a migration runs, and until the new version of the application is everywhere, the old one is still at work. It fails at once if a table, view or column that it uses has gone, or has another name.'),
	(45, 'lock_timeout', 'change', 'warning', false, 'lock_timeout is set where a statement locks a table larger than dbkit.large_table_size against readers or writers; commands without event triggers are judged only where dbkit is preloaded',
		'A statement that waits for a lock stands in a queue, and whoever comes later and needs the table stands behind it: an ALTER TABLE that waits for one long report stops the application for as long. With `lock_timeout` the statement gives up, the others go on, and you try again.'),
	(46, 'lock_held', 'change', 'warning', false, 'no lock that blocks readers or writers of a table larger than dbkit.large_table_size is held longer than dbkit.max_lock_time until COMMIT; commands without event triggers are judged only where dbkit is preloaded',
		'Most kinds of ALTER TABLE lock all others out of the table, not for as long as they take, but until COMMIT. What the transaction does after them, such as an UPDATE of all rows, is time in which the application stands still.')
$$;
COMMENT ON FUNCTION dbkit.all_rules() IS
'the schema conventions with the levels that they have by themselves, in the order in which they judge';

-- Objects are merged, all else is replaced, and null removes (RFC 7396, JSON Merge Patch).
CREATE OR REPLACE FUNCTION dbkit.merge_json(target jsonb, patch jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_object_agg(key, CASE
				WHEN jsonb_typeof(p.value) = 'object'
					THEN dbkit.merge_json(CASE jsonb_typeof(t.value) WHEN 'object' THEN t.value END, p.value)
				ELSE coalesce(p.value, t.value) END), '{}')
		FROM jsonb_each(coalesce(target, '{}')) t FULL JOIN jsonb_each(patch) p USING (key)
		WHERE p.value IS DISTINCT FROM 'null');
END $$;
COMMENT ON FUNCTION dbkit.merge_json(jsonb, jsonb) IS 'the object with the changes of a JSON Merge Patch';

-- What most teams do that have tables already is "no taste": every rule that is about one
-- house's taste is off.  An ORM sets times and ON DELETE instead of the database.
CREATE OR REPLACE FUNCTION dbkit.preset(name text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
WITH parts (no_taste, orm) AS (VALUES (
		'{"storytime": "off", "extid": "off", "enum_type": "off", "enum_table": "off", "rls_enabled": "off", "rls_policy": "off"}'::jsonb,
		'{"bigint": "off", "created_at": "off", "updated_at": "off", "updated_at_trigger": "off", "fk_on_delete": "off", "view_security_invoker": "warning"}'::jsonb))
SELECT preset.value FROM parts, LATERAL (VALUES
	('house', '{"reserve_settings": true}'::jsonb),
	('uuid', '{"id_style": "uuid", "composite_keys": true, "rules": {"storytime": "off"}}'),
	('bigint', '{"id_style": "bigint", "composite_keys": true, "rules": {"storytime": "off"}}'),
	('rails', jsonb_build_object('id_style', 'bigint', 'composite_keys', true,
		'rules', no_taste || orm || '{"timestamptz": "off", "text_id": "warning"}')),
	('django', jsonb_build_object('id_style', 'bigint', 'composite_keys', true, 'user_tables', '["auth_user"]'::jsonb,
		'rules', no_taste || orm || '{"primary_key": "warning", "text_id": "warning"}')),
	('minimal', '{"id_style": "any", "composite_keys": true,
		"rules": {"*": "off", "primary_key": "error", "timestamptz": "error", "fk_index": "error", "invalid_index": "warning"}}'),
	('none', '{"rules": {"*": "off"}}')) AS preset (name, value)
WHERE preset.name = $1
$$;
COMMENT ON FUNCTION dbkit.preset(text) IS 'what a preset differs in from the defaults of the agreement, or NULL';

-- The default of each key, and what it has to be
CREATE OR REPLACE FUNCTION dbkit.agreement_keys(OUT number integer, OUT key text, OUT value jsonb, OUT expected text)
RETURNS SETOF record
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 19 SET search_path = pg_catalog, pg_temp AS $$
SELECT number::integer, key, value::jsonb, expected
FROM (VALUES
	('a list of names', 'a list of names like users or "user".users, quoted as in SQL', 'the name of a role or null')) AS kind (names, objects, role),
LATERAL (VALUES
	(1, 'preset', '"house"', 'house, uuid, bigint, rails, django, minimal or none'),
	(2, 'id_style', '"prefixed"', 'prefixed, uuid, bigint or any'),
	(3, 'composite_keys', 'false', 'true or false'),
	(4, 'created_at_columns', '["created_at"]', names),
	(5, 'updated_at_columns', '["updated_at"]', names),
	(6, 'updated_at_functions', '[]', objects),
	(7, 'id_suffixes', '["_id"]', names),
	(8, 'extid_suffixes', '["_extid"]', names),
	(9, 'user_tables', '["users"]', objects),
	(10, 'organization_tables', '["organizations"]', objects),
	(11, 'user_columns', '["user_id"]', names),
	(12, 'organization_columns', '["organization_id"]', names),
	(13, 'customer_role', '"customer"', role),
	(14, 'admin_role', 'null', role),
	(15, 'reserve_settings', 'false', 'true or false'),
	(16, 'rules', '{}', 'an object'),
	(17, 'own_rules', '{}', 'an object'),
	(18, 'schemas', '{}', 'an object'),
	(19, 'exemptions', '[]', 'an array'),
	(20, 'baseline', '{}', 'an object')) AS keys (number, key, value, expected)
$$;
COMMENT ON FUNCTION dbkit.agreement_keys() IS 'the keys of the agreement with their defaults';

CREATE OR REPLACE FUNCTION dbkit.can_agree(key text, expected text, value jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT CASE
	WHEN key = 'preset' THEN jsonb_typeof(value) = 'string' AND dbkit.preset(value #>> '{}') IS NOT NULL
	WHEN key = 'id_style' THEN value IN ('"prefixed"', '"uuid"', '"bigint"', '"any"')
	WHEN expected = 'true or false' THEN jsonb_typeof(value) = 'boolean'
	WHEN expected LIKE 'the name%' THEN jsonb_typeof(value) IN ('null', 'string') AND value <> '""'
	WHEN expected LIKE 'an %' THEN expected = 'an ' || jsonb_typeof(value)
	WHEN jsonb_typeof(value) <> 'array' THEN false
	ELSE NOT EXISTS (SELECT FROM jsonb_array_elements(value) AS name
		WHERE jsonb_typeof(name) <> 'string' OR name = '""'
			-- A function is named without its arguments
			OR expected LIKE '%quoted%' AND (name #>> '{}' ~ '^[^"]*\([^"]*$'
				OR name #>> '{}' !~ '^\s*("([^"]|"")+"|[^".\s]+)\s*(\.\s*("([^"]|"")+"|[^".\s]+)\s*)?$'))
	END
$$;
COMMENT ON FUNCTION dbkit.can_agree(text, text, jsonb) IS 'whether a key of the agreement can have that value';

-- Names are read as SQL reads them; one without a schema means that name in any.
CREATE OR REPLACE FUNCTION dbkit.listed_names(names jsonb, OUT number bigint, OUT schema text, OUT name text)
RETURNS SETOF record
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 2 SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT listed.number, CASE WHEN cardinality(part.names) = 2 THEN part.names[1] END, part.names[cardinality(part.names)]
FROM jsonb_array_elements_text(names) WITH ORDINALITY AS listed (text, number),
LATERAL (
	SELECT array_agg(CASE WHEN match[2] IS NULL THEN replace(match[1], '""', '"') ELSE lower(match[2]) END)
	FROM regexp_matches(listed.text, '"((?:[^"]|"")+)"|([^".\s]+)', 'g') AS match) AS part (names)
$$;
COMMENT ON FUNCTION dbkit.listed_names(jsonb) IS 'the tables or functions that a key of the agreement lists';

-- The function is not run: somebody may have put another in its place.
CREATE OR REPLACE FUNCTION dbkit.own_agreement(OUT agreement jsonb, OUT untrusted text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
DECLARE
	body text;
	literal text;
	is_escaped boolean;
BEGIN
	SELECT btrim(p.prosrc, E' \t\r\n;'), CASE
		WHEN l.lanname <> 'sql' THEN 'it is not an SQL function'
		WHEN NOT r.rolsuper AND p.proowner <> d.datdba THEN 'its owner is not a superuser and does not own the database'
		END
	INTO body, untrusted
	FROM pg_proc p
	JOIN pg_language l ON l.oid = p.prolang
	JOIN pg_roles r ON r.oid = p.proowner
	JOIN pg_database d ON d.datname = current_database()
	WHERE p.pronamespace = dbkit.installed_schema() AND p.proname = 'dbkit_agreement' AND p.pronargs = 0;
	IF untrusted IS NOT NULL OR body IS NULL THEN
		RETURN;
	END IF;

	untrusted := 'its body is not SELECT ''{...}''::jsonb';
	is_escaped := body ~* '^select\s+e''';
	literal := regexp_replace(regexp_replace(body, '^select\s+e?''', '', 'i'), '''\s*::\s*(pg_catalog\.)?jsonb$', '', 'i');
	IF body !~* '^select\s+e?''.*''\s*::\s*(pg_catalog\.)?jsonb$' OR strpos(replace(literal, '''''', ''), '''') > 0
		OR is_escaped AND strpos(replace(literal, '\\', ''), '\') > 0 THEN
		RETURN;
	END IF;
	literal := replace(literal, '''''', '''');
	IF is_escaped THEN
		literal := replace(literal, '\\', '\');
	END IF;
	BEGIN
		agreement := literal;
		IF jsonb_typeof(agreement) <> 'object' THEN
			agreement := NULL;
		END IF;
	EXCEPTION WHEN data_exception OR statement_too_complex THEN
	END;
	untrusted := CASE WHEN agreement IS NULL THEN untrusted END;
END $$;
COMMENT ON FUNCTION dbkit.own_agreement() IS
'what the function dbkit_agreement() says, NULL without one, and why it is not used';

-- A value that its key cannot have, which only somebody can have written by hand, gives way to the default.
CREATE OR REPLACE FUNCTION dbkit.agreement_values(own jsonb, OUT number integer, OUT key text, OUT value jsonb, OUT problem text)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 19 SET search_path = pg_catalog, pg_temp AS $$
SELECT k.number, k.key, CASE WHEN usable THEN agreed ELSE by_default END,
	CASE WHEN NOT usable THEN format('The key "%s" has to be %s.', k.key, k.expected) END
FROM (SELECT coalesce(dbkit.preset(own ->> 'preset'), dbkit.preset('house')) AS preset) AS p,
	dbkit.agreement_keys() k,
	LATERAL (SELECT coalesce(preset -> k.key, k.value)) AS d (by_default),
	LATERAL (SELECT coalesce(own -> k.key, by_default)) AS a (agreed),
	LATERAL (SELECT dbkit.can_agree(k.key, k.expected, agreed)) AS u (usable)
$$;
COMMENT ON FUNCTION dbkit.agreement_values(jsonb) IS 'what holds under each key of an agreement, and what is wrong with it';

CREATE OR REPLACE FUNCTION dbkit.object_kinds() RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN '{table,enum table,view,enum type,function,partition,materialized view}'::text[];
COMMENT ON FUNCTION dbkit.object_kinds() IS 'the kinds of objects that a rule of the team can be about';

-- The name is read as SQL reads it.
CREATE OR REPLACE FUNCTION dbkit.team_function(judge text) RETURNS regprocedure
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT p.oid::regprocedure
FROM dbkit.listed_names(to_jsonb(ARRAY[left(judge, -5)])) l
JOIN pg_namespace n ON n.nspname = l.schema
JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = l.name AND p.pronargs = 1 AND p.proargtypes[0] = 'oid'::regtype
WHERE judge LIKE '%(oid)'
$$;
COMMENT ON FUNCTION dbkit.team_function(text) IS 'the function that is meant by schema.name(oid), or NULL';

-- Whoever calls dbkit.check() runs it, so it has to be of somebody whom all trust here.
CREATE OR REPLACE FUNCTION dbkit.team_function_trouble(function regprocedure, OUT code text, OUT trouble text)
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT t.code, t.trouble
FROM (SELECT 1) AS once LEFT JOIN (
	SELECT p.*, l.lanname, r.rolsuper OR p.proowner = d.datdba AS trusted
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN pg_roles r ON r.oid = p.proowner JOIN pg_database d ON d.datname = current_database()
	WHERE p.oid = function) AS p ON true,
LATERAL (VALUES
	(1, '42883', 'it does not exist', p.oid IS NULL),
	(2, '42809', 'it is not a plain function', p.prokind <> 'f'),
	(3, '42P13', 'its language is neither sql nor plpgsql', p.lanname NOT IN ('sql', 'plpgsql')),
	(4, '42P13', 'it is VOLATILE, and has to be STABLE', p.provolatile = 'v'),
	(5, '42P13', 'it is not of the form function(object oid) RETURNS TABLE (column_name text, problem text, fix text)',
		NOT p.proretset OR p.proargtypes::oid[] <> '[0:0]={26}' OR p.proallargtypes IS DISTINCT FROM '{26,25,25,25}'::oid[]
			OR p.proargmodes::text[] IS DISTINCT FROM '{i,t,t,t}' AND p.proargmodes::text[] IS DISTINCT FROM '{i,o,o,o}'),
	(6, '42P13', 'its search_path does not end with pg_temp, so that anybody can put a temporary table in its way', EXISTS (
		SELECT FROM unnest(p.proconfig) AS setting WHERE starts_with(setting, 'search_path=') AND (setting ~ '\$user'
			OR substr(setting, 13) !~ '^\s*(""|(.*,\s*)?(pg_temp|"pg_temp"))?\s*$'))),
	(7, '42501', 'its owner is neither a superuser nor the owner of the database', NOT p.trusted)) AS t (number, code, trouble, holds)
WHERE t.holds ORDER BY t.number LIMIT 1
$$;
COMMENT ON FUNCTION dbkit.team_function_trouble(regprocedure) IS 'why a function may not judge, and the error that this is; NULL where it may';

CREATE OR REPLACE FUNCTION dbkit.team_rule_problem(id text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN id !~ '^[a-z][a-z0-9_]{0,62}$'
		THEN 'an id begins with a letter from a to z and has only such letters, digits and underscores, 63 at most'
	WHEN id IN (SELECT r.id FROM dbkit.all_rules() r) THEN 'dbkit itself has a rule of this id' END
$$;
COMMENT ON FUNCTION dbkit.team_rule_problem(text) IS 'what is wrong with the id of a rule, or NULL';

CREATE OR REPLACE FUNCTION dbkit.team_rules(own jsonb,
	OUT number bigint, OUT id text, OUT judge text, OUT kinds text[], OUT phase text, OUT description text, OUT problem text)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
SELECT r.number, r.key, r.value ->> 'judge', CASE WHEN p.problem IS NULL THEN ARRAY(SELECT jsonb_array_elements_text(r.value -> 'kinds')) END,
	r.value ->> 'phase', r.value ->> 'description', 'Rule "' || r.key || '" of "own_rules": ' || p.problem || '.'
FROM jsonb_each(CASE jsonb_typeof(own -> 'own_rules') WHEN 'object' THEN own -> 'own_rules' END) WITH ORDINALITY AS r (key, value, number),
LATERAL (SELECT CASE
	WHEN jsonb_typeof(r.value) <> 'object' THEN 'it has to be an object'
	WHEN dbkit.team_rule_problem(r.key) IS NOT NULL THEN dbkit.team_rule_problem(r.key)
	WHEN (SELECT array_agg(k ORDER BY k COLLATE "C") FROM jsonb_object_keys(r.value) AS k) <> '{description,judge,kinds,phase}'
			OR 3 <> (SELECT count(*) FROM jsonb_each(r.value) AS m WHERE m.key <> 'kinds' AND jsonb_typeof(m.value) = 'string')
		THEN 'it has the keys "judge", "kinds", "phase" and "description"'
	WHEN r.value ->> 'phase' NOT IN ('statement', 'commit') THEN 'its phase has to be statement or commit'
	WHEN r.value ->> 'description' ~ E'^[ \t\r\n]*$' THEN 'its description must not be empty'
	WHEN jsonb_typeof(r.value -> 'kinds') <> 'array' OR r.value -> 'kinds' = '[]' THEN 'its kinds have to be a list that is not empty'
	WHEN NOT to_jsonb(dbkit.object_kinds()) @> (r.value -> 'kinds') THEN 'its kinds have to be among ' || array_to_string(dbkit.object_kinds(), ', ')
	END) AS p (problem)
$$;
COMMENT ON FUNCTION dbkit.team_rules(jsonb) IS 'the rules of the team in an agreement, and what is wrong with them';

CREATE OR REPLACE FUNCTION dbkit.rules_of(own jsonb,
	OUT number integer, OUT id text, OUT phase text, OUT level text, OUT fixable boolean, OUT description text, OUT why text)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
SELECT number, id, phase, level, fixable, description, why FROM dbkit.all_rules()
UNION ALL
SELECT (1000 + t.number)::integer, t.id, t.phase, 'error', true, t.description,
	coalesce(obj_description(dbkit.team_function(t.judge), 'pg_proc'), t.description)
FROM dbkit.team_rules(own) t WHERE t.problem IS NULL
$$;
COMMENT ON FUNCTION dbkit.rules_of(jsonb) IS 'all rules: those of dbkit, and those of the team';

-- What is said of one rule counts more than what is said of all, and what is said of a schema
-- more than what is said of the database; '' stands for schemas of which nothing is said.
CREATE OR REPLACE FUNCTION dbkit.rule_levels(own jsonb, settings text,
	OUT schema text, OUT number integer, OUT rule text, OUT level text, OUT source text)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
WITH set_levels AS MATERIALIZED (
	SELECT number, btrim(split_part(pair, '=', 1), E' \t\r\n') AS rule, btrim(split_part(pair, '=', 2), E' \t\r\n') AS level
	FROM string_to_table(settings, ',') WITH ORDINALITY AS s (pair, number))
SELECT s.schema, r.number, r.id, l.level, l.source
FROM (SELECT '' UNION ALL SELECT jsonb_object_keys(CASE jsonb_typeof(own -> 'schemas') WHEN 'object' THEN own -> 'schemas' END)) AS s (schema),
	coalesce(dbkit.preset(own ->> 'preset'), dbkit.preset('house')) AS preset,
	dbkit.rules_of(own) r,
	LATERAL (
		SELECT said.level, said.source FROM (
			SELECT -x.number, x.level, 'dbkit.rule_levels' FROM set_levels x WHERE x.rule IN (r.id, '*')
			UNION ALL VALUES
				(1, own #>> ARRAY['schemas', s.schema, 'rules', r.id], 'agreement'),
				(2, own #>> ARRAY['schemas', s.schema, 'rules', '*'], 'agreement'),
				(3, own #>> ARRAY['rules', r.id], 'agreement'),
				(4, own #>> '{rules,*}', 'agreement'),
				-- A preset knows nothing of the team's
				(5, preset #>> ARRAY['rules', CASE WHEN r.number < 1000 THEN r.id END], 'preset'),
				(6, CASE WHEN r.number < 1000 THEN preset #>> '{rules,*}' END, 'preset'),
				(7, r.level, 'default')) AS said (number, level, source)
		WHERE said.level IN ('off', 'warning') OR said.level = 'error' AND r.id <> 'lock_held' OR said.level = 'fix' AND r.fixable
		ORDER BY said.number LIMIT 1) AS l
$$;
COMMENT ON FUNCTION dbkit.rule_levels(jsonb, text) IS
'the level of each rule in each schema of which an agreement speaks, and in all others, and where it comes from';

CREATE OR REPLACE FUNCTION dbkit.agreed_exemptions(own jsonb,
	OUT object text, OUT rule text, OUT reason text, OUT expires_at timestamptz, OUT problem text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	exemption jsonb;
BEGIN
	FOR exemption IN SELECT e FROM jsonb_array_elements(CASE jsonb_typeof(own -> 'exemptions') WHEN 'array' THEN own -> 'exemptions' END) AS e LOOP
		object := exemption ->> 'object';
		rule := exemption ->> 'rule';
		reason := exemption ->> 'reason';
		expires_at := NULL;
		problem := CASE
			WHEN jsonb_typeof(exemption) <> 'object' THEN 'An exemption has to be an object.'
			WHEN 3 <> (SELECT count(*) FROM jsonb_each(exemption) WHERE key IN ('object', 'rule', 'reason') AND jsonb_typeof(value) = 'string')
				OR exemption - '{object,rule,reason,expires_at}'::text[] <> '{}'
				THEN 'An exemption has the keys "object", "rule" and "reason", and perhaps "expires_at".'
			WHEN dbkit.is_malformed_pattern(object) THEN format('The exemption of "%s" must not end with a single backslash.', object)
			WHEN NOT dbkit.is_rule(own, rule) THEN format('There is no rule "%s", from which "%s" is exempt.', rule, object)
			WHEN reason ~ E'^[ \t\r\n]*$' THEN format('The exemption of "%s" has no reason.', object)
			WHEN jsonb_typeof(exemption -> 'expires_at') <> 'string' THEN format('The exemption of "%s" expires at what is not a time.', object)
			END;
		IF problem IS NULL AND exemption ? 'expires_at' THEN
			BEGIN
				expires_at := exemption ->> 'expires_at';
			EXCEPTION WHEN data_exception THEN
				problem := format('The exemption of "%s" expires at what is not a time.', object);
			END;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.agreed_exemptions(jsonb) IS 'the exemptions of an agreement, and what is wrong with them';

CREATE OR REPLACE FUNCTION dbkit.is_rule(own jsonb, rule text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT rule = '*' OR rule IN (SELECT id FROM dbkit.rules_of(own))
$$;
COMMENT ON FUNCTION dbkit.is_rule(jsonb, text) IS 'whether there is a rule of that id, or it is * for all';

-- LIKE itself complains only when it gets as far as the last backslash.
CREATE OR REPLACE FUNCTION dbkit.is_malformed_pattern(object text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT strpos(object, '%') > 0 AND object ~ '^([^\\]|\\.)*\\$'
$$;
COMMENT ON FUNCTION dbkit.is_malformed_pattern(text) IS 'whether a pattern has nothing behind its last backslash';

CREATE OR REPLACE FUNCTION dbkit.baseline_entries(own jsonb, OUT object text, OUT rule text, OUT name text)
RETURNS SETOF record
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT o.key, r.key, n.value #>> '{}'
FROM jsonb_each(CASE jsonb_typeof(own -> 'baseline') WHEN 'object' THEN own -> 'baseline' END) o,
	jsonb_each(CASE jsonb_typeof(o.value) WHEN 'object' THEN o.value END) r,
	jsonb_array_elements(CASE jsonb_typeof(r.value) WHEN 'array' THEN r.value END) n
WHERE jsonb_typeof(n.value) = 'string'
$$;
COMMENT ON FUNCTION dbkit.baseline_entries(jsonb) IS 'what is in the baseline of an agreement';

CREATE OR REPLACE FUNCTION dbkit.agreement_problems(own jsonb) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
(SELECT format('There is no key "%s".', key)
FROM jsonb_object_keys(own) WITH ORDINALITY AS keys (key, number)
WHERE key NOT IN (SELECT k.key FROM dbkit.agreement_keys() k) ORDER BY number)
UNION ALL
(SELECT problem FROM dbkit.agreement_values(own) WHERE problem IS NOT NULL ORDER BY number)
UNION ALL
(SELECT problem FROM dbkit.team_rules(own) WHERE problem IS NOT NULL ORDER BY number)
UNION ALL
(SELECT said.problem
FROM (
	SELECT 0, NULL, own
	UNION ALL
	SELECT number, key, value
	FROM jsonb_each(CASE jsonb_typeof(own -> 'schemas') WHEN 'object' THEN own -> 'schemas' END) WITH ORDINALITY AS s (key, value, number)
	) AS part (number, schema, value),
LATERAL (
	SELECT 0, 0::bigint, CASE WHEN jsonb_typeof(part.value) <> 'object'
			THEN format('The key "%s" of "schemas" has to be an object.', part.schema)
		WHEN part.value - 'rules' <> '{}' OR jsonb_typeof(part.value -> 'rules') IS DISTINCT FROM 'object'
			THEN format('The key "%s" of "schemas" has to be {"rules": {...}}.', part.schema) END
	WHERE part.schema IS NOT NULL
	UNION ALL
	SELECT CASE id WHEN '*' THEN 1 ELSE 2 END, number, CASE
		WHEN jsonb_typeof(value) <> 'string' THEN format('The level of "%s" has to be a string.', id)
		WHEN NOT dbkit.is_rule(own, id) THEN format('There is no rule "%s".', id)
		WHEN value #>> '{}' <> ALL (regexp_split_to_array(levels, ', | or '))
			THEN format('The level of "%s" has to be %s, not "%s".', id, levels, value #>> '{}') END
	FROM jsonb_each(CASE WHEN jsonb_typeof(part.value -> 'rules') = 'object' THEN part.value -> 'rules' END)
		WITH ORDINALITY AS level (id, value, number),
	LATERAL (SELECT CASE WHEN id = 'lock_held' THEN 'off or warning'
		WHEN id = '*' OR id IN (SELECT r.id FROM dbkit.rules_of(own) r WHERE r.fixable) THEN 'off, warning, error or fix'
		ELSE 'off, warning or error' END) AS f (levels)
	) AS said (place, number, problem)
WHERE said.problem IS NOT NULL ORDER BY part.number, said.place, said.number)
UNION ALL
SELECT problem FROM dbkit.agreed_exemptions(own) WHERE problem IS NOT NULL
UNION ALL
SELECT 'The baseline has to be {"schema.table": {"rule": ["name"]}}.'
WHERE EXISTS (
	SELECT FROM jsonb_each(CASE jsonb_typeof(own -> 'baseline') WHEN 'object' THEN own -> 'baseline' END) o
	LEFT JOIN LATERAL jsonb_each(CASE jsonb_typeof(o.value) WHEN 'object' THEN o.value END) r ON true
	WHERE jsonb_typeof(o.value) <> 'object' OR jsonb_typeof(r.value) <> 'array'
		OR jsonb_path_exists(r.value, 'strict $[*] ? (@.type() <> "string")'))
$$;
COMMENT ON FUNCTION dbkit.agreement_problems(jsonb) IS 'what is wrong in an agreement, as sentences';

-- The lock is on dbkit.agree(), so to speak: two changes at a time would lose one.
CREATE OR REPLACE FUNCTION dbkit.begin_agreement_change() RETURNS jsonb
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own record;
	function oid;
BEGIN
	IF NOT (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()) THEN
		RAISE insufficient_privilege USING MESSAGE = 'permission denied to change the agreement',
			DETAIL = 'Only superusers and the owner of the database may do so.';
	END IF;
	PERFORM pg_advisory_xact_lock('pg_proc'::regclass::oid::integer, 'dbkit.agree(jsonb)'::regprocedure::oid::integer);
	-- The snapshot of a REPEATABLE READ transaction may be older than what others have agreed on since.
	function := to_regprocedure(format('%s.dbkit_agreement()', dbkit.installed_schema()));
	IF function IS NOT NULL AND NOT EXISTS (SELECT FROM pg_proc p WHERE p.oid = function AND strpos(pg_get_functiondef(function), p.prosrc) > 0) THEN
		RAISE serialization_failure USING MESSAGE = 'could not serialize access due to concurrent update';
	END IF;
	SELECT * INTO own FROM dbkit.own_agreement();
	IF own.untrusted IS NOT NULL THEN
		RAISE object_not_in_prerequisite_state USING MESSAGE = 'function dbkit_agreement() does not hold an agreement that can be used',
			DETAIL = format('What is wrong: %s.', own.untrusted), HINT = 'Drop it, or give it to the owner of the database.';
	END IF;
	RETURN coalesce(own.agreement, '{}');
END $$;
COMMENT ON FUNCTION dbkit.begin_agreement_change() IS
'the agreement as it is, without defaults, which nobody else changes until the transaction ends. Errors: insufficient_privilege, object_not_in_prerequisite_state';

CREATE OR REPLACE FUNCTION dbkit.end_agreement_change(agreement jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	problems text := (SELECT string_agg(p, E'\n') FROM (
		SELECT dbkit.agreement_problems(agreement)
		UNION ALL
		(SELECT format('Rule "%s" of "own_rules": function %s cannot judge: %s.', t.id, t.judge, f.trouble)
		FROM dbkit.team_rules(agreement) t, dbkit.team_function_trouble(dbkit.team_function(t.judge)) f
		WHERE t.problem IS NULL AND f.trouble IS NOT NULL
			AND (SELECT own.agreement -> 'own_rules' -> t.id FROM dbkit.own_agreement() own) IS DISTINCT FROM agreement -> 'own_rules' -> t.id
		ORDER BY t.number)) AS found (p));
	body text := format('SELECT %s::pg_catalog.jsonb', quote_literal(jsonb_pretty(agreement)));
BEGIN
	IF problems IS NOT NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = 'this cannot be agreed on', DETAIL = problems,
			HINT = 'dbkit.agreement() shows all keys; the view dbkit.rules lists the rules.';
	END IF;
	EXECUTE format('CREATE OR REPLACE FUNCTION %s.dbkit_agreement() RETURNS pg_catalog.jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS %L',
		dbkit.installed_schema(), body);
	EXECUTE format('COMMENT ON FUNCTION %s.dbkit_agreement() IS %L', dbkit.installed_schema(),
		'What the team has agreed on with dbkit.agree(); dbkit reads this text and never runs it');
	-- What belongs to a mere member of the owner is not trusted.
	IF (SELECT untrusted IS NOT NULL FROM dbkit.own_agreement()) THEN
		EXECUTE format('ALTER FUNCTION %s.dbkit_agreement() OWNER TO %I', dbkit.installed_schema(),
			(SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()));
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.end_agreement_change(jsonb) IS
'writes the agreement. Errors: invalid_parameter_value for an unknown key, or a value that the key cannot have';

CREATE OR REPLACE FUNCTION dbkit.agree(changes jsonb) RETURNS jsonb
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	before jsonb;
BEGIN
	IF jsonb_typeof(changes) <> 'object' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'changes must be a JSON object';
	END IF;
	before := dbkit.begin_agreement_change();
	-- In a database that had tables, the C edition agrees on nothing until somebody agrees to something.
	PERFORM dbkit.end_agreement_change(dbkit.merge_json(
		CASE WHEN before <> '{"preset": "none"}' OR changes = '{}' THEN before END, changes));
	RETURN before;
END $$;
COMMENT ON FUNCTION dbkit.agree(jsonb) IS
'Merges changes into the agreement (null removes a key) and returns what it was before. It is written to the function dbkit_agreement() in the schema of generate_id(), which every dump carries. For superusers and the owner of the database. Errors: insufficient_privilege; invalid_parameter_value for an unknown key or value, object_not_in_prerequisite_state if somebody else owns that function';

CREATE OR REPLACE FUNCTION dbkit.agreement() RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT dbkit.merge_json(
	dbkit.merge_json(
		dbkit.merge_json((SELECT jsonb_object_agg(key, value) FROM dbkit.agreement_keys()),
			coalesce(dbkit.preset(own.agreement ->> 'preset'), dbkit.preset('house'))),
		coalesce(own.agreement, '{}')),
	jsonb_build_object('rules', '{"*": null}' ||
		(SELECT jsonb_object_agg(l.rule, l.level) FROM dbkit.rule_levels(own.agreement, '') l WHERE l.schema = '')))
FROM dbkit.own_agreement() own
$$;
COMMENT ON FUNCTION dbkit.agreement() IS
'The agreement: how the schema of this database is to look, with all defaults and the level of each rule';

CREATE OR REPLACE FUNCTION dbkit.rules(
	OUT id text, OUT phase text, OUT level text, OUT description text, OUT fixable boolean, OUT why text)
RETURNS SETOF record
	LANGUAGE sql STABLE STRICT PARALLEL UNSAFE ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
SELECT r.id, r.phase, l.level, r.description, r.fixable, r.why
FROM dbkit.own_agreement() own, dbkit.rule_levels(own.agreement, current_setting('dbkit.rule_levels', true)) l, dbkit.rules_of(own.agreement) r
WHERE l.schema = '' AND r.id = l.rule
ORDER BY r.number
$$;
COMMENT ON FUNCTION dbkit.rules() IS
'The schema conventions with their levels in this session; see the view dbkit.rules';

CREATE OR REPLACE VIEW dbkit.rules WITH (security_invoker = true) AS
SELECT id, phase, level, description, fixable, why FROM dbkit.rules();
COMMENT ON VIEW dbkit.rules IS
'The schema conventions: id, phase (of the edition in C, which judges when a statement ends or at COMMIT), level in this session (by the agreement and dbkit.rule_levels, schemas of their own apart), what it demands, whether dbkit.check() has a fix for it, and why there is such a rule. those of phase change are about a change itself, and not judged here';
GRANT SELECT ON dbkit.rules TO PUBLIC;

CREATE OR REPLACE FUNCTION dbkit.explain_rule(rule text) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	explanation text := (SELECT format(E'# %s\n\n%s\n\nIt demands: %s.\n\n%s\n', r.id, r.why, r.description,
			CASE WHEN r.number < 1000 THEN format('More is in docs/rules/%s.md of dbkit.', r.id)
			ELSE format('It is a rule of the team: the function `%s` judges by it.', own.agreement #>> ARRAY['own_rules', r.id, 'judge']) END)
		FROM dbkit.own_agreement() own, dbkit.rules_of(own.agreement) r WHERE r.id = explain_rule.rule);
BEGIN
	IF explanation IS NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = format('unrecognized rule: "%s"', explain_rule.rule),
			HINT = 'The view dbkit.rules lists them.';
	END IF;
	RETURN explanation;
END $$;
COMMENT ON FUNCTION dbkit.explain_rule(text) IS
'Why a rule exists, and what it demands; Markdown. Errors: invalid_parameter_value for an unknown rule';

-- exemptions and the baseline: names do not follow renames here ---------------------------

CREATE OR REPLACE FUNCTION dbkit.exemption(
	OUT object text, OUT rule text, OUT reason text, OUT expires_at timestamptz, OUT builtin boolean)
RETURNS SETOF record
	LANGUAGE sql STABLE STRICT PARALLEL UNSAFE ROWS 100 SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT e.object, e.rule, e.reason, e.expires_at, false
FROM dbkit.own_agreement() own, dbkit.agreed_exemptions(own.agreement) e
WHERE e.problem IS NULL
UNION ALL
-- The ledgers and job tables of other people's tools
SELECT object, '*', reason, NULL, true
FROM (VALUES
	('%.\_yoyo\_%', 'ledger of yoyo'),
	('%.yoyo\_lock%', 'ledger of yoyo'),
	('%.yoyo\_tmp\_%', 'ledger of yoyo'),
	('%.alembic\_version', 'ledger of alembic'),
	('%.schema\_migrations', 'ledger of dbmate, Rails and golang-migrate'),
	('%.ar\_internal\_metadata', 'ledger of Rails'),
	('sqitch.%', 'ledger of sqitch'),
	('%.flyway\_schema\_history', 'ledger of Flyway'),
	('%.databasechangelog', 'ledger of Liquibase'),
	('%.databasechangeloglock', 'ledger of Liquibase'),
	('%.\_prisma\_migrations', 'ledger of Prisma'),
	('%.\_\_drizzle\_migrations', 'ledger of Drizzle'),
	('%.knex\_migrations', 'ledger of Knex'),
	('%.knex\_migrations\_lock', 'ledger of Knex'),
	('%.pgmigrations', 'ledger of node-pg-migrate'),
	('%.gorp\_migrations', 'ledger of sql-migrate'),
	('%.goose\_db\_version', 'ledger of goose'),
	('%.schema\_version', 'ledger of pgmigrate'),
	('%.schema\_version\_type', 'ledger of pgmigrate'),
	('pgroll.%', 'ledger of pgroll'),
	('%.django\_migrations', 'ledger of Django'),
	('%.migrations', 'ledger of TypeORM'),
	('%.typeorm\_metadata', 'ledger of TypeORM'),
	('%.SequelizeMeta', 'ledger of Sequelize'),
	('%.SequelizeData', 'ledger of Sequelize'),
	('%.\_\_diesel\_schema\_migrations', 'ledger of Diesel'),
	('%.\_sqlx\_migrations', 'ledger of sqlx'),
	('%.seaql\_migrations', 'ledger of SeaORM'),
	('%.refinery\_schema\_history', 'ledger of refinery'),
	('%.\_\_EFMigrationsHistory', 'ledger of EF Core'),
	('%.kysely\_migration', 'ledger of Kysely'),
	('%.kysely\_migration\_lock', 'ledger of Kysely'),
	('%.doctrine\_migration\_versions', 'ledger of Doctrine'),
	('%.migration\_versions', 'ledger of Doctrine'),
	('%.atlas\_schema\_revisions', 'ledger of Atlas'),
	('%.mikro\_orm\_migrations', 'ledger of MikroORM'),
	('repack.%', 'work tables of pg_repack'),
	('partman.%', 'templates of pg_partman'),
	('pgboss.%', 'jobs of pg-boss'),
	('%.oban\_jobs', 'jobs of Oban'),
	('%.oban\_job\_state', 'jobs of Oban'),
	('%.oban\_peers', 'jobs of Oban'),
	('%.oban\_producers', 'jobs of Oban'),
	('%.river\_client', 'jobs of River'),
	('%.river\_client\_queue', 'jobs of River'),
	('%.river\_job', 'jobs of River'),
	('%.river\_job\_state', 'jobs of River'),
	('%.river\_leader', 'jobs of River'),
	('%.river\_migration', 'ledger of River'),
	('%.river\_queue', 'jobs of River'),
	('graphile\_worker.%', 'jobs of Graphile Worker'),
	('%.solid\_queue\_%', 'jobs of Solid Queue'),
	('%.good\_jobs', 'jobs of Good Job'),
	('%.good\_job\_%', 'jobs of Good Job')) AS ledger (object, reason)
$$;
COMMENT ON FUNCTION dbkit.exemption() IS
'What is exempt from the schema conventions, and why; see the view dbkit.exemption';

CREATE OR REPLACE VIEW dbkit.exemption WITH (security_invoker = true) AS
SELECT object, rule, reason, expires_at, builtin FROM dbkit.exemption();
COMMENT ON VIEW dbkit.exemption IS
'What is exempt from the schema conventions, and why: a name or LIKE pattern for schema.name, the id of a rule or * for all, the reason, when it ends (NULL: never), and whether it comes with dbkit rather than from dbkit.exempt()';
GRANT SELECT ON dbkit.exemption TO PUBLIC;

-- Names are quoted only where a dot or quotes would mislead.
CREATE OR REPLACE FUNCTION dbkit.object_name(schema text, name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT string_agg(CASE WHEN part ~ '[."]' THEN '"' || replace(part, '"', '""') || '"' ELSE part END, '.' ORDER BY number)
FROM unnest(ARRAY[nullif(schema, ''), name]) WITH ORDINALITY AS parts (part, number)
$$;
COMMENT ON FUNCTION dbkit.object_name(text, text) IS 'the name by which the agreement knows an object: public.userRoles, "a.b".c, or customer, a role';

CREATE OR REPLACE FUNCTION dbkit.require_exemption_arguments(object text, rule text, reason text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing text := (SELECT name FROM (VALUES (1, 'object', object), (2, 'rule', rule), (3, 'reason', reason)) AS given (number, name, value)
		WHERE value IS NULL ORDER BY number LIMIT 1);
BEGIN
	IF missing IS NOT NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = format('%s must not be null', missing);
	ELSIF NOT dbkit.is_rule((SELECT agreement FROM dbkit.own_agreement()), rule) THEN
		RAISE invalid_parameter_value USING MESSAGE = format('unrecognized rule: "%s"', rule),
			HINT = 'The view dbkit.rules lists them; "*" stands for all.';
	ELSIF reason ~ E'^[ \t\r\n]*$' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'reason must not be empty';
	ELSIF dbkit.is_malformed_pattern(object) THEN
		RAISE invalid_escape_sequence USING MESSAGE = 'object must not end with a single backslash';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.require_exemption_arguments(text, text, text) IS
'fails for what dbkit.exempt() and dbkit.unexempt() cannot take';

-- The exemptions of an agreement but that of an object from a rule
CREATE OR REPLACE FUNCTION dbkit.other_exemptions(own jsonb, object text, rule text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT coalesce(jsonb_agg(e ORDER BY number), '[]')
FROM jsonb_array_elements(CASE jsonb_typeof(own -> 'exemptions') WHEN 'array' THEN own -> 'exemptions' END) WITH ORDINALITY AS x (e, number)
WHERE NOT e @> jsonb_build_object('object', object, 'rule', rule)
$$;
COMMENT ON FUNCTION dbkit.other_exemptions(jsonb, text, text) IS 'the exemptions of an agreement but that of an object from a rule';

CREATE OR REPLACE FUNCTION dbkit.exempt(object text, rule text, reason text, expires_at timestamptz DEFAULT NULL) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	own jsonb;
BEGIN
	PERFORM dbkit.require_exemption_arguments(object, rule, coalesce(reason, CASE WHEN object IS NULL OR rule IS NULL THEN '' END));
	IF expires_at <= now() THEN
		RAISE invalid_parameter_value USING MESSAGE = 'expires_at must be in the future';
	END IF;
	IF NOT dbkit.names_object(object) THEN
		RAISE NOTICE USING MESSAGE = format('no table, view, type or function is named "%s"', object),
			HINT = 'The name is schema.name; with % in it, it is a LIKE pattern.';
	END IF;
	own := dbkit.begin_agreement_change();
	PERFORM dbkit.end_agreement_change(own || jsonb_build_object('exemptions',
		dbkit.other_exemptions(own, object, rule) || jsonb_strip_nulls(jsonb_build_object('object', object, 'rule', rule,
			'reason', reason, 'expires_at', CASE WHEN isfinite(expires_at) THEN expires_at END))));
END $$;
COMMENT ON FUNCTION dbkit.exempt(text, text, text, timestamptz) IS
'Exempts the object named schema.name, or if there is a % in it all objects whose schema.name is LIKE it, from a rule, or from all for *, until expires_at or for good; replaces an exemption with the same object and rule. Part of the agreement. Errors: null_value_not_allowed; insufficient_privilege; invalid_parameter_value for an unknown rule, an empty reason or a time that is past';

CREATE OR REPLACE FUNCTION dbkit.unexempt(object text, rule text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	own jsonb;
	others jsonb;
BEGIN
	PERFORM dbkit.require_exemption_arguments(object, rule, 'none');
	own := dbkit.begin_agreement_change();
	others := dbkit.other_exemptions(own, object, rule);
	IF jsonb_array_length(others) < jsonb_array_length(coalesce(own -> 'exemptions', '[]')) THEN
		PERFORM dbkit.end_agreement_change(own || jsonb_build_object('exemptions', others));
		RETURN true;
	ELSIF EXISTS (SELECT FROM dbkit.exemption() e WHERE e.builtin AND e.object = unexempt.object AND e.rule = unexempt.rule) THEN
		RAISE feature_not_supported USING MESSAGE = format('the exemption of "%s" is built in', object);
	END IF;
	RETURN false;
END $$;
COMMENT ON FUNCTION dbkit.unexempt(text, text) IS
'Takes back the exemption with exactly this object and rule; false where there is none. Errors: null_value_not_allowed, insufficient_privilege, invalid_parameter_value for an unknown rule';

CREATE OR REPLACE FUNCTION dbkit.add_rule(id text, judge regprocedure, kinds text[], description text, phase text DEFAULT 'commit') RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off AS $$
DECLARE
	own jsonb;
	wrong record;
	missing text := CASE WHEN id IS NULL THEN 'id' WHEN judge IS NULL THEN 'judge' WHEN kinds IS NULL THEN 'kinds'
		WHEN description IS NULL THEN 'description' WHEN phase IS NULL THEN 'phase' END;
	unknown_kind text;
BEGIN
	IF missing IS NOT NULL THEN
		RAISE null_value_not_allowed USING MESSAGE = missing || ' must not be null';
	END IF;
	own := dbkit.begin_agreement_change();
	IF id IN (SELECT r.id FROM dbkit.all_rules() r) THEN
		RAISE duplicate_object USING MESSAGE = format('rule "%s" already exists', id), DETAIL = 'It is built in.';
	ELSIF dbkit.is_rule(own, id) AND id <> '*' THEN
		RAISE duplicate_object USING MESSAGE = format('rule "%s" already exists', id), HINT = format('SELECT dbkit.drop_rule(%L) drops it.', id);
	ELSIF dbkit.team_rule_problem(id) IS NOT NULL THEN
		RAISE invalid_parameter_value USING MESSAGE = format('invalid id of a rule: "%s"', id),
			HINT = 'An id begins with a letter from a to z and has only such letters, digits and underscores, 63 at most.';
	ELSIF phase NOT IN ('statement', 'commit') THEN
		RAISE invalid_parameter_value USING MESSAGE = format('unrecognized phase: "%s"', phase), HINT = 'The phases are statement and commit.';
	ELSIF description ~ E'^[ \t\r\n]*$' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'description must not be empty';
	END IF;
	SELECT * INTO wrong FROM dbkit.team_function_trouble(judge);
	IF wrong.trouble IS NOT NULL THEN
		RAISE USING ERRCODE = wrong.code, MESSAGE = format('function %s cannot judge', judge), DETAIL = format('What is wrong: %s.', wrong.trouble);
	END IF;
	SELECT coalesce('"' || kind || '"', 'null') INTO unknown_kind FROM unnest(kinds) AS kind WHERE kind IS NULL OR kind <> ALL (dbkit.object_kinds()) LIMIT 1;
	IF cardinality(kinds) = 0 OR unknown_kind IS NOT NULL THEN
		RAISE invalid_parameter_value USING HINT = format('The kinds are %s.', array_to_string(dbkit.object_kinds(), ', ')),
			MESSAGE = CASE WHEN cardinality(kinds) = 0 THEN 'kinds must not be empty' ELSE format('unrecognized kind: %s', unknown_kind) END;
	END IF;
	PERFORM dbkit.end_agreement_change(dbkit.merge_json(own, jsonb_build_object('own_rules', jsonb_build_object(id, jsonb_build_object(
		'judge', (SELECT format('%I.%I(oid)', n.nspname, p.proname) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = judge),
		'kinds', kinds, 'phase', phase, 'description', description)))));
END $$;
COMMENT ON FUNCTION dbkit.add_rule(text, regprocedure, text[], text, text) IS
'Adds a rule of the team: judge is a STABLE function(object oid) RETURNS TABLE (column_name text, problem text, fix text) in SQL or PL/pgSQL that a superuser or the owner of the database owns (the edition in C: a superuser); dbkit.check() runs it, read-only, as its caller, for each object of these kinds (table, enum table, view, enum type, function, partition, materialized view). Part of the agreement; the level is error unless the agreement says otherwise. Errors: insufficient_privilege; null_value_not_allowed; duplicate_object for the id of another rule; invalid_parameter_value for an id, kind, phase or description that cannot be; undefined_function, wrong_object_type and invalid_function_definition for the function';

CREATE OR REPLACE FUNCTION dbkit.drop_rule(id text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own jsonb := dbkit.begin_agreement_change();
	part text;
BEGIN
	IF EXISTS (SELECT FROM dbkit.all_rules() r WHERE r.id = drop_rule.id) THEN
		RAISE feature_not_supported USING MESSAGE = format('rule "%s" is built in', id),
			HINT = format('SELECT dbkit.agree(''{"rules": {"%s": "off"}}'') switches it off.', id);
	ELSIF (own -> 'own_rules' ? id) IS NOT TRUE THEN
		RETURN false;
	END IF;
	own := own #- ARRAY['own_rules', id] #- ARRAY['rules', id];
	FOR part IN SELECT jsonb_object_keys(CASE jsonb_typeof(own -> 'schemas') WHEN 'object' THEN own -> 'schemas' END) LOOP
		own := own #- ARRAY['schemas', part, 'rules', id];
	END LOOP;
	FOR part IN SELECT DISTINCT object FROM dbkit.baseline_entries(own) e WHERE e.rule = id LOOP
		own := own #- ARRAY['baseline', part, id];
		IF own #> ARRAY['baseline', part] = '{}' THEN
			own := own #- ARRAY['baseline', part];
		END IF;
	END LOOP;
	IF EXISTS (SELECT FROM dbkit.agreed_exemptions(own) e WHERE e.rule = id) THEN
		own := own || jsonb_build_object('exemptions', coalesce(
			(SELECT jsonb_agg(e ORDER BY number) FROM jsonb_array_elements(own -> 'exemptions') WITH ORDINALITY AS a (e, number)
			WHERE e ->> 'rule' IS DISTINCT FROM id), '[]'));
	END IF;
	PERFORM dbkit.end_agreement_change(own);
	RETURN true;
END $$;
COMMENT ON FUNCTION dbkit.drop_rule(text) IS
'Takes a rule of the team out of the agreement, with its levels, its exemptions and what the baseline has of it; its function stays. False where there is no such rule. For superusers and the owner of the database. Errors: insufficient_privilege; feature_not_supported for a rule of dbkit itself';

-- what is there -----------------------------------------------------------------

-- Not temporary objects, the system's, an extension's and our own
CREATE OR REPLACE FUNCTION dbkit.schema_objects(only_relation oid, only_schema oid, all_functions boolean,
	OUT classid oid, OUT objid oid, OUT schema name, OUT name name, OUT kind text, OUT identity text)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT o.classid, o.objid, n.nspname, o.name, o.kind, CASE
	WHEN o.kind IN ('function', 'definer') THEN (pg_identify_object(o.classid, o.objid, 0)).identity ELSE format('%I.%I', n.nspname, o.name) END
FROM (
	SELECT 'pg_class'::regclass, oid, relnamespace, relname,
		CASE WHEN relkind = 'v' THEN 'view' WHEN relkind = 'm' THEN 'materialized view' WHEN relispartition OR relkind = 'f' THEN 'partition'
			WHEN right(relname, 5) = '_enum' THEN 'enum table' ELSE 'table' END
	FROM pg_class
	WHERE (relkind IN ('r', 'p', 'v', 'm') OR relkind = 'f' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = pg_class.oid)) AND relpersistence <> 't' AND oid = coalesce(only_relation, oid)
	UNION ALL
	SELECT 'pg_type'::regclass, oid, typnamespace, typname, 'type' FROM pg_type WHERE typtype = 'e' AND only_relation IS NULL
	UNION ALL
	SELECT 'pg_proc'::regclass, oid, pronamespace, proname, CASE WHEN prosecdef THEN 'definer' ELSE 'function' END
	FROM pg_proc WHERE (prosecdef OR all_functions) AND only_relation IS NULL
		AND NOT (pronamespace = dbkit.installed_schema() AND (proname, pronargs) IN (('generate_id', 1), ('updated_at', 0)))
	) AS o (classid, objid, namespace, name, kind)
JOIN pg_namespace n ON n.oid = o.namespace
WHERE o.objid >= 16384 AND (n.oid >= 16384 OR n.nspname = 'public') AND n.nspname <> 'dbkit' AND NOT starts_with(n.nspname, 'pg_temp_')
	AND n.oid = coalesce(only_schema, n.oid)
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e')
$$;
COMMENT ON FUNCTION dbkit.schema_objects(oid, oid, boolean) IS
'the tables, partitions, views, native enums and functions that dbkit.check() looks at: all, or those of a schema, or one relation; of functions all, or the SECURITY DEFINER ones';

CREATE OR REPLACE FUNCTION dbkit.judged_objects(only_relation oid, only_schema oid, all_functions boolean,
	OUT classid oid, OUT objid oid, OUT schema name, OUT name name, OUT kind text, OUT identity text)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT classid, objid, schema, name, kind, identity FROM dbkit.schema_objects(only_relation, only_schema, all_functions)
UNION ALL
SELECT 'pg_authid'::regclass, r.oid, '', r.rolname, 'role', quote_ident(r.rolname)
FROM pg_roles r WHERE r.rolname = dbkit.agreement() ->> 'customer_role' AND only_relation IS NULL AND only_schema IS NULL
$$;
COMMENT ON FUNCTION dbkit.judged_objects(oid, oid, boolean) IS
'the objects that dbkit.check() looks at: those of the schemas, and where it looks at all of them the customer_role';

CREATE OR REPLACE FUNCTION dbkit.names_object(object text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT EXISTS (SELECT FROM dbkit.judged_objects(NULL, NULL, true) o, LATERAL (SELECT dbkit.object_name(o.schema, o.name)) AS known (name)
	WHERE CASE WHEN strpos(object, '%') > 0 THEN known.name LIKE object ELSE known.name = object END)
$$;
COMMENT ON FUNCTION dbkit.names_object(text) IS 'whether there is an object of that name, or one that is LIKE it';

-- (id)::text, (id COLLATE "C") and the like are the id; 'a'::text || 'b'::text is a constant,
-- and so is a pattern with ESCAPE.
CREATE OR REPLACE FUNCTION dbkit.plain_expression(expression text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
DECLARE
	plain text := expression;
	before text := '';
	escaped text[];
BEGIN
	WHILE plain <> before LOOP
		before := plain;
		plain := regexp_replace(plain, '(?<![\w"$])\((id|VALUE)( COLLATE (\w+\.)?"[^"]*")?\)(::text|::character varying)?', '\1', 'g');
		plain := regexp_replace(plain, '\((''([^'']|'''')*'')::character varying\)::text', '\1::text', 'g');
		plain := regexp_replace(plain, '\((''([^'']|'''')*)''::text \|\| ''(([^'']|'''')*''::text)\)', '\1\3', 'g');
	END LOOP;
	escaped := regexp_match(plain, '(like_escape\((''(?:[^'']|'''')*''::text), ''([^''\\]?)''::text\))');
	RETURN CASE WHEN escaped IS NULL THEN plain
		ELSE replace(plain, escaped[1], replace(replace(escaped[2], '\', '\\'), escaped[3], CASE WHEN escaped[3] = '' THEN '' ELSE '\' END)) END;
END $$;
COMMENT ON FUNCTION dbkit.plain_expression(text) IS 'the text of an expression on ids without what leaves its value as it is';

-- The condition may be all of the CHECK, or ANDed with others.
CREATE OR REPLACE FUNCTION dbkit.pinned_prefix(expression text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
DECLARE
	parts text[] := regexp_match(dbkit.plain_expression(expression),
		'^(.*?)(\((?:id|VALUE) ~~ |"like"\((?:id|VALUE), |starts_with\((?:id|VALUE), |\((?:id|VALUE) \^@ |dbkit\.is_id\((?:id|VALUE), )''((?:[^'']|'''')*)''::text\)(.*)$');
	value text := replace(parts[3], '''''', '''');
	frame text := regexp_replace(parts[1] || chr(1) || parts[4], '''([^'']|'''')*''', '', 'g');
	before text := '';
BEGIN
	-- What is left without the other conditions in parentheses is what the condition stands in.
	WHILE frame <> before LOOP
		before := frame;
		frame := regexp_replace(frame, '\([^()\x01]*\)', '', 'g');
	END LOOP;
	IF parts IS NULL OR frame !~ '^[\w(). \x01]*$' OR frame ~ '\w\(|\m(OR|NOT|CASE|IS)\M' THEN
		RETURN NULL;
	ELSIF parts[2] LIKE 'dbkit%' THEN
		RETURN value;
	ELSIF parts[2] LIKE '%~~ ' OR parts[2] LIKE '"like"%' THEN
		value := regexp_replace(substring(value FROM '^((?:[^%\\]|\\.)*)%$'), '\\(.)', '\1', 'g');
	END IF;
	RETURN substring(value FROM '^(.+)_$');
END $$;
COMMENT ON FUNCTION dbkit.pinned_prefix(text) IS 'the prefix to which a CHECK on the id, given as text, pins it, or NULL';

-- Of the CHECKs that pin a prefix the first counts; of those that contradict the default,
-- check_names has NULL for one that cannot be dropped, and nothing else with it.
CREATE OR REPLACE FUNCTION dbkit.table_prefixes(OUT relation oid, OUT prefix text, OUT default_prefix text,
	OUT check_prefixes text[], OUT check_names text[])
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off SET standard_conforming_strings = on AS $$
WITH RECURSIVE call AS MATERIALIZED (
	SELECT regexp_replace(dbkit.installed_schema()::text, '(\W)', '\\\1', 'g') || '\.generate_id\(''' AS pattern),
ids AS MATERIALIZED (
	SELECT a.attrelid, a.attnum, a.atttypid, t.typtype, coalesce(
		-- as most are written
		substring(e.expression FROM '^' || call.pattern || '([^'']*)''::text\)$'),
		CASE WHEN strpos(e.expression, '.generate_id(') > 0 THEN substring(dbkit.plain_expression(e.expression)
			FROM '^\(*' || call.pattern || '((?:[^'']|'''')*)''::text\)(?:\)|::text|::character varying| COLLATE (?:\w+\.)?"[^"]*")*$') END) AS default_prefix
	FROM call, dbkit.schema_objects(NULL, NULL, false) o
	JOIN pg_attribute a ON a.attrelid = o.objid AND a.attname = 'id' AND NOT a.attisdropped
	JOIN pg_type t ON t.oid = a.atttypid
	LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = '',
	LATERAL (SELECT coalesce(pg_get_expr(d.adbin, d.adrelid),
		CASE WHEN a.attgenerated = '' AND a.attidentity = '' THEN pg_get_expr(t.typdefaultbin, 0) END)) AS e (expression)
	WHERE o.kind = 'table'),
domains AS (
	SELECT DISTINCT atttypid AS outermost, atttypid AS type FROM ids WHERE typtype = 'd'
	UNION ALL
	SELECT d.outermost, t.typbasetype FROM domains d JOIN pg_type t ON t.oid = d.type WHERE t.typtype = 'd'),
checks AS (
	SELECT i.attrelid, i.default_prefix, 0 AS place, k.conname, k.coninhcount > 0 AS is_inherited, pg_get_expr(k.conbin, k.conrelid) AS expression
	FROM ids i JOIN pg_constraint k ON k.conrelid = i.attrelid AND k.contype = 'c' AND i.attnum = ANY (k.conkey)
	WHERE k.convalidated OR coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
	UNION ALL
	-- whichever row it is evaluated for: that of a table has columns in it
	SELECT i.attrelid, i.default_prefix, 1, k.conname, true, CASE WHEN k.conrelid = 0 THEN pg_get_expr(k.conbin, 0) END
	FROM ids i JOIN domains d ON d.outermost = i.atttypid JOIN pg_constraint k ON k.contypid = d.type AND k.contype = 'c'),
pinned AS (
	SELECT c.attrelid, array_agg(p.prefix ORDER BY c.place, c.conname) AS prefixes, array_agg(
		CASE WHEN c.place = 0 AND (p.prefix = c.default_prefix OR c.default_prefix IS NULL
			OR NOT c.is_inherited AND c.expression !~ '\) AND |AND \(') THEN c.conname END ORDER BY c.place, c.conname) AS names
	FROM checks c,
	LATERAL (SELECT coalesce(substring(c.expression FROM '^\(id ~~ ''([a-z]+)\\?_%''::text\)$'), dbkit.pinned_prefix(c.expression))) AS p (prefix)
	WHERE p.prefix IS NOT NULL
	GROUP BY c.attrelid)
SELECT i.attrelid, coalesce(i.default_prefix, p.prefixes[1]), i.default_prefix, p.prefixes, p.names
FROM ids i LEFT JOIN pinned p USING (attrelid)
$$;
COMMENT ON FUNCTION dbkit.table_prefixes() IS 'the prefixes that the defaults and CHECKs of the tables'' ids have';

-- The oldest table has a prefix that several use.
CREATE OR REPLACE FUNCTION dbkit.id_prefixes(OUT prefix text, OUT relation oid, OUT contested boolean)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT prefix, min(relation), count(*) > 1 FROM dbkit.table_prefixes() WHERE octet_length(prefix) <= 63 GROUP BY prefix
$$;
COMMENT ON FUNCTION dbkit.id_prefixes() IS 'Which table the ids with a prefix belong to; see the view dbkit.id_prefix';

CREATE OR REPLACE VIEW dbkit.id_prefix WITH (security_invoker = true) AS
SELECT prefix COLLATE "C" AS prefix, relation, contested FROM dbkit.id_prefixes();
COMMENT ON VIEW dbkit.id_prefix IS
'Which table the ids with a prefix belong to, as the tables say it when asked';
COMMENT ON COLUMN dbkit.id_prefix.prefix IS 'The prefix, without the underscore';
COMMENT ON COLUMN dbkit.id_prefix.relation IS 'The table that has it; cast it to regclass to see its name';
COMMENT ON COLUMN dbkit.id_prefix.contested IS 'Whether another table uses the same prefix';
GRANT SELECT ON dbkit.id_prefix TO PUBLIC;

CREATE OR REPLACE FUNCTION dbkit.table_of(id text) RETURNS regclass
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT i.relation::regclass FROM (SELECT dbkit.id_prefix(id) OFFSET 0) AS of (prefix) LEFT JOIN dbkit.id_prefixes() i USING (prefix)
$$;
COMMENT ON FUNCTION dbkit.table_of(text) IS
'The table whose ids have the prefix of this id, or NULL. Errors: invalid_text_representation for a malformed id';

CREATE OR REPLACE FUNCTION dbkit.register_prefix(relation regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE AS 'BEGIN END';
COMMENT ON FUNCTION dbkit.register_prefix(regclass) IS
'Does nothing: this edition has no registry that could miss a table';

-- Three letters of the table's name in order, beginning with the first; none where all are taken
CREATE OR REPLACE FUNCTION dbkit.free_prefix(name text, taken text[]) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT candidate
FROM regexp_replace(lower(name COLLATE "C"), '[^a-z]', '', 'g') AS found (found),
	rpad(found, greatest(3, length(found)), 'x') AS letters (letters),
	generate_series(2, length(letters) - 1) AS second,
	generate_series(second + 1, length(letters)) AS third,
	concat(left(letters, 1), substr(letters, second, 1), substr(letters, third, 1)) AS candidate (candidate)
WHERE candidate <> ALL (taken)
ORDER BY second, third LIMIT 1
$$;
COMMENT ON FUNCTION dbkit.free_prefix(text, text[]) IS 'a prefix for the ids of a table of that name which is not taken, or NULL';

CREATE OR REPLACE FUNCTION dbkit.suggested_prefixes(relations oid[], takes boolean[], taken text[], OUT relation oid, OUT suggestion text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_for_fix boolean;
	name text;
BEGIN
	FOR relation, is_for_fix, name IN
		SELECT w.oid, w.takes, c.relname FROM unnest(relations, takes) AS w (oid, takes) JOIN pg_class c USING (oid) ORDER BY w.oid
	LOOP
		suggestion := dbkit.free_prefix(name, taken);
		IF is_for_fix AND suggestion IS NOT NULL THEN
			taken := taken || suggestion;
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.suggested_prefixes(oid[], boolean[], text[]) IS
'free prefixes for tables, of which no two fixes use the same';

CREATE OR REPLACE FUNCTION dbkit.column_names(relation oid, attnums smallint[]) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT string_agg(coalesce(quote_ident(a.attname), '?'), ', ' ORDER BY c.number)
FROM unnest(attnums) WITH ORDINALITY AS c (attnum, number)
LEFT JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = c.attnum AND c.attnum > 0
$$;
COMMENT ON FUNCTION dbkit.column_names(oid, smallint[]) IS 'the names of columns, quoted, separated by commas';

CREATE OR REPLACE FUNCTION dbkit.name_flaw(name text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT CASE WHEN EXISTS (SELECT FROM pg_get_keywords() WHERE word = lower(name COLLATE "C") AND catcode <> 'U') THEN 'is a keyword of SQL'
	WHEN octet_length(name) > 63 THEN 'is longer than 63 bytes'
	WHEN name !~ '^[a-z_][a-z0-9_]*$' THEN 'has to be written in quotes' END
$$;
COMMENT ON FUNCTION dbkit.name_flaw(text) IS 'what is wrong with the name of a table or column, or NULL';

CREATE OR REPLACE FUNCTION dbkit.snake_case(name text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT plain
FROM regexp_replace(name, '([a-z0-9])([A-Z])', '\1_\2', 'g') AS step1,
	regexp_replace(step1, '([A-Z])(?=[A-Z][a-z0-9])', '\1_', 'g') AS step2,
	lower(regexp_replace(step2, '[^a-zA-Z0-9]+', '_', 'g') COLLATE "C") AS step3,
	LATERAL (SELECT CASE WHEN name LIKE '%\_' THEN step3 ELSE rtrim(step3, '_') END) AS step4 (plain)
WHERE name !~ '[^\x01-\x7f]' AND plain <> '' AND dbkit.name_flaw(plain) IS NULL
$$;
COMMENT ON FUNCTION dbkit.snake_case(text) IS 'the name that is meant, as orderDate means order_date, or NULL where there is none';

CREATE OR REPLACE FUNCTION dbkit.ask_team(function regprocedure, object oid) RETURNS TABLE (column_name text, problem text, fix text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off SET standard_conforming_strings = on AS $$
BEGIN
	FOR column_name, problem, fix IN EXECUTE (SELECT format('SELECT * FROM %I.%I($1)', n.nspname, p.proname)
			FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = function) USING object LOOP
		IF problem ~ '^[ \t\r\n]*$' IS NOT FALSE THEN
			RAISE null_value_not_allowed USING MESSAGE = 'it returned a row without a problem';
		END IF;
		column_name := CASE WHEN column_name !~ '^[ \t\r\n]*$' THEN column_name END;
		fix := CASE WHEN fix !~ '^[ \t\r\n]*$' THEN rtrim(fix, E' \t\r\n;') || CASE WHEN strpos(fix, '--') > 0 THEN E'\n;' ELSE ';' END END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.ask_team(regprocedure, oid) IS 'what the function of a rule of the team says of an object';

-- What an earlier version of this file has made with other columns in its result cannot be replaced.
DO LANGUAGE plpgsql $$
DECLARE
	earlier text;
BEGIN
	FOR earlier IN SELECT oid::regprocedure::text FROM pg_proc
		WHERE pronamespace = 'dbkit'::regnamespace AND proname IN ('check', 'check_schema', 'judge', 'findings', 'team_findings') AND 'risk' <> ALL (coalesce(proargnames, '{}'))
	LOOP
		EXECUTE 'DROP FUNCTION ' || earlier;
	END LOOP;
END $$;

-- A function that fails finds nothing there, which is said once.  Nothing that it calls writes;
-- only an error takes that setting back, and it does not take back the rows.
CREATE OR REPLACE FUNCTION dbkit.team_findings(only_relation oid, only_schema oid, rules text[],
	OUT classid oid, OUT objid oid, OUT schema name, OUT name name, OUT object_type text, OUT object_identity text,
	OUT rule text, OUT place integer, OUT column_name name, OUT part text, OUT problem text, OUT alters text[], OUT statements text[], OUT risk text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	one record;
	function regprocedure;
	wrong text;
	is_said boolean;
	is_asked boolean;
BEGIN
	FOR one IN SELECT t.* FROM dbkit.own_agreement() own, dbkit.team_rules(own.agreement) t WHERE t.problem IS NULL AND t.id = ANY (rules) ORDER BY t.number LOOP
		function := dbkit.team_function(one.judge);
		is_said := false;
		rule := one.id;
		FOR classid, objid, schema, name, object_type, object_identity IN
			SELECT o.classid, o.objid, o.schema, o.name, replace(replace(o.kind, 'enum ', ''), 'definer', 'function'), o.identity
			FROM dbkit.judged_objects(only_relation, only_schema, true) o
			WHERE CASE o.kind WHEN 'type' THEN 'enum type' WHEN 'definer' THEN 'function' ELSE o.kind END = ANY (one.kinds)
			ORDER BY o.classid, o.objid LOOP
			wrong := (SELECT trouble FROM dbkit.team_function_trouble(function));
			is_asked := false;
			BEGIN
				IF wrong IS NULL THEN
					PERFORM set_config('transaction_read_only', 'on', true);
					RETURN QUERY SELECT team_findings.classid, team_findings.objid, team_findings.schema, team_findings.name, team_findings.object_type,
						team_findings.object_identity, one.id, a.number::integer, a.column_name::name,
						CASE WHEN a.column_name IS NULL THEN a.problem END, a.problem, NULL::text[], CASE WHEN a.fix IS NOT NULL THEN ARRAY[a.fix] END, 'breaks'
					FROM dbkit.ask_team(function, team_findings.objid) WITH ORDINALITY AS a (column_name, problem, fix, number);
					is_asked := true;
					RAISE EXCEPTION 'it has answered';
				END IF;
			EXCEPTION
				WHEN transaction_rollback OR insufficient_resources OR operator_intervention OR lock_not_available OR statement_too_complex THEN
					RAISE;
				WHEN others THEN
					wrong := CASE WHEN NOT is_asked THEN SQLERRM END;
			END;
			IF wrong IS NOT NULL AND NOT is_said THEN
				is_said := true;
				RAISE WARNING USING MESSAGE = format('the schema convention "%s" could not be judged for %s "%s.%s"', one.id, object_type, schema, name),
					DETAIL = format('Its function %s failed: %s', one.judge, wrong), HINT = 'It refuses nothing where its function fails.';
			END IF;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.team_findings(oid, oid, text[]) IS 'what breaks those rules of the team, as dbkit.findings() has it';

-- The parts of an expression between separators that stand outside of all parentheses and quotes.
CREATE OR REPLACE FUNCTION dbkit.expression_parts(expression text, separator text) RETURNS text[]
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	token text;
	depth integer := 0;
	part text := '';
	parts text[] := '{}';
BEGIN
	FOR token IN SELECT m[1] FROM regexp_matches(expression, '(''(?:[^'']|'''')*''|"(?:[^"]|"")*"| OR | AND | = |, |[^''"(), ]+|.)', 'g') AS m LOOP
		depth := depth + CASE token WHEN '(' THEN 1 WHEN ')' THEN -1 ELSE 0 END;
		IF depth = 0 AND token = separator THEN
			parts := parts || part;
			part := '';
		ELSE
			part := part || token;
		END IF;
	END LOOP;
	RETURN parts || part;
END $$;
COMMENT ON FUNCTION dbkit.expression_parts(text, text) IS 'what an expression has between the separators that are in no parentheses';

-- Whether an expression reads who the session works for: a setting, or a function that is not PostgreSQL's
-- and is given constants at most.
CREATE OR REPLACE FUNCTION dbkit.reads_context(expression text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
SELECT expression ~ '(?<![\w."])(current_setting|(\w+|"([^"]|"")+")\.(\w+|"([^"]|"")+"))\((''([^'']|'''')*''(::\w+)?|\d+|true|false|, )*\)'
$$;
COMMENT ON FUNCTION dbkit.reads_context(text) IS 'whether an expression reads a setting, or calls a function that is not PostgreSQL''s with no more than constants';

-- Whether the first parenthesis of an expression is closed by its last character.
CREATE OR REPLACE FUNCTION dbkit.is_enclosed(expression text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	token text;
	depth integer := 0;
BEGIN
	IF left(expression, 1) <> '(' OR right(expression, 1) <> ')' THEN
		RETURN false;
	END IF;
	FOR token IN SELECT m[1] FROM regexp_matches(left(expression, -1), '(''(?:[^'']|'''')*''|"(?:[^"]|"")*"|[^''"()]+|.)', 'g') AS m LOOP
		depth := depth + CASE token WHEN '(' THEN 1 WHEN ')' THEN -1 ELSE 0 END;
		IF depth = 0 THEN
			RETURN false;
		END IF;
	END LOOP;
	RETURN true;
END $$;
COMMENT ON FUNCTION dbkit.is_enclosed(text) IS 'whether all of an expression is in one pair of parentheses';

-- For which rows a condition is true: 2 for all, 1 for all while no tenant is set, else 0.
CREATE OR REPLACE FUNCTION dbkit.openness(expression text) RETURNS integer
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
DECLARE
	bare text := expression;
	parts text[];
	tested text[];
	compared text[];
BEGIN
	WHILE dbkit.is_enclosed(bare) LOOP
		bare := substr(bare, 2, length(bare) - 2);
	END LOOP;
	compared := regexp_match(bare, '^(\d+(?:\.\d+)?) ([<>=]+) (\d+(?:\.\d+)?)$');
	IF bare IN ('true', 'NOT false', ' SELECT true') OR bare ~ '^EXISTS \( SELECT \d*\)$' THEN
		RETURN 2;
	ELSIF compared IS NOT NULL THEN
		RETURN CASE WHEN CASE compared[2] WHEN '=' THEN compared[1]::numeric = compared[3]::numeric WHEN '<>' THEN compared[1]::numeric <> compared[3]::numeric
			WHEN '<' THEN compared[1]::numeric < compared[3]::numeric WHEN '<=' THEN compared[1]::numeric <= compared[3]::numeric
			WHEN '>' THEN compared[1]::numeric > compared[3]::numeric WHEN '>=' THEN compared[1]::numeric >= compared[3]::numeric END THEN 2 ELSE 0 END;
	ELSIF bare ~ '^NOT \(.* IS DISTINCT FROM .*\)$' AND dbkit.is_enclosed(substr(bare, 5)) THEN
		RETURN dbkit.openness(replace(substr(bare, 6, length(bare) - 6), ' IS DISTINCT FROM ', ' = '));
	ELSIF bare ~ '^(NOT|CASE|EXISTS) ' THEN
		RETURN 0;
	END IF;
	parts := dbkit.expression_parts(bare, ' OR ');
	IF cardinality(parts) > 1 THEN
		RETURN (SELECT max(dbkit.openness(part)) FROM unnest(parts) AS part);
	END IF;
	parts := dbkit.expression_parts(bare, ' AND ');
	IF cardinality(parts) > 1 THEN
		RETURN (SELECT min(dbkit.openness(part)) FROM unnest(parts) AS part);
	END IF;
	tested := regexp_match(bare, '^(.*) IS (TRUE|NOT FALSE|NOT TRUE|UNKNOWN|NULL|DISTINCT FROM false)$');
	IF tested IS NOT NULL THEN
		RETURN greatest(CASE WHEN tested[2] IN ('TRUE', 'NOT FALSE') THEN dbkit.openness(tested[1]) END,
			CASE WHEN tested[2] <> 'TRUE' AND dbkit.reads_context(tested[1]) THEN 1 END, 0);
	ELSIF bare ~ '^COALESCE\(.*\)$' THEN
		parts := dbkit.expression_parts(substr(bare, 10, length(bare) - 10), ', ');
		RETURN (SELECT max(CASE WHEN dbkit.openness(part) = 0 THEN 0 WHEN number = 1 THEN dbkit.openness(part) WHEN dbkit.reads_context(parts[number - 1]) THEN 1 ELSE 0 END)
			FROM unnest(parts) WITH ORDINALITY AS p (part, number));
	END IF;
	parts := dbkit.expression_parts(bare, ' = ');
	RETURN CASE WHEN cardinality(parts) <> 2 THEN 0 WHEN parts[1] = parts[2] THEN 2
		WHEN EXISTS (SELECT FROM (VALUES (parts[1], parts[2]), (parts[2], parts[1])) AS x (value, other)
			WHERE value LIKE 'COALESCE(%' AND right(value, length(other) + 3) = ', ' || other || ')' AND dbkit.reads_context(value)) THEN 1
		WHEN '''''::text' = ANY (parts) AND dbkit.reads_context(array_to_string(parts, ' ')) THEN 1 ELSE 0 END;
END $$;
COMMENT ON FUNCTION dbkit.openness(text) IS 'for which rows a condition is true: 2 for all, 1 for all while no tenant is set, else 0';

-- Whether somebody whom row level security binds, other than the owner, may act as the role.
CREATE OR REPLACE FUNCTION dbkit.has_bound_member(role oid, owner oid) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
WITH RECURSIVE members AS (
	SELECT has_bound_member.role AS member
	UNION
	SELECT g.member FROM members m JOIN pg_auth_members g ON g.roleid = m.member
	WHERE g.member <> owner AND (to_jsonb(g) -> 'set_option' IS NULL OR (to_jsonb(g) -> 'inherit_option')::boolean OR (to_jsonb(g) -> 'set_option')::boolean))
SELECT EXISTS (SELECT FROM members m JOIN pg_roles r ON r.oid = m.member WHERE m.member <> has_bound_member.role AND NOT r.rolsuper AND NOT r.rolbypassrls)
$$;
COMMENT ON FUNCTION dbkit.has_bound_member(oid, oid) IS 'whether a role that row level security binds, other than the owner, may act as a role';

-- What to call who has one of the privileges on a relation besides its owner and those whom row level
-- security does not bind; NULL for nobody.
CREATE OR REPLACE FUNCTION dbkit.other_user(relation oid, privileges text[], binds_owner boolean) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT u.name
FROM pg_class c,
LATERAL (
	SELECT x.attnum, x.number, CASE x.grantee WHEN 0 THEN 'everybody' ELSE format('role "%s"', r.rolname) END
	FROM (
		SELECT 0, a.* FROM aclexplode(c.relacl) WITH ORDINALITY AS a (grantor, grantee, privilege, grantable, number)
		UNION ALL SELECT t.attnum, a.* FROM pg_attribute t, aclexplode(t.attacl) WITH ORDINALITY AS a (grantor, grantee, privilege, grantable, number)
		WHERE t.attrelid = c.oid AND NOT t.attisdropped) AS x (attnum, grantor, grantee, privilege, grantable, number)
	LEFT JOIN pg_roles r ON r.oid = x.grantee
	WHERE x.privilege = ANY (privileges) AND x.grantee <> c.relowner
		AND (x.grantee = 0 OR NOT r.rolsuper AND NOT r.rolbypassrls OR r.oid IS NOT NULL AND dbkit.has_bound_member(x.grantee, c.relowner))
	UNION ALL
	SELECT p.place, 0, format('members of role "%s"', r.rolname)
	FROM (VALUES (10001, 'pg_read_all_data', '{SELECT}'::text[]), (10002, 'pg_write_all_data', '{INSERT,UPDATE,DELETE}')) AS p (place, role, of_role)
	JOIN pg_roles r ON r.rolname = p.role
	WHERE p.of_role && privileges AND dbkit.has_bound_member(r.oid, c.relowner)
	UNION ALL
	SELECT 10003, 0, format('members of role "%s"', r.rolname) FROM pg_roles r
	WHERE r.oid = c.relowner AND binds_owner AND dbkit.has_bound_member(c.relowner, c.relowner)) AS u (attnum, number, name)
WHERE c.oid = relation
ORDER BY u.attnum, u.number LIMIT 1
$$;
COMMENT ON FUNCTION dbkit.other_user(oid, text[], boolean) IS
'what to call who has one of those privileges on a relation besides its owner and those whom row level security does not bind; NULL for nobody';

-- One list of findings for each rule, over shared lists of tables, columns, keys and indexes.
-- place: where a finding stands among those of its rule and object.  part: of what it is, if
-- not of a column.  wanted_type: what the column is to be altered to first, which makes all of
-- the fix impossible where PostgreSQL cannot.
CREATE OR REPLACE FUNCTION dbkit.findings(only_relation oid, only_schema oid, rules text[],
	OUT classid oid, OUT objid oid, OUT schema name, OUT name name, OUT object_type text, OUT object_identity text,
	OUT rule text, OUT place integer, OUT column_name name, OUT part text, OUT problem text, OUT alters text[], OUT statements text[], OUT risk text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off
	SET quote_all_identifiers = off SET standard_conforming_strings = on AS $$
#variable_conflict use_column
DECLARE
	agreed jsonb := (SELECT jsonb_object_agg(v.key, v.value) FROM dbkit.own_agreement() own, dbkit.agreement_values(own.agreement) v);
	style text := agreed ->> 'id_style';
	is_prefixed boolean := style = 'prefixed';
	takes_composite boolean := (agreed -> 'composite_keys')::boolean;
	id_type oid := CASE style WHEN 'prefixed' THEN 'text'::regtype WHEN 'uuid' THEN 'uuid'::regtype WHEN 'bigint' THEN 'bigint'::regtype END;
	id_definition text := CASE style WHEN 'prefixed' THEN 'text COLLATE "C"' WHEN 'any' THEN NULL ELSE style END;
	id_key text := CASE style WHEN 'prefixed' THEN 'text COLLATE "C" PRIMARY KEY' WHEN 'uuid' THEN 'uuid PRIMARY KEY DEFAULT gen_random_uuid()'
		ELSE 'bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY' END;
	c_collation oid := '"C"'::regcollation;
	point_in_time CONSTANT text := '^((now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)|CURRENT_TIMESTAMP(\(\d\))?)$';
	created_at_columns text[] := ARRAY(SELECT jsonb_array_elements_text(agreed -> 'created_at_columns'));
	updated_at_columns text[] := ARRAY(SELECT jsonb_array_elements_text(agreed -> 'updated_at_columns'));
	organization_columns text[] := ARRAY(SELECT jsonb_array_elements_text(agreed -> 'organization_columns'));
	id_suffixes text[] := ARRAY(SELECT jsonb_array_elements_text(agreed -> 'id_suffixes'));
	extid_suffixes text[] := ARRAY(SELECT jsonb_array_elements_text(agreed -> 'extid_suffixes'));
	installed text := dbkit.installed_schema()::text;
	updated_at_function oid := (SELECT oid FROM pg_proc WHERE pronamespace = dbkit.installed_schema() AND proname = 'updated_at' AND pronargs = 0);
	-- The team's own function: the first that is named with its schema and there, or else the first of any schema
	own_function record;
	own_functions_json text := (SELECT string_agg(to_json(CASE WHEN l.schema IS NULL THEN quote_ident(l.name) ELSE format('%I.%I', l.schema, l.name) END) || ', ', '' ORDER BY l.number)
		FROM dbkit.listed_names(agreed -> 'updated_at_functions') l);
BEGIN
SELECT l.schema IS NOT NULL AS has_schema, CASE WHEN l.schema IS NULL THEN quote_ident(l.name) ELSE format('%I.%I', l.schema, l.name) END AS name
INTO own_function
FROM dbkit.listed_names(agreed -> 'updated_at_functions') l
WHERE l.schema IS NULL OR EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE n.nspname = l.schema AND p.proname = l.name AND p.pronargs = 0)
ORDER BY l.schema IS NULL, l.number LIMIT 1;

RETURN QUERY
WITH RECURSIVE
objects AS MATERIALIZED (
	SELECT * FROM dbkit.judged_objects(only_relation, only_schema, 'function_search_path' = ANY (rules))),
tables AS MATERIALIZED (
	SELECT o.objid AS relid, o.schema, o.name, o.identity, o.kind = 'enum table' AS is_enum, c.relkind = 'p' AS partitioned,
		c.relrowsecurity, c.relforcerowsecurity, c.reloftype <> 0 AS typed
	FROM objects o JOIN pg_class c ON c.oid = o.objid
	WHERE o.kind IN ('table', 'enum table')),
domains AS (
	SELECT oid AS type, typbasetype AS base, typnotnull AS not_null FROM pg_type WHERE typtype = 'd'
	UNION ALL
	SELECT d.type, t.typbasetype, d.not_null OR t.typnotnull FROM domains d JOIN pg_type t ON t.oid = d.base WHERE t.typtype = 'd'),
base_types AS MATERIALIZED (
	SELECT d.type, d.base, d.not_null FROM domains d JOIN pg_type t ON t.oid = d.base WHERE t.typtype <> 'd'),
not_valid AS MATERIALIZED (
	SELECT k.conrelid AS relid, k.conkey, k.conname, k.contype
	FROM pg_constraint k JOIN tables t ON t.relid = k.conrelid
	WHERE NOT k.convalidated AND k.conparentid = 0 AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)),
attributes AS MATERIALIZED (
	SELECT t.relid, t.identity, t.is_enum, t.typed, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attnotnull, a.atthasdef,
		a.attinhcount > 0 AS inherited, a.attidentity <> '' AS identity_column, a.attgenerated <> '' AS generated
	FROM tables t JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum > 0 AND NOT a.attisdropped),
names AS MATERIALIZED (
	SELECT a.attname, s.is_extid, CASE WHEN NOT s.is_extid THEN (SELECT suffix FROM unnest(id_suffixes) WITH ORDINALITY AS x (suffix, number)
		WHERE right(a.attname, length(suffix)) = suffix ORDER BY number LIMIT 1) END AS suffix
	FROM (SELECT DISTINCT attname FROM attributes) AS a,
	LATERAL (SELECT EXISTS (SELECT FROM unnest(extid_suffixes) AS suffix WHERE right(a.attname, length(suffix)) = suffix)) AS s (is_extid)),
columns AS MATERIALIZED (
	SELECT a.relid, a.identity, a.is_enum, a.typed, a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS typmod, coalesce(b.base, a.atttypid) AS base,
		a.attcollation AS collation, a.inherited, a.identity_column, a.generated,
		a.attnotnull AND v.relid IS NULL OR b.not_null IS TRUE AND NOT (a.identity_column OR a.generated) AS not_null,
		a.attnotnull OR b.not_null IS TRUE AND NOT (a.identity_column OR a.generated) AS refuses_null,
		NOT a.generated AND (a.atthasdef OR NOT a.identity_column AND y.typdefaultbin IS NOT NULL) AS has_default,
		CASE WHEN NOT a.generated AND (a.attname = 'id' OR a.attname = ANY (created_at_columns || updated_at_columns))
			THEN coalesce(pg_get_expr(d.adbin, d.adrelid), CASE WHEN NOT a.identity_column THEN pg_get_expr(y.typdefaultbin, 0) END) END AS expression,
		n.is_extid, n.suffix
	FROM attributes a
	JOIN names n USING (attname)
	LEFT JOIN base_types b ON b.type = a.atttypid
	LEFT JOIN pg_type y ON y.oid = b.type
	LEFT JOIN pg_attrdef d ON d.adrelid = a.relid AND d.adnum = a.attnum
	LEFT JOIN not_valid v ON v.relid = a.relid AND v.contype = 'n' AND v.conkey[1] = a.attnum),
indexes AS MATERIALIZED (
	SELECT i.indrelid AS relid, i.indexrelid, c.relname, c.relam, i.indnkeyatts AS width, i.indisprimary, i.indisunique, i.indimmediate, i.indnullsnotdistinct,
		i.indisvalid, i.indisvalid AND i.indpred IS NULL AS usable, i.indisprimary OR i.indisreplident OR i.indisclustered OR k.oid IS NOT NULL AS is_constraint,
		(i.indkey::smallint[])[0:i.indnkeyatts - 1] AS keys, i.indkey::smallint[] AS all_keys,
		(i.indclass::oid[])[0:i.indnkeyatts - 1] AS classes, (i.indcollation::oid[])[0:i.indnkeyatts - 1] AS collations,
		(i.indoption::smallint[])[0:i.indnkeyatts - 1] AS options,
		-- of a partial index: the columns of which its condition says that they are not null, and nothing else
		CASE WHEN i.indisvalid AND i.indpred IS NOT NULL THEN (
			SELECT array_agg(a.attnum)
			FROM regexp_split_to_table(pg_get_expr(i.indpred, i.indrelid), ' (?:AND|OR) ') AS condition
			LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum > 0 AND btrim(condition, '()') = format('%I IS NOT NULL', a.attname)) END AS not_null
	FROM tables t
	JOIN pg_index i ON i.indrelid = t.relid AND i.indislive
	JOIN pg_class c ON c.oid = i.indexrelid
	LEFT JOIN pg_constraint k ON k.conrelid = i.indrelid AND k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')),
partitions AS (
	SELECT t.relid AS root, h.inhrelid AS relid, 1 AS level, ARRAY[h.inhrelid] AS path
	FROM tables t JOIN pg_inherits h ON h.inhparent = t.relid WHERE t.partitioned AND 'invalid_index' = ANY (rules)
	UNION ALL
	SELECT p.root, h.inhrelid, p.level + 1, p.path || h.inhrelid FROM partitions p JOIN pg_inherits h ON h.inhparent = p.relid),
keys AS MATERIALIZED (
	SELECT relid, keys AS key FROM indexes WHERE indisprimary),
foreign_keys AS MATERIALIZED (
	SELECT k.oid, k.conrelid AS relid, t.identity, k.conname, k.conkey, k.confrelid, k.confkey, k.confupdtype, k.confdeltype, k.confmatchtype,
		k.condeferrable, k.condeferred, k.convalidated, coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
		(row_number() OVER (PARTITION BY k.conrelid ORDER BY k.conname))::integer AS number
	FROM pg_constraint k JOIN tables t ON t.relid = k.conrelid
	WHERE k.contype = 'f' AND k.conparentid = 0 AND NOT t.is_enum AND (k.convalidated OR coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true))),
uncovered AS MATERIALIZED (
	SELECT k.* FROM foreign_keys k
	WHERE 'fk_index' = ANY (rules) AND NOT EXISTS (SELECT FROM indexes i
		WHERE i.relid = k.relid AND (i.usable OR i.not_null <@ k.conkey) AND (i.relam IN (403, 405) OR k.period AND i.relam = 783)
			AND i.width >= cardinality(k.conkey) AND i.keys[1:cardinality(k.conkey)] <@ k.conkey
			AND NOT EXISTS (SELECT FROM unnest(i.keys[1:cardinality(k.conkey)], i.collations[1:cardinality(k.conkey)]) AS x (attnum, attcollation)
				JOIN pg_attribute a ON a.attrelid = k.relid AND a.attnum = x.attnum AND a.attcollation <> x.attcollation))),
-- the widest of the keys without an index that the same index serves
widest AS MATERIALIZED (
	SELECT DISTINCT ON (k.oid) k.oid, o.conkey
	FROM uncovered k JOIN uncovered o ON o.relid = k.relid
	WHERE cardinality(o.conkey) >= cardinality(k.conkey) AND o.conkey[1:cardinality(k.conkey)] <@ k.conkey
	ORDER BY k.oid, cardinality(o.conkey) DESC, o.number),
-- the first foreign key of each column, and what it references
referenced AS MATERIALIZED (
	SELECT DISTINCT ON (k.relid, x.attnum) k.relid, x.attnum, coalesce(b.base, a.atttypid) AS base, a.attcollation AS collation
	FROM foreign_keys k
	CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS x (attnum, referenced, place)
	JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.referenced
	LEFT JOIN base_types b ON b.type = a.atttypid
	ORDER BY k.relid, x.attnum, k.number, x.place),
organizations AS MATERIALIZED (
	SELECT DISTINCT c.oid FROM dbkit.listed_names(agreed -> 'organization_tables') l
	JOIN pg_class c ON c.relname = l.name JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = coalesce(l.schema, n.nspname)),
owners AS MATERIALIZED (
	SELECT oid FROM organizations UNION
	SELECT c.oid FROM dbkit.listed_names(agreed -> 'user_tables') l
	JOIN pg_class c ON c.relname = l.name JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = coalesce(l.schema, n.nspname)),
-- the tables whose ids columns seem to hold: the first that has one of the names counts, also where its id cannot be referenced
meant_names AS MATERIALIZED (
	SELECT n.attname, l.number, l.schema, l.name
	FROM names n,
	LATERAL (SELECT CASE WHEN agreed -> 'organization_columns' ? n.attname THEN 'organization_tables' WHEN agreed -> 'user_columns' ? n.attname THEN 'user_tables' END,
		left(n.attname, -length(n.suffix))) AS w (listed, stem),
	LATERAL (
		SELECT x.number, x.schema, x.name FROM dbkit.listed_names(agreed -> w.listed) x
		UNION ALL
		-- the plural and the singular, also as some ORMs name a table after the class: userId, "User"
		SELECT 4 * capital + ending, NULL, name
		FROM (VALUES (0, w.stem), (1, upper(left(w.stem, 1) COLLATE "C") || substr(w.stem, 2))) AS s (capital, stem),
		LATERAL (VALUES (0, s.stem || 's'), (1, s.stem || 'es'), (2, CASE WHEN s.stem LIKE '_%y' THEN left(s.stem, -1) || 'ies' END), (3, s.stem)) AS e (ending, name)
		WHERE w.listed IS NULL) AS l (number, schema, name)
	WHERE n.suffix IS NOT NULL),
meant AS MATERIALIZED (
	SELECT m.relid, m.attnum, m.oid AS referenced
	FROM (
		SELECT DISTINCT ON (c.relid, c.attnum) c.relid, c.attnum, c.base, h.relowner, t.relowner AS other, t.oid
		FROM columns c JOIN meant_names l USING (attname) JOIN pg_class h ON h.oid = c.relid
		JOIN pg_class t ON t.relname::text = l.name JOIN pg_namespace n ON n.oid = t.relnamespace
		WHERE NOT c.is_enum AND CASE WHEN l.schema IS NULL THEN n.oid = h.relnamespace OR n.nspname = 'public' ELSE n.nspname = l.schema END
		ORDER BY c.relid, c.attnum, l.number, n.oid <> h.relnamespace) AS m
	JOIN pg_index i ON i.indrelid = m.oid AND i.indisprimary AND i.indimmediate AND i.indnkeyatts = 1
	JOIN pg_attribute k ON k.attrelid = m.oid AND k.attnum = i.indkey[0] AND k.attname = 'id'
	LEFT JOIN base_types b ON b.type = k.atttypid
	WHERE (m.base = coalesce(b.base, k.atttypid) OR '{int2,int4,int8}'::regtype[] @> ARRAY[m.base, coalesce(b.base, k.atttypid)]::regtype[])
		AND has_table_privilege(m.relowner, m.oid, 'REFERENCES')
		AND pg_has_role(m.other, m.relowner, 'USAGE')),
-- what columns that hold ids have to be
id_columns AS MATERIALIZED (
	SELECT c.relid, c.attnum, w.base, w.key_collation, w.definition,
		c.base = w.base AND (w.key_collation = 0 OR c.collation = w.key_collation) AS is_right
	FROM columns c LEFT JOIN referenced r USING (relid, attnum) LEFT JOIN pg_type t ON t.oid = r.base LEFT JOIN pg_collation l ON l.oid = r.collation,
	LATERAL (
		SELECT id_type, CASE WHEN is_prefixed THEN c_collation ELSE 0 END, id_definition
		WHERE (r.relid IS NULL OR is_prefixed) AND id_type IS NOT NULL AND (c.attname = 'id' OR c.suffix IS NOT NULL OR c.is_extid AND is_prefixed)
		UNION ALL
		SELECT r.base, r.collation, coalesce(n.name, format_type(r.base, NULL))
			|| CASE WHEN r.collation = 0 OR r.collation = t.typcollation AND c.base <> r.base THEN '' ELSE ' COLLATE ' || CASE l.collnamespace WHEN 'pg_catalog'::regnamespace THEN '' ELSE l.collnamespace::regnamespace || '.' END || quote_ident(l.collname) END
		FROM (SELECT CASE r.base WHEN 'timestamptz'::regtype THEN 'timestamptz' WHEN 'timestamptz[]'::regtype THEN 'timestamptz[]' END) AS n (name)
		WHERE r.relid IS NOT NULL AND NOT is_prefixed) AS w (base, key_collation, definition)
	WHERE NOT c.is_enum),
replacements AS MATERIALIZED (
	SELECT x.type, x.replacement FROM (VALUES
		('smallint'::regtype::oid, 'bigint'::regtype::oid), ('integer'::regtype, 'bigint'::regtype), ('int4range'::regtype, 'int8range'::regtype),
		('int4multirange'::regtype, 'int8multirange'::regtype), ('timestamp'::regtype, 'timestamptz'::regtype),
		('tsrange'::regtype, 'tstzrange'::regtype), ('tsmultirange'::regtype, 'tstzmultirange'::regtype),
		('varchar'::regtype, 'text'::regtype), ('bpchar'::regtype, 'text'::regtype), ('json'::regtype, 'jsonb'::regtype),
		('money'::regtype, 'numeric'::regtype)) AS x (type, replacement)),
all_replacements AS MATERIALIZED (
	SELECT type, replacement FROM replacements
	UNION ALL
	SELECT a.typarray, b.typarray FROM replacements r JOIN pg_type a ON a.oid = r.type JOIN pg_type b ON b.oid = r.replacement),
types_inside AS (
	SELECT DISTINCT type AS outermost, typmod AS outer_typmod, type, typmod FROM columns WHERE NOT is_enum
	UNION
	SELECT p.outermost, p.outer_typmod, inside.type, inside.typmod
	FROM types_inside p JOIN pg_type t ON t.oid = p.type,
	LATERAL (
		SELECT t.typbasetype, t.typtypmod WHERE t.typtype = 'd'
		UNION ALL SELECT t.typelem, p.typmod WHERE t.typcategory = 'A' AND t.typlen = -1
		UNION ALL SELECT rngsubtype, -1 FROM pg_range WHERE t.typtype = 'r' AND rngtypid = t.oid
		UNION ALL SELECT rngsubtype, -1 FROM pg_range WHERE t.typtype = 'm' AND rngmultitypid = t.oid
		UNION ALL SELECT atttypid, atttypmod FROM pg_attribute WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
	) AS inside (type, typmod)),
unwanted AS MATERIALIZED (
	SELECT p.outermost AS type, p.outer_typmod AS typmod, x.rule, x.advice, (array_agg(p.type ORDER BY p.type, p.typmod))[1] AS inside,
		(array_agg(p.typmod ORDER BY p.type, p.typmod))[1] AS inside_typmod
	FROM types_inside p JOIN pg_type t ON t.oid = p.type,
	LATERAL (
		SELECT 'enum_type', 'text with a foreign key to an enum table' WHERE t.typtype = 'e'
		UNION ALL SELECT 'timestamptz', 'timestamptz' WHERE t.oid = 'timestamp'::regtype
		UNION ALL SELECT 'bigint', 'bigint' WHERE t.oid IN ('smallint'::regtype, 'integer'::regtype)
		UNION ALL SELECT 'text_type', 'text' WHERE t.oid = 'bpchar'::regtype OR t.oid = 'varchar'::regtype AND p.typmod >= 0
		UNION ALL SELECT 'jsonb_type', 'jsonb' WHERE t.oid = 'json'::regtype
		UNION ALL SELECT 'money_type', 'numeric' WHERE t.oid = 'money'::regtype) AS x (rule, advice)
	GROUP BY 1, 2, 3, 4),
prefixes AS MATERIALIZED (
	SELECT * FROM dbkit.table_prefixes() WHERE is_prefixed AND rules && '{primary_key,id_default,id_check,id_prefix}'),
holders AS MATERIALIZED (
	SELECT prefix, min(relation) AS relation FROM prefixes WHERE octet_length(prefix) <= 63 GROUP BY prefix),
uuid_defaults AS MATERIALIZED (
	SELECT DISTINCT e.expression
	FROM (SELECT DISTINCT expression FROM columns WHERE style = 'uuid' AND attname = 'id' AND expression IS NOT NULL) AS e,
	regexp_matches(e.expression, '((?:(?:"(?:[^"]|"")+"|\w+)\.)?(?:"(?:[^"]|"")+"|\w+))\(', 'g') AS call
	JOIN pg_proc p ON p.provolatile = 'v' JOIN pg_namespace n ON n.oid = p.pronamespace
		AND call[1] = CASE n.nspname WHEN 'pg_catalog' THEN quote_ident(p.proname) ELSE format('%I.%I', n.nspname, p.proname) END),
-- the defaults that take a number from a sequence which ends before a bigint does
small_sequences AS MATERIALIZED (
	SELECT format('nextval(%L::regclass)', format('%I.%I', n.nspname, c.relname)) AS expression
	FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE q.seqtypid <> 'bigint'::regtype AND style = 'bigint'),
ids AS MATERIALIZED (
	SELECT t.relid, t.partitioned, c.attnum, c.type, c.base, c.collation, c.identity_column, c.generated, c.has_default, c.expression,
		k.key, takes_composite AND coalesce(cardinality(k.key), 0) > 1 AS is_composite, c.attnum = ANY (k.key) IS TRUE AS is_in_key,
		p.prefix, p.default_prefix, p.check_prefixes, p.check_names
	FROM tables t
	LEFT JOIN columns c ON c.relid = t.relid AND c.attname = 'id'
	LEFT JOIN keys k ON k.relid = t.relid
	LEFT JOIN prefixes p ON p.relation = t.relid
	WHERE NOT t.is_enum),
-- Of the prefixes that are suggested, those in fixes are taken.
wanting AS MATERIALIZED (
	SELECT i.relid, bool_or(w.takes) AS takes
	FROM ids i LEFT JOIN holders h ON h.prefix = i.prefix,
	LATERAL (VALUES
		('primary_key', i.attnum IS NULL AND NOT i.is_composite, true),
		('id_default', i.attnum IS NOT NULL AND i.prefix IS NULL, true),
		('id_check', i.attnum IS NOT NULL AND i.prefix IS NULL, true),
		('id_prefix', i.prefix !~ '^[a-z]{2,3}$' OR h.relation <> i.relid, false)) AS w (rule, wants, takes)
	WHERE is_prefixed AND w.wants AND w.rule = ANY (rules)
	GROUP BY i.relid),
suggestions AS MATERIALIZED (
	SELECT s.relation AS relid, s.suggestion
	FROM (SELECT array_agg(relid) AS relations, array_agg(takes) AS takes FROM wanting) AS w,
	dbkit.suggested_prefixes(w.relations, w.takes, ARRAY(SELECT prefix FROM holders)) s),
policies AS MATERIALIZED (
	SELECT p.polrelid AS relid, p.polname, p.polcmd, p.polcmd IN ('*', 'a') AS is_for_insert, p.polpermissive, p.polroles, p.polroles = '{0}' AS is_for_all,
		p.polroles = ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolname = agreed ->> 'admin_role') AS is_for_admins,
		pg_get_expr(p.polqual, p.polrelid) AS condition, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
	FROM pg_policy p JOIN tables t ON t.relid = p.polrelid
	WHERE NOT t.is_enum AND t.relrowsecurity),
-- the column that tells which tenant a row is of
tenants AS MATERIALIZED (
	SELECT DISTINCT ON (a.attrelid) a.attrelid AS relid, a.attnum, a.attname
	FROM pg_attribute a WHERE a.attname = ANY (organization_columns) AND a.attnum > 0 AND rules && '{tenant_key,open_policy}'
	ORDER BY a.attrelid, array_position(organization_columns, a.attname::text)),
-- of a partition those that are its own: what it has from its parent is reported there
own_policies AS (
	SELECT p.polrelid AS relid, p.polname, p.polcmd, p.polcmd IN ('*', 'a') AS is_for_insert, p.polpermissive, p.polroles, p.polroles = '{0}' AS is_for_all,
		p.polroles = ARRAY(SELECT r.oid FROM pg_roles r WHERE r.rolname = agreed ->> 'admin_role') AS is_for_admins,
		pg_get_expr(p.polqual, p.polrelid) AS condition, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
	FROM pg_policy p JOIN objects o ON o.objid = p.polrelid AND o.kind = 'partition' JOIN pg_class c ON c.oid = p.polrelid AND c.relrowsecurity
	WHERE 'open_policy' = ANY (rules)
		AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class h ON h.oid = i.inhparent AND h.relrowsecurity JOIN pg_policy q ON q.polrelid = h.oid
			WHERE i.inhrelid = p.polrelid AND q.polname = p.polname AND q.polpermissive AND p.polpermissive
				AND greatest(dbkit.openness(pg_get_expr(q.polqual, q.polrelid)), dbkit.openness(pg_get_expr(q.polwithcheck, q.polrelid))) > 0)),
-- what policies ask of rows that are there, and of rows as they are written
conditions AS MATERIALIZED (
	SELECT p.*, x.written, dbkit.openness(x.condition) AS openness
	FROM (SELECT * FROM policies UNION ALL SELECT * FROM own_policies) AS p JOIN tenants USING (relid),
	LATERAL (VALUES (false, CASE WHEN p.polcmd <> 'a' THEN p.condition END),
		(true, CASE WHEN p.polcmd NOT IN ('r', 'd') THEN coalesce(p.with_check, p.condition) END)) AS x (written, condition)
	WHERE x.condition IS NOT NULL AND 'open_policy' = ANY (rules)),
-- the nearest ancestors with row level security
ancestors AS (
	SELECT i.inhrelid AS relid, i.inhparent AS parent FROM pg_inherits i JOIN objects o ON o.objid = i.inhrelid WHERE 'partition_rls' = ANY (rules)
	UNION
	SELECT a.relid, i.inhparent FROM ancestors a JOIN pg_class c ON c.oid = a.parent AND NOT c.relrowsecurity JOIN pg_inherits i ON i.inhrelid = a.parent),
protected_parents AS MATERIALIZED (
	SELECT a.relid, min(format('%s.%s', n.nspname, c.relname) COLLATE "C") AS name, bool_or(c.relforcerowsecurity) AS forced
	FROM ancestors a JOIN pg_class c ON c.oid = a.parent AND c.relrowsecurity JOIN pg_namespace n ON n.oid = c.relnamespace GROUP BY a.relid),
-- What a view reads with the rights of its owner: not what a view with security_invoker does, unless it was stored.
invokers AS MATERIALIZED (
	SELECT c.oid FROM pg_class c
	WHERE c.relkind = 'v' AND EXISTS (SELECT FROM unnest(c.reloptions) AS option WHERE option ~* '^security_invoker=(t|tr|tru|true|on|y|ye|yes|1)$')),
readings AS (
	SELECT o.objid AS view, o.objid AS relid, o.kind = 'materialized view' AS stored
	FROM objects o WHERE o.kind IN ('view', 'materialized view') AND 'rls_view' = ANY (rules) AND o.objid NOT IN (SELECT i.oid FROM invokers i)
	UNION
	SELECT r.view, x.relid, x.stored
	FROM readings r, LATERAL (
		SELECT d.refobjid, r.stored OR c.relkind = 'm'
		FROM pg_rewrite w
		JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.relid
		JOIN pg_class c ON c.oid = d.refobjid
		WHERE w.ev_class = r.relid AND w.ev_type = '1' AND (r.stored OR c.oid NOT IN (SELECT i.oid FROM invokers i))
		UNION ALL
		-- a partition or child without row level security has that of the nearest ancestors
		SELECT i.inhparent, r.stored FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.oid = r.relid AND NOT c.relrowsecurity) AS x (relid, stored)),
protected_sources AS MATERIALIZED (
	SELECT r.view, CASE count(DISTINCT c.oid) WHEN 1 THEN 'table ' ELSE 'tables ' END || string_agg(DISTINCT format('"%s.%s"', n.nspname, c.relname) COLLATE "C", ', ') AS name, bool_or(c.relforcerowsecurity OR c.relowner <> v.relowner) AS binds_owner
	FROM readings r JOIN pg_class v ON v.oid = r.view JOIN pg_class c ON c.oid = r.relid AND c.relrowsecurity JOIN pg_namespace n ON n.oid = c.relnamespace
	GROUP BY r.view),
-- the tables below one, which a fix of it changes as well
members AS (
	SELECT t.relid, t.partitioned, h.inhrelid AS member FROM tables t JOIN pg_inherits h ON h.inhparent = t.relid
	UNION
	SELECT m.relid, m.partitioned, h.inhrelid FROM members m JOIN pg_inherits h ON h.inhparent = m.member),
member_columns AS MATERIALIZED (
	SELECT DISTINCT m.relid, a.attname FROM members m JOIN pg_attribute a ON a.attrelid = m.member AND a.attnum > 0 AND NOT a.attisdropped WHERE NOT m.partitioned),
-- what one of them also has from a parent that is none of these
other_parents AS MATERIALIZED (
	SELECT DISTINCT m.relid, a.attname
	FROM members m JOIN pg_inherits h ON h.inhrelid = m.member AND h.inhparent <> m.relid
	LEFT JOIN members x ON x.relid = m.relid AND x.member = h.inhparent
	JOIN pg_attribute a ON a.attrelid = h.inhparent AND a.attnum > 0 AND NOT a.attisdropped
	WHERE NOT m.partitioned AND x.relid IS NULL),
member_defaults AS MATERIALIZED (
	SELECT c.relid, c.attnum, pg_get_expr(d.adbin, d.adrelid) AS theirs, pg_get_expr(own.adbin, own.adrelid) AS ours
	FROM columns c JOIN members m USING (relid)
	JOIN pg_attribute a ON a.attrelid = m.member AND a.attname = c.attname AND a.atthasdef AND a.attgenerated = ''
	JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	LEFT JOIN pg_attrdef own ON own.adrelid = c.relid AND own.adnum = c.attnum
	WHERE c.base IN ('timestamp'::regtype, 'date'::regtype) OR c.attname = 'id' OR c.attname = ANY (created_at_columns || updated_at_columns)),
-- where one of them has a default for itself, which SET DEFAULT would take away
other_defaults AS MATERIALIZED (
	SELECT DISTINCT d.relid, d.attnum FROM member_defaults d WHERE d.theirs IS DISTINCT FROM d.ours),
-- where a default that stays would be the time of whoever inserts
local_times AS MATERIALIZED (
	SELECT DISTINCT d.relid, d.attnum FROM member_defaults d WHERE d.theirs !~ point_in_time OR d.theirs IS DISTINCT FROM d.ours AND d.ours !~ point_in_time),
-- the triggers that partitions have for themselves
member_triggers AS MATERIALIZED (
	SELECT DISTINCT m.relid, g.tgname FROM members m JOIN pg_trigger g ON g.tgrelid = m.member AND g.tgparentid = 0 WHERE m.partitioned),
clocks AS MATERIALIZED (
	SELECT DISTINCT ON (c.relid, x.rule) x.rule, c.*
	FROM columns c JOIN (VALUES ('created_at', created_at_columns), ('updated_at', updated_at_columns)) AS x (rule, names) ON c.attname = ANY (x.names)
	ORDER BY c.relid, x.rule, array_position(x.names, c.attname::text)),
own_functions AS MATERIALIZED (
	SELECT p.oid FROM dbkit.listed_names(agreed -> 'updated_at_functions') l
	JOIN pg_proc p ON p.proname = l.name JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = coalesce(l.schema, n.nspname)),
triggers AS MATERIALIZED (
	SELECT t.relid, g.tgname, g.tgfoid, g.tgenabled IN ('O', 'A') AS enabled,
		(g.tgtype & 83) = 19 AND g.tgattr = '' AND (g.tgqual IS NULL OR pg_get_triggerdef(g.oid) ~
			'WHEN \((?:\(?true\)?|\(old\.\* IS DISTINCT FROM new\.\*\)|\(new\.\* IS DISTINCT FROM old\.\*\))\) EXECUTE FUNCTION') AS sees_all,
		CASE WHEN g.tgnargs > 0 THEN convert_from(substring(g.tgargs FROM 1 FOR position('\x00'::bytea IN g.tgargs) - 1), getdatabaseencoding()) END AS argument,
		p.oid IN (SELECT f.oid FROM own_functions f) AS is_named, p.prosrc, format('%I.%I', n.nspname, p.proname) AS function
	FROM tables t
	JOIN pg_trigger g ON g.tgrelid = t.relid AND NOT g.tgisinternal
	JOIN pg_proc p ON p.oid = g.tgfoid
	JOIN pg_namespace n ON n.oid = p.pronamespace
	WHERE NOT t.is_enum),
-- Generated columns and the partition key need a column as it is.
fixed_columns AS MATERIALIZED (
	SELECT p.refobjid AS relid, p.refobjsubid AS attnum
	FROM columns c JOIN pg_attrdef d ON d.adrelid = c.relid AND d.adnum = c.attnum
	JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
		AND p.refobjid = c.relid AND p.refobjsubid <> c.attnum
	WHERE c.generated
	UNION ALL
	SELECT p.objid, p.objsubid FROM tables t JOIN pg_depend p ON p.classid = 'pg_class'::regclass AND p.objid = t.relid AND p.objsubid > 0
		AND p.refclassid = 'pg_class'::regclass AND p.refobjid = t.relid AND p.refobjsubid = 0 AND p.deptype = 'i'
	WHERE t.partitioned
	UNION ALL
	SELECT c.relid, c.attnum
	FROM members m JOIN pg_depend p ON p.classid = 'pg_class'::regclass AND p.objid = m.member AND p.objsubid > 0
		AND p.refclassid = 'pg_class'::regclass AND p.refobjid = m.member AND p.refobjsubid = 0 AND p.deptype = 'i'
	JOIN pg_attribute a ON a.attrelid = p.objid AND a.attnum = p.objsubid JOIN columns c ON c.relid = m.relid AND c.attname = a.attname
	WHERE m.partitioned
	UNION ALL
	SELECT c.relid, c.attnum
	FROM members m JOIN pg_attribute g ON g.attrelid = m.member AND g.attgenerated <> ''
	JOIN pg_attrdef d ON d.adrelid = g.attrelid AND d.adnum = g.attnum
	JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
		AND p.refobjid = g.attrelid AND p.refobjsubid <> g.attnum
	JOIN pg_attribute a ON a.attrelid = p.refobjid AND a.attnum = p.refobjsubid JOIN columns c ON c.relid = m.relid AND c.attname = a.attname
	UNION ALL
	SELECT c.relid, c.attnum FROM columns c JOIN other_parents USING (relid, attname)),
-- What an index, a CHECK or whatever else depends on a column says of its type
keepers AS MATERIALIZED (
	SELECT c.relid, c.attnum, bool_or(k.oid IS NULL AND i.indexrelid IS NULL) AS keeps_any,
		bool_or(i.indexrelid IS NOT NULL) AS is_indexed, bool_or(k.oid IS NOT NULL) AS is_checked,
		-- perhaps a function of exactly that type
		bool_or(concat(pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid), pg_get_expr(k.conbin, k.conrelid)) ~ '\w\(') AS calls
	FROM (SELECT relid, relid AS holder FROM tables UNION ALL SELECT relid, member FROM members) AS t
	JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.holder AND d.refobjsubid > 0 AND d.deptype <> 'i'
	JOIN pg_attribute h ON h.attrelid = d.refobjid AND h.attnum = d.refobjsubid JOIN columns c ON c.relid = t.relid AND c.attname = h.attname
	LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
	LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.contype = 'c'
	WHERE i.indexrelid IS NOT NULL OR k.oid IS NOT NULL OR d.classid IN ('pg_proc'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass,
		'pg_policy'::regclass, 'pg_publication_rel'::regclass)
	GROUP BY c.relid, c.attnum),
-- where the type of a table's rows, or an array of them, is used, if only by subscribers; in a column it cannot change
row_type_uses AS MATERIALIZED (
	SELECT u.relid, bool_or(u.in_column) AS in_column
	FROM (
		SELECT t.relid, d.classid = 'pg_class'::regclass AND d.objsubid <> 0
		FROM tables t JOIN pg_class c ON c.oid = t.relid JOIN pg_type y ON y.oid = c.reltype CROSS JOIN unnest(ARRAY[y.oid, y.typarray]) AS type
		JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = type AND d.deptype <> 'i'
		UNION ALL
		SELECT t.relid, false FROM tables t JOIN pg_class c ON c.oid = t.relid
		WHERE EXISTS (SELECT FROM pg_publication WHERE puballtables) OR c.oid IN (SELECT prrelid FROM pg_publication_rel)
			OR c.relnamespace IN (SELECT pnnspid FROM pg_publication_namespace)) AS u (relid, in_column)
	GROUP BY u.relid),
-- tables above a foreign table, whose server would not hear of another column
above_foreign AS MATERIALIZED (
	WITH RECURSIVE above AS (
		SELECT i.inhparent AS relid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f'
		UNION
		SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.relid)
	SELECT a.relid, c.relkind = 'p' AS partitioned FROM above a JOIN pg_class c ON c.oid = a.relid),
found (relid, rule, place, column_name, part, problem, wanted_type, wanted_attnum, wanted_definition, alters, statements, risk) AS (
	-- ids
	SELECT i.relid, 'primary_key', 0, CASE WHEN i.attnum IS NOT NULL AND style <> 'any' AND (i.is_in_key OR NOT i.is_composite) THEN 'id'::name END,
		NULL::text, p.problem, NULL::oid, NULL::smallint, NULL::text, NULL::text[], NULL::text[], NULL::text
	FROM ids i LEFT JOIN suggestions s USING (relid) LEFT JOIN pg_collation l ON l.oid = i.collation,
	LATERAL (
		SELECT array_agg(x.attnum ORDER BY x.number)
		FROM unnest(i.key) WITH ORDINALITY AS x (attnum, number)
		WHERE i.is_composite AND (i.relid, x.attnum) NOT IN (SELECT r.relid, r.attnum FROM referenced r)) AS own (columns),
	LATERAL (
		SELECT concat_ws(', ',
			CASE WHEN i.base <> id_type THEN 'is ' || format_type(i.type, NULL)
				WHEN is_prefixed AND i.collation <> c_collation THEN format('has collation "%s"', l.collname) END,
			CASE WHEN i.is_composite AND i.is_in_key THEN NULL
				WHEN i.key IS NULL THEN 'is not the primary key'
				WHEN NOT i.is_in_key THEN format('is not the primary key, which is (%s)', dbkit.column_names(i.relid, i.key))
				WHEN NOT i.partitioned AND cardinality(i.key) > 1 THEN format('is not the whole primary key, which is (%s)', dbkit.column_names(i.relid, i.key)) END,
			CASE WHEN i.base <> id_type OR is_prefixed OR i.identity_column THEN NULL
				WHEN style = 'uuid' THEN CASE WHEN i.expression IS NULL OR i.expression NOT IN (SELECT u.expression FROM uuid_defaults u)
					THEN 'has no default that generates a uuid' END
				WHEN i.expression IS NULL OR i.expression !~ '^nextval\(' THEN 'is not an identity column and has no sequence'
				WHEN i.expression IN (SELECT q.expression FROM small_sequences q) THEN 'has a sequence that is not a bigint one' END)) AS w (wrong),
	LATERAL (
		SELECT CASE
			WHEN style = 'any' THEN CASE WHEN i.key IS NULL THEN 'there is no primary key; use PRIMARY KEY' END
			WHEN i.is_composite AND NOT i.is_in_key THEN CASE WHEN own.columns IS NOT NULL THEN format(
				'the primary key (%s) has no column "id", and not all of its columns are foreign keys; use id %s, or REFERENCES for (%s)',
				dbkit.column_names(i.relid, i.key), id_key, dbkit.column_names(i.relid, own.columns)) END
			WHEN i.attnum IS NULL THEN format('there is no column "id"; use id %s', id_key)
				|| CASE WHEN s.suggestion IS NULL THEN '' ELSE format(' DEFAULT %s.generate_id(%L) CHECK (id LIKE %L)', installed, s.suggestion, s.suggestion || '_%') END
			WHEN w.wrong <> '' THEN format('column "id" %s; use id %s', w.wrong, id_key) END) AS p (problem)
	WHERE p.problem IS NOT NULL
	UNION ALL
	SELECT i.relid, 'id_default', 0, 'id', NULL, CASE
			WHEN i.has_default THEN 'the default of column "id" is not dbkit''s generate_id() with a constant prefix'
			WHEN i.generated THEN 'column "id" is a generated column' ELSE 'column "id" has no default' END || '; use ' || w.wanted,
		NULL, NULL, NULL, CASE WHEN p.prefix IS NOT NULL AND i.base = 'text'::regtype AND NOT i.generated AND d.relid IS NULL THEN ARRAY['ALTER COLUMN id SET ' || w.wanted] END, NULL,
		CASE WHEN i.has_default THEN 'breaks' ELSE 'safe' END
	FROM ids i LEFT JOIN suggestions s USING (relid) LEFT JOIN other_defaults d ON d.relid = i.relid AND d.attnum = i.attnum,
	-- it may be one that generate_id() refuses
	LATERAL (SELECT CASE WHEN x <> '' AND dbkit.is_prefix(x) THEN x END FROM coalesce(i.prefix, s.suggestion) AS x) AS p (prefix),
	LATERAL (SELECT format('DEFAULT %s.generate_id(%L)', installed, coalesce(p.prefix, '...'))) AS w (wanted)
	WHERE is_prefixed AND i.attnum IS NOT NULL AND i.default_prefix IS NULL
	UNION ALL
	SELECT i.relid, 'id_check', 0, 'id', NULL, CASE
			WHEN i.check_prefixes IS NULL THEN 'no CHECK pins the prefix of column "id"'
			ELSE format('the CHECK on column "id" pins the prefix "%s", its default makes "%s"', i.check_prefixes[1], i.default_prefix) END
			|| '; use ' || w.wanted,
		NULL, NULL, NULL, CASE WHEN p.prefix <> '' AND dbkit.is_prefix(p.prefix) AND array_position(i.check_names, NULL) IS NULL AND i.base = 'text'::regtype AND d.relid IS NULL
			THEN ARRAY(SELECT format('DROP CONSTRAINT %I', x) FROM unnest(i.check_names) AS x) || ('ADD ' || w.wanted) END, NULL, 'breaks'
	FROM ids i LEFT JOIN suggestions s USING (relid) LEFT JOIN other_defaults d ON d.relid = i.relid AND d.attnum = i.attnum,
	LATERAL (SELECT coalesce(i.prefix, s.suggestion)) AS p (prefix),
	LATERAL (SELECT format('CHECK (id LIKE %L)', coalesce(p.prefix, '...') || '_%')) AS w (wanted)
	WHERE is_prefixed AND i.attnum IS NOT NULL
		AND (i.check_prefixes IS NULL OR i.default_prefix <> ALL (i.check_prefixes))
	UNION ALL
	SELECT i.relid, 'id_prefix', 0, 'id', NULL, format('prefix "%s" is not 2 or 3 lower-case letters; use one that is', i.prefix), NULL, NULL, NULL, NULL, NULL, NULL
	FROM ids i WHERE i.prefix !~ '^[a-z]{2,3}$'
	UNION ALL
	SELECT i.relid, 'id_prefix', 1, 'id', NULL, format('prefix "%s" belongs to table "%s"; use another', i.prefix,
			(SELECT format('%s.%s', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = h.relation))
			|| coalesce(', such as "' || s.suggestion || '"', ''), NULL, NULL, NULL, NULL, NULL, NULL
	FROM ids i JOIN holders h ON h.prefix = i.prefix LEFT JOIN suggestions s USING (relid)
	WHERE h.relation <> i.relid
	-- columns
	UNION ALL
	SELECT t.relid, x.rule, 0, coalesce(c.attname, x.names[1]::name), NULL,
		CASE WHEN c.relid IS NULL THEN format('there is no column "%s"; use %I %s', x.names[1], x.names[1], w.definition)
			ELSE format('column "%s" %s; use %s', c.attname, f.wrong, w.definition) END,
		CASE WHEN c.base <> 'timestamptz'::regtype THEN 'timestamptz'::regtype::oid END, c.attnum, 'timestamptz',
		CASE WHEN c.relid IS NULL THEN CASE WHEN NOT t.typed AND u.in_column IS NOT TRUE AND t.relid NOT IN (SELECT f.relid FROM above_foreign f)
				AND (t.relid, x.names[1]::name) NOT IN (SELECT m.relid, m.attname FROM member_columns m) THEN ARRAY[format('ADD COLUMN %s%I %s', CASE WHEN t.relid IN (SELECT i.relid FROM columns i WHERE i.inherited) THEN 'IF NOT EXISTS ' ELSE '' END, x.names[1], w.definition)] END
			WHEN NOT c.generated THEN array_remove(ARRAY[
				CASE WHEN NOT c.not_null THEN format('ALTER COLUMN %I SET NOT NULL', c.attname) END,
				CASE WHEN NOT clock.is_set AND d.relid IS NULL THEN format('ALTER COLUMN %I SET DEFAULT now()', c.attname) END], NULL) END, NULL,
		-- a default for what may be left out before; where no row could be without it, nobody can have left it out
		CASE WHEN c.relid IS NULL THEN CASE WHEN u.relid IS NULL THEN 'safe' ELSE 'breaks' END
			WHEN c.base = 'timestamptz'::regtype AND c.not_null AND NOT c.has_default THEN 'safe' ELSE 'breaks' END
	FROM (SELECT 'timestamptz NOT NULL DEFAULT now()') AS w (definition),
	tables t CROSS JOIN (VALUES ('created_at', created_at_columns), ('updated_at', updated_at_columns)) AS x (rule, names)
	LEFT JOIN clocks c ON c.relid = t.relid AND c.rule = x.rule
	LEFT JOIN other_defaults d ON d.relid = c.relid AND d.attnum = c.attnum
	LEFT JOIN row_type_uses u ON u.relid = t.relid,
	-- a cast that a column of another type needs is not seen in the text
	LATERAL (SELECT c.base = 'timestamptz'::regtype AND c.expression IS NOT NULL AND c.expression ~
		'^\(*((now|transaction_timestamp|statement_timestamp|clock_timestamp)\(\)|CURRENT_TIMESTAMP(\(\d\))?)(\)+::timestamp\(\d\) with time zone)?$') AS clock (is_set),
	LATERAL (SELECT concat_ws(', ',
		CASE WHEN c.base <> 'timestamptz'::regtype THEN 'is ' || format_type(c.type, NULL) END,
		CASE WHEN NOT c.not_null THEN 'may be null' END,
		CASE WHEN c.generated THEN 'is a generated column'
			WHEN NOT clock.is_set AND (NOT c.has_default OR c.base = 'timestamptz'::regtype) THEN 'has no default that is the current time' END)) AS f (wrong)
	WHERE NOT t.is_enum AND x.names <> '{}' AND (c.relid IS NULL OR f.wrong <> '')
	UNION ALL
	SELECT t.relid, 'storytime', 0, 'storytime', NULL,
		CASE WHEN c.relid IS NULL THEN 'there is no column "storytime"; use storytime jsonb'
			ELSE format('column "storytime" is %s; use jsonb', format_type(c.type, NULL)) END,
		CASE WHEN c.relid IS NOT NULL THEN 'jsonb'::regtype::oid END, c.attnum, 'jsonb',
		CASE WHEN c.relid IS NULL AND NOT t.typed AND u.in_column IS NOT TRUE AND t.relid NOT IN (SELECT f.relid FROM above_foreign f)
				AND (t.relid, 'storytime'::name) NOT IN (SELECT m.relid, m.attname FROM member_columns m)
			THEN ARRAY[format('ADD COLUMN %sstorytime jsonb', CASE WHEN t.relid IN (SELECT i.relid FROM columns i WHERE i.inherited) THEN 'IF NOT EXISTS ' ELSE '' END)] END, NULL,
		CASE WHEN c.relid IS NULL AND u.relid IS NULL THEN 'safe' ELSE 'breaks' END
	FROM tables t LEFT JOIN columns c ON c.relid = t.relid AND c.attname = 'storytime' LEFT JOIN row_type_uses u ON u.relid = t.relid
	WHERE NOT t.is_enum AND (c.relid IS NULL OR c.base <> 'jsonb'::regtype)
	UNION ALL
	SELECT c.relid, u.rule, c.attnum, c.attname, NULL, format('column "%s" is %s; use %s', c.attname,
			format_type(c.type, c.typmod) || CASE WHEN c.type = u.inside OR r.type IS NOT NULL THEN '' ELSE ', which contains ' || format_type(u.inside, u.inside_typmod) END,
			w.definition),
		CASE WHEN c.attname <> 'id' AND (l.length IS NULL OR l.is_column) THEN w.type END, c.attnum, concat(w.definition, (
			SELECT ' COLLATE ' || CASE x.collnamespace WHEN 'pg_catalog'::regnamespace THEN '' ELSE x.collnamespace::regnamespace || '.' END || quote_ident(x.collname)
			FROM pg_collation x WHERE x.oid = c.collation AND x.collname <> 'default' AND u.rule = 'text_type' AND i.relid IS NULL)),
		CASE WHEN c.attname <> 'id' AND l.is_column THEN ARRAY[format('ADD CHECK (length(%I) <= %s)', c.attname, l.length)] END, NULL, 'breaks'
	FROM columns c JOIN unwanted u USING (type, typmod) LEFT JOIN all_replacements r USING (type) LEFT JOIN id_columns i USING (relid, attnum),
	LATERAL (SELECT CASE WHEN i.relid IS NULL THEN r.replacement ELSE i.base END,
		coalesce(i.definition, CASE r.replacement WHEN 'timestamptz'::regtype THEN 'timestamptz' WHEN 'timestamptz[]'::regtype THEN 'timestamptz[]'
			ELSE format_type(r.replacement, NULL) END, u.advice)) AS w (type, definition),
	-- the limit stays as a CHECK, where one can say it; ids have a length of their own
	LATERAL (SELECT CASE WHEN u.rule = 'text_type' AND c.typmod >= 4 AND i.relid IS NULL THEN c.typmod - 4 END) AS n (length),
	LATERAL (SELECT n.length, n.length IS NOT NULL AND c.type IN ('varchar'::regtype, 'bpchar'::regtype)) AS l (length, is_column)
	WHERE NOT c.is_enum AND i.is_right IS NOT TRUE
	UNION ALL
	SELECT c.relid, 'text_id', c.attnum, c.attname, NULL, CASE
			WHEN c.base = i.base THEN format('column "%s" has collation "%s"; use %s', c.attname,
				(SELECT l.collname FROM pg_collation l WHERE l.oid = c.collation), i.definition)
			ELSE format('column "%s" is %s; use %s', c.attname, format_type(c.type, NULL), i.definition) END,
		i.base, c.attnum, i.definition, NULL, NULL, 'breaks'
	FROM columns c JOIN id_columns i USING (relid, attnum)
	WHERE c.attname <> 'id' AND (c.suffix IS NOT NULL OR c.is_extid) AND NOT i.is_right
	UNION ALL
	SELECT c.relid, 'column_comment', c.attnum, c.attname, NULL,
		format('column "%s" has no comment; use COMMENT ON COLUMN %s.%I IS ''...''', c.attname, c.identity, c.attname), NULL, NULL, NULL, NULL, NULL, NULL
	FROM columns c
	WHERE NOT c.is_enum AND 'column_comment' = ANY (rules)
		AND NOT EXISTS (SELECT FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = c.relid AND d.objsubid = c.attnum)
	-- names
	UNION ALL
	SELECT t.relid, 'snake_case', 0, NULL, NULL, format('its name %s; use %s', f.flaw, coalesce(f.wanted, 'another name')), NULL, NULL, NULL, NULL, NULL, NULL
	FROM tables t, LATERAL (SELECT dbkit.name_flaw(t.name), (SELECT x FROM dbkit.snake_case(t.name) AS x
		WHERE NOT EXISTS (SELECT FROM pg_class k JOIN pg_namespace n ON n.oid = k.relnamespace WHERE n.nspname = t.schema AND k.relname = x))) AS f (flaw, wanted)
	WHERE NOT t.is_enum AND 'snake_case' = ANY (rules) AND f.flaw IS NOT NULL
	UNION ALL
	SELECT c.relid, 'snake_case', c.attnum, c.attname, NULL, format('column "%s" %s; use %s', c.attname, f.flaw, coalesce(f.wanted, 'another name')), NULL, NULL, NULL, NULL, NULL, NULL
	FROM columns c, LATERAL (SELECT dbkit.name_flaw(c.attname), (SELECT x FROM dbkit.snake_case(c.attname) AS x
		WHERE NOT EXISTS (SELECT FROM pg_attribute k WHERE k.attrelid = c.relid AND k.attname = x AND k.attnum > 0))) AS f (flaw, wanted)
	WHERE NOT c.is_enum AND 'snake_case' = ANY (rules) AND f.flaw IS NOT NULL
	-- objects
	UNION ALL
	SELECT o.objid, 'enum_type', 0, NULL, NULL, format('it is a native enum; use CREATE TABLE %I.%I (value text PRIMARY KEY)', o.schema, o.name || '_enum'),
		NULL, NULL, NULL, NULL, NULL, NULL
	FROM objects o WHERE o.kind = 'type'
	UNION ALL
	SELECT t.relid, 'enum_table', 0, c.attname, NULL, CASE WHEN c.relid IS NULL THEN 'there is no column "value"' ELSE format('column "value" %s', w.wrong) END
		|| '; use value text PRIMARY KEY', NULL, NULL, NULL, NULL, NULL, NULL
	FROM tables t LEFT JOIN columns c ON c.relid = t.relid AND c.attname = 'value' LEFT JOIN keys k ON k.relid = t.relid,
	LATERAL (SELECT concat_ws(', ', CASE WHEN c.base <> 'text'::regtype THEN 'is ' || format_type(c.type, NULL) END,
		CASE WHEN k.key IS NULL THEN 'is not the primary key'
			WHEN c.attnum <> ALL (k.key) THEN format('is not the primary key, which is (%s)', dbkit.column_names(t.relid, k.key))
			WHEN NOT t.partitioned AND cardinality(k.key) > 1 THEN format('is not the whole primary key, which is (%s)', dbkit.column_names(t.relid, k.key)) END
		)) AS w (wrong)
	WHERE t.is_enum AND (c.relid IS NULL OR w.wrong <> '')
	UNION ALL
	SELECT o.objid, 'view_security_invoker', 0, NULL, NULL,
		'it reads its tables with the rights of its owner; use WITH (security_invoker = true)', NULL, NULL, NULL,
		NULL, ARRAY[format('ALTER VIEW %s SET (security_invoker = true);', o.identity)], 'breaks'
	FROM objects o JOIN pg_class c ON c.oid = o.objid
	WHERE o.kind = 'view' AND NOT EXISTS (SELECT FROM unnest(c.reloptions) AS option WHERE option ~* '^security_invoker=(t|tr|tru|true|on|y|ye|yes|1)$')
	UNION ALL
	SELECT o.objid, 'security_definer_path', 0, NULL, substr(o.identity, length(format('%I.%I', o.schema, o.name)) + 1), CASE WHEN s.path IS NULL
			THEN 'it is SECURITY DEFINER without a search_path of its own; use ' ELSE 'it is SECURITY DEFINER with a search_path that its caller can put objects into; use ' END
			|| w.wanted, NULL, NULL, NULL, NULL, ARRAY[format('ALTER ROUTINE %s %s;', o.identity, w.wanted)], 'breaks'
	FROM objects o JOIN pg_proc p ON p.oid = o.objid
	LEFT JOIN LATERAL (SELECT substr(setting, 13) FROM unnest(p.proconfig) AS setting WHERE starts_with(setting, 'search_path=')) AS s (path) ON true,
	LATERAL (SELECT format('SET search_path = pg_catalog, %I, pg_temp', o.schema)) AS w (wanted)
	WHERE o.kind = 'definer' AND (s.path IS NULL OR s.path ~ '\$user' OR s.path !~ '^\s*(""|(.*,\s*)?(pg_temp|"pg_temp"))?\s*$')
	UNION ALL
	SELECT o.objid, 'function_search_path', 0, NULL, substr(o.identity, length(format('%I.%I', o.schema, o.name)) + 1),
		'it looks names up along the search_path of its caller; use ' || w.wanted, NULL, NULL, NULL, NULL,
		-- with a SET clause a procedure could not COMMIT
		CASE WHEN p.prokind <> 'p' THEN ARRAY[format('ALTER ROUTINE %s %s;', o.identity, w.wanted)] END, 'breaks'
	FROM objects o JOIN pg_proc p ON p.oid = o.objid JOIN pg_language l ON l.oid = p.prolang,
	LATERAL (SELECT format('SET search_path = pg_catalog, %I, pg_temp', o.schema)) AS w (wanted)
	WHERE o.kind IN ('function', 'definer') AND l.lanname NOT IN ('internal', 'c') AND p.prosqlbody IS NULL
		AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE starts_with(setting, 'search_path='))
		-- nobody runs the function that keeps the agreement
		AND NOT (p.proname = 'dbkit_agreement' AND p.pronamespace = dbkit.installed_schema())
	UNION ALL
	SELECT t.relid, 'updated_at_trigger', 0, NULL, NULL, CASE
			WHEN f.disabled IS NOT NULL THEN format('trigger "%s" is disabled; use ALTER TABLE %s ENABLE TRIGGER %I', f.disabled, t.identity, f.disabled)
			WHEN f.likely IS NOT NULL THEN format('trigger "%s" may set column "%s", but the agreement does not name its function; use SELECT dbkit.agree(%L)',
				f.likely, c.attname, format('{"updated_at_functions": [%s%s]}', own_functions_json, to_json(g.function)))
			ELSE format('no BEFORE UPDATE row trigger runs %s(); use %s', coalesce(own_function.name, 'updated_at'), w.wanted) END, NULL, NULL, NULL,
		CASE WHEN f.disabled IS NOT NULL THEN ARRAY[format('ENABLE TRIGGER %I', f.disabled)] END,
		CASE WHEN f.disabled IS NULL AND f.likely IS NULL AND own_function.has_schema IS NOT FALSE THEN ARRAY[w.wanted || ';'] END, 'breaks'
	FROM tables t
	JOIN clocks c ON c.relid = t.relid AND c.rule = 'updated_at'
	LEFT JOIN (
		SELECT g.relid, bool_or(g.sees_all AND s.sets AND g.enabled) AS is_kept, min(g.tgname) FILTER (WHERE g.sees_all AND s.sets) AS disabled,
			min(g.tgname) FILTER (WHERE g.sees_all AND s.seems_to_set AND g.enabled) AS likely, bool_or(g.tgname = 'updated_at') AS is_taken
		FROM triggers g JOIN clocks c ON c.relid = g.relid AND c.rule = 'updated_at',
		LATERAL (SELECT CASE WHEN g.tgfoid = updated_at_function THEN coalesce(g.argument, 'updated_at') = c.attname ELSE g.is_named END,
			-- a guess, for the message: the source is not understood
			g.tgfoid <> updated_at_function AND (g.argument IS NOT DISTINCT FROM c.attname
				OR g.prosrc ~* ('new\.' || regexp_replace(quote_ident(c.attname), '(\W)', '\\\1', 'g') || '[ \t\r\n]*:?='))) AS s (sets, seems_to_set)
		GROUP BY g.relid) AS f ON f.relid = t.relid
	LEFT JOIN triggers g ON g.relid = t.relid AND g.tgname = f.likely,
	-- in place of another one of the table, or with a number where a partition has an updated_at for itself
	LATERAL (SELECT CASE WHEN (t.relid, 'updated_at') NOT IN (SELECT x.relid, x.tgname FROM member_triggers x) THEN CASE WHEN f.is_taken THEN 'OR REPLACE ' ELSE '' END || 'TRIGGER updated_at'
		ELSE (SELECT 'TRIGGER updated_at_' || number
			FROM (SELECT x.tgname FROM member_triggers x WHERE x.relid = t.relid UNION SELECT x.tgname FROM triggers x WHERE x.relid = t.relid) AS taken
			RIGHT JOIN generate_series(1, 1 + (SELECT count(*) FROM member_triggers) + (SELECT count(*) FROM triggers)) AS number ON taken.tgname = 'updated_at_' || number
			WHERE taken.tgname IS NULL ORDER BY number LIMIT 1) END) AS n (trigger),
	LATERAL (SELECT format('CREATE %s BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s', n.trigger,
		t.identity, coalesce(own_function.name || '()', format('%s.updated_at(%s)', installed, CASE c.attname WHEN 'updated_at' THEN '' ELSE quote_literal(c.attname) END)))) AS w (wanted)
	WHERE NOT t.is_enum AND f.is_kept IS NOT TRUE
	UNION ALL
	SELECT t.relid, 'table_comment', 0, NULL, NULL, format('there is no comment; use COMMENT ON TABLE %s IS ''...''', t.identity), NULL, NULL, NULL, NULL, NULL, NULL
	FROM tables t
	WHERE NOT t.is_enum AND NOT EXISTS (SELECT FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = t.relid AND d.objsubid = 0)
	-- references between tables
	UNION ALL
	SELECT k.relid, 'fk_index', k.number, CASE WHEN cardinality(k.conkey) = 1 THEN c.attname END, k.conname::text,
		format('foreign key "%s" (%s) has no index; use %s', k.conname, dbkit.column_names(k.relid, k.conkey), w.wanted), NULL, NULL, NULL, NULL, ARRAY[w.wanted || ';'], 'locks'
	FROM uncovered k JOIN widest x USING (oid) JOIN columns c ON c.relid = k.relid AND c.attnum = k.conkey[1],
	LATERAL (SELECT format('CREATE INDEX ON %s (%s)', k.identity, dbkit.column_names(k.relid, x.conkey))) AS w (wanted)
	UNION ALL
	SELECT k.relid, 'fk_on_delete', k.number, CASE WHEN cardinality(k.conkey) = 1 THEN c.attname END, k.conname::text,
		format('foreign key "%s" to "%s.%s" is neither ON DELETE CASCADE nor ON DELETE SET NULL; use%s', k.conname, n.nspname, r.relname,
			CASE WHEN k.period THEN ' a key without PERIOD, which has no such action' ELSE a.delete END), NULL, NULL, NULL,
		-- RESTRICT says in so many words that rows are to stay: it becomes no CASCADE.  Nor does a key of generated columns.  Who adds a key evaluates expressions of the other table's indexes.
		CASE WHEN NOT k.period AND NOT (k.confdeltype = 'r' AND a.delete = ' ON DELETE CASCADE') AND NOT g.generated AND pg_has_role(r.relowner, h.relowner, 'USAGE') THEN ARRAY[format('DROP CONSTRAINT %I', k.conname),
			format('ADD CONSTRAINT %I FOREIGN KEY (%s) REFERENCES %I.%I (%s)%s%s%s%s%s%s', k.conname, dbkit.column_names(k.relid, k.conkey), n.nspname, r.relname,
				dbkit.column_names(k.confrelid, k.confkey), CASE k.confmatchtype WHEN 'f' THEN ' MATCH FULL' ELSE '' END,
				CASE k.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE' WHEN 'n' THEN ' ON UPDATE SET NULL'
					WHEN 'd' THEN ' ON UPDATE SET DEFAULT' ELSE '' END, a.delete,
				CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END, CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END,
				CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END)] END, NULL, 'breaks'
	FROM foreign_keys k
	JOIN columns c ON c.relid = k.relid AND c.attnum = k.conkey[1]
	JOIN owners o ON o.oid = k.confrelid JOIN pg_class r ON r.oid = k.confrelid JOIN pg_namespace n ON n.oid = r.relnamespace
	JOIN pg_class h ON h.oid = k.relid,
	LATERAL (SELECT bool_or((k.relid, attnum) IN (SELECT x.relid, x.attnum FROM columns x WHERE x.refuses_null)),
		bool_or((k.relid, attnum) IN (SELECT x.relid, x.attnum FROM columns x WHERE x.generated)) FROM unnest(k.conkey) AS attnum) AS g (refuses_null, generated),
	LATERAL (SELECT CASE WHEN g.refuses_null OR g.generated
		THEN ' ON DELETE CASCADE' ELSE ' ON DELETE SET NULL' END) AS a (delete)
	WHERE k.confdeltype NOT IN ('c', 'n')
	UNION ALL
	SELECT k.relid, 'fk_type', k.number * 100 + x.place::integer, c.attname, NULL, CASE
			WHEN c.base = o.base THEN format('column "%s" has collation "%s", but what it references in "%s.%s" has "%s"; use %s', c.attname,
				(SELECT l.collname FROM pg_collation l WHERE l.oid = c.collation), n.nspname, q.relname, y.collname, u.advice)
			ELSE format('column "%s" is %s, but what it references in "%s.%s" is %s; use %s', c.attname, format_type(c.type, NULL), n.nspname, q.relname,
				format_type(a.atttypid, NULL), u.advice) END,
		CASE WHEN u.other_is_right THEN o.base END, c.attnum, w.definition, NULL, NULL, 'breaks'
	FROM foreign_keys k
	CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS x (attnum, referenced, place)
	JOIN columns c ON c.relid = k.relid AND c.attnum = x.attnum
	JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.referenced
	JOIN pg_class q ON q.oid = k.confrelid JOIN pg_namespace n ON n.oid = q.relnamespace
	LEFT JOIN base_types b ON b.type = a.atttypid
	CROSS JOIN LATERAL (SELECT coalesce(b.base, a.atttypid)) AS o (base)
	JOIN pg_type t ON t.oid = o.base
	LEFT JOIN all_replacements r ON r.type = o.base AND r.replacement = c.base
	LEFT JOIN id_columns i ON i.relid = k.relid AND i.attnum = x.attnum AND i.is_right
	LEFT JOIN pg_collation y ON y.oid = a.attcollation
	CROSS JOIN LATERAL (SELECT CASE o.base WHEN 'timestamptz'::regtype THEN 'timestamptz' WHEN 'timestamptz[]'::regtype THEN 'timestamptz[]' ELSE format_type(o.base, NULL) END
		|| CASE WHEN a.attcollation = 0 OR a.attcollation = t.typcollation AND c.base <> o.base THEN '' ELSE ' COLLATE ' || CASE y.collnamespace WHEN 'pg_catalog'::regnamespace THEN '' ELSE y.collnamespace::regnamespace || '.' END || quote_ident(y.collname) END) AS w (definition),
	-- or is the other end the one to change?
	LATERAL (SELECT i.relid IS NULL AND r.type IS NULL, CASE WHEN i.relid IS NOT NULL THEN i.definition || ' for both'
		WHEN r.type IS NOT NULL THEN format_type(c.type, NULL) || ' for both' ELSE w.definition END) AS u (other_is_right, advice)
	WHERE 'fk_type' = ANY (rules) AND (c.base <> o.base OR c.collation <> a.attcollation)
	UNION ALL
	SELECT c.relid, 'extid', c.attnum, c.attname, NULL,
		format('column "%s" is not a foreign key; add REFERENCES, or rename it to "%s" if the id comes from another system', c.attname, e.name),
		NULL, NULL, NULL,
		CASE WHEN m.relid IS NOT NULL AND NOT c.generated AND c.relid NOT IN (SELECT f.relid FROM above_foreign f WHERE f.partitioned)
				-- whose rows last as long
				AND EXISTS (SELECT FROM pg_class x JOIN pg_class y ON y.oid = c.relid WHERE x.oid = m.referenced AND x.relpersistence IN ('p', y.relpersistence)) THEN ARRAY[format('ADD FOREIGN KEY (%I) REFERENCES %s (id)%s', c.attname, dbkit.relation_name(m.referenced),
			CASE WHEN m.referenced NOT IN (SELECT o.oid FROM owners o) THEN '' WHEN c.refuses_null THEN ' ON DELETE CASCADE' ELSE ' ON DELETE SET NULL' END)] END,
		CASE WHEN m.relid IS NULL AND octet_length(e.name) < 64 AND NOT c.inherited AND NOT c.typed AND c.relid NOT IN (SELECT f.relid FROM above_foreign f) AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.relid AND a.attname = e.name)
			AND (c.relid, e.name::name) NOT IN (SELECT x.relid, x.attname FROM member_columns x)
			AND (c.relid, c.attname) NOT IN (SELECT x.relid, x.attname FROM other_parents x)
			THEN ARRAY[format('ALTER TABLE %s RENAME COLUMN %I TO %I;', c.identity, c.attname, e.name)] END, 'breaks'
	FROM columns c LEFT JOIN referenced r USING (relid, attnum) LEFT JOIN keys k USING (relid) LEFT JOIN meant m USING (relid, attnum),
	-- written as the suffix is: _id and _extid, Id and Extid
	LATERAL (SELECT left(c.attname, -length(c.suffix)) || coalesce(
		(SELECT x FROM unnest(extid_suffixes) WITH ORDINALITY AS e (x, number) WHERE (x LIKE '\_%') = (c.suffix LIKE '\_%') ORDER BY number LIMIT 1),
		CASE WHEN c.suffix LIKE '\_%' THEN '_extid' ELSE 'Extid' END)) AS e (name)
	WHERE NOT c.is_enum AND c.suffix IS NOT NULL AND r.relid IS NULL AND c.attnum = ANY (k.key) IS NOT TRUE
	UNION ALL
	SELECT t.relid, 'organization_scope', 0, coalesce(r.attname, l.attname), NULL, CASE
			WHEN r.relid IS NOT NULL THEN format('column "%s" may be null; use NOT NULL', r.attname)
			ELSE CASE WHEN l.relid IS NULL THEN 'no column references' ELSE format('column "%s" does not reference', l.attname) END
				|| ' the organization table; use ' || concat_ws(' ', coalesce(quote_ident(coalesce(l.attname::text, organization_columns[1])), 'a column'), id_definition)
				|| ' NOT NULL with a foreign key to the organization table' END, NULL, NULL, NULL, NULL, NULL, NULL
	FROM tables t
	LEFT JOIN (SELECT DISTINCT ON (k.relid) k.relid, c.attname, c.not_null
		FROM foreign_keys k JOIN organizations o ON o.oid = k.confrelid JOIN columns c ON c.relid = k.relid AND c.attnum = k.conkey[1]
		ORDER BY k.relid, c.not_null DESC, k.number DESC) AS r USING (relid)
	LEFT JOIN (SELECT DISTINCT ON (c.relid) c.relid, c.attname FROM columns c WHERE c.attname = ANY (organization_columns)
		ORDER BY c.relid, array_position(organization_columns, c.attname::text)) AS l USING (relid)
	WHERE NOT t.is_enum AND 'organization_scope' = ANY (rules) AND r.not_null IS NOT TRUE AND t.relid NOT IN (SELECT o.oid FROM organizations o)
	UNION ALL
	SELECT k.relid, 'tenant_key', k.number, CASE WHEN cardinality(k.conkey) = 1 THEN c.attname END, k.conname::text,
		format('foreign key "%s" (%s) can reference a row of another tenant; use ', k.conname, dbkit.column_names(k.relid, k.conkey))
			|| CASE WHEN (t.attnum = ANY (k.conkey)) <> (r.attnum = ANY (k.confkey)) THEN format('a key to %I.%I that pairs the columns of the tenants', n.nspname, o.relname)
				ELSE format('FOREIGN KEY (%s) REFERENCES %I.%I (%s), with UNIQUE (%4$s) there', dbkit.column_names(k.relid, t.attnum || array_remove(k.conkey, t.attnum)),
					n.nspname, o.relname, dbkit.column_names(k.confrelid, r.attnum || array_remove(k.confkey, r.attnum))) END, NULL, NULL, NULL, NULL, f.statements, CASE WHEN f.statements IS NOT NULL THEN 'breaks' END
	FROM foreign_keys k JOIN tenants t USING (relid) JOIN tenants r ON r.relid = k.confrelid
	JOIN columns c ON c.relid = k.relid AND c.attnum = k.conkey[1]
	JOIN pg_class o ON o.oid = k.confrelid JOIN pg_namespace n ON n.oid = o.relnamespace
	LEFT JOIN LATERAL (
		SELECT ARRAY(SELECT sql FROM (VALUES
			(1, CASE WHEN NOT y.is_there THEN format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %I.%I (%s);',
				format('%s_%s_%s_key', o.relname, r.attname, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = k.confkey[1])),
				n.nspname, o.relname, y.referenced) END),
			(2, CASE WHEN NOT EXISTS (SELECT FROM indexes i WHERE i.relid = k.relid AND (i.usable OR i.not_null <@ x.keys) AND i.relam IN (403, 405)
					AND i.width >= cardinality(x.keys) AND i.keys[1:cardinality(x.keys)] <@ x.keys
					AND NOT EXISTS (SELECT FROM unnest(i.keys[1:cardinality(x.keys)], i.collations[1:cardinality(x.keys)]) AS z (attnum, attcollation)
						JOIN pg_attribute a ON a.attrelid = k.relid AND a.attnum = z.attnum AND a.attcollation <> z.attcollation))
				THEN format('CREATE INDEX ON %s (%s);', k.identity, dbkit.column_names(k.relid, x.keys)) END),
			(3, format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I FOREIGN KEY (%s) REFERENCES %I.%I (%s)%s%s%s%s%s%s;', k.identity, k.conname,
				dbkit.column_names(k.relid, x.keys), n.nspname, o.relname, y.referenced,
				CASE k.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE' ELSE '' END,
				CASE k.confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE' WHEN 'n' THEN ' ON DELETE SET NULL' WHEN 'd' THEN ' ON DELETE SET DEFAULT' ELSE '' END,
				CASE WHEN k.confdeltype IN ('n', 'd') THEN format(' (%s)', dbkit.column_names(k.relid, k.conkey)) ELSE '' END,
				CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END, CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END,
				CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END))) AS s (number, sql) WHERE sql IS NOT NULL ORDER BY number)
		FROM (SELECT t.attnum || k.conkey, r.attnum || k.confkey) AS x (keys, other_keys),
		LATERAL (SELECT dbkit.column_names(k.confrelid, x.other_keys), EXISTS (SELECT FROM pg_index i
			WHERE i.indrelid = k.confrelid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
				AND i.indnkeyatts = cardinality(x.other_keys) AND (i.indkey::smallint[])[0:i.indnkeyatts - 1] <@ x.other_keys)) AS y (referenced, is_there)
		WHERE NOT k.period AND NOT t.attnum = ANY (k.conkey) AND NOT r.attnum = ANY (k.confkey) AND k.confupdtype NOT IN ('n', 'd')
			AND NOT (k.confmatchtype = 'f' AND cardinality(k.conkey) > 1)
			AND (SELECT (a.atttypid, a.attcollation) FROM pg_attribute a WHERE a.attrelid = k.relid AND a.attnum = t.attnum)
				= (SELECT (a.atttypid, a.attcollation) FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = r.attnum)
			AND (y.is_there OR o.relkind = 'r' AND o.relowner = (SELECT w.relowner FROM pg_class w WHERE w.oid = k.relid))) AS f (statements) ON true
	WHERE 'tenant_key' = ANY (rules) AND NOT EXISTS (SELECT FROM organizations g WHERE g.oid IN (k.relid, k.confrelid))
		AND NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS x (attnum, referenced) WHERE x.attnum = t.attnum AND x.referenced = r.attnum)
	UNION ALL
	SELECT v.relid, 'constraint_validated', (row_number() OVER (PARTITION BY v.relid ORDER BY v.conname))::integer, NULL, v.conname::text,
		format('constraint "%s" is not validated; use VALIDATE CONSTRAINT %I', v.conname, v.conname), NULL, NULL, NULL,
		ARRAY[format('VALIDATE CONSTRAINT %I', v.conname)], NULL, 'locks'
	FROM not_valid v JOIN tables t USING (relid) WHERE NOT t.is_enum
	UNION ALL
	SELECT t.relid, 'duplicate_index', (row_number() OVER (PARTITION BY x.relid ORDER BY x.indexrelid))::integer, NULL, x.relname::text,
		format('index "%s" on (%s) is served by index "%s" on (%s); use DROP INDEX', x.relname, dbkit.column_names(x.relid, x.keys), x.other, dbkit.column_names(x.relid, x.other_keys)),
		NULL, NULL, NULL, NULL, ARRAY[format('DROP INDEX %I.%I;', t.schema, x.relname)], 'safe'
	FROM (
		SELECT DISTINCT ON (i.indexrelid) i.*, o.relname AS other, o.keys AS other_keys
		FROM indexes i JOIN indexes o ON o.relid = i.relid AND o.relam = i.relam AND o.keys[1] = i.keys[1],
		LATERAL (SELECT i.width = o.width) AS s (same)
		WHERE 'duplicate_index' = ANY (rules) AND i.indexrelid <> o.indexrelid AND i.usable AND o.usable AND NOT i.is_constraint AND (s.same OR i.relam = 403)
			AND i.keys = o.keys[1:i.width] AND 0 <> ALL (i.keys) AND i.classes = o.classes[1:i.width] AND i.collations = o.collations[1:i.width]
			-- the same order, forwards or backwards: DESC is 1, NULLS FIRST 2
			AND (i.options = o.options[1:i.width] OR i.options = ARRAY(SELECT (x # 3)::smallint FROM unnest(o.options[1:i.width]) WITH ORDINALITY AS y (x, number) ORDER BY number))
			AND i.all_keys <@ o.all_keys
			AND (NOT i.indisunique OR s.same AND o.indisunique AND o.indimmediate >= i.indimmediate AND o.indnullsnotdistinct = i.indnullsnotdistinct)
			-- of two that can do the same, the later one is redundant
			AND (o.is_constraint OR o.indexrelid < i.indexrelid OR NOT (s.same AND o.all_keys <@ i.all_keys
				AND (NOT o.indisunique OR i.indisunique AND i.indimmediate >= o.indimmediate AND i.indnullsnotdistinct = o.indnullsnotdistinct)))
		ORDER BY i.indexrelid, o.indexrelid) AS x JOIN tables t USING (relid)
	-- a foreign key depends on the index that was there when it was made
	WHERE NOT t.is_enum AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = x.relid AND k.conindid = x.indexrelid)
	UNION ALL
	SELECT i.relid, 'invalid_index', (row_number() OVER (PARTITION BY i.relid ORDER BY i.level, i.path, i.indexrelid))::integer, NULL, x.relname::text,
		format('index "%s"%s is invalid', x.relname, CASE WHEN i.owner <> i.relid THEN format(' of partition "%s.%s"', n.nspname, t.relname) ELSE '' END)
			|| CASE WHEN x.relkind = 'i' THEN '; use ' || w.wanted
				WHEN u.partition IS NULL THEN '; drop it, and make it again'
				ELSE format(', as no valid index of partition "%s"%s is attached to it; use ALTER INDEX %I.%I ATTACH PARTITION', u.partition,
					CASE WHEN u.others > 0 THEN format(' and %s more', u.others) ELSE '' END, m.nspname, x.relname) END,
		NULL, NULL, NULL, NULL, CASE WHEN x.relkind = 'i' THEN ARRAY[w.wanted || ';'] END, 'locks'
	FROM (
		SELECT relid, relid AS owner, 0 AS level, '{}'::oid[] AS path, indexrelid FROM indexes WHERE NOT indisvalid
		UNION ALL
		SELECT p.root, p.relid, p.level, p.path, y.indexrelid FROM partitions p JOIN pg_index y ON y.indrelid = p.relid AND y.indislive AND NOT y.indisvalid) AS i
	JOIN tables z ON z.relid = i.relid AND NOT z.is_enum
	JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace m ON m.oid = x.relnamespace
	JOIN pg_class t ON t.oid = i.owner JOIN pg_namespace n ON n.oid = t.relnamespace
	LEFT JOIN LATERAL (
		-- the partitions without an index that is attached
		SELECT (array_agg(format('%s.%s', pn.nspname, pc.relname) ORDER BY h.inhrelid))[1], count(*) - 1
		FROM pg_inherits h JOIN pg_class pc ON pc.oid = h.inhrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
		WHERE h.inhparent = i.owner AND NOT EXISTS (SELECT FROM pg_inherits g JOIN pg_index y ON y.indexrelid = g.inhrelid
			WHERE g.inhparent = i.indexrelid AND y.indrelid = h.inhrelid AND y.indisvalid)) AS u (partition, others) ON x.relkind = 'I',
	LATERAL (SELECT format('%s INDEX CONCURRENTLY %I.%I', CASE WHEN x.relname ~ '_cc(new|old)[0-9]*$' THEN 'DROP' ELSE 'REINDEX' END, m.nspname, x.relname)) AS w (wanted)
	WHERE 'invalid_index' = ANY (rules)
	-- row level security: without it nothing is said of policies
	UNION ALL
	SELECT t.relid, x.rule, 0, NULL, NULL, x.problem, NULL, NULL, NULL, x.alters, NULL, 'breaks'
	FROM tables t,
	LATERAL (
		SELECT 'rls_enabled', format('row level security is not enabled; use ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t.identity), ARRAY['ENABLE ROW LEVEL SECURITY']
		WHERE NOT t.relrowsecurity
		UNION ALL
		SELECT 'rls_forced', format('row level security does not bind the owner; use ALTER TABLE %s FORCE ROW LEVEL SECURITY', t.identity), ARRAY['FORCE ROW LEVEL SECURITY']
		WHERE t.relrowsecurity AND NOT t.relforcerowsecurity
		UNION ALL
		SELECT 'rls_policy', format('there is no permissive policy; use CREATE POLICY ... ON %s', t.identity), NULL
		WHERE t.relrowsecurity AND t.relid NOT IN (SELECT p.relid FROM policies p WHERE p.polpermissive)) AS x (rule, problem, alters)
	WHERE NOT t.is_enum
	UNION ALL
	SELECT p.relid, 'policy_with_check', (row_number() OVER (PARTITION BY p.relid ORDER BY p.polname))::integer, NULL, p.polname::text,
		format('policy "%s" lets any row be inserted; use WITH CHECK with a condition', p.polname), NULL, NULL, NULL, NULL, NULL, NULL
	FROM policies p
	WHERE p.polpermissive AND p.is_for_insert AND NOT p.is_for_admins AND coalesce(p.with_check, p.condition) = 'true'
		-- a restrictive one may check for it
		AND p.relid NOT IN (SELECT r.relid FROM policies r
			WHERE NOT r.polpermissive AND r.is_for_all AND r.is_for_insert AND coalesce(r.with_check, r.condition, 'true') <> 'true')
	UNION ALL
	SELECT p.relid, 'open_policy', (row_number() OVER (PARTITION BY p.relid ORDER BY p.polname))::integer, NULL, p.polname::text,
		format('policy "%s" %s%s; use a condition on %I%s', p.polname, CASE WHEN p.written THEN 'lets rows of any tenant be written'
				WHEN p.polcmd = 'w' THEN 'lets the rows of all tenants be changed' WHEN p.polcmd = 'd' THEN 'lets the rows of all tenants be deleted' ELSE 'shows the rows of all tenants' END,
			CASE p.openness WHEN 1 THEN ' while none is set' ELSE '' END, t.attname, CASE p.openness WHEN 1 THEN ' that is not true then' ELSE '' END), NULL, NULL, NULL, NULL, NULL, NULL
	FROM (
		SELECT DISTINCT ON (c.relid, c.polname) c.* FROM conditions c
		WHERE c.polpermissive AND NOT c.is_for_admins AND c.openness > 0
			-- a restrictive one may bind the same roles
			AND NOT EXISTS (SELECT FROM conditions r WHERE r.relid = c.relid AND NOT r.polpermissive AND r.written = c.written AND r.openness = 0
				AND r.polcmd IN ('*', c.polcmd) AND (r.is_for_all OR c.polroles <@ r.polroles))
		ORDER BY c.relid, c.polname, c.written) AS p JOIN tenants t USING (relid)
	UNION ALL
	SELECT p.relid, 'partition_rls', 0, NULL, NULL, format(CASE WHEN c.relkind = 'f' THEN '%s may use it past the row level security of table "%s", which a foreign table cannot have; use REVOKE'
			WHEN c.relrowsecurity THEN '%s may use it past the row level security of table "%s", which is forced; use ALTER TABLE %s %s'
			ELSE '%s may use it past the row level security of table "%s"; use ALTER TABLE %s %s' END,
			CASE WHEN c.relrowsecurity THEN 'its owner' ELSE u.name END, p.name, o.identity, a.action),
		NULL, NULL, NULL, CASE WHEN c.relkind <> 'f' THEN ARRAY[a.action] END, NULL, CASE WHEN c.relkind <> 'f' THEN 'breaks' END
	FROM protected_parents p JOIN objects o ON o.objid = p.relid AND o.kind IN ('table', 'enum table', 'partition') JOIN pg_class c ON c.oid = p.relid,
	LATERAL (SELECT concat_ws(', ', CASE WHEN NOT c.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
		CASE WHEN p.forced AND NOT c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END)) AS a (action),
	LATERAL (SELECT dbkit.other_user(p.relid, '{SELECT,INSERT,UPDATE,DELETE}', p.forced) WHERE a.action <> '') AS u (name)
	WHERE u.name IS NOT NULL
	UNION ALL
	SELECT s.view, 'rls_view', 0, NULL, NULL, format('%s may read it past the row level security of %s; use %s', u.name, s.name,
		CASE o.kind WHEN 'view' THEN 'WITH (security_invoker = true)' ELSE 'REVOKE SELECT, or a view WITH (security_invoker = true) in its place' END), NULL, NULL, NULL, NULL, NULL, NULL
	FROM protected_sources s JOIN objects o ON o.objid = s.view,
	LATERAL (SELECT dbkit.other_user(s.view, '{SELECT}', s.binds_owner)) AS u (name)
	WHERE u.name IS NOT NULL
	UNION ALL
	SELECT o.objid, 'customer_role_confined', 0, NULL, NULL, format('it can get out of its tenant; use SELECT dbkit.confine_sql(%L) \gexec: %s%s', o.name,
		(c.taking)[1], CASE WHEN cardinality(c.taking) > 1 THEN format(', and %s more', cardinality(c.taking) - 1) ELSE '' END), NULL, NULL, NULL, NULL, c.statements, 'breaks'
	FROM objects o, LATERAL (
		SELECT array_agg(s.statement ORDER BY s.number) AS statements,
			array_agg(split_part(s.statement, ';', 1) ORDER BY s.number) FILTER (WHERE s.statement NOT LIKE 'GRANT %') AS taking
		FROM dbkit.confine_sql(o.name) WITH ORDINALITY AS s (statement, number)) AS c
	WHERE o.kind = 'role' AND 'customer_role_confined' = ANY (rules) AND c.statements IS NOT NULL
	UNION ALL
	-- The C edition guards the two settings if they are reserved.  Here nothing does, but dbkit.user_id() reads a setting, too.
	SELECT p.relid, 'forgeable_policy', (row_number() OVER (PARTITION BY p.relid ORDER BY p.polname))::integer, NULL, p.polname::text,
		format('policy "%s" reads the setting "%s", which %s; use dbkit.user_id() or dbkit.organization_id()', p.polname, x.setting,
			CASE WHEN x.is_ours THEN 'the application can set outside of a context' ELSE 'any session can set' END)
			|| CASE WHEN x.is_ours THEN ', or set reserve_settings in the agreement' ELSE '' END, NULL, NULL, NULL, NULL, NULL, NULL
	FROM (SELECT * FROM policies WHERE concat(condition, with_check) LIKE '%current_setting(%') AS p,
	LATERAL (
		SELECT s.setting, s.is_ours
		FROM regexp_matches(dbkit.plain_expression(concat_ws(' ', p.condition, p.with_check)), '(?<![\w.])current_setting\((?:''((?:[^'']|'''')*)''::text(?:, \w+)?\))?', 'g') WITH ORDINALITY AS m (match, number),
		LATERAL (SELECT coalesce(replace(m.match[1], '''''', ''''), '...'), lower(m.match[1]) IN ('app.user_id', 'app.organization_id') IS TRUE) AS s (setting, is_ours)
		WHERE NOT (s.is_ours AND (agreed -> 'reserve_settings')::boolean)
		ORDER BY m.number LIMIT 1) AS x),
-- How the columns get their types, NULL where PostgreSQL cannot; the end of a foreign key does not change without the other
retyped AS (
	SELECT f.*, 'ALTER COLUMN ' || quote_ident(c.attname) || ' TYPE ' || f.wanted_definition || x.conversion AS retype,
		r.base <> f.wanted_type AND f.rule NOT IN ('created_at', 'updated_at', 'storytime') AS is_one_end,
		CASE WHEN f.wanted_type = 'bigint'::regtype AND c.has_default THEN ARRAY(
			SELECT format('ALTER SEQUENCE %I.%I AS bigint;', n.nspname, q.relname)
			FROM pg_depend d JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S' JOIN pg_namespace n ON n.oid = q.relnamespace
			WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.relid AND d.refobjsubid = c.attnum
				AND d.deptype = 'a') END AS sequences
	FROM found f
	LEFT JOIN columns c ON c.relid = f.relid AND c.attnum = f.wanted_attnum AND f.wanted_type IS NOT NULL
		AND NOT c.typed AND NOT c.inherited AND c.type = c.base AND (f.wanted_type = 'bigint'::regtype OR NOT c.identity_column)
		AND (c.relid, c.attnum) NOT IN (SELECT x.relid, x.attnum FROM fixed_columns x)
		AND c.relid NOT IN (SELECT u.relid FROM row_type_uses u WHERE u.in_column)
	LEFT JOIN referenced r ON r.relid = f.relid AND r.attnum = f.wanted_attnum
	LEFT JOIN keepers k ON k.relid = f.relid AND k.attnum = f.wanted_attnum
	LEFT JOIN pg_type s ON s.oid = c.base
	LEFT JOIN pg_type t ON t.oid = f.wanted_type,
	-- does an expression mean the same for the other type, and are all values of the one values of the other?
	LATERAL (SELECT s.oid = t.oid OR (s.oid, t.oid) IN (('int2'::regtype, 'int8'::regtype), ('int4'::regtype, 'int8'::regtype), ('varchar'::regtype, 'text'::regtype)),
		(s.oid, t.oid) IN (('int8'::regtype, 'int4'::regtype), ('int8'::regtype, 'int2'::regtype), ('int4'::regtype, 'int2'::regtype))) AS y (is_kin, is_narrower),
	LATERAL (SELECT CASE
		WHEN t.oid = 'timestamptz[]'::regtype OR y.is_narrower OR k.keeps_any
			OR k.calls AND s.oid <> t.oid AND t.oid IN ('int8'::regtype, 'timestamptz'::regtype)
			OR NOT y.is_kin AND (k.is_indexed OR k.is_checked AND NOT (s.oid = 'timestamp'::regtype AND t.oid = 'timestamptz'::regtype)) THEN NULL
		-- a default follows as the time of whoever inserts, unless it is a point in time already
		WHEN t.oid = 'timestamptz'::regtype AND ((c.relid, c.attnum) IN (SELECT d.relid, d.attnum FROM local_times d)
				-- SET DEFAULT now() reaches those below as well
				AND (f.rule NOT IN ('created_at', 'updated_at') OR (c.relid, c.attnum) IN (SELECT d.relid, d.attnum FROM other_defaults d))
				OR c.has_default AND f.rule NOT IN ('created_at', 'updated_at')
				AND (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.relid AND d.adnum = c.attnum) !~ point_in_time) THEN NULL
		WHEN t.oid = 'timestamptz'::regtype AND s.oid IN ('timestamp'::regtype, 'date'::regtype) THEN CASE WHEN NOT c.generated
			THEN format(' USING %I%s AT TIME ZONE ''UTC''', c.attname, CASE s.typname WHEN 'date' THEN '::timestamp' ELSE '' END) END
		WHEN t.oid IN ('int8range'::regtype, 'int8multirange'::regtype) AND NOT c.has_default THEN CASE WHEN NOT c.generated
			THEN format(' USING %I::text::%s', c.attname, f.wanted_definition) END
		WHEN s.oid = t.oid OR t.typcategory = 'S' OR EXISTS (SELECT FROM pg_cast k WHERE k.castcontext IN ('a', 'i')
				AND (k.castsource, k.casttarget) IN ((s.oid, t.oid), (CASE WHEN s.typcategory = 'A' THEN s.typelem END, CASE WHEN t.typcategory = 'A' THEN t.typelem END)))
			THEN '' END) AS x (conversion))
SELECT o.classid, o.objid, o.schema, o.name, replace(replace(o.kind, 'enum ', ''), 'definer', 'function'), o.identity, f.rule, f.place, f.column_name, f.part, f.problem,
	CASE WHEN f.wanted_type IS NULL THEN f.alters WHEN f.is_one_end IS NOT TRUE AND f.retype IS NOT NULL THEN f.retype || f.alters END,
	CASE WHEN f.wanted_type IS NULL THEN f.statements WHEN f.is_one_end IS NOT TRUE AND f.retype IS NOT NULL THEN f.sequences END,
	f.risk
FROM objects o JOIN retyped f ON f.relid = o.objid
WHERE f.rule = ANY (rules);
RETURN QUERY SELECT * FROM dbkit.team_findings(only_relation, only_schema, rules);
END $$;
COMMENT ON FUNCTION dbkit.findings(oid, oid, text[]) IS
'what breaks those rules, exempt or not, with the parts of ALTER TABLE and the statements that fix it, and what these do to others';

-- What is exempt implies nothing; what is in the baseline does.
CREATE OR REPLACE FUNCTION dbkit.judge(only_relation oid, only_schema oid,
	OUT number bigint, OUT rule text, OUT level text, OUT schema text, OUT name text, OUT object_name text, OUT object_type text, OUT object_identity text,
	OUT column_name text, OUT part text, OUT problem text, OUT alters text, OUT statements text, OUT risk text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
	own jsonb := (SELECT agreement FROM dbkit.own_agreement());
	settings text := current_setting('dbkit.rule_levels', true);
	speaks_of_schemas boolean := jsonb_typeof(own -> 'schemas') = 'object';
BEGIN
RETURN QUERY
WITH levels AS MATERIALIZED (
	SELECT l.schema, l.number, l.rule, l.level, array_position('{off,warning,error,fix}'::text[], l.level) AS rank FROM dbkit.rule_levels(own, settings) l),
found AS MATERIALIZED (
	SELECT row_number() OVER (ORDER BY f.schema, f.name, f.classid, f.objid, l.number, f.place) AS number, l.level, l.rank, f.*
	FROM dbkit.findings(only_relation, only_schema, ARRAY(SELECT DISTINCT x.rule FROM levels x WHERE x.level <> 'off')) f
	JOIN levels l ON l.rule = f.rule AND l.schema = CASE WHEN speaks_of_schemas AND own -> 'schemas' ? f.schema THEN f.schema ELSE '' END
	WHERE l.level <> 'off'),
objects AS MATERIALIZED (
	SELECT x.*, dbkit.object_name(x.schema, x.name) AS object_name FROM (SELECT DISTINCT classid, objid, schema, name FROM found) AS x),
exempt AS MATERIALIZED (
	SELECT o.classid, o.objid, e.rule
	FROM dbkit.exemption() e JOIN objects o ON CASE WHEN strpos(e.object, '%') > 0 THEN o.object_name LIKE e.object ELSE o.object_name = e.object END
	WHERE e.expires_at IS NULL OR e.expires_at > now()),
counting AS MATERIALIZED (
	SELECT f.*, o.object_name FROM found f JOIN objects o USING (classid, objid)
	WHERE (f.classid, f.objid, '*') NOT IN (SELECT e.classid, e.objid, e.rule FROM exempt e)
		AND (f.classid, f.objid, f.rule) NOT IN (SELECT e.classid, e.objid, e.rule FROM exempt e)),
type_rules (rule, rank) AS (VALUES ('primary_key', 1), ('text_id', 1), ('created_at', 1), ('updated_at', 1), ('storytime', 1),
	('timestamptz', 2), ('bigint', 2), ('enum_type', 2), ('text_type', 2), ('jsonb_type', 2), ('money_type', 2), ('fk_type', 3)),
told AS MATERIALIZED (
	SELECT f.* FROM counting f
	-- One of the rules about types says it for those of a higher rank.
	WHERE NOT EXISTS (SELECT FROM counting s JOIN type_rules x ON x.rule = s.rule JOIN type_rules y ON x.rank < y.rank
			WHERE y.rule = f.rule AND s.classid = f.classid AND s.objid = f.objid AND s.column_name = f.column_name AND s.rank >= f.rank)
		AND NOT EXISTS (SELECT FROM counting s JOIN (VALUES ('security_definer_path', 'function_search_path'),
				('open_policy', 'policy_with_check'), ('view_security_invoker', 'rls_view')) AS cause (rule, implied) ON cause.rule = s.rule
			WHERE cause.implied = f.rule AND s.classid = f.classid AND s.objid = f.objid AND s.rank >= f.rank
				AND (s.column_name = f.column_name OR s.part = f.part OR s.object_type IN ('view', 'function')))
		AND (own -> 'baseline' -> f.object_name -> f.rule ? coalesce(f.part, f.column_name, '')) IS NOT TRUE),
-- What several findings of an object ask for is left to the first: run twice, a change of type moves times.
parts AS MATERIALIZED (
	SELECT f.number, p.is_statement, p.sql, p.place, row_number() OVER (PARTITION BY f.classid, f.objid, p.sql ORDER BY f.number) AS nth
	FROM told f, LATERAL (
		SELECT false, sql, place FROM unnest(f.alters) WITH ORDINALITY AS a (sql, place)
		UNION ALL SELECT true, sql, place FROM unnest(f.statements) WITH ORDINALITY AS s (sql, place)) AS p (is_statement, sql, place)),
fixes AS MATERIALIZED (
	SELECT number, string_agg(sql, ', ' ORDER BY place) FILTER (WHERE NOT is_statement) AS alters,
		string_agg(sql, E'\n' ORDER BY place) FILTER (WHERE is_statement) AS statements
	FROM parts WHERE nth = 1 GROUP BY number)
SELECT f.number, f.rule, f.level, f.schema::text, f.name::text, f.object_name, f.object_type, f.object_identity, f.column_name::text, f.part, f.problem, x.alters, x.statements,
	CASE WHEN x.number IS NOT NULL THEN f.risk END
FROM told f LEFT JOIN fixes x USING (number)
ORDER BY f.number;
END $$;
COMMENT ON FUNCTION dbkit.judge(oid, oid) IS
'what dbkit.check() reports, in its order, with the parts of the fixes';

CREATE OR REPLACE FUNCTION dbkit.fix(object_identity text, alters text, statements text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT nullif(concat_ws(E'\n', 'ALTER TABLE ' || object_identity || ' ' || alters || ';', statements), '')
$$;
COMMENT ON FUNCTION dbkit.fix(text, text, text) IS 'an ALTER TABLE of those parts, and the statements after it; NULL for none';

CREATE OR REPLACE FUNCTION dbkit.check(
	OUT rule text, OUT level text, OUT object_type text, OUT object_identity text, OUT column_name text, OUT problem text, OUT fix text, OUT risk text)
RETURNS SETOF record
	LANGUAGE sql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT rule, level, object_type, object_identity, column_name, problem, dbkit.fix(object_identity, alters, statements), risk
FROM dbkit.judge(NULL, NULL) ORDER BY number
$$;
COMMENT ON FUNCTION dbkit.check() IS
'Everything in the database that breaks a schema convention at level warning or above, one row per finding; fix is SQL that fixes it, and risk what that does to others: safe (the catalogs change, and no application can notice), locks (a table is read or rewritten while others wait) or breaks (a running application may notice); both are NULL where there is none. The same as the edition in C would reject';

CREATE OR REPLACE FUNCTION dbkit.check(relation regclass,
	OUT rule text, OUT level text, OUT object_type text, OUT object_identity text, OUT column_name text, OUT problem text, OUT fix text, OUT risk text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF NOT EXISTS (SELECT FROM pg_class WHERE oid = relation) THEN
		RAISE undefined_table USING MESSAGE = format('relation with OID %s does not exist', relation::oid);
	END IF;
	RETURN QUERY SELECT rule, level, object_type, object_identity, column_name, problem, dbkit.fix(object_identity, alters, statements), risk
		FROM dbkit.judge(relation, NULL) ORDER BY number;
END $$;
COMMENT ON FUNCTION dbkit.check(regclass) IS
'dbkit.check() for one table or view. Errors: undefined_table';

CREATE OR REPLACE FUNCTION dbkit.check_schema(schema regnamespace,
	OUT rule text, OUT level text, OUT object_type text, OUT object_identity text, OUT column_name text, OUT problem text, OUT fix text, OUT risk text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF NOT EXISTS (SELECT FROM pg_namespace WHERE oid = check_schema.schema) THEN
		RAISE invalid_schema_name USING MESSAGE = format('schema with OID %s does not exist', check_schema.schema::oid);
	END IF;
	RETURN QUERY SELECT rule, level, object_type, object_identity, column_name, problem, dbkit.fix(object_identity, alters, statements), risk
		FROM dbkit.judge(NULL, check_schema.schema) ORDER BY number;
END $$;
COMMENT ON FUNCTION dbkit.check_schema(regnamespace) IS
'dbkit.check() for the tables, views, types and functions of one schema. Errors: invalid_schema_name';

-- The script may leave another search_path behind, and what comes after it has the caller's rights.
CREATE OR REPLACE FUNCTION dbkit.run_as(role name, script text) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	caller pg_catalog.text := current_setting('role');
	settings pg_catalog.jsonb := (SELECT jsonb_object_agg(s.name, s.setting) FROM pg_settings s);
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = run_as.role) THEN
		RAISE undefined_object USING MESSAGE = format('role "%s" does not exist', run_as.role);
	ELSIF dbkit.user_id() IS NOT NULL OR dbkit.organization_id() IS NOT NULL THEN
		RAISE insufficient_privilege USING MESSAGE = 'dbkit.run_as() is not allowed while a tenant context is entered';
	ELSIF NOT pg_has_role(run_as.role, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
		RAISE insufficient_privilege USING MESSAGE = format('permission denied to run a script as role "%s"', run_as.role);
	END IF;
	PERFORM set_config('role', run_as.role, true);
	EXECUTE script;
	PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('role', caller, true);
	PERFORM set_config(s.name, settings ->> s.name, true) FROM pg_settings s WHERE s.setting <> settings ->> s.name;
END $$;
COMMENT ON FUNCTION dbkit.run_as(name, text) IS
'Runs the statements of a script, as dbkit.fixes() of the C library writes them, as a role that the caller could SET ROLE to; names without a schema are those of pg_catalog. Unlike there it is no restricted operation: the script, or what it calls, could RESET ROLE and has the rights of the session then, so run none of whom you do not trust. Settings of PostgreSQL that the script changes have their values again for the rest of the transaction; after it, those that it changed without LOCAL do not. Errors: undefined_object, insufficient_privilege, feature_not_supported for a statement that cannot be run so, and those of the script';

-- Many clients show the message alone, so it names the first three rules.
CREATE OR REPLACE FUNCTION dbkit.named_rules(rules text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT string_agg(rule || CASE WHEN times > 1 THEN format(' (%s times)', times) ELSE '' END, ', ' ORDER BY place) FILTER (WHERE place <= 3)
	|| coalesce(' and ' || sum(times) FILTER (WHERE place > 3) || ' more', '')
FROM (SELECT rule, count(*) AS times, row_number() OVER (ORDER BY min(number)) AS place
	FROM unnest(rules) WITH ORDINALITY AS r (rule, number) GROUP BY rule) AS r
$$;
COMMENT ON FUNCTION dbkit.named_rules(text[]) IS 'the rules that are broken, each once, the first three by name';

CREATE OR REPLACE FUNCTION dbkit.verify() RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	tables bigint := (SELECT count(*) FROM dbkit.judged_objects(NULL, NULL, false) WHERE kind IN ('table', 'enum table'));
	objects bigint;
	wrong record;
	message text;
	hint text;
BEGIN
	WITH found AS MATERIALIZED (
		SELECT *, format('%s "%s.%s"', object_type, schema, name) AS title FROM dbkit.judge(NULL, NULL)),
	errors AS MATERIALIZED (
		SELECT * FROM found WHERE level <> 'warning'),
	by_object AS MATERIALIZED (
		SELECT min(number) AS number, dbkit.fix(object_identity, string_agg(alters, ', ' ORDER BY number), string_agg(statements, E'\n' ORDER BY number)) AS fix
		FROM errors GROUP BY object_type, object_identity),
	total AS MATERIALIZED (
		SELECT count(*) AS objects, string_agg(fix, E'\n' ORDER BY number) AS fix, (SELECT count(*) FROM found WHERE level = 'warning') AS warnings FROM by_object)
	SELECT t.objects, t.warnings, t.fix, count(number) AS findings, array_agg(rule ORDER BY number) AS rules, (array_agg(problem ORDER BY number))[1] AS problem,
		string_agg(format('%s%s: %s.', CASE WHEN t.objects > 1 THEN title || ': ' ELSE '' END, rule, problem), E'\n' ORDER BY number) AS detail,
		min(title) AS title, min(object_type) AS object_type, min(schema) AS schema, min(name) AS name,
		CASE WHEN count(column_name) = count(*) AND min(column_name) = max(column_name) THEN min(column_name) END AS column_name
	INTO wrong FROM total t LEFT JOIN errors ON true GROUP BY t.objects, t.warnings, t.fix;
	objects := wrong.objects;
	IF objects = 0 THEN
		RETURN format('0 findings, %s table%s', tables, CASE tables WHEN 1 THEN '' ELSE 's' END)
			|| CASE wrong.warnings WHEN 0 THEN '' ELSE format(', %s warning%s', wrong.warnings, CASE wrong.warnings WHEN 1 THEN '' ELSE 's' END) END;
	END IF;
	message := CASE
		WHEN objects > 1 THEN format('%s objects break %s schema conventions: %s', objects, wrong.findings, dbkit.named_rules(wrong.rules))
		WHEN wrong.findings > 1 THEN format('%s breaks %s schema conventions: %s', wrong.title, wrong.findings, dbkit.named_rules(wrong.rules))
		ELSE format('%s breaks the schema convention "%s": %s', wrong.title, wrong.rules[1], wrong.problem) END;
	-- The C edition says this in CONTEXT, which is not ours to set.
	hint := coalesce(wrong.fix, format('SELECT dbkit.explain_rule(%L) says why there is such a rule.', wrong.rules[1]));
	IF objects > 1 OR wrong.object_type NOT IN ('table', 'view') THEN
		RAISE EXCEPTION USING ERRCODE = 'KD001', MESSAGE = message, DETAIL = wrong.detail, HINT = hint, CONSTRAINT = wrong.rules[1];
	ELSIF wrong.column_name IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'KD001', MESSAGE = message, DETAIL = wrong.detail, HINT = hint, CONSTRAINT = wrong.rules[1],
			SCHEMA = wrong.schema, TABLE = wrong.name;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'KD001', MESSAGE = message, DETAIL = wrong.detail, HINT = hint, CONSTRAINT = wrong.rules[1],
		SCHEMA = wrong.schema, TABLE = wrong.name, COLUMN = wrong.column_name;
END $$;
COMMENT ON FUNCTION dbkit.verify() IS
'Fails with all that dbkit.check() reports at level error, so that a script in CI ends with it; otherwise says how many tables there are, and warnings. Errors: KD001';

-- What this transaction finds is added; the entries do not follow renames, and stay when they are fixed.
CREATE OR REPLACE FUNCTION dbkit.write_baseline(own jsonb, objects text[], rules text[], names text[]) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT dbkit.end_agreement_change(own - 'baseline' || coalesce((
	SELECT jsonb_build_object('baseline', jsonb_object_agg(object, rules))
	FROM (SELECT object, jsonb_object_agg(rule, names) AS rules
		FROM (SELECT object, rule, jsonb_agg(name ORDER BY name COLLATE "C") AS names
			FROM (SELECT DISTINCT object, rule, name FROM unnest(objects, rules, names) AS e (object, rule, name)) AS d
			GROUP BY object, rule) AS r
		GROUP BY object) AS o
	HAVING count(*) > 0), '{}'))
$$;
COMMENT ON FUNCTION dbkit.write_baseline(jsonb, text[], text[], text[]) IS 'writes an agreement with those entries as its baseline';

CREATE OR REPLACE FUNCTION dbkit.agreed_name(relation regclass) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := (SELECT dbkit.object_name(n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
BEGIN
	IF name IS NULL THEN
		RAISE undefined_table USING MESSAGE = format('relation with OID %s does not exist', relation::oid);
	END IF;
	RETURN name;
END $$;
COMMENT ON FUNCTION dbkit.agreed_name(regclass) IS 'the name by which the agreement knows a relation. Errors: undefined_table';

CREATE OR REPLACE FUNCTION dbkit.baseline(relation regclass DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own jsonb := dbkit.begin_agreement_change();
	known text := dbkit.agreed_name(relation);
	found bigint := (SELECT count(*) FROM dbkit.judge(relation, NULL));
BEGIN
	IF found > 0 THEN
		PERFORM dbkit.write_baseline(own, array_agg(e.object), array_agg(e.rule), array_agg(e.name))
		FROM (
			SELECT object_name, rule, coalesce(part, column_name, '') FROM dbkit.judge(relation, NULL)
			UNION ALL SELECT object, rule, name FROM dbkit.baseline_entries(own)) AS e (object, rule, name);
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION dbkit.baseline(regclass) IS
'Takes everything that dbkit.check() reports now, of one relation or of all, out of what it reports from now on, and returns how many findings these are. Each is known by its rule, its table and the name of its column, constraint, index, policy or trigger. Part of the agreement. Errors: insufficient_privilege, undefined_table';

CREATE OR REPLACE FUNCTION dbkit.unbaseline(relation regclass DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own jsonb := dbkit.begin_agreement_change();
	known text := dbkit.agreed_name(relation);
	removed bigint := (SELECT count(*) FROM dbkit.baseline_entries(own) WHERE object = coalesce(known, object));
BEGIN
	IF removed > 0 THEN
		PERFORM dbkit.write_baseline(own, array_agg(object), array_agg(rule), array_agg(name))
		FROM dbkit.baseline_entries(own) WHERE object <> known;
	END IF;
	RETURN removed;
END $$;
COMMENT ON FUNCTION dbkit.unbaseline(regclass) IS
'Lets dbkit.check() report again what dbkit.baseline() took out, of one relation or of all, and returns how many entries that were. Errors: insufficient_privilege, undefined_table';

CREATE OR REPLACE FUNCTION dbkit.stale_exemptions(
	OUT object text, OUT rule text, OUT reason text, OUT expires_at timestamptz, OUT problem text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF NOT EXISTS (SELECT FROM dbkit.exemption() WHERE NOT builtin) THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH found AS MATERIALIZED (
		SELECT DISTINCT dbkit.object_name(f.schema, f.name) AS name, f.rule
		FROM dbkit.findings(NULL, NULL, ARRAY(SELECT id FROM dbkit.own_agreement() own, dbkit.rules_of(own.agreement))) f)
	SELECT e.object, e.rule, e.reason, e.expires_at, CASE WHEN e.expires_at <= now() THEN 'it has expired' ELSE 'it covers nothing' END
	FROM dbkit.exemption() e
	WHERE NOT e.builtin AND (e.expires_at <= now() OR NOT EXISTS (SELECT FROM found f WHERE e.rule IN ('*', f.rule)
		AND CASE WHEN strpos(e.object, '%') > 0 THEN f.name LIKE e.object ELSE f.name = e.object END));
END $$;
COMMENT ON FUNCTION dbkit.stale_exemptions() IS
'The exemptions that have expired or cover nothing; see the view dbkit.stale_exemptions';

CREATE OR REPLACE VIEW dbkit.stale_exemptions WITH (security_invoker = true) AS
SELECT object, rule, reason, expires_at, problem FROM dbkit.stale_exemptions();
COMMENT ON VIEW dbkit.stale_exemptions IS
'The exemptions that have expired or cover nothing any more, except the built-in ones';
GRANT SELECT ON dbkit.stale_exemptions TO PUBLIC;

CREATE OR REPLACE FUNCTION dbkit.suggest() RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE NOTICE USING MESSAGE = 'this edition does not look at what the tables already follow',
		HINT = 'Ask the edition in C in a copy of this database, and agree on its answer here.';
	RETURN '{}';
END $$;
COMMENT ON FUNCTION dbkit.suggest() IS
'An agreement that changes nothing: only the edition in C looks at what the tables already follow';

CREATE OR REPLACE FUNCTION dbkit.status(OUT name text, OUT value text, OUT source text, OUT hint text)
RETURNS SETOF record
	LANGUAGE sql STABLE STRICT PARALLEL UNSAFE ROWS 40 SET search_path = pg_catalog, pg_temp AS $$
WITH own AS MATERIALIZED (
	SELECT agreement, untrusted, dbkit.installed_schema() || '.dbkit_agreement()' AS function FROM dbkit.own_agreement()),
stale AS MATERIALIZED (
	SELECT count(*) AS count FROM dbkit.stale_exemptions())
SELECT row.name, row.value, row.source, row.hint
FROM own, stale, LATERAL (
	SELECT 1, 'edition', 'SQL', NULL, 'The edition in C does more; see docs/how-to/hosted-production.md.'
	UNION ALL SELECT 2, 'SQL version', '1.0.0', NULL, NULL
	UNION ALL SELECT 3, 'enforce', 'off', NULL, 'DDL that breaks the conventions is not rejected here; SELECT dbkit.verify() fails if there is any.'
	UNION ALL SELECT 4, 'agreement', CASE WHEN own.untrusted IS NOT NULL THEN 'not used' WHEN own.agreement IS NOT NULL THEN 'used' ELSE 'none' END,
		CASE WHEN own.untrusted IS NOT NULL OR own.agreement IS NOT NULL THEN own.function END, 'What is wrong with the function: ' || own.untrusted || '.'
	UNION ALL SELECT 5, 'agreement', 'not understood', own.function, problem FROM dbkit.agreement_problems(own.agreement) AS problem
	UNION ALL SELECT 6, 'preset', v.value #>> '{}', CASE WHEN own.agreement IS NULL THEN 'default' ELSE 'agreement' END,
		CASE WHEN v.value = '"none"' THEN 'Nothing is judged before SELECT dbkit.agree(...).' END
	FROM dbkit.agreement_values(own.agreement) v WHERE v.key = 'preset'
	UNION ALL SELECT 7, 'stale exemptions', stale.count::text, NULL, CASE WHEN stale.count > 0 THEN 'The view dbkit.stale_exemptions lists them.' END
	UNION ALL SELECT 7 + l.number, 'rule ' || l.rule, l.level, l.source, 'It refuses nothing, because of its function ' || t.judge || ': ' || f.trouble || '.'
	FROM dbkit.rule_levels(own.agreement, current_setting('dbkit.rule_levels', true)) l
	LEFT JOIN dbkit.team_rules(own.agreement) t ON t.problem IS NULL AND t.id = l.rule
	LEFT JOIN LATERAL dbkit.team_function_trouble(dbkit.team_function(t.judge)) f ON t.id IS NOT NULL
	WHERE l.schema = ''
	) AS row (number, name, value, source, hint)
ORDER BY row.number
$$;
COMMENT ON FUNCTION dbkit.status() IS
'What holds in this database and session, where it comes from, and what to do where something is missing: the edition, the agreement, and the level of each rule';

-- row level security ------------------------------------------------------------

CREATE OR REPLACE FUNCTION dbkit.is_listed(relation regclass, tables jsonb) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN EXISTS (SELECT FROM dbkit.listed_names(tables) l
		JOIN pg_class c ON c.oid = relation AND c.relname = l.name
		JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = coalesce(l.schema, n.nspname));
COMMENT ON FUNCTION dbkit.is_listed(regclass, jsonb) IS
'whether a list of the agreement has this table, with or without its schema';

-- The types whose values are equal only if they are of one tenant.  Others cut, pad, fold or
-- round what they are given, or are somebody's own.  text and varchar compare with text as
-- they are; for another type the cast is done once per query.
CREATE OR REPLACE FUNCTION dbkit.tenant_comparison(relation regclass, attname text, reader text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	table_name name := (SELECT relname FROM pg_class WHERE oid = relation);
	col record;
	base regtype;
	equals text;
BEGIN
	SELECT a.attname, a.atttypid, collisdeterministic INTO col
	FROM pg_attribute a LEFT JOIN pg_collation l ON l.oid = a.attcollation
	WHERE a.attrelid = relation AND a.attname = tenant_comparison.attname AND a.attnum > 0 AND NOT a.attisdropped;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column',
			MESSAGE = format('column "%s" of relation "%s" does not exist', attname, table_name);
	ELSIF NOT coalesce(col.collisdeterministic, true) THEN
		RAISE EXCEPTION USING ERRCODE = 'collation_mismatch', MESSAGE = format('column "%s" of table "%s" cannot isolate tenants', attname, table_name),
			DETAIL = 'Its nondeterministic collation may take ids of different tenants for equal.', HINT = 'Use COLLATE "C".';
	END IF;
	base := dbkit.base_type(col.atttypid);
	-- For these somebody can plant an operator that fits better than PostgreSQL's
	equals := CASE WHEN col.atttypid = 'varchar'::regtype OR col.atttypid <> base THEN 'OPERATOR(pg_catalog.=)' ELSE '=' END;
	IF base IN ('text'::regtype, 'varchar'::regtype) THEN
		RETURN format('%I %s %s', attname, equals, reader);
	ELSIF base IN ('uuid'::regtype, 'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype, 'numeric'::regtype) THEN
		RETURN format('%I %s (SELECT %s::%s)', attname, equals, reader, base);
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'datatype_mismatch', MESSAGE = format('column "%s" of table "%s" cannot isolate tenants', attname, table_name),
		DETAIL = format('Its type %s may take ids of different tenants for equal.', col.atttypid::regtype),
		HINT = 'Use text, varchar, uuid, smallint, integer, bigint or numeric.';
END $$;
COMMENT ON FUNCTION dbkit.tenant_comparison(regclass, text, text) IS
'the condition that a column has what a function of the context gives; datatype_mismatch or collation_mismatch where its values do not tell tenants apart';

CREATE OR REPLACE FUNCTION dbkit.tenant_column(relation regclass, tables text, columns text) RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	RETURN CASE WHEN dbkit.is_listed(relation, dbkit.agreement() -> tables) THEN 'id'
		ELSE (SELECT listed.name FROM jsonb_array_elements_text(dbkit.agreement() -> columns) WITH ORDINALITY AS listed (name, nth)
			JOIN pg_attribute a ON a.attrelid = relation AND a.attname = listed.name AND a.attnum > 0 AND NOT a.attisdropped
			ORDER BY listed.nth LIMIT 1) END;
COMMENT ON FUNCTION dbkit.tenant_column(regclass, text, text) IS
'the column by which a table tells organizations, or users, apart: by two keys of the agreement, the tables whose id it is and the names of columns';

-- With both columns a user sees the rows of the organization and its own, but gives no row to
-- another organization.  Access member needs both, and read goes by none.
CREATE OR REPLACE FUNCTION dbkit.tenant_conditions(relation regclass, access text, INOUT user_column text, INOUT organization_column text,
	OUT visible text, OUT writable text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	table_name name := (SELECT relname FROM pg_class WHERE oid = relation);
	missing text;
	of_organization text;
	of_user text;
BEGIN
	IF access = 'read' THEN
		IF coalesce(user_column, '') <> '' OR coalesce(organization_column, '') <> '' THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'access "read" goes by no column',
				DETAIL = 'It shows every row to everybody.',
				HINT = 'Leave out user_column and organization_column, or use access "tenant".';
		END IF;
		user_column := NULL;
		organization_column := NULL;
		visible := 'true';
		RETURN;
	END IF;
	IF access = 'member' OR coalesce(user_column, '') = '' AND coalesce(organization_column, '') = '' THEN
		organization_column := coalesce(organization_column, dbkit.tenant_column(relation, 'organization_tables', 'organization_columns'));
		IF access = 'member' OR coalesce(organization_column, '') = '' THEN
			user_column := coalesce(user_column, dbkit.tenant_column(relation, 'user_tables', 'user_columns'));
		END IF;
	END IF;
	user_column := nullif(user_column, '');
	organization_column := nullif(organization_column, '');
	IF access = 'member' AND (user_column IS NULL OR organization_column IS NULL) THEN
		missing := CASE WHEN organization_column IS NULL THEN 'organization' ELSE 'user' END;
		RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('table "%s" has no %s column', table_name, missing),
			DETAIL = 'With access "member" the organization reads a row, and its user writes it.',
			HINT = format('Name the column in %s_column, or use access "tenant".', missing);
	END IF;
	of_organization := dbkit.tenant_comparison(relation, organization_column, 'dbkit.organization_id()') WHERE organization_column IS NOT NULL;
	of_user := dbkit.tenant_comparison(relation, user_column, 'dbkit.user_id()') WHERE user_column IS NOT NULL;
	IF coalesce(of_organization, of_user) IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_column', MESSAGE = format('table "%s" has no column to isolate tenants by', table_name),
			HINT = 'Name the column in user_column or organization_column.';
	END IF;
	IF access = 'member' THEN
		visible := of_organization;
		writable := concat_ws(' AND ', of_organization, of_user);
	ELSIF of_organization IS NULL OR of_user IS NULL THEN
		visible := coalesce(of_organization, of_user);
		writable := visible;
	ELSE
		visible := concat_ws(' OR ', of_organization, of_user);
		writable := format('%s OR (%I IS NULL AND %s)', of_organization, organization_column, of_user);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.tenant_conditions(regclass, text, text, text) IS
'the conditions of the policies that dbkit.protect() makes: which rows are shown, and which may be written';

CREATE OR REPLACE FUNCTION dbkit.policy_name(role text, suffix text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	-- cut as PostgreSQL cuts the names that it makes
	RETURN (SELECT max(left(role, n)) FROM generate_series(0, 63) AS n WHERE octet_length(left(role, n)) <= 62 - octet_length(suffix)) || '_' || suffix;
COMMENT ON FUNCTION dbkit.policy_name(text, text) IS 'the name of a role''s policy: <role>_<suffix>';

CREATE OR REPLACE FUNCTION dbkit.isolation_policy(role text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN dbkit.policy_name(role, 'isolation');
COMMENT ON FUNCTION dbkit.isolation_policy(text) IS 'the name of a role''s policy: <role>_isolation';

CREATE OR REPLACE FUNCTION dbkit.isolation_policies(role text) RETURNS text[]
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN ARRAY[dbkit.policy_name(role, 'isolation'), dbkit.policy_name(role, 'isolation_insert'),
		dbkit.policy_name(role, 'isolation_update'), dbkit.policy_name(role, 'isolation_delete')];
COMMENT ON FUNCTION dbkit.isolation_policies(text) IS 'the names that the policies of a role can have, whatever its access is';

-- NULL where there is none, or where it is to be isolated
CREATE OR REPLACE FUNCTION dbkit.admin_beside(role text) RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	RETURN (SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = dbkit.agreement() ->> 'admin_role' AND r.rolname <> role);
COMMENT ON FUNCTION dbkit.admin_beside(text) IS 'the role that sees all rows where this one is isolated, of the agreement';

CREATE OR REPLACE FUNCTION dbkit.require_protectable(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	root record;
BEGIN
	SELECT relname, relkind, relowner INTO root FROM pg_class WHERE oid = relation;
	IF NOT FOUND THEN
		PERFORM dbkit.relation_name(relation);
	ELSIF root.relkind NOT IN ('r', 'p') THEN
		RAISE EXCEPTION USING ERRCODE = 'wrong_object_type', MESSAGE = format('"%s" is not a table', root.relname);
	ELSIF NOT pg_has_role(root.relowner, 'USAGE') THEN
		RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('must be owner of table %s', root.relname);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.require_protectable(regclass) IS
'undefined_table, wrong_object_type or insufficient_privilege for what is no table that the caller may protect';

CREATE OR REPLACE FUNCTION dbkit.require_role(role name) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF role <> 'public' AND to_regrole(quote_ident(role)) IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'undefined_object', MESSAGE = format('role "%s" does not exist', role);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.require_role(name) IS 'undefined_object where there is no such role, nor public';

CREATE OR REPLACE FUNCTION dbkit.members_of(relation regclass) RETURNS TABLE (member regclass, relkind "char", relowner oid, is_root boolean)
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
	WITH RECURSIVE tree AS (
		SELECT relation::oid AS oid UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.oid)
	SELECT c.oid::regclass, c.relkind, c.relowner, c.oid = relation FROM tree t JOIN pg_class c ON c.oid = t.oid ORDER BY c.oid <> relation, c.oid;
	END;
COMMENT ON FUNCTION dbkit.members_of(regclass) IS 'a table with all its partitions and children, itself first';

-- What PUBLIC is granted, all roles of all applications have; the owner has all.
CREATE OR REPLACE FUNCTION dbkit.takes_grants(relation regclass, role text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN role <> 'public' AND role <> (SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE oid = relation);
COMMENT ON FUNCTION dbkit.takes_grants(regclass, text) IS 'whether privileges have to be granted to a role';

-- Those of identity columns ask for no privilege.
CREATE OR REPLACE FUNCTION dbkit.serial_sequences(relation regclass) RETURNS SETOF regclass
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
	SELECT d.objid::regclass FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
	WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = relation AND d.refobjsubid > 0 AND d.deptype = 'a'
	ORDER BY d.refobjsubid;
	END;
COMMENT ON FUNCTION dbkit.serial_sequences(regclass) IS 'the sequences that an INSERT takes defaults from, by serial columns';

CREATE OR REPLACE FUNCTION dbkit.drop_policies_sql(relation regclass, policies text[]) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
	SELECT format('DROP POLICY %I ON %s', name, dbkit.relation_name(relation))
	FROM unnest(policies) WITH ORDINALITY AS p (name, nth)
	WHERE EXISTS (SELECT FROM pg_policy WHERE polrelid = relation AND polname = p.name) ORDER BY nth;
	END;
COMMENT ON FUNCTION dbkit.drop_policies_sql(regclass, text[]) IS 'the statements that drop those of these policies that are there';

CREATE OR REPLACE FUNCTION dbkit.grants_sql(relation regclass, role text, privileges text, inserts boolean) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
	SELECT format('GRANT %s ON %s TO %I', privileges, dbkit.relation_name(relation), role) WHERE dbkit.takes_grants(relation, role)
	UNION ALL
	SELECT format('GRANT USAGE ON SEQUENCE %s TO %I', dbkit.relation_name(s), role)
	FROM dbkit.serial_sequences(relation) AS s WHERE inserts AND dbkit.takes_grants(relation, role);
	END;
COMMENT ON FUNCTION dbkit.grants_sql(regclass, text, text, boolean) IS 'the statements that grant a role what it needs of a table';

CREATE OR REPLACE FUNCTION dbkit.revokes_sql(relation regclass, role text) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
	SELECT format('REVOKE SELECT, INSERT, UPDATE, DELETE ON %s FROM %I', dbkit.relation_name(relation), role) WHERE dbkit.takes_grants(relation, role)
	UNION ALL
	SELECT format('REVOKE USAGE ON SEQUENCE %s FROM %I', dbkit.relation_name(s), role)
	FROM dbkit.serial_sequences(relation) AS s WHERE dbkit.takes_grants(relation, role);
	END;
COMMENT ON FUNCTION dbkit.revokes_sql(regclass, text) IS 'the statements that take from a role all that any access grants';

-- What a role that only reads could not use, so that a write is refused rather than without effect
CREATE OR REPLACE FUNCTION dbkit.excess_sql(relation regclass, role text) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
	SELECT format('REVOKE INSERT, UPDATE, DELETE ON %s FROM %I', dbkit.relation_name(relation), role)
	WHERE dbkit.takes_grants(relation, role) AND has_table_privilege(role::name, relation, 'INSERT, UPDATE, DELETE')
	UNION ALL
	SELECT format('REVOKE USAGE ON SEQUENCE %s FROM %I', dbkit.relation_name(s), role)
	FROM dbkit.serial_sequences(relation) AS s WHERE dbkit.takes_grants(relation, role) AND has_sequence_privilege(role::name, s, 'USAGE');
	END;
COMMENT ON FUNCTION dbkit.excess_sql(regclass, text) IS 'the statements that take from a role what it needs to write';

CREATE OR REPLACE FUNCTION dbkit.default_sql(relation regclass, attname text, tables text, reader text) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	BEGIN ATOMIC
	SELECT format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s%s', dbkit.relation_name(relation), a.attname, reader,
		(SELECT '::' || base FROM dbkit.base_type(a.atttypid) AS base WHERE base NOT IN ('text'::regtype, 'varchar'::regtype)))
	FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
	WHERE a.attrelid = relation AND a.attname = default_sql.attname AND NOT a.atthasdef AND a.attidentity = '' AND t.typdefault IS NULL
		AND NOT (a.attname = 'id' AND dbkit.is_listed(relation, dbkit.agreement() -> tables));
	END;
COMMENT ON FUNCTION dbkit.default_sql(regclass, text, text, text) IS
'the statement by which a column belongs to who has entered, none where it has a default or is the table''s own id';

CREATE OR REPLACE FUNCTION dbkit.wants_tenant_key(schema text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL UNSAFE
	RETURN (SELECT l.level <> 'off' FROM dbkit.own_agreement() own, dbkit.rule_levels(own.agreement, current_setting('dbkit.rule_levels', true)) l
		WHERE l.rule = 'tenant_key' AND l.schema IN (wants_tenant_key.schema, '') ORDER BY l.schema DESC LIMIT 1);
COMMENT ON FUNCTION dbkit.wants_tenant_key(text) IS 'whether the rule tenant_key is in force for the tables of a schema';

-- For a new table alone: on one with rows the index would be built while nobody can write.
CREATE OR REPLACE FUNCTION dbkit.tenant_key_sql(relation regclass, attname text) RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	BEGIN ATOMIC
	SELECT format('ALTER TABLE ONLY %s ADD UNIQUE (%I, id)', dbkit.relation_name(relation), t.attname)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = tenant_key_sql.attname AND t.attname <> 'id'
	JOIN pg_attribute i ON i.attrelid = c.oid AND i.attname = 'id'
	WHERE c.oid = relation AND c.relkind = 'r' AND pg_relation_size(c.oid) = 0
		AND dbkit.wants_tenant_key(n.nspname)
		AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indnkeyatts = 2
			AND x.indpred IS NULL AND t.attnum = ANY (x.indkey[0:1]) AND i.attnum = ANY (x.indkey[0:1]));
	END;
COMMENT ON FUNCTION dbkit.tenant_key_sql(regclass, text) IS
'the statement that makes the unique key that the rule tenant_key has foreign keys reference, none where the rule is off or the key is there';

CREATE OR REPLACE FUNCTION dbkit.is_new(relation regclass) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN NOT EXISTS (SELECT FROM dbkit.members_of(relation) WHERE relkind = 'f' OR relkind = 'r' AND pg_relation_size(member) > 0);
COMMENT ON FUNCTION dbkit.is_new(regclass) IS 'whether a table, with its partitions and children, has never had a row';

-- Who adds a key has expressions of the other table's indexes evaluated, so that has to be in the hands
-- of somebody who has these rights anyway.
CREATE OR REPLACE FUNCTION dbkit.tenant_keys_sql(relation regclass, has_unique_key boolean) RETURNS SETOF text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	finding record;
	needed text;
	full_tables oid[] := '{}';
BEGIN
	IF dbkit.wants_tenant_key((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation)) IS NOT TRUE OR NOT dbkit.is_new(relation) THEN
		RETURN;
	END IF;
	FOR finding IN SELECT k.confrelid, string_to_array(j.statements, E'\n') AS statements
		FROM dbkit.judge(relation, NULL) j JOIN pg_constraint k ON k.conrelid = relation AND k.conname = j.part JOIN pg_class o ON o.oid = k.confrelid
		WHERE j.rule = 'tenant_key' AND j.statements IS NOT NULL AND pg_has_role(o.relowner, current_user::name, 'USAGE')
			AND has_table_privilege(o.oid, 'REFERENCES')
		ORDER BY j.number
	LOOP
		-- What several keys need is written for the first.
		IF finding.statements[1] LIKE 'CREATE UNIQUE INDEX %' THEN
			needed := CASE WHEN NOT (finding.confrelid = relation AND has_unique_key) THEN rtrim(finding.statements[1], ';') END;
			IF NOT dbkit.is_new(finding.confrelid) THEN
				full_tables := full_tables || finding.confrelid;
			END IF;
			RETURN QUERY SELECT needed WHERE needed IS NOT NULL AND finding.confrelid <> ALL (full_tables);
			finding.statements := finding.statements[2:];
		END IF;
		CONTINUE WHEN finding.confrelid = ANY (full_tables);
		RETURN QUERY SELECT rtrim(s, ';') FROM unnest(finding.statements) AS s;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.tenant_keys_sql(regclass, boolean) IS
'the statements that have the foreign keys of a new table keep to one tenant, as far as nobody has to wait for that; none where the rule tenant_key is off';

CREATE OR REPLACE FUNCTION dbkit.note_tenant_keys(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF dbkit.wants_tenant_key((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation))
		AND EXISTS (SELECT FROM dbkit.judge(relation, NULL) WHERE rule = 'tenant_key' AND statements IS NOT NULL)
	THEN
		RAISE NOTICE USING MESSAGE = format('foreign keys of table "%s" can reference rows of other tenants', (SELECT relname FROM pg_class WHERE oid = relation)),
			HINT = format('SELECT fix FROM dbkit.check(%L) WHERE rule = ''tenant_key'' says what puts keys in their place that include the tenant.', dbkit.relation_name(relation));
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.note_tenant_keys(regclass) IS 'says if a table has foreign keys that do not keep to one tenant';

-- Row security does not descend: a partition or child that is queried by its own name goes by
-- its own policies, so each gets the same.  Privileges and defaults are the table's alone.
CREATE OR REPLACE FUNCTION dbkit.protection_sql(relation regclass, user_column text, organization_column text, role text, stem text, access text) RETURNS SETOF text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	conditions record := dbkit.tenant_conditions(relation, access, user_column, organization_column);
	admin text := dbkit.admin_beside(role);
	table_member record;
	name text;
BEGIN
	-- Partitions first: where dbkit enforces, CREATE POLICY on a parent passes the policy on
	FOR table_member IN SELECT member FROM dbkit.members_of(relation) WHERE relkind IN ('r', 'p') ORDER BY is_root, member DESC LOOP
		name := dbkit.relation_name(table_member.member);
		RETURN NEXT format('ALTER TABLE ONLY %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
		RETURN QUERY SELECT dbkit.drop_policies_sql(table_member.member, dbkit.isolation_policies(stem));
		RETURN QUERY SELECT format('CREATE POLICY %I ON %s FOR %s TO %s%s%s', dbkit.policy_name(stem, p.suffix), name, p.command, quote_ident(role),
			' USING (' || CASE p.shown WHEN 'visible' THEN conditions.visible WHEN 'writable' THEN conditions.writable END || ')',
			' WITH CHECK (' || CASE WHEN p.checks THEN conditions.writable END || ')')
			FROM (VALUES
				('tenant', 'isolation', 'ALL', 'visible', true),
				('member', 'isolation', 'SELECT', 'visible', false),
				('member', 'isolation_insert', 'INSERT', NULL, true),
				('member', 'isolation_update', 'UPDATE', 'writable', true),
				('member', 'isolation_delete', 'DELETE', 'writable', false),
				('read', 'isolation', 'SELECT', 'visible', false)) AS p (access, suffix, command, shown, checks)
			WHERE p.access = protection_sql.access;
		IF admin IS NOT NULL THEN
			RETURN QUERY SELECT dbkit.drop_policies_sql(table_member.member, ARRAY[dbkit.policy_name(admin, 'all_rows')]);
			RETURN NEXT format('CREATE POLICY %I ON %s FOR ALL TO %I USING (true) WITH CHECK (true)', dbkit.policy_name(admin, 'all_rows'), name, admin);
		END IF;
	END LOOP;
	-- Where a table goes by either of two, a row without an organization is the user's alone, and stays that.
	IF access = 'member' OR conditions.user_column IS NULL OR conditions.organization_column IS NULL THEN
		RETURN QUERY SELECT dbkit.default_sql(relation, conditions.organization_column, 'organization_tables', 'dbkit.organization_id()');
		RETURN QUERY SELECT dbkit.default_sql(relation, conditions.user_column, 'user_tables', 'dbkit.user_id()');
	END IF;
	RETURN QUERY SELECT dbkit.tenant_key_sql(relation, conditions.organization_column);
	RETURN QUERY SELECT dbkit.excess_sql(relation, role) WHERE access = 'read';
	RETURN QUERY SELECT dbkit.grants_sql(relation, role, CASE access WHEN 'read' THEN 'SELECT' ELSE 'SELECT, INSERT, UPDATE, DELETE' END, access <> 'read');
	RETURN QUERY SELECT dbkit.grants_sql(relation, admin, 'SELECT, INSERT, UPDATE, DELETE', true) WHERE admin IS NOT NULL;
END $$;
COMMENT ON FUNCTION dbkit.protection_sql(regclass, text, text, text, text, text) IS
'the statements that protect a table with its partitions and children; the names of the policies begin with the stem';

-- Permissive policies are combined with OR
CREATE OR REPLACE FUNCTION dbkit.warn_of_policies(relation regclass, role text, stem text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	own text[] := dbkit.isolation_policies(stem) || CASE WHEN role = 'public' THEN ARRAY[dbkit.policy_name(dbkit.admin_beside(role), 'all_rows')] END;
	others text := (SELECT string_agg(format('"%s"', p.polname), ', ' ORDER BY p.polname::text COLLATE "C")
		FROM pg_policy p
		WHERE p.polrelid = relation AND p.polpermissive AND (p.polname = ANY (own)) IS NOT TRUE
			AND (role = 'public' OR EXISTS (SELECT FROM unnest(p.polroles) AS r WHERE r = 0 OR pg_has_role(role::name, r, 'USAGE'))));
BEGIN
	IF others IS NOT NULL THEN
		RAISE WARNING USING MESSAGE = format('other policies of table "%s" stay in force', (SELECT relname FROM pg_class WHERE oid = relation)),
			DETAIL = format('Rows that they admit stay visible to "%s": %s.', role, others),
			HINT = 'Drop them, or create them again AS RESTRICTIVE, unless that is what you want.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.warn_of_policies(regclass, text, text) IS 'warns of policies beside those of dbkit.protect() that show rows to the role';

-- A migration that runs as an owner from whom the rows are taken would change nothing, and not say so.
CREATE OR REPLACE FUNCTION dbkit.warn_of_owner(relation regclass, role text, stem text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bound record;
BEGIN
	SELECT r.oid, r.rolname, c.relname INTO bound
	FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
	WHERE c.oid = relation AND r.rolcanlogin AND NOT r.rolsuper AND NOT r.rolbypassrls AND r.rolname <> role
		AND NOT EXISTS (SELECT FROM pg_policy p CROSS JOIN unnest(p.polroles) AS admitted
			WHERE p.polrelid = relation AND p.polpermissive AND p.polname <> ALL (dbkit.isolation_policies(stem))
			AND (admitted = 0 OR pg_has_role(r.oid, admitted, 'USAGE')));
	IF FOUND THEN
		RAISE WARNING USING MESSAGE = format('row level security now binds role "%s", which owns table "%s" and can log in', bound.rolname, bound.relname),
			DETAIL = CASE WHEN role = 'public' OR pg_has_role(bound.oid, role, 'USAGE')
				THEN 'From now on its queries find no rows there without a context, and without an error.'
				ELSE 'From now on its queries find no rows there, without an error.' END,
			HINT = 'Run migrations as a role with BYPASSRLS, let a role that cannot log in own the table, or create a policy for the owner.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.warn_of_owner(regclass, text, text) IS 'warns where forced row level security takes the rows from an owner who can log in';

CREATE OR REPLACE FUNCTION dbkit.note_leftovers(relation regclass, role text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
	admin text := dbkit.agreement() ->> 'admin_role';
BEGIN
	IF role <> 'public' AND NOT has_schema_privilege(role::name, schema::text, 'USAGE') THEN
		RAISE NOTICE USING MESSAGE = format('role "%s" may not use schema %I yet', role, schema),
			HINT = format('To let it, run: GRANT USAGE ON SCHEMA %I TO %I;', schema, role);
	END IF;
	IF admin IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = admin) THEN
		RAISE NOTICE USING MESSAGE = format('role "%s", the admin_role of the agreement, does not exist', admin),
			HINT = 'Create it and call dbkit.protect() again, for a policy by which it sees all rows.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.note_leftovers(regclass, text) IS 'says what the roles lack that dbkit.protect() cannot give them';

CREATE OR REPLACE FUNCTION dbkit.report_leftovers(relation regclass, role text, stem text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	member record;
	owners oid[] := '{}';
BEGIN
	FOR member IN SELECT m.member AS relation, m.relkind, m.relowner FROM dbkit.members_of(relation) AS m LOOP
		IF member.relkind = 'f' THEN
			RAISE WARNING USING MESSAGE = format('row level security does not guard foreign table "%s"', (SELECT relname FROM pg_class WHERE oid = member.relation)),
				DETAIL = 'It has no policies, and rows written into it through another table are not checked.',
				HINT = 'Grant no more than SELECT, and that only on the table that it belongs to.';
			CONTINUE;
		END IF;
		PERFORM dbkit.warn_of_policies(member.relation, role, stem);
		IF member.relowner <> ALL (owners) THEN
			PERFORM dbkit.warn_of_owner(member.relation, role, stem);
			owners := owners || member.relowner;
		END IF;
	END LOOP;
	PERFORM dbkit.note_leftovers(relation, role);
END $$;
COMMENT ON FUNCTION dbkit.report_leftovers(regclass, text, text) IS 'says what protecting a table leaves for people to do, about each owner once';

CREATE OR REPLACE FUNCTION dbkit.run_statements(statements text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET standard_conforming_strings = on AS $$
DECLARE
	statement text;
BEGIN
	FOREACH statement IN ARRAY statements LOOP
		EXECUTE statement;
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.run_statements(text[]) IS 'runs statements, in which a name without a schema is PostgreSQL''s own';

CREATE OR REPLACE FUNCTION dbkit.require_protection(relation regclass, role name, access text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF relation IS NULL OR role IS NULL OR access IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the relation, the role and the access cannot be NULL';
	END IF;
	PERFORM dbkit.require_access(access);
END $$;
COMMENT ON FUNCTION dbkit.require_protection(regclass, name, text) IS 'checks the arguments of dbkit.protect()';

CREATE OR REPLACE FUNCTION dbkit.require_access(access text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF access NOT IN ('tenant', 'member', 'read') THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('unrecognized access: "%s"', access),
			HINT = 'Use tenant, member or read.';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.require_access(text) IS 'invalid_parameter_value for what is no kind of protection';

CREATE OR REPLACE FUNCTION dbkit.protect(relation regclass, user_column name DEFAULT NULL, organization_column name DEFAULT NULL,
	role name DEFAULT 'customer', access text DEFAULT 'tenant') RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM dbkit.require_protection(relation, role, access);
	PERFORM dbkit.require_protectable(relation);
	EXECUTE format('LOCK TABLE ONLY %s', dbkit.relation_name(relation));	-- so that no partition is added unseen
	PERFORM dbkit.tenant_conditions(relation, access, user_column, organization_column);
	PERFORM dbkit.require_role(role);
	PERFORM dbkit.run_statements(ARRAY(SELECT dbkit.protection_sql(relation, user_column, organization_column, role, role, access)));
	PERFORM dbkit.run_statements(ARRAY(SELECT dbkit.tenant_keys_sql(relation, false)));
	PERFORM dbkit.note_tenant_keys(relation);
	PERFORM dbkit.report_leftovers(relation, role, role);
END $$;
COMMENT ON FUNCTION dbkit.protect(regclass, name, name, name, text) IS
'enable and force row level security on a table, its partitions and children, and create or replace the policies <role>_isolation... on each. access tenant: shows and lets write the rows whose organization column equals dbkit.organization_id(), or in a table without one those whose user column equals dbkit.user_id(); if columns are named, those count and no other, and rows that match either of two are shown. member: the organization reads a row, and the user in the user column writes it. read: everybody reads all rows, and nobody writes. A column that is NULL defaults to the first of the agreement''s organization_columns or user_columns that the table has (id on the tables of organizations and users themselves), an empty one is left out. Grants the role the privileges that the access needs, gives these columns dbkit.organization_id() and dbkit.user_id() as defaults where they have none, and the admin_role of the agreement a policy by which it sees all. For the table''s owner. Errors: undefined_column, datatype_mismatch or collation_mismatch for a column that does not tell tenants apart, undefined_object, invalid_parameter_value for another access. A partition that is made later needs a call of its own';

CREATE OR REPLACE FUNCTION dbkit.protect_sql(relation regclass, user_column name DEFAULT NULL, organization_column name DEFAULT NULL,
	role name DEFAULT 'customer', access text DEFAULT 'tenant') RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	conditions record;
BEGIN
	PERFORM dbkit.require_protection(relation, role, access);
	PERFORM dbkit.require_protectable(relation);
	conditions := dbkit.tenant_conditions(relation, access, user_column, organization_column);
	PERFORM dbkit.require_role(role);
	RETURN concat(array_to_string(ARRAY(SELECT dbkit.protection_sql(relation, user_column, organization_column, role, role, access))
		|| ARRAY(SELECT dbkit.tenant_keys_sql(relation, (dbkit.agreement() -> 'organization_columns' ? conditions.organization_column) IS TRUE)), E';\n'), ';');
END $$;
COMMENT ON FUNCTION dbkit.protect_sql(regclass, name, name, name, text) IS
'The statements that dbkit.protect() would run with these arguments, for a migration. Errors: the same';

-- Without policies, row level security hides all rows; without row level security, whoever has a
-- privilege sees all of them.  So it is disabled only where nobody but the owner could notice.
CREATE OR REPLACE FUNCTION dbkit.is_in_reach(relation regclass) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
	RETURN EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = relation AND a.grantee <> c.relowner
		UNION ALL SELECT FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a WHERE c.oid = relation AND a.grantee <> c.relowner
		UNION ALL SELECT FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid = relation AND classid = 'pg_rewrite'::regclass
		UNION ALL SELECT FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
			WHERE r.rolname IN ('pg_read_all_data', 'pg_write_all_data') AND NOT m.rolsuper AND NOT m.rolbypassrls
		UNION ALL SELECT FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner JOIN pg_proc p ON p.proowner = c.relowner
			WHERE c.oid = relation AND c.relforcerowsecurity AND p.prosecdef AND NOT o.rolsuper AND NOT o.rolbypassrls);
COMMENT ON FUNCTION dbkit.is_in_reach(regclass) IS
'whether anybody but its owner has a privilege on a table or its columns, or on all tables, a view reads it, or a function lets others act as an owner whom row level security binds';

CREATE OR REPLACE FUNCTION dbkit.unprotect_table(relation regclass, role text, is_root boolean) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off SET standard_conforming_strings = on AS $$
DECLARE
	name text := dbkit.relation_name(relation);
	admin text := dbkit.admin_beside(role);
BEGIN
	PERFORM dbkit.run_statements(ARRAY(SELECT dbkit.drop_policies_sql(relation, dbkit.isolation_policies(role))));
	IF EXISTS (SELECT FROM pg_policy WHERE polrelid = relation AND polname <> coalesce(dbkit.policy_name(admin, 'all_rows'), '')) THEN
		RETURN;
	END IF;
	PERFORM dbkit.run_statements(ARRAY(SELECT dbkit.drop_policies_sql(relation, ARRAY[dbkit.policy_name(admin, 'all_rows')])));
	IF is_root THEN
		PERFORM dbkit.run_statements(ARRAY(SELECT dbkit.revokes_sql(relation, admin) WHERE admin IS NOT NULL));
		PERFORM dbkit.run_statements(ARRAY(SELECT format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', name, a.attname)
			FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			WHERE a.attrelid = relation AND a.attgenerated = ''
				AND pg_get_expr(d.adbin, d.adrelid) ~ '^\(?dbkit\.(organization|user)_id\(\)(\)::[a-z ]+)?$' ORDER BY a.attnum));
	END IF;
	IF NOT dbkit.is_in_reach(relation) THEN
		EXECUTE format('ALTER TABLE ONLY %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', name);
	ELSIF is_root THEN
		RAISE NOTICE USING MESSAGE = format('row level security of table "%s" stays enabled', (SELECT relname FROM pg_class WHERE oid = relation)),
			DETAIL = 'No policy is left, so it shows no rows. Without row level security, other roles that have privileges on it, or on a view of it, or that its owner''s functions act for, would see all of them.',
			HINT = format('To let them, run: ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;', name);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.unprotect_table(regclass, text, boolean) IS
'takes from one table the policies of a role, and with the last one all else that dbkit.protect() made';

CREATE OR REPLACE FUNCTION dbkit.unprotect(relation regclass, role name DEFAULT 'customer') RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	member record;
BEGIN
	IF relation IS NULL OR role IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the relation and the role cannot be NULL';
	END IF;
	PERFORM dbkit.require_protectable(relation);
	EXECUTE format('LOCK TABLE ONLY %s', dbkit.relation_name(relation));	-- so that no partition is added unseen
	PERFORM dbkit.require_role(role);
	IF NOT EXISTS (SELECT dbkit.drop_policies_sql(relation, dbkit.isolation_policies(role))) THEN
		RAISE NOTICE USING MESSAGE = format('table "%s" is not protected for role "%s", skipping', (SELECT relname FROM pg_class WHERE oid = relation), role);
		RETURN;
	END IF;
	PERFORM dbkit.run_statements(ARRAY(SELECT dbkit.revokes_sql(relation, role)));
	FOR member IN SELECT m.member AS relation, m.is_root FROM dbkit.members_of(relation) AS m WHERE m.relkind IN ('r', 'p') LOOP
		PERFORM dbkit.unprotect_table(member.relation, role, member.is_root);
	END LOOP;
END $$;
COMMENT ON FUNCTION dbkit.unprotect(regclass, name) IS
'take back what dbkit.protect() made for a role: its policies, also on partitions and children, and its privileges; with the last policy of a table also those of the admin_role, and the defaults that say who has entered. Row level security is disabled only where no policy is left and that opens the table to nobody: no other role has a privilege on it, and no view reads it. For the table''s owner. Errors: undefined_object, undefined_table, wrong_object_type, insufficient_privilege';

-- dbkit.create_table ------------------------------------------------------------
--
-- A trial shows what PostgreSQL makes of the columns: the table is made as it is described, and
-- what dbkit.check() finds is put right until it finds nothing.  The trial is rolled back; what
-- is left of it are its statements.

CREATE OR REPLACE FUNCTION dbkit.table_request(schema text, name text, columns text, prefix text, access text,
	OUT relation text, OUT relname text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parts text[];
BEGIN
	IF name IS NULL OR columns IS NULL OR access IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'the name, the columns and the access cannot be NULL';
	END IF;
	PERFORM dbkit.require_access(access);
	IF prefix IS NOT NULL AND dbkit.agreement() ->> 'id_style' <> 'prefixed' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'ids have no prefix in this database',
			DETAIL = 'The agreement has another id_style.';
	END IF;
	parts := parse_ident(name);
	IF cardinality(parts) > 3 OR cardinality(parts) = 3 AND parts[1] <> current_database() THEN
		RAISE EXCEPTION USING ERRCODE = 'syntax_error', MESSAGE = format('improper relation name (too many dotted names): %s', array_to_string(parts, '.'));
	ELSIF cardinality(parts) = 1 AND schema IS NULL THEN
		RAISE invalid_schema_name USING MESSAGE = 'no schema has been selected to create in';
	END IF;
	relname := parts[cardinality(parts)];
	relation := format('%I.%I', CASE cardinality(parts) WHEN 1 THEN schema ELSE parts[cardinality(parts) - 1] END, relname);
END $$;
COMMENT ON FUNCTION dbkit.table_request(text, text, text, text, text) IS
'checks the arguments of dbkit.create_table; the quoted name of the table with its schema';

-- The columns are read by the search_path of the caller, so what is before them names all with its
-- schema, and a default and a CHECK, which has an operator, come in a statement of their own.
CREATE OR REPLACE FUNCTION dbkit.first_column(relation regclass, relname text, prefix text, OUT definition text, OUT completion text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- The key of a partitioned table has the columns of its partition key as well.
	key text := CASE WHEN (SELECT relkind FROM pg_class WHERE oid = relation) = 'r' THEN ' PRIMARY KEY' ELSE '' END;
	missing text := (SELECT rule FROM dbkit.check(relation) WHERE rule IN ('primary_key', 'enum_table') LIMIT 1);
	existing text[] := ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = relation AND attnum > 0);
	style text := dbkit.agreement() ->> 'id_style';
BEGIN
	IF prefix IS NOT NULL OR missing = 'primary_key' AND style = 'prefixed' AND 'id' <> ALL (existing) THEN
		prefix := coalesce(prefix, dbkit.free_prefix(relname, ARRAY(SELECT p.prefix FROM dbkit.id_prefix p)));
		definition := 'id pg_catalog.text COLLATE pg_catalog."C"' || key;
		completion := format('ALTER COLUMN id SET DEFAULT %s.generate_id(%L), ADD CHECK (id LIKE %L)', dbkit.installed_schema(), prefix, prefix || '_%');
	ELSIF missing = 'primary_key' AND 'id' <> ALL (existing) THEN
		definition := CASE style WHEN 'uuid' THEN 'id pg_catalog.uuid' || key ELSE format('id pg_catalog.int8%s GENERATED ALWAYS AS IDENTITY', key) END;
		completion := CASE style WHEN 'uuid' THEN 'ALTER COLUMN id SET DEFAULT gen_random_uuid()' END;
	ELSIF missing = 'enum_table' AND 'value' <> ALL (existing) THEN
		definition := 'value pg_catalog.text PRIMARY KEY';
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.first_column(regclass, text, text) IS
'the column that a new table lacks to have the primary key that the rules want, NULL if it lacks none, and the ALTER TABLE that completes it';

CREATE OR REPLACE FUNCTION dbkit.table_policy_sql(relation regclass) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	role text := dbkit.agreement() ->> 'customer_role';
	policy text := format('CREATE POLICY %I ON %s%s USING ', coalesce(dbkit.isolation_policy(role), 'isolation'), dbkit.relation_name(relation),
		coalesce(' TO ' || quote_ident((SELECT rolname FROM pg_roles WHERE rolname = role)), ''));
BEGIN
	RETURN E'-- Nobody sees a row until you decide who may: write the condition in place of false.\n' || policy || '(false)';
END $$;
COMMENT ON FUNCTION dbkit.table_policy_sql(regclass) IS 'the policy of a new table whose rows no column gives to a tenant: it shows none';

-- What the column is named now whose number was noted, or that has come since
CREATE OR REPLACE FUNCTION dbkit.column_now(relation regclass, noted smallint, tables text, columns text) RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	RETURN coalesce((SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum = noted AND NOT a.attisdropped),
		dbkit.tenant_column(relation, tables, columns));
COMMENT ON FUNCTION dbkit.column_now(regclass, smallint, text, text) IS 'the name of a column that tells tenants apart, whatever it was called before';

CREATE OR REPLACE FUNCTION dbkit.can_isolate(relation regclass, user_column text, organization_column text) RETURNS boolean
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM dbkit.tenant_conditions(relation, 'tenant', user_column, organization_column);
	RETURN true;
EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
	RETURN false;
END $$;
COMMENT ON FUNCTION dbkit.can_isolate(regclass, text, text) IS 'whether a column of the table tells tenants apart';

-- For the role of the agreement or, until that is there, for all
CREATE OR REPLACE FUNCTION dbkit.customers() RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE
	RETURN coalesce((SELECT r.rolname::text FROM pg_roles r WHERE r.rolname = dbkit.agreement() ->> 'customer_role'), 'public');
COMMENT ON FUNCTION dbkit.customers() IS 'the role for which a new table is protected';

-- What a finding in a new table is put right by, where that is not the fix for an old one
CREATE OR REPLACE FUNCTION dbkit.new_table_fix(relation regclass, rule text, col text, fix text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off SET standard_conforming_strings = on AS $$
DECLARE
	name text := dbkit.relation_name(relation);
	key record;
BEGIN
	CASE rule
		WHEN 'rls_policy' THEN
			RETURN dbkit.table_policy_sql(relation);
		WHEN 'primary_key' THEN		-- that of a partitioned table
			RETURN (SELECT format('ALTER TABLE %s ADD PRIMARY KEY (id%s)', name, string_agg(format(', %I', a.attname), ''))
				FROM pg_partitioned_table p CROSS JOIN unnest(p.partattrs) AS attnum JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = attnum.attnum
				WHERE p.partrelid = relation AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = relation AND attname = 'id')
				AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = relation AND contype = 'p') HAVING count(*) > 0);
		WHEN 'fk_on_delete' THEN
			SELECT k.conname, pg_get_constraintdef(k.oid) AS definition, a.attnotnull INTO key
			FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = relation AND a.attname = col AND k.conkey = ARRAY[a.attnum]
			WHERE k.conrelid = relation AND k.contype = 'f' LIMIT 1;
			RETURN format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %2$I %s', name, key.conname,
				regexp_replace(key.definition, '( ON DELETE (?:RESTRICT|CASCADE|NO ACTION|SET NULL|SET DEFAULT)(?: \([^)]*\))?)?( (?:NOT )?(?:DEFERRABLE|VALID|ENFORCED).*)?$', CASE WHEN key.attnotnull THEN ' ON DELETE CASCADE\2' ELSE ' ON DELETE SET NULL\2' END));
		ELSE
			RETURN fix;
	END CASE;
END $$;
COMMENT ON FUNCTION dbkit.new_table_fix(regclass, text, text, text) IS
'the statement that puts a finding in a new table right, NULL if there is none';

-- Row level security is left to dbkit.protect(), where the rules want it and a column tells tenants apart,
-- or where the access says who sees the rows.
CREATE OR REPLACE FUNCTION dbkit.fix_new_table(relation regclass, relname text, is_prefixed boolean, completion text, access text) RETURNS text[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	finding record;
	more text[];
	statements text[] := '{}';
	noted_organization smallint;
	noted_user smallint;
	organization text;
	of_user text;
	is_protected boolean := false;
	has_keys boolean := false;
BEGIN
	IF completion IS NOT NULL THEN
		statements := ARRAY[format('ALTER TABLE %s %s', dbkit.relation_name(relation), completion)];
		EXECUTE statements[1];
	END IF;
	SELECT attnum INTO noted_organization FROM pg_attribute
	WHERE attrelid = relation AND attname = dbkit.tenant_column(relation, 'organization_tables', 'organization_columns');
	SELECT attnum INTO noted_user FROM pg_attribute WHERE attrelid = relation AND attname = dbkit.tenant_column(relation, 'user_tables', 'user_columns');
	LOOP
		-- One at a time: what is put right can make others appear, or go.
		SELECT * INTO finding FROM dbkit.check(relation) WITH ORDINALITY AS f
		WHERE (level <> 'warning' OR fix IS NOT NULL) AND rule <> 'tenant_key'
		ORDER BY starts_with(f.rule, 'rls_'), f.rule = 'rls_policy', f.rule = 'fk_index', f.rule = 'extid', f.ordinality LIMIT 1;
		-- Once the columns are right, and before foreign keys get indexes
		IF NOT has_keys AND (finding.rule IS NULL OR finding.rule = 'fk_index' OR starts_with(finding.rule, 'rls_')) THEN
			has_keys := true;
			more := ARRAY(SELECT dbkit.tenant_keys_sql(relation, false));
			PERFORM dbkit.run_statements(more);
			statements := statements || more;
			CONTINUE;
		END IF;
		EXIT WHEN NOT FOUND AND (access = 'tenant' OR is_protected);
		IF finding.rule = 'id_prefix' AND is_prefixed THEN
			RAISE EXCEPTION USING ERRCODE = 'KD001', MESSAGE = finding.problem;
		END IF;
		more := NULL;
		IF NOT is_protected AND (finding.rule IS NULL OR starts_with(finding.rule, 'rls_')) THEN
			organization := dbkit.column_now(relation, noted_organization, 'organization_tables', 'organization_columns') WHERE access <> 'read';
			of_user := dbkit.column_now(relation, noted_user, 'user_tables', 'user_columns') WHERE access = 'member' OR access = 'tenant' AND organization IS NULL;
			IF access <> 'tenant' OR dbkit.can_isolate(relation, of_user, organization) THEN
				more := ARRAY(SELECT dbkit.protection_sql(relation, of_user, organization, dbkit.customers(),
					coalesce(dbkit.agreement() ->> 'customer_role', 'public'), access));
			END IF;
			is_protected := true;
		END IF;
		more := coalesce(more, ARRAY[rtrim(dbkit.new_table_fix(relation, finding.rule, finding.column_name, finding.fix), '; ')]);
		IF more = '{NULL}' OR more <@ statements THEN
			RAISE EXCEPTION USING ERRCODE = 'KD001', MESSAGE = format('table "%s" cannot be as the agreement wants it', relname),
				DETAIL = finding.problem || '.';
		END IF;
		PERFORM dbkit.run_statements(more);
		statements := statements || more;
	END LOOP;
	RETURN statements;
END $$;
COMMENT ON FUNCTION dbkit.fix_new_table(regclass, text, boolean, text, text) IS
'completes and protects a new table, puts right what dbkit.check() finds in it, and gives the statements; KD001 for what it cannot';

-- The first statement is for the search_path of the caller, all others name PostgreSQL's own without a schema.
CREATE OR REPLACE FUNCTION dbkit.table_statements(request record, columns text, prefix text, access text) RETURNS text[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	statement pg_catalog.text := pg_catalog.format(E'CREATE TABLE %s (%s\n)', request.relation, columns);
	first pg_catalog.record;
	statements pg_catalog.text;
BEGIN
	BEGIN
		EXECUTE statement;
		first := dbkit.first_column(pg_catalog.to_regclass(request.relation), request.relname, prefix);
		IF first.definition IS NOT NULL THEN
			EXECUTE pg_catalog.format('DROP TABLE %s', request.relation);
			statement := pg_catalog.format(E'CREATE TABLE %s (%s\n)', request.relation, pg_catalog.concat_ws(', ', first.definition,
				CASE WHEN pg_catalog.btrim(columns, E' \t\r\n') OPERATOR(pg_catalog.<>) '' THEN columns END));
			EXECUTE statement;
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'KDP01', MESSAGE = pg_catalog.array_prepend(statement,
			dbkit.fix_new_table(pg_catalog.to_regclass(request.relation), request.relname, prefix IS NOT NULL, first.completion, access))::pg_catalog.text;
	EXCEPTION WHEN SQLSTATE 'KDP01' THEN		-- the trial is rolled back
		GET STACKED DIAGNOSTICS statements = MESSAGE_TEXT;
	END;
	RETURN statements;
END $$;
COMMENT ON FUNCTION dbkit.table_statements(record, text, text, text) IS 'the statements that make a table, of which a trial is rolled back';

CREATE OR REPLACE FUNCTION dbkit.create_table_sql(name text, columns text DEFAULT '', prefix text DEFAULT NULL, access text DEFAULT 'tenant') RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	request pg_catalog.record := dbkit.table_request(pg_catalog.current_schema()::pg_catalog.text, name, columns, prefix, access);
BEGIN
	RETURN pg_catalog.concat(pg_catalog.array_to_string(dbkit.table_statements(request, columns, prefix, access), E';\n'), ';');
END $$;
COMMENT ON FUNCTION dbkit.create_table_sql(text, text, text, text) IS
'The statements by which dbkit.create_table() makes that table, for a migration that runs them in one transaction';

CREATE OR REPLACE FUNCTION dbkit.report_new_table(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM dbkit.note_tenant_keys(relation);
	IF (SELECT relforcerowsecurity FROM pg_class WHERE oid = relation) THEN
		PERFORM dbkit.report_leftovers(relation, dbkit.customers(), coalesce(dbkit.agreement() ->> 'customer_role', 'public'));
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.report_new_table(regclass) IS 'says what protecting a new table leaves for people to do';

CREATE OR REPLACE FUNCTION dbkit.create_table(name text, columns text DEFAULT '', prefix text DEFAULT NULL, access text DEFAULT 'tenant') RETURNS regclass
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE AS $$
DECLARE
	request pg_catalog.record := dbkit.table_request(pg_catalog.current_schema()::pg_catalog.text, name, columns, prefix, access);
	statements pg_catalog.text[] := dbkit.table_statements(request, columns, prefix, access);
BEGIN
	EXECUTE statements[1];
	PERFORM dbkit.run_statements(statements[2:]);
	PERFORM dbkit.report_new_table(pg_catalog.to_regclass(request.relation));
	RETURN pg_catalog.to_regclass(request.relation);
END $$;
COMMENT ON FUNCTION dbkit.create_table(text, text, text, text) IS
'Makes a table of these columns, written as between the parentheses of CREATE TABLE, as the agreement wants it: with its id, trigger, indexes and policy, and types that the rules accept. Without a prefix a free one is taken. It is protected as by dbkit.protect() with this access, for the customer_role of the agreement, or for all where there is no such role.';

-- typed JSON --------------------------------------------------------------------

-- The texts are told by their form alone, so that no setting of the session can change what is
-- accepted, and nothing is raised.
CREATE OR REPLACE FUNCTION dbkit.is_date_text(string text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN string COLLATE "C" ~ '(?x)^(?!0000) (
		[0-9]{4} - ( (0[13578]|1[02]) - (0[1-9]|[12][0-9]|3[01]) | (0[469]|11) - (0[1-9]|[12][0-9]|30) | 02 - (0[1-9]|1[0-9]|2[0-8]) )
		| ( [0-9]{2} (0[48]|[2468][048]|[13579][26]) | ([02468][048]|[13579][26]) 00 ) - 02 - 29 )$';
COMMENT ON FUNCTION dbkit.is_date_text(text) IS 'whether it is a date as typed JSON has it, and a day that there is';

CREATE OR REPLACE FUNCTION dbkit.is_timestamp_text(string text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN dbkit.is_date_text(left(string, 10)) AND substr(string, 11) COLLATE "C" ~ '(?x)^
		T ([01][0-9]|2[0-3]) (:[0-5][0-9]){2} ([.][0-9]{1,6})? ( Z | [+-] (0[0-9]|1[0-5]) :[0-5][0-9] )$';
COMMENT ON FUNCTION dbkit.is_timestamp_text(text) IS 'whether it is a timestamp as typed JSON has it: with an offset, and at most six digits of a fraction';

CREATE OR REPLACE FUNCTION dbkit.sentinel(document jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN jsonb_typeof(document) <> 'object' OR NOT document ? '__sentinel' THEN NULL
		WHEN document -> '__sentinel' IN ('"timestamp"', '"date"', '"object"', '"array"') AND document ? 'value' THEN document ->> '__sentinel'
		ELSE '' END;
COMMENT ON FUNCTION dbkit.sentinel(jsonb) IS
'what an object stands for: timestamp, date, object or array; NULL for what stands for itself, an empty text for what is not typed JSON';

CREATE OR REPLACE FUNCTION dbkit.is_time(string jsonb, kind text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN jsonb_typeof(string) = 'string' AND CASE kind WHEN 'date' THEN dbkit.is_date_text(string #>> '{}') ELSE dbkit.is_timestamp_text(string #>> '{}') END;
COMMENT ON FUNCTION dbkit.is_time(jsonb, text) IS 'whether it is a string that the object of this kind can hold';

CREATE OR REPLACE FUNCTION dbkit.read_sentinel(document jsonb) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result text := dbkit.sentinel(document);
BEGIN
	IF result = '' THEN
		RAISE invalid_parameter_value USING MESSAGE = 'a JSON object with the key "__sentinel" is not typed JSON',
			DETAIL = 'Its value has to be "timestamp", "date", "object" or "array", and there has to be a key "value".',
			HINT = 'dbkit.to_typed_json() wraps objects that have this key for other reasons.';
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION dbkit.read_sentinel(jsonb) IS 'what an object stands for, as dbkit.sentinel() tells it; invalid_parameter_value for what is not typed JSON';

CREATE OR REPLACE FUNCTION dbkit.refuse_time(document jsonb, kind text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found_kind text := dbkit.read_sentinel(document);
	string jsonb := CASE WHEN found_kind IS NULL THEN document ELSE document -> 'value' END;
BEGIN
	IF found_kind <> kind THEN
		RAISE datatype_mismatch USING MESSAGE = format('the JSON is a %s, not a %s', found_kind, kind);
	END IF;
	RAISE invalid_datetime_format USING
		MESSAGE = CASE jsonb_typeof(string) WHEN 'string' THEN format('invalid %s in JSON: "%s"', kind, string #>> '{}') ELSE format('a %s in JSON has to be a string', kind) END,
		HINT = format('It is written like "%s".', CASE kind WHEN 'date' THEN '2024-01-10' ELSE '2024-01-10T12:00:00+00:00' END);
END $$;
COMMENT ON FUNCTION dbkit.refuse_time(jsonb, text) IS 'raises what is wrong with JSON that is to be a time';

-- From PostgreSQL 18 on, T and Z are looked up among the abbreviations of the session's time zone first.
CREATE OR REPLACE FUNCTION dbkit.time_input(string text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN replace(replace(string, 'T', ' '), 'Z', '+00:00');
COMMENT ON FUNCTION dbkit.time_input(text) IS 'the text of a time as its input function reads it in each session the same: without T and Z';

CREATE OR REPLACE FUNCTION dbkit.time_text(document jsonb, kind text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN (SELECT CASE WHEN string = 'null' THEN NULL WHEN dbkit.is_time(string, kind) THEN dbkit.time_input(string #>> '{}') ELSE dbkit.refuse_time(document, kind) END
		FROM (SELECT CASE coalesce(dbkit.sentinel(document), 'none') WHEN 'none' THEN document WHEN kind THEN document -> 'value' END) AS s (string));
COMMENT ON FUNCTION dbkit.time_text(jsonb, text) IS
'the text of a time in its object, or as such; NULL for JSON null. What it is read as depends on no setting';

-- The text has a year of four digits, and an offset: each session reads the same.
CREATE OR REPLACE FUNCTION dbkit.json_timestamp("json" jsonb) RETURNS timestamptz
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	RETURN dbkit.time_text("json", 'timestamp');
END $$;
COMMENT ON FUNCTION dbkit.json_timestamp(jsonb) IS
'the time that typed JSON or a JSON string holds; NULL for JSON null; can be indexed. invalid_datetime_format for a text without an offset or with more than six digits of a fraction, datatype_mismatch for a date';

CREATE OR REPLACE FUNCTION dbkit.json_date("json" jsonb) RETURNS date
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
	RETURN dbkit.time_text("json", 'date');
END $$;
COMMENT ON FUNCTION dbkit.json_date(jsonb) IS
'the date that typed JSON or a JSON string holds; NULL for JSON null; can be indexed. invalid_datetime_format for another text than 2024-01-10, datatype_mismatch for a timestamp';

CREATE OR REPLACE FUNCTION dbkit.mentions_sentinel(document jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN strpos(document::text, '"__sentinel": ') > 0;
COMMENT ON FUNCTION dbkit.mentions_sentinel(jsonb) IS 'whether an object in it could have the key __sentinel';

-- A query and no recursion of functions, which could reach the limit of the stack.
CREATE OR REPLACE FUNCTION dbkit.is_typed_json("json" jsonb) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN NOT dbkit.mentions_sentinel("json") OR (
		WITH RECURSIVE parts (part, kind) AS (
			SELECT is_typed_json."json", dbkit.sentinel(is_typed_json."json")
			UNION ALL
			SELECT inner_part, dbkit.sentinel(inner_part)
			FROM parts CROSS JOIN LATERAL (
				SELECT e.value FROM jsonb_each(CASE WHEN kind IS NULL AND jsonb_typeof(part) = 'object' THEN part END) AS e
				UNION ALL
				SELECT a.value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(part) = 'array' THEN part
					WHEN kind = 'array' AND jsonb_typeof(part -> 'value') = 'array' THEN part -> 'value' END) AS a) AS i (inner_part))
		SELECT bool_and(CASE WHEN kind IS NULL OR kind = 'object' THEN true
			WHEN kind = 'array' THEN jsonb_typeof(part -> 'value') = 'array' AND part ? 'lower_bounds'
			WHEN kind = '' THEN false
			ELSE dbkit.is_time(part -> 'value', kind) END)
		FROM parts);
COMMENT ON FUNCTION dbkit.is_typed_json(jsonb) IS
'whether each object with the key __sentinel, at any depth, is one that typed JSON has; raises nothing, so it can stand in a CHECK';

-- writing: one expression for the whole value, from its type.  "path" is the SQL of a part of it.

CREATE OR REPLACE FUNCTION dbkit.wrap_json(document jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT dbkit.mentions_sentinel(document) THEN
		RETURN document;
	ELSIF jsonb_typeof(document) = 'array' THEN
		RETURN (SELECT jsonb_agg(dbkit.wrap_json(a.value) ORDER BY a.ordinality) FROM jsonb_array_elements(document) WITH ORDINALITY AS a);
	ELSIF jsonb_typeof(document) <> 'object' THEN
		RETURN document;
	ELSIF document ? '__sentinel' THEN
		RETURN jsonb_build_object('__sentinel', 'object', 'value', document);
	END IF;
	RETURN (SELECT jsonb_object_agg(e.key, dbkit.wrap_json(e.value)) FROM jsonb_each(document) AS e);
END $$;
COMMENT ON FUNCTION dbkit.wrap_json(jsonb) IS 'JSON of the user, with what could be taken for typed JSON wrapped';

CREATE OR REPLACE FUNCTION dbkit.typed_document(document jsonb, in_array boolean) RETURNS jsonb
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN document = 'null' OR in_array AND jsonb_typeof(document) = 'array' THEN jsonb_build_object('__sentinel', 'object', 'value', document)
		ELSE dbkit.wrap_json(document) END;
COMMENT ON FUNCTION dbkit.typed_document(jsonb, boolean) IS
'typed JSON of a json value: its null is not NULL, and an array in an array of SQL is not a dimension of it';

CREATE OR REPLACE FUNCTION dbkit.typed_number(string text) RETURNS jsonb
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN string COLLATE "C" ~ '[NnIi]' OR string = '-0' THEN to_jsonb(string) ELSE to_jsonb(string::numeric) END;
COMMENT ON FUNCTION dbkit.typed_number(text) IS 'typed JSON of a number: what JSON has no number for is a string';

CREATE OR REPLACE FUNCTION dbkit.refuse_typed_time(kind text, string text, column_name text) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	message text := format('typed JSON cannot express the %s %s', kind, string);
	hint text := 'Typed JSON has the years 1 to 9999, as Python and JavaScript do.  Use NULL for what has no end.';
BEGIN
	IF column_name IS NULL THEN
		RAISE datetime_field_overflow USING MESSAGE = message, HINT = hint;
	END IF;
	RAISE datetime_field_overflow USING MESSAGE = message, DETAIL = format('It is the value of column "%s".', column_name), HINT = hint;
END $$;
COMMENT ON FUNCTION dbkit.refuse_typed_time(text, text, text) IS 'raises datetime_field_overflow for a time that typed JSON does not have';

CREATE OR REPLACE FUNCTION dbkit.typed_timestamp(at timestamptz, column_name text) RETURNS jsonb
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN CASE WHEN at BETWEEN timestamptz '0001-01-01 00:00:00+00' AND timestamptz '9999-12-31 23:59:59.999999+00'
		THEN jsonb_build_object('__sentinel', 'timestamp', 'value', concat(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
			CASE WHEN date_trunc('second', at, 'UTC') <> at THEN to_char(at, '.US') END, '+00:00'))
		ELSE dbkit.refuse_typed_time('timestamp', format('%s', at), column_name) END;
COMMENT ON FUNCTION dbkit.typed_timestamp(timestamptz, text) IS 'typed JSON of a timestamp; datetime_field_overflow, with the name of the column, if it has none';

CREATE OR REPLACE FUNCTION dbkit.typed_date(day date, column_name text) RETURNS jsonb
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN CASE WHEN day BETWEEN date '0001-01-01' AND date '9999-12-31'
		THEN jsonb_build_object('__sentinel', 'date', 'value', to_char(day::timestamp, 'YYYY-MM-DD'))
		ELSE dbkit.refuse_typed_time('date', format('%s', day), column_name) END;
COMMENT ON FUNCTION dbkit.typed_date(date, text) IS 'typed JSON of a date; datetime_field_overflow, with the name of the column, if it has none';

-- As an element of another array, by a domain, an array could be taken for a dimension.
CREATE OR REPLACE FUNCTION dbkit.typed_array(elements jsonb[], dimensions text, in_array boolean) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bounds integer[];
	sizes integer[];
BEGIN
	SELECT coalesce(array_agg(d[1]::integer ORDER BY n), '{}'), coalesce(array_agg(d[2]::bigint - d[1]::bigint + 1 ORDER BY n), '{}') INTO bounds, sizes
	FROM regexp_matches(dimensions, '[[](-?[0-9]+):(-?[0-9]+)[]]', 'g') WITH ORDINALITY AS m (d, n);
	FOR dimension IN REVERSE cardinality(sizes)..2 LOOP
		elements := ARRAY(SELECT to_jsonb(elements[first : first + sizes[dimension] - 1]) FROM generate_series(1, cardinality(elements), sizes[dimension]) AS first);
	END LOOP;
	IF in_array OR 1 <> ANY (bounds) THEN
		RETURN jsonb_build_object('__sentinel', 'array', 'value', elements, 'lower_bounds', bounds);
	END IF;
	RETURN to_jsonb(elements);
END $$;
COMMENT ON FUNCTION dbkit.typed_array(jsonb[], text, boolean) IS
'typed JSON of an array, whose elements and array_dims() are given: arrays in arrays, one for each dimension';

-- Not STRICT, as is_prefix() is not: a row has many columns.
CREATE OR REPLACE FUNCTION dbkit.kind_of(type oid, typtype "char", typsubscript regproc) RETURNS text
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN CASE WHEN typtype = 'd' THEN NULL
		WHEN type = 'bool'::regtype THEN 'boolean'
		WHEN type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype) THEN 'number'
		WHEN type = 'timestamptz'::regtype THEN 'timestamp'
		WHEN type = 'date'::regtype THEN 'date'
		WHEN type IN ('json'::regtype, 'jsonb'::regtype) THEN 'json'
		WHEN typtype = 'c' OR type = 'record'::regtype THEN 'composite'
		-- these two, which have subscripts from 0, are strings
		WHEN typsubscript = 'array_subscript_handler'::regproc AND type NOT IN ('int2vector'::regtype, 'oidvector'::regtype) THEN 'array'
		ELSE 'text' END;
COMMENT ON FUNCTION dbkit.kind_of(oid, "char", regproc) IS 'how typed JSON has values of a type, of which pg_type says this; NULL for a domain';

CREATE OR REPLACE FUNCTION dbkit.typed_kind(type oid) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN (SELECT dbkit.kind_of(t.oid, t.typtype, t.typsubscript) FROM pg_type t WHERE t.oid = dbkit.base_type(type));
COMMENT ON FUNCTION dbkit.typed_kind(oid) IS 'how typed JSON has values of a type, below all domains';

CREATE OR REPLACE FUNCTION dbkit.typed_scalar_sql(kind text, path text, column_name text, in_array boolean) RETURNS text
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN format(CASE kind WHEN 'boolean' THEN 'pg_catalog.to_jsonb(%s)' WHEN 'number' THEN 'dbkit.typed_number(pg_catalog.format(''%%s'', %s))'
		WHEN 'timestamp' THEN 'dbkit.typed_timestamp(%s, %L)' WHEN 'date' THEN 'dbkit.typed_date(%s, %L)' WHEN 'json' THEN 'dbkit.typed_document((%s)::pg_catalog.jsonb, %3$L)'
		ELSE 'pg_catalog.to_jsonb(pg_catalog.format(''%%s'', %s))' END, path, column_name, in_array);
COMMENT ON FUNCTION dbkit.typed_scalar_sql(text, text, text, boolean) IS 'SQL for typed JSON of a value that is neither an array nor a row nor NULL';

-- Not IS NULL, which is true of a row of NULLs as well
CREATE OR REPLACE FUNCTION dbkit.unless_null_sql(path text, expression text) RETURNS text
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN format('CASE WHEN %s IS DISTINCT FROM NULL THEN %s ELSE ''null''::pg_catalog.jsonb END', path, expression);
COMMENT ON FUNCTION dbkit.unless_null_sql(text, text) IS 'SQL for JSON null where the value is NULL';

CREATE OR REPLACE FUNCTION dbkit.type_name(type oid) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN (SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = type);
COMMENT ON FUNCTION dbkit.type_name(oid) IS 'the name of a type with its schema, which means that type whatever the search_path is';

CREATE OR REPLACE FUNCTION dbkit.element_type(type oid) RETURNS oid
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN (SELECT typelem FROM pg_type WHERE oid = dbkit.base_type(type));
COMMENT ON FUNCTION dbkit.element_type(oid) IS 'the type of the elements of an array';

CREATE OR REPLACE FUNCTION dbkit.columns_of_type(type oid, OUT names text[], OUT types oid[])
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}'), coalesce(array_agg(a.atttypid ORDER BY a.attnum), '{}')
		FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid
		WHERE t.oid = dbkit.base_type(type) AND a.attnum > 0 AND NOT a.attisdropped;
	END;
COMMENT ON FUNCTION dbkit.columns_of_type(oid) IS 'the columns of a composite type';

CREATE OR REPLACE FUNCTION dbkit.four_bytes(bytes bytea, start integer) RETURNS bigint
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN ('x' || encode(substr(bytes, start, 4), 'hex'))::bit(32)::bigint;
COMMENT ON FUNCTION dbkit.four_bytes(bytea, integer) IS 'four bytes as a number that is not negative';

-- The binary form of a row tells the types: their number, then of each column the type, the length,
-- which is -1 for NULL, and the value.  JSON tells the names.
CREATE OR REPLACE FUNCTION dbkit.columns_of_record(input record, OUT names text[], OUT types oid[], OUT source text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sent bytea := record_send(input);
	place integer := 5;
BEGIN
	names := ARRAY(SELECT json_object_keys(row_to_json(input)));
	types := '{}';
	FOR n IN 1..cardinality(names) LOOP
		types := types || dbkit.four_bytes(sent, place)::oid;
		IF types[n] = 'unknown'::regtype THEN
			RAISE indeterminate_datatype USING MESSAGE = format('could not determine the type of column "%s"', names[n]),
				HINT = 'Give the literal a type: ''a''::text.';
		END IF;
		place := place + 8 + CASE dbkit.four_bytes(sent, place + 4) WHEN 4294967295 THEN 0 ELSE dbkit.four_bytes(sent, place + 4) END;
	END LOOP;
	source := format(' FROM pg_catalog.unnest(ARRAY[$1]) AS t (%s)', (SELECT string_agg(format('c%s %s', n, dbkit.type_name(type)), ', ' ORDER BY n)
		FROM unnest(types) WITH ORDINALITY AS c (type, n)));
END $$;
COMMENT ON FUNCTION dbkit.columns_of_record(record) IS 'the columns of a row of type record, and a FROM that gives them, of the row $1, the names c1, c2 and so on';

CREATE OR REPLACE FUNCTION dbkit.typed_columns_sql(names text[], types oid[], paths text[]) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result text := coalesce((SELECT format('(SELECT pg_catalog.jsonb_object_agg(name, value) FROM (VALUES %s) AS c (name, value))',
			string_agg(format('(%L, %s)', name, CASE WHEN kind IN ('array', 'composite') OR kind IS NULL THEN dbkit.typed_sql(type, path, name, false)
				ELSE dbkit.unless_null_sql(path, dbkit.typed_scalar_sql(kind, path, name, false)) END), ', ' ORDER BY n))
		FROM unnest(names, types, paths) WITH ORDINALITY AS c (name, type, path, n)
		JOIN (SELECT oid, dbkit.kind_of(oid, typtype, typsubscript) AS kind FROM pg_type) AS t ON t.oid = c.type HAVING count(*) > 0), '''{}''::pg_catalog.jsonb');
BEGIN
	IF '__sentinel' = ANY (names) THEN
		RETURN format('pg_catalog.jsonb_build_object(''__sentinel'', ''object'', ''value'', %s)', result);
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION dbkit.typed_columns_sql(text[], oid[], text[]) IS 'SQL for typed JSON of a row of these columns';

CREATE OR REPLACE FUNCTION dbkit.typed_record(input record) RETURNS jsonb
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	columns record := dbkit.columns_of_record(input);
	result jsonb := '{}';
BEGIN
	IF columns.names <> '{}' THEN
		EXECUTE concat('SELECT ', dbkit.typed_columns_sql(columns.names, columns.types, ARRAY(SELECT format('t.c%s', n) FROM generate_subscripts(columns.names, 1) AS n)),
			columns.source) INTO result USING input;
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION dbkit.typed_record(record) IS 'typed JSON of a row whose type has no name';

CREATE OR REPLACE FUNCTION dbkit.typed_sql(type oid, path text, column_name text, in_array boolean) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	base oid := dbkit.base_type(type);
	kind text := dbkit.typed_kind(base);
	input text := CASE WHEN base = type THEN path ELSE format('(%s)::%s', path, dbkit.type_name(base)) END;
	columns record;
	result text;
BEGIN
	IF kind = 'array' THEN
		result := format('dbkit.typed_array(ARRAY(SELECT %s FROM (SELECT pg_catalog.unnest(%s) AS e) AS s), pg_catalog.array_dims(%2$s), %L)',
			dbkit.typed_sql(dbkit.element_type(base), 'e', column_name, true), input, in_array);
	ELSIF base = 'record'::regtype THEN
		result := format('dbkit.typed_record(%s)', input);
	ELSIF kind = 'composite' THEN
		columns := dbkit.columns_of_type(base);
		result := dbkit.typed_columns_sql(columns.names, columns.types, ARRAY(SELECT format('(%s).%I', input, name) FROM unnest(columns.names) AS name));
	ELSE
		result := dbkit.typed_scalar_sql(kind, input, column_name, in_array);
	END IF;
	RETURN dbkit.unless_null_sql(path, result);
END $$;
COMMENT ON FUNCTION dbkit.typed_sql(oid, text, text, boolean) IS
'SQL for typed JSON of a value of a type, in a column, and perhaps as an element of an array';

CREATE OR REPLACE FUNCTION dbkit.to_typed_json(value anyelement) RETURNS jsonb
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp SET datestyle = ISO SET intervalstyle = postgres SET extra_float_digits = 1 AS $$
DECLARE
	result jsonb;
BEGIN
	EXECUTE concat('SELECT ', dbkit.typed_sql(pg_typeof(value), '$1', NULL, false)) INTO result USING value;
	RETURN result;
END $$;
COMMENT ON FUNCTION dbkit.to_typed_json(anyelement) IS
'the value as JSON that dbkit.from_typed_json() reads back without a loss: as to_jsonb() writes it, but a timestamptz is {"__sentinel": "timestamp", "value": "2024-01-10T12:00:00+00:00"}, a date {"__sentinel": "date", "value": "2024-01-10"}, and an object that has the key __sentinel itself {"__sentinel": "object", "value": {...}}; datetime_field_overflow for infinity, BC and years after 9999';

-- reading: the text that the input function of the type reads, which then checks domains and lengths

CREATE OR REPLACE FUNCTION dbkit.refuse_typed(type oid, expected text) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE datatype_mismatch USING MESSAGE = format('the JSON is no value of type %s', format_type(dbkit.base_type(type), NULL)),
		DETAIL = format('It has to be %s.', expected);
END $$;
COMMENT ON FUNCTION dbkit.refuse_typed(oid, text) IS 'raises datatype_mismatch for JSON that has another form than a type';

CREATE OR REPLACE FUNCTION dbkit.unwrap_json(document jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT dbkit.mentions_sentinel(document) THEN
		RETURN document;
	ELSIF dbkit.read_sentinel(document) = 'object' THEN
		RETURN document -> 'value';
	ELSIF jsonb_typeof(document) = 'array' THEN
		RETURN (SELECT jsonb_agg(dbkit.unwrap_json(a.value) ORDER BY a.ordinality) FROM jsonb_array_elements(document) WITH ORDINALITY AS a);
	ELSIF jsonb_typeof(document) = 'object' THEN
		RETURN (SELECT jsonb_object_agg(e.key, dbkit.unwrap_json(e.value)) FROM jsonb_each(document) AS e);
	END IF;
	RETURN document;
END $$;
COMMENT ON FUNCTION dbkit.unwrap_json(jsonb) IS 'JSON of the user without what it was wrapped in';

CREATE OR REPLACE FUNCTION dbkit.quoted_element(string text) RETURNS text
	LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	RETURN CASE WHEN string IS NULL THEN 'NULL' ELSE concat('"', replace(replace(string, '\', '\\'), '"', '\"'), '"') END;
COMMENT ON FUNCTION dbkit.quoted_element(text) IS 'an element of an array literal';

CREATE OR REPLACE FUNCTION dbkit.typed_bounds(lower integer, size integer) RETURNS text
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF lower::bigint + size > 2147483647 THEN
		RAISE program_limit_exceeded USING MESSAGE = format('array lower bound is too large: %s', lower);
	END IF;
	RETURN format('[%s:%s]', lower, lower + size - 1);
END $$;
COMMENT ON FUNCTION dbkit.typed_bounds(integer, integer) IS 'the subscripts of a dimension in the literal of an array';

CREATE OR REPLACE FUNCTION dbkit.typed_array_text(type oid, document jsonb) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	has_bounds boolean := coalesce(dbkit.read_sentinel(document) = 'array', false);
	element oid := dbkit.element_type(type);
	delimiter text := (SELECT typdelim FROM pg_type WHERE oid = element);
	parts jsonb[] := ARRAY[CASE WHEN has_bounds THEN document -> 'value' ELSE document END];
	bounds jsonb := document -> 'lower_bounds';
	sizes integer[] := '{}';
	texts text[];
BEGIN
	IF jsonb_typeof(parts[1]) <> 'array' THEN
		PERFORM dbkit.refuse_typed(type, 'an array');
	END IF;
	-- one dimension after the other, until there are no more arrays
	WHILE cardinality(parts) > 0 AND jsonb_typeof(parts[1]) = 'array' AND (sizes <> '{}' OR parts[1] <> '[]') LOOP
		IF cardinality(sizes) = 6 OR EXISTS (SELECT FROM unnest(parts) AS part WHERE jsonb_typeof(part) <> 'array') THEN
			PERFORM dbkit.refuse_typed(type, 'an array, or arrays of one depth in it');
		ELSIF EXISTS (SELECT FROM unnest(parts) AS part WHERE jsonb_array_length(part) <> jsonb_array_length(parts[1])) THEN
			PERFORM dbkit.refuse_typed(type, 'an array, in which arrays side by side have as many elements');
		END IF;
		sizes := sizes || jsonb_array_length(parts[1]);
		parts := ARRAY(SELECT e.value FROM unnest(parts) WITH ORDINALITY AS p (part, n) CROSS JOIN LATERAL jsonb_array_elements(part) WITH ORDINALITY AS e ORDER BY n, e.ordinality);
	END LOOP;
	IF sizes <> '{}' AND EXISTS (SELECT FROM unnest(parts) AS part WHERE jsonb_typeof(part) = 'array') THEN
		PERFORM dbkit.refuse_typed(type, 'an array, or arrays of one depth in it');
	ELSIF has_bounds AND jsonb_typeof(bounds) IS DISTINCT FROM 'array' THEN
		PERFORM dbkit.refuse_typed(type, 'an array with its lower_bounds');
	ELSIF has_bounds AND (jsonb_array_length(bounds) <> cardinality(sizes) OR EXISTS (SELECT FROM jsonb_array_elements(bounds) AS bound WHERE jsonb_typeof(bound) <> 'number')) THEN
		PERFORM dbkit.refuse_typed(type, 'an array with a number for each of its dimensions in lower_bounds');
	ELSIF sizes = '{}' OR parts = '{}' THEN
		RETURN '{}';
	END IF;
	texts := ARRAY(SELECT dbkit.quoted_element(dbkit.typed_text(element, part)) FROM unnest(parts) WITH ORDINALITY AS p (part, n) ORDER BY n);
	FOR dimension IN REVERSE cardinality(sizes)..1 LOOP
		texts := ARRAY(SELECT concat('{', array_to_string(texts[first : first + sizes[dimension] - 1], delimiter), '}')
			FROM generate_series(1, cardinality(texts), sizes[dimension]) AS first);
	END LOOP;
	IF NOT has_bounds THEN
		RETURN texts[1];
	END IF;
	RETURN concat((SELECT string_agg(dbkit.typed_bounds(bound::integer, size), '' ORDER BY n) FROM ROWS FROM (jsonb_array_elements(bounds), unnest(sizes)) WITH ORDINALITY AS b (bound, size, n)),
		'=', texts[1]);
END $$;
COMMENT ON FUNCTION dbkit.typed_array_text(oid, jsonb) IS 'the literal of an array that typed JSON holds';

-- Keys that are no columns are passed over.
CREATE OR REPLACE FUNCTION dbkit.typed_row_texts(names text[], types oid[], document jsonb, given jsonb) RETURNS text[]
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- what most columns have is read here; the function could read it, too
	RETURN ARRAY(SELECT CASE WHEN part IS NULL THEN given ->> name
			WHEN part = 'null' THEN NULL
			WHEN kind IN ('text', 'number', 'boolean') AND jsonb_typeof(part) IN ('string', 'number', 'boolean') THEN part #>> '{}'
			WHEN kind IN ('timestamp', 'date') AND part ->> '__sentinel' = kind AND dbkit.is_time(part -> 'value', kind) THEN dbkit.time_input(part ->> 'value')
			ELSE dbkit.typed_text(type, part) END
		FROM unnest(names, types) WITH ORDINALITY AS c (name, type, n)
		CROSS JOIN LATERAL (SELECT document -> name) AS d (part)
		JOIN (SELECT oid, dbkit.kind_of(oid, typtype, typsubscript) AS kind FROM pg_type) AS t ON t.oid = c.type
		ORDER BY n);
END $$;
COMMENT ON FUNCTION dbkit.typed_row_texts(text[], oid[], jsonb, jsonb) IS 'the texts of the columns of a row that typed JSON holds; given: those of columns that it does not have';

CREATE OR REPLACE FUNCTION dbkit.typed_object(type oid, document jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	result jsonb := CASE WHEN dbkit.read_sentinel(document) = 'object' THEN document -> 'value' ELSE document END;
BEGIN
	IF jsonb_typeof(result) <> 'object' THEN
		PERFORM dbkit.refuse_typed(type, 'an object');
	END IF;
	RETURN result;
END $$;
COMMENT ON FUNCTION dbkit.typed_object(oid, jsonb) IS 'the object that has the columns of a row';

CREATE OR REPLACE FUNCTION dbkit.typed_text(type oid, document jsonb, given jsonb DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	kind text := dbkit.typed_kind(type);
	found_kind text;
	columns record;
BEGIN
	IF document IS NULL OR document = 'null' THEN
		RETURN NULL;
	ELSIF kind = 'array' THEN
		RETURN dbkit.typed_array_text(type, document);
	ELSIF kind = 'composite' THEN
		document := dbkit.typed_object(type, document);
		IF dbkit.base_type(type) = 'record'::regtype THEN
			RAISE datatype_mismatch USING MESSAGE = 'a row of type record has no columns to read from JSON',
				HINT = 'Give a sample of the type that the row has: NULL::my_table.';
		END IF;
		columns := dbkit.columns_of_type(type);
		RETURN concat('(', array_to_string(ARRAY(
			SELECT CASE WHEN string IS NULL THEN '' ELSE concat('"', replace(replace(string, E'\\', E'\\\\'), '"', '""'), '"') END
			FROM unnest(dbkit.typed_row_texts(columns.names, columns.types, document, given)) WITH ORDINALITY AS t (string, n)
			ORDER BY n), ','), ')');
	ELSIF kind = 'json' THEN
		RETURN CASE WHEN dbkit.read_sentinel(document) = 'object' THEN document -> 'value' ELSE dbkit.unwrap_json(document) END;
	ELSIF kind IN ('timestamp', 'date') THEN
		found_kind := dbkit.read_sentinel(document);
		IF found_kind <> kind THEN
			PERFORM dbkit.refuse_typed(type, concat('a ', kind));
		ELSIF found_kind = kind THEN
			RETURN coalesce(dbkit.time_text(document, kind), dbkit.refuse_time(document, kind));
		END IF;
	END IF;
	IF jsonb_typeof(document) NOT IN ('string', 'number', 'boolean') THEN
		PERFORM dbkit.refuse_typed(type, 'a string, a number or a boolean');
	END IF;
	RETURN document #>> '{}';
END $$;
COMMENT ON FUNCTION dbkit.typed_text(oid, jsonb, jsonb) IS
'the text from which the input function of a type makes the value that typed JSON holds. given: of a row, the texts of columns that the JSON does not have';

-- Each text is the element of an array, and so read by the input function of its type; a cast from
-- text could cut it, or be somebody's own.  An array is read as it is.
CREATE OR REPLACE FUNCTION dbkit.typed_casts(types oid[], INOUT strings text[], OUT casts text[])
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(array_agg(CASE t.typarray WHEN 0 THEN string ELSE concat('{', dbkit.quoted_element(string), '}') END ORDER BY n), '{}'),
			coalesce(array_agg(CASE t.typarray WHEN 0 THEN format('$1[%s]::%s', n, dbkit.type_name(t.oid)) ELSE format('($1[%s]::%s)[1]', n, dbkit.type_name(t.typarray)) END ORDER BY n), '{}')
		FROM unnest(types, strings) WITH ORDINALITY AS v (type, string, n) JOIN pg_type t ON t.oid = v.type;
	END;
COMMENT ON FUNCTION dbkit.typed_casts(oid[], text[]) IS 'SQL for the values that the input functions of types make of texts, of which it is given $1';

CREATE OR REPLACE FUNCTION dbkit.sample_columns(sample anyelement, OUT names text[], OUT types oid[], OUT given jsonb)
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	base oid := dbkit.base_type(pg_typeof(sample));
	columns record;
	source text;
	paths text[];
BEGIN
	IF base = 'record'::regtype THEN
		columns := dbkit.columns_of_record(sample);
		source := columns.source;
		paths := ARRAY(SELECT format('t.c%s', n) FROM generate_subscripts(columns.names, 1) AS n);
	ELSE
		columns := dbkit.columns_of_type(base);
		paths := ARRAY(SELECT format('($1::%s).%I', dbkit.type_name(base), name) FROM unnest(columns.names) AS name);
	END IF;
	names := columns.names;
	types := columns.types;
	IF names <> '{}' THEN
		EXECUTE format('SELECT (SELECT pg_catalog.jsonb_object_agg(name, value) FROM (VALUES %s) AS c (name, value))%s',
			(SELECT string_agg(format('(%L, CASE WHEN %s IS DISTINCT FROM NULL THEN pg_catalog.format(''%%s'', %2$s) END)', name, path), ', ' ORDER BY n)
			FROM unnest(columns.names, paths) WITH ORDINALITY AS c (name, path, n)), source) INTO given USING sample;
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.sample_columns(anyelement) IS 'the columns of a row, and their texts';

CREATE OR REPLACE FUNCTION dbkit.typed_select(type oid, document jsonb, names text[], types oid[], given jsonb, OUT statement text, OUT strings text[])
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_row boolean := coalesce(dbkit.typed_kind(type) = 'composite' AND document <> 'null', false);
	casts text[];
BEGIN
	IF is_row AND type = 'record'::regtype AND names IS NOT NULL THEN
		strings := dbkit.typed_row_texts(names, types, dbkit.typed_object(type, document), given);
		SELECT c.strings, c.casts INTO strings, casts FROM dbkit.typed_casts(types, strings) AS c;
		statement := concat('SELECT ', (SELECT string_agg(format('%s AS %I', c.sql, c.name), ', ' ORDER BY c.n) FROM unnest(casts, names) WITH ORDINALITY AS c (sql, name, n)));
	ELSE
		strings := ARRAY[dbkit.typed_text(type, document, given)];
		SELECT c.strings, c.casts INTO strings, casts FROM dbkit.typed_casts(ARRAY[type], strings) AS c;
		statement := format(CASE WHEN is_row THEN 'SELECT (t.v).* FROM (SELECT %s AS v OFFSET 0) AS t' ELSE 'SELECT %s' END, casts[1]);
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.typed_select(oid, jsonb, text[], oid[], jsonb) IS
'a SELECT of the value that typed JSON holds, of a row its columns, and the texts that it is given as $1. names, types, given: the columns of a sample, and their texts';

-- Domains are checked as in the session: no search_path is set here.
CREATE OR REPLACE FUNCTION dbkit.from_typed_json(sample anyelement, "json" jsonb) RETURNS anyelement
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
	SET datestyle = ISO SET intervalstyle = postgres SET extra_float_digits = 1 AS $$
DECLARE
	type pg_catalog.oid := pg_catalog.pg_typeof(sample);
	columns pg_catalog.record;
	query pg_catalog.record;
BEGIN
	IF sample IS DISTINCT FROM NULL AND dbkit.typed_kind(type) OPERATOR(pg_catalog.=) 'composite' THEN
		columns := dbkit.sample_columns(sample);
		query := dbkit.typed_select(type, "json", columns.names, columns.types, columns.given);
	ELSE
		query := dbkit.typed_select(type, "json", NULL, NULL, NULL);
	END IF;
	IF pg_catalog.jsonb_typeof("json") OPERATOR(pg_catalog.<>) 'null' THEN
		EXECUTE query.statement INTO sample USING query.strings;
		RETURN sample;
	END IF;
	IF type OPERATOR(pg_catalog.<>) 'pg_catalog.record'::pg_catalog.regtype THEN
		EXECUTE query.statement USING query.strings;	-- a domain may refuse NULL
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION dbkit.from_typed_json(anyelement, jsonb) IS
'the value that dbkit.to_typed_json() was given. sample: gives the type, NULL::my_table for instance, and the columns that the JSON does not have; datatype_mismatch where the JSON has another form than the type';

-- what the data means -----------------------------------------------------------

CREATE OR REPLACE FUNCTION dbkit.documented_identifier(name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE WHEN name ~ '^[a-z_][a-z0-9_$]*$' THEN name ELSE concat('"', replace(name, '"', '""'), '"') END;
COMMENT ON FUNCTION dbkit.documented_identifier(text) IS 'a name, in quotes where SQL would read another one without them; keywords have none';

CREATE OR REPLACE FUNCTION dbkit.belongs_to_extension(catalog regclass, object oid) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	RETURN EXISTS (SELECT FROM pg_depend WHERE classid = catalog AND objid = object AND deptype = 'e');
COMMENT ON FUNCTION dbkit.belongs_to_extension(regclass, oid) IS 'whether an object was made by an extension';

CREATE OR REPLACE FUNCTION dbkit.comments_on_columns(only_schema regnamespace, OUT place bigint, OUT relation text, OUT name text, OUT comment text)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF only_schema IS NOT NULL AND NOT EXISTS (SELECT FROM pg_namespace WHERE oid = only_schema) THEN
		RAISE invalid_schema_name USING MESSAGE = format('schema with OID %s does not exist', only_schema::oid);
	END IF;
	RETURN QUERY
		SELECT row_number() OVER (ORDER BY n.nspname <> 'public', n.nspname, c.relname, a.attname NULLS FIRST),
			CASE WHEN n.nspname <> 'public' THEN dbkit.documented_identifier(n.nspname::text) || '.' ELSE '' END || dbkit.documented_identifier(c.relname::text),
			coalesce(a.attname::text, ''), d.description
		FROM pg_description d
		JOIN pg_class c ON c.oid = d.objoid
		JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid <> 0
		CROSS JOIN LATERAL (SELECT n.nspname = 'dbkit' OR dbkit.belongs_to_extension('pg_namespace', n.oid)) AS of_extension(schema)
		WHERE d.classoid = 'pg_class'::regclass AND (d.objsubid = 0 OR a.attname IS NOT NULL)
		AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
		AND CASE WHEN only_schema IS NULL THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT of_extension.schema ELSE n.oid = only_schema END
		AND (of_extension.schema OR NOT dbkit.belongs_to_extension('pg_class', c.oid));
END $$;
COMMENT ON FUNCTION dbkit.comments_on_columns(regnamespace) IS
'the comments on tables, under the name "", and columns, in the order of dbkit.annotations_yaml(); invalid_schema_name';

CREATE OR REPLACE FUNCTION dbkit.annotations(schema regnamespace DEFAULT NULL) RETURNS jsonb
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN (
		SELECT coalesce(jsonb_object_agg(relation, columns), '{}')
		FROM (SELECT relation, jsonb_object_agg(name, comment) AS columns FROM dbkit.comments_on_columns(schema) GROUP BY relation) AS annotated);
COMMENT ON FUNCTION dbkit.annotations(regnamespace) IS
'All comments on tables, views and their columns, of one schema or of all but those of the system and of extensions, as dbkit.annotate() takes them. Tables in public are named without their schema, and partitions have the comments of their root. Errors: invalid_schema_name';

-- The characters that YAML does not allow as they are, that one of its versions takes for the end of
-- a line, and those that are not seen.
CREATE OR REPLACE FUNCTION dbkit.has_yaml_escapes(string text) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN string ~ '[\u0001-\u001F\u007F-\u00A0\u200E\u200F\u2028-\u202E\u2066-\u2069\uFEFF\uFFFE\uFFFF]';
COMMENT ON FUNCTION dbkit.has_yaml_escapes(text) IS 'whether one of the characters cannot stand in YAML as it is';

-- As it is where nothing in it can be mistaken, over several lines where it has several, else in quotes.
CREATE OR REPLACE FUNCTION dbkit.yaml_string(string text, indent integer) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN CASE
		WHEN (string ~ '^[A-Za-z]' OR ascii(string) > 127) AND string !~ '[ :]$|: | #' AND NOT dbkit.has_yaml_escapes(string)
			AND lower(string) NOT IN ('false', 'n', 'no', 'null', 'off', 'on', 'true', 'y', 'yes') THEN string
		WHEN indent > 0 AND strpos(string, chr(10)) > 0 AND string !~ '^[ \n]|[ \n]$| \n' AND NOT dbkit.has_yaml_escapes(translate(string, chr(10), '')) THEN
			concat('|-', regexp_replace(concat(chr(10), string), '\n(?=[^\n])', concat(chr(10), repeat(' ', indent)), 'g'))
		ELSE (
			SELECT concat('"', string_agg(CASE
				WHEN c = chr(10) THEN '\n'
				WHEN c = chr(9) THEN '\t'
				WHEN c IN ('"', '\') THEN '\' || c
				WHEN dbkit.has_yaml_escapes(c) THEN concat('\u', lpad(upper(to_hex(ascii(c))), 4, '0'))
				ELSE c END, '' ORDER BY place), '"')
			FROM string_to_table(string, NULL) WITH ORDINALITY AS characters(c, place))
		END;
COMMENT ON FUNCTION dbkit.yaml_string(text, integer) IS
'a string as YAML, over several lines only if they are to be indented';

CREATE OR REPLACE FUNCTION dbkit.annotations_yaml(schema regnamespace DEFAULT NULL) RETURNS text
	LANGUAGE sql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN (
		SELECT coalesce(string_agg(concat(CASE WHEN is_first THEN concat(dbkit.yaml_string(relation, 0), ':', chr(10)) END,
			'  ', dbkit.yaml_string(name, 0), ': ', dbkit.yaml_string(comment, 4)), chr(10) ORDER BY place), '{}')
		FROM (
			SELECT place, relation, name, comment, relation IS DISTINCT FROM lag(relation) OVER (ORDER BY place) AS is_first
			FROM dbkit.comments_on_columns(schema)) AS lines);
COMMENT ON FUNCTION dbkit.annotations_yaml(regnamespace) IS
'dbkit.annotations() as YAML, for a file that is kept with the migrations: the same bytes wherever the comments are the same, by the names of schemas, tables and columns. Errors: invalid_schema_name';

CREATE OR REPLACE FUNCTION dbkit.name_parts(name text) RETURNS text[]
	LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN parse_ident(name);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN NULL;
END $$;
COMMENT ON FUNCTION dbkit.name_parts(text) IS 'the parts of a name as SQL reads it; NULL if it is none';

CREATE OR REPLACE FUNCTION dbkit.refuse_annotations(code text, problem text, names text[], hint text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF cardinality(names) > 3 THEN
		RAISE EXCEPTION USING ERRCODE = code, HINT = hint, DETAIL = array_to_string(names, chr(10)),
			MESSAGE = format('the annotations name %s: %s and %s more', problem, array_to_string(names[:3], ', '), cardinality(names) - 3);
	ELSIF cardinality(names) > 0 THEN
		RAISE EXCEPTION USING ERRCODE = code, HINT = hint, MESSAGE = format('the annotations name %s: %s', problem, array_to_string(names, ', '));
	END IF;
END $$;
COMMENT ON FUNCTION dbkit.refuse_annotations(text, text, text[], text) IS 'an error that has all these names, if there are any';

CREATE OR REPLACE FUNCTION dbkit.refuse_annotation_value(problem text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = problem,
		HINT = 'Annotations are like {"users": {"": "Who can sign in", "status": "active or suspended"}}; null removes one.';
END $$;
COMMENT ON FUNCTION dbkit.refuse_annotation_value(text) IS 'an error for JSON of another shape';

-- All names are looked up first, so that one error tells everything.
CREATE OR REPLACE FUNCTION dbkit.annotate_in(schemas name[], annotations jsonb) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key text;
	columns jsonb;
	name text;
	value jsonb;
	parts text[];
	visible oid;
	usual oid;
	target record;
	attnum int;
	relations oid[] := '{}';
	statements text[] := '{}';
	unknown text[] := '{}';
	ambiguous text[] := '{}';
	unfit text[] := '{}';
	not_owned text[] := '{}';
BEGIN
	IF annotations IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'annotations must not be null';
	ELSIF jsonb_typeof(annotations) <> 'object' THEN
		PERFORM dbkit.refuse_annotation_value('the annotations are not an object');
	END IF;
	FOR key, columns IN SELECT * FROM jsonb_each(annotations) LOOP
		IF jsonb_typeof(columns) <> 'object' THEN
			PERFORM dbkit.refuse_annotation_value(format('the annotations of table "%s" are not an object', key));
		END IF;
		parts := dbkit.name_parts(key);
		IF cardinality(parts) = 1 THEN
			visible := (SELECT c.oid FROM unnest(schemas) WITH ORDINALITY AS s(schema, place) JOIN pg_namespace n ON n.nspname = s.schema
				JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = parts[1] ORDER BY place LIMIT 1);
		END IF;
		usual := (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = CASE cardinality(parts) WHEN 1 THEN 'public' WHEN 2 THEN parts[1] END AND c.relname = parts[cardinality(parts)]);
		IF cardinality(parts) = 1 AND visible <> usual THEN
			ambiguous := ambiguous || format('"%s" is %s and %s', key, visible::regclass, usual::regclass);
		END IF;
		SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, c.relowner,
			CASE WHEN c.relispartition THEN NULL WHEN c.relkind IN ('r', 'p') THEN 'TABLE' WHEN c.relkind = 'v' THEN 'VIEW'
				WHEN c.relkind = 'm' THEN 'MATERIALIZED VIEW' WHEN c.relkind = 'f' THEN 'FOREIGN TABLE' END AS word
		INTO target
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = CASE WHEN cardinality(parts) = 1 THEN coalesce(visible, usual) ELSE usual END;
		IF NOT FOUND THEN
			unknown := unknown || format('table "%s"', key);
			CONTINUE;
		END IF;
		IF target.oid = ANY (relations) THEN
			ambiguous := ambiguous || format('"%s" again', key);
		END IF;
		relations := relations || target.oid;
		IF target.word IS NULL THEN
			unfit := unfit || format('"%s"', key);
			CONTINUE;
		ELSIF NOT pg_has_role(target.relowner, 'USAGE') THEN
			not_owned := not_owned || format('table "%s"', key);
		END IF;
		FOR name, value IN SELECT * FROM jsonb_each(columns) LOOP
			IF jsonb_typeof(value) NOT IN ('string', 'null') THEN
				PERFORM dbkit.refuse_annotation_value(format('the annotation of column "%s" of table "%s" is neither a string nor null', name, key));
			END IF;
			attnum := CASE WHEN name = '' THEN 0 ELSE (SELECT a.attnum FROM pg_attribute a
				WHERE a.attrelid = target.oid AND a.attname = name AND a.attnum > 0 AND NOT a.attisdropped) END;
			IF attnum IS NULL THEN
				unknown := unknown || format('column "%s" of table "%s"', name, key);
			ELSIF (SELECT d.description FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = target.oid AND d.objsubid = attnum)
				IS DISTINCT FROM nullif(value #>> '{}', '') THEN
				statements := statements || format('COMMENT ON %s IS %L',
					CASE WHEN attnum = 0 THEN concat(target.word, ' ', target.name) ELSE format('COLUMN %s.%I', target.name, name) END, nullif(value #>> '{}', ''));
			END IF;
		END LOOP;
	END LOOP;
	PERFORM dbkit.refuse_annotations('undefined_object', 'what does not exist', unknown,
		'Tables are named as in SQL, with double quotes around capitals and dots; columns are named as they are.');
	PERFORM dbkit.refuse_annotations('ambiguous_alias', 'tables ambiguously', ambiguous,
		'Name each table once, with its schema if it is not in "public".');
	PERFORM dbkit.refuse_annotations('wrong_object_type', 'what cannot be annotated', unfit,
		'Tables and views have annotations, but partitions only those of their root.');
	PERFORM dbkit.refuse_annotations('insufficient_privilege', 'what is not yours', not_owned,
		'Only the owner of a table can comment on it.');
	PERFORM dbkit.run_statements(statements);
	RETURN cardinality(statements);
END $$;
COMMENT ON FUNCTION dbkit.annotate_in(name[], jsonb) IS 'the work of dbkit.annotate, for names that are looked for in these schemas';

CREATE OR REPLACE FUNCTION dbkit.annotate(annotations jsonb) RETURNS bigint
	LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
	RETURN dbkit.annotate_in(array_remove(current_schemas(false), NULL), annotations);
COMMENT ON FUNCTION dbkit.annotate(jsonb) IS
'Sets the comments on tables, views and their columns, all or none, and returns how many were another before. annotations: {"users": {"": "Who can sign in", "status": "active or suspended"}}, tables named as in SQL, columns as they are, "" for the table itself; null removes. What is not named stays. Errors: undefined_object, ambiguous_alias, wrong_object_type and insufficient_privilege, each with all names that it is about; invalid_parameter_value, null_value_not_allowed';

DO LANGUAGE plpgsql $$
BEGIN
	PERFORM set_config('search_path', current_setting('dbkit_portable.search_path'), true),
		set_config('standard_conforming_strings', current_setting('dbkit_portable.conforming_strings'), true);
END $$;
