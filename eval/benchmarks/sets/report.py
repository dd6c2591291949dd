"""What others report about a set, and what to keep in mind about it: `published.toml`, and tables beside the set.

The report of a benchmark as it stands in a terminal.

The report of a benchmark: every number with its n and interval, and where the answers behind it are.
"""

from __future__ import annotations

import csv
import functools
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from eval.benchmarks.sets.outcome import Outcome
from eval.benchmarks.sets.run import Answered
from eval.benchmarks.sets.score import ThresholdRow, pair_up, summarise_outcomes, threshold_table
from eval.benchmarks.sets.sets import BenchmarkSet, QueryForm
from eval.errors import EvaluationError
from eval.measures.interval import Metric
from eval.report.json_file import JsonFile, Record
from eval.report.table import metrics_table, number
from eval.run.origin import RunOrigin


class PublishedFigure(Record):
    """One figure of somebody else.

    Attributes:
        measure: Our name of the measure.
        system: What was measured.
        source: Authors, year, where.
        comparable: What differs from our measurement.
    """

    measure: str
    system: str
    value: float
    source: str
    comparable: str


class _Figures(Record):
    sets: tuple[str, ...]
    source: str
    comparable: str
    systems: dict[str, dict[str, float]]


class _Table(Record):
    sets: tuple[str, ...]
    source: str
    comparable: str
    file: str
    rows: str
    systems: tuple[str, ...]
    columns: dict[str, str]
    percent: bool = False


class _Warning(Record):
    sets: tuple[str, ...]
    about: str = ""
    text: str


class _Published(Record):
    """All of `published.toml`; the fields are explained there."""

    figures: tuple[_Figures, ...]
    tables: tuple[_Table, ...]
    warnings: tuple[_Warning, ...]


def published_figures(name: str, folder: Path | None) -> tuple[PublishedFigure, ...]:
    """Return what others report about a set.

    Args:
        name: Of the set, or of a pool.
        folder: Of the set, to find tables beside it.

    Raises:
        EvaluationError: A table beside the set is not in the shape that `published.toml` gives.
    """
    known = _published()
    figures = [figure for entry in known.figures if _matches(name, entry.sets) for figure in _of_entry(entry)]
    if folder is not None:
        tables = [table for table in known.tables if _matches(name, table.sets)]
        figures += [figure for table in tables for figure in _of_table(table, name, folder / table.file)]
    return tuple(figures)


def warnings_about(name: str, scored: Set[str]) -> tuple[str, ...]:
    """Return what to keep in mind about the rows of a set, or the measures of them that were scored."""
    about = (entry for entry in _published().warnings if not entry.about or entry.about in scored)
    return tuple(entry.text for entry in about if _matches(name, entry.sets))


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _of_entry(entry: _Figures) -> Iterator[PublishedFigure]:
    for system, values in entry.systems.items():
        for measure, value in values.items():
            yield PublishedFigure(
                measure=measure, system=system, value=value, source=entry.source, comparable=entry.comparable
            )


def _of_table(table: _Table, name: str, path: Path) -> Iterator[PublishedFigure]:
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), start=2):
            try:
                if row[table.rows] == name.rsplit("/", 1)[-1]:
                    yield from _of_row(table, row)
            except (KeyError, TypeError, ValueError) as error:
                raise EvaluationError(
                    f"{str(path)!r}, line {number}, cannot be read ({error!r}): "
                    "correct the line, or eval/benchmarks/sets/published.toml when the columns have changed."
                ) from error


def _of_row(table: _Table, row: Mapping[str, str]) -> Iterator[PublishedFigure]:
    for column, measure in table.columns.items():
        yield PublishedFigure(
            measure=measure,
            system=", ".join(row[part] for part in table.systems),
            value=round(float(row[column]) / (100 if table.percent else 1), 4),
            source=table.source,
            comparable=table.comparable,
        )


