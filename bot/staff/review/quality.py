"""The share of right answers and the errors of other thresholds, estimated from verdicts on a random sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.staff.insights import AskedQuestion
from bot.staff.review.verdicts import latest_verdicts
from bot.storage.review_items import Reason
from bot.storage.schema import REVIEW_ITEMS

CANDIDATES = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)  # thresholds
_OTHERS = ~(Reason.SAMPLE | Reason.DISPUTED)
_Z = 1.959963984540054  # 97.5th percentile of the standard normal distribution


@dataclass(frozen=True, slots=True)
class Stratum:
    """Answers of the sample that are checked in the same order: how many, checked, and found right."""

    sampled: int
    judged: int
    right: int


@dataclass(frozen=True, slots=True)
class Quality:
    """The share of answers, refusals among them, that are right.

    Attributes:
        low: Lower end of the 95% interval.
        high: Its upper end.
        judged: How many of the sample have a verdict.
        sampled: How many were drawn.
    """

    share: float
    low: float
    high: float
    judged: int
    sampled: int


def estimate_quality(engine: Engine) -> Quality | None:
    """Return the estimate from the sample on record; None while too little of it is checked."""
    columns = REVIEW_ITEMS.c
    verdicts = latest_verdicts()
    drawn = (
        sa.select(columns.reasons, verdicts.c.verdict)
        .outerjoin(verdicts, verdicts.c.answer_id == columns.answer_id)
        .where(columns.reasons.op("&")(int(Reason.SAMPLE)) != 0)
    )
    with engine.connect() as connection:
        rows = connection.execute(drawn).all()
    # Answers with other reasons are checked sooner and are worse: weighted by their share of the sample, not by that of
    # the verdicts, they count as often as they occur.
    sides = [[row.verdict for row in rows if bool(Reason(row.reasons) & _OTHERS) is side] for side in (True, False)]
    return estimate([Stratum(len(one), len(one) - one.count(None), one.count("right")) for one in sides if one])


def estimate(strata: Sequence[Stratum]) -> Quality | None:
    """Return the post-stratified share of right answers with Wilson's interval at its effective size.

    The effective size is that of a simple random sample with the same variance (Kish 1965, 8.2), which is that of
    double sampling for stratification (Cochran 1977, 12.2): the sizes of the strata are drawn, too. Shares within
    strata are drawn towards a half by one answer each, so that a stratum without a mistake does not count as certain.
    """
    sampled = sum(one.sampled for one in strata)
    if not sampled or any(one.judged < 1 for one in strata):
        return None
    share = sum(one.sampled / sampled * one.right / one.judged for one in strata)
    weights = [one.sampled / sampled for one in strata]
    drawn = [(one.right + 0.5) / (one.judged + 1) for one in strata]
    plain = sum(weight * part for weight, part in zip(weights, drawn, strict=True))
    variance = sum(
        weight**2 * part * (1 - part) / one.judged + weight * (part - plain) ** 2 / sampled
        for weight, part, one in zip(weights, drawn, strata, strict=True)
    )
    size = plain * (1 - plain) / variance
    low, high = wilson_interval(share, size)
    return Quality(share, low, high, sum(one.judged for one in strata), sampled)


def wilson_interval(share: float, n: float, z: float = _Z) -> tuple[float, float]:
    """Return the score interval of a proportion (E. B. Wilson, JASA 22, 1927), by default the 95% interval.

    Args:
        share: The proportion.
        n: How many samples it rests on; dependent or weighted ones have an effective number, which may be a fraction.
        z: Quantile of the distribution.
    """
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (0.0 if share == 0 else max(0.0, middle - reach), 1.0 if share == 1 else min(1.0, middle + reach))


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of all questions, with its 95% interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Effect:
    """The errors that a threshold leads to.

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

    Only questions that were drawn at random count. Of these, the ones with other reasons are checked sooner and are
    worse: a verdict is weighted by the inverse of the share of its group that is checked. For a refusal the verdict
    stands for the answer that was withheld: wrong if the refusal was right, right if it should have been an answer.
    """
    drawn = [one for one in questions if one.draw < sample]
    judged = [one for one in drawn if one.verdict]
    if not judged:
        return 0, ()
    sizes, checked = Counter(map(_has_other_reasons, drawn)), Counter(map(_has_other_reasons, judged))
    weights = [sizes[_has_other_reasons(one)] / checked[_has_other_reasons(one)] for one in judged]
    effects = []
    for threshold in candidates:
        wrong = [one.confidence >= threshold and not _is_good(one) for one in judged]
        refused = [one.confidence < threshold and _is_good(one) for one in judged]
        effects.append(Effect(threshold, _rate(wrong, weights), _rate(refused, weights)))
    return len(judged), tuple(effects)


def _has_other_reasons(one: AskedQuestion) -> bool:
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
