-- dbkit.confine_sql: what would let a role out of its tenant, and what takes that away
\set roles '{regress_customer,regress_boss,regress_clerk,"regress \\"odd\\"",regress_group}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_customer LOGIN;
CREATE ROLE regress_boss;
CREATE ROLE regress_clerk;
CREATE ROLE "regress ""odd""";
CREATE ROLE regress_group;

-- a cluster may have other roles, of which nothing is shown
CREATE FUNCTION of_these_roles(statement text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN statement NOT LIKE 'GRANT %' THEN statement ELSE split_part(statement, ' TO ', 1) || ' TO ' || string_agg(role, ', ') || ';' END
  FROM regexp_split_to_table(rtrim(split_part(statement, ' TO ', 2), ';'), ', ') AS role WHERE statement NOT LIKE 'GRANT %' OR role ~ '^("regress ""odd"""|regress_(customer|boss|clerk|group))$' $$;

-- what everybody has in a new database lets a role out
SELECT of_these_roles(statement) FROM dbkit.confine_sql('regress_customer') AS statement;
BEGIN;
SELECT of_these_roles(statement) FROM dbkit.confine_sql('regress_customer') AS statement \gexec
-- nothing is left, and the others have what they had
SELECT dbkit.confine_sql('regress_customer');
SELECT rolname, has_database_privilege(rolname, current_database(), 'TEMPORARY') AS temporary, has_function_privilege(rolname, 'lo_get(oid)', 'EXECUTE') AS lo_get
FROM pg_roles WHERE rolname = ANY (:'roles') ORDER BY rolname COLLATE "C";
SET ROLE regress_customer;
SAVEPOINT before;
CREATE TEMPORARY TABLE mine (n int); -- fails
ROLLBACK TO before;
SELECT lo_create(0); -- fails
ROLLBACK;

-- From here on it is all inside one database, without its own
\set confine 'SELECT of_these_roles(statement) FROM dbkit.confine_sql(''regress_customer'') AS statement WHERE statement !~ '' ON (DATABASE|ROUTINE pg_catalog.lo_)'''
:confine;

-- what it is: an attribute outranks every policy
ALTER ROLE regress_customer BYPASSRLS CREATEROLE;
:confine;
ALTER ROLE regress_customer SUPERUSER REPLICATION NOCREATEROLE NOBYPASSRLS;
:confine \gexec
:confine;

-- what it belongs to: the rights and the policies of another role would be its own
GRANT regress_boss, pg_read_all_data TO regress_customer;
GRANT regress_group TO regress_customer WITH ADMIN OPTION;
:confine \gexec
SELECT count(*) FROM pg_auth_members WHERE member = 'regress_customer'::regrole;

-- schemas: from PUBLIC as from the role; who has it otherwise is granted nothing
CREATE SCHEMA "regress.Confine" AUTHORIZATION regress_boss;
GRANT USAGE ON SCHEMA "regress.Confine" TO PUBLIC;
GRANT CREATE ON SCHEMA "regress.Confine" TO PUBLIC, regress_customer, regress_group;
GRANT regress_group TO regress_clerk;
:confine;
:confine \gexec
SELECT rolname, has_schema_privilege(rolname, 'regress.Confine', 'CREATE') FROM pg_roles WHERE rolname = ANY (:'roles') ORDER BY rolname COLLATE "C";

-- tables, their columns, and views: what policies do not bind, or what runs or reads for others
CREATE TABLE "regress.Confine"."a ""b""" (n int, "c.d" int);
ALTER TABLE "regress.Confine"."a ""b""" OWNER TO regress_boss;
CREATE VIEW "regress.Confine".seen AS SELECT 1 AS n;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON "regress.Confine"."a ""b""" TO regress_customer;
GRANT REFERENCES ("c.d") ON "regress.Confine"."a ""b""" TO PUBLIC;
GRANT TRIGGER ON "regress.Confine".seen TO PUBLIC;
CREATE TEMPORARY TABLE passing (n int);
GRANT TRIGGER ON passing TO PUBLIC;
:confine;
:confine \gexec
:confine;
SELECT string_agg(privilege_type, ', ' ORDER BY privilege_type) FROM pg_class, aclexplode(relacl) WHERE grantee = 'regress_customer'::regrole;

-- what others granted is taken back as they, and what the role granted on goes with it
GRANT TRIGGER, TRUNCATE ON "regress.Confine"."a ""b""" TO regress_clerk, "regress ""odd""" WITH GRANT OPTION;
SET ROLE "regress ""odd""";
GRANT TRIGGER ON "regress.Confine"."a ""b""" TO regress_customer WITH GRANT OPTION;
SET ROLE regress_customer;
GRANT TRIGGER ON "regress.Confine"."a ""b""" TO regress_group;
RESET ROLE;
:confine \gexec
:confine;

-- functions: those of owners whom row level security does not bind
CREATE FUNCTION "regress.Confine".of_superuser(n int, "x y" text DEFAULT 'z', OUT o int) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE PROCEDURE "regress.Confine".of_superuser(INOUT n int) LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION "regress.Confine".invoker() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION "regress.Confine".fires() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION "regress.Confine".of_boss() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
ALTER FUNCTION "regress.Confine".of_boss() OWNER TO regress_boss;
:confine \gexec
:confine;
-- it binds an owner unless a table of his has it without FORCE
ALTER TABLE "regress.Confine"."a ""b""" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
:confine;
ALTER TABLE "regress.Confine"."a ""b""" NO FORCE ROW LEVEL SECURITY;
:confine \gexec
ALTER TABLE "regress.Confine"."a ""b""" FORCE ROW LEVEL SECURITY;
ALTER ROLE regress_boss BYPASSRLS;
GRANT EXECUTE ON FUNCTION "regress.Confine".of_boss() TO regress_customer;
:confine \gexec
-- one with a search_path, that was granted by name, was made for the role
CREATE FUNCTION "regress.Confine".sign_up() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
:confine \gexec
GRANT EXECUTE ON FUNCTION "regress.Confine".sign_up() TO regress_customer;
:confine;
-- and those that PostgreSQL keeps from PUBLIC
GRANT EXECUTE ON FUNCTION pg_read_file(text) TO regress_customer;
:confine \gexec

-- settings, foreign servers
GRANT SET, ALTER SYSTEM ON PARAMETER dbkit.enforce TO regress_customer;
CREATE FOREIGN DATA WRAPPER regress_confine;
CREATE SERVER regress_confine FOREIGN DATA WRAPPER regress_confine;
GRANT USAGE ON FOREIGN SERVER regress_confine TO regress_customer;
GRANT USAGE ON FOREIGN DATA WRAPPER regress_confine TO regress_customer;
:confine \gexec

-- what will be made
ALTER DEFAULT PRIVILEGES FOR ROLE regress_boss GRANT SELECT, TRUNCATE, REFERENCES, TRIGGER ON TABLES TO regress_customer;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_boss IN SCHEMA "regress.Confine" GRANT SELECT, TRIGGER ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_boss GRANT ALL ON SCHEMAS TO regress_customer;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_boss GRANT SELECT ON TABLES TO regress_group;
:confine \gexec
:confine;

-- what it owns: to whom that goes is for people to decide; a name begins no statement
CREATE TABLE "regress.Confine"."own
DROP TABLE x; --" (n int);
ALTER TABLE "regress.Confine"."own
DROP TABLE x; --" OWNER TO regress_customer;
GRANT ALL ON "regress.Confine"."own
DROP TABLE x; --" TO PUBLIC;
:confine;
:confine \gexec
DROP TABLE "regress.Confine"."own
DROP TABLE x; --";

-- any role may ask
SET ROLE regress_customer;
:confine;
RESET ROLE;

-- errors
SELECT dbkit.confine_sql('nobody there'); -- fails
SELECT dbkit.confine_sql('public'); -- fails
SELECT dbkit.confine_sql(NULL); -- fails

-- dbkit.check() reports the customer_role of the agreement
BEGIN;
SELECT FROM dbkit.agree('{"customer_role": "regress_customer"}');
SELECT rule, level, object_type, object_identity, problem, fix LIKE '%REVOKE TEMPORARY ON DATABASE%', risk FROM dbkit.check() WHERE object_type = 'role';
SELECT count(*) FROM dbkit.check_schema('public') WHERE object_type = 'role';
SET dbkit.rule_levels = '*=off, customer_role_confined=error';
SELECT dbkit.verify(); -- fails
ROLLBACK;
BEGIN;
SELECT FROM dbkit.agree('{"customer_role": "regress_customer"}');
SELECT FROM dbkit.exempt('regress_customer', 'customer_role_confined', 'trusted');
SELECT count(*) FROM dbkit.check() WHERE object_type = 'role';
SELECT * FROM dbkit.stale_exemptions;
SELECT FROM dbkit.unexempt('regress_customer', 'customer_role_confined');
SELECT count(*) FROM dbkit.check() WHERE object_type = 'role';
SELECT dbkit.baseline() > 0;
SELECT dbkit.agreement() -> 'baseline' -> 'regress_customer';
SELECT count(*) FROM dbkit.check() WHERE object_type = 'role';
SELECT dbkit.unbaseline() > 0;
SELECT FROM dbkit.agree('{"customer_role": "nobody there"}');
SELECT count(*) FROM dbkit.check() WHERE object_type = 'role';
SELECT FROM dbkit.agree('{"customer_role": null}');
SELECT count(*) FROM dbkit.check() WHERE object_type = 'role';
ROLLBACK;

SET client_min_messages = error;
DROP FOREIGN DATA WRAPPER regress_confine CASCADE;
DROP SCHEMA "regress.Confine" CASCADE;
DROP FUNCTION of_these_roles(text);
DROP OWNED BY regress_customer CASCADE;
DROP OWNED BY regress_boss CASCADE;
DROP OWNED BY regress_clerk, "regress ""odd""", regress_group CASCADE;
DROP ROLE regress_customer, regress_boss, regress_clerk, "regress ""odd""", regress_group;
SELECT dbkit.agree('{"rules": null, "id_style": null}') \g /dev/null
