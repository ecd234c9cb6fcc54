-- The log of changes: what it has of each road by which rows change.
\set roles '{regress_audit_owner,regress_audit_reader}'
\i sql/include/leftovers.psql
SET client_min_messages = warning;
CREATE EXTENSION dbkit_audit;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA audited;
SET search_path = audited, public;
CREATE FUNCTION seen() RETURNS TABLE (operation text, relation text, row_id text, old_values jsonb, new_values jsonb) LANGUAGE sql AS
	$$SELECT operation, relation::text, row_id, old_values, new_values FROM dbkit.audit_log WHERE transaction = pg_current_xact_id() OR at > now() ORDER BY at, id$$;

-- what a row goes through; nothing is written of an UPDATE that changes nothing
CREATE TABLE notes (id text PRIMARY KEY, title text, body jsonb, done_at timestamptz, pages bigint, secret text);
SELECT dbkit.audit('notes', '{secret}');
BEGIN;
INSERT INTO notes VALUES ('a', 'one', '{"x": [1]}', '2024-01-10 12:00+00', 3, 'hush'), ('b', NULL, NULL, 'infinity', NULL, NULL);
UPDATE notes SET title = 'two', secret = 'hush hush' WHERE id = 'a';
UPDATE notes SET title = title;
UPDATE notes SET done_at = '0044-03-15 00:00:00+00 BC' WHERE id = 'b';
UPDATE notes SET id = 'c' WHERE id = 'b';
DELETE FROM notes;
SELECT * FROM seen();
COMMIT;
SELECT operation, relation_identity, at > now() - interval '1 hour' AS recent, transaction IS NOT NULL AS transaction, pid > 0 AS pid, dbkit.is_id(id, 'aud') AS id,
	user_id, organization_id, role = current_user AS role, session_role = session_user AS session_role, application_name
FROM dbkit.audit_history('notes', 'c');

-- the context, a role without a right on the log, and who reads what
CREATE ROLE regress_audit_owner;
CREATE ROLE regress_audit_reader;
GRANT USAGE, CREATE ON SCHEMA audited TO regress_audit_owner, regress_audit_reader;
SET ROLE regress_audit_owner;
CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric);
SELECT dbkit.audit('orders');
GRANT SELECT, INSERT, UPDATE ON orders TO regress_audit_reader;
SELECT * FROM dbkit.audit_log; -- fails
RESET ROLE;
SET ROLE regress_audit_reader;
SELECT dbkit.audit('orders'); -- fails
SELECT dbkit.unaudit('orders'); -- fails
BEGIN;
SELECT dbkit.enter('usr_1', 'org_1');
INSERT INTO orders VALUES (1, 1.50);
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_2', 'org_2');
UPDATE orders SET amount = 1.5;
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_3', NULL);
UPDATE orders SET amount = 2;
COMMIT;
INSERT INTO dbkit.audit_log SELECT * FROM dbkit.audit_log; -- fails
RESET ROLE;
GRANT SELECT ON dbkit.audit_log TO regress_audit_reader;
SET ROLE regress_audit_reader;
SELECT count(*) FROM dbkit.audit_log;
BEGIN;
SELECT dbkit.enter('usr_9', 'org_2');
SELECT operation, row_id, old_values, new_values, user_id, organization_id, role FROM dbkit.audit_log;
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_3', NULL);
SELECT operation, row_id, old_values, new_values, user_id, organization_id FROM dbkit.audit_log;
DELETE FROM dbkit.audit_log; -- fails
ROLLBACK;
SELECT count(*) FROM dbkit.audit_log_default; -- fails
RESET ROLE;
SELECT operation, user_id, organization_id, role, session_role = session_user AS session FROM dbkit.audit_log WHERE relation = 'orders'::regclass ORDER BY at, id;

-- savepoints, ON CONFLICT, MERGE, COPY, triggers that change the row, generated columns, dropped and added columns
CREATE TABLE parts (gone int, id int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, changed text);
ALTER TABLE parts DROP COLUMN gone;
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.changed := 'by ' || TG_OP; RETURN NEW; END$$;
CREATE TRIGGER change BEFORE INSERT OR UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION change();
SELECT dbkit.audit('parts');
BEGIN;
INSERT INTO parts (id, n) VALUES (1, 1);
SAVEPOINT s;
INSERT INTO parts (id, n) VALUES (2, 2);
ROLLBACK TO s;
SAVEPOINT s;
INSERT INTO parts (id, n) VALUES (3, 3);
RELEASE s;
SELECT * FROM seen();
COMMIT;
ALTER TABLE parts ADD COLUMN label text DEFAULT 'new';
BEGIN;
INSERT INTO parts (id, n) VALUES (1, 10), (4, 4) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n;
INSERT INTO parts (id, n) VALUES (1, 99) ON CONFLICT DO NOTHING;
MERGE INTO parts USING (VALUES (1, 11), (3, 0), (5, 5)) AS v (id, n) ON parts.id = v.id
	WHEN MATCHED AND v.n = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = v.n WHEN NOT MATCHED THEN INSERT (id, n) VALUES (v.id, v.n);
COPY parts (id, n) FROM stdin;
6	6
7	7
\.
WITH gone AS (DELETE FROM parts WHERE id = 7 RETURNING *) UPDATE parts SET n = 60 FROM gone WHERE parts.id = 6;
SELECT * FROM seen();
COMMIT;

-- cascades, and TRUNCATE CASCADE
CREATE TABLE parents (id text PRIMARY KEY);
CREATE TABLE children (id text PRIMARY KEY, parent_id text REFERENCES parents ON DELETE CASCADE ON UPDATE CASCADE);
SELECT dbkit.audit('parents'), dbkit.audit('children');
INSERT INTO parents VALUES ('p'), ('q');
INSERT INTO children VALUES ('x', 'p'), ('y', 'q');
BEGIN;
UPDATE parents SET id = 'r' WHERE id = 'q';
DELETE FROM parents WHERE id = 'p';
TRUNCATE parents CASCADE;
SELECT * FROM seen();
COMMIT;

