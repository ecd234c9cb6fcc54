-- Entering a tenant context, reading it, and what ends it.
\set roles '{regress_tenant}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;

SELECT oid::regprocedure AS function, provolatile, proparallel, proleakproof, proisstrict,
       obj_description(oid, 'pg_proc') IS NOT NULL AS commented
  FROM pg_proc
  WHERE pronamespace = 'dbkit'::regnamespace
    AND proname IN ('enter', 'user_id', 'organization_id', 'nonce', 'protect', 'protect_sql', 'unprotect')
  ORDER BY 1::text;

-- nothing is entered
SELECT dbkit.user_id() IS NULL AS no_user, dbkit.organization_id() IS NULL AS no_organization,
       current_setting('app.user_id', true) AS user_setting, current_setting('app.organization_id') AS organization_setting;

-- both, and the settings that agree
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
SELECT dbkit.user_id(), dbkit.organization_id(), current_setting('app.user_id'), current_setting('app.organization_id', true);
SHOW app.user_id;
SELECT name, setting, context FROM pg_settings WHERE name LIKE 'app.%' ORDER BY 1;
COMMIT;
SELECT dbkit.user_id(), dbkit.organization_id();
SHOW app.user_id;

-- one of the two may be missing
BEGIN;
SELECT dbkit.enter('usr_1', NULL);
SELECT dbkit.user_id(), dbkit.organization_id() IS NULL AS none, current_setting('app.organization_id') AS setting;
ROLLBACK;
BEGIN;
SELECT dbkit.enter(NULL, 'org_1');
SELECT dbkit.user_id() IS NULL AS none, dbkit.organization_id();
ROLLBACK;
-- then its setting shows what equals no id and casts as the other half's kind of id does
CREATE FUNCTION shown(value text) RETURNS TABLE (user_setting text, organization_setting text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM dbkit.enter(value, NULL);
  user_setting := current_setting('app.user_id');
  organization_setting := current_setting('app.organization_id');
  RETURN NEXT;
END $$;
SELECT * FROM shown('0190163d-8694-739b-aea5-966c26f8ad91');
SELECT * FROM shown('usr_01h455vb4pex5vsknk084sn02q');
SELECT * FROM shown('01h455vb4pex5vsknk084sn02q'); -- has no prefix
SELECT * FROM shown('usr_1'); -- is not an id
SELECT * FROM shown('4711');
SELECT * FROM shown('-4711');
SELECT * FROM shown('4711 ');
SELECT * FROM shown('anna');
DROP FUNCTION shown(text);
BEGIN;
SELECT dbkit.enter(NULL, '4711');
SELECT current_setting('app.user_id') AS user_setting, dbkit.user_id() IS NULL AS none;
ROLLBACK;
BEGIN;
SELECT dbkit.enter(NULL, '0190163d-8694-739b-aea5-966c26f8ad91');
SELECT current_setting('app.user_id') AS user_setting, dbkit.user_id() IS NULL AS none;
ROLLBACK;
SELECT dbkit.enter(NULL, NULL); -- fails
SELECT dbkit.enter('', 'org_1'); -- fails
SELECT dbkit.enter('usr_1', ''); -- fails

-- any text
BEGIN;
SELECT dbkit.enter(E'5:o''brien,\n"-,', 'Ω' || repeat('長', 300));
SELECT dbkit.user_id() = E'5:o''brien,\n"-,', dbkit.organization_id() = 'Ω' || repeat('長', 300);
ROLLBACK;

-- once, and at the top level
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
SAVEPOINT s;
SELECT dbkit.enter('usr_1', 'org_1'); -- fails
ROLLBACK TO s;
SELECT dbkit.user_id();
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT dbkit.enter('usr_1', 'org_1'); -- fails
ROLLBACK TO s;
RELEASE s;
SELECT dbkit.enter('usr_1', 'org_1');
ROLLBACK;

-- without a key there is nothing to check a signature with
SELECT dbkit.enter('usr_1', 'org_1', repeat('0', 64)); -- fails
SELECT dbkit.nonce() ~ '^[0-9a-f]{32}$' AS well_formed, dbkit.nonce() <> dbkit.nonce() AS fresh;

-- the settings cannot be set, their neighbours can
SET app.user_id = 'usr_2'; -- fails
SET app.organization_id = 'org_2'; -- fails
SET app.user_id = '';
RESET app.user_id;
SET app.other = 'fine';
SHOW app.other;
RESET app.other;
ALTER ROLE CURRENT_USER SET app.user_id = 'usr_2'; -- fails
CREATE FUNCTION forge() RETURNS text SET app.user_id = 'usr_2' LANGUAGE sql AS ''; -- fails

-- what the guard says
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
SAVEPOINT s;
SET ROLE pg_monitor; -- fails
ROLLBACK TO s;
LISTEN a; -- fails
ROLLBACK TO s;
EXPLAIN SELECT 1; -- fails
ROLLBACK TO s;
SET LOCAL debug_print_plan = on;
SELECT 1; -- fails
ROLLBACK TO s;
ALTER ROLE regress_none RENAME TO regress_other; -- fails
ROLLBACK TO s;
CREATE TEMP TABLE t (); -- fails
ROLLBACK TO s;
SELECT set_config('role', 'pg_monitor', true);
SELECT 1; -- fails
ROLLBACK;
-- and leaves alone when nothing is entered
SET ROLE pg_monitor;
RESET ROLE;
CREATE TEMP TABLE t ();
DROP TABLE t;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT 1;
COMMIT;
CLOSE c;
-- or what is harmless
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
SET LOCAL work_mem = '1MB';
RESET work_mem;
RESET ALL;
DECLARE c CURSOR FOR SELECT dbkit.user_id();
FETCH c;
NOTIFY a;
DEALLOCATE ALL;
CREATE SCHEMA regress_made_inside;
DROP SCHEMA regress_made_inside;
COMMIT;
SET dbkit.enforce = off;

-- not where rows are kept for later
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT dbkit.enter('usr_1', 'org_1');
FETCH c; -- fails
ROLLBACK;

-- in PL/pgSQL, also behind a definer's function with settings of its own
CREATE FUNCTION log_in(token text) RETURNS text SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET work_mem = '1MB'
LANGUAGE plpgsql AS $$ BEGIN PERFORM dbkit.enter('usr_' || token, 'org_' || token); RETURN dbkit.user_id(); END $$;
BEGIN;
SELECT log_in('7');
SELECT dbkit.user_id(), dbkit.organization_id(), current_setting('app.user_id');
COMMIT;
SELECT dbkit.user_id() IS NULL AS gone;
DROP FUNCTION log_in(text);

-- deferred constraint triggers still see it
CREATE TABLE deferred (id text);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'deferred: %', dbkit.user_id(); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER tell AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
INSERT INTO deferred VALUES ('a');
COMMIT;
DROP TABLE deferred;
DROP FUNCTION tell();

-- parallel workers see the same, and the tenant column's index serves a policy
CREATE ROLE regress_tenant;
CREATE UNLOGGED TABLE many (id bigint, organization_id text COLLATE "C");
INSERT INTO many SELECT n, 'org_' || n % 1000 FROM generate_series(1, 1000000) n;
CREATE INDEX ON many (organization_id);
ANALYZE many;
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON many TO regress_tenant USING (organization_id = dbkit.organization_id());
CREATE TABLE few (organization_id text COLLATE "C", user_id text);
INSERT INTO few VALUES ('org_7', 'usr_7'), ('org_7', 'usr_8'), ('org_8', 'usr_7');
ALTER TABLE few ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON few TO regress_tenant
  USING (organization_id = current_setting('app.organization_id', true) AND user_id = dbkit.user_id());
GRANT SELECT ON many, few TO regress_tenant;
SET ROLE regress_tenant;
SET enable_bitmapscan = off;
SET max_parallel_workers_per_gather = 2;
-- the plans, which cannot be seen within a context
EXPLAIN (COSTS OFF) SELECT * FROM many;
BEGIN;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_indexonlyscan = off;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT count(*) FROM many;
ROLLBACK;
BEGIN;
SELECT dbkit.enter('usr_7', 'org_7');
SELECT count(*) FROM many;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_indexonlyscan = off;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_leader_participation = off;
SELECT count(*), min(organization_id), max(organization_id) FROM many;
SELECT count(*) FROM many WHERE organization_id <> current_setting('app.organization_id');
COMMIT;
SELECT count(*) FROM many;
-- PostgreSQL 16 renamed force_parallel_mode
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
BEGIN;
SELECT dbkit.enter('usr_7', 'org_7');
SELECT * FROM few;
SELECT dbkit.user_id(), dbkit.organization_id(), current_setting('app.user_id'), current_setting('app.organization_id');
COMMIT;
SELECT * FROM few;
SELECT dbkit.user_id() IS NULL AS gone;
BEGIN;
SELECT dbkit.enter(NULL, 'org_8');
SELECT dbkit.user_id() IS NULL AS none, dbkit.organization_id();
COMMIT;
RESET ROLE;
DROP TABLE many, few;
DROP ROLE regress_tenant;

-- policies as teams have them: with a context, with half of one, and no error
CREATE ROLE regress_tenant;
CREATE TABLE of_text (organization_id text COLLATE "C", user_id text);
INSERT INTO of_text VALUES ('org_01h455vb4pex5vsknk084sn02q', 'usr_01h455vb4pex5vsknk084sn02q');
CREATE POLICY own ON of_text TO regress_tenant
  USING (organization_id = current_setting('app.organization_id', true)::text AND user_id = current_setting('app.user_id', true)::text);
CREATE TABLE of_uuid (organization_id uuid, user_id uuid);
INSERT INTO of_uuid VALUES ('0190163d-8694-739b-aea5-966c26f8ad91', '0190163d-8694-739b-aea5-966c26f8ad92');
CREATE POLICY own ON of_uuid TO regress_tenant
  USING (organization_id = current_setting('app.organization_id')::uuid AND user_id = current_setting('app.user_id')::uuid);
ALTER TABLE of_text ENABLE ROW LEVEL SECURITY;
ALTER TABLE of_uuid ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON of_text, of_uuid TO regress_tenant;
SET ROLE regress_tenant;
BEGIN; SELECT dbkit.enter('usr_01h455vb4pex5vsknk084sn02q', 'org_01h455vb4pex5vsknk084sn02q');
TABLE of_text;
ROLLBACK;
BEGIN; SELECT dbkit.enter('usr_01h455vb4pex5vsknk084sn02q', NULL);
TABLE of_text;
ROLLBACK;
BEGIN; SELECT dbkit.enter(NULL, 'org_01h455vb4pex5vsknk084sn02q');
TABLE of_text;
ROLLBACK;
BEGIN; SELECT dbkit.enter('0190163d-8694-739b-aea5-966c26f8ad92', '0190163d-8694-739b-aea5-966c26f8ad91');
TABLE of_uuid;
ROLLBACK;
BEGIN; SELECT dbkit.enter('0190163d-8694-739b-aea5-966c26f8ad92', NULL);
TABLE of_uuid;
TABLE of_text;
ROLLBACK;
BEGIN; SELECT dbkit.enter(NULL, '0190163d-8694-739b-aea5-966c26f8ad91');
TABLE of_uuid;
TABLE of_text;
ROLLBACK;
RESET ROLE;
DROP TABLE of_text, of_uuid;
DROP ROLE regress_tenant;

-- outside of a context the costs of a plan depend on all tenants' rows, unless
-- the index begins with the tenant column or there are no statistics of values
CREATE ROLE regress_tenant;
CREATE FUNCTION total_cost(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
  RETURN plan->0->'Plan'->>'Total Cost';
END $$;
CREATE FUNCTION is_guessed() RETURNS boolean LANGUAGE sql AS $$
  SELECT total_cost('SELECT * FROM guessed WHERE secret = ''frequent''') <> total_cost('SELECT * FROM guessed WHERE secret = ''never''') $$;
CREATE TABLE guessed (organization_id text COLLATE "C", secret text COLLATE "C");
INSERT INTO guessed SELECT 'org_b', CASE WHEN n % 3 = 0 THEN 'frequent' ELSE n::text END FROM generate_series(1, 3000) n;
CREATE INDEX guessed_by_secret ON guessed (secret);
SELECT dbkit.protect('guessed', role => 'regress_tenant');
GRANT SELECT ON guessed TO regress_tenant;
ANALYZE guessed;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET ROLE regress_tenant;
SELECT is_guessed();
RESET ROLE;
DROP INDEX guessed_by_secret;
CREATE INDEX ON guessed (organization_id, secret);
SET ROLE regress_tenant;
SELECT is_guessed();
RESET ROLE;
CREATE TABLE guessed_again (LIKE guessed);
INSERT INTO guessed_again SELECT * FROM guessed;
DROP TABLE guessed;
ALTER TABLE guessed_again RENAME TO guessed;
ALTER TABLE guessed ALTER COLUMN secret SET STATISTICS 0;
CREATE INDEX ON guessed (secret);
SELECT dbkit.protect('guessed', role => 'regress_tenant');
GRANT SELECT ON guessed TO regress_tenant;
ANALYZE guessed;
SET ROLE regress_tenant;
SELECT is_guessed();
RESET ROLE;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP TABLE guessed;
DROP FUNCTION total_cost(text), is_guessed();
DROP ROLE regress_tenant;
