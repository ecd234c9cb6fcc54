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
RESET ROLE;
DROP SCHEMA unprotected CASCADE;
DROP ROLE regress_customer, regress_owner, regress_reader;
