-- What strangers make of another's table neither stops, slows nor misleads whoever changes it.
\i sql/include/convention_commit.psql
DROP ROLE IF EXISTS regress_stranger;
CREATE ROLE regress_stranger;
CREATE SCHEMA stranger AUTHORIZATION regress_stranger;
CREATE SCHEMA app;
GRANT USAGE ON SCHEMA app TO regress_stranger;
BEGIN;
SELECT pg_temp.make('app.orders', 'ord');
COMMIT;

-- a long chain of domains over its row type
SET ROLE regress_stranger;
SET check_function_bodies = off;
CREATE DOMAIN stranger.d_0 AS app.orders;
DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE DOMAIN stranger.d_%s AS stranger.d_%s', i, i - 1); END LOOP; END $$;
RESET check_function_bodies;
RESET ROLE;
SET max_stack_depth = '100kB';
ALTER TABLE app.orders ADD COLUMN note text;
RESET max_stack_depth;
SET client_min_messages = error;
DROP DOMAIN stranger.d_0 CASCADE;
RESET client_min_messages;

-- many columns that are to be of another type, and many that are computed from one by a long list
DO $$
BEGIN
	SET LOCAL dbkit.enforce = off;
	EXECUTE format('CREATE TABLE stranger.wide (%s, %s)',
		(SELECT string_agg('c' || n || ' integer', ', ') FROM generate_series(1, 100) AS n),
		(SELECT string_agg(format('g%s boolean GENERATED ALWAYS AS (c1 IN (%s)) STORED', n,
			(SELECT string_agg(m || '::bigint', ', ') FROM generate_series(1, 300) AS m)), ', ') FROM generate_series(1, 100) AS n));
END $$;
SET statement_timeout = '15s';
SELECT count(*), count(fix) FROM dbkit.check('stranger.wide') WHERE rule = 'bigint';
RESET statement_timeout;

-- a statement whose own work gives the table's name another meaning
SET search_path = app, public;
CREATE FUNCTION app.mislead(text) RETURNS boolean LANGUAGE plpgsql AS
$$BEGIN PERFORM set_config('search_path', 'stranger, public', false); RETURN true; END$$;
INSERT INTO app.orders DEFAULT VALUES;
ALTER TABLE app.orders ADD CONSTRAINT late CHECK (app.mislead(id)) NOT VALID;
BEGIN;
SELECT pg_temp.make('stranger.orders', 'sor');
ALTER TABLE orders VALIDATE CONSTRAINT late, DISABLE ROW LEVEL SECURITY;
COMMIT; -- fails
RESET search_path;

-- an index on each of many keys
SET dbkit.enforce = off;
CREATE TABLE stranger.keys (a text COLLATE "C", b text COLLATE "C");
ALTER TABLE app.orders ADD UNIQUE (id, note);
DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('ALTER TABLE stranger.keys ADD FOREIGN KEY (a) REFERENCES app.orders, ADD CONSTRAINT k%s FOREIGN KEY (a, b) REFERENCES app.orders (id, note)', i); END LOOP; END $$;
RESET dbkit.enforce;
SELECT count(*), count(DISTINCT fix) FROM dbkit.check('stranger.keys') WHERE rule = 'fk_index';

SET client_min_messages = error;
DROP SCHEMA stranger, app CASCADE;
DROP ROLE regress_stranger;
