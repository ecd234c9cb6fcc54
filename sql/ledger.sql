-- Versions of the schema: dbkit.apply(), dbkit.revert() and what they note.
\set roles '{regress_migrator,regress_reader,regress_mallory}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
CREATE ROLE regress_migrator;
CREATE ROLE regress_mallory;
CREATE ROLE regress_reader;
CREATE SCHEMA shop AUTHORIZATION regress_migrator;
CREATE SCHEMA lair AUTHORIZATION regress_mallory;
CREATE VIEW ledger AS SELECT version, name, left(checksum, 8) AS checksum, applied_by, duration >= '0' AS timed, undo FROM dbkit.schema_version ORDER BY version;
GRANT SELECT ON ledger TO PUBLIC;

-- a role that can create something, and nothing else
SET SESSION AUTHORIZATION regress_migrator;
SELECT dbkit.apply(1, $$
-- the first; with a semicolon; in its comment
CREATE TABLE shop.goods (id bigint, name text);
/* and ; /* nested ; */ */ INSERT INTO shop.goods VALUES (1, 'a;b'), (2, 'it''s');
CREATE FUNCTION shop.two() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN RETURN 2; /* ; */ END; $body$;
CREATE FUNCTION shop.three() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 3; END;
$$, 'goods', 'DROP FUNCTION shop.two(), shop.three(); DROP TABLE shop.goods');
SELECT dbkit.apply(2, 'ALTER TABLE shop.goods ADD price bigint; UPDATE shop.goods SET price = id * 10;', undo => 'ALTER TABLE shop.goods DROP price');
SELECT *, shop.two(), shop.three() FROM shop.goods ORDER BY id;
SELECT * FROM ledger;

-- the same again does nothing; neither do a new name, another end of line or of file
SELECT dbkit.apply(2, 'ALTER TABLE shop.goods ADD price bigint; UPDATE shop.goods SET price = id * 10;');
SELECT dbkit.apply(2, E'ALTER TABLE shop.goods ADD price bigint; UPDATE shop.goods SET price = id * 10;\n\r\n', 'other');
SELECT dbkit.apply(3, E'SELECT 1;\r\nSELECT 2;\r\n'), dbkit.apply(3, E'SELECT 1;\nSELECT 2;');
SELECT checksum = encode(sha256(E'SELECT 1;\nSELECT 2;\n'), 'hex') AS as_sha256sum FROM dbkit.schema_version WHERE version = 3;

