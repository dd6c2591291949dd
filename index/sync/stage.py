"""New versions of documents into the database, beside the live ones, with the vectors of their chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.document import Chunk, Document
from index.embedding.embedder import Embedder
from index.store.catalogue import Catalogue, vector_key
from index.store.failpoints import failpoint
from index.sync.report import Progress, SyncReport

EMBEDDED_AT_ONCE: Final = 128
_TITLE_CHARACTERS: Final = 120  # enough of a title for context; a whole headline would crowd out the passage


@dataclass(frozen=True, slots=True)
class Split:
    """A document to be staged."""

    document: Document
    chunks: list[Chunk]
    source: str


class Stager:
    """Embeds and stages documents; texts that have a vector already are not embedded again."""

    def __init__(self, catalogue: Catalogue, embedder: Embedder, report: SyncReport, progress: Progress) -> None:
        self._catalogue = catalogue
        self._embedder = embedder
        self._report = report
        self._progress = progress

    def stage(self, batch: Sequence[Split]) -> None:
        """Stage some documents."""
        texts: dict[str, str] = {}
        keys: list[list[str]] = []
        for one in batch:
            embedded = [f"{one.document.title[:_TITLE_CHARACTERS]}\n{chunk.text}" for chunk in one.chunks]
            keys.append([vector_key(self._embedder.model_id, text) for text in embedded])
            texts.update(zip(keys[-1], embedded, strict=True))
        missing = sorted(self._catalogue.missing_vectors(list(texts)))
        for begin in range(0, len(missing), EMBEDDED_AT_ONCE):
            some = missing[begin : begin + EMBEDDED_AT_ONCE]
            vectors = self._embedder.embed([texts[key] for key in some])
            failpoint("embed")
            self._catalogue.add_vectors(dict(zip(some, vectors, strict=True)))  # an interrupted run keeps these
            self._report.embedded += len(some)
            self._progress("embed", self._report.embedded, 0)
        for one, vector_ids in zip(batch, keys, strict=True):
            self._catalogue.stage(one.document, one.chunks, vector_ids, one.source)
            failpoint("stage")
