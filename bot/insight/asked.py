"""The questions on record, each with what became of it, as far as measures need it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.records.schema import ANSWERS, REVIEW_ITEMS, VERDICTS

# Refusals that tell nothing of the documents.
_NO_GAP = ("needs_clarification", "too_long", "empty_index", "unavailable")
_BAD = ("wrong", "incomplete", "should_have_refused", "should_have_answered")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question, answered or refused.

    Attributes:
        verdict: The latest of staff; empty where there is none.
        flags: Why it deserves a look (`bot.review.reasons.Reason`).
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
