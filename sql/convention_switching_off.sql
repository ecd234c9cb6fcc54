-- How enforcement is switched off, and how an owner gets out of trouble with it.
\i sql/include/convention.psql
SELECT pg_temp.why('CREATE TABLE bad (n int)') <> 'accepted' AS enforced;
-- where a dump is restored, PostgreSQL is told not to look into functions
SET check_function_bodies = off;
SELECT pg_temp.why('CREATE TABLE bad (n int); DROP TABLE bad');
RESET check_function_bodies;
-- where changes are applied that were made elsewhere
SET session_replication_role = replica;
SELECT pg_temp.why('CREATE TABLE bad (n int); DROP TABLE bad');
RESET session_replication_role;
-- by the setting
SET dbkit.enforce = off;
SELECT pg_temp.why('CREATE TABLE bad (n int); DROP TABLE bad');
RESET dbkit.enforce;
-- by the event triggers
ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;
SELECT pg_temp.why('CREATE TABLE bad (n int); DROP TABLE bad');
ALTER EVENT TRIGGER dbkit_ddl_command_end ENABLE;
SELECT pg_temp.why('CREATE TABLE bad (n int)') <> 'accepted' AS enforced;

-- the rest is done to a database of its own
SELECT current_database() AS home \gset
DROP DATABASE IF EXISTS regress_dbkit_off;
CREATE DATABASE regress_dbkit_off TEMPLATE template0;
\c regress_dbkit_off
CREATE EXTENSION dbkit;
\i sql/include/convention.psql

-- what happens while the triggers are off is not registered, and does no harm later
SELECT pg_temp.why(pg_temp.table_sql('one', 'one'));
SELECT pg_temp.why(pg_temp.table_sql('two', 'two'));
ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;
ALTER EVENT TRIGGER dbkit_sql_drop DISABLE;
SELECT pg_temp.why(pg_temp.table_sql('three', 'thr'));
SELECT pg_temp.why(pg_temp.table_sql('one_more', 'one'));
ALTER TABLE two ALTER id SET DEFAULT generate_id('one'), DROP CONSTRAINT two_id_check, ADD CHECK (id LIKE 'one_%');
DROP TABLE one;
ALTER EVENT TRIGGER dbkit_ddl_command_end ENABLE;
ALTER EVENT TRIGGER dbkit_sql_drop ENABLE;
SELECT prefix, relation IS NOT NULL FROM dbkit.id_prefix ORDER BY prefix;
SELECT dbkit.table_of(generate_id('one'));
SELECT rule, problem FROM dbkit.check();
SELECT pg_temp.why(pg_temp.table_sql('four', 'thr'));
ALTER TABLE one_more ADD note text;
SELECT dbkit.table_of(generate_id('one'));
SELECT pg_temp.why('ALTER TABLE two ADD note text');
SELECT pg_temp.why('ALTER TABLE three ADD note text');
SELECT rule, problem FROM dbkit.check();
DROP TABLE one_more, two, three, four;
TABLE dbkit.id_prefix;

-- a prefix handed over to a table that is registered with another one
SELECT pg_temp.why(pg_temp.table_sql('five', 'fiv'));
SELECT pg_temp.why(pg_temp.table_sql('six', 'six'));
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, id_prefix=off';
SELECT pg_temp.why(pg_temp.table_sql('seven', 'six'));
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off';
ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;
ALTER TABLE five ALTER id SET DEFAULT generate_id('six'), DROP CONSTRAINT five_id_check, ADD CHECK (id LIKE 'six_%');
ALTER EVENT TRIGGER dbkit_ddl_command_end ENABLE;
DROP TABLE six;
SELECT prefix, relation::regclass FROM dbkit.id_prefix ORDER BY prefix;
DROP TABLE five, seven;
TABLE dbkit.id_prefix;

-- a damaged registry: every error names the way out, and that works
SELECT pg_temp.why(pg_temp.table_sql('one', 'one'));
ALTER TABLE dbkit.id_prefix ADD note text;  -- fails
ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;
ALTER TABLE dbkit.id_prefix ADD note text;
ALTER EVENT TRIGGER dbkit_ddl_command_end ENABLE;
SELECT pg_temp.try(pg_temp.table_sql('two', 'two'));
SELECT pg_temp.try('CREATE TEMPORARY TABLE fine (n int)');
SELECT pg_temp.try('DROP TABLE fine');
SELECT pg_temp.try('CREATE FUNCTION fine() RETURNS int LANGUAGE sql AS ''SELECT 1''; DROP FUNCTION fine');
SELECT pg_temp.try($$SELECT dbkit.table_of(generate_id('one'))$$);
SELECT pg_temp.try('DROP TABLE one');
SELECT pg_temp.try('ALTER TABLE dbkit.id_prefix DROP note');
ALTER EVENT TRIGGER dbkit_ddl_command_end DISABLE;
ALTER EVENT TRIGGER dbkit_sql_drop DISABLE;
SELECT pg_temp.try(pg_temp.table_sql('two', 'two'));
DROP TABLE one;
ALTER EXTENSION dbkit DROP TABLE dbkit.id_prefix;
DROP TABLE dbkit.id_prefix;
ALTER EVENT TRIGGER dbkit_ddl_command_end ENABLE;
ALTER EVENT TRIGGER dbkit_sql_drop ENABLE;
SELECT pg_temp.try(pg_temp.table_sql('three', 'thr'));
SELECT pg_temp.try('DROP TABLE two');
SELECT pg_temp.try('SELECT * FROM dbkit.check()');
SELECT pg_temp.try('ALTER SCHEMA dbkit RENAME TO kit');
-- nor is anything in the way of dropping the extension
SELECT pg_temp.try('DROP EXTENSION dbkit');
DROP EXTENSION dbkit CASCADE;
SELECT pg_temp.why('CREATE TABLE bad (n int)');
SELECT nspname FROM pg_namespace WHERE nspname = 'dbkit';
SELECT evtname FROM pg_event_trigger;

-- and created again, in another schema, it tells of the tables that are there once somebody agrees
CREATE SCHEMA "ids here";
CREATE EXTENSION dbkit SCHEMA "ids here";
SELECT dbkit.agree('{"preset": "house"}');
SELECT object_identity, rule, fix FROM dbkit.check();
SELECT pg_temp.why('CREATE TABLE worse (n bigint)');
SET search_path = public, "ids here";
SELECT fix FROM dbkit.check('two') \gexec
SELECT pg_temp.why(pg_temp.table_sql('three', 'two'));
SELECT pg_temp.why(pg_temp.table_sql('three', 'thr'));
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'three'::regclass AND adnum = 1;
RESET search_path;
-- the default is known wherever the function is
SELECT dbkit.table_of("ids here".generate_id('thr'));
SELECT * FROM dbkit.check('three');
ALTER SCHEMA "ids here" RENAME TO ids;
SELECT * FROM dbkit.check('three');
SELECT pg_temp.why('CREATE TABLE worse (n bigint)');
SELECT pg_temp.try('ALTER EXTENSION dbkit SET SCHEMA public');
SET client_min_messages = error;
DROP SCHEMA ids CASCADE;
SELECT pg_temp.why('CREATE TABLE worse (n bigint)');
\c :home
DROP DATABASE regress_dbkit_off;
