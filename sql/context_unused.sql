-- enter after which nothing runs in its transaction says so when that commits.
SET dbkit.enforce = off;
CREATE TABLE regress_rows (organization_id text);
CREATE FUNCTION regress_request() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM dbkit.enter('usr_1', 'org_a');
  RETURN (SELECT count(*) FROM regress_rows);
END $$;
CREATE FUNCTION regress_enter() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM dbkit.enter('usr_1', 'org_a'); END $$;

-- in autocommit the context ends with the statement
SELECT dbkit.enter('usr_1', 'org_a'); -- warns
SELECT regress_enter(); -- warns
SELECT regress_request();
-- in a block
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
COMMIT; -- warns
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
COMMIT AND CHAIN; -- warns
SELECT dbkit.enter('usr_1', 'org_a');
SELECT count(*) FROM regress_rows;
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
INSERT INTO regress_rows VALUES (dbkit.organization_id());
COMMIT;
BEGIN;
SELECT dbkit.enter('usr_1', 'org_a');
ROLLBACK;
-- what comes before it does not count
BEGIN;
SELECT count(*) FROM regress_rows;
SELECT dbkit.enter('usr_1', 'org_a');
COMMIT; -- warns

DROP FUNCTION regress_request, regress_enter;
DROP TABLE regress_rows;
