-- A change to the row level security of a table reaches its partitions and children.
\set roles '{regress_tenant,regress_owner,regress_other}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
CREATE ROLE regress_tenant;
CREATE ROLE regress_owner;
CREATE ROLE regress_other;
CREATE SCHEMA regress_descent AUTHORIZATION regress_owner;
SET search_path = regress_descent;
CREATE VIEW state AS
  SELECT c.oid::regclass AS "table", c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced, p.policyname AS policy, p.permissive, p.cmd, p.roles, p.qual, p.with_check
    FROM pg_class c LEFT JOIN pg_policies p ON (p.schemaname, p.tablename) = ('regress_descent', c.relname)
    WHERE c.relnamespace = 'regress_descent'::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname COLLATE "C", p.policyname COLLATE "C";
CREATE VIEW flags AS
  SELECT "table", enabled, forced, string_agg(policy, ', ' ORDER BY policy COLLATE "C") AS policies FROM state GROUP BY 1, 2, 3 ORDER BY "table"::text COLLATE "C";
GRANT ALL ON state, flags TO regress_owner;
SET ROLE regress_owner;
CREATE TABLE docs (gone int, organization_id text, year bigint) PARTITION BY LIST (year);
ALTER TABLE docs DROP COLUMN gone;
CREATE TABLE docs_1 (year bigint, organization_id text);
ALTER TABLE docs ATTACH PARTITION docs_1 FOR VALUES IN (1);
CREATE TABLE docs_2 PARTITION OF docs FOR VALUES IN (2) PARTITION BY LIST (organization_id);
CREATE TABLE docs_2_a PARTITION OF docs_2 FOR VALUES IN ('org_a');
CREATE TABLE "docs ""3'" PARTITION OF docs FOR VALUES IN (3);

-- policies of a table without row level security are passed on when that is enabled
CREATE POLICY own ON docs TO regress_tenant USING (organization_id = current_setting('app.organization_id', true));
SELECT * FROM flags;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
SELECT "table", enabled, forced, policy, permissive, cmd, roles, qual FROM state;
ALTER TABLE docs FORCE ROW LEVEL SECURITY;
SELECT * FROM flags;
ALTER TABLE docs NO FORCE ROW LEVEL SECURITY;
SELECT * FROM flags WHERE forced;

-- CREATE, ALTER, RENAME and DROP POLICY
CREATE POLICY fewer ON docs AS RESTRICTIVE FOR UPDATE USING (year > 0) WITH CHECK (year > 1);
ALTER POLICY own ON docs TO regress_tenant, regress_owner USING (organization_id >= 'org') WITH CHECK (organization_id = 'x');
ALTER POLICY fewer ON docs RENAME TO "fewer ""rows""";
SELECT "table", policy, permissive, cmd, roles, qual, with_check FROM state;
DROP POLICY "fewer ""rows""" ON regress_descent.docs;
DROP POLICY IF EXISTS "fewer ""rows""" ON docs;
DROP POLICY IF EXISTS own ON missing;
SELECT * FROM flags;

-- from a partition down, and not up or beside
CREATE POLICY more ON docs_2 USING (year = 2);
SELECT * FROM flags;
DROP POLICY more ON docs_2;

-- what a partition has of its own stays; the name of one of the parent's is the parent's
CREATE POLICY mine ON docs_1 AS RESTRICTIVE USING (year < 100);
CREATE POLICY shown ON docs_1 USING (year = 1);
CREATE POLICY other ON docs_1 USING (year = 1);
CREATE POLICY shown ON docs USING (organization_id = 'public');
SELECT policy, permissive, qual FROM state WHERE "table" = 'docs_1'::regclass;
-- one that was changed by hand is not the parent's copy
ALTER POLICY shown ON docs_1 USING (organization_id = 'nobody');
DROP POLICY shown ON docs;
SELECT * FROM flags;
DROP POLICY other ON docs_1;
DROP POLICY shown ON docs_1;

