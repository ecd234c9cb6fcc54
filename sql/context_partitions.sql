-- A partition or child of a protected table is protected from the first moment.
\set roles '{regress_tenant,regress_owner,regress_auditor}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;
CREATE ROLE regress_tenant;
CREATE ROLE regress_owner;
CREATE ROLE regress_auditor;
CREATE SCHEMA regress_partitions AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA regress_partitions TO regress_tenant;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_owner IN SCHEMA regress_partitions
  GRANT SELECT, INSERT ON TABLES TO regress_tenant;
SET search_path = regress_partitions;
SET ROLE regress_owner;

CREATE VIEW policies AS
  SELECT c.oid::regclass AS "table", c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
         p.policyname AS policy, p.permissive, p.cmd, p.roles, p.qual, p.with_check
    FROM pg_class c LEFT JOIN pg_policies p ON (p.schemaname, p.tablename) = ('regress_partitions', c.relname)
    WHERE c.relnamespace = 'regress_partitions'::regnamespace AND c.relkind IN ('r', 'p')
    ORDER BY c.relname COLLATE "C", p.policyname COLLATE "C";
CREATE VIEW flags AS
  SELECT "table", enabled, forced, string_agg(policy, ', ' ORDER BY policy COLLATE "C") AS policies
    FROM policies GROUP BY 1, 2, 3 ORDER BY "table"::text COLLATE "C";

-- every road to a partition or child
CREATE TABLE docs (organization_id text, year bigint) PARTITION BY LIST (year);
CREATE TABLE notes (organization_id text, year bigint);
SELECT dbkit.protect(t, role => 'regress_tenant') FROM unnest('{docs,notes}'::regclass[]) t;
CREATE TABLE docs_partition_of PARTITION OF docs FOR VALUES IN (1);
CREATE TABLE docs_default PARTITION OF docs DEFAULT;
CREATE TABLE docs_attached (year bigint, organization_id text);
ALTER TABLE docs ATTACH PARTITION docs_attached FOR VALUES IN (2);
CREATE TABLE docs_like (LIKE docs INCLUDING ALL);
ALTER TABLE docs ATTACH PARTITION docs_like FOR VALUES IN (3);
CREATE TABLE docs_sub PARTITION OF docs FOR VALUES IN (4) PARTITION BY LIST (organization_id);
CREATE TABLE docs_sub_a PARTITION OF docs_sub FOR VALUES IN ('org_a');
CREATE TABLE docs_tree (LIKE docs) PARTITION BY LIST (organization_id);
CREATE TABLE docs_tree_b PARTITION OF docs_tree FOR VALUES IN ('org_b');
ALTER TABLE docs ATTACH PARTITION docs_tree FOR VALUES IN (5);
CREATE TABLE notes_inherits (more text) INHERITS (notes);
CREATE TABLE notes_inherits_again () INHERITS (notes_inherits);
CREATE TABLE notes_inherit (more text, year bigint, organization_id text);
CREATE TABLE notes_inherit_child () INHERITS (notes_inherit);
ALTER TABLE notes_inherit ADD COLUMN yet_more text, INHERIT notes, ALTER COLUMN more SET NOT NULL;
CREATE TEMPORARY TABLE notes_temporary () INHERITS (notes);
RESET ROLE;
CREATE SCHEMA regress_partitions_2 CREATE TABLE of_schema PARTITION OF regress_partitions.docs FOR VALUES IN (6);
SELECT relname, relrowsecurity, relforcerowsecurity, polname
  FROM pg_class c LEFT JOIN pg_policy p ON polrelid = c.oid WHERE relname IN ('notes_temporary', 'of_schema') ORDER BY relname;
DROP TABLE pg_temp.notes_temporary;
DROP SCHEMA regress_partitions_2 CASCADE;
SET ROLE regress_owner;
SELECT * FROM flags;

