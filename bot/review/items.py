"""One item an answer: why and how soon it should be looked at, kept beside it in columns that are quick to search."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bot.answer import Answer
from bot.records.schema import ANSWERS, REVIEW_ITEMS
from bot.review.reasons import Reason, priority_of, reasons_for
from bot.review.words import add_words
from index.database import alone
from index.document import MarkKind
from index.schema import DOCUMENTS

_AT_ONCE = 500


def add_item(
    connection: Connection,
    answer_id: str,
    answer: Answer,
    trail: Mapping[str, Any],
    *,
    asked_at: datetime,
    language: str,
    rating: str,
    draw: float,
    sample: float,
) -> None:
    """Put an answer before those who check, in the transaction that records it.

    Args:
        connection: The open transaction.
        answer_id: By which it is on record.
        answer: As it was given.
        trail: Its way through the chatbot; empty where it is not known.
        asked_at: When.
        language: Of the question.
        rating: What its reader said of it.
        draw: Uniform in [0, 1).
        sample: The share of answers that is drawn at random.
    """
    planted = _any_planted(connection, {citation.document_id for citation in answer.citations})
    reasons = reasons_for(answer, trail, planted=planted, draw=draw, sample=sample)
    if rating == "down":
        reasons |= Reason.DOWN
    inserted = connection.execute(
        REVIEW_ITEMS.insert().values(
            answer_id=answer_id,
            asked_at=asked_at,
            kind=answer.kind,
            language=language,
            rating=rating,
            reasons=int(reasons),
            priority=priority_of(reasons),
            state="open",
            assignee="",
        )
    ).inserted_primary_key
    assert inserted is not None
    add_words(connection, inserted[0], answer)


def rate_item(connection: Connection, answer_id: str, rating: str) -> None:
    """Have an item follow what its reader says of the answer."""
    change_reasons(connection, answer_id, Reason.DOWN, present=rating == "down", rating=rating)


def change_reasons(
    connection: Connection, answer_id: str, reason: Reason, *, present: bool, **values: str | None
) -> None:
    """Add or remove a reason of an item, and set other columns with it."""
    this = REVIEW_ITEMS.c.answer_id == answer_id
    found = connection.scalar(sa.select(REVIEW_ITEMS.c.reasons).where(this).with_for_update())
    if found is None:
        return
    reasons = Reason(found) | reason if present else Reason(found) & ~reason
    connection.execute(
        REVIEW_ITEMS.update().where(this).values(reasons=int(reasons), priority=priority_of(reasons), **values)
    )


def fill_items(engine: Engine, sample: float) -> None:
    """Make the items of answers that have none: those recorded before there were items."""
    missing = (
        sa.select(ANSWERS)
        .outerjoin(REVIEW_ITEMS, REVIEW_ITEMS.c.answer_id == ANSWERS.c.id)
        .where(REVIEW_ITEMS.c.answer_id.is_(None))
        .limit(_AT_ONCE)
    )
    with engine.connect() as connection:
        if connection.execute(missing.limit(1)).first() is None:
            return
    with alone(engine) as connection:  # one process at a time, so that none is made twice
        while rows := connection.execute(missing).all():
            for row in rows:
                add_item(
                    connection,
                    row.id,
                    Answer.model_validate_json(row.answer),
                    json.loads(row.trail),
                    asked_at=row.asked_at,
                    language=row.language,
                    rating=row.rating,
                    draw=row.draw,
                    sample=sample,
                )


def _any_planted(connection: Connection, document_ids: Collection[str]) -> bool:
    # Where nothing has been indexed yet, the tables of the index may not be there.
    if not document_ids or not sa.inspect(connection).has_table(DOCUMENTS.name):
        return False
    marks = sa.select(DOCUMENTS.c.marks).where(DOCUMENTS.c.live, DOCUMENTS.c.document_id.in_(document_ids))
    planted = MarkKind.PLANTED_INSTRUCTION.value
    return any(mark[0] == planted for found in connection.scalars(marks) for mark in found or ())
