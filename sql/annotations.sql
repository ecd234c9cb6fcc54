-- Comments as data: annotate() sets them, annotations() and annotations_yaml() give them back.
\set roles '{regress_annotator,regress_reader}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;
CREATE ROLE regress_annotator;
CREATE ROLE regress_reader;
CREATE SCHEMA billing;
CREATE TABLE users (id text PRIMARY KEY, status text, gone int);
ALTER TABLE users DROP gone;
CREATE TABLE billing.invoices (id text PRIMARY KEY, total numeric);

-- all that is named, and nothing else
SELECT dbkit.annotations();
SELECT dbkit.annotations_yaml();
COMMENT ON COLUMN users.id IS 'stays';
SELECT dbkit.annotate('{"users": {"": "Who can sign in", "status": "User account status: active, suspended, or deleted"}, "billing.invoices": {"total": "In cents"}}');
SELECT dbkit.annotations();
SELECT dbkit.annotations_yaml();
SELECT dbkit.annotations('billing');
SELECT dbkit.annotate(dbkit.annotations()) AS nothing_new;
SELECT dbkit.annotate('{"users": {"id": null, "": "", "status": "active"}, "billing.invoices": {"": null, "total": null}}');
SELECT dbkit.annotations();

-- what COMMENT ON has said is seen, however it was set
COMMENT ON TABLE billing.invoices IS 'What is owed';
SELECT dbkit.annotations_yaml('billing');

-- every name that is wrong, in one error, and nothing is set
SELECT dbkit.annotate('{"users": {"": "new", "stauts": "x", "gone": "x", "ctid": "x"}, "userz": {"": "x"}, "billing.invoice": {}, "a.b.c": {}, "\"": {}}'); -- fails
SELECT dbkit.annotate('{"users": {"": "new"}, "nowhere": {"": "x"}}'); -- fails
SELECT obj_description('users'::regclass);

-- values that are no comments
SELECT dbkit.annotate(NULL); -- fails
SELECT dbkit.annotate('[]'); -- fails
SELECT dbkit.annotate('{"users": "Who can sign in"}'); -- fails
SELECT dbkit.annotate('{"users": {"status": 1}}'); -- fails
SELECT dbkit.annotate('{"users": {"status": {"": "x"}}}'); -- fails
SELECT dbkit.annotate('{}');
SELECT dbkit.annotate('{"users": {}}');

-- names are those of SQL
CREATE SCHEMA "Odd.Names";
CREATE TABLE "Odd.Names"."In ""voices""" ("Total.Net" text, "" text); -- fails
CREATE TABLE "Odd.Names"."In ""voices""" ("Total.Net" text, "user" text);
CREATE TABLE "Users" ("Name" text);
CREATE TABLE "order" ("Name" text);
SELECT dbkit.annotate('{"Users": {"Name": "not those"}}'); -- fails
SELECT dbkit.annotate('{"\"Users\"": {"Name": "these"}, "order": {"": "a keyword"}, "\"Odd.Names\".\"In \"\"voices\"\"\"": {"": "table", "Total.Net": "column", "user": "column"}}');
SELECT dbkit.annotations_yaml();
SELECT dbkit.annotate(dbkit.annotations()) AS nothing_new;
DROP TABLE "Users", "order";
DROP SCHEMA "Odd.Names" CASCADE;

-- a name without a schema is looked for in the search_path and in public, whatever that is
CREATE TABLE billing.plans (id text);
SET search_path = billing;
SELECT dbkit.annotate('{"plans": {"": "of billing"}, "users": {"": "of public"}}');
SELECT dbkit.annotations_yaml();
CREATE TABLE billing.users (id text);
SELECT dbkit.annotate('{"users": {"": "of which?"}}'); -- fails
SELECT dbkit.annotate('{"public.users": {"": "of public, again"}, "billing.users": {"": "of billing"}}');
SET search_path = '';
SELECT dbkit.annotate('{"users": {"": "without a search_path"}}');
SELECT dbkit.annotations_yaml();
RESET search_path;
CREATE TEMPORARY TABLE users (id text);
SELECT dbkit.annotate('{"users": {"": "not the temporary one"}}');
SELECT dbkit.annotations('public');
DROP TABLE pg_temp.users, billing.users, billing.plans;
SELECT dbkit.annotate('{"users": {"": "a"}, "public.users": {"": "b"}}'); -- fails

