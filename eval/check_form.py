"""What in a suite is probably not meant, as far as the suite itself shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from eval.check import Findings
from eval.errors import Mistake
from eval.golden import DRAFT
from eval.suite import Suite
from eval.wording import shows


def check_form(suite: Suite) -> Findings:
    """Return warnings: drafts that nobody has confirmed, dialogues that do not read as one, answers nothing can be."""
    warnings = [*_drafts(suite), *_dialogues(suite), *_histories(suite), *_impossible(suite)]
    return Findings((), tuple(sorted(warnings, key=lambda warning: warning.line)))


def _drafts(suite: Suite) -> Iterator[Mistake]:
    drafts = [index for index, question in enumerate(suite.questions) if DRAFT in question.tags]
    if drafts:
        which = "this question is a draft" if len(drafts) == 1 else f"{len(drafts)} questions from here are drafts"
        yield suite.mistake(drafts[0], ("tags",), f"{which}: confirm or correct, then remove the tag {DRAFT}")


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


def _histories(suite: Suite) -> Iterator[Mistake]:
    """Yield the histories that are no conversation: somebody speaks twice, or the bot has not answered yet."""
    for index, question in enumerate(suite.questions):
        roles = [turn.role for turn in question.history]
        for place, (before, role) in enumerate(pairwise([*roles, "user"])):
            if before == role:
                message = f"two messages of the {role} follow each other: a question and its answer take turns"
                yield suite.mistake(index, ("history", min(place + 1, len(roles) - 1)), message)


def _impossible(suite: Suite) -> Iterator[Mistake]:
    """Yield the phrases that an answer has to show and must not show."""
    for index, question in enumerate(suite.questions):
        for place, group in enumerate(question.expect):
            found = [word for phrase in group for word in question.forbid if shows(phrase, word)]
            if found and all(any(shows(phrase, word) for word in question.forbid) for phrase in group):
                message = f"whatever shows this also shows {found[0]!r}, which is forbidden: no answer can be right"
                yield suite.mistake(index, ("expect", place), message)
        for place, item in enumerate(question.evidence):
            for word in question.forbid:
                if all(shows(quote.quote, word) for quote in item.any_of):
                    message = f"this quote itself shows {word!r}, which is forbidden: an answer that quotes it is wrong"
                    yield suite.mistake(index, ("evidence", place), message)


def _folded(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
