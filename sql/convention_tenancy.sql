-- Rules about tables with a tenant column: policies that let everybody pass, keys that cross tenants.
\set roles '{regress_admin,regress_other,"regress_the \\"odd\\" one"}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
CREATE ROLE regress_admin;
CREATE ROLE regress_other;
CREATE ROLE "regress_the ""odd"" one";
CREATE SCHEMA app;
SET search_path = app, public;
SET dbkit.rule_levels = '*=off';
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE notes (id text COLLATE "C" PRIMARY KEY, organization_id text COLLATE "C" REFERENCES organizations, published boolean, valid_until timestamptz);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION tenant() RETURNS text LANGUAGE sql STABLE RETURN current_setting('app.tenant', true);
CREATE FUNCTION tenant_of(note text) RETURNS text LANGUAGE sql STABLE RETURN note;

\echo '== open_policy: which conditions let everybody pass'
SET dbkit.rule_levels = '*=off, open_policy=warning';
CREATE FUNCTION pg_temp.judge_condition(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('CREATE POLICY p ON app.notes FOR SELECT USING (%s)', condition);
	SELECT coalesce(string_agg(problem, E'\n'), 'none') INTO result FROM dbkit.check('app.notes');
	DROP POLICY p ON app.notes;
	RETURN result;
END $$;
SELECT format('%s: %s', condition, regexp_replace(pg_temp.judge_condition(condition), '.*all tenants(.*); use.*', 'open\1'))
FROM unnest(ARRAY[
	'true', 'organization_id = dbkit.organization_id() OR true', 'true AND true', 'NOT false', 'true IS TRUE', '(organization_id = tenant()) OR (published AND (true OR published))',
	'1 = 1', '''a''::text = ''a''', 'organization_id = organization_id', 'coalesce(true, published)',
	'organization_id = tenant() OR tenant() IS NULL',
	'organization_id = current_setting(''app.tenant'', true) OR current_setting(''app.tenant'', true) IS NULL',
	'nullif(current_setting(''app.tenant'', true), '''') IS NULL OR organization_id = tenant()',
	'current_setting(''app.tenant'', true) = '''' OR organization_id = tenant()',
	'''''::text = tenant() OR organization_id = tenant()',
	'(SELECT tenant()) IS NULL OR organization_id = tenant()',
	'(organization_id = tenant()) IS NOT FALSE', '(organization_id <> tenant()) IS NOT TRUE', '(organization_id = tenant()) IS NULL', '(organization_id = tenant()) IS UNKNOWN',
	'coalesce(organization_id = tenant(), true)', '(organization_id = tenant()) IS DISTINCT FROM false',
	'organization_id = tenant() AND true', 'dbkit.organization_id() IS NULL AND (true OR published)',
	'organization_id = tenant() OR (SELECT organization_id = tenant() FROM pg_class LIMIT 1) IS NULL',
	'organization_id = coalesce(tenant(), organization_id)', 'coalesce(nullif(current_setting(''app.tenant'', true), ''''), organization_id) = organization_id::varchar',
	'organization_id IS NOT DISTINCT FROM coalesce(tenant(), organization_id)', 'tenant() IS NOT DISTINCT FROM '''' OR published', 'organization_id IS NOT DISTINCT FROM organization_id',
	'CASE WHEN tenant() IS NULL THEN true ELSE organization_id = tenant() END', 'CASE WHEN organization_id <> tenant() THEN false ELSE true END', 'CASE WHEN published THEN true ELSE 1 = 1 END',
	'organization_id = CASE WHEN tenant() IS NULL THEN organization_id ELSE tenant() END', 'CASE tenant() WHEN ''a'' THEN published ELSE true END',
	'(SELECT true)', 'EXISTS (SELECT 1)', 'organization_id = (SELECT coalesce((SELECT tenant()), organization_id))', 'NOT EXISTS (SELECT FROM app.organizations o WHERE o.id = tenant())',
	'organization_id = CASE WHEN false THEN id ELSE organization_id END', '1.0 = 1.0', '2 > 1', 'true = (1 = 1)', '''a''::text <> ''b''', '(1 = 1) = true', 'NOT (1 <> 1)', 'NOT (tenant() IS NOT NULL)', '(organization_id = tenant()) IS DISTINCT FROM true', '(tenant() IS NULL) IS NOT DISTINCT FROM true',
	-- and these do not
	'(organization_id = tenant()) IS FALSE', '(organization_id = tenant()) IS NOT UNKNOWN', 'organization_id = tenant() OR (SELECT published FROM pg_class LIMIT 1)',
	'false', 'NULL', 'NOT true', 'organization_id = dbkit.organization_id()', 'organization_id = tenant() OR published', 'organization_id = tenant() OR published IS NOT FALSE',
	'organization_id = tenant() OR organization_id IS NULL', 'organization_id = tenant() OR coalesce(published, true)', 'coalesce(organization_id = tenant(), false)',
	'organization_id = tenant() OR (valid_until > now()) IS NOT FALSE', 'organization_id = tenant() OR tenant() IS NOT NULL AND published', 'tenant_of(id) IS NULL OR organization_id = tenant()',
	'(organization_id = tenant()) IS TRUE', 'organization_id = tenant() AND tenant() IS NULL',
	'current_setting(''app.role'', true) = ''admin'' OR organization_id = tenant()', 'organization_id = id', '1 = 2', 'EXISTS (SELECT FROM app.organizations o WHERE o.id = organization_id)',
	'organization_id = coalesce(tenant(), tenant())', 'organization_id = coalesce(tenant(), id)', 'organization_id = coalesce(id, organization_id)', 'organization_id IS NOT DISTINCT FROM tenant()', 'organization_id = tenant() AND NOT EXISTS (SELECT FROM app.organizations o WHERE o.id = tenant())',
	'CASE WHEN tenant() IS NULL THEN false ELSE organization_id = tenant() END', 'CASE WHEN published THEN true ELSE organization_id = tenant() END', 'organization_id = CASE WHEN published THEN organization_id ELSE tenant() END',
	'(SELECT published)', '(SELECT true WHERE published)', 'EXISTS (SELECT 1 WHERE published)', 'EXISTS (SELECT FROM app.organizations)', '1.0 = 2.0', '1 > 2', 'published = true', 'true = published', 'published IS DISTINCT FROM false', 'NOT EXISTS (SELECT count(*) FROM app.organizations o WHERE o.id = tenant())'
]) AS condition;

-- one that is too long to be read
SELECT pg_temp.judge_condition(repeat('published OR ', 3000) || 'true');

\echo '== what it says for each command, and of WITH CHECK'
CREATE POLICY "all ""rows""" ON notes USING (true);
CREATE POLICY seen ON notes FOR SELECT USING (tenant() IS NULL);
CREATE POLICY changed ON notes FOR UPDATE USING (true) WITH CHECK (organization_id = tenant());
CREATE POLICY deleted ON notes FOR DELETE USING (true);
CREATE POLICY added ON notes FOR INSERT WITH CHECK (tenant() IS NULL);
CREATE POLICY moved ON notes FOR UPDATE USING (organization_id = tenant()) WITH CHECK (true);
CREATE POLICY kept ON notes FOR UPDATE USING (organization_id = tenant());
SELECT problem, fix FROM dbkit.check('notes') ORDER BY problem COLLATE "C";

\echo '== one cause, one finding'
SET dbkit.rule_levels = '*=off, open_policy=warning, policy_with_check=warning';
SELECT rule, problem FROM dbkit.check('notes') ORDER BY problem COLLATE "C";
SET dbkit.rule_levels = '*=off, open_policy=off, policy_with_check=warning';
SELECT rule, problem FROM dbkit.check('notes') ORDER BY problem COLLATE "C";
SET dbkit.rule_levels = '*=off, open_policy=warning, rls_enabled=warning';
ALTER TABLE notes DISABLE ROW LEVEL SECURITY;
SELECT rule FROM dbkit.check('notes');
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;

\echo '== a restrictive policy that binds the same roles closes it'
SET dbkit.rule_levels = '*=off, open_policy=warning';
DROP POLICY "all ""rows""" ON notes; DROP POLICY seen ON notes; DROP POLICY changed ON notes; DROP POLICY deleted ON notes; DROP POLICY added ON notes; DROP POLICY moved ON notes; DROP POLICY kept ON notes;
CREATE POLICY open ON notes TO regress_other USING (true);
SELECT problem FROM dbkit.check('notes');
CREATE POLICY bound ON notes AS RESTRICTIVE USING (organization_id = tenant());
SELECT problem FROM dbkit.check('notes');
ALTER POLICY bound ON notes TO regress_admin;
SELECT problem FROM dbkit.check('notes');
ALTER POLICY bound ON notes TO regress_admin, regress_other;
SELECT problem FROM dbkit.check('notes');
ALTER POLICY bound ON notes USING (organization_id = tenant() OR tenant() IS NULL);
SELECT problem FROM dbkit.check('notes');
ALTER POLICY bound ON notes USING (organization_id = tenant()) WITH CHECK (true);
SELECT problem FROM dbkit.check('notes');
DROP POLICY bound ON notes;
CREATE POLICY bound ON notes AS RESTRICTIVE FOR SELECT USING (organization_id = tenant());
SELECT problem FROM dbkit.check('notes');
DROP POLICY bound ON notes;
DROP POLICY open ON notes;

\echo '== the role that sees all'
SET dbkit.rule_levels = '*=off, open_policy=warning, policy_with_check=warning';
CREATE POLICY admins ON notes TO "regress_the ""odd"" one" USING (true) WITH CHECK (true);
SELECT problem FROM dbkit.check('notes');
SELECT dbkit.agree('{"admin_role": "regress_the \"odd\" one"}') -> 'admin_role';
SELECT problem FROM dbkit.check('notes');
ALTER POLICY admins ON notes TO "regress_the ""odd"" one", regress_other;
SELECT problem FROM dbkit.check('notes');
DROP POLICY admins ON notes;
SELECT dbkit.protect('notes', role => 'regress_other');
SELECT problem FROM dbkit.check('notes');
DROP POLICY regress_other_isolation ON notes;

\echo '== no tenant column, nothing to say; a name of the agreement counts'
ALTER TABLE notes RENAME organization_id TO "Shop ""x""";
CREATE POLICY open ON notes USING (true);
SET dbkit.rule_levels = '*=off, open_policy=warning';
SELECT problem FROM dbkit.check('notes');
SELECT dbkit.agree('{"organization_columns": ["organization_id", "Shop \"x\""]}') -> 'organization_columns';
SELECT problem FROM dbkit.check('notes');
ALTER TABLE notes RENAME "Shop ""x""" TO organization_id;

\echo '== only what gets worse is refused'
SET dbkit.rule_levels = '*=off, open_policy=error';
ALTER TABLE notes ADD n bigint;
ALTER POLICY open ON notes USING (tenant() IS NULL);
ALTER POLICY open ON notes USING (true); -- fails
CREATE POLICY another ON notes FOR SELECT USING (organization_id = tenant() OR true); -- fails
BEGIN;
DROP POLICY open ON notes;
CREATE POLICY opened ON notes USING (tenant() IS NULL);
COMMIT;
BEGIN;
CREATE POLICY another ON notes USING (1 = 1);
SAVEPOINT s;
ALTER POLICY another ON notes USING (organization_id = tenant());
COMMIT;
DROP POLICY opened ON notes;
DROP POLICY another ON notes;

\echo '== a policy that is the partition''s own; what it has from its root is reported there'
SET dbkit.rule_levels = '*=off, open_policy=warning';
CREATE TABLE parts (organization_id text COLLATE "C", n bigint) PARTITION BY LIST (n);
CREATE TABLE "Part ""1""" PARTITION OF parts FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE TABLE part_1_1 PARTITION OF "Part ""1""" FOR VALUES IN (1);
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON parts USING (organization_id = tenant());
SELECT * FROM dbkit.check();
CREATE POLICY debug ON "Part ""1""" FOR SELECT USING (true); -- warns
CREATE POLICY "debug 2" ON part_1_1 FOR SELECT USING (organization_id = tenant() OR tenant() IS NULL); -- warns
SELECT object_type, object_identity, problem, fix FROM dbkit.check();
DROP POLICY debug ON "Part ""1""";
DROP POLICY "debug 2" ON part_1_1;
CREATE POLICY debug ON parts FOR SELECT USING (true); -- warns
SELECT object_type, object_identity, problem, fix FROM dbkit.check();
SET dbkit.rule_levels = '*=off, open_policy=error';
DROP POLICY debug ON parts;
CREATE POLICY debug ON part_1_1 USING (tenant() IS NULL); -- fails
CREATE POLICY debug ON part_1_1 AS RESTRICTIVE USING (true);
ALTER TABLE "Part ""1""" DETACH PARTITION part_1_1;
CREATE POLICY debug ON "Part ""1""" FOR SELECT USING (organization_id = tenant());
BEGIN;
ALTER POLICY debug ON "Part ""1""" USING (true);
SAVEPOINT s;
ALTER POLICY debug ON "Part ""1""" USING (organization_id = tenant());
COMMIT;
SELECT * FROM dbkit.check();
DROP TABLE parts, part_1_1;

\echo '== tenant_key'
SET dbkit.rule_levels = '*=off, tenant_key=error';
CREATE TABLE "Odd ""table""" (organization_id text COLLATE "C", "the ""id""" text COLLATE "C", PRIMARY KEY ("the ""id"""), UNIQUE (organization_id, "the ""id"""));
BEGIN;
CREATE TABLE lines (n bigint, organization_id text COLLATE "C" REFERENCES organizations, odd_id text COLLATE "C" REFERENCES "Odd ""table""");
COMMIT; -- fails
CREATE TABLE lines (n bigint, organization_id text COLLATE "C" REFERENCES organizations, odd_id text COLLATE "C", other_organization_id text COLLATE "C",
	FOREIGN KEY (organization_id, odd_id) REFERENCES "Odd ""table""" (organization_id, "the ""id"""));
ALTER TABLE lines ADD CONSTRAINT crossed FOREIGN KEY (odd_id, organization_id) REFERENCES "Odd ""table""" (organization_id, "the ""id"""); -- fails
ALTER TABLE lines ADD CONSTRAINT beside FOREIGN KEY (other_organization_id, odd_id) REFERENCES "Odd ""table""" (organization_id, "the ""id"""); -- fails
ALTER TABLE lines ADD CONSTRAINT turned FOREIGN KEY (odd_id, organization_id) REFERENCES "Odd ""table""" ("the ""id""", organization_id);
\echo '== a table refers to itself; the other side has no tenant'
ALTER TABLE notes ADD parent_id text COLLATE "C" REFERENCES notes; -- fails
ALTER TABLE organizations ADD organization_id text COLLATE "C" REFERENCES organizations;
CREATE TABLE plans (id text COLLATE "C" PRIMARY KEY);
ALTER TABLE notes ADD plan_id text COLLATE "C" REFERENCES plans;
ALTER TABLE plans ADD note_id text COLLATE "C" REFERENCES notes;
\echo '== an old key is left alone, also when it is made again; its table may get a tenant'
ALTER TABLE plans ADD organization_id text COLLATE "C"; -- fails
SET dbkit.enforce = off;
ALTER TABLE plans ADD organization_id text COLLATE "C";
RESET dbkit.enforce;
SELECT column_name, problem, fix FROM dbkit.check() ORDER BY object_identity, problem;
ALTER TABLE notes ADD m bigint;
ALTER TABLE notes DROP CONSTRAINT notes_plan_id_fkey, ADD CONSTRAINT again FOREIGN KEY (plan_id) REFERENCES plans ON DELETE CASCADE;
ALTER TABLE notes ADD CONSTRAINT twice FOREIGN KEY (plan_id) REFERENCES plans; -- fails
\echo '== what the message says can be done'
BEGIN;
ALTER TABLE plans ADD UNIQUE (organization_id, id);
ALTER TABLE notes DROP CONSTRAINT again, ADD FOREIGN KEY (organization_id, plan_id) REFERENCES app.plans (organization_id, id);
COMMIT;
SELECT object_identity FROM dbkit.check();
RESET dbkit.rule_levels;
SET dbkit.enforce = off;
DROP SCHEMA app CASCADE;
DROP FUNCTION dbkit_agreement;
DROP ROLE regress_admin, regress_other, "regress_the ""odd"" one";
