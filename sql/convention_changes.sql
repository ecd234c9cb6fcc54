-- Every road on which a transaction changes a table leads to its judgement.
\set roles '{regress_customer}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql

SELECT pg_temp.make('parent', 'par');
SELECT pg_temp.make('child', 'chi', 'parent_id text COLLATE "C" REFERENCES parent UNIQUE');
-- begin a transaction that has made the child bad unseen
\set bad 'BEGIN; SET LOCAL dbkit.enforce = off; ALTER TABLE child DISABLE ROW LEVEL SECURITY; SET LOCAL dbkit.enforce = on;'
-- what is not changed is not judged
:bad
INSERT INTO parent DEFAULT VALUES;
COMMENT ON TABLE child IS 'child';
GRANT SELECT ON child TO PUBLIC;
REVOKE SELECT ON child FROM PUBLIC;
ANALYZE child;
TRUNCATE child;
CREATE INDEX ON child (created_at);
CREATE TRIGGER touch AFTER UPDATE ON child EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE STATISTICS child_statistics ON id, created_at FROM child;
ALTER TABLE parent ADD x text;
CREATE TABLE IF NOT EXISTS child (id text);
-- nor is what can break no rule, or only rules that it keeps
ALTER TABLE child ALTER storytime SET STORAGE EXTERNAL, ALTER storytime SET STATISTICS 10, OWNER TO CURRENT_USER;
ALTER TABLE child RENAME CONSTRAINT child_pkey TO key;
ALTER TABLE child DISABLE TRIGGER touch;
ALTER TRIGGER touch ON child RENAME TO touched;
ALTER POLICY own ON child RENAME TO their;
DROP TRIGGER touched ON child;
DROP INDEX child_created_at_idx;
COMMIT;
ALTER TABLE child ENABLE ROW LEVEL SECURITY;
-- what may break a rule is
:bad ALTER TABLE child ADD x text; COMMIT; -- fails
:bad ALTER TABLE child RENAME TO kid; COMMIT; -- fails
ALTER TABLE child RENAME COLUMN storytime TO story; -- fails
:bad ALTER TABLE child SET UNLOGGED; COMMIT; -- fails
ALTER TABLE child DROP CONSTRAINT key; -- fails
ALTER TABLE child DISABLE TRIGGER updated_at; -- fails
DROP POLICY their ON child; -- fails
:bad ALTER TABLE child NO FORCE ROW LEVEL SECURITY; COMMIT; -- fails
CREATE SCHEMA other;
:bad ALTER TABLE child SET SCHEMA other; COMMIT; -- fails
SELECT relname FROM pg_class WHERE relname ~ '^(child|kid)' AND relkind = 'r' ORDER BY 1;
ALTER POLICY their ON child RENAME TO own;

