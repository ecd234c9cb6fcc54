"""Widgets, from the SQL of a file."""

import os

from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute(open(os.environ["SQL"]).read())
