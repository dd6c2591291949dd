"""What another `refusal_threshold` would do to both kinds of error, from verdicts on the random sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from bot.insight.asked import AskedQuestion
from bot.review.reasons import Reason

CANDIDATES = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
_Z = 1.959964  # of a 95% interval
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
    middle = (share + _Z**2 / (2 * size)) / (1 + _Z**2 / size)
    reach = _Z / (1 + _Z**2 / size) * sqrt(share * (1 - share) / size + _Z**2 / (4 * size**2))
    return Rate(share, max(0.0, middle - reach), min(1.0, middle + reach))
