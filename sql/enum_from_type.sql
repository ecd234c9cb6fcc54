-- Turning a native enum into an enum table.
\set roles '{regress_typist,regress_other}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;

CREATE SCHEMA "regress T";
CREATE ROLE regress_typist;
CREATE TYPE "regress T"."Mo'od" AS ENUM ('sad', 'ok', 'it''s', 'back\slash', 'happy');
ALTER TYPE "regress T"."Mo'od" ADD VALUE 'meh' BEFORE 'ok';
COMMENT ON TYPE "regress T"."Mo'od" IS 'how one is';
ALTER TYPE "regress T"."Mo'od" OWNER TO regress_typist;

CREATE TABLE one (
	id text COLLATE "C" PRIMARY KEY,
	mood "regress T"."Mo'od" NOT NULL DEFAULT 'it''s',
	old "regress T"."Mo'od" DEFAULT NULL,
	"Odd ""name" "regress T"."Mo'od" DEFAULT 'back\slash',
	gone "regress T"."Mo'od",
	CHECK (mood <> old), UNIQUE (mood, id));
ALTER TABLE one DROP COLUMN gone;
COMMENT ON COLUMN one.mood IS 'of the person';
GRANT SELECT (mood), UPDATE (mood) ON one TO regress_typist;
CREATE INDEX one_old ON one (old) WHERE id > 'x';
CREATE INDEX ON one (id, "Odd ""name");
INSERT INTO one VALUES ('a', 'sad', 'ok'), ('b', DEFAULT, NULL);
CREATE TABLE parts (n bigint, mood "regress T"."Mo'od" DEFAULT 'ok') PARTITION BY RANGE (n);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
ALTER TABLE part1 ALTER mood SET DEFAULT 'happy';
INSERT INTO parts VALUES (1, 'meh');
CREATE TABLE base (mood "regress T"."Mo'od");
CREATE TABLE heir () INHERITS (base);
INSERT INTO heir VALUES ('happy');
CREATE UNLOGGED TABLE "regress T".unlogged (mood "regress T"."Mo'od" PRIMARY KEY);

-- not the owner's
CREATE ROLE regress_other;
GRANT USAGE, CREATE ON SCHEMA "regress T" TO regress_other, regress_typist;
SET ROLE regress_other;
SELECT dbkit.enum_from_type('"regress T"."Mo''od"');	-- fails
SET ROLE regress_typist;
\set VERBOSITY terse
SELECT dbkit.enum_from_type('"regress T"."Mo''od"');	-- fails
\set VERBOSITY default
RESET ROLE;

SELECT dbkit.enum_from_type('"regress T"."Mo''od"');
SELECT * FROM dbkit.enum_values('"regress T"."Mo''od_enum"');
SELECT relowner::regrole, obj_description(oid) FROM pg_class WHERE relname = 'Mo''od_enum';
SELECT to_regtype('"regress T"."Mo''od"') AS type;
\d one
SELECT attname, col_description(attrelid, attnum), attacl FROM pg_attribute WHERE attrelid = 'one'::regclass AND attname = 'mood';
TABLE one;
\d parts
\d part1
\d heir
\d "regress T".unlogged
TABLE heir;
INSERT INTO one (id) VALUES ('c') RETURNING *;
INSERT INTO one (id, mood) VALUES ('d', 'wrong');	-- fails
SELECT dbkit.rename_enum_value('"regress T"."Mo''od_enum"', 'it''s', 'it is');
SELECT mood FROM one ORDER BY id;
SELECT rule, object_identity FROM dbkit.check_schema('"regress T"') WHERE rule IN ('enum_type', 'enum_table', 'fk_index') ORDER BY 1, 2;
SELECT rule, object_identity FROM dbkit.check('one') WHERE rule IN ('enum_type', 'enum_table', 'fk_index') ORDER BY 1, 2;

-- what is refused, with names
CREATE TYPE hue AS ENUM ('red', 'green');
CREATE TYPE pair AS (a hue, b text);
CREATE DOMAIN dom AS hue;
CREATE FUNCTION is_red(hue) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1 = 'red' $$;
CREATE TABLE hues (
	id bigint,
	a hue CHECK (a > 'red'),
	b hue[],
	c hue DEFAULT enum_first(NULL::hue),
	d hue,
	e hue UNIQUE,
	f hue REFERENCES hues (e),
	g hue,
	h boolean GENERATED ALWAYS AS (is_red(d)) STORED,
	i text DEFAULT 'red'::hue::text);
CREATE INDEX hues_partial ON hues (id) WHERE d = 'red';
CREATE INDEX hues_expr ON hues (is_red(d));
CREATE VIEW hues_view WITH (security_invoker = true) AS SELECT id, a FROM hues;
CREATE VIEW hues_other WITH (security_invoker = true) AS SELECT id FROM hues WHERE g IS NOT NULL;
CREATE MATERIALIZED VIEW hues_kept AS SELECT d FROM hues;
CREATE POLICY hues_policy ON hues USING (g IS NOT NULL);
CREATE FUNCTION hues_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER hues_trigger AFTER UPDATE OF g ON hues FOR EACH ROW EXECUTE FUNCTION hues_trigger();
CREATE TEMP TABLE hues_temp (a hue);
SELECT dbkit.enum_from_type('hue');	-- fails
SELECT dbkit.enum_from_type('hue[]');	-- fails
SELECT dbkit.enum_from_type('integer');	-- fails
SELECT dbkit.enum_from_type(NULL);
SELECT dbkit.enum_from_type(1);	-- fails
SELECT to_regclass('hue_enum'), to_regtype('hue');

-- nothing uses it
CREATE TYPE lone AS ENUM ();
SELECT dbkit.enum_from_type('lone');
SELECT * FROM dbkit.enum_values('lone_enum');

\set VERBOSITY terse
DROP TABLE one, parts, base, heir, hues, hues_temp, lone_enum CASCADE;
DROP FUNCTION hues_trigger;
DROP TYPE hue CASCADE;
DROP TYPE pair;
DROP SCHEMA "regress T" CASCADE;
DROP ROLE regress_typist, regress_other;
