-- dbkit.leak_test(): holes that reading and writing all rows at once does not show
\set roles '{regress_tenant}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
SET dbkit.enforce = off;
CREATE EXTENSION dbkit_test;
CREATE ROLE regress_tenant;
CREATE SCHEMA leaks;
GRANT USAGE ON SCHEMA leaks TO regress_tenant;
SET search_path = leaks, public;
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org'), name text);
CREATE TABLE documents (
  id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('doc'),
  organization_id text COLLATE "C" NOT NULL DEFAULT dbkit.organization_id() REFERENCES organizations (id),
  slug text NOT NULL, status text NOT NULL DEFAULT 'draft');
SELECT dbkit.protect(t, role => 'regress_tenant') FROM unnest('{organizations,documents}'::regclass[]) t;
REVOKE ALL ON organizations, documents FROM regress_tenant;
\echo '== a trigger keeps one column as it is, and the own row'
CREATE TABLE kept (LIKE documents INCLUDING ALL, FOREIGN KEY (organization_id) REFERENCES organizations);
SELECT dbkit.protect('kept', role => 'regress_tenant');
CREATE POLICY changed ON kept FOR UPDATE TO regress_tenant USING (true) WITH CHECK (true);
CREATE POLICY deleted ON kept FOR DELETE TO regress_tenant USING (true);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_op = 'DELETE' THEN
    IF old.organization_id = dbkit.organization_id() THEN RAISE 'this is the last one'; END IF;
    RETURN old;
  ELSIF new.slug <> old.slug THEN RAISE 'the slug is fixed';
  END IF;
  RETURN new;
END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON kept FOR EACH ROW EXECUTE FUNCTION keep();
CREATE TABLE kept_all (LIKE documents INCLUDING ALL, FOREIGN KEY (organization_id) REFERENCES organizations);
SELECT dbkit.protect('kept_all', role => 'regress_tenant');
CREATE FUNCTION keep_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'nothing changes'; END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON kept_all FOR EACH STATEMENT EXECUTE FUNCTION keep_all();
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ '^not ok|kept|^# (UPDATE|DELETE)';
DROP TABLE kept, kept_all;
\echo '== a policy that shows all rows to UPDATE, and checks only whose they are afterwards'
CREATE TABLE taken (LIKE documents INCLUDING ALL, user_id text COLLATE "C", FOREIGN KEY (organization_id) REFERENCES organizations);
CREATE TABLE lines (document_id text COLLATE "C" NOT NULL REFERENCES taken, n bigint);
SELECT dbkit.protect('taken', role => 'regress_tenant', access => 'member');
DROP POLICY regress_tenant_isolation_update ON taken;
CREATE POLICY changed ON taken FOR UPDATE TO regress_tenant USING (true) WITH CHECK (organization_id = dbkit.organization_id() AND user_id = dbkit.user_id());
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lines TO regress_tenant USING (true) WITH CHECK (EXISTS (SELECT FROM taken d WHERE d.id = document_id));
GRANT UPDATE ON lines TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ '^not ok|^# UPDATE';
DROP TABLE taken, lines;
\echo '== TRUNCATE goes past row level security'
CREATE TABLE emptied (LIKE documents INCLUDING ALL);
CREATE TABLE plans (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('pln'));
GRANT TRUNCATE ON emptied, plans TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line;
DROP TABLE emptied, plans;
\echo '== an exclusion constraint tells'
CREATE TABLE booked (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('bkg'), organization_id text COLLATE "C" NOT NULL REFERENCES organizations, during tstzrange NOT NULL, EXCLUDE USING gist (during WITH &&));
SELECT dbkit.protect('booked', role => 'regress_tenant');
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ '^not ok|^# A unique|booked has';
DROP TABLE booked;
\echo '== a time that the session''s DateStyle writes as PostgreSQL cannot read it tells'
SET DateStyle = 'Postgres, MDY';
SET TimeZone = 'America/Los_Angeles';
CREATE TABLE booked (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('bkg'), organization_id text COLLATE "C" NOT NULL REFERENCES organizations,
	at timestamptz NOT NULL UNIQUE CHECK (at >= '1943-06-01 00:00:00+00' AND at <= '1943-07-01 00:00:00+00'));
SELECT dbkit.protect('booked', role => 'regress_tenant');
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ '^not ok|^# A unique|booked has';
DROP TABLE booked;
\echo '== procedures are called as functions are'
CREATE PROCEDURE wipe() LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM leaks.documents';
CREATE PROCEDURE rename(INOUT slug text DEFAULT 'x') LANGUAGE plpgsql AS $$ BEGIN slug := slug || 'y'; COMMIT; END $$;
CREATE PROCEDURE wipe_one(slug text) LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM leaks.documents d WHERE d.slug = slug';
SELECT * FROM dbkit.leak_test('regress_tenant') AS line;
DROP PROCEDURE wipe, rename, wipe_one;
-- there are rows already, as in a database that people work with
INSERT INTO organizations VALUES ('org_1', 'first');
INSERT INTO documents VALUES ('doc_1', 'org_1', 'first');
\echo '== a view without security_barrier lets conditions of a query see what it leaves out'
CREATE VIEW filtered AS SELECT id, slug FROM documents WHERE organization_id = dbkit.organization_id();
CREATE VIEW barrier WITH (security_barrier) AS TABLE filtered;
CREATE VIEW inner_barrier WITH (security_barrier) AS SELECT id, slug FROM documents WHERE organization_id = dbkit.organization_id();
CREATE VIEW invoker WITH (security_invoker) AS SELECT id, slug FROM documents;
CREATE VIEW counted AS SELECT count(*) FROM documents WHERE organization_id = dbkit.organization_id();
GRANT SELECT ON filtered, barrier, inner_barrier, counted, invoker TO regress_tenant;
GRANT SELECT ON documents TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line;
DROP VIEW filtered, barrier, inner_barrier, invoker, counted;
REVOKE SELECT ON documents FROM regress_tenant;
DELETE FROM documents;
DELETE FROM organizations;
\echo '== what shows no row, or another number of rows each time, proves nothing'
CREATE VIEW published AS SELECT o.name, count(*) FROM documents d JOIN organizations o ON o.id = d.organization_id WHERE d.status = 'published' GROUP BY o.name;
CREATE VIEW published_to_me WITH (security_invoker) AS SELECT 1 AS n FROM documents d, organizations o WHERE d.status = 'published';
CREATE MATERIALIZED VIEW stored AS SELECT slug FROM documents WHERE status = 'published';
CREATE VIEW waiting AS SELECT pid FROM pg_locks WHERE NOT granted;
CREATE SEQUENCE rows_shown;
CREATE VIEW flaky AS SELECT d.status FROM documents d, generate_series(1, nextval('leaks.rows_shown')) g;
CREATE FUNCTION flaky_call() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN 1 / (nextval('leaks.rows_shown') % 2); END $$;
GRANT SELECT ON published, published_to_me, stored, waiting, flaky TO regress_tenant;
GRANT USAGE ON SEQUENCE rows_shown TO regress_tenant;
GRANT SELECT (id, status) ON documents TO regress_tenant;
GRANT SELECT ON organizations TO regress_tenant;
SELECT regexp_replace(line, 'first \d+, then \d+', 'first …, then …') FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ '^not ok|^#|published|stored|waiting';
DROP SCHEMA leaks CASCADE;
DROP EXTENSION dbkit_test;
DROP ROLE regress_tenant;
