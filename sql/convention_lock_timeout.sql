-- A statement that waits for its lock on a large table, while others queue behind it.
\set roles '{regress_guest}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
SET dbkit.enforce = off;
CREATE TABLE big (a bigint PRIMARY KEY, b bigint);
INSERT INTO big SELECT n, n FROM generate_series(1, 1000) n;
CREATE TABLE small (a bigint PRIMARY KEY, b bigint);
CREATE TABLE measure (a bigint, b bigint) PARTITION BY RANGE (a);
CREATE TABLE measure_1 PARTITION OF measure FOR VALUES FROM (0) TO (10);
CREATE TABLE measure_2 PARTITION OF measure FOR VALUES FROM (10) TO (10000);
CREATE TABLE measure_3 (a bigint, b bigint, c text);
INSERT INTO measure SELECT n, n FROM generate_series(1, 1000) n;
CREATE MATERIALIZED VIEW seen AS SELECT * FROM big;
CREATE VIEW shown AS SELECT * FROM big;
RESET dbkit.enforce;
SELECT dbkit.baseline() > 0;
SET dbkit.large_table_size = '8kB';
SET dbkit.max_lock_time = '1h'; -- on a slow machine, too
SET dbkit.rule_levels = '*=off, lock_timeout=warning';

-- the fix is a setting: of the transaction in a block, else of the session
ALTER TABLE big ADD c text; -- warns
BEGIN;
ALTER TABLE big ADD d text; -- warns
-- what is locked already is not waited for
ALTER TABLE big ADD e text;
SET LOCAL lock_timeout = '2s';
ALTER TABLE measure ADD c text;
COMMIT;
SET lock_timeout = '2s';
ALTER TABLE big ADD f text;
RESET lock_timeout;
-- a stronger lock than that which the transaction has is
BEGIN;
LOCK TABLE big IN SHARE MODE; -- warns
CREATE INDEX ON big (b);
ALTER TABLE big ADD g text; -- warns
ROLLBACK;

-- a child of two parents counts once
SET dbkit.enforce = off;
CREATE TABLE tops (a bigint);
CREATE TABLE lefts () INHERITS (tops);
CREATE TABLE rights () INHERITS (tops);
CREATE TABLE bottoms () INHERITS (lefts, rights);
INSERT INTO bottoms VALUES (1);
RESET dbkit.enforce;
ALTER TABLE tops ADD b text;
INSERT INTO lefts VALUES (1);
ALTER TABLE tops ADD c text; -- warns
SET dbkit.enforce = off;
DROP TABLE tops, lefts, rights, bottoms;
RESET dbkit.enforce;

-- what locks readers or writers out
\set VERBOSITY terse
CREATE INDEX big_b ON big (b); -- warns
CREATE INDEX ON measure_1 (b); -- warns, and so does all that is about measure
DROP INDEX big_b; -- warns
ALTER TABLE big ADD CHECK (a > 0), ADD FOREIGN KEY (a) REFERENCES big; -- warns, once
ALTER TABLE small ADD FOREIGN KEY (a) REFERENCES big; -- warns
ALTER TABLE small ADD c bigint REFERENCES big; -- warns
CREATE TABLE new (a bigint REFERENCES big, b bigint, FOREIGN KEY (b) REFERENCES small); -- warns
CREATE SCHEMA new CREATE TABLE new (a bigint REFERENCES public.big); -- warns
CREATE TABLE measure_4 PARTITION OF measure DEFAULT; -- warns
ALTER TABLE measure DETACH PARTITION measure_4; -- warns
ALTER TABLE measure ATTACH PARTITION measure_4 DEFAULT;
DROP TABLE measure_4; -- warns
ALTER TABLE big RENAME TO huge; -- warns
ALTER TABLE huge RENAME TO big; -- warns
ALTER TABLE big RENAME f TO h; -- warns
ALTER TABLE big SET SCHEMA new; -- warns
ALTER TABLE new.big SET SCHEMA public; -- warns
CREATE TRIGGER t BEFORE UPDATE ON big FOR EACH ROW EXECUTE FUNCTION updated_at(); -- warns
ALTER TRIGGER t ON big RENAME TO u; -- warns
DROP TRIGGER u ON public.big; -- warns
CREATE POLICY p ON big; -- warns
ALTER POLICY p ON big USING (true); -- warns
DROP POLICY p ON big; -- warns
CREATE RULE r AS ON INSERT TO big DO ALSO NOTHING; -- warns
DROP RULE r ON big; -- warns
CLUSTER big USING big_pkey; -- warns
VACUUM FULL big, small; -- warns
REINDEX TABLE big; -- warns
REINDEX INDEX big_pkey; -- warns
REFRESH MATERIALIZED VIEW seen; -- warns
CREATE FUNCTION pg_temp.alter() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER TABLE big DROP h'; END $$;
SELECT pg_temp.alter(); -- warns
DO $$ BEGIN TRUNCATE measure_1, measure_2; END $$; -- warns
INSERT INTO measure SELECT n, n FROM generate_series(1, 1000) n;

