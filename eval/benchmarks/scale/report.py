"""Growth curves: waiting times, room and build time against the number of chunks, as one SVG.

What was found of each size: seconds, bytes, memory and waiting times.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from eval.errors import ReportError
from eval.run.origin import RunOrigin
from index.store.atomic_file import write_file

_STYLE: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "scale",
    "font.size": 9,
    "axes.grid": True,
    "grid.color": "#dddddd",
}


def plot_scale(report: ScaleReport, path: Path) -> None:
    """Draw the growth curves to an SVG file.

    Raises:
        ReportError: The file cannot be written.
    """
    sizes = sorted(report.sizes, key=lambda size: size.chunks)
    with matplotlib.rc_context({**_STYLE}):
        figure = Figure(figsize=(10, 3.4), layout="constrained", facecolor="white")
        FigureCanvasSVG(figure)
        waiting, room, build = figure.subplots(1, 3)
        _plot_waiting(waiting, sizes)
        _plot(
            room, sizes, {"disk": [size.disk_mib() for size in sizes], "memory": [size.index_mib() for size in sizes]}
        )
        room.set(ylabel="MiB", title="Room of the index")
        seconds = {
            stage: [size.seconds.get(stage, 0.0) for size in sizes] for stage in ("stage", "vectors", "keywords")
        }
        real = [size.build_seconds(report.rates) for size in sizes]
        _plot(build, sizes, {"all, with embedding": real, **seconds})
        build.set(ylabel="seconds", title="Build")
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    write_file(path, file.getvalue(), ReportError)


def _plot_waiting(axes: Axes, sizes: list[Size]) -> None:
    lines = {
        "evidence, p95": [percentile(size.evidence_ms, 95) for size in sizes],
        "evidence, p50": [percentile(size.evidence_ms, 50) for size in sizes],
        "retrieval, p50": [percentile(size.retrieve_ms, 50) for size in sizes],
        "words, p50": [percentile(size.keywords_ms, 50) for size in sizes],
        "vectors, p50": [percentile(size.vectors_ms, 50) for size in sizes],
    }
    _plot(axes, sizes, lines)
    axes.set(ylabel="milliseconds", title="Waiting")


def _plot(axes: Axes, sizes: list[Size], lines: dict[str, list[float]]) -> None:
    for name, values in lines.items():
        axes.plot([size.chunks for size in sizes], values, marker="o", markersize=4, label=name)
    axes.set(xscale="log", yscale="log", xlabel="chunks")
    axes.set_xticks([size.chunks for size in sizes])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.legend(frameon=False, fontsize=8)


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
    origin: RunOrigin

    def write(self, path: Path) -> None:
        """Write the report to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_file(path, self.model_dump_json(indent=2) + "\n", ReportError)


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
