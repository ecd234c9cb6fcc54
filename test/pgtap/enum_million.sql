-- A million rows in several tables that reference an enum table.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(11);
SET LOCAL dbkit.enforce = off;
SET LOCAL client_min_messages = warning;

CREATE SCHEMA tap_other;
SELECT dbkit.create_enum('tap_other.phase', '{old,other,last}');
CREATE TABLE tap_plain AS SELECT i AS n, (ARRAY['old', 'other'])[1 + i % 2] AS phase FROM generate_series(1, 400000) i;
CREATE TABLE tap_parts (n bigint, phase text NOT NULL DEFAULT 'old') PARTITION BY HASH (n);
CREATE TABLE tap_part0 PARTITION OF tap_parts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE tap_part1 PARTITION OF tap_parts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE tap_other.part2 PARTITION OF public.tap_parts FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO tap_parts SELECT i, 'old' FROM generate_series(1, 400000) i;
CREATE TABLE tap_other.keyed AS SELECT i AS n, (ARRAY['old', 'other'])[1 + i % 2] AS phase FROM generate_series(1, 200000) i;
ALTER TABLE tap_plain ADD FOREIGN KEY (phase) REFERENCES tap_other.phase_enum ON UPDATE SET NULL ON DELETE CASCADE;
ALTER TABLE tap_parts ADD FOREIGN KEY (phase) REFERENCES tap_other.phase_enum DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE tap_other.keyed ADD FOREIGN KEY (phase) REFERENCES tap_other.phase_enum, ADD UNIQUE (phase, n);
CREATE INDEX ON tap_plain (phase);

SELECT is(sum(uses), 1000000::numeric, 'a million uses') FROM dbkit.enum_usage('tap_other.phase_enum');
SELECT is(dbkit.rename_enum_value('tap_other.phase_enum', 'old', 'new'), 700000::bigint, 'rename');
SELECT is(count(*), 200000::bigint, 'in a plain table') FROM tap_plain WHERE phase = 'new';
SELECT is(count(*), 400000::bigint, 'in partitions') FROM tap_parts WHERE phase = 'new';
SELECT is(count(*), 100000::bigint, 'in another schema') FROM tap_other.keyed WHERE phase = 'new';
SELECT is((SELECT array_agg(v) FROM dbkit.enum_values('tap_other.phase_enum') v), '{new,other,last}', 'in its place');
SELECT is(sum(uses), 1000000::numeric, 'no row is lost') FROM dbkit.enum_usage('tap_other.phase_enum');
SELECT throws_ok($$SELECT dbkit.drop_enum_value('tap_other.phase_enum', 'new', 'last')$$, '55006', NULL,
                 'a default cannot change while deferred checks are pending');
SELECT lives_ok('SET CONSTRAINTS ALL IMMEDIATE', 'they hold');
SELECT is(dbkit.drop_enum_value('tap_other.phase_enum', 'new', 'last'), 700000::bigint, 'replace');
SELECT is(sum(uses), 1000000::numeric, 'no row is lost') FROM dbkit.enum_usage('tap_other.phase_enum');

SELECT * FROM finish();
ROLLBACK;
