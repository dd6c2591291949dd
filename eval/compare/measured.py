"""The measures of a run by name, and which way each is better.

Every measure of two runs over their paired questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from eval.compare.comparison import MeasureDifference
from eval.compare.difference import (
    PairedSamples,
    Sample,
    WeightedStatistic,
    paired_difference,
    weighted_calibration_error,
    weighted_mean,
    weighted_percentile,
)
from eval.compare.pair import Pair, Side
from eval.measures.scoring import MEASURES, PERCENTILES, TAG_MEASURES, summarise_all
from eval.report.report import QuestionReport, RunReport

# Every measure that a run of this version reports: what it makes of no questions at all.
MEASURE_NAMES = tuple(summarise_all((), ()))

_LESS_IS_BETTER = ("_rate", "_error", "_ms")


def less_is_better(name: str) -> bool:
    """Return whether a measure is the better the lower it is: rates of mistakes, errors and waiting times."""
    return name.endswith(_LESS_IS_BETTER)


def measure_differences(a: RunReport, b: RunReport, pairs: Sequence[Pair]) -> tuple[MeasureDifference, ...]:
    """Return the difference of every measure that either run reports, in the order of the reports."""
    names = dict.fromkeys([*b.metrics, *a.metrics])
    return tuple(_difference(name, pairs) or _as_reported(name, a, b) for name in names)


def tag_differences(pairs: Sequence[Pair], tag: str) -> tuple[MeasureDifference, ...]:
    """Return the difference of every measure by tag over the questions that have the tag in B."""
    tagged = [pair for pair in pairs if tag in pair.b.asked[0].golden.tags]
    return tuple(found for name in TAG_MEASURES if (found := _difference(name, tagged)))


def _difference(name: str, pairs: Sequence[Pair]) -> MeasureDifference | None:
    """Return the paired difference of a measure, or None where a question has no part in it."""
    how = _how(name, pairs)
    if how is None:
        return None
    look, statistic = how
    sides = ([_average(pair.a, look) for pair in pairs], [_average(pair.b, look) for pair in pairs])
    return paired_difference(name, PairedSamples.of(*sides, [pair.cluster for pair in pairs]), statistic)


def _how(name: str, pairs: Sequence[Pair]) -> tuple[Callable[[QuestionReport], Sample], WeightedStatistic] | None:
    """Return what a measure looks at in a question and what it makes of all, or None where that is not known."""
    if name in PERCENTILES:
        return _total_milliseconds, partial(weighted_percentile, share=PERCENTILES[name])
    if name == "calibration_error":
        return _confidence_and_outcome, weighted_calibration_error
    if name in MEASURES or any(name in one.scores for pair in pairs for one in (*pair.a.asked, *pair.b.asked)):
        return partial(_score, name=name), weighted_mean
    return None


def _average(side: Side, look: Callable[[QuestionReport], Sample]) -> Sample:
    """Return the sample of a question, averaged over the times it was asked and scored."""
    samples = [sample for sample in map(look, side.answered) if sample is not None]
    return tuple(sum(column) / len(samples) for column in zip(*samples, strict=True)) if samples else None


def _score(question: QuestionReport, name: str) -> Sample:
    value = question.scores.get(name)
    return None if value is None else (value,)


def _total_milliseconds(question: QuestionReport) -> Sample:
    total = question.answer.timings_ms.get("total") if question.answer else None
    return None if total is None else (total,)


def _confidence_and_outcome(question: QuestionReport) -> Sample:
    # As `eval.measures.confidence` has it, with the outcome that the run itself found.
    if question.answer is None or question.answer.kind != "answer":
        return None
    return question.answer.confidence, question.scores.get("answer_correct") or 0.0


def _as_reported(name: str, a: RunReport, b: RunReport) -> MeasureDifference:
    """Return a measure that is of the whole run and of no question, without an interval."""
    metric_a, metric_b = a.metrics.get(name), b.metrics.get(name)
    value_a, value_b = (metric.value if metric else None for metric in (metric_a, metric_b))
    return MeasureDifference(
        measure=name,
        a=value_a,
        b=value_b,
        n=min(metric_a.n if metric_a else 0, metric_b.n if metric_b else 0),
        n_a=metric_a.n if metric_a else 0,
        n_b=metric_b.n if metric_b else 0,
        difference=None if value_a is None or value_b is None else value_b - value_a,
    )
