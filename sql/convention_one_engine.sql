-- What dbkit.check() reports for a table is what creating it is rejected for, for every rule.
\i sql/include/convention.psql
CREATE SCHEMA engine;
CREATE TABLE pg_temp.bad (sql text, object text, rules text[]);
CREATE FUNCTION pg_temp.add(sql text, object text, VARIADIC rules text[]) RETURNS void LANGUAGE sql AS
'INSERT INTO pg_temp.bad VALUES (sql, object, rules)';
SELECT count(*) FROM (
	SELECT pg_temp.add('CREATE TABLE engine.t (n bigint)', 't', 'primary_key', 'created_at', 'updated_at', 'storytime') UNION ALL
	SELECT pg_temp.add('CREATE TABLE engine.t (id uuid PRIMARY KEY, at timestamp[], n int, owner_id int, f_extid text)', 't',
		'primary_key', 'id_default', 'id_check', 'created_at', 'updated_at', 'storytime', 'timestamptz', 'bigint', 'text_id') UNION ALL
	SELECT pg_temp.add(pg_temp.id_sql('engine.t', $$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('tab') CHECK (id LIKE 'tax_%')$$), 't', 'id_check') UNION ALL
	SELECT pg_temp.add(pg_temp.table_sql('engine.t', 'hel'), 't', 'id_prefix') UNION ALL
	SELECT pg_temp.add(pg_temp.table_sql('engine.t', 'held'), 't', 'id_prefix') UNION ALL
	SELECT pg_temp.add(pg_temp.table_sql('engine.t', 'tab', 'c engine.color, d engine.color[]'), 't', 'enum_type') UNION ALL
	SELECT pg_temp.add($$CREATE TYPE engine.e AS ENUM ('a')$$, 'e', 'enum_type') UNION ALL
	SELECT pg_temp.add('CREATE TABLE engine.t_enum (name text PRIMARY KEY)', 't_enum', 'enum_table') UNION ALL
	SELECT pg_temp.add('CREATE TABLE engine.t_enum (value varchar)', 't_enum', 'enum_table') UNION ALL
	SELECT pg_temp.add('CREATE VIEW engine.v AS SELECT 1 AS n', 'v', 'view_security_invoker')) AS added;
-- every rule of this phase is there
SELECT id FROM dbkit.rules WHERE phase = 'statement' AND level = 'error' EXCEPT SELECT unnest(rules) FROM pg_temp.bad;

SET dbkit.enforce = off;
CREATE TYPE engine.color AS ENUM ('red');
RESET dbkit.enforce;
SELECT pg_temp.why(pg_temp.table_sql('engine.held', 'hel'));
-- compare the rejection's lines and fix with what dbkit.check() says, of the object, its schema and the database
DO $$
DECLARE
	bad record;
	message text;
	detail text;
	checked text;
	found text[];
	relation regclass;
BEGIN
	FOR bad IN SELECT * FROM pg_temp.bad LOOP
		detail = NULL;
		BEGIN
			EXECUTE bad.sql;
		EXCEPTION WHEN SQLSTATE 'KD001' THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		END;
		IF detail IS NULL THEN
			RAISE WARNING 'not rejected: %', bad.sql;
		END IF;

		SET LOCAL dbkit.enforce = off;
		EXECUTE bad.sql;
		SET LOCAL dbkit.enforce = on;
		SELECT string_agg(format('%s: %s.', rule, problem), E'\n' ORDER BY n), array_agg(DISTINCT rule) INTO checked, found
		FROM dbkit.check_schema('engine') WITH ORDINALITY AS c(rule, level, object_type, identity, column_name, problem, fix, risk, n)
		WHERE identity = 'engine.' || bad.object;
		IF checked IS DISTINCT FROM detail THEN
			RAISE WARNING E'% differs:\n%\n%', bad.sql, detail, checked;
		END IF;
		IF NOT found <@ bad.rules OR NOT found @> bad.rules THEN
			RAISE WARNING '% finds %', bad.sql, found;
		END IF;
		PERFORM FROM (SELECT * FROM dbkit.check_schema('engine') EXCEPT SELECT * FROM dbkit.check()) AS more;
		IF FOUND THEN
			RAISE WARNING '% is found in its schema only', bad.sql;
		END IF;
		relation = to_regclass('engine.' || bad.object);
		IF relation IS NOT NULL THEN
			PERFORM FROM (SELECT * FROM dbkit.check_schema('engine') WHERE object_identity = 'engine.' || bad.object
						  EXCEPT ALL SELECT * FROM dbkit.check(relation)) AS more;
			IF FOUND THEN
				RAISE WARNING '% has other findings on its own', bad.sql;
			END IF;
		END IF;
		SET LOCAL dbkit.enforce = off;
		EXECUTE format('DROP %s engine.%I', CASE bad.object WHEN 'e' THEN 'TYPE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, bad.object);
		SET LOCAL dbkit.enforce = on;
	END LOOP;
END $$;

-- the order is by schema and name, whatever the kind
SET dbkit.enforce = off;
CREATE SCHEMA "Engine";
CREATE VIEW engine.b AS SELECT 1 AS n;
CREATE TYPE engine.a AS ENUM ('a');
CREATE TABLE engine.c_enum (n int);
CREATE VIEW "Engine".z AS SELECT 1 AS n;
SELECT rule, object_type, object_identity, column_name FROM dbkit.check();
SELECT rule, object_identity FROM dbkit.check_schema('"Engine"');
-- what is not there, and what is of no kind that is judged
SELECT pg_temp.try('SELECT * FROM dbkit.check(0::regclass)');
SELECT pg_temp.try('SELECT * FROM dbkit.check_schema(0::regnamespace)');
SELECT pg_temp.try($$SELECT * FROM dbkit.check('engine.missing')$$);
SELECT * FROM dbkit.check(NULL);
SELECT * FROM dbkit.check_schema(NULL);
SELECT * FROM dbkit.check('engine.held_pkey');
-- in a query that joins, limits, and reads it twice
SELECT count(*) FROM dbkit.check() AS a JOIN dbkit.check() AS b USING (object_identity, rule, problem);
SELECT rule FROM dbkit.check() LIMIT 1;
SELECT relname, c.rule FROM pg_class, dbkit.check(oid) AS c WHERE relnamespace = 'engine'::regnamespace ORDER BY 1, 2;
RESET dbkit.enforce;
SET client_min_messages = error;
DROP SCHEMA engine, "Engine" CASCADE;
