"""The report of a benchmark: every number with its n and interval, and where the answers behind it are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.benchmark.confidence import ThresholdRow, threshold_table
from eval.benchmark.outcome import Outcome
from eval.benchmark.published import PublishedFigure, published_figures, warnings_about
from eval.benchmark.run import Answered
from eval.benchmark.score import pair_up, summarise_outcomes
from eval.benchmark.sets import BenchmarkSet, QueryForm
from eval.errors import ReportError
from eval.measures.interval import Metric
from eval.origin import Origin

Results = Sequence[tuple[BenchmarkSet, Sequence[Answered]]]

_LOWER_BOUNDS = (
    "Answering retrieves a few chunks only, so the measures at 10 are lower bounds: --retrieval-only goes further down."
)


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


class BenchmarkReport(_Frozen):
    """The result of a benchmark.

    Attributes:
        retrieval_only: Whether nothing was answered.
        mini: Whether only the small samples of the sets were asked.
        limit: Most questions of each set, or None.
        pools: Sets of one pool together, where there are several.
    """

    answerer: str
    retrieval_only: bool = False
    mini: bool
    limit: int | None
    started_at: datetime
    origin: Origin
    sets: tuple[SetReport, ...]
    pools: tuple[SetReport, ...]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return a report from its file.

        Raises:
            ReportError: The file cannot be read or is no report.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise ReportError(
                f"The report {str(path)!r} cannot be read ({error.strerror}): name an existing file."
            ) from error
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            where = ".".join(map(str, detail["loc"])) or "the whole file"
            raise ReportError(
                f"{str(path)!r} is no benchmark report ({where}: {detail['msg'].lower()}): "
                "name a file that footnote eval benchmark --out wrote."
            ) from error

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
