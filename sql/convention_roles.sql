-- Any role that may create tables can keep the conventions; one that may not gets PostgreSQL's own error.
\set roles '{regress_builder,regress_stranger}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
CREATE ROLE regress_builder;
CREATE ROLE regress_stranger;
CREATE SCHEMA site AUTHORIZATION regress_builder;
GRANT USAGE ON SCHEMA site TO regress_stranger;
CREATE TABLE public.held (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('hel') CHECK (id LIKE 'hel_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
SET search_path = site, public;

SET ROLE regress_builder;
CREATE TABLE good (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('goo') CHECK (id LIKE 'goo_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
CREATE TABLE bad (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('hel') CHECK (id LIKE 'hel_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);  -- fails
ALTER TABLE good ALTER id SET DEFAULT generate_id('god'), DROP CONSTRAINT good_id_check, ADD CHECK (id LIKE 'god_%');
SELECT dbkit.table_of(generate_id('god')), dbkit.table_of(generate_id('goo')), dbkit.table_of(generate_id('hel'));
SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY prefix;
SELECT * FROM dbkit.check('good');
SELECT * FROM dbkit.check();
SELECT * FROM dbkit.check_schema('site');
SELECT phase FROM dbkit.rules WHERE id = 'bigint';
-- the registry is not for it to write, nor the machinery to touch
INSERT INTO dbkit.id_prefix VALUES ('abc', 'good'::regclass, false);  -- fails
DELETE FROM dbkit.id_prefix;  -- fails
TRUNCATE dbkit.id_prefix;  -- fails
ALTER TABLE dbkit.id_prefix ADD x int;  -- fails
DROP TABLE dbkit.id_prefix;  -- fails
CREATE TABLE dbkit.mine (n int);  -- fails
ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;  -- fails
CREATE EVENT TRIGGER mine ON sql_drop EXECUTE FUNCTION dbkit.sql_drop();  -- fails
DROP EXTENSION dbkit;  -- fails
SET session_replication_role = replica;  -- fails
SELECT dbkit.ddl_command_end();  -- fails
SELECT dbkit.sql_drop();  -- fails
SELECT dbkit.ddl_command_start();  -- fails
SELECT dbkit.table_rewrite();  -- fails
DROP TABLE good;
SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY prefix;

SET ROLE regress_stranger;
CREATE TABLE bad (n int);  -- fails, by PostgreSQL
CREATE TABLE public.bad (n int);  -- fails, by PostgreSQL
ALTER TABLE held ADD n int;  -- fails, by PostgreSQL
CREATE TEMPORARY TABLE fine (n int);
DROP TABLE fine;
-- what it cannot read it can still check: the catalogs are public
SELECT pg_catalog.has_table_privilege('public.held', 'SELECT');
SELECT * FROM dbkit.check('public.held');

RESET ROLE;
DROP SCHEMA site;
DROP TABLE held;
DROP ROLE regress_builder;
DROP ROLE regress_stranger;

-- nobody's search_path, operators or functions get in between
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.always(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR hostile.= (FUNCTION = hostile.always, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR hostile.~~ (FUNCTION = hostile.always, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT timestamptz '2000-01-01Z'$$;
CREATE FUNCTION hostile.generate_id(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE TABLE pg_temp.id_prefix (prefix text, relation regclass, contested boolean);
SET search_path = hostile, pg_catalog, public;
SELECT pg_temp.why(pg_temp.table_sql('hostile.bad', 'hos'));
SET search_path = pg_catalog;
SELECT pg_temp.why(replace(pg_temp.table_sql('hostile.good', 'hos'), 'generate_id', 'public.generate_id'));
SELECT dbkit.table_of(public.generate_id('hos'));
SELECT * FROM dbkit.check('hostile.good');
SET search_path = '';
SELECT prefix, relation::regclass FROM dbkit.id_prefix;
RESET search_path;
SET client_min_messages = error;
DROP SCHEMA hostile CASCADE;
