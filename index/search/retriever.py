"""Question to chunks: vectors and keywords over the live generation, fused."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from index.document import Chunk, RetrievedChunk
from index.embedding.embedder import Embedder, Vectors
from index.errors import EmptyIndexError, IndexingError
from index.generation import GenerationManager, GenerationSnapshot
from index.relations.precedence import Precedence, order_retrieved
from index.relations.relations import Relation
from index.search.chroma_server import ChromaServer
from index.search.fusion import Fusion, fuse
from index.search.keywords import WordStatistics
from index.store.catalogue import Catalogue

_LOG = logging.getLogger(__name__)

_CANDIDATES = 50  # that the vector search and the keyword search each contribute
_ATTEMPTS = 3
_OWN_CHUNKS = 10  # of a document, expected among the nearest neighbours of one of its chunks


@dataclass(frozen=True, slots=True)
class _Found:
    """A chunk's scores for one wording of the question: fused, cosine, and BM25 if it contains one of the words."""

    score: float
    similarity: float
    keyword_score: float | None


class Retriever:
    """Finds chunks in the live generation. Safe for many threads.

    Args:
        catalogue: The database.
        embedder: Embeds questions.
        data_dir: The data folder.
        fusion: How the two rankings become one.
        mend: Rebuild the files of a damaged generation in the background.
        server: A Chroma server that searches the vectors while it answers.
        comparing: Embeds the conversation, faster and less exactly; `embedder` when not given.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        embedder: Embedder,
        data_dir: Path,
        fusion: Fusion | None = None,
        *,
        mend: bool = False,
        server: ChromaServer | None = None,
        comparing: Embedder | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._embedder = embedder
        self._comparing = comparing or embedder
        self._live = GenerationManager(catalogue, data_dir, embedder.model_id, mend=mend, server=server)
        self._fusion = fusion or Fusion()

    def retrieve(self, questions: Sequence[str], limit: int, conversation: Sequence[str] = ()) -> list[RetrievedChunk]:
        """Return up to `limit` chunks for one question in one or more wordings, best first.

        Args:
            questions: Wordings of the question; a chunk's score is its best over them.
            limit: Most chunks to return.
            conversation: Earlier turns; a part of each score is the similarity to them.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
            IndexMismatchError: The index was built with another embedding model.
            IndexingError: The index is damaged.
        """
        self._live.current()  # raises before the embedding model is loaded
        vectors, context = self._embed(questions, conversation)
        for attempt in range(1, _ATTEMPTS + 1):
            generation = self._live.current()
            try:
                best = self._best(generation, questions, vectors, max(limit, _CANDIDATES))
                if context is not None:
                    best = self._in_conversation(best, context)
                ordered = sorted(best, key=lambda chunk_id: (-best[chunk_id].score, chunk_id))
                chunks, relations = self._related(ordered[:limit])
                if relations:  # demoting copies and old versions may bring others into the first `limit`
                    chunks, relations = self._related(ordered)
                else:
                    ordered = ordered[:limit]
            except (IndexingError, KeyError):  # it was replaced meanwhile, or its files are damaged
                if attempt == _ATTEMPTS:
                    raise
                self._live.discard(generation)
                continue
            if len(chunks) == len(ordered) or self._catalogue.property("generation") == generation.name:
                break
        shown = [(chunks[chunk_id], best[chunk_id]) for chunk_id in ordered if chunk_id in chunks]
        retrieved = [
            RetrievedChunk(chunk, rank, found.score, found.similarity, found.keyword_score)
            for rank, (chunk, found) in enumerate(shown, start=1)
        ]
        return order_retrieved(retrieved, Precedence(relations, questions))[:limit] if relations else retrieved

    def nearest(self, chunk: Chunk, limit: int) -> list[Chunk]:
        """Return up to `limit` chunks of other documents that are nearest to a chunk by vectors, best first.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
            IndexingError: The index is damaged.
        """
        vector = self._catalogue.vectors([chunk.chunk_id])[chunk.chunk_id]
        near = [chunk_id for chunk_id, _ in self._live.current().vectors.search(vector, limit + _OWN_CHUNKS)]
        found = self._catalogue.chunks(near)
        others = [found[chunk_id] for chunk_id in near if chunk_id in found]
        return [other for other in others if other.document_id != chunk.document_id][:limit]

    def word_statistics(self, question: str) -> WordStatistics:
        """Return how often the words of a question occur in the live generation.

        Raises:
            EmptyIndexError: Nothing has been indexed yet.
        """
        generation = self._live.current()
        try:
            return generation.keywords.statistics(question)
        except IndexingError:
            self._live.discard(generation)
            return self._live.current().keywords.statistics(question)

    def close(self) -> None:
        """Close the generation."""
        self._live.close()

    def warm_up(self) -> None:
        """Open the live generation, if there is one, so that the first question need not wait."""
        with suppress(EmptyIndexError):
            self._live.current()

    def check_vectors(self) -> None:
        """Log a warning if vectors in the database, which indexes are built from, are missing or truncated."""
        if damaged := self._catalogue.chunk_sets.count_damaged_vectors(self._embedder.dimension):
            _LOG.warning(
                "the vectors of %d chunks in the database are lost or cut short: stop serving, then restore a backup "
                "with `footnote restore`, or index the folders into a new --data-dir",
                damaged,
            )

    def _related(self, chunk_ids: Sequence[str]) -> tuple[dict[str, Chunk], Mapping[str, Relation]]:
        """Return chunks by id, and the relations of their documents."""
        chunks = self._catalogue.chunks(chunk_ids)
        return chunks, self._catalogue.relations({chunk.document_id for chunk in chunks.values()})

    def _best(
        self, generation: GenerationSnapshot, questions: Sequence[str], vectors: Vectors, limit: int
    ) -> dict[str, _Found]:
        """Return the best scores of each chunk over all wordings."""
        best: dict[str, _Found] = {}
        for question, vector in zip(questions, vectors, strict=True):
            for chunk_id, found in self._search(generation, question, vector, limit).items():
                if chunk_id not in best or found.score > best[chunk_id].score:
                    best[chunk_id] = found
        return best

    def _search(self, generation: GenerationSnapshot, question: str, vector: Vectors, limit: int) -> dict[str, _Found]:
        """Return the scores of the chunks that the vector search or the keyword search found."""
        similarities = dict(generation.vectors.search(vector, limit))
        keyword_scores = dict(
            generation.keywords.search(question, limit, list(similarities), self._fusion.phrase_weight)
        )
        missing = [chunk_id for chunk_id in keyword_scores if chunk_id not in similarities]
        stored = self._catalogue.vectors(missing)
        similarities.update({chunk_id: float(np.dot(stored[chunk_id], vector)) for chunk_id in missing})
        weight = self._fusion.weight_for(question, self._embedder.tokenize(question))
        fused = fuse(similarities, keyword_scores, weight)
        return {
            chunk_id: _Found(score, similarities[chunk_id], keyword_scores.get(chunk_id))
            for chunk_id, score in fused.items()
        }

    def _embed(self, questions: Sequence[str], conversation: Sequence[str]) -> tuple[Vectors, Vectors | None]:
        """Return the vectors of the questions, and the mean vector of the conversation, of length one.

        If one model makes both, it is called once, because texts of one call are embedded in parallel.
        """
        if not conversation:
            return self._embedder.embed(questions), None
        if self._comparing is self._embedder:
            both = self._embedder.embed([*questions, *conversation])
            vectors, each = both[: len(questions)], both[len(questions) :]
        else:
            vectors, each = self._embedder.embed(questions), self._comparing.embed(conversation)
        mean = each.mean(axis=0)
        return vectors, mean / max(float(np.linalg.norm(mean)), 1e-9)

    def _in_conversation(self, found: Mapping[str, _Found], context: Vectors) -> dict[str, _Found]:
        """Return the scores, each a weighted mean with the cosine of the chunk and the conversation."""
        stored = self._catalogue.vectors(list(found))
        weight = self._fusion.conversation_weight

        def weighted(chunk_id: str, score: float) -> float:
            return (1 - weight) * score + weight * max(float(np.dot(stored[chunk_id], context)), 0.0)

        return {chunk_id: replace(one, score=weighted(chunk_id, one.score)) for chunk_id, one in found.items()}
