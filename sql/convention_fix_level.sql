-- Level fix: what is missing at COMMIT is made.
\set roles '{regress_owner,regress_migrator}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
SET client_min_messages = notice;
-- all fixable rules
SET dbkit.rule_levels = '*=fix, rls_policy=off';
SELECT count(*) > 10 AS fixed FROM dbkit.rules WHERE fixable AND level = 'fix';

-- a bare table ends conforming
CREATE TABLE t (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('tbl') CHECK (id LIKE 'tbl_%'), n int);
SELECT * FROM dbkit.check('t');
INSERT INTO t (n) VALUES (1);
UPDATE t SET n = 2 RETURNING updated_at = now();
-- and the emptiest that can be
CREATE TABLE widgets (id text COLLATE "C" PRIMARY KEY);
SELECT * FROM dbkit.check();
-- what cannot be fixed is rejected, and nothing is half done
CREATE TABLE u (id text COLLATE "C" PRIMARY KEY, parent_id text REFERENCES t, user_id bigint, mood_id int, mood_extid int, plain timestamp without time zone); -- fails
CREATE TABLE broken (id int PRIMARY KEY); -- fails
SET dbkit.rule_levels = '*=fix, rls_policy=off, primary_key=off';
CREATE TABLE broken (id int PRIMARY KEY); -- fails
SET dbkit.rule_levels = '*=fix, rls_policy=off';

-- a rule at level warning warns once, not with each fix
SET dbkit.rule_levels = '*=fix, rls_policy=off, bigint=warning';
CREATE TABLE warned (id text COLLATE "C" PRIMARY KEY, n int);
SET dbkit.rule_levels = '*=fix, rls_policy=off';
SET client_min_messages = warning;
DROP TABLE warned;
SET client_min_messages = notice;

