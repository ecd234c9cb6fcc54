-- updated_at() under every statement that updates rows, and beside other triggers.
\set roles '{regress_updated_at_user}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;

CREATE TABLE parent (
	id int PRIMARY KEY,
	label text,
	updated_at timestamptz NOT NULL DEFAULT '2000-01-01 00:00Z'
);
CREATE TRIGGER updated_at BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TABLE child (
	updated_at timestamptz(3) NOT NULL DEFAULT '2000-01-01 00:00Z',
	id int PRIMARY KEY,
	parent_id int REFERENCES parent ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE TRIGGER updated_at BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO parent SELECT i, 'label' FROM generate_series(1, 4) AS i;
INSERT INTO child (id, parent_id) SELECT i, 1 + i % 3 FROM generate_series(1, 6) AS i;
CREATE VIEW changed AS
	SELECT 'parent' AS relation, id, updated_at = now() AS changed FROM parent
	UNION ALL SELECT 'child', id, updated_at = now()::timestamptz(3) FROM child;

-- INSERT ... ON CONFLICT
BEGIN;
INSERT INTO parent VALUES (1, 'new'), (9, 'new') ON CONFLICT (id) DO UPDATE SET label = excluded.label;
INSERT INTO parent VALUES (2, 'new') ON CONFLICT DO NOTHING;
SELECT id, label, updated_at = now() AS changed FROM parent ORDER BY id;
ROLLBACK;

-- MERGE
BEGIN;
MERGE INTO parent USING (VALUES (1), (2), (3), (9)) AS source (id) ON parent.id = source.id
	WHEN MATCHED AND source.id = 2 THEN DO NOTHING
	WHEN MATCHED THEN UPDATE SET label = 'merged'
	WHEN NOT MATCHED THEN INSERT (id, label) VALUES (source.id, 'inserted');
SELECT id, label, updated_at = now() AS changed FROM parent ORDER BY id;
ROLLBACK;

-- UPDATE ... FROM, WITH
BEGIN;
UPDATE child SET parent_id = 4 FROM parent WHERE parent.id = child.parent_id AND parent.id = 2;
WITH moved AS (UPDATE parent SET label = 'with' WHERE id = 3 RETURNING updated_at)
UPDATE child SET parent_id = 4 FROM moved WHERE child.id = 6 AND moved.updated_at = now();
SELECT * FROM changed WHERE changed ORDER BY 1, 2;
ROLLBACK;

-- a foreign key's actions: two tables in one statement, each with its own column
BEGIN;
UPDATE parent SET id = id + 100 WHERE id < 3;
SELECT * FROM changed ORDER BY 1, 2;
ROLLBACK;
BEGIN;
DELETE FROM parent WHERE id = 2;
SELECT * FROM changed WHERE changed ORDER BY 1, 2;
ROLLBACK;

-- a view that can be updated by itself
BEGIN;
CREATE VIEW parent_view WITH (security_invoker = true) AS SELECT id, label FROM parent;
UPDATE parent_view SET label = 'by view' WHERE id = 1;
SELECT * FROM changed WHERE changed ORDER BY 1, 2;
ROLLBACK;

-- PL/pgSQL, the plan kept from call to call and the table altered in between
CREATE FUNCTION touch(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	UPDATE parent SET label = label WHERE id = $1;
	RETURN (SELECT updated_at = now() FROM parent WHERE id = $1);
END $$;
SELECT touch(i % 4 + 1) FROM generate_series(1, 8) AS i;
ALTER TABLE parent DROP COLUMN label, ADD COLUMN label text DEFAULT 'added';
SELECT touch(i % 4 + 1) FROM generate_series(1, 4) AS i;
-- altered by the statement's own trigger
CREATE FUNCTION rename_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id = 2 THEN
		ALTER TABLE parent RENAME updated_at TO modified_at;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER z_rename BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION rename_it();
BEGIN;
UPDATE parent SET label = 'x';
SELECT id, modified_at = now() AS changed FROM parent ORDER BY id;
ROLLBACK;
DROP TRIGGER z_rename ON parent;
DROP FUNCTION rename_it, touch;

-- triggers before and after it, in the order of their names
CREATE FUNCTION report() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% % %: id %, label %, %', TG_NAME, TG_WHEN, TG_LEVEL, NEW.id, NEW.label,
		CASE NEW.updated_at WHEN now() THEN 'now' WHEN OLD.updated_at THEN 'old' ELSE NEW.updated_at::text END;
	NEW.label := NEW.label || ' ' || TG_NAME;
	RETURN NEW;
END $$;
CREATE TRIGGER a_before BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION report();
CREATE TRIGGER z_before BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION report();
CREATE TRIGGER z_after AFTER UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION report();
BEGIN;
UPDATE parent SET label = 'chained' WHERE id IN (1, 2);
SELECT id, label FROM parent WHERE updated_at = now() ORDER BY id;
-- the value is there already: the row is handed on as it is
UPDATE parent SET label = 'again' WHERE id = 1;
SELECT id, label FROM parent WHERE updated_at = now() ORDER BY id;
ROLLBACK;
DROP TRIGGER a_before ON parent;
DROP TRIGGER z_before ON parent;
DROP TRIGGER z_after ON parent;
DROP FUNCTION report;
-- one that suppresses the row, before and after it
CREATE TRIGGER a_same BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
UPDATE parent SET label = label RETURNING id;
DROP TRIGGER a_same ON parent;
CREATE TRIGGER z_same BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
BEGIN;
UPDATE parent SET label = label WHERE id = 1 RETURNING id;
-- the second time, the row has the value already
UPDATE parent SET label = label WHERE id = 1 RETURNING id;
ROLLBACK;
DROP TRIGGER z_same ON parent;

-- UPDATE OF, WHEN, and a WHEN of a later trigger that sees the value
CREATE TABLE picky (id int, label text, updated_at timestamptz);
CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'id % has a new value', NEW.id;
	RETURN NULL;
END $$;
CREATE TRIGGER updated_at BEFORE UPDATE OF label ON picky FOR EACH ROW
	WHEN (OLD.label IS DISTINCT FROM NEW.label) EXECUTE FUNCTION updated_at();
CREATE TRIGGER said AFTER UPDATE ON picky FOR EACH ROW
	WHEN (OLD.updated_at IS DISTINCT FROM NEW.updated_at) EXECUTE FUNCTION say();
INSERT INTO picky VALUES (1, 'a'), (2, 'b');
UPDATE picky SET id = id;
UPDATE picky SET label = 'a';
DROP TABLE picky;

-- two columns by two triggers, with conditions before and after them that have looked at the new row already
CREATE TABLE looked_at (id int, label text, modified_at timestamptz, updated_at timestamptz, n int,
	made text GENERATED ALWAYS AS (CASE WHEN updated_at > '2000-01-02' THEN 'late' ELSE 'early' END) STORED);
CREATE FUNCTION say_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% of % sees % and %', TG_NAME, NEW.id, NEW.modified_at = now(), NEW.updated_at = now();
	RETURN NEW;
END $$;
CREATE TRIGGER a_modified BEFORE UPDATE ON looked_at FOR EACH ROW
	WHEN (NEW.n > 0) EXECUTE FUNCTION updated_at('modified_at');
CREATE TRIGGER b_updated BEFORE UPDATE ON looked_at FOR EACH ROW
	WHEN (NEW.n > 0 AND NEW.modified_at = now() AND NEW.updated_at < now()) EXECUTE FUNCTION updated_at();
CREATE TRIGGER c_said BEFORE UPDATE ON looked_at FOR EACH ROW
	WHEN (NEW.modified_at = now() AND NEW.updated_at = now()) EXECUTE FUNCTION say_before();
CREATE TRIGGER d_again BEFORE UPDATE ON looked_at FOR EACH ROW
	WHEN (NEW.updated_at = now() AND NEW.n > 0) EXECUTE FUNCTION updated_at();
INSERT INTO looked_at (id, label, modified_at, updated_at, n) VALUES
	(1, 'all set', '2000-01-01', '2000-01-01', 1), (2, 'null before', NULL, '2000-01-01', 1), (3, NULL, '2000-01-01', '2000-01-01', 1),
	(4, 'not this one', '2000-01-01', '2000-01-01', 0);
UPDATE looked_at SET label = label || '!' RETURNING id, label, modified_at = now() AS modified, updated_at = now() AS updated, n, made;
SELECT id, label, modified_at > '2000-01-01' AS modified, updated_at > '2000-01-01' AS updated, n, made FROM looked_at ORDER BY id;
DROP TABLE looked_at;
DROP FUNCTION say_before;

-- transition tables hold the value
CREATE FUNCTION count_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '% rows, % set', (SELECT count(*) FROM new_rows), (SELECT count(*) FROM new_rows WHERE updated_at = now());
	RETURN NULL;
END $$;
CREATE TRIGGER counted AFTER UPDATE ON parent REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION count_new();
UPDATE parent SET label = 'counted';
DROP TRIGGER counted ON parent;
DROP FUNCTION count_new;

-- inheritance: a trigger belongs to one table
CREATE TABLE heir (extra text, CHECK (id > 0)) INHERITS (parent);
INSERT INTO heir (id) VALUES (11);
BEGIN;
UPDATE parent SET label = 'all';
SELECT tableoid::regclass AS relation, id, updated_at = now() AS changed FROM parent ORDER BY id;
CREATE TRIGGER updated_at BEFORE UPDATE ON heir FOR EACH ROW EXECUTE FUNCTION updated_at();
UPDATE parent SET label = 'all';
SELECT tableoid::regclass AS relation, id, updated_at = now() AS changed FROM parent ORDER BY id;
ROLLBACK;
DROP TABLE heir;

-- partitions whose columns have other numbers than the table's
CREATE TABLE part (
	id int,
	region text,
	updated_at timestamptz DEFAULT '2000-01-01 00:00Z'
) PARTITION BY LIST (region);
CREATE TABLE part_east PARTITION OF part FOR VALUES IN ('east');
CREATE TABLE part_west (gone bigint, updated_at timestamptz, region text, id int);
ALTER TABLE part_west DROP COLUMN gone;
ALTER TABLE part ATTACH PARTITION part_west FOR VALUES IN ('west');
CREATE TABLE part_rest PARTITION OF part DEFAULT PARTITION BY RANGE (id);
CREATE TABLE part_rest_low PARTITION OF part_rest FOR VALUES FROM (0) TO (100);
CREATE TRIGGER updated_at BEFORE UPDATE ON part FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO part (id, region) SELECT i, (ARRAY['east', 'west', 'north'])[1 + i % 3] FROM generate_series(1, 6) AS i;
BEGIN;
UPDATE part SET id = id + 10;
SELECT tableoid::regclass AS relation, id, region, updated_at = now() AS changed FROM part ORDER BY id;
ROLLBACK;
-- rows that move to another partition
BEGIN;
UPDATE part SET region = CASE region WHEN 'east' THEN 'west' WHEN 'west' THEN 'north' ELSE 'east' END;
SELECT tableoid::regclass AS relation, id, region, updated_at = now() AS changed FROM part ORDER BY id;
ROLLBACK;
DROP TABLE part;
-- by ON CONFLICT, where rows are routed to partitions
CREATE TABLE part (id int PRIMARY KEY, label text, updated_at timestamptz DEFAULT '2000-01-01 00:00Z') PARTITION BY RANGE (id);
CREATE TABLE part_low (updated_at timestamptz, label text, id int NOT NULL);
ALTER TABLE part ATTACH PARTITION part_low FOR VALUES FROM (0) TO (10);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (10) TO (20);
CREATE TRIGGER updated_at BEFORE UPDATE ON part FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO part VALUES (1, 'old'), (11, 'old'), (2, 'old'), (12, 'old');
BEGIN;
INSERT INTO part VALUES (11, 'new'), (1, 'new'), (13, 'new'), (12, 'new'), (3, 'new')
	ON CONFLICT (id) DO UPDATE SET label = excluded.label;
SELECT tableoid::regclass AS relation, id, label, updated_at = now() AS changed FROM part ORDER BY id;
ROLLBACK;
DROP TABLE part;

-- a role without any right but on the table
CREATE ROLE regress_updated_at_user;
GRANT SELECT, UPDATE (label) ON parent TO regress_updated_at_user;
SET ROLE regress_updated_at_user;
UPDATE parent SET label = 'by user' WHERE id = 1 RETURNING updated_at = now() AS is_now;
UPDATE parent SET updated_at = now() WHERE id = 1;  -- fails
SELECT updated_at();  -- fails
RESET ROLE;
-- and one that owns a table and gives it the trigger
CREATE SCHEMA updated_at_schema AUTHORIZATION regress_updated_at_user;
SET ROLE regress_updated_at_user;
CREATE TABLE updated_at_schema.own (id int, updated_at timestamptz);
CREATE TRIGGER updated_at BEFORE UPDATE ON updated_at_schema.own FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO updated_at_schema.own VALUES (1);
SET search_path = '';
UPDATE updated_at_schema.own SET id = 2 RETURNING updated_at OPERATOR(pg_catalog.=) pg_catalog.now() AS is_now;
RESET search_path;
RESET ROLE;
DROP TABLE updated_at_schema.own;
DROP SCHEMA updated_at_schema;
REVOKE ALL ON parent FROM regress_updated_at_user;
DROP OWNED BY regress_updated_at_user;
DROP ROLE regress_updated_at_user;

DROP VIEW changed;
DROP TABLE child, parent;
DROP FUNCTION say;
