-- Seals of the log of changes, and what is found that was done to it.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set roles '{regress_audit_clerk}'
\i sql/include/leftovers.psql
CREATE EXTENSION dbkit_audit;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA sealed;
SET search_path = sealed, public;
CREATE TABLE people (id text PRIMARY KEY, name text, ssn text);
SELECT dbkit.audit('people', '{ssn}');
SELECT count(*) AS problems FROM dbkit.audit_check();

-- a seal covers what has ended
INSERT INTO people SELECT 'p' || i, 'name ' || i, 'secret' FROM generate_series(1, 1200) i;
BEGIN;
INSERT INTO people VALUES ('own', 'in the transaction of the seal');
CALL dbkit.audit_seal() \gset first_
COMMIT;
SELECT :'first_hash' ~ '^[0-9a-f]{64}$' AS hash;
SELECT number, entries FROM dbkit.audit_seals;
SELECT count(*) AS chunks, sum(cardinality(ids)) AS entries FROM dbkit.audit_sealed;
SELECT row_id FROM dbkit.audit_unsealed;
UPDATE people SET name = upper(name) WHERE id IN ('p1', 'p2', 'p3', 'p4', 'p5');
CALL dbkit.audit_seal() \gset second_
SELECT number, entries FROM dbkit.audit_seals ORDER BY number;
SELECT count(*) FROM dbkit.audit_unsealed;
SELECT count(*) AS problems FROM dbkit.audit_check(:'second_hash');
SELECT problem FROM dbkit.audit_check('none');
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL dbkit.audit_seal(); -- fails
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT dbkit.audit_trim(now()); -- fails
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT dbkit.audit_erase('p2', 'asked to'); -- fails
ROLLBACK;

-- what a superuser does to it
CREATE VIEW problems AS
SELECT c.problem, c.seal, l.row_id, l.operation FROM dbkit.audit_check() c LEFT JOIN dbkit.audit_log l USING (id) ORDER BY 1, 2, 3, 4;
BEGIN;
UPDATE dbkit.audit_log SET new_values = '{"name": "forged"}' WHERE row_id = 'p1' AND operation = 'UPDATE';
TABLE problems;
ROLLBACK;
BEGIN;
UPDATE dbkit.audit_log SET session_role = session_role || 'x' WHERE row_id = 'p7';
TABLE problems;
ROLLBACK;
BEGIN;
DELETE FROM dbkit.audit_log WHERE row_id = 'p2' AND operation = 'UPDATE';
TABLE problems;
ROLLBACK;
BEGIN;
INSERT INTO dbkit.audit_log SELECT (jsonb_populate_record(l, jsonb_build_object('id', generate_id('aud'), 'row_id', 'nobody'))).* FROM dbkit.audit_log l WHERE row_id = 'p3' AND operation = 'UPDATE';
INSERT INTO dbkit.audit_log SELECT * FROM dbkit.audit_log WHERE row_id = 'p4' AND operation = 'UPDATE';
TABLE problems;
ROLLBACK;
BEGIN;
UPDATE dbkit.audit_log l SET id = CASE l.id WHEN a.id THEN b.id ELSE a.id END FROM dbkit.audit_log a, dbkit.audit_log b
WHERE a.row_id = 'p1' AND b.row_id = 'p2' AND a.operation = 'UPDATE' AND b.operation = 'UPDATE' AND l.id IN (a.id, b.id);
TABLE problems;
ROLLBACK;
BEGIN;
UPDATE dbkit.audit_log SET id = 'no id' WHERE row_id = 'p5' AND operation = 'UPDATE';
TABLE problems;
ROLLBACK;
BEGIN;
SELECT min(tableoid::regclass::text) AS month FROM dbkit.audit_log \gset
ALTER TABLE dbkit.audit_log DETACH PARTITION :month;
DROP TABLE :month;
SELECT problem, seal, count(*) FROM dbkit.audit_check() GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK;
BEGIN;
UPDATE dbkit.audit_sealed SET hashes[1] = sha256('x') WHERE seal = 2;
SELECT problem, seal, id IS NOT NULL AS entry FROM dbkit.audit_check();
ROLLBACK;
BEGIN;
DELETE FROM dbkit.audit_seals WHERE number = 1;
SELECT problem, seal FROM dbkit.audit_check();
ROLLBACK;

