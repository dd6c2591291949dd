"""How the outcome of a gate leaves the command line: lines, a JUnit file, an exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from eval.compare.comparison import Comparison
from eval.gate.check import GateCheck, check_gate
from eval.gate.junit import render_junit
from eval.gate.rules import Gate
from eval.report import RunReport
from eval.whole_file import write_whole


def checked(gate: Gate, report: RunReport, comparison: Comparison | None, junit: Path | None) -> tuple[GateCheck, ...]:
    """Return the checks of a gate, written to a JUnit file if one is named.

    Raises:
        GateError: Rules look at a baseline and there is none.
        ReportError: The file cannot be written.
    """
    checks = check_gate(gate, report, comparison)
    if junit is not None:
        write_whole(junit, render_junit(checks, report))
    return checks


def finish(checks: Sequence[GateCheck], write_line: Callable[[str], object]) -> None:
    """Write one line for each check and one for all, and end the command with 1 if one failed.

    Raises:
        SystemExit: A check failed.
    """
    for check in checks:
        write_line(str(check))
    failed = sum(not check.passed for check in checks)
    write_line(f"{'held back' if failed else 'let pass'}: {failed} of {len(checks)} checks failed")
    if failed:
        raise SystemExit(1)
