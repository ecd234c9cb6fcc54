-- Named locks in one session: keys, names, scopes and counts.
\set roles '{regress_locker}'
\i sql/include/leftovers.psql

-- the key is what sha256sum says
SELECT name, to_hex(dbkit.lock_key(name)) AS key, to_hex(dbkit.lock_key(name)) = sha256sum AS ok
FROM (VALUES
	('deploy', 'b7bd55c11b781b0c'),
	('a', 'ca978112ca1bbdca'),
	('abc', 'ba7816bf8f01cfea'),
	('Zürich 🔒', '75fd868799b4c037')) AS v (name, sha256sum);
SELECT dbkit.lock_key('deploy');

-- names
SELECT dbkit.lock_key(repeat('x', 1024)) IS NOT NULL AS longest;
SELECT dbkit.lock_key(repeat('ü', 512)) IS NOT NULL AS longest;
SELECT dbkit.lock_key(repeat('x', 1025));	-- fails
SELECT dbkit.lock_key(repeat('ü', 512) || 'x');	-- fails
\set VERBOSITY sqlstate
SELECT dbkit.lock_key('');	-- fails
SELECT dbkit.lock_key(NULL);	-- fails
SELECT dbkit.lock(NULL);	-- fails
SELECT dbkit.lock_shared('');	-- fails
SELECT dbkit.try_lock(NULL);	-- fails
SELECT dbkit.try_lock_shared('');	-- fails
CALL dbkit.session_lock(NULL);	-- fails
CALL dbkit.session_lock_shared('');	-- fails
SELECT dbkit.try_session_lock('');	-- fails
SELECT dbkit.try_session_lock_shared(NULL);	-- fails
SELECT dbkit.session_unlock(NULL);	-- fails
SELECT dbkit.session_unlock_shared('');	-- fails
\set VERBOSITY default
SELECT dbkit.try_lock(NULL);	-- fails
SELECT dbkit.try_lock('');	-- fails

-- timeouts
SELECT dbkit.lock('a', '-1 microsecond');	-- fails
SELECT dbkit.lock('a', '25 days');	-- fails
CALL dbkit.session_lock('a', '-1 day');	-- fails
SELECT dbkit.lock('a', '24 days'), dbkit.lock('a', '0'), dbkit.lock('a', NULL);
SET lock_timeout = '7s';
BEGIN;
SELECT dbkit.lock('a', '1 second');
SHOW lock_timeout;
COMMIT;
SHOW lock_timeout;
RESET lock_timeout;

-- released at COMMIT, ROLLBACK, ROLLBACK TO
CREATE FUNCTION pg_temp.held() RETURNS TABLE (name text, mode text, granted boolean, blocked_by int[]) LANGUAGE sql AS
$$ SELECT name, mode, granted, blocked_by FROM dbkit.locks WHERE pid = pg_backend_pid() ORDER BY 1, 2 $$;
BEGIN;
SELECT dbkit.lock('a'), dbkit.lock('a'), dbkit.lock_shared('b');
SAVEPOINT s;
SELECT dbkit.lock('c'), dbkit.try_lock('a'), dbkit.try_lock_shared('a');
SELECT * FROM pg_temp.held();
ROLLBACK TO s;
SELECT * FROM pg_temp.held();
COMMIT;
SELECT * FROM pg_temp.held();
BEGIN;
SELECT dbkit.lock('a');
ROLLBACK;
SELECT * FROM pg_temp.held();

-- session locks are counted, and outlive a failed transaction
CALL dbkit.session_lock('s');
CALL dbkit.session_lock('s', '1 second');
SELECT dbkit.try_session_lock('s'), dbkit.try_session_lock_shared('s');
CALL dbkit.session_lock_shared('s');
BEGIN;
SELECT 1 / 0;	-- fails
ROLLBACK;
SELECT * FROM pg_temp.held();
SELECT dbkit.session_unlock_shared('s') AS first, dbkit.session_unlock_shared('s') AS second, dbkit.session_unlock_shared('s') AS third;
SELECT dbkit.session_unlock('s') AS first, dbkit.session_unlock('s') AS second;
SELECT * FROM pg_temp.held();
SELECT dbkit.session_unlock('s') AS third, dbkit.session_unlock('s') AS fourth;
SELECT * FROM pg_temp.held();

