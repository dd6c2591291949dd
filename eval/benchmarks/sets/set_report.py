"""The report of a benchmark: every number with its n and interval, and where the answers behind it are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from eval.benchmarks.sets.public_set import BenchmarkSet, QueryForm
from eval.benchmarks.sets.published_figures import PublishedFigure, published_figures, warnings_about
from eval.benchmarks.sets.set_measures import AnsweredQuery, ThresholdRow, summarise_answers, threshold_table
from eval.benchmarks.sets.set_run import CorpusAnswers
from eval.measures.interval import Metric
from eval.report.json_file import JsonFile, Record
from eval.report.table import metrics_table, number
from eval.run.origin import RunOrigin

SetAnswers = Sequence[tuple[BenchmarkSet, Sequence[CorpusAnswers]]]

_LOWER_BOUNDS = (
    "Answering retrieves a few chunks only, so the measures at 10 are lower bounds: --retrieval-only goes further down."
)


class AnswersRecord(Record):
    """Where the answers about one corpus are kept, and what they depend on."""

    path: str
    measured: dict[str, Any]


class SetReport(Record):
    """One set, or several of one pool together.

    Attributes:
        name: The set's, or that of the pool.
        query: Whether questions were asked with their history, or the last turn alone.
        crashes: How many questions ended in an unexpected exception.
        answered_by: How many answers each answerer gave: more than one when a model was down.
        published: What others report about it, of the measures that were scored.
        warnings: What to keep in mind when figures are compared.
        thresholds: What each refusal threshold would do.
        answers: The files the figures come from.
    """

    name: str
    query: QueryForm = "history"
    questions: int
    crashes: int
    answered_by: dict[str, int]
    metrics: dict[str, Metric]
    published: tuple[PublishedFigure, ...] = ()
    warnings: tuple[str, ...] = ()
    thresholds: tuple[ThresholdRow, ...]
    answers: tuple[AnswersRecord, ...]


class BenchmarkReport(JsonFile):
    """The result of a benchmark.

    Attributes:
        retrieval_only: Whether nothing was answered.
        mini: Whether only the small samples of the sets were asked.
        limit: Most questions of each set, or None.
        pools: Sets of one pool together, where there are several.
    """

    kind = "benchmark report"
    remedy = "name a file that footnote eval benchmark --out wrote"

    answerer: str
    retrieval_only: bool = False
    mini: bool
    limit: int | None
    started_at: datetime
    origin: RunOrigin
    sets: tuple[SetReport, ...]
    pools: tuple[SetReport, ...]


def report_sets(results: SetAnswers) -> list[SetReport]:
    """Return the report of each set.

    Raises:
        KeyError: A question has no answer: nothing is measured over a part of what was to be asked.
    """
    return [_report(one.name, [(one, answered)], one.name, one.folder, one.protocol.names) for one, answered in results]


def report_pools(results: SetAnswers) -> list[SetReport]:
    """Return the report of each pool that several of the sets belong to, for each way they were asked."""
    pools: dict[tuple[str, QueryForm], list[tuple[BenchmarkSet, Sequence[CorpusAnswers]]]] = {}
    for one, answered in results:
        if one.protocol.pool:
            pools.setdefault((one.protocol.pool, one.query), []).append((one, answered))
    return [
        _report(f"{pool}, {len(some)} sets", some, pool, None, {}) for (pool, _), some in pools.items() if len(some) > 1
    ]


def _report(
    name: str, results: SetAnswers, published_as: str, folder: Path | None, names: Mapping[str, str]
) -> SetReport:
    answered: list[AnsweredQuery] = []
    for chosen, some in results:
        by_id = {answer.id: answer for one in some for answer in one.answers}
        answered += [AnsweredQuery(chosen.protocol, query, by_id[query.query_id]) for query in chosen.queries]
    metrics = {names.get(key, key): metric for key, metric in summarise_answers(answered).items()}
    scored = {key for key, metric in metrics.items() if metric.n}
    warnings = [*warnings_about(published_as, scored)]
    if left_out := sum(chosen.left_out for chosen, _ in results):
        warnings.append(f"Questions left out: {left_out}. Published figures are over whole sets.")
    if "recall_at_10" in scored and any(one.answer.kind not in {"search", "crash"} for one in answered):
        warnings.append(_LOWER_BOUNDS)
    return SetReport(
        name=name,
        query=results[0][0].query,
        questions=len(answered),
        crashes=sum(one.answer.kind == "crash" for one in answered),
        answered_by=dict(Counter(one.answer.answerer for one in answered if one.answer.kind != "crash")),
        metrics=metrics,
        published=tuple(one for one in published_figures(published_as, folder) if one.measure in scored),
        warnings=tuple(warnings),
        thresholds=threshold_table(answered),
        answers=tuple(AnswersRecord(path=str(one.path), measured=one.measured) for _, some in results for one in some),
    )


def print_benchmark(report: BenchmarkReport, console: Console) -> None:
    """Print the measures of every set and pool, what others report, and the threshold table."""
    for one in (*report.sets, *report.pools):
        # One line each, however long: it can be searched and cut by other programs.
        console.print(Text(f"\n{_title(one)}"), soft_wrap=True)
        console.print(metrics_table({name: metric for name, metric in one.metrics.items() if metric.n}))
        for line in (*_printed_published(one), *(f"note: {warning}" for warning in one.warnings)):
            console.print(Text(line), soft_wrap=True)
        if one.thresholds:
            console.print("threshold: false answers / false refusals")
        for row in one.thresholds:
            rates = (number("", rate.value) for rate in (row.false_answer_rate, row.false_refusal_rate))
            console.print(f"  {row.threshold:.1f}: {' / '.join(rates)}", highlight=False)


def _title(one: SetReport) -> str:
    by = ", ".join(f"{count} by {name}" for name, count in one.answered_by.items())
    form = ", the last turn alone" if one.query == "last" else ""
    return f"{one.name}{form}: {one.questions} questions ({by}), {one.crashes} crashed"


def _printed_published(one: SetReport) -> Iterator[str]:
    """Yield a line for each place where figures were published, by measure."""
    for source, comparable in dict.fromkeys((figure.source, figure.comparable) for figure in one.published):
        figures = [figure for figure in one.published if (figure.source, figure.comparable) == (source, comparable)]
        by_measure = (
            f"{measure}: "
            + ", ".join(f"{figure.value:.3f} ({figure.system})" for figure in figures if figure.measure == measure)
            for measure in dict.fromkeys(figure.measure for figure in figures)
        )
        yield f"published: {'; '.join(by_measure)} [{source}; {comparable}]"
