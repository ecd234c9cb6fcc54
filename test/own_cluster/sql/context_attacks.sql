-- What a stolen connection may try, attack by attack: an unprivileged role with a
-- context entered for organization a, and the secret of organization b as the
-- prize.  Every ":loot" must show the secret of a and nothing else, or fail.
SET dbkit.enforce = off;
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT current_user AS superuser \gset

CREATE ROLE regress_boss;
CREATE ROLE regress_customer LOGIN;
CREATE ROLE regress_pool LOGIN NOINHERIT IN ROLE regress_customer, regress_boss;
CREATE SCHEMA regress_tenant AUTHORIZATION regress_boss;
GRANT ALL ON SCHEMA regress_tenant TO regress_customer;
GRANT USAGE ON SCHEMA regress_tenant TO regress_pool;
ALTER ROLE regress_customer SET search_path = regress_tenant;
ALTER ROLE regress_pool SET search_path = regress_tenant;
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO regress_customer', current_database()); END $$;

SET ROLE regress_boss;
CREATE TABLE regress_tenant.prize (id text COLLATE "C" PRIMARY KEY, organization_id text COLLATE "C" NOT NULL, secret text,
  UNIQUE (organization_id, id));
CREATE TABLE regress_tenant.gift (id text PRIMARY KEY, organization_id text COLLATE "C" NOT NULL, prize_id text,
  FOREIGN KEY (organization_id, prize_id) REFERENCES regress_tenant.prize (organization_id, id));
CREATE TABLE regress_tenant.parted (organization_id text COLLATE "C", secret text) PARTITION BY LIST (organization_id);
CREATE TABLE regress_tenant.parted_b PARTITION OF regress_tenant.parted FOR VALUES IN ('org_b');
CREATE TABLE regress_tenant.parted_rest PARTITION OF regress_tenant.parted DEFAULT;
CREATE TABLE regress_tenant.decoy (id text);
-- a policy of the older kind, which reads the setting
CREATE TABLE regress_tenant.setting_prize (organization_id text COLLATE "C", secret text);
INSERT INTO regress_tenant.prize VALUES ('prz_a', 'org_a', 'secret of a'), ('prz_b', 'org_b', 'secret of b');
INSERT INTO regress_tenant.setting_prize SELECT organization_id, secret FROM regress_tenant.prize;
INSERT INTO regress_tenant.parted SELECT organization_id, secret FROM regress_tenant.prize;
SELECT dbkit.protect('regress_tenant.prize', role => 'regress_customer');
SELECT dbkit.protect('regress_tenant.gift', role => 'regress_customer');
SELECT dbkit.protect('regress_tenant.parted', role => 'regress_customer');
ALTER TABLE regress_tenant.setting_prize ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON regress_tenant.setting_prize TO regress_customer
  USING (organization_id = current_setting('app.organization_id', true));
GRANT ALL ON ALL TABLES IN SCHEMA regress_tenant TO regress_customer;
CREATE VIEW regress_tenant.view_of_owner AS SELECT * FROM regress_tenant.prize;
GRANT SELECT ON regress_tenant.view_of_owner TO regress_customer;
CREATE FUNCTION regress_tenant.definer() RETURNS SETOF regress_tenant.prize SECURITY DEFINER LANGUAGE sql
  AS 'SELECT * FROM regress_tenant.prize';
CREATE FUNCTION regress_tenant.definer_with_forgery() RETURNS SETOF regress_tenant.prize SECURITY DEFINER LANGUAGE plpgsql
  AS $$ BEGIN PERFORM set_config('app.organization_id', 'org_b', true); RETURN QUERY SELECT * FROM regress_tenant.prize; END $$;
CREATE FUNCTION regress_tenant.as_boss() RETURNS SETOF regress_tenant.prize SET role = 'regress_boss' LANGUAGE plpgsql
  AS 'BEGIN RETURN QUERY SELECT * FROM regress_tenant.prize; END';
