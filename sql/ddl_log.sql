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
CREATE DATABASE regress_ddl_log;
ALTER DATABASE regress_ddl_log SET TABLESPACE regress_ddl_log;
DROP DATABASE regress_ddl_log;
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

-- rights on whatever can be granted by name, and in other ways
CREATE VIEW granted_view AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW granted_matview AS SELECT 1 AS a;
CREATE SEQUENCE granted_sequence;
CREATE TYPE granted_type AS ENUM ('a');
CREATE DOMAIN granted_domain AS text;
CREATE FUNCTION granted_function(a int, b text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE granted_procedure() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE granted_aggregate(text) (SFUNC = textcat, STYPE = text);
CREATE FOREIGN DATA WRAPPER granted_wrapper;
CREATE SERVER granted_server FOREIGN DATA WRAPPER granted_wrapper;
CREATE FOREIGN TABLE granted_foreign (a int) SERVER granted_server;
SELECT lo_create(4242) IS NOT NULL AS made;
TRUNCATE dbkit.ddl_log;
GRANT SELECT ON granted_view, granted_matview, granted_sequence, logged.granted_foreign, copied TO regress_ddl_role;
GRANT SELECT (a) ON granted_view TO regress_ddl_role WITH GRANT OPTION;
GRANT USAGE ON SEQUENCE granted_sequence TO regress_ddl_role;
GRANT USAGE ON TYPE pg_catalog.int4 TO CURRENT_USER;
GRANT USAGE ON TYPE granted_type, logged.granted_domain TO regress_ddl_role;
GRANT USAGE ON DOMAIN granted_domain TO regress_ddl_role;
GRANT EXECUTE ON FUNCTION granted_function(int, text), granted_aggregate(text) TO regress_ddl_role;
GRANT EXECUTE ON PROCEDURE granted_procedure() TO regress_ddl_role;
GRANT EXECUTE ON ROUTINE granted_procedure, granted_function TO regress_ddl_role;
GRANT ALL ON ALL FUNCTIONS IN SCHEMA logged TO regress_ddl_role;
GRANT USAGE ON FOREIGN DATA WRAPPER granted_wrapper TO regress_ddl_role WITH GRANT OPTION;
GRANT USAGE ON FOREIGN SERVER granted_server TO regress_ddl_role WITH GRANT OPTION;
GRANT USAGE ON LANGUAGE sql TO regress_ddl_role;
GRANT SELECT ON LARGE OBJECT 4242 TO regress_ddl_role;
GRANT CREATE ON TABLESPACE pg_default TO regress_ddl_role;
SET ROLE regress_ddl_role;
GRANT USAGE ON FOREIGN SERVER granted_server TO regress_ddl_other;
RESET ROLE;
REVOKE USAGE ON FOREIGN SERVER granted_server FROM regress_ddl_role CASCADE;
REVOKE SELECT ON granted_view FROM regress_ddl_role CASCADE;
CREATE SCHEMA granted AUTHORIZATION regress_ddl_role CREATE TABLE one (a int) CREATE VIEW two AS SELECT 1 AS a GRANT SELECT ON one, two TO regress_ddl_other;
SELECT * FROM seen();
CREATE TABLE granted.three (a int);
GRANT SELECT ON granted.three TO regress_ddl_role;
TRUNCATE dbkit.ddl_log;
DROP OWNED BY regress_ddl_role CASCADE; -- three, too, on which a right was revoked before
SELECT command_tag, object_type, object_identity FROM seen() WHERE object_type <> 'rule' ORDER BY 1, 2, 3;
SELECT lo_unlink(4242);

-- commands of which PostgreSQL keeps more than what they are about
CREATE OPERATOR FAMILY family USING btree;
ALTER OPERATOR FAMILY family USING btree ADD OPERATOR 1 < (int4, int8), FUNCTION 1 btint48cmp(int4, int8);
CREATE OPERATOR CLASS class FOR TYPE int4 USING btree FAMILY family AS OPERATOR 3 =, FUNCTION 1 btint4cmp(int4, int4);
CREATE TEXT SEARCH CONFIGURATION configuration (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION configuration ALTER MAPPING FOR word WITH english_stem;
ALTER TEXT SEARCH CONFIGURATION configuration DROP MAPPING IF EXISTS FOR word;
REFRESH MATERIALIZED VIEW granted_matview;
CREATE TABLE IF NOT EXISTS copied ();
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_ddl_log LOCATION '';
CREATE TABLE spaced () TABLESPACE regress_ddl_log;
ALTER TABLE ALL IN TABLESPACE regress_ddl_log SET TABLESPACE pg_default;
DROP TABLESPACE regress_ddl_log;
SELECT * FROM seen();

-- settings in disguise, and options
SET "app.secret" = 'nothing';
ALTER ROLE regress_ddl_role SET "app.secret" TO hunter1;
ALTER ROLE regress_ddl_role SET U&"app!002Esecret" UESCAPE '!' TO hunter3;
ALTER ROLE regress_ddl_role SET U&"app" UESCAPE '!' . secret = U&"hunter4!002E" UESCAPE '!';
ALTER ROLE regress_ddl_role SET "work_mem" TO '1MB';
ALTER ROLE regress_ddl_role SET "search_path" TO "$user", logged;
ALTER DATABASE :"DBNAME" SET "app.secret" = hunter5;
ALTER DATABASE :"DBNAME" RESET "app.secret";
ALTER SYSTEM SET "app.secret" TO hunter6;
ALTER SYSTEM RESET "app.secret";
CREATE FUNCTION configured_too() RETURNS text LANGUAGE sql SET "app.secret" TO hunter7 SET plpgsql.extra_errors TO U&"shadowed_variables" UESCAPE '!', too_many_rows, U&'shadowed_variables' UESCAPE '!', strict_multi_assignment SET work_mem FROM CURRENT AS 'SELECT NULL';
CREATE TRIGGER told_too AFTER INSERT ON copied FOR EACH ROW EXECUTE FUNCTION U&"triggered" UESCAPE '!' (U&"hunter11", hunter12);
CREATE AGGREGATE hunting(text) (SFUNC = textcat, STYPE = text, "initcond" = hunter13, PARALLEL = safe, SORTOP = OPERATOR(pg_catalog.<));
CREATE TEXT SEARCH DICTIONARY dictionary (TEMPLATE = pg_catalog.simple, stopwords = english, Accept = false);
ALTER TEXT SEARCH DICTIONARY dictionary (stopwords = "english", accept);
CREATE TYPE husk;
CREATE FUNCTION husk_in(cstring) RETURNS husk LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION husk_out(husk) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE husk (INPUT = husk_in, OUTPUT = husk_out, DEFAULT = hunter14, DELIMITER = ',', ALIGNMENT = int4);
CREATE OPERATOR === (FUNCTION = pg_catalog.int4eq, LEFTARG = int4, RIGHTARG = int4, COMMUTATOR = ===, MERGES);
CREATE TABLE with_options (a int, CHECK (a = a), UNIQUE (a) WITH (fillfactor = 70)) WITH (fillfactor = 80, toast.autovacuum_enabled = off);
ALTER TABLE with_options SET (autovacuum_enabled = false, toast.autovacuum_enabled = "on", autovacuum_vacuum_scale_factor = 0.5);
CREATE VIEW viewed WITH (security_barrier, check_option = local) AS SELECT a FROM with_options WHERE (a = a);
SET client_min_messages = error;
CREATE SUBSCRIPTION regress_ddl_log CONNECTION 'password=hunter15' PUBLICATION p WITH (connect = false, slot_name = hunter16);
SET client_min_messages = warning;
ALTER SUBSCRIPTION regress_ddl_log DISABLE;
ALTER SUBSCRIPTION regress_ddl_log SET (slot_name = NONE);
DROP SUBSCRIPTION regress_ddl_log;
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

-- indexes that its owner adds, with a function that the role may not run
CREATE FUNCTION lower_owners(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower($1); END';
REVOKE EXECUTE ON FUNCTION lower_owners FROM PUBLIC;
CREATE INDEX ddl_log_expression ON dbkit.ddl_log (lower_owners(object_identity));
CREATE INDEX ddl_log_partial ON dbkit.ddl_log (command_tag) WHERE command_tag <> 'CREATE TABLE';
SET ROLE regress_ddl_owner;
CREATE TABLE indexed ();
CREATE VIEW indexed_too AS SELECT 1 AS a;
RESET ROLE;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT object_identity FROM dbkit.ddl_log WHERE lower_owners(object_identity) = 'logged.indexed';
SELECT object_identity FROM dbkit.ddl_log WHERE lower_owners(object_identity) = 'logged.indexed';
EXPLAIN (COSTS OFF) SELECT count(*) FROM dbkit.ddl_log WHERE command_tag <> 'CREATE TABLE';
SELECT count(*) FROM dbkit.ddl_log WHERE command_tag <> 'CREATE TABLE';
RESET enable_seqscan;
DROP INDEX dbkit.ddl_log_expression, dbkit.ddl_log_partial;

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
BEGIN;
SET LOCAL dbkit.record_ddl = off;
ALTER TABLE dbkit.ddl_log ALTER application_name TYPE name;
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
