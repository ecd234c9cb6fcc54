-- describe(): what the tables are and mean.
\set roles '{regress_describer,regress_describe_owner,customer}'
\i sql/include/leftovers.psql
SET dbkit.enforce = off;
SET client_min_messages = warning;
\pset format unaligned
\pset tuples_only on
SELECT dbkit.describe();
SELECT dbkit.describe('mermaid');

CREATE ROLE regress_describer;
CREATE ROLE regress_describe_owner;
CREATE ROLE customer;
SELECT dbkit.create_enum('order_status', '{open,paid,"on its way"}');
CREATE TYPE mood AS ENUM ('sad', 'it is `ok`');
COMMENT ON TYPE mood IS 'How they feel';
CREATE TABLE organizations (
  id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
  created_at timestamptz NOT NULL DEFAULT now(),
  name varchar(20) DEFAULT '' UNIQUE
);
CREATE TABLE orders (
  id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('ord') CHECK (id LIKE 'ord_%'),
  organization_id text COLLATE "C" NOT NULL REFERENCES organizations ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'open' REFERENCES order_status_enum,
  number bigint GENERATED ALWAYS AS IDENTITY,
  net numeric(12,2) CHECK (net >= 0),
  gross numeric GENERATED ALWAYS AS (net * 1.2) STORED,
  mood mood DEFAULT 'sad',
  tags text[] DEFAULT '{}',
  period tsrange,
  "Sent at" timestamp(0)[],
  UNIQUE (organization_id, number),
  EXCLUDE USING gist (period WITH &&)
);
CREATE UNIQUE INDEX ON orders (lower(status), number) WHERE net > 0;
SELECT dbkit.protect('orders');
CREATE POLICY office ON orders AS RESTRICTIVE FOR DELETE TO regress_describer, customer USING (net = 0);
CREATE TABLE details (order_id text REFERENCES orders ON DELETE SET NULL, product text, batch int, PRIMARY KEY (order_id, product), FOREIGN KEY (product, batch) REFERENCES details (order_id, batch)); -- fails
CREATE TABLE details (order_id text UNIQUE REFERENCES orders ON DELETE SET NULL, product text, part_of text, PRIMARY KEY (order_id, product), FOREIGN KEY (part_of, product) REFERENCES details);
CREATE TABLE events (at timestamptz NOT NULL, note text) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE VIEW totals AS SELECT status, sum(net) AS net FROM orders GROUP BY status;
CREATE SCHEMA "Bill.ing";
CREATE TABLE "Bill.ing"."In""v`oices" ("a.b" int, "PK" text, pk text, "1st" text REFERENCES order_status_enum (value), "tick`" text);
CREATE TABLE "Bill.ing"." " ();
SELECT dbkit.annotate('{
  "orders": {"": "What a customer *has* bought,\n<b>once</b> & for all", "status": "Where it stands:\n  see `order_status_enum`", "organization_id": "snake_case stays, _this_ too"},
  "organizations": {"": "# no heading"},
  "totals": {"": "- no list", "net": "1. no list"},
  "\"Bill.ing\".\" \"": {"": "  "}}');
SELECT dbkit.describe();
SELECT dbkit.describe('mermaid');
SELECT dbkit.describe('mermaid', '"Bill.ing"');

-- whatever the session's settings are
SELECT md5(dbkit.describe()) AS usual, md5(dbkit.describe('mermaid')) AS drawn \gset
SET search_path = "Bill.ing";
SET quote_all_identifiers = on;
SET datestyle = 'German';
SELECT md5(dbkit.describe()) = :'usual', md5(dbkit.describe('mermaid')) = :'drawn';
RESET search_path;
RESET quote_all_identifiers;
RESET datestyle;

-- the values of an enum table are rows: only for who may read them, and the first hundred
CREATE SCHEMA enums;
CREATE TABLE enums.many_enum (value text PRIMARY KEY);
INSERT INTO enums.many_enum SELECT 'v' || n FROM generate_series(1, 101) AS n;
CREATE TABLE enums.no_enum (value text);
CREATE TABLE enums.hidden_enum (value text PRIMARY KEY);
INSERT INTO enums.hidden_enum VALUES ('hidden');
ALTER TABLE enums.hidden_enum ENABLE ROW LEVEL SECURITY;
ALTER TABLE enums.hidden_enum OWNER TO regress_describe_owner;
CREATE TABLE enums.owned_enum (value text PRIMARY KEY);
INSERT INTO enums.owned_enum VALUES ('owned');
ALTER TABLE enums.owned_enum OWNER TO regress_describe_owner;
SELECT regexp_count(dbkit.describe('markdown', 'enums'), '`v\d+`'), regexp_matches(dbkit.describe('markdown', 'enums'), '\* values: `(?!v).*?`', 'g');
SET ROLE regress_describer;
SELECT regexp_count(dbkit.describe('markdown', 'enums'), 'values');
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA enums TO regress_describer;
SET ROLE regress_describer;
SELECT regexp_count(dbkit.describe('markdown', 'enums'), 'values');
RESET ROLE;
GRANT USAGE ON SCHEMA enums TO regress_describer;
SET ROLE regress_describer;
SELECT regexp_replace(dbkit.describe('markdown', 'enums'), '`v3`.*`v99`', '...');
RESET ROLE;

-- dbkit and the system only when they are named
SELECT dbkit.describe() ~ 'id_prefix', dbkit.describe('markdown', 'dbkit') ~ '\n## `dbkit\.id_prefix`\n', length(dbkit.describe('markdown', 'pg_catalog')) > 10000, length(dbkit.describe('mermaid', 'information_schema')) > 500;
SELECT dbkit.describe('html'); -- fails
SELECT dbkit.describe(NULL); -- fails
SELECT dbkit.describe('markdown', 0); -- fails

DROP SCHEMA enums, "Bill.ing" CASCADE;
DROP TABLE organizations, orders, order_status_enum, details, events CASCADE;
DROP TYPE mood;
DROP ROLE regress_describer, regress_describe_owner, customer;
