"""Growth curves: waiting times, room and build time against the number of chunks, as one SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from eval.scale.report import ScaleReport, Size, percentile
from eval.whole_file import write_whole

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
    write_whole(path, file.getvalue())


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
