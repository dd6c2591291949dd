"""Matplotlib figures as inline SVG: text stays text, colours are those of the page in both themes.

Marks that several plots are made of: intervals, dots and named rows.

The plots of a run: what each shows, how it is drawn, and what it says to who cannot see it.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy
from lxml import etree
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bot.web.page.render import visible
from eval.measures.interval import Metric
from eval.measures.scoring import percentile
from eval.report.change import Change
from eval.report.figures import (
    ConfidenceBin,
    TradeOff,
    blame_counts,
    correct_by_tag,
    count,
    reliability,
    stage_times,
    trade_off,
)
from eval.report.report import RunReport

# Matplotlib knows no CSS, so it draws in colours that nothing else uses, and these become the page's.
INK, GREY, RULE, FIRST, SECOND, THIRD = (f"#0000{number:02x}" for number in range(1, 7))
_PAGE_COLOURS = {
    INK: "var(--ink)",
    GREY: "var(--grey)",
    RULE: "var(--rule)",
    FIRST: "var(--first)",
    SECOND: "var(--second)",
    THIRD: "var(--third)",
}
_STYLE: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "font.family": "DejaVu Sans",
    "font.size": 8.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": GREY,
    "axes.labelsize": 8.8,
    "axes.edgecolor": RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": GREY,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.6,
}
_FONT = re.compile(r"font-family:[^;]*;?\s*")
_REFERENCE = re.compile(r"#([\w.-]+)")
_XLINK = "{http://www.w3.org/1999/xlink}href"
WIDTH = 4.7  # inches of 72 units: a phone shows the figure at its own size, a desk a little larger


class Drawing:
    """A figure in the making; `markup` is there once its `draw` block has ended."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.markup = Markup("")

    def axes(self) -> Axes:
        """Return the only axes of the figure."""
        return self.figure.add_subplot()


@contextmanager
def draw(name: str, height: float, alternative: str) -> Iterator[Drawing]:
    """Yield a drawing and render it at the end.

    Args:
        name: Unique on the page.
        height: In inches; the width is `WIDTH`.
        alternative: What the figure shows, for who cannot see it.
    """
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": name}), warnings.catch_warnings():
        # The browser has the glyphs that Matplotlib's own face lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        drawing = Drawing(figure)
        yield drawing
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    drawing.markup = _inline(file.getvalue(), name, alternative)


