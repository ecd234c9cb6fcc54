-- What is said of each change of a table in use, before it is made, and what to do instead.
\set roles '{regress_guest,regress_owner}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
SET dbkit.enforce = off;
CREATE TABLE large (a integer, b integer, c text);
INSERT INTO large SELECT n, n FROM generate_series(1, 1000) n;
CREATE INDEX large_b ON large (b);
CREATE UNIQUE INDEX large_a ON large (a);
CREATE TABLE other (a integer PRIMARY KEY);
INSERT INTO other SELECT generate_series(1, 1000);
CREATE TABLE parted (a integer, b integer) PARTITION BY RANGE (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10) TO (10000) PARTITION BY RANGE (a);
CREATE TABLE parted_2a PARTITION OF parted_2 FOR VALUES FROM (10) TO (10000);
INSERT INTO parted SELECT n, n FROM generate_series(1, 1000) n;
CREATE TABLE small (a integer, b integer);
INSERT INTO small VALUES (1, 1);
CREATE TABLE empty (a integer, b integer);
CREATE MATERIALIZED VIEW report AS SELECT a FROM small, generate_series(1, 1000);
CREATE VIEW shown AS SELECT a FROM large;
RESET dbkit.enforce;
SET dbkit.rule_levels = '*=off, table_rewrite=error, blocking_index=error, blocking_validation=error';
SET dbkit.large_table_size = '8kB';
SELECT id, phase, level, description, fixable FROM dbkit.rules WHERE phase = 'change';

-- blocking_validation: NOT NULL
ALTER TABLE large ALTER b SET NOT NULL; -- fails
ALTER TABLE parted ALTER b SET NOT NULL; -- fails
-- a valid CHECK proves it, also beside other conditions, and not one that the statement drops
ALTER TABLE large ADD CONSTRAINT proof CHECK (a > 0 AND b IS NOT NULL) NOT VALID;
ALTER TABLE large ALTER b SET NOT NULL; -- fails
ALTER TABLE large VALIDATE CONSTRAINT proof;
ALTER TABLE large ALTER a SET NOT NULL; -- fails
BEGIN;
ALTER TABLE large ALTER b SET NOT NULL;
ALTER TABLE large ALTER b SET NOT NULL;
ROLLBACK;
ALTER TABLE large DROP CONSTRAINT proof, ALTER b SET NOT NULL; -- fails
BEGIN;
ALTER TABLE large DROP CONSTRAINT proof, ADD CONSTRAINT proof CHECK (b IS NOT NULL OR a = 1) NOT VALID;
COMMIT;
ALTER TABLE large VALIDATE CONSTRAINT proof;
ALTER TABLE large ALTER b SET NOT NULL; -- fails
ALTER TABLE large DROP CONSTRAINT proof;
-- the partitions may have it for themselves
ALTER TABLE parted_2a ADD CHECK (b IS NOT NULL) NOT VALID;
ALTER TABLE parted_2a VALIDATE CONSTRAINT parted_2a_b_check;
BEGIN;
ALTER TABLE parted ALTER b SET NOT NULL;
ROLLBACK;
ALTER TABLE parted_2a DROP CONSTRAINT parted_2a_b_check;

-- CHECK and FOREIGN KEY
ALTER TABLE large ADD CHECK (a > 0), ADD d text /* comment */, ADD CONSTRAINT "Foo" CHECK (b > 0 -- comment
), ADD CHECK (a < 10000), ADD CHECK (a + b > 0), ADD FOREIGN KEY (a) REFERENCES other ON DELETE CASCADE; -- fails
ALTER TABLE large ADD CHECK (- a < 0); -- fails
ALTER TABLE parted ADD FOREIGN KEY (a) REFERENCES other; -- fails
ALTER TABLE large ADD FOREIGN KEY (a) REFERENCES other NOT VALID;
ALTER TABLE small ADD FOREIGN KEY (a) REFERENCES large (a);
ALTER TABLE large ADD COLUMN d integer DEFAULT 1 CONSTRAINT named REFERENCES other ON DELETE CASCADE DEFERRABLE NOT NULL CHECK (d > 0 AND a > 0); -- fails
ALTER TABLE large ADD COLUMN d integer REFERENCES other, ADD COLUMN IF NOT EXISTS b integer CHECK (b > 0);
ALTER TABLE large DROP d, DROP CONSTRAINT large_a_fkey;
ALTER TABLE small DROP CONSTRAINT small_a_fkey;
-- VALIDATE is for a transaction of its own
ALTER TABLE large ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;
BEGIN;
ALTER TABLE large ADD CHECK (b > 0) NOT VALID;
ALTER TABLE large VALIDATE CONSTRAINT positive; -- fails
ROLLBACK;
ALTER TABLE large ADD CHECK (b > 0) NOT VALID, VALIDATE CONSTRAINT positive; -- fails
BEGIN;
LOCK TABLE large IN SHARE UPDATE EXCLUSIVE MODE;
ALTER TABLE large VALIDATE CONSTRAINT positive;
COMMIT;
BEGIN;
LOCK TABLE large;
ALTER TABLE large VALIDATE CONSTRAINT positive;
ALTER TABLE large VALIDATE CONSTRAINT nowhere; -- fails
ROLLBACK;
ALTER TABLE large DROP CONSTRAINT positive;

