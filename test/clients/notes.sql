-- Notes of two organizations, which the role customer sees in a tenant context only.
BEGIN;
CREATE TABLE organizations (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB
);
CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE PROCEDURE updated_at();
SELECT dbkit.protect('organizations');

CREATE TABLE notes (
  id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('not') CHECK (id LIKE 'not_%'),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  storytime JSONB,
  organization_id TEXT COLLATE "C" NOT NULL DEFAULT dbkit.organization_id() REFERENCES organizations (id) ON DELETE CASCADE,
  title TEXT NOT NULL
);
CREATE TRIGGER updated_at BEFORE UPDATE ON notes FOR EACH ROW EXECUTE PROCEDURE updated_at();
CREATE INDEX ON notes (organization_id);
SELECT dbkit.protect('notes');
GRANT SELECT, INSERT, UPDATE, DELETE ON organizations, notes TO customer;

INSERT INTO organizations (id) VALUES ('org_a'), ('org_b');
INSERT INTO notes (organization_id, title) VALUES ('org_a', 'a1'), ('org_a', 'a2'), ('org_b', 'b1');
COMMIT;
