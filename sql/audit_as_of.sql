-- dbkit.as_of(): rows as they were.
SET client_min_messages = warning;
\set roles '{regress_audit_past}'
\i sql/include/leftovers.psql
CREATE EXTENSION dbkit_audit;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL AS agreed;
SET dbkit.enforce = off;
CREATE SCHEMA past;
SET search_path = past, public;

-- 1,000 random histories: after each step what the table has is noted, and as_of() has to give it back
CREATE TABLE things (gone int, id text PRIMARY KEY, n numeric, label text COLLATE "C", seen_at timestamptz, days date[], extra jsonb, twice numeric GENERATED ALWAYS AS (n * 2) STORED);
ALTER TABLE things DROP COLUMN gone;
SELECT dbkit.audit('things');
CREATE TABLE truth (id text, at timestamptz, thing things);
SELECT setseed(0.42);
CREATE FUNCTION new_label() RETURNS text LANGUAGE sql AS $$SELECT (ARRAY[NULL, '', 'x', repeat('long ', 1000), '{"__sentinel": "masked"}'])[1 + floor(random() * 5)]$$;
CREATE FUNCTION new_extra() RETURNS jsonb LANGUAGE sql AS
	$$SELECT (ARRAY[NULL, 'null', '{}', '{"__sentinel": "x"}', '[1, [2, {"a": null}]]', '1e1000'])[1 + floor(random() * 6)]::jsonb$$;
CREATE FUNCTION new_time() RETURNS timestamptz LANGUAGE sql AS
	$$SELECT (ARRAY[NULL, 'infinity', '-infinity', '0001-01-01 BC', '2024-02-29 12:00:00.123456+00', '20000-01-01'])[1 + floor(random() * 6)]::timestamptz$$;
CREATE PROCEDURE step(one text) LANGUAGE plpgsql AS $$
BEGIN
	CASE floor(random() * 8)
		WHEN 0 THEN DELETE FROM things WHERE id = one;
		WHEN 1 THEN UPDATE things SET n = random() * 1000, label = new_label() WHERE id = one;
		WHEN 2 THEN UPDATE things SET seen_at = new_time(), extra = new_extra() WHERE id = one;
		WHEN 3 THEN UPDATE things SET n = NULL, days = ARRAY[NULL, '2024-01-10', 'infinity']::date[] WHERE id = one;
		WHEN 4 THEN UPDATE things SET label = label WHERE id = one;
		WHEN 5 THEN
			BEGIN
				UPDATE things SET n = -1 WHERE id = one;
				RAISE division_by_zero;
			EXCEPTION WHEN division_by_zero THEN NULL;
			END;
			UPDATE things SET n = round(n, 5) WHERE id = one;
		WHEN 6 THEN UPDATE things SET id = id || '-away' WHERE id = one; UPDATE things SET id = one, label = 'back' WHERE id = one || '-away';
		ELSE INSERT INTO things (id, n, label, seen_at, extra) VALUES (one, random(), new_label(), new_time(), new_extra())
			ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n, extra = EXCLUDED.extra;
	END CASE;
	INSERT INTO truth SELECT one, clock_timestamp(), (SELECT t FROM things t WHERE t.id = one);
END$$;
DO $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		FOR j IN 1 .. 4 + floor(random() * 8) LOOP CALL step('thing-' || i); END LOOP;
	END LOOP;
END$$;
UPDATE things SET n = coalesce(n, 0) + 1;
ALTER TABLE things DROP COLUMN days;
SELECT count(DISTINCT id) AS histories, count(*) > 5000 AS steps, count(thing) > 2000 AS present, count(*) FILTER (WHERE thing IS NULL) > 1000 AS absent FROM truth;
SELECT count(*) AS wrong FROM truth t WHERE dbkit.as_of(NULL::things, t.id, t.at) IS DISTINCT FROM t.thing;

-- a trigger that changes the row once more is done before its statement has its entries written
CREATE TABLE counters (id bigint PRIMARY KEY, n int);
CREATE FUNCTION once_more() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN IF NEW.n % 3 > 0 THEN UPDATE past.counters SET n = n + 1 WHERE id = NEW.id; END IF; RETURN NULL; END$$;
CREATE TRIGGER once_more AFTER INSERT OR UPDATE ON counters FOR EACH ROW EXECUTE FUNCTION once_more();
SELECT dbkit.audit('counters');
SELECT clock_timestamp() AS t0 \gset
INSERT INTO counters VALUES (1, 1);
SELECT clock_timestamp() AS t1 \gset
UPDATE counters SET n = n + 1;
SELECT clock_timestamp() AS t2 \gset
DELETE FROM counters;
SELECT dbkit.as_of(NULL::counters, '1', :'t0') AS t0, dbkit.as_of(NULL::counters, '1', :'t1') AS t1, dbkit.as_of(NULL::counters, '1', :'t2') AS t2,
	dbkit.as_of(NULL::counters, '1', 'infinity') AS now, (dbkit.as_of(NULL::counters, '1', :'t2')).n;

