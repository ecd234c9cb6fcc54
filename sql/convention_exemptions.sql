-- Exemptions, the baseline, and what has become of them.
\set roles '{regress_nobody,regress_somebody}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
-- bad input
SELECT dbkit.exempt(NULL, '*', 'why'); -- fails
SELECT dbkit.exempt('public.t', NULL, 'why'); -- fails
SELECT dbkit.exempt('public.t', '*', NULL); -- fails
SELECT dbkit.exempt('public.t', '*', E' \t\n'); -- fails
SELECT dbkit.exempt('public.t', 'BIGINT', 'why'); -- fails
SELECT dbkit.exempt('public.t', '', 'why'); -- fails
SELECT dbkit.exempt('public.t', '*', 'why', '2000-01-01'); -- fails
SELECT dbkit.exempt('public.t', '*', 'why', now()); -- fails
SELECT dbkit.exempt('public.t', '*', 'why', '-infinity'); -- fails
SELECT dbkit.exempt('%.t\', '*', 'why'); -- fails
SELECT dbkit.exempt('%.\\\', '*', 'why'); -- fails
SELECT dbkit.unexempt('public.t', 'nothing'); -- fails
SELECT dbkit.unexempt(NULL, '*'); -- fails
SELECT dbkit.unexempt('public.t', NULL); -- fails
SELECT dbkit.unexempt('public.t', '*');
SELECT count(*) FROM dbkit.exemption WHERE NOT builtin;
SET client_min_messages = notice;
SELECT dbkit.exempt('t', '*', 'the schema is missing'); -- a notice
SELECT dbkit.exempt('public."T"', '*', 'not to be quoted'); -- a notice
SELECT dbkit.exempt('pg_catalog.pg_class', '*', 'never judged'); -- a notice
DROP FUNCTION dbkit_agreement;
SET client_min_messages = warning;

-- what an exemption covers
SET dbkit.rule_levels = 'primary_key=off, id_default=off, id_check=off, updated_at_trigger=off, rls_policy=off, created_at=off, updated_at=off';
CREATE FUNCTION pg_temp.covered(name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL dbkit.enforce = off;
	EXECUTE format('CREATE TABLE %s (id integer)', name);
	RETURN coalesce((SELECT string_agg(rule, ' ') FROM dbkit.check(name::regclass)), 'covered');
END $$;
CREATE FUNCTION pg_temp.try_pattern(pattern text, name text, rule text DEFAULT '*') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM dbkit.exempt(pattern, rule, 'test');
	result = pg_temp.covered(name);
	EXECUTE format('DROP TABLE %s', name);
	PERFORM dbkit.unexempt(pattern, rule);
	RETURN result;
END $$;
SELECT pg_temp.try_pattern('public.t', 't');
SELECT pg_temp.try_pattern('public.t', 't', 'bigint');
SELECT pg_temp.try_pattern('public.t', 'tt');
SELECT pg_temp.try_pattern('public.t%', 'tt');
SELECT pg_temp.try_pattern('%', 'tt');
SELECT pg_temp.try_pattern('public.my_table', 'my_table');
SELECT pg_temp.try_pattern('public.my_table', 'my2table');
SELECT pg_temp.try_pattern('%.my\_table', 'my_table');
SELECT pg_temp.try_pattern('%.my\_table', 'my2table');
SELECT pg_temp.try_pattern('%.my_table', 'my2table');
SELECT pg_temp.try_pattern('%.\t\t', 'tt');
SELECT pg_temp.try_pattern('public.\t\t', 'tt');
SELECT pg_temp.try_pattern('public.T', 't');
SELECT pg_temp.try_pattern('public.100\%', '"100%"');
SELECT pg_temp.try_pattern('public.100%', '"100%"');
SELECT pg_temp.try_pattern('%.a\\b', '"a\b"');
SELECT pg_temp.try_pattern('public.a\b', '"a\b"');
SELECT pg_temp.try_pattern('%.a\\\_b', '"a\_b"');
SELECT pg_temp.try_pattern('public."we""ird.na''me; x"', '"we""ird.na''me; x"');
SELECT pg_temp.try_pattern('public.%ird.na''me; x"', '"we""ird.na''me; x"');
SELECT pg_temp.try_pattern('public.Straße\_%', '"Straße_表"');
SELECT pg_temp.try_pattern('public.Stra_e', '"Straße"');
SELECT pg_temp.try_pattern(E'public.a\nb', E'"a\nb"');
SELECT pg_temp.try_pattern('public.' || repeat('ü', 31), '"' || repeat('ü', 31) || '"');
-- exempt again: reason and end are replaced; * and a rule are two exemptions
SELECT dbkit.exempt('public.t', '*', 'for now', 'infinity');
SELECT dbkit.exempt('public.t', '*', 'for good');
SELECT dbkit.exempt('public.t', 'bigint', 'numbers');
SELECT object, rule, reason, expires_at FROM dbkit.exemption WHERE NOT builtin ORDER BY 2;
CREATE TABLE t (id integer);
SELECT dbkit.unexempt('public.t', '*');
DROP TABLE t;
CREATE TABLE t (id integer); -- fails
SELECT dbkit.unexempt('public.t', 'bigint');

-- the end
BEGIN;
SELECT dbkit.exempt('public.t', '*', 'for a moment', now() + interval '0.1 s');
CREATE TABLE t (id integer);
COMMIT;
SELECT pg_sleep(0.2);
ALTER TABLE t ADD n integer; -- fails
SELECT object, rule, reason, problem FROM dbkit.stale_exemptions;
DROP TABLE t;
SELECT object, rule, problem FROM dbkit.stale_exemptions ORDER BY 2;
DROP FUNCTION dbkit_agreement;

-- privileges: those who own the database or the extension agree for the team
CREATE ROLE regress_nobody;
CREATE ROLE regress_somebody;
GRANT CREATE ON SCHEMA public TO regress_nobody, regress_somebody;
SELECT format('ALTER DATABASE %I OWNER TO regress_somebody', current_database()) \gexec
SET dbkit.enforce = off;
CREATE TABLE old (id integer);
RESET dbkit.enforce;
SET ROLE regress_nobody;
SELECT dbkit.exempt('public.t', '*', 'mine'); -- fails
SELECT dbkit.unexempt('public.t', '*'); -- fails
SELECT dbkit.baseline(); -- fails
SELECT dbkit.unbaseline(); -- fails
SELECT dbkit.agree('{}'); -- fails
SELECT dbkit.agreement() -> 'preset';
SELECT count(*) FROM dbkit.status() WHERE name = 'enforce';
SELECT count(*) FROM dbkit.stale_exemptions;
SELECT count(*) > 20 FROM dbkit.exemption;
SELECT count(*) > 0 FROM dbkit.check();
SET ROLE regress_somebody;
SELECT dbkit.exempt('public.t', '*', 'mine');
SELECT dbkit.exempt('public.t', '*', 'mine still');
SELECT dbkit.baseline() > 0;
SELECT dbkit.unexempt('public.t', '*');
SELECT count(*) FROM dbkit.check();
-- an agreement of somebody who may not agree is not used
RESET ROLE;
ALTER FUNCTION dbkit_agreement OWNER TO regress_nobody;
SELECT count(*) > 0 FROM dbkit.check();
SELECT name, value, hint FROM dbkit.status() WHERE name = 'agreement';
SELECT dbkit.agree('{}'); -- fails
SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), current_user) \gexec
ALTER FUNCTION dbkit_agreement OWNER TO regress_somebody;
SELECT count(*) > 0 FROM dbkit.check();
ALTER ROLE regress_somebody SUPERUSER;
SELECT count(*) FROM dbkit.check();
DROP FUNCTION dbkit_agreement;
DROP TABLE old;
DROP OWNED BY regress_somebody, regress_nobody;
DROP ROLE regress_nobody, regress_somebody;

-- the ledgers of migration tools
RESET ALL;
SET client_min_messages = warning;
CREATE TABLE _yoyo_migration (migration_hash varchar(64), migration_id varchar(255), applied_at_utc timestamp, PRIMARY KEY (migration_hash));
CREATE TABLE _yoyo_log (id varchar(36), migration_hash varchar(64), operation varchar(10), created_at_utc timestamp, PRIMARY KEY (id));
CREATE TABLE _yoyo_version (version int NOT NULL PRIMARY KEY, installed_at_utc timestamp);
CREATE TABLE yoyo_lock (locked int DEFAULT 1, ctime timestamp, pid int NOT NULL, PRIMARY KEY (locked));
CREATE TABLE yoyo_tmp_abcdefghij (id int PRIMARY KEY);
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL);
ALTER TABLE alembic_version ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
CREATE TABLE ar_internal_metadata (key character varying NOT NULL PRIMARY KEY, value character varying, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL);
CREATE SCHEMA sqitch;
CREATE TABLE sqitch.projects (project text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE flyway_schema_history (installed_rank integer NOT NULL PRIMARY KEY, version varchar(50), checksum integer, installed_on timestamp NOT NULL DEFAULT now());
CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (version);
CREATE TABLE databasechangelog (id varchar(255) NOT NULL, dateexecuted timestamp NOT NULL, orderexecuted integer NOT NULL, deployment_id varchar(10));
CREATE TABLE databasechangeloglock (id integer NOT NULL PRIMARY KEY, locked boolean NOT NULL, lockgranted timestamp);
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
CREATE SCHEMA drizzle;
CREATE TABLE drizzle.__drizzle_migrations (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint);
CREATE TABLE knex_migrations (id serial PRIMARY KEY, name varchar(255), batch integer, migration_time timestamptz);
CREATE TABLE knex_migrations_lock (index serial PRIMARY KEY, is_locked integer);
CREATE TABLE pgmigrations (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);
CREATE TABLE gorp_migrations (id text PRIMARY KEY, applied_at timestamptz);
CREATE TABLE goose_db_version (id serial NOT NULL, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp DEFAULT now(), PRIMARY KEY (id));
CREATE TYPE schema_version_type AS ENUM ('auto', 'manual');
CREATE TABLE schema_version (version bigint NOT NULL PRIMARY KEY, type schema_version_type NOT NULL DEFAULT 'auto', installed_on timestamp NOT NULL DEFAULT now());
CREATE SCHEMA pgroll;
CREATE TABLE pgroll.migrations (schema name NOT NULL, name text NOT NULL, created_at timestamp DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (schema, name));
CREATE TABLE django_migrations (id bigint NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY, app varchar(255) NOT NULL, applied timestamptz NOT NULL);
CREATE TABLE migrations (id serial NOT NULL PRIMARY KEY, timestamp bigint NOT NULL, name character varying NOT NULL);
CREATE TABLE typeorm_metadata (type character varying NOT NULL, database character varying);
CREATE TABLE "SequelizeMeta" (name character varying(255) NOT NULL UNIQUE PRIMARY KEY);
CREATE TABLE "SequelizeData" (name character varying(255) NOT NULL UNIQUE PRIMARY KEY);
SELECT * FROM dbkit.check();
SELECT * FROM dbkit.stale_exemptions;
SELECT array_agg(DISTINCT reason ORDER BY reason) FROM dbkit.exemption WHERE builtin;
DROP TABLE _yoyo_migration, _yoyo_log, _yoyo_version, yoyo_lock, yoyo_tmp_abcdefghij, alembic_version, schema_migrations, ar_internal_metadata,
	flyway_schema_history, databasechangelog, databasechangeloglock, _prisma_migrations, knex_migrations, knex_migrations_lock, pgmigrations,
	gorp_migrations, goose_db_version, schema_version, django_migrations, migrations, typeorm_metadata, "SequelizeMeta", "SequelizeData";
DROP TYPE schema_version_type;
DROP SCHEMA sqitch, drizzle, pgroll CASCADE;
-- they cannot be taken back
SELECT dbkit.unexempt('%.migrations', '*'); -- fails
