"""What was asked in a stretch of time and what it tells of the documents: the page of insights and the digest show it.

Questions without a good answer are grouped by meaning, for document owners to act on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Engine

from bot.staff.review.verdicts import latest_verdicts
from bot.storage.schema import ANSWERS, CITED, REVIEW_ITEMS
from index.embedding.embedder import Vectors
from index.store.schema import DOCUMENTS

COLUMNS = ("group", "count", "id", "asked_at", "question", "kind", "reason", "rating", "verdict", "nearest")

# Refusals that tell nothing of the documents.
_NO_GAP = ("needs_clarification", "too_long", "empty_index", "unavailable")
_BAD = ("wrong", "incomplete", "should_have_refused", "should_have_answered")
# Mean cosine distance up to which two groups are one: different questions about one subject stay apart.
_APART = 0.4
# The distances of all pairs are held in memory: of more questions only the latest are grouped.
_MOST = 2_000
_NEAREST = 3
# A document that gives itself a date longer ago than this may be outdated.
_OLD = timedelta(days=2 * 365)

Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question on record.

    Attributes:
        verdict: The latest of staff; empty where there is none.
        flags: Why it should be checked (`bot.storage.review_items.Reason`).
        nearest: Ids of the documents that were searched or cited, best first.
    """

    id: str
    asked_at: datetime
    question: str
    kind: str
    reason: str
    confidence: float
    draw: float
    rating: str
    verdict: str
    flags: int
    nearest: tuple[str, ...]

    @property
    def is_unanswered(self) -> bool:
        """Whether its reader got no good answer."""
        if self.verdict:
            return self.verdict in _BAD
        return self.rating == "down" or (self.kind == "refusal" and self.reason not in _NO_GAP)


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that mean the same.

    Attributes:
        name: The most central of them.
        questions: All of them, newest first.
        nearest: Ids of the documents that come nearest, most frequent first.
    """

    name: str
    questions: tuple[AskedQuestion, ...]
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday (UTC)."""

    monday: date
    asked: int
    refused: int
    rated_down: int


@dataclass(frozen=True, slots=True)
class OldSupport:
    """How many answers rest on one document alone, and the date that it states of itself."""

    document_id: str
    title: str
    date: str
    answers: int


