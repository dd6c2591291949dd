"""What the retrieved documents of one question are worth: a document stands where its best chunk stands.

The same numbers as trec_eval gives (C. Buckley, `trec_eval`, through M. Macavaney et al., "ir_measures", 2022). Nothing
is scored without relevant documents.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

from eval.benchmark.outcome import Measure, Outcome


def recall(outcome: Outcome, k: int) -> float | None:
    """Return the share of the relevant documents among the first `k`."""
    relevant = outcome.query.relevant
    return len(relevant.intersection(_documents(outcome)[:k])) / len(relevant) if relevant else None


def success(outcome: Outcome, k: int) -> float | None:
    """Return 1 when any of the first `k` documents is relevant, else 0."""
    relevant = outcome.query.relevant
    return float(not relevant.isdisjoint(_documents(outcome)[:k])) if relevant else None


def reciprocal_rank(outcome: Outcome) -> float | None:
    """Return 1 / rank of the first relevant document, 0 when none was retrieved."""
    relevant = outcome.query.relevant
    if not relevant:
        return None
    ranks = (rank for rank, document_id in enumerate(_documents(outcome), start=1) if document_id in relevant)
    return 1 / next(ranks, math.inf)


def ndcg(outcome: Outcome, k: int) -> float | None:
    """Return the normalised discounted cumulative gain of the first `k` documents, in [0, 1].

    A document gains its grade, discounted by log2(rank + 1) (K. Järvelin and J. Kekäläinen, "Cumulated gain-based
    evaluation of IR techniques", 2002); the ideal list has all relevant documents, the highest grades first.
    """
    grades = {document_id: outcome.query.grades.get(document_id, 1.0) for document_id in outcome.query.relevant}
    if not grades:
        return None
    gained = (grades.get(document_id, 0.0) for document_id in _documents(outcome)[:k])
    return _discounted(gained) / _discounted(sorted(grades.values(), reverse=True)[:k])


def _documents(outcome: Outcome) -> list[str]:
    return list(dict.fromkeys(outcome.answer.retrieved))


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


RETRIEVAL_MEASURES: dict[str, Measure] = {
    "success_at_5": partial(success, k=5),
    "recall_at_5": partial(recall, k=5),
    "recall_at_10": partial(recall, k=10),
    "reciprocal_rank": reciprocal_rank,
    "ndcg_at_10": partial(ndcg, k=10),
}