-- keys of several columns and of other types
CREATE TABLE visits (at timestamptz, who text, place text, PRIMARY KEY (at, who));
CREATE TABLE days (day date PRIMARY KEY, n int);
SELECT dbkit.audit('visits'), dbkit.audit('days');
INSERT INTO visits VALUES ('2024-01-10 12:00+00', 'a"b', 'here');
INSERT INTO days VALUES ('2024-01-10', 1);
SELECT clock_timestamp() AS t3 \gset
UPDATE visits SET place = 'there';
UPDATE days SET n = 2;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SELECT v.row_id, (dbkit.as_of(NULL::visits, v.row_id, :'t3')).place FROM dbkit.audit_log v WHERE v.relation = 'visits'::regclass AND v.operation = 'UPDATE';
SELECT v.row_id, (dbkit.as_of(NULL::days, v.row_id, :'t3')).n FROM dbkit.audit_log v WHERE v.relation = 'days'::regclass AND v.operation = 'UPDATE';
RESET timezone;
RESET datestyle;
SELECT dbkit.as_of(NULL::visits, '["x"]', now()); -- fails
SELECT dbkit.as_of(NULL::visits, '[null, null]', now()); -- fails
SELECT dbkit.as_of(NULL::visits, 'x', now()); -- fails
SELECT dbkit.as_of(NULL::counters, 'x', now()); -- fails

-- masked columns, and what the log cannot tell
CREATE TABLE secrets (id int PRIMARY KEY, open text, closed text);
SELECT dbkit.audit('secrets', '{closed}');
INSERT INTO secrets VALUES (1, 'a', 'b');
SELECT clock_timestamp() AS t4 \gset
UPDATE secrets SET open = 'c';
SELECT clock_timestamp() AS t5 \gset
UPDATE secrets SET closed = 'd';
SELECT dbkit.as_of(NULL::secrets, '1', :'t4') AS t4, dbkit.as_of(NULL::secrets, '1', :'t5') AS t5, dbkit.as_of(NULL::secrets, '1', 'infinity') AS now;
SELECT dbkit.as_of(NULL::secrets, '1', :'t3'), dbkit.as_of(NULL::secrets, '1', NULL);
TRUNCATE secrets;
SELECT dbkit.as_of(NULL::secrets, '1', :'t4'); -- fails
SELECT dbkit.as_of(NULL::secrets, '1', :'t3');
SELECT dbkit.as_of(NULL::truth, '1', now()); -- fails
SELECT dbkit.as_of(1, '1', now()); -- fails
SELECT dbkit.as_of(NULL, '1', now()); -- fails
SELECT dbkit.unaudit('secrets');
INSERT INTO secrets VALUES (2, 'a', 'b');
SELECT dbkit.audit('secrets');
SELECT dbkit.as_of(NULL::secrets, '2', :'t5'); -- fails

-- only who sees all of both
CREATE ROLE regress_audit_past;
GRANT USAGE ON SCHEMA past TO regress_audit_past;
SET ROLE regress_audit_past;
SELECT dbkit.as_of(NULL::secrets, '2', now()); -- fails
RESET ROLE;
GRANT SELECT ON secrets TO regress_audit_past;
SET ROLE regress_audit_past;
SELECT dbkit.as_of(NULL::secrets, '2', now()); -- fails
RESET ROLE;
GRANT SELECT ON dbkit.audit_log TO regress_audit_past;
SET ROLE regress_audit_past;
SELECT dbkit.as_of(NULL::secrets, '2', now()); -- fails
RESET ROLE;
ALTER ROLE regress_audit_past BYPASSRLS;
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET ROLE regress_audit_past;
SELECT dbkit.as_of(NULL::secrets, '2', clock_timestamp());
RESET ROLE;

SET client_min_messages = error;
DROP SCHEMA past CASCADE;
DELETE FROM dbkit.audit_log;
DROP OWNED BY regress_audit_past;
DROP ROLE regress_audit_past;
DROP EXTENSION dbkit_audit;
