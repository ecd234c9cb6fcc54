-- Enum helpers on tables of several owners: whose rights count, and what is refused.
\set roles '{regress_dba,regress_alice,regress_bob}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;
CREATE ROLE regress_dba SUPERUSER;
SET SESSION AUTHORIZATION regress_dba;
CREATE ROLE regress_alice;
CREATE ROLE regress_bob;
CREATE SCHEMA regress_owners;
GRANT ALL ON SCHEMA regress_owners TO regress_bob;
GRANT USAGE ON SCHEMA regress_owners TO regress_alice;
SET search_path = regress_owners;
SELECT dbkit.create_enum('status', '{new,done}');
GRANT ALL ON status_enum TO regress_bob, regress_alice;

-- deferred constraints are immediate during the change, and deferred afterwards
SET ROLE regress_bob;
CREATE TABLE orders (n bigint UNIQUE DEFERRABLE INITIALLY DEFERRED, status text DEFAULT 'new' CONSTRAINT "Status ""key" REFERENCES status_enum DEFERRABLE INITIALLY DEFERRED);
INSERT INTO orders VALUES (1), (2), (3);
RESET ROLE;
BEGIN;
SELECT dbkit.rename_enum_value('status_enum', 'new', 'open');
SELECT dbkit.drop_enum_value('status_enum', 'done', 'open');
INSERT INTO orders VALUES (4, 'later');
SELECT dbkit.rename_enum_value('status_enum', 'open', 'new');	-- fails
ROLLBACK;
BEGIN;
INSERT INTO orders VALUES (4);
SET CONSTRAINTS ALL IMMEDIATE;
SELECT dbkit.rename_enum_value('status_enum', 'new', 'open');
COMMIT;
TABLE orders;
-- those that the transaction has deferred are reported
ALTER TABLE orders ALTER CONSTRAINT "Status ""key" DEFERRABLE INITIALLY IMMEDIATE;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SELECT dbkit.rename_enum_value('status_enum', 'open', 'new');	-- fails
ROLLBACK;
ALTER TABLE orders ALTER CONSTRAINT "Status ""key" DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE namesake (n bigint CONSTRAINT "Status ""key" CHECK (n > 0));
SELECT dbkit.rename_enum_value('status_enum', 'open', 'new');	-- fails
DROP TABLE namesake;

-- all rows are seen and changed where row level security is forced
SET ROLE regress_bob;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
SELECT * FROM dbkit.enum_usage('status_enum');
SELECT dbkit.rename_enum_value('status_enum', 'open', 'new');
SELECT count(*), min(status), max(status) FROM orders;
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;

-- the owner's code sees nothing of the caller's, nor the caller rows that he may not see
SET ROLE regress_bob;
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'as %, with %, helper is %', current_user, current_setting('search_path'), to_regprocedure('helper()'); RETURN NEW; END $$;
CREATE FUNCTION helper() RETURNS text RETURN 'of the owner';
CREATE TRIGGER look BEFORE UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION look();
GRANT SELECT (status), UPDATE (status) ON orders TO regress_alice;
RESET ROLE;
CREATE SCHEMA regress_alices AUTHORIZATION regress_alice;
SET ROLE regress_alice;
CREATE FUNCTION regress_alices.helper() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped as %', current_user; END $$;
SET search_path = regress_alices, regress_owners;
SELECT dbkit.drop_enum_value('status_enum', 'new', 'done');	-- fails: only the owner may change the default
RESET ROLE;
ALTER TABLE regress_owners.orders ALTER status DROP DEFAULT;
SET ROLE regress_alice;
SELECT dbkit.drop_enum_value('status_enum', 'new', 'done');
SHOW search_path;
RESET ROLE;
SET search_path = regress_owners;
ALTER TABLE orders ADD secret text DEFAULT 'hidden', ADD CHECK (status <> 'open');
SET ROLE regress_alice;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'open');	-- fails, and does not show the row
RESET ROLE;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'open');	-- fails
DROP TRIGGER look ON orders;

-- an owner who lost rights
REVOKE UPDATE ON orders FROM regress_bob;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
GRANT UPDATE ON orders TO regress_bob;
REVOKE ALL ON SCHEMA regress_owners FROM regress_bob;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum');	-- fails
GRANT ALL ON SCHEMA regress_owners TO regress_bob;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');
DROP TABLE orders;

-- partitions: their owner must have the rights of whoever the statement runs as
CREATE TABLE parts (n bigint, status text REFERENCES status_enum) PARTITION BY RANGE (n);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE part2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts VALUES (1, 'did'), (11, 'did');
ALTER TABLE part1 OWNER TO regress_bob;
SELECT dbkit.rename_enum_value('status_enum', 'did', 'done');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum');	-- fails
ALTER TABLE parts OWNER TO regress_bob;
SELECT dbkit.rename_enum_value('status_enum', 'did', 'done');
SELECT * FROM dbkit.enum_usage('status_enum');
DROP TABLE parts;

