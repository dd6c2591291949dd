"""A folder to a set: its questions, and the documents that each is asked of."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from eval.benchmark.protocol import Protocol, find_protocol
from eval.dataset import Query, read_queries
from eval.errors import EvaluationError

_SEED = 20_250_416


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
    """A set as it is measured: the questions that were chosen of it, by collection."""

    name: str
    protocol: Protocol
    collections: tuple[Collection, ...]

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
    queries = [query for query in read_queries(folder, answer_fields=protocol.answers) if query.mini or not mini]
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
    )
