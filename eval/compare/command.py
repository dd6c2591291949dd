"""The command `footnote eval compare`, and how it prints a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.options import json_option, print_json, print_progress
from eval.compare.compare import compare_runs
from eval.compare.comparison import Comparison, Flip, MeasureDifference, QuestionKey
from eval.compare.pair import describe_changes
from eval.gate.gate_check import check_gate
from eval.gate.junit import exit_by, write_junit
from eval.gate.rules import load_gate
from eval.report.report import RunReport
from eval.report.table import number

_HEADINGS = {"wrong": "newly wrong", "right": "newly right", None: "another mistake"}
_report_path = click.Path(path_type=Path)

changed_documents_option = click.option(
    "--allow-changed-documents",
    is_flag=True,
    help="Compare runs over different documents, and say what their change did.",
)
junit_option = click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the checks and questions as JUnit XML."
)


@click.command(
    epilog="\b\nExamples:\n  footnote eval compare before.json after.json\n"
    "  footnote eval compare before.json after.json --gate eval/suites/gate.toml --junit gate.xml"
)
@click.argument("a", type=_report_path)
@click.argument("b", type=_report_path)
@changed_documents_option
@click.option(
    "--gate", "gate_path", type=_report_path, help="Rules that B must keep (TOML); 1 is the exit code if not."
)
@junit_option
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the comparison to this JSON file.")
@json_option
def compare(
    a: Path,
    b: Path,
    *,
    allow_changed_documents: bool,
    gate_path: Path | None,
    junit: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare two runs of golden suites question by question, the earlier one first.

    A and B are files of `footnote eval run --out`, or folders that hold one as report.json.
    """
    if junit is not None and gate_path is None:
        raise click.UsageError("--junit writes the checks of a gate: name one with --gate.")
    gate = load_gate(gate_path) if gate_path else None
    before, after = RunReport.load(a), RunReport.load(b)
    tags = gate.compared_tags if gate else ()
    comparison = compare_runs(
        before, after, (str(a), str(b)), allow_changed_documents=allow_changed_documents, tags=tags
    )
    for warning in comparison.warnings():
        print_progress(f"warning: {warning}")
    if out is not None:
        comparison.write(out)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        print_comparison(comparison, Console())
    if gate is not None:
        checks = check_gate(gate, after, comparison)
        write_junit(junit, checks, after)
        # Where JSON was asked for, stdout holds the comparison alone.
        exit_by(checks, print_progress if as_json else click.echo)


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
            line = f"{affected.key.id}: {affected.a.verdict} -> {affected.b.verdict}: {affected.why}"
            console.print(Text(line), soft_wrap=True)
        console.print(f"{comparison.impact.unaffected} questions are answered as before")
    wrong, right = len(comparison.newly("wrong")), len(comparison.newly("right"))
    summary = f"{comparison.pairs} questions in both, {wrong} newly wrong, {right} newly right; "
    summary += f"{comparison.a.crashes} crashed in A, {comparison.b.crashes} in B"
    console.print(Text(summary), soft_wrap=True)


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
        whys = (f" ({'; '.join(side.why)})" if side.why else "" for side in (flip.a, flip.b))
        cells = (f"{side.verdict}{why}\n{side.text}" for side, why in zip((flip.a, flip.b), whys, strict=True))
        table.add_row(Text(question), *map(Text, cells))
    return table


def _print_questions(console: Console, heading: str, keys: Sequence[QuestionKey]) -> None:
    if keys:
        names = ", ".join(f"{key.id} ({key.suite})" for key in keys)
        console.print(Text(f"{heading}: {names}"), soft_wrap=True)


def _signed(name: str, value: float | None) -> str:
    text = number(name, value)
    return text if value is None or value < 0 else f"+{text}"
