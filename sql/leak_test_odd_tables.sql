-- dbkit.leak_test(): tables, keys and functions that are hard to make a row for, or to judge
\set roles '{regress_tenant,regress_owner}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
SET dbkit.enforce = off;
CREATE EXTENSION dbkit_test;
CREATE ROLE regress_tenant;
CREATE ROLE regress_owner;
CREATE SCHEMA leaks;
CREATE SCHEMA of_owner AUTHORIZATION regress_owner;
CREATE SCHEMA closed;
GRANT USAGE ON SCHEMA leaks TO regress_tenant, regress_owner;
SET search_path = leaks, public, of_owner, closed;
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org'), name text);
SELECT dbkit.protect('organizations', role => 'regress_tenant');
REVOKE ALL ON organizations FROM regress_tenant;
\echo '== columns that are gone or generated, partitions of odd types, hashes that have nothing to do with the organization'
CREATE TABLE odd (gone text, id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('odd'), organization_id text COLLATE "C" NOT NULL REFERENCES organizations, n bigint GENERATED ALWAYS AS (1) STORED);
ALTER TABLE odd DROP gone;
CREATE TABLE flagged (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, flag boolean NOT NULL) PARTITION BY LIST (flag);
CREATE TABLE flagged_rest PARTITION OF flagged DEFAULT;
CREATE TABLE hashed (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, n bigint NOT NULL, flag boolean NOT NULL) PARTITION BY HASH (n, flag);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT dbkit.protect(t, role => 'regress_tenant') FROM unnest('{odd,flagged,hashed}'::regclass[]) t;
GRANT SELECT ON flagged_rest, hashed_0, hashed_1 TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ '^not ok|^#' OR line ~ 'shows';
DROP TABLE flagged, hashed, odd;
\echo '== a row that does not stay, and one that has no parent'
CREATE TABLE fleeting (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, n bigint);
CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM leaks.fleeting; RETURN NULL; END $$;
CREATE TRIGGER vanish AFTER INSERT ON fleeting FOR EACH ROW EXECUTE FUNCTION vanish();
CREATE TABLE unmakable (id text PRIMARY KEY, CHECK (id IS NULL));
ALTER TABLE unmakable OWNER TO regress_owner;
CREATE TABLE orphans (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, unmakable_id text REFERENCES unmakable);
CREATE TABLE base (id text PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE base_a PARTITION OF base DEFAULT;
CREATE TABLE of_partition (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, base_id text REFERENCES base_a);
GRANT SELECT ON fleeting, orphans, of_partition TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line;
DROP TABLE fleeting, orphans, of_partition, base, unmakable;
\echo '== unique keys: in part of the rows, without a value, by UPDATE alone, out of reach'
CREATE TABLE unique_keys (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, code text NOT NULL, partial_code text NOT NULL, day date UNIQUE, shown text NOT NULL UNIQUE, n bigint);
CREATE UNIQUE INDEX ON unique_keys (partial_code) WHERE n > 1000000;
CREATE UNIQUE INDEX ON unique_keys (code) WHERE unique_keys IS NOT NULL OR code IS NOT NULL;
SELECT dbkit.protect('unique_keys', role => 'regress_tenant');
REVOKE ALL ON unique_keys FROM regress_tenant;
GRANT SELECT, UPDATE (code, partial_code, day) ON unique_keys TO regress_tenant;
CREATE TABLE out_of_reach (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, code text NOT NULL UNIQUE);
ALTER TABLE out_of_reach ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON out_of_reach FOR SELECT TO regress_tenant USING (organization_id = dbkit.organization_id());
GRANT SELECT, INSERT ON out_of_reach TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line;
DROP TABLE unique_keys, out_of_reach;
\echo '== what a trigger or CHECK says of the values is not decided; a view may lack the column of a key'
CREATE TABLE documents (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('doc'), organization_id text COLLATE "C" NOT NULL REFERENCES organizations);
CREATE TABLE guarded (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('gua'), organization_id text COLLATE "C" NOT NULL REFERENCES organizations, document_id text COLLATE "C" NOT NULL REFERENCES documents, n bigint);
SELECT dbkit.protect(t, role => 'regress_tenant') FROM unnest('{documents,guarded}'::regclass[]) t;
REVOKE ALL ON documents, guarded FROM regress_tenant;
GRANT SELECT ON documents TO regress_tenant;
GRANT SELECT, INSERT, UPDATE (n) ON guarded TO regress_tenant;
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF tg_op = 'UPDATE' OR NOT EXISTS (SELECT FROM leaks.documents d WHERE d.id = new.document_id) THEN RAISE check_violation; END IF;
  RETURN new;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
CREATE VIEW without_key WITH (security_invoker) AS SELECT id, organization_id, n FROM guarded;
GRANT SELECT, INSERT ON without_key TO regress_tenant;
CREATE TABLE hidden (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, document_id text COLLATE "C" REFERENCES documents);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY hidden ON hidden TO regress_tenant USING (false);
GRANT UPDATE ON hidden TO regress_tenant;
CREATE TABLE updated (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, n bigint);
SELECT dbkit.protect('updated', role => 'regress_tenant');
REVOKE ALL ON updated FROM regress_tenant;
GRANT UPDATE (n) ON updated TO regress_tenant;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE check_violation; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON updated FOR EACH STATEMENT EXECUTE FUNCTION refuse();
SELECT * FROM dbkit.leak_test('regress_tenant') AS line;
DROP VIEW without_key;
DROP TABLE guarded, hidden, documents, updated;
\echo '== functions that fail by what others have, now and then, or with many words; what is another one each time'
CREATE TABLE documents (organization_id text COLLATE "C" NOT NULL REFERENCES organizations, n bigint);
CREATE SEQUENCE calls;
GRANT USAGE ON SEQUENCE calls TO regress_tenant;
CREATE FUNCTION fails_alone() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1 / (count(*) - 1) FROM leaks.documents';
CREATE FUNCTION fails_with_others() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1 / (count(*) - 2) FROM leaks.documents';
CREATE FUNCTION fails_at_times() RETURNS bigint LANGUAGE sql AS 'SELECT 1 / (nextval(''leaks.calls'') % 2)';
CREATE FUNCTION fails_at_length() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE '%', repeat('many words ', 200); END $$;
CREATE FUNCTION with_one(n bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint';
CREATE FUNCTION with_two(n bigint, m bigint) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint';
CREATE VIEW unstable AS SELECT random() AS lottery, 1 AS one;
GRANT SELECT ON unstable TO regress_tenant;
SELECT replace(line, repeat('many words ', 200), 'many words') AS line FROM dbkit.leak_test('regress_tenant') AS line;
\echo '== what the owner may do ends with the row that is made: a forced table shows its owner nothing else, nor does a view of it'
CREATE TABLE of_tenant (organization_id text COLLATE "C" NOT NULL REFERENCES organizations);
SELECT dbkit.protect('of_tenant', role => 'regress_tenant');
REVOKE ALL ON of_tenant FROM regress_tenant;
ALTER TABLE of_tenant OWNER TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ 'of_tenant';
DROP TABLE of_tenant;
CREATE TABLE behind_view (organization_id text COLLATE "C" NOT NULL REFERENCES organizations);
ALTER TABLE behind_view ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON behind_view USING (organization_id = dbkit.organization_id());
ALTER TABLE behind_view OWNER TO regress_owner;
CREATE VIEW in_front AS SELECT * FROM behind_view;
ALTER VIEW in_front OWNER TO regress_owner;
GRANT SELECT ON in_front TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ 'in_front';
DROP TABLE behind_view CASCADE;
\echo '== rows of foreign tables cannot be seen: below a partitioned table, found and made'
CREATE EXTENSION file_fdw SCHEMA public;
CREATE SERVER leaks_files FOREIGN DATA WRAPPER file_fdw;
CREATE TABLE kinds (kind text COLLATE "C") PARTITION BY LIST (kind);
CREATE FOREIGN TABLE kinds_far PARTITION OF kinds DEFAULT SERVER leaks_files OPTIONS (program 'echo far');
GRANT SELECT ON kinds TO regress_tenant;
SELECT * FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ 'kinds';
DROP TABLE kinds;
DROP EXTENSION file_fdw CASCADE;
\echo '== what is deferred is checked first; no role to test'
CREATE TABLE later (organization_id text COLLATE "C" REFERENCES organizations DEFERRABLE INITIALLY DEFERRED);
BEGIN;
INSERT INTO later VALUES ('nobody');
SELECT dbkit.leak_test('regress_tenant'); -- fails
ROLLBACK;
CREATE OR REPLACE FUNCTION public.dbkit_agreement() RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '{"preset": "none", "customer_role": null}'::pg_catalog.jsonb$$;
SELECT dbkit.leak_test(); -- fails
DROP FUNCTION public.dbkit_agreement;
DROP SCHEMA leaks, of_owner, closed CASCADE;
DROP EXTENSION dbkit_test;
DROP ROLE regress_tenant, regress_owner;
