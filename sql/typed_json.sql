-- Typed JSON: what to_typed_json() writes and from_typed_json() reads.
\set roles '{regress_json_nobody}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET datestyle = 'ISO';
SET timezone = 'Asia/Kolkata';
CREATE SCHEMA typed;

-- what is different from to_jsonb()
SELECT dbkit.to_typed_json('2024-01-10 12:00+00'::timestamptz);
SELECT dbkit.to_typed_json('2024-01-10 12:00:00.12+05:30'::timestamptz) AS six_digits;
SELECT dbkit.to_typed_json('2024-01-10'::date);
SELECT dbkit.to_typed_json('2024-01-10 12:00'::timestamp) AS no_zone, dbkit.to_typed_json('NaN'::float8) AS nan, dbkit.to_typed_json('-0'::float8) AS negative_zero;
SELECT dbkit.to_typed_json(value), dbkit.from_typed_json(NULL::jsonb, dbkit.to_typed_json(value)) = value AS back
FROM (VALUES ('{"__sentinel": "date", "value": "x"}'::jsonb), ('{"a": [{"__sentinel": 1, "b": {"__sentinel": 2}}, 1]}'), ('{"a": "__sentinel"}'),
             ('null'), ('[null, {}]'), ('"text"'), ('1.50'), ('[]')) AS v(value);
SELECT dbkit.to_typed_json(ARRAY['[1]', 'null', NULL, '{"a": [2]}']::jsonb[]), dbkit.from_typed_json(NULL::jsonb[], dbkit.to_typed_json(ARRAY['[1]', 'null', NULL, '{"a": [2]}']::jsonb[]));
SELECT dbkit.to_typed_json('[0:1][3:4]={{1,2},{3,4}}'::int[]), dbkit.from_typed_json(NULL::int[], dbkit.to_typed_json('[0:1][3:4]={{1,2},{3,4}}'::int[]));
SELECT dbkit.to_typed_json('{}'::date[]), dbkit.to_typed_json('{{2024-01-10},{NULL}}'::date[]), dbkit.from_typed_json(NULL::date[], dbkit.to_typed_json('{{2024-01-10},{NULL}}'::date[]));
SELECT dbkit.to_typed_json(ROW(1, 'a'::text, '2024-01-10'::date, NULL::int));
SELECT dbkit.to_typed_json(NULL::date) IS NULL AS of_null;
SELECT dbkit.to_typed_json(NULL); -- fails

-- what has no form is refused by its name
CREATE TABLE typed.lasting (id int, period jsonb, valid_to timestamptz, "Since ""when""" date);
INSERT INTO typed.lasting VALUES (1, NULL, 'infinity', NULL), (2, NULL, NULL, '0044-03-15 BC'), (3, NULL, '10000-01-01 00:00+00', NULL), (4, NULL, '9999-12-31 23:59:59.999999+00', '0001-01-01');
SELECT dbkit.to_typed_json(l) FROM typed.lasting AS l WHERE id = 1; -- fails
SELECT dbkit.to_typed_json(l) FROM typed.lasting AS l WHERE id = 2; -- fails
SELECT dbkit.to_typed_json(l) FROM typed.lasting AS l WHERE id = 3; -- fails
SELECT dbkit.to_typed_json(l) FROM typed.lasting AS l WHERE id = 4;
SELECT dbkit.to_typed_json('-infinity'::date); -- fails

