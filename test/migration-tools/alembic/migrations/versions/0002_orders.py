"""Orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

Id = sa.Text(collation="C")


def create_table(name, prefix, policy, *columns):
    """Create a table with all that the conventions ask for."""
    op.create_table(
        name,
        sa.Column("id", Id, primary_key=True, server_default=sa.text(f"generate_id('{prefix}')")),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("storytime", JSONB),
        *columns,
        sa.CheckConstraint(f"id LIKE '{prefix}_%'", name=f"{name}_id_check"),
    )
    op.execute(f"CREATE TRIGGER updated_at BEFORE UPDATE ON {name} FOR EACH ROW EXECUTE PROCEDURE updated_at()")
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON {name} FOR ALL TO customer USING ({policy})")


def upgrade():
    create_table("organizations", "org", "id = dbkit.organization_id()")
    op.execute("SELECT dbkit.create_enum('status', '{new,active,done}')")
    create_table(
        "orders",
        "ord",
        "organization_id = dbkit.organization_id()",
        sa.Column("organization_id", Id, sa.ForeignKey("organizations.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.Text, sa.ForeignKey("status_enum.value"), nullable=False, server_default="new"),
        sa.Column("datasource_extid", Id),
        sa.Column("count", sa.BigInteger),
    )
    op.create_index("orders_organization_id_idx", "orders", ["organization_id"])
    op.create_index("orders_status_idx", "orders", ["status"])


def downgrade():
    op.drop_table("orders")
    op.drop_table("status_enum")
    op.drop_table("organizations")
