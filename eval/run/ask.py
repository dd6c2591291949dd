"""What a run asks, in which order: single questions, and dialogues whose turns wait for each other.

Asks what a run plans, many at a time where that is allowed, and keeps every answer in its journal.
"""

from __future__ import annotations

import logging
import queue
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from eval.measures.answered import AnsweredQuestion, TextOf
from eval.measures.correctness import what_is_wrong
from eval.report.report import GOOD_VERDICTS, Blame, Verdict
from eval.run.journal import Entry, Journal
from eval.run.subject import Subject
from eval.suites.golden import EarlierTurn, GoldenQuestion
from eval.suites.suite import Suite


@dataclass(frozen=True, slots=True)
class Task:
    """One question to ask, once.

    Attributes:
        repeat: Which time, from 1.
    """

    suite: str
    question: GoldenQuestion
    repeat: int


# Tasks that are asked one after another: the turns of a dialogue, or one question.
Sequel = tuple[Task, ...]


def plan(suites: Sequence[Suite], repeats: int) -> list[Sequel]:
    """Return everything to ask, each time of asking after the one before, in the order of the suites."""
    return [sequel for repeat in range(1, repeats + 1) for suite in suites for sequel in _sequels(suite, repeat)]


def in_order(suites: Sequence[Suite], repeats: int) -> Iterator[Task]:
    """Yield the same tasks in the order of the files: what a report lists."""
    for repeat in range(1, repeats + 1):
        for suite in suites:
            yield from (Task(suite.path, question, repeat) for question in suite.questions)


def _sequels(suite: Suite, repeat: int) -> Iterator[Sequel]:
    dialogues: dict[str, list[Task]] = {}
    for question in suite.questions:
        task = Task(suite.path, question, repeat)
        if question.dialogue is None:
            dialogues[f"question {question.id}"] = [task]
        else:
            dialogues.setdefault(f"dialogue {question.dialogue}", []).append(task)
    yield from map(tuple, dialogues.values())


logger = logging.getLogger(__name__)

# Called with how many are done, how many there are, and the id of the question that was asked.
OnProgress = Callable[[int, int, str], None]
FindBlame = Callable[[AnsweredQuestion], Blame | None]


def verdict_of(asked: AnsweredQuestion | None) -> Verdict:
    """Return what became of a question; None stands for one that crashed."""
    if asked is None:
        return "crashed"
    if asked.refused:
        return "wrongly_refused" if asked.question.answerable else "rightly_refused"
    if not asked.question.answerable:
        return "wrongly_answered"
    return "wrong" if what_is_wrong(asked) else "right"


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a chatbot and writes down what it says; safe for as many threads as the chatbot is.

    Attributes:
        text_of: Gives the stored text of a document, or None.
        find_blame: Says which stage lost a failed answer.
    """

    chatbot: Subject
    journal: Journal
    text_of: TextOf
    find_blame: FindBlame

    def ask(self, sequel: Sequel) -> Iterator[Task]:
        """Ask what no entry answers, yielding each task when it is done."""
        said: list[EarlierTurn] = []
        for task in sequel:
            entry = self.journal.find(task.question.id, task.repeat)
            if entry is None:
                history = task.question.history or tuple(said)
                entry = self._ask(task, history)
                self.journal.add(entry)
            said.append(EarlierTurn(role="user", content=task.question.question))
            if entry.answer is not None:
                said.append(EarlierTurn(role="assistant", content=entry.answer.text))
            yield task

    def _ask(self, task: Task, history: tuple[EarlierTurn, ...]) -> Entry:
        question = task.question.model_copy(update={"history": history})
        answer, crash = None, None
        started = time.perf_counter()
        try:
            answer = self.chatbot.ask(question.question, history, question_id=question.id)
        except Exception:  # noqa: BLE001
            # Whatever goes wrong in one question is a finding of the run, not its end; and it is no wrong answer.
            crash = traceback.format_exc()
        blame = self._blame(AnsweredQuestion(question, answer, self.text_of)) if answer else None
        return Entry(
            suite=task.suite,
            id=question.id,
            repeat=task.repeat,
            history=history,
            answer=answer,
            crash=crash,
            blame=blame,
            seconds=round(time.perf_counter() - started, 3),
        )

    def _blame(self, asked: AnsweredQuestion) -> Blame | None:
        if verdict_of(asked) in GOOD_VERDICTS:
            return None
        try:
            return self.find_blame(asked)
        except Exception:
            logger.exception("no stage was found for %r", asked.question.id)
            return None


def ask_all(asker: Asker, sequels: Sequence[Sequel], parallel: int, on_progress: OnProgress) -> None:
    """Ask everything that has not been asked, `parallel` sequels at a time.

    Interrupted or failed: what is being asked is finished and kept, the rest is not begun.

    Args:
        asker: Asks one sequel after another.
        sequels: What to ask.
        parallel: How many at the same time.
        on_progress: Called from the thread of the caller.
    """
    total = sum(map(len, sequels))
    done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def ask(sequel: Sequel) -> None:
        for task in asker.ask(sequel):
            done.put(task.question.id)

    executor = ThreadPoolExecutor(parallel)
    try:
        running = [executor.submit(ask, sequel) for sequel in sequels]
        for number in range(1, total + 1):
            on_progress(number, total, _next(done, running))
        for one in running:
            one.result()
    finally:
        executor.shutdown(cancel_futures=True)


def _next(done: queue.SimpleQueue[str], running: Sequence[Future[None]]) -> str:
    """Return the id of the next question that is done; raises what stopped the asking if something did."""
    while True:
        try:
            return done.get(timeout=0.2)
        except queue.Empty:
            for one in running:
                if one.done():
                    one.result()
