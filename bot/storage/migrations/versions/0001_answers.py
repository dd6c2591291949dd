"""Answers as they were given, and what they cite; verdicts of readers from before move in."""

from __future__ import annotations

import json
import random

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and fill them with what the table of feedback held."""
    moment = sa.DateTime(timezone=True)
    empty = sa.text("''")
    answers = op.create_table(
        "answers",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("conversation", sa.String(64), nullable=False, index=True),
        sa.Column("visitor", sa.String(64), nullable=False, index=True),
        sa.Column("face", sa.String(8), nullable=False),
        sa.Column("asked_at", moment, nullable=False, index=True),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False, index=True),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("history", sa.Text, nullable=False),
        sa.Column("trail", sa.Text, nullable=False),
        sa.Column("draw", sa.Float, nullable=False, index=True),
        sa.Column("rating", sa.String(8), nullable=False, server_default=empty, index=True),
        sa.Column("rating_reason", sa.String(16), nullable=False, server_default=empty),
        sa.Column("rating_comment", sa.Text, nullable=False, server_default=empty),
        sa.Column("rated_at", moment),
    )
    op.create_table(
        "cited",
        sa.Column("answer_id", sa.String(64), sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.String, nullable=False, index=True),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("quote_hash", sa.String(64), nullable=False),
    )
    if sa.inspect(op.get_bind()).has_table("feedback"):
        _move_feedback(answers)


def _move_feedback(answers: sa.Table) -> None:
    """Keep the last verdict on each answer."""
    names = ("id", "answer_id", "question", "answer", "verdict", "reason", "comment")
    created_at = sa.column("created_at", sa.DateTime(timezone=True))
    feedback = sa.table("feedback", created_at, *(sa.column(name) for name in names))
    kept = {}
    for row in op.get_bind().execute(sa.select(feedback).order_by(feedback.c.id)):
        said = json.loads(row.answer)
        kept[row.answer_id] = {
            "id": row.answer_id,
            "conversation": "",
            "visitor": "",
            "face": "reported",
            "asked_at": row.created_at,
            "question": row.question,
            "language": "",
            "kind": said["kind"],
            "reason": (said["refusal"] or {}).get("reason", ""),
            "confidence": said["confidence"],
            "answer": row.answer,
            "history": "[]",
            "trail": "{}",
            "draw": random.random(),  # noqa: S311  # a sample, no secret
            "rating": row.verdict,
            "rating_reason": row.reason or "",
            "rating_comment": row.comment,
            "rated_at": row.created_at,
        }
    if kept:
        op.bulk_insert(answers, list(kept.values()))
    op.drop_table("feedback")
