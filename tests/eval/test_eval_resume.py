"""Runs that are killed and go on, dialogues, repeats and many questions at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.answer.answer import Answer
from bot.answer.conversation import Turn
from bot.settings import Settings
from eval.errors import ReportError
from eval.report.report import RunReport
from eval.run.journal import ANSWERS_NAME, lock_folder
from eval.run.suite_run import RunOptions, run_suites
from eval.suites.suite import Suite, load_suites
from tests.eval.test_eval_run import ScriptedChatbot

QUESTIONS = 20


@dataclass
class CountingChatbot(ScriptedChatbot):
    """Answers every question with its id, and kills its process when it has been asked `deadly` times."""

    deadly: int = 0
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        assert question_id is not None
        with self.lock:
            self.asked.append(question_id)
            if len(self.asked) == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().ask(question, history, question_id=question_id)


def _chatbot(deadly: int = 0) -> CountingChatbot:
    return CountingChatbot({f"q{number}": f"Answer {number}." for number in range(QUESTIONS)}, deadly=deadly)


@pytest.fixture
def suites(tmp_path: Path) -> tuple[Suite, ...]:
    rows = [
        {"id": f"q{number}", "question": f"What is {number}?", "expect": [[str(number)]]} for number in range(QUESTIONS)
    ]
    for number in (3, 4, 5):
        rows[number]["dialogue"] = "one"
    path = tmp_path / "suite.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return load_suites([path])


def _timeless(report: RunReport) -> RunReport:
    return report.model_copy(update={"started_at": datetime(2025, 4, 16, tzinfo=UTC), "seconds": 0.0})


def _run(
    suites: tuple[Suite, ...], chatbot: CountingChatbot, folder: Path | None, repeats: int = 1, parallel: int = 1
) -> RunReport:
    return _timeless(run_suites(chatbot, suites, Settings(), options=RunOptions(repeats, parallel, folder)))


@pytest.mark.parametrize("point", range(1, QUESTIONS + 1))
def test_a_killed_run_goes_on_without_asking_twice(point: int, suites: tuple[Suite, ...], tmp_path: Path) -> None:
    whole = _run(suites, _chatbot(), None)
    folder = tmp_path / "run"
    process = multiprocessing.get_context("fork").Process(target=_run, args=(suites, _chatbot(point), folder))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL

    journal = folder / ANSWERS_NAME
    if point % 3 == 0:  # a kill may also cut the last line
        journal.write_bytes(journal.read_bytes()[:-7])
    known = journal.read_bytes().count(b"\n") - 1
    chatbot = _chatbot()
    assert _run(suites, chatbot, folder) == whole
    assert len(chatbot.asked) == QUESTIONS - known
    rows = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()[1:]]
    assert sorted(row["id"] for row in rows) == sorted(f"q{number}" for number in range(QUESTIONS))

    idle = _chatbot()
    assert _run(suites, idle, folder) == whole
    assert idle.asked == []


def test_answers_of_another_run_are_not_mixed_in(suites: tuple[Suite, ...], tmp_path: Path) -> None:
    _run(suites, _chatbot(), tmp_path / "run")
    with pytest.raises(ReportError, match=r"holds the answers of another run \(its repeats differ\)"):
        _run(suites, _chatbot(), tmp_path / "run", repeats=2)
    (tmp_path / "run" / ANSWERS_NAME).write_text("hello\n", encoding="utf-8")
    with pytest.raises(ReportError, match="holds no answers of a run"):
        _run(suites, _chatbot(), tmp_path / "run")


def test_a_suite_may_be_named_by_another_path_when_its_run_goes_on(suites: tuple[Suite, ...], tmp_path: Path) -> None:
    _run(suites, _chatbot(), tmp_path / "run")
    elsewhere = tuple(replace(suite, path=f"./elsewhere/{Path(suite.path).name}") for suite in suites)
    idle = _chatbot()
    report = _run(elsewhere, idle, tmp_path / "run")
    assert idle.asked == []
    assert {question.suite for question in report.questions} == {suite.path for suite in elsewhere}


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        lock_folder(tmp_path),
        pytest.raises(ReportError, match=r"Another run is being made in .*: wait until it ends"),
        lock_folder(tmp_path),
    ):
        pytest.fail("the folder was held already")
    with lock_folder(tmp_path):  # and now it is free
        pass


def test_turns_of_a_dialogue_follow_the_answers_given(suites: tuple[Suite, ...]) -> None:
    chatbot = _chatbot()
    report = _run(suites, chatbot, None)
    history = [turn.content for turn in chatbot.histories["q5"]]
    assert history == ["What is 3?", "Answer 3. [1]", "What is 4?", "Answer 4. [1]"]
    assert chatbot.histories["q3"] == chatbot.histories["q6"] == ()
    assert [turn.content for turn in report.questions[4].golden.history] == ["What is 3?", "Answer 3. [1]"]


def test_many_at_a_time_give_the_same_report(suites: tuple[Suite, ...]) -> None:
    chatbot = _chatbot()
    report = _run(suites, chatbot, None, parallel=8, repeats=3)
    assert len(chatbot.asked) == 3 * QUESTIONS
    assert [(one.golden.id, one.repeat) for one in report.questions] == [
        (f"q{number}", repeat) for repeat in (1, 2, 3) for number in range(QUESTIONS)
    ]
    assert report == _run(suites, _chatbot(), None, repeats=3)