-- a transaction's lock is not the session's to unlock
BEGIN;
SELECT dbkit.lock('t');
SELECT dbkit.session_unlock('t');
SELECT * FROM pg_temp.held();
COMMIT;

-- the same lock as PostgreSQL's own
SELECT pg_advisory_lock(dbkit.lock_key('s'));
SELECT dbkit.session_unlock('s');
CALL dbkit.session_lock('s');
SELECT pg_advisory_unlock(dbkit.lock_key('s'));
-- without a name, it has none; two integers are another kind of lock
SELECT pg_advisory_lock(42), pg_advisory_lock(4, 2);
SELECT name, key, mode FROM dbkit.locks WHERE pid = pg_backend_pid();
SELECT pg_advisory_unlock_all();

-- a procedure, but not inside a transaction
BEGIN;
CALL dbkit.session_lock('p');	-- fails
ROLLBACK;
CREATE FUNCTION pg_temp.f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL dbkit.session_lock('p'); END $$;
\set VERBOSITY terse
SELECT pg_temp.f();	-- fails
DO $$
BEGIN
	CALL dbkit.session_lock('p');
EXCEPTION WHEN active_sql_transaction THEN
	RAISE NOTICE '%', SQLERRM;
END $$;
SELECT 1\; CALL dbkit.session_lock('p');	-- fails
\set VERBOSITY default
SET default_transaction_isolation = 'repeatable read';
CALL dbkit.session_lock('p');	-- fails
RESET default_transaction_isolation;
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM generate_series(1, 100) LOOP
		CALL dbkit.session_lock('p');
	END LOOP;
END $$;	-- fails
SELECT * FROM pg_temp.held();

-- the block that calls it goes on
CREATE TEMP TABLE t (i int);
DO $$
BEGIN
	INSERT INTO t VALUES (1);
	CALL dbkit.session_lock('p');
	INSERT INTO t SELECT count(*) + 1 FROM t;
	CALL dbkit.session_lock_shared('p');
	COMMIT;
	CALL dbkit.session_lock('p');
	RAISE NOTICE '%', (SELECT array_agg(i) FROM t);
	INSERT INTO t VALUES (3);
	ROLLBACK;
END $$;
SELECT * FROM t;
SELECT * FROM pg_temp.held();
SELECT pg_advisory_unlock_all();
DROP TABLE t;

-- beside a scan that others take part in
SET dbkit.enforce = off;
CREATE TABLE jobs AS SELECT n FROM generate_series(1, 1000) AS n;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT dbkit.lock('job ' || n, '1s'), dbkit.lock_shared('job ' || n, '1s') FROM jobs WHERE n = 7;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE jobs;
RESET dbkit.enforce;

-- anyone may
CREATE ROLE regress_locker;
SET ROLE regress_locker;
BEGIN;
SELECT dbkit.lock('a'), dbkit.lock_shared('a'), dbkit.try_lock('a'), dbkit.try_lock_shared('a');
COMMIT;
CALL dbkit.session_lock('a');
CALL dbkit.session_lock_shared('a');
SELECT dbkit.try_session_lock('a'), dbkit.try_session_lock_shared('a');
SELECT dbkit.session_unlock('a'), dbkit.session_unlock_shared('a');
SELECT name, dbkit.lock_key('a') = key AS ok, mode, granted FROM dbkit.locks WHERE pid = pg_backend_pid() ORDER BY mode;
SELECT name, mode, granted, waiting_since FROM dbkit.lock_status() WHERE pid = pg_backend_pid() ORDER BY mode;
SELECT pg_advisory_unlock_all();
RESET ROLE;
DROP ROLE regress_locker;
