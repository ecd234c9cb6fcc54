-- dbkit.protect writes the policies.
SET dbkit.enforce = off;
CREATE ROLE customer;
CREATE ROLE "regress_q""u.o te";
CREATE ROLE regress_owner;
CREATE SCHEMA regress_protect AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA regress_protect TO public;
SET search_path = regress_protect;
SET ROLE regress_owner;

CREATE VIEW policies AS
  SELECT c.oid::regclass AS "table", c.relrowsecurity AND c.relforcerowsecurity AS forced,
         p.policyname, p.permissive, p.roles, p.cmd, p.qual, p.qual = p.with_check AS checks_the_same
    FROM pg_class c LEFT JOIN pg_policies p ON (p.schemaname, p.tablename) = ('regress_protect', c.relname)
    WHERE c.relnamespace = 'regress_protect'::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname COLLATE "C", p.policyname COLLATE "C";
\pset expanded on

-- columns by their usual names, and "id" on the two tables themselves
CREATE TABLE organizations (id text);
CREATE TABLE users (id text, organization_id varchar(40));
CREATE TABLE by_both (user_id text, organization_id text);
CREATE TABLE by_user (id text, user_id text);
CREATE TABLE untouched (organization_id text);
SELECT dbkit.protect(t) FROM unnest('{organizations,users,by_both,by_user}'::regclass[]) t;
SELECT * FROM policies;
DROP TABLE organizations, users, by_both, by_user, untouched;
RESET ROLE;
SELECT dbkit.agree('{"organization_tables": ["tenants", "regress_protect.firms"]}') \gset
SET ROLE regress_owner;
CREATE TABLE firms (id text);
CREATE TABLE organizations (id text);
SELECT dbkit.protect('firms');
SELECT dbkit.protect('organizations'); -- fails
SELECT * FROM policies;
DROP TABLE firms, organizations;
RESET ROLE;
SELECT dbkit.agree('{"organization_tables": null}') \gset
SET ROLE regress_owner;

-- columns by name, or none of a kind; types that are not text
CREATE DOMAIN tenant AS text;
CREATE DOMAIN number AS smallint;
CREATE TABLE named (tenant tenant, owner_uuid uuid, user_id text, organization_id bigint, account number, old numeric(20, 0), short integer);
SELECT dbkit.protect('named', organization_column => 'tenant', user_column => 'owner_uuid');
SELECT * FROM policies;
SELECT dbkit.protect('named', user_column => 'account');
SELECT * FROM policies;
SELECT dbkit.protect('named', organization_column => '');
SELECT * FROM policies;
SELECT dbkit.protect('named', organization_column => '', user_column => 'old');
SELECT * FROM policies;
SELECT dbkit.protect('named', user_column => '');
SELECT * FROM policies;
SELECT dbkit.protect('named', user_column => 'short', organization_column => 'organization_id');
SELECT * FROM policies;
SELECT dbkit.protect('named', user_column => '', organization_column => ''); -- fails
DROP TABLE named;
DROP DOMAIN tenant, number;
\pset expanded off

-- both columns: the rows of the organization; if both are named, the user's own as well
CREATE TABLE either (user_id text, organization_id text);
INSERT INTO either VALUES ('usr_1', 'org_a'), ('usr_2', 'org_a'), ('usr_1', 'org_b'), ('usr_2', 'org_b'), ('usr_1', NULL), (NULL, 'org_a');
GRANT USAGE ON SCHEMA regress_protect TO customer;
GRANT ALL ON either TO customer;
SELECT dbkit.protect('either');
SET ROLE customer;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
SELECT * FROM either ORDER BY user_id, organization_id;
INSERT INTO either VALUES ('usr_2', 'org_a');
SAVEPOINT s;
INSERT INTO either VALUES ('usr_1', 'org_b'); -- fails
ROLLBACK TO s;
INSERT INTO either VALUES ('usr_1', NULL); -- fails
ROLLBACK;
SET ROLE regress_owner;
SELECT dbkit.protect('either', 'user_id', 'organization_id');
SET ROLE customer;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
SELECT * FROM either ORDER BY user_id, organization_id;
INSERT INTO either VALUES ('usr_2', 'org_a'), ('usr_1', NULL);
SAVEPOINT s;
INSERT INTO either VALUES ('usr_1', 'org_b'); -- fails
ROLLBACK TO s;
INSERT INTO either VALUES ('usr_2', NULL); -- fails
ROLLBACK TO s;
UPDATE either SET organization_id = 'org_b' WHERE organization_id = 'org_a'; -- fails
ROLLBACK;
BEGIN;
SELECT dbkit.enter('usr_2', NULL);
SELECT * FROM either ORDER BY user_id, organization_id;
ROLLBACK;
SET ROLE regress_owner;
DROP TABLE either;

