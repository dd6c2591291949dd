"""What in a suite is probably not meant, as far as the suite itself shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from eval.check import Findings
from eval.errors import Mistake
from eval.golden import DRAFT
from eval.suite import Suite


def check_form(suite: Suite) -> Findings:
    """Return warnings about drafts that nobody has confirmed, and about dialogues that do not read as one."""
    return Findings((), tuple(sorted([*_drafts(suite), *_dialogues(suite)], key=lambda warning: warning.line)))


def _drafts(suite: Suite) -> Iterator[Mistake]:
    for index, question in enumerate(suite.questions):
        if DRAFT in question.tags:
            yield suite.mistake(
                index, ("tags",), f"this question is a draft: confirm or correct it, then remove the tag {DRAFT}"
            )


def _dialogues(suite: Suite) -> Iterator[Mistake]:
    turns: dict[str, list[int]] = defaultdict(list)
    for index, question in enumerate(suite.questions):
        if question.dialogue is not None:
            turns[question.dialogue].append(index)
    for name, indexes in turns.items():
        alike = [other for other in turns if other != name and _folded(other) == _folded(name)]
        if len(indexes) == 1:
            hint = f"did you mean {alike[0]!r}?" if alike else "add the other turns, or remove the key"
            yield suite.mistake(indexes[0], ("dialogue",), f"the dialogue {name!r} has a single turn; {hint}")
        for before, index in pairwise(indexes):
            yield from _later_turn(suite, name, before, index)


def _later_turn(suite: Suite, name: str, before: int, index: int) -> Iterator[Mistake]:
    if index != before + 1:
        line = suite.entries[before].line
        message = (
            f"the turn before this one of the dialogue {name!r} stands on line {line}: put them next to each other"
        )
        yield suite.mistake(index, ("dialogue",), message)
    if suite.questions[index].history:
        message = (
            f"this turn of the dialogue {name!r} has a history of its own, so it does not follow the turns before it"
        )
        yield suite.mistake(index, ("history",), f"{message}: remove one of the two")


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
