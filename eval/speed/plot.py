"""A plot of a speed report: a small chart for each measure, because their units differ."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from eval.speed.report import MEASURES, SpeedReport

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