-- other statements, a gap, a lower version
\set SHOW_CONTEXT never
SELECT dbkit.apply(2, 'ALTER TABLE shop.goods ADD price bigint'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(5, 'SELECT 1'); -- fails
\echo :LAST_ERROR_SQLSTATE
RESET SESSION AUTHORIZATION;
BEGIN;
DELETE FROM dbkit.schema_version WHERE version = 2;
SELECT dbkit.apply(2, 'SELECT 1'); -- fails
ROLLBACK;
BEGIN;
DELETE FROM dbkit.schema_version;
SELECT dbkit.apply(2, 'SELECT 1'); -- fails
ROLLBACK;
SET SESSION AUTHORIZATION regress_migrator;

-- wrong arguments
SELECT dbkit.apply(0, 'SELECT 1'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(NULL, 'SELECT 1'); -- fails
SELECT dbkit.apply(4, NULL); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.revert(-1); -- fails
SELECT dbkit.revert(NULL);

-- what cannot be part of a version is refused before anything runs; the undo is read as well
\set SHOW_CONTEXT errors
SELECT dbkit.apply(4, E'CREATE TABLE shop.half ();\n\nBEGIN;'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(4, 'SELECT 1', undo => 'ROLLBACK TO SAVEPOINT a'); -- fails
SELECT dbkit.apply(4, E'CREATE TABLE shop.half ();\n/* rows */ COPY shop.goods (id, name) FROM stdin;\n1\tit''s\n\\.\nSELECT 1;'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(4, 'COPY (SELECT * FROM shop.goods) TO STDOUT (FORMAT csv)'); -- fails
SELECT dbkit.apply(4, E'CREATE TABLE shop.half ();\n  CREATE UNIQUE INDEX CONCURRENTLY goods_id ON shop.goods (id)'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(4, 'DROP INDEX CONCURRENTLY shop.goods_id'); -- fails
SELECT dbkit.apply(4, 'REINDEX (VERBOSE, CONCURRENTLY) TABLE shop.goods'); -- fails
SELECT dbkit.apply(4, 'ALTER TABLE shop.goods DETACH PARTITION shop.part CONCURRENTLY'); -- fails
SELECT dbkit.apply(4, 'VACUUM shop.goods'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(4, E'SELECT 1;\nCREATE TABEL shop.half ();'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(4, E'CREATE TABLE shop.half ();\n\n-- the culprit\nSELECT *\nFROM shop.nowhere;\n'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.apply(4, 'DO $$BEGIN COMMIT; END$$'); -- fails
SELECT to_regclass('shop.half'), max(version) FROM dbkit.schema_version;
\set SHOW_CONTEXT never
-- what only looks like it is none of it
SELECT dbkit.apply(4, $$SELECT 'COPY shop.goods FROM stdin; COMMIT'; CREATE TEMP TABLE stdin (copy int); SELECT "copy" FROM stdin; DROP TABLE stdin; -- BEGIN;$$);
SELECT dbkit.apply(5, '-- nothing yet', undo => '');
-- SET SESSION AUTHORIZATION is not enough to revert what this role has applied: the undo could take it back
SELECT dbkit.run_as('regress_migrator', 'SELECT dbkit.revert(5)');

-- what it sets lasts for the transaction, or the session; search_path and role are the caller's
BEGIN;
SET LOCAL search_path = shop;
SELECT dbkit.apply(5, 'SET LOCAL lock_timeout = ''7s''; SET work_mem = ''5MB''; INSERT INTO goods VALUES (3, current_user)', undo => 'DELETE FROM goods WHERE id = 3');
SHOW lock_timeout;
SHOW search_path;
COMMIT;
SHOW lock_timeout;
SHOW work_mem;
RESET work_mem;
SELECT id, name FROM shop.goods WHERE id = 3;

-- a version is undone with its transaction, or its savepoint
BEGIN;
SAVEPOINT s;
SELECT dbkit.apply(6, 'CREATE TABLE shop.lost ()');
ROLLBACK TO s;
SELECT dbkit.apply(6, 'CREATE TABLE shop.found ()', undo => 'DROP TABLE shop.found');
SELECT dbkit.apply(7, 'CREATE TABLE shop.later ()', undo => 'DROP TABLE shop.later');
SELECT name, mode, granted FROM dbkit.locks WHERE name ~ 'schema_version';
COMMIT;
SELECT to_regclass('shop.lost'), to_regclass('shop.found'), to_regclass('shop.later');

-- back again: from the newest on, and only what has an undo
SELECT dbkit.revert(6); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.run_as('regress_migrator', 'CREATE TABLE shop.answers AS SELECT dbkit.revert(8) AS eight, dbkit.revert(7) AS seven, dbkit.revert(7) AS again, dbkit.revert(6) AS six');
SELECT * FROM shop.answers;
SELECT dbkit.run_as('regress_migrator', 'SET LOCAL search_path = shop; SELECT dbkit.revert(5)');
SELECT dbkit.revert(4); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT to_regclass('shop.found'), (SELECT count(*) FROM shop.goods), max(version) FROM dbkit.schema_version;
-- and forth
SELECT dbkit.apply(5, 'SELECT 5', undo => 'SELECT 1 / 0');
\set SHOW_CONTEXT errors
SELECT dbkit.run_as('regress_migrator', 'SELECT dbkit.revert(5)'); -- fails
\set SHOW_CONTEXT never
SELECT max(version) FROM dbkit.schema_version;

-- nobody but a superuser writes the ledger by hand, whatever he is granted
INSERT INTO dbkit.schema_version (version) VALUES (6); -- fails
RESET SESSION AUTHORIZATION;
BEGIN;
GRANT ALL ON dbkit.schema_version TO regress_migrator;
SET ROLE regress_migrator;
SAVEPOINT s;
INSERT INTO dbkit.schema_version (version, checksum, applied_by, duration) VALUES (6, '', '', '0'); -- fails
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO s;
UPDATE dbkit.schema_version SET undo = ''; -- fails
ROLLBACK TO s;
DELETE FROM dbkit.schema_version; -- fails
ROLLBACK TO s;
TRUNCATE dbkit.schema_version; -- fails
ROLLBACK TO s;
ALTER TABLE dbkit.schema_version DISABLE TRIGGER keep_ledger; -- fails
ROLLBACK;
SELECT dbkit.keep_ledger(); -- fails
-- the trigger fires in any session
BEGIN;
SET session_replication_role = replica;
GRANT ALL ON dbkit.schema_version TO regress_migrator;
SET ROLE regress_migrator;
DELETE FROM dbkit.schema_version; -- fails
ROLLBACK;
BEGIN;
UPDATE dbkit.schema_version SET name = 'by hand' WHERE version = 5;
ROLLBACK;

-- who can create nothing changes no version
SET ROLE regress_reader;
SELECT max(version) FROM dbkit.schema_version;
SELECT dbkit.apply(6, 'SELECT 1'); -- fails
\echo :LAST_ERROR_SQLSTATE
SELECT dbkit.revert(5); -- fails
RESET ROLE;
BEGIN;
GRANT CREATE ON SCHEMA shop TO regress_reader;
SET ROLE regress_reader;
SELECT dbkit.apply(6, 'SELECT 1');
ROLLBACK;
-- nor does a tenant, or a transaction that may not write
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
SELECT dbkit.apply(6, 'SELECT 1'); -- fails
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT dbkit.apply(6, 'SELECT 1'); -- fails
ROLLBACK;

-- the undo that a stranger has written gets none of a superuser's rights
SET ROLE regress_mallory;
SELECT dbkit.apply(6, 'CREATE TABLE lair.trap ()', undo => 'RESET ROLE; CREATE TABLE public.taken ()');
RESET ROLE;
SELECT dbkit.revert(6); -- fails
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_mallory;
SELECT dbkit.revert(6); -- fails
RESET ROLE;
SET SESSION AUTHORIZATION regress_migrator;
SELECT dbkit.revert(6); -- fails
RESET SESSION AUTHORIZATION;
SELECT dbkit.run_as('regress_mallory', 'SELECT dbkit.revert(6)'); -- fails
\echo :LAST_ERROR_SQLSTATE
-- nor those of a session that has become him
SET SESSION AUTHORIZATION regress_mallory;
SELECT dbkit.revert(6); -- fails
RESET SESSION AUTHORIZATION;
UPDATE dbkit.schema_version SET undo = 'RESET SESSION AUTHORIZATION; CREATE TABLE public.taken ()' WHERE version = 6;
SET SESSION AUTHORIZATION regress_mallory;
SELECT dbkit.revert(6); -- fails
RESET SESSION AUTHORIZATION;
SELECT dbkit.run_as('regress_mallory', 'SELECT dbkit.revert(6)'); -- fails
SELECT to_regclass('public.taken');
-- nor those of a member
GRANT regress_mallory TO regress_reader;
SET SESSION AUTHORIZATION regress_reader;
SET ROLE regress_mallory;
SELECT dbkit.revert(6); -- fails
RESET SESSION AUTHORIZATION;
-- what is harmless runs with the rights of its author
BEGIN;
UPDATE dbkit.schema_version SET undo = 'DROP TABLE lair.trap' WHERE version = 6;
SELECT dbkit.run_as('regress_mallory', 'SELECT dbkit.revert(6)');
SELECT to_regclass('lair.trap'), max(version) FROM dbkit.schema_version;
ROLLBACK;
-- a superuser's own runs, also where another calls it; a role that is gone has none
BEGIN;
DELETE FROM dbkit.schema_version WHERE version = 6;
SELECT dbkit.apply(6, 'CREATE TABLE lair.mine (); ALTER TABLE lair.mine OWNER TO regress_mallory', undo => 'DROP TABLE lair.mine');
SET ROLE regress_mallory;
SELECT dbkit.revert(6);
ROLLBACK;
BEGIN;
UPDATE dbkit.schema_version SET applied_by = 'nobody at all' WHERE version = 6;
SELECT dbkit.revert(6); -- fails
ROLLBACK;

-- REPEATABLE READ is fine while nobody else changes the version
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT dbkit.apply(7, 'CREATE TABLE shop.repeatable ()', undo => 'DROP TABLE shop.repeatable');
SELECT dbkit.apply(8, 'SELECT 1', undo => '');
SELECT dbkit.revert(8), dbkit.revert(7);
ROLLBACK;

-- the rules hold for what a version makes
RESET dbkit.enforce;
\set VERBOSITY terse
SELECT dbkit.apply(7, 'CREATE TABLE shop.bad (n int)'); -- fails
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT max(version) FROM dbkit.schema_version;

-- a version within a version is one too many
SELECT dbkit.apply(7, 'SELECT dbkit.apply(7, ''SELECT 1'')'); -- fails
SELECT dbkit.apply(7, 'DROP EXTENSION dbkit CASCADE'); -- fails

SET client_min_messages = warning;
DELETE FROM dbkit.schema_version;
DROP VIEW ledger;
DROP SCHEMA shop, lair CASCADE;
DROP ROLE regress_migrator, regress_reader, regress_mallory;
