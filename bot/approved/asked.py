"""A question as it is compared with another: without courtesies, what it asks for apart from what it asks about."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import regex

from bot.facts.normal_form import mask, normalise
from index.document import Span
from index.words import content_words, fold_word

# What turns a word round when it stands before it, as in "legal" and "illegal".
_DENYING = ("non", "un", "in", "im", "il", "ir", "dis", "anti")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question taken apart.

    Attributes:
        text: Without courtesies.
        subject: The same without what asks: "Who", "in which year".
        kinds: What is asked for: `when`, `where`, `why`, `who`, `how_many`, `how`, `which`; several where it asks for
            several things.
        words: Compared form of each word of its subject, and how it is written.
    """

    text: str
    subject: str
    kinds: frozenset[str]
    words: Mapping[str, str]


@functools.lru_cache(maxsize=4096)
def read_asked(question: str) -> Asked:
    """Return a question taken apart; one that is nothing but courtesies stays as it is."""
    text = without_courtesies(question)
    plain = normalise(text)
    kinds: set[str] = set()
    taken: list[Span] = []
    for kind, pattern in _asking().items():
        for match in pattern.finditer(mask(plain, taken)):
            taken.append(Span(*match.span()))
            kinds.add(kind)
    subject = mask(text, taken).replace("\0", " ")
    words = {word.key: word.span.of(text) for word in content_words(subject) if word.key not in _fillers()}
    return Asked(text, subject, frozenset(kinds), words)


def without_courtesies(question: str) -> str:
    """Return a question without greetings, thanks and the like around it."""
    before, after = _courtesies()
    text = question.strip()
    while text:
        shorter = after.sub("", before.sub("", text)).strip()
        if not shorter or shorter == text:
            break
        text = shorter
    return text


def opposed(one: Asked, other: Asked) -> bool:
    """Return whether one question says a word in whose place the other says another of its kind."""
    return _opposed_words(one, other) or _opposed_ideographs(normalise(one.text), normalise(other.text))


def _opposed_words(one: Asked, other: Asked) -> bool:
    words, others = _spelled(one.text), _spelled(other.text)
    own, theirs = words - others, others - words
    if any(own & group and theirs & group for group in _opposites()):
        return True
    return any(f"{prefix}{word}" in mine for mine in (own, theirs) for word in words | others for prefix in _DENYING)


def _opposed_ideographs(one: str, other: str) -> bool:
    return any(
        (first in one and first not in other and second in other and second not in one)
        for group in _table()["opposites"]["ideographic"]
        for first in group.split()
        for second in group.split()
        if first != second
    )


def _spelled(text: str) -> frozenset[str]:
    return frozenset(fold_word(word) for word in regex.findall(r"\p{Latin}+", text))


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bot.approved").joinpath("questions.toml").read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=1)
def _courtesies() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    table = _table()["courtesy"]
    before, after = (
        "|".join(f"(?:{one})" for one in table["before"]),
        "|".join(f"(?:{one})" for one in table["after"]),
    )
    return (
        regex.compile(rf"^(?:{before})(?=\s|\p{{Han}})\s*", regex.IGNORECASE),
        regex.compile(rf"(?<=[\s?？.!。，,]|\p{{Han}})(?:{after})$", regex.IGNORECASE),
    )


@functools.lru_cache(maxsize=1)
def _asking() -> dict[str, regex.Pattern[str]]:
    return {
        kind: regex.compile(normalise("|".join(some)), regex.IGNORECASE) for kind, some in _table()["asking"].items()
    }


@functools.lru_cache(maxsize=1)
def _fillers() -> frozenset[str]:
    return frozenset(fold_word(word) for word in _table()["filler"]["words"].split())


@functools.lru_cache(maxsize=1)
def _opposites() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(map(fold_word, group.split())) for group in _table()["opposites"]["groups"])
