-- The log of changes after superusers have broken it: an error, never a change without its entry.
SET client_min_messages = warning;
CREATE EXTENSION dbkit_audit;
SET dbkit.enforce = off;
CREATE SCHEMA whole;
SET search_path = whole, public;
CREATE TABLE notes (id text PRIMARY KEY, body text);
SELECT dbkit.audit('notes');
SELECT to_char(now() AT TIME ZONE 'UTC', '"dbkit.audit_log_"YYYY_MM') AS month \gset

-- where a month is missing, the default partition takes its entries, and keeps them
BEGIN;
TRUNCATE dbkit.audit_log;
DROP TABLE :month;
INSERT INTO notes VALUES ('a', 'without a month');
SELECT tableoid::regclass, operation, row_id FROM dbkit.audit_log WHERE row_id IS NOT NULL;
SELECT dbkit.audit_months();
SELECT to_regclass(:'month') IS NULL AS left_out;
INSERT INTO notes VALUES ('b', 'still without');
SELECT tableoid::regclass, operation, row_id FROM dbkit.audit_log WHERE row_id IS NOT NULL ORDER BY row_id;
ROLLBACK;

-- without any partition for it
BEGIN;
ALTER TABLE dbkit.audit_log DETACH PARTITION dbkit.audit_log_default;
ALTER TABLE dbkit.audit_log DETACH PARTITION :month;
INSERT INTO notes VALUES ('a', 'no partition'); -- fails
ROLLBACK;

-- a month that has columns of its own
BEGIN;
ALTER TABLE dbkit.audit_log DETACH PARTITION dbkit.audit_log_default;
ALTER TABLE dbkit.audit_log DETACH PARTITION :month;
CREATE TABLE whole.other_month (gone int, LIKE dbkit.audit_log);
ALTER TABLE whole.other_month DROP COLUMN gone;
ALTER TABLE dbkit.audit_log ATTACH PARTITION whole.other_month DEFAULT;
INSERT INTO notes VALUES ('a', 'another month'); -- fails
ROLLBACK;

-- a log with another column, and one by another name
BEGIN;
ALTER TABLE dbkit.audit_log ADD COLUMN more int;
INSERT INTO notes VALUES ('a', 'another log'); -- fails
ROLLBACK;
BEGIN;
ALTER TABLE dbkit.audit_log RENAME TO renamed;
INSERT INTO notes VALUES ('a', 'no log'); -- fails
ROLLBACK;

-- a type that has the name of a month
BEGIN;
ALTER TABLE dbkit.audit_log DETACH PARTITION :month;
ALTER TABLE :month SET SCHEMA whole;
CREATE TYPE :month AS ENUM ();
DO $$BEGIN PERFORM dbkit.audit_months(); EXCEPTION WHEN duplicate_object THEN RAISE WARNING 'duplicate_object'; END$$;
ROLLBACK;

-- what is not there
SELECT dbkit.audit(4000000000::regclass); -- fails
SELECT dbkit.unaudit(4000000000::regclass); -- fails
SELECT dbkit.as_of(NULL::notes, NULL, now()) IS NULL AS unknown, dbkit.as_of(NULL::notes, 'a', NULL) IS NULL AS unknown_time;
SELECT count(*) AS notes FROM notes;
SET client_min_messages = error;
DROP SCHEMA whole CASCADE;
TRUNCATE dbkit.audit_log;
DROP EXTENSION dbkit_audit;
