"""The tables, as the application uses them."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData()
Id = Text(collation="C")


def table(name, prefix, *columns):
    """A table with the columns that every table has."""
    return Table(
        name,
        metadata,
        Column("id", Id, CheckConstraint(f"id LIKE '{prefix}_%'", name=f"{name}_id_check"),
               primary_key=True, server_default=text(f"generate_id('{prefix}')")),
        Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
        Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
        Column("storytime", JSONB),
        *columns,
    )


organizations = table("organizations", "org")
status_enum = Table("status_enum", metadata, Column("value", Text, primary_key=True))
orders = table(
    "orders",
    "ord",
    Column("organization_id", Id, ForeignKey(organizations.c.id, ondelete="CASCADE"), nullable=False),
    Column("status", Text, ForeignKey(status_enum.c.value), nullable=False, server_default=text("'new'")),
    Column("datasource_extid", Id),
    Column("count", BigInteger),
)
Index("orders_organization_id_idx", orders.c.organization_id)
Index("orders_status_idx", orders.c.status)
