"""Whether the confidence of answers means what it says, and what another threshold would have done.

Measures of sets, from questions and stored answers alone: scoring again asks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import BaseModel, ConfigDict

from eval.benchmarks.sets.answers import StoredAnswer
from eval.benchmarks.sets.outcome import ANSWER_MEASURES, RETRIEVAL_MEASURES, Measure, Outcome
from eval.benchmarks.sets.sets import BenchmarkSet
from eval.measures.confidence import calibration_error, summarise_auroc
from eval.measures.interval import Metric, mean, summarise
from eval.measures.scoring import percentile

_THRESHOLDS = tuple(tenth / 10 for tenth in range(1, 10))


class ThresholdRow(BaseModel):
    """What a refusal threshold would do, as far as the confidences alone decide.

    Attributes:
        false_answer_rate: Share of the unanswerable questions whose confidence reaches the threshold.
        false_refusal_rate: Share of the answerable ones whose confidence does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float
    false_answer_rate: Metric
    false_refusal_rate: Metric


def confidence_metrics(outcomes: Sequence[Outcome]) -> dict[str, Metric]:
    """Return how well confidence tells the answerable from the rest, and its calibration error.

    `calibration_error` is over the answers that were shown, `calibration_error_all` over all questions.
    """
    pairs = [_pair(one) for one in outcomes]
    shown = [pair if one.answer.kind == "answer" else None for one, pair in zip(outcomes, pairs, strict=True)]
    return {
        "auroc_answerable": summarise_auroc(
            [
                None if (confidence := _confidence(one)) is None else (confidence, one.query.answerable)
                for one in outcomes
            ]
        ),
        "calibration_error": summarise(shown, calibration_error),
        "calibration_error_all": summarise(pairs, calibration_error),
    }


def threshold_table(outcomes: Sequence[Outcome]) -> tuple[ThresholdRow, ...]:
    """Return a row for each tenth; nothing where no answer has a confidence."""
    scored = [(confidence, one) for one in outcomes if (confidence := _confidence(one)) is not None]
    if not scored:
        return ()
    answerable = [confidence for confidence, one in scored if one.query.answerable]
    unanswerable = [confidence for confidence, one in scored if not one.query.answerable]
    return tuple(
        ThresholdRow(
            threshold=threshold,
            false_answer_rate=summarise([float(confidence >= threshold) for confidence in unanswerable], mean),
            false_refusal_rate=summarise([float(confidence < threshold) for confidence in answerable], mean),
        )
        for threshold in _THRESHOLDS
    )


def _pair(outcome: Outcome) -> tuple[float, float] | None:
    """Return a confidence and whether what it stands for came true, as 1 or 0.

    It stands for "the documents answer this, and what I would show says so". Of a refusal, what would have been shown
    is the passages that it gives as nearest. Where a set cannot check answers, only the first half is looked at.
    """
    confidence = _confidence(outcome)
    if confidence is None:
        return None
    if not outcome.is_checkable:
        return (confidence, float(outcome.query.answerable))
    answer = outcome.answer
    shown = " ".join(passage.quote for passage in answer.nearest) if answer.refused else answer.text
    return confidence, float(outcome.says_right(shown))


def _confidence(outcome: Outcome) -> float | None:
    """Return the confidence of a question that was judged: small talk and crashes were not."""
    return outcome.answer.confidence if outcome.answer.kind in {"answer", "refusal"} else None


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