CREATE FUNCTION regress_tenant.as_boss_in_worker() RETURNS text SET role = 'regress_boss' PARALLEL SAFE LANGUAGE plpgsql
  AS $$ BEGIN RETURN (SELECT string_agg(secret, ' and ') FROM regress_tenant.unforced); END $$;
-- the boss has no policy and forced row security; in this table it is not forced
CREATE TABLE regress_tenant.unforced (LIKE regress_tenant.prize);
INSERT INTO regress_tenant.unforced SELECT * FROM (VALUES ('prz_a', 'org_a', 'secret of a'), ('prz_b', 'org_b', 'secret of b')) v;
ALTER TABLE regress_tenant.unforced ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON regress_tenant.unforced TO regress_customer USING (organization_id = dbkit.organization_id());
GRANT SELECT ON regress_tenant.unforced TO regress_customer;
RESET ROLE;
ANALYZE regress_tenant.prize;
SELECT count(*) FROM pg_stats WHERE schemaname = 'regress_tenant';

\set loot 'SELECT ''prize'' AS table, organization_id, secret FROM regress_tenant.prize UNION ALL SELECT ''setting'', * FROM regress_tenant.setting_prize UNION ALL SELECT ''parted'', * FROM regress_tenant.parted;'

\c - regress_customer
\set VERBOSITY terse
-- no context, no rows
:loot
BEGIN;
SELECT dbkit.enter('usr_a', 'org_a');
:loot
\set ON_ERROR_ROLLBACK on

-- attack: SET
SET app.organization_id = 'org_b'; -- fails
SET SESSION app.organization_id = 'org_b'; -- fails
SET LOCAL app.organization_id = 'org_b'; -- fails
SET "APP.Organization_ID" = 'org_b'; -- fails
SET app.organization_id TO DEFAULT;
SET app.organization_id = '';
SET LOCAL app.organization_id FROM CURRENT; -- fails
SET dbkit.context = '1:x,5:org_b,'; -- fails
SET LOCAL dbkit.context = '1:x,5:org_b,'; -- fails
SET dbkit.organization_setting = 'app.other'; -- fails
SET dbkit.context_key_file = ''; -- fails
:loot

-- attack: RESET
RESET app.organization_id;
RESET dbkit.context; -- fails
RESET dbkit.organization_setting; -- fails
RESET ALL;
:loot

-- attack: DISCARD
DISCARD ALL; -- fails
DISCARD TEMP; -- fails
DISCARD PLANS; -- fails
:loot

-- attack: set_config both ways, and UPDATE pg_settings
SELECT set_config('app.organization_id', 'org_b', true); -- fails
SELECT set_config('app.organization_id', 'org_b', false); -- fails
SELECT set_config('app.organization_id', NULL, false);
SELECT set_config('dbkit.context', '1:x,5:org_b,', false); -- fails
SELECT set_config('dbkit.context', NULL, true); -- fails
UPDATE pg_settings SET setting = 'org_b' WHERE name = 'app.organization_id'; -- fails
UPDATE pg_settings SET setting = '1:x,5:org_b,' WHERE name = 'dbkit.context';
SELECT secret FROM prize WHERE set_config('app.organization_id', 'org_b', true) IS NOT NULL; -- fails
:loot

-- attack: the same in DO, in EXECUTE, in a function, in a function with SET
DO $$ BEGIN SET LOCAL app.organization_id = 'org_b'; END $$; -- fails
DO $$ BEGIN EXECUTE 'SET app.organization_id = ''org_b'''; END $$; -- fails
DO $$ BEGIN PERFORM set_config('app.organization_id', 'org_b', false); EXCEPTION WHEN OTHERS THEN NULL; END $$;
DO $$ BEGIN RESET ALL; END $$;
DO $$ BEGIN PERFORM dbkit.enter('usr_b', 'org_b'); EXCEPTION WHEN OTHERS THEN NULL; END $$;
CREATE FUNCTION forge() RETURNS void LANGUAGE sql AS $$ SELECT set_config('app.organization_id', 'org_b', true) $$;
SELECT forge(); -- fails
CREATE FUNCTION forge_by_clause() RETURNS void SET app.organization_id = 'org_b' LANGUAGE sql AS ''; -- fails
CREATE FUNCTION forge_by_transport() RETURNS void SET dbkit.context = '1:x,5:org_b,' LANGUAGE sql AS ''; -- fails
ALTER FUNCTION forge() SET app.organization_id = 'org_b'; -- fails
CREATE FUNCTION pg_temp.forge() RETURNS void LANGUAGE sql AS $$ SELECT set_config('app.organization_id', 'org_b', true) $$; -- fails
:loot

