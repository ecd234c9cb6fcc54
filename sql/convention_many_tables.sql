-- Many relations are read side by side, and found to be what each of them is found to be alone.
SET dbkit.enforce = off;
CREATE SCHEMA many;
CREATE TYPE many.color AS ENUM ('red');
CREATE DOMAIN many.moment AS timestamp NOT NULL DEFAULT now();
CREATE TABLE many.organizations (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'));
CREATE TABLE many.first (id serial PRIMARY KEY, at timestamp, updated_at timestamptz, organization_id text REFERENCES many.organizations);
-- rows of the catalogs that belong to nothing that is judged: more than are passed over one by one
DO $$
BEGIN
	EXECUTE format('CREATE TABLE many.wide (part int, %s) PARTITION BY LIST (part)',
		(SELECT string_agg(format('c%s timestamptz DEFAULT now()', n), ', ') FROM generate_series(1, 300) n));
	FOR i IN 1..3 LOOP
		EXECUTE format('CREATE TABLE many.wide_%1$s PARTITION OF many.wide FOR VALUES IN (%1$s)', i);
	END LOOP;
END $$;
CREATE TEMPORARY TABLE many_temporary (LIKE many.wide INCLUDING ALL);
-- columns whose numbers, defaults, and constraints do not run in parallel
CREATE TABLE many.holes (gone int DEFAULT 1, id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('hol') CHECK (id LIKE 'hol_%'),
	gone_too int DEFAULT 2, created_at timestamptz NOT NULL DEFAULT now(), twice bigint GENERATED ALWAYS AS (length(id)) STORED,
	updated_at timestamptz NOT NULL, "at" many.moment, storytime jsonb, CHECK (length(id) > 0), CHECK (created_at > '2000-01-01'));
ALTER TABLE many.holes DROP gone, DROP gone_too, ALTER updated_at SET DEFAULT now(), ADD later smallint DEFAULT 3;
CREATE INDEX ON many.holes (created_at);
CREATE INDEX ON many.holes (created_at, updated_at);
CREATE TABLE many.none ();
CREATE TABLE many.color_enum (value many.color PRIMARY KEY);
CREATE VIEW many.view WITH (security_barrier) AS SELECT 1 AS n;
CREATE VIEW many.invoker WITH (security_barrier, security_invoker = on) AS SELECT 1 AS n;
CREATE TABLE many.policies (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('pol') CHECK (id LIKE 'pol_%'));
CREATE TRIGGER updated_at BEFORE UPDATE ON many.policies FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TRIGGER on_columns BEFORE UPDATE OF id ON many.holes FOR EACH ROW EXECUTE FUNCTION updated_at();
-- named as PostgreSQL names those of foreign keys
CREATE TRIGGER "RI_ConstraintTrigger_a_1" BEFORE UPDATE ON many.organizations FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TRIGGER "RI_ConstraintTrigger_c_1" BEFORE UPDATE ON many.first FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE many.first DISABLE TRIGGER "RI_ConstraintTrigger_c_1";
ALTER TABLE many.policies ENABLE ROW LEVEL SECURITY;
CREATE POLICY forgeable ON many.policies USING (id = (SELECT current_setting('regress.id')));
CREATE POLICY open ON many.policies FOR INSERT WITH CHECK (true);
CREATE POLICY restrictive ON many.policies AS RESTRICTIVE FOR SELECT TO current_user USING (false);

SELECT rule, object_identity, column_name FROM dbkit.check_schema('many');
SELECT object_identity, problem FROM dbkit.check_schema('many') WHERE rule = 'updated_at_trigger' AND problem LIKE '%disabled%';

-- alone, in the schema and in the database
CREATE TEMPORARY TABLE alone AS
SELECT f.rule, f.object_identity, f.column_name, f.level, f.object_type
FROM pg_class c, dbkit.check(c.oid::regclass) f WHERE c.relnamespace = 'many'::regnamespace;
SELECT count(*) > 20 FROM alone;
SELECT rule, object_identity, column_name, level, object_type FROM dbkit.check_schema('many') WHERE object_type <> 'type' EXCEPT TABLE alone;
TABLE alone EXCEPT SELECT rule, object_identity, column_name, level, object_type FROM dbkit.check_schema('many');
SELECT * FROM dbkit.check_schema('many') EXCEPT SELECT * FROM dbkit.check();

-- within one transaction what it did is seen
BEGIN;
ALTER TABLE many.policies ADD n integer;
SELECT rule, column_name FROM dbkit.check_schema('many') WHERE object_identity = 'many.policies' AND column_name = 'n';
ROLLBACK;
SELECT rule, column_name FROM dbkit.check_schema('many') WHERE object_identity = 'many.policies' AND column_name = 'n';

-- little of it stays in the session's caches
CREATE SCHEMA more;
DO $$
BEGIN
	FOR i IN 1..300 LOOP
		EXECUTE format('CREATE TABLE more.t%s (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id(%L))', i, translate(i::text, '0123456789', 'abcdefghij'));
	END LOOP;
	EXECUTE format('ALTER TABLE more.t1 ADD CHECK (id <> %L)', repeat('long', 100000));
END $$;
\c -
SELECT count(*) > 30 FROM dbkit.check_schema('many');
SELECT sum(used_bytes) AS before FROM pg_backend_memory_contexts WHERE name IN ('CacheMemoryContext', 'dbkit expression') \gset
SELECT count(*) > 1000 FROM dbkit.check_schema('more');
SELECT sum(used_bytes) - :before < 200 * 1024 AS little FROM pg_backend_memory_contexts WHERE name IN ('CacheMemoryContext', 'dbkit expression');
SET client_min_messages = warning;
SET dbkit.enforce = off;
DROP SCHEMA many, more CASCADE;
