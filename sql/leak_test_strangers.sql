-- dbkit.leak_test() lends no rights of one owner to the code of another
\set roles '{regress_tenant,regress_stranger}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
SET dbkit.enforce = off;
CREATE EXTENSION dbkit_test;
CREATE ROLE regress_tenant;
CREATE ROLE regress_stranger;
CREATE SCHEMA leaks;
GRANT USAGE ON SCHEMA leaks TO regress_tenant;
GRANT USAGE, CREATE ON SCHEMA leaks TO regress_stranger;
SET search_path = leaks, public;
-- what a sequence has counted is not rolled back
CREATE SEQUENCE lent;
GRANT USAGE ON SEQUENCE lent TO PUBLIC;
SET ROLE regress_stranger;
CREATE FUNCTION note() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF current_user NOT IN ('regress_stranger', 'regress_tenant') THEN PERFORM nextval('leaks.lent'); END IF;
  RETURN 'noted';
END $$;
CREATE FUNCTION note_check(v text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN leaks.note() = 'noted'; END $$;
CREATE FUNCTION note_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM leaks.note(); IF current_user = 'regress_stranger' THEN RAISE 'not as myself'; END IF; RETURN new; END $$;
CREATE DOMAIN noted AS text CHECK (leaks.note_check(value));
CREATE VIEW noting AS SELECT leaks.note() AS noted;
CREATE TABLE parents (id text COLLATE "C" PRIMARY KEY DEFAULT 'p', organization_id text);
CREATE TRIGGER note BEFORE INSERT ON parents FOR EACH ROW EXECUTE FUNCTION note_row();
GRANT REFERENCES ON parents TO PUBLIC;
RESET ROLE;
CREATE TABLE by_default (organization_id text, n text DEFAULT note());
CREATE TABLE by_check (organization_id text, n text CHECK (note_check(n)));
CREATE TABLE by_domain (organization_id text, n noted NOT NULL);
CREATE TABLE by_domain_of_domain (organization_id text, n noted[] NOT NULL DEFAULT '{a}');
CREATE TABLE by_index (organization_id text, n text);
CREATE INDEX ON by_index (note_check(n));
CREATE TABLE by_generation (organization_id text, n text, g boolean GENERATED ALWAYS AS (note_check(n)) STORED);
CREATE TABLE by_rule (organization_id text, n text);
CREATE RULE noting AS ON INSERT TO by_rule WHERE note_check(new.n) DO ALSO NOTHING;
CREATE TABLE by_parent (organization_id text, parent_id text COLLATE "C" NOT NULL REFERENCES parents);
CREATE TABLE by_partition (organization_id text, n text) PARTITION BY LIST (n);
CREATE TABLE by_partition_a PARTITION OF by_partition DEFAULT PARTITION BY LIST (n);
CREATE TABLE by_partition_a_b PARTITION OF by_partition_a DEFAULT;
CREATE INDEX ON by_partition_a_b (note_check(n));
CREATE TABLE harmless (organization_id text, n text CHECK (n <> ''));
CREATE MATERIALIZED VIEW stored AS SELECT note() AS noted, organization_id FROM harmless;
CREATE MATERIALIZED VIEW stored_view AS SELECT noted FROM noting;
CREATE MATERIALIZED VIEW stored_harmless AS SELECT organization_id FROM harmless;
SELECT last_value, is_called FROM lent;
SELECT setval('lent', 1, false);
GRANT SELECT ON ALL TABLES IN SCHEMA leaks TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line !~ '^ok|\(\)';
SELECT is_called AS lent FROM lent;
\echo '== nor where another organization is made for a partition'
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org'), n text DEFAULT note());
CREATE TABLE spread (organization_id text COLLATE "C" NOT NULL REFERENCES organizations) PARTITION BY LIST (organization_id);
CREATE TABLE spread_1 PARTITION OF spread FOR VALUES IN ('org_01hw0000000000000000000000');
GRANT SELECT ON organizations, spread, spread_1 TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ 'spread|organizations can';
SELECT is_called AS lent FROM lent;
DROP SCHEMA leaks CASCADE;
DROP OWNED BY regress_tenant, regress_stranger;
DROP EXTENSION dbkit_test;
DROP ROLE regress_tenant, regress_stranger;
