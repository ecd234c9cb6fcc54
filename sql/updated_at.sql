-- The value updated_at() sets, in rows of every shape.
SET dbkit.enforce = off;

CREATE TABLE item (
	id int PRIMARY KEY,
	updated_at timestamptz DEFAULT '2000-01-01 00:00Z',
	label text
);
CREATE TRIGGER updated_at BEFORE UPDATE ON item FOR EACH ROW EXECUTE PROCEDURE updated_at();
INSERT INTO item (id, label) VALUES (1, 'one'), (2, 'two');

-- INSERT and COPY leave the column alone
COPY item FROM stdin;
3	2001-01-01 00:00Z	three
\.
SELECT id, updated_at AT TIME ZONE 'UTC' AS updated_at FROM item ORDER BY id;

-- the transaction's timestamp, only in the rows that the statement reaches
UPDATE item SET label = 'uno' WHERE id = 1 RETURNING id, updated_at = now() AS is_now;
SELECT id, updated_at AT TIME ZONE 'UTC' AS updated_at FROM item WHERE id > 1 ORDER BY id;

-- also in a row that stays the same
UPDATE item SET id = id WHERE id = 2 RETURNING id, updated_at = now() AS is_now;

-- the same for all of a transaction
BEGIN;
UPDATE item SET label = 'first' WHERE id = 1;
SELECT updated_at AS first_time FROM item WHERE id = 1 \gset
SELECT pg_sleep(0.002);
UPDATE item SET label = 'second' WHERE id = 1;
SAVEPOINT inner_one;
UPDATE item SET label = 'second' WHERE id = 3;
RELEASE inner_one;
SELECT id, label, updated_at = :'first_time' AS same, updated_at = now() AS is_now
FROM item WHERE id IN (1, 3) ORDER BY id;
COMMIT;
-- and later in the next
UPDATE item SET label = 'third' WHERE id = 1
	RETURNING updated_at > :'first_time' AS later, updated_at = now() AS is_now;

-- whatever the UPDATE says
UPDATE item SET updated_at = '1999-09-09 00:00Z' RETURNING id, updated_at = now() AS is_now;
UPDATE item SET updated_at = NULL RETURNING id, updated_at = now() AS is_now;
UPDATE item SET updated_at = DEFAULT RETURNING id, updated_at = now() AS is_now;
UPDATE item SET updated_at = 'infinity' RETURNING id, updated_at = now() AS is_now;
-- and where the old value is null or infinite
ALTER TABLE item DISABLE TRIGGER updated_at;
UPDATE item SET updated_at = CASE id WHEN 1 THEN NULL WHEN 2 THEN 'infinity' ELSE '-infinity' END::timestamptz
	RETURNING id, updated_at;
ALTER TABLE item ENABLE TRIGGER updated_at;
UPDATE item SET label = 'fourth' RETURNING id, label, updated_at = now() AS is_now;
-- NOT NULL is judged after the trigger
ALTER TABLE item ALTER COLUMN updated_at SET NOT NULL;
UPDATE item SET updated_at = NULL WHERE id = 1 RETURNING updated_at = now() AS is_now;

-- a disabled trigger, and the replica role
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE item SET updated_at = '1999-09-09 00:00Z' WHERE id = 1 RETURNING updated_at = now() AS is_now;
ALTER TABLE item ENABLE ALWAYS TRIGGER updated_at;
UPDATE item SET updated_at = '1999-09-09 00:00Z' WHERE id = 1 RETURNING updated_at = now() AS is_now;
ROLLBACK;

-- other columns than updated_at, several in one table, and names to be quoted
CREATE TABLE item_names (
	id int,
	"a ""quoted"".Näme" timestamptz,
	a23456789b23456789c23456789d23456789e23456789f23456789g23456789 timestamptz,
	"ä23456789ä23456789ä23456789ä23456789ä23456789ä23456789ä2" timestamptz,
	"Updated_At" timestamptz,
	updated_at timestamptz,
	untouched timestamptz
);
CREATE TRIGGER a BEFORE UPDATE ON item_names FOR EACH ROW EXECUTE FUNCTION updated_at('a "quoted".Näme');
CREATE TRIGGER b BEFORE UPDATE ON item_names FOR EACH ROW
	EXECUTE FUNCTION updated_at(a23456789b23456789c23456789d23456789e23456789f23456789g23456789);