-- attack: PREPARE and EXECUTE
PREPARE forge AS SELECT set_config('app.organization_id', 'org_b', false); -- fails
EXECUTE forge; -- fails
:loot

-- attack: ALTER ROLE, DATABASE and SYSTEM
ALTER ROLE regress_customer SET app.organization_id = 'org_b'; -- fails
ALTER ROLE regress_customer SET search_path = 'pg_temp'; -- fails
ALTER ROLE CURRENT_USER SET work_mem = '1MB'; -- fails
ALTER ROLE CURRENT_USER RESET ALL; -- fails
ALTER USER regress_customer IN DATABASE postgres SET work_mem = '1MB'; -- fails
ALTER ROLE regress_customer PASSWORD 'x'; -- fails
ALTER USER CURRENT_USER PASSWORD NULL; -- fails
ALTER ROLE regress_customer BYPASSRLS; -- fails
ALTER ROLE regress_customer RENAME TO regress_other; -- fails
ALTER GROUP regress_boss ADD USER regress_customer; -- fails
GRANT regress_boss TO regress_customer; -- fails
REVOKE regress_boss FROM regress_pool; -- fails
CREATE ROLE regress_other; -- fails
DROP ROLE regress_boss; -- fails
DO $$ BEGIN EXECUTE 'ALTER ROLE CURRENT_USER PASSWORD ''x'''; END $$; -- fails
ALTER DATABASE postgres SET app.organization_id = 'org_b'; -- fails
ALTER SYSTEM SET app.organization_id = 'org_b'; -- fails
:loot

-- attack: a second enter, also in a savepoint and around ROLLBACK TO
SELECT dbkit.enter('usr_b', 'org_b'); -- fails
SAVEPOINT s;
SELECT dbkit.enter('usr_b', 'org_b'); -- fails
ROLLBACK TO s;
:loot
RELEASE s;
SELECT dbkit.enter(NULL, NULL); -- fails
SELECT dbkit.enter('', ''); -- fails
SELECT dbkit.enter('usr_b', 'org_b', repeat('0', 64)); -- fails
SELECT dbkit.enter('usr_b', 'org_b', NULL); -- fails
:loot

-- attack: the role
SET ROLE regress_boss; -- fails
SET ROLE NONE; -- fails
SET LOCAL "ROLE" = 'regress_boss'; -- fails
SET SESSION AUTHORIZATION regress_boss; -- fails
RESET ROLE; -- fails
RESET SESSION AUTHORIZATION; -- fails
SET LOCAL SESSION AUTHORIZATION DEFAULT; -- fails
DO $$ BEGIN RESET ROLE; END $$; -- fails
CREATE FUNCTION become_boss() RETURNS void SET role = 'regress_boss' LANGUAGE sql AS ''; -- fails
CREATE FUNCTION become_boss() RETURNS void SET session_authorization = 'regress_boss' LANGUAGE sql AS ''; -- fails
ALTER FUNCTION forge() SET role = 'regress_boss'; -- fails
ALTER FUNCTION forge() RESET ALL;
ALTER FUNCTION forge() RESET role; -- fails
SELECT set_config('role', 'regress_boss', true); -- fails
SELECT * FROM definer();
SELECT * FROM definer_with_forgery(); -- fails
SELECT * FROM as_boss(); -- fails
:loot

