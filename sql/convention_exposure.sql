-- Rules about what shows rows past the row level security of a table: partitions and children, views.
\set roles '{regress_owner,regress_app,regress_group,regress_super,regress_bypass,"regress_the \\"odd\\" one"}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
CREATE ROLE regress_owner;
CREATE ROLE regress_app;
CREATE ROLE regress_group;
CREATE ROLE regress_super SUPERUSER;
CREATE ROLE regress_bypass BYPASSRLS;
CREATE ROLE "regress_the ""odd"" one";
CREATE SCHEMA app AUTHORIZATION regress_owner;
SET search_path = app, public;
SET dbkit.rule_levels = '*=off, partition_rls=error, rls_view=error';
SET ROLE regress_owner;

\echo '== a partition that only its owner may use'
CREATE TABLE events (n bigint, organization_id text) PARTITION BY LIST (n);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE "Events ""2""" PARTITION OF events FOR VALUES IN (2, 3) PARTITION BY LIST (n);
CREATE TABLE "Events ""2"" 2" PARTITION OF "Events ""2""" FOR VALUES IN (2);
GRANT SELECT ON events TO regress_app;
ALTER TABLE ONLY events ENABLE ROW LEVEL SECURITY;
SELECT * FROM dbkit.check();
\echo '== one that others may use is not to be open when its root is protected'
GRANT INSERT ON events_1 TO "regress_the ""odd"" one"; -- fails
GRANT SELECT (n) ON "Events ""2"" 2" TO PUBLIC; -- fails
GRANT REFERENCES, TRIGGER, TRUNCATE ON events_1 TO regress_app;
REVOKE ALL ON events_1 FROM regress_app;
\set VERBOSITY terse
GRANT SELECT ON ALL TABLES IN SCHEMA app TO regress_app; -- fails
\set VERBOSITY default
BEGIN;
GRANT DELETE ON events_1 TO regress_app;
REVOKE DELETE ON events_1 FROM regress_app;
GRANT UPDATE ON "Events ""2""" TO regress_app;
SAVEPOINT s;
ALTER TABLE ONLY "Events ""2""" ENABLE ROW LEVEL SECURITY;
COMMIT;
SELECT * FROM dbkit.check();
REVOKE ALL ON "Events ""2""" FROM regress_app;
ALTER TABLE ONLY "Events ""2""" DISABLE ROW LEVEL SECURITY;

\echo '== what was there before is not held against anybody, and dbkit.check() has it'
ALTER TABLE ONLY events DISABLE ROW LEVEL SECURITY;
GRANT SELECT ON events_1, "Events ""2""", "Events ""2"" 2" TO regress_app;
ALTER TABLE ONLY events ENABLE ROW LEVEL SECURITY; -- fails
RESET ROLE;
SET dbkit.enforce = off;
SET ROLE regress_owner;
ALTER TABLE ONLY events ENABLE ROW LEVEL SECURITY;
RESET ROLE;
RESET dbkit.enforce;
SET ROLE regress_owner;
SELECT * FROM dbkit.check();
SELECT * FROM dbkit.check('events_1');
GRANT INSERT ON events_1 TO regress_app;
GRANT SELECT ON events_1 TO regress_group;
ALTER TABLE events ADD m bigint;
BEGIN;
ALTER TABLE ONLY events DISABLE ROW LEVEL SECURITY;
ALTER TABLE ONLY events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events_1 RENAME TO events_one;
ALTER TABLE events_one RENAME TO events_1;
COMMIT;
ALTER TABLE events DETACH PARTITION events_1;
SELECT object_identity FROM dbkit.check();
ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES IN (1);
SELECT object_identity FROM dbkit.check();
SELECT relrowsecurity FROM pg_class WHERE oid = 'events_1'::regclass;
ALTER TABLE ONLY events_1 DISABLE ROW LEVEL SECURITY; -- fails
\echo '== a partition made in the transaction answers for all of it'
BEGIN;
CREATE TABLE logs (n bigint) PARTITION BY LIST (n);
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES IN (1);
GRANT SELECT ON logs_1 TO regress_app;
ALTER TABLE ONLY logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
COMMIT; -- fails
BEGIN;
CREATE TABLE logs (n bigint) PARTITION BY LIST (n);
ALTER TABLE ONLY logs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE logs_1 PARTITION OF logs FOR VALUES IN (1);
CREATE TABLE logs_2 (LIKE logs);
GRANT SELECT ON logs_1, logs_2 TO regress_app;
ALTER TABLE logs ATTACH PARTITION logs_2 FOR VALUES IN (2);
COMMIT;
\echo '== forced as its root is'
ALTER TABLE ONLY logs_1 NO FORCE ROW LEVEL SECURITY; -- fails
ALTER TABLE ONLY logs_1 DISABLE ROW LEVEL SECURITY; -- fails
\echo '== half fixed'
RESET ROLE;
SET dbkit.enforce = off;
ALTER TABLE ONLY logs_1 NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
RESET dbkit.enforce;
SELECT object_identity, problem FROM dbkit.check('logs_1');
ALTER TABLE ONLY logs_1 ENABLE ROW LEVEL SECURITY;
SELECT object_identity, problem, fix FROM dbkit.check('logs_1');
ALTER TABLE ONLY logs_1 DISABLE ROW LEVEL SECURITY; -- fails
\echo '== default privileges come with a new partition'
ALTER DEFAULT PRIVILEGES FOR ROLE regress_owner IN SCHEMA app GRANT SELECT ON TABLES TO regress_app;
SET ROLE regress_owner;
CREATE TABLE logs_3 PARTITION OF logs FOR VALUES IN (3);
ALTER TABLE ONLY logs_3 DISABLE ROW LEVEL SECURITY; -- fails
RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_owner IN SCHEMA app REVOKE SELECT ON TABLES FROM regress_app;
\echo '== the fix'
SELECT fix FROM dbkit.check() \gexec
SELECT * FROM dbkit.check();
SET dbkit.enforce = off;
SET client_min_messages = error;
DROP TABLE logs;
SET client_min_messages = warning;
RESET dbkit.enforce;

