-- Scripts that give a column another type: what else goes by the type, and what PostgreSQL would refuse.
\set roles '{regress_types}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
RESET dbkit.rule_levels;
CREATE ROLE regress_types;
GRANT CREATE ON SCHEMA public TO regress_types;
SELECT dbkit.agree('{"rules": null, "id_style": null}') IS NOT NULL, dbkit.agree('{"preset": "house", "id_style": "bigint", "rules": {"created_at": "off", "updated_at": "off",
  "updated_at_trigger": "off", "storytime": "off", "rls_enabled": "off", "rls_policy": "off", "extid": "off", "fk_index": "off"}}') IS NOT NULL;

-- a default is converted by the assignment cast, which takes a time as that of whoever inserts; not so one that is an instant already
SET dbkit.enforce = off;
CREATE TABLE expiring (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, expires_at timestamp DEFAULT (now() AT TIME ZONE 'UTC'), since timestamp(0) DEFAULT '2020-01-01 00:00',
  seen_at timestamp(3) DEFAULT clock_timestamp(), ends timestamp);
-- what a child has a default of its own for
CREATE TABLE lasting (id bigint, n bigint, since timestamp, until timestamp, PRIMARY KEY (id, n)) PARTITION BY LIST (n);
CREATE TABLE lasting_1 PARTITION OF lasting (since DEFAULT '2020-01-01', until DEFAULT now()) FOR VALUES IN (1);
ALTER TABLE expiring OWNER TO regress_types;
ALTER TABLE lasting OWNER TO regress_types;
ALTER TABLE lasting_1 OWNER TO regress_types;
RESET dbkit.enforce;
SELECT object_identity, column_name, fix FROM dbkit.check();
SELECT dbkit.fixes('breaks');
SELECT dbkit.fixes('breaks') \gexec
SELECT dbkit.fixes('breaks');
SET timezone = 'America/New_York';
INSERT INTO expiring DEFAULT VALUES;
INSERT INTO lasting_1 (id, n) VALUES (1, 1);
SELECT now() - (expires_at AT TIME ZONE 'UTC') < interval '1 hour' AS expires_at, since AT TIME ZONE 'UTC' = '2020-01-01 00:00+00' AS since, abs(extract(epoch FROM now() - seen_at)) < 60 AS seen_at FROM expiring;
SELECT since AT TIME ZONE 'UTC' = '2020-01-01 00:00+00' AS since, abs(extract(epoch FROM now() - until)) < 60 AS until FROM lasting;
RESET timezone;
-- nor at level "fix"
SET dbkit.rule_levels = 'timestamptz=fix';
CREATE TABLE fixed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, since timestamp DEFAULT '2020-01-01 00:00'); -- fails
CREATE TABLE fixed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, since timestamp DEFAULT now());
\d fixed
RESET dbkit.rule_levels;
DROP TABLE expiring, lasting, fixed;
-- created_at gets the default now(); where a child has another one, it stays as it is
SELECT dbkit.agree('{"rules": {"created_at": "error"}}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE made (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'));
CREATE TABLE parent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at timestamp NOT NULL);
CREATE TABLE child (created_at timestamp DEFAULT '2020-01-01') INHERITS (parent);
ALTER TABLE made OWNER TO regress_types;
RESET dbkit.enforce;
SELECT dbkit.fixes('breaks');
SELECT dbkit.fixes('breaks') \gexec
SELECT attrelid::regclass, atttypid::regtype, pg_get_expr(adbin, adrelid) FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attname = 'created_at' AND attrelid IN ('made'::regclass, 'parent'::regclass, 'child'::regclass) ORDER BY 1;
DROP TABLE made, child, parent;
SELECT dbkit.agree('{"rules": {"created_at": "off"}}') IS NOT NULL;