def _inline(svg: str, name: str, alternative: str) -> Markup:
    root = etree.fromstring(svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    for element in list(root.iter("{*}metadata", "{*}style")):
        element.getparent().remove(element)
    used = {found for value in _values(root) for found in _REFERENCE.findall(value)}
    for element in root.iter("{*}*"):
        _clean(element, used, name)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-label", alternative)
    root.set("class", "plot")
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704  serialised, so every text in it is escaped


def _values(root: etree._Element) -> Iterator[str]:
    for element in root.iter("{*}*"):
        for attribute in (_XLINK, "clip-path"):
            if attribute in element.attrib:
                yield element.attrib[attribute]


def _clean(element: etree._Element, used: set[str], name: str) -> None:
    """Make the identifiers of one element unique on the page, and its look that of the page."""
    identifier = element.attrib.pop("id", None)
    if identifier in used:
        element.set("id", f"{name}-{identifier}")
    if _XLINK in element.attrib:
        element.set("href", _REFERENCE.sub(rf"#{name}-\1", element.attrib.pop(_XLINK)))
    if "clip-path" in element.attrib:
        element.set("clip-path", _REFERENCE.sub(rf"#{name}-\1", element.attrib["clip-path"]))
    if "style" in element.attrib:
        style = _FONT.sub("", element.attrib["style"])
        for drawn, shown in _PAGE_COLOURS.items():
            style = style.replace(drawn, shown)
        element.set("style", style)


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


_MAXIMUM_TAGS = 40
_ROW = 0.2  # inches


@dataclass(frozen=True, slots=True)
class Plot:
    """One plot on the page.

    Attributes:
        name: Unique on the page.
        svg: The drawing; empty when there is nothing to draw, and then the caption says why.
        caption: How to read it, and what it rests on.
    """

    name: str
    title: str
    svg: Markup
    caption: str


def build_plots(report: RunReport, change: Change | None) -> list[Plot]:
    """Return all plots of a report in the order of the page."""
    plots = [
        plot_tags(report),
        plot_reliability(reliability(report)),
        plot_trade_off(trade_off(report)),
        plot_latency(report),
        plot_blame(report),
    ]
    return [*plots, plot_change(change)] if change else plots


def plot_tags(report: RunReport) -> Plot:
    """Plot `answer_correct` by tag with its intervals, the weakest tag at the top."""
    title, rows = "Right answers by tag", correct_by_tag(report)
    if not rows:
        return Plot("tags", title, Markup(""), "No answerable question has a tag.")
    left_out = len(rows) - _MAXIMUM_TAGS
    rows = rows[:_MAXIMUM_TAGS]
    alternative = "Share of right answers by tag: " + "; ".join(
        f"{row.tag} {_share(row.metric)} of {row.metric.n}" for row in rows
    )
    with draw("tags", 0.7 + _ROW * len(rows), visible(alternative)) as drawing:
        axes = drawing.axes()
        overall = report.metrics["answer_correct"].value
        if overall is not None:
            axes.axvline(overall, color=GREY, linestyle=(0, (4, 3)), linewidth=1)
        draw_intervals(axes, [row.metric for row in rows], FIRST)
        name_rows(axes, [f"{short(row.tag)} ({row.metric.n})" for row in rows])
        axes.set(xlim=(-0.02, 1.02), xlabel="share of answerable questions answered rightly")
    unscored = sorted(tag for tag, one in report.by_tag.items() if not one.metrics["answer_correct"].n)
    caption = "Bars are 95% intervals, the number of questions stands in brackets; the dashed line is all questions."
    if unscored:
        caption += f" Without an answerable question: {', '.join(unscored)}."
    if left_out > 0:
        caption += f" {count(left_out, 'stronger tag')} left out."
    return Plot("tags", title, drawing.markup, caption)


def plot_reliability(bins: Sequence[ConfidenceBin]) -> Plot:
    """Plot the share of right answers against the confidence they were given with, and how many there are."""
    title = "Calibration"
    if not bins:
        return Plot("calibration", title, Markup(""), "Nothing was answered, so there is no confidence to look at.")
    alternative = "Share of right answers by confidence: " + "; ".join(
        f"{one.low:.1f} to {one.low + 0.1:.1f}: {_share(one.right)} of {one.right.n}" for one in bins
    )
    with draw("calibration", 3.3, alternative) as drawing:
        upper, lower = drawing.figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        upper.plot([0, 1], [0, 1], color=GREY, linestyle=(0, (4, 3)), linewidth=1)
        shares = [one.right.value for one in bins]
        upper.errorbar(
            [one.confidence for one in bins],
            shares,
            yerr=reach([one.right for one in bins]),
            color=FIRST, marker="o", markersize=5, linewidth=1.2, elinewidth=1.4,
        )  # fmt: skip
        upper.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.05), ylabel="share that were right")
        lower.bar([one.low + 0.05 for one in bins], [one.right.n for one in bins], width=0.092, color=FIRST, alpha=0.45)
        for one in bins:
            lower.annotate(
                str(one.right.n), (one.low + 0.05, one.right.n), (0, 2), textcoords="offset points", ha="center"
            )
        lower.set(xlabel="confidence of the answer", ylabel="answers", yticks=[])
        lower.margins(y=0.4)
        lower.grid(visible=False)
    caption = "On the dashed line confidence means what it says; above it the chatbot is too modest, below too sure. "
    caption += "Only answers are looked at, refusals are not; an answer to an unanswerable question was wrong."
    return Plot("calibration", title, drawing.markup, caption)


def plot_trade_off(trade: TradeOff | None) -> Plot:
    """Plot what other refusal thresholds would have answered and refused."""
    title = "Answering against refusing"
    if trade is None or not trade.answerable or not trade.unanswerable:
        why = "It takes answerable and unanswerable questions, and a run that records its refusal threshold."
        return Plot("threshold", title, Markup(""), why)
    own = trade.thresholds.index(trade.own_threshold)
    alternative = (
        f"At the run's threshold {trade.own_threshold:g}, {trade.answered[own]:.0%} of the {trade.answerable} "
        f"answerable questions are answered, {trade.right[own] or 0:.0%} rightly, and {trade.refused[own]:.0%} of the "
        f"{trade.unanswerable} unanswerable ones are refused."
    )
    with draw("threshold", 3.1, alternative) as drawing:
        axes = drawing.axes()
        axes.axvspan(0, trade.own_threshold, color=RULE, alpha=0.35, linewidth=0)
        axes.axvline(trade.own_threshold, color=INK, linewidth=1)
        # Between two thresholds that were looked at, nothing changes but at the second.
        curves = (
            (trade.refused, SECOND, "-", "unanswerable, refused"),
            (trade.answered, FIRST, (0, (5, 2)), "answerable, answered"),
            ([numpy.nan if share is None else share for share in trade.right], THIRD, (0, (1.5, 1.5)), "… and rightly"),
        )
        for shares, colour, line, label in curves:
            axes.plot(trade.thresholds, shares, color=colour, linestyle=line, label=label, drawstyle="steps-pre")
        axes.annotate(
            f"this run: {trade.own_threshold:g}", (trade.own_threshold, 1.02), (4, 0), textcoords="offset points",
            color=INK, va="bottom",
        )  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(0, 1.1), xlabel="refusal threshold", ylabel="share of questions")
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
        drawing.figure.legend(loc="outside upper left", ncols=2, handlelength=2.2, columnspacing=1.4)
    caption = (
        f"{count(trade.answerable, 'answerable question')}, {count(trade.unanswerable, 'unanswerable one')}. "
        "In the shaded part nothing is known but the confidence: answers below the run's own threshold were not "
        "shown, so whether they would have been right is not known."
    )
    return Plot("threshold", title, drawing.markup, caption)