-- attack: temporary objects that hide the real ones
CREATE TEMP TABLE prize (secret text); -- fails
CREATE TABLE pg_temp.prize (secret text); -- fails
CREATE TEMP VIEW prize AS SELECT 1; -- fails
CREATE TEMP SEQUENCE prize; -- fails
SELECT 1 AS x INTO TEMP prize; -- fails
CREATE TEMP TABLE prize AS SELECT 1; -- fails
CREATE TYPE pg_temp.text AS (x int); -- fails
CREATE DOMAIN pg_temp.text AS pg_catalog.text; -- fails
SET LOCAL search_path = pg_temp;
CREATE TABLE prize (secret text); -- fails
CREATE VIEW prize AS SELECT 1; -- fails
SET LOCAL search_path = regress_tenant;
DO $$ BEGIN CREATE TEMP TABLE prize (secret text); END $$; -- fails
:loot

-- attack: what outlives the transaction
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM prize; -- fails
DO $$ BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT 1'; END $$; -- fails
LISTEN b; -- fails
LOAD 'plpgsql'; -- fails
PREPARE TRANSACTION 'forged'; -- fails
-- a large object is neither temporary nor in a schema
SELECT lo_unlink(lo_create(0));

-- attack: what does not ask policies
TRUNCATE prize CASCADE; -- fails
COPY prize TO STDOUT;
COPY (SELECT * FROM prize) TO STDOUT;
SELECT * FROM view_of_owner;
SELECT * FROM parted_b;
SET LOCAL row_security = off;
SELECT * FROM prize; -- fails
SET LOCAL row_security = on;
ALTER TABLE prize DISABLE ROW LEVEL SECURITY; -- fails
DROP POLICY regress_customer_isolation ON prize; -- fails
SELECT dbkit.protect('prize', role => 'public'); -- fails
CREATE FUNCTION dbkit.organization_id(int) RETURNS text LANGUAGE sql AS $$ SELECT 'org_b' $$; -- fails
CREATE OR REPLACE FUNCTION dbkit.organization_id() RETURNS text LANGUAGE sql AS $$ SELECT 'org_b' $$; -- fails
DROP EXTENSION dbkit; -- fails

