-- dbkit.check() and the rejection are one engine, and all fixes run.
\i sql/include/convention_commit.psql
-- every rule that looks at what is there
CREATE FUNCTION pg_temp.set_rules(level text, wanted text DEFAULT '%') RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM dbkit.rules, set_config('dbkit.rule_levels', (SELECT string_agg(id || '=' || CASE WHEN phase LIKE $2 AND id <> 'lock_held' THEN $1 ELSE level END, ',') FROM dbkit.rules), false)
	WHERE phase LIKE $2 $$;
-- those that are off by default and have no fix: they find the same in nearly every table
CREATE FUNCTION pg_temp.leave_out_optional() RETURNS text LANGUAGE sql AS $$
	SELECT set_config('dbkit.rule_levels', current_setting('dbkit.rule_levels') ||
		(SELECT string_agg(',' || id || '=off', '') FROM dbkit.rules WHERE dbkit.agreement() -> 'rules' ->> id = 'off' AND NOT fixable), false) $$;
SELECT pg_temp.set_rules('error') = count(*) FROM dbkit.rules;
SET dbkit.enforce = off;

CREATE TABLE users (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('usr') CHECK (id LIKE 'usr_%'));
CREATE TABLE organizations (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE empty ();
CREATE TABLE "Bad ""One""" ("Id" integer PRIMARY KEY, "Some id" text, "Other_id" varchar(26), created_at timestamp, updated_at date);
CREATE TABLE serials (id serial PRIMARY KEY, n smallint DEFAULT 3, m integer[], r int4range, t tsrange, at timestamp DEFAULT now(), z timestamptz(3), g integer GENERATED ALWAYS AS (1) STORED, i integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE mixed (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('mix') CHECK (id LIKE 'mix%'), user_id text COLLATE "C" NOT NULL REFERENCES users, organization_id text REFERENCES organizations ON DELETE RESTRICT,
	stripe_id bigint, a text, b text, storytime json);
ALTER TABLE mixed ADD above text REFERENCES mixed;
ALTER TABLE mixed ADD CONSTRAINT "not valid" CHECK (b <> '') NOT VALID;
CREATE INDEX mixed_a ON mixed (a);
CREATE INDEX mixed_a_b ON mixed (a, b);
CREATE INDEX mixed_a_b2 ON mixed (a, b);
CREATE POLICY open ON mixed USING (true);
CREATE POLICY hidden ON mixed AS RESTRICTIVE USING (true);
CREATE TABLE disabled (LIKE users INCLUDING ALL, updated_at timestamptz);
CREATE TRIGGER updated_at BEFORE UPDATE ON disabled FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE disabled DISABLE TRIGGER updated_at, ENABLE ROW LEVEL SECURITY;
CREATE POLICY forged ON disabled USING (id = current_setting('app.a', true));
CREATE POLICY anybody ON disabled FOR INSERT WITH CHECK (true);
CREATE TABLE parts (id text COLLATE "C", at timestamp NOT NULL, user_id text REFERENCES users, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
ALTER TABLE mixed ENABLE ROW LEVEL SECURITY;
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE "Parts ""2""" PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
ALTER TABLE "Parts ""2""" DISABLE ROW LEVEL SECURITY;
GRANT SELECT (id) ON "Parts ""2""" TO PUBLIC;
CREATE TABLE base (id text PRIMARY KEY, base_id text);
CREATE TABLE derived (n integer) INHERITS (base);
CREATE TABLE wrong_enum (id integer PRIMARY KEY, value varchar(10));
CREATE TABLE right_enum (value text PRIMARY KEY, n integer);
CREATE TYPE mood AS ENUM ('ok', 'bad');
CREATE TABLE moods (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('moo') CHECK (id LIKE 'moo_%'), mood mood DEFAULT 'ok', moods mood[]);
CREATE TABLE kinds (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('knd') CHECK (id LIKE 'knd_%'), "Short ""name" varchar(10), code char(3) DEFAULT 'abc', codes varchar(5)[],
	tag char(2)[], label json, labels json[], price money DEFAULT 1, prices money[], parent_id varchar(30), half text GENERATED ALWAYS AS ("left"('abc', 2)) STORED);
ALTER TABLE organizations ADD number bigint UNIQUE, ADD code text COLLATE "POSIX" UNIQUE;
CREATE TABLE ends (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('end') CHECK (id LIKE 'end_%'), "Small one" smallint REFERENCES organizations (number) ON DELETE CASCADE,
	code text REFERENCES organizations (code) ON DELETE CASCADE, n int REFERENCES organizations (number) ON DELETE CASCADE);
CREATE TABLE half (id text COLLATE "C", n bigint) PARTITION BY LIST (n);
CREATE TABLE half_1 PARTITION OF half DEFAULT;
CREATE INDEX half_n ON ONLY half (n);
CREATE INDEX half_1_id ON half_1 (id);
CREATE INDEX "Left ""over_ccnew" ON mixed (b);
CREATE INDEX "fa iled" ON mixed (b, a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('"Left ""over_ccnew"'::regclass, '"fa iled"'::regclass, 'half_1_id'::regclass);
CREATE VIEW v AS SELECT id FROM users;
CREATE VIEW on_disabled AS SELECT id FROM disabled;
CREATE MATERIALIZED VIEW "Stored.view" AS SELECT id FROM on_disabled;
GRANT SELECT ON on_disabled, "Stored.view" TO PUBLIC;
CREATE VIEW "Quoted.view" WITH (security_invoker = false) AS SELECT 1 AS one;
CREATE FUNCTION definer(a integer, "B c" text DEFAULT 'x') RETURNS integer LANGUAGE sql SECURITY DEFINER RETURN 1;
CREATE FUNCTION definer(a text) RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = public RETURN 1;
CREATE FUNCTION definer_safe() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp RETURN 1;
CREATE FUNCTION definer_empty() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = '' RETURN 1;
CREATE FUNCTION definer_user() RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = "$user", pg_temp RETURN 1;
CREATE FUNCTION definer_other() RETURNS integer LANGUAGE sql SECURITY DEFINER SET work_mem = '1MB' RETURN 1;
CREATE PROCEDURE definer_procedure() LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT 1; END;
CREATE FUNCTION late("A b" integer[], VARIADIC c text[] DEFAULT '{}') RETURNS SETOF integer LANGUAGE plpgsql AS 'BEGIN RETURN; END';
CREATE PROCEDURE "Late ""er"(INOUT a "kinds") LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE "selectOrders" (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('slo') CHECK (id LIKE 'slo_%'), "orderDate" date, "URLOfHTTPServer" text, "order" text, "Größe" text);
-- rows that the fixes have to take along
INSERT INTO users DEFAULT VALUES;
INSERT INTO kinds ("Short ""name", code, label, prices) VALUES ('0123456789', 'x', '{"b": 1, "a": 2}', '{1.5}');
INSERT INTO mixed (id, user_id, stripe_id, storytime) SELECT 'mix_1', id, 42, '{"a": 1}' FROM users;
ALTER TABLE mixed DROP CONSTRAINT mixed_id_check, ADD CONSTRAINT mixed_id_check CHECK (id LIKE 'mox_%') NOT VALID;

-- every rule is broken by at least one of them
SELECT id FROM dbkit.rules EXCEPT SELECT rule FROM dbkit.check() ORDER BY 1;

-- Each rejection lists just what check() reports.  The lines of a rejection are taken
-- from its DETAIL: of statement rules at the statement, and of commit rules at COMMIT,
-- for which the statement rules rest, as a rejection by them comes first.
CREATE TEMP TABLE reported AS
	SELECT object_type, object_identity, rule || ': ' || problem || '.' AS line, phase
	FROM dbkit.check() JOIN dbkit.rules ON id = rule;
CREATE TEMP TABLE rejected (object_type text, object_identity text, line text);
CREATE FUNCTION pg_temp.move(type text, identity text, schema text) RETURNS text
RETURN format('ALTER %s %s SET SCHEMA %I', CASE type WHEN 'function' THEN 'ROUTINE' ELSE upper(type) END, identity, schema);
CREATE FUNCTION pg_temp.rejection(type text, identity text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	lines text;
BEGIN
	EXECUTE pg_temp.move(type, identity, 'public');
	RAISE 'accepted';
EXCEPTION WHEN SQLSTATE 'KD001' THEN
	GET STACKED DIAGNOSTICS lines = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT regexp_split_to_table(lines, '\n');
END $$;
-- All that is wrong with an object is new where it was exempt before.
CREATE SCHEMA attic;
SELECT dbkit.exempt('attic.%', '*', 'out of sight');
CREATE PROCEDURE pg_temp.reject_all() LANGUAGE plpgsql AS $$
DECLARE
	o record;
	hidden text;
BEGIN
	FOR o IN SELECT DISTINCT object_type AS type, object_identity AS identity FROM reported ORDER BY 1, 2 LOOP
		hidden := regexp_replace(o.identity, '^public', 'attic');
		PERFORM set_config('dbkit.enforce', 'off', false);
		EXECUTE pg_temp.move(o.type, o.identity, 'attic');
		COMMIT;
		PERFORM set_config('dbkit.enforce', 'on', false);
		INSERT INTO rejected SELECT o.type, o.identity, pg_temp.rejection(o.type, hidden);
		PERFORM set_config('dbkit.enforce', 'off', false);
		EXECUTE pg_temp.move(o.type, hidden, 'public');
		COMMIT;
	END LOOP;
END $$;
-- base's rejection names its child as well, with the object in front, and the type's its columns; of these
-- there is nothing that a statement is refused for
DELETE FROM reported WHERE object_identity = 'public.base' OR object_type IN ('type', 'partition', 'materialized view');
CALL pg_temp.reject_all();
SELECT object_identity, line FROM reported WHERE phase = 'statement' EXCEPT SELECT object_identity, line FROM rejected;
SELECT object_identity, line FROM rejected EXCEPT SELECT object_identity, line FROM reported WHERE phase = 'statement';
SELECT count(*) > 40 FROM rejected;

-- the commit rules
SELECT pg_temp.set_rules('off', 'statement') > 10;
SELECT pg_temp.leave_out_optional() <> '';
ALTER TABLE mixed SET SCHEMA attic;
ALTER TABLE disabled SET SCHEMA attic;
ALTER TABLE derived SET SCHEMA attic;
ALTER TABLE "Parts ""2""" SET SCHEMA attic;
ALTER MATERIALIZED VIEW "Stored.view" SET SCHEMA attic;
RESET dbkit.enforce;
ALTER TABLE attic."Parts ""2""" SET SCHEMA public; -- fails
ALTER MATERIALIZED VIEW attic."Stored.view" SET SCHEMA public; -- fails
ALTER TABLE attic.mixed SET SCHEMA public; -- fails
ALTER TABLE attic.disabled SET SCHEMA public; -- fails
ALTER TABLE attic.derived SET SCHEMA public; -- fails
SET dbkit.enforce = off;
ALTER TABLE attic.mixed SET SCHEMA public;
ALTER TABLE attic.disabled SET SCHEMA public;
ALTER TABLE attic.derived SET SCHEMA public;
ALTER TABLE attic."Parts ""2""" SET SCHEMA public;
ALTER MATERIALIZED VIEW attic."Stored.view" SET SCHEMA public;
SELECT rule, problem FROM dbkit.check('mixed');
SELECT rule, problem FROM dbkit.check('disabled');
SELECT rule, problem FROM dbkit.check('derived');
SELECT pg_temp.set_rules('error') > 10;
SELECT pg_temp.leave_out_optional() <> '';
SET dbkit.enforce = off;

-- all fixes, one after the other
SELECT fix FROM dbkit.check() WHERE fix IS NOT NULL \gexec
-- and what is said only once its cause is gone
SELECT fix FROM dbkit.check() WHERE fix IS NOT NULL \gexec
SELECT object_identity, rule, problem, fix FROM dbkit.check() WHERE fix IS NOT NULL;
SELECT object_identity, rule, problem FROM dbkit.check();
-- dbkit.verify() fails with the same, but for what is only a warning
SELECT dbkit.verify(); -- fails
SELECT pg_temp.set_rules('warning') > 10;
SELECT pg_temp.leave_out_optional() <> '';
SELECT regexp_replace(dbkit.verify(), '[1-9]\d*', 'N', 'g');
SELECT dbkit.exempt('public.%', '*', 'to have none') IS NOT NULL;
SELECT regexp_replace(dbkit.verify(), '[1-9]\d*', 'N', 'g');
SELECT dbkit.unexempt('public.%', '*');
SELECT storytime, stripe_extid FROM mixed;
SELECT "Short ""name", code || '.', label, price, prices FROM kinds;
\set VERBOSITY sqlstate
INSERT INTO kinds ("Short ""name") VALUES ('0123456789+'); -- fails
\set VERBOSITY default
DROP TABLE users, organizations, empty, "Bad ""One""", serials, mixed, disabled, parts, base, derived, wrong_enum, right_enum, moods, kinds, ends, half, "selectOrders" CASCADE;
DROP VIEW IF EXISTS v, "Quoted.view";
DROP ROUTINE definer(integer, text), definer(text), definer_safe, definer_empty, definer_user, definer_other, definer_procedure, late;
DROP TYPE mood;
DROP SCHEMA attic;
SELECT dbkit.unexempt('attic.%', '*');
