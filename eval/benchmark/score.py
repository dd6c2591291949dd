"""Measures of sets, from questions and stored answers alone: scoring again asks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from eval.benchmark.confidence import confidence_metrics
from eval.benchmark.outcome import ANSWER_MEASURES, Measure, Outcome
from eval.benchmark.ranking import RETRIEVAL_MEASURES
from eval.benchmark.record import StoredAnswer
from eval.benchmark.sets import BenchmarkSet
from eval.measures.interval import Metric, mean, summarise
from eval.measures.latency import percentile

_PERCENTILES = {"p50": 0.50, "p95": 0.95}


def pair_up(chosen: BenchmarkSet, answers: Sequence[StoredAnswer]) -> list[Outcome]:
    """Return the questions of a set with their answers, in the order of the set.

    Raises:
        KeyError: A question has no answer: nothing is measured over a part of what was to be asked.
    """
    by_id = {answer.id: answer for answer in answers}
    return [Outcome(chosen.protocol, query, by_id[query.query_id]) for query in chosen.queries]


def summarise_outcomes(outcomes: Sequence[Outcome]) -> dict[str, Metric]:
    """Return every measure with n, how many questions it does not apply to, and a 95% interval.

    A crash counts in none, and so among the unscored of each; a search alone counts in those of retrieval.
    """
    found = [None if one.answer.kind == "crash" else one for one in outcomes]
    answered = [None if one is None or one.answer.kind == "search" else one for one in found]
    return {
        **_means(ANSWER_MEASURES, answered),
        **_means(RETRIEVAL_MEASURES, found),
        **confidence_metrics(outcomes),
        **_latencies(outcomes),
    }


def _means(measures: Mapping[str, Measure], outcomes: Sequence[Outcome | None]) -> dict[str, Metric]:
    return {
        name: summarise([None if one is None else measure(one) for one in outcomes], mean)
        for name, measure in measures.items()
    }


def _latencies(outcomes: Sequence[Outcome]) -> dict[str, Metric]:
    """Return percentiles of the whole time and of each stage, in milliseconds, over the questions that reached it."""
    timings = [one.answer.timings_ms for one in outcomes]
    stages = dict.fromkeys(("total", *(stage for timing in timings for stage in timing)))
    return {
        f"{'latency' if stage == 'total' else stage}_{name}_ms": summarise(
            [timing.get(stage) for timing in timings], partial(percentile, share=share)
        )
        for stage in stages
        for name, share in _PERCENTILES.items()
    }
