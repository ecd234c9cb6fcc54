-- Renaming and dropping values that other tables reference.
\set roles '{regress_owner,regress_app}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;

CREATE SCHEMA "regress S";
SELECT dbkit.create_enum('status', '{new,active,done}');
CREATE TABLE plain (n bigint, status text NOT NULL DEFAULT 'active' REFERENCES status_enum, other text REFERENCES status_enum);
CREATE TABLE "regress S"."q ""t" ("s ""c" varchar(20) REFERENCES status_enum ON UPDATE SET NULL ON DELETE SET NULL, n bigint, UNIQUE ("s ""c", n));
CREATE TABLE restricts (status text REFERENCES status_enum ON UPDATE RESTRICT ON DELETE RESTRICT);
CREATE TABLE cascades (status text REFERENCES status_enum ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE defaults (status text DEFAULT 'new' REFERENCES status_enum ON UPDATE SET DEFAULT ON DELETE SET DEFAULT);
CREATE TABLE deferred (status text DEFAULT 'active' REFERENCES status_enum DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE parts (status text DEFAULT 'active' REFERENCES status_enum, n bigint) PARTITION BY LIST (status);
CREATE TABLE part1 PARTITION OF parts FOR VALUES IN ('active');
CREATE TABLE part2 PARTITION OF parts DEFAULT;
ALTER TABLE part2 ALTER status SET DEFAULT 'new';
ALTER TABLE status_enum ADD kind text NOT NULL DEFAULT 'k', ADD UNIQUE (kind, value);
CREATE TABLE composite (kind text, status text, FOREIGN KEY (kind, status) REFERENCES status_enum (kind, value) MATCH FULL);
CREATE TABLE twice (status text REFERENCES status_enum ON UPDATE CASCADE REFERENCES status_enum);
CREATE TABLE base (status text REFERENCES status_enum);
CREATE TABLE heir () INHERITS (base);
CREATE TABLE bystander (status text);

INSERT INTO plain VALUES (1, 'active', 'new'), (2, 'active', 'active'), (3, 'done', NULL);
INSERT INTO "regress S"."q ""t" VALUES ('active', 1), ('active', 2), (NULL, 3), ('done', 4);
INSERT INTO restricts VALUES ('active'), ('new');
INSERT INTO cascades VALUES ('active'), ('new');
INSERT INTO defaults VALUES ('active'), ('new');
INSERT INTO deferred VALUES ('active'), ('new');
INSERT INTO parts VALUES ('active', 1), ('new', 2);
INSERT INTO composite VALUES ('k', 'active'), (NULL, NULL);
INSERT INTO twice VALUES ('active');
INSERT INTO base VALUES ('active');
INSERT INTO heir VALUES ('active');
INSERT INTO bystander VALUES ('active');

SELECT * FROM dbkit.enum_usage('status_enum') ORDER BY relation::text COLLATE "C", column_name, value;
SELECT dbkit.rename_enum_value('status_enum', 'active', 'enabled');
SELECT * FROM dbkit.enum_usage('status_enum') ORDER BY relation::text COLLATE "C", column_name, value;
SELECT * FROM dbkit.enum_values('status_enum');
SELECT count(*) FROM part1;
TABLE heir;
-- defaults followed
SELECT adrelid::regclass, pg_get_expr(adbin, adrelid) FROM pg_attrdef
WHERE adrelid IN ('plain'::regclass, 'defaults'::regclass, 'deferred'::regclass, 'parts'::regclass, 'part1'::regclass, 'part2'::regclass) ORDER BY adrelid::regclass::text;
INSERT INTO plain DEFAULT VALUES;

-- dropping
SELECT dbkit.drop_enum_value('status_enum', 'enabled');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'new');	-- fails: a default, too
SELECT dbkit.drop_enum_value('status_enum', 'enabled', 'done');
SELECT dbkit.drop_enum_value('status_enum', 'new', replace_with => 'done');
SELECT * FROM dbkit.enum_usage('status_enum') ORDER BY relation::text COLLATE "C", column_name, value;
SELECT * FROM dbkit.enum_values('status_enum');
SELECT dbkit.drop_enum_value('status_enum', 'done');	-- fails
-- two values that become one must not break a unique index
SELECT dbkit.add_enum_value('status_enum', 'extra');
INSERT INTO "regress S"."q ""t" VALUES ('extra', 1);
SELECT dbkit.drop_enum_value('status_enum', 'extra', 'done');	-- fails
SELECT * FROM "regress S"."q ""t" ORDER BY n, 1;
DELETE FROM "regress S"."q ""t" WHERE n = 1 AND "s ""c" = 'extra';
SELECT dbkit.drop_enum_value('status_enum', 'extra');

-- with pending deferred checks of the same transaction
BEGIN;
INSERT INTO deferred VALUES ('later');
SELECT dbkit.add_enum_value('status_enum', 'later');
SELECT dbkit.rename_enum_value('status_enum', 'later', 'now');
COMMIT;
SELECT count(*) FROM deferred WHERE status = 'now';

-- a trigger that keeps a row from changing must not lose it
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE UPDATE ON cascades FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
DROP TRIGGER keep ON cascades;
CREATE TRIGGER keep BEFORE UPDATE ON restricts FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
DO $$
BEGIN
	PERFORM dbkit.rename_enum_value('status_enum', 'done', 'did');
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
	RAISE WARNING 'refused';
END $$;
DROP TRIGGER keep ON restricts;
SELECT count(*) FROM cascades;

-- nor a rule
CREATE RULE keep AS ON UPDATE TO twice DO INSTEAD NOTHING;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
DROP RULE keep ON twice;

-- defaults through casts are followed, others are not run
CREATE DOMAIN status_domain AS varchar(30);
CREATE FUNCTION trap() RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE TABLE casts (a varchar(20) DEFAULT 'done' REFERENCES status_enum, b status_domain DEFAULT 'done' REFERENCES status_enum,
	c text DEFAULT trap() REFERENCES status_enum, d text DEFAULT lower('done') REFERENCES status_enum, e name DEFAULT 'done' REFERENCES status_enum);
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');
SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = 'casts'::regclass ORDER BY adnum;
SELECT dbkit.rename_enum_value('status_enum', 'did', 'done');
DROP TABLE casts;
DROP DOMAIN status_domain;
DROP FUNCTION trap();

-- another unique column beside the values
ALTER TABLE status_enum ADD label text UNIQUE;
UPDATE status_enum SET label = value;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
ALTER TABLE status_enum DROP COLUMN label;

-- rights are checked before anything changes
CREATE ROLE regress_owner;
CREATE ROLE regress_app;
CREATE TABLE one (status text REFERENCES status_enum);
DROP TABLE plain, "regress S"."q ""t", restricts, cascades, defaults, deferred, parts, composite, twice, base, heir, bystander;
CREATE TABLE "regress S".two (n bigint, status text REFERENCES status_enum);
INSERT INTO one VALUES ('done');
INSERT INTO "regress S".two VALUES (1, 'done');
ALTER TABLE status_enum OWNER TO regress_owner;
SET ROLE regress_owner;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
RESET ROLE;
GRANT SELECT ON one TO regress_owner;
SET ROLE regress_owner;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
RESET ROLE;
GRANT UPDATE (status), SELECT (status) ON one TO regress_owner;
GRANT USAGE ON SCHEMA "regress S" TO regress_owner;
GRANT SELECT (status) ON "regress S".two TO regress_owner;
SET ROLE regress_owner;
SELECT dbkit.drop_enum_value('status_enum', 'done');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'done', 'now');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum');
RESET ROLE;
GRANT UPDATE (status) ON "regress S".two TO regress_owner;
SET ROLE regress_owner;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');
RESET ROLE;
ALTER TABLE one ALTER status SET DEFAULT 'did';
SET ROLE regress_owner;
SELECT dbkit.rename_enum_value('status_enum', 'did', 'done');	-- fails
RESET ROLE;
ALTER TABLE one OWNER TO regress_owner;
SET ROLE regress_owner;
SELECT dbkit.rename_enum_value('status_enum', 'did', 'done');
RESET ROLE;

