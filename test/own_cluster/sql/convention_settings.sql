-- Settings and levels, and who may change them.
\i sql/include/convention.psql
\set me :USER
CREATE ROLE regress_dba SUPERUSER LOGIN;
CREATE ROLE regress_builder LOGIN;
CREATE SCHEMA settings;
GRANT ALL ON SCHEMA settings TO regress_builder;
SET search_path = settings, public;

-- off, warning, error; each rule for itself
CREATE TABLE widgets (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('wid') CHECK (id LIKE 'wid_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, bigint=warning';
ALTER TABLE widgets ADD a int, ADD b timestamp;  -- fails, and warns
ALTER TABLE widgets ADD a int, ADD c smallint;
SELECT rule, level, column_name, fix FROM dbkit.check('widgets');
SELECT id, level FROM dbkit.rules WHERE id IN ('bigint', 'storytime', 'fk_index') ORDER BY id;
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, bigint=off';
ALTER TABLE widgets ADD d int;
SELECT rule, level, column_name FROM dbkit.check('widgets');
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off';
ALTER TABLE widgets ADD e int;  -- fails
SELECT rule, level, column_name FROM dbkit.check('widgets');
-- the whole enforcement; dbkit.check() says what it thinks all the same
SET dbkit.enforce = off;
ALTER TABLE widgets ADD f int;
SELECT rule, level, column_name FROM dbkit.check('widgets');
SET dbkit.enforce = warning;
ALTER TABLE widgets ADD h int;  -- warns
RESET dbkit.enforce;
-- for a transaction, for a function
BEGIN;
SET LOCAL dbkit.enforce = off;
ALTER TABLE widgets DROP a, DROP c, DROP d, DROP f, ADD g int;
ROLLBACK;
ALTER TABLE widgets ADD g int;  -- fails
CREATE FUNCTION migrate() RETURNS void LANGUAGE sql SET dbkit.rule_levels = 'bigint=off, updated_at_trigger=off, rls_enabled=off, rls_policy=off' AS 'ALTER TABLE widgets ADD g int';
SELECT migrate();
SHOW dbkit.rule_levels;
DROP TABLE widgets;

-- what does not exist is refused
\set VERBOSITY terse
SET dbkit.rule_levels = 'bigintt=off';  -- fails
SET dbkit.rule_levels = 'bigint';  -- fails
SET dbkit.rule_levels = 'bigint=';  -- fails
SET dbkit.rule_levels = 'bigint=off,';  -- fails
SET dbkit.rule_levels = 'bigint=off=on';  -- fails
SET dbkit.rule_levels = 'rls_policy=fix';  -- fails
SET dbkit.rule_levels = E' \tbigint = off ,storytime=warning ';
SELECT id, level FROM dbkit.rules WHERE id IN ('bigint', 'storytime', 'fk_index') ORDER BY id;
SET dbkit.rule_levels = ' ';
SELECT id, level FROM dbkit.rules WHERE id IN ('bigint', 'storytime', 'fk_index') ORDER BY id;
SET dbkit.rule.bigint = off;  -- fails
SET dbkit.enforced = off;  -- fails
SET dbkit.enforce = maybe;  -- fails
SET dbkit.required_rules = '';  -- fails
SET dbkit.id_style = uuid;  -- fails
ALTER ROLE regress_builder SET dbkit.rule_levels = 'bigintt=off';  -- a rule of another database's team may have that name
ALTER ROLE regress_builder RESET dbkit.rule_levels;
ALTER DATABASE :DBNAME SET dbkit.rule_levels = 'storytime=never';  -- fails

\set VERBOSITY default
-- an unprivileged role can change none, loaded or not
\c - regress_builder
SET dbkit.enforce = off;
SET dbkit.rule_levels = 'bigint=off';
SET dbkit.required_rules = 'storytime=warning';
CREATE TABLE settings.widgets (n int);  -- fails, and says that none of these holds
SHOW dbkit.enforce;
SHOW dbkit.rule_levels;
SHOW dbkit.required_rules;
SET dbkit.enforce = off;  -- fails
SET dbkit.rule_levels = 'bigint=warning';  -- fails
SELECT set_config('dbkit.enforce', 'off', true);  -- fails
UPDATE pg_settings SET setting = 'off' WHERE name = 'dbkit.enforce';  -- fails
ALTER ROLE regress_builder SET dbkit.enforce = off;  -- fails
CREATE FUNCTION settings.sly() RETURNS void LANGUAGE sql SET dbkit.enforce = off AS 'CREATE TABLE widgets (n int)';  -- fails
-- in a transaction too
\c - regress_builder
BEGIN;
SET LOCAL dbkit.enforce = off;
CREATE TABLE settings.widgets (n int);  -- fails
COMMIT;
SHOW dbkit.enforce;
-- it may read them, and the rules
SELECT level FROM dbkit.rules WHERE id = 'bigint';

-- what an administrator sets before the library is loaded counts
\c - regress_dba
BEGIN;
SET LOCAL dbkit.enforce = off;
CREATE TABLE settings.widgets (n int);
SHOW dbkit.enforce;
COMMIT;
SHOW dbkit.enforce;
DROP TABLE settings.widgets;

-- for a role or the database
ALTER ROLE regress_builder SET dbkit.rule_levels = 'primary_key=off, storytime=warning';
ALTER DATABASE :DBNAME SET dbkit.rule_levels = 'bigint=off';
\c - regress_builder
SELECT id, level FROM dbkit.rules WHERE id IN ('primary_key', 'storytime', 'bigint', 'fk_index') ORDER BY id;
CREATE TABLE settings.widgets (n int);  -- fails
\c - regress_dba
ALTER ROLE regress_builder RESET ALL;
ALTER DATABASE :DBNAME RESET dbkit.rule_levels;

-- handed out
GRANT SET ON PARAMETER dbkit.enforce, dbkit.rule_levels TO regress_builder;
\c - regress_builder
SET dbkit.enforce = off;
CREATE TABLE settings.widgets (n int);
RESET dbkit.enforce;
SET dbkit.rule_levels = 'bigint=off';
SET dbkit.large_table_size = 0;  -- fails
ALTER ROLE regress_builder SET dbkit.rule_levels = 'bigint=warning';
\c - regress_dba
REVOKE SET ON PARAMETER dbkit.enforce, dbkit.rule_levels FROM regress_builder;
\c - regress_builder
SET dbkit.enforce = off;
CREATE TABLE settings.gadgets (n int);  -- fails
\c - regress_dba
SET client_min_messages = warning;
DROP SCHEMA settings CASCADE;
DROP OWNED BY regress_builder;
DROP ROLE regress_builder;
\c - :me
DROP ROLE regress_dba;
