-- A policy that reads a setting which any session can set is reported, at level warning.
\i sql/include/convention_commit.psql
SELECT pg_temp.make('forgeable', 'fgb', 'organization_extid text COLLATE "C"');
SELECT rule, problem FROM dbkit.check('forgeable');
-- the context's own settings, which need dbkit to be loaded in time, however they are spelled
CREATE POLICY guarded ON forgeable USING (organization_extid = current_setting('app.organization_id'));
CREATE POLICY spelled ON forgeable USING (id = (SELECT current_setting('APP.User_Id', true)));
SELECT rule, problem FROM dbkit.check('forgeable');
-- and an agreement that keeps them from the application
CREATE FUNCTION dbkit_agreement() RETURNS jsonb IMMUTABLE LANGUAGE sql
	AS $$ SELECT '{"reserve_settings": false}'::pg_catalog.jsonb $$;
SELECT rule, problem FROM dbkit.check('forgeable');
DROP FUNCTION dbkit_agreement();
DROP POLICY spelled ON forgeable;
ALTER POLICY guarded ON forgeable USING (organization_extid = dbkit.organization_id());
-- what no setting is read for
CREATE POLICY functions ON forgeable USING (organization_extid = dbkit.organization_id() OR id = dbkit.user_id());
CREATE POLICY roles ON forgeable USING (id = current_user);
SELECT rule, problem FROM dbkit.check('forgeable');
-- what any session can set: in USING, in WITH CHECK, in a subselect, by a name that is no constant
CREATE POLICY "it's ""open""" ON forgeable USING (organization_extid = current_setting('app.tenant', true));
CREATE POLICY checked ON forgeable FOR INSERT WITH CHECK (id = current_setting('request.id'));
CREATE POLICY subselect ON forgeable USING (id IN (SELECT v.id FROM (VALUES (current_setting('app.tenant', true))) AS v(id)));
CREATE POLICY computed ON forgeable USING (id = current_setting('app.' || organization_extid, true));
SELECT rule, level, problem FROM dbkit.check('forgeable');
-- a function of that name is another function
CREATE SCHEMA regress_forgeable;
CREATE FUNCTION regress_forgeable.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
DROP POLICY "it's ""open""" ON forgeable;
DROP POLICY checked ON forgeable;
DROP POLICY subselect ON forgeable;
DROP POLICY computed ON forgeable;
CREATE POLICY lookalike ON forgeable USING (id = regress_forgeable.current_setting('app.tenant'));
SELECT rule, problem FROM dbkit.check('forgeable');
-- at level error it is refused
DROP POLICY lookalike ON forgeable;
SET dbkit.rule_levels = 'forgeable_policy=error';
ALTER POLICY guarded ON forgeable USING (id = current_setting('app.tenant', true));  -- fails
SET dbkit.rule_levels = 'forgeable_policy=fix';  -- fails
RESET dbkit.rule_levels;
DROP SCHEMA regress_forgeable CASCADE;
DROP TABLE forgeable;
