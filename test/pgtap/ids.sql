-- Properties of ids that take many of them to see, and the error codes.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SET LOCAL timezone = 'UTC';
SELECT plan(31);

-- A million ids at full speed; every thousandth row reads the clock before and after.
CREATE TEMP TABLE made AS
SELECT n,
       CASE WHEN n % 1000 = 0 THEN clock_timestamp() END AS clock_before,
       generate_id('mil') COLLATE "C" AS id,
       CASE WHEN n % 1000 = 0 THEN clock_timestamp() END AS clock_after
FROM generate_series(1, 1000000) AS n;

SELECT is(count(DISTINCT id), 1000000::bigint, 'a million ids are distinct') FROM made;
SELECT is(count(*) FILTER (WHERE id <= previous), 0::bigint, 'each is greater than the one before')
FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous FROM made) AS pairs;
SELECT is(count(*) FILTER (WHERE dbkit.is_id(id, 'mil')), 1000000::bigint, 'all are well-formed') FROM made;
SELECT is(count(*) FILTER (WHERE dbkit.id_uuid(id)::text !~ '^.{14}7.{4}[89ab]'), 0::bigint,
          'all have version 7 and the RFC 9562 variant') FROM made;
-- The time in an id, in microseconds: 48 bits of milliseconds, the version, 12 bits of fraction.
CREATE FUNCTION pg_temp.usecs_of(id text) RETURNS numeric LANGUAGE sql AS $$
  SELECT ('x' || left(hex, 12))::bit(48)::bigint * 1000 + ('x' || substr(hex, 14, 3))::bit(12)::int * 1000 / 4096.0
  FROM translate(dbkit.id_uuid(id)::text, '-', '') AS hex
$$;
SELECT is(count(*), 1000::bigint, 'the time in an id is the wall clock''s, to the microsecond')
FROM made
WHERE pg_temp.usecs_of(id) BETWEEN extract(epoch FROM clock_before) * 1000000 - 1 AND extract(epoch FROM clock_after) * 1000000 + 1;

-- Several ids to a row are made faster than the 244 ns that a tick lasts.
CREATE TEMP TABLE burst AS
SELECT count(generate_id('a')) AS a, count(generate_id('b')) AS b, count(generate_id('c')) AS c,
       count(generate_id('d')) AS d, count(generate_id('e')) AS e, count(generate_id('f')) AS f
FROM generate_series(1, 200000);
SELECT ok(dbkit.id_timestamp(generate_id('after')) <= clock_timestamp(), 'a burst does not run the time in ids ahead');

-- The tail is random: each of its 62 bits is set in about half of the ids (the
-- standard deviation over some 100,000 of them is 0.16 percent).
SELECT is(count(*), 0::bigint, 'no bit of the random tail is stuck')
FROM (SELECT bit, avg(get_bit(uuid_send(dbkit.id_uuid(id)), bit)) AS share
      FROM (SELECT id FROM made TABLESAMPLE SYSTEM (10) REPEATABLE (1)) AS sample,
           generate_series(64, 127) AS bit
      WHERE bit NOT IN (70, 71)
      GROUP BY bit) AS shares
WHERE share NOT BETWEEN 0.48 AND 0.52;

-- Different prefixes share one sequence of UUIDs.
SELECT ok(bool_and(a < b AND b < c), 'ids of different prefixes increase together')
FROM (SELECT dbkit.id_uuid(generate_id('zzz')) AS a, dbkit.id_uuid(generate_id('')) AS b,
             dbkit.id_uuid(generate_id('aaa')) AS c
      FROM generate_series(1, 1000)) AS made;

-- Making an id for another time leaves the sequence alone.
SELECT ok(bool_and(a < b), 'generate_id_at() in the future does not move generate_id()')
FROM (SELECT generate_id('seq') COLLATE "C" AS a,
             dbkit.generate_id_at('seq', '5000-01-01'),
             generate_id('seq') COLLATE "C" AS b
      FROM generate_series(1, 1000)) AS made;
SELECT ok(dbkit.id_timestamp(generate_id('seq')) <= clock_timestamp(), 'nor its clock');

-- Ids and UUIDs against arithmetic in numeric.
CREATE FUNCTION pg_temp.value_of(digits text, base numeric, alphabet text) RETURNS numeric
LANGUAGE sql AS $$
  SELECT sum((position(substr(digits, i, 1) IN alphabet) - 1) * power(base, length(digits) - i)::numeric(60))
  FROM generate_series(1, length(digits)) AS i
