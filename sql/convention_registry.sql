-- The prefix registry: who has a prefix, and for how long.
\set roles '{regress_registry}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
CREATE SCHEMA registry;
SET search_path = registry, public;
CREATE FUNCTION pg_temp.make(name text, prefix text, options text DEFAULT '') RETURNS text
RETURN pg_temp.why(pg_temp.table_sql(name, prefix, '', options));
CREATE VIEW pg_temp.registry AS
SELECT prefix, relation::regclass, CASE WHEN contested THEN 'contested' END FROM dbkit.id_prefix ORDER BY prefix;

-- a table claims its prefix, a second one is told whose it is
SELECT pg_temp.make('one', 'one');
SELECT pg_temp.try(pg_temp.table_sql('two', 'one'));
SELECT pg_temp.why('CREATE TABLE two (LIKE one INCLUDING ALL)');
TABLE pg_temp.registry;
-- the suggestion keeps away from what is taken
SELECT pg_temp.make('ten', 'ten');
SELECT pg_temp.why('CREATE TABLE ten_more (LIKE ten INCLUDING ALL)');
SELECT pg_temp.why('CREATE TABLE "1" (LIKE ten INCLUDING ALL)');
SELECT pg_temp.why($$CREATE SCHEMA tags CREATE TABLE tag (x text) CREATE TABLE tag_use (x text) CREATE TABLE tags (x text)$$);
-- 2 or 3 lower-case letters
SELECT pg_temp.make('short', 's');
SELECT pg_temp.make('long', 'long');
SELECT pg_temp.make('upper', 'UP');
SELECT pg_temp.make('digit', 'a1');
SELECT pg_temp.make('accent', 'né');
SELECT pg_temp.make('underscore', 'a_b');
SELECT pg_temp.make('two', 'tw');
DROP TABLE two, ten;

-- dropping frees it: alone, by cascade, with the schema, with the owner, with the column
DROP TABLE one;
TABLE pg_temp.registry;
CREATE SCHEMA inner_one;
SELECT pg_temp.make('inner_one.one', 'one');
DROP SCHEMA inner_one CASCADE;
TABLE pg_temp.registry;
CREATE ROLE regress_registry;
SELECT pg_temp.make('one', 'one');
ALTER TABLE one OWNER TO regress_registry;
DROP OWNED BY regress_registry;
DROP ROLE regress_registry;
TABLE pg_temp.registry;
CREATE TYPE one_row AS (id text COLLATE "C", created_at timestamptz, updated_at timestamptz, storytime jsonb);
SELECT pg_temp.why($$CREATE TABLE one OF one_row (PRIMARY KEY (id), id DEFAULT generate_id('one') CHECK (id LIKE 'one_%'),
	created_at NOT NULL DEFAULT now(), updated_at NOT NULL DEFAULT now())$$);
TABLE pg_temp.registry;
DROP TYPE one_row CASCADE;
TABLE pg_temp.registry;
CREATE DOMAIN one_id AS text COLLATE "C" DEFAULT generate_id('one') CHECK (VALUE LIKE 'one_%');
SELECT pg_temp.why(pg_temp.id_sql('one', 'one_id PRIMARY KEY'));
TABLE pg_temp.registry;
SET dbkit.enforce = off;
DROP DOMAIN one_id CASCADE;
RESET dbkit.enforce;
TABLE pg_temp.registry;
DROP TABLE one;

-- a renamed or moved table keeps it, also under a renamed schema
SELECT pg_temp.make('one', 'one');
ALTER TABLE one RENAME TO eins;
CREATE SCHEMA inner_one;
ALTER TABLE eins SET SCHEMA inner_one;
ALTER SCHEMA inner_one RENAME TO "inner.one";
TABLE pg_temp.registry;
SELECT dbkit.table_of(generate_id('one'));
-- another default, another prefix
SELECT pg_temp.why($$ALTER TABLE "inner.one".eins ALTER id SET DEFAULT generate_id('ein'), DROP CONSTRAINT one_id_check, ADD CHECK (id LIKE 'ein_%')$$);
TABLE pg_temp.registry;
-- an enum table has no prefix
SET dbkit.enforce = off;
ALTER TABLE "inner.one".eins RENAME TO eins_enum;
TABLE pg_temp.registry;
ALTER TABLE "inner.one".eins_enum RENAME TO eins;
RESET dbkit.enforce;
TABLE pg_temp.registry;
DROP SCHEMA "inner.one" CASCADE;

-- rolled back, it was never held; nor after a savepoint is rolled back
BEGIN;
SELECT pg_temp.make('one', 'one');
ROLLBACK;
TABLE pg_temp.registry;
BEGIN;
SAVEPOINT first;
SELECT pg_temp.make('one', 'one');
ROLLBACK TO first;
SELECT pg_temp.make('two', 'one');
SAVEPOINT second;
DROP TABLE two;
SELECT pg_temp.make('three', 'one');
RELEASE second;
COMMIT;
TABLE pg_temp.registry;
DROP TABLE three;
-- a rejected table does not hold it either
SELECT pg_temp.why(pg_temp.table_sql('one', 'one', 'n int'));
TABLE pg_temp.registry;

