"""Indexes for the order of all items and for how many have each reason: without them 100,000 are sorted each time."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("review_items_all_in_order", "review_items", ["priority", "asked_at", "number"])
    op.create_index("review_items_counted", "review_items", ["reasons", "state", "priority"])
