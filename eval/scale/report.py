"""What was found of each size: seconds, bytes, memory and waiting times."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from eval.origin import Origin
from eval.whole_file import write_whole

_MIB = 1024 * 1024


class Rates(BaseModel):
    """Milliseconds a chunk that real documents cost and made-up ones do not: cutting and embedding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split_ms: float
    embed_ms: float


class Size(BaseModel):
    """An index of one size.

    Attributes:
        seconds: Of each stage of the build, over all the runs it took; without cutting and embedding.
        disk_bytes: Of each part.
        before_mib: Memory of a process with the embedding model, before it opened the index.
        after_mib: The same after it has answered every question.
        open_seconds: Until the index was ready.
        evidence_ms: From each question to its evidence.
        retrieve_ms: The part of it that is retrieval, with embedding the question.
        vectors_ms: The search by vectors alone.
        keywords_ms: The search by words alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chunks: int
    seconds: dict[str, float]
    disk_bytes: dict[str, int]
    before_mib: float
    after_mib: float
    open_seconds: float
    evidence_ms: tuple[float, ...]
    retrieve_ms: tuple[float, ...]
    vectors_ms: tuple[float, ...]
    keywords_ms: tuple[float, ...]

    def build_seconds(self, rates: Rates) -> float:
        """Return how long real documents of this size would take: what was measured, and cutting and embedding."""
        return sum(self.seconds.values()) + self.chunks * (rates.split_ms + rates.embed_ms) / 1000

    def index_mib(self) -> float:
        """Return the memory that the index takes."""
        return self.after_mib - self.before_mib

    def disk_mib(self) -> float:
        """Return the room that the index takes on disk."""
        return sum(self.disk_bytes.values()) / _MIB


class ScaleReport(BaseModel):
    """All sizes, on one machine. The passages are made up: nothing here says anything about quality."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    passages: int
    questions: int
    rates: Rates
    sizes: tuple[Size, ...]
    processor: str
    memory_mib: int
    origin: Origin

    def write(self, path: Path) -> None:
        """Write the report to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_whole(path, self.model_dump_json(indent=2) + "\n")


def percentile(values: Sequence[float], share: int) -> float:
    """Return a percentile of waiting times."""
    return float(numpy.percentile(values, share)) if values else float("nan")


def print_scale(report: ScaleReport, console: Console) -> None:
    """Print a column for each size."""
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{report.dataset}, varied")
    for size in report.sizes:
        table.add_column(f"{size.chunks:,} chunks", justify="right")
    stages = dict.fromkeys(stage for size in report.sizes for stage in size.seconds)
    for stage in stages:
        table.add_row(f"{stage}, s", *(f"{size.seconds.get(stage, 0):.1f}" for size in report.sizes))
    table.add_row("build with real embedding, s", *(f"{size.build_seconds(report.rates):.0f}" for size in report.sizes))
    parts = dict.fromkeys(part for size in report.sizes for part in size.disk_bytes)
    for part in parts:
        table.add_row(f"{part}, MiB on disk", *(f"{size.disk_bytes.get(part, 0) / _MIB:.0f}" for size in report.sizes))
    table.add_row("memory of the index, MiB", *(f"{size.index_mib():.0f}" for size in report.sizes))
    table.add_row("more for 100,000 chunks more, MiB", *_growth(report.sizes))
    table.add_row("memory of the process, MiB", *(f"{size.after_mib:.0f}" for size in report.sizes))
    table.add_row("open, s", *(f"{size.open_seconds:.1f}" for size in report.sizes))
    for title, values in (
        ("evidence", [size.evidence_ms for size in report.sizes]),
        ("retrieve", [size.retrieve_ms for size in report.sizes]),
        ("vectors", [size.vectors_ms for size in report.sizes]),
        ("keywords", [size.keywords_ms for size in report.sizes]),
    ):
        cells = (f"{percentile(some, 50):.0f} / {percentile(some, 95):.0f}" for some in values)
        table.add_row(f"{title} p50 / p95, ms", *cells)
    console.print(table)
    console.print(
        f"A chunk of real text costs {report.rates.split_ms:.1f} ms to cut and {report.rates.embed_ms:.1f} ms to embed "
        "here; the vectors of made-up passages are made up too."
    )


def _growth(sizes: Sequence[Size]) -> list[str]:
    """Return what each size takes more than the one before it, for 100,000 chunks; nothing for the first."""
    grown = [
        (large.index_mib() - small.index_mib()) * 100_000 / (large.chunks - small.chunks)
        for small, large in pairwise(sizes)
    ]
    return ["", *(f"{mib:.0f}" for mib in grown)]