CREATE TRIGGER c BEFORE UPDATE ON item_names FOR EACH ROW
	EXECUTE FUNCTION updated_at('ä23456789ä23456789ä23456789ä23456789ä23456789ä23456789ä2');
CREATE TRIGGER d BEFORE UPDATE ON item_names FOR EACH ROW EXECUTE FUNCTION updated_at('Updated_At');
CREATE TRIGGER e BEFORE UPDATE ON item_names FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO item_names VALUES (1), (2);
UPDATE item_names SET id = id + 10 RETURNING id, untouched IS NULL AS untouched,
	(SELECT count(*) FROM jsonb_each(to_jsonb(item_names)) AS entry WHERE entry.value = to_jsonb(now())) AS set_to_now;
UPDATE item_names SET id = id + 10 RETURNING id, untouched IS NULL AS untouched,
	(SELECT count(*) FROM jsonb_each(to_jsonb(item_names)) AS entry WHERE entry.value = to_jsonb(now())) AS set_to_now;
-- a renamed column is no longer the one that the trigger names
ALTER TABLE item_names RENAME "Updated_At" TO updated_by;
UPDATE item_names SET id = 1;  -- fails
DROP TABLE item_names;

-- the precision of the column
CREATE TABLE item_precision (
	id int,
	seconds timestamptz(0),
	milliseconds timestamptz(3),
	microseconds timestamptz(6)
);
CREATE TRIGGER a BEFORE UPDATE ON item_precision FOR EACH ROW EXECUTE FUNCTION updated_at('seconds');
CREATE TRIGGER b BEFORE UPDATE ON item_precision FOR EACH ROW EXECUTE FUNCTION updated_at('milliseconds');
CREATE TRIGGER c BEFORE UPDATE ON item_precision FOR EACH ROW EXECUTE FUNCTION updated_at('microseconds');
INSERT INTO item_precision SELECT generate_series(1, 3);
UPDATE item_precision SET id = id RETURNING id, seconds = now()::timestamptz(0) AS seconds,
	milliseconds = now()::timestamptz(3) AS milliseconds, microseconds = now() AS microseconds;
DROP TABLE item_precision;

-- domains, and what they demand
CREATE DOMAIN instant AS timestamptz;
CREATE DOMAIN millisecond AS timestamptz(3) NOT NULL;
CREATE DOMAIN past AS millisecond CHECK (VALUE < '2020-01-01 00:00Z');
CREATE TABLE item_domain (id int, anytime instant, nearly millisecond DEFAULT now(), long_ago past DEFAULT '2000-01-01 00:00Z');
CREATE TRIGGER a BEFORE UPDATE ON item_domain FOR EACH ROW EXECUTE FUNCTION updated_at('anytime');
CREATE TRIGGER b BEFORE UPDATE ON item_domain FOR EACH ROW EXECUTE FUNCTION updated_at('nearly');
INSERT INTO item_domain VALUES (1), (2);
UPDATE item_domain SET id = id
	RETURNING id, anytime = now() AS anytime, nearly = now()::timestamptz(3) AS nearly;
CREATE TRIGGER c BEFORE UPDATE ON item_domain FOR EACH ROW EXECUTE FUNCTION updated_at('long_ago');
UPDATE item_domain SET id = id;  -- fails
ALTER DOMAIN past DROP CONSTRAINT past_check;
UPDATE item_domain SET id = id RETURNING id, long_ago = now()::timestamptz(3) AS long_ago;
DROP TABLE item_domain;
DROP DOMAIN past, millisecond, instant;

