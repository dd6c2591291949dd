"""Asks the questions of a run, several at a time where that is allowed, and keeps every answer in the journal.

Single questions are independent of each other; the turns of a dialogue are asked one after another.
"""

from __future__ import annotations

import logging
import queue
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.answer.answer import Answer
from bot.answer.conversation import Turn
from eval.measures.answered import AnsweredQuestion, TextOf
from eval.measures.correctness import what_is_wrong
from eval.report.report import GOOD_VERDICTS, Blame, Verdict
from eval.run.journal import JournalEntry, RunJournal
from eval.suites.golden import EarlierTurn, GoldenQuestion
from eval.suites.suite import Suite
from index.document import Document

if TYPE_CHECKING:
    from bot.storage.library import Overview

logger = logging.getLogger(__name__)

# Called with how many are done, how many there are, and the id of the question that was asked.
OnProgress = Callable[[int, int, str], None]
FindBlame = Callable[[AnsweredQuestion], Blame | None]


class Subject(Protocol):
    """What the evaluation needs of a chatbot. Tests inject a small fake of the same shape."""

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        """Return the answer to a question."""
        ...

    def document(self, document_id: str) -> Document | None:
        """Return a stored document, or None."""
        ...

    def overview(self) -> Overview:
        """Return what the index holds."""
        ...


@dataclass(frozen=True, slots=True)
class QuestionTask:
    """One question to ask, once.

    Attributes:
        suite: File of the question.
        repeat: Which time, from 1.
    """

    suite: str
    question: GoldenQuestion
    repeat: int


def list_tasks(suites: Sequence[Suite], repeats: int) -> list[QuestionTask]:
    """Return everything to ask in the order of the files, each time of asking after the one before."""
    return [
        QuestionTask(suite.path, question, repeat)
        for repeat in range(1, repeats + 1)
        for suite in suites
        for question in suite.questions
    ]


def group_turns(tasks: Iterable[QuestionTask]) -> list[tuple[QuestionTask, ...]]:
    """Return the tasks in groups that depend on each other: the turns of a dialogue, or a question alone."""
    groups: dict[tuple[int, str, bool, str], list[QuestionTask]] = {}
    for task in tasks:
        dialogue, alone = task.question.dialogue, task.question.dialogue is None
        groups.setdefault((task.repeat, task.suite, alone, dialogue or task.question.id), []).append(task)
    return list(map(tuple, groups.values()))


def verdict_of(asked: AnsweredQuestion | None) -> Verdict:
    """Return the verdict on an answer; None stands for a question that crashed."""
    if asked is None:
        return "crashed"
    if asked.refused:
        return "wrongly_refused" if asked.question.answerable else "rightly_refused"
    if not asked.question.answerable:
        return "wrongly_answered"
    return "wrong" if what_is_wrong(asked) else "right"


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks a chatbot and records its answers; safe for as many threads as the chatbot is.

    Attributes:
        find_blame: Says which stage lost a failed answer.
    """

    chatbot: Subject
    journal: RunJournal
    text_of: TextOf
    find_blame: FindBlame

    def ask(self, turns: Iterable[QuestionTask]) -> Iterator[QuestionTask]:
        """Ask the turns that no journal entry answers, yielding each when it is done."""
        said: list[EarlierTurn] = []
        for task in turns:
            entry = self.journal.find(task.question.id, task.repeat)
            if entry is None:
                entry = self._ask(task, task.question.history or tuple(said))
                self.journal.add(entry)
            said.append(EarlierTurn(role="user", content=task.question.question))
            if entry.answer is not None:
                said.append(EarlierTurn(role="assistant", content=entry.answer.text))
            yield task

    def _ask(self, task: QuestionTask, history: tuple[EarlierTurn, ...]) -> JournalEntry:
        question = task.question.model_copy(update={"history": history})
        answer, crash = None, None
        started = time.perf_counter()
        try:
            answer = self.chatbot.ask(question.question, history, question_id=question.id)
        except Exception:  # noqa: BLE001
            # Whatever goes wrong in one question is a finding of the run, not its end; and it is no wrong answer.
            crash = traceback.format_exc()
        return JournalEntry(
            suite=task.suite,
            id=question.id,
            repeat=task.repeat,
            history=history,
            answer=answer,
            crash=crash,
            blame=self._blame(AnsweredQuestion(question, answer, self.text_of)) if answer else None,
            seconds=round(time.perf_counter() - started, 3),
        )

    def _blame(self, asked: AnsweredQuestion) -> Blame | None:
        try:
            return None if verdict_of(asked) in GOOD_VERDICTS else self.find_blame(asked)
        except Exception:
            logger.exception("no stage was found for %r", asked.question.id)
            return None


def ask_all(asker: Asker, groups: Sequence[tuple[QuestionTask, ...]], parallel: int, on_progress: OnProgress) -> None:
    """Ask everything that has not been asked, `parallel` groups at a time.

    When interrupted or failed, the questions being asked are finished and kept, and no other is begun.

    Args:
        asker: Asks one group after another.
        groups: What to ask.
        parallel: How many at the same time.
        on_progress: Called from the thread of the caller.
    """
    total = sum(map(len, groups))
    done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def ask(turns: tuple[QuestionTask, ...]) -> None:
        for task in asker.ask(turns):
            done.put(task.question.id)

    executor = ThreadPoolExecutor(parallel)
    try:
        running = [executor.submit(ask, turns) for turns in groups]
        number = 0
        while number < total:
            try:
                question_id = done.get(timeout=0.2)
            except queue.Empty:
                for one in running:
                    if one.done():
                        one.result()  # raises what stopped the asking
            else:
                number += 1
                on_progress(number, total, question_id)
        for one in running:
            one.result()
    finally:
        executor.shutdown(cancel_futures=True)