\echo '== who counts: superusers and roles with BYPASSRLS see all rows anyway, their members do not'
SET ROLE regress_owner;
CREATE TABLE audits (n bigint) PARTITION BY LIST (n);
CREATE TABLE audits_1 PARTITION OF audits FOR VALUES IN (1);
ALTER TABLE ONLY audits ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON audits_1 TO regress_super, regress_bypass, regress_owner;
RESET ROLE;
GRANT regress_bypass TO regress_owner;
SELECT problem FROM dbkit.check('audits_1');
GRANT regress_bypass TO regress_group;
SELECT problem FROM dbkit.check('audits_1');
REVOKE regress_bypass FROM regress_group;
REVOKE SELECT ON audits_1 FROM regress_super, regress_bypass;
\echo '== members of roles that read and write everything'
GRANT pg_read_all_data TO regress_bypass;
SELECT problem FROM dbkit.check('audits_1');
GRANT regress_bypass TO "regress_the ""odd"" one";
SELECT problem FROM dbkit.check('audits_1');
REVOKE regress_bypass FROM "regress_the ""odd"" one";
REVOKE pg_read_all_data FROM regress_bypass;
GRANT pg_write_all_data TO regress_app;
SELECT problem FROM dbkit.check('audits_1');
REVOKE pg_write_all_data FROM regress_app;
\echo '== members of the owner, where row level security binds the owner'
GRANT regress_owner TO regress_app;
SELECT problem FROM dbkit.check('audits_1');
ALTER TABLE ONLY audits FORCE ROW LEVEL SECURITY; -- fails
REVOKE regress_owner FROM regress_app;
ALTER TABLE ONLY audits FORCE ROW LEVEL SECURITY;
SELECT problem FROM dbkit.check('audits_1');
ALTER TABLE audits_1 OWNER TO regress_group;
GRANT regress_group TO regress_app;
ALTER TABLE audits_1 OWNER TO regress_owner;
ALTER TABLE audits_1 OWNER TO regress_group; -- fails
REVOKE regress_group FROM regress_app;

