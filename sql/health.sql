-- dbkit.health: each check that one session can bring about, its limits, and who sees what.
-- What takes several servers or sessions is in test/t/health.pl.
\set roles '{regress_watcher,regress_monitor,regress_tenant,regress_writer}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
SET dbkit.enforce = off;
CREATE ROLE regress_watcher;
CREATE ROLE regress_monitor;
GRANT pg_monitor TO regress_monitor;
CREATE ROLE regress_writer;
CREATE FUNCTION pg_temp.says(VARIADIC names text[]) RETURNS TABLE (name text, status text, value text, threshold text, hint text)
LANGUAGE sql AS $$ SELECT name, status, value, threshold, hint FROM dbkit.health WHERE name = ANY (names) $$;

-- what there is
SELECT name, threshold, number >= 0 AS measured FROM dbkit.health;

-- sequences: nearest to its end counts, up or down; those that cycle have none
CREATE SCHEMA seq;
CREATE SEQUENCE seq.fresh MAXVALUE 1000000;
CREATE SEQUENCE seq.turning MAXVALUE 10 CYCLE;
SELECT setval('seq.turning', 10) \g /dev/null
SELECT * FROM pg_temp.says('sequences');
CREATE SEQUENCE seq."half Full" MAXVALUE 10 START 9;
SELECT * FROM pg_temp.says('sequences');
SELECT nextval('seq."half Full"') \g /dev/null
SELECT * FROM pg_temp.says('sequences');
CREATE SEQUENCE seq.down INCREMENT -1 MINVALUE -100 MAXVALUE -1;
SELECT setval('seq.down', -96) \g /dev/null
SELECT * FROM pg_temp.says('sequences');
SELECT setval('seq.down', -100) \g /dev/null
SELECT * FROM pg_temp.says('sequences');
DROP SEQUENCE seq.down;
-- the next step goes beyond the end, though numbers are left
CREATE SEQUENCE seq.striding INCREMENT 60 MAXVALUE 100;
SELECT nextval('seq.striding'), nextval('seq.striding');
SELECT * FROM pg_temp.says('sequences');
DROP SEQUENCE seq.striding;
-- the whole range of bigint; an unlogged one, and a temporary one, which is not looked at
CREATE SEQUENCE seq.wide MINVALUE -9223372036854775808 START -9223372036854775808;
SELECT setval('seq.wide', 9223372036854775807) \g /dev/null
SELECT * FROM pg_temp.says('sequences');
DROP SEQUENCE seq.wide;
CREATE UNLOGGED TABLE seq.unlogged (n smallserial);
SELECT setval('seq.unlogged_n_seq', 32000) \g /dev/null
SELECT * FROM pg_temp.says('sequences');
DROP TABLE seq.unlogged;
CREATE TEMP SEQUENCE full_but_mine MAXVALUE 2;
SELECT setval('full_but_mine', 2) \g /dev/null
SELECT * FROM pg_temp.says('sequences');
-- one that this transaction has made, or altered so that it has another file
BEGIN;
ALTER SEQUENCE seq.fresh MAXVALUE 100 RESTART 97;
SELECT * FROM pg_temp.says('sequences');
ROLLBACK;
SELECT * FROM pg_temp.says('sequences');

-- a role sees what it may; members of pg_monitor see all
CREATE FUNCTION pg_temp.hints() RETURNS TABLE (name text, value text, hint text) LANGUAGE sql AS
$$ SELECT name, value, hint FROM dbkit.health WHERE name IN ('sequences', 'longest_transaction', 'idle_in_transaction', 'replication_lag', 'invalid_indexes') $$;
SET ROLE regress_watcher;
SELECT * FROM pg_temp.hints();
RESET ROLE;
GRANT USAGE ON SEQUENCE seq."half Full" TO regress_watcher;
SET ROLE regress_watcher;
SELECT * FROM pg_temp.hints() WHERE name = 'sequences';
SET ROLE regress_monitor;
SELECT * FROM pg_temp.hints();
RESET ROLE;
DROP SCHEMA seq CASCADE;
DROP SEQUENCE full_but_mine;