-- columns dropped and added around it, in rows older than the change
CREATE TABLE item_altered (
	gone_first text,
	id int,
	gone_before text,
	updated_at timestamptz,
	gone_after text,
	label text
);
CREATE TRIGGER updated_at BEFORE UPDATE ON item_altered FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO item_altered SELECT 'first', i, 'before', '2000-01-01 00:00Z', 'after', 'label' FROM generate_series(1, 2) AS i;
PREPARE change(int) AS UPDATE item_altered SET id = id WHERE id = $1;
EXECUTE change(1);
SELECT id, updated_at > '2020-01-01 00:00Z' AS is_set, label FROM item_altered ORDER BY id;
ALTER TABLE item_altered DROP COLUMN gone_first, DROP COLUMN gone_before, DROP COLUMN gone_after;
ALTER TABLE item_altered ADD COLUMN added int DEFAULT 7, ADD COLUMN changed_at timestamptz DEFAULT '2002-02-02 00:00Z';
EXECUTE change(2);
SELECT id, updated_at > '2020-01-01 00:00Z' AS is_set, label, added, changed_at AT TIME ZONE 'UTC' AS changed_at
FROM item_altered ORDER BY id;
-- the column itself: dropped and added at the end, another type, another number
ALTER TABLE item_altered DROP COLUMN updated_at;
EXECUTE change(1);  -- fails
ALTER TABLE item_altered ADD COLUMN updated_at timestamptz DEFAULT '2003-03-03 00:00Z';
EXECUTE change(1);
SELECT id, updated_at > '2020-01-01 00:00Z' AS is_set, label, added FROM item_altered ORDER BY id;
ALTER TABLE item_altered ALTER COLUMN updated_at TYPE timestamp USING updated_at AT TIME ZONE 'UTC';
EXECUTE change(2);  -- fails
ALTER TABLE item_altered ALTER COLUMN updated_at TYPE timestamptz(0) USING updated_at AT TIME ZONE 'UTC';
EXECUTE change(2);
SELECT id, updated_at > '2020-01-01 00:00Z' AS is_set, date_trunc('second', updated_at) = updated_at AS rounded
FROM item_altered ORDER BY id;
DEALLOCATE change;
-- a trigger before it that gives the stored row, which lacks what was added since
CREATE FUNCTION give_old() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
ALTER TABLE item_altered ADD COLUMN later timestamptz DEFAULT '2004-04-04 00:00Z', ADD COLUMN last text DEFAULT 'last';
CREATE TRIGGER a_give_old BEFORE UPDATE ON item_altered FOR EACH ROW EXECUTE FUNCTION give_old();
CREATE TRIGGER b BEFORE UPDATE ON item_altered FOR EACH ROW EXECUTE FUNCTION updated_at('later');
UPDATE item_altered SET label = 'lost' RETURNING id, label, added, later = now() AS is_now, last;
DROP TABLE item_altered;
DROP FUNCTION give_old;

-- every column before and after it, null or not: the rest of the row stays as it is, byte for byte
CREATE FUNCTION check_layouts() RETURNS TABLE (layouts int, updated_rows int, wrong_rows int)
LANGUAGE plpgsql AS $$
DECLARE
	kinds text[] := '{boolean, smallint, text, integer, char(5), bigint, uuid, numeric, "char", jsonb, name, interval}';
	samples text[] := '{true, 7, "x", 70000, "abcde", 12345678901, 9f1b6a52-0c8e-4f0e-8d8a-5bb1a5f2d3c4, 12.50, c, "{}", n, 01:02:03}';
	width int := 36;
	kind int;
	columns text;
	fields text;
	matched int;
BEGIN
	layouts := 0; updated_rows := 0; wrong_rows := 0;
	FOR place IN 0..width LOOP
		columns := ''; fields := '';
		FOR i IN 0..width LOOP
			IF i = place THEN
				columns := columns || ', updated_at timestamptz';
				fields := fields || $f$, CASE WHEN row % 5 <> 1 THEN '2000-01-01 00:00Z'::timestamptz END$f$;
			END IF;
			kind := (i * 5 + place) % 12 + 1;
			columns := columns || format(', c%s %s', i, kinds[kind]);
			-- row 0 has no null; the others have them at ever other places; text grows from short to long
			fields := fields || format($f$, CASE WHEN (row * (%1$s + 3)) %% 7 < 4 OR row = 0 THEN %2$s END$f$, i,
				CASE kinds[kind] WHEN 'text' THEN format('repeat(%L, row * row * %s)', 'x', i + 1)
				ELSE format('%L::%s', samples[kind], kinds[kind]) END);
		END LOOP;
		EXECUTE format('CREATE TEMP TABLE layout (number int%s)', columns);
		EXECUTE format('INSERT INTO layout SELECT row%s FROM generate_series(0, 9) AS row', fields);
		CREATE TEMP TABLE expected AS TABLE layout;
		UPDATE expected SET updated_at = now();
		CREATE TRIGGER updated_at BEFORE UPDATE ON layout FOR EACH ROW EXECUTE FUNCTION updated_at();
		UPDATE layout SET number = number;
		GET DIAGNOSTICS matched = ROW_COUNT;
		updated_rows := updated_rows + matched;
		SELECT count(*) INTO matched FROM layout JOIN expected USING (number) WHERE layout.* *<> expected.*;
		wrong_rows := wrong_rows + matched;
		layouts := layouts + 1;
		DROP TABLE layout, expected;
	END LOOP;
	RETURN NEXT;
