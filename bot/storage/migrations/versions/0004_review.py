"""Checking answers: items, verdicts, golden questions, and search over the words of items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables; the items of answers that are there are made when the staff's pages open."""
    moment = sa.DateTime(timezone=True)
    empty = sa.text("''")
    op.create_table(
        "review_items",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "answer_id", sa.String(64), sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, unique=True
        ),
        sa.Column("asked_at", moment, nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("reasons", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("assignee", sa.String(64), nullable=False, index=True),
        sa.Column("taken_until", moment),
    )
    op.create_index("review_items_in_order", "review_items", ["state", "priority", "asked_at", "number"])
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "answer_id", sa.String(64), sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("reviewer", sa.String(64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("verdict", sa.String(24), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("index_fingerprint", sa.String(64), nullable=False),
    )
    op.create_table(
        "citation_verdicts",
        sa.Column("verdict_id", sa.Integer, sa.ForeignKey("verdicts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("passage_hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "right_passages",
        sa.Column("verdict_id", sa.Integer, sa.ForeignKey("verdicts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("document_id", sa.String, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Column("passage_hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "golden_proposals",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column(
            "answer_id", sa.String(64), sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("suite", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=False, server_default=empty),
        sa.Column("decided_at", moment),
    )
    if op.get_context().dialect.name == "postgresql":
        _index_words_on_postgresql()
    else:
        _index_words_on_sqlite()


def _index_words_on_sqlite() -> None:
    op.execute("CREATE VIRTUAL TABLE review_words USING fts5(words, detail=none, tokenize=\"ascii tokenchars '_'\")")
    op.execute(
        "CREATE TRIGGER review_items_forget AFTER DELETE ON review_items "
        "BEGIN DELETE FROM review_words WHERE rowid = old.number; END"
    )


def _index_words_on_postgresql() -> None:
    op.execute(
        "CREATE TABLE review_words (number INTEGER PRIMARY KEY REFERENCES review_items (number) ON DELETE CASCADE, "
        "words TSVECTOR NOT NULL)"
    )
    op.execute("CREATE INDEX review_words_words ON review_words USING GIN (words)")
