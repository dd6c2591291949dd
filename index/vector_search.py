"""What every way to search vectors has in common."""

from __future__ import annotations

from typing import Protocol

from index.embedding.embedder import Vectors


class VectorSearch(Protocol):
    """Finds chunks by their vectors."""

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""
