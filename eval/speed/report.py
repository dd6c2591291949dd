"""What a run of all contenders found, and its table: medians, their spread, and ratios within the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from eval.origin import Origin
from eval.whole_file import write_whole

# What the others are compared with.
BASELINE = "starter"
# By name, what each is called where it is shown.
MEASURES = {
    "load_seconds": "load, s",
    "index_seconds": "index, s",
    "index_again_seconds": "index again, s",
    "retrieve_p50_ms": "retrieve p50, ms",
    "retrieve_p95_ms": "retrieve p95, ms",
    "peak_mib": "peak memory, MiB",
}


class Timed(BaseModel):
    """One contender in one process: seconds, milliseconds, MiB."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    load_seconds: float
    index_seconds: float
    index_again_seconds: float
    retrieve_ms: tuple[float, ...]
    peak_mib: float

    def value(self, measure: str) -> float:
        """Return one of the measures by name."""
        if measure.startswith("retrieve_p"):
            share = int(measure.removeprefix("retrieve_p").removesuffix("_ms"))
            return float(numpy.percentile(self.retrieve_ms, share))
        return float(getattr(self, measure))


class SpeedReport(BaseModel):
    """All contenders over the same documents and questions.

    Attributes:
        runs: By contender, one for each round.
        page_seconds: From the command `footnote serve` to its page, one for each round.
        first_evidence_seconds: From the same command to the evidence of a question asked as soon as the page is there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    documents: int
    questions: int
    runs: dict[str, tuple[Timed, ...]]
    page_seconds: tuple[float, ...]
    first_evidence_seconds: tuple[float, ...]
    origin: Origin

    def write(self, path: Path) -> None:
        """Write the report to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_whole(path, self.model_dump_json(indent=2) + "\n")


def print_speed(report: SpeedReport, console: Console) -> None:
    """Print the median of each measure with its range, and how many times the baseline's it is."""
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{report.documents} documents of {report.dataset}")
    for name in report.runs:
        table.add_column(name, justify="right")
    for measure, title in MEASURES.items():
        baseline = [one.value(measure) for one in report.runs.get(BASELINE, ())]
        cells = [_cell([one.value(measure) for one in runs], baseline) for runs in report.runs.values()]
        table.add_row(title, *cells)
    console.print(table)
    for what, seconds in (("page", report.page_seconds), ("first evidence", report.first_evidence_seconds)):
        if seconds:
            console.print(f"footnote serve to its {what}: {_spread(seconds)} s")
    console.print(f"machine: {report.origin.machine()}")


def _cell(values: Sequence[float], baseline: Sequence[float]) -> str:
    if not baseline or list(values) == list(baseline):
        return _spread(values)
    # Ratios are of rounds, because a round's contenders ran one after another on the same machine.
    ratios = [one / other for one, other in zip(values, baseline, strict=True)]
    return f"{_spread(values)} ×{float(numpy.median(ratios)):.2g}"


def _spread(values: Sequence[float]) -> str:
    return f"{float(numpy.median(values)):.1f} ({min(values):.1f}-{max(values):.1f})"
