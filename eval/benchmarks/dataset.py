"""Public sets in BEIR's shape: `corpus.jsonl`, `queries.jsonl` with history and answers, `qrels.tsv`.

A set's documents as an index of their own.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.answer.conversation import Turn
from bot.settings import Settings
from eval.errors import EvaluationError
from index.embedding.embedder import Embedder
from index.store.catalogue import Catalogue
from index.sync import synchronise


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a set.

    Attributes:
        answers: Accepted answers; empty when the set has none or the question has no answer.
        gold_sentences: Sentences that state the answer, where the set marks them.
        relevant: Ids of the documents that state it.
        grades: How relevant each of them is, where the set grades them.
        source: Id of the document the question was written about, answerable or not; empty when not known.
        mini: Whether the set counts it to its small sample.
        context_ids: Ids of the passages that the set gives with the question.
        domain: Part of the set that it belongs to; empty when there are none.
        article: What it is about, where the set groups its questions; else empty.
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
    article: str = ""
    grades: Mapping[str, float] = field(default_factory=dict, hash=False)


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
        EvaluationError: A file is missing, or a line of it is not in this shape.
    """
    queries, qrels = _file(folder, queries_file), _file(folder, "qrels.tsv")
    grades = _read_grades(qrels)
    read: list[Query] = []
    with queries.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                read += [_parse_query(json.loads(line), grades, answer_fields)] if line.strip() else []
            except (KeyError, TypeError, ValueError) as error:
                raise EvaluationError(
                    f"{str(queries)!r}, line {number}, is no question in BEIR's shape ({error!r}): correct the line."
                ) from error
    return tuple(read)


def _read_grades(qrels: Path) -> dict[str, dict[str, float]]:
    """Return, by question, how relevant each relevant document is."""
    grades: dict[str, dict[str, float]] = {}
    with qrels.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), start=2):
            try:
                grade = float(row["score"])
                if grade > 0:
                    grades.setdefault(row["query-id"], {})[row["corpus-id"]] = grade
            except (KeyError, TypeError, ValueError) as error:
                raise EvaluationError(
                    f"{str(qrels)!r}, line {number}, is no judgement: the columns are query-id, corpus-id, score."
                ) from error
    return grades


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise EvaluationError(f"There is no {name} in {str(folder)!r}: name a folder in BEIR's shape.")
    return path


def _parse_query(row: dict[str, Any], grades: Mapping[str, Mapping[str, float]], answer_fields: Sequence[str]) -> Query:
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
        relevant=frozenset(grades.get(row["_id"]) or ([source] if source and answerable else [])),
        source=source,
        mini=bool(row.get("mini")),
        context_ids=tuple(row.get("context_ids") or ()),
        domain=row.get("domain") or "",
        article=row.get("article") or "",
        grades=grades.get(row["_id"], {}),
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


def index_corpus(corpus: Path, data_dir: Path, settings: Settings, embedder: Embedder) -> Settings:
    """Index a corpus in a folder, unless it is there already, and return the settings to ask it with.

    The database is always the one in that folder: a set must never replace the documents of a database that is used.
    """
    chosen = settings.model_copy(update={"data_dir": data_dir, "database_url": ""})
    catalogue = Catalogue(chosen.catalogue_url())
    try:
        synchronise([corpus], chosen, catalogue, embedder)
    finally:
        catalogue.close()
    return chosen
