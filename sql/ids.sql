-- Ids: generate_id() and the functions that read and make ids.
\set roles '{regress_ids_nobody}'
\i sql/include/leftovers.psql
SET datestyle = 'ISO';
SET timezone = 'UTC';

-- generate_id: prefix, underscore, 26 characters; the empty prefix takes no underscore
SELECT generate_id('org') ~ '^org_[0-7][0-9a-hjkmnp-tv-z]{25}$' AS plain,
       generate_id('pre_fix') ~ '^pre_fix_[0-7][0-9a-hjkmnp-tv-z]{25}$' AS with_underscore,
       generate_id('') ~ '^[0-7][0-9a-hjkmnp-tv-z]{25}$' AS bare,
       generate_id(repeat('p', 63)) ~ '^p{63}_[0-7][0-9a-hjkmnp-tv-z]{25}$' AS longest,
       generate_id(NULL) IS NULL AS of_null;
SELECT generate_id(repeat('p', 64)); -- fails
SELECT generate_id('Org'); -- fails
SELECT generate_id('o2'); -- fails
SELECT generate_id('org '); -- fails
SELECT generate_id('órg'); -- fails
SELECT generate_id('_org'); -- fails
SELECT generate_id('org_'); -- fails
SELECT generate_id('_'); -- fails
SELECT generate_id(repeat('é', 100000)); -- fails

-- generate_id_at
SELECT dbkit.id_timestamp(dbkit.generate_id_at('org', '2024-02-29 12:34:56.789'));
SELECT dbkit.generate_id_at('org', now()) <> dbkit.generate_id_at('org', now()) AS distinct_ids;
SELECT dbkit.generate_id_at('org', NULL) IS NULL AS at_null,
       dbkit.generate_id_at(NULL, now()) IS NULL AS prefix_null;
SELECT dbkit.generate_id_at('ORG', now()); -- fails

-- is_id: well-formed
SELECT id, dbkit.is_id(id), dbkit.id_prefix(id), dbkit.id_uuid(id),
       dbkit.id_from_uuid(dbkit.id_prefix(id), dbkit.id_uuid(id)) = id AS back
FROM (VALUES
  ('00000000000000000000000000'),
  ('0000000000000000000000000z'),
  ('00000000000010000000000000'),
  ('7zzzzzzzzzzzzzzzzzzzzzzzzz'),
  ('prefix_0123456789abcdefghjkmnpqrs'),
  ('prefix_01h455vb4pex5vsknk084sn02q'),
  ('pre_fix_00000000000000000000000000'),
  ('pre__fix_00000000000000000000000000'),
  ('a_00000000000000000000000000'),
  (repeat('p', 63) || '_00000000000000000000000000')
) AS v(id);

