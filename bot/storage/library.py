"""The indexed documents as pages and programs list them and look them up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from index.document import Chunk, Document, Span
from index.embedding.embedder import Embedder, Vectors
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue, LiveDocument, TitledDocument


@dataclass(frozen=True, slots=True)
class Overview:
    """What can be answered from."""

    documents: tuple[LiveDocument, ...]
    chunks: int
    indexed_at: datetime | None
    fingerprint: str


class Contents(NamedTuple):
    """Some of the documents.

    Attributes:
        total: How many documents there are in all.
        documents: Those that were asked for.
        more: Whether others come after them.
        indexed_at: When the index was last changed; None where nothing is indexed.
    """

    total: int
    documents: tuple[TitledDocument, ...]
    more: bool
    indexed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Library:
    """The documents of one index.

    Attributes:
        catalogue: Stores them.
        retriever: Searches them.
        embedder: The embedding model of the index.
    """

    catalogue: Catalogue
    retriever: Retriever
    embedder: Embedder

    def document(self, document_id: str) -> Document | None:
        """Return an indexed document, or None."""
        return self.catalogue.document(document_id)

    def chunks(self, chunk_ids: Sequence[str]) -> Mapping[str, Chunk]:
        """Return indexed chunks by id; ids that are gone are left out."""
        return self.catalogue.chunks(chunk_ids)

    def chunk_spans(self, document_id: str) -> tuple[Span, ...]:
        """Return where the chunks of a document stand, in order; nothing for a document that is not there."""
        return tuple(chunk.span for chunk in self.catalogue.chunks_of(document_id))

    def is_indexed(self) -> bool:
        """Return whether there is an index to answer from."""
        return bool(self.catalogue.property("generation"))

    def overview(self) -> Overview:
        """Return what can be answered from."""
        return Overview(
            documents=tuple(self.catalogue.summaries()),
            chunks=self.catalogue.count_chunks(),
            indexed_at=self._indexed_at(),
            fingerprint=self.catalogue.property("fingerprint"),
        )

    def contents(self, words: str = "", start: int = 0, count: int = 40) -> Contents:
        """Return some of the documents, those with all of the words in their title or id, however many there are."""
        found = self.catalogue.titles(words, start, count + 1)
        return Contents(self.catalogue.count_documents(), found[:count], len(found) > count, self._indexed_at())

    def count_tokens(self, text: str) -> int:
        """Return how many tokens of the embedding model's vocabulary a text has."""
        return len(self.embedder.tokenize(text))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts by the model of the index, one row each."""
        return self.embedder.embed(texts)

    def _indexed_at(self) -> datetime | None:
        indexed_at = self.catalogue.property("indexed_at")
        return datetime.fromisoformat(indexed_at) if indexed_at else None
