-- dbkit.unprotect() where a role reads all tables: then its table stays closed.
\set roles '{regress_customer,regress_owner,regress_reader}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
CREATE ROLE regress_customer;
CREATE ROLE regress_owner;
CREATE ROLE regress_reader;
CREATE SCHEMA unprotected AUTHORIZATION regress_owner;
SET search_path = unprotected;
SET ROLE regress_owner;
CREATE TABLE comments (id text PRIMARY KEY, organization_id text);
SELECT dbkit.protect('comments', role => 'regress_customer');
RESET ROLE;
GRANT pg_read_all_data TO regress_reader;
SET ROLE regress_owner;
SELECT dbkit.unprotect('comments', 'regress_customer');
SELECT relrowsecurity FROM pg_class WHERE oid = 'comments'::regclass;
RESET ROLE;
REVOKE pg_read_all_data FROM regress_reader;
-- nobody else does
SET ROLE regress_owner;
SELECT dbkit.protect('comments', role => 'regress_customer');
SELECT dbkit.unprotect('comments', 'regress_customer');
SELECT relrowsecurity FROM pg_class WHERE oid = 'comments'::regclass;
-- a default that makes something of who has entered is its owner's, as is SYSTEM_USER, which PostgreSQL has from version 16 on
CREATE TABLE notes (id text PRIMARY KEY, organization_id text, "user" text DEFAULT trim(dbkit.user_id()), short varchar(9) DEFAULT dbkit.user_id(), made_by text);
DO $$ BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    ALTER TABLE notes ALTER made_by SET DEFAULT SYSTEM_USER;
  END IF;
END $$;
SELECT dbkit.protect('notes', role => 'regress_customer');
SELECT dbkit.unprotect('notes', 'regress_customer');
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attribute JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
  WHERE attrelid = 'notes'::regclass AND attname <> 'made_by' ORDER BY attnum;
SELECT (current_setting('server_version_num')::int >= 160000) = EXISTS (SELECT FROM pg_attrdef JOIN pg_attribute ON (adrelid, adnum) = (attrelid, attnum)
  WHERE attrelid = 'notes'::regclass AND attname = 'made_by') AS as_it_was;
-- no unique key for foreign keys is made of columns that take none
RESET ROLE;
SELECT dbkit.agree('{"rules": {"tenant_key": "error"}}') \gset
SET ROLE regress_owner;
CREATE TABLE places (id point, organization_id text COLLATE "C");
CREATE DOMAIN place AS point;
CREATE TABLE more_places (id place, organization_id text COLLATE "C");
CREATE TABLE computed (id text COLLATE "C", organization_id text COLLATE "C" GENERATED ALWAYS AS ('org_' || id) STORED);
DO $$ BEGIN
  CREATE TABLE virtual (id text COLLATE "C");
  EXECUTE 'ALTER TABLE virtual ADD organization_id text COLLATE "C"' ||
    CASE WHEN current_setting('server_version_num')::int >= 180000 THEN $x$ GENERATED ALWAYS AS ('org_' || id) VIRTUAL$x$ ELSE '' END;
END $$;
SELECT dbkit.protect(t, role => 'regress_customer') FROM unnest('{places,more_places,computed,virtual}'::regclass[]) t;
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE contype = 'u' AND connamespace = 'unprotected'::regnamespace AND conrelid <> 'virtual'::regclass;
SELECT (current_setting('server_version_num')::int < 180000) = EXISTS (SELECT FROM pg_constraint WHERE contype = 'u' AND conrelid = 'virtual'::regclass) AS right_key;
RESET ROLE;
SELECT dbkit.agree('{"rules": null}') \gset
SET client_min_messages = error;
DROP SCHEMA unprotected CASCADE;
DROP ROLE regress_customer, regress_owner, regress_reader;
