-- Event triggers of the user's own, which run between dbkit's and may run DDL
-- and catch errors; and ALTER EXTENSION
\i sql/include/convention_commit.psql

SELECT pg_temp.make('note', 'not');

-- an error that is caught in between does not make dbkit forget what was dropped
CREATE FUNCTION catch() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM 1 / 0;
EXCEPTION WHEN division_by_zero THEN
	NULL;
END $$;
CREATE EVENT TRIGGER zz_catch ON sql_drop EXECUTE FUNCTION catch();
DROP TRIGGER updated_at ON note; -- fails
DROP POLICY own ON note; -- fails
DROP EVENT TRIGGER zz_catch;

-- a statement in between leaves to the outer one what that has dropped
CREATE DOMAIN story AS jsonb;
BEGIN;
ALTER TABLE note DROP COLUMN storytime, ADD COLUMN storytime story;
COMMIT;
CREATE FUNCTION witness() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	CREATE VIEW seen WITH (security_invoker = true) AS SELECT 1::bigint AS n;
EXCEPTION WHEN OTHERS THEN
	NULL;
END $$;
CREATE EVENT TRIGGER zz_witness ON sql_drop EXECUTE FUNCTION witness();
DROP DOMAIN story CASCADE; -- fails
DROP TRIGGER updated_at ON note; -- fails
DROP EVENT TRIGGER zz_witness;
SELECT to_regclass('seen'), attname FROM pg_attribute WHERE attrelid = 'note'::regclass AND attname = 'storytime';

-- one that is rejected in between leaves the rest as it is
CREATE FUNCTION try_table() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
	IF tg_tag = 'DROP TRIGGER' THEN
		CREATE TABLE bad (n int);
	END IF;
EXCEPTION WHEN SQLSTATE 'KD001' THEN
	RAISE WARNING '%', SQLERRM;
END $$;
CREATE EVENT TRIGGER zz_try ON sql_drop EXECUTE FUNCTION try_table();
DROP TRIGGER updated_at ON note; -- fails
DROP EVENT TRIGGER zz_try;
SELECT * FROM pg_temp.problems();

-- a statement that fails in between is forgotten with its savepoint
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
CREATE EVENT TRIGGER zz_refuse ON sql_drop EXECUTE FUNCTION refuse();
BEGIN;
SAVEPOINT s;
DROP TRIGGER updated_at ON note; -- fails
ROLLBACK TO s;
COMMENT ON TABLE note IS 'a note';
COMMIT;
DROP EVENT TRIGGER zz_refuse;

-- what a savepoint takes back is not judged at commit, of an object that was there before it
BEGIN;
SET LOCAL dbkit.enforce = off;
DROP TRIGGER updated_at ON note;
SAVEPOINT s;
SET LOCAL dbkit.enforce = on;
ALTER TABLE note ADD COLUMN m bigint;
ALTER TABLE note ADD COLUMN n int; -- fails
ROLLBACK TO s;
SET LOCAL dbkit.enforce = on;
COMMIT;
SELECT * FROM pg_temp.problems();
CREATE TRIGGER updated_at BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION updated_at();
DROP FUNCTION refuse(), catch(), witness(), try_table();

-- a table that becomes an extension's frees its prefix, one that no longer is one's is judged
ALTER EXTENSION plpgsql ADD TABLE note;
SELECT prefix FROM dbkit.id_prefix;
DROP TRIGGER updated_at ON note;
ALTER EXTENSION plpgsql DROP TABLE note; -- fails
CREATE TRIGGER updated_at BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER EXTENSION plpgsql DROP TABLE note;
SELECT prefix, relation::regclass FROM dbkit.id_prefix;
DROP TABLE note;
DROP DOMAIN story;