-- is_id: malformed, and id_prefix() says why
CREATE FUNCTION pg_temp.refusal(id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text;
  detail text;
BEGIN
  PERFORM dbkit.id_prefix(id);
  RETURN 'accepted';
EXCEPTION WHEN invalid_text_representation THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
  RETURN message || ' / ' || detail;
END $$;
SELECT dbkit.is_id(id), pg_temp.refusal(id)
FROM (VALUES
  (''),
  ('_'),
  ('prefix_'),
  ('_00000000000000000000000000'),
  ('_prefix_00000000000000000000000000'),
  ('prefix__00000000000000000000000000'),
  ('PREFIX_00000000000000000000000000'),
  ('12345_00000000000000000000000000'),
  ('pre.fix_00000000000000000000000000'),
  ('préfix_00000000000000000000000000'),
  (' prefix_00000000000000000000000000'),
  (repeat('p', 64) || '_00000000000000000000000000'),
  ('prefix_1234567890123456789012345'),
  ('prefix_123456789012345678901234567'),
  ('prefix_1234567890123456789012345 '),
  ('prefix_0123456789ABCDEFGHJKMNPQRS'),
  ('prefix_123456789-123456789-123456'),
  ('prefix_0000000000000000000000000i'),
  ('prefix_0000000000000000000000000l'),
  ('prefix_0000000000000000000000000o'),
  ('prefix_0000000000000000000000000u'),
  ('prefix_000000000000000000000000é'),
  ('prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz'),
  ('prefix_zzzzzzzzzzzzzzzzzzzzzzzzzz'),
  ('prefix-00000000000000000000000000'),
  (E'prefix_0000000000000000000000000\n'),
  (repeat('é', 1000)),
  ('x' || repeat('é', 1000))
) AS v(id);
SELECT dbkit.is_id(repeat('x_', 5000000)) AS long,
       dbkit.is_id(repeat('x', 63) || '_' || repeat('0', 10000000)) AS long_suffix;

-- is_id: of a prefix, which need not be a possible one
SELECT prefix, dbkit.is_id('org_01h455vb4pex5vsknk084sn02q', prefix)
FROM (VALUES ('org'), ('or'), ('orgs'), ('usr'), (''), ('org_'), ('ORG'), ('órg'), (repeat('o', 10)), (NULL)) AS v(prefix);
SELECT dbkit.is_id('01h455vb4pex5vsknk084sn02q', '') AS bare,
       dbkit.is_id('01h455vb4pex5vsknk084sn02q', 'org') AS bare_of_prefix;
SELECT dbkit.is_id(NULL) IS NULL AS id_null, dbkit.is_id(NULL, 'org') IS NULL AS id_null_of_prefix,
       dbkit.id_prefix(NULL) IS NULL AS prefix, dbkit.id_uuid(NULL) IS NULL AS uuid,
       dbkit.id_from_uuid(NULL, gen_random_uuid()) IS NULL AS from_null_prefix,
       dbkit.id_from_uuid('org', NULL) IS NULL AS from_null_uuid,
       dbkit.id_timestamp(NULL) IS NULL AS at,
       dbkit.id_lower_bound('org', NULL) IS NULL AS lower, dbkit.id_upper_bound(NULL, now()) IS NULL AS upper;

-- each reader refuses a malformed id
SELECT dbkit.id_prefix('org'); -- fails
SELECT dbkit.id_uuid('org_01h455vb4pex5vsknk084sn02'); -- fails
SELECT dbkit.id_timestamp('org_01h455vb4pex5vsknk084sn0-q'); -- fails
SELECT dbkit.id_from_uuid('o-g', '01890a5d-ac96-774b-bcce-b302099a8057'); -- fails

-- id_timestamp: version 7 only
SELECT uuid, dbkit.id_timestamp(dbkit.id_from_uuid('t', uuid::uuid))
FROM (VALUES
  ('01890a5d-ac96-774b-bcce-b302099a8057'),
  ('00000000-0000-7000-8000-000000000000'),
  ('ffffffff-ffff-7fff-bfff-ffffffffffff'),
  ('01890a5d-ac96-474b-bcce-b302099a8057'),
  ('01890a5d-ac96-774b-3cce-b302099a8057'),
  ('01890a5d-ac96-774b-ccce-b302099a8057'),
  ('00000000-0000-0000-0000-000000000000')
) AS v(uuid);

-- bounds: of the millisecond that the time lies in
SELECT dbkit.id_lower_bound('org', at), dbkit.id_upper_bound('org', at),
       dbkit.id_timestamp(dbkit.id_lower_bound('org', at)) AS at
FROM (VALUES
  (timestamptz '1970-01-01 00:00:00+00'),
  (timestamptz '2023-06-30 00:00:00.001+00'),
  (timestamptz '2023-06-30 00:00:00.001999+00'),
  (timestamptz '2023-06-30 00:00:00.002+00'),
  (timestamptz '10889-08-02 05:31:50.655999+00')
) AS v(at);
SELECT dbkit.id_uuid(dbkit.id_lower_bound('', at)), dbkit.id_uuid(dbkit.id_upper_bound('', at))
FROM (VALUES (timestamptz '2023-06-30 00:00:00.001+00')) AS v(at);

-- times an id cannot hold
SELECT dbkit.id_lower_bound('org', '1969-12-31 23:59:59.999999+00'); -- fails
SELECT dbkit.id_upper_bound('org', '10889-08-02 05:31:50.656+00'); -- fails
SELECT dbkit.id_lower_bound('org', '-infinity'); -- fails
SELECT dbkit.id_upper_bound('org', 'infinity'); -- fails
SELECT dbkit.generate_id_at('org', '294276-12-31 23:59:59.999999+00'); -- fails
SELECT dbkit.generate_id_at('org', '4713-01-01 00:00:00+00 BC'); -- fails
SELECT dbkit.id_lower_bound('Org', now()); -- fails
SELECT dbkit.id_upper_bound('org_', now()); -- fails

-- a period of time is an index range scan
CREATE TEMP TABLE events (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('evt') CHECK (dbkit.is_id(id, 'evt')));
INSERT INTO events
SELECT dbkit.generate_id_at('evt', timestamptz '2024-01-01 00:00:00+00' + n * interval '1 hour')
FROM generate_series(0, 999) AS n;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
PREPARE day (timestamptz) AS
SELECT count(*), min(dbkit.id_timestamp(id)), max(dbkit.id_timestamp(id)) FROM events
WHERE id >= dbkit.id_lower_bound('evt', $1) AND id <= dbkit.id_upper_bound('evt', $1 + interval '1 day - 1 millisecond');
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE day ('2024-01-10 00:00:00+00');
EXECUTE day ('2024-01-10 00:00:00+00');
RESET plan_cache_mode;
RESET enable_bitmapscan;
RESET enable_seqscan;
DEALLOCATE day;

-- is_id in a CHECK: the table takes its own ids only
INSERT INTO events DEFAULT VALUES;
INSERT INTO events VALUES ('org_01h455vb4pex5vsknk084sn02q'); -- fails
INSERT INTO events VALUES ('evt_01H455VB4PEX5VSKNK084SN02Q'); -- fails
INSERT INTO events VALUES (''); -- fails
INSERT INTO events VALUES ('evt_01h455vb4pex5vsknk084sn02q');
DROP TABLE events;

-- parallel safe: a forced worker makes the id
SELECT set_config(name, 'on', false) FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
PREPARE forced AS
SELECT dbkit.is_id(generate_id('org')) AS made_now,
       dbkit.is_id(dbkit.generate_id_at('org', '2024-01-01 00:00:00+00')) AS made_then;
EXPLAIN (COSTS OFF, VERBOSE) EXECUTE forced;
EXECUTE forced;
DEALLOCATE forced;
SELECT set_config(name, 'off', false) FROM pg_settings
WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

-- anybody may call all of it, wherever their search_path points
CREATE ROLE regress_ids_nobody;
SET ROLE regress_ids_nobody;
SET search_path = pg_temp;
SELECT dbkit.is_id(id, 'org') AS is_id,
       dbkit.id_prefix(id) AS id_prefix,
       dbkit.id_from_uuid('org', dbkit.id_uuid(id)) = id AS id_uuid,
       dbkit.id_timestamp(id) <= clock_timestamp() AS id_timestamp,
       id >= dbkit.id_lower_bound('org', dbkit.id_timestamp(id)) COLLATE "C" AS lower,
       id <= dbkit.id_upper_bound('org', dbkit.id_timestamp(id)) COLLATE "C" AS upper,
       dbkit.is_id(dbkit.generate_id_at('org', now())) AS generate_id_at
FROM public.generate_id('org') AS id;
RESET search_path;
RESET ROLE;
DROP ROLE regress_ids_nobody;
