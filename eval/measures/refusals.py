"""Whether the right questions are refused.

Each measure scores one question so that the mean over the scored ones is the usual ratio: precision is the share of
unanswerable questions among those refused, recall the share of refused ones among those unanswerable (C. J. van
Rijsbergen, Information Retrieval, 1979, chapter 7), and the false-refusal rate is the share refused of those
answerable.
"""

from __future__ import annotations

from eval.measures.asked import Asked


def refusal_precision(asked: Asked) -> float | None:
    """Return 1 for a refused question that is unanswerable, 0 for one that is not; others are not scored."""
    return float(not asked.question.answerable) if asked.refused else None


def refusal_recall(asked: Asked) -> float | None:
    """Return 1 for an unanswerable question that is refused, 0 for one that is not; others are not scored."""
    return None if asked.question.answerable else float(asked.refused)


def false_refusal_rate(asked: Asked) -> float | None:
    """Return 1 for an answerable question that is refused, 0 for one that is not; others are not scored."""
    return float(asked.refused) if asked.question.answerable else None
