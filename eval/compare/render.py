"""A comparison as it stands in a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.compare.comparison import Affected, Comparison, Flip, MeasureDifference, QuestionKey
from eval.compare.pair import describe_changes
from eval.report.table import number

_HEADINGS = {"wrong": "newly wrong", "right": "newly right", None: "another mistake"}


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the measures of both runs, the questions whose verdict flipped, and what the documents did."""
    console.print(_measures_table(comparison.measures))
    if comparison.flips:
        console.print(_flips_table(comparison.flips))
    _print_questions(console, "crashed in A", comparison.crashed_in_a)
    _print_questions(console, "crashed in B", comparison.crashed_in_b)
    _print_questions(console, "only in A", comparison.only_in_a)
    _print_questions(console, "only in B", comparison.only_in_b)
    if comparison.impact:
        console.print(Text(f"documents: {describe_changes(comparison.impact.documents)}"), soft_wrap=True)
        for affected in comparison.impact.questions:
            console.print(Text(_impact_line(affected)), soft_wrap=True)
        console.print(f"{comparison.impact.unaffected} questions are answered as before")
    console.print(Text(_summary(comparison)), soft_wrap=True)


def warnings(comparison: Comparison) -> list[str]:
    """Return one line for everything besides the answers in which the runs differ."""
    found = [str(unlike) for unlike in comparison.unlike]
    if comparison.reworded:
        names = ", ".join(key.id for key in comparison.reworded)
        found.append(f"the suite asks or marks these otherwise in B: {names}")
    return found


def _measures_table(measures: Sequence[MeasureDifference]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("measure")
    for name in ("A", "B", "B - A", "95% interval", "p", "n"):
        table.add_column(name, justify="right")
    for one in measures:
        low, high = _signed(one.measure, one.low), _signed(one.measure, one.high)
        interval = "" if one.low is None else f"{low} to {high}"
        p_value = "" if one.p_value is None else "<.001" if one.p_value < 0.001 else f"{one.p_value:.3f}"
        # A measure may score other questions in B than in A.
        n = str(one.n) if one.n == one.n_a == one.n_b else f"{one.n} ({one.n_a}, {one.n_b})"
        values = (number(one.measure, one.a), number(one.measure, one.b), _signed(one.measure, one.difference))
        table.add_row(one.measure, *values, interval, p_value, n)
    return table


def _flips_table(flips: Sequence[Flip]) -> Table:
    table = Table(show_lines=True, expand=True)
    for name in ("question", "A", "B"):
        table.add_column(name, ratio=1, overflow="fold")
    for flip in flips:
        question = f"{_HEADINGS[flip.newly]}: {flip.key.id}\n{flip.question}"
        cells = (f"{side.verdict}{_because(side.why)}\n{side.text}" for side in (flip.a, flip.b))
        table.add_row(Text(question), *map(Text, cells))
    return table


def _because(why: Sequence[str]) -> str:
    return f" ({'; '.join(why)})" if why else ""


def _print_questions(console: Console, heading: str, keys: Sequence[QuestionKey]) -> None:
    if keys:
        names = ", ".join(f"{key.id} ({key.suite})" for key in keys)
        console.print(Text(f"{heading}: {names}"), soft_wrap=True)


def _impact_line(affected: Affected) -> str:
    return f"{affected.key.id}: {affected.a.verdict} -> {affected.b.verdict}: {affected.why}"


def _summary(comparison: Comparison) -> str:
    wrong, right = len(comparison.newly("wrong")), len(comparison.newly("right"))
    return (
        f"{comparison.pairs} questions in both, {wrong} newly wrong, {right} newly right; "
        f"{comparison.a.crashes} crashed in A, {comparison.b.crashes} in B"
    )


def _signed(name: str, value: float | None) -> str:
    text = number(name, value)
    return text if value is None or value < 0 else f"+{text}"
