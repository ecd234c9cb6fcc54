-- Each wrong use of updated_at() is refused, and the message says what is wrong.
SET dbkit.enforce = off;

CREATE TABLE misuse (
	id int,
	updated_at timestamptz,
	plain timestamp,
	day date,
	label text,
	doubled timestamptz GENERATED ALWAYS AS (updated_at) STORED
);
INSERT INTO misuse VALUES (1);

-- what a statement raises: its code, and the table and column it reports
CREATE FUNCTION raised(statement text, OUT code text, OUT relation text, OUT attribute text, OUT hint text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	code := 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, relation = TABLE_NAME, attribute = COLUMN_NAME,
		hint = PG_EXCEPTION_HINT;
END $$;

-- not a trigger
SELECT updated_at();  -- fails
SELECT * FROM raised('SELECT updated_at()');

-- not for each row
CREATE TRIGGER wrong BEFORE UPDATE ON misuse EXECUTE FUNCTION updated_at();
UPDATE misuse SET id = 2;  -- fails
SELECT * FROM raised('UPDATE misuse SET id = 2');
DROP TRIGGER wrong ON misuse;
CREATE TRIGGER wrong BEFORE TRUNCATE ON misuse EXECUTE FUNCTION updated_at();
TRUNCATE misuse;  -- fails
DROP TRIGGER wrong ON misuse;

-- not before
CREATE TRIGGER wrong AFTER UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at();
UPDATE misuse SET id = 2;  -- fails
SELECT * FROM raised('UPDATE misuse SET id = 2');
DROP TRIGGER wrong ON misuse;
CREATE CONSTRAINT TRIGGER wrong AFTER UPDATE ON misuse DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION updated_at();
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
CREATE VIEW misuse_view AS SELECT id, updated_at FROM misuse;
CREATE TRIGGER "wrong ""view""" INSTEAD OF UPDATE ON misuse_view FOR EACH ROW EXECUTE FUNCTION updated_at();
UPDATE misuse_view SET id = 2;  -- fails
DROP VIEW misuse_view;

-- not for UPDATE
CREATE TRIGGER wrong BEFORE INSERT ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at();
INSERT INTO misuse VALUES (3);  -- fails
SELECT * FROM raised('INSERT INTO misuse VALUES (3)');
DROP TRIGGER wrong ON misuse;
CREATE TRIGGER wrong BEFORE DELETE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at();
DELETE FROM misuse;  -- fails
DROP TRIGGER wrong ON misuse;
-- also where the same trigger has been right in the same statement
CREATE TRIGGER wrong BEFORE UPDATE OR DELETE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at();
UPDATE misuse SET id = 1;
MERGE INTO misuse USING (VALUES (1), (2)) AS source (id) ON misuse.id = source.id
	WHEN MATCHED THEN DELETE;  -- fails
INSERT INTO misuse VALUES (5);
MERGE INTO misuse USING (VALUES (1), (5)) AS source (id) ON misuse.id = source.id
	WHEN MATCHED AND source.id = 1 THEN UPDATE SET label = 'one'
	WHEN MATCHED THEN DELETE;  -- fails
DELETE FROM misuse WHERE id = 5;  -- fails
DROP TRIGGER wrong ON misuse;
DELETE FROM misuse WHERE id = 5;

-- too many arguments
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('updated_at', 'plain');
UPDATE misuse SET id = 2;  -- fails
SELECT * FROM raised('UPDATE misuse SET id = 2');
DROP TRIGGER wrong ON misuse;

-- no such column
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('Updated_At');
UPDATE misuse SET id = 2;  -- fails
SELECT * FROM raised('UPDATE misuse SET id = 2');
DROP TRIGGER wrong ON misuse;
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
-- a system column is none that could be set
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('xmin');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
-- nor is a dropped one
ALTER TABLE misuse ADD COLUMN gone timestamptz;
ALTER TABLE misuse DROP COLUMN gone;
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('gone');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('........pg.dropped.7........');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
-- nor what only begins like the argument: 64 bytes, of which a name keeps 63
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at(
	'a23456789b23456789c23456789d23456789e23456789f23456789g234567890');
SET client_min_messages = warning;
ALTER TABLE misuse ADD COLUMN a23456789b23456789c23456789d23456789e23456789f23456789g234567890 timestamptz;
RESET client_min_messages;
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;

-- not timestamptz
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('plain');
UPDATE misuse SET id = 2;  -- fails
SELECT * FROM raised('UPDATE misuse SET id = 2');
DROP TRIGGER wrong ON misuse;
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('day');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('label');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;
CREATE DOMAIN plain_domain AS timestamp;
ALTER TABLE misuse ADD COLUMN plain_in_domain plain_domain;
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('plain_in_domain');
UPDATE misuse SET id = 2;  -- fails
DROP TRIGGER wrong ON misuse;

-- generated
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('doubled');
UPDATE misuse SET id = 2;  -- fails
SELECT * FROM raised('UPDATE misuse SET id = 2');
DROP TRIGGER wrong ON misuse;

-- no row, no complaint; and none of the above changed anything
CREATE TRIGGER wrong BEFORE UPDATE ON misuse FOR EACH ROW EXECUTE FUNCTION updated_at('gone');
UPDATE misuse SET id = 2 WHERE false;
SELECT id, label FROM misuse;

DROP TABLE misuse;
DROP DOMAIN plain_domain;
DROP FUNCTION raised;