-- attack: the planner's estimates, which come from the rows of all
EXPLAIN SELECT * FROM prize; -- fails
EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM prize; -- fails
EXPLAIN EXECUTE forge; -- fails
DO $$ BEGIN EXECUTE 'EXPLAIN SELECT * FROM prize'; END $$; -- fails
CREATE FUNCTION explain(text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN ' || $1; END $$;
SELECT explain('SELECT * FROM prize'); -- fails
SELECT query_to_xml('EXPLAIN SELECT * FROM regress_tenant.prize', true, true, ''); -- fails
DO $$ DECLARE c refcursor; r record; BEGIN OPEN c FOR EXECUTE 'EXPLAIN SELECT * FROM prize'; FETCH c INTO r; END $$; -- fails
SET LOCAL debug_print_plan = on;
SELECT * FROM prize; -- fails
DO $$ BEGIN PERFORM * FROM prize; END $$; -- fails
RESET debug_print_plan;
SELECT count(*) FROM pg_stats WHERE schemaname = 'regress_tenant';
:loot

-- attack: writing into the other organization, and probing with foreign keys
INSERT INTO prize VALUES ('prz_x', 'org_b', 'planted'); -- fails
UPDATE prize SET organization_id = 'org_b'; -- fails
DELETE FROM prize WHERE organization_id = 'org_b' RETURNING *;
INSERT INTO parted VALUES ('org_b', 'planted'); -- fails
INSERT INTO parted_b VALUES ('org_b', 'planted'); -- fails
INSERT INTO gift VALUES ('gft_1', 'org_a', 'prz_b'); -- fails
INSERT INTO gift VALUES ('gft_1', 'org_a', 'prz_none'); -- fails
:loot

-- attack: a leaky function that sees rows before the policy
CREATE FUNCTION leak(text) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'saw %', $1; RETURN true; END $$;
SELECT secret FROM prize WHERE leak(secret);
-- attack: an operator of one's own, found first
CREATE FUNCTION yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (FUNCTION = yes, LEFTARG = text, RIGHTARG = text);
SET LOCAL search_path = regress_tenant, pg_catalog;
:loot
DROP OPERATOR = (text, text);
SET LOCAL search_path = regress_tenant;
\set ON_ERROR_ROLLBACK off
COMMIT;

-- attack: the next transaction
:loot
BEGIN; SELECT dbkit.enter('usr_a', 'org_a'); COMMIT AND CHAIN;
:loot
ROLLBACK;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a'); ROLLBACK AND CHAIN;
:loot
ROLLBACK;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
COMMIT \; BEGIN \; :loot
ROLLBACK;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
SELECT 1 / 0; -- fails
ROLLBACK;
:loot
SELECT dbkit.enter('usr_a', 'org_a') \; :loot
:loot

-- attack: enter in a savepoint, or in a block that catches errors
BEGIN;
SAVEPOINT s;
SELECT dbkit.enter('usr_a', 'org_a'); -- fails
ROLLBACK TO s;
:loot
RELEASE s;
SELECT dbkit.enter('usr_a', 'org_a');
SAVEPOINT s;
SELECT 1 / 0; -- fails
ROLLBACK TO s;
:loot
COMMIT;
DO $$ BEGIN PERFORM dbkit.enter('usr_a', 'org_a'); EXCEPTION WHEN division_by_zero THEN NULL; END $$; -- fails

-- attack: a procedure that commits
CREATE PROCEDURE hop(text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM dbkit.enter('usr_a', 'org_a');
  RAISE NOTICE 'entered %', dbkit.organization_id();
  COMMIT;
  RAISE NOTICE 'after commit %, sees % rows, was called with %', dbkit.organization_id(), (SELECT count(*) FROM regress_tenant.prize), $1;
END $$;
CALL hop('nothing');
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
CALL hop('nothing'); -- fails
ROLLBACK;
-- a value of the context stays what it was when the CALL began
CREATE PROCEDURE keep(text) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 3 LOOP
    PERFORM dbkit.enter('usr_' || i, 'org_of_keep_' || i);
    CALL regress_tenant.keep_inner(dbkit.organization_id());
  END LOOP;
END $$;
CREATE PROCEDURE keep_inner(text) LANGUAGE plpgsql AS $$
BEGIN
  COMMIT;
  PERFORM dbkit.enter('usr_other', repeat('x', 20));
  ROLLBACK;
  RAISE NOTICE 'argument is still %', $1;
END $$;
CALL keep('');

-- attack: a cursor WITH HOLD declared before the context is entered
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM prize;
SELECT dbkit.enter('usr_a', 'org_a');
COMMIT; -- fails
FETCH c; -- fails
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM prize;
SELECT dbkit.enter('usr_a', 'org_a');
FETCH c; -- fails
ROLLBACK;

-- attack: entering in the query of a cursor WITH HOLD, also in a function's loop
CREATE FUNCTION enter_in_loop() RETURNS text LANGUAGE plpgsql AS
  $$ DECLARE r record; BEGIN FOR r IN SELECT dbkit.enter('usr_a', 'org_a') LOOP END LOOP; RETURN 'entered'; END $$;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR WITH e AS MATERIALIZED (SELECT dbkit.enter('usr_a', 'org_a')) SELECT secret FROM e, prize;
FETCH c; -- fails
ROLLBACK;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR WITH e AS MATERIALIZED (SELECT dbkit.enter('usr_a', 'org_a')) SELECT secret FROM e, prize;
COMMIT; -- fails
FETCH c; -- fails
BEGIN;
DECLARE c SCROLL CURSOR WITH HOLD FOR WITH e AS MATERIALIZED (SELECT enter_in_loop()) SELECT secret FROM e, prize;
COMMIT; -- fails
FETCH c; -- fails
BEGIN;
DECLARE c CURSOR FOR WITH e AS MATERIALIZED (SELECT enter_in_loop()) SELECT secret FROM e, prize;
FETCH c;
COMMIT;

-- attack: entering while EXPLAIN, or what debug_print_plan prints, is planned
CREATE FUNCTION enter_when_planned() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
  $$ BEGIN PERFORM dbkit.enter('usr_a', 'org_a'); RETURN true; END $$;
EXPLAIN SELECT * FROM prize WHERE enter_when_planned(); -- fails
SELECT secret FROM prize WHERE enter_when_planned(); -- fails
:loot

-- attack: a statement prepared, and planned, under another organization
PREPARE planned AS SELECT secret FROM prize UNION ALL SELECT secret FROM setting_prize;
SET plan_cache_mode = force_generic_plan;
BEGIN; SELECT dbkit.enter('usr_b', 'org_b');
EXECUTE planned;
COMMIT;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
EXECUTE planned;
COMMIT;
EXECUTE planned;
RESET plan_cache_mode;

-- attack: a pool's login role with more rights, which has set a lesser role
\c - regress_pool
\set VERBOSITY terse
\set raid 'SELECT organization_id, secret FROM regress_tenant.unforced;'
SET ROLE regress_boss;
:raid
RESET ROLE;
SET ROLE regress_customer;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
:raid
\set ON_ERROR_ROLLBACK on
SET ROLE regress_boss; -- fails
RESET ROLE; -- fails
SET SESSION AUTHORIZATION DEFAULT; -- fails
SELECT * FROM as_boss(); -- fails
RESET ALL;
:raid
SAVEPOINT s;
SELECT set_config('role', 'regress_boss', true);
:raid -- fails
TABLE pg_temp.nothing; -- fails
COPY unforced TO STDOUT; -- fails
DO $$ DECLARE n bigint; BEGIN n := set_config('role', 'regress_boss', true) IS NULL; END $$; -- fails
ROLLBACK TO s;
:raid
SELECT set_config('role', NULL, true);
:raid -- fails
ROLLBACK;
\set ON_ERROR_ROLLBACK off
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
SELECT set_config('role', 'regress_boss', false);
COMMIT; -- fails
SELECT current_user;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
UPDATE pg_settings SET setting = 'regress_boss' WHERE name = 'role';
:raid
ROLLBACK;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
SELECT set_config('role', 'regress_boss', true), count(*) FROM unforced;
ROLLBACK;
-- all at once in one statement, the query inside a function
CREATE FUNCTION raid() RETURNS SETOF text LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('role', 'regress_boss', true); RETURN QUERY SELECT secret FROM regress_tenant.unforced; END $$;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
SELECT * FROM raid(); -- fails
ROLLBACK;
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
SELECT query_to_xml('SELECT secret FROM regress_tenant.unforced', true, true, '')
  FROM set_config('role', 'regress_boss', true); -- fails
ROLLBACK;

-- in a parallel worker
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
SELECT current_user, dbkit.organization_id();
SELECT as_boss_in_worker(); -- fails
ROLLBACK;
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
-- at the end of the transaction, in a deferred trigger
CREATE FUNCTION raid_later() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('role', 'regress_boss', true); RAISE NOTICE 'saw %', (SELECT string_agg(secret, ' and ') FROM regress_tenant.unforced); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON decoy DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION raid_later();
BEGIN; SELECT dbkit.enter('usr_a', 'org_a');
INSERT INTO decoy VALUES ('a');
COMMIT; -- fails
-- the role that was there before enter comes back with a savepoint's end
BEGIN;
SAVEPOINT s;
SET LOCAL ROLE regress_customer;
RELEASE s;
SELECT dbkit.enter('usr_a', 'org_a');
ROLLBACK TO s; -- fails
ROLLBACK;
-- entering inside of a function that has set the role
CREATE FUNCTION enter_as_boss() RETURNS text SET role = 'regress_boss' LANGUAGE plpgsql AS
  $$ BEGIN PERFORM dbkit.enter('usr_a', 'org_a'); RETURN dbkit.organization_id(); END $$;
BEGIN;
SELECT enter_as_boss();
:raid -- fails
ROLLBACK;

-- attack: each step of a product's flow (docs/how-to/product-flow.md), by b, who is signed in and invited to nothing of a
\c - :superuser
\set VERBOSITY terse
SET dbkit.enforce = off;
SET client_min_messages = warning;
CREATE SCHEMA regress_flow AUTHORIZATION regress_boss;
GRANT USAGE ON SCHEMA regress_flow TO regress_customer;
SET ROLE regress_boss;
SET search_path = regress_flow;
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY, name text);
CREATE TABLE users (id text COLLATE "C" PRIMARY KEY, email text UNIQUE, name text);
CREATE TABLE memberships (organization_id text COLLATE "C" REFERENCES organizations ON DELETE CASCADE,
  user_id text COLLATE "C" REFERENCES users ON DELETE CASCADE, UNIQUE (organization_id, user_id));
CREATE TABLE invitations (organization_id text COLLATE "C" REFERENCES organizations ON DELETE CASCADE, email text);
CREATE TABLE comments (id int, organization_id text COLLATE "C" REFERENCES organizations ON DELETE CASCADE,
  user_id text COLLATE "C" REFERENCES users, body text);
CREATE TABLE plans (name text PRIMARY KEY);
INSERT INTO organizations VALUES ('org_a', 'secret of a'), ('org_b', 'Bolts');
INSERT INTO users VALUES ('usr_a', 'a@example.com', 'secret of a'), ('usr_b', 'b@example.com', 'Bob'), ('usr_c', 'c@example.com', 'Carol, in both');
INSERT INTO memberships VALUES ('org_a', 'usr_a'), ('org_b', 'usr_b'), ('org_a', 'usr_c'), ('org_b', 'usr_c');
INSERT INTO invitations VALUES ('org_a', 'd@example.com');
INSERT INTO comments VALUES (1, 'org_a', 'usr_a', 'secret of a'), (2, 'org_b', 'usr_b', 'mine'), (3, 'org_b', 'usr_c', 'of Carol');
INSERT INTO plans VALUES ('small');
SELECT dbkit.protect(t::regclass, role => 'regress_customer', access => a) FROM (VALUES ('organizations', 'tenant'), ('users', 'tenant'),
  ('memberships', 'tenant'), ('invitations', 'tenant'), ('comments', 'member'), ('plans', 'read')) AS v (t, a);
CREATE POLICY own_memberships ON memberships FOR SELECT TO regress_customer USING (user_id = dbkit.user_id());
CREATE POLICY own_organizations ON organizations FOR SELECT TO regress_customer
  USING (id IN (SELECT m.organization_id FROM memberships m WHERE m.user_id = dbkit.user_id()));
CREATE POLICY colleagues ON users FOR SELECT TO regress_customer
  USING (id IN (SELECT m.user_id FROM memberships m WHERE m.organization_id = dbkit.organization_id()));
CREATE POLICY own_invitations ON invitations FOR SELECT TO regress_customer
  USING (email = (SELECT u.email FROM users u WHERE u.id = dbkit.user_id()));
RESET ROLE;
\set flow 'SELECT ''organizations'' AS table, o.id, o.name FROM organizations o UNION ALL SELECT ''users'', u.id, u.name FROM users u UNION ALL SELECT ''memberships'', organization_id, user_id FROM memberships UNION ALL SELECT ''invitations'', organization_id, email FROM invitations UNION ALL SELECT ''comments'', user_id, body FROM comments ORDER BY 1, 2, 3;'

\c - regress_customer
\set VERBOSITY terse
SET search_path = regress_flow;
-- before anything is entered: nothing, but for what everybody reads
:flow
TABLE plans;
INSERT INTO users VALUES ('usr_x', 'x@example.com', 'x'); -- fails
INSERT INTO memberships VALUES ('org_a', 'usr_b'); -- fails
DELETE FROM comments RETURNING *;

-- signed in, with no organization chosen
BEGIN; SELECT dbkit.enter('usr_b', NULL);
\set ON_ERROR_ROLLBACK on
:flow
INSERT INTO organizations VALUES ('org_x', 'x'); -- fails
INSERT INTO memberships VALUES ('org_a', 'usr_b'); -- fails
UPDATE memberships SET organization_id = 'org_a' RETURNING *;
DELETE FROM memberships RETURNING *;
DELETE FROM invitations RETURNING *;
DELETE FROM organizations RETURNING *;
INSERT INTO comments VALUES (4, 'org_b', 'usr_b', 'x'); -- fails
-- another address, to be invited in somebody's place
UPDATE users SET email = 'd@example.com' WHERE id = 'usr_b' RETURNING id;
:flow
\set ON_ERROR_ROLLBACK off
ROLLBACK;

-- in one's own organization
BEGIN; SELECT dbkit.enter('usr_b', 'org_b');
\set ON_ERROR_ROLLBACK on
:flow
-- sign up: as somebody else, as an organization that is there, beside the one that is entered
INSERT INTO users VALUES ('usr_x', 'x@example.com', 'x'); -- fails
INSERT INTO users VALUES ('usr_a', 'x@example.com', 'x'); -- fails
INSERT INTO organizations VALUES ('org_a', 'x'); -- fails
INSERT INTO organizations VALUES ('org_x', 'x'); -- fails
INSERT INTO organizations VALUES ('org_a', 'x') ON CONFLICT (id) DO UPDATE SET name = 'x'; -- fails
UPDATE organizations SET id = 'org_a'; -- fails
-- join, invite and leave: in another organization, or for another one
INSERT INTO memberships VALUES ('org_a', 'usr_b'); -- fails
UPDATE memberships SET organization_id = 'org_a' WHERE user_id = 'usr_b'; -- fails
INSERT INTO invitations VALUES ('org_a', 'b@example.com'); -- fails
UPDATE invitations SET email = 'b@example.com' RETURNING *;
DELETE FROM memberships WHERE organization_id = 'org_a' RETURNING *;
MERGE INTO memberships m USING (VALUES ('org_a', 'usr_b')) AS v (o, u) ON m.organization_id = v.o WHEN NOT MATCHED THEN INSERT VALUES (v.o, v.u); -- fails
-- list members: somebody else's row
UPDATE users SET email = 'x@example.com' WHERE id = 'usr_c' RETURNING *;
UPDATE users SET id = 'usr_a' WHERE id = 'usr_b'; -- fails
DELETE FROM users WHERE id <> 'usr_b' RETURNING *;
SELECT * FROM users WHERE id = 'usr_a' FOR UPDATE;
-- comments: in somebody else's name, elsewhere, of somebody else
INSERT INTO comments VALUES (4, 'org_b', 'usr_c', 'forged'); -- fails
INSERT INTO comments VALUES (4, 'org_a', 'usr_b', 'elsewhere'); -- fails
UPDATE comments SET user_id = 'usr_c' WHERE id = 2; -- fails
UPDATE comments SET organization_id = 'org_a' WHERE id = 2; -- fails
UPDATE comments SET body = 'x' WHERE id <> 2 RETURNING *;
DELETE FROM comments WHERE id <> 2 RETURNING *;
SELECT body FROM comments WHERE id <> 2 FOR UPDATE;
-- what everybody reads
INSERT INTO plans VALUES ('free'); -- fails
UPDATE plans SET name = 'free'; -- fails
DELETE FROM plans; -- fails
SELECT 1 FROM plans FOR UPDATE; -- fails
-- delete an organization, or have it go with what it references
DELETE FROM organizations WHERE id = 'org_a' RETURNING *;
TRUNCATE organizations CASCADE; -- fails
:flow
\set ON_ERROR_ROLLBACK off
ROLLBACK;

-- with an organization, but as nobody
BEGIN; SELECT dbkit.enter(NULL, 'org_b');
INSERT INTO comments VALUES (4, 'org_b', NULL, 'anonymous'); -- fails
ROLLBACK;
BEGIN; SELECT dbkit.enter(NULL, NULL); -- fails
ROLLBACK;

\c - :superuser
SET client_min_messages = warning;
SELECT * FROM regress_tenant.prize;
SELECT * FROM regress_flow.comments ORDER BY id;
DROP SCHEMA regress_tenant, regress_flow CASCADE;
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM regress_customer', current_database()); END $$;
DROP ROLE regress_boss, regress_customer, regress_pool;