-- every type that PostgreSQL has, with each value as it is, in an array, in a composite type, in a domain
CREATE TABLE typed.samples (type regtype, value text);
INSERT INTO typed.samples VALUES
  ('bool', 'true'), ('bool', 'false'), ('int2', '-32768'), ('int4', '2147483647'), ('int8', '-9223372036854775808'),
  ('float4', '3.4028235e+38'), ('float4', '1e-45'), ('float4', '-0'), ('float4', 'NaN'), ('float4', '-Infinity'),
  ('float8', '0.1'), ('float8', '1.7976931348623157e+308'), ('float8', '5e-324'), ('float8', 'Infinity'),
  ('numeric', '1.50'), ('numeric', '-123456789012345678901234567890.00000000000000000001'), ('numeric', 'NaN'), ('numeric', '-Infinity'),
  ('money', '$1,234.56'), ('text', ''), ('text', E'a"\\\n\t\u00e9\u2028\U0001F600'), ('text', '__sentinel'), ('varchar', ' x '), ('bpchar', 'x  '),
  ('"char"', 'c'), ('name', repeat('n', 63)), ('bytea', '\x00ff5c27'), ('bytea', '\x'),
  ('timestamptz', '2024-02-29 23:59:59.999999+14'), ('timestamptz', '0001-01-01 00:00+00'), ('timestamp', 'infinity'), ('timestamp', '0044-03-15 BC'), ('timestamp', '2024-01-10 12:00:00.1'),
  ('date', '9999-12-31'), ('time', '24:00:00'), ('timetz', '12:00:00.5+05:30'), ('interval', '-1 year -2 mons +3 days -04:05:06.789'), ('interval', '0'),
  ('uuid', '019a3b34-d4b8-70f4-9641-61b600c3ecbc'), ('inet', '10.0.0.1/8'), ('cidr', '10.0.0.0/8'), ('macaddr', '08:00:2b:01:02:03'), ('macaddr8', '08:00:2b:01:02:03:04:05'),
  ('bit', '1'), ('varbit', '10101'), ('point', '(1,2)'), ('line', '{1,2,3}'), ('lseg', '[(1,2),(3,4)]'), ('box', '(3,4),(1,2)'), ('path', '((1,2),(3,4))'), ('polygon', '((1,2),(3,4))'), ('circle', '<(1,2),3>'),
  ('tsvector', '''a'':1A ''b'''), ('tsquery', '''a'' & !''b'''), ('xml', '<a>&amp;</a>'), ('json', '{"a": [1, null]}'), ('json', 'null'), ('jsonb', '{"__sentinel": null}'), ('jsonb', 'null'), ('jsonb', '[[]]'), ('jsonpath', '$."a"[*]'),
  ('int4range', '[1,5)'), ('int4range', 'empty'), ('numrange', '(,1.50]'), ('tsrange', '["2024-01-10 12:00:00",infinity)'), ('tstzrange', '["2024-01-10 12:00:00+00",)'), ('daterange', '[2024-01-10,infinity)'),
  ('int8range', '(,5)'), ('int4multirange', '{}'), ('nummultirange', '{[1.5,2]}'), ('tsmultirange', '{(,2024-01-10)}'), ('int8multirange', '{[1,2),[5,)}'), ('datemultirange', '{}'), ('tstzmultirange', '{["2024-01-10 12:00:00+00",)}'),
  ('oid', '4294967295'), ('xid', '3'), ('xid8', '18446744073709551615'), ('cid', '1'), ('tid', '(1,2)'), ('pg_lsn', '16/B374D848'), ('pg_snapshot', '10:20:10,14'), ('txid_snapshot', '10:20:10,14'),
  ('int2vector', '1 2'), ('oidvector', '1 2'), ('aclitem', NULL), ('refcursor', 'c'), ('gtsvector', NULL),
  ('regclass', 'typed.samples'), ('regproc', 'pg_catalog.now'), ('regprocedure', 'pg_catalog.abs(integer)'), ('regoper', 'pg_catalog.||/'), ('regoperator', 'pg_catalog.+(integer,integer)'),
  ('regtype', 'typed.samples'), ('regrole', current_user), ('regnamespace', 'typed'), ('regcollation', '"C"'), ('regconfig', 'simple'), ('regdictionary', 'simple');

-- base types and ranges without a sample
SELECT t.oid::regtype FROM pg_type t
WHERE t.typtype IN ('b', 'r', 'm') AND t.typnamespace = 'pg_catalog'::regnamespace AND NOT (t.typelem <> 0 AND t.typlen = -1 AND t.typsubscript = 'array_subscript_handler'::regproc)
AND t.typname NOT LIKE 'pg\_%' AND NOT EXISTS (SELECT FROM typed.samples s WHERE s.type = t.oid) ORDER BY t.typname;

