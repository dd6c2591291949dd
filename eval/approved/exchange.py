"""A question with one thing exchanged, so that it asks something else: the nearest of near misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import regex

Exchanged = Literal["year", "number", "name", "opposite", "kind", "negation"]

# Exchanged for each other, whole words, case of the first letter kept.
_OPPOSITES = (
    ("before", "after"), ("first", "last"), ("highest", "lowest"), ("largest", "smallest"), ("most", "least"),
    ("more", "fewer"), ("oldest", "youngest"), ("north", "south"), ("northern", "southern"), ("east", "west"),
    ("eastern", "western"), ("older", "younger"), ("higher", "lower"), ("larger", "smaller"), ("start", "end"),
    ("increase", "decrease"), ("men", "women"), ("mother", "father"), ("open", "close"), ("begin", "end"),
    ("longest", "shortest"), ("upper", "lower"), ("minimum", "maximum"), ("win", "lose"), ("won", "lost"),
    ("above", "below"), ("winter", "summer"), ("inside", "outside"), ("buy", "sell"), ("import", "export"),
    ("最大", "最小"), ("最高", "最低"), ("之前", "之後"), ("開始", "結束"), ("第一", "最後"),
    ("最多", "最少"), ("加入", "退出"),
)  # fmt: skip
_YEAR = regex.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)")
_NUMBER = regex.compile(r"(?<![\d.,])\d{1,3}(?![\d.,])")
_KINDS = (
    (r"^When\b", "Where"), (r"^Where\b", "When"), (r"^Who\b", "When"), (r"^How many\b", "Which"),
    (r"^Why\b", "When"), (r"何時|什麼時候|什么时候|哪一?年", "為什麼"), (r"哪[裡里]", "何時"),
)  # fmt: skip
_DENIABLE = regex.compile(r"\b(is|are|was|were|did|does|do|can|could|has|have|had|would|should)\b(?! not\b|n't)")
_NAME = regex.compile(r"(?<!^)(?<![.?!] )\b\p{Lu}\p{Ll}{3,}\b")


def exchanges(question: str, names: Sequence[str]) -> Iterator[tuple[Exchanged, str]]:
    """Yield what was exchanged, and the question that results.

    Args:
        question: As it stands in a set.
        names: Names of the same article, one of which takes the place of the question's.
    """
    for match in _YEAR.finditer(question):
        yield "year", f"{question[: match.start()]}{int(match.group()) + 7}{question[match.end() :]}"
    for match in _NUMBER.finditer(_YEAR.sub(lambda year: "x" * len(year.group()), question)):
        yield "number", f"{question[: match.start()]}{int(match.group()) + 3}{question[match.end() :]}"
    name, other = _NAME.search(question), next((one for one in names if one not in question), "")
    if name and other:
        yield "name", f"{question[: name.start()]}{other}{question[name.end() :]}"
    for pair in _OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if other in question:  # "older or younger than" asks the same when it is turned round
                continue
            pattern = rf"\b{one}\b" if one.isascii() else one
            if (changed := regex.sub(pattern, other, question, count=1)) != question:
                yield "opposite", changed
    for pattern, other in _KINDS:
        if (changed := regex.sub(pattern, other, question, count=1)) != question:
            yield "kind", changed
    if verb := _DENIABLE.search(question):
        yield "negation", f"{question[: verb.end()]} not{question[verb.end() :]}"


def names_of(questions: Sequence[str]) -> list[str]:
    """Return the names that stand in questions, each once, in order."""
    return list(dict.fromkeys(name for question in questions for name in _NAME.findall(question)))
