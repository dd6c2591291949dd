"""The numbers behind the plots, against hand-made reports."""

from __future__ import annotations

import pytest

from eval.measures.confidence import calibration_error
from eval.measures.interval import summarise
from eval.report.change import change_since
from eval.report.figures import blame_counts, correct_by_tag, reliability, stage_times, trade_off
from eval.report.plots import build_plots
from eval.report.report import Blame
from tests.support.synthetic_report import HOSTILE, VERDICTS, question, run_report


def test_tags_go_from_the_weakest_and_only_answerable_questions_count() -> None:
    report = run_report(
        [
            question("right", "a", tags=("fact", "date")),
            question("wrong", "b", tags=("fact",)),
            question("wrongly_refused", "c", tags=("list",)),
            question("rightly_refused", "d", tags=("near_miss", "date")),
            question("crashed", "e", tags=("fact",)),
        ]
    )
    rows = [(row.tag, row.metric.value, row.metric.n) for row in correct_by_tag(report)]
    assert rows == [("list", 0.0, 1), ("fact", 0.5, 2), ("date", 1.0, 1)]


def test_confidence_goes_into_tenths_and_refusals_do_not_count() -> None:
    questions = [
        question("right", "a", confidence=0.42),
        question("wrong", "b", confidence=0.48),
        question("right", "c", confidence=1.0),
        question("right", "d", confidence=0.95),
        question("wrongly_answered", "e", confidence=0.9),
        question("wrongly_refused", "f", confidence=0.3),
        question("crashed", "g"),
    ]
    bins = reliability(run_report(questions))
    assert [(one.low, one.right.n) for one in bins] == [(0.4, 2), (0.9, 3)]
    assert [one.confidence for one in bins] == pytest.approx([0.45, 0.95])
    assert [one.right.value for one in bins] == pytest.approx([1 / 2, 2 / 3])

    pairs = [(0.42, 1.0), (0.48, 0.0), (1.0, 1.0), (0.95, 1.0), (0.9, 0.0)]
    error = sum(one.right.n * abs((one.right.value or 0) - one.confidence) for one in bins) / 5
    assert summarise(pairs, calibration_error).value == pytest.approx(error)


def test_other_thresholds_answer_and_refuse_by_confidence() -> None:
    trade = trade_off(
        run_report(
            [
                question("right", "a", confidence=0.8),
                question("wrong", "b", confidence=0.5),
                question("wrongly_refused", "c", confidence=0.3),
                question("wrongly_refused", "d", confidence=0.6),  # refused for something else than confidence
                question("rightly_refused", "e", confidence=0.2),
                question("wrongly_answered", "f", confidence=0.7),
                question("crashed", "g"),
            ]
        )
    )
    assert trade is not None
    assert (trade.answerable, trade.unanswerable, trade.own_threshold) == (4, 2, 0.4)
    at = {threshold: place for place, threshold in enumerate(trade.thresholds)}
    answered = {threshold: trade.answered[at[threshold]] for threshold in (0.0, 0.3, 0.4, 0.5, 0.51, 0.9)}
    assert answered == {0.0: 0.75, 0.3: 0.75, 0.4: 0.5, 0.5: 0.5, 0.51: 0.25, 0.9: 0.0}
    assert [trade.right[at[threshold]] for threshold in (0.39, 0.4, 0.8, 0.81)] == [None, 0.25, 0.25, 0.0]
    assert [trade.refused[at[threshold]] for threshold in (0.2, 0.21, 0.4, 0.71)] == [0.0, 0.5, 0.5, 1.0]


def test_at_its_own_threshold_the_curves_meet_the_table() -> None:
    report = run_report(
        [question(verdict, verdict, confidence=0.1 if "refused" in verdict else 0.7) for verdict in VERDICTS]
    )
    trade = trade_off(report)
    assert trade is not None
    own = trade.thresholds.index(0.4)
    assert trade.right[own] == report.metrics["answer_correct"].value
    assert trade.refused[own] == report.metrics["refusal_recall"].value
    assert 1 - trade.answered[own] == pytest.approx(report.metrics["false_refusal_rate"].value)


def test_a_report_without_a_threshold_has_no_curves() -> None:
    assert trade_off(run_report([question("right")], settings={})) is None


def test_stages_keep_their_order_and_the_total_is_last() -> None:
    times = stage_times(run_report([question("right", "a", confidence=0.5), question("crashed", "b")]))
    assert times == {"condense": [0.0], "retrieve": [12.0], "judge": [30.5], "total": [92.5]}


def test_blame_is_counted_in_the_order_of_the_path_or_not_at_all() -> None:
    lost = [Blame(stage=stage, why="x") for stage in ("judging", "retrieval", "judging")]
    report = run_report([question("wrong", str(place), blame=blame) for place, blame in enumerate(lost)])
    counts = blame_counts(report)
    assert counts is not None
    assert {stage: number for stage, number in counts.items() if number} == {"retrieval": 1, "judging": 2}
    assert next(iter(counts)) == "reading"
    assert blame_counts(run_report([question("wrong")])) is None


def test_change_pairs_questions_by_suite_file_id_and_time() -> None:
    before = run_report(
        [
            question("wrong", "a"),
            question("right", "b"),
            question("wrong", "c"),
            question("right", "gone"),
            question("right", "d", words="bus"),
        ]
    )
    now = run_report(
        [
            question("right", "a", suite="elsewhere/ferry.yaml"),
            question("wrongly_refused", "b"),
            question("wrongly_refused", "c"),
            question("right", "new"),
            question("right", "d"),
        ]
    )
    change = change_since(before, now)
    assert (change.better, change.worse, change.added, change.removed, change.rewritten) == (1, 1, 1, 1, 1)
    assert set(change.flips) == {
        ("wrong", "right", 1),
        ("right", "wrongly_refused", 1),
        ("wrong", "wrongly_refused", 1),
    }
    differences = {row.name: row.difference for row in change.measures}
    assert differences["answer_correct"] == pytest.approx(3 / 5 - 3 / 5)
    assert differences["refusal_recall"] is None


def test_every_plot_is_drawn_in_the_colours_of_the_page_with_text_as_text() -> None:
    report = run_report(
        [
            question(verdict, verdict, tags=(HOSTILE, "価格"), blame=Blame(stage="judging", why="x"))
            for verdict in VERDICTS
        ]
    )
    plots = {plot.name: plot for plot in build_plots(report, change_since(report, report))}
    assert list(plots) == ["tags", "calibration", "threshold", "latency", "blame", "change"]
    for plot in plots.values():
        assert 'role="img"' in plot.svg
        assert 'aria-label="' in plot.svg
        assert "<text" in plot.svg
        assert "var(--first)" in plot.svg
        assert "#0000" not in plot.svg
        assert "<style" not in plot.svg
        assert "<img" not in plot.svg
    assert "価格 (4)" not in plots["blame"].svg
    assert "価格 (3)" in plots["tags"].svg
    assert "this run: 0.4" in plots["threshold"].svg
    assert ">6</text>" in plots["blame"].svg


def test_what_cannot_be_drawn_says_why() -> None:
    plots = {plot.name: plot for plot in build_plots(run_report([question("crashed")]), None)}
    assert not any(plot.svg for plot in plots.values())
    assert "not looked for" in plots["blame"].caption
    assert all(plot.caption for plot in plots.values())