-- a tenant that may read all new tables sees its own rows in each
RESET ROLE;
INSERT INTO docs SELECT o, y FROM unnest('{org_a,org_b}'::text[]) o, generate_series(1, 6) y WHERE (o, y) NOT IN (('org_b', 4), ('org_a', 5));
INSERT INTO notes_inherit SELECT 'x', 1, o, 'y' FROM unnest('{org_a,org_b}'::text[]) o;
INSERT INTO notes_inherits_again SELECT o, 1, 'x' FROM unnest('{org_a,org_b}'::text[]) o;
CREATE FUNCTION seen_by(organization text) RETURNS TABLE ("table" regclass, seen bigint, total bigint)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM dbkit.enter(NULL, organization);
  FOR "table" IN SELECT oid FROM pg_class
    WHERE relnamespace = 'regress_partitions'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname COLLATE "C" LOOP
    EXECUTE format('SELECT count(*) FILTER (WHERE organization_id = %L), count(*) FROM ONLY %s', organization, "table")
      INTO seen, total;
    RETURN NEXT;
  END LOOP;
END $$;
SET ROLE regress_tenant;
SELECT "table", total FROM seen_by('org_a');
SELECT count(*) AS leaked FROM seen_by('org_b') WHERE seen <> total;
SELECT * FROM docs_attached; -- without a context
INSERT INTO docs_attached VALUES (2, 'org_a'); -- fails
RESET ROLE;
SET ROLE regress_owner;

-- what leaves keeps its policies, and comes back in silence
ALTER TABLE docs DETACH PARTITION docs_like;
ALTER TABLE notes_inherit NO INHERIT notes;
SELECT * FROM flags WHERE "table" IN ('docs_like'::regclass, 'notes_inherit'::regclass);
ALTER TABLE docs ATTACH PARTITION docs_like FOR VALUES IN (3);
ALTER TABLE notes_inherit INHERIT notes;
SELECT * FROM flags WHERE "table" IN ('docs_like'::regclass, 'notes_inherit'::regclass);

-- other DDL leaves the policies of a partition to its owner
DROP POLICY regress_tenant_isolation ON docs_like;
CREATE POLICY own ON docs_like USING (true);
ALTER TABLE docs_like DISABLE ROW LEVEL SECURITY;
ALTER TABLE docs_like ALTER COLUMN year SET DEFAULT 3;
ALTER TABLE docs ADD COLUMN title text;
SELECT * FROM flags WHERE "table" = 'docs_like'::regclass;
DROP TABLE docs, notes CASCADE;

-- all policies of any kind, whoever wrote them, with columns in other places
CREATE TABLE members (organization_id text, name text);
CREATE TABLE plain (gone bigint, organization_id text, author text, id bigint) PARTITION BY LIST (id);
ALTER TABLE plain DROP COLUMN gone;
CREATE FUNCTION shows(plain) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1.author IS NOT NULL';
ALTER TABLE plain ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_command ON plain FOR INSERT TO regress_tenant, regress_owner WITH CHECK (author = current_user);
CREATE POLICY by_member ON plain FOR SELECT TO regress_tenant
  USING (EXISTS (SELECT FROM members WHERE members.organization_id = plain.organization_id AND name = current_user));
CREATE POLICY "différent""s ""'; DROP" ON plain AS RESTRICTIVE FOR UPDATE USING (id > 0) WITH CHECK (id > 1 AND tableoid > 0);
CREATE POLICY policy_with_a_name_of_63_bytes_23456789012345678901234567890123 ON plain FOR DELETE USING (shows(plain));
CREATE TABLE plain_1 (author text, id bigint, organization_id text);
ALTER TABLE plain ATTACH PARTITION plain_1 FOR VALUES IN (1);
CREATE TABLE "plain ""2'" PARTITION OF plain FOR VALUES IN (2);
\pset expanded on
SELECT * FROM policies WHERE "table" IN ('plain'::regclass, 'plain_1'::regclass);
\pset expanded off
SELECT * FROM flags WHERE "table" = '"plain ""2''"'::regclass;

-- and what depends on what is as if they had been created by hand
CREATE TABLE by_hand (author text, id bigint, organization_id text);
ALTER TABLE by_hand ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_command ON by_hand FOR INSERT TO regress_tenant, regress_owner WITH CHECK (author = current_user);
CREATE POLICY by_member ON by_hand FOR SELECT TO regress_tenant
  USING (EXISTS (SELECT FROM members WHERE members.organization_id = by_hand.organization_id AND name = current_user));
