"""The review queue: answers by priority, filtered and searched, each assigned to one reviewer at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from bot.answer.errors import ReviewError
from bot.storage.audit import audit
from bot.storage.review_items import Reason, holds_words
from bot.storage.schema import ANSWERS, CITED, REVIEW_ITEMS

State = Literal["open", "taken", "judged", "all"]

PAGE = 25  # items
_ASSIGNED_FOR = timedelta(minutes=30)
_TRIED_AT_ONCE = 50
_FEW = 1_000
_COLUMNS = REVIEW_ITEMS.c


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which answers of the queue to show; a filter that is empty lets all pass.

    Attributes:
        state: `open` should be checked and has no verdict yet; `taken` is assigned to a reviewer; `all` is any answer.
        document: Id of a document that is cited.
        since: First day, by UTC.
        until: Last day, by UTC.
        words: Words of the question or the answer; all of them must occur.
    """

    state: State = "open"
    reason: Reason | None = None
    kind: str = ""
    language: str = ""
    document: str = ""
    rating: str = ""
    assignee: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """An answer in the queue.

    Attributes:
        assignee: The reviewer who has taken it; empty when nobody has.
    """

    number: int
    answer_id: str
    asked_at: datetime
    question: str
    kind: str
    language: str
    confidence: float
    rating: str
    reasons: Reason
    state: Literal["open", "judged"]
    assignee: str
    taken_until: datetime | None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A page of the queue.

    Attributes:
        total: How many items there are on all pages.
        counts: How many of them have each reason.
    """

    items: tuple[ReviewItem, ...]
    total: int
    counts: Mapping[Reason, int]
    number: int

    @property
    def last(self) -> int:
        """The number of the last page, from 1."""
        return max(1, -(-self.total // PAGE))


def is_free(who: str, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that no reviewer but `who` has an item."""
    return sa.or_(_COLUMNS.assignee.in_(("", who)), _COLUMNS.taken_until.is_(None), _COLUMNS.taken_until <= now)


def take(engine: Engine, answer_id: str, who: str) -> None:
    """Assign an item to a reviewer for a while, or for longer.

    Raises:
        ReviewError: Another reviewer has it, or it is gone.
    """
    now = datetime.now(UTC)
    with engine.begin() as connection:
        if not _take(connection, answer_id, who, now):
            raise held_by_another(connection, answer_id)


def take_next(engine: Engine, wanted: QueueFilter, who: str) -> str | None:
    """Take the first item of a queue that nobody has, and return its answer's id; None when there is none."""
    while True:
        now = datetime.now(UTC)
        first = (
            sa.select(_COLUMNS.answer_id)
            .where(*_matching(wanted, engine.dialect.name, now), is_free(who, now))
            .order_by(_COLUMNS.priority.desc(), _COLUMNS.asked_at.desc(), _COLUMNS.number.desc())
            .limit(_TRIED_AT_ONCE)
        )
        with engine.connect() as connection:
            candidates: Sequence[str] = connection.scalars(first).all()
        for answer_id in candidates:
            with engine.begin() as connection:
                # An item that was judged meanwhile no longer matches.
                if _take(connection, answer_id, who, now, *_matching(wanted, engine.dialect.name, now)):
                    return answer_id
        if not candidates:
            return None


def hand_back(engine: Engine, answer_id: str, who: str) -> None:
    """End the assignment of an item."""
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
    if not connection.execute(update.values(assignee=who, taken_until=now + _ASSIGNED_FOR)).rowcount:
        return False
    audit(connection, who, "review.take", answer_id, after={"assignee": who})
    return True


def _matching(wanted: QueueFilter, dialect: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on `review_items` of a filter."""
    taken = sa.and_(_COLUMNS.assignee != "", _COLUMNS.taken_until > now)
    conditions: list[sa.ColumnElement[bool]] = {
        "open": [_COLUMNS.state == "open", _COLUMNS.priority > 0],
        "taken": [taken],
        "judged": [_COLUMNS.state == "judged"],
        "all": [],
    }[wanted.state]
    for column, value in ((_COLUMNS.kind, wanted.kind), (_COLUMNS.language, wanted.language)):
        conditions += [column == value] if value else []
    if wanted.rating:
        conditions.append(_COLUMNS.rating == ("" if wanted.rating == "none" else wanted.rating))
    if wanted.reason:
        conditions.append(_COLUMNS.reasons.op("&")(int(wanted.reason)) != 0)
    if wanted.assignee:
        conditions += [_COLUMNS.assignee == wanted.assignee, taken]
    if wanted.document:
        citing = sa.select(CITED.c.answer_id).where(CITED.c.document_id == wanted.document)
        conditions.append(_COLUMNS.answer_id.in_(citing))
    if wanted.since:
        conditions.append(_COLUMNS.asked_at >= _midnight(wanted.since))
    if wanted.until:
        conditions.append(_COLUMNS.asked_at < _midnight(wanted.until + timedelta(days=1)))
    found = holds_words(dialect, wanted.words) if wanted.words.strip() else None
    return conditions if found is None else [*conditions, found]


def read_queue(engine: Engine, wanted: QueueFilter, number: int = 1) -> QueuePage:
    """Return a page of the queue, from 1; one beyond the last is the last."""
    now = datetime.now(UTC)
    conditions = _matching(wanted, engine.dialect.name, now)
    counted = sa.select(_COLUMNS.reasons, sa.func.count()).where(*conditions).group_by(_COLUMNS.reasons)
    with engine.connect() as connection:
        found = [(Reason(reasons), count) for reasons, count in connection.execute(counted)]
        total = sum(count for _, count in found)
        number = max(1, min(number, -(-total // PAGE)))
        # For few items sorting is faster than reading the whole index in order, which the addition prevents.
        first = _COLUMNS.priority + 0 if total <= _FEW else _COLUMNS.priority
        numbers = (
            sa.select(_COLUMNS.number)
            .where(*conditions)
            .order_by(first.desc(), _COLUMNS.asked_at.desc(), _COLUMNS.number.desc())
            .limit(PAGE)
            .offset((number - 1) * PAGE)
        )
        shown = list(connection.scalars(numbers))
        items = {item.number: item for item in _read_items(connection, _COLUMNS.number.in_(shown), now)}
    counts = {reason: sum(count for reasons, count in found if reason in reasons) for reason in Reason}
    return QueuePage(tuple(items[one] for one in shown if one in items), total, counts, number)


def find_item(engine: Engine, answer_id: str) -> ReviewItem | None:
    """Return the item of an answer, or None."""
    with engine.connect() as connection:
        found = _read_items(connection, _COLUMNS.answer_id == answer_id, datetime.now(UTC))
    return found[0] if found else None


def _read_items(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> list[ReviewItem]:
    """Return items with what is shown of their answers, in any order."""
    shown = sa.select(REVIEW_ITEMS, ANSWERS.c.question, ANSWERS.c.confidence).join(
        ANSWERS, ANSWERS.c.id == _COLUMNS.answer_id
    )
    return [_to_item(row, now) for row in connection.execute(shown.where(which))]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _to_item(row: Row[tuple[object, ...]], now: datetime) -> ReviewItem:
    taken = bool(row.assignee) and row.taken_until is not None and row.taken_until > now
    return ReviewItem(
        number=row.number,
        answer_id=row.answer_id,
        asked_at=row.asked_at,
        question=row.question,
        kind=row.kind,
        language=row.language,
        confidence=row.confidence,
        rating=row.rating,
        reasons=Reason(row.reasons),
        state=row.state,
        assignee=row.assignee if taken else "",
        taken_until=row.taken_until if taken else None,
    )