-- blocking_index: CREATE INDEX
CREATE INDEX ON large (lower(c), b DESC) INCLUDE (a) WHERE a > 0; -- fails
CREATE UNIQUE INDEX "Large" ON public.large USING btree (a); -- fails
CREATE INDEX "Parted" ON parted USING btree ((a + 1)); -- fails
CREATE INDEX ON large * (b); -- fails
CREATE INDEX ON parted_1 (a);
CREATE INDEX ON ONLY parted (a);
DROP INDEX parted_a_idx;
-- keys
ALTER TABLE large ADD PRIMARY KEY (a, b); -- fails
ALTER TABLE large ADD UNIQUE (b) INCLUDE (a) WITH (fillfactor = 70) USING INDEX TABLESPACE pg_default DEFERRABLE INITIALLY DEFERRED, ADD z text; -- fails
ALTER TABLE large ADD z text NOT NULL DEFAULT 1 CONSTRAINT "Z" UNIQUE DEFERRABLE COLLATE "C"; -- fails
ALTER TABLE large ADD UNIQUE NULLS NOT DISTINCT (b); -- fails
ALTER TABLE parted ADD PRIMARY KEY (a); -- fails
ALTER TABLE parted ADD CONSTRAINT key UNIQUE (a) DEFERRABLE; -- fails
ALTER TABLE large ADD EXCLUDE (a WITH =); -- fails
ALTER TABLE large ADD CONSTRAINT large_pkey PRIMARY KEY USING INDEX large_a; -- fails
ALTER TABLE large ADD CONSTRAINT large_pkey PRIMARY KEY USING INDEX nowhere; -- fails
BEGIN;
ALTER TABLE large ADD UNIQUE USING INDEX large_a;
ROLLBACK;
-- REINDEX, DROP INDEX, another tablespace
REINDEX TABLE large; -- fails
REINDEX (VERBOSE, TABLESPACE pg_default) INDEX large_b; -- fails
REINDEX INDEX CONCURRENTLY large_b;
REINDEX TABLE nowhere; -- fails
DROP INDEX large_b; -- fails
DROP INDEX IF EXISTS nowhere, parted_1_a_idx;
ALTER INDEX large_b SET TABLESPACE pg_default; -- fails
ALTER INDEX large_b SET (fillfactor = 80);
CREATE INDEX small_a ON small (a);
ALTER INDEX small_a SET TABLESPACE pg_default;
DROP INDEX small_a;
-- DETACH PARTITION
ALTER TABLE parted DETACH PARTITION parted_1; -- fails
ALTER TABLE parted DETACH PARTITION nowhere; -- fails
BEGIN;
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
ALTER TABLE parted DETACH PARTITION parted_1;
ROLLBACK;

