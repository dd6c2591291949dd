"""Pairs of questions of public sets: the same question in other words, and near misses; split by article.

A rewording is our own (`rewordings.jsonl`) or made by the rules of `question_pairs.toml`, which never change what is
asked. A near miss is another question about the same article, or the question with one thing exchanged so that it asks
something else.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import numpy as np
import regex

from bot.stages.question.clean import detect_language, to_script
from eval.benchmarks.sets.public_set import Query, load_dataset, read_rows
from index.embedding.embedder import Embedder

ExchangeKind = Literal["year", "number", "name", "opposite", "kind", "negation"]

_RULES = tomllib.loads(files("eval.benchmarks").joinpath("question_pairs.toml").read_text(encoding="utf-8"))
_YEAR = regex.compile(r"(?<!\d)(?:1\d|20)\d\d(?!\d)")
_NUMBER = regex.compile(r"(?<![\d.,])\d{1,3}(?![\d.,])")
_END = regex.compile(r"[\s?？.。]+$")
_DENIABLE = regex.compile(r"\b(is|are|was|were|did|does|do|can|could|has|have|had|would|should)\b(?! not\b|n't)")
_NAME = regex.compile(r"(?<!^)(?<![.?!] )\b\p{Lu}\p{Ll}{3,}\b")


def _exchanges(question: str, names: Sequence[str]) -> Iterator[tuple[ExchangeKind, str]]:
    """Yield what was exchanged, and the question that results.

    The first of the names, which are from the same article, that the question lacks takes the place of its own.
    """
    for match in _YEAR.finditer(question):
        yield "year", f"{question[: match.start()]}{int(match.group()) + 7}{question[match.end() :]}"
    for match in _NUMBER.finditer(_YEAR.sub(lambda year: "x" * len(year.group()), question)):
        yield "number", f"{question[: match.start()]}{int(match.group()) + 3}{question[match.end() :]}"
    name, other = _NAME.search(question), next((one for one in names if one not in question), "")
    if name and other:
        yield "name", f"{question[: name.start()]}{other}{question[name.end() :]}"
    for pair in _RULES["opposites"]:
        for one, other in (pair, pair[::-1]):
            if other in question:  # "older or younger than" asks the same when it is turned round
                continue
            pattern = rf"\b{one}\b" if one.isascii() else one
            if (changed := regex.sub(pattern, other, question, count=1)) != question:
                yield "opposite", changed
    for pattern, other in _RULES["kinds"]:
        if (changed := regex.sub(pattern, other, question, count=1)) != question:
            yield "kind", changed
    if verb := _DENIABLE.search(question):
        yield "negation", f"{question[: verb.end()]} not{question[verb.end() :]}"


def _reword(question: str, number: int) -> str:
    """Return a question in other words; the number chooses among the frames."""
    language = detect_language(question)
    rewordings = (regex.sub(pattern, replacement, question, count=1) for pattern, replacement in _RULES["changes"])
    changed = next((one for one in rewordings if one != question), question)
    frames = _RULES["frames"]["en" if language == "en" else "zh"]
    plain = _END.sub("", changed)
    framed = frames[number % len(frames)].format(question=changed, lower=plain[0].lower() + plain[1:], plain=plain)
    return to_script(framed, language)


PairKind = Literal["written", "rules", "neighbour"] | ExchangeKind
Part = Literal["fit", "report"]
# Of two questions whose answers share so many of their words, it cannot be said that they ask different things.
_SAME_ANSWER = 0.3


@dataclass(frozen=True, slots=True)
class RewordedPair:
    """An approved question, and one that is asked about the same article.

    Attributes:
        part: Whether the article's pairs are fitted on or reported.
        same: Whether they ask the same.
        kind: How the second was made: our own rewording, one by rules, another question of the article, or one with
            something exchanged.
    """

    part: Part
    approved: str
    asked: str
    same: bool
    kind: PairKind


def read_pairs(folders: Sequence[Path], embedder: Embedder) -> list[RewordedPair]:
    """Return the pairs that can be made of sets whose questions name their article.

    Raises:
        EvaluationError: A folder is not a set in BEIR's shape.
    """
    with as_file(files("eval.benchmarks").joinpath("rewordings.jsonl")) as path:
        written = {row["query"]: row["wording"] for row in read_rows(path)}
    pairs: list[RewordedPair] = []
    for folder in folders:
        by_article: dict[str, list[Query]] = {}
        for query in load_dataset(folder, whole=True).queries:
            by_article.setdefault(query.article, []).append(query)
        for place, article in enumerate(sorted(by_article)):
            part: Part = "report" if place % 2 else "fit"
            pairs += _pairs_of(part, by_article[article], written, embedder)
    return pairs


def choose_pairs(pairs: Sequence[RewordedPair], *, same: bool, count: int) -> list[RewordedPair]:
    """Return so many pairs, the same ones each time.

    Of rewordings half are ours, or all there are; of near misses half are other questions of the article, and of the
    rest each kind is there as often as can be.
    """
    first = "written" if same else "neighbour"
    halves = [[pair for pair in pairs if pair.same is same and (pair.kind == first) is half] for half in (True, False)]
    chosen = _evenly(halves[0], count // 2)
    return chosen + _evenly(halves[1], count - len(chosen))


def _evenly(pairs: Sequence[RewordedPair], count: int) -> list[RewordedPair]:
    by_kind: dict[str, list[RewordedPair]] = {}
    for pair in pairs:
        by_kind.setdefault(pair.kind, []).append(pair)
    for some in by_kind.values():
        random.Random(0).shuffle(some)  # noqa: S311  # a fixed sample, nothing secret
    chosen: list[RewordedPair] = []
    while len(chosen) < count and any(by_kind.values()):
        chosen += [some.pop() for some in by_kind.values() if some]
    return chosen[:count]


def _pairs_of(
    part: Part, queries: Sequence[Query], written: dict[str, str], embedder: Embedder
) -> Iterator[RewordedPair]:
    names = list(dict.fromkeys(name for query in queries for name in _NAME.findall(query.question)))
    nearest = _nearest(queries, embedder)
    for number, query in enumerate(queries):
        question = query.question.strip()
        if not query.answerable:
            continue
        if query.query_id in written:
            yield RewordedPair(part, question, written[query.query_id], same=True, kind="written")
        if (changed := _reword(question, number)) != question:
            yield RewordedPair(part, question, changed, same=True, kind="rules")
        if number in nearest:
            yield RewordedPair(part, question, queries[nearest[number]].question.strip(), same=False, kind="neighbour")
        for kind, changed in _exchanges(question, names[number % max(len(names), 1) :]):
            yield RewordedPair(part, question, changed, same=False, kind=kind)


def _nearest(queries: Sequence[Query], embedder: Embedder) -> dict[int, int]:
    """Return for each question the one most like it that asks something else."""
    vectors = embedder.embed([query.question for query in queries])
    likeness = vectors @ vectors.T
    found = {}
    for number, query in enumerate(queries):
        for other in np.argsort(-likeness[number]):
            rival = queries[int(other)]
            if rival is not query and not _may_ask_the_same(query, rival):
                found[number] = int(other)
                break
    return found


def _may_ask_the_same(one: Query, other: Query) -> bool:
    if one.question.strip().casefold() == other.question.strip().casefold():
        return True
    return any(_shared(a, b) > _SAME_ANSWER for a in one.answers for b in other.answers)


def _shared(one: str, other: str) -> float:
    words, others = (
        set(text.casefold().split() if detect_language(text) == "en" else text.casefold()) for text in (one, other)
    )
    return len(words & others) / max(min(len(words), len(others)), 1)
