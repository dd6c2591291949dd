"""Every measure of a run by name: how one question is scored, and how the scores of all are summarised."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial

import numpy

from eval.measures import correctness, evidence_found
from eval.measures.answered import AnsweredQuestion
from eval.measures.confidence import calibration_error, confidence_and_outcome
from eval.measures.interval import Metric, Samples, mean, summarise


def total_milliseconds(asked: AnsweredQuestion) -> float | None:
    """Return the whole time of an answer or refusal in milliseconds, or None when it was not recorded."""
    return asked.answer.timings_ms.get("total")


def percentile(samples: Samples, share: float) -> float:
    """Return the smallest sample that at least `share` of all samples do not exceed (nearest rank).

    Definition 1 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996): always a value that occurred.
    """
    return float(numpy.quantile(samples, share, method="inverted_cdf"))


MEASURES: Mapping[str, Callable[[AnsweredQuestion], float | None]] = {
    "answer_correct": correctness.answer_correct,
    "answer_bearing": correctness.answer_bearing,
    "refusal_precision": correctness.refusal_precision,
    "refusal_recall": correctness.refusal_recall,
    "false_refusal_rate": correctness.false_refusal_rate,
    "citation_recall": evidence_found.citation_recall,
    "citation_precision": evidence_found.citation_precision,
    "quote_fidelity": evidence_found.quote_fidelity,
    "success_at_1": partial(evidence_found.success_at_k, k=1),
    "success_at_5": partial(evidence_found.success_at_k, k=5),
    "recall_at_5": partial(evidence_found.recall_at_k, k=5),
    "reciprocal_rank": evidence_found.reciprocal_rank,
    "ndcg_at_5": partial(evidence_found.ndcg_at_k, k=5),
}
TAG_MEASURES = ("answer_correct", "refusal_recall", "false_refusal_rate", "citation_recall")

PERCENTILES = {"latency_p50_ms": 0.50, "latency_p95_ms": 0.95}

Scores = Mapping[str, float | None]


def score(asked: AnsweredQuestion) -> dict[str, float | None]:
    """Return what every measure gives one question; None where it does not apply."""
    return {name: measure(asked) for name, measure in MEASURES.items()}


def summarise_all(
    asked: Sequence[AnsweredQuestion | None],
    scores: Sequence[Scores | None],
    clusters: Sequence[Hashable] | None = None,
) -> dict[str, Metric]:
    """Return every metric over questions and their scores, in the same order; None stands for one that crashed.

    Args:
        asked: What was asked and answered.
        scores: What `score` gives for each.
        clusters: What depends on each other, as in `summarise`.
    """
    totals = [total_milliseconds(one) if one else None for one in asked]
    metrics = summarise_named(MEASURES, scores, clusters)
    metrics |= {name: summarise(totals, partial(percentile, share=share)) for name, share in PERCENTILES.items()}
    pairs = [confidence_and_outcome(one) if one else None for one in asked]
    return metrics | {"calibration_error": summarise(pairs, calibration_error, clusters)}


def summarise_named(
    names: Iterable[str], scores: Sequence[Scores | None], clusters: Sequence[Hashable] | None = None
) -> dict[str, Metric]:
    """Return the mean of each named measure over the scores of several questions."""
    return {name: summarise([one[name] if one else None for one in scores], mean, clusters) for name in names}
