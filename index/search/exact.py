"""Exhaustive vector search: over a memory-mapped file of a generation, or over the vectors in the database.

The file is faster than Chroma's graph up to some tens of thousands of vectors. The database answers while the files of
an index are damaged; every question then reads all vectors, which takes about half a second for 100,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from pathlib import Path
from typing import Protocol

import numpy as np

from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.store.chunk_sets import ChunkSet, VectorPage

# Median ms for the 50 best of a question on two cores, 384 numbers a vector (exhaustive / Chroma's graph): 1,000 chunks
# .3 / 2.1; 10,000 .9 / 3.4; 20,000 1.7 / 3.1; 50,000 4 to 7 / 5.0; 100,000 8.0 / 3.4. The graph found .994 of them at
# 10,000 chunks and .980 at 100,000.
EXACT_UP_TO = 30_000


class VectorSearch(Protocol):
    """Finds chunks by their vectors."""

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""


def build_exact_index(folder: Path, pages: Iterable[VectorPage]) -> None:
    """Write vectors and their ids into a new folder."""
    chunk_ids: list[str] = []
    vectors: list[Vectors] = []
    for ids, some in pages:
        chunk_ids += ids
        vectors.append(some)
    folder.mkdir()
    np.save(folder / "vectors.npy", np.concatenate(vectors) if vectors else np.zeros((0, 0), dtype=np.float32))
    np.save(folder / "chunk_ids.npy", np.array(chunk_ids, dtype=np.str_))


class ExactIndex:
    """Searches a folder made by `build_exact_index`.

    Raises:
        IndexingError: The folder is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._vectors = np.asarray(np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False))
            self._chunk_ids = np.load(folder / "chunk_ids.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise IndexingError(
                f"The vectors in {str(folder)!r} cannot be read ({error}): run `footnote index` again."
            ) from error

    def chunk_ids(self) -> Iterator[str]:
        """Yield the ids of all chunks, in no order."""
        yield from map(str, self._chunk_ids)

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""
        if not len(self._chunk_ids):
            return []
        similarities = self._vectors @ vector
        wanted = min(limit, len(similarities))
        best = np.argpartition(-similarities, wanted - 1)[:wanted]
        pairs = [(str(self._chunk_ids[place]), float(similarities[place])) for place in best]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


class StoredVectors:
    """Searches the vectors of a set of chunks, page by page."""

    def __init__(self, chunks: ChunkSet) -> None:
        self._chunks = chunks

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""
        best: list[tuple[str, float]] = []
        for chunk_ids, vectors in self._chunks.vectors():
            similarities = (vectors @ vector).tolist()
            pairs = [*best, *zip(chunk_ids, similarities, strict=True)]
            best = nsmallest(limit, pairs, key=lambda pair: (-pair[1], pair[0]))
        return best
