-- What dbkit.fixes() does to the tables below one, and what a fix would have PostgreSQL refuse.
\i sql/include/convention.psql
RESET dbkit.rule_levels;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL, dbkit.agree('{"preset": "none", "id_style": "prefixed", "rules": {"created_at": "error", "updated_at": "error", "updated_at_trigger": "error"}}') IS NOT NULL;

-- a foreign table below it has the columns of another server
SET dbkit.enforce = off;
CREATE FOREIGN DATA WRAPPER regress_members;
CREATE SERVER regress_members FOREIGN DATA WRAPPER regress_members;
CREATE TABLE here (n bigint) PARTITION BY LIST (n);
CREATE TABLE here_1 PARTITION OF here DEFAULT;
CREATE TABLE away (n bigint) PARTITION BY LIST (n);
CREATE TABLE away_1 PARTITION OF away FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE FOREIGN TABLE away_2 PARTITION OF away_1 DEFAULT SERVER regress_members;
CREATE TABLE parent (n bigint);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER regress_members;
RESET dbkit.enforce;
SELECT dbkit.fixes();
SELECT object_identity, rule, fix, risk FROM dbkit.check();
SELECT dbkit.fixes('breaks', 'away');
DROP TABLE here, away;

-- nor can its columns be renamed, or be a foreign key where partitions have it
SELECT dbkit.agree('{"preset": "none", "rules": {"created_at": "off", "updated_at": "off", "updated_at_trigger": "off", "extid": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE orders (id text COLLATE "C" PRIMARY KEY);
ALTER TABLE parent ADD order_id text COLLATE "C", ADD other_id text;
CREATE TABLE away (order_id text COLLATE "C", other_id text) PARTITION BY LIST (other_id);
CREATE FOREIGN TABLE away_1 PARTITION OF away DEFAULT SERVER regress_members;
RESET dbkit.enforce;
SELECT object_identity, column_name, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
DROP TABLE parent, away, orders CASCADE;
DROP SERVER regress_members;
DROP FOREIGN DATA WRAPPER regress_members;

-- where a child has another default, the default is no fix; nor is the CHECK that its ids would break
SELECT dbkit.agree('{"preset": "none", "rules": {"extid": "off", "id_default": "error", "id_check": "error", "created_at": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE par (id text COLLATE "C" PRIMARY KEY, created_at timestamptz NOT NULL);
CREATE TABLE chi (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('chi') CHECK (id LIKE 'chi_%'), created_at timestamptz NOT NULL DEFAULT clock_timestamp()) INHERITS (par);
CREATE TABLE old (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('old') CHECK (id LIKE 'old_%'), created_at timestamp NOT NULL DEFAULT now()) PARTITION BY LIST (id);
CREATE TABLE old_1 PARTITION OF old (created_at DEFAULT (now() AT TIME ZONE 'utc')) DEFAULT;
-- of the same default, or of none, all have the new one
CREATE TABLE zoned (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('zon') CHECK (id LIKE 'zon_%'), created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc')) PARTITION BY LIST (id);
CREATE TABLE zoned_1 PARTITION OF zoned DEFAULT;
CREATE TABLE same (id text COLLATE "C" PRIMARY KEY DEFAULT 'sam_1', created_at timestamptz NOT NULL DEFAULT '2020-01-01 00:00:00Z') PARTITION BY LIST (id);
CREATE TABLE same_1 PARTITION OF same FOR VALUES IN ('sam_1') PARTITION BY LIST (id);
CREATE TABLE same_2 PARTITION OF same_1 DEFAULT;
CREATE TABLE bare (id text COLLATE "C" PRIMARY KEY, created_at timestamptz NOT NULL) PARTITION BY LIST (id);
CREATE TABLE bare_1 PARTITION OF bare DEFAULT;
RESET dbkit.enforce;
SELECT object_identity, rule, fix, risk FROM dbkit.check();
SELECT dbkit.fixes();
SELECT dbkit.fixes('breaks') \gexec
INSERT INTO chi (id) VALUES (DEFAULT);
SET timezone = 'America/New_York';
INSERT INTO old_1 DEFAULT VALUES;
RESET timezone;
SELECT created_at - now() AT TIME ZONE 'utc' BETWEEN '-10 min' AND '10 min' AS now FROM old_1;
SELECT column_default FROM information_schema.columns WHERE table_name IN ('same_2', 'bare_1', 'zoned_1') ORDER BY table_name, column_name;
DROP TABLE par, old, same, bare, zoned CASCADE;

-- a prefix that generate_id() would not take
SELECT dbkit.agree('{"preset": "none", "rules": {"created_at": "off", "id_prefix": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE ups (id text COLLATE "C" PRIMARY KEY DEFAULT 'USR_' || gen_random_uuid() CHECK (id LIKE 'USR_%'));
CREATE TABLE downs (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE '\_usr\_%'));
CREATE TABLE quotes (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'it''s(_%'));
SELECT format('CREATE TABLE longs (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE %L))', repeat('x', 64) || '_%') \gexec
CREATE TABLE fits (id text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'usr_%'));
RESET dbkit.enforce;
SELECT object_identity, rule, problem, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
INSERT INTO ups DEFAULT VALUES;
DROP TABLE ups, downs, quotes, longs, fits;
SELECT pg_temp.try(pg_temp.id_sql('ups', $$text COLLATE "C" PRIMARY KEY DEFAULT 'USR_1' CHECK (id LIKE 'USR_%')$$));

-- a generated column cannot let go of a row
SELECT dbkit.agree('{"preset": "none", "rules": {"id_default": "off", "id_check": "off", "id_prefix": "off", "fk_on_delete": "error", "extid": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE users (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE posts (author text COLLATE "C", user_id text COLLATE "C" GENERATED ALWAYS AS (author) STORED REFERENCES users);
CREATE TABLE likes (author text COLLATE "C", user_id text COLLATE "C" GENERATED ALWAYS AS (author) STORED, other_id text COLLATE "C" GENERATED ALWAYS AS (author) STORED);
RESET dbkit.enforce;
SELECT object_identity, problem, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
DROP TABLE likes, posts, users;

-- the rows of an unlogged table are not there for as long as those of others
SET dbkit.enforce = off;
CREATE UNLOGGED TABLE sessions (id text COLLATE "C" PRIMARY KEY);
CREATE TABLE hits (session_id text COLLATE "C");
CREATE UNLOGGED TABLE visits (session_id text COLLATE "C");
RESET dbkit.enforce;
SELECT object_identity, column_name, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
SELECT object_identity, column_name, fix FROM dbkit.check();
SELECT pg_temp.try('CREATE TABLE clicks (session_id text COLLATE "C")');
DROP TABLE hits, visits, sessions;

-- names that PostgreSQL would not give a column
SET dbkit.enforce = off;
CREATE TYPE place AS (thing_id text, name text);
CREATE TABLE places OF place;
CREATE TABLE parent (thing_id text);
CREATE TABLE child (thing_extid text) INHERITS (parent);
CREATE TABLE free (thing_id text);
CREATE TABLE below () INHERITS (free);
RESET dbkit.enforce;
SELECT object_identity, column_name, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
SELECT object_identity, column_name, fix FROM dbkit.check();
DROP TABLE places, parent, free CASCADE;
DROP TYPE place;

-- the name of a trigger that a partition has already
SELECT dbkit.agree('{"preset": "none", "rules": {"extid": "off", "fk_on_delete": "off", "updated_at_trigger": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE parted (n bigint, updated_at timestamptz) PARTITION BY LIST (n);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE TABLE parted_2 PARTITION OF parted_1 DEFAULT;
CREATE TABLE parted_3 PARTITION OF parted DEFAULT;
CREATE TRIGGER updated_at BEFORE UPDATE ON parted_2 FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TRIGGER updated_at_1 BEFORE UPDATE ON parted_3 FOR EACH ROW EXECUTE FUNCTION updated_at();
-- one on the statement is not a partition's
CREATE TRIGGER updated_at BEFORE UPDATE ON parted EXECUTE FUNCTION updated_at();
CREATE TABLE replaced (n bigint, updated_at timestamptz) PARTITION BY LIST (n);
CREATE TABLE replaced_1 PARTITION OF replaced DEFAULT;
CREATE TRIGGER updated_at AFTER UPDATE ON replaced FOR EACH ROW EXECUTE FUNCTION updated_at();
CREATE TABLE parent (n bigint, updated_at timestamptz);
CREATE TABLE child () INHERITS (parent);
CREATE TRIGGER updated_at BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION updated_at();
RESET dbkit.enforce;
SELECT object_identity, problem, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks') \gexec
SELECT object_identity, problem, fix FROM dbkit.check();
SELECT tgrelid::regclass, tgname, tgparentid <> 0 AS cloned FROM pg_trigger WHERE tgname LIKE 'updated\_at%' ORDER BY tgrelid, tgname;
DROP TABLE parted, replaced, parent CASCADE;
DROP FUNCTION public.dbkit_agreement;
