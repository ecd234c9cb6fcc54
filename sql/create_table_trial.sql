-- dbkit.create_table: what its trial of the table meets.
\i sql/include/convention.psql
CREATE SCHEMA made;
SET search_path = made, public;
RESET dbkit.rule_levels;

-- a table that references itself, before the rules have given it its key
SELECT dbkit.create_table_sql('trees', 'parent_id text REFERENCES trees, name text', 'tre');
SELECT dbkit.create_table('trees', 'parent_id text REFERENCES trees, name text', 'tre');
SELECT dbkit.create_table_sql('bushes', 'parent_id text, FOREIGN KEY (parent_id) REFERENCES made.bushes (id)');
SELECT dbkit.create_table('bushes', 'parent_id text, FOREIGN KEY (parent_id) REFERENCES made.bushes (id)');
SELECT dbkit.create_table('bushes2', 'LIKE trees, parent_bush_id text REFERENCES bushes2', 'bus'); -- fails
SELECT dbkit.create_table('bushes2', 'id text, parent_id text REFERENCES bushes2'); -- fails
DROP TABLE trees, bushes;

-- a trial that is cancelled leaves nothing switched off
CREATE FUNCTION cancel() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE SQLSTATE ''57014''; END';
CREATE EVENT TRIGGER cancel ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION cancel();
SELECT dbkit.create_table_sql('later', 'n int'); -- fails
SELECT dbkit.schema_sql('{"version": 1, "tables": [{"name": "later", "columns": [{"name": "n", "type": "bigint"}]}]}'); -- fails
DROP EVENT TRIGGER cancel;
\set VERBOSITY sqlstate
CREATE TABLE later (n int); -- fails
\set VERBOSITY default

-- a temporary table, which is not judged, with a key that is written anew
SELECT dbkit.create_table('pg_temp.node', 'parent text REFERENCES node');
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'pg_temp.node'::regclass AND contype IN ('p', 'f') ORDER BY contype;

SET client_min_messages = warning;
DROP SCHEMA made CASCADE;