-- and what does not, or does not wait
CREATE INDEX CONCURRENTLY big_b ON big (b);
REINDEX INDEX CONCURRENTLY big_b;
REINDEX (CONCURRENTLY) TABLE big;
ALTER INDEX big_b RENAME TO big_c;
DROP INDEX CONCURRENTLY big_c;
CREATE UNIQUE INDEX ON seen (a); -- warns
REFRESH MATERIALIZED VIEW CONCURRENTLY seen;
VACUUM big;
VACUUM (FULL off) big;
ANALYZE big;
ALTER TABLE big ALTER a SET STATISTICS 10;
ALTER TABLE big SET (fillfactor = 90);
ALTER TABLE big VALIDATE CONSTRAINT big_a_fkey;
COMMENT ON TABLE big IS 'large';
GRANT SELECT ON big TO PUBLIC;
ALTER TABLE measure ATTACH PARTITION measure_3 FOR VALUES FROM (10000) TO (20000);
CREATE TABLE IF NOT EXISTS small (a bigint);
ALTER VIEW shown RENAME TO displayed;
ALTER TABLE small ADD d bigint;
BEGIN;
LOCK TABLE big NOWAIT;
LOCK TABLE measure IN ROW EXCLUSIVE MODE;
COMMIT;
-- two tables, one setting
\set VERBOSITY default
BEGIN;
LOCK TABLE big, small, measure IN EXCLUSIVE MODE; -- warns
COMMIT;
\set VERBOSITY terse
-- the transaction's snapshot is not taken before the lock
BEGIN ISOLATION LEVEL REPEATABLE READ;
LOCK TABLE big; -- warns
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;
COMMIT;
-- what the transaction made blocks nobody, and what is temporary
BEGIN;
CREATE TABLE copied AS SELECT * FROM big;
ALTER TABLE copied ADD z text;
CREATE TEMP TABLE scratch AS SELECT * FROM big;
COMMIT;
ALTER TABLE scratch ADD z text;
-- what is not there
ALTER TABLE nowhere ADD z text; -- fails
DROP TABLE IF EXISTS nowhere, none.nowhere;
ALTER TABLE IF EXISTS nowhere ADD z text;
DROP POLICY IF EXISTS p ON nowhere;
-- who may not change it is not told how large the table is
CREATE ROLE regress_guest;
SET ROLE regress_guest;
ALTER TABLE big ADD z text; -- fails
RESET ROLE;
DROP ROLE regress_guest;

-- levels, exemptions, and enforcement off
\set VERBOSITY default
SET dbkit.rule_levels = '*=off, lock_timeout=error';
BEGIN;
DROP TABLE big CASCADE; -- fails
ROLLBACK;
SELECT dbkit.exempt('public.measure', 'lock_timeout', 'nobody reads it');
TRUNCATE measure_1;
SET dbkit.enforce = warning;
ALTER TABLE big ADD z text; -- warns
SET dbkit.enforce = off;
ALTER TABLE big ADD y text;
RESET dbkit.enforce;
SET session_replication_role = replica;
ALTER TABLE big ADD x text;
RESET session_replication_role;
SET dbkit.rule_levels = '*=off, lock_timeout=off';
ALTER TABLE big ADD w text;
\set VERBOSITY default
SET dbkit.rule_levels = 'lock_timeout=fix'; -- fails
-- it is too late to refuse what was held for long, also for all rules at once
SET dbkit.rule_levels = 'lock_held=error'; -- fails
SELECT dbkit.agree('{"rules": {"lock_held": "error"}}'); -- fails
SET dbkit.rule_levels = '*=error';
SELECT id, phase, level, description, fixable FROM dbkit.rules WHERE phase = 'change';
-- nor can a rule of a team be of that phase
SELECT dbkit.add_rule('mine', 'pg_catalog.pg_relation_size(regclass)', '{table}', 'mine', 'change'); -- fails
SET client_min_messages = error;
SET dbkit.enforce = off;
DROP TABLE big, small, new, measure, copied CASCADE;
DROP SCHEMA new CASCADE;
DROP FUNCTION dbkit_agreement;
