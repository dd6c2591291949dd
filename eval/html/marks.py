"""Marks that several plots are made of: intervals, dots and named rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from matplotlib.axes import Axes

from bot.web.invisible import visible
from eval.html.svg import FIRST
from eval.measures.interval import Metric

# With more dots than this, those inside the whiskers are only ink.
MAXIMUM_DOTS = 120
_LONGEST_NAME = 28


def draw_intervals(axes: Axes, metrics: Sequence[Metric], colour: str, label: str | None = None) -> None:
    """Draw one metric a row: its value as a dot, its interval as a line."""
    axes.errorbar(
        [metric.value or 0.0 for metric in metrics], range(len(metrics)), xerr=reach(metrics),
        color=colour, linestyle="", marker="o", markersize=5, elinewidth=1.6, label=label,
    )  # fmt: skip


def draw_dots(axes: Axes, row: int, values: Sequence[float]) -> None:
    """Draw the values of a row as dots beside each other, always the same way."""
    shown = numpy.asarray(values)
    if len(shown) > MAXIMUM_DOTS:
        low, high = numpy.quantile(shown, [0.05, 0.95])
        shown = shown[(shown < low) | (shown > high)]
    spread = numpy.random.default_rng(row).uniform(-0.2, 0.2, len(shown))
    axes.plot(shown, row + spread, linestyle="", marker="o", markersize=2, color=FIRST, alpha=0.45, markeredgewidth=0)


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows, the first at the top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def reach(metrics: Sequence[Metric]) -> list[list[float]]:
    """Return how far the intervals reach below and above their values, as Matplotlib wants it."""
    values = [(metric.value or 0.0, metric.low or 0.0, metric.high or 0.0) for metric in metrics]
    return [
        [max(0.0, value - low) for value, low, _ in values],
        [max(0.0, high - value) for value, _, high in values],
    ]


def short(name: str) -> str:
    """Return a name as it fits beside a row."""
    shown = " ".join(visible(name).split())
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"