-- Tell how a value comes back: nothing is said where it is the same in each form.
CREATE FUNCTION typed.lost(type regtype, value text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  form text;
  shown text[];
BEGIN
  EXECUTE format('CREATE DOMAIN typed.d AS %s; CREATE TYPE typed.inner_row AS (v %1$s, w %1$s[], d typed.d, "null" int, "__sentinel" %1$s);
    CREATE TYPE typed.outer_row AS ("a ""key""" typed.inner_row, rows typed.inner_row[], ds typed.d[])', type);
  FOREACH form IN ARRAY ARRAY[format('%L::%s', value, type), format('ARRAY[[%L], [NULL]]::%s[]', value, type), format('%L::%s::typed.d', value, type),
    format('ROW(ROW(%1$L, ARRAY[%1$L::%2$s], %1$L, NULL, %1$L)::typed.inner_row, ARRAY[NULL, ROW(%1$L, ''{}'', NULL, 1, NULL)::typed.inner_row], ARRAY[%1$L::%2$s::typed.d])::typed.outer_row', value, type)]
  LOOP
    EXECUTE format('SELECT ARRAY[v::text, dbkit.to_typed_json(v)::text, (dbkit.from_typed_json(v, dbkit.to_typed_json(v)))::text, dbkit.is_typed_json(dbkit.to_typed_json(v))::text]
                    FROM (SELECT %s AS v OFFSET 0) AS s', form) INTO shown;
    IF shown[1] IS DISTINCT FROM shown[3] OR shown[4] <> 'true' THEN
      RETURN NEXT format('%s: %s', type, shown);
    END IF;
  END LOOP;
  DROP TYPE typed.outer_row, typed.inner_row;
  DROP DOMAIN typed.d;
END $$;
SET xmloption = content;
SELECT s.lost FROM typed.samples, LATERAL typed.lost(type, value) AS s(lost) WHERE value IS NOT NULL;

-- PostgreSQL checks no domain over aclitem, and makes no value of gtsvector
SELECT dbkit.from_typed_json(NULL::aclitem[], dbkit.to_typed_json(relacl)) = relacl AS same FROM pg_class WHERE oid = 'pg_class'::regclass;

-- JSON of any shape, with our key in any place
CREATE FUNCTION typed.random_json(depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  parts jsonb[] := ARRAY(SELECT typed.random_json(depth - 1) FROM generate_series(1, (random() * 3)::int) WHERE depth > 0);
  keys text[] := ARRAY(SELECT k FROM unnest('{__sentinel,value,date,lower_bounds}'::text[]) AS k ORDER BY random());
BEGIN
  RETURN CASE WHEN parts = '{}' THEN (ARRAY['null', '1.0', '"date"', '"__sentinel"', '[]', '{}', 'true']::jsonb[])[1 + floor(random() * 7)]
    WHEN random() < 0.5 THEN to_jsonb(parts) ELSE (SELECT jsonb_object_agg(keys[i], parts[i]) FROM generate_subscripts(parts, 1) AS i) END;
END $$;
SELECT setseed(0.5);
CREATE TABLE typed.documents AS SELECT typed.random_json(4) AS a, ARRAY[typed.random_json(3), typed.random_json(2)] AS b FROM generate_series(1, 500);
SELECT count(*) > 100 AS mention_it FROM typed.documents WHERE a::text LIKE '%"__sentinel":%';
SELECT d AS lost, dbkit.to_typed_json(d) FROM typed.documents AS d
WHERE dbkit.from_typed_json(NULL::typed.documents, dbkit.to_typed_json(d)) IS DISTINCT FROM d OR NOT dbkit.is_typed_json(dbkit.to_typed_json(d));

-- also where the settings of the session are others
SET datestyle = 'SQL, DMY';
SET intervalstyle = 'sql_standard';
SET extra_float_digits = -15;
SET bytea_output = 'escape';
CREATE TEMPORARY TABLE written AS
SELECT dbkit.to_typed_json(ROW('2024-02-01 12:00'::timestamp, '[2024-02-01,2024-03-01)'::daterange, '-1 year -2 mons +3 days'::interval, 0.1::float8 + 0.2::float8, 'typed.samples'::regclass, '\x00ff'::bytea)) AS json;
SHOW datestyle;
RESET extra_float_digits;
RESET bytea_output;
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET search_path = typed;
SELECT json FROM written;
SELECT dbkit.to_typed_json('typed.samples'::regclass);
RESET search_path;

-- a session with other settings reads the same
CREATE TYPE typed.several AS (f1 timestamp, f2 daterange, f3 interval, f4 float8, f5 regclass);
CREATE TEMPORARY TABLE read AS SELECT (dbkit.from_typed_json(NULL::typed.several, json)).* FROM written;
SET intervalstyle = 'sql_standard';
SET datestyle = 'SQL, DMY';
SELECT dbkit.from_typed_json(NULL::typed.several, json) = r::text::typed.several AS same FROM written, read AS r;
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
SELECT * FROM read;

-- tables: dropped and added columns, limits of length, generated columns
CREATE TABLE typed.items (id int, gone date, name varchar(3), prices numeric(6,2)[], at timestamptz(0), twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO typed.items VALUES (1, '2024-01-10', 'abc', '{1.5,2}', '2024-01-10 12:00+00');
ALTER TABLE typed.items DROP COLUMN gone;
ALTER TABLE typed.items ADD added text DEFAULT 'x';
SELECT dbkit.to_typed_json(i) FROM typed.items AS i;
SELECT dbkit.from_typed_json(NULL::typed.items, dbkit.to_typed_json(i)) = i AS same FROM typed.items AS i;
SELECT (dbkit.from_typed_json(i, '{"id": 7, "unknown": 1}')).* FROM typed.items AS i;
SELECT (dbkit.from_typed_json(NULL::typed.items, '{"at": {"__sentinel": "timestamp", "value": "2024-01-10T12:00:00.6Z"}, "prices": ["1.555"]}')).*;
SELECT dbkit.from_typed_json(NULL::typed.items, '{"name": "abcd"}'); -- fails
DO $$
DECLARE
  i typed.items;
BEGIN
  FOR n IN 1..3 LOOP
    EXECUTE format('ALTER TABLE typed.items ADD c%s int DEFAULT %1$s', n);
    SELECT * INTO i FROM typed.items;
    RAISE NOTICE '%', dbkit.to_typed_json(i) - 'prices' - 'at';
  END LOOP;
END $$;

-- the columns that a stored row is too short for, as the columns are newer: a trigger gets it as it is stored
CREATE TABLE typed.grown (a int);
INSERT INTO typed.grown VALUES (1);
ALTER TABLE typed.grown ADD d date DEFAULT '2020-01-01', ADD n int NOT NULL DEFAULT 7, ADD t text DEFAULT 'x', ADD nothing int;
CREATE FUNCTION typed.show_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '%', dbkit.to_typed_json(OLD);
  RAISE NOTICE '%', dbkit.from_typed_json(OLD, '{"a": 5}');
  RETURN NEW;
END $$;
CREATE TRIGGER show_old BEFORE UPDATE ON typed.grown FOR EACH ROW EXECUTE FUNCTION typed.show_old();
UPDATE typed.grown SET a = 2;

-- rows of several types in one call, and in one value
SELECT dbkit.to_typed_json(ARRAY[ROW(1, 'a'::text), ROW('2024-01-10'::date), ROW(ROW(ARRAY[1]), 'b'::text)]);
SELECT dbkit.to_typed_json(r) FROM (SELECT ROW(1) AS r UNION ALL SELECT ROW(1, '2024-01-10'::date) UNION ALL SELECT ROW('x'::text)) AS s;
SELECT dbkit.from_typed_json(ROW(1, 'a'::text), '{"f1": 2}');
SELECT dbkit.from_typed_json(NULL::record, '{"f1": 2}'); -- fails

-- domains hold for what is read, also where it is NULL or not there
CREATE DOMAIN typed.positive AS int NOT NULL CHECK (VALUE > 0);
CREATE TYPE typed.counted AS (n typed.positive, d date);
SELECT dbkit.from_typed_json(1::typed.positive, '5');
SELECT dbkit.from_typed_json(1::typed.positive, '-5'); -- fails
SELECT dbkit.from_typed_json(1::typed.positive, NULL); -- fails
SELECT dbkit.from_typed_json(NULL::typed.counted, '{"n": null}'); -- fails
SELECT dbkit.from_typed_json(NULL::typed.counted, '{}'); -- fails
SELECT dbkit.from_typed_json(NULL::int, NULL) IS NULL AS of_null, dbkit.from_typed_json(NULL::int, 'null') IS NULL AS of_json_null;

-- JSON that has not the form of the type
SELECT dbkit.from_typed_json(NULL::int, '{"a": 1}'); -- fails
SELECT dbkit.from_typed_json(NULL::int, '"x"'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '1'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '[[1], 2]'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '[1, [2]]'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '[[1], [2, 3]]'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '[[[[[[[1]]]]]]]'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1]}'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1], "lower_bounds": [0, 1]}'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1], "lower_bounds": []}'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1], "lower_bounds": ["x"]}'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1], "lower_bounds": [99999999999]}'); -- fails
SELECT dbkit.from_typed_json(NULL::int[], '{"__sentinel": "array", "value": [1, 2], "lower_bounds": [2147483647]}'); -- fails
SELECT dbkit.from_typed_json(NULL::typed.items, '[1]'); -- fails
SELECT dbkit.from_typed_json(NULL::date, '{"__sentinel": "timestamp", "value": "2024-01-10T12:00:00+00:00"}'); -- fails
SELECT dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "date", "value": "2024-01-10"}'); -- fails
SELECT dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "timestamp", "value": "tomorrow"}'); -- fails
SELECT dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "timestamp", "value": 5}'); -- fails
SELECT dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "timestamp"}'); -- fails
SELECT dbkit.from_typed_json(NULL::jsonb, '{"__sentinel": "moment", "value": 5}'); -- fails
SELECT dbkit.from_typed_json(NULL::timestamptz, '"2024-01-10 12:00+00"') = '2024-01-10 12:00+00' AS of_to_jsonb;