@functools.lru_cache(maxsize=1)
def _published() -> _Published:
    text = files("eval.benchmarks.sets").joinpath("published.toml").read_text(encoding="utf-8")
    return _Published.model_validate(tomllib.loads(text))


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
    asked = ", the last turn alone" if one.query == "last" else ""
    return f"{one.name}{asked}: {one.questions} questions ({by}), {one.crashes} crashed"


def _printed_published(one: SetReport) -> Iterator[str]:
    """Yield a line for each place where figures were published, the measures that ours are beside in it."""
    for source, comparable in dict.fromkeys((figure.source, figure.comparable) for figure in one.published):
        figures = [figure for figure in one.published if (figure.source, figure.comparable) == (source, comparable)]
        by_measure = (
            f"{measure}: "
            + ", ".join(f"{figure.value:.3f} ({figure.system})" for figure in figures if figure.measure == measure)
            for measure in dict.fromkeys(figure.measure for figure in figures)
        )
        yield f"published: {'; '.join(by_measure)} [{source}; {comparable}]"


Results = Sequence[tuple[BenchmarkSet, Sequence[Answered]]]

_LOWER_BOUNDS = (
    "Answering retrieves a few chunks only, so the measures at 10 are lower bounds: --retrieval-only goes further down."
)


class AnswersRecord(Record):
    """Where the answers of one collection are kept, and what they depend on."""

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


def report_sets(results: Results) -> list[SetReport]:
    """Return the report of each set."""
    return [_report(one.name, [(one, answered)], one.name, one.folder, one.protocol.names) for one, answered in results]


def report_pools(results: Results) -> list[SetReport]:
    """Return the report of each pool that several of the sets belong to, for each way they were asked."""
    sizes = Counter((one.protocol.pool, one.query) for one, _ in results if one.protocol.pool)
    return [
        _report(
            f"{pool}, {size} sets",
            [pair for pair in results if (pair[0].protocol.pool, pair[0].query) == (pool, form)],
            pool,
            None,
            {},
        )
        for (pool, form), size in sizes.items()
        if size > 1
    ]


def _report(name: str, results: Results, published_as: str, folder: Path | None, names: Mapping[str, str]) -> SetReport:
    outcomes = [outcome for chosen, answered in results for outcome in _outcomes(chosen, answered)]
    metrics = {names.get(key, key): metric for key, metric in summarise_outcomes(outcomes).items()}
    return SetReport(
        name=name,
        query=results[0][0].query,
        questions=len(outcomes),
        crashes=sum(one.answer.kind == "crash" for one in outcomes),
        answered_by=dict(Counter(one.answer.answerer for one in outcomes if one.answer.kind != "crash")),
        metrics=metrics,
        published=tuple(one for one in published_figures(published_as, folder) if one.measure in _scored(metrics)),
        warnings=(*warnings_about(published_as, _scored(metrics)), *_about_the_run(results, outcomes, metrics)),
        thresholds=threshold_table(outcomes),
        answers=tuple(
            AnswersRecord(path=str(one.path), measured=one.measured) for _, answered in results for one in answered
        ),
    )


def _outcomes(chosen: BenchmarkSet, answered: Sequence[Answered]) -> list[Outcome]:
    return pair_up(chosen, [answer for one in answered for answer in one.answers])


def _about_the_run(results: Results, outcomes: Sequence[Outcome], metrics: Mapping[str, Metric]) -> list[str]:
    left_out = sum(chosen.left_out for chosen, _ in results)
    warnings = []
    if left_out:
        warnings.append(f"Questions left out: {left_out}. Published figures are over whole sets.")
    if "recall_at_10" in _scored(metrics) and any(one.answer.kind not in {"search", "crash"} for one in outcomes):
        warnings.append(_LOWER_BOUNDS)
    return warnings


def _scored(metrics: Mapping[str, Metric]) -> set[str]:
    return {name for name, metric in metrics.items() if metric.n}
