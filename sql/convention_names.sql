-- Hostile names come out right in messages, fields and the SQL of fixes, which runs.
\i sql/include/convention.psql
CREATE FUNCTION pg_temp.mend(sql text, relation text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	finding record;
BEGIN
	RETURN NEXT pg_temp.try(sql);
	SET LOCAL dbkit.enforce = off;
	EXECUTE sql;
	FOR finding IN SELECT * FROM dbkit.check(relation::regclass) LOOP
		RETURN NEXT concat_ws('|', finding.rule, finding.object_identity, finding.column_name);
		IF finding.fix IS NOT NULL THEN
			EXECUTE finding.fix;
		END IF;
	END LOOP;
	RETURN QUERY SELECT concat_ws('|', 'left', rule, problem, fix) FROM dbkit.check(relation::regclass);
END $$;
SELECT pg_temp.mend(pg_temp.table_sql('"it''s ""quoted"""', 'iqu', '"a "" b" int, "it''s" timestamp'), '"it''s ""quoted"""');
SELECT pg_temp.mend(pg_temp.table_sql('"dot.ted"', 'dot', '"a.b" smallint, "a.b_id" varchar'), '"dot.ted"');
SELECT pg_temp.mend(pg_temp.table_sql('"1st"', 'fst', '"2nd" int, "3 %s %d %n" serial'), '"1st"');
SELECT pg_temp.mend(pg_temp.table_sql('"select"', 'sel', '"table" int, "Upper" int4range, "end" timestamp'), '"select"');
SELECT pg_temp.mend(pg_temp.table_sql('"größe_日本"', 'gro', '"zähler" int, "日付" timestamp, "ключ_id" int'), '"größe_日本"');
SELECT pg_temp.mend(pg_temp.table_sql(repeat('t', 63), 'ttt', repeat('c', 63) || ' serial, "' || repeat('é', 30) || '_id" int'), repeat('t', 63));
SELECT pg_temp.mend(pg_temp.table_sql(E'"line\nbreak"', 'lin', E'"tab\there" int'), E'"line\nbreak"');
SELECT pg_temp.mend(pg_temp.table_sql(E'"back\\slash"', 'bsl', E'"\\" int'), E'"back\\slash"');
SELECT pg_temp.mend('CREATE TABLE "; DROP TABLE x; --" (id text COLLATE "C" PRIMARY KEY, "$$" int)', '"; DROP TABLE x; --"');
-- in a schema of that kind, with constraints and prefixes of that kind
CREATE SCHEMA "my ""schema"".x";
SELECT pg_temp.mend($$CREATE TABLE "my ""schema"".x"."view" (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('vie')
	CONSTRAINT "it's ""c""" CHECK (id LIKE 'vix_%'), created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb, n serial)$$, '"my ""schema"".x"."view"');
SELECT pg_temp.mend($$CREATE TABLE "my ""schema"".x"."q" (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('it''s\')
	CHECK (id LIKE 'q%'), created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb)$$, '"my ""schema"".x"."q"');
SELECT pg_temp.mend('CREATE VIEW "my ""schema"".x"."v "" w" AS SELECT 1 AS "x y"', '"my ""schema"".x"."v "" w"');
SELECT pg_temp.try($$CREATE TYPE "my ""schema"".x"."type.y" AS ENUM ('a')$$);
SELECT pg_temp.try(pg_temp.table_sql('public.other', 'vie'));
SELECT prefix, relation::regclass FROM dbkit.id_prefix WHERE prefix = 'vie';
-- the names of types
CREATE TYPE "my ""schema"".x"."row % type" AS (n int);
CREATE DOMAIN "my ""schema"".x"."do""main" AS "my ""schema"".x"."row % type";
SELECT pg_temp.try(pg_temp.table_sql('other', 'oth', 'r "my ""schema"".x"."do""main"[]'));
-- a suggested prefix from letters that are not there
SELECT pg_temp.why('CREATE TABLE "123" (id text COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.why('CREATE TABLE "日本" (id text COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.why('CREATE TABLE "é" (id text COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.why('CREATE TABLE "ABC" (id text COLLATE "C" PRIMARY KEY)');
SELECT pg_temp.why('CREATE TABLE a (id text COLLATE "C" PRIMARY KEY)');
SET client_min_messages = error;
DROP SCHEMA "my ""schema"".x" CASCADE;
DROP TABLE "it's ""quoted""", "dot.ted", "1st", "select", "größe_日本", ttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt,
	"line
break", "back\slash", "; DROP TABLE x; --";
SELECT * FROM dbkit.id_prefix;
