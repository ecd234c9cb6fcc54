-- Expressions are read, never executed: whoever has dbkit judge a table runs nothing of its owner's.
\set roles '{regress_mallory}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
CREATE ROLE regress_mallory;
CREATE SCHEMA mallory AUTHORIZATION regress_mallory;
SET SESSION AUTHORIZATION regress_mallory;
SET search_path = mallory, public;
SET check_function_bodies = off;  -- dbkit enforces nothing meanwhile
CREATE SEQUENCE runs;
GRANT ALL ON SEQUENCE runs TO PUBLIC;
CREATE TYPE bomb AS (n bigint);
-- what a rollback does not take back
CREATE FUNCTION explode(bomb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
$$BEGIN RAISE WARNING 'ran as %', current_user; PERFORM nextval('mallory.runs'); RETURN 'exa'; END$$;
CREATE FUNCTION explode(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
$$BEGIN RAISE WARNING 'ran as %', current_user; PERFORM nextval('mallory.runs'); RETURN 1; END$$;
CREATE CAST (bomb AS text) WITH FUNCTION explode(bomb);
CREATE DOMAIN planted_id AS text COLLATE "C" DEFAULT generate_id('v' || '(1)'::bomb) CHECK (VALUE LIKE 'v' || '(1)'::bomb);
CREATE TABLE by_default (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('v' || '(1)'::bomb) CHECK (id LIKE 'v' || '(1)'::bomb));
CREATE TABLE by_quote (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(quote_literal('(1)'::bomb)) CHECK (starts_with(id, quote_nullable('(1)'::bomb))));
CREATE TABLE by_concat (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('(1)'::bomb || 'v') CHECK (id ^@ ('(1)'::bomb || 'v')));
CREATE TABLE by_domain (id planted_id PRIMARY KEY);
CREATE TABLE by_partition_key (a smallint, b smallint, at timestamp) PARTITION BY RANGE ((b + explode(1)), a);
CREATE POLICY planted ON by_default USING (id = current_setting('v' || '(1)'::bomb)) WITH CHECK ('t' = 'v' || '(1)'::bomb);
CREATE TABLE by_trigger (n bigint);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER updated_at BEFORE UPDATE ON by_trigger FOR EACH ROW WHEN ('exa' = 'v' || '(1)'::bomb) EXECUTE FUNCTION touch();
-- a number that cannot be computed, a text that would not fit, one that is long, and one that is deep
CREATE TABLE by_zero (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id((1 / 0)::text) CHECK (id LIKE (1 / 0)::text));
CREATE TABLE by_size (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(repeat('x', 1000000000)) CHECK (id LIKE repeat('x', 1000000000)));
DO $$
BEGIN
	EXECUTE format('CREATE TABLE by_length (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(%L) CHECK (id LIKE %1$L))', repeat('x', 1000000));
	EXECUTE format('CREATE TABLE by_depth (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(%s) CHECK (id LIKE %1$s))',
				   repeat('(''x'' || ', 700) || '''exa''' || repeat(')', 700));
	EXECUTE format('CREATE POLICY odd ON by_length USING (EXISTS (SELECT FROM by_length AS "o (dd" WHERE id = current_setting(''a.b'') AND id IN (%s)))',
				   (SELECT string_agg(quote_literal(n), ',') FROM generate_series(1, 200) AS n));
	EXECUTE format('CREATE POLICY long ON by_length USING (id IN (%s))', (SELECT string_agg(quote_literal(n), ',') FROM generate_series(1, 50000) AS n));
END $$;
-- a type in which the same one is found a thousand times
CREATE TYPE twice_0 AS (n bigint);
DO $$
BEGIN
	FOR i IN 1..10 LOOP
		EXECUTE format('CREATE TYPE twice_%s AS (a twice_%s, b twice_%2$s)', i, i - 1);
	END LOOP;
END $$;
CREATE TABLE by_type (c twice_10);
SELECT setval('runs', 1, false);
RESET check_function_bodies;
RESET SESSION AUTHORIZATION;
SET search_path = public;

SET statement_timeout = '60s';
SELECT rule, object_identity, column_name, problem FROM dbkit.check_schema('mallory')
WHERE rule NOT IN ('created_at', 'updated_at', 'storytime', 'rls_enabled', 'rls_policy') ORDER BY object_identity, rule, column_name;
SELECT count(*) > 20 AS checked FROM dbkit.check();
BEGIN;
SELECT dbkit.baseline() > 20 AS exempt;
SELECT count(*) AS stale FROM dbkit.stale_exemptions;
ROLLBACK;
-- what there was before is read as well
SELECT pg_temp.why('ALTER DOMAIN mallory.planted_id SET NOT NULL');
SELECT pg_temp.why('ALTER TABLE mallory.by_default RENAME TO "by ""default"""');
SELECT pg_temp.why('ALTER TABLE mallory.by_partition_key SET SCHEMA mallory');
SELECT dbkit.exempt('mallory.%', '*', 'so that the same is new elsewhere');
CREATE SCHEMA elsewhere;
SELECT pg_temp.why('ALTER TABLE mallory."by ""default""" SET SCHEMA elsewhere');
SELECT pg_temp.why('ALTER TABLE mallory.by_partition_key SET SCHEMA elsewhere');
SELECT dbkit.unexempt('mallory.%', '*');
DROP SCHEMA elsewhere;
SET dbkit.enforce = off;
DROP POLICY planted ON mallory."by ""default""";
DROP TABLE mallory."by ""default""", mallory.by_quote, mallory.by_concat, mallory.by_partition_key, mallory.by_zero, mallory.by_size;
RESET dbkit.enforce;
RESET statement_timeout;
SELECT is_called AS ran FROM mallory.runs;

-- a refused statement with what is too long or too deep to be read has no SQL to offer
DO $$
DECLARE
	expression text;
	hint text;
BEGIN
	FOREACH expression IN ARRAY ARRAY[format('DEFAULT %L', repeat('x', 100000)), format('GENERATED ALWAYS AS (%s) STORED', repeat('(''x'' || ', 700) || '''y''' || repeat(')', 700))]
	LOOP
		BEGIN
			EXECUTE 'CREATE TABLE refused (c text ' || expression || ')';
		EXCEPTION WHEN SQLSTATE 'KD001' THEN
			GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
			RAISE WARNING '%', hint;
		END;
	END LOOP;
END $$;

-- a function whose schema is gone, as a race may leave it, is passed over
BEGIN;
CREATE SCHEMA gone;
SET LOCAL dbkit.enforce = off;
CREATE FUNCTION gone.trusted() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
CREATE TYPE gone.color AS ENUM ('red');
CREATE VIEW gone.all_rows AS SELECT 1 AS n;
CREATE TABLE gone.things (n bigint);
SELECT count(*) > 3 AS found FROM dbkit.check_schema('gone');
SET LOCAL allow_system_table_mods = on;
DELETE FROM pg_namespace WHERE nspname = 'gone';
SELECT count(*) AS found FROM dbkit.check() WHERE object_identity ~ 'trusted|color|all_rows|things';
SELECT count(*) AS found FROM dbkit.check(regclass('pg_class')), dbkit.stale_exemptions WHERE false;
ROLLBACK;

SET client_min_messages = error;
DROP SCHEMA mallory CASCADE;
DROP ROLE regress_mallory;
