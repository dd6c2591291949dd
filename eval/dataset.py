"""Public sets in BEIR's shape: `corpus.jsonl`, `queries.jsonl` with history and answers, `qrels.tsv`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.conversation import Turn
from eval.errors import EvaluationError


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a set.

    Attributes:
        answers: Accepted answers; empty when the set has none or the question has no answer.
        gold_sentences: Sentences that state the answer, where the set marks them.
        relevant: Ids of the documents that state it.
        source: Id of the document the question was written about, answerable or not; empty when not known.
        mini: Whether the set counts it to its small sample.
        context_ids: Ids of the passages that the set gives with the question.
        domain: Part of the set that it belongs to; empty when there are none.
    """

    query_id: str
    question: str
    history: tuple[Turn, ...]
    answerable: bool
    answers: tuple[str, ...]
    gold_sentences: tuple[str, ...]
    relevant: frozenset[str]
    source: str = ""
    mini: bool = False
    context_ids: tuple[str, ...] = ()
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set and where its documents are."""

    name: str
    corpus: Path
    queries: tuple[Query, ...]


def load_dataset(folder: Path, queries_file: str = "queries.jsonl") -> Dataset:
    """Return a set.

    Raises:
        EvaluationError: The folder is not a set in this shape.
    """
    return Dataset(folder.name, _file(folder, "corpus.jsonl"), read_queries(folder, queries_file))


def read_queries(
    folder: Path, queries_file: str = "queries.jsonl", *, answer_fields: Sequence[str] = ("answers",)
) -> tuple[Query, ...]:
    """Return the questions of a set.

    Args:
        folder: The set.
        queries_file: Its file of questions.
        answer_fields: Fields of a row that hold accepted answers.

    Raises:
        EvaluationError: A file is missing.
    """
    queries, qrels = _file(folder, queries_file), _file(folder, "qrels.tsv")
    relevant: dict[str, set[str]] = {}
    with qrels.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if float(row["score"]) > 0:
                relevant.setdefault(row["query-id"], set()).add(row["corpus-id"])
    with queries.open(encoding="utf-8") as file:
        return tuple(_parse_query(json.loads(line), relevant, answer_fields) for line in file)


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise EvaluationError(f"There is no {name} in {str(folder)!r}: name a folder in BEIR's shape.")
    return path


def _parse_query(row: dict[str, Any], relevant: Mapping[str, set[str]], answer_fields: Sequence[str]) -> Query:
    answerable = bool(row.get("answerable", True))
    source = row.get("source_passage") or ""
    answers = (answer for field in answer_fields for answer in row.get(field) or ())
    return Query(
        query_id=row["_id"],
        question=row["text"],
        history=tuple(Turn(role=turn["role"], content=turn["text"]) for turn in row.get("history", [])),
        answerable=answerable,
        answers=tuple(dict.fromkeys(answers)),
        gold_sentences=tuple(row.get("gold_sentences") or ()),
        relevant=frozenset(relevant.get(row["_id"]) or ([source] if source and answerable else [])),
        source=source,
        mini=bool(row.get("mini")),
        context_ids=tuple(row.get("context_ids") or ()),
        domain=row.get("domain") or "",
    )


def split_by_title(dataset: Dataset, folder: Path, count: int) -> Iterator[Dataset]:
    """Yield small sets, each of the documents that share one title, the titles with most questions first.

    A judge that has only seen large collections is wrong about a folder of one document. Each small corpus is written
    to a file below `folder`.
    """
    with dataset.corpus.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    titles = {row["_id"]: row.get("title", "") for row in rows}
    by_title: dict[str, list[Query]] = {}
    for query in dataset.queries:
        if titles.get(query.source):
            by_title.setdefault(titles[query.source], []).append(query)
    for number, title in enumerate(sorted(by_title, key=lambda title: (-len(by_title[title]), title))[:count]):
        corpus = folder / f"{dataset.name}-{number}" / "corpus.jsonl"
        corpus.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(row, ensure_ascii=False) for row in rows if row.get("title", "") == title)
        corpus.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        yield Dataset(f"{dataset.name}-small", corpus, tuple(by_title[title]))
