-- Judgement before COMMIT, in every way in which transactions and parts of them end.
\i sql/include/convention_commit.psql

-- savepoints: what was rolled back does not count
BEGIN;
SAVEPOINT a;
SELECT pg_temp.make_bare('t', 'ttt');
ROLLBACK TO a;
COMMIT;
BEGIN;
SAVEPOINT a;
SELECT pg_temp.make_bare('t', 'ttt');
RELEASE a;
COMMIT; -- fails
BEGIN;
SAVEPOINT a;
SAVEPOINT b;
SELECT pg_temp.make_bare('t', 'ttt');
RELEASE b;
ROLLBACK TO a;
SELECT pg_temp.make('t', 'ttt');
RELEASE a;
COMMIT;
-- what a rolled back part mended is as wrong as before
BEGIN;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
SAVEPOINT a;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ROLLBACK TO a;
COMMIT; -- fails
BEGIN;
SAVEPOINT a;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
SAVEPOINT b;
ALTER TABLE t ADD x text;
ROLLBACK TO b;
RELEASE a;
COMMIT; -- fails
-- objects stand in the order in which they were touched, whatever was forgotten between
BEGIN;
SELECT pg_temp.make_bare('c', 'ccc');
SAVEPOINT a;
SELECT pg_temp.make_bare('z', 'zzz');
SELECT pg_temp.make_bare('y', 'yyy');
ROLLBACK TO a;
SELECT pg_temp.make_bare('b', 'bbb');
SELECT pg_temp.make_bare('a', 'aaa');
SET LOCAL dbkit.rule_levels = 'updated_at_trigger=off, rls_policy=off';
COMMIT; -- fails
-- subtransactions of PL/pgSQL
DO $$
BEGIN
	ALTER TABLE t DISABLE ROW LEVEL SECURITY;
	RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
	CREATE INDEX ON t (created_at);
END $$;
DO $$
BEGIN
	BEGIN
		ALTER TABLE t DISABLE ROW LEVEL SECURITY;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
END $$; -- fails
-- a statement that fails in a subtransaction leaves nothing behind
BEGIN;
SAVEPOINT a;
CREATE TABLE bad (id integer); -- fails
ROLLBACK TO a;
DROP TRIGGER updated_at ON t;
ROLLBACK TO a;
COMMIT;
-- dropped, and made again
BEGIN;
DROP TABLE t;
SELECT pg_temp.make_bare('t', 'ttt');
COMMIT; -- fails
BEGIN;
SELECT pg_temp.make_bare('u', 'uuu');
DROP TABLE u;
COMMIT;
BEGIN;
DROP TABLE t;
SELECT pg_temp.make('t', 'ttt');
COMMIT;
-- once per transaction
BEGIN;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
DROP TRIGGER updated_at ON t;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
COMMIT; -- fails
SELECT count(*) FROM dbkit.check('t');
-- nothing is kept for the next transaction
BEGIN;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
ROLLBACK;
BEGIN;
COMMIT;

