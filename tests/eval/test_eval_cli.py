"""The commands `footnote eval …`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import footnote
from eval.errors import EvaluationError, ReportError
from eval.report.report import RunReport

GOOD = """\
- id: ferry
  question: When does the first ferry leave Mui Wo?
  expect: [["5:55"]]
  evidence: [{any_of: [{document_id: ferry.txt, quote: "leaves Mui Wo at 5:55 am"}]}]
- {id: vienna, question: Who painted the ceiling of the opera house in Vienna, answerable: false}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text("- idd: a\n  question: What\n", encoding="utf-8")
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(footnote, ["eval", *arguments])


def test_check_without_an_index_checks_the_form(folder: Path) -> None:
    result = invoke("check", "good.yaml")
    assert result.exit_code == 0
    assert result.stdout == "good.yaml: 2 questions, no mistakes\n"
    assert "no index in 'data'" in result.stderr
    assert not (folder / "data").exists()


@pytest.mark.usefixtures("folder")
def test_check_prints_every_mistake_on_a_line() -> None:
    result = invoke("check", "good.yaml", "bad.yaml", "gone.jsonl")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "bad.yaml:1: id: this key is missing: add it",
        "bad.yaml:1: idd: unknown key; did you mean 'id'?",
        "gone.jsonl:1: the file cannot be read (No such file or directory)",
    ]


@pytest.mark.usefixtures("folder")
def test_check_prints_json() -> None:
    good, bad = invoke("check", "good.yaml", "--json"), invoke("check", "bad.yaml", "--json")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert json.loads(good.stdout) == {
        "suites": [{"path": "good.yaml", "questions": 2}],
        "checked_against_index": False,
        "mistakes": [],
        "warnings": [],
    }
    assert json.loads(bad.stdout)["mistakes"][0] == {
        "path": "bad.yaml",
        "line": 1,
        "key": "id",
        "message": "this key is missing: add it",
    }


@pytest.mark.usefixtures("folder")
def test_run_prints_every_mistake_and_fails() -> None:
    result = invoke("run", "bad.yaml")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2
    assert isinstance(result.exception, EvaluationError)
    assert str(result.exception).startswith("2 mistakes in the suites: correct them and run again")


@pytest.mark.usefixtures("folder")
def test_bad_usage_is_2_and_help_has_an_example() -> None:
    assert invoke("run").exit_code == 2
    assert invoke("run", "good.yaml", "--no-such-flag").exit_code == 2
    for command in ("check", "run"):
        assert f"  footnote eval {command} eval/suites/seed.yaml" in invoke(command, "--help").stdout


def test_a_suite_is_checked_and_run_against_a_real_index(folder: Path) -> None:
    documents = folder / "documents"
    documents.mkdir()
    (documents / "ferry.txt").write_text(
        "Ferry timetable\n\nThe first ferry leaves Mui Wo at 5:55 am. Tickets cost HK$17.8 on weekdays.\n",
        encoding="utf-8",
    )
    assert CliRunner().invoke(footnote, ["index", "documents"]).exit_code == 0

    wrong = GOOD.replace("Mui Wo at 5:55 am", "Mui Wo at 6:55 am")
    (folder / "wrong.yaml").write_text(wrong, encoding="utf-8")
    checked = invoke("check", "wrong.yaml")
    assert checked.exit_code == 1
    assert checked.stdout == (
        "wrong.yaml:4: evidence[0].any_of[0].quote: 'leaves Mui Wo at 6:55 am' does not occur in 'ferry.txt'; "
        "the nearest text is 'leaves Mui Wo at 5:55 am.'\n"
    )
    assert json.loads(invoke("check", "good.yaml", "--json").stdout)["checked_against_index"] is True
    assert isinstance(invoke("run", "wrong.yaml").exception, EvaluationError)

    (folder / "taken").write_text("a file", encoding="utf-8")
    assert isinstance(invoke("run", "good.yaml", "--out", "taken/run").exception, ReportError)

    ran = invoke("run", "good.yaml", "--json", "--answerer", "extractive", "--out", "runs/monday")
    assert ran.exit_code == 0, ran.exception
    report = RunReport.load(folder / "runs/monday")
    assert json.loads(ran.stdout) == json.loads(report.model_dump_json())
    assert report.crashes == 0
    assert report.metrics["quote_fidelity"].value == 1
    assert report.metrics["recall_at_5"].value == 1
    assert [question.golden.id for question in report.questions] == ["ferry", "vienna"]
    assert report.document_hashes.keys() == {"ferry.txt"}

    twice = invoke("run", "good.yaml", "--json", "--answerer", "extractive", "--repeat", "2")
    repeated = RunReport.model_validate_json(twice.stdout)
    assert [one.repeat for one in repeated.questions] == [1, 1, 2, 2]
    assert len({one.answer.text for one in repeated.questions if one.answer and one.golden.id == "ferry"}) == 1

    (documents / "ferry.txt").write_text("Ferry timetable\n\nThe first ferry leaves at noon.\n", encoding="utf-8")
    assert CliRunner().invoke(footnote, ["index", "documents"]).exit_code == 0
    assert "another run (its index fingerprint differ)" in str(
        invoke("run", "good.yaml", "--answerer", "extractive", "--out", "runs/monday", "--changed-documents").exception
    )
    changed = invoke("run", "good.yaml", "--json", "--answerer", "extractive", "--changed-documents")
    after = RunReport.model_validate_json(changed.stdout)
    assert "does not occur in 'ferry.txt'" in after.warnings[0]
    assert after.metrics["recall_at_5"].n == 0
    failed = next(one for one in after.questions if one.golden.id == "ferry")
    assert failed.blame is not None
    assert failed.blame.stage == "suite"