-- invalid indexes
CREATE TABLE twice (n int);
INSERT INTO twice VALUES (1), (1);
CREATE UNIQUE INDEX CONCURRENTLY twice_n ON twice (n);	-- fails
SELECT * FROM pg_temp.says('invalid_indexes');
SET dbkit.health_thresholds = 'invalid_indexes=1/1';
SELECT * FROM pg_temp.says('invalid_indexes');
RESET dbkit.health_thresholds;
DROP TABLE twice;
SELECT * FROM pg_temp.says('invalid_indexes');

-- enforcement, of this session
SET dbkit.enforce = on;
SELECT * FROM pg_temp.says('enforcement');
SET dbkit.enforce = warning;
SELECT * FROM pg_temp.says('enforcement');
SET dbkit.enforce = off;
SELECT * FROM pg_temp.says('enforcement');

-- event triggers
BEGIN;
ALTER EVENT TRIGGER dbkit_sql_drop DISABLE;
SELECT * FROM pg_temp.says('event_triggers');
ALTER EVENT TRIGGER dbkit_sql_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER dbkit_table_rewrite RENAME TO other;
SELECT * FROM pg_temp.says('event_triggers');
ROLLBACK;
SELECT * FROM pg_temp.says('event_triggers');

-- the agreement: what is in it, and whose it is
BEGIN;
SELECT dbkit.agree('{"user_tables": ["people"]}') \g /dev/null
SELECT * FROM pg_temp.says('agreement');
CREATE OR REPLACE FUNCTION dbkit_agreement() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT '{"colour": "blue"}'::jsonb $$;
SELECT * FROM pg_temp.says('agreement');
ALTER FUNCTION dbkit_agreement() OWNER TO regress_writer;
SELECT * FROM pg_temp.says('agreement');
ROLLBACK;
BEGIN;
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS dbkit_agreement();
SELECT * FROM pg_temp.says('agreement');
ROLLBACK;
-- exemptions that have expired
BEGIN;
SELECT dbkit.exempt('public.old_%', 'bigint', 'goes in spring', clock_timestamp() + '100 ms') \g /dev/null
SELECT * FROM pg_temp.says('expired_exemptions');
COMMIT;
SELECT pg_sleep(0.2) \g /dev/null
SELECT * FROM pg_temp.says('expired_exemptions');
SELECT dbkit.unexempt('public.old_%', 'bigint') \g /dev/null

-- the prefix registry
BEGIN;
SET LOCAL dbkit.rule_levels = '*=off';
CREATE TABLE first (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('twi') CHECK (id LIKE 'twi_%'));
SELECT * FROM pg_temp.says('registry');
CREATE TABLE second (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('twi') CHECK (id LIKE 'twi_%'));
SELECT * FROM pg_temp.says('registry');
ROLLBACK;

-- the role of the tenants: what it is, what it belongs to, and what it can make
BEGIN;
SELECT dbkit.agree('{"customer_role": "regress_tenant"}') \g /dev/null
SELECT * FROM pg_temp.says('customer_role');
REVOKE CREATE, TEMPORARY ON DATABASE contrib_regression FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE ROLE regress_tenant;
SELECT * FROM pg_temp.says('customer_role');
ALTER ROLE regress_tenant BYPASSRLS;
SELECT * FROM pg_temp.says('customer_role');
ALTER ROLE regress_tenant NOBYPASSRLS;
GRANT regress_writer TO regress_tenant;
GRANT CREATE ON SCHEMA public TO regress_tenant;
SELECT status, value FROM pg_temp.says('customer_role');
ROLLBACK;

-- the ledger's triggers
BEGIN;
ALTER TABLE dbkit.schema_version DISABLE TRIGGER keep_ledger;
SELECT * FROM pg_temp.says('ledger');
ALTER TABLE dbkit.schema_version ENABLE TRIGGER keep_ledger;
SELECT status FROM pg_temp.says('ledger');
ALTER TABLE dbkit.schema_version ENABLE ALWAYS TRIGGER keep_ledger;
SELECT * FROM pg_temp.says('ledger');
ROLLBACK;

