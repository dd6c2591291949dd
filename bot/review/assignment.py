"""Who works on an item: one person at a time, for a while, by one statement that only one of them can win."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from bot.errors import ReviewError
from bot.records.audit import audit
from bot.records.schema import REVIEW_ITEMS
from bot.review.queue import Asked, matching

HELD_FOR = timedelta(minutes=30)
_TRIED_AT_ONCE = 50

_COLUMNS = REVIEW_ITEMS.c


def is_free(who: str, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that nobody but `who` works on an item."""
    return sa.or_(_COLUMNS.assignee.in_(("", who)), _COLUMNS.taken_until.is_(None), _COLUMNS.taken_until <= now)


def take(engine: Engine, answer_id: str, who: str) -> None:
    """Take an item, or hold on to it for longer.

    Raises:
        ReviewError: Somebody else works on it, or it is gone.
    """
    now = datetime.now(UTC)
    with engine.begin() as connection:
        if not _take(connection, answer_id, who, now):
            raise held_by_another(connection, answer_id)


def take_next(engine: Engine, asked: Asked, who: str) -> str | None:
    """Take the first item of a queue that nobody works on, and return its answer's id; None when there is none."""
    while True:
        now = datetime.now(UTC)
        first = (
            sa.select(_COLUMNS.answer_id)
            .where(*matching(asked, engine.dialect.name, now), is_free(who, now))
            .order_by(_COLUMNS.priority.desc(), _COLUMNS.asked_at.desc(), _COLUMNS.number.desc())
            .limit(_TRIED_AT_ONCE)
        )
        with engine.connect() as connection:
            candidates: Sequence[str] = connection.scalars(first).all()
        for answer_id in candidates:
            with engine.begin() as connection:
                # One that was judged meanwhile is no longer in the queue.
                if _take(connection, answer_id, who, now, *matching(asked, engine.dialect.name, now)):
                    return answer_id
        if not candidates:
            return None


def hand_back(engine: Engine, answer_id: str, who: str) -> None:
    """Let others have an item again."""
    with engine.begin() as connection:
        mine = REVIEW_ITEMS.update().where(_COLUMNS.answer_id == answer_id, _COLUMNS.assignee == who)
        if connection.execute(mine.values(assignee="", taken_until=None)).rowcount:
            audit(connection, who, "review.hand_back", answer_id, {"assignee": who}, {"assignee": ""})


def held_by_another(connection: Connection, answer_id: str) -> ReviewError:
    """Return why an item cannot be worked on."""
    row = connection.execute(sa.select(REVIEW_ITEMS).where(_COLUMNS.answer_id == answer_id)).one_or_none()
    if row is None:
        return ReviewError(f"The answer {answer_id!r} is no longer on record: go back to the queue.")
    return ReviewError(f"{row.assignee} works on this answer just now: take another one, or ask them to hand it back.")


def _take(connection: Connection, answer_id: str, who: str, now: datetime, *also: sa.ColumnElement[bool]) -> bool:
    update = REVIEW_ITEMS.update().where(_COLUMNS.answer_id == answer_id, is_free(who, now), *also)
    if not connection.execute(update.values(assignee=who, taken_until=now + HELD_FOR)).rowcount:
        return False
    audit(connection, who, "review.take", answer_id, after={"assignee": who})
    return True