-- COMMIT AND CHAIN
BEGIN;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
COMMIT AND CHAIN; -- fails
SELECT 1;
ROLLBACK;
BEGIN;
ALTER TABLE t ADD x text;
COMMIT AND CHAIN;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
ROLLBACK AND CHAIN;
ALTER TABLE t DROP COLUMN x;
COMMIT;
-- several statements in one query are one transaction
ALTER TABLE t DISABLE ROW LEVEL SECURITY\; ALTER TABLE t ENABLE ROW LEVEL SECURITY;
SELECT pg_temp.make_bare('u', 'uuu')\; CREATE TRIGGER updated_at BEFORE UPDATE ON u FOR EACH ROW EXECUTE FUNCTION updated_at()\; ALTER TABLE u ENABLE ROW LEVEL SECURITY; -- fails
ALTER TABLE t DISABLE ROW LEVEL SECURITY\; COMMIT\; ALTER TABLE t ENABLE ROW LEVEL SECURITY; -- fails
BEGIN\; ALTER TABLE t ADD x text\; COMMIT\; ALTER TABLE t DISABLE ROW LEVEL SECURITY; -- fails
SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'x';
ALTER TABLE t DROP COLUMN x;
-- procedures
CREATE PROCEDURE change(first text, second text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE first;
	COMMIT;
	EXECUTE second;
	COMMIT;
END $$;
CALL change('ALTER TABLE t ADD x text', 'ALTER TABLE t DISABLE ROW LEVEL SECURITY'); -- fails
SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'x';
CALL change('ALTER TABLE t DISABLE ROW LEVEL SECURITY', 'ALTER TABLE t ENABLE ROW LEVEL SECURITY'); -- fails
DO $$
BEGIN
	ALTER TABLE t DISABLE ROW LEVEL SECURITY;
	ROLLBACK;
	ALTER TABLE t DROP COLUMN x;
	COMMIT;
	FOR i IN 1 .. 3 LOOP
		EXECUTE format('ALTER TABLE t ADD x%s text', i);
		COMMIT;
	END LOOP;
END $$;
SET dbkit.rule_levels = 'rls_enabled=fix';
SET client_min_messages = notice;
CALL change('ALTER TABLE t DISABLE ROW LEVEL SECURITY', 'DROP TRIGGER updated_at ON t'); -- fails
RESET dbkit.rule_levels;
SET client_min_messages = warning;
DROP PROCEDURE change;

-- cursors
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM t;
DECLARE h CURSOR WITH HOLD FOR SELECT 1 FROM pg_class LIMIT 2;
FETCH h;
SELECT pg_temp.make_bare('u', 'uuu');
COMMIT; -- fails
-- PostgreSQL has made it permanent by then, as it does before a serialization failure
CLOSE h;
BEGIN;
DECLARE h CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 3) n;
FETCH h;
SELECT pg_temp.make('u', 'uuu');
COMMIT;
FETCH h;
CLOSE h;

-- deferred constraints come first
ALTER TABLE t ADD u_id text COLLATE "C" UNIQUE REFERENCES u DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO t (u_id) VALUES ('nobody');
ALTER TABLE u DISABLE ROW LEVEL SECURITY;
COMMIT; -- fails
BEGIN;
INSERT INTO u (id) VALUES ('uuu_1');
INSERT INTO t (u_id) VALUES ('uuu_1');
ALTER TABLE u DISABLE ROW LEVEL SECURITY;
COMMIT; -- fails
-- a deferred trigger that changes tables is judged, too
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.make_bare('made_late', 'lat');
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
INSERT INTO u DEFAULT VALUES; -- fails
SELECT count(*) FROM u;
DROP TABLE t, u;
DROP FUNCTION late;

-- PREPARE TRANSACTION
BEGIN;
SELECT pg_temp.make_bare('t', 'ttt');
PREPARE TRANSACTION 'dbkit'; -- fails
SELECT gid FROM pg_prepared_xacts;

-- temporary tables, and ON COMMIT
CREATE TEMP TABLE temporary (id integer);
BEGIN;
CREATE TEMP TABLE other (id integer) ON COMMIT DROP;
COMMIT;
DROP TABLE temporary;

-- isolation levels
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT pg_temp.make_bare('t', 'ttt');
COMMIT; -- fails
SET dbkit.rule_levels = 'updated_at_trigger=fix, rls_enabled=fix, rls_policy=off';
SET client_min_messages = notice;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1;
SELECT pg_temp.make_bare('t', 'ttt');
COMMIT;
SELECT count(*) FROM dbkit.check('t');
DROP TABLE t;

-- the levels are those at the end of the transaction, and so is dbkit.enforce
RESET dbkit.rule_levels;
BEGIN;
SELECT pg_temp.make_bare('t', 'ttt');
SET LOCAL dbkit.enforce = off;
COMMIT;
BEGIN;
SET LOCAL dbkit.enforce = off;
ALTER TABLE t ADD x text;
SET LOCAL dbkit.enforce = on;
COMMIT;
DROP TABLE t;
BEGIN;
SELECT pg_temp.make_bare('t', 'ttt');
SET LOCAL dbkit.rule_levels = 'updated_at_trigger=off, rls_enabled=warning, rls_policy=off';
COMMIT; -- warns
DROP TABLE t;
SELECT pg_temp.make_bare('t', 'ttt'); -- fails
SET check_function_bodies = off;
SELECT pg_temp.make_bare('t', 'ttt');
RESET check_function_bodies;
DROP TABLE t;
