"""The questions on record, each with what became of it, as far as measures need it.

Questions that mean the same, put together and counted: what document owners can act on.

How much was asked, refused and rated down, week by week.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Engine

from bot.storage.schema import ANSWERS, REVIEW_ITEMS, VERDICTS
from index.embedding.embedder import Vectors

# Refusals that tell nothing of the documents.
_NO_GAP = ("needs_clarification", "too_long", "empty_index", "unavailable")
_BAD = ("wrong", "incomplete", "should_have_refused", "should_have_answered")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question, answered or refused.

    Attributes:
        verdict: The latest of staff; empty where there is none.
        flags: Why it deserves a look (`bot.storage.review_items.Reason`).
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
    def in_vain(self) -> bool:
        """Whether its reader went without a good answer."""
        if self.verdict:
            return self.verdict in _BAD
        return self.rating == "down" or (self.kind == "refusal" and self.reason not in _NO_GAP)


def questions_since(engine: Engine, since: datetime) -> tuple[AskedQuestion, ...]:
    """Return what was asked from a moment on, newest first; greetings are left out."""
    latest = sa.select(sa.func.max(VERDICTS.c.id)).group_by(VERDICTS.c.answer_id)
    verdicts = sa.select(VERDICTS.c.answer_id, VERDICTS.c.verdict).where(VERDICTS.c.id.in_(latest)).subquery()
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


Embed = Callable[[Sequence[str]], Vectors]

# Mean cosine distance up to which two groups are one: different things asked of one subject stay apart.
_APART = 0.4
# The distances of all pairs are held in memory; beyond so many the latest stand for all.
_MOST = 2_000
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of one meaning.

    Attributes:
        name: The most central of them.
        questions: All of them, newest first.
        nearest: Ids of the documents that come nearest, most frequent first.
    """

    name: str
    questions: tuple[AskedQuestion, ...]
    nearest: tuple[str, ...]


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


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday (UTC)."""

    monday: dt.date
    asked: int
    refused: int
    rated_down: int


def count_weeks(questions: Sequence[AskedQuestion], first: dt.date, last: dt.date) -> tuple[Week, ...]:
    """Return every week from one day to another, those in which nothing was asked among them."""
    by_monday: dict[dt.date, list[AskedQuestion]] = {}
    for one in questions:
        by_monday.setdefault(_monday(one.asked_at.date()), []).append(one)
    weeks, monday = [], _monday(first)
    while monday <= last:
        some = by_monday.get(monday, [])
        refused = sum(one.kind == "refusal" for one in some)
        weeks.append(Week(monday, len(some), refused, sum(one.rating == "down" for one in some)))
        monday += dt.timedelta(days=7)
    return tuple(weeks)


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())
