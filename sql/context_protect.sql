-- dbkit.protect writes the policies.
SET dbkit.enforce = off;
CREATE ROLE customer;
CREATE ROLE "regress_q""u.o te";
CREATE ROLE regress_owner;
CREATE SCHEMA regress_protect AUTHORIZATION regress_owner;
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
SET dbkit.organization_table = 'tenants, regress_protect.firms';
SET ROLE regress_owner;
CREATE TABLE firms (id text);
CREATE TABLE organizations (id text);
SELECT dbkit.protect('firms');
SELECT dbkit.protect('organizations'); -- fails
SELECT * FROM policies;
DROP TABLE firms, organizations;
RESET ROLE;
RESET dbkit.organization_table;
SET ROLE regress_owner;

-- columns by name, or none of a kind; types that are not text
CREATE DOMAIN tenant AS text;
CREATE TABLE named (tenant tenant, owner_uuid uuid, user_id text, organization_id bigint);
SELECT dbkit.protect('named', organization_column => 'tenant', user_column => 'owner_uuid');
SELECT dbkit.protect('named', user_column => '', role => 'public');
SELECT * FROM policies;
DROP TABLE named;
DROP DOMAIN tenant;

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
RESET ROLE;
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
GRANT USAGE ON SCHEMA regress_protect TO customer;
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