\echo '== a foreign table has no row level security'
CREATE FOREIGN DATA WRAPPER exposure;
CREATE SERVER exposure FOREIGN DATA WRAPPER exposure;
CREATE FOREIGN TABLE "Far ""3""" PARTITION OF audits FOR VALUES IN (3) SERVER exposure;
CREATE TABLE stones (n bigint);
CREATE FOREIGN TABLE far_stones () INHERITS (stones) SERVER exposure;
CREATE FOREIGN TABLE far (n bigint) SERVER exposure;
ALTER TABLE stones ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON far TO regress_app;
SELECT * FROM dbkit.check();
GRANT SELECT ON "Far ""3""" TO regress_app; -- fails
GRANT INSERT (n) ON far_stones TO regress_app; -- fails
SET dbkit.enforce = off;
GRANT SELECT ON "Far ""3""" TO regress_app;
RESET dbkit.enforce;
SELECT object_type, object_identity, problem, fix FROM dbkit.check();
SELECT problem FROM dbkit.check('"Far ""3"""');
ALTER FOREIGN TABLE "Far ""3""" OPTIONS (ADD place 'there');
REVOKE SELECT ON "Far ""3""" FROM regress_app;
ALTER TABLE audits DETACH PARTITION "Far ""3""";
GRANT SELECT ON "Far ""3""" TO regress_app;
ALTER TABLE audits ATTACH PARTITION "Far ""3""" FOR VALUES IN (3); -- fails
SELECT * FROM dbkit.check();
DROP FOREIGN DATA WRAPPER exposure CASCADE;
DROP TABLE stones;

\echo '== subpartitions, and past a partition that was left open'
SET ROLE regress_owner;
ALTER TABLE ONLY audits_1 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE audits_2 PARTITION OF audits FOR VALUES IN (2, 3) PARTITION BY LIST (n);
CREATE TABLE audits_2_2 PARTITION OF audits_2 FOR VALUES IN (2);
ALTER TABLE ONLY audits_2 DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
GRANT SELECT ON audits_2_2 TO regress_app;
ALTER TABLE ONLY audits_2_2 NO FORCE ROW LEVEL SECURITY; -- fails
ALTER TABLE ONLY audits NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY audits_2_2 NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY audits FORCE ROW LEVEL SECURITY; -- fails

\echo '== children by INHERITS, one of two parents'
CREATE TABLE people (n bigint);
CREATE TABLE guests (n bigint);
CREATE TABLE both_enum () INHERITS (people, guests);
CREATE TABLE one () INHERITS (both_enum);
GRANT SELECT ON both_enum, one TO PUBLIC;
ALTER TABLE ONLY guests ENABLE ROW LEVEL SECURITY; -- fails
BEGIN;
ALTER TABLE ONLY guests ENABLE ROW LEVEL SECURITY;
ALTER TABLE ONLY both_enum ENABLE ROW LEVEL SECURITY;
COMMIT; -- fails
ALTER TABLE one NO INHERIT both_enum;
BEGIN;
ALTER TABLE ONLY guests ENABLE ROW LEVEL SECURITY;
ALTER TABLE ONLY both_enum ENABLE ROW LEVEL SECURITY;
COMMIT;
ALTER TABLE one INHERIT guests;
SELECT relrowsecurity FROM pg_class WHERE oid = 'one'::regclass;