@dataclass(frozen=True, slots=True)
class Insights:
    """What was asked in a stretch of time, and what that tells of the documents.

    Attributes:
        unused: Titles of the live documents that no answer cites, by id.
        old: Old documents that are all that some answers cite.
        titles: Titles of the live documents, by id.
    """

    since: datetime
    until: datetime
    questions: tuple[AskedQuestion, ...]
    groups: tuple[Group, ...]
    weeks: tuple[Week, ...]
    unused: Mapping[str, str]
    old: tuple[OldSupport, ...]
    titles: Mapping[str, str]

    @property
    def refused(self) -> int:
        """How many questions were refused."""
        return sum(one.kind == "refusal" for one in self.questions)

    @property
    def rated_down(self) -> int:
        """How many answers their readers rated down."""
        return sum(one.rating == "down" for one in self.questions)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for every question without a good answer, with the name and size of its group."""
        for group in self.groups:
            for one in group.questions:
                yield {
                    "group": group.name,
                    "count": len(group.questions),
                    "id": one.id,
                    "asked_at": one.asked_at.isoformat(),
                    "question": one.question,
                    "kind": one.kind,
                    "reason": one.reason,
                    "rating": one.rating,
                    "verdict": one.verdict,
                    "nearest": list(one.nearest),
                }


def gather(engine: Engine, embed: Embed, since: datetime) -> Insights:
    """Return the insights of the time since a moment."""
    now = datetime.now(UTC)
    questions = questions_since(engine, since)
    return Insights(
        since=since,
        until=now,
        questions=questions,
        groups=group_questions([one for one in questions if one.is_unanswered], embed),
        weeks=count_weeks(questions, since.date(), now.date()),
        unused=_never_cited(engine, since),
        old=_old_supports(engine, since, (now - _OLD).date()),
        titles=_titles(engine),
    )


def questions_since(engine: Engine, since: datetime) -> tuple[AskedQuestion, ...]:
    """Return what was asked from a moment on, newest first; greetings are left out."""
    verdicts = latest_verdicts()
    asked = (
        sa.select(ANSWERS, verdicts.c.verdict, REVIEW_ITEMS.c.reasons)
        .outerjoin(verdicts, verdicts.c.answer_id == ANSWERS.c.id)
        .outerjoin(REVIEW_ITEMS, REVIEW_ITEMS.c.answer_id == ANSWERS.c.id)
        .where(ANSWERS.c.asked_at >= since, ANSWERS.c.kind != "small_talk")
        .order_by(ANSWERS.c.asked_at.desc(), ANSWERS.c.id)
    )
    with engine.connect() as connection:
        return tuple(_to_question(row) for row in connection.execute(asked))


def _to_question(row: sa.Row[tuple[object, ...]]) -> AskedQuestion:
    answer = json.loads(row.answer)
    places = [*((answer["refusal"] or {}).get("nearest") or ()), *answer["citations"], *answer["retrieved"]]
    return AskedQuestion(
        id=row.id,
        asked_at=row.asked_at,
        question=answer["standalone_question"],
        kind=row.kind,
        reason=row.reason,
        confidence=row.confidence,
        draw=row.draw,
        rating=row.rating,
        verdict=row.verdict or "",
        flags=row.reasons or 0,
        nearest=tuple(dict.fromkeys(place["document_id"] for place in places)),
    )


def group_questions(questions: Sequence[AskedQuestion], embed: Embed) -> tuple[Group, ...]:
    """Return questions grouped by meaning, the largest group first.

    Clustered by average linkage on the cosine distances of their vectors.
    """
    some = questions[:_MOST]
    if not some:
        return ()
    vectors = embed([one.question for one in some])
    labels = _labels(vectors)
    groups = [_group(some, vectors, np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return tuple(sorted(groups, key=lambda group: (-len(group.questions), group.name)))


def _labels(vectors: Vectors) -> NDArray[np.intp]:
    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.intp)
    from sklearn.cluster import AgglomerativeClustering  # takes a second to import

    clustering = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=_APART)
    labels: NDArray[np.intp] = clustering.fit_predict(vectors)
    return labels


def _group(questions: Sequence[AskedQuestion], vectors: Vectors, places: NDArray[np.intp]) -> Group:
    members = [questions[int(place)] for place in places]
    own = vectors[places]
    central = int(np.argmax(own @ own.mean(axis=0)))
    documents = Counter(document for one in members for document in one.nearest[:_NEAREST])
    return Group(
        members[central].question, tuple(members), tuple(document for document, _ in documents.most_common(_NEAREST))
    )


def count_weeks(questions: Sequence[AskedQuestion], first: date, last: date) -> tuple[Week, ...]:
    """Return every week from one day to another, including those in which nothing was asked."""
    by_monday: dict[date, list[AskedQuestion]] = {}
    for one in questions:
        by_monday.setdefault(_monday(one.asked_at.date()), []).append(one)
    weeks, monday = [], _monday(first)
    while monday <= last:
        some = by_monday.get(monday, [])
        refused = sum(one.kind == "refusal" for one in some)
        weeks.append(Week(monday, len(some), refused, sum(one.rating == "down" for one in some)))
        monday += timedelta(days=7)
    return tuple(weeks)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _titles(engine: Engine) -> dict[str, str]:
    """Return the titles of the live documents by id, ordered by it."""
    named = sa.select(DOCUMENTS.c.document_id, DOCUMENTS.c.title).where(DOCUMENTS.c.live)
    with engine.connect() as connection:
        return dict(sorted((row.document_id, row.title) for row in connection.execute(named)))


def _never_cited(engine: Engine, since: datetime) -> dict[str, str]:
    """Return the titles, by id, of the live documents that no answer since then cites."""
    cited = sa.select(CITED.c.document_id).join(ANSWERS).where(ANSWERS.c.asked_at >= since).distinct()
    with engine.connect() as connection:
        used = set(connection.scalars(cited))
    return {document_id: title for document_id, title in _titles(engine).items() if document_id not in used}


def _old_supports(engine: Engine, since: datetime, before: date) -> tuple[OldSupport, ...]:
    """Return the documents from before a day that are all that some answers cite, those of most answers first."""
    single = (
        sa.select(CITED.c.answer_id, sa.func.min(CITED.c.document_id).label("document_id"))
        .join(ANSWERS)
        .where(ANSWERS.c.asked_at >= since)
        .group_by(CITED.c.answer_id)
        .having(sa.func.count(sa.distinct(CITED.c.document_id)) == 1)
        .subquery()
    )
    count = sa.func.count().label("answers")
    columns = (DOCUMENTS.c.document_id, DOCUMENTS.c.title, DOCUMENTS.c.date)
    old = (
        sa.select(*columns, count)
        .join(single, single.c.document_id == DOCUMENTS.c.document_id)
        .where(DOCUMENTS.c.live, DOCUMENTS.c.date != "", DOCUMENTS.c.date < before.isoformat())
        .group_by(*columns)
        .order_by(count.desc(), DOCUMENTS.c.document_id)
    )
    with engine.connect() as connection:
        return tuple(OldSupport(row.document_id, row.title, row.date, row.answers) for row in connection.execute(old))
