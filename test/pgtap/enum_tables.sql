-- Enum tables under the conventions: what the helpers make is accepted.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(18);

SELECT is(dbkit.create_enum('tap_state', '{open,shut}')::text, 'tap_state_enum', 'create_enum gives the table');
SELECT is((SELECT array_agg(v) FROM dbkit.enum_values('tap_state_enum') v), '{open,shut}', 'its values are in order');
SELECT is_empty($$SELECT * FROM dbkit.check('tap_state_enum')$$, 'and nothing is wrong with it');

CREATE TABLE tap_doors (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('tdr') CHECK (id LIKE 'tdr_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB,
  state TEXT NOT NULL DEFAULT 'open' REFERENCES tap_state_enum
);
CREATE TRIGGER updated_at BEFORE UPDATE ON tap_doors FOR EACH ROW EXECUTE PROCEDURE updated_at();
CREATE INDEX ON tap_doors(state);
ALTER TABLE tap_doors ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tap_doors USING (state = 'open') WITH CHECK (state <> 'x');
INSERT INTO tap_doors (state) SELECT 'open' FROM generate_series(1, 1000);

SELECT is(dbkit.rename_enum_value('tap_state_enum', 'open', 'ajar'), 1000::bigint, 'rename counts the rows');
SELECT is(count(*), 1000::bigint, 'and changes them') FROM tap_doors WHERE state = 'ajar';
INSERT INTO tap_doors DEFAULT VALUES;
SELECT is(count(*), 1001::bigint, 'the default follows') FROM tap_doors WHERE state = 'ajar';
SELECT throws_ok($$SELECT dbkit.drop_enum_value('tap_state_enum', 'ajar')$$, '2BP01', NULL, 'a used value is not dropped');
SELECT is(dbkit.drop_enum_value('tap_state_enum', 'ajar', 'shut'), 1001::bigint, 'unless it is replaced');
SELECT results_eq($$SELECT relation::text, column_name, value, uses FROM dbkit.enum_usage('tap_state_enum')$$,
                  $$VALUES ('tap_doors', 'state'::name, 'shut', 1001::bigint)$$, 'usage says where');
SELECT is_empty($$SELECT * FROM dbkit.check('tap_doors')$$, 'the table still follows the conventions');

-- From a native enum, which the conventions do not like.
SET LOCAL dbkit.enforce = off;
CREATE TYPE tap_hue AS ENUM ('red', 'green');
ALTER TABLE tap_doors ADD hue tap_hue NOT NULL DEFAULT 'green';
SET LOCAL dbkit.enforce = on;
SELECT isnt_empty($$SELECT * FROM dbkit.check('tap_doors')$$, 'a native enum is found');
SELECT is(dbkit.enum_from_type('tap_hue')::text, 'tap_hue_enum', 'enum_from_type gives the table');
SELECT is_empty($$SELECT * FROM dbkit.check('tap_doors')$$, 'then nothing is wrong any more');
SELECT hasnt_type('tap_hue');

-- Of a table of another owner, with the conventions enforced.
CREATE ROLE regress_tap;
SET LOCAL dbkit.enforce = off;
CREATE TYPE tap_size AS ENUM ('small', 'large');
ALTER TABLE tap_doors ADD size tap_size NOT NULL DEFAULT 'small';
ALTER TABLE tap_doors OWNER TO regress_tap;
ALTER TABLE tap_doors FORCE ROW LEVEL SECURITY;
SET LOCAL dbkit.enforce = on;
SELECT is(dbkit.enum_from_type('tap_size')::text, 'tap_size_enum', 'enum_from_type changes tables of others');
SELECT is(dbkit.rename_enum_value('tap_size_enum', 'small', 'tiny'), 1001::bigint, 'and rename the rows of others');
SELECT is(dbkit.drop_enum_value('tap_size_enum', 'tiny', 'large'), 1001::bigint, 'and drop replaces them');
SELECT is_empty($$SELECT * FROM dbkit.check('tap_doors')$$, 'nothing is wrong with them');

SELECT * FROM finish();
ROLLBACK;
