"""The tables of Footnote 0.1.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "properties",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("version_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("document_id", sa.String, nullable=False, index=True),
        sa.Column("live", sa.Boolean, nullable=False, index=True),
        sa.Column("source", sa.String, nullable=False, index=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("source_hash", sa.String, nullable=False),
        sa.Column("content_hash", sa.String, nullable=False),
        sa.Column("pages", sa.JSON, nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("document_id", "live"),
    )
    op.create_table(
        "chunks",
        sa.Column("chunk_id", sa.String(32), primary_key=True),
        sa.Column(
            "version_id",
            sa.Integer,
            sa.ForeignKey("documents.version_id", ondelete="CASCADE"),
            primary_key=True,
            index=True,
        ),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("sentences", sa.JSON, nullable=False),
        sa.Column("vector_id", sa.String(64), nullable=False, index=True),
    )
    op.create_table(
        "vectors",
        sa.Column("vector_id", sa.String(64), primary_key=True),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sources",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("file_hash", sa.String, nullable=False),
    )