\echo '== views, for whom they show what'
CREATE TABLE notes (n bigint, organization_id text);
CREATE TABLE plain (n bigint);
CREATE VIEW "Old ""notes""" AS SELECT n FROM notes;
CREATE VIEW latest AS SELECT * FROM "Old ""notes""" WHERE n > 0;
CREATE MATERIALIZED VIEW stored AS SELECT n FROM latest;
CREATE MATERIALIZED VIEW stored_plain AS SELECT n FROM plain;
CREATE VIEW invoking WITH (security_invoker = true) AS SELECT n FROM notes;
CREATE VIEW on_invoking AS SELECT n FROM invoking;
CREATE MATERIALIZED VIEW stored_invoking AS SELECT n FROM invoking;
CREATE VIEW on_stored AS SELECT n FROM stored_invoking;
GRANT SELECT ON latest, stored, stored_plain, invoking, on_invoking TO regress_app;
SELECT * FROM dbkit.check();
\echo '== row level security comes later'
ALTER TABLE ONLY notes ENABLE ROW LEVEL SECURITY; -- fails
SELECT * FROM dbkit.check();
REVOKE SELECT ON latest, stored FROM regress_app;
ALTER TABLE ONLY notes ENABLE ROW LEVEL SECURITY;
\echo '== a grant comes later'
GRANT SELECT ON latest TO regress_app; -- fails
GRANT SELECT (n) ON stored TO "regress_the ""odd"" one"; -- fails
GRANT SELECT ON stored_invoking TO regress_app; -- fails
GRANT SELECT ON on_stored TO PUBLIC; -- fails
GRANT INSERT, DELETE ON latest, stored TO regress_app;
\echo '== so does a default privilege, or a role that is another one'
ALTER DEFAULT PRIVILEGES FOR ROLE regress_owner IN SCHEMA app GRANT SELECT ON TABLES TO regress_app;
CREATE MATERIALIZED VIEW by_default AS SELECT n FROM notes; -- fails
CREATE VIEW by_default AS SELECT n FROM "Old ""notes"""; -- fails
ALTER DEFAULT PRIVILEGES FOR ROLE regress_owner IN SCHEMA app REVOKE SELECT ON TABLES FROM regress_app;
\echo '== all tables are named, through all views'
BEGIN;
CREATE TABLE "more ""notes""" (n bigint);
ALTER TABLE "more ""notes""" ENABLE ROW LEVEL SECURITY;
CREATE VIEW two AS SELECT n FROM "more ""notes""" UNION ALL SELECT n FROM notes UNION ALL SELECT n FROM plain;
CREATE MATERIALIZED VIEW two_stored AS SELECT t.n FROM two t JOIN latest USING (n);
GRANT SELECT (n) ON two_stored TO regress_app;
ALTER VIEW two SET (security_invoker = true);
COMMIT; -- fails
\echo '== the view changes, or one that it reads'
BEGIN;
ALTER VIEW latest SET (security_invoker = true);
GRANT SELECT ON latest TO regress_app;
COMMIT;
ALTER VIEW latest RESET (security_invoker); -- fails
CREATE OR REPLACE VIEW latest AS SELECT * FROM "Old ""notes"""; -- fails
CREATE OR REPLACE VIEW invoking AS SELECT n FROM notes; -- fails
CREATE OR REPLACE VIEW invoking WITH (security_invoker = true) AS SELECT n FROM notes WHERE n > 1;
REFRESH MATERIALIZED VIEW stored;
CREATE MATERIALIZED VIEW again AS SELECT n FROM notes;
GRANT SELECT ON again TO regress_app; -- fails
ALTER MATERIALIZED VIEW again RENAME TO "Again ""and"" again";
\echo '== what was there before, and other tables of the view'
RESET ROLE;
SET dbkit.enforce = off;
GRANT SELECT ON stored, "Again ""and"" again" TO regress_group;
RESET dbkit.enforce;
SET ROLE regress_owner;
SELECT * FROM dbkit.check();
GRANT SELECT ON stored TO regress_app;
ALTER TABLE ONLY notes FORCE ROW LEVEL SECURITY;
ALTER TABLE ONLY plain ENABLE ROW LEVEL SECURITY; -- fails
BEGIN;
DROP MATERIALIZED VIEW "Again ""and"" again";
CREATE MATERIALIZED VIEW "Again ""and"" again" AS SELECT n, n + 1 AS m FROM notes;
GRANT SELECT ON "Again ""and"" again" TO regress_group;
COMMIT;
\echo '== one cause, one finding: of a view that has no security_invoker that is said'
RESET ROLE;
SET dbkit.enforce = off;
GRANT SELECT ON "Old ""notes""" TO regress_app;
RESET dbkit.enforce;
SET dbkit.rule_levels = '*=off, rls_view=warning, view_security_invoker=error';
SELECT rule, object_identity FROM dbkit.check() ORDER BY 1, 2;
SET dbkit.rule_levels = '*=off, rls_view=error, view_security_invoker=warning';
SELECT rule, object_identity FROM dbkit.check() ORDER BY 1, 2;
SET dbkit.rule_levels = '*=off, rls_view=error';
\echo '== members of the owner count where row level security binds it'
REVOKE ALL ON stored, "Again ""and"" again", "Old ""notes""" FROM regress_app, regress_group;
SELECT object_identity FROM dbkit.check();
GRANT regress_owner TO regress_app;
SELECT object_identity, problem FROM dbkit.check();
ALTER TABLE ONLY notes NO FORCE ROW LEVEL SECURITY;
SELECT object_identity, problem FROM dbkit.check();
\set VERBOSITY terse
ALTER TABLE notes OWNER TO regress_group; -- fails
\set VERBOSITY default
SELECT object_identity FROM dbkit.check();
REVOKE regress_owner FROM regress_app;
\echo '== off, exempt, in the baseline'
SET dbkit.enforce = off;
GRANT SELECT ON stored TO regress_app;
RESET dbkit.enforce;
SET dbkit.rule_levels = '*=off, rls_view=warning, partition_rls=warning';
SELECT rule, object_identity FROM dbkit.check();
SELECT dbkit.exempt('app.stored', 'rls_view', 'figures for everybody');
SELECT rule, object_identity FROM dbkit.check();
SELECT dbkit.unexempt('app.stored', 'rls_view');
GRANT SELECT ON audits_2 TO regress_app;
SELECT dbkit.baseline();
SELECT rule, object_identity FROM dbkit.check();
ALTER TABLE audits_2 RENAME TO "audits ""2""";
ALTER MATERIALIZED VIEW stored RENAME TO kept;
SELECT rule, object_identity FROM dbkit.check();
SELECT dbkit.agreement() -> 'baseline';
ALTER TABLE ONLY "audits ""2""" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT dbkit.agreement() -> 'baseline';
SELECT dbkit.verify();
\echo '== a chain of views is followed, if not to the end of a long one'
SET dbkit.enforce = off;
CREATE VIEW chain_0 AS SELECT n FROM notes;
DO $$BEGIN
	FOR i IN 1..40 LOOP
		EXECUTE format('CREATE VIEW chain_%s AS SELECT n FROM chain_%s', i, i - 1);
	END LOOP;
