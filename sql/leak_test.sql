-- dbkit.leak_test(): does a role reach rows of another organization?
\set roles '{regress_tenant,regress_owner,regress_other}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
SET dbkit.enforce = off;
CREATE EXTENSION dbkit_test;
CREATE ROLE regress_tenant;
CREATE ROLE regress_owner;
CREATE ROLE regress_other;
CREATE SCHEMA leaks;
GRANT USAGE ON SCHEMA leaks TO regress_tenant;
GRANT CREATE, USAGE ON SCHEMA leaks TO regress_owner;
SET search_path = leaks, public;

CREATE VIEW rows_left AS
  SELECT c.oid::regclass AS "table", (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %s', c.oid::regclass), false, true, '')))[1]::text AS rows
    FROM pg_class c WHERE c.relnamespace = 'leaks'::regnamespace AND c.relkind IN ('r', 'p');

-- a schema that isolates organizations
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org'), name text);
CREATE TABLE users (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('usr'), email text);
CREATE TABLE plans (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('pln'), name text NOT NULL);
CREATE TABLE memberships (
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id),
  user_id text COLLATE "C" NOT NULL REFERENCES users (id),
  PRIMARY KEY (organization_id, user_id));
CREATE TABLE documents (
  id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('doc'),
  organization_id text COLLATE "C" NOT NULL DEFAULT dbkit.organization_id() REFERENCES organizations (id),
  plan_id text COLLATE "C" REFERENCES plans (id),
  slug text NOT NULL,
  UNIQUE (organization_id, id), UNIQUE (organization_id, slug));
CREATE TABLE comments (
  id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('com'),
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id),
  document_id text COLLATE "C" NOT NULL,
  parent_id text COLLATE "C",
  user_id text COLLATE "C" REFERENCES users (id),
  body text NOT NULL,
  UNIQUE (organization_id, id),
  FOREIGN KEY (organization_id, document_id) REFERENCES documents (organization_id, id) ON DELETE CASCADE,
  FOREIGN KEY (organization_id, parent_id) REFERENCES comments (organization_id, id));
CREATE TABLE lines (
  document_id text COLLATE "C" NOT NULL REFERENCES documents (id),
  position bigint NOT NULL,
  PRIMARY KEY (document_id, position));
CREATE TABLE events (
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id),
  at timestamptz NOT NULL, kind text NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2026_a PARTITION OF events_2026 FOR VALUES IN ('a', 'b');
CREATE TABLE events_2026_rest PARTITION OF events_2026 DEFAULT;
CREATE TABLE events_before PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE spread (
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id), n text NOT NULL) PARTITION BY HASH (organization_id);
CREATE TABLE spread_0 PARTITION OF spread FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE spread_1 PARTITION OF spread FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE spread_2 PARTITION OF spread FOR VALUES WITH (MODULUS 3, REMAINDER 2);
CREATE TABLE single (organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id), note text) PARTITION BY LIST (organization_id);
CREATE TABLE single_big PARTITION OF single FOR VALUES IN ('org_01hw0000000000000000000000');
CREATE TABLE single_rest PARTITION OF single DEFAULT;
SELECT dbkit.protect(t, role => 'regress_tenant')
  FROM unnest('{organizations,users,memberships,documents,comments,events,spread,single}'::regclass[]) t;
