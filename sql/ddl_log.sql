-- The log of DDL commands: what is in it, what is not, and who reads it. Each password here has "hunter" in it.
\set roles '{regress_ddl_owner,regress_ddl_reader,regress_ddl_role,regress_ddl_other}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
DROP DATABASE IF EXISTS regress_ddl_log;
CREATE EXTENSION dbkit_audit;
SET dbkit.enforce = off;
CREATE SCHEMA logged;
SET search_path = logged, public;
CREATE VIEW seen AS SELECT command_tag, object_type, object_identity, statement FROM dbkit.ddl_log ORDER BY at;
CREATE FUNCTION seen() RETURNS SETOF seen LANGUAGE plpgsql AS
	$$BEGIN
		IF EXISTS (SELECT FROM dbkit.ddl_log AS l WHERE l::text ~* 'hunter') THEN RAISE 'a password is in the log'; END IF;
		RETURN QUERY TABLE logged.seen; TRUNCATE dbkit.ddl_log;
	END$$;

-- off by default, and not for everybody
SHOW dbkit.record_ddl;
CREATE TABLE unseen ();
SELECT * FROM seen();
SET dbkit.record_ddl = on;

-- a command, and what it makes besides
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, title varchar(20) UNIQUE DEFAULT 'hunter1', CHECK (title <> $x$hunter2$x$));
CREATE VIEW titles AS
	SELECT title /* 'hunter3' */ FROM notes	-- hunter4
	WHERE title <> E'hunter5' AND title <> N'hunter6';
ALTER TABLE notes ALTER title SET DEFAULT 'hunter7', ADD body text;
COMMENT ON TABLE notes IS 'hunter8';
CREATE INDEX CONCURRENTLY notes_body ON notes (body) WHERE body = 'hunter9' AND id > 100;
DROP INDEX CONCURRENTLY notes_body;
ALTER TABLE notes RENAME TO "Other Notes";
SELECT * FROM seen();
DROP TABLE "Other Notes" CASCADE;
SELECT DISTINCT command_tag, object_type, object_identity, statement FROM seen() WHERE object_type IN ('table', 'view');
CREATE SCHEMA within AUTHORIZATION CURRENT_USER CREATE TABLE one (a int) CREATE VIEW two AS SELECT 'hunter1' AS x;
CREATE TABLE within.parts (a int) PARTITION BY LIST (a);
CREATE TABLE within.part PARTITION OF within.parts FOR VALUES IN (1);
ALTER TABLE within.parts DETACH PARTITION within.part CONCURRENTLY;
CREATE TABLE copied AS SELECT 'hunter2' AS a;
SELECT 'hunter3' AS a INTO copied_too;
EXPLAIN (ANALYZE) CREATE TABLE explained AS SELECT 'hunter4' AS a \g /dev/null
SELECT * FROM seen();
DROP SCHEMA within CASCADE;
SELECT DISTINCT command_tag, object_type, object_identity FROM seen() WHERE object_type IN ('schema', 'table', 'view');

-- roles, and what else is of the cluster
CREATE ROLE regress_ddl_role LOGIN PASSWORD 'hunter1';
CREATE USER regress_ddl_other PASSWORD $$hunter2$$ ROLE regress_ddl_role;
ALTER ROLE regress_ddl_role ENCRYPTED PASSWORD E'hunter3' VALID UNTIL 'infinity';
ALTER USER regress_ddl_role PASSWORD U&'hunter4';
ALTER GROUP regress_ddl_other ADD USER regress_ddl_role;
REVOKE regress_ddl_other FROM regress_ddl_role;
ALTER ROLE regress_ddl_role SET search_path = within, logged;
ALTER ROLE regress_ddl_role IN DATABASE postgres SET app.secret TO hunter5;
ALTER ROLE regress_ddl_role SET app."Secret" TO "hunter6";
ALTER ROLE regress_ddl_role SET plpgsql.extra_warnings = shadowed_variables, too_many_rows;
ALTER ROLE ALL SET app.secret = hunter8;
ALTER ROLE ALL RESET app.secret;
COMMENT ON ROLE regress_ddl_role IS 'hunter9';
SECURITY LABEL ON ROLE regress_ddl_role IS 'hunter1'; -- fails
GRANT SELECT, INSERT (a) ON copied, copied_too TO regress_ddl_role;
GRANT SELECT ON ALL TABLES IN SCHEMA logged TO regress_ddl_role;
GRANT USAGE ON SCHEMA logged TO regress_ddl_role;
GRANT SET ON PARAMETER app.secret TO regress_ddl_role;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_ddl_role GRANT SELECT ON TABLES TO regress_ddl_other;
ALTER SYSTEM SET primary_conninfo = 'password=hunter10';
ALTER SYSTEM RESET primary_conninfo;
CREATE DATABASE regress_ddl_log;
ALTER DATABASE regress_ddl_log SET app.secret = hunter11;
COMMENT ON DATABASE regress_ddl_log IS 'hunter12';
GRANT CONNECT ON DATABASE regress_ddl_log TO regress_ddl_role;
ALTER DATABASE regress_ddl_log RENAME TO regress_ddl_log2;
ALTER DATABASE regress_ddl_log2 OWNER TO regress_ddl_role;
DROP DATABASE regress_ddl_log2;
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_ddl_log LOCATION '';
ALTER TABLESPACE regress_ddl_log SET (seq_page_cost = 2);
COMMENT ON TABLESPACE regress_ddl_log IS 'hunter1';
DROP TABLESPACE regress_ddl_log;
BEGIN;
ALTER SYSTEM RESET ALL; -- fails
ROLLBACK;
CREATE FUNCTION nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN PERFORM $$hunter13$$; END';
CREATE EVENT TRIGGER regress_ddl_log ON ddl_command_start WHEN TAG IN ('CREATE RULE') EXECUTE FUNCTION nothing();
ALTER EVENT TRIGGER regress_ddl_log DISABLE;
ALTER EVENT TRIGGER regress_ddl_log RENAME TO regress_ddl_log2;
DROP EVENT TRIGGER regress_ddl_log2;
REASSIGN OWNED BY regress_ddl_role TO CURRENT_USER;
DROP OWNED BY regress_ddl_role;
SELECT * FROM seen() WHERE command_tag <> 'REVOKE';