END$$;
GRANT SELECT ON chain_10, chain_40 TO PUBLIC;
SELECT object_identity, problem FROM dbkit.check('chain_10');
SELECT object_identity, problem FROM dbkit.check('chain_40');
RESET dbkit.enforce;
\echo '== it is no table to other rules'
SET dbkit.rule_levels = '*=error, blocking_index=off';
SET lock_timeout = '1min';
SET dbkit.large_table_size = 0;
SET dbkit.max_lock_time = '1h'; -- on a slow machine, too
CREATE MATERIALIZED VIEW figures AS SELECT 1 AS "Id";
CREATE INDEX ON figures ("Id");
CREATE UNIQUE INDEX ON figures ("Id");
COMMENT ON MATERIALIZED VIEW figures IS 'some';
SELECT * FROM dbkit.check('figures');
RESET dbkit.large_table_size;
RESET dbkit.rule_levels;
SET dbkit.enforce = off;
-- what a view reads twice
CREATE VIEW left_one AS SELECT 1 AS n FROM pg_class;
CREATE VIEW right_one AS SELECT 1 AS n FROM left_one, pg_class;
CREATE VIEW both_ones AS SELECT 1 AS n FROM left_one, right_one, pg_class;
GRANT SELECT ON both_ones TO PUBLIC;
SELECT rule FROM dbkit.check('both_ones') WHERE rule = 'rls_view';
\echo '== a view of a partition shows it past the row level security of the root'
CREATE TABLE roots (n bigint, gone bigint) PARTITION BY LIST (n);
CREATE TABLE part PARTITION OF roots DEFAULT PARTITION BY LIST (n);
CREATE TABLE leaf PARTITION OF part DEFAULT;
CREATE VIEW of_leaf AS SELECT n FROM leaf;
GRANT SELECT ON of_leaf TO regress_app;
RESET dbkit.enforce;
SET dbkit.rule_levels = '*=off, rls_view=error';
ALTER TABLE ONLY roots ENABLE ROW LEVEL SECURITY; -- fails
SET dbkit.rule_levels = '*=off, rls_view=warning, partition_rls=warning';
ALTER TABLE ONLY roots ENABLE ROW LEVEL SECURITY;
SELECT problem FROM dbkit.check('of_leaf');
\echo '== what was granted on a column that is gone is granted to nobody'
GRANT SELECT (gone) ON leaf TO regress_app; -- warns
ALTER TABLE roots DROP gone;
SELECT problem FROM dbkit.check('leaf');
SET client_min_messages = error;
DROP SCHEMA app CASCADE;
DROP FUNCTION dbkit_agreement;
DROP ROLE regress_owner, regress_app, regress_group, regress_super, regress_bypass, "regress_the ""odd"" one";
