"""The plots of a run: Matplotlib figures as inline SVG, their text as text and in the colours of the page's themes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
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

from bot.web.page.render_html import visible
from eval.measures.interval import Metric
from eval.measures.scoring import percentile
from eval.report.change import RunChange
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
_NAMES = ("ink", "grey", "rule", "first", "second", "third")
_INK, _GREY, _RULE, _FIRST, _SECOND, _THIRD = _DRAWN = tuple(f"#0000{number:02x}" for number in range(1, 7))
_PAGE_COLOURS = {drawn: f"var(--{name})" for drawn, name in zip(_DRAWN, _NAMES, strict=True)}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "font.family": "DejaVu Sans",
    "font.size": 8.8,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": _INK,
    "axes.labelcolor": _GREY,
    "axes.labelsize": 8.8,
    "axes.edgecolor": _RULE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _RULE,
    "grid.linewidth": 0.6,
    "xtick.color": _RULE,
    "ytick.color": _RULE,
    "xtick.labelcolor": _GREY,
    "ytick.labelcolor": _INK,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "lines.linewidth": 1.6,
}
_FONT = re.compile(r"font-family:[^;]*;?\s*")
_XLINK = "{http://www.w3.org/1999/xlink}href"
_WIDTH = 4.7  # inches of 72 units: a phone shows the figure at its own size, a desktop a little larger
_ROW = 0.2  # inches
_DASHES = (0, (4, 3))
_MAXIMUM_TAGS = 40
_MAXIMUM_DOTS = 120  # with more dots, those inside the whiskers only hide each other
_LONGEST_NAME = 28


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


def build_plots(report: RunReport, change: RunChange | None) -> list[Plot]:
    """Return all plots of a report in the order of the page."""
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # The browser has the glyphs that Matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        plots = [
            _plot_tags(report),
            _plot_reliability(reliability(report)),
            _plot_trade_off(trade_off(report)),
            _plot_latency(report),
            _plot_blame(report),
        ]
        return [*plots, _plot_change(change)] if change else plots


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _inline(figure: Figure, name: str, alternative: str) -> Markup:
    """Return a figure as SVG inside HTML: `name` is unique on the page, `alternative` tells what the figure shows."""
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(file.getvalue().encode(), parser)
    for element in list(root.iter("{*}metadata", "{*}style")):
        element.getparent().remove(element)
    for element in root.iter("{*}*"):
        # Names of groups repeat from figure to figure; those of markers and clips are hashes salted with the name.
        if etree.QName(element).localname == "g":
            element.attrib.pop("id", None)
        if _XLINK in element.attrib:
            element.set("href", element.attrib.pop(_XLINK))
        if "style" in element.attrib:
            style = _FONT.sub("", element.attrib["style"])
            for drawn, shown in _PAGE_COLOURS.items():
                style = style.replace(drawn, shown)
            element.set("style", style)
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    for attribute, value in (("role", "img"), ("aria-label", alternative), ("class", "plot")):
        root.set(attribute, value)
    return Markup(etree.tostring(root, encoding="unicode"))  # noqa: S704  serialised, so every text in it is escaped


def _draw_intervals(axes: Axes, metrics: Sequence[Metric], colour: str, label: str | None = None) -> None:
    axes.errorbar(
        [metric.value or 0.0 for metric in metrics], range(len(metrics)), xerr=_reach(metrics),
        color=colour, linestyle="", marker="o", markersize=5, elinewidth=1.6, label=label,
    )  # fmt: skip


def _draw_dots(axes: Axes, row: int, values: Sequence[float]) -> None:
    """Draw the values of a row as dots beside each other, always the same way."""
    shown = numpy.asarray(values)
    if len(shown) > _MAXIMUM_DOTS:
        low, high = numpy.quantile(shown, [0.05, 0.95])
        shown = shown[(shown < low) | (shown > high)]
    spread = numpy.random.default_rng(row).uniform(-0.2, 0.2, len(shown))
    axes.plot(shown, row + spread, linestyle="", marker="o", markersize=2, color=_FIRST, alpha=0.45, markeredgewidth=0)


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _reach(metrics: Sequence[Metric]) -> list[list[float]]:
    """Return how far the intervals reach below and above their values, as Matplotlib wants it."""
    values = [(metric.value or 0.0, metric.low or 0.0, metric.high or 0.0) for metric in metrics]
    return [
        [max(0.0, value - low) for value, low, _ in values],
        [max(0.0, high - value) for value, _, high in values],
    ]


def _short(name: str) -> str:
    shown = " ".join(visible(name).split())
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "…"


def _plot_tags(report: RunReport) -> Plot:
    title, rows = "Right answers by tag", correct_by_tag(report)
    if not rows:
        return Plot("tags", title, Markup(), "No answerable question has a tag.")
    left_out = len(rows) - _MAXIMUM_TAGS
    rows = rows[:_MAXIMUM_TAGS]
    alternative = "Share of right answers by tag: " + "; ".join(
        f"{row.tag} {_share(row.metric)} of {row.metric.n}" for row in rows
    )
    figure = _figure(0.7 + _ROW * len(rows))
    axes = figure.add_subplot()
    overall = report.metrics["answer_correct"].value
    if overall is not None:
        axes.axvline(overall, color=_GREY, linestyle=_DASHES, linewidth=1)
    _draw_intervals(axes, [row.metric for row in rows], _FIRST)
    _name_rows(axes, [f"{_short(row.tag)} ({row.metric.n})" for row in rows])
    axes.set(xlim=(-0.02, 1.02), xlabel="share of answerable questions answered rightly")
    unscored = sorted(tag for tag, one in report.by_tag.items() if not one.metrics["answer_correct"].n)
    caption = "Bars are 95% intervals, the number of questions stands in brackets; the dashed line is all questions."
    if unscored:
        caption += f" Without an answerable question: {', '.join(unscored)}."
    if left_out > 0:
        caption += f" {count(left_out, 'stronger tag')} left out."
    return Plot("tags", title, _inline(figure, "tags", visible(alternative)), caption)


def _plot_reliability(bins: Sequence[ConfidenceBin]) -> Plot:
    title = "Calibration"
    if not bins:
        return Plot("calibration", title, Markup(), "Nothing was answered, so there is no confidence to look at.")
    alternative = "Share of right answers by confidence: " + "; ".join(
        f"{one.low:.1f} to {one.low + 0.1:.1f}: {_share(one.right)} of {one.right.n}" for one in bins
    )
    figure = _figure(3.3)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    upper.plot([0, 1], [0, 1], color=_GREY, linestyle=_DASHES, linewidth=1)
    shares = [one.right.value for one in bins]
    upper.errorbar(
        [one.confidence for one in bins],
        shares,
        yerr=_reach([one.right for one in bins]),
        color=_FIRST, marker="o", markersize=5, linewidth=1.2, elinewidth=1.4,
    )  # fmt: skip
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.05), ylabel="share that were right")
    lower.bar([one.low + 0.05 for one in bins], [one.right.n for one in bins], width=0.092, color=_FIRST, alpha=0.45)
    for one in bins:
        lower.annotate(str(one.right.n), (one.low + 0.05, one.right.n), (0, 2), textcoords="offset points", ha="center")
    lower.set(xlabel="confidence of the answer", ylabel="answers", yticks=[])
    lower.margins(y=0.4)
    lower.grid(visible=False)
    caption = "On the dashed line confidence means what it says; above it the chatbot is too modest, below too sure. "
    caption += "Only answers are looked at, refusals are not; an answer to an unanswerable question was wrong."
    return Plot("calibration", title, _inline(figure, "calibration", alternative), caption)


def _plot_trade_off(trade: TradeOff | None) -> Plot:
    title = "Answering against refusing"
    if trade is None or not trade.answerable or not trade.unanswerable:
        why = "It takes answerable and unanswerable questions, and a run that records its refusal threshold."
        return Plot("threshold", title, Markup(), why)
    own = trade.thresholds.index(trade.own_threshold)
    alternative = (
        f"At the run's threshold {trade.own_threshold:g}, {trade.answered[own]:.0%} of the {trade.answerable} "
        f"answerable questions are answered, {trade.right[own] or 0:.0%} rightly, and {trade.refused[own]:.0%} of the "
        f"{trade.unanswerable} unanswerable ones are refused."
    )
    figure = _figure(3.1)
    axes = figure.add_subplot()
    axes.axvspan(0, trade.own_threshold, color=_RULE, alpha=0.35, linewidth=0)
    axes.axvline(trade.own_threshold, color=_INK, linewidth=1)
    # Between two thresholds that were looked at, nothing changes but at the second.
    curves = (
        (trade.refused, _SECOND, "-", "unanswerable, refused"),
        (trade.answered, _FIRST, (0, (5, 2)), "answerable, answered"),
        ([numpy.nan if share is None else share for share in trade.right], _THIRD, (0, (1.5, 1.5)), "… and rightly"),
    )
    for shares, colour, line, label in curves:
        axes.plot(trade.thresholds, shares, color=colour, linestyle=line, label=label, drawstyle="steps-pre")
    axes.annotate(
        f"this run: {trade.own_threshold:g}", (trade.own_threshold, 1.02), (4, 0), textcoords="offset points",
        color=_INK, va="bottom",
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.1), xlabel="refusal threshold", ylabel="share of questions")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    figure.legend(loc="outside upper left", ncols=2, handlelength=2.2, columnspacing=1.4)
    caption = (
        f"{count(trade.answerable, 'answerable question')}, {count(trade.unanswerable, 'unanswerable one')}. "
        "In the shaded part nothing is known but the confidence: answers below the run's own threshold were not "
        "shown, so whether they would have been right is not known."
    )
    return Plot("threshold", title, _inline(figure, "threshold", alternative), caption)


def _plot_latency(report: RunReport) -> Plot:
    title, times = "Waiting", stage_times(report)
    total = numpy.asarray(times.get("total", ()), dtype=numpy.float64)
    if not len(total):
        return Plot("latency", title, Markup(), "No waiting times were recorded.")
    half, most = percentile(total, 0.50), percentile(total, 0.95)
    stages = [f"{stage} {_milliseconds(percentile(numpy.asarray(values), 0.5))}" for stage, values in times.items()]
    alternative = f"Median milliseconds of each stage: {'; '.join(stages)}; 95% of all within {_milliseconds(most)}"
    figure = _figure(0.75 + 0.3 * len(times))
    axes = figure.add_subplot()
    box, line = {"color": _FIRST, "linewidth": 1.1}, {"color": _INK, "linewidth": 1.6}
    axes.boxplot(
        list(times.values()), positions=range(len(times)), orientation="horizontal", whis=(5, 95), widths=0.55,
        showfliers=False, boxprops=box, whiskerprops=box, capprops=box, medianprops=line, manage_ticks=False,
    )  # fmt: skip
    for row, values in enumerate(times.values()):
        _draw_dots(axes, row, values)
    for name, value, side in (("p50", half, "right"), ("p95", most, "left")):
        axes.axvline(value, color=_SECOND, linewidth=1, linestyle=_DASHES)
        axes.annotate(
            f"{name} {_milliseconds(value)}", (value, -0.7), (-3 if side == "right" else 3, 0),
            textcoords="offset points", ha=side, va="bottom", color=_INK,
        )  # fmt: skip
    axes.set_xscale("symlog", linthresh=1, linscale=0.3)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _milliseconds(value) if value else "0"))
    axes.set(xlim=(0, max(10.0, max(map(max, times.values())) * 2.5)), xlabel="time, logarithmic above 1 ms")
    _name_rows(axes, [f"{_short(stage)} ({len(values)})" for stage, values in times.items()])
    axes.set_ylim(len(times) - 0.4, -1.3)
    caption = "Boxes hold the middle half of the replies that went through a stage (how many, in brackets), whiskers "
    caption += "the middle 90%; dots are single replies"
    caption += "." if len(total) <= _MAXIMUM_DOTS else " outside the whiskers."
    return Plot("latency", title, _inline(figure, "latency", visible(alternative)), caption)


def _plot_blame(report: RunReport) -> Plot:
    title, counts = "Who lost the answer", blame_counts(report)
    failed = sum(1 for _ in report.failures())
    if counts is None:
        nobody = "Which stage lost the answers was not looked for in this run." if failed else "No question failed."
        return Plot("blame", title, Markup(), nobody)
    alternative = "Failures by stage: " + "; ".join(f"{stage} {number}" for stage, number in counts.items())
    figure = _figure(0.6 + 0.24 * len(counts))
    axes = figure.add_subplot()
    axes.barh(range(len(counts)), list(counts.values()), height=0.62, color=_FIRST)
    for row, number in enumerate(counts.values()):
        axes.annotate(str(number), (number, row), (4, 0), textcoords="offset points", va="center")
    _name_rows(axes, list(counts))
    axes.set(xlabel="failed questions", xticks=[], xlim=(0, max(counts.values()) * 1.12))
    axes.grid(visible=False)
    caption = f"The first stage that lost the answer, for {sum(counts.values())} of {count(failed, 'failed question')}."
    return Plot("blame", title, _inline(figure, "blame", alternative), caption)


def _plot_change(change: RunChange) -> Plot:
    title = "Since the previous run"
    rows = [row for row in change.measures if row.difference is not None and not row.name.endswith("_ms")]
    if not rows:
        return Plot("change", title, Markup(), "The runs share no measure.")
    alternative = "Change of each measure: " + "; ".join(f"{row.name} {row.difference:+.3f}" for row in rows)
    figure = _figure(0.9 + _ROW * len(rows))
    axes = figure.add_subplot()
    _draw_intervals(axes, [row.now for row in rows], _FIRST, label="this run")
    places = range(len(rows))
    axes.plot(
        [row.before.value or 0.0 for row in rows], places, linestyle="", marker="D", markersize=5,
        markerfacecolor="none", markeredgecolor=_SECOND, label="previous run",
    )  # fmt: skip
    _name_rows(axes, [row.name for row in rows])
    axes.set(xlim=(-0.02, 1.02), xlabel="value, with the 95% interval of this run")
    figure.legend(loc="outside upper left", ncols=2)
    caption = "Each run over its own questions; for differences that can be trusted, compare the same questions."
    return Plot("change", title, _inline(figure, "change", alternative), caption)


def _share(metric: Metric) -> str:
    return "-" if metric.value is None else f"{metric.value:.2f}"


def _milliseconds(value: float) -> str:
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.0f} ms"
