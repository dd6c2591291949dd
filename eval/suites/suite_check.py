"""Checks a suite against the documents it is about, and warns of what its author probably did not mean."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise

from eval.errors import Mistake
from eval.measures.answered import TextOf, occurrences
from eval.measures.correctness import shows
from eval.suites.golden import DRAFT, GoldenQuestion
from eval.suites.located import KeyPath
from eval.suites.suite import Suite

# Below this likeness the "nearest text" has nothing to do with the quote.
_LIKENESS = 0.4


@dataclass(frozen=True, slots=True)
class SuiteFindings:
    """What the check of a suite found.

    Attributes:
        mistakes: What makes the suite unusable with these documents.
        warnings: What is probably not meant.
    """

    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]


def check_form(suite: Suite) -> SuiteFindings:
    """Return warnings: drafts that nobody has confirmed, dialogues that do not read as one, answers nothing can be."""
    warnings = [*_drafts(suite), *_dialogues(suite), *_histories(suite), *_impossible(suite)]
    return SuiteFindings((), tuple(sorted(warnings, key=lambda warning: warning.line)))


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
        message = f"the turn before this one of the dialogue {name!r} stands on line {line}"
        yield suite.mistake(index, ("dialogue",), f"{message}: put them next to each other")
    if suite.questions[index].history:
        message = f"this turn of the dialogue {name!r} has a history of its own"
        why = "so it does not follow the turns before it: remove one of the two"
        yield suite.mistake(index, ("history",), f"{message}, {why}")


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


def check_suite(suite: Suite, document_ids: Collection[str], text_of: TextOf) -> SuiteFindings:
    """Check that every evidence quote occurs in its document, and that expected phrases can be found there.

    Args:
        suite: A suite whose form is right.
        document_ids: Every document there is.
        text_of: Gives the stored text of a document, or None.
    """
    mistakes: list[Mistake] = []
    warnings: list[Mistake] = []
    for index, question in enumerate(suite.questions):
        found = list(_wrong_quotes(question, document_ids, text_of))
        mistakes += [suite.mistake(index, key, message) for key, message in found]
        for number, group in unstated_groups(question, text_of) if not found else ():
            message = f"no document of the evidence shows any of {list(group)}: answer_bearing cannot be met"
            warnings.append(suite.mistake(index, ("expect", number), message))
    return SuiteFindings(tuple(mistakes), tuple(warnings))


def _wrong_quotes(
    question: GoldenQuestion, document_ids: Collection[str], text_of: TextOf
) -> Iterator[tuple[KeyPath, str]]:
    for item_number, item in enumerate(question.evidence):
        for quote_number, quote in enumerate(item.any_of):
            key = ("evidence", item_number, "any_of", quote_number)
            text = text_of(quote.document_id)
            if text is None:
                near = difflib.get_close_matches(quote.document_id, document_ids, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "index it first, or correct the name"
                yield (*key, "document_id"), f"there is no document {quote.document_id!r} in the index; {hint}"
            elif not occurrences(text, quote.quote):
                hint = nearest_hint(text, quote.quote)
                yield (*key, "quote"), f"{quote.quote!r} does not occur in {quote.document_id!r}; {hint}"


def unstated_groups(question: GoldenQuestion, text_of: TextOf) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the number and phrases of each expected group that no document of the evidence shows."""
    texts = [text_of(name) or "" for name in {quote.document_id for item in question.evidence for quote in item.any_of}]
    for number, group in enumerate(question.expect if any(texts) else ()):
        if not any(shows(text, phrase) for text in texts for phrase in group):
            yield number, group


def nearest_hint(text: str, quote: str) -> str:
    """Return what a message says of the nearest text to a quote that does not occur."""
    near = nearest_text(text, quote)
    return f"the nearest text is {near!r}" if near else "nothing in it comes near"


def nearest_text(text: str, quote: str) -> str:
    """Return the stretch of whole words of a text that is most like a quote, or nothing when none is like it.

    The longest stretch both share is found by `difflib` (Ratcliff and Obershelp, Dr. Dobb's Journal, July 1988);
    around it, as much text as the quote has is shown.
    """
    flat, wanted = " ".join(text.split()), " ".join(quote.split())
    matcher = difflib.SequenceMatcher(None, flat, wanted, autojunk=False)
    shared = matcher.find_longest_match()
    start = max(0, shared.a - shared.b)
    end = min(len(flat), start + len(wanted))
    while start and not flat[start - 1].isspace() and flat[start - 1].isascii():
        start -= 1
    while end < len(flat) and not flat[end].isspace() and flat[end].isascii():
        end += 1
    candidate = flat[start:end]
    likeness = difflib.SequenceMatcher(None, candidate, wanted, autojunk=False).ratio()
    return candidate if likeness >= _LIKENESS else ""
