"""What a page says of a report: the words for verdicts and measures, and the numbers behind the plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import get_args

from eval.measures.interval import Metric, mean, summarise
from eval.report.report import QuestionReport, RunReport, Stage, Verdict

# In the order in which they are counted.
VERDICTS: Mapping[Verdict, str] = {
    "right": "Right",
    "rightly_refused": "Rightly refused",
    "wrong": "Wrong",
    "wrongly_refused": "Wrongly refused",
    "wrongly_answered": "Wrongly answered",
    "crashed": "Crashed",
}
MEASURES: Mapping[str, str] = {
    "answer_correct": "answerable questions that were answered, and rightly",
    "answer_bearing": "answers whose expected words also stand in a cited quote",
    "refusal_precision": "refusals that were right to refuse",
    "refusal_recall": "unanswerable questions that were refused",
    "false_refusal_rate": "answerable questions that were refused; lower is better",
    "citation_recall": "golden evidence that a footnote covers",
    "citation_precision": "footnotes that touch golden evidence",
    "quote_fidelity": "replies whose quotes all equal the stored text; must be 1",
    "success_at_1": "evidence in the first retrieved chunk",
    "success_at_5": "evidence in the first five",
    "recall_at_5": "share of the evidence in the first five",
    "reciprocal_rank": "1 / rank of the first chunk with evidence",
    "ndcg_at_5": "how early the evidence stands in the first five",
    "latency_p50_ms": "half of the replies took no longer; lower is better",
    "latency_p95_ms": "95% of the replies took no longer; lower is better",
    "calibration_error": "distance between confidence and being right; lower is better",
    "judged_correct": "answers that most opinions on them call right; refusals and crashes are left out",
    "among_repeats": "pairs of opinions on one answer that are the same",
    "with_answer_correct": "answers on which the model says what answer_correct says",
}
REFUSALS: Mapping[str, str] = {
    "no_relevant_passage": "no passage is about it",
    "not_in_documents": "the documents do not say it clearly enough",
    "false_premise": "it takes for granted what the documents contradict",
    "needs_clarification": "it could mean several things",
    "empty_index": "nothing is indexed",
    "too_long": "the question is too long",
    "unavailable": "a part of the chatbot was not available",
}
_BINS = 10
_STEPS = 100
# What is refused for another reason stays refused whatever the threshold is.
_REFUSED_BY_CONFIDENCE = frozenset({"no_relevant_passage", "not_in_documents"})


def count(number: int, thing: str) -> str:
    """Return a number with its noun, as in `1 question` or `1,000 questions`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


@dataclass(frozen=True, slots=True)
class TagRow:
    """How often the answerable questions with one tag were answered rightly."""

    tag: str
    metric: Metric


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """The answers whose confidence lies in one tenth of the scale.

    Attributes:
        low: Lower end of the tenth.
        confidence: Mean confidence of its answers.
        right: Share of them that were right.
    """

    low: float
    confidence: float
    right: Metric


@dataclass(frozen=True, slots=True)
class TradeOff:
    """What a higher or lower refusal threshold would have done.

    Below the threshold of the run, what would have been answered is known from the confidence alone, and whether it
    would have been right is not known.

    Attributes:
        thresholds: The thresholds looked at, ascending.
        answered: Share of the answerable questions that are answered, for each threshold.
        right: Share of the answerable questions that are answered rightly; None below the threshold of the run.
        refused: Share of the unanswerable questions that are refused.
        answerable: How many answerable questions there are.
        unanswerable: How many unanswerable questions there are.
        own_threshold: The threshold of the run.
    """

    thresholds: tuple[float, ...]
    answered: tuple[float, ...]
    right: tuple[float | None, ...]
    refused: tuple[float, ...]
    answerable: int
    unanswerable: int
    own_threshold: float


def correct_by_tag(report: RunReport) -> list[TagRow]:
    """Return the tags with answerable questions, the weakest first."""
    rows = [TagRow(tag, one.metrics["answer_correct"]) for tag, one in report.by_tag.items()]
    return sorted((row for row in rows if row.metric.n), key=lambda row: (row.metric.value or 0.0, row.tag))


def reliability(report: RunReport) -> list[ConfidenceBin]:
    """Return the tenths of the confidence scale that hold answers: the same pairs as `calibration_error`."""
    pairs = sorted(
        (min(int(question.answer.confidence * _BINS), _BINS - 1), question.answer.confidence, _right(question))
        for question in report.questions
        if question.answer is not None and question.answer.kind == "answer"
    )
    bins = []
    for number, group in groupby(pairs, key=lambda pair: pair[0]):
        _, confidences, right = zip(*group, strict=True)
        bins.append(ConfidenceBin(number / _BINS, sum(confidences) / len(right), summarise(right, mean)))
    return bins


def trade_off(report: RunReport) -> TradeOff | None:
    """Return what other thresholds would have done, or None when the report does not say which one it used."""
    own = report.settings.get("refusal_threshold")
    if not isinstance(own, (int, float)):
        return None
    asked = [question for question in report.questions if question.answer is not None]
    answerable = [question for question in asked if question.golden.answerable]
    unanswerable = [question for question in asked if not question.golden.answerable]
    thresholds = sorted({step / _STEPS for step in range(_STEPS + 1)} | {float(own)})
    right = [question for question in answerable if _right(question)]
    return TradeOff(
        thresholds=tuple(thresholds),
        answered=tuple(_share_answered(answerable, len(answerable), each, own) for each in thresholds),
        right=tuple(_share_answered(right, len(answerable), each, own) if each >= own else None for each in thresholds),
        refused=tuple(1 - _share_answered(unanswerable, len(unanswerable), each, own) for each in thresholds),
        answerable=len(answerable),
        unanswerable=len(unanswerable),
        own_threshold=float(own),
    )


def stage_times(report: RunReport) -> dict[str, list[float]]:
    """Return the milliseconds of each stage in the order in which the stages come, `total` last."""
    times: dict[str, list[float]] = {}
    # The answer that went through most stages knows their order best.
    timings = sorted((one.answer.timings_ms for one in report.questions if one.answer), key=len, reverse=True)
    for timing in timings:
        for stage, milliseconds in timing.items():
            times.setdefault(stage, []).append(milliseconds)
    return dict(sorted(times.items(), key=lambda item: item[0] == "total"))


def blame_counts(report: RunReport) -> dict[Stage, int] | None:
    """Return how many failures each stage is blamed for, in the order of the path; None when nobody looked."""
    counts = Counter(question.blame.stage for question in report.questions if question.blame)
    return {stage: counts[stage] for stage in get_args(Stage)} if counts else None


def _right(question: QuestionReport) -> float:
    return question.scores.get("answer_correct") or 0.0


def _share_answered(questions: Sequence[QuestionReport], of: int, threshold: float, own: float) -> float:
    return sum(_answered(question, threshold, own) for question in questions) / of if of else 0.0


def _answered(question: QuestionReport, threshold: float, own: float) -> bool:
    """Return whether a question would be answered at a threshold, as far as the run can tell."""
    answer = question.answer
    if answer is None or answer.kind == "small_talk":
        return answer is not None
    if answer.refusal is None:
        return answer.confidence >= threshold
    # A confidence of 0 was not computed; one that was high enough was not why it was refused.
    by_confidence = answer.refusal.reason in _REFUSED_BY_CONFIDENCE and 0 < answer.confidence < own
    return by_confidence and answer.confidence >= threshold
