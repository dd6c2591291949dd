"""Whether the confidence of answers means what it says, and what another threshold would have done."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from eval.benchmark.outcome import Outcome
from eval.measures.calibration import calibration_error
from eval.measures.discrimination import summarise_auroc
from eval.measures.interval import Metric, mean, summarise

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