-- values out of line: what did not change is not fetched and not written
CREATE TABLE large (id uuid, at date, body text, n int, PRIMARY KEY (id, at));
ALTER TABLE large ALTER body SET STORAGE EXTERNAL;
SELECT dbkit.audit('large');
INSERT INTO large VALUES ('00000000-0000-0000-0000-000000000001', '2024-02-29', repeat('x', 10000), 1);
BEGIN;
UPDATE large SET n = 2;
UPDATE large SET body = body || 'y';
SELECT operation, row_id, length(old_values ->> 'body') AS old, length(new_values ->> 'body') AS new, old_values - 'body' AS others FROM seen();
COMMIT;

-- a trigger that changes the same table writes its own entries
CREATE TABLE nested (id int PRIMARY KEY, n int);
CREATE FUNCTION once_more() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN IF NEW.n < 3 THEN UPDATE audited.nested SET n = n + 1 WHERE id = NEW.id; END IF; RETURN NULL; END$$;
CREATE TRIGGER once_more AFTER UPDATE ON nested FOR EACH ROW EXECUTE FUNCTION once_more();
SELECT dbkit.audit('nested');
INSERT INTO nested VALUES (1, 0);
BEGIN;
UPDATE nested SET n = 1;
SELECT * FROM seen();
COMMIT;

-- session_replication_role fires the row trigger instead
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO nested VALUES (2, 5);
UPDATE nested SET n = 6 WHERE id = 2;
DELETE FROM nested WHERE id = 2;
TRUNCATE nested;
SELECT * FROM seen();
COMMIT;

-- what cannot be audited, and what ends it
CREATE TABLE keyless (n int);
CREATE VIEW shown AS SELECT * FROM notes;
CREATE TEMP TABLE passing (id int PRIMARY KEY);
SELECT dbkit.audit('keyless'); -- fails
SELECT dbkit.audit('shown'); -- fails
SELECT dbkit.audit('passing'); -- fails
SELECT dbkit.audit('dbkit.audit_log'); -- fails
SELECT dbkit.audit('pg_class'); -- fails
SELECT dbkit.audit('notes', '{id}'); -- fails
SELECT dbkit.audit('notes', '{none}'); -- fails
SELECT dbkit.audit('notes', '{NULL}'); -- fails
SELECT dbkit.audit(0); -- fails
SELECT dbkit.audit_statement(); -- fails
CREATE TABLE wrong (id int PRIMARY KEY);
CREATE TRIGGER wrong AFTER INSERT ON wrong FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_statement();
INSERT INTO wrong VALUES (1); -- fails
CREATE TRIGGER wrong BEFORE UPDATE ON notes FOR EACH STATEMENT EXECUTE FUNCTION dbkit.audit_statement();
UPDATE notes SET pages = 1; -- fails
DROP TRIGGER wrong ON notes;
ALTER TABLE nested DROP CONSTRAINT nested_pkey;
INSERT INTO nested VALUES (4, 4); -- fails
SELECT dbkit.unaudit('nested'), dbkit.unaudit('nested');
INSERT INTO nested VALUES (4, 4);

-- masked columns: in renames, in a second call, in errors
ALTER TABLE notes RENAME COLUMN secret TO whisper;
ALTER TABLE notes RENAME COLUMN title TO secret;
BEGIN;
INSERT INTO notes (id, secret, whisper) VALUES ('m', 'open', 'closed');
UPDATE notes SET whisper = NULL;
SELECT * FROM seen();
COMMIT;
ALTER TABLE notes DROP COLUMN whisper; -- fails
CREATE TABLE persons (id int PRIMARY KEY, ssn text NOT NULL);
SELECT dbkit.audit('persons', '{ssn}');
INSERT INTO persons VALUES (1, '123-45-6789');
ALTER TABLE persons DROP CONSTRAINT persons_pkey, ADD PRIMARY KEY (ssn);
UPDATE persons SET id = 2; -- fails
DELETE FROM persons; -- fails
SELECT dbkit.audit('persons');
UPDATE persons SET id = 2;
DROP TABLE persons;

-- what jsonb does not take of a json value cannot be written
CREATE TABLE documents (id int PRIMARY KEY, document json);
INSERT INTO documents VALUES (1, '{"a": "\u0000"}');
SELECT dbkit.audit('documents');
DELETE FROM documents; -- fails
SELECT dbkit.audit('documents', '{document}');
DELETE FROM documents;
DROP TABLE documents;
SELECT dbkit.audit('notes', '{secret}');
BEGIN;
UPDATE notes SET whisper = 'heard', secret = 'not heard';
SELECT * FROM seen();
COMMIT;
SELECT tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'notes'::regclass ORDER BY 1;

-- months, and what the log is like
SELECT count(*) AS months, min(relname) = to_char(now() AT TIME ZONE 'UTC', '"audit_log_"YYYY_MM') AS from_this, bool_and(relrowsecurity) AS protected
FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'dbkit.audit_log'::regclass AND relname <> 'audit_log_default';
SELECT count(*) FROM dbkit.audit_log_default;
SELECT count(*) FROM dbkit.check() WHERE object_identity LIKE 'dbkit.%';
SET client_min_messages = error;
DROP SCHEMA audited CASCADE;
DELETE FROM dbkit.audit_log;
DROP OWNED BY regress_audit_owner, regress_audit_reader;
DROP ROLE regress_audit_owner, regress_audit_reader;
DROP EXTENSION dbkit_audit;