-- json_timestamp(), json_date(), is_typed_json()
SELECT text, dbkit.json_timestamp(to_jsonb(text)) AT TIME ZONE 'UTC' AS at FROM (VALUES
  ('2024-01-10T12:00:00+00:00'), ('2024-01-10T12:00:00Z'), ('2024-01-10T12:00:00.5-05:30'), ('2024-02-29T23:59:59.999999+15:59'), (NULL)) AS v(text);
-- also where T or Z is an abbreviation of the session's time zone
SET timezone = 'Z5';
SELECT dbkit.json_timestamp('"2024-01-10T12:00:00Z"') AT TIME ZONE 'UTC' AS z, dbkit.json_timestamp('"2024-01-10T12:00:00.123456+00:00"') AT TIME ZONE 'UTC' AS a,
       dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "timestamp", "value": "2024-01-10T12:00:00.5Z"}') AT TIME ZONE 'UTC' AS typed,
       (dbkit.from_typed_json(NULL::typed.items, '{"at": {"__sentinel": "timestamp", "value": "2024-01-10T12:00:00Z"}}')).at AT TIME ZONE 'UTC' AS in_row;
SET timezone = 'T5';
SELECT dbkit.json_timestamp('"2024-01-10T12:00:00Z"') AT TIME ZONE 'UTC' AS z, dbkit.json_timestamp('"2024-01-10T12:00:00.123456-05:30"') AT TIME ZONE 'UTC' AS a,
       dbkit.from_typed_json(NULL::timestamptz, '{"__sentinel": "timestamp", "value": "2024-01-10T12:00:00.5Z"}') AT TIME ZONE 'UTC' AS typed,
       (dbkit.from_typed_json(NULL::typed.items, '{"at": {"__sentinel": "timestamp", "value": "2024-01-10T12:00:00Z"}}')).at AT TIME ZONE 'UTC' AS in_row;