-- table_rewrite: another type
DROP VIEW shown;
ALTER TABLE large ALTER a TYPE bigint; -- fails
ALTER TABLE large ALTER b SET DEFAULT 7;
ALTER TABLE large ALTER COLUMN c SET DATA TYPE integer USING (b + length(c)), ADD z text, ALTER b TYPE numeric; -- fails
ALTER TABLE large ALTER b DROP DEFAULT;
ALTER TABLE parted ALTER b TYPE bigint; -- fails
ALTER TABLE large ALTER c TYPE varchar;
CREATE INDEX CONCURRENTLY U&"large\000alines" ON large (c);
ALTER TABLE large ALTER c TYPE integer USING 1; -- fails
DROP INDEX CONCURRENTLY U&"large\000alines";
CREATE TYPE pair AS (a integer, b integer);
CREATE TABLE pairs OF pair;
INSERT INTO pairs SELECT n, n FROM generate_series(1, 1000) n;
ALTER TYPE pair ALTER ATTRIBUTE b TYPE bigint CASCADE; -- fails
DROP TYPE pair CASCADE;
-- a new column
ALTER TABLE large ADD d timestamptz NOT NULL DEFAULT clock_timestamp() CHECK (d > '2000-01-01'); -- fails
ALTER TABLE large ADD d timestamptz NOT NULL DEFAULT clock_timestamp(), ADD e text; -- fails
ALTER TABLE large ADD d bigserial; -- fails
-- the sequence of a serial has the owner of the table
CREATE ROLE regress_owner;
ALTER TABLE large OWNER TO regress_owner;
ALTER TABLE large ADD d serial2 UNIQUE; -- fails, for the key
SET dbkit.rule_levels = '*=off, table_rewrite=error';
ALTER TABLE large ADD d serial2 UNIQUE; -- fails
SET dbkit.rule_levels = '*=off, table_rewrite=error, blocking_index=error, blocking_validation=error';
ALTER TABLE large OWNER TO CURRENT_USER;
DROP ROLE regress_owner;
ALTER TABLE large ADD d bigint GENERATED ALWAYS AS IDENTITY; -- fails
ALTER TABLE large ADD d integer NOT NULL GENERATED BY DEFAULT AS IDENTITY (MINVALUE 7 CACHE 5); -- fails
ALTER TABLE large ADD d bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME public.d); -- fails
ALTER TABLE large ADD d bigint GENERATED ALWAYS AS (a + b) STORED; -- fails
-- PostgreSQL rewrites for the constraints of a domain, with a default or without
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
ALTER TABLE large ADD d positive; -- fails
ALTER TABLE large ADD d positive DEFAULT random(); -- fails
DROP DOMAIN positive;
ALTER TABLE large ADD d timestamptz NOT NULL DEFAULT now();
-- how it is stored
ALTER TABLE large SET UNLOGGED; -- fails
ALTER TABLE large SET ACCESS METHOD heap;
ALTER TABLE large SET TABLESPACE pg_default; -- fails
ALTER TABLE parted SET TABLESPACE pg_default;
VACUUM FULL large; -- fails
VACUUM (FULL) large, small, parted_2a; -- fails
VACUUM (FULL false) large;
VACUUM (FREEZE, ANALYZE) large;
ANALYZE large;
CLUSTER large USING large_b; -- fails
CLUSTER small USING nowhere; -- fails
CLUSTER;
ALTER TABLE large CLUSTER ON large_b;
CLUSTER; -- fails
ALTER TABLE large SET WITHOUT CLUSTER;
-- REFRESH
\set VERBOSITY sqlstate
REFRESH MATERIALIZED VIEW report; -- fails
\set VERBOSITY default
CREATE UNIQUE INDEX CONCURRENTLY ON report (a); -- fails, as the rows are equal
DROP INDEX CONCURRENTLY report_a_idx;
REFRESH MATERIALIZED VIEW report WITH NO DATA;
DROP MATERIALIZED VIEW report;
CREATE MATERIALIZED VIEW report AS SELECT a FROM large;
CREATE UNIQUE INDEX CONCURRENTLY ON report (a);
\set VERBOSITY sqlstate
REFRESH MATERIALIZED VIEW report; -- fails
\set VERBOSITY default
REFRESH MATERIALIZED VIEW CONCURRENTLY report;
DROP MATERIALIZED VIEW report;

-- small, empty, new and temporary tables are never spoken of
DO $$
DECLARE
	relation text;
	change text;
BEGIN
	CREATE TEMPORARY TABLE scratch AS SELECT a, b FROM large;
	CREATE TABLE new_enum AS SELECT a, b FROM large;
	FOREACH relation IN ARRAY '{small,empty,scratch,new_enum}'::text[] LOOP
		FOREACH change IN ARRAY ARRAY['ALTER TABLE %s ALTER a SET NOT NULL', 'ALTER TABLE %s ADD CHECK (b > 0)', 'CREATE INDEX ON %s (a)',
			'ALTER TABLE %s ADD PRIMARY KEY (a)', 'REINDEX TABLE %s', 'ALTER TABLE %s ALTER b TYPE bigint', 'ALTER TABLE %s ADD c bigserial'] LOOP
			EXECUTE format(change, relation);
		END LOOP;
	END LOOP;
	DROP TABLE scratch, new_enum;
END $$;
-- a statement in a function, in a DO block, or several that come together
DO $$ BEGIN ALTER TABLE large ADD CHECK (a > 1); END $$; -- fails
DO $$ BEGIN EXECUTE 'ALTER TABLE large ADD CHECK (a > 2)'; END $$; -- fails
CREATE FUNCTION change() RETURNS void LANGUAGE sql AS 'SELECT 1; ALTER TABLE large ADD CHECK (a > 3)';
SELECT change(); -- fails
DROP FUNCTION change;
\set VERBOSITY sqlstate
DO $$ BEGIN EXECUTE 'ALTER TABLE large ADD CHECK (a > 2' || repeat(' ', 1000000) || ')'; END $$; -- fails
\set VERBOSITY default
SELECT 1 \; ALTER TABLE large ADD CHECK (a > 4) \; SELECT 2; -- fails
PREPARE change AS SELECT 1;
DO $$ BEGIN
	BEGIN ALTER TABLE large ADD CHECK (a > 5); EXCEPTION WHEN SQLSTATE 'KD001' THEN RAISE NOTICE 'refused'; END;
	ALTER TABLE large ADD CHECK (b > 6);
