-- Three agreements of real life.
\set roles '{regress_customer}'
\i sql/include/leftovers.psql
\i sql/include/convention_commit.psql
CREATE ROLE regress_customer;

-- (a) the one that dbkit was written for: the default
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
DROP TABLE new_table, organizations;

-- (b) UUID keys, an own trigger function, tables in domain schemas
\c
\i sql/include/convention_commit.psql
SELECT dbkit.agree('{"id_style": "uuid", "user_tables": ["\"user\".users"], "updated_at_functions": ["public.update_updated_at_column"],
	"rules": {"storytime": "off", "rls_enabled": "off", "rls_policy": "off", "bigint": "off"}}');
CREATE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at = now();
	RETURN NEW;
END $$;
CREATE SCHEMA "user";
CREATE SCHEMA auth;
CREATE SCHEMA billing;
BEGIN;
CREATE TABLE "user".users (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	email varchar(255) NOT NULL UNIQUE,
	logins integer NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
	updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TRIGGER update_users_updated_at BEFORE UPDATE ON "user".users FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TABLE auth.sessions (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	user_id uuid NOT NULL REFERENCES "user".users (id) ON DELETE CASCADE,
	device_extid text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_sessions_user_id ON auth.sessions (user_id);
CREATE TRIGGER update_sessions_updated_at BEFORE UPDATE ON auth.sessions FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TABLE billing.invoices (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	user_id uuid REFERENCES "user".users (id) ON DELETE SET NULL,
	stripe_extid text COLLATE "C",
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_invoices_user_id ON billing.invoices (user_id);
CREATE TRIGGER update_invoices_updated_at BEFORE UPDATE ON billing.invoices FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
COMMIT;
SELECT * FROM dbkit.check();
-- what breaks this agreement
BEGIN;
CREATE TABLE billing.payments (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	invoice_id uuid REFERENCES billing.invoices,
	user_id uuid NOT NULL REFERENCES "user".users,
	stripe_id text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
COMMIT; -- fails
CREATE TABLE billing.payments (id bigserial PRIMARY KEY, user_id varchar(36), created_at timestamp, updated_at timestamptz); -- fails
CREATE TABLE billing.payments (id uuid PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()); -- fails
CREATE TABLE billing.payments (id text COLLATE "C" PRIMARY KEY DEFAULT generate_id('pay') CHECK (id LIKE 'pay_%'), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()); -- fails
SET dbkit.rule_levels = 'text_id=fix, updated_at_trigger=fix';
SET client_min_messages = notice;
CREATE TABLE billing.payments (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), stripe_extid varchar(36), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
SET client_min_messages = warning;
DROP SCHEMA "user", auth, billing CASCADE;
DROP FUNCTION update_updated_at_column;
DROP FUNCTION dbkit_agreement;

-- (c) UUID keys, tenants that are named otherwise, and a tenant for every row
\c
\i sql/include/convention_commit.psql
SELECT dbkit.agree('{"id_style": "uuid", "organization_tables": ["tenants"],
	"rules": {"organization_scope": "error", "rls_forced": "error", "storytime": "off"}}');
BEGIN;
CREATE TABLE tenants (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER updated_at BEFORE UPDATE ON tenants FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (id = dbkit.organization_id()::uuid);
CREATE TABLE projects (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	UNIQUE (tenant_id, id)
);
CREATE TRIGGER updated_at BEFORE UPDATE ON projects FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE projects ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON projects USING (tenant_id = dbkit.organization_id()::uuid);
-- a key that holds the tenant fast
CREATE TABLE tasks (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
	project_id uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON tasks (tenant_id, project_id);
CREATE TRIGGER updated_at BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION updated_at();
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON tasks USING (tenant_id = dbkit.organization_id()::uuid);
COMMIT;
SELECT * FROM dbkit.check();
-- what breaks this agreement
ALTER TABLE tasks ALTER tenant_id DROP NOT NULL; -- fails
ALTER TABLE projects NO FORCE ROW LEVEL SECURITY; -- fails
ALTER TABLE tasks DROP CONSTRAINT tasks_tenant_id_fkey; -- fails
BEGIN;
ALTER TABLE tasks DROP CONSTRAINT tasks_tenant_id_fkey;
ALTER TABLE tasks ADD FOREIGN KEY (tenant_id) REFERENCES tenants;
COMMIT; -- fails
CREATE TABLE settings (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()); -- fails
DROP TABLE tasks, projects, tenants;
DROP FUNCTION dbkit_agreement;

-- names that are not names
\c
\i sql/include/convention_commit.psql
SELECT dbkit.agree('{"user_tables": ["a.b.c"]}'); -- fails
SELECT dbkit.agree('{"user_tables": [""]}'); -- fails
SELECT dbkit.agree('{"user_tables": "users"}'); -- fails
SELECT dbkit.agree('{"organization_tables": ["\"users"]}'); -- fails
SELECT dbkit.agree('{"updated_at_functions": ["stamp()"]}'); -- fails
SELECT dbkit.agree('{"user_tables": ["\"a,b\".\"c.d\"", " Users "], "updated_at_functions": []}');
SELECT dbkit.agreement() -> 'user_tables';
DROP FUNCTION dbkit_agreement;
DROP ROLE regress_customer;
