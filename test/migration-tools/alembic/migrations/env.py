import logging

from alembic import context
from sqlalchemy import create_engine

import models


def compare_server_default(context, column, metadata_column, default, metadata_default, rendered):
    """Compare the text of generate_id('...'), as its value is another each time."""
    if metadata_column.name != "id":
        return None
    return str(metadata_default.arg) != (default or "").replace("::text", "")


# What the server warns of goes to this logger, at level INFO
logging.basicConfig(format="%(message)s")
logging.getLogger("sqlalchemy.dialects.postgresql").setLevel(logging.INFO)

with create_engine("postgresql+psycopg2://").connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=models.metadata,
        compare_type=True,
        compare_server_default=compare_server_default,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