-- partitions: the root has it; a detached one goes on with it, unjudged, until it changes
SELECT pg_temp.make('root', 'rot', 'PARTITION BY RANGE (id)');
CREATE TABLE root_1 PARTITION OF root FOR VALUES FROM ('rot_0') TO ('rot_4');
CREATE TABLE root_2 PARTITION OF root FOR VALUES FROM ('rot_4') TO (MAXVALUE);
TABLE pg_temp.registry;
SELECT pg_temp.try('ALTER TABLE root DETACH PARTITION root_1');
TABLE pg_temp.registry;
SELECT rule, problem FROM dbkit.check('root_1');
SELECT pg_temp.why('ALTER TABLE root_1 ADD note text');
ALTER TABLE root_1 DROP note;
ALTER TABLE root ATTACH PARTITION root_1 FOR VALUES FROM ('rot_0') TO ('rot_4');
ALTER TABLE root DETACH PARTITION root_1 CONCURRENTLY;
ALTER TABLE root DETACH PARTITION root_2;
DROP TABLE root;
TABLE pg_temp.registry;
-- the first one takes it over when the root goes, the second one when that goes
SELECT count(*) FROM dbkit.id_prefix WHERE prefix = 'rot' AND relation IN ('root_1'::regclass, 'root_2'::regclass);
DROP TABLE root_1;
TABLE pg_temp.registry;
DROP TABLE root_2;
TABLE pg_temp.registry;
-- a partition that is made first has the prefix of its root
SELECT pg_temp.make('root', 'rot', 'PARTITION BY RANGE (id)');
SELECT pg_temp.why('CREATE TABLE root_1 (LIKE root INCLUDING ALL)');
TABLE pg_temp.registry;
SELECT rule, problem FROM dbkit.check('root_1');
SELECT pg_temp.make('other', 'oth');
SELECT pg_temp.why($$ALTER TABLE other ALTER id SET DEFAULT generate_id('rot'), DROP CONSTRAINT other_id_check, ADD CHECK (id LIKE 'rot_%')$$);
DROP TABLE other;
ALTER TABLE root ATTACH PARTITION root_1 FOR VALUES FROM ('rot_0') TO ('rot_4');
TABLE pg_temp.registry;
DROP TABLE root;
TABLE pg_temp.registry;

-- at a lower level two tables may share a prefix; the others take it over, however they say it
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, id_prefix=warning';
CREATE DOMAIN com_id AS text COLLATE "C" DEFAULT generate_id('com') CHECK (VALUE LIKE 'com_%');
SELECT pg_temp.make('common', 'com');
SET client_min_messages = notice;
CREATE TABLE common_2 (id com_id PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), storytime jsonb);
SET client_min_messages = error;
TABLE pg_temp.registry;
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off, id_prefix=off, id_default=off';
SELECT pg_temp.why(pg_temp.id_sql('common_3', $$text COLLATE "C" PRIMARY KEY CHECK (id LIKE 'com_%')$$));
SET dbkit.rule_levels = 'updated_at_trigger=off, fk_index=off, fk_on_delete=off, extid=off, rls_enabled=off, rls_policy=off';
SELECT object_identity, problem FROM dbkit.check() WHERE rule = 'id_prefix';
DROP TABLE common;
TABLE pg_temp.registry;
DROP TABLE common_2;
TABLE pg_temp.registry;
SELECT object_identity, problem FROM dbkit.check() WHERE rule = 'id_prefix';
DROP TABLE common_3;
TABLE pg_temp.registry;
RESET client_min_messages;

-- it is kept whatever is enforced
SET dbkit.enforce = off;
SELECT pg_temp.make('one', 'one');
RESET dbkit.enforce;
SET check_function_bodies = off;
SELECT pg_temp.make('two', 'two');
RESET check_function_bodies;
SELECT pg_temp.make('three', 'one');
SELECT pg_temp.make('three', 'two');
DROP TABLE one;
SELECT pg_temp.make('three', 'one');
TABLE pg_temp.registry;

-- what is too long for an id is none, and no reason to fail
SELECT string_agg(md5(n::text), '') AS long FROM generate_series(1, 200) AS n \gset
SET dbkit.enforce = off;
CREATE TABLE huge (id text CHECK (starts_with(id, :'long' || '_')));
RESET dbkit.enforce;
SELECT left(problem, 20), right(problem, 60) FROM dbkit.check('huge') WHERE rule = 'id_prefix';
TABLE pg_temp.registry;
DROP TABLE huge;

-- table_of
SELECT dbkit.table_of(generate_id('one')), dbkit.table_of(generate_id('two')), dbkit.table_of(generate_id('non'));
SELECT dbkit.table_of(NULL);
SELECT pg_temp.why($$SELECT dbkit.table_of('one')$$);
SELECT pg_temp.why($$SELECT dbkit.table_of('one_01h455vb4pex5vsknk084sn02Q')$$);
SELECT dbkit.table_of('01h455vb4pex5vsknk084sn02q');

DROP SCHEMA registry CASCADE;
TABLE dbkit.id_prefix;
SELECT dbkit.ignore_replicated(); -- fails
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO dbkit.id_prefix VALUES ('zz', 0, false);
UPDATE dbkit.id_prefix SET contested = true;
ROLLBACK;
