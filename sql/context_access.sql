-- dbkit.protect by kinds of access, protect_sql and unprotect.
\set roles '{regress_customer,regress_admin,regress_owner,regress_reader}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
CREATE ROLE regress_customer;
CREATE ROLE regress_owner;
CREATE SCHEMA access AUTHORIZATION regress_owner;
SET search_path = access;
SET ROLE regress_owner;
CREATE VIEW policies AS
  SELECT p.tablename AS "table", p.policyname AS policy, p.cmd, p.roles, p.qual AS "using", p.with_check
    FROM pg_policies p WHERE p.schemaname = 'access' ORDER BY p.tablename COLLATE "C", p.policyname COLLATE "C";
CREATE VIEW tables AS
  SELECT c.relname AS "table", c.relrowsecurity AS rls, c.relforcerowsecurity AS forced,
    (SELECT string_agg(concat(a.grantee::regrole, ': ', a.privilege_type), ', ' ORDER BY a.grantee::regrole::text, a.privilege_type) FROM aclexplode(c.relacl) a WHERE a.grantee <> c.relowner) AS privileges,
    (SELECT string_agg(concat(t.attname, ' ', pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY t.attnum) FROM pg_attrdef d JOIN pg_attribute t ON t.attrelid = d.adrelid AND t.attnum = d.adnum WHERE d.adrelid = c.oid) AS defaults
    FROM pg_class c WHERE c.relnamespace = 'access'::regnamespace AND c.relkind IN ('r', 'p', 'S') ORDER BY c.relname COLLATE "C";
\pset format unaligned
\pset null NULL

\echo == tenant
CREATE TABLE documents (id serial, organization_id text, title text);
SELECT dbkit.protect_sql('documents', role => 'regress_customer');
SELECT * FROM tables;
SELECT dbkit.protect('documents', role => 'regress_customer');
SELECT * FROM policies;
SELECT * FROM tables;
SELECT dbkit.protect_sql('documents', role => 'regress_customer', access => 'tenant');
GRANT USAGE ON SCHEMA access TO regress_customer;
SET ROLE regress_customer;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
INSERT INTO documents (title) VALUES ('of a') RETURNING *;
SAVEPOINT s;
INSERT INTO documents (title, organization_id) VALUES ('of b', 'org_b'); -- fails
ROLLBACK TO s;
TRUNCATE documents; -- fails
ROLLBACK;
INSERT INTO documents (title) VALUES ('of nobody'); -- fails
SET ROLE regress_owner;

\echo == the rows of a user, where there is no organization
CREATE TABLE sessions (id bigint GENERATED ALWAYS AS IDENTITY, user_id uuid, seen date);
SELECT dbkit.protect_sql('sessions', role => 'regress_customer');
SELECT dbkit.protect('sessions', role => 'regress_customer');
SELECT * FROM policies WHERE "table" = 'sessions';
SET ROLE regress_customer;
BEGIN;
SELECT dbkit.enter('00000000-0000-0000-0000-000000000001', 'org_a');
INSERT INTO sessions (seen) VALUES ('2026-11-22') RETURNING *;
ROLLBACK;
SET ROLE regress_owner;
DROP TABLE documents, sessions;

\echo == member
CREATE TABLE comments (id serial, organization_id text, user_id text, body text);
SELECT dbkit.protect_sql('comments', role => 'regress_customer', access => 'member');
SELECT dbkit.protect('comments', role => 'regress_customer', access => 'member');
SELECT * FROM policies;
SELECT * FROM tables;
SET ROLE regress_customer;
BEGIN;
SELECT dbkit.enter('usr_2', 'org_a');
INSERT INTO comments (body) VALUES ('of 2 in a');
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_b');
INSERT INTO comments (body) VALUES ('of 1 in b');
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
INSERT INTO comments (body) VALUES ('of 1 in a') RETURNING *;
SELECT * FROM comments ORDER BY id;
UPDATE comments SET body = 'mine' RETURNING id;
DELETE FROM comments WHERE user_id = 'usr_2';
SAVEPOINT s;
INSERT INTO comments (body, user_id) VALUES ('forged', 'usr_2'); -- fails
ROLLBACK TO s;
INSERT INTO comments (body, organization_id) VALUES ('elsewhere', 'org_b'); -- fails
ROLLBACK TO s;
UPDATE comments SET user_id = 'usr_2'; -- fails
ROLLBACK TO s;
UPDATE comments SET organization_id = 'org_b'; -- fails
ROLLBACK TO s;
DELETE FROM comments;
SELECT * FROM comments ORDER BY id;
COMMIT;
SELECT count(*) FROM comments;
BEGIN;
SELECT dbkit.enter('usr_1', NULL);
SELECT count(*) FROM comments;
ROLLBACK;
BEGIN;
SELECT dbkit.enter(NULL, 'org_a');
SELECT count(*) FROM comments;
SAVEPOINT s;
INSERT INTO comments (body) VALUES ('nobody'); -- fails
ROLLBACK;
SET ROLE regress_owner;
-- a user's own row, which the organization reads
CREATE TABLE users (id text DEFAULT 'usr_new', organization_id text DEFAULT 'org_new');
SELECT dbkit.protect('users', role => 'regress_customer', access => 'member');
SELECT * FROM policies WHERE "table" = 'users';
SELECT * FROM tables WHERE "table" = 'users';
-- columns by name, and of other types
CREATE TABLE votes (firm bigint, voter numeric(10, 0), organization_id text, user_id text);
SELECT dbkit.protect('votes', role => 'regress_customer', access => 'member', user_column => 'voter', organization_column => 'firm');
SELECT * FROM policies WHERE "table" = 'votes';
SELECT * FROM tables WHERE "table" = 'votes';
SELECT dbkit.unprotect('votes', 'regress_customer');
SELECT * FROM tables WHERE "table" = 'votes';
-- one of the two is missing
CREATE TABLE lonely (user_id text);
CREATE TABLE shared (organization_id text);
SELECT dbkit.protect('lonely', role => 'regress_customer', access => 'member'); -- fails
SELECT dbkit.protect('shared', role => 'regress_customer', access => 'member'); -- fails
SELECT dbkit.protect('comments', role => 'regress_customer', access => 'member', user_column => ''); -- fails
DROP TABLE lonely, shared, users, votes;

\echo == read, in place of another
CREATE TABLE plans (id serial, name text, organization_id text);
INSERT INTO plans (name, organization_id) VALUES ('small', 'org_a'), ('large', 'org_b');
SELECT dbkit.protect('plans', role => 'regress_customer');
SELECT dbkit.protect_sql('plans', role => 'regress_customer', access => 'read');
SELECT dbkit.protect('plans', role => 'regress_customer', access => 'read');
SELECT * FROM policies WHERE "table" = 'plans';
SELECT * FROM tables WHERE "table" LIKE 'plans%';
SET ROLE regress_customer;
SELECT name FROM plans ORDER BY name;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
SELECT name FROM plans ORDER BY name;
SAVEPOINT s;
UPDATE plans SET name = 'free'; -- fails
ROLLBACK TO s;
DELETE FROM plans; -- fails
ROLLBACK;
SET ROLE regress_owner;
SELECT dbkit.protect('comments', role => 'regress_customer');
SELECT * FROM policies WHERE "table" = 'comments';
DROP TABLE plans;

\echo == either of two: no default, since a row without an organization belongs to the user alone
CREATE TABLE notes (organization_id text, user_id text, body text);
SELECT dbkit.protect('notes', 'user_id', 'organization_id', 'regress_customer');
SELECT * FROM tables WHERE "table" = 'notes';
DROP TABLE notes;

\echo == defaults that are there already
CREATE DOMAIN firm AS text DEFAULT 'org_default';
CREATE TABLE filled (organization_id text DEFAULT 'org_x', n bigint);
CREATE TABLE counted (organization_id bigint GENERATED ALWAYS AS IDENTITY, n bigint);
CREATE TABLE computed (organization_id text GENERATED ALWAYS AS ('org_' || n::text) STORED, n bigint);
CREATE TABLE typed (organization_id firm, n bigint);
CREATE TABLE organizations (id text);
SELECT dbkit.protect(t, role => 'regress_customer') FROM unnest('{filled,counted,computed,typed,organizations}'::regclass[]) t;
SELECT * FROM tables;
DROP TABLE filled, counted, computed, typed, organizations;
DROP DOMAIN firm;

\echo == partitions and children
CREATE TABLE events (organization_id text, user_id text, part bigint) PARTITION BY LIST (part);
CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
CREATE TABLE parent (organization_id text, user_id text);
CREATE TABLE child () INHERITS (parent);
SELECT dbkit.protect_sql('events', role => 'regress_customer', access => 'member');
SELECT dbkit.protect(t, role => 'regress_customer', access => 'member') FROM unnest('{events,parent}'::regclass[]) t;
SELECT "table", policy, cmd FROM policies WHERE "table" <> 'comments';
SELECT * FROM tables WHERE "table" NOT LIKE 'comments%';
SET ROLE regress_customer;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
INSERT INTO events (part) VALUES (1) RETURNING *;
SELECT * FROM events_1; -- fails
ROLLBACK;
SET ROLE regress_owner;
SELECT dbkit.protect('events', role => 'regress_customer', access => 'read');
SELECT "table", policy, cmd FROM policies WHERE "table" LIKE 'events%';

\echo == the administrator sees all
RESET ROLE;
SELECT dbkit.agree('{"admin_role": "regress_admin"}') -> 'admin_role';
SET ROLE regress_owner;
SELECT dbkit.protect('events', role => 'regress_customer');
RESET ROLE;
CREATE ROLE regress_admin;
GRANT USAGE ON SCHEMA access TO regress_admin;
SET ROLE regress_owner;
SELECT dbkit.protect_sql('comments', role => 'regress_customer', access => 'member');
SELECT dbkit.protect(t, role => 'regress_customer', access => 'member') FROM unnest('{comments,events}'::regclass[]) t;
SELECT * FROM policies WHERE policy LIKE '%all_rows';
SELECT * FROM tables WHERE "table" NOT IN ('parent', 'child');
SET ROLE regress_admin;
INSERT INTO comments (body, organization_id, user_id) VALUES ('of 3 in c', 'org_c', 'usr_3');
SELECT * FROM comments ORDER BY id;
SET ROLE regress_owner;
-- a customer who is an administrator as well is warned of
RESET ROLE;
GRANT regress_admin TO regress_customer;
SET ROLE regress_owner;
SELECT dbkit.protect('comments', role => 'regress_customer');
RESET ROLE;
REVOKE regress_admin FROM regress_customer;
SET ROLE regress_owner;
SELECT dbkit.protect('comments', role => 'public');
SELECT policy FROM policies WHERE "table" = 'comments';
SELECT dbkit.unprotect('comments', 'public');
-- to isolate the administrator is to show it less
SELECT dbkit.protect('comments', role => 'regress_admin');
SELECT policy, roles, cmd FROM policies WHERE "table" = 'comments';
DROP POLICY regress_admin_all_rows ON comments;
SELECT dbkit.unprotect('comments', 'regress_admin');
SELECT dbkit.protect('comments', role => 'regress_customer');

\echo == unprotect
-- what others may still do keeps the table closed
RESET ROLE;
CREATE ROLE regress_reader;
SET ROLE regress_owner;
GRANT SELECT (body) ON comments TO regress_reader;
SELECT dbkit.unprotect('comments', 'regress_customer');
SELECT * FROM policies WHERE "table" = 'comments';
SELECT * FROM tables WHERE "table" LIKE 'comments%';
SELECT dbkit.unprotect('comments', 'regress_customer');
REVOKE SELECT (body) ON comments FROM regress_reader;
SELECT dbkit.protect('comments', role => 'regress_customer');
CREATE VIEW bodies AS SELECT body FROM comments;
SELECT dbkit.unprotect('comments', 'regress_customer');
DROP VIEW bodies;
-- so does a function that acts as the owner, who is bound as long as that is forced
SELECT dbkit.protect('comments', role => 'regress_customer');
CREATE FUNCTION bodies() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT body FROM access.comments';
SELECT dbkit.unprotect('comments', 'regress_customer');
SELECT * FROM tables WHERE "table" = 'comments';
DROP FUNCTION bodies;
-- other policies stay, and what goes with them
SELECT dbkit.protect('comments', role => 'regress_customer', access => 'member');
CREATE POLICY mine ON comments AS RESTRICTIVE USING (true);
SELECT dbkit.unprotect('comments', 'regress_customer');
SELECT * FROM policies WHERE "table" = 'comments';
SELECT * FROM tables WHERE "table" LIKE 'comments%';
DROP POLICY mine ON comments;
-- nothing is left, as if it had never been
SELECT dbkit.protect('comments', role => 'regress_customer', access => 'member');
SELECT dbkit.unprotect('comments', 'regress_customer');
SELECT * FROM policies WHERE "table" = 'comments';
SELECT * FROM tables WHERE "table" LIKE 'comments%';
SELECT dbkit.unprotect('events', 'regress_customer');
SELECT * FROM tables WHERE "table" LIKE 'events%';
SELECT * FROM policies WHERE "table" LIKE 'events%';
-- defaults of the table's own stay
CREATE TABLE own (organization_id text DEFAULT 'org_' || 1, by text DEFAULT current_user, at timestamptz DEFAULT now());
SELECT dbkit.protect('own', role => 'regress_customer');
SELECT dbkit.unprotect('own', 'regress_customer');
SELECT * FROM tables WHERE "table" = 'own';
DROP TABLE own;

\echo == the key that foreign keys reference, while the table is new
RESET ROLE;
SELECT dbkit.agree('{"admin_role": null, "rules": {"tenant_key": "warning"}}') \gset
SET ROLE regress_owner;
CREATE TABLE keyed (id text PRIMARY KEY, organization_id text);
CREATE TABLE other_key (id text PRIMARY KEY, organization_id text, UNIQUE (id, organization_id));
CREATE TABLE partial (id text PRIMARY KEY, organization_id text);
CREATE UNIQUE INDEX ON partial (organization_id, id) WHERE id <> '';
CREATE TABLE filled (id text PRIMARY KEY, organization_id text);
INSERT INTO filled VALUES ('fil_1', 'org_a');
CREATE TABLE no_id (organization_id text);
CREATE TABLE organizations (id text PRIMARY KEY);
SELECT dbkit.protect_sql('keyed', role => 'regress_customer');
SELECT dbkit.protect(t, role => 'regress_customer') FROM unnest('{keyed,other_key,partial,filled,no_id,organizations,events}'::regclass[]) t;
SELECT dbkit.protect('keyed', role => 'regress_customer');
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'access' AND indexname NOT LIKE '%pkey' ORDER BY 1;

\echo == and its own foreign keys, where nobody has to wait for that
CREATE TABLE referencing (id text PRIMARY KEY, organization_id text, keyed_id text REFERENCES keyed, no_key_id text REFERENCES partial ON DELETE SET NULL,
	filled_id text REFERENCES filled, own_id text REFERENCES referencing, other_key_id text CONSTRAINT lent REFERENCES other_key, tenant_id text REFERENCES organizations);
CREATE TABLE referencing_filled (LIKE referencing, FOREIGN KEY (keyed_id) REFERENCES keyed);
INSERT INTO referencing_filled (id, organization_id) VALUES ('ref_1', 'org_a');
CREATE TABLE parted (organization_id text, keyed_id text REFERENCES keyed) PARTITION BY LIST (organization_id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN ('org_a');
CREATE TABLE parted_filled (organization_id text, keyed_id text REFERENCES keyed) PARTITION BY LIST (organization_id);
CREATE TABLE parted_filled_1 PARTITION OF parted_filled FOR VALUES IN ('org_a');
INSERT INTO parted_filled VALUES ('org_a', NULL);
SELECT dbkit.protect_sql('referencing', role => 'regress_customer');
SELECT dbkit.protect(t, role => 'regress_customer') FROM unnest('{referencing,referencing_filled,parted,parted_filled}'::regclass[]) t;
SELECT dbkit.protect('referencing', role => 'regress_customer');
SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
	WHERE connamespace = 'access'::regnamespace AND contype = 'f' AND conrelid::regclass::text ~ '^(referencing|parted)' ORDER BY conrelid::regclass::text COLLATE "C", conname COLLATE "C";
-- a reason to keep a key counts
CREATE TABLE kept (organization_id text, keyed_id text REFERENCES keyed);
RESET ROLE;
SELECT dbkit.exempt('access.kept', 'tenant_key', 'lent among organizations') \gset
SET ROLE regress_owner;
SELECT dbkit.protect('kept', role => 'regress_customer');
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'kept'::regclass;
-- somebody else's table is referenced only if its owner has the rights of this one, and may be referenced
RESET ROLE;
CREATE TABLE of_superuser (id text PRIMARY KEY, organization_id text, UNIQUE (organization_id, id));
CREATE TABLE of_customer (LIKE of_superuser INCLUDING ALL);
GRANT CREATE ON SCHEMA access TO regress_customer;
ALTER TABLE of_customer OWNER TO regress_customer;
GRANT REFERENCES ON of_superuser, of_customer TO regress_owner;
CREATE TABLE to_others (organization_id text, superuser_id text REFERENCES of_superuser, customer_id text REFERENCES of_customer);
ALTER TABLE to_others OWNER TO regress_owner;
SELECT dbkit.protect('to_others', role => 'regress_customer');
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'to_others'::regclass ORDER BY conname COLLATE "C";
SELECT dbkit.unexempt('access.kept', 'tenant_key') \gset
REVOKE CREATE ON SCHEMA access FROM regress_customer;
SELECT tableowner FROM pg_indexes JOIN pg_tables USING (tablename) WHERE indexname = 'to_others_organization_id_superuser_id_idx';
SELECT dbkit.agree('{"rules": null}') \gset
SET ROLE regress_owner;

\echo == wrong uses
SELECT dbkit.protect('keyed', role => 'regress_customer', access => 'everybody'); -- fails
SELECT dbkit.protect('keyed', role => 'regress_customer', access => NULL); -- fails
SELECT dbkit.protect('keyed', 'id', role => 'regress_customer', access => 'read'); -- fails
SELECT dbkit.protect_sql(NULL); -- fails
SELECT dbkit.protect_sql('policies', role => 'regress_customer', access => 'read'); -- fails
SELECT dbkit.protect_sql('keyed', role => 'nobody there'); -- fails
SELECT dbkit.protect_sql(1); -- fails
SELECT dbkit.unprotect(NULL); -- fails
SELECT dbkit.unprotect('keyed', NULL); -- fails
SELECT dbkit.unprotect('keyed', 'nobody there'); -- fails
SELECT dbkit.unprotect('policies', 'regress_customer'); -- fails
SELECT dbkit.unprotect(1); -- fails
SET ROLE regress_customer;
SELECT dbkit.protect_sql('keyed', role => 'regress_customer'); -- fails
SELECT dbkit.unprotect('keyed', 'regress_customer'); -- fails
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA access CASCADE;
DROP ROLE regress_customer, regress_owner, regress_admin, regress_reader;
DROP FUNCTION public.dbkit_agreement;