-- the log of changes: not there, empty, not sealed, sealed, written since; and its months
SELECT name, status, value FROM pg_temp.says('audit_seal', 'audit_months');
BEGIN;
CREATE EXTENSION dbkit_audit;
SELECT * FROM pg_temp.says('audit_seal', 'audit_months');
SELECT dbkit.audit_months();
SELECT * FROM pg_temp.says('audit_seal', 'audit_months');
CREATE FUNCTION pg_temp.enter(age interval) RETURNS void LANGUAGE sql AS $$
INSERT INTO dbkit.audit_log (at, transaction, system_identifier, salt, pid, id, operation)
VALUES (now() - age, pg_current_xact_id(), (SELECT system_identifier FROM pg_control_system()), 1, 1, public.generate_id('aud'), 'INSERT') $$;
SELECT pg_temp.enter('2 days 1 hour');
SELECT pg_temp.enter('1 second');
SELECT name, status, value, hint FROM pg_temp.says('audit_seal');
INSERT INTO dbkit.audit_seals VALUES (1, now(), 1, '1:1:', 2, '');
SELECT status, value, hint FROM pg_temp.says('audit_seal');
UPDATE dbkit.audit_seals SET at = now() - interval '3 days';
SELECT status, value FROM pg_temp.says('audit_seal');
SAVEPOINT broken;
ALTER TABLE dbkit.audit_seals ALTER at TYPE text;
SELECT status FROM pg_temp.says('audit_seal');
ROLLBACK TO broken;
SELECT format('ALTER TABLE dbkit.audit_log DETACH PARTITION dbkit.audit_log_%s', to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months', 'YYYY_MM')) AS detach \gset
:detach;
SELECT * FROM pg_temp.says('audit_months');
SET LOCAL ROLE regress_watcher;
SELECT name, status, value FROM pg_temp.says('audit_seal', 'audit_months');
ROLLBACK;

-- limits: in the units of any other setting, for good or never
SET dbkit.health_thresholds = ' connections = 0.001%/100 , longest_transaction=1us/90min,replication_lag=off, sequences=off/99.5%, prepared_transactions=2s/off';
SELECT name, status, threshold FROM pg_temp.says('connections', 'longest_transaction', 'replication_lag', 'sequences', 'prepared_transactions');
-- the last one counts
SET dbkit.health_thresholds = 'connections=0.001%/100%, connections=0.001%/0.002%';
SELECT name, status, threshold FROM pg_temp.says('connections');
SELECT hint ~ '^\d+ of \d+ connections are taken\. Beyond' AS told FROM dbkit.health WHERE name = 'connections';
SET dbkit.health_thresholds = '';
SET dbkit.health_thresholds = 'connections';	-- fails
SET dbkit.health_thresholds = 'conections=80%/95%';	-- fails
SET dbkit.health_thresholds = 'connections=80%';	-- fails
SET dbkit.health_thresholds = 'connections=80%/95%/99%';	-- fails
SET dbkit.health_thresholds = 'connections=95%/80%';	-- fails
SET dbkit.health_thresholds = 'connections=0/80%';	-- fails
SET dbkit.health_thresholds = 'connections=-1/80%';	-- fails
SET dbkit.health_thresholds = 'connections=nan/80%';	-- fails
SET dbkit.health_thresholds = 'connections=80s/95s';	-- fails
SET dbkit.health_thresholds = 'lock_waits=5%/10%';	-- fails
SET dbkit.health_thresholds = 'lock_waits=5MB/10MB';	-- fails
SET dbkit.health_thresholds = 'replication_lag=5s/10s';	-- fails
SET dbkit.health_thresholds = 'registry=';	-- fails
SET dbkit.health_thresholds = 'registry=1/5,,';	-- fails
\echo :LAST_ERROR_SQLSTATE
SET ROLE regress_watcher;
SET dbkit.health_thresholds = 'connections=off';	-- fails
RESET ROLE;
SHOW dbkit.health_thresholds;

-- whatever the search_path leads to, it is PostgreSQL's own functions and operators that are asked
CREATE SCHEMA trap;
CREATE FUNCTION trap.not_equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'trapped'; END $$;
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.not_equal);
CREATE FUNCTION trap.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'text_format';
CREATE VIEW trap.pg_database AS SELECT 1 / 0 AS oid;
SET search_path = trap, pg_catalog;
SELECT count(*) FROM dbkit.health;
RESET search_path;
DROP SCHEMA trap CASCADE;

-- read-only, and in a transaction that sees one state
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT count(*) FROM dbkit.health;
COMMIT;

DROP ROLE regress_watcher, regress_monitor, regress_writer;
