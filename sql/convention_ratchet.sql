-- Only what gets worse is refused: what was wrong with an object before the transaction
-- is not held against a statement that changes it.
\i sql/include/convention_commit.psql

-- Tables of before the conventions
SET dbkit.enforce = off;
CREATE TABLE users (id integer PRIMARY KEY, name text);
CREATE TABLE orders (id integer PRIMARY KEY, users_id integer REFERENCES users, placed timestamp, count smallint,
	created_at timestamp, stripe_id text);
CREATE VIEW old_view AS SELECT 1 AS n;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE DOMAIN note AS text;
CREATE TYPE place AS (street text, number integer);
CREATE TABLE homes (id text, at place, mood mood, remark note);
CREATE FUNCTION risky() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1;
RESET dbkit.enforce;

\echo '== a good column passes, in a transaction and without one'
ALTER TABLE orders ADD total bigint;
ALTER TABLE orders ADD remark text;
BEGIN;
ALTER TABLE orders ADD paid_at timestamptz;
ALTER TABLE users ADD email text;
COMMIT;

\echo '== a bad column is refused, and that is all that is said'
ALTER TABLE orders ADD quantity integer; -- fails
ALTER TABLE orders ADD quantity bigint, ADD sent timestamp; -- fails
BEGIN;
ALTER TABLE orders ADD parent_id text COLLATE "C";
COMMIT; -- fails
ALTER TABLE orders DROP CONSTRAINT orders_pkey; -- fails
ALTER TABLE orders DROP COLUMN id; -- fails
ALTER TABLE orders RENAME COLUMN id TO number; -- fails
ALTER TABLE orders RENAME COLUMN count TO shop_extid; -- fails
ALTER TABLE orders ALTER placed TYPE integer USING 1; -- fails

\echo '== half fixed'
ALTER TABLE orders ALTER created_at TYPE timestamptz;
ALTER TABLE orders ALTER created_at SET DEFAULT now();
ALTER TABLE orders ALTER created_at DROP DEFAULT; -- fails
ALTER TABLE orders ADD updated_at timestamptz;
ALTER TABLE orders ADD updated_at integer; -- fails
ALTER TABLE homes ADD PRIMARY KEY (id);
ALTER TABLE homes DROP CONSTRAINT homes_pkey; -- fails

\echo '== fixed is fixed: it is not to come back'
ALTER TABLE orders ALTER count TYPE bigint;
ALTER TABLE orders ALTER count TYPE smallint; -- fails
-- but in one transaction it may
BEGIN;
ALTER TABLE orders ALTER placed TYPE timestamptz;
ALTER TABLE orders ALTER placed TYPE timestamp;
COMMIT;

\echo '== constraints, indexes and columns that are made again'
BEGIN;
ALTER TABLE orders DROP CONSTRAINT orders_users_id_fkey;
ALTER TABLE orders ADD CONSTRAINT by_user FOREIGN KEY (users_id) REFERENCES users ON DELETE CASCADE;
COMMIT;
BEGIN;
ALTER TABLE orders DROP CONSTRAINT by_user;
ALTER TABLE orders ADD CONSTRAINT other FOREIGN KEY (users_id) REFERENCES users ON DELETE RESTRICT;
COMMIT; -- fails
CREATE INDEX by_user ON orders (users_id);
BEGIN;
DROP INDEX by_user;
CREATE INDEX by_users ON orders (users_id);
COMMIT;
BEGIN;
DROP INDEX by_users;
COMMIT; -- fails
ALTER TABLE orders ADD FOREIGN KEY (count) REFERENCES orders (id); -- fails
BEGIN;
ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES orders (id);
ALTER TABLE orders ADD FOREIGN KEY (total) REFERENCES orders (id);
COMMIT; -- fails

\echo '== renamed, and moved'
ALTER TABLE orders RENAME TO purchases;
ALTER TABLE purchases RENAME COLUMN placed TO bought;
ALTER TABLE purchases RENAME TO purchases_enum; -- fails
ALTER TABLE purchases RENAME TO orders;
CREATE SCHEMA elsewhere;
ALTER TABLE orders SET SCHEMA elsewhere;
ALTER SCHEMA elsewhere RENAME TO regress_elsewhere;
ALTER TABLE regress_elsewhere.orders SET SCHEMA public;
-- a table that is now one of users, to which keys refer
SELECT dbkit.agree('{"user_tables": ["people"]}') \gset
BEGIN;
ALTER TABLE orders DROP CONSTRAINT by_user;
ALTER TABLE orders ADD CONSTRAINT by_user FOREIGN KEY (users_id) REFERENCES users;
COMMIT;
ALTER TABLE users RENAME TO people; -- fails
SELECT dbkit.agree('{"user_tables": null}') \gset

\echo '== what was exempt was not there before'
SELECT dbkit.exempt('regress_elsewhere.%', '*', 'goes with the old shop');
CREATE TABLE regress_elsewhere.legacy (id integer);
ALTER TABLE regress_elsewhere.legacy ADD n smallint;
ALTER TABLE regress_elsewhere.legacy SET SCHEMA public; -- fails
BEGIN;
ALTER TABLE orders SET SCHEMA regress_elsewhere;
COMMIT;
ALTER TABLE regress_elsewhere.orders SET SCHEMA public; -- fails