-- ONLY is about one table; DISABLE leaves those with policies of their own enabled
ALTER TABLE ONLY docs DISABLE ROW LEVEL SECURITY;
SELECT * FROM flags;
ALTER TABLE ONLY docs ENABLE ROW LEVEL SECURITY;
ALTER TABLE docs DISABLE ROW LEVEL SECURITY;
SELECT * FROM flags;
-- without row level security on the parent nothing is passed on
CREATE POLICY later ON docs USING (true);
SELECT * FROM flags WHERE policies LIKE '%later%';
DROP POLICY later ON docs;
ALTER TABLE docs ADD COLUMN title text, ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT * FROM flags;
DROP TABLE docs;

-- a partition whose row level security is disabled keeps up with the policies all the same
CREATE TABLE docs (organization_id text, year bigint) PARTITION BY LIST (year);
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON docs TO regress_tenant USING (organization_id = 'org_a');
CREATE POLICY leaky ON docs USING (true);
ALTER TABLE docs_1 DISABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON docs_1 USING (year = 1);
CREATE POLICY support ON docs TO regress_owner USING (true);
ALTER POLICY own ON docs USING (organization_id = 'org_b');
DROP POLICY leaky ON docs;
SELECT "table", enabled, forced, policy, roles, qual FROM state;
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
SELECT * FROM flags;
DROP TABLE docs;

-- several parents: what all of them show, and what any of them hides
CREATE TABLE a (organization_id text);
CREATE TABLE b (organization_id text, id bigint);
ALTER TABLE a ENABLE ROW LEVEL SECURITY;
ALTER TABLE b ENABLE ROW LEVEL SECURITY;
CREATE TABLE child () INHERITS (a, b);
CREATE TABLE grandchild () INHERITS (child);
CREATE POLICY own ON a USING (organization_id = 'x');
SELECT * FROM flags;
CREATE POLICY own ON b USING (organization_id = 'x');
CREATE POLICY fewer ON a AS RESTRICTIVE USING (organization_id > '');
CREATE POLICY fewer ON b AS RESTRICTIVE USING (id > 0);
SELECT "table", policy, permissive, qual FROM state;
ALTER TABLE b FORCE ROW LEVEL SECURITY;
ALTER TABLE a FORCE ROW LEVEL SECURITY;
ALTER TABLE b NO FORCE ROW LEVEL SECURITY;
SELECT * FROM flags;
DROP POLICY own ON a;
DROP POLICY fewer ON b;
SELECT * FROM flags;
ALTER TABLE a DISABLE ROW LEVEL SECURITY;
SELECT * FROM flags;
DROP TABLE a, b CASCADE;

-- a table may come before one of its parents
CREATE TABLE root (organization_id text COLLATE "C");
CREATE TABLE first () INHERITS (root);
CREATE TABLE below () INHERITS (first);
CREATE TABLE second () INHERITS (root);
CREATE TABLE third () INHERITS (second);
ALTER TABLE first INHERIT third;
ALTER TABLE root ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON root USING (true);
SELECT * FROM flags;
DROP POLICY shown ON root;
SELECT dbkit.protect('root', role => 'regress_tenant', access => access) FROM unnest('{tenant,tenant,read,tenant}'::text[]) access;
SELECT "table", enabled, forced, policy, cmd, roles, qual FROM state;
SELECT dbkit.unprotect('root', 'regress_tenant');
SELECT * FROM flags;
DROP TABLE root CASCADE;

-- many ways lead up
DO $$
BEGIN
  CREATE TABLE a0 ();
  CREATE TABLE b0 ();
  FOR i IN 1..30 LOOP
    EXECUTE format('CREATE TABLE a%1$s () INHERITS (a%2$s, b%2$s)', i, i - 1);
    EXECUTE format('CREATE TABLE b%1$s () INHERITS (a%2$s, b%2$s)', i, i - 1);
  END LOOP;
  ALTER TABLE a0 ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON a0 USING (true);
