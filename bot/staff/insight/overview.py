"""Documents that no answer cites, and answers that rest on a single old document.

What another `refusal_threshold` would do to both kinds of error, from verdicts on the random sample.

All that the page of insights and the digest show, for one stretch of time.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.staff.insight.questions import AskedQuestion, Embed, Group, Week, count_weeks, group_questions, questions_since
from bot.staff.review.quality import wilson_interval
from bot.storage.review_items import Reason
from bot.storage.schema import ANSWERS, CITED
from index.store.schema import DOCUMENTS


@dataclass(frozen=True, slots=True)
class OldSupport:
    """How many answers rest on one document alone, and the date that it states of itself."""

    document_id: str
    title: str
    date: str
    answers: int


def titles(engine: Engine) -> dict[str, str]:
    """Return the titles of the live documents by id, ordered by it."""
    named = sa.select(DOCUMENTS.c.document_id, DOCUMENTS.c.title).where(DOCUMENTS.c.live)
    with engine.connect() as connection:
        return dict(sorted((row.document_id, row.title) for row in connection.execute(named)))


def never_cited(engine: Engine, since: dt.datetime) -> dict[str, str]:
    """Return the titles, by id, of the live documents that no answer since then cites."""
    cited = sa.select(CITED.c.document_id).join(ANSWERS).where(ANSWERS.c.asked_at >= since).distinct()
    with engine.connect() as connection:
        used = set(connection.scalars(cited))
    return {document_id: title for document_id, title in titles(engine).items() if document_id not in used}


def old_supports(engine: Engine, since: dt.datetime, before: dt.date) -> tuple[OldSupport, ...]:
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


CANDIDATES = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
_OTHERS = ~(Reason.SAMPLE | Reason.DISPUTED)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of all questions, with its 95% interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What a threshold does.

    Attributes:
        wrong_shown: Questions that get a wrong answer.
        right_refused: Questions that are refused although the documents answer them.
    """

    threshold: float
    wrong_shown: Rate
    right_refused: Rate


def threshold_effects(
    questions: Sequence[AskedQuestion], sample: float, candidates: Sequence[float] = CANDIDATES
) -> tuple[int, tuple[Effect, ...]]:
    """Return how many verdicts there are on the random sample, and the effect of each candidate.

    Only questions that were drawn at random count, so nobody's choice enters. Of these, the ones that other reasons
    bring forward are checked sooner and are worse: a verdict is weighted by the inverse of the share that is checked on
    its side. What a refusal would have said is known as far as its verdict tells: one that was right stands for a wrong
    answer below its threshold, one that should have been an answer for a right one.
    """
    drawn = [one for one in questions if one.draw < sample]
    judged = [one for one in drawn if one.verdict]
    if not judged:
        return 0, ()
    sizes, checked = Counter(map(_is_flagged, drawn)), Counter(map(_is_flagged, judged))
    weights = [sizes[_is_flagged(one)] / checked[_is_flagged(one)] for one in judged]
    effects = []
    for threshold in candidates:
        wrong = [one.confidence >= threshold and not _is_good(one) for one in judged]
        refused = [one.confidence < threshold and _is_good(one) for one in judged]
        effects.append(Effect(threshold, _rate(wrong, weights), _rate(refused, weights)))
    return len(judged), tuple(effects)


def _is_flagged(one: AskedQuestion) -> bool:
    return bool(Reason(one.flags) & _OTHERS)


def _is_good(one: AskedQuestion) -> bool:
    """Return whether an answer to the question would be right."""
    return one.verdict == ("right" if one.kind == "answer" else "should_have_answered")


def _rate(counted: Sequence[bool], weights: Sequence[float]) -> Rate:
    """Return a weighted share with Wilson's interval at Kish's effective size."""
    total = sum(weights)
    share = sum(weight for weight, one in zip(weights, counted, strict=True) if one) / total
    size = total**2 / sum(weight**2 for weight in weights)
    return Rate(share, *wilson_interval(share, size))


# A document that says of itself that it is older than this may be outdated.
_OLD = timedelta(days=2 * 365)
COLUMNS = ("group", "count", "id", "asked_at", "question", "kind", "reason", "rating", "verdict", "nearest")


@dataclass(frozen=True, slots=True)
class Insights:
    """What was asked since a moment, and what that tells of the documents.

    Attributes:
        titles: Of the live documents, by id.
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
        """How many answers their readers found wanting."""
        return sum(one.rating == "down" for one in self.questions)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for every question asked in vain, with the name and size of its group."""
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
    """Return what the records tell from a moment on."""
    now = datetime.now(UTC)
    questions = questions_since(engine, since)
    old_from: date = (now - _OLD).date()
    return Insights(
        since=since,
        until=now,
        questions=questions,
        groups=group_questions([one for one in questions if one.in_vain], embed),
        weeks=count_weeks(questions, since.date(), now.date()),
        unused=never_cited(engine, since),
        old=old_supports(engine, since, old_from),
        titles=titles(engine),
    )