-- so must the owners of what is above a partition, which has their triggers and partition keys
SET ROLE regress_bob;
CREATE TABLE root (n bigint, status text) PARTITION BY RANGE (n);
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'as %', current_user; RETURN NEW; END $$;
CREATE TRIGGER tell BEFORE UPDATE ON root FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TABLE values_root (value text PRIMARY KEY) PARTITION BY LIST (value);
RESET ROLE;
CREATE TABLE middle PARTITION OF root FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (n);
CREATE TABLE leaf PARTITION OF middle FOR VALUES FROM (0) TO (10);
ALTER TABLE leaf ADD CONSTRAINT of_status FOREIGN KEY (status) REFERENCES status_enum;
INSERT INTO leaf VALUES (1, 'done');
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
SELECT dbkit.drop_enum_value('status_enum', 'done');	-- fails
SELECT * FROM dbkit.enum_usage('status_enum');	-- fails
ALTER TABLE leaf OWNER TO regress_bob;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');
-- an action of a foreign key reaches the partition
ALTER TABLE leaf DROP CONSTRAINT of_status;
CREATE TABLE followed (status text PRIMARY KEY REFERENCES status_enum);
INSERT INTO followed VALUES ('did');
ALTER TABLE leaf ADD FOREIGN KEY (status) REFERENCES followed ON UPDATE CASCADE;
SELECT dbkit.rename_enum_value('status_enum', 'did', 'done');
ALTER TABLE leaf OWNER TO regress_dba;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
-- a partition is an enum table
CREATE TABLE a_enum PARTITION OF values_root FOR VALUES IN ('a');
INSERT INTO a_enum VALUES ('a');
SELECT dbkit.enum_values('a_enum');	-- fails
ALTER TABLE values_root OWNER TO regress_dba;
SELECT dbkit.enum_values('a_enum');
DROP TABLE root, followed, values_root;
DROP FUNCTION tell();

-- a table that takes the place of another on the way
CREATE SCHEMA regress_bobs AUTHORIZATION regress_bob;
CREATE TABLE regress_bobs.first (status text REFERENCES status_enum);
CREATE TABLE regress_bobs.second (status text REFERENCES status_enum);
INSERT INTO regress_bobs.first VALUES ('done');
ALTER TABLE regress_bobs.first OWNER TO regress_bob;
SET ROLE regress_bob;
CREATE FUNCTION regress_bobs.swap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE regress_bobs.second;
	CREATE TABLE regress_bobs.second (status text);
	RETURN NULL;
END $$;
CREATE TRIGGER swap AFTER UPDATE ON regress_bobs.first FOR EACH ROW EXECUTE FUNCTION regress_bobs.swap();
RESET ROLE;
SELECT dbkit.rename_enum_value('status_enum', 'done', 'did');	-- fails
SELECT relowner::regrole FROM pg_class WHERE oid = 'regress_bobs.second'::regclass;
DROP TABLE regress_bobs.first, regress_bobs.second, status_enum;

-- a native enum: owners get the right to reference the table, if they reach its schema
CREATE SCHEMA regress_types;
GRANT USAGE ON SCHEMA regress_types TO regress_bob;
CREATE TYPE regress_types.hue AS ENUM ('red', 'green');
GRANT CREATE ON SCHEMA regress_owners TO regress_bob;
SET ROLE regress_bob;
CREATE TABLE hues (n bigint, hue regress_types.hue DEFAULT 'red');
CREATE TABLE parts (n bigint, hue regress_types.hue) PARTITION BY RANGE (n);
CREATE TABLE part1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE base (hue regress_types.hue);
CREATE TABLE heir () INHERITS (base);
INSERT INTO hues VALUES (1), (2);
INSERT INTO parts VALUES (1, 'green');
RESET ROLE;
REVOKE CREATE ON SCHEMA regress_owners FROM regress_bob;
REVOKE USAGE ON SCHEMA regress_types FROM regress_bob;
SELECT dbkit.enum_from_type('regress_types.hue');	-- fails
GRANT USAGE ON SCHEMA regress_types TO regress_bob;
ALTER TABLE part1 OWNER TO regress_alice;
SELECT dbkit.enum_from_type('regress_types.hue');	-- fails
ALTER TABLE part1 OWNER TO regress_bob;
ALTER TABLE base OWNER TO regress_dba;
SELECT dbkit.enum_from_type('regress_types.hue');	-- fails
SELECT to_regtype('regress_types.hue') IS NOT NULL AS there, to_regclass('regress_types.hue_enum');
ALTER TABLE base OWNER TO regress_bob;
SELECT dbkit.enum_from_type('regress_types.hue');
SELECT has_table_privilege('regress_bob', 'regress_types.hue_enum', 'SELECT, REFERENCES') AS granted, relowner::regrole FROM pg_class WHERE oid = 'regress_types.hue_enum'::regclass;
SELECT * FROM dbkit.enum_usage('regress_types.hue_enum') ORDER BY relation::text, value;
SELECT attrelid::regclass, atttypid::regtype, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attname = 'hue' AND attrelid IN ('hues'::regclass, 'parts'::regclass, 'part1'::regclass, 'base'::regclass, 'heir'::regclass) ORDER BY attrelid::regclass::text;
SELECT indrelid::regclass, indkey FROM pg_index WHERE indrelid IN ('hues'::regclass, 'parts'::regclass, 'part1'::regclass, 'base'::regclass, 'heir'::regclass) ORDER BY indrelid::regclass::text;

RESET search_path;
\set VERBOSITY terse
DROP SCHEMA regress_owners, regress_alices, regress_bobs, regress_types CASCADE;
DROP ROLE regress_alice, regress_bob;
RESET SESSION AUTHORIZATION;
DROP ROLE regress_dba;