END $$; -- fails
DEALLOCATE change;
-- what is warned of is done; and a team may know what it does
SET dbkit.rule_levels = '*=off, table_rewrite=warning, blocking_index=warning, blocking_validation=warning';
ALTER TABLE large ADD CHECK (a > 0), ALTER a TYPE bigint; -- warns, twice
BEGIN;
ALTER TABLE parted ALTER b TYPE bigint; -- warns once
-- how large they are now depends on the version
\set VERBOSITY sqlstate
ALTER TABLE parted ALTER b TYPE integer; -- warns once
COMMIT;
VACUUM FULL large; -- warns
\set VERBOSITY default
BEGIN;
SET LOCAL dbkit.rule_levels = '*=off';
ALTER TABLE large ALTER a TYPE integer;
COMMIT;
SET dbkit.enforce = off;
VACUUM FULL large;
RESET dbkit.enforce;
SET session_replication_role = replica;
VACUUM FULL large;
RESET session_replication_role;
SELECT dbkit.exempt('public.large', 'table_rewrite', 'by night');
VACUUM FULL large;
SELECT dbkit.unexempt('public.large', 'table_rewrite');
-- who may not change it is not told how large it is
SET dbkit.rule_levels = '*=off, table_rewrite=error, blocking_index=error, blocking_validation=error, breaking_change=error';
CREATE ROLE regress_guest;
SET ROLE regress_guest;
\set VERBOSITY sqlstate
ALTER TABLE large ALTER b SET NOT NULL; -- fails
REINDEX TABLE large; -- fails
VACUUM FULL large; -- warns
DROP TABLE large; -- fails
\set VERBOSITY default
RESET ROLE;
DROP ROLE regress_guest;

-- an option without a value, a system column
ALTER TABLE large ADD UNIQUE (c) WITH (deduplicate_items); -- fails
ALTER TABLE large ALTER tableoid SET NOT NULL; -- fails

-- names that hold the quotes of what is written
CREATE TABLE "a$fill$b" (a integer, "b$new$" integer);
INSERT INTO "a$fill$b" SELECT n, n FROM generate_series(1, 1000) n;
SET dbkit.rule_levels = '*=off, table_rewrite=error';
ALTER TABLE "a$fill$b" ALTER "b$new$" TYPE bigint; -- fails
VACUUM (FULL, SKIP_LOCKED) "a$fill$b";
SET dbkit.rule_levels = '*=off, table_rewrite=error, blocking_index=error, blocking_validation=error, breaking_change=error';

-- a statement that failed, whose text is gone
SELECT repeat('x', 300000) AS long \gset
SELECT length(:'long') \; REINDEX TABLE missing; -- fails
EXPLAIN (ANALYZE) CREATE TEMP TABLE made AS SELECT 1 \g /dev/null

-- breaking_change, whatever the size
ALTER TABLE small RENAME TO tiny; -- fails
ALTER TABLE small RENAME b TO c; -- fails
CREATE SCHEMA elsewhere;
ALTER TABLE small SET SCHEMA elsewhere; -- fails
DROP SCHEMA elsewhere;
ALTER TABLE small DROP b; -- fails
ALTER TABLE small ALTER b TYPE numeric; -- fails
DROP TABLE empty, small; -- fails
CREATE VIEW shown AS SELECT a FROM small;
ALTER VIEW shown RENAME TO seen; -- fails
ALTER VIEW shown RENAME a TO b; -- fails
DROP VIEW shown; -- fails
DROP TABLE nowhere; -- fails
BEGIN;
CREATE VIEW new_view AS SELECT a FROM small;
ALTER VIEW new_view RENAME TO newer_view;
DROP VIEW newer_view;
CREATE TABLE new_enum (value text PRIMARY KEY);
DROP TABLE new_enum;
ALTER TABLE parted_1 RENAME TO parted_0;
DROP TABLE empty;
COMMIT;
SET dbkit.rule_levels = '*=off';
DROP VIEW shown;
DROP TABLE large, other, parted, small, "a$fill$b";
DROP FUNCTION dbkit_agreement;
