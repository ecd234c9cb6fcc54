from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_extension")]
    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE organizations (
              id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('org') CHECK (id LIKE 'org_%'),
              created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
              updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
              storytime JSONB
            );
            CREATE TRIGGER updated_at BEFORE UPDATE ON organizations FOR EACH ROW EXECUTE PROCEDURE updated_at();
            ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON organizations FOR ALL TO customer USING (id = dbkit.organization_id());

            SELECT dbkit.create_enum('status', '{new,active,done}');

            CREATE TABLE orders (
              id TEXT COLLATE "C" PRIMARY KEY DEFAULT generate_id('ord') CHECK (id LIKE 'ord_%'),
              created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
              updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
              storytime JSONB,
              organization_id TEXT COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
              status TEXT NOT NULL DEFAULT 'new' REFERENCES status_enum (value),
              datasource_extid TEXT COLLATE "C",
              count BIGINT
            );
            CREATE TRIGGER updated_at BEFORE UPDATE ON orders FOR EACH ROW EXECUTE PROCEDURE updated_at();
            CREATE INDEX orders_organization_id_idx ON orders (organization_id);
            CREATE INDEX orders_status_idx ON orders (status);
            ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON orders FOR ALL TO customer USING (organization_id = dbkit.organization_id());
            """,
            "DROP TABLE orders, status_enum, organizations",
        )
    ]
