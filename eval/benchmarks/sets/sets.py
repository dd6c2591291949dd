"""Protocols: what a set asks of whom, and what counts as right. Data, chosen by the set's name.

A folder to a set: its questions, and the documents that each is asked of.
"""

from __future__ import annotations

import functools
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from eval.benchmarks.dataset import Query, read_queries
from eval.errors import EvaluationError

Comparison = Literal["words", "stems", "none"]


class Protocol(BaseModel):
    """One entry of `protocols.toml`; the fields are explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: tuple[str, ...]
    compare: Comparison
    answers: tuple[str, ...] = ("answers",)
    yes_no: bool = False
    parts: str = ""
    corpus: str = "."
    passages: bool = False
    pool: str = ""
    names: dict[str, str] = {}


def find_protocol(folder: Path) -> tuple[str, Protocol]:
    """Return the name of a set and its protocol, from the last parts of its folder's path."""
    for protocol in _protocols():
        for pattern in protocol.sets:
            name = "/".join(folder.absolute().parts[-len(pattern.split("/")) :])
            if fnmatchcase(name, pattern):
                return name, protocol
    raise AssertionError("the last protocol takes every set")


@functools.lru_cache(maxsize=1)
def _protocols() -> tuple[Protocol, ...]:
    text = files("eval.benchmarks.sets").joinpath("protocols.toml").read_text(encoding="utf-8")
    return tuple(Protocol.model_validate(entry) for entry in tomllib.loads(text)["protocol"])


_SEED = 20_250_416

# What is asked of a follow-up: the question with the turns before it, or the question alone.
QueryForm = Literal["history", "last"]


@dataclass(frozen=True, slots=True)
class Collection:
    """Questions that are asked of the same documents.

    Attributes:
        name: Names the folder of its index; collections over the same corpus share one.
        own_passages: Each question is asked of the documents in its `context_ids` alone.
    """

    name: str
    corpus: Path
    queries: tuple[Query, ...]
    own_passages: bool = False


@dataclass(frozen=True, slots=True)
class BenchmarkSet:
    """A set as it is measured: the questions that were chosen of it, by collection.

    Attributes:
        folder: Where it was read from; None for one that was made in memory.
        query: Whether questions are asked with their history.
        left_out: How many of its questions were not chosen.
    """

    name: str
    protocol: Protocol
    collections: tuple[Collection, ...]
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
    return BenchmarkSet(
        name,
        protocol,
        tuple(
            Collection("-".join(corpus.parts[-3:-1]), corpus, tuple(some), protocol.passages)
            for corpus, some in sorted(by_corpus.items())
        ),
        folder,
        left_out=len(whole) - len(queries),
    )


def in_query_forms(chosen: BenchmarkSet, query: str) -> Iterator[BenchmarkSet]:
    """Yield a set as it is asked: with `history`, the `last` turn alone, or `both` where that makes a difference."""
    if query != "last":
        yield chosen
    if query == "last" or (query == "both" and any(one.history for one in chosen.queries)):
        yield replace(chosen, query="last", collections=tuple(map(_last_turn_only, chosen.collections)))


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


def _last_turn_only(collection: Collection) -> Collection:
    return replace(collection, queries=tuple(replace(query, history=()) for query in collection.queries))