-- columns in which the ids of two tenants can be equal
RESET ROLE;
SET client_min_messages = warning;
CREATE EXTENSION citext SCHEMA regress_protect;
RESET client_min_messages;
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN caseless_text AS text COLLATE caseless;
CREATE DOMAIN short_name AS name;
CREATE TABLE unequal (
  organization_id text COLLATE caseless, by_domain caseless_text, caseless varchar COLLATE caseless,
  name name, name_domain short_name, citext citext, fixed char(30), one_byte "char", mood mood,
  approximate double precision, document jsonb, list text[], span interval, flag boolean
);
ALTER TABLE unequal OWNER TO regress_owner;
SET ROLE regress_owner;
DO $$
DECLARE
  name name;
  detail text;
BEGIN
  FOR name IN SELECT attname FROM pg_attribute WHERE attrelid = 'unequal'::regclass AND attnum > 0 ORDER BY attnum LOOP
    BEGIN
      PERFORM dbkit.protect('unequal', organization_column => name);
      RAISE WARNING '% is taken', name;
    EXCEPTION WHEN datatype_mismatch OR collation_mismatch THEN
      GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
      RAISE NOTICE '% %: %', SQLSTATE, SQLERRM, detail;
    END;
  END LOOP;
END $$;
SELECT dbkit.protect('unequal'); -- fails
SELECT dbkit.protect('unequal', user_column => 'citext'); -- fails
DROP TABLE unequal;
RESET ROLE;
DROP EXTENSION citext;
DROP DOMAIN caseless_text, short_name;
DROP COLLATION caseless;
DROP TYPE mood;

-- other permissive policies that admit rows to the role
CREATE ROLE regress_group;
CREATE ROLE "regress_täam ""1""" IN ROLE regress_group;
SET ROLE regress_owner;
CREATE TABLE policed (organization_id text, id bigint) PARTITION BY LIST (id);
CREATE TABLE policed_1 PARTITION OF policed FOR VALUES IN (1);
CREATE POLICY "all ""rows""; é" ON policed USING (true);
CREATE POLICY alone ON policed AS RESTRICTIVE USING (id > 0);
CREATE POLICY by_group ON policed FOR SELECT TO regress_group USING (id = 1);
CREATE POLICY other_role ON policed TO customer USING (true);
CREATE POLICY of_partition ON policed_1 USING (true);
SELECT dbkit.protect('policed', role => 'regress_täam "1"');
SELECT dbkit.protect('policed', role => 'public');
DROP POLICY "all ""rows""; é" ON policed;
DROP POLICY by_group ON policed;
DROP POLICY of_partition ON policed_1;
DROP POLICY public_isolation ON policed;
SELECT dbkit.protect('policed', role => 'regress_täam "1"');
DROP TABLE policed;
RESET ROLE;
DROP ROLE "regress_täam ""1""", regress_group;

-- an owner who can log in
CREATE ROLE "regress_log.in" LOGIN;
CREATE ROLE regress_bypass LOGIN BYPASSRLS;
CREATE TABLE owned (organization_id text, id bigint) PARTITION BY LIST (id);
CREATE TABLE owned_1 PARTITION OF owned FOR VALUES IN (1);
CREATE TABLE owned_2 PARTITION OF owned FOR VALUES IN (2);
ALTER TABLE owned OWNER TO "regress_log.in";
ALTER TABLE owned_1 OWNER TO "regress_log.in";
SELECT dbkit.protect('owned');
SELECT dbkit.protect('owned', role => 'regress_log.in');
DROP POLICY "regress_log.in_isolation" ON owned;
SELECT dbkit.protect('owned', role => 'public');
DROP POLICY public_isolation ON owned;
CREATE POLICY migrations ON owned TO "regress_log.in" USING (true);
SELECT dbkit.protect('owned');
DROP POLICY migrations ON owned;
ALTER TABLE owned OWNER TO regress_bypass;
ALTER TABLE owned_1 OWNER TO regress_owner;
SELECT dbkit.protect('owned');
DROP TABLE owned;
DROP ROLE "regress_log.in", regress_bypass;
SET ROLE regress_owner;
\pset expanded on

-- once more, after the columns have changed; and for a second role
CREATE TABLE again (organization_id text);
SELECT dbkit.protect('again');
ALTER TABLE again RENAME COLUMN organization_id TO org;
SELECT dbkit.protect('again', organization_column => 'org');
SELECT dbkit.protect('again', organization_column => 'org', role => 'regress_owner');
SELECT * FROM policies;
DROP TABLE again;

-- names that need quotes
RESET ROLE;
CREATE SCHEMA "regress_sch.e""ma" AUTHORIZATION regress_owner;
SET ROLE regress_owner;
CREATE TABLE "regress_sch.e""ma"."t'a""b.l e" ("select" text);
SELECT dbkit.protect('"regress_sch.e""ma"."t''a""b.l e"', organization_column => 'select', role => 'regress_q"u.o te');
SELECT tablename, policyname, roles, qual FROM pg_policies WHERE schemaname = 'regress_sch.e"ma';
DROP SCHEMA "regress_sch.e""ma" CASCADE;
RESET ROLE;
CREATE ROLE "regress_é12345678901234567890123456789012345678901234567890123";
CREATE TABLE "é2345678901234567890123456789012345678901234567890123456789012" (organization_id text);
SELECT dbkit.protect('é2345678901234567890123456789012345678901234567890123456789012',
  role => 'regress_é12345678901234567890123456789012345678901234567890123');
