"""Compares two runs: read, paired, measured, explained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from eval.compare.comparison import Comparison, Flip, RunLabel
from eval.compare.impact import find_impact
from eval.compare.measured import measure_differences, tag_differences
from eval.compare.pair import Pair, crashed_in, describe_changes, document_changes, find_unlike, pair_up, same_documents
from eval.errors import ComparisonError
from eval.report.report import GOOD_VERDICTS, RunReport

_REPORT_NAME = "report.json"


def load_run(path: Path) -> RunReport:
    """Return a run from the file it was written to, or from the folder that holds it as `report.json`.

    Raises:
        ReportError: There is no such report.
    """
    return RunReport.load(path / _REPORT_NAME if path.is_dir() else path)


def compare_runs(
    a: RunReport,
    b: RunReport,
    names: tuple[str, str] = ("A", "B"),
    *,
    allow_changed_documents: bool = False,
    tags: Iterable[str] = (),
) -> Comparison:
    """Return two runs side by side, `a` the earlier one.

    Args:
        a: What is compared with.
        b: What is compared.
        names: What the reports are called, such as their files.
        allow_changed_documents: Whether runs over different documents are compared; then the comparison says what the
            change did to each question.
        tags: Tags whose questions are measured by themselves too.

    Raises:
        ComparisonError: The documents differ and that is not allowed, or no question is in both runs.
    """
    same = same_documents(a, b)
    if not same and not allow_changed_documents:
        raise ComparisonError(
            f"{names[0]!r} and {names[1]!r} are runs over different documents: "
            f"{describe_changes(document_changes(a, b))}. "
            "Run both over the same ones, or add --allow-changed-documents."
        )
    pairing = pair_up(a, b)
    if not pairing.pairs and not pairing.crashed:
        raise ComparisonError(
            f"{names[0]!r} and {names[1]!r} have no question in common ({_asked(a)}; {_asked(b)}): name two runs of "
            "the same suite. Questions are paired by the file name of their suite and their id."
        )
    return Comparison(
        a=_label(a, names[0]),
        b=_label(b, names[1]),
        pairs=len(pairing.pairs),
        measures=measure_differences(a, b, pairing.pairs),
        by_tag={tag: tag_differences(pairing.pairs, tag) for tag in tags},
        flips=tuple(sorted((_flip(pair) for pair in pairing.pairs if _is_flipped(pair)), key=_newly_wrong_first)),
        crashed_in_a=crashed_in(a),
        crashed_in_b=crashed_in(b),
        only_in_a=pairing.only_in_a,
        only_in_b=pairing.only_in_b,
        reworded=tuple(pair.key for pair in (*pairing.pairs, *pairing.crashed) if pair.is_reworded()),
        unlike=find_unlike(a, b),
        impact=None if same else find_impact(pairing.pairs, document_changes(a, b)),
    )


def _asked(report: RunReport) -> str:
    suites = " and ".join(dict.fromkeys(suite.name for suite in report.suites))
    return f"{len(report.questions)} of {suites}"


def _label(report: RunReport, name: str) -> RunLabel:
    return RunLabel(
        path=name,
        started_at=report.started_at,
        commit=report.origin.commit,
        questions=len(report.questions),
        crashes=report.crashes,
    )


def _is_flipped(pair: Pair) -> bool:
    return pair.a.typical().verdict != pair.b.typical().verdict


def _flip(pair: Pair) -> Flip:
    a, b = pair.a.shown(), pair.b.shown()
    was_good, is_good = a.verdict in GOOD_VERDICTS, b.verdict in GOOD_VERDICTS
    newly: Literal["right", "wrong"] | None = None if was_good == is_good else "right" if is_good else "wrong"
    return Flip(key=pair.key, question=pair.question, newly=newly, a=a, b=b)


def _newly_wrong_first(flip: Flip) -> int:
    return ("wrong", "right", None).index(flip.newly)
