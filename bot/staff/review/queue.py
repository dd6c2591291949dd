"""Who works on an item: one person at a time, for a while, by one statement that only one of them can win.

The queue: answers in the order in which they deserve a look, filtered and searched.
"""

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


State = Literal["open", "taken", "judged", "all"]

PAGE = 25
_FEW = 1_000


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
