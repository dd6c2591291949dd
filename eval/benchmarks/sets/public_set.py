"""Public sets in BEIR's shape: `corpus.jsonl`, `queries.jsonl` with history and answers, and `qrels.tsv`.

What a set asks of which documents, and what counts as right, is its protocol: data, chosen by the set's name.
"""

from __future__ import annotations

import csv
import functools
import json
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bot.answer.conversation import Turn
from bot.settings import Settings
from eval.errors import EvaluationError
from eval.report.json_file import Record
from index.embedding.embedder import Embedder
from index.store.catalogue import Catalogue
from index.sync import synchronise

_SEED = 20_250_416

# How an answer is compared with the accepted ones.
Comparison = Literal["words", "stems", "none"]
# What is asked of a follow-up: the question with the turns before it, or the question alone.
QueryForm = Literal["history", "last"]


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a set.

    Attributes:
        answers: Accepted answers; empty when the set has none or the question has no answer.
        gold_sentences: Sentences that state the answer, where the set marks them.
        relevant: Ids of the documents that state it.
        grades: How relevant each of them is, where the set grades them.
        source: Id of the document the question was written about, answerable or not; empty when not known.
        mini: Whether the row belongs to the set's small sample.
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
class CorpusQueries:
    """Questions that are asked of the same documents.

    Attributes:
        name: Of the set; or names the folder of the index, which several sets about one corpus share.
        own_passages: Each question is asked of the documents in its `context_ids` alone.
    """

    name: str
    corpus: Path
    queries: tuple[Query, ...]
    own_passages: bool = False

    def sample(self, limit: int) -> CorpusQueries:
        """Return at most so many of the questions, the same ones each time."""
        queries = list(self.queries)
        random.Random(0).shuffle(queries)  # noqa: S311  # a fixed sample, nothing secret
        return replace(self, queries=tuple(queries[:limit]))


def load_dataset(folder: Path, *, whole: bool = False) -> CorpusQueries:
    """Return a set without its protocol; if `whole`, with the questions of `all_queries.jsonl` where there is one.

    Raises:
        EvaluationError: The folder is not a set in this shape.
    """
    file = "all_queries.jsonl" if whole and (folder / "all_queries.jsonl").is_file() else "queries.jsonl"
    return CorpusQueries(folder.name, _file(folder, "corpus.jsonl"), read_queries(folder, file))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a JSON Lines file.

    Raises:
        EvaluationError: The file cannot be read, or holds something else.
    """
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{str(path)!r} is no file of a set in BEIR's shape ({error}).") from error


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


def index_corpus(corpus: Path, data_dir: Path, settings: Settings, embedder: Embedder) -> Settings:
    """Index a corpus in a folder, unless it is there already, and return the settings to ask it with.

    The database is always the one in that folder: a set must never replace the documents of a database that is used.
    """
    chosen = settings.model_copy(update={"data_dir": data_dir, "database_url": ""})
    with closing(Catalogue(chosen.catalogue_url())) as catalogue:
        synchronise([corpus], chosen, catalogue, embedder)
    return chosen


class SetProtocol(Record):
    """One entry of `protocols.toml`; the fields are explained there."""

    sets: tuple[str, ...]
    compare: Comparison
    answers: tuple[str, ...] = ("answers",)
    yes_no: bool = False
    parts: str = ""
    corpus: str = "."
    passages: bool = False
    pool: str = ""
    names: dict[str, str] = Field(default_factory=dict)


def find_protocol(folder: Path) -> tuple[str, SetProtocol]:
    """Return the name of a set and its protocol, from the last parts of its folder's path."""
    for protocol in _protocols():
        for pattern in protocol.sets:
            name = "/".join(folder.absolute().parts[-len(pattern.split("/")) :])
            if fnmatchcase(name, pattern):
                return name, protocol
    raise AssertionError("the last protocol takes every set")


@functools.lru_cache(maxsize=1)
def _protocols() -> tuple[SetProtocol, ...]:
    text = files("eval.benchmarks.sets").joinpath("protocols.toml").read_text(encoding="utf-8")
    return tuple(SetProtocol.model_validate(entry) for entry in tomllib.loads(text)["protocol"])


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """A set as it is measured: the questions that were chosen of it, by corpus.

    Attributes:
        folder: Where it was read from; None for one that was made in memory.
        query: Whether questions are asked with their history.
        left_out: How many of its questions were not chosen.
    """

    name: str
    protocol: SetProtocol
    collections: tuple[CorpusQueries, ...]
    folder: Path | None = None
    query: QueryForm = "history"
    left_out: int = 0

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every chosen question."""
        return tuple(query for collection in self.collections for query in collection.queries)


def load_set(folder: Path, *, mini: bool = False, limit: int | None = None) -> BenchmarkSet:
    """Return a set.

    Args:
        folder: Holds `queries.jsonl` and `qrels.tsv`, and `corpus.jsonl` unless the protocol says where that is.
        mini: Only the rows that the set marks as its small sample.
        limit: At most so many questions; the same ones each time.

    Raises:
        EvaluationError: The folder is not a set in this shape, or nothing of it was chosen.
    """
    name, protocol = find_protocol(folder)
    whole = read_queries(folder, answer_fields=protocol.answers)
    queries = [query for query in whole if query.mini or not mini]
    if limit is not None and limit < len(queries):
        chosen = random.Random(_SEED).sample(range(len(queries)), limit)  # noqa: S311  # a fixed sample, no secret
        queries = [queries[index] for index in sorted(chosen)]
    if not queries:
        raise EvaluationError(f"Nothing of {str(folder)!r} was chosen: it marks no rows for --mini; leave it out.")
    by_corpus: dict[Path, list[Query]] = {}
    for query in queries:
        corpus = (folder / protocol.corpus.format(domain=query.domain)).resolve() / "corpus.jsonl"
        by_corpus.setdefault(corpus, []).append(query)
    for corpus in by_corpus:
        if not corpus.is_file():
            raise EvaluationError(f"The documents of {name!r} are missing: there is no {str(corpus)!r}.")
    collections = tuple(
        CorpusQueries("-".join(corpus.parts[-3:-1]), corpus, tuple(some), protocol.passages)
        for corpus, some in sorted(by_corpus.items())
    )
    return BenchmarkSet(name, protocol, collections, folder, left_out=len(whole) - len(queries))


def in_query_forms(chosen: BenchmarkSet, query: str) -> Iterator[BenchmarkSet]:
    """Yield a set as it is asked: with `history`, the `last` turn alone, or `both` where that makes a difference."""
    if query != "last":
        yield chosen
    if query == "last" or (query == "both" and any(one.history for one in chosen.queries)):
        collections = tuple(
            replace(one, queries=tuple(replace(query, history=()) for query in one.queries))
            for one in chosen.collections
        )
        yield replace(chosen, query="last", collections=collections)


def require_relevant_documents(chosen: BenchmarkSet) -> None:
    """Make sure that retrieval can be measured at all.

    Raises:
        EvaluationError: The set says of no chosen question which documents are relevant.
    """
    if not any(query.relevant for query in chosen.queries):
        raise EvaluationError(
            f"The retrieval of {chosen.name!r} cannot be measured, because its qrels.tsv names no relevant documents: "
            "leave out --retrieval-only."
        )
