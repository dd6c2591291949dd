"""Vector search over one generation. The one door to Chroma.

A collection is written once, in a fresh folder, and only read afterwards: Chroma's local writer does not survive being
killed in the middle of a write (chroma-core/chroma#7238), so nothing that matters is ever kept in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import chromadb
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import IndexingError

_COLLECTION = "chunks"
_BATCH = 1_000
# Wide beams: of the best 50 by exact search the graph finds .99 at 10,000 chunks and .98 at 100,000.
_GRAPH = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}


def build_vector_index(folder: Path, pages: Iterable[Sequence[tuple[Chunk, Vectors]]]) -> int:
    """Write a Chroma collection of the chunks into a new folder and return how many it holds."""
    client = _open(folder)
    try:
        collection = client.create_collection(
            _COLLECTION, configuration={"hnsw": _GRAPH}, embedding_function=None, get_or_create=False
        )
        for page in pages:
            for start in range(0, len(page), _BATCH):
                some = page[start : start + _BATCH]
                collection.add(ids=[chunk.chunk_id for chunk, _ in some], embeddings=[vector for _, vector in some])
        return int(collection.count())
    finally:
        client.close()


class VectorIndex:
    """Searches a folder made by `build_vector_index`.

    Raises:
        IndexingError: The folder is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._client = _open(folder)
            self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)
            self._count = int(self._collection.count())
        except (ChromaError, AttributeError) as error:  # chromadb 1.5.9 fails in its own clean-up after a failed open
            raise _damaged(folder, error) from error

    def count(self) -> int:
        """Return how many chunks the index holds."""
        return self._count

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first.

        Raises:
            IndexingError: The folder is gone or damaged.
        """
        if not self._count:
            return []
        try:
            found = self._collection.query(
                query_embeddings=[vector], n_results=min(limit, self._count), include=["distances"]
            )
        except ChromaError as error:
            raise _damaged(self._folder, error) from error
        distances = (found["distances"] or [[]])[0]
        pairs = [
            (chunk_id, 1.0 - float(distance)) for chunk_id, distance in zip(found["ids"][0], distances, strict=True)
        ]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def close(self) -> None:
        """Release the folder."""
        self._client.close()


def chroma_version() -> str:
    """Return the version of Chroma that writes generations."""
    return str(chromadb.__version__)


def _open(folder: Path) -> chromadb.api.ClientAPI:
    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def _damaged(folder: Path, error: Exception) -> IndexingError:
    reason = str(error).splitlines()[0]
    return IndexingError(f"The vectors in {str(folder)!r} cannot be read ({reason}): run `footnote index` again.")