-- views of both kinds, and roots; partitions and what is no table have nothing of their own
CREATE VIEW active AS SELECT id FROM users;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM users;
CREATE TABLE events (at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE parent (id text);
CREATE TABLE child () INHERITS (parent);
CREATE SEQUENCE numbers;
COMMENT ON TABLE events_2024 IS 'a partition';
COMMENT ON SEQUENCE numbers IS 'a sequence';
COMMENT ON INDEX users_pkey IS 'an index';
SELECT dbkit.annotate('{"active": {"": "v", "id": "vc"}, "counted": {"": "m", "count": "mc"}, "events": {"": "root", "at": "rc"}, "child": {"": "c", "id": "cc"}}');
SELECT dbkit.annotations_yaml();
SELECT dbkit.annotate('{"events_2024": {"": "x"}, "numbers": {"": "x"}, "users_pkey": {"": "x"}}'); -- fails
DROP VIEW active;
DROP MATERIALIZED VIEW counted;
DROP TABLE events, parent, child;
DROP SEQUENCE numbers;

-- only owners, all that is not theirs in one error; everybody may read
CREATE TABLE theirs (id text);
ALTER TABLE theirs OWNER TO regress_annotator;
SET ROLE regress_annotator;
SELECT dbkit.annotate('{"theirs": {"": "mine"}}');
SELECT dbkit.annotate('{"theirs": {"": "new"}, "users": {"": "x"}, "billing.invoices": {"total": "x"}}'); -- fails
SET ROLE regress_reader;
SELECT dbkit.annotate('{"theirs": {"": "x"}}'); -- fails
SELECT dbkit.annotations();
RESET ROLE;
DROP TABLE theirs;

-- dbkit and the system only when they are named
SELECT dbkit.annotations() ? 'dbkit.id_prefix' AS dbkit, dbkit.annotations('dbkit') -> 'dbkit.id_prefix' ? 'prefix' AS named, dbkit.annotations('pg_catalog') AS system;
SELECT dbkit.annotations_yaml('nowhere'); -- fails
SELECT dbkit.annotations(0); -- fails

-- strings that YAML would take for something else
CREATE TABLE strings ();
DO LANGUAGE plpgsql $$BEGIN FOR n IN 10 .. 55 LOOP EXECUTE format('ALTER TABLE strings ADD c%s text', n); END LOOP; END$$;
SELECT dbkit.annotate(jsonb_build_object('strings', jsonb_object_agg('c' || 9 + n, comment)))
FROM unnest(ARRAY['plain', 'no', 'NULL', '12', '1e3', '2024-01-01', '~', 'a: b', 'a:b', 'a:', 'a #b', 'a#b', ' a', 'a ', '- a', '[a]', '{a', '"a"', 'it''s', '\', '%a', '@a', '!a', '&a', '*a', '?', '=', '<<',
  E'a\tb', E'one\ntwo', E'one\n\n  two: three\n# four', E'one\n', E'\none', E' one\ntwo', E'one \ntwo', E'one\r\ntwo', E'\u001b[31m', E'\u007f', E'\u0085', E'\u2028', E'\u202e', E'\ufeff', E'\uffff', E'\u00a0', '😀 Größe 表', E'x\u00e9']) WITH ORDINALITY AS comments(comment, n);
SELECT dbkit.annotations_yaml('public');
SELECT dbkit.annotate(dbkit.annotations()) AS nothing_new;

DROP TABLE users, strings;
DROP SCHEMA billing CASCADE;
DROP ROLE regress_annotator, regress_reader;