$$;
CREATE TEMP TABLE uuids AS
SELECT gen_random_uuid() AS uuid FROM generate_series(1, 3000)
UNION ALL
SELECT overlay('00000000-0000-0000-0000-000000000000' PLACING digit FROM place)::uuid
FROM unnest('{1,2,4,8,f}'::text[]) AS digit, generate_series(1, 36) AS place
WHERE place NOT IN (9, 14, 19, 24);
SELECT is(count(*), 3160::bigint, 'an id spells the value of its UUID')
FROM uuids
WHERE pg_temp.value_of(dbkit.id_from_uuid('', uuid), 32, '0123456789abcdefghjkmnpqrstvwxyz')
    = pg_temp.value_of(replace(uuid::text, '-', ''), 16, '0123456789abcdef');
SELECT is(count(*), 3160::bigint, 'and gives it back')
FROM uuids
WHERE dbkit.id_uuid(dbkit.id_from_uuid('some_prefix', uuid)) = uuid;
SELECT is(array_agg(uuid ORDER BY dbkit.id_from_uuid('u', uuid) COLLATE "C"), array_agg(uuid ORDER BY uuid),
          'ids sort as their UUIDs')
FROM uuids;

-- Times
SELECT is(dbkit.id_timestamp(dbkit.generate_id_at('at', at)), date_trunc('milliseconds', at), 'id_timestamp() of ' || at)
FROM (VALUES (timestamptz '1970-01-01 00:00:00+00'), ('1999-12-31 23:59:59.999999+00'),
             ('2024-02-29 12:00:00.123456+00'), ('10889-08-02 05:31:50.655999+00')) AS v(at);
SELECT is(count(*), 1000::bigint, 'the fraction of the millisecond follows the version')
FROM generate_series(0, 999) AS usec
WHERE substr(dbkit.id_uuid(dbkit.generate_id_at('at', '2024-01-01'::timestamptz + usec * interval '1 microsecond'))::text, 15, 4)
    = '7' || lpad(to_hex(usec * 4096 / 1000), 3, '0');
SELECT is(count(*), 1000::bigint, 'ids of a time lie within its bounds, which are ids of that millisecond only')
FROM (SELECT at, dbkit.generate_id_at('at', at) COLLATE "C" AS id
      FROM (SELECT '2024-01-01'::timestamptz + n * interval '777777 microseconds' FROM generate_series(1, 1000) AS n) AS t(at)) AS made
WHERE id BETWEEN dbkit.id_lower_bound('at', at) AND dbkit.id_upper_bound('at', at)
  AND id > dbkit.id_upper_bound('at', at - interval '1 ms')
  AND id < dbkit.id_lower_bound('at', at + interval '1 ms');

-- Error codes
SELECT throws_ok($$SELECT generate_id('Org')$$, '22023', 'invalid id prefix: "Org"', 'generate_id');
SELECT throws_ok($$SELECT dbkit.generate_id_at('Org', now())$$, '22023', 'invalid id prefix: "Org"', 'generate_id_at');
SELECT throws_ok($$SELECT dbkit.id_from_uuid('Org', gen_random_uuid())$$, '22023', 'invalid id prefix: "Org"', 'id_from_uuid');
SELECT throws_ok($$SELECT dbkit.id_lower_bound('Org', now())$$, '22023', 'invalid id prefix: "Org"', 'id_lower_bound');
SELECT throws_ok($$SELECT dbkit.id_prefix('org')$$, '22P02', 'invalid id: "org"', 'id_prefix');
SELECT throws_ok($$SELECT dbkit.id_uuid('org')$$, '22P02', 'invalid id: "org"', 'id_uuid');
SELECT throws_ok($$SELECT dbkit.id_timestamp('org')$$, '22P02', 'invalid id: "org"', 'id_timestamp');
SELECT throws_ok($$SELECT dbkit.generate_id_at('org', '-infinity')$$, '22008',
                 'timestamp out of range for an id: "-infinity"', 'generate_id_at: -infinity');
SELECT throws_ok($$SELECT dbkit.id_lower_bound('org', '1969-12-31')$$, '22008',
                 'timestamp out of range for an id: "1969-12-31 00:00:00+00"', 'id_lower_bound: before 1970');
SELECT throws_ok($$SELECT dbkit.id_upper_bound('org', 'infinity')$$, '22008',
                 'timestamp out of range for an id: "infinity"', 'id_upper_bound: infinity');

-- An error leaves the sequence intact.
CREATE TEMP TABLE before_error AS SELECT generate_id('seq') COLLATE "C" AS id;
SELECT throws_ok($$SELECT generate_id('seq'), generate_id('-')$$, '22023');
SELECT ok(generate_id('seq') > id, 'ids increase across an error') FROM before_error;

SELECT * FROM finish();
ROLLBACK;
