"""The queue: answers in the order in which they deserve a look, filtered and searched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Engine, Row

from bot.records.schema import ANSWERS, CITED, REVIEW_ITEMS
from bot.review.reasons import Reason
from bot.review.words import holds_words

State = Literal["open", "taken", "judged", "all"]

PAGE = 25
_FEW = 1_000

_COLUMNS = REVIEW_ITEMS.c


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the queue; whatever is empty does not count.

    Attributes:
        state: `open` deserves a look and has no verdict yet; `taken` is being worked on; `all` is every answer.
        document: Id of a document that is cited.
        since: First day, by UTC.
        until: Last day, by UTC.
        words: All of them stand in the question or the answer.
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
class Item:
    """An answer in the queue.

    Attributes:
        assignee: Who works on it now; empty when nobody does.
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

    items: tuple[Item, ...]
    total: int
    counts: Mapping[Reason, int]
    number: int

    @property
    def last(self) -> int:
        """The number of the last page, from 1."""
        return max(1, -(-self.total // PAGE))


def matching(asked: Asked, dialect: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on `review_items` for what is asked."""
    taken = sa.and_(_COLUMNS.assignee != "", _COLUMNS.taken_until > now)
    conditions: list[sa.ColumnElement[bool]] = {
        "open": [_COLUMNS.state == "open", _COLUMNS.priority > 0],
        "taken": [taken],
        "judged": [_COLUMNS.state == "judged"],
        "all": [],
    }[asked.state]
    for column, value in ((_COLUMNS.kind, asked.kind), (_COLUMNS.language, asked.language)):
        conditions += [column == value] if value else []
    if asked.rating:
        conditions.append(_COLUMNS.rating == ("" if asked.rating == "none" else asked.rating))
    if asked.reason:
        conditions.append(_COLUMNS.reasons.op("&")(int(asked.reason)) != 0)
    if asked.assignee:
        conditions += [_COLUMNS.assignee == asked.assignee, taken]
    if asked.document:
        citing = sa.select(CITED.c.answer_id).where(CITED.c.document_id == asked.document)
        conditions.append(_COLUMNS.answer_id.in_(citing))
    if asked.since:
        conditions.append(_COLUMNS.asked_at >= _midnight(asked.since))
    if asked.until:
        conditions.append(_COLUMNS.asked_at < _midnight(asked.until + timedelta(days=1)))
    found = holds_words(dialect, asked.words) if asked.words.strip() else None
    return conditions if found is None else [*conditions, found]


def read_page(engine: Engine, asked: Asked, number: int = 1) -> QueuePage:
    """Return a page of the queue, from 1; one beyond the last is the last."""
    now = datetime.now(UTC)
    conditions = matching(asked, engine.dialect.name, now)
    counted = sa.select(_COLUMNS.reasons, sa.func.count()).where(*conditions).group_by(_COLUMNS.reasons)
    with engine.connect() as connection:
        found = [(Reason(reasons), count) for reasons, count in connection.execute(counted)]
        total = sum(count for _, count in found)
        number = max(1, min(number, -(-total // PAGE)))
        # Few are sorted, for to meet them in the order of the index the whole of it may have to be walked.
        first = _COLUMNS.priority + 0 if total <= _FEW else _COLUMNS.priority
        numbers = (
            sa.select(_COLUMNS.number)
            .where(*conditions)
            .order_by(first.desc(), _COLUMNS.asked_at.desc(), _COLUMNS.number.desc())
            .limit(PAGE)
            .offset((number - 1) * PAGE)
        )
        wanted = list(connection.scalars(numbers))
        items = read_items(connection, _COLUMNS.number.in_(wanted), now)
    placed = {item.number: item for item in items}
    counts = {reason: sum(count for reasons, count in found if reason in reasons) for reason in Reason}
    return QueuePage(tuple(placed[one] for one in wanted if one in placed), total, counts, number)


def find_item(engine: Engine, answer_id: str) -> Item | None:
    """Return the item of an answer, or None."""
    with engine.connect() as connection:
        found = read_items(connection, _COLUMNS.answer_id == answer_id, datetime.now(UTC))
    return found[0] if found else None


def read_items(connection: sa.Connection, which: sa.ColumnElement[bool], now: datetime) -> list[Item]:
    """Return items with what is shown of their answers, in any order."""
    shown = sa.select(REVIEW_ITEMS, ANSWERS.c.question, ANSWERS.c.confidence).join(
        ANSWERS, ANSWERS.c.id == _COLUMNS.answer_id
    )
    return [_to_item(row, now) for row in connection.execute(shown.where(which))]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _to_item(row: Row[tuple[object, ...]], now: datetime) -> Item:
    taken = bool(row.assignee) and row.taken_until is not None and row.taken_until > now
    return Item(
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
