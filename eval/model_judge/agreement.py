"""How far opinions agree: with each other, and with the deterministic verdict."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from eval.measures.interval import mean, summarise
from eval.model_judge.record import Agreement, JudgedAnswer, Opinion


def agreement_of(answers: Sequence[JudgedAnswer], clusters: Sequence[Hashable]) -> Agreement:
    """Return the agreement over judged answers, `clusters` as in `eval.measures.interval.summarise`."""
    pairs = [
        (one.majority, one.by_rule) if one.majority is not None and one.by_rule is not None else None for one in answers
    ]
    return Agreement(
        among_repeats=summarise([agreeing_pairs(one.opinions) for one in answers], mean, clusters),
        krippendorff_alpha=krippendorff_alpha([one.opinions for one in answers]),
        with_answer_correct=summarise([float(one[0] == one[1]) if one else None for one in pairs], mean, clusters),
        cohen_kappa=cohen_kappa([one for one in pairs if one]),
    )


def agreeing_pairs(opinions: Iterable[Opinion | None]) -> float | None:
    """Return the share of the pairs of opinions that are the same; None where there are fewer than two opinions."""
    held = [one for one in opinions if one is not None]
    pairs = len(held) * (len(held) - 1)
    return sum(held.count(one) * (held.count(one) - 1) for one in dict.fromkeys(held)) / pairs if pairs else None


def krippendorff_alpha(answers: Iterable[Sequence[Hashable | None]]) -> float | None:
    """Return Krippendorff's alpha for nominal data, in which opinions may be missing ("Content Analysis", 1980).

    Args:
        answers: For each answer its opinions; only answers with at least two count.

    Returns:
        At most 1; 0 is chance. None where all opinions are alike: then no chance can be computed.
    """
    from nltk.metrics.agreement import AnnotationTask  # noqa: PLC0415  # takes seconds to import

    counted = [held for some in answers if len(held := [one for one in some if one is not None]) >= 2]
    if len({one for held in counted for one in held}) < 2:
        return None
    rows = [(place, answer, one) for answer, held in enumerate(counted) for place, one in enumerate(held)]
    return float(AnnotationTask(rows).alpha())


def cohen_kappa(pairs: Sequence[tuple[Opinion, Opinion]]) -> float | None:
    """Return Cohen's kappa (Educational and Psychological Measurement 20, 1960) of two verdicts on each answer.

    Returns:
        At most 1; 0 is chance. None where both sides say the same one thing of everything.
    """
    from sklearn.metrics import cohen_kappa_score  # noqa: PLC0415  # takes seconds to import

    if len({one for pair in pairs for one in pair}) < 2:
        return None
    ours, theirs = zip(*pairs, strict=True)
    return float(cohen_kappa_score(ours, theirs))
