"""The report of a benchmark: every number with its n and interval, and where the answers behind it are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.text import Text

from eval.benchmark.confidence import ThresholdRow, threshold_table
from eval.benchmark.outcome import Outcome
from eval.benchmark.run import Answered
from eval.benchmark.score import pair_up, summarise_outcomes
from eval.benchmark.sets import BenchmarkSet
from eval.errors import ReportError
from eval.measures.interval import Metric
from eval.origin import Origin
from eval.table import metrics_table, number


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnswersRecord(_Frozen):
    """Where the answers of one collection are kept, and what they depend on."""

    path: str
    measured: dict[str, Any]


class SetReport(_Frozen):
    """One set, or several of one pool together.

    Attributes:
        name: The set's, or that of the pool.
        crashes: How many questions ended in an unexpected exception.
        answered_by: How many answers each answerer gave: more than one when a model was down.
        thresholds: What each refusal threshold would do.
        answers: The files the figures come from.
    """

    name: str
    questions: int
    crashes: int
    answered_by: dict[str, int]
    metrics: dict[str, Metric]
    thresholds: tuple[ThresholdRow, ...]
    answers: tuple[AnswersRecord, ...]


class BenchmarkReport(_Frozen):
    """The result of a benchmark.

    Attributes:
        mini: Whether only the small samples of the sets were asked.
        limit: Most questions of each set, or None.
        pools: Sets of one pool together, where there are several.
    """

    answerer: str
    mini: bool
    limit: int | None
    started_at: datetime
    origin: Origin
    sets: tuple[SetReport, ...]
    pools: tuple[SetReport, ...]

    def write(self, path: Path) -> None:
        """Write the report to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        try:
            path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise ReportError(
                f"The report {str(path)!r} cannot be written ({error.strerror}): name another file."
            ) from error


def report_sets(results: Sequence[tuple[BenchmarkSet, Sequence[Answered]]]) -> list[SetReport]:
    """Return the report of each set."""
    return [_report(one.name, *_outcomes([(one, answered)]), one.protocol.names) for one, answered in results]


def report_pools(results: Sequence[tuple[BenchmarkSet, Sequence[Answered]]]) -> list[SetReport]:
    """Return the report of each pool that several of the sets belong to."""
    sizes = Counter(one.protocol.pool for one, _ in results if one.protocol.pool)
    return [
        _report(f"{pool}, {size} sets", *_outcomes([pair for pair in results if pair[0].protocol.pool == pool]), {})
        for pool, size in sizes.items()
        if size > 1
    ]


def print_benchmark(report: BenchmarkReport, console: Console) -> None:
    """Print the measures of every set and pool, and its threshold table."""
    for one in (*report.sets, *report.pools):
        by = ", ".join(f"{count} by {name}" for name, count in one.answered_by.items())
        console.print(Text(f"\n{one.name}: {one.questions} questions ({by}), {one.crashes} crashed"), soft_wrap=True)
        console.print(metrics_table({name: metric for name, metric in one.metrics.items() if metric.n}))
        if one.thresholds:
            console.print("threshold: false answers / false refusals")
        for row in one.thresholds:
            rates = (number("", rate.value) for rate in (row.false_answer_rate, row.false_refusal_rate))
            console.print(f"  {row.threshold:.1f}: {' / '.join(rates)}", highlight=False)


def _outcomes(
    results: Sequence[tuple[BenchmarkSet, Sequence[Answered]]],
) -> tuple[list[Outcome], list[Answered]]:
    answered = [one for _, some in results for one in some]
    outcomes = [
        outcome
        for chosen, some in results
        for outcome in pair_up(chosen, [answer for one in some for answer in one.answers])
    ]
    return outcomes, answered


def _report(name: str, outcomes: Sequence[Outcome], answered: Sequence[Answered], names: dict[str, str]) -> SetReport:
    metrics = {names.get(key, key): metric for key, metric in summarise_outcomes(outcomes).items()}
    return SetReport(
        name=name,
        questions=len(outcomes),
        crashes=sum(one.answer.kind == "crash" for one in outcomes),
        answered_by=dict(Counter(one.answer.answerer for one in outcomes if one.answer.kind != "crash")),
        metrics=metrics,
        thresholds=threshold_table(outcomes),
        answers=tuple(AnswersRecord(path=str(one.path), measured=one.measured) for one in answered),
    )
