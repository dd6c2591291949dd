"""A question with one thing exchanged, so that it asks something else: the nearest of near misses.

The same question in other words, by rules that never change what is asked.

Pairs of questions of public sets: the same question in other words, and near misses; split by article.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import regex

from bot.stages.question.clean import detect_language, to_script
from eval.benchmarks.dataset import Query, load_dataset
from index.embedding.embedder import Embedder

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


# Each tried in turn; what leaves a question as it was is no rewording.
_CHANGES = (
    (r"^In (?:what|which) year\b", "When"),
    (r"^When (was|were|did)\b", r"In what year \1"),
    (r"^How many\b(.+?) (are|were) there\b", r"What number of\1 \2 there"),
    (r"^Why (did|was|were|is|are|do|does)\b", r"For what reason \1"),
    (r"^Where (did|was|were|is|are|do|does)\b", r"In what place \1"),
    (r"\bwhat (type|kind|sort)s? of\b", "which type of"),
    (r"\b[Ww]hich (?=\p{Ll})", "what "),
    (r"^What (?=(?!is|was|are|were|do|did|does|can|has|had)\p{Ll}+ )", "Which "),
    (r"^What is the name of\b", "What's the name of"),
    (r"^(What|Who|Where) is\b", r"\1's"),
    (r"\btwo\b", "2"),
    (r"\bthree\b", "3"),
    (r"\bcolor\b", "colour"),
    (r"\b(\p{L}{3,})ized\b", r"\1ised"),
    (r"何時|什麼時候|什么时候", "甚麼時候"),
    (r"哪一?年", "哪個年份"),
    (r"誰|谁", "哪一位"),
    (r"哪[裡里]", "什麼地方"),
    (r"有多少", "有幾多"),
)
_FRAMES = {
    "en": (
        "Please tell me: {question}",
        "Hello, I would like to know: {question}",
        "{lower}",
        "Quick question – {question} Thanks!",
        "Do you know {lower}?",
    ),
    "zh": ("請問，{question}", "我想知道{question}", "{plain}", "你好，{question}謝謝！"),
}
_END = regex.compile(r"[\s?？.。]+$")


def reword(question: str, number: int) -> str:
    """Return a question in other words.

    Args:
        question: As it stands in a set.
        number: Chooses among the frames, so that a set of questions meets them all.
    """
    language = detect_language(question)
    changed = next(_changed(question), question)
    frames = _FRAMES["en" if language == "en" else "zh"]
    frame = frames[number % len(frames)]
    plain = _END.sub("", changed)
    framed = frame.format(question=changed, lower=plain[0].lower() + plain[1:], plain=plain)
    return to_script(framed, language)


def _changed(question: str) -> Iterator[str]:
    for pattern, replacement in _CHANGES:
        changed = regex.sub(pattern, replacement, question, count=1)
        if changed != question:
            yield changed


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
    lines = files("eval.benchmarks.approved").joinpath("rewordings.jsonl").read_text(encoding="utf-8").splitlines()
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
