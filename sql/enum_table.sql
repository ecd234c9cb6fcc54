-- Enum tables by themselves: shape, names, values and their order.
\set roles '{regress_enum}'
\i sql/include/leftovers.psql

SELECT dbkit.create_enum('status', '{new,active,done}');
\d status_enum
SELECT * FROM dbkit.enum_values('status_enum');
SELECT * FROM dbkit.check('status_enum');
-- one made by hand is as good
CREATE TABLE color_enum (value TEXT PRIMARY KEY);
INSERT INTO color_enum VALUES ('red'), ('green'), ('blue');
SELECT * FROM dbkit.enum_values('color_enum');

-- names: as in SQL, qualified or not
CREATE SCHEMA "regress S.""x";
SELECT dbkit.create_enum('"regress S.""x"."It''s . ""it"', '{a}');
SELECT * FROM dbkit.enum_values('"regress S.""x"."It''s . ""it_enum"');
SELECT dbkit.create_enum('Größe', '{}');
SELECT dbkit.create_enum('größe_enum', '{}');	-- fails: taken as it is, and there
SELECT dbkit.create_enum(repeat('x', 58), '{a}');
SELECT dbkit.create_enum(repeat('x', 59), '{a}');	-- fails
SELECT dbkit.create_enum('a.b.c.d', '{a}');	-- fails
SELECT dbkit.create_enum('nowhere.a', '{a}');	-- fails
SELECT dbkit.create_enum('', '{a}');	-- fails
SELECT dbkit.create_enum('_enum', '{a}');
SET search_path = "regress S.""x", public;
SELECT dbkit.create_enum('here', '{a}');
SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 'here_enum';
RESET search_path;

