-- Enum helpers on tables of several owners: nobody's code runs with the rights of the caller.
\set roles '{regress_dba,regress_mallory}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;

CREATE ROLE regress_dba SUPERUSER;
SET SESSION AUTHORIZATION regress_dba;
CREATE ROLE regress_mallory;
CREATE SCHEMA regress_hostile;
GRANT USAGE, CREATE ON SCHEMA regress_hostile TO regress_mallory;
-- what only a superuser may write to
CREATE TABLE loot (place text);

SET ROLE regress_mallory;
CREATE TABLE regress_hostile.armed ();
CREATE TABLE regress_hostile.log (place text, who name, super boolean, escape text);
CREATE FUNCTION regress_hostile.attempt(place text, what text, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	INSERT INTO regress_hostile.log VALUES (place, current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), what);
EXCEPTION WHEN insufficient_privilege THEN
	NULL;
END $$;
-- a table whose trigger would fire when all is over
CREATE TABLE regress_hostile.later (place text);
CREATE FUNCTION regress_hostile.fire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO regress_hostile.log VALUES ('later', current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), 'deferred');
	RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON regress_hostile.later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regress_hostile.fire();
CREATE FUNCTION regress_hostile.act(place text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM regress_hostile.armed) THEN
		RETURN true;
	END IF;
	INSERT INTO regress_hostile.log VALUES (place, current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
	PERFORM regress_hostile.attempt(place, 'loot', 'INSERT INTO public.loot VALUES (''stolen'')');
	PERFORM regress_hostile.attempt(place, 'role', 'RESET ROLE');
	PERFORM regress_hostile.attempt(place, 'session authorization', 'SET SESSION AUTHORIZATION DEFAULT');
	PERFORM regress_hostile.attempt(place, 'temporary table', 'CREATE TEMP TABLE taken AS SELECT; DROP TABLE pg_temp.taken');
	PERFORM regress_hostile.attempt(place, 'deferred', 'INSERT INTO regress_hostile.later VALUES (1)');
	PERFORM regress_hostile.attempt(place, 'search_path', $s$DO 'BEGIN IF pg_catalog.current_setting(''search_path'') <> ''pg_catalog, pg_temp'' THEN RETURN; END IF; RAISE insufficient_privilege; END'$s$);
	RETURN true;
END $$;
-- said to be immutable, so that it may stand everywhere and is run in planning
CREATE FUNCTION regress_hostile.trap(place text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN regress_hostile.act(place); END $$;
CREATE FUNCTION regress_hostile.trap(place text, value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM regress_hostile.act(place); RETURN value; END $$;
CREATE FUNCTION regress_hostile.trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM regress_hostile.act(TG_ARGV[0]);
	RETURN NEW;
END $$;
CREATE FUNCTION regress_hostile.plant(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($s$
		ALTER TABLE %1$s ADD n bigint DEFAULT length(regress_hostile.trap('default', 'x')),
			ADD CHECK (regress_hostile.trap('check')),
			ADD generated text GENERATED ALWAYS AS (regress_hostile.trap('generated', id)) STORED;
		CREATE INDEX ON %1$s (regress_hostile.trap('index', id));
		CREATE INDEX ON %1$s (id) WHERE regress_hostile.trap('predicate');
		CREATE TRIGGER before BEFORE UPDATE OR DELETE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION regress_hostile.trigger('before statement');
		CREATE TRIGGER before_row BEFORE INSERT OR UPDATE ON %1$s FOR EACH ROW EXECUTE FUNCTION regress_hostile.trigger('before row');
		CREATE TRIGGER conditional AFTER UPDATE ON %1$s FOR EACH ROW WHEN (regress_hostile.trap('when', new.id) = new.id) EXECUTE FUNCTION regress_hostile.trigger('after row');
		CREATE TRIGGER after AFTER INSERT OR UPDATE OR DELETE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION regress_hostile.trigger('after statement')
		$s$, relation);
END $$;
RESET ROLE;

-- what ran since the last time, and as whom; an escape is what it could do there
CREATE VIEW ran WITH (security_invoker = true) AS
SELECT who, super, string_agg(DISTINCT escape, ', ') AS escapes FROM regress_hostile.log GROUP BY who, super;

-- her tables reference an enum table of ours
SELECT dbkit.create_enum('kind', '{a,b}');
GRANT SELECT, REFERENCES ON kind_enum TO regress_mallory;
SET ROLE regress_mallory;
CREATE DOMAIN regress_hostile.checked AS text CHECK (regress_hostile.trap('domain'));
CREATE TABLE regress_hostile.victim (id text PRIMARY KEY, kind text DEFAULT 'a' REFERENCES kind_enum, checked regress_hostile.checked REFERENCES kind_enum DEFERRABLE INITIALLY DEFERRED);
INSERT INTO regress_hostile.victim VALUES ('x', 'a', 'a'), ('y', 'a', 'b');
SELECT regress_hostile.plant('regress_hostile.victim');
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE ON regress_hostile.victim DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regress_hostile.trigger('deferred trigger');
ALTER TABLE regress_hostile.victim ADD EXCLUDE USING btree (regress_hostile.trap('exclusion', id) WITH =) DEFERRABLE INITIALLY DEFERRED;
CREATE RULE also AS ON UPDATE TO regress_hostile.victim DO ALSO SELECT regress_hostile.trap('rule');
CREATE POLICY hidden ON regress_hostile.victim USING (regress_hostile.trap('policy') AND id = 'x');
ALTER TABLE regress_hostile.victim ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
-- a type of hers that becomes a number in a way of hers: PostgreSQL checks such a key as the owner of the other table
CREATE TABLE numbers (n bigint PRIMARY KEY);
INSERT INTO numbers VALUES (1);
GRANT REFERENCES ON numbers TO regress_mallory;
SET ROLE regress_mallory;
CREATE TYPE regress_hostile.bomb AS (n bigint);
CREATE FUNCTION regress_hostile.to_bigint(regress_hostile.bomb) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM regress_hostile.act('cast'); RETURN $1.n; END $$;
CREATE CAST (regress_hostile.bomb AS bigint) WITH FUNCTION regress_hostile.to_bigint(regress_hostile.bomb) AS IMPLICIT;
CREATE TABLE regress_hostile.cast (kind text REFERENCES kind_enum ON DELETE SET NULL, n regress_hostile.bomb REFERENCES numbers);
INSERT INTO regress_hostile.cast VALUES ('a', ROW(1));
RESET ROLE;

TRUNCATE regress_hostile.log;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT * FROM dbkit.enum_usage('kind_enum') ORDER BY relation::text, column_name, value;
SELECT dbkit.add_enum_value('kind_enum', 'c');
SELECT dbkit.rename_enum_value('kind_enum', 'a', 'A');	-- fails: the cast would run as a superuser
DROP TABLE regress_hostile.cast;
SELECT dbkit.rename_enum_value('kind_enum', 'a', 'A');
SELECT dbkit.drop_enum_value('kind_enum', 'A');	-- fails
SELECT dbkit.drop_enum_value('kind_enum', 'A', 'b');
SELECT dbkit.drop_enum_value('kind_enum', 'c');
SELECT * FROM dbkit.enum_values('kind_enum');
TRUNCATE regress_hostile.armed;
SELECT * FROM ran;
SELECT place FROM regress_hostile.log GROUP BY place ORDER BY place COLLATE "C";
SELECT count(*) FROM loot;
SELECT id, kind, checked FROM regress_hostile.victim ORDER BY id;
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = 'regress_hostile.victim'::regclass AND attname = 'kind';
DROP TABLE regress_hostile.victim, kind_enum, numbers;

-- her enum table, which a table of ours references
SET ROLE regress_mallory;
CREATE TABLE regress_hostile.hers_enum (value text PRIMARY KEY, id text DEFAULT 'x', parent text REFERENCES regress_hostile.hers_enum ON DELETE CASCADE);
INSERT INTO regress_hostile.hers_enum VALUES ('a'), ('b');
SELECT regress_hostile.plant('regress_hostile.hers_enum');
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT OR UPDATE OR DELETE ON regress_hostile.hers_enum DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION regress_hostile.trigger('deferred trigger');
CREATE POLICY hidden ON regress_hostile.hers_enum USING (regress_hostile.trap('policy') AND value = 'x');
ALTER TABLE regress_hostile.hers_enum ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
CREATE TABLE ours (n bigint, kind text REFERENCES regress_hostile.hers_enum DEFERRABLE INITIALLY DEFERRED);
INSERT INTO ours VALUES (1, 'a'), (2, 'a');
TRUNCATE regress_hostile.log;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT * FROM dbkit.enum_usage('regress_hostile.hers_enum');
SELECT dbkit.add_enum_value('regress_hostile.hers_enum', 'c');
SELECT dbkit.rename_enum_value('regress_hostile.hers_enum', 'a', 'A');
SELECT dbkit.drop_enum_value('regress_hostile.hers_enum', 'A', 'b');
SELECT * FROM dbkit.enum_values('regress_hostile.hers_enum');
TRUNCATE regress_hostile.armed;
SELECT * FROM ran;
SELECT place FROM regress_hostile.log GROUP BY place ORDER BY place COLLATE "C";
SELECT count(*) FROM loot;
TABLE ours;
DROP TABLE ours, regress_hostile.hers_enum;

-- her table references ours, and ours the enum table
SELECT dbkit.create_enum('kind', '{a,b}');
CREATE TABLE ours (id text, kind text REFERENCES kind_enum, UNIQUE (id, kind));
INSERT INTO ours VALUES ('x', 'a');
GRANT REFERENCES ON ours TO regress_mallory;
SET ROLE regress_mallory;
CREATE TABLE regress_hostile.chained (id text, kind text, FOREIGN KEY (id, kind) REFERENCES ours (id, kind) ON UPDATE CASCADE);
INSERT INTO regress_hostile.chained VALUES ('x', 'a');
SELECT regress_hostile.plant('regress_hostile.chained');
RESET ROLE;
TRUNCATE regress_hostile.log;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT dbkit.rename_enum_value('kind_enum', 'a', 'A');	-- fails: "after" would run as a superuser
TRUNCATE regress_hostile.armed;
ALTER TABLE regress_hostile.chained DISABLE TRIGGER after, DISABLE TRIGGER conditional, ADD EXCLUDE USING btree (regress_hostile.trap('exclusion', id) WITH =) DEFERRABLE;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT dbkit.rename_enum_value('kind_enum', 'a', 'A');	-- fails: so would the constraint
ALTER TABLE regress_hostile.chained DROP CONSTRAINT chained_trap_excl;
SELECT dbkit.rename_enum_value('kind_enum', 'a', 'A');
SELECT * FROM ran;
SELECT place FROM regress_hostile.log GROUP BY place ORDER BY place COLLATE "C";
TRUNCATE regress_hostile.armed;
SELECT id, kind FROM regress_hostile.chained;
DROP TABLE regress_hostile.chained, ours, kind_enum;

-- a native enum of ours in her table, and hers in a table of ours
CREATE TYPE hue AS ENUM ('red', 'green');
SET ROLE regress_mallory;
CREATE TYPE regress_hostile.mood AS ENUM ('sad', 'happy');
CREATE TABLE regress_hostile.victim (id text PRIMARY KEY, hue hue NOT NULL DEFAULT 'red', checked regress_hostile.checked, mood regress_hostile.mood);
INSERT INTO regress_hostile.victim VALUES ('x', 'red'), ('y', 'green');
SELECT regress_hostile.plant('regress_hostile.victim');
CREATE POLICY hidden ON regress_hostile.victim USING (regress_hostile.trap('policy') AND id = 'x');
ALTER TABLE regress_hostile.victim ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
CREATE TABLE ours (mood regress_hostile.mood DEFAULT 'sad', hue hue);
INSERT INTO ours VALUES ('sad', 'red'), ('happy', 'green');
TRUNCATE regress_hostile.log;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT dbkit.enum_from_type('hue');
TRUNCATE regress_hostile.armed;
SELECT * FROM ran;
SELECT place FROM regress_hostile.log GROUP BY place ORDER BY place COLLATE "C";
TRUNCATE regress_hostile.log;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT dbkit.enum_from_type('regress_hostile.mood');
TRUNCATE regress_hostile.armed;
SELECT * FROM ran;
SELECT count(*) FROM loot;
SELECT id, hue, mood FROM regress_hostile.victim ORDER BY id;
SELECT relname, relowner = 'regress_mallory'::regrole AS hers, relacl::text ~ 'regress_mallory=rx/' AS granted FROM pg_class WHERE relname IN ('hue_enum', 'mood_enum') ORDER BY relname;
TABLE ours;
SELECT conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND confrelid IN ('hue_enum'::regclass, 'regress_hostile.mood_enum'::regclass) ORDER BY conrelid::regclass::text, 2;
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'regress_hostile.victim'::regclass AND indkey[0] IN (2, 4) ORDER BY indexrelid::regclass::text;
DROP TABLE ours, regress_hostile.victim, hue_enum, regress_hostile.mood_enum;

-- her own way from her enum to text is not taken, and said to be in the way
SET ROLE regress_mallory;
CREATE TYPE regress_hostile.mood AS ENUM ('sad', 'happy');
CREATE FUNCTION regress_hostile.to_text(regress_hostile.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM regress_hostile.act('cast'); RETURN 'x'; END $$;
CREATE CAST (regress_hostile.mood AS text) WITH FUNCTION regress_hostile.to_text(regress_hostile.mood) AS IMPLICIT;
RESET ROLE;
TRUNCATE regress_hostile.log;
INSERT INTO regress_hostile.armed DEFAULT VALUES;
SELECT dbkit.enum_from_type('regress_hostile.mood');	-- fails
TRUNCATE regress_hostile.armed;
SELECT * FROM ran;

\set VERBOSITY terse
DROP VIEW ran;
DROP SCHEMA regress_hostile CASCADE;
DROP TABLE loot;
DROP ROLE regress_mallory;
RESET SESSION AUTHORIZATION;
DROP ROLE regress_dba;
