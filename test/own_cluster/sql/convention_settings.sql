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
SET dbkit.rule.bigint = warning;
ALTER TABLE widgets ADD a int, ADD b timestamp;  -- fails, and warns
ALTER TABLE widgets ADD a int, ADD c smallint;
SELECT rule, level, column_name, fix FROM dbkit.check('widgets');
SELECT id, level FROM dbkit.rules WHERE id IN ('bigint', 'storytime', 'fk_index') ORDER BY id;
SET dbkit.rule.bigint = off;
ALTER TABLE widgets ADD d int;
SELECT rule, level, column_name FROM dbkit.check('widgets');
RESET dbkit.rule.bigint;
ALTER TABLE widgets ADD e int;  -- fails
SELECT rule, level, column_name FROM dbkit.check('widgets');
-- the whole enforcement; dbkit.check() says what it thinks all the same
SET dbkit.enforce = off;
ALTER TABLE widgets ADD f int;
SELECT rule, level, column_name FROM dbkit.check('widgets');
RESET dbkit.enforce;
-- for a transaction, for a function
BEGIN;
SET LOCAL dbkit.enforce = off;
ALTER TABLE widgets DROP a, DROP c, DROP d, DROP f, ADD g int;
ROLLBACK;
ALTER TABLE widgets ADD g int;  -- fails
CREATE FUNCTION migrate() RETURNS void LANGUAGE sql SET dbkit.rule.bigint = off AS 'ALTER TABLE widgets ADD g int';
SELECT migrate();
SHOW dbkit.rule.bigint;
DROP TABLE widgets;

-- what does not exist is refused
\set VERBOSITY terse
SET dbkit.rule.bigintt = off;  -- fails
SET dbkit.rules.bigint = off;  -- fails
SET dbkit.enforced = off;  -- fails
SET dbkit.rule.bigint = '';  -- fails
SET dbkit.id_style = serial;  -- fails
ALTER ROLE regress_builder SET dbkit.rule.bigintt = off;  -- fails
ALTER DATABASE :DBNAME SET dbkit.rule.storytime = never;  -- fails
SHOW dbkit.rule.bigintt;  -- fails

\set VERBOSITY default
-- an unprivileged role can change none, loaded or not
\c - regress_builder
SET dbkit.enforce = off;
SET dbkit.rule.bigint = off;
SET dbkit.rule.bigintt = off;
SET dbkit.id_style = uuid;
CREATE TABLE settings.widgets (n int);  -- fails, and says that none of these holds
SHOW dbkit.enforce;
SHOW dbkit.rule.bigint;
SHOW dbkit.id_style;
SHOW dbkit.rule.bigintt;  -- fails
SET dbkit.enforce = off;  -- fails
SET dbkit.rule.bigint = warning;  -- fails
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
ALTER ROLE regress_builder SET dbkit.rule.primary_key = off;
ALTER ROLE regress_builder SET dbkit.rule.storytime = warning;
ALTER DATABASE :DBNAME SET dbkit.rule.bigint = off;
\c - regress_builder
SELECT id, level FROM dbkit.rules WHERE id IN ('primary_key', 'storytime', 'bigint', 'fk_index') ORDER BY id;
CREATE TABLE settings.widgets (n int);  -- fails
\c - regress_dba
ALTER ROLE regress_builder RESET ALL;
ALTER DATABASE :DBNAME RESET dbkit.rule.bigint;

-- handed out
GRANT SET ON PARAMETER dbkit.enforce, dbkit.rule.bigint TO regress_builder;
\c - regress_builder
SET dbkit.enforce = off;
CREATE TABLE settings.widgets (n int);
RESET dbkit.enforce;
SET dbkit.rule.bigint = off;
SET dbkit.rule.text_id = off;  -- fails
ALTER ROLE regress_builder SET dbkit.rule.bigint = warning;
\c - regress_dba
REVOKE SET ON PARAMETER dbkit.enforce, dbkit.rule.bigint FROM regress_builder;
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