-- a chain that was made anew from some point on fits; the hash that was kept tells
BEGIN;
UPDATE dbkit.audit_log SET new_values = '{"name": "forged"}' WHERE row_id = 'p1' AND operation = 'UPDATE';
DELETE FROM dbkit.audit_sealed WHERE seal = 2;
DELETE FROM dbkit.audit_seals WHERE number = 2;
COMMIT;
CALL dbkit.audit_seal() \gset forged_
SELECT problem FROM dbkit.audit_check(:'second_hash');
SELECT count(*) AS problems FROM dbkit.audit_check(:'forged_hash');

-- values of one subject are erased, and everything else is still proved
SELECT clock_timestamp() AS before_erasing \gset
UPDATE people SET name = 'again' WHERE id = 'p2';
SELECT dbkit.audit_erase('p2', ' '); -- fails
SELECT dbkit.audit_erase('nobody', 'asked to');
SELECT dbkit.audit_erase('p2', 'asked to'), dbkit.audit_erase('p2', 'asked to');
SELECT operation, old_values, new_values - 'hash' AS new_values, length(new_values ->> 'hash') AS hash, salt FROM dbkit.audit_history('people', 'p2');
SELECT row_id, new_values - 'ids' AS details, jsonb_array_length(new_values -> 'ids') AS entries FROM dbkit.audit_log WHERE operation = 'ERASE';
SELECT count(*) AS problems FROM dbkit.audit_check();
CALL dbkit.audit_seal() \gset third_
SELECT count(*) AS problems FROM dbkit.audit_check(:'third_hash');
SELECT dbkit.as_of(NULL::people, 'p2', :'before_erasing'); -- fails
BEGIN;
UPDATE dbkit.audit_log SET new_values = '{"name": "forged"}' WHERE row_id = 'p2' AND operation = 'INSERT';
TABLE problems;
ROLLBACK;
BEGIN;
DELETE FROM dbkit.audit_log WHERE operation = 'ERASE';
SELECT problem, count(*) FROM dbkit.audit_check() GROUP BY 1 ORDER BY 1;
ROLLBACK;

-- months that are over are emptied once they are sealed
SELECT dbkit.audit_trim(now());
CREATE TABLE dbkit.audit_log_2001_02 (LIKE dbkit.audit_log);
ALTER TABLE dbkit.audit_log ATTACH PARTITION dbkit.audit_log_2001_02 FOR VALUES FROM ('2001-02-01 00:00+00') TO ('2001-03-01 00:00+00');
INSERT INTO dbkit.audit_log SELECT (jsonb_populate_record(l, jsonb_build_object('id', generate_id('aud'), 'row_id', 'old', 'at', '2001-02-03', 'transaction', pg_current_xact_id()::text))).*
FROM dbkit.audit_log l WHERE row_id = 'p3' AND operation = 'UPDATE';
SELECT dbkit.audit_trim(now()); -- fails
CALL dbkit.audit_seal() \gset fourth_
SELECT dbkit.audit_trim('2001-02-28'), dbkit.audit_trim(now()), dbkit.audit_trim(now());
SELECT operation, relation, new_values -> 'entries' AS entries FROM dbkit.audit_log WHERE operation = 'TRIM';
SELECT count(*) AS problems FROM dbkit.audit_check(:'fourth_hash');
SELECT dbkit.as_of(NULL::people, 'p3', '2001-02-03'); -- fails
SELECT count(*) FROM dbkit.audit_log_2001_02;

