"""The result of a gate: a JUnit file, which every CI shows, printed lines, and an exit code.

The elements and attributes are those that Jenkins, GitLab and GitHub's reporters all read:
`testsuites/testsuite/testcase` with `failure` for what is not as it should be and `error` for a crash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from eval.errors import ReportError
from eval.gate.gate_check import GateCheck
from eval.report.report import GOOD_VERDICTS, QuestionReport, RunReport
from index.store.atomic_file import write_file

# What XML 1.0 cannot hold, not even escaped (section 2.2); an answer may quote anything.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(checks: Sequence[GateCheck], report: RunReport) -> str:
    """Return a JUnit document: one testcase for each check, and one for each time a golden question was asked."""
    root = ElementTree.Element("testsuites", name="footnote eval gate")
    gate = ElementTree.SubElement(root, "testsuite", name="gate")
    for check in checks:
        case = ElementTree.SubElement(gate, "testcase", classname="gate", name=_clean(check.rule), time="0")
        if not check.passed:
            _add(case, "failure", check.message, "gate", check.message)
    for path in dict.fromkeys(question.suite for question in report.questions):
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(path))
        for question in report.questions:
            if question.suite == path:
                _add_question(suite, question, repeated=report.repeats > 1)
    for element in (*root, root):
        _count(element)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_question(suite: ElementTree.Element, question: QuestionReport, *, repeated: bool) -> None:
    name = f"{question.golden.id} ({question.repeat})" if repeated else question.golden.id
    milliseconds = question.answer.timings_ms.get("total", 0.0) if question.answer else 0.0
    path, seconds = _clean(question.suite), f"{milliseconds / 1000:.3f}"
    case = ElementTree.SubElement(suite, "testcase", classname=path, name=_clean(name), file=path, time=seconds)
    if question.verdict == "crashed":
        crash = (question.crash or "").strip()
        _add(case, "error", crash.rpartition("\n")[2], "crashed", crash)
    elif question.verdict not in GOOD_VERDICTS:
        why = "; ".join(question.why) or question.verdict.replace("_", " ")
        answer = question.answer.text if question.answer else ""
        _add(case, "failure", why, question.verdict, f"{question.golden.question}\n{answer}")


def _add(case: ElementTree.Element, tag: str, message: str, kind: str, text: str) -> None:
    ElementTree.SubElement(case, tag, message=_clean(message), type=kind).text = _clean(text)


def _count(element: ElementTree.Element) -> None:
    for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(1 for _ in element.iter(tag))))
    element.set("time", f"{sum(float(case.get('time', '0')) for case in element.iter('testcase')):.3f}")


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def write_junit(path: Path | None, checks: Sequence[GateCheck], report: RunReport) -> None:
    """Write checks and questions to a JUnit file, if one is named.

    Raises:
        ReportError: The file cannot be written.
    """
    if path is not None:
        write_file(path, render_junit(checks, report), ReportError)


def exit_by(checks: Sequence[GateCheck], write_line: Callable[[str], object]) -> None:
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