END $$;
SELECT count(*) FROM flags WHERE enabled AND policies = 'own';
SET client_min_messages = error;
DROP TABLE a0, b0 CASCADE;
RESET client_min_messages;

-- tables of another owner are left to him: a policy calls functions, which run as who uses the table
CREATE TABLE docs (organization_id text, year bigint) PARTITION BY LIST (year);
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1);
CREATE TABLE docs_2 PARTITION OF docs FOR VALUES IN (2);
SELECT dbkit.protect('docs', role => 'regress_tenant');
RESET ROLE;
ALTER TABLE docs_2 OWNER TO regress_other;
SET ROLE regress_owner;
CREATE POLICY second ON docs USING (year = 1);
ALTER TABLE docs NO FORCE ROW LEVEL SECURITY;
SELECT * FROM flags;
DROP POLICY regress_tenant_isolation ON docs;
SELECT * FROM flags;
-- and who may not change the table, locks and drops nothing
SET ROLE regress_other;
DROP POLICY second ON regress_descent.docs; -- fails
RESET ROLE;
GRANT USAGE ON SCHEMA regress_descent TO regress_other;
SET ROLE regress_other;
BEGIN;
SAVEPOINT s;
DROP POLICY second ON docs; -- fails
ROLLBACK TO s;
ALTER POLICY second ON docs USING (true); -- fails
ROLLBACK;
-- who gives the table away in the same statement, which has checked who he is
SET ROLE regress_owner;
CREATE TABLE given_away (organization_id text, year bigint) PARTITION BY LIST (year);
CREATE TABLE given_away_1 PARTITION OF given_away FOR VALUES IN (1);
RESET ROLE;
ALTER ROLE regress_owner NOINHERIT;
GRANT regress_other TO regress_owner;
GRANT CREATE ON SCHEMA regress_descent TO regress_other;
SET ROLE regress_owner;
ALTER TABLE given_away ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, OWNER TO regress_other;
ALTER TABLE given_away ENABLE ROW LEVEL SECURITY; -- fails
SELECT * FROM flags WHERE "table"::text LIKE 'given%';
RESET ROLE;
DROP TABLE given_away;
REVOKE CREATE ON SCHEMA regress_descent FROM regress_other;
REVOKE regress_other FROM regress_owner;
ALTER ROLE regress_owner INHERIT;
-- a superuser changes all
RESET ROLE;
ALTER POLICY second ON docs USING (year = 3);
SELECT "table", policy, qual FROM state;
-- in functions, in one transaction with a savepoint, and not in a restore
DO $$ BEGIN CREATE POLICY third ON docs USING (year = 4); EXECUTE 'ALTER POLICY third ON docs RENAME TO fourth'; END $$;
BEGIN;
SAVEPOINT s;
DROP POLICY fourth ON docs;
ROLLBACK TO s;
SELECT * FROM flags;
COMMIT;
SET check_function_bodies = off;
DROP POLICY fourth ON docs;
ALTER TABLE docs DISABLE ROW LEVEL SECURITY;
SELECT * FROM flags;
RESET check_function_bodies;
-- protect() writes what it wrote, once
SELECT dbkit.protect('docs', role => 'regress_tenant');
SELECT * FROM flags;
-- a foreign table has no policies, a view no children
CREATE FOREIGN DATA WRAPPER regress_descent;
CREATE SERVER regress_descent FOREIGN DATA WRAPPER regress_descent;
SET client_min_messages = error;
CREATE FOREIGN TABLE docs_far PARTITION OF docs FOR VALUES IN (9) SERVER regress_descent;
RESET client_min_messages;
CREATE POLICY ninth ON docs USING (year = 9);
CREATE POLICY ninth ON flags USING (true); -- fails
SELECT * FROM flags;

SET client_min_messages = error;
DROP SCHEMA regress_descent CASCADE;
DROP FOREIGN DATA WRAPPER regress_descent CASCADE;
DROP ROLE regress_tenant, regress_owner, regress_other;
