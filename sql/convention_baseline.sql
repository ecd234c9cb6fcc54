-- The baseline: finding by finding, by names that follow renames, and pruned by itself.
\set roles '{regress_owner}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
CREATE ROLE regress_owner;
GRANT CREATE ON SCHEMA public TO regress_owner;
SELECT dbkit.agree('{"rules": {"*": "off", "bigint": "error", "timestamptz": "error", "fk_index": "error", "extid": "error", "rls_enabled": "error",
	"security_definer_path": "warning", "enum_type": "error", "duplicate_index": "warning", "forgeable_policy": "warning", "constraint_validated": "error"}}');
-- return what is in the baseline, a line for each name
CREATE FUNCTION pg_temp.entries() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws('|', object, rule, name) FROM jsonb_each(dbkit.agreement() -> 'baseline') AS o (object, rules),
		jsonb_each(rules) AS r (rule, names), jsonb_array_elements_text(names) AS n (name) ORDER BY 1 $$;
SET dbkit.enforce = off;
CREATE SCHEMA old;
GRANT ALL ON SCHEMA old TO regress_owner;
SET ROLE regress_owner;
CREATE TABLE old.users (id bigint PRIMARY KEY);
CREATE TABLE old.orders (n int, at timestamp, user_id bigint REFERENCES old.users, "Other id" int, stripe_id text);
CREATE TABLE old."a.b" ("x""y" int);
CREATE INDEX twice ON old.orders (at);
CREATE INDEX once ON old.orders (at);
ALTER TABLE old.orders ADD CONSTRAINT later CHECK (n > 0) NOT VALID;
ALTER TABLE old.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON old.orders USING (stripe_id = current_setting('app.other', true));
CREATE TYPE old.mood AS ENUM ('ok');
CREATE FUNCTION old.f(a int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE FUNCTION old.f(a text) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
CREATE TABLE old.parent (n int);
CREATE TABLE old.child () INHERITS (old.parent);
RESET ROLE;
RESET dbkit.enforce;
SELECT dbkit.baseline();
SELECT * FROM pg_temp.entries();
SELECT * FROM dbkit.check();
SELECT dbkit.baseline() AS nothing_new;

-- what is new on an old table is new
SET ROLE regress_owner;
SET dbkit.enforce = warning; -- fails
RESET ROLE;
SET dbkit.enforce = off;
ALTER TABLE old.orders ADD m int;
RESET dbkit.enforce;
SELECT rule, column_name FROM dbkit.check();
SELECT dbkit.baseline('old.orders');
SELECT dbkit.baseline('old.users');
SELECT * FROM dbkit.check();

-- every name follows, whoever renames
SET ROLE regress_owner;
ALTER TABLE old.orders RENAME n TO "N.n";
ALTER TABLE old.orders RENAME CONSTRAINT later TO sooner;
ALTER TABLE old.orders RENAME CONSTRAINT orders_user_id_fkey TO fk;
ALTER INDEX old.once RENAME TO "on""ce";
ALTER TABLE old.twice RENAME TO zwice;
ALTER POLICY mine ON old.orders RENAME TO yours;
ALTER TABLE old.parent RENAME n TO number;
ALTER TYPE old.mood RENAME TO "Mood";
ALTER FUNCTION old.f(int) RENAME TO g;
ALTER TABLE old.orders RENAME TO "Or.ders";
SELECT rule, object_identity, column_name FROM dbkit.check();
ALTER TABLE old."a.b" SET SCHEMA public;
ALTER FUNCTION old.g SET SCHEMA public;
ALTER TYPE old."Mood" SET SCHEMA public;
SELECT rule, object_identity, column_name FROM dbkit.check();
RESET ROLE;
ALTER SCHEMA old RENAME TO "o.ld";
SELECT rule, object_identity, column_name FROM dbkit.check();
SELECT * FROM pg_temp.entries();
-- or does not, where that is rolled back
BEGIN;
SAVEPOINT a;
ALTER TABLE "o.ld"."Or.ders" RENAME "N.n" TO p;
SELECT count(*) FROM pg_temp.entries() WHERE entries LIKE '%|p';
ROLLBACK TO a;
SELECT count(*) FROM pg_temp.entries() WHERE entries LIKE '%|N.n';
SELECT count(*) FROM dbkit.check();
COMMIT;
SELECT count(*) FROM dbkit.check();

-- what is fixed leaves it
SET ROLE regress_owner;
ALTER TABLE "o.ld"."Or.ders" ALTER at TYPE timestamptz;
CREATE INDEX ON "o.ld"."Or.ders" (user_id);
DROP INDEX "o.ld".zwice;
BEGIN;
ALTER TABLE "o.ld"."Or.ders" DROP CONSTRAINT sooner;
SELECT count(*) FROM pg_temp.entries() WHERE entries LIKE '%|sooner';
COMMIT;
SELECT * FROM pg_temp.entries() WHERE entries LIKE '"o.ld"."Or.ders"%';
SELECT rule, object_identity, column_name FROM dbkit.check();
-- and does not come back unseen
SET ROLE NONE;
SET dbkit.enforce = off;
ALTER TABLE "o.ld"."Or.ders" ALTER at TYPE timestamp;
RESET dbkit.enforce;
SELECT rule, object_identity, column_name FROM dbkit.check();
SELECT dbkit.baseline() AS renewed;
-- nor does something new that takes a name of the baseline in the same transaction
SET dbkit.enforce = off;
CREATE TABLE "o.ld".later (n int, m bigint, user_id bigint CONSTRAINT one REFERENCES "o.ld".users, other_user_id bigint);
RESET dbkit.enforce;
SELECT dbkit.baseline('"o.ld".later');
ALTER TABLE "o.ld".later DROP n, ADD n int; -- fails
BEGIN;
ALTER TABLE "o.ld".later DROP CONSTRAINT one;
ALTER TABLE "o.ld".later ADD CONSTRAINT one FOREIGN KEY (other_user_id) REFERENCES "o.ld".users;
COMMIT; -- fails
-- the same once more is nothing new
BEGIN;
ALTER TABLE "o.ld".later DROP CONSTRAINT one, DROP m;
ALTER TABLE "o.ld".later ADD CONSTRAINT one FOREIGN KEY (user_id) REFERENCES "o.ld".users, ALTER n TYPE smallint;
COMMIT;
SELECT * FROM dbkit.check('"o.ld".later');
DROP TABLE "o.ld".later;
-- a table that comes later, as where migrations run once more, is as the baseline has it
SELECT dbkit.agree('{"baseline": {"public.fresh": {"bigint": ["n"], "rls_enabled": [""]}}}') IS NOT NULL AS agreed;
CREATE TABLE fresh (n int, m int); -- fails
CREATE TABLE fresh (n int);
SELECT * FROM dbkit.check('fresh');
DROP TABLE fresh;
-- a table that is made again in the same transaction keeps what it had
BEGIN;
SET LOCAL dbkit.enforce = off;
DROP TABLE "a.b";
CREATE TABLE "a.b" ("x""y" int);
COMMIT;
SELECT * FROM dbkit.check();
SELECT * FROM pg_temp.entries() WHERE entries LIKE 'public."a.b"%';
-- and what is dropped is forgotten
DROP TABLE "a.b";
DROP TYPE "Mood";
DROP FUNCTION g;
SELECT * FROM pg_temp.entries() WHERE entries LIKE 'public.%';
-- a prepared transaction, a transaction that is rolled back
BEGIN;
DROP TABLE "o.ld".child;
ROLLBACK;
SELECT * FROM pg_temp.entries();

-- taken back, for a table and for all
SELECT dbkit.unbaseline('"o.ld".parent');
SELECT rule, object_identity, column_name FROM dbkit.check();
SELECT dbkit.unbaseline() > 3 AS many;
SELECT count(*) > 3 AS many FROM dbkit.check();
SELECT dbkit.unbaseline() AS none;
SELECT dbkit.baseline(0); -- fails
SELECT dbkit.unbaseline(0); -- fails
SELECT dbkit.agree('{"baseline": {"public.t": ["bigint"]}}'); -- fails
SELECT dbkit.agree('{"baseline": {"public.t": {"bigint": "n"}}}'); -- fails
SELECT dbkit.agree('{"baseline": {"public.t": {"bigint": [1]}}}'); -- fails

-- exemptions of one object follow as well, and levels of a schema
SELECT dbkit.exempt('o.ld.parent', 'bigint', 'not this one');
SELECT dbkit.exempt('"o.ld".parent', 'bigint', 'this one', '2100-01-01 00:00Z');
SELECT dbkit.exempt('"o.ld".pare%', '*', 'no pattern does');
SELECT dbkit.agree('{"schemas": {"o.ld": {"rules": {"*": "off"}}}}') -> 'exemptions' IS NOT NULL AS agreed;
ALTER TABLE "o.ld".parent RENAME TO elder;
ALTER SCHEMA "o.ld" RENAME TO newer;
SELECT object, rule, reason, expires_at = '2100-01-01 00:00Z' AS same_end FROM dbkit.exemption WHERE NOT builtin ORDER BY 1;
SELECT dbkit.agreement() -> 'schemas';
SELECT * FROM dbkit.check();
SET client_min_messages = error;
DROP SCHEMA newer CASCADE;
DROP FUNCTION dbkit_agreement;
DROP OWNED BY regress_owner;
DROP ROLE regress_owner;
