"""A plot of a speed report: a small chart for each measure, because their units differ.

What a run of all contenders found, and its table: medians, their spread, and ratios within the run.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from eval.errors import ReportError
from eval.run.origin import RunOrigin
from index.store.atomic_file import write_file

_COLUMNS = 2
_WIDTH, _ROW_HEIGHT = 7.2, 1.35  # inches
_BAR, _INK, _GREY = "#4a6f8a", "#222222", "#777777"
_STYLE: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "speed",  # the same report gives the same file
    "font.family": "sans-serif",
    "font.size": 8.5,
    "text.color": _INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelcolor": _GREY,
    "axes.edgecolor": _GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "ytick.labelcolor": _INK,
}


def plot_speed(report: SpeedReport) -> str:
    """Return an SVG file: medians as bars, the range over all rounds as lines."""
    charts: list[tuple[str, Mapping[str, Sequence[float]]]] = [
        (title, {name: [one.value(measure) for one in runs] for name, runs in report.runs.items()})
        for measure, title in MEASURES.items()
    ]
    if report.page_seconds:
        served = {"page": report.page_seconds, "first evidence": report.first_evidence_seconds}
        charts.append(("footnote serve, s", served))
    rows = -(-len(charts) // _COLUMNS)
    with matplotlib.rc_context({**_STYLE}):
        figure = Figure(
            figsize=(_WIDTH, 0.5 + _ROW_HEIGHT * rows),
            layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.06),
            facecolor="white",
        )
        FigureCanvasSVG(figure)
        figure.suptitle(
            f"{report.documents} documents of {report.dataset}, {report.questions} questions, "
            f"median and range of {max(map(len, report.runs.values()))} rounds",
            fontsize=9,
        )
        figure.supxlabel(report.origin.machine(), fontsize=8, color=_GREY)
        places = figure.subplots(rows, _COLUMNS, squeeze=False).flatten()
        for axes, (title, values) in zip(places, charts, strict=False):
            _draw(axes, title, values)
        for unused in places[len(charts) :]:
            unused.remove()
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _draw(axes: Axes, title: str, values: Mapping[str, Sequence[float]]) -> None:
    what, _, unit = title.rpartition(", ")
    middles = [float(numpy.median(some)) for some in values.values()]
    below = [middle - min(some) for middle, some in zip(middles, values.values(), strict=True)]
    above = [max(some) - middle for middle, some in zip(middles, values.values(), strict=True)]
    axes.barh(range(len(values)), middles, xerr=[below, above], height=0.6, color=_BAR, ecolor=_INK, capsize=2)
    for row, (middle, reach) in enumerate(zip(middles, above, strict=True)):
        shown = f"{middle:.0f}" if middle >= 100 else f"{middle:.3g}"
        axes.annotate(shown, (middle + reach, row), (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(values)), list(values))
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.margins(x=0.18)
    axes.set_xlim(left=0)
    axes.set(title=what, xlabel=unit)


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
    origin: RunOrigin

    def write(self, path: Path) -> None:
        """Write the report to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_file(path, self.model_dump_json(indent=2) + "\n", ReportError)


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
