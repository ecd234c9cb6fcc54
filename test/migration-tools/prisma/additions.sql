
CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE PROCEDURE updated_at();
ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations FOR ALL TO customer USING (id = dbkit.organization_id());

CREATE TRIGGER updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE PROCEDURE updated_at();
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders FOR ALL TO customer USING (organization_id = dbkit.organization_id());
