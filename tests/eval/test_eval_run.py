"""Runs and their reports, over a chatbot whose answers are written down."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from bot.answer.answer import Answer, Citation, Provenance, Refusal, Statement
from bot.answer.conversation import Turn
from bot.settings import Settings
from bot.storage.library import Overview
from eval.errors import EvaluationError, ReportError, SuiteError
from eval.report.report import RunReport
from eval.report.table import print_report
from eval.run.origin import read_origin
from eval.run.suite_run import RunOptions, run_suites
from eval.suites.suite import Suite, load_suites
from index.document import Document
from index.store.catalogue import LiveDocument

FERRY = "The first ferry leaves Mui Wo at 5:55 am."
SUITE = """\
- id: right
  question: When does it leave?
  expect: [["5:55"]]
  evidence: [{any_of: [{document_id: ferry.txt, quote: Mui Wo at 5:55}]}]
  tags: [fact, time]
- {id: wrong, question: Where from, expect: [[Tai O]], tags: [fact]}
- {id: crash, question: Break, expect: [[x]], tags: [fact]}
- {id: refused, question: Who wrote Faust, answerable: false}
- {id: silent, question: How early, expect: [["5:55"]]}
- {id: invented, question: Who is the captain, answerable: false}
- id: follow
  question: And from where
  history: [{role: user, content: Hi}, {role: assistant, content: Hello}]
  expect: [[Mui Wo]]
