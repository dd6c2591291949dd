"""Vector search over the vectors in the database: what answers while nothing quicker can.

Exact, and slow where there are many: every question reads all of them.
"""

from __future__ import annotations

from heapq import nsmallest

import numpy as np

from index.catalogue import Catalogue
from index.embedding.embedder import Vectors


class StoredVectors:
    """Searches the vectors of live chunks, page by page."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first."""
        best: list[tuple[str, float]] = []
        for page in self._catalogue.live_chunks():
            pairs = [(chunk.chunk_id, float(np.dot(stored, vector))) for chunk, stored in page]
            best = nsmallest(limit, [*best, *pairs], key=lambda pair: (-pair[1], pair[0]))
        return best
