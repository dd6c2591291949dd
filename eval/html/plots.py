"""The plots of a run: what each shows, how it is drawn, and what it says to who cannot see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from bot.web.invisible import visible
from eval.html.change import Change
from eval.html.figures import (
    ConfidenceBin,
    TradeOff,
    blame_counts,
    correct_by_tag,
    reliability,
    stage_times,
    trade_off,
)
from eval.html.marks import MAXIMUM_DOTS, draw_dots, draw_intervals, name_rows, reach, short
from eval.html.svg import FIRST, GREY, INK, RULE, SECOND, THIRD, draw
from eval.html.words import count
from eval.measures.interval import Metric
from eval.measures.latency import percentile
from eval.report import RunReport

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