-- values
SELECT dbkit.create_enum('bad', '{a,NULL}');	-- fails
SELECT dbkit.create_enum('bad', '{a,a}');	-- fails
SELECT dbkit.create_enum('bad', NULL);	-- fails
SELECT dbkit.create_enum(NULL, '{a}');	-- fails
SELECT to_regclass('bad_enum');
SELECT dbkit.create_enum('odd', ARRAY['', ' ', '''; DROP TABLE status_enum; --', '$1', 'ü', repeat('long', 100)]);
SELECT length(v), left(v, 30) FROM dbkit.enum_values('odd_enum') v;

-- adding, renaming and dropping keep the order
SELECT dbkit.add_enum_value('status_enum', 'archived');
SELECT dbkit.add_enum_value('status_enum', 'archived');	-- fails
SELECT dbkit.add_enum_value('status_enum', NULL);	-- fails
SELECT dbkit.add_enum_value(NULL, 'x');	-- fails
SELECT dbkit.rename_enum_value('status_enum', 'new', 'fresh');
SELECT array_agg(v) FROM dbkit.enum_values('status_enum') v;
SELECT dbkit.rename_enum_value('status_enum', 'archived', 'gone');
SELECT dbkit.rename_enum_value('status_enum', 'active', 'ACTIVE');
SELECT dbkit.drop_enum_value('status_enum', 'fresh');
VACUUM status_enum;
SELECT dbkit.add_enum_value('status_enum', 'last');
SELECT array_agg(v) FROM dbkit.enum_values('status_enum') v;
VACUUM status_enum;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');
SELECT array_agg(v) FROM dbkit.enum_values('status_enum') v;
VACUUM FULL status_enum;
SELECT array_agg(v) FROM dbkit.enum_values('status_enum') v;
SELECT dbkit.rename_enum_value('status_enum', 'none', 'x');	-- fails
SELECT dbkit.rename_enum_value('status_enum', 'did', 'ACTIVE');	-- fails
SELECT dbkit.rename_enum_value('status_enum', 'did', 'did');	-- fails
SELECT dbkit.rename_enum_value('status_enum', NULL, 'x');	-- fails
SELECT dbkit.rename_enum_value('status_enum', 'did', NULL);	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'none');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'did', 'did');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'did', 'none');	-- fails
SELECT dbkit.drop_enum_value('status_enum', NULL);	-- fails
SELECT array_agg(v) FROM dbkit.enum_values('status_enum') v;

-- what stands beside a value stays beside it
CREATE TABLE label_enum (value text PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY,
	gone text, label text NOT NULL, upper text GENERATED ALWAYS AS (upper(label)) STORED, parent text REFERENCES label_enum);
ALTER TABLE label_enum DROP COLUMN gone;
INSERT INTO label_enum (value, label, parent) VALUES ('a', 'the a', 'a'), ('b', 'the b', 'a');
SELECT dbkit.rename_enum_value('label_enum', 'a', 'c');
SELECT * FROM label_enum ORDER BY n;

-- not an enum table
SET dbkit.enforce = off;
CREATE TABLE two (value text, other text, PRIMARY KEY (value, other));
CREATE TABLE wrong (value varchar PRIMARY KEY);
CREATE VIEW seen WITH (security_invoker = true) AS SELECT * FROM status_enum;
RESET dbkit.enforce;
SELECT * FROM dbkit.enum_values('two');	-- fails
SELECT dbkit.add_enum_value('wrong', 'x');	-- fails
SELECT dbkit.rename_enum_value('seen', 'a', 'b');	-- fails
SELECT dbkit.drop_enum_value('pg_class', 'a');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum_pkey');	-- fails
SELECT dbkit.add_enum_value(1, 'x');	-- fails

-- rights are the caller's
CREATE ROLE regress_enum;
GRANT CREATE ON SCHEMA "regress S.""x" TO regress_enum;
SET ROLE regress_enum;
SELECT * FROM dbkit.enum_values('status_enum');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum');	-- fails
SELECT dbkit.add_enum_value('status_enum', 'x');	-- fails
SELECT dbkit.rename_enum_value('status_enum', 'did', 'x');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'did');	-- fails
SELECT dbkit.create_enum('public.mine', '{a}');	-- fails
SELECT dbkit.create_enum('"regress S.""x".mine', '{a}');	-- fails
RESET ROLE;
GRANT USAGE ON SCHEMA "regress S.""x" TO regress_enum;
GRANT SELECT, INSERT ON status_enum TO regress_enum;
SET ROLE regress_enum;
SELECT dbkit.create_enum('"regress S.""x".mine', '{a,b}');
SELECT dbkit.rename_enum_value('"regress S.""x".mine_enum', 'a', 'A');
SELECT * FROM dbkit.enum_values('"regress S.""x".mine_enum');
SELECT dbkit.add_enum_value('status_enum', 'x');
SELECT dbkit.rename_enum_value('status_enum', 'did', 'x');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'did');	-- fails
RESET ROLE;

-- more values than are put in order, and rows that a trigger adds
SELECT dbkit.create_enum('many', (SELECT array_agg('v' || i) FROM generate_series(1, 1500) i));
SELECT dbkit.rename_enum_value('many_enum', 'v7', 'seven');
SELECT count(*), count(*) FILTER (WHERE value = 'seven'), count(*) FILTER (WHERE value = 'v7') FROM many_enum;
DROP TABLE many_enum;
SELECT dbkit.create_enum('paired', '{a}');
CREATE FUNCTION regress_pair() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO paired_enum VALUES ('no ' || NEW.value); RETURN NULL; END $$;
CREATE TRIGGER pair AFTER INSERT ON paired_enum FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION regress_pair();
SELECT dbkit.add_enum_value('paired_enum', 'b');
SELECT * FROM dbkit.enum_values('paired_enum');
DROP TABLE paired_enum;
DROP FUNCTION regress_pair;

-- a search path full of traps
CREATE SCHEMA regress_trap;
CREATE FUNCTION regress_trap.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR regress_trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_trap.eq);
CREATE FUNCTION regress_trap.count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE DOMAIN regress_trap.text AS pg_catalog.bytea;
CREATE TEMP TABLE status_enum (value pg_catalog.text PRIMARY KEY);
SET search_path = regress_trap, pg_temp, pg_catalog, public;
SELECT dbkit.add_enum_value('public.status_enum', 'y');
SELECT dbkit.rename_enum_value('public.status_enum', 'did', 'deed');
SELECT dbkit.drop_enum_value('public.status_enum', 'x');
SELECT * FROM dbkit.enum_usage('public.status_enum');
SELECT dbkit.create_enum('public.trap', '{a,b}');
RESET search_path;
SELECT array_agg(v) FROM dbkit.enum_values('public.status_enum') v;
SELECT atttypid::regtype FROM pg_attribute WHERE attrelid = 'public.trap_enum'::regclass AND attname = 'value';
DROP TABLE pg_temp.status_enum;

-- values in several dimensions are values one after the other
SELECT dbkit.create_enum('square', ARRAY[['a', 'b'], ['c', 'd']]);
SELECT dbkit.enum_values('square_enum');
SELECT dbkit.create_enum('hole', ARRAY[['a'], [NULL]]);  -- fails
DROP TABLE square_enum;
SET search_path = regress_no_schema;
SELECT dbkit.create_enum('nowhere', '{a}');  -- fails
\echo :LAST_ERROR_SQLSTATE
RESET search_path;

\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA "regress S.""x", regress_trap CASCADE;
DROP VIEW seen;
DROP TABLE status_enum, color_enum, größe_enum, odd_enum, label_enum, two, wrong, trap_enum, _enum_enum;
DO $$ BEGIN EXECUTE 'DROP TABLE ' || repeat('x', 58) || '_enum'; END $$;
DROP ROLE regress_enum;
