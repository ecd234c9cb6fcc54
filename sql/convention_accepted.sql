-- The two tables that the product exists for, in one transaction, by a role that may only create tables.
\set roles '{regress_customer,regress_builder}'
\i sql/include/leftovers.psql
\i sql/include/convention.psql
CREATE ROLE regress_customer;
CREATE ROLE regress_builder;
CREATE SCHEMA app AUTHORIZATION regress_builder;
SET search_path = app, public;
SET ROLE regress_builder;
BEGIN;
CREATE TABLE organizations (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB
);
CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE PROCEDURE updated_at();
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations FOR ALL TO regress_customer
  USING (id = current_setting('app.organization_id', true)::text);

CREATE TABLE new_table (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('ntn') CHECK (id LIKE 'ntn_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB,
  organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
  datasource_extid TEXT COLLATE "C",
  count BIGINT
);
CREATE TRIGGER updated_at BEFORE UPDATE ON new_table FOR EACH ROW EXECUTE PROCEDURE updated_at();
CREATE INDEX ON new_table(organization_id);
ALTER TABLE new_table ENABLE ROW LEVEL SECURITY;
CREATE POLICY org_data_isolation ON new_table FOR ALL TO regress_customer
  USING (organization_id = current_setting('app.organization_id', true)::text);
COMMIT;
SELECT * FROM dbkit.check();
SELECT * FROM dbkit.check('organizations');
SELECT * FROM dbkit.check_schema('app');
INSERT INTO organizations (storytime) VALUES ('{"since": 1999}');
INSERT INTO new_table (organization_id) SELECT id FROM organizations;
SELECT dbkit.table_of(id), dbkit.table_of(organization_id) FROM new_table;
RESET ROLE;
DROP SCHEMA app CASCADE;
DROP ROLE regress_builder;
DROP ROLE regress_customer;
