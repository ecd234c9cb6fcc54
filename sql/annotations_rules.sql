-- What dbkit.annotate() does is seen as any COMMENT is: by rules, and by event triggers.
SET dbkit.enforce = off;
CREATE TABLE users (id text PRIMARY KEY, status text);
CREATE FOREIGN DATA WRAPPER regress_nothing;
CREATE SERVER regress_elsewhere FOREIGN DATA WRAPPER regress_nothing;
CREATE FOREIGN TABLE far (id text) SERVER regress_elsewhere;
SELECT dbkit.annotate('{"far": {"": "f", "id": "fc"}}');
SELECT dbkit.annotations_yaml();

RESET dbkit.enforce;
SET dbkit.rule_levels = '*=off, table_comment=error';
BEGIN;
CREATE TABLE told (id text);
SELECT dbkit.annotate('{"told": {"": "x"}}');
COMMIT;
BEGIN;
SELECT dbkit.annotate('{"told": {"": null}}');
COMMIT; -- fails
SELECT dbkit.annotations() ? 'told' AS still;
RESET dbkit.rule_levels;
SET dbkit.enforce = off;
CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE WARNING '%', (SELECT string_agg(object_identity, ', ') FROM pg_event_trigger_ddl_commands()); END$$;
CREATE EVENT TRIGGER regress_tell ON ddl_command_end WHEN TAG IN ('COMMENT') EXECUTE FUNCTION tell();
SELECT dbkit.annotate('{"told": {"id": "x"}, "users": {"": "y", "status": "y"}}');
DROP EVENT TRIGGER regress_tell;
DROP FUNCTION tell();

-- what belongs to an extension is not listed
ALTER EXTENSION dbkit ADD TABLE told;
SELECT dbkit.annotations();
ALTER EXTENSION dbkit DROP TABLE told;

DROP FOREIGN DATA WRAPPER regress_nothing CASCADE;
DROP TABLE users, told;
