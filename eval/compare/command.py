"""The command `footnote eval compare`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import json_option, print_json, print_progress
from eval.compare.render import print_comparison, warnings
from eval.gate.outcome import checked, finish
from eval.gate.rules import load_gate

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
    from eval.compare.compare import compare_runs, load_run  # scipy's tests take a second to import

    if junit is not None and gate_path is None:
        raise click.UsageError("--junit writes the checks of a gate: name one with --gate.")
    gate = load_gate(gate_path) if gate_path else None
    before, after = load_run(a), load_run(b)
    comparison = compare_runs(
        before,
        after,
        (str(a), str(b)),
        allow_changed_documents=allow_changed_documents,
        tags=gate.compared_tags if gate else (),
    )
    for warning in warnings(comparison):
        print_progress(f"warning: {warning}")
    if out is not None:
        comparison.write(out)
    if as_json:
        print_json(comparison.model_dump(mode="json"))
    else:
        print_comparison(comparison, Console())
    if gate is not None:
        checks = checked(gate, after, comparison, junit)
        # The comparison alone is the data where JSON was asked for.
        finish(checks, print_progress if as_json else click.echo)
