-- What an agreement cannot say, and what its function cannot be.
\set roles '{regress_other}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
CREATE ROLE regress_other;
CREATE FUNCTION pg_temp.agreement() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(': ', value, hint) FROM dbkit.status() WHERE name = 'agreement' $$;

SELECT dbkit.agree('[]'); -- fails
SELECT dbkit.agree('{"nothing": 1}'); -- fails
SELECT dbkit.agree('{"preset": "ours"}'); -- fails
SELECT dbkit.agree('{"preset": 1}'); -- fails
SELECT dbkit.agree('{"id_style": "oid"}'); -- fails
SELECT dbkit.agree('{"rules": {"bigint": 1}}'); -- fails
SELECT dbkit.agree('{"rules": {"nothing": "off"}}'); -- fails
SELECT dbkit.agree('{"schemas": {"s": 1}}'); -- fails
SELECT dbkit.agree('{"schemas": {"s": {"bigint": "off"}}}'); -- fails
SELECT dbkit.agree('{"exemptions": [1]}'); -- fails
SELECT dbkit.agree('{"exemptions": [{"object": "s.t", "rule": 1, "reason": "x"}]}'); -- fails
SELECT dbkit.agree('{"exemptions": [{"object": "s.%\\", "rule": "*", "reason": "x"}]}'); -- fails
SELECT dbkit.agree('{"exemptions": [{"object": "s.t", "rule": "nothing", "reason": "x"}]}'); -- fails
SELECT dbkit.agree('{"exemptions": [{"object": "s.t", "rule": "*", "reason": " "}]}'); -- fails
SELECT dbkit.agree('{"exemptions": [{"object": "s.t", "rule": "*", "reason": "x", "expires_at": "never"}]}'); -- fails
SELECT dbkit.agree('{"exemptions": [{"object": "s.t", "rule": "*", "reason": "x", "expires_at": 1}]}'); -- fails
SELECT dbkit.agree('{"baseline": {"s.t": {"bigint": ["n", "n"]}}}');
SELECT dbkit.agreement() -> 'baseline';
SET dbkit.rule_levels = 'nothing=off'; -- fails

-- a preset, and a rule that it speaks of
SELECT dbkit.agree('{"preset": "bigint"}') ->> 'preset' AS before;
SELECT name, value, source FROM dbkit.status() WHERE name IN ('rule id_default', 'rule storytime') ORDER BY name;

-- an event trigger that is switched off is said
ALTER EVENT TRIGGER dbkit_sql_drop DISABLE;
SELECT name, value FROM dbkit.status() WHERE name LIKE 'event trigger%';
ALTER EVENT TRIGGER dbkit_sql_drop ENABLE;
SELECT name, value FROM dbkit.status() WHERE name LIKE 'event trigger%';

-- written by hand
SELECT pg_temp.agreement();
SET check_function_bodies = off;
CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE sql AS $$ SELECT '{"nothing": 1, "exemptions": [1], "rules": {"bigint": 1}}'::jsonb $$;
SELECT pg_temp.agreement();
CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE sql AS $$ SELECT '{'::jsonb $$;
SELECT pg_temp.agreement();
CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE sql AS $$ SELEKT $$;
SELECT pg_temp.agreement();
CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE sql AS $$ SELECT '{}'::jsonb FROM pg_class $$;
SELECT pg_temp.agreement();
CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object() $$;
SELECT pg_temp.agreement();
SELECT dbkit.agree('{}'); -- fails
DROP FUNCTION dbkit_agreement();
CREATE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RETURN '{}'; END $$;
SELECT pg_temp.agreement();
DROP FUNCTION dbkit_agreement();
RESET check_function_bodies;

-- a new name takes over only what the agreement says of the object itself
SELECT dbkit.agree('{"rules": {"*": "off", "bigint": "error", "text_id": "error"}, "exemptions": [{"object": "public.old", "rule": "*", "reason": "x"}], "baseline": {"public.kept": {"bigint": ["n"]}}}') IS NULL AS was_none;
CREATE TABLE old (n integer);
SET dbkit.enforce = off;
CREATE TABLE kept (n integer);
RESET dbkit.enforce;
CREATE FUNCTION old() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION old(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA elsewhere;
ALTER FUNCTION old() RENAME TO new;
ALTER FUNCTION old(integer) SET SCHEMA elsewhere;
CREATE POLICY n ON kept;
ALTER POLICY n ON kept RENAME TO m;
CREATE INDEX i ON kept (n);
ALTER INDEX i RENAME TO j;
CREATE COLLATION c (LOCALE = 'C');
ALTER COLLATION c RENAME TO d;
ALTER COLLATION d SET SCHEMA elsewhere;
SELECT object FROM dbkit.exemption WHERE NOT builtin;
SELECT dbkit.agreement() -> 'baseline';
CREATE TABLE new (n integer); -- fails

-- what is exempt from one rule, or was there before, hides nothing else
SELECT dbkit.exempt('public.parcels', 'text_id', 'ids of another system');
CREATE TABLE parcels (m_id integer); -- fails
SET dbkit.enforce = off;
CREATE TABLE letters (user_id uuid);
RESET dbkit.enforce;
ALTER TABLE letters ALTER user_id TYPE integer USING 1; -- fails

-- LIKE a temporary table, which nothing permanent can be a partition of
CREATE TEMP TABLE root (n integer) PARTITION BY LIST (n);
CREATE TABLE evil (LIKE root); -- fails

-- what somebody who is no longer trusted says of the settings is not listened to
SELECT dbkit.agree('{"preset": "none", "reserve_settings": false}') IS NOT NULL AS was_some;
ALTER ROLE regress_other SUPERUSER;
ALTER FUNCTION dbkit_agreement() OWNER TO regress_other;
SELECT dbkit.agreement() -> 'reserve_settings';
SET app.user_id = 'free';
ALTER ROLE regress_other NOSUPERUSER;
SELECT dbkit.agreement() -> 'reserve_settings';
SET app.user_id = 'forged'; -- fails
\c
SET client_min_messages = error;
DROP FUNCTION dbkit_agreement();
DROP TABLE old, kept, letters;
DROP FUNCTION new();
DROP SCHEMA elsewhere CASCADE;
DROP ROLE regress_other;