-- so is the default partition
CREATE FUNCTION write_entry(month timestamptz, row_id text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO dbkit.audit_log SELECT (jsonb_populate_record(l, jsonb_build_object('id', generate_id('aud'), 'row_id', $2, 'at', $1, 'transaction', pg_current_xact_id()::text))).*
	FROM dbkit.audit_log l WHERE l.row_id = 'p3' AND l.operation = 'UPDATE'
$$;
SELECT write_entry('2001-02-03', 'old'), write_entry('2001-03-03', 'no month'), write_entry('2201-03-03', 'to come');
SELECT tableoid::regclass AS month, row_id FROM dbkit.audit_log WHERE row_id IN ('old', 'no month', 'to come') ORDER BY at;
SELECT count(*) AS problems FROM dbkit.audit_check();
SELECT dbkit.audit_trim('2001-03-10'); -- fails
CALL dbkit.audit_seal() \gset fifth_
SELECT count(*) AS problems FROM dbkit.audit_check(:'fifth_hash');
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kolkata'; -- IST, which is another zone's abbreviation as well
SELECT dbkit.audit_trim('2001-03-10');
RESET DateStyle;
RESET TimeZone;
SELECT row_id FROM dbkit.audit_log WHERE row_id IN ('old', 'no month', 'to come') ORDER BY at;
SELECT count(*) AS problems FROM dbkit.audit_check(:'fifth_hash');
SELECT dbkit.audit_trim('2001-04-10'), dbkit.audit_trim('2001-04-10');
SELECT row_id FROM dbkit.audit_log WHERE row_id IN ('old', 'no month', 'to come') ORDER BY at;
SELECT count(*) AS problems FROM dbkit.audit_check(:'fifth_hash');
SELECT (new_values ->> 'before')::timestamptz AT TIME ZONE 'UTC' AS before, new_values -> 'entries' AS entries FROM dbkit.audit_log WHERE operation = 'TRIM' ORDER BY at;
-- what is written later to a month that was trimmed
SELECT write_entry('2001-02-04', 'late');
SELECT count(*) AS problems FROM dbkit.audit_check();
CALL dbkit.audit_seal() \gset
TABLE problems;
BEGIN;
SELECT write_entry('2001-02-05', 'slipped in');
UPDATE dbkit.audit_log SET transaction = '1' WHERE row_id = 'slipped in';
UPDATE dbkit.audit_log SET operation = 'DELETE' WHERE row_id = 'late';
TABLE problems;
ROLLBACK;

-- who may
\set VERBOSITY terse
CREATE ROLE regress_audit_clerk;
SET ROLE regress_audit_clerk;
CALL dbkit.audit_seal(); -- fails
SELECT dbkit.audit_trim(now()); -- fails
SELECT dbkit.audit_erase('p1', 'why not'); -- fails
SELECT dbkit.audit_months(); -- fails
SELECT dbkit.audit_note('TRIM', NULL, '{}'); -- fails
SELECT * FROM dbkit.audit_check(); -- fails
RESET ROLE;
GRANT SELECT ON dbkit.audit_log, dbkit.audit_seals, dbkit.audit_sealed, dbkit.audit_unsealed TO regress_audit_clerk;
SET ROLE regress_audit_clerk;
SELECT * FROM dbkit.audit_check(); -- fails
SELECT dbkit.audit_erase('p1', 'why not'); -- fails
RESET ROLE;
ALTER ROLE regress_audit_clerk BYPASSRLS;
SET ROLE regress_audit_clerk;
SELECT * FROM dbkit.audit_check();
RESET ROLE;
SELECT dbkit.audit_note('INSERT', NULL, '{}'); -- fails
SELECT dbkit.audit_note(NULL, NULL, '{}'); -- fails

-- the log is not dropped while there is something in it
DROP EXTENSION dbkit_audit; -- fails
DROP EXTENSION dbkit CASCADE; -- fails
DROP SCHEMA dbkit CASCADE; -- fails
DROP TABLE dbkit.audit_log; -- fails
SELECT count(*) > 1000 AS entries FROM dbkit.audit_log;
SET client_min_messages = error;
DROP SCHEMA sealed CASCADE;
DROP OWNED BY regress_audit_clerk;
DROP ROLE regress_audit_clerk;
TRUNCATE dbkit.audit_log;
DROP EXTENSION dbkit_audit;
