-- Changes that only the server can judge, because it knows how large the table is.
\set roles '{regress_guest}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
SET dbkit.enforce = off;
CREATE TABLE big (a integer, b integer);
INSERT INTO big SELECT n, n FROM generate_series(1, 1000) n;
VACUUM FULL big;
CREATE TABLE measure (a integer, b integer) PARTITION BY RANGE (a);
CREATE TABLE measure_1 PARTITION OF measure FOR VALUES FROM (0) TO (10);
CREATE TABLE measure_2 PARTITION OF measure FOR VALUES FROM (10) TO (10000);
INSERT INTO measure SELECT n, n FROM generate_series(1, 1000) n;
VACUUM FULL measure;
RESET dbkit.enforce;
SELECT dbkit.baseline() > 0;

-- a table as large as the limit is not larger
SELECT pg_relation_size('big') / 1024 AS size \gset
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=error';
SET lock_timeout = '1min';
SET dbkit.large_table_size = :size;
CREATE INDEX big_a ON big (a);
SET dbkit.large_table_size = '8kB';
SET dbkit.max_lock_time = '1h'; -- on a slow machine, too

-- blocking_index
CREATE INDEX ON big (b); -- fails
CREATE UNIQUE INDEX CONCURRENTLY big_b ON big (b);
CREATE INDEX IF NOT EXISTS big_a ON big (a);
CREATE INDEX ON measure (b); -- fails
CREATE INDEX measure_b ON ONLY measure (b);
CREATE INDEX measure_1_b ON measure_1 (b);
CREATE INDEX measure_2_b ON measure_2 (b); -- fails
CREATE INDEX CONCURRENTLY measure_2_b ON measure_2 (b);
ALTER INDEX measure_b ATTACH PARTITION measure_2_b;
ALTER INDEX measure_b ATTACH PARTITION measure_1_b;
CREATE INDEX ON nowhere (b); -- fails
-- who may not create it is not told how large the table is
CREATE ROLE regress_guest;
SET ROLE regress_guest;
CREATE INDEX ON big (b); -- fails
RESET ROLE;
DROP ROLE regress_guest;
-- it is judged before the work is done: this fails for the one reason, not for the division by zero
CREATE INDEX ON big ((1 / (a - a))); -- fails
-- what the transaction created blocks nobody
CREATE TABLE new_enum (value text PRIMARY KEY);
BEGIN;
CREATE TABLE colour_enum (value text PRIMARY KEY, label text);
INSERT INTO colour_enum SELECT n, n FROM generate_series(1, 1000) n;
CREATE INDEX ON colour_enum (label);
ALTER TABLE colour_enum ADD at timestamptz DEFAULT clock_timestamp();
COMMIT;
DROP TABLE colour_enum, new_enum;

-- table_rewrite
ALTER TABLE big ALTER b TYPE bigint; -- fails
ALTER TABLE big ADD c text, ADD d timestamptz DEFAULT clock_timestamp(); -- fails
ALTER TABLE big ADD c text, ADD d timestamptz DEFAULT now(), ALTER b SET NOT NULL;
ALTER TABLE measure ALTER b TYPE bigint; -- fails
ALTER TABLE big SET UNLOGGED; -- fails
TRUNCATE big;
-- what is never judged
CREATE TEMP TABLE scratch AS SELECT n AS b FROM generate_series(1, 1000) n;
ALTER TABLE scratch ALTER b TYPE bigint;
CREATE INDEX ON scratch (b);
DROP TABLE scratch;
ALTER TABLE big ALTER b TYPE bigint;

-- a fix is an ALTER like any other
INSERT INTO big SELECT n, n FROM generate_series(1, 1000) n;
VACUUM FULL big;
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=error, bigint=fix';
ALTER TABLE big ADD another integer; -- fails
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=error';
SELECT count(*) FROM pg_attribute WHERE attrelid = 'big'::regclass AND attname = 'another';

-- exemptions, warnings, off, and enforcement off
SELECT dbkit.exempt('public.measure', 'table\_rewrite', 'by night'); -- fails
SELECT dbkit.exempt('public.measure', 'table_rewrite', 'by night');
ALTER TABLE measure ALTER b TYPE bigint;
VACUUM FULL measure;
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=warning';
CREATE INDEX ON measure_2 (b, a); -- warns
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=off';
CREATE INDEX ON measure_2 (b, a);
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=error';
SET dbkit.enforce = off;
CREATE INDEX ON measure_2 (b, a);
RESET dbkit.enforce;
SET dbkit.rule_levels = 'table_rewrite=error, blocking_index=fix'; -- fails
\set VERBOSITY sqlstate
SET dbkit.large_table_size = -1; -- fails
\set VERBOSITY default
DROP TABLE big, measure;
DROP FUNCTION dbkit_agreement;