-- cascades
DROP TABLE parent CASCADE; -- fails
ALTER TABLE parent DROP COLUMN id CASCADE; -- fails
ALTER TABLE parent DROP CONSTRAINT parent_pkey CASCADE; -- fails
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := now(); RETURN NEW; END';
SELECT dbkit.agree('{"updated_at_functions": ["stamp"]}') \gset
CREATE OR REPLACE TRIGGER updated_at BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION stamp();
DROP FUNCTION stamp() CASCADE; -- fails
CREATE FUNCTION mine(text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE POLICY mine ON child USING (mine(id));
DROP POLICY own ON child;
DROP FUNCTION mine(text) CASCADE; -- fails
CREATE TYPE pair AS (a text, b bigint);
ALTER TABLE parent ADD pair pair;
ALTER TYPE pair ALTER ATTRIBUTE b TYPE integer CASCADE; -- fails
ALTER TYPE pair ADD ATTRIBUTE c integer; -- fails
ALTER TABLE parent DROP COLUMN pair;
CREATE DOMAIN moment AS timestamptz NOT NULL DEFAULT now();
ALTER TABLE parent ALTER created_at DROP DEFAULT, ALTER created_at DROP NOT NULL, ALTER created_at TYPE moment;
ALTER DOMAIN moment DROP NOT NULL; -- fails
ALTER DOMAIN moment DROP DEFAULT; -- fails
DROP DOMAIN moment CASCADE; -- fails
ALTER TABLE parent ALTER created_at TYPE timestamptz, ALTER created_at SET NOT NULL, ALTER created_at SET DEFAULT now();
DROP SCHEMA other CASCADE;
-- DROP OWNED takes policies away
CREATE ROLE regress_customer;
CREATE POLICY customer ON child TO regress_customer USING (id <> '');
DROP POLICY mine ON child;
DROP OWNED BY regress_customer; -- fails
CREATE POLICY mine ON child USING (true) WITH CHECK (id <> '');
DROP OWNED BY regress_customer;
DROP ROLE regress_customer;
SELECT dbkit.agree('{"updated_at_functions": null}') \gset
DROP TABLE child;
DROP FUNCTION mine(text), stamp();
DROP TYPE pair, moment;

-- partitions: the root answers, and a detached partition for what is done to it then
BEGIN;
CREATE TABLE event (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('evt') CHECK (id LIKE 'evt_%'), parent_id text COLLATE "C" REFERENCES parent,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb) PARTITION BY HASH (id);
CREATE TABLE event_0 PARTITION OF event FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE event_1 PARTITION OF event FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TRIGGER updated_at BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON event USING (id <> '');
CREATE INDEX event_parent_id_idx ON ONLY event (parent_id);
COMMIT; -- fails
BEGIN;
CREATE TABLE event (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('evt') CHECK (id LIKE 'evt_%'), parent_id text COLLATE "C" REFERENCES parent,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb) PARTITION BY HASH (id);
CREATE TABLE event_0 PARTITION OF event FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE event_1 PARTITION OF event FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TRIGGER updated_at BEFORE UPDATE ON event FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON event USING (id <> '');
CREATE INDEX event_parent_id_idx ON ONLY event (parent_id);
CREATE INDEX event_0_parent_id_idx ON event_0 (parent_id);
CREATE INDEX event_1_parent_id_idx ON event_1 (parent_id);
ALTER INDEX event_parent_id_idx ATTACH PARTITION event_0_parent_id_idx;
ALTER INDEX event_parent_id_idx ATTACH PARTITION event_1_parent_id_idx;
COMMIT;
ALTER TABLE event_0 ADD CHECK (storytime <> 'null');
ALTER TABLE event DETACH PARTITION event_0;
ALTER TABLE event_0 ADD n integer; -- fails
ALTER TABLE event ATTACH PARTITION event_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
BEGIN;
ALTER TABLE event DETACH PARTITION event_0;
ALTER TABLE event ATTACH PARTITION event_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
COMMIT;
BEGIN;
ALTER TABLE event DETACH PARTITION event_0;
DROP TABLE event_0;
COMMIT;
ALTER TABLE event DETACH PARTITION event_1 CONCURRENTLY;
ALTER TABLE event_1 ALTER storytime TYPE text; -- fails
SELECT count(*) FROM pg_inherits WHERE inhparent = 'event'::regclass;
ALTER TABLE event ATTACH PARTITION event_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
DROP INDEX event_parent_id_idx; -- fails
DROP TABLE event;
-- temporary ones are never judged, and the detached one may be all there is to note
CREATE TEMP TABLE passing (a bigint) PARTITION BY LIST (a);
CREATE TEMP TABLE passing_1 PARTITION OF passing FOR VALUES IN (1);
ALTER TABLE passing DETACH PARTITION passing_1;
DROP TABLE passing, passing_1;

-- inheritance: ALTER of the parent changes the children
SELECT pg_temp.make('base', 'bas');
BEGIN;
SET LOCAL dbkit.enforce = off;
CREATE TABLE derived () INHERITS (base);
SET LOCAL dbkit.enforce = on;
ALTER TABLE base ADD x text; -- fails
ROLLBACK;
DROP TABLE base;

-- indexes CONCURRENTLY
SELECT pg_temp.make('child', 'chi', 'parent_id text COLLATE "C" REFERENCES parent UNIQUE');
CREATE INDEX CONCURRENTLY child_parent_idx ON child (parent_id); -- warns
REINDEX INDEX CONCURRENTLY child_parent_idx;
REINDEX (CONCURRENTLY) TABLE child;
ALTER TABLE child DROP CONSTRAINT child_parent_id_key;
SET dbkit.rule_levels = 'fk_index=fix';
DROP INDEX CONCURRENTLY child_parent_idx; -- warns
SELECT rule, problem FROM dbkit.check('child');
RESET dbkit.rule_levels;
DROP TABLE child;

-- to alter an index does not lock its table
SELECT pg_temp.make('child', 'chi');
CREATE INDEX child_index ON child (created_at);
BEGIN;
ALTER INDEX child_index RENAME TO child_idx;
ALTER TABLE child_idx RENAME TO child_index;
ALTER INDEX child_index SET (fillfactor = 70);
ALTER INDEX child_index RESET (fillfactor);
SELECT DISTINCT relation::regclass, mode FROM pg_locks
	WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^child' ORDER BY mode;
-- nor does the judgement lock a table that is locked already
DROP INDEX child_index;
SELECT DISTINCT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'child'::regclass;
ROLLBACK;
:bad
ALTER INDEX child_index RENAME TO child_idx;
COMMIT;
ALTER TABLE child ENABLE ROW LEVEL SECURITY;
:bad ALTER INDEX child RENAME TO kid; COMMIT; -- fails
DROP TABLE child;

-- views
BEGIN;
CREATE VIEW v WITH (security_invoker) AS SELECT id FROM parent;
CREATE OR REPLACE VIEW v AS SELECT NULL::text COLLATE "C" AS id; -- fails
COMMIT;
SET dbkit.rule_levels = 'view_security_invoker=fix';
SET client_min_messages = notice;
CREATE VIEW v AS SELECT id FROM parent;
CREATE OR REPLACE VIEW v AS SELECT id, created_at FROM parent;
ALTER VIEW v RESET (security_invoker);
ALTER TABLE v RENAME TO w;
SELECT reloptions FROM pg_class WHERE relname = 'w';
RESET dbkit.rule_levels;
SET client_min_messages = warning;
DROP VIEW w;
DROP TABLE parent;

-- an index is judged although its table, changed with enforcement off, is not
SET dbkit.enforce = off;
CREATE TABLE plain (value text PRIMARY KEY);
RESET dbkit.enforce;
SET dbkit.rule_levels = 'duplicate_index=error';
BEGIN;
SET LOCAL dbkit.enforce = off;
ALTER TABLE plain ADD x text;
SET LOCAL dbkit.enforce = on;
CREATE INDEX ON plain (value);
COMMIT; -- fails
RESET dbkit.rule_levels;
DROP TABLE plain;

-- the extension may go, and come again, in a transaction that has something to judge
CREATE TABLE colour_enum (value text PRIMARY KEY);
BEGIN;
ALTER TABLE colour_enum ADD y text;
DROP EXTENSION dbkit;
COMMIT;
CREATE EXTENSION dbkit;
BEGIN;
ALTER TABLE colour_enum ADD z text;
DROP EXTENSION dbkit;
CREATE EXTENSION dbkit;
COMMIT;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'colour_enum'::regclass AND attnum > 0;
DROP TABLE colour_enum;