ALTER TABLE lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON lines TO regress_tenant USING (EXISTS (SELECT FROM documents d WHERE d.id = document_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON organizations, users, memberships, documents, comments, lines, events, spread, single TO regress_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON events_2026, events_2026_a, events_2026_rest, events_before, events_rest,
  spread_0, spread_1, spread_2, single_big, single_rest TO regress_tenant;
GRANT SELECT ON plans TO regress_tenant;
CREATE VIEW titles WITH (security_invoker) AS SELECT slug AS title, organization_id AS owner FROM documents;
GRANT SELECT, INSERT, UPDATE, DELETE ON titles TO regress_tenant;
CREATE FUNCTION count_documents() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM documents';
CREATE FUNCTION delete_documents() RETURNS void LANGUAGE sql AS 'DELETE FROM documents';
-- organizations land in one or another partition of "spread", so that its lines vary
SELECT line FROM dbkit.leak_test('regress_tenant') AS line WHERE line !~ 'leaks.spread|^1\.\.';
SELECT count(*) FILTER (WHERE line ~ '^ok') >= 15 AS tested, count(*) FILTER (WHERE line ~ '^not ok') AS leaks
  FROM dbkit.leak_test('regress_tenant') AS line WHERE line ~ 'leaks.spread';
SELECT bool_and(rows = '0') AS no_trace FROM rows_left;
DROP TABLE spread, single, events;

-- what leaks: each is found, and nothing else
CREATE TABLE or_true (organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id), note text);
CREATE TABLE no_with_check (LIKE or_true);
CREATE TABLE parts (organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id), n bigint NOT NULL) PARTITION BY LIST (n);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_forgotten PARTITION OF parts FOR VALUES IN (2);
CREATE TABLE parts_default PARTITION OF parts DEFAULT;
CREATE TABLE select_only (LIKE or_true);
CREATE TABLE across (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('acr'), organization_id text COLLATE "C" NOT NULL, document_id text COLLATE "C" REFERENCES documents (id));
CREATE TABLE telling (organization_id text COLLATE "C" NOT NULL, name text NOT NULL UNIQUE);
CREATE TABLE owned (LIKE or_true);
CREATE TABLE second_policy (LIKE or_true);
CREATE TABLE column_grant (LIKE or_true);
CREATE TABLE parent (LIKE or_true);
CREATE TABLE child (more text) INHERITS (parent);
CREATE TABLE numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id text COLLATE "C" NOT NULL);
SELECT dbkit.protect(t, role => 'regress_tenant')
  FROM unnest('{or_true,no_with_check,parts,select_only,across,telling,owned,second_policy,column_grant,parent,numbered}'::regclass[]) t;
GRANT SELECT, INSERT, UPDATE, DELETE ON or_true, no_with_check, parts, parts_1, parts_forgotten, parts_default, select_only,
  across, telling, second_policy, parent, child, numbered TO regress_tenant;
ALTER POLICY regress_tenant_isolation ON or_true USING (organization_id = dbkit.organization_id() OR true);
ALTER POLICY regress_tenant_isolation ON no_with_check WITH CHECK (true);
ALTER TABLE parts_forgotten DISABLE ROW LEVEL SECURITY;
ALTER TABLE parts_default DISABLE ROW LEVEL SECURITY;
CREATE VIEW definer_view AS SELECT slug FROM documents;
GRANT SELECT ON definer_view TO regress_tenant;
CREATE FUNCTION definer_function() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = leaks AS 'SELECT slug FROM documents';
DROP POLICY regress_tenant_isolation ON select_only;
CREATE POLICY reading ON select_only FOR SELECT TO regress_tenant USING (organization_id = dbkit.organization_id());
CREATE POLICY writing ON select_only FOR UPDATE TO regress_tenant USING (true) WITH CHECK (organization_id IS NOT NULL);
CREATE POLICY deleting ON select_only FOR DELETE TO regress_tenant USING (true);
ALTER TABLE owned OWNER TO regress_tenant;
ALTER TABLE owned NO FORCE ROW LEVEL SECURITY;
CREATE POLICY published ON second_policy FOR SELECT USING (note IS NULL OR note <> 'draft');
ALTER TABLE column_grant DISABLE ROW LEVEL SECURITY;
REVOKE ALL ON column_grant FROM regress_tenant;
GRANT SELECT (note) ON column_grant TO regress_tenant;
ALTER TABLE child DISABLE ROW LEVEL SECURITY;
CREATE MATERIALIZED VIEW statistics AS SELECT organization_id, count(*) FROM documents GROUP BY 1;
CREATE VIEW of_statistics WITH (security_invoker) AS SELECT max(count) AS most, count(*) AS organizations FROM statistics;
GRANT SELECT ON statistics, of_statistics TO regress_tenant;
CREATE TEMPORARY TABLE tap AS SELECT n, line FROM dbkit.leak_test('regress_tenant') WITH ORDINALITY AS t (line, n);
-- the row of "parts" may be in any partition
SELECT regexp_replace(line, 'shows \d+ rows instead of \d+', 'shows more rows') AS line FROM tap WHERE line ~ '^not ok' OR line ~ '^#' ORDER BY n;
SELECT hole, count(line) > 0 AS found FROM (VALUES
  ('a policy with OR true', 'leaks.or_true shows'),
  ('a missing WITH CHECK', 'leaks.no_with_check (takes|gives)'),
  ('a forgotten partition', 'leaks.parts_forgotten shows'),
  ('a view without security_invoker', 'leaks.definer_view shows'),
  ('a SECURITY DEFINER function', 'leaks.definer_function\(\) shows'),
  ('a USING for SELECT only', 'leaks.select_only (changes|deletes)'),
  ('a foreign key across', 'leaks.across references'),
  ('a unique key that tells', 'leaks.telling has no unique key'),
  ('an owner without FORCE', 'leaks.owned shows'),
  ('a permissive second policy', 'leaks.second_policy shows'),
  ('a column grant', 'leaks.column_grant shows'),
  ('an inherited child', 'leaks.child shows'),
  ('a default partition', 'leaks.parts_default shows'),
  ('a materialized view', 'leaks.statistics shows'),
  ('a sequence-based guess', 'leaks.numbered has no ids')) AS holes (hole, pattern)
  LEFT JOIN tap ON line ~ ('^not ok [0-9]+ - ' || pattern) GROUP BY 1 ORDER BY 1;