SELECT policyname, roles FROM pg_policies WHERE schemaname = 'regress_protect';
DROP TABLE "é2345678901234567890123456789012345678901234567890123456789012";
DROP ROLE "regress_é12345678901234567890123456789012345678901234567890123";
SET ROLE regress_owner;

-- partitions and children get the same, at every depth
CREATE TABLE parent (organization_id text, part bigint) PARTITION BY LIST (part);
CREATE TABLE parent_1 PARTITION OF parent FOR VALUES IN (1) PARTITION BY LIST (organization_id);
CREATE TABLE parent_1_a PARTITION OF parent_1 FOR VALUES IN ('a');
CREATE TABLE plain (organization_id text);
CREATE TABLE plain_child () INHERITS (plain);
SELECT dbkit.protect('parent'), dbkit.protect('plain');
SELECT * FROM policies;
DROP TABLE parent, plain CASCADE;

-- wrong uses
\pset expanded off
CREATE TABLE bare (id text);
SELECT dbkit.protect('bare'); -- fails
SELECT dbkit.protect('bare', organization_column => 'nowhere'); -- fails
SELECT dbkit.protect('bare', user_column => 'ctid'); -- fails
SELECT dbkit.protect('bare', user_column => 'id', role => 'regress_nobody'); -- fails
SELECT dbkit.protect('policies', user_column => 'cmd'); -- fails
SELECT dbkit.protect(NULL); -- fails
SELECT dbkit.protect('bare', user_column => 'id', role => NULL); -- fails
SELECT dbkit.protect(1); -- fails
CREATE MATERIALIZED VIEW stored AS SELECT 'x'::text AS organization_id;
CREATE TYPE pair AS (organization_id text, id bigint);
CREATE SEQUENCE numbers;
CREATE INDEX bare_index ON bare (id);
SELECT dbkit.protect('stored'); -- fails
SELECT dbkit.protect('pair'); -- fails
SELECT dbkit.protect('numbers'); -- fails
SELECT dbkit.protect('bare_index'); -- fails
SELECT dbkit.protect('pg_catalog.pg_description', user_column => 'description'); -- fails
RESET ROLE;
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_server FOREIGN DATA WRAPPER regress_wrapper;
CREATE FOREIGN TABLE far (organization_id text) SERVER regress_server;
SELECT dbkit.protect('far'); -- fails
DROP FOREIGN DATA WRAPPER regress_wrapper CASCADE;
SELECT dbkit.protect('pg_catalog.pg_description', user_column => 'description'); -- fails
CREATE TEMPORARY TABLE passing (organization_id text);
SELECT dbkit.protect('passing');
SELECT polname, relforcerowsecurity FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid WHERE relname = 'passing';
DROP TABLE passing;
SET ROLE customer;
SELECT dbkit.protect('regress_protect.bare', user_column => 'id'); -- fails
RESET ROLE;
SELECT relrowsecurity FROM pg_class WHERE oid = 'bare'::regclass;

-- a uuid column, with its index
SET ROLE regress_owner;
CREATE TABLE by_uuid (organization_id uuid);
CREATE INDEX ON by_uuid (organization_id);
INSERT INTO by_uuid SELECT gen_random_uuid() FROM generate_series(1, 1000);
INSERT INTO by_uuid VALUES ('00000000-0000-0000-0000-000000000001');
ANALYZE by_uuid;
SELECT dbkit.protect('by_uuid');
GRANT SELECT, INSERT ON by_uuid TO customer;
RESET ROLE;
SET ROLE customer;
SET enable_seqscan = off;
DO $$
DECLARE line text; used boolean := false; BEGIN
  FOR line IN EXECUTE 'EXPLAIN SELECT * FROM by_uuid' LOOP used := used OR line LIKE '%Index Cond: (organization_id = %'; END LOOP;
  ASSERT used, 'the index is not used';
END $$;
BEGIN;
SELECT dbkit.enter('usr_1', '00000000-0000-0000-0000-000000000001');
SELECT * FROM by_uuid;
INSERT INTO by_uuid VALUES ('00000000-0000-0000-0000-000000000001');
INSERT INTO by_uuid VALUES ('00000000-0000-0000-0000-000000000002'); -- fails
ROLLBACK;
BEGIN;
SELECT dbkit.enter('usr_1', NULL);
SELECT * FROM by_uuid;
ROLLBACK;
RESET enable_seqscan;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA regress_protect CASCADE;
DROP ROLE customer, regress_owner, "regress_q""u.o te";
