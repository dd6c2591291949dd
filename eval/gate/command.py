"""The command `footnote eval gate`."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.options import json_option, print_json, print_progress
from eval.compare.command import changed_documents_option, junit_option
from eval.compare.compare import compare_runs
from eval.gate.gate_check import check_gate
from eval.gate.junit import exit_by, write_junit
from eval.gate.rules import load_gate
from eval.report.report import RunReport


@click.command(
    epilog="\b\nExamples:\n  footnote eval gate report.json --gate eval/suites/gate.toml --baseline released.json\n"
    "  footnote eval gate report.json --gate eval/suites/gate.toml --without-baseline --junit gate.xml"
)
@click.argument("report", type=click.Path(path_type=Path))
@click.option("--gate", "gate_path", type=click.Path(path_type=Path), required=True, help="The rules (TOML).")
@click.option("--baseline", type=click.Path(path_type=Path), help="An earlier run, for rules against one.")
@click.option("--without-baseline", is_flag=True, help="Leave out the rules against an earlier run.")
@changed_documents_option
@junit_option
@json_option
def gate(
    report: Path,
    *,
    gate_path: Path,
    baseline: Path | None,
    without_baseline: bool,
    allow_changed_documents: bool,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Check a run of golden suites against rules; the exit code is 1 when one is broken.

    REPORT is a file of `footnote eval run --out`, or a folder that holds one as report.json. The rules are explained in
    docs/gating.md.
    """
    if baseline is not None and without_baseline:
        raise click.UsageError("--baseline and --without-baseline exclude each other: leave one out.")
    rules = load_gate(gate_path)
    run = RunReport.load(report)
    comparison = None
    if baseline is not None:
        comparison = compare_runs(
            RunReport.load(baseline),
            run,
            (str(baseline), str(report)),
            allow_changed_documents=allow_changed_documents,
            tags=rules.compared_tags,
        )
        for warning in comparison.warnings():
            print_progress(f"warning: {warning}")
    elif without_baseline and rules.baseline_rules:
        rules = rules.without_baseline()
        print_progress("The rules against an earlier run were left out.")
    checks = check_gate(rules, run, comparison)
    write_junit(junit, checks, run)
    if as_json:
        print_json([check.model_dump(mode="json") for check in checks])
    exit_by(checks, print_progress if as_json else click.echo)
