"""The share of right answers, estimated from verdicts on answers that were drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from bot.staff.review.verdicts import latest_verdicts
from bot.storage.review_items import Reason
from bot.storage.schema import REVIEW_ITEMS

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
    others = ~(Reason.SAMPLE | Reason.DISPUTED)
    sides = [[row.verdict for row in rows if bool(Reason(row.reasons) & others) is side] for side in (True, False)]
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
