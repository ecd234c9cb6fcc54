-- A new name brings what it names before the rules, and what is known by that name.
\i sql/include/convention_commit.psql
CREATE SCHEMA sqitch;
CREATE SCHEMA names_change;
SET search_path = names_change, public;
SET dbkit.enforce = off;
CREATE TABLE sqitch.bad (n integer);
CREATE TYPE sqitch.color AS ENUM ('red');
CREATE VIEW sqitch.all_bad AS SELECT * FROM sqitch.bad;
RESET dbkit.enforce;

-- a schema that is exempt by its name
ALTER SCHEMA sqitch RENAME TO app; -- fails
BEGIN;
ALTER TABLE sqitch.bad RENAME TO worse;
ALTER SCHEMA sqitch OWNER TO CURRENT_USER;
COMMIT;
SET dbkit.enforce = off;
ALTER SCHEMA sqitch RENAME TO app;
ALTER SCHEMA app RENAME TO sqitch;
RESET dbkit.enforce;
SELECT count(*) FROM pg_temp.problems();

-- a child of a partitioned enum table
CREATE TABLE x_enum (value text PRIMARY KEY, n integer) PARTITION BY LIST (value);
CREATE TABLE x_1 PARTITION OF x_enum FOR VALUES IN ('a');
CREATE TABLE y_enum PARTITION OF x_enum FOR VALUES IN ('b');
BEGIN;
ALTER TABLE x_enum DETACH PARTITION x_1;
ALTER TABLE x_1 ADD m integer; -- fails
ROLLBACK;
ALTER TABLE x_enum DETACH PARTITION x_1;
ALTER TABLE x_enum DETACH PARTITION y_enum;
ALTER TABLE y_enum RENAME TO y; -- fails
SELECT relname, relispartition FROM pg_class WHERE relname IN ('x_1', 'y_enum') ORDER BY 1;

-- a typed table gets its columns from its type
CREATE TYPE person AS (id text COLLATE "C", created_at timestamptz, updated_at timestamptz, storytime jsonb);
BEGIN;
CREATE TABLE people OF person (PRIMARY KEY (id), id DEFAULT generate_id('peo') CHECK (id LIKE 'peo_%'),
	created_at NOT NULL DEFAULT now(), updated_at NOT NULL DEFAULT now());
CREATE TRIGGER updated_at BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON people USING (id = dbkit.user_id());
COMMIT;
ALTER TYPE person ADD ATTRIBUTE born timestamp CASCADE; -- fails
ALTER TYPE person ADD ATTRIBUTE age integer CASCADE; -- fails
ALTER TYPE person ADD ATTRIBUTE name text CASCADE;
ALTER TYPE person DROP ATTRIBUTE storytime CASCADE; -- fails
ALTER TYPE person RENAME ATTRIBUTE name TO boss_id CASCADE; -- fails

-- a table that becomes that of users or organizations
BEGIN;
SELECT pg_temp.make('accounts', 'acc');
SELECT pg_temp.make('orders', 'ord', 'account_id text COLLATE "C" REFERENCES accounts');
CREATE INDEX ON orders (account_id);
COMMIT;
ALTER TABLE accounts RENAME TO users; -- fails
ALTER TABLE accounts RENAME TO organizations; -- fails
ALTER TABLE accounts RENAME COLUMN storytime TO story; -- fails
ALTER TABLE accounts RENAME TO clients;
SELECT dbkit.agree('{"user_tables": ["names_changed.clients"]}') \gset
ALTER SCHEMA names_change RENAME TO names_changed; -- fails
CREATE SCHEMA names_changed;
ALTER TABLE clients SET SCHEMA names_changed; -- fails
SELECT dbkit.agree('{"user_tables": null}') \gset
DROP SCHEMA names_changed;

-- a function that is known by its name, and dbkit's own
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at = now(); RETURN NEW; END';
SELECT dbkit.agree('{"updated_at_functions": ["names_change.touch"]}') \gset
CREATE OR REPLACE TRIGGER updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
ALTER FUNCTION touch() RENAME TO tuch; -- fails
ALTER FUNCTION touch() SET SCHEMA public; -- fails
ALTER FUNCTION touch() COST 10;
ALTER SCHEMA names_change RENAME TO names_changed; -- fails
ALTER FUNCTION public.generate_id(text) RENAME TO make_id; -- fails
SELECT dbkit.agree('{"updated_at_functions": null}') \gset
CREATE OR REPLACE TRIGGER updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER SCHEMA names_change RENAME TO "names ""changed""";
ALTER SCHEMA "names ""changed""" RENAME TO names_change;

-- more of them than the lock table has room for
SET dbkit.enforce = off;
CREATE SCHEMA many;
DO $$ BEGIN FOR n IN 1..1100 LOOP EXECUTE format('CREATE TABLE many.t%s_enum (value text PRIMARY KEY)', n); END LOOP; END $$;
RESET dbkit.enforce;
BEGIN;
ALTER SCHEMA many RENAME TO plenty;
SELECT count(*) > 1000 AS locked FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation';
COMMIT;
SET client_min_messages = error;
DROP SCHEMA plenty, names_change, sqitch CASCADE;
