"""Vector search over the vectors in the database: what answers while the files of an index are damaged.

Exact, and slow where there are many: every question reads all of them, about half a second for 100,000.
"""

from __future__ import annotations

from heapq import nsmallest

from index.chunk_sets import ChunkSet
from index.embedding.embedder import Vectors


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
