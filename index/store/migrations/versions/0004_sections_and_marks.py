"""Sections, the date and the marks of a document."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; documents of before have none of these until they are read again."""
    op.add_column("documents", sa.Column("date", sa.String, nullable=False, server_default=sa.text("''")))
    for name in ("sections", "marks"):
        op.add_column("documents", sa.Column(name, sa.JSON))