-- inside a transaction block: at COMMIT, and what is mended in time is left alone
BEGIN;
ALTER TABLE t DISABLE ROW LEVEL SECURITY, DISABLE TRIGGER updated_at, ALTER created_at DROP NOT NULL, ALTER updated_at DROP DEFAULT, ADD x timestamp DEFAULT '2020-01-01';
DROP TRIGGER updated_at ON widgets;
ALTER TABLE t ENABLE ROW LEVEL SECURITY, ALTER x DROP DEFAULT;
COMMIT;
SELECT * FROM dbkit.check();
SELECT x AT TIME ZONE 'UTC' FROM t;
-- the fix is the one of dbkit.check()
BEGIN;
SET LOCAL dbkit.enforce = off;
ALTER TABLE widgets DISABLE ROW LEVEL SECURITY, DROP storytime, ADD t_id text;
SET LOCAL dbkit.enforce = on;
SELECT fix FROM dbkit.check('widgets') WHERE fix IS NOT NULL;
ALTER TABLE widgets ADD y text;
COMMIT;
-- two tables of one transaction get prefixes of their own
BEGIN;
CREATE TABLE gadget (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE gadgets (id text COLLATE "C" PRIMARY KEY);
SET LOCAL client_min_messages = warning;
COMMIT;
SELECT prefix FROM dbkit.id_prefix WHERE relation::regclass::text ~ '^gadget' ORDER BY 1;
-- keys that are too weak, and an index for each
CREATE TABLE users (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE login (id text COLLATE "C" PRIMARY KEY, user_id text COLLATE "C" NOT NULL REFERENCES users, by_user_id text COLLATE "C" REFERENCES users ON UPDATE CASCADE DEFERRABLE);
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'login'::regclass AND contype = 'f' ORDER BY 1;
-- one fix may call for another
ALTER TABLE login ADD CONSTRAINT "both" FOREIGN KEY (user_id, by_user_id) REFERENCES login (user_id, by_user_id), ADD UNIQUE (user_id, by_user_id), ADD CONSTRAINT "three" FOREIGN KEY (by_user_id, user_id) REFERENCES login (user_id, by_user_id);
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'login'::regclass ORDER BY 1;
ALTER TABLE login DROP CONSTRAINT "both", DROP CONSTRAINT "three";
-- a trigger of another kind is in the way
ALTER TABLE users DISABLE TRIGGER updated_at;
CREATE OR REPLACE TRIGGER updated_at AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION updated_at();
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT tgisinternal;

-- a fix that fails: both reasons, and everything else that is wrong
\set make_old 'BEGIN; SET LOCAL dbkit.enforce = off; CREATE TABLE old (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(\'old\'), created_at timestamptz DEFAULT now(), when_text text); INSERT INTO old VALUES (\'old_1\', NULL), (\'odd\', now()); SET LOCAL dbkit.enforce = on;'
:make_old ALTER TABLE old ADD storytime jsonb; COMMIT; -- fails
:make_old DELETE FROM old WHERE id = 'odd'; ALTER TABLE old ADD storytime jsonb; COMMIT; -- fails
:make_old DELETE FROM old; ALTER TABLE old ADD storytime jsonb; COMMIT;
DROP TABLE old;
-- what is at level error is in the same rejection
SET dbkit.rule_levels = '*=fix, rls_policy=error, rls_enabled=error';
CREATE TABLE mixed (id text COLLATE "C" PRIMARY KEY); -- fails
SET dbkit.rule_levels = '*=fix, rls_policy=off';

-- deferred constraints pending
ALTER TABLE login ADD CONSTRAINT later FOREIGN KEY (by_user_id) REFERENCES users ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO login (user_id, by_user_id) VALUES ('use_none', NULL); -- fails
ROLLBACK;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO users (id) VALUES ('use_1');
INSERT INTO login (user_id, by_user_id) VALUES ('use_1', 'use_1');
UPDATE login SET by_user_id = 'use_2';
INSERT INTO users (id) VALUES ('use_2');
CREATE TABLE pending (id text COLLATE "C" PRIMARY KEY);
COMMIT;
SELECT count(*) FROM login;
SELECT count(*) FROM dbkit.check();
DROP TABLE pending, login, users, gadget, gadgets, widgets, t;

-- what a fix makes belongs to the table's owner, whoever commits
CREATE ROLE regress_owner;
CREATE ROLE regress_migrator IN ROLE regress_owner;
CREATE SCHEMA app AUTHORIZATION regress_owner;
GRANT CREATE, USAGE ON SCHEMA app TO regress_migrator;
SET ROLE regress_migrator;
BEGIN;
CREATE TABLE app.parent (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE app.child (id text COLLATE "C" PRIMARY KEY, parent_id text COLLATE "C" REFERENCES app.parent);
SET LOCAL client_min_messages = warning;
COMMIT;
RESET ROLE;
ALTER TABLE app.child OWNER TO regress_owner;
BEGIN;
SET LOCAL dbkit.enforce = off;
DROP INDEX app.child_parent_id_idx;
SET LOCAL dbkit.enforce = on;
SET ROLE regress_migrator;
ALTER TABLE app.child ADD x text;
COMMIT;
SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'i') ORDER BY 1;
-- the role does not matter to what the owner lacks
RESET ROLE;
REVOKE ALL ON SCHEMA app FROM regress_owner, regress_migrator;
ALTER SCHEMA app OWNER TO CURRENT_USER;
GRANT USAGE ON SCHEMA app TO regress_owner;
DROP INDEX app.child_parent_id_idx; -- fails
SET ROLE regress_migrator;
BEGIN;
ALTER TABLE app.child DROP CONSTRAINT child_parent_id_fkey;
ALTER TABLE app.child ADD other_id text COLLATE "C";
COMMIT;
RESET ROLE;
\d app.child

-- nobody can smuggle anything in: names resolve in pg_catalog, with the owner's rights
CREATE SCHEMA evil;
GRANT ALL ON SCHEMA evil TO PUBLIC;
SET ROLE regress_migrator;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil now, as %', current_user; END $$;
CREATE FUNCTION evil.like_it(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil like, as %', current_user; END $$;
CREATE OPERATOR evil.~~ (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.like_it);
CREATE DOMAIN evil.timestamptz AS text;
CREATE DOMAIN evil.jsonb AS text;
RESET ROLE;
GRANT CREATE ON SCHEMA app TO regress_owner;
SET search_path = evil, pg_catalog, public;
CREATE TABLE app.victim (id text COLLATE "C" PRIMARY KEY);
RESET search_path;
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'app.victim'::regclass AND attnum > 0;
INSERT INTO app.victim DEFAULT VALUES;
SHOW search_path;
DROP SCHEMA evil CASCADE;
DROP SCHEMA app CASCADE;
DROP ROLE regress_migrator, regress_owner;

-- an error that is not the fix's own ends the statement, and the session is ready for the next one
CREATE FUNCTION in_vain() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE serialization_failure USING MESSAGE = 'in vain'; END $$;
CREATE EVENT TRIGGER in_vain ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION in_vain();
CREATE TABLE unlucky (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('unl') CHECK (id LIKE 'unl_%')); -- fails
DROP EVENT TRIGGER in_vain;
DROP FUNCTION in_vain();
SELECT to_regclass('unlucky') IS NULL AS refused;