def plot_latency(report: RunReport) -> Plot:
    """Plot how long each stage took, and the total with its percentiles."""
    title, times = "Waiting", stage_times(report)
    total = numpy.asarray(times.get("total", ()), dtype=numpy.float64)
    if not len(total):
        return Plot("latency", title, Markup(""), "No waiting times were recorded.")
    half, most = percentile(total, 0.50), percentile(total, 0.95)
    stages = [f"{stage} {_milliseconds(percentile(numpy.asarray(values), 0.5))}" for stage, values in times.items()]
    alternative = f"Median milliseconds of each stage: {'; '.join(stages)}; 95% of all within {_milliseconds(most)}"
    with draw("latency", 0.75 + 0.3 * len(times), visible(alternative)) as drawing:
        axes = drawing.axes()
        box, line = {"color": FIRST, "linewidth": 1.1}, {"color": INK, "linewidth": 1.6}
        axes.boxplot(
            list(times.values()), positions=range(len(times)), orientation="horizontal", whis=(5, 95), widths=0.55,
            showfliers=False, boxprops=box, whiskerprops=box, capprops=box, medianprops=line, manage_ticks=False,
        )  # fmt: skip
        for row, values in enumerate(times.values()):
            draw_dots(axes, row, values)
        for name, value, side in (("p50", half, "right"), ("p95", most, "left")):
            axes.axvline(value, color=SECOND, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                f"{name} {_milliseconds(value)}", (value, -0.7), (-3 if side == "right" else 3, 0),
                textcoords="offset points", ha=side, va="bottom", color=INK,
            )  # fmt: skip
        axes.set_xscale("symlog", linthresh=1, linscale=0.3)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _milliseconds(value) if value else "0"))
        axes.set(xlim=(0, max(10.0, max(map(max, times.values())) * 2.5)), xlabel="time, logarithmic above 1 ms")
        name_rows(axes, [f"{short(stage)} ({len(values)})" for stage, values in times.items()])
        axes.set_ylim(len(times) - 0.4, -1.3)
    caption = "Boxes hold the middle half of the replies that went through a stage (how many, in brackets), whiskers "
    caption += "the middle 90%; dots are single replies"
    caption += "." if len(total) <= MAXIMUM_DOTS else " outside the whiskers."
    return Plot("latency", title, drawing.markup, caption)


def plot_blame(report: RunReport) -> Plot:
    """Plot which stage lost the answers that failed."""
    title, counts = "Who lost the answer", blame_counts(report)
    failed = sum(1 for _ in report.failures())
    if counts is None:
        nobody = "Which stage lost the answers was not looked for in this run." if failed else "No question failed."
        return Plot("blame", title, Markup(""), nobody)
    alternative = "Failures by stage: " + "; ".join(f"{stage} {number}" for stage, number in counts.items())
    with draw("blame", 0.6 + 0.24 * len(counts), alternative) as drawing:
        axes = drawing.axes()
        axes.barh(range(len(counts)), list(counts.values()), height=0.62, color=FIRST)
        for row, number in enumerate(counts.values()):
            axes.annotate(str(number), (number, row), (4, 0), textcoords="offset points", va="center")
        name_rows(axes, list(counts))
        axes.set(xlabel="failed questions", xticks=[], xlim=(0, max(counts.values()) * 1.12))
        axes.grid(visible=False)
    caption = f"The first stage that lost the answer, for {sum(counts.values())} of {count(failed, 'failed question')}."
    return Plot("blame", title, drawing.markup, caption)


def plot_change(change: Change) -> Plot:
    """Plot the shares of both runs beside each other."""
    title = "Since the previous run"
    rows = [row for row in change.measures if row.difference is not None and not row.name.endswith("_ms")]
    if not rows:
        return Plot("change", title, Markup(""), "The runs share no measure.")
    alternative = "Change of each measure: " + "; ".join(f"{row.name} {row.difference:+.3f}" for row in rows)
    with draw("change", 0.9 + _ROW * len(rows), alternative) as drawing:
        axes = drawing.axes()
        draw_intervals(axes, [row.now for row in rows], FIRST, label="this run")
        places = range(len(rows))
        axes.plot(
            [row.before.value or 0.0 for row in rows], places, linestyle="", marker="D", markersize=5,
            markerfacecolor="none", markeredgecolor=SECOND, label="previous run",
        )  # fmt: skip
        name_rows(axes, [row.name for row in rows])
        axes.set(xlim=(-0.02, 1.02), xlabel="value, with the 95% interval of this run")
        drawing.figure.legend(loc="outside upper left", ncols=2)
    caption = "Each run over its own questions; for differences that can be trusted, compare the same questions."
    return Plot("change", title, drawing.markup, caption)


def _share(metric: Metric) -> str:
    return "-" if metric.value is None else f"{metric.value:.2f}"


def _milliseconds(value: float) -> str:
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.0f} ms"