SELECT line FROM tap WHERE line ~ '^(not )?ok [0-9]+ - leaks.(documents|comments|parts_1|parts) ' ORDER BY n;
SELECT bool_and(rows = '0') AS no_trace FROM rows_left;
DROP VIEW of_statistics, definer_view;
DROP MATERIALIZED VIEW statistics;
DROP TABLE tap, or_true, no_with_check, parts, select_only, across, telling, owned, second_policy, column_grant, parent, child, numbered;
DROP FUNCTION definer_function(), delete_documents();

-- what cannot be filled, read or refreshed fails; what is everybody's must not be written
REVOKE ALL ON ALL TABLES IN SCHEMA leaks FROM regress_tenant;
CREATE TABLE refusing (organization_id text COLLATE "C" NOT NULL);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON refusing FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TABLE unreachable (LIKE refusing);
CREATE TRIGGER refuse BEFORE INSERT ON unreachable FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TABLE unreadable (organization_id text COLLATE "C" NOT NULL, n bigint);
ALTER TABLE unreadable ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON unreadable TO regress_tenant USING (organization_id = current_setting('app.tenant'));
CREATE TABLE hidden (organization_id text COLLATE "C" NOT NULL, n bigint);
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON hidden TO regress_tenant USING (organization_id = current_setting('app.tenant', true));
CREATE MATERIALIZED VIEW unrefreshed AS SELECT 1 / count(*) AS n FROM refusing WITH NO DATA;
CREATE FOREIGN DATA WRAPPER leaks_wrapper;
CREATE SERVER leaks_server FOREIGN DATA WRAPPER leaks_wrapper;
CREATE FOREIGN TABLE remote (organization_id text) SERVER leaks_server;
CREATE TABLE "a # ""b""
c" (organization_id text COLLATE "C" NOT NULL, "x ""y""." bigint);
SELECT dbkit.protect('"a # ""b""
c"', role => 'regress_tenant');
CREATE FUNCTION random_and_count(OUT r double precision, OUT n bigint) LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = leaks AS 'SELECT random(), count(*) FROM documents';
CREATE FUNCTION with_argument(id text) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = leaks AS 'SELECT count(*) FROM documents WHERE id = $1';
CREATE FUNCTION with_default(id text DEFAULT '') RETURNS text LANGUAGE sql AS 'SELECT $1';
GRANT SELECT, INSERT, UPDATE, DELETE ON refusing, unreadable, hidden, unrefreshed, remote, plans, "a # ""b""
c" TO regress_tenant;
SELECT dbkit.leak_test('regress_tenant');
DROP FOREIGN DATA WRAPPER leaks_wrapper CASCADE;
DROP MATERIALIZED VIEW unrefreshed;
DROP TABLE refusing, unreachable, unreadable, hidden, "a # ""b""
c";
DROP FUNCTION refuse(), random_and_count(), with_argument(text), with_default(text), count_documents();
REVOKE ALL ON ALL TABLES IN SCHEMA leaks FROM regress_tenant;

-- code of others runs with their rights, and cannot get at more
CREATE FUNCTION who() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    SET ROLE NONE;
  EXCEPTION WHEN insufficient_privilege THEN
    RETURN format('%s: %s', current_user, SQLERRM);
  END;
  RETURN 'another role';
END $$;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%, %', TG_OP, leaks.who(); END $$;
CREATE FUNCTION told() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', leaks.who(); END $$;
CREATE TABLE organizations_of_theirs (id text);
CREATE TABLE theirs (organization_id text COLLATE "C" NOT NULL);
CREATE TRIGGER tell BEFORE INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER tell BEFORE INSERT ON organizations_of_theirs FOR EACH ROW EXECUTE FUNCTION tell();
CREATE MATERIALIZED VIEW seen AS SELECT told() WITH NO DATA;
ALTER TABLE theirs OWNER TO regress_owner;
ALTER TABLE organizations_of_theirs OWNER TO regress_owner;
ALTER MATERIALIZED VIEW seen OWNER TO regress_owner;
GRANT SELECT, INSERT ON theirs, organizations_of_theirs, seen TO regress_tenant;
-- but not with a superuser's: a partition of theirs, and a trigger
CREATE TABLE root (organization_id text COLLATE "C" NOT NULL) PARTITION BY LIST (organization_id);
CREATE TABLE part_of_theirs PARTITION OF root DEFAULT;
CREATE TRIGGER tell BEFORE INSERT ON part_of_theirs FOR EACH ROW EXECUTE FUNCTION tell();
ALTER TABLE part_of_theirs OWNER TO regress_owner;
CREATE TABLE with_trigger (organization_id text COLLATE "C" NOT NULL);
CREATE FUNCTION trigger_of_theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', leaks.who(); END $$;
ALTER FUNCTION trigger_of_theirs() OWNER TO regress_owner;
CREATE TRIGGER tell BEFORE INSERT ON with_trigger FOR EACH ROW EXECUTE FUNCTION trigger_of_theirs();
GRANT SELECT, INSERT ON root, with_trigger TO regress_tenant;
GRANT USAGE ON SCHEMA leaks TO regress_tenant, regress_owner;
SELECT dbkit.leak_test('regress_tenant');
DROP MATERIALIZED VIEW seen;
DROP TABLE theirs, organizations_of_theirs, root, with_trigger;
DROP FUNCTION trigger_of_theirs();
DROP FUNCTION who(), tell(), told();

-- the settings of the application are what they were, and no context stays
SELECT dbkit.agree('{"reserve_settings": false}') IS NOT NULL AS agreed;
SET app.organization_id = 'of the session';
BEGIN;
SET LOCAL app.user_id = 'of the transaction';
SELECT count(*) > 0 AS tested FROM dbkit.leak_test('regress_tenant');
SELECT current_setting('app.user_id'), current_setting('app.organization_id'), dbkit.user_id(), dbkit.organization_id(), current_user, current_setting('search_path');
COMMIT;
SELECT current_setting('app.user_id'), current_setting('app.organization_id');
RESET app.organization_id;
SELECT dbkit.agree('{"reserve_settings": null}') IS NOT NULL AS agreed;

-- nor is there a trace where it is cancelled
CREATE FUNCTION sleep() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(600)';
BEGIN;
SAVEPOINT before;
SET LOCAL statement_timeout = '3s';
\set VERBOSITY terse
SELECT dbkit.leak_test('regress_tenant'); -- fails
\set VERBOSITY default
ROLLBACK TO before;
SELECT bool_and(rows = '0') AS no_trace FROM rows_left;
SELECT dbkit.user_id(), dbkit.organization_id(), current_user;
COMMIT;
DROP FUNCTION sleep();

-- who may not, and when not
SELECT dbkit.leak_test('nobody there'); -- fails
SELECT dbkit.leak_test(current_user); -- fails
SELECT dbkit.agree('{"customer_role": "regress_tenant"}') IS NOT NULL AS agreed;
SELECT count(*) > 0 AS of_the_agreement FROM dbkit.leak_test();
SELECT dbkit.agree('{"customer_role": null}') IS NOT NULL AS agreed;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
SELECT dbkit.leak_test('regress_tenant'); -- fails
ROLLBACK;
BEGIN READ ONLY;
SELECT dbkit.leak_test('regress_tenant'); -- fails
ROLLBACK;
SET ROLE regress_other;
SELECT dbkit.leak_test('regress_tenant'); -- fails
RESET ROLE;
DROP OWNED BY regress_tenant, regress_owner, regress_other;
DROP SCHEMA leaks CASCADE;
DROP EXTENSION dbkit_test;
DROP ROLE regress_tenant, regress_owner, regress_other;
