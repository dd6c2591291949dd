"""Approved answers, the passages they rest on, and tasks for staff."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables."""
    moment = sa.DateTime(timezone=True)
    empty = sa.text("''")
    op.create_table(
        "approved",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("answer_id", sa.String(64), sa.ForeignKey("answers.id", ondelete="SET NULL"), index=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("approved_by", sa.String(64), nullable=False),
        sa.Column("approved_at", moment, nullable=False),
        sa.Column("withdrawn_by", sa.String(64), nullable=False, server_default=empty),
        sa.Column("withdrawn_at", moment, index=True),
    )
    op.create_table(
        "approved_passages",
        sa.Column("approved_id", sa.String(32), sa.ForeignKey("approved.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.String, nullable=False, index=True),
        sa.Column("passage_hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("approved_id", sa.String(32), sa.ForeignKey("approved.id", ondelete="CASCADE"), index=True),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("done_by", sa.String(64), nullable=False, server_default=empty),
        sa.Column("done_at", moment, index=True),
    )