"""


@dataclass
class ScriptedChatbot:
    """Answers from a script: a text is cited from the ferry document, None is refused, an exception is raised."""

    script: Mapping[str, str | Exception | None]
    texts: Mapping[str, str] = field(default_factory=lambda: {"ferry.txt": FERRY})
    histories: dict[str, Sequence[Turn]] = field(default_factory=dict)

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        assert question_id is not None
        self.histories[question_id] = history
        reply = self.script[question_id]
        if isinstance(reply, Exception):
            raise type(reply)(*reply.args)
        citation = Citation(
            number=1, document_id="ferry.txt", title="F", page=None, start=0, end=len(FERRY), quote=FERRY
        )
        return Answer(
            id=question_id,
            kind="answer" if reply else "refusal",
            question=question,
            standalone_question=question,
            text=f"{reply} [1]" if reply else "The documents do not say.",
            refusal=None if reply else Refusal(reason="not_in_documents", message="The documents do not say."),
            statements=(Statement(text=reply, citations=(1,), support="quoted"),) if reply else (),
            citations=(citation,) if reply else (),
            retrieved=(),
            confidence=0.9,
            timings_ms={"total": 5.0},
            provenance=Provenance(
                version="0",
                index_fingerprint="fingerprint",
                embedding_model="e",
                answerer="extractive",
                language_model=None,
                prompts_hash="p",
            ),
        )

    def document(self, document_id: str) -> Document | None:
        text = self.texts.get(document_id)
        return None if text is None else Document(document_id, "F", text, "text/plain", "hash")

    def overview(self) -> Overview:
        now = datetime.now(UTC)
        documents = [LiveDocument(name, "F", "text/plain", 1, "", "hash", now) for name in self.texts]
        return Overview(tuple(documents), len(documents), now, "fingerprint")


SCRIPT: dict[str, str | Exception | None] = {
    "right": "At 5:55 am.",
    "wrong": "From Mui Wo.",
    "crash": ZeroDivisionError("planted"),
    "refused": None,
    "silent": None,
    "invented": "Captain Ahab.",
    "follow": "From Mui Wo.",
}


@pytest.fixture
def suites(tmp_path: Path) -> tuple[Suite, ...]:
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return load_suites([path])


@pytest.fixture
def report(suites: tuple[Suite, ...]) -> RunReport:
    return run_suites(ScriptedChatbot(SCRIPT), suites, Settings())


def test_every_question_gets_a_verdict(report: RunReport) -> None:
    assert {question.golden.id: question.verdict for question in report.questions} == {
        "right": "right",
        "wrong": "wrong",
        "crash": "crashed",
        "refused": "rightly_refused",
        "silent": "wrongly_refused",
        "invented": "wrongly_answered",
        "follow": "right",
    }
    assert [question.why for question in report.questions if question.verdict == "wrong"] == [("lacks 'Tai O'",)]
    assert [question.golden.id for question in report.failures()] == ["wrong", "crash", "silent", "invented"]


def test_a_crash_is_a_failure_and_no_wrong_answer(report: RunReport) -> None:
    crash = report.questions[2]
    assert crash.answer is None
    assert crash.crash is not None
    assert "ZeroDivisionError: planted" in crash.crash
    assert "Traceback" in crash.crash
    assert crash.scores == {}
    assert report.crashes == 1
    # Answerable: right, wrong, silent, follow. The crash is unscored, with the two unanswerable ones.
    correct = report.metrics["answer_correct"]
    assert (correct.value, correct.n, correct.unscored) == (2 / 4, 4, 3)


def test_metrics_over_all_questions_and_by_tag(report: RunReport) -> None:
    values = {name: (metric.value, metric.n) for name, metric in report.metrics.items()}
    assert values["refusal_precision"] == (1 / 2, 2)
    assert values["refusal_recall"] == (1 / 2, 2)
    assert values["false_refusal_rate"] == (1 / 4, 4)
    assert values["citation_recall"] == (1, 1)
    assert values["quote_fidelity"] == (1, 4)
    assert values["recall_at_5"] == (0, 1)
    assert values["latency_p50_ms"] == (5, 6)
    # Four answers at .9: right and follow are right, wrong and invented are not: |.9 - .5|.
    assert values["calibration_error"] == (pytest.approx(0.4), 4)
    assert all(metric.n + metric.unscored == 7 for metric in report.metrics.values())
    assert {tag: row.questions for tag, row in report.by_tag.items()} == {"fact": 3, "time": 1}
    assert report.by_tag["fact"].metrics["answer_correct"].value == 1 / 2


def test_questions_are_asked_with_their_history_and_progress_is_told(suites: tuple[Suite, ...]) -> None:
    chatbot, told = ScriptedChatbot(SCRIPT), []
    run_suites(chatbot, suites, Settings(), lambda done, total, question_id: told.append((done, total, question_id)))
    assert [turn.content for turn in chatbot.histories["follow"]] == ["Hi", "Hello"]
    assert chatbot.histories["right"] == ()
    assert told == [(number, 7, name) for number, name in enumerate(SCRIPT, start=1)]


def test_two_runs_differ_only_in_their_times(suites: tuple[Suite, ...], report: RunReport) -> None:
    again = run_suites(ScriptedChatbot(SCRIPT), suites, Settings())
    same = {"started_at": datetime(2025, 4, 16, tzinfo=UTC), "seconds": 0.0}
    assert again.model_copy(update=same) == report.model_copy(update=same)


def test_the_report_says_what_it_came_from(suites: tuple[Suite, ...]) -> None:
    settings = Settings(database_url="postgresql://clerk:geheim@localhost/footnote")
    report = run_suites(ScriptedChatbot(SCRIPT), suites, settings)
    (record,) = report.suites
    assert (record.path, record.hash, record.questions) == (suites[0].path, suites[0].hash, 7)
    assert (report.index_fingerprint, report.documents) == ("fingerprint", 1)
    assert report.settings["database_url"] == "postgresql://clerk:***@localhost/footnote"
    assert report.settings["top_k"] == settings.top_k
    assert "geheim" not in report.model_dump_json()
    assert {"python", "footnote-chat", "torch"} <= report.origin.versions.keys()
    assert report.origin.processors >= 1


def test_a_report_survives_its_file(report: RunReport, tmp_path: Path) -> None:
    report.write(tmp_path / "report.json")
    assert RunReport.load(tmp_path / "report.json") == report
    assert [path.name for path in tmp_path.glob("*report*")] == ["report.json"]


def test_report_files_that_cannot_be_used(report: RunReport, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"suites": []}', encoding="utf-8")
    with pytest.raises(ReportError, match=r"other\.json' is no run report \(origin: field required\)"):
        RunReport.load(tmp_path / "other.json")
    with pytest.raises(ReportError, match=r"gone\.json' cannot be read \(No such file"):
        RunReport.load(tmp_path / "gone.json")
    with pytest.raises(ReportError, match=r"report\.json' cannot be read"):
        RunReport.load(tmp_path)
    with pytest.raises(ReportError, match="cannot be written"):
        report.write(tmp_path / "no" / "folder.json")


def test_quotes_that_the_index_does_not_hold_stop_the_run(suites: tuple[Suite, ...]) -> None:
    chatbot = ScriptedChatbot(SCRIPT, texts={"ferry.txt": "The timetable has changed."})
    with pytest.raises(SuiteError, match=r"evidence\[0\]\.any_of\[0\]\.quote: 'Mui Wo at 5:55' does not occur"):
        run_suites(chatbot, suites, Settings())
    assert not chatbot.histories


def test_an_empty_index_stops_the_run(suites: tuple[Suite, ...]) -> None:
    with pytest.raises(EvaluationError, match="The index holds no documents: run footnote index first"):
        run_suites(ScriptedChatbot(SCRIPT, texts={}), suites, Settings())


def test_an_interrupted_run_is_not_a_crash(suites: tuple[Suite, ...]) -> None:
    class InterruptedChatbot(ScriptedChatbot):
        def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_suites(InterruptedChatbot(SCRIPT), suites, Settings())


def test_the_table_shows_n_and_interval_and_one_line_for_each_failure(report: RunReport) -> None:
    shown = io.StringIO()
    print_report(report, Console(file=shown, width=100))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    low, high = report.metrics["answer_correct"].low, report.metrics["answer_correct"].high
    assert f"answer_correct 0.500 4 3 {low:.3f} to {high:.3f}" in lines
    assert "success_at_5 0.000 1 6 0.000 to 0.793" in lines
    assert "wrong wrong: Where from -> From Mui Wo. [1] (lacks 'Tai O')" in lines
    assert "crashed crash: Break -> ZeroDivisionError: planted" in lines
    assert sum(line.split(" ")[0] in {"wrong", "crashed", "wrongly_refused", "wrongly_answered"} for line in lines) == 4
    assert lines[-1].startswith("7 questions, 4 not as they should be, 1 of them crashed; 1 documents, ")


def test_a_question_that_failed_three_times_is_listed_once(suites: tuple[Suite, ...]) -> None:
    shown = io.StringIO()
    report = run_suites(ScriptedChatbot(SCRIPT), suites, Settings(), options=RunOptions(repeats=3))
    print_report(report, Console(file=shown, width=100))
    lines = [" ".join(line.split()) for line in shown.getvalue().splitlines()]
    assert lines.count("3 of 3 times wrong wrong: Where from -> From Mui Wo. [1] (lacks 'Tai O')") == 1
    assert lines[-1].startswith("7 questions asked 3 times, 12 answers not as they should be, 3 of them crashed")


def test_a_commit_is_recorded_only_for_code_that_is_tracked(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    code, installed = tmp_path / "code.py", tmp_path / "installed.py"
    code.write_text("a = 1\n", encoding="utf-8")
    git("init")
    assert (read_origin(code).commit, read_origin(code).dirty) == (None, None)
    git("add", "code.py")
    git("commit", "-m", "first")
    assert (read_origin(code).commit, read_origin(code).dirty) == (git("rev-parse", "HEAD"), False)
    installed.write_text("a = 1\n", encoding="utf-8")
    assert read_origin(code).dirty is True
    assert (read_origin(installed).commit, read_origin(installed).dirty) == (None, None)