-- row level security must not hide rows
ALTER TABLE "regress S".two ENABLE ROW LEVEL SECURITY;
SET ROLE regress_owner;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'now');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum');	-- fails
RESET ROLE;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');
ALTER TABLE "regress S".two DISABLE ROW LEVEL SECURITY;
ALTER TABLE status_enum ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET ROLE regress_owner;
SELECT dbkit.add_enum_value('status_enum', 'x');	-- fails
RESET ROLE;
TABLE one;
TABLE "regress S".two;

DROP TABLE one, "regress S".two, status_enum;
DROP SCHEMA "regress S";
DROP ROLE regress_owner, regress_app;

-- a default under casts, and a key to another column than the value
SELECT dbkit.create_enum('kind', '{a,b}');
ALTER TABLE kind_enum ADD rank bigint UNIQUE;
CREATE TABLE casted (kind varchar DEFAULT 'a'::text REFERENCES kind_enum, short varchar(5) DEFAULT 'a'::text REFERENCES kind_enum, rank bigint REFERENCES kind_enum (rank));
UPDATE kind_enum SET rank = 1 WHERE value = 'a';
INSERT INTO casted (rank) VALUES (1);
SELECT * FROM dbkit.enum_usage('kind_enum') WHERE uses > 0 ORDER BY column_name;
SELECT dbkit.drop_enum_value('kind_enum', 'b');
SELECT dbkit.drop_enum_value('kind_enum', 'a');	-- fails
UPDATE casted SET rank = NULL;
UPDATE kind_enum SET rank = NULL;
SELECT dbkit.rename_enum_value('kind_enum', 'a', 'c');
INSERT INTO casted DEFAULT VALUES;
TABLE casted;
DROP TABLE casted, kind_enum;