CREATE POLICY "différent""s ""'; DROP" ON by_hand AS RESTRICTIVE FOR UPDATE USING (id > 0) WITH CHECK (id > 1 AND tableoid > 0);
RESET ROLE;
CREATE VIEW dependencies AS
  SELECT polrelid::regclass::text AS "table", polname, refclassid::regclass, nullif(refobjid, polrelid), refobjsubid, deptype
    FROM pg_policy JOIN pg_depend ON (classid, objid) = ('pg_policy'::regclass, pg_policy.oid)
    WHERE polname <> 'policy_with_a_name_of_63_bytes_23456789012345678901234567890123'
  UNION ALL
  SELECT polrelid::regclass::text, polname, refclassid::regclass, refobjid, 0, deptype
    FROM pg_policy JOIN pg_shdepend ON (classid, objid) = ('pg_policy'::regclass, pg_policy.oid)
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND polname <> 'policy_with_a_name_of_63_bytes_23456789012345678901234567890123';
SELECT count(*) > 10 AS some FROM dependencies WHERE "table" = 'plain_1';
SELECT replace("table", 'plain_1', 'by_hand') AS "table", polname, refclassid, "nullif", refobjsubid, deptype
  FROM dependencies WHERE "table" = 'plain_1'
EXCEPT ALL SELECT * FROM dependencies;
SELECT replace("table", 'by_hand', 'plain_1') AS "table", polname, refclassid, "nullif", refobjsubid, deptype
  FROM dependencies WHERE "table" = 'by_hand'
EXCEPT ALL SELECT * FROM dependencies;
INSERT INTO members VALUES ('org_a', 'regress_tenant');
INSERT INTO plain VALUES ('org_a', 'x', 1), ('org_b', 'y', 1), ('org_a', 'regress_owner', 2), ('org_b', NULL, 2);
GRANT SELECT, DELETE ON members, plain, plain_1, "plain ""2'" TO regress_tenant;
DROP VIEW dependencies;
SET ROLE regress_tenant;
SELECT * FROM plain;
SELECT * FROM plain_1;
SELECT * FROM "plain ""2'";
RESET ROLE;
SET ROLE regress_owner;
DROP TABLE plain, by_hand CASCADE;

-- a policy too large for one row
DO $$
BEGIN
  CREATE TABLE large (id text) PARTITION BY LIST (id);
  ALTER TABLE large ENABLE ROW LEVEL SECURITY;
  EXECUTE format('CREATE POLICY large ON large USING (id = ANY (%L))', (SELECT array_agg(md5(i::text)) FROM generate_series(1, 2000) i));
  CREATE TABLE large_1 PARTITION OF large FOR VALUES IN ('1');
END $$;
SELECT a.qual = b.qual AS same, length(b.qual) > 64000 AS large
  FROM policies a, policies b WHERE (a."table", b."table") = ('large'::regclass, 'large_1'::regclass);
DROP TABLE large;

-- enabled without a policy: so is the partition
CREATE TABLE closed (organization_id text, id bigint) PARTITION BY LIST (id);
ALTER TABLE closed ENABLE ROW LEVEL SECURITY;
CREATE TABLE closed_1 PARTITION OF closed FOR VALUES IN (1);
-- policies without row level security protect nothing
CREATE TABLE open (organization_id text, id bigint) PARTITION BY LIST (id);
CREATE POLICY own ON open USING (true);
CREATE TABLE open_1 PARTITION OF open FOR VALUES IN (1);
SELECT * FROM flags WHERE "table" <> 'members'::regclass;
DROP TABLE closed, open;

