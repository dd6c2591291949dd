"""Question to chunks: vectors and keywords over the live generation, fused.

Fusion is a convex combination of scores that mean the same for every question: the cosine, and the BM25 score as a
share of the best one found. (Bruch, Gai and Ingber, 2023, "An Analysis of Fusion Functions for Hybrid Retrieval",
find it ahead of reciprocal rank fusion.)
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from index.catalogue import Catalogue
from index.document import Chunk, RetrievedChunk
from index.embedding.embedder import Embedder, Vectors
from index.errors import EmptyIndexError, IndexingError, IndexMismatchError
from index.generation import Generation
from index.keywords import WordStatistics

# How many candidates each side brings to the fusion.
_CANDIDATES = 50
_VECTOR_WEIGHT = 0.5
_NOTHING_INDEXED = "No documents are indexed yet: run `footnote index FOLDER`."


@dataclass(frozen=True, slots=True)
class _Candidates:
    chunks: dict[str, Chunk]
    similarities: dict[str, float]
    keyword_scores: dict[str, float]


class Retriever:
    """Finds chunks. Moves to a new generation by itself; safe for many threads."""

    def __init__(self, catalogue: Catalogue, embedder: Embedder, data_dir: Path) -> None:
        self._catalogue = catalogue
        self._embedder = embedder
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._generation: Generation | None = None

    def retrieve(self, questions: Sequence[str], limit: int) -> list[RetrievedChunk]:
        """Return up to `limit` chunks for one question in one or more wordings, best first.

        Args:
            questions: Wordings of the question; a chunk's score is its best over them.
            limit: Most chunks to return.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
            IndexMismatchError: The index was built with another embedding model.
            IndexingError: The index is damaged.
        """
        vectors = self._embedder.embed(questions)
        candidates = [self._candidates(question, vector) for question, vector in zip(questions, vectors, strict=True)]
        best: dict[str, RetrievedChunk] = {}
        for found in candidates:
            for chunk_id, result in _fuse(found).items():
                if chunk_id not in best or result.score > best[chunk_id].score:
                    best[chunk_id] = result
        ordered = sorted(best.values(), key=lambda result: (-result.score, result.chunk.chunk_id))[:limit]
        return [
            RetrievedChunk(result.chunk, rank, result.score, result.similarity, result.keyword_score)
            for rank, result in enumerate(ordered, start=1)
        ]

    def word_statistics(self, question: str) -> WordStatistics:
        """Return how often the words of a question occur in the live generation.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
        """
        return self._live().keywords.statistics(question)

    def close(self) -> None:
        """Release the generation."""
        with self._lock:
            if self._generation:
                self._generation.close()
                self._generation = None

    def warm_up(self) -> None:
        """Open the live generation, if there is one, so that the first question does not wait for it."""
        with suppress(EmptyIndexError):
            self._live()

    def _live(self) -> Generation:
        """Return the generation that the catalogue names, opening it when it changed."""
        name = self._catalogue.property("generation")
        if not name:
            raise EmptyIndexError(_NOTHING_INDEXED)
        with self._lock:
            if self._generation is None or self._generation.name != name:
                generation = Generation(self._data_dir, name)
                if generation.manifest.embedding_model != self._embedder.model_id:
                    generation.close()
                    raise IndexMismatchError(
                        f"The index in {str(self._data_dir)!r} was built with the embedding model "
                        f"{generation.manifest.embedding_model!r}, not {self._embedder.model_id!r}: "
                        "run `footnote index` again, or set embedding_model back."
                    )
                # The old one is left to the garbage collector: another thread may still be reading it.
                self._generation = generation
            if not self._generation.manifest.chunks:
                raise EmptyIndexError(_NOTHING_INDEXED)
            return self._generation

    def _candidates(self, question: str, vector: Vectors) -> _Candidates:
        generation = self._live()
        try:
            similar = dict(generation.vectors.search(vector, _CANDIDATES))
            keyword_scores = dict(generation.keywords.search(question, _CANDIDATES))
            chunks = self._catalogue.chunks([*similar, *keyword_scores])
        except IndexingError:
            if self._catalogue.property("generation") == generation.name:
                raise
            return self._candidates(question, vector)  # the generation was replaced while we read it
        if len(chunks) < len({*similar, *keyword_scores}) and self._catalogue.property("generation") != generation.name:
            return self._candidates(question, vector)
        missing = [chunk_id for chunk_id in chunks if chunk_id not in similar]
        stored = self._catalogue.vectors(missing)
        similar.update({chunk_id: float(np.dot(stored[chunk_id], vector)) for chunk_id in missing})
        return _Candidates(chunks, similar, keyword_scores)


def _fuse(found: _Candidates) -> dict[str, RetrievedChunk]:
    best_keyword = max(found.keyword_scores.values(), default=0.0)
    fused = {}
    for chunk_id, chunk in found.chunks.items():
        similarity = found.similarities[chunk_id]
        keyword_score = found.keyword_scores.get(chunk_id)
        share = keyword_score / best_keyword if keyword_score and best_keyword > 0 else 0.0
        score = _VECTOR_WEIGHT * max(similarity, 0.0) + (1 - _VECTOR_WEIGHT) * max(share, 0.0)
        fused[chunk_id] = RetrievedChunk(chunk, 0, min(score, 1.0), similarity, keyword_score)
    return fused
