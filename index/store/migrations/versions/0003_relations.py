"""Of which documents a version is a copy or another edition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; the next run over the folder fills it."""
    op.create_table(
        "relations",
        sa.Column(
            "version_id", sa.Integer, sa.ForeignKey("documents.version_id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("signature", sa.LargeBinary, nullable=False),
        sa.Column("dated", sa.JSON, nullable=False),
        sa.Column("copies", sa.String, nullable=False, server_default=sa.text("''")),
        sa.Column("series", sa.String, nullable=False, server_default=sa.text("''")),
        sa.Column("edition", sa.JSON, nullable=False),
    )