-- policies of the partition's own: restrictive ones stay, those that show more do not
CREATE TABLE docs (organization_id text, id bigint) PARTITION BY LIST (id);
SELECT dbkit.protect('docs', role => 'regress_tenant');
CREATE POLICY second ON docs FOR SELECT TO regress_auditor, regress_owner USING (id = 1);
CREATE TABLE docs_1 (id bigint, organization_id text);
ALTER TABLE docs_1 FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON docs_1 FOR SELECT USING (true);
CREATE POLICY auditor ON docs_1 FOR SELECT TO regress_auditor USING (true);
CREATE POLICY fewer_rows ON docs_1 AS RESTRICTIVE USING (id > 0);
CREATE POLICY regress_tenant_isolation ON docs_1 TO regress_tenant USING (organization_id >= dbkit.organization_id());
CREATE POLICY second ON docs_1 FOR SELECT TO regress_owner, regress_auditor USING ((id) = 1);
CREATE TABLE docs_2 (LIKE docs);
CREATE POLICY second ON docs_2 FOR SELECT TO regress_owner USING (id = 1);
CREATE TABLE docs_3 (LIKE docs);
CREATE POLICY all_rows ON docs_3 USING (true);
ALTER TABLE docs ATTACH PARTITION docs_1 FOR VALUES IN (1);
ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2);
ALTER TABLE docs ATTACH PARTITION docs_3 FOR VALUES IN (3);
\pset expanded on
SELECT * FROM policies WHERE "table" = 'docs_1'::regclass;
\pset expanded off
SELECT * FROM flags WHERE "table" <> 'members'::regclass;
DROP TABLE docs;

-- a table between that was left open: the next protected one above counts
CREATE TABLE docs (organization_id text, id bigint) PARTITION BY LIST (id);
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1) PARTITION BY LIST (organization_id);
SELECT dbkit.protect('docs', role => 'regress_tenant');
DROP POLICY regress_tenant_isolation ON docs_1;
ALTER TABLE docs_1 NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
CREATE TABLE docs_1_a PARTITION OF docs_1 FOR VALUES IN ('org_a');
SELECT * FROM flags WHERE "table" <> 'members'::regclass;
DROP TABLE docs;

-- several parents: what all of them show
CREATE TABLE a (organization_id text);
CREATE TABLE b (organization_id text, id bigint);
CREATE TABLE c (organization_id text);
SELECT dbkit.protect(t, role => 'regress_tenant') FROM unnest('{a,b}'::regclass[]) t;
CREATE POLICY only_a ON a USING (organization_id = 'x');
CREATE POLICY only_b ON b USING (true);
CREATE POLICY fewer ON a AS RESTRICTIVE USING (organization_id > '');
CREATE POLICY fewer ON b AS RESTRICTIVE USING (id > 0);
ALTER TABLE b NO FORCE ROW LEVEL SECURITY;
CREATE TABLE child () INHERITS (a, c, b);
CREATE TABLE second_child () INHERITS (a);
ALTER TABLE second_child ADD COLUMN id bigint, INHERIT b;
\pset expanded on
SELECT * FROM policies WHERE "table" = 'child'::regclass;
\pset expanded off
SELECT * FROM flags WHERE "table" IN ('child'::regclass, 'second_child'::regclass);
DROP TABLE a, b, c CASCADE;

-- a foreign table has no policies
RESET ROLE;
CREATE FOREIGN DATA WRAPPER regress_wrapper;
CREATE SERVER regress_server FOREIGN DATA WRAPPER regress_wrapper;
GRANT USAGE ON FOREIGN SERVER regress_server TO regress_owner;
SET ROLE regress_owner;
CREATE TABLE docs (organization_id text, id bigint) PARTITION BY LIST (id);
SELECT dbkit.protect('docs', role => 'regress_tenant');
CREATE FOREIGN TABLE docs_far PARTITION OF docs FOR VALUES IN (1) SERVER regress_server;
CREATE FOREIGN TABLE docs_farther (organization_id text, id bigint) SERVER regress_server;
ALTER TABLE docs ATTACH PARTITION docs_farther FOR VALUES IN (2);
DROP TABLE docs;

