"""What a run asks, in which order: single questions, and dialogues whose turns wait for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.golden import GoldenQuestion
from eval.suite import Suite


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
