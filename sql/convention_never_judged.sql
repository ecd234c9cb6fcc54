-- What is never judged.
\i sql/include/convention.psql
-- temporary tables and views, however they are spelled
CREATE TEMPORARY TABLE never (n int);
CREATE TABLE pg_temp.never_2 (n int);
ALTER TABLE never ADD m timestamp;
CREATE TEMPORARY TABLE never_3 AS SELECT 1 AS n;
SELECT 1 AS n INTO TEMPORARY never_4;
CREATE TEMPORARY VIEW never_5 AS SELECT 1 AS n;
CREATE VIEW never_6 AS SELECT n FROM never;
CREATE TYPE pg_temp.never_7 AS ENUM ('a');
-- nor do they hold prefixes
CREATE TEMPORARY TABLE never_8 (id text DEFAULT generate_id('nev') CHECK (id LIKE 'nev_%'));
SELECT count(*) FROM dbkit.id_prefix;

-- foreign tables, materialized views, sequences, composite types, domains, functions, indexes
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_server FOREIGN DATA WRAPPER regress_wrapper;
CREATE FOREIGN TABLE never_foreign (n int) SERVER regress_server;
ALTER FOREIGN TABLE never_foreign ADD at timestamp;
CREATE MATERIALIZED VIEW never_matview AS SELECT 1 AS n, now()::timestamp AS at;
CREATE UNIQUE INDEX ON never_matview (n);
REFRESH MATERIALIZED VIEW CONCURRENTLY never_matview;
ALTER MATERIALIZED VIEW never_matview RENAME TO never_matview_2;
CREATE SEQUENCE never_sequence AS int;
CREATE TYPE never_row AS (n int, at timestamp);
CREATE DOMAIN never_domain AS int;
CREATE FUNCTION never_function(int) RETURNS timestamp LANGUAGE sql AS 'SELECT now()::timestamp';
GRANT SELECT ON never_sequence TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC;
DROP SERVER regress_server CASCADE;
DROP FOREIGN DATA WRAPPER regress_wrapper;
DROP MATERIALIZED VIEW never_matview_2;
DROP SEQUENCE never_sequence;
DROP FUNCTION never_function;
DROP TYPE never_row;
DROP DOMAIN never_domain;

-- partitions
SELECT pg_temp.try(pg_temp.table_sql('root', 'roo', 'n bigint', 'PARTITION BY RANGE (id)'));
CREATE TABLE part PARTITION OF root FOR VALUES FROM ('roo_0') TO ('roo_5');
CREATE TABLE parted PARTITION OF root FOR VALUES FROM ('roo_5') TO ('roo_7') PARTITION BY RANGE (id);
CREATE TABLE parted_part PARTITION OF parted FOR VALUES FROM ('roo_5') TO ('roo_6');
ALTER TABLE part ALTER id DROP DEFAULT;
SELECT * FROM dbkit.check('part');
-- but their root is
SELECT pg_temp.try('ALTER TABLE root ADD small int');
DROP TABLE root;

-- the system's schemas: information_schema is one
CREATE VIEW information_schema.never AS SELECT 1 AS n;
CREATE TABLE information_schema.never_table (n int);
SELECT * FROM dbkit.check_schema('information_schema');
DROP VIEW information_schema.never;
DROP TABLE information_schema.never_table;
SELECT * FROM dbkit.check_schema('pg_catalog');
SELECT * FROM dbkit.check('pg_class');
SELECT * FROM dbkit.check('pg_class_oid_index');

-- members of an extension: of this one, by its script, or added later
SELECT * FROM dbkit.check_schema('dbkit');
ALTER TABLE dbkit.id_prefix SET (fillfactor = 90);
ALTER TABLE dbkit.id_prefix RESET (fillfactor);
SET dbkit.enforce = off;
CREATE TABLE member (n int);
CREATE VIEW member_view AS SELECT 1 AS n;
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, enum_type=off';
CREATE TYPE member_type AS ENUM ('a');
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off';
RESET dbkit.enforce;
SELECT rule, object_identity FROM dbkit.check_schema('public') ORDER BY rule, object_identity;
ALTER EXTENSION plpgsql ADD TABLE member;
ALTER EXTENSION plpgsql ADD VIEW member_view;
ALTER EXTENSION plpgsql ADD TYPE member_type;
SELECT rule, object_identity FROM dbkit.check_schema('public');
ALTER TABLE member ADD at timestamp;
CREATE OR REPLACE VIEW member_view AS SELECT 2 AS n;
ALTER TYPE member_type ADD VALUE 'b';
SELECT pg_temp.why('ALTER EXTENSION plpgsql DROP TABLE member');
SELECT pg_temp.why('ALTER EXTENSION plpgsql DROP VIEW member_view');
SELECT pg_temp.why('ALTER EXTENSION plpgsql DROP TYPE member_type');
SET dbkit.enforce = off;
ALTER EXTENSION plpgsql DROP TABLE member;
ALTER EXTENSION plpgsql DROP VIEW member_view;
ALTER EXTENSION plpgsql DROP TYPE member_type;
RESET dbkit.enforce;
-- no longer members: what they were then is not new, and all else is
SELECT pg_temp.why('ALTER TABLE member ADD x text');
SELECT pg_temp.why('ALTER TABLE member ADD m int');
SELECT pg_temp.why('CREATE OR REPLACE VIEW member_view AS SELECT 3 AS n');
SELECT pg_temp.why($$ALTER TYPE member_type ADD VALUE 'c'$$);
DROP TABLE member;
DROP VIEW member_view;
DROP TYPE member_type;

-- commands that change nothing that a rule looks at, on a table that breaks them
SET dbkit.enforce = off;
CREATE TABLE never_old (n int);
CREATE VIEW never_old_view AS SELECT n FROM never_old;
RESET dbkit.enforce;
COMMENT ON TABLE never_old IS 'old';
COMMENT ON COLUMN never_old.n IS 'old';
GRANT SELECT ON never_old TO PUBLIC;
CREATE INDEX ON never_old (n);
CREATE STATISTICS never_statistics ON n, (n + 1) FROM never_old;
CREATE RULE never_rule AS ON DELETE TO never_old DO INSTEAD NOTHING;
ANALYZE never_old;
TRUNCATE never_old;
REINDEX TABLE never_old;
CLUSTER never_old USING never_old_n_idx;
CREATE TABLE IF NOT EXISTS never_old (n int);
CREATE TABLE IF NOT EXISTS never_old AS SELECT 1 AS n;
ALTER TABLE IF EXISTS never_missing ADD n int;
DROP VIEW never_old_view;
DROP TABLE never_old;
DROP TABLE never CASCADE;