-- someone else's table: the superuser's partition is no more open than the root
CREATE TABLE docs (organization_id text, id bigint) PARTITION BY LIST (id);
SELECT dbkit.protect('docs', role => 'regress_tenant');
RESET ROLE;
CREATE TABLE docs_1 PARTITION OF docs FOR VALUES IN (1);
-- in a transaction with a context, and undone with a savepoint
SET ROLE regress_owner;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
SAVEPOINT s;
CREATE TABLE docs_2 PARTITION OF docs FOR VALUES IN (2);
ROLLBACK TO s;
CREATE TABLE docs_2 PARTITION OF docs FOR VALUES IN (2);
COMMIT;
-- a dump brings the policies itself
SET check_function_bodies = off;
CREATE TABLE docs_3 PARTITION OF docs FOR VALUES IN (3);
RESET check_function_bodies;
SELECT * FROM flags WHERE "table" <> 'members'::regclass;
-- where there is nothing to do
CREATE TABLE IF NOT EXISTS docs_3 PARTITION OF docs FOR VALUES IN (3);
CREATE TABLE index_only (id bigint) PARTITION BY LIST (id);
ALTER TABLE index_only ENABLE ROW LEVEL SECURITY;
CREATE TABLE index_only_1 PARTITION OF index_only FOR VALUES IN (1);
CREATE INDEX index_of_all ON ONLY index_only (id);
CREATE INDEX index_of_one ON index_only_1 (id);
ALTER INDEX index_of_all ATTACH PARTITION index_of_one;
DROP TABLE docs, index_only;
-- what a partition has been given since it was attached stays when the next one is
SET ROLE regress_owner;
BEGIN;
CREATE TABLE docs (id bigint, organization_id text) PARTITION BY LIST (id);
SELECT dbkit.protect('docs', role => 'regress_tenant');
CREATE TABLE docs_1 (LIKE docs);
CREATE TABLE docs_2 (LIKE docs);
CREATE POLICY of_all ON docs_2 TO regress_tenant USING (true);
ALTER TABLE docs ATTACH PARTITION docs_1 FOR VALUES IN (1);
CREATE POLICY support ON docs_1 TO regress_auditor USING (true);
ALTER TABLE docs ATTACH PARTITION docs_2 FOR VALUES IN (2);
SAVEPOINT s;
CREATE POLICY support ON docs_2 TO regress_auditor USING (true);
ALTER TABLE docs DETACH PARTITION docs_1;
ALTER TABLE docs ATTACH PARTITION docs_1 FOR VALUES IN (1);
RELEASE s;
SELECT tablename, policyname FROM pg_policies WHERE tablename ~ '^docs' ORDER BY 1, 2;
DROP TABLE docs;
COMMIT;

-- with enforcement, what is found in the statement is said once
RESET ROLE;
SET dbkit.enforce = on;
SET ROLE regress_owner;
BEGIN;
CREATE TABLE widgets (
  id text COLLATE "C" PRIMARY KEY DEFAULT public.generate_id('wdg') CHECK (id LIKE 'wdg_%'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  storytime jsonb,
  organization_extid text COLLATE "C"
);
CREATE TRIGGER updated_at BEFORE UPDATE ON widgets FOR EACH ROW EXECUTE FUNCTION public.updated_at();
SELECT dbkit.protect('widgets', organization_column => 'organization_extid', role => 'regress_tenant');
COMMIT;
CREATE TABLE widgets_child (count integer) INHERITS (widgets); -- fails
RESET ROLE;
SET dbkit.rule_levels = 'bigint=warning, id_prefix=off';
SET ROLE regress_owner;
BEGIN;
CREATE TABLE widgets_child (
  count integer, PRIMARY KEY (id), CHECK (id LIKE 'wdg_%')
) INHERITS (widgets);
CREATE TRIGGER updated_at BEFORE UPDATE ON widgets_child FOR EACH ROW EXECUTE FUNCTION public.updated_at();
COMMIT;
SELECT * FROM flags WHERE "table"::text LIKE 'widgets%';

RESET ROLE;
RESET dbkit.rule_levels;
DROP SCHEMA regress_partitions CASCADE;
DROP SERVER regress_server;
DROP FOREIGN DATA WRAPPER regress_wrapper;
DROP ROLE regress_tenant, regress_owner, regress_auditor;