END $$;
SELECT * FROM check_layouts();
DROP FUNCTION check_layouts;

-- a value out of line, or compressed, is not touched
CREATE TABLE item_toast (id int, external text, compressed text, updated_at timestamptz DEFAULT '2000-01-01 00:00Z');
ALTER TABLE item_toast ALTER COLUMN external SET STORAGE EXTERNAL;
CREATE TRIGGER updated_at BEFORE UPDATE ON item_toast FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO item_toast SELECT 1, string_agg(i::text, ','), repeat('compress me ', 500) FROM generate_series(1, 3000) AS i;
SELECT reltoastrelid::regclass AS toast_table FROM pg_class WHERE oid = 'item_toast'::regclass \gset
CREATE TEMP TABLE before_update AS
	SELECT md5(external) AS external, pg_column_size(external) AS external_size,
		md5(compressed) AS compressed, pg_column_size(compressed) AS compressed_size,
		(SELECT array_agg(DISTINCT chunk_id) FROM :toast_table) AS chunks,
		(SELECT count(*) FROM :toast_table) AS chunk_count
	FROM item_toast;
UPDATE item_toast SET id = 2 RETURNING updated_at = now() AS is_now;
SELECT md5(external) AS external, pg_column_size(external) AS external_size,
	md5(compressed) AS compressed, pg_column_size(compressed) AS compressed_size,
	(SELECT array_agg(DISTINCT chunk_id) FROM :toast_table) AS chunks,
	(SELECT count(*) FROM :toast_table) AS chunk_count
FROM item_toast
EXCEPT TABLE before_update;
SELECT chunk_count > 1 AS out_of_line, compressed_size < 6000 AS is_compressed FROM before_update;
DROP TABLE item_toast, before_update;

-- stored generated columns that depend on it
CREATE TABLE item_generated (
	early text GENERATED ALWAYS AS (date_part('year', updated_at AT TIME ZONE 'UTC')::int > 2000) STORED,
	id int,
	updated_at timestamptz DEFAULT '2000-01-01 00:00Z',
	late interval GENERATED ALWAYS AS (updated_at - '2000-01-01 00:00Z'::timestamptz) STORED
);
CREATE TRIGGER updated_at BEFORE UPDATE ON item_generated FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO item_generated (id) VALUES (1) RETURNING early, late;
UPDATE item_generated SET id = 2 RETURNING early, late = updated_at - '2000-01-01 00:00Z'::timestamptz AS late;
DROP TABLE item_generated;

-- an index on it finds the row after updates that could have been HOT and others
CREATE TABLE item_indexed (id int PRIMARY KEY, label text, updated_at timestamptz DEFAULT '2000-01-01 00:00Z') WITH (fillfactor = 50);
CREATE INDEX item_indexed_updated_at ON item_indexed (updated_at);
CREATE TRIGGER updated_at BEFORE UPDATE ON item_indexed FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO item_indexed SELECT i, 'label' FROM generate_series(1, 100) AS i;
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_bitmapscan = off;
UPDATE item_indexed SET label = 'not indexed' WHERE id <= 10;
UPDATE item_indexed SET id = id + 1000 WHERE id BETWEEN 6 AND 20;
-- the second change of a row in one transaction leaves the index alone
UPDATE item_indexed SET label = 'again' WHERE id <= 10;
EXPLAIN (COSTS off) SELECT count(*) FROM item_indexed WHERE updated_at = now();
SELECT count(*) FROM item_indexed WHERE updated_at = now();
SELECT count(*) FROM item_indexed WHERE updated_at < now();
COMMIT;
DROP TABLE item_indexed;

DROP TABLE item;
