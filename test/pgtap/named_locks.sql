-- Keys of locks for many names, against PostgreSQL's own SHA-256, and what the
-- functions promise about themselves.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(16);

CREATE FUNCTION pg_temp.key_of(name text) RETURNS bigint LANGUAGE sql AS $$
  SELECT ('x' || left(encode(sha256(convert_to(name, 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;
CREATE TEMP TABLE names AS
SELECT left(string_agg(chr(CASE (random() * 3)::int WHEN 0 THEN 1 + (random() * 126)::int
                                WHEN 1 THEN 160 + (random() * 40000)::int
                                ELSE 65536 + (random() * 100000)::int END), ''), 1 + (random() * 255)::int) AS name
FROM generate_series(1, 3000) i, generate_series(1, 100) j
GROUP BY i;
SELECT is(count(*), 0::bigint, 'the key is that of SHA-256, for random names')
FROM names WHERE dbkit.lock_key(name) IS DISTINCT FROM pg_temp.key_of(name);
SELECT is(dbkit.lock_key(repeat(E'\U0001F512', 256)), pg_temp.key_of(repeat(E'\U0001F512', 256)), 'and for the longest');
SELECT throws_ok($$SELECT dbkit.lock_key(repeat(E'\U0001F512', 256) || 'x')$$, '22023', NULL, 'a longer one is refused');

-- More locks than names: the same keys whether the table knows the name or not.
SELECT is(count(*) FILTER (WHERE dbkit.try_lock(name)), count(*), 'all can be locked') FROM names;
SELECT is(count(*) FILTER (WHERE dbkit.try_lock(name)), count(*), 'and again') FROM names;
SELECT is(count(DISTINCT key), (SELECT count(DISTINCT pg_temp.key_of(name)) FROM names), 'each has its key')
FROM dbkit.locks WHERE pid = pg_backend_pid();
SELECT is(count(*), 0::bigint, 'no name stands by another''s key')
FROM dbkit.locks WHERE pid = pg_backend_pid() AND pg_temp.key_of(name) <> key;
SELECT ok(count(name) >= 10, 'some names are shown') FROM dbkit.locks WHERE pid = pg_backend_pid();

SELECT volatility_is('dbkit', 'lock_key', ARRAY['text'], 'immutable');
SELECT lives_ok('CREATE TEMP TABLE t (name text, key bigint GENERATED ALWAYS AS (dbkit.lock_key(name)) STORED)', 'fit for a generated column');
SELECT is(count(*), 10::bigint, 'the others are volatile and not parallel safe')
FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace AND provolatile = 'v' AND (proparallel <> 's')
AND proname ~ '^(try_)?(session_)?lock(_shared)?$|^session_unlock(_shared)?$';
SELECT is(count(*), 0::bigint, 'none runs with another role''s rights')
FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace AND prosecdef AND (proname ~ 'lock' OR proname ~ 'enum');
SELECT is(count(*), 0::bigint, 'each has a comment')
FROM pg_proc WHERE pronamespace = 'dbkit'::regnamespace AND (proname ~ 'lock' OR proname ~ 'enum')
AND obj_description(oid, 'pg_proc') IS NULL;
SELECT isnt(obj_description('dbkit.locks'::regclass), NULL, 'so has the view');
SELECT columns_are('dbkit', 'locks', ARRAY['name', 'key', 'mode', 'granted', 'pid', 'application_name', 'waiting_since', 'blocked_by']);
SELECT ok(has_table_privilege('public', 'dbkit.locks', 'SELECT'), 'all may look at the locks');

SELECT * FROM finish();
ROLLBACK;
