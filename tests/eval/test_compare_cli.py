"""The commands `footnote eval compare` and `footnote eval gate`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from bot.cli import footnote
from eval.compare.comparison import Comparison
from eval.errors import ComparisonError, GateError, ReportError
from tests.support.made_reports import make_question, make_report

GATE = "max_newly_wrong = 0\n[at_least]\nanswer_correct = 0.6\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run, a worse one, one over other documents, one in a folder of its own, and a gate."""
    monkeypatch.chdir(tmp_path)
    good = [make_question(name) for name in "pqr"]
    make_report(good).write(tmp_path / "good.json")
    make_report([make_question("p", "wrong"), *good[1:]], settings={"top_k": 3}).write(tmp_path / "worse.json")
    make_report([make_question("p", "wrong"), *good[1:]], documents={"ferry.txt": "2"}).write(tmp_path / "moved.json")
    (tmp_path / "again").mkdir()
    make_report(good).write(tmp_path / "again" / "report.json")
    (tmp_path / "gate.toml").write_text(GATE, encoding="utf-8")
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(footnote, ["eval", *arguments])


@pytest.mark.usefixtures("folder")
def test_compare_prints_tables_and_warns_on_stderr() -> None:
    result = invoke("compare", "good.json", "worse.json")
    assert result.exit_code == 0, result.exception
    assert "answer_correct" in result.stdout
    assert "newly wrong: p" in result.stdout
    assert "3 questions in both, 1 newly wrong, 0 newly right" in result.stdout
    assert result.stderr == "warning: settings.top_k: 8 in A, 3 in B\n"


def test_compare_prints_and_writes_json(folder: Path) -> None:
    result = invoke("compare", "again", "worse.json", "--json", "--out", "comparison.json")
    assert result.exit_code == 0, result.exception
    written = (folder / "comparison.json").read_text(encoding="utf-8")
    assert json.loads(result.stdout) == json.loads(written)
    comparison = Comparison.model_validate_json(written)
    assert (comparison.a.path, comparison.b.path) == ("again", "worse.json")
    assert [flip.key.id for flip in comparison.flips] == ["p"]


@pytest.mark.usefixtures("folder")
def test_compare_refuses_other_documents_unless_told() -> None:
    refused = invoke("compare", "good.json", "moved.json")
    assert isinstance(refused.exception, ComparisonError)
    assert "1 changed (ferry.txt)" in str(refused.exception)
    allowed = invoke("compare", "good.json", "moved.json", "--allow-changed-documents")
    assert allowed.exit_code == 0
    assert "p: right -> wrong: ferry.txt was changed" in allowed.stdout


def test_a_gate_holds_what_became_worse(folder: Path) -> None:
    held = invoke("compare", "good.json", "worse.json", "--gate", "gate.toml", "--junit", "gate.xml")
    assert held.exit_code == 1
    assert held.stdout.splitlines()[-5:] == [
        "passed  max_crashes: 0 crashed, at most 0 may",
        "passed  at_least.answer_correct: 0.667 over 3 questions, at least 0.600 is wanted",
        "passed  max_dropped: 0 of the baseline not asked, at most 0 may be left out",
        "FAILED  max_newly_wrong: 1 newly wrong (p), at most 0 may be",
        "held back: 1 of 4 checks failed",
    ]
    root = ElementTree.parse(folder / "gate.xml").getroot()
    assert [len(suite.findall("testcase")) for suite in root] == [4, 3]
    passed = invoke("compare", "good.json", "again", "--gate", "gate.toml")
    assert passed.exit_code == 0
    assert passed.stdout.splitlines()[-1] == "let pass: 0 of 4 checks failed"


@pytest.mark.usefixtures("folder")
def test_json_of_a_comparison_is_not_mixed_with_the_gate() -> None:
    result = invoke("compare", "good.json", "worse.json", "--gate", "gate.toml", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["pairs"] == 3
    assert "FAILED  max_newly_wrong" in result.stderr


@pytest.mark.usefixtures("folder")
def test_gate_says_the_same_of_a_run_and_its_baseline() -> None:
    held = invoke("gate", "worse.json", "--gate", "gate.toml", "--baseline", "good.json")
    assert held.exit_code == 1
    assert "FAILED  max_newly_wrong: 1 newly wrong (p), at most 0 may be" in held.stdout
    assert invoke("gate", "again", "--gate", "gate.toml", "--baseline", "good.json").exit_code == 0
    moved = ("gate", "moved.json", "--gate", "gate.toml", "--baseline", "good.json")
    assert isinstance(invoke(*moved).exception, ComparisonError)
    assert "FAILED  max_newly_wrong" in invoke(*moved, "--allow-changed-documents").stdout


def test_gate_of_one_run_alone(folder: Path) -> None:
    alone = invoke("gate", "worse.json", "--gate", "gate.toml")
    assert isinstance(alone.exception, GateError)
    assert "name that run with --baseline" in str(alone.exception)
    left_out = invoke("gate", "worse.json", "--gate", "gate.toml", "--without-baseline", "--json")
    assert left_out.exit_code == 0
    assert [check["rule"] for check in json.loads(left_out.stdout)] == ["max_crashes", "at_least.answer_correct"]
    assert "left out" in left_out.stderr
    (folder / "high.toml").write_text("[at_least]\nanswer_correct = 0.7\n", encoding="utf-8")
    assert invoke("gate", "worse.json", "--gate", "high.toml").exit_code == 1


@pytest.mark.usefixtures("folder")
def test_expected_failures_are_one_line() -> None:
    missing = invoke("compare", "good.json", "gone.json")
    assert isinstance(missing.exception, ReportError)
    assert "gone.json' cannot be read" in str(missing.exception)
    assert isinstance(invoke("compare", "good.json", "gate.toml").exception, ReportError)
    no_gate = invoke("gate", "good.json", "--gate", "gone.toml")
    assert isinstance(no_gate.exception, GateError)
    no_folder = invoke("compare", "good.json", "again", "--out", "no/folder.json")
    assert isinstance(no_folder.exception, ReportError)


@pytest.mark.usefixtures("folder")
def test_bad_usage_is_2_and_help_has_an_example() -> None:
    assert invoke("compare", "good.json").exit_code == 2
    assert invoke("compare", "good.json", "again", "--junit", "gate.xml").exit_code == 2
    assert invoke("gate", "good.json").exit_code == 2
    both = ("--baseline", "again", "--without-baseline")
    assert invoke("gate", "good.json", "--gate", "gate.toml", *both).exit_code == 2
    for command in ("compare", "gate"):
        assert f"  footnote eval {command} " in invoke(command, "--help").stdout
