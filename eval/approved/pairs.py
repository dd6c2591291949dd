"""Pairs of questions of public sets: the same question in other words, and near misses; split by article."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from bot.question import detect_language
from eval.approved.exchange import Exchanged, exchanges, names_of
from eval.approved.reword import reword
from eval.dataset import Query, load_dataset
from index.embedding.embedder import Embedder

Kind = Literal["written", "rules", "neighbour"] | Exchanged
Part = Literal["fit", "report"]
# Of two questions whose answers share so many of their words, it cannot be said that they ask different things.
_SAME_ANSWER = 0.3


@dataclass(frozen=True, slots=True)
class Pair:
    """An approved question, and one that is asked.

    Attributes:
        article: What both are about.
        part: Every second article is fitted on, and the others are reported.
        same: Whether they ask the same.
        kind: How the second was made: our own rewording, one by rules, another question of the article, or one with
            something exchanged.
    """

    article: str
    part: Part
    approved: str
    asked: str
    same: bool
    kind: Kind


def read_pairs(folders: Sequence[Path], embedder: Embedder) -> list[Pair]:
    """Return the pairs that can be made of sets whose questions name their article.

    Raises:
        EvaluationError: A folder is not a set in BEIR's shape.
    """
    written = _written()
    pairs: list[Pair] = []
    for folder in folders:
        file = "all_queries.jsonl" if (folder / "all_queries.jsonl").is_file() else "queries.jsonl"
        by_article: dict[str, list[Query]] = {}
        for query in load_dataset(folder, file).queries:
            by_article.setdefault(query.article, []).append(query)
        for place, article in enumerate(sorted(by_article)):
            part: Part = "report" if place % 2 else "fit"
            pairs += _pairs_of(article, part, by_article[article], written, embedder)
    return pairs


def choose(pairs: Sequence[Pair], *, same: bool, count: int) -> list[Pair]:
    """Return so many pairs, the same ones each time.

    Of rewordings half are ours, or all there are; of near misses half are other questions of the article, and of the
    rest each kind is there as often as can be.
    """
    first = "written" if same else "neighbour"
    halves = [[pair for pair in pairs if pair.same is same and (pair.kind == first) is half] for half in (True, False)]
    chosen = _evenly(halves[0], count // 2)
    return chosen + _evenly(halves[1], count - len(chosen))


def _evenly(pairs: Sequence[Pair], count: int) -> list[Pair]:
    by_kind: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_kind.setdefault(pair.kind, []).append(pair)
    for some in by_kind.values():
        random.Random(0).shuffle(some)  # noqa: S311  # a fixed sample, nothing secret
    chosen: list[Pair] = []
    while len(chosen) < count and any(by_kind.values()):
        chosen += [some.pop() for some in by_kind.values() if some]
    return chosen[:count]


def _written() -> dict[str, str]:
    lines = files("eval.approved").joinpath("rewordings.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["query"]: row["wording"] for row in map(json.loads, lines)}


def _pairs_of(
    article: str, part: Part, queries: Sequence[Query], written: dict[str, str], embedder: Embedder
) -> Iterator[Pair]:
    names = names_of([query.question for query in queries])
    nearest = _nearest(queries, embedder)
    for number, query in enumerate(queries):
        question = query.question.strip()
        if not query.answerable:
            continue
        if query.query_id in written:
            yield Pair(article, part, question, written[query.query_id], same=True, kind="written")
        if (changed := reword(question, number)) != question:
            yield Pair(article, part, question, changed, same=True, kind="rules")
        if number in nearest:
            yield Pair(article, part, question, queries[nearest[number]].question.strip(), same=False, kind="neighbour")
        for kind, changed in exchanges(question, names[number % max(len(names), 1) :]):
            yield Pair(article, part, question, changed, same=False, kind=kind)


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
    words, others = (set(_units(text)) for text in (one, other))
    return len(words & others) / max(min(len(words), len(others)), 1)


def _units(text: str) -> list[str]:
    return text.casefold().split() if detect_language(text) == "en" else list(text)