-- two rules want two types of one column: the one that the other end of its key has
SELECT dbkit.agree('{"id_style": null}') IS NOT NULL;
SET dbkit.enforce = off;
CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE posts (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('post') CHECK (id LIKE 'post_%'), user_id integer REFERENCES users ON DELETE SET NULL, score integer);
CREATE TABLE tuser (id text PRIMARY KEY);
CREATE TABLE tpost (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('tpost') CHECK (id LIKE 'tpost_%'), tuser_id varchar(20) REFERENCES tuser ON DELETE SET NULL);
-- one that references two of different types
CREATE TABLE short (id smallint PRIMARY KEY);
CREATE TABLE pposts (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('pp') CHECK (id LIKE 'pp_%'), user_id integer REFERENCES users ON DELETE SET NULL REFERENCES short, score integer);
RESET dbkit.enforce;
SELECT object_identity, rule, column_name, fix FROM dbkit.check() WHERE column_name <> 'id';
SELECT dbkit.fixes('breaks', 'posts');
SELECT dbkit.fixes('breaks', 'posts') \gexec
SELECT dbkit.fixes('breaks', 'tpost');
SELECT dbkit.fixes('breaks', 'tpost') \gexec
SELECT dbkit.fixes('breaks', 'pposts');
SELECT dbkit.fixes('breaks', 'pposts') \gexec
SELECT attrelid::regclass, attname, atttypid::regtype FROM pg_attribute WHERE attrelid IN ('posts'::regclass, 'tpost'::regclass, 'pposts'::regclass) AND attnum > 1 ORDER BY 1, 2;
DROP TABLE posts, pposts, users, short, tpost, tuser;

-- a domain has a NOT NULL and CHECKs of its own, which another type would take away
SET dbkit.enforce = off;
CREATE DOMAIN sku_id AS varchar NOT NULL CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN small AS integer CHECK (VALUE > 0);
CREATE DOMAIN moment AS timestamp CHECK (VALUE > '2020-01-01');
CREATE TABLE dom (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('dom') CHECK (id LIKE 'dom_%'), thing_id sku_id, n small, at moment, created_at moment, storytime sku_id);
RESET dbkit.enforce;
SELECT dbkit.agree('{"rules": {"created_at": "error", "storytime": "error"}}') IS NOT NULL;
SELECT rule, column_name, fix FROM dbkit.check() WHERE column_name <> 'id';
SELECT dbkit.fixes('breaks');
DROP TABLE dom;
DROP DOMAIN sku_id, small, moment;
SELECT dbkit.agree('{"id_style": "bigint", "rules": {"created_at": "off", "storytime": "off"}}') IS NOT NULL;

-- an expression is parsed anew with the new type: operators there are for it, functions perhaps not
SET dbkit.enforce = off;
CREATE TABLE ranges (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lo integer, hi integer, plus integer, a timestamp, b timestamp, many integer, free integer, CHECK (NOT isempty(int4range(lo, hi))),
  CHECK (NOT isempty(int4range(plus + 1, 7))), CHECK (NOT isempty(tsrange(a, b))), CHECK (many = ANY (ARRAY[1, 2])));
CREATE TABLE rates (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lo integer, hi integer, starts timestamp, ends timestamp, n integer, m smallint, expr integer, called integer, cond integer,
  CHECK (lo < hi AND NOT lo = 7 OR hi IS NULL), CHECK (starts < ends), CHECK (n + 1 > m), CHECK (n + 1 > 2.5));
ALTER TABLE rates OWNER TO regress_types;
CREATE INDEX rates_expr ON rates ((expr + 1)) WHERE cond > 0;
CREATE INDEX rates_called ON rates (abs(called));
CREATE TABLE shifts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lo integer, hi integer, EXCLUDE USING gist (int4range(lo, hi) WITH &&));
RESET dbkit.enforce;
SELECT dbkit.fixes('breaks');
SELECT dbkit.fixes('breaks') \gexec
SELECT dbkit.fixes('breaks');
DROP TABLE ranges, rates, shifts;

-- what a partition or a child adds to a column
SET dbkit.enforce = off;
CREATE TABLE root (id bigint, a integer, n integer, x integer, free integer) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF root FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1) PARTITION BY LIST ((x + 1));
CREATE TABLE mother (dropped integer, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer, free integer);
ALTER TABLE mother DROP dropped;
CREATE TABLE daughter (twice bigint GENERATED ALWAYS AS (n * 2) STORED) INHERITS (mother);
CREATE TABLE m1 (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer, free integer);
CREATE TABLE m2 (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer, other integer);
CREATE TABLE m3 () INHERITS (m1, m2);
CREATE TABLE d0 (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer);
CREATE TABLE d1 () INHERITS (d0);
CREATE TABLE d2 () INHERITS (d0);
CREATE TABLE d3 () INHERITS (d1, d2);
RESET dbkit.enforce;
SELECT dbkit.agree('{"rules": {"primary_key": "off"}}') IS NOT NULL;
SELECT dbkit.fixes('breaks');
SELECT dbkit.fixes('breaks') \gexec
SELECT dbkit.fixes('breaks');
DROP TABLE root, mother, daughter, m1, m2, m3, d0, d1, d2, d3;
DROP FUNCTION public.dbkit_agreement;
DROP OWNED BY regress_types;
DROP ROLE regress_types;
