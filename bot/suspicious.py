"""Documents that staff should look at: those that contradict others, and those that tell the bot what to do.

Who is right cannot be told from here: a poisoned document stands beside what it contradicts, each with its place. To be
run for staff and not for a reader, because every passage is compared with its nearest.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bot.blocking import blocks_answers
from bot.contradiction import find_contradiction
from index.catalogue import Catalogue
from index.document import Chunk, MarkKind, Span
from index.precedence import Precedence
from index.retriever import Retriever

# Passages of other documents that each is compared with.
_NEIGHBOURS = 6


@dataclass(frozen=True, slots=True)
class Contested:
    """A sentence of a document, and one of another that says otherwise."""

    span: Span
    text: str
    other_id: str
    other_span: Span
    otherwise: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a document is suspicious.

    Attributes:
        contested: What others say otherwise; other versions of the same document are not counted.
        blocking: Places of the sentences that forbid an answer.
        planted: Words in it that address a machine, as marked when it was read; they are in no answer.
    """

    document_id: str
    contested: tuple[Contested, ...]
    blocking: tuple[Span, ...]
    planted: tuple[str, ...]

    def contradicts(self) -> frozenset[str]:
        """Return the ids of the documents that it contradicts."""
        return frozenset(one.other_id for one in self.contested)


def suspicious_documents(
    catalogue: Catalogue, retriever: Retriever, stop: threading.Event | None = None
) -> list[Suspicion]:
    """Return the documents that contradict others, forbid answers or address a machine; the last two kinds first.

    Args:
        catalogue: The documents.
        retriever: Finds what stands near a passage.
        stop: When it is set, the search ends with what it has found.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
        IndexingError: The index is damaged.
    """
    precedence = Precedence(catalogue.relations(), ())
    contested: dict[str, dict[Contested, None]] = defaultdict(dict)
    blocking: dict[str, dict[Span, None]] = defaultdict(dict)
    planted: dict[str, tuple[str, ...]] = {}
    for summary in catalogue.summaries():
        if words := _planted(catalogue, summary.document_id):
            planted[summary.document_id] = words
        for chunk in catalogue.chunks_of(summary.document_id):
            if stop is not None and stop.is_set():
                break
            for span, text in _sentences(chunk):
                if blocks_answers(text):
                    blocking[chunk.document_id][span] = None
            for other in retriever.nearest(chunk, _NEIGHBOURS):
                if not precedence.versions(chunk.document_id, other.document_id):
                    for one in _contradictions(chunk, other):
                        contested[chunk.document_id][one] = None
    found = [
        Suspicion(one, tuple(contested[one]), tuple(blocking[one]), planted.get(one, ()))
        for one in {**contested, **blocking, **planted}
    ]
    return sorted(found, key=lambda one: (not one.blocking, not one.planted, -len(one.contradicts()), one.document_id))


def _planted(catalogue: Catalogue, document_id: str) -> tuple[str, ...]:
    document = catalogue.document(document_id)
    marks = document.marks if document else ()
    return tuple(mark.excerpt for mark in marks if mark.kind is MarkKind.PLANTED_INSTRUCTION)


def _contradictions(chunk: Chunk, other: Chunk) -> Iterator[Contested]:
    for span, text in _sentences(chunk):
        for other_span, otherwise in _sentences(other):
            if find_contradiction(text, otherwise, "", (chunk.title, other.title)):
                yield Contested(span, text, other.document_id, other_span, otherwise)


def _sentences(chunk: Chunk) -> Iterator[tuple[Span, str]]:
    for span in chunk.sentences:
        yield span, chunk.sentence_text(span)