\echo '== dropped and made again'
BEGIN;
DROP VIEW old_view;
CREATE VIEW old_view AS SELECT 2 AS m, 3 AS n;
COMMIT;
CREATE OR REPLACE VIEW old_view AS SELECT 2 AS m, 3 AS n, 4 AS o;
CREATE VIEW new_view AS SELECT 1 AS n; -- fails
BEGIN;
DROP TABLE homes;
CREATE TABLE homes (mood mood, id text PRIMARY KEY, at place);
COMMIT;
BEGIN;
DROP TABLE homes;
CREATE TABLE homes (mood mood, id text PRIMARY KEY, at place, floor smallint); -- fails
ROLLBACK;
-- as tools do that cannot change a table
BEGIN;
SET LOCAL dbkit.rule_levels = 'primary_key=off';
SET LOCAL dbkit.enforce = off;
CREATE TABLE new_homes (id text PRIMARY KEY, mood mood, at place);
SET LOCAL dbkit.enforce = on;
DROP TABLE homes;
ALTER TABLE new_homes RENAME TO homes;
COMMIT;
-- another table goes on under another name: this one is new
BEGIN;
ALTER TABLE homes RENAME TO old_homes;
CREATE TABLE homes (id text PRIMARY KEY); -- fails
ROLLBACK;
BEGIN;
DROP FUNCTION risky();
CREATE FUNCTION risky() RETURNS text LANGUAGE sql SECURITY DEFINER RETURN 'x';
CREATE FUNCTION risky(bigint) RETURNS text LANGUAGE sql SECURITY DEFINER RETURN 'x';
COMMIT;

\echo '== types'
ALTER TYPE mood ADD VALUE 'angry';
ALTER TYPE place ADD ATTRIBUTE floor integer;
ALTER DOMAIN note SET NOT NULL;
CREATE TYPE spot AS (x bigint);
SET dbkit.enforce = off;
CREATE TABLE spots (id text, at spot);
RESET dbkit.enforce;
ALTER TYPE spot ADD ATTRIBUTE y bigint;
ALTER TYPE spot ADD ATTRIBUTE z integer; -- fails

\echo '== savepoints'
BEGIN;
SAVEPOINT one;
SET LOCAL dbkit.enforce = off;
ALTER TABLE users ADD age smallint;
SET LOCAL dbkit.enforce = on;
SAVEPOINT two;
ALTER TABLE users ADD town text; -- fails
ROLLBACK TO two;
ROLLBACK TO one;
ALTER TABLE users ADD town text;
SAVEPOINT three;
ALTER TABLE users ADD shop_id text COLLATE "C";
COMMIT; -- fails
BEGIN;
SAVEPOINT one;
ALTER TABLE users ADD shop_id text COLLATE "C";
ROLLBACK TO one;
ALTER TABLE users ADD town text;
COMMIT;

\echo '== fix: only what is new'
SET client_min_messages = notice;
SET dbkit.rule_levels = 'bigint=fix, rls_enabled=fix';
BEGIN;
ALTER TABLE users ADD visits integer;
COMMIT;
\d users
RESET dbkit.rule_levels;

\echo '== warning: only of what is new'
SET dbkit.rule_levels = 'bigint=warning';
ALTER TABLE users ADD height text;
ALTER TABLE users ADD hands smallint;
RESET dbkit.rule_levels;
SET client_min_messages = warning;

\echo '== two of a kind where there was one'
SET dbkit.rule_levels = 'policy_with_check=error';
SET dbkit.enforce = off;
CREATE POLICY one ON users USING (true);
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
RESET dbkit.enforce;
BEGIN;
DROP POLICY one ON users;
CREATE POLICY two ON users USING (true);
COMMIT;
CREATE POLICY three ON users USING (true); -- fails
RESET dbkit.rule_levels;

SET dbkit.rule_levels = 'duplicate_index=error';
SET dbkit.enforce = off;
CREATE INDEX narrow ON users (email);
CREATE INDEX wide ON users (email, town);
RESET dbkit.enforce;
BEGIN;
DROP INDEX narrow;
CREATE INDEX narrow_too ON users (email);
COMMIT;
CREATE INDEX third ON users (email); -- fails
RESET dbkit.rule_levels;

\echo '== the registry: a prefix that two tables had before'
SET dbkit.enforce = off;
SELECT pg_temp.make_bare('first', 'sam');
SELECT pg_temp.make_bare('second', 'sam');
RESET dbkit.enforce;
ALTER TABLE second ADD n bigint;
ALTER TABLE second ALTER id SET DEFAULT generate_id('sam');
ALTER TABLE second ALTER id SET DEFAULT generate_id('orz'); -- fails
SELECT pg_temp.make_bare('third', 'sam'); -- fails

SET dbkit.enforce = off;
DROP TABLE IF EXISTS users, orders, regress_elsewhere.orders, homes, spots, first, second, regress_elsewhere.legacy CASCADE;
DROP SCHEMA regress_elsewhere;
DROP VIEW old_view;
DROP FUNCTION risky(), risky(bigint);
DROP TYPE mood, note, place, spot;
RESET dbkit.enforce;
SELECT dbkit.unexempt('regress_elsewhere.%', '*');

-- a table that gets its id at last, and a key to a table that is made again
SET dbkit.enforce = off;
CREATE TABLE bare (n bigint);
CREATE TABLE ward (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE beds (ward_id text COLLATE "C" REFERENCES ward);
RESET dbkit.enforce;
ALTER TABLE bare ADD id text COLLATE "C";
BEGIN;
DROP TABLE ward CASCADE;
SELECT pg_temp.make_bare('ward', 'war');
ALTER TABLE beds ADD FOREIGN KEY (ward_id) REFERENCES ward;
SET LOCAL dbkit.rule_levels = 'rls_enabled=off, updated_at_trigger=off';
COMMIT;
DROP TABLE bare, beds, ward;
