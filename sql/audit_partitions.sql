-- The log of changes of partitions and children.
SET client_min_messages = warning;
CREATE EXTENSION dbkit_audit;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA pieces;
SET search_path = pieces, public;
CREATE FUNCTION seen() RETURNS TABLE (operation text, relation text, row_id text, old_values jsonb, new_values jsonb) LANGUAGE sql AS
	$$SELECT operation, relation::text, row_id, old_values, new_values FROM dbkit.audit_log WHERE transaction = pg_current_xact_id() ORDER BY at, id$$;

-- partitions whose columns stand elsewhere, by the root's name and by their own
CREATE TABLE events (id int, region text, secret text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_a PARTITION OF events FOR VALUES IN ('a');
CREATE TABLE events_b (gone int, note text, secret text, region text NOT NULL, id int NOT NULL);
ALTER TABLE events_b DROP COLUMN gone;
ALTER TABLE events ATTACH PARTITION events_b FOR VALUES IN ('b');
SELECT dbkit.audit('events', '{secret}');
SELECT dbkit.audit('events_a'); -- fails
SELECT dbkit.unaudit('events_a'); -- fails
BEGIN;
INSERT INTO events VALUES (1, 'a', 's', 'x'), (2, 'b', 's', 'y');
INSERT INTO events_b (id, region, note) VALUES (3, 'b', 'z');
UPDATE events SET note = note || '!', secret = 't';
UPDATE events_b SET note = 'own name' WHERE id = 3;
SELECT * FROM seen();
COMMIT;

-- moves between partitions: the key has the region, so a row that moves is another one
BEGIN;
UPDATE events SET region = 'b' WHERE id = 1;
SELECT * FROM seen();
COMMIT;
CREATE TABLE moving (id int PRIMARY KEY, note text) PARTITION BY RANGE (id);
CREATE TABLE moving_1 PARTITION OF moving FOR VALUES FROM (0) TO (10);
SELECT dbkit.audit('moving');
CREATE TABLE moving_2 PARTITION OF moving FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (id);
CREATE TABLE moving_2_1 PARTITION OF moving_2 DEFAULT;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN CASE WHEN NEW.note = 'refused' THEN NULL ELSE NEW END; END$$;
CREATE TRIGGER refuse BEFORE INSERT ON moving_2_1 FOR EACH ROW EXECUTE FUNCTION refuse();
BEGIN;
INSERT INTO moving VALUES (1, 'moves'), (2, 'refused'), (3, 'stays');
UPDATE moving SET id = id + 10 WHERE note <> 'stays';
MERGE INTO moving USING (VALUES (3)) AS v (id) ON moving.id = v.id WHEN MATCHED THEN UPDATE SET id = 13, note = 'merged';
COPY moving FROM stdin;
4	copied
14	copied
\.
SELECT * FROM seen();
SELECT * FROM moving ORDER BY id;
COMMIT;

-- new partitions of any making are audited, with the masked columns; so is one that is detached
CREATE TABLE events_c (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_c FOR VALUES IN ('c');
CREATE SCHEMA more CREATE TABLE events_d PARTITION OF pieces.events FOR VALUES IN ('d');
SELECT tgrelid::regclass AS relation, count(*) AS triggers, count(*) FILTER (WHERE tgenabled = 'R') AS replica, count(*) FILTER (WHERE tgenabled = 'D') AS masked
FROM pg_trigger WHERE tgname LIKE 'dbkit_audit_%' AND tgrelid::regclass::text ~ 'events|moving' GROUP BY tgrelid ORDER BY tgrelid::regclass::text;
ALTER TABLE events DETACH PARTITION events_c;

-- for as_of() partitions count as they are now
SELECT clock_timestamp() AS before_moving \gset
SELECT dbkit.as_of(NULL::events, '[2, "b"]', :'before_moving');
BEGIN;
ALTER TABLE events DETACH PARTITION events_b;
SELECT dbkit.as_of(NULL::events, '[2, "b"]', :'before_moving');
ROLLBACK;
BEGIN;
INSERT INTO more.events_d VALUES (4, 'd', 's', 'new');
INSERT INTO events_c VALUES (5, 'c', 's', 'detached');
SELECT * FROM seen();
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO more.events_d VALUES (4, 'd', 's', 'replicated');
SELECT * FROM seen();
COMMIT;
BEGIN;
TRUNCATE events_b;
TRUNCATE events;
SELECT * FROM seen();
COMMIT;

-- a table that was audited before, or has partitions itself, gets the masked columns of what it is attached to, and keeps its own
CREATE TABLE events_e (LIKE events INCLUDING ALL);
SELECT dbkit.audit('events_e', '{note}');
CREATE TABLE events_f (LIKE events INCLUDING ALL) PARTITION BY LIST (region);
CREATE TABLE events_f_1 PARTITION OF events_f DEFAULT;
ALTER TABLE events ATTACH PARTITION events_e FOR VALUES IN ('e');
ALTER TABLE events ATTACH PARTITION events_f FOR VALUES IN ('f');
BEGIN;
INSERT INTO events_e VALUES (6, 'e', 's', 'x');
INSERT INTO events_f_1 VALUES (7, 'f', 's', 'y');
SELECT * FROM seen();
SET LOCAL session_replication_role = replica;
UPDATE events SET secret = 't', note = 'z' WHERE region >= 'e';
SELECT * FROM seen() WHERE operation = 'UPDATE';
COMMIT;
SELECT dbkit.unaudit('events');
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'dbkit_audit_%' AND tgrelid = ANY ('{events,events_a,events_b,more.events_d}'::regclass[]);

-- children are logged under the name of their parent, with what they have besides if written by their own name
CREATE TABLE animals (id int PRIMARY KEY, name text);
SELECT dbkit.audit('animals');
CREATE TABLE dogs (PRIMARY KEY (id), breed text) INHERITS (animals);
BEGIN;
INSERT INTO dogs VALUES (1, 'Rex', 'pug');
UPDATE animals SET name = 'Max';
DELETE FROM ONLY dogs;
SELECT * FROM seen();
COMMIT;


-- so are those of several parents, with what each of them masks
CREATE TABLE pets (id int PRIMARY KEY, owner text);
SELECT dbkit.audit('pets', '{owner}');
ALTER TABLE dogs ADD owner text, INHERIT pets;
BEGIN;
INSERT INTO dogs VALUES (2, 'Bo', 'pug', 'Ann');
SELECT * FROM seen();
COMMIT;
SELECT dbkit.audit('animals', '{name}');
BEGIN;
INSERT INTO dogs VALUES (3, 'Bo', 'pug', 'Ann');
SELECT * FROM seen();
COMMIT;

-- foreign tables give their rows to no trigger
CREATE EXTENSION file_fdw SCHEMA public;
CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
CREATE TABLE mixed_parent (id int PRIMARY KEY);
CREATE FOREIGN TABLE mixed_file () INHERITS (mixed_parent) SERVER files OPTIONS (filename '/dev/null');
SELECT dbkit.audit('mixed_parent'); -- fails
SELECT dbkit.audit('mixed_file'); -- fails
SET client_min_messages = error;
DROP SCHEMA pieces, more CASCADE;
DROP EXTENSION file_fdw CASCADE;
DELETE FROM dbkit.audit_log;
DROP EXTENSION dbkit_audit;