SET timezone = 'Asia/Kolkata';
CREATE FUNCTION typed.refusal(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN dbkit.json_timestamp(to_jsonb($1));
EXCEPTION WHEN invalid_datetime_format THEN
  RETURN NULL;
END $$;
SELECT text, typed.refusal(text) AS taken, dbkit.is_typed_json(jsonb_build_object('__sentinel', 'timestamp', 'value', text)) AS is_typed FROM (VALUES
  (''), ('2024-01-10'), ('2024-01-10T12:00:00'), ('2024-01-10 12:00:00Z'), ('2024-01-10T12:00Z'), ('2024-1-10T12:00:00Z'), ('2024-13-10T12:00:00Z'), ('2024-00-10T12:00:00Z'),
  ('2023-02-29T12:00:00Z'), ('2024-01-00T12:00:00Z'), ('2024-01-10T24:00:00Z'), ('2024-01-10T12:60:00Z'), ('2024-01-10T12:00:60Z'), ('2024-01-10T12:00:00.Z'), ('2024-01-10T12:00:00.1234567Z'),
  ('2024-01-10T12:00:00+16:00'), ('2024-01-10T12:00:00+0000'), ('2024-01-10T12:00:00+00'), ('2024-01-10T12:00:00Zx'), ('0000-01-10T12:00:00Z'), ('infinity'), ('now'), ('2024-01-10T12:00:00z'), ('2024-01-10T12:00:00 Z')) AS v(text);
SELECT dbkit.json_timestamp('"yesterday"'); -- fails
SELECT dbkit.json_timestamp('5'); -- fails
SELECT dbkit.json_timestamp('{"a": 1}'); -- fails
SELECT dbkit.json_timestamp('{"__sentinel": "date", "value": "2024-01-10"}'); -- fails
SELECT dbkit.json_timestamp('null') IS NULL AS of_json_null, dbkit.json_date('null') IS NULL AS date_of_json_null;
SELECT dbkit.json_date('"2024-02-29"'), dbkit.json_date('{"__sentinel": "date", "value": "2024-01-10"}');
SELECT dbkit.json_date('"2023-02-29"'); -- fails
SELECT dbkit.json_date('"2024-02-29T00:00:00Z"'); -- fails
SELECT json, dbkit.is_typed_json(json) FROM (VALUES
  ('{"__sentinel": "date", "value": "2024-01-10"}'::jsonb), ('{"__sentinel": "date", "value": "2024-01-32"}'), ('[{"a": {"__sentinel": "date"}}]'), ('{"__sentinel": 1, "value": 1}'),
  ('{"__sentinel": "object", "value": {"__sentinel": 1}}'), ('{"__sentinel": "array", "value": [1], "lower_bounds": [0]}'), ('{"__sentinel": "array", "value": [1]}'), ('{"__sentinel": "array", "value": [{"__sentinel": 1}], "lower_bounds": [0]}'),
  ('1'), ('[]'), ('{}'), ('"__sentinel"'), ('null')) AS v(json);

-- an index
CREATE TABLE typed.events (data jsonb CHECK (dbkit.is_typed_json(data)));
INSERT INTO typed.events SELECT dbkit.to_typed_json(ROW('2024-01-10 12:00+00'::timestamptz + n * interval '1 hour')) FROM generate_series(1, 1000) AS n;
CREATE INDEX ON typed.events (dbkit.json_timestamp(data -> 'f1'));
INSERT INTO typed.events VALUES ('{"f1": {"__sentinel": "timestamp", "value": "soon"}}'); -- fails
INSERT INTO typed.events VALUES ('{"f1": "soon"}'); -- fails
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM typed.events WHERE dbkit.json_timestamp(data -> 'f1') = '2024-01-11 12:00+00';
SELECT count(*) FROM typed.events WHERE dbkit.json_timestamp(data -> 'f1') < '2024-01-11 12:00+00';
RESET enable_seqscan;

-- whoever: no rights are needed, none are lent
CREATE ROLE regress_json_nobody;
SET ROLE regress_json_nobody;
SELECT dbkit.to_typed_json(current_date) = jsonb_build_object('__sentinel', 'date', 'value', current_date::text) AS a,
       dbkit.from_typed_json(NULL::date, dbkit.to_typed_json(current_date)) = current_date AS b,
       dbkit.json_date(to_jsonb(current_date::text)) = current_date AS c, dbkit.json_timestamp('"2024-01-10T12:00:00Z"') IS NOT NULL AS d, dbkit.is_typed_json('1') AS e;
RESET ROLE;

DROP SCHEMA typed CASCADE;
DROP ROLE regress_json_nobody;
