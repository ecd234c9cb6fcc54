-- The settings that show the context belong to the application where the agreement
-- does not reserve them: it finds its values again after each context.
SET dbkit.enforce = off;
CREATE FUNCTION dbkit_agreement() RETURNS jsonb IMMUTABLE LANGUAGE sql
  AS $$ SELECT '{"reserve_settings": false}'::pg_catalog.jsonb $$;
\set enter 'DO $$ BEGIN PERFORM dbkit.enter(''usr_1'', ''org_1''); END $$;'
\set show 'SELECT current_setting(''app.user_id'', true) AS "user", current_setting(''app.organization_id'', true) AS organization;'

-- unknown before, and unknown again afterwards, so that a cast of it does not fail
\pset null NULL
:show
SHOW app.user_id; -- fails
BEGIN;
:enter
:show
COMMIT;
:show
SELECT current_setting('app.organization_id', true)::uuid;
SHOW app.user_id; -- fails
SELECT name, setting FROM pg_settings WHERE name LIKE 'app.%' OR name !~ '^[A-Za-z]';
-- also after an error, and in a block that is rolled back
BEGIN;
:enter
SELECT 1 / 0; -- fails
ROLLBACK;
:show
SELECT dbkit.enter('usr_1', 'org_1'), 1 / (dbkit.user_id() IS NULL)::int; -- fails
:show
BEGIN;
:enter
ROLLBACK;
:show
-- and after another
BEGIN;
:enter
SHOW app.user_id;
COMMIT;
:show

-- SET
SET app.user_id = 'mine';
:show
BEGIN;
:enter
:show
SAVEPOINT s;
SET app.user_id = 'usr_2'; -- fails
ROLLBACK TO s;
SET LOCAL app.user_id = 'usr_2'; -- fails
ROLLBACK TO s;
SELECT set_config('app.user_id', 'usr_2', true); -- fails
ROLLBACK TO s;
SELECT set_config('app.organization_id', 'org_2', false); -- fails
ROLLBACK TO s;
UPDATE pg_settings SET setting = 'usr_2' WHERE name = 'app.user_id'; -- fails
ROLLBACK TO s;
CREATE FUNCTION regress_forge() RETURNS text SET app.user_id = 'usr_2' LANGUAGE sql AS ''; -- fails
ROLLBACK TO s;
-- which is accepted, and does nothing, not even to what is there afterwards
RESET app.user_id;
RESET ALL;
SET app.user_id TO DEFAULT;
SELECT set_config('app.user_id', NULL, false);
:show
COMMIT;
:show
SHOW app.user_id;
SET dbkit.enforce = off;

-- the other one can be set for the first time in between
SET app.organization_id = 'my org';
BEGIN;
:enter
:show
COMMIT;
:show
RESET app.user_id;
RESET app.organization_id;
:show

-- set_config for the session
SELECT set_config('app.user_id', 'mine', false);
BEGIN;
:enter
SHOW app.user_id;
COMMIT;
SHOW app.user_id;

-- SET LOCAL before entering lasts until the end, SET as long as the session if committed
BEGIN;
SET LOCAL app.user_id = 'local';
:enter
SHOW app.user_id;
COMMIT;
SHOW app.user_id;
BEGIN;
SELECT set_config('app.user_id', 'local', true);
:enter
ROLLBACK;
SHOW app.user_id;
BEGIN;
SET app.user_id = 'rolled back';
:enter
ROLLBACK;
SHOW app.user_id;
BEGIN;
SET app.user_id = 'committed';
SET LOCAL app.user_id = 'local';
:enter
SHOW app.user_id;
COMMIT;
SHOW app.user_id;
BEGIN;
SAVEPOINT s;
SET app.user_id = 'rolled back';
ROLLBACK TO s;
SET LOCAL app.organization_id = 'local';
RELEASE s;
:enter
:show
COMMIT;
:show

-- a function with a SET clause that enters: its value ends with it
CREATE FUNCTION regress_log_in() RETURNS text SET app.user_id = 'of the function' LANGUAGE plpgsql AS $$
BEGIN
  PERFORM dbkit.enter('usr_1', 'org_1');
  RETURN current_setting('app.user_id');
END $$;
BEGIN;
SELECT regress_log_in();
SHOW app.user_id;
COMMIT;
SHOW app.user_id;
BEGIN;
SELECT regress_log_in();
ROLLBACK;
SHOW app.user_id;
SELECT regress_log_in(), current_setting('app.user_id');
SHOW app.user_id;
-- and one that is called within a context
BEGIN;
:enter
SELECT regress_log_in(); -- fails
ROLLBACK;
SHOW app.user_id;
DROP FUNCTION regress_log_in();

-- parallel workers see the context within one, and the application's values without
-- (PostgreSQL 16 renamed force_parallel_mode)
SET app.organization_id = 'my org';
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
:show
BEGIN;
:enter
:show
SELECT dbkit.user_id(), dbkit.organization_id();
COMMIT;
:show
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

-- DISCARD ALL
DISCARD ALL;
SET dbkit.enforce = off;
:show
BEGIN;
:enter
:show
COMMIT;
:show

-- an agreement that reserves them drops what was set, with a warning, and leaves them when it ends
SET app.user_id = 'mine';
BEGIN;
DROP FUNCTION dbkit_agreement();
:show
SET app.user_id = 'usr_2'; -- fails
ROLLBACK;
:show
SET app.user_id = 'mine';
:show
BEGIN;
:enter
DROP FUNCTION dbkit_agreement();
:show
COMMIT;
:show
SET app.user_id = 'usr_2'; -- fails
SELECT current_setting('app.user_id') = '' AS nothing, dbkit.user_id();
CREATE FUNCTION dbkit_agreement() RETURNS jsonb IMMUTABLE LANGUAGE sql
  AS $$ SELECT '{"reserve_settings": false}'::pg_catalog.jsonb $$;
SET app.user_id = 'mine again';
BEGIN;
:enter
:show
COMMIT;
:show

-- the end of a transaction tells of a context that bound nothing
DISCARD ALL;
SET dbkit.enforce = off;
SELECT dbkit.enter('usr_1', 'org_1');
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
COMMIT;
DO $$ BEGIN PERFORM dbkit.enter('usr_1', 'org_1'); END $$;
-- not where something ran, or read it
SELECT dbkit.enter('usr_1', 'org_1') \; SELECT 1;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
LOCK TABLE dbkit.id_prefix IN ACCESS SHARE MODE;
COMMIT;
DO $$ BEGIN PERFORM dbkit.enter('usr_1', 'org_1'); PERFORM 1; END $$;
SELECT dbkit.enter('usr_1', 'org_1'), dbkit.user_id();
-- nor where nothing was to remain
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
ROLLBACK;
DROP FUNCTION dbkit_agreement();
