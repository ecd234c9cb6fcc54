-- The fixes: each runs as it is, and leaves nothing behind that has a fix.
\i sql/include/convention.psql

-- Make a table that breaks rules, show and run the fixes of dbkit.check(), and show what is left.
CREATE FUNCTION pg_temp.mend(sql text, relation text, enforcement text DEFAULT 'off') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	finding record;
BEGIN
	SET LOCAL dbkit.enforce = off;
	EXECUTE sql;
	PERFORM set_config('dbkit.enforce', enforcement, true);
	FOR finding IN SELECT * FROM dbkit.check(relation::regclass) LOOP
		RETURN NEXT concat_ws(': ', finding.rule, coalesce(finding.fix, '(no fix) ' || finding.problem));
		IF finding.fix IS NOT NULL THEN
			EXECUTE finding.fix;
		END IF;
	END LOOP;
	FOR finding IN SELECT * FROM dbkit.check(relation::regclass) LOOP
		RETURN NEXT concat_ws(': ', 'left', finding.rule, finding.problem, finding.fix);
	END LOOP;
	SET LOCAL dbkit.enforce = off;
	EXECUTE CASE WHEN relation LIKE '%view' THEN 'DROP VIEW ' ELSE 'DROP TABLE ' END || relation;
	RESET dbkit.enforce;
END $$;

-- a table with nothing but a key
SELECT pg_temp.mend('CREATE TABLE example (id text COLLATE "C" PRIMARY KEY)', 'example');
-- the HINT of a rejection is a table that is accepted
SELECT pg_temp.try('CREATE TABLE example (id text COLLATE "C" PRIMARY KEY, n int, at timestamp, user_id varchar)');
DO $$
DECLARE
	hint text;
BEGIN
	CREATE TABLE example (id text COLLATE "C" PRIMARY KEY, n int, at timestamp, user_id varchar);
EXCEPTION WHEN SQLSTATE 'KD001' THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	EXECUTE hint;
END $$;
SELECT * FROM dbkit.check('example');
DROP TABLE example;

-- columns that are there, but wrong
SELECT pg_temp.mend($$CREATE TABLE example (id text COLLATE "C" PRIMARY KEY DEFAULT 'x' CHECK (id LIKE 'abc_%'),
	created_at timestamp DEFAULT now(), updated_at date, storytime json)$$, 'example');
SELECT pg_temp.mend(pg_temp.id_sql('example', $$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('abc')$$), 'example');
SELECT pg_temp.mend(pg_temp.id_sql('example', $$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('abc') CHECK (id LIKE 'abd_%')$$), 'example');
SELECT pg_temp.mend(pg_temp.id_sql('example',
	$$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('abc') CHECK (id LIKE 'abd_%') CONSTRAINT "it's" CHECK (id LIKE 'abe_%')$$), 'example');
-- no fix: types that do not convert
SELECT pg_temp.mend($$CREATE TABLE example (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('abc') CHECK (id LIKE 'abc_%'),
	created_at text NOT NULL DEFAULT now(), updated_at bigint NOT NULL, storytime text)$$, 'example');
-- no fix: the CHECK says more, or is the parent's or a domain's
SELECT pg_temp.mend(pg_temp.id_sql('example',
	$$text COLLATE "C" PRIMARY KEY DEFAULT generate_id('abc') CHECK (id LIKE 'abd_%' AND length(id) = 30)$$), 'example');
SELECT pg_temp.try(pg_temp.table_sql('parent', 'par'));
SELECT pg_temp.mend($$CREATE TABLE example (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('abc')) INHERITS (parent)$$, 'example');
SELECT pg_temp.mend($$ALTER TABLE parent ADD COLUMN n int; CREATE TABLE example (PRIMARY KEY (id)) INHERITS (parent)$$, 'example');
SELECT pg_temp.mend('SELECT', 'parent');
CREATE DOMAIN example_id AS text COLLATE "C" CHECK (VALUE LIKE 'abd_%');
SELECT pg_temp.mend(pg_temp.id_sql('example', $$example_id PRIMARY KEY DEFAULT generate_id('abc')$$), 'example');
DROP DOMAIN example_id;

-- types: each column by its kind, data included
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int CHECK (VALUE > 0);
SELECT pg_temp.mend(pg_temp.table_sql('example', 'exa', $$
	a int, b smallint DEFAULT 5, c int[] DEFAULT '{1,2}', d int4range, e int4multirange, f timestamp DEFAULT now(),
	g timestamp(3)[], h tsrange, i tsmultirange, j small, k pair, l pair[], m small[], n serial, o smallserial, "p q" int,
	r int GENERATED ALWAYS AS IDENTITY, s int GENERATED ALWAYS AS (length(storytime::text)) STORED,
	t small GENERATED ALWAYS AS (length(storytime::text)) STORED$$), 'example');
-- ids of other types
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, enum_type=off';
CREATE TYPE color AS ENUM ('red');
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off';
SELECT pg_temp.mend(pg_temp.table_sql('example', 'exa', $$
	a_id int DEFAULT 3, b_id bigserial, c_id uuid, d_id varchar(20), e_id timestamp, f_id text, g_id int[], h_id color DEFAULT 'red',
	i_extid int4range, "j k_id" small, l_id pair, m_id jsonb$$), 'example');
SET client_min_messages = error;
DROP TYPE color, pair;
DROP DOMAIN small;
RESET client_min_messages;

-- no fix: what PostgreSQL would refuse
SELECT pg_temp.mend(pg_temp.table_sql('example', 'exa', $$
	a int, b bigint GENERATED ALWAYS AS (a + 1) STORED, c_id int GENERATED ALWAYS AS IDENTITY, d int4range DEFAULT '[1,2)',
	e timestamp GENERATED ALWAYS AS ('2020-01-01') STORED$$), 'example');
SELECT pg_temp.mend($$CREATE TABLE example (id text COLLATE "C" DEFAULT generate_id('abc') CHECK (id LIKE 'abc_%'),
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb,
	part int, expression int, other int, PRIMARY KEY (id, part)) PARTITION BY RANGE (part)$$, 'example');
SELECT pg_temp.mend($$CREATE TABLE example (id text COLLATE "C" PRIMARY KEY GENERATED ALWAYS AS ('abc_' || name) STORED CHECK (id LIKE 'abc_%'),
	created_at timestamptz NOT NULL GENERATED ALWAYS AS ('2020-01-01Z'::timestamptz) STORED, name text,
	updated_at timestamptz GENERATED ALWAYS AS ('2020-01-01Z'::timestamptz) STORED, storytime jsonb)$$, 'example');
CREATE TYPE row_type AS (id text COLLATE "C", n int);
SELECT pg_temp.mend($$CREATE TABLE example OF row_type (PRIMARY KEY (id))$$, 'example');
DROP TYPE row_type;

-- under the other style of ids
SELECT dbkit.agree('{"id_style": "uuid"}') \gset
SELECT pg_temp.mend($$CREATE TABLE example (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, a_id int, b_id timestamp, c_id uuid, d_id text, e_id varchar)$$, 'example');
SELECT dbkit.agree('{"id_style": null}') \gset

-- views
SELECT pg_temp.mend('CREATE VIEW example_view AS SELECT 1 AS one', 'example_view');
SELECT pg_temp.mend('CREATE VIEW example_view WITH (security_invoker = off, security_barrier) AS SELECT 1 AS one', 'example_view');