-- other servers, in the text of which strangers' passwords stand
CREATE FOREIGN DATA WRAPPER elsewhere OPTIONS (password 'hunter1');
CREATE SERVER there FOREIGN DATA WRAPPER elsewhere OPTIONS (host 'there', password 'hunter2');
ALTER SERVER there OPTIONS (SET password 'hunter3');
CREATE USER MAPPING FOR PUBLIC SERVER there OPTIONS (user 'me', password 'hunter4');
ALTER USER MAPPING FOR PUBLIC SERVER there OPTIONS (SET password 'hunter5', ADD "pass ' word" U&'hunter6' UESCAPE '!');
CREATE FOREIGN TABLE far (a int OPTIONS (password 'hunter7')) SERVER there OPTIONS (password 'hunter8');
SET client_min_messages = error;
CREATE SUBSCRIPTION regress_ddl_log CONNECTION 'host=nowhere password=hunter9' PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false);
SET client_min_messages = warning;
ALTER SUBSCRIPTION regress_ddl_log CONNECTION 'host=nowhere password=hunter10';
DROP SUBSCRIPTION regress_ddl_log;
DROP SERVER there CASCADE;
SELECT * FROM seen();

-- within functions, with SET and with arguments that are words
CREATE FUNCTION makes(secret text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	EXECUTE format('ALTER ROLE regress_ddl_role PASSWORD %L', secret);
	CREATE TABLE made (a text DEFAULT 'hunter1');
	ALTER ROLE regress_ddl_role PASSWORD 'hunter2';
	BEGIN
		CREATE TABLE undone ();
		RAISE 'hunter3';
	EXCEPTION WHEN raise_exception THEN NULL;
	END;
END $$;
SELECT makes('hunter4');
CREATE FUNCTION makes_too() RETURNS void LANGUAGE sql AS $$ALTER ROLE regress_ddl_role PASSWORD 'hunter5'; DROP TABLE made; SELECT NULL::void$$;
SELECT makes_too();
DO $$BEGIN ALTER ROLE regress_ddl_role PASSWORD 'hunter6'; END$$;
CREATE FUNCTION configured() RETURNS text LANGUAGE sql SET search_path = logged, public SET app.secret = hunter7 SET app.other TO -9 BEGIN ATOMIC SELECT 'hunter8'::text; END;
ALTER FUNCTION configured SET "app".secret TO "hunter10" SET work_mem TO '1MB';
CREATE FUNCTION triggered() RETURNS trigger LANGUAGE plpgsql AS $body$BEGIN /* hunter11 */ RETURN NULL; END$body$;
CREATE TRIGGER told AFTER INSERT ON copied FOR EACH ROW WHEN (NEW.a <> 'hunter12') EXECUTE FUNCTION triggered(hunter13, 'hunter14', 15);
PREPARE copying AS SELECT 'hunter16' AS a;
CREATE TABLE executed AS EXECUTE copying;
SELECT * FROM seen();

-- several statements in one message
CREATE TABLE several (a int) \; ALTER ROLE regress_ddl_role PASSWORD 'hunter1' /* hunter2 */ \; -- hunter3
 /* 'hunter4 */ CREATE TABLE several_more (a text DEFAULT 'hunter5''hunter6') \; COMMENT ON ROLE regress_ddl_role IS NULL;
-- a setting that is another one than when the text was read, and other backslashes
SET standard_conforming_strings = off \; ALTER ROLE regress_ddl_role PASSWORD 'hunter7\' VALID UNTIL 'infinity' \; CREATE TABLE tail (a text DEFAULT 'hunter8\', b text DEFAULT 'hunter9');
ALTER ROLE regress_ddl_role PASSWORD 'hunter10';
ALTER ROLE regress_ddl_role PASSWORD 'hunter11\'hunter12';
ALTER ROLE regress_ddl_role PASSWORD 'hunter13' VALID UNTIL 'infinity' \; SET standard_conforming_strings = on;
ALTER ROLE regress_ddl_role PASSWORD U&'hunter\0031\0034';
SELECT * FROM seen();

-- what is undone, what is temporary, and what an extension's script does
BEGIN;
CREATE TABLE undone ();
CREATE ROLE regress_ddl_reader;
ROLLBACK;
BEGIN;
SAVEPOINT s;
CREATE TABLE undone ();
ROLLBACK TO s;
CREATE TABLE done ();
COMMIT;
CREATE ROLE regress_ddl_role PASSWORD 'hunter1'; -- fails
CREATE TEMP TABLE short_lived (a int PRIMARY KEY);
DROP TABLE short_lived;
CREATE EXTENSION dbkit_test;
DROP EXTENSION dbkit_test;
SELECT * FROM seen();

-- roads around it
SET session_replication_role = replica;
CREATE TABLE replicated ();
RESET session_replication_role;
SET check_function_bodies = off;
CREATE TABLE restored ();
RESET check_function_bodies;
ALTER EVENT TRIGGER dbkit_record_ddl DISABLE;
CREATE TABLE unseen_too ();
ALTER EVENT TRIGGER dbkit_record_ddl ENABLE ALWAYS;
SELECT * FROM seen();

-- roles without a right on the log
CREATE ROLE regress_ddl_owner;
CREATE ROLE regress_ddl_reader;
GRANT USAGE, CREATE ON SCHEMA logged TO regress_ddl_owner;
TRUNCATE dbkit.ddl_log;
SET ROLE regress_ddl_owner;
SET application_name = 'regress ddl';
CREATE TABLE owned ();
SET dbkit.record_ddl = off; -- fails
SELECT * FROM dbkit.ddl_log; -- fails
DELETE FROM dbkit.ddl_log; -- fails
INSERT INTO dbkit.ddl_log SELECT * FROM dbkit.ddl_log; -- fails
RESET ROLE;
GRANT SELECT ON dbkit.ddl_log TO regress_ddl_owner, regress_ddl_reader;
SET ROLE regress_ddl_owner;
SELECT object_identity, at > now() - interval '1 hour' AS recent, transaction IS NOT NULL AS transaction, role, session_role = session_user AS session_role, application_name FROM dbkit.ddl_log;
SET ROLE regress_ddl_reader;
SELECT * FROM dbkit.ddl_log;
RESET ROLE;
RESET application_name;

-- what dbkit.enforce let through
CREATE TABLE "Not Conforming" (id int);
SET dbkit.enforce = on;
CREATE TABLE "Not Conforming 2" (id int); -- fails
CREATE SCHEMA more;
RESET dbkit.enforce;
SET dbkit.enforce = off;
SELECT enforce, object_identity FROM dbkit.ddl_log ORDER BY at DESC LIMIT 2;

-- it is kept
BEGIN;
SET LOCAL dbkit.record_ddl = off;
ALTER TABLE dbkit.ddl_log ADD more int;
SET LOCAL dbkit.record_ddl = on;
CREATE TABLE unwritten (); -- fails
ROLLBACK;
DROP SCHEMA logged, more CASCADE;
DROP EXTENSION dbkit_audit; -- fails
DROP OWNED BY regress_ddl_owner;
DROP OWNED BY regress_ddl_reader;
DROP OWNED BY regress_ddl_role;
DROP ROLE regress_ddl_owner, regress_ddl_reader, regress_ddl_role, regress_ddl_other;
SELECT count(*) > 0 AS written, count(*) FILTER (WHERE l::text ~* 'hunter') AS secrets FROM dbkit.ddl_log AS l;
TRUNCATE dbkit.ddl_log;
DROP EXTENSION dbkit_audit;
CREATE TABLE no_log ();
DROP TABLE no_log;
RESET dbkit.record_ddl;
