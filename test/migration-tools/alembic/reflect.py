"""Create the tables in another database from what SQLAlchemy reflects of them."""

import sys

from sqlalchemy import MetaData, create_engine, text

metadata = MetaData()
metadata.reflect(create_engine("postgresql+psycopg2://"), only=["organizations", "status_enum", "orders"])

# Collations are not reflected, nor are triggers and policies.
for table in metadata.tables.values():
    for column in table.columns:
        if column.name == "id" or column.name.endswith(("_id", "_extid")):
            column.type.collation = "C"

with create_engine(f"postgresql+psycopg2:///{sys.argv[1]}").begin() as connection:
    connection.execute(text("CREATE EXTENSION dbkit"))
    metadata.create_all(connection)
    for table, column in ("organizations", "id"), ("orders", "organization_id"):
        connection.execute(text(f"""
            CREATE TRIGGER updated_at BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE PROCEDURE updated_at();
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY own ON {table} FOR ALL TO customer USING ({column} = dbkit.organization_id())
        """))
