-- A policy calls functions, which run as whoever uses the table: nobody gives one to a table of somebody else.
\set roles '{regress_alice,regress_mallory,regress_deputy}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
CREATE ROLE regress_alice;
CREATE ROLE regress_mallory;
CREATE ROLE regress_deputy ROLE regress_mallory; -- who has its rights
CREATE SCHEMA regress_owners;
GRANT USAGE, CREATE ON SCHEMA regress_owners TO PUBLIC;
SET search_path = regress_owners;
CREATE VIEW state AS
  SELECT c.oid::regclass AS "table", c.relowner::regrole AS owner, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
         string_agg(p.policyname || ' ' || p.qual, ', ' ORDER BY p.policyname COLLATE "C") AS policies
    FROM pg_class c LEFT JOIN pg_policies p ON (p.schemaname, p.tablename) = ('regress_owners', c.relname)
    WHERE c.relnamespace = 'regress_owners'::regnamespace AND c.relkind IN ('r', 'p')
    GROUP BY c.oid ORDER BY c.relname COLLATE "C";
GRANT SELECT ON state TO PUBLIC;
SET ROLE regress_mallory;
CREATE FUNCTION evil() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'evil runs as %', current_user; RETURN true; END $$;

-- a partitioned table that is attached, with a partition of somebody else
RESET ROLE;
CREATE TABLE mid (id int, x int) PARTITION BY LIST (id);
CREATE TABLE leaf PARTITION OF mid FOR VALUES IN (1) PARTITION BY LIST (x);
CREATE TABLE leaf_1 PARTITION OF leaf FOR VALUES IN (1);
CREATE TABLE own PARTITION OF mid FOR VALUES IN (2);
CREATE POLICY of_leaf ON leaf USING (x > 0);
INSERT INTO mid VALUES (1, 1);
ALTER TABLE mid OWNER TO regress_mallory;
ALTER TABLE own OWNER TO regress_deputy;
ALTER TABLE leaf OWNER TO regress_alice;
ALTER TABLE leaf_1 OWNER TO regress_alice;
SET ROLE regress_mallory;
CREATE TABLE top (id int, x int) PARTITION BY LIST (id);
ALTER TABLE top ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY em ON top USING (evil());
ALTER TABLE top ATTACH PARTITION mid FOR VALUES IN (1, 2);
SET ROLE regress_alice;
SELECT * FROM leaf;
SELECT * FROM state;
-- the rule partition_rls finds what is left open
RESET ROLE;
GRANT SELECT ON leaf TO regress_deputy;
SELECT problem FROM dbkit.check('leaf') WHERE rule = 'partition_rls';
RESET ROLE;
DROP TABLE top;

-- a child that is put below a parent, with a child of somebody else
SET ROLE regress_mallory;
CREATE TABLE top (id int);
ALTER TABLE top ENABLE ROW LEVEL SECURITY;
CREATE POLICY em ON top USING (evil());
CREATE TABLE mid (id int);
RESET ROLE;
CREATE TABLE leaf () INHERITS (mid);
ALTER TABLE leaf OWNER TO regress_alice;
SET ROLE regress_mallory;
ALTER TABLE mid INHERIT top;
SELECT * FROM state;
RESET ROLE;
DROP TABLE top CASCADE;

-- a change on a table, when the one between is somebody else's
CREATE TABLE top (id int) PARTITION BY LIST (id);
CREATE TABLE mid PARTITION OF top DEFAULT PARTITION BY LIST (id);
CREATE TABLE leaf PARTITION OF mid DEFAULT;
ALTER TABLE top OWNER TO regress_alice;
ALTER TABLE mid OWNER TO regress_mallory;
ALTER TABLE leaf OWNER TO regress_alice;
SET ROLE regress_mallory;
ALTER TABLE mid ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY em ON mid USING (evil());
SET ROLE regress_alice;
ALTER TABLE top ENABLE ROW LEVEL SECURITY;
CREATE POLICY pg ON top USING (id > 0);
SELECT * FROM state;
-- nor is a policy lost there
ALTER TABLE leaf ENABLE ROW LEVEL SECURITY;
CREATE POLICY pg ON leaf USING (id > 0);
SET client_min_messages = error;
ALTER POLICY pg ON top USING (id > 1);
ALTER TABLE top DISABLE ROW LEVEL SECURITY;
RESET client_min_messages;
SELECT * FROM state;
-- one left open between does not matter
SET ROLE regress_mallory;
SET client_min_messages = error;
ALTER TABLE mid NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
SET ROLE regress_alice;
ALTER TABLE top ENABLE ROW LEVEL SECURITY;
RESET client_min_messages;
SELECT * FROM state;
-- and whoever puts a table of his own below another one gets what that has
SET ROLE regress_mallory;
ALTER TABLE mid DETACH PARTITION leaf;
CREATE TABLE leaf_2 PARTITION OF mid DEFAULT;
SELECT * FROM state WHERE "table" = 'leaf_2'::regclass;
RESET ROLE;
DROP TABLE top, leaf;

-- who has the rights of the parent's owner makes a partition of his own; a superuser does for all
SET ROLE regress_deputy;
CREATE TABLE top (id int, organization_id text COLLATE "C") PARTITION BY LIST (id);
ALTER TABLE top ENABLE ROW LEVEL SECURITY;
CREATE POLICY pg ON top USING (id > 0);
SET ROLE regress_mallory;
CREATE TABLE top_1 PARTITION OF top FOR VALUES IN (1);
RESET ROLE;
CREATE TABLE top_2 PARTITION OF top FOR VALUES IN (2);
CREATE TABLE top_3 PARTITION OF top FOR VALUES IN (3);
ALTER TABLE top_3 OWNER TO regress_alice;
SELECT dbkit.protect('top', role => 'regress_deputy');
DROP POLICY pg ON top;
SELECT "table", enabled, forced, policies FROM state;

DROP TABLE top;

-- of two parents, one is a stranger's: it gives nothing, and keeps the other one from showing more
SET ROLE regress_alice;
CREATE TABLE docs (id int);
ALTER TABLE docs ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON docs USING (true);
RESET ROLE;
CREATE TABLE other (id int);
ALTER TABLE other ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON other USING (true);
CREATE TABLE below () INHERITS (docs, other);
ALTER TABLE other OWNER TO regress_mallory;
ALTER TABLE below OWNER TO regress_alice;
SET ROLE regress_mallory;
CREATE POLICY em ON other AS RESTRICTIVE USING (evil());
SET ROLE regress_alice;
CREATE POLICY restricted ON docs AS RESTRICTIVE USING (id > 5);
SELECT * FROM state WHERE "table" = 'below'::regclass;
DROP POLICY shown ON docs;
SELECT * FROM state WHERE "table" = 'below'::regclass;
-- what a superuser let the stranger's table give it stays
RESET ROLE;
ALTER POLICY em ON other USING (id < 100);
SELECT * FROM state WHERE "table" = 'below'::regclass;
SET ROLE regress_alice;
CREATE POLICY shown ON docs USING (true);
SELECT * FROM state WHERE "table" = 'below'::regclass;
RESET ROLE;

SET client_min_messages = error;
DROP SCHEMA regress_owners CASCADE;
DROP ROLE regress_alice, regress_mallory, regress_deputy;
