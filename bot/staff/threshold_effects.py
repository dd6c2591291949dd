"""The errors that another `refusal_threshold` would lead to, estimated from verdicts on the random sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.staff.insights import AskedQuestion
from bot.staff.review.quality import wilson_interval
from bot.storage.review_items import Reason

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
